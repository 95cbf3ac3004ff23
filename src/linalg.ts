/** `torch.linalg`: one object, which bundlers leave out of programs that do not name it. */

import { LinAlgError } from './core/errors.ts';
import { inOp } from './core/inOp.ts';
import { optionsGiven, tensorGiven, tensorsGiven } from './ops/given.ts';
import { cond, lstsq, matrixRank, pinv } from './ops/leastSquares.ts';
import { linalgNorm, matrixNorm as matrixNormOp } from './ops/linalg.ts';
import { onlyOption } from './ops/options.ts';
import { qr } from './ops/orthogonal.ts';
import { chainMatmul } from './ops/products.ts';
import { cholesky, det, inv, slogdet, solve, solveTriangular } from './ops/solving.ts';
import { eigh, eigvalsh, svd, svdvals } from './ops/spectral.ts';
import { type NormOrder, vectorNorm as vectorNormOp } from './ops/statistics.ts';
import type { DiagonalOptions } from './ops/triangles.ts';
import {
  type DimOrOptions,
  isOptions,
  type KeepdimOrOptions,
  type ReduceOptions,
  reduction,
} from './tensor/arguments.ts';
import type { Tensor } from './tensor.ts';

/** A vector or matrix norm, as `ord` and `dim` decide. */
function norm(
  x: Tensor,
  ord?: NormOrder | (ReduceOptions & { ord?: NormOrder }),
  dim?: DimOrOptions,
  keepdim?: KeepdimOrOptions,
): Tensor {
  const named = isOptions<ReduceOptions & { ord?: NormOrder }>(ord) ? ord : undefined;
  const r = reduction(named ?? dim, keepdim, undefined, 'linalg.norm');
  return linalgNorm<Tensor>(
    x,
    named ? (named.ord ?? null) : ((ord as NormOrder | undefined) ?? null),
    r.dims,
    r.keepdim,
    r.dtype,
  );
}

/** The p-norm of the elements over `dim` (default all, order 2). */
function vectorNorm(
  x: Tensor,
  ord?: number | (ReduceOptions & { ord?: number }),
  dim?: DimOrOptions,
  keepdim?: KeepdimOrOptions,
): Tensor {
  const named = isOptions<ReduceOptions & { ord?: number }>(ord) ? ord : undefined;
  const r = reduction(named ?? dim, keepdim, undefined, 'linalg.vector_norm');
  return vectorNormOp<Tensor>(
    x,
    named ? (named.ord ?? 2) : ((ord as number | undefined) ?? 2),
    r.dims,
    r.keepdim,
    r.dtype,
  );
}

/** The norm of matrices: 'fro' (default), 'nuc', ±1, ±2, ±∞. */
const matrixNorm = (
  x: Tensor,
  ord: NormOrder = 'fro',
  dim: readonly number[] = [-2, -1],
  keepdim = false,
): Tensor => inOp('linalg.matrix_norm', () => matrixNormOp<Tensor>(x, ord, dim, keepdim));

/** A square matrix to a whole power. */
const matrixPower = (x: Tensor, n: number): Tensor => tensorGiven(x, 'matrix_power').matrixPower(n);

/** The matrix product. */
const matmul = (a: Tensor, b: Tensor): Tensor => tensorGiven(a, 'matmul').matmul(b);

/** The vector product along `dim` (default the last). */
const cross = (a: Tensor, b: Tensor, options?: number | { dim?: number }): Tensor =>
  tensorGiven(a, 'cross').cross(b, onlyOption<'dim', number>(options, 'dim', -1));

/** The diagonal of the last two dimensions (or others), as a view. */
const diagonal = (x: Tensor, options?: DiagonalOptions): Tensor =>
  tensorGiven(x, 'diagonal').diagonal({ dim1: -2, dim2: -1, ...optionsGiven(options, 'diagonal') });

/** The product of several matrices in the cheapest order. */
const multiDot = (matrices: readonly Tensor[]): Tensor =>
  inOp('linalg.multi_dot', () => chainMatmul<Tensor>(...tensorsGiven(matrices, 'multi_dot', 'matrices')));

/** `torch.linalg`. */
export const linalg = {
  LinAlgError,
  cholesky,
  cond,
  cross,
  det,
  diagonal,
  eigh,
  eigvalsh,
  inv,
  lstsq,
  matmul,
  matrixNorm,
  matrixPower,
  matrixRank,
  multiDot,
  norm,
  pinv,
  qr,
  slogdet,
  solve,
  solveTriangular,
  svd,
  svdvals,
  vectorNorm,
};
