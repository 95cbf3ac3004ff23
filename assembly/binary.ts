// Functions of two floats, element by element. The result is contiguous and seen as rows of `inner` elements; element
// (r, j) reads a[r·aRow + j·aStep] and b[r·bRow + j·bStep], so a bias, a column or a single number broadcasts without
// a copy. [begin, end) counts elements of the result. `out` may be an operand that is read at the same positions.
import { V } from './lanes';
import { M } from './math';
import { Normal } from './normal';
import { Remainder } from './remainder';
import { W } from './wide';

/** A constant where speed matters, so that of the switches below one case remains. */
enum Op {
  ADD,
  ATAN2,
  CUBE,
  DIV,
  FLOOR_DIVIDE,
  FMOD,
  GELU_GRAD,
  HYPOT,
  MAXIMUM,
  MINIMUM,
  MUL,
  POW,
  RELU_GRAD,
  REMAINDER,
  SIGMOID_GRAD,
  SUB,
  TANH_GRAD,
  TRUNC_DIVIDE,
  XLOGY,
}

const ONE = memory.data<f32>([1], 16);

abstract class Binary {
  // @ts-ignore: decorator
  @inline
  static apply(op: Op, a: v128, b: v128): v128 {
    switch (op) {
      case Op.ADD:
        return f32x4.add(a, b);
      case Op.CUBE:
        return f32x4.mul(f32x4.mul(a, a), a);
      case Op.DIV:
        return f32x4.div(a, b);
      case Op.GELU_GRAD:
        return f32x4.mul(a, Normal.geluSlope(b));
      case Op.MAXIMUM:
        return f32x4.max(a, b);
      case Op.MINIMUM:
        return f32x4.min(a, b);
      case Op.MUL:
        return f32x4.mul(a, b);
      case Op.RELU_GRAD:
        return v128.andnot(a, f32x4.le(b, f32x4.splat(0)));
      case Op.SIGMOID_GRAD:
        return f32x4.mul(a, f32x4.mul(b, f32x4.sub(f32x4.splat(1), b)));
      case Op.SUB:
        return f32x4.sub(a, b);
      case Op.TANH_GRAD:
        return f32x4.mul(a, f32x4.sub(f32x4.splat(1), f32x4.mul(b, b)));
      case Op.TRUNC_DIVIDE:
        return f32x4.trunc(f32x4.div(a, b));
      case Op.XLOGY: {
        const y = v128.andnot(f32x4.mul(a, M.log(b)), f32x4.eq(a, f32x4.splat(0)));
        return v128.or(y, f32x4.ne(b, b));
      }
      case Op.FLOOR_DIVIDE:
        return Remainder.floorQuotient(a, b);
      case Op.FMOD:
        return Remainder.exact(a, b);
      case Op.REMAINDER:
        return Remainder.likePython(a, b);
      default:
        return V.narrow(
          Binary.applyWide(op, V.widenLow(a), V.widenLow(b)),
          Binary.applyWide(op, V.widenHigh(a), V.widenHigh(b)),
        );
    }
  }

  // @ts-ignore: decorator
  @inline
  static applyWide(op: Op, a: v128, b: v128): v128 {
    switch (op) {
      case Op.ATAN2:
        return W.atan2(a, b);
      case Op.HYPOT:
        return W.hypot(a, b);
      case Op.POW:
        return W.pow(a, b);
      default:
        unreachable();
        return a;
    }
  }

  /**
   * As many whole vectors of a row as there are, where each operand is contiguous or one number. Returns how many bytes
   * are done.
   */
  // @ts-ignore: decorator
  @inline
  static fast(op: Op, a: usize, b: usize, out: usize, aStep: usize, bStep: usize, bytes: usize): usize {
    let i: usize = 0;
    if (aStep & bStep) {
      for (; i + 64 <= bytes; i += 64) {
        v128.store(out + i, Binary.apply(op, v128.load(a + i), v128.load(b + i)));
        v128.store(out + i, Binary.apply(op, v128.load(a + i, 16), v128.load(b + i, 16)), 16);
        v128.store(out + i, Binary.apply(op, v128.load(a + i, 32), v128.load(b + i, 32)), 32);
        v128.store(out + i, Binary.apply(op, v128.load(a + i, 48), v128.load(b + i, 48)), 48);
      }
    }
    const x = v128.load32_splat(a);
    const y = v128.load32_splat(b);
    const arithmetic = op == Op.ADD || op == Op.DIV || op == Op.MAXIMUM || op == Op.MINIMUM || op == Op.MUL;
    if ((arithmetic || op == Op.SUB) && aStep > bStep) {
      for (; i + 64 <= bytes; i += 64) {
        v128.store(out + i, Binary.apply(op, v128.load(a + i), y));
        v128.store(out + i, Binary.apply(op, v128.load(a + i, 16), y), 16);
        v128.store(out + i, Binary.apply(op, v128.load(a + i, 32), y), 32);
        v128.store(out + i, Binary.apply(op, v128.load(a + i, 48), y), 48);
      }
    }
    for (; i + 16 <= bytes; i += 16) {
      const u = aStep ? v128.load(a + i) : x;
      v128.store(out + i, Binary.apply(op, u, bStep ? v128.load(b + i) : y));
    }
    return i;
  }

