/** Which kernels the binary has, and from what size on they are worth several threads. */
import { type DType, dtypeInfo } from '../../core/dtype.ts';
import type { Kernels } from '../../generated/kernels.ts';
import type { NDArray } from '../array.ts';
import type { WasmContext } from './context.ts';
import type { KernelName } from './pool.ts';

/** Elements from which an elementwise kernel pays for other threads: some 3 µs of work when they are awake … */
const PARALLEL_HOT = 32_768;
/** … and 25 µs when they must be woken. */
const PARALLEL_ASLEEP = 262_144;

/**
 * How many times as long as an addition a function takes, to the nearest few: it pays for threads that much sooner. Those
 * that are not named here either are about as fast, or are not met in long arrays.
 */
const COSTS: ReadonlyMap<string, number> = /* @__PURE__ */ new Map(
  Object.entries({
    3: 'exp log sigmoid silu',
    4: 'exp2 tanh',
    7: 'erf sin cos hypot',
    16: 'acos asin atan atan2 cosh elu erfc erfinv expm1 gelu gelu_grad log10 log1p log2 sinh tan',
    40: 'floor_divide fmod pow remainder softplus',
  }).flatMap(([cost, names]) => names.split(' ').map((name): [string, number] => [name, Number(cost)])),
);

/** Of an elementwise op, by the name of its row. */
export const costOf = (name: string): number => COSTS.get(name) ?? 1;

const isKernel = (kernels: Kernels, name: string): name is KernelName => Object.hasOwn(kernels, name);

/** The export of this name; null where the binary has none. */
export function kernelNamed(host: WasmContext, name: string): KernelName | null {
  return isKernel(host.runtime.module.exports, name) ? name : null;
}

/** The export `${name}_${suffix of dtype}`; bools are bytes. Null where the binary has none. */
export function kernelFor(host: WasmContext, name: string, dtype: DType): KernelName | null {
  const known = host.kernelNames.get(name)?.[dtype];
  if (known !== undefined) return known;
  const kernel = kernelNamed(host, `${name}_${dtype === 'bool' ? 'u8' : dtypeInfo[dtype].suffix}`);
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
  if (threads < 2 || (work < PARALLEL_ASLEEP && !pool.hot)) return total;
  return Math.ceil(total / threads / 64) * 64;
}

/** Rows per slice, so that a slice has as many elements as an elementwise one would. */
export function rowChunk(host: WasmContext, rows: number, length: number): number {
  const elements = elementChunk(host, rows * length);
  return elements >= rows * length ? rows : Math.max(1, Math.ceil(elements / length));
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
