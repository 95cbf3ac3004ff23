// A choice between two operands: the result is contiguous and seen as rows of `inner` elements, as in binary.ts; the
// condition is bytes. Elements are moved by their width.
import { V } from './lanes';

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
      if (sizeof<T>() == 4 && cStep == 1) {
        for (; n >= 4; n -= 4) {
          const bytes = i16x8.extend_low_i8x16_u(v128.load32_zero(c));
          const no = i32x4.eq(i32x4.extend_low_i16x8_u(bytes), i32x4.splat(0));
          const u = aStep == 0 ? v128.load32_splat(x) : V.loadLanes(x, aStep, 4);
          const v = bStep == 0 ? v128.load32_splat(y) : V.loadLanes(y, bStep, 4);
          v128.store(out, v128.bitselect(v, u, no));
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
