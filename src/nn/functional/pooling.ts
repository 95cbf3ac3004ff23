/** Pooling, with its arguments by position or by name. */

import { ArgumentError } from '../../core/errors.ts';
import { formatShape } from '../../core/shape.ts';
import { tensorGiven } from '../../ops/given.ts';
import type { AdaptiveSize, AvgPoolSettings, MaxPoolSettings } from '../../ops/pool.ts';
import * as ops from '../../ops/pool.ts';
import { type Size, sizesOf } from '../../ops/sizes.ts';
import { taking } from '../../ops/taking.ts';
import { type Flexible, named } from '../../tensor/namedArguments.ts';
import type { Tensor } from '../../tensor.ts';

export type { AdaptiveSize, AvgPoolSettings, MaxPoolSettings } from '../../ops/pool.ts';

export interface MaxPoolOptions extends MaxPoolSettings {
  /** Also return where each value was found: int64 positions within the channel. */
  returnIndices?: boolean;
}

type MaxRest = Flexible<
  [stride: Size | null | undefined, padding: Size, dilation: Size, ceilMode: boolean, returnIndices: boolean],
  MaxPoolOptions
>;
type ValuesAndPositions = [values: Tensor, indices: Tensor];

interface MaxPool {
  (input: Tensor, kernelSize: Size, options: MaxPoolOptions & { returnIndices: true }): ValuesAndPositions;
  (
    input: Tensor,
    kernelSize: Size,
    stride: Size | null | undefined,
    padding: Size,
    dilation: Size,
    ceilMode: boolean,
    returnIndices: true,
  ): ValuesAndPositions;
  (input: Tensor, kernelSize: Size, ...rest: MaxRest): Tensor;
}

type MaxOp = (x: Tensor, kernelSize: Size, settings: MaxPoolSettings) => ValuesAndPositions;

const maxOptions = (name: string, rest: readonly unknown[]): MaxPoolOptions =>
  named<MaxPoolOptions>(name, 'stride padding dilation ceilMode returnIndices', rest);

function maxPool(name: string, op: MaxOp): MaxPool {
  function pool(
    input: Tensor,
    kernelSize: Size,
    options: MaxPoolOptions & { returnIndices: true },
  ): ValuesAndPositions;
  function pool(
    input: Tensor,
    kernelSize: Size,
    stride: Size | null | undefined,
    padding: Size,
    dilation: Size,
    ceilMode: boolean,
    returnIndices: true,
  ): ValuesAndPositions;
  function pool(input: Tensor, kernelSize: Size, ...rest: MaxRest): Tensor;
  function pool(input: Tensor, kernelSize: Size, ...rest: MaxRest): Tensor | ValuesAndPositions {
    const { returnIndices = false, ...settings } = maxOptions(name, rest);
    const result = op(input, kernelSize, settings);
    return returnIndices ? result : result[0];
  }
  return pool;
}

const maxPoolWithIndices =
  (name: string, op: MaxOp) =>
  (input: Tensor, kernelSize: Size, ...rest: MaxRest): ValuesAndPositions => {
    const { returnIndices: _, ...settings } = maxOptions(name, rest);
    return op(input, kernelSize, settings);
  };

/** The largest of each window of [n, c, l] (n may be absent). NaN counts as the largest. @throws ShapeError, ArgumentError */
export const maxPool1d = /* @__PURE__ */ taking(
  'max_pool1d',
  'kernelSize ...',
  /* @__PURE__ */ maxPool('max_pool1d', ops.maxPool1d<Tensor>),
);
/** The largest of each window of [n, c, h, w]. @throws ShapeError, ArgumentError */
export const maxPool2d = /* @__PURE__ */ taking(
  'max_pool2d',
  'kernelSize ...',
  /* @__PURE__ */ maxPool('max_pool2d', ops.maxPool2d<Tensor>),
);
/** The largest of each window of [n, c, d, h, w]. @throws ShapeError, ArgumentError */
export const maxPool3d = /* @__PURE__ */ taking(
  'max_pool3d',
  'kernelSize ...',
  /* @__PURE__ */ maxPool('max_pool3d', ops.maxPool3d<Tensor>),
);
export const maxPool1dWithIndices = /* @__PURE__ */ taking(
  'max_pool1d',
  'kernelSize ...',
  /* @__PURE__ */ maxPoolWithIndices('max_pool1d', ops.maxPool1d<Tensor>),
);
export const maxPool2dWithIndices = /* @__PURE__ */ taking(
  'max_pool2d',
  'kernelSize ...',
  /* @__PURE__ */ maxPoolWithIndices('max_pool2d', ops.maxPool2d<Tensor>),
);
export const maxPool3dWithIndices = /* @__PURE__ */ taking(
  'max_pool3d',
  'kernelSize ...',
  /* @__PURE__ */ maxPoolWithIndices('max_pool3d', ops.maxPool3d<Tensor>),
);

