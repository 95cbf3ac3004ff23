// Convolutions of stride 1 without columns written out: a band of rows of every channel lies in scratch memory with zeros
// around, where the inputs of one tap for a run of results lie beside each other. A tile of results stays in registers while
// channels and taps run, as in gemm; the runs go on over the ends of rows, and what they compute there is left out. The
// gradient by the input is the same with the taps turned round. Sums run over channels, then taps, whatever the bands are;
// the gradient by the weight has units whose number depends on the shape only: the same bits for any slices.
import { conv_tile4_f32, conv_tile6_f32, conv_weight_tile_f32 } from './convTiles';
import { V } from './lanes';

/** Floats that tiles may read and write beyond a run. */
const SLACK: usize = 16;
/** Outputs and taps of a tile of the weight's gradient. */
const SIDE: usize = 3;

/** The words of a geometry block; sizes in elements, channels and outputs of one group. */
abstract class Band {
  // @ts-ignore: decorator
  @inline static word(g: usize, i: usize): usize {
    return load<u32>(g + (i << 2));
  }
  /** Rows and columns of what is convolved. */
  // @ts-ignore: decorator
  @inline static input(g: usize, d: usize): usize {
    return Band.word(g, d);
  }
  /** Zeros before the first element; less than 0 where a crop takes some away. */
  // @ts-ignore: decorator
  @inline static padding(g: usize, d: usize): isize {
    return <isize>Band.word(g, 2 + d);
  }
  // @ts-ignore: decorator
  @inline static output(g: usize, d: usize): usize {
    return Band.word(g, 4 + d);
  }
  // @ts-ignore: decorator
  @inline static taps(g: usize, d: usize): usize {
    return Band.word(g, 6 + d);
  }
  // @ts-ignore: decorator
  @inline static dilation(g: usize, d: usize): usize {
    return Band.word(g, 8 + d);
  }
  // @ts-ignore: decorator
  @inline static channels(g: usize): usize {
    return Band.word(g, 10);
  }
  // @ts-ignore: decorator
  @inline static outs(g: usize): usize {
    return Band.word(g, 11);
  }
  // @ts-ignore: decorator
  @inline static groups(g: usize): usize {
    return Band.word(g, 12);
  }
  /** Rows of results in a band. */
  // @ts-ignore: decorator
  @inline static rows(g: usize): usize {
    return Band.word(g, 13);
  }
  /** The steps of the weight from one output, and from one channel, to the next; the taps are read from their last one on. */
  // @ts-ignore: decorator
  @inline static outStep(g: usize): usize {
    return Band.word(g, 14);
  }
  // @ts-ignore: decorator
  @inline static channelStep(g: usize): usize {
    return Band.word(g, 15);
  }
  // @ts-ignore: decorator
  @inline static flipped(g: usize): bool {
    return Band.word(g, 16) != 0;
  }
  // Of the weight's gradient: images of a part, and of all, and channels of a unit.
  // @ts-ignore: decorator
  @inline static images(g: usize): usize {
    return Band.word(g, 17);
  }
  // @ts-ignore: decorator
  @inline static batch(g: usize): usize {
    return Band.word(g, 18);
  }
  // @ts-ignore: decorator
  @inline static block(g: usize): usize {
    return Band.word(g, 19);
  }

  /** Elements of a row in scratch memory. */
  // @ts-ignore: decorator
  @inline static pitch(g: usize): usize {
    return Band.output(g, 1) + (Band.taps(g, 1) - 1) * Band.dilation(g, 1);
  }
  /** Rows there for so many rows of results. */
  // @ts-ignore: decorator
  @inline static height(g: usize, rows: usize): usize {
    return rows + (Band.taps(g, 0) - 1) * Band.dilation(g, 0);
  }

  /** `count` planes of `height` rows from `row` on, which may be outside, with zeros around: `left` before each row. */
  static spread(
    x: usize,
    rows: usize,
    columns: usize,
    left: isize,
    to: usize,
    count: usize,
    row: isize,
    height: usize,
    pitch: usize,
  ): void {
    const first = <usize>max<isize>(left, 0);
    const skipped = <usize>max<isize>(-left, 0);
    const length = min(columns - skipped, pitch - first) << 2;
    memory.fill(to, 0, (count * height * pitch + SLACK) << 2);
    for (; count > 0; count--) {
      for (let i: usize = 0; i < height; i++) {
        const at = row + <isize>i;
        if (at >= 0 && at < <isize>rows)
          V.copy(to + (first << 2), x + ((<usize>at * columns + skipped) << 2), length);
        to += pitch << 2;
      }
      x += (rows * columns) << 2;
    }
  }

  /** Moves the `lanes` elements of the last vector of each row to its end, zeros before: as a vector that reaches back has them. */
  static reachBack(p: usize, rows: usize, bytes: usize, lanes: usize): void {
    for (; rows > 0; rows--) {
      p += bytes;
      for (let i: usize = 1; i <= lanes; i++) {
        const from = p - 16 + ((lanes - i) << 2);
        const value = load<f32>(from);
        store<f32>(from, 0);
        store<f32>(p - (i << 2), value);
      }
    }
  }

