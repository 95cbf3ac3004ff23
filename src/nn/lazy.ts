/**
 * Modules that learn a size from their first input: until then their parameters have no shape. What they then become is
 * the ordinary layer itself: their object takes its class.
 */
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { formatShape, type Shape, sameShape } from '../core/shape.ts';
import { tensorGiven } from '../ops/given.ts';
import { required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import type { Module } from './module.ts';
import { noteModuleClass } from './moduleClasses.ts';
import { Parameter } from './parameter.ts';
import {
  isUninitialized,
  UninitializedBuffer,
  type UninitializedOptions,
  UninitializedParameter,
} from './uninitialized.ts';

/** What lazy modules have besides their layer. */
export interface LazyModule {
  /** Whether there are parameters or buffers without a shape. */
  hasUninitializedParams(): boolean;
  /** What the first `forward` does first: finds the missing size in the input, and makes and draws the parameters. */
  initializeParameters(input: Tensor): void;
}

/** How layers of a kind come by their missing size, and what depends on it. */
export interface LazyKind<M extends Module> {
  /** The property that holds it, 0 at first; it is the layer's first argument. */
  readonly size: keyof M & string;
  /** The arguments that stay required. */
  readonly required: readonly string[];
  /** Which dimension of an input it is the size of, where inputs have one of the numbers of dimensions `ranks`. */
  readonly dim: (ndim: number, ranks: readonly number[]) => number;
  /** The shape of a parameter or a buffer of the layer, whose missing size is `size`. */
  readonly shapeOf: (layer: M, name: string, size: number) => Shape;
  /** How its matrices lie in memory. */
  readonly strides?: UninitializedOptions['strides'];
}

type Layer = Module & { resetParameters(): void };

/** Parameters and buffers of the layer itself, by name, but for the count of batches: that needs no size. */
const stateOf = (layer: Module): [string, Tensor][] =>
  [...layer.namedParameters('', false), ...layer.namedBuffers('', false)].filter(
    ([name]) => name !== 'num_batches_tracked',
  );
const waitingIn = (layer: Module) =>
  stateOf(layer).flatMap(([name, x]) => (isUninitialized(x) ? [[name, x] as const] : []));

/**
 * The shapes that a layer's state takes. @throws ArgumentError where only a part of it was loaded, ShapeError where it was
 * loaded for another size
 */
function shapesFor<M extends Layer>(layer: M, kind: LazyKind<M>, size: number): Map<string, Shape> {
  const shapes = new Map(stateOf(layer).map(([name]) => [name, kind.shapeOf(layer, name, size)]));
  const waiting = waitingIn(layer).map(([name]) => name);
  if (waiting.length === shapes.size) return shapes;
  const { name } = layer.constructor;
  if (waiting.length > 0)
    throw new ArgumentError(
      `${name}: expected all parameters to be loaded or none, but got none for ${waiting}`,
    );
  for (const [key, { shape }] of stateOf(layer)) {
    const wanted = shapes.get(key) ?? [];
    if (!sameShape(shape, wanted))
      throw new ShapeError(
        `${name}: an input for which ${kind.size} is ${size} needs ${key} of shape ${formatShape(wanted)}, but shape ` +
          `${formatShape(shape)} was loaded`,
      );
  }
  return shapes;
}

/**
 * The lazy class of a layer: its arguments are the layer's without the first, which is found in an input. Inputs have one of the numbers of
 * dimensions `ranks`, any where there are none.
 */
export function lazy<M extends Layer>(
  Base: new (...args: never) => M,
  kind: LazyKind<M>,
  ranks: readonly number[] = [],
): new (
  ...args: unknown[]
) => M & LazyModule {
  const Whole = Base as unknown as new (...args: unknown[]) => Layer;
  class Lazy extends Whole implements LazyModule {
    constructor(...args: unknown[]) {
      required(new.target.name, kind.required, args);
      super(0, ...args);
      for (const [name, x] of stateOf(this)) {
        const { device, dtype } = x;
        const options = { device, dtype, strides: x.ndim === 2 ? kind.strides : undefined };
        const Waiting = x instanceof Parameter ? UninitializedParameter : UninitializedBuffer;
        Reflect.set(this, name, new Waiting(options));
      }
    }
    hasUninitializedParams(): boolean {
      return waitingIn(this).length > 0;
    }
    /** Draws nothing as long as the size is not known. */
    override resetParameters(): void {
      if (Reflect.get(this, kind.size) !== 0) super.resetParameters();
    }
    initializeParameters(input: Tensor): void {
      const { name } = this.constructor;
      const { shape, ndim } = tensorGiven(input, `${name}.forward`, 'input');
      if (ndim === 0 || (ranks.length > 0 && !ranks.includes(ndim))) {
        const expected = ranks.map((n) => `${n}D`).join(' or ') || 'at least 1D';
        throw new ShapeError(`${name}: expected ${expected} input, but got shape ${formatShape(shape)}`);
      }
      const size = shape[kind.dim(ndim, ranks)];
      const shapes = shapesFor(this as unknown as M, kind, size);
      const waiting = waitingIn(this);
      Reflect.set(this, kind.size, size);
      for (const [name, x] of waiting) x.materialize(shapes.get(name) ?? []);
      // A class of the user's own stays what it is.
      if (Object.getPrototypeOf(this.constructor) === Lazy) {
        Object.setPrototypeOf(this, Base.prototype);
        noteModuleClass(Whole);
      }
      if (waiting.length > 0) this.resetParameters();
    }
    override forward(...inputs: unknown[]): unknown {
      if (Reflect.get(this, kind.size) === 0) this.initializeParameters(inputs[0] as Tensor);
      return Reflect.apply(Base.prototype.forward, this, inputs);
    }
    override copyInto(copies: Map<object, unknown>): this {
      for (const [, x] of waitingIn(this)) if (!copies.has(x)) copies.set(x, x.clone());
      return super.copyInto(copies);
    }
  }
  return Lazy as never;
}
