/** Methods for statistics, norms, running folds and order. Arguments by position or in one options object. */
import { type DTypeLike, resolveDType } from '../core/dtype.ts';
import { type BincountArguments, bincount, type HistcArguments, histc } from '../ops/counting.ts';
import * as running from '../ops/cumulative.ts';
import { type RunArguments, type UniqueArguments, unique, uniqueConsecutive } from '../ops/distinct.ts';
import * as everyday from '../ops/everyday.ts';
import { given } from '../ops/given.ts';
import type { ValuesAndIndices } from '../ops/namedResult.ts';
import { type ByName as ByNameOf, inOrder, isPlain, option } from '../ops/options.ts';
import * as order from '../ops/order.ts';
import { nanquantile, type QuantileOptions, quantile } from '../ops/quantiles.ts';
import type { Dims } from '../ops/reduce.ts';
import * as statistics from '../ops/statistics.ts';
import {
  type DimOrOptions,
  type KeepdimOrOptions,
  oneDim,
  oneOf,
  type ReduceOptions,
  reduction,
  WITH_DTYPE,
} from './arguments.ts';
import { type ByName, type Flexible, named } from './namedArguments.ts';
import { ReductionMethods } from './reductions.ts';

export interface VarOptions {
  dim?: Dims;
  /** What is subtracted from the count; default 1 (unbiased). */
  correction?: number;
  /** false: correction 0. */
  unbiased?: boolean;
  keepdim?: boolean;
}

/** The forms `(dim, unbiased, keepdim)`, `(unbiased)` and `({ dim, correction, keepdim })`. */
export type VarArguments = [
  dim?: Dims | boolean | VarOptions,
  unbiased?: boolean | VarOptions,
  keepdim?: boolean | VarOptions,
];

/** What `var` and `std` were asked for. */
export function spread(
  op: string,
  ...[first, second, third]: VarArguments
): {
  dims: Dims;
  correction: number;
  keepdim: boolean;
} {
  // One truth value alone is `unbiased`: var(true).
  const args = typeof first === 'boolean' ? [undefined, first, second, third] : [first, second, third];
  const {
    dim = null,
    unbiased = true,
    correction = unbiased ? 1 : 0,
    keepdim = false,
  } = named<VarOptions>(op, 'dim unbiased keepdim * correction', args);
  return { dims: dim, correction, keepdim };
}

export interface NormOptions extends ReduceOptions {
  p?: statistics.NormOrder;
}
/** `(p, dim, keepdim, dtype)`, any tail of them by name. */
export type NormArguments = Flexible<
  [
    p: statistics.NormOrder | undefined,
    dim: Dims | undefined,
    keepdim: boolean | undefined,
    dtype: DTypeLike,
  ],
  NormOptions
>;

interface Quantiles<T> {
  q: number | readonly number[] | T;
}
/** `(q, dim, keepdim)`, any tail of them by name. */
export type QuantileArguments<T> =
  | ByName<Quantiles<T>, ['q'], QuantileOptions>
  | [q: Quantiles<T>['q'], ...Flexible<[dim: number | null | undefined, keepdim: boolean], QuantileOptions>];

function quantileArguments<T>(op: string, args: QuantileArguments<T>) {
  const { q, ...options } = named<QuantileOptions & Quantiles<T>>(op, 'q dim keepdim * interpolation', args);
  return [q, options] as const;
}

export interface ScanOptions {
  dim?: number;
  dtype?: DTypeLike;
}

/** `(dim)`, and the dtype behind it, by name. */
export type ScanArguments = Flexible<[dim: number], ScanOptions>;

const scanArguments = (op: string, args: ScanArguments) => {
  const [dim = Number.NaN, dtype] = inOrder<[number, DTypeLike]>(op, 'dim * dtype', args);
  return { dim, dtype: dtype === undefined ? undefined : resolveDType(dtype, op) };
};

type Along = number | { dim: number };
const dimOf = (op: string, dim: Along): number =>
  option<'dim', number>(dim as ByNameOf<'dim', number>, op, 'dim', Number.NaN);