  /** How many tiles of six outputs there are: what they leave, an even number, is for tiles of four. */
  static sixes(outs: usize): usize {
    if (!V.fused()) return 0;
    outs += outs & 1;
    for (let rest = outs % 6; rest <= outs; rest += 6) if ((rest & 3) == 0) return (outs - rest) / 6;
    return 0;
  }

  /** The weights of a group in the order in which tiles read them, zeros where there is no output. Returns the end. */
  static pack(w: usize, g: usize, to: usize, sixes: usize): usize {
    const outs = Band.outs(g);
    const taps = Band.taps(g, 0) * Band.taps(g, 1);
    const flip = Band.flipped(g) ? taps - 1 : 0;
    for (let o: usize = 0, tile: usize = 0; o < outs; tile++) {
      const rows: usize = tile < sixes ? 6 : 4;
      for (let c: usize = 0; c < Band.channels(g); c++) {
        for (let tap: usize = 0; tap < taps; tap++) {
          const from = w + ((o * Band.outStep(g) + c * Band.channelStep(g) + (flip ? flip - tap : tap)) << 2);
          for (let r: usize = 0; r < rows; r++) {
            store<f32>(to, o + r < outs ? load<f32>(from + ((r * Band.outStep(g)) << 2)) : 0);
            to += 4;
          }
        }
      }
      o += rows;
    }
    return to;
  }

  /** Where each tap of each channel begins in a band, in bytes. Returns the end. */
  static offsets(g: usize, to: usize, plane: usize, pitch: usize): usize {
    for (let c: usize = 0; c < Band.channels(g); c++) {
      for (let i: usize = 0; i < Band.taps(g, 0); i++) {
        const row = c * plane + i * Band.dilation(g, 0) * pitch;
        for (let j: usize = 0; j < Band.taps(g, 1); j++) {
          store<u32>(to, (row + j * Band.dilation(g, 1)) << 2);
          to += 4;
        }
      }
    }
    return to;
  }

  /** A run of results without what lies between the ends of rows and the next ones. */
  static gather(from: usize, to: usize, rows: usize, columns: usize, pitch: usize, bias: f32): void {
    const more = f32x4.splat(bias);
    const last = columns << 2;
    for (; rows > 0; rows--) {
      let i: usize = 0;
      for (; i + 16 <= last; i += 16) v128.store(to + i, f32x4.add(v128.load(from + i), more));
      // The last vector reaches back: lanes of their own take longer.
      if (i > 0) v128.store(to + last - 16, f32x4.add(v128.load(from + last - 16), more));
      else V.storeLanes(to, f32x4.add(v128.load(from), more), columns);
      from += pitch << 2;
      to += columns << 2;
    }
  }
}

/**
 * x [batch, groups·channels, …input], weight of each group by the steps of the geometry, bias [groups·outs] or 0 → out
 * [batch, groups·outs, …output]. Units: batch · groups · bands.
 */
export function conv_direct_f32(
  x: usize,
  w: usize,
  bias: usize,
  out: usize,
  g: usize,
  scratch: usize,
  begin: usize,
  end: usize,
): void {
  const channels = Band.channels(g);
  const outs = Band.outs(g);
  const height = Band.output(g, 0);
  const columns = Band.output(g, 1);
  const pitch = Band.pitch(g);
  const bands = (height + Band.rows(g) - 1) / Band.rows(g);
  const k = channels * Band.taps(g, 0) * Band.taps(g, 1);
  const sixes = Band.sixes(outs);
  const size = Band.input(g, 0) * Band.input(g, 1);
  const tall = Band.height(g, Band.rows(g));
  const weights = Band.offsets(g, scratch, tall * pitch, pitch);
  let planes: usize = 0;
  let packed: usize = -1;
  for (; begin < end; ++begin) {
    const image = begin / bands; // of all groups
    const group = image % Band.groups(g);
    if (group != packed) {
      packed = group;
      const matrix = w + ((group * outs * channels * Band.taps(g, 0) * Band.taps(g, 1)) << 2);
      planes = Band.pack(matrix, g, weights, sixes);
    }
    const row = (begin % bands) * Band.rows(g);
    const rows = min(Band.rows(g), height - row);
    const first = <isize>row - Band.padding(g, 0);
    Band.spread(
      x + ((image * channels * size) << 2),
      Band.input(g, 0),
      Band.input(g, 1),
      Band.padding(g, 1),
      planes,
      channels,
      first,
      tall,
      pitch,
    );
    const run = planes + ((channels * tall * pitch + SLACK) << 2);
    const length = (rows - 1) * pitch + columns;
    const runRow = ((length + 7) & ~7) << 2;
    let a = weights;
    for (let o: usize = 0, tile: usize = 0; o < outs; tile++) {
      const count: usize = tile < sixes ? 6 : 4;
      for (let q: usize = 0; q < runRow; q += 32) {
        if (count == 6) conv_tile6_f32(k, a, scratch, planes + q, run + q, runRow);
        else conv_tile4_f32(k, a, scratch, planes + q, run + q, runRow);
      }
      a += (k * count) << 2;
      for (let r: usize = 0; r < count && o < outs; r++, o++) {
        const to = out + ((((image * outs + o) * height + row) * columns) << 2);
        const more: f32 = bias ? load<f32>(bias + ((group * outs + o) << 2)) : 0;
        Band.gather(run + r * runRow, to, rows, columns, pitch, more);
      }
    }
  }
}

