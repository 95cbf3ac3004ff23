/** Elements kept within bounds, and replaced where they are not numbers. */

import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { isFloating } from '../core/dtype.ts';
import { ArgumentError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { add, maximum, minimum, mul } from './arithmetic.ts';
import { eq, ge, gt, isfinite, le, logicalAnd, lt } from './comparison.ts';
import { detached, named } from './composite.ts';
import { cast, clone, commonDType, elementValue, FLOAT32_MAX, type OperandOf } from './convert.ts';
import { tensorGiven } from './given.ts';
import { type Flexible, inOrder } from './options.ts';
import { whereOp } from './where.ts';

/** A bound: a number, a tensor that broadcasts, or none. */
export type BoundOf<T extends Variable> = T | number | null | undefined;

export interface ClampOptions<T extends Variable> {
  min?: BoundOf<T>;
  max?: BoundOf<T>;
}

/** `(min, max)`, any tail of them by name. */
export type ClampArguments<T extends Variable> = Flexible<
  [min: BoundOf<T> | undefined, max: BoundOf<T>],
  ClampOptions<T>
>;

const clampSpec = {
  name: 'clamp',
  js: (x: number, low: number, high: number) => (Number.isNaN(x) ? x : Math.min(Math.max(x, low), high)),
  wgsl: 'min(max(x, p), q)',
};

/**
 * x with elements below min replaced by min and those above max by max; NaN stays, and a bound that is NaN makes everything
 * NaN. Where min > max, max wins. The gradient passes where min ≤ x ≤ max, bounds included. @throws ArgumentError if neither bound is given
 */
export function clamp<T extends Variable>(x: T, ...args: ClampArguments<T>): T {
  tensorGiven(x, 'clamp');
  return inOp('clamp', () =>
    bounded(
      x,
      inOrder<[BoundOf<T>, BoundOf<T>]>('clamp', 'min max', args),
      'ClampBackward1',
      'ClampBackward0',
    ),
  );
}

type Bounds<T extends Variable> = [low?: BoundOf<T>, high?: BoundOf<T>];

/** The same under the names of nodes for numbers and for tensors as bounds. */
function bounded<T extends Variable>(x: T, bounds: Bounds<T>, name: string, ofTensors: string): T {
  const [low = null, high = null] = bounds;
  if (low === null && high === null)
    throw new ArgumentError("clamp: At least one of 'min' or 'max' must not be None, but got neither");
  if (typeof (low ?? 0) === 'object' || typeof (high ?? 0) === 'object')
    return named(ofTensors, clampByTensors(x, low, high));
  const [least, most] = [low, high] as (number | null)[];
  const input = cast(x, commonDType([x, ...[least, most].filter((b) => b !== null)]));
  // Integers have no infinity to stand for a missing bound.
  if (!isFloating(input.dtype)) return clampIntegers(input, least, most);
  const [p, q] = [least ?? -Infinity, most ?? Infinity];
  const nowhere = Number.isNaN(p) || Number.isNaN(q);
  const out = nowhere
    ? add<T>(mul<T>(detached(input), 0), Number.NaN).array
    : input.array.backend.unary(clampSpec, input.array, p, q);
  return record(name, out, [input], (node) => {
    const saved = node.save(input);
    return (grad) => {
      const value = saved.get(grad);
      return [whereOp<T>(logicalAnd<T>(ge<T>(value, p), le<T>(value, q)), grad, 0)];
    };
  });
}

function clampIntegers<T extends Variable>(x: T, low: number | null, high: number | null): T {
  for (const bound of [low, high]) if (bound !== null) elementValue(bound, x.dtype, 'clamp');
  const raised = low === null ? x : maximum<T>(x, low);
  return high === null ? raised : minimum<T>(raised, high);
}

function clampByTensors<T extends Variable>(x: T, low: T | number | null, high: T | number | null): T {
  // All three decide about the dtype, also where one of them is taken nowhere.
  const dtype = commonDType([x, low, high].filter((y) => y !== null));
  const [from, to] = [low, high].map((y) => (typeof y === 'object' && y !== null ? cast(y, dtype) : y));
  const value = cast(x, dtype);
  // Ties belong to x, unlike those of maximum.
  const raised = from === null ? value : pick<T>(value, to === null ? from : lower<T>(from, to), ge, lt);
  return to === null ? raised : pick<T>(raised, to, le, gt);
}

/** The lower bound: no gradient goes to it where it equals the upper one. */
function lower<T extends Variable>(low: T | number, high: T | number): T | number {
  if (typeof low === 'number' || !low.requiresGrad) return low;
  return whereOp<T>(lt<T>(low, high), low, detached(low));
}

/** x where it keeps the bound, the bound where x breaks it, and where one of them is NaN a NaN that passes no gradient. */
function pick<T extends Variable>(x: T, bound: T | number, keeps: typeof ge, breaks: typeof ge): T {
  const dtype = commonDType([x, bound]);
  const value = cast(x, dtype);
  const limit: OperandOf<T> = typeof bound === 'number' ? bound : cast(bound, dtype);
  const kept = keeps<T>(value, limit);
  if (!isFloating(dtype)) return whereOp<T>(kept, value, limit);
  return whereOp<T>(kept, value, whereOp<T>(breaks<T>(value, limit), limit, Number.NaN));
}

/** x with elements below min replaced by min. */
export const clampMin = <T extends Variable>(x: T, min: T | number): T =>
  inOp('clamp_min', () =>
    bounded(tensorGiven(x, 'clamp_min'), [min, null], 'ClampMinBackward0', 'ClampMinBackward1'),
  );
/** x with elements above max replaced by max. */
export const clampMax = <T extends Variable>(x: T, max: T | number): T =>
  inOp('clamp_max', () =>
    bounded(tensorGiven(x, 'clamp_max'), [null, max], 'ClampMaxBackward0', 'ClampMaxBackward1'),
  );

export interface NanToNumOptions {
  /** What NaN becomes; default 0. */
  nan?: number;
  /** What plus infinity becomes; default the largest finite value of the dtype. */
  posinf?: number | null;
  /** What minus infinity becomes; default the smallest finite value of the dtype. */
  neginf?: number | null;
}

/** `(nan, posinf, neginf)`, any tail of them by name. */
export type NanToNumArguments = Flexible<
  [nan: number | null, posinf: number | null, neginf: number | null],
  NanToNumOptions
>;

/** NaN and infinities replaced by numbers; gradients pass only where nothing was replaced. */
export function nanToNum<T extends Variable>(x: T, ...args: NanToNumArguments): T {
  tensorGiven(x, 'nan_to_num');
  type Values = [number | null, number | null, number | null];
  const [nan, posinf, neginf] = inOrder<Values>('nan_to_num', 'nan posinf neginf', args);
  if (!isFloating(x.dtype)) return clone(x);
  const largest = x.dtype === 'float32' ? FLOAT32_MAX : Number.MAX_VALUE;
  const high = posinf ?? largest;
  const low = neginf ?? -largest;
  const value = detached(x);
  const infinite = whereOp<T>(eq<T>(value, Infinity), high, whereOp<T>(eq<T>(value, -Infinity), low, value));
  const out = whereOp<T>(eq<T>(value, value), infinite, nan ?? 0);
  return record('NanToNumBackward0', out.array, [x], (node) => {
    const saved = node.save(x);
    return (grad) => [whereOp<T>(isfinite(saved.get(grad)), grad, 0)];
  });
}
