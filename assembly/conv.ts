// Convolutions: windows are written out as columns, a panel of outputs at a time so that it stays in cache, and the
// product with the weights is gemm's. The geometry is a block of 32-bit words, see convPanels.ts. The work is cut into
// units whose number depends on the shape only, and each unit has its own part of the result: the same bits for any
// slices.
import { Geometry, panelBytes, panelOf } from './convPanels';
import { gemm_f32 } from './gemm';

const ACCUMULATE: i32 = 1;

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
