/**
 * Eigenvalues of symmetric matrices and singular values, in double precision: a matrix is made tridiagonal, or bidiagonal,
 * by reflections, and then diagonal by rotations. Sections are those of Golub and Van Loan, Matrix Computations, 4th edition.
 * Errors are a few roundings of the largest value, as LAPACK's.
 */
import { transposed } from './elimination.ts';
import { product, reflect, reflector } from './reflections.ts';
import { type RowMath, turnRows } from './rowMath.ts';

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
  math: RowMath,
  a: Float64Array,
  n: number,
  upper: boolean,
  wantsVectors: boolean,
): Eigen | null {
  const unit = unitOf(a);
  if (Number.isNaN(unit))
    return { values: new Float64Array(n).fill(NaN), vectors: new Float64Array(n * n).fill(NaN) };
  const vectors = n * n;
  const turns = wantsVectors ? 2 * vectors : vectors;
  return math.lend(turns + 2 * n, (m) => {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        const value = (upper ? a[j * n + i] : a[i * n + j]) / unit;
        m[i * n + j] = value;
        m[j * n + i] = value;
      }
    }
    const d = new Float64Array(n);
    const e = new Float64Array(n);
    const taus = tridiagonalize(math, m, n, d, e, turns);
    if (wantsVectors) product(math, m, 0, taus, n, n, vectors, turns, 1);
    if (!diagonalize(d, e, math, m, wantsVectors ? vectors : -1, turns)) return null;
    const order = positions(n).sort((i, j) => d[i] - d[j]);
    return {
      values: Float64Array.from(order, (i) => d[i] * unit),
      vectors: sortedColumns(m.subarray(vectors, turns), n, order),
    };
  });
}

/**
 * Tridiagonal by reflections (8.3.1): d on the diagonal, e beside it; the vectors of the reflections stay in the rows. There is
 * room for n numbers at `p`.
 */
function tridiagonalize(
  math: RowMath,
  m: Float64Array,
  n: number,
  d: Float64Array,
  e: Float64Array,
  p: number,
): Float64Array {
  const taus = new Float64Array(Math.max(0, n - 2));
  for (let k = 0; k < n; k++) {
    d[k] = m[k * n + k];
    if (k === n - 1) break;
    const v = k * n + k + 1;
    const size = n - k - 1;
    const tau = k < n - 2 ? reflector(m, v, size) : 0;
    e[k] = m[v];
    if (k < n - 2) taus[k] = tau;
    if (tau === 0) continue;
    m[v] = 1;
    // A − v·wᵀ − w·vᵀ with p = τ·A·v and w = p − (τ/2)(pᵀv)·v, for what is left of A.
    const rest = v + n;
    math.dots(m, rest, n, v, p, size, size);
    let half = 0;
    for (let i = 0; i < size; i++) {
      m[p + i] *= tau;
      half += m[p + i] * m[v + i];
    }
    half *= tau / 2;
    for (let i = 0; i < size; i++) m[p + i] -= half * m[v + i];
    math.takeEach(m, rest, n, v, 1, p, size, size);
    math.takeEach(m, rest, n, p, 1, v, size, size);
  }
  return taus;
}

/**
 * The implicit symmetric QR step with Wilkinson's shift (8.3.2, 8.3.3), until all of e is negligible. The vectors are rows at
 * `vectors`, unless that is negative; there is room for the rotations at `turns`.
 */
