/** Steps by the signs of gradients alone. */
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
  savedTensor,
  signOf,
} from './optimizer.ts';
import * as steps from './steps.ts';

export interface RpropOptions extends OptimizerOptions {
  /** The factors of a step's size behind a change of sign, and without one. Default [0.5, 1.2]. */
  etas: readonly [number, number];
  /** The least and the largest size of a step. Default [1e-6, 50]. */
  stepSizes: readonly [number, number];
  /** Climb instead of descending. */
  maximize: boolean;
}

export interface RpropState extends ParamState {
  step: number;
  prev: Tensor;
  stepSize: Tensor;
}

/**
 * Each element's step grows while its gradient keeps its sign and shrinks where that changes (Riedmiller and Braun, 1993);
 * for gradients of all samples. The first steps have the size lr, by default 0.01.
 */
export class Rprop extends Optimizer<RpropOptions, RpropState> {
  constructor(
    params: Params<RpropOptions>,
    ...rest: Flexible<
      [lr: number, etas: readonly [number, number], stepSizes: readonly [number, number]],
      Partial<RpropOptions>
    >
  ) {
    const base: RpropOptions = { lr: 1e-2, etas: [0.5, 1.2], stepSizes: [1e-6, 50], maximize: false };
    super(
      params,
      base,
      namedFreely<Partial<RpropOptions>>(new.target.name, ['lr', 'etas', 'stepSizes'], rest),
    );
  }

  protected override validate({ lr, etas, stepSizes }: RpropOptions): void {
    checkNonNegative(lr, 'learning rate');
    for (const [name, pair] of Object.entries({ etas, stepSizes }))
      if (!Array.isArray(pair) || pair.length !== 2)
        throw new ArgumentError(`${name} must be a list of two numbers, but got ${String(pair)}`);
    if (!(etas[0] > 0 && etas[0] < 1 && etas[1] > 1))
      throw new ArgumentError(`Invalid eta values: ${etas[0]}, ${etas[1]}`);
  }

  protected override stepGroup(group: ParamGroup<RpropOptions>): void {
    const { lr, etas, stepSizes } = group;
    for (const param of group.params) {
      const grad = gradientOf(param);
      if (grad === null) continue;
      const kept = this.state.get(param) ?? {
        step: 0,
        prev: bufferLike(param),
        stepSize: bufferLike(param, lr),
      };
      this.state.set(param, kept);
      kept.step++;
      const scalars = [signOf(group), 0, ...etas, ...stepSizes];
      applyStep(steps.rprop, param, grad, [kept.prev, kept.stepSize], scalars);
    }
  }

  protected override revive(saved: ParamState): RpropState {
    return {
      step: savedNumber(saved, 'step'),
      prev: savedTensor(saved, 'prev'),
      stepSize: savedTensor(saved, 'stepSize'),
    };
  }
}
