/** The normal distribution of vectors that vary along few directions, and in each element by itself. */
import { ShapeError } from '../core/errors.ts';
import { broadcastShapes, formatShape, type Shape } from '../core/shape.ts';
import { eye } from '../creation.ts';
import { tensorGiven } from '../ops/given.ts';
import { cat } from '../ops/join.ts';
import { cholesky } from '../ops/solving.ts';
import { formatSize } from '../printing.ts';
import { type ByName, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { type Constraint, independent, positive, real, realVector } from './constraints.ts';
import { Distribution, type DistributionOptions, type SampleShape } from './distribution.ts';
import { type KlRule, klRule } from './klRule.ts';
import { halfLogDet, MultivariateNormal, mahalanobis, solveLower } from './multivariateNormal.ts';
import { standardNormal } from './normal.ts';
import { validationOf } from './parameters.ts';

type LowRankArguments =
  | [loc: Tensor, covFactor: Tensor, covDiag: Tensor, validateArgs?: boolean | null | DistributionOptions]
  | ByName<{ loc: Tensor; covFactor: Tensor; covDiag: Tensor }, ['loc', 'covFactor'], DistributionOptions>;

/**
 * The normal distribution of vectors [n] of mean `loc` [..., n] and covariance W·Wᵀ + D, with W = `covFactor` [..., n, m] and the
 * diagonal D = `covDiag` [..., n]. Determinants and inverses are those of m × m matrices (Woodbury's identity),
 * which are decomposed: not on webgpu, where computed matrices cannot be.
 */
export class LowRankMultivariateNormal extends Distribution {
  readonly loc: Tensor;
  readonly covFactor: Tensor;
  readonly covDiag: Tensor;
  /** `covFactor` and `covDiag` as they were given, without the dimensions in which only others vary. */
  readonly given: { readonly factor: Tensor; readonly diagonal: Tensor };
  /** Wᵀ·D⁻¹, and the Cholesky factor of 1 + Wᵀ·D⁻¹·W. */
  private readonly weighted: Tensor;
  private readonly capacitance: Tensor;

  constructor(...args: LowRankArguments) {
    const owner = new.target.name;
    const names = ['loc', 'covFactor', 'covDiag'];
    const [loc, factor, diagonal, ...rest] = required<[Tensor, Tensor, Tensor]>(owner, names, args);
    const { batch, events } = shapesOf(owner, loc, factor, diagonal);
    super(batch, events, validationOf(owner, rest).validateArgs);
    this.given = { factor, diagonal };
    this.loc = loc.expand([...batch, ...events]);
    this.covFactor = factor.expand([...batch, ...factor.shape.slice(-2)]);
    this.covDiag = diagonal.expand([...batch, ...events]);
    this.checkParameters();
    this.weighted = factor.transpose(-2, -1).div(diagonal.unsqueeze(-2));
    const inner = this.weighted.matmul(factor);
    const { dtype, device } = loc;
    this.capacitance = cholesky(inner.add(eye(inner.shape[inner.ndim - 1], { dtype, device })));
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get argConstraints(): { loc: Constraint; covFactor: Constraint; covDiag: Constraint } {
    return { loc: realVector, covFactor: independent(real, 2), covDiag: independent(positive, 1) };
  }
  override get support(): Constraint {
    return realVector;
  }
  override get mean(): Tensor {
    return this.loc;
  }
  override get mode(): Tensor {
    return this.loc;
  }
  override get variance(): Tensor {
    const { factor, diagonal } = this.given;
    return factor.pow(2).sum(-1).add(diagonal).expand(this.loc.shape);
  }
  /** L with covariance L·Lᵀ, lower triangular: by way of a matrix whose eigenvalues are not below 1. */
  get scaleTril(): Tensor {
    const { factor, diagonal } = this.given;
    const root = diagonal.sqrt().unsqueeze(-1);
    const scaled = factor.div(root);
    const { dtype, device } = factor;
    const whole = scaled.matmul(scaled.transpose(-2, -1)).add(eye(this.eventShape[0], { dtype, device }));
    return root.mul(cholesky(whole)).expand(this.matrixShape);
  }
  /** W·Wᵀ + D. */
  get covarianceMatrix(): Tensor {
    const { factor, diagonal } = this.given;
    return factor.matmul(factor.transpose(-2, -1)).add(diagonal.diagEmbed()).expand(this.matrixShape);
  }
  /** The inverse of the covariance. */
  get precisionMatrix(): Tensor {
    const part = solveLower(this.capacitance, this.weighted);
    const inverse = this.given.diagonal.reciprocal().diagEmbed();
    return inverse.sub(part.transpose(-2, -1).matmul(part)).expand(this.matrixShape);
  }
  private get matrixShape(): Shape {
    return [...this.batchShape, ...this.eventShape, ...this.eventShape];
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    return this.withBatch(shape, {
      loc: this.loc.expand([...shape, ...this.eventShape]),
      covFactor: this.covFactor.expand([...shape, ...this.covFactor.shape.slice(-2)]),
      covDiag: this.covDiag.expand([...shape, ...this.eventShape]),
    });
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    const shape = this.extendedShape(sampleShape);
    const { factor, diagonal } = this.given;
    const along = standardNormal([...shape.slice(0, -1), ...factor.shape.slice(-1)], this.loc);
    const own = standardNormal(shape, this.loc);
    const common = factor.matmul(along.unsqueeze(-1)).squeeze(-1);
    return this.loc.add(common).add(diagonal.sqrt().mul(own));
  }
  /** log √det of the covariance, [...]. */
  halfLogDet(): Tensor {
    return halfLogDet(this.capacitance).add(this.given.diagonal.log().sum(-1).mul(0.5));
  }
  /** The trace of Fᵀ·covariance⁻¹·F for F [..., n, k]: the squared Mahalanobis distances of its columns. */
  squaredDistances(columns: Tensor): Tensor {
    const near = columns.pow(2).div(this.given.diagonal.unsqueeze(-1)).sum([-2, -1]);
    return near.sub(solveLower(this.capacitance, this.weighted.matmul(columns)).pow(2).sum([-2, -1]));
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const squares = this.squaredDistances(value.sub(this.loc).unsqueeze(-1));
    const constant = this.eventShape[0] * Math.log(2 * Math.PI);
    return squares.add(constant).mul(-0.5).sub(this.halfLogDet());
  }
  override entropy(): Tensor {
    const constant = 0.5 * this.eventShape[0] * (1 + Math.log(2 * Math.PI));
    return this.halfLogDet().add(constant).expand(this.batchShape);
  }
  override klRules(): readonly KlRule[] {
    return [
      klRule(LowRankMultivariateNormal, LowRankMultivariateNormal, divergence),
      klRule(MultivariateNormal, LowRankMultivariateNormal, divergence),
      klRule(LowRankMultivariateNormal, MultivariateNormal, divergence),
    ];
  }
}

/** @throws ShapeError naming the argument that does not fit the others */
function shapesOf(owner: string, loc: Tensor, factor: Tensor, diagonal: Tensor) {
  for (const [name, x, rank] of [
    ['loc', loc, 1],
    ['covFactor', factor, 2],
    ['covDiag', diagonal, 1],
  ] as const) {
    tensorGiven(x, owner, name);
    if (x.ndim < rank)
      throw new ShapeError(
        `${owner}: ${name} must be at least ${rank === 1 ? 'one' : 'two'}-dimensional, but got shape ${formatShape(x.shape)}`,
      );
  }
  const events = loc.shape.slice(-1);
  const [n] = events;
  const refuse = (name: string, expected: string, { shape }: Tensor): never => {
    throw new ShapeError(
      `${owner}: expected ${name} to be ${expected} for loc of shape ${formatShape(loc.shape)}, but got shape ${formatShape(shape)}`,
    );
  };
  if (factor.shape[factor.ndim - 2] !== n) refuse('covFactor', `[..., ${n}, m]`, factor);
  if (diagonal.shape[diagonal.ndim - 1] !== n) refuse('covDiag', `[..., ${n}]`, diagonal);
  const inner = broadcastShapes(factor.shape.slice(0, -2), diagonal.shape.slice(0, -1), owner, [
    'covFactor',
    'covDiag',
  ]);
  const batch = broadcastShapes(inner, loc.shape.slice(0, -1), owner, ['covFactor', 'loc']);
  return { batch, events };
}

type Vectors = LowRankMultivariateNormal | MultivariateNormal;

/** Columns whose sum of squares is the covariance. */
function columnsOf(p: Vectors): Tensor {
  if (p instanceof MultivariateNormal) return p.factor;
  const { factor, diagonal } = p.given;
  const roots = diagonal.sqrt().diagEmbed();
  const batch = broadcastShapes(factor.shape.slice(0, -2), roots.shape.slice(0, -2), 'klDivergence');
  return cat<Tensor>(
    [factor, roots].map((x) => x.expand([...batch, ...x.shape.slice(-2)])),
    -1,
  );
}

function divergence(p: Vectors, q: Vectors): Tensor {
  const [n, m] = [p.eventShape[0], q.eventShape[0]];
  if (n !== m)
    throw new ShapeError(
      'klDivergence: KL-divergence between two (Low Rank) Multivariate Normals with different event shapes cannot be computed; got ' +
        `${formatSize([n])} and ${formatSize([m])}`,
    );
  const half = (x: Vectors): Tensor =>
    x instanceof MultivariateNormal ? halfLogDet(x.factor) : x.halfLogDet();
  const columns = columnsOf(p);
  const shift = q.loc.sub(p.loc);
  const [trace, distance] =
    q instanceof MultivariateNormal
      ? [solveLower(q.factor, columns).pow(2).sum([-2, -1]), mahalanobis(q.factor, shift)]
      : [q.squaredDistances(columns), q.squaredDistances(shift.unsqueeze(-1))];
  return half(q).sub(half(p)).add(trace.add(distance).sub(n).mul(0.5));
}
