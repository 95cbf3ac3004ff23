/// <reference lib="esnext.disposable" preserve="true" />
/** The tensor that users hold: an array, its place in the graph, and a method for every op. */

import { leafTargets, walkBackward } from './autograd/backward.ts';
import type { GraphNode } from './autograd/node.ts';
import type { NDArray } from './backend/array.ts';
import { backendFor } from './backend/registry.ts';
import {
  type DType,
  type DTypeLike,
  dtypeInfo,
  isFloating,
  resolveDType,
  type TypedArray,
  torchTypeName,
} from './core/dtype.ts';
import {
  ArgumentError,
  AutogradError,
  DeviceError,
  DTypeError,
  IndexError,
  ShapeError,
} from './core/errors.ts';
import {
  contiguousStrides,
  formatShape,
  isContiguous,
  normalizeDim,
  type Shape,
  sameShape,
} from './core/shape.ts';
import { add } from './ops/arithmetic.ts';
import { cast, elementValue } from './ops/convert.ts';
import { optionsGiven } from './ops/given.ts';
import { type ByName, option } from './ops/options.ts';
import { unbind } from './ops/partition.ts';
import { reduceTo } from './ops/reduceTo.ts';
import { formatTensor } from './printing.ts';
import { sizesAndOptions } from './tensor/arguments.ts';
import { type Flexible, named, required } from './tensor/namedArguments.ts';
import { RandomMethods } from './tensor/random.ts';
import { onDevice, onDeviceAsync } from './transfer.ts';

/** Nested arrays of plain numbers (bools for bool tensors). */
export type NestedNumbers = number | boolean | NestedNumbers[];

export interface BackwardOptions {
  /** Of this tensor's shape; default 1 for a scalar. */
  gradient?: Tensor | null;
  /** Keep what was saved, so that backward can run again. Default: as createGraph. */
  retainGraph?: boolean;
  /** Record the backward pass itself, for higher derivatives. */
  createGraph?: boolean;
  /** The leaves whose `.grad` is added to, and no others. Default: all. */
  inputs?: Tensor | readonly Tensor[] | null;
}

/** Where and in which dtype to have a tensor. */
export interface ToOptions {
  device?: string;
  dtype?: DTypeLike;
  /** Copy even if nothing changes. */
  copy?: boolean;
  /** Says nothing here: on devices that answer later nothing waits anyway. */
  nonBlocking?: boolean;
}

/** Of new tensors. */
export interface NewOptions {
  /** Default: that of the tensor which makes it. */
  dtype?: DTypeLike;
  /** Default: that of the tensor which makes it. */
  device?: string;
  requiresGrad?: boolean;
}

interface Filling {
  size: number | readonly number[];
  fillValue: number | boolean | bigint;
}

/** Sizes, as a list or one by one, then perhaps options; or all in one. */
export type NewArguments =
  | readonly [options: NewOptions & { size: readonly number[] }]
  | readonly [size: readonly number[], options?: NewOptions]
  | readonly (number | NewOptions)[];

/** `to('cpu', 'float64')`, `to('float64')`, `to(other)`, `to({ device: 'cpu' })`. */
export type ToArguments =
  | [target: DTypeLike | string | ToOptions | Tensor, options?: ToOptions]
  | [device: string, dtype: DTypeLike, options?: ToOptions];

export class Tensor extends RandomMethods {
  override derive(array: NDArray, node: GraphNode | null = null, slot = 0): this {
    return new Tensor(array, node, slot) as this;
  }
  override addGrad(other: Tensor): Tensor {
    return add<Tensor>(this, other);
  }
  override sumTo(shape: Shape): Tensor {
    return reduceTo<Tensor>(this, shape);
  }
  override castTo(dtype: DType): Tensor {
    return cast<Tensor>(this, dtype);
  }

