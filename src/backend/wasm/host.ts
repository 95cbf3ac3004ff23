/** The only file that knows how Node and pages make threads. */
import type { WorkerMessage, WorkerStart } from './layout.ts';

export interface WorkerEvents {
  /** The worker has instantiated the kernels. Delivered by the event loop, so later than `READY` in the control block. */
  ready(): void;
  /** The worker cannot start, or is gone though nobody stopped it. */
  lost(reason: string): void;
}

export interface WorkerHandle {
  /** Whether this worker keeps a Node process alive; pages have no such thing. */
  keepAlive(on: boolean): void;
  /** Ends the thread. Resolves when it has ended, as far as the host can tell. */
  terminate(): Promise<void>;
}

export interface Host {
  /** The number of threads that can run at once. */
  readonly cores: number;
  /** Starts a worker. @throws whatever the platform throws where it refuses workers at once */
  spawn(source: string, start: WorkerStart, events: WorkerEvents, workerURL?: string): WorkerHandle;
}

/** The host that this code runs in, or why it has no threads. */
export function detectHost(): Host | { readonly reason: string } {
  // An Electron page has a `process` too, but worker_threads does not work there; its Worker does.
  const isNode =
    typeof process === 'object' &&
    typeof process.getBuiltinModule === 'function' &&
    !!process.versions?.node &&
    (process as { type?: string }).type !== 'renderer';
  if (isNode) return nodeHost();
  if (typeof Worker === 'function') return webHost();
  return { reason: 'this environment has no Worker' };
}

function nodeHost(): Host {
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const os = process.getBuiltinModule('node:os');
  return {
    cores: os.availableParallelism(),
    spawn(source, start, events, workerURL) {
      // Without execArgv the worker would inherit flags such as --input-type, which it refuses.
      const options = { execArgv: [], name: 'wasmgrad', ...(workerURL ? {} : { eval: true }) };
      const worker = new Worker(workerURL ? new URL(workerURL) : source, options);
      let ended = false;
      const lost = (reason: string) => {
        if (!ended) events.lost(reason);
        ended = true;
      };
      worker.on('message', (message: WorkerMessage) => {
        if (message === 'ready') events.ready();
        else lost(message.error);
      });
      worker.on('error', (error) => lost(String(error)));
      worker.on('exit', (code) => lost(`a worker thread ended with code ${code}`));
      worker.postMessage(start);
      worker.unref();
      return {
        keepAlive: (on) => (on ? worker.ref() : worker.unref()),
        terminate: async () => {
          ended = true;
          await worker.terminate();
        },
      };
    },
  };
}

function webHost(): Host {
  return {
    cores: navigator.hardwareConcurrency || 1,
    spawn(source, start, events, workerURL) {
      const blobURL = workerURL ? '' : URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
      const revoke = () => {
        if (blobURL) URL.revokeObjectURL(blobURL);
      };
      let worker: Worker;
      try {
        worker = new Worker(workerURL ?? blobURL, { name: 'wasmgrad' });
      } catch (error) {
        revoke();
        throw error;
      }
      const lost = (reason: string) => {
        revoke();
        events.lost(reason);
      };
      worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
        if (data !== 'ready') return lost(data.error);
        revoke();
        events.ready();
      };
      worker.onerror = (event) => {
        event.preventDefault();
        lost(
          event.message ||
            'the worker script was refused (a content security policy without worker-src blob:?)',
        );
      };
      worker.onmessageerror = () => lost('the worker could not receive the kernels');
      worker.postMessage(start);
      return {
        keepAlive: () => {},
        terminate: async () => {
          worker.onmessage = worker.onerror = worker.onmessageerror = null;
          revoke();
          worker.terminate();
        },
      };
    },
  };
}
