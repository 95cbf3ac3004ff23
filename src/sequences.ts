/** New vectors of numbers in a sequence, which the host computes in double precision. */

import { backendFor } from './backend/registry.ts';
import { type DType, isFloating, type TypedArray } from './core/dtype.ts';
import { ArgumentError } from './core/errors.ts';
import { checkNumber, dtypeOf, leafTensor, NAMES, type TensorOptions } from './creation.ts';
import { taking } from './ops/taking.ts';
import type { Tensor } from './tensor.ts';

/** A vector that the host computes in double precision, rounded to the dtype as it is stored. */
const written = (
  count: number,
  write: (values: TypedArray) => void,
  dtype: DType,
  options: TensorOptions | undefined,
): Tensor => leafTensor(backendFor(options?.device).fromHost([count], dtype, write), options);

/** As two words each: ten times as fast as by a BigInt each. Exact for every double, modulo 2⁶⁴ as BigInts are. */
function writeWhole(values: BigInt64Array, at: (i: number) => number): void {
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  for (let i = 0; i < values.length; i++) {
    const value = Math.trunc(at(i));
    words[2 * i] = value;
    words[2 * i + 1] = Math.floor(value / 2 ** 32);
  }
}

/** Writes base + step · (i − origin) for i from `begin` to `end`, in loops without a call for each element. */
function ramp(
  values: TypedArray,
  begin: number,
  end: number,
  base: number,
  step: number,
  origin: number,
): void {
  const at = (i: number) => base + step * (i - origin);
  if (!(values instanceof BigInt64Array))
    for (let i = begin; i < end; i++) values[i] = base + step * (i - origin);
  else if ([step, at(begin), at(end)].every((value) => value === (value | 0))) {
    const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
    for (let i = begin, value = at(begin); i < end; i++, value = (value + step) | 0) {
      words[2 * i] = value;
      words[2 * i + 1] = value >> 31;
    }
  } else writeWhole(values.subarray(begin, end), (i) => at(i + begin));
}

/** first, first + step, … */
const progression = (
  length: number,
  first: number,
  step: number,
  dtype: DType,
  options: TensorOptions | undefined,
): Tensor => {
  const count = Math.ceil(length);
  return written(count, (values) => ramp(values, 0, count, first, step, 0), dtype, options);
};

export interface ArangeOptions extends TensorOptions {
  /** Default 0. */
  start?: number;
  end?: number;
  /** Default 1. */
  step?: number;
}

/**
 * start, start + step, … up to but not including end. int64 if all three are whole numbers, float32 otherwise.
 * `arange(end)`, `arange(start, end)`, `arange(start, end, step)`, each with options behind, or by these names.
 */
export function arange(...values: readonly (number | bigint | ArangeOptions | undefined)[]): Tensor {
  const args = values.map((a) => (typeof a === 'bigint' ? Number(a) : a));
  const options = args.find((a): a is ArangeOptions => typeof a === 'object');
  const given = args.filter((a): a is number => typeof a === 'number');
  const byName = given.length === 1 && options?.end !== undefined ? { start: given[0], ...options } : options;
  const start = byName?.start ?? (given.length === 1 ? 0 : given[0]);
  const end = byName?.end ?? (given.length === 1 ? given[0] : given[1]);
  const step = byName?.step ?? given[2] ?? 1;
  const numbers = [start, end, step];
  const gap = args
    .slice(0, -1)
    .some((a, i) => a === undefined && args.slice(i + 1).some((b) => typeof b === 'number'));
  if (gap || given.length > 3 || !numbers.every(Number.isFinite)) {
    throw new ArgumentError(
      `arange: argument '${Number.isFinite(end) ? 'start' : 'end'}' is missing or no number: expected (end), (start, end) or ` +
        `(start, end, step), but got (${args.map(String).join(', ')})`,
    );
  }
  if (step === 0) throw new ArgumentError('arange: step must be nonzero');
  if (step > 0 ? start > end : start < end) {
    throw new ArgumentError('arange: upper bound and larger bound inconsistent with step sign');
  }
  const dtype = dtypeOf(
    options,
    'arange',
    numbers.every(Number.isInteger) ? 'int64' : 'float32',
    `start end step ${NAMES}`,
  );
  if (isFloating(dtype)) return progression((end - start) / step, start, step, dtype, options);
  // Integers count in whole numbers, as in PyTorch: int64 from the beginning, the others once they have their length.
  const [from, to, by] = numbers.map(Math.trunc);
  if (dtype === 'int64' && by === 0) throw new ArgumentError('arange: step must be nonzero');
  const count = dtype === 'int64' ? (to - from) / by : (end - start) / step;
  return progression(count, from, by, dtype, options);
}

/** `steps` values from start to end, both included, equally far apart. */
export const linspace = /* @__PURE__ */ taking(
  'linspace',
  'end steps ...',
  function linspace(start: number, end: number, steps: number, options?: TensorOptions): Tensor {
    const dtype = dtypeOf(options, 'linspace');
    checkNumber(start, 'linspace', 'start');
    checkNumber(end, 'linspace', 'end');
    if (!Number.isInteger(steps) || steps < 0)
      throw new ArgumentError(`linspace: number of steps must be non-negative, but got ${steps}`);
    if (!isFloating(dtype)) [start, end] = [Math.trunc(start), Math.trunc(end)];
    const single = dtype === 'float32';
    // Single precision throughout, as PyTorch computes a float32 linspace; elements are rounded as they are stored.
    const f = single ? Math.fround : (x: number) => x;
    const [first, last] = [f(start), f(end)];
    const step = steps > 1 ? f(f(last - first) / f(steps - 1)) : 0;
    // From both ends, as PyTorch: symmetric, and exact at the end.
    const half = steps === 1 ? 1 : single ? Math.floor(steps / 2) : Math.ceil(steps / 2);
    const write = (values: TypedArray) => {
      ramp(values, 0, half, first, step, 0);
      ramp(values, half, steps, last, step, steps - 1);
    };
    return written(steps, write, dtype, options);
  },
);

/** `steps` powers of `base` with exponents equally far apart from start to end. */
export const logspace = /* @__PURE__ */ taking(
  'logspace',
  'end steps base? * dtype device requiresGrad',
  function logspace(start: number, end: number, steps: number, base = 10, options?: TensorOptions): Tensor {
    checkNumber(start, 'logspace', 'start');
    checkNumber(end, 'logspace', 'end');
    if (!Number.isInteger(steps) || steps < 0)
      throw new ArgumentError(`logspace: number of steps must be non-negative, but got ${steps}`);
    const dtype = dtypeOf(options, 'logspace');
    // One power is that of the start as it was given.
    if (!isFloating(dtype) && steps > 1) [start, end] = [Math.trunc(start), Math.trunc(end)];
    const exponents = linspace(start, end, steps, { dtype: 'float64', device: 'cpu' }).data;
    const at = (i: number) => base ** Number(exponents[i]);
    const write = (values: TypedArray) => {
      if (values instanceof BigInt64Array) writeWhole(values, at);
      else for (let i = 0; i < steps; i++) values[i] = at(i);
    };
    return written(steps, write, dtype, options);
  },
);
