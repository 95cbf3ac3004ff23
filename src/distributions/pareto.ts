/** Pareto's distribution, and the generalized one. */
import { where } from '../functions.ts';
import { rand } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import { type Constraint, greaterThanEq, interval, positive, real } from './constraints.ts';
import { Exponential, Laplace, Uniform } from './continuous.ts';
import type { Distribution, SampleShape } from './distribution.ts';
import { Beta, Gamma } from './gamma.ts';
import { toExponential, toGamma, toNormal, uniformLogMean } from './gammaDivergences.ts';
import { infinite, infiniteWhere, type KlRule, klRule } from './klRule.ts';
import { Normal } from './normal.ts';
import { Elementwise, parametersGiven, type Three, type Two } from './parameters.ts';
import { Gumbel } from './tails.ts';
import { TransformedElementwise } from './transformed.ts';
import { AffineTransform, ExpTransform } from './transforms.ts';

/** Pareto's distribution, alpha·scale^alpha / x^(alpha + 1) from `scale` on: scale·e^y of an exponential variable y. */
export class Pareto extends TransformedElementwise {
  declare readonly scale: Tensor;
  declare readonly alpha: Tensor;

  constructor(...args: Two<'scale', 'alpha'>) {
    const names = ['scale', 'alpha'];
    const { values, validateArgs } = parametersGiven(new.target.name, names, args);
    const [scale, alpha] = values;
    super(new Exponential(alpha, false), [new ExpTransform(), new AffineTransform(0, scale)], validateArgs);
    this.scale = scale;
    this.alpha = alpha;
    this.checkParameters();
  }
  override get argConstraints(): { alpha: Constraint; scale: Constraint } {
    return { alpha: positive, scale: positive };
  }
  override get support(): Constraint {
    return greaterThanEq(this.scale);
  }
  /** Infinite where alpha ≤ 1. */
  override get mean(): Tensor {
    const alpha = this.alpha.clampMin(1);
    return alpha.mul(this.scale).div(alpha.sub(1));
  }
  override get mode(): Tensor {
    return this.scale;
  }
  /** Infinite where alpha ≤ 2. */
  override get variance(): Tensor {
    const alpha = this.alpha.clampMin(2);
    return this.scale
      .pow(2)
      .mul(alpha)
      .div(alpha.sub(1).pow(2).mul(alpha.sub(2)));
  }
  override entropy(): Tensor {
    return this.scale.div(this.alpha).log().add(this.alpha.reciprocal().add(1));
  }
  override klRules(): readonly KlRule[] {
    return [...super.klRules(), ...paretoRules()];
  }
}

/** The mean of log x. */
const logMean = ({ scale, alpha }: Pareto): Tensor => scale.log().add(alpha.reciprocal());

/** Gil, Alajaji and Linder: Rényi divergence measures for commonly used univariate continuous distributions, 2013. */
function divergence(p: Pareto, q: Pareto): Tensor {
  const alphas = q.alpha.div(p.alpha);
  const scales = q.alpha.mul(p.scale.div(q.scale).log());
  return infiniteWhere(p.scale.lt(q.scale), scales.sub(alphas.log()).add(alphas).sub(1));
}

function fromUniform(p: Uniform, q: Pareto): Tensor {
  const width = p.high.sub(p.low);
  const normalizer = q.alpha.mul(q.scale.pow(q.alpha)).mul(width).log();
  const found = uniformLogMean(p.low, p.high).mul(q.alpha.add(1)).sub(normalizer);
  return infiniteWhere(p.low.lt(q.scale), found);
}

/** With a divergence that is infinite up to an alpha, where the moments are infinite: gradients are to be 0 there, not NaN. */
const above =
  <Q extends Distribution>(least: number, to: (p: Pareto, q: Q) => Tensor) =>
  (p: Pareto, q: Q): Tensor => {
    const endless = p.alpha.le(least);
    const finite = new Pareto(p.scale, where(endless, least + 1, p.alpha), false);
    return infiniteWhere(endless, to(finite, q));
  };

