// Sums of floats, as the folds of reduce.ts: 32 summands per lane in float, these partial sums in double, so that the
// error hardly grows with the length. A sum over blocks comes in double; `sum_finish_f32` adds the blocks and rounds.
import { V } from './lanes';

/** Vectors, or rows, that are added in float before the sum moves to double. */
const RUN: usize = 32;

abstract class Sum {
  /** Sum of n floats in a row. */
  static row(p: usize, n: usize): f64 {
    let sum = f64x2.splat(0);
    for (; n >= 16; ) {
      const steps = min(n >> 4, RUN);
      sum = f64x2.add(sum, Sum.leaf(p, steps));
      p += steps << 6;
      n -= steps << 4;
    }
    let total = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
    for (; n > 0; n--) {
      total += <f64>load<f32>(p);
      p += 4;
    }
    return total;
  }

  /** Sum of `steps` times sixteen floats, in two lanes. */
  // @ts-ignore: decorator
  @inline
  static leaf(p: usize, steps: usize): v128 {
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    for (; steps > 0; steps--) {
      a = f32x4.add(a, v128.load(p));
      b = f32x4.add(b, v128.load(p, 16));
      c = f32x4.add(c, v128.load(p, 32));
      d = f32x4.add(d, v128.load(p, 48));
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
  static wideColumns<R extends number>(p: usize, out: usize, n: usize, pitch: usize): void {
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
    Sum.store<R>(out, a0, a1);
    Sum.store<R>(out + 4 * sizeof<R>(), b0, b1);
    Sum.store<R>(out + 8 * sizeof<R>(), c0, c1);
    Sum.store<R>(out + 12 * sizeof<R>(), d0, d1);
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

  /** Sums of four neighbouring columns, in the same order. */
  // @ts-ignore: decorator
  @inline
  static columns<R extends number>(p: usize, out: usize, n: usize, pitch: usize): void {
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    while (n > 0) {
      let left = min(n, RUN);
      n -= left;
      let a = f32x4.splat(0);
      for (; left > 0; left--) {
        a = f32x4.add(a, v128.load(p));
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
  static column(p: usize, n: usize, pitch: usize): f64 {
    let sum: f64 = 0;
    while (n > 0) {
      let left = min(n, RUN);
      n -= left;
      let a: f32 = 0;
      for (; left > 0; left--) {
        a += load<f32>(p);
        p += pitch;
      }
      sum += <f64>a;
    }
    return sum;
  }

  // @ts-ignore: decorator
  @inline
  static run<R extends number>(
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
        Sum.wideColumns<R>(p, to, n, pitch);
        i += 16;
      } else if (together >= 4) {
        Sum.columns<R>(p, to, n, pitch);
        i += 4;
      } else {
        store<R>(to, <R>(inner == 1 ? Sum.row(p, n) : Sum.column(p, n, pitch)));
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
  Sum.run<f32>(x, out, axis, inner, block, begin, end);
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
  Sum.run<f64>(x, out, axis, inner, block, begin, end);
}
