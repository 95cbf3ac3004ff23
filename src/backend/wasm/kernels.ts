/** Which kernels the binary has, and from what size on they are worth several threads. */
import { type DType, dtypeInfo } from '../../core/dtype.ts';
import type { Kernels } from '../../generated/kernels.ts';
import type { NDArray } from '../array.ts';
import type { WasmContext } from './context.ts';
import type { KernelName, Pool } from './pool.ts';

/** Elements from which an elementwise kernel pays for other threads: some 3 µs of work when they are awake … */
const PARALLEL_HOT = 32_768;
/** … and 25 µs when they must be woken. */
const PARALLEL_ASLEEP = 262_144;

/** The same in multiply-adds of products. */
const PRODUCT_HOT = 48 ** 3;
const PRODUCT_ASLEEP = 96 ** 3;

/**
 * A thread's part is cut into some slices, of so many multiply-adds at least, so that a thread which others disturb leaves
 * some of its part to the rest. They take 5 µs, to claim one 0.1.
 */
const MOST_SLICES = 8;
const SLICE_WORK = 2 ** 18;
/** The same in elements of rows and of slow functions: where memory is the limit finer slices gain nothing. */
const SLICE_ELEMENTS = 2 ** 14;

/**
 * How many times as long as an addition a function takes, to the nearest few: it pays for threads that much sooner. Those
 * that are not named here either are about as fast, or are not met in long arrays.
 */
const COSTS: ReadonlyMap<string, number> = /* @__PURE__ */ new Map(
  Object.entries({
    3: 'exp log sigmoid silu elu elu_grad expm1',
    4: 'exp2 tanh',
    7: 'erf sin cos hypot log1p softplus gelu gelu_grad floor_divide fmod remainder xlogy',
    16: 'acos asin atan atan2 cosh erfc erfinv log10 log2 sinh tan',
    40: 'pow',
  }).flatMap(([cost, names]) => names.split(' ').map((name): [string, number] => [name, Number(cost)])),
);

/** Of an elementwise op, by the name of its row. */
export const costOf = (name: string): number => COSTS.get(name) ?? 1;

const isKernel = (kernels: Kernels, name: string): name is KernelName => Object.hasOwn(kernels, name);

/** The export of this name; null where the binary has none. */
export function kernelNamed(host: WasmContext, name: string): KernelName | null {
  return isKernel(host.runtime.module.exports, name) ? name : null;
}

/** What ops are of bools, which are bytes of 0 or 1. */
const OF_BOOLS: { readonly [name: string]: string } = {
  add: 'logical_or',
  mul: 'logical_and',
  maximum: 'logical_or',
  minimum: 'logical_and',
  bitwise_and: 'logical_and',
  bitwise_or: 'logical_or',
  bitwise_xor: 'logical_xor',
};

/** The export `${name}_${suffix of dtype}`; bools are bytes. Null where the binary has none. */
export function kernelFor(host: WasmContext, name: string, dtype: DType): KernelName | null {
  const known = host.kernelNames.get(name)?.[dtype];
  if (known !== undefined) return known;
  const suffix = dtype === 'bool' ? 'u8' : dtypeInfo[dtype].suffix;
  const kernel = kernelNamed(host, `${(dtype === 'bool' && OF_BOOLS[name]) || name}_${suffix}`);
  host.kernelNames.set(name, { ...host.kernelNames.get(name), [dtype]: kernel });
  return kernel;
}

/**
 * Elements per slice of an elementwise kernel of this cost; all of them where threads would not pay. Whole cache lines.
 */
export function elementChunk(host: WasmContext, total: number, cost = 1): number {
  const { pool } = host.runtime;
  const work = total * cost;
  if (work < PARALLEL_HOT) return total;
  const threads = pool.plannedThreads;
  if (threads < 2 || !repaysThreads(pool, work, PARALLEL_ASLEEP)) return total;
  const slices = cost > 1 ? finely(work / threads) : 1;
  return Math.ceil(total / threads / slices / 64) * 64;
}

/** Of work that repays threads which are awake: whether they are, or are woken. */
const repaysThreads = (pool: Pool, work: number, asleep: number): boolean =>
  work >= asleep || pool.sharesShort(work / asleep);

/** Into how many slices a thread's part of so many elements is cut. */
const finely = (elements: number): number =>
  Math.max(1, Math.min(MOST_SLICES, Math.floor(elements / SLICE_ELEMENTS)));

/** Among how many threads a product of so many multiply-adds is shared out. */
export function sharers(host: WasmContext, work: number): number {
  const { pool } = host.runtime;
  if (work < PRODUCT_HOT) return 1;
  const threads = pool.plannedThreads;
  return threads < 2 || !repaysThreads(pool, work, PRODUCT_ASLEEP) ? 1 : threads;
}

/**
 * Units per slice of products of so many multiply-adds together, a thread's part in `most` slices; all of them where threads
 * would not pay, nor is there an interlude.
 */
export function productChunk(host: WasmContext, units: number, work: number, most = MOST_SLICES): number {
  const share = sharers(host, work);
  const part = work / share;
  const slices = share === 1 ? 1 : Math.min(most, Math.floor(part / SLICE_WORK));
  return Math.ceil(units / share / Math.max(slices, host.runtime.pool.pieces(part)));
}

/** Rows per slice; all of them where threads would not pay. */
export function rowChunk(host: WasmContext, rows: number, length: number): number {
  const elements = elementChunk(host, rows * length);
  return elements >= rows * length ? rows : Math.max(1, Math.ceil(elements / finely(elements) / length));
}

/** An input as a kernel takes it; `release` gives back the copy that may have been needed. */
export interface Packed {
  readonly array: NDArray;
  release(): void;
}

const keep = () => {};

/** x itself if it is row-major without gaps, else a copy that is. */
export function packed(host: WasmContext, x: NDArray): Packed {
  if (x.contiguous) return { array: x, release: keep };
  const array = host.empty(x.shape, x.dtype);
  host.copyInto(array, x);
  return { array, release: () => array.release() };
}
