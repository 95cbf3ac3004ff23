// Windows of a convolution's input written out as columns, a panel of outputs at a time, and columns added back to where
// they came from. The geometry is a block of 32-bit words.

/** The words of a geometry block. Channels and outputs are those of one group. */
export abstract class Geometry {
  // @ts-ignore: decorator
  @inline static word(g: usize, i: i32): i32 {
    return load<i32>(g + ((<usize>i) << 2));
  }
  // @ts-ignore: decorator
  @inline static input(g: usize, d: i32): i32 {
    return Geometry.word(g, d);
  }
  // @ts-ignore: decorator
  @inline static output(g: usize, d: i32): i32 {
    return Geometry.word(g, 3 + d);
  }
  // @ts-ignore: decorator
  @inline static kernel(g: usize, d: i32): i32 {
    return Geometry.word(g, 6 + d);
  }
  // @ts-ignore: decorator
  @inline static stride(g: usize, d: i32): i32 {
    return Geometry.word(g, 9 + d);
  }
  // @ts-ignore: decorator
  @inline static padding(g: usize, d: i32): i32 {
    return Geometry.word(g, 12 + d);
  }
  // @ts-ignore: decorator
  @inline static dilation(g: usize, d: i32): i32 {
    return Geometry.word(g, 15 + d);
  }
  // @ts-ignore: decorator
  @inline static channels(g: usize): i32 {
    return Geometry.word(g, 18);
  }
  // @ts-ignore: decorator
  @inline static outs(g: usize): i32 {
    return Geometry.word(g, 19);
  }
  // @ts-ignore: decorator
  @inline static groups(g: usize): i32 {
    return Geometry.word(g, 20);
  }
  // @ts-ignore: decorator
  @inline static batch(g: usize): i32 {
    return Geometry.word(g, 21);
  }
  /** Outputs in a panel. */
  // @ts-ignore: decorator
  @inline static panel(g: usize): i32 {
    return Geometry.word(g, 22);
  }
  /** Channels in a unit of the gradients. */
  // @ts-ignore: decorator
  @inline static block(g: usize): i32 {
    return Geometry.word(g, 23);
  }
  /** Images that one partial gradient of the weight sums over. */
  // @ts-ignore: decorator
  @inline static images(g: usize): i32 {
    return Geometry.word(g, 24);
  }
  /** 1 if the columns are the input itself: one tap, every position. */
  // @ts-ignore: decorator
  @inline static direct(g: usize): bool {
    return Geometry.word(g, 25) != 0;
  }

  static inputs(g: usize): i32 {
    return Geometry.input(g, 0) * Geometry.input(g, 1) * Geometry.input(g, 2);
  }
  static outputs(g: usize): i32 {
    return Geometry.output(g, 0) * Geometry.output(g, 1) * Geometry.output(g, 2);
  }
  static taps(g: usize): i32 {
    return Geometry.kernel(g, 0) * Geometry.kernel(g, 1) * Geometry.kernel(g, 2);
  }
}

/** Writes n zeros, and up to three more elements behind them that the caller writes afterwards. */
function writeZeros(p: usize, n: i32): usize {
  const end = p + ((<usize>n) << 2);
  for (; p < end; p += 16) v128.store(p, f32x4.splat(0));
  return end;
}

/** Copies n elements, and up to three more that the caller overwrites. */
function copyRun(from: usize, to: usize, n: i32): usize {
  const end = to + ((<usize>n) << 2);
  for (; to < end; to += 16, from += 16) v128.store(to, v128.load(from));
  return end;
}

/** to[i] += from[i] for exactly n elements. */
function addRun(from: usize, to: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4, from += 16, to += 16) v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
  for (; i < n; ++i, from += 4, to += 4) store<f32>(to, load<f32>(to) + load<f32>(from));
}

/**
 * One tap of one channel at the outputs [l0, l1): writes their inputs as a row of the panel, zeros outside; or, `add`,
 * adds the row to the inputs. Returns the end of the row.
 */
