// Elementwise kernels of bytes: uint8, and bool as 0 and 1. How they are made: typed.ts.
import { Op, Typed } from './typed';

export function logical_not_u8(x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
  Typed.map<u8>(Op.LOGICAL_NOT, x, out, p, q, begin, end);
}

export function logical_and_u8(
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
  Typed.zip<u8>(Op.LOGICAL_AND, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function logical_or_u8(
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
  Typed.zip<u8>(Op.LOGICAL_OR, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function logical_xor_u8(
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
  Typed.zip<u8>(Op.LOGICAL_XOR, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function eq_u8(
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
  Typed.zip<u8>(Op.EQ, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function ge_u8(
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
  Typed.zip<u8>(Op.GE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function gt_u8(
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
  Typed.zip<u8>(Op.GT, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function le_u8(
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
  Typed.zip<u8>(Op.LE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function lt_u8(
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
  Typed.zip<u8>(Op.LT, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function ne_u8(
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
  Typed.zip<u8>(Op.NE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}
