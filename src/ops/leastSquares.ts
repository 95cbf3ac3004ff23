/** `torch.linalg`: what singular values answer for any matrix: least squares, pseudoinverses, ranks, conditions. */

import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { transposed } from '../core/elimination.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { broadcastShapes, formatShape, numElements } from '../core/shape.ts';
import type { Singular } from '../core/spectra.ts';
import { zerosOf } from './along.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { isinf } from './comparison.ts';
import { detached } from './composite.ts';
import { checkDevices } from './convert.ts';
import { square } from './elementwise.ts';
import { optionsGiven, tensorGiven } from './given.ts';
import { integerVector } from './indexing.ts';
import { matrixNorm } from './linalg.ts';
import { matmul } from './matmul.ts';
import {
  batchShape,
  checkSameDType,
  fromMatrices,
  hostMatrices,
  matricesGiven,
  type Named,
  namedResults,
  oneOf,
  squareGiven,
} from './matrices.ts';
import { type Flexible, inOrder, option } from './options.ts';
import { sum } from './reduce.ts';
import { inverseOrInfinity, isVectorFor } from './solving.ts';
import { hostEigen, hostSingular, valuesFor } from './spectral.ts';
import type { NormOrder } from './statistics.ts';
import { expand, narrow, reshape, squeeze, transpose, unsqueeze } from './views.ts';
import { whereOp } from './where.ts';

const mirrored = <T extends Variable>(x: T): T => transpose(x, -2, -1);

/** Which singular values count as zero. */
interface Tolerance {
  /** Those up to this. */
  atol?: number | null;
  /** Those up to this part of the largest; by default max(m, n) times the dtype's epsilon, or 0 beside `atol`. */
  rtol?: number | null;
}

/** A limit for the singular values of one matrix. */
function limitOf(a: Variable, largest: number, { atol, rtol }: Tolerance): number {
  const epsilon = a.dtype === 'float64' ? Number.EPSILON : 2 ** -23;
  const part = rtol ?? ((atol ?? 0) > 0 ? 0 : epsilon * Math.max(...a.shape.slice(-2)));
  return Math.max(atol ?? 0, part * largest);
}

/** Of symmetric matrices: values are magnitudes, whose signs are those of the vectors of U. */
function symmetricSingular(a: Variable, op: string): Singular[] {
  const n = a.shape[a.ndim - 1];
  return hostEigen(a, op, false, true).map(({ values, vectors }) => ({
    u: vectors.map((x, i) => (values[i % n] < 0 ? -x : x)),
    values: values.map(Math.abs),
    vh: transposed(vectors, n, n),
  }));
}

const decomposed = (a: Variable, op: string, symmetric: boolean): Singular[] =>
  symmetric ? symmetricSingular(a, op) : hostSingular(a, op, 'reduced');

const largestOf = (values: Float64Array): number => values.reduce((x, y) => Math.max(x, y), 0);

/** V·S⁺·Uᵀ·B of one matrix [m, n]; B is [m, width], or null for the identity, which of tall matrices is far larger. */
function pseudoSolution(
  { u, values, vh }: Singular,
  limit: number,
  m: number,
  n: number,
  b: Float64Array | null,
  width: number,
): Float64Array {
  const k = values.length;
  const x = new Float64Array(n * width);
  const row = new Float64Array(width);
  for (let p = 0; p < k; p++) {
    if (values[p] <= limit) continue;
    row.fill(0);
    for (let i = 0; i < m; i++) {
      const factor = u[i * k + p] / values[p];
      if (b === null) row[i] = factor;
      else for (let j = 0; j < width; j++) row[j] += factor * b[i * width + j];
    }
    for (let i = 0; i < n; i++) {
      const factor = vh[p * n + i];
      for (let j = 0; j < width; j++) x[i * width + j] += factor * row[j];
    }
  }
  return x;
}

/** What of the singular values counts, and of which matrices. */
interface Pseudo extends Tolerance {
  /** The matrices are symmetric: by eigenvalues, of the lower triangles. */
  hermitian?: boolean;
}

const PSEUDO_NAMES = 'atol rtol hermitian';

function pseudoinverses<T extends Variable>(a: T, op: string, { hermitian = false, ...limits }: Pseudo): T {
  const [m, n] = a.shape.slice(-2);
  const parts = decomposed(a, op, hermitian).map((found) => {
    const limit = limitOf(a, largestOf(found.values), limits);
    return pseudoSolution(found, limit, m, n, null, m);
  });
  return record(
    'LinalgPinvBackward0',
    fromMatrices(a, [...batchShape(a), n, m], parts),
    [a],
    (node, output) => {
      const [savedA, savedP] = [node.save(a), node.saveOutput(output)];
      return (grad) => [throughPseudoinverse(grad, savedP.get(grad), savedA.get(grad))];
    },
  );
}

