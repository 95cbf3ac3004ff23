/** Sliding windows as convolutions: the geometry of our kernels in ONNX's attributes. */
import type { Sliding } from '../../backend/windows.ts';
import type { DType } from '../../core/dtype.ts';
import { numElements } from '../../core/shape.ts';
import { constant } from './builder.ts';
import type { NodeInput } from './graph.ts';

/** How far the last window reaches beyond the input; negative where elements at the end are in no window. */
function reach(ndim: number, g: Sliding): number[] {
  const ends = [0, 1, 2].map((d) => (g.output[d] - 1) * g.stride[d] + (g.kernel[d] - 1) * g.dilation[d] + 1);
  return ends.map((end, d) => end - g.input[d] - g.padding[d]).slice(3 - ndim);
}

/** Of a `Conv` over `ndim` dimensions of space. */
export function convolution(ndim: number, g: Sliding, group: number) {
  const last = (list: readonly number[]) => list.slice(3 - ndim);
  const behind = reach(ndim, g).map((n) => Math.max(0, n));
  return {
    kernel_shape: last(g.kernel),
    strides: last(g.stride),
    dilations: last(g.dilation),
    pads: [...last(g.padding), ...behind],
    group,
  };
}

/** Of the `ConvTranspose` that goes the other way. */
export function transposed(ndim: number, g: Sliding, group: number) {
  return {
    ...convolution(ndim, g, group),
    output_padding: reach(ndim, g).map((n) => Math.max(0, -n)),
  };
}

/**
 * The weight [channels · taps, 1, …kernel] of a convolution that copies: for each channel one kernel for each of its
 * places, 1 there and 0 elsewhere.
 */
export function copyingWeight(channels: number, kernel: readonly number[], dtype: DType): NodeInput {
  const taps = numElements(kernel);
  const values = Array.from({ length: channels * taps * taps }, (_, i) =>
    Math.floor(i / taps) % taps === i % taps ? 1 : 0,
  );
  return constant(values, dtype, [channels * taps, 1, ...kernel]);
}
