/** Adam and its relatives: moving averages of gradients and of their squares. */
import { ArgumentError } from '../core/errors.ts';
import { type Flexible, namedFreely } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import {
  applyStep,
  bufferLike,
  checkBetas,
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

interface AdamFamilyOptions extends OptimizerOptions {
  /** Decay rates of the averages of gradients and of their squares. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the denominator. Default 1e-8. */
  eps: number;
  /** Default 0; AdamW 0.01. */
  weightDecay: number;
  /** Climb instead of descending. */
  maximize: boolean;
}

export interface AdamOptions extends AdamFamilyOptions {
  /** Divide by the largest average so far. */
  amsgrad: boolean;
  /** Shrink the parameter itself by lr·weightDecay, as AdamW, instead of adding to its gradient. */
  decoupledWeightDecay: boolean;
}

export interface AdamState extends ParamState {
  step: number;
  expAvg: Tensor;
  expAvgSq: Tensor;
  maxExpAvgSq: Tensor | null;
}

function checkAdam({ lr, betas, eps, weightDecay }: AdamFamilyOptions): void {
  checkNonNegative(lr, 'learning rate');
  checkNonNegative(eps, 'epsilon value');
  checkBetas(betas);
  checkNonNegative(weightDecay, 'weight_decay value');
}

/** The arguments that all of them take by position. */
type FamilyArguments = [
  lr: number,
  betas: readonly [beta1: number, beta2: number],
  eps: number,
  weightDecay: number,
];
type AdamArguments = Flexible<[...FamilyArguments, amsgrad: boolean], Partial<AdamOptions>>;
const familyOrder = ['lr', 'betas', 'eps', 'weightDecay'] as const;
const family = { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false } as const;

/** What weight decay adds to gradients, and by what it shrinks parameters. */
function decayOf(group: {
  lr: number;
  weightDecay: number;
  decoupledWeightDecay: boolean;
}): [added: number, factor: number] {
  const { lr, weightDecay, decoupledWeightDecay } = group;
  return decoupledWeightDecay ? [0, 1 - lr * weightDecay] : [weightDecay, 1];
}

/** Adam (Kingma and Ba, 2015). Default lr 0.001. */
export class Adam extends Optimizer<AdamOptions, AdamState> {
  constructor(params: Params<AdamOptions>, ...rest: AdamArguments) {
    const base = { lr: 1e-3, ...family, amsgrad: false, decoupledWeightDecay: false };
    super(
      params,
      base,
      namedFreely<Partial<AdamOptions>>(new.target.name, [...familyOrder, 'amsgrad'], rest),
    );
  }

  protected override validate(options: AdamOptions): void {
    checkAdam(options);
  }

  protected override stepGroup(group: ParamGroup<AdamOptions>): void {
    const { lr, betas, eps, amsgrad } = group;
    const [beta1, beta2] = betas;
    for (const param of group.params) {
      const grad = gradientOf(param);
      if (grad === null) continue;
      const kept = this.state.get(param) ?? this.#start(param);
      if (amsgrad) kept.maxExpAvgSq ??= bufferLike(param);
      const t = ++kept.step;
      const { expAvg, expAvgSq, maxExpAvgSq } = kept;
      const correction = Math.sqrt(1 - beta2 ** t);
      const factor = -lr / (1 - beta1 ** t);
      const scalars = [
        signOf(group),
        ...decayOf(group),
        1 - beta1,
        beta2,
        correction,
        eps,
        factor,
        Number(amsgrad),
      ];
      applyStep(steps.adam, param, grad, [expAvg, expAvgSq, amsgrad ? maxExpAvgSq : null], scalars);
    }
  }

  #start(param: Tensor): AdamState {
    const kept = { step: 0, expAvg: bufferLike(param), expAvgSq: bufferLike(param), maxExpAvgSq: null };
    this.state.set(param, kept);
    return kept;
  }

  protected override revive(saved: ParamState): AdamState {
    return { ...reviveAverages(saved), maxExpAvgSq: savedOrNull(saved, 'maxExpAvgSq') };
  }

  protected override printedConstants(): Record<string, unknown> {
    return { ...super.printedConstants(), fused: null };
  }
}

