/** One step of a recurrent layer as a layer. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { pythonValue } from '../core/pythonText.ts';
import { empty, zeros } from '../creation.ts';
import { linear } from '../ops/matmul.ts';
import { type ByName as ByNameOf, option } from '../ops/options.ts';
import { type ByName, type Flexible, named, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { checkSize, type LayerOptions } from './linear.ts';
import { Module, noteParameters } from './module.ts';
import { Parameter } from './parameter.ts';
import { gatesOf, type Mode, type State, step } from './recurrent.ts';

export interface CellOptions extends LayerOptions {
  /** Default true. */
  bias?: boolean;
}
export interface RNNCellOptions extends CellOptions {
  /** Default 'tanh'. */
  nonlinearity?: 'tanh' | 'relu';
}

abstract class Cell extends Module {
  readonly mode: Mode;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly bias: boolean;
  weight_ih: Parameter;
  weight_hh: Parameter;
  bias_ih: Parameter | null;
  bias_hh: Parameter | null;

  constructor(mode: Mode, inputSize: number, hiddenSize: number, { bias = true, ...place }: CellOptions) {
    super();
    checkSize(inputSize, new.target.name, 'inputSize');
    checkSize(hiddenSize, new.target.name, 'hiddenSize');
    const rows = gatesOf[mode] * hiddenSize;
    this.mode = mode;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.bias = bias;
    this.weight_ih = new Parameter(empty([rows, inputSize], place));
    this.weight_hh = new Parameter(empty([rows, hiddenSize], place));
    this.bias_ih = bias ? new Parameter(empty([rows], place)) : null;
    this.bias_hh = bias ? new Parameter(empty([rows], place)) : null;
    this.resetParameters();
    noteParameters(this);
  }

  /** Draws all weights anew, uniform within ±1/√hiddenSize. */
  resetParameters(): void {
    const bound = this.hiddenSize > 0 ? 1 / Math.sqrt(this.hiddenSize) : 0;
    noGrad(() => {
      for (const parameter of this.parameters()) parameter.uniform_(-bound, bound);
    });
  }

  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.bias ? '' : `, bias=${pythonValue(false)}`}`;
  }
}

/** @throws ShapeError unless x is [n, size] or [size] like the input */
function checkVector(cell: Cell, x: Tensor, what: string, size: number, ndim: readonly number[]): void {
  const name = cell.constructor.name;
  if (!ndim.includes(x.ndim))
    throw new ShapeError(`${name}: Expected ${what} to be ${ndim.join('D or ')}D, got ${x.ndim}D instead`);
  const own = x.shape[x.ndim - 1];
  if (own !== size)
    throw new ShapeError(`${name}: ${what} has inconsistent size: got ${own}, expected ${size}`);
}

/** @throws ShapeError unless x [n, hiddenSize] goes with the input [n, inputSize]; n is absent in both or neither */
function checkState(cell: Cell, input: Tensor, x: Tensor, index: number): void {
  const name = cell.constructor.name;
  checkVector(cell, x, `hidden${index}`, cell.hiddenSize, [input.ndim]);
  if (x.ndim === 2 && x.shape[0] !== input.shape[0])
    throw new ShapeError(
      `${name}: Input batch size ${input.shape[0]} doesn't match hidden${index} batch size ${x.shape[0]}`,
    );
}

/** The next state; what is missing of the given one is zeros. */
function advance(cell: Cell, input: Tensor, given: readonly (Tensor | null)[]): State {
  checkVector(cell, input, 'input', cell.inputSize, [1, 2]);
  given.forEach((x, i) => {
    if (x !== null) checkState(cell, input, x, i);
  });
  const shape = [...input.shape.slice(0, -1), cell.hiddenSize];
  const [hidden, memory] = given.map((x) => x ?? zeros(shape, { dtype: input.dtype, device: input.device }));
  const projected = linear<Tensor>(input, cell.weight_ih, cell.bias_ih);
  const weights = { weightHh: cell.weight_hh, biasHh: cell.bias_hh, weightHr: null };
  return step(cell.mode, projected, memory === undefined ? [hidden] : [hidden, memory], weights);
}

