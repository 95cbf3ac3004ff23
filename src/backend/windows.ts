/**
 * Windows that move over the last one to three dimensions of [batch, channels, …]: what convolutions and pooling ask of
 * a backend, and the statistics of normalisation. Geometry always has three dimensions; missing ones are 1.
 */
import type { Shape } from '../core/shape.ts';
import type { NDArray } from './array.ts';

export type Triple = readonly [number, number, number];

/** A kernel of fixed size at regular steps. Input position = output · stride − padding + tap · dilation. */
export interface Sliding {
  readonly input: Triple;
  readonly output: Triple;
  readonly kernel: Triple;
  readonly stride: Triple;
  /** Before the first element; what lies behind the last follows from the output size. */
  readonly padding: Triple;
  readonly dilation: Triple;
}

/** For one dimension, the input positions of each output: start, start + step, … below end, all inside the input. */
export interface WindowList {
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly step: number;
  /** What an average divides by, along this dimension. */
  readonly divisor: Float64Array;
}

/** Windows of any place and size, the product of one list per dimension. */
export interface Windows {
  readonly input: Triple;
  readonly output: Triple;
  readonly lists: readonly [WindowList, WindowList, WindowList];
}

export interface Standardized {
  /** (x − mean)/√(variance + eps). */
  readonly output: NDArray;
  /** [rows], the variance without correction. */
  readonly mean: NDArray;
  readonly variance: NDArray;
  /** [rows], 1/√(variance + eps). */
  readonly rstd: NDArray;
}

export interface WindowKernels {
  /** x [n, c, …], weight [o, c/groups, …], bias [o] → [n, o, …]. */
  convolve(x: NDArray, weight: NDArray, bias: NDArray | null, geometry: Sliding, groups: number): NDArray;
  /** Its gradient by x, which is the transposed convolution: grad [n, o, …] → [n, c, …]. */
  convolveInput(grad: NDArray, weight: NDArray, geometry: Sliding, groups: number): NDArray;
  /** Its gradient by the weight: grad [n, o, …], x [n, c, …] → [o, c/groups, …]. */
  convolveWeight(grad: NDArray, x: NDArray, geometry: Sliding, groups: number): NDArray;
  /** With the sum of each channel of `grad`, [o]: where that is one pass. */
  convolveWeightAndSums?(
    grad: NDArray,
    x: NDArray,
    geometry: Sliding,
    groups: number,
  ): { product: NDArray; sums: NDArray };

  /** Every window as a column: x [n, c, …] → [n, c·kernel, outputs]; zero where it leaves the input. */
  im2col(x: NDArray, geometry: Sliding): NDArray;
  /** Columns [n, c·kernel, outputs] added up where they came from: [n, c, …] with `ndim` dimensions behind c. */
  col2im(columns: NDArray, geometry: Sliding, ndim: number): NDArray;

  /**
   * The first largest element of each window and its int64 position in the channel; NaN counts as the largest. A window without
   * elements gives the least value of the dtype, and the position where it would begin, which may be none of the channel's.
   */
  maxPool(x: NDArray, windows: Windows): { values: NDArray; indices: NDArray };
  /** Zeros of x's shape with each gradient added at its position: the gradient of the values. */
  maxPoolGrad(grad: NDArray, indices: NDArray, windows: Windows): NDArray;
  avgPool(x: NDArray, windows: Windows): NDArray;
  avgPoolGrad(grad: NDArray, windows: Windows): NDArray;

  /** x [outer, rows, inner], contiguous: each row to mean 0 and variance 1 over outer and inner. */
  standardize(x: NDArray, eps: number): Standardized;
  /** rstd·(grad − mean(grad) − output·mean(grad·output)), by row: its gradient, from its output. */
  standardizeGrad(grad: NDArray, output: NDArray, rstd: NDArray): NDArray;
  /**
   * The gradients of x·weight + bias by weight and bias, both of `shape`, which broadcasts to the shape of `grad` and x: where
   * they are one pass over the two.
   */
  affineGrads?(grad: NDArray, x: NDArray, shape: Shape): { weight: NDArray; bias: NDArray };
}

/** Sizes behind the channels, with 1 for the missing ones. */
export function tripleOf(sizes: readonly number[], missing = 1): Triple {
  const all = [missing, missing, missing, ...sizes].slice(-3);
  return [all[0], all[1], all[2]];
}

/** The last `ndim` of three. */
export const lastOf = (triple: Triple, ndim: number): number[] => triple.slice(3 - ndim);

export const volume = (sizes: Triple): number => sizes[0] * sizes[1] * sizes[2];
