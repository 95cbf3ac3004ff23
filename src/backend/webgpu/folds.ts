/** Formulas over arrays and reductions, for kernels that are made of both where rows are too long to be bound. */
import type { NDArray } from '../array.ts';
import type { ReduceSpec } from '../backend.ts';
import type { GpuContext } from './context.ts';

export const SUM: ReduceSpec = { name: 'sum', initial: 0, js: (acc, x) => acc + x, wgsl: 'acc + x' };
export const MAX: ReduceSpec = {
  name: 'max',
  initial: Number.NEGATIVE_INFINITY,
  js: Math.max,
  wgsl: 'max(acc, x)',
};

type Operands = Readonly<Record<string, NDArray | number>>;

/** out ← WGSL over float32 operands, by their names, broadcast to out's shape. */
export function apply(gpu: GpuContext, out: NDArray, text: string, operands: Operands): void {
  const names = Object.keys(operands);
  const inputs = names.map((name) => {
    const value = operands[name];
    return typeof value === 'number' ? ({ value, dtype: 'float32' } as const) : value;
  });
  gpu.elementwise(out, inputs, { name: 'formula', text, names, lane: 'float32', predicate: false });
}

/** A new array of x's shape. */
export function like(gpu: GpuContext, x: NDArray, text: string, operands: Operands): NDArray {
  const out = gpu.empty(x.shape, x.dtype);
  apply(gpu, out, text, operands);
  return out;
}
