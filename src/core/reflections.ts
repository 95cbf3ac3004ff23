/**
 * Householder's reflections H = I − τ·v·vᵀ with v₀ = 1, and what is made by them, in double precision (Golub and Van Loan,
 * Matrix Computations, 4th edition, 5.1 and 5.2). Signs are LAPACK's: H·x = β·e₀ with β of the sign that x₀ has not, and H = I
 * where nothing is to be done. Vectors are stretches of arrays, so matrices are held by columns.
 */
import { transposed } from './elimination.ts';
import type { RowMath } from './rowMath.ts';

/** Puts β in the place of the first of n elements, the rest of v in that of the others, and gives τ. */
export function reflector(x: Float64Array, at: number, n: number): number {
  let largest = 0;
  for (let i = 1; i < n; i++) largest = Math.max(largest, Math.abs(x[at + i]));
  if (largest === 0) return 0;
  // All by the largest element, so that squares stay in range.
  const scale = Math.max(largest, Math.abs(x[at]));
  const first = x[at] / scale;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (x[at + i] / scale) ** 2;
  const beta = first >= 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
  for (let i = 1; i < n; i++) x[at + i] = x[at + i] / scale / (first - beta);
  x[at] = beta * scale;
  return (beta - first) / beta;
}

/**
 * x ← H·x for `count` vectors of n elements, `stride` elements apart, where v begins at `from`; its first element is not read.
 * There is room for a number for each of them at `shares`.
 */
export function reflect(
  math: RowMath,
  m: Float64Array,
  from: number,
  tau: number,
  n: number,
  x: number,
  stride: number,
  count: number,
  shares: number,
): void {
  if (tau === 0 || count <= 0) return;
  const first = m[from];
  m[from] = 1;
  math.dots(m, x, stride, from, shares, n, count);
  for (let i = shares; i < shares + count; i++) m[i] *= tau;
  math.takeEach(m, x, stride, shares, 1, from, n, count);
  m[from] = first;
}

/**
 * The first `count` columns of H₀·H₁·…, by columns, at `q`, where zeros are: H_k acts on the rows from k + shift on, and its v
 * lies in column k of what is at `v`, beginning there. There is room for `count` numbers at `shares`.
 */
export function product(
  math: RowMath,
  m: Float64Array,
  v: number,
  taus: Float64Array,
  rows: number,
  count: number,
  q: number,
  shares: number,
  shift = 0,
): void {
  for (let j = 0; j < count; j++) m[q + j * rows + j] = 1;
  // Backwards: the columns before k + shift are not changed by H_k.
  for (let k = taus.length - 1; k >= 0; k--) {
    const start = k + shift;
    const at = q + start * rows + start;
    reflect(math, m, v + k * rows + start, taus[k], rows - start, at, rows, count - start, shares);
  }
}

/** A = Q·R for a row-major A [m, n]: Q has `count` columns (none if it is 0), R as many rows, or min(m, n). */
export function decompose(
  math: RowMath,
  a: Float64Array,
  m: number,
  n: number,
  count: number,
): { q: Float64Array; r: Float64Array } {
  const q = m * n;
  const shares = q + m * count;
  return math.lend(shares + Math.max(n, count), (memory) => {
    memory.set(transposed(a, m, n));
    const taus = new Float64Array(Math.min(m, n));
    for (let k = 0; k < taus.length; k++) {
      const at = k * m + k;
      taus[k] = reflector(memory, at, m - k);
      reflect(math, memory, at, taus[k], m - k, at + m, m, n - k - 1, shares);
    }
    product(math, memory, 0, taus, m, count, q, shares);
    const height = count || taus.length;
    const r = new Float64Array(height * n);
    for (let i = 0; i < height; i++) for (let j = i; j < n; j++) r[i * n + j] = memory[j * m + i];
    return { q: transposed(memory.subarray(q, shares), count, m), r };
  });
}
