// Random words of MT19937 (Matsumoto and Nishimura, 1998), and normal samples from them, four at a time.
import { V } from './lanes';

const N: usize = 624;
const M: usize = 397;
const WORD: usize = 4;
const BLOCK_BYTES: usize = N * WORD;
const UPPER_MASK: u32 = 0x80000000;
const MATRIX_A: u32 = 0x9908b0df;

abstract class Twist {
  /** The word at p becomes the one at `from`, with its own upper bit and the lower ones of `next` mixed in. */
  // @ts-ignore: decorator
  @inline
  static one(p: usize, next: usize, from: usize): void {
    const lower = load<u32>(next);
    const y = (load<u32>(p) & UPPER_MASK) | (lower & ~UPPER_MASK);
    store<u32>(p, load<u32>(from) ^ (y >> 1) ^ (lower & 1 ? MATRIX_A : 0));
  }

  /** The same for four words, each with the one that follows it. */
  // @ts-ignore: decorator
  @inline
  static four(p: usize, from: usize): void {
    const lower = v128.load(p, WORD);
    const y = v128.bitselect(v128.load(p), lower, i32x4.splat(UPPER_MASK));
    const odd = i32x4.shr_s(i32x4.shl(lower, 31), 31);
    const mask = v128.and(odd, i32x4.splat(MATRIX_A));
    v128.store(p, v128.xor(v128.load(from), v128.xor(i32x4.shr_u(y, 1), mask)));
  }
}

function twist(state: usize): void {
  const last = state + BLOCK_BYTES - WORD;
  // What lies M words on is of the old block until the last M words, for which it has been made already.
  const old = last - (M - 1) * WORD;
  let p = state;
  for (; p + 16 <= old; p += 16) Twist.four(p, p + M * WORD);
  for (; p < old; p += WORD) Twist.one(p, p + WORD, p + M * WORD);
  for (; p < last; p += 16) Twist.four(p, p - (N - M) * WORD);
  Twist.one(last, state, last - (N - M) * WORD);
}

function temper(state: usize, out: usize): void {
  for (let i: usize = 0; i < BLOCK_BYTES; i += 16) {
    let y = v128.load(state + i);
    y = v128.xor(y, i32x4.shr_u(y, 11));
    y = v128.xor(y, v128.and(i32x4.shl(y, 7), i32x4.splat(0x9d2c5680)));
    y = v128.xor(y, v128.and(i32x4.shl(y, 15), i32x4.splat(0xefc60000)));
    v128.store(out + i, v128.xor(y, i32x4.shr_u(y, 18)));
  }
}

/** Moves the state of 624 words on by `blocks` blocks, whose tempered words go to `out`. */
export function mt19937_words(state: usize, out: usize, blocks: i32): void {
  for (; blocks > 0; --blocks, out += BLOCK_BYTES) {
    twist(state);
    temper(state, out);
  }
}

/** The float32 nearest to √½, in units of 2^-24. */
const SQRT_HALF: i32 = 11863283;

abstract class Normal {
  // @ts-ignore: decorator
  @inline
  static step(a: v128, b: v128, c: f32): v128 {
    return V.madd<f32>(a, b, f32x4.splat(c));
  }

  /** √(−2·log u) of u = whole · 2^-24, whole in 1 … 2^24. */
  // @ts-ignore: decorator
  @inline
  static radius(whole: v128): v128 {
    // u = 2^e·(1 + m) with 1 + m in [√½, √2).
    const bits = f32x4.convert_i32x4_s(whole);
    const significand = v128.or(v128.and(bits, i32x4.splat(0x7fffff)), i32x4.splat(0x800000));
    const low = i32x4.lt_s(significand, i32x4.splat(SQRT_HALF));
    const scaled = i32x4.add(significand, v128.and(significand, low));
    const e = f32x4.convert_i32x4_s(i32x4.add(i32x4.sub(i32x4.shr_u(bits, 23), i32x4.splat(150)), low));
    const distance = f32x4.convert_i32x4_s(i32x4.sub(scaled, i32x4.splat(0x1000000)));
    const m = f32x4.mul(distance, f32x4.splat(5.9604644775390625e-8)); // 2^-24
    const z = f32x4.mul(m, m);
    let y = Normal.step(f32x4.splat(7.0376836292e-2), m, -1.151461031e-1);
    y = Normal.step(y, m, 1.167699874e-1);
    y = Normal.step(y, m, -1.2420140846e-1);
    y = Normal.step(y, m, 1.4249322787e-1);
    y = Normal.step(y, m, -1.6668057665e-1);
    y = Normal.step(y, m, 2.0000714765e-1);
    y = Normal.step(y, m, -2.4999993993e-1);
    y = Normal.step(y, m, 3.3333331174e-1);
    y = f32x4.mul(y, m);
    y = V.madd<f32>(y, z, f32x4.mul(e, f32x4.splat(-2.1219444e-4)));
    y = V.madd<f32>(z, f32x4.splat(-0.5), y);
    const log = V.madd<f32>(e, f32x4.splat(0.693359375), f32x4.add(m, y));
    return f32x4.sqrt(f32x4.mul(log, f32x4.splat(-2)));
  }

