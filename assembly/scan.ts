// Running folds along the axis of a contiguous [outer, axis, inner]. [begin, end) counts the outer · inner lines, each
// of which is one thread's. Running sums and products of floats are kept in double and rounded one by one.
import { V } from './lanes';

enum Op {
  SUM,
  PROD,
}

abstract class Scan {
  // @ts-ignore: decorator
  @inline
  static step<A extends number>(op: Op, a: A, x: A): A {
    return op == Op.SUM ? ((a + x) as A) : ((a * x) as A);
  }

  /** Four neighbouring lines of floats. */
  // @ts-ignore: decorator
  @inline
  static four(op: Op, x: usize, out: usize, axis: usize, pitch: usize): void {
    let low = f64x2.splat(op == Op.SUM ? 0 : 1);
    let high = low;
    for (; axis > 0; axis--, x += pitch, out += pitch) {
      const v = v128.load(x);
      const a = V.widenLow(v);
      const b = V.widenHigh(v);
      low = op == Op.SUM ? f64x2.add(low, a) : f64x2.mul(low, a);
      high = op == Op.SUM ? f64x2.add(high, b) : f64x2.mul(high, b);
      v128.store(out, V.narrow(low, high));
    }
  }

  /** T is what is read and written, A what is kept. */
  // @ts-ignore: decorator
  @inline
  static run<T extends number, A extends number>(
    op: Op,
    x: usize,
    out: usize,
    axis: usize,
    inner: usize,
    begin: usize,
    end: usize,
  ): void {
    const pitch = inner * sizeof<T>();
    for (let i = begin; i < end; ) {
      const at = (i / inner) * axis * pitch + (i % inner) * sizeof<T>();
      if (sizeof<T>() == 4 && min(inner - (i % inner), end - i) >= 4) {
        Scan.four(op, x + at, out + at, axis, pitch);
        i += 4;
        continue;
      }
      let a: A = op == Op.SUM ? <A>0 : <A>1;
      let p = x + at;
      let q = out + at;
      for (let j = axis; j > 0; j--, p += pitch, q += pitch) {
        a = Scan.step<A>(op, a, V.cast<T, A>(load<T>(p)));
        store<T>(q, V.cast<A, T>(a));
      }
      i++;
    }
  }

  /** The last of equal extremes; after a NaN all is NaN, at the position of the last one. */
  static extreme<T extends number>(
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
      const first = (i / inner) * axis * inner + (i % inner);
      let p = x + first * sizeof<T>();
      let q = values + first * sizeof<T>();
      let k = indices + (first << 3);
      let best = load<T>(p);
      let at: usize = 0;
      for (let j: usize = 0; j < axis; j++, p += pitch, q += pitch, k += inner << 3) {
        const v = load<T>(p);
        const further = largest ? v >= best : v <= best;
        if (further || (isFloat<T>() && isNaN<T>(v))) {
          best = v;
          at = j;
        }
        store<T>(q, best);
        store<i64>(k, <i64>at);
      }
    }
  }
}

export function cumsum_f32(x: usize, out: usize, axis: usize, inner: usize, begin: usize, end: usize): void {
  Scan.run<f32, f64>(Op.SUM, x, out, axis, inner, begin, end);
}

export function cumsum_f64(x: usize, out: usize, axis: usize, inner: usize, begin: usize, end: usize): void {
  Scan.run<f64, f64>(Op.SUM, x, out, axis, inner, begin, end);
}

export function cumsum_i64(x: usize, out: usize, axis: usize, inner: usize, begin: usize, end: usize): void {
  Scan.run<i64, i64>(Op.SUM, x, out, axis, inner, begin, end);
}

export function cumprod_f32(x: usize, out: usize, axis: usize, inner: usize, begin: usize, end: usize): void {
  Scan.run<f32, f64>(Op.PROD, x, out, axis, inner, begin, end);
}

export function cumprod_f64(x: usize, out: usize, axis: usize, inner: usize, begin: usize, end: usize): void {
  Scan.run<f64, f64>(Op.PROD, x, out, axis, inner, begin, end);
}

export function cumprod_i64(x: usize, out: usize, axis: usize, inner: usize, begin: usize, end: usize): void {
  Scan.run<i64, i64>(Op.PROD, x, out, axis, inner, begin, end);
}

export function cummax_f32(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Scan.extreme<f32>(true, x, values, indices, axis, inner, begin, end);
}

export function cummin_f32(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Scan.extreme<f32>(false, x, values, indices, axis, inner, begin, end);
}

export function cummax_f64(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Scan.extreme<f64>(true, x, values, indices, axis, inner, begin, end);
}

export function cummin_f64(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Scan.extreme<f64>(false, x, values, indices, axis, inner, begin, end);
}

export function cummax_i64(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Scan.extreme<i64>(true, x, values, indices, axis, inner, begin, end);
}

export function cummin_i64(
  x: usize,
  values: usize,
  indices: usize,
  axis: usize,
  inner: usize,
  begin: usize,
  end: usize,
): void {
  Scan.extreme<i64>(false, x, values, indices, axis, inner, begin, end);
}
