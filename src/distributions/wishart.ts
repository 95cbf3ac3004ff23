/** The distribution of covariances. */
import { broadcastShapes, numElements, type Shape } from '../core/shape.ts';
import { tensor } from '../creation.ts';
import { where } from '../functions.ts';
import { given } from '../ops/given.ts';
import { cat } from '../ops/join.ts';
import { slogdet } from '../ops/solving.ts';
import { randn } from '../random.ts';
import { arange } from '../sequences.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { finfo } from '../typeInfo.ts';
import { type Constraint, greaterThan, lowerCholesky, positiveDefinite } from './constraints.ts';
import { Distribution, type DistributionOptions, type SampleShape, sizesGiven } from './distribution.ts';
import { Chi2 } from './gamma.ts';
import { type KlRule, klRule } from './klRule.ts';
import { lowerOf } from './matrixTransforms.ts';
import { logMultigamma, multidigamma } from './multigamma.ts';
import { type CovarianceGiven, factorOf, halfLogDet, solveLower } from './multivariateNormal.ts';
import { broadcastAll, type Parameter } from './parameters.ts';

/** What `Wishart` takes by name. */
export interface WishartArguments extends DistributionOptions, CovarianceGiven {
  /** Degrees of freedom, more than n − 1. */
  df?: Parameter;
}

/** tr(V⁻¹·X) of V = L·Lᵀ and a symmetric X. */
const traceOfRatio = (l: Tensor, x: Tensor): Tensor =>
  solveLower(l, solveLower(l, x).transpose(-2, -1)).diagonal(0, -2, -1).sum(-1);

/**
 * Wishart's distribution (1928) of positive definite matrices [n, n]: the sum of x·xᵀ over `df` normal vectors of mean 0 and the
 * covariance V that is given. Drawn by Bartlett's decomposition (1933), not on webgpu.
 */
export class Wishart extends Distribution {
  readonly df: Tensor;
  readonly scaleTril: Tensor;
  /** `scaleTril` as it was given, without the dimensions in which only `df` varies. */
  readonly factor: Tensor;
  /** Of the squares on the diagonal. */
  private readonly squares: Chi2;

