/** Running folds and sorting along one dimension. Null where there is no kernel for the dtype. */
import { dtypeInfo } from '../../core/dtype.ts';
import type { NDArray } from '../array.ts';
import { reducedLast } from '../reference/reduce.ts';
import { runWithScratch, type WasmContext } from './context.ts';
import { elementChunk, kernelFor, packed } from './kernels.ts';

/** Sorting costs as much per element as this many simple operations. */
const SORT_WORK = 16;

/** Lines per slice, so that a slice has as many elements as an elementwise one would. */
function lineChunk(host: WasmContext, lines: number, work: number): number {
  const elements = elementChunk(host, lines * work);
  return elements >= lines * work ? lines : Math.max(4, Math.ceil(elements / work / 4) * 4);
}

/** The sizes before, along and after a dimension of a row-major array. */
function extents({ shape }: NDArray, dim: number): [axis: number, inner: number] {
  const inner = shape.slice(dim + 1).reduce((product, n) => product * n, 1);
  return [shape[dim] ?? 1, inner];
}

export function scan(host: WasmContext, kind: 'sum' | 'prod', x: NDArray, dim: number): NDArray | null {
  const kernel = kernelFor(host, `cum${kind}`, x.dtype);
  if (kernel === null || x.size === 0) return null;
  const out = host.empty(x.shape, x.dtype);
  const source = packed(host, x);
  const [axis, inner] = extents(x, dim);
  const lines = x.size / axis;
  const args = [host.pointer(source.array), host.pointer(out), axis, inner];
  host.runtime.pool.run(kernel, args, lines, lineChunk(host, lines, axis));
  source.release();
  return out;
}

export function scanExtreme(
  host: WasmContext,
  kind: 'max' | 'min',
  x: NDArray,
  dim: number,
): { values: NDArray; indices: NDArray } | null {
  const kernel = kernelFor(host, `cum${kind}`, x.dtype);
  if (kernel === null || x.size === 0) return null;
  const values = host.empty(x.shape, x.dtype);
  const indices = host.empty(x.shape, 'int64');
  const source = packed(host, x);
  const [axis, inner] = extents(x, dim);
  const lines = x.size / axis;
  const args = [source.array, values, indices].map((array) => host.pointer(array));
  host.runtime.pool.run(kernel, [...args, axis, inner], lines, lineChunk(host, lines, axis));
  source.release();
  return { values, indices };
}

export function sort(
  host: WasmContext,
  x: NDArray,
  dim: number,
  descending: boolean,
  from: number,
  to: number,
): { values: NDArray; indices: NDArray } | null {
  const kernel = kernelFor(host, 'sort', x.dtype);
  if (kernel === null || x.size === 0 || from === to) return null;
  const n = x.shape[dim] ?? 1;
  const dims = x.shape.length === 0 ? [] : [dim];
  const moved = reducedLast(x, dims);
  const source = packed(host, moved);
  const shape = dims.length === 0 ? [] : moved.shape.with(-1, to - from);
  const values = host.empty(shape, x.dtype);
  const indices = host.empty(shape, 'int64');
  const rows = x.size / n;
  const bytes = host.runtime.module.exports.sort_scratch(n, dtypeInfo[x.dtype].bytes) >>> 0;
  const pointers = [source.array, values, indices].map((array) => host.pointer(array));
  const args = [...pointers, n, Number(descending), from, to, 0];
  runWithScratch(host, kernel, args, bytes, rows, lineChunk(host, rows, n * SORT_WORK));
  source.release();
  moved.release();
  return { values: movedBack(host, values, x, dims), indices: movedBack(host, indices, x, dims) };
}

/** Row-major as x but for the size of the dimension, from dimensions moved by `reducedLast`. */
function movedBack(host: WasmContext, moved: NDArray, x: NDArray, dims: readonly number[]): NDArray {
  if (dims.length === 0 || dims[0] === x.shape.length - 1) return moved;
  const out = host.empty(x.shape.with(dims[0], moved.shape[moved.shape.length - 1]), moved.dtype);
  const view = reducedLast(out, dims);
  host.copyInto(view, moved);
  view.release();
  moved.release();
  return out;
}
