// The loops behind gemmSparse.ts: lists of the non-zeros of a row, panels of B that are 192 bytes (48 columns) wide,
// and the product of one list with one panel. The product is bound by its loads: one per multiply-add, so that fused
// multiply-add hardly matters here. For the form of the loops see gemmMicro.ts.
import { PANEL_PITCH } from './gemmPanels';
import { V } from './lanes';

/** Time for the list of a row, in percent of that for one as long of a pair: measured, all in. */
const PAIR_COST: i32 = 64;

/** For each mask of four lanes, the bytes that move the lanes it names to the front; the others are written over. */
// biome-ignore format: a mask a line
const FRONT = memory.data<u32>(
  [
    0, 0, 0, 0,
    0x03020100, 0, 0, 0,
    0x07060504, 0, 0, 0,
    0x03020100, 0x07060504, 0, 0,
    0x0b0a0908, 0, 0, 0,
    0x03020100, 0x0b0a0908, 0, 0,
    0x07060504, 0x0b0a0908, 0, 0,
    0x03020100, 0x07060504, 0x0b0a0908, 0,
    0x0f0e0d0c, 0, 0, 0,
    0x03020100, 0x0f0e0d0c, 0, 0,
    0x07060504, 0x0f0e0d0c, 0, 0,
    0x03020100, 0x07060504, 0x0f0e0d0c, 0,
    0x0b0a0908, 0x0f0e0d0c, 0, 0,
    0x03020100, 0x0b0a0908, 0x0f0e0d0c, 0,
    0x07060504, 0x0b0a0908, 0x0f0e0d0c, 0,
    0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c,
  ],
  16,
);

/**
 * Lists the non-zeros of `k` contiguous floats as pairs (k · 192, value); returns the end of the list, which needs
 * room for k + 4 pairs. Without a branch: where zeros begin and end nothing foretells.
 */
export function sparse_list(list: usize, row: usize, k: i32): usize {
  const zero = f32x4.splat(0);
  const step = i32x4.splat(4 * <i32>PANEL_PITCH);
  let offsets = i32x4(0, <i32>PANEL_PITCH, 2 * <i32>PANEL_PITCH, 3 * <i32>PANEL_PITCH);
  for (; k >= 4; k -= 4, row += 16) {
    const x = v128.load(row);
    const mask = i32x4.bitmask(f32x4.ne(x, zero));
    const front = v128.load(FRONT + ((<usize>mask) << 4));
    const o = i8x16.swizzle(offsets, front);
    const v = i8x16.swizzle(x, front);
    v128.store(list, v128.shuffle<i32>(o, v, 0, 4, 1, 5));
    v128.store(list, v128.shuffle<i32>(o, v, 2, 6, 3, 7), 16);
    list += (<usize>popcnt(mask)) << 3;
    offsets = i32x4.add(offsets, step);
  }
  let offset = <u32>i32x4.extract_lane(offsets, 0);
  for (; k > 0; --k, row += 4, offset += <u32>PANEL_PITCH) {
    if (load<f32>(row) == 0) continue;
    store<u32>(list, offset);
    store<u32>(list, load<u32>(row), 4);
    list += 8;
  }
  return list;
}

/**
 * The same for two rows `pitch` bytes apart, listed where either is not zero: triples (k · 192, value, value below).
 * The list needs room for k + 5 triples.
 */
export function sparse_list_pair(list: usize, row: usize, pitch: usize, k: i32): usize {
  const zero = f32x4.splat(0);
  const step = i32x4.splat(4 * <i32>PANEL_PITCH);
  let below = row + pitch;
  let offsets = i32x4(0, <i32>PANEL_PITCH, 2 * <i32>PANEL_PITCH, 3 * <i32>PANEL_PITCH);
  for (; k >= 4; k -= 4, row += 16, below += 16) {
    const x = v128.load(row);
    const y = v128.load(below);
    const mask = i32x4.bitmask(v128.or(f32x4.ne(x, zero), f32x4.ne(y, zero)));
    const front = v128.load(FRONT + ((<usize>mask) << 4));
    const o = i8x16.swizzle(offsets, front);
    const u = i8x16.swizzle(x, front);
    const v = i8x16.swizzle(y, front);
    const ou0 = v128.shuffle<i32>(o, u, 0, 4, 1, 5);
    const ou2 = v128.shuffle<i32>(o, u, 2, 6, 3, 7);
    const v0 = v128.shuffle<i32>(v, v, 0, 4, 1, 5);
    const v2 = v128.shuffle<i32>(v, v, 2, 6, 3, 7);
    // Each store writes a lane too many, which the next one replaces.
    v128.store(list, v128.shuffle<i64>(ou0, v0, 0, 2));
    v128.store(list, v128.shuffle<i64>(ou0, v0, 1, 3), 12);
    v128.store(list, v128.shuffle<i64>(ou2, v2, 0, 2), 24);
    v128.store(list, v128.shuffle<i64>(ou2, v2, 1, 3), 36);
    list += <usize>popcnt(mask) * 12;
    offsets = i32x4.add(offsets, step);
  }
  let offset = <u32>i32x4.extract_lane(offsets, 0);
  for (; k > 0; --k, row += 4, below += 4, offset += <u32>PANEL_PITCH) {
    if (load<f32>(row) == 0 && load<f32>(below) == 0) continue;
    store<u32>(list, offset);
    store<u32>(list, load<u32>(row), 4);
    store<u32>(list, load<u32>(below), 8);
    list += 12;
  }
  return list;
}