  /** The device that holds the elements: 'cpu' is the Wasm core. */
  get device(): string {
    return this.array.backend.device;
  }
  /** Number of elements. */
  numel(): number {
    return this.array.size;
  }
  /** `numel` by its longer name. */
  nelement(): number {
    return this.array.size;
  }
  /** Number of dimensions. */
  dim(): number {
    return this.shape.length;
  }
  /** `dim` by its longer name. */
  ndimension(): number {
    return this.shape.length;
  }
  /** Sizes, or the size of one dimension. */
  size(): Shape;
  size(dim: number | { readonly dim: number }): number;
  size(given?: number | { readonly dim: number }): Shape | number {
    if (given === undefined) return this.shape;
    const dim = option<'dim', number>(given, 'size', 'dim', Number.NaN);
    const { shape } = this;
    if (shape.length === 0) {
      throw new IndexError(
        `size: Dimension specified as ${dim} but tensor has no dimensions; expected no argument 'dim', but got ${dim}`,
      );
    }
    return shape[normalizeDim(dim, shape.length, 'size')];
  }
  /** Steps between neighbours along each dimension, in elements. */
  stride(): readonly number[] {
    return this.array.strides;
  }
  /** Position of the first element in its storage, in elements. */
  storageOffset(): number {
    return this.array.offset;
  }
  /** Row-major without gaps. */
  isContiguous(): boolean {
    return isContiguous(this.shape, this.array.strides);
  }
  /** Bytes of one element. */
  elementSize(): number {
    return dtypeInfo[this.dtype].bytes;
  }
  /** True for float32 and float64. */
  isFloatingPoint(): boolean {
    return isFloating(this.dtype);
  }
  /** True for what was made in inference mode. */
  isInference(): boolean {
    return this.array.storage.inference;
  }
  /** How often the memory was changed in place. */
  get version(): number {
    return this.array.storage.version;
  }

  /**
   * The only element, as a number (bool as true or false).
   * @throws ShapeError for several elements; DTypeError for an int64 beyond 2^53; DeviceError on asynchronous devices
   */
  item(): number;
  item(): number | boolean {
    if (this.array.size !== 1) {
      throw new ShapeError(`item: a Tensor with ${this.array.size} elements cannot be converted to Scalar`);
    }
    return plain(this.data[0], this.dtype);
  }
  /** The elements in row-major order, as a copy in the typed array of the dtype. @throws DeviceError: use read() */
  get data(): TypedArray {
    return this.array.backend.read(this.array);
  }
  /** Not assigned: the elements are changed in place. @throws ArgumentError */
  set data(_: never) {
    throw new ArgumentError(
      'data: it is a copy of the elements, which cannot be assigned: write torch.noGrad(() => p.copy_(value))',
    );
  }
  /** The same on every device, without blocking. */
  read(): Promise<TypedArray> {
    return this.array.backend.readAsync(this.array);
  }
  /** `item()` on every device, without blocking. @throws ShapeError for several elements; DTypeError beyond 2^53 */
  async itemAsync(): Promise<number> {
    if (this.array.size !== 1) {
      throw new ShapeError(
        `itemAsync: a Tensor with ${this.array.size} elements cannot be converted to Scalar`,
      );
    }
    return plain((await this.read())[0], this.dtype) as number;
  }
  /** Nested arrays of plain numbers; of bools for bool. @throws DTypeError for an int64 beyond 2^53 */
  toArray(): NestedNumbers {
    const { data, shape, dtype } = this;
    const build = (dim: number, at: number): NestedNumbers => {
      if (dim === shape.length) return plain(data[at], dtype);
      const step = shape.slice(dim + 1).reduce((n, s) => n * s, 1);
      return Array.from({ length: shape[dim] }, (_, i) => build(dim + 1, at + i * step));
    };
    return build(0, 0);
  }
  /** `toArray` by PyTorch's name. */
  tolist(): NestedNumbers {
    return this.toArray();
  }
  /** The rows (first dimension) one after the other. @throws ShapeError for a 0-d tensor */
  *[Symbol.iterator](): IterableIterator<Tensor> {
    if (this.ndim === 0) throw new ShapeError('iteration over a 0-d tensor');
    yield* unbind<Tensor>(this);
  }
  /** Size of the first dimension. @throws ShapeError for a 0-d tensor */
  get length(): number {
    if (this.ndim === 0) throw new ShapeError('length: a 0-d tensor has no length');
    return this.shape[0];
  }

