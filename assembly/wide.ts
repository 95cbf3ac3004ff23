// Functions of analysis over two doubles, for floats whose result needs more digits on the way than a float has:
// logarithms of other bases, powers, inverse trigonometry, tails of the normal distribution. Relative error below
// 2^-34, so that rounding to float is right but in the rarest cases. Arguments are widened floats or results of these
// functions: no double denormals, and nothing above 1e80 but infinity.
//
// Most are functions of their own, called: inlined twice per kernel they would make up most of the binary.
import { V } from './lanes';

/** log2 e, rounding constant (its low bits take n + 1023), −ln 2, bound of |x|, then (eʳ − 1)/r for |r| ≤ ln 2 / 2. */
const EXP = memory.data<f64>(
  [
    Math.LOG2E,
    6755399441056767,
    -Math.LN2,
    160,
    0.9999999999955074,
    0.499999999996406,
    0.1666666678633923,
    0.041666666995727804,
    0.008333283531631425,
    0.0013888804233245856,
    0.00019907573309200559,
    2.4884462880996195e-5,
  ],
  16,
);
/** 1, 1.5·2^52, then log((1+s)/(1−s))/s over s² for √½ ≤ (1+s)/(1−s) ≤ √2. */
const LOG = memory.data<f64>(
  [
    1, 6755399441055744, 2.0000000000084404, 0.6666666523316239, 0.4000038745222926, 0.28534885755666434,
    0.23619380746455934,
  ],
  16,
);
/** Read as bits: √½, and the mask of the exponent, which is what −∞ consists of. */
const LOG_BITS = memory.data<f64>([Math.SQRT1_2, -Infinity], 16);
/** Stand-ins for infinity and for a divisor of 0, tan π/8, then atan(t)/t over t² up to its square. */
const ATAN = memory.data<f64>(
  [
    1e200, 1e-300, 0.41421356237309503, 0.9999999999797048, -0.33333332150967265, 0.19999887401476024,
    -0.14281674978751924, 0.11041437130528227, -0.08460997329033258, 0.04716479375998575,
  ],
  16,
);
/** √2, bound of |x|; −log2 e / 2, 2·ln 2, then (e^(−z/2) − 1)/z for |z| ≤ ln 2. */
const NORMAL = memory.data<f64>(
  [
    Math.SQRT2,
    14.5,
    -0.7213475204444817,
    1.3862943611198906,
    -0.4999999999915033,
    0.1250000000114956,
    -0.02083333359227825,
    0.002604166533195298,
    -0.00026041464539552635,
    2.1701805407425595e-5,
    -1.555838902915895e-6,
    9.661299321719498e-8,
  ],
  16,
);
/** The tail of the normal distribution beyond a, times exp(a²/2): numerator and denominator over a, below 2^-32. */
const TAIL = memory.data<f64>(
  [
    0.49999999993229355, 0.5128616487589907, 0.2553797535179597, 0.07337021868154914, 0.012115010006298079,
    0.0009397518710838863, 1, 1.8236078455848819, 1.465788240378393, 0.6704267514414926, 0.18627193019305172,
    0.030367685311119996, 0.002355610600197073,
  ],
  16,
);
/** 2/π, rounding constant, −π/2 in two parts, (sin r − r)/r³, then (cos r − 1 + r²/2)/r⁴, over r² for |r| ≤ π/4. */
const TAN = memory.data<f64>(
  [
    0.6366197723675814, 6755399441055744, -1.5707963267341256, -6.077100506506192e-11, -0.1666666664152624,
    0.008333329374037938, -0.0001983933096984578, 2.718274224358456e-6, 0.04166666662265316,
    -0.0013888883738049631, 2.4799515891555296e-5, -2.720989297512092e-7,
  ],
  16,
);
/** erf⁻¹(x)/x over −log(1 − x²) up to 16.2: numerator and denominator, below 2^-31. */
const ERFINV = memory.data<f64>(
  [
    0.8862269257450832, 0.287357325034628, 0.053629965368398425, 0.006689673918760745, 0.0005131512034858478,
    1.5712182328749065e-5, -5.894844915674074e-7, 1, 0.062448642668820276, 0.031133818820813113,
    0.00121885142892732, 0.00016309930748778335, -2.3388534101592743e-6, -3.4876967849523186e-8,
  ],
  16,
);

