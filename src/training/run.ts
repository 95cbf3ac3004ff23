/** The page's end of a training run. */
import { ArgumentError, WasmgradError } from '../core/errors.ts';
import { type FromWorker, isMessage, receivedError, type ToWorker } from './protocol.ts';
import { pack, unpack } from './transfer.ts';
import type { Training } from './worker.ts';

/** A `Worker` of a page (`type: 'module'`) or of `node:worker_threads`. */
export interface TrainingWorker {
  postMessage(message: unknown): void;
  terminate(): unknown;
}

type AnyTraining = Training<never, never, unknown>;
type InputOf<T> = T extends Training<infer Input, infer _R, infer _X> ? Input : never;
type ReportOf<T> = T extends Training<infer _I, infer Report, infer _X> ? Report : never;
type ResultOf<T> = T extends Training<infer _I, infer _R, infer Result> ? Result : never;

export interface TrainInWorkerOptions<Input, Report> {
  /** What the training function finds as `input`: settings, data, a state to go on from. Tensors may be in it. */
  input?: Input;
  /** Called for every report, in order. If it throws, the run fails with that. */
  onReport?: (report: Report) => void;
  /** How long the module may take to load, in milliseconds. Default 60,000. */
  startMs?: number;
}

export type TrainingStatus = 'starting' | 'running' | 'paused' | 'stopping' | 'finished' | 'failed';

/** A run that goes on in its worker. */
export interface TrainingRun<Result> {
  readonly status: TrainingStatus;
  /** What the training function returns. Rejects with what it or `onReport` throws, or with why the worker could not run. */
  readonly result: Promise<Result>;
  /** Lets the run rest after the step that it is in. Resolves when it does, or has ended. */
  pause(): Promise<void>;
  /** Lets a paused run go on. */
  resume(): void;
  /** Asks the run to end after the step that it is in. Resolves with its result. */
  stop(): Promise<Result>;
  /** What the training function's `context.state` returns, such as state dicts. */
  state(): Promise<unknown>;
  /** Sends a value to the training function's `context.onMessage`. */
  send(value: unknown): Promise<void>;
  /** Ends the worker at once, in the middle of whatever it does; `result` rejects. */
  terminate(): void;
}

const START_MS = 60_000;
/** How long a thread of Node's may take to end itself when it is asked to. */
const END_MS = 1000;

/**
 * Runs a training module in a worker, so that the page stays free. The module calls `training(…)`; `worker` is a worker
 * made of it, in the way that bundlers know, `new Worker(new URL('./train.ts', import.meta.url), { type: 'module' })`,
 * or, without a bundler, the module's address. The worker is ended when the run has.
 */
