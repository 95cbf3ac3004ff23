/** Pooling: the maximum, mean or p-norm of windows, at regular steps or as many as are asked for. */

import type { Variable } from '../autograd/variable.ts';
import { ArgumentError, DTypeError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape, numElements } from '../core/shape.ts';
import { scatterAlong, zerosOf } from './along.ts';
import { mul } from './arithmetic.ts';
import { named } from './composite.ts';
import { checkDevices } from './convert.ts';
import { abs, relu, sign } from './elementwise.ts';
import { checkFloating, given, tensorGiven } from './given.ts';
import {
  adaptiveList,
  batched,
  checkPooled,
  kernelList,
  maxOverWindows,
  meanOverWindows,
  type PoolDimension,
  pooledSize,
  windowsOf,
} from './pooling.ts';
import { pow } from './power.ts';
import { mean } from './reduce.ts';
import { type Size, sizesOf } from './sizes.ts';
import { reshape } from './views.ts';

export interface MaxPoolSettings {
  /** Default: the kernel size. */
  stride?: Size | null;
  /** Minus infinity around the input, half a kernel at most. Default 0. */
  padding?: Size;
  dilation?: Size;
  /** Keep the windows that reach beyond the end. */
  ceilMode?: boolean;
}

export interface AvgPoolSettings {
  /** Default: the kernel size. */
  stride?: Size | null;
  /** Zeros around the input, half a kernel at most. Default 0. */
  padding?: Size;
  ceilMode?: boolean;
  /** Whether the zeros of the padding count. Default true. */
  countIncludePad?: boolean;
  /** Divide by this instead of the count. */
  divisorOverride?: number | null;
}

function dimensions(
  op: string,
  x: Variable,
  ndim: number,
  kernelSize: Size,
  { stride, padding = 0, dilation = 1, ceilMode = false }: MaxPoolSettings,
): PoolDimension[] {
  checkPooled(op, x, ndim);
  const kernels = sizesOf(kernelSize, ndim, 1, op, 'kernelSize');
  const noStride =
    stride === undefined || stride === null || (typeof stride === 'object' && stride.length === 0);
  const strides = noStride ? kernels : sizesOf(stride, ndim, 1, op, 'stride');
  const paddings = sizesOf(padding, ndim, 0, op, 'padding');
  const dilations = sizesOf(dilation, ndim, 1, op, 'dilation');
  const result = x.shape.slice(-ndim).map((input, d) => {
    if (paddings[d] * 2 > (kernels[d] - 1) * dilations[d] + 1) {
      throw new ArgumentError(
        `${op}: pad should be at most half of effective kernel size, but got pad=${paddings[d]}, kernel_size=${kernels[d]} and ` +
          `dilation=${dilations[d]}`,
      );
    }
    return {
      input,
      kernel: kernels[d],
      stride: strides[d],
      padding: paddings[d],
      dilation: dilations[d],
      ceilMode,
    };
  });
  if (result.some((each) => pooledSize(each) < 1)) {
    throw new ShapeError(
      `${op}: Given input size: (${x.shape.slice(-ndim - 1).join('x')}). Calculated output size: ` +
        `(${[x.shape[x.ndim - ndim - 1], ...result.map(pooledSize)].join('x')}). Output size is too small`,
    );
  }
  return result;
}

const nodeNames: { readonly [op: string]: string } = {
  max_pool1d: 'SqueezeBackward1',
  max_pool2d: 'MaxPool2DWithIndicesBackward0',
  max_pool3d: 'MaxPool3DWithIndicesBackward0',
};

function maxPool<T extends Variable>(
  op: string,
  ndim: number,
  x: T,
  kernelSize: Size,
  settings: MaxPoolSettings,
): [T, T] {
  const lists = dimensions(op, x, ndim, kernelSize, settings).map((each) => kernelList(each, false));
  const windows = windowsOf(x.shape.slice(-ndim), lists);
  const [values, indices] = batched(x, ndim, (batch) => maxOverWindows(nodeNames[op], batch, windows));
  return [values, indices];
}

