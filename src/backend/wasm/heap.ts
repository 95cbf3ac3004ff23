/**
 * The allocator over linear memory. Blocks are described by JavaScript objects (nothing is written between them), and
 * linear memory is a cache over collectable memory: past a soft limit the blocks that were not touched for longest are
 * copied out into ordinary array buffers, which the garbage collector frees if nobody holds their tensor any more.
 *
 * Why: a loop that drops tensors and never yields would grow without bound where the collector (collector.ts) learns of
 * dropped ones only between jobs. A resident block is known to the heap; an evicted one only to its storage, so that it
 * can be collected with it.
 */
import { DeviceError } from '../../core/errors.ts';

/** All blocks start and end on a cache line. */
const GRANULE = 64;
const PAGE = 65536;
/** Left unused at the end of memory: kernels may read (and ignore) up to a vector beyond their last element. */
const END_SLACK = 64;
/** Resident blocks beyond which the oldest are moved out: a million tiny ones would burden every garbage collection. */
const SOFT_BLOCKS = 4096;
/** Memory grows by at least this much, so that growth (and the new views it forces) stays rare. */
const MIN_GROWTH = 4 * 2 ** 20;

export interface LinearMemory {
  readonly memory: WebAssembly.Memory;
  /** A byte view of all linear memory as it is now. */
  bytes(): Uint8Array;
}

/** Who knows which blocks are still needed. */
export interface BlockOwner {
  /**
   * A storage of so many bytes is about to be made. A look that is due comes before, so that the block of what was
   * dropped last is free for it: with one result of 16 MB instead of two in turns caches serve more of them. And before
   * there is an object of it: by the second look that V8 sees it in, it would be old.
   */
  prepare(bytes: number): void;
  /** Frees, if it can, blocks that nobody needs: called at the soft limit, before anything is moved out. */
  collect(): void;
  /** The same before memory grows, if what was dropped is likely to be found. True if something was freed. */
  makeRoom(): boolean;
  /** The block is about to be moved out. */
  forget(block: Block): void;
}

/** A range of linear memory, used or free, or the copy of one that was moved out. */
export class Block {
  /** Address, or -1 while evicted. */
  pointer: number;
  size: number;
  used = false;
  /** Clock of the last op that touched it. */
  lastUse = 0;
  /** The contents while evicted. */
  copy: Uint8Array | null = null;
  freed = false;
  /** The collector's list that it is in, and its place there. */
  generation: { remove(block: Block): void } | null = null;
  place = -1;
  /** Where it is an old one: empty once its storage has died. */
  lifeline: WeakRef<object> | null = null;
  /** Found alive by the sweep that is going on. */
  reached = false;
  /** Reasons outside any op to leave it where it is; while there are some it is in no list of last use. */
  holds = 0;
  // Neighbours in memory, in a free list, in order of use.
  below: Block | null = null;
  above: Block | null = null;
  previous: Block | null = null;
  next: Block | null = null;

  constructor(pointer: number, size: number) {
    this.pointer = pointer;
    this.size = size;
  }
}

/** Four bins for every power of two: a block in bin i is at least as large as what bin i was asked for. */
function binOf(size: number): number {
  const units = size / GRANULE;
  const exponent = 31 - Math.clz32(units);
  const fraction = exponent >= 2 ? (units >>> (exponent - 2)) & 3 : 0;
  return exponent * 4 + fraction;
}

const BINS = 4 * 28;

export class Heap {
  readonly #linear: LinearMemory;
  readonly #bins: (Block | null)[] = new Array<Block | null>(BINS).fill(null);
  readonly #maxBytes: number;
  /** Ends of the list of resident blocks by last use. */
  #oldest: Block | null = null;
  #newest: Block | null = null;
  #last: Block | null = null;
  #end: number;
  #clock = 1;
  /** Bytes known to be in use: the collector found them alive, or they were needed again after they were moved out. */
  knownBytes = 0;
  /** Resident bytes, besides those, beyond which the oldest blocks are moved out. */
  softLimit: number;
  #softBlocks = SOFT_BLOCKS;
  readonly #owner: BlockOwner;

  residentBytes = 0;
  peakBytes = 0;
  residentBlocks = 0;
  evictions = 0;
  evictedBytes = 0;

  constructor(linear: LinearMemory, base: number, maxBytes: number, owner: BlockOwner, softLimit: number) {
    this.#linear = linear;
    this.#end = Math.ceil(base / GRANULE) * GRANULE;
    this.#maxBytes = maxBytes;
    this.#owner = owner;
    this.softLimit = softLimit;
  }

  get heapBytes(): number {
    return this.#end;
  }

