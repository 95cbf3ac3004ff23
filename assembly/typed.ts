// How elementwise kernels of doubles and integers are made: one element at a time, signatures as in unary.ts and
// binary.ts. A comparison writes bytes, 0 or 1. Integer arithmetic wraps.

/** A constant at every use, so that of the switches below one case remains. */
export enum Op {
  ABS,
  CEIL,
  CLAMP,
  FLOOR,
  FRAC,
  LEAKY_RELU,
  NEG,
  RECIPROCAL,
  RELU,
  ROUND,
  RSQRT,
  SIGN,
  SQRT,
  SQUARE,
  TRUNC,
  ISFINITE,
  ISINF,
  ISNAN,
  LOGICAL_NOT,
  ADD,
  DIV,
  FLOOR_DIVIDE,
  MAXIMUM,
  MINIMUM,
  MUL,
  RELU_GRAD,
  REMAINDER,
  SUB,
  LOGICAL_AND,
  LOGICAL_OR,
  LOGICAL_XOR,
  EQ,
  GE,
  GT,
  LE,
  LT,
  NE,
}

export abstract class Typed {
  // @ts-ignore: decorator
  @inline
  static unary<T extends number>(op: Op, x: T, p: T, q: T): T {
    switch (op) {
      case Op.ABS:
        return abs<T>(x);
      case Op.CLAMP:
        if (x < p) x = p;
        return q < x ? q : x;
      case Op.LEAKY_RELU:
        return x > <T>0 ? x : ((x * p) as T);
      case Op.NEG:
        return -x as T;
      case Op.RELU:
        return x < <T>0 ? <T>0 : x;
      case Op.SIGN:
        return x > <T>0 ? <T>1 : x < <T>0 ? <T>-1 : <T>0;
      case Op.SQUARE:
        return (x * x) as T;
      default:
        return Typed.floating<T>(op, x);
    }
  }

  // @ts-ignore: decorator
  @inline
  static floating<T extends number>(op: Op, x: T): T {
    if (isFloat<T>()) {
      switch (op) {
        case Op.CEIL:
          return ceil<T>(x);
        case Op.FLOOR:
          return floor<T>(x);
        case Op.FRAC:
          return (x - trunc<T>(x)) as T;
        case Op.RECIPROCAL:
          return (<T>1 / x) as T;
        case Op.ROUND:
          return nearest<T>(x);
        case Op.RSQRT:
          return (<T>1 / sqrt<T>(x)) as T;
        case Op.SQRT:
          return sqrt<T>(x);
        case Op.TRUNC:
          return trunc<T>(x);
      }
    }
    unreachable();
    return x;
  }

  // @ts-ignore: decorator
  @inline
  static predicate<T extends number>(op: Op, x: T): bool {
    if (op == Op.LOGICAL_NOT) return x == <T>0;
    if (isFloat<T>()) {
      if (op == Op.ISNAN) return isNaN<T>(x);
      if (op == Op.ISINF) return abs<T>(x) == <T>Infinity;
      if (op == Op.ISFINITE) return abs<T>(x) < <T>Infinity;
    }
    unreachable();
    return false;
  }

  // @ts-ignore: decorator
  @inline
  static binary<T extends number>(op: Op, a: T, b: T): T {
    switch (op) {
      case Op.ADD:
        return (a + b) as T;
      case Op.DIV:
        return (a / b) as T;
      case Op.MAXIMUM:
        return max<T>(a, b);
      case Op.MINIMUM:
        return min<T>(a, b);
      case Op.MUL:
        return (a * b) as T;
      case Op.RELU_GRAD:
        return b <= <T>0 ? <T>0 : a;
      case Op.SUB:
        return (a - b) as T;
      default:
        return Typed.integer<T>(op, a, b);
    }
  }

  /** Division as Python has it. By 0, which callers refuse, it gives 0, as a trap would end the process. */
  // @ts-ignore: decorator
  @inline
  static integer<T extends number>(op: Op, a: T, b: T): T {
    if (isInteger<T>() && (op == Op.FLOOR_DIVIDE || op == Op.REMAINDER)) {
      if (<u64>(<i64>b + 1) < 2) return op == Op.REMAINDER ? <T>0 : ((a * b) as T);
      const quotient = (a / b) as T;
      const rest = (a - quotient * b) as T;
      const apart = rest != <T>0 && rest < <T>0 != b < <T>0;
      if (op == Op.REMAINDER) return (apart ? rest + b : rest) as T;
      return (apart ? quotient - <T>1 : quotient) as T;
    }
    return Typed.logic<T>(op, a, b);
  }

  /** Over bytes that are 0 or 1. */
  // @ts-ignore: decorator
  @inline
  static logic<T extends number>(op: Op, a: T, b: T): T {
    if (isInteger<T>()) {
      if (op == Op.LOGICAL_AND) return (a & b) as T;
      if (op == Op.LOGICAL_OR) return (a | b) as T;
      if (op == Op.LOGICAL_XOR) return (a ^ b) as T;
    }
    unreachable();
    return a;
  }

  // @ts-ignore: decorator
  @inline
  static comparison<T extends number>(op: Op, a: T, b: T): bool {
    switch (op) {
      case Op.EQ:
        return a == b;
      case Op.GE:
        return a >= b;
      case Op.GT:
        return a > b;
      case Op.LE:
        return a <= b;
      case Op.LT:
        return a < b;
      default:
        return a != b;
    }
  }

