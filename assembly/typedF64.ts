// Elementwise kernels of doubles. How they are made: typed.ts.
import { Op, Typed } from './typed';

export function abs_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.ABS, x, out, p, q, begin, end);
}

export function ceil_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.CEIL, x, out, p, q, begin, end);
}

export function clamp_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.CLAMP, x, out, p, q, begin, end);
}

export function floor_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.FLOOR, x, out, p, q, begin, end);
}

export function frac_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.FRAC, x, out, p, q, begin, end);
}

export function leaky_relu_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.LEAKY_RELU, x, out, p, q, begin, end);
}

export function neg_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.NEG, x, out, p, q, begin, end);
}

export function reciprocal_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.RECIPROCAL, x, out, p, q, begin, end);
}

export function relu_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.RELU, x, out, p, q, begin, end);
}

export function round_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.ROUND, x, out, p, q, begin, end);
}

export function rsqrt_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.RSQRT, x, out, p, q, begin, end);
}

export function sign_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.SIGN, x, out, p, q, begin, end);
}

export function sqrt_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.SQRT, x, out, p, q, begin, end);
}

export function square_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.SQUARE, x, out, p, q, begin, end);
}

export function trunc_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.TRUNC, x, out, p, q, begin, end);
}

export function isfinite_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.ISFINITE, x, out, p, q, begin, end);
}

export function isinf_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.ISINF, x, out, p, q, begin, end);
}

export function isnan_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.ISNAN, x, out, p, q, begin, end);
}

export function logical_not_f64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<f64>(Op.LOGICAL_NOT, x, out, p, q, begin, end);
}

export function add_f64(
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Typed.zip<f64>(Op.ADD, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function div_f64(
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Typed.zip<f64>(Op.DIV, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function maximum_f64(
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Typed.zip<f64>(Op.MAXIMUM, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function minimum_f64(
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Typed.zip<f64>(Op.MINIMUM, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function mul_f64(
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Typed.zip<f64>(Op.MUL, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function relu_grad_f64(
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Typed.zip<f64>(Op.RELU_GRAD, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function sub_f64(
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Typed.zip<f64>(Op.SUB, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function eq_f64(
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Typed.zip<f64>(Op.EQ, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function ge_f64(
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Typed.zip<f64>(Op.GE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function gt_f64(
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Typed.zip<f64>(Op.GT, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function le_f64(
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Typed.zip<f64>(Op.LE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function lt_f64(
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Typed.zip<f64>(Op.LT, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function ne_f64(
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Typed.zip<f64>(Op.NE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}
