// Reading and writing at places that an int64 tensor names. Indices along a dimension are in [-size, size) and count
// from the end if negative; flat positions are never negative. Arrays are contiguous and seen as [outer, axis, inner].
// Elements are moved by their width; only sums look at them.
import { Ahead } from './ahead';
import { V } from './lanes';

abstract class Index {
  // @ts-ignore: decorator
  @inline
  static at(index: usize, i: usize, size: usize): usize {
    const pick = load<i64>(index + (i << 3));
    return <usize>(pick < 0 ? pick + <i64>size : pick);
  }

  // @ts-ignore: decorator
  @inline
  static put<T extends number>(to: usize, value: T, accumulate: bool): void {
    store<T>(to, accumulate ? ((load<T>(to) + value) as T) : value);
  }

  /** out[i] = x[positions[i]]. */
  // @ts-ignore: decorator
  @inline
  static take<T extends number>(x: usize, positions: usize, out: usize, begin: usize, end: usize): void {
    for (let i = begin; i < end; i++) {
      const at = <usize>load<i64>(positions + (i << 3));
      store<T>(out + i * sizeof<T>(), load<T>(x + at * sizeof<T>()));
    }
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
      Index.put<T>(out + at * sizeof<T>(), load<T>(source + i * sizeof<T>()), accumulate);
    }
  }

  /** out[o, k, i] = x[o, index[o, k, i], i]; [begin, end) counts elements of the index, `picks` per o and i. */
  // @ts-ignore: decorator
  @inline
  static gather<T extends number>(
    x: usize,
    index: usize,
    out: usize,
    axis: usize,
    picks: usize,
    inner: usize,
    begin: usize,
    end: usize,
  ): void {
    const group = picks * inner;
    let row = x + (begin / group) * axis * inner * sizeof<T>();
    let place = begin % group;
    for (let i = begin; i < end; ) {
      const n = min(group - place, end - i);
      const to = out + i * sizeof<T>();
      if (inner == 1) Index.pick<T>(row, index + (i << 3), to, axis, n);
      else Index.pickColumns<T>(row, index + (i << 3), to, axis, inner, place % inner, n);
      i += n;
      place = 0;
      row += axis * inner * sizeof<T>();
    }
  }

  /** out[i] = row[index[i]]. */
  // @ts-ignore: decorator
  @inline
  static pick<T extends number>(row: usize, index: usize, out: usize, axis: usize, n: usize): void {
    for (const stop = out + n * sizeof<T>(); out < stop; out += sizeof<T>()) {
      store<T>(out, load<T>(row + Index.at(index, 0, axis) * sizeof<T>()));
      index += 8;
    }
  }

  /** The same of the columns of a matrix in turn, from `column` on. */
  // @ts-ignore: decorator
  @inline
  static pickColumns<T extends number>(
    x: usize,
    index: usize,
    out: usize,
    axis: usize,
    inner: usize,
    column: usize,
    n: usize,
  ): void {
    for (let i: usize = 0; i < n; i++) {
      const at = Index.at(index, i, axis) * inner + column;
      store<T>(out + i * sizeof<T>(), load<T>(x + at * sizeof<T>()));
      if (++column == inner) column = 0;
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
      Index.put<T>(row + Index.at(index, 0, axis) * sizeof<T>(), load<T>(source), accumulate);
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
        Index.place<T>(accumulate, row, index + (i << 3), source + i * sizeof<T>(), axis, picks);
        i = stop;
        continue;
      }
      for (let column: usize = 0; i < stop; i++) {
        const at = Index.at(index, i, axis) * inner + column;
        Index.put<T>(row + at * sizeof<T>(), load<T>(source + i * sizeof<T>()), accumulate);
        if (++column == inner) column = 0;
      }
    }
  }

  /** out[o, k] = x[o, index[k]], one element each. */
  // @ts-ignore: decorator
  @inline
  static select<T extends number>(
    x: usize,
    index: usize,
    out: usize,
    axis: usize,
    picks: usize,
    begin: usize,
    end: usize,
  ): void {
    let row = x + (begin / picks) * axis * sizeof<T>();
    let k = begin % picks;
    for (let i = begin; i < end; ) {
      const n = min(picks - k, end - i);
      Index.pick<T>(row, index + (k << 3), out + i * sizeof<T>(), axis, n);
      i += n;
      k = 0;
      row += axis * sizeof<T>();
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
      if (inner == 1) Index.place<T>(true, row, index, from, axis, picks);
      else {
        for (let k: usize = 0; k < picks; k++) {
          Index.addRow<T>(row + Index.at(index, k, axis) * pitch, from, n);
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

/** The first position whose value is outside [low, high) and is not `except`; -1 if there is none. */
export function find_outside_i64(index: usize, n: usize, low: f64, high: f64, except: f64): f64 {
  const least = <i64>low;
  const limit = <i64>high;
  const below = i64x2.splat(least);
  const above = i64x2.splat(limit - 1);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) {
    const a = v128.load(index + (i << 3));
    const b = v128.load(index + (i << 3), 16);
    const outside = v128.or(
      v128.or(i64x2.lt_s(a, below), i64x2.gt_s(a, above)),
      v128.or(i64x2.lt_s(b, below), i64x2.gt_s(b, above)),
    );
    if (v128.any_true(outside)) break;
  }
  for (; i < n; i++) {
    const v = load<i64>(index + (i << 3));
    if ((v < least || v >= limit) && <f64>v != except) return <f64>i;
  }
  return -1;
}

/** Rows of `bytes` bytes: out[o, k] = x[o, index[k]]; [begin, end) counts o and k together. */
export function select_rows(
  x: usize,
  index: usize,
  out: usize,
  axis: usize,
  picks: usize,
  bytes: usize,
  begin: usize,
  end: usize,
): void {
  if (bytes == 4) Index.select<u32>(x, index, out, axis, picks, begin, end);
  else if (bytes == 8) Index.select<u64>(x, index, out, axis, picks, begin, end);
  else {
    let from = x + (begin / picks) * axis * bytes;
    let k = begin % picks;
    let seen = axis * bytes > Ahead.LEAST_TABLE ? begin : end;
    for (let i = begin; i < end; i++) {
      if (i >= seen) {
        const more = min(Ahead.ROWS, min(end - i, picks - k));
        seen = i + more;
        for (let j: usize = 0; j < more; j++)
          Ahead.ask(from + Index.at(index, k + j, axis) * bytes, min(bytes, Ahead.BYTES));
      }
      V.copy(out + i * bytes, from + Index.at(index, k, axis) * bytes, bytes);
      if (++k < picks) continue;
      k = 0;
      from += axis * bytes;
    }
  }
}

/** How many of n bytes are not zero. */
export function count_nonzero_u8(x: usize, n: usize): f64 {
  let count: usize = 0;
  for (let i: usize = 0; i < n; i++) count += load<u8>(x + i) ? 1 : 0;
  return <f64>count;
}

/** The positions of the bytes that are not zero. */
export function nonzero_u8(x: usize, out: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) {
    if (!load<u8>(x + i)) continue;
    store<i64>(out, <i64>i);
    out += 8;
  }
}

export function take_u8(x: usize, positions: usize, out: usize, begin: usize, end: usize): void {
  Index.take<u8>(x, positions, out, begin, end);
}

export function take_u32(x: usize, positions: usize, out: usize, begin: usize, end: usize): void {
  Index.take<u32>(x, positions, out, begin, end);
}

export function take_u64(x: usize, positions: usize, out: usize, begin: usize, end: usize): void {
  Index.take<u64>(x, positions, out, begin, end);
}

export function put_u8(out: usize, positions: usize, source: usize, begin: usize, end: usize): void {
  Index.scatterFlat<u8>(false, out, positions, source, begin, end);
}

export function put_u32(out: usize, positions: usize, source: usize, begin: usize, end: usize): void {
  Index.scatterFlat<u32>(false, out, positions, source, begin, end);
}

export function put_u64(out: usize, positions: usize, source: usize, begin: usize, end: usize): void {
  Index.scatterFlat<u64>(false, out, positions, source, begin, end);
}

export function put_add_f32(out: usize, positions: usize, source: usize, begin: usize, end: usize): void {
  Index.scatterFlat<f32>(true, out, positions, source, begin, end);
}

export function put_add_f64(out: usize, positions: usize, source: usize, begin: usize, end: usize): void {
  Index.scatterFlat<f64>(true, out, positions, source, begin, end);
}

export function put_add_i64(out: usize, positions: usize, source: usize, begin: usize, end: usize): void {
  Index.scatterFlat<i64>(true, out, positions, source, begin, end);
}

export function put_add_i32(out: usize, positions: usize, source: usize, begin: usize, end: usize): void {
  Index.scatterFlat<i32>(true, out, positions, source, begin, end);
}

export function gather_u8(
  x: usize,
  index: usize,
  out: usize,
  axis: usize,
  picks: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Index.gather<u8>(x, index, out, axis, picks, inner, begin, end);
}

export function gather_u32(
  x: usize,
  index: usize,
  out: usize,
  axis: usize,
  picks: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Index.gather<u32>(x, index, out, axis, picks, inner, begin, end);
}

export function gather_u64(
  x: usize,
  index: usize,
  out: usize,
  axis: usize,
  picks: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Index.gather<u64>(x, index, out, axis, picks, inner, begin, end);
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
  Index.scatter<u8>(false, out, index, source, axis, picks, inner, begin, end);
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
  Index.scatter<u32>(false, out, index, source, axis, picks, inner, begin, end);
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
  Index.scatter<u64>(false, out, index, source, axis, picks, inner, begin, end);
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
  Index.scatter<f32>(true, out, index, source, axis, picks, inner, begin, end);
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
  Index.scatter<f64>(true, out, index, source, axis, picks, inner, begin, end);
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
  Index.scatter<i64>(true, out, index, source, axis, picks, inner, begin, end);
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
  Index.addRows<f32>(out, index, source, axis, picks, inner, begin, end);
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
  Index.addRows<f64>(out, index, source, axis, picks, inner, begin, end);
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
  Index.addRows<i64>(out, index, source, axis, picks, inner, begin, end);
}
