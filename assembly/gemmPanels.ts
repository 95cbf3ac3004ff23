// Packing: copies a block of a strided matrix into panels, each `width` lines wide and stored k by k, so that the
// micro-kernel reads memory in order. "Lines" are rows of A or columns of B; `step` is the distance between two of
// them and `kStep` the distance along k, both in bytes, which is how one function serves every transposition.
// The missing lines of the last panel are zeros.
import { pack_adjacent, pack_four_panels, pack_transpose2_f32, pack_transpose4_f32 } from './gemmPack';

/** Sparse products have panels of 48 floats: bytes between their rows, and the unit of the offsets in lists. */
export const PANEL_PITCH: usize = 192;

/** So much of a panel stays in L1 until all its lines are there: of one with 48 lines 12 kB. */
const K_TURN: i32 = 64;

/**
 * Packs `lines` lines of `k` elements. Panels are `width` wide; the last one has as many lines as remain, but not
 * fewer than `least`.
 */
export function packPanels<T extends number>(
  to: usize,
  from: usize,
  step: usize,
  kStep: usize,
  lines: i32,
  k: i32,
  width: i32,
  least: i32,
): void {
  let i = 0;
  if (step == sizeof<T>() && width * <i32>sizeof<T>() == 32) {
    for (; lines - i >= 4 * width; i += 4 * width) {
      pack_four_panels(to, from, kStep, k);
      to += <usize>k * 128;
      from += 128;
    }
  }
  for (; i < lines; i += width) {
    const rest = min(lines - i, width);
    const padded = max(rest, least);
    packPanel<T>(to, from, step, kStep, rest, k, padded);
    to += <usize>k * padded * sizeof<T>();
    from += <usize>width * step;
  }
}

function packPanel<T extends number>(
  to: usize,
  from: usize,
  step: usize,
  kStep: usize,
  lines: i32,
  k: i32,
  width: i32,
): void {
  const pitch = <usize>width * sizeof<T>();
  let i = 0;
  if (step == sizeof<T>()) {
    pack_adjacent(to, pitch, from, kStep, lines * sizeof<T>(), k);
    i = lines;
  } else if (sizeof<T>() == 4 && kStep == 4) {
    for (let q = 0; q < k; q += K_TURN) {
      const some = min(k - q, K_TURN);
      const at = to + <usize>q * pitch;
      const line = from + ((<usize>q) << 2);
      i = 0;
      for (; lines - i >= 4; i += 4)
        pack_transpose4_f32(at + i * 4, pitch, line + <usize>i * step, step, some);
      for (; lines - i >= 2; i += 2)
        pack_transpose2_f32(at + i * 4, pitch, line + <usize>i * step, step, some);
    }
  }
  for (; i < width; ++i) {
    let p = to + i * sizeof<T>();
    let q = from + <usize>i * step;
    if (i < lines) {
      for (let j = k; j > 0; --j, p += pitch, q += kStep) store<T>(p, load<T>(q));
    } else {
      for (let j = k; j > 0; --j, p += pitch) store<T>(p, 0 as T);
    }
  }
}
