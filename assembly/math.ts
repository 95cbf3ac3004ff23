// Functions of analysis over four floats, each within 2 ulp of the exact value. Polynomials are our own minimax fits
// (relative error below 2^-26 on their interval; tables list coefficients from the constant term up), arguments are
// reduced in the manner of Cody and Waite. ±0, infinities, NaN and denormals come out as IEEE 754 has them.
//
// Constants come from tables by load32_splat: a v128 constant inside a loop is rebuilt at every use by the
// optimising compilers behind WebAssembly, at more cost than a load.
import { V } from './lanes';
import { Phase } from './phase';

/** log2 e, rounding constant (its low bits take n + 127), −ln 2 in two parts, then eʳ for |r| ≤ ln 2 / 2. */
const EXP = memory.data<f32>(
  [
    Mathf.LOG2E,
    12583039,
    -0.693359375,
    2.12194442e-4,
    1,
    0.49999994,
    0.1666652115,
    0.041668389,
    0.0083687445,
    0.00138145534,
  ],
  16,
);
/**
 * Bounds of the arguments: above, eˣ is infinite. It is 0 from −104 on, but at −252·ln 2 the second factor of its power
 * of two is an exact 0, while products that underflow take some processors 100 times as long: minus infinity, as masks
 * have it, must not.
 */
const EXP_BOUNDS = memory.data<f32>([89, -174.67308, 1], 16);
/** For eˣ − 1: the lower bound, where −1 is reached; half of 1. */
const EXPM1 = memory.data<f32>([-25, 0.5], 16);
/** The same for 2ˣ; ln 2. */
const EXP2 = memory.data<f32>([129, -252, Mathf.LN2], 16);
/** The bits of 1.5·2^23 and 1, the smallest biased exponent, the bias, of 86: up to there e^±x is far from denormal; all but the sign. */
const EXP_BITS = memory.data<i32>([0x4b400001, 1, 127, 0x42ac0000, 0x7fffffff], 16);
/**
 * −log2 e, rounding constant (its low bits take n + 127, and a minus), ln 2 in two parts, 1, then (1 − e^−r − r)/r² for
 * |r| ≤ ln 2 / 2.
 */
const SIGMOID = memory.data<f32>(
  [
    -Mathf.LOG2E,
    12583295,
    0.693359375,
    -2.12194442e-4,
    1,
    -0.49999994,
    0.166665211,
    -0.0416682661,
    0.00836867746,
    -0.00138207339,
  ],
  16,
);
/** Bits of √½, mask of the exponent, what makes one signed comparison of "normal, positive, finite". */
const LOG_BITS = memory.data<i32>([0x3f3504f3, <i32>0xff800000, 0x7f800000, <i32>0xfeffffff], 16);
/** 1, −1, ln 2 / 2^23, then (2 − log((1+s)/(1−s))/s)/s² over s² for √½ ≤ (1+s)/(1−s) ≤ √2. */
const LOG = memory.data<f32>([1, -1, 8.262958e-8, -0.66666776, -0.3997758, -0.29870927], 16);
/**
 * Where 1 is reached, 2·log2 e less 6 % (which moves the meeting points of neighbouring n to where results are rounded
 * less), rounding constant (its low bits take n + 126), −ln 2 / 2, ½, 1, then (tanh r − r)/r³ over r² for |r| ≤ 0.19.
 */
const TANH = memory.data<f32>(
  [9.5, 2.7, 12583038, -0.34657359, 0.5, 1, -0.33333379, 0.13329494, -0.05112044],
  16,
);
/** 2/π, rounding constant, −π/2 in two parts: the first has 33 bits, so its multiples below 2^20 are exact. */
const QUARTER = memory.data<f64>(
  [0.6366197723675814, 6755399441055744, -1.5707963267341256, -6.077100506506192e-11],
  16,
);
/** Bound of the fast reduction, 1, −½; (sin r − r)/r³, then (cos r − 1 + r²/2)/r⁴, over r² for |r| ≤ π/4. */
const SINE = memory.data<f32>(
  [
    1048576, 1, -0.5, -0.166666552, 0.00833217613, -1.95169778e-4, 0.0416666456, -0.00138873642,
    2.44380917e-5,
  ],
  16,
);
/** Where the two formulas meet, where 1 is reached, 1, then erf(x)/x − 1 over x² up to the meeting point. */
const ERF = memory.data<f32>(
  [0.9, 4, 1, 0.128379155, -0.376125336, 0.112822302, -0.0267819576, 0.00501622818, -6.11129159e-4],
  16,
);
/** log(1 − erf x) between the two. */
const ERF_LOG = memory.data<f32>(
  [
    1.69207924e-4, -1.12948847, -0.633400798, -0.108220413, 0.025080638, -0.00415626355, 4.3139534e-4,
    -2.08287747e-5,
  ],
  16,
);

