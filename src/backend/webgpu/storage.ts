/** A storage on the GPU. Its buffer goes back to the pool when the walk frees it or the garbage collector finds it. */
import type { TypedArray } from '../../core/dtype.ts';
import { DeviceError } from '../../core/errors.ts';
import { type NDArray, Storage } from '../array.ts';
import type { Backend } from '../backend.ts';
import type { BufferPool, PooledBuffer } from './buffers.ts';

export class GpuStorage extends Storage {
  readonly #pool: BufferPool;
  readonly #block: PooledBuffer;
  #freed = false;
  /** The number of the batch that wrote last, so that a failed batch poisons what it should have written. */
  batch = 0;
  /** What was uploaded, while nothing has changed it: index checks and the like read it without waiting for the GPU. */
  host: TypedArray | null = null;

  constructor(backend: Backend, pool: BufferPool, byteLength: number, gpuBytes: number) {
    super(backend, byteLength);
    this.#pool = pool;
    this.#block = pool.take(gpuBytes);
    pool.watch(this, this.#block);
  }

  get freed(): boolean {
    return this.#freed;
  }

  get block(): PooledBuffer {
    if (this.#freed) throw new DeviceError('this tensor was disposed of');
    return this.#block;
  }

  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.host = null;
    this.#pool.unwatch(this.#block);
    this.#pool.give(this.#block);
  }
}

/** @throws DeviceError for an array of another device */
export function gpuStorage(x: NDArray): GpuStorage {
  if (x.storage instanceof GpuStorage) return x.storage;
  throw new DeviceError(`expected all tensors on webgpu, but got one on ${x.backend.device}`);
}
