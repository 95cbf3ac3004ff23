/**
 * The dtypes of files. Those that tensors lack are widened to the next one that holds every value; the tensor is
 * remembered to come from the narrower dtype, and is written in it again unless it was changed in between.
 */
import { type DType, dtypeInfo, type TypedArray } from '../core/dtype.ts';
import { ArgumentError } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import { fromTypedArray } from '../creation.ts';
import type { Tensor } from '../tensor.ts';
import { type NarrowName, narrow, narrowFormats, widen } from './halves.ts';
import type { Fail } from './source.ts';

/** Every dtype that can be read and written, by PyTorch's name. */
export type FileDType = DType | NarrowName | 'uint16' | 'uint32' | 'uint64';

interface FileDTypeInfo {
  readonly bytes: number;
  /** The dtype of the tensor that holds it. */
  readonly held: DType;
}

const own = (dtype: DType): FileDTypeInfo => ({ bytes: dtypeInfo[dtype].bytes, held: dtype });
const floating = (name: NarrowName): FileDTypeInfo => ({ bytes: narrowFormats[name].bytes, held: 'float32' });

export const fileDTypes: { readonly [D in FileDType]: FileDTypeInfo } = {
  bool: own('bool'),
  uint8: own('uint8'),
  int8: own('int8'),
  float8_e5m2: floating('float8_e5m2'),
  float8_e4m3fn: floating('float8_e4m3fn'),
  int16: own('int16'),
  uint16: { bytes: 2, held: 'int32' },
  float16: floating('float16'),
  bfloat16: floating('bfloat16'),
  int32: own('int32'),
  uint32: { bytes: 4, held: 'int64' },
  float32: own('float32'),
  float64: own('float64'),
  int64: own('int64'),
  uint64: { bytes: 8, held: 'int64' },
};

/** The limit of PyTorch and numpy. */
export const MAX_DIMENSIONS = 64;

/** The bytes of each element in the other order. */
export function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = bytes[i - (i % size) + size - 1 - (i % size)];
  return out;
}

const isNarrow = (dtype: FileDType): dtype is NarrowName => Object.hasOwn(narrowFormats, dtype);
const isOwn = (dtype: FileDType): dtype is DType => Object.hasOwn(dtypeInfo, dtype);

/** Dtypes that `save` converts to; converting integers would lose values silently. */
export type SavedFloat = 'float16' | 'bfloat16' | 'float32' | 'float64';
const savedFloats: readonly string[] = ['float16', 'bfloat16', 'float32', 'float64'];

/** @throws ArgumentError for a name that is no floating dtype of files */
export function checkSavedFloat(dtype: string, op: string): asserts dtype is SavedFloat {
  if (!savedFloats.includes(dtype)) {
    throw new ArgumentError(
      `${op}: dtype must be one of ${savedFloats.join(', ')}, but got ${String(dtype)}`,
    );
  }
}

/** From which dtype a tensor was widened, and the version of its memory then. */
const origins = new WeakMap<Tensor, { readonly dtype: FileDType; readonly version: number }>();

/** The dtype in which a tensor is written when nothing else is asked for. */
export function fileDTypeOf(x: Tensor): FileDType {
  const origin = origins.get(x);
  return origin && origin.version === x.version ? origin.dtype : x.dtype;
}

/** The bytes as a typed array; the same memory where it is aligned. */
function typed(bytes: Uint8Array, dtype: DType): TypedArray {
  const { bytes: size, array } = dtypeInfo[dtype];
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return array(aligned.buffer, aligned.byteOffset, aligned.length / size);
}

/** Elements in little-endian bytes as those of the tensor's dtype. @throws what `fail` makes of a value beyond int64 */
function decode(bytes: Uint8Array, dtype: FileDType, fail: Fail): TypedArray {
  if (isNarrow(dtype)) return widen(bytes, dtype);
  if (dtype === 'uint16') {
    const { buffer, byteOffset, length } = typed(bytes, 'int16');
    return Int32Array.from(new Uint16Array(buffer, byteOffset, length));
  }
  if (dtype === 'uint32') {
    const { buffer, byteOffset, length } = typed(bytes, 'int32');
    return BigInt64Array.from(new Uint32Array(buffer, byteOffset, length), BigInt);
  }
  if (dtype === 'uint64') {
    const values = typed(bytes, 'int64') as BigInt64Array;
    const large = values.find((value) => value < 0n);
    if (large === undefined) return values;
    throw fail(`the uint64 value ${BigInt.asUintN(64, large)} does not fit int64`);
  }
  return typed(bytes, dtype);
}

/** A tensor of elements in little-endian bytes, row-major. */
export function tensorOf(
  bytes: Uint8Array,
  dtype: FileDType,
  shape: Shape,
  fail: Fail,
  device?: string,
): Tensor {
  const x = fromTypedArray(decode(bytes, dtype, fail), shape, { dtype: fileDTypes[dtype].held, device });
  if (!isOwn(dtype)) origins.set(x, { dtype, version: x.version });
  return x;
}

/** The elements of a tensor in row-major order, little-endian, in a dtype of files. */
export async function bytesOf(x: Tensor, dtype: FileDType): Promise<Uint8Array> {
  const { held } = fileDTypes[dtype];
  const values = await (x.dtype === held ? x : x.detach().to({ dtype: held })).read();
  if (isNarrow(dtype)) return narrow(values as Float32Array, dtype);
  let written: ArrayBufferView = values;
  if (dtype === 'uint16') written = Uint16Array.from(values as Int32Array);
  else if (dtype === 'uint32') written = Uint32Array.from(values as BigInt64Array, Number);
  return new Uint8Array(written.buffer, written.byteOffset, written.byteLength);
}

/**
 * The number of bytes of a tensor that a file describes, or null if it is beyond what can be counted exactly.
 * Zero sizes count first: [2^40, 2^40, 0] has none.
 */
export function byteLength(shape: Shape, dtype: FileDType): number | null {
  if (shape.includes(0)) return 0;
  let bytes = fileDTypes[dtype].bytes;
  for (const size of shape) {
    bytes *= size;
    if (bytes > Number.MAX_SAFE_INTEGER) return null;
  }
  return bytes;
}
