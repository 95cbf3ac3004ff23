/** Rows of tables by number. */

import { noGrad } from '../../autograd/gradMode.ts';
import { record } from '../../autograd/record.ts';
import { isInteger } from '../../core/dtype.ts';
import { ArgumentError, DTypeError, IndexError, ShapeError } from '../../core/errors.ts';
import { inOp } from '../../core/inOp.ts';
import { formatShape } from '../../core/shape.ts';
import { onesLike, zeros } from '../../creation.ts';
import { checkDevices } from '../../ops/convert.ts';
import { tensorGiven, wholeGiven } from '../../ops/given.ts';
import { addAlong } from '../../ops/indexing.ts';
import { type ByName, oneWay, option } from '../../ops/options.ts';
import { vectorNorm } from '../../ops/statistics.ts';
import { taking } from '../../ops/taking.ts';
import { reshape } from '../../ops/views.ts';
import { checkWithin } from '../../ops/within.ts';
import type { Tensor } from '../../tensor.ts';
import { paddingRow } from './paddingRow.ts';

export interface EmbeddingFunctionOptions {
  /** This row gets no gradient; negative from the end. */
  paddingIdx?: number | null;
  /** Rows that are used and longer than this are shortened to it, in place. */
  maxNorm?: number | null;
  /** The exponent of that length. Default 2. */
  normType?: number;
  /** Divide each row's gradient by how often the row is used in the call. */
  scaleGradByFreq?: boolean;
  /** Always false: gradients are dense. */
  sparse?: false;
}

/**
 * weight[input]: the rows of weight [num, dim] named by whole numbers, in the shape [...input, dim].
 * @throws IndexError for a number out of range; DTypeError, ShapeError
 */
export const embedding = /* @__PURE__ */ taking(
  'embedding',
  'weight paddingIdx? maxNorm? normType? scaleGradByFreq? sparse?',
  function embedding(
    input: Tensor,
    weight: Tensor,
    paddingIdx: number | null = null,
    maxNorm: number | null = null,
    normType = 2,
    scaleGradByFreq = false,
    sparse: false | undefined = undefined,
  ): Tensor {
    tensorGiven(input, 'embedding');
    tensorGiven(weight, 'embedding', 'weight');
    oneWay('embedding', 'sparse', sparse, false);
    return inOp('embedding', () => {
      if (!isInteger(input.dtype))
        throw new DTypeError(
          `embedding: expected argument 'input', the indices, of dtype int64 or int32, but got ${input.dtype}`,
        );
      if (weight.ndim !== 2)
        throw new ShapeError(`'weight' must be 2-D, but got ${formatShape(weight.shape)}`);
      checkDevices([input, weight], 'embedding', 'input weight');
      const [rows, size] = weight.shape;
      const padding = paddingRow(paddingIdx, rows, 'embedding');
      const picks = reshape<Tensor>(input.long(), [input.numel()]);
      checkWithin(
        picks,
        0,
        rows,
        'embedding',
        (value) =>
          new IndexError(
            `embedding: index out of range in self: expected indices in [0, ${rows}) for ${rows} rows of weight, but got ${value}`,
          ),
      );
      if (maxNorm !== null) shorten(weight, picks, maxNorm, normType);
      const picked = weight.array.backend.indexSelect(weight.array, 0, picks.array);
      const shape = weight.shape;
      const found = record<Tensor>('EmbeddingBackward0', picked, [weight], (node) => {
        const saved = node.save(picks);
        return (grad) => {
          const used = saved.get(grad);
          let sent: Tensor = grad;
          if (scaleGradByFreq)
            sent = sent.div(frequencies(used, rows).index(used).unsqueeze(1).to(grad.dtype));
          if (padding !== null) sent = sent.mul(used.ne(padding).unsqueeze(1).to(grad.dtype));
          return [addAlong(sent, 0, used, shape)];
        };
      });
      return reshape<Tensor>(found, [...input.shape, size]);
    });
  },
);

/** [rows]: how often each row is used. */
const frequencies = (picks: Tensor, rows: number): Tensor => addAlong(picks.mul(0).add(1), 0, picks, [rows]);

function shorten(weight: Tensor, picks: Tensor, maxNorm: number, normType: number): void {
  noGrad(() => {
    const norms = vectorNorm(weight, normType, 1, true);
    const isUsed = frequencies(picks, weight.shape[0]).gt(0).unsqueeze(1);
    const tooLong = norms.gt(maxNorm).mul(isUsed).to(weight.dtype);
    const factor = norms.add(1e-7).reciprocal().mul(maxNorm).sub(1).mul(tooLong).add(1);
    weight.mul_(factor);
  });
}

/**
 * int64 [...x, numClasses]: 1 at the place that x names, 0 elsewhere. numClasses −1 takes the largest of x plus one.
 * @throws DTypeError, ArgumentError
 */
export function oneHot(x: Tensor, given?: ByName<'numClasses', number>): Tensor {
  tensorGiven(x, 'one_hot');
  const numClasses = option<'numClasses', number>(given, 'one_hot', 'numClasses', -1);
  return inOp('one_hot', () => {
    if (x.dtype !== 'int64') {
      throw new DTypeError(
        `oneHot: one_hot is only applicable to index tensor of type LongTensor, but got ${x.dtype}`,
      );
    }
    if (x.numel() === 0 && numClasses <= 0) {
      throw new ArgumentError('Can not infer total number of classes from empty tensor.');
    }
    const { backend } = x.array;
    const checkBelow = (size: number) =>
      checkWithin(x, 0, size, 'one_hot', (value) => {
        const expected = value < 0 ? 'non-negative' : 'smaller than num_classes';
        return new ArgumentError(`Class values must be ${expected} in argument 'input'. Got ${value}`);
      });
    checkBelow(Number.MAX_SAFE_INTEGER);
    const classes =
      numClasses === -1
        ? Array.from(backend.hostValues(x.array, 'one_hot'), Number).reduce((a, b) => Math.max(a, b)) + 1
        : wholeGiven(numClasses, 'one_hot', 'numClasses');
    if (!(classes > 0)) throw new ArgumentError(`num_classes should be positive, but got ${classes}`);
    checkBelow(classes);
    const out = zeros([...x.shape, classes], { dtype: 'int64', device: x.device });
    const places = x.unsqueeze(-1);
    if (places.numel() > 0)
      backend.scatter(out.array, x.ndim, places.array, onesLike(places).array, 'replace');
    return out;
  });
}
