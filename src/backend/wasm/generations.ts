/** The storages that a collector watches, young and old: which of them are held by nobody any more. */
import { type EngineGC, INSPECT } from './engineGC.ts';
import type { Block } from './heap.ts';

/** What has a block to be found. */
export interface Watched {
  /** An object that nothing else holds, so that it dies with this one. */
  lifeline: object | null;
}

/** What is needed of the heap. */
export interface CollectedHeap {
  free(block: Block): void;
  /** Whether the op that is running may still use the block's address. */
  isPinned(block: Block): boolean;
  /** Bytes in use, dropped storages that were not found yet among them. */
  readonly residentBytes: number;
  /** Bytes that a sweep found in use, which the soft limit shall not count. */
  knownBytes: number;
}

/** Dies with its storage. A visit of the set that it is in reports it alive. */
class Lifeline {
  readonly block: Block;
  readonly #alive: Lifeline[];
  /** Sweeps survived. */
  age = 0;

  constructor(block: Block, alive: Lifeline[]) {
    this.block = block;
    this.#alive = alive;
  }

  [INSPECT](): string {
    this.block.reached = true;
    this.#alive.push(this);
    return '';
  }
}

/**
 * Blocks, each of which knows its place, so that it can leave at once. One class for young and old ones: what V8 has
 * optimised for the first would be taken back when the first of the others leaves.
 */
class BlockList {
  readonly blocks: Block[] = [];
  bytes = 0;

  enter(block: Block): void {
    block.place = this.blocks.length;
    block.generation = this;
    this.blocks.push(block);
    this.bytes += block.size;
  }

  remove(block: Block): void {
    const last = this.blocks.pop() as Block;
    if (last !== block) {
      this.blocks[block.place] = last;
      last.place = block.place;
    }
    block.generation = null;
    block.lifeline = null;
    this.bytes -= block.size;
  }

  /** An op may have taken the address of a storage that nobody mentions afterwards: it is left for the next sweep. */
  free(block: Block, heap: CollectedHeap): void {
    if (heap.isPinned(block)) return;
    this.remove(block);
    heap.free(block);
  }
}

abstract class Generation {
  protected readonly list = new BlockList();

  get size(): number {
    return this.list.blocks.length;
  }
  get bytes(): number {
    return this.list.bytes;
  }
}

/**
 * Storages made lately. Nothing is known of them but a weak set, whose dead members V8 drops in its short collections
 * too. (A `WeakRef` is emptied by full ones only.)
 */
export class YoungGeneration extends Generation {
  #members = new WeakSet<Lifeline>();
  readonly #alive: Lifeline[] = [];

  add(storage: Watched, block: Block): void {
    const lifeline = new Lifeline(block, this.#alive);
    storage.lifeline = lifeline;
    this.#members.add(lifeline);
    this.list.enter(block);
  }

  /**
   * Frees what is dead and not pinned. Of the others those that have survived `ages` sweeps leave, and are returned: V8
   * keeps by then what its short collections have seen twice to the full ones.
   */
  sweep(engine: EngineGC, heap: CollectedHeap, ages: number): Lifeline[] {
    const alive = this.#alive;
    const { list } = this;
    engine.visit(this.#members);
    for (let at = list.blocks.length - 1; at >= 0; at--) {
      const block = list.blocks[at];
      if (block.reached) block.reached = false;
      else list.free(block, heap);
    }
    this.#members = new WeakSet();
    const grown: Lifeline[] = [];
    for (const lifeline of alive) {
      if (lifeline.block.generation !== list) continue;
      if (++lifeline.age < ages) this.#members.add(lifeline);
      else {
        list.remove(lifeline.block);
        grown.push(lifeline);
      }
    }
    alive.length = 0;
    return grown;
  }
}

/** Storages that have been held for a while. */
export class OldGeneration extends Generation {
  add(lifeline: Lifeline): void {
    this.list.enter(lifeline.block);
    lifeline.block.lifeline = new WeakRef(lifeline);
  }

  /** Frees what is dead and not pinned. */
  sweep(heap: CollectedHeap): void {
    const { list } = this;
    for (let at = list.blocks.length - 1; at >= 0; at--) {
      if (list.blocks[at].lifeline?.deref() === undefined) list.free(list.blocks[at], heap);
    }
  }
}
