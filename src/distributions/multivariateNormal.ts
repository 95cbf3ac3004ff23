/** The normal distribution of vectors. */
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { snakeCase } from '../core/pythonText.ts';
import { broadcastShapes, formatShape, type Shape } from '../core/shape.ts';
import { eye } from '../creation.ts';
import { tensorGiven } from '../ops/given.ts';
import { cat } from '../ops/join.ts';
import { cholesky } from '../ops/solving.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { type Constraint, lowerCholesky, realVector } from './constraints.ts';
import { Distribution, type DistributionOptions, type SampleShape } from './distribution.ts';
import { standardNormal } from './normal.ts';

/** A covariance by one of three names. */
export interface CovarianceGiven {
  /** The covariance, symmetric and positive definite, [..., n, n]. */
  covarianceMatrix?: Tensor | null;
  /** Its inverse instead. */
  precisionMatrix?: Tensor | null;
  /** L of the covariance L·Lᵀ: lower triangular with a positive diagonal, [..., n, n]. */
  scaleTril?: Tensor | null;
}

/** What `MultivariateNormal` takes by name. */
export interface MultivariateNormalArguments extends DistributionOptions, CovarianceGiven {}

/** L⁻¹·B by forward substitution, for lower triangular L [..., n, n] and B [..., n, m]; what stands before broadcasts. */
export function solveLower(l: Tensor, b: Tensor): Tensor {
  const rows: Tensor[] = [];
  for (let i = 0; i < l.shape[l.ndim - 1]; i++) {
    const row = l.narrow(-2, i, 1);
    const right = b.narrow(-2, i, 1);
    const rest = i === 0 ? right : right.sub(row.narrow(-1, 0, i).matmul(cat<Tensor>(rows, -2)));
    rows.push(rest.div(row.narrow(-1, i, 1)));
  }
  return cat<Tensor>(rows, -2);
}

/** |L⁻¹·x|² for vectors x [..., n]: the squared Mahalanobis distance of the covariance L·Lᵀ. */
export const mahalanobis = (l: Tensor, x: Tensor): Tensor =>
  solveLower(l, x.unsqueeze(-1)).pow(2).sum([-2, -1]);

/** log √det(L·Lᵀ). */
export const halfLogDet = (l: Tensor): Tensor => l.diagonal(0, -2, -1).log().sum(-1);

/** The normal distribution of vectors [n] of mean `loc` [..., n] and covariance scaleTril·scaleTrilᵀ. */
export class MultivariateNormal extends Distribution {
  readonly loc: Tensor;
  readonly scaleTril: Tensor;
  /** `scaleTril` as it was given, without the dimensions in which only `loc` varies. */
  readonly factor: Tensor;

