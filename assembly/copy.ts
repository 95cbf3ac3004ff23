// Moving elements of 1, 2, 4 and 8 bytes without looking at them. Sizes and strides are in elements.
import { V } from './lanes';

abstract class Copy {
  /** One row. */
  // @ts-ignore: decorator
  @inline
  static row<T extends number>(x: usize, out: usize, n: usize, xStep: usize, outStep: usize): void {
    if (xStep == 1 && outStep == 1) {
      V.copy(out, x, n * sizeof<T>());
      return;
    }
    if (xStep == 0 && outStep == 1) {
      Copy.fill<T>(x, out, 0, n);
      return;
    }
    if (sizeof<T>() == 4 && xStep == -1 && outStep == 1) {
      for (; n >= 4; n -= 4) {
        const v = v128.load(x - 12);
        v128.store(out, v128.shuffle<i32>(v, v, 3, 2, 1, 0));
        x -= 16;
        out += 16;
      }
    }
    for (; n > 0; n--) {
      store<T>(out, load<T>(x));
      x += xStep * sizeof<T>();
      out += outStep * sizeof<T>();
    }
  }

  /** Rows [begin, end) of [d0, d1, d2, n], counted through d2, then d1, then d0. */
  // @ts-ignore: decorator
  @inline
  static strided<T extends number>(
    x: usize,
    out: usize,
    d1: usize,
    d2: usize,
    n: usize,
    x0: usize,
    x1: usize,
    x2: usize,
    x3: usize,
    out0: usize,
    out1: usize,
    out2: usize,
    out3: usize,
    begin: usize,
    end: usize,
  ): void {
    let i2 = begin % d2;
    let i1 = (begin / d2) % d1;
    let i0 = begin / d2 / d1;
    for (let row = begin; row < end; row++) {
      const from = x + (i0 * x0 + i1 * x1 + i2 * x2) * sizeof<T>();
      const to = out + (i0 * out0 + i1 * out1 + i2 * out2) * sizeof<T>();
      Copy.row<T>(from, to, n, x3, out3);
      if (++i2 < d2) continue;
      i2 = 0;
      if (++i1 < d1) continue;
      i1 = 0;
      i0++;
    }
  }

  // @ts-ignore: decorator
  @inline
  static fill<T extends number>(value: usize, out: usize, begin: usize, end: usize): void {
    const v = load<T>(value);
    const vector = v128.splat<T>(v);
    const stop = out + end * sizeof<T>();
    out += begin * sizeof<T>();
    for (; out + 16 <= stop; out += 16) v128.store(out, vector);
    for (; out < stop; out += sizeof<T>()) store<T>(out, v);
  }

  /**
   * Transposes matrices [n, m] of a batch: rows [begin, end) of the results [m, n], counted through the batch. Blocks
   * of 16 rows are read a line of the source at a time, so that a pitch of a power of two costs no more than another.
   */
  // @ts-ignore: decorator
  @inline
  static transpose<T extends number>(
    x: usize,
    out: usize,
    m: usize,
    n: usize,
    xBatch: usize,
    xPitch: usize,
    outBatch: usize,
    outPitch: usize,
    begin: usize,
    end: usize,
  ): void {
    let batch = begin / m;
    let row = begin % m;
    while (begin < end) {
      const rows = min(min(m - row, end - begin), 16);
      const from = x + (batch * xBatch + row) * sizeof<T>();
      const to = out + (batch * outBatch + row * outPitch) * sizeof<T>();
      Copy.block<T>(from, to, rows, n, xPitch * sizeof<T>(), outPitch * sizeof<T>());
      begin += rows;
      row += rows;
      if (row == m) {
        row = 0;
        batch++;
      }
    }
  }

