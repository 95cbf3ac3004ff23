/**
 * Recurrent networks: RNN, LSTM and GRU over sequences. Parameters carry PyTorch's names (`weight_ih_l0`,
 * `weight_hh_l0_reverse`, …) and are drawn in its order; formulas: https://docs.pytorch.org/docs/stable/nn.html#recurrent-layers.
 */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { pythonNumber, pythonValue } from '../core/pythonText.ts';
import { formatShape } from '../core/shape.ts';
import { empty, zeros } from '../creation.ts';
import { cat, stack } from '../ops/join.ts';
import { linear } from '../ops/matmul.ts';
import type { Tensor } from '../tensor.ts';
import { dropout } from './functional/dropout.ts';
import { checkSize, type LayerOptions } from './linear.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';
import { gruStep, lstmStep, rnnStep } from './rnnSteps.ts';

export interface RecurrentOptions extends LayerOptions {
  /** Layers on top of each other; default 1. */
  numLayers?: number;
  /** Default true. */
  bias?: boolean;
  /** Input and output are [batch, time, features] instead of [time, batch, features]. */
  batchFirst?: boolean;
  /** Probability of dropping the outputs of all layers but the last; default 0. */
  dropout?: number;
  /** A second network runs from the end to the start. */
  bidirectional?: boolean;
}

export interface RnnOptions extends RecurrentOptions {
  nonlinearity?: 'tanh' | 'relu';
}

export interface LstmOptions extends RecurrentOptions {
  /** Outputs are projected to this size; 0 (default) leaves them. */
  projSize?: number;
}

interface Weights {
  readonly wIh: Tensor;
  readonly wHh: Tensor;
  readonly bIh: Tensor | null;
  readonly bHh: Tensor | null;
  readonly wHr: Tensor | null;
}

/** The parts of a recurrent state: h, or h and c. */
type State = readonly Tensor[];

