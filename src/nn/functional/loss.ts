/** Losses between numbers and of densities, elementwise. */

import { isFloating } from '../../core/dtype.ts';
import { ArgumentError, ShapeError } from '../../core/errors.ts';
import { inOp } from '../../core/inOp.ts';
import { formatShape, sameShape } from '../../core/shape.ts';
import { warnOnce } from '../../core/warnings.ts';
import { tensorGiven } from '../../ops/given.ts';
import * as ops from '../../ops/loss.ts';
import { type LossReduction, reduceLoss } from '../../ops/loss.ts';
import { taking } from '../../ops/taking.ts';
import { whereOp } from '../../ops/where.ts';
import { type Flexible, named } from '../../tensor/namedArguments.ts';
import type { Tensor } from '../../tensor.ts';
import { raised } from './distance.ts';

/**
 * The target, which is broadcast against the input if it must be: [n] and [n, 1] make [n, n], and a loss that nobody meant.
 * @throws ArgumentError unless both are tensors
 */
function targetGiven(input: Tensor, target: Tensor, op: string): Tensor {
  tensorGiven(input, op);
  if (!sameShape(tensorGiven(target, op, 'target').shape, input.shape))
    warnOnce(
      op,
      `the target's size ${formatShape(target.shape)} is different from the input's size ${formatShape(input.shape)}. This will ` +
        'likely lead to incorrect results due to broadcasting. Please ensure they have the same size.',
    );
  return target;
}

/** A batch of whole numbers is collated to integers, one with fractions to floats: losses take either. */
const asNumbers = (target: Tensor, { dtype }: Tensor): Tensor =>
  isFloating(target.dtype) || !isFloating(dtype) ? target : target.to(dtype);

export interface LossOptions {
  /** Default 'mean'. */
  reduction?: LossReduction;
}

export interface WeightedLossOptions extends LossOptions {
  /** A factor for each element, of the input's shape. */
  weight?: Tensor | null;
}

/** @throws ShapeError unless there is a weight for each element */
function weighted(losses: Tensor, weight: Tensor, input: Tensor, op: string): Tensor {
  if (sameShape(tensorGiven(weight, op, 'weight').shape, input.shape)) return losses.mul(weight);
  throw new ShapeError(
    `Weights and input must have the same size, but got ${formatShape(weight.shape)} and ${formatShape(input.shape)}`,
  );
}

/** The mean by weights, where there are some. */
const reduceWeighted = (losses: Tensor, weight: Tensor, reduction: LossReduction): Tensor =>
  reduction === 'mean' ? losses.sum().div(weight.sum()) : reduceLoss(losses, reduction);

/** The mean of (input − target)², by weights if they are given: Σ w·(input − target)² / Σ w. @throws ShapeError */
export const mseLoss = /* @__PURE__ */ taking(
  'mse_loss',
  'target * reduction weight',
  (input: Tensor, target: Tensor, { reduction = 'mean', weight }: WeightedLossOptions = {}): Tensor =>
    inOp('mse_loss', () => {
      const losses = (how: LossReduction) => ops.mseLoss(input, targetGiven(input, target, 'mse_loss'), how);
      if (!weight) return losses(reduction);
      return reduceWeighted(weighted(losses('none'), weight, input, 'mse_loss'), weight, reduction);
    }),
);

/** The mean of |input − target|, by weights if they are given: Σ w·|input − target| / Σ w. @throws ShapeError */
export const l1Loss = /* @__PURE__ */ taking(
  'l1_loss',
  'target * reduction weight',
  (input: Tensor, target: Tensor, { reduction = 'mean', weight }: WeightedLossOptions = {}): Tensor =>
    inOp('l1_loss', () => {
      const given = targetGiven(input, target, 'l1_loss');
      const losses = input.sub(given).abs();
      if (!weight) return reduceLoss(losses, reduction);
      return reduceWeighted(weighted(losses, weight, input, 'l1_loss'), weight, reduction);
    }),
);

export interface SmoothL1LossOptions extends LossOptions {
  /** Where the parabola ends. Default 1; 0 gives `l1Loss`. */
  beta?: number;
}

/** The mean of d²/(2β) where |d| < β, and of |d| − β/2 elsewhere. @throws ArgumentError for a negative beta */
export const smoothL1Loss = /* @__PURE__ */ taking(
  'smooth_l1_loss',
  'target * reduction beta',
  function smoothL1Loss(
    input: Tensor,
    target: Tensor,
    { reduction = 'mean', beta = 1 }: SmoothL1LossOptions = {},
  ): Tensor {
    targetGiven(input, target, 'smooth_l1_loss');
    return inOp('smooth_l1_loss', () => {
      if (!(beta >= 0)) throw new ArgumentError('smooth_l1_loss does not support negative values for beta.');
      return beta === 0
        ? l1Loss(input, target, { reduction })
        : ops.smoothL1Loss(input, asNumbers(target, input), reduction, beta);
    });
  },
);

