/**
 * Indexing as in `x[...]`: integers, slices, new axes and the ellipsis give views; index tensors and masks gather.
 * Everything that gathers goes through flat positions: int64 numbers of elements in row-major order.
 */

import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { isFloating, torchTypeName } from '../core/dtype.ts';
import { ArgumentError, DTypeError, IndexError, ShapeError } from '../core/errors.ts';
import { int64From } from '../core/int64.ts';
import {
  broadcastShapes,
  contiguousStrides,
  expandStrides,
  formatShape,
  numElements,
  type Shape,
} from '../core/shape.ts';
import { add, mul, remainder } from './arithmetic.ts';
import { cast, checkDevices, contiguous, elementValue, type OperandOf } from './convert.ts';
import { given, operandGiven, tensorGiven } from './given.ts';
import { inplace, once } from './inplace.ts';
import { type ByName, option } from './options.ts';
import { zeros } from './unary.ts';
import {
  alias,
  expand,
  permute,
  reshape,
  scatterFlat,
  select,
  slice as sliceDim,
  takeFlat,
  unsqueeze,
} from './views.ts';
import { checkWithin } from './within.ts';

/** Every `step`-th index from `start` up to but not including `stop`; null means the end that is meant. */
export interface Slice {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number;
}

/**
 * What stands for Python's `start:stop:step` in an index: `x.index(slice(1, 3))`.
 * `slice()` takes all, `slice(n)` the first n, as Python's `slice` does.
 */
export function slice(
  ...bounds: [] | [stop: number | null] | [start: number | null, stop: number | null, step?: number | null]
): Slice {
  if (bounds.length < 2) return { start: null, stop: bounds[0] ?? null, step: 1 };
  const [start, stop, step] = bounds;
  return { start: start ?? null, stop: stop ?? null, step: step ?? 1 };
}

/** Integers, or the bools of a mask, in nested lists. */
export type IndexList = readonly (number | bigint | boolean | IndexList)[];

/** One entry of an index: an integer, a slice, '...' , null for a new axis, a bool, nested lists, a tensor or mask. */
export type IndexOf<T extends Variable> = number | bigint | Slice | '...' | null | boolean | IndexList | T;

interface Plan<T extends Variable> {
  /** x after the entries that are views. */
  readonly source: T;
  /** By dimension of source: the int64 index tensor there, or null. */
  readonly indices: readonly (T | null)[];
}

const isTensor = <T extends Variable>(entry: IndexOf<T>): entry is T =>
  typeof entry === 'object' && entry !== null && 'array' in entry;

const isList = <T extends Variable>(entry: IndexOf<T>): entry is IndexList => Array.isArray(entry);

const isMask = (x: Variable): boolean => x.dtype === 'bool' || x.dtype === 'uint8';

/** How many dimensions of x an entry uses up. */
function consumed<T extends Variable>(entry: IndexOf<T>): number {
  if (entry === null || entry === '...' || typeof entry === 'boolean') return 0;
  return isTensor<T>(entry) && isMask(entry) ? entry.ndim : 1;
}

