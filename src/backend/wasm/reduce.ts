/** Folds along dimensions: blocks of a fixed length where one result has many elements, so that bits never depend on threads. */
import type { DType } from '../../core/dtype.ts';
import { contiguousStrides, numElements } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { ReduceSpec } from '../backend.ts';
import { asOuterAxisInner, reducedLast, reducedShape } from '../reference/reduce.ts';
import type { WasmContext } from './context.ts';
import { elementChunk, kernelFor, packed } from './kernels.ts';
import type { KernelName } from './pool.ts';

/** Elements of one block of a long sum: some 10 µs of work. */
const BLOCK_ELEMENTS = 65_536;
/** Fewer results than this, each of several blocks, are summed block by block … */
const FEW_RESULTS = 16;
/** … and so are columns of more rows than this: along a row memory is read at its full speed, down a column it is not. */
const TALL = 128;
/** A thread's share of tall columns is whole blocks; more of them would be more to add up. */
const MOST_BLOCKS = 8;

/** Sums of functions of the elements. */
const TERMS: Readonly<Partial<Record<string, string>>> = { abs_sum: 'abs', square_sum: 'square' };
/** Folds whose blocks need no wider type, as nothing is rounded. */
const EXACT: readonly string[] = ['max', 'min', 'any', 'all'];

/** Runs of fewer elements than this are not summed by themselves. */
const SHORT_RUN = 8;

interface Folded {
  readonly array: NDArray;
  readonly axis: number;
  readonly inner: number;
  readonly temporary: boolean;
}

/** x as contiguous [outer, axis, inner]; a copy where its layout does not allow it. */
function folded(host: WasmContext, x: NDArray, dims: readonly number[]): Folded {
  const form = asOuterAxisInner(x, dims);
  if (form) return { array: x, axis: form.axis, inner: form.inner, temporary: false };
  const moved = reducedLast(x, dims);
  const array = host.empty(moved.shape, x.dtype);
  host.copyInto(array, moved);
  return { array, axis: numElements(dims.map((d) => x.shape[d])), inner: 1, temporary: true };
}

/** Results per slice, so that a slice has as many elements as an elementwise one would. */
function resultChunk(host: WasmContext, results: number, axis: number): number {
  const elements = elementChunk(host, results * axis);
  return elements >= results * axis ? results : Math.max(16, Math.ceil(elements / axis / 16) * 16);
}

/** Null where there is no kernel, or nothing to fold. */
export function reduce(
  host: WasmContext,
  spec: ReduceSpec,
  x: NDArray,
  dims: readonly number[],
  keepdim: boolean,
): NDArray | null {
  if (x.size === 0) return null;
  const kernel = kernelFor(host, spec.name, x.dtype);
  if (kernel === null) {
    const terms = TERMS[spec.name];
    return terms === undefined ? null : sumOfTerms(host, { ...spec, name: 'sum' }, terms, x, dims, keepdim);
  }
  const staged = spec.name === 'sum' ? sumInStages(host, spec, x, dims, keepdim) : null;
  if (staged !== null) return staged;
  const out = host.empty(reducedShape(x.shape, dims, keepdim), x.dtype);
  const source = folded(host, x, dims);
  const { axis, inner } = source;
  const large =
    (out.size < FEW_RESULTS || (axis > TALL && inner >= FEW_RESULTS)) && axis * inner >= 2 * BLOCK_ELEMENTS;
  const squares = spec.name === 'square_sum';
  if (squares || (large && x.dtype === 'float32' && spec.name === 'sum')) {
    inBlocks(host, source, out, large, [squares ? kernel : 'sum_blocks_f32', 'sum_finish_f32'], 'float64');
  } else if (large && EXACT.includes(spec.name)) {
    inBlocks(host, source, out, large, [kernel, kernel], x.dtype);
  } else {
    host.runtime.pool.run(
      kernel,
      [host.pointer(source.array), host.pointer(out), axis, inner, axis],
      out.size,
      resultChunk(host, out.size, axis),
    );
  }
  if (source.temporary) source.array.release();
  return out;
}

/**
 * A sum over the last dimensions and others that do not lie beside them, as over all but the channels: the last ones
 * first, of which nothing must be moved, then the few that remain. Null where x is not summed so.
 */
