/** The same elements in another order or several times: flipped, rolled, turned, repeated, dimensions moved. */

import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { ArgumentError, DTypeError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { iota } from '../core/int64.ts';
import { tabulate } from '../core/lists.ts';
import { formatShape, normalizeDim, type Shape } from '../core/shape.ts';
import { detached, named } from './composite.ts';
import { clone } from './convert.ts';
import { given, tensorGiven, wholeGiven } from './given.ts';
import { integerVector, selectAlong } from './indexing.ts';
import { cat } from './join.ts';
import { type Flexible, inOrder, option } from './options.ts';
import { taking } from './taking.ts';
import { expand, narrow, permute, reshape, transpose, unsqueeze } from './views.ts';

/** The order of one dimension reversed; x itself where that changes nothing. */
export function flipDim<T extends Variable>(x: T, dim: number): T {
  const n = x.shape[dim];
  if (n < 2) return x;
  const backwards = x.derive(x.array.backend.upload(iota(n).reverse(), [n], 'int64'));
  const { array } = selectAlong(detached(x), dim, backwards);
  return record('FlipBackward0', array, [x], () => (grad) => [flipDim(grad, dim)]);
}

const listed = (dims: number | readonly number[]): readonly number[] =>
  typeof dims === 'number' ? [dims] : dims;

function distinctDims(dims: number | readonly number[], ndim: number, op: string): number[] {
  given(dims, op, 'dims', 'a number or a list of numbers');
  const list = listed(dims).map((d) => normalizeDim(d, ndim, op));
  if (new Set(list).size !== list.length) {
    throw new ShapeError(`${op}: dim appears multiple times in the list of dims ${formatShape(list)}`);
  }
  return list;
}

/** A copy with the order of the given dimensions reversed. @throws IndexError, ShapeError for a repeated dim */
export function flip<T extends Variable>(x: T, dims: number | readonly number[]): T {
  tensorGiven(x, 'flip');
  const list = distinctDims(dims, x.ndim, 'flip');
  const flipped = x.ndim === 0 ? x : list.reduce((y, d) => flipDim(y, d), x);
  return flipped === x ? named('FlipBackward0', clone(x)) : flipped;
}

/** Columns in reversed order. @throws ShapeError for fewer than two dimensions */
export function fliplr<T extends Variable>(x: T): T {
  tensorGiven(x, 'fliplr');
  if (x.ndim < 2) throw new ShapeError(`fliplr: Input must be >= 2-d, but got shape ${formatShape(x.shape)}`);
  return flip(x, 1);
}

/** Rows in reversed order. @throws ShapeError for a 0-d tensor */
export function flipud<T extends Variable>(x: T): T {
  tensorGiven(x, 'flipud');
  if (x.ndim < 1) throw new ShapeError('flipud: Input must be >= 1-d, but got a 0-d tensor');
  return flip(x, 0);
}

/**
 * Elements moved along dims by `shifts`; what leaves at the end comes back at the start. Without dims the flattened
 * tensor is rolled. @throws ArgumentError if there are not as many shifts as dims
 */
export function roll<T extends Variable>(
  x: T,
  shifts: number | readonly number[],
  dims?: number | readonly number[] | null,
): T {
  tensorGiven(x, 'roll');
  given(shifts, 'roll', 'shifts', 'a number or a list of numbers');
  const steps = listed(shifts);
  for (const step of steps) wholeGiven(step, 'roll', 'shifts');
  const along = dims === undefined || dims === null ? [] : listed(dims);
  if (along.length === 0) {
    if (steps.length !== 1)
      throw new ArgumentError(`roll: shifts and dimensions must align. shifts: ${steps.length}, dims:0`);
    return reshape(roll(reshape(x, [-1]), steps, 0), x.shape);
  }
  if (steps.length !== along.length) {
    throw new ArgumentError(
      `roll: shifts and dimensions must align. shifts: ${steps.length}, dims:${along.length}`,
    );
  }
  const rolled = along.reduce((y, dim, i) => rollDim(y, steps[i], normalizeDim(dim, x.ndim, 'roll')), x);
  return named('RollBackward0', rolled === x ? clone(x) : rolled);
}

function rollDim<T extends Variable>(x: T, shift: number, dim: number): T {
  const n = x.shape[dim] ?? 0;
  if (n === 0) return x;
  const by = ((shift % n) + n) % n;
  return by === 0 ? x : cat([narrow(x, dim, n - by, by), narrow(x, dim, 0, n - by)], dim);
}

/** `(k, dims)`, any tail of them by name. */
export type Rot90Arguments = Flexible<
  [k: number, dims: readonly number[]],
  { k?: number; dims?: readonly number[] }
>;

/** The plane of two dimensions turned by k · 90°, from the first toward the second. @throws ShapeError */
export function rot90<T extends Variable>(x: T, ...args: Rot90Arguments): T {
  tensorGiven(x, 'rot90');
  const [turns = 1, plane = [0, 1]] = inOrder<[number, readonly number[]]>('rot90', 'k dims', args);
  if (plane.length !== 2)
    throw new ShapeError(`rot90: expected total rotation dims == 2, but got dims = ${plane.length}`);
  if (x.ndim < 2) throw new ShapeError(`rot90: expected total dims >= 2, but got total dims = ${x.ndim}`);
  const [a, b] = plane.map((d) => normalizeDim(d, x.ndim, 'rot90'));
  if (a === b)
    throw new ShapeError(
      `rot90: expected rotation dims to be different, but got dim0 = ${plane[0]} and dim1 = ${plane[1]}`,
    );
  switch (((wholeGiven(turns, 'rot90', 'k') % 4) + 4) % 4) {
    case 1:
      return named('Rot90Backward0', transpose(flip(x, b), a, b));
    case 2:
      return named('Rot90Backward0', flip(x, [a, b]));
    case 3:
      return named('Rot90Backward0', transpose(flip(x, a), a, b));
    default:
      return named('Rot90Backward0', clone(x));
  }
}

/** The whole tensor put side by side, sizes[d] times along dimension d. @throws ShapeError for too few or bad sizes */
export function repeat<T extends Variable>(x: T, sizes: Shape): T {
  if (sizes.length < x.ndim) {
    throw new ShapeError(
      `repeat: Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor; got ` +
        `${formatShape(sizes)} for ${formatShape(x.shape)}`,
    );
  }
  for (const n of sizes) {
    if (!Number.isInteger(n) || n < 0)
      throw new ShapeError(`repeat: sizes must be non-negative integers, but got ${formatShape(sizes)}`);
  }
  const own = [...new Array<number>(sizes.length - x.ndim).fill(1), ...x.shape];
  const apart = reshape(
    x,
    own.flatMap((size) => [1, size]),
  );
  const spread = expand(
    apart,
    own.flatMap((size, d) => [sizes[d], size]),
  );
  const out = reshape(
    clone(spread),
    own.map((size, d) => size * sizes[d]),
  );
  return named('RepeatBackward0', out);
}

/** `repeat` that adds ones in front of too short a list. */
export function tile<T extends Variable>(x: T, sizes: number | Shape | { dims: Shape }): T {
  tensorGiven(x, 'tile');
  given(sizes, 'tile', 'dims', 'a number or a list of numbers');
  const list = listed(option<'dims', number | Shape>(sizes, 'tile', 'dims', []));
  const ones = new Array<number>(Math.max(0, x.ndim - list.length)).fill(1);
  return inOp('tile', () => repeat(x, [...ones, ...list]));
}

export interface RepeatInterleaveOptions {
  dim?: number | null;
}

/** 0, 1, 2, … each as often as its count says. @throws ShapeError, DTypeError */
export function repeatPositions<T extends Variable>(counts: T): T {
  tensorGiven(counts, 'repeat_interleave', 'repeats');
  if (counts.ndim !== 1) {
    throw new ShapeError(
      `repeat_interleave: argument 'repeats' must be a number, or alone a 1D vector of counts, but got shape ${formatShape(counts.shape)}`,
    );
  }
  if (counts.dtype !== 'int64' && counts.dtype !== 'int32')
    throw new DTypeError(`repeat_interleave: repeats must be int64 or int32, but got ${counts.dtype}`);
  const positions = tabulate(counts.shape[0], (i) => i);
  return repeatInterleave(integerVector(counts, positions), counts, 0);
}

/**
 * Each element (of the flattened tensor) or slice along dim repeated: all `repeats` times, or each by an own count.
 * @throws ShapeError, ArgumentError for negative counts
 */
export const repeatInterleave = /* @__PURE__ */ taking(
  'repeat_interleave',
  'repeats dim?',
  function repeatInterleave<T extends Variable>(
    x: T,
    repeats: number | T,
    dim?: number | null | RepeatInterleaveOptions,
  ): T {
    tensorGiven(x, 'repeat_interleave');
    given(repeats, 'repeat_interleave', 'repeats', 'a number or a Tensor');
    const named = typeof dim === 'object' && dim !== null ? dim.dim : dim;
    if (named === undefined || named === null) return repeatInterleave(reshape(x, [-1]), repeats, 0);
    const d = normalizeDim(named, x.ndim, 'repeat_interleave');
    const source = x.ndim === 0 ? unsqueeze(x, 0) : x;
    const n = source.shape[d];
    const counts =
      typeof repeats === 'number'
        ? [repeats]
        : Array.from(repeats.array.backend.hostValues(repeats.array, 'repeat_interleave'), Number);
    if (counts.length !== 1 && counts.length !== n) {
      throw new ShapeError(
        `repeat_interleave: repeats must have the same size as input along dim; got ${counts.length} and ${n}`,
      );
    }
    if (counts.some((c) => !Number.isInteger(c) || c < 0)) {
      throw new ArgumentError(`repeat_interleave: repeats can not be negative; got ${counts.join(', ')}`);
    }
    if (typeof repeats === 'number') {
      const spread = expand(unsqueeze(source, d + 1), source.shape.toSpliced(d + 1, 0, repeats));
      return reshape(clone(spread), source.shape.with(d, n * repeats));
    }
    const picks: number[] = [];
    for (let i = 0; i < n; i++)
      for (let left = counts.length === 1 ? counts[0] : counts[i]; left > 0; left--) picks.push(i);
    return selectAlong(source, d, picks, 'IndexSelectBackward0');
  },
);

/** Dimensions moved from the positions `source` to `destination`; the others keep their order. @throws ShapeError */
export const movedim = /* @__PURE__ */ taking('movedim', 'source destination', function movedim<
  T extends Variable,
>(x: T, source: number | readonly number[], destination: number | readonly number[]): T {
  tensorGiven(x, 'movedim');
  const from = distinctDims(source, x.ndim, 'movedim');
  const to = distinctDims(destination, x.ndim, 'movedim');
  if (from.length !== to.length) {
    throw new ShapeError(
      `movedim: Invalid source or destination dims: source (${formatShape(from)} dims) should contain the same number of dims ` +
        `as destination (${formatShape(to)} dims)`,
    );
  }
  if (x.ndim === 0) return x;
  const order = new Array<number>(x.ndim).fill(-1);
  from.forEach((d, i) => {
    order[to[i]] = d;
  });
  const rest = [...x.shape.keys()].filter((d) => !from.includes(d));
  return permute(
    x,
    order.map((d) => (d >= 0 ? d : (rest.shift() ?? 0))),
  );
});

/** Two dimensions exchanged: `transpose` by NumPy's name. */
export const swapaxes = /* @__PURE__ */ taking(
  'swapaxes',
  'axis0|dim0 axis1|dim1',
  <T extends Variable>(x: T, axis0: number, axis1: number): T =>
    transpose(tensorGiven(x, 'swapaxes'), axis0, axis1),
);
/** Two dimensions exchanged: `transpose` by another name. */
export const swapdims = swapaxes;
/** `movedim` by NumPy's name. */
export const moveaxis = movedim;
