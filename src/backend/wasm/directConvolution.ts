/** Convolutions of stride 1 in one or two dimensions without columns: assembly/convDirect.ts. */
import type { NDArray } from '../array.ts';
import { lastOf, type Sliding, volume } from '../windows.ts';
import { runWithScratch, type WasmContext } from './context.ts';
import { packed, productChunk } from './kernels.ts';

/** Elements of a band of all channels: with the weights of a tile it stays in the second-level cache. */
const BAND_ELEMENTS = 49_152;
/** More, if so many rows do not fit, are left to columns. */
const MOST_BAND_ELEMENTS = 131_072;
const LEAST_ROWS = 4;
/** Units that threads should have to share out, and rows that a unit should have all the same. */
const UNITS = 16;
const UNIT_ROWS = 8;
/** Of what tiles compute, this part at least must be results: the ends of rows, and zeros around them, are for nothing. */
const LEAST_USE = 0.7;
/** Terms of a sum, below which beginning and end of a tile take too long, and channels whose gradient fills tiles. */
const LEAST_TERMS = 16;
const LEAST_CHANNELS = 3;
/** A product of columns makes up for writing them by so many outputs; sums over small planes are soon at their end. */
const MOST_OUTS = 32;
const LEAST_PLANE = 196;
/** Of a plane whose sums are vectors. */
const LEAST_COLUMNS = 4;
/** Results of a tile, and outputs of one at most. */
const TILE = 8;
const TILE_OUTS = 6;
const SLACK = 16;
/** Outputs and taps of a tile of the weight's gradient, and room for its sums. */
const SIDE = 3;
const SUMS = 4 * SIDE ** 2;

/** A convolution as the kernels see it; its rows and columns. */
interface Convolution {
  readonly input: readonly number[];
  readonly padding: readonly number[];
  readonly output: readonly number[];
  readonly taps: readonly number[];
  readonly dilation: readonly number[];
  readonly channels: number;
  readonly outs: number;
  /** Steps of the weight from output to output and from channel to channel; taps from the last one on. */
  readonly steps: readonly [number, number];
  readonly flipped: boolean;
}

const forwardOf = (g: Sliding, channels: number, outs: number): Convolution => ({
  input: g.input.slice(1),
  padding: g.padding.slice(1),
  output: g.output.slice(1),
  taps: g.kernel.slice(1),
  dilation: g.dilation.slice(1),
  channels,
  outs,
  steps: [channels * volume(g.kernel), volume(g.kernel)],
  flipped: false,
});

/** The gradient by the input: the other way, over the gradient, with the taps turned round. */
function backwardOf(g: Sliding, channels: number, outs: number): Convolution {
  const there = forwardOf(g, channels, outs);
  return {
    ...there,
    input: there.output,
    padding: there.padding.map((n, d) => (there.taps[d] - 1) * there.dilation[d] - n),
    output: there.input,
    channels: outs,
    outs: channels,
    steps: [volume(g.kernel), channels * volume(g.kernel)],
    flipped: true,
  };
}

const span = ({ taps, dilation }: Convolution, d: number): number => (taps[d] - 1) * dilation[d];
/** Elements of a row in scratch memory. */
const pitchOf = (c: Convolution): number => c.output[1] + span(c, 1);

/** Rows of results in a band of so many planes. */
function bandRows(c: Convolution, planes: number, most: number): number {
  const fitting = Math.floor(BAND_ELEMENTS / (planes * pitchOf(c))) - span(c, 0);
  return Math.max(1, Math.min(c.output[0], Math.max(fitting, LEAST_ROWS), most));
}

const isPlane = (g: Sliding): boolean =>
  g.kernel[0] === 1 &&
  g.input[0] === 1 &&
  g.output[0] === 1 &&
  volume(g.kernel) > 1 &&
  g.stride.every((n) => n === 1);

/** Whether `results` of what tiles compute are enough, sums long enough, and bands fit. */
function suits(c: Convolution, results: number): boolean {
  const run = (c.output[0] - 1) * pitchOf(c) + c.output[1];
  const rows = Math.min(LEAST_ROWS, c.output[0]) + span(c, 0);
  return (
    results >= LEAST_USE * Math.ceil(run / TILE) * TILE &&
    c.channels * c.taps[0] * c.taps[1] >= LEAST_TERMS &&
    c.channels * rows * pitchOf(c) <= MOST_BAND_ELEMENTS
  );
}

// Whether there are kernels, and they are faster than products of columns; channels and outputs are those of a group.

