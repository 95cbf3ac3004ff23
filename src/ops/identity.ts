/** The identity matrix beside a tensor. */
import type { Variable } from '../autograd/variable.ts';
import { zerosOf } from './along.ts';

/** The n × n identity in the dtype and on the device of x. */
export function eye<T extends Variable>(x: T, n: number): T {
  const out = zerosOf(x, [n, n]);
  if (n > 0) out.array.backend.fill(out.array.view([n], [n + 1]), 1);
  return out;
}
