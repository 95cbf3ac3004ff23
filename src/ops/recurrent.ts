/**
 * One step of an LSTM and of a GRU, from what the input and the state before give to the gates: one node each where the device
 * has a kernel for it, else made of ops. Both give the same values, and derivatives of any order. What the state gives is a
 * product of its own for each step.
 */
import { isGradEnabled } from '../autograd/gradMode.ts';
import type { OpNode, SavedVariable } from '../autograd/node.ts';
import { needsGraph, record, recordMany } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { sameShape } from '../core/shape.ts';
import { zerosOf } from './along.ts';
import { add, mul, sub } from './arithmetic.ts';
import { detached } from './composite.ts';
import { divide } from './divide.ts';
import { sigmoid, tanh } from './elementwise.ts';
import { cat } from './join.ts';
import { linear, matmul } from './matmul.ts';
import { sum } from './reduce.ts';
import { sigmoidGrad, tanhGrad } from './slopes.ts';
import { reshape, transpose } from './views.ts';

/** Whether the kernels take these: float32 [n, gates·size] twice, and [n, size], on one device that has them. */
function hasKernel<T extends Variable>(
  method: 'lstmCellGrad' | 'gruCellGrad',
  gates: number,
  x: T,
  recurrent: T,
  state: T,
): boolean {
  const { backend } = x.array;
  return (
    backend[method] !== undefined &&
    x.ndim === 2 &&
    sameShape(x.shape, recurrent.shape) &&
    sameShape(state.shape, [x.shape[0], x.shape[1] / gates]) &&
    [x, recurrent, state].every((each) => each.dtype === 'float32' && each.array.backend === backend)
  );
}

/** What the state before a step gives to the gates of step `t`. */
export type StateProduct<T> = (state: T, t: number) => T;

/**
 * For steps that add state·Wᵀ + bias to their part of x, whose gradient is that of the sum then: x and the products, whose
 * weights get their gradients from x's, in one product over all steps instead of one for each. The states of the steps, in
 * the order of `t`, have as many rows as x has, [..., gates·size].
 */
export function sharedProducts<T extends Variable>(
  x: T,
  weight: T,
  bias: T | null,
): [x: T, product: StateProduct<T>] {
  const given = bias === null ? [weight] : [weight, bias];
  if (!needsGraph(given)) return [x, (state) => linear<T>(state, weight, bias)];
  const states: SavedVariable[] = [];
  let shared: OpNode | undefined;
  const through = record('RecurrentBackward0', x.array, [x, ...given], (node) => {
    shared = node;
    return (grad) => {
      const rows = reshape(grad, [-1, weight.shape[0]]);
      const before = cat(
        states.map((state) => state.get(grad)),
        0,
      );
      return [grad, node.needs[1] && matmul(transpose(rows, 0, 1), before), node.needs[2] && sum(rows, 0)];
    };
  });
  const [rawWeight, rawBias] = [detached(weight), bias && detached(bias)];
  const product: StateProduct<T> = (state, t) => {
    if (shared) states[t] = shared.save(state);
    const out = linear<T>(detached(state), rawWeight, rawBias);
    return record('AddmmBackward0', out.array, [state], (node) => {
      const saved = node.save(weight);
      return (grad) => [matmul(grad, saved.get(grad))];
    });
  };
  return [through, product];
}

export interface LstmState<T> {
  readonly hidden: T;
  readonly cell: T;
}

/**
 * i, f, g, o = x + recurrent [n, 4·size], σ of all but g, tanh of g; then the cell state [n, size] is f·cell + i·g, and the
 * hidden one o·tanh of that.
 */
export function lstmCell<T extends Variable>(x: T, recurrent: T, cell: T): LstmState<T> {
  if (hasKernel('lstmCellGrad', 4, x, recurrent, cell)) return lstmByKernel(x, recurrent, cell);
  const [input, forget, candidate, output] = divide<T>(add<T>(x, recurrent), x.ndim - 1, 4);
  const next = add<T>(mul<T>(sigmoid(forget), cell), mul<T>(sigmoid(input), tanh(candidate)));
  return { hidden: mul<T>(sigmoid(output), tanh(next)), cell: next };
}

function lstmByKernel<T extends Variable>(x: T, recurrent: T, cell: T): LstmState<T> {
  const { backend } = x.array;
  const { hidden, next, gates } = backend.lstmCell!(x.array, recurrent.array, cell.array);
  // The gates have a place in the graph, so that what the rule computes from them has a derivative again.
  const outputs = recordMany(
    'LstmCellBackward0',
    [hidden, next, gates],
    [x, recurrent, cell],
    (node, made) => {
      const [savedNext, savedGates] = [node.save(made[1]), node.save(made[2])];
      const savedCell = node.save(cell);
      return ([byHidden, byNext, byGates]) => {
        const like = byHidden ?? byNext ?? byGates;
        if (like === null) return [];
        const all = savedGates.get(like);
        const [before, after] = [savedCell.get(like), savedNext.get(like)];
        if (byGates === null && !isGradEnabled()) {
          const arrays = [byHidden?.array ?? null, byNext?.array ?? null] as const;
          const found = backend.lstmCellGrad!(...arrays, all.array, before.array, after.array);
          const grad = like.derive(found.gates);
          return [grad, grad, like.derive(found.cell)];
        }
        const [grad, byCell] = lstmGrad(byHidden, byNext, byGates, all, before, after);
        return [grad, grad, byCell];
      };
    },
  );
  if (!needsGraph([x, recurrent, cell])) gates.release();
  return { hidden: outputs[0], cell: outputs[1] };
}

