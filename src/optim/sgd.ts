/** Stochastic gradient descent with momentum. */
import { ArgumentError } from '../core/errors.ts';
import { type Flexible, namedFreely } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import {
  bufferLike,
  checkNonNegative,
  gradientOf,
  Optimizer,
  type OptimizerOptions,
  type ParamGroup,
  type ParamState,
  type Params,
  savedOrNull,
} from './optimizer.ts';

export interface SGDOptions extends OptimizerOptions {
  /** Default 0. */
  momentum: number;
  /** The part of the gradient that does not enter the momentum. Default 0. */
  dampening: number;
  /** The factor of the parameter that is added to its gradient. Default 0. */
  weightDecay: number;
  /** Look ahead along the momentum. */
  nesterov: boolean;
  /** Climb instead of descending. */
  maximize: boolean;
}

export interface SGDState extends ParamState {
  momentumBuffer: Tensor | null;
}

/** v ← μ·v + (1 − dampening)·g, p ← p − lr·v; Nesterov: p ← p − lr·(g + μ·v). Default lr 0.001. */
export class SGD extends Optimizer<SGDOptions, SGDState> {
  constructor(
    params: Params<SGDOptions>,
    ...rest: Flexible<
      [lr: number, momentum: number, dampening: number, weightDecay: number, nesterov: boolean],
      Partial<SGDOptions>
    >
  ) {
    const base = { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, maximize: false };
    super(
      params,
      base,
      namedFreely<Partial<SGDOptions>>(
        new.target.name,
        ['lr', 'momentum', 'dampening', 'weightDecay', 'nesterov'],
        rest,
      ),
    );
  }

  protected override validate({ lr, momentum, weightDecay, nesterov, dampening }: SGDOptions): void {
    checkNonNegative(lr, 'learning rate');
    checkNonNegative(momentum, 'momentum value');
    checkNonNegative(weightDecay, 'weight_decay value');
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      throw new ArgumentError('Nesterov momentum requires a momentum and zero dampening');
    }
  }

  protected override stepGroup(group: ParamGroup<SGDOptions>): void {
    for (const param of group.params) {
      const grad = gradientOf(param);
      if (grad === null) continue;
      const kept = this.state.get(param)?.momentumBuffer ?? null;
      const buffer = group.momentum === 0 ? null : (kept ?? bufferLike(param));
      param.array.backend.sgdStep(param.array, grad, buffer?.array ?? null, kept === null, group);
      param.array.storage.version++;
      if (buffer === null) continue;
      buffer.array.storage.version++;
      if (kept === null) this.state.set(param, { momentumBuffer: buffer });
    }
  }

  protected override revive(saved: ParamState): SGDState {
    return { momentumBuffer: savedOrNull(saved, 'momentumBuffer') };
  }

  protected override printedConstants(): Record<string, unknown> {
    return { differentiable: false, foreach: null, fused: null };
  }
}
