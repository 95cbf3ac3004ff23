/** Which kernels the binary has, and from what size on they are worth several threads. */
import { type DType, dtypeInfo } from '../../core/dtype.ts';
import type { Kernels } from '../../generated/kernels.ts';
import type { WasmContext } from './context.ts';
import type { KernelName } from './pool.ts';

/** Elements from which an elementwise kernel pays for other threads: some 3 µs of work when they are awake … */
const PARALLEL_HOT = 32_768;
/** … and 25 µs when they must be woken. */
const PARALLEL_ASLEEP = 262_144;

const isKernel = (kernels: Kernels, name: string): name is KernelName => Object.hasOwn(kernels, name);

/** The export `${name}_${suffix of dtype}`; bools are bytes. Null where the binary has none. */
export function kernelFor(host: WasmContext, name: string, dtype: DType): KernelName | null {
  const full = `${name}_${dtype === 'bool' ? 'u8' : dtypeInfo[dtype].suffix}`;
  return isKernel(host.runtime.module.exports, full) ? full : null;
}

/** Elements per slice of an elementwise kernel; all of them where threads would not pay. Whole cache lines. */
export function elementChunk(host: WasmContext, total: number): number {
  const { pool } = host.runtime;
  if (total < PARALLEL_HOT) return total;
  const threads = pool.plannedThreads;
  if (threads < 2 || (total < PARALLEL_ASLEEP && !pool.hot)) return total;
  return Math.ceil(total / threads / 64) * 64;
}
