/** What all pooling is made of: the windows of each output, and their maximum or mean as ops with gradients. */

import { record, recordMany } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { tripleOf, type WindowList, type Windows } from '../backend/windows.ts';
import { ShapeError } from '../core/errors.ts';
import { formatShape } from '../core/shape.ts';
import { gatherAlong } from './along.ts';
import { still } from './composite.ts';
import { tensorGiven } from './given.ts';
import { reshape, squeeze, unsqueeze } from './views.ts';

/** A dimension that is not pooled. */
const single: WindowList = {
  start: Int32Array.of(0),
  end: Int32Array.of(1),
  step: 1,
  divisor: Float64Array.of(1),
};

export function windowsOf(input: readonly number[], lists: readonly WindowList[]): Windows {
  const [a, b, c] = [single, single, single, ...lists].slice(-3);
  return {
    input: tripleOf(input),
    output: tripleOf(lists.map((list) => list.start.length)),
    lists: [a, b, c],
  };
}

/** The input positions of adaptive pooling: output i sees ⌊i·n/m⌋ up to ⌈(i + 1)·n/m⌉. */
export function adaptiveList(input: number, output: number): WindowList {
  const start = Int32Array.from({ length: output }, (_, i) => Math.floor((i * input) / output));
  const end = Int32Array.from({ length: output }, (_, i) => Math.ceil(((i + 1) * input) / output));
  return { start, end, step: 1, divisor: Float64Array.from(start, (at, i) => end[i] - at) };
}

/** One dimension of pooling with a kernel. */
export interface PoolDimension {
  readonly input: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
  /** Outputs whose window leaves the padded input at the end count too, if it begins inside. */
  readonly ceilMode: boolean;
}

export function pooledSize({ input, kernel, stride, padding, dilation, ceilMode }: PoolDimension): number {
  const room = input + 2 * padding - dilation * (kernel - 1) - 1;
  const size = Math.floor((room + (ceilMode ? stride - 1 : 0)) / stride) + 1;
  return ceilMode && (size - 1) * stride >= input + padding ? size - 1 : size;
}

/** How many positions of a window an average counts: those of the padded input, or of the input only. */
export function kernelList(dimension: PoolDimension, countPadding: boolean): WindowList {
  const { input, kernel, stride, padding, dilation } = dimension;
  const count = pooledSize(dimension);
  const start = new Int32Array(count);
  const end = new Int32Array(count);
  const divisor = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const first = i * stride - padding;
    const last = first + dilation * (kernel - 1) + 1;
    const skipped = first < 0 ? Math.ceil(-first / dilation) * dilation : 0;
    start[i] = first + skipped;
    end[i] = Math.min(last, input);
    divisor[i] = countPadding ? Math.min(last, input + padding) - first : Math.max(end[i] - start[i], 1);
  }
  return { start, end, step: dilation, divisor };
}

/** @throws ShapeError in PyTorch's words */
export function checkPooled(op: string, x: Variable, ndim: number): void {
  tensorGiven(x, op);
  if (ndim === 1 && x.ndim > 3) {
    throw new ShapeError(
      `${op}: Expected 2 to 3 dimensions, but got ${x.ndim}-dimensional tensor for argument 'input' (while checking arguments for ` +
        `${op}): ${formatShape(x.shape)}`,
    );
  }
  if (x.ndim !== ndim + 1 && x.ndim !== ndim + 2) {
    throw new ShapeError(
      `${op}: Expected ${ndim + 1}D or ${ndim + 2}D (batch mode) tensor with optional 0 dim batch size for argument 'input', ` +
        `but got: ${formatShape(x.shape)}`,
    );
  }
  if (x.shape.slice(x.ndim === ndim + 2 ? 1 : 0).includes(0)) {
    throw new ShapeError(
      `${op}: Expected ${ndim + 1}D or ${ndim + 2}D (batch mode) tensor with optional 0 dim batch size and non-zero dimensions for ` +
        `argument 'input', but got: ${formatShape(x.shape)}`,
    );
  }
}

/** Runs `body` on a batch; one sample alone becomes a batch of one, and its results single again. */
export function batched<T extends Variable, R extends readonly T[]>(
  x: T,
  ndim: number,
  body: (batch: T) => R,
): T[] {
  if (x.ndim === ndim + 2) return [...body(x)];
  return body(unsqueeze(x, 0)).map((y) => squeeze(y, 0));
}

/** The largest element of each window, and its int64 position within the channel. */
export function maxOverWindows<T extends Variable>(
  name: string,
  x: T,
  windows: Windows,
): [values: T, indices: T] {
  const { values, indices } = x.array.backend.maxPool(x.array, windows);
  const positions = x.derive(indices);
  const [out] = recordMany(name, [values], [x], (node) => {
    const saved = node.save(positions);
    return ([grad]) => [grad && still(name, toMaxima(name, grad, saved.get(grad), windows), node.edges)];
  });
  return [out, positions];
}

/** Zeros with each gradient added where its maximum was. */
function toMaxima<T extends Variable>(name: string, grad: T, positions: T, windows: Windows): T {
  const out = grad.array.backend.maxPoolGrad(grad.array, positions.array, windows);
  return record(`${name.replace('Backward0', '')}BackwardBackward0`, out, [grad], (node) => {
    const saved = node.save(positions);
    return (gg) => [takeFromPlanes(gg, saved.get(gg))];
  });
}

/** The elements of [n, c, …] where the maxima were. */
function takeFromPlanes<T extends Variable>(x: T, positions: T): T {
  const [n, c] = x.shape;
  const flat = reshape(positions, [n, c, -1]);
  return reshape(gatherAlong(reshape(x, [n, c, -1]), 2, flat), positions.shape);
}

/** The sum of each window by its divisor. */
export function meanOverWindows<T extends Variable>(name: string, x: T, windows: Windows): T {
  return record(name, x.array.backend.avgPool(x.array, windows), [x], (node) => (grad) => [
    still(name, meanGrad(name, grad, windows), node.edges),
  ]);
}

function meanGrad<T extends Variable>(name: string, grad: T, windows: Windows): T {
  const out = grad.array.backend.avgPoolGrad(grad.array, windows);
  return record(`${name.replace('Backward0', '')}BackwardBackward0`, out, [grad], () => (gg) => [
    meanOverWindows(name, gg, windows),
  ]);
}
