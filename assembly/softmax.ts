// Softmax along rows of n floats and what training makes of it: its logarithm, the cross-entropy of class numbers, the
// gradients. [begin, end) counts rows. Sums run in double; the largest element of a row is taken off before eˣ.
import { V } from './lanes';
import { M } from './math';
import { W } from './wide';

/** Sixteen summands a turn, so many turns before a sum moves to double. */
const RUN: usize = 16;
/** Four lanes that count, then four that do not. */
const MASKS = memory.data<i32>([-1, -1, -1, -1, 0, 0, 0, 0], 16);

abstract class Rows {
  /** v with zeros in place of the lanes from `lanes` on. */
  // @ts-ignore: decorator
  @inline
  static masked(v: v128, lanes: usize): v128 {
    return lanes >= 4 ? v : v128.and(v, v128.load(MASKS + ((4 - lanes) << 2)));
  }

  // @ts-ignore: decorator
  @inline
  static total(sum: v128): f64 {
    return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  }

  /** The largest of n ≥ 1 floats; a NaN may be passed over. */
  static top(p: usize, n: usize): f32 {
    const stop = p + (n << 2);
    let best = v128.load32_splat(p);
    let a = best;
    let b = best;
    let c = best;
    for (; p + 64 <= stop; p += 64) {
      best = f32x4.pmax(best, v128.load(p));
      a = f32x4.pmax(a, v128.load(p, 16));
      b = f32x4.pmax(b, v128.load(p, 32));
      c = f32x4.pmax(c, v128.load(p, 48));
    }
    best = f32x4.pmax(f32x4.pmax(best, a), f32x4.pmax(b, c));
    for (; p + 16 <= stop; p += 16) best = f32x4.pmax(best, v128.load(p));
    for (; p < stop; p += 4) best = f32x4.pmax(best, v128.load32_splat(p));
    best = f32x4.pmax(best, v128.shuffle<i64>(best, best, 1, 0));
    return f32x4.extract_lane(f32x4.pmax(best, v128.shuffle<i32>(best, best, 1, 0, 3, 2)), 0);
  }

  /** Whether e to the power of each is 0, as it is where a mask forbids. */
  // @ts-ignore: decorator
  @inline
  static vanish(a: v128, b: v128, c: v128, d: v128): bool {
    const top = f32x4.max(f32x4.max(a, b), f32x4.max(c, d));
    return i32x4.all_true(f32x4.lt(top, f32x4.splat(-104)));
  }

  /** Whether n floats are all −∞. */
  static closed(p: usize, n: usize, top: f32): bool {
    if (top != -Infinity) return false;
    // `top` may have passed over a NaN.
    for (let i: usize = 0; i < n; i++) if (load<f32>(p + (i << 2)) != -Infinity) return false;
    return true;
  }

  /** Σ e^(x − top), in double at the latest after 32 summands per lane; the summands go to `out` unless it is 0. */
  static expSum(p: usize, out: usize, n: usize, top: f32): f64 {
    const shift = f32x4.splat(top);
    let sum = f64x2.splat(0);
    let i: usize = 0;
    while (i + 16 <= n) {
      const end = i + (min((n - i) >> 4, RUN) << 4);
      let even = f32x4.splat(0);
      let odd = even;
      for (; i < end; i += 16) {
        const at = i << 2;
        let a = f32x4.sub(v128.load(p + at), shift);
        let b = f32x4.sub(v128.load(p + at, 16), shift);
        let c = f32x4.sub(v128.load(p + at, 32), shift);
        let d = f32x4.sub(v128.load(p + at, 48), shift);
        if (v128.any_true(M.outside(M.furthest(a, b, c, d)))) {
          if (Rows.vanish(a, b, c, d)) {
            a = b = c = d = f32x4.splat(0);
          } else {
            a = Rows.exp(a);
            b = Rows.exp(b);
            c = Rows.exp(c);
            d = Rows.exp(d);
          }
        } else {
          a = M.expNormal(a);
          b = M.expNormal(b);
          c = M.expNormal(c);
          d = M.expNormal(d);
        }
        if (out) {
          v128.store(out + at, a);
          v128.store(out + at, b, 16);
          v128.store(out + at, c, 32);
          v128.store(out + at, d, 48);
        }
        even = f32x4.add(even, f32x4.add(a, b));
        odd = f32x4.add(odd, f32x4.add(c, d));
      }
      sum = f64x2.add(sum, f64x2.add(V.widenLow(even), V.widenHigh(even)));
      sum = f64x2.add(sum, f64x2.add(V.widenLow(odd), V.widenHigh(odd)));
    }
    for (; i < n; i += 4) {
      const lanes = n - i;
      const e = Rows.exp(f32x4.sub(V.loadLanes(p + (i << 2), 1, lanes), shift));
      if (out) V.storeLanes(out + (i << 2), e, lanes);
      const counted = Rows.masked(e, lanes);
      sum = f64x2.add(sum, f64x2.add(V.widenLow(counted), V.widenHigh(counted)));
    }
    return Rows.total(sum);
  }

