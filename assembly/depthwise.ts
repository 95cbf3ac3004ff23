// Convolutions of each channel with a kernel of its own (depthwise, as in MobileNets): a product of matrices would have one
// row. A plane is spread into scratch memory, zeros around and, for the gradient of a stride, between its elements; then every
// result is a sum over taps of neighbours. A unit is one plane (of the weight: one channel), whatever the slices are.
import { V } from './lanes';

/** The words of a geometry block; steps and sizes of planes in elements. */
abstract class Plane {
  // @ts-ignore: decorator
  @inline static word(g: usize, i: usize): usize {
    return load<u32>(g + (i << 2));
  }
  // What is spread: rows and columns.
  // @ts-ignore: decorator
  @inline static rows(g: usize): usize {
    return Plane.word(g, 0);
  }
  // @ts-ignore: decorator
  @inline static columns(g: usize): usize {
    return Plane.word(g, 1);
  }
  // Its elements' distance in scratch memory, and where the first of them goes: less than 0 where a crop takes some away.
  // @ts-ignore: decorator
  @inline static spacing(g: usize, d: usize): isize {
    return <isize>Plane.word(g, 2 + d);
  }
  // @ts-ignore: decorator
  @inline static first(g: usize, d: usize): isize {
    return <isize>Plane.word(g, 4 + d);
  }
  // Of scratch memory.
  // @ts-ignore: decorator
  @inline static height(g: usize): usize {
    return Plane.word(g, 6);
  }
  // @ts-ignore: decorator
  @inline static pitch(g: usize): usize {
    return Plane.word(g, 7);
  }
  // The results' rows and columns, how far they are apart in scratch memory, and taps and their distance.
  // @ts-ignore: decorator
  @inline static results(g: usize, d: usize): usize {
    return Plane.word(g, 8 + d);
  }
  // @ts-ignore: decorator
  @inline static stride(g: usize, d: usize): usize {
    return Plane.word(g, 10 + d);
  }
  // @ts-ignore: decorator
  @inline static taps(g: usize, d: usize): usize {
    return Plane.word(g, 12 + d);
  }
  // @ts-ignore: decorator
  @inline static dilation(g: usize, d: usize): usize {
    return Plane.word(g, 14 + d);
  }
  // @ts-ignore: decorator
  @inline static channels(g: usize): usize {
    return Plane.word(g, 16);
  }
  /** The taps are taken from the last one to the first. */
  // @ts-ignore: decorator
  @inline static flipped(g: usize): bool {
    return Plane.word(g, 17) != 0;
  }
  // @ts-ignore: decorator
  @inline static batch(g: usize): usize {
    return Plane.word(g, 18);
  }

  static spread(x: usize, g: usize, scratch: usize): void {
    const pitch = Plane.pitch(g);
    const height = Plane.height(g);
    memory.fill(scratch, 0, (height * pitch) << 2);
    const columns = Plane.columns(g);
    const spacing = Plane.spacing(g, 1);
    const first = Plane.first(g, 1);
    for (let i: usize = 0; i < Plane.rows(g); i++) {
      const row = <isize>i * Plane.spacing(g, 0) + Plane.first(g, 0);
      if (row < 0 || row >= <isize>height) continue;
      const to = scratch + ((<usize>row * pitch) << 2);
      const from = x + ((i * columns) << 2);
      if (spacing == 1 && first >= 0 && <usize>first + columns <= pitch) {
        V.copy(to + ((<usize>first) << 2), from, columns << 2);
        continue;
      }
      for (let j: usize = 0; j < columns; j++) {
        const column = <isize>j * spacing + first;
        if (column >= 0 && column < <isize>pitch)
          store<f32>(to + ((<usize>column) << 2), load<f32>(from + (j << 2)));
      }
    }
  }

  /** Four elements, `step` apart. */
  // @ts-ignore: decorator
  @inline
  static four(p: usize, step: usize): v128 {
    if (step == 1) return v128.load(p);
    if (step == 2) return v128.shuffle<i32>(v128.load(p), v128.load(p, 16), 0, 2, 4, 6);
    return V.loadLanes(p, step, 4);
  }

  /** Sums of four results over all taps; from p on in scratch memory, `stride` apart. */
  // @ts-ignore: decorator
  @inline
  static sum(
    p: usize,
    w: usize,
    step: usize,
    down: usize,
    right: usize,
    m: usize,
    n: usize,
    stride: usize,
  ): v128 {
    let y = f32x4.splat(0);
    for (; m > 0; m--) {
      let q = p;
      for (let j = n; j > 0; j--) {
        y = V.madd<f32>(v128.load32_splat(w), Plane.four(q, stride), y);
        q += right;
        w += step;
      }
      p += down;
    }
    return y;
  }