  /** out[i][j] = x[j][i] for i < rows, j < n; pitches in bytes. */
  // @ts-ignore: decorator
  @inline
  static block<T extends number>(
    x: usize,
    out: usize,
    rows: usize,
    n: usize,
    xPitch: usize,
    outPitch: usize,
  ): void {
    let j: usize = 0;
    if (sizeof<T>() == 4) {
      for (; j + 4 <= n; j += 4) {
        const from = x + j * xPitch;
        const to = out + (j << 2);
        let i: usize = 0;
        for (; i + 4 <= rows; i += 4) Copy.tile(from + (i << 2), to + i * outPitch, xPitch, outPitch);
        for (; i < rows; i++) {
          for (let k: usize = 0; k < 4; k++)
            store<u32>(to + i * outPitch + (k << 2), load<u32>(from + (i << 2) + k * xPitch));
        }
      }
    }
    for (; j < n; j++) {
      for (let i: usize = 0; i < rows; i++) {
        store<T>(out + i * outPitch + j * sizeof<T>(), load<T>(x + j * xPitch + i * sizeof<T>()));
      }
    }
  }

  /** Four by four elements of four bytes. */
  // @ts-ignore: decorator
  @inline
  static tile(x: usize, out: usize, xPitch: usize, outPitch: usize): void {
    const a = v128.load(x);
    const b = v128.load(x + xPitch);
    const c = v128.load(x + 2 * xPitch);
    const d = v128.load(x + 3 * xPitch);
    const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
    const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
    const AB = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
    const CD = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
    v128.store(out, v128.shuffle<i64>(ab, cd, 0, 2));
    v128.store(out + outPitch, v128.shuffle<i64>(ab, cd, 1, 3));
    v128.store(out + 2 * outPitch, v128.shuffle<i64>(AB, CD, 0, 2));
    v128.store(out + 3 * outPitch, v128.shuffle<i64>(AB, CD, 1, 3));
  }
}

export function fill_u8(value: usize, out: usize, begin: usize, end: usize): void {
  Copy.fill<u8>(value, out, begin, end);
}

export function fill_u16(value: usize, out: usize, begin: usize, end: usize): void {
  Copy.fill<u16>(value, out, begin, end);
}

export function fill_u32(value: usize, out: usize, begin: usize, end: usize): void {
  Copy.fill<u32>(value, out, begin, end);
}

export function fill_u64(value: usize, out: usize, begin: usize, end: usize): void {
  Copy.fill<u64>(value, out, begin, end);
}

export function copy_u8(
  x: usize,
  out: usize,
  d1: usize,
  d2: usize,
  n: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  out0: usize,
  out1: usize,
  out2: usize,
  out3: usize,
  begin: usize,
  end: usize,
): void {
  Copy.strided<u8>(x, out, d1, d2, n, x0, x1, x2, x3, out0, out1, out2, out3, begin, end);
}

export function copy_u16(
  x: usize,
  out: usize,
  d1: usize,
  d2: usize,
  n: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  out0: usize,
  out1: usize,
  out2: usize,
  out3: usize,
  begin: usize,
  end: usize,
): void {
  Copy.strided<u16>(x, out, d1, d2, n, x0, x1, x2, x3, out0, out1, out2, out3, begin, end);
}

export function copy_u32(
  x: usize,
  out: usize,
  d1: usize,
  d2: usize,
  n: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  out0: usize,
  out1: usize,
  out2: usize,
  out3: usize,
  begin: usize,
  end: usize,
): void {
  Copy.strided<u32>(x, out, d1, d2, n, x0, x1, x2, x3, out0, out1, out2, out3, begin, end);
}

export function copy_u64(
  x: usize,
  out: usize,
  d1: usize,
  d2: usize,
  n: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  out0: usize,
  out1: usize,
  out2: usize,
  out3: usize,
  begin: usize,
  end: usize,
): void {
  Copy.strided<u64>(x, out, d1, d2, n, x0, x1, x2, x3, out0, out1, out2, out3, begin, end);
}

export function transpose_u32(
  x: usize,
  out: usize,
  m: usize,
  n: usize,
  xBatch: usize,
  xPitch: usize,
  outBatch: usize,
  outPitch: usize,
  begin: usize,
  end: usize,
): void {
  Copy.transpose<u32>(x, out, m, n, xBatch, xPitch, outBatch, outPitch, begin, end);
}

export function transpose_u64(
  x: usize,
  out: usize,
  m: usize,
  n: usize,
  xBatch: usize,
  xPitch: usize,
  outBatch: usize,
  outPitch: usize,
  begin: usize,
  end: usize,
): void {
  Copy.transpose<u64>(x, out, m, n, xBatch, xPitch, outBatch, outPitch, begin, end);
}
