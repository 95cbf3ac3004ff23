/** Where tensors are in linear memory, for those who read and write them beside the library's own operations. */
import type { NDArray } from '../backend/array.ts';
import { WasmBackend } from '../backend/wasm/index.ts';
import { WasmStorage } from '../backend/wasm/storage.ts';
import { dtypeInfo } from '../core/dtype.ts';
import { DeviceError } from '../core/errors.ts';
import type { ForeignFunctions } from './ffi.ts';
import type { Elements, Transport } from './transport.ts';

/** A tensor's elements in linear memory, held there until `storage.letGo()`. */
export interface Held extends Elements {
  readonly storage: WasmStorage;
}

let linear: { buffer: ArrayBufferLike; base: bigint } | null = null;

/** Where linear memory begins. Asked for again when it has grown. */
function linearBase(backend: WasmBackend, foreign: Pick<ForeignFunctions, 'address'>): bigint {
  const { buffer } = backend.runtime.module.memory;
  if (linear?.buffer !== buffer) linear = { buffer, base: foreign.address(new Uint8Array(buffer)) };
  return linear.base;
}

/** Holds an array without gaps. */
export function hold(transport: Transport, array: NDArray): Held {
  const { storage, backend, dtype, size: count } = array;
  if (!(storage instanceof WasmStorage) || !(backend instanceof WasmBackend))
    throw new DeviceError('distributed: expected a tensor on cpu');
  const pointer = storage.hold();
  const at = (pointer >>> 0) + array.offset * dtypeInfo[dtype].bytes;
  return { count, dtype, address: linearBase(backend, transport) + BigInt(at), storage };
}

/** Some of a tensor's elements, from one on. */
export interface Part extends Elements {
  readonly from: number;
}

/** Parts of at most the group's chunk size. */
export function parts({ address, count, dtype }: Elements, chunkBytes: number): Part[] {
  const { bytes } = dtypeInfo[dtype];
  const most = Math.max(1, Math.floor(chunkBytes / bytes));
  const found: Part[] = [];
  for (let from = 0; from < count; from += most)
    found.push({
      from,
      address: address + BigInt(from * bytes),
      count: Math.min(most, count - from),
      dtype,
    });
  return found;
}

/** Has `look` called during long kernels of this array's backend, for calls under way that have to be driven; null ends it. */
export function duringKernels({ backend }: NDArray, look: (() => void) | null): void {
  if (backend instanceof WasmBackend) backend.runtime.pool.interlude = look;
}
