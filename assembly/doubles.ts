// Rows of doubles against a vector, as decompositions of matrices need them: `count` rows of n elements, `stride` elements
// apart. A caller's loop over smaller and smaller parts of a matrix is too short for threads: there are no slices.
import { V } from './lanes';

abstract class Doubles {
  /** Σ c_i · x_i of two neighbouring columns. */
  // @ts-ignore: decorator
  @inline
  static pair(x: usize, pitch: usize, c: usize, step: usize, count: usize): v128 {
    let sum = f64x2.splat(0);
    for (; count > 0; count--, x += pitch, c += step)
      sum = V.madd<f64>(v128.load64_splat(c), v128.load(x), sum);
    return sum;
  }

  /** One column of `rotations`. */
  static rotated(x: usize, pitch: usize, cs: usize, count: usize): void {
    let carried = load<f64>(x);
    for (; count > 0; count--, cs += 16) {
      const c = load<f64>(cs);
      const s = load<f64>(cs, 8);
      const next = load<f64>(x + pitch);
      store<f64>(x, c * carried + s * next);
      carried = c * next - s * carried;
      x += pitch;
    }
    store<f64>(x, carried);
  }
}

/** out_i = x_i · v. */
export function row_dots_f64(x: usize, stride: usize, v: usize, out: usize, n: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++, x += stride << 3) {
    let a = f64x2.splat(0);
    let b = a;
    let j: usize = 0;
    for (; j + 4 <= n; j += 4) {
      a = V.madd<f64>(v128.load(x + (j << 3)), v128.load(v + (j << 3)), a);
      b = V.madd<f64>(v128.load(x + (j << 3), 16), v128.load(v + (j << 3), 16), b);
    }
    a = f64x2.add(a, b);
    let sum = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
    for (; j < n; j++) sum += load<f64>(x + (j << 3)) * load<f64>(v + (j << 3));
    store<f64>(out + (i << 3), sum);
  }
}

/** y −= Σ c_i · x_i, where the c_i are `step` elements apart. */
export function row_sum_f64(
  x: usize,
  stride: usize,
  c: usize,
  step: usize,
  y: usize,
  n: usize,
  count: usize,
): void {
  const pitch = stride << 3;
  const far = step << 3;
  const stop = y + (n << 3);
  // A cache line of columns at a time.
  for (; y + 64 <= stop; y += 64, x += 64) {
    let p = x;
    let q = c;
    let s0 = f64x2.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let i = count; i > 0; i--, p += pitch, q += far) {
      const by = v128.load64_splat(q);
      s0 = V.madd<f64>(by, v128.load(p), s0);
      s1 = V.madd<f64>(by, v128.load(p, 16), s1);
      s2 = V.madd<f64>(by, v128.load(p, 32), s2);
      s3 = V.madd<f64>(by, v128.load(p, 48), s3);
    }
    v128.store(y, f64x2.sub(v128.load(y), s0));
    v128.store(y, f64x2.sub(v128.load(y, 16), s1), 16);
    v128.store(y, f64x2.sub(v128.load(y, 32), s2), 32);
    v128.store(y, f64x2.sub(v128.load(y, 48), s3), 48);
  }
  for (; y + 16 <= stop; y += 16, x += 16)
    v128.store(y, f64x2.sub(v128.load(y), Doubles.pair(x, pitch, c, far, count)));
  if (y < stop) {
    let sum: f64 = 0;
    for (let i = count; i > 0; i--, x += pitch, c += far) sum += load<f64>(c) * load<f64>(x);
    store<f64>(y, load<f64>(y) - sum);
  }
}

/** x_i −= c_i · y, where the c_i are `step` elements apart. */
export function row_updates_f64(
  x: usize,
  stride: usize,
  c: usize,
  step: usize,
  y: usize,
  n: usize,
  count: usize,
): void {
  for (; count > 0; count--, x += stride << 3, c += step << 3) {
    const factor = -load<f64>(c);
    const by = f64x2.splat(factor);
    let p = x;
    let q = y;
    const stop = x + (n << 3);
    for (; p + 32 <= stop; p += 32, q += 32) {
      v128.store(p, V.madd<f64>(by, v128.load(q), v128.load(p)));
      v128.store(p, V.madd<f64>(by, v128.load(q, 16), v128.load(p, 16)), 16);
    }
    for (; p < stop; p += 8, q += 8) store<f64>(p, V.madd1<f64>(factor, load<f64>(q), load<f64>(p)));
  }
}

/**
 * Turns `count` pairs of neighbouring rows of n elements, one after the other from the first on, by c and s in `cs`: x and y
 * become c·x + s·y and c·y − s·x.
 */
export function row_rotations_f64(x: usize, n: usize, cs: usize, count: usize): void {
  const pitch = n << 3;
  const stop = x + pitch;
  for (; x + 32 <= stop; x += 32) {
    let p = x;
    let a = v128.load(p);
    let b = v128.load(p, 16);
    for (let i: usize = 0; i < count; i++) {
      const c = v128.load64_splat(cs + (i << 4));
      const s = v128.load64_splat(cs + (i << 4), 8);
      const next = v128.load(p + pitch);
      const after = v128.load(p + pitch, 16);
      v128.store(p, V.madd<f64>(s, next, f64x2.mul(c, a)));
      v128.store(p, V.madd<f64>(s, after, f64x2.mul(c, b)), 16);
      a = f64x2.sub(f64x2.mul(c, next), f64x2.mul(s, a));
      b = f64x2.sub(f64x2.mul(c, after), f64x2.mul(s, b));
      p += pitch;
    }
    v128.store(p, a);
    v128.store(p, b, 16);
  }
  for (; x < stop; x += 8) Doubles.rotated(x, pitch, cs, count);
}