  /** Another dtype, another device, or both. The tensor itself if nothing changes. */
  to(...args: ToArguments): Tensor {
    const wanted = toOptions(...args);
    let result: Tensor = this;
    if (wanted.dtype !== undefined) result = cast<Tensor>(result, resolveDType(wanted.dtype, 'to'));
    if (wanted.device !== undefined && wanted.device !== result.device)
      result = onDevice<Tensor>(result, backendFor(wanted.device));
    return result === this && wanted.copy ? this.clone() : result;
  }
  /** `to` without blocking, for sources that cannot be read at once: `await x.toAsync('cpu')` from webgpu. */
  async toAsync(...args: ToArguments): Promise<Tensor> {
    const { device, ...rest } = toOptions(...args);
    const there: Tensor = device === undefined ? this : await onDeviceAsync<Tensor>(this, backendFor(device));
    return there.to(rest);
  }
  /** PyTorch's name for tensors of this dtype, 'torch.FloatTensor'. */
  type(): string;
  /** As another dtype. @throws DTypeError */
  type(dtype: ByName<'dtype', DTypeLike>): Tensor;
  type(given?: ByName<'dtype', DTypeLike>): string | Tensor {
    const dtype = option<'dtype', DTypeLike | null>(given, 'type', 'dtype', null);
    return dtype === null
      ? `torch.${torchTypeName(this.dtype)}Tensor`
      : cast<Tensor>(this, resolveDType(dtype, 'type'));
  }
  /** As `x.dtype` of another tensor. */
  typeAs(other: Tensor): Tensor {
    return cast<Tensor>(this, other.dtype);
  }
  /** As float32. */
  float(): Tensor {
    return cast<Tensor>(this, 'float32');
  }
  /** As float64. */
  double(): Tensor {
    return cast<Tensor>(this, 'float64');
  }
  /** As int64. */
  long(): Tensor {
    return cast<Tensor>(this, 'int64');
  }
  /** As int32. */
  int(): Tensor {
    return cast<Tensor>(this, 'int32');
  }
  /** As int16. */
  short(): Tensor {
    return cast<Tensor>(this, 'int16');
  }
  /** As bool: true where not zero. */
  bool(): Tensor {
    return cast<Tensor>(this, 'bool');
  }
  /** On the Wasm core. */
  cpu(): Tensor {
    return this.to({ device: 'cpu' });
  }

  /** One value in a new tensor of this one's dtype and device, if no other is given. */
  newFull(
    size: number | readonly number[],
    fillValue: number | boolean | bigint,
    options?: NewOptions,
  ): Tensor;
  newFull(options: NewOptions & Filling): Tensor;
  newFull(size: number | readonly number[], options: NewOptions & Pick<Filling, 'fillValue'>): Tensor;
  newFull(...args: readonly unknown[]): Tensor {
    const [size, value, ...rest] = required<[Filling['size'], Filling['fillValue']]>(
      'new_full',
      ['size', 'fillValue'],
      args,
    );
    const {
      dtype,
      device,
      requiresGrad = false,
    } = named<NewOptions>('new_full', '* dtype device requiresGrad', rest);
    const shape = sizesAndOptions([size], 'new_full').shape;
    const backend = device === undefined ? this.array.backend : backendFor(device);
    const array = backend.empty(shape, dtype === undefined ? this.dtype : resolveDType(dtype, 'newFull'));
    backend.fill(array, elementValue(value, array.dtype, 'new_full'));
    return new Tensor(array).requiresGrad_(requiresGrad);
  }
  /** Zeros of this tensor's dtype and device, if no other is given. */
  newZeros(...size: NewArguments): Tensor {
    const { shape, options } = sizesAndOptions<NewOptions>(size, 'new_zeros');
    return this.newFull(shape, 0, options);
  }
  /** Ones of this tensor's dtype and device, if no other is given. */
  newOnes(...size: NewArguments): Tensor {
    const { shape, options } = sizesAndOptions<NewOptions>(size, 'new_ones');
    return this.newFull(shape, 1, options);
  }
  /** A tensor without meaning yet, of this one's dtype and device, if no other is given. */
  newEmpty(...size: NewArguments): Tensor {
    return this.newZeros(...size);
  }