  /** Σ a·b, or Σ a if b is 0; in double at the latest after 32 summands per lane. */
  static dot(a: usize, b: usize, n: usize): f64 {
    let sum = f64x2.splat(0);
    let i: usize = 0;
    while (i + 8 <= n) {
      const end = i + (min((n - i) >> 3, 2 * RUN) << 3);
      let even = f32x4.splat(0);
      let odd = even;
      for (; i < end; i += 8) {
        const u = v128.load(a + (i << 2));
        const v = v128.load(a + (i << 2), 16);
        even = f32x4.add(even, b ? f32x4.mul(u, v128.load(b + (i << 2))) : u);
        odd = f32x4.add(odd, b ? f32x4.mul(v, v128.load(b + (i << 2), 16)) : v);
      }
      sum = f64x2.add(sum, f64x2.add(V.widenLow(even), V.widenHigh(even)));
      sum = f64x2.add(sum, f64x2.add(V.widenLow(odd), V.widenHigh(odd)));
    }
    let total = Rows.total(sum);
    for (; i < n; i++) {
      const u = load<f32>(a + (i << 2));
      total += <f64>(b ? u * load<f32>(b + (i << 2)) : u);
    }
    return total;
  }

  /** A call: its callers would hold it many times. */
  static exp(x: v128): v128 {
    return M.exp(x);
  }

  static log(x: f64): f64 {
    return f64x2.extract_lane(W.log(f64x2.splat(x)), 0);
  }
}

/** If `safe` is not 0, rows that are −∞ throughout give zeros instead of NaN. */
export function softmax_f32(x: usize, out: usize, n: usize, safe: i32, begin: usize, end: usize): void {
  for (let row = begin; row < end; row++) {
    const p = x + ((row * n) << 2);
    const to = out + ((row * n) << 2);
    const top = Rows.top(p, n);
    if (safe && Rows.closed(p, n, top)) {
      memory.fill(to, 0, n << 2);
      continue;
    }
    const factor = f32x4.splat(<f32>(1 / Rows.expSum(p, to, n, top)));
    let i: usize = 0;
    for (; i + 16 <= n; i += 16) {
      const at = to + (i << 2);
      v128.store(at, f32x4.mul(v128.load(at), factor));
      v128.store(at, f32x4.mul(v128.load(at, 16), factor), 16);
      v128.store(at, f32x4.mul(v128.load(at, 32), factor), 32);
      v128.store(at, f32x4.mul(v128.load(at, 48), factor), 48);
    }
    for (; i < n; i += 4) {
      const at = to + (i << 2);
      V.storeLanes(at, f32x4.mul(V.loadLanes(at, 1, n - i), factor), n - i);
    }
  }
}