/** Adam whose weight decay shrinks the parameters themselves (Loshchilov and Hutter, 2019). Default weightDecay 0.01. */
export class AdamW extends Adam {
  constructor(params: Params<AdamOptions>, ...rest: AdamArguments) {
    const options = namedFreely<Partial<AdamOptions>>(new.target.name, [...familyOrder, 'amsgrad'], rest);
    super(params, { weightDecay: 1e-2, ...options, decoupledWeightDecay: true });
  }
}

const reviveAverages = (saved: ParamState) => ({
  step: savedNumber(saved, 'step'),
  expAvg: savedTensor(saved, 'expAvg'),
  expAvgSq: savedTensor(saved, 'expAvgSq'),
});

export interface AdamaxState extends ParamState {
  step: number;
  expAvg: Tensor;
  expInf: Tensor;
}

/** Adam with the largest decayed gradient as its scale. Default lr 0.002. */
export class Adamax extends Optimizer<AdamFamilyOptions, AdamaxState> {
  constructor(
    params: Params<AdamFamilyOptions>,
    ...rest: Flexible<FamilyArguments, Partial<AdamFamilyOptions>>
  ) {
    super(
      params,
      { lr: 2e-3, ...family },
      namedFreely<Partial<AdamFamilyOptions>>(new.target.name, familyOrder, rest),
    );
  }

  protected override validate(options: AdamFamilyOptions): void {
    checkAdam(options);
  }

  protected override stepGroup(group: ParamGroup<AdamFamilyOptions>): void {
    const { lr, betas, eps, weightDecay } = group;
    const [beta1, beta2] = betas;
    for (const param of group.params) {
      const grad = gradientOf(param);
      if (grad === null) continue;
      const kept = this.state.get(param) ?? { step: 0, expAvg: bufferLike(param), expInf: bufferLike(param) };
      this.state.set(param, kept);
      const factor = -lr / (1 - beta1 ** ++kept.step);
      const scalars = [signOf(group), weightDecay, 1 - beta1, beta2, eps, factor];
      applyStep(steps.adamax, param, grad, [kept.expAvg, kept.expInf], scalars);
    }
  }

  protected override revive(saved: ParamState): AdamaxState {
    return {
      step: savedNumber(saved, 'step'),
      expAvg: savedTensor(saved, 'expAvg'),
      expInf: savedTensor(saved, 'expInf'),
    };
  }
}

export interface RAdamOptions extends AdamFamilyOptions {
  /** Shrink the parameter itself by lr·weightDecay instead of adding to its gradient. */
  decoupledWeightDecay: boolean;
}

export interface RAdamState extends ParamState {
  step: number;
  expAvg: Tensor;
  expAvgSq: Tensor;
}

/** Adam whose adaptive rate waits until its variance is tractable (Liu et al., 2020). Default lr 0.001. */
export class RAdam extends Optimizer<RAdamOptions, RAdamState> {
  constructor(
    params: Params<RAdamOptions>,
    ...rest: Flexible<[...FamilyArguments, decoupledWeightDecay: boolean], Partial<RAdamOptions>>
  ) {
    const options = namedFreely<Partial<RAdamOptions>>(
      new.target.name,
      [...familyOrder, 'decoupledWeightDecay'],
      rest,
    );
    super(params, { lr: 1e-3, ...family, decoupledWeightDecay: false }, options);
  }

  protected override validate(options: RAdamOptions): void {
    checkAdam(options);
  }

