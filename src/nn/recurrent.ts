/** One step of each recurrent layer, shared by the layers over sequences and by the cells. */
import { divide } from '../ops/divide.ts';
import { linear } from '../ops/matmul.ts';
import { gruCell, lstmCell } from '../ops/recurrent.ts';
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
export function step(mode: Mode, projected: Tensor, [hidden, cell]: State, weights: StateWeights): State {
  const recurrent = linear<Tensor>(hidden, weights.weightHh, weights.biasHh);
  switch (mode) {
    case 'LSTM':
      return cell === undefined ? [hidden] : lstm(projected, recurrent, cell, weights.weightHr);
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

/** The states after each step over projected inputs [t, n, gates·hidden], first to last or reversed, and the last one. */
export function unroll(
  mode: Mode,
  projected: Tensor,
  initial: State,
  weights: StateWeights,
  reverse: boolean,
): { outputs: Tensor[]; last: State } {
  const steps = projected.shape[0];
  const inputs = divide<Tensor>(projected, 0, steps);
  const outputs = new Array<Tensor>(steps);
  let state = initial;
  for (let i = 0; i < steps; i++) {
    const t = reverse ? steps - 1 - i : i;
    state = step(mode, inputs[t].squeeze(0), state, weights);
    outputs[t] = state[0];
  }
  return { outputs, last: state };
}
