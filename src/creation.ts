/** New tensors: from data, and filled. */

import type { NDArray } from './backend/array.ts';
import { backendFor } from './backend/registry.ts';
import {
  type DType,
  type DTypeLike,
  dtypeInfo,
  dtypeOfTypedArray,
  isFloating,
  resolveDType,
  type TypedArray,
} from './core/dtype.ts';
import { ArgumentError, DTypeError, ShapeError } from './core/errors.ts';
import { inOp } from './core/inOp.ts';
import { formatShape, numElements, type Shape } from './core/shape.ts';
import { elementValue } from './ops/convert.ts';
import { given, optionsGiven, refuse, tensorGiven } from './ops/given.ts';
import { taking } from './ops/taking.ts';
import { sizesAndOptions } from './tensor/arguments.ts';
import { type ByName, named, required } from './tensor/namedArguments.ts';
import { Tensor } from './tensor.ts';

/** Keyword arguments of every function that makes a tensor. */
export interface TensorOptions {
  dtype?: DTypeLike;
  device?: string;
  requiresGrad?: boolean;
}

/** Numbers, bools, bigints, tensors of one element, or lists of these; typed arrays. */
export type TensorData = number | boolean | bigint | readonly (TensorData | Tensor)[] | ArrayBufferView;

/** Wraps a fresh array as a leaf. */
export function leafTensor(array: NDArray, options: TensorOptions | undefined): Tensor {
  const x = new Tensor(array);
  if (options?.requiresGrad) x.requiresGrad = true;
  return x;
}

export const NAMES = 'dtype device requiresGrad';

/** The dtype among the options of an op, whose names are all `names`. @throws ArgumentError for another one */
export function dtypeOf(
  options: TensorOptions | undefined,
  op: string,
  otherwise: DType = 'float32',
  names = NAMES,
): DType {
  const { dtype } = optionsGiven(options, op, names);
  return dtype === undefined ? otherwise : resolveDType(dtype, op);
}

/** A tensor filled with one value. */
function filled(
  list: readonly unknown[],
  value: number | bigint | boolean,
  op: string,
  dtype?: DType,
): Tensor {
  const { shape, options } = sizesAndOptions<TensorOptions>(list, op);
  const array = backendFor(options?.device).empty(shape, dtypeOf(options, op, dtype));
  array.backend.fill(array, elementValue(value, array.dtype, op));
  return leafTensor(array, options);
}

type Sizes = readonly number[] | readonly [Shape];
/** `(2, 3)`, `([2, 3])`, either with options behind, or `({ size: [2, 3] })`. */
export type SizesWithOptions<O = TensorOptions> =
  | Sizes
  | readonly [O & { size: Shape }]
  | readonly [...Sizes, O | undefined]
  | readonly [Shape, (O | undefined)?];

/** A tensor whose elements have no meaning yet. */
export function empty(...args: SizesWithOptions): Tensor {
  const { shape, options } = sizesAndOptions<TensorOptions>(args, 'empty');
  const dtype = dtypeOf(options, 'empty');
  const backend = backendFor(options?.device);
  backend.endOp?.();
  return leafTensor(backend.empty(shape, dtype), options);
}

/** Zeros, float32 unless a dtype is given. */
export const zeros = (...args: SizesWithOptions): Tensor => filled(args, 0, 'zeros');

/** Ones, float32 unless a dtype is given. */
export const ones = (...args: SizesWithOptions): Tensor => filled(args, 1, 'ones');

/** One value everywhere; its kind decides the dtype: numbers float32, bools bool, bigints int64. */
export function full(
  ...args: ByName<{ size: Shape | number; fillValue: FillValue }, ['size', 'fillValue'], TensorOptions>
): Tensor;
export function full(size: Shape | number, fillValue: FillValue, options?: TensorOptions): Tensor;
export function full(...args: readonly unknown[]): Tensor {
  const [size, value, options] = required<[Shape | number, FillValue]>('full', ['size', 'fillValue'], args);
  const dtype: DType = typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'int64' : 'float32';
  return filled([typeof size === 'number' ? [size] : size, options], value, 'full', dtype);
}
type FillValue = number | boolean | bigint;

const like = (x: Tensor, options: TensorOptions | undefined): readonly [Shape, TensorOptions] => [
  x.shape,
  { dtype: x.dtype, device: x.device, ...options },
];

/** Zeros with the shape, dtype and device of x. */
export const zerosLike = (x: Tensor, options?: TensorOptions): Tensor =>
  filled(like(tensorGiven(x, 'zeros_like'), options), 0, 'zerosLike');
