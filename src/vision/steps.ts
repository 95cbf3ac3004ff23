/** What transforms of images share: their draws, their sizes, and how they print. */
import { ArgumentError } from '../core/errors.ts';
import { pythonFloat, pythonNumber, pythonValue } from '../core/pythonText.ts';
import { empty } from '../creation.ts';
import type { Tensor } from '../tensor.ts';
import type { Size, Transform } from './transforms.ts';

/** A transform that is a function with a text. */
export const step = (text: string, apply: (image: Tensor) => Tensor): Transform => ({
  apply,
  toString: () => text,
});

/** One draw from [low, high), as torchvision draws. */
export const uniform = (low: number, high: number): number => empty([1]).uniform_(low, high).item() as number;

/** Whether something that has probability p happens. */
export const happens = (p: number): boolean => uniform(0, 1) < p;

/** A probability. @throws ArgumentError */
export function probability(p: number, op: string): number {
  if (p >= 0 && p <= 1) return p;
  throw new ArgumentError(`${op}: p must be in [0, 1], but got ${p}`);
}

/** [height, width] of a size. @throws ArgumentError for what is no positive whole number */
export function bothSizes(size: Size, op: string): [number, number] {
  const [h, w = h] = typeof size === 'number' ? [size] : size;
  if (Number.isInteger(h) && Number.isInteger(w) && h > 0 && w > 0) return [h, w];
  throw new ArgumentError(`${op}: size must be positive whole numbers, but got ${text(size)}`);
}

/** Two numbers in order. @throws ArgumentError */
export function range(given: readonly number[], op: string, argument: string): readonly [number, number] {
  const [low, high] = given;
  if (given.length === 2 && low <= high) return [low, high];
  throw new ArgumentError(
    `${op}: ${argument} must be two numbers, the smaller one first, but got ${text(given)}`,
  );
}

export const heightAndWidth = (image: Tensor): [number, number] => [image.size(-2), image.size(-1)];

/** A value as Python prints it. */
export function text(value: number | string | boolean | null | readonly number[]): string {
  if (typeof value === 'number') return pythonNumber(value);
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return pythonValue(value);
}

/** What torchvision makes floats of, or has floats for by default. */
export const floatTexts = (list: readonly number[]): string => list.map(pythonFloat).join(', ');
