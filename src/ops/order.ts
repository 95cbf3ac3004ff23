/** Sorting and what follows from it: largest elements, order statistics, quantiles. */

import { record, recordMany } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { isFloating } from '../core/dtype.ts';
import { IndexError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape, normalizeDim } from '../core/shape.ts';
import { gatherAlong } from './along.ts';
import { add, div, floorDivide, mul, sub } from './arithmetic.ts';
import { clampMin } from './clamp.ts';
import { eq, isnan, logicalAnd, logicalNot, logicalOr } from './comparison.ts';
import { detached, named } from './composite.ts';
import { cast, contiguous } from './convert.ts';
import { numericGiven, tensorGiven } from './given.ts';
import { selectAlong } from './indexing.ts';
import { namedResult, type ValuesAndIndices } from './namedResult.ts';
import { type Flexible, inOrder } from './options.ts';
import { any, placeAt, sum } from './reduce.ts';
import { taking } from './taking.ts';
import { reshape, select, squeeze } from './views.ts';
import { whereOp } from './where.ts';

export interface SortOptions {
  dim?: number;
  descending?: boolean;
  /** Equal elements keep their order; they always do here. */
  stable?: boolean;
}

/** The first `count` of the sorted elements along d (all if null), with their positions. */
function firstSorted<T extends Variable>(
  name: string,
  x: T,
  d: number,
  descending: boolean,
  count: number | null,
): [T, T] {
  const { values, indices } = x.array.backend.sort(x.array, d, descending, 0, count ?? undefined);
  const positions = x.derive(indices);
  const from = x.shape;
  const [out] = recordMany(name, [values], [x], (node) => {
    const saved = node.save(positions);
    return ([grad]) => [grad && placeAt(grad, saved.get(grad), from, d, true)];
  });
  return [out, positions];
}

/** `(dim, descending)`, any tail of them by name. */
export type SortArguments = Flexible<[dim: number, descending: boolean], SortOptions>;

/** Sorted along dim (default the last), stably; NaN counts as the largest. */
export function sort<T extends Variable>(x: T, ...args: SortArguments): ValuesAndIndices<T> {
  tensorGiven(x, 'sort');
  const [dim = -1, descending = false, stable] = inOrder<[number, boolean, boolean]>(
    'sort',
    'dim descending * stable',
    args,
  );
  const d = normalizeDim(dim, x.ndim, 'sort');
  const [values, indices] = firstSorted(
    `SortBackward${stable === undefined ? 0 : 1}`,
    x,
    d,
    descending,
    null,
  );
  return namedResult('sort', values, indices);
}

/** The positions that sort x along dim. */
export const argsort = <T extends Variable>(x: T, ...args: SortArguments): T =>
  inOp('argsort', () => sort(detached(tensorGiven(x, 'argsort')), ...args).indices);

/** Sorted along the first dimension. */
export const msort = <T extends Variable>(x: T): T => sort(tensorGiven(x, 'msort'), 0).values;

export interface TopkOptions {
  dim?: number;
  /** The largest (default) or the smallest. */
  largest?: boolean;
  /** The result is always in order. */
  sorted?: boolean;
}

/** The k largest (or smallest) elements along dim in order, with their positions. @throws IndexError if k is too large */
export const topk = /* @__PURE__ */ taking('topk', 'k dim? largest? sorted?', function topk<
  T extends Variable,
>(x: T, k: number, dim = -1, largest = true, _sorted?: boolean): ValuesAndIndices<T> {
  numericGiven(x, 'topk');
  const d = normalizeDim(dim, x.ndim, 'topk');
  const n = x.ndim === 0 ? 1 : x.shape[d];
  if (!Number.isInteger(k) || k < 0 || k > n) {
    throw new IndexError(
      `topk: selected index k out of range; got 'k' = ${k} for dimension ${d} of size ${n}`,
    );
  }
  const [values, indices] = firstSorted('TopkBackward0', x, d, largest, k);
  return namedResult('topk', values, indices);
});

export interface AlongOptions {
  dim?: number;
  keepdim?: boolean;
}
/** `(dim, keepdim)`, any tail of them by name. */
export type AlongArguments = Flexible<[dim: number, keepdim: boolean], AlongOptions>;

/** The elements of x at one position along d for each slice; positions has size 1 there. */
function pickOne<T extends Variable>(
  op: string,
  name: string,
  x: T,
  positions: T,
  d: number,
  keepdim: boolean,
): ValuesAndIndices<T> {
  const shaped = (y: T): T => (keepdim || x.ndim === 0 ? y : squeeze(y, d));
  const picks = contiguous(positions);
  return namedResult(op, named(name, shaped(gatherAlong(x, d, picks))), shaped(picks));
}

const nthPositions = <T extends Variable>(x: T, d: number, k: number): T => {
  const { values, indices } = x.array.backend.sort(x.array, d, false, k, k + 1);
  values.release();
  return x.derive(indices);
};

