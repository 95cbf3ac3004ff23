/**
 * The control block that the threads of a pool share, and the one loop that all of them run. The block is a small
 * SharedArrayBuffer of its own, not a part of the kernels' memory: a new pool gets a new block, so a worker that
 * outlived its pool can never see, let alone claim, a chunk of a later one.
 *
 * How a job is handed out. Every thread has a queue: neighbouring chunks, the same share of every job, so that what a
 * thread wrote in one op it reads in the next from its own caches (between cores that share none a line takes half a
 * microsecond). Whoever is done with his own takes from the others. A queue is a word that counts down the chunks that
 * nobody has claimed; a thread claims by decrementing it and owns a chunk if the value it took was positive. Only the
 * calling thread raises queues, after it has written the job, and it rewrites the job only when `PENDING` (the chunks
 * not yet finished) is back at zero. So a positive ticket is proof that the job words belong to that ticket and stay as
 * they are until the ticket is finished: a worker that wakes up late either gets nothing or takes a proper part in
 * whatever job is current.
 */

// Indices of 32-bit words. Words that different threads write often lie 128 bytes apart, so that they do not share
// a cache line (or a pair of lines fetched together).
const LINE = 32;
export const PENDING = 0;
/** Workers that are in Atomics.wait on EPOCH, or about to be. */
export const SLEEPERS = LINE;
/** 1 while the calling thread is in Atomics.wait on PENDING. */
export const WAITING = LINE + 1;
/** Counts jobs: what workers sleep on. */
export const EPOCH = LINE + 2;
/** Workers that have instantiated the kernels. */
export const READY = 2 * LINE;
/** 1 tells the workers to leave their loop. */
export const STOP = 2 * LINE + 1;
/** 1 after a kernel has thrown in some thread. */
export const FAILED = 2 * LINE + 2;
// The job.
const KERNEL = 3 * LINE;
const CHUNKS = 3 * LINE + 1;
const ARITY = 3 * LINE + 2;
const SCRATCH_ARG = 3 * LINE + 3;
// Indices of 64-bit floats, behind the words.
const TOTAL = 2 * LINE;
const CHUNK = TOTAL + 1;
const SCRATCH_STRIDE = TOTAL + 2;
const ARGS = TOTAL + 3;

/** The most arguments that a job can carry; begin and end come on top. */
export const MAX_ARGS = 24;
/** Chunk tickets are 32-bit; the margin leaves room for claims that find nothing. */
export const MAX_CHUNKS = 2 ** 30;
/** Index of the first queue, a word in a line of its own for every thread. */
const QUEUES = Math.ceil((2 * (ARGS + MAX_ARGS)) / LINE) * LINE;

/** How long the calling thread, or a worker whose last pause was long, looks for work before it sleeps. */
export const SPIN_MS = 0.2;
/**
 * The same for a worker whose last pause was not longer than this: the pauses between the ops of a training step are
 * short, and to wake a thread costs 10 µs, on a virtual machine 200.
 */
export const LONG_SPIN_MS = 2;
/** Loads between two looks at the clock; a look costs as much as tens of loads. */
const LOADS_PER_LOOK = 500;

/** Any exported kernel; a missing result is `undefined`. */
export type AnyKernel = (...args: number[]) => unknown;

export interface Control {
  readonly words: Int32Array;
  readonly numbers: Float64Array;
  /** All that have a queue: the workers and the calling thread. */
  readonly threads: number;
}

/** A region that each thread gets its own piece of: argument `arg` grows by `stride` bytes per thread. */
export interface Scratch {
  readonly arg: number;
  readonly stride: number;
}

export interface Job {
  readonly kernel: number;
  readonly args: readonly number[];
  readonly total: number;
  readonly chunk: number;
  readonly scratch: Scratch | undefined;
}

/** Raised whenever this file changes what threads tell each other: a page may serve a worker script of its own. */
export const PROTOCOL = 2;

/** What a worker gets to start with. */
export interface WorkerStart {
  readonly protocol: number;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: SharedArrayBuffer;
  /** 1, 2, …; the calling thread is 0. */
  readonly thread: number;
}

