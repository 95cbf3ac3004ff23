/** Reading and writing single elements along a dimension by index tensors: gather, scatter and their relatives. */

import type { Variable } from '../autograd/variable.ts';
import { torchTypeName } from '../core/dtype.ts';
import { ArgumentError, DTypeError, IndexError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { broadcastShapes, formatShape, normalizeDim, type Shape } from '../core/shape.ts';
import { gatherAlong, scatterAlong, zerosOf } from './along.ts';
import { add, mul, sub } from './arithmetic.ts';
import { eq, ne } from './comparison.ts';
import { detached, named } from './composite.ts';
import { cast, checkDevices, contiguous, elementValue } from './convert.ts';
import { tensorGiven } from './given.ts';
import { checkedIndex } from './indexing.ts';
import { once } from './inplace.ts';
import { cat } from './join.ts';
import { taking } from './taking.ts';
import { expand, narrow, reshape, unsqueeze } from './views.ts';
import { whereOp } from './where.ts';
import { checkWithin } from './within.ts';

/** An int64 index tensor whose entries lie in [-size, size), wrapped. @throws DTypeError, IndexError */
function indexAlong<T extends Variable>(x: T, dim: number, index: T, op: string): T {
  checkDevices([x, index], op, 'input index');
  if (index.dtype !== 'int64' && index.dtype !== 'int32') {
    throw new DTypeError(
      `${op}(): Expected dtype int64 for argument 'index': dtype of indices should be Long but got ${torchTypeName(index.dtype)}`,
    );
  }
  const picks = cast(index, 'int64');
  if (NEGATIVE_ALLOWED.has(op)) return checkedIndex(picks, x.ndim === 0 ? 1 : x.shape[dim], dim);
  checkRange(picks, x.ndim === 0 ? 1 : x.shape[dim], dim, op);
  return picks;
}

/** These take negative indices, which count from the end; all others refuse them, as PyTorch does. */
const NEGATIVE_ALLOWED: ReadonlySet<string> = new Set(['index_fill', 'index_put']);

function checkRange<T extends Variable>(index: T, size: number, dim: number, op: string): void {
  if (index.array.size === 0) return;
  // An index that was expanded says the same again and again.
  checkWithin(
    once(index),
    0,
    size,
    op,
    (value) =>
      new IndexError(
        `${op}(): index out of range in self: index ${value} is out of bounds for dimension ${dim} with size ${size}`,
      ),
  );
}

/** index may be shorter than x in every dimension but `dim`, never longer. */
function checkFits(x: Variable, dim: number, index: Variable, op: string): void {
  const [a, b] = [Math.max(x.ndim, 1), Math.max(index.ndim, 1)];
  if (a !== b) {
    throw new ShapeError(
      `${op}(): Index tensor must have the same number of dimensions as input tensor; got ${formatShape(index.shape)} for ` +
        formatShape(x.shape),
    );
  }
  index.shape.forEach((size, d) => {
    if (d !== dim && size > (x.shape[d] ?? 1)) {
      throw new ShapeError(
        `${op}(): Size does not match at dimension ${d} expected index ${formatShape(index.shape)} to be smaller than self ` +
          `${formatShape(x.shape)} apart from dimension ${dim}`,
      );
    }
  });
}

/** out[i][j] = x[index[i][j]][j] for dim 0, and so on. @throws IndexError, ShapeError, DTypeError */
export const gather = /* @__PURE__ */ taking('gather', 'dim index', function gather<
  T extends Variable,
>(x: T, dim: number, index: T): T {
  tensorGiven(x, 'gather');
  tensorGiven(index, 'gather', 'index');
  const d = normalizeDim(dim, x.ndim, 'gather');
  if (index.array.size > 0) checkFits(x, d, index, 'gather');
  return gatherAlong(x, d, indexAlong(x, d, index, 'gather'));
});

/** The part of source that index reads. */
const readPart = <T extends Variable>(source: T, shape: Shape): T =>
  source.ndim === 0
    ? source
    : shape.reduce((part, size, d) => (part.shape[d] === size ? part : narrow(part, d, 0, size)), source);

export interface ScatterOptions {
  /** 'add' or 'multiply' what is written with what is there. */
  reduce?: 'add' | 'multiply' | null;
}

/**
 * x with elements replaced: out[index[i][j]][j] = source[i][j] for dim 0, and so on; source may be a number.
 * Of several for one place the last wins. @throws IndexError, ShapeError, DTypeError
 */
export const scatter = /* @__PURE__ */ taking('scatter', 'dim index src|value * reduce', function scatter<
  T extends Variable,
>(x: T, dim: number, index: T, source: T | number | boolean, { reduce = null }: ScatterOptions = {}): T {
  tensorGiven(x, 'scatter');
  tensorGiven(index, 'scatter', 'index');
  const d = normalizeDim(dim, x.ndim, 'scatter');
  const { picks, part } = scatterOperands(x, d, index, source, 'scatter');
  if (reduce === 'add') return scatterAlong(x, d, picks, part, true);
  if (reduce === 'multiply') return mul<T>(x, factors(x, d, picks, part));
  if (reduce !== null)
    throw new ArgumentError(
      `scatter: reduce argument must be either add or multiply, but got ${String(reduce)}`,
    );
  const out = scatterAlong(x, d, picks, part, false);
  return typeof source === 'object' ? out : named('ScatterBackward1', out);
});

/** In x's shape, the product of the elements of part that picks send to a place along d; 1 where none is sent. */
export function factors<T extends Variable>(x: T, d: number, picks: T, part: T): T {
  const ones = cast(add<T>(zerosOf(x, x.shape), 1), x.dtype);
  const n = picks.shape[d] ?? 1;
  if (n < 2) return scatterAlong(ones, d, picks, part, false);
  // Those of one place become neighbours; products of 2, 4, 8, … of them end with that of all, in the last one.
  const sorted = picks.array.backend.sort(picks.array, d, false);
  const places = picks.derive(sorted.values);
  let product = gatherAlong(part, d, picks.derive(sorted.indices));
  for (let by = 1; by < n; by *= 2) {
    const [low, high] = [places, product].map((y) => narrow(y, d, 0, n - by));
    const same = eq<T>(low, narrow(places, d, by, n - by));
    const longer = mul<T>(narrow(product, d, by, n - by), cast(whereOp<T>(same, high, 1), x.dtype));
    product = cat([narrow(product, d, 0, by), longer], d);
  }
  // The others are overwritten: no gradient goes to them.
  const next = cat([narrow(places, d, 1, n - 1), sub<T>(mul<T>(narrow(places, d, 0, 1), 0), 1)], d);
  const last = whereOp<T>(ne<T>(places, next), product, detached(product));
  return scatterAlong(ones, d, places, last, false);
}

/** x with elements added: out[index[i][j]][j] += source[i][j] for dim 0, and so on. */
export const scatterAdd = /* @__PURE__ */ taking('scatter_add', 'dim index src', function scatterAdd<
  T extends Variable,
>(x: T, dim: number, index: T, source: T): T {
  tensorGiven(x, 'scatter_add');
  tensorGiven(index, 'scatter_add', 'index');
  tensorGiven(source, 'scatter_add', 'source');
  const d = normalizeDim(dim, x.ndim, 'scatter_add');
  const { picks, part } = scatterOperands(x, d, index, source, 'scatter_add');
  return scatterAlong(x, d, picks, part, true);
});

export function scatterOperands<T extends Variable>(
  x: T,
  d: number,
  index: T,
  source: T | number | boolean,
  op: string,
): { picks: T; part: T } {
  if (index.array.size > 0) checkFits(x, d, index, op);
  if (typeof source === 'number' || typeof source === 'boolean') {
    const picks = indexAlong(x, d, index, op);
    const value = elementValue(Number(source), x.dtype, op);
    return { picks, part: cast(add<T>(zerosOf(x, picks.shape), value), x.dtype) };
  }
  tensorGiven(source, op, 'source');
  checkDevices([x, source], op, 'input source');
  if (source.dtype !== x.dtype) {
    throw new DTypeError(
      `${op}(): Expected self.dtype to be equal to src.dtype; got ${x.dtype} and ${source.dtype}`,
    );
  }
  index.shape.forEach((size, axis) => {
    if (index.ndim !== source.ndim) {
      throw new ShapeError(
        `${op}(): Index tensor must have the same number of dimensions as src tensor; got ${formatShape(index.shape)} for argument ` +
          `'index' and ${formatShape(source.shape)} for 'src'`,
      );
    }
    if (size > source.shape[axis]) {
      throw new ShapeError(
        `${op}(): Expected index ${formatShape(index.shape)} to be smaller than self ${formatShape(x.shape)} apart from dimension ${d} ` +
          `and to be smaller size than src ${formatShape(source.shape)} in all dimensions`,
      );
    }
  });
  return { picks: indexAlong(x, d, index, op), part: readPart(source, index.shape) };
}

/** Elements along dim where index (broadcast against x, but for dim) says; without dim, of the flattened tensor. */
export const takeAlongDim = /* @__PURE__ */ taking('take_along_dim', 'indices dim?', function takeAlongDim<
  T extends Variable,
>(x: T, index: T, dim: number | null = null): T {
  tensorGiven(x, 'take_along_dim');
  tensorGiven(index, 'take_along_dim', 'index');
  return inOp('take_along_dim', () => {
    if (dim === null) return gather(reshape(x, [-1]), 0, reshape(index, [-1]));
    const d = normalizeDim(dim, x.ndim, 'take_along_dim');
    if (index.ndim !== x.ndim) {
      throw new ShapeError(
        `take_along_dim(): input and indices should have the same number of dimensions, but got ${x.ndim} dimensions for input, ` +
          `and ${index.ndim} dimensions for indices`,
      );
    }
    const free = (shape: Shape) => shape.map((size, axis) => (axis === d ? 1 : size));
    const common = broadcastShapes(free(x.shape), free(index.shape), 'take_along_dim', ['input', 'indices']);
    const withSize = (size: number) => common.map((s, axis) => (axis === d ? size : s));
    return gather(expand(x, withSize(x.shape[d])), d, contiguous(expand(index, withSize(index.shape[d]))));
  });
});

/** What an index of slices must be: one-dimensional (or a single number), of integers. */
export function sliceIndex<T extends Variable>(x: T, dim: number, index: T, op: string): T {
  if (index.ndim > 1)
    throw new IndexError(
      `${op}(): Index is supposed to be a vector, but got dim: ${index.ndim} with type: ${torchTypeName(index.dtype)} and size: ` +
        formatShape(index.shape),
    );
  return indexAlong(x, dim, index.ndim === 0 ? unsqueeze(index, 0) : index, op);
}
