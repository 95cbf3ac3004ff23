/**
 * Finds the storages that nobody holds any more, and gives their blocks back.
 *
 * The language offers two ways, and neither works inside a synchronous job: a `FinalizationRegistry` calls back after
 * it, and the target of every `WeakRef` that the job makes or reads is kept alive until its end. Node can do better
 * (engineGC.ts), so there storages are found dropped while the job runs; elsewhere finalizers come after it, and until
 * then the heap moves blocks out.
 */
import { type EngineGC, engineGC, isNode } from './engineGC.ts';
import { type CollectedHeap, OldGeneration, type Watched, YoungGeneration } from './generations.ts';
import type { Block, BlockOwner } from './heap.ts';

const MB = 2 ** 20;
/** How much it is shown: V8 begins a collection when 64 MB of array buffers have come since the last one. */
const SHOWN_BYTES = 16 * MB;
/** How many bytes may come between collections. */
export interface Allowance {
  /**
   * Young ones at which they are looked through. A look takes 0.9 ms in a training loop, and what is in use at that moment
   * needs another look to be found: more often costs time, more rarely costs memory and caches.
   */
  readonly nursery: number;
  /**
   * The same where results come fast and are dropped at once, as in a loop of additions: such a program waits for memory,
   * and half of it stays in a cache twice as small.
   */
  readonly briskNursery: number;
  /** The same where looks take long, because the program has many young objects of its own or makes bytes fast. */
  readonly mostNursery: number;
  /**
   * Their number at which they are looked through whatever that takes: 0.4 µs each, whereas the heap, which has a limit
   * for blocks, would need ten times as long to move them out.
   */
  readonly nurserySize: number;
  /**
   * What grows old, or is made at all, between two full collections. These take 6 ms in a training loop, and V8 forgets in
   * them the optimised code of functions that are made anew for every call, as the rules of derivatives are.
   */
  readonly old: number;
  readonly made: number;
  /** What is made until the first one: files that a program has read at its start are dropped by then. */
  readonly firstMade: number;
  /** Bytes of new storages after which an engine whose collections cannot be asked for is shown ordinary memory. */
  readonly unseen: number;
  /**
   * Storages up to this size are left to the heap where finalizers are all there is: linear memory's bounds the number of
   * resident blocks anyhow, and moving one out costs less than a finalizer.
   */
  readonly unwatched: number;
}

const LINEAR_MEMORY: Allowance = {
  nursery: 16 * MB,
  briskNursery: 8 * MB,
  mostNursery: 64 * MB,
  nurserySize: 2048,
  old: 32 * MB,
  made: 8192 * MB,
  firstMade: 1024 * MB,
  unseen: 8 * MB,
  unwatched: 1024,
};
/**
 * The part of the time that looks may take before there are `mostNursery` bytes, and where one result alone is as large as
 * the nursery: to work on 64 MB in turns takes longer by more than that.
 */
const LOOK_SHARE = 0.1;
const LARGE_LOOK_SHARE = 0.25;
/** Bytes per ms that make a program brisk: a training step makes 3 MB, additions of 64k elements 10 to 30. */
const BRISK_BYTES = 4 * MB;
/** Looks in a row that found hardly any of them held, before looks come early: in training some find a graph in use. */
const BRISK_LOOKS = 4;
const HARDLY_ANY = 1 / 8;
/** As many as the one that is made next are always left: the last result, and the one before if it was filled in place. */
const LAST_RESULTS = 2;
/** Looks that a storage survives before it counts as old: V8 leaves what two have seen to its full collections. */
const YOUNG_LOOKS = 2;
/**
 * The part of the time that full collections may take: 10 ms each in a small program, a second in one of gigabytes. Less
 * where they are due only because much was made, and little of it has grown old.
 */
const FULL_SHARE = 0.05;
const IDLE_FULL_SHARE = 0.01;
/** What must have come since the last look or full collection for it to be worth one when memory is out. */
const URGENT_BYTES = 4 * MB;

export interface Collector extends BlockOwner {
  heap: CollectedHeap;
  /** Soft limit that suits it: see heap.ts. */
  readonly softLimit: number;
  /** Frees the block some time after `storage` was dropped. Only for resident blocks: the collector holds them. */
  watch(storage: Watched, block: Block): void;
}

