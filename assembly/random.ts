// The words of MT19937 (Matsumoto and Nishimura, 1998), four at a time.
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