export abstract class W {
  /** Entry i of a table in both lanes. */
  // @ts-ignore: decorator
  @inline
  static at(table: usize, i: usize): v128 {
    return v128.load64_splat(table + (i << 3));
  }

  // @ts-ignore: decorator
  @inline
  static horner(y: v128, x: v128, table: usize, i: usize): v128 {
    return V.madd<f64>(y, x, W.at(table, i));
  }

  /** Entries i and i + 1 as a polynomial of degree 1: taken by pairs, a long polynomial waits half as often for itself. */
  // @ts-ignore: decorator
  @inline
  static pair(x: v128, table: usize, i: usize): v128 {
    return V.madd<f64>(W.at(table, i + 1), x, W.at(table, i));
  }

  // @ts-ignore: decorator
  @inline
  static withSignOf(magnitude: v128, sign: v128): v128 {
    return v128.bitselect(sign, magnitude, f64x2.splat(-0.0));
  }

  /** eˣ, less 1 if `minusOne`. */
  // @ts-ignore: decorator
  @inline
  static expOr(x: v128, minusOne: bool): v128 {
    const bound = W.at(EXP, 3);
    x = f64x2.pmax(f64x2.pmin(x, bound), f64x2.neg(bound));
    const t = W.horner(x, W.at(EXP, 0), EXP, 1);
    const r = V.madd<f64>(f64x2.sub(t, W.at(EXP, 1)), W.at(EXP, 2), x);
    let y = W.at(EXP, 11);
    y = W.horner(y, r, EXP, 10);
    y = W.horner(y, r, EXP, 9);
    y = W.horner(y, r, EXP, 8);
    y = W.horner(y, r, EXP, 7);
    y = W.horner(y, r, EXP, 6);
    y = W.horner(y, r, EXP, 5);
    y = f64x2.mul(W.horner(y, r, EXP, 4), r);
    const power = i64x2.shl(t, 52);
    return V.madd<f64>(y, power, minusOne ? f64x2.sub(power, f64x2.splat(1)) : power);
  }

  /** n·perPower + log(m)·perLog, where x = m·2^n: the logarithm to any base; right for 0, infinity and below 0 too. */
  // @ts-ignore: decorator
  @inline
  static logOf(x: v128, perPower: f64, perLog: f64): v128 {
    const steps = i64x2.sub(x, W.at(LOG_BITS, 0));
    const m = i64x2.sub(x, v128.and(steps, W.at(LOG_BITS, 1)));
    const n = f64x2.sub(i64x2.add(i64x2.shr_s(steps, 52), W.at(LOG, 1)), W.at(LOG, 1));
    const one = W.at(LOG, 0);
    const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
    const z = f64x2.mul(s, s);
    let y = W.at(LOG, 6);
    y = W.horner(y, z, LOG, 5);
    y = W.horner(y, z, LOG, 4);
    y = W.horner(y, z, LOG, 3);
    y = f64x2.mul(W.horner(y, z, LOG, 2), s);
    if (perLog != 1) y = f64x2.mul(y, f64x2.splat(perLog));
    y = perPower == 1 ? f64x2.add(y, n) : V.madd<f64>(n, f64x2.splat(perPower), y);
    const zero = f64x2.splat(0);
    const infinity = f64x2.splat(Infinity);
    const special = v128.bitselect(f64x2.neg(infinity), f64x2.splat(NaN), f64x2.eq(x, zero));
    y = v128.bitselect(y, special, f64x2.gt(x, zero));
    return v128.bitselect(x, y, f64x2.eq(x, infinity));
  }

  static exp(x: v128): v128 {
    return W.expOr(x, false);
  }

  static expm1(x: v128): v128 {
    return W.withSignOf(W.expOr(x, true), x);
  }

  static log(x: v128): v128 {
    return W.logOf(x, Math.LN2, 1);
  }

  static log2(x: v128): v128 {
    return W.logOf(x, 1, Math.LOG2E);
  }

  static log10(x: v128): v128 {
    return W.logOf(x, 0.3010299956639812, Math.LOG10E);
  }

  static sinh(x: v128): v128 {
    const e = W.expm1(f64x2.abs(x));
    const y = f64x2.add(e, f64x2.div(e, f64x2.add(e, f64x2.splat(1))));
    return W.withSignOf(f64x2.mul(y, f64x2.splat(0.5)), x);
  }

