/** Sequences of different lengths without padding between them. */
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { formatShape } from '../core/shape.ts';
import { tensor } from '../creation.ts';
import { Tensor } from '../tensor.ts';

/** Lengths of sequences, one each: a list, or a tensor of whole numbers. */
export type Lengths = readonly number[] | Tensor;

/**
 * Steps of several sequences one behind the other: the first ones of all, then the second ones of those that have one, …
 * Longer sequences come first. What `packPaddedSequence` makes, and recurrent layers take and give.
 */
export class PackedSequence {
  /** [steps of all sequences together, …]. */
  readonly data: Tensor;
  /** int64: how many sequences have a first, second, … step. */
  readonly batchSizes: Tensor;
  /** int64: which sequence came to each place; null if they came longest first. */
  readonly sortedIndices: Tensor | null;
  /** int64: the place of each sequence. */
  readonly unsortedIndices: Tensor | null;

  /** @throws ShapeError unless the batch sizes add up to the steps */
  constructor(
    data: Tensor,
    batchSizes: Lengths,
    sortedIndices: Tensor | null = null,
    unsortedIndices: Tensor | null = sortedIndices && inverse(sortedIndices),
  ) {
    const sizes = listOf(batchSizes);
    const steps = sizes.reduce((sum, size) => sum + size, 0);
    if (data.ndim === 0 || data.shape[0] !== steps) {
      throw new ShapeError(
        `PackedSequence: expected data with as many rows as the batch sizes together, ${steps}, but got shape ` +
          formatShape(data.shape),
      );
    }
    this.data = data;
    this.batchSizes = int64(sizes);
    this.sortedIndices = sortedIndices;
    this.unsortedIndices = unsortedIndices;
  }

  /** Everything as `data.to(…)` has it: another device or dtype. */
  to(...args: Parameters<Tensor['to']>): PackedSequence {
    const data = this.data.to(...args);
    const moved = (indices: Tensor | null) => indices?.to({ device: data.device }) ?? null;
    return new PackedSequence(data, this.batchSizes, moved(this.sortedIndices), moved(this.unsortedIndices));
  }

  /** As PyTorch prints it. */
  toString(): string {
    const { data, batchSizes, sortedIndices, unsortedIndices } = this;
    const shown = (x: Tensor | null) => (x === null ? 'None' : String(x));
    return (
      `PackedSequence(data=${data}, batch_sizes=${batchSizes}, sorted_indices=${shown(sortedIndices)}, ` +
      `unsorted_indices=${shown(unsortedIndices)})`
    );
  }

  /** What Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** The lengths as a list. @throws ArgumentError for what is no list of whole numbers */
export function listOf(lengths: Lengths): number[] {
  const isTensor = lengths instanceof Tensor;
  const values = isTensor ? lengths.array.backend.hostValues(lengths.array, 'lengths') : lengths;
  const numbers =
    isTensor || Array.isArray(values) ? Array.from<unknown, number>(values, Number) : [Number.NaN];
  if (numbers.every(Number.isInteger)) return numbers;
  throw new ArgumentError(
    `lengths: expected a list or a vector of whole numbers, but got ${String(lengths)}`,
  );
}

/** Lengths or places as a tensor. They stay where they can be read. */
export const int64 = (values: readonly number[], device = 'cpu'): Tensor =>
  tensor(values, { dtype: 'int64', device: 'cpu' }).to({ device });

/** The place of each sequence, by which of them came to each place. */
export function inverse(order: Tensor): Tensor {
  const places: number[] = [];
  for (const [place, sequence] of listOf(order).entries()) places[sequence] = place;
  return int64(places, order.device);
}
