/** How long the GPU itself computes: every compute pass is stamped at its beginning and its end. */
import { pending } from './dawn.ts';
import { BufferUsage, MapModeRead } from './flags.ts';

/** Passes of one submission that are stamped; copies between kernels begin new ones. */
const PASSES = 16;
const BYTES = PASSES * 16;

class Stamps {
  readonly #device: GPUDevice;
  readonly #set: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #mapped: GPUBuffer;
  #passes = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#set = device.createQuerySet({ type: 'timestamp', count: 2 * PASSES });
    const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = BufferUsage;
    this.#resolved = device.createBuffer({ size: BYTES, usage: QUERY_RESOLVE | COPY_SRC });
    this.#mapped = device.createBuffer({ size: BYTES, usage: COPY_DST | MAP_READ });
  }

  /** For the next pass. */
  next(): GPUComputePassDescriptor {
    if (this.#passes === PASSES) return {};
    const at = 2 * this.#passes++;
    const querySet = this.#set;
    return {
      timestampWrites: { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 },
    };
  }

  /** After the last pass. */
  resolve(encoder: GPUCommandEncoder): void {
    if (this.#passes === 0) return;
    encoder.resolveQuerySet(this.#set, 0, 2 * this.#passes, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#mapped, 0, BYTES);
  }

  /** Nanoseconds of all passes, once the GPU has done them. */
  async total(): Promise<number> {
    const passes = this.#passes;
    this.#passes = 0;
    if (passes === 0) return 0;
    await pending(this.#device, () => this.#mapped.mapAsync(MapModeRead, 0, BYTES));
    const stamps = new BigUint64Array(this.#mapped.getMappedRange(0, BYTES).slice(0));
    this.#mapped.unmap();
    let sum = 0;
    for (let pass = 0; pass < passes; pass++)
      sum += Math.max(0, Number(stamps[2 * pass + 1] - stamps[2 * pass]));
    return sum;
  }
}

export class Timestamps {
  readonly #device: GPUDevice;
  readonly #free: Stamps[] = [];
  readonly #reading = new Set<Promise<void>>();
  milliseconds = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** For one submission. */
  begin(): Stamps {
    return this.#free.pop() ?? new Stamps(this.#device);
  }

  /** After the submission. */
  read(stamps: Stamps): void {
    const reading: Promise<void> = stamps
      .total()
      .then((nanoseconds) => {
        this.milliseconds += nanoseconds / 1e6;
        this.#free.push(stamps);
      })
      // A lost device tells so elsewhere.
      .catch(() => {})
      .finally(() => this.#reading.delete(reading));
    this.#reading.add(reading);
  }

  /** When all that was submitted is counted. */
  async counted(): Promise<void> {
    await Promise.all(this.#reading);
  }
}