  static cosh(x: v128): v128 {
    const e = W.exp(x);
    return f64x2.mul(f64x2.add(e, f64x2.div(f64x2.splat(1), e)), f64x2.splat(0.5));
  }

  /** The angle of the point (x, y). */
  static atan2(y: v128, x: v128): v128 {
    const infinity = W.at(ATAN, 0);
    const a = f64x2.pmin(f64x2.abs(y), infinity);
    const b = f64x2.pmin(f64x2.abs(x), infinity);
    const steep = f64x2.gt(a, b);
    const short = f64x2.pmin(a, b);
    const long = f64x2.pmax(a, b);
    // Beyond tan π/8, the angle to the diagonal.
    const diagonal = f64x2.gt(short, f64x2.mul(long, W.at(ATAN, 2)));
    const top = f64x2.sub(short, v128.and(long, diagonal));
    const bottom = f64x2.add(long, v128.and(short, diagonal));
    const t = f64x2.div(top, f64x2.pmax(bottom, W.at(ATAN, 1)));
    const z = f64x2.mul(t, t);
    let p = W.at(ATAN, 9);
    p = W.horner(p, z, ATAN, 8);
    p = W.horner(p, z, ATAN, 7);
    p = W.horner(p, z, ATAN, 6);
    p = W.horner(p, z, ATAN, 5);
    p = W.horner(p, z, ATAN, 4);
    p = f64x2.mul(W.horner(p, z, ATAN, 3), t);
    p = f64x2.add(p, v128.and(f64x2.splat(0.7853981633974483), diagonal));
    p = v128.bitselect(f64x2.sub(f64x2.splat(1.5707963267948966), p), p, steep);
    p = v128.bitselect(f64x2.sub(f64x2.splat(Math.PI), p), p, i64x2.shr_s(x, 63));
    const invalid = v128.or(f64x2.ne(x, x), f64x2.ne(y, y));
    return v128.or(W.withSignOf(p, y), invalid);
  }

  /** √(1 − x²). */
  static beside(x: v128): v128 {
    const one = f64x2.splat(1);
    return f64x2.sqrt(f64x2.mul(f64x2.sub(one, x), f64x2.add(one, x)));
  }

  /** Q(a)·`times`, where Q = 1 − Φ is the tail of the normal distribution. */
  // @ts-ignore: decorator
  @inline
  static tail(a: v128, times: v128): v128 {
    const z = f64x2.mul(a, a);
    const t = W.horner(z, W.at(NORMAL, 2), EXP, 1);
    const r = V.madd<f64>(f64x2.sub(t, W.at(EXP, 1)), W.at(NORMAL, 3), z);
    const r2 = f64x2.mul(r, r);
    let y = W.pair(r, NORMAL, 10);
    y = V.madd<f64>(y, r2, W.pair(r, NORMAL, 8));
    y = V.madd<f64>(y, r2, W.pair(r, NORMAL, 6));
    y = f64x2.mul(V.madd<f64>(y, r2, W.pair(r, NORMAL, 4)), r);
    const power = i64x2.shl(t, 52);
    y = f64x2.mul(V.madd<f64>(y, power, power), times);
    let top = W.pair(a, TAIL, 4);
    top = V.madd<f64>(top, z, W.pair(a, TAIL, 2));
    top = V.madd<f64>(top, z, W.pair(a, TAIL, 0));
    let bottom = V.madd<f64>(W.at(TAIL, 12), z, W.pair(a, TAIL, 10));
    bottom = V.madd<f64>(bottom, z, W.pair(a, TAIL, 8));
    bottom = V.madd<f64>(bottom, z, W.pair(a, TAIL, 6));
    return f64x2.div(f64x2.mul(y, top), bottom);
  }

  /** |x|, but not beyond where float32 knows no tail. */
  // @ts-ignore: decorator
  @inline
  static bounded(x: v128): v128 {
    return f64x2.pmin(f64x2.abs(x), W.at(NORMAL, 1));
  }

  /** 1 − erf x, with full relative precision far out. */
  // @ts-ignore: decorator
  @inline
  static erfc(x: v128): v128 {
    const a = W.bounded(f64x2.mul(x, W.at(NORMAL, 0)));
    const two = f64x2.splat(2);
    const y = W.tail(a, two);
    return v128.bitselect(f64x2.sub(two, y), y, f64x2.lt(x, f64x2.splat(0)));
  }

