// Sums of floats, as the folds of reduce.ts: 32 summands per lane in float, these partial sums in double, so that the
// error hardly grows with the length. A sum over blocks comes in double; `sum_finish_f32` adds the blocks and rounds.
import { STREAMS, V } from './lanes';

/** Vectors, or rows, that are added in float before the sum moves to double. */
const RUN: usize = 32;

abstract class Sum {
  /** Four summands of four floats. */
  // @ts-ignore: decorator
  @inline
  static terms(squares: bool, x: v128): v128 {
    return squares ? f32x4.mul(x, x) : x;
  }

  // @ts-ignore: decorator
  @inline
  static term(squares: bool, x: f32): f32 {
    return squares ? x * x : x;
  }

  /** Sum of n floats in a row. */
  static row(p: usize, n: usize): f64 {
    return Sum.rowOf(false, p, n);
  }

  static squaresOfRow(p: usize, n: usize): f64 {
    return Sum.rowOf(true, p, n);
  }

  // @ts-ignore: decorator
  @inline
  static rowOf(squares: bool, p: usize, n: usize): f64 {
    let sum = f64x2.splat(0);
    for (; n >= 16; ) {
      const steps = min(n >> 4, RUN);
      sum = f64x2.add(sum, Sum.leaf(squares, p, steps));
      p += steps << 6;
      n -= steps << 4;
    }
    let total = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
    for (; n > 0; n--) {
      total += <f64>Sum.term(squares, load<f32>(p));
      p += 4;
    }
    return total;
  }

  /** Sum of `steps` times sixteen floats, in two lanes. */
  // @ts-ignore: decorator
  @inline
  static leaf(squares: bool, p: usize, steps: usize): v128 {
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    for (; steps > 0; steps--) {
      a = f32x4.add(a, Sum.terms(squares, v128.load(p)));
      b = f32x4.add(b, Sum.terms(squares, v128.load(p, 16)));
      c = f32x4.add(c, Sum.terms(squares, v128.load(p, 32)));
      d = f32x4.add(d, Sum.terms(squares, v128.load(p, 48)));
      p += 64;
    }
    return f64x2.add(f64x2.add(Sum.pair(a), Sum.pair(b)), f64x2.add(Sum.pair(c), Sum.pair(d)));
  }

  /** Four floats as two sums in double. */
  // @ts-ignore: decorator
  @inline
  static pair(x: v128): v128 {
    return f64x2.add(V.widenLow(x), V.widenHigh(x));
  }

  /** Sums of sixteen neighbouring columns of n rows: a line of the cache per row. */
  // @ts-ignore: decorator
  @inline
  static wideColumns(p: usize, out: usize, n: usize, pitch: usize): void {
    const zero = f64x2.splat(0);
    let a0 = zero;
    let a1 = zero;
    let b0 = zero;
    let b1 = zero;
    let c0 = zero;
    let c1 = zero;
    let d0 = zero;
    let d1 = zero;
    while (n > 0) {
      let left = min(n, RUN);
      n -= left;
      let a = f32x4.splat(0);
      let b = f32x4.splat(0);
      let c = f32x4.splat(0);
      let d = f32x4.splat(0);
      for (; left > 0; left--) {
        a = f32x4.add(a, v128.load(p));
        b = f32x4.add(b, v128.load(p, 16));
        c = f32x4.add(c, v128.load(p, 32));
        d = f32x4.add(d, v128.load(p, 48));
        p += pitch;
      }
      a0 = f64x2.add(a0, V.widenLow(a));
      a1 = f64x2.add(a1, V.widenHigh(a));
      b0 = f64x2.add(b0, V.widenLow(b));
      b1 = f64x2.add(b1, V.widenHigh(b));
      c0 = f64x2.add(c0, V.widenLow(c));
      c1 = f64x2.add(c1, V.widenHigh(c));
      d0 = f64x2.add(d0, V.widenLow(d));
      d1 = f64x2.add(d1, V.widenHigh(d));
    }
    v128.store(out, V.narrow(a0, a1));
    v128.store(out, V.narrow(b0, b1), 16);
    v128.store(out, V.narrow(c0, c1), 32);
    v128.store(out, V.narrow(d0, d1), 48);
  }

  // @ts-ignore: decorator
  @inline
  static store<R extends number>(out: usize, low: v128, high: v128): void {
    if (sizeof<R>() == 4) v128.store(out, V.narrow(low, high));
    else {
      v128.store(out, low);
      v128.store(out, high, 16);
    }
  }

  /** Rows that are added in float: the order must not tell how many columns a slice has. */
  // @ts-ignore: decorator
  @inline
  static runOf<R extends number>(): usize {
    return sizeof<R>() == 8 ? STREAMS : RUN;
  }

