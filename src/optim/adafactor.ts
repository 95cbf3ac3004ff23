/** An adaptive optimiser that keeps rows and columns of matrices instead of all their elements. */
import { ArgumentError } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import { zeros } from '../creation.ts';
import { type Flexible, namedFreely } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { finfo } from '../typeInfo.ts';
import {
  bufferLike,
  Optimizer,
  type OptimizerOptions,
  type ParamGroup,
  type ParamState,
  type Params,
  savedNumber,
  savedOrNull,
} from './optimizer.ts';

export interface AdafactorOptions extends OptimizerOptions {
  /** Averages of squares take in a new one by step^beta2Decay. Default -0.8. */
  beta2Decay: number;
  /**
   * The least root mean square of gradients, null for the dtype's resolution, and that of parameters, which steps are relative
   * to. Default [null, 1e-3].
   */
  eps: readonly [number | null, number];
  /** The root mean square beyond which a step is scaled down. Default 1. */
  d: number;
  /** Parameters shrink by lr · weightDecay in each step. Default 0. */
  weightDecay: number;
  /** Climb instead of descending. */
  maximize: boolean;
}

export interface AdafactorState extends ParamState {
  step: number;
  /** Of parameters with two dimensions or more. */
  rowVar: Tensor | null;
  colVar: Tensor | null;
  /** Of others. */
  variance: Tensor | null;
}

/**
 * Steps of min(lr, 1/√step) times the size of the parameter, divided by the root of averages of squares, which for matrices
 * (the last two dimensions) are products of a column and a row (Shazeer and Stern, 2018). Default lr 0.01.
 */
export class Adafactor extends Optimizer<AdafactorOptions, AdafactorState> {
  constructor(
    params: Params<AdafactorOptions>,
    ...rest: Flexible<
      [lr: number, beta2Decay: number, eps: readonly [number | null, number], d: number, weightDecay: number],
      Partial<AdafactorOptions>
    >
  ) {
    const order = ['lr', 'beta2Decay', 'eps', 'd', 'weightDecay'] as const;
    const base: AdafactorOptions = {
      lr: 1e-2,
      beta2Decay: -0.8,
      eps: [null, 1e-3],
      d: 1,
      weightDecay: 0,
      maximize: false,
    };
    super(params, base, namedFreely<Partial<AdafactorOptions>>(new.target.name, order, rest));
  }

  protected override validate({ lr, beta2Decay, eps, d, weightDecay }: AdafactorOptions): void {
    const refuse = (what: string, least: string, value: unknown): never => {
      throw new ArgumentError(`${what} should be ${least} but is: ${String(value)}`);
    };
    if (!(lr >= 0)) refuse('Learning rate', '>= 0', lr);
    if (!(beta2Decay <= 0)) refuse('beta2_decay', '<= 0', beta2Decay);
    if (!Array.isArray(eps) || eps.length !== 2) refuse('eps', 'a list of two numbers', eps);
    if (!(eps[0] === null || eps[0] >= 0)) refuse('epsilon1', '>= 0', eps[0]);
    if (!(eps[1] >= 0)) refuse('epsilon2', '>= 0', eps[1]);
    if (!(d >= 1)) refuse('Clipping threshold d', '>= 1', d);
    if (!(weightDecay >= 0)) refuse('weight_decay', '>= 0', weightDecay);
  }

  protected override stepGroup(group: ParamGroup<AdafactorOptions>): void {
    const { lr, beta2Decay, eps, d, weightDecay, maximize } = group;
    for (const param of group.params) {
      if (param.grad === null) continue;
      const grad = maximize ? param.grad.neg() : param.grad;
      const kept = this.state.get(param) ?? newState(param);
      this.state.set(param, kept);
      kept.step++;
      const share = kept.step ** beta2Decay;
      const rate = Math.min(lr, 1 / Math.sqrt(kept.step));
      // Numbers stay tensors: nothing is read back, whatever device they are on.
      const size = rootMeanSquare(param).clampMin(eps[1]).mul(rate);
      if (weightDecay !== 0) param.mul_(1 - lr * weightDecay);
      const least = eps[0] ?? finfo(param.dtype).eps;
      const update = estimate(kept, grad, share, least)
        .clampMin(least * least)
        .rsqrt()
        .mul_(grad);
      const excess = rootMeanSquare(update).div(d).clampMin(1);
      param.sub_(update.mul_(size.div(excess)));
    }
  }

  protected override stateShape(param: Tensor, name: string): Shape {
    const dim = param.ndim < 2 ? 0 : ['rowVar', 'colVar'].indexOf(name) + 1;
    return dim === 0 ? param.shape : param.shape.with(-dim, 1);
  }

  protected override revive(saved: ParamState): AdafactorState {
    return {
      step: savedNumber(saved, 'step'),
      rowVar: savedOrNull(saved, 'rowVar'),
      colVar: savedOrNull(saved, 'colVar'),
      variance: savedOrNull(saved, 'variance'),
    };
  }

  protected override printedConstants(): Record<string, unknown> {
    return { foreach: null };
  }
}

function newState(param: Tensor): AdafactorState {
  if (param.ndim < 2) return { step: 0, rowVar: null, colVar: null, variance: bufferLike(param) };
  const { dtype, device } = param;
  const [rowVar, colVar] = [-1, -2].map((dim) => zeros(param.shape.with(dim, 1), { dtype, device }));
  return { step: 0, rowVar, colVar, variance: null };
}

/** Of all elements. */
const rootMeanSquare = (x: Tensor): Tensor => x.norm().div(Math.sqrt(x.numel()));

/** The averages of squares with the gradient's taken in, for each element. */
function estimate(
  { rowVar, colVar, variance }: AdafactorState,
  grad: Tensor,
  share: number,
  least: number,
): Tensor {
  if (variance !== null) return variance.lerp_(grad.square(), share);
  for (const [kept, dim] of [
    [rowVar!, -1],
    [colVar!, -2],
  ] as const)
    kept.lerp_(grad.square().mean(dim, true), share);
  return rowVar!.mul(colVar!).div_(rowVar!.mean(-2, true).clampMin(least));
}
