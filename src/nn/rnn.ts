/** Recurrent layers over sequences. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { pythonFloat, pythonValue } from '../core/pythonText.ts';
import { formatShape, sameShape } from '../core/shape.ts';
import { warnOnce } from '../core/warnings.ts';
import { empty, zeros } from '../creation.ts';
import { divide } from '../ops/divide.ts';
import { cat, stack } from '../ops/join.ts';
import { linear } from '../ops/matmul.ts';
import { type ByName as ByNameOf, option } from '../ops/options.ts';
import { type ByName, type Flexible, named, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { dropout as drop } from './functional/dropout.ts';
import { checkSize, type LayerOptions } from './linear.ts';
import { Module, noteParameters } from './module.ts';
import { listOf, PackedSequence } from './packedSequence.ts';
import { Parameter } from './parameter.ts';
import { gatesOf, type Mode, productsOf, type State, unroll } from './recurrent.ts';

export interface RecurrentOptions extends LayerOptions {
  /** Layers on top of each other. Default 1. */
  numLayers?: number;
  /** Default true. */
  bias?: boolean;
  /** Input and output are [n, t, …] instead of [t, n, …]. */
  batchFirst?: boolean;
  /** Of the outputs of all layers but the last, in training. */
  dropout?: number;
  /** Also from the last step to the first; the outputs stand side by side. */
  bidirectional?: boolean;
}

export interface RNNOptions extends RecurrentOptions {
  /** Default 'tanh'. */
  nonlinearity?: 'tanh' | 'relu';
}

export interface LSTMOptions extends RecurrentOptions {
  /** Project the hidden state to this size; 0 for no projection. */
  projSize?: number;
}

type Weight = `weight_${string}` | `bias_${string}`;

/** Weights weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, (weight_hr_l0,) …_l0_reverse, …_l1, as in PyTorch. */
abstract class RecurrentLayer extends Module {
  [name: Weight]: Parameter;
  readonly mode: Mode;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly projSize: number;

  constructor(mode: Mode, inputSize: number, hiddenSize: number, options: LSTMOptions) {
    super();
    const {
      numLayers = 1,
      bias = true,
      batchFirst = false,
      dropout = 0,
      bidirectional = false,
      projSize = 0,
      ...place
    } = options;
    const layer = new.target.name;
    checkSize(inputSize, layer, 'inputSize');
    if (!(Number.isInteger(hiddenSize) && hiddenSize > 0))
      throw new ArgumentError('hidden_size must be greater than zero');
    if (!(Number.isInteger(numLayers) && numLayers > 0))
      throw new ArgumentError('num_layers must be greater than zero');
    if (!(dropout >= 0 && dropout <= 1)) {
      throw new ArgumentError(
        'dropout should be a number in range [0, 1] representing the probability of an element being zeroed',
      );
    }
    if (dropout > 0 && numLayers === 1)
      warnOnce(
        layer,
        `dropout acts behind all layers but the last, so that dropout ${dropout} does nothing with numLayers 1`,
      );
    if (!(projSize >= 0 && projSize < hiddenSize))
      throw new ArgumentError('proj_size has to be smaller than hidden_size');
    this.mode = mode;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.bias = bias;
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    this.bidirectional = bidirectional;
    this.projSize = projSize;
    this.#makeWeights(place);
    this.resetParameters();
    noteParameters(this);
  }

