// Writing at places that an int64 tensor names. As in indexing.ts indices along a dimension may count from its end, flat
// positions may not, and arrays are contiguous and seen as [outer, axis, inner]. Elements are moved by their width; only
// sums look at them.
import { Index } from './indexing';

abstract class Scatter {
  // @ts-ignore: decorator
  @inline
  static put<T extends number>(to: usize, value: T, accumulate: bool): void {
    store<T>(to, accumulate ? ((load<T>(to) + value) as T) : value);
  }

  /** out[positions[i]] = or += source[i], in order: one slice only. */
  // @ts-ignore: decorator
  @inline
  static scatterFlat<T extends number>(
    accumulate: bool,
    out: usize,
    positions: usize,
    source: usize,
    begin: usize,
    end: usize,
  ): void {
    for (let i = begin; i < end; i++) {
      const at = <usize>load<i64>(positions + (i << 3));
      Scatter.put<T>(out + at * sizeof<T>(), load<T>(source + i * sizeof<T>()), accumulate);
    }
  }

  /** row[index[i]] = or += source[i], in order. */
  // @ts-ignore: decorator
  @inline
  static place<T extends number>(
    accumulate: bool,
    row: usize,
    index: usize,
    source: usize,
    axis: usize,
    n: usize,
  ): void {
    for (const stop = source + n * sizeof<T>(); source < stop; source += sizeof<T>()) {
      Scatter.put<T>(row + Index.at(index, 0, axis) * sizeof<T>(), load<T>(source), accumulate);
      index += 8;
    }
  }

  /** out[o, index[o, k, i], i] = or += source[o, k, i], in order; [begin, end) counts o. */
  // @ts-ignore: decorator
  @inline
  static scatter<T extends number>(
    accumulate: bool,
    out: usize,
    index: usize,
    source: usize,
    axis: usize,
    picks: usize,
    inner: usize,
    begin: usize,
    end: usize,
  ): void {
    let i = begin * picks * inner;
    for (let o = begin; o < end; o++) {
      const row = out + o * axis * inner * sizeof<T>();
      const stop = i + picks * inner;
      if (inner == 1) {
        Scatter.place<T>(accumulate, row, index + (i << 3), source + i * sizeof<T>(), axis, picks);
        i = stop;
        continue;
      }
      for (let column: usize = 0; i < stop; i++) {
        const at = Index.at(index, i, axis) * inner + column;
        Scatter.put<T>(row + at * sizeof<T>(), load<T>(source + i * sizeof<T>()), accumulate);
        if (++column == inner) column = 0;
      }
    }
  }

  /**
   * out[o, index[k], i] += source[o, k, i] in order of k; [begin, end) counts o and i together, so that each sum has one
   * thread.
   */
  // @ts-ignore: decorator
  @inline
  static addRows<T extends number>(
    out: usize,
    index: usize,
    source: usize,
    axis: usize,
    picks: usize,
    inner: usize,
    begin: usize,
    end: usize,
  ): void {
    const pitch = inner * sizeof<T>();
    while (begin < end) {
      const column = begin % inner;
      const o = begin / inner;
      const n = min(inner - column, end - begin);
      const row = out + (o * axis * inner + column) * sizeof<T>();
      let from = source + (o * picks * inner + column) * sizeof<T>();
      if (inner == 1) Scatter.place<T>(true, row, index, from, axis, picks);
      else {
        for (let k: usize = 0; k < picks; k++) {
          Scatter.addRow<T>(row + Index.at(index, k, axis) * pitch, from, n);
          from += pitch;
        }
      }
      begin += n;
    }
  }

  /** to[i] += from[i]. */
  // @ts-ignore: decorator
  @inline
  static addRow<T extends number>(to: usize, from: usize, n: usize): void {
    const stop = to + n * sizeof<T>();
    if (sizeof<T>() == 4 && isFloat<T>()) {
      for (; to + 16 <= stop; to += 16) {
        v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
        from += 16;
      }
    }
    for (; to < stop; to += sizeof<T>()) {
      store<T>(to, (load<T>(to) + load<T>(from)) as T);
      from += sizeof<T>();
    }
  }
}

export function put_u8(out: usize, positions: usize, source: usize, begin: usize, end: usize): void {
  Scatter.scatterFlat<u8>(false, out, positions, source, begin, end);
}

export function put_u32(out: usize, positions: usize, source: usize, begin: usize, end: usize): void {
  Scatter.scatterFlat<u32>(false, out, positions, source, begin, end);
}

