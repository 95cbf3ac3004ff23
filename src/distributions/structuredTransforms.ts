/** Transforms of shapes, of parts by parts, and by distribution functions. */
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { formatShape, normalizeDim, numElements, type Shape, sameShape } from '../core/shape.ts';
import { cat, stack } from '../ops/join.ts';
import { type ByName, named, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import * as constraints from './constraints.ts';
import { type Constraint, independent, real, unitInterval } from './constraints.ts';
import { Distribution } from './distribution.ts';
import { sumRightmost } from './parameters.ts';
import { sameTransforms, Transform, type TransformOptions } from './transform.ts';

/** Events of shape `inShape` as ones of shape `outShape`, with the same elements. */
export class ReshapeTransform extends Transform {
  readonly inShape: Shape;
  readonly outShape: Shape;

  constructor(
    ...args:
      | [inShape: Shape, outShape: Shape, cacheSize?: number | TransformOptions]
      | ByName<{ inShape: Shape; outShape: Shape }, ['inShape'], TransformOptions>
  ) {
    const owner = new.target.name;
    const [inShape, outShape, ...rest] = required<[Shape, Shape]>(owner, ['inShape', 'outShape'], args);
    super(named<TransformOptions>(owner, 'cacheSize', rest));
    if (numElements(inShape) !== numElements(outShape))
      throw new ShapeError(
        `${owner}: in_shape, out_shape have different numbers of elements: ${formatShape(inShape)} and ${formatShape(outShape)}`,
      );
    this.inShape = [...inShape];
    this.outShape = [...outShape];
  }
  override get domain(): Constraint {
    return independent(real, this.eventDim);
  }
  override get codomain(): Constraint {
    return independent(real, this.codomainEventDim);
  }
  override get eventDim(): number {
    return this.inShape.length;
  }
  override get codomainEventDim(): number {
    return this.outShape.length;
  }
  protected override call(x: Tensor): Tensor {
    return x.reshape(this.forwardShape(x.shape));
  }
  protected override inverse(y: Tensor): Tensor {
    return y.reshape(this.inverseShape(y.shape));
  }
  override logAbsDetJacobian(x: Tensor): Tensor {
    return x.newZeros(batchOf(x.shape, this.inShape));
  }
  override forwardShape(shape: Shape): Shape {
    return [...batchOf(shape, this.inShape), ...this.outShape];
  }
  override inverseShape(shape: Shape): Shape {
    return [...batchOf(shape, this.outShape), ...this.inShape];
  }
  override equals(other: Transform): boolean {
    return (
      other instanceof ReshapeTransform &&
      sameShape(this.inShape, other.inShape) &&
      sameShape(this.outShape, other.outShape)
    );
  }
}

/** What stands before an event. @throws ShapeError where the end is no such event */
function batchOf(shape: Shape, event: Shape): Shape {
  const cut = shape.length - event.length;
  if (cut < 0)
    throw new ShapeError(
      `ReshapeTransform: Too few dimensions on input: expected events of shape ${formatShape(event)}, but got ${formatShape(shape)}`,
    );
  if (!sameShape(shape.slice(cut), event))
    throw new ShapeError(
      `ReshapeTransform: Shape mismatch: expected events of shape ${formatShape(event)}, but got ${formatShape(shape.slice(cut))}`,
    );
  return shape.slice(0, cut);
}

/** What parts are transformed by, one after the other along a dimension. */
abstract class Parts extends Transform {
  readonly transforms: readonly Transform[];
  readonly dim: number;

  constructor(transforms: readonly Transform[], dim: number, cacheSize: number | undefined) {
    super({ cacheSize });
    if (!Array.isArray(transforms) || !transforms.every((x) => x instanceof Transform))
      throw new ArgumentError(
        `${new.target.name}: argument 'tseq' must be a list of Transforms, but got ${String(transforms)}`,
      );
    this.transforms = [...transforms];
    this.dim = dim;
  }
  /** How long `dim` has to be. */
  protected abstract get length(): number;
  protected abstract apart(x: Tensor): Tensor[];
  protected abstract together(parts: readonly Tensor[], dim: number): Tensor;

  override get eventDim(): number {
    return Math.max(0, ...this.transforms.map((transform) => transform.eventDim));
  }
  override get codomainEventDim(): number {
    return Math.max(0, ...this.transforms.map((transform) => transform.codomainEventDim));
  }
  override get bijective(): boolean {
    return this.transforms.every((transform) => transform.bijective);
  }
  /** @throws ShapeError, IndexError for another length of the dimension, or none */
  protected partsOf(x: Tensor): Tensor[] {
    const { name } = this.constructor;
    const size = x.shape[normalizeDim(this.dim, x.ndim, name)];
    if (size !== this.length)
      throw new ShapeError(
        `${name}: expected dimension ${this.dim} to have size ${this.length}, but got shape ${formatShape(x.shape)}`,
      );
    return this.apart(x);
  }
  protected override call(x: Tensor): Tensor {
    const parts = this.partsOf(x).map((part, i) => this.transforms[i].forward(part));
    return this.together(parts, this.dim);
  }
  protected override inverse(y: Tensor): Tensor {
    const parts = this.partsOf(y).map((part, i) => this.transforms[i].invCall(part));
    return this.together(parts, this.dim);
  }
  protected jacobians(x: Tensor, y: Tensor): Tensor[] {
    const after = this.partsOf(y);
    return this.partsOf(x).map((part, i) => this.transforms[i].logAbsDetJacobian(part, after[i]));
  }
  override equals(other: Transform): boolean {
    return (
      other instanceof Parts &&
      other.constructor === this.constructor &&
      this.dim === other.dim &&
      this.length === other.length &&
      sameTransforms(this.transforms, other.transforms)
    );
  }
}

/** Options of `CatTransform`, by name. */
export interface CatTransformOptions extends TransformOptions {
  /** The dimension along which the parts lie. Default 0. */
  dim?: number;
  /** How long each part is. Default 1. */
  lengths?: readonly number[];
}

/** Transforms one part of `dim` after the other, each `lengths[i]` long, as `cat` joins them. */
export class CatTransform extends Parts {
  readonly lengths: readonly number[];

  constructor(
    ...args:
      | [
          tseq: readonly Transform[],
          dim?: number | CatTransformOptions,
          lengths?: readonly number[] | CatTransformOptions,
          cacheSize?: number,
        ]
      | ByName<{ tseq: readonly Transform[] }, [], CatTransformOptions>
  ) {
    const owner = new.target.name;
    const [tseq, ...rest] = required<[readonly Transform[]]>(owner, ['tseq'], args);
    const { dim = 0, lengths, cacheSize } = named<CatTransformOptions>(owner, 'dim lengths cacheSize', rest);
    super(tseq, dim, cacheSize);
    this.lengths = lengths ? [...lengths] : tseq.map(() => 1);
    if (this.lengths.length !== tseq.length)
      throw new ArgumentError(
        `${owner}: expected as many lengths as transforms, ${tseq.length}, but got ${this.lengths.length}`,
      );
  }
  protected override get length(): number {
    return this.lengths.reduce((sum, n) => sum + n, 0);
  }
  protected override apart(x: Tensor): Tensor[] {
    return x.split([...this.lengths], this.dim);
  }
  protected override together(parts: readonly Tensor[], dim: number): Tensor {
    return cat<Tensor>(parts, dim);
  }
  override get domain(): Constraint {
    return constraints.cat(
      this.transforms.map(({ domain }) => domain),
      this.dim,
      this.lengths,
    );
  }
  override get codomain(): Constraint {
    return constraints.cat(
      this.transforms.map(({ codomain }) => codomain),
      this.dim,
      this.lengths,
    );
  }
  /** Joined along the dimension, or summed up if that is one of an event's. */
  override logAbsDetJacobian(x: Tensor, y: Tensor): Tensor {
    const { eventDim } = this;
    const terms = this.jacobians(x, y).map((term, i) =>
      sumRightmost(term, eventDim - this.transforms[i].eventDim),
    );
    const dim = (this.dim < 0 ? this.dim : this.dim - x.ndim) + eventDim;
    return dim < 0 ? this.together(terms, dim) : terms.reduce((sum, term) => sum.add(term));
  }
}

/** Options of `StackTransform`, by name. */
export interface StackTransformOptions extends TransformOptions {
  /** The dimension along which the parts lie. Default 0. */
  dim?: number;
}

/** A transform for each place along `dim`, as `stack` joins them. */
export class StackTransform extends Parts {
  constructor(
    ...args:
      | [tseq: readonly Transform[], dim?: number | StackTransformOptions, cacheSize?: number]
      | ByName<{ tseq: readonly Transform[] }, [], StackTransformOptions>
  ) {
    const owner = new.target.name;
    const [tseq, ...rest] = required<[readonly Transform[]]>(owner, ['tseq'], args);
    const { dim = 0, cacheSize } = named<StackTransformOptions>(owner, 'dim cacheSize', rest);
    super(tseq, dim, cacheSize);
  }
  protected override get length(): number {
    return this.transforms.length;
  }
  protected override apart(x: Tensor): Tensor[] {
    return x.unbind(this.dim);
  }
  protected override together(parts: readonly Tensor[], dim: number): Tensor {
    return stack<Tensor>(parts, dim);
  }
  override get domain(): Constraint {
    return constraints.stack(
      this.transforms.map(({ domain }) => domain),
      this.dim,
    );
  }
  override get codomain(): Constraint {
    return constraints.stack(
      this.transforms.map(({ codomain }) => codomain),
      this.dim,
    );
  }
  override logAbsDetJacobian(x: Tensor, y: Tensor): Tensor {
    return this.together(this.jacobians(x, y), this.dim);
  }
}

/** y = the probability that a distribution of numbers gives to what is not above x: uniform for its samples, as copulas need. */
export class CumulativeDistributionTransform extends Transform {
  readonly distribution: Distribution;

  constructor(
    ...args:
      | [distribution: Distribution, cacheSize?: number | TransformOptions]
      | ByName<{ distribution: Distribution }, [], TransformOptions>
  ) {
    const owner = new.target.name;
    const [distribution, ...rest] = required<[Distribution]>(owner, ['distribution'], args);
    super(named<TransformOptions>(owner, 'cacheSize', rest));
    if (!(distribution instanceof Distribution))
      throw new ArgumentError(
        `${owner}: argument 'distribution' must be a Distribution, but got ${String(distribution)}`,
      );
    this.distribution = distribution;
  }
  override get domain(): Constraint {
    return this.distribution.support ?? real;
  }
  override get codomain(): Constraint {
    return unitInterval;
  }
  override get sign(): number {
    return 1;
  }
  protected override call(x: Tensor): Tensor {
    return this.distribution.cdf(x);
  }
  protected override inverse(y: Tensor): Tensor {
    return this.distribution.icdf(y);
  }
  override logAbsDetJacobian(x: Tensor): Tensor {
    return this.distribution.logProb(x);
  }
}
