/** The methods with several forms of arguments, as functions: `torch.sum(x, 1, true)` is `x.sum(1, true)`. */
import type { DTypeLike } from './core/dtype.ts';
import type { Dims, ValuesAndIndices } from './ops/reduce.ts';
import type { DimOrOptions, ReduceOptions } from './tensor/arguments.ts';
import type { Tensor } from './tensor.ts';

/** Sum over `dim` (default all dimensions). */
export const sum = (x: Tensor, dim?: DimOrOptions, keepdim?: boolean, options?: ReduceOptions): Tensor => x.sum(dim, keepdim, options);
/** Mean over `dim` (default all dimensions). */
export const mean = (x: Tensor, dim?: DimOrOptions, keepdim?: boolean, options?: ReduceOptions): Tensor => x.mean(dim, keepdim, options);
/** Largest elements over `dim`; ties share the gradient. */
export const amax = (x: Tensor, dim?: DimOrOptions, keepdim?: boolean): Tensor => x.amax(dim, keepdim);
/** Smallest elements over `dim`; ties share the gradient. */
export const amin = (x: Tensor, dim?: DimOrOptions, keepdim?: boolean): Tensor => x.amin(dim, keepdim);
/** int64 position of the largest element along `dim`, or in the flattened tensor. */
export const argmax = (x: Tensor, dim?: DimOrOptions, keepdim?: boolean): Tensor => x.argmax(dim, keepdim);
/** int64 position of the smallest element along `dim`, or in the flattened tensor. */
export const argmin = (x: Tensor, dim?: DimOrOptions, keepdim?: boolean): Tensor => x.argmin(dim, keepdim);
/** True where any element over `dim` is not zero. */
export const any = (x: Tensor, dim?: DimOrOptions, keepdim?: boolean): Tensor => x.any(dim, keepdim);
/** True where all elements over `dim` are not zero. */
export const all = (x: Tensor, dim?: DimOrOptions, keepdim?: boolean): Tensor => x.all(dim, keepdim);
/** How many elements over `dim` are not zero. */
export const countNonzero = (x: Tensor, dim: Dims = null): Tensor => x.countNonzero(dim);
/** eˣ / Σ eˣ along `dim`. */
export const softmax = (x: Tensor, dim: number, options?: { dtype?: DTypeLike }): Tensor => x.softmax(dim, options);
/** The logarithm of softmax along `dim`. */
export const logSoftmax = (x: Tensor, dim: number, options?: { dtype?: DTypeLike }): Tensor => x.logSoftmax(dim, options);

type Along = number | { dim: number; keepdim?: boolean };

/** The largest element; along a dimension, values and indices; with a tensor, the elementwise maximum. */
export function max(x: Tensor): Tensor;
export function max(x: Tensor, dim: Along, keepdim?: boolean): ValuesAndIndices<Tensor>;
export function max(x: Tensor, other: Tensor): Tensor;
export function max(x: Tensor, second?: Along | Tensor, keepdim?: boolean): Tensor | ValuesAndIndices<Tensor> {
  if (second === undefined) return x.max();
  return 'array' in Object(second) ? x.max(second as Tensor) : x.max(second as Along, keepdim);
}

/** The smallest element; along a dimension, values and indices; with a tensor, the elementwise minimum. */
export function min(x: Tensor): Tensor;
export function min(x: Tensor, dim: Along, keepdim?: boolean): ValuesAndIndices<Tensor>;
export function min(x: Tensor, other: Tensor): Tensor;
export function min(x: Tensor, second?: Along | Tensor, keepdim?: boolean): Tensor | ValuesAndIndices<Tensor> {
  if (second === undefined) return x.min();
  return 'array' in Object(second) ? x.min(second as Tensor) : x.min(second as Along, keepdim);
}

/** a where condition holds, else b; with the condition alone, the coordinates where it holds. */
export { whereOp as where } from './ops/where.ts';