  /** The same memory outside the graph. */
  detach(): Tensor {
    return new Tensor(this.array);
  }
  /** Makes this very tensor a leaf without history, which requires no gradient. @throws AutogradError for a view */
  detach_(): this {
    if (this.viewOf) throw new AutogradError("detach_: Can't detach views in-place. Use detach() instead.");
    this.rebase(null);
    return this.requiresGrad_(false);
  }
  /**
   * Another shape over the same memory, row-major; a longer one gets new memory, whose further elements are arbitrary.
   * @throws AutogradError if this requires a gradient; ShapeError for a negative size
   */
  resize_(...sizes: readonly number[] | readonly [readonly number[]]): this {
    const shape = (typeof sizes[0] === 'object' ? sizes[0] : sizes) as readonly number[];
    if (this.requiresGrad) throw new AutogradError('resize_: cannot resize variables that require grad');
    if (!shape.every((n) => Number.isInteger(n) && n >= 0)) {
      throw new ShapeError(`resize_: sizes must be non-negative integers, but got ${formatShape(shape)}`);
    }
    if (sameShape(shape, this.shape)) return this;
    const { array } = this;
    const count = shape.reduce((n, s) => n * s, 1);
    const room = array.storage.byteLength / dtypeInfo[array.dtype].bytes - array.offset;
    if (count <= room) {
      this.setArray(array.view([...shape], contiguousStrides(shape)));
      return this;
    }
    const grown = array.backend.empty(shape, array.dtype);
    const old = array.view([room], [1]);
    array.backend.assign(grown.view([room], [1]), old);
    this.setArray(grown);
    return this;
  }
  /** `resize_` to the shape of another tensor. */
  resizeAs_(other: Tensor): this {
    return this.resize_(other.shape);
  }
  /** Sets whether operations on this tensor are recorded. */
  requiresGrad_(requiresGrad?: ByName<'requiresGrad', boolean>): this {
    this.requiresGrad = option(requiresGrad, 'requires_grad_', 'requiresGrad', true);
    return this;
  }
  /**
   * Adds the derivatives of this tensor to the `.grad` of the leaves it was computed from.
   * `gradient` is needed unless this is a scalar; it has this tensor's shape. @throws AutogradError
   */
  backward(
    ...args: Flexible<
      [
        gradient: Tensor | null,
        retainGraph: boolean,
        createGraph: boolean,
        inputs: Tensor | readonly Tensor[] | null,
      ],
      BackwardOptions
    >
  ): void {
    const options = named<BackwardOptions>('backward', 'gradient retainGraph createGraph inputs', args);
    const { gradient = null, createGraph = false, retainGraph = createGraph } = options;
    walkBackward([this], [initialGradient(this, gradient, 'backward')], {
      retainGraph,
      createGraph,
      ...leafTargets(options.inputs),
    });
  }

