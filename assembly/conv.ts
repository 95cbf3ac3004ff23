// Convolutions: windows are written out as columns, a panel of outputs at a time so that it stays in cache, and the
// product with the weights is gemm's. The geometry is a block of 32-bit words, see `Geometry`. The work is cut into
// units whose number depends on the shape only, and each unit has its own part of the result: the same bits for any
// slices.
import { gemm_f32 } from './gemm';

const ACCUMULATE: i32 = 1;

/** The words of a geometry block. Channels and outputs are those of one group. */
abstract class Geometry {
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
function panelOf(g: usize, plane: usize, count: i32, panel: usize, l0: i32, l1: i32, add: bool): void {
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
function panelBytes(g: usize, rows: i32): usize {
  return ((<usize>rows * <usize>Geometry.panel(g) + 4) * 4 + 15) & ~15;
}

/**
 * x [batch, groups·channels, inputs], weight [groups·outs, channels·taps], bias [groups·outs] or 0 → out [batch,
 * groups·outs, outputs]. Units: batch · groups · panels.
 */
export function conv_f32(
  x: usize,
  weight: usize,
  bias: usize,
  out: usize,
  g: usize,
  scratch: usize,
  begin: i32,
  end: i32,
): void {
  const channels = Geometry.channels(g);
  const outs = Geometry.outs(g);
  const outputs = Geometry.outputs(g);
  const rows = channels * Geometry.taps(g);
  const width = Geometry.panel(g);
  const panels = (outputs + width - 1) / width;
  const planes = (<usize>(channels * Geometry.inputs(g))) << 2;
  const gemmScratch = scratch + panelBytes(g, rows);
  for (; begin < end; ++begin) {
    const image = begin / panels; // of all groups
    const group = image % Geometry.groups(g);
    const l0 = (begin % panels) * width;
    const l1 = min(l0 + width, outputs);
    const input = x + <usize>image * planes;
    const to = out + ((<usize>image * <usize>(outs * outputs) + l0) << 2);
    const matrix = weight + ((<usize>(group * outs * rows)) << 2);
    if (bias) {
      for (let o = 0; o < outs; ++o) {
        const value = f32x4.splat(load<f32>(bias + ((<usize>(group * outs + o)) << 2)));
        let p = to + ((<usize>(o * outputs)) << 2);
        let i = l1 - l0;
        for (; i >= 4; i -= 4, p += 16) v128.store(p, value);
        for (; i > 0; --i, p += 4) store<f32>(p, f32x4.extract_lane(value, 0));
      }
    }
    const flags = bias ? ACCUMULATE : 0;
    if (Geometry.direct(g)) {
      const columns = input + ((<usize>l0) << 2);
      gemm_f32(
        matrix,
        rows,
        1,
        columns,
        outputs,
        1,
        to,
        outputs,
        outs,
        l1 - l0,
        rows,
        flags,
        0,
        gemmScratch,
        0,
        outs,
      );
    } else {
      panelOf(g, input, channels, scratch, l0, l1, false);
      gemm_f32(
        matrix,
        rows,
        1,
        scratch,
        l1 - l0,
        1,
        to,
        outputs,
        outs,
        l1 - l0,
        rows,
        flags,
        0,
        gemmScratch,
        0,
        outs,
      );
    }
  }
}

/**
 * The gradient by the input: grad [batch, groups·outs, outputs] → out [batch, groups·channels, inputs].
 * Units: batch · groups · blocks of channels.
 */
export function conv_input_f32(
  grad: usize,
  weight: usize,
  out: usize,
  g: usize,
  scratch: usize,
  begin: i32,
  end: i32,
): void {
  const channels = Geometry.channels(g);
  const outs = Geometry.outs(g);
  const outputs = Geometry.outputs(g);
  const inputs = Geometry.inputs(g);
  const taps = Geometry.taps(g);
  const width = Geometry.panel(g);
  const block = Geometry.block(g);
  const blocks = (channels + block - 1) / block;
  const gemmScratch = scratch + panelBytes(g, block * taps);
  for (; begin < end; ++begin) {
    const image = begin / blocks;
    const group = image % Geometry.groups(g);
    const c0 = (begin % blocks) * block;
    const count = min(block, channels - c0);
    const m = count * taps;
    const planes = out + ((<usize>((image * channels + c0) * inputs)) << 2);
    const matrix = weight + ((<usize>(group * outs * channels * taps + c0 * taps)) << 2);
    const source = grad + ((<usize>(image * outs * outputs)) << 2);
    if (Geometry.direct(g)) {
      gemm_f32(
        matrix,
        1,
        channels,
        source,
        outputs,
        1,
        planes,
        outputs,
        m,
        outputs,
        outs,
        0,
        0,
        gemmScratch,
        0,
        m,
      );
      continue;
    }
    memory.fill(planes, 0, (<usize>(count * inputs)) << 2);
    for (let l0 = 0; l0 < outputs; l0 += width) {
      const l1 = min(l0 + width, outputs);
      const from = source + ((<usize>l0) << 2);
      gemm_f32(
        matrix,
        1,
        channels * taps,
        from,
        outputs,
        1,
        scratch,
        l1 - l0,
        m,
        l1 - l0,
        outs,
        0,
        0,
        gemmScratch,
        0,
        m,
      );
      panelOf(g, planes, count, scratch, l0, l1, true);
    }
  }
}

/**
 * Partial gradients by the weight: grad [batch, groups·outs, outputs], x [batch, groups·channels, inputs] → out [parts,
 * groups·outs, channels·taps], each part the sum over some images. Units: parts · groups · blocks of channels.
 */
export function conv_weight_f32(
  grad: usize,
  x: usize,
  out: usize,
  g: usize,
  scratch: usize,
  begin: i32,
  end: i32,
): void {
  const channels = Geometry.channels(g);
  const groups = Geometry.groups(g);
  const outs = Geometry.outs(g);
  const outputs = Geometry.outputs(g);
  const inputs = Geometry.inputs(g);
  const taps = Geometry.taps(g);
  const width = Geometry.panel(g);
  const block = Geometry.block(g);
  const images = Geometry.images(g);
  const blocks = (channels + block - 1) / block;
  const rows = channels * taps;
  const gemmScratch = scratch + panelBytes(g, block * taps);
  for (; begin < end; ++begin) {
    const part = begin / (groups * blocks);
    const group = (begin / blocks) % groups;
    const c0 = (begin % blocks) * block;
    const count = min(block, channels - c0);
    const n = count * taps;
    const to = out + ((<usize>((part * groups + group) * outs * rows + c0 * taps)) << 2);
    let flags = 0;
    for (let i = part * images, stop = min(i + images, Geometry.batch(g)); i < stop; ++i) {
      const image = i * groups + group;
      const planes = x + ((<usize>((image * channels + c0) * inputs)) << 2);
      const source = grad + ((<usize>(image * outs * outputs)) << 2);
      for (let l0 = 0; l0 < outputs; l0 += width) {
        const k = min(width, outputs - l0);
        const from = source + ((<usize>l0) << 2);
        if (Geometry.direct(g)) {
          const columns = planes + ((<usize>l0) << 2);
          gemm_f32(
            from,
            outputs,
            1,
            columns,
            1,
            outputs,
            to,
            rows,
            outs,
            n,
            k,
            flags,
            0,
            gemmScratch,
            0,
            outs,
          );
        } else {
          panelOf(g, planes, count, scratch, l0, l0 + k, false);
          gemm_f32(from, outputs, 1, scratch, 1, k, to, rows, outs, n, k, flags, 0, gemmScratch, 0, outs);
        }
        flags = ACCUMULATE;
      }
    }
  }
}

/** out[i] = the sum over parts of parts[part][i], in order: elements [begin, end) of `size`. */
export function add_parts_f32(parts: usize, out: usize, count: i32, size: i32, begin: i32, end: i32): void {
  for (let i = begin; i < end; ++i) {
    let sum: f32 = 0;
    let p = parts + ((<usize>i) << 2);
    for (let part = 0; part < count; ++part, p += (<usize>size) << 2) sum += load<f32>(p);
    store<f32>(out + ((<usize>i) << 2), sum);
  }
}

/** Every window as a column: x [planes, inputs] → out [planes, taps, outputs]. Units: planes. */
export function im2col_f32(x: usize, out: usize, g: usize, scratch: usize, begin: i32, end: i32): void {
  const outputs = Geometry.outputs(g);
  const bytes = (<usize>(Geometry.taps(g) * outputs)) << 2;
  for (; begin < end; ++begin) {
    // By way of scratch memory, because rows are written with a vector to spare.
    panelOf(g, x + ((<usize>(begin * Geometry.inputs(g))) << 2), 1, scratch, 0, outputs, false);
    memory.copy(out + <usize>begin * bytes, scratch, bytes);
  }
}

/** Columns added up: columns [planes, taps, outputs] → out [planes, inputs]. Units: planes. */
export function col2im_f32(columns: usize, out: usize, g: usize, begin: i32, end: i32): void {
  const outputs = Geometry.outputs(g);
  const inputs = (<usize>Geometry.inputs(g)) << 2;
  const bytes = (<usize>(Geometry.taps(g) * outputs)) << 2;
  for (; begin < end; ++begin) {
    const plane = out + <usize>begin * inputs;
    memory.fill(plane, 0, inputs);
    panelOf(g, plane, 1, columns + <usize>begin * bytes, 0, outputs, true);
  }
}
