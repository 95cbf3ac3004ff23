/** What the kernel families of the Wasm backend need of it. */

import type { DType, TypedArray } from '../../core/dtype.ts';
import type { NDArray } from '../array.ts';
import type { Backend } from '../backend.ts';
import type { Block } from './heap.ts';
import type { KernelName } from './pool.ts';
import type { Runtime } from './runtime.ts';

export interface WasmContext extends Backend {
  readonly runtime: Runtime;
  /** What `kernelFor` has found: making a name anew costs more than a small op. */
  readonly kernelNames: Map<string, { readonly [D in DType]?: KernelName | null }>;
  /** The whole storage as a typed array, valid until the next op. */
  data(x: NDArray): TypedArray;
  /** Address of an array's first element, valid until the next op. */
  pointer(x: NDArray): number;
  /** Address of a number as one element of dtype, valid until the next op; `slot` 0 … 7 keeps several apart. */
  constant(value: number | bigint, dtype: DType, slot: number): number;
  /** `assign` inside an op: it starts no new one, so that addresses stay valid. */
  copyInto(out: NDArray, x: NDArray): void;
  /** Lends each thread `bytes` of memory until it is returned. */
  takeScratch(bytes: number): ScratchArea;
  returnScratch(area: ScratchArea): void;
}

/** Memory that threads share out: each has `stride` bytes, from the address of the block on. */
export interface ScratchArea {
  readonly block: Block;
  readonly stride: number;
}

/**
 * `pool.run` of a kernel that needs `bytes` of memory for each thread, whose address takes the place of the last argument.
 * They are a list and not what a function makes of the address: V8 forgets the optimised code of functions that are
 * made anew for every call, with every full collection.
 */
export function runWithScratch(
  host: WasmContext,
  kernel: KernelName,
  args: number[],
  bytes: number,
  total: number,
  chunk: number,
): void {
  const area = host.takeScratch(bytes);
  try {
    const arg = args.length - 1;
    args[arg] = area.block.pointer;
    host.runtime.pool.run(kernel, args, total, chunk, { arg, stride: area.stride });
  } finally {
    host.returnScratch(area);
  }
}
