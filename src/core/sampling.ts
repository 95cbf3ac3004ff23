/**
 * Random integers, permutations and draws from weights, with the words and the arithmetic of PyTorch's CPU kernels
 * (release 2.7 and later, where ranges of 2^28 and more take 64-bit draws).
 */

import { type FloatArray, fillExponential } from './distributions.ts';
import type { DType, TypedArray } from './dtype.ts';
import { ArgumentError } from './errors.ts';
import { type RandomEngine, WORDS_BATCH } from './rng.ts';

/** Ranges from here on take 64-bit draws. */
const WIDE_RANGE = 2 ** 28;
/** Up to here a 64-bit remainder can be had in float64 steps of 16 bits; wider ranges need BigInt. */
const FLOAT_RANGE = 2 ** 37;
/** Permutations of this many elements and more are built inside out from 64-bit draws. */
const LARGE_PERMUTATION = 214748364;

/** (high * 2^32 + low) mod range, for 0 < range <= FLOAT_RANGE. */
function remainder64(high: number, low: number, range: number): number {
  const upper = ((high % range) * 0x10000 + (low >>> 16)) % range;
  return (upper * 0x10000 + (low & 0xffff)) % range;
}

/** Stores a whole number of up to 53 bits in element i, int64 elements as two words of two's complement. */
function storing(out: TypedArray): (i: number, value: number) => void {
  if (!(out instanceof BigInt64Array)) {
    return (i, value) => {
      out[i] = value;
    };
  }
  const words = new Int32Array(out.buffer, out.byteOffset, 2 * out.length);
  return (i, value) => {
    words[2 * i] = value;
    words[2 * i + 1] = Math.floor(value / 2 ** 32);
  };
}

/** Calls `each(i, word)` for every i below n. */
function forEachWord(rng: RandomEngine, n: number, each: (i: number, word: number) => void): void {
  for (let at = 0; at < n; at += WORDS_BATCH) {
    const words = rng.words(Math.min(WORDS_BATCH, n - at));
    for (let k = 0; k < words.length; k++) each(at + k, words[k]);
  }
}

/** Calls `each(i, high, low)` for every i below n: the first of two words is the high one. */
function forEachPair(
  rng: RandomEngine,
  n: number,
  each: (i: number, high: number, low: number) => void,
): void {
  for (let at = 0; at < n; at += WORDS_BATCH / 2) {
    const count = Math.min(WORDS_BATCH / 2, n - at);
    const words = rng.words(2 * count);
    for (let k = 0; k < count; k++) each(at + k, words[2 * k], words[2 * k + 1]);
  }
}

/**
 * Integers of [from, to), by plain remainder of an unsigned draw. Bounds that are not safe integers must be bigints.
 * @throws ArgumentError unless from < to and both ends fit the dtype
 */
export function fillIntegers(
  rng: RandomEngine,
  out: TypedArray,
  dtype: DType,
  from: number | bigint,
  to: number | bigint,
): void {
  let low = whole(from, 'from');
  let high = whole(to, 'to');
  if (low >= high) {
    throw new ArgumentError(
      `random_: expected 'from' to be less than 'to', got from = ${from} >= to = ${to}`,
    );
  }
  if (dtype === 'float32' || dtype === 'float64') {
    [low, high] = inwards(low, high, dtype);
    if (low >= high) {
      throw new ArgumentError(`random_: no ${dtype} number lies in [from, to) = [${from}, ${to})`);
    }
  } else {
    const [least, greatest] = integerLimits(dtype);
    if (low < least || low > greatest) throw outOfBounds('from', from, dtype);
    if (high - 1n < least || high - 1n > greatest) throw outOfBounds('to - 1', high - 1n, dtype);
  }
  fillRange(rng, out, low, high - low);
}

/**
 * base + (word mod span) as int64, in two words of two's complement. The quotient is exact in double precision; engines take
 * three times as long for the remainder of an unsigned word.
 */
function fillNarrow(rng: RandomEngine, out: Int32Array, base: number, span: number): void {
  for (let to = 0; to < out.length; ) {
    const words = rng.words(Math.min(WORDS_BATCH, (out.length - to) / 2));
    for (let k = 0; k < words.length; k++) {
      const value = (base + words[k] - Math.floor(words[k] / span) * span) | 0;
      out[to++] = value;
      out[to++] = value >> 31;
    }
  }
}

