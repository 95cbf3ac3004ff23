/**
 * How elements lie in GPU memory. WGSL knows neither 64-bit integers nor bytes in storage: int64 is a pair of words (low,
 * high) with its full range, every other dtype is one 32-bit word. float64 does not exist there.
 */
import { type DType, dtypeInfo, type TypedArray } from '../../core/dtype.ts';
import { DTypeError } from '../../core/errors.ts';

/** What kernels compute with: float32, 32-bit integers (all narrower ones and bool too), pairs of words. */
export type Lane = 'f32' | 'i32' | 'i64';

/** @throws DTypeError for float64 */
export function laneOf(dtype: DType, op: string): Lane {
  if (dtype === 'float32') return 'f32';
  if (dtype === 'int64') return 'i64';
  if (dtype !== 'float64') return 'i32';
  throw new DTypeError(
    `${op}: float64 does not exist on webgpu (WGSL has no 64-bit floating point); use float32, or the device cpu`,
  );
}

/** The WGSL type of a lane's values and of its storage. */
export const wgslType: { readonly [L in Lane]: string } = { f32: 'f32', i32: 'i32', i64: 'vec2<u32>' };

export const wordsOf = (dtype: DType): number => (dtype === 'int64' ? 2 : 1);

/** WGSL for `value`, of dtype `from`, as a value of dtype `to`: as the CPU converts (see reference/elements.ts). */
export function convert(value: string, from: DType, to: DType): string {
  if (from === to) return value;
  const source = laneOf(from, 'to');
  if (to === 'float32')
    return source === 'i64'
      ? `i64_to_f32(${value})`
      : from === 'int32'
        ? `i32_to_f32(${value})`
        : `f32(${value})`;
  if (to === 'int64') return source === 'f32' ? `f32_to_i64(${value})` : `i64_of(${value})`;
  if (to === 'bool') {
    if (source === 'f32') return `select(0, 1, f32_truth(${value}))`;
    return source === 'i64' ? `select(0, 1, any(${value} != vec2<u32>()))` : `select(0, 1, ${value} != 0)`;
  }
  if (from === 'bool') return value;
  const word =
    source === 'f32' ? `f32_to_word(${value})` : source === 'i64' ? `bitcast<i32>(${value}.x)` : value;
  return narrow(word, to);
}

/** WGSL for the 32-bit integer `word` wrapped into an integer dtype; bool is truth. */
export function narrow(word: string, to: DType): string {
  if (to === 'int16') return `((${word} << 16u) >> 16u)`;
  if (to === 'int8') return `((${word} << 24u) >> 24u)`;
  if (to === 'uint8') return `(${word} & 255)`;
  if (to === 'bool') return `select(0, 1, ${word} != 0)`;
  return word;
}

/** Elements as the words that the GPU holds; a view of the same memory where they are the same. */
export function toWords(data: TypedArray, dtype: DType): Uint32Array {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'int64')
    return new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  return new Uint32Array(Int32Array.from(data as Int8Array).buffer);
}

/** The reverse; `bytes` is a copy that the result may keep. */
export function fromWords(bytes: ArrayBuffer, dtype: DType, size: number): TypedArray {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'int64')
    return dtypeInfo[dtype].array(bytes, 0, size);
  const out = dtypeInfo[dtype].allocate(size) as Int8Array;
  out.set(new Int32Array(bytes, 0, size));
  return out;
}

/** A plain number as the words of an element: truncated for integers, as everywhere. */
export function numberWords(value: number | bigint, lane: Lane): number[] {
  if (lane === 'f32') return [floatBits(Number(value))];
  const truncated = typeof value === 'number' ? Math.trunc(value) : Number.NaN;
  if (Number.isSafeInteger(truncated))
    return lane === 'i32' ? [truncated >>> 0] : [truncated >>> 0, Math.floor(truncated / 2 ** 32) >>> 0];
  if (lane === 'i32') return [Number(BigInt.asUintN(32, wholeOf(value, -(2n ** 31n), 2n ** 31n - 1n)))];
  const whole = BigInt.asUintN(64, wholeOf(value, -(2n ** 63n), 2n ** 63n - 1n));
  return [Number(whole & 0xffffffffn), Number(whole >> 32n)];
}

function wholeOf(value: number | bigint, low: bigint, high: bigint): bigint {
  if (typeof value === 'bigint') return value;
  if (Number.isNaN(value)) return low;
  if (!Number.isFinite(value)) return value > 0 ? high : low;
  return BigInt(Math.trunc(value));
}

const floatCell = new Float32Array(1);
const bitsCell = new Uint32Array(floatCell.buffer);

export function floatBits(value: number): number {
  floatCell[0] = value;
  return bitsCell[0];
}
