/**
 * Filling and copying between any two layouts: ranges at the speed of memory, transpositions in tiles, everything else
 * in rows. Elements that keep their dtype are moved by their width.
 */
import { type DType, dtypeInfo } from '../../core/dtype.ts';
import {
  collapseDims,
  exchanged,
  expandStrides,
  type Shape,
  type Strides,
  sameShape,
} from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import { broadcastTo, toBigInt } from '../reference/elements.ts';
import type { WasmContext } from './context.ts';
import { elementChunk, kernelNamed, packed, rowChunk } from './kernels.ts';
import type { KernelName } from './pool.ts';

/** A long range is copied in rows of this many elements, which threads share. */
const RANGE_ROW = 16_384;
/** Dimensions that one call of a copying kernel walks. */
const KERNEL_DIMS = 4;

export function fill(host: WasmContext, out: NDArray, value: number | bigint): void {
  if (out.size === 0) return;
  if (out.dense) {
    const element =
      out.dtype !== 'int64'
        ? toElement(value, out.dtype)
        : typeof value === 'bigint'
          ? value
          : toBigInt(value);
    host.runtime.pool.run(
      fillKernels[dtypeInfo[out.dtype].bytes],
      [host.constant(element, out.dtype, 0), host.pointer(out)],
      out.size,
      elementChunk(host, out.size),
    );
    return;
  }
  const one = host.empty([], out.dtype);
  fill(host, one, value);
  copyLayout(host, out, broadcastTo(one, out.shape));
  one.release();
}

const fillKernels: { readonly [bytes: number]: KernelName } = {
  1: 'fill_u8',
  2: 'fill_u16',
  4: 'fill_u32',
  8: 'fill_u64',
};

function toElement(value: number | bigint, dtype: DType): number {
  const x = Number(value);
  return dtype === 'bool' ? (x !== 0 ? 1 : 0) : x;
}

/** out ← x, converted and broadcast. False where there is no kernel for the conversion. */
export function copy(host: WasmContext, out: NDArray, x: NDArray): boolean {
  if (out.size === 0) return true;
  if (out.dtype !== x.dtype && !(x.dtype === 'bool' && out.dtype === 'uint8')) return convert(host, out, x);
  const source = broadcastTo(x, out.shape);
  if (x.storage !== out.storage) {
    copyLayout(host, out, source);
    return true;
  }
  // Out may lie over what is still to be read.
  const between = host.empty(out.shape, x.dtype);
  copyLayout(host, between, source);
  copyLayout(host, out, between);
  between.release();
  return true;
}

const suffix = (dtype: DType): string => (dtype === 'bool' ? 'u8' : dtypeInfo[dtype].suffix);

function convert(host: WasmContext, out: NDArray, x: NDArray): boolean {
  const target = out.dtype === 'bool' ? 'bool' : suffix(out.dtype);
  const kernel = kernelNamed(host, `convert_${suffix(x.dtype)}_${target}`);
  if (kernel === null) return false;
  const source = x.dense ? { array: x, release: () => {} } : packed(host, x);
  const { shape, strides } = source.array;
  const direct =
    sameShape(out.shape, shape) &&
    out.dense &&
    out.strides.every((s, d) => s === strides[d] || shape[d] === 1);
  const y = direct && out.storage !== x.storage ? out : host.empty(shape, out.dtype, strides);
  host.runtime.pool.run(
    kernel,
    [host.pointer(source.array), host.pointer(y)],
    y.size,
    elementChunk(host, y.size),
  );
  source.release();
  if (y !== out) {
    copyLayout(host, out, broadcastTo(y, out.shape));
    y.release();
  }
  return true;
}

/** Both layouts of one shape, in the order of out's memory, with as few dimensions as possible. */
interface Walk {
  readonly shape: Shape;
  readonly from: Strides;
  readonly to: Strides;
  readonly bytes: number;
}

