/** Orders in which a data set is read. Each draws exactly what PyTorch's sampler of that name draws. */
import { ArgumentError } from '../core/errors.ts';
import { RandomEngine } from '../core/rng.ts';
import { fillIntegers, fillRandom, randomPermutation, sampleCategories } from '../core/sampling.ts';
import { defaultGenerator, type Generator } from '../random.ts';

/** The numbers of samples, in the order of one pass. */
export interface Sampler extends Iterable<number> {
  readonly length: number;
}

interface Sized {
  readonly length: number;
}

/** One int64 as `empty((), int64).random_()` draws it: two words. */
export function drawSeed(engine: RandomEngine): bigint {
  const seed = new BigInt64Array(1);
  fillRandom(engine, seed, 'int64');
  return seed[0];
}

/** 0, 1, 2, … */
export class SequentialSampler implements Sampler {
  readonly #dataset: Sized;
  constructor(dataset: Sized) {
    this.#dataset = dataset;
  }
  get length(): number {
    return this.#dataset.length;
  }
  *[Symbol.iterator](): Iterator<number> {
    for (let i = 0; i < this.#dataset.length; i++) yield i;
  }
}

export interface RandomSamplerOptions {
  /** Draw each sample anew instead of shuffling. */
  replacement?: boolean;
  /** How many to draw; default the length of the data set. */
  numSamples?: number;
  generator?: Generator;
}

/** PyTorch draws with replacement in chunks of this many. */
const REPLACEMENT_CHUNK = 32;

/** The samples in random order. */
export class RandomSampler implements Sampler {
  readonly #dataset: Sized;
  readonly #options: RandomSamplerOptions;

  /** @throws ArgumentError if numSamples is not a positive integer */
  constructor(dataset: Sized, options: RandomSamplerOptions = {}) {
    const { numSamples } = options;
    if (numSamples !== undefined && !(Number.isInteger(numSamples) && numSamples > 0)) {
      throw new ArgumentError(`RandomSampler: numSamples should be a positive integer value, but got numSamples=${numSamples}`);
    }
    this.#dataset = dataset;
    this.#options = options;
  }

  get length(): number {
    return this.#options.numSamples ?? this.#dataset.length;
  }

  *[Symbol.iterator](): Iterator<number> {
    const n = this.#dataset.length;
    const engine = this.#engine();
    if (this.#options.replacement) {
      for (let left = this.length; left > 0; left -= REPLACEMENT_CHUNK) {
        const chunk = new Int32Array(Math.min(left, REPLACEMENT_CHUNK));
        fillIntegers(engine, chunk, 'int32', 0n, BigInt(n));
        yield* chunk;
      }
      return;
    }
    for (let left = this.length; ; left -= n) {
      // Also when nothing is left: PyTorch draws the permutation of which it then takes none.
      const order = randomPermutation(engine, n);
      if (left < n || n === 0) {
        yield* order.subarray(0, left);
        return;
      }
      yield* order;
    }
  }

  /** Without a generator given, a new one is seeded from the default one. */
  #engine(): RandomEngine {
    if (this.#options.generator) return this.#options.generator.engine;
    const engine = new RandomEngine();
    engine.manualSeed(drawSeed(defaultGenerator.engine));
    return engine;
  }
}

/** The given numbers in random order. */
export class SubsetRandomSampler implements Sampler {
  readonly indices: readonly number[];
  readonly #generator: Generator;

  constructor(indices: ArrayLike<number>, { generator = defaultGenerator }: { generator?: Generator } = {}) {
    this.indices = Array.from(indices);
    this.#generator = generator;
  }
  get length(): number {
    return this.indices.length;
  }
  *[Symbol.iterator](): Iterator<number> {
    for (const i of randomPermutation(this.#generator.engine, this.indices.length)) yield this.indices[i];
  }
}

export interface WeightedRandomSamplerOptions {
  /** Default true. */
  replacement?: boolean;
  generator?: Generator;
}

/** Samples drawn in proportion to weights. */
export class WeightedRandomSampler implements Sampler {
  readonly #weights: Float64Array;
  readonly length: number;
  readonly #replacement: boolean;
  readonly #generator: Generator;

  /** @throws ArgumentError if numSamples is not a positive integer */
  constructor(weights: ArrayLike<number>, numSamples: number, options: WeightedRandomSamplerOptions | boolean = {}) {
    const { replacement = true, generator = defaultGenerator } = typeof options === 'boolean' ? { replacement: options } : options;
    if (!(Number.isInteger(numSamples) && numSamples > 0)) {
      throw new ArgumentError(
        `WeightedRandomSampler: numSamples should be a positive integer value, but got numSamples=${numSamples}`,
      );
    }
    this.#weights = Float64Array.from(weights);
    this.length = numSamples;
    this.#replacement = replacement;
    this.#generator = generator;
  }

  *[Symbol.iterator](): Iterator<number> {
    yield* sampleCategories(this.#generator.engine, this.#weights, this.#weights.length, this.length, this.#replacement);
  }
}

/** A sampler's numbers in batches. */
export class BatchSampler implements Iterable<Int32Array> {
  readonly #sampler: Sampler;
  readonly #batchSize: number;
  readonly #dropLast: boolean;

  /** @throws ArgumentError if batchSize is not a positive integer */
  constructor(sampler: Sampler, batchSize: number, dropLast = false) {
    if (!(Number.isInteger(batchSize) && batchSize > 0)) {
      throw new ArgumentError(`BatchSampler: batchSize should be a positive integer value, but got batchSize=${batchSize}`);
    }
    this.#sampler = sampler;
    this.#batchSize = batchSize;
    this.#dropLast = dropLast;
  }

  get length(): number {
    const batches = this.#sampler.length / this.#batchSize;
    return this.#dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  *[Symbol.iterator](): Iterator<Int32Array> {
    let batch = new Int32Array(this.#batchSize);
    let filled = 0;
    for (const index of this.#sampler) {
      batch[filled++] = index;
      if (filled < this.#batchSize) continue;
      yield batch;
      batch = new Int32Array(this.#batchSize);
      filled = 0;
    }
    if (filled > 0 && !this.#dropLast) yield batch.slice(0, filled);
  }
}
