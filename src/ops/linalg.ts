/** `torch.linalg`: norms of matrices. */

import type { Variable } from '../autograd/variable.ts';
import { type DType, isFloating, torchTypeName } from '../core/dtype.ts';
import { ArgumentError, DTypeError, ShapeError } from '../core/errors.ts';
import { formatShape, normalizeDims } from '../core/shape.ts';
import { cast } from './convert.ts';
import { abs } from './elementwise.ts';
import { tensorGiven } from './given.ts';
import { amax, amin, type Dims, sum } from './reduce.ts';
import { valuesFor } from './spectral.ts';
import { type NormOrder, vectorNorm } from './statistics.ts';
import { permute, reshape } from './views.ts';

/** Norms of matrices: sums or extremes of their elements ('fro', ±1, ±∞) or of their singular values ('nuc', ±2). @throws ArgumentError */
export function matrixNorm<T extends Variable>(
  x: T,
  order: NormOrder = 'fro',
  dims: readonly number[] = [-2, -1],
  keepdim = false,
  dtype?: DType,
): T {
  tensorGiven(x, 'matrix_norm');
  if (x.ndim < 2 || dims.length !== 2) {
    throw new ShapeError(
      `linalg.matrix_norm: The input tensor A must have at least 2 dimensions. Got ${formatShape(x.shape)} and dim=${formatShape(dims)}`,
    );
  }
  const [rows, columns] = dims.map((d) => normalizeDims([d], x.ndim, 'linalg.matrix_norm')[0]);
  if (order === 'fro' || order === null) return vectorNorm(x, 2, dims, keepdim, dtype);
  const size = Number(order === 'inf' ? Infinity : order === '-inf' ? -Infinity : order);
  if (order === 'nuc' || Math.abs(size) === 2) {
    const values = singularValues(dtype === undefined ? x : cast(x, dtype), rows, columns);
    const count = values.shape[values.ndim - 1];
    const norm =
      order === 'nuc' || count === 0 ? sum(values, -1) : size > 0 ? amax(values, -1) : amin(values, -1);
    const kept = x.shape.map((s, d) => (d === rows || d === columns ? 1 : s));
    return keepdim ? reshape(norm, kept) : norm;
  }
  if (Math.abs(size) !== 1 && Math.abs(size) !== Infinity)
    throw new ArgumentError(`linalg.matrix_norm: Order ${String(order)} not supported.`);
  if (!isFloating(dtype ?? x.dtype))
    throw new DTypeError(
      `linalg.matrix_norm: Expected a floating point or complex tensor as input. Got ${torchTypeName(x.dtype)}`,
    );
  const over = Math.abs(size) === 1 ? [rows, columns] : [columns, rows];
  const sums = sum(abs(x), over[0], true, dtype);
  const best = size > 0 ? amax(sums, over[1], true) : amin(sums, over[1], true);
  return keepdim ? best : sum(best, [rows, columns]);
}

/** The singular values of the matrices that lie in two dimensions; the other ones stay before them. */
function singularValues<T extends Variable>(x: T, rows: number, columns: number): T {
  const others = [...x.shape.keys()].filter((d) => d !== rows && d !== columns);
  return valuesFor(permute(x, [...others, rows, columns]), 'linalg.matrix_norm');
}

/** A vector or matrix norm, as PyTorch decides by `order` and `dims`. @throws ArgumentError, ShapeError */
export function linalgNorm<T extends Variable>(
  x: T,
  order: NormOrder = null,
  dims: Dims = null,
  keepdim = false,
  dtype?: DType,
): T {
  tensorGiven(x, 'linalg_norm');
  const list = typeof dims === 'number' ? [dims] : dims;
  if (order === null) return vectorNorm(x, 2, list, keepdim, dtype);
  const isMatrix = list !== null ? list.length === 2 : x.ndim === 2;
  if (list === null && x.ndim > 2) {
    throw new ShapeError(
      `linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got ${x.ndim}D.`,
    );
  }
  if (isMatrix) return matrixNorm(x, order, list ?? [0, 1], keepdim, dtype);
  if (typeof order === 'string' && order !== 'inf' && order !== '-inf') {
    throw new ArgumentError(
      `linalg.norm: order '${order}' is for matrices, but got a vector of shape ${formatShape(x.shape)}`,
    );
  }
  return vectorNorm(
    x,
    Number(order === 'inf' ? Infinity : order === '-inf' ? -Infinity : order),
    list,
    keepdim,
    dtype,
  );
}