export abstract class StatisticsMethods extends ReductionMethods {
  /** Variance over `dim` (default all), with N − 1 unless asked otherwise. */
  var(...args: VarArguments): this {
    const { dims, correction, keepdim } = spread('var', ...args);
    return statistics.variance(this, dims, correction, keepdim);
  }
  /** Standard deviation over `dim` (default all), with N − 1 unless asked otherwise. */
  std(...args: VarArguments): this {
    const { dims, correction, keepdim } = spread('std', ...args);
    return statistics.std(this, dims, correction, keepdim);
  }
  /** The p-norm over `dim` (default all). */
  norm(...args: NormArguments): this {
    type Values = [statistics.NormOrder, Dims, boolean, DTypeLike];
    const [p, dims = null, keepdim, dtype] = inOrder<Values>('norm', 'p dim keepdim dtype', args);
    const kind = dtype === undefined ? undefined : resolveDType(dtype, 'norm');
    // By name alone the order is PyTorch's default: a matrix norm over two dimensions.
    return statistics.norm(this, p ?? (isPlain(args[0]) ? 'fro' : undefined), dims, keepdim, kind);
  }
  /** The p-norm of this − other. */
  dist(other: this, p?: ByNameOf<'p', number>): this {
    return statistics.dist<this>(this, other, p);
  }
  /** log Σ eˣ over `dim`. */
  logsumexp(dim: DimOrOptions, keepdim?: KeepdimOrOptions): this {
    given(dim, 'logsumexp', 'dim', 'a dimension or a list of them');
    const r = reduction('logsumexp', [dim, keepdim]);
    return statistics.logsumexp(this, r.dims, r.keepdim);
  }
  /** Sum over `dim` of what is not NaN. */
  nansum(dim?: DimOrOptions, keepdim?: KeepdimOrOptions, options?: ReduceOptions): this {
    const r = reduction('nansum', [dim, keepdim, options], WITH_DTYPE);
    return statistics.nansum(this, r.dims, r.keepdim, r.dtype);
  }
  /** Mean over `dim` of what is not NaN. */
  nanmean(dim?: DimOrOptions, keepdim?: KeepdimOrOptions, options?: ReduceOptions): this {
    const r = reduction('nanmean', [dim, keepdim, options], WITH_DTYPE);
    return statistics.nanmean(this, r.dims, r.keepdim, r.dtype);
  }
  /** Smallest and largest elements. */
  aminmax(options?: { dim?: number | null; keepdim?: boolean }): statistics.Extremes<this> {
    return statistics.aminmax(this, options);
  }
  /** Product over `dim` (default all). Integers and bools give int64. */
  prod(dim?: DimOrOptions, keepdim?: KeepdimOrOptions, options?: ReduceOptions): this {
    const r = reduction('prod', [dim, keepdim, options], WITH_DTYPE);
    return running.prod(this, oneOf(r.dims, 'prod'), r.keepdim, r.dtype);
  }
  /** Running sums along `dim`. */
  cumsum(...args: ScanArguments): this {
    const s = scanArguments('cumsum', args);
    return running.cumsum(this, s.dim, s.dtype);
  }
  /** Running products along `dim`. */
  cumprod(...args: ScanArguments): this {
    const s = scanArguments('cumprod', args);
    return running.cumprod(this, s.dim, s.dtype);
  }
  /** log Σ eˣ of the elements so far along `dim`. */
  logcumsumexp(dim: Along): this {
    return running.logcumsumexp(this, dimOf('logcumsumexp', dim));
  }
  /** Running largest elements along `dim`, with positions. */
  cummax(dim: Along): ValuesAndIndices<this> {
    return running.cummax(this, dimOf('cummax', dim));
  }
  /** Running smallest elements along `dim`, with positions. */
  cummin(dim: Along): ValuesAndIndices<this> {
    return running.cummin(this, dimOf('cummin', dim));
  }
  /** The lower median; along a dimension with positions. */
  median(): this;
  median(
    dim: number | { dim: number; keepdim?: boolean },
    keepdim?: KeepdimOrOptions,
  ): ValuesAndIndices<this>;
  median(
    dim?: number | { dim: number; keepdim?: boolean },
    keepdim?: KeepdimOrOptions,
  ): this | ValuesAndIndices<this> {
    if (dim === undefined) return order.medianAll(this);
    const o = oneDim('median', [dim, keepdim]);
    return order.medianDim(this, o.dim ?? 0, o.keepdim);
  }
  /** The lower median of what is not NaN; along a dimension with positions. */
  nanmedian(): this;
  nanmedian(
    dim: number | { dim: number; keepdim?: boolean },
    keepdim?: KeepdimOrOptions,
  ): ValuesAndIndices<this>;
  nanmedian(
    dim?: number | { dim: number; keepdim?: boolean },
    keepdim?: KeepdimOrOptions,
  ): this | ValuesAndIndices<this> {
    if (dim === undefined) return order.medianAll(this, 'nanmedian');
    const o = oneDim('nanmedian', [dim, keepdim]);
    return order.nanmedianDim(this, o.dim ?? 0, o.keepdim);
  }
  /** The k-th smallest element along `dim` (default the last), with its position. */
  kthvalue(
    ...args: [k: number, ...order.AlongArguments] | [options: order.AlongOptions & { k: number }]
  ): ValuesAndIndices<this> {
    return order.kthvalue<this>(this, ...(args as [number]));
  }
  /** Sorted along `dim` (default the last), with positions. */
  sort(...args: order.SortArguments): ValuesAndIndices<this> {
    return order.sort(this, ...args);
  }
  /** The positions that sort along `dim` (default the last). */
  argsort(...args: order.SortArguments): this {
    return order.argsort(this, ...args);
  }
  /** Sorted along the first dimension. */
  msort(): this {
    return order.msort(this);
  }
  /** The k largest elements along `dim` (default the last) in order, with positions. */
  topk(
    ...args:
      | [k: number, ...Flexible<[dim: number, largest: boolean, sorted: boolean], order.TopkOptions>]
      | [options: order.TopkOptions & { k: number }]
  ): ValuesAndIndices<this> {
    return order.topk<this>(this, ...(args as [number]));
  }
  /** Quantiles of all elements or along `dim`. */
  quantile(...args: QuantileArguments<this>): this {
    const [q, options] = quantileArguments('quantile', args);
    return quantile<this>(this, q, options);
  }
  /** Quantiles of what is not NaN among all elements or along `dim`. */
  nanquantile(...args: QuantileArguments<this>): this {
    const [q, options] = quantileArguments('nanquantile', args);
    return nanquantile<this>(this, q, options);
  }
  /** The distinct elements, sorted; with options also inverse positions and counts. */
  unique(): this;
  unique(...args: UniqueArguments): this | this[];
  unique(...args: UniqueArguments): this | this[] {
    return unique(this, ...args);
  }
  /** Runs of equal elements reduced to one each. */
  uniqueConsecutive(...args: RunArguments): this | this[] {
    return uniqueConsecutive(this, ...args);
  }
  /** How often 0, 1, 2, … occur. */
  bincount(...args: BincountArguments<this>): this {
    return bincount<this>(this, ...args);
  }
  /** Counts of elements in equal bins. */
  histc(...args: HistcArguments): this {
    return histc(this, ...args);
  }
  /** The differences of neighbours along `dim` (default the last), `n` times over. */
  diff(...args: everyday.DiffArguments<this>): this {
    return everyday.diff<this>(this, ...args);
  }
  /** The commonest element along `dim` (default the last), and where it stands last. */
  mode(...args: order.AlongArguments): ValuesAndIndices<this> {
    return everyday.mode(this, ...args);
  }
  /** The covariance matrix of variables (rows) observed together (columns). */
  cov(options?: { correction?: number }): this {
    return everyday.cov(this, options);
  }
  /** Pearson's correlation coefficients of variables (rows) observed together (columns). */
  corrcoef(): this {
    return everyday.corrcoef(this);
  }
}