/** What a worker says, once: that it is ready, or why it cannot start. */
export type WorkerMessage = 'ready' | { readonly error: string };

export function newControlBuffer(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * (QUEUES + threads * LINE));
}

export function viewControl(buffer: SharedArrayBuffer): Control {
  const words = new Int32Array(buffer);
  return { words, numbers: new Float64Array(buffer), threads: (words.length - QUEUES) / LINE };
}

/** The first chunk of a thread's share. */
const shareBegin = (thread: number, chunks: number, threads: number): number =>
  Math.ceil((thread * chunks) / threads);

/** The exported functions in export order, the same in every thread: a kernel's index is its name in a job. */
export function kernelNames(module: WebAssembly.Module): string[] {
  return WebAssembly.Module.exports(module)
    .filter(({ kind }) => kind === 'function')
    .map(({ name }) => name);
}

export function kernelTable(module: WebAssembly.Module, exports: WebAssembly.Exports): AnyKernel[] {
  return kernelNames(module).map((name) => exports[name] as AnyKernel);
}

/** Writes a job and opens it to all threads. The job before must be finished. */
export function publish(control: Control, job: Job, chunks: number): void {
  const { words, numbers, threads } = control;
  const { args, scratch } = job;
  words[KERNEL] = job.kernel;
  words[CHUNKS] = chunks;
  words[ARITY] = args.length;
  words[SCRATCH_ARG] = scratch ? scratch.arg : -1;
  numbers[TOTAL] = job.total;
  numbers[CHUNK] = job.chunk;
  numbers[SCRATCH_STRIDE] = scratch ? scratch.stride : 0;
  for (let i = 0; i < args.length; i++) numbers[ARGS + i] = args[i];
  Atomics.store(words, PENDING, chunks);
  // The calling thread's own queue comes last: it is the only one that nobody waits for.
  let end = chunks;
  for (let thread = threads - 1; thread >= 0; thread--) {
    const begin = shareBegin(thread, chunks, threads);
    Atomics.store(words, QUEUES + thread * LINE, end - begin);
    end = begin;
  }
  Atomics.add(words, EPOCH, 1);
  const sleepers = Atomics.load(words, SLEEPERS);
  if (sleepers > 0) Atomics.notify(words, EPOCH, Math.min(sleepers, chunks - 1));
}

/** The number of a chunk that nobody else has, from the thread's own share first; -1 if none is left. */
function claim({ words, threads }: Control, thread: number): number {
  for (let i = 0; i < threads; i++) {
    const owner = (thread + i) % threads;
    const queue = QUEUES + owner * LINE;
    if (Atomics.load(words, queue) <= 0) continue;
    const ticket = Atomics.sub(words, queue, 1);
    if (ticket > 0) return shareBegin(owner + 1, words[CHUNKS], threads) - ticket;
  }
  return -1;
}

/**
 * `kernel(...a, begin, end)`, written out: a call with an array's elements costs 0.1 … 0.5 µs more than one with
 * arguments, which is as much as a small kernel takes.
 */
export function callKernel(kernel: AnyKernel, a: readonly number[], begin: number, end: number): unknown {
  switch (a.length) {
    case 1:
      return kernel(a[0], begin, end);
    case 2:
      return kernel(a[0], a[1], begin, end);
    case 3:
      return kernel(a[0], a[1], a[2], begin, end);
    case 4:
      return kernel(a[0], a[1], a[2], a[3], begin, end);
    case 5:
      return kernel(a[0], a[1], a[2], a[3], a[4], begin, end);
    case 6:
      return kernel(a[0], a[1], a[2], a[3], a[4], a[5], begin, end);
    case 7:
      return kernel(a[0], a[1], a[2], a[3], a[4], a[5], a[6], begin, end);
    case 8:
      return kernel(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], begin, end);
    case 9:
      return kernel(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], begin, end);
    case 10:
      return kernel(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], begin, end);
    case 11:
      return kernel(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], begin, end);
    case 12:
      return kernel(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], begin, end);
    case 13:
      return kernel(
        a[0],
        a[1],
        a[2],
        a[3],
        a[4],
        a[5],
        a[6],
        a[7],
        a[8],
        a[9],
        a[10],
        a[11],
        a[12],
        begin,
        end,
      );
    case 14:
      return kernel(
        a[0],
        a[1],
        a[2],
        a[3],
        a[4],
        a[5],
        a[6],
        a[7],
        a[8],
        a[9],
        a[10],
        a[11],
        a[12],
        a[13],
        begin,
        end,
      );
    case 15:
      return kernel(
        a[0],
        a[1],
        a[2],
        a[3],
        a[4],
        a[5],
        a[6],
        a[7],
        a[8],
        a[9],
        a[10],
        a[11],
        a[12],
        a[13],
        a[14],
        begin,
        end,
      );
    case 16:
      return kernel(
        a[0],
        a[1],
        a[2],
        a[3],
        a[4],
        a[5],
        a[6],
        a[7],
        a[8],
        a[9],
        a[10],
        a[11],
        a[12],
        a[13],
        a[14],
        a[15],
        begin,
        end,
      );
    default:
      return kernel(...a, begin, end);
  }
}