export const isDirect = (g: Sliding, channels: number, outs: number): boolean =>
  isPlane(g) && suits(forwardOf(g, channels, outs), volume(g.output));

export const isDirectInput = (g: Sliding, channels: number, outs: number): boolean =>
  isPlane(g) &&
  channels >= LEAST_CHANNELS &&
  suits(backwardOf(g, channels, outs), Math.min(volume(g.input), volume(g.output)));

export const isDirectWeight = (g: Sliding, channels: number, outs: number): boolean =>
  isPlane(g) &&
  outs <= MOST_OUTS &&
  volume(g.output) >= LEAST_PLANE &&
  g.output[2] >= LEAST_COLUMNS &&
  channels * volume(g.kernel) >= LEAST_TERMS;

function geometryOf(host: WasmContext, c: Convolution, groups: number, more: readonly number[]): NDArray {
  const { input, padding, output, taps, dilation, channels, outs, steps, flipped } = c;
  const sizes = [input, padding, output, taps, dilation].flat();
  const words = [...sizes, channels, outs, groups, more[0], ...steps, Number(flipped), ...more.slice(1)];
  const geometry = host.empty([words.length], 'int32');
  const data = host.data(geometry);
  if (data instanceof Int32Array) data.set(words);
  return geometry;
}

function run(
  host: WasmContext,
  x: NDArray,
  weight: NDArray,
  bias: NDArray | null,
  c: Convolution,
  groups: number,
): NDArray {
  const batch = x.shape[0];
  const bands = Math.ceil(UNITS / (batch * groups));
  const rows = bandRows(c, c.channels, Math.max(UNIT_ROWS, Math.ceil(c.output[0] / bands)));
  const units = batch * groups * Math.ceil(c.output[0] / rows);
  const sizes = lastOf([1, c.output[0], c.output[1]], x.shape.length - 2);
  const out = host.empty([batch, groups * c.outs, ...sizes], 'float32');
  const geometry = geometryOf(host, c, groups, [rows]);
  const operands = [x, weight, bias].map((each) => each && packed(host, each));
  const args = operands.map((each) => (each ? host.pointer(each.array) : 0));
  args.push(host.pointer(out), host.pointer(geometry), 0);
  const k = c.channels * c.taps[0] * c.taps[1];
  const planes = c.channels * (rows + span(c, 0)) * pitchOf(c) + SLACK;
  const tile = TILE_OUTS * (rows * pitchOf(c) + TILE);
  const bytes = 4 * (k * (1 + c.outs + TILE_OUTS) + planes + tile);
  const work = batch * groups * c.outs * k * c.output[0] * c.output[1];
  runWithScratch(host, 'conv_direct_f32', args, bytes, units, productChunk(host, units, work));
  for (const each of operands) each?.release();
  geometry.release();
  return out;
}

export const directConvolution = (
  host: WasmContext,
  x: NDArray,
  weight: NDArray,
  bias: NDArray | null,
  g: Sliding,
  groups: number,
): NDArray => run(host, x, weight, bias, forwardOf(g, weight.shape[1], weight.shape[0] / groups), groups);

export const directInput = (
  host: WasmContext,
  grad: NDArray,
  weight: NDArray,
  g: Sliding,
  groups: number,
): NDArray => run(host, grad, weight, null, backwardOf(g, weight.shape[1], weight.shape[0] / groups), groups);

/** Partial gradients of the weight, [parts, …shape] at `out`: of so many images each, blocks of so many channels a unit. */
export function directWeight(
  host: WasmContext,
  [grad, x, out]: readonly [grad: number, x: number, out: number],
  g: Sliding,
  [batch, groups, channels, outs]: readonly [number, number, number, number],
  { images, parts, block, blocks }: { images: number; parts: number; block: number; blocks: number },
): void {
  const c = forwardOf(g, channels, outs);
  const rows = bandRows(c, block, c.output[0]);
  const geometry = geometryOf(host, c, groups, [rows, images, batch, block]);
  const planes = block * (rows + span(c, 0)) * pitchOf(c) + SLACK + SIDE * c.dilation[1];
  const grads = SIDE * rows * (c.output[1] + SIDE) + SLACK;
  const units = parts * groups * blocks;
  const work = batch * groups * outs * channels * volume(g.kernel) * volume(g.output);
  const args = [grad, x, out, host.pointer(geometry), 0];
  const bytes = 4 * (planes + SUMS + grads);
  runWithScratch(host, 'conv_direct_weight_f32', args, bytes, units, productChunk(host, units, work));
  geometry.release();
}
