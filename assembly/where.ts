// A choice between two operands: the result is contiguous and seen as rows of `inner` elements, as in binary.ts; the
// condition is bytes. Elements are moved by their width.

abstract class Where {
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
        let a0 = v128.load32_splat(x);
        let a1 = a0;
        let a2 = a0;
        let a3 = a0;
        let b0 = v128.load32_splat(y);
        let b1 = b0;
        let b2 = b0;
        let b3 = b0;
        for (; n >= 16; n -= 16) {
          // Lanes that take the second operand.
          const no = i8x16.eq(v128.load(c), i8x16.splat(0));
          const low = i16x8.extend_low_i8x16_s(no);
          const high = i16x8.extend_high_i8x16_s(no);
          if (aStep) {
            a0 = v128.load(x);
            a1 = v128.load(x, 16);
            a2 = v128.load(x, 32);
            a3 = v128.load(x, 48);
            x += 64;
          }
          if (bStep) {
            b0 = v128.load(y);
            b1 = v128.load(y, 16);
            b2 = v128.load(y, 32);
            b3 = v128.load(y, 48);
            y += 64;
          }
          v128.store(out, v128.bitselect(b0, a0, i32x4.extend_low_i16x8_s(low)));
          v128.store(out, v128.bitselect(b1, a1, i32x4.extend_high_i16x8_s(low)), 16);
          v128.store(out, v128.bitselect(b2, a2, i32x4.extend_low_i16x8_s(high)), 32);
          v128.store(out, v128.bitselect(b3, a3, i32x4.extend_high_i16x8_s(high)), 48);
          out += 64;
          c += 16;
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
