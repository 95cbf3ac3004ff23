/** Normal and log-normal distributions. */
import { noGrad } from '../autograd/gradMode.ts';
import type { Shape } from '../core/shape.ts';
import { normal, randn } from '../random.ts';
import { required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { type Constraint, positive, real } from './constraints.ts';
import { Distribution, type Parameters, type SampleShape } from './distribution.ts';
import { LocationScale } from './locationScale.ts';
import { type Parameter, type Two, validationOf } from './parameters.ts';

const HALF_LOG_TWO_PI = Math.log(Math.sqrt(2 * Math.PI));

/** N(0, 1) in the shape, dtype and device asked for: PyTorch's draw for everything that scales it. */
export const standardNormal = (shape: Shape, { dtype, device }: Tensor): Tensor =>
  randn(shape, { dtype, device });

/** The normal distribution of mean `loc` and standard deviation `scale`: e^(−(x − loc)² / 2·scale²) / (scale·√(2π)). */
export class Normal extends LocationScale {
  override get stddev(): Tensor {
    return this.scale;
  }
  override get variance(): Tensor {
    return this.scale.pow(2);
  }
  override sample(sampleShape?: SampleShape): Tensor {
    const shape = this.extendedShape(sampleShape);
    return noGrad(() => normal(this.loc.expand(shape), this.scale.expand(shape)));
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    return this.loc.add(standardNormal(this.extendedShape(sampleShape), this.loc).mul(this.scale));
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const { loc, scale } = this;
    const squares = value.sub(loc).pow(2).neg().div(scale.pow(2).mul(2));
    return squares.sub(scale.log()).sub(HALF_LOG_TWO_PI);
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value, 'cdf');
    const scaled = value.sub(this.loc).mul(this.scale.reciprocal()).div(Math.SQRT2);
    return scaled.erf().add(1).mul(0.5);
  }
  override icdf(value: Tensor): Tensor {
    return this.loc.add(this.scale.mul(value.mul(2).sub(1).erfinv()).mul(Math.SQRT2));
  }
  override entropy(): Tensor {
    return this.scale.log().add(0.5 + 0.5 * Math.log(2 * Math.PI));
  }
}

/** e to a normal variable: `loc` and `scale` are mean and standard deviation of the logarithm. */
export class LogNormal extends Distribution {
  /** The distribution of the logarithm. */
  readonly baseDist: Normal;

  constructor(...args: Two<'loc', 'scale'>) {
    const [loc, scale, ...rest] = required<[Parameter, Parameter]>(new.target.name, ['loc', 'scale'], args);
    const base = new Normal(loc, scale, validationOf(new.target.name, rest));
    super(base.batchShape, [], base.validateArgs);
    this.baseDist = base;
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get argConstraints(): { loc: Constraint; scale: Constraint } {
    return { loc: real, scale: positive };
  }
  override get support(): Constraint {
    return positive;
  }
  protected override get parameters(): Parameters {
    return {};
  }
  get loc(): Tensor {
    return this.baseDist.loc;
  }
  get scale(): Tensor {
    return this.baseDist.scale;
  }
  override get mean(): Tensor {
    return this.loc.add(this.scale.pow(2).div(2)).exp();
  }
  override get mode(): Tensor {
    return this.loc.sub(this.scale.square()).exp();
  }
  override get variance(): Tensor {
    const squared = this.scale.pow(2);
    return squared.expm1().mul(this.loc.mul(2).add(squared).exp());
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    return this.withBatch(shape, { baseDist: this.baseDist.expand(shape) });
  }
  override sample(sampleShape?: SampleShape): Tensor {
    return noGrad(() => this.baseDist.sample(sampleShape).exp());
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    return this.baseDist.rsample(sampleShape).exp();
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const logarithm = value.log();
    return logarithm.neg().add(this.baseDist.logProb(logarithm));
  }
  override cdf(value: Tensor): Tensor {
    return this.baseDist.cdf(value.log());
  }
  override icdf(value: Tensor): Tensor {
    return this.baseDist.icdf(value).exp();
  }
  override entropy(): Tensor {
    return this.baseDist.entropy().add(this.loc);
  }
}
