/** Threads where the machine is unkind: the same bits as in peace, or an error that says what happened; never a hang. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { registerBackend } from '../../src/backend/registry.ts';
import { embeddedBinaries } from '../../src/backend/wasm/embedded.ts';
import { detectHost, type Host } from '../../src/backend/wasm/host.ts';
import { WasmBackend } from '../../src/backend/wasm/index.ts';
import { createModule } from '../../src/backend/wasm/module.ts';
import * as torch from '../../src/index.ts';

const { nn, optim } = torch;
const found = detectHost();
if ('reason' in found) throw new Error(found.reason);
const nodeHost: Host = found;

let count = 0;
/** A backend of its own with as many threads as it is asked for. */
function newBackend(host: Host, stallMs?: number): WasmBackend {
  const device = `stress${count++}`;
  class StressBackend extends WasmBackend {
    override readonly device: string = device;
  }
  const backend = new StressBackend({ host, ...(stallMs === undefined ? {} : { stallMs }) });
  registerBackend(backend);
  return backend;
}

/** A training with work for all threads; the bits of its weights. */
function trained(device: string, steps: number, between = (_step: number) => {}): string {
  torch.manualSeed(5);
  const x = torch.randn(96, 200).to(device);
  const labels = torch.randint(0, 10, [96]).to(device);
  const model = new nn.Sequential(new nn.Linear(200, 300), new nn.Tanh(), new nn.Linear(300, 10)).to(device);
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  for (let step = 0; step < steps; step++) {
    between(step);
    const loss = nn.functional.crossEntropy(model.forward(x), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
  }
  return model
    .parameters()
    .map((p) => Buffer.from((p.detach().data as Float32Array).buffer).toString('hex'))
    .join();
}

const STEPS = 6;
/** The same, or null after an error that says what happened to a worker. */
function trainedOrRefused(device: string, between?: (step: number) => void): string | null {
  try {
    return trained(device, STEPS, between);
  } catch (error) {
    expect(error).toBeInstanceOf(torch.DeviceError);
    expect((error as Error).message).toMatch(/a worker thread stopped in the middle of its work/);
    return null;
  }
}

const burners: ChildProcess[] = [];
afterAll(() => {
  for (const child of burners) child.kill('SIGKILL');
});

describe('threads', () => {
  it('give the same bits from 1 to 16, while other processes have the cores', async () => {
    for (let i = 0; i < 4; i++)
      burners.push(
        spawn(process.execPath, ['-e', 'const end = Date.now() + 60000; while (Date.now() < end);']),
      );
    const backend = newBackend({ ...nodeHost, cores: 16 });
    const { pool } = backend.runtime;
    await pool.start(1);
    const expected = trained(backend.device, 4);
    for (const threads of [2, 5, 16]) {
      expect(await pool.start(threads)).toBe(threads);
      expect(trained(backend.device, 4) === expected, `${threads} threads`).toBe(true);
    }
    await pool.stop();
    for (const child of burners.splice(0)) child.kill('SIGKILL');
  });

  it('that are killed at any moment cost an error at most, and then the rest of them', async () => {
    const killers: (() => void)[] = [];
    /** Workers that somebody else can end: the pool hears of it as of any death. */
    const mortal: Host = {
      cores: 3,
      spawn: (source, start, events) => {
        const worker = new Worker(source, { eval: true, execArgv: [] });
        let expected = false;
        worker.on('message', (message) =>
          message === 'ready' ? events.ready() : events.lost(message.error),
        );
        worker.on('error', (error) => events.lost(String(error)));
        worker.on('exit', (code) => expected || events.lost(`a worker thread ended with code ${code}`));
        worker.postMessage(start);
        worker.unref();
        killers.push(() => void worker.terminate());
        return {
          keepAlive: (on) => (on ? worker.ref() : worker.unref()),
          terminate: async () => {
            expected = true;
            await worker.terminate();
          },
        };
      },
    };
    const backend = newBackend(mortal, 300);
    const { pool } = backend.runtime;
    await pool.start(1);
    const expected = trained(backend.device, STEPS);
    for (let round = 0; round < 12; round++) {
      await pool.stop();
      killers.length = 0;
      expect(await pool.start(3)).toBe(3);
      const bits = trainedOrRefused(backend.device, (step) => {
        if (step === round % STEPS) killers[round % killers.length]();
      });
      expect(bits === null || bits === expected, `round ${round}`).toBe(true);
      // Whatever happened: what follows is right. A worker that died at the end may be missed only now, for once.
      const next = trainedOrRefused(backend.device) ?? trainedOrRefused(backend.device);
      expect(next === expected, `after round ${round}`).toBe(true);
    }
    await pool.stop();
  });

  it('do without SharedArrayBuffer, and without shared memory', () => {
    const scope = globalThis as { SharedArrayBuffer?: unknown };
    const { SharedArrayBuffer: kept } = scope;
    const { Memory } = WebAssembly;
    try {
      scope.SharedArrayBuffer = undefined;
      const none = createModule(embeddedBinaries);
      expect([none.shared, none.reasons.join()]).toEqual([
        false,
        expect.stringContaining('no SharedArrayBuffer'),
      ]);
      scope.SharedArrayBuffer = kept;
      WebAssembly.Memory = class extends Memory {
        constructor(descriptor: WebAssembly.MemoryDescriptor) {
          if (descriptor.shared) throw new RangeError('could not allocate memory');
          super(descriptor);
        }
      };
      const refused = createModule(embeddedBinaries);
      expect([refused.shared, refused.reasons.join()]).toEqual([
        false,
        expect.stringContaining('no shared memory'),
      ]);
      const alone = newBackend({ ...nodeHost, cores: 4 });
      expect(alone.runtime.pool.plannedThreads).toBe(1);
      expect(trained(alone.device, 2) === trained('cpu', 2)).toBe(true);
    } finally {
      scope.SharedArrayBuffer = kept;
      WebAssembly.Memory = Memory;
    }
  });

  it('of several workers that all train at once keep out of each other', async () => {
    const entry = createRequire(import.meta.url).resolve(path.resolve('dist/cjs/index.js'));
    expect(fs.existsSync(entry)).toBe(true);
    const program = `
      const { parentPort } = require('node:worker_threads');
      const torch = require(${JSON.stringify(entry)});
      const { nn, optim } = torch;
      (async () => {
        await torch.init({ threads: 2 });
        const bits = [];
        for (let run = 0; run < 2; run++) {
          torch.manualSeed(5);
          const x = torch.randn(96, 200);
          const labels = torch.randint(0, 10, [96]);
          const model = new nn.Sequential(new nn.Linear(200, 300), new nn.Tanh(), new nn.Linear(300, 10));
          const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
          for (let step = 0; step < 20; step++) {
            const loss = nn.functional.crossEntropy(model.forward(x), labels);
            optimizer.zeroGrad();
            loss.backward();
            optimizer.step();
          }
          bits.push(model.parameters().map((p) => Buffer.from(p.detach().data.buffer).toString('hex')).join());
        }
        parentPort.postMessage({ bits, threads: torch.backendInfo().threads });
      })();`;
    const run = () =>
      new Promise<{ bits: string[]; threads: number }>((resolve, reject) => {
        const worker = new Worker(program, { eval: true, execArgv: [] });
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    const results = await Promise.all(Array.from({ length: 4 }, run));
    const [{ bits }] = results;
    expect(bits[0].length).toBeGreaterThan(100_000);
    for (const one of results) expect(one.bits.every((text) => text === bits[0])).toBe(true);
  });
});