  /** Gives the memory back now. Never needed; the tensor cannot be used afterwards, nor can its views. */
  dispose(): void {
    this.array.storage.free();
  }
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The nested arrays, so that JSON.stringify writes numbers. @throws DTypeError for an int64 beyond 2^53 */
  toJSON(): NestedNumbers {
    return this.toArray();
  }
  /**
   * What operators of the language see. A text where one may be meant (`'loss ' + x`); the number where only a number
   * can be (`x < 0.5`, `Math.log(x)`) and there is one element.
   * @throws ArgumentError where a number is wanted of several elements: `a * b` is not a product, `a.mul(b)` is
   */
  [Symbol.toPrimitive](hint: string): string | number {
    if (hint !== 'number') return this.toString();
    if (this.array.size !== 1) {
      throw new ArgumentError(
        `operator: a tensor of shape ${formatShape(this.shape)} is not a number; JavaScript has no operators for ` +
          'tensors, call the methods instead: a.add(b), a.sub(b), a.mul(b), a.div(b), a.lt(b)',
      );
    }
    return Number(this.item());
  }
  /** As PyTorch prints it. */
  override toString(): string {
    return formatTensor(this);
  }
  /** What Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
  get [Symbol.toStringTag](): string {
    return 'Tensor';
  }
}

function plain(value: number | bigint, dtype: DType): number | boolean {
  if (dtype === 'bool') return value !== 0;
  if (typeof value === 'number') return value;
  const n = Number(value);
  if (Number.isSafeInteger(n)) return n;
  throw new DTypeError(`item: int64 value ${value} is beyond 2^53; read it as a bigint through .data`);
}

/** The gradient that backward starts from. @throws AutogradError, or ArgumentError for what is no tensor */
export function initialGradient(root: Tensor, gradient: Tensor | null, op: string): Tensor {
  if (!root.requiresGrad) {
    throw new AutogradError(`${op}: element 0 of tensors does not require grad and does not have a gradFn`);
  }
  if (gradient === null) {
    if (root.array.size !== 1) {
      throw new AutogradError(
        `${op}: grad can be implicitly created only for scalar outputs, but got a tensor of shape ${formatShape(root.shape)}; ` +
          'give the gradient of each element',
      );
    }
    const { backend } = root.array;
    const ones = backend.empty(root.shape, root.dtype);
    backend.fill(ones, 1);
    return new Tensor(ones);
  }
  if (!(gradient instanceof Tensor))
    throw new ArgumentError(`${op}: expected the gradient to be a tensor, but got ${String(gradient)}`);
  if (!sameShape(gradient.shape, root.shape)) {
    throw new AutogradError(
      `${op}: Mismatch in shape: grad_output has a shape of ${formatShape(gradient.shape)} and output has a shape of ` +
        `${formatShape(root.shape)}.`,
    );
  }
  return cast<Tensor>(gradient, root.dtype);
}

const TO_NAMES = 'device dtype copy nonBlocking';

/** What `to` was asked for. @throws ArgumentError, or DeviceError for a device without a name */
export function toOptions(...[target, second, third]: ToArguments): ToOptions {
  const [dtype, given] = typeof second === 'string' ? [second, third] : [undefined, second];
  const options: ToOptions = { ...(dtype && { dtype }), ...optionsGiven<ToOptions>(given, 'to', TO_NAMES) };
  if (target instanceof Tensor) return { dtype: target.dtype, device: target.device, ...options };
  if (typeof target === 'object') return { ...optionsGiven(target, 'to', TO_NAMES), ...options };
  if (typeof target !== 'string')
    throw new ArgumentError(`to: expected a dtype, a device or a tensor, but got ${String(target)}`);
  if (isDTypeName(target) || FOREIGN_DTYPE.test(target)) return { ...options, dtype: target as DTypeLike };
  if (target.length === 0) throw new DeviceError('to: the device name is empty');
  return { ...options, device: target };
}

/** Dtypes of PyTorch's that are none here: refused as dtypes, not as devices. */
const FOREIGN_DTYPE = /^(b?float|u?int|complex)\d+|^half$/;
const shortNames: ReadonlySet<string> = new Set(['float', 'double', 'long', 'int', 'short']);
const isDTypeName = (name: string): name is DTypeLike =>
  Object.hasOwn(dtypeInfo, name) || shortNames.has(name);

/** A tensor with row-major strides over an array. */
export const wrap = (array: NDArray): Tensor => new Tensor(array);
