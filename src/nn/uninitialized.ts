/** Parameters and buffers of lazy modules: tensors that have a device and a dtype, but no shape yet. */
import type { NDArray } from '../backend/array.ts';
import { backendFor } from '../backend/registry.ts';
import { type DTypeLike, resolveDType } from '../core/dtype.ts';
import { ArgumentError } from '../core/errors.ts';
import type { Shape, Strides } from '../core/shape.ts';
import { Tensor, type ToArguments, toOptions } from '../tensor.ts';
import { Parameter } from './parameter.ts';

/** Where an uninitialised tensor is, of which dtype, and whether it is to be trained. */
export interface UninitializedOptions {
  /** Default true for parameters, and false for buffers. */
  requiresGrad?: boolean;
  device?: string;
  dtype?: DTypeLike;
  /** How the elements are to lie in memory. Default: row-major. */
  strides?: (shape: Shape) => Strides;
}

/** An array that says what it is as soon as anybody asks for a size. */
function unsized(owner: string, { device, dtype = 'float32' }: UninitializedOptions): NDArray {
  const array = backendFor(device).empty([0], resolveDType(dtype, owner));
  const get = (): never => {
    throw new ArgumentError(
      "uninitialized parameter or buffer: Can't access its shape or values. Call `forward` with a dummy batch to initialize " +
        'the parameters of lazy modules before accessing them, saving them, or loading them into an initialized module',
    );
  };
  return Object.defineProperties(array, { shape: { get }, size: { get }, strides: { get } });
}

/** What a tensor without a shape can do. */
export interface Uninitialized {
  /** Gives this very tensor a shape, and elements without meaning yet: it is an ordinary one from then on. */
  materialize(shape: Shape, place?: { device?: string; dtype?: DTypeLike }): void;
}

/** The class over `Base` of tensors that have no shape until `materialize` makes them tensors of class `Base`. */
function uninitialized<T extends Tensor>(
  Base: new (...args: never) => T,
): new (
  ...args: unknown[]
) => T & Uninitialized {
  const Whole = Base as unknown as new (...args: unknown[]) => Tensor;
  class Waiting extends Whole implements Uninitialized {
    declare readonly strides: UninitializedOptions['strides'];

    materialize(shape: Shape, place: { device?: string; dtype?: DTypeLike } = {}): void {
      const { device = this.device, dtype = this.dtype } = place;
      const strides = this.strides?.(shape);
      this.setArray(backendFor(device).empty([...shape], resolveDType(dtype, 'materialize'), strides));
      Reflect.deleteProperty(this, 'strides');
      Object.setPrototypeOf(this, Base.prototype);
    }
    /** Itself: state dicts hold it as it is. */
    override detach(): Tensor {
      return this;
    }
    /** Another one, on the device and of the dtype asked for. */
    override to(...args: ToArguments): Tensor {
      const { device = this.device, dtype = this.dtype } = toOptions(...args);
      const { requiresGrad, strides } = this;
      return Reflect.construct(this.constructor, [{ device, dtype, requiresGrad, strides }]);
    }
    override async toAsync(...args: ToArguments): Promise<Tensor> {
      return this.to(...args);
    }
    override clone(): this {
      return this.to({}) as this;
    }
    /** Takes shape and values of another tensor, as when a state is loaded; stays as it is if that has none. */
    override copy_(source: Tensor): this {
      if (isUninitialized(source)) return this;
      this.materialize(source.shape);
      return this.copy_(source);
    }
    override toString(): string {
      return `<${this.constructor.name}>`;
    }
  }
  return Waiting as unknown as new (
    ...args: unknown[]
  ) => T & Uninitialized;
}

/**
 * A parameter without a shape, of a lazy module. It can be moved to another device or dtype, and asked for those;
 * anything else throws an ArgumentError until `materialize` was called, from when on it is an ordinary `Parameter`, the
 * same object.
 */
export class UninitializedParameter extends /* @__PURE__ */ uninitialized(Parameter) {
  constructor(options: UninitializedOptions = {}) {
    super(new Tensor(unsized('UninitializedParameter', options)), options.requiresGrad ?? true);
    if (options.strides) Object.assign(this, { strides: options.strides });
  }
}

/** A buffer without a shape: what `UninitializedParameter` is for parameters. */
export class UninitializedBuffer extends /* @__PURE__ */ uninitialized(Tensor) {
  constructor(options: UninitializedOptions = {}) {
    super(unsized('UninitializedBuffer', options));
    if (options.requiresGrad) this.requiresGrad = true;
  }
}

/** Whether `x` is a parameter or a buffer that has no shape yet. */
export const isUninitialized = (
  x: unknown,
): x is (UninitializedParameter | UninitializedBuffer) & Uninitialized =>
  x instanceof UninitializedParameter || x instanceof UninitializedBuffer;
