/** `torch.linalg`: systems of equations, inverses and determinants, by elimination; Cholesky's factor. */

import { record, recordMany } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { rowMath } from '../backend/registry.ts';
import {
  cholesky as choleskyFactor,
  type Elimination,
  eliminate,
  identity,
  solveEliminated,
  substitute,
  transposed,
} from '../core/elimination.ts';
import { ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { broadcastShapes, numElements, type Shape, sameShape } from '../core/shape.ts';
import { add, mul, neg } from './arithmetic.ts';
import { eq, lt } from './comparison.ts';
import { detached } from './composite.ts';
import { checkDevices } from './convert.ts';
import { prod } from './cumulative.ts';
import { sign as signOf } from './elementwise.ts';
import { given, optionsGiven, tensorGiven } from './given.ts';
import { eye } from './identity.ts';
import { matmul } from './matmul.ts';
import {
  batchShape,
  cannot,
  checkSameDType,
  fromMatrices,
  hostMatrices,
  matricesGiven,
  type Named,
  namedResults,
  squareGiven,
} from './matrices.ts';
import { singularOf } from './spectral.ts';
import { taking } from './taking.ts';
import { tril, triu } from './triangles.ts';
import { expand, squeeze, transpose, unsqueeze } from './views.ts';
import { whereOp } from './where.ts';

/** Matrices mirrored at their diagonals. */
const mirrored = <T extends Variable>(x: T): T => transpose(x, -2, -1);
const orderOf = (x: Variable): number => x.shape[x.ndim - 1];
/** A number for each matrix, as a matrix of one element. */
const asMatrices = <T extends Variable>(x: T): T => unsqueeze(unsqueeze(x, -1), -1);

const eliminated = (x: Variable, op: string): Elimination[] =>
  hostMatrices(x, op).map((a) => eliminate(rowMath(), a, orderOf(x)));

/** Of a number for each elimination: the diagonal of U in its turn, and the sign of the rows' order. */
const diagonalOf = ({ factors }: Elimination, n: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => factors[i * (n + 1)]);

/** The inverses; of a singular matrix infinities, unless it is refused for what `problem` says of its row. */
function inverse<T extends Variable>(a: T, op: string, problem: ((row: number) => string) | null): T {
  const n = orderOf(a);
  const parts = eliminated(a, op).map((lu, i) => {
    if (lu.zero < 0) return solveEliminated(rowMath(), lu, identity(n), n, n);
    if (!problem) return new Float64Array(n * n).fill(Infinity);
    throw cannot(a, i, op, problem(lu.zero + 1));
  });
  return record('LinalgInvExBackward0', fromMatrices(a, a.shape, parts), [a], (node, output) => {
    const saved = node.saveOutput(output);
    return (grad) => {
      const turned = mirrored(saved.get(grad));
      return [neg(matmul(matmul(turned, grad), turned))];
    };
  });
}

/** The inverses of square matrices [..., n, n]. @throws LinAlgError if one is singular */
export const inv = <T extends Variable>(a: T): T =>
  inverse(
    squareGiven(a, 'linalg.inv'),
    'linalg.inv',
    (row) =>
      `The diagonal element ${row} is zero, the inversion could not be completed because the input matrix is singular.`,
  );

/** The inverses of square matrices, all infinite where there is none. */
export const inverseOrInfinity = <T extends Variable>(a: T, op: string): T => inverse(a, op, null);

/** The sizes of the batches of both, broadcast. @throws ShapeError */
const commonBatch = (a: Variable, b: Variable, op: string): Shape =>
  broadcastShapes(batchShape(a), batchShape(b), op, ['A', 'B']);

/** The solutions, in batches of `lead`, from A's factors (which may be one for all) and B. */
function solutions<F>(
  a: Variable,
  b: Variable,
  op: string,
  factored: (x: Variable) => F[],
  solveOne: (factors: F, b: Float64Array, width: number) => Float64Array,
): { shape: number[]; parts: Float64Array[] } {
  const lead = commonBatch(a, b, op);
  const [n, width] = b.shape.slice(-2);
  const single = numElements(batchShape(a)) === 1;
  const factors = factored(single ? a : expand(detached(a), [...lead, n, n]));
  const parts = hostMatrices(expand(detached(b), [...lead, n, width]), op).map((x, i) =>
    solveOne(factors[single ? 0 : i], x, width),
  );
  return { shape: [...lead, n, width], parts };
}

const unsolved = (): string => 'The solver failed because the input matrix is singular.';

/** A⁻¹·B of matrices; where values can only be awaited, by the inverse, so that those of B need not be known. */
function quotient<T extends Variable>(a: T, b: T, op: string): T {
  if (!a.array.backend.synchronous) return matmul(inverse(a, op, unsolved), b);
  const n = orderOf(a);
  const { shape, parts } = solutions(
    a,
    b,
    op,
    (x) => {
      const list = eliminated(x, op);
      const at = list.findIndex(({ zero }) => zero >= 0);
      if (at >= 0) throw cannot(x, at, op, unsolved());
      return list;
    },
    (lu, x, width) => solveEliminated(rowMath(), lu, x, n, width),
  );
  return record('LinalgSolveExBackward0', fromMatrices(a, shape, parts), [a, b], (node, output) => {
    const savedA = node.save(a);
    const savedX = node.needs[0] ? node.saveOutput(output) : null;
    return (grad) => {
      const gradB = quotient(mirrored(savedA.get(grad)), grad, op);
      return [savedX && neg(matmul(gradB, mirrored(savedX.get(grad)))), gradB];
    };
  });
}

/** Sizes of A and B that fit the equation. @throws ShapeError */
function checkEquation(a: Variable, b: Variable, left: boolean, op: string): void {
  if (b.shape[b.ndim - (left ? 2 : 1)] === orderOf(a)) return;
  throw new ShapeError(
    `${op}: Incompatible shapes of A and B for the equation ${left ? 'AX = B' : 'XA = B'} (${a.shape.slice(-2).join('x')} and ` +
      `${b.shape.slice(-2).join('x')})`,
  );
}

/** Whether B, beside A, is one vector, or a vector for each matrix of the batch. */
export const isVectorFor = (a: Variable, b: Variable): boolean =>
  b.ndim === 1 || sameShape(b.shape, a.shape.slice(0, -1));

/**
 * X with A·X = B, or X·A = B without `left`: B is [..., n, k], or a vector for each matrix of A.
 * @throws LinAlgError if a matrix is singular
 */
export function solve<T extends Variable>(a: T, b: T, options?: { left?: boolean }): T {
  const op = 'linalg.solve';
  squareGiven(a, op);
  tensorGiven(b, op, 'B');
  const { left = true } = optionsGiven(options, op, 'left');
  checkDevices([a, b], op, 'A B');
  checkSameDType(a, b, op);
  const vector = isVectorFor(a, b);
  const x = matricesGiven(vector ? unsqueeze(b, -1) : b, op, 'B');
  checkEquation(a, x, left, op);
  if (vector && !left) {
    throw new ShapeError(
      `${op}: Vector broadcasting of the left hand side is not supported for left=False. In this case linalg.solve is equivalent ` +
        'to B / A.squeeze(-1)',
    );
  }
  if (!left) return mirrored(quotient(mirrored(a), mirrored(x), op));
  return vector ? squeeze(quotient(a, x, op), -1) : quotient(a, x, op);
}

interface Triangle {
  readonly upper: boolean;
  /** The diagonal counts as 1. */
  readonly unit: boolean;
}

/** The part of x that solving with such triangles reads. */
const readPart = <T extends Variable>(x: T, { upper, unit }: Triangle): T =>
  upper ? triu(x, unit ? 1 : 0) : tril(x, unit ? -1 : 0);

/** T⁻¹·B, or T⁻¹ without B; where values can only be awaited, always by that. */
function triangular<T extends Variable>(a: T, b: T | null, triangle: Triangle): T {
  const op = 'linalg.solve_triangular';
  if (b !== null && !a.array.backend.synchronous) return matmul(triangular(a, null, triangle), b);
  const n = orderOf(a);
  const solveOne = (t: Float64Array, x: Float64Array, width: number): Float64Array =>
    substitute(rowMath(), t, n, x, width, triangle.upper, triangle.unit);
  const { shape, parts } =
    b === null
      ? { shape: [...a.shape], parts: hostMatrices(a, op).map((t) => solveOne(t, identity(n), n)) }
      : solutions(a, b, op, (x) => hostMatrices(x, op), solveOne);
  const inputs = b === null ? [a] : [a, b];
  const name = 'LinalgSolveTriangularBackward0';
  return record(name, fromMatrices(a, shape, parts), inputs, (node, output) => {
    const savedA = b === null ? null : node.save(a);
    const savedX = node.needs[0] ? node.saveOutput(output) : null;
    return (grad) => {
      const turned = savedX && mirrored(savedX.get(grad));
      const gradB = savedA
        ? triangular(mirrored(savedA.get(grad)), grad, { ...triangle, upper: !triangle.upper })
        : turned && matmul(turned, grad);
      const gradA = turned && gradB && neg(readPart(matmul(gradB, turned), triangle));
      return b === null ? [gradA] : [gradA, gradB];
    };
  });
}

/**
 * X with A·X = B, or X·A = B without `left`, for triangular matrices A [..., n, n]: the other triangle, and with
 * `unitriangular` the diagonal, are not read. A zero on the diagonal gives infinities.
 */
export function solveTriangular<T extends Variable>(
  a: T,
  b: T,
  options: { upper: boolean; left?: boolean; unitriangular?: boolean },
): T {
  const op = 'linalg.solve_triangular';
  squareGiven(a, op);
  matricesGiven(b, op, 'B');
  const { upper, left = true, unitriangular = false } = optionsGiven(options, op, 'upper left unitriangular');
  given(upper, op, 'upper', 'true or false');
  checkDevices([a, b], op, 'A B');
  checkSameDType(a, b, op);
  checkEquation(a, b, left, op);
  const triangle = { upper: upper === true, unit: unitriangular };
  return left ? triangular(a, b, triangle) : triangularRight(a, b, triangle);
}

/** B·T⁻¹. */
const triangularRight = <T extends Variable>(a: T, b: T, { upper, unit }: Triangle): T =>
  mirrored(triangular(mirrored(a), mirrored(b), { upper: !upper, unit }));

/** B·R⁻ᵀ for upper triangular R. */
export const timesInverseTransposed = <T extends Variable>(b: T, r: T): T =>
  mirrored(triangular(r, mirrored(b), { upper: true, unit: false }));

/**
 * The lower triangular L with L·Lᵀ = A of positive-definite matrices [..., n, n], of which the lower triangle is read; with
 * `upper` Lᵀ, from the upper one. @throws LinAlgError
 */
export function cholesky<T extends Variable>(a: T, options?: { upper?: boolean }): T {
  const op = 'linalg.cholesky';
  squareGiven(a, op);
  const { upper = false } = optionsGiven(options, op, 'upper');
  const n = orderOf(a);
  const parts = hostMatrices(a, op).map((x, i) => {
    const lower = upper ? transposed(x, n, n) : x;
    const minor = choleskyFactor(rowMath(), lower, n);
    if (minor > 0) {
      throw cannot(
        a,
        i,
        op,
        'The factorization could not be completed because the input is not positive-definite (the leading minor of order ' +
          `${minor} is not positive-definite).`,
      );
    }
    return upper ? transposed(lower, n, n) : lower;
  });
  return record('LinalgCholeskyExBackward0', fromMatrices(a, a.shape, parts), [a], (node, output) => {
    const saved = node.saveOutput(output);
    return (grad) => {
      const [l, gradL] = upper ? [mirrored(saved.get(grad)), mirrored(grad)] : [saved.get(grad), grad];
      const part = matmul(mirrored(l), gradL);
      const half = mul<T>(add<T>(tril(part), tril(part, -1)), 0.5);
      const lower = { upper: false, unit: false };
      const wide = triangularRight(l, triangular(mirrored(l), half, { ...lower, upper: true }), lower);
      return [mul<T>(add<T>(wide, mirrored(wide)), 0.5)];
    };
  });
}

/**
 * The determinants of square matrices [..., n, n]. The gradient is exact for singular matrices too; the second one is there if
 * no two singular values are equal.
 */
export function det<T extends Variable>(a: T): T {
  const op = 'linalg.det';
  squareGiven(a, op);
  const lus = eliminated(a, op);
  const n = orderOf(a);
  const values = lus.map((lu) => lu.sign * diagonalOf(lu, n).reduce((x, y) => x * y, 1));
  const out = fromMatrices(a, batchShape(a), [Float64Array.from(values)]);
  return record('LinalgDetBackward0', out, [a], (node, output) => {
    const savedA = node.save(a);
    const savedDet = node.saveOutput(output);
    const singular = lus.map(({ zero }) => Number(zero >= 0));
    const regular = (x: T, d: T): T => mul<T>(asMatrices(d), mirrored(inverse(x, op, null)));
    return (grad) => {
      const [x, d] = [savedA.get(grad), savedDet.get(grad)];
      if (!singular.includes(1)) return [regular(x, mul<T>(grad, d))];
      if (!singular.includes(0)) return [mul<T>(asMatrices(grad), cofactors(x))];
      // Some of each: each way goes with other matrices in the places that are not its own.
      const mask = eq<T>(
        x.derive(fromMatrices(x, [...batchShape(x), 1, 1], [Float64Array.from(singular)])),
        1,
      );
      const one = whereOp<T>(mask, eye(x, n), x);
      return [whereOp<T>(mask, mul<T>(asMatrices(grad), cofactors(x)), regular(one, mul<T>(grad, d)))];
    };
  });
}

/** The cofactors, by singular values: those of U·S·Vᵀ are det(U)·det(V)·U·S'·Vᵀ, where S' holds the products of the others. */
function cofactors<T extends Variable>(x: T): T {
  const n = orderOf(x);
  const [u, s, vh] = singularOf(x, 'linalg.det', 'reduced');
  const one = eye(x, n);
  const others = prod(add<T>(mul<T>(unsqueeze(s, -2), add<T>(neg(one), 1)), one), -1);
  const turn = signOf(mul<T>(det(detached(u)), det(detached(vh))));
  return matmul(mul<T>(u, unsqueeze(mul<T>(others, unsqueeze(turn, -1)), -2)), vh);
}

/** The signs of the determinants of square matrices [..., n, n], and the logarithms of their magnitudes. */
export function slogdet<T extends Variable>(a: T): Named<T, ['sign', 'logabsdet']> {
  const op = 'linalg.slogdet';
  squareGiven(a, op);
  const n = orderOf(a);
  const lus = eliminated(a, op);
  const signs = lus.map((lu) => diagonalOf(lu, n).reduce((x, y) => (y > 0 ? x : y < 0 ? -x : 0), lu.sign));
  const logs = lus.map((lu) => diagonalOf(lu, n).reduce((x, y) => x + Math.log(Math.abs(y)), 0));
  const arrays = [signs, logs].map((list) => fromMatrices(a, batchShape(a), [Float64Array.from(list)]));
  const results = recordMany('LinalgSlogdetBackward0', arrays, [a], (node) => {
    const saved = node.save(a);
    return ([, grad]) => [grad && mul<T>(asMatrices(grad), mirrored(inverseOrInfinity(saved.get(grad), op)))];
  });
  return namedResults('linalg_slogdet', ['sign', 'logabsdet'], results);
}

/**
 * The logarithms of the determinants of square matrices [..., n, n]: NaN where one is negative. Gradients as those of
 * `linalg.slogdet`. @throws ShapeError, DTypeError
 */
export function logdet<T extends Variable>(a: T): T {
  const { sign, logabsdet } = slogdet(squareGiven(a, 'logdet'));
  return whereOp<T>(lt<T>(sign, 0), NaN, logabsdet);
}

/**
 * X with A·X = B for matrices B [..., n, k] and A = L·Lᵀ, or Uᵀ·U with `upper`: of the factor [..., n, n] that triangle is read,
 * and has a gradient. @throws ShapeError, DTypeError
 */
export const choleskySolve = /* @__PURE__ */ taking(
  'cholesky_solve',
  'L upper?',
  <T extends Variable>(b: T, factor: T, upper = false): T =>
    inOp('cholesky_solve', () => {
      const l = upper ? mirrored(squareGiven(factor, 'cholesky_solve')) : factor;
      const half = solveTriangular<T>(l, b, { upper: false });
      return solveTriangular<T>(mirrored(l), half, { upper: true });
    }),
);