  /** Sums of four neighbouring columns, in the same order. */
  // @ts-ignore: decorator
  @inline
  static columns<R extends number>(squares: bool, p: usize, out: usize, n: usize, pitch: usize): void {
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    while (n > 0) {
      let left = min(n, Sum.runOf<R>());
      n -= left;
      let a = f32x4.splat(0);
      for (; left > 0; left--) {
        a = f32x4.add(a, Sum.terms(squares, v128.load(p)));
        p += pitch;
      }
      low = f64x2.add(low, V.widenLow(a));
      high = f64x2.add(high, V.widenHigh(a));
    }
    Sum.store<R>(out, low, high);
  }

  /** The sum of one column, in the same order. */
  // @ts-ignore: decorator
  @inline
  static column<R extends number>(squares: bool, p: usize, n: usize, pitch: usize): f64 {
    let sum: f64 = 0;
    while (n > 0) {
      let left = min(n, Sum.runOf<R>());
      n -= left;
      let a: f32 = 0;
      for (; left > 0; left--) {
        a += Sum.term(squares, load<f32>(p));
        p += pitch;
      }
      sum += <f64>a;
    }
    return sum;
  }

  /** Sums of 16·groups neighbouring columns of n rows, in double: a few rows from end to end, then the next few. */
  static streamedColumns(p: usize, out: usize, n: usize, pitch: usize, groups: usize): void {
    Sum.streamsOf(false, p, out, n, pitch, groups);
  }

  static squaresOfColumns(p: usize, out: usize, n: usize, pitch: usize, groups: usize): void {
    Sum.streamsOf(true, p, out, n, pitch, groups);
  }

  // @ts-ignore: decorator
  @inline
  static streamsOf(squares: bool, p: usize, out: usize, n: usize, pitch: usize, groups: usize): void {
    memory.fill(out, 0, groups << 7);
    while (n > 0) {
      const rows = min(n, STREAMS);
      n -= rows;
      for (let group: usize = 0; group < groups; group++) {
        let q = p + (group << 6);
        let a = f32x4.splat(0);
        let b = f32x4.splat(0);
        let c = f32x4.splat(0);
        let d = f32x4.splat(0);
        for (let left = rows; left > 0; left--) {
          a = f32x4.add(a, Sum.terms(squares, v128.load(q)));
          b = f32x4.add(b, Sum.terms(squares, v128.load(q, 16)));
          c = f32x4.add(c, Sum.terms(squares, v128.load(q, 32)));
          d = f32x4.add(d, Sum.terms(squares, v128.load(q, 48)));
          q += pitch;
        }
        const to = out + (group << 7);
        Sum.collect(to, a);
        Sum.collect(to + 32, b);
        Sum.collect(to + 64, c);
        Sum.collect(to + 96, d);
      }
      p += rows * pitch;
    }
  }

  /** Adds four floats to four doubles. */
  // @ts-ignore: decorator
  @inline
  static collect(to: usize, x: v128): void {
    v128.store(to, f64x2.add(v128.load(to), V.widenLow(x)));
    v128.store(to, f64x2.add(v128.load(to, 16), V.widenHigh(x)), 16);
  }

  // @ts-ignore: decorator
  @inline
  static run<R extends number>(
    squares: bool,
    x: usize,
    out: usize,
    axis: usize,
    inner: usize,
    block: usize,
    begin: usize,
    end: usize,
  ): void {
    const blocks = (axis + block - 1) / block;
    const pitch = inner << 2;
    for (let i = begin; i < end; ) {
      const group = i / inner;
      const first = (group % blocks) * block;
      const n = min(block, axis - first);
      const p = x + ((group / blocks) * axis + first) * pitch + ((i % inner) << 2);
      const to = out + i * sizeof<R>();
      const together = min(inner - (i % inner), end - i);
      if (together >= 16) {
        if (sizeof<R>() == 8) {
          if (!squares) Sum.streamedColumns(p, to, n, pitch, together >> 4);
          else Sum.squaresOfColumns(p, to, n, pitch, together >> 4);
          i += together & ~15;
        } else {
          Sum.wideColumns(p, to, n, pitch);
          i += 16;
        }
      } else if (together >= 4) {
        Sum.columns<R>(squares, p, to, n, pitch);
        i += 4;
      } else {
        const sum =
          inner > 1 ? Sum.column<R>(squares, p, n, pitch) : squares ? Sum.squaresOfRow(p, n) : Sum.row(p, n);
        store<R>(to, <R>sum);
        i++;
      }
    }
  }
}

export function sum_f32(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Sum.run<f32>(false, x, out, axis, inner, block, begin, end);
}

/** Sums of blocks in double, for `sum_finish_f32`. */
export function sum_blocks_f32(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Sum.run<f64>(false, x, out, axis, inner, block, begin, end);
}

/** `sum_blocks_f32` of the squares. */
export function square_sum_f32(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Sum.run<f64>(true, x, out, axis, inner, block, begin, end);
}
