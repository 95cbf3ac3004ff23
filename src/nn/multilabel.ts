/** The loss of several right classes as a module. */
import { ArgumentError } from '../core/errors.ts';
import type { LossReduction } from '../ops/loss.ts';
import { named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { multilabelMarginLoss } from './functional/multilabel.ts';
import { Module } from './module.ts';

/** input and target [n, classes] or [classes] → a number, or [n] without reduction: `nn.functional.multilabelMarginLoss`. */
export class MultiLabelMarginLoss extends Module {
  readonly reduction: LossReduction;

  constructor(options: { reduction?: LossReduction } = {}) {
    super();
    const { reduction = 'mean' } = named<{ reduction?: LossReduction }>(new.target.name, '* reduction', [
      options,
    ]);
    if (!['none', 'mean', 'sum'].includes(reduction))
      throw new ArgumentError(
        `MultiLabelMarginLoss: ${String(reduction)} is not a valid value for reduction`,
      );
    this.reduction = reduction;
  }
  forward(input: Tensor, target: Tensor): Tensor {
    return multilabelMarginLoss(input, target, { reduction: this.reduction });
  }
}
