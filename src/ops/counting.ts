/** Counts and positions in sorted sequences. The sizes of results depend on the data. */

import type { Variable } from '../autograd/variable.ts';
import { isFloating, torchTypeName } from '../core/dtype.ts';
import { ArgumentError, DTypeError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape } from '../core/shape.ts';
import { zerosOf } from './along.ts';
import { eq, logicalNot, logicalOr } from './comparison.ts';
import { detached } from './composite.ts';
import { cast, checkDevices, type OperandOf, pairDType } from './convert.ts';
import { floating } from './draw.ts';
import { operandGiven, optionsGiven, tensorGiven, wholeGiven } from './given.ts';
import { integerVector } from './indexing.ts';
import { type Flexible, inOrder } from './options.ts';
import { amax, amin } from './reduce.ts';
import { histcUnread, isinUnread, searchUnread } from './unread.ts';
import { reshape, select } from './views.ts';

type Comparable = number | bigint;

/** The elements on the host; int64 as bigints, all of whose digits count. */
const comparables = (x: Variable): ArrayLike<Comparable> & Iterable<Comparable> =>
  x.array.backend.read(x.array);

/** The least and the greatest element; infinities in an empty tensor's place. @throws DeviceError */
function extremesOf<T extends Variable>(x: T, op: string): [low: number, high: number] {
  const { backend, size } = x.array;
  let [low, high] = [Infinity, -Infinity];
  if (backend.synchronous && size > 0) {
    [low, high] = [amin, amax].map((extreme) => Number(backend.read(extreme(detached(x)).array)[0]));
  } else {
    for (const v of backend.hostValues(x.array, op)) {
      low = Math.min(low, Number(v));
      high = Math.max(high, Number(v));
    }
  }
  return [low, high];
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
  const least = wholeGiven(minlength, 'bincount', 'minlength');
  if (least < 0) throw new ArgumentError(`bincount: minlength should be >= 0, but got ${least}`);
  const [low, high] = extremesOf(x, 'bincount');
  if (x.ndim !== 1 || low < 0) {
    throw new ShapeError(
      `bincount only supports 1-d non-negative integral inputs; got shape ${formatShape(x.shape)}`,
    );
  }
  const positions = cast(detached(x), 'int64');
  // Without elements PyTorch counts, weights or not.
  const counts = given === null || x.array.size === 0;
  if (!counts && given.array.size !== x.array.size) {
    throw new ShapeError(
      `bincount: weights should be 1-d and have the same length as input, but got ${formatShape(given.shape)}`,
    );
  }
  const { backend } = x.array;
  const w = counts
    ? zerosOf(positions, positions.shape)
    : detached(given.dtype === 'float32' ? given : cast(given, 'float64'));
  if (counts) backend.fill(w.array, 1);
  const out = zerosOf(w, [Math.max(least, high + 1)]);
  backend.put(out.array, positions.array, w.array, true);
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
  const list = floating(x.array.backend.read(x.array), 'histc');
  let [low, high] = [min, max];
  if (low === high && list.length > 0) [low, high] = extremesOf(x, 'histc');
  if (low === high) [low, high] = [low - 1, high + 1];
  if (!Number.isFinite(low) || !Number.isFinite(high))
    throw new ArgumentError(`histc: range of [${low}, ${high}] is not finite`);
  if (low > high) throw new ArgumentError(`histc: max must be larger than min, but got [${low}, ${high}]`);
  // One more for the upper bound itself, which belongs to the last one.
  const counts = new Float64Array(bins + 1);
  for (let i = 0; i < list.length; i++) {
    const v = list[i];
    if (v >= low && v <= high) counts[(((v - low) / (high - low)) * bins) | 0]++;
  }
  counts[bins - 1] += counts[bins];
  return cast(x.derive(x.array.backend.upload(counts.subarray(0, bins), [bins], 'float64')), x.dtype);
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
  if (side !== undefined && side !== 'left' && side !== 'right')
    throw new ArgumentError(`searchsorted(): side can only be 'left' or 'right' but got ${String(side)}`);
  tensorGiven(sequence, 'searchsorted', 'sequence');
  operandGiven(values, 'searchsorted', 'values');
  checkDevices([sequence, values], 'searchsorted', 'sequence values');
  if (right && side === 'left')
    throw new ArgumentError(
      "searchsorted(): side and right can't be set to opposites, got side of left while right was True",
    );
  const behind = right || side === 'right';
  const shape = typeof values === 'object' ? values.shape : [];
  const lead = sequence.shape.slice(0, -1);
  if (sequence.ndim > 1 && formatShape(lead) !== formatShape(shape.slice(0, -1))) {
    throw new ShapeError(
      `searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value ` +
        `tensor must match, but we got boundaries tensor ${formatShape(sequence.shape)} and input value tensor ${formatShape(shape)}`,
    );
  }
  if (!sequence.array.backend.synchronous) return searchUnread(sequence, values, behind);
  const numbers: ArrayLike<Comparable> =
    typeof values === 'object' ? comparables(values) : [typeof values === 'bigint' ? values : Number(values)];
  const sorted = sequence.array.backend.read(sequence.array);
  const n = sequence.shape[sequence.ndim - 1] ?? 1;
  const perRow = sequence.ndim > 1 ? (shape[shape.length - 1] ?? 1) : Math.max(numbers.length, 1);
  const found = new Float64Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const v = numbers[i];
    const start = sequence.ndim > 1 ? Math.floor(i / perRow) * n : 0;
    let low = 0;
    let high = n;
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = sorted[start + middle];
      // So asked, NaN lies behind everything.
      if (behind ? at > v : at >= v) high = middle;
      else low = middle + 1;
    }
    found[i] = low;
  }
  return reshape(integerVector(sequence, found), shape);
}

