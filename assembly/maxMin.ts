// Largest and smallest floats, as the folds of reduce.ts: four lanes at a time, NaN beside them.
import { STREAMS, V } from './lanes';

abstract class MaxMin {
  // @ts-ignore: decorator
  @inline
  static scalar(largest: bool, a: f32, b: f32): f32 {
    return largest ? max<f32>(a, b) : min<f32>(a, b);
  }

  /** The larger or smaller; NaN in b is passed over. */
  // @ts-ignore: decorator
  @inline
  static further(largest: bool, a: v128, b: v128): v128 {
    return largest ? f32x4.pmax(a, b) : f32x4.pmin(a, b);
  }

  /** Extremes of up to four neighbouring columns: NaN wins. */
  // @ts-ignore: decorator
  @inline
  static columns(largest: bool, p: usize, out: usize, n: usize, pitch: usize, lanes: usize): void {
    let best = V.loadLanes(p, 1, lanes);
    let wrong = f32x4.ne(best, best);
    for (; n > 0; n--, p += pitch) {
      const v = V.loadLanes(p, 1, lanes);
      best = MaxMin.further(largest, best, v);
      wrong = v128.or(wrong, f32x4.ne(v, v));
    }
    V.storeLanes(out, v128.or(best, wrong), lanes);
  }

  /** Extremes of 16·groups neighbouring columns: a few rows from end to end, then the next few. NaN wins. */
  // @ts-ignore: decorator
  @inline
  static streams(largest: bool, p: usize, out: usize, n: usize, pitch: usize, groups: usize): void {
    memory.copy(out, p, groups << 6);
    while (n > 0) {
      const rows = min(n, STREAMS);
      n -= rows;
      for (let at: usize = 0; at < groups << 6; at += 64) {
        const to = out + at;
        let q = p + at;
        let a = v128.load(to);
        let b = v128.load(to, 16);
        let c = v128.load(to, 32);
        let d = v128.load(to, 48);
        let aWrong = f32x4.ne(a, a);
        let bWrong = f32x4.ne(b, b);
        let cWrong = f32x4.ne(c, c);
        let dWrong = f32x4.ne(d, d);
        for (let left = rows; left > 0; left--) {
          let x = v128.load(q);
          a = MaxMin.further(largest, a, x);
          aWrong = v128.or(aWrong, f32x4.ne(x, x));
          x = v128.load(q, 16);
          b = MaxMin.further(largest, b, x);
          bWrong = v128.or(bWrong, f32x4.ne(x, x));
          x = v128.load(q, 32);
          c = MaxMin.further(largest, c, x);
          cWrong = v128.or(cWrong, f32x4.ne(x, x));
          x = v128.load(q, 48);
          d = MaxMin.further(largest, d, x);
          dWrong = v128.or(dWrong, f32x4.ne(x, x));
          q += pitch;
        }
        v128.store(to, v128.or(a, aWrong));
        v128.store(to, v128.or(b, bWrong), 16);
        v128.store(to, v128.or(c, cWrong), 32);
        v128.store(to, v128.or(d, dWrong), 48);
      }
      p += rows * pitch;
    }
  }

  /** NaN wins. */
  // @ts-ignore: decorator
  @inline
  static run(
    largest: bool,
    x: usize,
    out: usize,
    axis: usize,
    inner: usize,
    block: usize,
    begin: usize,
    end: usize,
  ): void {
    const blocks = (axis + block - 1) / block;
    if (inner > 1) {
      for (let i = begin; i < end; ) {
        const together = min(inner - (i % inner), end - i);
        const first = ((i / inner) % blocks) * block;
        const n = min(block, axis - first);
        const p = x + ((((i / inner / blocks) * axis + first) * inner + (i % inner)) << 2);
        if (together >= 16) {
          MaxMin.streams(largest, p, out + (i << 2), n, inner << 2, together >> 4);
          i += together & ~15;
        } else {
          const lanes = min<usize>(4, together);
          MaxMin.columns(largest, p, out + (i << 2), n, inner << 2, lanes);
          i += lanes;
        }
      }
      return;
    }
    for (let i = begin; i < end; i++) {
      const first = (i % blocks) * block;
      let n = min(block, axis - first);
      let p = x + (((i / blocks) * axis + first) << 2);
      let best = v128.load32_splat(p);
      let other = best;
      let wrong = f32x4.ne(best, best);
      for (; n >= 8; n -= 8) {
        const u = v128.load(p);
        const v = v128.load(p, 16);
        best = MaxMin.further(largest, best, u);
        other = MaxMin.further(largest, other, v);
        wrong = v128.or(wrong, v128.or(f32x4.ne(u, u), f32x4.ne(v, v)));
        p += 32;
      }
      best = MaxMin.further(largest, best, other);
      let a = MaxMin.scalar(largest, f32x4.extract_lane(best, 0), f32x4.extract_lane(best, 1));
      a = MaxMin.scalar(largest, a, f32x4.extract_lane(best, 2));
      a = MaxMin.scalar(largest, a, f32x4.extract_lane(best, 3));
      for (; n > 0; n--) {
        a = MaxMin.scalar(largest, a, load<f32>(p));
        p += 4;
      }
      store<f32>(out + (i << 2), v128.any_true(wrong) ? <f32>NaN : a);
    }
  }
}

export function max_f32(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  MaxMin.run(true, x, out, axis, inner, block, begin, end);
}

export function min_f32(
  x: usize,
  out: usize,
  axis: usize,
  inner: usize,
  block: usize,
  begin: usize,
  end: usize,
): void {
  MaxMin.run(false, x, out, axis, inner, block, begin, end);
}
