/** Distributions of real numbers that are made of uniform or exponential draws. */
import type { Shape } from '../core/shape.ts';
import { empty, zerosLike } from '../creation.ts';
import { rand } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import { finfo } from '../typeInfo.ts';
import { type Constraint, greaterThan, interval, lessThan, nonnegative, positive } from './constraints.ts';
import type { SampleShape } from './distribution.ts';
import { LocationScale } from './locationScale.ts';
import { Elementwise, type One, type Two } from './parameters.ts';

/** A tensor to draw into, outside the graph. */
export const emptyAs = (shape: Shape, { dtype, device }: Tensor): Tensor => empty(shape, { dtype, device });

/** The uniform distribution of [low, high): 1/(high − low). */
export class Uniform extends Elementwise {
  declare readonly low: Tensor;
  declare readonly high: Tensor;

  constructor(...args: Two<'low', 'high'>) {
    super(['low', 'high'], args);
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get argConstraints(): { low: Constraint; high: Constraint } {
    return { low: lessThan(this.high), high: greaterThan(this.low) };
  }
  override get support(): Constraint {
    return interval(this.low, this.high);
  }
  protected get width(): Tensor {
    return this.high.sub(this.low);
  }
  override get mean(): Tensor {
    return this.high.add(this.low).div(2);
  }
  /** No value is more probable than another: NaN. */
  override get mode(): Tensor {
    return this.high.mul(Number.NaN);
  }
  override get stddev(): Tensor {
    return this.width.div(12 ** 0.5);
  }
  override get variance(): Tensor {
    return this.width.pow(2).div(12);
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    const { dtype, device } = this.low;
    return this.low.add(rand(this.extendedShape(sampleShape), { dtype, device }).mul(this.width));
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const inside = this.low.le(value).logicalAnd(this.high.gt(value)).to(this.low.dtype);
    return inside.log().sub(this.width.log());
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value, 'cdf');
    return value.sub(this.low).div(this.width).clamp(0, 1);
  }
  override icdf(value: Tensor): Tensor {
    return value.mul(this.width).add(this.low);
  }
  override entropy(): Tensor {
    return this.width.log();
  }
}

/** The exponential distribution: rate·e^(−rate·x) from 0 on. */
export class Exponential extends Elementwise {
  declare readonly rate: Tensor;

  constructor(...args: One<'rate'>) {
    super(['rate'], args);
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get argConstraints(): { rate: Constraint } {
    return { rate: positive };
  }
  override get support(): Constraint {
    return nonnegative;
  }
  override get mean(): Tensor {
    return this.rate.reciprocal();
  }
  override get mode(): Tensor {
    return zerosLike(this.rate);
  }
  override get stddev(): Tensor {
    return this.rate.reciprocal();
  }
  override get variance(): Tensor {
    return this.rate.pow(-2);
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    return emptyAs(this.extendedShape(sampleShape), this.rate).exponential_().div(this.rate);
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    return this.rate.log().sub(this.rate.mul(value));
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value, 'cdf');
    return this.rate.neg().mul(value).exp().rsub(1);
  }
  override icdf(value: Tensor): Tensor {
    return value.neg().log1p().neg().div(this.rate);
  }
  override entropy(): Tensor {
    return this.rate.log().rsub(1);
  }
}

/** The Laplace distribution: e^(−|x − loc| / scale) / (2·scale). */
export class Laplace extends LocationScale {
  override get stddev(): Tensor {
    return this.scale.mul(Math.SQRT2);
  }
  override get variance(): Tensor {
    return this.scale.pow(2).mul(2);
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    const { loc, scale } = this;
    // Uniform in (−1, 1): −1 itself would give an infinity.
    const u = emptyAs(this.extendedShape(sampleShape), loc).uniform_(finfo(loc.dtype).eps - 1, 1);
    return loc.sub(scale.mul(u.sign()).mul(u.abs().neg().log1p()));
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    return this.scale.mul(2).log().neg().sub(value.sub(this.loc).abs().div(this.scale));
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value, 'cdf');
    const difference = value.sub(this.loc);
    return difference.sign().mul(0.5).mul(difference.abs().neg().div(this.scale).expm1()).rsub(0.5);
  }
  override icdf(value: Tensor): Tensor {
    const centred = value.sub(0.5);
    return this.loc.sub(this.scale.mul(centred.sign()).mul(centred.abs().mul(-2).log1p()));
  }
  override entropy(): Tensor {
    return this.scale.mul(2).log().add(1);
  }
}
