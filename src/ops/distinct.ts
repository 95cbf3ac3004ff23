/** Distinct elements and slices. The sizes of results depend on the data. */
import type { Variable } from '../autograd/variable.ts';
import { ascending } from '../core/ascending.ts';
import { dtypeInfo, type TypedArray } from '../core/dtype.ts';
import { inOp } from '../core/inOp.ts';
import { int64From, numbersFrom } from '../core/int64.ts';
import { normalizeDim, numElements } from '../core/shape.ts';
import { detached } from './composite.ts';
import { contiguous } from './convert.ts';
import { tensorGiven } from './given.ts';
import { integerVector, selectAlong } from './indexing.ts';
import { type Flexible, named } from './options.ts';
import { movedim } from './rearrange.ts';
import { reshape } from './views.ts';

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

interface Groups<T> {
  /** One of each group. */
  readonly values: T;
  /** The group of each element or slice. */
  readonly group: ArrayLike<number>;
  readonly counts: readonly number[];
}

/** Where `value` is in the list, which rises. */
function placeOf(value: number, list: readonly number[]): number {
  let [low, high] = [0, list.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Groups of equal elements, or of equal neighbours; no NaN equals another. Null for int64 that no number holds. */
function elementGroups<T extends Variable>(x: T, sorts: boolean): Groups<T> | null {
  const { backend } = x.array;
  const data = backend.hostValues(x.array, 'unique');
  const numbers = data instanceof BigInt64Array ? numbersFrom(data) : data;
  if (numbers === null) return null;
  // Without a function to compare by, engines sort numbers ten times as fast, NaNs behind.
  const ordered = sorts ? Float64Array.from(numbers).sort() : numbers;
  const found: number[] = [];
  const counts: number[] = [];
  const group = new Uint32Array(ordered.length);
  for (let i = 0; i < ordered.length; i++) {
    if (i > 0 && ordered[i] === ordered[i - 1]) counts[counts.length - 1]++;
    else {
      found.push(ordered[i]);
      counts.push(1);
    }
    group[i] = found.length - 1;
  }
  if (sorts) {
    const rising = found.filter((value) => !Number.isNaN(value));
    let nextNaN = rising.length;
    for (let i = 0; i < group.length; i++)
      group[i] = Number.isNaN(numbers[i]) ? nextNaN++ : placeOf(numbers[i], rising);
  }
  const { array, bytes } = dtypeInfo[x.dtype];
  const memory = array(new ArrayBuffer(bytes * found.length), 0, found.length);
  const values = memory instanceof BigInt64Array ? int64From(found) : memory;
  if (!(values instanceof BigInt64Array)) values.set(found);
  return { values: x.derive(backend.upload(values, [found.length], x.dtype)), group, counts };
}

interface Slices {
  readonly count: number;
  /** Element by element; NaNs are in their places beside each other, but where `apart` no two are equal. */
  readonly compare: (a: number, b: number, apart?: boolean) => number;
}

function slices<T extends Variable>(x: T, d: number): Slices {
  const width = numElements(x.shape.toSpliced(d, 1));
  const rows = contiguous(reshape(movedim<T>(x, d, 0), [x.shape[d], width]));
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

/** Groups of equal slices along d, or of equal neighbours. */
function sliceGroups<T extends Variable>(x: T, d: number, sorts: boolean): Groups<T> {
  const { count, compare } = slices(x, d);
  const order = [...new Array(count).keys()];
  if (sorts) order.sort((a, b) => compare(a, b) || a - b);
  const first: number[] = [];
  const counts: number[] = [];
  const group = new Array<number>(count);
  order.forEach((i, at) => {
    if (at === 0 || compare(order[at - 1], i, true) !== 0) {
      first.push(i);
      counts.push(0);
    }
    counts[counts.length - 1]++;
    group[i] = first.length - 1;
  });
  return { values: selectAlong(x, d, first), group, counts };
}

function grouped<T extends Variable>(x: T, options: UniqueOptions, sorts: boolean): T | T[] {
  const raw = detached(x);
  const along =
    options.dim === undefined || options.dim === null ? null : normalizeDim(options.dim, x.ndim, 'unique');
  const flat = along === null || x.ndim === 0 ? reshape(raw, [-1]) : null;
  const { values, group, counts } =
    flat === null
      ? sliceGroups(raw, along as number, sorts)
      : (elementGroups(flat, sorts) ?? sliceGroups(flat, 0, sorts));
  const results = [values];
  if (options.returnInverse) {
    const inverse = integerVector(raw, group);
    results.push(along === null ? reshape(inverse, x.shape) : inverse);
  }
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
