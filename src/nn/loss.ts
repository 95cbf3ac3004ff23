/** Losses as modules: `nn.functional`'s functions with their options kept. */
import { ArgumentError } from '../core/errors.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import {
  type CrossEntropyLossOptions,
  crossEntropy,
  type NLLLossOptions,
  nllLoss,
} from './functional/crossEntropy.ts';
import type { LossOptions } from './functional/loss.ts';
import * as F from './functional/loss.ts';
import type { MarginOptions } from './functional/marginLoss.ts';
import * as margins from './functional/marginLoss.ts';
import { multilabelMarginLoss } from './functional/multilabel.ts';
import { Module } from './module.ts';

/** A loss whose only state is its options. */
abstract class Loss<O extends object> extends Module {
  options: Readonly<O>;

  constructor(options: O) {
    super();
    this.options = options;
    this.reduction = this.reduction;
  }

  /** 'mean', 'sum' or 'none'. @throws ArgumentError for another */
  get reduction(): string {
    return (this.options as { reduction?: string }).reduction ?? 'mean';
  }
  set reduction(reduction: string) {
    if (!['none', 'mean', 'sum', 'batchmean'].includes(reduction)) {
      throw new ArgumentError(
        `${this.constructor.name}: ${String(reduction)} is not a valid value for reduction`,
      );
    }
    this.options = { ...this.options, reduction };
  }

  abstract override forward(...inputs: Tensor[]): Tensor;
}

/** A loss with tensors among its options, which are buffers and move with the module. */
abstract class WeightedLoss<O extends object> extends Loss<O> {
  weight: Tensor | null = null;

  constructor(options: O, weight: Tensor | null | undefined) {
    super(options);
    this.registerBuffer('weight', weight ?? null);
  }
}

/** The mean of (input − target)². */
export class MSELoss extends Loss<LossOptions> {
  constructor(options?: LossOptions) {
    super(named<LossOptions>(new.target.name, '* reduction', [options]));
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.mseLoss(input, target, this.options);
  }
}

/** The mean of |input − target|. */
export class L1Loss extends Loss<LossOptions> {
  constructor(options?: LossOptions) {
    super(named<LossOptions>(new.target.name, '* reduction', [options]));
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.l1Loss(input, target, this.options);
  }
}

/** Quadratic near 0, linear beyond `beta`. */
export class SmoothL1Loss extends Loss<F.SmoothL1LossOptions> {
  constructor(options?: F.SmoothL1LossOptions) {
    super(named<F.SmoothL1LossOptions>(new.target.name, '* beta reduction', [options]));
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.smoothL1Loss(input, target, this.options);
  }
}

/** Quadratic up to `delta`, linear beyond. */
export class HuberLoss extends Loss<F.HuberLossOptions> {
  constructor(
    ...args: Flexible<
      [reduction: NonNullable<F.HuberLossOptions['reduction']>, delta: number],
      F.HuberLossOptions
    >
  ) {
    const options = named<F.HuberLossOptions>(new.target.name, 'reduction delta * weight', args);
    super(options);
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.huberLoss(input, target, this.options);
  }
}

/** Cross-entropy of logits [N, C, d…] against class numbers [N, d…] or probabilities [N, C, d…]. */
export class CrossEntropyLoss extends WeightedLoss<CrossEntropyLossOptions> {
  constructor(...args: Flexible<[weight: Tensor | null | undefined], CrossEntropyLossOptions>) {
    const options = named<CrossEntropyLossOptions>(
      new.target.name,
      'weight * labelSmoothing ignoreIndex reduction',
      args,
    );
    super(options, options.weight);
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return crossEntropy(input, target, { ...this.options, weight: this.weight });
  }
}

/** The mean of −input[target] for log-probabilities [N, C, d…]. */
export class NLLLoss extends WeightedLoss<NLLLossOptions> {
  constructor(...args: Flexible<[weight: Tensor | null | undefined], NLLLossOptions>) {
    const options = named<NLLLossOptions>(new.target.name, 'weight * ignoreIndex reduction', args);
    super(options, options.weight);
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return nllLoss(input, target, { ...this.options, weight: this.weight });
  }
}

/** Binary cross-entropy of probabilities. */
export class BCELoss extends WeightedLoss<F.BCELossOptions> {
  constructor(...args: Flexible<[weight: Tensor | null | undefined], F.BCELossOptions>) {
    const options = named<F.BCELossOptions>(new.target.name, 'weight * reduction', args);
    super(options, options.weight);
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropy(input, target, { ...this.options, weight: this.weight });
  }
}

/** Binary cross-entropy of logits. */
export class BCEWithLogitsLoss extends WeightedLoss<F.BCEWithLogitsLossOptions> {
  pos_weight: Tensor | null = null;

  constructor(...args: Flexible<[weight: Tensor | null | undefined], F.BCEWithLogitsLossOptions>) {
    const options = named<F.BCEWithLogitsLossOptions>(new.target.name, 'weight * posWeight reduction', args);
    super(options, options.weight);
    this.registerBuffer('pos_weight', options.posWeight ?? null);
  }
  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, pos_weight: posWeight } = this;
    return F.binaryCrossEntropyWithLogits(input, target, { ...this.options, weight, posWeight });
  }
}