function plan<T extends Variable>(x: T, listed: readonly IndexOf<T>[]): Plan<T> {
  given(listed, 'index', 'entries', 'a list of indices');
  const entries = listed.map((entry) =>
    isList<T>(entry)
      ? listTensor(x, entry)
      : isTensor<T>(entry)
        ? asNumber(entry)
        : typeof entry === 'bigint'
          ? Number(entry)
          : entry,
  );
  const ellipses = entries.filter((e) => e === '...').length;
  if (ellipses > 1) throw new IndexError("index: an index can only have a single ellipsis ('...')");
  const used = entries.reduce((n: number, e) => n + consumed(e), 0);
  if (used > x.ndim) throw new IndexError(`index: too many indices for tensor of dimension ${x.ndim}`);
  let source = x;
  let dim = 0;
  const indices: (T | null)[] = [];
  const put = (index: T | null) => {
    indices.push(index);
    dim++;
  };
  for (const entry of entries) {
    if (entry === '...') for (let i = x.ndim - used; i > 0; i--) put(null);
    else if (entry === null) {
      source = unsqueeze(source, dim);
      put(null);
    } else if (typeof entry === 'boolean') {
      source = unsqueeze(source, dim);
      put(integerVector(x, entry ? [0] : []));
    } else if (typeof entry === 'number') {
      const size = source.shape[dim];
      if (!Number.isInteger(entry) || entry < -size || entry >= size) {
        throw new IndexError(`index ${entry} is out of bounds for dimension ${dim} with size ${size}`);
      }
      source = select(source, dim, entry);
    } else if (isTensor<T>(entry) && isMask(entry) && entry.ndim === 0) {
      source = unsqueeze(source, dim);
      put(nonzeroColumns(reshape(entry, [1]))[0]);
    } else if (isTensor<T>(entry)) for (const index of tensorIndices(source, dim, entry)) put(index);
    else {
      if (isList<T>(entry) || !('start' in Object(entry)))
        throw new ArgumentError(
          `index: expected an integer, slice(), '...', null or a tensor, but got ${typeof entry === 'bigint' ? entry : JSON.stringify(entry)}`,
        );
      source = sliceDim(source, dim, entry.start, entry.stop, entry.step);
      put(null);
    }
  }
  while (indices.length < source.ndim) indices.push(null);
  return { source, indices };
}

/** An integer tensor without dimensions is as good as its number, where that can be read: it selects a view. */
function asNumber<T extends Variable>(entry: T): T | number {
  const { array, ndim, dtype } = entry;
  const plain = ndim === 0 && !isMask(entry) && !isFloating(dtype) && array.backend.synchronous;
  return plain ? Number(array.backend.read(array)[0]) : entry;
}

/** An int64 vector beside x, outside the graph. */
export function integerVector<T extends Variable>(like: T, list: ArrayLike<number | bigint>): T {
  return like.derive(like.array.backend.upload(int64From(list), [list.length], 'int64'));
}

/** What nested lists say: a mask if all are bools, else an int64 tensor. @throws IndexError, ShapeError */
function listTensor<T extends Variable>(like: T, list: IndexList): T {
  const shape: number[] = [];
  for (let at: unknown = list; Array.isArray(at); at = at[0]) shape.push(at.length);
  const leaves: unknown[] = [];
  const visit = (item: unknown, depth: number): void => {
    const size = Array.isArray(item) ? item.length : undefined;
    if (size !== shape[depth])
      throw new ShapeError(
        `index: expected sequence of length ${shape[depth] ?? 'none'} at dim ${depth} (got ${size ?? String(item)})`,
      );
    if (Array.isArray(item)) for (const each of item) visit(each, depth + 1);
    else leaves.push(item);
  };
  visit(list, 0);
  if (leaves.length > 0 && leaves.every((leaf) => typeof leaf === 'boolean'))
    return like.derive(like.array.backend.upload(Uint8Array.from(leaves, Number), shape, 'bool'));
  const whole = leaves.map((leaf) => {
    if (typeof leaf === 'bigint') return leaf;
    // Tensors of one element stand for it.
    const value = leaf === null || typeof leaf === 'string' ? Number.NaN : Number(leaf);
    if (Number.isInteger(value)) return value;
    throw new IndexError(
      `index: only integers, slices, '...', null and long or byte tensors are valid indices (got ${String(leaf)})`,
    );
  });
  const index = integerVector(like, whole);
  return shape.length === 1 ? index : reshape(index, shape);
}

