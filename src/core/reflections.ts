/**
 * Householder's reflections H = I − τ·v·vᵀ with v₀ = 1, and what is made by them, in double precision (Golub and Van Loan,
 * Matrix Computations, 4th edition, 5.1 and 5.2). Signs are LAPACK's: H·x = β·e₀ with β of the sign that x₀ has not, and H = I
 * where nothing is to be done. Vectors are stretches of arrays, so matrices are held by columns.
 */
import { transposed } from './elimination.ts';

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

/** x ← H·x for n elements of x, where v begins at `from`; its first element is not read. */
export function reflect(
  v: Float64Array,
  from: number,
  tau: number,
  n: number,
  x: Float64Array,
  at: number,
): void {
  if (tau === 0) return;
  let share = x[at];
  for (let i = 1; i < n; i++) share += v[from + i] * x[at + i];
  share *= tau;
  x[at] -= share;
  for (let i = 1; i < n; i++) x[at + i] -= share * v[from + i];
}

/**
 * The first `count` columns of H₀·H₁·…, by columns: H_k acts on the rows from k + shift on, and its v lies in column k of
 * `v`, beginning there.
 */
export function product(
  v: Float64Array,
  taus: Float64Array,
  rows: number,
  count: number,
  shift = 0,
): Float64Array {
  const q = new Float64Array(count * rows);
  for (let j = 0; j < count; j++) q[j * rows + j] = 1;
  // Backwards: the columns before k + shift are not changed by H_k.
  for (let k = taus.length - 1; k >= 0; k--) {
    const start = k + shift;
    for (let j = start; j < count; j++)
      reflect(v, k * rows + start, taus[k], rows - start, q, j * rows + start);
  }
  return q;
}

/** A = Q·R for a row-major A [m, n]: Q has `count` columns (none if it is 0), R as many rows, or min(m, n). */
export function decompose(
  a: Float64Array,
  m: number,
  n: number,
  count: number,
): { q: Float64Array; r: Float64Array } {
  const columns = transposed(a, m, n);
  const taus = new Float64Array(Math.min(m, n));
  for (let k = 0; k < taus.length; k++) {
    taus[k] = reflector(columns, k * m + k, m - k);
    for (let j = k + 1; j < n; j++) reflect(columns, k * m + k, taus[k], m - k, columns, j * m + k);
  }
  const height = count || taus.length;
  const r = new Float64Array(height * n);
  for (let i = 0; i < height; i++) for (let j = i; j < n; j++) r[i * n + j] = columns[j * m + i];
  return { q: transposed(product(columns, taus, m, count), count, m), r };
}