/** By the gates before their functions, and by the cell state before: of ops. */
function lstmGrad<T extends Variable>(
  byHidden: T | null,
  byNext: T | null,
  byGates: T | null,
  gates: T,
  cell: T,
  next: T,
): [gates: T, cell: T] {
  const [input, forget, candidate, output] = divide<T>(gates, 1, 4);
  const curved = tanh(next);
  const zeros = zerosOf(gates, cell.shape);
  const viaHidden = byHidden && tanhGrad(mul<T>(byHidden, output), curved);
  const total = viaHidden && byNext ? add<T>(viaHidden, byNext) : (viaHidden ?? byNext ?? zeros);
  const parts = [mul<T>(total, candidate), mul<T>(total, cell), mul<T>(total, input), byHidden ? mul<T>(byHidden, curved) : zeros]; // biome-ignore format: the gates' order
  const also = byGates && divide<T>(byGates, 1, 4);
  const [toInput, toForget, toCandidate, toOutput] = also
    ? parts.map((part, i) => add<T>(part, also[i]))
    : parts;
  const slopes = [
    sigmoidGrad(toInput, input),
    sigmoidGrad(toForget, forget),
    tanhGrad(toCandidate, candidate),
    sigmoidGrad(toOutput, output),
  ];
  return [cat(slopes, 1), mul<T>(total, forget)];
}

/**
 * The state after a step: of r, z, n [n, 3·size] r and z are σ(x + recurrent), n is tanh(x + r·recurrent), and the state [n, size]
 * is (state − n)·z + n.
 */
export function gruCell<T extends Variable>(x: T, recurrent: T, state: T): T {
  if (hasKernel('gruCellGrad', 3, x, recurrent, state)) return gruByKernel(x, recurrent, state);
  const [resetX, updateX, candidateX] = divide<T>(x, x.ndim - 1, 3);
  const [resetH, updateH, candidateH] = divide<T>(recurrent, x.ndim - 1, 3);
  const reset = sigmoid(add<T>(resetX, resetH));
  const update = sigmoid(add<T>(updateX, updateH));
  const candidate = tanh(add<T>(candidateX, mul<T>(reset, candidateH)));
  return add<T>(mul<T>(sub<T>(state, candidate), update), candidate);
}

function gruByKernel<T extends Variable>(x: T, recurrent: T, state: T): T {
  const { backend } = x.array;
  const { next, gates } = backend.gruCell!(x.array, recurrent.array, state.array);
  const [out] = recordMany('GruCellBackward0', [next, gates], [x, recurrent, state], (node, made) => {
    const savedGates = node.save(made[1]);
    const [savedRecurrent, savedState] = [node.save(recurrent), node.save(state)];
    return ([grad, byGates]) => {
      const like = grad ?? byGates;
      if (like === null) return [];
      const all = savedGates.get(like);
      const [before, from] = [savedState.get(like), savedRecurrent.get(like)];
      if (byGates === null && grad !== null && !isGradEnabled()) {
        const found = backend.gruCellGrad!(grad.array, from.array, before.array, all.array);
        return [grad.derive(found.x), grad.derive(found.recurrent), grad.derive(found.state)];
      }
      return gruGrad(grad ?? zerosOf(like, before.shape), byGates, all, from, before);
    };
  });
  if (!needsGraph([x, recurrent, state])) gates.release();
  return out;
}

/** By x, by recurrent and by the state: of ops. */
function gruGrad<T extends Variable>(
  grad: T,
  byGates: T | null,
  gates: T,
  recurrent: T,
  state: T,
): [x: T, recurrent: T, state: T] {
  const [reset, update, candidate] = divide<T>(gates, 1, 3);
  const candidateH = divide<T>(recurrent, 1, 3)[2];
  const also = byGates && divide<T>(byGates, 1, 3);
  const plus = (y: T, i: number): T => (also ? add<T>(y, also[i]) : y);
  const byState = mul<T>(grad, update);
  const toCandidate = tanhGrad(plus(sub<T>(grad, byState), 2), candidate);
  const toUpdate = sigmoidGrad(plus(mul<T>(grad, sub<T>(state, candidate)), 1), update);
  const toReset = sigmoidGrad(plus(mul<T>(toCandidate, candidateH), 0), reset);
  const byX = cat([toReset, toUpdate, toCandidate], 1);
  return [byX, cat([toReset, toUpdate, mul<T>(toCandidate, reset)], 1), byState];
}