abstract class RecurrentBase extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly projSize: number;
  protected readonly parameterNames: string[][] = [];

  constructor(layer: string, inputSize: number, hiddenSize: number, gates: number, options: LstmOptions) {
    super();
    checkSize(inputSize, layer, 'inputSize');
    checkSize(hiddenSize, layer, 'hiddenSize');
    const { numLayers = 1, bias = true, batchFirst = false, dropout: p = 0, bidirectional = false, projSize = 0 } = options;
    if (!(Number.isInteger(numLayers) && numLayers > 0)) throw new ArgumentError(`${layer}: numLayers must be greater than zero, but got ${numLayers}`);
    if (!(p >= 0 && p <= 1)) {
      throw new ArgumentError(`${layer}: dropout should be a number in range [0, 1] representing the probability of an element being zeroed, but got ${p}`);
    }
    if (projSize < 0 || (projSize > 0 && projSize >= hiddenSize)) {
      throw new ArgumentError(`${layer}: projSize has to be smaller than hiddenSize (${hiddenSize}) and not negative, but got ${projSize}`);
    }
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.bias = bias;
    this.batchFirst = batchFirst;
    this.dropout = p;
    this.bidirectional = bidirectional;
    this.projSize = projSize;
    this.registerWeights(gates, options);
    this.resetParameters();
  }

  protected registerWeights(gates: number, { device, dtype }: LayerOptions): void {
    const directions = this.bidirectional ? 2 : 1;
    const outputSize = this.projSize || this.hiddenSize;
    const rows = gates * this.hiddenSize;
    for (let layer = 0; layer < this.numLayers; layer++) {
      for (let direction = 0; direction < directions; direction++) {
        const suffix = `_l${layer}${direction === 1 ? '_reverse' : ''}`;
        const width = layer === 0 ? this.inputSize : outputSize * directions;
        const shapes: [string, number[]][] = [
          [`weight_ih${suffix}`, [rows, width]],
          [`weight_hh${suffix}`, [rows, outputSize]],
        ];
        if (this.bias) shapes.push([`bias_ih${suffix}`, [rows]], [`bias_hh${suffix}`, [rows]]);
        if (this.projSize > 0) shapes.push([`weight_hr${suffix}`, [this.projSize, this.hiddenSize]]);
        for (const [name, shape] of shapes) this.registerParameter(name, new Parameter(empty(shape, { device, dtype })));
        this.parameterNames.push(shapes.map(([name]) => name));
      }
    }
  }

  /** All parameters uniform in ±1/√hiddenSize. */
  resetParameters(): void {
    const bound = this.hiddenSize > 0 ? 1 / Math.sqrt(this.hiddenSize) : 0;
    noGrad(() => {
      for (const p of this.parameters()) p.uniform_(-bound, bound);
    });
  }

  protected weightsOf(index: number): Weights {
    const own = new Map(this.namedParameters('', false));
    const [wIh, wHh, ...rest] = this.parameterNames[index].map((name) => {
      const parameter = own.get(name);
      if (parameter === undefined) throw new ArgumentError(`${this.constructor.name}: parameter ${name} is missing`);
      return parameter;
    });
    const [bIh, bHh] = this.bias ? rest : [null, null];
    return { wIh, wHh, bIh, bHh, wHr: this.projSize > 0 ? rest[rest.length - 1] : null };
  }

  /** One step: the input's share of the gates, the state, the recurrent weights. */
  protected abstract step(gates: Tensor, state: State, weights: Weights): State;

  /** input [T, B, F]; state per layer and direction. Returns the outputs and the last states. */
  protected runLayers(input: Tensor, initial: readonly State[]): { output: Tensor; last: State[] } {
    const directions = this.bidirectional ? 2 : 1;
    const last: State[] = [];
    let x = input;
    for (let layer = 0; layer < this.numLayers; layer++) {
      const outputs: Tensor[] = [];
      for (let direction = 0; direction < directions; direction++) {
        const index = layer * directions + direction;
        const run = this.runDirection(x, initial[index], this.weightsOf(index), direction === 1);
        outputs.push(run.output);
        last.push(run.state);
      }
      x = outputs.length === 1 ? outputs[0] : cat(outputs, -1);
      if (this.dropout > 0 && layer < this.numLayers - 1) x = dropout(x, this.dropout, this.training);
    }
    return { output: x, last };
  }

  protected runDirection(x: Tensor, initial: State, weights: Weights, reverse: boolean): { output: Tensor; state: State } {
    const gates = linear<Tensor>(x, weights.wIh, weights.bIh);
    const steps = x.shape[0];
    const outputs = new Array<Tensor>(steps);
    let state = initial;
    for (let i = 0; i < steps; i++) {
      const t = reverse ? steps - 1 - i : i;
      state = this.step(gates.select(0, t), state, weights);
      outputs[t] = state[0];
    }
    return { output: stack(outputs, 0), state };
  }

  /** Runs over a sequence, [T, F], [T, B, F] or (batchFirst) [B, T, F]; states are [layers·directions, B, size]. */
  protected run(input: Tensor, given: State | null, parts: readonly number[]): { output: Tensor; state: Tensor[] } {
    const name = this.constructor.name;
    if (input.ndim !== 2 && input.ndim !== 3) {
      throw new ShapeError(`${name}: Expected input to be 2D or 3D, got ${input.ndim}D instead`);
    }
    const features = input.shape[input.ndim - 1];
    if (features !== this.inputSize) {
      throw new ShapeError(`${name}: input.size(-1) must be equal to input_size. Expected ${this.inputSize}, got ${features}`);
    }
    const batched = input.ndim === 3;
    const swapped = batched && this.batchFirst;
    const x = batched ? (swapped ? input.transpose(0, 1) : input) : input.unsqueeze(1);
    const count = this.numLayers * (this.bidirectional ? 2 : 1);
    const start = parts.map((size, i) => this.startState(given?.[i], [count, x.shape[1], size], x, batched));
    const initial = Array.from({ length: count }, (_, index) => start.map((s) => s.select(0, index)));
    const { output, last } = this.runLayers(x, initial);
    const state = parts.map((_, i) => {
      const joined = stack(last.map((s) => s[i]), 0);
      return batched ? joined : joined.squeeze(1);
    });
    return { output: batched ? (swapped ? output.transpose(0, 1) : output) : output.squeeze(1), state };
  }

  protected startState(given: Tensor | undefined, shape: number[], x: Tensor, batched: boolean): Tensor {
    if (given === undefined) return zeros(shape, { dtype: x.dtype, device: x.device });
    const state = batched ? given : given.unsqueeze(1);
    if (formatShape(state.shape) !== formatShape(shape)) {
      throw new ShapeError(`${this.constructor.name}: Expected hidden size ${formatShape(shape)}, got ${formatShape(given.shape)}`);
    }
    return state;
  }

  override extraRepr(): string {
    const { inputSize, hiddenSize, projSize, numLayers, bias, batchFirst, dropout: p, bidirectional } = this;
    const parts = [`${inputSize}, ${hiddenSize}`];
    if (projSize > 0) parts.push(`proj_size=${projSize}`);
    if (numLayers !== 1) parts.push(`num_layers=${numLayers}`);
    if (!bias) parts.push(`bias=${pythonValue(bias)}`);
    if (batchFirst) parts.push(`batch_first=${pythonValue(batchFirst)}`);
    if (p !== 0) parts.push(`dropout=${pythonNumber(p)}`);
    if (bidirectional) parts.push(`bidirectional=${pythonValue(bidirectional)}`);
    return parts.join(', ');
  }
}

