/** Convolutions over one to three dimensions, forward and transposed, and windows as columns. */

import type { Variable } from '../autograd/variable.ts';
import { type Sliding, tripleOf } from '../backend/windows.ts';
import { isFloating, torchTypeName } from '../core/dtype.ts';
import { ArgumentError, DTypeError, ShapeError } from '../core/errors.ts';
import { formatShape } from '../core/shape.ts';
import { checkDevices } from './convert.ts';
import { col2im, convolve, convolveInput, im2col } from './convolution.ts';
import { tensorGiven } from './given.ts';
import { type Size, sizesOf } from './sizes.ts';
import { squeeze, unsqueeze } from './views.ts';

export interface ConvSettings {
  /** Default 1. */
  stride?: Size;
  /** Zeros around the input; 'same' keeps its size, 'valid' means none. Default 0. */
  padding?: Size | 'same' | 'valid';
  /** Steps between the taps of the kernel. Default 1. */
  dilation?: Size;
  /** Channels fall into this many groups that do not see each other. Default 1. */
  groups?: number;
}

export interface ConvTransposeSettings {
  stride?: Size;
  /** What the padding of the convolution that this reverses would be. */
  padding?: Size;
  /** Rows added to one side of the result, below stride or dilation. */
  outputPadding?: Size;
  groups?: number;
  dilation?: Size;
}

/** What both directions need to know of their operands. */
function checkOperands(
  op: string,
  ndim: number,
  x: Variable,
  weight: Variable,
  bias: Variable | null,
  groups: number,
): void {
  tensorGiven(x, op);
  tensorGiven(weight, op, 'weight');
  checkDevices(bias === null ? [x, weight] : [x, weight, bias], op, 'input weight bias');
  if (weight.ndim !== ndim + 2) {
    throw new ShapeError(
      `${op}: weight should have ${['', 'three', 'four', 'five'][ndim]} dimensions: expected a ${ndim + 2}-dimensional argument 'weight', ` +
        `but got weight of size ${formatShape(weight.shape)}`,
    );
  }
  if (x.ndim !== ndim + 1 && x.ndim !== ndim + 2) {
    throw new ShapeError(
      `Expected ${ndim + 1}D (unbatched) or ${ndim + 2}D (batched) argument 'input' to ${op}, but got input of size: ${formatShape(x.shape)}`,
    );
  }
  for (const other of bias === null ? [weight] : [weight, bias]) {
    if (other.dtype !== x.dtype) {
      throw new DTypeError(
        `${op}: Input type (${x.dtype}) and weight or bias type (${other.dtype}) should be the same`,
      );
    }
  }
  if (!isFloating(x.dtype)) throw new DTypeError(`${op}: not implemented for '${torchTypeName(x.dtype)}'`);
  if (!Number.isInteger(groups) || groups < 1) {
    throw new ArgumentError(
      `${op}: non-positive groups is not supported: expected argument 'groups' to be a positive integer, but got ${groups}`,
    );
  }
  if (weight.shape[0] < groups || weight.shape[0] % groups !== 0) {
    throw new ShapeError(
      `${op}: Given groups=${groups}, expected weight to be divisible by ${groups} at dimension 0, but got weight of size ` +
        `${formatShape(weight.shape)} instead`,
    );
  }
}

function checkBias(
  op: string,
  weight: Variable,
  bias: Variable | null,
  count: number,
  transposed: boolean,
): void {
  if (bias === null || (bias.ndim === 1 && bias.shape[0] === count)) return;
  throw new ShapeError(
    `${op}: Given ${transposed ? 'transposed=1, ' : ''}weight of size ${formatShape(weight.shape)}, expected bias to be 1-dimensional ` +
      `with ${count} elements, but got bias of size ${formatShape(bias.shape)} instead`,
  );
}

/** Runs `body` on a batch; one sample alone becomes a batch of one. */
function asBatch<T extends Variable>(x: T, ndim: number, body: (batch: T) => T): T {
  return x.ndim === ndim + 2 ? body(x) : squeeze(body(unsqueeze(x, 0)), 0);
}

/** Margins before and behind, by dimension. */
function margins(
  padding: Size | 'same' | 'valid',
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
  op: string,
): { before: number[]; total: number[] } {
  const none = kernel.map(() => 0);
  if (padding === 'valid') return { before: none, total: none };
  if (padding === 'same') {
    if (stride.some((s) => s !== 1))
      throw new ArgumentError(
        `${op}: padding='same' is not supported for strided convolutions: got stride ${formatShape(stride)}`,
      );
    const total = kernel.map((k, d) => dilation[d] * (k - 1));
    return { before: total.map((n) => Math.floor(n / 2)), total };
  }
  if (typeof padding === 'string') {
    throw new ArgumentError(`${op}: Invalid padding string '${padding}', should be one of 'valid', 'same'`);
  }
  const before = sizesOf(padding, kernel.length, 0, op, 'padding');
  return { before, total: before.map((n) => 2 * n) };
}

