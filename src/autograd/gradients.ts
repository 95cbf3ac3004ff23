/** The gradients of many leaves at once. */
import type { Variable } from './variable.ts';

/** Forgets the gradients, or keeps their memory and sets it to zero. */
export function zeroGradients(leaves: Iterable<Variable>, forget: boolean): void {
  for (const leaf of leaves) {
    if (forget) {
      leaf.clearGrad();
      continue;
    }
    const grad = leaf.leaf?.grad;
    if (!grad) continue;
    grad.rebase(null);
    grad.array.backend.fill(grad.array, 0);
    grad.array.storage.version++;
  }
}