const optionsOf = <O extends RecurrentOptions>(third: number | O | undefined, options: O): O =>
  typeof third === 'number' ? { ...options, numLayers: third } : { ...options, ...third };

/** h' = tanh(W_ih·x + b_ih + W_hh·h + b_hh), or relu. `forward` gives [output, lastState]. */
export class RNN extends RecurrentBase {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(inputSize: number, hiddenSize: number, numLayers?: number | RnnOptions, options: RnnOptions = {}) {
    const all = optionsOf<RnnOptions>(numLayers, options);
    super('RNN', inputSize, hiddenSize, 1, { ...all, projSize: 0 });
    const { nonlinearity = 'tanh' } = all;
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu') {
      throw new ArgumentError(`RNN: Unknown nonlinearity '${String(nonlinearity)}'. Select from 'tanh' or 'relu'.`);
    }
    this.nonlinearity = nonlinearity;
  }

  protected override step(gates: Tensor, [h]: State, { wHh, bHh }: Weights): State {
    return [rnnStep(gates, h, wHh, bHh, this.nonlinearity)];
  }

  /** input [T, B, F] and state [layers·directions, B, H] → outputs [T, B, H·directions] and the last state. */
  forward(input: Tensor, state: Tensor | null = null): [Tensor, Tensor] {
    const result = this.run(input, state && [state], [this.hiddenSize]);
    return [result.output, result.state[0]];
  }
}

/** Gated recurrent units. `forward` gives [output, lastState]. */
export class GRU extends RecurrentBase {
  constructor(inputSize: number, hiddenSize: number, numLayers?: number | RecurrentOptions, options: RecurrentOptions = {}) {
    super('GRU', inputSize, hiddenSize, 3, { ...optionsOf(numLayers, options), projSize: 0 });
  }

  protected override step(gates: Tensor, [h]: State, { wHh, bHh }: Weights): State {
    return [gruStep(gates, h, wHh, bHh)];
  }

  /** input [T, B, F] and state [layers·directions, B, H] → outputs [T, B, H·directions] and the last state. */
  forward(input: Tensor, state: Tensor | null = null): [Tensor, Tensor] {
    const result = this.run(input, state && [state], [this.hiddenSize]);
    return [result.output, result.state[0]];
  }
}

/** Long short-term memory. `forward` gives [output, [h, c]]. */
export class LSTM extends RecurrentBase {
  constructor(inputSize: number, hiddenSize: number, numLayers?: number | LstmOptions, options: LstmOptions = {}) {
    super('LSTM', inputSize, hiddenSize, 4, optionsOf<LstmOptions>(numLayers, options));
  }

  protected override step(gates: Tensor, [h, c]: State, { wHh, bHh, wHr }: Weights): State {
    return lstmStep(gates, h, c, wHh, bHh, wHr);
  }

  /** input [T, B, F] and [h, c] → outputs [T, B, size·directions] and the last [h, c]. */
  forward(input: Tensor, state: readonly [Tensor, Tensor] | null = null): [Tensor, [Tensor, Tensor]] {
    const result = this.run(input, state, [this.projSize || this.hiddenSize, this.hiddenSize]);
    return [result.output, [result.state[0], result.state[1]]];
  }
}
