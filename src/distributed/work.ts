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

/** Asks until the answer is yes. @throws what `late` gives, when that took too long */
export function waitUntil(
  done: () => boolean,
  timeoutMs: number,
  late: () => Error,
  yieldCore: () => void,
): void {
  const start = performance.now();
  for (let question = 1; !done(); question++) {
    const spinning = question % QUESTIONS !== 0;
    if (spinning) continue;
    const waited = performance.now() - start;
    if (waited > timeoutMs) throw late();
    if (waited > YIELD_MS) Atomics.wait(napCell, 0, 0, NAP_MS);
    else if (waited > SPIN_MS) yieldCore();
  }
}

/** An operation as a list of calls, and what is to be done when they are complete. */
export interface Plan<T> {
  /** For messages: `allReduce of a float32 tensor [3]`. */
  readonly name: string;
  readonly calls: readonly (() => Request)[];
  /** Runs once, after the last call. */
  readonly finish: () => T;
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
    const { calls } = this.#plan;
    return this.#started < calls.length ? calls[this.#started++]() : null;
  }

  /** One of its calls is complete. */
  count(): void {
    this.#done++;
  }

  /** Draws the conclusion if all calls are complete; true if so. */
  finish(): boolean {
    const { calls, finish } = this.#plan;
    if (this.#done < calls.length) return false;
    this.#outcome ??= { value: finish() };
    return true;
  }

  isCompleted(): boolean {
    if (this.#outcome === null) this.#queue.progress();
    return this.#outcome !== null;
  }

  wait(): T {
    this.#queue.waitFor(this);
    if (this.#outcome === null)
      throw new DistributedError(`${this.name}: the group was destroyed before it was complete`);
    return this.#outcome.value;
  }

  get complete(): boolean {
    return this.#outcome !== null;
  }
}

/** Operations whose calls start in order, and which are complete in order. */
export class WorkQueue {
  readonly #waiting: QueuedWork<unknown>[] = [];
  /** Calls under way, oldest first. */
  readonly #active: { work: QueuedWork<unknown>; request: Request }[] = [];
  readonly #timeoutMs: number;
  readonly #whoAmI: string;
  readonly #yieldCore: () => void;
  /** After a failure nothing can be relied on: the others may be anywhere. */
  failure: Error | null = null;

  constructor(timeoutMs: number, whoAmI: string, yieldCore = () => {}) {
    this.#timeoutMs = timeoutMs;
    this.#whoAmI = whoAmI;
    this.#yieldCore = yieldCore;
  }

  get idle(): boolean {
    return this.#waiting.length === 0;
  }

  add<T>(plan: Plan<T>): Work<T> {
    if (this.failure)
      throw new DistributedError(`${plan.name}: the group failed before: ${this.failure.message}`);
    const work = new QueuedWork(this, plan);
    this.#waiting.push(work);
    this.progress();
    return work;
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
    this.#wait(() => work.complete || !this.#waiting.includes(work), work.name);
  }

  /** Waits until nothing is under way. */
  drain(): void {
    while (this.#waiting.length > 0) this.waitFor(this.#waiting[0]);
  }

  /** Waits for a single call that does not stand in the queue. */
  await(request: Request, name: string): void {
    this.#until(() => request.test(), name);
  }

  #wait(complete: () => boolean, name: string): void {
    this.#until(() => {
      if (!complete()) this.progress();
      return complete();
    }, name);
  }

  #until(done: () => boolean, name: string): void {
    try {
      waitUntil(done, this.#timeoutMs, () => this.#late(name), this.#yieldCore);
    } catch (error) {
      this.fail(error);
    }
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
