/** Reading and writing by index. Kernels move elements by their width; null or false leaves a case to the reference. */
import { type DType, dtypeInfo } from '../../core/dtype.ts';
import { numElements, type Shape } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { PixelScaling, Placement } from '../backend.ts';
import type { WasmContext } from './context.ts';
import { elementChunk, kernelFor, kernelNamed, packed, rowChunk } from './kernels.ts';
import { copyLayout } from './movement.ts';
import type { KernelName } from './pool.ts';

/** The kernel that moves elements of this width. */
function mover(host: WasmContext, name: string, dtype: DType): KernelName | null {
  return kernelNamed(host, `${name}_u${8 * dtypeInfo[dtype].bytes}`);
}

/** The kernel that adds elements. Bools have none: their sum is not that of bytes. */
function summer(host: WasmContext, name: string, dtype: DType): KernelName | null {
  return dtype === 'bool' ? null : kernelFor(host, name, dtype);
}

/** The position in a list of int64 of the first value outside [low, high) that is not `except`; -1 if there is none. */
export function findOutside(
  host: WasmContext,
  index: NDArray,
  low: number,
  high: number,
  except: number,
): number {
  const list = packed(host, index);
  const { find_outside_i64 } = host.runtime.module.exports;
  const at = find_outside_i64(host.pointer(list.array), index.size, low, high, except);
  list.release();
  return at;
}

export function gatherScaled(host: WasmContext, x: NDArray, index: NDArray, scaling: PixelScaling): NDArray {
  const [rows, ...sizes] = x.shape;
  const length = numElements(sizes);
  const out = host.empty([index.size, ...sizes], 'float32');
  if (out.size === 0) return out;
  const [source, list] = [packed(host, x), packed(host, index)];
  const { divisor, mean, std } = scaling;
  host.runtime.pool.run(
    'gather_rows_scale_u8_f32',
    [
      host.pointer(source.array),
      host.pointer(list.array),
      host.pointer(out),
      rows,
      length,
      divisor,
      mean,
      std,
    ],
    index.size,
    rowChunk(host, index.size, length),
  );
  list.release();
  source.release();
  return out;
}

/** [outer, axis, inner] around a dimension. */
function around(shape: Shape, dim: number): { outer: number; axis: number; inner: number } {
  return {
    outer: numElements(shape.slice(0, dim)),
    axis: shape[dim] ?? 1,
    inner: numElements(shape.slice(dim + 1)),
  };
}

/** What runs must move on the average to repay a copy each, which costs some microseconds by itself, and in rows how long. */
const RUN_ELEMENTS = 16_384;
const RUN_LENGTH = 16;

interface Run {
  readonly at: number;
  readonly length: number;
  readonly first: number;
  readonly step: number;
}

/**
 * An index as stretches of equal steps, as it has them where a dimension is turned round or gets margins; null if they are
 * more than `most`.
 */
function runsOf(host: WasmContext, index: NDArray, axis: number, most: number): Run[] | null {
  const words = host.runtime.module.views().i32;
  const base = host.pointer(index) >> 2;
  const pick = (i: number): number => {
    const value = words[base + 2 * i];
    return value < 0 ? value + axis : value;
  };
  const runs: Run[] = [];
  for (let at = 0, end = 0; at < index.size; at = end) {
    if (runs.length + 1 > most) return null;
    const first = pick(at);
    const step = at + 1 < index.size ? pick(at + 1) - first : 0;
    for (end = at + 1; end < index.size && pick(end) - pick(end - 1) === step; ) end++;
    runs.push({ at, length: end - at, first, step });
  }
  return runs;
}

export function indexSelect(host: WasmContext, x: NDArray, dim: number, index: NDArray): NDArray | null {
  if (x.shape.length === 0) return null;
  const picks = index.size;
  const out = host.empty(x.shape.with(dim, picks), x.dtype);
  if (out.size === 0) return out;
  const { outer, axis, inner } = around(x.shape, dim);
  const [source, list] = [packed(host, x), packed(host, index)];
  const runs =
    inner === 1
      ? runsOf(host, list.array, axis, Math.min(out.size / RUN_ELEMENTS, picks / RUN_LENGTH))
      : null;
  if (runs) {
    for (const { at, length, first, step } of runs) {
      const to = out.view([outer, length], [picks, 1], at);
      const from = source.array.view([outer, length], [axis, step], source.array.offset + first);
      copyLayout(host, to, from);
      to.release();
      from.release();
    }
  } else {
    host.runtime.pool.run(
      'select_rows',
      [
        host.pointer(source.array),
        host.pointer(list.array),
        host.pointer(out),
        axis,
        picks,
        inner * dtypeInfo[x.dtype].bytes,
      ],
      outer * picks,
      rowChunk(host, outer * picks, inner),
    );
  }
  source.release();
  list.release();
  return out;
}

export function indexAdd(
  host: WasmContext,
  out: NDArray,
  dim: number,
  index: NDArray,
  source: NDArray,
): boolean {
  const kernel = summer(host, 'index_add', out.dtype);
  if (kernel === null || !out.contiguous || out.shape.length === 0) return false;
  if (source.size === 0) return true;
  const { outer, axis, inner } = around(out.shape, dim);
  const [from, list] = [packed(host, source), packed(host, index)];
  const sums = outer * inner;
  host.runtime.pool.run(
    kernel,
    [host.pointer(out), host.pointer(list.array), host.pointer(from.array), axis, index.size, inner],
    sums,
    rowChunk(host, sums, index.size),
  );
  from.release();
  list.release();
  return true;
}

