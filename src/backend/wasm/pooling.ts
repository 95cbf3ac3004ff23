/** Pooling of float32 arrays through the kernels of assembly/pool.ts. Other dtypes go to the reference loops: null. */
import type { NDArray } from '../array.ts';
import { lastOf, volume, type WindowList, type Windows } from '../windows.ts';
import type { WasmContext } from './context.ts';
import { packed, rowChunk } from './kernels.ts';

/** The windows as kernels read them. */
interface Block {
  readonly words: NDArray;
  readonly divisors: NDArray;
  release(): void;
}

/** Size and step of windows that are all inside, regular and without gaps, with a step that vectors can take; else 0, 0. */
function regularity(list: WindowList): [size: number, step: number] {
  const size = list.end[0] - list.start[0];
  const step = list.start.length > 1 ? list.start[1] - list.start[0] : 1;
  const regular = list.step === 1 && (step === 1 || step === 2) && size > 0;
  return regular && list.start.every((at, i) => at === i * step && list.end[i] - at === size)
    ? [size, step]
    : [0, 0];
}

function blockOf(host: WasmContext, { input, output, lists }: Windows): Block {
  const values = [...input, ...output, ...lists.map((list) => list.step), ...regularity(lists[2]), 0];
  const words = host.empty(
    [values.length + 2 * lists.reduce((n, list) => n + list.start.length, 0)],
    'int32',
  );
  const divisors = host.empty([output[0] + output[1] + output[2]], 'float64');
  const ints = host.data(words);
  const doubles = host.data(divisors);
  if (ints instanceof Int32Array && doubles instanceof Float64Array) {
    ints.set(values);
    let at = values.length;
    let d = 0;
    for (const { start, end, divisor } of lists) {
      ints.set(start, at);
      ints.set(end, at + start.length);
      at += 2 * start.length;
      doubles.set(divisor, d);
      d += divisor.length;
    }
  }
  const release = (): void => {
    words.release();
    divisors.release();
  };
  return { words, divisors, release };
}

const outputShape = (x: NDArray, windows: Windows): number[] => [
  x.shape[0],
  x.shape[1],
  ...lastOf(windows.output, x.shape.length - 2),
];

/** Averages have kernels for windows without gaps, the only ones that ops ask for. */
const hasGaps = ({ lists }: Windows): boolean => lists.some((list) => list.step !== 1);

const isFloat = (x: NDArray): boolean => x.dtype === 'float32' && x.size > 0;

export function maxPool(
  host: WasmContext,
  x: NDArray,
  windows: Windows,
): { values: NDArray; indices: NDArray } | null {
  if (!isFloat(x)) return null;
  const shape = outputShape(x, windows);
  const values = host.empty(shape, 'float32');
  const indices = host.empty(shape, 'int64');
  const block = blockOf(host, windows);
  const source = packed(host, x);
  const planes = x.shape[0] * x.shape[1];
  const args = [source.array, values, indices, block.words].map((array) => host.pointer(array));
  host.runtime.pool.run('max_pool_f32', args, planes, rowChunk(host, planes, volume(windows.input)));
  source.release();
  block.release();
  return { values, indices };
}

export function maxPoolGrad(
  host: WasmContext,
  grad: NDArray,
  indices: NDArray,
  windows: Windows,
): NDArray | null {
  if (!isFloat(grad)) return null;
  const [batch, channels] = grad.shape;
  const out = host.empty([batch, channels, ...lastOf(windows.input, grad.shape.length - 2)], 'float32');
  const source = packed(host, grad);
  const positions = packed(host, indices);
  const planes = batch * channels;
  const inputs = volume(windows.input);
  const args = [source.array, positions.array, out].map((array) => host.pointer(array));
  args.push(inputs, volume(windows.output));
  host.runtime.pool.run('max_pool_grad_f32', args, planes, rowChunk(host, planes, inputs));
  source.release();
  positions.release();
  return out;
}

export function avgPool(host: WasmContext, x: NDArray, windows: Windows): NDArray | null {
  if (!isFloat(x) || hasGaps(windows)) return null;
  const out = host.empty(outputShape(x, windows), 'float32');
  const block = blockOf(host, windows);
  const source = packed(host, x);
  const planes = x.shape[0] * x.shape[1];
  const args = [source.array, out, block.words, block.divisors].map((array) => host.pointer(array));
  host.runtime.pool.run('avg_pool_f32', args, planes, rowChunk(host, planes, volume(windows.input)));
  source.release();
  block.release();
  return out;
}

export function avgPoolGrad(host: WasmContext, grad: NDArray, windows: Windows): NDArray | null {
  if (!isFloat(grad) || hasGaps(windows)) return null;
  const [batch, channels] = grad.shape;
  const out = host.empty([batch, channels, ...lastOf(windows.input, grad.shape.length - 2)], 'float32');
  const block = blockOf(host, windows);
  const source = packed(host, grad);
  const planes = batch * channels;
  const args = [source.array, out, block.words, block.divisors].map((array) => host.pointer(array));
  host.runtime.pool.run('avg_pool_grad_f32', args, planes, rowChunk(host, planes, volume(windows.input)));
  source.release();
  block.release();
  return out;
}