/** Positive where two rows are multiplied faster as a pair: where most of their non-zeros lie in the same places. */
export function sparse_shared(row: usize, pitch: usize, k: i32): i32 {
  const zero = f32x4.splat(0);
  const below = row + pitch;
  const end = (<usize>(k & -4)) << 2;
  let singles = 0;
  let either = 0;
  for (let i: usize = 0; i < end; i += 16) {
    const x = f32x4.ne(v128.load(row + i), zero);
    const y = f32x4.ne(v128.load(below + i), zero);
    singles += popcnt(i32x4.bitmask(x)) + popcnt(i32x4.bitmask(y));
    either += popcnt(i32x4.bitmask(v128.or(x, y)));
  }
  return singles * PAIR_COST - either * 100;
}

/** Copies `k` rows of 48 floats into a panel; whether all of them are finite. */
export function sparse_pack_panel(panel: usize, from: usize, kStep: usize, k: i32): bool {
  let odd = i64x2.splat(0);
  for (; k > 0; --k, panel += PANEL_PITCH, from += kStep) {
    for (let i: usize = 0; i < PANEL_PITCH; i += 64) {
      const x0 = v128.load(from + i);
      const x1 = v128.load(from + i, 16);
      const x2 = v128.load(from + i, 32);
      const x3 = v128.load(from + i, 48);
      v128.store(panel + i, x0);
      v128.store(panel + i, x1, 16);
      v128.store(panel + i, x2, 32);
      v128.store(panel + i, x3, 48);
      // x - x is +0 for finite x and NaN otherwise.
      const odd01 = v128.or(f32x4.sub(x0, x0), f32x4.sub(x1, x1));
      odd = v128.or(odd, v128.or(odd01, v128.or(f32x4.sub(x2, x2), f32x4.sub(x3, x3))));
    }
  }
  return !v128.any_true(odd);
}

/** Whether all floats of `bytes` (a multiple of 16) are finite. */
export function sparse_all_finite(from: usize, bytes: usize): bool {
  let odd = i64x2.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(from + i);
    odd = v128.or(odd, f32x4.sub(x, x));
  }
  return !v128.any_true(odd);
}

