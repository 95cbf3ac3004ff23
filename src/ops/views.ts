/**
 * Views: other shapes and strides over the same memory. Their gradients are views too, so nothing is copied either
 * way, save where a shape cannot be expressed by strides.
 */

import { type Rule, record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { keepStorages, type NDArray } from '../backend/array.ts';
import { dtypeInfo } from '../core/dtype.ts';
import { ArgumentError, IndexError, ShapeError } from '../core/errors.ts';
import { iota } from '../core/int64.ts';
import {
  checkShape,
  columnMajor,
  contiguousStrides,
  exchanged,
  expandStrides,
  formatShape,
  inferShape,
  isLayoutOfOurs,
  normalizeDim,
  numElements,
  reordered,
  rowMajorStep,
  type Shape,
  type Strides,
  sameShape,
  sizeList,
  viewStrides,
} from '../core/shape.ts';
import { contiguous } from './convert.ts';
import { given, tensorGiven, wholeGiven } from './given.ts';
import { type ByName, type Flexible, inOrder, option } from './options.ts';

/** Records a view of x, and what an in-place change of either must know of the other. */
export function viewOf<T extends Variable>(
  name: string,
  x: T,
  shape: Shape,
  strides: Strides,
  offset: number,
  rule: Rule<T>,
): T {
  const out = record(name, x.array.view(shape, strides, offset), [x], () => rule);
  const base = x.viewOf?.base ?? x;
  out.markView(x, () => asStrided(base, shape, strides, offset));
  return out;
}

/**
 * int64 row-major positions in `array` of the elements that a layout over the same storage reads; its size for those that it
 * does not hold.
 */
function positionsIn(array: NDArray, shape: Shape, strides: Strides, offset: number) {
  const { backend } = array;
  let last = offset;
  for (const layout of [
    { shape, strides, offset },
    { shape: array.shape, strides: array.strides, offset: array.offset },
  ]) {
    let end = layout.offset;
    layout.shape.forEach((size, d) => {
      end += Math.max(0, size - 1) * layout.strides[d];
    });
    last = Math.max(last, end);
  }
  const map = backend.empty([last + 1], 'int64');
  backend.fill(map, array.size);
  const own = backend.upload(iota(array.size), array.shape, 'int64');
  backend.assign(map.view(array.shape, array.strides, array.offset), own);
  const positions = backend.empty([numElements(shape)], 'int64');
  backend.assign(positions.view(shape, contiguousStrides(shape)), map.view(shape, strides, offset));
  map.release();
  own.release();
  return positions;
}

/**
 * The elements of x's storage at offset + Σ index·stride, whatever x's own layout: `as_strided`. Sizes and strides in
 * elements. Gradients of elements that are read several times are summed.
 */
export function asStrided<T extends Variable>(
  x: T,
  shape: Shape,
  strides: Strides,
  offset = tensorGiven(x, 'as_strided').array.offset,
): T {
  given(shape, 'as_strided', 'shape', 'a list of sizes');
  given(strides, 'as_strided', 'strides', 'a list of strides');
  checkWindow(x, shape, strides, offset);
  // As it is now: x may take another shape in place.
  const { array } = x;
  const out = record('AsStridedBackward0', array.view(shape, strides, offset), [x], () => (grad) => {
    const positions = positionsIn(array, shape, strides, offset);
    const sums = scatterFlat(reshape(grad, [-1]), grad.derive(positions), [array.size + 1]);
    return [reshape(narrow(sums, 0, 0, array.size), array.shape)];
  });
  const base = x.viewOf?.base ?? x;
  out.markView(x, () => asStrided(base, shape, strides, offset));
  return out;
}

/** A layout must stay within its storage: beyond it lies the memory of other tensors. @throws ShapeError */
function checkWindow(x: Variable, shape: Shape, strides: Strides, offset: number): void {
  checkShape(shape, 'as_strided');
  const given = `sizes ${formatShape(shape)}, strides ${formatShape(strides)} and storage offset ${offset}`;
  const whole = [...strides, offset].every((n) => Number.isInteger(n) && n >= 0);
  if (strides.length !== shape.length || !whole) {
    throw new ShapeError(
      `as_strided: expected one stride for every size, and no negative strides or offset, but got ${given}`,
    );
  }
  const { storage, dtype } = x.array;
  const room = storage.byteLength / dtypeInfo[dtype].bytes;
  const last = shape.reduce((at, size, d) => at + (size - 1) * strides[d], offset);
  if (numElements(shape) > 0 && last >= room) {
    throw new ShapeError(
      `as_strided: setStorage: ${given} are out of bounds for a storage of ${room} elements: the last is number ${last}`,
    );
  }
}

/** Zeros of `shape` with source[i] added at flat position positions[i]; source and positions are 1-d. */
export function scatterFlat<T extends Variable>(source: T, positions: T, shape: Shape): T {
  const { backend } = source.array;
  const out = backend.empty(shape, source.dtype);
  backend.fill(out, 0);
  backend.put(out, positions.array, source.array, true);
  return record('PutBackward0', out, [source], () => (grad) => [takeFlat(grad, positions)]);
}

/** x's elements (row-major) at int64 flat positions, in the shape of positions. */
export function takeFlat<T extends Variable>(x: T, positions: T): T {
  const { shape } = x;
  const array = x.array.backend.take(x.array, positions.array);
  return record('TakeBackward0', array, [x], () => (grad) => [
    scatterFlat(
      reshape(grad, [-1]),
      positions.derive(positions.array.view([positions.array.size], [1])),
      shape,
    ),
  ]);
}

/**
 * Has a matrix whose layout was the library's affair move to row-major memory, and with it x, a view of it. Other views that
 * were made before keep the memory that there was.
 */
function straighten(x: NDArray, whole: NDArray): void {
  const { backend, dtype, shape, offset, strides } = whole;
  const stepOf = (step: number) => rowMajorStep(step, strides[1], shape[1]);
  const straight = keepStorages(() => backend.empty(shape, dtype));
  backend.assign(straight, whole);
  whole.become(straight);
  if (x !== whole) x.become(whole.view(x.shape, x.strides.map(stepOf), stepOf(x.offset - offset)));
}

/**
 * x with another shape over the same memory; one size may be -1.
 * @throws ShapeError if the sizes do not multiply to x's, or if strides cannot express it (use `reshape`)
 */
export function view<T extends Variable>(x: T, sizes: Shape): T {
  const shape = inferShape(sizes, x.array.size, 'view');
  let strides = viewStrides(x.shape, x.array.strides, shape);
  if (strides === null) {
    const whole = [x.viewOf?.base, x].find((y) => y && isLayoutOfOurs(y.array.strides));
    if (whole) straighten(x.array, whole.array);
    strides = viewStrides(x.shape, x.array.strides, shape);
  }
  if (strides === null) {
    throw new ShapeError(
      "view: view size is not compatible with input tensor's size and stride (at least one dimension spans across two " +
        `contiguous subspaces). Use .reshape(...) instead; got a tensor of shape ${formatShape(x.shape)} with strides ` +
        `${formatShape(x.array.strides)}, asked for ${formatShape(shape)}`,
    );
  }
  const from = x.shape;
  return viewOf('ViewBackward0', x, shape, strides, x.array.offset, (grad) => [reshape(grad, from)]);
}

/** All of x as a view of its own: another tensor, whose shape may change in place. */
export const alias = <T extends Variable>(x: T, name = 'ViewBackward0'): T =>
  viewOf(name, x, x.shape, x.array.strides, x.array.offset, (grad) => [grad]);

/** `reshape` for users, who never get x itself. */
export function reshaped<T extends Variable>(x: T, sizes: Shape): T {
  const out = reshape(x, sizes);
  return out === x ? alias(x) : out;
}

/**
 * x with another shape: x itself if it has it, else a view where possible, else a copy. One size may be -1.
 * @throws ShapeError
 */
export function reshape<T extends Variable>(x: T, sizes: Shape): T {
  tensorGiven(x, 'reshape');
  given(sizes, 'reshape', 'shape', 'a list of sizes');
  const shape = inferShape(sizes, x.array.size, 'reshape');
  if (sameShape(shape, x.shape)) return x;
  const strides = viewStrides(x.shape, x.array.strides, shape);
  const source = strides === null ? contiguous(x) : x;
  const from = x.shape;
  const rule: Rule<T> = (grad) => [reshape(grad, from)];
  if (strides !== null) return viewOf('ViewBackward0', source, shape, strides, source.array.offset, rule);
  return record(
    'UnsafeViewBackward0',
    source.array.view(shape, contiguousStrides(shape)),
    [source],
    () => rule,
  );
}

/** x read as if it had the larger shape: sizes of 1 repeat, new leading dimensions repeat; -1 keeps a size. */
export function expand<T extends Variable>(x: T, sizes: Shape): T {
  const shift = sizes.length - x.shape.length;
  if (shift < 0) {
    throw new ShapeError(
      `expand: the number of sizes provided (${sizes.length}) must be greater or equal to the number of dimensions in ` +
        `the tensor (${x.shape.length}); got ${formatShape(sizes)} as argument 'size' for ${formatShape(x.shape)}`,
    );
  }
  const shape = sizeList(sizes);
  for (let d = 0; d < sizes.length; d++) {
    const size = sizes[d];
    const own = d >= shift ? x.shape[d - shift] : 1;
    if (size === -1 && d >= shift) shape[d] = own;
    else if (!Number.isInteger(size) || size < 0 || (d >= shift && own !== 1 && own !== size)) {
      throw new ShapeError(
        `expand: The expanded size of the tensor (${size}) must match the existing size (${own}) at non-singleton ` +
          `dimension ${d}.  Target sizes: ${formatShape(sizes)}.  Tensor sizes: ${formatShape(x.shape)}`,
      );
    }
  }
  const strides = expandStrides(x.shape, x.array.strides, shape);
  // The walk sums the gradient back to x's shape.
  return viewOf('ExpandBackward0', x, shape, strides, x.array.offset, (grad) => [grad]);
}

/** The dimensions in another order. @throws ShapeError if dims is not a permutation */
export function permute<T extends Variable>(x: T, dims: readonly number[]): T {
  tensorGiven(x, 'permute');
  given(dims, 'permute', 'dims', 'a list of dimensions');
  if (dims.length !== x.ndim) {
    throw new ShapeError(
      'permute: number of dimensions in the tensor input does not match the length of the desired ordering of ' +
        `dimensions i.e. input.dim() = ${x.ndim} is not equal to len(dims) = ${dims.length}`,
    );
  }
  const { ndim } = x;
  const order = dims.map((d) => normalizeDim(d, ndim, 'permute'));
  if (new Set(order).size !== order.length)
    throw new ShapeError(
      `permute: duplicate dims are not allowed in argument 'dims'; got ${formatShape(dims)}`,
    );
  const inverse = order.slice();
  order.forEach((d, i) => {
    inverse[d] = i;
  });
  return viewOf(
    'PermuteBackward0',
    x,
    reordered(x.shape, order),
    reordered(x.array.strides, order),
    x.array.offset,
    (grad) => [permute(grad, inverse)],
  );
}

/** Two dimensions exchanged. @throws IndexError for a dimension out of range */
export function transpose<T extends Variable>(x: T, dim0: number, dim1: number): T {
  tensorGiven(x, 'transpose');
  const a = normalizeDim(dim0, x.ndim, 'transpose');
  const b = normalizeDim(dim1, x.ndim, 'transpose');
  return exchange(x, a, b, exchanged(x.array.strides, a, b));
}

const exchange = <T extends Variable>(x: T, a: number, b: number, strides: Strides): T =>
  viewOf('TransposeBackward0', x, exchanged(x.shape, a, b), strides, x.array.offset, (grad) => [
    transposedGradient(grad, a, b),
  ]);

/** `transpose` for gradients: no user has asked for a matrix that lies column by column. */
export function transposedGradient<T extends Variable>(grad: T, a: number, b: number): T {
  const { shape, strides, contiguous: straight } = grad.array;
  const turned = straight && shape.length === 2 && a !== b;
  return exchange(grad, a, b, turned ? columnMajor(shape[1]) : exchanged(strides, a, b));
}

/** The matrix transposed; 0-d and 1-d tensors stay as they are. @throws ShapeError for more than 2 dimensions */
export function t<T extends Variable>(x: T): T {
  tensorGiven(x, 't');
  if (x.ndim > 2) throw new ShapeError(`t() expects a tensor with <= 2 dimensions, but self is ${x.ndim}D`);
  if (x.ndim < 2) return viewOf('TBackward0', x, x.shape, x.array.strides, x.array.offset, (grad) => [grad]);
  const [m, n] = x.shape;
  const [sm, sn] = x.array.strides;
  return viewOf('TBackward0', x, [n, m], [sn, sm], x.array.offset, (grad) => [
    transposedGradient(grad, 0, 1),
  ]);
}

/** One index of one dimension, which vanishes. @throws IndexError */
export function select<T extends Variable>(x: T, dim: number, index: number): T {
  tensorGiven(x, 'select');
  if (x.ndim === 0) throw new IndexError('select() cannot be applied to a 0-dim tensor.');
  const d = normalizeDim(dim, x.ndim, 'select');
  const size = x.shape[d];
  if (!Number.isInteger(index) || index < -size || index >= size) {
    throw new IndexError(`select: index ${index} is out of bounds for dimension ${d} with size ${size}`);
  }
  const i = index < 0 ? index + size : index;
  const without = (list: readonly number[]) => list.filter((_, at) => at !== d);
  const from = x.shape;
  return viewOf(
    'SelectBackward0',
    x,
    without(x.shape),
    without(x.array.strides),
    x.array.offset + i * x.array.strides[d],
    (grad) => [placeSlice(unsqueeze(grad, d), from, d, i, 1)],
  );
}

/**
 * Every `step`-th index of a dimension from start (inclusive) to end (exclusive). Negative bounds count from the end,
 * and bounds beyond it, also infinite ones, are pulled in, as in Python.
 * @throws ArgumentError for bounds that are no integers, or if step is not a positive one
 */
export function slice<T extends Variable>(
  x: T,
  dim: number,
  start: number | null,
  end: number | null,
  step = 1,
): T {
  if (x.ndim === 0) throw new IndexError('slice() cannot be applied to a 0-dim tensor.');
  const d = normalizeDim(dim, x.ndim, 'slice');
  if (!Number.isInteger(step) || step <= 0)
    throw new ArgumentError(`slice: slice step must be positive, but got ${step}`);
  const size = x.shape[d];
  const clamp = (at: number, argument: string) =>
    wholeGiven(Math.min(Math.max(at < 0 ? at + size : at, 0), size), 'slice', argument);
  const first = clamp(start ?? 0, 'start');
  const count = Math.max(0, Math.ceil((clamp(end ?? size, 'end') - first) / step));
  const from = x.shape;
  return viewOf(
    'SliceBackward0',
    x,
    from.with(d, count),
    x.array.strides.with(d, x.array.strides[d] * step),
    x.array.offset + (count > 0 ? first : 0) * x.array.strides[d],
    (grad) => [placeSlice(grad, from, d, first, step)],
  );
}

/** `length` indices of a dimension from `start`: a slice whose bounds must fit. @throws IndexError */
export function narrow<T extends Variable>(x: T, dim: number, start: number, length: number): T {
  tensorGiven(x, 'narrow');
  const d = normalizeDim(dim, x.ndim, 'narrow');
  const size = x.shape[d];
  wholeGiven(start, 'narrow', 'start');
  wholeGiven(length, 'narrow', 'length');
  const first = start < 0 ? start + size : start;
  if (!(first >= 0 && first <= size)) {
    throw new IndexError(
      `narrow: start out of range (expected argument 'start' to be in range of [${-size}, ${size}], but got ${start})`,
    );
  }
  if (!(length >= 0 && first + length <= size)) {
    throw new IndexError(
      `narrow: 'start' (${start}) + 'length' (${length}) exceeds dimension size (${size}).`,
    );
  }
  return slice(x, d, first, first + length);
}

/** Zeros of `shape` with `x` at every step-th index of a dimension: the gradient of slicing. */
export function placeSlice<T extends Variable>(
  x: T,
  shape: Shape,
  dim: number,
  start: number,
  step: number,
): T {
  const { backend } = x.array;
  const out = backend.empty(shape, x.dtype);
  backend.fill(out, 0);
  const strides = out.strides.with(dim, out.strides[dim] * step);
  out.assignPart(x.array, strides, start * out.strides[dim]);
  const end = x.shape[dim] === 0 ? start : start + (x.shape[dim] - 1) * step + 1;
  return record('SliceBackward0', out, [x], () => (grad) => [slice(grad, dim, start, end, step)]);
}

/** Without dimension `dim` if its size is 1; without all such dimensions if none is named. */
export function squeeze<T extends Variable>(x: T, dim?: ByName<'dim', number | readonly number[]>): T {
  tensorGiven(x, 'squeeze');
  const dims = option<'dim', number | readonly number[] | undefined>(dim, 'squeeze', 'dim', undefined);
  const chosen =
    dims === undefined
      ? [...x.shape.keys()]
      : (typeof dims === 'number' ? [dims] : dims).map((d) => normalizeDim(d, x.ndim, 'squeeze'));
  const keep = (_: number, d: number) => !(chosen.includes(d) && x.shape[d] === 1);
  const from = x.shape;
  return viewOf(
    dims === undefined ? 'SqueezeBackward0' : 'SqueezeBackward1',
    x,
    x.shape.filter(keep),
    x.array.strides.filter(keep),
    x.array.offset,
    (grad) => [reshape(grad, from)],
  );
}

/** With a new dimension of size 1 before `dim`, which may be ndim. @throws IndexError */
export function unsqueeze<T extends Variable>(x: T, dim: ByName<'dim', number>): T {
  tensorGiven(x, 'unsqueeze');
  const d = normalizeDim(option(dim, 'unsqueeze', 'dim', Number.NaN), x.ndim + 1, 'unsqueeze');
  const shape = x.shape.toSpliced(d, 0, 1);
  const stride = d < x.ndim ? x.shape[d] * x.array.strides[d] : 1;
  const from = x.shape;
  return viewOf(
    'UnsqueezeBackward0',
    x,
    shape,
    x.array.strides.toSpliced(d, 0, stride),
    x.array.offset,
    (grad) => [reshape(grad, from)],
  );
}

export interface FlattenOptions {
  startDim?: number;
  endDim?: number;
}

/** `(startDim, endDim)`, any tail of them by name. */
export type FlattenArguments = Flexible<[startDim: number, endDim: number], FlattenOptions>;

/** Dimensions startDim … endDim (default all) merged into one: a view where possible. */
export function flatten<T extends Variable>(x: T, ...args: FlattenArguments): T {
  tensorGiven(x, 'flatten');
  const [start = 0, end = -1] = inOrder<[number, number]>('flatten', 'startDim endDim', args);
  const first = normalizeDim(start, x.ndim, 'flatten');
  const last = normalizeDim(end, x.ndim, 'flatten');
  if (first > last) throw new ShapeError(`flatten() has invalid args: start_dim cannot come after end_dim`);
  if (x.ndim === 0) return reshape(x, [1]);
  const sizes: number[] = [];
  let joined = 1;
  for (let d = 0; d < x.ndim; d++) {
    if (d >= first && d <= last) joined *= x.shape[d];
    else sizes.push(x.shape[d]);
    if (d === last) sizes.push(joined);
  }
  return reshape(x, sizes);
}
