/**
 * GPU buffers by size class. What tensors give back is kept, up to a bound, and handed out again: making a buffer costs
 * more than most kernels. Dropped tensors are found as in linear memory (wasm/collector.ts).
 */
import { DeviceError } from '../../core/errors.ts';
import { type Collector, createCollector } from '../wasm/collector.ts';
import { isNode } from '../wasm/engineGC.ts';
import type { Watched } from '../wasm/generations.ts';
import { Block } from '../wasm/heap.ts';
import type { Failures } from './failures.ts';
import { BufferUsage } from './flags.ts';

const MB = 2 ** 20;
/** Kernels may read and write vectors of four words, so sizes are multiples of that. */
const GRANULE = 256;
/**
 * Dropped bytes that may wait to be found, and free ones kept for later: half of the largest binding, which is the one hint
 * that a device gives of its memory, between these. Large tensors come at terabytes a second: each look for dropped ones
 * must find many.
 */
const LEAST_SPARE_BYTES = 128 * MB;
const MOST_SPARE_BYTES = 1024 * MB;
/** Small ones that may wait: making a buffer costs as much as looking through dozens of dropped ones. */
const NURSERY_SIZE = 256;
/** Beyond so many times the spare bytes, and at every further half of that, dropped tensors are looked for with vigour. */
const SOFT_LIMIT = 4;

/**
 * A program that had so many bytes in use will want them again at its next step: free buffers are kept for so long beyond
 * the bound, in milliseconds. In pages, where nothing is found dropped inside a job, each job would make its buffers anew.
 */
const KEPT_FOR = 2000;

/**
 * Once memory was out, free buffers are given up before new ones are made, so that all together, with what is copied to be read,
 * stay below this part of what there was then.
 */
const CEILING_PART = 3 / 4;

/** What a kernel binds of a buffer. */
export interface Bound {
  readonly block: PooledBuffer;
  readonly fromByte: number;
  readonly bytes: number;
}

/** A bind group, by a hash of what is in it. */
export interface KeptGroup {
  readonly kind: number;
  readonly bound: readonly Bound[];
  readonly group: GPUBindGroup;
}

/** A buffer and the last batch of commands that mentions it. */
export class PooledBuffer extends Block implements Bound {
  readonly buffer: GPUBuffer;
  readonly id: number;
  lastBatch = 0;
  /** The device could not make it: nobody shall have it again. */
  broken = false;
  /** The bind groups that have it last: see commands.ts. */
  readonly groups = new Map<number, KeptGroup>();
  readonly fromByte = 0;
  /** All of it, or as much as can be bound. */
  readonly bytes: number;

  constructor(buffer: GPUBuffer, size: number, mostBound: number, id: number) {
    super(-1, size);
    this.buffer = buffer;
    this.bytes = Math.min(size, mostBound);
    this.id = id;
  }

  get block(): PooledBuffer {
    return this;
  }
}

/** Free buffers of one size, the next to be handed out last. */
interface FreeList {
  readonly blocks: PooledBuffer[];
  /** By the pool's clock. */
  lastUse: number;
}

/** Four classes for every power of two. */
export function sizeClass(bytes: number): number {
  const units = Math.max(1, Math.ceil(bytes / GRANULE));
  const exponent = Math.floor(Math.log2(units));
  const step = Math.max(1, 2 ** (exponent - 2));
  return Math.ceil(units / step) * step * GRANULE;
}

export class BufferPool {
  readonly #device: GPUDevice;
  readonly #failures: Failures;
  readonly #collector: Collector;
  readonly #largest: number;
  /** The most bytes that a kernel can bind: of larger tensors it is given parts. */
  readonly mostBound: number;
  /** How many bytes may be dropped before they are looked for. */
  readonly spareBytes: number;
  /** What was dropped is found in the middle of a job, too. */
  readonly findsInJobs: boolean = isNode();
  readonly #free = new Map<number, FreeList>();
  /** Counts the buffers that were asked for. */
  #clock = 0;
  /** Found dropped while an op was running: free once that op is over. */
  #limbo: PooledBuffer[] = [];
  /** To be destroyed when the commands that mention them have been submitted. */
  #doomed: PooledBuffer[] = [];
  #made = 0;
  #nextLook: number;
  /** The most that was in use in the last period, and in this one. */
  #wanted = 0;
  #peak = 0;
  #trimming = false;
  #ceiling = Number.POSITIVE_INFINITY;
  /** No command on its way mentions a buffer. */
  isIdle: () => boolean = () => false;
  /** Results whose buffers can be had back, until `keep` lets go of them. */
  unread: { takeBack(sizeClass: number): void; keep(): void } | null = null;
  bytesInUse = 0;
  peakBytes = 0;
  freeBytes = 0;
  inUse = 0;

