/**
 * What a storage holds: one buffer, and its contents until they change. Results that are not computed yet read cells, not
 * storages: where such a result holds a cell, the storage that wants to change goes on in another one.
 */
import type { BufferPool, PooledBuffer } from './buffers.ts';

export class Cell {
  readonly block: PooledBuffer;
  readonly #pool: BufferPool;
  /** Dies with the cell: see the collector. */
  lifeline: object | null = null;
  /** The number of the batch that wrote last, so that a failed batch poisons what it should have written. */
  batch = 0;
  /** Results to come that read it. Those that the garbage collector found are still counted. */
  #holds = 0;
  #owned = true;

  constructor(pool: BufferPool, bytes: number) {
    this.#pool = pool;
    this.block = pool.take(bytes);
    pool.watch(this, this.block);
  }

  /** Somebody may still want what is in it. */
  get held(): boolean {
    return this.#holds > 0;
  }

  /** Nobody but one result to come reads it. */
  get last(): boolean {
    return !this.#owned && this.#holds === 1;
  }

  hold(): void {
    this.#holds++;
  }

  letGo(): void {
    this.#holds--;
    this.#giveBack();
  }

  /** Its storage is done with it. */
  disown(): void {
    this.#owned = false;
    this.#giveBack();
  }

  /** A storage takes over what the last result to come read. */
  adopt(): void {
    this.#owned = true;
    this.#holds = 0;
  }

  #giveBack(): void {
    if (this.#owned || this.#holds > 0) return;
    this.#pool.unwatch(this.block);
    this.#pool.give(this.block);
  }
}
