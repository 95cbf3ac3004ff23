/** Distributions of whole numbers: coin tosses, tosses up to the first success, and events at a rate. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError } from '../core/errors.ts';
import { pythonValue } from '../core/pythonText.ts';
import type { Shape } from '../core/shape.ts';
import { zerosLike } from '../creation.ts';
import { where } from '../functions.ts';
import { binaryCrossEntropyWithLogits } from '../ops/loss.ts';
import { xlogy } from '../ops/pairs.ts';
import { poisson, rand } from '../random.ts';
import { arange } from '../sequences.ts';
import type { Tensor } from '../tensor.ts';
import { finfo } from '../typeInfo.ts';
import {
  boolean,
  type Constraint,
  nonnegative,
  nonnegativeInteger,
  real,
  unitInterval,
} from './constraints.ts';
import { emptyAs } from './continuous.ts';
import type { ExpandOption, SampleShape } from './distribution.ts';
import { broadcastAll, Elementwise, type One, type Parameter, probsToLogOdds } from './parameters.ts';
import { type ProbsArguments, ProbsDistribution, probsGiven } from './probs.ts';

/** −y·log(sigmoid(x)) − (1 − y)·log(1 − sigmoid(x)), element by element. */
const crossEntropy = (logits: Tensor, probs: Tensor): Tensor =>
  binaryCrossEntropyWithLogits<Tensor>(logits, probs, null, null, 'none');

/** Tosses of coins: one probability for each element of the batch. */
export abstract class Tosses extends ProbsDistribution {
  constructor(...args: ProbsArguments<Parameter>) {
    const owner = new.target.name;
    const { name, value, validateArgs } = probsGiven<Parameter>(owner, args);
    const [param] = broadcastAll(owner, [name], [value]);
    super(name, param, param.shape, validateArgs);
  }
  protected toProbs(logits: Tensor): Tensor {
    return logits.sigmoid();
  }
  protected toLogits(probs: Tensor): Tensor {
    return probsToLogOdds(probs);
  }
  override get argConstraints(): { probs: Constraint; logits: Constraint } {
    return { probs: unitInterval, logits: real };
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    return this.expanded(shape, shape);
  }
}

/** 1 with probability `probs`, else 0. `logits` are the log-odds, log(probs / (1 − probs)). */
export class Bernoulli extends Tosses {
  override get support(): Constraint {
    return boolean;
  }
  override get hasEnumerateSupport(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return this.probs;
  }
  /** NaN where both values are as probable. */
  override get mode(): Tensor {
    const { probs } = this;
    return where(probs.eq(0.5), Number.NaN, probs.ge(0.5).to(probs.dtype));
  }
  override get variance(): Tensor {
    return this.probs.mul(this.probs.rsub(1));
  }
  override sample(sampleShape?: SampleShape): Tensor {
    const shape = this.extendedShape(sampleShape);
    const { probs } = this;
    // What `bernoulli` draws, on devices too whose values cannot be read.
    const { dtype, device } = probs;
    return noGrad(() => rand(shape, { dtype, device }).lt(probs).to(dtype));
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const [logits, values] = broadcastAll('Bernoulli', ['logits', 'value'], [this.logits, value]);
    return crossEntropy(logits, values).neg();
  }
  override entropy(): Tensor {
    return crossEntropy(this.logits, this.probs);
  }
  override enumerateSupport(expand?: ExpandOption): Tensor {
    const { dtype, device } = this.param;
    return this.enumerated(arange(2, { dtype, device }), expand);
  }
}

/** Failures before the first success: (1 − probs)^k·probs for k = 0, 1, … */
export class Geometric extends Tosses {
  override get support(): Constraint {
    return nonnegativeInteger;
  }
  protected override checkParameters(): void {
    super.checkParameters();
    const { probs } = this.kept;
    if (!this.validateArgs || probs === undefined || !probs.array.backend.synchronous) return;
    const bad = noGrad(() => probs.maskedSelect(probs.le(0)));
    if (bad.numel() === 0) return;
    throw new ArgumentError(
      `Expected parameter probs (Tensor of shape ${pythonValue(probs.shape)}) of distribution ${this} to be positive ` +
        `but found invalid values:\n${bad}`,
    );
  }
  override get mean(): Tensor {
    return this.probs.reciprocal().sub(1);
  }
  override get mode(): Tensor {
    return zerosLike(this.probs);
  }
  override get variance(): Tensor {
    return this.probs.reciprocal().sub(1).div(this.probs);
  }
  override sample(sampleShape?: SampleShape): Tensor {
    const shape = this.extendedShape(sampleShape);
    const { probs } = this;
    return noGrad(() => {
      const u = emptyAs(shape, probs).uniform_(finfo(probs.dtype).tiny, 1);
      return u.log().div(probs.neg().log1p()).floor();
    });
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const [values, probs] = broadcastAll('Geometric', ['value', 'probs'], [value, this.probs]);
    // 0·log(1 − 1) is to be 0.
    const failing = where(probs.eq(1).logicalAnd(values.eq(0)), 0, probs);
    return values.mul(failing.neg().log1p()).add(this.probs.log());
  }
  override entropy(): Tensor {
    return crossEntropy(this.logits, this.probs).div(this.probs);
  }
}

/** Events in a while, at `rate` of them on average: rate^k·e^(−rate) / k! for k = 0, 1, … */
export class Poisson extends Elementwise {
  declare readonly rate: Tensor;

  constructor(...args: One<'rate'>) {
    super(['rate'], args);
  }
  override get argConstraints(): { rate: Constraint } {
    return { rate: nonnegative };
  }
  override get support(): Constraint {
    return nonnegativeInteger;
  }
  override get mean(): Tensor {
    return this.rate;
  }
  override get mode(): Tensor {
    return this.rate.floor();
  }
  override get variance(): Tensor {
    return this.rate;
  }
  /** @throws DeviceError where the rates cannot be read at once: their values decide how much is drawn */
  override sample(sampleShape?: SampleShape): Tensor {
    const shape = this.extendedShape(sampleShape);
    return noGrad(() => poisson(this.rate.expand(shape)));
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const [rate, values] = broadcastAll('Poisson', ['rate', 'value'], [this.rate, value]);
    return xlogy<Tensor>(values, rate).sub(rate).sub(values.add(1).lgamma());
  }
}
