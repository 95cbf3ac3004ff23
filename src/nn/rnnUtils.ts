/** `nn.utils.rnn`: sequences of different lengths, padded to one length or packed without padding. */
import { ArgumentError, IndexError, ShapeError } from '../core/errors.ts';
import { formatShape, sameShape } from '../core/shape.ts';
import { full } from '../creation.ts';
import { cat, stack } from '../ops/join.ts';
import { option } from '../ops/options.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { int64, type Lengths, listOf, PackedSequence } from './packedSequence.ts';

export { type Lengths, PackedSequence } from './packedSequence.ts';

/** `count` rows of a value behind x, of whose shape and kind they are. */
function extended(x: Tensor, count: number, value: number, front = false): Tensor {
  if (count === 0) return x;
  const rows = full([count, ...x.shape.slice(1)], value, { dtype: x.dtype, device: x.device });
  return cat<Tensor>(front ? [rows, x] : [x, rows], 0);
}

export interface PadSequenceOptions {
  /** [n, t, …] instead of [t, n, …]. Default false. */
  batchFirst?: boolean;
  /** Default 0. */
  paddingValue?: number;
  /** Default 'right': behind the last step. */
  paddingSide?: 'right' | 'left';
}

/**
 * Sequences [tᵢ, …] side by side, [t, n, …] with the largest t, the shorter ones padded.
 * @throws ArgumentError if there are none, ShapeError if they differ in another dimension
 */
export function padSequence(
  sequences: Iterable<Tensor>,
  ...rest: Flexible<
    [batchFirst: boolean, paddingValue: number, paddingSide: 'right' | 'left'],
    PadSequenceOptions
  >
): Tensor {
  const list = [...sequences];
  const {
    batchFirst = false,
    paddingValue = 0,
    paddingSide = 'right',
  } = named<PadSequenceOptions>('pad_sequence', 'batchFirst paddingValue paddingSide', rest);
  if (paddingSide !== 'right' && paddingSide !== 'left')
    throw new ArgumentError(
      `padSequence: padding_side must be 'right' or 'left', but got ${String(paddingSide)}`,
    );
  const [first] = list;
  if (first === undefined) throw new ArgumentError('padSequence: received an empty list of sequences');
  const odd = list.find((x) => x.ndim === 0 || !sameShape(x.shape.slice(1), first.shape.slice(1)));
  if (odd !== undefined) {
    throw new ShapeError(
      `padSequence: expected sequences that differ in their first dimension only, but got shapes ` +
        `${formatShape(first.shape)} and ${formatShape(odd.shape)}`,
    );
  }
  const longest = Math.max(...list.map((x) => x.shape[0]));
  const padded = list.map((x) => extended(x, longest - x.shape[0], paddingValue, paddingSide === 'left'));
  return stack<Tensor>(padded, batchFirst ? 0 : 1);
}

/** The sequences of a padded batch [t, n, …] (or [n, t, …]), without the padding behind them. */
export function unpadSequence(
  padded: Tensor,
  lengths: Lengths,
  batchFirst: boolean | { batchFirst?: boolean } = false,
): Tensor[] {
  const rows = option<'batchFirst', boolean>(batchFirst, 'unpad_sequence', 'batchFirst', false)
    ? padded
    : padded.transpose(0, 1);
  return listOf(lengths).map((length, i) => rows.select(0, i).narrow(0, 0, length));
}

export interface PackOptions {
  /** Lengths must come in decreasing order; false: the sequences are sorted. Default true. */
  enforceSorted?: boolean;
}

export interface PackPaddedOptions extends PackOptions {
  /** [n, t, …] instead of [t, n, …]. Default false. */
  batchFirst?: boolean;
}

/**
 * A padded batch [t, n, …] without its padding, for a recurrent layer.
 * @throws ArgumentError for lengths that are not positive or not sorted (see `enforceSorted`), ShapeError if there are not n of
 * them, IndexError for one beyond t
 */
export function packPaddedSequence(
  input: Tensor,
  lengths: Lengths,
  ...rest: Flexible<[batchFirst: boolean, enforceSorted: boolean], PackPaddedOptions>
): PackedSequence {
  const { batchFirst = false, enforceSorted = true } = named<PackPaddedOptions>(
    'pack_padded_sequence',
    'batchFirst enforceSorted',
    rest,
  );
  const padded = batchFirst ? input.transpose(0, 1) : input;
  const given = listOf(lengths);
  checkLengths(given, padded, enforceSorted);
  const order = enforceSorted ? null : given.map((_, i) => i).sort((a, b) => given[b] - given[a]);
  const sorted = order && int64(order, input.device);
  const sizes = batchSizesOf(given);
  const rows = sizes.flatMap((size, t) =>
    Array.from({ length: size }, (_, i) => t * given.length + (order ? order[i] : i)),
  );
  const data = padded.flatten(0, 1).indexSelect(0, int64(rows, input.device));
  return new PackedSequence(data, sizes, sorted);
}

