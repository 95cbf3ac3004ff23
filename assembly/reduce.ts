// Folds over one dimension of a contiguous [outer, axis, inner]. The result is [outer, blocks, inner], where a block
// is `block` neighbours along the axis (one block if `block` is the axis): with many blocks a long axis becomes work
// for several threads, and a second call folds the blocks. [begin, end) counts elements of the result. Each of them is
// computed by one thread, in an order that depends on nothing but the sizes. Of floats: sum.ts, maxMin.ts.
import { STREAMS, V } from './lanes';

/** Doubles that are added up in eight lanes before what rounding takes is counted. */
const SUM_BLOCK: usize = 256;

/** A constant where speed matters. */
enum Op {
  ALL,
  ANY,
  MAX,
  MIN,
  PROD,
  SUM,
}

abstract class Reduce {
  // @ts-ignore: decorator
  @inline
  static fold<A extends number>(op: Op, a: A, x: A): A {
    switch (op) {
      case Op.ALL:
        return a != <A>0 && x != <A>0 ? <A>1 : <A>0;
      case Op.ANY:
        return a != <A>0 || x != <A>0 ? <A>1 : <A>0;
      case Op.MAX:
        return max<A>(a, x);
      case Op.MIN:
        return min<A>(a, x);
      case Op.PROD:
        return (a * x) as A;
      default:
        return (a + x) as A;
    }
  }

  /** What a fold starts with: for extremes the first element. */
  // @ts-ignore: decorator
  @inline
  static start<T extends number, A extends number>(op: Op, p: usize): A {
    if (op == Op.MAX || op == Op.MIN) return V.cast<T, A>(load<T>(p));
    return op == Op.SUM || op == Op.ANY ? <A>0 : <A>1;
  }

  /** Folds some elements, `pitch` bytes apart, into a. */
  // @ts-ignore: decorator
  @inline
  static along<T extends number, A extends number>(op: Op, a: A, p: usize, n: usize, pitch: usize): A {
    if (
      isInteger<A>() &&
      sizeof<T>() == sizeof<A>() &&
      sizeof<A>() >= 4 &&
      op == Op.SUM &&
      pitch == sizeof<T>()
    ) {
      let even = v128.splat<T>(<T>0);
      let odd = even;
      for (; n >= 32 / sizeof<T>(); n -= 32 / sizeof<T>()) {
        even = v128.add<T>(even, v128.load(p));
        odd = v128.add<T>(odd, v128.load(p, 16));
        p += 32;
      }
      even = v128.add<T>(even, odd);
      odd = v128.add<T>(even, v128.shuffle<u64>(even, even, 1, 0));
      a = (a + V.cast<T, A>(v128.extract_lane<T>(odd, 0))) as A;
      if (sizeof<T>() == 4) a = (a + V.cast<T, A>(v128.extract_lane<T>(odd, 1))) as A;
    }
    if (isFloat<A>() && sizeof<T>() == 8 && op == Op.SUM && pitch == 8) {
      // What rounding takes from the sum of blocks (Knuth, The Art of Computer Programming 2, 4.2.2) is added last; NaN where that is infinite.
      let lost: f64 = 0;
      let sum = V.cast<A, f64>(a);
      while (n >= 8) {
        const some = min(n & ~7, SUM_BLOCK);
        const part = Reduce.blockSum(p, some);
        const next = sum + part;
        const back = next - sum;
        lost += sum - (next - back) + (part - back);
        sum = next;
        n -= some;
        p += some << 3;
      }
      a = V.cast<f64, A>(isNaN<f64>(lost) ? sum : sum + lost);
    }
    if (sizeof<T>() == 1 && (op == Op.ALL || op == Op.ANY) && pitch == 1) {
      let decided = i64x2.splat(0);
      for (; n >= 16; n -= 16, p += 16) decided = Reduce.decide(op, decided, p);
      if (v128.any_true(decided)) return op == Op.ANY ? <A>1 : <A>0;
    }
    for (; n > 0; n--) {
      a = Reduce.fold<A>(op, a, V.cast<T, A>(load<T>(p)));
      p += pitch;
    }
    return a;
  }