function avgPool<T extends Variable>(
  op: string,
  ndim: number,
  x: T,
  kernelSize: Size,
  settings: AvgPoolSettings,
): T {
  const { countIncludePad = true, divisorOverride = null } = settings;
  if (tensorGiven(x, op).dtype !== 'int64') checkFloating(x, op);
  if (divisorOverride === 0) throw new ArgumentError(`${op}: divisor must be not zero`);
  const all = dimensions(op, x, ndim, kernelSize, settings);
  if (ndim === 3 && all.some(({ input, kernel }) => input < kernel)) {
    throw new ShapeError(
      `${op}: input image ${formatShape(all.map(({ input }) => input))} smaller than kernel size ` +
        formatShape(all.map(({ kernel }) => kernel)),
    );
  }
  const lists = all.map((each, d) => {
    const list = kernelList(each, countIncludePad);
    if (divisorOverride === null) return list;
    return { ...list, divisor: list.divisor.map(() => (d === 0 ? divisorOverride : 1)) };
  });
  const windows = windowsOf(x.shape.slice(-ndim), lists);
  const name = ndim === 1 ? 'SqueezeBackward1' : `AvgPool${ndim}DBackward0`;
  return batched(x, ndim, (batch) => [meanOverWindows(name, batch, windows)])[0];
}

const maxOf =
  (op: string, ndim: number) =>
  <T extends Variable>(x: T, kernelSize: Size, settings: MaxPoolSettings = {}): [values: T, indices: T] =>
    maxPool(op, ndim, x, kernelSize, settings);
const meanOf =
  (op: string, ndim: number) =>
  <T extends Variable>(x: T, kernelSize: Size, settings: AvgPoolSettings = {}): T =>
    avgPool(op, ndim, x, kernelSize, settings);

export const maxPool1d = maxOf('max_pool1d', 1);
export const maxPool2d = maxOf('max_pool2d', 2);
export const maxPool3d = maxOf('max_pool3d', 3);
export const avgPool1d = meanOf('avg_pool1d', 1);
export const avgPool2d = meanOf('avg_pool2d', 2);
export const avgPool3d = meanOf('avg_pool3d', 3);

/** A size to reach in each dimension; null keeps the input's. */
export type AdaptiveSize = number | readonly (number | null)[];

function adaptiveSizes(op: string, x: Variable, ndim: number, size: AdaptiveSize): number[] {
  checkPooled(op, x, ndim);
  const input = x.shape.slice(-ndim);
  const list =
    typeof size === 'number'
      ? new Array<number>(ndim).fill(size)
      : given(size, op, 'outputSize', 'a number or a list of numbers');
  if (list.length !== ndim) {
    throw new ArgumentError(
      `${op}: internal error: output_size.size() must be ${ndim}, but got ${formatShape(list.map(Number))}`,
    );
  }
  return list.map((n, d) => {
    const wanted = n ?? input[d];
    if (Number.isInteger(wanted) && wanted >= 0) return wanted;
    throw new ArgumentError(
      `${op}: expected argument 'outputSize' to be whole numbers from 0, but got ${String(wanted)}`,
    );
  });
}

const adaptiveMean =
  (op: string, ndim: number) =>
  <T extends Variable>(x: T, outputSize: AdaptiveSize): T => {
    checkFloating(x, op);
    const sizes = adaptiveSizes(op, x, ndim, outputSize);
    const input = x.shape.slice(-ndim);
    if (sizes.every((size) => size === 1)) {
      const whole = mean<T>(
        x,
        input.map((_, d) => d - ndim),
        true,
      );
      return ndim === 1 ? named('SqueezeBackward1', whole) : whole;
    }
    const windows = windowsOf(
      input,
      input.map((n, d) => adaptiveList(n, sizes[d])),
    );
    const name = ndim === 1 ? 'SqueezeBackward1' : `AdaptiveAvgPool${ndim}DBackward0`;
    return batched(x, ndim, (batch) => [meanOverWindows(name, batch, windows)])[0];
  };

