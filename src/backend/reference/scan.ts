/** Running folds and sorting along one dimension in plain TypeScript. Running sums are kept in double precision. */
import { ascending } from '../../core/ascending.ts';
import type { NDArray } from '../array.ts';
import type { Backend } from '../backend.ts';
import { type ArrayHost, bigints, type Numbers, numbers, store } from './elements.ts';
import { reducedLast } from './reduce.ts';

/** The elements with dim last, in rows of its size; int64 as bigints. */
function rows(host: ArrayHost, x: NDArray, dim: number): { list: Numbers | BigInt64Array; length: number } {
  const moved = reducedLast(x, x.shape.length === 0 ? [] : [dim]);
  const list = x.dtype === 'int64' ? bigints(host, moved) : numbers(host, moved);
  return { list, length: x.shape.length === 0 ? 1 : x.shape[dim] };
}

function result(
  host: ArrayHost,
  like: NDArray,
  dim: number,
  dtype: NDArray['dtype'],
  values: Numbers | BigInt64Array,
) {
  const out = host.empty(like.shape, dtype);
  store(host, reducedLast(out, like.shape.length === 0 ? [] : [dim]), values);
  return out;
}

export function scan(host: ArrayHost, kind: 'sum' | 'prod', x: NDArray, dim: number): NDArray {
  const { list, length } = rows(host, x, dim);
  if (list instanceof BigInt64Array) {
    const values = list.slice();
    for (let i = 0; i < values.length; i++) {
      if (i % length > 0) values[i] = kind === 'sum' ? values[i - 1] + values[i] : values[i - 1] * values[i];
    }
    return result(host, x, dim, 'int64', values);
  }
  const values = Float64Array.from(list);
  for (let i = 0; i < values.length; i++) {
    if (i % length === 0)
      values[i] += kind === 'sum' ? 0 : -0; // a sum begins with 0: -0 becomes 0
    else values[i] = kind === 'sum' ? values[i - 1] + values[i] : values[i - 1] * values[i];
  }
  return result(host, x, dim, x.dtype, values);
}

export function scanExtreme(
  host: ArrayHost,
  kind: 'max' | 'min',
  x: NDArray,
  dim: number,
): { values: NDArray; indices: NDArray } {
  const { list, length } = rows(host, x, dim);
  const values = list.slice();
  const positions = new Float64Array(list.length);
  for (let i = 0; i < list.length; i++) {
    const at = i % length;
    if (at === 0) continue;
    const best = values[i - 1];
    const v = values[i];
    const wins = Number.isNaN(v) || (kind === 'max' ? v >= best : v <= best);
    positions[i] = wins ? at : positions[i - 1];
    if (!wins) values[i] = best;
  }
  return { values: result(host, x, dim, x.dtype, values), indices: result(host, x, dim, 'int64', positions) };
}

export function sort(
  host: ArrayHost,
  x: NDArray,
  dim: number,
  descending: boolean,
): { values: NDArray; indices: NDArray } {
  const { list, length } = rows(host, x, dim);
  const values = list.slice();
  const positions = new Float64Array(list.length);
  const order = Array.from({ length }, (_, i) => i);
  const sign = descending ? -1 : 1;
  for (let row = 0; row < list.length; row += length) {
    const sorted = order.slice().sort((a, b) => sign * ascending(list[row + a], list[row + b]));
    for (let i = 0; i < length; i++) {
      positions[row + i] = sorted[i];
      values[row + i] = list[row + sorted[i]];
    }
  }
  return { values: result(host, x, dim, x.dtype, values), indices: result(host, x, dim, 'int64', positions) };
}

/** What is in places `from` to `to` of what was sorted along dim, as row-major arrays. */
export function places(
  backend: Backend,
  sorted: { values: NDArray; indices: NDArray },
  dim: number,
  from = 0,
  to = sorted.values.shape[dim],
): { values: NDArray; indices: NDArray } {
  if (to - from === sorted.values.shape[dim] || sorted.values.shape.length === 0) return sorted;
  const part = (x: NDArray): NDArray => {
    const shape = x.shape.with(dim, to - from);
    const out = backend.empty(shape, x.dtype);
    const view = x.view(shape, x.strides, x.offset + from * x.strides[dim]);
    backend.assign(out, view);
    view.release();
    x.release();
    return out;
  };
  return { values: part(sorted.values), indices: part(sorted.indices) };
}
