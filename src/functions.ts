/** The methods with several forms of arguments, as functions: `torch.sum(x, 1, true)` is `x.sum(1, true)`. */

import { inOp } from './core/inOp.ts';
import { empty } from './creation.ts';
import { named } from './ops/composite.ts';
import type { OperandOf } from './ops/convert.ts';
import type { BincountArguments, HistcArguments } from './ops/counting.ts';
import type { UniqueArguments } from './ops/distinct.ts';
import { blockDiag as blockDiagOp } from './ops/everyday.ts';
import { given, tensorGiven } from './ops/given.ts';
import { inOrder, isPlain } from './ops/options.ts';
import type { SortArguments } from './ops/order.ts';
import { nonzero } from './ops/pick.ts';
import { type RepeatInterleaveOptions, type Rot90Arguments, repeatPositions } from './ops/rearrange.ts';
import type { ValuesAndIndices } from './ops/reduce.ts';
import type { Extremes } from './ops/statistics.ts';
import type { DiagonalArguments } from './ops/triangles.ts';
import { whereOp } from './ops/where.ts';
import type { DimOrOptions, KeepdimOrOptions, ReduceOptions } from './tensor/arguments.ts';
import type { RollArguments } from './tensor/arrange.ts';
import type { SoftmaxArguments } from './tensor/reductions.ts';
import {
  type NormArguments,
  type QuantileArguments,
  type ScanArguments,
  spread,
  type VarArguments,
} from './tensor/statistics.ts';
import { Tensor } from './tensor.ts';

/** Sum over `dim` (default all dimensions). */
export const sum = (
  x: Tensor,
  dim?: DimOrOptions,
  keepdim?: KeepdimOrOptions,
  options?: ReduceOptions,
): Tensor => tensorGiven(x, 'sum').sum(dim, keepdim, options);
/** Mean over `dim` (default all dimensions). */
export const mean = (
  x: Tensor,
  dim?: DimOrOptions,
  keepdim?: KeepdimOrOptions,
  options?: ReduceOptions,
): Tensor => tensorGiven(x, 'mean').mean(dim, keepdim, options);
/** Largest elements over `dim`; ties share the gradient. */
export const amax = (x: Tensor, dim?: DimOrOptions, keepdim?: KeepdimOrOptions): Tensor =>
  tensorGiven(x, 'amax').amax(dim, keepdim);
/** Smallest elements over `dim`; ties share the gradient. */
export const amin = (x: Tensor, dim?: DimOrOptions, keepdim?: KeepdimOrOptions): Tensor =>
  tensorGiven(x, 'amin').amin(dim, keepdim);
/** int64 position of the largest element along `dim`, or in the flattened tensor. */
export const argmax = (x: Tensor, dim?: DimOrOptions, keepdim?: KeepdimOrOptions): Tensor =>
  tensorGiven(x, 'argmax').argmax(dim, keepdim);
/** int64 position of the smallest element along `dim`, or in the flattened tensor. */
export const argmin = (x: Tensor, dim?: DimOrOptions, keepdim?: KeepdimOrOptions): Tensor =>
  tensorGiven(x, 'argmin').argmin(dim, keepdim);
/** True where any element over `dim` is not zero. */
export const any = (x: Tensor, dim?: DimOrOptions, keepdim?: KeepdimOrOptions): Tensor =>
  tensorGiven(x, 'any').any(dim, keepdim);
/** True where all elements over `dim` are not zero. */
export const all = (x: Tensor, dim?: DimOrOptions, keepdim?: KeepdimOrOptions): Tensor =>
  tensorGiven(x, 'all').all(dim, keepdim);
/** How many elements over `dim` are not zero. */
export const countNonzero = (x: Tensor, dim?: DimOrOptions): Tensor =>
  tensorGiven(x, 'count_nonzero').countNonzero(dim);
/** eˣ / Σ eˣ along `dim`. */
export const softmax = (x: Tensor, ...args: SoftmaxArguments): Tensor =>
  tensorGiven(x, 'softmax').softmax(...args);
