/** Helpers for ops whose value is computed by other ops, but whose place in the graph is their own. */
import { isGradEnabled } from '../autograd/gradMode.ts';
import type { Edge } from '../autograd/node.ts';
import { type Rule, record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { zerosOf } from './along.ts';

/** The same array outside the graph: what is computed from it records nothing. */
export const detached = <T extends Variable>(x: T): T => x.derive(x.array);

/** A result under its own name in the graph; gradients pass unchanged to the ops that made it. */
export const named = <T extends Variable>(name: string, x: T): T =>
  record(name, x.array, [x], () => (grad) => [grad]);

/** An op of one operand: `compute` runs unrecorded, `rule` is its gradient. */
export function composed<T extends Variable>(name: string, x: T, compute: (raw: T) => T, rule: Rule<T>): T {
  return record(name, compute(detached(x)).array, [x], () => rule);
}

/**
 * A gradient that goes by the inputs behind `edges` in steps only: as in PyTorch, its own derivative by them is zeros and not
 * missing. Of the node `name`.
 */
export function still<T extends Variable>(name: string, y: T, edges: readonly (Edge | null)[]): T {
  if (!isGradEnabled()) return y;
  const inputs = edges.flatMap((edge) => (edge === null ? [] : [y.derive(y.array, edge.node, edge.slot)]));
  return record(name.replace(/0$/, 'Backward0'), y.array, [y, ...inputs], () => (grad) => [
    grad,
    ...inputs.map(() => zerosOf(grad, grad.shape)),
  ]);
}

/** x, in front of an op whose gradient is `still`. */
export const stepwise = <T extends Variable>(name: string, x: T): T =>
  record(name, x.array, [x], (node) => (grad) => [still(name, grad, node.edges)]);
