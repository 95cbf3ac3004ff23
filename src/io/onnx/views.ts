/** Other readings of the same memory (reshape, transpose, slice, expand) as nodes, worked out from the strides. */
import type { NDArray } from '../../backend/array.ts';
import { numElements, sameShape } from '../../core/shape.ts';
import { type Emit, noCounterpart } from './builder.ts';

/** A value of the graph. */
export interface Value {
  readonly name: string;
  /** The array that it was made as. */
  readonly array: NDArray;
}

/** The value's elements in the order of its memory: the dimensions sorted by their strides. */
function inMemoryOrder({ name, array }: Value, emit: Emit): string {
  if (array.contiguous) return name;
  if (!array.dense) noCounterpart('a value with gaps in memory');
  const perm = array.shape.map((_, d) => d).sort((a, b) => array.strides[b] - array.strides[a] || a - b);
  return emit('Transpose', [name], { perm });
}

/** For each step, how many whole ones the offset goes, and the rest by the next one. */
export function startsOf(offset: number, steps: readonly number[]): number[] {
  let rest = offset;
  return steps.map((step) => {
    const start = Math.floor(rest / step);
    rest -= start * step;
    return start;
  });
}

/** The name of the value as `x` reads it. @throws ArgumentError for windows that overlap, or reach over the end of rows */
export function viewOf(value: Value, x: NDArray, emit: Emit): string {
  const { array } = value;
  if (x.shape === array.shape && x.strides === array.strides && x.offset === array.offset) return value.name;
  const total = numElements(array.shape);
  let at = inMemoryOrder(value, emit);
  if (x.contiguous && x.size === total && x.offset === 0) {
    if (array.contiguous && sameShape(x.shape, array.shape)) return at;
    return emit('Reshape', [at, { sizes: x.shape }]);
  }

  // The memory as a box with one dimension for each stride of x, the largest first; of each a slice is read.
  const kept = x.shape.map((_, d) => d).filter((d) => x.shape[d] !== 1 && x.strides[d] !== 0);
  const order = [...kept].sort((a, b) => x.strides[b] - x.strides[a]);
  const steps = order.map((d) => x.strides[d]);
  const bounds = [total, ...steps].map((step, i) => step / (steps[i] ?? 1));
  if (bounds.some((bound) => !Number.isInteger(bound))) noCounterpart('a view with overlapping windows');
  at = emit('Reshape', [at, { sizes: bounds }]);
  startsOf(x.offset, [...steps, 1]).forEach((start, i) => {
    const end = start + (i < order.length ? x.shape[order[i]] : 1);
    if (end > bounds[i]) noCounterpart('a view across rows');
    if (start === 0 && end === bounds[i]) return;
    at = emit('Slice', [at, { sizes: [start] }, { sizes: [end] }, { sizes: [i] }]);
  });

  const perm = kept.map((d) => order.indexOf(d));
  if (perm.some((p, i) => p !== i)) at = emit('Transpose', [at], { perm: [...perm, order.length] });
  const dense = x.shape.map((size, d) => (x.strides[d] === 0 ? 1 : size));
  at = emit('Reshape', [at, { sizes: dense }]);
  return sameShape(dense, x.shape) ? at : emit('Expand', [at, { sizes: x.shape }]);
}
