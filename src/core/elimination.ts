/**
 * Square systems in double precision: Gaussian elimination and Cholesky's factor. Matrices are row-major, and all inner loops
 * go along rows. Sections are those of Golub and Van Loan, Matrix Computations, 4th edition.
 */

/** P·A = L·U. */
export interface Elimination {
  /** U in the upper triangle, L below it; its diagonal is 1. */
  readonly factors: Float64Array;
  /** The row of A that became row i. */
  readonly rows: Int32Array;
  /** The determinant of P. */
  readonly sign: number;
  /** The first zero on the diagonal of U; −1 if there is none. */
  readonly zero: number;
}

/** Elimination with partial pivoting (3.4.1), in place of `a`. */
export function eliminate(a: Float64Array, n: number): Elimination {
  const rows = Int32Array.from({ length: n }, (_, i) => i);
  let sign = 1;
  let zero = -1;
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]) > Math.abs(a[best * n + k])) best = i;
    if (best !== k) {
      for (let j = 0; j < n; j++) {
        const kept = a[k * n + j];
        a[k * n + j] = a[best * n + j];
        a[best * n + j] = kept;
      }
      const row = rows[k];
      rows[k] = rows[best];
      rows[best] = row;
      sign = -sign;
    }
    const pivot = a[k * n + k];
    if (pivot === 0) {
      if (zero < 0) zero = k;
      continue;
    }
    for (let i = k + 1; i < n; i++) {
      const factor = a[i * n + k] / pivot;
      a[i * n + k] = factor;
      subtractRow(a, i * n + k + 1, a, k * n + k + 1, factor, n - k - 1);
    }
  }
  return { factors: a, rows, sign, zero };
}

/** x −= factor · y over a stretch of each. */
function subtractRow(
  x: Float64Array,
  at: number,
  y: Float64Array,
  from: number,
  factor: number,
  count: number,
): void {
  for (let j = 0; j < count; j++) x[at + j] -= factor * y[from + j];
}

/** X with A·X = B for an eliminated A; B is [n, width]. */
export function solveEliminated(
  { factors, rows }: Elimination,
  b: Float64Array,
  n: number,
  width: number,
): Float64Array {
  const x = new Float64Array(b.length);
  for (let i = 0; i < n; i++) x.set(b.subarray(rows[i] * width, (rows[i] + 1) * width), i * width);
  substitute(factors, n, x, width, false, true);
  return substitute(factors, n, x, width, true, false);
}

/**
 * X with T·X = B for a triangle T of a matrix, in place of B (3.1): the other triangle, and with `unit` the diagonal, are
 * not read.
 */
export function substitute(
  t: Float64Array,
  n: number,
  b: Float64Array,
  width: number,
  upper: boolean,
  unit: boolean,
): Float64Array {
  for (let step = 0; step < n; step++) {
    const i = upper ? n - 1 - step : step;
    const row = i * width;
    const [from, to] = upper ? [i + 1, n] : [0, i];
    for (let j = from; j < to; j++) subtractRow(b, row, b, j * width, t[i * n + j], width);
    if (!unit) for (let j = 0; j < width; j++) b[row + j] /= t[i * n + i];
  }
  return b;
}

export function identity(n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) out[i * (n + 1)] = 1;
  return out;
}

/** Rows as columns. */
export function transposed(a: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(a.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = a[i * columns + j];
  return out;
}

/**
 * The lower triangular L with L·Lᵀ = A, in place of `a`, of which the lower triangle is read (4.2.5, by rows). Gives 0, or
 * the order of the first leading minor that is not positive.
 */
export function cholesky(a: Float64Array, n: number): number {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = a[i * n + j];
      for (let k = 0; k < j; k++) rest -= a[i * n + k] * a[j * n + k];
      // NaN is not positive either.
      if (i === j && !(rest > 0)) return i + 1;
      a[i * n + j] = i === j ? Math.sqrt(rest) : rest / a[j * n + j];
    }
    a.fill(0, i * n + i + 1, (i + 1) * n);
  }
  return 0;
}