function tapRow(
  g: usize,
  plane: usize,
  k0: i32,
  k1: i32,
  k2: i32,
  row: usize,
  l0: i32,
  l1: i32,
  add: bool,
): usize {
  const out1 = Geometry.output(g, 1);
  const out2 = Geometry.output(g, 2);
  const in0 = Geometry.input(g, 0);
  const in1 = Geometry.input(g, 1);
  const in2 = Geometry.input(g, 2);
  const step = Geometry.stride(g, 2);
  const shift = k2 * Geometry.dilation(g, 2) - Geometry.padding(g, 2);
  // Outputs [first, last) of a row have this tap inside the input.
  const first = shift >= 0 ? 0 : min((-shift + step - 1) / step, out2);
  const last = shift >= in2 ? first : max(first, min((in2 - 1 - shift) / step + 1, out2));
  let line = l0 / out2;
  let x = l0 - line * out2;
  while (l0 < l1) {
    const end = min(out2, x + l1 - l0);
    const i0 = (line / out1) * Geometry.stride(g, 0) - Geometry.padding(g, 0) + k0 * Geometry.dilation(g, 0);
    const i1 = (line % out1) * Geometry.stride(g, 1) - Geometry.padding(g, 1) + k1 * Geometry.dilation(g, 1);
    const count = end - x;
    if (<u32>i0 < <u32>in0 && <u32>i1 < <u32>in1) {
      const from = max(x, first);
      const to = max(from, min(end, last));
      const line0 = plane + ((<usize>((i0 * in1 + i1) * in2)) << 2);
      if (add) {
        const source = row + ((<usize>(from - x)) << 2);
        if (step == 1) addRun(source, line0 + ((<usize>(from + shift)) << 2), to - from);
        else addSteps(source, line0, from, to, step, shift);
        row += (<usize>count) << 2;
      } else {
        row = writeZeros(row, min(from, end) - x);
        if (step == 1 && to > from) row = copyRun(line0 + ((<usize>(from + shift)) << 2), row, to - from);
        else row = copySteps(line0, row, from, to, step, shift);
        if (to < end) row = writeZeros(row, end - to);
      }
    } else {
      row = add ? row + ((<usize>count) << 2) : writeZeros(row, count);
    }
    l0 += count;
    x = 0;
    ++line;
  }
  return row;
}

function copySteps(line: usize, row: usize, from: i32, to: i32, step: i32, shift: i32): usize {
  let p = line + ((<usize>(from * step + shift)) << 2);
  for (; from < to; ++from, p += (<usize>step) << 2, row += 4) store<f32>(row, load<f32>(p));
  return row;
}

function addSteps(row: usize, line: usize, from: i32, to: i32, step: i32, shift: i32): void {
  let p = line + ((<usize>(from * step + shift)) << 2);
  for (; from < to; ++from, p += (<usize>step) << 2, row += 4) store<f32>(p, load<f32>(p) + load<f32>(row));
}

/** The panel of outputs [l0, l1) for `count` channels from `plane` on, a row of l1 − l0 elements per tap. */
export function panelOf(g: usize, plane: usize, count: i32, panel: usize, l0: i32, l1: i32, add: bool): void {
  const inputs = (<usize>Geometry.inputs(g)) << 2;
  const kernel0 = Geometry.kernel(g, 0);
  const kernel1 = Geometry.kernel(g, 1);
  const kernel2 = Geometry.kernel(g, 2);
  for (let c = 0; c < count; ++c, plane += inputs) {
    for (let k0 = 0; k0 < kernel0; ++k0) {
      for (let k1 = 0; k1 < kernel1; ++k1) {
        for (let k2 = 0; k2 < kernel2; ++k2) panel = tapRow(g, plane, k0, k1, k2, panel, l0, l1, add);
      }
    }
  }
}

/** Bytes of a panel of this many rows, with room for a vector behind. */
export function panelBytes(g: usize, rows: i32): usize {
  return ((<usize>rows * <usize>Geometry.panel(g) + 4) * 4 + 15) & ~15;
}
