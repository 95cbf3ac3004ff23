/** Distributions of heavy tails, of largest values, and of what is left of symmetric ones without their signs. */
import { noGrad } from '../autograd/gradMode.ts';
import type { Shape } from '../core/shape.ts';
import { fullLike, zerosLike } from '../creation.ts';
import { where } from '../functions.ts';
import { rand } from '../random.ts';
import { required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { finfo } from '../typeInfo.ts';
import { type Constraint, nonnegative, positive } from './constraints.ts';
import { Exponential, emptyAs, Uniform } from './continuous.ts';
import { Distribution, type SampleShape } from './distribution.ts';
import { Beta, Gamma } from './gamma.ts';
import { EULER, toNormal } from './gammaDivergences.ts';
import { infinite, type KlRule, klRule } from './klRule.ts';
import { LocationScale } from './locationScale.ts';
import { Normal } from './normal.ts';
import { type One, type Parameter, validationOf } from './parameters.ts';

/** The Cauchy distribution: 1/(π·scale·(1 + ((x − loc)/scale)²)). It has no mean. */
export class Cauchy extends LocationScale {
  override get mean(): Tensor {
    return fullLike(this.loc, Number.NaN);
  }
  override get variance(): Tensor {
    return infinite(this.loc);
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    const draws = emptyAs(this.extendedShape(sampleShape), this.loc).cauchy_();
    return this.loc.add(draws.mul(this.scale));
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const squares = value.sub(this.loc).div(this.scale).pow(2);
    return this.scale.log().add(Math.log(Math.PI)).neg().sub(squares.log1p());
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value, 'cdf');
    return value.sub(this.loc).div(this.scale).atan().div(Math.PI).add(0.5);
  }
  override icdf(value: Tensor): Tensor {
    return value.sub(0.5).mul(Math.PI).tan().mul(this.scale).add(this.loc);
  }
  override entropy(): Tensor {
    return this.scale.log().add(Math.log(4 * Math.PI));
  }
  override klRules(): readonly KlRule[] {
    return [klRule(Cauchy, Cauchy, divergence)];
  }
}

/** Chyzak and Nielsen: A closed-form formula for the Kullback-Leibler divergence between Cauchy distributions, 2019. */
function divergence(p: Cauchy, q: Cauchy): Tensor {
  const both = p.scale.add(q.scale).pow(2).add(p.loc.sub(q.loc).pow(2));
  return both.div(p.scale.mul(q.scale).mul(4)).log();
}

/** What is drawn from a symmetric distribution around 0, without its sign. */
abstract class Half<D extends Normal | Cauchy> extends Distribution {
  /** The distribution with its signs. */
  readonly baseDist: D;

  constructor(base: D) {
    super(base.batchShape, [], base.validateArgs);
    this.baseDist = base;
    this.checkParameters();
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get argConstraints(): { scale: Constraint } {
    return { scale: positive };
  }
  override get support(): Constraint {
    return nonnegative;
  }
  get scale(): Tensor {
    return this.baseDist.scale;
  }
  override get mode(): Tensor {
    return zerosLike(this.scale);
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    return this.withBatch(shape, { baseDist: this.baseDist.expand(shape) });
  }
  override sample(sampleShape?: SampleShape): Tensor {
    return noGrad(() => this.baseDist.sample(sampleShape).abs());
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    return this.baseDist.rsample(sampleShape).abs();
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const density = this.baseDist.logProb(value).add(Math.LN2);
    return where(value.ge(0), density, Number.NEGATIVE_INFINITY);
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value, 'cdf');
    return this.baseDist.cdf(value).mul(2).sub(1);
  }
  override icdf(value: Tensor): Tensor {
    return this.baseDist.icdf(value.add(1).div(2));
  }
  override entropy(): Tensor {
    return this.baseDist.entropy().sub(Math.LN2);
  }
  override toString(): string {
    return `${this.constructor.name}()`;
  }
}

/** The scale alone, as that of a distribution around 0, which leaves it to the half one to check. */
function scaleGiven(owner: string, args: readonly unknown[]) {
  const [scale, ...rest] = required<[Parameter]>(owner, ['scale'], args);
  return { scale, validateArgs: validationOf(owner, rest).validateArgs };
}

