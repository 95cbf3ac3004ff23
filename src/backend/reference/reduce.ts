/** Reductions in plain TypeScript: sums run in double precision, so the reference is also the exact answer. */
import { contiguousStrides, isContiguous, numElements, reordered, type Shape } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { ReduceSpec, SoftmaxKind } from '../backend.ts';
import { type ArrayHost, bigints, numbers, store } from './elements.ts';

/** The shape that is left when `dims` (sorted) are reduced. */
export function reducedShape(shape: Shape, dims: readonly number[], keepdim: boolean): number[] {
  const out: number[] = [];
  for (let d = 0; d < shape.length; d++) {
    if (!dims.includes(d)) out.push(shape[d]);
    else if (keepdim) out.push(1);
  }
  return out;
}

/** x with the reduced dimensions moved behind the kept ones. */
export function reducedLast(x: NDArray, dims: readonly number[]): NDArray {
  const order = [...x.shape.keys()].filter((d) => !dims.includes(d)).concat(dims);
  return x.view(reordered(x.shape, order), reordered(x.strides, order));
}

/** [outer, axis, inner] of a contiguous array whose reduced dimensions are neighbours; null otherwise. */
export function asOuterAxisInner(
  x: NDArray,
  dims: readonly number[],
): { outer: number; axis: number; inner: number } | null {
  if (!isContiguous(x.shape, x.strides)) return null;
  for (let i = 1; i < dims.length; i++) if (dims[i] !== dims[i - 1] + 1) return null;
  const first = dims[0] ?? x.shape.length;
  const after = dims.length > 0 ? dims[dims.length - 1] + 1 : x.shape.length;
  return {
    outer: numElements(x.shape.slice(0, first)),
    axis: numElements(x.shape.slice(first, after)),
    inner: numElements(x.shape.slice(after)),
  };
}

export function reduce(
  host: ArrayHost,
  spec: ReduceSpec,
  x: NDArray,
  dims: readonly number[],
  keepdim: boolean,
): NDArray {
  const out = host.empty(reducedShape(x.shape, dims, keepdim), x.dtype);
  const moved = reducedLast(x, dims);
  const axis = numElements(dims.map((d) => x.shape[d]));
  if (x.dtype === 'int64' && spec.big && spec.bigInitial !== undefined) {
    const values = bigints(host, moved);
    const result = new BigInt64Array(out.size);
    for (let i = 0; i < out.size; i++) {
      let acc = spec.bigInitial;
      for (let j = 0; j < axis; j++) acc = spec.big(acc, values[i * axis + j]);
      result[i] = acc;
    }
    store(host, out, result);
    return out;
  }
  const values = numbers(host, moved);
  const result = new Float64Array(out.size);
  for (let i = 0; i < out.size; i++) {
    let acc = spec.initial;
    for (let j = 0; j < axis; j++) acc = spec.js(acc, values[i * axis + j]);
    result[i] = acc;
  }
  store(host, out, result);
  return out;
}

/** The position of the first extreme of a run of `axis` numbers; the first NaN wins. */
function extremeAt(
  values: ArrayLike<number | bigint>,
  start: number,
  axis: number,
  kind: 'max' | 'min',
): number {
  let best = 0;
  for (let j = 1; j < axis; j++) {
    const v = values[start + j];
    const b = values[start + best];
    if (Number.isNaN(b)) break;
    if (Number.isNaN(v) || (kind === 'max' ? v > b : v < b)) best = j;
  }
  return best;
}

export function extreme(
  host: ArrayHost,
  kind: 'max' | 'min',
  x: NDArray,
  dim: number,
  keepdim: boolean,
): { values: NDArray; indices: NDArray } {
  const dims = x.shape.length === 0 ? [] : [dim];
  const shape = reducedShape(x.shape, dims, keepdim);
  const values = host.empty(shape, x.dtype);
  const indices = host.empty(shape, 'int64');
  const moved = reducedLast(x, dims);
  const axis = dims.length > 0 ? x.shape[dim] : 1;
  const list = x.dtype === 'int64' ? bigints(host, moved) : numbers(host, moved);
  const picked = list.slice(0, values.size);
  const positions = new Float64Array(values.size);
  for (let i = 0; i < values.size; i++) {
    const j = extremeAt(list, i * axis, axis, kind);
    positions[i] = j;
    picked[i] = list[i * axis + j];
  }
  store(host, values, picked);
  store(host, indices, positions);
  return { values, indices };
}

export function softmax(host: ArrayHost, x: NDArray, kind: SoftmaxKind): NDArray {
  const out = host.empty(x.shape, x.dtype, contiguousStrides(x.shape));
  const values = numbers(host, x);
  const n = x.shape.length > 0 ? x.shape[x.shape.length - 1] : 1;
  const result = new Float64Array(values.length);
  for (let row = 0; row < values.length; row += n) {
    let top = -Infinity;
    for (let j = 0; j < n; j++) top = Math.max(top, values[row + j]);
    if (kind === 'safeSoftmax' && top === -Infinity) continue;
    let sum = 0;
    for (let j = 0; j < n; j++) sum += Math.exp(values[row + j] - top);
    for (let j = 0; j < n; j++) {
      const shifted = values[row + j] - top;
      result[row + j] = kind === 'logSoftmax' ? shifted - Math.log(sum) : Math.exp(shifted) / sum;
    }
  }
  store(host, out, result);
  return out;
}

/** softmax: y·(g − Σ g·y); logSoftmax: g − exp(y)·Σ g. */
export function softmaxGrad(host: ArrayHost, grad: NDArray, output: NDArray, log: boolean): NDArray {
  const out = host.empty(output.shape, output.dtype);
  const g = numbers(host, grad);
  const y = numbers(host, output);
  const n = output.shape.length > 0 ? output.shape[output.shape.length - 1] : 1;
  const result = new Float64Array(y.length);
  for (let row = 0; row < y.length; row += n) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += log ? g[row + j] : g[row + j] * y[row + j];
    for (let j = 0; j < n; j++) {
      const i = row + j;
      result[i] = log ? g[i] - Math.exp(y[i]) * sum : y[i] * (g[i] - sum);
    }
  }
  store(host, out, result);
  return out;
}
