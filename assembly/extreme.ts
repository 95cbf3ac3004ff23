// The first largest or smallest element along the axis of a contiguous [outer, axis, inner], and where it is. NaN
// counts as the extreme. [begin, end) counts results; `values` may be 0 where only positions are wanted.
import { STREAMS } from './lanes';

abstract class Extreme {
  // @ts-ignore: decorator
  @inline
  static isNaN(x: v128): v128 {
    return f32x4.ne(x, x);
  }

  /** The position of the first extreme of n floats in a row. */
  static inRow(largest: bool, x: usize, n: usize): usize {
    let best = v128.load32_splat(x);
    let other = best;
    let wrong = Extreme.isNaN(best);
    let i: usize = 0;
    for (; i + 8 <= n; i += 8) {
      const u = v128.load(x + (i << 2));
      const v = v128.load(x + (i << 2), 16);
      best = largest ? f32x4.pmax(best, u) : f32x4.pmin(best, u);
      other = largest ? f32x4.pmax(other, v) : f32x4.pmin(other, v);
      wrong = v128.or(wrong, v128.or(Extreme.isNaN(u), Extreme.isNaN(v)));
    }
    for (; i < n; i++) {
      const u = v128.load32_splat(x + (i << 2));
      best = largest ? f32x4.pmax(best, u) : f32x4.pmin(best, u);
      wrong = v128.or(wrong, Extreme.isNaN(u));
    }
    best = largest ? f32x4.pmax(best, other) : f32x4.pmin(best, other);
    other = v128.shuffle<i64>(best, best, 1, 0);
    best = largest ? f32x4.pmax(best, other) : f32x4.pmin(best, other);
    other = v128.shuffle<i32>(best, best, 1, 0, 3, 2);
    best = largest ? f32x4.pmax(best, other) : f32x4.pmin(best, other);
    const spoilt = v128.any_true(wrong);
    for (i = 0; i + 4 <= n; i += 4) {
      const u = v128.load(x + (i << 2));
      const found = i32x4.bitmask(spoilt ? Extreme.isNaN(u) : f32x4.eq(u, best));
      if (found) return i + <usize>ctz(found);
    }
    while (
      spoilt ? !isNaN<f32>(load<f32>(x + (i << 2))) : load<f32>(x + (i << 2)) != f32x4.extract_lane(best, 0)
    )
      i++;
    return i;
  }

  /**
   * 4·groups neighbouring columns of floats: a few rows from end to end, then the next few. Until then the 32 bytes of four
   * positions hold the extremes and their rows. For the smallest, signs are turned.
   */
  static inColumns(
    largest: bool,
    x: usize,
    values: usize,
    indices: usize,
    axis: usize,
    pitch: usize,
    groups: usize,
  ): void {
    const turn = i32x4.splat(largest ? 0 : 1 << 31);
    const one = i32x4.splat(1);
    for (let at: usize = 0; at < groups << 4; at += 16) {
      v128.store(indices + (at << 1), v128.xor(v128.load(x + at), turn));
      v128.store(indices + (at << 1), i32x4.splat(0), 16);
    }
    for (let row: usize = 0; row < axis; row += STREAMS) {
      const rows = min(axis - row, STREAMS);
      const start = i32x4.splat(<i32>row);
      for (let at: usize = 0; at < groups << 4; at += 16) {
        const to = indices + (at << 1);
        let p = x + at;
        let best = v128.load(to);
        let where = v128.load(to, 16);
        let here = start;
        for (let left = rows; left > 0; left--) {
          const v = v128.xor(v128.load(p), turn);
          const better = v128.andnot(f32x4.eq(best, best), f32x4.le(v, best));
          best = v128.bitselect(v, best, better);
          where = v128.bitselect(here, where, better);
          here = i32x4.add(here, one);
          p += pitch;
        }
        v128.store(to, best);
        v128.store(to, where, 16);
      }
      x += rows * pitch;
    }
    for (let at: usize = 0; at < groups << 4; at += 16) {
      const to = indices + (at << 1);
      const where = v128.load(to, 16);
      if (values) v128.store(values + at, v128.xor(v128.load(to), turn));
      v128.store(to, i64x2.extend_low_i32x4_u(where));
      v128.store(to, i64x2.extend_high_i32x4_u(where), 16);
    }
  }

  static run<T extends number>(
    largest: bool,
    x: usize,
    values: usize,
    indices: usize,
    axis: usize,
    inner: usize,
    begin: usize,
    end: usize,
  ): void {
    const pitch = inner * sizeof<T>();
    for (let i = begin; i < end; i++) {
      if (isFloat<T>() && sizeof<T>() == 4) {
        const first = x + ((i / inner) * axis * inner + (i % inner)) * 4;
        const together = min(inner - (i % inner), end - i);
        if (inner == 1) {
          const at = Extreme.inRow(largest, first, axis);
          if (values) store<u32>(values + (i << 2), load<u32>(first + (at << 2)));
          store<i64>(indices + (i << 3), <i64>at);
          continue;
        }
        if (together >= 4) {
          const to = values ? values + (i << 2) : 0;
          Extreme.inColumns(largest, first, to, indices + (i << 3), axis, inner << 2, together >> 2);
          i += (together & ~3) - 1;
          continue;
        }
      }
      let p = x + (i / inner) * axis * pitch + (i % inner) * sizeof<T>();
      let best = load<T>(p);
      let at: usize = 0;
      for (let j: usize = 1; j < axis; j++) {
        p += pitch;
        const v = load<T>(p);
        if (isFloat<T>() && isNaN<T>(best)) break;
        const better = largest ? v > best : v < best;
        if (better || (isFloat<T>() && isNaN<T>(v))) {
          best = v;
          at = j;
        }
      }
      if (values) store<T>(values + i * sizeof<T>(), best);
      store<i64>(indices + (i << 3), <i64>at);
    }
  }
}

export function argmax_f32(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Extreme.run<f32>(true, x, values, indices, axis, inner, begin, end);
}

export function argmin_f32(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Extreme.run<f32>(false, x, values, indices, axis, inner, begin, end);
}

export function argmax_f64(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Extreme.run<f64>(true, x, values, indices, axis, inner, begin, end);
}

export function argmin_f64(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Extreme.run<f64>(false, x, values, indices, axis, inner, begin, end);
}

export function argmax_i64(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Extreme.run<i64>(true, x, values, indices, axis, inner, begin, end);
}

export function argmin_i64(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Extreme.run<i64>(false, x, values, indices, axis, inner, begin, end);
}

export function argmax_i32(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Extreme.run<i32>(true, x, values, indices, axis, inner, begin, end);
}

export function argmin_i32(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Extreme.run<i32>(false, x, values, indices, axis, inner, begin, end);
}

export function argmax_u8(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Extreme.run<u8>(true, x, values, indices, axis, inner, begin, end);
}

export function argmin_u8(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Extreme.run<u8>(false, x, values, indices, axis, inner, begin, end);
}
