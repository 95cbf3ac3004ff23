/** Data sets that give their samples one after the other, and lists of what they give. */
import { ArgumentError } from '../core/errors.ts';
import { refuse } from '../ops/given.ts';

/**
 * Samples without numbers: what comes over a network, files too large for memory, what is made on the way. A subclass
 * has a generator method `*[Symbol.iterator]()`, or `async *[Symbol.asyncIterator]()` for `for await`, which begins
 * anew for every pass, and a `length` if it knows how many samples come. Any other iterable will do as well.
 */
export abstract class IterableDataset<Sample = unknown> {
  [Symbol.iterator]?(): Iterator<Sample>;
  [Symbol.asyncIterator]?(): AsyncIterator<Sample>;
}

/** What gives samples in its own order. */
export type Stream<Sample> = IterableDataset<Sample> | Iterable<Sample> | AsyncIterable<Sample>;

export const isStream = (samples: object): samples is Stream<never> =>
  !('get' in samples) && (Symbol.iterator in samples || Symbol.asyncIterator in samples);

const isIterable = (x: unknown): boolean =>
  typeof x === 'object' && x !== null && (Symbol.iterator in x || Symbol.asyncIterator in x);

/** Streams one after the other. */
export class ChainDataset<Sample> extends IterableDataset<Sample> {
  readonly datasets: readonly Stream<Sample>[];

  /** @throws ArgumentError for what is no stream */
  constructor(datasets: Iterable<Stream<Sample>>) {
    super();
    const op = 'ChainDataset';
    if (!isIterable(datasets)) refuse(datasets, op, 'datasets', 'a list of streams');
    this.datasets = [...datasets];
    this.datasets.forEach((each, i) => {
      if (!isIterable(each)) refuse(each, op, `datasets[${i}]`, 'a stream');
    });
  }

  override *[Symbol.iterator](): Generator<Sample> {
    for (const samples of this.datasets) {
      if (!(Symbol.iterator in samples))
        throw new ArgumentError('ChainDataset: a stream that takes its time needs `for await`');
      yield* samples as Iterable<Sample>;
    }
  }

  override async *[Symbol.asyncIterator](): AsyncGenerator<Sample> {
    for (const samples of this.datasets) yield* samples as Iterable<Sample> | AsyncIterable<Sample>;
  }
}

/** How a stream is cut into batches. */
export interface Cut {
  readonly size: number;
  /** Leave out a last list that is not full. */
  readonly dropLast: boolean;
  /** Samples at the beginning that have been given before. */
  readonly skip: number;
}

/** The samples of a stream in lists. Leaving the loop early ends the stream's own iterator too. */
export function* lists<Sample>(
  samples: Iterable<Sample>,
  { size, dropLast, skip }: Cut,
): Generator<Sample[]> {
  let left = skip;
  let list: Sample[] = [];
  for (const sample of samples) {
    if (left-- > 0) continue;
    list.push(sample);
    if (list.length < size) continue;
    yield list;
    list = [];
  }
  if (list.length > 0 && !dropLast) yield list;
}

/** The same from a stream that takes its time, or whose samples do. */
export async function* listsInTime<Sample>(
  samples: Iterable<Sample> | AsyncIterable<Sample>,
  { size, dropLast, skip }: Cut,
): AsyncGenerator<Awaited<Sample>[]> {
  let left = skip;
  let list: Awaited<Sample>[] = [];
  for await (const sample of samples) {
    if (left-- > 0) continue;
    list.push(sample);
    if (list.length < size) continue;
    yield list;
    list = [];
  }
  if (list.length > 0 && !dropLast) yield list;
}
