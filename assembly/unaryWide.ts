// Functions of one float that are computed in double precision, two lanes at a time; `out` may be `x`. Signatures as
// in unary.ts.
import { V } from './lanes';
import { Phase } from './phase';
import { W } from './wide';

enum Op {
  ACOS,
  ASIN,
  ATAN,
  COSH,
  ERFC,
  ERFINV,
  LOG10,
  LOG2,
  SINH,
  TAN,
}

abstract class UnaryWide {
  // @ts-ignore: decorator
  @inline
  static apply(op: Op, x: v128): v128 {
    switch (op) {
      case Op.ACOS:
        return W.atan2(W.beside(x), x);
      case Op.ASIN:
        return W.atan2(x, W.beside(x));
      case Op.ATAN:
        return W.atan2(x, f64x2.splat(1));
      case Op.COSH:
        return W.cosh(x);
      case Op.ERFC:
        return W.erfc(x);
      case Op.ERFINV:
        return W.erfinv(x);
      case Op.LOG10:
        return W.log10(x);
      case Op.LOG2:
        return W.log2(x);
      case Op.SINH:
        return W.sinh(x);
      case Op.TAN:
        return W.tan(x);
      default:
        unreachable();
        return x;
    }
  }

  /** The choice of function is made anew for each vector, which costs little against the functions. */
  static map(op: Op, x: usize, out: usize, _p: f64, _q: f64, begin: i32, end: i32): void {
    const stop = (<usize>end) << 2;
    for (let i = (<usize>begin) << 2; i < stop; i += 16) {
      const lanes = (stop - i) >> 2;
      const v = V.loadLanes(x + i, 1, lanes);
      const low = UnaryWide.apply(op, V.widenLow(v));
      const high = UnaryWide.apply(op, V.widenHigh(v));
      let y = V.narrow(low, high);
      if (op == Op.TAN) {
        const large = f32x4.gt(f32x4.abs(v), f32x4.splat(Phase.LIMIT));
        if (v128.any_true(large)) y = Phase.tangents(v, y);
      }
      V.storeLanes(out + i, y, lanes);
    }
  }
}

export function acos_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  UnaryWide.map(Op.ACOS, x, out, p, q, begin, end);
}

export function asin_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  UnaryWide.map(Op.ASIN, x, out, p, q, begin, end);
}

export function atan_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  UnaryWide.map(Op.ATAN, x, out, p, q, begin, end);
}

export function cosh_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  UnaryWide.map(Op.COSH, x, out, p, q, begin, end);
}

export function erfc_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  UnaryWide.map(Op.ERFC, x, out, p, q, begin, end);
}

export function erfinv_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  UnaryWide.map(Op.ERFINV, x, out, p, q, begin, end);
}

export function log10_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  UnaryWide.map(Op.LOG10, x, out, p, q, begin, end);
}

export function log2_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  UnaryWide.map(Op.LOG2, x, out, p, q, begin, end);
}

export function sinh_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  UnaryWide.map(Op.SINH, x, out, p, q, begin, end);
}

export function tan_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  UnaryWide.map(Op.TAN, x, out, p, q, begin, end);
}
