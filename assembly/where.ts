// A choice between two operands: the result is contiguous and seen as rows of `inner` elements, as in binary.ts; the
// condition is bytes. Elements are moved by their width.

abstract class Where {
  /** Four results; `no` are the lanes that take the second operand. */
  // @ts-ignore: decorator
  @inline
  static four(no: v128, x: usize, y: usize, out: usize, aStep: usize, bStep: usize): void {
    const u = aStep ? v128.load(x) : v128.load32_splat(x);
    v128.store(out, v128.bitselect(bStep ? v128.load(y) : v128.load32_splat(y), u, no));
  }

  // @ts-ignore: decorator
  @inline
  static run<T extends number>(
    condition: usize,
    a: usize,
    b: usize,
    out: usize,
    inner: usize,
    cRow: usize,
    cStep: usize,
    aRow: usize,
    aStep: usize,
    bRow: usize,
    bStep: usize,
    begin: usize,
    end: usize,
  ): void {
    let row = begin / inner;
    let column = begin % inner;
    out += begin * sizeof<T>();
    while (begin < end) {
      let n = min(inner - column, end - begin);
      begin += n;
      let c = condition + row * cRow + column * cStep;
      let x = a + (row * aRow + column * aStep) * sizeof<T>();
      let y = b + (row * bRow + column * bStep) * sizeof<T>();
      if (sizeof<T>() == 4 && cStep == 1 && aStep <= 1 && bStep <= 1) {
        for (; n >= 16; n -= 16) {
          const no = i8x16.eq(v128.load(c), i8x16.splat(0));
          const low = i16x8.extend_low_i8x16_s(no);
          const high = i16x8.extend_high_i8x16_s(no);
          const u = aStep << 4;
          const v = bStep << 4;
          Where.four(i32x4.extend_low_i16x8_s(low), x, y, out, aStep, bStep);
          Where.four(i32x4.extend_high_i16x8_s(low), x + u, y + v, out + 16, aStep, bStep);
          Where.four(i32x4.extend_low_i16x8_s(high), x + 2 * u, y + 2 * v, out + 32, aStep, bStep);
          Where.four(i32x4.extend_high_i16x8_s(high), x + 3 * u, y + 3 * v, out + 48, aStep, bStep);
          out += 64;
          c += 16;
          x += 4 * u;
          y += 4 * v;
        }
        for (; n >= 4; n -= 4) {
          const no = i16x8.extend_low_i8x16_s(i8x16.eq(v128.load32_zero(c), i8x16.splat(0)));
          Where.four(i32x4.extend_low_i16x8_s(no), x, y, out, aStep, bStep);
          out += 16;
          c += 4;
          x += aStep << 4;
          y += bStep << 4;
        }
      }
      for (; n > 0; n--) {
        store<T>(out, load<u8>(c) ? load<T>(x) : load<T>(y));
        out += sizeof<T>();
        c += cStep;
        x += aStep * sizeof<T>();
        y += bStep * sizeof<T>();
      }
      row++;
      column = 0;
    }
  }
}

export function where_u8(
  condition: usize,
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  cRow: usize,
  cStep: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Where.run<u8>(condition, a, b, out, inner, cRow, cStep, aRow, aStep, bRow, bStep, begin, end);
}

export function where_u32(
  condition: usize,
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  cRow: usize,
  cStep: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Where.run<u32>(condition, a, b, out, inner, cRow, cStep, aRow, aStep, bRow, bStep, begin, end);
}

export function where_u64(
  condition: usize,
  a: usize,
  b: usize,
  out: usize,
  inner: usize,
  cRow: usize,
  cStep: usize,
  aRow: usize,
  aStep: usize,
  bRow: usize,
  bStep: usize,
  begin: usize,
  end: usize,
): void {
  Where.run<u64>(condition, a, b, out, inner, cRow, cStep, aRow, aStep, bRow, bStep, begin, end);
}
