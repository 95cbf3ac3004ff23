/** A storage in linear memory, or moved out of it; the collector gives back what was dropped. */
import { DeviceError } from '../../core/errors.ts';
import { Storage } from '../array.ts';
import type { Backend } from '../backend.ts';
import type { Collector } from './collector.ts';
import type { Block, Heap } from './heap.ts';

export class WasmStorage extends Storage {
  readonly #heap: Heap;
  readonly #collector: Collector;
  readonly #block: Block;

  /** `block` is new: whoever asked for it may have looked for dropped storages, and this one shall not be older. */
  constructor(backend: Backend, heap: Heap, collector: Collector, byteLength: number, block: Block) {
    super(backend, byteLength);
    this.#heap = heap;
    this.#collector = collector;
    this.#block = block;
    collector.watch(this, block);
  }

  /** The address, valid until the next op. Brings the contents back if they were moved out. */
  pointer(): number {
    const block = this.#block;
    if (block.freed) throw new DeviceError('this tensor was disposed of');
    if (block.copy !== null) {
      this.#heap.restore(block);
      this.#collector.watch(this, block);
    }
    return this.#heap.touch(block);
  }

  /**
   * The address, valid until as many calls of `letGo`: for those who read or write the memory while operations go on.
   */
  hold(): number {
    const pointer = this.pointer();
    this.#heap.hold(this.#block);
    return pointer;
  }

  letGo(): void {
    this.#heap.letGo(this.#block);
  }

  get freed(): boolean {
    return this.#block.freed;
  }

  free(): void {
    if (this.#block.freed) return;
    this.#collector.forget(this.#block);
    this.#heap.free(this.#block);
  }
}
