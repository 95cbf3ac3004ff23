/**
 * Finds the storages that nobody holds any more, and gives their blocks back.
 *
 * The language offers two ways, and neither works inside a synchronous job: a `FinalizationRegistry` calls back after
 * it, and the target of every `WeakRef` that the job makes or reads is kept alive until its end. But in Node a job can
 * end its own keeping: a script run in a context with a microtask queue of its own performs a checkpoint, and there V8
 * empties its list of kept objects. So Node sweeps weak references while the job runs; elsewhere finalizers come after it,
 * and until then the heap moves blocks out.
 *
 * A limit: V8 has one such list. A program in Node that reads a `WeakRef` of its own twice in a job, with an operation
 * in between and nothing else holding the target, may find it gone the second time.
 */
import type { Block, BlockOwner } from './heap.ts';

const MB = 2 ** 20;
/**
 * Storages up to this size are not watched: the heap bounds the number of resident blocks anyhow, moving one out costs
 * 0.2 µs, and watching one more than that, at once and in every garbage collection.
 */
const UNWATCHED_BYTES = 1024;
/** Bytes of new storages after which to look whether V8 has collected, and to empty its list: 3 µs. */
const LOOK_BYTES = 4 * MB;
/**
 * Growth is reported this many times over: V8 starts to mark at about 64 MB, and as much again may be dropped until it is
 * done. Less garbage also stays in the caches; what a collection costs (2 ms) is worth it.
 */
const EAGERNESS = 1.4;
/**
 * Growth is reported to V8 in pieces of this size. Less would not hurry it, and glibc maps only what is larger than 32 MB
 * by itself: smaller pieces would come from a heap that they tear apart (6 MB more in 40 epochs of the tutorial). More than
 * V8 waits for would tell it nothing new.
 */
const MIN_REPORT = 24 * MB;
const MAX_REPORT = 64 * MB;
/** To hurry V8, small reports in bursts follow a large one: each makes it mark a little. A look ends every burst. */
const BURSTS = 64;
const REPORTS_PER_BURST = 16;
const SMALL_REPORT = 64 * 1024;
/** Bytes of new storages that are worth hurrying V8: it costs 1 … 5 ms. */
const HURRY_BYTES = 16 * MB;
/** Looks between two sweeps, before new canaries are needed. */
const CANARIES = 2 * BURSTS;

/** What the collector needs of the heap. */
export interface CollectedHeap {
  free(block: Block): void;
  /** Whether the op that is running may still use the block's address. */
  isPinned(block: Block): boolean;
  /** Bytes that a sweep found in use, which the soft limit shall not count. */
  knownBytes: number;
}

export interface Collector extends BlockOwner {
  heap: CollectedHeap;
  /** Soft limit that suits it: see heap.ts. */
  readonly softLimit: number;
  /** Frees the block some time after `storage` was dropped. Only for resident blocks: the collector holds them. */
  watch(storage: object, block: Block): void;
}

/** The best collector that this environment has. */
export function createCollector(): Collector {
  return canEndKeeping() ? new SweepingCollector() : new FinalizingCollector();
}

/** True in Node itself: other runtimes imitate its modules, but not their effect on V8. */
export function canEndKeeping(): boolean {
  if (typeof process !== 'object' || typeof process.getBuiltinModule !== 'function') return false;
  const { node, v8, bun, deno } = process.versions;
  return !!node && !!v8 && !bun && !deno && (process as { type?: string }).type !== 'renderer';
}

/** Frees when the event loop runs finalizers. */
export class FinalizingCollector implements Collector {
  heap!: CollectedHeap;
  readonly softLimit = 64 * MB;
  readonly #finalizers = new FinalizationRegistry<Block>((block) => this.heap.free(block));

  watch(storage: object, block: Block): void {
    if (block.size <= UNWATCHED_BYTES) return;
    block.place = 0;
    this.#finalizers.register(storage, block, block);
  }

  forget(block: Block): void {
    if (block.place < 0) return;
    block.place = -1;
    this.#finalizers.unregister(block);
  }

  /** Nothing can be found out inside a job. */
  collect(): void {}
  makeRoom(): boolean {
    return false;
  }
}

/** A function that empties V8's list of the weak targets that the current job has seen. */
function keptObjectsClearer(): () => void {
  const vm = process.getBuiltinModule('node:vm');
  const context = vm.createContext({}, { microtaskMode: 'afterEvaluate' });
  const script = new vm.Script('0');
  return () => script.runInContext(context);
}

