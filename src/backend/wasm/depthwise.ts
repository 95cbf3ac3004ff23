/** Convolutions of each channel with a kernel of its own, in one or two dimensions: assembly/depthwise.ts. */
import type { NDArray } from '../array.ts';
import { lastOf, type Sliding, volume } from '../windows.ts';
import { runWithScratch, type WasmContext } from './context.ts';
import { packed, productChunk } from './kernels.ts';

/** Whether there are kernels for it; the sizes are those of a group. */
export const isDepthwise = (g: Sliding, channels: number, outs: number): boolean =>
  channels === 1 && outs === 1 && g.kernel[0] === 1 && g.input[0] === 1 && g.output[0] === 1;

type Pair = readonly number[];

/** What goes into scratch memory, and what is taken from there: rows and columns of each. */
interface Planes {
  readonly size: Pair;
  /** The distance of elements, and the place of the first one. */
  readonly spacing: Pair;
  readonly first: Pair;
  readonly results: Pair;
  readonly stride: Pair;
  readonly flipped: number;
}

/** Elements that vectors may read beyond the last one. */
const SLACK = 64;

/** x as it is, with zeros around. */
const forward = (g: Sliding): Planes => ({
  size: g.input.slice(1),
  spacing: [1, 1],
  first: g.padding.slice(1),
  results: g.output.slice(1),
  stride: g.stride.slice(1),
  flipped: 0,
});

/** The taps turned round over the gradient, whose elements lie a stride apart. */
const backward = (g: Sliding): Planes => ({
  size: g.output.slice(1),
  spacing: g.stride.slice(1),
  first: g.kernel.map((n, d) => (n - 1) * g.dilation[d] - g.padding[d]).slice(1),
  results: g.input.slice(1),
  stride: [1, 1],
  flipped: 1,
});

function run(
  host: WasmContext,
  kernel: 'depthwise_f32' | 'depthwise_weight_f32',
  operands: readonly (NDArray | null)[],
  sizes: readonly number[],
  g: Sliding,
  { size, spacing, first, results, stride, flipped }: Planes,
): NDArray {
  const [batch, channels] = (operands[0] as NDArray).shape;
  const [taps, dilation] = [g.kernel.slice(1), g.dilation.slice(1)];
  const area = results.map((n, d) => (n - 1) * stride[d] + (taps[d] - 1) * dilation[d] + 1);
  const words = [
    size,
    spacing,
    first,
    area,
    results,
    stride,
    taps,
    dilation,
    channels,
    flipped,
    batch,
  ].flat();
  const geometry = host.empty([words.length], 'int32');
  const data = host.data(geometry);
  if (data instanceof Int32Array) data.set(words);
  const out = host.empty(sizes, 'float32');
  const given = operands.map((each) => each && packed(host, each));
  const args = given.map((each) => (each ? host.pointer(each.array) : 0));
  args.push(host.pointer(out), host.pointer(geometry), 0);
  const units = kernel === 'depthwise_f32' ? batch * channels : channels;
  const work = batch * channels * results[0] * results[1] * volume(g.kernel);
  runWithScratch(host, kernel, args, 4 * (area[0] * area[1] + SLACK), units, productChunk(host, units, work));
  for (const each of given) each?.release();
  geometry.release();
  return out;
}

export function depthwise(
  host: WasmContext,
  x: NDArray,
  weight: NDArray,
  bias: NDArray | null,
  g: Sliding,
): NDArray {
  const sizes = [...x.shape.slice(0, 2), ...lastOf(g.output, x.shape.length - 2)];
  return run(host, 'depthwise_f32', [x, weight, bias], sizes, g, forward(g));
}

export function depthwiseInput(host: WasmContext, grad: NDArray, weight: NDArray, g: Sliding): NDArray {
  const sizes = [...grad.shape.slice(0, 2), ...lastOf(g.input, grad.shape.length - 2)];
  return run(host, 'depthwise_f32', [grad, weight, null], sizes, g, backward(g));
}

export function depthwiseWeight(host: WasmContext, grad: NDArray, x: NDArray, g: Sliding): NDArray {
  const sizes = [x.shape[1], 1, ...lastOf(g.kernel, x.shape.length - 2)];
  return run(host, 'depthwise_weight_f32', [grad, x], sizes, g, forward(g));
}
