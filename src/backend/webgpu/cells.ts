/**
 * What a storage holds: one buffer, and its contents until they change. Results that are not computed yet read cells, not
 * storages: where such a result holds a cell, the storage that wants to change goes on in another one. A cell may also stand
 * for a range of another one that is too large to be bound as a whole.
 */
import type { Bound, BufferPool, PooledBuffer } from './buffers.ts';

/** Where a range of a cell may begin, in bytes: what devices ask of bindings. */
export const PART_STEP = 256;

/** Contents so far. */
let known = 0;

export class Cell {
  readonly block: PooledBuffer;
  /** What was asked for; the buffer may be larger. */
  readonly bytes: number;
  /** What kernels bind. */
  readonly bound: Bound;
  readonly #whole: Cell | null;
  readonly #pool: BufferPool;
  /** Dies with the cell: see the collector. */
  lifeline: object | null = null;
  #batch = 0;
  #contents = ++known;
  /** What is in it was written before in this job. */
  repeated = false;
  /** Results to come that read it, and storages that have it. Those that the garbage collector found are still counted. */
  #holds = 0;
  #owners = 1;

  /**
   * In a buffer that was taken before (the pool may have looked for dropped cells, which makes those that exist older),
   * or in a part of another cell, which begins at a multiple of PART_STEP.
   */
  constructor(
    pool: BufferPool,
    bytes: number,
    place: PooledBuffer | { readonly whole: Cell; readonly fromByte: number },
  ) {
    this.#pool = pool;
    this.bytes = bytes;
    if ('whole' in place) {
      const { whole } = place;
      this.#whole = whole;
      this.block = whole.block;
      const fromByte = whole.bound.fromByte + place.fromByte;
      // Kernels may see vectors of four words.
      const most = Math.min(Math.ceil(bytes / 16) * 16, this.block.size - fromByte);
      this.bound = { block: this.block, fromByte, bytes: most };
      return;
    }
    this.#whole = null;
    this.block = place;
    this.bound = place;
    pool.watch(this, place);
  }

  /** The range of so many bytes from a multiple of PART_STEP on. */
  part(fromByte: number, bytes: number): Cell {
    return new Cell(this.#pool, bytes, { whole: this, fromByte });
  }

  /** The number of the batch that wrote last, so that a failed batch poisons what it should have written. */
  get batch(): number {
    return this.#whole ? this.#whole.batch : this.#batch;
  }

  /** A batch writes to it: something new, or what is known by that number. */
  write(batch: number, contents: number | null = null): void {
    if (this.#whole) {
      this.#whole.write(batch);
      return;
    }
    this.#batch = batch;
    this.#contents = contents ?? ++known;
    this.repeated = contents !== null;
  }

  /** A number for what is in it; null for a range of another one. */
  get contents(): number | null {
    return this.#whole ? null : this.#contents;
  }

  /** Somebody else may still want what is in it than the storage that has it. */
  get held(): boolean {
    return this.#holds > 0 || this.#owners > 1;
  }

  /** It has its buffer. */
  get alive(): boolean {
    return this.#owners > 0 || this.#holds > 0;
  }

  /** Nobody but one result to come reads it. */
  get last(): boolean {
    return this.#owners === 0 && this.#holds === 1 && this.#whole === null;
  }

  hold(): void {
    this.#holds++;
    this.#whole?.hold();
  }

  letGo(): void {
    this.#holds--;
    this.#whole?.letGo();
    this.#giveBack();
  }

  /** One more storage has it. */
  own(): void {
    this.#owners++;
  }

  /** A storage is done with it. */
  disown(): void {
    this.#owners--;
    this.#giveBack();
  }

  /** A storage takes over what the last result to come read. */
  adopt(): void {
    this.#owners = 1;
    this.#holds = 0;
  }

  #giveBack(): void {
    if (this.alive || this.#whole) return;
    this.#pool.unwatch(this.block);
    this.#pool.give(this.block);
  }
}
