// Rows of [outer, rows, inner] brought to mean 0 and variance 1; statistics in double precision. A unit is a row: its
// sums have the same order wherever the slices end.
import { V } from './lanes';

/** What a pass adds up: x, (x − c)², or x·y. */
const SUM: i32 = 0;
const SQUARES: i32 = 1;
const PRODUCTS: i32 = 2;

abstract class Terms {
  /** Two terms of a sum. */
  // @ts-ignore: decorator
  @inline
  static of(what: i32, x: v128, y: v128, center: v128): v128 {
    if (what == SUM) return x;
    if (what == PRODUCTS) return f64x2.mul(x, y);
    const d = f64x2.sub(x, center);
    return f64x2.mul(d, d);
  }
}

/** The sum over one row: whole vectors first, then the ends of its runs. */
function sumOfRow(what: i32, x: usize, y: usize, outer: i32, stride: usize, inner: i32, c: f64): f64 {
  const center = f64x2.splat(c);
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let rest: f64 = 0;
  for (let o = 0; o < outer; ++o, x += stride, y += stride) {
    let i: usize = 0;
    const whole = ((<usize>inner) << 2) & ~15;
    for (; i < whole; i += 16) {
      const u = v128.load(x + i);
      const v = what == PRODUCTS ? v128.load(y + i) : u;
      a = f64x2.add(a, Terms.of(what, V.widenLow(u), V.widenLow(v), center));
      b = f64x2.add(b, Terms.of(what, V.widenHigh(u), V.widenHigh(v), center));
    }
    for (; i < (<usize>inner) << 2; i += 4) {
      const u = <f64>load<f32>(x + i);
      if (what == SUM) rest += u;
      else if (what == PRODUCTS) rest += u * <f64>load<f32>(y + i);
      else rest += (u - c) * (u - c);
    }
  }
  a = f64x2.add(a, b);
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1) + rest;
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
    const whole = ((<usize>inner) << 2) & ~15;
    for (; i < whole; i += 16) v128.store(out + i, f32x4.mul(f32x4.sub(v128.load(x + i), m), r));
    for (; i < (<usize>inner) << 2; i += 4) store<f32>(out + i, (load<f32>(x + i) - mean) * rstd);
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
    const m = sumOfRow(SUM, from, from, outer, stride, inner, 0) / count;
    const v = sumOfRow(SQUARES, from, from, outer, stride, inner, m) / count;
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
    const mean = <f32>(sumOfRow(SUM, grad + at, grad + at, outer, stride, inner, 0) / count);
    const slope = <f32>(sumOfRow(PRODUCTS, grad + at, y + at, outer, stride, inner, 0) / count);
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