  /** What training does most has loops of its own. */
  // @ts-ignore: decorator
  @inline
  static anyFast(op: Op, a: usize, b: usize, out: usize, aStep: usize, bStep: usize, bytes: usize): usize {
    if (op == Op.ADD) return Binary.fast(Op.ADD, a, b, out, aStep, bStep, bytes);
    if (op == Op.CUBE) return Binary.fast(Op.CUBE, a, b, out, aStep, bStep, bytes);
    if (op == Op.DIV) return Binary.fast(Op.DIV, a, b, out, aStep, bStep, bytes);
    if (op == Op.MAXIMUM) return Binary.fast(Op.MAXIMUM, a, b, out, aStep, bStep, bytes);
    if (op == Op.MINIMUM) return Binary.fast(Op.MINIMUM, a, b, out, aStep, bStep, bytes);
    if (op == Op.MUL) return Binary.fast(Op.MUL, a, b, out, aStep, bStep, bytes);
    if (op == Op.RELU_GRAD) return Binary.fast(Op.RELU_GRAD, a, b, out, aStep, bStep, bytes);
    if (op == Op.SIGMOID_GRAD) return Binary.fast(Op.SIGMOID_GRAD, a, b, out, aStep, bStep, bytes);
    if (op == Op.SUB) return Binary.fast(Op.SUB, a, b, out, aStep, bStep, bytes);
    if (op == Op.TANH_GRAD) return Binary.fast(Op.TANH_GRAD, a, b, out, aStep, bStep, bytes);
    return 0;
  }

  /** One row, or a part of one. Steps in elements. */
  // @ts-ignore: decorator
  @inline
  static span(op: Op, a: usize, b: usize, out: usize, aStep: usize, bStep: usize, n: usize): void {
    const stop = out + (n << 2);
    if (aStep <= 1 && bStep <= 1) {
      const done = Binary.anyFast(op, a, b, out, aStep, bStep, n << 2);
      a += done * aStep;
      b += done * bStep;
      out += done;
    }
    for (; out < stop; out += 16) {
      const lanes = (stop - out) >> 2;
      const y = Binary.apply(op, V.loadLanes(a, aStep, lanes), V.loadLanes(b, bStep, lanes));
      V.storeLanes(out, y, lanes);
      a += aStep << 4;
      b += bStep << 4;
    }
  }

  /** All operations share one walk over the rows, and with it most of their code. */
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
    if (aStep < bStep && (op == Op.ADD || op == Op.MAXIMUM || op == Op.MINIMUM || op == Op.MUL)) {
      // The number comes second, where there is a faster loop for it.
      Binary.run(op, b, a, out, inner, bRow, bStep, aRow, aStep, begin, end);
      return;
    }
    let row = begin / inner;
    let column = begin % inner;
    while (begin < end) {
      const n = min(inner - column, end - begin);
      const x = a + ((row * aRow + column * aStep) << 2);
      const y = b + ((row * bRow + column * bStep) << 2);
      Binary.span(op, x, y, out + (begin << 2), aStep, bStep, n);
      begin += n;
      row++;
      column = 0;
    }
  }
}

export function add_f32(
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
  Binary.run(Op.ADD, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function atan2_f32(
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
  Binary.run(Op.ATAN2, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function div_f32(
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
  Binary.run(Op.DIV, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function floor_divide_f32(
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
  Binary.run(Op.FLOOR_DIVIDE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function fmod_f32(
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
  Binary.run(Op.FMOD, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function gelu_grad_f32(
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
  Binary.run(Op.GELU_GRAD, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function hypot_f32(
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
  Binary.run(Op.HYPOT, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function maximum_f32(
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
  Binary.run(Op.MAXIMUM, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function minimum_f32(
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
  Binary.run(Op.MINIMUM, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function mul_f32(
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
  Binary.run(Op.MUL, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

/** The everyday exponents, given as one number, are products or a quotient, as in PyTorch. */
export function pow_f32(
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
  const exponent: f32 = bRow | bStep || begin >= end ? 0 : load<f32>(b);
  if (exponent == 2) Binary.run(Op.MUL, a, a, out, inner, aRow, aStep, aRow, aStep, begin, end);
  else if (exponent == 1) Binary.run(Op.MUL, a, ONE, out, inner, aRow, aStep, 0, 0, begin, end);
  else if (exponent == -1) Binary.run(Op.DIV, ONE, a, out, inner, 0, 0, aRow, aStep, begin, end);
  else if (exponent == 3) Binary.run(Op.CUBE, a, a, out, inner, aRow, aStep, aRow, aStep, begin, end);
  else Binary.run(Op.POW, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function relu_grad_f32(
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
  Binary.run(Op.RELU_GRAD, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function remainder_f32(
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
  Binary.run(Op.REMAINDER, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function sigmoid_grad_f32(
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
  Binary.run(Op.SIGMOID_GRAD, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function sub_f32(
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
  Binary.run(Op.SUB, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function tanh_grad_f32(
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
  Binary.run(Op.TANH_GRAD, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function trunc_divide_f32(
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
  Binary.run(Op.TRUNC_DIVIDE, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}

export function xlogy_f32(
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
  Binary.run(Op.XLOGY, a, b, out, inner, aRow, aStep, bRow, bStep, begin, end);
}