export function take(host: WasmContext, x: NDArray, positions: NDArray): NDArray | null {
  const kernel = mover(host, 'take', x.dtype);
  if (kernel === null) return null;
  const out = host.empty(positions.shape, x.dtype);
  const [source, list] = [packed(host, x), packed(host, positions)];
  host.runtime.pool.run(
    kernel,
    [host.pointer(source.array), host.pointer(list.array), host.pointer(out)],
    out.size,
    elementChunk(host, out.size),
  );
  source.release();
  list.release();
  return out;
}

export function put(
  host: WasmContext,
  out: NDArray,
  positions: NDArray,
  source: NDArray,
  accumulate: boolean,
): boolean {
  const kernel = accumulate ? summer(host, 'put_add', out.dtype) : mover(host, 'put', out.dtype);
  if (kernel === null || !out.contiguous) return false;
  const [from, list] = [packed(host, source), packed(host, positions)];
  const n = positions.size;
  // One slice: where positions repeat, the order decides.
  host.runtime.pool.run(
    kernel,
    [host.pointer(out), host.pointer(list.array), host.pointer(from.array)],
    n,
    n,
  );
  from.release();
  list.release();
  return true;
}

export function nonzero(host: WasmContext, x: NDArray): NDArray | null {
  const { bytes: width, suffix } = dtypeInfo[x.dtype];
  const truth = width === 1 ? null : kernelNamed(host, `convert_${suffix}_bool`);
  if (truth === null && width !== 1) return null;
  const { count_nonzero_u8, nonzero_u8 } = host.runtime.module.exports;
  const source = packed(host, x);
  let bytes = source.array;
  if (truth) {
    bytes = host.empty([x.size], 'bool');
    host.runtime.pool.run(
      truth,
      [host.pointer(source.array), host.pointer(bytes)],
      x.size,
      elementChunk(host, x.size),
    );
  }
  const count = count_nonzero_u8(host.pointer(bytes), x.size);
  const out = host.empty([count], 'int64');
  nonzero_u8(host.pointer(bytes), host.pointer(out), x.size);
  if (truth) bytes.release();
  source.release();
  return out;
}

/** The kernels walk index and array together: all sizes but the dimension's must agree. */
function aligned(x: Shape, index: Shape, dim: number): boolean {
  return x.length > 0 && x.every((size, d) => d === dim || size === index[d]);
}

export function gather(host: WasmContext, x: NDArray, dim: number, index: NDArray): NDArray | null {
  const kernel = mover(host, 'gather', x.dtype);
  if (kernel === null || !aligned(x.shape, index.shape, dim)) return null;
  const picks = index.size > 0 ? sharedPicks(index, dim) : null;
  if (picks !== null) {
    const out = indexSelect(host, x, dim, picks);
    picks.release();
    return out;
  }
  const out = host.empty(index.shape, x.dtype);
  if (out.size === 0) return out;
  const { axis, inner } = around(x.shape, dim);
  const [source, list] = [packed(host, x), packed(host, index)];
  host.runtime.pool.run(
    kernel,
    [host.pointer(source.array), host.pointer(list.array), host.pointer(out), axis, index.shape[dim], inner],
    out.size,
    elementChunk(host, out.size),
  );
  source.release();
  list.release();
  return out;
}

/** The picks of an index that says the same for all columns, as `expand` makes it; null for others. */
function sharedPicks(index: NDArray, dim: number): NDArray | null {
  const { shape, strides, offset } = index;
  if (shape.length < 2 || shape.some((size, d) => d !== dim && size > 1 && strides[d] !== 0)) return null;
  return index.view([shape[dim]], [strides[dim]], offset);
}

export function scatter(
  host: WasmContext,
  out: NDArray,
  dim: number,
  index: NDArray,
  source: NDArray,
  how: Placement,
): boolean {
  if (!out.contiguous || !aligned(out.shape, index.shape, dim)) return false;
  if (index.size === 0) return true;
  const window = source.view(index.shape, source.strides);
  const picks = how === 'add' ? sharedPicks(index, dim) : null;
  if (picks !== null) {
    const done = indexAdd(host, out, dim, picks, window);
    picks.release();
    return done;
  }
  if (how === 'max' || how === 'min') return scatterExtreme(host, out, dim, index, window, how);
  const kernel =
    how === 'replace' ? mover(host, 'scatter', out.dtype) : summer(host, 'scatter_add', out.dtype);
  if (kernel === null) return false;
  const { outer, axis, inner } = around(out.shape, dim);
  const [from, list] = [packed(host, window), packed(host, index)];
  host.runtime.pool.run(
    kernel,
    [host.pointer(out), host.pointer(list.array), host.pointer(from.array), axis, index.shape[dim], inner],
    outer,
    rowChunk(host, outer, index.shape[dim] * inner),
  );
  from.release();
  list.release();
  return true;
}

function scatterExtreme(
  host: WasmContext,
  out: NDArray,
  dim: number,
  index: NDArray,
  source: NDArray,
  how: 'max' | 'min',
): boolean {
  if (out.dtype !== 'float32') return false;
  const { outer, axis, inner } = around(out.shape, dim);
  const picks = index.shape[dim];
  const shared = sharedPicks(index, dim);
  const [from, list] = [packed(host, source), packed(host, shared ?? index)];
  const steps = shared ? [0, 1, 0] : [picks * inner, inner, 1];
  host.runtime.pool.run(
    'scatter_extreme_f32',
    [
      how === 'min' ? 1 : 0,
      host.pointer(out),
      host.pointer(list.array),
      ...steps,
      host.pointer(from.array),
      axis,
      picks,
      inner,
    ],
    outer * inner,
    rowChunk(host, outer * inner, picks),
  );
  from.release();
  list.release();
  shared?.release();
  return true;
}
