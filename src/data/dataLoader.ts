/** Batches of a data set, pass after pass. */
import { ArgumentError } from '../core/errors.ts';
import type { RandomEngine } from '../core/rng.ts';
import { engineOf, type GeneratorOptions } from '../ops/draw.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import { type Collated, defaultCollate } from './collate.ts';
import { checkIndices, type Dataset, type Indices } from './dataset.ts';
import { beginPass, type DataLoaderStateDict, type Pass, passOf, replay } from './pass.ts';
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
  /** Says nothing here: batches are made when they are asked for, which takes less than to hand them over. */
  numWorkers?: number;
  /** Says nothing here: there is no other memory to copy from. */
  pinMemory?: boolean;
}

type Samples<Sample> = Dataset<Sample> | readonly Sample[];
const isList = <S>(samples: Samples<S>): samples is readonly S[] => Array.isArray(samples);

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
  /** The pass begun last, until it has given all its batches. */
  #pass: Pass | null = null;
  /** Where the next pass goes on. */
  #resumed: Pass | null = null;

  /** @param dataset samples by number, or a plain list of them */
  constructor(
    samples: Samples<Sample>,
    ...rest: Flexible<[batchSize: number, shuffle: boolean], DataLoaderOptions<Sample, Batch>>
  ) {
    const options = named<DataLoaderOptions<Sample, Batch>>(['batchSize', 'shuffle'], rest, {});
    checkExclusive(options);
    const dataset = isList(samples) ? { length: samples.length, get: (i: number) => samples[i] } : samples;
    if (typeof dataset?.get !== 'function' || typeof dataset.length !== 'number')
      throw new ArgumentError(
        'DataLoader: expected a data set, with length and get(index), or a list of samples',
      );
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
    const { pass, order } = this.#begin();
    return this.#batches(pass, order);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Batch> {
    const { pass, order } = this.#begin();
    return this.#asyncBatches(pass, order);
  }

  /**
   * Where the loader is: how many batches the pass begun last has given, how to draw its order again, and where the
   * generators are that it was given. A pass that was left with `break` counts as going on. The default generator,
   * from which new passes draw, is saved by who saves the loader: `saveCheckpoint` does.
   */
  stateDict(): DataLoaderStateDict {
    const pass = this.#pass ?? this.#resumed;
    const [, ...own] = this.#engines();
    return {
      batches: pass?.given ?? 0,
      begun: pass ? [...pass.states] : null,
      generators: own.map((engine) => engine.getState()),
    };
  }

  /**
   * Lets the next pass go on where the saved one was, with the batches that it had not given yet.
   * @throws ArgumentError, changing nothing, if the state is not one of a loader like this
   */
  loadStateDict(state: Readonly<DataLoaderStateDict>): void {
    const engines = this.#engines();
    this.#resumed = passOf(state, engines, this.length);
    this.#pass = null;
    state.generators.forEach((bytes, i) => {
      engines[i + 1].setState(bytes);
    });
  }

  /** Every generator that has a part in the order, the default one first. */
  #engines(): RandomEngine[] {
    const engines = [this.batchSampler, this.sampler].map((order) => engineOf(generatorOf(order)));
    return [...new Set([engineOf({}), engineOf(this.#generator), ...engines])];
  }

  /** A new pass, or the rest of a saved one; the indices of its batches are drawn when they are asked for. */
  #begin(): { pass: Pass; order: Iterator<Indices> } {
    const engines = this.#engines();
    const start = (): Iterator<Indices> => {
      drawSeed(engineOf(this.#generator));
      return this.batchSampler[Symbol.iterator]();
    };
    const pass = this.#resumed ?? beginPass(engines);
    let order: Iterator<Indices>;
    if (this.#resumed) {
      order = replay(pass, engines, () => {
        const again = start();
        for (let i = 0; i < pass.given; i++) again.next();
        return again;
      });
    } else order = start();
    this.#resumed = null;
    this.#pass = pass;
    return { pass, order };
  }

  *#batches(pass: Pass, order: Iterator<Indices>): IterableIterator<Batch> {
    for (const indices of going(order)) {
      const batch = this.#wholeBatch(indices) ?? this.#together(this.#samples(indices) as Awaited<Sample>[]);
      pass.given++;
      yield batch;
    }
    this.#end(pass);
  }

  async *#asyncBatches(pass: Pass, order: Iterator<Indices>): AsyncIterableIterator<Batch> {
    for (const indices of going(order)) {
      await nextTask();
      const batch = this.#wholeBatch(indices) ?? this.#together(await Promise.all(this.#samples(indices)));
      pass.given++;
      yield batch;
    }
    this.#end(pass);
  }

  #end(pass: Pass): void {
    if (this.#pass === pass) this.#pass = null;
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

/** The rest of what an iterator gives, as `for … of` takes it. */
/** The generator of a sampler that has one; an order may be any list, or an object of the user's. */
const generatorOf = (order: object | null): GeneratorOptions => {
  const generator = order !== null && 'generator' in order ? order.generator : null;
  const isOurs = typeof generator === 'object' && generator !== null && 'engine' in generator;
  return { generator: isOurs ? (generator as GeneratorOptions['generator']) : null };
};

const going = <T>(iterator: Iterator<T>): Iterable<T> => ({ [Symbol.iterator]: () => iterator });

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
