/** Undoing a broadcast, the one reduction that the backward walk itself needs. */
import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import type { ReduceSpec } from '../backend/backend.ts';
import { type Shape, sameShape } from '../core/shape.ts';
import { expand, reshape } from './views.ts';

export const sumSpec = {
  name: 'sum',
  initial: 0,
  js: (sum, x) => sum + x,
  big: (sum, x) => sum + x,
  bigInitial: 0n,
  wgsl: 'acc + x',
} satisfies ReduceSpec;

/** Sums x over the dimensions that broadcasting from `shape` added or repeated. */
export function reduceTo<T extends Variable>(x: T, shape: Shape): T {
  if (sameShape(x.shape, shape)) return x;
  const from = x.shape;
  const shift = from.length - shape.length;
  const dims: number[] = [];
  for (let d = 0; d < from.length; d++)
    if (d < shift || (shape[d - shift] === 1 && from[d] !== 1)) dims.push(d);
  const array = x.array.backend.reduce(sumSpec, x.array, dims, true);
  const kept = record('SumBackward1', array, [x], () => (grad) => [expand(grad, from)]);
  return reshape(kept, shape);
}
