/** A storage in linear memory, or moved out of it; finalizers give back what was dropped. */
import { DeviceError } from '../../core/errors.ts';
import { Storage } from '../array.ts';
import type { Backend } from '../backend.ts';
import type { Block, Heap } from './heap.ts';

/**
 * Storages up to this size have no finalizer: the heap bounds the number of resident blocks anyhow, moving one out
 * costs 0.2 µs, and a finalizer costs 1 µs and slows every garbage collection.
 */
const UNWATCHED_BYTES = 1024;

/** The heap with the finalizers of its storages. */
export class StorageRegistry {
  heap!: Heap;
  readonly #finalizers = new FinalizationRegistry<Block>((block) => this.heap.free(block));

  /** The registry keeps a block alive, so only resident blocks may be in it: an evicted one goes with its storage. */
  watch(storage: Storage, block: Block): void {
    if (block.size <= UNWATCHED_BYTES) return;
    block.watched = true;
    this.#finalizers.register(storage, block, block);
  }

  forget(block: Block): void {
    if (!block.watched) return;
    block.watched = false;
    this.#finalizers.unregister(block);
  }
}

export class WasmStorage extends Storage {
  readonly #registry: StorageRegistry;
  readonly #block: Block;

  constructor(backend: Backend, registry: StorageRegistry, byteLength: number) {
    super(backend, byteLength);
    this.#registry = registry;
    this.#block = registry.heap.allocate(byteLength);
    registry.watch(this, this.#block);
  }

  /** The address, valid until the next op. Brings the contents back if they were moved out. */
  pointer(): number {
    const block = this.#block;
    if (block.freed) throw new DeviceError('this tensor was disposed of');
    if (block.copy !== null) {
      this.#registry.heap.restore(block);
      this.#registry.watch(this, block);
    }
    return this.#registry.heap.touch(block);
  }

  get freed(): boolean {
    return this.#block.freed;
  }

  free(): void {
    if (this.#block.freed) return;
    this.#registry.forget(this.#block);
    this.#registry.heap.free(this.#block);
  }
}
