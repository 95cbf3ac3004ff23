/** Batches of a data set, in any order, one pass per loop. */
import { ArgumentError } from '../core/errors.ts';
import { defaultGenerator, type Generator } from '../random.ts';
import { defaultCollate } from './collate.ts';
import type { Collated, Dataset } from './dataset.ts';
import { BatchSampler, drawSeed, RandomSampler, type Sampler, SequentialSampler } from './sampler.ts';

export interface DataLoaderOptions<S, B> {
  /** Samples per batch; default 1. */
  batchSize?: number;
  /** A new random order in every pass. */
  shuffle?: boolean;
  /** An order of one's own; excludes shuffle. */
  sampler?: Sampler;
  /** Batches of one's own; excludes batchSize, shuffle, sampler and dropLast. */
  batchSampler?: Iterable<ArrayLike<number>> & { readonly length: number };
  /** Leave out a last batch that is short. */
  dropLast?: boolean;
  /** Makes a batch of samples; default `defaultCollate`. */
  collateFn?: (samples: S[]) => B;
  /** Where random orders come from; default the library's own. */
  generator?: Generator;
}

/** Longer than this, a loop over `for await` gives the page or the event loop its turn. */
const YIELD_MS = 12;

/**
 * Iterates over batches: `for (const [x, y] of loader)`, or `for await` where samples are fetched. Each loop is one
 * pass. Random draws are PyTorch's: one 64-bit number per pass for the (absent) workers, then what the sampler draws.
 */
export class DataLoader<S, B = Collated<S>> implements Iterable<B> {
  readonly dataset: Dataset<S, B>;
  readonly batchSize: number | null;
  readonly #batches: Iterable<ArrayLike<number>> & { readonly length: number };
  readonly #collate: ((samples: S[]) => B) | null;
  readonly #generator: Generator;

  /** @throws ArgumentError for options that exclude each other */
  constructor(dataset: Dataset<S, B>, options: DataLoaderOptions<S, B> = {}) {
    const { batchSize = 1, shuffle = false, sampler, batchSampler, dropLast = false, collateFn, generator } = options;
    if (sampler && shuffle) throw new ArgumentError('DataLoader: sampler option is mutually exclusive with shuffle');
    if (batchSampler && (options.batchSize !== undefined || shuffle || sampler || dropLast)) {
      throw new ArgumentError('DataLoader: batchSampler option is mutually exclusive with batchSize, shuffle, sampler, and dropLast');
    }
    this.dataset = dataset;
    this.batchSize = batchSampler ? null : batchSize;
    const order = sampler ?? (shuffle ? new RandomSampler(dataset, generator ? { generator } : {}) : new SequentialSampler(dataset));
    this.#batches = batchSampler ?? new BatchSampler(order, batchSize, dropLast);
    this.#collate = collateFn ?? null;
    this.#generator = generator ?? defaultGenerator;
  }

  /** Batches per pass. */
  get length(): number {
    return this.#batches.length;
  }

  [Symbol.iterator](): Iterator<B> {
    this.#startPass();
    const batches = this.#batches[Symbol.iterator]();
    return {
      next: () => {
        const { done, value } = batches.next();
        return done ? { done: true, value: undefined } : { done: false, value: this.#load(Int32Array.from(value)) };
      },
      return: (value?: B) => {
        batches.return?.();
        return { done: true, value };
      },
    };
  }

  async *[Symbol.asyncIterator](): AsyncIterator<B> {
    this.#startPass();
    let turn = performance.now();
    for (const batch of this.#batches) {
      yield await this.#loadAsync(Int32Array.from(batch));
      if (performance.now() - turn < YIELD_MS) continue;
      await new Promise((resolve) => setTimeout(resolve, 0));
      turn = performance.now();
    }
  }

  /** PyTorch draws a base seed for worker processes at the start of every pass, also where there are none. */
  #startPass(): void {
    drawSeed(this.#generator.engine);
  }

  #load(indices: Int32Array): B {
    if (this.#collate === null && this.dataset.getBatch) return this.dataset.getBatch(indices);
    const samples: S[] = [];
    for (const i of indices) {
      const sample = this.dataset.get(i);
      if (sample instanceof Promise) {
        throw new ArgumentError('DataLoader: this data set fetches its samples asynchronously; iterate with `for await`');
      }
      samples.push(sample);
    }
    return this.#join(samples);
  }

  async #loadAsync(indices: Int32Array): Promise<B> {
    if (this.#collate === null && this.dataset.getBatch) return this.dataset.getBatch(indices);
    return this.#join(await Promise.all(Array.from(indices, (i) => this.dataset.get(i))));
  }

  #join(samples: S[]): B {
    return this.#collate ? this.#collate(samples) : (defaultCollate(samples) as B);
  }
}
