/** Losses between numbers: elementwise, or by margins. */

import { isFloating } from '../../core/dtype.ts';
import { ArgumentError, ShapeError } from '../../core/errors.ts';
import { inOp } from '../../core/inOp.ts';
import { formatShape, numElements, sameShape } from '../../core/shape.ts';
import { arange } from '../../creation.ts';
import { minimum } from '../../ops/arithmetic.ts';
import { checkClassTarget, checkTargets } from '../../ops/crossEntropy.ts';
import { optionsGiven, tensorGiven } from '../../ops/given.ts';
import * as ops from '../../ops/loss.ts';
import { type LossReduction, reduceLoss } from '../../ops/loss.ts';
import { taking } from '../../ops/taking.ts';
import { reshape } from '../../ops/views.ts';
import { whereOp } from '../../ops/where.ts';
import { type Flexible, named } from '../../tensor/namedArguments.ts';
import { Tensor } from '../../tensor.ts';
import { atLeast, pairwiseDistance, raised } from './distance.ts';

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
  'target *',
  (input: Tensor, target: Tensor, { reduction = 'mean', weight }: WeightedLossOptions = {}): Tensor =>
    inOp('mse_loss', () => {
      const losses = (how: LossReduction) =>
        ops.mseLoss(tensorGiven(input, 'mse_loss'), tensorGiven(target, 'mse_loss', 'target'), how);
      if (!weight) return losses(reduction);
      return reduceWeighted(weighted(losses('none'), weight, input, 'mse_loss'), weight, reduction);
    }),
);