  protected override stepGroup(group: ParamGroup<RAdamOptions>): void {
    const { lr, betas, eps } = group;
    const [beta1, beta2] = betas;
    for (const param of group.params) {
      const grad = gradientOf(param);
      if (grad === null) continue;
      const kept = this.state.get(param) ?? {
        step: 0,
        expAvg: bufferLike(param),
        expAvgSq: bufferLike(param),
      };
      this.state.set(param, kept);
      const t = ++kept.step;
      const root = Math.sqrt(1 - beta2 ** t);
      const scalars = [
        signOf(group),
        ...decayOf(group),
        1 - beta1,
        beta2,
        1 - beta1 ** t,
        lr,
        eps,
        root,
        rectification(beta2, t),
      ];
      applyStep(steps.radam, param, grad, [kept.expAvg, kept.expAvgSq], scalars);
    }
  }

  protected override revive(saved: ParamState): RAdamState {
    return reviveAverages(saved);
  }
}

/** By how much the adaptive rate's variance is corrected at step t; 0 while the approximation has 5 degrees or fewer. */
function rectification(beta2: number, t: number): number {
  const limit = 2 / (1 - beta2) - 1;
  const degrees = limit - (2 * t * beta2 ** t) / (1 - beta2 ** t);
  if (degrees <= 5) return 0;
  return Math.sqrt(((degrees - 4) * (degrees - 2) * limit) / ((limit - 4) * (limit - 2) * degrees));
}

export interface NAdamOptions extends RAdamOptions {
  /** How fast the momentum approaches β₁. Default 0.004. */
  momentumDecay: number;
}

export interface NAdamState extends RAdamState {
  /** The product of all momenta so far, a float32. */
  muProduct: number;
}

/** Adam with Nesterov's momentum (Dozat, 2016). Default lr 0.002. */
export class NAdam extends Optimizer<NAdamOptions, NAdamState> {
  constructor(
    params: Params<NAdamOptions>,
    ...rest: Flexible<
      [...FamilyArguments, momentumDecay: number, decoupledWeightDecay: boolean],
      Partial<NAdamOptions>
    >
  ) {
    const order = [...familyOrder, 'momentumDecay', 'decoupledWeightDecay'] as const;
    const base = { lr: 2e-3, ...family, momentumDecay: 4e-3, decoupledWeightDecay: false };
    super(params, base, namedFreely<Partial<NAdamOptions>>(new.target.name, order, rest));
  }

  protected override validate(options: NAdamOptions): void {
    checkAdam(options);
    if (!(options.momentumDecay >= 0))
      throw new ArgumentError(`Invalid momentum_decay value: ${options.momentumDecay}`);
  }

  protected override stepGroup(group: ParamGroup<NAdamOptions>): void {
    const { lr, betas, eps, momentumDecay } = group;
    const [beta1, beta2] = betas;
    const momentum = (t: number) => beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay));
    for (const param of group.params) {
      const grad = gradientOf(param);
      if (grad === null) continue;
      const kept = this.state.get(param) ?? {
        step: 0,
        muProduct: 1,
        expAvg: bufferLike(param),
        expAvgSq: bufferLike(param),
      };
      this.state.set(param, kept);
      const t = ++kept.step;
      const [mu, next] = [momentum(t), momentum(t + 1)];
      kept.muProduct = Math.fround(kept.muProduct * mu);
      const byGradient = (-lr * (1 - mu)) / (1 - kept.muProduct);
      const byAverage = (-lr * next) / (1 - kept.muProduct * next);
      const correction = 1 - beta2 ** t;
      const scalars = [
        signOf(group),
        ...decayOf(group),
        1 - beta1,
        beta2,
        correction,
        eps,
        byGradient,
        byAverage,
      ];
      applyStep(steps.nadam, param, grad, [kept.expAvg, kept.expAvgSq], scalars);
    }
  }

  protected override revive(saved: ParamState): NAdamState {
    return { ...reviveAverages(saved), muProduct: savedNumber(saved, 'muProduct') };
  }
}
