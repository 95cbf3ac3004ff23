// Functions of one float, element by element; `out` may be `x`. Every kernel takes the scalars p and q (a slope, a
// bound), used or not, so that all are called alike. All but the longest do two
// vectors per turn, which share the loads of their constants; the end of a run goes vector by vector.
import { V } from './lanes';
import { M } from './math';
import { Normal } from './normal';

/** A constant at every use, so that of the switches below one case remains. */
enum Op {
  ABS,
  CEIL,
  CLAMP,
  COS,
  ELU,
  ERF,
  EXP,
  EXP2,
  EXPM1,
  FLOOR,
  FRAC,
  GELU,
  HARDSIGMOID,
  HARDSWISH,
  LEAKY_RELU,
  LOG,
  LOG1P,
  NEG,
  RECIPROCAL,
  RELU,
  ROUND,
  RSQRT,
  SIGMOID,
  SIGN,
  SILU,
  SIN,
  SOFTPLUS,
  SQRT,
  SQUARE,
  TANH,
  TRUNC,
}

abstract class Unary {
  /** x + 3 within [0, 6]. */
  // @ts-ignore: decorator
  @inline
  static upToSix(x: v128): v128 {
    return f32x4.pmin(f32x4.pmax(f32x4.add(x, f32x4.splat(3)), f32x4.splat(0)), f32x4.splat(6));
  }

  // @ts-ignore: decorator
  @inline
  static apply(op: Op, x: v128, p: v128, q: v128): v128 {
    switch (op) {
      case Op.ABS:
        return f32x4.abs(x);
      case Op.CEIL:
        return f32x4.ceil(x);
      case Op.CLAMP:
        return f32x4.pmin(f32x4.pmax(x, p), q);
      case Op.COS:
        return M.sine(x, 1);
      case Op.ELU:
        return v128.bitselect(f32x4.mul(p, M.expm1(x)), f32x4.mul(x, q), f32x4.lt(x, f32x4.splat(0)));
      case Op.ERF:
        return M.erf(x);
      case Op.EXP:
        return M.exp(x);
      case Op.EXP2:
        return M.exp2(x);
      case Op.EXPM1:
        return M.expm1(x);
      case Op.FLOOR:
        return f32x4.floor(x);
      case Op.FRAC:
        return f32x4.sub(x, f32x4.trunc(x));
      case Op.GELU:
        return Normal.gelu(x);
      case Op.HARDSIGMOID:
        return f32x4.div(Unary.upToSix(x), f32x4.splat(6));
      case Op.HARDSWISH:
        return f32x4.div(f32x4.mul(x, Unary.upToSix(x)), f32x4.splat(6));
      case Op.LEAKY_RELU:
        return v128.bitselect(x, f32x4.mul(x, p), f32x4.gt(x, f32x4.splat(0)));
      case Op.LOG:
        return M.log(x);
      case Op.LOG1P:
        return M.log1p(x);
      case Op.NEG:
        return f32x4.neg(x);
      case Op.RECIPROCAL:
        return f32x4.div(f32x4.splat(1), x);
      case Op.RELU:
        return f32x4.pmax(x, f32x4.splat(0));
      case Op.ROUND:
        return f32x4.nearest(x);
      case Op.RSQRT:
        return f32x4.div(f32x4.splat(1), f32x4.sqrt(x));
      case Op.SIGMOID:
        return M.sigmoid(x);
      case Op.SIGN:
        return f32x4.convert_i32x4_s(i32x4.sub(f32x4.lt(x, f32x4.splat(0)), f32x4.gt(x, f32x4.splat(0))));
      case Op.SILU:
        return M.silu(x);
      case Op.SIN:
        return M.sine(x, 0);
      case Op.SOFTPLUS:
        return M.softplus(x, p, q);
      case Op.SQRT:
        return f32x4.sqrt(x);
      case Op.SQUARE:
        return f32x4.mul(x, x);
      case Op.TANH:
        return M.tanh(x);
      case Op.TRUNC:
        return f32x4.trunc(x);
      default:
        unreachable();
        return x;
    }
  }

  /** One vector per turn; the last one may be a part. */
  // @ts-ignore: decorator
  @inline
  static map(op: Op, x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
    const pp = f32x4.splat(<f32>p);
    const qq = f32x4.splat(<f32>q);
    const stop = (<usize>end) << 2;
    for (let i = (<usize>begin) << 2; i < stop; i += 16) {
      const lanes = (stop - i) >> 2;
      const v = V.loadLanes(x + i, 1, lanes);
      V.storeLanes(out + i, Unary.apply(op, v, pp, qq), lanes);
    }
  }

  /** Whether the short forms of `normal` hold for all of these. */
  // @ts-ignore: decorator
  @inline
  static areNormal(op: Op, a: v128, b: v128, c: v128, d: v128): bool {
    if (op == Op.EXP || op == Op.SIGMOID || op == Op.SILU)
      return !v128.any_true(M.outside(M.furthest(a, b, c, d)));
    if (op == Op.LOG) return M.logIsPlain(a, b, c, d);
    return true;
  }

