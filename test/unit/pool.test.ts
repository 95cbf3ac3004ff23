import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { detectHost, type Host } from '../../src/backend/wasm/host.ts';
import { describeBackend } from '../../src/backend/wasm/info.ts';
import {
  type AnyKernel,
  newControlBuffer,
  PENDING,
  publish,
  READY,
  takeChunks,
  viewControl,
} from '../../src/backend/wasm/layout.ts';
import {
  type Binaries,
  createModule,
  type ModuleOptions,
  type WasmModule,
} from '../../src/backend/wasm/module.ts';
import { Pool, type PoolOptions } from '../../src/backend/wasm/pool.ts';
import { DeviceError, WasmgradError } from '../../src/core/errors.ts';
import { workerSource } from '../../src/generated/worker.ts';
import { compileProbe, type ProbeKernels } from '../support/probeKernels.ts';

let binaries: Binaries;
const pools: Pool<ProbeKernels>[] = [];

beforeAll(async () => {
  binaries = await compileProbe();
});

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.stop();
});

function host(cores: number): Host {
  const found = detectHost();
  if ('reason' in found) throw new Error(found.reason);
  return { ...found, cores };
}

interface Rig {
  module: WasmModule<ProbeKernels>;
  pool: Pool<ProbeKernels>;
  /** First free byte. */
  base: number;
}

function rig(options: Partial<PoolOptions> = {}, moduleOptions: ModuleOptions = {}): Rig {
  const module = createModule<ProbeKernels>(binaries, moduleOptions);
  const pool = new Pool(module, { host: host(4), workerSource, ...options });
  pools.push(pool);
  return { module, pool, base: module.heapBase };
}

/** Runs without ever returning to the event loop until `condition` holds. */
function block(condition: () => boolean, ms = 60_000): boolean {
  const until = performance.now() + ms;
  while (performance.now() < until) if (condition()) return true;
  return false;
}

async function eventually(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 6000 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(condition()).toBe(true);
}

