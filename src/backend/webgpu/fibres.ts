/** The lines of elements along one dimension, which folds and sorting take one by one. */
import { contiguousStrides, numElements } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { Call } from './context.ts';
import { type Loop, loopBy } from './loops.ts';

/** The elements across dim, and the step along it, of x and of a row-major result. */
export function fibres(
  x: NDArray,
  dim: number,
): { loop: Loop; count: number; length: number; params: Call['params'] } {
  const ndim = x.shape.length;
  const others = x.shape.map((_, d) => d).filter((d) => ndim > 0 && d !== dim);
  const strides = contiguousStrides(x.shape);
  const pick = (list: readonly number[]) => others.map((d) => list[d]);
  const loop = loopBy(pick(x.shape), [
    { name: 'x', offset: x.offset, strides: pick(x.strides) },
    { name: 'y', offset: 0, strides: pick(strides) },
  ]);
  const length = x.shape[dim] ?? 1;
  return {
    loop,
    count: numElements(pick(x.shape)),
    length,
    params: [
      ...loop.params,
      ['length: u32', length],
      ['x_step: u32', x.strides[dim] ?? 0],
      ['y_step: u32', strides[dim] ?? 0],
    ],
  };
}
