// Reading at places that an int64 tensor names (writing there: scatter.ts). Indices along a dimension are in [-size, size) and count
// from the end if negative; flat positions are never negative. Arrays are contiguous and seen as [outer, axis, inner].
// Elements are moved by their width.
import { Ahead } from './ahead';
import { V } from './lanes';

export abstract class Index {
  // @ts-ignore: decorator
  @inline
  static at(index: usize, i: usize, size: usize): usize {
    const pick = load<i64>(index + (i << 3));
    return <usize>(pick < 0 ? pick + <i64>size : pick);
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
