/** The cells of recurrent layers through the kernels of assembly/recurrent.ts: float32 [n, gates·size], [n, size]. */
import type { NDArray } from '../array.ts';
import type { GruCell, GruGrads, LstmCell, LstmGrads } from '../backend.ts';
import type { WasmContext } from './context.ts';
import { packed, productChunk } from './kernels.ts';
import type { KernelName } from './pool.ts';

/** What the functions of one element of the state take, in multiply-adds. */
const LSTM_COST = 100;
const GRU_COST = 60;

/** Runs a kernel over rows; null among the inputs stands for no array. */
function overRows(
  host: WasmContext,
  kernel: KernelName,
  inputs: readonly (NDArray | null)[],
  outputs: readonly NDArray[],
  [rows, size]: readonly number[],
  cost: number,
): void {
  const sources = inputs.map((x) => x && packed(host, x));
  const args = sources.map((x) => (x ? host.pointer(x.array) : 0));
  for (const y of outputs) args.push(host.pointer(y));
  args.push(size);
  host.runtime.pool.run(kernel, args, rows, productChunk(host, rows, rows * size * cost));
  for (const each of sources) each?.release();
}

export function lstmCell(host: WasmContext, x: NDArray, recurrent: NDArray, cell: NDArray): LstmCell {
  const gates = host.empty(x.shape, 'float32');
  const next = host.empty(cell.shape, 'float32');
  const hidden = host.empty(cell.shape, 'float32');
  overRows(host, 'lstm_cell_f32', [x, recurrent, cell], [gates, next, hidden], cell.shape, LSTM_COST);
  return { hidden, next, gates };
}

export function lstmCellGrad(
  host: WasmContext,
  byHidden: NDArray | null,
  byNext: NDArray | null,
  gates: NDArray,
  cell: NDArray,
  next: NDArray,
): LstmGrads {
  const byGates = host.empty(gates.shape, 'float32');
  const byCell = host.empty(cell.shape, 'float32');
  const inputs = [byHidden, byNext, gates, cell, next];
  overRows(host, 'lstm_cell_grad_f32', inputs, [byGates, byCell], cell.shape, LSTM_COST);
  return { gates: byGates, cell: byCell };
}

export function gruCell(host: WasmContext, x: NDArray, recurrent: NDArray, state: NDArray): GruCell {
  const gates = host.empty(x.shape, 'float32');
  const next = host.empty(state.shape, 'float32');
  overRows(host, 'gru_cell_f32', [x, recurrent, state], [gates, next], state.shape, GRU_COST);
  return { next, gates };
}

export function gruCellGrad(
  host: WasmContext,
  grad: NDArray,
  recurrent: NDArray,
  state: NDArray,
  gates: NDArray,
): GruGrads {
  const x = host.empty(gates.shape, 'float32');
  const byRecurrent = host.empty(gates.shape, 'float32');
  const byState = host.empty(state.shape, 'float32');
  const outputs = [x, byRecurrent, byState];
  overRows(host, 'gru_cell_grad_f32', [grad, recurrent, state, gates], outputs, state.shape, GRU_COST);
  return { x, recurrent: byRecurrent, state: byState };
}
