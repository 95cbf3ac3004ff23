// Pooling of planes: the windows of each output are lists of positions in a block of 32-bit words (see `Block`), so one
// kernel serves pooling with kernels, steps, margins and gaps as well as adaptive pooling. A unit is a plane.
import { V } from './lanes';

/**
 * Words 0-2: input sizes; 3-5: output sizes; 6-8: steps between positions. 9, 10: size and step of the windows along the
 * last dimension if they are all inside and regular, else 0. Then, for each dimension, its starts and its ends.
 */
abstract class Block {
  // @ts-ignore: decorator
  @inline static word(w: usize, i: i32): i32 {
    return load<i32>(w + ((<usize>i) << 2));
  }
  // @ts-ignore: decorator
  @inline static at(list: usize, i: i32): i32 {
    return load<i32>(list + ((<usize>i) << 2));
  }
  // @ts-ignore: decorator
  @inline static input(w: usize, d: i32): i32 {
    return Block.word(w, d);
  }
  // @ts-ignore: decorator
  @inline static output(w: usize, d: i32): i32 {
    return Block.word(w, 3 + d);
  }
  // @ts-ignore: decorator
  @inline static step(w: usize, d: i32): i32 {
    return Block.word(w, 6 + d);
  }

  static inputs(w: usize): i32 {
    return Block.input(w, 0) * Block.input(w, 1) * Block.input(w, 2);
  }
  static outputs(w: usize): i32 {
    return Block.output(w, 0) * Block.output(w, 1) * Block.output(w, 2);
  }
  /** The starts of dimension d; its ends follow. */
  static starts(w: usize, d: i32): usize {
    let list = w + 48;
    for (let i = 0; i < d; ++i) list += (<usize>Block.output(w, i)) << 3;
    return list;
  }
}

/** Outputs [o2, o2 + 4) of one line, whose windows are regular: `size` columns, `step` apart. */
function maxOfFour(
  plane: usize,
  values: usize,
  indices: usize,
  w: usize,
  a0: i32,
  e0: i32,
  a1: i32,
  e1: i32,
  first: i32,
): void {
  const size = Block.word(w, 9);
  const step = Block.word(w, 10);
  const lanes = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(step));
  let best = f32x4.splat(-Infinity);
  let where = i32x4.add(lanes, i32x4.splat((a0 * Block.input(w, 1) + a1) * Block.input(w, 2) + first));
  for (let i0 = a0; i0 < e0; i0 += Block.step(w, 0)) {
    for (let i1 = a1; i1 < e1; i1 += Block.step(w, 1)) {
      const at = (i0 * Block.input(w, 1) + i1) * Block.input(w, 2) + first;
      for (let j = 0; j < size; ++j) {
        const p = plane + ((<usize>(at + j)) << 2);
        let x = v128.load(p);
        if (step == 2) x = v128.shuffle<i32>(x, v128.load(p, 16), 0, 2, 4, 6);
        const wins = v128.or(f32x4.gt(x, best), f32x4.ne(x, x));
        best = v128.bitselect(x, best, wins);
        where = v128.bitselect(i32x4.add(lanes, i32x4.splat(at + j)), where, wins);
      }
    }
  }
  v128.store(values, best);
  v128.store(indices, i64x2.extend_low_i32x4_s(where));
  v128.store(indices, i64x2.extend_high_i32x4_s(where), 16);
}

function maxOfOne(
  plane: usize,
  values: usize,
  indices: usize,
  w: usize,
  a0: i32,
  e0: i32,
  a1: i32,
  e1: i32,
  a2: i32,
  e2: i32,
): void {
  let best = -Infinity as f32;
  let where = (a0 * Block.input(w, 1) + a1) * Block.input(w, 2) + a2;
  for (let i0 = a0; i0 < e0; i0 += Block.step(w, 0)) {
    for (let i1 = a1; i1 < e1; i1 += Block.step(w, 1)) {
      const line = (i0 * Block.input(w, 1) + i1) * Block.input(w, 2);
      for (let i2 = a2; i2 < e2; i2 += Block.step(w, 2)) {
        const x = load<f32>(plane + ((<usize>(line + i2)) << 2));
        if (!(x > best) && !isNaN<f32>(x)) continue;
        best = x;
        where = line + i2;
      }
    }
  }
  store<f32>(values, best);
  store<i64>(indices, <i64>where);
}