/** Ones with the shape, dtype and device of x. */
export const onesLike = (x: Tensor, options?: TensorOptions): Tensor =>
  filled(like(tensorGiven(x, 'ones_like'), options), 1, 'onesLike');
/** A tensor without meaning yet, with the shape, dtype and device of x. */
export const emptyLike = (x: Tensor, options?: TensorOptions): Tensor =>
  empty(...like(tensorGiven(x, 'empty_like'), options));
/** One value with the shape, dtype and device of x. */
export const fullLike = /* @__PURE__ */ taking(
  'full_like',
  'fillValue ...',
  (x: Tensor, value: number | boolean | bigint, options?: TensorOptions): Tensor =>
    full(tensorGiven(x, 'full_like').shape, value, like(x, options)[1]),
);

/**
 * A tensor from data, which is copied. Numbers make float32, bools bool, bigints int64, a typed array its own dtype, also as
 * the rows of a list, unless a dtype is given. In lists tensors of one element stand for it. @throws ShapeError for ragged lists
 * and larger tensors in them; DTypeError for values that are not plain
 */
export function tensor(data: TensorData | Tensor, options: TensorOptions = {}): Tensor {
  if (data === undefined) {
    throw new ArgumentError(
      "tensor: argument 'data' must be numbers, bools, bigints or arrays of them, but got nothing",
    );
  }
  if (Array.isArray(options))
    refuse(options, 'tensor', 'options', 'an object with the names of arguments (shapes come by reshape)');
  optionsGiven(options, 'tensor', NAMES);
  const backend = backendFor(options.device);
  if (data instanceof Tensor) {
    const copy = data.detach().to({ device: backend.device, dtype: options.dtype ?? data.dtype, copy: true });
    return leafTensor(copy.array, options);
  }
  if (ArrayBuffer.isView(data)) {
    const own = dtypeOfTypedArray(data, 'tensor');
    const list = data instanceof Uint8ClampedArray ? new Uint8Array(data) : (data as TypedArray);
    return leafTensor(uploadAs(backend, list, own, dtypeOf(options, 'tensor', own), [list.length]), options);
  }
  const shape: number[] = [];
  let innermost: Lists | null = null;
  for (let at: TensorData | Tensor = data; isList(at); at = at[0] as TensorData) {
    innermost = at;
    shape.push(at.length);
    if (at.length === 0) break;
  }
  const flat: (number | boolean | bigint)[] = [];
  flatten(data, shape, 0, flat);
  const own = ArrayBuffer.isView(innermost) ? dtypeOfTypedArray(innermost, 'tensor') : inferred(flat);
  const dtype = dtypeOf(options, 'tensor', own);
  return leafTensor(backend.upload(toTyped(flat, dtype), shape, dtype), options);
}

/**
 * A tensor as it is, part of its graph, if it has that dtype and device; otherwise, and for other data, a copy. @throws as
 * `tensor`
 */
export function asTensor(
  data: TensorData | Tensor,
  options: Omit<TensorOptions, 'requiresGrad'> = {},
): Tensor {
  optionsGiven(options, 'as_tensor', 'dtype device');
  return data instanceof Tensor ? data.to(options) : inOp('as_tensor', () => tensor(data, options));
}

type Lists = readonly (TensorData | Tensor)[] | TypedArray;
/** Lists, and typed arrays within lists. */
const isList = (data: TensorData | Tensor): data is Lists =>
  Array.isArray(data) || (ArrayBuffer.isView(data) && !(data instanceof DataView));

/** The element of a tensor that has no other. @throws ShapeError */
function onlyElement(x: Tensor): number | boolean | bigint {
  if (x.numel() !== 1) {
    throw new ShapeError(
      `tensor: only tensors of one element can stand in a list, but got shape ${formatShape(x.shape)}; torch.stack joins others`,
    );
  }
  const value = x.item();
  return isFloating(x.dtype) || x.dtype === 'bool' ? value : BigInt(value);
}

