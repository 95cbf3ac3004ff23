/** e to the power of matrices. */
import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { rowMath } from '../backend/registry.ts';
import { identity } from '../core/elimination.ts';
import type { RowMath } from '../core/rowMath.ts';
import { zerosOf } from './along.ts';
import { cat } from './join.ts';
import { fromMatrices, hostMatrices, squareGiven } from './matrices.ts';
import { narrow, transpose } from './views.ts';

/** The Taylor polynomial's degree; with matrices of a norm up to 1/2 its error is below one of rounding. */
const DEGREE = 16;

/** c −= a·b of n×n matrices at places in one memory. */
function takeProduct(math: RowMath, m: Float64Array, a: number, b: number, c: number, n: number): void {
  for (let row = 0; row < n; row++) math.takeSum(m, b, n, a + row * n, 1, c + row * n, n, n);
}

/** By scaling and squaring: Higham, "Functions of Matrices", 2008, chapter 10. */
function exponential(math: RowMath, a: Float64Array, n: number): Float64Array {
  const size = n * n;
  let norm = 0;
  for (let row = 0; row < n; row++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += Math.abs(a[row * n + j]);
    norm = Math.max(norm, sum);
  }
  if (!Number.isFinite(norm)) return new Float64Array(size).fill(Number.NaN);
  const squarings = Math.max(0, Math.ceil(Math.log2(norm)) + 1);
  return math.lend(3 * size, (m) => {
    const [power, sum, next] = [0, size, 2 * size];
    // The sign undoes that products are subtracted.
    for (let i = 0; i < size; i++) m[power + i] = -a[i] / 2 ** squarings;
    const one = identity(n);
    m.set(one, sum);
    // 1 + x·(1 + x/2·(1 + x/3·(…))).
    for (let k = DEGREE; k > 0; k--) {
      m.fill(0, next, next + size);
      takeProduct(math, m, power, sum, next, n);
      for (let i = 0; i < size; i++) m[sum + i] = one[i] + m[next + i] / k;
    }
    for (let k = 0; k < squarings; k++) {
      m.fill(0, next, next + size);
      takeProduct(math, m, sum, sum, next, n);
      for (let i = 0; i < size; i++) m[sum + i] = -m[next + i];
    }
    return m.slice(sum, sum + size);
  });
}

/**
 * e^A = 1 + A + A²/2! + … of square matrices [..., n, n]. The gradient is a block of the exponential of the matrix
 * [[Aᵀ, G], [0, Aᵀ]]: Najfeld & Havel, "Derivatives of the matrix exponential", 1995.
 * @throws ShapeError, DTypeError
 */
export function matrixExp<T extends Variable>(a: T): T {
  const op = 'linalg.matrix_exp';
  const n = squareGiven(a, op).shape[a.ndim - 1];
  const parts = hostMatrices(a, op).map((x) => exponential(rowMath(), x, n));
  return record('LinalgMatrixExpBackward0', fromMatrices(a, a.shape, parts), [a], (node) => {
    const saved = node.save(a);
    return (grad) => {
      const turned = transpose(saved.get(grad), -2, -1);
      const top = cat([turned, grad], -1);
      const bottom = cat([zerosOf(grad, grad.shape), turned], -1);
      return [narrow(narrow(matrixExp(cat([top, bottom], -2)), -2, 0, n), -1, n, n)];
    };
  });
}
