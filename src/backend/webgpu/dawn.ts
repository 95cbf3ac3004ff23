/**
 * Dawn's bindings, which Node takes its GPU from: how to find them, and how to leave. They learn what the GPU has done in
 * callbacks that they hand to `setImmediate`. An environment that ends earlier (an uncaught error or `process.exit`, in a
 * worker thread) has promises that are never settled, for which the bindings abort the whole process; and a driver that is
 * at work while it is unloaded may crash. So devices are destroyed at exit, and the callbacks made that still wait.
 */
import { DeviceError } from '../../core/errors.ts';
import { isNode } from '../wasm/engineGC.ts';

/** At exit: destroyed devices answer at once, an adapter or device that is being looked for some time later. */
const MOST_LOOKS = 10_000;

type Look = (...args: unknown[]) => void;

/** What the bindings have handed to `setImmediate` and is not made yet. */
const looks = new Set<Look>();
const devices = new Set<WeakRef<GPUDevice>>();
/** Dawn's devices die with the object that they came from. */
const origins = new WeakMap<GPUDevice, GPU>();
let leaving = false;

/** Runs what makes promises of a GPU: all that does so goes through here. Until they are settled `holder` is kept alive. */
export function pending<R>(holder: GPU | GPUDevice, body: () => R): R {
  if (!isNode()) return body();
  const host = globalThis;
  const later = host.setImmediate;
  if (!leaving) process.once('exit', leave);
  leaving = true;
  host.setImmediate = ((look: Look, ...args: unknown[]) => {
    const once = () => {
      looks.delete(once);
      pending(holder, () => look(...args));
    };
    looks.add(once);
    return later(once);
  }) as typeof setImmediate;
  try {
    return body();
  } finally {
    host.setImmediate = later;
  }
}

/** A device to be destroyed at exit; it keeps what it came from. */
export function leaveWith(device: GPUDevice, origin: GPU | null): void {
  if (!isNode()) return;
  if (origin) origins.set(device, origin);
  const own = new WeakRef(device);
  devices.add(own);
  device.lost.finally(() => devices.delete(own));
}

function leave(): void {
  for (const device of devices) device.deref()?.destroy();
  for (let look = 0; look < MOST_LOOKS && looks.size > 0; look++) for (const once of [...looks]) once();
}

let found: GPU | null = null;

/** The package `webgpu`, if the program that runs, or the folder in which it runs, has it. */
export async function dawn(): Promise<GPU> {
  if (found) return found;
  const { createRequire } = process.getBuiltinModule('node:module');
  const { pathToFileURL } = process.getBuiltinModule('node:url');
  for (const from of [process.argv[1], `${process.cwd()}/package.json`]) {
    let file: string;
    try {
      file = createRequire(pathToFileURL(from).href).resolve('webgpu');
    } catch {
      continue;
    }
    try {
      const { href } = pathToFileURL(file);
      const bindings = (await import(/* webpackIgnore: true */ /* @vite-ignore */ href)) as {
        create(flags: string[]): GPU;
      };
      found = bindings.create([]);
      return found;
    } catch (error) {
      throw new DeviceError(`webgpu: the package 'webgpu' cannot be loaded: ${String(error)}`);
    }
  }
  throw new DeviceError(
    "webgpu: Node has no WebGPU of its own; install the package 'webgpu' (npm install webgpu), or give one: webgpu({ gpu })",
  );
}