/** The k-th smallest element along dim, k from 1, and its position. @throws IndexError if k is out of range */
export const kthvalue = /* @__PURE__ */ taking('kthvalue', 'k dim? keepdim?', function kthvalue<
  T extends Variable,
>(x: T, k: number, dim = -1, keepdim = false): ValuesAndIndices<T> {
  numericGiven(x, 'kthvalue');
  const d = normalizeDim(dim, x.ndim, 'kthvalue');
  const n = x.ndim === 0 ? 1 : x.shape[d];
  if (!Number.isInteger(k) || k < 1 || k > n) {
    throw new IndexError(
      `kthvalue(): selected number k out of range for dimension ${d}; got 'k' = ${k} for size ${n}`,
    );
  }
  return pickOne('kthvalue', 'KthvalueBackward0', x, nthPositions(x, d, k - 1), d, keepdim);
});

/** The lower median of all elements; NaN if there is one, or if x is empty. Equal elements share the gradient. */
export function medianAll<T extends Variable>(x: T, op: 'median' | 'nanmedian' = 'median'): T {
  const raw = reshape(detached(numericGiven(x, op)), [-1]);
  const n = raw.array.size;
  if (n === 0) {
    if (!isFloating(x.dtype))
      throw new IndexError('median() operation does not have an identity for empty input.');
    return add<T>(sum(mul<T>(x, 0)), Number.NaN);
  }
  const out = op === 'median' ? medianOf(raw) : nanmedianOf(raw);
  return record(
    op === 'median' ? 'MedianBackward0' : 'NanmedianBackward0',
    out.array,
    [x],
    (node, output) => {
      const savedX = node.save(x);
      const savedY = node.saveOutput(output);
      return (grad) => {
        const [value, y] = [savedX.get(grad), savedY.get(grad)];
        const hits = cast(logicalOr<T>(eq<T>(value, y), logicalAnd<T>(isnan(value), isnan(y))), grad.dtype);
        return [mul<T>(hits, div<T>(grad, sum(hits)))];
      };
    },
  );
}

function medianOf<T extends Variable>(x: T): T {
  const k = (x.array.size - 1) >> 1;
  const middle = select(x.derive(x.array.backend.sort(x.array, 0, false, k, k + 1).values), 0, 0);
  return isFloating(x.dtype) ? whereOp<T>(any(isnan(x)), Number.NaN, middle) : middle;
}

function nanmedianOf<T extends Variable>(x: T): T {
  // NaN comes last, and position −1 is the last: what is asked of nothing but NaN is NaN.
  const sorted = x.derive(x.array.backend.sort(x.array, 0, false).values);
  return reshape(selectAlong(sorted, 0, reshape(middleOfNumbers(x), [1])), []);
}

/** The position of the lower median among the numbers of a vector; −1 if there are none. */
const middleOfNumbers = <T extends Variable>(x: T): T =>
  floorDivide<T>(sub<T>(sum(logicalNot(isnan(x))), 1), 2);

/** The lower median along dim with its position; NaN where there is one. @throws IndexError for an empty dimension */
export function medianDim<T extends Variable>(x: T, dim: number, keepdim = false): ValuesAndIndices<T> {
  const d = normalizeDim(dim, numericGiven(x, 'median').ndim, 'median');
  const n = x.ndim === 0 ? 1 : x.shape[d];
  if (n === 0)
    throw new IndexError(
      `median(): Expected reduction dim ${d} to have non-zero size; got shape ${formatShape(x.shape)}.`,
    );
  const middle = nthPositions(x, d, (n - 1) >> 1);
  if (!isFloating(x.dtype)) return pickOne('median', 'MedianBackward1', x, middle, d, keepdim);
  const nan = isnan(detached(x));
  const first = x.derive(x.array.backend.argReduce('max', nan.array, d, true));
  const positions = whereOp<T>(any(nan, d, true), first, middle);
  return pickOne('median', 'MedianBackward1', x, positions, d, keepdim);
}

/** The lower median of what is not NaN along dim, with its position. @throws IndexError for an empty dimension */
export function nanmedianDim<T extends Variable>(x: T, dim: number, keepdim = false): ValuesAndIndices<T> {
  const d = normalizeDim(dim, x.ndim, 'nanmedian');
  if (!isFloating(x.dtype) || x.ndim === 0 || x.shape[d] === 0) {
    const { values, indices } = medianDim(x, dim, keepdim);
    return namedResult('nanmedian', values, indices);
  }
  const numbers = sum(cast(logicalNot(isnan(detached(x))), 'int64'), d, true);
  const middle = clampMin(floorDivide<T>(sub<T>(numbers, 1), 2), 0);
  const { values, indices } = x.array.backend.sort(x.array, d, false);
  values.release();
  const positions = gatherAlong(x.derive(indices), d, middle);
  return pickOne('nanmedian', 'NanmedianBackward1', x, positions, d, keepdim);
}
