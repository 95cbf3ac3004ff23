/**
 * Eigenvalues of symmetric matrices and singular values, in double precision: a matrix is made tridiagonal, or bidiagonal,
 * by reflections, and then diagonal by rotations. Sections are those of Golub and Van Loan, Matrix Computations, 4th edition.
 * Errors are a few roundings of the largest value, as LAPACK's.
 */
import { transposed } from './elimination.ts';
import { product, reflect, reflector } from './reflections.ts';

const EPSILON = Number.EPSILON / 2;
/** Below this numbers lose digits, and would never be small beside each other. */
const FLOOR = 1e-290;
/** Sweeps for one value; two or three are usual. */
const PATIENCE = 60;

/** Whether x is nothing beside a and b. */
const negligible = (x: number, a: number, b: number): boolean =>
  Math.abs(x) <= EPSILON * (Math.abs(a) + Math.abs(b)) + FLOOR;

/**
 * The length of (f, g), with the sign of an f that is the larger one: rotations by f / r and g / r that have little to do
 * turn nothing around, so that signs of vectors do not depend on how many there were.
 */
const lengthOf = (f: number, g: number): number =>
  f < 0 && -f > Math.abs(g) ? -Math.hypot(f, g) : Math.hypot(f, g);

/** Vectors are the rows of matrices here. Turns rows i and k of `rows`: they become c·i + s·k and c·k − s·i. */
function rotate(rows: Float64Array, width: number, i: number, k: number, c: number, s: number): void {
  const [a, b] = [i * width, k * width];
  for (let j = 0; j < width; j++) {
    const x = rows[a + j];
    const y = rows[b + j];
    rows[a + j] = c * x + s * y;
    rows[b + j] = c * y - s * x;
  }
}

/** A power of two by which elements are divided so that squares of what matters stay in range; NaN if some are not finite. */
function unitOf(a: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    if (!Number.isFinite(a[i])) return NaN;
    largest = Math.max(largest, Math.abs(a[i]));
  }
  return largest > 1e100 || (largest < 1e-100 && largest > 0) ? 2 ** Math.floor(Math.log2(largest)) : 1;
}

/** The positions that sort values, and the rows of a matrix in that order, as columns. */
function sortedColumns(rows: Float64Array, width: number, order: Int32Array): Float64Array {
  const count = rows.length / width;
  const out = new Float64Array(rows.length);
  for (let j = 0; j < count; j++) {
    const from = (j < order.length ? order[j] : j) * width;
    for (let i = 0; i < width; i++) out[i * count + j] = rows[from + i];
  }
  return out;
}

const positions = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

export interface Eigen {
  /** Ascending. */
  readonly values: Float64Array;
  /** Row-major, a vector in each column; empty if none were asked for. */
  readonly vectors: Float64Array;
}

/** Of a symmetric matrix, whose lower (or upper) triangle is read; null if rotations do not come to an end. */
export function symmetricEigen(
  a: Float64Array,
  n: number,
  upper: boolean,
  wantsVectors: boolean,
): Eigen | null {
  const unit = unitOf(a);
  if (Number.isNaN(unit))
    return { values: new Float64Array(n).fill(NaN), vectors: new Float64Array(n * n).fill(NaN) };
  const full = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = (upper ? a[j * n + i] : a[i * n + j]) / unit;
      full[i * n + j] = value;
      full[j * n + i] = value;
    }
  }
  const d = new Float64Array(n);
  const e = new Float64Array(n);
  const taus = tridiagonalize(full, n, d, e);
  const vectors = wantsVectors ? product(full, taus, n, n, 1) : new Float64Array(0);
  if (!diagonalize(d, e, vectors)) return null;
  const order = positions(n).sort((i, j) => d[i] - d[j]);
  return {
    values: Float64Array.from(order, (i) => d[i] * unit),
    vectors: wantsVectors ? sortedColumns(vectors, n, order) : vectors,
  };
}

/** Tridiagonal by reflections (8.3.1): d on the diagonal, e beside it; the vectors of the reflections stay in the rows. */
function tridiagonalize(a: Float64Array, n: number, d: Float64Array, e: Float64Array): Float64Array {
  const taus = new Float64Array(Math.max(0, n - 2));
  const p = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    d[k] = a[k * n + k];
    if (k === n - 1) break;
    const start = k * n;
    const tau = k < n - 2 ? reflector(a, start + k + 1, n - k - 1) : 0;
    e[k] = a[start + k + 1];
    if (k < n - 2) taus[k] = tau;
    if (tau === 0) continue;
    a[start + k + 1] = 1;
    // A − v·wᵀ − w·vᵀ with p = τ·A·v and w = p − (τ/2)(pᵀv)·v, for what is left of A.
    let half = 0;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += a[i * n + j] * a[start + j];
      p[i] = tau * sum;
      half += p[i] * a[start + i];
    }
    half *= tau / 2;
    for (let i = k + 1; i < n; i++) p[i] -= half * a[start + i];
    for (let i = k + 1; i < n; i++) {
      const [v, w] = [a[start + i], p[i]];
      for (let j = k + 1; j < n; j++) a[i * n + j] -= v * p[j] + w * a[start + j];
    }
  }
  return taus;
}

