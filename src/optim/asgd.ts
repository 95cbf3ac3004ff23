/** Stochastic gradient descent that averages where it has been. */
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
  savedTensor,
  signOf,
} from './optimizer.ts';
import * as steps from './steps.ts';

export interface ASGDOptions extends OptimizerOptions {
  /** Parameters shrink by lambd · rate in each step. Default 1e-4. */
  lambd: number;
  /** The rate falls as lr/(1 + lambd·lr·t)^alpha. Default 0.75. */
  alpha: number;
  /** The step from which on parameters are averaged. Default 1e6. */
  t0: number;
  /** The factor of the parameter that is added to its gradient. Default 0. */
  weightDecay: number;
  /** Climb instead of descending. */
  maximize: boolean;
}

export interface ASGDState extends ParamState {
  step: number;
  /** The rate and the weight of the next step. */
  eta: number;
  mu: number;
  /** The average; until step t0 the parameter itself. */
  ax: Tensor;
}

/** p ← (1 − lambd·η)·p − η·g, with the average of p in the state `ax` (Polyak and Juditsky, 1992). Default lr 0.01. */
export class ASGD extends Optimizer<ASGDOptions, ASGDState> {
  constructor(
    params: Params<ASGDOptions>,
    ...rest: Flexible<
      [lr: number, lambd: number, alpha: number, t0: number, weightDecay: number],
      Partial<ASGDOptions>
    >
  ) {
    const order = ['lr', 'lambd', 'alpha', 't0', 'weightDecay'] as const;
    const base = { lr: 1e-2, lambd: 1e-4, alpha: 0.75, t0: 1e6, weightDecay: 0, maximize: false };
    super(params, base, namedFreely<Partial<ASGDOptions>>(new.target.name, order, rest));
  }

  protected override validate({ lr, weightDecay }: ASGDOptions): void {
    checkNonNegative(lr, 'learning rate');
    checkNonNegative(weightDecay, 'weight_decay value');
  }

  protected override stepGroup(group: ParamGroup<ASGDOptions>): void {
    const { lr, lambd, alpha, t0, weightDecay } = group;
    for (const param of group.params) {
      const grad = gradientOf(param);
      if (grad === null) continue;
      const kept = this.state.get(param) ?? { step: 0, eta: lr, mu: 1, ax: bufferLike(param) };
      this.state.set(param, kept);
      kept.step++;
      const { eta, mu } = kept;
      applyStep(steps.asgd, param, grad, [kept.ax], [signOf(group), weightDecay, 1 - lambd * eta, -eta, mu]);
      // PyTorch keeps them in float32.
      kept.eta = Math.fround(lr / (1 + lambd * lr * kept.step) ** alpha);
      kept.mu = Math.fround(1 / Math.max(1, kept.step - t0));
    }
  }

  protected override revive(saved: ParamState): ASGDState {
    const [step, eta, mu] = ['step', 'eta', 'mu'].map((name) => savedNumber(saved, name));
    return { step, eta, mu, ax: savedTensor(saved, 'ax') };
  }
}