export interface HuberLossOptions extends WeightedLossOptions {
  /** Where the parabola ends. Default 1. */
  delta?: number;
}

/**
 * The mean of d²/2 where |d| ≤ δ, and of δ(|d| − δ/2) elsewhere, each times its weight if weights are given.
 * @throws ArgumentError unless delta > 0; ShapeError
 */
export const huberLoss = /* @__PURE__ */ taking(
  'huber_loss',
  'target ...',
  function huberLoss(
    input: Tensor,
    target: Tensor,
    ...rest: Flexible<[reduction: LossReduction, delta: number], HuberLossOptions>
  ): Tensor {
    const {
      reduction = 'mean',
      delta = 1,
      weight,
    } = named<HuberLossOptions>('huber_loss', 'reduction delta * weight', rest);
    targetGiven(input, target, 'huber_loss');
    return inOp('huber_loss', () => {
      if (!(delta > 0)) throw new ArgumentError('huber_loss does not support non-positive values for delta.');
      const losses = (how: LossReduction) => ops.huberLoss(input, asNumbers(target, input), how, delta);
      return weight
        ? reduceLoss(weighted(losses('none'), weight, input, 'huber_loss'), reduction)
        : losses(reduction);
    });
  },
);

export interface BCELossOptions extends LossOptions {
  /** A factor for each element, broadcast. */
  weight?: Tensor | null;
}

/** Binary cross-entropy of probabilities; logarithms are at least −100. @throws ShapeError; ArgumentError outside [0, 1] */
export const binaryCrossEntropy = /* @__PURE__ */ taking(
  'binary_cross_entropy',
  'target weight? * reduction',
  function binaryCrossEntropy(
    input: Tensor,
    target: Tensor,
    weight?: Tensor | null | BCELossOptions,
    options: BCELossOptions = {},
  ): Tensor {
    tensorGiven(input, 'binary_cross_entropy');
    tensorGiven(target, 'binary_cross_entropy', 'target');
    return inOp('binary_cross_entropy', () => {
      if (formatShape(input.shape) !== formatShape(target.shape)) {
        throw new ShapeError(
          `Using a target size (torch.Size(${formatShape(target.shape)})) that is different to the input size ` +
            `(torch.Size(${formatShape(input.shape)})) is deprecated. Please ensure they have the same size.`,
        );
      }
      const values = input.detach();
      input.array.backend.require(
        values.ge(0).logicalAnd(values.le(1)).array,
        () => new ArgumentError('binary_cross_entropy: all elements of input should be between 0 and 1'),
      );
      return ops.binaryCrossEntropy<Tensor>(
        input,
        asNumbers(target, input),
        weight == null ? null : tensorGiven(weight as Tensor, 'binary_cross_entropy', 'weight'),
        options.reduction ?? 'mean',
      );
    });
  },
);

export interface BCEWithLogitsLossOptions extends BCELossOptions {
  /** A factor for positive targets, broadcast. */
  posWeight?: Tensor | null;
}

/** Binary cross-entropy of sigmoid(input), exact for large logits. @throws ShapeError */
export const binaryCrossEntropyWithLogits = /* @__PURE__ */ taking(
  'binary_cross_entropy_with_logits',
  'target weight? * posWeight reduction',
  function binaryCrossEntropyWithLogits(
    input: Tensor,
    target: Tensor,
    weight?: Tensor | null | BCEWithLogitsLossOptions,
    options: BCEWithLogitsLossOptions = {},
  ): Tensor {
    tensorGiven(input, 'binary_cross_entropy_with_logits');
    tensorGiven(target, 'binary_cross_entropy_with_logits', 'target');
    return inOp('binary_cross_entropy_with_logits', () => {
      if (formatShape(input.shape) !== formatShape(target.shape)) {
        throw new ShapeError(
          `Target size (torch.Size(${formatShape(target.shape)})) must be the same as input size ` +
            `(torch.Size(${formatShape(input.shape)}))`,
        );
      }
      const { posWeight = null, reduction = 'mean' } = options;
      return ops.binaryCrossEntropyWithLogits<Tensor>(
        input,
        asNumbers(target, input),
        weight == null ? null : tensorGiven(weight as Tensor, 'binary_cross_entropy_with_logits', 'weight'),
        posWeight,
        reduction,
      );
    });
  },
);

