// Comparisons and predicates of floats: bytes, 0 or 1. Signatures as in unary.ts and binary.ts.
import { V } from './lanes';

/** A constant at every use, so that of the switches below one case remains. */
enum Op {
  EQ,
  GE,
  GT,
  LE,
  LT,
  NE,
  ISFINITE,
  ISINF,
  ISNAN,
  LOGICAL_NOT,
}

abstract class Compare {
  // @ts-ignore: decorator
  @inline
  static apply(op: Op, a: v128, b: v128): v128 {
    switch (op) {
      case Op.EQ:
        return f32x4.eq(a, b);
      case Op.GE:
        return f32x4.ge(a, b);
      case Op.GT:
        return f32x4.gt(a, b);
      case Op.LE:
        return f32x4.le(a, b);
      case Op.LT:
        return f32x4.lt(a, b);
      case Op.NE:
        return f32x4.ne(a, b);
      case Op.ISFINITE:
        return f32x4.lt(f32x4.abs(a), f32x4.splat(Infinity));
      case Op.ISINF:
        return f32x4.eq(f32x4.abs(a), f32x4.splat(Infinity));
      case Op.ISNAN:
        return f32x4.ne(a, a);
      default:
        return f32x4.eq(a, f32x4.splat(0));
    }
  }

  /** One row, or a part of one. */
  // @ts-ignore: decorator
  @inline
  static span(op: Op, a: usize, b: usize, out: usize, aStep: usize, bStep: usize, n: usize): void {
    const stop = out + n;
    if (aStep <= 1 && bStep <= 1) {
      const x = v128.load32_splat(a);
      const y = v128.load32_splat(b);
      for (; out + 16 <= stop; out += 16) {
        let a0 = x;
        let a1 = x;
        let a2 = x;
        let a3 = x;
        if (aStep) {
          a0 = v128.load(a);
          a1 = v128.load(a, 16);
          a2 = v128.load(a, 32);
          a3 = v128.load(a, 48);
        }
        let b0 = y;
        let b1 = y;
        let b2 = y;
        let b3 = y;
        if (bStep) {
          b0 = v128.load(b);
          b1 = v128.load(b, 16);
          b2 = v128.load(b, 32);
          b3 = v128.load(b, 48);
        }
        a0 = Compare.apply(op, a0, b0);
        a1 = Compare.apply(op, a1, b1);
        a2 = Compare.apply(op, a2, b2);
        a3 = Compare.apply(op, a3, b3);
        v128.store(out, V.truth(a0, a1, a2, a3));
        a += aStep << 6;
        b += bStep << 6;
      }
      for (; out + 4 <= stop; out += 4) {
        const c = Compare.apply(op, aStep ? v128.load(a) : x, bStep ? v128.load(b) : y);
        store<i32>(out, i32x4.extract_lane(V.truth(c, c, c, c), 0));
        a += aStep << 4;
        b += bStep << 4;
      }
    }
    Compare.rest(op, a, b, out, stop, aStep, bStep);
  }

  /** Vector parts, and operands of any step. */
  static rest(op: Op, a: usize, b: usize, out: usize, stop: usize, aStep: usize, bStep: usize): void {
    for (; out < stop; out++) {
      const c = Compare.apply(op, v128.load32_zero(a), v128.load32_zero(b));
      store<u8>(out, <u8>(i32x4.extract_lane(c, 0) & 1));
      a += aStep << 2;
      b += bStep << 2;
    }
  }

  /** All comparisons share one walk over the rows, and with it most of their code. */
  static run(
    op: Op,
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
    let row = begin / inner;
    let column = begin % inner;
    while (begin < end) {
      const n = min(inner - column, end - begin);
      const x = a + ((row * aRow + column * aStep) << 2);
      const y = b + ((row * bRow + column * bStep) << 2);
      const to = out + begin;
      if (op == Op.EQ) Compare.span(Op.EQ, x, y, to, aStep, bStep, n);
      else if (op == Op.GE) Compare.span(Op.GE, x, y, to, aStep, bStep, n);
      else if (op == Op.GT) Compare.span(Op.GT, x, y, to, aStep, bStep, n);
      else if (op == Op.LE) Compare.span(Op.LE, x, y, to, aStep, bStep, n);
      else if (op == Op.LT) Compare.span(Op.LT, x, y, to, aStep, bStep, n);
      else Compare.span(Op.NE, x, y, to, aStep, bStep, n);
      begin += n;
      row++;
      column = 0;
    }
  }

  /** The second operand is any readable address. */
  // @ts-ignore: decorator
  @inline
  static test(op: Op, x: usize, out: usize, begin: usize, end: usize): void {
    if (begin < end) Compare.span(op, x + (begin << 2), x, out + begin, 1, 0, end - begin);
  }
}

export function eq_f32(
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
  Compare.run(Op.EQ, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function ge_f32(
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
  Compare.run(Op.GE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function gt_f32(
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
  Compare.run(Op.GT, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function le_f32(
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
  Compare.run(Op.LE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function lt_f32(
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
  Compare.run(Op.LT, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function ne_f32(
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
  Compare.run(Op.NE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function isfinite_f32(x: usize, out: usize, _p: f64, _q: f64, begin: usize, end: usize): void {
  Compare.test(Op.ISFINITE, x, out, begin, end);
}

export function isinf_f32(x: usize, out: usize, _p: f64, _q: f64, begin: usize, end: usize): void {
  Compare.test(Op.ISINF, x, out, begin, end);
}

export function isnan_f32(x: usize, out: usize, _p: f64, _q: f64, begin: usize, end: usize): void {
  Compare.test(Op.ISNAN, x, out, begin, end);
}

export function logical_not_f32(x: usize, out: usize, _p: f64, _q: f64, begin: usize, end: usize): void {
  Compare.test(Op.LOGICAL_NOT, x, out, begin, end);
}
