import { trainInWorker } from 'wasmgrad/training';
import { check } from './check.js';

async function run() {
  const worker = new Worker(new URL('./training.js', import.meta.url), { type: 'module' });
  const reports = [];
  const inWorker = await trainInWorker(worker, { onReport: (report) => reports.push(report) }).result;
  return { ...(await check()), inWorker, reports };
}

globalThis.result = run().catch((error) => ({ error: String(error) }));
