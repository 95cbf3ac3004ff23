/** `torch.linalg`: eigenvalues of symmetric matrices, and singular values. */

import { needsGraph, recordMany } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { rowMath } from '../backend/registry.ts';
import { inOp } from '../core/inOp.ts';
import { type Eigen, type Singular, singular, symmetricEigen, type Vectors } from '../core/spectra.ts';
import { add, div, mul, neg, sub } from './arithmetic.ts';
import { eye } from './identity.ts';
import { matmul } from './matmul.ts';
import {
  batchShape,
  cannot,
  fromMatrices,
  hostMatrices,
  matricesGiven,
  type Named,
  namedResults,
  oneOf,
  squareGiven,
} from './matrices.ts';
import { option } from './options.ts';
import { diagEmbed } from './triangles.ts';
import { narrow, transpose, unsqueeze } from './views.ts';

const mirrored = <T extends Variable>(x: T): T => transpose(x, -2, -1);
/** A number for each column, or for each row. */
const byColumn = <T extends Variable>(x: T): T => unsqueeze(x, -2);
const byRow = <T extends Variable>(x: T): T => unsqueeze(x, -1);

/** Which triangle of symmetric matrices is read. */
export type Uplo = 'L' | 'U' | 'l' | 'u';

/** The decompositions of symmetric matrices on the host. @throws LinAlgError, DeviceError */
export function hostEigen(a: Variable, op: string, upper: boolean, wantsVectors: boolean): Eigen[] {
  const n = a.shape[a.ndim - 1];
  return hostMatrices(a, op).map((x, i) => {
    const found = symmetricEigen(rowMath(), x, n, upper, wantsVectors);
    if (found !== null) return found;
    throw cannot(
      a,
      i,
      op,
      'The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated eigenvalues.',
    );
  });
}

const isUpper = (uplo: Uplo | { UPLO?: Uplo } | undefined, op: string): boolean => {
  const triangle = option<'UPLO', Uplo>(uplo, op, 'UPLO', 'L');
  oneOf(
    triangle,
    ['L', 'U', 'l', 'u'],
    `${op}: Expected UPLO argument to be 'L' or 'U', but got ${triangle}`,
  );
  return triangle.toUpperCase() === 'U';
};

/**
 * Eigenvalues, ascending, and eigenvectors, in columns, of symmetric matrices [..., n, n], of which the lower triangle is read,
 * or by UPLO = 'U' the upper one. A vector may have either sign, and vectors of equal values any basis. Gradients are those of
 * PyTorch: finite for vectors only where no two values are equal.
 */
export function eigh<T extends Variable>(
  a: T,
  uplo?: Uplo | { UPLO?: Uplo },
): Named<T, ['eigenvalues', 'eigenvectors']> {
  squareGiven(a, 'linalg.eigh');
  const found = hostEigen(a, 'linalg.eigh', isUpper(uplo, 'linalg.eigh'), true);
  const arrays = [
    fromMatrices(
      a,
      a.shape.slice(0, -1),
      found.map(({ values }) => values),
    ),
    fromMatrices(
      a,
      a.shape,
      found.map(({ vectors }) => vectors),
    ),
  ];
  const results = recordMany('LinalgEighBackward0', arrays, [a], (node, outputs) => {
    const savedValues = node.saveOutput(outputs[0]);
    const savedVectors = node.save(outputs[1]);
    return ([gradValues, gradVectors]) => {
      const like = (gradValues ?? gradVectors) as T;
      const v = savedVectors.get(like);
      if (gradVectors === null) return [matmul(mul<T>(v, byColumn(like)), mirrored(v))];
      const part = matmul(mirrored(v), gradVectors);
      // What would turn signs or lengths of vectors is no change of theirs.
      const skew = mul<T>(sub<T>(part, mirrored(part)), 0.5);
      const inner = div<T>(skew, gaps(savedValues.get(like)));
      const whole = gradValues === null ? inner : add<T>(inner, diagEmbed(gradValues));
      return [matmul(matmul(v, whole), mirrored(v))];
    };
  });
  return namedResults('linalg_eigh', ['eigenvalues', 'eigenvectors'], results);
}

/** What lies between two values, those of column and row, or between their squares; 1 on the diagonal. */
function gaps<T extends Variable>(values: T, squared = false): T {
  const differences = sub<T>(byColumn(values), byRow(values));
  const all = squared ? mul<T>(differences, add<T>(byColumn(values), byRow(values))) : differences;
  return add<T>(all, eye(values, values.shape[values.ndim - 1]));
}

/** The eigenvalues of symmetric matrices, as `eigh` gives them. */
export function eigvalsh<T extends Variable>(a: T, uplo?: Uplo | { UPLO?: Uplo }): T {
  const op = 'linalg.eigvalsh';
  squareGiven(a, op);
  if (needsGraph([a])) return inOp(op, () => eigh(a, uplo).eigenvalues);
  const found = hostEigen(a, op, isUpper(uplo, op), false);
  return a.derive(
    fromMatrices(
      a,
      a.shape.slice(0, -1),
      found.map(({ values }) => values),
    ),
  );
}

