/** Losses against classes: shapes and arguments; the arithmetic is in ops/crossEntropy.ts. */

import { isFloating } from '../../core/dtype.ts';
import { ArgumentError, DTypeError, ShapeError } from '../../core/errors.ts';
import { inOp } from '../../core/inOp.ts';
import { formatShape, sameShape } from '../../core/shape.ts';
import { named, stepwise } from '../../ops/composite.ts';
import { checkDevices } from '../../ops/convert.ts';
import { checkClassTarget, checkTargets, crossEntropyRows } from '../../ops/crossEntropy.ts';
import { tensorGiven } from '../../ops/given.ts';
import { selectAlong } from '../../ops/indexing.ts';
import { type LossReduction, reduceLoss } from '../../ops/loss.ts';
import { taking } from '../../ops/taking.ts';
import { reshape, takeFlat } from '../../ops/views.ts';
import { whereOp } from '../../ops/where.ts';
import { arange } from '../../sequences.ts';
import type { Tensor } from '../../tensor.ts';

export interface NLLLossOptions {
  /** A factor for each class, [C]. */
  weight?: Tensor | null;
  /** Positions with this target count for nothing. Default −100. */
  ignoreIndex?: number;
  /** Default 'mean', which divides by the sum of the targets' weights. */
  reduction?: LossReduction;
}

export interface CrossEntropyLossOptions extends NLLLossOptions {
  /** The part of each target that is shared evenly among all classes, in [0, 1]. Default 0. */
  labelSmoothing?: number;
}

type WeightOrOptions<O> = Tensor | null | O;

function settings<O extends NLLLossOptions>(
  first: WeightOrOptions<O> | undefined,
  options: O | undefined,
  op: string,
) {
  // Whatever has a place came in it: `taking` has sorted names and places.
  const weight = first == null ? null : tensorGiven(first as Tensor, op, 'weight');
  const { ignoreIndex = -100, reduction = 'mean' } = options ?? {};
  if (reduction !== 'mean' && reduction !== 'sum' && reduction !== 'none') {
    throw new ArgumentError(`${op}: ${String(reduction)} is not a valid value for reduction`);
  }
  return { weight, ignoreIndex, reduction };
}

/** [N, C, d…] (or [C]) as [rows, C], with the target's shape, which is that of the losses. @throws ShapeError */
function toRows(input: Tensor, target: Tensor, op: string): { rows: Tensor; classes: number; flat: Tensor } {
  if (input.ndim === 0) throw new ShapeError(`${op}: input tensor should be 1D or 2D, but got a 0-d tensor`);
  const at = input.ndim === 1 ? 0 : 1;
  const classes = input.shape[at];
  const expected = input.shape.toSpliced(at, 1);
  if (input.ndim > 1 && target.ndim > 0 && input.shape[0] !== target.shape[0]) {
    throw new ShapeError(
      `Expected input batch_size (${input.shape[0]}) to match target batch_size (${target.shape[0]}).`,
    );
  }
  if (!sameShape(expected, target.shape)) {
    throw new ShapeError(
      input.ndim <= 2 && target.ndim > 1
        ? `0D or 1D target tensor expected, multi-target not supported; got target ${formatShape(target.shape)}`
        : `Expected target size ${formatShape(expected)}, got ${formatShape(target.shape)}`,
    );
  }
  const last = input.ndim <= 2 ? input : input.transpose(1, -1);
  const targetLast = input.ndim <= 3 ? target : target.transpose(1, -1);
  return {
    rows: reshape<Tensor>(last, [target.numel(), classes]),
    classes,
    flat: reshape<Tensor>(targetLast, [target.numel()]),
  };
}

/** Losses of rows in the order of the targets. */
function fromRows(losses: Tensor, target: Tensor, reduction: LossReduction): Tensor {
  if (reduction !== 'none') return losses;
  if (target.ndim < 3) return reshape<Tensor>(losses, target.shape);
  const swapped = [
    target.shape[0],
    target.shape[target.ndim - 1],
    ...target.shape.slice(2, -1),
    target.shape[1],
  ];
  return reshape<Tensor>(losses, swapped).transpose(1, -1);
}

function checkWeight(weight: Tensor | null, classes: number, op: string): void {
  if (weight === null || (weight.ndim === 1 && weight.shape[0] === classes)) return;
  throw new ShapeError(
    `${op}: weight tensor should be defined either for all ${classes} classes or no classes but got weight tensor of ` +
      `shape: ${formatShape(weight.shape)}`,
  );
}

/**
 * The mean of −log softmax(input)[target]: softmax, logarithm and choice in one, exact for large logits.
 * input: logits [C], [N, C] or [N, C, d…]. target: int64 class numbers of input's shape without C, or probabilities of
 * input's shape. Options: weight, ignoreIndex, reduction, labelSmoothing.
 * @throws ShapeError, DTypeError; IndexError for a class out of range
 */
