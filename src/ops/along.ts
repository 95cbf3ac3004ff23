/** Elements picked and placed along a dimension by checked index tensors: each is the other's gradient. */
import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import type { Shape } from '../core/shape.ts';

/** Zeros of a shape in the dtype and on the device of `like`, outside the graph. */
export function zerosOf<T extends Variable>(like: T, shape: Shape): T {
  const { backend } = like.array;
  const out = backend.empty(shape, like.dtype);
  backend.fill(out, 0);
  return like.derive(out);
}

/** The elements of x that a checked index names along dim, in the index's shape. */
export function gatherAlong<T extends Variable>(x: T, dim: number, index: T): T {
  const out = x.array.backend.gather(x.array, dim, index.array);
  const from = x.shape;
  return record('GatherBackward0', out, [x], (node) => {
    const saved = node.save(index);
    return (grad) => [scatterAlong(zerosOf(grad, from), dim, saved.get(grad), grad, true)];
  });
}

/** A copy of x with the elements of source, of the index's shape, written or added where a checked index says. */
export function scatterAlong<T extends Variable>(
  x: T,
  dim: number,
  index: T,
  source: T,
  accumulate: boolean,
): T {
  const { backend } = x.array;
  const out = backend.empty(x.shape, x.dtype);
  backend.assign(out, x.array);
  if (index.array.size > 0)
    backend.scatter(out, dim, index.array, source.array, accumulate ? 'add' : 'replace');
  const name = accumulate ? 'ScatterAddBackward0' : 'ScatterBackward0';
  return record(name, out, [x, source], (node) => {
    const saved = accumulate && !node.needs[1] ? null : node.save(index);
    return (grad) => {
      if (saved === null) return [grad];
      const at = saved.get(grad);
      return [
        node.needs[0] && (accumulate ? grad : scatterAlong(grad, dim, at, zerosOf(grad, at.shape), false)),
        node.needs[1] && gatherAlong(grad, dim, at),
      ];
    };
  });
}