  /** The same of sixteen that lie beside each other, with `bias` to `out`. */
  static sixteen(
    p: usize,
    w: usize,
    step: usize,
    down: usize,
    right: usize,
    m: usize,
    n: usize,
    bias: f32,
    out: usize,
  ): void {
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    for (; m > 0; m--) {
      let q = p;
      for (let j = n; j > 0; j--) {
        const k = v128.load32_splat(w);
        a = V.madd<f32>(k, v128.load(q), a);
        b = V.madd<f32>(k, v128.load(q, 16), b);
        c = V.madd<f32>(k, v128.load(q, 32), c);
        d = V.madd<f32>(k, v128.load(q, 48), d);
        q += right;
        w += step;
      }
      p += down;
    }
    const more = f32x4.splat(bias);
    v128.store(out, f32x4.add(a, more));
    v128.store(out, f32x4.add(b, more), 16);
    v128.store(out, f32x4.add(c, more), 32);
    v128.store(out, f32x4.add(d, more), 48);
  }

  /** A row of results. */
  static row(p: usize, g: usize, w: usize, bias: f32, out: usize): void {
    const down = (Plane.dilation(g, 0) * Plane.pitch(g)) << 2;
    const right = Plane.dilation(g, 1) << 2;
    const m = Plane.taps(g, 0);
    const n = Plane.taps(g, 1);
    const stride = Plane.stride(g, 1);
    let step: usize = 4;
    if (Plane.flipped(g)) {
      w += (m * n - 1) << 2;
      step = <usize>-4;
    }
    const more = f32x4.splat(bias);
    let left = Plane.results(g, 1);
    if (stride == 1) {
      for (; left >= 16; left -= 16) {
        Plane.sixteen(p, w, step, down, right, m, n, bias, out);
        p += 64;
        out += 64;
      }
    }
    for (; left > 0; left -= min(left, 4)) {
      const y = Plane.sum(p, w, step, down, right, m, n, stride);
      V.storeLanes(out, f32x4.add(y, more), left);
      p += stride << 4;
      out += 16;
    }
  }

  /** y and the products of a row of gradients with what lies at p, `stride` apart. */
  // @ts-ignore: decorator
  @inline
  static products(y: v128, grad: usize, p: usize, n: usize, stride: usize): v128 {
    for (; n >= 4; n -= 4) {
      y = V.madd<f32>(v128.load(grad), Plane.four(p, stride), y);
      grad += 16;
      p += stride << 4;
    }
    return n ? V.madd<f32>(V.loadLanes(grad, 1, n), V.loadLanes(p, stride, n), y) : y;
  }
}

/** x [batch, channels, rows, columns], w [channels, taps] → out [batch, channels, …results]; `bias` may be 0. */
export function depthwise_f32(
  x: usize,
  w: usize,
  bias: usize,
  out: usize,
  g: usize,
  scratch: usize,
  begin: usize,
  end: usize,
): void {
  const size = (Plane.rows(g) * Plane.columns(g)) << 2;
  const taps = (Plane.taps(g, 0) * Plane.taps(g, 1)) << 2;
  const columns = Plane.results(g, 1) << 2;
  const rows = Plane.results(g, 0);
  const down = (Plane.stride(g, 0) * Plane.pitch(g)) << 2;
  for (let unit = begin; unit < end; unit++) {
    const channel = unit % Plane.channels(g);
    Plane.spread(x + unit * size, g, scratch);
    const more: f32 = bias ? load<f32>(bias + (channel << 2)) : 0;
    for (let i: usize = 0; i < rows; i++)
      Plane.row(scratch + i * down, g, w + channel * taps, more, out + (unit * rows + i) * columns);
  }
}

/** grad [batch, channels, …results] and x as above → the weight's gradient [channels, taps]; a unit is a channel. */
export function depthwise_weight_f32(
  grad: usize,
  x: usize,
  out: usize,
  g: usize,
  scratch: usize,
  begin: usize,
  end: usize,
): void {
  const channels = Plane.channels(g);
  const size = (Plane.rows(g) * Plane.columns(g)) << 2;
  const rows = Plane.results(g, 0);
  const columns = Plane.results(g, 1);
  const m = Plane.taps(g, 0);
  const n = Plane.taps(g, 1);
  const pitch = Plane.pitch(g) << 2;
  const stride = Plane.stride(g, 1);
  const down = Plane.stride(g, 0) * pitch;
  memory.fill(out + ((begin * m * n) << 2), 0, ((end - begin) * m * n) << 2);
  for (let channel = begin; channel < end; channel++) {
    for (let image: usize = 0; image < Plane.batch(g); image++) {
      const unit = image * channels + channel;
      Plane.spread(x + unit * size, g, scratch);
      let to = out + ((channel * m * n) << 2);
      for (let i: usize = 0; i < m; i++) {
        for (let j: usize = 0; j < n; j++) {
          let from = grad + ((unit * rows * columns) << 2);
          let p = scratch + i * Plane.dilation(g, 0) * pitch + ((j * Plane.dilation(g, 1)) << 2);
          let y = v128.load32_zero(to);
          for (let row: usize = 0; row < rows; row++) {
            y = Plane.products(y, from, p, columns, stride);
            from += columns << 2;
            p += down;
          }
          y = f32x4.add(y, v128.shuffle<i64>(y, y, 1, 0));
          store<f32>(to, f32x4.extract_lane(y, 0) + f32x4.extract_lane(y, 1));
          to += 4;
        }
      }
    }
  }
}
