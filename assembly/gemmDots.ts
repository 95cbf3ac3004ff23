// Sums of products of lines that are contiguous along k, four lines by two: nothing is packed, and each load serves two or four
// sums. (Six by two would need the registers of its pointers as well.) Lane l of a sum has the terms whose k leaves l, and lane 0
// the last few: the order is fixed by k alone. For the form of the loop see gemmMicro.ts: lanes are added up elsewhere.
import { V } from './lanes';

/** The lanes of the sums of four lines with y, and behind them those with z: eight vectors. */
export function dots_4x2_f32(
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  y: usize,
  z: usize,
  k: i32,
  sums: usize,
): void {
  let y0: v128, y1: v128, y2: v128, y3: v128, z0: v128, z1: v128, z2: v128, z3: v128;
  y0 = y1 = y2 = y3 = z0 = z1 = z2 = z3 = i64x2.splat(0);
  for (; k >= 4; k -= 4) {
    const u = v128.load(y);
    const v = v128.load(z);
    let s = v128.load(x0);
    y0 = V.madd<f32>(s, u, y0);
    z0 = V.madd<f32>(s, v, z0);
    s = v128.load(x1);
    y1 = V.madd<f32>(s, u, y1);
    z1 = V.madd<f32>(s, v, z1);
    s = v128.load(x2);
    y2 = V.madd<f32>(s, u, y2);
    z2 = V.madd<f32>(s, v, z2);
    s = v128.load(x3);
    y3 = V.madd<f32>(s, u, y3);
    z3 = V.madd<f32>(s, v, z3);
    x0 += 16;
    x1 += 16;
    x2 += 16;
    x3 += 16;
    y += 16;
    z += 16;
  }
  for (; k > 0; --k) {
    const u = v128.load32_zero(y);
    const v = v128.load32_zero(z);
    let s = v128.load32_zero(x0);
    y0 = V.madd<f32>(s, u, y0);
    z0 = V.madd<f32>(s, v, z0);
    s = v128.load32_zero(x1);
    y1 = V.madd<f32>(s, u, y1);
    z1 = V.madd<f32>(s, v, z1);
    s = v128.load32_zero(x2);
    y2 = V.madd<f32>(s, u, y2);
    z2 = V.madd<f32>(s, v, z2);
    s = v128.load32_zero(x3);
    y3 = V.madd<f32>(s, u, y3);
    z3 = V.madd<f32>(s, v, z3);
    x0 += 4;
    x1 += 4;
    x2 += 4;
    x3 += 4;
    y += 4;
    z += 4;
  }
  v128.store(sums, y0);
  v128.store(sums, y1, 16);
  v128.store(sums, y2, 32);
  v128.store(sums, y3, 48);
  v128.store(sums, z0, 64);
  v128.store(sums, z1, 80);
  v128.store(sums, z2, 96);
  v128.store(sums, z3, 112);
}