/** The number of the bucket, between the sorted boundaries, in which each value lies. */
export const bucketize = <T extends Variable>(
  values: OperandOf<T>,
  boundaries: T,
  options?: SearchOptions,
): T =>
  inOp('bucketize', () => {
    tensorGiven(boundaries, 'bucketize', 'boundaries');
    checkDevices([values, boundaries], 'bucketize', 'values boundaries');
    return searchsorted<T>(boundaries, values, options);
  });

/** Whether no element needs a bigint. */
const fitsNumbers = (x: Variable): boolean =>
  extremesOf(x, 'isin').every((value) => !Number.isFinite(value) || Number.isSafeInteger(value));

/** Elements that each are looked for on their own: faster than a set of all. */
const FEW = 16;

function isOneOf<T extends Variable>(x: T, list: T, invert: boolean): T {
  let hits = eq<T>(x, select(list, 0, 0));
  for (let i = 1; i < list.shape[0]; i++) hits = logicalOr<T>(hits, eq<T>(x, select(list, 0, i)));
  return invert ? logicalNot<T>(hits) : hits;
}

/** True where an element of x is among the test elements. */
export function isin<T extends Variable>(x: T, among: T, options?: { invert?: boolean }): T {
  const { invert = false } = optionsGiven(options, 'isin', 'invert');
  tensorGiven(x, 'isin');
  tensorGiven(among, 'isin', 'among');
  const dtype = pairDType(x, among);
  const [a, b] = [x, among].map((y) => cast(detached(y), dtype));
  if (b.array.size > 0 && b.array.size <= FEW)
    return inOp('isin', () => isOneOf(a, reshape(b, [-1]), invert));
  if (!x.array.backend.synchronous) return isinUnread(a, b, invert);
  const exact = dtype !== 'int64' || [a, b].every(fitsNumbers);
  const [own, others] = [a, b].map((y) => comparables(exact ? cast(y, 'float64') : y));
  const known = new Set(others);
  // NaN equals nothing.
  known.delete(Number.NaN);
  const hits = new Uint8Array(own.length);
  for (let i = 0; i < own.length; i++) hits[i] = Number(known.has(own[i]) !== invert);
  return x.derive(x.array.backend.upload(hits, x.shape, 'bool'));
}
