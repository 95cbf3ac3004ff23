/** The library as a whole: starting it, and what it says of itself. */

import type { BackendMemory } from './backend/backend.ts';
import {
  backendFor,
  getDefaultDevice,
  setDefaultDevice,
  wasmBackend,
  wasmStarted,
} from './backend/registry.ts';
import type { BackendInfo } from './backend/wasm/info.ts';
import { ArgumentError } from './core/errors.ts';

export interface InitOptions {
  /** How many threads to use, the calling one included; 'auto' takes the machine's cores. */
  threads?: number | 'auto';
  /** The same bits on every machine: no fused multiply-add. Must come before the first operation. */
  deterministic?: boolean;
  /** For pages whose security policy refuses blob: workers: where the worker script of the package is served. */
  workerURL?: string;
}

/**
 * Waits until the worker threads are ready. Never needed: everything works from the first line, on one thread until
 * then. Resolves with what was found, also where a feature is missing. @throws ArgumentError for a bad thread count
 */
export async function init(options: InitOptions = {}): Promise<BackendInfo> {
  const { threads = 'auto', deterministic = false, workerURL } = options;
  if (threads !== 'auto' && !(Number.isInteger(threads) && threads >= 1)) {
    throw new ArgumentError(`init: threads must be a positive integer or 'auto', but got ${String(threads)}`);
  }
  if (deterministic && wasmStarted() && wasmBackend().runtime.module.relaxed) {
    throw new ArgumentError('init: deterministic must be asked for before the first operation');
  }
  const backend = wasmBackend({ deterministic });
  backend.runtime.pool.start(threads, workerURL);
  await backend.runtime.pool.ready();
  return backend.runtime.info();
}

/** What the engine found here: SIMD, threads, isolation, and why something is off. */
export const backendInfo = (): BackendInfo => wasmBackend().runtime.info();

/** Bytes of tensors in use, at most so far, and moved out of linear memory. */
export const memoryStats = (device?: string): BackendMemory => backendFor(device).memory();

export { getDefaultDevice, setDefaultDevice };