/** The best collector that this environment has. */
export function createCollector(allowance: Allowance = LINEAR_MEMORY): Collector {
  return isNode() ? new GenerationalCollector(engineGC, allowance) : new FinalizingCollector(allowance);
}

/**
 * Frees when the event loop runs finalizers, which is some time after a collection. What storages take of linear memory
 * no engine sees: by the program's few small objects alone V8 would collect once in hundreds of steps of training, and
 * the heap would move out megabytes in each of them. So the engine is shown as much ordinary memory as it does not see.
 */
export class FinalizingCollector implements Collector {
  heap!: CollectedHeap;
  readonly softLimit = 64 * MB;
  readonly #finalizers = new FinalizationRegistry<Block | null>((block) => {
    if (block) this.heap.free(block);
    else this.#wake();
  });
  readonly #allowance: Allowance;
  #unseen = 0;
  #shown = false;

  constructor(allowance: Allowance = LINEAR_MEMORY) {
    this.#allowance = allowance;
  }

  /** Nothing can be found out inside a job. */
  prepare(): void {}

  watch(storage: Watched, block: Block): void {
    if (block.size <= this.#allowance.unwatched) return;
    block.place = 0;
    this.#finalizers.register(storage, block, block);
    this.#unseen += block.size;
    if (this.#unseen >= this.#allowance.unseen) this.#show();
  }

  forget(block: Block): void {
    if (block.place < 0) return;
    block.place = -1;
    this.#finalizers.unregister(block);
  }

  /** An array buffer that is never written takes addresses only, but engines count it when they decide to collect. */
  #show(): void {
    this.#unseen = 0;
    try {
      new ArrayBuffer(SHOWN_BYTES);
    } catch {
      // No addresses left: the heap will move blocks out.
    }
    if (!this.#shown) this.#finalizers.register({}, null);
    this.#shown = true;
  }

  /** There was a collection: what is left once its finalizers have run is in use. */
  #wake(): void {
    this.#shown = false;
    queueMicrotask(() => {
      this.heap.knownBytes = this.heap.residentBytes;
    });
  }

  /** Nothing can be found out inside a job. */
  collect(): void {}
  makeRoom(): boolean {
    return false;
  }
}

/**
 * Frees while allocating. A storage that is dropped soon, as nearly all are, is found by a look at the young ones after
 * one of V8's short collections; the few others wait for a full one.
 */
