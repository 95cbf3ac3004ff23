/** Distinct elements and slices. The sizes of results depend on the data. */
import type { Variable } from '../autograd/variable.ts';
import { backendFor } from '../backend/registry.ts';
import { ascending } from '../core/ascending.ts';
import type { TypedArray } from '../core/dtype.ts';
import { inOp } from '../core/inOp.ts';
import { normalizeDim, numElements, type Shape } from '../core/shape.ts';
import { add, sub } from './arithmetic.ts';
import { ne } from './comparison.ts';
import { detached } from './composite.ts';
import { cast, contiguous } from './convert.ts';
import { cumsum } from './cumulative.ts';
import { tensorGiven } from './given.ts';
import { integerVector, selectAlong } from './indexing.ts';
import { cat } from './join.ts';
import { type Flexible, named } from './options.ts';
import { movedim } from './rearrange.ts';
import { narrow, reshape } from './views.ts';

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
  /** The group of each element or slice, int64. */
  readonly group: () => T;
  readonly counts: () => T;
}

/** Groups of equal elements of a vector, or of equal neighbours; no NaN equals another. */
function elementGroups<T extends Variable>(x: T, sorts: boolean): Groups<T> {
  const { backend, size } = x.array;
  const sorted = sorts ? backend.sort(x.array, 0, false) : null;
  const list = sorted ? x.derive(sorted.values) : x;
  const rest = Math.max(size - 1, 0);
  const begins = ne<T>(narrow(list, 0, size - rest, rest), narrow(list, 0, 0, rest));
  const first = integerVector(x, size > 0 ? [0] : []);
  const later = add<T>(x.derive(backend.nonzero(begins.array)), 1);
  const starts = cat([first, later]);
  const group = (): T => {
    const numbers = cat([first, cumsum(cast(begins, 'int64'), 0)]);
    if (sorted === null) return numbers;
    const out = backend.empty(numbers.shape, 'int64');
    backend.scatter(out, 0, sorted.indices, numbers.array, 'replace');
    return x.derive(out);
  };
  const counts = (): T => sub<T>(cat([later, integerVector(x, size > 0 ? [size] : [])]), starts);
  return { values: selectAlong(list, 0, starts), group, counts };
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
  return {
    values: selectAlong(x, d, integerVector(x, first)),
    group: () => integerVector(x, group),
    counts: () => integerVector(x, counts),
  };
}

function grouped<T extends Variable>(x: T, options: UniqueOptions, sorts: boolean): T | T[] {
  const raw = detached(x);
  const along =
    options.dim === undefined || options.dim === null ? null : normalizeDim(options.dim, x.ndim, 'unique');
  if (along !== null && x.ndim > 0) return listed(sliceGroups(raw, along, sorts), options, null);
  const { backend, dtype } = raw.array;
  const shape = along === null ? x.shape : null;
  if (backend.synchronous) return listed(elementGroups(reshape(raw, [-1]), sorts), options, shape);
  // How many there are decides sizes: where values can only be awaited, the host finds out.
  const host = backendFor('cpu');
  const values = x.derive(host.upload(backend.hostValues(raw.array, 'unique'), [raw.array.size], dtype));
  const found = listed(elementGroups(values, sorts), options, shape);
  const moved = ({ array }: T): T => x.derive(backend.upload(host.read(array), array.shape, array.dtype));
  return Array.isArray(found) ? found.map(moved) : moved(found);
}

/** What the options ask for; each element's group in this shape, if there is one. */
function listed<T extends Variable>(
  { values, group, counts }: Groups<T>,
  { returnInverse, returnCounts }: UniqueOptions,
  shape: Shape | null,
): T | T[] {
  const results = [values];
  if (returnInverse) results.push(shape === null ? group() : reshape(group(), shape));
  if (returnCounts) results.push(counts());
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