  #makeWeights(place: LayerOptions): void {
    const { mode, inputSize, hiddenSize, projSize, bidirectional } = this;
    const rows = gatesOf[mode] * hiddenSize;
    const outputSize = projSize || hiddenSize;
    for (let layer = 0; layer < this.numLayers; layer++) {
      const columns = layer === 0 ? inputSize : outputSize * (bidirectional ? 2 : 1);
      for (const suffix of suffixesOf(this, layer)) {
        const make = (name: Weight, shape: readonly number[]): void => {
          this[name] = new Parameter(empty(shape, place));
        };
        make(`weight_ih_${suffix}`, [rows, columns]);
        make(`weight_hh_${suffix}`, [rows, outputSize]);
        if (this.bias) make(`bias_ih_${suffix}`, [rows]);
        if (this.bias) make(`bias_hh_${suffix}`, [rows]);
        if (projSize > 0) make(`weight_hr_${suffix}`, [projSize, hiddenSize]);
      }
    }
  }

  /** Draws all weights anew, uniform within ±1/√hiddenSize. */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.hiddenSize);
    noGrad(() => {
      for (const parameter of this.parameters()) parameter.uniform_(-bound, bound);
    });
  }

  override extraRepr(): string {
    const { inputSize, hiddenSize, projSize, numLayers, bias, batchFirst, dropout, bidirectional } = this;
    const parts = [`${inputSize}, ${hiddenSize}`];
    if (projSize !== 0) parts.push(`proj_size=${projSize}`);
    if (numLayers !== 1) parts.push(`num_layers=${numLayers}`);
    if (!bias) parts.push(`bias=${pythonValue(bias)}`);
    if (batchFirst) parts.push(`batch_first=${pythonValue(batchFirst)}`);
    if (dropout !== 0) parts.push(`dropout=${pythonFloat(dropout)}`);
    if (bidirectional) parts.push(`bidirectional=${pythonValue(bidirectional)}`);
    return parts.join(', ');
  }
}

/** The ends of the weights' names in one layer, by direction. */
const suffixesOf = ({ bidirectional }: RecurrentLayer, layer: number): string[] =>
  bidirectional ? [`l${layer}`, `l${layer}_reverse`] : [`l${layer}`];

type Sequences = Tensor | PackedSequence;

interface Run<S extends Sequences> {
  readonly output: S;
  /** [layers·directions, n, size]; the cell state for an LSTM. */
  readonly hidden: Tensor;
  readonly cell: Tensor | null;
}

function checkInput(layer: RecurrentLayer, input: Tensor, packed: boolean): void {
  const name = layer.constructor.name;
  if (packed && input.ndim !== 2)
    throw new ShapeError(`${name}: input must have 2 dimensions, got ${input.ndim}`);
  if (input.ndim !== 2 && input.ndim !== 3)
    throw new ShapeError(`${name}: Expected input to be 2D or 3D, got ${input.ndim}D instead`);
  const features = input.shape[input.ndim - 1];
  if (features !== layer.inputSize) {
    throw new ShapeError(
      `${name}: input.size(-1) must be equal to input_size. Expected ${layer.inputSize}, got ${features}`,
    );
  }
  if (!packed && input.shape[input.ndim === 2 || !layer.batchFirst ? 0 : 1] === 0) {
    throw new ShapeError('Expected sequence length to be larger than 0 in RNN');
  }
}

/** A state as [layers·directions, n, size], zeros if none is given. */
function stateOf(
  layer: RecurrentLayer,
  given: Tensor | null,
  batch: number | null,
  size: number,
  like: Tensor,
  what: string,
): Tensor {
  const count = layer.numLayers * (layer.bidirectional ? 2 : 1);
  if (given === null) return zeros([count, batch ?? 1, size], { dtype: like.dtype, device: like.device });
  const ndim = batch === null ? 2 : 3;
  if (given.ndim !== ndim) {
    throw new ShapeError(
      `For ${batch === null ? 'unbatched 2-D' : 'batched 3-D'} input, hx should also be ${ndim}-D but got ${given.ndim}-D tensor`,
    );
  }
  const expected = batch === null ? [count, size] : [count, batch, size];
  if (!sameShape(given.shape, expected)) {
    throw new ShapeError(`Expected ${what} size (${expected.join(', ')}), got ${formatShape(given.shape)}`);
  }
  return batch === null ? given.unsqueeze(1) : given;
}

