// Elementwise kernels of 64-bit and 32-bit integers. How they are made: typed.ts.
import { Op, Typed } from './typed';

export function abs_i64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<i64>(Op.ABS, x, out, p, q, begin, end);
}

export function clamp_i64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<i64>(Op.CLAMP, x, out, p, q, begin, end);
}

export function neg_i64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<i64>(Op.NEG, x, out, p, q, begin, end);
}

export function relu_i64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<i64>(Op.RELU, x, out, p, q, begin, end);
}

export function sign_i64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<i64>(Op.SIGN, x, out, p, q, begin, end);
}

export function square_i64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<i64>(Op.SQUARE, x, out, p, q, begin, end);
}

export function logical_not_i64(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<i64>(Op.LOGICAL_NOT, x, out, p, q, begin, end);
}

export function add_i64(
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
  Typed.zip<i64>(Op.ADD, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function floor_divide_i64(
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
  Typed.zip<i64>(Op.FLOOR_DIVIDE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function maximum_i64(
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
  Typed.zip<i64>(Op.MAXIMUM, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function minimum_i64(
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
  Typed.zip<i64>(Op.MINIMUM, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function mul_i64(
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
  Typed.zip<i64>(Op.MUL, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function remainder_i64(
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
  Typed.zip<i64>(Op.REMAINDER, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function sub_i64(
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
  Typed.zip<i64>(Op.SUB, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function eq_i64(
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
  Typed.zip<i64>(Op.EQ, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function ge_i64(
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
  Typed.zip<i64>(Op.GE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function gt_i64(
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
  Typed.zip<i64>(Op.GT, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function le_i64(
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
  Typed.zip<i64>(Op.LE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function lt_i64(
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
  Typed.zip<i64>(Op.LT, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function ne_i64(
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
  Typed.zip<i64>(Op.NE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function abs_i32(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<i32>(Op.ABS, x, out, p, q, begin, end);
}

export function clamp_i32(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<i32>(Op.CLAMP, x, out, p, q, begin, end);
}

export function neg_i32(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<i32>(Op.NEG, x, out, p, q, begin, end);
}

export function relu_i32(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<i32>(Op.RELU, x, out, p, q, begin, end);
}

export function sign_i32(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<i32>(Op.SIGN, x, out, p, q, begin, end);
}

export function square_i32(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<i32>(Op.SQUARE, x, out, p, q, begin, end);
}

export function logical_not_i32(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<i32>(Op.LOGICAL_NOT, x, out, p, q, begin, end);
}

export function add_i32(
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
  Typed.zip<i32>(Op.ADD, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function maximum_i32(
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
  Typed.zip<i32>(Op.MAXIMUM, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function minimum_i32(
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
  Typed.zip<i32>(Op.MINIMUM, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function mul_i32(
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
  Typed.zip<i32>(Op.MUL, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function sub_i32(
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
  Typed.zip<i32>(Op.SUB, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function eq_i32(
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
  Typed.zip<i32>(Op.EQ, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function ge_i32(
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
  Typed.zip<i32>(Op.GE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function gt_i32(
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
  Typed.zip<i32>(Op.GT, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function le_i32(
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
  Typed.zip<i32>(Op.LE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function lt_i32(
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
  Typed.zip<i32>(Op.LT, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function ne_i32(
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
  Typed.zip<i32>(Op.NE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}
