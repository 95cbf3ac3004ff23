// Remainders of four floats, exact, and what rests on them.
import { V } from './lanes';

export abstract class Remainder {
  /** C's fmod. */
  // @ts-ignore: decorator
  @inline
  static exact(a: v128, b: v128): v128 {
    const plain = v128.and(
      f32x4.lt(f32x4.abs(f32x4.div(a, b)), f32x4.splat(268435456)),
      f32x4.lt(f32x4.abs(b), f32x4.splat(Infinity)),
    );
    if (i32x4.all_true(plain))
      return V.narrow(
        Remainder.two(V.widenLow(a), V.widenLow(b)),
        Remainder.two(V.widenHigh(a), V.widenHigh(b)),
      );
    return Remainder.byDigits(a, b);
  }

  /** Where a quotient is large, by a loop over its digits. */
  static byDigits(a: v128, b: v128): v128 {
    let r = a;
    r = f32x4.replace_lane(r, 0, f32x4.extract_lane(a, 0) % f32x4.extract_lane(b, 0));
    r = f32x4.replace_lane(r, 1, f32x4.extract_lane(a, 1) % f32x4.extract_lane(b, 1));
    r = f32x4.replace_lane(r, 2, f32x4.extract_lane(a, 2) % f32x4.extract_lane(b, 2));
    return f32x4.replace_lane(r, 3, f32x4.extract_lane(a, 3) % f32x4.extract_lane(b, 3));
  }

  /**
   * a − trunc(a/b)·b of floats, exact for quotients below 2^28: what lies that near to a whole number is one, and the
   * product has at most 52 digits. The sign is that of a.
   */
  // @ts-ignore: decorator
  @inline
  static two(a: v128, b: v128): v128 {
    const r = f64x2.sub(a, f64x2.mul(f64x2.trunc(f64x2.div(a, b)), b));
    return v128.bitselect(a, r, f64x2.splat(-0.0));
  }

  /** Lanes whose remainder is not 0 and has not the divisor's sign. */
  // @ts-ignore: decorator
  @inline
  static apart(r: v128, b: v128): v128 {
    const zero = f32x4.splat(0);
    return v128.and(f32x4.ne(r, zero), v128.xor(f32x4.lt(b, zero), f32x4.lt(r, zero)));
  }

  /** With the sign of the divisor. */
  static likePython(a: v128, b: v128): v128 {
    const r = Remainder.exact(a, b);
    return v128.bitselect(f32x4.add(r, b), r, Remainder.apart(r, b));
  }

  /** Python's floor division: right where rounding would lift the quotient to the next whole number. */
  static floorQuotient(a: v128, b: v128): v128 {
    const direct = f32x4.div(a, b);
    const zero = f32x4.splat(0);
    const one = f32x4.splat(1);
    const r = Remainder.exact(a, b);
    const q = f32x4.sub(f32x4.div(f32x4.sub(a, r), b), v128.and(one, Remainder.apart(r, b)));
    const floored = f32x4.floor(q);
    const above = f32x4.gt(f32x4.sub(q, floored), f32x4.splat(0.5));
    const y = f32x4.add(floored, v128.and(one, above));
    const signed = v128.bitselect(v128.and(direct, f32x4.splat(-0.0)), y, f32x4.eq(q, zero));
    return v128.bitselect(direct, signed, f32x4.eq(b, zero));
  }
}
