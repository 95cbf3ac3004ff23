/** Arguments that may be given by position or by PyTorch's name in a trailing options object. */

/** A value, or an object that holds it under `K`. */
export type ByName<K extends string, V> = V | { readonly [key in K]?: V } | undefined;

/** True for an object literal: not a list, not a tensor. */
export function isPlain(x: unknown): x is object {
  return typeof x === 'object' && x !== null && Object.getPrototypeOf(x) === Object.prototype;
}

/** The argument `key`: given by position, by name, or not at all. */
export function option<K extends string, V>(given: ByName<K, V>, key: K, otherwise: V): V {
  if (given === undefined) return otherwise;
  if (!isPlain(given)) return given as V;
  return (given as { readonly [name in K]?: V })[key] ?? otherwise;
}
