/** The devices by name. The Wasm core starts, synchronously, when it is first asked for. */
import { DeviceError } from '../core/errors.ts';
import type { RowMath } from '../core/rowMath.ts';
import type { Backend } from './backend.ts';
import { ReferenceBackend } from './reference/index.ts';
import { WasmBackend } from './wasm/index.ts';
import type { RuntimeOptions } from './wasm/runtime.ts';

const backends = new Map<string, Backend>();
let wasm: WasmBackend | null = null;
let defaultDevice = 'cpu';
let autoThreads: number | null = null;

/** The Wasm core. Options count only for the call that starts it. */
export function wasmBackend(options?: RuntimeOptions): WasmBackend {
  if (wasm === null) {
    wasm = new WasmBackend(options);
    if (autoThreads !== null) wasm.runtime.pool.limitAuto(autoThreads);
  }
  return wasm;
}

/** The kernels that decompositions, which the host makes whatever the device, are made with. */
export const rowMath = (): RowMath => wasmBackend().rowMath;

/** How many threads the core takes where none are asked for, because other processes work on the same machine. */
export function limitAutoThreads(threads: number): void {
  autoThreads = threads;
  wasm?.runtime.pool.limitAuto(threads);
}

/** True once the Wasm core runs. */
export const wasmStarted = (): boolean => wasm !== null;

/** A device that is there already, or null. */
export const presentBackend = (device: string): Backend | null => backends.get(device) ?? null;

export function registerBackend(backend: Backend): void {
  backends.set(backend.device, backend);
}

/** @throws DeviceError for a device that is not there */
export function backendFor(device: string = defaultDevice): Backend {
  if (device === 'cpu') return wasm ?? wasmBackend();
  if (device === 'reference' && !backends.has(device)) registerBackend(new ReferenceBackend());
  const backend = backends.get(device);
  if (backend) return backend;
  if (device === 'webgpu')
    throw new DeviceError("device: 'webgpu' must be asked for first: await torch.webgpu()");
  throw new DeviceError(
    `device: '${device}' is not available; there are cpu, reference${[...backends.keys()].map((d) => `, ${d}`).join('')}` +
      (backends.has('webgpu') ? '' : ', and webgpu after await torch.webgpu()'),
  );
}

/** Where tensors are made when no device is named. */
export function setDefaultDevice(device: string): void {
  backendFor(device);
  defaultDevice = device;
}

export const getDefaultDevice = (): string => defaultDevice;