  /** The inverse of erf; infinite at ±1, NaN beyond. */
  // @ts-ignore: decorator
  @inline
  static erfinv(x: v128): v128 {
    const one = f64x2.splat(1);
    const w = f64x2.neg(W.log(f64x2.mul(f64x2.sub(one, x), f64x2.add(one, x))));
    let top = W.at(ERFINV, 6);
    top = W.horner(top, w, ERFINV, 5);
    top = W.horner(top, w, ERFINV, 4);
    top = W.horner(top, w, ERFINV, 3);
    top = W.horner(top, w, ERFINV, 2);
    top = W.horner(top, w, ERFINV, 1);
    top = W.horner(top, w, ERFINV, 0);
    let bottom = W.at(ERFINV, 13);
    bottom = W.horner(bottom, w, ERFINV, 12);
    bottom = W.horner(bottom, w, ERFINV, 11);
    bottom = W.horner(bottom, w, ERFINV, 10);
    bottom = W.horner(bottom, w, ERFINV, 9);
    bottom = W.horner(bottom, w, ERFINV, 8);
    bottom = W.horner(bottom, w, ERFINV, 7);
    const slope = f64x2.div(top, bottom);
    return f64x2.mul(x, v128.bitselect(w, slope, f64x2.eq(w, f64x2.splat(Infinity))));
  }

  /** The tangent up to 2^20. */
  static tan(x: v128): v128 {
    const t = W.horner(x, W.at(TAN, 0), TAN, 1);
    const n = f64x2.sub(t, W.at(TAN, 1));
    const r = V.madd<f64>(n, W.at(TAN, 3), V.madd<f64>(n, W.at(TAN, 2), x));
    const z = f64x2.mul(r, r);
    let s = W.at(TAN, 7);
    s = W.horner(s, z, TAN, 6);
    s = W.horner(s, z, TAN, 5);
    s = W.horner(s, z, TAN, 4);
    s = f64x2.mul(V.madd<f64>(s, z, f64x2.splat(1)), r);
    let c = W.at(TAN, 11);
    c = W.horner(c, z, TAN, 10);
    c = W.horner(c, z, TAN, 9);
    c = W.horner(c, z, TAN, 8);
    c = V.madd<f64>(V.madd<f64>(c, z, f64x2.splat(-0.5)), z, f64x2.splat(1));
    // An odd number of quarter turns: −cotangent.
    const odd = i64x2.shr_s(i64x2.shl(t, 63), 63);
    const top = v128.bitselect(f64x2.neg(c), s, odd);
    return f64x2.div(top, v128.bitselect(s, c, odd));
  }

  /** a to the power b, as C defines it. */
  static pow(a: v128, b: v128): v128 {
    const one = f64x2.splat(1);
    const magnitude = f64x2.abs(a);
    const exponent = f64x2.mul(b, W.log(magnitude));
    let y = W.exp(exponent);
    const half = f64x2.mul(b, f64x2.splat(0.5));
    const whole = f64x2.eq(f64x2.nearest(b), b);
    const odd = v128.and(whole, f64x2.ne(f64x2.nearest(half), half));
    y = v128.xor(y, v128.and(v128.and(a, f64x2.splat(-0.0)), odd));
    const infinity = f64x2.splat(Infinity);
    const finiteNegative = v128.and(f64x2.lt(a, f64x2.splat(0)), f64x2.lt(magnitude, infinity));
    y = v128.or(y, v128.andnot(finiteNegative, whole));
    const still = v128.and(f64x2.eq(magnitude, one), f64x2.eq(f64x2.abs(b), infinity));
    const neutral = v128.or(v128.or(f64x2.eq(a, one), f64x2.eq(b, f64x2.splat(0))), still);
    return v128.bitselect(one, y, neutral);
  }

  /** √(a² + b²); infinite if one of them is, NaN or not. */
  static hypot(a: v128, b: v128): v128 {
    const y = f64x2.sqrt(f64x2.add(f64x2.mul(a, a), f64x2.mul(b, b)));
    const infinity = f64x2.splat(Infinity);
    const endless = v128.or(f64x2.eq(f64x2.abs(a), infinity), f64x2.eq(f64x2.abs(b), infinity));
    return v128.bitselect(infinity, y, endless);
  }
}
