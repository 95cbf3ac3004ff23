/**
 * Arguments that come by position, or by PyTorch's name in an options object behind them. Each function says its names in one
 * text, in PyTorch's order: `'dim keepdim * dtype'`, where what follows the `*` comes by name only.
 */

import { ArgumentError } from '../core/errors.ts';
import { camelCase } from '../core/pythonText.ts';
import { refuseName } from './optionNames.ts';

/** A value, or an object that holds it under `K`. */
export type ByName<K extends string, V> = V | { readonly [key in K]?: V } | undefined;

/** Any number of the positional arguments P, in order, then perhaps the options object O. */
export type Flexible<P extends readonly unknown[], O> = P extends readonly [unknown, ...infer Rest]
  ? P extends readonly [...infer First, ...Rest]
    ? [options?: O] | [...First, ...Flexible<Rest, O>]
    : never
  : [options?: O];

/** True for an object literal, or one without a prototype: not a list, not a tensor. */
export function isPlain(x: unknown): x is object {
  if (typeof x !== 'object' || x === null) return false;
  const prototype: unknown = Object.getPrototypeOf(x);
  return prototype === Object.prototype || prototype === null;
}

interface Signature {
  readonly names: readonly string[];
  /** How many of them have a place. */
  readonly places: number;
}

/** Ops are called a million times a second: no text is taken apart twice. */
const signatures = new Map<string, Signature>();

function signatureOf(text: string): Signature {
  let found = signatures.get(text);
  if (found === undefined) {
    const [placed, ...others] = text.split('*').map((part) => part.split(' ').filter(Boolean));
    found = { names: placed.concat(...others), places: placed.length };
    signatures.set(text, found);
  }
  return found;
}

/** The names of a signature. */
export const namesIn = (signature: string): readonly string[] => signatureOf(signature).names;

/**
 * The options as they are, if all of their names are `op`'s: others would say nothing, and `{ batch_size: 128 }` train with one
 * sample at a time. @throws ArgumentError with the name that is meant, or with those that there are
 */
export function checkNames<O extends object>(options: O, op: string, names: readonly string[]): O {
  for (const name in checkCase(options)) if (!names.includes(name)) refuseName(op, name, names);
  return options;
}

/** The same where names of the user's own are allowed. @throws ArgumentError */
export function checkCase<O extends object>(options: O): O {
  for (const name in options)
    if (name.includes('_')) throw new ArgumentError(`write ${camelCase(name)}, not '${name}'`);
  return options;
}

/** @throws ArgumentError */
export function refuseTwice(op: string, name: string): never {
  throw new ArgumentError(`${op}: got multiple values for argument '${name}': by position and by name`);
}

/** For a value behind the arguments that come by position. @throws ArgumentError */
export function refuseSurplus(op: string, names: readonly string[], value: unknown): never {
  throw new ArgumentError(
    `${op}: expected no more than ${names.join(', ') || 'the options object'} by position, and other arguments by name, but got ` +
      String(value),
  );
}

/**
 * The arguments in the order of `signature`, undefined where none came. Behind an options object stands only what methods
 * pass on, defaults among it: names win.
 * @throws ArgumentError for a name that is not there, one that came twice, and a value where none comes by position
 */
export function inOrder<V extends readonly unknown[]>(
  op: string,
  signature: string,
  given: readonly unknown[],
): Partial<V> {
  const { names, places } = signatureOf(signature);
  let plain = given.length <= places;
  for (let i = 0; plain && i < given.length; i++) plain = !isPlain(given[i]);
  return (plain ? given : sorted(op, names, places, given)) as unknown as Partial<V>;
}

function sorted(
  op: string,
  names: readonly string[],
  places: number,
  given: readonly unknown[],
): readonly unknown[] {
  const values: unknown[] = [];
  let before = given.length;
  given.forEach((value, i) => {
    if (value === undefined) return;
    if (isPlain(value)) {
      before = Math.min(before, i);
      for (const [name, each] of Object.entries(checkNames(value, op, names))) {
        const at = names.indexOf(name);
        if (each === undefined) continue;
        if (at < before && values[at] !== undefined) refuseTwice(op, name);
        values[at] = each;
      }
    } else if (i >= places) refuseSurplus(op, names.slice(0, places), value);
    else if (values[i] === undefined) values[i] = value;
  });
  return values;
}

/** The same as an object, `into`. @throws ArgumentError */
export function named<O extends object>(
  op: string,
  signature: string,
  given: readonly unknown[],
  into = {} as O,
): O {
  const names = namesIn(signature);
  inOrder(op, signature, given).forEach((value, i) => {
    if (value !== undefined) Reflect.set(into, names[i], value);
  });
  return into;
}

/** For what PyTorch does in several ways, and this library in one, `value`. @throws ArgumentError for another */
export function oneWay<V>(op: string, name: string, given: V | undefined, value: V): void {
  if (given !== undefined && given !== value)
    throw new ArgumentError(`${op}: ${name} is always ${value} here, but got ${given}`);
}

/** The only argument, `key`: given by position, by name, or not at all. @throws ArgumentError */
export function option<K extends string, V>(given: ByName<K, V>, op: string, key: K, otherwise: V): V {
  if (given === undefined) return otherwise;
  if (!isPlain(given)) return given as V;
  return (checkNames(given, op, [key]) as { readonly [name in K]?: V })[key] ?? otherwise;
}
