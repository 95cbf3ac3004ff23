/** Rows of a table summed, averaged or compared in bags. */

import { isFloating, isInteger } from '../../core/dtype.ts';
import { ArgumentError, DTypeError, ShapeError } from '../../core/errors.ts';
import { inOp } from '../../core/inOp.ts';
import { formatShape, sameShape } from '../../core/shape.ts';
import { ones } from '../../creation.ts';
import { checkDevices } from '../../ops/convert.ts';
import { searchsorted } from '../../ops/counting.ts';
import { tensorGiven } from '../../ops/given.ts';
import { addAlong } from '../../ops/indexing.ts';
import { taking } from '../../ops/taking.ts';
import { whereOp } from '../../ops/where.ts';
import { arange } from '../../sequences.ts';
import { type Flexible, named, oneWay } from '../../tensor/namedArguments.ts';
import type { Tensor } from '../../tensor.ts';
import { embedding } from './embedding.ts';
import { paddingRow } from './paddingRow.ts';

export type EmbeddingBagMode = 'sum' | 'mean' | 'max';

/** How rows are looked up and put together. */
export interface EmbeddingBagSettings {
  /** Rows that are used and longer than this are shortened to it, in place. */
  maxNorm?: number | null;
  /** The exponent of that length. Default 2. */
  normType?: number;
  /** Divide each row's gradient by how often the row is used in the call. Not in mode 'max'. */
  scaleGradByFreq?: boolean;
  /** Default 'mean'. */
  mode?: EmbeddingBagMode;
  /** Always false: gradients are dense. */
  sparse?: false;
  /** The last offset is the end of the last bag, and not the start of one more. */
  includeLastOffset?: boolean;
  /** This row is left out of the bags and gets no gradient; negative from the end. */
  paddingIdx?: number | null;
}

export interface EmbeddingBagFunctionOptions extends EmbeddingBagSettings {
  /** Where each bag begins, for an input of one dimension: whole numbers [bags], from 0 on, that never decrease. */
  offsets?: Tensor | null;
  /** A factor for each row, of the input's shape. In mode 'sum' only. */
  perSampleWeights?: Tensor | null;
}

const NAMES =
  'offsets maxNorm normType scaleGradByFreq mode sparse * perSampleWeights includeLastOffset paddingIdx';

/** What is in which bag. */
interface Bags {
  /** How many there are. */
  readonly count: number;
  /** x [items, …] summed by bags: [bags, …]. */
  sum(x: Tensor): Tensor;
  /** The largest of x [items, dim] in each bag, by columns; of a bag of none, anything. */
  max(x: Tensor): Tensor;
}

/** Bags of as many items each. */
const evenBags = (count: number, size: number): Bags => ({
  count,
  sum: (x) => x.reshape([count, size, ...x.shape.slice(1)]).sum(1),
  max: (x) => x.reshape([count, size, x.shape[1]]).max(1).values,
});

/** Bags that begin at `starts`, int64 [count], of which items [items] names one for each; those of others are left out. */
function unevenBags(starts: Tensor, bagOf: Tensor): Bags {
  const [count] = starts.shape;
  return {
    count,
    sum: (x) => addAlong<Tensor>(x, 0, bagOf, [count + 1, ...x.shape.slice(1)]).narrow(0, 0, count),
    // No length is known on a device: by size, then by bag, and each begins where it did.
    max(x) {
      const bySize = x.detach().argsort({ dim: 0, descending: true, stable: true });
      const bags = bagOf.unsqueeze(1).expand(x.shape).gather(0, bySize);
      const sorted = bySize.gather(0, bags.argsort({ dim: 0, stable: true }));
      const first = starts.clamp(0, x.shape[0] - 1).unsqueeze(1);
      return x.gather(0, sorted.gather(0, first.expand([count, x.shape[1]])));
    },
  };
}