/**
 * The gradient by A from that by its pseudoinverse P, for changes that leave the rank as it is (Golub and Pereyra, 1973), by
 * products of the smaller size.
 */
function throughPseudoinverse<T extends Variable>(grad: T, p: T, a: T): T {
  const [gradT, pT] = [mirrored(grad), mirrored(p)];
  if (a.shape[a.ndim - 2] <= a.shape[a.ndim - 1]) {
    const k = matmul(gradT, p);
    const kp = matmul(k, pT);
    const within = sub<T>(kp, mirrored(matmul(p, k)));
    const beyond = sub<T>(matmul(pT, matmul(p, sub<T>(gradT, matmul(k, a)))), matmul(matmul(a, p), kp));
    return add<T>(within, beyond);
  }
  const k = matmul(p, gradT);
  const pk = matmul(pT, k);
  const within = sub<T>(pk, mirrored(matmul(k, p)));
  const beyond = sub<T>(matmul(matmul(sub<T>(gradT, matmul(a, k)), p), pT), matmul(matmul(pk, p), a));
  return add<T>(within, beyond);
}

/**
 * The pseudoinverses (Moore and Penrose) of matrices [..., m, n]. Singular values up to `atol`, or up to `rtol` (a plain number
 * is that) times the largest, count as zero.
 */
export function pinv<T extends Variable>(a: T, given?: number | (Pseudo & { rcond?: number })): T {
  const op = 'linalg.pinv';
  matricesGiven(a, op);
  if (typeof given === 'number') return pseudoinverses(a, op, { rtol: given });
  const { rcond, ...options } = optionsGiven(given, op, `rcond ${PSEUDO_NAMES}`);
  if (options.hermitian) squareGiven(a, op);
  return pseudoinverses(a, op, rcond === undefined ? options : { ...options, rtol: rcond });
}

const rankOf = (a: Variable, { values }: Singular, limits: Tolerance): number => {
  const limit = limitOf(a, largestOf(values), limits);
  return values.reduce((count, value) => count + Number(value > limit), 0);
};

/** How many singular values are larger than `atol` (a plain number is that), and than `rtol` times the largest; int64. */
export function matrixRank<T extends Variable>(a: T, given?: number | (Pseudo & { tol?: number })): T {
  const op = 'linalg.matrix_rank';
  matricesGiven(a, op);
  const options = typeof given === 'number' ? { tol: given } : optionsGiven(given, op, `tol ${PSEUDO_NAMES}`);
  const { hermitian = false, tol, ...limits }: Pseudo & { tol?: number } = options;
  if (hermitian) squareGiven(a, op);
  const within = tol === undefined ? limits : { ...limits, atol: tol, rtol: 0 };
  const found = hermitian ? symmetricSingular(a, op) : hostSingular(a, op, 'none');
  return reshape(
    integerVector(
      a,
      found.map((each) => rankOf(a, each, within)),
    ),
    batchShape(a),
  );
}

/**
 * How much larger relative errors become by solving: the product of a norm of A and of its inverse, infinite if it has none. By
 * default, and for ±2, the quotient of the largest and the smallest singular value, of any matrix.
 */
export function cond<T extends Variable>(a: T, given?: NormOrder | { p?: NormOrder }): T {
  const op = 'linalg.cond';
  matricesGiven(a, op);
  const p = option<'p', NormOrder>(given ?? undefined, op, 'p', null);
  if (p !== null && ![2, -2, 1, -1, Infinity, -Infinity, 'inf', '-inf', 'fro', 'nuc'].includes(p))
    throw new ArgumentError(`${op} got an invalid norm type: ${p}`);
  const bySingular = p === null || p === 2 || p === -2;
  if (!bySingular) squareGiven(a, op);
  if (a.shape.slice(-2).includes(0)) return zerosOf(a, batchShape(a));
  if (!bySingular && p !== 'nuc') {
    const inverse = matrixNorm(inverseOrInfinity(a, op), p);
    return whereOp<T>(isinf(inverse), inverse, mul<T>(matrixNorm(a, p), inverse));
  }
  const values = valuesFor(a, op);
  if (p === 'nuc') return mul<T>(sum(values, -1), sum(div<T>(1, values), -1));
  const largest = squeeze(narrow(values, -1, 0, 1), -1);
  const least = squeeze(narrow(values, -1, values.shape[values.ndim - 1] - 1, 1), -1);
  return p === -2 ? div<T>(least, largest) : div<T>(largest, least);
}