/** 48 columns of one row of C: the list [list, end) times a panel, starting from zero or from what C holds. */
export function sparse_row48(list: usize, end: usize, panel: usize, c: usize, resume: bool): void {
  let c0: v128, c1: v128, c2: v128, c3: v128, c4: v128, c5: v128;
  let c6: v128, c7: v128, c8: v128, c9: v128, c10: v128, c11: v128;
  if (resume) {
    c0 = v128.load(c);
    c1 = v128.load(c, 16);
    c2 = v128.load(c, 32);
    c3 = v128.load(c, 48);
    c4 = v128.load(c, 64);
    c5 = v128.load(c, 80);
    c6 = v128.load(c, 96);
    c7 = v128.load(c, 112);
    c8 = v128.load(c, 128);
    c9 = v128.load(c, 144);
    c10 = v128.load(c, 160);
    c11 = v128.load(c, 176);
  } else {
    c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = c8 = c9 = c10 = c11 = i64x2.splat(0);
  }
  for (; list < end; list += 8) {
    const p = panel + load<u32>(list);
    const s = v128.load32_splat(list, 4);
    c0 = V.madd<f32>(s, v128.load(p), c0);
    c1 = V.madd<f32>(s, v128.load(p, 16), c1);
    c2 = V.madd<f32>(s, v128.load(p, 32), c2);
    c3 = V.madd<f32>(s, v128.load(p, 48), c3);
    c4 = V.madd<f32>(s, v128.load(p, 64), c4);
    c5 = V.madd<f32>(s, v128.load(p, 80), c5);
    c6 = V.madd<f32>(s, v128.load(p, 96), c6);
    c7 = V.madd<f32>(s, v128.load(p, 112), c7);
    c8 = V.madd<f32>(s, v128.load(p, 128), c8);
    c9 = V.madd<f32>(s, v128.load(p, 144), c9);
    c10 = V.madd<f32>(s, v128.load(p, 160), c10);
    c11 = V.madd<f32>(s, v128.load(p, 176), c11);
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
  v128.store(c, c4, 64);
  v128.store(c, c5, 80);
  v128.store(c, c6, 96);
  v128.store(c, c7, 112);
  v128.store(c, c8, 128);
  v128.store(c, c9, 144);
  v128.store(c, c10, 160);
  v128.store(c, c11, 176);
}

/**
 * 24 columns of two rows of C, at `c` and `below`: a list of pairs times half a panel. Each vector of the panel is loaded
 * for both rows, so this is bound by its multiply-adds.
 */
export function sparse_pair24(
  list: usize,
  end: usize,
  panel: usize,
  c: usize,
  below: usize,
  resume: bool,
): void {
  let c0: v128, c1: v128, c2: v128, c3: v128, c4: v128, c5: v128;
  let d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128;
  if (resume) {
    c0 = v128.load(c);
    d0 = v128.load(below);
    c1 = v128.load(c, 16);
    d1 = v128.load(below, 16);
    c2 = v128.load(c, 32);
    d2 = v128.load(below, 32);
    c3 = v128.load(c, 48);
    d3 = v128.load(below, 48);
    c4 = v128.load(c, 64);
    d4 = v128.load(below, 64);
    c5 = v128.load(c, 80);
    d5 = v128.load(below, 80);
  } else {
    c0 = c1 = c2 = c3 = c4 = c5 = d0 = d1 = d2 = d3 = d4 = d5 = i64x2.splat(0);
  }
  for (; list < end; list += 12) {
    const p = panel + load<u32>(list);
    const s = v128.load32_splat(list, 4);
    const t = v128.load32_splat(list, 8);
    const b0 = v128.load(p);
    c0 = V.madd<f32>(s, b0, c0);
    d0 = V.madd<f32>(t, b0, d0);
    const b1 = v128.load(p, 16);
    c1 = V.madd<f32>(s, b1, c1);
    d1 = V.madd<f32>(t, b1, d1);
    const b2 = v128.load(p, 32);
    c2 = V.madd<f32>(s, b2, c2);
    d2 = V.madd<f32>(t, b2, d2);
    const b3 = v128.load(p, 48);
    c3 = V.madd<f32>(s, b3, c3);
    d3 = V.madd<f32>(t, b3, d3);
    const b4 = v128.load(p, 64);
    c4 = V.madd<f32>(s, b4, c4);
    d4 = V.madd<f32>(t, b4, d4);
    const b5 = v128.load(p, 80);
    c5 = V.madd<f32>(s, b5, c5);
    d5 = V.madd<f32>(t, b5, d5);
  }
  v128.store(c, c0);
  v128.store(below, d0);
  v128.store(c, c1, 16);
  v128.store(below, d1, 16);
  v128.store(c, c2, 32);
  v128.store(below, d2, 32);
  v128.store(c, c3, 48);
  v128.store(below, d3, 48);
  v128.store(c, c4, 64);
  v128.store(below, d4, 64);
  v128.store(c, c5, 80);
  v128.store(below, d5, 80);
}

/** The same as sparse_row48 for 24 columns, for what a width leaves over. */
export function sparse_row24(list: usize, end: usize, panel: usize, c: usize, resume: bool): void {
  let c0: v128, c1: v128, c2: v128, c3: v128, c4: v128, c5: v128;
  if (resume) {
    c0 = v128.load(c);
    c1 = v128.load(c, 16);
    c2 = v128.load(c, 32);
    c3 = v128.load(c, 48);
    c4 = v128.load(c, 64);
    c5 = v128.load(c, 80);
  } else {
    c0 = c1 = c2 = c3 = c4 = c5 = i64x2.splat(0);
  }
  for (; list < end; list += 8) {
    const p = panel + load<u32>(list);
    const s = v128.load32_splat(list, 4);
    c0 = V.madd<f32>(s, v128.load(p), c0);
    c1 = V.madd<f32>(s, v128.load(p, 16), c1);
    c2 = V.madd<f32>(s, v128.load(p, 32), c2);
    c3 = V.madd<f32>(s, v128.load(p, 48), c3);
    c4 = V.madd<f32>(s, v128.load(p, 64), c4);
    c5 = V.madd<f32>(s, v128.load(p, 80), c5);
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
  v128.store(c, c4, 64);
  v128.store(c, c5, 80);
}
