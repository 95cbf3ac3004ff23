/** Functions whose arguments after the first come by position or by PyTorch's names, in a trailing options object. */
import type { Variable } from '../autograd/variable.ts';
import { ArgumentError } from '../core/errors.ts';
import { checkCase, checkNames, isPlain, refuseSurplus, refuseTwice } from './options.ts';

/** Of a signature: what stands from a `*` or `...` on has no place. */
type Words<S extends string> = S extends `${infer A} ${'*' | '...'}${string}`
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
      | (P extends readonly [(infer V)?, ...infer Q] ? [first: V, ...Forms<Others, Q>] : never)
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

interface Place {
  readonly names: readonly string[];
  readonly needed: boolean;
}

interface Signature {
  readonly places: readonly Place[];
  /** All names that options may have; null where f looks at the others itself. */
  readonly known: readonly string[] | null;
  /** Nothing comes by position behind the places. */
  readonly closed: boolean;
}

function signatureOf(text: string): Signature {
  const [placed, byName] = text.split(/ ?\* ?/);
  const words = placed.split(' ').filter((word) => word !== '...');
  const places = words.map((word): Place => {
    const needed = !word.endsWith('?');
    return { names: (needed ? word : word.slice(0, -1)).split('|'), needed };
  });
  const others = byName?.split(' ') ?? [];
  const known = placed.endsWith('...') ? null : [...places.flatMap(({ names }) => names), ...others];
  return { places, known, closed: byName !== undefined };
}

/**
 * The arguments in order, those that an options object names among them; its other members come behind.
 * @throws ArgumentError naming one that is missing or came twice, or a name that is none of the function's
 */
function settle(
  op: string,
  { places, known, closed }: Signature,
  given: readonly unknown[],
): readonly unknown[] {
  const surplus = given.slice(places.length).find((x) => x !== undefined && !isPlain(x));
  if (closed && surplus !== undefined)
    refuseSurplus(
      op,
      places.flatMap(({ names }) => names),
      surplus,
    );
  const at = given.findIndex(isPlain);
  const values = [...(at < 0 ? given : given.slice(0, at))];
  const others: Record<string, unknown> = {};
  if (at >= 0) {
    const options = given[at] as object;
    Object.assign(others, known === null ? checkCase(options) : checkNames(options, op, known));
    places.forEach(({ names }, i) => {
      const name = names.find((each) => others[each] !== undefined);
      if (name === undefined) return;
      if (i < at) refuseTwice(op, name);
      values[i] = others[name];
      delete others[name];
    });
    // Where f looks at its options itself, they stay where they were, if nothing in them was an argument.
    if (Object.keys(others).length > 0)
      values[known === null && values.length === at ? at : places.length] = others;
    // What methods pass behind it, their defaults among it, keeps its place; names win.
    for (let i = at + 1; i < given.length; i++) if (values[i] === undefined) values[i] = given[i];
  }
  places.forEach(({ names, needed }, i) => {
    if (!needed || (values[i] !== undefined && values[i] !== others)) return;
    throw new ArgumentError(`${op}: argument '${names.join("' or '")}' must be given, but got nothing`);
  });
  return values;
}

/**
 * f with its arguments after the first by position or by name. `text` holds PyTorch's names in their order: with a `?`
 * behind those that may be left out, and with a `|` between two names of one place. What follows a `*` comes by name only:
 * a value there would say nothing, as all that the function reads of it are names. A `...` at the end says that f looks at
 * all that follows itself.
 */
export function taking<F extends Callable, const Names extends string>(
  op: string,
  text: Names,
  f: F,
): Taking<F, Names> {
  const signature = signatureOf(text);
  const { places, closed } = signature;
  const most = closed ? places.length + 1 : Number.POSITIVE_INFINITY;
  const least = places.filter(({ needed }) => needed).length;
  const call = f as unknown as (...args: readonly unknown[]) => unknown;
  const taken = (...args: readonly unknown[]): unknown => {
    let plain = args.length > least && args.length <= most;
    for (let i = 1; plain && i < args.length; i++) plain = args[i] !== undefined && !isPlain(args[i]);
    return plain ? call(...args) : call(args[0], ...settle(op, signature, args.slice(1)));
  };
  return taken as unknown as Taking<F, Names>;
}
