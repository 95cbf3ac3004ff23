/** Whole numbers that must lie in a range. */
import type { Variable } from '../autograd/variable.ts';

/**
 * Throws what `tell` says of the first element outside [least, size): at once, or where reading is asynchronous, of some
 * such element with a later read. `index` is int64.
 */
export function checkWithin(
  { array }: Variable,
  least: number,
  size: number,
  op: string,
  tell: (value: number | bigint) => Error,
): void {
  const { backend } = array;
  const bad = backend.findBadIndex(array, size, least, tell);
  if (bad >= 0) throw tell(backend.hostValues(array, op)[bad]);
}