function diagonalize(
  d: Float64Array,
  e: Float64Array,
  math: RowMath,
  m: Float64Array,
  vectors: number,
  turns: number,
): boolean {
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
      const c = r === 0 ? 1 : x / r;
      const s = r === 0 ? 0 : z / r;
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
      m[turns + 2 * (k - p)] = c;
      m[turns + 2 * (k - p) + 1] = s;
    }
    if (vectors >= 0) math.rotate(m, vectors + p * n, n, turns, q - p);
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
export function singular(
  math: RowMath,
  a: Float64Array,
  m: number,
  n: number,
  vectors: Vectors,
): Singular | null {
  if (m < n) {
    const turned = singular(math, transposed(a, m, n), n, m, vectors);
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
  const wanted = vectors === 'none' ? 0 : vectors === 'full' ? m : n;
  // One after the other: A's columns, the vectors of the reflections from the right, U, V, and room for shares and rotations.
  const rows = m * n;
  const u = rows + n * n;
  const v = u + wanted * m;
  const room = v + (wanted > 0 ? n * n : 0);
  return math.lend(room + m + 4 * n, (memory) => {
    const columns = transposed(a, m, n);
    for (let i = 0; i < columns.length; i++) memory[i] = columns[i] / unit;
    const [d, e] = [new Float64Array(n), new Float64Array(n)];
    const { left, right } = bidiagonalize(math, memory, m, n, d, e, rows, room);
    if (wanted > 0) {
      product(math, memory, 0, left, m, wanted, u, room);
      product(math, memory, rows, right, n, n, v, room, 1);
    }
    if (!diagonalizeBoth(d, e, { math, memory, u, m, v, n, wanted: wanted > 0, turns: room })) return null;
    for (let i = 0; i < n; i++) {
      // Signs go to V. An exact zero has none.
      if (d[i] >= 0 && !Object.is(d[i], -0)) continue;
      d[i] = -d[i];
      if (wanted > 0) for (let j = v + i * n; j < v + (i + 1) * n; j++) memory[j] = -memory[j];
    }
    const order = positions(n).sort((i, j) => d[j] - d[i]);
    return {
      u: sortedColumns(memory.subarray(u, v), m, order),
      values: Float64Array.from(order, (i) => d[i] * unit),
      vh:
        wanted > 0
          ? transposed(sortedColumns(memory.subarray(v, room), n, order), n, n)
          : new Float64Array(0),
    };
  });
}

interface Bidiagonal {
  readonly left: Float64Array;
  readonly right: Float64Array;
}

/**
 * Upper bidiagonal by reflections from both sides (5.4.8): d on the diagonal, e above it. A is held by columns, m ≥ n. The
 * vectors of the reflections from the left stay in the columns, those from the right go to `rows`; there is room for
 * m + n numbers at `w`.
 */
function bidiagonalize(
  math: RowMath,
  a: Float64Array,
  m: number,
  n: number,
  d: Float64Array,
  e: Float64Array,
  rows: number,
  w: number,
): Bidiagonal {
  const left = new Float64Array(n);
  const right = new Float64Array(Math.max(0, n - 2));
  const shares = w + m;
  for (let k = 0; k < n; k++) {
    const at = k * m + k;
    left[k] = reflector(a, at, m - k);
    d[k] = a[at];
    reflect(math, a, at, left[k], m - k, at + m, m, n - k - 1, shares);
    if (k === n - 1) break;
    for (let j = k + 1; j < n; j++) a[rows + k * n + j] = a[j * m + k];
    const v = rows + k * n + k + 1;
    const count = n - k - 1;
    const tau = k < n - 2 ? reflector(a, v, count) : 0;
    e[k] = a[v];
    if (k < n - 2) right[k] = tau;
    if (tau === 0) continue;
    a[v] = 1;
    // A·H: the columns' sum by v, here less than nothing, and its share taken out of each.
    const rest = at + m + 1;
    a.fill(0, w, w + m);
    math.takeSum(a, rest, m, v, 1, w, m - k - 1, count);
    for (let j = 0; j < count; j++) a[shares + j] = -tau * a[v + j];
    math.takeEach(a, rest, m, shares, 1, w, m - k - 1, count);
  }
  return { left, right };
}

/** U [?, m] and V [n, n] as rows, unless they are not wanted, and room for the rotations of both. */
interface Sides {
  readonly math: RowMath;
  readonly memory: Float64Array;
  readonly u: number;
  readonly m: number;
  readonly v: number;
  readonly n: number;
  readonly wanted: boolean;
  readonly turns: number;
}

/** Golub and Kahan's step (8.6.1, 8.6.2) until all of e is negligible; where an element of d is, e is chased out first. */
function diagonalizeBoth(d: Float64Array, e: Float64Array, sides: Sides): boolean {
  const { n } = sides;
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
    if (zero >= 0) chase(d, e, p, q, zero, sides);
    else step(d, e, p, q, sides);
  }
  return true;
}

/** d[zero] is nothing: rotations take e out of its row, or out of the last column. */
function chase(
  d: Float64Array,
  e: Float64Array,
  p: number,
  q: number,
  zero: number,
  { memory, u, m, v, n, wanted }: Sides,
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
      if (wanted) turnRows(memory, m, u + k * m, u + zero * m, c, s);
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
    if (wanted) turnRows(memory, n, v + k * n, v + q * n, c, s);
  }
}

/** One step on the block from p to q, with the shift of Golub and Reinsch (1970), scaled. */
function step(d: Float64Array, e: Float64Array, p: number, q: number, sides: Sides): void {
  const { math, memory: t, u, m, v, n, wanted } = sides;
  // c and s of the rotations of V, and behind them of U.
  const [turnsV, turnsU] = [sides.turns, sides.turns + 2 * n];
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
    let c = r === 0 ? 1 : f / r;
    let s = r === 0 ? 0 : g / r;
    if (k > p) e[k - 1] = r;
    f = c * d[k] + s * e[k];
    e[k] = c * e[k] - s * d[k];
    g = s * d[k + 1];
    d[k + 1] *= c;
    const at = 2 * (k - p);
    t[turnsV + at] = c;
    t[turnsV + at + 1] = s;
    r = lengthOf(f, g);
    c = r === 0 ? 1 : f / r;
    s = r === 0 ? 0 : g / r;
    d[k] = r;
    f = c * e[k] + s * d[k + 1];
    d[k + 1] = c * d[k + 1] - s * e[k];
    if (k < q - 1) {
      g = s * e[k + 1];
      e[k + 1] *= c;
    }
    t[turnsU + at] = c;
    t[turnsU + at + 1] = s;
  }
  e[q - 1] = f;
  if (!wanted) return;
  math.rotate(t, v + p * n, n, turnsV, q - p);
  math.rotate(t, u + p * m, m, turnsU, q - p);
}
