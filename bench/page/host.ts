/** The suite's host in a page. */
import type { BenchWorker, Host } from '../suite/index.ts';

function newWorker(source: string): BenchWorker {
  const address = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(address);
  return {
    post: (message) => worker.postMessage(message),
    next: () =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      }),
    end: () => {
      worker.terminate();
      URL.revokeObjectURL(address);
    },
  };
}

/** Opens a page in a frame out of sight; resolves with the first message that it sends. */
function inFrame(address: string): Promise<{ data: unknown; ms: number }> {
  const frame = document.createElement('iframe');
  frame.style.cssText = 'position: absolute; width: 0; height: 0; border: 0; visibility: hidden';
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const listen = ({ source, data }: MessageEvent) => {
      if (source !== frame.contentWindow) return;
      removeEventListener('message', listen);
      frame.remove();
      if (data?.error) reject(new Error(data.error));
      else resolve({ data, ms: performance.now() - start });
    };
    addEventListener('message', listen);
    frame.src = address;
    document.body.append(frame);
  });
}

/**
 * `programs` is where program.html is: the page that is opened anew for each start, and for the memory.
 * Without it these two are left out.
 */
export function pageHost(programs?: URL): Host {
  const program = (parameters: Record<string, string>): string => {
    const address = new URL('program.html', programs);
    address.search = new URLSearchParams(parameters).toString();
    return address.href;
  };
  const able = {
    firstStep: async () => (await inFrame(program({ run: 'step' }))).ms,
    peakMemory: async (epochs: number, threads: number, tiny: boolean) => {
      const parameters = {
        run: 'epochs',
        epochs: String(epochs),
        threads: String(threads),
        tiny: String(tiny),
      };
      const { data } = await inFrame(program(parameters));
      return { MB: data as number[], what: 'tensors in use, at most' };
    },
  };
  return { newWorker, cores: navigator.hardwareConcurrency, ...(programs ? able : {}) };
}
