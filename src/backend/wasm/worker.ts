/**
 * What a worker thread runs, in Node and in pages. The build bundles this file into a string (src/generated/worker.ts).
 * After the first message it never returns to its event loop: it looks for chunks, sleeps in Atomics.wait, and leaves
 * when it is told to stop.
 */
import type { WorkerMessage, WorkerStart } from './layout.ts';
import {
  kernelTable,
  LONG_SPIN_MS,
  PROTOCOL,
  READY,
  SPIN_MS,
  STOP,
  sleepForWork,
  spinForWork,
  takeChunks,
  viewControl,
} from './layout.ts';

/** The part of a worker's global scope, or of Node's parentPort, that is used here. */
interface Port {
  postMessage(message: WorkerMessage): void;
  close(): void;
}

function serve(start: WorkerStart, port: Port): void {
  if (start.protocol !== PROTOCOL)
    throw new Error('the worker script and the library are of different versions');
  const { module, memory, thread } = start;
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = kernelTable(module, instance.exports);
  const control = viewControl(start.control);
  const { words } = control;
  Atomics.add(words, READY, 1);
  port.postMessage('ready');
  let patience = SPIN_MS;
  while (Atomics.load(words, STOP) === 0) {
    const idleSince = performance.now();
    if (!spinForWork(control, thread, patience)) sleepForWork(control, thread);
    patience = performance.now() - idleSince < LONG_SPIN_MS ? LONG_SPIN_MS : SPIN_MS;
    takeChunks(control, kernels, thread);
  }
}

function onStart(start: WorkerStart, port: Port): void {
  try {
    serve(start, port);
  } catch (error) {
    port.postMessage({ error: String(error) });
  }
  port.close();
}

const nodePort =
  typeof process === 'object' && typeof process.getBuiltinModule === 'function'
    ? process.getBuiltinModule('node:worker_threads').parentPort
    : null;
if (nodePort) {
  nodePort.once('message', (start: WorkerStart) => onStart(start, nodePort));
} else {
  const scope = globalThis as unknown as Port & { onmessage: (event: MessageEvent<WorkerStart>) => void };
  scope.onmessage = ({ data }) => onStart(data, scope);
}
