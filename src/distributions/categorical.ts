/** Distributions over categories: their numbers, unit vectors for them, and counts of several draws. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { broadcastShapes, numElements, type Shape } from '../core/shape.ts';
import { eye, full, onesLike, zeros } from '../creation.ts';
import { softmax, where } from '../functions.ts';
import { softplus } from '../ops/activation.ts';
import { tensorGiven } from '../ops/given.ts';
import { multinomial } from '../random.ts';
import { arange } from '../sequences.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { finfo } from '../typeInfo.ts';
import type { Constraint } from './constraints.ts';
import * as constraints from './constraints.ts';
import {
  Distribution,
  type ExpandOption,
  expandGiven,
  type Parameters,
  type SampleShape,
  sizesGiven,
} from './distribution.ts';
import { broadcastAll, probsToLogits, probsToLogOdds } from './parameters.ts';
import { type ProbsArguments, ProbsDistribution, type ProbsOrLogits, probsGiven } from './probs.ts';

/**
 * Category numbers 0 … n − 1 (int64), with the probabilities in the last dimension of `probs`, which need not sum to 1,
 * or of softmax(logits).
 */
export class Categorical extends ProbsDistribution {
  protected readonly numEvents: number;

  constructor(...args: ProbsArguments<Tensor>) {
    const owner = new.target.name;
    const { name, value, validateArgs } = probsGiven<Tensor>(owner, args);
    tensorGiven(value, owner, name);
    if (value.ndim < 1) {
      throw new ShapeError(
        `${owner}: \`${name}\` parameter must be at least one-dimensional, but got shape []`,
      );
    }
    const param = name === 'probs' ? value.div(value.sum(-1, true)) : value.sub(value.logsumexp(-1, true));
    super(name, param, param.shape.slice(0, -1), validateArgs);
    this.numEvents = param.shape[param.ndim - 1];
  }
  protected toProbs(logits: Tensor): Tensor {
    return softmax(logits, -1);
  }
  protected toLogits(probs: Tensor): Tensor {
    return probsToLogits(probs);
  }
  override get hasEnumerateSupport(): boolean {
    return true;
  }
  override get argConstraints(): { probs: Constraint; logits: Constraint } {
    return { probs: constraints.simplex, logits: constraints.realVector };
  }
  override get support(): Constraint {
    return constraints.integerInterval(0, this.numEvents - 1);
  }
  /** Categories have none: NaN. */
  override get mean(): Tensor {
    const { dtype, device } = this.param;
    return full(this.batchShape, Number.NaN, { dtype, device });
  }
  override get mode(): Tensor {
    return this.probs.argmax(-1);
  }
  /** Categories have none: NaN. */
  override get variance(): Tensor {
    return this.mean;
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    return this.expanded(shape, [...shape, this.numEvents]);
  }
  override sample(sampleShape?: SampleShape): Tensor {
    const shape = this.extendedShape(sampleShape);
    const count = numElements(sizesGiven(sampleShape, 'sampleShape', 'Categorical.sample'));
    return noGrad(() => {
      const rows = this.probs.reshape([-1, this.numEvents]);
      return multinomial(rows, count, true).t().reshape(shape);
    });
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const { logits } = this;
    const column = value.long().unsqueeze(-1);
    const shape = broadcastShapes(column.shape, logits.shape, 'Categorical.logProb', ['value', 'logits']);
    const index = column.expand([...shape.slice(0, -1), 1]);
    return logits.expand(shape).gather(-1, index).squeeze(-1);
  }
  override entropy(): Tensor {
    const { logits } = this;
    // −∞·0 is to be 0.
    return logits.clamp(finfo(logits.dtype).min).mul(this.probs).sum(-1).neg();
  }
  override enumerateSupport(expand?: ExpandOption): Tensor {
    return this.enumerated(arange(this.numEvents, { device: this.param.device }), expand);
  }
}

/** A distribution of vectors over the categories of another one, whose parameters it has. */
export abstract class OfCategories extends Distribution {
  /** The distribution of one category. */
  readonly categorical: Categorical;

  constructor(args: ProbsArguments<Tensor>) {
    const { name, value, validateArgs } = probsGiven<Tensor>(new.target.name, args);
    const categorical = new Categorical({ [name]: value, validateArgs });
    super(categorical.batchShape, categorical.paramShape.slice(-1), categorical.validateArgs);
    this.categorical = categorical;
  }
  override get argConstraints(): { probs: Constraint; logits: Constraint } {
    return this.categorical.argConstraints;
  }
  protected override get parameters(): Parameters {
    return {};
  }
  /** The probabilities, which sum to 1. */
  get probs(): Tensor {
    return this.categorical.probs;
  }
  /** Their logarithms. */
  get logits(): Tensor {
    return this.categorical.logits;
  }
  /** The shape of the parameter. */
  get paramShape(): Shape {
    return this.categorical.paramShape;
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    return this.withBatch(shape, { categorical: this.categorical.expand(shape) });
  }
}