  /** `apply` for nearly all arguments, with the same bits. */
  // @ts-ignore: decorator
  @inline
  static normal(op: Op, x: v128, p: v128, q: v128): v128 {
    if (op == Op.EXP) return M.expNormal(x);
    if (op == Op.SIGMOID) return M.sigmoidNormal(x);
    if (op == Op.SILU) return M.siluNormal(x);
    if (op == Op.LOG) return M.logNormal(x);
    return Unary.apply(op, x, p, q);
  }

  /** Four vectors per turn, which share loads of constants and hide each other's latency; one where that cannot be. */
  // @ts-ignore: decorator
  @inline
  static mapQuads(op: Op, x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
    const pp = f32x4.splat(<f32>p);
    const qq = f32x4.splat(<f32>q);
    const stop = (<usize>end) << 2;
    for (let i = (<usize>begin) << 2; i < stop; i += 16) {
      const from = x + i;
      const to = out + i;
      const lanes = (stop - i) >> 2;
      if (lanes >= 16) {
        const a = v128.load(from);
        const b = v128.load(from, 16);
        const c = v128.load(from, 32);
        const d = v128.load(from, 48);
        if (Unary.areNormal(op, a, b, c, d)) {
          v128.store(to, Unary.normal(op, a, pp, qq));
          v128.store(to, Unary.normal(op, b, pp, qq), 16);
          v128.store(to, Unary.normal(op, c, pp, qq), 32);
          v128.store(to, Unary.normal(op, d, pp, qq), 48);
          i += 48;
          continue;
        }
      }
      V.storeLanes(to, Unary.apply(op, V.loadLanes(from, 1, lanes), pp, qq), lanes);
    }
  }

  /** Two vectors per turn while there are as many. */
  // @ts-ignore: decorator
  @inline
  static mapPairs(op: Op, x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
    const pp = f32x4.splat(<f32>p);
    const qq = f32x4.splat(<f32>q);
    const stop = (<usize>end) << 2;
    let i = (<usize>begin) << 2;
    for (; i + 32 <= stop; i += 32) {
      const from = x + i;
      const to = out + i;
      const a = Unary.apply(op, v128.load(from), pp, qq);
      const b = Unary.apply(op, v128.load(from, 16), pp, qq);
      v128.store(to, a);
      v128.store(to, b, 16);
    }
    Unary.map(op, x, out, p, q, <i32>(i >> 2), end);
  }
}

export function abs_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.ABS, x, out, p, q, begin, end);
}

export function ceil_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.CEIL, x, out, p, q, begin, end);
}

export function clamp_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.CLAMP, x, out, p, q, begin, end);
}

export function cos_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.map(Op.COS, x, out, p, q, begin, end);
}

export function elu_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapQuads(Op.ELU, x, out, p, q, begin, end);
}

export function erf_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapQuads(Op.ERF, x, out, p, q, begin, end);
}

export function exp_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapQuads(Op.EXP, x, out, p, q, begin, end);
}

export function exp2_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.map(Op.EXP2, x, out, p, q, begin, end);
}

export function expm1_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapQuads(Op.EXPM1, x, out, p, q, begin, end);
}

export function floor_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.FLOOR, x, out, p, q, begin, end);
}

export function frac_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.FRAC, x, out, p, q, begin, end);
}

export function gelu_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.map(Op.GELU, x, out, p, q, begin, end);
}

export function hardsigmoid_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.HARDSIGMOID, x, out, p, q, begin, end);
}

export function hardswish_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.HARDSWISH, x, out, p, q, begin, end);
}

export function leaky_relu_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.LEAKY_RELU, x, out, p, q, begin, end);
}

export function log_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapQuads(Op.LOG, x, out, p, q, begin, end);
}

export function log1p_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.map(Op.LOG1P, x, out, p, q, begin, end);
}

export function neg_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.NEG, x, out, p, q, begin, end);
}

export function reciprocal_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.RECIPROCAL, x, out, p, q, begin, end);
}

export function relu_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.RELU, x, out, p, q, begin, end);
}

export function round_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.ROUND, x, out, p, q, begin, end);
}

export function rsqrt_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.RSQRT, x, out, p, q, begin, end);
}

export function sigmoid_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapQuads(Op.SIGMOID, x, out, p, q, begin, end);
}

export function sign_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.SIGN, x, out, p, q, begin, end);
}

export function silu_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapQuads(Op.SILU, x, out, p, q, begin, end);
}

export function sin_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.map(Op.SIN, x, out, p, q, begin, end);
}

export function softplus_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.map(Op.SOFTPLUS, x, out, p, q, begin, end);
}

export function sqrt_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.SQRT, x, out, p, q, begin, end);
}

export function square_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.SQUARE, x, out, p, q, begin, end);
}

export function tanh_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapQuads(Op.TANH, x, out, p, q, begin, end);
}

export function trunc_f32(x: usize, out: usize, p: f64, q: f64, begin: i32, end: i32): void {
  Unary.mapPairs(Op.TRUNC, x, out, p, q, begin, end);
}
