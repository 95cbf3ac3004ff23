/** How an op enters the graph: one function for every op, built-in or user-defined. */
import type { NDArray } from '../backend/array.ts';
import { isFloating } from '../core/dtype.ts';
import { anomaly, checkForward } from './anomaly.ts';
import { isGradEnabled } from './gradMode.ts';
import { type Edge, OpNode } from './node.ts';
import type { Variable } from './variable.ts';

/** The gradients of the inputs, given that of the (only) output. */
export type Rule<T extends Variable> = (grad: T) => readonly (T | null | undefined | false)[];

/** True if a call on these inputs must be recorded. */
export function needsGraph(inputs: readonly Variable[]): boolean {
  if (!isGradEnabled()) return false;
  for (const x of inputs) if (x.requiresGrad) return true;
  return false;
}

function edgesOf(inputs: readonly Variable[]): (Edge | null)[] {
  const edges: (Edge | null)[] = [];
  for (const x of inputs) edges.push(x.edge());
  return edges;
}

/** What a rule returned for a gradient that is not wanted (`condition && gradient`) is null. By push, so that V8 sees one kind. */
function withoutFalse<T>(list: readonly (T | null | undefined | false)[]): readonly (T | null)[] {
  const gradients: (T | null)[] = [];
  for (let i = 0; i < list.length; i++) gradients.push(list[i] || null);
  return gradients;
}

/**
 * Wraps the result of an op. If a gradient may be wanted, `setup` is called once to save what backward needs
 * (`node.save(x)` for inputs, `node.saveOutput(y)`) and to return the rule; it is not called otherwise.
 * Rules are written with ops, so that they can be differentiated again. A rule may return gradients in the broadcast
 * shape: the walk sums them back.
 *
 * A rule that saves nothing lives as long as the graph, with all variables around it that any function there mentions. So
 * none of these may be a tensor: `setup` is given the inputs.
 */
export function record<T extends Variable>(
  name: string,
  array: NDArray,
  inputs: readonly T[],
  setup: (node: OpNode, output: T, inputs: readonly T[]) => Rule<T>,
): T {
  const like = inputs[0];
  if (anomaly.enabled) checkForward(name, [array], inputs);
  if (!isFloating(array.dtype) || !needsGraph(inputs)) return like.derive(array);
  const node = new OpNode(name, edgesOf(inputs), [array]);
  const output = like.derive(array, node, 0);
  const rule = setup(node, output, inputs);
  node.setBackward((grads) => {
    const grad = grads[0];
    return grad === null ? [] : withoutFalse(rule(grad as T));
  });
  return output;
}

/** The same for an op with several outputs; the rule gets one gradient, or null for zero, per output. */
export function recordMany<T extends Variable>(
  name: string,
  arrays: readonly NDArray[],
  inputs: readonly T[],
  setup: (
    node: OpNode,
    outputs: readonly T[],
  ) => (grads: readonly (T | null)[]) => readonly (T | null | undefined | false)[],
): T[] {
  const like = inputs[0];
  if (anomaly.enabled) checkForward(name, arrays, inputs);
  const node = needsGraph(inputs) ? new OpNode(name, edgesOf(inputs), arrays) : null;
  const outputs: T[] = [];
  for (const a of arrays)
    outputs.push(isFloating(a.dtype) ? like.derive(a, node, outputs.length) : like.derive(a));
  if (node === null) return outputs;
  const rule = setup(node, outputs);
  node.setBackward((grads) => withoutFalse(rule(grads as readonly (T | null)[])));
  return outputs;
}