/** The logarithm of softmax along `dim`. */
export const logSoftmax = (x: Tensor, ...args: SoftmaxArguments): Tensor =>
  tensorGiven(x, 'log_softmax').logSoftmax(...args);

type Along = number | { dim: number; keepdim?: boolean };

/** The largest element; along a dimension, values and indices; with a tensor, the elementwise maximum. */
export function max(x: Tensor): Tensor;
export function max(
  x: Tensor,
  dim: Along,
  keepdim?: boolean | { keepdim?: boolean },
): ValuesAndIndices<Tensor>;
export function max(x: Tensor, other: Tensor): Tensor;
export function max(
  x: Tensor,
  second?: Along | Tensor,
  keepdim?: boolean | { keepdim?: boolean },
): Tensor | ValuesAndIndices<Tensor> {
  tensorGiven(x, 'max');
  if (second === undefined) return x.max();
  return 'array' in Object(second) ? x.max(second as Tensor) : x.max(second as Along, keepdim);
}

/** The smallest element; along a dimension, values and indices; with a tensor, the elementwise minimum. */
export function min(x: Tensor): Tensor;
export function min(
  x: Tensor,
  dim: Along,
  keepdim?: boolean | { keepdim?: boolean },
): ValuesAndIndices<Tensor>;
export function min(x: Tensor, other: Tensor): Tensor;
export function min(
  x: Tensor,
  second?: Along | Tensor,
  keepdim?: boolean | { keepdim?: boolean },
): Tensor | ValuesAndIndices<Tensor> {
  tensorGiven(x, 'min');
  if (second === undefined) return x.min();
  return 'array' in Object(second) ? x.min(second as Tensor) : x.min(second as Along, keepdim);
}

/** a where condition holds, else b; with the condition alone, the coordinates where it holds, a vector for each dimension. */
export function where(condition: Tensor): Tensor[];
export function where(condition: Tensor, a: OperandOf<Tensor>, b: OperandOf<Tensor>): Tensor;
export function where(
  condition: Tensor,
  options: { readonly input: OperandOf<Tensor>; readonly other: OperandOf<Tensor> },
): Tensor;
export function where(condition: Tensor, ...values: readonly unknown[]): Tensor | Tensor[] {
  tensorGiven(condition, 'where', 'condition');
  if (values.length === 0) return nonzero<Tensor>(condition, { asTuple: true });
  const [a, b] = inOrder<[OperandOf<Tensor>, OperandOf<Tensor>]>('where', 'input other', values);
  return whereOp<Tensor>(
    condition,
    given(a, 'where', 'input', 'a Tensor or a number') as Tensor,
    given(b, 'where', 'other', 'a Tensor or a number') as Tensor,
  );
}

/** Variance over `dim` (default all): `(x, dim, unbiased, keepdim)`, `(x, unbiased)` or options. */
const variance = (x: Tensor, ...args: VarArguments): Tensor => tensorGiven(x, 'variance').var(...args);

export { variance as var };
/** Standard deviation over `dim` (default all), with the arguments of `var`. */
export const std = (x: Tensor, ...args: VarArguments): Tensor => tensorGiven(x, 'std').std(...args);
const node = (name: string, [y, mean]: [Tensor, Tensor]): [Tensor, Tensor] => [
  named(name, y),
  named(name, mean),
];
/** Variance and mean together. */
export function varMean(x: Tensor, ...args: VarArguments): [Tensor, Tensor] {
  tensorGiven(x, 'var_mean');
  return inOp('var_mean', () => {
    const { dims, keepdim } = spread('var_mean', ...args);
    return node('VarMeanBackward0', [x.var(...args), x.mean(dims, keepdim)]);
  });
}
/** Standard deviation and mean together. */
export function stdMean(x: Tensor, ...args: VarArguments): [Tensor, Tensor] {
  tensorGiven(x, 'std_mean');
  return inOp('std_mean', () => {
    const { dims, keepdim } = spread('std_mean', ...args);
    return node('StdMeanBackward0', [x.std(...args), x.mean(dims, keepdim)]);
  });
}
/** The p-norm over `dim` (default all). */
export const norm = (x: Tensor, ...args: NormArguments): Tensor => tensorGiven(x, 'norm').norm(...args);
/** log Σ eˣ over `dim`. */
export const logsumexp = (x: Tensor, dim: DimOrOptions, keepdim?: KeepdimOrOptions): Tensor =>
  tensorGiven(x, 'logsumexp').logsumexp(dim, keepdim);
