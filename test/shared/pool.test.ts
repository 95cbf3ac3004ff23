/** The real kernels on the threads of this environment: Node, an isolated page, a page that is not isolated. */
import { afterEach, describe, expect, test } from 'vitest';
import { detectHost } from '../../src/backend/wasm/host.ts';
import { Pool } from '../../src/backend/wasm/pool.ts';
import { startRuntime } from '../../src/backend/wasm/runtime.ts';
import { workerSource } from '../../src/generated/worker.ts';

const runtime = startRuntime();
const { module } = runtime;
const host = detectHost();
const cores = 'reason' in host ? 1 : host.cores;
/** Where threads are possible, even a machine of one core has two here. */
const testHost = 'reason' in host ? host : { ...host, cores: Math.max(cores, 3) };
const possible = module.shared;
const isolated = typeof crossOriginIsolated === 'boolean' ? crossOriginIsolated : true;
/** WebKitGTK isolates pages and still has no SharedArrayBuffer. */
const whyNot = isolated ? 'no SharedArrayBuffer' : 'not cross-origin isolated';
const pools: Pool[] = [];

function newPool(options: { workerSource?: string; workerURL?: string } = {}): Pool {
  const pool = new Pool(module, { host: testHost, workerSource, ...options });
  pools.push(pool);
  return pool;
}

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.stop();
});

const LENGTH = 5003;
const x = module.heapBase;
const out = x + 4 * LENGTH;

/** -x by the given pool, as the bits of the result. */
function negate(pool: Pool, chunk: number): Int32Array {
  const { f32, i32 } = module.views();
  for (let i = 0; i < LENGTH; i++) f32[x / 4 + i] = Math.sin(i);
  i32.fill(-1, out / 4, out / 4 + LENGTH);
  pool.run('neg_f32', [x, out, 0, 0], LENGTH, chunk);
  return i32.slice(out / 4, out / 4 + LENGTH);
}

const expected = new Int32Array(Float32Array.from({ length: LENGTH }, (_, i) => -Math.sin(i)).buffer);

describe('the pool on real kernels', () => {
  test('says what this environment has', async () => {
    expect(possible).toBe(isolated && typeof SharedArrayBuffer === 'function');
    expect(runtime.info()).toMatchObject({ simd: true, threads: 1, crossOriginIsolated: isolated });
    const threads = await runtime.pool.start('auto');
    pools.push(runtime.pool);
    expect(threads).toBe(possible ? Math.min(cores, 16) : 1);
    expect(runtime.info()).toMatchObject({ threads, sharedMemory: possible });
    if (!possible) expect(runtime.info().reasons).toContainEqual(expect.stringContaining(whyNot));
  });

  test('works from the first line, then with threads, to the same bits', async () => {
    const pool = newPool();
    expect(negate(pool, 100)).toEqual(expected);
    for (const threads of [1, 2, 3]) {
      expect(await pool.start(threads)).toBe(possible ? threads : 1);
      for (const chunk of [64, 1000, LENGTH]) expect(negate(pool, chunk)).toEqual(expected);
    }
  });

  test('many jobs, with pauses that put the workers to sleep', async () => {
    const pool = newPool();
    await pool.start(3);
    const { f32 } = module.views();
    f32.fill(1, x / 4, x / 4 + 32);
    for (let round = 0; round < 2001; round++) {
      pool.run('neg_f32', [x, x, 0, 0], 32, 4);
      const until = round % 100 === 0 ? performance.now() + 1 : 0;
      while (performance.now() < until);
      if (round % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect([...f32.slice(x / 4, x / 4 + 32)]).toEqual(Array(32).fill(-1));
  });

  test('workers that cannot start leave one thread and a reason', async () => {
    const pool = newPool({ workerSource: 'throw new Error("no such luck")' });
    expect(await pool.start(3)).toBe(1);
    expect(pool.reason).toContain(possible ? 'no such luck' : whyNot);
    expect(negate(pool, 100)).toEqual(expected);
  });

  test('a served worker script takes the place of the embedded one; another version of it is refused', async () => {
    const urlOf = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;
    const pool = newPool({ workerSource: 'not used', workerURL: urlOf(workerSource) });
    expect(await pool.start(2)).toBe(possible ? 2 : 1);
    expect(negate(pool, 100)).toEqual(expected);
    if (!possible) return;
    const other = workerSource.replace(/\.protocol!==\w+/, '.protocol!==0');
    expect(other).not.toBe(workerSource);
    const stale = newPool({ workerURL: urlOf(other) });
    expect(await stale.start(2)).toBe(1);
    expect(stale.reason).toContain('the worker script and the library are of different versions');
  });
});
