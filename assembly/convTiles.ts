// The innermost loops of convolutions that read their input where it lies (convDirect.ts). What gemmMicro.ts says of the form of
// such loops holds here too.
import { V } from './lanes';

/** Six outputs by eight results: a is [k, 6], and what belongs to its rows lies at `b` and each of the k offsets. */
export function conv_tile6_f32(k: usize, a: usize, offsets: usize, b: usize, c: usize, cRow: usize): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  let c40 = c00;
  let c41 = c00;
  let c50 = c00;
  let c51 = c00;
  for (; k > 0; --k) {
    const p = b + load<u32>(offsets);
    const b0 = v128.load(p);
    const b1 = v128.load(p, 16);
    let s = v128.load32_splat(a);
    c00 = V.madd<f32>(s, b0, c00);
    c01 = V.madd<f32>(s, b1, c01);
    s = v128.load32_splat(a, 4);
    c10 = V.madd<f32>(s, b0, c10);
    c11 = V.madd<f32>(s, b1, c11);
    s = v128.load32_splat(a, 8);
    c20 = V.madd<f32>(s, b0, c20);
    c21 = V.madd<f32>(s, b1, c21);
    s = v128.load32_splat(a, 12);
    c30 = V.madd<f32>(s, b0, c30);
    c31 = V.madd<f32>(s, b1, c31);
    s = v128.load32_splat(a, 16);
    c40 = V.madd<f32>(s, b0, c40);
    c41 = V.madd<f32>(s, b1, c41);
    s = v128.load32_splat(a, 20);
    c50 = V.madd<f32>(s, b0, c50);
    c51 = V.madd<f32>(s, b1, c51);
    a += 24;
    offsets += 4;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  c += cRow;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  c += cRow;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  c += cRow;
  v128.store(c, c30);
  v128.store(c, c31, 16);
  c += cRow;
  v128.store(c, c40);
  v128.store(c, c41, 16);
  c += cRow;
  v128.store(c, c50);
  v128.store(c, c51, 16);
}

/** The same of four outputs. */
export function conv_tile4_f32(k: usize, a: usize, offsets: usize, b: usize, c: usize, cRow: usize): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  for (; k > 0; --k) {
    const p = b + load<u32>(offsets);
    const b0 = v128.load(p);
    const b1 = v128.load(p, 16);
    let s = v128.load32_splat(a);
    c00 = V.madd<f32>(s, b0, c00);
    c01 = V.madd<f32>(s, b1, c01);
    s = v128.load32_splat(a, 4);
    c10 = V.madd<f32>(s, b0, c10);
    c11 = V.madd<f32>(s, b1, c11);
    s = v128.load32_splat(a, 8);
    c20 = V.madd<f32>(s, b0, c20);
    c21 = V.madd<f32>(s, b1, c21);
    s = v128.load32_splat(a, 12);
    c30 = V.madd<f32>(s, b0, c30);
    c31 = V.madd<f32>(s, b1, c31);
    a += 16;
    offsets += 4;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  c += cRow;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  c += cRow;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  c += cRow;
  v128.store(c, c30);
  v128.store(c, c31, 16);
}

/**
 * Products of three planes of gradients, `gPlane` bytes apart, with three taps, `step` bytes apart, summed over rows of
 * `vectors` vectors: nine vectors whose lanes are still to be added. The last vector of a row lies at `last` bytes there;
 * where it reaches back, 0 stands for what was read before: its gradients are 0, and Infinity · 0 would be NaN.
 */
export function conv_weight_tile_f32(
  grad: usize,
  gPlane: usize,
  p: usize,
  step: usize,
  pRow: usize,
  rows: usize,
  vectors: usize,
  last: usize,
  out: usize,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c02 = c00;
  let c10 = c00;
  let c11 = c00;
  let c12 = c00;
  let c20 = c00;
  let c21 = c00;
  let c22 = c00;
  const fresh = i32x4.ge_s(i32x4(0, 1, 2, 3), i32x4.splat((4 - ((<i32>last >> 2) & 3)) & 3));
  for (; rows > 0; --rows) {
    let b = p;
    let kept = i32x4.splat(-1);
    for (let i = vectors; i > 0; --i) {
      if (i == 1) {
        b = p + last;
        kept = fresh;
      }
      const x0 = v128.and(v128.load(b), kept);
      const x1 = v128.and(v128.load(b + step), kept);
      const x2 = v128.and(v128.load(b + step * 2), kept);
      let s = v128.load(grad);
      c00 = V.madd<f32>(s, x0, c00);
      c01 = V.madd<f32>(s, x1, c01);
      c02 = V.madd<f32>(s, x2, c02);
      s = v128.load(grad + gPlane);
      c10 = V.madd<f32>(s, x0, c10);
      c11 = V.madd<f32>(s, x1, c11);
      c12 = V.madd<f32>(s, x2, c12);
      s = v128.load(grad + gPlane * 2);
      c20 = V.madd<f32>(s, x0, c20);
      c21 = V.madd<f32>(s, x1, c21);
      c22 = V.madd<f32>(s, x2, c22);
      grad += 16;
      b += 16;
    }
    p += pRow;
  }
  v128.store(out, c00);
  v128.store(out, c01, 16);
  v128.store(out, c02, 32);
  v128.store(out, c10, 48);
  v128.store(out, c11, 64);
  v128.store(out, c12, 80);
  v128.store(out, c20, 96);
  v128.store(out, c21, 112);
  v128.store(out, c22, 128);
}
