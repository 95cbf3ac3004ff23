/** Calls under way, in the order in which they were made: MPI matches calls by it, so no process may change it. */
import { DistributedError, DistributedTimeoutError } from './errors.ts';
import type { Request } from './transport.ts';

/** A collective operation that goes on while the program does. */
export interface Work<T = void> {
  /** Whether it is complete, without waiting. Asking drives it on. */
  isCompleted(): boolean;
  /** Waits for it, and returns its result. @throws DistributedTimeoutError, DistributedError */
  wait(): T;
}

/**
 * Calls under way at once: enough that a slow network always has one to carry while the program computes and cannot look
 * after them. More would only hold more of the library's buffers.
 */
const WINDOW = 4;
/**
 * A waiting thread asks without pause at first. Then it yields the core in between, which costs a microsecond if nobody
 * wants it (waking up from a nap takes a hundred); after this long it naps.
 */
const SPIN_MS = 0.1;
const YIELD_MS = 2;
const NAP_MS = 0.05;
/** Questions between two looks at the clock. */
const QUESTIONS = 16;

const napCell = new Int32Array(new SharedArrayBuffer(4));

/** How a thread waits: `begin`, and then `pause` after each question that was answered no. */
class Patience {
  readonly #yieldCore: () => void;
  #start = 0;
  #questions = 0;

  constructor(yieldCore: () => void) {
    this.#yieldCore = yieldCore;
  }

  begin(): void {
    this.#start = performance.now();
    this.#questions = 0;
  }

  /** How long it has been, in milliseconds: now and then; 0 otherwise, when nobody has looked. */
  pause(): number {
    if (++this.#questions % QUESTIONS !== 0) return 0;
    const waited = performance.now() - this.#start;
    if (waited > YIELD_MS) Atomics.wait(napCell, 0, 0, NAP_MS);
    else if (waited > SPIN_MS) this.#yieldCore();
    return waited;
  }
}

/** An operation as a list of calls, and what is to be done when they are complete. */
export interface Plan<T> {
  /** For messages: `allReduce of a float32 tensor [3]`. */
  readonly name: string;
  /** How many calls. */
  readonly length: number;
  start(call: number): Request;
  /** Runs once, after the last call. */
  finish(): T;
}

class QueuedWork<T> implements Work<T> {
  readonly #queue: WorkQueue;
  readonly #plan: Plan<T>;
  #started = 0;
  #done = 0;
  #outcome: { value: T } | null = null;

  constructor(queue: WorkQueue, plan: Plan<T>) {
    this.#queue = queue;
    this.#plan = plan;
  }

  get name(): string {
    return this.#plan.name;
  }

  /** Starts its next call; null if all have been. */
  start(): Request | null {
    return this.#started < this.#plan.length ? this.#plan.start(this.#started++) : null;
  }

  /** One of its calls is complete. */
  count(): void {
    this.#done++;
  }

  /** Draws the conclusion if all calls are complete; true if so. */
  finish(): boolean {
    if (this.#done < this.#plan.length) return false;
    this.#outcome ??= { value: this.#plan.finish() };
    return true;
  }

  isCompleted(): boolean {
    if (this.#outcome === null) this.#queue.progress();
    return this.#outcome !== null;
  }

  wait(): T {
    this.#queue.waitFor(this);
    if (this.#outcome === null) {
      throw (
        this.#queue.failedBefore(this.name) ??
        new DistributedError(`${this.name}: the group was destroyed before it was complete`)
      );
    }
    return this.#outcome.value;
  }

  get complete(): boolean {
    return this.#outcome !== null;
  }
}

/** A plan whose calls stand in a list; an empty one is complete at once. */
export const planOf = <T>(name: string, calls: readonly (() => Request)[], finish: () => T): Plan<T> => ({
  name,
  length: calls.length,
  start: (call) => calls[call](),
  finish,
});

/**
 * Operations whose calls start in order, and which are complete in order.
 *
 * No closures and no objects of classes that die out, where every training step passes: V8 drops code that nobody holds
 * at a collection and compiles it anew, on a thread that takes a core from the process beside this one.
 */
export class WorkQueue {
  readonly #waiting: QueuedWork<unknown>[] = [];
  /** Calls under way, oldest first. */
  readonly #active: { work: QueuedWork<unknown>; request: Request }[] = [];
  readonly #timeoutMs: number;
  readonly #whoAmI: string;
  readonly #patience: Patience;
  // biome-ignore lint/correctness/noUnusedPrivateClassMembers: V8 forgets what objects look like of which none is left.
  readonly #specimen = new QueuedWork(
    this,
    planOf('', [], () => {}),
  );
  /** After a failure nothing can be relied on: the others may be anywhere. */
  failure: Error | null = null;

  constructor(timeoutMs: number, whoAmI: string, yieldCore = () => {}) {
    this.#timeoutMs = timeoutMs;
    this.#whoAmI = whoAmI;
    this.#patience = new Patience(yieldCore);
  }

  get idle(): boolean {
    return this.#waiting.length === 0;
  }

  add<T>(plan: Plan<T>): Work<T> {
    const failed = this.failedBefore(plan.name);
    if (failed) throw failed;
    const work = new QueuedWork(this, plan);
    this.#waiting.push(work);
    this.progress();
    return work;
  }

  /** What is to be said of an operation after another one's failure. */
  failedBefore(name: string): Error | null {
    const { failure } = this;
    if (failure === null) return null;
    return new DistributedError(`${name}: the group failed before: ${failure.message}`, { cause: failure });
  }

  /** Drives what is under way, without waiting. */
  progress(): void {
    try {
      for (this.#startCalls(); this.#active[0]?.request.test(); this.#startCalls())
        this.#active.shift()?.work.count();
      while (this.#waiting[0]?.finish()) this.#waiting.shift();
    } catch (error) {
      this.fail(error);
    }
  }

  /** In the order of the works, which is the same on every process. */
  #startCalls(): void {
    for (const work of this.#waiting) {
      while (this.#active.length < WINDOW) {
        const request = work.start();
        if (request === null) break;
        this.#active.push({ work, request });
      }
      if (this.#active.length === WINDOW) return;
    }
  }

  waitFor(work: QueuedWork<unknown>): void {
    this.#patience.begin();
    while (!work.complete && this.#waiting.includes(work)) {
      this.progress();
      if (!work.complete) this.#pause(work.name);
    }
  }

  /** Waits until nothing is under way. */
  drain(): void {
    while (this.#waiting.length > 0) this.waitFor(this.#waiting[0]);
  }

  /** Waits for a single call that does not stand in the queue. */
  await(request: Request, name: string): void {
    this.#patience.begin();
    while (!this.#asked(request)) this.#pause(name);
  }

  #asked(request: Request): boolean {
    try {
      return request.test();
    } catch (error) {
      this.fail(error);
    }
  }

  #pause(name: string): void {
    if (this.#patience.pause() > this.#timeoutMs) this.fail(this.#late(name));
  }

  #late(name: string): Error {
    return new DistributedTimeoutError(
      `${name} on ${this.#whoAmI}: not complete after ${this.#timeoutMs} ms. Another process does not make the same ` +
        'call: it hangs, is busy elsewhere, or cannot be reached',
    );
  }

  fail(error: unknown): never {
    this.failure ??= error instanceof Error ? error : new Error(String(error));
    this.#waiting.length = 0;
    this.#active.length = 0;
    throw error;
  }
}
