/**
 * Synchronous parallel-for over worker threads: `run` cuts [0, total) into chunks, the calling thread takes part, and
 * when it returns all chunks are done. How chunks are claimed is told in layout.ts.
 *
 * The pool is an accelerator that may be missing: until every worker has reported ready, where there are none, and
 * after one has died, `run` does everything on the calling thread, and `reason` says why.
 *
 * A worker that dies while it holds a chunk cannot be told from one that the system does not schedule, and its chunk
 * must not be done by somebody else: a worker that does come back would write into memory that others own by then,
 * and a kernel that updates in place must not run twice. So the calling thread waits for much longer than any chunk
 * takes; after that it ends all workers, goes on alone from the next call, and throws, because the output of this one
 * is unknown. In practice only an engine that runs out of memory comes here: a kernel that traps is an ordinary error.
 */
import { DeviceError, WasmgradError } from '../../core/errors.ts';
import type { Kernels } from '../../generated/kernels.ts';
import type { Host, WorkerHandle } from './host.ts';
import {
  type AnyKernel,
  type Control,
  callKernel,
  EPOCH,
  FAILED,
  kernelNames,
  kernelTable,
  MAX_ARGS,
  MAX_CHUNKS,
  newControlBuffer,
  PENDING,
  PROTOCOL,
  publish,
  READY,
  type Scratch,
  SLEEPERS,
  SPIN_MS,
  STOP,
  spinForCompletion,
  takeChunks,
  viewControl,
  WAITING,
} from './layout.ts';
import type { WasmModule } from './module.ts';
import { ShortJobs } from './shortJobs.ts';

/** The kernels that a pool can slice: numbers in, begin and end last. */
export type KernelName<K = Kernels> = {
  [N in keyof K & string]: K[N] extends (...args: number[]) => unknown ? N : never;
}[keyof K & string];

export interface PoolOptions {
  /** Where threads come from, or why they do not come at all. */
  readonly host: Host | { readonly reason: string };
  readonly workerSource: string;
  /** For pages whose security policy refuses blob: workers: where the worker script is served. */
  readonly workerURL?: string;
  /** How long the calling thread waits, at least, for a chunk that a worker holds. */
  readonly stallMs?: number;
  /** How long `ready` waits for workers that neither start nor fail. */
  readonly startMs?: number;
}

/** More threads than this gain little on work that is bound by memory. */
const MAX_AUTO_THREADS = 16;
/** A chunk takes milliseconds; a machine under heavy load, seconds. */
const STALL_MS = 30_000;
/** A worker gets this many times what the calling thread needed for all of its own chunks. */
const STALL_FACTOR = 20;
/** Multiply-adds of one thread between two interludes: about a millisecond. */
const BREATH = 2 ** 25;
/** Kernels count in 32 bits with a sign. */
export const MAX_TOTAL = 2 ** 31 - 1;
/** Workers start within 100 ms; a page under load takes longer. */
const START_MS = 20_000;
/** One sleep of the waiting thread. Time is counted in such slices, so a suspended machine is not a stall. */
const SLICE_MS = 50;

interface Entry {
  readonly index: number;
  readonly kernel: AnyKernel;
  /** Parameters without begin and end. */
  readonly arity: number;
}

/** Workers, the block that they share with the calling thread, and whoever waits for them to be ready. */
interface Crew {
  readonly control: Control;
  readonly workers: WorkerHandle[];
  readonly ready: Promise<void>;
  /** Settles `ready`. */
  settle(): void;
}

export class Pool<K = Kernels> {
  readonly #entries = new Map<string, Entry>();
  /** By number: what the calling thread runs of a job that all threads take part in. A profiler counts there. */
  readonly kernels: AnyKernel[];
  readonly #module: WasmModule<K>;
  readonly #options: PoolOptions;
  #requested: number | 'auto' = 'auto';
  /** What `'auto'` means at most. */
  #autoLimit = MAX_AUTO_THREADS;
  #workerURL: string | undefined;
  #crew: Crew | undefined;
  /** The crew is complete: every worker has reported ready. */
  #complete = false;
  /**
   * Called on this thread between the slices of long kernels, which are cut for it by `pieces`: for work that goes on
   * beside and has to be driven. Must be quick, and must not throw: a kernel would stop in the middle.
   */
  interlude: (() => void) | null = null;
  /** The interlude runs: kernels that it calls are neither shared out nor cut, as another one is under way. */
  #inInterlude = false;
  readonly #shortJobs = new ShortJobs();
  /** The job to come is one that repays only workers which are awake, as they are. */
  #short = false;
  /** Set once threads turn out to be impossible or were turned off. */
  #reason: string | undefined;

