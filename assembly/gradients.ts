// Gradients of activations, from the output's gradient and the input, element by element: both contiguous, with scalars
// behind them. `out` may be `grad`.
import { V } from './lanes';
import { M } from './math';

/** A constant at every use, so that of the switches below one case remains. */
enum Op {
  ELU,
  GATE,
  HARDSWISH,
}

/** −3, 3, ½. */
const HARDSWISH = memory.data<f32>([-3, 3, 0.5], 16);

abstract class Gradient {
  // @ts-ignore: decorator
  @inline
  static apply(op: Op, grad: v128, x: v128, p: v128, q: v128, r: v128, s: v128, t: v128, u: v128): v128 {
    const zero = f32x4.splat(0);
    if (op == Op.ELU) {
      const below = f32x4.mul(grad, f32x4.mul(M.exp(f32x4.mul(f32x4.pmin(x, zero), r)), p));
      return v128.bitselect(below, f32x4.mul(grad, q), f32x4.le(x, zero));
    }
    if (op == Op.HARDSWISH) {
      const low = M.at(HARDSWISH, 0);
      const high = M.at(HARDSWISH, 1);
      const inside = f32x4.mul(grad, f32x4.add(f32x4.div(x, high), M.at(HARDSWISH, 2)));
      return v128.andnot(v128.bitselect(inside, grad, f32x4.lt(x, high)), f32x4.le(x, low));
    }
    const upper = v128.bitselect(s, t, f32x4.lt(x, q));
    const ordered = v128.bitselect(upper, r, f32x4.gt(x, p));
    const factor = v128.bitselect(ordered, u, f32x4.eq(x, x));
    return v128.and(f32x4.mul(grad, factor), f32x4.ne(factor, zero));
  }

  // @ts-ignore: decorator
  @inline
  static run(
    op: Op,
    grad: usize,
    x: usize,
    out: usize,
    p: f64,
    q: f64,
    r: f64,
    s: f64,
    t: f64,
    u: f64,
    begin: usize,
    end: usize,
  ): void {
    const p4 = f32x4.splat(<f32>p);
    const q4 = f32x4.splat(<f32>q);
    const r4 = f32x4.splat(<f32>r);
    const s4 = f32x4.splat(<f32>s);
    const t4 = f32x4.splat(<f32>t);
    const u4 = f32x4.splat(<f32>u);
    const stop = end << 2;
    let i = begin << 2;
    for (; i + 32 <= stop; i += 32) {
      const low = Gradient.apply(op, v128.load(grad + i), v128.load(x + i), p4, q4, r4, s4, t4, u4);
      const high = Gradient.apply(op, v128.load(grad + i, 16), v128.load(x + i, 16), p4, q4, r4, s4, t4, u4);
      v128.store(out + i, low);
      v128.store(out + i, high, 16);
    }
    for (; i < stop; i += 16) {
      const lanes = (stop - i) >> 2;
      const g = V.loadLanes(grad + i, 1, lanes);
      V.storeLanes(
        out + i,
        Gradient.apply(op, g, V.loadLanes(x + i, 1, lanes), p4, q4, r4, s4, t4, u4),
        lanes,
      );
    }
  }
}

/** Below or at 0 p·e^(r·x) times grad, else q times. */
export function elu_grad_f32(
  grad: usize,
  x: usize,
  out: usize,
  p: f64,
  q: f64,
  r: f64,
  begin: usize,
  end: usize,
): void {
  Gradient.run(Op.ELU, grad, x, out, p, q, r, 0, 0, 0, begin, end);
}

/** s times grad for p < x < q, t times from q on, r times up to p, u times for NaN; 0 where the factor is. */
export function gate_f32(
  grad: usize,
  x: usize,
  out: usize,
  p: f64,
  q: f64,
  r: f64,
  s: f64,
  t: f64,
  u: f64,
  begin: usize,
  end: usize,
): void {
  Gradient.run(Op.GATE, grad, x, out, p, q, r, s, t, u, begin, end);
}

export function hardswish_grad_f32(grad: usize, x: usize, out: usize, begin: usize, end: usize): void {
  Gradient.run(Op.HARDSWISH, grad, x, out, 0, 0, 0, 0, 0, 0, begin, end);
}
