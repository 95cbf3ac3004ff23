/** Arguments by position, any tail of them by name instead: `conv2d(x, w, b, 2, 1)`, `conv2d(x, w, { stride: 2 })`. */
import { ArgumentError } from '../core/errors.ts';
import { checkCase, checkNames, isPlain } from '../ops/options.ts';

/** Any number of the positional arguments P, in order, then perhaps the options object O. */
export type Flexible<P extends readonly unknown[], O> = P extends readonly [unknown, ...infer Rest]
  ? P extends readonly [...infer First, ...Rest]
    ? [options?: O] | [...First, ...Flexible<Rest, O>]
    : never
  : [options?: O];

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
  const named: Record<string, unknown> = at < 0 ? {} : { ...checkNames(given[at] as object, names) };
  const values = names.map((name, i) => {
    const byPosition = i < count && given[i] !== undefined;
    const byName = named[name] !== undefined;
    if (byPosition && byName) {
      throw new ArgumentError(
        `${owner}: got multiple values for argument '${name}': by position and by name`,
      );
    }
    if (!byPosition && !byName) {
      throw new ArgumentError(
        `${owner}: missing required argument '${name}': expected it as argument ${i + 1}, or by name in the options, ` +
          `but got ${count} positional argument${count === 1 ? '' : 's'}${at < 0 ? '' : ` and the names ${Object.keys(named).join(', ') || '(none)'}`}`,
      );
    }
    const value = byPosition ? given[i] : named[name];
    delete named[name];
    return value;
  });
  const others = given.slice(names.length, count);
  return at < 0 ? [...values, ...others] : [...values, ...others, named, ...given.slice(at + 1)];
}

/** For a value behind the arguments that come by position. @throws ArgumentError */
export function refuseSurplus(names: readonly string[], value: unknown): never {
  throw new ArgumentError(
    `expected no more than ${names.join(', ') || 'the options object'} by position, and other arguments by name, but got ` +
      String(value),
  );
}

/**
 * The arguments as one object, `into`: positional ones under `names`, and what the options object says.
 * @throws ArgumentError where more come by position than have a place
 */
export function named<O extends object>(
  names: readonly (keyof O & string)[],
  given: readonly unknown[],
  into = {} as O,
): O {
  return merged(names, given, into, (options) => checkNames(options, names));
}

/** The same where the caller tells which names there are. @throws ArgumentError */
export const namedFreely = <O extends object>(
  names: readonly (keyof O & string)[],
  given: readonly unknown[],
): O => merged<O>(names, given, {} as O, checkCase);

function merged<O extends object>(
  names: readonly (keyof O & string)[],
  given: readonly unknown[],
  into: O,
  checked: (options: object) => object,
): O {
  given.forEach((value, i) => {
    if (value === undefined) return;
    if (isPlain(value)) Object.assign(into, checked(value));
    else if (i < names.length) Reflect.set(into, names[i], value);
    else refuseSurplus(names, value);
  });
  return into;
}