export class GenerationalCollector implements Collector {
  heap!: CollectedHeap;
  readonly softLimit = 128 * MB;
  readonly #findEngine: () => EngineGC | null;
  readonly #allowance: Allowance;
  #engine: EngineGC | null = null;
  /** Takes over where the engine's collector cannot be had: what came before is moved out by the heap some day. */
  #substitute: FinalizingCollector | null = null;
  readonly #young = new YoungGeneration();
  readonly #old = new OldGeneration();
  readonly #looks = new Pace();
  readonly #fulls = new Pace();
  /** Bytes of the old generation after the last full collection. */
  #oldBefore = 0;
  /** What was made since then, in MB: bytes would outgrow the integers that V8 has optimised this for. */
  #madeMB = 0;
  /** There was a full collection. */
  #settled = false;
  /** How many young ones the last look left: it shall not be repeated for every new one. */
  #youngLeft = 0;
  /** How many looks in a row have found hardly any of them held. */
  #emptied = 0;
  /** Nothing was made since the last look. */
  #looked = false;
  /** Calls after a full collection of V8's own, between jobs, so that an idle program gives its memory back too. */
  readonly #wake = new FinalizationRegistry<null>(() => {
    const engine = this.#engineFound();
    if (engine) this.#sweep(engine);
    this.#wake.register({}, null);
  });

  /** The engine is looked for when there is something to collect: a program that makes little shall start fast. */
  constructor(findEngine = engineGC, allowance: Allowance = LINEAR_MEMORY) {
    this.#findEngine = findEngine;
    this.#allowance = allowance;
    this.#wake.register({}, null);
  }

  prepare(bytes: number): void {
    const { size } = this.#young;
    if (size === 0 || this.#substitute) return;
    const after = this.#young.bytes + bytes;
    const { nursery, briskNursery, nurserySize, mostNursery } = this.#allowance;
    const isMany = size >= Math.max(nurserySize, 2 * this.#youngLeft) || after >= mostNursery;
    const share = bytes >= nursery ? LARGE_LOOK_SHARE : LOOK_SHARE;
    if (isMany || (after >= nursery && this.#looks.isDue(share))) this.#look(bytes);
    else if (after >= briskNursery && this.#emptied >= BRISK_LOOKS && this.#looks.age * BRISK_BYTES < after)
      this.#look(bytes);
  }

  watch(storage: Watched, block: Block): void {
    if (this.#substitute) {
      this.#substitute.watch(storage, block);
      return;
    }
    this.#young.add(storage, block);
    this.#madeMB += block.size / MB;
    this.#looked = false;
  }

  forget(block: Block): void {
    if (block.generation) block.generation.remove(block);
    else this.#substitute?.forget(block);
  }

  collect(): void {
    if (this.#young.bytes >= URGENT_BYTES) this.#look();
    if (this.#madeMB >= URGENT_BYTES / MB) this.#collectFully();
  }

  makeRoom(): boolean {
    if (this.#looked || this.#young.bytes < this.#allowance.nursery) return false;
    const before = this.#bytes;
    this.#look();
    return this.#bytes < before;
  }

  /** Frees the young dead, before `next` bytes are made; now and then the old too. */
  #look(next = 0): void {
    const engine = this.#engineFound();
    if (engine === null) return;
    const held =
      this.#bytes - this.#young.bytes + Math.max(this.#young.bytes * HARDLY_ANY, next * LAST_RESULTS);
    this.#looks.time(() => {
      engine.scavenge();
      this.#sweepYoung(engine);
    });
    this.#emptied = this.#bytes <= held ? this.#emptied + 1 : 0;
    this.#youngLeft = this.#young.size;
    this.#looked = true;
    const { old, made, firstMade } = this.#allowance;
    const growth = this.#old.bytes - this.#oldBefore;
    const enough = (this.#settled ? made : firstMade) / MB;
    if (growth >= Math.max(old, this.#oldBefore / 4) && this.#fulls.isDue(FULL_SHARE)) this.#collectFully();
    else if (this.#madeMB >= enough && this.#fulls.isDue(IDLE_FULL_SHARE)) this.#collectFully();
  }

  #engineFound(): EngineGC | null {
    if (this.#engine || this.#substitute) return this.#engine;
    this.#engine = this.#findEngine();
    if (this.#engine) return this.#engine;
    this.#substitute = new FinalizingCollector(this.#allowance);
    this.#substitute.heap = this.heap;
    return null;
  }

  #collectFully(): void {
    const engine = this.#engineFound();
    if (engine === null) return;
    this.#fulls.time(() => {
      engine.endKeeping();
      engine.collect();
      this.#sweep(engine);
    });
  }

  #sweep(engine: EngineGC): void {
    this.#sweepYoung(engine);
    this.#old.sweep(this.heap);
    // Reading a weak reference has kept its target again.
    engine.endKeeping();
    this.#oldBefore = this.#old.bytes;
    this.#madeMB = 0;
    this.#settled = true;
    this.heap.knownBytes = this.#bytes;
  }

  #sweepYoung(engine: EngineGC): void {
    for (const lifeline of this.#young.sweep(engine, this.heap, YOUNG_LOOKS)) this.#old.add(lifeline);
    this.heap.knownBytes = this.#bytes;
  }

  get #bytes(): number {
    return this.#young.bytes + this.#old.bytes;
  }
}

/** Keeps what is done now and then to a share of the time. */
class Pace {
  #end = 0;
  #took = 0;

  /** Milliseconds since it was done. */
  get age(): number {
    return performance.now() - this.#end;
  }

  isDue(share: number): boolean {
    return this.age >= this.#took / share;
  }

  time(body: () => void): void {
    const start = performance.now();
    body();
    this.#end = performance.now();
    this.#took = this.#end - start;
  }
}