/** Sum over `dim` of what is not NaN. */
export const nansum = (
  x: Tensor,
  dim?: DimOrOptions,
  keepdim?: KeepdimOrOptions,
  options?: ReduceOptions,
): Tensor => tensorGiven(x, 'nansum').nansum(dim, keepdim, options);
/** Mean over `dim` of what is not NaN. */
export const nanmean = (
  x: Tensor,
  dim?: DimOrOptions,
  keepdim?: KeepdimOrOptions,
  options?: ReduceOptions,
): Tensor => tensorGiven(x, 'nanmean').nanmean(dim, keepdim, options);
/** Smallest and largest elements. */
export const aminmax = (x: Tensor, options?: { dim?: number | null; keepdim?: boolean }): Extremes<Tensor> =>
  tensorGiven(x, 'aminmax').aminmax(options);
/** Product over `dim` (default all). */
export const prod = (
  x: Tensor,
  dim?: DimOrOptions,
  keepdim?: KeepdimOrOptions,
  options?: ReduceOptions,
): Tensor => tensorGiven(x, 'prod').prod(dim, keepdim, options);
/** Running sums along `dim`. */
export const cumsum = (x: Tensor, ...args: ScanArguments): Tensor => tensorGiven(x, 'cumsum').cumsum(...args);
/** Running products along `dim`. */
export const cumprod = (x: Tensor, ...args: ScanArguments): Tensor =>
  tensorGiven(x, 'cumprod').cumprod(...args);
/** All elements in one dimension: a view where possible. */
export const ravel = (x: Tensor): Tensor => tensorGiven(x, 'ravel').ravel();
/** log Σ eˣ of the elements so far along `dim`. */
export const logcumsumexp = (x: Tensor, dim: Along): Tensor =>
  tensorGiven(x, 'logcumsumexp').logcumsumexp(dim);
/** Running largest elements along `dim`, with positions. */
export const cummax = (x: Tensor, dim: number | { dim: number }): ValuesAndIndices<Tensor> =>
  tensorGiven(x, 'cummax').cummax(dim);
/** Running smallest elements along `dim`, with positions. */
export const cummin = (x: Tensor, dim: number | { dim: number }): ValuesAndIndices<Tensor> =>
  tensorGiven(x, 'cummin').cummin(dim);

/** The lower median; along a dimension with positions. */
export function median(x: Tensor): Tensor;
export function median(x: Tensor, dim: Along, keepdim?: KeepdimOrOptions): ValuesAndIndices<Tensor>;
export function median(
  x: Tensor,
  dim?: Along,
  keepdim?: KeepdimOrOptions,
): Tensor | ValuesAndIndices<Tensor> {
  tensorGiven(x, 'median');
  return dim === undefined ? x.median() : x.median(dim, keepdim);
}
/** The lower median of what is not NaN; along a dimension with positions. */
export function nanmedian(x: Tensor): Tensor;
export function nanmedian(x: Tensor, dim: Along, keepdim?: KeepdimOrOptions): ValuesAndIndices<Tensor>;
export function nanmedian(
  x: Tensor,
  dim?: Along,
  keepdim?: KeepdimOrOptions,
): Tensor | ValuesAndIndices<Tensor> {
  tensorGiven(x, 'nanmedian');
  return dim === undefined ? x.nanmedian() : x.nanmedian(dim, keepdim);
}
/** Sorted along `dim` (default the last), stably, with positions. */
export const sort = (x: Tensor, ...args: SortArguments): ValuesAndIndices<Tensor> =>
  tensorGiven(x, 'sort').sort(...args);
/** The positions that sort along `dim` (default the last). */
export const argsort = (x: Tensor, ...args: SortArguments): Tensor =>
  tensorGiven(x, 'argsort').argsort(...args);
