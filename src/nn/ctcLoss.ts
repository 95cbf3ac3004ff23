/** Connectionist temporal classification as a module. */
import { ArgumentError } from '../core/errors.ts';
import type { LossReduction } from '../ops/loss.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { type CTCLossOptions, ctcLoss, type Lengths } from './functional/ctcLoss.ts';
import { Module } from './module.ts';

/**
 * logProbs [time, n, classes], targets [n, longest] or [total], and the lengths of both → a number, or [n] without
 * reduction: `nn.functional.ctcLoss` with its options kept.
 */
export class CTCLoss extends Module {
  readonly blank: number;
  readonly reduction: LossReduction;
  readonly zeroInfinity: boolean;

  constructor(
    ...args: Flexible<[blank: number, reduction: LossReduction, zeroInfinity: boolean], CTCLossOptions>
  ) {
    super();
    const options = named<CTCLossOptions>(new.target.name, 'blank reduction zeroInfinity', args);
    const { blank = 0, reduction = 'mean', zeroInfinity = false } = options;
    if (!['none', 'mean', 'sum'].includes(reduction))
      throw new ArgumentError(`CTCLoss: ${String(reduction)} is not a valid value for reduction`);
    this.blank = blank;
    this.reduction = reduction;
    this.zeroInfinity = zeroInfinity;
  }
  forward(logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths): Tensor {
    const { blank, reduction, zeroInfinity } = this;
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, { blank, reduction, zeroInfinity });
  }
}
