/** Normalisation as layers. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { pythonFloat, pythonValue } from '../core/pythonText.ts';
import type { Shape } from '../core/shape.ts';
import { ones, zeros } from '../creation.ts';
import { type ByName, type Flexible, named, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import {
  BatchNorm,
  type BatchNormOptions,
  type BatchNormRest,
  batchNormNames,
  ChannelNorm,
} from './channelNorm.ts';
import * as F from './functional/norm.ts';
import type { LayerOptions } from './linear.ts';
import { Module, noteParameters } from './module.ts';
import { Parameter } from './parameter.ts';

export type { BatchNormOptions } from './channelNorm.ts';

function checkRank(layer: string, input: Tensor, ranks: readonly number[]): void {
  if (ranks.includes(input.ndim)) return;
  throw new ShapeError(
    `${layer}: expected ${ranks.map((n) => `${n}D`).join(' or ')} input (got ${input.ndim}D input)`,
  );
}

/** [n, c] or [n, c, l] by channel (Ioffe and Szegedy, 2015). */
export class BatchNorm1d extends BatchNorm {
  protected checkInput(input: Tensor): void {
    checkRank('BatchNorm1d', input, [2, 3]);
  }
}

/** [n, c, h, w] by channel. */
export class BatchNorm2d extends BatchNorm {
  protected checkInput(input: Tensor): void {
    checkRank('BatchNorm2d', input, [4]);
  }
}

/** [n, c, d, h, w] by channel. */
export class BatchNorm3d extends BatchNorm {
  protected checkInput(input: Tensor): void {
    checkRank('BatchNorm3d', input, [5]);
  }
}

abstract class InstanceNorm extends ChannelNorm {
  /** Dimensions of a sample without a batch. */
  protected abstract readonly sampleRank: number;

  constructor(
    ...args:
      | [numFeatures: number, ...rest: BatchNormRest]
      | ByName<{ numFeatures: number }, [], BatchNormOptions>
  ) {
    const [numFeatures, ...rest] = required<[number]>(new.target.name, ['numFeatures'], args);
    const given = named<BatchNormOptions>(new.target.name, batchNormNames, rest);
    super(numFeatures, {
      eps: 1e-5,
      momentum: 0.1,
      affine: false,
      bias: true,
      trackRunningStats: false,
      ...given,
    });
  }

  protected checkInput(input: Tensor): void {
    checkRank(this.constructor.name, input, [this.sampleRank, this.sampleRank + 1]);
  }

  forward(input: Tensor): Tensor {
    this.checkInput(input);
    const channels = input.shape[input.ndim - this.sampleRank];
    if (channels !== this.numFeatures && this.affine) {
      throw new ShapeError(
        `expected input's size at dim=${input.ndim - this.sampleRank} to match num_features (${this.numFeatures}), but got: ${channels}.`,
      );
    }
    const { weight, bias, eps, running_mean: runningMean, running_var: runningVar } = this;
    const useInputStats = this.training || !this.trackRunningStats;
    const options = {
      runningMean,
      runningVar,
      weight,
      bias,
      useInputStats,
      momentum: this.momentum ?? 0,
      eps,
    };
    if (input.ndim > this.sampleRank) return F.instanceNorm(input, options);
    return F.instanceNorm(input.unsqueeze(0), options).squeeze(0);
  }
}

/** [n, c, l], or [c, l], by sample and channel (Ulyanov et al., 2016). */
export class InstanceNorm1d extends InstanceNorm {
  protected get sampleRank(): number {
    return 2;
  }
}

/** [n, c, h, w], or [c, h, w], by sample and channel. */
export class InstanceNorm2d extends InstanceNorm {
  protected get sampleRank(): number {
    return 3;
  }
}

/** [n, c, d, h, w], or [c, d, h, w], by sample and channel. */
export class InstanceNorm3d extends InstanceNorm {
  protected get sampleRank(): number {
    return 4;
  }
}

export interface LayerNormOptions extends LayerOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Learn a weight and a bias for each element. Default true. */
  elementwiseAffine?: boolean;
  /** Without a bias, if false. Default true. */
  bias?: boolean;
}

/** The last dimensions, of shape normalizedShape, normalised together (Ba et al., 2016). */
export class LayerNorm extends Module {
  readonly normalizedShape: Shape;
  readonly eps: number;
  readonly elementwiseAffine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(
    ...args:
      | [
          normalizedShape: number | Shape,
          ...rest: Flexible<[eps: number, elementwiseAffine: boolean, bias: boolean], LayerNormOptions>,
        ]
      | ByName<{ normalizedShape: number | Shape }, [], LayerNormOptions>
  ) {
    super();
    const [normalizedShape, ...rest] = required<[number | Shape]>(new.target.name, ['normalizedShape'], args);
    const options = named<LayerNormOptions>(
      new.target.name,
      'eps elementwiseAffine bias * device dtype',
      rest,
    );
    const { eps = 1e-5, elementwiseAffine = true, bias = true, ...place } = options;
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
    this.eps = eps;
    this.elementwiseAffine = elementwiseAffine;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape, place)) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(zeros(this.normalizedShape, place)) : null;
    noteParameters(this);
  }

  resetParameters(): void {
    noGrad(() => {
      this.weight?.fill_(1);
      this.bias?.zero_();
    });
  }
  forward(input: Tensor): Tensor {
    return F.layerNorm(input, this.normalizedShape, this.weight, this.bias, this.eps);
  }
  override extraRepr(): string {
    const { normalizedShape, eps, elementwiseAffine } = this;
    return (
      `${pythonValue(normalizedShape)}, eps=${pythonFloat(eps)}, elementwise_affine=${pythonValue(elementwiseAffine)}, ` +
      `bias=${pythonValue(this.bias !== null)}`
    );
  }
}

