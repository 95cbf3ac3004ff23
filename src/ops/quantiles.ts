/** Quantiles, and what they take for an element between two neighbours in order. */
import type { Variable } from '../autograd/variable.ts';
import { type DType, isFloating, torchTypeName } from '../core/dtype.ts';
import { ArgumentError, DTypeError, ShapeError } from '../core/errors.ts';
import { roundHalfToEven } from '../core/round.ts';
import { formatShape, normalizeDim } from '../core/shape.ts';
import { gatherAlong } from './along.ts';
import { add, mul, sub } from './arithmetic.ts';
import { lerp } from './blend.ts';
import { clampMin } from './clamp.ts';
import { isnan, logicalNot } from './comparison.ts';
import { detached } from './composite.ts';
import { cast } from './convert.ts';
import { ceil, floor, round } from './elementwise.ts';
import { tensorGiven } from './given.ts';
import { cat } from './join.ts';
import { sort } from './order.ts';
import { any, sum } from './reduce.ts';
import { narrow, reshape, squeeze, unsqueeze } from './views.ts';
import { whereOp } from './where.ts';

/** What lies between two neighbours in order: a mean of both by the distances, one of them, or the mean. */
export type Interpolation = 'linear' | 'lower' | 'higher' | 'nearest' | 'midpoint';

export interface QuantileOptions {
  dim?: number | null;
  keepdim?: boolean;
  /** Default 'linear'. */
  interpolation?: Interpolation;
}

/** Where a quantile lies among sorted elements, by the place that it would have between them; halves go to even places. */
const PLACES: { readonly [mode in Interpolation]: (at: number) => number } = {
  linear: (at) => at,
  lower: Math.floor,
  higher: Math.ceil,
  nearest: roundHalfToEven,
  midpoint: (at) => (Math.floor(at) + Math.ceil(at)) / 2,
};

/** The same of many places. */
function placesOf<T extends Variable>(mode: Interpolation, at: T): T {
  switch (mode) {
    case 'linear':
      return at;
    case 'lower':
      return floor(at);
    case 'higher':
      return ceil(at);
    case 'nearest':
      return round(at);
    default:
      return mul<T>(add<T>(floor(at), ceil(at)), 0.5);
  }
}

/** Places are rounded as x's elements are, as in PyTorch, which takes no more than float32 counts. */
const placeDType = ({ dtype, shape }: Variable, d: number): DType => (shape[d] < 2 ** 24 ? dtype : 'float64');

/** The quantile p along d, which stays with size 1. */
type Picker<T> = (p: number) => T;

/** NaN where there is one. */
function overAll<T extends Variable>(x: T, d: number, mode: Interpolation): Picker<T> {
  const sorted = sort(x, d).values;
  const hasNan = any(isnan(detached(x)), d, true);
  const mixes = mode === 'linear' || mode === 'midpoint';
  const rounded = placeDType(x, d) === 'float32' ? Math.fround : Number;
  return (p) => {
    const at = PLACES[mode](rounded(rounded(p) * (x.shape[d] - 1)));
    const low = Math.floor(at);
    const below = narrow(sorted, d, low, 1);
    // An element as it is: between infinities there is none.
    const between = mixes ? lerp<T>(below, narrow(sorted, d, Math.ceil(at), 1), at - low) : below;
    return whereOp<T>(hasNan, Number.NaN, between);
  };
}

/** NaN where there is nothing else: it is sorted to the end. */
function overNumbers<T extends Variable>(x: T, d: number, mode: Interpolation): Picker<T> {
  const sorted = sort(x, d).values;
  const numbers = cast(sum(logicalNot(isnan(detached(x))), d, true), placeDType(x, d));
  const last = clampMin<T>(sub<T>(numbers, 1), 0);
  const mixes = mode === 'linear' || mode === 'midpoint';
  const pick = (at: T) => gatherAlong(sorted, d, cast(at, 'int64'));
  return (p) => {
    const at = placesOf(mode, mul<T>(last, p));
    const low = floor(at);
    return mixes ? lerp<T>(pick(low), pick(ceil(at)), cast(sub<T>(at, low), x.dtype)) : pick(low);
  };
}

const isList = (q: unknown): q is readonly number[] => Array.isArray(q);

function quantiles<T extends Variable>(
  op: string,
  x: T,
  q: number | readonly number[] | T,
  { dim = null, keepdim = false, interpolation = 'linear' }: QuantileOptions,
  picker: typeof overAll,
): T {
  tensorGiven(x, op);
  if (!Object.hasOwn(PLACES, interpolation)) {
    throw new ArgumentError(
      `${op}: interpolation must be one of ${Object.keys(PLACES).join(', ')}, but got ${String(interpolation)}`,
    );
  }
  if (!isFloating(x.dtype))
    throw new DTypeError(
      `${op}() input tensor must be either float or double dtype, but got ${torchTypeName(x.dtype)}`,
    );
  const source = dim === null || x.ndim === 0 ? reshape(x, [-1]) : x;
  const d = normalizeDim(dim ?? 0, source.ndim, op);
  if (source.array.size === 0) throw new ShapeError(`${op}() input tensor must be non-empty`);
  const pick = picker<T>(source, d, interpolation);
  const one = (p: number): T => {
    if (!(p >= 0 && p <= 1))
      throw new ArgumentError(`${op}() q values must be in the range [0, 1], but got ${p}`);
    const value = pick(p);
    if (dim === null || x.ndim === 0) return reshape(value, keepdim ? x.shape.map(() => 1) : []);
    return keepdim ? value : squeeze(value, d);
  };
  if (typeof q === 'number') return one(q);
  const several = (list: readonly number[]): T =>
    list.length > 0 ? cat(list.map((p) => unsqueeze(one(p), 0))) : narrow(unsqueeze(one(0), 0), 0, 0, 0);
  if (isList(q)) return several(q);
  if (tensorGiven(q, op, 'q').ndim > 1)
    throw new ShapeError(`${op}: q must be a scalar or 1D tensor, but got shape ${formatShape(q.shape)}`);
  const list = Array.from(q.array.backend.hostValues(q.array, op), Number);
  return q.ndim === 0 ? one(list[0]) : several(list);
}

/**
 * The q-quantile (q in [0, 1], a number or several) of all elements or along dim, interpolated between neighbours in
 * order. Several q give a new first dimension.
 * @throws ArgumentError for q outside [0, 1] and an unknown interpolation; DTypeError for integers
 */
export const quantile = <T extends Variable>(
  x: T,
  q: number | readonly number[] | T,
  options: QuantileOptions = {},
): T => quantiles('quantile', x, q, options, overAll);

/** `quantile` of what is not NaN. @throws as quantile */
export const nanquantile = <T extends Variable>(
  x: T,
  q: number | readonly number[] | T,
  options: QuantileOptions = {},
): T => quantiles('nanquantile', x, q, options, overNumbers);