function flatten(
  data: TensorData | Tensor,
  shape: Shape,
  dim: number,
  out: (number | boolean | bigint)[],
): void {
  if (dim === shape.length) {
    if (data instanceof Tensor) {
      out.push(onlyElement(data));
      return;
    }
    if (typeof data === 'number' || typeof data === 'boolean' || typeof data === 'bigint') {
      out.push(data);
      return;
    }
    if (isList(data))
      throw new ShapeError(
        `tensor: expected a number at dim ${dim}, but got a list of length ${data.length}`,
      );
    const kind = data === null ? 'null' : typeof data;
    const hint = 'width' in Object(data) ? '; of a picture pass imageData.data' : ''; // ImageData, a canvas, an image
    throw new DTypeError(`tensor: expected numbers, bools or bigints, but got ${kind}${hint}`);
  }
  if (!isList(data))
    throw new ShapeError(
      `tensor: expected sequence of length ${shape[dim]} at dim ${dim} (got ${String(data)})`,
    );
  if (data.length !== shape[dim]) {
    throw new ShapeError(
      `tensor: expected sequence of length ${shape[dim]} at dim ${dim} (got ${data.length})`,
    );
  }
  for (const item of data) flatten(item, shape, dim + 1, out);
}

function inferred(flat: readonly (number | boolean | bigint)[]): DType {
  if (flat.length === 0) return 'float32';
  if (flat.every((v) => typeof v === 'boolean')) return 'bool';
  if (flat.every((v) => typeof v !== 'number')) return 'int64';
  return 'float32';
}

function toTyped(flat: readonly (number | boolean | bigint)[], dtype: DType): TypedArray {
  const out = dtypeInfo[dtype].allocate(flat.length);
  if (out instanceof BigInt64Array) {
    for (let i = 0; i < flat.length; i++) out[i] = BigInt(elementValue(flat[i], dtype, 'tensor'));
  } else if (isFloating(dtype)) for (let i = 0; i < flat.length; i++) out[i] = Number(flat[i]);
  else for (let i = 0; i < flat.length; i++) out[i] = Number(elementValue(flat[i], dtype, 'tensor'));
  return out;
}

/** Uploads elements of dtype `from` and converts them. */
export function uploadAs(
  backend: ReturnType<typeof backendFor>,
  data: TypedArray,
  from: DType,
  to: DType,
  shape: Shape,
): NDArray {
  if (from !== to && !backend.holds(from)) {
    const converted = uploadAs(backendFor('cpu'), data, from, to, shape);
    const out = backend.upload(converted.backend.read(converted), shape, to);
    converted.release();
    return out;
  }
  const array = backend.upload(data, shape, from);
  if (from === to) return array;
  const out = backend.empty(shape, to);
  backend.assign(out, array);
  array.release();
  return out;
}

/** Elements of a typed array under a shape, as `torch.tensor(data).reshape(shape)` but in one step. */
export function fromTypedArray(data: TypedArray, shape: Shape, options?: TensorOptions): Tensor {
  given(data, 'fromTypedArray', 'data', 'a typed array');
  given(shape, 'fromTypedArray', 'shape', 'a list of sizes');
  if (numElements(shape) !== data.length) {
    throw new ShapeError(
      `fromTypedArray: shape ${formatShape(shape)} needs ${numElements(shape)} elements, but got ${data.length}`,
    );
  }
  const own = dtypeOfTypedArray(data, 'fromTypedArray');
  return leafTensor(
    uploadAs(backendFor(options?.device), data, own, dtypeOf(options, 'fromTypedArray', own), shape),
    options,
  );
}

/** @throws ArgumentError unless x is a number */
export function checkNumber(x: unknown, op: string, argument: string): void {
  if (typeof x === 'number') return;
  throw new ArgumentError(
    `${op}: argument '${argument}' must be a number, but got ${x === undefined ? 'nothing' : String(x)}`,
  );
}

interface EyeOptions extends TensorOptions {
  n: number;
  /** Default n. */
  m?: number;
}

/** The identity matrix [n, m]. */
export function eye(options: EyeOptions): Tensor;
export function eye(
  n: number,
  ...rest: readonly [(number | (TensorOptions & { m?: number }))?, TensorOptions?]
): Tensor;
export function eye(...args: readonly unknown[]): Tensor {
  const { n, m = n, ...options } = named<EyeOptions>('eye', 'n m * dtype device requiresGrad', args);
  checkNumber(n, 'eye', 'n');
  for (const [name, size] of Object.entries({ n, m })) {
    if (!(size >= 0))
      throw new ArgumentError(`eye: argument '${name}' must be greater or equal to 0, got ${size}`);
  }
  const x = zeros([n, m], { ...options, requiresGrad: false });
  if (Math.min(n, m) > 0) {
    const diagonal = x.array.view([Math.min(n, m)], [m + 1]);
    x.array.backend.fill(diagonal, 1);
  }
  if (options.requiresGrad && isFloating(x.dtype)) x.requiresGrad = true;
  return x;
}
