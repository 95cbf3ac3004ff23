/**
 * The random engine: MT19937 (Matsumoto and Nishimura, 1998) with the seeding, the 64-bit draws and the 5056-byte
 * state of PyTorch's CPU generator, so that one seed gives one stream on both sides. Words are tempered a block of
 * 624 at a time; the fills of distributions.ts take them in batches through `words`.
 */
import { ArgumentError } from './errors.ts';

/** Words of a block, and of the state. */
export const BLOCK_WORDS = 624;
const N = BLOCK_WORDS;
const M = 397;
const UPPER_MASK = 0x80000000 | 0;
const LOWER_MASK = 0x7fffffff;
const MATRIX_A = 0x9908b0df | 0;

/** The seed of a generator that was given none. */
const DEFAULT_SEED = 67280421310721n;

/** Most words that one call of `words` can give; even, so that 64-bit draws are never cut in two. */
export const WORDS_BATCH = 8192;

/** Moves a state on by as many blocks of 624 as `words` has room for, and fills it with their tempered words. */
export type BlockMaker = (state: Int32Array, words: Uint32Array) => void;

let makeBlocks: BlockMaker | null = null;

/** From now on all engines make their words so: with what a backend has, a sixth of the time. */
export function makeBlocksBy(maker: BlockMaker): void {
  makeBlocks = maker;
}

/** Bytes of a serialised state. */
export const STATE_BYTES = 5056;

// Offsets in a serialised state, all little-endian; bytes not named here are zero.
const AT_SEED = 0;
const AT_LEFT = 8;
const AT_SEEDED = 12;
const AT_NEXT = 16;
const AT_WORDS = 24;
const AT_NORMAL = 5024;
const AT_NORMAL_VALID = 5040;

/** One stream of random words, and the second half of the last normal pair drawn from it. */
export class RandomEngine {
  /** Int32 rather than Uint32: the twist then stays in 32-bit integer arithmetic. */
  #state = new Int32Array(N);
  /** The tempered words of the current block. */
  #block = new Uint32Array(N);
  #next = 0;
  /** Words of the block not yet drawn: 0 means that the next draw twists. */
  #remaining = 0;
  #seed = 0n;
  /** Second sample of a Box-Muller pair (mean 0, deviation 1), waiting for the next scalar normal; else null. */
  cachedNormal: number | null = null;

  constructor(seed: number | bigint = DEFAULT_SEED) {
    this.manualSeed(seed);
  }