export const crossEntropy = /* @__PURE__ */ taking(
  'cross_entropy',
  'target weight? * ignoreIndex reduction labelSmoothing',
  function crossEntropy(
    input: Tensor,
    target: Tensor,
    weight?: WeightOrOptions<CrossEntropyLossOptions>,
    options?: CrossEntropyLossOptions,
  ): Tensor {
    tensorGiven(input, 'cross_entropy');
    tensorGiven(target, 'cross_entropy', 'target');
    return inOp('cross_entropy', () => {
      const { labelSmoothing = 0 } = options ?? {};
      const common = settings(weight, options, 'crossEntropy');
      if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
        throw new ArgumentError(`label_smoothing must be between 0.0 and 1.0. Got: ${labelSmoothing}`);
      }
      if (!isFloating(input.dtype))
        throw new DTypeError(`crossEntropy: expected floating logits, but got ${input.dtype}`);
      checkDevices(
        [input, target, ...(common.weight ? [common.weight] : [])],
        'crossEntropy',
        'input target weight',
      );
      if (input.ndim === 0)
        throw new ShapeError('crossEntropy: expected logits [C] or [N, C, …], but got shape []');
      if (input.ndim > 1 && target.ndim > 0 && input.shape[0] !== target.shape[0]) {
        throw new ShapeError(
          `crossEntropy: Expected input batch_size (${input.shape[0]}) to match target batch_size (${target.shape[0]}).`,
        );
      }
      checkWeight(common.weight, input.shape[input.ndim === 1 ? 0 : 1], 'crossEntropy');
      if (isFloating(target.dtype) && common.ignoreIndex >= 0) {
        throw new ArgumentError(
          `crossEntropy: ignoreIndex is not supported for floating point target, but got ${common.ignoreIndex}`,
        );
      }
      if (isFloating(target.dtype)) return againstProbabilities(input, target, { ...common, labelSmoothing });
      const classTarget = checkClassTarget(target, 'crossEntropy');
      const { rows, flat } = toRows(input, classTarget, 'crossEntropy');
      const { ignoreIndex, reduction } = common;
      const classWeight = common.weight?.to(input.dtype) ?? null;
      const losses = crossEntropyRows<Tensor>(rows, flat, classWeight, {
        ignoreIndex,
        reduction,
        labelSmoothing,
      });
      return fromRows(losses, classTarget, reduction);
    });
  },
);

/** −Σ_c w_c·t_c·log softmax(input)_c, with t smoothed; a mean divides by the number of positions. */
function againstProbabilities(
  input: Tensor,
  target: Tensor,
  {
    weight,
    reduction,
    labelSmoothing,
  }: { weight: Tensor | null; reduction: LossReduction; labelSmoothing: number },
): Tensor {
  if (!sameShape(input.shape, target.shape)) {
    throw new ShapeError(
      `crossEntropy: expected probabilities of the input's shape ${formatShape(input.shape)} as a target of dtype ` +
        `${target.dtype}, but got ${formatShape(target.shape)}; class numbers are int64`,
    );
  }
  const dim = input.ndim === 1 ? 0 : 1;
  const classes = input.shape[dim];
  const smooth = labelSmoothing > 0 ? target.mul(1 - labelSmoothing).add(labelSmoothing / classes) : target;
  const weighted = weight
    ? smooth.mul(weight.reshape([classes, ...input.shape.slice(dim + 1).map(() => 1)]))
    : smooth;
  const losses = input.logSoftmax(dim).mul(weighted).sum(dim).neg();
  if (reduction === 'mean') return losses.sum().div(input.numel() / classes);
  return reduceLoss(losses, reduction);
}

/**
 * The mean of −input[target]: input holds log-probabilities [C], [N, C] or [N, C, d…], target int64 class numbers.
 * @throws ShapeError, DTypeError; IndexError for a class out of range
 */
export const nllLoss = /* @__PURE__ */ taking(
  'nll_loss',
  'target weight? * ignoreIndex reduction',
  function nllLoss(
    input: Tensor,
    target: Tensor,
    weight?: WeightOrOptions<NLLLossOptions>,
    options?: NLLLossOptions,
  ): Tensor {
    tensorGiven(input, 'nll_loss');
    tensorGiven(target, 'nll_loss', 'target');
    return inOp('nll_loss', () => {
      const { weight: classWeight, ignoreIndex, reduction } = settings(weight, options, 'nllLoss');
      checkDevices([input, target, ...(classWeight ? [classWeight] : [])], 'nllLoss', 'input target weight');
      const classTarget = checkClassTarget(target, 'nllLoss');
      const { rows, classes, flat } = toRows(input, classTarget, 'nllLoss');
      checkWeight(classWeight, classes, 'nllLoss');
      checkTargets(flat, classes, ignoreIndex);
      const counts = flat.ne(ignoreIndex);
      const safe = whereOp<Tensor>(counts, flat, 0);
      const start = arange(0, flat.numel(), { device: input.device, dtype: 'int64' }).mul(classes);
      const picked = takeFlat(stepwise('NllLossBackward0', rows), start.add(safe)).neg();
      const factor = classWeight ? selectAlong<Tensor>(classWeight, 0, safe) : null;
      const weights = whereOp<Tensor>(counts, factor ?? 1, 0).to(input.dtype);
      // An ignored infinity must not become NaN.
      const losses = whereOp<Tensor>(counts, picked, 0).mul(weights);
      const loss =
        reduction === 'mean'
          ? losses.sum().div(weights.sum())
          : fromRows(reduceLoss(losses, reduction), classTarget, reduction);
      return named(input.ndim > 2 ? 'NllLoss2DBackward0' : 'NllLossBackward0', loss);
    });
  },
);
