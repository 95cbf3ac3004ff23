/** Methods that reduce dimensions. `dim` and `keepdim` may be given by position or in one options object. */

import { type DType, type DTypeLike, resolveDType } from '../core/dtype.ts';
import { maximum, minimum } from '../ops/arithmetic.ts';
import { inOrder } from '../ops/options.ts';
import {
  all,
  amax,
  amin,
  any,
  argExtreme,
  countNonzero,
  extremeDim,
  maxAll,
  mean,
  minAll,
  sum,
  type ValuesAndIndices,
} from '../ops/reduce.ts';
import { logSoftmax, softmax } from '../ops/softmax.ts';
import { AliasMethods } from './aliases.ts';
import {
  type DimOrOptions,
  type KeepdimOrOptions,
  oneDim,
  type ReduceOptions,
  reduction,
  WITH_DTYPE,
} from './arguments.ts';

/** `(dim, dtype)`, either by name. */
export type SoftmaxArguments =
  | [options: { dim: number; dtype?: DTypeLike }]
  | [dim: number, dtype?: DTypeLike | { dtype?: DTypeLike }];

function dimAndDType(op: string, args: SoftmaxArguments): [dim: number, dtype: DType | undefined] {
  const [dim = Number.NaN, dtype] = inOrder<[number, DTypeLike]>(op, 'dim dtype', args);
  return [dim, dtype === undefined ? undefined : resolveDType(dtype, op)];
}

export abstract class ReductionMethods extends AliasMethods {
  /** Sum over `dim` (default all dimensions). Integers and bools give int64. */
  sum(dim?: DimOrOptions, keepdim?: KeepdimOrOptions, options?: ReduceOptions): this {
    const r = reduction('sum', [dim, keepdim, options], WITH_DTYPE);
    return sum(this, r.dims, r.keepdim, r.dtype);
  }
  /** Mean over `dim` (default all). @throws DTypeError for integers unless a dtype is given */
  mean(dim?: DimOrOptions, keepdim?: KeepdimOrOptions, options?: ReduceOptions): this {
    const r = reduction('mean', [dim, keepdim, options], WITH_DTYPE);
    return mean(this, r.dims, r.keepdim, r.dtype);
  }
  /** Largest elements over `dim` (default all); ties share the gradient. */
  amax(dim?: DimOrOptions, keepdim?: KeepdimOrOptions): this {
    const r = reduction('amax', [dim, keepdim]);
    return amax(this, r.dims, r.keepdim);
  }
  /** Smallest elements over `dim` (default all); ties share the gradient. */
  amin(dim?: DimOrOptions, keepdim?: KeepdimOrOptions): this {
    const r = reduction('amin', [dim, keepdim]);
    return amin(this, r.dims, r.keepdim);
  }
  /** The largest element; along a dimension, values and indices; with a tensor, the elementwise maximum. */
  max(): this;
  max(
    dim: number | { dim: number; keepdim?: boolean },
    keepdim?: boolean | { keepdim?: boolean },
  ): ValuesAndIndices<this>;
  max(other: this): this;
  max(
    first?: number | { dim: number; keepdim?: boolean } | this,
    keepdim?: boolean | { keepdim?: boolean },
  ): this | ValuesAndIndices<this> {
    return this.#extreme('max', first, keepdim);
  }
  /** The smallest element; along a dimension, values and indices; with a tensor, the elementwise minimum. */
  min(): this;
  min(
    dim: number | { dim: number; keepdim?: boolean },
    keepdim?: boolean | { keepdim?: boolean },
  ): ValuesAndIndices<this>;
  min(other: this): this;
  min(
    first?: number | { dim: number; keepdim?: boolean } | this,
    keepdim?: boolean | { keepdim?: boolean },
  ): this | ValuesAndIndices<this> {
    return this.#extreme('min', first, keepdim);
  }
  #extreme(
    kind: 'max' | 'min',
    first: number | { dim: number; keepdim?: boolean } | this | undefined,
    keepdim?: boolean | { keepdim?: boolean },
  ) {
    if (first === undefined) return kind === 'max' ? maxAll(this) : minAll(this);
    if (first instanceof ReductionMethods)
      return (kind === 'max' ? maximum : minimum)<this>(this, first as this);
    const [dim = Number.NaN, keep] = inOrder<[number, boolean]>(kind, 'dim keepdim', [first, keepdim]);
    return extremeDim(kind, this, dim, keep);
  }
  /** int64 position of the largest element along `dim`, or in the flattened tensor. */
  argmax(dim?: DimOrOptions, keepdim?: KeepdimOrOptions): this {
    const r = oneDim('argmax', [dim, keepdim]);
    return argExtreme('max', this, r.dim, r.keepdim);
  }
  /** int64 position of the smallest element along `dim`, or in the flattened tensor. */
  argmin(dim?: DimOrOptions, keepdim?: KeepdimOrOptions): this {
    const r = oneDim('argmin', [dim, keepdim]);
    return argExtreme('min', this, r.dim, r.keepdim);
  }
  /** True where any element over `dim` is not zero. */
  any(dim?: DimOrOptions, keepdim?: KeepdimOrOptions): this {
    const r = reduction('any', [dim, keepdim]);
    return any(this, r.dims, r.keepdim);
  }
  /** True where all elements over `dim` are not zero. */
  all(dim?: DimOrOptions, keepdim?: KeepdimOrOptions): this {
    const r = reduction('all', [dim, keepdim]);
    return all(this, r.dims, r.keepdim);
  }
  /** How many elements over `dim` are not zero; int64. */
  countNonzero(dim?: DimOrOptions): this {
    return countNonzero(this, reduction('count_nonzero', [dim], 'dim').dims);
  }
  /** eˣ / Σ eˣ along `dim`. */
  softmax(...args: SoftmaxArguments): this {
    return softmax(this, ...dimAndDType('softmax', args));
  }
  /** The logarithm of softmax along `dim`. */
  logSoftmax(...args: SoftmaxArguments): this {
    return logSoftmax(this, ...dimAndDType('log_softmax', args));
  }
}