  /** The sum of n doubles in a row, a multiple of 8, in eight lanes. */
  static blockSum(p: usize, n: usize): f64 {
    let a = f64x2.splat(0);
    let b = a;
    let c = a;
    let d = a;
    for (; n > 0; n -= 8, p += 64) {
      a = f64x2.add(a, v128.load(p));
      b = f64x2.add(b, v128.load(p, 16));
      c = f64x2.add(c, v128.load(p, 32));
      d = f64x2.add(d, v128.load(p, 48));
    }
    a = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
    return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
  }

  /** Sixteen bytes more: not zero where what came so far decides. */
  // @ts-ignore: decorator
  @inline
  static decide(op: Op, decided: v128, p: usize): v128 {
    const x = v128.load(p);
    return v128.or(decided, op == Op.ANY ? x : i8x16.eq(x, i64x2.splat(0)));
  }

  /** Whether any, or all, of n rows are not zero, for sixteen neighbouring columns of bytes. */
  // @ts-ignore: decorator
  @inline
  static wideFlags(op: Op, p: usize, out: usize, n: usize, pitch: usize): void {
    let decided = i64x2.splat(0);
    for (; n > 0; n--, p += pitch) decided = Reduce.decide(op, decided, p);
    const zero = i64x2.splat(0);
    const flags = op == Op.ANY ? i8x16.ne(decided, zero) : i8x16.eq(decided, zero);
    v128.store(out, v128.and(flags, i8x16.splat(1)));
  }

  // @ts-ignore: decorator
  @inline
  static anyAlong<T extends number, A extends number>(op: Op, a: A, p: usize, n: usize, pitch: usize): A {
    if (op == Op.MAX) return Reduce.along<T, A>(Op.MAX, a, p, n, pitch);
    if (op == Op.MIN) return Reduce.along<T, A>(Op.MIN, a, p, n, pitch);
    if (sizeof<T>() == 1) {
      if (op == Op.ALL) return Reduce.along<T, A>(Op.ALL, a, p, n, pitch);
      return Reduce.along<T, A>(Op.ANY, a, p, n, pitch);
    }
    if (op == Op.PROD) return Reduce.along<T, A>(Op.PROD, a, p, n, pitch);
    return Reduce.along<T, A>(Op.SUM, a, p, n, pitch);
  }

  /** The product of n floats in a row, at first in eight lanes. */
  static rowProduct(p: usize, n: usize): f64 {
    let a = f64x2.splat(1);
    let b = a;
    let c = a;
    let d = a;
    for (; n >= 8; n -= 8) {
      const x = v128.load(p);
      const y = v128.load(p, 16);
      a = f64x2.mul(a, V.widenLow(x));
      b = f64x2.mul(b, V.widenHigh(x));
      c = f64x2.mul(c, V.widenLow(y));
      d = f64x2.mul(d, V.widenHigh(y));
      p += 32;
    }
    a = f64x2.mul(f64x2.mul(a, b), f64x2.mul(c, d));
    const product = f64x2.extract_lane(a, 0) * f64x2.extract_lane(a, 1);
    return Reduce.along<f32, f64>(Op.PROD, product, p, n, 4);
  }

  /** Products of sixteen neighbouring columns of n rows: a line of the cache per row. */
  static wideProducts(p: usize, out: usize, n: usize, pitch: usize): void {
    const one = f64x2.splat(1);
    let a0 = one;
    let a1 = one;
    let b0 = one;
    let b1 = one;
    let c0 = one;
    let c1 = one;
    let d0 = one;
    let d1 = one;
    for (; n > 0; n--) {
      let x = v128.load(p);
      a0 = f64x2.mul(a0, V.widenLow(x));
      a1 = f64x2.mul(a1, V.widenHigh(x));
      x = v128.load(p, 16);
      b0 = f64x2.mul(b0, V.widenLow(x));
      b1 = f64x2.mul(b1, V.widenHigh(x));
      x = v128.load(p, 32);
      c0 = f64x2.mul(c0, V.widenLow(x));
      c1 = f64x2.mul(c1, V.widenHigh(x));
      x = v128.load(p, 48);
      d0 = f64x2.mul(d0, V.widenLow(x));
      d1 = f64x2.mul(d1, V.widenHigh(x));
      p += pitch;
    }
    v128.store(out, V.narrow(a0, a1));
    v128.store(out, V.narrow(b0, b1), 16);
    v128.store(out, V.narrow(c0, c1), 32);
    v128.store(out, V.narrow(d0, d1), 48);
  }

