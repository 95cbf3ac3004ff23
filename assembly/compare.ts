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

  /** One row, or a part of one; 16 elements per turn where a is contiguous and b is too, or one number. */
  // @ts-ignore: decorator
  @inline
  static span(op: Op, a: usize, b: usize, out: usize, aStep: usize, bStep: usize, n: usize): void {
    const stop = out + n;
    const x = v128.load32_splat(a);
    const y = v128.load32_splat(b);
    if (aStep == 1 && bStep <= 1) {
      for (; out + 16 <= stop; out += 16) {
        const c0 = Compare.apply(op, v128.load(a), bStep ? v128.load(b) : y);
        const c1 = Compare.apply(op, v128.load(a, 16), bStep ? v128.load(b, 16) : y);
        const c2 = Compare.apply(op, v128.load(a, 32), bStep ? v128.load(b, 32) : y);
        const c3 = Compare.apply(op, v128.load(a, 48), bStep ? v128.load(b, 48) : y);
        v128.store(out, V.truth(c0, c1, c2, c3));
        a += 64;
        b += bStep << 6;
      }
    }
    while (out < stop) {
      const lanes = min(stop - out, 4);
      const u = aStep == 0 ? x : V.loadLanes(a, aStep, lanes);
      const v = bStep == 0 ? y : V.loadLanes(b, bStep, lanes);
      const c = Compare.apply(op, u, v);
      let bytes = i32x4.extract_lane(V.truth(c, c, c, c), 0);
      for (let left = lanes; left > 0; left--) {
        store<u8>(out++, <u8>bytes);
        bytes >>= 8;
      }
      a += aStep << 4;
      b += bStep << 4;
    }
  }

  // @ts-ignore: decorator
  @inline
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
      Compare.span(op, x, y, out + begin, aStep, bStep, n);
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
