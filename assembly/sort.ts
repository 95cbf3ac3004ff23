// Stable sorting of rows of n elements with their positions. Rows are sorted by keys: unsigned integers in the order
// of the elements, digit by digit from the lowest on (radix sort: a counting pass, then one pass per byte that is not
// the same in all keys), short ones by insertion. Of a part of the order only what belongs to it is sorted. [begin, end)
// counts rows.

import { V } from './lanes';

/** Up to here insertion is faster. */
const SHORT_ROW: usize = 24;
const DIGITS: usize = 256;

/** Bytes of scratch memory for each slice: two lists of keys and positions, and the counts of up to eight digits. */
export function sort_scratch(n: i32, bytes: i32): i32 {
  const key = bytes == 8 ? 8 : 4;
  return 2 * n * (key + 4) + key * <i32>DIGITS * 4;
}

abstract class Sort {
  /** The key of an element: floats in the order of numbers, both zeros alike, NaN above all. */
  // @ts-ignore: decorator
  @inline
  static key<T extends number, K extends number>(x: T): K {
    if (isFloat<T>()) {
      if (sizeof<T>() == 4) {
        if (isNaN<T>(x)) return <K>(<u32>0xffffffff);
        const bits = x == 0 ? 0 : reinterpret<u32>(<f32>x);
        return <K>(bits ^ (<u32>(<i32>bits >> 31) | 0x80000000));
      }
      if (isNaN<T>(x)) return <K>(<u64>-1);
      const bits = x == 0 ? 0 : reinterpret<u64>(<f64>x);
      return <K>(bits ^ (<u64>(<i64>bits >> 63) | 0x8000000000000000));
    }
    if (sizeof<K>() == 8) return <K>(<u64>x ^ 0x8000000000000000);
    return isSigned<T>() ? <K>(<u32>x ^ 0x80000000) : V.cast<T, K>(x);
  }

  static insertion<K extends number>(keys: usize, order: usize, n: usize): void {
    for (let i: usize = 1; i < n; i++) {
      const key = load<K>(keys + i * sizeof<K>());
      const at = load<u32>(order + (i << 2));
      let j = i;
      for (; j > 0 && load<K>(keys + (j - 1) * sizeof<K>()) > key; j--) {
        store<K>(keys + j * sizeof<K>(), load<K>(keys + (j - 1) * sizeof<K>()));
        store<u32>(order + (j << 2), load<u32>(order + ((j - 1) << 2)));
      }
      store<K>(keys + j * sizeof<K>(), key);
      store<u32>(order + (j << 2), at);
    }
  }

  /** Moves n keys and positions to where their digit has them; `counts` becomes the next place of each digit. */
  static pass<K extends number>(
    keys: usize,
    order: usize,
    toKeys: usize,
    toOrder: usize,
    counts: usize,
    shift: i32,
    n: usize,
  ): void {
    let sum: u32 = 0;
    for (let p = counts; p < counts + DIGITS * 4; p += 4) {
      const count = load<u32>(p);
      store<u32>(p, sum);
      sum += count;
    }
    for (let i: usize = 0; i < n; i++) {
      const key = load<K>(keys + i * sizeof<K>());
      const p = counts + ((<usize>(key >> <K>shift) & (DIGITS - 1)) << 2);
      const place = <usize>load<u32>(p);
      store<u32>(p, <u32>place + 1);
      store<K>(toKeys + place * sizeof<K>(), key);
      store<u32>(toOrder + (place << 2), load<u32>(order + (i << 2)));
    }
  }

  /** Sorts n keys and positions with room for as many; returns the address of the positions in order. */
  static row<K extends number>(
    keys: usize,
    toKeys: usize,
    order: usize,
    toOrder: usize,
    counts: usize,
    n: usize,
  ): usize {
    if (n <= SHORT_ROW) {
      Sort.insertion<K>(keys, order, n);
      return order;
    }
    memory.fill(counts, 0, sizeof<K>() * DIGITS * 4);
    for (let i: usize = 0; i < n; i++) {
      const key = load<K>(keys + i * sizeof<K>());
      for (let digit: usize = 0; digit < sizeof<K>(); digit++) {
        const p = counts + ((digit * DIGITS + (<usize>(key >> <K>(digit << 3)) & (DIGITS - 1))) << 2);
        store<u32>(p, load<u32>(p) + 1);
      }
    }
    for (let digit: usize = 0; digit < sizeof<K>(); digit++) {
      const own = counts + digit * DIGITS * 4;
      const first = <usize>(load<K>(keys) >> <K>(digit << 3)) & (DIGITS - 1);
      if (<usize>load<u32>(own + (first << 2)) == n) continue;
      Sort.pass<K>(keys, order, toKeys, toOrder, own, <i32>(digit << 3), n);
      const k = keys;
      keys = toKeys;
      toKeys = k;
      const o = order;
      order = toOrder;
      toOrder = o;
    }
    return order;
  }

