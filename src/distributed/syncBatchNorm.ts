/** Batch normalisation by the statistics of the whole batch, of which every process has a part. */
import { noGrad } from '../autograd/gradMode.ts';
import { AutogradFunction, type FunctionContext } from '../autogradFunction.ts';
import { ShapeError } from '../core/errors.ts';
import { tensor } from '../creation.ts';
import { BatchNorm, type BatchNormOptions, countBatch } from '../nn/channelNorm.ts';
import type { Module } from '../nn/module.ts';
import { BatchNorm1d, BatchNorm2d, BatchNorm3d } from '../nn/norm.ts';
import { cat, stack } from '../ops/join.ts';
import type { Tensor } from '../tensor.ts';
import { allGather, allReduce } from './collectives.ts';
import { isInitialized, processGroup } from './group.ts';

export type SyncBatchNormOptions = BatchNormOptions;

type LocalBatchNorm = BatchNorm1d | BatchNorm2d | BatchNorm3d;
const isLocal = (module: Module): module is LocalBatchNorm =>
  module instanceof BatchNorm1d || module instanceof BatchNorm2d || module instanceof BatchNorm3d;

/** All dimensions but that of the channels. */
const others = (x: Tensor): number[] => x.shape.map((_, d) => d).filter((d) => d !== 1);
/** One value per channel, as it broadcasts against x. */
const along = (x: Tensor, values: Tensor): Tensor => values.reshape(x.shape.map((n, d) => (d === 1 ? n : 1)));

interface Statistics {
  /** [c] each, the same on all processes; the variance is the biased one. */
  readonly mean: Tensor;
  readonly variance: Tensor;
  /** Values per channel, on all processes together. */
  readonly count: number;
}

/** Each part's mean and sum of squares around it, put together (Chan et al., 1983): one exchange. */
function globalStatistics(x: Tensor): Statistics {
  const dims = others(x);
  const mine = x.numel() / x.shape[1];
  // An empty part has no mean, and its weight is 0.
  const mean = x.sum(dims).div(Math.max(mine, 1));
  const squares = x.sub(along(x, mean)).square().sum(dims);
  const all = stack(allGather(cat([mean, squares, tensor([mine]).to(x.dtype)])));
  const c = x.shape[1];
  const [means, sums, counts] = [all.narrow(1, 0, c), all.narrow(1, c, c), all.narrow(1, 2 * c, 1)];
  const count = counts.sum().item();
  const total = means.mul(counts).sum(0).div(count);
  const between = means.sub(total).square().mul(counts).sum(0);
  return { mean: total, variance: sums.sum(0).add(between).div(count), count };
}

class SyncNormalize extends AutogradFunction {
  /** (x − mean)/√(variance + eps)·weight + bias, by channel. */
  static forward(
    ctx: FunctionContext,
    x: Tensor,
    weight: Tensor | null,
    bias: Tensor | null,
    { mean, variance, count }: Statistics,
    eps: number,
  ): Tensor {
    const rstd = variance.add(eps).rsqrt();
    const normal = x.sub(along(x, mean)).mul(along(x, rstd));
    ctx.saveForBackward(normal, rstd, ...(weight ? [weight] : []));
    ctx.count = count;
    const scaled = weight ? normal.mul(along(x, weight)) : normal.clone();
    return bias ? scaled.add(along(x, bias)) : scaled;
  }

  /** The sums over the batch are those of all processes: one exchange. */
  static backward(ctx: FunctionContext, grad: Tensor): (Tensor | null)[] {
    const [normal, rstd, weight] = ctx.savedTensors;
    const dims = others(grad);
    const c = grad.shape[1];
    const gradBias = grad.sum(dims);
    const gradWeight = grad.mul(normal).sum(dims);
    const sums = allReduce(cat([gradBias, gradWeight])).div(Number(ctx.count));
    const [meanGrad, meanSlope] = [sums.narrow(0, 0, c), sums.narrow(0, c, c)];
    const centred = grad.sub(along(grad, meanGrad)).sub(normal.mul(along(grad, meanSlope)));
    const scale = weight ? rstd.mul(weight) : rstd;
    const wants = ctx.needsInputGrad;
    return [
      wants[0] ? centred.mul(along(grad, scale)) : null,
      wants[1] ? gradWeight : null,
      wants[2] ? gradBias : null,
      null,
      null,
    ];
  }
}

/**
 * [n, c, …] by channel, with the mean and variance over the batches of all processes in training. State and options are
 * those of BatchNorm1d … 3d. Weight and bias get this process's part of their gradients: wrap the model in
 * DistributedDataParallel, which adds the parts up. Alone, it is a plain batch norm.
 */
export class SyncBatchNorm extends BatchNorm {
  /**
   * Replaces every BatchNorm1d, 2d and 3d in a model by one of these, which takes over its parameters and buffers (the
   * same tensors). Returns the model, or the replacement if it is itself such a layer.
   */
  static convertSyncBatchnorm(module: Module): Module {
    if (isLocal(module)) return SyncBatchNorm.#replacing(module);
    for (const [name, child] of module.namedChildren()) {
      const replacement = SyncBatchNorm.convertSyncBatchnorm(child);
      if (replacement !== child) Reflect.set(module, name, replacement);
    }
    return module;
  }

  static #replacing(local: LocalBatchNorm): SyncBatchNorm {
    const { numFeatures, eps, momentum, affine, trackRunningStats, training } = local;
    const layer = new SyncBatchNorm(numFeatures, { eps, momentum, affine, trackRunningStats });
    const { weight, bias, running_mean, running_var, num_batches_tracked } = local;
    Object.assign(layer, { weight, bias, running_mean, running_var, num_batches_tracked, training });
    return layer;
  }

  protected checkInput(input: Tensor): void {
    if (input.ndim >= 2 && input.shape[1] === this.numFeatures) return;
    throw new ShapeError(
      `SyncBatchNorm: expected input of at least 2 dimensions with ${this.numFeatures} channels, but got [${input.shape.join(', ')}]`,
    );
  }

  override forward(input: Tensor): Tensor {
    if (!this.training || !isInitialized() || processGroup('SyncBatchNorm').size === 1)
      return super.forward(input);
    this.checkInput(input);
    const { weight, bias, running_mean, running_var, eps } = this;
    const statistics = noGrad(() => globalStatistics(input));
    const { count } = statistics;
    if (count === 1)
      throw new ShapeError('SyncBatchNorm: expected more than 1 value per channel when training');
    if (this.trackRunningStats) {
      const momentum = countBatch(this) as number; // No tensor: collectives are on the CPU.
      if (count > 0) {
        follow(running_mean, statistics.mean, momentum);
        follow(running_var, statistics.variance.mul(count / (count - 1)), momentum);
      }
    }
    return SyncNormalize.apply(input, weight, bias, statistics, eps);
  }
}

/** running ← (1 − momentum)·running + momentum·batch. */
function follow(running: Tensor | null, batch: Tensor, momentum: number): void {
  if (running !== null) noGrad(() => running.copy_(running.mul(1 - momentum).add(batch.mul(momentum))));
}