  /** The samples at p and 32 bytes on, from the words that are there. */
  // @ts-ignore: decorator
  @inline
  static pairs(p: usize, mean: v128, std: v128): void {
    const mask = i32x4.splat(0xffffff);
    const r = Normal.radius(i32x4.sub(i32x4.splat(0x1000000), v128.and(v128.load(p), mask)));
    const turn = f32x4.convert_i32x4_s(v128.and(v128.load(p, 32), mask));
    const unit = f32x4.mul(turn, f32x4.splat(5.9604644775390625e-8));
    const angle = f32x4.mul(unit, f32x4.splat(6.283185307179586));
    // angle = octant·π/4 + x, octant even, |x| ≤ π/4
    const whole = i32x4.trunc_sat_f32x4_s(f32x4.mul(angle, f32x4.splat(1.2732395447351628)));
    const octant = v128.and(i32x4.add(whole, i32x4.splat(1)), i32x4.splat(~1));
    const turns = f32x4.convert_i32x4_s(octant);
    let x = V.madd<f32>(turns, f32x4.splat(-0.78515625), angle);
    x = V.madd<f32>(turns, f32x4.splat(-2.4187564849853516e-4), x);
    x = V.madd<f32>(turns, f32x4.splat(-3.774894977445941e-8), x);
    const z = f32x4.mul(x, x);
    let c = Normal.step(f32x4.splat(2.443315711809948e-5), z, -1.388731625493765e-3);
    c = Normal.step(c, z, 4.166664568298827e-2);
    c = f32x4.mul(c, z);
    c = V.madd<f32>(c, z, f32x4.mul(z, f32x4.splat(-0.5)));
    let s = Normal.step(f32x4.splat(-1.9515295891e-4), z, 8.3321608736e-3);
    s = Normal.step(s, z, -1.6666654611e-1);
    s = f32x4.mul(s, z);
    s = V.madd<f32>(s, x, x);
    // In octants 2 and 6 sine and cosine swap; the cosine is negative in 4 and 6, the sine in 2 and 4.
    const four = i32x4.splat(4);
    const cosineSign = i32x4.shl(v128.and(octant, four), 29);
    const sineSign = i32x4.shl(v128.and(i32x4.add(octant, i32x4.splat(2)), four), 29);
    const swap = i32x4.shr_s(i32x4.shl(octant, 30), 31);
    const cosine = f32x4.mul(r, v128.xor(f32x4.add(c, f32x4.splat(1)), cosineSign));
    const sine = f32x4.mul(r, v128.xor(s, sineSign));
    v128.store(p, V.madd<f32>(v128.bitselect(sine, cosine, swap), std, mean));
    v128.store(p, V.madd<f32>(v128.bitselect(cosine, sine, swap), std, mean), 32);
  }
}

/**
 * Makes normal samples of n words, a multiple of 16, in their place: PyTorch's vector kernel for float32, a polar pair
 * (Box and Muller, 1958) of each word and the eighth behind it. The functions are those of src/core/normal.ts, bit for bit,
 * which takes one rounding in a multiply-add: false, and nothing done, where there are two.
 */
export function normal_f32(words: usize, n: i32, mean: f32, std: f32): bool {
  if (!V.fused()) return false;
  const m = f32x4.splat(mean);
  const s = f32x4.splat(std);
  for (const end = words + ((<usize>n) << 2); words < end; words += 64) {
    Normal.pairs(words, m, s);
    Normal.pairs(words + 16, m, s);
  }
  return true;
}
