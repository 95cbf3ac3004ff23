/** Batches of a data set, pass after pass. */
import type { TypedArray } from '../core/dtype.ts';
import { ArgumentError } from '../core/errors.ts';
import type { RandomEngine } from '../core/rng.ts';
import { engineOf, type GeneratorOptions } from '../ops/draw.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import { Tensor } from '../tensor.ts';
import { nextTurn } from '../tick.ts';
import { type Collated, defaultCollate } from './collate.ts';
import { checkIndices, type Dataset, type Indices, listed } from './dataset.ts';
import { beginPass, type DataLoaderStateDict, type Pass, passOf, replay } from './pass.ts';
import {
  BatchSampler,
  checkCount,
  drawSeed,
  RandomSampler,
  type Sampler,
  SequentialSampler,
  type Sized,
} from './sampler.ts';
import { type Cut, isStream, lists, listsInTime, type Stream } from './stream.ts';

export interface DataLoaderOptions<Sample, Batch> extends GeneratorOptions {
  /** Samples per batch. Default 1; null gives samples as they are, one by one. */
  batchSize?: number | null;
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
  /** Says nothing here, as all about workers. */
  persistentWorkers?: boolean;
  prefetchFactor?: number | null;
  pinMemoryDevice?: string;
  workerInitFn?: ((worker: number) => void) | null;
  multiprocessingContext?: unknown;
  timeout?: number;
}

type List<Sample> = readonly Sample[] | (TypedArray & ArrayLike<Sample>) | (Tensor & Iterable<Sample>);
type Samples<Sample> = Dataset<Sample> | List<Sample> | Stream<Sample>;
const isList = <S>(samples: Samples<S>): samples is List<S> =>
  Array.isArray(samples) || ArrayBuffer.isView(samples) || samples instanceof Tensor;

/**
 * Iterates over a data set in batches: `for (const [x, y] of loader)`, or `for await`, which lets the event loop run
 * between batches and waits for samples that are promises. Every iteration is a new pass. A set may be a list, or an
 * iterable, whose samples come in its own order; one that can only be iterated asynchronously takes `for await`.
 *
 * Beginning a pass draws one seed (two words) from the generator, also without shuffle, exactly as PyTorch does; the
 * sampler draws at the first batch. @throws ArgumentError for options that exclude each other
 */
