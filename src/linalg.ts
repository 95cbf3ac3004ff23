/** `torch.linalg`: one object, which bundlers leave out of programs that do not name it. */

import { type DTypeLike, resolveDType } from './core/dtype.ts';
import { ArgumentError, DTypeError, LinAlgError, ShapeError } from './core/errors.ts';
import { inOp } from './core/inOp.ts';
import { checkFloating, optionsGiven, tensorGiven, tensorsGiven } from './ops/given.ts';
import { cond, lstsq, matrixRank, pinv } from './ops/leastSquares.ts';
import { linalgNorm, matrixNorm as matrixNormOp } from './ops/linalg.ts';
import { matrixExp } from './ops/matrixExponential.ts';
import { type Flexible, inOrder, option } from './ops/options.ts';
import { qr } from './ops/orthogonal.ts';
import { chainMatmul } from './ops/products.ts';
import type { Dims } from './ops/reduce.ts';
import { cholesky, det, inv, slogdet, solve, solveTriangular } from './ops/solving.ts';
import { eigh, eigvalsh, svd, svdvals } from './ops/spectral.ts';
import { type NormOrder, vectorNorm as vectorNormOp } from './ops/statistics.ts';
import { powersOf } from './ops/structured.ts';
import type { DiagonalOptions } from './ops/triangles.ts';
import type { ReduceOptions } from './tensor/arguments.ts';
import type { Tensor } from './tensor.ts';

interface NormOptions<O> extends ReduceOptions {
  ord?: O;
}
/** `(ord, dim, keepdim)`, any tail of them by name, and the dtype by name. */
type NormArguments<O> = Flexible<
  [ord: O | null | undefined, dim: Dims | undefined, keepdim: boolean],
  NormOptions<O | null>
>;

function normArguments<O>(op: string, args: readonly unknown[]) {
  type Values = [O | null, Dims, boolean, DTypeLike];
  const [ord, dims, keepdim, dtype] = inOrder<Values>(op, 'ord dim keepdim * dtype', args);
  return [ord, dims, keepdim, dtype === undefined ? undefined : resolveDType(dtype, op)] as const;
}

/** A vector or matrix norm, as `ord` and `dim` decide. */
function norm(x: Tensor, ...args: NormArguments<NormOrder>): Tensor {
  const [ord = null, dims = null, keepdim = false, dtype] = normArguments<NormOrder>('linalg.norm', args);
  return linalgNorm<Tensor>(x, ord, dims, keepdim, dtype);
}

/** The p-norm of the elements over `dim` (default all, order 2). */
function vectorNorm(x: Tensor, ...args: NormArguments<number>): Tensor {
  const [ord, dims = null, keepdim = false, dtype] = normArguments<number>('linalg.vector_norm', args);
  return vectorNormOp<Tensor>(x, ord ?? 2, dims, keepdim, dtype);
}

/** The norm of matrices: 'fro' (default), 'nuc', ±1, ±2, ±∞. */
function matrixNorm(
  x: Tensor,
  ...args: Flexible<
    [ord: NormOrder | undefined, dim: readonly number[] | undefined, keepdim: boolean],
    { ord?: NormOrder; dim?: readonly number[]; keepdim?: boolean; dtype?: DTypeLike }
  >
): Tensor {
  const op = 'linalg.matrix_norm';
  const [ord, dims, keepdim = false, dtype] = normArguments<NormOrder>(op, args);
  const input = dtype === undefined ? x : tensorGiven(x, op).to(dtype);
  return inOp(op, () =>
    matrixNormOp<Tensor>(input, ord ?? 'fro', (dims as readonly number[] | undefined) ?? [-2, -1], keepdim),
  );
}

/** A square matrix to a whole power; to a negative one, its inverse. */
const matrixPower = (x: Tensor, n: number): Tensor =>
  n < 0 ? inv(x).matrixPower(-n) : tensorGiven(x, 'matrix_power').matrixPower(n);

/** The matrix product. */
const matmul = (a: Tensor, b: Tensor): Tensor => tensorGiven(a, 'matmul').matmul(b);

/** The vector product along `dim` (default the last). */
const cross = (a: Tensor, b: Tensor, options?: number | { dim?: number }): Tensor =>
  tensorGiven(a, 'cross').cross(b, option<'dim', number>(options, 'linalg.cross', 'dim', -1));

/** The diagonal of the last two dimensions (or others), as a view. */
const diagonal = (x: Tensor, options?: DiagonalOptions): Tensor =>
  tensorGiven(x, 'diagonal').diagonal({
    dim1: -2,
    dim2: -1,
    ...optionsGiven(options, 'linalg.diagonal', 'offset dim1 dim2'),
  });

/** The product of several matrices in the cheapest order. */
const multiDot = (matrices: readonly Tensor[]): Tensor =>
  inOp('linalg.multi_dot', () => chainMatmul<Tensor>(...tensorsGiven(matrices, 'multi_dot', 'matrices')));

/** The powers 1, x, x², … of the elements along a new last dimension: `N` of them, default as many as there are elements. */
const vander = (x: Tensor, options?: number | { N?: number }): Tensor => {
  const op = 'linalg.vander';
  const count = option<'N', number>(options, op, 'N', tensorGiven(x, op).shape[x.ndim - 1]);
  if (x.dtype === 'bool') throw new DTypeError(`${op}: expected a numeric tensor, but got bool`);
  if (x.ndim === 0) throw new ShapeError(`${op}: expected at least one dimension, but got shape []`);
  if (!Number.isInteger(count) || count < 2)
    throw new ArgumentError(`${op}: N must be greater than 1, but got ${String(count)}`);
  return powersOf(x, count);
};

/** The dot products of vectors that lie along `dim` (default the last); other dimensions broadcast. @throws ShapeError, DTypeError */
const vecdot = (x: Tensor, y: Tensor, options?: number | { dim?: number }): Tensor => {
  const op = 'linalg.vecdot';
  const dim = option<'dim', number>(options, op, 'dim', -1);
  for (const each of [tensorGiven(x, op, 'x'), tensorGiven(y, op, 'y')]) checkFloating(each, op);
  if (x.dtype !== y.dtype)
    throw new DTypeError(`${op}: expected x and y to have the same dtype, but got ${x.dtype} and ${y.dtype}`);
  return inOp(op, () => x.mul(y).sum(dim));
};

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
  matrixExp,
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
  vander,
  vecdot,
  vectorNorm,
};