export interface KLDivLossOptions {
  /** 'batchmean' divides the sum by the first size: the mathematical divergence. Default 'mean', of all elements. */
  reduction?: LossReduction | 'batchmean';
  /** The target is given as logarithms. */
  logTarget?: boolean;
}

/** Kullback-Leibler divergence y·(log y − x), x being log-probabilities. */
export const klDiv = /* @__PURE__ */ taking(
  'kl_div',
  'target * reduction logTarget',
  function klDiv(
    input: Tensor,
    target: Tensor,
    { reduction = 'mean', logTarget = false }: KLDivLossOptions = {},
  ): Tensor {
    tensorGiven(input, 'kl_div');
    tensorGiven(target, 'kl_div', 'target');
    return inOp('kl_div', () => {
      const losses = ops.klDivergences<Tensor>(input, target, logTarget);
      if (reduction !== 'batchmean') return reduceLoss(losses, reduction);
      return input.ndim === 0 ? losses.sum() : losses.sum().div(input.shape[0]);
    });
  },
);

export interface PoissonNLLLossOptions extends LossOptions {
  /** The input is the logarithm of the rate. Default true. */
  logInput?: boolean;
  /** Add Stirling's approximation of log(target!). */
  full?: boolean;
  /** Added to the rate before its logarithm. Default 1e-8. */
  eps?: number;
}

/** −log of the Poisson probability of target: e^x − y·x, or x − y·log(x + eps). */
export const poissonNllLoss = /* @__PURE__ */ taking(
  'poisson_nll_loss',
  'target ...',
  function poissonNllLoss(
    input: Tensor,
    target: Tensor,
    ...rest: Flexible<[logInput: boolean, full: boolean], PoissonNLLLossOptions>
  ): Tensor {
    const options = named<PoissonNLLLossOptions>('poisson_nll_loss', 'logInput full * eps reduction', rest);
    tensorGiven(input, 'poisson_nll_loss');
    tensorGiven(target, 'poisson_nll_loss', 'target');
    return inOp('poisson_nll_loss', () => {
      const { logInput = true, full = false, eps = 1e-8, reduction = 'mean' } = options;
      const losses = logInput
        ? input.exp().sub(target.mul(input))
        : input.sub(target.mul(input.add(eps).log()));
      if (!full) return reduceLoss(losses, reduction);
      const stirling = target
        .mul(target.log())
        .sub(target)
        .add(
          target
            .mul(2 * Math.PI)
            .log()
            .mul(0.5),
        );
      return reduceLoss(losses.add(whereOp<Tensor>(target.gt(1), stirling, 0)), reduction);
    });
  },
);

export interface GaussianNLLLossOptions extends LossOptions {
  /** Add log(2π)/2. */
  full?: boolean;
  /** Variances are at least this. Default 1e-6. */
  eps?: number;
}

/** −log of the normal density: (log var + (input − target)²/var)/2. @throws ArgumentError for negative variances */
export const gaussianNllLoss = /* @__PURE__ */ taking(
  'gaussian_nll_loss',
  'target variance|var ...',
  function gaussianNllLoss(
    input: Tensor,
    target: Tensor,
    variance: Tensor | number,
    ...rest: Flexible<[full: boolean, eps: number, reduction: LossReduction], GaussianNLLLossOptions>
  ): Tensor {
    const options = named<GaussianNLLLossOptions>('gaussian_nll_loss', 'full eps reduction', rest);
    tensorGiven(input, 'gaussian_nll_loss');
    tensorGiven(target, 'gaussian_nll_loss', 'target');
    return inOp('gaussian_nll_loss', () => {
      const { full = false, eps = 1e-6, reduction = 'mean' } = options;
      const given =
        typeof variance === 'number'
          ? input.detach().mul(0).add(variance)
          : tensorGiven(variance, 'gaussian_nll_loss', 'variance');
      const ownSize = formatShape(given.shape) === formatShape(input.shape);
      const missesLast = formatShape(given.shape) === formatShape(input.shape.slice(0, -1));
      if (!ownSize && !missesLast && given.ndim !== input.ndim)
        throw new ShapeError(
          `var is of incorrect size: expected the shape of input ${formatShape(input.shape)}, or that with a last size of 1 or ` +
            `without it, but got ${formatShape(given.shape)}`,
        );
      const wide = !ownSize && missesLast ? given.unsqueeze(-1) : given;
      wide.array.backend.require(
        wide.detach().lt(0).logicalNot().array,
        () => new ArgumentError('var has negative entry/entries'),
      );
      const bounded = raised(wide, eps);
      const losses = bounded.log().add(input.sub(target).square().div(bounded)).mul(0.5);
      return reduceLoss(full ? losses.add(0.5 * Math.log(2 * Math.PI)) : losses, reduction);
    });
  },
);
