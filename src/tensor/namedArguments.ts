/** Arguments by position, any tail of them by name instead: `conv2d(x, w, b, 2, 1)`, `conv2d(x, w, { stride: 2 })`. */
import { ArgumentError } from '../core/errors.ts';
import { likeliest, refuseName } from '../ops/optionNames.ts';
import { checkCase, inOrder, isPlain, refuseSurplus, refuseTwice } from '../ops/options.ts';

export { type Flexible, named, oneWay } from '../ops/options.ts';

/**
 * The forms in which required arguments, with the types F, stand in the options object: all of them, or all but the
 * first few, which `Order` names.
 */
export type ByName<F, Order extends readonly PropertyKey[], O> =
  | [options: F & O]
  | (Order extends readonly [infer A extends keyof F, ...infer Rest extends readonly PropertyKey[]]
      ? [first: F[A], ...ByName<Omit<F, A>, Rest, O>]
      : never);

/**
 * The required arguments in order, whether they came by position or by name, then all others as they came.
 * @throws ArgumentError naming one that is missing, or that came twice
 */
export function required<R extends readonly unknown[]>(
  owner: string,
  names: readonly string[],
  given: readonly unknown[],
): [...R, ...unknown[]];
export function required(owner: string, names: readonly string[], given: readonly unknown[]): unknown[] {
  const at = given.findIndex(isPlain);
  const count = at < 0 ? given.length : at;
  const byNames: Record<string, unknown> = at < 0 ? {} : { ...checkCase(given[at] as object) };
  const values = names.map((name, i) => {
    const byPosition = i < count && given[i] !== undefined;
    const byName = byNames[name] !== undefined;
    if (byPosition && byName) refuseTwice(owner, name);
    if (!byPosition && !byName) {
      for (const other in byNames) if (likeliest(other, [name])) refuseName(owner, other, names);
      throw new ArgumentError(
        `${owner}: missing required argument '${name}': expected it as argument ${i + 1}, or by name in the options, ` +
          `but got ${count} positional argument${count === 1 ? '' : 's'}${at < 0 ? '' : ` and the names ${Object.keys(byNames).join(', ') || '(none)'}`}`,
      );
    }
    const value = byPosition ? given[i] : byNames[name];
    delete byNames[name];
    return value;
  });
  const others = given.slice(names.length, count);
  return at < 0 ? [...values, ...others] : [...values, ...others, byNames, ...given.slice(at + 1)];
}

/** The same where there are no others. @throws ArgumentError */
export function exactly<R extends readonly unknown[]>(
  owner: string,
  names: readonly string[],
  given: readonly unknown[],
): [...R, ...unknown[]] {
  const values = required<R>(owner, names, given);
  inOrder(owner, '', values.slice(names.length));
  return values;
}

/**
 * The arguments as one object, where the caller tells which names there are.
 * @throws ArgumentError where more come by position than have a place
 */
export function namedFreely<O extends object>(
  owner: string,
  names: readonly (keyof O & string)[],
  given: readonly unknown[],
): O {
  const into = {} as O;
  given.forEach((value, i) => {
    if (value === undefined) return;
    if (isPlain(value)) Object.assign(into, checkCase(value));
    else if (i < names.length) Reflect.set(into, names[i], value);
    else refuseSurplus(owner, names, value);
  });
  return into;
}