export function log_softmax_f32(x: usize, out: usize, n: usize, begin: usize, end: usize): void {
  for (let row = begin; row < end; row++) {
    const p = x + ((row * n) << 2);
    const to = out + ((row * n) << 2);
    const top = Rows.top(p, n);
    const shift = f32x4.splat(top);
    const logSum = f32x4.splat(<f32>Rows.log(Rows.expSum(p, 0, n, top)));
    let i: usize = 0;
    for (; i + 16 <= n; i += 16) {
      const at = to + (i << 2);
      const from = p + (i << 2);
      v128.store(at, f32x4.sub(f32x4.sub(v128.load(from), shift), logSum));
      v128.store(at, f32x4.sub(f32x4.sub(v128.load(from, 16), shift), logSum), 16);
      v128.store(at, f32x4.sub(f32x4.sub(v128.load(from, 32), shift), logSum), 32);
      v128.store(at, f32x4.sub(f32x4.sub(v128.load(from, 48), shift), logSum), 48);
    }
    for (; i < n; i += 4) {
      const v = f32x4.sub(V.loadLanes(p + (i << 2), 1, n - i), shift);
      V.storeLanes(to + (i << 2), f32x4.sub(v, logSum), n - i);
    }
  }
}

/** y·(g − Σ g·y), where y is the softmax. */
export function softmax_grad_f32(
  grad: usize,
  y: usize,
  out: usize,
  n: usize,
  begin: usize,
  end: usize,
): void {
  for (let row = begin; row < end; row++) {
    const at = (row * n) << 2;
    const mean = f32x4.splat(<f32>Rows.dot(grad + at, y + at, n));
    let i: usize = 0;
    for (; i + 16 <= n; i += 16) {
      const p = grad + at + (i << 2);
      const q = y + at + (i << 2);
      const to = out + at + (i << 2);
      v128.store(to, f32x4.mul(v128.load(q), f32x4.sub(v128.load(p), mean)));
      v128.store(to, f32x4.mul(v128.load(q, 16), f32x4.sub(v128.load(p, 16), mean)), 16);
      v128.store(to, f32x4.mul(v128.load(q, 32), f32x4.sub(v128.load(p, 32), mean)), 32);
      v128.store(to, f32x4.mul(v128.load(q, 48), f32x4.sub(v128.load(p, 48), mean)), 48);
    }
    for (; i < n; i += 4) {
      const g = V.loadLanes(grad + at + (i << 2), 1, n - i);
      const v = V.loadLanes(y + at + (i << 2), 1, n - i);
      V.storeLanes(out + at + (i << 2), f32x4.mul(v, f32x4.sub(g, mean)), n - i);
    }
  }
}

/** g − eʸ·Σ g, where y is the logarithm of the softmax. */
export function log_softmax_grad_f32(
  grad: usize,
  y: usize,
  out: usize,
  n: usize,
  begin: usize,
  end: usize,
): void {
  for (let row = begin; row < end; row++) {
    const at = (row * n) << 2;
    const total = f32x4.splat(<f32>Rows.dot(grad + at, 0, n));
    for (let i: usize = 0; i < n; ) {
      const q = y + at + (i << 2);
      const to = out + at + (i << 2);
      const p = grad + at + (i << 2);
      if (i + 16 <= n) {
        const a = v128.load(q);
        const b = v128.load(q, 16);
        const c = v128.load(q, 32);
        const d = v128.load(q, 48);
        if (!v128.any_true(M.outside(M.furthest(a, b, c, d)))) {
          v128.store(to, f32x4.sub(v128.load(p), f32x4.mul(M.expNormal(a), total)));
          v128.store(to, f32x4.sub(v128.load(p, 16), f32x4.mul(M.expNormal(b), total)), 16);
          v128.store(to, f32x4.sub(v128.load(p, 32), f32x4.mul(M.expNormal(c), total)), 32);
          v128.store(to, f32x4.sub(v128.load(p, 48), f32x4.mul(M.expNormal(d), total)), 48);
          i += 16;
          continue;
        }
      }
      const e = Rows.exp(V.loadLanes(q, 1, n - i));
      V.storeLanes(to, f32x4.sub(V.loadLanes(p, 1, n - i), f32x4.mul(e, total)), n - i);
      i += 4;
    }
  }
}

