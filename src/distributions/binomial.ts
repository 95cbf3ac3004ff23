/** Distributions of how many tosses succeed, and of how many do before others fail. */
import { noGrad } from '../autograd/gradMode.ts';
import { sampleBinomial } from '../core/binomial.ts';
import { ArgumentError } from '../core/errors.ts';
import { defaultEngine } from '../core/rng.ts';
import { contiguousStrides, type Shape } from '../core/shape.ts';
import { where } from '../functions.ts';
import { logsigmoid, softplus } from '../ops/activation.ts';
import { drawArray, floating } from '../ops/draw.ts';
import { poisson } from '../random.ts';
import { arange } from '../sequences.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import {
  type Constraint,
  greaterThanEq,
  inText,
  nonnegativeInteger,
  real,
  unitInterval,
} from './constraints.ts';
import { Poisson, Tosses } from './counts.ts';
import type { ExpandOption, Parameters, SampleShape } from './distribution.ts';
import { Gamma } from './gamma.ts';
import { infinite, infiniteWhere, type KlRule, klRule } from './klRule.ts';
import { broadcastAll, type Parameter } from './parameters.ts';
import { type ProbsOrLogits, probsGiven } from './probs.ts';

/** What `Binomial` and `NegativeBinomial` take by name. */
export interface CountArguments extends ProbsOrLogits<Parameter> {
  totalCount?: Parameter;
}

type CountForms = Flexible<
  [
    totalCount: Parameter,
    probs: Parameter | null | undefined,
    logits: Parameter | null | undefined,
    validateArgs: boolean | null,
  ],
  CountArguments
>;

/** Tosses of which there are `totalCount`, in one way or another. */
abstract class CountedTosses extends Tosses {
  readonly totalCount: Tensor;

  constructor(args: CountForms, otherwise: number | undefined) {
    const owner = new.target.name;
    const order = 'totalCount probs logits validateArgs';
    const { totalCount = otherwise, ...rest } = named<CountArguments>(owner, order, args);
    if (totalCount === undefined)
      throw new ArgumentError(
        `${owner}: missing required argument 'totalCount': expected a Tensor or a number, but got nothing`,
      );
    const { name, value, validateArgs } = probsGiven<Parameter>(owner, [rest]);
    const [count, param] = broadcastAll(owner, ['totalCount', name], [totalCount, value]);
    super({ [name]: param, validateArgs });
    this.totalCount = count.to(param.dtype);
    this.checkParameters();
  }
  /** Not before the counts are there, which come last and are told first. */
  protected override checkParameters(): void {
    if (this.totalCount !== undefined) super.checkParameters();
  }
  protected override get parameters(): Parameters {
    return { totalCount: this.totalCount, ...this.kept };
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    return Object.assign(super.expand(batchShape), { totalCount: this.totalCount.expand(shape) });
  }
}

/**
 * Successes in `totalCount` tosses: totalCount!/(k!·(totalCount − k)!) · probs^k · (1 − probs)^(totalCount − k). `logits`
 * are the log-odds.
 */