const adaptiveMax =
  (op: string, ndim: number) =>
  <T extends Variable>(x: T, outputSize: AdaptiveSize): [values: T, indices: T] => {
    const sizes = adaptiveSizes(op, x, ndim, outputSize);
    const input = x.shape.slice(-ndim);
    const windows = windowsOf(
      input,
      input.map((n, d) => adaptiveList(n, sizes[d])),
    );
    const name = ndim === 1 ? 'SqueezeBackward1' : `AdaptiveMaxPool${ndim}DBackward0`;
    const [values, indices] = batched(x, ndim, (batch) => maxOverWindows(name, batch, windows));
    return [values, indices];
  };

export const adaptiveAvgPool1d = adaptiveMean('adaptive_avg_pool1d', 1);
export const adaptiveAvgPool2d = adaptiveMean('adaptive_avg_pool2d', 2);
export const adaptiveAvgPool3d = adaptiveMean('adaptive_avg_pool3d', 3);
export const adaptiveMaxPool1d = adaptiveMax('adaptive_max_pool1d', 1);
export const adaptiveMaxPool2d = adaptiveMax('adaptive_max_pool2d', 2);
export const adaptiveMaxPool3d = adaptiveMax('adaptive_max_pool3d', 3);

/** (Σ xᵖ)^(1/p) of each window, PyTorch's `lp_pool`: negative sums count as 0, and x is not made positive. */
export function lpPool<T extends Variable>(
  ndim: number,
  x: T,
  normType: number,
  kernelSize: Size,
  settings: AvgPoolSettings,
): T {
  return inOp(`lp_pool${ndim}d`, () => {
    checkFloating(x, `lp_pool${ndim}d`);
    const kernel = sizesOf(kernelSize, ndim, 1, `lp_pool${ndim}d`, 'kernelSize');
    const pool = [avgPool1d, avgPool2d, avgPool3d][ndim - 1];
    const mean = pool(pow<T>(x, normType), kernel, settings);
    return pow<T>(
      mul<T>(
        mul(sign(mean), relu(abs(mean))),
        kernel.reduce((n, k) => n * k, 1),
      ),
      1 / normType,
    );
  });
}

/** Zeros of [n, c, …outputSize] with x written at the int64 positions that max pooling gave. @throws ShapeError, IndexError */
export function maxUnpool<T extends Variable>(
  ndim: number,
  x: T,
  indices: T,
  outputSize: readonly number[],
): T {
  return inOp(`max_unpool${ndim}d`, () => {
    const op = `max_unpool${ndim}d`;
    tensorGiven(x, op);
    tensorGiven(indices, op, 'indices');
    if (indices.dtype !== 'int64')
      throw new DTypeError(`${op}: elements in indices should be type int64 but got: ${indices.dtype}`);
    if (formatShape(indices.shape) !== formatShape(x.shape)) {
      throw new ShapeError(
        `${op}: Expected shape of indices to be same as that of the input tensor (${formatShape(x.shape)}) but got indices ` +
          `tensor with shape: ${formatShape(indices.shape)}`,
      );
    }
    const lead = x.shape.slice(0, -ndim);
    const size = outputSize.reduce((n, s) => n * s, 1);
    const { backend } = indices.array;
    checkDevices([x, indices], op, 'input indices');
    const tell = (value: number | bigint, where = '') =>
      new ArgumentError(
        `${op}: Found an invalid max index (output volumes are of size ${outputSize.join('x')})${where}: got ${value}`,
      );
    const bad = backend.findBadIndex(indices.array, size, 0, tell);
    if (bad >= 0) throw tell(backend.hostValues(indices.array, op)[bad], ` at ${bad}`);
    // Not −1, which an empty batch leaves open.
    const flat = reshape(x, [...lead, numElements(x.shape.slice(-ndim))]);
    const index = reshape(indices, flat.shape);
    const placed = scatterAlong(zerosOf(x, [...lead, size]), lead.length, index, flat, false);
    return reshape(placed, [...lead, ...outputSize]);
  });
}
