/** Diagonals and triangles of matrices, sliding windows, and dimensions split in two. */

import { type Rule, record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { iota } from '../core/int64.ts';
import { tabulate } from '../core/lists.ts';
import {
  contiguousStrides,
  formatShape,
  inferShape,
  normalizeDim,
  numElements,
  type Shape,
} from '../core/shape.ts';
import { zerosOf } from './along.ts';
import { ge, le, logicalNot } from './comparison.ts';
import { detached, named } from './composite.ts';
import { contiguous } from './convert.ts';
import { given, tensorGiven, wholeGiven } from './given.ts';
import { integerVector } from './indexing.ts';
import { once } from './inplace.ts';
import { inplaceOf } from './inplaceForms.ts';
import { type ByName, type Flexible, inOrder, option } from './options.ts';
import { maskedFill_ } from './pick.ts';
import { sum } from './reduce.ts';
import { taking } from './taking.ts';
import { reshape, scatterFlat, transpose, view, viewOf } from './views.ts';
import { whereOp } from './where.ts';

type DiagonalNumber = ByName<'diagonal', number>;

function triangle<T extends Variable>(x: T, diagonal: number, lower: boolean): T {
  const op = lower ? 'tril' : 'triu';
  wholeGiven(diagonal, op, 'diagonal');
  if (x.ndim < 2)
    throw new ShapeError(
      `${op}: input tensor must have at least 2 dimensions; got shape ${formatShape(x.shape)}`,
    );
  const [m, n] = x.shape.slice(-2);
  // Numbers of rows and columns as floats, which are compared many at a time, as far as floats count.
  const numbers = (length: number, first: number): T => {
    const list = tabulate(length, (i) => i + first);
    if (Math.abs(first) + length > 2 ** 24) return integerVector(x, list);
    return x.derive(x.array.backend.upload(new Float32Array(list), [length], 'float32'));
  };
  const columns = numbers(n, 0);
  const rows = reshape(numbers(m, diagonal), [m, 1]);
  const kept = lower ? le<T>(columns, rows) : ge<T>(columns, rows);
  const out = whereOp<T>(kept, detached(x), x.dtype === 'bool' ? false : 0);
  return record(lower ? 'TrilBackward0' : 'TriuBackward0', out.array, [x], triangleRule<T>(diagonal, lower));
}

const triangleRule =
  <T extends Variable>(diagonal: number, lower: boolean) =>
  (): Rule<T> =>
  (grad) => [triangle(grad, diagonal, lower)];

/** The lower triangle of matrices [..., m, n], up to the given diagonal; the rest is 0. @throws ShapeError */
export const tril = <T extends Variable>(x: T, diagonal?: DiagonalNumber): T =>
  triangle(tensorGiven(x, 'tril'), option(diagonal, 'tril', 'diagonal', 0), true);
/** The upper triangle of matrices [..., m, n], from the given diagonal on; the rest is 0. @throws ShapeError */
export const triu = <T extends Variable>(x: T, diagonal?: DiagonalNumber): T =>
  triangle(tensorGiven(x, 'triu'), option(diagonal, 'triu', 'diagonal', 0), false);

/** `tril` or `triu` in place; of an expanded tensor all is 0 that is so at any of its places. */
export function triangle_<T extends Variable>(x: T, diagonal: DiagonalNumber, op: typeof tril): T {
  const name = `${op === tril ? 'tril' : 'triu'}_`;
  if (once(x) === x) return inplaceOf<T>(name, x, [], (y) => op(y, diagonal));
  const all = logicalNot<T>(zerosOf(x, x.shape));
  return maskedFill_<T>(x, logicalNot<T>(inOp(name, () => op<T>(all, diagonal))), 0);
}

export interface DiagonalOptions {
  /** 0 the main one, above it positive, below negative. */
  offset?: number;
  dim1?: number;
  dim2?: number;
}

interface DiagonalPlace {
  readonly shape: number[];
  readonly strides: number[];
  readonly start: number;
}

/** Where the diagonal of two dimensions lies: the other dimensions first, the diagonal last. */
function diagonalPlace(shape: Shape, strides: Shape, offset: number, a: number, b: number): DiagonalPlace {
  const rest = [...shape.keys()].filter((d) => d !== a && d !== b);
  const length = Math.max(
    0,
    offset >= 0 ? Math.min(shape[a], shape[b] - offset) : Math.min(shape[a] + offset, shape[b]),
  );
  const start = length === 0 ? 0 : offset >= 0 ? offset * strides[b] : -offset * strides[a];
  return {
    shape: [...rest.map((d) => shape[d]), length],
    strides: [...rest.map((d) => strides[d]), strides[a] + strides[b]],
    start,
  };
}

/** `(offset, dim1, dim2)`, any tail of them by name. */
export type DiagonalArguments = Flexible<[offset: number, dim1: number, dim2: number], DiagonalOptions>;

/** The diagonal of two dimensions as a view: the other dimensions first, the diagonal last. @throws ShapeError */
export const diagonal = /* @__PURE__ */ taking('diagonal', 'offset? dim1? dim2?', function diagonal<
  T extends Variable,
>(x: T, offset = 0, dim1 = 0, dim2 = 1): T {
  tensorGiven(x, 'diagonal');
  const a = normalizeDim(dim1, x.ndim, 'diagonal');
  const b = normalizeDim(dim2, x.ndim, 'diagonal');
  if (a === b) throw new ShapeError(`diagonal: dimensions cannot be identical ${dim1}, ${dim2}`);
  const by = wholeGiven(offset, 'diagonal', 'offset');
  const place = diagonalPlace(x.shape, x.array.strides, by, a, b);
  const from = x.shape;
  return viewOf('DiagonalBackward0', x, place.shape, place.strides, x.array.offset + place.start, (grad) => [
    placeDiagonal(grad, from, by, a, b),
  ]);
});

/** Zeros of `shape` with x on a diagonal. */
function placeDiagonal<T extends Variable>(x: T, shape: Shape, offset: number, a: number, b: number): T {
  const out = zerosOf(x, shape).array;
  const place = diagonalPlace(shape, out.strides, offset, a, b);
  out.assignPart(x.array, place.strides, place.start);
  return record('DiagonalBackward0', out, [x], () => (grad) => [diagonal(grad, offset, a, b)]);
}

/** Matrices with x's last dimension on a diagonal; they lie in dimensions dim1 and dim2 of the result. */
export function diagEmbed<T extends Variable>(x: T, ...args: DiagonalArguments): T {
  tensorGiven(x, 'diag_embed');
  type Values = [number, number, number];
  const [offset = 0, dim1 = -2, dim2 = -1] = inOrder<Values>('diag_embed', 'offset dim1 dim2', args);
  const by = wholeGiven(offset, 'diag_embed', 'offset');
  const ndim = x.ndim + 1;
  const a = normalizeDim(dim1, ndim, 'diag_embed');
  const b = normalizeDim(dim2, ndim, 'diag_embed');
  if (a === b) throw new ShapeError(`diag_embed: diagonal dimensions cannot be identical ${dim1}, ${dim2}`);
  const size = x.shape[x.ndim - 1] + Math.abs(by);
  const rest = x.shape.slice(0, -1);
  const shape = Array.from({ length: ndim }, (_, d) => (d === a || d === b ? size : (rest.shift() ?? 0)));
  return placeDiagonal(x, shape, by, a, b);
}

/** Of a vector the matrix with it on a diagonal; of a matrix the diagonal, as a copy. @throws ShapeError */
export function diag<T extends Variable>(x: T, offset?: DiagonalNumber): T {
  tensorGiven(x, 'diag');
  const by = wholeGiven(option(offset, 'diag', 'diagonal', 0), 'diag', 'diagonal');
  if (x.ndim === 1) return diagEmbed(x, by);
  if (x.ndim === 2) return contiguousCopy(diagonal(x, by));
  throw new ShapeError(`diag(): Supports 1D or 2D tensors. Got ${x.ndim}D`);
}

function contiguousCopy<T extends Variable>(x: T): T {
  const out = x.array.backend.empty(x.shape, x.dtype);
  x.array.backend.assign(out, x.array);
  return record('DiagonalCopyBackward0', out, [x], () => (grad) => [grad]);
}

/** The sum of a matrix's diagonal. @throws ShapeError */
export function trace<T extends Variable>(x: T): T {
  tensorGiven(x, 'trace');
  if (x.ndim !== 2) throw new ShapeError(`trace: expected a matrix, but got tensor with dim ${x.ndim}`);
  return named('TraceBackward0', sum(diagonal(x)));
}

/**
 * Windows of `size` elements every `step` along dim, as a view: they lie in a new last dimension.
 * @throws ShapeError if size is larger than the dimension; ArgumentError if step is not positive
 */
export const unfold = /* @__PURE__ */ taking('unfold', 'dimension size step', function unfold<
  T extends Variable,
>(x: T, dim: number, size: number, step: number): T {
  tensorGiven(x, 'unfold');
  wholeGiven(size, 'unfold', 'size');
  const d = normalizeDim(dim, x.ndim, 'unfold');
  const n = x.ndim === 0 ? 1 : x.shape[d];
  if (size > n || size < 0) {
    throw new ShapeError(`unfold: maximum size for tensor at dimension ${d} is ${n} but size is ${size}`);
  }
  if (!Number.isInteger(step) || step <= 0)
    throw new ArgumentError(`unfold: step is ${step} but must be > 0`);
  const windows = Math.floor((n - size) / step) + 1;
  const windowed = (shape: Shape, strides: Shape): [Shape, Shape] =>
    shape.length === 0
      ? [[size], [1]]
      : [
          [...shape.map((s, i) => (i === d ? windows : s)), size],
          [...strides.map((s, i) => (i === d ? s * step : s)), strides[d]],
        ];
  const [shape, strides] = windowed(x.shape, x.array.strides);
  const from = x.shape;
  return viewOf('UnfoldBackward0', x, shape, strides, x.array.offset, (grad) => {
    const size = numElements(from);
    const flat = grad.derive(grad.array.backend.upload(iota(size), [size], 'int64'));
    const [, own] = windowed(from, contiguousStrides(from));
    const positions = contiguous(flat.derive(flat.array.view(shape, own)));
    return [scatterFlat(reshape(grad, [-1]), reshape(positions, [-1]), from)];
  });
});

/** One dimension split into several whose sizes multiply to it; one size may be −1. @throws ShapeError */
export const unflatten = /* @__PURE__ */ taking('unflatten', 'dim sizes', function unflatten<
  T extends Variable,
>(x: T, dim: number, sizes: Shape): T {
  tensorGiven(x, 'unflatten');
  const d = normalizeDim(dim, x.ndim, 'unflatten');
  given(sizes, 'unflatten', 'sizes', 'a list of sizes');
  if (sizes.length === 0) throw new ShapeError('unflatten: sizes must be non-empty');
  const inner = inferShape(sizes, x.shape[d], 'unflatten', () => {
    const size = x.shape[d];
    return `Provided argument 'sizes' ${formatShape(sizes)} don't multiply up to the size of dim ${d} (${size}) in the input tensor`;
  });
  return view(x, [...x.shape.slice(0, d), ...inner, ...x.shape.slice(d + 1)]);
});

/** Matrices mirrored at their diagonal: the last two dimensions exchanged. @throws ShapeError */
export function adjoint<T extends Variable>(x: T): T {
  tensorGiven(x, 'adjoint');
  if (x.ndim < 2)
    throw new ShapeError(
      `adjoint: tensor must have at least 2 dimensions; got shape ${formatShape(x.shape)}`,
    );
  return transpose(x, -2, -1);
}
