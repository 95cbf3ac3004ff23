/** Arguments that may be given by position or by PyTorch's name in a trailing options object. */

import { ArgumentError } from '../core/errors.ts';
import { camelCase } from '../core/pythonText.ts';
import { checkKnown, refuseName } from './optionNames.ts';

/** A value, or an object that holds it under `K`. */
export type ByName<K extends string, V> = V | { readonly [key in K]?: V } | undefined;

/** True for an object literal: not a list, not a tensor. */
export function isPlain(x: unknown): x is object {
  return typeof x === 'object' && x !== null && Object.getPrototypeOf(x) === Object.prototype;
}

const NONE: readonly string[] = [];

/**
 * The options as they are, unless a name in them is Python's, or no option's: it would say nothing, and `{ batch_size: 128 }`
 * train with one sample at a time. `own` are names that only this function has. @throws ArgumentError with the name that is
 * meant
 */
export function checkNames<O extends object>(options: O, own = NONE): O {
  checkCase(options);
  for (const name in options) checkKnown(name, own);
  return options;
}

/** The same where names of the user's own are allowed. @throws ArgumentError */
export function checkCase<O extends object>(options: O): O {
  for (const name in options)
    if (name.includes('_')) throw new ArgumentError(`write ${camelCase(name)}, not '${name}'`);
  return options;
}

/** The argument `key`: given by position, by name, or not at all. */
export function option<K extends string, V>(given: ByName<K, V>, key: K, otherwise: V): V {
  if (given === undefined) return otherwise;
  if (!isPlain(given)) return given as V;
  return (checkNames(given) as { readonly [name in K]?: V })[key] ?? otherwise;
}

/** The same where it is the only option there is: what is one elsewhere would say nothing here. @throws ArgumentError */
export function onlyOption<K extends string, V>(given: ByName<K, V>, key: K, otherwise: V): V {
  if (isPlain(given)) for (const name in given) if (name !== key) refuseName(name, [key]);
  return option(given, key, otherwise);
}