/** An index tensor, checked and non-negative; a mask becomes one per dimension that it covers. */
function tensorIndices<T extends Variable>(source: T, dim: number, entry: T): T[] {
  if (isFloating(entry.dtype)) {
    throw new IndexError(
      `index: tensors used as indices must be long, int, byte or bool tensors, but got ${entry.dtype}`,
    );
  }
  if (!isMask(entry)) return [checkedIndex(cast(entry, 'int64'), source.shape[dim], dim)];
  entry.shape.forEach((size, d) => {
    if (size !== source.shape[dim + d]) {
      throw new IndexError(
        `index: The shape of the mask ${formatShape(entry.shape)} at index ${d} does not match the shape of the indexed ` +
          `tensor ${formatShape(source.shape)} at index ${dim + d}`,
      );
    }
  });
  return nonzeroColumns(entry);
}

/** Index entries wrapped into [0, size). @throws IndexError naming the first that is out of range */
export function checkedIndex<T extends Variable>(
  index: T,
  size: number,
  dim: number,
  tell = (value: number | bigint): string =>
    `index ${value} is out of bounds for dimension ${dim} with size ${size}`,
): T {
  checkWithin(index, -size, size, 'index', (value) => new IndexError(tell(value)));
  // Where values come later, of no elements the index is what is wrong.
  return remainder<T>(index, Math.max(size, 1));
}

/** For each dimension of x, the int64 coordinates of its elements that are not zero. */
export function nonzeroColumns<T extends Variable>(x: T): T[] {
  const flat = x.derive(x.array.backend.nonzero(x.array));
  const strides = contiguousStrides(x.shape);
  if (x.ndim === 0) return [mul<T>(flat, 0)];
  return x.shape.map((size, d) => {
    const scaled = strides[d] === 1 ? flat : floorDivideBy(flat, strides[d]);
    return d === 0 ? scaled : remainder<T>(scaled, Math.max(size, 1));
  });
}

const floorSpec = {
  name: 'floor_divide',
  js: (a: number, b: number) => Math.floor(a / b),
  big: (a: bigint, b: bigint) => a / b,
  wgsl: 'divide(a, b)',
};

/** Non-negative int64 elements divided, rounding down. */
const floorDivideBy = <T extends Variable>(x: T, n: number): T =>
  x.derive(x.array.backend.binary(floorSpec, x.array, n));

interface Gathering<T extends Variable> {
  /** Source with the indexed dimensions where the result wants them. */
  readonly source: T;
  /** int64 flat positions in source, in the shape of the result. */
  readonly positions: T;
}

/** Index tensors select together, so they broadcast against each other. @throws IndexError in PyTorch's words */
function broadcastIndices(lead: Shape, shape: Shape, all: readonly Variable[]): Shape {
  try {
    return broadcastShapes(lead, shape, 'index');
  } catch {
    const shapes = all.map((index) => formatShape(index.shape)).join(', ');
    throw new IndexError(
      `index: shape mismatch: indexing tensors could not be broadcast together with shapes ${shapes} of argument 'indices'`,
    );
  }
}

/**
 * Turns index tensors into flat positions. Indexed dimensions that are not neighbours move to the front. To be written,
 * what `expand` repeated has one position.
 */
function gathering<T extends Variable>({ source, indices }: Plan<T>, written = false): Gathering<T> {
  const indexed = indices.flatMap((index, d) => (index === null ? [] : [d]));
  const adjacent = indexed.every((d, i) => i === 0 || d === indexed[i - 1] + 1);
  const at = adjacent ? indexed[0] : 0;
  const others = indices.flatMap((index, d) => (index === null ? [d] : []));
  const moved = adjacent ? source : permute(source, [...indexed, ...others]);
  const chosen = indexed.map((d) => indices[d]).filter((index): index is T => index !== null);
  let lead: Shape = [];
  for (const index of chosen) {
    checkDevices([source, index], 'index', 'input indices');
    lead = broadcastIndices(lead, index.shape, chosen);
  }
  const after = at + indexed.length;
  const shape = [...moved.shape.slice(0, at), ...lead, ...moved.shape.slice(after)];
  const own = written ? once(moved) : moved;
  const strides = expandStrides(own.shape, contiguousStrides(own.shape), moved.shape);
  let positions: T | null = null;
  const plus = (term: T) => {
    positions = positions === null ? term : add<T>(positions, term);
  };
  chosen.forEach((index, i) => {
    const tail = new Array<number>(moved.ndim - after).fill(1);
    const stride = strides[at + i];
    plus(reshape(stride === 1 ? index : mul<T>(index, stride), [...index.shape, ...tail]));
  });
  const rest = numElements(moved.shape) === 0 ? [] : moved.shape.keys();
  for (const d of rest) {
    if ((d >= at && d < after) || moved.shape[d] === 1) continue;
    const place = d < at ? d : d - after + at + lead.length;
    const steps = integerVector(
      source,
      [...new Array(moved.shape[d]).keys()].map((i) => i * strides[d]),
    );
    plus(
      reshape(
        steps,
        shape.map((_, i) => (i === place ? moved.shape[d] : 1)).slice(Math.min(place, shape.length)),
      ),
    );
  }
  const flat = positions ?? integerVector(source, [0]);
  return { source: own, positions: contiguous(expand(flat, shape)) };
}

