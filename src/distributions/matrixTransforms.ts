/** Transforms of numbers without bounds to matrices: triangular ones, positive definite ones, and correlations. */
import { ShapeError } from '../core/errors.ts';
import { formatShape, type Shape } from '../core/shape.ts';
import { eye, onesLike, tensor } from '../creation.ts';
import { cat } from '../ops/join.ts';
import { cholesky } from '../ops/solving.ts';
import type { Tensor } from '../tensor.ts';
import { finfo } from '../typeInfo.ts';
import {
  type Constraint,
  corrCholesky,
  independent,
  lowerCholesky,
  positiveDefinite,
  real,
  realVector,
} from './constraints.ts';
import { Transform } from './transform.ts';
import { logTanhSlope } from './transforms.ts';

/** Of square matrices. */
abstract class OfMatrices extends Transform {
  override get domain(): Constraint {
    return independent(real, 2);
  }
  override get eventDim(): number {
    return 2;
  }
}

const exponentialDiagonal = (x: Tensor): Tensor => x.tril(-1).add(x.diagonal(0, -2, -1).exp().diagEmbed());
const logDiagonal = (y: Tensor): Tensor => y.tril(-1).add(y.diagonal(0, -2, -1).log().diagEmbed());

/** Square matrices to lower triangular ones with a positive diagonal, e to theirs. There is no `logAbsDetJacobian`. */
export class LowerCholeskyTransform extends OfMatrices {
  override get codomain(): Constraint {
    return lowerCholesky;
  }
  protected override call(x: Tensor): Tensor {
    return exponentialDiagonal(x);
  }
  protected override inverse(y: Tensor): Tensor {
    return logDiagonal(y);
  }
}

/** Square matrices to positive definite ones, L·Lᵀ of what `LowerCholeskyTransform` gives. There is no `logAbsDetJacobian`. */
export class PositiveDefiniteTransform extends OfMatrices {
  override get codomain(): Constraint {
    return positiveDefinite;
  }
  protected override call(x: Tensor): Tensor {
    const l = exponentialDiagonal(x);
    return l.matmul(l.transpose(-2, -1));
  }
  protected override inverse(y: Tensor): Tensor {
    return logDiagonal(cholesky(y));
  }
}

/** Where the elements below a diagonal of an n × n matrix lie, row by row. */
function placesBelow(n: number, diagonal: number): number[] {
  const places: number[] = [];
  for (let i = 0; i < n; i++) for (let j = 0; j <= i + diagonal; j++) places.push(i * n + j);
  return places;
}

const indices = (places: readonly number[], { device }: Tensor): Tensor =>
  tensor([...places], { dtype: 'int64', device });

/** The elements below the diagonal, row by row: [..., n, n] to [..., n·(n − 1)/2]. */
const below = (x: Tensor, diagonal: number): Tensor =>
  x.flatten(-2).indexSelect(-1, indices(placesBelow(x.shape[x.ndim - 1], diagonal), x));

/** The other way round, with zeros elsewhere. */
export function lowerOf(x: Tensor, n: number): Tensor {
  const source = Array<number>(n * n).fill(x.shape[x.ndim - 1]);
  placesBelow(n, -1).forEach((place, i) => {
    source[place] = i;
  });
  const zero = x.newZeros([...x.shape.slice(0, -1), 1]);
  const whole = cat<Tensor>([x, zero], -1).indexSelect(-1, indices(source, x));
  return whole.reshape([...x.shape.slice(0, -1), n, n]);
}

/** What is left of 1 before each place: 1 first, then `rest` but for its last. */
const shifted = (rest: Tensor): Tensor => {
  const first = rest.narrow(-1, 0, 1);
  return cat<Tensor>([onesLike(first), rest.narrow(-1, 0, rest.shape[rest.ndim - 1] - 1)], -1);
};

/**
 * Vectors of n·(n − 1)/2 numbers to Cholesky factors [n, n] of correlations: tanh of each is a canonical partial correlation, and
 * each row a stick of squared length 1 that they break (Lewandowski, Kurowicka and Joe, 2009; Stan's reference manual).
 */
export class CorrCholeskyTransform extends Transform {
  override get domain(): Constraint {
    return realVector;
  }
  override get codomain(): Constraint {
    return corrCholesky;
  }
  override get eventDim(): number {
    return 1;
  }
  override get codomainEventDim(): number {
    return 2;
  }
  protected override call(x: Tensor): Tensor {
    const n = this.forwardShape(x.shape).at(-1) as number;
    const { dtype, device } = x;
    const { eps } = finfo(dtype);
    const partial = lowerOf(x.tanh().clamp(-1 + eps, 1 - eps), n);
    const rest = partial.square().rsub(1).sqrt().cumprod(-1);
    return partial.add(eye(n, { dtype, device })).mul(shifted(rest));
  }
  protected override inverse(y: Tensor): Tensor {
    this.inverseShape(y.shape);
    const rest = shifted(y.square().cumsum(-1).rsub(1));
    const partial = below(y, -1).div(below(rest, -1).sqrt());
    return partial.log1p().sub(partial.neg().log1p()).div(2);
  }
  /** With respect to what of the matrix lies below its diagonal. */
  override logAbsDetJacobian(x: Tensor, y: Tensor): Tensor {
    const rest = below(y.square().cumsum(-1).rsub(1), -2);
    return rest.log().sum(-1).mul(0.5).add(logTanhSlope(x).sum(-1));
  }
  override forwardShape(shape: Shape): Shape {
    const count = shape.at(-1) ?? -1;
    const n = Math.round(Math.sqrt(0.25 + 2 * count) + 0.5);
    if (count < 0 || (n * (n - 1)) / 2 !== count)
      throw new ShapeError(
        `CorrCholeskyTransform: Input is not a flattened lower-diagonal number: expected n·(n − 1)/2 elements, but got shape ${formatShape(shape)}`,
      );
    return [...shape.slice(0, -1), n, n];
  }
  override inverseShape(shape: Shape): Shape {
    const [rows, columns] = shape.slice(-2);
    if (shape.length < 2 || rows !== columns)
      throw new ShapeError(`CorrCholeskyTransform: Input is not square: got shape ${formatShape(shape)}`);
    return [...shape.slice(0, -2), (rows * (rows - 1)) / 2];
  }
}