/** Kullback-Leibler divergence of log-probabilities from a target distribution. */
export class KLDivLoss extends Loss<F.KLDivLossOptions> {
  constructor(options?: F.KLDivLossOptions) {
    super(named<F.KLDivLossOptions>(new.target.name, '* reduction logTarget', [options]));
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.klDiv(input, target, this.options);
  }
}

/** −log of Poisson probabilities. */
export class PoissonNLLLoss extends Loss<F.PoissonNLLLossOptions> {
  constructor(...args: Flexible<[logInput: boolean, full: boolean], F.PoissonNLLLossOptions>) {
    const options = named<F.PoissonNLLLossOptions>(new.target.name, 'logInput full * eps reduction', args);
    super(options);
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return F.poissonNllLoss(input, target, this.options);
  }
}

/** −log of normal densities, with variances. */
export class GaussianNLLLoss extends Loss<F.GaussianNLLLossOptions> {
  constructor(options?: F.GaussianNLLLossOptions) {
    super(named<F.GaussianNLLLossOptions>(new.target.name, '* full eps reduction', [options]));
  }
  forward(input: Tensor, target: Tensor, variance: Tensor): Tensor {
    return F.gaussianNllLoss(input, target, variance, this.options);
  }
}

/** Distances of pairs that should be close (target 1) or further apart than the margin (−1). */
export class HingeEmbeddingLoss extends Loss<MarginOptions> {
  constructor(...args: Flexible<[margin: number], MarginOptions>) {
    const options = named<MarginOptions>(new.target.name, 'margin * reduction', args);
    super(options);
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return margins.hingeEmbeddingLoss(input, target, this.options);
  }
}

/** The first input should be larger (target 1) or smaller (−1) than the second. */
export class MarginRankingLoss extends Loss<MarginOptions> {
  constructor(...args: Flexible<[margin: number], MarginOptions>) {
    const options = named<MarginOptions>(new.target.name, 'margin * reduction', args);
    super(options);
  }
  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return margins.marginRankingLoss(input1, input2, target, this.options);
  }
}

/** Pairs should point the same way (target 1) or not (−1). */
export class CosineEmbeddingLoss extends Loss<MarginOptions> {
  constructor(...args: Flexible<[margin: number], MarginOptions>) {
    const options = named<MarginOptions>(new.target.name, 'margin * reduction', args);
    super(options);
  }
  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return margins.cosineEmbeddingLoss(input1, input2, target, this.options);
  }
}

/** The anchor should be closer to the positive than to the negative, by a margin. */
export class TripletMarginLoss extends Loss<margins.TripletMarginLossOptions> {
  constructor(
    ...args: Flexible<
      [margin: number, p: number, eps: number, swap: boolean],
      margins.TripletMarginLossOptions
    >
  ) {
    const options = named<margins.TripletMarginLossOptions>(
      new.target.name,
      'margin p eps swap * reduction',
      args,
    );
    super(options);
  }
  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return margins.tripletMarginLoss(anchor, positive, negative, this.options);
  }
}

/** The triplet loss with a distance of one's own. */
export class TripletMarginWithDistanceLoss extends Loss<margins.TripletMarginWithDistanceLossOptions> {
  constructor(options?: margins.TripletMarginWithDistanceLossOptions) {
    super(
      named<margins.TripletMarginWithDistanceLossOptions>(
        new.target.name,
        '* distanceFunction margin swap reduction',
        [options],
      ),
    );
  }
  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return margins.tripletMarginWithDistanceLoss(anchor, positive, negative, this.options);
  }
}

/** log(1 + e^(−target·input)). */
export class SoftMarginLoss extends Loss<LossOptions> {
  constructor(options?: LossOptions) {
    super(named<LossOptions>(new.target.name, '* reduction', [options]));
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return margins.softMarginLoss(input, target, this.options);
  }
}

/** Several labels per row: binary cross-entropy averaged over the classes. */
export class MultiLabelSoftMarginLoss extends WeightedLoss<F.BCELossOptions> {
  constructor(...args: Flexible<[weight: Tensor | null | undefined], F.BCELossOptions>) {
    const options = named<F.BCELossOptions>(new.target.name, 'weight * reduction', args);
    super(options, options.weight);
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return margins.multilabelSoftMarginLoss(input, target, { ...this.options, weight: this.weight });
  }
}

/** The margins between the classes that are right and all others: input and target [n, classes] or [classes]. */
export class MultiLabelMarginLoss extends Loss<LossOptions> {
  constructor(options?: LossOptions) {
    super(named<LossOptions>(new.target.name, '* reduction', [options]));
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return multilabelMarginLoss(input, target, this.options);
  }
}

/** Hinge losses of all other classes. */
export class MultiMarginLoss extends WeightedLoss<margins.MultiMarginLossOptions> {
  constructor(
    ...args: Flexible<
      [p: number, margin: number, weight: Tensor | null | undefined],
      margins.MultiMarginLossOptions
    >
  ) {
    const options = named<margins.MultiMarginLossOptions>(
      new.target.name,
      'p margin weight * reduction',
      args,
    );
    super(options, options.weight);
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return margins.multiMarginLoss(input, target, { ...this.options, weight: this.weight });
  }
}
