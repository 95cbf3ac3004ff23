// Rows of [outer, rows, inner] brought to mean 0 and variance 1; sums move to double precision after
// 32 terms per lane. A unit is a row: its sums have the same order wherever the slices end.
import { V } from './lanes';

/** What a pass adds up: x, (x − c)², or x·y. */
const SUM: i32 = 0;
const SQUARES: i32 = 1;
const PRODUCTS: i32 = 2;

/** Sixteen terms a turn, so many turns before the sum moves to double. */
const RUN_BYTES: usize = 32 * 64;

abstract class Terms {
  /** Four terms of a sum. */
  // @ts-ignore: decorator
  @inline
  static of(what: i32, x: usize, y: usize, center: v128): v128 {
    const u = v128.load(x);
    if (what == SUM) return u;
    if (what == PRODUCTS) return f32x4.mul(u, v128.load(y));
    const d = f32x4.sub(u, center);
    return f32x4.mul(d, d);
  }

  // @ts-ignore: decorator
  @inline
  static wide(x: v128): v128 {
    return f64x2.add(V.widenLow(x), V.widenHigh(x));
  }

  /** The sum over one row: runs of whole vectors first, then the ends. */
  // @ts-ignore: decorator
  @inline
  static ofRow(what: i32, x: usize, y: usize, outer: i32, stride: usize, inner: i32, c: f32): f64 {
    const center = f32x4.splat(c);
    let sum = f64x2.splat(0);
    let rest: f64 = 0;
    const bytes = (<usize>inner) << 2;
    for (let o = 0; o < outer; ++o, x += stride, y += stride) {
      let i: usize = 0;
      const whole = bytes & ~63;
      while (i < whole) {
        const stop = min(whole, i + RUN_BYTES);
        let a = f32x4.splat(0);
        let b = a;
        let p = a;
        let q = a;
        for (; i < stop; i += 64) {
          a = f32x4.add(a, Terms.of(what, x + i, y + i, center));
          b = f32x4.add(b, Terms.of(what, x + i + 16, y + i + 16, center));
          p = f32x4.add(p, Terms.of(what, x + i + 32, y + i + 32, center));
          q = f32x4.add(q, Terms.of(what, x + i + 48, y + i + 48, center));
        }
        sum = f64x2.add(sum, f64x2.add(Terms.wide(a), Terms.wide(b)));
        sum = f64x2.add(sum, f64x2.add(Terms.wide(p), Terms.wide(q)));
      }
      for (; i + 16 <= bytes; i += 16) sum = f64x2.add(sum, Terms.wide(Terms.of(what, x + i, y + i, center)));
      for (; i < bytes; i += 4) {
        const u = load<f32>(x + i);
        if (what == SUM) rest += <f64>u;
        else if (what == PRODUCTS) rest += <f64>(u * load<f32>(y + i));
        else rest += <f64>((u - c) * (u - c));
      }
    }
    return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1) + rest;
  }
}

/** (x − mean)·rstd over one row. */
function normalizeRow(
  x: usize,
  out: usize,
  outer: i32,
  stride: usize,
  inner: i32,
  mean: f32,
  rstd: f32,
): void {
  const m = f32x4.splat(mean);
  const r = f32x4.splat(rstd);
  for (let o = 0; o < outer; ++o, x += stride, out += stride) {
    let i: usize = 0;
    const bytes = (<usize>inner) << 2;
    for (; i + 64 <= bytes; i += 64) {
      v128.store(out + i, f32x4.mul(f32x4.sub(v128.load(x + i), m), r));
      v128.store(out + i, f32x4.mul(f32x4.sub(v128.load(x + i, 16), m), r), 16);
      v128.store(out + i, f32x4.mul(f32x4.sub(v128.load(x + i, 32), m), r), 32);
      v128.store(out + i, f32x4.mul(f32x4.sub(v128.load(x + i, 48), m), r), 48);
    }
    for (; i + 16 <= bytes; i += 16) v128.store(out + i, f32x4.mul(f32x4.sub(v128.load(x + i), m), r));
    for (; i < bytes; i += 4) store<f32>(out + i, (load<f32>(x + i) - mean) * rstd);
  }
}

/** x → out = (x − mean)/√(variance + eps) by row; mean, variance and rstd are [rows]. All arrays are contiguous. */
export function standardize_f32(
  x: usize,
  out: usize,
  mean: usize,
  variance: usize,
  rstd: usize,
  outer: i32,
  rows: i32,
  inner: i32,
  eps: f64,
  begin: i32,
  end: i32,
): void {
  const stride = <usize>rows * ((<usize>inner) << 2);
  const count = <f64>outer * <f64>inner;
  for (; begin < end; ++begin) {
    const from = x + <usize>begin * ((<usize>inner) << 2);
    const m = Terms.ofRow(SUM, from, from, outer, stride, inner, 0) / count;
    // Around the rounded mean, and then what that is away from the mean.
    const away = m - <f64>(<f32>m);
    const squares = Terms.ofRow(SQUARES, from, from, outer, stride, inner, <f32>m) / count;
    const v = max<f64>(squares - away * away, 0);
    const r = 1 / sqrt(v + eps);
    store<f32>(mean + ((<usize>begin) << 2), <f32>m);
    store<f32>(variance + ((<usize>begin) << 2), <f32>v);
    store<f32>(rstd + ((<usize>begin) << 2), <f32>r);
    normalizeRow(from, out + <usize>begin * ((<usize>inner) << 2), outer, stride, inner, <f32>m, <f32>r);
  }
}

/** out = rstd·(grad − mean(grad) − y·mean(grad·y)) by row. */
export function standardize_grad_f32(
  grad: usize,
  y: usize,
  rstd: usize,
  out: usize,
  outer: i32,
  rows: i32,
  inner: i32,
  begin: i32,
  end: i32,
): void {
  const stride = <usize>rows * ((<usize>inner) << 2);
  const count = <f64>outer * <f64>inner;
  for (; begin < end; ++begin) {
    const at = <usize>begin * ((<usize>inner) << 2);
    const mean = <f32>(Terms.ofRow(SUM, grad + at, grad + at, outer, stride, inner, 0) / count);
    const slope = <f32>(Terms.ofRow(PRODUCTS, grad + at, y + at, outer, stride, inner, 0) / count);
    const r = load<f32>(rstd + ((<usize>begin) << 2));
    let p = at;
    for (let o = 0; o < outer; ++o, p += stride) {
      let i: usize = 0;
      const whole = ((<usize>inner) << 2) & ~15;
      for (; i < whole; i += 16) {
        const g = f32x4.sub(v128.load(grad + p + i), f32x4.splat(mean));
        const d = f32x4.sub(g, f32x4.mul(v128.load(y + p + i), f32x4.splat(slope)));
        v128.store(out + p + i, f32x4.mul(d, f32x4.splat(r)));
      }
      for (; i < (<usize>inner) << 2; i += 4) {
        store<f32>(out + p + i, (load<f32>(grad + p + i) - mean - load<f32>(y + p + i) * slope) * r);
      }
    }
  }
}
