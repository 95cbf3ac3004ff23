// The loops behind gemmSparse.ts: lists of the non-zeros of a row, panels of B that are 192 bytes (48 columns) wide,
// and the product of one list with one panel. The product is bound by its loads: one per multiply-add, so that fused
// multiply-add hardly matters here. For the form of the loops see gemmMicro.ts.
import { PANEL_PITCH } from './gemmPanels';
import { V } from './lanes';

/**
 * Lists the non-zeros of `k` contiguous floats as pairs (k · 192, value); returns the end of the list, which needs
 * room for k + 4 pairs.
 */
export function sparse_list(list: usize, row: usize, k: i32): usize {
  const zero = f32x4.splat(0);
  let offset: u32 = 0;
  for (; k >= 4; k -= 4, row += 16, offset += 4 * <u32>PANEL_PITCH) {
    const mask = i32x4.bitmask(f32x4.ne(v128.load(row), zero));
    if (mask == 0) continue;
    store<u32>(list, offset);
    store<u32>(list, load<u32>(row), 4);
    list += (mask & 1) << 3;
    store<u32>(list, offset + <u32>PANEL_PITCH);
    store<u32>(list, load<u32>(row, 4), 4);
    list += (mask & 2) << 2;
    store<u32>(list, offset + 2 * <u32>PANEL_PITCH);
    store<u32>(list, load<u32>(row, 8), 4);
    list += (mask & 4) << 1;
    store<u32>(list, offset + 3 * <u32>PANEL_PITCH);
    store<u32>(list, load<u32>(row, 12), 4);
    list += mask & 8;
  }
  for (; k > 0; --k, row += 4, offset += <u32>PANEL_PITCH) {
    if (load<f32>(row) == 0) continue;
    store<u32>(list, offset);
    store<u32>(list, load<u32>(row), 4);
    list += 8;
  }
  return list;
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

/** The same for 24 columns, for what a width leaves over. */
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
