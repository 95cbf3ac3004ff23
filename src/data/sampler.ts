/**
 * In which order samples are visited. Random samplers draw PyTorch's numbers in PyTorch's order: what is drawn when is
 * told at each of them, because it decides every number drawn afterwards.
 */
import { ArgumentError, IndexError } from '../core/errors.ts';
import { RandomEngine } from '../core/rng.ts';
import { fillIntegers, fillRandom, randomPermutation, sampleCategories } from '../core/sampling.ts';
import { engineOf, type GeneratorOptions } from '../ops/draw.ts';
import { type Flexible, named, option } from '../ops/options.ts';
import { listOfNumbers, type Numbers } from './dataset.ts';

/** The numbers of samples in the order to visit them; every iteration is a new pass. */
export abstract class Sampler<T = number> implements Iterable<T> {
  abstract readonly length: number;
  abstract [Symbol.iterator](): Iterator<T>;
  /** The same pass, number for number, in lists: asking for each number by itself costs more than loading its sample. */
  lists?(): Iterable<Int32Array | Uint32Array>;
  /** What it draws from, if not from the default generator; loaders keep its state when a run is saved. */
  declare readonly generator?: GeneratorOptions['generator'];
}

/** Anything with a length: samplers need no more of a data set. */
export interface Sized {
  readonly length: number;
}

/** Numbers with replacement are drawn in pieces of this size. */
const REPLACEMENT_CHUNK = 32;

/** 64 random bits less the sign, as PyTorch draws a seed; two words. */
export function drawSeed(rng: RandomEngine): bigint {
  const seed = new BigInt64Array(1);
  fillRandom(rng, seed, 'int64');
  return seed[0];
}

/** 0, 1, 2, … */
export class SequentialSampler implements Sampler {
  readonly dataSource: Sized;

  constructor(dataSource: Sized) {
    this.dataSource = dataSource;
  }

  get length(): number {
    return this.dataSource.length;
  }

  *[Symbol.iterator](): Iterator<number> {
    for (let i = 0; i < this.length; i++) yield i;
  }
}

export interface RandomSamplerOptions extends GeneratorOptions {
  /** Draw every number independently. */
  replacement?: boolean;
  /** How many numbers a pass gives. Default: as many as there are samples. */
  numSamples?: number;
}

/**
 * All samples in random order. A pass without a generator first draws a seed from the default one and takes its
 * permutations from a new generator with that seed; with a generator it takes them from there, and one more at its end.
 * @throws ArgumentError if there is nothing to sample
 */
export class RandomSampler implements Sampler {
  readonly dataSource: Sized;
  readonly replacement: boolean;
  readonly generator: GeneratorOptions['generator'];
  readonly #numSamples: number | undefined;

  constructor(
    dataSource: Sized,
    ...args: Flexible<
      [replacement: boolean, numSamples: number | null, generator: GeneratorOptions['generator']],
      RandomSamplerOptions
    >
  ) {
    const options = named<RandomSamplerOptions>(new.target.name, 'replacement numSamples generator', args);
    this.dataSource = dataSource;
    this.replacement = options.replacement ?? false;
    this.#numSamples = options.numSamples;
    this.generator = options.generator;
    checkCount(this.length, 'RandomSampler');
  }

  get length(): number {
    return this.#numSamples ?? this.dataSource.length;
  }

  *[Symbol.iterator](): Iterator<number> {
    for (const list of this.lists()) yield* list;
  }

  *lists(): Iterable<Int32Array | Uint32Array> {
    const { length, replacement } = this;
    const n = this.dataSource.length;
    checkCount(n, 'RandomSampler', 'dataSource.length');
    const rng = this.generator == null ? new RandomEngine(drawSeed(engineOf({}))) : engineOf(this);
    if (replacement) {
      for (let at = 0; at < length; at += REPLACEMENT_CHUNK) {
        const numbers = new Int32Array(Math.min(REPLACEMENT_CHUNK, length - at));
        fillIntegers(rng, numbers, 'int32', 0, n);
        yield numbers;
      }
      return;
    }
    for (let pass = 0; pass < Math.floor(length / n); pass++) yield randomPermutation(rng, n);
    // Drawn even if nothing of it is used.
    yield randomPermutation(rng, n).subarray(0, length % n);
  }
}

