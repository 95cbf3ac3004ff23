/** Batches of a data set, pass after pass. */
import { ArgumentError } from '../core/errors.ts';
import { engineOf, type GeneratorOptions } from '../ops/draw.ts';
import { type Collated, defaultCollate } from './collate.ts';
import { checkIndices, type Dataset, type Indices } from './dataset.ts';
import { BatchSampler, drawSeed, RandomSampler, type Sampler, SequentialSampler } from './sampler.ts';

export interface DataLoaderOptions<Sample, Batch> extends GeneratorOptions {
  /** Samples per batch. Default 1. */
  batchSize?: number;
  /** Visit the samples in a new random order in each pass. */
  shuffle?: boolean;
  /** The order instead of shuffle. */
  sampler?: Sampler;
  /** The batches instead of batchSize, shuffle, sampler and dropLast. */
  batchSampler?: Sampler<Indices>;
  /** Leave out a last batch that is not full. */
  dropLast?: boolean;
  /** Makes a batch from samples. Default: the set's own `getBatch`, or `defaultCollate`. */
  collateFn?: (samples: Awaited<Sample>[]) => Batch;
}

/**
 * Iterates over a data set in batches: `for (const [x, y] of loader)`, or `for await`, which lets the event loop run
 * between batches and waits for samples that are promises. Every iteration is a new pass.
 *
 * Beginning a pass draws one seed (two words) from the generator, also without shuffle, exactly as PyTorch does; the
 * sampler draws at the first batch. @throws ArgumentError for options that exclude each other
 */
export class DataLoader<Sample, Batch = Collated<Awaited<Sample>>>
  implements Iterable<Batch>, AsyncIterable<Batch>
{
  readonly dataset: Dataset<Sample>;
  readonly batchSize: number | null;
  readonly dropLast: boolean;
  readonly sampler: Sampler | null;
  readonly batchSampler: Sampler<Indices>;
  readonly #collate: ((samples: Awaited<Sample>[]) => Batch) | undefined;
  readonly #generator: GeneratorOptions;

  constructor(dataset: Dataset<Sample>, options?: DataLoaderOptions<Sample, Batch>);
  constructor(dataset: Dataset<Sample>, batchSize: number, options?: DataLoaderOptions<Sample, Batch>);
  constructor(
    dataset: Dataset<Sample>,
    first: number | DataLoaderOptions<Sample, Batch> = {},
    second: DataLoaderOptions<Sample, Batch> = {},
  ) {
    const options = typeof first === 'number' ? { ...second, batchSize: first } : first;
    checkExclusive(options);
    this.dataset = dataset;
    this.#generator = { generator: options.generator };
    this.#collate = options.collateFn;
    if (options.batchSampler) {
      this.batchSampler = options.batchSampler;
      this.sampler = null;
      this.batchSize = null;
      this.dropLast = false;
      return;
    }
    this.sampler =
      options.sampler ??
      (options.shuffle ? new RandomSampler(dataset, this.#generator) : new SequentialSampler(dataset));
    this.batchSize = options.batchSize ?? 1;
    this.dropLast = options.dropLast ?? false;
    this.batchSampler = new BatchSampler(this.sampler, this.batchSize, this.dropLast);
  }

  /** Batches per pass. */
  get length(): number {
    return this.batchSampler.length;
  }

  [Symbol.iterator](): IterableIterator<Batch> {
    drawSeed(engineOf(this.#generator));
    return this.#batches();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Batch> {
    drawSeed(engineOf(this.#generator));
    return this.#asyncBatches();
  }

  *#batches(): IterableIterator<Batch> {
    for (const indices of this.batchSampler) {
      const whole = this.#wholeBatch(indices);
      yield whole ?? this.#together(this.#samples(indices) as Awaited<Sample>[]);
    }
  }

  async *#asyncBatches(): AsyncIterableIterator<Batch> {
    for (const indices of this.batchSampler) {
      await nextTask();
      yield this.#wholeBatch(indices) ?? this.#together(await Promise.all(this.#samples(indices)));
    }
  }

  /** The batch that the set makes by itself, if it can and nobody wants the samples. */
  #wholeBatch(indices: Indices): Batch | undefined {
    const { dataset } = this;
    if (this.#collate !== undefined || !dataset.getBatch) return undefined;
    const list =
      indices instanceof Int32Array ? indices : checkIndices(indices, dataset.length, 'DataLoader');
    return dataset.getBatch(list) as Batch;
  }

  #samples(indices: Indices): Sample[] {
    return Array.from(indices, (i) => this.dataset.get(i));
  }

  #together(samples: Awaited<Sample>[]): Batch {
    return this.#collate ? this.#collate(samples) : (defaultCollate(samples) as Batch);
  }
}

function checkExclusive(options: DataLoaderOptions<never, unknown>): void {
  const { batchSize, shuffle, sampler, batchSampler, dropLast } = options;
  if (sampler && shuffle) {
    throw new ArgumentError('DataLoader: sampler option is mutually exclusive with shuffle');
  }
  if (batchSampler && (batchSize !== undefined || shuffle || sampler || dropLast)) {
    throw new ArgumentError(
      'DataLoader: batchSampler option is mutually exclusive with batchSize, shuffle, sampler, and dropLast',
    );
  }
}

/** Lets input, painting and timers run. A message rather than a timer: pages hold timers back for 4 ms. */
function nextTask(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
