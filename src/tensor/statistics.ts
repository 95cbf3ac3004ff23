/** Methods for statistics, norms, running folds and order. Arguments by position or in one options object. */
import { type DTypeLike, resolveDType } from '../core/dtype.ts';
import {
  type BincountOptions,
  bincount,
  type HistcOptions,
  histc,
  type UniqueOptions,
  unique,
  uniqueConsecutive,
} from '../ops/counting.ts';
import * as running from '../ops/cumulative.ts';
import * as everyday from '../ops/everyday.ts';
import { given, optionsGiven } from '../ops/given.ts';
import type { ValuesAndIndices } from '../ops/namedResult.ts';
import { checkNames } from '../ops/options.ts';
import * as order from '../ops/order.ts';
import type { Dims } from '../ops/reduce.ts';
import * as statistics from '../ops/statistics.ts';
import {
  type DimOrOptions,
  isOptions,
  type KeepdimOrOptions,
  oneDim,
  type ReduceOptions,
  reduction,
} from './arguments.ts';
import { type ByName, named } from './namedArguments.ts';
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
export function spread(...[first, second, third]: VarArguments): {
  dims: Dims;
  correction: number;
  keepdim: boolean;
} {
  const named: VarOptions = {
    ...(isOptions<VarOptions>(third) ? third : { keepdim: third }),
    ...(isOptions<VarOptions>(second) ? second : { unbiased: second }),
    ...(typeof first === 'boolean'
      ? { unbiased: first }
      : isOptions<VarOptions>(first)
        ? first
        : { dim: first }),
  };
  const { dim = null, unbiased = true, correction = unbiased ? 1 : 0, keepdim = false } = named;
  return { dims: dim, correction, keepdim };
}

export interface NormOptions extends ReduceOptions {
  p?: statistics.NormOrder;
}

interface Quantiles<T> {
  q: number | readonly number[] | T;
}
/** `(q, dim, keepdim)`, any tail of them by name. */
export type QuantileArguments<T> =
  | ByName<Quantiles<T>, ['q'], order.QuantileOptions>
  | [q: Quantiles<T>['q'], options?: order.QuantileOptions]
  | [q: Quantiles<T>['q'], dim?: number | null, keepdim?: boolean | order.QuantileOptions];

export interface ScanOptions {
  dim?: number;
  dtype?: DTypeLike;
}

const scanArguments = (dim: number | ScanOptions, options: ScanOptions | undefined, op: string) => {
  const named = typeof dim === 'object' ? checkNames(dim) : { dim, ...optionsGiven(options, op) };
  return {
    dim: named.dim ?? Number.NaN,
    dtype: named.dtype === undefined ? undefined : resolveDType(named.dtype, op),
  };
};

type Along = number | { dim: number };
const dimOf = (dim: Along): number => (typeof dim === 'object' ? checkNames(dim).dim : dim);

