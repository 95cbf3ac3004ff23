/** The cells of recurrent layers, float32 [n, gates·size], [n, size]: one kernel a step, with a thread for each element of the state. */
import type { NDArray } from '../array.ts';
import type { GruCell, GruGrads, LstmCell, LstmGrads } from '../backend.ts';
import type { GpuContext } from './context.ts';
import { overFloats } from './library.ts';
import { overRows } from './slices.ts';

interface Cell {
  readonly key: string;
  /** By name: a thread finds the place of its elements in `name`_at, gates `size` apart. */
  readonly inputs: Readonly<Record<string, NDArray | null>>;
  readonly outputs: Readonly<Record<string, NDArray>>;
  readonly text: string;
}

function run(gpu: GpuContext, { key, inputs, outputs, text }: Cell): void {
  const given = Object.entries(inputs).flatMap(([name, x]) =>
    x ? [[name, gpu.contiguous(x)] as const] : [],
  );
  const all = [...given, ...Object.entries(outputs)];
  const [rows, size] = all[all.length - 1][1].shape;
  if (rows * size === 0) return;
  const arrays = all.map(([, array]) => array);
  const widths = arrays.map((array) => array.size / rows);
  overRows(gpu, key, rows, arrays, (parts, count) =>
    gpu.run({
      key: `${key} ${given.map(([name]) => name)}`,
      bindings: all.map(([name], at) => ({
        name,
        type: 'f32',
        array: parts[at],
        writes: at >= given.length,
      })),
      params: [
        ['size: u32', size],
        ...parts.map((part, at): [string, number] => [`${all[at][0]}_0: u32`, part.offset]),
      ],
      threads: count * size,
      workgroup: 64,
      body: () => `
let row = i / P.size;
let column = i % P.size;
${all.map(([name], at) => `let ${name}_at = P.${name}_0 + row * ${widths[at] / size}u * P.size + column;`).join('\n')}
${overFloats(text)}`,
    }),
  );
}

/** WGSL for element `gate` of an array's gates. */
const at = (name: string, gate: number): string => `${name}[${name}_at + ${gate}u * P.size]`;
/** What x and the hidden state give to a gate, r's part times `times`. */
const both = (gate: number, times = '1.0'): string => `(${at('x', gate)} + ${times} * ${at('r', gate)})`;
const sigmoid = (x: string): string => `1.0 / (1.0 + exp(-${x}))`;
/** From the gradient by σ or tanh to the one by its argument, where y is what it gave. */
const throughSigmoid = (grad: string, y: string): string => `${grad} * (${y} * (1.0 - ${y}))`;
const throughTanh = (grad: string, y: string): string => `${grad} * (1.0 - ${y} * ${y})`;

export function lstmCell(gpu: GpuContext, x: NDArray, r: NDArray, cell: NDArray): LstmCell {
  const [gates, next, hidden] = [x, cell, cell].map(({ shape }) => gpu.empty(shape, 'float32'));
  run(gpu, {
    key: 'lstm',
    inputs: { x, r, cell },
    outputs: { gates, next, hidden },
    text: `
let input = ${sigmoid(both(0))};
let forgets = ${sigmoid(both(1))};
let candidate = tanh(${both(2)});
let output = ${sigmoid(both(3))};
let state = forgets * cell[cell_at] + input * candidate;
${at('gates', 0)} = input;
${at('gates', 1)} = forgets;
${at('gates', 2)} = candidate;
${at('gates', 3)} = output;
next[next_at] = state;
hidden[hidden_at] = output * tanh(state);`,
  });
  return { hidden, next, gates };
}

export function lstmCellGrad(
  gpu: GpuContext,
  byHidden: NDArray | null,
  byNext: NDArray | null,
  gates: NDArray,
  cell: NDArray,
  next: NDArray,
): LstmGrads {
  const [byGates, byCell] = [gates, cell].map(({ shape }) => gpu.empty(shape, 'float32'));
  run(gpu, {
    key: 'lstm grad',
    inputs: { byHidden, byNext, gates, cell, next },
    outputs: { byGates, byCell },
    text: `
let input = ${at('gates', 0)};
let forgets = ${at('gates', 1)};
let candidate = ${at('gates', 2)};
let output = ${at('gates', 3)};
let curved = tanh(next[next_at]);
let given = ${byHidden ? 'byHidden[byHidden_at]' : '0.0'};
var grad = ${byNext ? 'byNext[byNext_at]' : '0.0'};
${byHidden ? `grad += ${throughTanh('given * output', 'curved')};` : ''}
${at('byGates', 0)} = ${throughSigmoid('grad * candidate', 'input')};
${at('byGates', 1)} = ${throughSigmoid('grad * cell[cell_at]', 'forgets')};
${at('byGates', 2)} = ${throughTanh('grad * input', 'candidate')};
${at('byGates', 3)} = ${throughSigmoid('given * curved', 'output')};
byCell[byCell_at] = grad * forgets;`,
  });
  return { gates: byGates, cell: byCell };
}

export function gruCell(gpu: GpuContext, x: NDArray, r: NDArray, state: NDArray): GruCell {
  const [gates, next] = [x, state].map(({ shape }) => gpu.empty(shape, 'float32'));
  run(gpu, {
    key: 'gru',
    inputs: { x, r, state },
    outputs: { gates, next },
    text: `
let reset = ${sigmoid(both(0))};
let update = ${sigmoid(both(1))};
let candidate = tanh(${both(2, 'reset')});
${at('gates', 0)} = reset;
${at('gates', 1)} = update;
${at('gates', 2)} = candidate;
next[next_at] = (state[state_at] - candidate) * update + candidate;`,
  });
  return { next, gates };
}

export function gruCellGrad(
  gpu: GpuContext,
  grad: NDArray,
  r: NDArray,
  state: NDArray,
  gates: NDArray,
): GruGrads {
  const [x, recurrent, byState] = [gates, gates, state].map(({ shape }) => gpu.empty(shape, 'float32'));
  run(gpu, {
    key: 'gru grad',
    inputs: { grad, r, state, gates },
    outputs: { x, recurrent, byState },
    text: `
let reset = ${at('gates', 0)};
let update = ${at('gates', 1)};
let candidate = ${at('gates', 2)};
let g = grad[grad_at];
let through = g * update;
let to_update = ${throughSigmoid('g * (state[state_at] - candidate)', 'update')};
let to_candidate = ${throughTanh('(g - through)', 'candidate')};
let to_reset = ${throughSigmoid(`to_candidate * ${at('r', 2)}`, 'reset')};
${at('x', 0)} = to_reset;
${at('x', 1)} = to_update;
${at('x', 2)} = to_candidate;
${at('recurrent', 0)} = to_reset;
${at('recurrent', 1)} = to_update;
${at('recurrent', 2)} = to_candidate * reset;
byState[byState_at] = through;`,
  });
  return { x, recurrent, state: byState };
}
