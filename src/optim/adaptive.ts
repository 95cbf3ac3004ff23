/** Optimisers that scale each element by the size of its past gradients, without Adam's averages. */
import { ArgumentError } from '../core/errors.ts';
import { type Flexible, namedFreely } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import {
  applyStep,
  bufferLike,
  checkNonNegative,
  gradientOf,
  Optimizer,
  type OptimizerOptions,
  type ParamGroup,
  type ParamState,
  type Params,
  savedNumber,
  savedOrNull,
  savedTensor,
  signOf,
} from './optimizer.ts';
import * as steps from './steps.ts';

interface DecayOptions extends OptimizerOptions {
  /** The factor of the parameter that is added to its gradient. Default 0. */
  weightDecay: number;
  /** Added to the denominator. */
  eps: number;
  /** Climb instead of descending. */
  maximize: boolean;
}

function checkCommon({ lr, eps, weightDecay }: DecayOptions): void {
  checkNonNegative(lr, 'learning rate');
  checkNonNegative(eps, 'epsilon value');
  checkNonNegative(weightDecay, 'weight_decay value');
}

export interface AdagradOptions extends DecayOptions {
  /** The learning rate falls as lr/(1 + (t − 1)·lrDecay). Default 0. */
  lrDecay: number;
  /** What the sums of squares start from. Default 0. */
  initialAccumulatorValue: number;
}

export interface AdagradState extends ParamState {
  step: number;
  sum: Tensor;
}

/** Divides by the root of the sum of all squares (Duchi et al., 2011). Default lr 0.01, eps 1e-10. */
export class Adagrad extends Optimizer<AdagradOptions, AdagradState> {
  constructor(
    params: Params<AdagradOptions>,
    ...rest: Flexible<
      [lr: number, lrDecay: number, weightDecay: number, initialAccumulatorValue: number, eps: number],
      Partial<AdagradOptions>
    >
  ) {
    const order = ['lr', 'lrDecay', 'weightDecay', 'initialAccumulatorValue', 'eps'] as const;
    const base = {
      lr: 1e-2,
      lrDecay: 0,
      weightDecay: 0,
      initialAccumulatorValue: 0,
      eps: 1e-10,
      maximize: false,
    };
    super(params, base, namedFreely<Partial<AdagradOptions>>(new.target.name, order, rest));
  }

  protected override validate(options: AdagradOptions): void {
    checkCommon(options);
    checkNonNegative(options.lrDecay, 'lr_decay value');
    checkNonNegative(options.initialAccumulatorValue, 'initial_accumulator_value value');
  }

  protected override stepGroup(group: ParamGroup<AdagradOptions>): void {
    const { lr, lrDecay, weightDecay, eps, initialAccumulatorValue } = group;
    for (const param of group.params) {
      const grad = gradientOf(param);
      if (grad === null) continue;
      const kept = this.state.get(param) ?? { step: 0, sum: bufferLike(param, initialAccumulatorValue) };
      this.state.set(param, kept);
      const factor = -lr / (1 + kept.step++ * lrDecay);
      applyStep(steps.adagrad, param, grad, [kept.sum], [signOf(group), weightDecay, eps, factor]);
    }
  }

  protected override revive(saved: ParamState): AdagradState {
    return { step: savedNumber(saved, 'step'), sum: savedTensor(saved, 'sum') };
  }

  protected override printedConstants(): Record<string, unknown> {
    return { differentiable: false, foreach: null, fused: null };
  }
}

export interface AdadeltaOptions extends DecayOptions {
  /** The decay rate of both averages. Default 0.9. */
  rho: number;
}

export interface AdadeltaState extends ParamState {
  step: number;
  squareAvg: Tensor;
  accDelta: Tensor;
}

/** Scales gradients to the size of past changes (Zeiler, 2012). Default lr 1, eps 1e-6. */
export class Adadelta extends Optimizer<AdadeltaOptions, AdadeltaState> {
  constructor(
    params: Params<AdadeltaOptions>,
    ...rest: Flexible<[lr: number, rho: number, eps: number, weightDecay: number], Partial<AdadeltaOptions>>
  ) {
    const base = { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false };
    super(
      params,
      base,
      namedFreely<Partial<AdadeltaOptions>>(new.target.name, ['lr', 'rho', 'eps', 'weightDecay'], rest),
    );
  }

