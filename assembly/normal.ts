// The normal distribution over four floats, for gelu. Within 5 units in the last place with fused multiply-adds; without
// them a² is rounded, which the exponential makes up to 70 units of where Φ is below 1e-9.
import { V } from './lanes';
import { M } from './math';

/**
 * Bound of |x|, 1/√2π, −log2 e / 2, rounding constant (its low bits take n + 191: the result is 2^64 times too large, so
 * that it may be denormal in the end), −ln 2 in two parts, −½, 1, 2^-64.
 */
const NORMAL = memory.data<f32>(
  [15, 0.3989422804, -0.72134752, 12583103, -0.693359375, 2.12194442e-4, -0.5, 1, 5.421010862427522e-20],
  16,
);
/** The tail of the normal distribution beyond a, times exp(a²/2): numerator and denominator over a, below 2^-27. */
const TAIL = memory.data<f32>(
  [
    0.500000003, 0.438292727, 0.183233382, 0.0406326028, 0.00411620659, 1, 1.67447043, 1.20249609,
    0.469465965, 0.101857278, 0.0103176801,
  ],
  16,
);

export abstract class Normal {
  /** Entries i and i + 1 as a polynomial of degree 1. */
  // @ts-ignore: decorator
  @inline
  static pair(a: v128, i: usize): v128 {
    return V.madd<f32>(a, M.at(TAIL, i + 1), M.at(TAIL, i));
  }

  /** (Q(a) − a·φ(a) if `slope`)·`times`, where Q = 1 − Φ is the tail of the distribution and φ its density. */
  // @ts-ignore: decorator
  @inline
  static tail(a: v128, slope: bool, times: v128): v128 {
    const h = f32x4.mul(a, a);
    // What rounding took from the square.
    const lost = V.madd<f32>(a, a, f32x4.neg(h));
    const t = V.madd<f32>(h, M.at(NORMAL, 2), M.at(NORMAL, 3));
    const n = f32x4.sub(t, M.at(NORMAL, 3));
    const half = M.at(NORMAL, 6);
    let r = V.madd<f32>(n, M.at(NORMAL, 4), f32x4.mul(h, half));
    r = V.madd<f32>(lost, half, V.madd<f32>(n, M.at(NORMAL, 5), r));
    let top = V.madd<f32>(M.at(TAIL, 4), h, Normal.pair(a, 2));
    top = V.madd<f32>(top, h, Normal.pair(a, 0));
    let bottom = V.madd<f32>(Normal.pair(a, 9), h, Normal.pair(a, 7));
    bottom = V.madd<f32>(bottom, h, Normal.pair(a, 5));
    if (slope) top = f32x4.sub(top, f32x4.mul(f32x4.mul(a, M.at(NORMAL, 1)), bottom));
    const y = f32x4.mul(f32x4.div(f32x4.mul(top, times), bottom), M.expPolynomial(r));
    return f32x4.mul(f32x4.mul(y, i32x4.shl(t, 23)), M.at(NORMAL, 8));
  }

  /** |x|, but not beyond where float32 knows no tail. */
  // @ts-ignore: decorator
  @inline
  static bounded(x: v128): v128 {
    return f32x4.pmin(f32x4.abs(x), M.at(NORMAL, 0));
  }

  /** x·Φ(x); NaN for −∞, as in PyTorch. */
  // @ts-ignore: decorator
  @inline
  static gelu(x: v128): v128 {
    const a = Normal.bounded(x);
    const zero = f32x4.splat(0);
    const above = f32x4.pmax(f32x4.mul(f32x4.pmin(x, zero), zero), x);
    return f32x4.sub(above, Normal.tail(a, false, a));
  }

  /** The derivative of gelu, Φ(x) + x·φ(x): within 2e-7; NaN for ±∞ (∞·0), as in PyTorch. */
  // @ts-ignore: decorator
  @inline
  static geluSlope(x: v128): v128 {
    const one = M.at(NORMAL, 7);
    const y = Normal.tail(Normal.bounded(x), true, one);
    const slope = v128.bitselect(y, f32x4.sub(one, y), f32x4.lt(x, f32x4.splat(0)));
    // The bound hides infinities: x − x is NaN for them, and 0 for all others.
    return f32x4.add(slope, f32x4.sub(x, x));
  }
}
