/** Slices picked, added and replaced along a dimension; elements picked and replaced by masks and flat positions. */

import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { torchTypeName } from '../core/dtype.ts';
import { DTypeError, IndexError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { iota } from '../core/int64.ts';
import { broadcastShapes, formatShape, normalizeDim, sameShape } from '../core/shape.ts';
import { zerosOf } from './along.ts';
import { type AlphaOptions, add, mul } from './arithmetic.ts';
import { named } from './composite.ts';
import { cast, checkDevices, clone, contiguous, elementValue, type OperandOf } from './convert.ts';
import { given, optionsGiven, tensorGiven } from './given.ts';
import { checkedIndex, nonzeroColumns, putFlat, selectAlong } from './indexing.ts';
import { once } from './inplace.ts';
import { inplaceOf } from './inplaceForms.ts';
import { cat } from './join.ts';
import { reduceTo } from './reduceTo.ts';
import { sliceIndex } from './scatter.ts';
import { taking } from './taking.ts';
import { expand, reshape, takeFlat, unsqueeze } from './views.ts';
import { whereOp } from './where.ts';

/** The slices of x along dim at the positions of a 1-d index. @throws IndexError, DTypeError */
export const indexSelect = /* @__PURE__ */ taking('index_select', 'dim index', function indexSelect<
  T extends Variable,
>(x: T, dim: number, index: T): T {
  tensorGiven(x, 'index_select');
  tensorGiven(index, 'index_select', 'index');
  const d = normalizeDim(dim, x.ndim, 'index_select');
  return selectAlong(x, d, sliceIndex(x, d, index, 'index_select'), 'IndexSelectBackward0');
});

interface SliceTarget<T> {
  readonly d: number;
  readonly picks: T;
  readonly source: T;
}

/** Checks what indexAdd, indexCopy and indexReduce share: a slice of source for every index, all of x's other sizes. */
export function sliceTarget<T extends Variable>(
  x: T,
  dim: number,
  index: T,
  source: T,
  op: string,
): SliceTarget<T> {
  const d = normalizeDim(dim, x.ndim, op);
  checkDevices([x, index, source], op, 'input index source');
  if (source.dtype !== x.dtype) {
    throw new DTypeError(
      `${op}(): self (${torchTypeName(x.dtype)}) and source (${torchTypeName(source.dtype)}) must have the same scalar type`,
    );
  }
  const picks = sliceIndex(x, d, index, op);
  const wanted = x.ndim === 0 ? [] : x.shape.with(d, picks.shape[0]);
  if (!sameShape(source.shape, wanted)) {
    throw new ShapeError(
      `${op}(): Number of indices (${picks.shape[0]}) should be equal to source.size(dim), and the other sizes to self's: expected ` +
        `${formatShape(wanted)}, but got ${formatShape(source.shape)}`,
    );
  }
  return { d, picks, source };
}

/** x with alpha · source[j] added to its slice index[j]; repeated indices add up. */
export const indexAdd = /* @__PURE__ */ taking('index_add', 'dim index source * alpha', function indexAdd<
  T extends Variable,
>(x: T, dim: number, index: T, source: T, { alpha = 1 }: AlphaOptions = {}): T {
  tensorGiven(x, 'index_add');
  tensorGiven(index, 'index_add', 'index');
  tensorGiven(source, 'index_add', 'source');
  const target = sliceTarget(x, dim, index, source, 'index_add');
  const scaled = alpha === 1 ? source : mul<T>(source, alpha);
  if (x.ndim === 0) return add<T>(x, scaled);
  const { d, picks } = target;
  const { backend } = x.array;
  const out = backend.empty(x.shape, x.dtype);
  backend.assign(out, x.array);
  backend.indexAdd(out, d, picks.array, scaled.array);
  return record('IndexAddBackward0', out, [x, scaled], (node) => {
    const saved = node.needs[1] ? node.save(picks) : null;
    return (grad) => [grad, saved && selectAlong(grad, d, saved.get(grad))];
  });
});

/** Row-major positions of the elements of the slices `picks` along d, in the shape of those slices. */
function slicePositions<T extends Variable>(x: T, d: number, picks: T): T {
  const shape = x.ndim === 0 ? [1] : x.shape;
  const flat = x.derive(x.array.backend.upload(iota(x.array.size), shape, 'int64'));
  return selectAlong(flat, d, picks);
}

/** @throws DTypeError */
function longIndex(index: Variable, op: string): void {
  if (index.dtype !== 'int64')
    throw new DTypeError(`${op}(): Expected a long tensor for index, but got ${torchTypeName(index.dtype)}`);
}

/** x with its slice index[j] replaced by source[j]. */
export const indexCopy = /* @__PURE__ */ taking('index_copy', 'dim index source', function indexCopy<
  T extends Variable,
>(x: T, dim: number, index: T, source: T): T {
  tensorGiven(x, 'index_copy');
  tensorGiven(index, 'index_copy', 'index');
  tensorGiven(source, 'index_copy', 'source');
  longIndex(index, 'index_copy');
  const { d, picks } = sliceTarget(x, dim, index, source, 'index_copy');
  if (x.ndim === 0) return clone(source);
  const positions = reshape(slicePositions(x, d, picks), [-1]);
  return named('IndexCopyBackward0', putFlat(x, positions, reshape(source, [-1]), false));
});

/** x with its slices at the indices filled with one value. */
export const indexFill = /* @__PURE__ */ taking('index_fill', 'dim index value', function indexFill<
  T extends Variable,
>(x: T, dim: number, index: T, value: number | T): T {
  tensorGiven(x, 'index_fill');
  tensorGiven(index, 'index_fill', 'index');
  return inOp('index_fill', () => {
    longIndex(index, 'index_fill');
    given(value, 'index_fill', 'value', 'a number or a Tensor');
    if (typeof value === 'object') {
      // By a mask: an index that comes twice fills one slice, and gives the value one gradient.
      const places = indexFill<T>(cast(zerosOf(x, x.shape), 'bool'), dim, index, 1);
      return named('IndexFillBackward1', maskedFill<T>(x, places, value));
    }
    const d = normalizeDim(dim, x.ndim, 'index_fill');
    const picks = sliceIndex(x, d, index, 'index_fill');
    const positions = reshape(slicePositions(x, d, picks), [-1]);
    const scalar = cast(add<T>(zerosOf(x, []), elementValue(value, x.dtype, 'index_fill')), x.dtype);
    return named(
      'IndexFillBackward0',
      putFlat(x, positions, contiguous(expand(scalar, positions.shape)), false),
    );
  });
});

/** `indexFill` in place, also of an expanded tensor. */
export function indexFill_<T extends Variable>(x: T, dim: number, index: T, value: number | T): T {
  if (once(x) === x)
    return inplaceOf<T>('index_fill_', x, [value], (y) => indexFill<T>(y, dim, index, value));
  const places = inOp('index_fill_', () => indexFill<T>(cast(zerosOf(x, x.shape), 'bool'), dim, index, 1));
  return maskedFill_(x, places, value);
}

/** The elements at positions of the flattened tensor, in the shape of the index. @throws IndexError, DTypeError */
export const take = /* @__PURE__ */ taking('take', 'index', function take<
  T extends Variable,
>(x: T, index: T): T {
  tensorGiven(x, 'take');
  tensorGiven(index, 'take', 'index');
  return inOp('take', () => {
    checkDevices([x, index], 'take', 'input index');
    if (index.dtype !== 'int64')
      throw new DTypeError(`take(): Expected a long tensor for index, but got ${torchTypeName(index.dtype)}`);
    if (x.array.size === 0 && index.array.size > 0)
      throw new IndexError('take(): tried to take from an empty tensor');
    const count = x.array.size;
    const beyond = (value: number | bigint): string =>
      `out of range: tried to access index ${value} on a tensor of ${count} elements`;
    return takeFlat(x, contiguous(checkedIndex(index, count, 0, beyond)));
  });
});

/** x with elements of source at positions of the flattened tensor; with accumulate they are added. */
export const put = /* @__PURE__ */ taking('put', 'index source accumulate?', function put<
  T extends Variable,
>(x: T, index: T, source: T, accumulate = false): T {
  tensorGiven(x, 'put');
  tensorGiven(index, 'put', 'index');
  tensorGiven(source, 'put', 'source');
  return inOp('put', () => {
    checkDevices([x, index, source], 'put', 'input index source');
    if (index.dtype !== 'int64')
      throw new DTypeError(`put(): Expected a long tensor for index, but got ${torchTypeName(index.dtype)}`);
    if (index.array.size !== source.array.size) {
      throw new IndexError(
        `put(): Expected source and index to have the same number of elements, but got ${source.array.size} and ${index.array.size}`,
      );
    }
    const flat = reshape(checkedIndex(index, x.array.size, 0), [-1]);
    return putFlat(x, contiguous(flat), reshape(cast(source, x.dtype), [-1]), accumulate);
  });
});

function checkMask(mask: Variable, op: string): void {
  if (mask.dtype !== 'bool')
    throw new DTypeError(`${op}: expected a boolean tensor for mask, but got ${torchTypeName(mask.dtype)}`);
}

/** x with `value` where mask (which broadcasts) is true. @throws DTypeError, ShapeError */
export const maskedFill = /* @__PURE__ */ taking('masked_fill', 'mask value', function maskedFill<
  T extends Variable,
>(x: T, mask: T, value: T | number | boolean): T {
  tensorGiven(x, 'masked_fill');
  tensorGiven(mask, 'masked_fill', 'mask');
  return inOp('masked_fill', () => {
    checkMask(mask, 'masked_fill');
    if (typeof value === 'object' && value.ndim > 0) {
      throw new ShapeError(
        `masked_fill only supports a 0-dimensional value tensor, but got tensor with ${value.ndim} dimension(s).`,
      );
    }
    let filling: OperandOf<T>;
    if (typeof value === 'object') filling = cast(value, x.dtype);
    else filling = x.dtype === 'bool' ? Number(value) !== 0 : elementValue(value, x.dtype, 'masked_fill');
    return named(
      `MaskedFillBackward${typeof value === 'object' ? 1 : 0}`,
      cast(whereOp<T>(mask, filling, x), x.dtype),
    );
  });
});

/**
 * `maskedFill` in place, also of an expanded tensor: an element is filled if the mask is true at any of its places.
 * @throws DTypeError, ShapeError, AutogradError
 */
export function maskedFill_<T extends Variable>(x: T, mask: T, value: T | number | boolean): T {
  const own = once(x);
  let places = mask;
  if (own !== x) {
    checkMask(tensorGiven(mask, 'masked_fill', 'mask'), 'masked_fill_');
    places = cast(reduceTo(cast(expand(mask, x.shape), 'int64'), own.shape), 'bool');
  }
  inplaceOf<T>('masked_fill_', own, [value], (y) => maskedFill<T>(y, places, value));
  return x;
}

/** The elements where mask (both broadcast) is true, in row-major order; 1-d. @throws DTypeError */
export const maskedSelect = /* @__PURE__ */ taking('masked_select', 'mask', function maskedSelect<
  T extends Variable,
>(x: T, mask: T): T {
  tensorGiven(x, 'masked_select');
  tensorGiven(mask, 'masked_select', 'mask');
  return inOp('masked_select', () => {
    checkMask(mask, 'masked_select');
    checkDevices([x, mask], 'masked_select', 'input mask');
    const shape = broadcastShapes(x.shape, mask.shape, 'masked_select', ['input', 'mask']);
    const spread = expand(mask, shape);
    const positions = x.derive(spread.array.backend.nonzero(spread.array));
    return named('MaskedSelectBackward0', takeFlat(expand(x, shape), positions));
  });
});

/** x with the elements of source, in order, where mask (which broadcasts) is true. @throws DTypeError, ShapeError */
export const maskedScatter = /* @__PURE__ */ taking('masked_scatter', 'mask source', function maskedScatter<
  T extends Variable,
>(x: T, mask: T, source: T): T {
  tensorGiven(x, 'masked_scatter');
  tensorGiven(mask, 'masked_scatter', 'mask');
  tensorGiven(source, 'masked_scatter', 'source');
  return inOp('masked_scatter', () => {
    checkMask(mask, 'masked_scatter');
    checkDevices([x, mask, source], 'masked_scatter', 'input mask source');
    const spread = expand(mask, broadcastShapes(x.shape, mask.shape, 'masked_scatter', ['input', 'mask']));
    const whole = expand(x, spread.shape);
    const positions = x.derive(spread.array.backend.nonzero(spread.array));
    const count = positions.array.size;
    if (source.array.size < count) {
      throw new ShapeError(
        `masked_scatter: expected self and source to have the mask's ${count} elements, but source has ${source.array.size}`,
      );
    }
    const used = reshape(source, [-1]);
    const first = takeFlat(used, x.derive(x.array.backend.upload(iota(count), [count], 'int64')));
    return named('MaskedScatterBackward0', putFlat(whole, positions, cast(first, x.dtype), false));
  });
});

/** The coordinates of the elements that are not zero: int64 [count, ndim], in row-major order. */
export function argwhere<T extends Variable>(x: T): T {
  tensorGiven(x, 'argwhere');
  if (x.ndim === 0) {
    const flat = x.derive(x.array.backend.nonzero(x.array));
    return zerosOf(flat, [flat.array.size, 0]);
  }
  const columns = nonzeroColumns(x);
  return cat(
    columns.map((c) => unsqueeze(c, 1)),
    1,
  );
}

/** `argwhere` as PyTorch's `nonzero`; with asTuple one vector for each dimension, which serve as an index. */
export function nonzero<T extends Variable>(x: T): T;
export function nonzero<T extends Variable>(x: T, options: { asTuple: true }): T[];
export function nonzero<T extends Variable>(x: T, options: { asTuple?: boolean }): T | T[];
export function nonzero<T extends Variable>(x: T, options?: { asTuple?: boolean }): T | T[] {
  const { asTuple = false } = optionsGiven(options, 'nonzero', 'asTuple');
  tensorGiven(x, 'nonzero');
  return asTuple ? nonzeroColumns(x) : argwhere(x);
}