export abstract class M {
  /** Entry i of a table in all four lanes. */
  // @ts-ignore: decorator
  @inline
  static at(table: usize, i: usize): v128 {
    return v128.load32_splat(table + (i << 2));
  }

  /** One step of Horner's scheme: y·x + table[i]. */
  // @ts-ignore: decorator
  @inline
  static horner(y: v128, x: v128, table: usize, i: usize): v128 {
    return V.madd<f32>(y, x, M.at(table, i));
  }

  /** e^(x − n·ln 2), where t is n plus the rounding constant. */
  // @ts-ignore: decorator
  @inline
  static expFraction(x: v128, t: v128): v128 {
    const n = f32x4.sub(t, M.at(EXP, 1));
    return M.expPolynomial(V.madd<f32>(n, M.at(EXP, 3), V.madd<f32>(n, M.at(EXP, 2), x)));
  }

  /** a[0] + a[1]·r + … + a[4]·r⁴, where z is r²: in pairs, which wait less for each other than Horner's scheme has it. */
  // @ts-ignore: decorator
  @inline
  static quartic(r: v128, z: v128, a: usize): v128 {
    const low = M.horner(M.at(a, 1), r, a, 0);
    const high = M.horner(M.at(a, 3), r, a, 2);
    return V.madd<f32>(V.madd<f32>(M.at(a, 4), z, high), z, low);
  }

  /** eʳ for |r| ≤ ln 2 / 2. */
  // @ts-ignore: decorator
  @inline
  static expPolynomial(r: v128): v128 {
    const z = f32x4.mul(r, r);
    return f32x4.add(V.madd<f32>(M.quartic(r, z, EXP + 20), z, r), M.at(EXP, 4));
  }

  /** eˣ for x between the bounds, or NaN. */
  // @ts-ignore: decorator
  @inline
  static expBounded(x: v128): v128 {
    const t = M.horner(x, M.at(EXP, 0), EXP, 1);
    return M.expScaled(M.expFraction(x, t), t);
  }

  /** y·2ⁿ in two steps, so that results may be denormal; t is n plus the rounding constant. */
  // @ts-ignore: decorator
  @inline
  static expScaled(y: v128, t: v128): v128 {
    const exponent = i32x4.sub(t, M.at(EXP_BITS, 0));
    const first = i32x4.max_s(exponent, M.at(EXP_BITS, 1));
    const second = i32x4.add(i32x4.sub(exponent, first), M.at(EXP_BITS, 2));
    return f32x4.mul(f32x4.mul(f32x4.add(y, y), i32x4.shl(first, 23)), i32x4.shl(second, 23));
  }

  /** eˣ where it is a normal number. */
  // @ts-ignore: decorator
  @inline
  static expNormal(x: v128): v128 {
    const t = M.horner(x, M.at(EXP, 0), EXP, 1);
    return f32x4.mul(M.expFraction(x, t), i32x4.shl(t, 23));
  }

  // @ts-ignore: decorator
  @inline
  static exp(x: v128): v128 {
    return M.expBounded(f32x4.pmax(f32x4.pmin(x, M.at(EXP_BOUNDS, 0)), M.at(EXP_BOUNDS, 1)));
  }

  /** eˣ − 1. All is halved until the end, so that the power of two of the largest results is finite. */
  // @ts-ignore: decorator
  @inline
  static expm1(x: v128): v128 {
    const b = f32x4.pmax(f32x4.pmin(x, M.at(EXP_BOUNDS, 0)), M.at(EXPM1, 0));
    const t = M.horner(b, M.at(EXP, 0), EXP, 1);
    const n = f32x4.sub(t, M.at(EXP, 1));
    const r = V.madd<f32>(n, M.at(EXP, 3), V.madd<f32>(n, M.at(EXP, 2), b));
    const z = f32x4.mul(r, r);
    const y = V.madd<f32>(M.quartic(r, z, EXP + 20), z, r);
    const power = i32x4.shl(i32x4.sub(t, M.at(EXP_BITS, 1)), 23);
    const half = V.madd<f32>(y, power, f32x4.sub(power, M.at(EXPM1, 1)));
    return v128.or(f32x4.add(half, half), v128.xor(x, f32x4.abs(x)));
  }

