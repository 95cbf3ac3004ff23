/**
 * Results that were computed because much waited, and that nobody has asked for. Most have been dropped, which nobody can find
 * out inside a job, in pages at least: each would need a new buffer. So where another buffer is needed one of theirs is taken
 * back, and a result that is asked for after all is computed a second time.
 */
import { sizeClass } from './buffers.ts';
import type { GpuStorage } from './storage.ts';

/**
 * So many may give their buffers back. They are asked once they, and what they were made of, take the first part of the spare
 * bytes, and are one or take the second at most.
 */
const MOST = 64;
const LEAST_PART = 1 / 16;
const MOST_PART = 1 / 4;

export class Unread {
  readonly #spareBytes: number;
  /** Oldest first. Some of them have been asked for meanwhile. */
  #results: { readonly storage: GpuStorage; readonly bytes: number }[] = [];
  #bytes = 0;

  constructor(spareBytes: number) {
    this.#spareBytes = spareBytes;
  }

  /** `bytes`: what it was made of. */
  add(storage: GpuStorage, bytes: number): void {
    const result = { storage, bytes: storage.gpuBytes + bytes };
    this.#results.push(result);
    this.#bytes += result.bytes;
    const most = MOST_PART * this.#spareBytes;
    while (this.#results.length > MOST || (this.#results.length > 1 && this.#bytes > most))
      this.#remove(0).keep();
  }

  /** A buffer of a size class becomes free, if one of theirs is. */
  takeBack(size: number): void {
    if (this.#bytes < LEAST_PART * this.#spareBytes) return;
    for (let i = 0; i < this.#results.length; i++) {
      const { storage } = this.#results[i];
      if (!storage.canGiveBack) this.#remove(i--);
      else if (sizeClass(storage.gpuBytes) === size) {
        this.#remove(i).giveBack();
        return;
      }
    }
  }

  /** None of them will be asked: what they were made of is not held any more. */
  keep(): void {
    while (this.#results.length > 0) this.#remove(this.#results.length - 1).keep();
  }

  #remove(at: number): GpuStorage {
    const [{ storage, bytes }] = this.#results.splice(at, 1);
    this.#bytes -= bytes;
    return storage;
  }
}
