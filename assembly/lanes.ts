// Vector operations that kernels share; methods marked so are inlined and cost nothing inside a loop. Kernels are
// compiled once, with relaxed SIMD. For engines without it the library turns every `madd` of the binary into a product
// and a sum before it is compiled (src/backend/wasm/plainBinary.ts): no kernel may ask which of the two it is in but by
// `fused`.

/** (1 + 2^-12)², rounded to a float, less 1 + 2^-11: 2^-24 remains if the product was not rounded. */
const PROBE = memory.data<f32>([1.000244140625, -1.00048828125], 16);

/** Rows that are read side by side where columns are folded in passes along them: as many as the processor reads ahead. */
export const STREAMS: usize = 8;

export abstract class V {
  /** Whether `madd` rounds once (so is one instruction, and needs no register between). Not for inner loops. */
  static fused(): bool {
    const a = v128.load32_splat(PROBE);
    return v128.any_true(V.madd<f32>(a, a, v128.load32_splat(PROBE, 4)));
  }

  /** a·b + c in every lane. */
  // @ts-ignore: decorator
  @inline
  static madd<T extends number>(a: v128, b: v128, c: v128): v128 {
    return sizeof<T>() == 8 ? f64x2.relaxed_madd(a, b, c) : f32x4.relaxed_madd(a, b, c);
  }

  /** a·b + c of one element, rounded as `madd` rounds it: for the ends of rows that a vector does not reach. */
  // @ts-ignore: decorator
  @inline
  static madd1<T extends number>(a: T, b: T, c: T): T {
    return v128.extract_lane<T>(V.madd<T>(v128.splat<T>(a), v128.splat<T>(b), v128.splat<T>(c)), 0);
  }

  /** A conversion between type parameters, which TypeScript would not take. */
  // @ts-ignore: decorator
  @inline
  static cast<F extends number, T extends number>(x: F): T {
    // @ts-ignore: as the language of the kernels has it
    return <T>x;
  }

  /** Lanes 0 and 1 of four floats as doubles. */
  // @ts-ignore: decorator
  @inline
  static widenLow(x: v128): v128 {
    return f64x2.promote_low_f32x4(x);
  }

  /** Lanes 2 and 3 of four floats as doubles. */
  // @ts-ignore: decorator
  @inline
  static widenHigh(x: v128): v128 {
    return f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
  }

  /** Two pairs of doubles rounded to four floats. */
  // @ts-ignore: decorator
  @inline
  static narrow(low: v128, high: v128): v128 {
    return v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
  }

  /** Four comparisons of four floats or integers each as sixteen bytes, 0 or 1. */
  // @ts-ignore: decorator
  @inline
  static truth(a: v128, b: v128, c: v128, d: v128): v128 {
    return i8x16.abs(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
  }

  /** Up to four floats or integers at `p`, `p + step`, … (in elements), nothing behind them. */
  // @ts-ignore: decorator
  @inline
  static loadLanes(p: usize, step: usize, lanes: usize): v128 {
    return lanes >= 4 && step == 1 ? v128.load(p) : V.loadPart(p, step << 2, min(lanes, 4));
  }

  /** Writes the first `lanes` lanes, four at most. */
  // @ts-ignore: decorator
  @inline
  static storeLanes(p: usize, v: v128, lanes: usize): void {
    if (lanes >= 4) v128.store(p, v);
    else V.storePart(p, v, lanes);
  }

  // These two call themselves, which also keeps them from being inlined: that would double the size of most kernels.
  static loadPart(p: usize, step: usize, lanes: usize): v128 {
    if (lanes <= 1) return v128.load32_zero(p);
    const rest = V.loadPart(p + step, step, lanes - 1);
    return v128.load32_lane(p, v128.shuffle<i32>(rest, rest, 0, 0, 1, 2), 0);
  }

  static storePart(p: usize, v: v128, lanes: usize): void {
    if (lanes > 1) V.storePart(p + 4, v128.shuffle<i32>(v, v, 1, 2, 3, 3), lanes - 1);
    v128.store32_lane(p, v, 0);
  }

  /** Copies bytes between ranges that do not overlap. A call of memory.copy costs as much as some 200 bytes. */
  // @ts-ignore: decorator
  @inline
  static copy(to: usize, from: usize, bytes: usize): void {
    if (bytes >= 256) {
      memory.copy(to, from, bytes);
      return;
    }
    const stop = to + bytes;
    for (; to + 16 <= stop; to += 16) {
      v128.store(to, v128.load(from));
      from += 16;
    }
    for (; to + 4 <= stop; to += 4) {
      store<u32>(to, load<u32>(from));
      from += 4;
    }
    for (; to < stop; to++) store<u8>(to, load<u8>(from++));
  }
}