  /** 2ˣ: the power of two splits off exactly. */
  // @ts-ignore: decorator
  @inline
  static exp2(x: v128): v128 {
    x = f32x4.pmax(f32x4.pmin(x, M.at(EXP2, 0)), M.at(EXP2, 1));
    const t = f32x4.add(x, M.at(EXP, 1));
    const r = f32x4.sub(x, f32x4.sub(t, M.at(EXP, 1)));
    return M.expScaled(M.expPolynomial(f32x4.mul(r, M.at(EXP2, 2))), t);
  }

  /** The lanes of largest magnitude, as signed integers; NaN is larger than all. */
  // @ts-ignore: decorator
  @inline
  static furthest(a: v128, b: v128, c: v128, d: v128): v128 {
    const sign = M.at(EXP_BITS, 4);
    return i32x4.max_s(
      i32x4.max_s(v128.and(a, sign), v128.and(b, sign)),
      i32x4.max_s(v128.and(c, sign), v128.and(d, sign)),
    );
  }

  /** Lanes in which e^x or e^−x is not a normal number. */
  // @ts-ignore: decorator
  @inline
  static outside(x: v128): v128 {
    return i32x4.gt_s(f32x4.abs(x), M.at(EXP_BITS, 3));
  }

  /** 1 + e^−x where that is a normal number, without the rounding of e^−x; `power` is negative. */
  // @ts-ignore: decorator
  @inline
  static sigmoidDivisor(x: v128): v128 {
    const t = M.horner(x, M.at(SIGMOID, 0), SIGMOID, 1);
    const n = f32x4.sub(t, M.at(SIGMOID, 1));
    const r = V.madd<f32>(n, M.at(SIGMOID, 3), V.madd<f32>(n, M.at(SIGMOID, 2), x));
    const z = f32x4.mul(r, r);
    const y = V.madd<f32>(M.quartic(r, z, SIGMOID + 20), z, r);
    const power = i32x4.shl(t, 23);
    return f32x4.sub(V.madd<f32>(y, power, M.at(SIGMOID, 4)), power);
  }

  // @ts-ignore: decorator
  @inline
  static sigmoidNormal(x: v128): v128 {
    return f32x4.div(M.at(SIGMOID, 4), M.sigmoidDivisor(x));
  }

  /** Far out on the left it is eˣ/(1 + eˣ), which may be denormal. */
  // @ts-ignore: decorator
  @inline
  static sigmoid(x: v128): v128 {
    const one = M.at(EXP_BOUNDS, 2);
    const e = M.exp(x);
    const far = v128.bitselect(f32x4.div(e, f32x4.add(one, e)), one, f32x4.le(x, M.at(EXP_BOUNDS, 2)));
    return v128.bitselect(v128.or(far, f32x4.ne(x, x)), M.sigmoidNormal(x), M.outside(x));
  }

  // @ts-ignore: decorator
  @inline
  static siluNormal(x: v128): v128 {
    return f32x4.div(x, M.sigmoidDivisor(x));
  }

  // @ts-ignore: decorator
  @inline
  static silu(x: v128): v128 {
    return v128.bitselect(f32x4.mul(x, M.sigmoid(x)), M.siluNormal(x), M.outside(x));
  }

  /** The logarithm of normal, positive, finite numbers: of m·2ⁿ, s being (m − 1)/(m + 1), and t here −s. */
  // @ts-ignore: decorator
  @inline
  static logNormal(x: v128): v128 {
    const power = v128.and(i32x4.sub(x, M.at(LOG_BITS, 0)), M.at(LOG_BITS, 1));
    const m = i32x4.sub(x, power);
    const f = f32x4.sub(m, M.at(LOG, 0));
    const t = f32x4.div(f, f32x4.sub(M.at(LOG, 1), m));
    const z = f32x4.mul(t, t);
    const y = M.horner(M.horner(M.at(LOG, 5), z, LOG, 4), z, LOG, 3);
    // n·2^23 is what was taken off the bits.
    const n = f32x4.convert_i32x4_s(power);
    return V.madd<f32>(n, M.at(LOG, 2), V.madd<f32>(t, V.madd<f32>(y, z, f), f));
  }