/**
 * Per row: the loss, the weight of its class (0 where the target is `ignored`), and in `stats` the largest logit and
 * log Σ e^(x − largest). `weight` is 0 or one float per class; `smoothing` is shared among the classes.
 */
export function cross_entropy_f32(
  x: usize,
  target: usize,
  weight: usize,
  losses: usize,
  weights: usize,
  stats: usize,
  n: usize,
  ignored: f64,
  smoothing: f64,
  begin: usize,
  end: usize,
): void {
  for (let row = begin; row < end; row++) {
    const p = x + ((row * n) << 2);
    const top = Rows.top(p, n);
    const logSum = Rows.log(Rows.expSum(p, 0, n, top));
    store<f32>(stats + (row << 3), top);
    store<f32>(stats + (row << 3), <f32>logSum, 4);
    const own = load<i64>(target + (row << 3));
    let loss: f64 = 0;
    let share: f64 = 0;
    if (<f64>own != ignored) {
      const at = (<usize>own) << 2;
      share = weight ? <f64>load<f32>(weight + at) : 1;
      loss = share * (1 - smoothing) * (logSum - (<f64>load<f32>(p + at) - <f64>top));
      if (smoothing > 0) {
        let all: f64 = 0;
        for (let i: usize = 0; i < n; i++) {
          const part = logSum - (<f64>load<f32>(p + (i << 2)) - <f64>top);
          all += weight ? <f64>load<f32>(weight + (i << 2)) * part : part;
        }
        loss += (smoothing / <f64>n) * all;
      }
    }
    store<f32>(losses + (row << 2), <f32>loss);
    store<f32>(weights + (row << 2), <f32>share);
  }
}

/**
 * The gradient of the logits: g·(p·(a·w_t + s·Σw) − a·w_t·[c = t] − s·w_c), where p is the softmax, t the target,
 * a = 1 − smoothing, s = smoothing/n, Σw = `allWeights`, and g is `scale` times the row's gradient (`gradStep` 0: one
 * for all rows).
 */
export function cross_entropy_grad_f32(
  x: usize,
  target: usize,
  weight: usize,
  stats: usize,
  grad: usize,
  gradStep: usize,
  out: usize,
  n: usize,
  ignored: f64,
  smoothing: f64,
  allWeights: f64,
  scale: f64,
  begin: usize,
  end: usize,
): void {
  const share = smoothing / <f64>n;
  for (let row = begin; row < end; row++) {
    const p = x + ((row * n) << 2);
    const to = out + ((row * n) << 2);
    const own = load<i64>(target + (row << 3));
    if (<f64>own == ignored) {
      // 0 times the softmax, as in PyTorch: a NaN or an infinite logit shows here too.
      const logSum = load<f32>(stats + (row << 3), 4);
      const nothing = logSum - logSum;
      memory.fill(to, 0, n << 2);
      if (isNaN(nothing)) for (let i: usize = 0; i < n; i++) store<f32>(to + (i << 2), nothing);
      continue;
    }
    const at = (<usize>own) << 2;
    const g = scale * <f64>load<f32>(grad + ((row * gradStep) << 2));
    const ownShare = (1 - smoothing) * (weight ? <f64>load<f32>(weight + at) : 1);
    const factor = f32x4.splat(<f32>(g * (ownShare + share * allWeights)));
    const top = v128.load32_splat(stats + (row << 3));
    const logSum = v128.load32_splat(stats + (row << 3), 4);
    const common = f32x4.splat(<f32>(g * share));
    for (let i: usize = 0; i < n; i += 4) {
      const v = f32x4.sub(f32x4.sub(V.loadLanes(p + (i << 2), 1, n - i), top), logSum);
      let y = f32x4.mul(M.exp(v), factor);
      if (smoothing > 0) {
        const w = weight ? f32x4.mul(V.loadLanes(weight + (i << 2), 1, n - i), common) : common;
        y = f32x4.sub(y, w);
      }
      V.storeLanes(to + (i << 2), y, n - i);
    }
    store<f32>(to + at, load<f32>(to + at) - <f32>(g * ownShare));
  }
}