describe('run', () => {
  test.each([1, 2, 3, 4])(
    'covers every element once and passes floats exactly, %i threads',
    async (threads) => {
      const { module, pool, base } = rig();
      expect(await pool.start(threads)).toBe(threads);
      const { f64, i32 } = module.views();
      const length = 1003;
      const [x, out] = [base, base + 8 * length];
      for (let i = 0; i < length; i++) f64[x / 8 + i] = Math.sin(i);
      for (const chunk of [1, 7, 64, 501, 1002, 1003, 5000]) {
        f64.fill(0, out / 8, out / 8 + length);
        pool.run('affine', [x, out, Math.PI, -Math.E], length, chunk);
        const expected = Array.from({ length }, (_, i) => Math.sin(i) * Math.PI + -Math.E);
        expect([...f64.slice(out / 8, out / 8 + length)]).toEqual(expected);
      }
      i32.fill(0, base / 4, base / 4 + length);
      for (let round = 0; round < 200; round++) pool.run('count', [base], length, 1 + round);
      expect(new Set(i32.slice(base / 4, base / 4 + length))).toEqual(new Set([200]));
      expect(pool.threads).toBe(threads);
    },
  );

  test('survives 100,000 tiny jobs', async () => {
    const { module, pool, base } = rig();
    await pool.start(2);
    const { i32 } = module.views();
    for (let round = 0; round < 100_000; round++) pool.run('count', [base + 4 * (round & 1)], 6, 2);
    expect([...i32.slice(base / 4, base / 4 + 7)]).toEqual([50_000, ...Array(5).fill(100_000), 50_000]);
  });

  test('keeps jobs apart when workers come late, also with more threads than cores', async () => {
    const { module, pool, base } = rig();
    await pool.start(4);
    const { i32 } = module.views();
    // Pauses of every length around the spin budget, so that workers are caught awake, falling asleep and asleep.
    const expected = new Int32Array(4096);
    let seed = 1;
    for (let round = 0; round < 3000; round++) {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      const start = (seed >>> 8) % 2048;
      const length = 2 + ((seed >>> 20) % 40);
      pool.run('count', [base + 4 * start], length, 1 + (seed % 5));
      for (let i = 0; i < length; i++) expected[start + i]++;
      if (round % 10 === 0) block(() => false, ((seed >>> 12) % 50) / 100);
    }
    expect(i32.slice(base / 4, base / 4 + 4096)).toEqual(expected);
  });

  test('wakes workers once jobs done alone were worth it, and starts them after many more', async () => {
    const { pool } = rig();
    const untilTrue = (part: number) => {
      for (let jobs = 1; jobs <= 10_000; jobs++) if (pool.sharesShort(part)) return jobs;
      return Number.POSITIVE_INFINITY;
    };
    expect(untilTrue(0.5)).toBe(512);
    await pool.start(2);
    expect(block(() => !pool.sharesShort(0))).toBe(true); // asleep
    expect([untilTrue(0.25), untilTrue(0.25), untilTrue(0.75), untilTrue(1)]).toEqual([4, 4, 2, 1]);
  });

  test('leaves short jobs to one thread for a while after one was held up', async () => {
    const { module, pool, base } = rig();
    await pool.start(2);
    const inside = base + 64;
    const linger = (turns: number): void => {
      module.views().i32[inside / 4] = 0;
      pool.run('linger', [base, base, inside, turns], 2, 1, { arg: 0, stride: 8 });
    };
    // After a job its worker looks for work, for a while.
    const isAwake = (): boolean => {
      linger(1);
      return pool.sharesShort(0);
    };
    expect(block(isAwake)).toBe(true);
    // One that comes out whole after all says nothing of the next, which may be long.
    pool.run('count', [base], 2, 2);
    linger(2e7);
    expect(pool.sharesShort(1)).toBe(true);
    pool.run('count', [base], 2, 2);
    expect(block(isAwake)).toBe(true);
    linger(2e7);
    expect(pool.sharesShort(1)).toBe(false);
    expect(block(() => pool.sharesShort(1))).toBe(true);
  });

  test('gives each thread its own scratch', async () => {
    const { module, pool, base } = rig();
    await pool.start(3);
    const { i32 } = module.views();
    const seen = new Set<number>();
    for (let round = 0; round < 500; round++) {
      pool.run('whoAmI', [base, base, base + 4096], 30, 1, { arg: 0, stride: 100 });
      for (const mark of i32.slice((base + 4096) / 4, (base + 4096) / 4 + 30)) seen.add(mark);
    }
    expect([1, 101, 201]).toEqual(expect.arrayContaining([...seen]));
    expect(seen).toContain(1);
  });

  test.each([1, 3])('looks up between slices, where other kernels may run, %i threads', async (threads) => {
    const { module, pool, base } = rig();
    await pool.start(threads);
    const { i32 } = module.views();
    const [length, other, otherLength] = [1003, base + 8192, 50];
    let looks = 0;
    pool.interlude = () => {
      looks++;
      pool.run('count', [other], otherLength, 7);
    };
    for (let round = 0; round < 100; round++) pool.run('count', [base], length, 100);
    expect(new Set(i32.slice(base / 4, base / 4 + length))).toEqual(new Set([100]));
    expect(new Set(i32.slice(other / 4, other / 4 + otherLength))).toEqual(new Set([looks]));
    if (threads === 1) expect(looks).toBe(100 * 10);
    else expect(looks).toBeGreaterThan(0);
    pool.interlude = null;
    pool.run('count', [base], length, 100);
    expect(i32[other / 4]).toBe(looks);
  });

  test('passes 24 arguments', async () => {
    const { module, pool, base } = rig();
    await pool.start(2);
    const args = [...Array.from({ length: 23 }, (_, i) => 2 ** i / (i < 12 ? 1 : 4)), base];
    pool.run('many', args, 100, 3);
    const sum = args.slice(0, 23).reduce((a, b) => a + b);
    expect(new Set(module.views().f64.slice(base / 8, base / 8 + 100))).toEqual(new Set([sum]));
  });

  test('reaches memory that was added after the workers started', async () => {
    const { module, pool } = rig();
    await pool.start(2);
    const before = module.views();
    const base = module.memory.buffer.byteLength;
    module.memory.grow(64);
    expect(module.views()).not.toBe(before);
    for (let round = 0; round < 50; round++) pool.run('count', [base], 1_000_000, 10_000);
    expect(new Set(module.views().i32.slice(base / 4, base / 4 + 1_000_000))).toEqual(new Set([50]));
  });

  test('refuses unknown names, wrong argument counts and bad chunks before anything happens', async () => {
    const { pool, base } = rig();
    expect(() => pool.run('nothing' as 'count', [], 1, 1)).toThrow("no kernel is called 'nothing'");
    expect(() => pool.run('count', [], 1, 1)).toThrow(
      'count: expected 1 arguments before begin and end, got 0',
    );
    expect(() => pool.run('count', [base], 10, 0)).toThrow('count: expected a positive chunk, got 0');
    // @ts-expect-error 64-bit integers cannot be sliced by the pool
    const name: Parameters<typeof pool.run>[0] = 'big';
    expect(name).toBe('big');
    await expect(pool.start(0)).rejects.toThrow('expected threads to be');
    await expect(pool.start(1.5)).rejects.toThrow('expected threads to be');
    pool.run('trap', [], 0, 1);
    expect(pool.threads).toBe(1);
  });
});