/** |x| of a normal variable x around 0. */
export class HalfNormal extends Half<Normal> {
  constructor(...args: One<'scale'>) {
    const { scale, validateArgs } = scaleGiven(new.target.name, args);
    super(new Normal(0, scale, validateArgs));
  }
  override get mean(): Tensor {
    return this.scale.mul(Math.sqrt(2 / Math.PI));
  }
  override get variance(): Tensor {
    return this.scale.pow(2).mul(1 - 2 / Math.PI);
  }
  override klRules(): readonly KlRule[] {
    const half = (p: HalfNormal, q: HalfNormal): Tensor => {
      const ratio = p.scale.div(q.scale).pow(2);
      return ratio.sub(1).sub(ratio.log()).mul(0.5);
    };
    return [klRule(HalfNormal, HalfNormal, half)];
  }
}

/** |x| of a Cauchy variable x around 0. */
export class HalfCauchy extends Half<Cauchy> {
  constructor(...args: One<'scale'>) {
    const { scale, validateArgs } = scaleGiven(new.target.name, args);
    super(new Cauchy(0, scale, validateArgs));
  }
  override get mean(): Tensor {
    return infinite(this.scale);
  }
  override get variance(): Tensor {
    return this.baseDist.variance;
  }
  override klRules(): readonly KlRule[] {
    return [klRule(HalfCauchy, HalfCauchy, (p, q) => divergence(p.baseDist, q.baseDist))];
  }
}

/** The distribution of largest values: e^(−z − e^(−z)) / scale with z = (x − loc)/scale. */
export class Gumbel extends LocationScale {
  override get mean(): Tensor {
    return this.loc.add(this.scale.mul(EULER));
  }
  override get stddev(): Tensor {
    return this.scale.mul(Math.PI / Math.sqrt(6));
  }
  override get variance(): Tensor {
    return this.stddev.pow(2);
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    const { dtype, device } = this.loc;
    const { tiny, eps } = finfo(dtype);
    // Neither 0 nor 1, whose logarithms are infinite or 0.
    const u = rand(this.extendedShape(sampleShape), { dtype, device })
      .mul(1 - eps - tiny)
      .add(tiny);
    return this.icdf(u);
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const y = this.loc.sub(value).div(this.scale);
    return y.sub(y.exp()).sub(this.scale.log());
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value, 'cdf');
    return this.loc.sub(value).div(this.scale).exp().neg().exp();
  }
  override icdf(value: Tensor): Tensor {
    return this.loc.sub(this.scale.mul(value.log().neg().log()));
  }
  override entropy(): Tensor {
    return this.scale.log().add(1 + EULER);
  }
  override klRules(): readonly KlRule[] {
    return [
      klRule(Gumbel, Gumbel, (p, q) => {
        const ratio = p.scale.div(q.scale);
        return toGumbel(p, ratio.add(1).lgamma().sub(p.loc.div(q.scale)), q);
      }),
      klRule(Normal, Gumbel, (p, q) => {
        const spread = p.scale.div(q.scale).pow(2).mul(0.5);
        return toGumbel(p, spread.sub(p.loc.div(q.scale)), q);
      }),
      klRule(Exponential, Gumbel, (p, q) => toGumbel(p, p.rate.mul(q.scale).reciprocal().log1p().neg(), q)),
      klRule(Gamma, Gumbel, (p, q) =>
        toGumbel(p, p.rate.mul(q.scale).reciprocal().log1p().mul(p.concentration).neg(), q),
      ),
      klRule(Uniform, Gumbel, (p, q) => {
        const ends = [p.low, p.high].map((x) => x.div(q.scale).neg().exp());
        return toGumbel(p, ends[0].sub(ends[1]).mul(q.scale).div(p.high.sub(p.low)).log(), q);
      }),
      klRule(Gumbel, Normal, toNormal),
      ...[Beta, Exponential, Gamma, Uniform].map((q) =>
        klRule<Gumbel, Distribution>(Gumbel, q, (p) => infinite(p.loc)),
      ),
    ];
  }
}

/** The mean of −log q less the entropy of p, given the logarithm of the mean of e^(−x/scale). */
function toGumbel(p: Distribution, logMoment: Tensor, { loc, scale }: Gumbel): Tensor {
  const moment = loc.div(scale).add(logMoment).exp();
  return p.mean.sub(loc).div(scale).add(scale.log()).add(moment).sub(p.entropy());
}
