/**
 * Ops that look at values on the host where they can be read within an op; made of other ops for devices where they
 * cannot. They compare everything with everything, which such devices do quickly.
 */
import type { Variable } from '../autograd/variable.ts';
import { ArgumentError } from '../core/errors.ts';
import { gatherAlong, zerosOf } from './along.ts';
import { add, div, maximum, minimum, mul, sub } from './arithmetic.ts';
import { eq, isfinite, isnan, le, logicalAnd, logicalNot, logicalOr, lt } from './comparison.ts';
import { detached } from './composite.ts';
import { cast, type OperandOf } from './convert.ts';
import { floor } from './elementwise.ts';
import { namedResult, type ValuesAndIndices } from './namedResult.ts';
import { amax, amin, any, argExtreme, sum } from './reduce.ts';
import { reshape, squeeze, transpose, unsqueeze } from './views.ts';
import { whereOp } from './where.ts';

/** The position of each value in a sorted last dimension: how many elements come before it. */
export function searchUnread<T extends Variable>(sequence: T, values: OperandOf<T>, behind: boolean): T {
  const x =
    typeof values === 'object' ? values : reshape(add<T>(mul<T>(sum(detached(sequence)), 0), values), []);
  const sorted = detached(sequence);
  const wanted = unsqueeze(detached(x), x.ndim);
  const line = sorted.ndim > 1 ? unsqueeze(sorted, sorted.ndim - 1) : sorted;
  // NaN lies behind everything.
  return sum(logicalOr<T>(isnan(wanted), behind ? le<T>(line, wanted) : lt<T>(line, wanted)), -1);
}

/** True where an element of x is among the others. */
export function isinUnread<T extends Variable>(x: T, among: T, invert: boolean): T {
  const found = any(eq<T>(unsqueeze(detached(x), x.ndim), reshape(detached(among), [-1])), -1);
  return invert ? logicalNot(found) : found;
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
  const sorted = raw.derive(raw.array.backend.sort(raw.array, raw.ndim - 1, false).values);
  const order = raw.derive(raw.array.backend.sort(raw.array, raw.ndim - 1, false).indices);
  const counts = sum(eq<T>(unsqueeze(sorted, -1), unsqueeze(sorted, -2)), -1);
  const first = argExtreme('max', counts, -1, true);
  const count = gatherAlong(counts, raw.ndim - 1, first);
  const at = gatherAlong(order, raw.ndim - 1, sub<T>(add<T>(first, count), 1));
  const positions = transpose(at, d, -1);
  const values = gatherAlong(x, d, positions);
  return keepdim
    ? namedResult('mode', values, positions)
    : namedResult('mode', squeeze(values, d), squeeze(positions, d));
}
