// The loops of products with a vector, see gemmVector.ts.
import { V } from './lanes';

abstract class Vector {
  // @ts-ignore: decorator
  @inline
  static dot<T extends number>(a: usize, b: usize, k: i32): T {
    const lanes: i32 = 16 / sizeof<T>();
    let s0: v128 = i64x2.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (; k >= 4 * lanes; k -= 4 * lanes, a += 64, b += 64) {
      s0 = V.madd<T>(v128.load(a), v128.load(b), s0);
      s1 = V.madd<T>(v128.load(a, 16), v128.load(b, 16), s1);
      s2 = V.madd<T>(v128.load(a, 32), v128.load(b, 32), s2);
      s3 = V.madd<T>(v128.load(a, 48), v128.load(b, 48), s3);
    }
    for (; k >= lanes; k -= lanes, a += 16, b += 16) s0 = V.madd<T>(v128.load(a), v128.load(b), s0);
    const s = v128.add<T>(v128.add<T>(s0, s1), v128.add<T>(s2, s3));
    let sum = (v128.extract_lane<T>(s, 0) + v128.extract_lane<T>(s, 1)) as T;
    if (sizeof<T>() == 4) sum = (sum + (v128.extract_lane<T>(s, 2) + v128.extract_lane<T>(s, 3))) as T;
    for (; k > 0; --k, a += sizeof<T>(), b += sizeof<T>()) sum = V.madd1<T>(load<T>(a), load<T>(b), sum);
    return sum;
  }

  /** y += Σ x[k]·matrix[k], four k per pass over y: four streams of memory, y loaded and stored once for the four. */
  // @ts-ignore: decorator
  @inline
  static addScaledRows<T extends number>(
    matrix: usize,
    kStep: usize,
    x: usize,
    xStep: usize,
    y: usize,
    count: i32,
    k: i32,
  ): void {
    const lanes: i32 = 16 / sizeof<T>();
    for (; k >= 4; k -= 4, matrix += 4 * kStep, x += 4 * xStep) {
      const x0 = v128.load_splat<T>(x);
      const x1 = v128.load_splat<T>(x + xStep);
      const x2 = v128.load_splat<T>(x + 2 * xStep);
      const x3 = v128.load_splat<T>(x + 3 * xStep);
      let p = matrix;
      let q = y;
      let j = count;
      for (; j >= lanes; j -= lanes, p += 16, q += 16) {
        let s = V.madd<T>(x0, v128.load(p), v128.load(q));
        s = V.madd<T>(x1, v128.load(p + kStep), s);
        s = V.madd<T>(x2, v128.load(p + 2 * kStep), s);
        v128.store(q, V.madd<T>(x3, v128.load(p + 3 * kStep), s));
      }
      for (; j > 0; --j, p += sizeof<T>(), q += sizeof<T>()) {
        let s = V.madd1<T>(load<T>(x), load<T>(p), load<T>(q));
        s = V.madd1<T>(load<T>(x + xStep), load<T>(p + kStep), s);
        s = V.madd1<T>(load<T>(x + 2 * xStep), load<T>(p + 2 * kStep), s);
        store<T>(q, V.madd1<T>(load<T>(x + 3 * xStep), load<T>(p + 3 * kStep), s));
      }
    }
    for (; k > 0; --k, matrix += kStep, x += xStep) {
      const x0 = v128.load_splat<T>(x);
      let p = matrix;
      let q = y;
      let j = count;
      for (; j >= lanes; j -= lanes, p += 16, q += 16) {
        v128.store(q, V.madd<T>(x0, v128.load(p), v128.load(q)));
      }
      for (; j > 0; --j, p += sizeof<T>(), q += sizeof<T>()) {
        store<T>(q, V.madd1<T>(load<T>(x), load<T>(p), load<T>(q)));
      }
    }
  }
}

export function dot_contiguous_f32(a: usize, b: usize, k: i32): f32 {
  return Vector.dot<f32>(a, b, k);
}

export function dot_contiguous_f64(a: usize, b: usize, k: i32): f64 {
  return Vector.dot<f64>(a, b, k);
}

export function add_scaled_rows_f32(
  matrix: usize,
  kStep: usize,
  x: usize,
  xStep: usize,
  y: usize,
  count: i32,
  k: i32,
): void {
  Vector.addScaledRows<f32>(matrix, kStep, x, xStep, y, count, k);
}

export function add_scaled_rows_f64(
  matrix: usize,
  kStep: usize,
  x: usize,
  xStep: usize,
  y: usize,
  count: i32,
  k: i32,
): void {
  Vector.addScaledRows<f64>(matrix, kStep, x, xStep, y, count, k);
}
