/** What normalisations by channel have in common: state, options, and how running statistics follow the batches. */
import { noGrad } from '../autograd/gradMode.ts';
import { pythonFloat, pythonNumber, pythonValue } from '../core/pythonText.ts';
import { ones, tensor, zeros } from '../creation.ts';
import { type ByName, type Flexible, named, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { batchNorm } from './functional/norm.ts';
import type { LayerOptions } from './linear.ts';
import { Module, noteParameters } from './module.ts';
import { Parameter } from './parameter.ts';

export interface BatchNormOptions extends LayerOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** How far running statistics move toward the batch's; null keeps the plain mean of all batches. Default 0.1. */
  momentum?: number | null;
  /** Learn a weight and a bias for each channel. */
  affine?: boolean;
  /** With `affine`: a bias too. Default true. */
  bias?: boolean;
  /** Keep running statistics for evaluation. */
  trackRunningStats?: boolean;
}

export type BatchNormRest = Flexible<
  [eps: number, momentum: number | null, affine: boolean, trackRunningStats: boolean],
  BatchNormOptions
>;
export const batchNormNames = 'eps momentum affine trackRunningStats * bias device dtype';

/** Weight, bias and running statistics of channels. */
export abstract class ChannelNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
  weight: Parameter | null;
  bias: Parameter | null;
  running_mean: Tensor | null = null;
  running_var: Tensor | null = null;
  num_batches_tracked: Tensor | null = null;

  constructor(
    numFeatures: number,
    options: Required<Omit<BatchNormOptions, keyof LayerOptions>> & LayerOptions,
  ) {
    super();
    const { eps, momentum, affine, bias, trackRunningStats, ...place } = options;
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.affine = affine;
    this.trackRunningStats = trackRunningStats;
    this.weight = affine ? new Parameter(ones([numFeatures], place)) : null;
    this.bias = affine && bias ? new Parameter(zeros([numFeatures], place)) : null;
    noteParameters(this);
    this.registerBuffer('running_mean', trackRunningStats ? zeros([numFeatures], place) : null);
    this.registerBuffer('running_var', trackRunningStats ? ones([numFeatures], place) : null);
    this.registerBuffer(
      'num_batches_tracked',
      trackRunningStats ? tensor(0n, { device: place.device }) : null,
    );
  }

  abstract override forward(input: Tensor): Tensor;
  /** @throws ShapeError for another number of dimensions */
  protected abstract checkInput(input: Tensor): void;

  resetRunningStats(): void {
    this.running_mean?.zero_();
    this.running_var?.fill_(1);
    this.num_batches_tracked?.zero_();
  }
  resetParameters(): void {
    this.resetRunningStats();
    noGrad(() => {
      this.weight?.fill_(1);
      this.bias?.zero_();
    });
  }

  override extraRepr(): string {
    const { numFeatures, eps, momentum, affine, trackRunningStats } = this;
    const factor = momentum === null ? 'None' : pythonNumber(momentum);
    return (
      `${numFeatures}, eps=${pythonFloat(eps)}, momentum=${factor}, affine=${pythonValue(affine)}, ` +
      `bias=${pythonValue(this.bias !== null)}, track_running_stats=${pythonValue(trackRunningStats)}`
    );
  }
}

/** Counts the batch, and says how far the running statistics follow it. */
export function countBatch({ num_batches_tracked: batches, momentum }: ChannelNorm): number | Tensor {
  batches?.add_(1);
  if (momentum !== null) return momentum;
  if (batches === null) return 0;
  return batches.array.backend.synchronous ? 1 / batches.item() : batches.float().reciprocal();
}

export abstract class BatchNorm extends ChannelNorm {
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
      affine: true,
      bias: true,
      trackRunningStats: true,
      ...given,
    });
  }

  forward(input: Tensor): Tensor {
    this.checkInput(input);
    const { training, eps, weight, bias, running_mean, running_var } = this;
    const useBatch = training || running_mean === null || running_var === null;
    const follows = training && this.trackRunningStats;
    const momentum = follows ? countBatch(this) : 0;
    const keeps = !training || this.trackRunningStats;
    return batchNorm(input, keeps ? running_mean : null, keeps ? running_var : null, {
      weight,
      bias,
      training: useBatch,
      momentum,
      eps,
    });
  }
}