/**
 * The first largest element of each window, NaN before all, and its position in the plane as a 64-bit integer; of a window without
 * elements minus infinity, and where it would begin.
 */
export function max_pool_f32(x: usize, values: usize, indices: usize, w: usize, begin: i32, end: i32): void {
  const inputs = (<usize>Block.inputs(w)) << 2;
  const outputs = <usize>Block.outputs(w);
  const out2 = Block.output(w, 2);
  const regular = Block.word(w, 9) > 0 && out2 >= 4;
  const step2 = Block.word(w, 10);
  const list0 = Block.starts(w, 0);
  const list1 = Block.starts(w, 1);
  const list2 = Block.starts(w, 2);
  for (; begin < end; ++begin) {
    const plane = x + <usize>begin * inputs;
    let v = values + ((<usize>begin * outputs) << 2);
    let i = indices + ((<usize>begin * outputs) << 3);
    for (let o0 = 0; o0 < Block.output(w, 0); ++o0) {
      const a0 = Block.at(list0, o0);
      const e0 = Block.at(list0, Block.output(w, 0) + o0);
      for (let o1 = 0; o1 < Block.output(w, 1); ++o1) {
        const a1 = Block.at(list1, o1);
        const e1 = Block.at(list1, Block.output(w, 1) + o1);
        for (let o2 = 0; o2 < out2; ) {
          if (regular) {
            // The last four overlap those before, where four do not divide the line.
            const o = min(o2, out2 - 4);
            maxOfFour(plane, v + ((<usize>o) << 2), i + ((<usize>o) << 3), w, a0, e0, a1, e1, o * step2);
            o2 += 4;
          } else {
            const a2 = Block.at(list2, o2);
            const e2 = Block.at(list2, out2 + o2);
            maxOfOne(plane, v + ((<usize>o2) << 2), i + ((<usize>o2) << 3), w, a0, e0, a1, e1, a2, e2);
            ++o2;
          }
        }
        v += (<usize>out2) << 2;
        i += (<usize>out2) << 3;
      }
    }
  }
}

/** out [planes, inputs]: zeros, with each gradient added at its position, if that is in the plane. */
export function max_pool_grad_f32(
  grad: usize,
  indices: usize,
  out: usize,
  inputs: i32,
  outputs: i32,
  begin: i32,
  end: i32,
): void {
  memory.fill(out + ((<usize>begin * <usize>inputs) << 2), 0, (<usize>(end - begin) * <usize>inputs) << 2);
  for (; begin < end; ++begin) {
    const plane = out + ((<usize>begin * <usize>inputs) << 2);
    let g = grad + ((<usize>begin * <usize>outputs) << 2);
    let i = indices + ((<usize>begin * <usize>outputs) << 3);
    for (let stop = g + ((<usize>outputs) << 2); g < stop; g += 4, i += 8) {
      const at = <usize>load<i64>(i);
      if (at >= <usize>inputs) continue;
      const p = plane + (at << 2);
      store<f32>(p, load<f32>(p) + load<f32>(g));
    }
  }
}

/** The sum of n neighbours in double precision. */
function sumRun(p: usize, n: i32): f64 {
  let sum: f64 = 0;
  if (n >= 8) {
    let a = f64x2.splat(0);
    let b = f64x2.splat(0);
    for (; n >= 4; n -= 4, p += 16) {
      const x = v128.load(p);
      a = f64x2.add(a, V.widenLow(x));
      b = f64x2.add(b, V.widenHigh(x));
    }
    a = f64x2.add(a, b);
    sum = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
  }
  for (; n > 0; --n, p += 4) sum += <f64>load<f32>(p);
  return sum;
}