/** @throws ShapeError, ArgumentError, DTypeError in PyTorch's words */
function conv<T extends Variable>(
  op: string,
  ndim: number,
  x: T,
  weight: T,
  bias: T | null,
  settings: ConvSettings,
): T {
  const { groups = 1 } = settings;
  checkOperands(op, ndim, x, weight, bias, groups);
  checkBias(op, weight, bias, weight.shape[0], false);
  const stride = sizesOf(settings.stride ?? 1, ndim, 1, op, 'stride');
  const dilation = sizesOf(settings.dilation ?? 1, ndim, 1, op, 'dilation');
  const kernel = weight.shape.slice(2);
  const { before, total } = margins(settings.padding ?? 0, kernel, stride, dilation, op);
  const input = x.shape.slice(-ndim);
  const channels = x.shape[x.ndim - ndim - 1];
  if (channels !== weight.shape[1] * groups) {
    throw new ShapeError(
      `${op}: Given groups=${groups}, weight of size ${formatShape(weight.shape)}, expected input${formatShape(x.shape)} to have ` +
        `${weight.shape[1] * groups} channels, but got ${channels} channels instead`,
    );
  }
  const padded = input.map((size, d) => size + total[d]);
  const spans = kernel.map((k, d) => dilation[d] * (k - 1) + 1);
  if (kernel.includes(0) || padded.some((size, d) => size < spans[d])) {
    throw new ShapeError(
      `${op}: Calculated padded input size per channel: (${padded.join(' x ')}). Kernel size: (${spans.join(' x ')}). Kernel ` +
        "size can't be greater than actual input size",
    );
  }
  const geometry: Sliding = {
    input: tripleOf(input),
    output: tripleOf(padded.map((size, d) => Math.floor((size - spans[d]) / stride[d]) + 1)),
    kernel: tripleOf(kernel),
    stride: tripleOf(stride),
    padding: tripleOf(before, 0),
    dilation: tripleOf(dilation),
  };
  return asBatch(x, ndim, (batch) => convolve(batch, weight, bias, geometry, groups));
}

/** @throws ShapeError, ArgumentError, DTypeError in PyTorch's words */
function convTranspose<T extends Variable>(
  op: string,
  ndim: number,
  x: T,
  weight: T,
  bias: T | null,
  settings: ConvTransposeSettings,
): T {
  const { groups = 1 } = settings;
  checkOperands(op, ndim, x, weight, bias, groups);
  checkBias(op, weight, bias, weight.shape[1] * groups, true);
  const stride = sizesOf(settings.stride ?? 1, ndim, 1, op, 'stride');
  const dilation = sizesOf(settings.dilation ?? 1, ndim, 1, op, 'dilation');
  const padding = sizesOf(settings.padding ?? 0, ndim, 0, op, 'padding');
  const extra = sizesOf(settings.outputPadding ?? 0, ndim, 0, op, 'outputPadding');
  const channels = x.shape[x.ndim - ndim - 1];
  if (channels !== weight.shape[0]) {
    throw new ShapeError(
      `${op}: Given transposed=1, weight of size ${formatShape(weight.shape)}, expected input${formatShape(x.shape)} to have ` +
        `${weight.shape[0]} channels, but got ${channels} channels instead`,
    );
  }
  extra.forEach((n, d) => {
    if (n < stride[d] || n < dilation[d]) return;
    throw new ArgumentError(
      `${op}: output padding must be smaller than either stride or dilation, but got outputPadding ${n}, stride ${stride[d]}, ` +
        `dilation ${dilation[d]}`,
    );
  });
  const kernel = weight.shape.slice(2);
  const from = x.shape.slice(-ndim);
  const size = from.map(
    (n, d) => (n - 1) * stride[d] - 2 * padding[d] + dilation[d] * (kernel[d] - 1) + extra[d] + 1,
  );
  if (from.includes(0) || size.some((n) => n < 1)) {
    throw new ShapeError(
      `${op}: Given input size per channel: (${from.join(' x ')}). Calculated output size per channel: (${size.join(' x ')}). ` +
        'Output size is too small',
    );
  }
  const geometry: Sliding = {
    input: tripleOf(size),
    output: tripleOf(from),
    kernel: tripleOf(kernel),
    stride: tripleOf(stride),
    padding: tripleOf(padding, 0),
    dilation: tripleOf(dilation),
  };
  return asBatch(x, ndim, (batch) => convolveInput(batch, weight, bias, geometry, groups));
}