  /**
   * One element after another. T is what is read, A what is folded, R what is written. Columns are folded where they are
   * written, a few rows from end to end and then the next few: down a column every element lies in another page.
   */
  static run<T extends number, A extends number, R extends number>(
    op: Op,
    x: usize,
    out: usize,
    axis: usize,
    inner: usize,
    block: usize,
    begin: usize,
    end: usize,
  ): void {
    const blocks = (axis + block - 1) / block;
    const pitch = inner * sizeof<T>();
    for (let i = begin; i < end; ) {
      const group = i / inner;
      const first = (group % blocks) * block;
      const at = i % inner;
      let n = min(block, axis - first);
      let p = x + ((group / blocks) * axis + first) * pitch + at * sizeof<T>();
      const to = out + i * sizeof<R>();
      const together = min(inner - at, end - i);
      if (sizeof<T>() == 4 && sizeof<A>() == 8 && together >= 16) {
        Reduce.wideProducts(p, to, n, pitch);
        i += 16;
        continue;
      }
      if (sizeof<T>() == 1 && (op == Op.ALL || op == Op.ANY) && together >= 16) {
        Reduce.wideFlags(op, p, to, n, pitch);
        i += 16;
        continue;
      }
      if (sizeof<T>() == 4 && sizeof<A>() == 8 && inner == 1) {
        store<R>(to, <R>Reduce.rowProduct(p, n));
        i++;
        continue;
      }
      const columns: usize = sizeof<A>() == sizeof<R>() ? together : 1;
      const most: usize = columns > 1 ? STREAMS : n;
      for (let resume = false; n > 0; resume = true) {
        const rows = min(n, most);
        for (let j: usize = 0; j < columns; j++) {
          const q = p + j * sizeof<T>();
          const here = to + j * sizeof<R>();
          const a = resume ? load<A>(here) : Reduce.start<T, A>(op, q);
          store<R>(here, V.cast<A, R>(Reduce.anyAlong<T, A>(op, a, q, rows, pitch)));
        }
        n -= rows;
        p += rows * pitch;
      }
      i += columns;
    }
  }
}

export function sum_finish_f32(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<f64, f64, f32>(Op.SUM, x, out, axis, inner, block, begin, end);
}

export function prod_f32(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<f32, f64, f32>(Op.PROD, x, out, axis, inner, block, begin, end);
}

export function sum_f64(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<f64, f64, f64>(Op.SUM, x, out, axis, inner, block, begin, end);
}

export function prod_f64(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<f64, f64, f64>(Op.PROD, x, out, axis, inner, block, begin, end);
}

export function max_f64(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<f64, f64, f64>(Op.MAX, x, out, axis, inner, block, begin, end);
}

export function min_f64(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<f64, f64, f64>(Op.MIN, x, out, axis, inner, block, begin, end);
}

export function sum_i64(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<i64, i64, i64>(Op.SUM, x, out, axis, inner, block, begin, end);
}

export function prod_i64(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<i64, i64, i64>(Op.PROD, x, out, axis, inner, block, begin, end);
}

export function max_i64(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<i64, i64, i64>(Op.MAX, x, out, axis, inner, block, begin, end);
}

export function min_i64(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<i64, i64, i64>(Op.MIN, x, out, axis, inner, block, begin, end);
}

export function sum_i32(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<i32, i32, i32>(Op.SUM, x, out, axis, inner, block, begin, end);
}

export function prod_i32(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<i32, i32, i32>(Op.PROD, x, out, axis, inner, block, begin, end);
}

export function max_i32(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<i32, i32, i32>(Op.MAX, x, out, axis, inner, block, begin, end);
}

export function min_i32(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<i32, i32, i32>(Op.MIN, x, out, axis, inner, block, begin, end);
}

export function all_u8(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<u8, u8, u8>(Op.ALL, x, out, axis, inner, block, begin, end);
}

export function any_u8(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<u8, u8, u8>(Op.ANY, x, out, axis, inner, block, begin, end);
}

export function max_u8(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<u8, u8, u8>(Op.MAX, x, out, axis, inner, block, begin, end);
}

export function min_u8(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.run<u8, u8, u8>(Op.MIN, x, out, axis, inner, block, begin, end);
}
