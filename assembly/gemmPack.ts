// The loops of packing (gemmPanels.ts says what a panel is), one for each way in which lines may lie in memory.
// They are exported so that they stay functions of their own: called often, they are soon optimised code.

/** Four neighbouring 32-byte panels in one pass over k: whole cache lines are read where one panel reads halves. */
export function pack_four_panels(to: usize, from: usize, kStep: usize, k: i32): void {
  const panel = <usize>k * 32;
  const to2 = to + 2 * panel;
  for (let i: usize = 0; i < panel; i += 32) {
    v128.store(to + i, v128.load(from));
    v128.store(to + i, v128.load(from, 16), 16);
    v128.store(to + panel + i, v128.load(from, 32));
    v128.store(to + panel + i, v128.load(from, 48), 16);
    v128.store(to2 + i, v128.load(from, 64));
    v128.store(to2 + i, v128.load(from, 80), 16);
    v128.store(to2 + panel + i, v128.load(from, 96));
    v128.store(to2 + panel + i, v128.load(from, 112), 16);
    from += kStep;
  }
}

/** Lines that lie next to each other: `bytes` (a multiple of 4) per k. */
export function pack_adjacent(to: usize, pitch: usize, from: usize, kStep: usize, bytes: i32, k: i32): void {
  for (; k > 0; --k, to += pitch, from += kStep) {
    let i: i32 = 0;
    for (; i + 16 <= bytes; i += 16) v128.store(to + i, v128.load(from + i));
    if (bytes & 8) {
      store<u64>(to + i, load<u64>(from + i));
      i += 8;
    }
    if (bytes & 4) store<u32>(to + i, load<u32>(from + i));
  }
}

/** Four lines that are contiguous along k, four k at a time. */
export function pack_transpose4_f32(to: usize, pitch: usize, from: usize, step: usize, k: i32): void {
  const step2 = step * 2;
  const step3 = step * 3;
  for (; k >= 4; k -= 4) {
    const r0 = v128.load(from);
    const r1 = v128.load(from + step);
    const r2 = v128.load(from + step2);
    const r3 = v128.load(from + step3);
    const lo01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
    const hi01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
    const lo23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
    const hi23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f64>(lo01, lo23, 0, 2));
    to += pitch;
    v128.store(to, v128.shuffle<f64>(lo01, lo23, 1, 3));
    to += pitch;
    v128.store(to, v128.shuffle<f64>(hi01, hi23, 0, 2));
    to += pitch;
    v128.store(to, v128.shuffle<f64>(hi01, hi23, 1, 3));
    to += pitch;
    from += 16;
  }
  for (; k > 0; --k, to += pitch, from += 4) {
    store<u32>(to, load<u32>(from));
    store<u32>(to, load<u32>(from + step), 4);
    store<u32>(to, load<u32>(from + step2), 8);
    store<u32>(to, load<u32>(from + step3), 12);
  }
}

/** Two lines that are contiguous along k, four k at a time. */
export function pack_transpose2_f32(to: usize, pitch: usize, from: usize, step: usize, k: i32): void {
  for (; k >= 4; k -= 4) {
    const r0 = v128.load(from);
    const r1 = v128.load(from + step);
    const lo = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
    const hi = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
    v128.store_lane<u64>(to, lo, 0);
    to += pitch;
    v128.store_lane<u64>(to, lo, 1);
    to += pitch;
    v128.store_lane<u64>(to, hi, 0);
    to += pitch;
    v128.store_lane<u64>(to, hi, 1);
    to += pitch;
    from += 16;
  }
  for (; k > 0; --k, to += pitch, from += 4) {
    store<u32>(to, load<u32>(from));
    store<u32>(to, load<u32>(from + step), 4);
  }
}
