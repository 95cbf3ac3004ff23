/** The mean over the processes of what DistributedDataParallel sends, again and again. */
import type { NDArray } from '../backend/array.ts';
import { mul } from '../ops/arithmetic.ts';
import { DistributedError } from './errors.ts';
import type { ProcessGroup } from './group.ts';
import { type Held, hold, type Part, parts } from './memory.ts';
import type { Request, Transport } from './transport.ts';
import type { Plan } from './work.ts';

/**
 * Divides the elements before they are added, part by part, right before the call which then finds them in the cache.
 * Kept and begun anew for every backward pass.
 */
export class Average implements Plan<void> {
  readonly name: string;
  readonly #transport: Transport;
  readonly #chunkBytes: number;
  readonly #factor: number;
  #array: NDArray | null = null;
  #held: Held | null = null;
  #parts: readonly Part[] = [];

  /** `name`: for messages. */
  constructor(name: string, { size, chunkBytes }: ProcessGroup, transport: Transport) {
    this.name = name;
    this.#transport = transport;
    this.#chunkBytes = chunkBytes;
    this.#factor = 1 / size;
  }

  get length(): number {
    return this.#parts.length;
  }

  /** Of this array next, one run of memory. */
  begin(array: NDArray): void {
    this.#array = array;
    this.#held = hold(this.#transport, array);
    this.#parts = parts(this.#held, this.#chunkBytes);
  }

  start(call: number): Request {
    const part = this.#parts[call];
    this.#scale(part);
    return this.#transport.allReduce(part, 'sum');
  }

  #scale({ from, count }: Part): void {
    if (this.#array === null) throw new DistributedError(`${this.name}: not begun`);
    const elements = this.#array.view([count], [1], this.#array.offset + from);
    elements.backend.binary(mul.row, elements, this.#factor, elements);
  }

  finish(): void {
    this.#held?.storage.letGo();
    if (this.#array !== null) this.#array.storage.version++;
    this.#array = null;
    this.#held = null;
  }
}
