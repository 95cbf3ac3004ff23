/** Losses that are zero beyond a margin. */
import { ArgumentError, ShapeError } from '../../core/errors.ts';
import { inOp } from '../../core/inOp.ts';
import { formatShape, sameShape } from '../../core/shape.ts';
import { logsigmoid } from '../../ops/activation.ts';
import { minimum, rsub } from '../../ops/arithmetic.ts';
import { checkClassTarget, checkRows, checkTargets } from '../../ops/crossEntropy.ts';
import { tensorGiven } from '../../ops/given.ts';
import { reduceLoss } from '../../ops/loss.ts';
import { taking } from '../../ops/taking.ts';
import { reshape } from '../../ops/views.ts';
import { whereOp } from '../../ops/where.ts';
import { arange } from '../../sequences.ts';
import { type Flexible, named } from '../../tensor/namedArguments.ts';
import type { Tensor } from '../../tensor.ts';
import { atLeast, pairwiseDistance } from './distance.ts';
import { type BCELossOptions, binaryCrossEntropyWithLogits, type LossOptions } from './loss.ts';

export interface MarginOptions extends LossOptions {
  margin?: number;
}
type WithMargin = Flexible<[margin: number], MarginOptions>;

/** input where target is 1, max(0, margin − input) where it is −1. Default margin 1. */
export const hingeEmbeddingLoss = /* @__PURE__ */ taking(
  'hinge_embedding_loss',
  'target ...',
  function hingeEmbeddingLoss(input: Tensor, target: Tensor, ...rest: WithMargin): Tensor {
    const { margin = 1, reduction = 'mean' } = named<MarginOptions>(
      'hinge_embedding_loss',
      'margin * reduction',
      rest,
    );
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
  'input2 target ...',
  function marginRankingLoss(input1: Tensor, input2: Tensor, target: Tensor, ...rest: WithMargin): Tensor {
    const { margin = 0, reduction = 'mean' } = named<MarginOptions>(
      'margin_ranking_loss',
      'margin * reduction',
      rest,
    );
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
  'input2 target ...',
  function cosineEmbeddingLoss(input1: Tensor, input2: Tensor, target: Tensor, ...rest: WithMargin): Tensor {
    const { margin = 0, reduction = 'mean' } = named<MarginOptions>(
      'cosine_embedding_loss',
      'margin * reduction',
      rest,
    );
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
  'positive negative ...',
  function tripletMarginLoss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    ...rest: Flexible<[margin: number, p: number, eps: number, swap: boolean], TripletMarginLossOptions>
  ): Tensor {
    const options = named<TripletMarginLossOptions>(
      'triplet_margin_loss',
      'margin p eps swap * reduction',
      rest,
    );
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
export const tripletMarginWithDistanceLoss = /* @__PURE__ */ taking(
  'triplet_margin_with_distance_loss',
  'positive negative * distanceFunction margin swap reduction',
  withDistance,
);

function withDistance(
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
  'target * reduction',
  function softMarginLoss(input: Tensor, target: Tensor, { reduction = 'mean' }: LossOptions = {}): Tensor {
    tensorGiven(input, 'soft_margin_loss');
    tensorGiven(target, 'soft_margin_loss', 'target');
    return inOp('soft_margin_loss', () => {
      const z = target.neg().mul(input);
      if (!sameShape(z.shape, input.shape)) {
        throw new ShapeError(
          `soft_margin_loss: output with shape ${formatShape(input.shape)} doesn't match the broadcast shape ${formatShape(z.shape)} ` +
            "for argument 'target'",
        );
      }
      return reduceLoss(rsub<Tensor>(logsigmoid(z.neg()), 0), reduction);
    });
  },
);

/** Binary cross-entropy with logits, averaged over the classes (last dimension). */
export const multilabelSoftMarginLoss = /* @__PURE__ */ taking(
  'multilabel_soft_margin_loss',
  'target * weight reduction',
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

/**
 * Σ over other classes c of max(0, margin − x[y] + x[c])ᵖ / C, y being the right one: input [N, C] or [C], floating; target
 * [N] or [], whole numbers. Gives a number, or the shape of target without reduction.
 * @throws ArgumentError, ShapeError, DTypeError, IndexError
 */
export const multiMarginLoss = /* @__PURE__ */ taking(
  'multi_margin_loss',
  'target ...',
  function multiMarginLoss(
    input: Tensor,
    target: Tensor,
    ...rest: Flexible<[p: number, margin: number, weight: Tensor | null], MultiMarginLossOptions>
  ): Tensor {
    const options = named<MultiMarginLossOptions>('multi_margin_loss', 'p margin weight * reduction', rest);
    tensorGiven(input, 'multi_margin_loss');
    tensorGiven(target, 'multi_margin_loss', 'target');
    return inOp('multi_margin_loss', () => {
      const { p = 1, margin = 1, weight = null, reduction = 'mean' } = options;
      if (p !== 1 && p !== 2) throw new ArgumentError('only p == 1 and p == 2 supported');
      const classes = checkRows(input, 'multi_margin_loss');
      const rows = reshape<Tensor>(input, [-1, classes]);
      const flat = reshape<Tensor>(checkClassTarget(target, 'multi_margin_loss'), [-1]);
      if (rows.shape[0] !== flat.shape[0]) {
        throw new ShapeError(
          `multi_margin_loss: inconsistent target size, expected ${rows.shape[0]} for input of shape ` +
            `${formatShape(input.shape)}, but got ${formatShape(target.shape)}`,
        );
      }
      if (weight && !sameShape(weight.shape, [classes]))
        throw new ShapeError(
          `multi_margin_loss: inconsistent weight size, expected [${classes}] but got ${formatShape(weight.shape)}`,
        );
      checkTargets(flat, classes, null);
      const own = flat.unsqueeze(1).eq(arange(0, classes, { dtype: 'int64', device: input.device }));
      const ownScore = whereOp<Tensor>(own, rows, 0).sum(1, true);
      // Nothing passes at the margin itself, unlike in the other losses.
      const excess = rsub<Tensor>(ownScore, margin).add(rows).relu();
      const powered = p === 2 ? excess.square() : excess;
      const weighted = weight ? powered.mul(weight.index(flat).unsqueeze(1)) : powered;
      const losses = whereOp<Tensor>(own, 0, weighted).sum(1).div(classes);
      return reduceLoss(target.ndim === 0 ? losses.squeeze(0) : losses, reduction);
    });
  },
);
