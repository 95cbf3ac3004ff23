// Conversions between element types, of contiguous runs. Floats become integers as on x86-64: truncated, wrapped into
// the smaller types, and −2^63 where 64 bits are not enough. Bool targets are 1 where the source is not zero.
import { V } from './lanes';

abstract class Convert {
  // @ts-ignore: decorator
  @inline
  static element<F extends number, T extends number>(x: F): T {
    if (isFloat<F>() && isInteger<T>()) {
      const whole: i64 = abs<f64>(<f64>x) < <f64>i64.MAX_VALUE ? <i64>x : i64.MIN_VALUE;
      return <T>whole;
    }
    return V.cast<F, T>(x);
  }

  // @ts-ignore: decorator
  @inline
  static run<F extends number, T extends number>(x: usize, out: usize, begin: usize, end: usize): void {
    for (let i = begin; i < end; i++) {
      store<T>(out + i * sizeof<T>(), Convert.element<F, T>(load<F>(x + i * sizeof<F>())));
    }
  }

  /** Floats as integers of 32 or 64 bits: four at a time where all of them fit into 32. */
  // @ts-ignore: decorator
  @inline
  static whole<T extends number>(x: usize, out: usize, begin: usize, end: usize): void {
    let i = begin;
    for (; i + 4 <= end; i += 4) {
      const v = v128.load(x + (i << 2));
      if (i32x4.all_true(f32x4.lt(f32x4.abs(v), f32x4.splat(2147483648)))) {
        const n = i32x4.trunc_sat_f32x4_s(v);
        const to = out + i * sizeof<T>();
        if (sizeof<T>() == 4) v128.store(to, n);
        else {
          v128.store(to, i64x2.extend_low_i32x4_s(n));
          v128.store(to, i64x2.extend_high_i32x4_s(n), 16);
        }
      } else Convert.run<f32, T>(x, out, i, i + 4);
    }
    Convert.run<f32, T>(x, out, i, end);
  }

  // @ts-ignore: decorator
  @inline
  static truth<F extends number>(x: usize, out: usize, begin: usize, end: usize): void {
    for (let i = begin; i < end; i++) store<u8>(out + i, load<F>(x + i * sizeof<F>()) != <F>0 ? 1 : 0);
  }
}

/** Sixteen bytes per turn: images and bool masks on their way into arithmetic. */
export function convert_u8_f32(x: usize, out: usize, begin: usize, end: usize): void {
  let i = begin;
  for (; i + 16 <= end; i += 16) {
    const v = v128.load(x + i);
    const low = i16x8.extend_low_i8x16_u(v);
    const high = i16x8.extend_high_i8x16_u(v);
    const to = out + (i << 2);
    v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(low)));
    v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(low)), 16);
    v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(high)), 32);
    v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(high)), 48);
  }
  Convert.run<u8, f32>(x, out, i, end);
}

export function convert_f32_f64(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<f32, f64>(x, out, begin, end);
}

export function convert_f32_i64(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.whole<i64>(x, out, begin, end);
}

export function convert_f32_i32(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.whole<i32>(x, out, begin, end);
}

export function convert_f32_u8(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<f32, u8>(x, out, begin, end);
}

export function convert_f32_bool(x: usize, out: usize, begin: usize, end: usize): void {
  const zero = f32x4.splat(0);
  let i = begin;
  for (; i + 16 <= end; i += 16) {
    const from = x + (i << 2);
    const a = f32x4.ne(v128.load(from), zero);
    const b = f32x4.ne(v128.load(from, 16), zero);
    const c = f32x4.ne(v128.load(from, 32), zero);
    v128.store(out + i, V.truth(a, b, c, f32x4.ne(v128.load(from, 48), zero)));
  }
  Convert.truth<f32>(x, out, i, end);
}

export function convert_f64_f32(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<f64, f32>(x, out, begin, end);
}

export function convert_f64_i64(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<f64, i64>(x, out, begin, end);
}

export function convert_f64_i32(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<f64, i32>(x, out, begin, end);
}

export function convert_f64_u8(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<f64, u8>(x, out, begin, end);
}

export function convert_f64_bool(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.truth<f64>(x, out, begin, end);
}

export function convert_i64_f32(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<i64, f32>(x, out, begin, end);
}

export function convert_i64_f64(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<i64, f64>(x, out, begin, end);
}

export function convert_i64_i32(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<i64, i32>(x, out, begin, end);
}

export function convert_i64_u8(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<i64, u8>(x, out, begin, end);
}

export function convert_i64_bool(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.truth<i64>(x, out, begin, end);
}

export function convert_i32_f32(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<i32, f32>(x, out, begin, end);
}

export function convert_i32_f64(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<i32, f64>(x, out, begin, end);
}

export function convert_i32_i64(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<i32, i64>(x, out, begin, end);
}

export function convert_i32_u8(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<i32, u8>(x, out, begin, end);
}

export function convert_i32_bool(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.truth<i32>(x, out, begin, end);
}

export function convert_u8_f64(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<u8, f64>(x, out, begin, end);
}

export function convert_u8_i64(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<u8, i64>(x, out, begin, end);
}

export function convert_u8_i32(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.run<u8, i32>(x, out, begin, end);
}

export function convert_u8_bool(x: usize, out: usize, begin: usize, end: usize): void {
  Convert.truth<u8>(x, out, begin, end);
}
