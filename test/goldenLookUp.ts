/** How a torch name is found in our API: rule 1 of the public surface. */
import * as torch from '../src/index.ts';

export const camelCase = (name: string): string =>
  name.replace(
    /([a-zA-Z0-9])_([a-zA-Z0-9])/g,
    (_, before: string, after: string) => before + after.toUpperCase(),
  );

/** What our API has under a torch path, or undefined. */
export function lookUp(op: string): unknown {
  if (op === 'getitem') return torch.Tensor.prototype.index;
  if (op === 'setitem') return torch.Tensor.prototype.indexPut_;
  const path = op.split('.').map(camelCase);
  let at: unknown = torch;
  if (path[0] === 'Tensor') {
    path.shift();
    at = torch.Tensor.prototype;
  }
  for (const part of path) {
    if ((typeof at !== 'object' && typeof at !== 'function') || at === null || !(part in at))
      return undefined;
    at = (at as { [name: string]: unknown })[part];
  }
  return at;
}