describe('claiming', () => {
  test('a thread that comes after the job is done gets nothing; in the next job it takes a proper part', () => {
    const calls: number[][] = [];
    const kernel: AnyKernel = (...args) => void calls.push(args);
    const control = viewControl(newControlBuffer(2));
    const job = (value: number) => ({ kernel: 0, args: [value], total: 5, chunk: 2, scratch: undefined });
    publish(control, job(7), 3);
    takeChunks(control, [kernel], 0);
    expect(calls).toEqual([
      [7, 0, 2],
      [7, 2, 4],
      [7, 4, 5],
    ]);
    expect(control.words[PENDING]).toBe(0);
    for (let late = 0; late < 10; late++) takeChunks(control, [kernel], 1);
    expect(calls).toHaveLength(3);
    calls.length = 0;
    publish(control, job(8), 3);
    takeChunks(control, [kernel], 1);
    expect(calls).toEqual([
      [8, 4, 5],
      [8, 0, 2],
      [8, 2, 4],
    ]);
  });

  test('each thread has the same share of every job, the calling one the larger, and then helps the others', () => {
    const order = (threads: number, thread: number, chunks: number) => {
      const control = viewControl(newControlBuffer(threads));
      const begins: number[] = [];
      const kernel: AnyKernel = (begin) => void begins.push(begin);
      publish(control, { kernel: 0, args: [], total: chunks, chunk: 1, scratch: undefined }, chunks);
      takeChunks(control, [kernel], thread);
      expect(control.words[PENDING]).toBe(0);
      return begins;
    };
    expect(order(2, 0, 5)).toEqual([0, 1, 2, 3, 4]);
    expect(order(2, 1, 5)).toEqual([3, 4, 0, 1, 2]);
    expect(order(3, 1, 2)).toEqual([1, 0]);
    expect(order(3, 2, 7)).toEqual([5, 6, 0, 1, 2, 3, 4]);
    for (let threads = 1; threads <= 9; threads++)
      for (let chunks = 1; chunks < 30; chunks++)
        expect(order(threads, threads - 1, chunks).sort((a, b) => a - b)).toEqual([...Array(chunks).keys()]);
  });

  test('a job cannot change between a claim and the end of its chunk', () => {
    const control = viewControl(newControlBuffer(2));
    let inside = 0;
    const kernel: AnyKernel = () => {
      inside++;
      expect(Atomics.load(control.words, PENDING)).toBeGreaterThan(0);
      // What another thread does meanwhile.
      if (inside === 1) takeChunks(control, [kernel], 1);
    };
    publish(control, { kernel: 0, args: [], total: 4, chunk: 1, scratch: undefined }, 4);
    takeChunks(control, [kernel], 0);
    expect(inside).toBe(4);
    expect(control.words[PENDING]).toBe(0);
  });
});

