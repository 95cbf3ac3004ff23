/** Distributions of shares: what tosses and categories relax into, so that gradients pass, and softmax of a normal variable. */
import { ArgumentError } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import { full, tensor } from '../creation.ts';
import { rand } from '../random.ts';
import { type Flexible, named, required } from '../tensor/namedArguments.ts';
import { Tensor } from '../tensor.ts';
import { OfCategories } from './categorical.ts';
import type { Independent } from './composed.ts';
import { type Constraint, positive, real, realVector, simplex, unitInterval } from './constraints.ts';
import { Tosses } from './counts.ts';
import type { DistributionOptions, Parameters, SampleShape } from './distribution.ts';
import { Normal } from './normal.ts';
import { broadcastAll, clampProbs, type Parameter, type Two, validationOf } from './parameters.ts';
import type { ProbsOrLogits } from './probs.ts';
import { TransformedDistribution } from './transformed.ts';
import { ExpTransform, SigmoidTransform, StickBreakingTransform } from './transforms.ts';

/** What relaxed distributions take by name. */
export interface RelaxedOptions<P> extends ProbsOrLogits<P> {
  /** Above 0: the colder, the nearer to the corners samples are. */
  temperature?: Parameter;
}

type RelaxedArguments<P> = Flexible<
  [
    temperature: Parameter,
    probs: P | null | undefined,
    logits: P | null | undefined,
    validateArgs: boolean | null,
  ],
  RelaxedOptions<P>
>;

function relaxedGiven<P>(owner: string, args: RelaxedArguments<P>) {
  const { temperature, ...rest } = named<RelaxedOptions<P>>(
    owner,
    'temperature probs logits validateArgs',
    args,
  );
  if (!(temperature instanceof Tensor || typeof temperature === 'number'))
    throw new ArgumentError(
      `${owner}: argument 'temperature' must be a Tensor or a number, but got ${temperature === undefined ? 'nothing' : String(temperature)}`,
    );
  return { temperature, rest };
}

/** The temperature as a tensor of the parameter's dtype and device. */
const temperatureAs = (temperature: Parameter, { dtype, device }: Tensor): Tensor =>
  typeof temperature === 'number' ? tensor(temperature, { dtype, device }) : temperature;

/** Uniform, and neither 0 nor 1. */
const insideUnit = (shape: Shape, { dtype, device }: Tensor): Tensor =>
  clampProbs(rand(shape, { dtype, device }));

/** The log-odds of a `RelaxedBernoulli`. */
class LogitRelaxedBernoulli extends Tosses {
  readonly temperature: Tensor;

  constructor(temperature: Parameter, options: ProbsOrLogits<Parameter>) {
    super(options);
    this.temperature = temperatureAs(temperature, this.param);
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get support(): Constraint {
    return real;
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    const shape = this.extendedShape(sampleShape);
    const probs = clampProbs(this.probs.expand(shape));
    const u = insideUnit(shape, probs);
    const odds = u.log().sub(u.neg().log1p()).add(probs.log()).sub(probs.neg().log1p());
    return odds.div(this.temperature);
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const [logits, values] = broadcastAll('RelaxedBernoulli', ['logits', 'value'], [this.logits, value]);
    const difference = logits.sub(values.mul(this.temperature));
    return this.temperature.log().add(difference).sub(difference.exp().log1p().mul(2));
  }
}

/** A transformed distribution whose parameters are those of its base. */
abstract class Relaxed extends TransformedDistribution {
  declare readonly baseDist: LogitRelaxedBernoulli | ExpRelaxedCategorical;

  override get argConstraints(): { probs: Constraint; logits: Constraint } {
    return this.baseDist.argConstraints;
  }
  protected override get parameters(): Parameters {
    return {};
  }
  get temperature(): Tensor {
    return this.baseDist.temperature;
  }
  get probs(): Tensor {
    return this.baseDist.probs;
  }
  get logits(): Tensor {
    return this.baseDist.logits;
  }
}

/**
 * Numbers between 0 and 1 that the colder `temperature` is, the nearer are to the values of a `Bernoulli`, and through which gradients
 * pass (Maddison et al., 2017; Jang et al., 2017).
 */
export class RelaxedBernoulli extends Relaxed {
  declare readonly baseDist: LogitRelaxedBernoulli;

  constructor(...args: RelaxedArguments<Parameter>) {
    const { temperature, rest } = relaxedGiven<Parameter>(new.target.name, args);
    super(new LogitRelaxedBernoulli(temperature, rest), new SigmoidTransform(), rest.validateArgs);
  }
  override get support(): Constraint {
    return unitInterval;
  }
}

/** The logarithms of a `RelaxedOneHotCategorical`. */
class ExpRelaxedCategorical extends OfCategories {
  readonly temperature: Tensor;

  constructor(temperature: Parameter, options: ProbsOrLogits<Tensor>) {
    super([options]);
    this.temperature = temperatureAs(temperature, this.logits);
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get support(): Constraint {
    return realVector;
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    const { logits } = this;
    const gumbels = insideUnit(this.extendedShape(sampleShape), logits).log().neg().log().neg();
    const scores = logits.add(gumbels).div(this.temperature);
    return scores.sub(scores.logsumexp(-1, true));
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const [logits, values] = broadcastAll('ExpRelaxedCategorical', ['logits', 'value'], [this.logits, value]);
    const { temperature } = this;
    const [n] = this.eventShape;
    const { dtype, device } = temperature;
    const scale = full([], n, { dtype, device })
      .lgamma()
      .add(temperature.log().mul(n - 1));
    const score = logits.sub(values.mul(temperature));
    return score.sub(score.logsumexp(-1, true)).sum(-1).add(scale);
  }
}

/**
 * Vectors of shares that sum to 1 and the colder `temperature` is, the nearer are to those of a `OneHotCategorical`; gradients pass
 * through them (the concrete, or Gumbel-softmax, distribution: Maddison et al., 2017; Jang et al., 2017).
 */
export class RelaxedOneHotCategorical extends Relaxed {
  declare readonly baseDist: ExpRelaxedCategorical;

  constructor(...args: RelaxedArguments<Tensor>) {
    const { temperature, rest } = relaxedGiven<Tensor>(new.target.name, args);
    super(new ExpRelaxedCategorical(temperature, rest), new ExpTransform(), rest.validateArgs);
  }
  override get support(): Constraint {
    return simplex;
  }
}

/**
 * Vectors of n + 1 shares that sum to 1: n independent normal variables, the last dimension of `loc` and `scale`, behind a
 * `StickBreakingTransform`.
 */
export class LogisticNormal extends TransformedDistribution {
  declare readonly baseDist: Independent<Normal>;

  constructor(...args: Two<'loc', 'scale'>) {
    const owner = new.target.name;
    const [loc, scale, ...rest] = required<[Parameter, Parameter]>(owner, ['loc', 'scale'], args);
    const options: DistributionOptions = validationOf(owner, rest);
    const base = new Normal(loc, scale, options);
    const vector = base.batchShape.length === 0 ? base.expand([1]) : base;
    super(vector, new StickBreakingTransform(), options);
  }
  override get argConstraints(): { loc: Constraint; scale: Constraint } {
    return { loc: real, scale: positive };
  }
  protected override get parameters(): Parameters {
    return {};
  }
  override get support(): Constraint {
    return simplex;
  }
  get loc(): Tensor {
    return this.baseDist.baseDist.loc;
  }
  get scale(): Tensor {
    return this.baseDist.baseDist.scale;
  }
}
