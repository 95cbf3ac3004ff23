/** Arguments by position, any tail of them by name instead: `conv2d(x, w, b, 2, 1)`, `conv2d(x, w, { stride: 2 })`. */
import { isPlain } from '../ops/options.ts';

/** Any number of the positional arguments P, in order, then perhaps the options object O. */
export type Flexible<P extends readonly unknown[], O> = P extends readonly [unknown, ...infer Rest]
  ? P extends readonly [...infer First, ...Rest]
    ? [options?: O] | [...First, ...Flexible<Rest, O>]
    : never
  : [options?: O];

/** The arguments as one object: positional ones under `names`, and what the options object says. */
export function named<O extends object>(
  names: readonly (keyof O & string)[],
  given: readonly unknown[],
  into: O,
): O {
  given.forEach((value, i) => {
    if (value === undefined) return;
    if (isPlain(value)) Object.assign(into, value);
    else if (i < names.length) Reflect.set(into, names[i], value);
  });
  return into;
}