/** Quantiles of all elements or along `dim`. */
export const quantile = (x: Tensor, ...args: QuantileArguments<Tensor>): Tensor =>
  tensorGiven(x, 'quantile').quantile(...args);
/** Quantiles of what is not NaN among all elements or along `dim`. */
export const nanquantile = (x: Tensor, ...args: QuantileArguments<Tensor>): Tensor =>
  tensorGiven(x, 'nanquantile').nanquantile(...args);
/** The distinct elements, sorted; with options also inverse positions and counts. */
export function unique(x: Tensor): Tensor;
export function unique(x: Tensor, ...args: UniqueArguments): Tensor | Tensor[];
export function unique(x: Tensor, ...args: UniqueArguments): Tensor | Tensor[] {
  return tensorGiven(x, 'unique').unique(...args);
}
/** How often 0, 1, 2, … occur in a vector of non-negative integers. */
export const bincount = (x: Tensor, ...args: BincountArguments<Tensor>): Tensor =>
  tensorGiven(x, 'bincount').bincount(...args);
/** Counts of elements in equal bins. */
export const histc = (x: Tensor, ...args: HistcArguments): Tensor => tensorGiven(x, 'histc').histc(...args);

type SomeDims = number | readonly number[];
/** The order along dims reversed. */
export const flip = (x: Tensor, dims: SomeDims | { dims: SomeDims }): Tensor =>
  typeof dims === 'number'
    ? tensorGiven(x, 'flip').flip(dims)
    : isPlain(dims)
      ? tensorGiven(x, 'flip').flip(dims as { dims: SomeDims })
      : tensorGiven(x, 'flip').flip(dims as readonly number[]);
/** Elements moved along dims, around the ends. */
export const roll = (x: Tensor, ...args: RollArguments): Tensor => tensorGiven(x, 'roll').roll(...args);
/** A plane turned by k · 90°. */
export const rot90 = (x: Tensor, ...args: Rot90Arguments): Tensor => tensorGiven(x, 'rot90').rot90(...args);
/** Each element, or slice along `dim`, repeated; of counts alone, each position as often as they say. */
export function repeatInterleave(repeats: Tensor): Tensor;
export function repeatInterleave(
  x: Tensor,
  repeats: number | Tensor,
  dim?: number | null | RepeatInterleaveOptions,
): Tensor;
export function repeatInterleave(
  x: Tensor,
  ...rest: [repeats?: number | Tensor, dim?: number | null | RepeatInterleaveOptions]
): Tensor {
  tensorGiven(x, 'repeat_interleave');
  return rest.length === 0 ? repeatPositions(x) : x.repeatInterleave(...(rest as [Tensor]));
}
/** x read as if it had a larger shape. */
export const broadcastTo = (x: Tensor, shape: readonly number[]): Tensor =>
  tensorGiven(x, 'broadcast_to').broadcastTo(shape);
/** The diagonal of two dimensions, as a view. */
export const diagonal = (x: Tensor, ...args: DiagonalArguments): Tensor =>
  tensorGiven(x, 'diagonal').diagonal(...args);

/** A copy with memory of its own, in the graph. */
export const clone = (x: Tensor): Tensor => tensorGiven(x, 'clone').clone();
/** The same memory outside the graph. */
export const detach = (x: Tensor): Tensor => tensorGiven(x, 'detach').detach();
/** Number of elements. */
export const numel = (x: Tensor): number => tensorGiven(x, 'numel').numel();
/** True for float32 and float64. */
export const isFloatingPoint = (x: Tensor): boolean => tensorGiven(x, 'is_floating_point').isFloatingPoint();
/** True for what was made in inference mode. */
export const isInference = (x: Tensor): boolean => tensorGiven(x, 'is_inference').isInference();
/** True for a tensor. */
export const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;

/** Matrices (vectors are rows, numbers 1 × 1) along the diagonal of one matrix; of none, [1, 0]. @throws ShapeError */
export const blockDiag = (...matrices: readonly Tensor[]): Tensor =>
  matrices.length === 0 ? empty(1, 0) : blockDiagOp(...matrices);