  /** Starts an op: blocks touched from here on stay where they are until the next one. */
  tick(): void {
    this.#clock++;
  }

  /** The block of a storage, whose object is to be made after it. @throws DeviceError */
  allocateForStorage(byteLength: number): Block {
    const size = this.#sizeOf(byteLength);
    this.#owner.prepare(size);
    return this.allocate(size);
  }

  /** Nothing needs to be looked for or moved out for what can never fit. */
  #sizeOf(byteLength: number): number {
    const size = Math.max(GRANULE, Math.ceil(byteLength / GRANULE) * GRANULE);
    if (size > this.#maxBytes) throw this.#outOfMemory(size);
    return size;
  }

  allocate(byteLength: number): Block {
    const size = this.#sizeOf(byteLength);
    if (this.#excess(size) > 0) {
      this.#owner.collect();
      this.#evict(this.#excess(size));
    } else if (this.residentBlocks >= this.#softBlocks) this.#evict(1);
    const free = this.#takeFree(size) ?? (this.#owner.makeRoom() ? this.#takeFree(size) : null);
    const block = free ?? this.#grow(size);
    block.used = true;
    block.lastUse = this.#clock;
    this.#appendNewest(block);
    this.residentBytes += block.size;
    this.residentBlocks++;
    if (this.residentBytes > this.peakBytes) this.peakBytes = this.residentBytes;
    return block;
  }

  /** How far `size` more bytes would be beyond the limit. */
  #excess(size: number): number {
    return this.residentBytes + size - Math.min(this.softLimit + this.knownBytes, this.#maxBytes);
  }

  /** Gives a block back, resident or evicted. */
  free(block: Block): void {
    if (block.freed) return;
    block.freed = true;
    if (block.copy !== null) {
      block.copy = null;
      return;
    }
    if (block.holds === 0) this.#vacate(block);
  }

  /** Whether the op that is running, or somebody outside, may use the block's address. */
  isPinned(block: Block): boolean {
    return block.lastUse === this.#clock || block.holds > 0;
  }

  /** Leaves a resident block at its address until as many calls of `letGo`: others than ops read or write it. */
  hold(block: Block): void {
    if (block.holds++ === 0) this.#unlinkUse(block);
  }

  letGo(block: Block): void {
    if (--block.holds > 0) return;
    this.#appendNewest(block);
    if (block.freed) this.#vacate(block);
  }

  /** The address of a block that an op is about to use. The block must be resident. */
  touch(block: Block): number {
    if (block.lastUse !== this.#clock) {
      block.lastUse = this.#clock;
      if (block !== this.#newest && block.holds === 0) {
        this.#unlinkUse(block);
        this.#appendNewest(block);
      }
    }
    return block.pointer;
  }

  /** Brings an evicted block back. The fault shows that the program works with more than the limit: it rises. */
  restore(block: Block): void {
    const copy = block.copy;
    if (copy === null) return;
    this.knownBytes += block.size;
    this.#softBlocks++;
    let home: Block;
    try {
      home = this.allocate(block.size);
    } catch (error) {
      this.knownBytes -= block.size;
      this.#softBlocks--;
      throw error;
    }
    this.#linear.bytes().set(copy, home.pointer);
    this.#adopt(block, home);
    block.copy = null;
  }

  /** `block` takes the place of the fresh block `home` in all lists. */
  #adopt(block: Block, home: Block): void {
    block.pointer = home.pointer;
    block.size = home.size;
    block.used = true;
    block.lastUse = home.lastUse;
    block.below = home.below;
    block.above = home.above;
    if (home.below) home.below.above = block;
    if (home.above) home.above.below = block;
    if (this.#last === home) this.#last = block;
    this.#unlinkUse(home);
    this.#appendNewest(block);
  }

  /** Moves the oldest blocks out until `bytes` are gained or only blocks of the current op are left. */
  #evict(bytes: number): number {
    let gained = 0;
    while (gained < bytes) {
      const block = this.#oldest;
      if (block === null || block.lastUse === this.#clock) break;
      let copy: Uint8Array;
      try {
        copy = this.#linear.bytes().slice(block.pointer, block.pointer + block.size);
      } catch {
        break; // The engine has no room for it either.
      }
      gained += block.size;
      this.evictions++;
      this.evictedBytes += block.size;
      this.#owner.forget(block);
      this.#vacate(block);
      block.copy = copy;
      block.pointer = -1;
      block.size = copy.byteLength;
    }
    return gained;
  }

  /** Turns the range of a resident block into free memory, merged with free neighbours. */
  #vacate(block: Block): void {
    this.residentBytes -= block.size;
    this.residentBlocks--;
    this.#unlinkUse(block);
    // The range gets a block object of its own: `block` may live on as an evicted one.
    const range = new Block(block.pointer, block.size);
    range.below = block.below;
    range.above = block.above;
    if (range.below) range.below.above = range;
    if (range.above) range.above.below = range;
    if (this.#last === block) this.#last = range;
    block.below = null;
    block.above = null;
    block.used = false;
    const { below, above } = range;
    if (above && !above.used) {
      this.#unlinkBin(above);
      this.#absorb(range, above);
    }
    if (below && !below.used) {
      this.#unlinkBin(below);
      this.#absorb(below, range);
      this.#linkBin(below);
    } else this.#linkBin(range);
  }

  /** `lower` swallows its upper neighbour. */
  #absorb(lower: Block, upper: Block): void {
    lower.size += upper.size;
    lower.above = upper.above;
    if (upper.above) upper.above.below = lower;
    if (this.#last === upper) this.#last = lower;
  }

  #takeFree(size: number): Block | null {
    // The first bin may hold blocks that are too small; all later ones fit.
    for (let bin = binOf(size); bin < BINS; bin++) {
      for (let block = this.#bins[bin]; block !== null; block = block.next) {
        if (block.size < size) continue;
        this.#unlinkBin(block);
        this.#trim(block, size);
        return block;
      }
    }
    return null;
  }

