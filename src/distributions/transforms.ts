/** Functions of samples, nearly all invertible, with what they do to densities. */
import { ShapeError } from '../core/errors.ts';
import { broadcastShapes, type Shape } from '../core/shape.ts';
import { fullLike, ones, onesLike } from '../creation.ts';
import { logsigmoid, softplus } from '../ops/activation.ts';
import { cat } from '../ops/join.ts';
import { type ByName, named, required } from '../tensor/namedArguments.ts';
import { Tensor } from '../tensor.ts';
import { finfo } from '../typeInfo.ts';
import {
  type Constraint,
  independent,
  positive,
  real,
  realVector,
  simplex,
  unitInterval,
} from './constraints.ts';
import { sumRightmost } from './parameters.ts';
import { Transform, type TransformOptions } from './transform.ts';

/** Rising functions of single numbers. */
abstract class Rising extends Transform {
  override get sign(): number {
    return 1;
  }
}

/** y = eˣ. */
export class ExpTransform extends Rising {
  override get domain(): Constraint {
    return real;
  }
  override get codomain(): Constraint {
    return positive;
  }
  protected override call(x: Tensor): Tensor {
    return x.exp();
  }
  protected override inverse(y: Tensor): Tensor {
    return y.log();
  }
  override logAbsDetJacobian(x: Tensor): Tensor {
    return x;
  }
}

/** Moved into the open interval (0, 1), so that logarithms are finite. */
function clipped(y: Tensor): Tensor {
  const { tiny, eps } = finfo(y.dtype);
  return y.clamp(tiny, 1 - eps);
}

/** y = 1/(1 + e⁻ˣ). */
export class SigmoidTransform extends Rising {
  override get domain(): Constraint {
    return real;
  }
  override get codomain(): Constraint {
    return unitInterval;
  }
  protected override call(x: Tensor): Tensor {
    return clipped(x.sigmoid());
  }
  protected override inverse(y: Tensor): Tensor {
    const inside = clipped(y);
    return inside.log().sub(inside.neg().log1p());
  }
  override logAbsDetJacobian(x: Tensor): Tensor {
    return softplus(x.neg()).neg().sub(softplus(x));
  }
}

/** y = log(1 + eˣ). */
export class SoftplusTransform extends Rising {
  override get domain(): Constraint {
    return real;
  }
  override get codomain(): Constraint {
    return positive;
  }
  protected override call(x: Tensor): Tensor {
    return softplus(x);
  }
  protected override inverse(y: Tensor): Tensor {
    return y.neg().expm1().neg().log().add(y);
  }
  override logAbsDetJacobian(x: Tensor): Tensor {
    return softplus(x.neg()).neg();
  }
}

/** log(1 − tanh²x) as 2·(log 2 − x − softplus(−2x)), which does not overflow. */
export const logTanhSlope = (x: Tensor): Tensor =>
  x
    .rsub(Math.LN2)
    .sub(softplus(x.mul(-2)))
    .mul(2);

/** y = tanh x. Its inverse is exact near ±1 only for what is kept: give `{ cacheSize: 1 }`. */
export class TanhTransform extends Rising {
  override get domain(): Constraint {
    return real;
  }
  override get codomain(): Constraint {
    return {
      check: (y) => y.ge(-1).logicalAnd(y.le(1)),
      toString: () => 'Interval(lower_bound=-1.0, upper_bound=1.0)',
    };
  }
  protected override call(x: Tensor): Tensor {
    return x.tanh();
  }
  protected override inverse(y: Tensor): Tensor {
    return y.atanh();
  }
  override logAbsDetJacobian(x: Tensor): Tensor {
    return logTanhSlope(x);
  }
}

/** y = |x|; not invertible. */
export class AbsTransform extends Transform {
  override get domain(): Constraint {
    return real;
  }
  override get codomain(): Constraint {
    return positive;
  }
  override get bijective(): boolean {
    return false;
  }
  protected override call(x: Tensor): Tensor {
    return x.abs();
  }
  protected override inverse(y: Tensor): Tensor {
    return y;
  }
}

const shapeOf = (x: Tensor | number): Shape => (typeof x === 'number' ? [] : x.shape);
const same = (a: Tensor | number, b: Tensor | number): boolean =>
  a === b || (a instanceof Tensor && b instanceof Tensor && a.equal(b));
const signOf = (x: Tensor | number): Tensor | number => (typeof x === 'number' ? Math.sign(x) : x.sign());

/** y = x^exponent, of positive numbers. */
export class PowerTransform extends Transform {
  readonly exponent: Tensor | number;
  constructor(
    ...args:
      | [exponent: Tensor | number, cacheSize?: number | TransformOptions]
      | ByName<{ exponent: Tensor | number }, [], TransformOptions>
  ) {
    const [exponent, ...rest] = required<[Tensor | number]>(new.target.name, ['exponent'], args);
    super(named<TransformOptions>(new.target.name, 'cacheSize', rest));
    this.exponent = exponent;
  }
  override get domain(): Constraint {
    return positive;
  }
  override get codomain(): Constraint {
    return positive;
  }
  override get sign(): Tensor | number {
    return signOf(this.exponent);
  }
  protected override call(x: Tensor): Tensor {
    return x.pow(this.exponent);
  }
  protected override inverse(y: Tensor): Tensor {
    const { exponent } = this;
    return y.pow(typeof exponent === 'number' ? 1 / exponent : exponent.reciprocal());
  }
  override logAbsDetJacobian(x: Tensor, y: Tensor): Tensor {
    return y.mul(this.exponent).div(x).abs().log();
  }
  override forwardShape(shape: Shape): Shape {
    return broadcastShapes(shape, shapeOf(this.exponent), 'PowerTransform');
  }
  override inverseShape(shape: Shape): Shape {
    return this.forwardShape(shape);
  }
  override equals(other: Transform): boolean {
    return other instanceof PowerTransform && same(this.exponent, other.exponent);
  }
}

