/** The Wasm core put together: the embedded kernels on their memory, and the pool that runs them. */
import { workerSource } from '../../generated/worker.ts';
import { embeddedBinaries } from './embedded.ts';
import { detectHost } from './host.ts';
import { type BackendInfo, describeBackend } from './info.ts';
import { createModule, type ModuleOptions, type WasmModule } from './module.ts';
import { Pool, type PoolOptions } from './pool.ts';

export interface RuntimeOptions extends ModuleOptions {
  /** For pages whose security policy refuses blob: workers: where dist's worker script is served. */
  readonly workerURL?: string;
  /** Where threads come from, if not from this environment. */
  readonly host?: PoolOptions['host'];
  /** How long a worker that says nothing is waited for, at least. */
  readonly stallMs?: number;
}

export interface Runtime {
  readonly module: WasmModule;
  readonly pool: Pool;
  info(): BackendInfo;
}

/**
 * Starts the core synchronously. Threads come later: with the first work that is worth them, or by `pool.start`.
 * @throws DeviceError where the engine cannot run the kernels at all
 */
export function startRuntime(options: RuntimeOptions = {}): Runtime {
  const module = createModule(embeddedBinaries, options);
  const { workerURL, stallMs, host = detectHost() } = options;
  const pool = new Pool(module, {
    host,
    workerSource,
    ...(workerURL ? { workerURL } : {}),
    ...(stallMs === undefined ? {} : { stallMs }),
  });
  return { module, pool, info: () => describeBackend(module, pool) };
}
