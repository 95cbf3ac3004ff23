/** Single steps of recurrent networks as modules. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { pythonValue } from '../core/pythonText.ts';
import { formatShape } from '../core/shape.ts';
import { empty, zeros } from '../creation.ts';
import { linear } from '../ops/matmul.ts';
import type { Tensor } from '../tensor.ts';
import { checkSize, type LayerOptions } from './linear.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';
import { gruStep, lstmStep, rnnStep } from './rnnSteps.ts';

export interface CellOptions extends LayerOptions {
  /** Default true. */
  bias?: boolean;
}

export interface RnnCellOptions extends CellOptions {
  nonlinearity?: 'tanh' | 'relu';
}

const optionsOf = <O extends CellOptions>(third: boolean | O | undefined, options: O): O =>
  typeof third === 'boolean' ? { ...options, bias: third } : { ...options, ...third };

abstract class CellBase extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  weight_ih: Parameter;
  weight_hh: Parameter;
  bias_ih: Parameter | null;
  bias_hh: Parameter | null;

  constructor(layer: string, inputSize: number, hiddenSize: number, gates: number, { bias = true, device, dtype }: CellOptions) {
    super();
    checkSize(inputSize, layer, 'inputSize');
    checkSize(hiddenSize, layer, 'hiddenSize');
    const make = (...shape: number[]) => new Parameter(empty(shape, { device, dtype }));
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.weight_ih = make(gates * hiddenSize, inputSize);
    this.weight_hh = make(gates * hiddenSize, hiddenSize);
    this.bias_ih = bias ? make(gates * hiddenSize) : null;
    this.bias_hh = bias ? make(gates * hiddenSize) : null;
    this.resetParameters();
  }

  /** All parameters uniform in ±1/√hiddenSize. */
  resetParameters(): void {
    const bound = this.hiddenSize > 0 ? 1 / Math.sqrt(this.hiddenSize) : 0;
    noGrad(() => {
      for (const p of this.parameters()) p.uniform_(-bound, bound);
    });
  }

  /** The input's share of the gates. @throws ShapeError */
  protected gates(input: Tensor): Tensor {
    if (input.ndim !== 1 && input.ndim !== 2) {
      throw new ShapeError(`${this.constructor.name}: Expected input to be 1D or 2D, got ${input.ndim}D instead`);
    }
    return linear<Tensor>(input, this.weight_ih, this.bias_ih);
  }

  protected start(input: Tensor, given: Tensor | null): Tensor {
    const shape = [...input.shape.slice(0, -1), this.hiddenSize];
    if (given === null) return zeros(shape, { dtype: input.dtype, device: input.device });
    if (formatShape(given.shape) === formatShape(shape)) return given;
    throw new ShapeError(`${this.constructor.name}: Expected hidden state of shape ${formatShape(shape)}, got ${formatShape(given.shape)}`);
  }

  override extraRepr(): string {
    const bias = this.bias_ih === null ? `, bias=${pythonValue(false)}` : '';
    return `${this.inputSize}, ${this.hiddenSize}${bias}`;
  }
}

/** One step of `RNN`: input [B, F] and state [B, H] → the next state. */
export class RNNCell extends CellBase {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(inputSize: number, hiddenSize: number, bias?: boolean | RnnCellOptions, options: RnnCellOptions = {}) {
    const all = optionsOf<RnnCellOptions>(bias, options);
    super('RNNCell', inputSize, hiddenSize, 1, all);
    this.nonlinearity = all.nonlinearity ?? 'tanh';
    if (this.nonlinearity !== 'tanh' && this.nonlinearity !== 'relu') {
      throw new ArgumentError(`RNNCell: Unknown nonlinearity: ${String(this.nonlinearity)}`);
    }
  }
  forward(input: Tensor, state: Tensor | null = null): Tensor {
    return rnnStep(this.gates(input), this.start(input, state), this.weight_hh, this.bias_hh, this.nonlinearity);
  }
  override extraRepr(): string {
    return `${super.extraRepr()}${this.nonlinearity === 'tanh' ? '' : `, nonlinearity=${this.nonlinearity}`}`;
  }
}

/** One step of `GRU`: input [B, F] and state [B, H] → the next state. */
export class GRUCell extends CellBase {
  constructor(inputSize: number, hiddenSize: number, bias?: boolean | CellOptions, options: CellOptions = {}) {
    super('GRUCell', inputSize, hiddenSize, 3, optionsOf(bias, options));
  }
  forward(input: Tensor, state: Tensor | null = null): Tensor {
    return gruStep(this.gates(input), this.start(input, state), this.weight_hh, this.bias_hh);
  }
}

/** One step of `LSTM`: input [B, F] and [h, c] → the next [h, c]. */
export class LSTMCell extends CellBase {
  constructor(inputSize: number, hiddenSize: number, bias?: boolean | CellOptions, options: CellOptions = {}) {
    super('LSTMCell', inputSize, hiddenSize, 4, optionsOf(bias, options));
  }
  forward(input: Tensor, state: readonly [Tensor, Tensor] | null = null): [Tensor, Tensor] {
    const [h, c] = [0, 1].map((i) => this.start(input, state?.[i] ?? null));
    return lstmStep(this.gates(input), h, c, this.weight_hh, this.bias_hh, null);
  }
}