  // @ts-ignore: decorator
  @inline
  static map<T extends number>(op: Op, x: usize, out: usize, p: f64, q: f64, begin: usize, end: usize): void {
    const pp = isFloat<T>() ? <T>p : <T>(<i64>p);
    const qq = isFloat<T>() ? <T>q : <T>(<i64>q);
    for (let i = begin; i < end; i++) {
      const at = i * sizeof<T>();
      if (op >= Op.ISFINITE) store<u8>(out + i, <u8>Typed.predicate<T>(op, load<T>(x + at)));
      else store<T>(out + at, Typed.unary<T>(op, load<T>(x + at), pp, qq));
    }
  }

  /** One row, or a part of one. */
  // @ts-ignore: decorator
  @inline
  static span<T extends number>(
    op: Op,
    x: usize,
    y: usize,
    out: usize,
    xStep: usize,
    yStep: usize,
    n: usize,
  ): void {
    for (; n > 0; n--) {
      if (op >= Op.EQ) store<u8>(out++, <u8>Typed.comparison<T>(op, load<T>(x), load<T>(y)));
      else {
        store<T>(out, Typed.binary<T>(op, load<T>(x), load<T>(y)));
        out += sizeof<T>();
      }
      x += xStep * sizeof<T>();
      y += yStep * sizeof<T>();
    }
  }

  /** All operations of a type share one walk over the rows, and with it most of their code. */
  static zip<T extends number>(
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
      const x = a + (row * aRow + column * aStep) * sizeof<T>();
      const y = b + (row * bRow + column * bStep) * sizeof<T>();
      const to = out + begin * (op >= Op.EQ ? 1 : sizeof<T>());
      if (sizeof<T>() == 1) Typed.byteSpan<T>(op, x, y, to, aStep, bStep, n);
      else Typed.numberSpan<T>(op, x, y, to, aStep, bStep, n);
      begin += n;
      row++;
      column = 0;
    }
  }

  // @ts-ignore: decorator
  @inline
  static numberSpan<T extends number>(
    op: Op,
    x: usize,
    y: usize,
    out: usize,
    xStep: usize,
    yStep: usize,
    n: usize,
  ): void {
    if (op == Op.ADD) Typed.span<T>(Op.ADD, x, y, out, xStep, yStep, n);
    else if (op == Op.SUB) Typed.span<T>(Op.SUB, x, y, out, xStep, yStep, n);
    else if (op == Op.MUL) Typed.span<T>(Op.MUL, x, y, out, xStep, yStep, n);
    else if (op == Op.MAXIMUM) Typed.span<T>(Op.MAXIMUM, x, y, out, xStep, yStep, n);
    else if (op == Op.MINIMUM) Typed.span<T>(Op.MINIMUM, x, y, out, xStep, yStep, n);
    else if (isInteger<T>() && op == Op.FLOOR_DIVIDE)
      Typed.span<T>(Op.FLOOR_DIVIDE, x, y, out, xStep, yStep, n);
    else if (isInteger<T>() && op == Op.REMAINDER) Typed.span<T>(Op.REMAINDER, x, y, out, xStep, yStep, n);
    else if (isFloat<T>() && op == Op.DIV) Typed.span<T>(Op.DIV, x, y, out, xStep, yStep, n);
    else if (isFloat<T>() && op == Op.RELU_GRAD) Typed.span<T>(Op.RELU_GRAD, x, y, out, xStep, yStep, n);
    else Typed.comparisonSpan<T>(op, x, y, out, xStep, yStep, n);
  }

  // @ts-ignore: decorator
  @inline
  static byteSpan<T extends number>(
    op: Op,
    x: usize,
    y: usize,
    out: usize,
    xStep: usize,
    yStep: usize,
    n: usize,
  ): void {
    if (op <= Op.LOGICAL_XOR && xStep == 1 && yStep == 1) {
      for (; n >= 16; n -= 16) {
        const a = v128.load(x);
        const b = v128.load(y);
        let both = op == Op.LOGICAL_AND ? v128.and(a, b) : v128.or(a, b);
        if (op == Op.LOGICAL_XOR) both = v128.xor(a, b);
        v128.store(out, both);
        x += 16;
        y += 16;
        out += 16;
      }
    }
    if (op == Op.LOGICAL_AND) Typed.span<T>(Op.LOGICAL_AND, x, y, out, xStep, yStep, n);
    else if (op == Op.LOGICAL_OR) Typed.span<T>(Op.LOGICAL_OR, x, y, out, xStep, yStep, n);
    else if (op == Op.LOGICAL_XOR) Typed.span<T>(Op.LOGICAL_XOR, x, y, out, xStep, yStep, n);
    else Typed.comparisonSpan<T>(op, x, y, out, xStep, yStep, n);
  }

  // @ts-ignore: decorator
  @inline
  static comparisonSpan<T extends number>(
    op: Op,
    x: usize,
    y: usize,
    out: usize,
    xStep: usize,
    yStep: usize,
    n: usize,
  ): void {
    if (op == Op.EQ) Typed.span<T>(Op.EQ, x, y, out, xStep, yStep, n);
    else if (op == Op.GE) Typed.span<T>(Op.GE, x, y, out, xStep, yStep, n);
    else if (op == Op.GT) Typed.span<T>(Op.GT, x, y, out, xStep, yStep, n);
    else if (op == Op.LE) Typed.span<T>(Op.LE, x, y, out, xStep, yStep, n);
    else if (op == Op.LT) Typed.span<T>(Op.LT, x, y, out, xStep, yStep, n);
    else Typed.span<T>(Op.NE, x, y, out, xStep, yStep, n);
  }
}
