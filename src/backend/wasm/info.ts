/** What the Wasm core found in this environment, for `backendInfo()`. */
import type { WasmModule } from './module.ts';
import type { Pool } from './pool.ts';

export interface BackendInfo {
  /** 128-bit SIMD; without it the core does not start. */
  readonly simd: boolean;
  /** Fused multiply-add by relaxed SIMD. */
  readonly relaxedSimd: boolean;
  /** Threads that an operation can use right now: 1 until the workers are ready. */
  readonly threads: number;
  /** Whether a page is cross-origin isolated; true where there are no pages. */
  readonly crossOriginIsolated: boolean;
  /** Whether worker threads can see the memory. */
  readonly sharedMemory: boolean;
  /** One sentence for each thing that is off, and why. */
  readonly reasons: readonly string[];
}

export function describeBackend<K>(module: WasmModule<K>, pool: Pool<K>): BackendInfo {
  const reasons = new Set(module.reasons);
  if (pool.reason !== undefined) reasons.add(pool.reason);
  return {
    simd: true,
    relaxedSimd: module.relaxed,
    threads: pool.threads,
    crossOriginIsolated: typeof crossOriginIsolated === 'boolean' ? crossOriginIsolated : true,
    sharedMemory: module.shared,
    reasons: [...reasons],
  };
}
