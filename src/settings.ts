/** The library as a whole: starting it, and what it says of itself. */

import type { BackendMemory } from './backend/backend.ts';
import {
  backendFor,
  getDefaultDevice,
  presentBackend,
  registerBackend,
  setDefaultDevice,
  wasmBackend,
  wasmStarted,
} from './backend/registry.ts';
import type { BackendInfo as CpuInfo } from './backend/wasm/info.ts';
import type { WebGPUBackend } from './backend/webgpu/index.ts';
import type { MatmulPrecision, WebGPUInfo, WebGPUOptions } from './backend/webgpu/types.ts';
import { ArgumentError } from './core/errors.ts';
import { optionsGiven } from './ops/given.ts';

export type { MatmulPrecision, WebGPUInfo, WebGPUOptions };

/** What the library found in this environment. */
export interface BackendInfo extends CpuInfo {
  /** The GPU, once `webgpu()` has found one; null before. */
  readonly webgpu: WebGPUInfo | null;
  /** How often an op on webgpu computed on the host instead. */
  readonly fallbacks: number;
  /** The same by op. */
  readonly fallbackOps: { readonly [op: string]: number };
}

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
  const {
    threads = 'auto',
    deterministic = false,
    workerURL,
  } = optionsGiven(options, 'init', 'threads deterministic workerURL');
  if (threads !== 'auto' && !(Number.isInteger(threads) && threads >= 1)) {
    throw new ArgumentError(`init: threads must be a positive integer or 'auto', but got ${String(threads)}`);
  }
  if (deterministic && wasmStarted() && wasmBackend().runtime.module.relaxed) {
    throw new ArgumentError('init: deterministic must be asked for before the first operation');
  }
  const backend = wasmBackend({ deterministic });
  backend.runtime.pool.start(threads, workerURL);
  await backend.runtime.pool.ready();
  return backendInfo();
}

const presentWebGPU = (): WebGPUBackend | null => presentBackend('webgpu') as WebGPUBackend | null;

let starting: Promise<WebGPUBackend> | null = null;

/**
 * Asks for a GPU. Afterwards 'webgpu' is a device: `x.to('webgpu')`, `model.to('webgpu')`, `{ device: 'webgpu' }`. A
 * second call gives what there is, unless it was lost or other options are given; tensors of a device that was replaced
 * cannot be used any more. In Node the package `webgpu` must be installed beside this library.
 * @throws DeviceError where there is none
 */
export async function webgpu(options: WebGPUOptions = {}): Promise<WebGPUInfo> {
  const present = presentWebGPU();
  const any = Object.keys(options).length === 0;
  if (any && present && !present.lost) return present.info();
  const own =
    (any && starting) || import('./backend/webgpu/index.ts').then(({ startWebGPU }) => startWebGPU(options));
  starting = own;
  try {
    const backend = await own;
    registerBackend(backend);
    return backend.info();
  } finally {
    if (starting === own) starting = null;
  }
}

/** What the library found here: SIMD, threads, isolation, the GPU, and why something is off. */
export function backendInfo(): BackendInfo {
  const gpu = presentWebGPU();
  const fallbackOps = Object.fromEntries(gpu?.fallbacks ?? []);
  return {
    ...wasmBackend().runtime.info(),
    webgpu: gpu?.info() ?? null,
    fallbacks: Object.values(fallbackOps).reduce((sum, count) => sum + count, 0),
    fallbackOps,
  };
}

export interface MemoryStats extends BackendMemory {
  /** The same of the GPU, or null where none is in use. */
  readonly webgpu: BackendMemory | null;
}

/** Bytes of tensors in use, at most so far, and moved out of linear memory. */
export const memoryStats = (device?: string): MemoryStats => ({
  ...backendFor(device).memory(),
  webgpu: presentWebGPU()?.memory() ?? null,
});

export { getDefaultDevice, setDefaultDevice };