function sumInStages(
  host: WasmContext,
  spec: ReduceSpec,
  x: NDArray,
  dims: readonly number[],
  keepdim: boolean,
): NDArray | null {
  if (!x.contiguous || asOuterAxisInner(x, dims)) return null;
  let first = x.shape.length;
  while (dims.includes(first - 1)) first--;
  const inner = dims.filter((d) => d >= first);
  // A short run leaves so many sums that they cost as much as moving the elements.
  if (numElements(inner.map((d) => x.shape[d])) < SHORT_RUN) return null;
  const partial = reduce(host, spec, x, inner, true);
  const outer = dims.filter((d) => d < first);
  const sums = partial && reduce(host, spec, partial, outer, true);
  partial?.release();
  if (!sums) return null;
  const shape = reducedShape(x.shape, dims, keepdim);
  const out = sums.view(shape, contiguousStrides(shape));
  sums.release();
  return out;
}

/**
 * Two kernels are several times as fast as the loop for want of one. What one thread adds up is made by one thread, as half
 * of it would lie in another core's cache.
 */
function sumOfTerms(
  host: WasmContext,
  sum: ReduceSpec,
  fn: string,
  x: NDArray,
  dims: readonly number[],
  keepdim: boolean,
): NDArray | null {
  const kernel = kernelFor(host, fn, x.dtype);
  if (kernel === null) return null;
  const source = packed(host, x);
  const terms = host.empty(x.shape, x.dtype);
  const args = [host.pointer(source.array), host.pointer(terms), 0, 0];
  const chunk = x.size < 2 * BLOCK_ELEMENTS ? x.size : elementChunk(host, x.size);
  host.runtime.pool.run(kernel, args, x.size, chunk);
  source.release();
  const out = reduce(host, sum, terms, dims, keepdim);
  terms.release();
  return out;
}

/** Folds blocks, then what came of them, in `dtype`. Their bounds depend on sizes alone; one block unless `large`. */
function inBlocks(
  host: WasmContext,
  { array, axis, inner }: Folded,
  out: NDArray,
  large: boolean,
  [kernel, finish]: readonly [KernelName, KernelName],
  dtype: DType,
): void {
  const { pool } = host.runtime;
  const rows = Math.ceil(BLOCK_ELEMENTS / inner);
  const tall = Math.ceil(Math.max(rows, axis / MOST_BLOCKS) / 32) * 32;
  const block = !large ? axis : out.size < FEW_RESULTS ? rows : tall;
  const blocks = Math.ceil(axis / block);
  const total = out.size * blocks;
  const partial = host.empty([total], dtype);
  const threads = pool.plannedThreads;
  const split = large
    ? threads > 1 && total >= 4
      ? Math.ceil(total / threads / inner) * inner
      : total
    : resultChunk(host, total, axis);
  pool.run(kernel, [host.pointer(array), host.pointer(partial), axis, inner, block], total, split);
  pool.run(finish, [host.pointer(partial), host.pointer(out), blocks, inner, blocks], out.size, out.size);
  partial.release();
}

/** First extremes along dim with their positions (or the positions alone); null where there is no kernel. */
export function extreme(
  host: WasmContext,
  kind: 'max' | 'min',
  x: NDArray,
  dim: number,
  keepdim: boolean,
  wantValues: boolean,
): { values: NDArray | null; indices: NDArray } | null {
  const kernel = kernelFor(host, `arg${kind}`, x.dtype);
  if (kernel === null || x.size === 0) return null;
  const dims = x.shape.length === 0 ? [] : [dim];
  const shape = reducedShape(x.shape, dims, keepdim);
  const values = wantValues ? host.empty(shape, x.dtype) : null;
  const indices = host.empty(shape, 'int64');
  const source = folded(host, x, dims);
  host.runtime.pool.run(
    kernel,
    [
      host.pointer(source.array),
      values ? host.pointer(values) : 0,
      host.pointer(indices),
      source.axis,
      source.inner,
    ],
    indices.size,
    resultChunk(host, indices.size, source.axis),
  );
  if (source.temporary) source.array.release();
  return { values, indices };
}