/** The implicit symmetric QR step with Wilkinson's shift (8.3.2, 8.3.3), until all of e is negligible. */
function diagonalize(d: Float64Array, e: Float64Array, vectors: Float64Array): boolean {
  const n = d.length;
  let left = PATIENCE * n;
  for (let q = n - 1; q > 0; ) {
    if (negligible(e[q - 1], d[q - 1], d[q])) {
      e[--q] = 0;
      continue;
    }
    if (left-- === 0) return false;
    let p = q - 1;
    while (p > 0 && !negligible(e[p - 1], d[p - 1], d[p])) p--;
    const gap = (d[q - 1] - d[q]) / 2;
    const last = e[q - 1];
    const spread = Math.hypot(gap, last);
    let x = d[p] - d[q] + (last / (gap + (gap < 0 ? -spread : spread))) * last;
    let z = e[p];
    for (let k = p; k < q; k++) {
      const r = lengthOf(x, z);
      const [c, s] = r === 0 ? [1, 0] : [x / r, z / r];
      if (k > p) e[k - 1] = r;
      const turn = s * (d[k + 1] - d[k]) + 2 * c * e[k];
      d[k] += s * turn;
      d[k + 1] -= s * turn;
      e[k] = c * turn - e[k];
      if (k < q - 1) {
        x = e[k];
        z = s * e[k + 1];
        e[k + 1] *= c;
      }
      if (vectors.length > 0) rotate(vectors, n, k, k + 1, c, s);
    }
  }
  return true;
}

export interface Singular {
  /** Row-major [m, as many columns as were asked for]. */
  readonly u: Float64Array;
  /** Descending. */
  readonly values: Float64Array;
  /** Row-major [as many rows as were asked for, n]. */
  readonly vh: Float64Array;
}

/** How many singular vectors of each side there shall be: none, min(m, n), or all. */
export type Vectors = 'none' | 'reduced' | 'full';

/** A = U·S·Vᵀ for a row-major A [m, n]; null if it is not finite, or rotations do not come to an end. */
export function singular(a: Float64Array, m: number, n: number, vectors: Vectors): Singular | null {
  if (m < n) {
    const turned = singular(transposed(a, m, n), n, m, vectors);
    if (turned === null) return null;
    const [rows, columns] = [turned.vh.length / (m || 1), turned.u.length / (n || 1)];
    return {
      u: transposed(turned.vh, rows, m),
      values: turned.values,
      vh: transposed(turned.u, n, columns),
    };
  }
  const unit = unitOf(a);
  if (Number.isNaN(unit)) return null;
  const columns = transposed(a, m, n).map((x) => x / unit);
  const [d, e] = [new Float64Array(n), new Float64Array(n)];
  const made = bidiagonalize(columns, m, n, d, e);
  const wanted = vectors === 'none' ? 0 : vectors === 'full' ? m : n;
  const u = product(columns, made.left, m, wanted);
  const v = product(made.rows, made.right, n, vectors === 'none' ? 0 : n, 1);
  if (!diagonalizeBoth(d, e, u, m, v)) return null;
  for (let i = 0; i < n; i++) {
    // Signs go to V. An exact zero has none.
    if (d[i] >= 0 && !Object.is(d[i], -0)) continue;
    d[i] = -d[i];
    if (v.length > 0) for (let j = 0; j < n; j++) v[i * n + j] = -v[i * n + j];
  }
  const order = positions(n).sort((i, j) => d[j] - d[i]);
  return {
    u: sortedColumns(u, m, order),
    values: Float64Array.from(order, (i) => d[i] * unit),
    vh: v.length > 0 ? transposed(sortedColumns(v, n, order), n, n) : v,
  };
}

interface Bidiagonal {
  readonly left: Float64Array;
  readonly right: Float64Array;
  /** The vectors of the reflections from the right; those from the left stay in the columns. */
  readonly rows: Float64Array;
}

