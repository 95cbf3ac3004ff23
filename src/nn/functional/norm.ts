/** Normalisation, with its arguments by position or by name. */

import { noGrad } from '../../autograd/gradMode.ts';
import type { Shape } from '../../core/shape.ts';
import * as ops from '../../ops/norm.ts';
import { taking } from '../../ops/taking.ts';
import { type Flexible, named } from '../../tensor/namedArguments.ts';
import type { Tensor } from '../../tensor.ts';

export interface BatchNormFunctionOptions {
  /** [c], multiplies. */
  weight?: Tensor | null;
  /** [c], is added. */
  bias?: Tensor | null;
  /** Use the batch's statistics, and move the running ones toward them. Default false. */
  training?: boolean;
  /** How far. Default 0.1. */
  momentum?: number | Tensor;
  /** Added to the variance. Default 1e-5. */
  eps?: number;
}

type BatchRest = Flexible<
  [
    weight: Tensor | null | undefined,
    bias: Tensor | null | undefined,
    training: boolean,
    momentum: number | Tensor,
    eps: number,
  ],
  BatchNormFunctionOptions
>;

/** running ← (1 − momentum)·running + momentum·batch. */
function follow(running: Tensor | null, batch: Tensor, momentum: number | Tensor): void {
  if (running === null) return;
  const kept = typeof momentum === 'number' ? 1 - momentum : momentum.neg().add(1);
  noGrad(() => running.copy_(running.mul(kept).add(batch.mul(momentum))));
}

/**
 * [n, c, …] normalised by channel: with the batch's statistics in training, else with the running ones [c].
 * @throws ShapeError, DTypeError, ArgumentError
 */
export const batchNorm = /* @__PURE__ */ taking(
  'batch_norm',
  'runningMean runningVar ...',
  function batchNorm(
    input: Tensor,
    runningMean: Tensor | null,
    runningVar: Tensor | null,
    ...rest: BatchRest
  ): Tensor {
    const {
      weight = null,
      bias = null,
      training = false,
      momentum = 0.1,
      eps = 1e-5,
    } = named<BatchNormFunctionOptions>('batch_norm', 'weight bias training momentum eps', rest);
    const { output, statistics } = ops.batchNorm<Tensor>(input, {
      runningMean,
      runningVar,
      weight,
      bias,
      training,
      eps,
    });
    if (statistics) {
      follow(runningMean, statistics.mean, momentum);
      follow(runningVar, statistics.variance, momentum);
    }
    return output;
  },
);

export interface InstanceNormFunctionOptions {
  runningMean?: Tensor | null;
  runningVar?: Tensor | null;
  weight?: Tensor | null;
  bias?: Tensor | null;
  /** Use the statistics of each sample, and move the running ones toward them. Default true. */
  useInputStats?: boolean;
  momentum?: number;
  eps?: number;
}

type InstanceRest = Flexible<
  [
    runningMean: Tensor | null | undefined,
    runningVar: Tensor | null | undefined,
    weight: Tensor | null | undefined,
    bias: Tensor | null | undefined,
    useInputStats: boolean,
    momentum: number,
    eps: number,
  ],
  InstanceNormFunctionOptions
>;

/** [n, c, …] normalised by sample and channel. @throws ShapeError, DTypeError */
export function instanceNorm(input: Tensor, ...rest: InstanceRest): Tensor {
  const {
    runningMean = null,
    runningVar = null,
    weight = null,
    bias = null,
    useInputStats = true,
    momentum = 0.1,
    eps = 1e-5,
  } = named<InstanceNormFunctionOptions>(
    'instance_norm',
    'runningMean runningVar weight bias useInputStats momentum eps',
    rest,
  );
  const settings = { runningMean, runningVar, weight, bias, training: useInputStats, eps };
  const { output, statistics } = ops.instanceNorm<Tensor>(input, settings);
  if (statistics) {
    follow(runningMean, statistics.mean, momentum);
    follow(runningVar, statistics.variance, momentum);
  }
  return output;
}

export interface LayerNormFunctionOptions {
  /** Of the normalized shape. */
  weight?: Tensor | null;
  bias?: Tensor | null;
  /** Default 1e-5. */
  eps?: number;
}
type LayerRest = Flexible<
  [weight: Tensor | null | undefined, bias: Tensor | null | undefined, eps: number],
  LayerNormFunctionOptions
>;

const shapeOf = (normalizedShape: number | Shape): Shape =>
  typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;

/** The last dimensions, of shape normalizedShape, normalised together. @throws ShapeError, DTypeError */
export const layerNorm = /* @__PURE__ */ taking(
  'layer_norm',
  'normalizedShape ...',
  function layerNorm(input: Tensor, normalizedShape: number | Shape, ...rest: LayerRest): Tensor {
    const {
      weight = null,
      bias = null,
      eps = 1e-5,
    } = named<LayerNormFunctionOptions>('layer_norm', 'weight bias eps', rest);
    return ops.layerNorm<Tensor>(input, shapeOf(normalizedShape), weight, bias, eps);
  },
);

/** [n, c, …] normalised by sample over numGroups groups of channels; weight and bias are [c]. @throws ShapeError, DTypeError */
export const groupNorm = /* @__PURE__ */ taking(
  'group_norm',
  'numGroups ...',
  function groupNorm(input: Tensor, numGroups: number, ...rest: LayerRest): Tensor {
    const {
      weight = null,
      bias = null,
      eps = 1e-5,
    } = named<LayerNormFunctionOptions>('group_norm', 'weight bias eps', rest);
    return ops.groupNorm<Tensor>(input, numGroups, weight, bias, eps);
  },
);

export interface RMSNormFunctionOptions {
  weight?: Tensor | null;
  /** Default: the smallest step from 1 in the input's dtype. */
  eps?: number | null;
}

/** x/√(mean(x²) + eps) over the last dimensions, of shape normalizedShape. @throws ShapeError, DTypeError */
export const rmsNorm = /* @__PURE__ */ taking(
  'rms_norm',
  'normalizedShape weight? eps?',
  (
    input: Tensor,
    normalizedShape: number | Shape,
    weight: Tensor | null = null,
    eps: number | null = null,
  ): Tensor => ops.rmsNorm<Tensor>(input, shapeOf(normalizedShape), weight, eps),
);

export interface LocalResponseNormOptions {
  /** Default 1e-4. */
  alpha?: number;
  /** Default 0.75. */
  beta?: number;
  /** Default 1. */
  k?: number;
}

/** x / (k + alpha·mean of x² over `size` neighbouring channels)^beta (Krizhevsky et al., 2012). @throws ShapeError */
export const localResponseNorm = /* @__PURE__ */ taking(
  'local_response_norm',
  'size alpha? beta? k?',
  (input: Tensor, size: number, alpha = 1e-4, beta = 0.75, k = 1): Tensor =>
    ops.localResponseNorm<Tensor>(input, size, alpha, beta, k),
);