/** All layers and directions over sequences: packed, or in a tensor that may lack the batch dimension. */
function run<S extends Sequences>(
  layer: RecurrentLayer,
  given: S,
  hidden: Tensor | null,
  cell: Tensor | null,
): Run<S>;
function run(
  layer: RecurrentLayer,
  given: Sequences,
  hidden: Tensor | null,
  cell: Tensor | null,
): Run<Sequences> {
  const packed = given instanceof PackedSequence ? given : null;
  const input = given instanceof PackedSequence ? given.data : given;
  checkInput(layer, input, packed !== null);
  const { mode, batchFirst, numLayers, hiddenSize, projSize } = layer;
  const sizes = packed && listOf(packed.batchSizes);
  const batched = sizes !== null || input.ndim === 3;
  const batch = sizes !== null ? sizes[0] : batched ? input.shape[batchFirst ? 0 : 1] : null;
  const initial = (state: Tensor | null, size: number, what: string): Tensor => {
    const found = stateOf(layer, state, batch, size, input, what);
    return packed?.sortedIndices ? found.indexSelect(1, packed.sortedIndices) : found;
  };
  const h0 = initial(hidden, projSize || hiddenSize, mode === 'LSTM' ? 'hidden[0]' : 'hidden');
  const c0 = mode === 'LSTM' ? initial(cell, hiddenSize, 'hidden[1]') : null;
  let sequence = sizes || !batched || !batchFirst ? input : input.transpose(0, 1);
  if (!batched) sequence = sequence.unsqueeze(1);
  const last: State[] = [];
  for (let i = 0; i < numLayers; i++) {
    const directions = suffixesOf(layer, i).map((suffix, d) => {
      const at = last.length + d;
      const start: State = c0 === null ? [h0.select(0, at)] : [h0.select(0, at), c0.select(0, at)];
      return direction(layer, sequence, sizes, suffix, start, d === 1);
    });
    last.push(...directions.map((each) => each.last));
    const outputs = directions.map(({ outputs }) => (sizes ? cat(outputs, 0) : stack(outputs, 0)));
    sequence = outputs.length === 1 ? outputs[0] : cat(outputs, -1);
    if (i < numLayers - 1 && layer.dropout > 0 && layer.training) sequence = drop(sequence, layer.dropout);
  }
  const final = (part: 0 | 1): Tensor => {
    const all = stack(
      last.flatMap((state) => state[part] ?? []),
      0,
    );
    if (packed?.unsortedIndices) return all.indexSelect(1, packed.unsortedIndices);
    return batched ? all : all.squeeze(1);
  };
  const output = packed
    ? new PackedSequence(sequence, packed.batchSizes, packed.sortedIndices, packed.unsortedIndices)
    : !batched
      ? sequence.squeeze(1)
      : batchFirst
        ? sequence.transpose(0, 1)
        : sequence;
  return { output, hidden: final(0), cell: c0 === null ? null : final(1) };
}

/** One direction over a sequence [t, n, …], or over packed steps of so many sequences each. */
function direction(
  layer: RecurrentLayer,
  sequence: Tensor,
  sizes: readonly number[] | null,
  suffix: string,
  start: State,
  reverse: boolean,
) {
  const made = linear<Tensor>(
    sequence,
    layer[`weight_ih_${suffix}`],
    layer.bias ? layer[`bias_ih_${suffix}`] : null,
  );
  const weights = {
    weightHh: layer[`weight_hh_${suffix}`],
    biasHh: layer.bias ? layer[`bias_hh_${suffix}`] : null,
    weightHr: layer.projSize > 0 ? layer[`weight_hr_${suffix}`] : null,
  };
  const [projected, product] = productsOf(layer.mode, made, weights);
  const inputs = sizes
    ? projected.split([...sizes], 0)
    : divide<Tensor>(projected, 0, sequence.shape[0]).map((step) => step.squeeze(0));
  return unroll(layer.mode, inputs, start, weights.weightHr, product, reverse);
}

type RecurrentRest = Flexible<
  [numLayers: number, bias: boolean, batchFirst: boolean, dropout: number, bidirectional: boolean],
  RecurrentOptions
>;
type RNNRest = Flexible<
  [
    numLayers: number,
    nonlinearity: 'tanh' | 'relu',
    bias: boolean,
    batchFirst: boolean,
    dropout: number,
    bidirectional: boolean,
  ],
  RNNOptions