/** @throws ArgumentError unless offsets begin at 0, never decrease, and end within the input */
function checkOffsets(offsets: Tensor, items: number): void {
  const { backend } = offsets.array;
  const say = (text: string): ArgumentError => {
    const values = backend.synchronous ? [offsets.tolist()].flat().join(', ') : 'others';
    return new ArgumentError(`embedding_bag: ${text}, but got offsets of [${values}]`);
  };
  const count = offsets.numel();
  if (count === 0) return;
  const { array } = offsets.select(0, 0).eq(0);
  backend.require(array, () =>
    say('offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0'),
  );
  const steps = offsets.narrow(0, 1, count - 1).ge(offsets.narrow(0, 0, count - 1));
  backend.require(steps.array, () => say("'offsets' must not decrease"));
  const last = offsets.select(0, count - 1).le(items);
  backend.require(last.array, () => say(`offsets[-1] can not be greater than input's length ${items}`));
}

function bagsOf(input: Tensor, offsets: Tensor | null | undefined, includeLastOffset: boolean): Bags {
  if (input.ndim === 2) {
    if (offsets)
      throw new ArgumentError(
        'embedding_bag: if input is 2D, then offsets has to be null, as input is treated is a mini-batch of fixed length ' +
          `sequences, but got offsets of shape ${formatShape(offsets.shape)}`,
      );
    return evenBags(input.shape[0], input.shape[1]);
  }
  if (input.ndim !== 1)
    throw new ShapeError(
      `embedding_bag: argument 'input' has to be 1D or 2D Tensor, but got Tensor of dimension ${input.ndim}, of shape ` +
        formatShape(input.shape),
    );
  if (!offsets)
    throw new ArgumentError(
      "embedding_bag: argument 'offsets' must be given: offsets has to be a 1D Tensor, but got null",
    );
  tensorGiven(offsets, 'embedding_bag', 'offsets');
  if (offsets.ndim !== 1)
    throw new ShapeError(
      `embedding_bag: argument 'offsets' has to be a 1D Tensor, but got shape ${formatShape(offsets.shape)}`,
    );
  if (!isInteger(offsets.dtype))
    throw new DTypeError(
      `embedding_bag: expected argument 'offsets' of dtype int64 or int32, but got ${offsets.dtype}`,
    );
  checkDevices([input, offsets], 'embedding_bag', 'input offsets');
  if (includeLastOffset && offsets.numel() === 0)
    throw new ArgumentError(
      'embedding_bag: include_last_offset: number of offset should be at least 1, but got 0',
    );
  const starts = offsets.long();
  checkOffsets(starts, input.numel());
  const items = arange(input.numel(), { device: input.device });
  // Not below 0, which is where offsets lead that are found wrong only later, on a device.
  const bagOf = searchsorted<Tensor>(starts, items, { right: true }).sub(1).clampMin(0);
  return unevenBags(includeLastOffset ? starts.narrow(0, 0, starts.numel() - 1) : starts, bagOf);
}

/** @throws ArgumentError, ShapeError, DTypeError for what does not go with the mode */
function checkBag(
  input: Tensor,
  weight: Tensor,
  { mode = 'mean', scaleGradByFreq, perSampleWeights }: EmbeddingBagFunctionOptions,
): void {
  if (weight.ndim !== 2)
    throw new ShapeError(
      `embedding_bag: argument 'weight' has to be a 2D Tensor, but got Tensor of dimension ${weight.ndim}, of shape ` +
        formatShape(weight.shape),
    );
  if (!isFloating(weight.dtype))
    throw new DTypeError(
      `embedding_bag: expected argument 'weight' of a floating dtype, but got ${weight.dtype}`,
    );
  if (!['sum', 'mean', 'max'].includes(mode))
    throw new ArgumentError(
      `embedding_bag: mode has to be one of sum, mean or max, but got '${String(mode)}'`,
    );
  if (mode === 'max' && scaleGradByFreq)
    throw new ArgumentError(
      'embedding_bag: max mode does not support scaling the gradient by the frequency, but got scaleGradByFreq true',
    );
  if (!perSampleWeights) return;
  tensorGiven(perSampleWeights, 'embedding_bag', 'perSampleWeights');
  if (mode !== 'sum')
    throw new ArgumentError(
      `embedding_bag: per_sample_weights is only supported for mode='sum', but got mode='${mode}'`,
    );
  if (!sameShape(perSampleWeights.shape, input.shape))
    throw new ShapeError(
      `embedding_bag: expected per_sample_weights to have the same shape as the input ${formatShape(input.shape)}, but got ` +
        formatShape(perSampleWeights.shape),
    );
  if (perSampleWeights.dtype !== weight.dtype)
    throw new DTypeError(
      `embedding_bag: expected argument 'perSampleWeights' to have the dtype of weight, ${weight.dtype}, but got ` +
        perSampleWeights.dtype,
    );
}