  constructor(device: GPUDevice, failures: Failures) {
    this.#device = device;
    this.#failures = failures;
    const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
    this.#largest = Math.floor(maxBufferSize / 16) * 16;
    this.mostBound = Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize) / 16) * 16;
    const spare = Math.min(MOST_SPARE_BYTES, Math.max(LEAST_SPARE_BYTES, this.mostBound / 2));
    this.spareBytes = spare;
    this.#nextLook = SOFT_LIMIT * spare;
    this.#collector = createCollector({
      nursery: spare / 8,
      briskNursery: spare / 8,
      nurserySize: NURSERY_SIZE,
      mostNursery: spare,
      old: spare,
      made: 32 * spare,
      firstMade: 32 * spare,
      unseen: spare / 8,
      unwatched: 0,
    });
    const pool = this;
    this.#collector.heap = {
      free: (block) => {
        // The job's end is between two ops too: nobody may call another.
        if (this.#limbo.push(block as PooledBuffer) === 1) queueMicrotask(() => this.settle());
      },
      isPinned: () => false,
      knownBytes: 0,
      get residentBytes() {
        return pool.bytesInUse;
      },
    };
  }

  /** @throws DeviceError beyond the device's limit */
  check(bytes: number): void {
    if (bytes <= this.#largest) return;
    throw new DeviceError(
      `webgpu: a tensor of ${bytes} bytes is larger than a buffer of this device can be, ${this.#largest} bytes; split it, or use the device cpu`,
    );
  }

  /** A buffer of at least so many bytes, with whatever was in it. */
  take(bytes: number): PooledBuffer {
    const size = sizeClass(bytes);
    this.#collector.prepare(size);
    if (this.bytesInUse > this.#nextLook) {
      this.unread?.keep();
      this.#collector.collect();
      this.settle();
      const limit = SOFT_LIMIT * this.spareBytes;
      this.#nextLook = Math.max(limit, this.bytesInUse + limit / 2);
    }
    // Before those that are free: what is in use shall not become more than a look for dropped tensors would leave.
    this.unread?.takeBack(size);
    const list = this.#free.get(size);
    const found = list?.blocks.pop();
    if (list) list.lastUse = ++this.#clock;
    if (found) this.freeBytes -= found.size;
    const block = found ?? this.#make(Math.min(size, this.#largest));
    block.freed = false;
    this.inUse++;
    this.bytesInUse += block.size;
    this.peakBytes = Math.max(this.peakBytes, this.bytesInUse);
    this.#peak = Math.max(this.#peak, this.bytesInUse);
    return block;
  }

  #make(size: number): PooledBuffer {
    const usage = BufferUsage.STORAGE | BufferUsage.COPY_SRC | BufferUsage.COPY_DST;
    this.#giveUp(this.#ceiling - this.bytesInUse - size);
    let block: PooledBuffer | null = null;
    const failed = () => {
      if (block) block.broken = true;
      const others = this.bytesInUse + this.freeBytes - size;
      // One that is larger than all others says little of how many there may be.
      if (others > size) this.#ceiling = Math.min(this.#ceiling, CEILING_PART * others);
      this.#giveUp(0);
    };
    const buffer = this.#failures.guard(
      () => this.#device.createBuffer({ size, usage }),
      this.#failures.batch,
      failed,
    );
    block = new PooledBuffer(buffer, size, this.mostBound, this.#made++);
    return block;
  }

  /** No more free bytes than that are kept for later. */
  #giveUp(most: number): void {
    if (this.freeBytes <= Math.max(most, 0)) return;
    while (this.freeBytes > Math.max(most, 0)) this.#evict();
    if (this.isIdle()) this.submitted();
  }

  give(block: PooledBuffer): void {
    if (block.freed) return;
    block.freed = true;
    this.inUse--;
    this.bytesInUse -= block.size;
    if (block.broken) {
      this.#doomed.push(block);
      return;
    }
    this.freeBytes += block.size;
    const size = sizeClass(block.size);
    const list = this.#free.get(size);
    if (list) list.blocks.push(block);
    else this.#free.set(size, { blocks: [block], lastUse: ++this.#clock });
    this.#trim();
  }

  /** Free buffers stay within what was in use lately, in all, or within the bound. */
  #trim(): void {
    const bound = Math.max(2 * this.spareBytes, this.bytesInUse / 4);
    const lately = Math.max(this.#wanted, this.#peak) - this.bytesInUse;
    while (this.freeBytes > Math.max(bound, lately)) this.#evict();
    if (this.freeBytes <= bound || this.#trimming) return;
    this.#trimming = true;
    const timer: unknown = setTimeout(() => {
      this.#trimming = false;
      this.#wanted = this.#peak;
      this.#peak = this.bytesInUse;
      this.#trim();
      if (this.isIdle()) this.submitted();
    }, KEPT_FOR);
    // Node shall not stay awake for it.
    (timer as { unref?(): void }).unref?.();
  }

  /** Gives up a free buffer of the size that was not asked for for longest. */
  #evict(): void {
    let oldest: FreeList | null = null;
    for (const list of this.#free.values())
      if (list.blocks.length > 0 && (oldest === null || list.lastUse < oldest.lastUse)) oldest = list;
    const block = oldest?.blocks.shift() as PooledBuffer;
    this.freeBytes -= block.size;
    this.#doomed.push(block);
  }

  watch(storage: Watched, block: PooledBuffer): void {
    this.#collector.watch(storage, block);
  }
  unwatch(block: PooledBuffer): void {
    this.#collector.forget(block);
  }

  /**
   * Between two ops: what was found dropped becomes free. It is handed out in the order in which it was made, so that the
   * steps of a loop meet the buffers, and their bind groups, of earlier ones.
   */
  settle(): void {
    if (this.#limbo.length === 0) return;
    const found = this.#limbo;
    this.#limbo = [];
    for (const block of found) this.give(block);
    for (const size of new Set(found.map((block) => sizeClass(block.size))))
      this.#free.get(size)?.blocks.sort((a, b) => b.id - a.id);
  }

  /** After a submission. */
  submitted(): void {
    for (const block of this.#doomed) block.buffer.destroy();
    this.#doomed = [];
  }
}
