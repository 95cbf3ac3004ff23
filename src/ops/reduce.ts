/** Sums, means, extremes and truth over one, several or all dimensions. */

import { record, recordMany } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import type { ReduceSpec } from '../backend/backend.ts';
import { divSpec } from '../backend/specs.ts';
import { type DType, isFloating, torchTypeName } from '../core/dtype.ts';
import { DTypeError, IndexError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape, normalizeDim, normalizeDims, type Shape, sizeList } from '../core/shape.ts';
import { scatterAlong, zerosOf } from './along.ts';
import { div, mul } from './arithmetic.ts';
import { eq, isnan, logicalAnd, logicalOr, ne } from './comparison.ts';
import { cast } from './convert.ts';
import { numericGiven, tensorGiven } from './given.ts';
import { namedResult, type ValuesAndIndices } from './namedResult.ts';
import { sumSpec } from './reduceTo.ts';
import { expand, reshape, unsqueeze } from './views.ts';
import { whereOp } from './where.ts';

export type { ValuesAndIndices };

/** One dimension, several, or (null) all. */
export type Dims = number | readonly number[] | null;

export const listDims = (dims: Dims, ndim: number, op: string): number[] =>
  normalizeDims(
    typeof dims === 'number' ? [dims] : dims !== null && dims.length === 0 ? null : dims,
    ndim,
    op,
  );

/** A reduced tensor with the reduced dimensions back as size 1, so that it broadcasts against the input. */
export function restoreDims<T extends Variable>(y: T, shape: Shape, dims: readonly number[]): T {
  const sizes = sizeList(shape);
  for (const d of dims) sizes[d] = 1;
  return reshape(y, sizes);
}

/** Sum over dims. Integers and bools are summed as int64. */
export function sum<T extends Variable>(x: T, dims: Dims = null, keepdim = false, dtype?: DType): T {
  tensorGiven(x, 'sum');
  const list = listDims(dims, x.ndim, 'sum');
  // No count is beyond 32 bits, in which it takes half of the memory.
  if (x.dtype === 'bool' && dtype === undefined) return cast(sum(x, dims, keepdim, 'int32'), 'int64');
  const input = cast(x, dtype ?? (isFloating(x.dtype) ? x.dtype : 'int64'));
  const out = input.array.backend.reduce(sumSpec, input.array, list, keepdim);
  const from = x.shape;
  return record(dims === null ? 'SumBackward0' : 'SumBackward1', out, [input], () => (grad) => [
    expand(restoreDims(grad, from, list), from),
  ]);
}

/** Mean over dims. @throws DTypeError for integers, as PyTorch: give a dtype */
export function mean<T extends Variable>(x: T, dims: Dims = null, keepdim = false, dtype?: DType): T {
  tensorGiven(x, 'mean');
  const input = dtype === undefined ? x : cast(x, dtype);
  if (!isFloating(input.dtype)) {
    throw new DTypeError(
      'mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: ' +
        torchTypeName(input.dtype),
    );
  }
  const list = listDims(dims, x.ndim, 'mean');
  const { backend } = x.array;
  const total = backend.reduce(sumSpec, input.array, list, keepdim);
  const from = x.shape;
  const count = list.reduce((n, d) => n * from[d], 1);
  const out = backend.binary(divSpec, total, count, total);
  return record(dims === null ? 'MeanBackward0' : 'MeanBackward1', out, [input], () => (grad) => [
    // Nothing is divided where there is nothing: the derivative of the empty gradient is 0, not 0 / 0.
    expand(div<typeof grad>(restoreDims(grad, from, list), count || 1), from),
  ]);
}

const maxSpec = {
  name: 'max',
  initial: -Infinity,
  js: (best, x) => (Number.isNaN(best) || best > x ? best : x),
  big: (best, x) => (best > x ? best : x),
  bigInitial: -(2n ** 63n),
  wgsl: 'max(acc, x)',
} satisfies ReduceSpec;

const minSpec = {
  name: 'min',
  initial: Infinity,
  js: (best, x) => (Number.isNaN(best) || best < x ? best : x),
  big: (best, x) => (best < x ? best : x),
  bigInitial: 2n ** 63n - 1n,
  wgsl: 'min(acc, x)',
} satisfies ReduceSpec;

/** An extreme needs at least one element. */
function checkNotEmpty(x: Variable, dims: readonly number[], op: string, all: boolean): void {
  for (const d of x.ndim === 0 ? [] : dims) {
    if (x.shape[d] === 0) {
      throw new IndexError(
        all
          ? `${op}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.`
          : `${op}(): Expected reduction dim ${d} to have non-zero size; got shape ${formatShape(x.shape)} for argument 'input'.`,
      );
    }
  }
}

