/** Selection and scattering in plain TypeScript. Index arrays are int64; negative entries count from the end. */
import { contiguousStrides, numElements } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { PixelScaling, Placement } from '../backend.ts';
import { type ArrayHost, elements, forEachOffset, numbers, store } from './elements.ts';

export function findBadIndex(host: ArrayHost, index: NDArray, size: number, least: number): number {
  const list = numbers(host, index);
  for (let i = 0; i < list.length; i++) if (list[i] < least || list[i] >= size) return i;
  return -1;
}

export function findBadTarget(
  host: ArrayHost,
  target: NDArray,
  classes: number,
  ignore: number | null,
): number {
  return numbers(host, target).findIndex((t) => t !== ignore && !(t >= 0 && t < classes));
}

const wrap = (i: number, size: number): number => (i < 0 ? i + size : i);

/** Copies single elements between storages of one dtype, whatever their element type. */
function copier(host: ArrayHost, from: NDArray, to: NDArray): (source: number, target: number) => void {
  const x = host.data(from);
  const y = host.data(to);
  if (x instanceof BigInt64Array && y instanceof BigInt64Array) {
    return (s, t) => {
      y[t] = x[s];
    };
  }
  if (!(x instanceof BigInt64Array) && !(y instanceof BigInt64Array)) {
    return (s, t) => {
      y[t] = x[s];
    };
  }
  throw new TypeError(`indexing: dtypes differ, got ${from.dtype} and ${to.dtype}`);
}

function adder(host: ArrayHost, from: NDArray, to: NDArray): (source: number, target: number) => void {
  const x = host.data(from);
  const y = host.data(to);
  if (x instanceof BigInt64Array && y instanceof BigInt64Array) {
    return (s, t) => {
      y[t] += x[s];
    };
  }
  if (!(x instanceof BigInt64Array) && !(y instanceof BigInt64Array)) {
    if (to.dtype === 'bool') {
      return (s, t) => {
        y[t] = y[t] || x[s] ? 1 : 0;
      };
    }
    return (s, t) => {
      y[t] += x[s];
    };
  }
  throw new TypeError(`indexing: dtypes differ, got ${from.dtype} and ${to.dtype}`);
}

/** Replaces elements by larger or smaller ones, and by NaN. */
function selector(
  host: ArrayHost,
  from: NDArray,
  to: NDArray,
  how: 'max' | 'min',
): (source: number, target: number) => void {
  const x = host.data(from);
  const y = host.data(to);
  return (s, t) => {
    const value = x[s];
    if ((how === 'max' ? value > y[t] : value < y[t]) || Number.isNaN(value)) y[t] = value;
  };
}

function mover(host: ArrayHost, from: NDArray, to: NDArray, how: Placement) {
  if (how === 'replace') return copier(host, from, to);
  return how === 'add' ? adder(host, from, to) : selector(host, from, to, how);
}

/** Offsets of all elements of `x` in row-major order. */
function offsets(x: NDArray): Float64Array {
  const list = new Float64Array(x.size);
  let i = 0;
  forEachOffset(x.shape, x.strides, x.offset, (at) => {
    list[i++] = at;
  });
  return list;
}

export function indexSelect(host: ArrayHost, x: NDArray, dim: number, index: NDArray): NDArray {
  const shape = x.shape.length === 0 ? [] : x.shape.map((s, d) => (d === dim ? index.size : s));
  const out = host.empty(shape, x.dtype);
  const picks = numbers(host, index);
  const copy = copier(host, x, out);
  const outStrides = contiguousStrides(shape);
  let i = 0;
  forEachOffset(shape, outStrides, 0, (at) => {
    const j = shape.length === 0 ? 0 : Math.floor(at / outStrides[dim]) % shape[dim];
    copy(
      sourceOffset(x, shape, outStrides, at, dim, wrap(picks[j] ?? 0, x.shape[dim] ?? 1)),
      out.offset + i++,
    );
  });
  return out;
}

function sourceOffset(
  x: NDArray,
  shape: readonly number[],
  strides: readonly number[],
  at: number,
  dim: number,
  pick: number,
): number {
  let offset = x.offset;
  for (let d = 0; d < shape.length; d++) {
    const i = d === dim ? pick : Math.floor(at / strides[d]) % shape[d];
    offset += i * x.strides[d];
  }
  return offset;
}