  /** Cuts off what a block has too much. */
  #trim(block: Block, size: number): void {
    const rest = block.size - size;
    if (rest < GRANULE) return;
    const tail = new Block(block.pointer + size, rest);
    tail.below = block;
    tail.above = block.above;
    if (block.above) block.above.below = tail;
    if (this.#last === block) this.#last = tail;
    block.above = tail;
    block.size = size;
    this.#linkBin(tail);
  }

  #grow(size: number): Block {
    const last = this.#last !== null && !this.#last.used ? this.#last : null;
    const missing = size - (last?.size ?? 0);
    if (!this.#growMemory(missing)) {
      this.#owner.collect();
      let block = this.#takeFree(size);
      if (block !== null) return block;
      this.#evict(Number.POSITIVE_INFINITY);
      block = this.#takeFree(size);
      if (block !== null) return block;
      throw this.#outOfMemory(size);
    }
    const start = this.#end;
    this.#end = Math.min(this.#linear.memory.buffer.byteLength - END_SLACK, this.#maxBytes);
    const fresh = new Block(start, this.#end - start);
    fresh.below = this.#last;
    if (this.#last) this.#last.above = fresh;
    this.#last = fresh;
    if (last) {
      this.#unlinkBin(last);
      this.#absorb(last, fresh);
      this.#trim(last, size);
      return last;
    }
    this.#trim(fresh, size);
    return fresh;
  }

  #outOfMemory(size: number): DeviceError {
    return new DeviceError(
      `out of memory: ${size} bytes were asked for, ${this.residentBytes} bytes are in use by this operation, ` +
        `and linear memory may not grow beyond ${this.#maxBytes} bytes`,
    );
  }

  /** Makes room for `missing` more bytes at the end of the heap. */
  #growMemory(missing: number): boolean {
    const { memory } = this.#linear;
    const have = memory.buffer.byteLength - END_SLACK - this.#end;
    if (have >= missing) return true;
    if (this.#end + missing + END_SLACK > this.#maxBytes) return false;
    const wanted = Math.max(missing - have, Math.min(MIN_GROWTH, this.#maxBytes - memory.buffer.byteLength));
    for (const bytes of [wanted, missing - have]) {
      try {
        memory.grow(Math.ceil(bytes / PAGE));
        return true;
      } catch {
        // Refused by the engine: try the exact amount, then make room by eviction.
      }
    }
    return false;
  }

  #linkBin(block: Block): void {
    const bin = binOf(block.size);
    block.previous = null;
    block.next = this.#bins[bin];
    if (block.next) block.next.previous = block;
    this.#bins[bin] = block;
  }

  #unlinkBin(block: Block): void {
    if (block.previous) block.previous.next = block.next;
    else this.#bins[binOf(block.size)] = block.next;
    if (block.next) block.next.previous = block.previous;
    block.previous = null;
    block.next = null;
  }

  #appendNewest(block: Block): void {
    block.previous = this.#newest;
    block.next = null;
    if (this.#newest) this.#newest.next = block;
    else this.#oldest = block;
    this.#newest = block;
  }

  #unlinkUse(block: Block): void {
    if (block.previous) block.previous.next = block.next;
    else this.#oldest = block.next;
    if (block.next) block.next.previous = block.previous;
    else this.#newest = block.previous;
    block.previous = null;
    block.next = null;
  }
}