/** from + (draw mod range), with as little BigInt as the range allows; 0 < range <= 2^64. */
function fillRange(rng: RandomEngine, out: TypedArray, from: bigint, range: bigint): void {
  const base = Number(from);
  const span = Number(range);
  const safe = Number.isSafeInteger(base) && Number.isSafeInteger(base + span);
  const put = storing(out);
  if (safe && span < WIDE_RANGE && out instanceof BigInt64Array && Math.abs(base) < WIDE_RANGE) {
    fillNarrow(rng, new Int32Array(out.buffer, out.byteOffset, 2 * out.length), base, span);
  } else if (safe && span < WIDE_RANGE) {
    forEachWord(rng, out.length, (i, word) => put(i, base + (word % span)));
  } else if (safe && span <= FLOAT_RANGE) {
    forEachPair(rng, out.length, (i, high, low) => put(i, base + remainder64(high, low, span)));
  } else {
    const draw = (high: number, low: number) => from + (((BigInt(high) << 32n) | BigInt(low)) % range);
    // A narrow range beyond 2^53 still takes one word per element.
    const each = (i: number, high: number, low: number) => {
      const value = draw(high, low);
      if (out instanceof BigInt64Array) out[i] = value;
      else out[i] = Number(value);
    };
    if (span < WIDE_RANGE) forEachWord(rng, out.length, (i, word) => each(i, 0, word));
    else forEachPair(rng, out.length, each);
  }
}

/**
 * `random_()` without bounds: all non-negative values of an integer dtype, or the whole numbers up to 2^24 (float32)
 * or 2^53 (float64), each of which the dtype holds exactly.
 */
export function fillRandom(rng: RandomEngine, out: TypedArray, dtype: DType): void {
  const n = out.length;
  if (out instanceof BigInt64Array) {
    const words = new Int32Array(out.buffer, out.byteOffset, 2 * n);
    forEachPair(rng, n, (i, high, low) => {
      words[2 * i] = low;
      words[2 * i + 1] = high & 0x7fffffff;
    });
  } else if (dtype === 'float64') {
    // high * 2^32 + low = q * 2^53 + rest = q * (2^53 + 1) + (rest - q), q < 2^11
    forEachPair(rng, n, (i, high, low) => {
      const difference = (high & 0x1fffff) * 2 ** 32 + low - (high >>> 21);
      out[i] = difference >= 0 ? difference : 2 ** 53 + (difference + 1);
    });
  } else if (dtype === 'float32') {
    forEachWord(rng, n, (i, word) => {
      out[i] = word % (2 ** 24 + 1);
    });
  } else {
    const mask = dtype === 'bool' ? 1 : Number(integerLimits(dtype)[1]);
    forEachWord(rng, n, (i, word) => {
      out[i] = word & mask;
    });
  }
}

/** A random permutation of 0 … n-1. `insideOut` is the algorithm for large n, a parameter so that it can be tested. */
export function randomPermutation(
  rng: RandomEngine,
  n: number,
  insideOut = n >= LARGE_PERMUTATION,
): Uint32Array {
  if (!Number.isInteger(n) || n < 0 || n >= 2 ** 32) {
    throw new ArgumentError(`randperm: expected argument 'n' to be an integer from 0 to 2^32 - 1, got ${n}`);
  }
  const order = new Uint32Array(n);
  if (insideOut) {
    forEachPair(rng, n, (i, high, low) => {
      const z = remainder64(high, low, i + 1);
      order[i] = order[z];
      order[z] = i;
    });
    return order;
  }
  for (let i = 0; i < n; i++) order[i] = i;
  for (let at = 0; at < n - 1; ) at = shuffle(order, at, rng.words(Math.min(WORDS_BATCH, n - 1 - at)));
  return order;
}

/** Swaps elements from `at` on, one for each word, with one that is not before them. Remainders are had as in `fillNarrow`. */
function shuffle(order: Uint32Array, at: number, words: Uint32Array): number {
  for (let k = 0; k < words.length; k++, at++) {
    const left = order.length - at;
    const other = at + words[k] - Math.floor(words[k] / left) * left;
    const kept = order[at];
    order[at] = order[other];
    order[other] = kept;
  }
  return at;
}

/** @throws ArgumentError for more samples than there are categories, without replacement */
export function checkSampleCount(categories: number, count: number, replacement: boolean): void {
  if (!replacement && count > categories) {
    throw new ArgumentError(
      `multinomial: cannot take 'numSamples' = ${count} of ${categories} categories without replacement`,
    );
  }
}

/**
 * Draws `count` category numbers for each row of weights (rows x categories, row-major); the result is rows x count.
 * With replacement and count > 1: search of the running sum. Otherwise a race of exponentials, whose `count` first
 * are distinct; they are drawn column by column if `byColumns`.
 * @throws ArgumentError, before drawing, for weights that are negative, not finite or all zero in a row
 */
export function sampleCategories(
  rng: RandomEngine,
  weights: FloatArray,
  categories: number,
  count: number,
  replacement: boolean,
  byColumns = false,
): Uint32Array {
  checkSampleCount(categories, count, replacement);
  const rows = categories === 0 ? 0 : weights.length / categories;
  const rowOf = (row: number) => weights.subarray(row * categories, (row + 1) * categories);
  for (let row = 0; row < rows; row++) checkWeights(rowOf(row), row);
  const out = new Uint32Array(rows * count);
  if (replacement && count > 1) {
    for (let row = 0; row < rows; row++) out.set(searchIndices(rng, rowOf(row), count), row * count);
    return out;
  }
  const noise = weights.slice();
  fillExponential(rng, noise, 1);
  const scores = new (weights.constructor as Float64ArrayConstructor)(categories);
  for (let row = 0; row < rows; row++) {
    const [from, step] = byColumns ? [row, rows] : [row * categories, 1];
    for (let k = 0; k < categories; k++) {
      const w = weights[row * categories + k];
      scores[k] = w && w / noise[from + k * step];
    }
    out.set(largest(scores, count), row * count);
  }
  return out;
}