/**
 * Partial gradients by the weight: grad [batch, groups·outs, …output], x as above → out [parts, groups·outs, channels·taps],
 * each part the sum over some images. Units: parts · groups · blocks of channels.
 */
export function conv_direct_weight_f32(
  grad: usize,
  x: usize,
  out: usize,
  g: usize,
  scratch: usize,
  begin: usize,
  end: usize,
): void {
  const channels = Band.channels(g);
  const groups = Band.groups(g);
  const outs = Band.outs(g);
  const block = Band.block(g);
  const blocks = (channels + block - 1) / block;
  const taps = Band.taps(g, 0) * Band.taps(g, 1);
  for (; begin < end; ++begin) {
    const part = begin / (groups * blocks);
    const group = (begin / blocks) % groups;
    const c0 = (begin % blocks) * block;
    const count = min(block, channels - c0);
    const to = out + ((((part * groups + group) * outs * channels + c0) * taps) << 2);
    for (let o: usize = 0; o < outs; o++)
      memory.fill(to + ((o * channels * taps) << 2), 0, (count * taps) << 2);
    for (let i = part * Band.images(g), stop = min(i + Band.images(g), Band.batch(g)); i < stop; ++i) {
      const image = i * groups + group;
      const planes = x + (((image * channels + c0) * Band.input(g, 0) * Band.input(g, 1)) << 2);
      const source = grad + ((image * outs * Band.output(g, 0) * Band.output(g, 1)) << 2);
      for (let row: usize = 0; row < Band.output(g, 0); row += Band.rows(g))
        addBand(source, planes, to, g, scratch, count, row);
    }
  }
}

/** What a band of one image adds to the gradient of the weights of `count` channels. */
function addBand(
  grad: usize,
  x: usize,
  out: usize,
  g: usize,
  scratch: usize,
  count: usize,
  row: usize,
): void {
  const outs = Band.outs(g);
  const height = Band.output(g, 0);
  const columns = Band.output(g, 1);
  const rows = min(Band.rows(g), height - row);
  const tall = Band.height(g, rows);
  const pitch = Band.pitch(g);
  const first = <isize>row - Band.padding(g, 0);
  const step = Band.dilation(g, 1);
  Band.spread(x, Band.input(g, 0), Band.input(g, 1), Band.padding(g, 1), scratch, count, first, tall, pitch);
  const sums = scratch + ((count * tall * pitch + SLACK + SIDE * step) << 2);
  const planes = sums + 16 * SIDE * SIDE;
  const vectors = (columns + 3) >> 2;
  for (let o: usize = 0; o < outs; o += SIDE) {
    const own = min(SIDE, outs - o);
    Band.spread(
      grad + ((o * height * columns) << 2),
      height,
      columns,
      0,
      planes,
      own,
      row,
      rows,
      vectors << 2,
    );
    if (columns & 3) Band.reachBack(planes, own * rows, vectors << 4, columns & 3);
    let to = out + ((o * Band.channels(g) * Band.taps(g, 0) * Band.taps(g, 1)) << 2);
    for (let c: usize = 0; c < count; c++) {
      for (let i: usize = 0; i < Band.taps(g, 0); i++) {
        const line = scratch + (((c * tall + i * Band.dilation(g, 0)) * pitch) << 2);
        for (let j: usize = 0; j < Band.taps(g, 1); j += SIDE) {
          const p = line + ((j * step) << 2);
          conv_weight_tile_f32(
            planes,
            (rows * vectors) << 4,
            p,
            step << 2,
            pitch << 2,
            rows,
            vectors,
            (columns - 4) << 2,
            sums,
          );
          addSums(sums, to, g, own, min(SIDE, Band.taps(g, 1) - j));
          to += min(SIDE, Band.taps(g, 1) - j) << 2;
        }
      }
    }
  }
}

/** Adds the lanes of so many of nine sums to the gradients of as many outputs and taps. */
function addSums(sums: usize, to: usize, g: usize, outs: usize, taps: usize): void {
  const step = (Band.channels(g) * Band.taps(g, 0) * Band.taps(g, 1)) << 2;
  for (let o: usize = 0; o < outs; o++) {
    for (let j: usize = 0; j < taps; j++) {
      let v = v128.load(sums + ((o * SIDE + j) << 4));
      v = f32x4.add(v, v128.shuffle<i64>(v, v, 1, 0));
      const sum = f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1);
      store<f32>(to + (j << 2), load<f32>(to + (j << 2)) + sum);
    }
    to += step;
  }
}