/** One step of `RNN`: input [n, inputSize] and perhaps a state [n, hiddenSize] → the next state; n may be absent. */
export class RNNCell extends Cell {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(
    ...args:
      | [
          inputSize: number,
          hiddenSize: number,
          ...rest: Flexible<[bias: boolean, nonlinearity: 'tanh' | 'relu'], RNNCellOptions>,
        ]
      | ByName<{ inputSize: number; hiddenSize: number }, ['inputSize'], RNNCellOptions>
  ) {
    const [inputSize, hiddenSize, ...rest] = required<[number, number]>(
      new.target.name,
      ['inputSize', 'hiddenSize'],
      args,
    );
    const { nonlinearity = 'tanh', ...options } = named<RNNCellOptions>(
      new.target.name,
      'bias nonlinearity * device dtype',
      rest,
    );
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu') {
      throw new ArgumentError(`Unknown nonlinearity: ${String(nonlinearity)}`);
    }
    super(nonlinearity === 'tanh' ? 'RNN_TANH' : 'RNN_RELU', inputSize, hiddenSize, options);
    this.nonlinearity = nonlinearity;
  }
  forward(input: Tensor, hidden?: ByNameOf<'hx', Tensor | null>): Tensor {
    return advance(this, input, [option(hidden, 'RNNCell.forward', 'hx', null)])[0];
  }
  override extraRepr(): string {
    return `${super.extraRepr()}${this.nonlinearity === 'tanh' ? '' : `, nonlinearity=${this.nonlinearity}`}`;
  }
}

/** One step of `GRU`. */
export class GRUCell extends Cell {
  constructor(
    ...args:
      | [inputSize: number, hiddenSize: number, ...rest: Flexible<[bias: boolean], CellOptions>]
      | ByName<{ inputSize: number; hiddenSize: number }, ['inputSize'], CellOptions>
  ) {
    const [inputSize, hiddenSize, ...rest] = required<[number, number]>(
      new.target.name,
      ['inputSize', 'hiddenSize'],
      args,
    );
    super('GRU', inputSize, hiddenSize, named<CellOptions>(new.target.name, 'bias * device dtype', rest));
  }
  forward(input: Tensor, hidden?: ByNameOf<'hx', Tensor | null>): Tensor {
    return advance(this, input, [option(hidden, 'GRUCell.forward', 'hx', null)])[0];
  }
}

/** One step of `LSTM`: input and perhaps [hidden, cell] → [hidden, cell]. */
export class LSTMCell extends Cell {
  constructor(
    ...args:
      | [inputSize: number, hiddenSize: number, ...rest: Flexible<[bias: boolean], CellOptions>]
      | ByName<{ inputSize: number; hiddenSize: number }, ['inputSize'], CellOptions>
  ) {
    const [inputSize, hiddenSize, ...rest] = required<[number, number]>(
      new.target.name,
      ['inputSize', 'hiddenSize'],
      args,
    );
    super('LSTM', inputSize, hiddenSize, named<CellOptions>(new.target.name, 'bias * device dtype', rest));
  }
  forward(
    input: Tensor,
    state?: ByNameOf<'hx', readonly [hidden: Tensor, cell: Tensor] | null>,
  ): [hidden: Tensor, cell: Tensor] {
    const given = option(state, 'LSTMCell.forward', 'hx', null);
    if (given !== null && !Array.isArray(given))
      throw new ArgumentError(
        `LSTMCell.forward: expected the state as [hidden, cell], but got ${String(given)}`,
      );
    const [hidden, cell] = advance(this, input, given ?? [null, null]);
    return [hidden, cell ?? hidden];
  }
}