export class Binomial extends CountedTosses {
  constructor(...args: CountForms) {
    super(args, 1);
  }
  override get hasEnumerateSupport(): boolean {
    return true;
  }
  override get argConstraints(): { totalCount: Constraint; probs: Constraint; logits: Constraint } {
    return { totalCount: nonnegativeInteger, probs: unitInterval, logits: real };
  }
  override get support(): Constraint {
    const { totalCount } = this;
    return {
      check: (x) => x.remainder(1).eq(0).logicalAnd(x.ge(0)).logicalAnd(x.le(totalCount)),
      toString: () => `IntegerInterval(lower_bound=0, upper_bound=${inText(totalCount)})`,
    };
  }
  override get mean(): Tensor {
    return this.totalCount.mul(this.probs);
  }
  override get mode(): Tensor {
    return this.totalCount.add(1).mul(this.probs).floor().minimum(this.totalCount);
  }
  override get variance(): Tensor {
    return this.mean.mul(this.probs.rsub(1));
  }
  /** @throws DeviceError where counts and probabilities cannot be read at once: their values decide how much is drawn */
  override sample(sampleShape?: SampleShape): Tensor {
    const shape = this.extendedShape(sampleShape);
    const [counts, probs] = noGrad(() => [this.totalCount.expand(shape), this.probs.expand(shape)]).map((x) =>
      floating(x.array.backend.hostValues(x.array, 'Binomial.sample'), 'Binomial.sample'),
    );
    const { backend, dtype } = this.totalCount.array;
    const rng = defaultEngine();
    const single = dtype === 'float32';
    const drawn = drawArray(backend, dtype, shape, contiguousStrides(shape), rng, (values) => {
      for (let i = 0; i < counts.length; i++) values[i] = sampleBinomial(rng, counts[i], probs[i], single);
    });
    return this.totalCount.derive(drawn);
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const { totalCount, logits } = this;
    const ways = totalCount
      .add(1)
      .lgamma()
      .sub(value.add(1).lgamma())
      .sub(totalCount.sub(value).add(1).lgamma());
    return value
      .mul(logits)
      .sub(totalCount.mul(softplus<Tensor>(logits)))
      .add(ways);
  }
  override entropy(): Tensor {
    const logProb = this.logProb(this.enumerateSupport(false));
    return logProb.exp().mul(logProb).sum(0).neg();
  }
  override enumerateSupport(expand?: ExpandOption): Tensor {
    const { backend } = this.totalCount.array;
    const counts = Array.from(backend.hostValues(this.totalCount.array, 'Binomial'), Number);
    const [least, most] = [Math.min(...counts), Math.max(...counts)];
    if (least !== most)
      throw new ArgumentError(
        `Binomial: Inhomogeneous total count is not supported by enumerateSupport and entropy: expected one totalCount, but ` +
          `got ${least} and ${most}`,
      );
    const { dtype, device } = this.param;
    return this.enumerated(arange(0, most + 1, { dtype, device }), expand);
  }
  override klRules(): readonly KlRule[] {
    return [klRule(Binomial, Binomial, binomial), klRule(Poisson, Binomial, (p) => infinite(p.rate))];
  }
}

/** As many times that of one toss. */
function binomial(p: Binomial, q: Binomial): Tensor {
  const { backend } = p.totalCount.array;
  backend.require(
    noGrad(() => p.totalCount.ge(q.totalCount)).array,
    () =>
      new ArgumentError(
        'klDivergence: KL between Binomials where q.totalCount > p.totalCount is not implemented: expected no more tosses of q, ' +
          'but got more',
      ),
  );
  const toss = p.probs.mul(p.logits.sub(q.logits));
  const each = toss.add(p.probs.neg().log1p()).sub(q.probs.neg().log1p());
  return infiniteWhere(p.totalCount.gt(q.totalCount), p.totalCount.mul(each));
}

/**
 * Successes before `totalCount` failures, which need not be a whole number: Γ(totalCount + k)/(k!·Γ(totalCount)) ·
 * (1 − probs)^totalCount · probs^k.
 */
export class NegativeBinomial extends CountedTosses {
  constructor(...args: CountForms) {
    super(args, undefined);
  }
  override get argConstraints(): { totalCount: Constraint; probs: Constraint; logits: Constraint } {
    const below = {
      check: (x: Tensor) => x.ge(0).logicalAnd(x.lt(1)),
      toString: () => 'HalfOpenInterval(lower_bound=0.0, upper_bound=1.0)',
    };
    return { totalCount: greaterThanEq(0), probs: below, logits: real };
  }
  override get support(): Constraint {
    return nonnegativeInteger;
  }
  override get mean(): Tensor {
    return this.totalCount.mul(this.logits.exp());
  }
  override get mode(): Tensor {
    return this.totalCount.sub(1).mul(this.logits.exp()).floor().clampMin(0);
  }
  override get variance(): Tensor {
    return this.mean.div(this.logits.neg().sigmoid());
  }
  /** Poisson counts at gamma rates. @throws DeviceError where parameters cannot be read at once */
  override sample(sampleShape?: SampleShape): Tensor {
    return noGrad(() => {
      const rates = new Gamma(this.totalCount, this.logits.neg().exp(), false);
      return poisson(rates.sample(sampleShape));
    });
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const { totalCount, logits } = this;
    const sum = totalCount.add(value);
    const chances = totalCount
      .mul(logsigmoid<Tensor>(logits.neg()))
      .add(value.mul(logsigmoid<Tensor>(logits)));
    const ways = sum.lgamma().sub(value.add(1).lgamma()).sub(totalCount.lgamma());
    // Without failures to wait for there is one way to have no success, though log Γ(0) is infinite.
    return chances.add(where(sum.eq(0), 0, ways));
  }
}
