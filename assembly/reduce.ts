// Folds over one dimension of a contiguous [outer, axis, inner]. The result is [outer, blocks, inner], where a block
// is `block` neighbours along the axis (one block if `block` is the axis): with many blocks a long axis becomes work
// for several threads, and a second call folds the blocks. [begin, end) counts elements of the result. Each of them is
// computed by one thread, in an order that depends on nothing but the sizes. Sums of floats: sum.ts.
import { V } from './lanes';

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

  /** Some elements, `pitch` bytes apart. An extreme needs one at least. */
  // @ts-ignore: decorator
  @inline
  static along<T extends number, A extends number>(op: Op, p: usize, n: usize, pitch: usize): A {
    let a: A = op == Op.SUM || op == Op.ANY ? <A>0 : <A>1;
    if (op == Op.MAX || op == Op.MIN) a = V.cast<T, A>(load<T>(p));
    for (; n > 0; n--) {
      a = Reduce.fold<A>(op, a, V.cast<T, A>(load<T>(p)));
      p += pitch;
    }
    return a;
  }

  // @ts-ignore: decorator
  @inline
  static anyAlong<T extends number, A extends number>(op: Op, p: usize, n: usize, pitch: usize): A {
    if (op == Op.MAX) return Reduce.along<T, A>(Op.MAX, p, n, pitch);
    if (op == Op.MIN) return Reduce.along<T, A>(Op.MIN, p, n, pitch);
    if (sizeof<T>() == 1) {
      if (op == Op.ALL) return Reduce.along<T, A>(Op.ALL, p, n, pitch);
      return Reduce.along<T, A>(Op.ANY, p, n, pitch);
    }
    if (op == Op.PROD) return Reduce.along<T, A>(Op.PROD, p, n, pitch);
    return Reduce.along<T, A>(Op.SUM, p, n, pitch);
  }

  /** One element after another. T is what is read, A what is folded, R what is written. */
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
    for (let i = begin; i < end; i++) {
      const group = i / inner;
      const first = (group % blocks) * block;
      const n = min(block, axis - first);
      const p = x + ((group / blocks) * axis + first) * pitch + (i % inner) * sizeof<T>();
      store<R>(out + i * sizeof<R>(), V.cast<A, R>(Reduce.anyAlong<T, A>(op, p, n, pitch)));
    }
  }

  /** The larger or smaller; NaN in b is passed over. */
  // @ts-ignore: decorator
  @inline
  static further(op: Op, a: v128, b: v128): v128 {
    return op == Op.MAX ? f32x4.pmax(a, b) : f32x4.pmin(a, b);
  }

  /** Extremes of up to four neighbouring columns: NaN wins. */
  // @ts-ignore: decorator
  @inline
  static extremeColumns(op: Op, p: usize, out: usize, n: usize, pitch: usize, lanes: usize): void {
    let best = V.loadLanes(p, 1, lanes);
    let wrong = f32x4.ne(best, best);
    for (; n > 0; n--, p += pitch) {
      const v = V.loadLanes(p, 1, lanes);
      best = Reduce.further(op, best, v);
      wrong = v128.or(wrong, f32x4.ne(v, v));
    }
    V.storeLanes(out, v128.or(best, wrong), lanes);
  }

  /** Extremes of floats in a row: NaN wins. */
  // @ts-ignore: decorator
  @inline
  static extreme(
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
    if (inner > 1) {
      for (let i = begin; i < end; ) {
        const lanes = min<usize>(4, min(inner - (i % inner), end - i));
        const first = ((i / inner) % blocks) * block;
        const p = x + ((((i / inner / blocks) * axis + first) * inner + (i % inner)) << 2);
        Reduce.extremeColumns(op, p, out + (i << 2), min(block, axis - first), inner << 2, lanes);
        i += lanes;
      }
      return;
    }
    for (let i = begin; i < end; i++) {
      const first = (i % blocks) * block;
      let n = min(block, axis - first);
      let p = x + (((i / blocks) * axis + first) << 2);
      let best = v128.load32_splat(p);
      let other = best;
      let wrong = f32x4.ne(best, best);
      for (; n >= 8; n -= 8) {
        const u = v128.load(p);
        const v = v128.load(p, 16);
        best = Reduce.further(op, best, u);
        other = Reduce.further(op, other, v);
        wrong = v128.or(wrong, v128.or(f32x4.ne(u, u), f32x4.ne(v, v)));
        p += 32;
      }
      best = Reduce.further(op, best, other);
      let a = Reduce.fold<f32>(op, f32x4.extract_lane(best, 0), f32x4.extract_lane(best, 1));
      a = Reduce.fold<f32>(op, a, f32x4.extract_lane(best, 2));
      a = Reduce.fold<f32>(op, a, f32x4.extract_lane(best, 3));
      for (; n > 0; n--) {
        a = Reduce.fold<f32>(op, a, load<f32>(p));
        p += 4;
      }
      store<f32>(out + (i << 2), v128.any_true(wrong) ? <f32>NaN : a);
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

export function max_f32(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.extreme(Op.MAX, x, out, axis, inner, block, begin, end);
}

export function min_f32(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  Reduce.extreme(Op.MIN, x, out, axis, inner, block, begin, end);
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
