/** Distinct elements, counts and positions in sorted sequences. The sizes of results depend on the data. */

import type { Variable } from '../autograd/variable.ts';
import { ascending } from '../core/ascending.ts';
import { isFloating, type TypedArray, torchTypeName } from '../core/dtype.ts';
import { ArgumentError, DTypeError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape, normalizeDim, numElements } from '../core/shape.ts';
import { zerosOf } from './along.ts';
import { detached } from './composite.ts';
import { cast, contiguous, type OperandOf, pairDType } from './convert.ts';
import { operandGiven, optionsGiven, tensorGiven, wholeGiven } from './given.ts';
import { integerVector, selectAlong } from './indexing.ts';
import { type Flexible, inOrder, named } from './options.ts';
import { histcUnread, isinUnread, searchUnread } from './unread.ts';
import { reshape, transpose } from './views.ts';

type Comparable = number | bigint;

/** The elements on the host; int64 as bigints, all of whose digits count. */
function comparables(x: Variable): readonly Comparable[] {
  const values: Iterable<Comparable> = x.array.backend.read(x.array);
  return [...values];
}

export interface UniqueOptions {
  /** The result is always sorted. */
  sorted?: boolean;
  /** Also give, for each element, the position of its value in the result. */
  returnInverse?: boolean;
  /** Also give how often each value occurs. */
  returnCounts?: boolean;
  /** Distinct slices along this dimension instead of distinct elements. */
  dim?: number | null;
}

/** `(sorted, returnInverse, returnCounts, dim)`, any tail of them by name. */
export type UniqueArguments = Flexible<
  [sorted: boolean, returnInverse: boolean, returnCounts: boolean, dim: number | null],
  UniqueOptions
>;
type RunOptions = Omit<UniqueOptions, 'sorted'>;
/** `(returnInverse, returnCounts, dim)`, any tail of them by name. */
export type RunArguments = Flexible<
  [returnInverse: boolean, returnCounts: boolean, dim: number | null],
  RunOptions
>;

interface Groups {
  /** A representative of each group, by number of the element or slice. */
  readonly first: number[];
  readonly group: number[];
  readonly counts: number[];
}

/** Groups neighbours in `order` that are equal. */
function groupNeighbours(order: readonly number[], compare: Slices['compare']): Groups {
  const first: number[] = [];
  const counts: number[] = [];
  const group = new Array<number>(order.length);
  order.forEach((i, at) => {
    if (at === 0 || compare(order[at - 1], i, true) !== 0) {
      first.push(i);
      counts.push(0);
    }
    counts[counts.length - 1]++;
    group[i] = first.length - 1;
  });
  return { first, group, counts };
}

interface Slices {
  readonly count: number;
  /** Element by element; NaNs are in their places beside each other, but where `apart` no two are equal. */
  readonly compare: (a: number, b: number, apart?: boolean) => number;
}

function slices<T extends Variable>(x: T, d: number): Slices {
  const width = numElements(x.shape.toSpliced(d, 1));
  const rows = contiguous(reshape(transpose(x, 0, d), [x.shape[d], width]));
  const data: TypedArray = rows.array.backend.hostValues(rows.array, 'unique');
  const compare = (a: number, b: number, apart?: boolean) => {
    for (let i = 0; i < width; i++) {
      const [u, v] = [data[a * width + i], data[b * width + i]];
      const order = ascending(u, v);
      if (order !== 0 || (apart && u !== v)) return order || 1;
    }
    return 0;
  };
  return { count: x.shape[d], compare };
}

function grouped<T extends Variable>(x: T, options: UniqueOptions, sorts: boolean): T | T[] {
  const raw = detached(x);
  const along =
    options.dim === undefined || options.dim === null ? null : normalizeDim(options.dim, x.ndim, 'unique');
  const source = along === null || x.ndim === 0 ? reshape(raw, [-1]) : raw;
  const d = along ?? 0;
  const { count, compare } = slices(source, d);
  const order = [...new Array(count).keys()];
  if (sorts) order.sort((a, b) => compare(a, b) || a - b);
  const { first, group, counts } = groupNeighbours(order, compare);
  const values = selectAlong(source, d, first);
  const inverse = integerVector(raw, group);
  const results = [values];
  if (options.returnInverse) results.push(along === null ? reshape(inverse, x.shape) : inverse);
  if (options.returnCounts) results.push(integerVector(raw, counts));
  return results.length === 1 ? values : results;
}

