/** A tensor as a list of parts, lists of tensors as one, and grids made of vectors. Parts are views. */

import { recordMany } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { ArgumentError, DTypeError, IndexError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import {
  checkShape,
  broadcastShapes as commonShape,
  formatShape,
  normalizeDim,
  type Shape,
} from '../core/shape.ts';
import { zerosOf } from './along.ts';
import { checkDevices } from './convert.ts';
import { given, optionsGiven, tensorGiven, tensorsGiven, wholeGiven } from './given.ts';
import { cat } from './join.ts';
import { type ByName, option } from './options.ts';
import { taking } from './taking.ts';
import { asStrided, expand, narrow, reshape, slice, unsqueeze } from './views.ts';

type Dim = ByName<'dim', number>;

/**
 * Views of the given sizes behind one another along dim, or, with `single`, of one index each, without that dimension. They
 * are the outputs of one node, so that the gradients of all are put together once.
 */
function parts<T extends Variable>(
  x: T,
  dim: number,
  sizes: readonly number[],
  name: string,
  single = false,
): T[] {
  const { array, shape: from } = x;
  let start = 0;
  const views = sizes.map((size) => {
    const offset = array.offset + (size > 0 ? start : 0) * array.strides[dim];
    start += size;
    const [shape, strides] = single
      ? [from.toSpliced(dim, 1), array.strides.toSpliced(dim, 1)]
      : [from.with(dim, size), array.strides];
    return array.view(shape, strides, offset);
  });
  const outputs = recordMany(name, views, [x], partsRule<T>(from, dim, sizes, single));
  const base = x.viewOf?.base ?? x;
  outputs.forEach((out, i) => {
    const { shape, strides, offset } = views[i];
    out.markView(
      x,
      () => asStrided(base, shape, strides, offset),
      'is the output of a function that returns multiple views',
    );
  });
  return outputs;
}

const partsRule =
  <T extends Variable>(shape: Shape, dim: number, sizes: readonly number[], single: boolean) =>
  () =>
  (grads: readonly (T | null)[]) => [joined(grads, shape, dim, sizes, single)];

/** The gradients of the parts as that of the whole; zeros where there are none. */
function joined<T extends Variable>(
  grads: readonly (T | null)[],
  shape: Shape,
  dim: number,
  sizes: readonly number[],
  single: boolean,
): T {
  const pieces: T[] = [];
  const like = grads.find((grad) => grad !== null)!;
  let missing = 0;
  const fill = (): void => {
    if (missing > 0) pieces.push(zerosOf(like, shape.with(dim, missing)));
    missing = 0;
  };
  grads.forEach((grad, i) => {
    if (grad === null) missing += sizes[i];
    else {
      fill();
      pieces.push(single ? unsqueeze(grad, dim) : grad);
    }
  });
  fill();
  return cat(pieces, dim);
}

function checkDimensions(x: Variable, op: string): void {
  if (x.ndim === 0)
    throw new ShapeError(
      `${op}: ${op} expects at least a 1-dimensional tensor; expected argument 'input' with dimensions, but got a tensor with 0 dims`,
    );
}

/** Parts of the given size along dim (the last may be smaller), or of the listed sizes, which must add up. */
export const split = /* @__PURE__ */ taking('split', 'splitSizeOrSections|splitSize dim?', function split<
  T extends Variable,
>(x: T, size: number | readonly number[], dim?: Dim): T[] {
  tensorGiven(x, 'split');
  checkDimensions(x, 'split');
  const d = normalizeDim(option(dim, 'split', 'dim', 0), x.ndim, 'split');
  const n = x.shape[d];
  given(size, 'split', 'size', 'a number or a list of numbers');
  if (typeof size !== 'number') {
    if (size.some((s) => !Number.isInteger(s) || s < 0) || size.reduce((a, b) => a + b, 0) !== n) {
      throw new ShapeError(
        `split: split_with_sizes expects split_sizes to sum exactly to ${n} (input tensor's size at dimension ${d}), but got ` +
          `split_sizes=${formatShape(size)}`,
      );
    }
    return parts(x, d, size, 'SplitWithSizesBackward0');
  }
  if (!Number.isInteger(size) || size < 0 || (size === 0 && n !== 0)) {
    throw new ArgumentError(`split: split expects split_size be non-negative, but got split_size=${size}`);
  }
  const count = size === 0 ? 1 : Math.max(1, Math.ceil(n / size));
  return parts(
    x,
    d,
    Array.from({ length: count }, (_, i) => Math.min(size, n - i * size)),
    'SplitBackward0',
  );
});

/** At most `chunks` parts along dim, all of one size but the last. @throws ArgumentError */
export const chunk = /* @__PURE__ */ taking('chunk', 'chunks dim?', function chunk<
  T extends Variable,
>(x: T, chunks: number, dim?: Dim): T[] {
  tensorGiven(x, 'chunk');
  checkDimensions(x, 'chunk');
  if (!Number.isInteger(chunks) || chunks <= 0)
    throw new ArgumentError(`chunk: expects \`chunks\` to be greater than 0, got: ${chunks}`);
  const d = normalizeDim(option(dim, 'chunk', 'dim', 0), x.ndim, 'chunk');
  const size = Math.ceil(x.shape[d] / chunks);
  return size === 0
    ? parts(x, d, new Array<number>(chunks).fill(0), 'SplitWithSizesBackward0')
    : split(x, size, d);
});

/** A number of parts, or where they begin, of a tensor that can be read. */
function numbersOf(x: Variable): number | readonly number[] {
  const list = Array.from(x.array.backend.hostValues(x.array, 'tensor_split'), Number);
  return x.ndim === 0 ? list[0] : list;
}

/** `sections` parts as equal as can be (the first ones larger), or parts that begin at the listed indices. */
export const tensorSplit = /* @__PURE__ */ taking(
  'tensor_split',
  'indicesOrSections|sections|indices dim?',
  function tensorSplit<T extends Variable>(x: T, wanted: number | readonly number[] | T, dim?: Dim): T[] {
    const sections =
      typeof wanted === 'object' && wanted !== null && 'array' in wanted ? numbersOf(wanted) : wanted;
    tensorGiven(x, 'tensor_split');
    checkDimensions(x, 'tensor_split');
    const d = normalizeDim(option(dim, 'tensor_split', 'dim', 0), x.ndim, 'tensor_split');
    const n = x.shape[d];
    if (typeof sections === 'number') {
      if (!Number.isInteger(sections) || sections <= 0) {
        throw new ArgumentError(`tensor_split: number of sections must be larger than 0, got ${sections}`);
      }
      const begin = (i: number) => i * Math.floor(n / sections) + Math.min(i, n % sections);
      return Array.from({ length: sections }, (_, i) => slice(x, d, begin(i), begin(i + 1)));
    }
    given(sections, 'tensor_split', 'sections', 'a number or a list of numbers');
    const clamp = (i: number) =>
      Math.min(Math.max(wholeGiven(i, 'tensor_split', 'indices') < 0 ? i + n : i, 0), n);
    const bounds = [0, ...sections.map(clamp), n];
    return bounds
      .slice(1)
      .map((end, i) => narrow(x, d, Math.min(bounds[i], n), Math.max(0, end - bounds[i])));
  },
);

/** Parts along the second dimension (the first of a vector). */
export const hsplit = <T extends Variable>(x: T, sections: number | readonly number[]): T[] =>
  inOp('hsplit', () => tensorSplit(tensorGiven(x, 'hsplit'), sections, x.ndim === 1 ? 0 : 1));
/** Parts along the first dimension. @throws ShapeError for fewer than two dimensions */
export function vsplit<T extends Variable>(x: T, sections: number | readonly number[]): T[] {
  tensorGiven(x, 'vsplit');
  if (x.ndim < 2)
    throw new ShapeError(
      `vsplit: requires a tensor with at least 2 dimension, but got a tensor with ${x.ndim} dimensions!`,
    );
  return inOp('vsplit', () => tensorSplit(x, sections, 0));
}

/** The slices along dim, each without it. */
export function unbind<T extends Variable>(x: T, dim?: Dim): T[] {
  tensorGiven(x, 'unbind');
  if (x.ndim === 0) {
    throw new IndexError(
      "unbind: Dimension specified as 0 but tensor has no dimensions; got a 0-d argument 'input'",
    );
  }
  const d = normalizeDim(option(dim, 'unbind', 'dim', 0), x.ndim, 'unbind');
  return parts(x, d, new Array<number>(x.shape[d]).fill(1), 'UnbindBackward0', true);
}

/** At least one dimension. */
export const atleast1d = <T extends Variable>(x: T): T =>
  tensorGiven(x, 'atleast1d').ndim === 0 ? reshape(x, [1]) : x;
/** At least two dimensions; a vector becomes a row. */
export const atleast2d = <T extends Variable>(x: T): T =>
  tensorGiven(x, 'atleast2d').ndim < 2 ? unsqueeze(atleast1d(x), 0) : x;
/** At least three dimensions; a matrix becomes [m, n, 1]. */
export const atleast3d = <T extends Variable>(x: T): T =>
  tensorGiven(x, 'atleast3d').ndim < 3 ? unsqueeze(atleast2d(x), 2) : x;

/** Tensors side by side: along the second dimension, vectors along the only one. */
export function hstack<T extends Variable>(tensors: readonly T[]): T {
  return inOp('hstack', () => {
    const list = tensorsGiven(tensors, 'hstack').map(atleast1d);
    return cat(list, list.length > 0 && list[0].ndim > 1 ? 1 : 0);
  });
}
/** Tensors one above the other; vectors are rows. */
export const vstack = <T extends Variable>(tensors: readonly T[]): T =>
  inOp('vstack', () => cat(tensorsGiven(tensors, 'vstack').map(atleast2d), 0));
/** Tensors behind one another, along the third dimension. */
export const dstack = <T extends Variable>(tensors: readonly T[]): T =>
  inOp('dstack', () => cat(tensorsGiven(tensors, 'dstack').map(atleast3d), 2));
/** Vectors as the columns of a matrix; matrices side by side. */
export const columnStack = <T extends Variable>(tensors: readonly T[]): T =>
  inOp('column_stack', () =>
    cat(
      tensorsGiven(tensors, 'column_stack').map((x) => (x.ndim < 2 ? reshape(x, [x.array.size, 1]) : x)),
      1,
    ),
  );
/** `vstack` by its other name. */
export const rowStack = vstack;

/** The shape that tensors of these shapes broadcast to; a number is the shape of a vector. @throws ShapeError */
export function broadcastShapes(...shapes: readonly (number | Shape)[]): number[] {
  const op = 'broadcast_shapes';
  const lists = shapes.map((shape, i) => {
    const list = typeof shape === 'number' ? [shape] : given(shape, op, `shapes[${i}]`, 'a shape');
    checkShape(list, op);
    return list;
  });
  return [
    ...lists.reduce<Shape>(
      (all, shape, i) => commonShape(all, shape, op, ['the others', `shapes[${i}]`]),
      [],
    ),
  ];
}

/** The tensors as views of their common broadcast shape. */
export function broadcastTensors<T extends Variable>(...tensors: readonly T[] | [readonly T[]]): T[] {
  const list = tensorsGiven(listOf<T>(tensors), 'broadcast_tensors');
  let shape: readonly number[] = [];
  for (const x of list) shape = commonShape(shape, x.shape, 'broadcast_tensors');
  return list.map((x) => expand(x, shape));
}

function listOf<T extends Variable>(tensors: readonly unknown[]): readonly T[] {
  return (tensors.length === 1 && Array.isArray(tensors[0]) ? tensors[0] : tensors) as readonly T[];
}

export interface MeshgridOptions {
  /** 'ij': the first vector along the first dimension (default); 'xy': along the second. */
  indexing?: 'ij' | 'xy';
}

/** Grids of coordinates: each vector spread over all combinations. A list or several arguments; options last. */
export function meshgrid<T extends Variable>(...args: readonly (T | readonly T[] | MeshgridOptions)[]): T[] {
  const last = args[args.length - 1];
  const hasOptions = typeof last === 'object' && last !== null && !Array.isArray(last) && !('array' in last);
  const { indexing = 'ij' } = hasOptions ? optionsGiven(last as MeshgridOptions, 'meshgrid', 'indexing') : {};
  const list = listOf<T>(hasOptions ? args.slice(0, -1) : args);
  if (list.length === 0)
    throw new ArgumentError("meshgrid: argument 'tensors' expects a non-empty TensorList, but got none");
  tensorsGiven(list, 'meshgrid');
  checkDevices(list, 'meshgrid', '');
  if (indexing !== 'ij' && indexing !== 'xy')
    throw new ArgumentError(`meshgrid: indexing must be one of "xy" or "ij", but received: ${indexing}`);
  for (const x of list) {
    if (x.ndim > 1)
      throw new ShapeError(
        `meshgrid: Expected 0D or 1D tensor in the tensor list but got: ${formatShape(x.shape)}`,
      );
  }
  if (list.some((x) => x.dtype !== list[0].dtype)) {
    throw new DTypeError(
      `meshgrid: expects all tensors to have the same dtype, but got ${list.map((x) => x.dtype).join(', ')}`,
    );
  }
  const swap = indexing === 'xy' && list.length >= 2;
  const ordered = swap ? [list[1], list[0], ...list.slice(2)] : list;
  const shape = ordered.map((x) => x.array.size);
  const grids = ordered.map((x, d) =>
    expand(
      reshape(
        x,
        shape.map((size, i) => (i === d ? size : 1)),
      ),
      shape,
    ),
  );
  return swap ? [grids[1], grids[0], ...grids.slice(2)] : grids;
}

/** All combinations of the elements of vectors, one a row. */
export function cartesianProd<T extends Variable>(...vectors: readonly T[]): T {
  return inOp('cartesian_prod', () => {
    if (vectors.length === 1) return vectors[0];
    const columns = meshgrid<T>(...tensorsGiven(vectors, 'cartesian_prod')).map((g) => reshape(g, [-1, 1]));
    return cat(columns, 1);
  });
}
