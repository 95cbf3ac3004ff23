// The first largest or smallest element along the axis of a contiguous [outer, axis, inner], and where it is. NaN
// counts as the extreme. [begin, end) counts results; `values` may be 0 where only positions are wanted.

import { V } from './lanes';

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

  /** Up to four neighbouring columns of floats. */
  static inColumns(
    largest: bool,
    x: usize,
    values: usize,
    indices: usize,
    axis: usize,
    pitch: usize,
    lanes: usize,
  ): void {
    let best = V.loadLanes(x, 1, lanes);
    let at = i32x4.splat(0);
    for (let j: usize = 1; j < axis; j++) {
      x += pitch;
      const v = V.loadLanes(x, 1, lanes);
      const further = largest ? f32x4.gt(v, best) : f32x4.lt(v, best);
      const better = v128.or(further, v128.andnot(Extreme.isNaN(v), Extreme.isNaN(best)));
      best = v128.bitselect(v, best, better);
      at = v128.bitselect(i32x4.splat(<i32>j), at, better);
    }
    if (values) V.storeLanes(values, best, lanes);
    v128.store64_lane(indices, i64x2.extend_low_i32x4_u(at), 0);
    if (lanes > 1) v128.store64_lane(indices + 8, i64x2.extend_low_i32x4_u(at), 1);
    if (lanes > 2) v128.store64_lane(indices + 16, i64x2.extend_high_i32x4_u(at), 0);
    if (lanes > 3) v128.store64_lane(indices + 24, i64x2.extend_high_i32x4_u(at), 1);
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
        if (inner == 1) {
          const at = Extreme.inRow(largest, first, axis);
          if (values) store<u32>(values + (i << 2), load<u32>(first + (at << 2)));
          store<i64>(indices + (i << 3), <i64>at);
        } else {
          const lanes = min<usize>(4, min(inner - (i % inner), end - i));
          const to = values ? values + (i << 2) : 0;
          Extreme.inColumns(largest, first, to, indices + (i << 3), axis, inner << 2, lanes);
          i += lanes - 1;
        }
        continue;
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