/** Frees while allocating: whenever V8 has collected, the references to dropped storages are empty. */
export class SweepingCollector implements Collector {
  heap!: CollectedHeap;
  readonly softLimit = 128 * MB;
  readonly #clearKeptObjects = keptObjectsClearer();
  readonly #newBallast = process.getBuiltinModule('node:buffer').Buffer.allocUnsafeSlow;
  // Two lists in step; a block knows its place in them.
  readonly #references: WeakRef<object>[] = [];
  readonly #blocks: Block[] = [];
  #watchedBytes = 0;
  /** Of these, what V8 has been told of. */
  #reportedBytes = 0;
  /** What the last sweep left, and whether it was less than half of what had come since the one before. */
  #sweptBytes = 0;
  #dropping = false;
  /** Bytes of storages made since the last look, and between the last sweep or hurry and that look. */
  #sinceLook = 0;
  #sinceHurry = 0;
  /**
   * Untouched memory (so none is resident) as large as what was added since the last sweep: V8 does not see linear
   * memory, and would not collect on its account.
   */
  #ballast: Uint8Array[] = [];
  /**
   * References that a collection empties. Reading one while V8 marks keeps its target alive until the next collection,
   * so each is read only once.
   */
  #canaries: WeakRef<object>[] = [];
  /** Calls after a collection, between jobs, so that an idle program gives its memory back too. */
  readonly #wake = new FinalizationRegistry<WeakRef<object>[]>((canaries) => {
    // Of canaries that a sweep has replaced since, nothing is to be learnt.
    if (canaries !== this.#canaries) return;
    this.#sweep();
    this.#breed();
  });

  watch(storage: object, block: Block): void {
    if (block.size <= UNWATCHED_BYTES) return;
    block.place = this.#blocks.length;
    this.#blocks.push(block);
    this.#references.push(new WeakRef(storage));
    this.#watchedBytes += block.size;
    this.#sinceLook += block.size;
    if (this.#sinceLook < LOOK_BYTES) return;
    const growth = this.#watchedBytes - this.#reportedBytes;
    if (growth >= MIN_REPORT) {
      this.#ballast.push(this.#newBallast(Math.min(EAGERNESS * growth, MAX_REPORT)));
      this.#reportedBytes = this.#watchedBytes;
    }
    this.#look();
  }

  forget(block: Block): void {
    const at = block.place;
    if (at < 0) return;
    const lastBlock = this.#blocks.pop() as Block;
    const lastReference = this.#references.pop() as WeakRef<object>;
    if (lastBlock !== block) {
      this.#blocks[at] = lastBlock;
      this.#references[at] = lastReference;
      lastBlock.place = at;
    }
    block.place = -1;
    this.#watchedBytes -= block.size;
  }

  /** Hurries V8 to collect, if enough was made since it did. */
  collect(): void {
    if (this.#sinceHurry + this.#sinceLook < HURRY_BYTES) return;
    const reports = [this.#newBallast(MAX_REPORT)];
    for (let burst = 0; burst < BURSTS; burst++) {
      for (let i = 0; i < REPORTS_PER_BURST; i++) reports.push(this.#newBallast(SMALL_REPORT));
      if (this.#look()) break;
    }
    this.#sinceHurry = 0;
  }

  /**
   * One collection in thirty is late by half. A program that drops most of what it makes shall not keep the memory which
   * that would take for good: it is hurried instead.
   */
  makeRoom(): boolean {
    const before = this.#watchedBytes;
    if (!this.#dropping || before - this.#sweptBytes < HURRY_BYTES) return false;
    this.collect();
    return this.#watchedBytes < before;
  }

  /** Sweeps if V8 has collected since the last sweep. */
  #look(): boolean {
    const canary = this.#canaries.pop();
    const collected = canary !== undefined && canary.deref() === undefined;
    if (collected) this.#sweep();
    if (collected || canary === undefined) this.#breed();
    this.#clearKeptObjects();
    this.#sinceHurry += this.#sinceLook;
    this.#sinceLook = 0;
    return collected;
  }

  /** New canaries. One tells the registry too, which else would keep the old ones until the job ends. */
  #breed(): void {
    this.#wake.unregister(this.#canaries);
    this.#canaries = Array.from({ length: CANARIES }, () => new WeakRef({}));
    const canary = {};
    this.#canaries.push(new WeakRef(canary));
    this.#wake.register(canary, this.#canaries, this.#canaries);
  }

  #sweep(): void {
    const { heap } = this;
    const made = this.#watchedBytes - this.#sweptBytes;
    const before = this.#watchedBytes;
    for (let at = this.#blocks.length - 1; at >= 0; at--) {
      if (this.#references[at].deref() !== undefined) continue;
      const block = this.#blocks[at];
      // An op may have taken the address of a storage that nobody mentions afterwards.
      if (heap.isPinned(block)) continue;
      this.forget(block);
      heap.free(block);
    }
    this.#ballast = [];
    this.#reportedBytes = this.#watchedBytes;
    this.#sweptBytes = this.#watchedBytes;
    this.#dropping = 2 * (before - this.#watchedBytes) > made;
    this.#sinceHurry = 0;
    heap.knownBytes = this.#watchedBytes;
  }
}