/** The mean of |input − target|, by weights if they are given: Σ w·|input − target| / Σ w. @throws ShapeError */
export const l1Loss = /* @__PURE__ */ taking(
  'l1_loss',
  'target *',
  (input: Tensor, target: Tensor, { reduction = 'mean', weight }: WeightedLossOptions = {}): Tensor =>
    inOp('l1_loss', () => {
      const losses = tensorGiven(input, 'l1_loss')
        .sub(tensorGiven(target, 'l1_loss', 'target'))
        .abs();
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
  'target *',
  function smoothL1Loss(
    input: Tensor,
    target: Tensor,
    { reduction = 'mean', beta = 1 }: SmoothL1LossOptions = {},
  ): Tensor {
    tensorGiven(input, 'smooth_l1loss');
    tensorGiven(target, 'smooth_l1loss', 'target');
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
  'target',
  function huberLoss(
    input: Tensor,
    target: Tensor,
    ...rest: Flexible<[reduction: LossReduction, delta: number], HuberLossOptions>
  ): Tensor {
    const {
      reduction = 'mean',
      delta = 1,
      weight,
    } = named<HuberLossOptions>(['reduction', 'delta'], rest, {});
    tensorGiven(input, 'huber_loss');
    tensorGiven(target, 'huber_loss', 'target');
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
  'target weight? *',
  function binaryCrossEntropy(
    input: Tensor,
    target: Tensor,
    weight?: Tensor | null | BCELossOptions,
    options: BCELossOptions = {},
  ): Tensor {
    tensorGiven(input, 'binary_cross_entropy');
    tensorGiven(target, 'binary_cross_entropy', 'target');
    return inOp('binary_cross_entropy', () => {
      if (weight != null && !(weight instanceof Tensor))
        return binaryCrossEntropy(input, target, optionsGiven(weight, 'binary_cross_entropy').weight, weight);
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
        weight ?? options.weight ?? null,
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
  'target weight? *',
  function binaryCrossEntropyWithLogits(
    input: Tensor,
    target: Tensor,
    weight?: Tensor | null | BCEWithLogitsLossOptions,
    options: BCEWithLogitsLossOptions = {},
  ): Tensor {
    tensorGiven(input, 'binary_cross_entropy_with_logits');
    tensorGiven(target, 'binary_cross_entropy_with_logits', 'target');
    return inOp('binary_cross_entropy_with_logits', () => {
      if (weight != null && !(weight instanceof Tensor))
        return binaryCrossEntropyWithLogits(
          input,
          target,
          optionsGiven(weight, 'binary_cross_entropy_with_logits').weight,
          weight,
        );
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
        weight ?? options.weight ?? null,
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
  'target *',
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
  'target',
  function poissonNllLoss(
    input: Tensor,
    target: Tensor,
    ...rest: Flexible<[logInput: boolean, full: boolean], PoissonNLLLossOptions>
  ): Tensor {
    const options = named<PoissonNLLLossOptions>(['logInput', 'full'], rest, {});
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
  'target variance|var',
  function gaussianNllLoss(
    input: Tensor,
    target: Tensor,
    variance: Tensor | number,
    ...rest: Flexible<[full: boolean, eps: number, reduction: LossReduction], GaussianNLLLossOptions>
  ): Tensor {
    const options = named<GaussianNLLLossOptions>(['full', 'eps', 'reduction'], rest, {});
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

export interface MarginOptions extends LossOptions {
  margin?: number;
}
type WithMargin = Flexible<[margin: number], MarginOptions>;

/** input where target is 1, max(0, margin − input) where it is −1. Default margin 1. */
export const hingeEmbeddingLoss = /* @__PURE__ */ taking(
  'hinge_embedding_loss',
  'target',
  function hingeEmbeddingLoss(input: Tensor, target: Tensor, ...rest: WithMargin): Tensor {
    const { margin = 1, reduction = 'mean' } = named<MarginOptions>(['margin'], rest, {});
    tensorGiven(input, 'hinge_embedding_loss');
    tensorGiven(target, 'hinge_embedding_loss', 'target');
    return inOp('hinge_embedding_loss', () => {
      const apart = whereOp<Tensor>(target.ne(1), atLeast(input.neg().add(margin), 0), 0);
      const together = whereOp<Tensor>(target.ne(-1), input, 0);
      return reduceLoss(apart.add(together), reduction);
    });
  },
);

/** max(0, −target·(input1 − input2) + margin). Default margin 0. */
export const marginRankingLoss = /* @__PURE__ */ taking(
  'margin_ranking_loss',
  'input2 target',
  function marginRankingLoss(input1: Tensor, input2: Tensor, target: Tensor, ...rest: WithMargin): Tensor {
    const { margin = 0, reduction = 'mean' } = named<MarginOptions>(['margin'], rest, {});
    tensorGiven(input1, 'margin_ranking_loss', 'input1');
    tensorGiven(input2, 'margin_ranking_loss', 'input2');
    tensorGiven(target, 'margin_ranking_loss', 'target');
    return inOp('margin_ranking_loss', () => {
      if (input1.ndim !== input2.ndim || input1.ndim !== target.ndim) {
        throw new ShapeError(
          `All input tensors should have same dimension but got sizes: input1: torch.Size(${formatShape(input1.shape)}), ` +
            `input2: torch.Size(${formatShape(input2.shape)}), target: torch.Size(${formatShape(target.shape)})`,
        );
      }
      return reduceLoss(atLeast(target.neg().mul(input1.sub(input2)).add(margin), 0), reduction);
    });
  },
);

/** 1 − cos where target is 1, max(0, cos − margin) where it is −1. Inputs [N, D] with target [N], or [D] with a 0-d one. */
export const cosineEmbeddingLoss = /* @__PURE__ */ taking(
  'cosine_embedding_loss',
  'input2 target',
  function cosineEmbeddingLoss(input1: Tensor, input2: Tensor, target: Tensor, ...rest: WithMargin): Tensor {
    const { margin = 0, reduction = 'mean' } = named<MarginOptions>(['margin'], rest, {});
    tensorGiven(input1, 'cosine_embedding_loss', 'input1');
    tensorGiven(input2, 'cosine_embedding_loss', 'input2');
    tensorGiven(target, 'cosine_embedding_loss', 'target');
    return inOp('cosine_embedding_loss', () => {
      if (target.ndim > 1 || input1.ndim !== target.ndim + 1 || input2.ndim !== input1.ndim) {
        throw new ShapeError(
          target.ndim > 1
            ? `0D or 1D target tensor expected, multi-target not supported; got shape ${formatShape(target.shape)}`
            : `${target.ndim}D target tensor expects ${target.ndim + 1}D input tensors, but found inputs with sizes ` +
                `${formatShape(input1.shape)} and ${formatShape(input2.shape)}; got target ${formatShape(target.shape)}`,
        );
      }
      const dot = input1.mul(input2).sum(-1);
      const squares = (x: Tensor): Tensor => x.mul(x).sum(-1).add(1e-12);
      const cosine = dot.div(squares(input1).mul(squares(input2)).sqrt());
      const together = whereOp<Tensor>(target.eq(1), cosine.rsub(1), 0);
      const apart = whereOp<Tensor>(target.eq(-1), atLeast(cosine.sub(margin), 0), 0);
      return reduceLoss(together.add(apart), reduction);
    });
  },
);

export interface TripletMarginLossOptions extends LossOptions {
  /** Default 1. */
  margin?: number;
  /** The exponent of the distance. Default 2. */
  p?: number;
  /** Added to differences. Default 1e-6. */
  eps?: number;
  /** Take the negative's distance to the positive if that is smaller. */
  swap?: boolean;
}

/** max(0, margin + |anchor − positive| − |anchor − negative|). */
export const tripletMarginLoss = /* @__PURE__ */ taking(
  'triplet_margin_loss',
  'positive negative',
  function tripletMarginLoss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    ...rest: Flexible<[margin: number, p: number, eps: number, swap: boolean], TripletMarginLossOptions>
  ): Tensor {
    const options = named<TripletMarginLossOptions>(['margin', 'p', 'eps', 'swap'], rest, {});
    tensorGiven(anchor, 'triplet_margin_loss', 'anchor');
    tensorGiven(positive, 'triplet_margin_loss', 'positive');
    tensorGiven(negative, 'triplet_margin_loss', 'negative');
    return inOp('triplet_margin_loss', () => {
      const { p = 2, eps = 1e-6, ...others } = options;
      const distanceFunction = (a: Tensor, b: Tensor): Tensor => pairwiseDistance(a, b, p, eps);
      return tripletMarginWithDistanceLoss(anchor, positive, negative, { ...others, distanceFunction });
    });
  },
);

export interface TripletMarginWithDistanceLossOptions extends LossOptions {
  /** Default: `pairwiseDistance`. */
  distanceFunction?: ((a: Tensor, b: Tensor) => Tensor) | null;
  margin?: number;
  swap?: boolean;
}

/** The triplet loss with a distance of one's own. */
export function tripletMarginWithDistanceLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginWithDistanceLossOptions = {},
): Tensor {
  tensorGiven(anchor, 'triplet_margin_with_distance_loss', 'anchor');
  tensorGiven(positive, 'triplet_margin_with_distance_loss', 'positive');
  tensorGiven(negative, 'triplet_margin_with_distance_loss', 'negative');
  return inOp('triplet_margin_with_distance_loss', () => {
    if (anchor.ndim !== positive.ndim || anchor.ndim !== negative.ndim) {
      throw new ShapeError(
        `All inputs should have same dimension but got anchor: ${anchor.ndim}D, positive: ${positive.ndim}D and negative: ` +
          `${negative.ndim}D inputs.`,
      );
    }
    const { margin = 1, swap = false, reduction = 'mean' } = options;
    const distance = options.distanceFunction ?? ((a: Tensor, b: Tensor) => pairwiseDistance(a, b));
    const near = distance(anchor, positive);
    const far = distance(anchor, negative);
    const used = swap ? minimum<Tensor>(far, distance(positive, negative)) : far;
    return reduceLoss(atLeast(near.sub(used).add(margin), 0), reduction);
  });
}

/** log(1 + e^(−target·input)), target ±1. */
export const softMarginLoss = /* @__PURE__ */ taking(
  'soft_margin_loss',
  'target *',
  function softMarginLoss(input: Tensor, target: Tensor, { reduction = 'mean' }: LossOptions = {}): Tensor {
    tensorGiven(input, 'soft_margin_loss');
    tensorGiven(target, 'soft_margin_loss', 'target');
    return inOp('soft_margin_loss', () => {
      const z = target.neg().mul(input);
      // log(1 + e^z) without overflow.
      return reduceLoss(z.abs().neg().exp().log1p().add(atLeast(z, 0)), reduction);
    });
  },
);

/** Binary cross-entropy with logits, averaged over the classes (last dimension). */
export const multilabelSoftMarginLoss = /* @__PURE__ */ taking(
  'multilabel_soft_margin_loss',
  'target *',
  function multilabelSoftMarginLoss(
    input: Tensor,
    target: Tensor,
    { weight = null, reduction = 'mean' }: BCELossOptions = {},
  ): Tensor {
    tensorGiven(input, 'multilabel_soft_margin_loss');
    tensorGiven(target, 'multilabel_soft_margin_loss', 'target');
    return inOp('multilabel_soft_margin_loss', () => {
      const each = binaryCrossEntropyWithLogits(input, target.to(input.dtype), { weight, reduction: 'none' });
      return reduceLoss(each.mean(-1), reduction);
    });
  },
);

export interface MultiMarginLossOptions extends LossOptions {
  /** 1 or 2. Default 1. */
  p?: number;
  /** Default 1. */
  margin?: number;
  /** A factor for each class, [C]. */
  weight?: Tensor | null;
}

/** Σ over other classes of max(0, margin − x[y] + x[c])ᵖ / C. input [N, C] or [C], target int64. @throws ArgumentError */
export const multiMarginLoss = /* @__PURE__ */ taking(
  'multi_margin_loss',
  'target',
  function multiMarginLoss(
    input: Tensor,
    target: Tensor,
    ...rest: Flexible<[p: number, margin: number, weight: Tensor | null], MultiMarginLossOptions>
  ): Tensor {
    const options = named<MultiMarginLossOptions>(['p', 'margin', 'weight'], rest, {});
    tensorGiven(input, 'multi_margin_loss');
    tensorGiven(target, 'multi_margin_loss', 'target');
    return inOp('multi_margin_loss', () => {
      const { p = 1, margin = 1, weight = null, reduction = 'mean' } = options;
      if (p !== 1 && p !== 2) throw new ArgumentError('only p == 1 and p == 2 supported');
      if (input.ndim === 0)
        throw new ShapeError('multi_margin_loss: expected input [N, C] or [C], but got shape []');
      const classes = input.shape[input.ndim - 1];
      const rows = reshape<Tensor>(input, [-1, classes]);
      const flat = reshape<Tensor>(checkClassTarget(target, 'multiMarginLoss'), [-1]);
      if (rows.shape[0] !== flat.shape[0]) {
        throw new ShapeError(
          `multiMarginLoss: inconsistent target size, expected ${rows.shape[0]} for input of shape ` +
            `${formatShape(input.shape)}, but got ${formatShape(target.shape)}`,
        );
      }
      checkTargets(flat, classes, null);
      const own = flat.unsqueeze(1).eq(arange(0, classes, { dtype: 'int64', device: input.device }));
      const ownScore = whereOp<Tensor>(own, rows, 0).sum(1, true);
      const excess = atLeast(rows.sub(ownScore).add(margin), 0);
      const powered = p === 2 ? excess.square() : excess;
      const weighted = weight ? powered.mul(weight.index(flat).unsqueeze(1)) : powered;
      const losses = whereOp<Tensor>(own, 0, weighted).sum(1).div(classes);
      return reduceLoss(
        numElements(target.shape) === 1 && target.ndim === 0 ? losses.squeeze(0) : losses,
        reduction,
      );
    });
  },
);