/** Categories as vectors: 1 at the category that is drawn, 0 elsewhere. Parameters as those of `Categorical`. */
export class OneHotCategorical extends OfCategories {
  constructor(...args: ProbsArguments<Tensor>) {
    super(args);
  }
  override get hasEnumerateSupport(): boolean {
    return true;
  }
  override get support(): Constraint {
    return constraints.oneHot;
  }
  override get mean(): Tensor {
    return this.probs;
  }
  override get mode(): Tensor {
    return this.unitVectors(this.probs.argmax(-1));
  }
  override get variance(): Tensor {
    return this.probs.mul(this.probs.rsub(1));
  }
  protected unitVectors(categories: Tensor): Tensor {
    const { dtype, device } = this.probs;
    return arange(this.eventShape[0], { device }).eq(categories.unsqueeze(-1)).to(dtype);
  }
  override sample(sampleShape?: SampleShape): Tensor {
    return this.unitVectors(this.categorical.sample(sampleShape));
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    return this.categorical.logProb(value.argmax(-1));
  }
  override entropy(): Tensor {
    return this.categorical.entropy();
  }
  override enumerateSupport(expand?: ExpandOption): Tensor {
    const { batchShape } = this;
    const [n] = this.eventShape;
    const { dtype, device } = this.probs;
    const values = eye(n, { dtype, device }).reshape([n, ...batchShape.map(() => 1), n]);
    return expandGiven(expand) ? values.expand([n, ...batchShape, n]) : values;
  }
}

/** Samples are those of `OneHotCategorical`, and their gradients go to the probabilities (Bengio et al., 2013). */
export class OneHotCategoricalStraightThrough extends OneHotCategorical {
  override get hasRsample(): boolean {
    return true;
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    const { probs } = this;
    return this.sample(sampleShape).add(probs.sub(probs.detach()));
  }
}

/** What `Multinomial` takes by name. */
export interface MultinomialArguments extends ProbsOrLogits<Tensor> {
  /** How often is drawn. Default 1. */
  totalCount?: number;
}

/** How often each category comes in `totalCount` draws: totalCount! · Π probsᵢ^xᵢ / xᵢ! */
export class Multinomial extends OfCategories {
  readonly totalCount: number;

  constructor(
    ...args: Flexible<
      [
        totalCount: number,
        probs: Tensor | null | undefined,
        logits: Tensor | null | undefined,
        validateArgs: boolean | null,
      ],
      MultinomialArguments
    >
  ) {
    const { totalCount = 1, ...rest } = named<MultinomialArguments>(
      new.target.name,
      'totalCount probs logits validateArgs',
      args,
    );
    if (!Number.isInteger(totalCount) || totalCount < 0) {
      throw new ArgumentError(
        `Multinomial: inhomogeneous total_count is not supported: expected argument 'totalCount' to be a whole number, ` +
          `but got ${String(totalCount)}`,
      );
    }
    super([rest]);
    this.totalCount = totalCount;
  }
  override get support(): Constraint {
    return constraints.multinomial(this.totalCount);
  }
  override get mean(): Tensor {
    return this.probs.mul(this.totalCount);
  }
  override get variance(): Tensor {
    return this.probs.mul(this.totalCount).mul(this.probs.rsub(1));
  }
  override sample(sampleShape?: SampleShape): Tensor {
    const shape = this.extendedShape(sampleShape);
    const sizes = sizesGiven(sampleShape, 'sampleShape', 'Multinomial.sample');
    const draws = this.categorical.sample([this.totalCount, ...sizes]).movedim(0, -1);
    const counts = zeros(shape, { dtype: 'int64', device: draws.device });
    return counts.scatterAdd(-1, draws, onesLike(draws)).to(this.probs.dtype);
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const [logits, counts] = broadcastAll('Multinomial', ['logits', 'value'], [this.logits, value]);
    // −∞·0 is to be 0.
    const finite = where(counts.eq(0).logicalAnd(logits.eq(Number.NEGATIVE_INFINITY)), 0, logits);
    const orders = counts.sum(-1).add(1).lgamma().sub(counts.add(1).lgamma().sum(-1));
    return orders.add(finite.mul(counts).sum(-1));
  }
  override entropy(): Tensor {
    const n = this.totalCount;
    const { probs } = this;
    const { dtype, device } = probs;
    const logFactorial = (x: Tensor): Tensor => x.add(1).lgamma();
    const ofAll = logFactorial(full([], n, { dtype, device }));
    // Each category by itself is a binomial variable: the mean of the logarithms of its factorials.
    const odds = probsToLogOdds(probs);
    const k = arange(1, n + 1, { dtype, device }).reshape([n, ...probs.shape.map(() => 1)]);
    const normalizer = softplus(odds).mul(n).sub(ofAll);
    const logPmf = k
      .mul(odds)
      .sub(logFactorial(k))
      .sub(logFactorial(k.rsub(n)))
      .sub(normalizer);
    const meanLogs = logPmf.exp().mul(logFactorial(k)).sum([0, -1]);
    return this.categorical.entropy().mul(n).sub(ofAll).add(meanLogs);
  }
}
