/** The distribution of correlations. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import { where } from '../functions.ts';
import { arange } from '../sequences.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { finfo } from '../typeInfo.ts';
import { type Constraint, corrCholesky, positive } from './constraints.ts';
import { Distribution, type DistributionOptions, type SampleShape } from './distribution.ts';
import { Beta } from './gamma.ts';
import { logMultigamma } from './multigamma.ts';
import { standardNormal } from './normal.ts';
import { broadcastAll, type Parameter } from './parameters.ts';

/** What `LKJCholesky` takes by name. */
export interface LKJCholeskyArguments extends DistributionOptions {
  /** How many rows and columns the matrices have, from 2 on. */
  dim?: number;
  /** 1, the default, is uniform over all correlations; the larger it is, the weaker they are. */
  concentration?: Parameter;
}

/**
 * Cholesky factors L [dim, dim] of random correlation matrices, whose density is det(L·Lᵀ)^(concentration − 1) up to a constant.
 * Drawn by the onion method (Lewandowski, Kurowicka and Joe, 2009).
 */
export class LKJCholesky extends Distribution {
  readonly dim: number;
  readonly concentration: Tensor;
  /** Of the squared length of what stands before the diagonal in each row. */
  private readonly lengths: Beta;

  constructor(
    ...args: Flexible<
      [dim: number, concentration: Parameter, validateArgs: boolean | null],
      LKJCholeskyArguments
    >
  ) {
    const owner = new.target.name;
    const options = named<LKJCholeskyArguments>(owner, 'dim concentration validateArgs', args);
    const { dim, concentration: given = 1, validateArgs } = options;
    if (dim === undefined || !Number.isInteger(dim) || dim < 2)
      throw new ArgumentError(
        `${owner}: Expected dim to be an integer greater than or equal to 2. Found dim=${String(dim)}.`,
      );
    const [concentration] = broadcastAll(owner, ['concentration'], [given]);
    super(concentration.shape, [dim, dim], validateArgs);
    this.dim = dim;
    this.concentration = concentration;
    this.checkParameters();
    const { dtype, device } = concentration;
    const before = arange(-1, dim - 1, { dtype, device }).clampMin(0);
    const rest = concentration.add(0.5 * (dim - 2)).unsqueeze(-1);
    this.lengths = new Beta(before.add(0.5), rest.sub(before.mul(0.5)), { validateArgs: false });
  }
  override get argConstraints(): { concentration: Constraint } {
    return { concentration: positive };
  }
  override get support(): Constraint {
    return corrCholesky;
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    return this.withBatch(shape, {
      concentration: this.concentration.expand(shape),
      lengths: this.lengths.expand([...shape, this.dim]),
    });
  }
  override sample(sampleShape?: SampleShape): Tensor {
    return noGrad(() => {
      const squared = this.lengths.sample(sampleShape).unsqueeze(-1);
      const normal = standardNormal(this.extendedShape(sampleShape), squared).tril(-1);
      const norm = normal.square().sum(-1, true).sqrt();
      // In the first row nothing stands before the diagonal.
      const direction = where(norm.eq(0), 0, normal.div(norm));
      const below = squared.sqrt().mul(direction);
      const diagonal = below.square().sum(-1).rsub(1).clampMin(finfo(below.dtype).tiny).sqrt();
      return below.add(diagonal.diagEmbed());
    });
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const { concentration, dim } = this;
    const { dtype, device } = concentration;
    const diagonal = value.diagonal(0, -2, -1).narrow(-1, 1, dim - 1);
    const order = concentration
      .sub(1)
      .mul(2)
      .unsqueeze(-1)
      .add(arange(dim - 2, -1, -1, { dtype, device }));
    const alpha = concentration.add(0.5 * (dim - 1));
    const constant = 0.5 * (dim - 1) * Math.log(Math.PI);
    const normalizer = logMultigamma(alpha.sub(0.5), dim - 1).sub(alpha.lgamma().mul(dim - 1));
    return order.mul(diagonal.log()).sum(-1).sub(normalizer.add(constant));
  }
}
