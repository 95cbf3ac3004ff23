/** Long lists of numbers, compared in a millisecond: `toEqual` takes ten microseconds for each element. */
import { expect } from 'vitest';

type Numbers = ArrayLike<number | bigint>;

/** As `expect(got).toEqual(wanted)`, which is asked only where they differ: its message shows the places. */
export function expectSame(got: Numbers, wanted: Numbers, what?: string): void {
  let isSame = got.length === wanted.length && got.constructor === wanted.constructor;
  for (let i = 0; isSame && i < got.length; i++) isSame = Object.is(got[i], wanted[i]);
  if (!isSame) expect(got, what).toEqual(wanted);
}