/** Which of LAPACK's drivers' results: all are computed alike, by singular values. */
export type LstsqDriver = 'gels' | 'gelsy' | 'gelsd' | 'gelss';

/** The X with the least ‖A·X − B‖, of several the least. */
function leastSquares<T extends Variable>(a: T, b: T, op: string, limits: Tolerance, found: Singular[]): T {
  const [m, n] = a.shape.slice(-2);
  const width = b.shape[b.ndim - 1];
  if (!a.array.backend.synchronous) return matmul(pseudoinverses(a, op, limits), b);
  const lead = broadcastShapes(batchShape(a), batchShape(b), op, ['A', 'B']);
  const parts = hostMatrices(expand(detached(b), [...lead, m, width]), op).map((x, i) => {
    const of = found[found.length === 1 ? 0 : i];
    return pseudoSolution(of, limitOf(a, largestOf(of.values), limits), m, n, x, width);
  });
  const array = fromMatrices(a, [...lead, n, width], parts);
  return record('LinalgLstsqBackward0', array, [a, b], (node) => {
    const [savedA, savedB] = [node.save(a), node.save(b)];
    return (grad) => {
      const x = savedA.get(grad);
      const p = pseudoinverses(x, op, limits);
      const gradP = matmul(grad, mirrored(savedB.get(grad)));
      return [node.needs[0] && throughPseudoinverse(gradP, p, x), node.needs[1] && matmul(mirrored(p), grad)];
    };
  });
}

/** @throws ShapeError unless there is a right side of a's height for each matrix */
function checkSides(a: Variable, b: Variable, vector: boolean, op: string): void {
  const came = `but got shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}`;
  if (a.ndim - b.ndim !== Number(vector))
    throw new ShapeError(
      `${op}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1, ${came}`,
    );
  const height = vector ? -1 : -2;
  if (b.shape.at(height) !== a.shape.at(-2))
    throw new ShapeError(`${op}: input.size(-2) should match other.size(${height}), ${came}`);
}

/**
 * X with the least ‖A·X − B‖ for matrices A [..., m, n], and of several such X the least; B is [..., m, k], or a vector for each
 * matrix. Singular values up to `rcond` times the largest count as zero. The driver says what comes with it, as in PyTorch: the
 * rank unless it is 'gels', squared residuals unless it is 'gelsy' (the default), and singular values if it is 'gelsd' or 'gelss'.
 */
export function lstsq<T extends Variable>(
  a: T,
  b: T,
  ...args: Flexible<[rcond: number | null], { rcond?: number | null; driver?: LstsqDriver | null }>
): Named<T, ['solution', 'residuals', 'rank', 'singularValues']> {
  const op = 'linalg.lstsq';
  matricesGiven(a, op);
  tensorGiven(b, op, 'B');
  type Values = [number | null, LstsqDriver | null];
  const [rcond = null, given] = inOrder<Values>(op, 'rcond * driver', args);
  const limits = { rtol: rcond };
  const driver = given ?? 'gelsy';
  oneOf(
    driver,
    ['gels', 'gelsy', 'gelsd', 'gelss'],
    `${op}: parameter 'driver' should be one of (gels, gelsy, gelsd, gelss), but got ${driver}`,
  );
  checkDevices([a, b], op, 'A B');
  checkSameDType(a, b, op);
  const [m, n] = a.shape.slice(-2);
  const vector = isVectorFor(a, b);
  checkSides(a, b, vector, op);
  const x = vector ? unsqueeze(b, -1) : b;
  return inOp(op, () => {
    const lead = broadcastShapes(batchShape(a), batchShape(x), op, ['A', 'B']);
    const single = numElements(batchShape(a)) === 1;
    const found = hostSingular(single ? a : expand(detached(a), [...lead, m, n]), op, 'reduced');
    const ranks = found.map((each) => rankOf(a, each, limits));
    const solution = leastSquares(a, x, op, limits, found);
    const none = zerosOf(a, [0]);
    const exceeds = driver !== 'gelsy' && m > n && ranks.every((rank) => rank === n);
    const shown = driver === 'gelsd' || driver === 'gelss';
    const batch = single ? batchShape(a) : lead;
    return namedResults(
      'linalg_lstsq',
      ['solution', 'residuals', 'rank', 'singularValues'],
      [
        vector ? squeeze(solution, -1) : solution,
        exceeds ? sum(square(sub<T>(matmul(a, solution), x)), -2) : none,
        driver === 'gels' ? integerVector(a, []) : reshape(integerVector(a, ranks), batch),
        shown
          ? a.derive(
              fromMatrices(
                a,
                [...batch, Math.min(m, n)],
                found.map(({ values }) => values),
              ),
            )
          : none,
      ],
    );
  });
}