/** The sum of each window by the product of its divisors: a double for each output of each dimension, in order. */
export function avg_pool_f32(x: usize, out: usize, w: usize, divisors: usize, begin: i32, end: i32): void {
  const inputs = (<usize>Block.inputs(w)) << 2;
  const out0 = Block.output(w, 0);
  const out1 = Block.output(w, 1);
  const out2 = Block.output(w, 2);
  const divisors1 = divisors + ((<usize>out0) << 3);
  const divisors2 = divisors1 + ((<usize>out1) << 3);
  const list0 = Block.starts(w, 0);
  const list1 = Block.starts(w, 1);
  const list2 = Block.starts(w, 2);
  let to = out + ((<usize>begin * <usize>Block.outputs(w)) << 2);
  for (; begin < end; ++begin) {
    const plane = x + <usize>begin * inputs;
    for (let o0 = 0; o0 < out0; ++o0) {
      for (let o1 = 0; o1 < out1; ++o1) {
        const share = load<f64>(divisors + ((<usize>o0) << 3)) * load<f64>(divisors1 + ((<usize>o1) << 3));
        for (let o2 = 0; o2 < out2; ++o2, to += 4) {
          const a2 = Block.at(list2, o2);
          const n2 = Block.at(list2, out2 + o2) - a2;
          let sum: f64 = 0;
          for (
            let i0 = Block.at(list0, o0), e0 = Block.at(list0, out0 + o0);
            i0 < e0;
            i0 += Block.step(w, 0)
          ) {
            for (
              let i1 = Block.at(list1, o1), e1 = Block.at(list1, out1 + o1);
              i1 < e1;
              i1 += Block.step(w, 1)
            ) {
              sum += sumRun(
                plane + ((<usize>((i0 * Block.input(w, 1) + i1) * Block.input(w, 2) + a2)) << 2),
                n2,
              );
            }
          }
          store<f32>(to, <f32>(sum / (share * load<f64>(divisors2 + ((<usize>o2) << 3)))));
        }
      }
    }
  }
}

/** Its gradient: each output's share added to the inputs of its window. */
export function avg_pool_grad_f32(
  grad: usize,
  out: usize,
  w: usize,
  divisors: usize,
  begin: i32,
  end: i32,
): void {
  const inputs = (<usize>Block.inputs(w)) << 2;
  const out0 = Block.output(w, 0);
  const out1 = Block.output(w, 1);
  const out2 = Block.output(w, 2);
  const divisors1 = divisors + ((<usize>out0) << 3);
  const divisors2 = divisors1 + ((<usize>out1) << 3);
  const list0 = Block.starts(w, 0);
  const list1 = Block.starts(w, 1);
  const list2 = Block.starts(w, 2);
  let from = grad + ((<usize>begin * <usize>Block.outputs(w)) << 2);
  for (; begin < end; ++begin) {
    const plane = out + <usize>begin * inputs;
    memory.fill(plane, 0, inputs);
    for (let o0 = 0; o0 < out0; ++o0) {
      for (let o1 = 0; o1 < out1; ++o1) {
        const part = load<f64>(divisors + ((<usize>o0) << 3)) * load<f64>(divisors1 + ((<usize>o1) << 3));
        for (let o2 = 0; o2 < out2; ++o2, from += 4) {
          const share = <f32>(<f64>load<f32>(from) / (part * load<f64>(divisors2 + ((<usize>o2) << 3))));
          const a2 = Block.at(list2, o2);
          const n2 = Block.at(list2, out2 + o2) - a2;
          for (
            let i0 = Block.at(list0, o0), e0 = Block.at(list0, out0 + o0);
            i0 < e0;
            i0 += Block.step(w, 0)
          ) {
            for (
              let i1 = Block.at(list1, o1), e1 = Block.at(list1, out1 + o1);
              i1 < e1;
              i1 += Block.step(w, 1)
            ) {
              let p = plane + ((<usize>((i0 * Block.input(w, 1) + i1) * Block.input(w, 2) + a2)) << 2);
              for (let i = 0; i < n2; ++i, p += 4) store<f32>(p, load<f32>(p) + share);
            }
          }
        }
      }
    }
  }
}