  constructor(
    ...args:
      | [
          loc: Tensor,
          ...Flexible<
            [
              covarianceMatrix: Tensor | null | undefined,
              precisionMatrix: Tensor | null | undefined,
              scaleTril: Tensor | null | undefined,
              validateArgs: boolean | null,
            ],
            MultivariateNormalArguments
          >,
        ]
      | [options: { loc: Tensor } & MultivariateNormalArguments]
  ) {
    const owner = new.target.name;
    const { loc, ...options } = named<{ loc: Tensor } & MultivariateNormalArguments>(
      new.target.name,
      'loc covarianceMatrix precisionMatrix scaleTril validateArgs',
      args,
    );
    tensorGiven(loc, owner, 'loc');
    if (loc.ndim < 1)
      throw new ShapeError(`${owner}: loc must be at least one-dimensional, but got shape []`);
    const because = ` for loc of shape ${formatShape(loc.shape)}`;
    const factor = factorOf(owner, options, loc.shape[loc.ndim - 1], because);
    const batch = broadcastShapes(factor.shape.slice(0, -2), loc.shape.slice(0, -1), owner, [
      'scaleTril',
      'loc',
    ]);
    const events = loc.shape.slice(-1);
    super(batch, events, options.validateArgs);
    this.factor = factor;
    this.scaleTril = factor.expand([...batch, ...events, ...events]);
    this.loc = loc.expand([...batch, ...events]);
    this.checkParameters();
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get argConstraints(): { loc: Constraint; scaleTril: Constraint } {
    return { loc: realVector, scaleTril: lowerCholesky };
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
    return this.factor.pow(2).sum(-1).expand(this.loc.shape);
  }
  /** scaleTril·scaleTrilᵀ. */
  get covarianceMatrix(): Tensor {
    return this.factor.matmul(this.factor.transpose(-2, -1)).expand(this.scaleTril.shape);
  }
  /** The inverse of the covariance. */
  get precisionMatrix(): Tensor {
    const { dtype, device } = this.loc;
    const inverse = solveLower(this.factor, eye(this.eventShape[0], { dtype, device }));
    return inverse.transpose(-2, -1).matmul(inverse).expand(this.scaleTril.shape);
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    const { eventShape } = this;
    return this.withBatch(shape, {
      loc: this.loc.expand([...shape, ...eventShape]),
      scaleTril: this.scaleTril.expand([...shape, ...eventShape, ...eventShape]),
    });
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    const draws = standardNormal(this.extendedShape(sampleShape), this.loc);
    return this.loc.add(this.factor.matmul(draws.unsqueeze(-1)).squeeze(-1));
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const squares = mahalanobis(this.factor, value.sub(this.loc));
    const constant = this.eventShape[0] * Math.log(2 * Math.PI);
    return squares.add(constant).mul(-0.5).sub(halfLogDet(this.factor));
  }
  override entropy(): Tensor {
    const constant = 0.5 * this.eventShape[0] * (1 + Math.log(2 * Math.PI));
    return halfLogDet(this.factor).add(constant).expand(this.batchShape);
  }
}

/** L with L·Lᵀ = P⁻¹: the Cholesky factor of P, turned around, is Lᵀ's inverse turned around. */
function factorOfInverse(precision: Tensor): Tensor {
  const turned = cholesky(precision.flip([-2, -1]))
    .flip([-2, -1])
    .transpose(-2, -1);
  const { dtype, device } = precision;
  return solveLower(turned, eye(precision.shape[precision.ndim - 1], { dtype, device }));
}

/**
 * `scaleTril` from the one matrix that came, which has to be [..., size, size] `because`; its own rows count where there is no size.
 * @throws ArgumentError, ShapeError; LinAlgError if it is not positive definite
 */
export function factorOf(owner: string, options: CovarianceGiven, size?: number, because = ''): Tensor {
  const { covarianceMatrix, precisionMatrix, scaleTril } = options;
  const came = [covarianceMatrix, precisionMatrix, scaleTril].filter((x) => x !== undefined && x !== null);
  if (came.length !== 1) {
    throw new ArgumentError(
      `${owner}: Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified; got ${came.length} ` +
        'of them',
    );
  }
  const [matrix] = came;
  const name =
    matrix === scaleTril ? 'scaleTril' : matrix === covarianceMatrix ? 'covarianceMatrix' : 'precisionMatrix';
  tensorGiven(matrix, owner, name);
  if (matrix.ndim < 2) {
    throw new ShapeError(
      `${owner}: ${snakeCase(name)} matrix must be at least two-dimensional, with optional leading batch dimensions, but ` +
        `got shape ${formatShape(matrix.shape)}`,
    );
  }
  const wanted = size ?? matrix.shape[matrix.ndim - 2];
  if (matrix.shape.slice(-2).some((n) => n !== wanted)) {
    throw new ShapeError(
      `${owner}: expected ${name} to be [..., ${wanted}, ${wanted}]${because}, but got shape ${formatShape(matrix.shape)}`,
    );
  }
  if (name === 'scaleTril') return matrix;
  return name === 'covarianceMatrix' ? cholesky(matrix) : factorOfInverse(matrix);
}
