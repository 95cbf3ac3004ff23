/** One step of each recurrent layer, shared by the layers over sequences and by the cells. */
import { cat } from '../ops/join.ts';
import { linear } from '../ops/matmul.ts';
import { gruCell, lstmCell, type StateProduct, sharedProducts } from '../ops/recurrent.ts';
import type { Tensor } from '../tensor.ts';

export type Mode = 'LSTM' | 'GRU' | 'RNN_TANH' | 'RNN_RELU';

/** How many vectors of the hidden size the weights make at once. */
export const gatesOf: { readonly [mode in Mode]: number } = { LSTM: 4, GRU: 3, RNN_TANH: 1, RNN_RELU: 1 };

/** The weights that act on the state. */
export interface StateWeights {
  readonly weightHh: Tensor;
  readonly biasHh: Tensor | null;
  /** [proj, hidden], for an LSTM whose output is projected. */
  readonly weightHr: Tensor | null;
}

/** The hidden state, and the cell state of an LSTM. */
export type State = readonly [hidden: Tensor, cell?: Tensor];

/** The next state from the projected input x·Wᵀ + b [n, gates·hidden] and the state before. */
export const step = (mode: Mode, projected: Tensor, state: State, weights: StateWeights): State =>
  stepWith(
    mode,
    projected,
    linear<Tensor>(state[0], weights.weightHh, weights.biasHh),
    state,
    weights.weightHr,
  );

/** The same with the product of the state that is added. */
function stepWith(
  mode: Mode,
  projected: Tensor,
  recurrent: Tensor,
  [hidden, cell]: State,
  weightHr: Tensor | null,
): State {
  switch (mode) {
    case 'LSTM':
      return cell === undefined ? [hidden] : lstm(projected, recurrent, cell, weightHr);
    case 'GRU':
      return [gruCell<Tensor>(projected, recurrent, hidden)];
    case 'RNN_TANH':
      return [projected.add(recurrent).tanh()];
    case 'RNN_RELU':
      return [projected.add(recurrent).relu()];
  }
}

function lstm(projected: Tensor, recurrent: Tensor, before: Tensor, weightHr: Tensor | null): State {
  const { hidden, cell } = lstmCell<Tensor>(projected, recurrent, before);
  return [weightHr === null ? hidden : linear<Tensor>(hidden, weightHr), cell];
}

/** Some rows of a state: sequences. */
const sequences = ([hidden, cell]: State, at: number, count: number): State =>
  cell === undefined
    ? [hidden.narrow(0, at, count)]
    : [hidden.narrow(0, at, count), cell.narrow(0, at, count)];

/** The states of several groups of sequences as one. */
function joined(states: readonly State[]): State {
  const hidden = cat<Tensor>(
    states.map((state) => state[0]),
    0,
  );
  const cells = states.flatMap(([, cell]) => cell ?? []);
  return cells.length === 0 ? [hidden] : [hidden, cat<Tensor>(cells, 0)];
}

/**
 * The projected inputs of a sequence, and the products of its states. The gradient of a GRU's is not that of the inputs: its
 * new state has a gate between them.
 */
export const productsOf = (
  mode: Mode,
  projected: Tensor,
  { weightHh, biasHh }: StateWeights,
): [projected: Tensor, product: StateProduct<Tensor>] =>
  mode === 'GRU'
    ? [projected, (state) => linear<Tensor>(state, weightHh, biasHh)]
    : sharedProducts<Tensor>(projected, weightHh, biasHh);

/**
 * The states after each step over projected inputs [n, gates·hidden], first to last or reversed, and the last one of each
 * sequence. Of the n sequences the last ones may be shorter: inputs have fewer rows then.
 */
export function unroll(
  mode: Mode,
  inputs: readonly Tensor[],
  initial: State,
  weightHr: Tensor | null,
  product: StateProduct<Tensor>,
  reverse: boolean,
): { outputs: Tensor[]; last: State } {
  const steps = inputs.length;
  const outputs = new Array<Tensor>(steps);
  const ended: State[] = [];
  let state = initial;
  for (let i = 0; i < steps; i++) {
    const t = reverse ? steps - 1 - i : i;
    const [count, before] = [inputs[t].shape[0], state[0].shape[0]];
    if (count < before) {
      if (i > 0) ended.push(sequences(state, count, before - count));
      state = sequences(state, 0, count);
    } else if (count > before) state = joined([state, sequences(initial, before, count - before)]);
    state = stepWith(mode, inputs[t], product(state[0], t), state, weightHr);
    outputs[t] = state[0];
  }
  return { outputs, last: ended.length === 0 ? state : joined([state, ...ended.reverse()]) };
}