/** The given numbers in random order: one permutation a pass, from the generator given or the default one. */
export class SubsetRandomSampler implements Sampler {
  readonly indices: ArrayLike<number>;
  readonly generator: GeneratorOptions['generator'];

  constructor(
    indices: Numbers,
    ...args: Flexible<[generator: GeneratorOptions['generator']], GeneratorOptions>
  ) {
    this.indices = listOfNumbers(indices);
    this.generator = named<GeneratorOptions>(new.target.name, 'generator', args).generator;
  }

  get length(): number {
    return this.indices.length;
  }

  *[Symbol.iterator](): Iterator<number> {
    for (const i of randomPermutation(engineOf(this), this.length)) yield this.indices[i];
  }
}

export interface WeightedRandomSamplerOptions extends GeneratorOptions {
  /** Default true: a number may come more than once. */
  replacement?: boolean;
}

/**
 * `numSamples` numbers, each with a probability proportional to its weight; weights need not add up to 1.
 * One draw of `multinomial` in float64 a pass. @throws ArgumentError for weights that cannot be drawn from
 */
export class WeightedRandomSampler implements Sampler {
  readonly weights: Float64Array;
  readonly numSamples: number;
  readonly replacement: boolean;
  readonly generator: GeneratorOptions['generator'];

  constructor(
    weights: Numbers,
    numSamples: number,
    ...args: Flexible<
      [replacement: boolean, generator: GeneratorOptions['generator']],
      WeightedRandomSamplerOptions
    >
  ) {
    const options = named<WeightedRandomSamplerOptions>(new.target.name, 'replacement generator', args);
    checkCount(numSamples, 'WeightedRandomSampler');
    this.weights = Float64Array.from(listOfNumbers(weights));
    this.numSamples = numSamples;
    this.replacement = options.replacement ?? true;
    this.generator = options.generator;
  }

  get length(): number {
    return this.numSamples;
  }

  *[Symbol.iterator](): Iterator<number> {
    const { weights, numSamples, replacement } = this;
    yield* sampleCategories(engineOf(this), weights, weights.length, numSamples, replacement);
  }
}

/** The numbers of another sampler in lists of `batchSize`; the last one is shorter, or left out with dropLast. */
export class BatchSampler implements Sampler<Int32Array> {
  readonly sampler: Sampler;
  readonly batchSize: number;
  readonly dropLast: boolean;

  constructor(sampler: Sampler, batchSize: number, dropLast?: boolean | { dropLast?: boolean }) {
    checkCount(batchSize, 'BatchSampler', 'batchSize');
    this.sampler = sampler;
    this.batchSize = batchSize;
    this.dropLast = option<'dropLast', boolean>(dropLast, new.target.name, 'dropLast', false);
  }

  get generator(): GeneratorOptions['generator'] {
    return this.sampler.generator;
  }

  get length(): number {
    const batches = this.sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  *[Symbol.iterator](): Iterator<Int32Array> {
    const { sampler, batchSize } = this;
    let batch = new Int32Array(batchSize);
    let filled = 0;
    for (const list of sampler.lists?.() ?? oneByOne(sampler, batchSize)) {
      for (let at = 0; at < list.length; ) {
        const taken = list.subarray(at, at + batchSize - filled);
        batch.set(taken, filled);
        filled += taken.length;
        at += taken.length;
        if (filled < batchSize) continue;
        yield batch;
        batch = new Int32Array(batchSize);
        filled = 0;
      }
    }
    if (filled > 0 && !this.dropLast) yield batch.subarray(0, filled);
  }
}

/** The numbers of a sampler in lists of `size`, each asked for when the list before it is full. */
function* oneByOne(sampler: Sampler, size: number): Iterable<Int32Array> {
  let list = new Int32Array(size);
  let filled = 0;
  for (const i of sampler) {
    // In the list it would be cut to one that is.
    if (!Number.isInteger(i) || (i | 0) !== i)
      throw new IndexError(`DataLoader: a sampler must give the numbers of samples, but got ${String(i)}`);
    list[filled++] = i;
    if (filled < size) continue;
    yield list;
    list = new Int32Array(size);
    filled = 0;
  }
  yield list.subarray(0, filled);
}

/** @throws ArgumentError unless it is a whole number from 1 */
export function checkCount(count: number, op: string, what = 'numSamples'): void {
  if (!Number.isInteger(count) || count < 1) {
    throw new ArgumentError(`${op}: ${what} should be a positive integer value, but got ${what} = ${count}`);
  }
}
