/** Tensors as text, in PyTorch's form. */
import type { Variable } from './autograd/variable.ts';

/** What `String(x)` and `console.log(x)` show. */
export function formatTensor(x: Variable): string {
  return `tensor(${x.array.backend.read(x.array).join(', ')})`;
}
