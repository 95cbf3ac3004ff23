/** The worker's end of a training run. */
import { WasmgradError } from '../core/errors.ts';
import { tick } from '../tick.ts';
import { type FromWorker, isMessage, sendableError, type ToWorker } from './protocol.ts';
import { pack, unpack } from './transfer.ts';

/** What a training function gets to talk with the thread that started it. */
export interface TrainingContext<Input, Report> {
  /** What was given to `trainInWorker`; tensors in it are tensors. */
  readonly input: Input;
  /** Sends a value to `onReport`. Tensors in it are sent as they are now. Reports travel with the next `tick`. */
  report(value: Report): void;
  /**
   * To be awaited in every step: here messages come and go, and here the run rests while it is paused. Resolves with
   * false once the run is to stop; return what there is then. Costs nothing in most steps.
   */
  tick(): Promise<boolean>;
  /** Whether `stop` was called. */
  readonly stopped: boolean;
  /** What `run.state()` gets, asked for between two steps: state dicts, say. */
  state: (() => unknown) | null;
  /** Gets what `run.send(value)` sends. */
  onMessage: ((value: unknown) => void) | null;
}

export type TrainingFunction<Input, Report, Result> = (
  context: TrainingContext<Input, Report>,
) => Result | Promise<Result>;

/** What a training module exports, for `trainInWorker<typeof import('./train.ts').default>`. */
export interface Training<Input, Report, Result> {
  readonly train: TrainingFunction<Input, Report, Result>;
}

/** A thread's channel to the one that made it. */
interface Port {
  post(message: FromWorker, transfer?: ArrayBuffer[]): void;
  listen(onMessage: (data: unknown) => void): void;
  /** Ends this thread, if it should do that itself. */
  end(): void;
}

/**
 * Says what this worker does. Call it once, at the top of a module that runs as a worker:
 * `export default training(async ({ input, report, tick }) => { … return model.stateDict(); })`.
 * Outside of a worker it does nothing, so that the module can be imported for its types or tested.
 */
export function training<Input = unknown, Report = unknown, Result = unknown>(
  train: TrainingFunction<Input, Report, Result>,
): Training<Input, Report, Result> {
  const port = parentPort();
  if (port) serve(port, train as TrainingFunction<unknown, unknown, unknown>);
  return { train };
}

function serve(port: Port, train: TrainingFunction<unknown, unknown, unknown>): void {
  const context = new Context(port);
  let started = false;
  const run = async (input: unknown) => {
    try {
      context.input = unpack(input);
      const result = await train(context);
      await context.flush();
      const { value, transfer } = await pack(result);
      port.post({ wasmgrad: 'done', value }, transfer);
    } catch (error) {
      await context.flush().catch(() => {});
      port.post({ wasmgrad: 'failed', error: sendableError(error) });
    }
    port.end();
  };
  port.listen((data) => {
    if (!isMessage(data)) return;
    const message = data as ToWorker;
    if (message.wasmgrad === 'hello') return port.post({ wasmgrad: 'ready' });
    if (message.wasmgrad === 'end') return port.end();
    if (message.wasmgrad !== 'start') return context.receive(message);
    if (!started) void run(message.input);
    started = true;
  });
  port.post({ wasmgrad: 'ready' });
}

class Context implements TrainingContext<unknown, unknown> {
  input: unknown;
  stopped = false;
  state: (() => unknown) | null = null;
  onMessage: ((value: unknown) => void) | null = null;
  readonly #port: Port;
  #reports: Promise<{ value: unknown; transfer: ArrayBuffer[] }>[] = [];
  #paused = false;
  /** Requests for the state that wait for the end of the step. */
  #stateAsked: number[] = [];
  /** Ends the rest of a paused run. */
  #wake: (() => void) | null = null;

  constructor(port: Port) {
    this.#port = port;
  }

  // Functions of the object, so that they work when a training function takes them out of it by name.
  readonly report = (value: unknown): void => {
    const packed = pack(value);
    packed.catch(() => {}); // told by flush
    this.#reports.push(packed);
  };

  readonly tick = async (): Promise<boolean> => {
    await tick();
    if (this.#reports.length > 0) await this.flush();
    while (this.#stateAsked.length > 0 || (this.#paused && !this.stopped)) {
      const asked = this.#stateAsked.splice(0);
      await Promise.all(asked.map((id) => this.#answerState(id)));
      if (!this.#paused || this.stopped || this.#stateAsked.length > 0) continue;
      this.#port.post({ wasmgrad: 'paused' });
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return !this.stopped;
  };

  /** Sends what was reported. @throws what a report that cannot be sent throws */
  async flush(): Promise<void> {
    const packed = await Promise.all(this.#reports.splice(0));
    if (packed.length === 0) return;
    const values = packed.map(({ value }) => value);
    this.#port.post(
      { wasmgrad: 'reports', values },
      packed.flatMap(({ transfer }) => transfer),
    );
  }

  receive(message: Exclude<ToWorker, { wasmgrad: 'hello' | 'start' | 'end' }>): void {
    if (message.wasmgrad === 'state') this.#stateAsked.push(message.id);
    else if (message.wasmgrad === 'message') this.onMessage?.(unpack(message.value));
    else if (message.wasmgrad === 'stop') this.stopped = true;
    else this.#paused = message.wasmgrad === 'pause';
    this.#wake?.();
  }

  async #answerState(id: number): Promise<void> {
    try {
      if (this.state === null)
        throw new WasmgradError(
          'training: set context.state to a function that returns what state() shall give',
        );
      const { value, transfer } = await pack(this.state());
      this.#port.post({ wasmgrad: 'state', id, value }, transfer);
    } catch (error) {
      this.#port.post({ wasmgrad: 'no state', id, error: sendableError(error) });
    }
  }
}

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  readonly WorkerGlobalScope?: new () => object;
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
}

/** The channel to the thread that made this one; null in a page or in Node's main thread. */
function parentPort(): Port | null {
  const node =
    typeof process === 'object' && typeof process.getBuiltinModule === 'function'
      ? process.getBuiltinModule('node:worker_threads').parentPort
      : null;
  if (node)
    return {
      post: (message, transfer = []) => node.postMessage(message, transfer),
      listen: (onMessage) => void node.on('message', onMessage),
      // Ended by another thread, it could not leave a GPU that works for it, and Node would be aborted.
      end: () => process.exit(),
    };
  const scope = globalThis as unknown as WorkerScope;
  const { WorkerGlobalScope } = scope;
  if (typeof WorkerGlobalScope !== 'function' || !(globalThis instanceof WorkerGlobalScope)) return null;
  return {
    post: (message, transfer = []) => scope.postMessage(message, transfer),
    listen: (onMessage) => scope.addEventListener('message', ({ data }) => onMessage(data)),
    end: () => {},
  };
}
