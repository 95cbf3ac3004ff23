// The innermost loops of the matrix product: a tile of 4, 5 or 6 rows by 32 bytes of columns (8 floats, 4 doubles)
// stays in registers while k runs. Their form is dictated by the optimising compilers behind WebAssembly:
// one k per iteration (unrolled by hand, all loads are hoisted and the tile spills), accumulators updated and stored
// in the same order, no arithmetic on them after the loop, and each kernel exported, so that it is never inlined
// into a caller. 15 registers are usable: 6 rows fit where multiply-add is one instruction, 5 where the product
// needs a register of its own.
//
// A is read by two strides, B by one: packed panels and the operand's own storage go through the same code at the
// same speed. Sums run over k in order, starting from zero or, with `resume`, from what C holds.
import { V } from './lanes';

abstract class Tile {
  // @ts-ignore: decorator
  @inline
  static rows4<T extends number>(
    k: i32,
    a: usize,
    aRow: usize,
    aCol: usize,
    b: usize,
    bRow: usize,
    c: usize,
    cRow: usize,
    resume: bool,
  ): void {
    let c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128;
    const a2 = aRow * 2;
    const a3 = aRow * 3;
    if (resume) {
      let p = c;
      c00 = v128.load(p);
      c01 = v128.load(p, 16);
      p += cRow;
      c10 = v128.load(p);
      c11 = v128.load(p, 16);
      p += cRow;
      c20 = v128.load(p);
      c21 = v128.load(p, 16);
      p += cRow;
      c30 = v128.load(p);
      c31 = v128.load(p, 16);
    } else {
      c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = i64x2.splat(0);
    }
    for (; k > 0; --k) {
      const b0 = v128.load(b);
      const b1 = v128.load(b, 16);
      let s = v128.load_splat<T>(a);
      c00 = V.madd<T>(s, b0, c00);
      c01 = V.madd<T>(s, b1, c01);
      s = v128.load_splat<T>(a + aRow);
      c10 = V.madd<T>(s, b0, c10);
      c11 = V.madd<T>(s, b1, c11);
      s = v128.load_splat<T>(a + a2);
      c20 = V.madd<T>(s, b0, c20);
      c21 = V.madd<T>(s, b1, c21);
      s = v128.load_splat<T>(a + a3);
      c30 = V.madd<T>(s, b0, c30);
      c31 = V.madd<T>(s, b1, c31);
      a += aCol;
      b += bRow;
    }
    v128.store(c, c00);
    v128.store(c, c01, 16);
    c += cRow;
    v128.store(c, c10);
    v128.store(c, c11, 16);
    c += cRow;
    v128.store(c, c20);
    v128.store(c, c21, 16);
    c += cRow;
    v128.store(c, c30);
    v128.store(c, c31, 16);
  }

  // @ts-ignore: decorator
  @inline
  static rows5<T extends number>(
    k: i32,
    a: usize,
    aRow: usize,
    aCol: usize,
    b: usize,
    bRow: usize,
    c: usize,
    cRow: usize,
    resume: bool,
  ): void {
    let c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128;
    let c40: v128, c41: v128;
    const a2 = aRow * 2;
    const a3 = aRow * 3;
    const a4 = aRow * 4;
    if (resume) {
      let p = c;
      c00 = v128.load(p);
      c01 = v128.load(p, 16);
      p += cRow;
      c10 = v128.load(p);
      c11 = v128.load(p, 16);
      p += cRow;
      c20 = v128.load(p);
      c21 = v128.load(p, 16);
      p += cRow;
      c30 = v128.load(p);
      c31 = v128.load(p, 16);
      p += cRow;
      c40 = v128.load(p);
      c41 = v128.load(p, 16);
    } else {
      c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = i64x2.splat(0);
    }
    for (; k > 0; --k) {
      const b0 = v128.load(b);
      const b1 = v128.load(b, 16);
      let s = v128.load_splat<T>(a);
      c00 = V.madd<T>(s, b0, c00);
      c01 = V.madd<T>(s, b1, c01);
      s = v128.load_splat<T>(a + aRow);
      c10 = V.madd<T>(s, b0, c10);
      c11 = V.madd<T>(s, b1, c11);
      s = v128.load_splat<T>(a + a2);
      c20 = V.madd<T>(s, b0, c20);
      c21 = V.madd<T>(s, b1, c21);
      s = v128.load_splat<T>(a + a3);
      c30 = V.madd<T>(s, b0, c30);
      c31 = V.madd<T>(s, b1, c31);
      s = v128.load_splat<T>(a + a4);
      c40 = V.madd<T>(s, b0, c40);
      c41 = V.madd<T>(s, b1, c41);
      a += aCol;
      b += bRow;
    }
    v128.store(c, c00);
    v128.store(c, c01, 16);
    c += cRow;
    v128.store(c, c10);
    v128.store(c, c11, 16);
    c += cRow;
    v128.store(c, c20);
    v128.store(c, c21, 16);
    c += cRow;
    v128.store(c, c30);
    v128.store(c, c31, 16);
    c += cRow;
    v128.store(c, c40);
    v128.store(c, c41, 16);
  }

