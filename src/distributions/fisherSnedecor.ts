/** The distribution of ratios of variances. */
import type { Shape } from '../core/shape.ts';
import { where } from '../functions.ts';
import type { Tensor } from '../tensor.ts';
import { finfo } from '../typeInfo.ts';
import { type Constraint, positive } from './constraints.ts';
import type { SampleShape } from './distribution.ts';
import { Gamma } from './gamma.ts';
import { Elementwise, type Two } from './parameters.ts';

/** The F distribution of `df1` and `df2` degrees of freedom: the ratio of two `Chi2` variables, each over its df. */
export class FisherSnedecor extends Elementwise {
  declare readonly df1: Tensor;
  declare readonly df2: Tensor;
  private readonly above: Gamma;
  private readonly below: Gamma;

  constructor(...args: Two<'df1', 'df2'>) {
    super(['df1', 'df2'], args);
    const { df1, df2 } = this;
    this.above = new Gamma(df1.mul(0.5), df1, false);
    this.below = new Gamma(df2.mul(0.5), df2, false);
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get argConstraints(): { df1: Constraint; df2: Constraint } {
    return { df1: positive, df2: positive };
  }
  override get support(): Constraint {
    return positive;
  }
  /** NaN where df2 ≤ 2. */
  override get mean(): Tensor {
    const { df2 } = this;
    return where(df2.le(2), Number.NaN, df2.div(df2.sub(2)));
  }
  /** NaN where df1 ≤ 2. */
  override get mode(): Tensor {
    const { df1, df2 } = this;
    return where(df1.le(2), Number.NaN, df1.sub(2).div(df1).mul(df2).div(df2.add(2)));
  }
  /** NaN where df2 ≤ 4. */
  override get variance(): Tensor {
    const { df1, df2 } = this;
    const rest = df2.sub(2);
    const found = df2
      .pow(2)
      .mul(2)
      .mul(df1.add(rest))
      .div(df1.mul(rest.pow(2)).mul(df2.sub(4)));
    return where(df2.le(4), Number.NaN, found);
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    const { above, below } = this;
    return Object.assign(super.expand(shape), { above: above.expand(shape), below: below.expand(shape) });
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    const { tiny } = finfo(this.df1.dtype);
    const above = this.above.rsample(sampleShape);
    return above.div(this.below.rsample(sampleShape).clampMin(tiny)).clampMin(tiny);
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const [half1, half2] = [this.df1.mul(0.5), this.df2.mul(0.5)];
    const ratio = this.df1.div(this.df2);
    const both = half1.add(half2);
    const normalizer = both.lgamma().sub(half1.lgamma()).sub(half2.lgamma());
    const density = half1.mul(ratio.log()).add(half1.sub(1).mul(value.log()));
    return normalizer.add(density).sub(both.mul(ratio.mul(value).log1p()));
  }
}
