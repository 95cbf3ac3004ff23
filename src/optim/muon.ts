/** Momentum whose directions are all taken with the same strength. */
import { ArgumentError } from '../core/errors.ts';
import { formatShape } from '../core/shape.ts';
import { type Flexible, namedFreely } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import {
  bufferLike,
  type GroupSpec,
  Optimizer,
  type OptimizerOptions,
  type ParamGroup,
  type ParamState,
  type Params,
  savedTensor,
} from './optimizer.ts';

export interface MuonOptions extends OptimizerOptions {
  /** Parameters shrink by lr · weightDecay in each step. Default 0.1. */
  weightDecay: number;
  /** The part of the average of gradients that is kept. Default 0.95. */
  momentum: number;
  /** Look ahead along the momentum. Default true. */
  nesterov: boolean;
  /** Of the polynomial that is iterated. */
  nsCoefficients: readonly [number, number, number];
  /** The least norm that the momentum is divided by. Default 1e-7. */
  eps: number;
  /** Iterations. Default 5. */
  nsSteps: number;
  /**
   * How lr follows the shape [m, n]: by √max(1, m/n) ('original', the default), or by 0.2·√max(m, n) as AdamW's steps are
   * large ('match_rms_adamw').
   */
  adjustLrFn: 'original' | 'match_rms_adamw' | null;
}

export interface MuonState extends ParamState {
  momentumBuffer: Tensor;
}

/**
 * Makes the momentum of each matrix nearly orthogonal by Newton–Schulz iterations (Jordan, 2024). For the weights of hidden
 * layers, which have two dimensions; embeddings, biases and the last layer want another optimiser. It iterates in the
 * parameter's dtype, where PyTorch rounds to bfloat16: steps differ by a percent or so. Default lr 0.001.
 */
export class Muon extends Optimizer<MuonOptions, MuonState> {
  constructor(
    params: Params<MuonOptions>,
    ...rest: Flexible<
      [
        lr: number,
        weightDecay: number,
        momentum: number,
        nesterov: boolean,
        nsCoefficients: readonly [number, number, number],
        eps: number,
        nsSteps: number,
        adjustLrFn: MuonOptions['adjustLrFn'],
      ],
      Partial<MuonOptions>
    >
  ) {
    const base: MuonOptions = {
      lr: 1e-3,
      weightDecay: 0.1,
      momentum: 0.95,
      nesterov: true,
      nsCoefficients: [3.4445, -4.775, 2.0315],
      eps: 1e-7,
      nsSteps: 5,
      adjustLrFn: null,
    };
    const order = [
      'lr',
      'weightDecay',
      'momentum',
      'nesterov',
      'nsCoefficients',
      'eps',
      'nsSteps',
      'adjustLrFn',
    ] as const;
    super(params, base, namedFreely<Partial<MuonOptions>>(new.target.name, order, rest));
  }

  protected override validate({ lr, momentum, weightDecay, ...options }: MuonOptions): void {
    for (const [what, value] of Object.entries({
      'Learning rate': lr,
      momentum,
      'weight decay': weightDecay,
    }))
      if (!(value >= 0)) throw new ArgumentError(`${what} should be >= 0 but is: ${value}`);
    const { nsCoefficients, nsSteps, adjustLrFn } = options;
    if (!Array.isArray(nsCoefficients) || nsCoefficients.length !== 3)
      throw new ArgumentError('Coefficients must be a tuple of exactly 3 values');
    if (!(nsSteps < 100))
      throw new ArgumentError('Number of steps must be less than 100 for computational efficiency');
    if (adjustLrFn !== null && adjustLrFn !== 'original' && adjustLrFn !== 'match_rms_adamw')
      throw new ArgumentError(`Adjust learning rate function ${String(adjustLrFn)} is not supported`);
  }

  override addParamGroup(spec: GroupSpec<MuonOptions>): void {
    super.addParamGroup(spec);
    const wrong = this.paramGroups.at(-1)!.params.find((param) => param.ndim !== 2);
    if (wrong === undefined) return;
    this.paramGroups.pop();
    throw new ArgumentError(
      `Muon only supports 2D parameters whereas we found a parameter with size: ${formatShape(wrong.shape)}`,
    );
  }

  protected override stepGroup(group: ParamGroup<MuonOptions>): void {
    const { lr, weightDecay, momentum, nesterov } = group;
    for (const param of group.params) {
      const { grad } = param;
      if (grad === null) continue;
      const kept = this.state.get(param) ?? { momentumBuffer: bufferLike(param) };
      this.state.set(param, kept);
      const average = kept.momentumBuffer.lerp_(grad, 1 - momentum);
      const update = orthogonalized(nesterov ? grad.lerp(average, momentum) : average, group);
      param.mul_(1 - lr * weightDecay);
      param.sub_(update, { alpha: lr * shapeFactor(param, group) });
    }
  }

  protected override revive(saved: ParamState): MuonState {
    return { momentumBuffer: savedTensor(saved, 'momentumBuffer') };
  }

  protected override printedConstants(): Record<string, unknown> {
    return {};
  }
}

/** A matrix with x's singular vectors and singular values near 1: a quintic polynomial of x, iterated. */
function orthogonalized(x: Tensor, { nsCoefficients: [a, b, c], nsSteps, eps }: MuonOptions): Tensor {
  const tall = x.shape[0] > x.shape[1];
  const wide = tall ? x.t() : x;
  let y = wide.div(wide.norm().clampMin(eps));
  for (let i = 0; i < nsSteps; i++) {
    const gram = y.matmul(y.t());
    y = y.addmm(gram.addmm(gram, gram, { beta: b, alpha: c }), y, { beta: a });
  }
  return tall ? y.t() : y;
}

function shapeFactor({ shape: [m, n] }: Tensor, { adjustLrFn }: MuonOptions): number {
  return adjustLrFn === 'match_rms_adamw' ? 0.2 * Math.sqrt(Math.max(m, n)) : Math.sqrt(Math.max(1, m / n));
}
