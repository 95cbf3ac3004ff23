// The cells of recurrent layers, row by row: a row has its gates next to each other, so that a step is a few passes over what
// lies in the first-level cache. The passes are the kernels of the single operations, in their order: the same bits.
import { add_f32, mul_f32, sigmoid_grad_f32, sub_f32, tanh_grad_f32 } from './binary';
import { sigmoid_f32, tanh_f32 } from './unary';

abstract class Row {
  // @ts-ignore: decorator
  @inline static add(a: usize, b: usize, out: usize, n: usize): void {
    add_f32(a, b, out, n, 0, 1, 0, 1, 0, n);
  }
  // @ts-ignore: decorator
  @inline static sub(a: usize, b: usize, out: usize, n: usize): void {
    sub_f32(a, b, out, n, 0, 1, 0, 1, 0, n);
  }
  // @ts-ignore: decorator
  @inline static mul(a: usize, b: usize, out: usize, n: usize): void {
    mul_f32(a, b, out, n, 0, 1, 0, 1, 0, n);
  }
  /** From the gradient by σ or tanh to the one by its argument, where y is what it gave. */
  // @ts-ignore: decorator
  @inline static throughSigmoid(grad: usize, y: usize, n: usize): void {
    sigmoid_grad_f32(grad, y, grad, n, 0, 1, 0, 1, 0, n);
  }
  // @ts-ignore: decorator
  @inline static throughTanh(grad: usize, y: usize, n: usize): void {
    tanh_grad_f32(grad, y, grad, n, 0, 1, 0, 1, 0, n);
  }
}

/**
 * x and r [n, 4·size] are what input and hidden state give to the gates i, f, g, o, cell [n, size]. Then gates [n, 4·size] =
 * σ(x + r), of g tanh(x + r); next = f·cell + i·g and hidden = o·tanh(next), both [n, size].
 */
export function lstm_cell_f32(
  x: usize,
  r: usize,
  cell: usize,
  gates: usize,
  next: usize,
  hidden: usize,
  size: i32,
  begin: i32,
  end: i32,
): void {
  const n = <usize>size;
  const row = n << 2;
  for (; begin < end; ++begin) {
    const i = gates + <usize>begin * row * 4;
    const f = i + row;
    const g = f + row;
    const o = g + row;
    const c = next + <usize>begin * row;
    const h = hidden + <usize>begin * row;
    Row.add(x + (i - gates), r + (i - gates), i, n << 2);
    sigmoid_f32(i, i, 0, 0, 0, size << 1);
    tanh_f32(g, g, 0, 0, 0, size);
    sigmoid_f32(o, o, 0, 0, 0, size);
    Row.mul(f, cell + <usize>begin * row, c, n);
    Row.mul(i, g, h, n);
    Row.add(c, h, c, n);
    tanh_f32(c, h, 0, 0, 0, size);
    Row.mul(o, h, h, n);
  }
}

/** Its gradients by x (and r) [n, 4·size] and by the cell, from those by hidden and next, either of which may be 0 for none. */
export function lstm_cell_grad_f32(
  byHidden: usize,
  byNext: usize,
  gates: usize,
  cell: usize,
  next: usize,
  byGates: usize,
  byCell: usize,
  size: i32,
  begin: i32,
  end: i32,
): void {
  const n = <usize>size;
  const row = n << 2;
  for (; begin < end; ++begin) {
    const at = <usize>begin * row;
    const i = gates + at * 4;
    const f = i + row;
    const g = f + row;
    const o = g + row;
    const toI = byGates + at * 4;
    const toF = toI + row;
    const toG = toF + row;
    const toO = toG + row;
    if (byHidden) {
      tanh_f32(next + at, toI, 0, 0, 0, size);
      Row.mul(byHidden + at, toI, toO, n);
      Row.throughSigmoid(toO, o, n);
      Row.mul(byHidden + at, o, toF, n);
      Row.throughTanh(toF, toI, n);
      if (byNext) Row.add(toF, byNext + at, toF, n);
    } else {
      memory.fill(toO, 0, row);
      memory.copy(toF, byNext + at, row);
    }
    Row.mul(toF, f, byCell + at, n);
    Row.mul(toF, g, toI, n);
    Row.throughSigmoid(toI, i, n);
    Row.mul(toF, i, toG, n);
    Row.throughTanh(toG, g, n);
    Row.mul(toF, cell + at, toF, n);
    Row.throughSigmoid(toF, f, n);
  }
}

/**
 * x and r [n, 3·size] are what input and hidden state give to the gates r, z, n, state [n, size]. Then gates [n, 3·size] = σ(x + r), of
 * n tanh(x + r-gate·r), and out = (state − n)·z + n.
 */
export function gru_cell_f32(
  x: usize,
  r: usize,
  state: usize,
  gates: usize,
  out: usize,
  size: i32,
  begin: i32,
  end: i32,
): void {
  const n = <usize>size;
  const row = n << 2;
  for (; begin < end; ++begin) {
    const to = out + <usize>begin * row;
    const reset = gates + <usize>begin * row * 3;
    const update = reset + row;
    const candidate = update + row;
    const fromX = x + (reset - gates);
    const fromState = r + (reset - gates);
    Row.add(fromX, fromState, reset, n << 1);
    sigmoid_f32(reset, reset, 0, 0, 0, size << 1);
    Row.mul(reset, fromState + 2 * row, candidate, n);
    Row.add(fromX + 2 * row, candidate, candidate, n);
    tanh_f32(candidate, candidate, 0, 0, 0, size);
    Row.sub(state + <usize>begin * row, candidate, to, n);
    Row.mul(to, update, to, n);
    Row.add(to, candidate, to, n);
  }
}

/** Its gradients by x and by r [n, 3·size], and by the state, from the one by out. */
export function gru_cell_grad_f32(
  grad: usize,
  r: usize,
  state: usize,
  gates: usize,
  byX: usize,
  byR: usize,
  byState: usize,
  size: i32,
  begin: i32,
  end: i32,
): void {
  const n = <usize>size;
  const row = n << 2;
  for (; begin < end; ++begin) {
    const at = <usize>begin * row;
    const reset = gates + at * 3;
    const update = reset + row;
    const candidate = update + row;
    const toReset = byX + at * 3;
    const toUpdate = toReset + row;
    const toCandidate = toUpdate + row;
    const alsoReset = byR + at * 3;
    const g = grad + at;
    Row.sub(state + at, candidate, toUpdate, n);
    Row.mul(g, toUpdate, toUpdate, n);
    Row.throughSigmoid(toUpdate, update, n);
    Row.mul(g, update, byState + at, n);
    Row.sub(g, byState + at, toCandidate, n);
    Row.throughTanh(toCandidate, candidate, n);
    Row.mul(toCandidate, r + at * 3 + 2 * row, toReset, n);
    Row.throughSigmoid(toReset, reset, n);
    memory.copy(alsoReset, toReset, 2 * row);
    Row.mul(toCandidate, reset, alsoReset + 2 * row, n);
  }
}