const paretoRules = (): KlRule[] => [
  klRule(Pareto, Pareto, divergence),
  klRule(Pareto, Exponential, above(1, toExponential)),
  klRule(
    Pareto,
    Gamma,
    above(1, (p, q: Gamma) => toGamma(p, logMean(p), q)),
  ),
  klRule(Pareto, Normal, above(2, toNormal)),
  klRule(Uniform, Pareto, fromUniform),
  ...[Beta, Uniform].map((q) => klRule<Pareto, Distribution>(Pareto, q, (p) => infinite(p.scale))),
  ...[Beta, Exponential, Gamma, Gumbel, Laplace, Normal].map((p) =>
    klRule<Distribution, Pareto>(p, Pareto, (x) => infinite(x.mean)),
  ),
];

/**
 * What lies above a high threshold `loc` (Pickands, 1975): (1 + concentration·z)^(−1/concentration − 1) / scale with
 * z = (x − loc)/scale; e^(−z)/scale where `concentration` is 0.
 */
export class GeneralizedPareto extends Elementwise {
  declare readonly loc: Tensor;
  declare readonly scale: Tensor;
  declare readonly concentration: Tensor;

  constructor(...args: Three<'loc', 'scale', 'concentration'>) {
    super(['loc', 'scale', 'concentration'], args);
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get argConstraints(): { loc: Constraint; scale: Constraint; concentration: Constraint } {
    return { loc: real, scale: positive, concentration: real };
  }
  /** From `loc` on, and not above loc − scale/concentration where that is below 0. */
  override get support(): Constraint {
    const { loc, scale, concentration } = this;
    const end = loc.sub(scale.div(concentration));
    return interval(loc, where(concentration.lt(0), end, Number.POSITIVE_INFINITY));
  }
  /** NaN where concentration ≥ 1. */
  override get mean(): Tensor {
    const known = this.concentration.lt(1);
    const inner = where(known, this.concentration, 0.5);
    return where(known, this.loc.add(this.scale.div(inner.rsub(1))), Number.NaN);
  }
  override get mode(): Tensor {
    return this.loc;
  }
  /** NaN where concentration ≥ 1/2. */
  override get variance(): Tensor {
    const known = this.concentration.lt(0.5);
    const inner = where(known, this.concentration, 0.25);
    const below = inner.rsub(1).pow(2).mul(inner.mul(2).rsub(1));
    return where(known, this.scale.pow(2).div(below), Number.NaN);
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    const { dtype, device } = this.loc;
    return this.icdf(rand(this.extendedShape(sampleShape), { dtype, device }));
  }
  /** Where the concentration counts as 0, and one that can be divided by. */
  private get parts() {
    const { concentration } = this;
    const zero = concentration.abs().le(1e-8);
    return { zero, inner: where(zero, 1, concentration) };
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const { zero, inner } = this.parts;
    const z = value.sub(this.loc).div(this.scale);
    const power = inner.reciprocal().add(1);
    const density = where(power.eq(0), power, power.mul(inner.mul(z).log1p()));
    return this.scale
      .log()
      .neg()
      .sub(where(zero, z, density));
  }
  /** The logarithm of the probability of what is above the value. */
  logSurvivalFunction(value: Tensor): Tensor {
    this.checkValue(value, 'logSurvivalFunction');
    const { zero, inner } = this.parts;
    const z = value.sub(this.loc).div(this.scale);
    return where(zero, z.neg(), inner.mul(z).log1p().neg().div(inner));
  }
  /** The logarithm of `cdf`. */
  logCdf(value: Tensor): Tensor {
    return this.logSurvivalFunction(value).exp().neg().log1p();
  }
  override cdf(value: Tensor): Tensor {
    return this.logCdf(value).exp();
  }
  override icdf(value: Tensor): Tensor {
    const { loc, scale } = this;
    const { zero, inner } = this.parts;
    const above = value.neg().log1p();
    const found = loc.add(scale.div(inner).mul(inner.neg().mul(above).expm1()));
    return where(zero, loc.sub(scale.mul(above)), found);
  }
  override entropy(): Tensor {
    return this.scale.log().add(this.concentration).add(1);
  }
}