describe('starting and stopping', () => {
  test('nothing starts before work that is worth it; then a caller that never yields gets its threads', () => {
    const { pool, base } = rig();
    pool.run('count', [base], 100, 100);
    expect(block(() => pool.threads > 1, 100)).toBe(false);
    pool.run('count', [base], 100, 10);
    expect(pool.plannedThreads).toBe(4);
    expect(block(() => pool.threads === 4)).toBe(true);
  });

  test('stop, start and resize', async () => {
    const { module, pool, base } = rig();
    let rounds = 0;
    for (const threads of [2, 3, 3, 1, 2]) {
      expect(await pool.start(threads)).toBe(threads);
      for (let i = 0; i < 100; i++, rounds++) pool.run('count', [base], 50, 5);
    }
    const stopped = pool.stop();
    expect(pool.threads).toBe(1);
    pool.run('count', [base], 50, 5);
    await stopped;
    pool.run('count', [base], 50, 5);
    expect(pool.reason).toBe('threads are off: stopped');
    expect(await pool.start(2)).toBe(2);
    expect(pool.reason).toBeUndefined();
    pool.run('count', [base], 50, 5);
    expect(new Set(module.views().i32.slice(base / 4, base / 4 + 50))).toEqual(new Set([rounds + 3]));
  });

  test('no request goes beyond the cores, auto not beyond 16', async () => {
    expect(await rig({ host: host(2) }).pool.start(64)).toBe(2);
    expect(rig({ host: host(64) }).pool.plannedThreads).toBe(16);
    const { pool } = rig({ host: host(1) });
    expect(await pool.start('auto')).toBe(1);
    expect(pool.reason).toBe('threads are off: this machine reports one core');
  });

  test('stop while the workers are starting', async () => {
    const { pool } = rig();
    const started = pool.start(3);
    await pool.stop();
    expect(await started).toBe(1);
    expect(await pool.start(2)).toBe(2);
  });
});