/**
 * The elements that an index names, as Python's `x[...]`. Integers (also in tensors without dimensions, where they can be
 * read at once), slices, null and '...' give a view; index tensors and masks a copy. @throws IndexError for indices out of range or too many of them
 */
export function index<T extends Variable>(x: T, ...entries: readonly IndexOf<T>[]): T {
  const { source, indices } = plan(x, entries);
  if (indices.every((i) => i === null)) return source === x ? alias(x, 'AliasBackward0') : source;
  const [only, ...more] = indices.flatMap((i, d) => (i === null ? [] : [d]));
  const single = indices[only];
  if (more.length === 0 && single !== null && single.ndim === 1) return selectAlong(source, only, single);
  const { source: moved, positions } = gathering({ source, indices });
  const { shape } = positions;
  const flat = positions.derive(positions.array.view([positions.array.size], [1]));
  const taken = moved.array.backend.take(moved.array, flat.array);
  const out = taken.view(shape, contiguousStrides(shape));
  taken.release();
  const from = moved.shape;
  return record('IndexBackward0', out, [moved], () => (grad) => [
    scatterFlat(reshape(grad, [-1]), flat, from),
  ]);
}

/**
 * Rows, columns or whatever lies along dim, in the order of a checked 1-d index, or of a list. A list's tensor is out of
 * reach, so it is not saved: as in PyTorch, what moves elements about can be walked backward twice.
 */
export function selectAlong<T extends Variable>(
  x: T,
  dim: number,
  picks: T | readonly number[],
  name = 'IndexBackward0',
): T {
  const index = isList<T>(picks) ? integerVector(x, picks) : picks;
  const out = x.array.backend.indexSelect(x.array, dim, index.array);
  const from = x.shape;
  return record(name, out, [x], (node) => {
    const saved = index === picks ? node.save(index) : null;
    return (grad) => [addAlong(grad, dim, saved ? saved.get(grad) : index, from)];
  });
}

/** Zeros of `shape` with the slices of source added at the indices: the gradient of `selectAlong`. */
export function addAlong<T extends Variable>(source: T, dim: number, picks: T, shape: Shape): T {
  const { backend } = source.array;
  const out = backend.empty(shape, source.dtype);
  backend.fill(out, 0);
  backend.indexAdd(out, dim, picks.array, source.array);
  return record('IndexAddBackward0', out, [source], (node) => {
    const saved = node.save(picks);
    return (grad) => [selectAlong(grad, dim, saved.get(grad))];
  });
}

/**
 * Writes value, broadcast, where the index names elements: Python's `x[...] = value`. With `accumulate` it is added
 * instead, also several times to one element; without, the last of several wins.
 * @throws IndexError, ShapeError if value does not broadcast to what is indexed
 */