const forward =
  (op: string, ndim: number) =>
  <T extends Variable>(x: T, weight: T, bias: T | null = null, settings: ConvSettings = {}): T =>
    conv(op, ndim, x, weight, bias, settings);
const transposed =
  (op: string, ndim: number) =>
  <T extends Variable>(x: T, weight: T, bias: T | null = null, settings: ConvTransposeSettings = {}): T =>
    convTranspose(op, ndim, x, weight, bias, settings);

export const conv1d = forward('conv1d', 1);
export const conv2d = forward('conv2d', 2);
export const conv3d = forward('conv3d', 3);
export const convTranspose1d = transposed('conv_transpose1d', 1);
export const convTranspose2d = transposed('conv_transpose2d', 2);
export const convTranspose3d = transposed('conv_transpose3d', 3);

export interface UnfoldSettings {
  dilation?: Size;
  padding?: Size;
  stride?: Size;
}

function columnGeometry(
  op: string,
  input: readonly number[],
  kernelSize: Size,
  settings: UnfoldSettings,
): Sliding {
  const kernel = sizesOf(kernelSize, 2, 1, op, 'kernelSize');
  const dilation = sizesOf(settings.dilation ?? 1, 2, 1, op, 'dilation');
  const padding = sizesOf(settings.padding ?? 0, 2, 0, op, 'padding');
  const stride = sizesOf(settings.stride ?? 1, 2, 1, op, 'stride');
  const output = input.map(
    (n, d) => Math.floor((n + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) / stride[d]) + 1,
  );
  if (output.some((n) => n < 1)) {
    throw new ShapeError(
      `${op}: Given spatial size (${input.join(', ')}), kernelSize=(${kernel.join(', ')}), dilation=(${dilation.join(', ')}), ` +
        `padding=(${padding.join(', ')}), stride=(${stride.join(', ')}), calculated shape of the array of sliding blocks as ` +
        `(${output.join(', ')}), but its components must be at least one.`,
    );
  }
  return {
    input: tripleOf(input),
    output: tripleOf(output),
    kernel: tripleOf(kernel),
    stride: tripleOf(stride),
    padding: tripleOf(padding, 0),
    dilation: tripleOf(dilation),
  };
}

/** The windows of [n, c, h, w] as columns [n, c·kernel, windows]; without n likewise. @throws ShapeError */
export function unfold<T extends Variable>(x: T, kernelSize: Size, settings: UnfoldSettings = {}): T {
  tensorGiven(x, 'unfold');
  if (x.ndim !== 3 && x.ndim !== 4) {
    throw new ShapeError(
      `unfold: Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, ` +
        `but got: ${formatShape(x.shape)}`,
    );
  }
  const geometry = columnGeometry('unfold', x.shape.slice(-2), kernelSize, settings);
  return x.ndim === 4 ? im2col(x, geometry) : squeeze(im2col(unsqueeze(x, 0), geometry), 0);
}

/** Columns [n, c·kernel, windows] added up where they lie in [n, c, …outputSize]; without n likewise. @throws ShapeError */
export function fold<T extends Variable>(
  x: T,
  outputSize: Size,
  kernelSize: Size,
  settings: UnfoldSettings = {},
): T {
  tensorGiven(x, 'fold');
  if (x.ndim !== 2 && x.ndim !== 3) {
    throw new ShapeError(
      `fold: Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, but ` +
        `got: ${formatShape(x.shape)}`,
    );
  }
  const geometry = columnGeometry(
    'fold',
    sizesOf(outputSize, 2, 1, 'fold', 'outputSize'),
    kernelSize,
    settings,
  );
  const [rows, count] = x.shape.slice(-2);
  const taps = geometry.kernel[1] * geometry.kernel[2];
  const windows = geometry.output[1] * geometry.output[2];
  if (rows % taps !== 0) {
    throw new ShapeError(
      `fold: Expected size of input's dimension 1 to be divisible by the product of kernelSize, but got size(1)=${rows} and ` +
        `kernelSize=(${geometry.kernel.slice(1).join(', ')}).`,
    );
  }
  if (count !== windows) {
    throw new ShapeError(
      `fold: Given outputSize=(${geometry.input.slice(1).join(', ')}), expected size of input's dimension 2 to match the ` +
        `calculated number of sliding blocks ${geometry.output[1]} * ${geometry.output[2]} = ${windows}, but got size(2)=${count}.`,
    );
  }
  return x.ndim === 3 ? col2im(x, geometry, 2) : squeeze(col2im(unsqueeze(x, 0), geometry, 2), 0);
}