type AvgRest = Flexible<
  [
    stride: Size | null | undefined,
    padding: Size,
    ceilMode: boolean,
    countIncludePad: boolean,
    divisorOverride: number | null,
  ],
  AvgPoolSettings
>;

const avgPool =
  (name: string, op: (x: Tensor, kernelSize: Size, settings: AvgPoolSettings) => Tensor) =>
  (input: Tensor, kernelSize: Size, ...rest: AvgRest): Tensor =>
    op(
      input,
      kernelSize,
      named<AvgPoolSettings>(name, 'stride padding ceilMode countIncludePad divisorOverride', rest),
    );

/** The mean of each window of [n, c, l] (n may be absent). @throws ShapeError, ArgumentError */
export const avgPool1d = /* @__PURE__ */ taking(
  'avg_pool1d',
  'kernelSize ...',
  /* @__PURE__ */ avgPool('avg_pool1d', ops.avgPool1d<Tensor>),
);
/** The mean of each window of [n, c, h, w]. @throws ShapeError, ArgumentError */
export const avgPool2d = /* @__PURE__ */ taking(
  'avg_pool2d',
  'kernelSize ...',
  /* @__PURE__ */ avgPool('avg_pool2d', ops.avgPool2d<Tensor>),
);
/** The mean of each window of [n, c, d, h, w]. @throws ShapeError, ArgumentError */
export const avgPool3d = /* @__PURE__ */ taking(
  'avg_pool3d',
  'kernelSize ...',
  /* @__PURE__ */ avgPool('avg_pool3d', ops.avgPool3d<Tensor>),
);

const adaptiveAvg =
  (op: (x: Tensor, size: AdaptiveSize) => Tensor) =>
  (input: Tensor, outputSize: AdaptiveSize): Tensor =>
    op(input, outputSize);

/** Means over as many windows as asked for: [n, c, l] → [n, c, outputSize]. */
export const adaptiveAvgPool1d = /* @__PURE__ */ taking(
  'adaptive_avg_pool1d',
  'outputSize',
  /* @__PURE__ */ adaptiveAvg(ops.adaptiveAvgPool1d<Tensor>),
);
/** [n, c, h, w] → [n, c, …outputSize]; a null in it keeps the input's size. */
export const adaptiveAvgPool2d = /* @__PURE__ */ taking(
  'adaptive_avg_pool2d',
  'outputSize',
  /* @__PURE__ */ adaptiveAvg(ops.adaptiveAvgPool2d<Tensor>),
);
/** [n, c, d, h, w] → [n, c, …outputSize]; a null in it keeps the input's size. */
export const adaptiveAvgPool3d = /* @__PURE__ */ taking(
  'adaptive_avg_pool3d',
  'outputSize',
  /* @__PURE__ */ adaptiveAvg(ops.adaptiveAvgPool3d<Tensor>),
);

interface AdaptiveMax {
  (
    input: Tensor,
    outputSize: AdaptiveSize,
    returnIndices: true | { returnIndices: true },
  ): ValuesAndPositions;
  (input: Tensor, outputSize: AdaptiveSize, returnIndices?: false | { returnIndices?: false }): Tensor;
}

function adaptiveMax(op: (x: Tensor, size: AdaptiveSize) => ValuesAndPositions): AdaptiveMax {
  function pool(
    input: Tensor,
    outputSize: AdaptiveSize,
    returnIndices: true | { returnIndices: true },
  ): ValuesAndPositions;
  function pool(
    input: Tensor,
    outputSize: AdaptiveSize,
    returnIndices?: false | { returnIndices?: false },
  ): Tensor;
  function pool(
    input: Tensor,
    outputSize: AdaptiveSize,
    returnIndices?: boolean | { returnIndices?: boolean },
  ): Tensor | ValuesAndPositions {
    const result = op(input, outputSize);
    return returnIndices === true ? result : result[0];
  }
  return pool;
}

