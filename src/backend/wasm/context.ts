/** What the kernel families of the Wasm backend need of it. */

import type { DType, TypedArray } from '../../core/dtype.ts';
import type { NDArray } from '../array.ts';
import type { Backend } from '../backend.ts';
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
  /** Address of a number as one element of dtype, valid until the next op; `slot` 0 … 3 keeps several apart. */
  constant(value: number | bigint, dtype: DType, slot: number): number;
  /** `assign` inside an op: it starts no new one, so that addresses stay valid. */
  copyInto(out: NDArray, x: NDArray): void;
  /** Lends each thread `bytes` of memory: `stride` bytes apart from `pointer` on. */
  withScratch(bytes: number, use: (pointer: number, stride: number) => void): void;
}