  /**
   * What is in places `from` to `to` of the order of n keys; returns the address of its positions in order. Digit by digit
   * from the highest on, what has a smaller one than the last place is kept, or dropped if it comes before the first, what has a
   * larger one dropped, until all that is left is equal.
   */
  static part<K extends number>(
    keys: usize,
    toKeys: usize,
    left: usize,
    kept: usize,
    counts: usize,
    n: usize,
    from: usize,
    to: usize,
  ): usize {
    let found: usize = 0;
    for (let shift = <i32>(sizeof<K>() << 3) - 8; shift >= 0 && found + n > to; shift -= 8) {
      memory.fill(counts, 0, DIGITS * 4);
      for (let i: usize = 0; i < n; i++) {
        const p = counts + (Sort.digit<K>(keys, load<u32>(left + (i << 2)), shift) << 2);
        store<u32>(p, load<u32>(p) + 1);
      }
      let last: usize = 0;
      let below: usize = 0;
      for (let next: usize = 0; ; last++, below = next) {
        next = below + load<u32>(counts + (last << 2));
        if (found + next >= to) break;
      }
      const keeps = found > 0 || from < below;
      if (!keeps) {
        from -= below;
        to -= below;
      }
      let same: usize = 0;
      for (let i: usize = 0; i < n; i++) {
        const at = load<u32>(left + (i << 2));
        const digit = Sort.digit<K>(keys, at, shift);
        if (digit == last) store<u32>(left + (same++ << 2), at);
        else if (keeps && digit < last) store<u32>(kept + (found++ << 2), at);
      }
      n = same;
    }
    memory.copy(kept + (found << 2), left, (to - found) << 2);
    for (let i: usize = 0; i < to; i++)
      store<K>(toKeys + i * sizeof<K>(), load<K>(keys + <usize>load<u32>(kept + (i << 2)) * sizeof<K>()));
    return Sort.row<K>(toKeys, keys, kept, left, counts, to) + (from << 2);
  }

  // @ts-ignore: decorator
  @inline
  static digit<K extends number>(keys: usize, at: u32, shift: i32): usize {
    return <usize>(load<K>(keys + <usize>at * sizeof<K>()) >> <K>shift) & (DIGITS - 1);
  }

  // @ts-ignore: decorator
  @inline
  static run<T extends number, K extends number>(
    x: usize,
    values: usize,
    indices: usize,
    n: usize,
    descending: i32,
    first: usize,
    last: usize,
    scratch: usize,
    begin: usize,
    end: usize,
  ): void {
    const count = last - first;
    const spare = scratch + n * sizeof<K>();
    const order = spare + n * sizeof<K>();
    const toOrder = order + (n << 2);
    const counts = toOrder + (n << 2);
    for (let row = begin; row < end; row++) {
      const from = x + row * n * sizeof<T>();
      for (let i: usize = 0; i < n; i++) {
        const key = Sort.key<T, K>(load<T>(from + i * sizeof<T>()));
        store<K>(scratch + i * sizeof<K>(), descending ? <K>~key : key);
        store<u32>(order + (i << 2), <u32>i);
      }
      const sorted =
        count == n
          ? Sort.row<K>(scratch, spare, order, toOrder, counts, n)
          : Sort.part<K>(scratch, spare, order, toOrder, counts, n, first, last);
      let p = values + row * count * sizeof<T>();
      let q = indices + ((row * count) << 3);
      for (let i: usize = 0; i < count; i++, p += sizeof<T>(), q += 8) {
        const at = <usize>load<u32>(sorted + (i << 2));
        store<T>(p, load<T>(from + at * sizeof<T>()));
        store<i64>(q, <i64>at);
      }
    }
  }
}

/**
 * `values` and `indices` (int64) are [rows, last − first], of x [rows, n] what is in those places of the order; largest first
 * if `descending`.
 */
export function sort_f32(
  x: usize,
  values: usize,
  indices: usize,
  n: usize,
  descending: i32,
  first: usize,
  last: usize,
  scratch: usize,
  begin: usize,
  end: usize,
): void {
  Sort.run<f32, u32>(x, values, indices, n, descending, first, last, scratch, begin, end);
}

export function sort_f64(
  x: usize,
  values: usize,
  indices: usize,
  n: usize,
  descending: i32,
  first: usize,
  last: usize,
  scratch: usize,
  begin: usize,
  end: usize,
): void {
  Sort.run<f64, u64>(x, values, indices, n, descending, first, last, scratch, begin, end);
}

export function sort_i64(
  x: usize,
  values: usize,
  indices: usize,
  n: usize,
  descending: i32,
  first: usize,
  last: usize,
  scratch: usize,
  begin: usize,
  end: usize,
): void {
  Sort.run<i64, u64>(x, values, indices, n, descending, first, last, scratch, begin, end);
}

export function sort_i32(
  x: usize,
  values: usize,
  indices: usize,
  n: usize,
  descending: i32,
  first: usize,
  last: usize,
  scratch: usize,
  begin: usize,
  end: usize,
): void {
  Sort.run<i32, u32>(x, values, indices, n, descending, first, last, scratch, begin, end);
}

export function sort_u8(
  x: usize,
  values: usize,
  indices: usize,
  n: usize,
  descending: i32,
  first: usize,
  last: usize,
  scratch: usize,
  begin: usize,
  end: usize,
): void {
  Sort.run<u8, u32>(x, values, indices, n, descending, first, last, scratch, begin, end);
}