/** Upper bidiagonal by reflections from both sides (5.4.8): d on the diagonal, e above it. A is held by columns, m ≥ n. */
function bidiagonalize(a: Float64Array, m: number, n: number, d: Float64Array, e: Float64Array): Bidiagonal {
  const left = new Float64Array(n);
  const right = new Float64Array(Math.max(0, n - 2));
  const rows = new Float64Array(n * n);
  const w = new Float64Array(m);
  for (let k = 0; k < n; k++) {
    left[k] = reflector(a, k * m + k, m - k);
    d[k] = a[k * m + k];
    for (let j = k + 1; j < n; j++) reflect(a, k * m + k, left[k], m - k, a, j * m + k);
    if (k === n - 1) break;
    for (let j = k + 1; j < n; j++) rows[k * n + j] = a[j * m + k];
    const tau = k < n - 2 ? reflector(rows, k * n + k + 1, n - k - 1) : 0;
    e[k] = rows[k * n + k + 1];
    if (k < n - 2) right[k] = tau;
    if (tau === 0) continue;
    rows[k * n + k + 1] = 1;
    // A·H: the columns' sum w by v, and its share taken out of each.
    w.fill(0);
    for (let j = k + 1; j < n; j++) {
      const v = rows[k * n + j];
      for (let i = k + 1; i < m; i++) w[i] += v * a[j * m + i];
    }
    for (let j = k + 1; j < n; j++) {
      const v = tau * rows[k * n + j];
      for (let i = k + 1; i < m; i++) a[j * m + i] -= v * w[i];
    }
  }
  return { left, right, rows };
}

/** Golub and Kahan's step (8.6.1, 8.6.2) until all of e is negligible; where an element of d is, e is chased out first. */
function diagonalizeBoth(
  d: Float64Array,
  e: Float64Array,
  u: Float64Array,
  m: number,
  v: Float64Array,
): boolean {
  const n = d.length;
  const turnU = (i: number, k: number, c: number, s: number): void => {
    if (u.length > 0) rotate(u, m, i, k, c, s);
  };
  const turnV = (i: number, k: number, c: number, s: number): void => {
    if (v.length > 0) rotate(v, n, i, k, c, s);
  };
  let left = PATIENCE * n;
  for (let q = n - 1; q > 0; ) {
    if (negligible(e[q - 1], d[q - 1], d[q])) {
      e[--q] = 0;
      continue;
    }
    if (left-- === 0) return false;
    let p = q - 1;
    let zero = negligible(d[q], e[q - 1], 0) ? q : -1;
    for (; ; p--) {
      if (zero < 0 && negligible(d[p], e[p], p > 0 ? e[p - 1] : 0)) zero = p;
      if (p === 0 || negligible(e[p - 1], d[p - 1], d[p])) break;
    }
    if (zero >= 0) chase(d, e, p, q, zero, turnU, turnV);
    else step(d, e, p, q, turnU, turnV);
  }
  return true;
}

type Turn = (i: number, k: number, c: number, s: number) => void;

/** d[zero] is nothing: rotations take e out of its row, or out of the last column. */
function chase(
  d: Float64Array,
  e: Float64Array,
  p: number,
  q: number,
  zero: number,
  turnU: Turn,
  turnV: Turn,
): void {
  d[zero] = 0;
  if (zero < q) {
    let f = e[zero];
    e[zero] = 0;
    for (let k = zero + 1; k <= q && f !== 0; k++) {
      const r = lengthOf(d[k], f);
      const [c, s] = [d[k] / r, f / r];
      d[k] = r;
      f = -s * e[k];
      e[k] *= c;
      turnU(k, zero, c, s);
    }
    return;
  }
  let f = e[q - 1];
  e[q - 1] = 0;
  for (let k = q - 1; k >= p && f !== 0; k--) {
    const r = lengthOf(d[k], f);
    const [c, s] = [d[k] / r, f / r];
    d[k] = r;
    if (k > p) {
      f = -s * e[k - 1];
      e[k - 1] *= c;
    }
    turnV(k, q, c, s);
  }
}

/** One step on the block from p to q, with the shift of Golub and Reinsch (1970), scaled. */
function step(d: Float64Array, e: Float64Array, p: number, q: number, turnU: Turn, turnV: Turn): void {
  const scale = Math.max(...[d[q], d[q - 1], e[q - 1], d[p], e[p]].map(Math.abs));
  const [last, before, beside] = [d[q] / scale, d[q - 1] / scale, e[q - 1] / scale];
  const b = ((before + last) * (before - last) + beside * beside) / 2;
  const c2 = (last * beside) ** 2;
  const root = Math.sqrt(b * b + c2);
  const shift = b === 0 && c2 === 0 ? 0 : c2 / (b + (b < 0 ? -root : root));
  const first = d[p] / scale;
  let f = (first + last) * (first - last) + shift;
  let g = first * (e[p] / scale);
  for (let k = p; k < q; k++) {
    let r = lengthOf(f, g);
    let [c, s] = r === 0 ? [1, 0] : [f / r, g / r];
    if (k > p) e[k - 1] = r;
    f = c * d[k] + s * e[k];
    e[k] = c * e[k] - s * d[k];
    g = s * d[k + 1];
    d[k + 1] *= c;
    turnV(k, k + 1, c, s);
    r = lengthOf(f, g);
    [c, s] = r === 0 ? [1, 0] : [f / r, g / r];
    d[k] = r;
    f = c * e[k] + s * d[k + 1];
    d[k + 1] = c * d[k + 1] - s * e[k];
    if (k < q - 1) {
      g = s * e[k + 1];
      e[k + 1] *= c;
    }
    turnU(k, k + 1, c, s);
  }
  e[q - 1] = f;
}