/** Bytes of some rows as float32: (x / divisor − mean) / std, rounded after every step. */
export function gatherScaled(host: ArrayHost, x: NDArray, index: NDArray, scaling: PixelScaling): NDArray {
  const f = Math.fround;
  const [divisor, mean, std] = [f(scaling.divisor), f(scaling.mean), f(scaling.std)];
  const values = Float32Array.from({ length: 256 }, (_, byte) => f(f(f(byte / divisor) - mean) / std));
  const row = numElements(x.shape.slice(1));
  const out = host.empty([index.size, ...x.shape.slice(1)], 'float32');
  const picks = numbers(host, index);
  const from = numbers(host, x);
  const list = new Float32Array(out.size);
  for (let i = 0; i < picks.length; i++) {
    const start = wrap(picks[i], x.shape[0]) * row;
    for (let k = 0; k < row; k++) list[i * row + k] = values[from[start + k]];
  }
  store(host, out, list);
  return out;
}

export function indexAdd(host: ArrayHost, out: NDArray, dim: number, index: NDArray, source: NDArray): void {
  const picks = numbers(host, index);
  const add = adder(host, source, out);
  const strides = contiguousStrides(source.shape);
  const from = offsets(source);
  for (let at = 0; at < source.size; at++) {
    const j = Math.floor(at / strides[dim]) % source.shape[dim];
    add(from[at], sourceOffset(out, source.shape, strides, at, dim, wrap(picks[j], out.shape[dim])));
  }
}

export function take(host: ArrayHost, x: NDArray, positions: NDArray): NDArray {
  const out = host.empty(positions.shape, x.dtype);
  const picks = numbers(host, positions);
  const from = elements(host, x);
  const data = host.data(out);
  if (from instanceof BigInt64Array && data instanceof BigInt64Array) {
    for (let i = 0; i < picks.length; i++) data[out.offset + i] = from[picks[i]];
  } else if (!(from instanceof BigInt64Array) && !(data instanceof BigInt64Array)) {
    for (let i = 0; i < picks.length; i++) data[out.offset + i] = from[picks[i]];
  }
  return out;
}

export function put(
  host: ArrayHost,
  out: NDArray,
  positions: NDArray,
  source: NDArray,
  accumulate: boolean,
): void {
  const picks = numbers(host, positions);
  const from = offsets(source);
  const move = accumulate ? adder(host, source, out) : copier(host, source, out);
  for (let i = 0; i < picks.length; i++) move(from[i], out.offset + picks[i]);
}

export function nonzero(host: ArrayHost, x: NDArray): NDArray {
  const list = numbers(host, x);
  const found: number[] = [];
  for (let i = 0; i < list.length; i++) if (list[i] !== 0) found.push(i);
  const out = host.empty([found.length], 'int64');
  store(host, out, Float64Array.from(found));
  return out;
}

/** Offset into `x` of the element that `index` names at flat position `at` of its own shape. */
function gatherOffset(
  x: NDArray,
  dim: number,
  index: NDArray,
  strides: readonly number[],
  at: number,
  pick: number,
) {
  return x.shape.length === 0
    ? x.offset
    : sourceOffset(x, index.shape, strides, at, dim, wrap(pick, x.shape[dim]));
}

export function gather(host: ArrayHost, x: NDArray, dim: number, index: NDArray): NDArray {
  const out = host.empty(index.shape, x.dtype);
  const picks = numbers(host, index);
  const copy = copier(host, x, out);
  const strides = contiguousStrides(index.shape);
  for (let at = 0; at < picks.length; at++)
    copy(gatherOffset(x, dim, index, strides, at, picks[at]), out.offset + at);
  return out;
}

export function scatter(
  host: ArrayHost,
  out: NDArray,
  dim: number,
  index: NDArray,
  source: NDArray,
  how: Placement,
): void {
  const picks = numbers(host, index);
  const move = mover(host, source, out, how);
  const strides = contiguousStrides(index.shape);
  for (let at = 0; at < picks.length; at++) {
    const from =
      source.shape.length === 0 ? source.offset : sourceOffset(source, index.shape, strides, at, -1, 0);
    move(from, gatherOffset(out, dim, index, strides, at, picks[at]));
  }
}