/** y = loc + scale · x. */
export class AffineTransform extends Transform {
  readonly loc: Tensor | number;
  readonly scale: Tensor | number;
  readonly #eventDim: number;
  constructor(
    ...args:
      | [loc: Tensor | number, scale: Tensor | number, eventDim?: number | AffineOptions, cacheSize?: number]
      | ByName<{ loc: Tensor | number; scale: Tensor | number }, ['loc'], AffineOptions>
  ) {
    const owner = new.target.name;
    const [loc, scale, ...rest] = required<[Tensor | number, Tensor | number]>(owner, ['loc', 'scale'], args);
    const { eventDim = 0, ...options } = named<AffineOptions>(owner, 'eventDim cacheSize', rest);
    super(options);
    this.loc = loc;
    this.scale = scale;
    this.#eventDim = eventDim;
  }
  override get eventDim(): number {
    return this.#eventDim;
  }
  override get domain(): Constraint {
    return this.eventDim === 0 ? real : independent(real, this.eventDim);
  }
  override get codomain(): Constraint {
    return this.domain;
  }
  override get sign(): Tensor | number {
    return signOf(this.scale);
  }
  protected override call(x: Tensor): Tensor {
    return x.mul(this.scale).add(this.loc);
  }
  protected override inverse(y: Tensor): Tensor {
    return y.sub(this.loc).div(this.scale);
  }
  override logAbsDetJacobian(x: Tensor): Tensor {
    const { scale } = this;
    const slope = typeof scale === 'number' ? fullLike(x, Math.log(Math.abs(scale))) : scale.abs().log();
    return sumRightmost(slope.expand(x.shape), this.eventDim);
  }
  override forwardShape(shape: Shape): Shape {
    const parameters = broadcastShapes(shapeOf(this.loc), shapeOf(this.scale), 'AffineTransform');
    return broadcastShapes(shape, parameters, 'AffineTransform');
  }
  override inverseShape(shape: Shape): Shape {
    return this.forwardShape(shape);
  }
  override equals(other: Transform): boolean {
    return other instanceof AffineTransform && same(this.loc, other.loc) && same(this.scale, other.scale);
  }
}

export interface AffineOptions extends TransformOptions {
  /** How many dimensions an event has. Default 0. */
  eventDim?: number;
}

/** Vectors to probabilities, e to each by their sum; not invertible. */
export class SoftmaxTransform extends Transform {
  override get domain(): Constraint {
    return realVector;
  }
  override get codomain(): Constraint {
    return simplex;
  }
  override get eventDim(): number {
    return 1;
  }
  override get bijective(): boolean {
    return false;
  }
  protected override call(x: Tensor): Tensor {
    return x.softmax(-1);
  }
  protected override inverse(y: Tensor): Tensor {
    return y.log();
  }
}

/** Vectors of n numbers to n + 1 probabilities: each breaks off a part of what is left of a stick of length 1. */
export class StickBreakingTransform extends Transform {
  override get domain(): Constraint {
    return realVector;
  }
  override get codomain(): Constraint {
    return simplex;
  }
  override get eventDim(): number {
    return 1;
  }
  protected override call(x: Tensor): Tensor {
    const part = clipped(x.sub(logLeft(x)).sigmoid());
    const left = part.rsub(1).cumprod(-1);
    const whole = onesLike(x.narrow(-1, 0, 1));
    return cat([part, whole], -1).mul(cat([whole, left], -1));
  }
  protected override inverse(y: Tensor): Tensor {
    const parts = y.narrow(-1, 0, y.shape[y.ndim - 1] - 1);
    const left = parts.cumsum(-1).rsub(1).clampMin(finfo(y.dtype).tiny);
    return parts.log().sub(left.log()).add(logLeft(parts));
  }
  override logAbsDetJacobian(x: Tensor, y: Tensor): Tensor {
    const centred = x.sub(logLeft(x));
    const parts = y.narrow(-1, 0, y.shape[y.ndim - 1] - 1);
    return centred.neg().add(logsigmoid(centred)).add(parts.log()).sum(-1);
  }
  override forwardShape(shape: Shape): Shape {
    return [...shape.slice(0, -1), lastOf(shape) + 1];
  }
  override inverseShape(shape: Shape): Shape {
    return [...shape.slice(0, -1), lastOf(shape) - 1];
  }
}

function lastOf(shape: Shape): number {
  const last = shape.at(-1);
  if (last === undefined) throw new ShapeError('StickBreakingTransform: Too few dimensions on input');
  return last;
}

/** log n, log(n − 1), … log 1 along the last dimension, in x's dtype. */
function logLeft(x: Tensor): Tensor {
  const n = x.shape[x.ndim - 1];
  return ones([n], { dtype: x.dtype, device: x.device })
    .cumsum(0)
    .rsub(n + 1)
    .log();
}
