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

/** Calls of one operation that are under way at once. More would only hold more of the library's buffers. */
const WINDOW = 2;
/** A waiting thread asks without pause for this long, then naps in between: others may need the core. */
const SPIN_MS = 2;
const NAP_MS = 0.05;
/** Questions between two looks at the clock. */
const QUESTIONS = 16;

const napCell = new Int32Array(new SharedArrayBuffer(4));

/** Asks until the answer is yes. @throws what `late` gives, when that took too long */
export function waitUntil(done: () => boolean, timeoutMs: number, late: () => Error): void {
  const start = performance.now();
  for (let question = 1; !done(); question++) {
    const spinning = question % QUESTIONS !== 0;
    if (spinning) continue;
    const waited = performance.now() - start;
    if (waited > timeoutMs) throw late();
    if (waited > SPIN_MS) Atomics.wait(napCell, 0, 0, NAP_MS);
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
  #next = 0;
  #outcome: { value: T } | null = null;
  /** Calls under way, oldest first. */
  readonly #active: Request[] = [];

  constructor(queue: WorkQueue, plan: Plan<T>) {
    this.#queue = queue;
    this.#plan = plan;
  }

  get name(): string {
    return this.#plan.name;
  }

  /** Starts and checks calls; true once all are complete. */
  drive(): boolean {
    if (this.#outcome !== null) return true;
    const { calls, finish } = this.#plan;
    for (;;) {
      while (this.#active.length < WINDOW && this.#next < calls.length)
        this.#active.push(calls[this.#next++]());
      if (this.#active.length === 0) break;
      if (!this.#active[0].test()) return false;
      this.#active.shift();
    }
    this.#outcome = { value: finish() };
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

/** One operation after the other. */
export class WorkQueue {
  readonly #waiting: QueuedWork<unknown>[] = [];
  readonly #timeoutMs: number;
  readonly #whoAmI: string;
  /** After a failure nothing can be relied on: the others may be anywhere. */
  failure: Error | null = null;

  constructor(timeoutMs: number, whoAmI: string) {
    this.#timeoutMs = timeoutMs;
    this.#whoAmI = whoAmI;
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
      while (this.#waiting.length > 0 && this.#waiting[0].drive()) this.#waiting.shift();
    } catch (error) {
      this.fail(error);
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
      waitUntil(done, this.#timeoutMs, () => this.#late(name));
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
    throw error;
  }
}
