// The loops of products with a vector, see gemmVector.ts, and of products of up to four terms, see gemmBlocks.ts.
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

/** The sums of few terms for one vector of C, at the same place of each row of B. */
abstract class Terms {
  // @ts-ignore: decorator
  @inline static one<T extends number>(s0: v128, b0: usize): v128 {
    return V.madd<T>(s0, v128.load(b0), i64x2.splat(0));
  }
  // @ts-ignore: decorator
  @inline static two<T extends number>(s0: v128, b0: usize, s1: v128, b1: usize): v128 {
    return V.madd<T>(s1, v128.load(b1), Terms.one<T>(s0, b0));
  }
  // @ts-ignore: decorator
  @inline static three<T extends number>(
    s0: v128,
    b0: usize,
    s1: v128,
    b1: usize,
    s2: v128,
    b2: usize,
  ): v128 {
    return V.madd<T>(s2, v128.load(b2), Terms.two<T>(s0, b0, s1, b1));
  }

  /**
   * C = A·B of k = 1 to 4 terms and at least one vector of columns, row by row from end to end, as caches expect it. The
   * last vector reaches back over what is there already.
   */
  // @ts-ignore: decorator
  @inline
  static rows<T extends number>(
    k: i32,
    a: usize,
    aRow: usize,
    aCol: usize,
    b0: usize,
    bRow: usize,
    c: usize,
    cRow: usize,
    m: i32,
    n: i32,
  ): void {
    const last = <usize>n * sizeof<T>() - 16;
    const b1 = b0 + bRow;
    const b2 = b1 + bRow;
    const b3 = b2 + bRow;
    for (; m > 0; --m, a += aRow, c += cRow) {
      const s0 = v128.load_splat<T>(a);
      if (k == 1) {
        for (let j: usize = 0; j < last; j += 16) v128.store(c + j, Terms.one<T>(s0, b0 + j));
        v128.store(c + last, Terms.one<T>(s0, b0 + last));
        continue;
      }
      const s1 = v128.load_splat<T>(a + aCol);
      if (k == 2) {
        for (let j: usize = 0; j < last; j += 16) v128.store(c + j, Terms.two<T>(s0, b0 + j, s1, b1 + j));
        v128.store(c + last, Terms.two<T>(s0, b0 + last, s1, b1 + last));
        continue;
      }
      const s2 = v128.load_splat<T>(a + 2 * aCol);
      if (k == 3) {
        for (let j: usize = 0; j < last; j += 16)
          v128.store(c + j, Terms.three<T>(s0, b0 + j, s1, b1 + j, s2, b2 + j));
        v128.store(c + last, Terms.three<T>(s0, b0 + last, s1, b1 + last, s2, b2 + last));
        continue;
      }
      const s3 = v128.load_splat<T>(a + 3 * aCol);
      for (let j: usize = 0; j < last; j += 16) {
        const sum = Terms.three<T>(s0, b0 + j, s1, b1 + j, s2, b2 + j);
        v128.store(c + j, V.madd<T>(s3, v128.load(b3 + j), sum));
      }
      const sum = Terms.three<T>(s0, b0 + last, s1, b1 + last, s2, b2 + last);
      v128.store(c + last, V.madd<T>(s3, v128.load(b3 + last), sum));
    }
  }
}

export function few_terms_f32(
  k: i32,
  a: usize,
  aRow: usize,
  aCol: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  m: i32,
  n: i32,
): void {
  Terms.rows<f32>(k, a, aRow, aCol, b, bRow, c, cRow, m, n);
}

export function few_terms_f64(
  k: i32,
  a: usize,
  aRow: usize,
  aCol: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  m: i32,
  n: i32,
): void {
  Terms.rows<f64>(k, a, aRow, aCol, b, bRow, c, cRow, m, n);
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

/** y += Σ x[k]·matrix[k] and w += Σ z[k]·matrix[k] for four k: each vector of the matrix is loaded for both. */
export function add_four_rows_to_two_f32(
  matrix: usize,
  kStep: usize,
  x: usize,
  z: usize,
  xStep: usize,
  y: usize,
  w: usize,
  count: i32,
): void {
  const x0 = v128.load32_splat(x);
  const x1 = v128.load32_splat(x + xStep);
  const x2 = v128.load32_splat(x + 2 * xStep);
  const x3 = v128.load32_splat(x + 3 * xStep);
  const z0 = v128.load32_splat(z);
  const z1 = v128.load32_splat(z + xStep);
  const z2 = v128.load32_splat(z + 2 * xStep);
  const z3 = v128.load32_splat(z + 3 * xStep);
  const m1 = matrix + kStep;
  const m2 = m1 + kStep;
  const m3 = m2 + kStep;
  const end = (<usize>(count & -4)) << 2;
  for (let i: usize = 0; i < end; i += 16) {
    let m = v128.load(matrix + i);
    let s = V.madd<f32>(x0, m, v128.load(y + i));
    let t = V.madd<f32>(z0, m, v128.load(w + i));
    m = v128.load(m1 + i);
    s = V.madd<f32>(x1, m, s);
    t = V.madd<f32>(z1, m, t);
    m = v128.load(m2 + i);
    s = V.madd<f32>(x2, m, s);
    t = V.madd<f32>(z2, m, t);
    m = v128.load(m3 + i);
    v128.store(y + i, V.madd<f32>(x3, m, s));
    v128.store(w + i, V.madd<f32>(z3, m, t));
  }
  if ((count & 3) == 0) return;
  Vector.addScaledRows<f32>(matrix + end, kStep, x, xStep, y + end, count & 3, 4);
  Vector.addScaledRows<f32>(matrix + end, kStep, z, xStep, w + end, count & 3, 4);
}
