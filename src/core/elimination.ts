/**
 * Square systems in double precision: Gaussian elimination and Cholesky's factor. Matrices are row-major, and all inner loops
 * go along rows. Sections are those of Golub and Van Loan, Matrix Computations, 4th edition.
 */
import type { RowMath } from './rowMath.ts';

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

/** Elimination with partial pivoting (3.4.1). */
export function eliminate(math: RowMath, a: Float64Array, n: number): Elimination {
  return math.lend(n * n, (m) => {
    m.set(a);
    return eliminateIn(math, m, n);
  });
}

/** What lies at `from`: engines take a microsecond for a `slice` of shared memory. */
function copied(m: Float64Array, from: number, length: number): Float64Array {
  const out = new Float64Array(length);
  for (let i = 0; i < length; i++) out[i] = m[from + i];
  return out;
}

function eliminateIn(math: RowMath, m: Float64Array, n: number): Elimination {
  const rows = Int32Array.from({ length: n }, (_, i) => i);
  let sign = 1;
  let zero = -1;
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(m[i * n + k]) > Math.abs(m[best * n + k])) best = i;
    if (best !== k) {
      for (let j = 0; j < n; j++) {
        const kept = m[k * n + j];
        m[k * n + j] = m[best * n + j];
        m[best * n + j] = kept;
      }
      const row = rows[k];
      rows[k] = rows[best];
      rows[best] = row;
      sign = -sign;
    }
    const pivot = m[k * n + k];
    if (pivot === 0) {
      if (zero < 0) zero = k;
      continue;
    }
    const below = (k + 1) * n + k;
    for (let i = below; i < n * n; i += n) m[i] /= pivot;
    math.takeEach(m, below + 1, n, below, n, k * n + k + 1, n - k - 1, n - k - 1);
  }
  return { factors: copied(m, 0, n * n), rows, sign, zero };
}

/** X with A·X = B for an eliminated A; B is [n, width]. */
export function solveEliminated(
  math: RowMath,
  { factors, rows }: Elimination,
  b: Float64Array,
  n: number,
  width: number,
): Float64Array {
  return math.lend(n * n + b.length, (m) => {
    m.set(factors);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < width; j++) m[n * n + i * width + j] = b[rows[i] * width + j];
    substituteIn(math, m, n, width, false, true);
    substituteIn(math, m, n, width, true, false);
    return copied(m, n * n, b.length);
  });
}

/** X with T·X = B for a triangle T of a matrix (3.1): the other triangle, and with `unit` the diagonal, are not read. */
export function substitute(
  math: RowMath,
  t: Float64Array,
  n: number,
  b: Float64Array,
  width: number,
  upper: boolean,
  unit: boolean,
): Float64Array {
  return math.lend(n * n + b.length, (m) => {
    m.set(t);
    m.set(b, n * n);
    substituteIn(math, m, n, width, upper, unit);
    return copied(m, n * n, b.length);
  });
}

/** B lies behind T. */
function substituteIn(
  math: RowMath,
  m: Float64Array,
  n: number,
  width: number,
  upper: boolean,
  unit: boolean,
): void {
  for (let step = 0; step < n; step++) {
    const i = upper ? n - 1 - step : step;
    const row = n * n + i * width;
    const from = upper ? i + 1 : 0;
    math.takeSum(m, n * n + from * width, width, i * n + from, 1, row, width, step);
    if (!unit) for (let j = row; j < row + width; j++) m[j] /= m[i * n + i];
  }
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
 * The lower triangular L with L·Lᵀ = A, in place of `a`, of which the lower triangle is read (4.2.3, by columns). Gives 0, or
 * the order of the first leading minor that is not positive.
 */
export function cholesky(math: RowMath, a: Float64Array, n: number): number {
  return math.lend(n * n + n, (m) => {
    m.set(a);
    const sums = n * n;
    for (let j = 0; j < n; j++) {
      math.dots(m, j * n, n, j * n, sums, j, n - j);
      const square = m[j * n + j] - m[sums];
      // NaN is not positive either.
      if (!(square > 0)) return j + 1;
      const root = Math.sqrt(square);
      m[j * n + j] = root;
      for (let i = j + 1; i < n; i++) m[i * n + j] = (m[i * n + j] - m[sums + i - j]) / root;
      m.fill(0, j * n + j + 1, (j + 1) * n);
    }
    a.set(m.subarray(0, sums));
    return 0;
  });
}