  constructor(
    ...args: Flexible<
      [
        df: Parameter,
        covarianceMatrix: Tensor | null | undefined,
        precisionMatrix: Tensor | null | undefined,
        scaleTril: Tensor | null | undefined,
        validateArgs: boolean | null,
      ],
      WishartArguments
    >
  ) {
    const owner = new.target.name;
    const { validateArgs, ...options } = named<WishartArguments>(
      owner,
      'df covarianceMatrix precisionMatrix scaleTril validateArgs',
      args,
    );
    given(options.df, owner, 'df', 'a Tensor or a number');
    const factor = factorOf(owner, options);
    const { dtype, device } = factor;
    const value = options.df as Parameter;
    const [df] = broadcastAll(
      owner,
      ['df'],
      [typeof value === 'number' ? tensor(value, { dtype, device }) : value],
    );
    const batch = broadcastShapes(factor.shape.slice(0, -2), df.shape, owner, ['scaleTril', 'df']);
    const events = factor.shape.slice(-2);
    super(batch, events, validateArgs);
    this.df = df.expand(batch);
    this.factor = factor;
    this.scaleTril = factor.expand([...batch, ...events]);
    this.checkParameters();
    const freedom = this.df.unsqueeze(-1).sub(arange(events[0], { dtype, device }));
    this.squares = new Chi2(freedom, { validateArgs: false });
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get argConstraints(): { scaleTril: Constraint; df: Constraint } {
    return { scaleTril: lowerCholesky, df: greaterThan(this.eventShape[0] - 1) };
  }
  override get support(): Constraint {
    return positiveDefinite;
  }
  /** V. */
  get covarianceMatrix(): Tensor {
    return this.factor.matmul(this.factor.transpose(-2, -1)).expand(this.scaleTril.shape);
  }
  private get dfOfMatrix(): Tensor {
    return this.df.unsqueeze(-1).unsqueeze(-1);
  }
  override get mean(): Tensor {
    return this.dfOfMatrix.mul(this.covarianceMatrix);
  }
  /** NaN where df ≤ n + 1. */
  override get mode(): Tensor {
    const above = this.dfOfMatrix.sub(this.eventShape[0] + 1);
    return where(above.le(0), Number.NaN, above).mul(this.covarianceMatrix);
  }
  override get variance(): Tensor {
    const v = this.covarianceMatrix;
    const diagonal = v.diagonal(0, -2, -1);
    return this.dfOfMatrix.mul(v.pow(2).add(diagonal.unsqueeze(-1).mul(diagonal.unsqueeze(-2))));
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    return this.withBatch(shape, {
      df: this.df.expand(shape),
      scaleTril: this.scaleTril.expand([...shape, ...this.eventShape]),
      squares: this.squares.expand([...shape, this.eventShape[0]]),
    });
  }
  private drawn(sampleShape: Shape): Tensor {
    const [n] = this.eventShape;
    const { dtype, device } = this.factor;
    const diagonal = this.squares.rsample(sampleShape).sqrt().clampMin(finfo(dtype).eps).diagEmbed();
    const below = randn([...sampleShape, ...this.batchShape, (n * (n - 1)) / 2], { dtype, device });
    const root = this.factor.matmul(diagonal.add(lowerOf(below, n)));
    return root.matmul(root.transpose(-2, -1));
  }
  /** Whether each sample is positive definite, for some of the batch or for all. */
  private definite(samples: Tensor, which: 'some' | 'every'): boolean[] {
    const checks = positiveDefinite.check(samples).reshape([samples.shape[0], -1]);
    return (checks.toArray() as boolean[][]).map((row) => row[which](Boolean));
  }
  /** As PyTorch draws: what is positive definite once more, and that again, ten times at most, where it is not. */
  override rsample(sampleShape?: SampleShape): Tensor {
    const sizes = sizesGiven(sampleShape, 'sampleShape', `${this.constructor.name}.rsample`);
    const count = numElements(sizes);
    const whole = [...sizes, ...this.batchShape, ...this.eventShape];
    let samples = this.drawn(sizes).reshape([count, ...this.batchShape, ...this.eventShape]);
    let again = this.definite(samples, 'some').flatMap((fine, i) => (fine ? [i] : []));
    for (let turn = 0; turn < 10 && again.length > 0; turn++) {
      const fresh = this.drawn([again.length]);
      samples = replaced(samples, again, fresh);
      const fine = this.definite(fresh, 'every');
      again = again.filter((_, i) => !fine[i]);
    }
    return samples.reshape(whole);
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const { df, factor } = this;
    const [n] = this.eventShape;
    const volume = halfLogDet(factor).add((n * Math.LN2) / 2);
    const density = df
      .sub(n + 1)
      .div(2)
      .mul(slogdet<Tensor>(value).logabsdet)
      .sub(traceOfRatio(factor, value).div(2));
    return density.sub(df.mul(volume)).sub(logMultigamma(df.div(2), n));
  }
  override entropy(): Tensor {
    const { df, factor } = this;
    const [n] = this.eventShape;
    const half = df.div(2);
    const volume = halfLogDet(factor).add((n * Math.LN2) / 2);
    const spread = half.sub((n + 1) / 2).mul(multidigamma(half, n));
    return volume
      .mul(n + 1)
      .add(logMultigamma(half, n))
      .sub(spread)
      .add(half.mul(n));
  }
  override klRules(): readonly KlRule[] {
    return [klRule(Wishart, Wishart, divergence)];
  }
}

/** The samples with other ones in some places. */
function replaced(samples: Tensor, places: readonly number[], fresh: Tensor): Tensor {
  const count = samples.shape[0];
  if (places.length === count) return fresh;
  const source = Array.from({ length: count }, (_, i) => i);
  places.forEach((place, i) => {
    source[place] = count + i;
  });
  const index = tensor(source, { dtype: 'int64', device: samples.device });
  return cat<Tensor>([samples, fresh], 0).indexSelect(0, index);
}

/** The difference of the normalizers, and of the means of log det X and of tr(V⁻¹·X). */
function divergence(p: Wishart, q: Wishart): Tensor {
  const [n] = p.eventShape;
  const [half, other] = [p.df.div(2), q.df.div(2)];
  const normalizers = logMultigamma(other, n).sub(logMultigamma(half, n));
  const determinants = half.sub(other).mul(multidigamma(half, n));
  const volumes = q.df.mul(halfLogDet(q.factor).sub(halfLogDet(p.factor)));
  const traces = solveLower(q.factor, p.factor).pow(2).sum([-2, -1]).sub(n).mul(half);
  return normalizers.add(determinants).add(volumes).add(traces);
}