function checkLengths(lengths: readonly number[], padded: Tensor, enforceSorted: boolean): void {
  const [steps, batch] = padded.shape;
  if (lengths.length !== batch) {
    throw new ShapeError(
      `packPaddedSequence: Expected \`len(lengths)\` to be equal to batch_size, but got ${lengths.length} (batch_size=${batch})`,
    );
  }
  if (lengths.some((length) => length <= 0)) {
    throw new ArgumentError(
      `packPaddedSequence: Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0`,
    );
  }
  if (enforceSorted && lengths.some((length, i) => i > 0 && length > lengths[i - 1])) {
    throw new ArgumentError(
      'packPaddedSequence: `lengths` array must be sorted in decreasing order when `enforceSorted` is true. You can pass ' +
        '{ enforceSorted: false } to sidestep this requirement.',
    );
  }
  const longest = Math.max(...lengths);
  if (longest > steps)
    throw new IndexError(
      `packPaddedSequence: expected lengths up to ${steps}, the padded one, but got ${longest}`,
    );
}

/** How many of the lengths go beyond 0, 1, 2, …: each is the other's list. */
const batchSizesOf = (lengths: readonly number[]): number[] =>
  Array.from({ length: Math.max(...lengths) }, (_, t) => lengths.filter((length) => length > t).length);

/** Sequences [tᵢ, …] packed. @throws ArgumentError, ShapeError as `padSequence` and `packPaddedSequence` */
export function packSequence(
  sequences: Iterable<Tensor>,
  ...rest: Flexible<[enforceSorted: boolean], PackOptions>
): PackedSequence {
  const list = [...sequences];
  const { enforceSorted = true } = named<PackOptions>('pack_sequence', 'enforceSorted', rest);
  const padded = padSequence(list);
  return packPaddedSequence(
    padded,
    list.map((x) => x.shape[0]),
    { enforceSorted },
  );
}

export interface PadPackedOptions {
  /** [n, t, …] instead of [t, n, …]. Default false. */
  batchFirst?: boolean;
  /** Default 0. */
  paddingValue?: number;
  /** Pad to so many steps. */
  totalLength?: number | null;
}

/**
 * The inverse of `packPaddedSequence`: [padded batch, its lengths (int64)], in the order before sorting.
 * @throws ArgumentError for a total length below the longest
 */
export function padPackedSequence(
  sequence: PackedSequence,
  ...rest: Flexible<[batchFirst: boolean, paddingValue: number, totalLength: number | null], PadPackedOptions>
): [padded: Tensor, lengths: Tensor] {
  const {
    batchFirst = false,
    paddingValue = 0,
    totalLength = null,
  } = named<PadPackedOptions>('pad_packed_sequence', 'batchFirst paddingValue totalLength', rest);
  const sizes = listOf(sequence.batchSizes);
  const [batch] = sizes;
  if (totalLength !== null && totalLength < sizes.length) {
    throw new ArgumentError(
      'padPackedSequence: Expected total_length to be at least the length of the longest sequence in input, but got ' +
        `total_length=${totalLength} and max sequence length being ${sizes.length}`,
    );
  }
  const { data, unsortedIndices } = sequence;
  const lengths = batchSizesOf(sizes);
  const places = unsortedIndices === null ? lengths.map((_, i) => i) : listOf(unsortedIndices);
  const steps = totalLength ?? sizes.length;
  let start = 0;
  const rows = Array.from({ length: steps }, (_, t) => {
    const [first, size] = [start, sizes[t] ?? 0];
    start += size;
    // Behind the data there is one row of padding.
    return places.map((place) => (place < size ? first + place : data.shape[0]));
  });
  const padded = extended(data, 1, paddingValue)
    .indexSelect(0, int64(rows.flat(), data.device))
    .unflatten(0, [steps, batch]);
  const inOrder = places.map((place) => lengths[place]);
  return [batchFirst ? padded.transpose(0, 1) : padded, int64(inOrder)];
}

/** The sequences that were packed, in the order before sorting. */
export function unpackSequence(sequence: PackedSequence): Tensor[] {
  const [padded, lengths] = padPackedSequence(sequence, { batchFirst: true });
  return unpadSequence(padded, lengths, true);
}
