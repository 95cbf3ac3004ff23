/**
 * Names that are no option of the function that got them. In TypeScript they are errors; in JavaScript `x.sum({ axis: 1 })` would
 * add up everything, and `new DataLoader(set, { batchsize: 128 })` train with one sample at a time.
 */
import { ArgumentError } from '../core/errors.ts';

/** What others call our options. */
const ELSEWHERE: { readonly [name: string]: string } = { axis: 'dim', keepdims: 'keepdim' };
/** Letters to be changed, at most, for a name to be a slip for another. */
const SLIP = 2;

/** @throws ArgumentError with the one of `names` that is meant, if one is like it, or else all of them */
export function refuseName(op: string, name: string, names: readonly string[]): never {
  const meant = likeliest(name, names);
  throw new ArgumentError(
    meant === undefined
      ? `${op}: got an unexpected option '${name}'; it has ${names.join(', ') || 'none'}`
      : `${op}: there is no option '${name}'; is ${meant} meant?`,
  );
}

/** The one of `names` for which `name` may be a slip. */
export function likeliest(name: string, names: readonly string[]): string | undefined {
  const elsewhere = ELSEWHERE[name];
  if (names.includes(elsewhere)) return elsewhere;
  const wanted = name.toLowerCase();
  const near = names.map((each): [string, number] => [each, distance(wanted, each.toLowerCase())]);
  const [best, far] = near.reduce((a, b) => (b[1] < a[1] ? b : a), ['', SLIP + 1]);
  return far <= Math.min(SLIP, wanted.length / 2) ? best : undefined;
}

/** Letters to be put in, left out or exchanged to make one of the other (Levenshtein, 1966). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(row[j] + Number(a[i] !== b[j]), row[j + 1] + 1, next[j] + 1));
    row = next;
  }
  return row[b.length];
}
