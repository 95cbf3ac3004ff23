/**
 * Ops that look at values on the host where they can be read within an op; made of other ops for devices where they
 * cannot.
 */
import type { Variable } from '../autograd/variable.ts';
import { ArgumentError } from '../core/errors.ts';
import { tabulate } from '../core/lists.ts';
import { gatherAlong, zerosOf } from './along.ts';
import { add, div, maximum, minimum, mul, sub } from './arithmetic.ts';
import { eq, isfinite, le, logicalAnd, logicalNot, lt, ne } from './comparison.ts';
import { detached } from './composite.ts';
import { cast, type OperandOf, pairDType } from './convert.ts';
import { cumsum } from './cumulative.ts';
import { floor } from './elementwise.ts';
import { integerVector } from './indexing.ts';
import { cat } from './join.ts';
import { namedResult, type ValuesAndIndices } from './namedResult.ts';
import { amax, amin, argExtreme, sum } from './reduce.ts';
import { narrow, reshape, squeeze, transpose } from './views.ts';
import { whereOp } from './where.ts';

/** The position of each value in a sorted last dimension: how many elements come before it. */
export function searchUnread<T extends Variable>(sequence: T, values: OperandOf<T>, behind: boolean): T {
  const x =
    typeof values === 'object' ? values : reshape(add<T>(mul<T>(sum(detached(sequence)), 0), values), []);
  const dtype = pairDType(sequence, x);
  const [sorted, wanted] = [sequence, x].map((y) => cast(detached(y), dtype));
  if (sorted.array.size === 0) return cast(zerosOf(x, x.shape), 'int64');
  return x.derive(x.array.backend.search!(sorted.array, wanted.array, behind));
}

/** True where an element of x is among the others, of its dtype. */
export function isinUnread<T extends Variable>(x: T, among: T, invert: boolean): T {
  const finish = (found: T): T => (invert ? logicalNot(found) : found);
  const count = among.array.size;
  if (count === 0) return finish(cast(zerosOf(x, x.shape), 'bool'));
  const sorted = x.derive(x.array.backend.sort(reshape(among, [-1]).array, 0, false).values);
  // What lies behind all others is compared with the last of them.
  const place = minimum<T>(searchUnread(sorted, reshape(x, [-1]), false), count - 1);
  return finish(eq<T>(reshape(gatherAlong(sorted, 0, place), x.shape), x));
}

/** Counts in equal bins from low to high, or over the range of the data if both are equal. */
export function histcUnread<T extends Variable>(x: T, bins: number, low: number, high: number): T {
  const out = zerosOf(x, [bins]);
  const flat = reshape(x, [-1]);
  if (flat.array.size === 0) return out;
  if (low > high) throw new ArgumentError(`histc: max must be larger than min, but got [${low}, ${high}]`);
  const given = low !== high;
  const least = given ? add<T>(mul<T>(sum(out), 0), low) : amin(flat);
  const most = given ? add<T>(mul<T>(sum(out), 0), high) : amax(flat);
  x.array.backend.require(
    logicalAnd<T>(isfinite(least), isfinite(most)).array,
    () => new ArgumentError('histc: range of the elements is not finite'),
  );
  const same = eq<T>(least, most);
  const from = whereOp<T>(same, sub<T>(least, 1), least);
  const to = whereOp<T>(same, add<T>(most, 1), most);
  const inside = logicalAnd<T>(le<T>(from, flat), le<T>(flat, to));
  const place = floor(mul<T>(div<T>(sub<T>(flat, from), sub<T>(to, from)), bins));
  const bin = minimum<T>(maximum<T>(whereOp<T>(inside, place, 0), 0), bins - 1);
  x.array.backend.put(out.array, cast(bin, 'int64').array, cast(inside, x.dtype).array, true);
  return out;
}

/** The commonest element along d, the smallest of several, and the last position where it stands. */
export function modeUnread<T extends Variable>(x: T, d: number, keepdim: boolean): ValuesAndIndices<T> {
  const raw = transpose(detached(x), d, -1);
  const { backend, shape } = raw.array;
  const last = raw.ndim - 1;
  const found = backend.sort(raw.array, last, false);
  const [sorted, order] = [raw.derive(found.values), raw.derive(found.indices)];
  // How far each element is from the first of its run: the end of the longest one is furthest.
  const length = shape[last];
  const part = (start: number) => narrow(sorted, last, start, length - 1);
  const isFirst = ne<T>(part(1), part(0));
  const begins = cat([zerosOf(isFirst, shape.with(last, 1)), isFirst], last);
  const places = integerVector(
    x,
    tabulate(length, (i) => i),
  );
  const starts = raw.derive(backend.scanExtreme('max', mul<T>(begins, places).array, last).values);
  const end = argExtreme('max', sub<T>(places, starts), -1, true);
  const at = gatherAlong(order, last, end);
  const positions = transpose(at, d, -1);
  const values = gatherAlong(x, d, positions);
  return keepdim
    ? namedResult('mode', values, positions)
    : namedResult('mode', squeeze(values, d), squeeze(positions, d));
}

/** 1 where a uniform sample is below the probability in the same element of x, else 0. */
export function bernoulliUnread<T extends Variable>(x: T, uniform: T): T {
  const p = detached(x);
  x.array.backend.require(
    logicalAnd<T>(le<T>(0, p), le<T>(p, 1)).array,
    () => new ArgumentError('bernoulli: expected probabilities to be in [0, 1]'),
  );
  return cast(lt<T>(uniform, p), x.dtype);
}

/** The weights of categories, once they are found to be ones. */
function weightsOf<T extends Variable>(x: T): T {
  const { backend } = x.array;
  const weights = detached(x);
  backend.require(
    logicalAnd<T>(le<T>(0, weights), lt<T>(weights, Infinity)).array,
    () => new ArgumentError('multinomial: expected weights that are finite and not negative'),
  );
  backend.require(
    lt<T>(0, sum(weights, -1)).array,
    () => new ArgumentError('multinomial: expected weights with a sum greater than 0'),
  );
  return weights;
}

/** The `count` categories of each row that win a race of exponentials, of x's shape. */
export function racedUnread<T extends Variable>(x: T, exponentials: T, count: number): T {
  const weights = weightsOf(x);
  const scores = whereOp<T>(eq<T>(weights, 0), 0, div<T>(weights, exponentials));
  const { indices } = x.array.backend.sort(scores.array, x.ndim - 1, true, 0, count);
  return x.derive(indices);
}

/** The category of each row in whose part of the running sum each uniform sample falls. */
export function chosenUnread<T extends Variable>(x: T, uniforms: T): T {
  const sums = cumsum(weightsOf(x), -1);
  const last = sums.shape[x.ndim - 1] - 1;
  const parts = div<T>(sums, narrow(sums, -1, last, 1));
  return minimum<T>(searchUnread(parts, uniforms, false), last);
}
