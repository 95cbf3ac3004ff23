/** The trainings on the page's own thread and in a worker, and what this browser gave them to work with. */
import { backendInfo } from '../../src/index.ts';
import { trainInWorker } from '../../src/training/index.ts';
import { trainAll } from './training.ts';
import type trainingModule from './trainingWorker.ts';

async function run() {
  const here = await trainAll();
  const worker = new Worker(new URL('./trainingWorker.ts', import.meta.url), { type: 'module' });
  const inWorker = await trainInWorker<typeof trainingModule>(worker).result;
  const { threads, relaxedSimd, crossOriginIsolated, reasons } = backendInfo();
  return { here, inWorker, threads, relaxedSimd, crossOriginIsolated, reasons };
}

const outcome = run().catch((error: unknown) => ({ error: String(error) }));
outcome.then((value) => Object.assign(globalThis, { outcome: JSON.stringify(value) }));