function searchIndices(rng: RandomEngine, weights: FloatArray, count: number): Uint32Array {
  const n = weights.length;
  const cumulative = weights.slice();
  // Stored step by step, so that the sum is rounded to the weights' dtype at every addition.
  for (let i = 1; i < n; i++) cumulative[i] += cumulative[i - 1];
  const total = cumulative[n - 1];
  for (let i = 0; i < n; i++) cumulative[i] /= total;
  cumulative[n - 1] = 1;
  const out = new Uint32Array(count);
  for (let k = 0; k < count; k++) {
    const u = rng.uniform53();
    let first = 0;
    let last = n - 1;
    while (first < last) {
      const middle = (first + last) >>> 1;
      if (cumulative[middle] < u) first = middle + 1;
      else last = middle;
    }
    out[k] = first;
  }
  return out;
}

/** The positions of the `count` largest scores, descending; equal ones in order of index. */
function largest(scores: FloatArray, count: number): Uint32Array {
  // Without a function to compare by, engines sort ten times as fast: first what the last one is, then only what is chosen.
  const limit =
    count === 1
      ? (scores as Float64Array).reduce((a, b) => Math.max(a, b))
      : scores.slice().sort()[scores.length - count];
  let ties = count;
  for (let i = 0; i < scores.length; i++) if (scores[i] > limit) ties--;
  const order = new Uint32Array(count);
  for (let i = 0, at = 0; at < count; i++)
    if (scores[i] > limit || (scores[i] === limit && ties-- > 0)) order[at++] = i;
  return order.sort((a, b) => scores[b] - scores[a] || a - b);
}

function checkWeights(weights: FloatArray, row: number): void {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    if (!(weights[i] >= 0 && weights[i] < Number.POSITIVE_INFINITY)) {
      throw new ArgumentError(
        `multinomial: expected weights that are finite and not negative, got ${weights[i]} at [${row}, ${i}]`,
      );
    }
    sum += weights[i];
  }
  if (!(sum > 0)) {
    throw new ArgumentError(
      `multinomial: expected weights with a sum greater than 0, got ${sum} in row ${row}`,
    );
  }
}

/** Least and greatest whole number that `random_` gives for a dtype; every one between them is exact. */
export function integerLimits(dtype: DType): readonly [bigint, bigint] {
  switch (dtype) {
    case 'bool':
      return [0n, 1n];
    case 'uint8':
      return [0n, 255n];
    case 'int8':
      return [-128n, 127n];
    case 'int16':
      return [-32768n, 32767n];
    case 'int32':
      return [-(2n ** 31n), 2n ** 31n - 1n];
    case 'int64':
      return [-(2n ** 63n), 2n ** 63n - 1n];
    case 'float32':
      return [-(2n ** 24n), 2n ** 24n];
    case 'float64':
      return [-(2n ** 53n), 2n ** 53n];
  }
}

/**
 * Bounds so large that a floating dtype does not hold them move inwards: a `from` whose successor rounds below it to the
 * next number above that rounding, a `to` whose predecessor rounds up to it to the next number below.
 */
function inwards(from: bigint, to: bigint, dtype: 'float32' | 'float64'): [bigint, bigint] {
  const digits = dtype === 'float32' ? 24 : 53;
  const rounded = (x: bigint) => BigInt(dtype === 'float32' ? Math.fround(Number(x)) : Number(x));
  const magnitude = (x: bigint) => (x < 0n ? -x : x);
  const step = (x: bigint) => 1n << BigInt(Math.max(0, magnitude(x).toString(2).length - digits));
  const low = rounded(from + 1n);
  const high = rounded(to - 1n);
  return [low < from ? low + step(from + 1n) : from, high >= to ? high - step(to - 1n) : to];
}

function whole(bound: number | bigint, name: string): bigint {
  if (typeof bound === 'bigint') return bound;
  if (!Number.isSafeInteger(bound)) {
    throw new ArgumentError(`random_: expected '${name}' to be a safe integer or a bigint, got ${bound}`);
  }
  return BigInt(bound);
}

function outOfBounds(name: string, bound: number | bigint, dtype: DType): ArgumentError {
  const [least, greatest] = integerLimits(dtype);
  return new ArgumentError(
    `random_: expected '${name}' to be in the range of ${dtype} (${least} to ${greatest}), got ${bound}`,
  );
}
