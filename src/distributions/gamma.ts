/** Distributions that are made of gamma variables. */
import { noGrad } from '../autograd/gradMode.ts';
import { ShapeError } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import { onesLike } from '../creation.ts';
import { where } from '../functions.ts';
import { standardDirichlet, standardGamma } from '../ops/gamma.ts';
import { given, operandGiven, tensorGiven } from '../ops/given.ts';
import { stack } from '../ops/join.ts';
import { xlogy } from '../ops/pairs.ts';
import { type ByName, type Flexible, named, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { finfo } from '../typeInfo.ts';
import {
  type Constraint,
  independent,
  nonnegative,
  positive,
  real,
  simplex,
  unitInterval,
} from './constraints.ts';
import { Distribution, type DistributionOptions, type Parameters, type SampleShape } from './distribution.ts';
import { betaRules, dirichletRules, gammaRules } from './gammaDivergences.ts';
import type { KlRule } from './klRule.ts';
import { standardNormal } from './normal.ts';
import { broadcastAll, Elementwise, type One, type Parameter, type Two, validationOf } from './parameters.ts';

/**
 * The gamma distribution: rate^concentration · x^(concentration − 1) · e^(−rate·x) / Γ(concentration). Samples are
 * PyTorch's; their gradients are exact to some 10 places, PyTorch's to 3 or 4, and have no derivative. There is no `cdf`.
 * On webgpu, concentrations must have been given, not computed there, to be drawn with; here and in all that follow.
 */
export class Gamma extends Elementwise {
  declare readonly concentration: Tensor;
  declare readonly rate: Tensor;

  constructor(...args: Two<'concentration', 'rate'>) {
    super(['concentration', 'rate'], args);
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get argConstraints(): { readonly [name: string]: Constraint } {
    return { concentration: positive, rate: positive };
  }
  override get support(): Constraint {
    return nonnegative;
  }
  override get mean(): Tensor {
    return this.concentration.div(this.rate);
  }
  override get mode(): Tensor {
    return this.concentration.sub(1).div(this.rate).clampMin(0);
  }
  override get variance(): Tensor {
    return this.concentration.div(this.rate.pow(2));
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    const { concentration, rate } = this;
    return this.withBatch(shape, { concentration: concentration.expand(shape), rate: rate.expand(shape) });
  }
  /** @throws DeviceError where concentrations cannot be read at once: their values decide how much is drawn */
  override rsample(sampleShape?: SampleShape): Tensor {
    const shape = this.extendedShape(sampleShape);
    const value = standardGamma<Tensor>(this.concentration.expand(shape)).div(this.rate.expand(shape));
    // A rate that takes the value below the smallest number is no reason for it to be 0, nor to have no gradient.
    noGrad(() => value.detach().clampMin_(finfo(value.dtype).tiny));
    return value;
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const { concentration, rate } = this;
    const density = xlogy<Tensor>(concentration, rate).add(xlogy<Tensor>(concentration.sub(1), value));
    return density.sub(rate.mul(value)).sub(concentration.lgamma());
  }
  override entropy(): Tensor {
    const { concentration, rate } = this;
    const spread = concentration.rsub(1).mul(concentration.digamma());
    return concentration.sub(rate.log()).add(concentration.lgamma()).add(spread);
  }
  override klRules(): readonly KlRule[] {
    return gammaRules(Gamma);
  }
}

/** The sum of the squares of `df` normal variables: a gamma distribution of concentration df/2 and rate 1/2. */
export class Chi2 extends Gamma {
  constructor(...args: One<'df'>) {
    const owner = new.target.name;
    const [df, ...rest] = required<[Parameter]>(owner, ['df'], args);
    operandGiven(df, owner, 'df');
    super(typeof df === 'number' ? df / 2 : df.div(2), 0.5, validationOf(owner, rest));
  }
  override get argConstraints(): { readonly [name: string]: Constraint } {
    return { df: positive };
  }
  /** The degrees of freedom. */
  get df(): Tensor {
    return this.concentration.mul(2);
  }
  override toString(): string {
    return `${this.constructor.name}()`;
  }
}

/** `(concentration)`, `(concentration, validateArgs)`, `({ concentration })`. */
type DirichletArguments =
  | [concentration: Tensor, validateArgs?: boolean | null | DistributionOptions]
  | ByName<{ concentration: Tensor }, [], DistributionOptions>;

/**
 * Vectors of shares that sum to 1: Γ(Σ αᵢ) · Π xᵢ^(αᵢ − 1) / Γ(αᵢ), α being the last dimension of `concentration`. Samples
 * and gradients as those of `Gamma`.
 */
export class Dirichlet extends Distribution {
  readonly concentration: Tensor;

  constructor(...args: DirichletArguments) {
    const owner = new.target.name;
    const [concentration, ...rest] = required<[Tensor]>(owner, ['concentration'], args);
    tensorGiven(concentration, owner, 'concentration');
    if (concentration.ndim < 1)
      throw new ShapeError(
        `${owner}: \`concentration\` parameter must be at least one-dimensional, but got shape []`,
      );
    const { shape } = concentration;
    super(shape.slice(0, -1), shape.slice(-1), validationOf(owner, rest).validateArgs);
    this.concentration = concentration;
    this.checkParameters();
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get argConstraints(): { concentration: Constraint } {
    return { concentration: independent(positive, 1) };
  }
  override get support(): Constraint {
    return simplex;
  }
  protected get total(): Tensor {
    return this.concentration.sum(-1, true);
  }
  override get mean(): Tensor {
    return this.concentration.div(this.total);
  }
  /** Where all of `concentration` are below 1, every corner is one: the first. */
  override get mode(): Tensor {
    const above = this.concentration.sub(1).clampMin(0);
    const corner = onesLike(above).cumsum(-1).eq(1).to(above.dtype);
    return where(this.concentration.lt(1).all(-1, true), corner, above.div(above.sum(-1, true)));
  }
  override get variance(): Tensor {
    const { concentration, total } = this;
    return concentration.mul(total.sub(concentration)).div(total.pow(2).mul(total.add(1)));
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    return standardDirichlet<Tensor>(this.concentration.expand(this.extendedShape(sampleShape)));
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    return xlogy<Tensor>(this.concentration.sub(1), value).sum(-1).sub(this.logNormalizer());
  }
  /** Σ log Γ(αᵢ) − log Γ(Σ αᵢ), [...batchShape]. */
  logNormalizer(): Tensor {
    return this.concentration.lgamma().sum(-1).sub(this.concentration.sum(-1).lgamma());
  }
  override entropy(): Tensor {
    const { concentration } = this;
    const total = concentration.sum(-1);
    const ofTotal = total.sub(this.eventShape[0]).mul(total.digamma());
    return this.logNormalizer().add(ofTotal).sub(concentration.sub(1).mul(concentration.digamma()).sum(-1));
  }
  override klRules(): readonly KlRule[] {
    return dirichletRules(Dirichlet);
  }
}

/** A share between 0 and 1: x^(concentration1 − 1) · (1 − x)^(concentration0 − 1) / B. Samples as those of `Dirichlet`. */
export class Beta extends Distribution {
  /** The distribution of the share and of what it leaves. */
  readonly dirichlet: Dirichlet;

  constructor(...args: Two<'concentration1', 'concentration0'>) {
    const owner = new.target.name;
    const names = ['concentration1', 'concentration0'];
    const [one, zero, ...rest] = required<[Parameter, Parameter]>(owner, names, args);
    const both = stack<Tensor>(broadcastAll(owner, names, [one, zero]), -1);
    const dirichlet = new Dirichlet(both, validationOf(owner, rest));
    super(dirichlet.batchShape, [], dirichlet.validateArgs);
    this.dirichlet = dirichlet;
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get argConstraints(): { concentration1: Constraint; concentration0: Constraint } {
    return { concentration1: positive, concentration0: positive };
  }
  override get support(): Constraint {
    return unitInterval;
  }
  protected override get parameters(): Parameters {
    return {};
  }
  get concentration1(): Tensor {
    return this.dirichlet.concentration.select(-1, 0);
  }
  get concentration0(): Tensor {
    return this.dirichlet.concentration.select(-1, 1);
  }
  override get mean(): Tensor {
    return this.concentration1.div(this.concentration1.add(this.concentration0));
  }
  override get mode(): Tensor {
    return this.dirichlet.mode.select(-1, 0);
  }
  override get variance(): Tensor {
    return this.dirichlet.variance.select(-1, 0);
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    return this.withBatch(shape, { dirichlet: this.dirichlet.expand(shape) });
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    return this.dirichlet.rsample(sampleShape).select(-1, 0);
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    return this.dirichlet.logProb(stack<Tensor>([value, value.rsub(1)], -1));
  }
  override entropy(): Tensor {
    return this.dirichlet.entropy();
  }
  override klRules(): readonly KlRule[] {
    return betaRules(Beta, Gamma);
  }
}

/** What `StudentT` takes by name. */
export interface StudentTArguments extends DistributionOptions {
  df?: Parameter;
  /** Default 0. */
  loc?: Parameter;
  /** Default 1. */
  scale?: Parameter;
}

/**
 * Student's distribution of `df` degrees of freedom, moved by `loc` and stretched by `scale`: a normal variable divided
 * by the root of a `Chi2` one over df.
 */
export class StudentT extends Distribution {
  readonly df: Tensor;
  readonly loc: Tensor;
  readonly scale: Tensor;
  private readonly chi2: Chi2;

  constructor(
    ...args: Flexible<
      [df: Parameter, loc: Parameter, scale: Parameter, validateArgs: boolean | null],
      StudentTArguments
    >
  ) {
    const owner = new.target.name;
    const names = ['df', 'loc', 'scale'] as const;
    const options = named<StudentTArguments>(owner, 'df loc scale validateArgs', args);
    const values = [
      given(options.df, owner, 'df', 'a Tensor or a number'),
      options.loc ?? 0,
      options.scale ?? 1,
    ];
    const [df, loc, scale] = broadcastAll(owner, names, values as Parameter[]);
    super(df.shape, [], options.validateArgs);
    this.df = df;
    this.loc = loc;
    this.scale = scale;
    this.chi2 = new Chi2(df);
    this.checkParameters();
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get argConstraints(): { df: Constraint; loc: Constraint; scale: Constraint } {
    return { df: positive, loc: real, scale: positive };
  }
  override get support(): Constraint {
    return real;
  }
  /** NaN where df ≤ 1. */
  override get mean(): Tensor {
    return where(this.df.le(1), Number.NaN, this.loc);
  }
  override get mode(): Tensor {
    return this.loc;
  }
  /** Infinite where 1 < df ≤ 2, NaN below. */
  override get variance(): Tensor {
    const { df, scale } = this;
    const above = df.gt(2);
    const inner = where(above, df, 3);
    const finite = scale.pow(2).mul(inner).div(inner.sub(2));
    return where(df.le(1), Number.NaN, where(above, finite, Number.POSITIVE_INFINITY));
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    return Object.assign(super.expand(batchShape), { chi2: this.chi2.expand(shape) });
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    const draws = standardNormal(this.extendedShape(sampleShape), this.df);
    const ratio = this.chi2.rsample(sampleShape).div(this.df);
    return this.loc.add(this.scale.mul(draws.mul(ratio.rsqrt())));
  }
  /** log B(df/2, 1/2) + log(df)/2. */
  protected logNormalizer(): Tensor {
    const half = this.df.mul(0.5);
    const beta = half
      .lgamma()
      .add(Math.log(Math.PI) / 2)
      .sub(half.add(0.5).lgamma());
    return this.df.log().mul(0.5).add(beta);
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const { df, loc, scale } = this;
    const squares = value.sub(loc).div(scale).pow(2).div(df).log1p();
    return df.add(1).mul(-0.5).mul(squares).sub(scale.log()).sub(this.logNormalizer());
  }
  override entropy(): Tensor {
    const { df, scale } = this;
    const further = df.add(1).mul(0.5);
    const spread = further.mul(further.digamma().sub(df.mul(0.5).digamma()));
    return scale.log().add(spread).add(this.logNormalizer());
  }
}
