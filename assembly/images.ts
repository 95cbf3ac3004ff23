// Batches of images: bytes on their way into arithmetic.
import { Ahead } from './ahead';

abstract class Image {
  // @ts-ignore: decorator
  @inline
  static four(words: v128, divisor: v128, mean: v128, std: v128, standardize: bool): v128 {
    const x = f32x4.div(f32x4.convert_i32x4_s(words), divisor);
    return standardize ? f32x4.div(f32x4.sub(x, mean), std) : x;
  }

  // @ts-ignore: decorator
  @inline
  static fill16(out: usize, value: v128): void {
    v128.store(out, value);
    v128.store(out, value, 16);
    v128.store(out, value, 32);
    v128.store(out, value, 48);
  }

  // @ts-ignore: decorator
  @inline
  static row(
    x: usize,
    out: usize,
    length: usize,
    divisor: f32,
    mean: f32,
    std: f32,
    standardize: bool,
  ): void {
    const d = f32x4.splat(divisor);
    const m = f32x4.splat(mean);
    const s = f32x4.splat(std);
    const background = Image.four(i32x4.splat(0), d, m, s, standardize);
    let i: usize = 0;
    for (; i + 16 <= length; i += 16) {
      const v = v128.load(x + i);
      if (!v128.any_true(v)) {
        // Most of a drawing is paper: divisions would be wasted on it.
        Image.fill16(out + (i << 2), background);
        continue;
      }
      const low = i16x8.extend_low_i8x16_u(v);
      const high = i16x8.extend_high_i8x16_u(v);
      const to = out + (i << 2);
      v128.store(to, Image.four(i32x4.extend_low_i16x8_u(low), d, m, s, standardize));
      v128.store(to, Image.four(i32x4.extend_high_i16x8_u(low), d, m, s, standardize), 16);
      v128.store(to, Image.four(i32x4.extend_low_i16x8_u(high), d, m, s, standardize), 32);
      v128.store(to, Image.four(i32x4.extend_high_i16x8_u(high), d, m, s, standardize), 48);
    }
    for (; i < length; i++) {
      const v = <f32>load<u8>(x + i) / divisor;
      store<f32>(out + (i << 2), standardize ? (v - mean) / std : v);
    }
  }
}

/** Where the row lies that entry i of the index names. */
function rowAt(x: usize, index: usize, i: usize, rows: usize, length: usize): usize {
  const pick = load<i64>(index + (i << 3));
  return x + <usize>(pick < 0 ? pick + <i64>rows : pick) * length;
}

/**
 * out[i, k] = (x[index[i], k] / divisor − mean) / std, bytes to float32, in rows of `length`; each step rounds by
 * itself. mean 0 with std 1 costs nothing. The index is int64, negative entries count from the end of `rows` rows;
 * [begin, end) counts rows of out.
 */
export function gather_rows_scale_u8_f32(
  x: usize,
  index: usize,
  out: usize,
  rows: usize,
  length: usize,
  divisor: f64,
  mean: f64,
  std: f64,
  begin: usize,
  end: usize,
): void {
  const d = <f32>divisor;
  const m = <f32>mean;
  const s = <f32>std;
  const standardize = m != 0 || s != 1;
  let seen = begin;
  for (let i = begin; i < end; i++) {
    if (i >= seen) {
      seen = min(i + Ahead.ROWS, end);
      for (let j = i; j < seen; j++) Ahead.ask(rowAt(x, index, j, rows, length), min(length, Ahead.BYTES));
    }
    const from = rowAt(x, index, i, rows, length);
    const to = out + ((i * length) << 2);
    if (standardize) Image.row(from, to, length, d, m, s, true);
    else Image.row(from, to, length, d, m, s, false);
  }
}