/** Rows [items, dim] put together. `used` is false, [items, 1], where a row does not count. */
function together(rows: Tensor, used: Tensor | null, bags: Bags, mode: EmbeddingBagMode): Tensor {
  if (rows.numel() === 0) return bags.sum(rows);
  const { dtype, device } = rows;
  const items = used ? used.to(dtype) : ones([rows.shape[0], 1], { dtype, device });
  if (mode === 'max') {
    const largest = bags.max(used ? whereOp<Tensor>(used, rows, Number.NEGATIVE_INFINITY) : rows);
    return whereOp<Tensor>(bags.sum(items).gt(0), largest, 0);
  }
  const sums = bags.sum(used ? whereOp<Tensor>(used, rows, 0) : rows);
  return mode === 'sum' ? sums : sums.div(bags.sum(items).clampMin(1));
}

/**
 * The rows of weight [num, dim] that a bag names, put together: [bags, dim]. Bags are the rows of a two-dimensional
 * input [bags, size], or lie one after the other in input [items] and begin at `offsets` [bags]; numbers are int64 or
 * int32, weights any floating dtype. A bag of none gives zeros. Gradients go to weight and to `perSampleWeights`; in mode
 * 'max' to the first of equals. `scaleGradByFreq` divides by the frequency of the row itself; PyTorch 2.13, on the CPU, by
 * that of another one.
 * @throws IndexError for a number out of range; ShapeError, DTypeError, ArgumentError, DeviceError
 */
export const embeddingBag = /* @__PURE__ */ taking(
  'embedding_bag',
  'weight ...',
  function embeddingBag(
    input: Tensor,
    weight: Tensor,
    ...rest: Flexible<
      [
        offsets: Tensor | null | undefined,
        maxNorm: number | null | undefined,
        normType: number,
        scaleGradByFreq: boolean,
        mode: EmbeddingBagMode,
        sparse: false,
      ],
      EmbeddingBagFunctionOptions
    >
  ): Tensor {
    tensorGiven(input, 'embedding_bag');
    tensorGiven(weight, 'embedding_bag', 'weight');
    const options = named<EmbeddingBagFunctionOptions>('embedding_bag', NAMES, rest);
    oneWay('embedding_bag', 'sparse', options.sparse, false);
    return inOp('embedding_bag', () => {
      checkBag(input, weight, options);
      const { offsets, mode = 'mean', includeLastOffset = false, perSampleWeights, ...lookUp } = options;
      const bags = bagsOf(input, offsets, includeLastOffset);
      const picks = input.reshape([-1]);
      const found = embedding(picks, weight, lookUp);
      const rows = perSampleWeights ? found.mul(perSampleWeights.reshape([-1, 1])) : found;
      const row = paddingRow(lookUp.paddingIdx, weight.shape[0], 'embedding_bag');
      return together(rows, row === null ? null : picks.ne(row).unsqueeze(1), bags, mode);
    });
  },
);