  /**
   * Restarts the stream. Integers from -2^63 to 2^64 - 1 (negative ones count from 2^64 down); fractions are cut off.
   * Only the low 32 bits choose the stream, the rest is remembered by `initialSeed`. @throws ArgumentError outside
   */
  manualSeed(seed: number | bigint): this {
    this.#seed = checkedSeed(seed);
    const state = this.#state;
    let word = Number(this.#seed & 0xffffffffn);
    state[0] = word;
    for (let j = 1; j < N; j++) {
      word = (Math.imul(1812433253, word ^ (word >>> 30)) + j) >>> 0;
      state[j] = word;
    }
    this.#next = 0;
    this.#remaining = 0;
    this.cachedNormal = null;
    return this;
  }

  /** The seed last set, as an unsigned 64-bit integer. */
  initialSeed(): bigint {
    return this.#seed;
  }

  /**
   * Seeds by chance (53 bits, so that the seed is exact as a number) and returns the seed. Engines seed `Math.random` from
   * the system's entropy; a stream that is meant to be predicted needs no more, and Node's crypto takes 10 ms to load.
   */
  seed(): bigint {
    const word = () => Math.floor(Math.random() * 2 ** 32);
    const seed = (BigInt(word() & 0x1fffff) << 32n) | BigInt(word());
    this.manualSeed(seed);
    return seed;
  }

  /** The next 32 bits. */
  random32(): number {
    if (this.#remaining === 0) this.#twist();
    this.#remaining -= 1;
    const word = this.#block[this.#next];
    this.#next += 1;
    return word;
  }

  /** The next 64 bits, two words: the first is the high one. */
  random64(): bigint {
    const high = this.random32();
    return (BigInt(high) << 32n) | BigInt(this.random32());
  }

  /** A float64 uniform of [0, 1) with 53 bits, from two words. */
  uniform53(): number {
    const high = this.random32() & 0x1fffff;
    return (high * 2 ** 32 + this.random32()) * 2 ** -53;
  }

  /** The next `count` words (at most WORDS_BATCH), in a buffer that the next call on any engine overwrites. */
  words(count: number): Uint32Array {
    let filled = 0;
    while (filled < count) {
      if (this.#remaining === 0) {
        const whole = Math.floor((count - filled) / N) * N;
        if (makeBlocks !== null && whole > 0) {
          makeBlocks(this.#state, batch.subarray(filled, filled + whole));
          this.#next = N;
          filled += whole;
          continue;
        }
        this.#twist();
      }
      const take = Math.min(count - filled, this.#remaining);
      batch.set(this.#block.subarray(this.#next, this.#next + take), filled);
      filled += take;
      this.#next += take;
      this.#remaining -= take;
    }
    return batch.subarray(0, count);
  }

  /** The whole state as STATE_BYTES bytes, interchangeable with PyTorch's `get_state`. */
  getState(): Uint8Array {
    const bytes = new Uint8Array(STATE_BYTES);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(AT_SEED, this.#seed, true);
    view.setInt32(AT_LEFT, this.#remaining + 1, true);
    view.setInt32(AT_SEEDED, 1, true);
    view.setUint32(AT_NEXT, this.#next, true);
    for (let k = 0; k < N; k++) view.setInt32(AT_WORDS + 8 * k, this.#state[k], true);
    if (this.cachedNormal !== null) {
      view.setFloat64(AT_NORMAL, this.cachedNormal, true);
      view.setInt32(AT_NORMAL_VALID, 1, true);
    }
    return bytes;
  }

  /** Restores what `getState` gave. @throws ArgumentError, changing nothing, if the bytes are no valid state */
  setState(bytes: Uint8Array): this {
    if (bytes.length !== STATE_BYTES) {
      throw new ArgumentError(`setState: expected a state of ${STATE_BYTES} bytes, got ${bytes.length}`);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const left = view.getInt32(AT_LEFT, true);
    const seeded = view.getInt32(AT_SEEDED, true);
    const next = view.getBigUint64(AT_NEXT, true);
    const remaining = left - 1;
    if (seeded !== 1 || left < 1 || left > N || next > BigInt(N) || Number(next) + remaining > N) {
      throw new ArgumentError(
        `setState: not a valid generator state (seeded = ${seeded}, left = ${left}, next = ${next}; ` +
          `expected seeded = 1, left in 1..${N} and next + left - 1 <= ${N})`,
      );
    }
    this.#seed = view.getBigUint64(AT_SEED, true);
    for (let k = 0; k < N; k++) this.#state[k] = view.getInt32(AT_WORDS + 8 * k, true);
    this.#next = Number(next);
    this.#remaining = remaining;
    this.#temper();
    const hasNormal = view.getInt32(AT_NORMAL_VALID, true) !== 0;
    this.cachedNormal = hasNormal ? view.getFloat64(AT_NORMAL, true) : null;
    return this;
  }

  #twist(): void {
    this.#next = 0;
    this.#remaining = N;
    const mt = this.#state;
    if (makeBlocks !== null) {
      makeBlocks(mt, this.#block);
      return;
    }
    for (let k = 0; k < N - M; k++) mt[k] = mt[k + M] ^ mixed(mt[k], mt[k + 1]);
    for (let k = N - M; k < N - 1; k++) mt[k] = mt[k + M - N] ^ mixed(mt[k], mt[k + 1]);
    mt[N - 1] = mt[M - 1] ^ mixed(mt[N - 1], mt[0]);
    this.#temper();
  }

  #temper(): void {
    const state = this.#state;
    const block = this.#block;
    for (let k = 0; k < N; k++) {
      let y = state[k];
      y ^= y >>> 11;
      y ^= (y << 7) & 0x9d2c5680;
      y ^= (y << 15) & 0xefc60000;
      block[k] = y ^ (y >>> 18);
    }
  }
}

// Safe to share: everything here is synchronous, and a caller reads its words before it asks for more.
const batch = new Uint32Array(WORDS_BATCH);

function mixed(upper: number, lower: number): number {
  const y = (upper & UPPER_MASK) | (lower & LOWER_MASK);
  return (y >>> 1) ^ (-(lower & 1) & MATRIX_A);
}

function checkedSeed(seed: number | bigint): bigint {
  const refused = () => {
    throw new ArgumentError(`manualSeed: expected an integer from -2^63 to 2^64 - 1, got ${seed}`);
  };
  if (typeof seed !== 'bigint' && !Number.isFinite(seed)) return refused();
  const whole = typeof seed === 'bigint' ? seed : BigInt(Math.trunc(seed));
  if (whole < -(2n ** 63n) || whole >= 2n ** 64n) return refused();
  return BigInt.asUintN(64, whole);
}

let shared: RandomEngine | null = null;

/** The engine of everything that is given no generator: seeded from entropy until `manualSeed` is called. */
export function defaultEngine(): RandomEngine {
  if (shared === null) {
    shared = new RandomEngine();
    shared.seed();
  }
  return shared;
}
