/** Functions made of several ops that the graph sees as one: fewer nodes, and nothing between them stays alive. */
import { withGradMode } from '../autograd/gradMode.ts';
import type { OpNode } from '../autograd/node.ts';
import { type Rule, record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { collectStorages } from '../backend/array.ts';

/**
 * Computes with ops that are not recorded and records one node in their place, whose rule `setup` returns. Whatever
 * memory `compute` used besides its result is given back.
 */
export function fused<T extends Variable>(
  name: string,
  inputs: readonly T[],
  compute: () => T,
  setup: (node: OpNode, output: T, inputs: readonly T[]) => Rule<T>,
): T {
  const { result, created } = collectStorages(() => withGradMode(false, compute, name));
  for (const storage of created) if (storage !== result.array.storage) storage.free();
  return record(name, result.array, inputs, setup);
}