  // @ts-ignore: decorator
  @inline
  static rows6<T extends number>(
    k: i32,
    a: usize,
    aRow: usize,
    aCol: usize,
    b: usize,
    bRow: usize,
    c: usize,
    cRow: usize,
    resume: bool,
  ): void {
    let c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128;
    let c40: v128, c41: v128, c50: v128, c51: v128;
    const a2 = aRow * 2;
    const a3 = aRow * 3;
    const a4 = aRow * 4;
    const a5 = aRow * 5;
    if (resume) {
      let p = c;
      c00 = v128.load(p);
      c01 = v128.load(p, 16);
      p += cRow;
      c10 = v128.load(p);
      c11 = v128.load(p, 16);
      p += cRow;
      c20 = v128.load(p);
      c21 = v128.load(p, 16);
      p += cRow;
      c30 = v128.load(p);
      c31 = v128.load(p, 16);
      p += cRow;
      c40 = v128.load(p);
      c41 = v128.load(p, 16);
      p += cRow;
      c50 = v128.load(p);
      c51 = v128.load(p, 16);
    } else {
      c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = i64x2.splat(0);
    }
    for (; k > 0; --k) {
      const b0 = v128.load(b);
      const b1 = v128.load(b, 16);
      let s = v128.load_splat<T>(a);
      c00 = V.madd<T>(s, b0, c00);
      c01 = V.madd<T>(s, b1, c01);
      s = v128.load_splat<T>(a + aRow);
      c10 = V.madd<T>(s, b0, c10);
      c11 = V.madd<T>(s, b1, c11);
      s = v128.load_splat<T>(a + a2);
      c20 = V.madd<T>(s, b0, c20);
      c21 = V.madd<T>(s, b1, c21);
      s = v128.load_splat<T>(a + a3);
      c30 = V.madd<T>(s, b0, c30);
      c31 = V.madd<T>(s, b1, c31);
      s = v128.load_splat<T>(a + a4);
      c40 = V.madd<T>(s, b0, c40);
      c41 = V.madd<T>(s, b1, c41);
      s = v128.load_splat<T>(a + a5);
      c50 = V.madd<T>(s, b0, c50);
      c51 = V.madd<T>(s, b1, c51);
      a += aCol;
      b += bRow;
    }
    v128.store(c, c00);
    v128.store(c, c01, 16);
    c += cRow;
    v128.store(c, c10);
    v128.store(c, c11, 16);
    c += cRow;
    v128.store(c, c20);
    v128.store(c, c21, 16);
    c += cRow;
    v128.store(c, c30);
    v128.store(c, c31, 16);
    c += cRow;
    v128.store(c, c40);
    v128.store(c, c41, 16);
    c += cRow;
    v128.store(c, c50);
    v128.store(c, c51, 16);
  }
}

export function gemm_tile4_f32(
  k: i32,
  a: usize,
  aRow: usize,
  aCol: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  resume: bool,
): void {
  Tile.rows4<f32>(k, a, aRow, aCol, b, bRow, c, cRow, resume);
}

export function gemm_tile5_f32(
  k: i32,
  a: usize,
  aRow: usize,
  aCol: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  resume: bool,
): void {
  Tile.rows5<f32>(k, a, aRow, aCol, b, bRow, c, cRow, resume);
}

export function gemm_tile6_f32(
  k: i32,
  a: usize,
  aRow: usize,
  aCol: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  resume: bool,
): void {
  Tile.rows6<f32>(k, a, aRow, aCol, b, bRow, c, cRow, resume);
}

export function gemm_tile4_f64(
  k: i32,
  a: usize,
  aRow: usize,
  aCol: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  resume: bool,
): void {
  Tile.rows4<f64>(k, a, aRow, aCol, b, bRow, c, cRow, resume);
}

export function gemm_tile5_f64(
  k: i32,
  a: usize,
  aRow: usize,
  aCol: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  resume: bool,
): void {
  Tile.rows5<f64>(k, a, aRow, aCol, b, bRow, c, cRow, resume);
}

export function gemm_tile6_f64(
  k: i32,
  a: usize,
  aRow: usize,
  aCol: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  resume: bool,
): void {
  Tile.rows6<f64>(k, a, aRow, aCol, b, bRow, c, cRow, resume);
}