/** The distinct elements (or slices along dim), sorted; with options also where each went, and the counts. */
export function unique<T extends Variable>(x: T): T;
export function unique<T extends Variable>(x: T, ...args: UniqueArguments): T | T[];
export function unique<T extends Variable>(x: T, ...args: UniqueArguments): T | T[] {
  tensorGiven(x, 'unique');
  return inOp('unique', () =>
    grouped(x, named<UniqueOptions>('unique', 'sorted returnInverse returnCounts dim', args), true),
  );
}

/** Runs of equal elements (or slices along dim) reduced to one each. */
export function uniqueConsecutive<T extends Variable>(x: T, ...args: RunArguments): T | T[] {
  tensorGiven(x, 'unique_consecutive');
  return inOp('unique_consecutive', () =>
    grouped(x, named<RunOptions>('unique_consecutive', 'returnInverse returnCounts dim', args), false),
  );
}

export interface BincountOptions<T extends Variable> {
  weights?: T | null;
  minlength?: number;
}

/** `(weights, minlength)`, either by name. */
export type BincountArguments<T extends Variable> = Flexible<
  [weights: T | null, minlength: number],
  BincountOptions<T>
>;

/** How often 0, 1, 2, … occur in a vector of non-negative integers; with weights their sums instead. */
export function bincount<T extends Variable>(x: T, ...args: BincountArguments<T>): T {
  tensorGiven(x, 'bincount');
  const [given = null, minlength = 0] = inOrder<[T | null, number]>('bincount', 'weights minlength', args);
  if (isFloating(x.dtype) || x.dtype === 'bool')
    throw new DTypeError(`bincount: "bincount_cpu" not implemented for '${torchTypeName(x.dtype)}'`);
  const list = Array.from(x.array.backend.hostValues(x.array, 'bincount'), Number);
  if (x.ndim !== 1 || list.some((v) => v < 0)) {
    throw new ShapeError(
      `bincount only supports 1-d non-negative integral inputs; got shape ${formatShape(x.shape)}`,
    );
  }
  const least = wholeGiven(minlength, 'bincount', 'minlength');
  if (least < 0) throw new ArgumentError(`bincount: minlength should be >= 0, but got ${least}`);
  const length = list.reduce((n, v) => Math.max(n, v + 1), least);
  const positions = cast(detached(x), 'int64');
  // Without elements PyTorch counts, weights or not.
  const counts = given === null || list.length === 0;
  if (!counts && given.array.size !== list.length) {
    throw new ShapeError(
      `bincount: weights should be 1-d and have the same length as input, but got ${formatShape(given.shape)}`,
    );
  }
  const w = counts
    ? integerVector(x, new Array<number>(list.length).fill(1))
    : detached(given.dtype === 'float32' ? given : cast(given, 'float64'));
  const out = zerosOf(w, [length]);
  w.array.backend.put(out.array, positions.array, w.array, true);
  return out;
}

export interface HistcOptions {
  bins?: number;
  min?: number;
  max?: number;
}

/** `(bins, min, max)`, any tail of them by name. */
export type HistcArguments = Flexible<[bins: number, min: number, max: number], HistcOptions>;