export abstract class StatisticsMethods extends ReductionMethods {
  /** Variance over `dim` (default all), with N − 1 unless asked otherwise. */
  var(...args: VarArguments): this {
    const { dims, correction, keepdim } = spread(...args);
    return statistics.variance(this, dims, correction, keepdim);
  }
  /** Standard deviation over `dim` (default all), with N − 1 unless asked otherwise. */
  std(...args: VarArguments): this {
    const { dims, correction, keepdim } = spread(...args);
    return statistics.std(this, dims, correction, keepdim);
  }
  /** The p-norm over `dim` (default all). */
  norm(p?: statistics.NormOrder | NormOptions, dim?: DimOrOptions, keepdim?: KeepdimOrOptions): this {
    const named = isOptions<NormOptions>(p) ? p : undefined;
    const r = reduction(named ?? dim, keepdim, undefined, 'norm');
    return statistics.norm(
      this,
      named ? (named.p ?? 'fro') : (p as statistics.NormOrder | undefined),
      r.dims,
      r.keepdim,
      r.dtype,
    );
  }
  /** The p-norm of this − other. */
  dist(other: this, p = 2): this {
    return statistics.dist<this>(this, other, p);
  }
  /** log Σ eˣ over `dim`. */
  logsumexp(dim: DimOrOptions, keepdim?: KeepdimOrOptions): this {
    given(dim, 'logsumexp', 'dim', 'a dimension or a list of them');
    const r = reduction(dim, keepdim, undefined, 'logsumexp');
    return statistics.logsumexp(this, r.dims, r.keepdim);
  }
  /** Sum over `dim` of what is not NaN. */
  nansum(dim?: DimOrOptions, keepdim?: KeepdimOrOptions, options?: ReduceOptions): this {
    const r = reduction(dim, keepdim, options, 'nansum');
    return statistics.nansum(this, r.dims, r.keepdim, r.dtype);
  }
  /** Mean over `dim` of what is not NaN. */
  nanmean(dim?: DimOrOptions, keepdim?: KeepdimOrOptions, options?: ReduceOptions): this {
    const r = reduction(dim, keepdim, options, 'nanmean');
    return statistics.nanmean(this, r.dims, r.keepdim, r.dtype);
  }
  /** Smallest and largest elements. */
  aminmax(options?: { dim?: number | null; keepdim?: boolean }): statistics.Extremes<this> {
    return statistics.aminmax(this, options);
  }
  /** Product over `dim` (default all). Integers and bools give int64. */
  prod(dim?: DimOrOptions, keepdim?: KeepdimOrOptions, options?: ReduceOptions): this {
    const r = reduction(dim, keepdim, options, 'prod');
    const { dim: one } = oneDim(r.dims, r.keepdim, 'prod');
    return running.prod(this, one, r.keepdim, r.dtype);
  }
  /** Running sums along `dim`. */
  cumsum(dim: number | ScanOptions, options?: ScanOptions): this {
    const s = scanArguments(dim, options, 'cumsum');
    return running.cumsum(this, s.dim, s.dtype);
  }
  /** Running products along `dim`. */
  cumprod(dim: number | ScanOptions, options?: ScanOptions): this {
    const s = scanArguments(dim, options, 'cumprod');
    return running.cumprod(this, s.dim, s.dtype);
  }
  /** Running largest elements along `dim`, with positions. */
  cummax(dim: Along): ValuesAndIndices<this> {
    return running.cummax(this, dimOf(dim));
  }
  /** Running smallest elements along `dim`, with positions. */
  cummin(dim: Along): ValuesAndIndices<this> {
    return running.cummin(this, dimOf(dim));
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
    const o = oneDim(dim, keepdim, 'median');
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
    const o = oneDim(dim, keepdim, 'nanmedian');
    return order.nanmedianDim(this, o.dim ?? 0, o.keepdim);
  }
  /** The k-th smallest element along `dim` (default the last), with its position. */
  kthvalue(
    k: number,
    dim?: number | order.AlongOptions,
    keepdim?: boolean | order.AlongOptions,
  ): ValuesAndIndices<this> {
    const along =
      typeof keepdim === 'object' && typeof dim === 'number' ? { dim, ...checkNames(keepdim) } : dim;
    return order.kthvalue(this, k, along, keepdim === true);
  }
  /** Sorted along `dim` (default the last), with positions. */
  sort(dim?: number | order.SortOptions, descending?: boolean | order.SortOptions): ValuesAndIndices<this> {
    return order.sort(
      this,
      typeof descending === 'object'
        ? { ...(typeof dim === 'number' ? { dim } : dim), ...checkNames(descending) }
        : dim,
      descending === true,
    );
  }
  /** The positions that sort along `dim` (default the last). */
  argsort(dim?: number | order.SortOptions, descending?: boolean | order.SortOptions): this {
    return order.argsort(
      this,
      typeof descending === 'object'
        ? { ...(typeof dim === 'number' ? { dim } : dim), ...checkNames(descending) }
        : dim,
      descending === true,
    );
  }
  /** Sorted along the first dimension. */
  msort(): this {
    return order.msort(this);
  }
  /** The k largest elements along `dim` (default the last) in order, with positions. */
  topk(
    k: number,
    dim?: number | order.TopkOptions,
    largest?: boolean | order.TopkOptions,
  ): ValuesAndIndices<this> {
    const named =
      typeof largest === 'object'
        ? { ...(typeof dim === 'number' ? { dim } : dim), ...checkNames(largest) }
        : dim;
    return order.topk(this, k, named, largest !== false);
  }
  /** Quantiles of all elements or along `dim`. */
  quantile(...args: QuantileArguments<this>): this {
    const { q, ...options } = named<order.QuantileOptions & Quantiles<this>>(['q', 'dim', 'keepdim'], args);
    return order.quantile<this>(this, q, options);
  }
  /** The distinct elements, sorted; with options also inverse positions and counts. */
  unique(): this;
  unique(
    sorted: boolean | UniqueOptions,
    returnInverse?: boolean,
    returnCounts?: boolean,
    dim?: number | null,
  ): this | this[];
  unique(
    sorted?: boolean | UniqueOptions,
    returnInverse?: boolean,
    returnCounts?: boolean,
    dim?: number | null,
  ): this | this[] {
    return unique(this, sorted ?? true, returnInverse, returnCounts, dim);
  }
  /** Runs of equal elements reduced to one each. */
  uniqueConsecutive(
    returnInverse?: boolean | UniqueOptions,
    returnCounts?: boolean,
    dim?: number | null,
  ): this | this[] {
    return uniqueConsecutive(this, returnInverse, returnCounts, dim);
  }
  /** How often 0, 1, 2, … occur. */
  bincount(weights?: this | null | BincountOptions<this>, minlength?: number): this {
    return bincount<this>(this, weights, minlength);
  }
  /** Counts of elements in equal bins. */
  histc(bins?: number | HistcOptions, min?: number, max?: number): this {
    return histc(this, bins, min, max);
  }
  /** The differences of neighbours along `dim` (default the last), `n` times over. */
  diff(n?: number | everyday.DiffOptions<this>, dim?: number): this {
    return everyday.diff(this, n, dim);
  }
  /** The commonest element along `dim` (default the last), and where it stands last. */
  mode(dim?: number | order.AlongOptions, keepdim?: boolean): ValuesAndIndices<this> {
    return everyday.mode(this, dim, keepdim);
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
