/**
 * Reading and writing arrays as plain lists of numbers in row-major order: what every reference kernel is built on.
 */
import { type DType, dtypeInfo, type TypedArray } from '../../core/dtype.ts';
import { contiguousStrides, expandStrides, type Shape, type Strides } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { BackendMemory } from '../backend.ts';

/** What reference kernels need of the backend that owns the arrays. */
export interface ArrayHost {
  empty(shape: Shape, dtype: DType, strides?: Strides): NDArray;
  /**
   * The whole storage as a typed array; element i of an array lies at offset + Σ index·stride. To be asked for after the
   * last `empty`: memory that is not shared grows by a new buffer, and views of the old one read as undefined.
   */
  data(x: NDArray): TypedArray;
  memory(): BackendMemory;
}

export type Numbers = Float32Array | Float64Array | Int32Array | Int16Array | Int8Array | Uint8Array;

/** Calls `visit(offset)` for the first element of every row, in row-major order. */
function forEachRow(shape: Shape, strides: Strides, offset: number, visit: (offset: number) => void): void {
  const ndim = shape.length;
  for (const size of shape) if (size === 0) return;
  const index = new Array<number>(ndim).fill(0);
  let at = offset;
  for (;;) {
    visit(at);
    let d = ndim - 2;
    for (; d >= 0; d--) {
      at += strides[d];
      if (++index[d] < shape[d]) break;
      at -= strides[d] * shape[d];
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

/** Calls `visit(offset)` for every element in row-major order. */
export function forEachOffset(
  shape: Shape,
  strides: Strides,
  offset: number,
  visit: (offset: number) => void,
): void {
  const inner = shape.at(-1) ?? 1;
  const step = strides.at(-1) ?? 0;
  forEachRow(shape, strides, offset, (at) => {
    for (let i = 0; i < inner; i++) visit(at + i * step);
  });
}

/**
 * The elements in row-major order, or as they lie in memory if that will do: the storage itself where it is in that order,
 * else a copy.
 */
export function elements(host: ArrayHost, x: NDArray, inMemory = false): TypedArray {
  const data = host.data(x);
  if (x.contiguous || (inMemory && x.dense)) return data.subarray(x.offset, x.offset + x.size);
  const out = dtypeInfo[x.dtype].allocate(x.size);
  const inner = x.shape.at(-1) ?? 1;
  const step = x.strides.at(-1) ?? 0;
  // Both are of one type, bigints perhaps: the loop moves them as they are.
  const [from, to] = [data as Numbers, out as Numbers];
  let i = 0;
  // A call for each element takes longer than to move it.
  forEachRow(x.shape, x.strides, x.offset, (at) => {
    for (let k = 0; k < inner; k++) to[i++] = from[at + k * step];
  });
  return out;
}

/** The elements as doubles-compatible numbers; int64 beyond 2^53 is rounded. */
export function numbers(host: ArrayHost, x: NDArray, inMemory = false): Numbers {
  const list = elements(host, x, inMemory);
  return list instanceof BigInt64Array ? Float64Array.from(list, Number) : list;
}

/** The elements as bigints, for exact 64-bit arithmetic. */
export function bigints(host: ArrayHost, x: NDArray, inMemory = false): BigInt64Array {
  const list = elements(host, x, inMemory);
  return list instanceof BigInt64Array ? list : BigInt64Array.from(list, toBigInt);
}

const INT64_MIN = -(2n ** 63n);

/** A number as C converts it to int64: truncated; what does not fit gives the smallest value, as on x86-64. */
export function toBigInt(x: number): bigint {
  if (!(Math.abs(x) < 9.3e18)) return INT64_MIN;
  return BigInt(Math.trunc(x));
}

/** A number as an element of `dtype`: truncated and wrapped for integers, truth for bool. */
export function convertNumber(x: number, dtype: DType): number {
  switch (dtype) {
    case 'bool':
      return x !== 0 ? 1 : 0;
    case 'float32':
    case 'float64':
      return x;
    case 'int64':
      return Math.trunc(x);
    default:
      return Math.trunc(x) | 0;
  }
}

/** out ← values in row-major order, or in that of out's memory, each converted to out's dtype. */
export function store(
  host: ArrayHost,
  out: NDArray,
  values: Numbers | BigInt64Array,
  inMemory = false,
): void {
  const data = host.data(out);
  const { dtype, offset } = out;
  if (out.contiguous || (inMemory && out.dense)) {
    if (dtype === 'bool') {
      for (let k = 0; k < out.size; k++) data[offset + k] = Number(values[k]) === 0 ? 0 : 1;
      return;
    }
    const isWhole = values instanceof BigInt64Array;
    if (isWhole === data instanceof BigInt64Array) {
      // Typed arrays truncate and wrap numbers as `convertNumber` does.
      (data as Numbers).set(values as Numbers, offset);
      return;
    }
  }
  let i = 0;
  if (data instanceof BigInt64Array) {
    forEachOffset(out.shape, out.strides, out.offset, (at) => {
      const v = values[i++];
      data[at] = typeof v === 'bigint' ? v : toBigInt(v);
    });
    return;
  }
  forEachOffset(out.shape, out.strides, out.offset, (at) => {
    const v = values[i++];
    if (typeof v === 'number') data[at] = convertNumber(v, dtype);
    else data[at] = dtype === 'bool' ? (v !== 0n ? 1 : 0) : Number(isFloat(dtype) ? v : BigInt.asIntN(32, v));
  });
}

const isFloat = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float64';

/** The same array read as if it had the broadcast shape. */
export function broadcastTo(x: NDArray, shape: Shape): NDArray {
  return x.view(shape, expandStrides(x.shape, x.strides, shape));
}

/** Strides of an elementwise result: those of a dense input, so that a transposed weight stays transposed. */
export function resultStrides(x: NDArray): Strides {
  return x.dense ? x.strides : contiguousStrides(x.shape);
}