/** Counts of elements in `bins` equal bins between min and max (of the data if both are 0), the last one closed. */
export function histc<T extends Variable>(x: T, ...args: HistcArguments): T {
  tensorGiven(x, 'histc');
  const [bins = 100, min = 0, max = 0] = inOrder<[number, number, number]>('histc', 'bins min max', args);
  if (!isFloating(x.dtype))
    throw new DTypeError(`histc: "histogram_cpu" not implemented for '${torchTypeName(x.dtype)}'`);
  if (!Number.isInteger(bins) || bins <= 0)
    throw new ArgumentError(`histc: bins must be > 0, but got ${bins}`);
  if (!x.array.backend.synchronous) return histcUnread(detached(x), bins, min, max);
  const list = Array.from(x.array.backend.read(x.array), Number);
  let [low, high] = [min, max];
  if (low === high && list.length > 0) {
    low = list.reduce((a, b) => Math.min(a, b), Infinity);
    high = list.reduce((a, b) => Math.max(a, b), -Infinity);
  }
  if (low === high) [low, high] = [low - 1, high + 1];
  if (!Number.isFinite(low) || !Number.isFinite(high))
    throw new ArgumentError(`histc: range of [${low}, ${high}] is not finite`);
  if (low > high) throw new ArgumentError(`histc: max must be larger than min, but got [${low}, ${high}]`);
  const counts = new Float64Array(bins);
  for (const v of list) {
    if (v >= low && v <= high) counts[Math.min(Math.floor(((v - low) / (high - low)) * bins), bins - 1)]++;
  }
  return cast(x.derive(x.array.backend.upload(counts, [bins], 'float64')), x.dtype);
}

export interface SearchOptions {
  /** Behind equal elements instead of before them. */
  right?: boolean;
  side?: 'left' | 'right';
}

/** Where each value would go in a sorted sequence (the last dimension) to keep it sorted; int64. */
export function searchsorted<T extends Variable>(
  sequence: T,
  values: OperandOf<T>,
  options?: SearchOptions,
): T {
  const { right, side } = optionsGiven(options, 'searchsorted', 'right side');
  tensorGiven(sequence, 'searchsorted', 'sequence');
  operandGiven(values, 'searchsorted', 'values');
  const behind = right ?? side === 'right';
  if (!sequence.array.backend.synchronous) return searchUnread(sequence, values, behind);
  const numbers: readonly Comparable[] =
    typeof values === 'object' ? comparables(values) : [typeof values === 'bigint' ? values : Number(values)];
  const shape = typeof values === 'object' ? values.shape : [];
  const lead = sequence.shape.slice(0, -1);
  if (sequence.ndim > 1 && formatShape(lead) !== formatShape(shape.slice(0, -1))) {
    throw new ShapeError(
      `searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value ` +
        `tensor must match, but we got boundaries tensor ${formatShape(sequence.shape)} and input value tensor ${formatShape(shape)}`,
    );
  }
  const sorted = sequence.array.backend.read(sequence.array);
  const n = sequence.shape[sequence.ndim - 1] ?? 1;
  const perRow = sequence.ndim > 1 ? (shape[shape.length - 1] ?? 1) : Math.max(numbers.length, 1);
  const found = numbers.map((v, i) => {
    const start = sequence.ndim > 1 ? Math.floor(i / perRow) * n : 0;
    let [low, high] = [0, n];
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = sorted[start + middle];
      // So asked, NaN lies behind everything.
      if (behind ? at > v : at >= v) high = middle;
      else low = middle + 1;
    }
    return low;
  });
  return reshape(integerVector(sequence, found), shape);
}

/** The number of the bucket, between the sorted boundaries, in which each value lies. */
export const bucketize = <T extends Variable>(
  values: OperandOf<T>,
  boundaries: T,
  options?: SearchOptions,
): T =>
  inOp('bucketize', () =>
    searchsorted<T>(tensorGiven(boundaries, 'bucketize', 'boundaries'), values, options),
  );

/** True where an element of x is among the test elements. */
export function isin<T extends Variable>(x: T, among: T, options?: { invert?: boolean }): T {
  const { invert = false } = optionsGiven(options, 'isin', 'invert');
  tensorGiven(x, 'isin');
  tensorGiven(among, 'isin', 'among');
  if (!x.array.backend.synchronous) return isinUnread(x, among, invert);
  const dtype = pairDType(x, among);
  const [own, others] = [x, among].map((y) => comparables(cast(detached(y), dtype)));
  const known = new Set(others);
  // NaN equals nothing.
  known.delete(Number.NaN);
  const hits = Uint8Array.from(own, (v) => Number(known.has(v) !== invert));
  return x.derive(x.array.backend.upload(hits, x.shape, 'bool'));
}
