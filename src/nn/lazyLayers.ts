/** Layers that learn the size of their input from the first one; see `lazy.ts`. */
import { ArgumentError } from '../core/errors.ts';
import { columnMajor } from '../core/shape.ts';
import type { Size } from '../ops/sizes.ts';
import { type ByName, named } from '../tensor/namedArguments.ts';
import {
  type BatchNormOptions,
  type BatchNormRest,
  batchNormNames,
  type ChannelNorm,
} from './channelNorm.ts';
import {
  Conv1d,
  Conv2d,
  Conv3d,
  type ConvLayer,
  type ConvOptions,
  type ConvRest,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeOptions,
  type ConvTransposeRest,
} from './conv.ts';
import { type LazyKind, lazy } from './lazy.ts';
import { type LayerOptions, Linear, type LinearOptions } from './linear.ts';
import {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
} from './norm.ts';

const linear: LazyKind<Linear> = {
  size: 'inFeatures',
  required: ['outFeatures'],
  dim: (ndim) => ndim - 1,
  shapeOf: ({ outFeatures }, name, size) => (name === 'weight' ? [outFeatures, size] : [outFeatures]),
  strides: ([outFeatures]) => columnMajor(outFeatures),
};

/** Samples may have a dimension of their own, or be one. */
const channelDim = (ndim: number, [single]: readonly number[]): number => (ndim === single ? 0 : 1);

function kernelShape(layer: ConvLayer, name: string, size: number, transposed: boolean): number[] {
  const { outChannels, groups, kernelSize } = layer;
  if (size % groups !== 0) throw new ArgumentError('in_channels must be divisible by groups');
  if (name !== 'weight') return [outChannels];
  const channels = transposed ? [size, outChannels / groups] : [outChannels, size / groups];
  return [...channels, ...kernelSize];
}
const convolution: LazyKind<ConvLayer> = {
  size: 'inChannels',
  required: ['outChannels', 'kernelSize'],
  dim: channelDim,
  shapeOf: (layer, name, size) => kernelShape(layer, name, size, false),
};
const transposed: LazyKind<ConvLayer> = {
  size: 'inChannels',
  required: ['outChannels', 'kernelSize'],
  dim: channelDim,
  shapeOf: (layer, name, size) => kernelShape(layer, name, size, true),
};

const ofChannels = (_layer: ChannelNorm, _name: string, size: number): number[] => [size];
const batchNorm: LazyKind<ChannelNorm> = {
  size: 'numFeatures',
  required: [],
  dim: () => 1,
  shapeOf: ofChannels,
};
const instanceNorm: LazyKind<ChannelNorm> = {
  size: 'numFeatures',
  required: [],
  dim: channelDim,
  shapeOf: ofChannels,
};

/** A `Linear` that takes `inFeatures` from the last dimension of its first input. */
export class LazyLinear extends /* @__PURE__ */ lazy(Linear, linear) {
  constructor(
    ...args:
      | [outFeatures: number, bias?: boolean | LinearOptions, options?: LayerOptions]
      | ByName<{ outFeatures: number }, [], LinearOptions>
  ) {
    super(...args);
  }
}

type Kernel = { outChannels: number; kernelSize: Size };
type LazyConvArguments =
  | [outChannels: number, kernelSize: Size, ...rest: ConvRest]
  | ByName<Kernel, ['outChannels'], ConvOptions>;
type LazyConvTransposeArguments =
  | [outChannels: number, kernelSize: Size, ...rest: ConvTransposeRest]
  | ByName<Kernel, ['outChannels'], ConvTransposeOptions>;

/** A `Conv1d` that takes `inChannels` from its first input, [n, c, l] or [c, l]. */
export class LazyConv1d extends /* @__PURE__ */ lazy(Conv1d, convolution, [2, 3]) {
  constructor(...args: LazyConvArguments) {
    super(...args);
  }
}

