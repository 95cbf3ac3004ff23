/** Helpers for ops whose value is computed by other ops, but whose place in the graph is their own. */
import { type Rule, record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';

/** The same array outside the graph: what is computed from it records nothing. */
export const detached = <T extends Variable>(x: T): T => x.derive(x.array);

/** A result under its own name in the graph; gradients pass unchanged to the ops that made it. */
export const named = <T extends Variable>(name: string, x: T): T =>
  record(name, x.array, [x], () => (grad) => [grad]);

/** An op of one operand: `compute` runs unrecorded, `rule` is its gradient. */
export function composed<T extends Variable>(name: string, x: T, compute: (raw: T) => T, rule: Rule<T>): T {
  return record(name, compute(detached(x)).array, [x], () => rule);
}