describe('when something fails', () => {
  test('a kernel that traps in a worker is an error there and then, and the pool goes on', async () => {
    const { module, pool, base } = rig();
    await pool.start(2);
    const inside = base + 4096;
    const trap = () => {
      module.views().i32[inside / 4] = 0;
      pool.run('trapInWorker', [base, base, inside], 64, 1, { arg: 0, stride: 64 });
    };
    expect(trap).toThrow(WasmgradError);
    expect(trap).toThrow(/^trapInWorker: the kernel failed in a worker thread$/);
    pool.run('count', [base], 100, 3);
    expect(new Set(module.views().i32.slice(base / 4, base / 4 + 100))).toEqual(new Set([1]));
    expect(pool.threads).toBe(2);
  });

  test('a kernel that traps in the calling thread', async () => {
    const { module, pool, base } = rig();
    expect(() => pool.run('trap', [], 10, 10)).toThrow(WebAssembly.RuntimeError);
    await pool.start(3);
    for (let i = 0; i < 100; i++)
      expect(() => pool.run('trap', [], 10, 1)).toThrow(/^trap: the kernel failed in/);
    pool.run('count', [base], 100, 3);
    expect(new Set(module.views().i32.slice(base / 4, base / 4 + 100))).toEqual(new Set([1]));
  });

  test('a worker that never gives its chunk back ends in an error, then one thread', async () => {
    const { module, pool, base } = rig({ stallMs: 300 });
    await pool.start(2);
    const gate = base + 8192;
    const hang = () => pool.run('hang', [base, base, base + 4096, gate], 4, 1, { arg: 0, stride: 64 });
    expect(hang).toThrow(DeviceError);
    expect(pool.threads).toBe(1);
    expect(pool.reason).toBe('threads are off: a worker stopped answering');
    expect(describeBackend(module, pool).reasons).toContain(pool.reason);
    pool.run('count', [base], 100, 3);
    expect(new Set(module.views().i32.slice(base / 4, base / 4 + 100))).toEqual(new Set([1]));
    expect(await pool.start(2)).toBe(2);
    module.views().i32[gate / 4] = 1;
  });

  test('a slow worker is waited for', async () => {
    const { module, pool, base } = rig();
    await pool.start(2);
    const gate = base + 8192;
    const opener = new (await import('node:worker_threads')).Worker(
      'const { words, at } = require("node:worker_threads").workerData; setTimeout(() => { words[at] = 1; }, 200);',
      { eval: true, workerData: { words: module.views().i32, at: gate / 4 } },
    );
    pool.run('hang', [base, base, base + 4096, gate], 4, 1, { arg: 0, stride: 64 });
    expect(module.views().i32[gate / 4]).toBe(1);
    expect(pool.threads).toBe(2);
    await opener.terminate();
  });

  test('a worker that dies while idle', async () => {
    const dying = `const { parentPort } = require('node:worker_threads');
      parentPort.once('message', ({ control }) => {
        Atomics.add(new Int32Array(control), ${READY}, 1);
        parentPort.postMessage('ready');
        setTimeout(() => process.exit(3), 50);
      });`;
    const { module, pool, base } = rig({ workerSource: dying });
    expect(await pool.start(2)).toBe(2);
    await eventually(() => pool.reason !== undefined);
    expect(pool.reason).toBe('threads are off: a worker thread ended with code 3');
    expect(pool.threads).toBe(1);
    pool.run('count', [base], 10, 1);
    expect(module.views().i32[base / 4]).toBe(1);
  });

  test.each([
    ['throws', 'throw new Error("no such luck")', 'Error: no such luck', undefined],
    ['cannot parse', 'this is not JavaScript', 'SyntaxError', undefined],
    ['never gets ready', 'setInterval(() => {}, 1000)', 'not ready after 300 ms', 300],
  ])('a worker that %s', async (_what, source, reason, startMs) => {
    const { module, pool, base } = rig({ workerSource: source, ...(startMs && { startMs }) });
    expect(await pool.start(3)).toBe(1);
    expect(pool.reason).toContain(reason);
    pool.run('count', [base], 10, 1);
    expect(module.views().i32[base / 4]).toBe(1);
  });

  test('a host that refuses workers, or has none', async () => {
    const refusing: Host = {
      cores: 4,
      spawn: () => {
        throw new Error('refused by policy');
      },
    };
    const { pool, base } = rig({ host: refusing });
    pool.run('count', [base], 10, 1);
    expect(pool.reason).toBe('threads are off: Error: refused by policy');
    const none = rig({ host: { reason: 'this environment has no Worker' } }).pool;
    expect(await none.start()).toBe(1);
    expect(none.reason).toBe('threads are off: this environment has no Worker');
  });

  test('an unshared memory means one thread', async () => {
    const { module, pool, base } = rig({}, { shared: false });
    expect(module.shared).toBe(false);
    expect(pool.plannedThreads).toBe(1);
    expect(await pool.start(4)).toBe(1);
    pool.run('count', [base], 100, 10);
    expect(new Set(module.views().i32.slice(base / 4, base / 4 + 100))).toEqual(new Set([1]));
    expect(describeBackend(module, pool)).toMatchObject({
      threads: 1,
      sharedMemory: false,
      reasons: ['threads are off: an unshared memory was asked for'],
    });
  });
});

afterAll(() => expect(pools).toHaveLength(0));