export function indexPut_<T extends Variable>(
  x: T,
  entries: readonly IndexOf<T>[],
  value: OperandOf<T>,
  given?: ByName<'accumulate', boolean>,
): T {
  tensorGiven(x, 'index_put');
  const accumulate = option<'accumulate', boolean>(given, 'index_put_', 'accumulate', false);
  operandGiven(value, 'index_put', 'value');
  const planned = plan(x, entries);
  const { source, indices } = planned;
  const tensor = typeof value === 'object' ? cast(value, x.dtype) : scalarTensor(x, value);
  if (indices.every((i) => i === null)) {
    assignView(source, tensor, accumulate);
    return x;
  }
  // One value for a mask is filled in, whatever its dtype.
  const fills =
    tensor.array.size === 1 && !accumulate && !entries.some((e) => isList(e) || (isTensor(e) && !isMask(e)));
  if (typeof value === 'object' && value.dtype !== x.dtype && !fills)
    throw new DTypeError(
      `index_put: Index put requires the source and destination dtypes match, got ${torchTypeName(x.dtype)} for the ` +
        `destination and ${torchTypeName(value.dtype)} for the source.`,
    );
  const { source: moved, positions } = gathering(planned, true);
  if (!fitsInto(tensor.shape, positions.shape)) {
    throw new ShapeError(
      `index_put: shape mismatch: value tensor of shape ${formatShape(tensor.shape)} cannot be broadcast to indexing result of shape ` +
        `${formatShape(positions.shape)}; see argument 'value'`,
    );
  }
  checkDevices([x, tensor], 'index_put', 'input value');
  const spread = contiguous(expand(tensor, positions.shape));
  const flat = positions.derive(positions.array.view([positions.array.size], [1]));
  inplace('indexPut_', moved, [spread], () => putFlat(moved, flat, reshape(spread, [-1]), accumulate));
  return x;
}

/** Whether `shape` broadcasts to `to`. */
const fitsInto = (shape: Shape, to: Shape): boolean =>
  shape.length <= to.length &&
  shape.every((size, d) => size === 1 || size === to[d + to.length - shape.length]);

function scalarTensor<T extends Variable>(x: T, value: number | bigint | boolean): T {
  const out = x.array.backend.empty([], x.dtype);
  x.array.backend.fill(out, elementValue(value, x.dtype, 'index_put'));
  return x.derive(out);
}

function assignView<T extends Variable>(target: T, value: T, accumulate: boolean): void {
  const lean = value.ndim > target.ndim ? reshape(value, value.shape.slice(value.ndim - target.ndim)) : value;
  const spread = expand(lean, target.shape);
  if (accumulate) {
    inplace('indexPut_', target, [spread], () => add<T>(target, spread));
    return;
  }
  const compute = () => {
    const copy = contiguous(spread);
    return record('CopyBackwards', copy.array, [target, copy], () => (grad) => [zeros(grad), grad]);
  };
  inplace('indexPut_', target, [spread], compute, (out) => out.backend.assign(out, spread.array));
}

/** A copy of x with 1-d source written or added at flat positions. */
export function putFlat<T extends Variable>(x: T, positions: T, source: T, accumulate: boolean): T {
  const { backend } = x.array;
  const out = backend.empty(x.shape, x.dtype);
  backend.assign(out, x.array);
  backend.put(out, positions.array, source.array, accumulate);
  return record('IndexPutBackward0', out, [x, source], (node) => (grad) => {
    const gradX = node.needs[0] && (accumulate ? grad : clearFlat(grad, positions));
    return [gradX, node.needs[1] && takeFlat(grad, positions)];
  });
}

/** A copy of x with zeros at flat positions. */
function clearFlat<T extends Variable>(x: T, positions: T): T {
  const { backend } = x.array;
  const out = backend.empty(x.shape, x.dtype);
  backend.assign(out, x.array);
  const none = backend.empty(positions.shape, x.dtype);
  backend.fill(none, 0);
  backend.put(out, positions.array, none, false);
  none.release();
  return record('IndexPutBackward0', out, [x], () => (grad) => [clearFlat(grad, positions)]);
}