/** The arguments of the job that this thread works on: kernels never call back. */
const jobArguments: number[] = [];

/**
 * Claims and runs chunks until none is left. A kernel that throws fails the job: the chunks that follow are claimed
 * and counted without running, so that nobody waits for them. Returns the error, if this thread met one.
 */
export function takeChunks(
  control: Control,
  kernels: readonly AnyKernel[],
  thread: number,
  interlude: (() => void) | null = null,
): unknown {
  const { words, numbers } = control;
  let next = claim(control, thread);
  if (next < 0) return undefined;
  const kernel = kernels[words[KERNEL]];
  const arity = words[ARITY];
  const total = numbers[TOTAL];
  const chunk = numbers[CHUNK];
  const args = jobArguments;
  args.length = arity;
  for (let i = 0; i < arity; i++) args[i] = numbers[ARGS + i];
  if (words[SCRATCH_ARG] >= 0) args[words[SCRATCH_ARG]] += thread * numbers[SCRATCH_STRIDE];

  let failure: unknown;
  while (next >= 0) {
    const begin = next * chunk;
    try {
      if (Atomics.load(words, FAILED) === 0) callKernel(kernel, args, begin, Math.min(begin + chunk, total));
    } catch (error) {
      failure = error ?? new Error('a kernel threw nothing');
      Atomics.store(words, FAILED, 1);
    }
    // The next claim comes before this chunk is given back: until then the job cannot change.
    next = claim(control, thread);
    if (Atomics.sub(words, PENDING, 1) === 1 && Atomics.load(words, WAITING) === 1)
      Atomics.notify(words, PENDING);
    interlude?.();
  }
  return failure;
}

/** Looks for chunks of its own share that nobody has claimed, at most about `ms` milliseconds. */
export function spinForWork({ words }: Control, thread: number, ms: number): boolean {
  const queue = QUEUES + thread * LINE;
  const until = performance.now() + ms;
  do {
    for (let i = 0; i < LOADS_PER_LOOK; i++) if (Atomics.load(words, queue) > 0) return true;
  } while (performance.now() < until);
  return false;
}

/** Sleeps until a job is published. The order (count first, then look) is what keeps a notification from being missed. */
export function sleepForWork({ words }: Control, thread: number): void {
  Atomics.add(words, SLEEPERS, 1);
  const epoch = Atomics.load(words, EPOCH);
  if (Atomics.load(words, QUEUES + thread * LINE) <= 0 && Atomics.load(words, STOP) === 0)
    Atomics.wait(words, EPOCH, epoch);
  Atomics.sub(words, SLEEPERS, 1);
}

/** Waits for the last chunk without sleeping, at most about `ms` milliseconds. */
export function spinForCompletion(words: Int32Array, ms: number): boolean {
  for (let i = 0; i < LOADS_PER_LOOK; i++) if (Atomics.load(words, PENDING) === 0) return true;
  const until = performance.now() + ms;
  do {
    for (let i = 0; i < LOADS_PER_LOOK; i++) if (Atomics.load(words, PENDING) === 0) return true;
  } while (performance.now() < until);
  return false;
}
