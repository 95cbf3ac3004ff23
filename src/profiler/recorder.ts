/**
 * The clockwork of a profile: spans open and close like brackets, and each adds to the sums of its name. Nothing here
 * knows what is being watched; observers.ts does.
 */
import type { Span, SpanEvent, SpanKind, Work } from './spans.ts';
import { type ModuleSums, moduleSums, Sums } from './sums.ts';

/** Microseconds. */
const now = (): number => performance.now() * 1000;

export class Recorder {
  /** False once the profile is over: observers that are still held by somebody then do nothing. */
  running = true;
  readonly sums = new Map<string, Sums>();
  /** The same by name and shapes of the inputs, if shapes are recorded. */
  readonly sumsByShape: Map<string, Sums> | null;
  readonly roots: ModuleSums[] = [];
  readonly events: SpanEvent[] = [];
  /** Spans that were summed up but had no room among the events. */
  dropped = 0;
  started = 0;
  ended = 0;
  /** All that was done so far; a span takes the difference. */
  readonly work: Work = { bytes: 0, allocatedBytes: 0, flops: 0, workersTime: 0 };
  /** A kernel is running: what it calls belongs to it. */
  inKernel = false;
  readonly #maxEvents: number;
  #open: Span | null = null;
  #walks = 0;
  #module: ModuleSums | null = null;
  readonly #modules = new WeakMap<object, ModuleSums>();
  /** Nodes from each of these numbers on, up to the next, were recorded by the module of the same place. */
  readonly #from: number[] = [];
  readonly #owner: (ModuleSums | null)[] = [];

  constructor(options: { recordShapes: boolean; maxEvents: number }) {
    this.sumsByShape = options.recordShapes ? new Map() : null;
    this.#maxEvents = options.maxEvents;
  }

  start(): void {
    this.started = now();
  }

  stop(): void {
    this.running = false;
    this.ended = now();
  }

  /** Opens a span. `shapes`, where they are recorded, tell calls of one name apart. */
  open(name: string, kind: SpanKind, shapes: string | null = null): Span {
    const span: Span = {
      name,
      kind,
      shapes,
      outer: this.#open,
      start: 0,
      inner: 0,
      before: { ...this.work },
      sums: sumsOf(this.sums, name, name, kind, null),
      byShape:
        this.sumsByShape && shapes !== null
          ? sumsOf(this.sumsByShape, `${name} ${shapes}`, name, kind, shapes)
          : null,
    };
    span.sums.open++;
    if (kind === 'walk') this.#walks++;
    this.#open = span;
    span.start = now();
    return span;
  }

  /** The end of a span, as `close` takes it: what an observer does in between costs the span nothing. */
  readonly now = now;

  close(span: Span, end: number = now()): void {
    const duration = end - span.start;
    this.#open = span.outer;
    if (span.outer) span.outer.inner += duration;
    if (span.kind === 'walk') this.#walks--;
    const { before, sums } = span;
    const { work } = this;
    const done: Work = {
      bytes: work.bytes - before.bytes,
      allocatedBytes: work.allocatedBytes - before.allocatedBytes,
      flops: work.flops - before.flops,
      workersTime: work.workersTime - before.workersTime,
    };
    const self = duration - span.inner;
    // Of calls inside a call of the same name the outer one has the total.
    const outermost = --sums.open === 0;
    sums.add(self, outermost ? duration : 0, outermost ? done : null);
    span.byShape?.add(self, duration, done);
    this.#note({ ...span, duration, done, backward: this.#walks > 0 });
  }

  /** Something that goes on between other spans, such as a wait; it is only drawn. */
  async during<R>(name: string, promise: PromiseLike<R>): Promise<R> {
    const start = now();
    try {
      return await promise;
    } finally {
      if (this.running) this.#note({ name, kind: 'async', start, duration: now() - start, shapes: null });
    }
  }

  #note(event: SpanEvent): void {
    if (this.events.length >= this.#maxEvents) {
      this.dropped++;
      return;
    }
    const { name, kind, start, duration, shapes, done, backward, module } = event;
    this.events.push({ name, kind, start, duration, shapes, done, backward, module });
  }

  // Modules

  /** Runs a module's `forward`. `nameIn` tells what the module is called inside the one that calls it. */
  forward<R>(
    module: object,
    type: string,
    nameIn: (outer: object) => string | null,
    run: () => R,
    next: () => number,
  ): R {
    const outer = this.#module;
    const own = this.#modules.get(module) ?? this.#introduce(module, type, outer, nameIn);
    const span = this.open('Module.forward', 'module');
    span.name = own.path;
    this.#module = own;
    this.#ownNodes(next(), own);
    const allocated = this.work.allocatedBytes;
    const inner = own.inner;
    own.inner = 0;
    try {
      return run();
    } finally {
      const end = now();
      this.#ownNodes(next(), outer);
      this.#module = outer;
      const duration = end - span.start;
      own.calls++;
      own.forward += duration;
      own.forwardSelf += duration - own.inner;
      own.allocatedBytes += this.work.allocatedBytes - allocated;
      own.inner = inner;
      if (outer) outer.inner += duration;
      this.close(span, end);
    }
  }

  /** The module whose `forward` runs. */
  get module(): object | null {
    return this.#module?.module.deref() ?? null;
  }

  #introduce(
    module: object,
    type: string,
    outer: ModuleSums | null,
    nameIn: (outer: object) => string | null,
  ): ModuleSums {
    const holder = outer?.module.deref();
    const name = (holder && nameIn(holder)) ?? null;
    const siblings = outer?.children ?? this.roots;
    const same = name === null ? siblings.filter((one) => one.name === null && one.type === type).length : 0;
    const sums = moduleSums(new WeakRef(module), name, type, outer, same);
    siblings.push(sums);
    this.#modules.set(module, sums);
    return sums;
  }

  #ownNodes(from: number, owner: ModuleSums | null): void {
    const last = this.#from.length - 1;
    if (this.#from[last] === from) this.#owner[last] = owner;
    else {
      this.#from.push(from);
      this.#owner.push(owner);
    }
  }

  /** The module in whose `forward` the node of this number was recorded. */
  #ownerOf(sequence: number): ModuleSums | null {
    let low = 0;
    let high = this.#from.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#from[middle] <= sequence) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? null : this.#owner[low - 1];
  }

  /** Runs the rule of a node: what it takes is its module's backward pass. */
  backward<R>(name: string, sequence: number, run: () => R): R {
    const nested = hasOpen(this.#open, 'backward');
    const span = this.open(name, 'backward');
    const owner = this.#ownerOf(sequence);
    span.module = owner?.path;
    try {
      return run();
    } finally {
      const end = now();
      if (owner && !nested) {
        owner.backwardSelf += end - span.start;
        for (let at: ModuleSums | null = owner; at; at = at.outer) at.backward += end - span.start;
      }
      this.close(span, end);
    }
  }
}

function hasOpen(span: Span | null, kind: SpanKind): boolean {
  for (let at = span; at; at = at.outer) if (at.kind === kind) return true;
  return false;
}

function sumsOf(
  all: Map<string, Sums>,
  key: string,
  name: string,
  kind: SpanKind,
  shapes: string | null,
): Sums {
  let sums = all.get(key);
  if (sums === undefined) {
    sums = new Sums(name, kind, shapes);
    all.set(key, sums);
  }
  return sums;
}