export interface RMSNormOptions extends LayerOptions {
  /** Default: the smallest step from 1 in the input's dtype. */
  eps?: number | null;
  /** Learn a weight for each element. Default true. */
  elementwiseAffine?: boolean;
}

/** x/√(mean(x²) + eps) over the last dimensions (Zhang and Sennrich, 2019). */
export class RMSNorm extends Module {
  readonly normalizedShape: Shape;
  readonly eps: number | null;
  readonly elementwiseAffine: boolean;
  weight: Parameter | null;

  constructor(
    ...args:
      | [
          normalizedShape: number | Shape,
          ...rest: Flexible<[eps: number | null, elementwiseAffine: boolean], RMSNormOptions>,
        ]
      | ByName<{ normalizedShape: number | Shape }, [], RMSNormOptions>
  ) {
    super();
    const [normalizedShape, ...rest] = required<[number | Shape]>(new.target.name, ['normalizedShape'], args);
    const {
      eps = null,
      elementwiseAffine = true,
      ...place
    } = named<RMSNormOptions>(new.target.name, 'eps elementwiseAffine * device dtype', rest);
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
    this.eps = eps;
    this.elementwiseAffine = elementwiseAffine;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape, place)) : null;
    noteParameters(this);
  }

  resetParameters(): void {
    noGrad(() => this.weight?.fill_(1));
  }
  forward(input: Tensor): Tensor {
    return F.rmsNorm(input, this.normalizedShape, this.weight, this.eps);
  }
  override extraRepr(): string {
    const { normalizedShape, eps, elementwiseAffine } = this;
    const shown = eps === null ? 'None' : pythonFloat(eps);
    return `${pythonValue(normalizedShape)}, eps=${shown}, elementwise_affine=${pythonValue(elementwiseAffine)}`;
  }
}

export interface GroupNormOptions extends LayerOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Learn a weight and a bias for each channel. Default true. */
  affine?: boolean;
  /** With `affine`: a bias too. Default true. */
  bias?: boolean;
}

/** [n, c, …] by sample, over groups of neighbouring channels (Wu and He, 2018). */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;
  readonly affine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(
    ...args:
      | [
          numGroups: number,
          numChannels: number,
          ...rest: Flexible<[eps: number, affine: boolean], GroupNormOptions>,
        ]
      | ByName<{ numGroups: number; numChannels: number }, ['numGroups'], GroupNormOptions>
  ) {
    super();
    const [numGroups, numChannels, ...rest] = required<[number, number]>(
      new.target.name,
      ['numGroups', 'numChannels'],
      args,
    );
    const {
      eps = 1e-5,
      affine = true,
      bias = true,
      ...place
    } = named<GroupNormOptions>(new.target.name, 'eps affine * bias device dtype', rest);
    if (!(numGroups > 0) || numChannels % numGroups !== 0) {
      throw new ArgumentError(`num_channels (${numChannels}) must be divisible by num_groups (${numGroups})`);
    }
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.affine = affine;
    this.weight = affine ? new Parameter(ones([numChannels], place)) : null;
    this.bias = affine && bias ? new Parameter(zeros([numChannels], place)) : null;
    noteParameters(this);
  }

  resetParameters(): void {
    noGrad(() => {
      this.weight?.fill_(1);
      this.bias?.zero_();
    });
  }
  forward(input: Tensor): Tensor {
    return F.groupNorm(input, this.numGroups, this.weight, this.bias, this.eps);
  }
  override extraRepr(): string {
    const { numGroups, numChannels, eps, affine } = this;
    return `${numGroups}, ${numChannels}, eps=${pythonFloat(eps)}, affine=${pythonValue(affine)}, bias=${pythonValue(this.bias !== null)}`;
  }
}

/** Each element by its neighbours in the channels (Krizhevsky et al., 2012). */
export class LocalResponseNorm extends Module {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;

  constructor(
    ...args:
      | [
          size: number,
          ...rest: Flexible<[alpha: number, beta: number, k: number], F.LocalResponseNormOptions>,
        ]
      | ByName<{ size: number }, [], F.LocalResponseNormOptions>
  ) {
    super();
    const [size, ...rest] = required<[number]>(new.target.name, ['size'], args);
    const {
      alpha = 1e-4,
      beta = 0.75,
      k = 1,
    } = named<F.LocalResponseNormOptions>(new.target.name, 'alpha beta k', rest);
    this.size = size;
    this.alpha = alpha;
    this.beta = beta;
    this.k = k;
  }
  forward(input: Tensor): Tensor {
    return F.localResponseNorm(input, this.size, this.alpha, this.beta, this.k);
  }
  override extraRepr(): string {
    return `${this.size}, alpha=${pythonFloat(this.alpha)}, beta=${pythonFloat(this.beta)}, k=${pythonFloat(this.k)}`;
  }
}