export function put_u64(out: usize, positions: usize, source: usize, begin: usize, end: usize): void {
  Scatter.scatterFlat<u64>(false, out, positions, source, begin, end);
}

export function put_add_f32(out: usize, positions: usize, source: usize, begin: usize, end: usize): void {
  Scatter.scatterFlat<f32>(true, out, positions, source, begin, end);
}

export function put_add_f64(out: usize, positions: usize, source: usize, begin: usize, end: usize): void {
  Scatter.scatterFlat<f64>(true, out, positions, source, begin, end);
}

export function put_add_i64(out: usize, positions: usize, source: usize, begin: usize, end: usize): void {
  Scatter.scatterFlat<i64>(true, out, positions, source, begin, end);
}

export function put_add_i32(out: usize, positions: usize, source: usize, begin: usize, end: usize): void {
  Scatter.scatterFlat<i32>(true, out, positions, source, begin, end);
}

export function scatter_u8(
  out: usize,
  index: usize,
  source: usize,
  axis: usize,
  picks: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Scatter.scatter<u8>(false, out, index, source, axis, picks, inner, begin, end);
}

export function scatter_u32(
  out: usize,
  index: usize,
  source: usize,
  axis: usize,
  picks: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Scatter.scatter<u32>(false, out, index, source, axis, picks, inner, begin, end);
}

export function scatter_u64(
  out: usize,
  index: usize,
  source: usize,
  axis: usize,
  picks: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Scatter.scatter<u64>(false, out, index, source, axis, picks, inner, begin, end);
}

export function scatter_add_f32(
  out: usize,
  index: usize,
  source: usize,
  axis: usize,
  picks: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Scatter.scatter<f32>(true, out, index, source, axis, picks, inner, begin, end);
}

export function scatter_add_f64(
  out: usize,
  index: usize,
  source: usize,
  axis: usize,
  picks: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Scatter.scatter<f64>(true, out, index, source, axis, picks, inner, begin, end);
}

export function scatter_add_i64(
  out: usize,
  index: usize,
  source: usize,
  axis: usize,
  picks: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Scatter.scatter<i64>(true, out, index, source, axis, picks, inner, begin, end);
}

/**
 * out[o, index[o, k, i], i] = the larger, or least, of itself and source[o, k, i], NaN before all; [begin, end) counts o
 * and i together. The index has steps of its own, in elements, so that one that repeats need not be written out.
 */
export function scatter_extreme_f32(
  least: i32,
  out: usize,
  index: usize,
  outerStep: usize,
  pickStep: usize,
  innerStep: usize,
  source: usize,
  axis: usize,
  picks: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  while (begin < end) {
    const column = begin % inner;
    const o = begin / inner;
    const n = min(inner - column, end - begin);
    const row = out + ((o * axis * inner + column) << 2);
    let from = source + ((o * picks * inner + column) << 2);
    for (let k: usize = 0; k < picks; k++) {
      const pick = index + ((o * outerStep + k * pickStep + column * innerStep) << 3);
      let i: usize = 0;
      if (innerStep == 0) {
        const to = row + ((Index.at(pick, 0, axis) * inner) << 2);
        for (; i + 4 <= n; i += 4) {
          const value = v128.load(from + (i << 2));
          const old = v128.load(to + (i << 2));
          const wins = least ? f32x4.lt(value, old) : f32x4.gt(value, old);
          v128.store(to + (i << 2), v128.bitselect(value, old, v128.or(wins, f32x4.ne(value, value))));
        }
      }
      for (; i < n; i++) {
        const to = row + ((Index.at(pick + ((i * innerStep) << 3), 0, axis) * inner + i) << 2);
        const value = load<f32>(from + (i << 2));
        const old = load<f32>(to);
        const wins = i32(least ? value < old : value > old) | i32(isNaN<f32>(value));
        store<f32>(to, select<f32>(value, old, wins != 0));
      }
      from += inner << 2;
    }
    begin += n;
  }
}

export function index_add_f32(
  out: usize,
  index: usize,
  source: usize,
  axis: usize,
  picks: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Scatter.addRows<f32>(out, index, source, axis, picks, inner, begin, end);
}

export function index_add_f64(
  out: usize,
  index: usize,
  source: usize,
  axis: usize,
  picks: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Scatter.addRows<f64>(out, index, source, axis, picks, inner, begin, end);
}

export function index_add_i64(
  out: usize,
  index: usize,
  source: usize,
  axis: usize,
  picks: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Scatter.addRows<i64>(out, index, source, axis, picks, inner, begin, end);
}
