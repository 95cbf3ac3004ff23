/** A tensor in equal parts, whose gradients are joined once: what loops over steps and gates read. */
import { recordMany } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { zerosOf } from './along.ts';
import { cat } from './join.ts';

/**
 * `count` equal parts along dim, as views that must not be changed in place. Unlike `chunk`, whose parts each send back
 * a gradient of the whole size, the gradients of all parts are put together in one pass.
 */
export function divide<T extends Variable>(x: T, dim: number, count: number): T[] {
  const { array } = x;
  const size = array.shape[dim] / count;
  const shape = array.shape.with(dim, size);
  const parts = Array.from({ length: count }, (_, i) =>
    array.view(shape, array.strides, array.offset + i * size * array.strides[dim]),
  );
  return recordMany('SplitBackward0', parts, [x], () => (grads) => {
    const like = grads.find((g) => g !== null);
    if (!like) return [null];
    const zeros = grads.includes(null) ? zerosOf(like, shape) : null;
    return [
      cat(
        grads.flatMap((g) => g ?? zeros ?? []),
        dim,
      ),
    ];
  });
}