/** The largest of as many windows as asked for: [n, c, l] → [n, c, outputSize]. */
export const adaptiveMaxPool1d = /* @__PURE__ */ taking(
  'adaptive_max_pool1d',
  'outputSize returnIndices?',
  /* @__PURE__ */ adaptiveMax(ops.adaptiveMaxPool1d<Tensor>),
);
/** [n, c, h, w] → [n, c, …outputSize]; a null in it keeps the input's size. */
export const adaptiveMaxPool2d = /* @__PURE__ */ taking(
  'adaptive_max_pool2d',
  'outputSize returnIndices?',
  /* @__PURE__ */ adaptiveMax(ops.adaptiveMaxPool2d<Tensor>),
);
/** [n, c, d, h, w] → [n, c, …outputSize]; a null in it keeps the input's size. */
export const adaptiveMaxPool3d = /* @__PURE__ */ taking(
  'adaptive_max_pool3d',
  'outputSize returnIndices?',
  /* @__PURE__ */ adaptiveMax(ops.adaptiveMaxPool3d<Tensor>),
);

export interface LpPoolOptions {
  stride?: Size | null;
  ceilMode?: boolean;
}
type LpRest = Flexible<[stride: Size | null | undefined, ceilMode: boolean], LpPoolOptions>;

const lpPool =
  (ndim: number) =>
  (input: Tensor, normType: number, kernelSize: Size, ...rest: LpRest): Tensor =>
    ops.lpPool<Tensor>(
      ndim,
      input,
      normType,
      kernelSize,
      named<LpPoolOptions>(`lp_pool${ndim}d`, 'stride ceilMode', rest),
    );

/** (Σ xᵖ)^(1/p) of each window of [n, c, l]. */
export const lpPool1d = /* @__PURE__ */ taking(
  'lp_pool1d',
  'normType kernelSize ...',
  /* @__PURE__ */ lpPool(1),
);
/** (Σ xᵖ)^(1/p) of each window of [n, c, h, w]. */
export const lpPool2d = /* @__PURE__ */ taking(
  'lp_pool2d',
  'normType kernelSize ...',
  /* @__PURE__ */ lpPool(2),
);
/** (Σ xᵖ)^(1/p) of each window of [n, c, d, h, w]. */
export const lpPool3d = /* @__PURE__ */ taking(
  'lp_pool3d',
  'normType kernelSize ...',
  /* @__PURE__ */ lpPool(3),
);

export interface MaxUnpoolOptions {
  stride?: Size | null;
  padding?: Size;
  /** The size of what was pooled, where the kernel leaves it open; leading dimensions are ignored. */
  outputSize?: readonly number[] | null;
}
type UnpoolRest = Flexible<
  [stride: Size | null | undefined, padding: Size, outputSize: readonly number[] | null],
  MaxUnpoolOptions
>;

const maxUnpool =
  (ndim: number) =>
  (input: Tensor, indices: Tensor, kernelSize: Size, ...rest: UnpoolRest): Tensor => {
    const op = `max_unpool${ndim}d`;
    const {
      stride,
      padding = 0,
      outputSize = null,
    } = named<MaxUnpoolOptions>(op, 'stride padding outputSize', rest);
    const kernels = sizesOf(kernelSize, ndim, 1, op, 'kernelSize');
    const strides =
      stride === undefined || stride === null ? kernels : sizesOf(stride, ndim, 1, op, 'stride');
    const paddings = sizesOf(padding, ndim, 0, op, 'padding');
    tensorGiven(input, op);
    const usual = input.shape.slice(-ndim).map((n, d) => (n - 1) * strides[d] + kernels[d] - 2 * paddings[d]);
    const wanted = outputSize === null ? usual : outputSize.slice(-ndim);
    if (wanted.length !== ndim || wanted.some((n, d) => Math.abs(n - usual[d]) >= strides[d])) {
      throw new ArgumentError(
        `${op}: invalid argument 'outputSize' ${formatShape(wanted)}: must be within one stride of ${formatShape(usual)}`,
      );
    }
    return ops.maxUnpool<Tensor>(ndim, input, indices, wanted);
  };

/** Zeros with the values of max pooling back where they were found. @throws ArgumentError, ShapeError */
export const maxUnpool1d = /* @__PURE__ */ taking(
  'max_unpool1d',
  'indices kernelSize ...',
  /* @__PURE__ */ maxUnpool(1),
);
export const maxUnpool2d = /* @__PURE__ */ taking(
  'max_unpool2d',
  'indices kernelSize ...',
  /* @__PURE__ */ maxUnpool(2),
);
export const maxUnpool3d = /* @__PURE__ */ taking(
  'max_unpool3d',
  'indices kernelSize ...',
  /* @__PURE__ */ maxUnpool(3),
);
