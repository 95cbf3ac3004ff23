/** The continuous Bernoulli distribution. */
import { ArgumentError } from '../core/errors.ts';
import { where } from '../functions.ts';
import { binaryCrossEntropyWithLogits } from '../ops/loss.ts';
import { rand } from '../random.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { type Constraint, unitInterval } from './constraints.ts';
import { Exponential, Laplace, Uniform } from './continuous.ts';
import { Tosses } from './counts.ts';
import type { Distribution, SampleShape } from './distribution.ts';
import { Beta, Gamma } from './gamma.ts';
import { toExponential, toNormal } from './gammaDivergences.ts';
import { infinite, infiniteWhere, type KlRule, klRule } from './klRule.ts';
import { Normal } from './normal.ts';
import { broadcastAll, clampProbs, type Parameter } from './parameters.ts';
import { Pareto } from './pareto.ts';
import type { ProbsOrLogits } from './probs.ts';
import { Gumbel } from './tails.ts';

/** What `ContinuousBernoulli` takes by name. */
export interface ContinuousBernoulliArguments extends ProbsOrLogits<Parameter> {
  /** Probabilities between them are near 1/2, where series take the place of formulas that divide 0 by 0. Default [0.499, 0.501]. */
  lims?: readonly [number, number];
}

/**
 * Brightness between 0 and 1 (Loaiza-Ganem and Cunningham, 2019): C·probs^x·(1 − probs)^(1 − x). `logits` are log-odds; `probs` is
 * not the mean.
 */
export class ContinuousBernoulli extends Tosses {
  readonly lims: readonly [number, number];

  constructor(
    ...args: Flexible<
      [
        probs: Parameter | null | undefined,
        logits: Parameter | null | undefined,
        lims: readonly [number, number],
        validateArgs: boolean | null,
      ],
      ContinuousBernoulliArguments
    >
  ) {
    const owner = new.target.name;
    const { lims = [0.499, 0.501], ...rest } = named<ContinuousBernoulliArguments>(
      owner,
      'probs logits lims validateArgs',
      args,
    );
    if (!Array.isArray(lims) || lims.length !== 2 || !lims.every((x) => typeof x === 'number'))
      throw new ArgumentError(
        `${owner}: argument 'lims' must be a list of two numbers, but got ${String(lims)}`,
      );
    super(rest);
    this.lims = [lims[0], lims[1]];
    if (this.kept.probs) this.kept.probs = clampProbs(this.kept.probs);
  }
  protected override toProbs(logits: Tensor): Tensor {
    return clampProbs(super.toProbs(logits));
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get support(): Constraint {
    return unitInterval;
  }
  /** Where the formulas hold, and probabilities for which they do. */
  private get parts() {
    const { probs, lims } = this;
    const stable = probs.le(lims[0]).logicalOr(probs.gt(lims[1]));
    return { stable, inner: where(stable, probs, lims[0]), offset: probs.sub(0.5) };
  }
  /** log C; near 1/2 by its series. */
  logNormalizer(): Tensor {
    const { stable, inner, offset } = this.parts;
    const twice = inner.mul(2);
    const below = where(inner.le(0.5), twice.neg(), 0).log1p();
    const above = where(inner.le(0.5), 2, twice).sub(1).log();
    const odds = inner.neg().log1p().sub(inner.log()).abs().log();
    const squared = offset.pow(2);
    const series = squared
      .mul(104 / 45)
      .add(4 / 3)
      .mul(squared)
      .add(Math.LN2);
    return where(stable, odds.sub(where(inner.le(0.5), below, above)), series);
  }
  override get mean(): Tensor {
    const { stable, inner, offset } = this.parts;
    const odds = inner.neg().log1p().sub(inner.log());
    const mean = inner.div(inner.mul(2).sub(1)).add(odds.reciprocal());
    const series = offset
      .pow(2)
      .mul(16 / 45)
      .add(1 / 3)
      .mul(offset)
      .add(0.5);
    return where(stable, mean, series);
  }
  override get variance(): Tensor {
    const { stable, inner, offset } = this.parts;
    const odds = inner.neg().log1p().sub(inner.log());
    const spread = inner.mul(inner.sub(1)).div(inner.mul(2).rsub(1).pow(2));
    const squared = offset.pow(2);
    const series = squared
      .mul(128 / 945)
      .rsub(1 / 15)
      .mul(squared)
      .rsub(1 / 12);
    return where(stable, spread.add(odds.pow(2).reciprocal()), series);
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    const { dtype, device } = this.probs;
    return this.icdf(rand(this.extendedShape(sampleShape), { dtype, device }));
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const [logits, values] = broadcastAll('ContinuousBernoulli', ['logits', 'value'], [this.logits, value]);
    const loss = binaryCrossEntropyWithLogits<Tensor>(logits, values, null, null, 'none');
    return loss.neg().add(this.logNormalizer());
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value, 'cdf');
    const { stable, inner } = this.parts;
    const powers = inner.pow(value).mul(inner.rsub(1).pow(value.rsub(1)));
    const found = powers.add(inner).sub(1).div(inner.mul(2).sub(1));
    return where(value.le(0), 0, where(value.ge(1), 1, where(stable, found, value)));
  }
  override icdf(value: Tensor): Tensor {
    const { stable, inner } = this.parts;
    const log0 = inner.neg().log1p();
    const share = value.mul(inner.mul(2).sub(1)).sub(inner).log1p();
    return where(stable, share.sub(log0).div(inner.log().sub(log0)), value);
  }
  override entropy(): Tensor {
    const log0 = this.probs.neg().log1p();
    const odds = log0.sub(this.probs.log());
    return this.mean.mul(odds).sub(this.logNormalizer()).sub(log0);
  }
  override klRules(): readonly KlRule[] {
    return [
      klRule(ContinuousBernoulli, ContinuousBernoulli, between),
      klRule(Beta, ContinuousBernoulli, toContinuous),
      klRule(Uniform, ContinuousBernoulli, (p, q) =>
        infiniteWhere(p.high.ge(1).logicalOr(p.low.le(0)), toContinuous(p, q)),
      ),
      klRule(ContinuousBernoulli, Exponential, toExponential),
      klRule(ContinuousBernoulli, Normal, toNormal),
      // PyTorch's condition, by which a uniform distribution from 0 or up to 1 is infinitely far.
      klRule(ContinuousBernoulli, Uniform, (p, q) =>
        infiniteWhere(q.low.ge(0).logicalOr(q.high.le(1)), q.high.sub(q.low).log().sub(p.entropy())),
      ),
      klRule(ContinuousBernoulli, Pareto, (p) => infinite(p.probs)),
      ...[Exponential, Gamma, Gumbel, Laplace, Normal, Pareto].map((p) =>
        klRule<Distribution, ContinuousBernoulli>(p, ContinuousBernoulli, (x) => infinite(x.mean)),
      ),
    ];
  }
}

function between(p: ContinuousBernoulli, q: ContinuousBernoulli): Tensor {
  const normalizer = (x: ContinuousBernoulli): Tensor => x.logNormalizer().add(x.probs.neg().log1p());
  return p.mean.mul(p.logits.sub(q.logits)).add(normalizer(p)).sub(normalizer(q));
}

/** From what lies between 0 and 1. */
const toContinuous = (p: Distribution, q: ContinuousBernoulli): Tensor =>
  p.entropy().neg().sub(p.mean.mul(q.logits)).sub(q.probs.neg().log1p()).sub(q.logNormalizer());