  protected override validate(options: AdadeltaOptions): void {
    checkCommon(options);
    if (!(options.rho >= 0 && options.rho <= 1)) throw new ArgumentError(`Invalid rho value: ${options.rho}`);
  }

  protected override stepGroup(group: ParamGroup<AdadeltaOptions>): void {
    const { lr, rho, weightDecay, eps } = group;
    for (const param of group.params) {
      const grad = gradientOf(param);
      if (grad === null) continue;
      const kept = this.state.get(param) ?? {
        step: 0,
        squareAvg: bufferLike(param),
        accDelta: bufferLike(param),
      };
      this.state.set(param, kept);
      kept.step++;
      applyStep(
        steps.adadelta,
        param,
        grad,
        [kept.squareAvg, kept.accDelta],
        [signOf(group), weightDecay, rho, eps, lr],
      );
    }
  }

  protected override revive(saved: ParamState): AdadeltaState {
    return {
      step: savedNumber(saved, 'step'),
      squareAvg: savedTensor(saved, 'squareAvg'),
      accDelta: savedTensor(saved, 'accDelta'),
    };
  }
}

export interface RMSpropOptions extends DecayOptions {
  /** The decay rate of the average of squares. Default 0.99. */
  alpha: number;
  /** Default 0. */
  momentum: number;
  /** Divide by the standard deviation instead of the root mean square. */
  centered: boolean;
}

export interface RMSpropState extends ParamState {
  step: number;
  squareAvg: Tensor;
  gradAvg: Tensor | null;
  momentumBuffer: Tensor | null;
}

/** Divides by the root of a moving average of squares (Hinton's lectures). Default lr 0.01, eps 1e-8. */
export class RMSprop extends Optimizer<RMSpropOptions, RMSpropState> {
  constructor(
    params: Params<RMSpropOptions>,
    ...rest: Flexible<
      [lr: number, alpha: number, eps: number, weightDecay: number, momentum: number, centered: boolean],
      Partial<RMSpropOptions>
    >
  ) {
    const order = ['lr', 'alpha', 'eps', 'weightDecay', 'momentum', 'centered'] as const;
    const base = {
      lr: 1e-2,
      momentum: 0,
      alpha: 0.99,
      eps: 1e-8,
      centered: false,
      weightDecay: 0,
      maximize: false,
    };
    super(params, base, namedFreely<Partial<RMSpropOptions>>(new.target.name, order, rest));
  }

  protected override validate(options: RMSpropOptions): void {
    checkCommon(options);
    checkNonNegative(options.momentum, 'momentum value');
    checkNonNegative(options.alpha, 'alpha value');
  }

  protected override stepGroup(group: ParamGroup<RMSpropOptions>): void {
    const { lr, alpha, momentum, centered, weightDecay, eps } = group;
    for (const param of group.params) {
      const grad = gradientOf(param);
      if (grad === null) continue;
      const kept: RMSpropState = this.state.get(param) ?? {
        step: 0,
        squareAvg: bufferLike(param),
        gradAvg: null,
        momentumBuffer: null,
      };
      this.state.set(param, kept);
      kept.step++;
      if (centered) kept.gradAvg ??= bufferLike(param);
      if (momentum > 0) kept.momentumBuffer ??= bufferLike(param);
      const buffers = [
        kept.squareAvg,
        centered ? kept.gradAvg : null,
        momentum > 0 ? kept.momentumBuffer : null,
      ];
      applyStep(steps.rmsprop, param, grad, buffers, [
        signOf(group),
        weightDecay,
        alpha,
        eps,
        lr,
        momentum,
        Number(centered),
      ]);
    }
  }

  protected override revive(saved: ParamState): RMSpropState {
    return {
      step: savedNumber(saved, 'step'),
      squareAvg: savedTensor(saved, 'squareAvg'),
      gradAvg: savedOrNull(saved, 'gradAvg'),
      momentumBuffer: savedOrNull(saved, 'momentumBuffer'),
    };
  }
}
