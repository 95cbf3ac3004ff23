/** Functions whose arguments after the first come by position or by PyTorch's names, in a trailing options object. */
import type { Variable } from '../autograd/variable.ts';
import { ArgumentError } from '../core/errors.ts';
import { optionsGiven } from './given.ts';
import { checkNames, isPlain } from './options.ts';

/** Of a signature; the `*` at its end is no name. */
type Words<S extends string> = S extends `${infer A} *`
  ? Words<A>
  : S extends `${infer A} ${infer B}`
    ? [A, ...Words<B>]
    : [S];

/** What stands under one name: `dim?` may be left out, of `src|value` one must come. */
type Field<Name, V> = Name extends `${infer A}?`
  ? { readonly [key in A]?: V }
  : Name extends `${infer A}|${infer B}`
    ? { readonly [key in A]: V } | { readonly [key in B]: V }
    : { readonly [key in Name & string]: V };

/** The options object that holds all of the arguments, and the function's own options. */
type Fields<Names extends readonly string[], P extends readonly unknown[]> = Names extends readonly [
  infer A,
  ...infer Others extends readonly string[],
]
  ? P extends readonly [(infer V)?, ...infer Q]
    ? Field<A, V> & Fields<Others, Q>
    : unknown
  : Own<P>;

/** The options object of the function itself, which stands where the named arguments end. */
type Own<P> = [OptionsIn<P>] extends [never] ? unknown : OptionsIn<P>;
type OptionsIn<P> = P extends readonly [(infer O)?] ? Exclude<O, undefined> : never;

/** The first few arguments by position, all others by name. */
type Forms<Names extends readonly string[], P extends readonly unknown[]> = Names extends readonly [
  unknown,
  ...infer Others extends readonly string[],
]
  ?
      | [options: Fields<Names, P>]
      | (P extends readonly [infer V, ...infer Q] ? [first: V, ...Forms<Others, Q>] : never)
  : never;

/** R with the caller's kind of tensor in it. */
type Of<R, T> = R extends Variable
  ? T
  : R extends readonly (infer U)[]
    ? Of<U, T>[]
    : R extends object
      ? { readonly [K in keyof R]: Of<R[K], T> }
      : R;

type Callable = (...args: never) => unknown;
type Rest<F> = F extends (first: never, ...rest: infer P extends readonly unknown[]) => unknown ? P : never;

export type Taking<F extends Callable, Names extends string> = F &
  (<T extends Parameters<F>[0]>(
    first: T,
    ...rest: Forms<Words<Names>, Rest<F>>
  ) => T extends Variable ? Of<ReturnType<F>, T> : ReturnType<F>);

interface Name {
  readonly names: readonly string[];
  readonly needed: boolean;
}

/**
 * The arguments in order, those that an options object names among them; its other members come behind.
 * @throws ArgumentError naming one that is missing or came twice
 */
function settle(
  op: string,
  list: readonly Name[],
  own: readonly string[],
  given: readonly unknown[],
): readonly unknown[] {
  const at = given.findIndex(isPlain);
  const values = [...(at < 0 ? given : given.slice(0, at))];
  const others: Record<string, unknown> = {};
  if (at >= 0) {
    Object.assign(others, checkNames(given[at] as object, own));
    list.forEach(({ names }, i) => {
      const name = names.find((each) => others[each] !== undefined);
      if (name === undefined) return;
      if (i < at) {
        throw new ArgumentError(`${op}: got multiple values for argument '${name}': by position and by name`);
      }
      values[i] = others[name];
      delete others[name];
    });
    // An options object of the function itself stays where it was, if nothing in it was an argument.
    if (values.length === at) values.push(others);
    else if (Object.keys(others).length > 0) values[list.length] = others;
    // What methods pass behind it, their defaults among it, keeps its place; names win.
    for (let i = at + 1; i < given.length; i++) if (values[i] === undefined) values[i] = given[i];
  }
  list.forEach(({ names, needed }, i) => {
    if (!needed || (values[i] !== undefined && values[i] !== others)) return;
    throw new ArgumentError(`${op}: argument '${names.join("' or '")}' must be given, but got nothing`);
  });
  return values;
}

/**
 * f with its arguments after the first by position or by name. `signature` holds PyTorch's names in their order: with a
 * `?` behind those that may be left out, with a `|` between two names of one place, and with a `*` at the end where what
 * follows comes by name only: a value there would say nothing, as all that the function reads of it are names.
 */
export function taking<F extends Callable, const Names extends string>(
  op: string,
  signature: Names,
  f: F,
): Taking<F, Names> {
  const words = signature.split(' ');
  const byNameOnly = words[words.length - 1] === '*';
  const list = (byNameOnly ? words.slice(0, -1) : words).map((word): Name => {
    const needed = !word.endsWith('?');
    return { names: (needed ? word : word.slice(0, -1)).split('|'), needed };
  });
  const own = list.flatMap(({ names }) => names);
  const least = list.filter(({ needed }) => needed).length;
  const call = f as unknown as (...args: readonly unknown[]) => unknown;
  const taken = (...args: readonly unknown[]): unknown => {
    if (byNameOnly && args.length > list.length + 1)
      for (const surplus of args.slice(list.length + 1)) optionsGiven(surplus, op);
    let plain = args.length > least;
    for (let i = 1; plain && i < args.length; i++) plain = args[i] !== undefined && !isPlain(args[i]);
    return plain ? call(...args) : call(args[0], ...settle(op, list, own, args.slice(1)));
  };
  return taken as unknown as Taking<F, Names>;
}
