/** Collections of samples: what loaders read from. */
import { randomPermutation } from '../core/sampling.ts';
import { ArgumentError, IndexError, ShapeError } from '../core/errors.ts';
import { fromTypedArray } from '../creation.ts';
import { selectAlong } from '../ops/indexing.ts';
import { defaultGenerator, type Generator } from '../random.ts';
import type { Tensor } from '../tensor.ts';

/**
 * Samples by number, as PyTorch's map-style data sets. `get` may return a promise where samples must be fetched: such a
 * data set is read by `for await`. A data set that can make whole batches at once offers `getBatch`, and loaders use it.
 */
export interface Dataset<S = unknown, B = Collated<S>> {
  readonly length: number;
  get(index: number): S | Promise<S>;
  /** The collated batch of these samples, without an object per sample. */
  getBatch?(indices: Int32Array): B;
}

/** What collating samples of type S gives: tensors are stacked, numbers become a tensor, structures keep their form. */
export type Collated<S> = S extends Tensor | number | bigint | boolean
  ? Tensor
  : S extends string
    ? string[]
    : S extends readonly unknown[]
      ? { -readonly [K in keyof S]: Collated<S[K]> }
      : S extends object
        ? { [K in keyof S]: Collated<S[K]> }
        : S[];

function checkIndex(index: number, length: number, op: string): number {
  const at = index < 0 ? index + length : index;
  if (!Number.isInteger(index) || at < 0 || at >= length) {
    throw new IndexError(`${op}: index ${index} is out of range for a data set of ${length} samples`);
  }
  return at;
}

/** int64 positions for the index kernels. */
export const positionsTensor = (indices: Int32Array, device: string): Tensor =>
  fromTypedArray(BigInt64Array.from(indices, BigInt), [indices.length], { device });

/** Tensors with equal first dimensions; sample i is their i-th rows. */
export class TensorDataset implements Dataset<Tensor[], Tensor[]> {
  readonly tensors: readonly Tensor[];
  readonly length: number;

  /** @throws ShapeError if the first dimensions differ; ArgumentError without any tensor */
  constructor(...tensors: readonly Tensor[]) {
    if (tensors.length === 0) throw new ArgumentError('TensorDataset: at least one tensor is needed');
    const [first] = tensors;
    for (const x of tensors) {
      if (x.ndim === 0 || x.shape[0] !== first.shape[0]) {
        throw new ShapeError(
          `TensorDataset: Size mismatch between tensors, got first dimensions ${tensors.map((t) => t.shape[0]).join(', ')}`,
        );
      }
    }
    this.tensors = tensors;
    this.length = first.shape[0];
  }

  get(index: number): Tensor[] {
    const at = checkIndex(index, this.length, 'TensorDataset');
    return this.tensors.map((x) => x.select(0, at));
  }

  getBatch(indices: Int32Array): Tensor[] {
    return this.tensors.map((x) => selectAlong<Tensor>(x, 0, positionsTensor(indices, x.device)));
  }
}

/** Some samples of another data set, in an order of their own. */
export class Subset<S, B = Collated<S>> implements Dataset<S, B> {
  readonly dataset: Dataset<S, B>;
  readonly indices: Int32Array;
  readonly getBatch?: (indices: Int32Array) => B;

  /** @throws IndexError for an index outside the data set */
  constructor(dataset: Dataset<S, B>, indices: ArrayLike<number>) {
    this.dataset = dataset;
    this.indices = Int32Array.from(indices);
    for (const index of this.indices) checkIndex(index, dataset.length, 'Subset');
    if (dataset.getBatch) this.getBatch = (picks) => this.#batch(picks);
  }

  get length(): number {
    return this.indices.length;
  }

  get(index: number): S | Promise<S> {
    return this.dataset.get(this.indices[checkIndex(index, this.length, 'Subset')]);
  }

  #batch(picks: Int32Array): B {
    const own = new Int32Array(picks.length);
    for (let i = 0; i < picks.length; i++) own[i] = this.indices[picks[i]];
    const batch = this.dataset.getBatch?.(own);
    if (batch === undefined) throw new ArgumentError('Subset: the data set no longer makes batches');
    return batch;
  }
}

/** Data sets one after the other. */
export class ConcatDataset<S> implements Dataset<S> {
  readonly datasets: readonly Dataset<S>[];
  readonly length: number;

  /** @throws ArgumentError for an empty list */
  constructor(datasets: readonly Dataset<S>[]) {
    if (datasets.length === 0) throw new ArgumentError('ConcatDataset: datasets should not be an empty iterable');
    this.datasets = datasets;
    this.length = datasets.reduce((n, d) => n + d.length, 0);
  }

  get(index: number): S | Promise<S> {
    let at = checkIndex(index, this.length, 'ConcatDataset');
    for (const dataset of this.datasets) {
      if (at < dataset.length) return dataset.get(at);
      at -= dataset.length;
    }
    throw new IndexError(`ConcatDataset: index ${index} is out of range`);
  }
}

/** Whole lengths from fractions that sum to 1: rounded down, what is left goes one by one to the first parts. */
function lengthsOf(total: number, lengths: readonly number[]): number[] {
  const sum = lengths.reduce((n, f) => n + f, 0);
  const fractions = Math.abs(sum - 1) < 1e-6 && lengths.every((f) => f >= 0 && f <= 1);
  if (!fractions || total === 1) {
    if (sum !== total || !lengths.every((n) => Number.isInteger(n) && n >= 0)) {
      throw new ArgumentError(
        `randomSplit: Sum of input lengths does not equal the length of the input dataset! Got [${lengths.join(', ')}] for ${total} samples`,
      );
    }
    return lengths.slice();
  }
  const whole = lengths.map((f) => Math.floor(total * f));
  const rest = total - whole.reduce((n, k) => n + k, 0);
  for (let i = 0; i < rest; i++) whole[i % whole.length]++;
  return whole;
}

/**
 * Parts of a data set, drawn without overlap: lengths, or fractions that sum to 1. PyTorch's order for the same seed.
 * @throws ArgumentError if the lengths do not sum to the data set's
 */
export function randomSplit<S, B = Collated<S>>(
  dataset: Dataset<S, B>,
  lengths: readonly number[],
  { generator = defaultGenerator }: { generator?: Generator } = {},
): Subset<S, B>[] {
  const parts = lengthsOf(dataset.length, lengths);
  const order = randomPermutation(generator.engine, dataset.length);
  let start = 0;
  return parts.map((n) => {
    const part = new Subset<S, B>(dataset, order.subarray(start, start + n));
    start += n;
    return part;
  });
}