/** The extremes over dims; ties share the gradient. `name`: the node's. */
export function extremeOver<T extends Variable>(
  kind: 'max' | 'min',
  name: string,
  x: T,
  dims: Dims,
  keepdim: boolean,
  op: string,
): T {
  const list = listDims(dims, x.ndim, op);
  checkNotEmpty(x, list, op, dims === null);
  const out = x.array.backend.reduce(kind === 'max' ? maxSpec : minSpec, x.array, list, keepdim);
  const from = x.shape;
  return record(name, out, [x], (node, output) => {
    const savedX = node.save(x);
    const savedY = node.saveOutput(output);
    return (grad) => {
      // Ties share the gradient equally; so do the NaNs that win in max and min. amax and amin divide 0 by 0 there.
      const [input, best] = [savedX.get(grad), restoreDims(savedY.get(grad), from, list)];
      const same = eq<T>(input, best);
      const hits = cast(
        name.startsWith('Am') ? same : logicalOr<T>(same, logicalAnd<T>(isnan(input), isnan(best))),
        grad.dtype,
      );
      const share = div<T>(restoreDims(grad, from, list), sum(hits, list, true));
      return [mul<T>(hits, share)];
    };
  });
}

/** The largest elements over dims; ties share the gradient. NaN wins. */
export const amax = <T extends Variable>(x: T, dims: Dims = null, keepdim = false): T =>
  extremeOver('max', 'AmaxBackward0', tensorGiven(x, 'amax'), dims, keepdim, 'amax');

/** The smallest elements over dims; ties share the gradient. NaN wins. */
export const amin = <T extends Variable>(x: T, dims: Dims = null, keepdim = false): T =>
  extremeOver('min', 'AminBackward0', tensorGiven(x, 'amin'), dims, keepdim, 'amin');

/** The largest element of all; ties share the gradient. */
export const maxAll = <T extends Variable>(x: T): T =>
  extremeOver('max', 'MaxBackward1', x, null, false, 'max');

/** The smallest element of all; ties share the gradient. */
export const minAll = <T extends Variable>(x: T): T =>
  extremeOver('min', 'MinBackward1', x, null, false, 'min');

/** Largest (or smallest) elements along dim with their positions; the gradient goes to that position alone. */
export function extremeDim<T extends Variable>(
  kind: 'max' | 'min',
  x: T,
  dim: number,
  keepdim = false,
): ValuesAndIndices<T> {
  const d = normalizeDim(dim, x.ndim, kind);
  checkNotEmpty(x, [d], kind, false);
  const { values, indices } = x.array.backend.extreme(kind, x.array, d, keepdim);
  const positions = x.derive(indices);
  const from = x.shape;
  const [out] = recordMany(kind === 'max' ? 'MaxBackward0' : 'MinBackward0', [values], [x], (node) => {
    const saved = node.save(positions);
    return ([grad]) => [grad && placeAt(grad, saved.get(grad), from, d, keepdim)];
  });
  return namedResult(kind, out, positions);
}

/** Zeros of `shape` with each gradient at its position along dim. */
export function placeAt<T extends Variable>(
  grad: T,
  positions: T,
  shape: Shape,
  dim: number,
  keepdim: boolean,
): T {
  if (shape.length === 0) return grad;
  const g = keepdim ? grad : unsqueeze(grad, dim);
  const index = keepdim ? positions : unsqueeze(positions, dim);
  return scatterAlong(zerosOf(g, shape), dim, index, g, true);
}

/** int64 position of the first largest (smallest) element along dim, or in the flattened tensor. */
export function argExtreme<T extends Variable>(
  kind: 'max' | 'min',
  x: T,
  dim: number | null,
  keepdim = false,
): T {
  const op = kind === 'max' ? 'argmax' : 'argmin';
  numericGiven(x, op);
  if (dim === null) {
    checkNotEmpty(x, [...x.shape.keys()], op, true);
    const flat = reshape(x, [-1]);
    const out = flat.array.backend.argReduce(kind, flat.array, 0, false);
    return x.derive(
      keepdim
        ? out.view(
            x.shape.map(() => 1),
            x.shape.map(() => 1),
          )
        : out,
    );
  }
  const d = normalizeDim(dim, x.ndim, op);
  checkNotEmpty(x, [d], op, false);
  return x.derive(x.array.backend.argReduce(kind, x.array, d, keepdim));
}

const truth = (kind: 'any' | 'all') => {
  const spec: ReduceSpec =
    kind === 'any'
      ? { name: 'any', initial: 0, js: (acc, x) => (acc || x ? 1 : 0), wgsl: 'acc | x' }
      : { name: 'all', initial: 1, js: (acc, x) => (acc && x ? 1 : 0), wgsl: 'acc & x' };
  return <T extends Variable>(x: T, dims: Dims = null, keepdim = false): T => {
    const input = cast(x, 'bool');
    const out = input.array.backend.reduce(spec, input.array, listDims(dims, x.ndim, kind), keepdim);
    return cast(x.derive(out), x.dtype === 'uint8' ? 'uint8' : 'bool');
  };
};

/** True where at least one element over dims is not zero. uint8 gives uint8, as PyTorch. */
export const any = truth('any');
/** True where all elements over dims are not zero. */
export const all = truth('all');

/** How many elements over dims are not zero; int64. */
export const countNonzero = <T extends Variable>(x: T, dims: Dims = null): T =>
  inOp('count_nonzero', () => sum(ne<T>(tensorGiven(x, 'count_nonzero'), 0), dims));

/** x where it is a number, else 0: for sums that skip NaN. */
export const nanToZero = <T extends Variable>(x: T): T => whereOp<T>(eq<T>(x, x), x, 0);
