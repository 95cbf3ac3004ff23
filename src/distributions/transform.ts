/** What all transforms of samples have in common, their inverses, and transforms made of others. */
import { ArgumentError, ShapeError } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import { type ByName, type Flexible, named, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { type Constraint, independent, real } from './constraints.ts';
import { sumRightmost } from './parameters.ts';

/** Options of every transform. */
export interface TransformOptions {
  /** 1 keeps the last pair, so that the inverse of what was just made is exact. Default 0. */
  cacheSize?: number;
}

/**
 * Base of all transforms. One of your own has `call` and `inverse`, `logAbsDetJacobian` if it is to give densities, and says
 * its `domain` and `codomain`; with an `eventDim` of 1 it takes vectors as wholes.
 */
export abstract class Transform {
  readonly cacheSize: number;
  #inverse: Transform | null = null;
  #pair: readonly [x: Tensor, y: Tensor] | null = null;

  constructor(...given: Flexible<[cacheSize: number], TransformOptions>) {
    const { cacheSize = 0 } = named<TransformOptions>(new.target.name, 'cacheSize', given);
    if (cacheSize !== 0 && cacheSize !== 1)
      throw new ArgumentError(`${new.target.name}: cache_size must be 0 or 1, but got ${String(cacheSize)}`);
    this.cacheSize = cacheSize;
  }

  /** What it takes, and what it gives. */
  abstract get domain(): Constraint;
  abstract get codomain(): Constraint;
  /** How many of the last dimensions are taken together. */
  get eventDim(): number {
    return 0;
  }
  /** How many come of them. */
  get codomainEventDim(): number {
    return this.eventDim;
  }
  /** Whether every value comes from one value only. */
  get bijective(): boolean {
    return true;
  }
  /** 1 where it rises, -1 where it falls. */
  get sign(): Tensor | number {
    throw new ArgumentError(`${this.constructor.name}: sign is not implemented`);
  }

  protected abstract call(x: Tensor): Tensor;
  protected abstract inverse(y: Tensor): Tensor;
  /** log |dy/dx|, without the dimensions of an event. */
  logAbsDetJacobian(_x: Tensor, _y: Tensor): Tensor {
    throw new ArgumentError(`${this.constructor.name}: logAbsDetJacobian is not implemented`);
  }

  forward(x: Tensor): Tensor {
    if (this.#pair?.[0] === x) return this.#pair[1];
    const y = this.call(x);
    if (this.cacheSize > 0) this.#pair = [x, y];
    return y;
  }
  /** `inv.forward(y)`. */
  invCall(y: Tensor): Tensor {
    if (this.#pair?.[1] === y) return this.#pair[0];
    const x = this.inverse(y);
    if (this.cacheSize > 0) this.#pair = [x, y];
    return x;
  }
  /** The inverse; its own is this one. */
  get inv(): Transform {
    this.#inverse ??= new InverseTransform(this);
    return this.#inverse;
  }

  /** The shape of what comes of a shape, and the way back. */
  forwardShape(shape: Shape): Shape {
    return shape;
  }
  inverseShape(shape: Shape): Shape {
    return shape;
  }
  /** Whether `other` does the same. */
  equals(other: Transform): boolean {
    return (
      other === this || (other.constructor === this.constructor && Object.keys(this).join() === 'cacheSize')
    );
  }
  toString(): string {
    return `${this.constructor.name}()`;
  }
  /** What Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

class InverseTransform extends Transform {
  readonly base: Transform;
  constructor(base: Transform) {
    super();
    this.base = base;
  }
  override get domain(): Constraint {
    return this.base.codomain;
  }
  override get codomain(): Constraint {
    return this.base.domain;
  }
  override get eventDim(): number {
    return this.base.codomainEventDim;
  }
  override get codomainEventDim(): number {
    return this.base.eventDim;
  }
  override get bijective(): boolean {
    return this.base.bijective;
  }
  override get sign(): Tensor | number {
    return this.base.sign;
  }
  override get inv(): Transform {
    return this.base;
  }
  protected override call(y: Tensor): Tensor {
    return this.base.invCall(y);
  }
  protected override inverse(x: Tensor): Tensor {
    return this.base.forward(x);
  }
  override logAbsDetJacobian(x: Tensor, y: Tensor): Tensor {
    return this.base.logAbsDetJacobian(y, x).neg();
  }
  override forwardShape(shape: Shape): Shape {
    return this.base.inverseShape(shape);
  }
  override inverseShape(shape: Shape): Shape {
    return this.base.forwardShape(shape);
  }
  override equals(other: Transform): boolean {
    return other instanceof InverseTransform && this.base.equals(other.base);
  }
  override toString(): string {
    return `_InverseTransform(${this.base})`;
  }
}

/** A constraint, as one of that many further dimensions together. */
const raised = (constraint: Constraint, missing: number): Constraint =>
  missing > 0 ? independent(constraint, missing) : constraint;

/** Several transforms one after the other. */
export class ComposeTransform extends Transform {
  readonly parts: readonly Transform[];
  constructor(parts: readonly Transform[], options?: TransformOptions) {
    super(options);
    this.parts = parts;
  }
  override get domain(): Constraint {
    const [first] = this.parts;
    return first ? raised(first.domain, this.eventDim - first.eventDim) : real;
  }
  override get codomain(): Constraint {
    const last = this.parts.at(-1);
    return last ? raised(last.codomain, this.codomainEventDim - last.codomainEventDim) : real;
  }
  override get eventDim(): number {
    return this.parts.reduceRight(
      (dims, part) => Math.max(dims + part.eventDim - part.codomainEventDim, part.eventDim),
      0,
    );
  }
  override get codomainEventDim(): number {
    return this.parts.reduce(
      (dims, part) => Math.max(dims + part.codomainEventDim - part.eventDim, part.codomainEventDim),
      0,
    );
  }
  override get bijective(): boolean {
    return this.parts.every((part) => part.bijective);
  }
  override get sign(): Tensor | number {
    return this.parts.reduce<Tensor | number>((all, { sign }) => {
      if (typeof all === 'number') return typeof sign === 'number' ? all * sign : sign.mul(all);
      return all.mul(sign);
    }, 1);
  }
  protected override call(x: Tensor): Tensor {
    return this.parts.reduce((value, part) => part.forward(value), x);
  }
  protected override inverse(y: Tensor): Tensor {
    return this.parts.reduceRight((value, part) => part.invCall(value), y);
  }
  override logAbsDetJacobian(x: Tensor): Tensor {
    let sum: Tensor | null = null;
    let at = x;
    let dims = this.eventDim;
    for (const part of this.parts) {
      const y = part.forward(at);
      const term = sumRightmost(part.logAbsDetJacobian(at, y), dims - part.eventDim);
      sum = sum === null ? term : sum.add(term);
      at = y;
      dims += part.codomainEventDim - part.eventDim;
    }
    return sum ?? x.mul(0);
  }
  override forwardShape(shape: Shape): Shape {
    return this.parts.reduce((sizes, part) => part.forwardShape(sizes), shape);
  }
  override inverseShape(shape: Shape): Shape {
    return this.parts.reduceRight((sizes, part) => part.inverseShape(sizes), shape);
  }
  override equals(other: Transform): boolean {
    return (
      other instanceof ComposeTransform &&
      this.parts.length === other.parts.length &&
      this.parts.every((part, i) => part.equals(other.parts[i]))
    );
  }
  override toString(): string {
    return `ComposeTransform(\n    ${this.parts.join(',\n    ')}\n)`;
  }
}

/** x itself. */
export const identityTransform: ComposeTransform = /* @__PURE__ */ new ComposeTransform([]);

/** A transform whose last `reinterpretedBatchNdims` further dimensions belong to one event. */
export class IndependentTransform extends Transform {
  readonly baseTransform: Transform;
  readonly reinterpretedBatchNdims: number;
  constructor(
    ...args:
      | [baseTransform: Transform, reinterpretedBatchNdims: number, cacheSize?: number | TransformOptions]
      | ByName<
          { baseTransform: Transform; reinterpretedBatchNdims: number },
          ['baseTransform'],
          TransformOptions
        >
  ) {
    const owner = new.target.name;
    const names = ['baseTransform', 'reinterpretedBatchNdims'];
    const [base, count, ...rest] = required<[Transform, number]>(owner, names, args);
    super(named<TransformOptions>(owner, 'cacheSize', rest));
    this.baseTransform = base;
    this.reinterpretedBatchNdims = count;
  }
  override get domain(): Constraint {
    return independent(this.baseTransform.domain, this.reinterpretedBatchNdims);
  }
  override get codomain(): Constraint {
    return independent(this.baseTransform.codomain, this.reinterpretedBatchNdims);
  }
  override get eventDim(): number {
    return this.baseTransform.eventDim + this.reinterpretedBatchNdims;
  }
  override get codomainEventDim(): number {
    return this.baseTransform.codomainEventDim + this.reinterpretedBatchNdims;
  }
  override get bijective(): boolean {
    return this.baseTransform.bijective;
  }
  override get sign(): Tensor | number {
    return this.baseTransform.sign;
  }
  protected override call(x: Tensor): Tensor {
    if (x.ndim < this.eventDim) throw new ShapeError('IndependentTransform: Too few dimensions on input');
    return this.baseTransform.forward(x);
  }
  protected override inverse(y: Tensor): Tensor {
    if (y.ndim < this.codomainEventDim)
      throw new ShapeError('IndependentTransform: Too few dimensions on input');
    return this.baseTransform.invCall(y);
  }
  override logAbsDetJacobian(x: Tensor, y: Tensor): Tensor {
    return sumRightmost(this.baseTransform.logAbsDetJacobian(x, y), this.reinterpretedBatchNdims);
  }
  override forwardShape(shape: Shape): Shape {
    return this.baseTransform.forwardShape(shape);
  }
  override inverseShape(shape: Shape): Shape {
    return this.baseTransform.inverseShape(shape);
  }
  override equals(other: Transform): boolean {
    return (
      other instanceof IndependentTransform &&
      this.reinterpretedBatchNdims === other.reinterpretedBatchNdims &&
      this.baseTransform.equals(other.baseTransform)
    );
  }
  override toString(): string {
    return `IndependentTransform(${this.baseTransform}, ${this.reinterpretedBatchNdims})`;
  }
}

/** Whether two lists of transforms do the same. */
export const sameTransforms = (a: readonly Transform[], b: readonly Transform[]): boolean =>
  a.length === b.length && a.every((transform, i) => transform.equals(b[i]));