  /** What 1 + x lost by rounding to u, for the logarithm of u; 0 where u is 0 or infinite. */
  // @ts-ignore: decorator
  @inline
  static lost(x: v128, u: v128): v128 {
    const c = f32x4.sub(x, f32x4.sub(u, M.at(LOG, 0)));
    return v128.and(f32x4.div(c, u), f32x4.gt(f32x4.abs(c), f32x4.splat(0)));
  }

  // @ts-ignore: decorator
  @inline
  static log1p(x: v128): v128 {
    const one = M.at(LOG, 0);
    const u = f32x4.add(x, one);
    return v128.bitselect(x, f32x4.add(M.log(u), M.lost(x, u)), f32x4.eq(u, one));
  }

  /** log(1 + e^(βx))/β; x itself beyond the threshold. */
  // @ts-ignore: decorator
  @inline
  static softplus(x: v128, beta: v128, threshold: v128): v128 {
    const scaled = f32x4.mul(x, beta);
    const e = M.exp(f32x4.neg(f32x4.abs(scaled)));
    const u = f32x4.add(e, M.at(LOG, 0));
    const y = f32x4.add(f32x4.pmax(scaled, f32x4.splat(0)), f32x4.add(M.logNormal(u), M.lost(e, u)));
    return v128.bitselect(x, f32x4.div(y, beta), f32x4.gt(scaled, threshold));
  }

  /** Signed integers that are above the last entry of LOG_BITS unless x is normal, positive and finite. */
  // @ts-ignore: decorator
  @inline
  static logRank(x: v128): v128 {
    return i32x4.add(x, M.at(LOG_BITS, 2));
  }

  // @ts-ignore: decorator
  @inline
  static log(x: v128): v128 {
    const y = M.logNormal(x);
    const rare = i32x4.gt_s(M.logRank(x), M.at(LOG_BITS, 3));
    return v128.any_true(rare) ? M.logRare(x, y, rare) : y;
  }

  /** Whether all arguments are normal, positive and finite. */
  // @ts-ignore: decorator
  @inline
  static logIsPlain(a: v128, b: v128, c: v128, d: v128): bool {
    const most = i32x4.max_s(
      i32x4.max_s(M.logRank(a), M.logRank(b)),
      i32x4.max_s(M.logRank(c), M.logRank(d)),
    );
    return !v128.any_true(i32x4.gt_s(most, M.at(LOG_BITS, 3)));
  }

  /**
   * The tangent of a sum: where |x| = r + n·ln 2 / 2, tanh(n·ln 2 / 2) is (2ⁿ − 1)/(2ⁿ + 1), and of the numerator what is
   * left to the denominator is 2 − 2·tanh r. All is halved.
   */
  // @ts-ignore: decorator
  @inline
  static tanh(x: v128): v128 {
    const a = v128.and(x, M.at(EXP_BITS, 4));
    const b = f32x4.pmin(a, M.at(TANH, 0));
    const t = M.horner(b, M.at(TANH, 1), TANH, 2);
    const r = V.madd<f32>(f32x4.sub(t, M.at(TANH, 2)), M.at(TANH, 3), b);
    const z = f32x4.mul(r, r);
    const y = V.madd<f32>(M.horner(M.horner(M.at(TANH, 8), z, TANH, 7), z, TANH, 6), f32x4.mul(z, r), r);
    const power = i32x4.shl(t, 23);
    const half = M.at(TANH, 4);
    const top = V.madd<f32>(f32x4.add(power, half), y, f32x4.sub(power, half));
    const bottom = f32x4.add(f32x4.sub(top, y), M.at(TANH, 5));
    return v128.or(f32x4.div(top, bottom), v128.xor(x, a));
  }