/** The decompositions of matrices on the host. @throws LinAlgError, DeviceError */
export function hostSingular(a: Variable, op: string, vectors: Vectors): Singular[] {
  const [m, n] = a.shape.slice(-2);
  return hostMatrices(a, op).map((x, i) => {
    const found = singular(rowMath(), x, m, n, vectors);
    if (found !== null) return found;
    const why = x.every(Number.isFinite)
      ? 'is ill-conditioned or has too many repeated singular values.'
      : 'contained non-finite values.';
    throw cannot(a, i, op, `The algorithm failed to converge because the input matrix ${why}`);
  });
}

/** U, S and Vᵀ with U·S·Vᵀ = A, in the graph. */
export function singularOf<T extends Variable>(a: T, op: string, vectors: 'reduced' | 'full'): T[] {
  const [m, n] = a.shape.slice(-2);
  const k = Math.min(m, n);
  const found = hostSingular(a, op, vectors);
  const array = (sizes: readonly number[], name: keyof Singular) =>
    fromMatrices(
      a,
      [...batchShape(a), ...sizes],
      found.map((each) => each[name]),
    );
  const full = vectors === 'full';
  const arrays = [array([m, full ? m : k], 'u'), array([k], 'values'), array([full ? n : k, n], 'vh')];
  return recordMany('LinalgSvdBackward0', arrays, [a], (node, outputs) => {
    const [savedU, savedS, savedVh] = [
      node.saveOutput(outputs[0]),
      node.save(outputs[1]),
      node.save(outputs[2]),
    ];
    // What full matrices have beyond the first k is any basis: its gradient says nothing.
    const first = (x: T, dim: number): T => (full ? narrow(x, dim, 0, k) : x);
    return ([allU, gradS, allVh]) => {
      const like = (allU ?? gradS ?? allVh) as T;
      const [u, s, vh] = [first(savedU.get(like), -1), savedS.get(like), first(savedVh.get(like), -2)];
      if (allU === null && allVh === null) return [matmul(mul<T>(u, byColumn(like)), vh)];
      const [gradU, gradVh] = [allU && first(allU, -1), allVh && first(allVh, -2)];
      const spread = gaps(s, true);
      const skew = (x: T): T => div<T>(sub<T>(x, mirrored(x)), spread);
      const partU = gradU && matmul(mirrored(u), gradU);
      const partV = gradVh && matmul(gradVh, mirrored(vh));
      const terms: T[] = [];
      if (partU) terms.push(mul<T>(skew(partU), byColumn(s)));
      if (partV) terms.push(mul<T>(byRow(s), neg(skew(partV))));
      if (gradS) terms.push(diagEmbed(gradS));
      const inner = terms.reduce((x, y) => add<T>(x, y));
      let left = matmul(u, inner);
      if (gradU && partU && m > k) left = add<T>(left, div<T>(sub<T>(gradU, matmul(u, partU)), byColumn(s)));
      const grad = matmul(left, vh);
      if (gradVh === null || partV === null || n === k) return [grad];
      return [add<T>(grad, matmul(u, div<T>(sub<T>(gradVh, matmul(partV, vh)), byRow(s))))];
    };
  });
}

/**
 * U, S and Vh with U·diag(S)·Vh = A of matrices [..., m, n]; S descends. U is m × m and Vh n × n, or without `fullMatrices` only
 * their first min(m, n) columns and rows. A pair of vectors may have either sign. Gradients are those of PyTorch: finite for U
 * and Vh only where no two values are equal and, unless A is square, none is 0.
 */
export function svd<T extends Variable>(
  a: T,
  fullMatrices?: boolean | { fullMatrices?: boolean },
): Named<T, ['U', 'S', 'Vh']> {
  matricesGiven(a, 'linalg.svd');
  const full = option<'fullMatrices', boolean>(fullMatrices, 'linalg.svd', 'fullMatrices', true);
  return namedResults('linalg_svd', ['U', 'S', 'Vh'], singularOf(a, 'linalg.svd', full ? 'full' : 'reduced'));
}

/** The singular values of matrices [..., m, n], descending. */
export const svdvals = <T extends Variable>(a: T): T => valuesFor(a, 'linalg.svdvals');

/** The same for another op. */
export function valuesFor<T extends Variable>(a: T, op: string): T {
  matricesGiven(a, op);
  if (needsGraph([a])) return singularOf(a, op, 'reduced')[1];
  const values = hostSingular(a, op, 'none').map((each) => each.values);
  return a.derive(fromMatrices(a, [...batchShape(a), Math.min(...a.shape.slice(-2))], values));
}