export class DataLoader<Sample, Batch = Collated<Awaited<Sample>>>
  implements Iterable<Batch>, AsyncIterable<Batch>
{
  /** The set that was given, an iterable too, though that has no `get` and may have no `length`; a list as a set. */
  readonly dataset: Dataset<Sample>;
  readonly batchSize: number | null;
  readonly dropLast: boolean;
  /** The order; null for an iterable, and where there is a `batchSampler` of the user's. */
  readonly sampler: Sampler | null;
  /** The order in batches; null for an iterable. */
  readonly batchSampler: Sampler<Indices> | null;
  /** The set where it is an iterable. */
  readonly #stream: Stream<Sample> | null;
  /** Batches are samples as they are. */
  readonly #single: boolean;
  readonly #collate: ((samples: Awaited<Sample>[]) => Batch) | undefined;
  readonly #generator: GeneratorOptions;
  /** The pass begun last, until it has given all its batches. */
  #pass: Pass | null = null;
  /** Where the next pass goes on. */
  #resumed: Pass | null = null;
  /** There was a pass over an iterable. */
  #streamedBefore = false;

  /** @param samples a data set, with length and get(index); a list; a tensor, for its rows; or an iterable */
  constructor(
    samples: Samples<Sample>,
    ...rest: Flexible<[batchSize: number | null, shuffle: boolean], DataLoaderOptions<Sample, Batch>>
  ) {
    const options = named<DataLoaderOptions<Sample, Batch>>(
      new.target.name,
      'batchSize shuffle * sampler batchSampler dropLast collateFn numWorkers pinMemory generator ' +
        'persistentWorkers prefetchFactor pinMemoryDevice workerInitFn multiprocessingContext timeout',
      rest,
    );
    checkExclusive(options);
    const set = isList(samples) ? listed(samples) : samples;
    checkSet(set);
    this.dataset = set as Dataset<Sample>;
    this.#stream = isStream(set) ? set : null;
    this.#generator = { generator: options.generator };
    this.#collate = options.collateFn;
    this.#single = options.batchSize === null;
    this.batchSize = options.batchSampler ? null : options.batchSize === undefined ? 1 : options.batchSize;
    this.dropLast = options.dropLast ?? false;
    this.sampler = null;
    if (this.#stream) {
      checkOrderless(options);
      if (this.batchSize !== null) checkCount(this.batchSize, 'DataLoader', 'batchSize');
      this.batchSampler = null;
    } else if (options.batchSampler) this.batchSampler = options.batchSampler;
    else {
      this.sampler = options.sampler ?? defaultSampler(this.dataset, options.shuffle, this.#generator);
      this.batchSampler = new BatchSampler(this.sampler, this.batchSize ?? 1, this.dropLast);
    }
  }

  /** Batches per pass. @throws ArgumentError if they come from an iterable that has no `length` */
  get length(): number {
    const { batchSampler, dataset, batchSize, dropLast } = this;
    if (batchSampler) return batchSampler.length;
    if (typeof dataset.length !== 'number')
      throw new ArgumentError('DataLoader.length: the data set is an iterable without a length');
    const batches = dataset.length / (batchSize ?? 1);
    return dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  [Symbol.iterator](): IterableIterator<Batch> {
    const { batchSampler } = this;
    if (batchSampler) {
      const { pass, order } = this.#begin(batchSampler);
      return this.#batches(pass, order);
    }
    const stream = this.#stream as Stream<Sample>;
    if (!(Symbol.iterator in stream))
      throw new ArgumentError(
        "DataLoader: the data set is an asynchronous iterable; iterate with 'for await'",
      );
    const samples = stream as Iterable<Sample>;
    const pass = this.#beginStream();
    return this.#streamed(pass, lists(samples, this.#cut(pass)));
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Batch> {
    const { batchSampler } = this;
    if (batchSampler) {
      const { pass, order } = this.#begin(batchSampler);
      return this.#asyncBatches(pass, order);
    }
    const samples = this.#stream as Iterable<Sample> | AsyncIterable<Sample>;
    const pass = this.#beginStream();
    return this.#streamedInTime(pass, listsInTime(samples, this.#cut(pass)));
  }

  /**
   * Where the loader is: how many batches the pass begun last has given, how to draw its order again, and where the
   * generators are that it was given. A pass that was left with `break` counts as going on. The default generator,
   * from which new passes draw, is saved by who saves the loader: `saveCheckpoint` does. An iterable is gone through
   * again up to there, so it must give the same samples.
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
    const length =
      this.batchSampler || typeof this.dataset.length === 'number' ? this.length : Number.POSITIVE_INFINITY;
    this.#resumed = passOf(state, engines, length);
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
  #begin(batches: Iterable<Indices>): { pass: Pass; order: Iterator<Indices> } {
    const engines = this.#engines();
    const start = (): Iterator<Indices> => {
      drawSeed(engineOf(this.#generator));
      return batches[Symbol.iterator]();
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

  /** The same of an iterable. */
  #beginStream(): Pass {
    const pass = this.#resumed ?? beginPass(this.#engines());
    if (!this.#resumed) {
      checkFresh(this.dataset, this.#streamedBefore);
      drawSeed(engineOf(this.#generator));
    }
    this.#streamedBefore = true;
    this.#resumed = null;
    this.#pass = pass;
    return pass;
  }

  #cut(pass: Pass): Cut {
    const size = this.batchSize ?? 1;
    return { size, dropLast: this.dropLast, skip: pass.given * size };
  }

  *#streamed(pass: Pass, all: Iterable<Sample[]>): IterableIterator<Batch> {
    for (const samples of all) {
      const batch = this.#together(samples as Awaited<Sample>[]);
      pass.given++;
      yield batch;
    }
    this.#end(pass);
  }

  async *#streamedInTime(pass: Pass, all: AsyncIterable<Awaited<Sample>[]>): AsyncIterableIterator<Batch> {
    for await (const samples of all) {
      await nextTurn();
      const batch = this.#together(samples);
      pass.given++;
      yield batch;
    }
    this.#end(pass);
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
      await nextTurn();
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
    if (this.#single || this.#collate !== undefined || !dataset.getBatch) return undefined;
    const list =
      indices instanceof Int32Array ? indices : checkIndices(indices, dataset.length, 'DataLoader');
    return dataset.getBatch(list) as Batch;
  }

  #samples(indices: Indices): Sample[] {
    return Array.from(indices, (i) => this.dataset.get(i));
  }

  #together(samples: Awaited<Sample>[]): Batch {
    if (this.#single) return samples[0] as Batch;
    return this.#collate ? this.#collate(samples) : (defaultCollate(samples) as Batch);
  }
}

/** The generator of a sampler that has one; an order may be any list, or an object of the user's. */
const generatorOf = (order: object | null): GeneratorOptions => {
  const generator = order !== null && 'generator' in order ? order.generator : null;
  const isOurs = typeof generator === 'object' && generator !== null && 'engine' in generator;
  return { generator: isOurs ? (generator as GeneratorOptions['generator']) : null };
};

/** The rest of what an iterator gives, as `for … of` takes it. */
const going = <T>(iterator: Iterator<T>): Iterable<T> => ({ [Symbol.iterator]: () => iterator });

function checkSet(samples: object): void {
  if (typeof samples === 'object' && samples !== null) {
    if (isStream(samples)) return;
    const { get, length } = samples as Partial<Dataset>;
    if (typeof get === 'function' && typeof length === 'number') return;
  }
  throw new ArgumentError(
    'DataLoader: expected a data set, with length and get(index), a list of samples, or an iterable',
  );
}

const defaultSampler = (set: Sized, shuffle: boolean | undefined, generator: GeneratorOptions): Sampler =>
  shuffle ? new RandomSampler(set, generator) : new SequentialSampler(set);

/** What an iterable cannot be told. */
function checkOrderless(options: DataLoaderOptions<never, unknown>): void {
  for (const name of ['shuffle', 'sampler', 'batchSampler'] as const) {
    if (options[name])
      throw new ArgumentError(
        `DataLoader: an iterable has an order of its own: expected unspecified ${name} option`,
      );
  }
}

/** A generator that has been run through would give an empty pass. */
function checkFresh(samples: object, before: boolean): void {
  if (!before || !('next' in samples)) return;
  throw new ArgumentError(
    'DataLoader: a generator gives its samples once only: expected an iterable that begins anew for every pass',
  );
}

function checkExclusive(options: DataLoaderOptions<never, unknown>): void {
  const { batchSize, shuffle, sampler, batchSampler, dropLast, collateFn } = options;
  if (batchSize === null && (dropLast || collateFn)) {
    throw new ArgumentError(
      'DataLoader: batchSize null disables batches and is mutually exclusive with dropLast and collateFn',
    );
  }
  if (sampler && shuffle) {
    throw new ArgumentError('DataLoader: sampler option is mutually exclusive with shuffle');
  }
  if (batchSampler && (batchSize !== undefined || shuffle || sampler || dropLast)) {
    throw new ArgumentError(
      'DataLoader: batchSampler option is mutually exclusive with batchSize, shuffle, sampler, and dropLast',
    );
  }
}