  constructor(module: WasmModule<K>, options: PoolOptions) {
    this.#module = module;
    this.#options = options;
    this.#workerURL = options.workerURL;
    this.kernels = kernelTable(module.module, module.exports as WebAssembly.Exports);
    kernelNames(module.module).forEach((name, index) => {
      const kernel = this.kernels[index];
      this.#entries.set(name, { index, kernel, arity: kernel.length - 2 });
    });
  }

  /** Threads that the next `run` uses, the calling one included: 1 until the workers are ready. */
  get threads(): number {
    return this.#isComplete() ? this.#crew!.workers.length + 1 : 1;
  }

  /** Threads that there will be once they are ready: what to cut chunks and scratch for. */
  get plannedThreads(): number {
    if (this.#crew) return this.#crew.workers.length + 1;
    return (this.#reason ?? this.#whyAlone()) === undefined ? this.#limit() : 1;
  }

  /** Every worker is awake: a job costs less than a microsecond to hand out. Asleep, it costs about ten. */
  get #hot(): boolean {
    return this.#isComplete() && Atomics.load(this.#crew!.control.words, SLEEPERS) === 0;
  }

  /** Whether a job is shared out that repays workers only if they are awake; `part` of a wake is what it would repay. */
  sharesShort(part: number): boolean {
    if (this.#shortJobs.areDisturbed) return false;
    this.#short = this.#hot;
    return this.#short || this.#shortJobs.worthWaking(part, this.#crew !== undefined);
  }

  /** Into how many slices a thread's part of so many multiply-adds is cut: one, unless there is an interlude. */
  pieces(work: number): number {
    return this.interlude === null ? 1 : Math.max(1, Math.round(work / BREATH));
  }

  /** Why there is one thread only, if that is so for good; undefined while workers run, start or were not needed yet. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /**
   * Calls `kernel(...args, begin, end)` until [0, total) is covered by slices of `chunk` (the last one may be
   * shorter). Slices run on any thread in any order, so a kernel's slices must not depend on each other. With
   * `chunk >= total` it is one plain call. Otherwise the workers are started, if they have not been: they join later
   * calls. `scratch` shifts one pointer argument per thread.
   * @throws WasmgradError where the kernel traps; the output is then undefined
   */
  run(kernel: KernelName<K>, args: readonly number[], total: number, chunk: number, scratch?: Scratch): void {
    const short = this.#short;
    this.#short = false;
    const entry = this.#entry(kernel, args);
    if (total <= 0) return;
    if (total > MAX_TOTAL) throw new WasmgradError(`${kernel}: ${total} elements are more than ${MAX_TOTAL}`);
    if (chunk <= 0 || Number.isNaN(chunk))
      throw new WasmgradError(`${kernel}: expected a positive chunk, got ${chunk}`);
    if (chunk >= total || this.#inInterlude) {
      callKernel(entry.kernel, args, 0, total);
      return;
    }
    if (this.#crew === undefined && this.#reason === undefined) this.#begin();
    if (this.#isComplete())
      this.#runOnAll(kernel, { kernel: entry.index, args, total, chunk, scratch }, short);
    else if (this.interlude !== null) this.#runInSlices(entry.kernel, args, total, chunk);
    else callKernel(entry.kernel, args, 0, total);
  }

  readonly #look = (): void => {
    this.#inInterlude = true;
    try {
      this.interlude?.();
    } finally {
      this.#inInterlude = false;
    }
  };

  #runInSlices(kernel: AnyKernel, args: readonly number[], total: number, chunk: number): void {
    for (let begin = 0; begin < total; begin += chunk) {
      if (begin > 0) this.#look();
      callKernel(kernel, args, begin, Math.min(begin + chunk, total));
    }
  }

  #entry(kernel: KernelName<K>, args: readonly number[]): Entry {
    const entry = this.#entries.get(kernel);
    if (entry === undefined || entry.arity !== args.length) throw this.#misuse(kernel, args.length, entry);
    return entry;
  }

  /**
   * Asks for a number of threads; `'auto'` is one per core, 16 at most, and no request goes beyond the cores. Workers
   * that run already are kept if their number is right. Resolves with the number of threads that there are when all
   * are ready, or when it is clear that there will be one: it never rejects for want of threads. A `workerURL` that is
   * new replaces workers that run or start from elsewhere.
   */
  async start(threads: number | 'auto' = 'auto', workerURL?: string): Promise<number> {
    if (threads !== 'auto' && !(Number.isInteger(threads) && threads >= 1))
      throw new WasmgradError(`init: expected threads to be 'auto' or an integer from 1, got ${threads}`);
    this.#requested = threads;
    const moved = workerURL !== undefined && workerURL !== this.#workerURL;
    if (moved) this.#workerURL = workerURL;
    if (this.#crew && (moved || this.#crew.workers.length + 1 !== this.#limit())) this.#dismiss();
    if (!this.#crew) this.#begin();
    return this.ready();
  }

  /**
   * From now on `'auto'` means no more than this: other processes work on the same cores. Workers beyond it end.
   */
  limitAuto(threads: number): void {
    this.#autoLimit = Math.max(1, Math.min(threads, MAX_AUTO_THREADS));
    if (this.#crew && this.#crew.workers.length + 1 !== this.#limit()) void this.#dismiss();
  }

  /** Resolves with the number of threads when the workers that are starting are ready. Starts none. */
  async ready(): Promise<number> {
    const crew = this.#crew;
    if (crew && !this.#isComplete()) {
      for (const worker of crew.workers) worker.keepAlive(true);
      const { startMs = START_MS } = this.#options;
      const timer = setTimeout(() => this.#giveUp(crew, `not ready after ${startMs} ms`), startMs);
      await crew.ready;
      clearTimeout(timer);
      for (const worker of crew.workers) worker.keepAlive(false);
    }
    return this.threads;
  }

  /** Ends the workers; everything runs on the calling thread until the next `start`. Resolves when they are gone. */
  async stop(): Promise<void> {
    this.#reason = 'threads are off: stopped';
    await this.#dismiss();
  }

  #limit(): number {
    const { host } = this.#options;
    const cores = 'reason' in host ? 1 : host.cores;
    return Math.max(1, Math.min(this.#requested === 'auto' ? this.#autoLimit : this.#requested, cores));
  }

  /** Starts workers, without waiting, or sets the reason why not. */
  #begin(): void {
    const { host, workerSource } = this.#options;
    const { module, memory, shared } = this.#module;
    this.#reason = this.#whyAlone();
    if (this.#reason !== undefined || 'reason' in host || !shared) return;
    const buffer = newControlBuffer(this.#limit());
    const crew = makeCrew(viewControl(buffer));
    this.#crew = crew;
    const events = {
      ready: () => this.#crew === crew && this.#isComplete() && crew.settle(),
      lost: (reason: string) => this.#giveUp(crew, reason),
    };
    try {
      for (let thread = 1; thread < this.#limit(); thread++)
        crew.workers.push(
          host.spawn(
            workerSource,
            { protocol: PROTOCOL, module, memory, control: buffer, thread },
            events,
            this.#workerURL,
          ),
        );
    } catch (error) {
      this.#giveUp(crew, String(error));
    }
  }

  #whyAlone(): string | undefined {
    const { host } = this.#options;
    if (this.#requested === 1) return 'threads are off: one thread was asked for';
    if (!this.#module.shared) {
      const known = this.#module.reasons.find((reason) => reason.startsWith('threads are off'));
      return known ?? 'threads are off: the memory is not shared';
    }
    if ('reason' in host) return `threads are off: ${host.reason}`;
    if (host.cores > 1 && this.#limit() === 1)
      return 'threads are off: other processes have the rest of the cores';
    if (this.#limit() === 1) return 'threads are off: this machine reports one core';
    return undefined;
  }

  /**
   * Workers count themselves in the control block, so a caller that never returns to its event loop sees them too.
   * (A page must return to it once: that is what starts its workers.)
   */
  #isComplete(): boolean {
    if (this.#complete) return true;
    if (this.#crew === undefined) return false;
    const { control, workers } = this.#crew;
    this.#complete = Atomics.load(control.words, READY) === workers.length;
    return this.#complete;
  }

  #runOnAll(name: string, job: Parameters<typeof publish>[1], short: boolean): void {
    const { control } = this.#crew!;
    const chunks = Math.ceil(job.total / job.chunk);
    if (job.args.length > MAX_ARGS) throw new WasmgradError(`${name}: more than ${MAX_ARGS} arguments`);
    if (chunks > MAX_CHUNKS) throw new WasmgradError(`${name}: ${chunks} chunks are more than ${MAX_CHUNKS}`);
    const begun = performance.now();
    publish(control, job, chunks);
    const error = takeChunks(control, this.kernels, 0, this.interlude && this.#look);
    if (Atomics.load(control.words, PENDING) !== 0 && !this.#waitForWorkers(control.words, begun)) {
      this.#giveUp(this.#crew!, 'a worker stopped answering');
      throw new DeviceError(
        `${name}: a worker thread stopped in the middle of its work; the output of this operation is undefined, ` +
          'what follows runs on one thread',
      );
    }
    if (short) this.#shortJobs.note(performance.now() - begun);
    if (Atomics.load(control.words, FAILED) === 0) return;
    Atomics.store(control.words, FAILED, 0);
    throw new WasmgradError(`${name}: the kernel failed in ${error ? 'the calling' : 'a worker'} thread`, {
      cause: error,
    });
  }

  /** Waits for the chunks that workers hold: awake first, then asleep where that is allowed. False: they stall. */
  #waitForWorkers(words: Int32Array, begun: number): boolean {
    if (spinForCompletion(words, SPIN_MS)) return true;
    const limit = (this.#options.stallMs ?? STALL_MS) + STALL_FACTOR * (performance.now() - begun);
    let pending = Atomics.load(words, PENDING);
    for (let waited = 0; waited < limit; waited += SLICE_MS) {
      if (canSleep()) sleepUntilComplete(words, pending);
      else spinForCompletion(words, SLICE_MS);
      const left = Atomics.load(words, PENDING);
      if (left === 0) return true;
      if (left !== pending) waited = 0;
      pending = left;
    }
    return false;
  }

  #giveUp(crew: Crew, reason: string): void {
    if (this.#crew !== crew) return;
    this.#reason = `threads are off: ${reason}`;
    void this.#dismiss();
  }

  /** Lets go of the crew. Its workers may take a moment to end; they know no control block but their own. */
  async #dismiss(): Promise<void> {
    const crew = this.#crew;
    if (!crew) return;
    this.#crew = undefined;
    this.#complete = false;
    const { words } = crew.control;
    Atomics.store(words, STOP, 1);
    Atomics.add(words, EPOCH, 1); // a worker on its way into Atomics.wait must find another value there
    Atomics.notify(words, EPOCH);
    crew.settle();
    await Promise.all(crew.workers.map((worker) => worker.terminate()));
  }

  #misuse(name: string, given: number, entry: Entry | undefined): WasmgradError {
    if (!entry) return new WasmgradError(`pool: no kernel is called '${name}'`);
    return new WasmgradError(`${name}: expected ${entry.arity} arguments before begin and end, got ${given}`);
  }
}

function makeCrew(control: Control): Crew {
  let settle = () => {};
  const ready = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { control, workers: [], ready, settle };
}

let sleepAllowed: boolean | undefined;

/** Whether this thread may wait: Node and workers may, a page's main thread may not. */
function canSleep(): boolean {
  if (sleepAllowed === undefined) {
    try {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
      sleepAllowed = true;
    } catch {
      sleepAllowed = false;
    }
  }
  return sleepAllowed;
}

function sleepUntilComplete(words: Int32Array, pending: number): void {
  Atomics.store(words, WAITING, 1);
  Atomics.wait(words, PENDING, pending, SLICE_MS);
  Atomics.store(words, WAITING, 0);
}
