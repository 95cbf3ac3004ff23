/** The margins between the classes that are right and all others. */

import { ArgumentError, DTypeError, ShapeError } from '../../core/errors.ts';
import { inOp } from '../../core/inOp.ts';
import { formatShape, sameShape } from '../../core/shape.ts';
import { zerosLike } from '../../creation.ts';
import { checkDevices } from '../../ops/convert.ts';
import { checkRows } from '../../ops/crossEntropy.ts';
import { checkFloating, tensorGiven } from '../../ops/given.ts';
import { reduceLoss } from '../../ops/loss.ts';
import { taking } from '../../ops/taking.ts';
import { checkWithin } from '../../ops/within.ts';
import type { Tensor } from '../../tensor.ts';
import type { LossOptions } from './loss.ts';

/** @throws ShapeError, DTypeError, ArgumentError, DeviceError */
function checkLabels(input: Tensor, target: Tensor): void {
  checkFloating(input, 'multilabel_margin_loss');
  const classes = checkRows(input, 'multilabel_margin_loss');
  const { shape } = input;
  if (!sameShape(shape, target.shape))
    throw new ShapeError(
      `multilabel_margin_loss: inconsistent target size: expected argument 'target' of shape ${formatShape(shape)}, but got ` +
        formatShape(target.shape),
    );
  if (target.dtype !== 'int64')
    throw new DTypeError(
      `multilabel_margin_loss: expected argument 'target' of dtype int64, but got ${target.dtype}`,
    );
  checkDevices([input, target], 'multilabel_margin_loss', 'input target');
  checkWithin(
    target,
    -1,
    classes,
    'multilabel_margin_loss',
    (value) =>
      new ArgumentError(
        `multilabel_margin_loss: argument 'target' is out of range: expected classes in [0, ${classes}), or -1 behind the last, but ` +
          `got ${value}`,
      ),
  );
}

/**
 * Σ max(0, 1 − (x[y] − x[i])) / classes over all classes y of target and all i that are none of them: input [n, classes]
 * or [classes], floating; target int64 of the same shape, the classes of each row up to the first −1. Gives a number, or
 * [n] without reduction.
 * @throws ShapeError, DTypeError, ArgumentError, DeviceError
 */
export const multilabelMarginLoss = /* @__PURE__ */ taking(
  'multilabel_margin_loss',
  'target * reduction',
  (input: Tensor, target: Tensor, { reduction = 'mean' }: LossOptions = {}): Tensor =>
    inOp('multilabel_margin_loss', () => {
      tensorGiven(input, 'multilabel_margin_loss');
      tensorGiven(target, 'multilabel_margin_loss', 'target');
      checkLabels(input, target);
      const rows = input.ndim < 2 ? input.reshape([1, -1]) : input;
      const labels = target.reshape(rows.shape);
      const counts = labels.ge(0).long().cumprod(1);
      const picks = labels.mul(counts);
      const isTarget = zerosLike(labels).scatterAdd(1, picks, counts).gt(0);
      // [n, right, other]
      const margins = rows.unsqueeze(1).sub(rows.gather(1, picks).unsqueeze(2)).add(1).relu();
      const compared = counts.unsqueeze(2).mul(isTarget.logicalNot().long().unsqueeze(1)).to(rows.dtype);
      const losses = margins.mul(compared).sum([1, 2]).div(rows.shape[1]);
      return reduceLoss(input.ndim < 2 ? losses.squeeze(0) : losses, reduction);
    }),
);
