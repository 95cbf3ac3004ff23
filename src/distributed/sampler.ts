/** Which samples belong to which process. */
import { ArgumentError } from '../core/errors.ts';
import { RandomEngine } from '../core/rng.ts';
import { randomPermutation } from '../core/sampling.ts';
import type { Sampler, Sized } from '../data/sampler.ts';
import { isInitialized, processGroup } from './group.ts';

export interface DistributedSamplerOptions {
  /** Default: the number of processes of the group. */
  numReplicas?: number;
  /** Default: this process's rank. */
  rank?: number;
  /** Another random order in each epoch, the same on all processes. Default true. */
  shuffle?: boolean;
  /** Of the random order; the same on all processes. Default 0. */
  seed?: number;
  /** Leave out the samples at the end that cannot be divided evenly, instead of giving some twice. Default false. */
  dropLast?: boolean;
}

/**
 * Every process's part of a data set: sample r, r + n, r + 2n … of the epoch's order for process r of n. All parts have
 * the same length. Call `setEpoch` at the beginning of every epoch, or all have the same order.
 * @throws ArgumentError for a rank out of range; DistributedError if there is no group and no numbers are given
 */
export class DistributedSampler implements Sampler {
  readonly dataset: Sized;
  readonly numReplicas: number;
  readonly rank: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly dropLast: boolean;
  /** Samples per process. */
  readonly numSamples: number;
  /** Samples of all processes. */
  readonly totalSize: number;
  epoch = 0;

  constructor(dataset: Sized, options: DistributedSamplerOptions = {}) {
    const needsGroup = options.numReplicas === undefined || options.rank === undefined;
    const group = needsGroup || isInitialized() ? processGroup('DistributedSampler') : null;
    const { numReplicas = group?.size ?? 1, rank = group?.rank ?? 0 } = options;
    const { shuffle = true, seed = 0, dropLast = false } = options;
    if (!Number.isInteger(numReplicas) || numReplicas < 1) {
      throw new ArgumentError(
        `DistributedSampler: numReplicas must be a positive integer, but got ${numReplicas}`,
      );
    }
    if (!Number.isInteger(rank) || rank >= numReplicas || rank < 0) {
      throw new ArgumentError(`Invalid rank ${rank}, rank should be in the interval [0, ${numReplicas - 1}]`);
    }
    this.dataset = dataset;
    this.numReplicas = numReplicas;
    this.rank = rank;
    this.shuffle = shuffle;
    this.seed = seed;
    this.dropLast = dropLast;
    const { length } = dataset;
    const uneven = length % numReplicas !== 0;
    this.numSamples =
      dropLast && uneven
        ? Math.max(0, Math.ceil((length - numReplicas) / numReplicas))
        : Math.ceil(length / numReplicas);
    this.totalSize = this.numSamples * numReplicas;
  }

  get length(): number {
    return this.numSamples;
  }

  /** Chooses the order of the coming passes. */
  setEpoch(epoch: number): void {
    this.epoch = epoch;
  }

  *[Symbol.iterator](): Iterator<number> {
    const { length } = this.dataset;
    const { rank, numReplicas, totalSize, shuffle } = this;
    const order = shuffle ? randomPermutation(new RandomEngine(this.seed + this.epoch), length) : null;
    for (let i = rank; i < totalSize; i += numReplicas) {
      // Beyond the end it begins again, as often as it takes.
      const at = i % length;
      yield order === null ? at : order[at];
    }
  }
}