>;
type LSTMRest = Flexible<
  [
    numLayers: number,
    bias: boolean,
    batchFirst: boolean,
    dropout: number,
    bidirectional: boolean,
    projSize: number,
  ],
  LSTMOptions
>;

/**
 * h′ = tanh(W·x + b + U·h + c), or relu. Input [t, n, inputSize], or a packed sequence, and perhaps a state [layers·directions, n, hiddenSize] →
 * [output [t, n, directions·hiddenSize], last state].
 */
export class RNN extends RecurrentLayer {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(
    ...args:
      | [inputSize: number, hiddenSize: number, ...rest: RNNRest]
      | ByName<{ inputSize: number; hiddenSize: number }, ['inputSize'], RNNOptions>
  ) {
    const [inputSize, hiddenSize, ...rest] = required<[number, number]>(
      new.target.name,
      ['inputSize', 'hiddenSize'],
      args,
    );
    const { nonlinearity = 'tanh', ...options } = named<RNNOptions>(
      new.target.name,
      'numLayers nonlinearity bias batchFirst dropout bidirectional * device dtype',
      rest,
    );
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu') {
      throw new ArgumentError(
        `Unknown nonlinearity '${String(nonlinearity)}'. Select from 'tanh' or 'relu'.`,
      );
    }
    super(nonlinearity === 'tanh' ? 'RNN_TANH' : 'RNN_RELU', inputSize, hiddenSize, options);
    this.nonlinearity = nonlinearity;
  }
  forward<S extends Sequences>(
    input: S,
    hidden?: ByNameOf<'hx', Tensor | null>,
  ): [output: S, hidden: Tensor] {
    const result = run(this, input, option(hidden, 'RNN.forward', 'hx', null), null);
    return [result.output, result.hidden];
  }
}

/** Gated recurrent units (Cho et al., 2014), with the arguments and results of `RNN`. */
export class GRU extends RecurrentLayer {
  constructor(
    ...args:
      | [inputSize: number, hiddenSize: number, ...rest: RecurrentRest]
      | ByName<{ inputSize: number; hiddenSize: number }, ['inputSize'], RecurrentOptions>
  ) {
    const [inputSize, hiddenSize, ...rest] = required<[number, number]>(
      new.target.name,
      ['inputSize', 'hiddenSize'],
      args,
    );
    super(
      'GRU',
      inputSize,
      hiddenSize,
      named<RecurrentOptions>(
        new.target.name,
        'numLayers bias batchFirst dropout bidirectional * device dtype',
        rest,
      ),
    );
  }
  forward<S extends Sequences>(
    input: S,
    hidden?: ByNameOf<'hx', Tensor | null>,
  ): [output: S, hidden: Tensor] {
    const result = run(this, input, option(hidden, 'GRU.forward', 'hx', null), null);
    return [result.output, result.hidden];
  }
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber, 1997): input [t, n, inputSize] and perhaps [hidden, cell] →
 * [output, [hidden, cell]].
 */
export class LSTM extends RecurrentLayer {
  constructor(
    ...args:
      | [inputSize: number, hiddenSize: number, ...rest: LSTMRest]
      | ByName<{ inputSize: number; hiddenSize: number }, ['inputSize'], LSTMOptions>
  ) {
    const [inputSize, hiddenSize, ...rest] = required<[number, number]>(
      new.target.name,
      ['inputSize', 'hiddenSize'],
      args,
    );
    super(
      'LSTM',
      inputSize,
      hiddenSize,
      named<LSTMOptions>(
        new.target.name,
        'numLayers bias batchFirst dropout bidirectional projSize * device dtype',
        rest,
      ),
    );
  }
  forward<S extends Sequences>(
    input: S,
    state?: ByNameOf<'hx', readonly [hidden: Tensor, cell: Tensor] | null>,
  ): [output: S, state: [hidden: Tensor, cell: Tensor]] {
    const given = option(state, 'LSTM.forward', 'hx', null);
    const { output, hidden, cell } = run(this, input, given?.[0] ?? null, given?.[1] ?? null);
    return [output, [hidden, cell ?? hidden]];
  }
}