/** A `Conv2d` that takes `inChannels` from its first input, [n, c, h, w] or [c, h, w]. */
export class LazyConv2d extends /* @__PURE__ */ lazy(Conv2d, convolution, [3, 4]) {
  constructor(...args: LazyConvArguments) {
    super(...args);
  }
}

/** A `Conv3d` that takes `inChannels` from its first input, [n, c, d, h, w] or [c, d, h, w]. */
export class LazyConv3d extends /* @__PURE__ */ lazy(Conv3d, convolution, [4, 5]) {
  constructor(...args: LazyConvArguments) {
    super(...args);
  }
}

/** A `ConvTranspose1d` that takes `inChannels` from its first input, [n, c, l] or [c, l]. */
export class LazyConvTranspose1d extends /* @__PURE__ */ lazy(ConvTranspose1d, transposed, [2, 3]) {
  constructor(...args: LazyConvTransposeArguments) {
    super(...args);
  }
}

/** A `ConvTranspose2d` that takes `inChannels` from its first input, [n, c, h, w] or [c, h, w]. */
export class LazyConvTranspose2d extends /* @__PURE__ */ lazy(ConvTranspose2d, transposed, [3, 4]) {
  constructor(...args: LazyConvTransposeArguments) {
    super(...args);
  }
}

/** A `ConvTranspose3d` that takes `inChannels` from its first input, [n, c, d, h, w] or [c, d, h, w]. */
export class LazyConvTranspose3d extends /* @__PURE__ */ lazy(ConvTranspose3d, transposed, [4, 5]) {
  constructor(...args: LazyConvTransposeArguments) {
    super(...args);
  }
}

/** A `BatchNorm1d` that takes `numFeatures` from its first input, [n, c] or [n, c, l]. */
export class LazyBatchNorm1d extends /* @__PURE__ */ lazy(BatchNorm1d, batchNorm, [2, 3]) {
  constructor(...args: BatchNormRest) {
    super(...args);
  }
}

/** A `BatchNorm2d` that takes `numFeatures` from its first input, [n, c, h, w]. */
export class LazyBatchNorm2d extends /* @__PURE__ */ lazy(BatchNorm2d, batchNorm, [4]) {
  constructor(...args: BatchNormRest) {
    super(...args);
  }
}

/** A `BatchNorm3d` that takes `numFeatures` from its first input, [n, c, d, h, w]. */
export class LazyBatchNorm3d extends /* @__PURE__ */ lazy(BatchNorm3d, batchNorm, [5]) {
  constructor(...args: BatchNormRest) {
    super(...args);
  }
}

/** PyTorch's, unlike those of the layers themselves. */
const instanceNormOptions = (owner: string, args: BatchNormRest): BatchNormOptions => ({
  affine: true,
  trackRunningStats: true,
  ...named<BatchNormOptions>(owner, batchNormNames, args),
});

/** An `InstanceNorm1d` that takes `numFeatures` from its first input, [n, c, l] or [c, l]; by default with weights and statistics. */
export class LazyInstanceNorm1d extends /* @__PURE__ */ lazy(InstanceNorm1d, instanceNorm, [2, 3]) {
  constructor(...args: BatchNormRest) {
    super(instanceNormOptions(new.target.name, args));
  }
}

/** An `InstanceNorm2d` that takes `numFeatures` from its first input, [n, c, h, w] or [c, h, w]; by default with weights and statistics. */
export class LazyInstanceNorm2d extends /* @__PURE__ */ lazy(InstanceNorm2d, instanceNorm, [3, 4]) {
  constructor(...args: BatchNormRest) {
    super(instanceNormOptions(new.target.name, args));
  }
}

/** An `InstanceNorm3d` that takes `numFeatures` from its first input, [n, c, d, h, w] or [c, d, h, w]; by default with weights and statistics. */
export class LazyInstanceNorm3d extends /* @__PURE__ */ lazy(InstanceNorm3d, instanceNorm, [4, 5]) {
  constructor(...args: BatchNormRest) {
    super(instanceNormOptions(new.target.name, args));
  }
}