export function trainInWorker<T extends AnyTraining = Training<unknown, unknown, unknown>>(
  worker: TrainingWorker | string | { readonly href: string },
  options: TrainInWorkerOptions<InputOf<T>, ReportOf<T>> = {},
): TrainingRun<ResultOf<T>> {
  return new Run(worker, options as TrainInWorkerOptions<unknown, unknown>) as TrainingRun<ResultOf<T>>;
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

function deferred<T>(): Deferred<T> {
  let settle!: Pick<Deferred<T>, 'resolve' | 'reject'>;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}

class Run implements TrainingRun<unknown> {
  status: TrainingStatus = 'starting';
  readonly #options: TrainInWorkerOptions<unknown, unknown>;
  readonly #result = deferred<unknown>();
  readonly #states = new Map<number, Deferred<unknown>>();
  #nextState = 0;
  #pause: Deferred<void> | null = null;
  #worker: TrainingWorker | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wasStarted = false;

  constructor(
    worker: TrainingWorker | string | { readonly href: string },
    options: TrainInWorkerOptions<unknown, unknown>,
  ) {
    this.#options = options;
    const { startMs = START_MS } = options;
    try {
      this.#worker = isWorker(worker) ? worker : startWorker(worker);
      listen(this.#worker, {
        message: (data) => this.#receive(data),
        failure: (reason) => this.#fail(new WasmgradError(`trainInWorker: ${reason}`)),
      });
      const late = `the module said nothing for ${startMs} ms; does it call training(…) of wasmgrad/training?`;
      this.#timer = setTimeout(() => this.#fail(new WasmgradError(`trainInWorker: ${late}`)), startMs);
      this.#post({ wasmgrad: 'hello' });
    } catch (error) {
      if (error instanceof ArgumentError) throw error;
      const text = `trainInWorker: the worker could not be started (${String(error)})`;
      this.#fail(new WasmgradError(text, { cause: error }));
    }
  }

  get result(): Promise<unknown> {
    return this.#result.promise;
  }

  get #isOver(): boolean {
    return this.status === 'finished' || this.status === 'failed';
  }

  async pause(): Promise<void> {
    if (this.#isOver || this.status === 'paused' || this.status === 'stopping') return;
    this.#pause ??= deferred();
    this.#post({ wasmgrad: 'pause' });
    await this.#pause.promise;
  }

  resume(): void {
    if (this.#isOver || this.status === 'stopping') return;
    if (this.status === 'paused') this.status = 'running';
    this.#endPause();
    this.#post({ wasmgrad: 'resume' });
  }

  stop(): Promise<unknown> {
    if (!this.#isOver) {
      this.status = 'stopping';
      this.#post({ wasmgrad: 'stop' });
    }
    return this.result;
  }

  state(): Promise<unknown> {
    const answer = deferred<unknown>();
    if (this.#isOver) answer.reject(new WasmgradError('trainInWorker: state: the run has ended'));
    else {
      const id = this.#nextState++;
      this.#states.set(id, answer);
      this.#post({ wasmgrad: 'state', id });
    }
    return answer.promise;
  }

  async send(value: unknown): Promise<void> {
    const packed = await pack(value);
    this.#post({ wasmgrad: 'message', value: packed.value }, packed.transfer);
  }

  terminate(): void {
    this.#result.promise.catch(() => {}); // asked for, so nobody has to look
    this.#fail(new WasmgradError('trainInWorker: the run was terminated'));
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    const worker = this.#worker as { postMessage(value: unknown, transfer: ArrayBuffer[]): void } | null;
    worker?.postMessage(message, transfer);
  }

  /** Nobody could catch what is thrown here, by `onReport` or for want of memory: it ends the run. */
  #receive(data: unknown): void {
    if (!isMessage(data) || this.#isOver) return;
    try {
      this.#take(data as FromWorker);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #take(message: FromWorker): void {
    switch (message.wasmgrad) {
      case 'ready':
        void this.#start();
        break;
      case 'paused':
        if (this.status === 'running' && this.#pause) this.status = 'paused';
        this.#endPause();
        break;
      case 'reports':
        for (const value of message.values) this.#options.onReport?.(unpack(value));
        break;
      case 'state': {
        const answer = this.#takeState(message.id);
        try {
          answer?.resolve(unpack(message.value));
        } catch (error) {
          answer?.reject(error as Error);
        }
        break;
      }
      case 'no state':
        this.#takeState(message.id)?.reject(receivedError(message.error));
        break;
      case 'done': {
        const value = unpack(message.value);
        this.#end('finished', true);
        this.#result.resolve(value);
        break;
      }
      case 'failed':
        this.#fail(receivedError(message.error), true);
    }
  }

  async #start(): Promise<void> {
    if (this.#wasStarted) return;
    this.#wasStarted = true;
    clearTimeout(this.#timer);
    if (this.status === 'starting') this.status = 'running';
    try {
      const { value, transfer } = await pack(this.#options.input);
      this.#post({ wasmgrad: 'start', input: value }, transfer);
    } catch (error) {
      const text = `trainInWorker: the input cannot be sent to a worker (${String(error)})`;
      this.#fail(new WasmgradError(text, { cause: error }));
    }
  }

  #takeState(id: number): Deferred<unknown> | undefined {
    const answer = this.#states.get(id);
    this.#states.delete(id);
    return answer;
  }

  #endPause(): void {
    this.#pause?.resolve();
    this.#pause = null;
  }

  #fail(error: Error, isDone = false): void {
    if (this.#isOver) return;
    this.#end('failed', isDone);
    this.#result.reject(error);
  }

  /** `isDone`: the training function has ended. A thread of Node's then ends itself, for a reason that worker.ts tells. */
  #end(status: 'finished' | 'failed', isDone: boolean): void {
    this.status = status;
    clearTimeout(this.#timer);
    this.#endPause();
    for (const answer of this.#states.values())
      answer.reject(new WasmgradError('trainInWorker: state: the run has ended'));
    this.#states.clear();
    const worker = this.#worker;
    if (worker === null || !('on' in worker)) worker?.terminate();
    else if (!isDone) {
      this.#post({ wasmgrad: 'end' });
      const late: unknown = setTimeout(() => worker.terminate(), END_MS);
      (late as { unref?(): void }).unref?.();
    }
  }
}

const isWorker = (value: TrainingWorker | string | { readonly href: string }): value is TrainingWorker =>
  typeof value === 'object' && 'postMessage' in value && 'terminate' in value;

/** A worker of the module at an address. */
function startWorker(module: string | { readonly href: string }): TrainingWorker {
  const address = typeof module === 'string' ? module : module?.href;
  if (typeof address !== 'string')
    throw new ArgumentError(`trainInWorker: expected a worker or a module's URL, but got ${String(module)}`);
  if (typeof Worker === 'function') return new Worker(address, { type: 'module', name: 'wasmgrad training' });
  if (typeof process !== 'object' || typeof process.getBuiltinModule !== 'function')
    throw new WasmgradError('this environment has no workers');
  const { Worker: NodeWorker } = process.getBuiltinModule('node:worker_threads');
  // Without execArgv the worker would inherit flags such as --input-type, which it refuses.
  return new NodeWorker(/^file:/.test(address) ? new URL(address) : address, { execArgv: [] });
}

interface Listeners {
  message(data: unknown): void;
  failure(reason: string): void;
}

/** Both kinds of workers say the same things with different words. */
function listen(worker: TrainingWorker, { message, failure }: Listeners): void {
  const unreadable = 'a message of the worker could not be read';
  if ('on' in worker) {
    const node = worker as TrainingWorker & { on(event: string, listener: (value: unknown) => void): void };
    node.on('message', message);
    node.on('messageerror', () => failure(unreadable));
    node.on('error', (error) => failure(`the worker failed (${String(error)})`));
    node.on('exit', (code) => failure(`the worker ended with code ${String(code)}`));
    return;
  }
  const web = worker as Worker;
  web.addEventListener('message', (event) => message(event.data));
  web.addEventListener('messageerror', () => failure(unreadable));
  web.addEventListener('error', (event) => {
    event.preventDefault();
    failure(
      event.message
        ? `the worker failed (${event.message})`
        : "the module could not be loaded; look at its address, at what it imports, and at the page's content security policy",
    );
  });
}