  // @ts-ignore: decorator
  @inline
  static erf(x: v128): v128 {
    const a = f32x4.abs(x);
    const z = f32x4.mul(a, a);
    let y = M.at(ERF, 8);
    y = M.horner(y, z, ERF, 7);
    y = M.horner(y, z, ERF, 6);
    y = M.horner(y, z, ERF, 5);
    y = M.horner(y, z, ERF, 4);
    y = V.madd<f32>(M.horner(y, z, ERF, 3), a, a);
    const b = f32x4.pmin(a, M.at(ERF, 1));
    let g = M.at(ERF_LOG, 7);
    g = M.horner(g, b, ERF_LOG, 6);
    g = M.horner(g, b, ERF_LOG, 5);
    g = M.horner(g, b, ERF_LOG, 4);
    g = M.horner(g, b, ERF_LOG, 3);
    g = M.horner(g, b, ERF_LOG, 2);
    g = M.horner(g, b, ERF_LOG, 1);
    g = M.horner(g, b, ERF_LOG, 0);
    const far = f32x4.sub(M.at(ERF, 2), M.expNormal(g));
    return v128.or(v128.bitselect(y, far, f32x4.lt(a, M.at(ERF, 0))), v128.xor(x, a));
  }

  /** n plus the rounding constant, where x is nearest to n·π/2. */
  // @ts-ignore: decorator
  @inline
  static quarters(x: v128): v128 {
    return V.madd<f64>(x, v128.load64_splat(QUARTER), v128.load64_splat(QUARTER, 8));
  }

  /** x − n·π/2. */
  // @ts-ignore: decorator
  @inline
  static withoutQuarters(x: v128, t: v128): v128 {
    const n = f64x2.sub(t, v128.load64_splat(QUARTER, 8));
    return V.madd<f64>(n, v128.load64_splat(QUARTER, 24), V.madd<f64>(n, v128.load64_splat(QUARTER, 16), x));
  }

  /** The sine of x + shift·π/2, where `shift` is 0 (sine) or 1 (cosine). */
  // @ts-ignore: decorator
  @inline
  static sine(x: v128, shift: i32): v128 {
    const a = f32x4.abs(x);
    const low = V.widenLow(a);
    const high = V.widenHigh(a);
    const tLow = M.quarters(low);
    const tHigh = M.quarters(high);
    const r = V.narrow(M.withoutQuarters(low, tLow), M.withoutQuarters(high, tHigh));
    let quadrant = v128.shuffle<i32>(tLow, tHigh, 0, 2, 4, 6);
    if (shift) quadrant = i32x4.add(quadrant, i32x4.splat(shift));
    const z = f32x4.mul(r, r);
    let s = M.at(SINE, 5);
    s = M.horner(s, z, SINE, 4);
    s = M.horner(s, z, SINE, 3);
    s = V.madd<f32>(f32x4.mul(s, z), r, r);
    let c = M.at(SINE, 8);
    c = M.horner(c, z, SINE, 7);
    c = M.horner(c, z, SINE, 6);
    c = M.horner(c, z, SINE, 2);
    c = M.horner(c, z, SINE, 1);
    let y = v128.bitselect(c, s, i32x4.shr_s(i32x4.shl(quadrant, 31), 31));
    y = v128.xor(y, i32x4.shl(i32x4.shr_u(quadrant, 1), 31));
    if (!shift) y = v128.xor(y, v128.xor(x, a));
    const large = f32x4.gt(a, M.at(SINE, 0));
    return v128.any_true(large) ? Phase.sines(x, y, shift) : y;
  }

  /** The logarithm in the lanes marked `rare`: denormals, zeros, negative numbers, infinity and NaN. */
  static logRare(x: v128, y: v128, rare: v128): v128 {
    const zero = f32x4.splat(0);
    const infinity = f32x4.splat(Infinity);
    const denormal = v128.and(f32x4.gt(x, zero), f32x4.lt(x, f32x4.splat(1.17549435e-38)));
    if (v128.any_true(denormal)) {
      // Scaled up by 2^23 they are normal, and no longer rare.
      const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), f32x4.splat(1), denormal);
      const unscaled = f32x4.sub(M.logNormal(scaled), f32x4.splat(15.942385));
      y = v128.bitselect(unscaled, y, denormal);
    }
    const special = v128.bitselect(
      f32x4.neg(infinity),
      v128.bitselect(infinity, f32x4.splat(NaN), f32x4.eq(x, infinity)),
      f32x4.eq(x, zero),
    );
    return v128.bitselect(special, y, v128.andnot(rare, denormal));
  }
}
