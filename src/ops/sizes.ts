/** Sizes, steps and margins of windows as users give them: one number for all dimensions, or one for each. */

import { ArgumentError } from '../core/errors.ts';
import { formatShape } from '../core/shape.ts';
import { given } from './given.ts';

/** `kernelSize` as PyTorch's messages say it: kernel size. */
const words = (name: string): string => name.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`);

export type Size = number | readonly number[];

/**
 * One whole number per dimension. @throws ArgumentError for another count, and for numbers below `least`
 */
export function sizesOf(size: Size, ndim: number, least: number, op: string, name: string): number[] {
  const list = typeof size === 'number' ? [size] : given(size, op, name, 'a number or a list of numbers');
  if (list.length !== 1 && list.length !== ndim) {
    throw new ArgumentError(
      `${op}: expected argument '${name}' to be a single integer value or a list of ${ndim} values, but got ${name}=${formatShape(list)}`,
    );
  }
  for (const value of list) {
    if (Number.isInteger(value) && value >= least) continue;
    throw new ArgumentError(
      `${op}: ${least === 0 ? `negative ${name} is` : `${words(name)} should be greater than zero, non-positive ${name} is`} ` +
        `not supported: expected argument '${name}' to be whole ` +
        `numbers from ${least}, but got ${formatShape(list)}`,
    );
  }
  return list.length === ndim ? list.slice() : new Array<number>(ndim).fill(list[0]);
}
