/** Distributions of powers of other variables. */
import { onesLike, zerosLike } from '../creation.ts';
import { where } from '../functions.ts';
import { required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { type Constraint, positive, unitInterval } from './constraints.ts';
import { Exponential, Uniform } from './continuous.ts';
import type { Parameters } from './distribution.ts';
import { Gamma } from './gamma.ts';
import { EULER } from './gammaDivergences.ts';
import { type Parameter, parametersGiven, type Two, validationOf } from './parameters.ts';
import { TransformedDistribution, TransformedElementwise } from './transformed.ts';
import { AffineTransform, PowerTransform } from './transforms.ts';

/** Weibull's distribution (1951) of lifetimes: scale·y^(1/concentration) of an exponential variable y of rate 1. */
export class Weibull extends TransformedElementwise {
  declare readonly scale: Tensor;
  declare readonly concentration: Tensor;

  constructor(...args: Two<'scale', 'concentration'>) {
    const { values, validateArgs } = parametersGiven(new.target.name, ['scale', 'concentration'], args);
    const [scale, concentration] = values;
    const transforms = [new PowerTransform(concentration.reciprocal()), new AffineTransform(0, scale)];
    super(new Exponential(onesLike(scale.detach()), false), transforms, validateArgs);
    this.scale = scale;
    this.concentration = concentration;
    this.checkParameters();
  }
  override get argConstraints(): { scale: Constraint; concentration: Constraint } {
    return { scale: positive, concentration: positive };
  }
  override get support(): Constraint {
    return positive;
  }
  /** The logarithm of the mean of the n-th power, for a scale of 1. */
  private logMoment(n: number): Tensor {
    return this.concentration.reciprocal().mul(n).add(1).lgamma();
  }
  override get mean(): Tensor {
    return this.scale.mul(this.logMoment(1).exp());
  }
  /** NaN where concentration < 1. */
  override get mode(): Tensor {
    const { scale, concentration } = this;
    return scale.mul(concentration.sub(1).div(concentration).pow(concentration.reciprocal()));
  }
  override get variance(): Tensor {
    return this.scale.pow(2).mul(this.logMoment(2).exp().sub(this.logMoment(1).mul(2).exp()));
  }
  override entropy(): Tensor {
    const inverse = this.concentration.reciprocal();
    return inverse.rsub(1).mul(EULER).add(this.scale.mul(inverse).log()).add(1);
  }
}

/** 1/y of a gamma variable y: rate^concentration · x^(−concentration − 1) · e^(−rate/x) / Γ(concentration). */
export class InverseGamma extends TransformedDistribution {
  declare readonly baseDist: Gamma;

  constructor(...args: Two<'concentration', 'rate'>) {
    const owner = new.target.name;
    const names = ['concentration', 'rate'];
    const [concentration, rate, ...rest] = required<[Parameter, Parameter]>(owner, names, args);
    const { validateArgs } = validationOf(owner, rest);
    const base = new Gamma(concentration, rate, validateArgs);
    super(base, new PowerTransform(-1), validateArgs);
  }
  override get argConstraints(): { concentration: Constraint; rate: Constraint } {
    return { concentration: positive, rate: positive };
  }
  protected override get parameters(): Parameters {
    return {};
  }
  override get support(): Constraint {
    return positive;
  }
  get concentration(): Tensor {
    return this.baseDist.concentration;
  }
  get rate(): Tensor {
    return this.baseDist.rate;
  }
  /** Infinite where concentration ≤ 1. */
  override get mean(): Tensor {
    const { concentration, rate } = this;
    return where(concentration.gt(1), rate.div(concentration.sub(1)), Number.POSITIVE_INFINITY);
  }
  override get mode(): Tensor {
    return this.rate.div(this.concentration.add(1));
  }
  /** Infinite where concentration ≤ 2. */
  override get variance(): Tensor {
    const { concentration, rate } = this;
    const below = concentration.sub(1).square().mul(concentration.sub(2));
    return where(concentration.gt(2), rate.square().div(below), Number.POSITIVE_INFINITY);
  }
  override entropy(): Tensor {
    const { concentration, rate } = this;
    const spread = concentration.add(1).mul(concentration.digamma());
    return concentration.add(rate.log()).add(concentration.lgamma()).sub(spread);
  }
}

/**
 * A share between 0 and 1 (Kumaraswamy, 1980), with a = concentration1 and b = concentration0: a·b·x^(a − 1)·(1 − x^a)^(b − 1).
 * Much as `Beta`, with a distribution function in closed form.
 */
export class Kumaraswamy extends TransformedElementwise {
  declare readonly concentration1: Tensor;
  declare readonly concentration0: Tensor;

  constructor(...args: Two<'concentration1', 'concentration0'>) {
    const names = ['concentration1', 'concentration0'];
    const { values, validateArgs } = parametersGiven(new.target.name, names, args);
    const [one, zero] = values;
    const transforms = [
      new PowerTransform(zero.reciprocal()),
      new AffineTransform(1, -1),
      new PowerTransform(one.reciprocal()),
    ];
    const like = zero.detach();
    super(new Uniform(zerosLike(like), onesLike(like), false), transforms, validateArgs);
    this.concentration1 = one;
    this.concentration0 = zero;
    this.checkParameters();
  }
  override get argConstraints(): { concentration1: Constraint; concentration0: Constraint } {
    return { concentration1: positive, concentration0: positive };
  }
  override get support(): Constraint {
    return unitInterval;
  }
  /** The mean of the n-th power: b·B(1 + n/a, b). */
  private moment(n: number): Tensor {
    const zero = this.concentration0;
    const power = this.concentration1.reciprocal().mul(n).add(1);
    return zero.mul(power.lgamma().add(zero.lgamma()).sub(power.add(zero).lgamma()).exp());
  }
  override get mean(): Tensor {
    return this.moment(1);
  }
  /** ((a − 1)/(a·b − 1))^(1/a); NaN where a or b is below 1, or both are 1. */
  override get mode(): Tensor {
    const { concentration1: a, concentration0: b } = this;
    const mode = a.sub(1).div(a.mul(b).sub(1)).pow(a.reciprocal());
    return where(a.lt(1).logicalOr(b.lt(1)), Number.NaN, mode);
  }
  override get variance(): Tensor {
    return this.moment(2).sub(this.mean.pow(2));
  }
  override entropy(): Tensor {
    const { concentration1: a, concentration0: b } = this;
    const harmonic = b.add(1).digamma().add(EULER);
    const spread = a.reciprocal().rsub(1).mul(harmonic);
    return b.reciprocal().rsub(1).add(spread).sub(a.log()).sub(b.log());
  }
}