/** out ← x of equal shape and width; they share no memory. */
export function copyLayout(host: WasmContext, out: NDArray, x: NDArray): void {
  const source = expandStrides(x.shape, x.strides, out.shape);
  const order = [...out.shape.keys()].sort((i, j) => out.strides[j] - out.strides[i] || i - j);
  const { shape, strides } = collapseDims(
    order.map((d) => out.shape[d]),
    [order.map((d) => source[d]), order.map((d) => out.strides[d])],
  );
  const [from, to] = strides;
  const walk = { shape, from, to, bytes: dtypeInfo[out.dtype].bytes };
  const last = shape.length - 1;
  if (last < 0) run(host, { ...walk, shape: [1], from: [1], to: [1] }, host.pointer(x), host.pointer(out));
  else if (last === 0 && from[0] === 1 && to[0] === 1)
    copyRange(host, walk, host.pointer(x), host.pointer(out));
  else run(host, walk, host.pointer(x), host.pointer(out));
}

function copyRange(host: WasmContext, { shape: [n], bytes }: Walk, from: number, to: number): void {
  const rows = Math.floor(n / RANGE_ROW);
  const rest = n - rows * RANGE_ROW;
  const done = rows * RANGE_ROW * bytes;
  if (rows > 0)
    run(host, { shape: [rows, RANGE_ROW], from: [RANGE_ROW, 1], to: [RANGE_ROW, 1], bytes }, from, to);
  if (rest > 0) run(host, { shape: [rest], from: [1], to: [1], bytes }, from + done, to + done);
}

/** Cuts off dimensions until a kernel takes the rest. */
function run(host: WasmContext, walk: Walk, from: number, to: number): void {
  const across = transposedDim(walk);
  const most = across >= 0 ? 3 : KERNEL_DIMS;
  const { shape, bytes } = walk;
  if (shape.length <= most) {
    if (across >= 0) transpose(host, walk, across, from, to);
    else copyRows(host, walk, from, to);
    return;
  }
  // The dimension to cut off must not be the one that a transposition runs along.
  const cut = across === 0 ? 1 : 0;
  const without = (list: readonly number[]) => list.filter((_, d) => d !== cut);
  const rest = { shape: without(shape), from: without(walk.from), to: without(walk.to), bytes };
  for (let i = 0; i < shape[cut]; i++) {
    run(host, rest, from + i * walk.from[cut] * bytes, to + i * walk.to[cut] * bytes);
  }
}

/** The dimension that is contiguous in the source while the last one is in the target; −1 if that is not so. */
function transposedDim({ shape, from, to, bytes }: Walk): number {
  const last = shape.length - 1;
  if (bytes < 4 || to[last] !== 1 || from[last] === 1 || from[last] === 0) return -1;
  return from.findIndex((step, d) => step === 1 && d !== last);
}

function transpose(
  host: WasmContext,
  { shape, from, to, bytes }: Walk,
  across: number,
  source: number,
  target: number,
): void {
  const last = shape.length - 1;
  const batch = [0, 1].find((d) => d < last && d !== across) ?? -1;
  const m = shape[across];
  const n = shape[last];
  const rows = (batch >= 0 ? shape[batch] : 1) * m;
  host.runtime.pool.run(
    bytes === 4 ? 'transpose_u32' : 'transpose_u64',
    [source, target, m, n, batch >= 0 ? from[batch] : 0, from[last], batch >= 0 ? to[batch] : 0, to[across]],
    rows,
    rowChunk(host, rows, n),
  );
}

const copiers = { 1: 'copy_u8', 2: 'copy_u16', 4: 'copy_u32', 8: 'copy_u64' } as const;

/** Rows of at most so many elements, no further apart than that, are gone through across: a row takes as long as ten elements. */
const TINY = 8;

function copyRows(host: WasmContext, walk: Walk, source: number, target: number): void {
  const last = walk.shape.length - 1;
  const tiny = [walk.shape[last], walk.from[last - 1], walk.to[last - 1]].every((n) => n <= TINY);
  const turned = (list: readonly number[]) => (tiny ? exchanged(list, last - 1, last) : list);
  const [shape, from, to] = [walk.shape, walk.from, walk.to].map(turned);
  const missing = KERNEL_DIMS - shape.length;
  const padded = (list: readonly number[], value: number) => [
    ...new Array<number>(missing).fill(value),
    ...list,
  ];
  const [d0, d1, d2, n] = padded(shape, 1);
  const rows = d0 * d1 * d2;
  host.runtime.pool.run(
    copiers[walk.bytes as keyof typeof copiers],
    [source, target, d1, d2, n, ...padded(from, 0), ...padded(to, 0)],
    rows,
    rowChunk(host, rows, n),
  );
}
