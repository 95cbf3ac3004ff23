// Reduction of large angles, after Payne and Hanek: x·2/π modulo 4 with as many bits of 2/π as the exponent of x asks
// for, in integers, so that the sine of 1e30 is as good as that of 1.

/** 32 zero bits, then 224 bits of 2/π. */
const TWO_OVER_PI = memory.data<u32>(
  [0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab],
  16,
);
/** π/2 / 2^62. */
const UNIT: f64 = 3.4061215800865545e-19;

/** 32 bits of the table from bit `at`. */
function tableBits(at: i32): u64 {
  const p = TWO_OVER_PI + ((<usize>(at >> 5)) << 2);
  const pair = ((<u64>load<u32>(p)) << 32) | <u64>load<u32>(p, 4);
  return ((pair << (at & 31)) >> 32) & 0xffffffff;
}

/** |x| in units of 2^-62 quarter turns, modulo one turn; |x| must be finite and at least 2^20. */
function largePhase(x: f32): u64 {
  const bits = reinterpret<u32>(x);
  const mantissa = <u64>((bits & 0x7fffff) | 0x800000);
  const exponent = <i32>((bits >> 23) & 255) - 150;
  // Bits of 2/π above weight 4/2^exponent only add whole turns.
  const at = exponent + 30;
  return (
    ((mantissa * tableBits(at)) << 32) +
    mantissa * tableBits(at + 32) +
    ((mantissa * tableBits(at + 64)) >> 32)
  );
}

export abstract class Phase {
  /** Angles up to here are reduced in floating point. */
  static readonly LIMIT: f32 = 1048576;

  // @ts-ignore: decorator
  @inline
  static quadrant(phase: u64): i32 {
    return <i32>((phase + (1 << 61)) >> 62);
  }

  /** The angle in [−π/4, π/4] that `phase` lies beyond the nearest quarter turn. */
  // @ts-ignore: decorator
  @inline
  static rest(phase: u64): f64 {
    return <f64>(<i64>(phase - ((<u64>Phase.quadrant(phase)) << 62))) * UNIT;
  }

  // @ts-ignore: decorator
  @inline
  static sineOf(r: f64): f64 {
    const z = r * r;
    return (
      r +
      r *
        z *
        (-0.1666666664152624 + z * (0.008333329374037938 + z * (-1.983933096984578e-4 + z * 2.718274224e-6)))
    );
  }

  // @ts-ignore: decorator
  @inline
  static cosineOf(r: f64): f64 {
    const z = r * r;
    const c =
      0.04166666662265316 + z * (-0.0013888883738049631 + z * (2.4799515891555e-5 - z * 2.720989297512e-7));
    return 1 - 0.5 * z + z * z * c;
  }

  /** The sine of x + shift·π/2 if |x| is large, else `y`. */
  static sine(x: f32, y: f32, shift: i32): f32 {
    if (!(abs(x) > Phase.LIMIT)) return y;
    if (abs(x) == Infinity) return NaN;
    const phase = largePhase(x);
    const r = Phase.rest(phase);
    const quadrant = Phase.quadrant(phase) + shift;
    const value = quadrant & 1 ? Phase.cosineOf(r) : Phase.sineOf(r);
    const flip = ((quadrant & 2) != 0) != (!shift && x < 0);
    return <f32>(flip ? -value : value);
  }

  /** The tangent of x if |x| is large, else `y`. */
  static tangent(x: f32, y: f32): f32 {
    if (!(abs(x) > Phase.LIMIT)) return y;
    if (abs(x) == Infinity) return NaN;
    const phase = largePhase(x);
    const r = Phase.rest(phase);
    const s = Phase.sineOf(r);
    const c = Phase.cosineOf(r);
    const value = Phase.quadrant(phase) & 1 ? -c / s : s / c;
    return <f32>(x < 0 ? -value : value);
  }

  static sines(x: v128, y: v128, shift: i32): v128 {
    y = f32x4.replace_lane(y, 0, Phase.sine(f32x4.extract_lane(x, 0), f32x4.extract_lane(y, 0), shift));
    y = f32x4.replace_lane(y, 1, Phase.sine(f32x4.extract_lane(x, 1), f32x4.extract_lane(y, 1), shift));
    y = f32x4.replace_lane(y, 2, Phase.sine(f32x4.extract_lane(x, 2), f32x4.extract_lane(y, 2), shift));
    return f32x4.replace_lane(y, 3, Phase.sine(f32x4.extract_lane(x, 3), f32x4.extract_lane(y, 3), shift));
  }

  static tangents(x: v128, y: v128): v128 {
    y = f32x4.replace_lane(y, 0, Phase.tangent(f32x4.extract_lane(x, 0), f32x4.extract_lane(y, 0)));
    y = f32x4.replace_lane(y, 1, Phase.tangent(f32x4.extract_lane(x, 1), f32x4.extract_lane(y, 1)));
    y = f32x4.replace_lane(y, 2, Phase.tangent(f32x4.extract_lane(x, 2), f32x4.extract_lane(y, 2)));
    return f32x4.replace_lane(y, 3, Phase.tangent(f32x4.extract_lane(x, 3), f32x4.extract_lane(y, 3)));
  }
}
