// The first largest or smallest element along the axis of a contiguous [outer, axis, inner], and where it is. NaN
// counts as the extreme. [begin, end) counts results; `values` may be 0 where only positions are wanted.

abstract class Extreme {
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
