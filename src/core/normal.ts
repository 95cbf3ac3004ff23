/**
 * Normal samples, drawn as PyTorch's CPU kernels draw them. Fewer than 16 values, or a tensor that is not
 * contiguous, take the scalar path: Box-Muller in float64, one pair at a time, the second sample kept for the next
 * call. Everything else takes the block path: 16 uniforms become 16 samples, and a ragged end is drawn anew.
 */
import { fma32, fma64 } from './fma.ts';
import { type RandomEngine, WORDS_BATCH } from './rng.ts';

const BLOCK = 16;
const HALF = BLOCK / 2;

/**
 * Makes N(mean, std²) of as many words, a multiple of 16, the same bits as the loops below; false, and nothing done, where it
 * cannot.
 */
export type NormalMaker = (words: Uint32Array, out: Float32Array, mean: number, std: number) => boolean;

let makeNormals: NormalMaker | null = null;

/** From now on float32 samples are made so, where it can: with what a backend has, a tenth of the time. */
export function makeNormalsBy(maker: NormalMaker): void {
  makeNormals = maker;
}

/** One float64 sample; consumes the pair's second half if the last call left one. */
export function sampleNormal(rng: RandomEngine, mean: number, std: number): number {
  let sample = rng.cachedNormal;
  if (sample === null) {
    const u1 = rng.uniform53();
    const u2 = rng.uniform53();
    const radius = Math.sqrt(-2 * Math.log1p(-u2));
    const angle = 2 * Math.PI * u1;
    rng.cachedNormal = radius * Math.sin(angle);
    sample = radius * Math.cos(angle);
  } else {
    rng.cachedNormal = null;
  }
  return fma64(sample, std, mean);
}

/**
 * Fills `out` with N(mean, std^2). `contiguous` says whether the tensor being filled is: other tensors are filled in
 * memory order and take the scalar path whatever their size. Deviation 0 still draws.
 */
export function fillNormal(
  rng: RandomEngine,
  out: Float32Array | Float64Array,
  mean: number,
  std: number,
  contiguous = true,
): void {
  const n = out.length;
  if (n < BLOCK || !contiguous) {
    for (let i = 0; i < n; i++) out[i] = sampleNormal(rng, mean, std);
    return;
  }
  const wordsEach = out instanceof Float32Array ? 1 : 2;
  const transform = (words: Uint32Array, at: number): void => {
    if (!(out instanceof Float32Array)) transform64(words, out, at, mean, std);
    else if (!makeNormals?.(words, out.subarray(at, at + words.length), mean, std))
      transform32(words, out, at, Math.fround(mean), Math.fround(std));
  };
  const whole = n - (n % BLOCK);
  const chunk = WORDS_BATCH / wordsEach;
  for (let at = 0; at < whole; at += chunk) {
    transform(rng.words(wordsEach * Math.min(chunk, whole - at)), at);
  }
  if (whole < n) {
    rng.words(wordsEach * (n - whole));
    transform(rng.words(wordsEach * BLOCK), n - BLOCK);
  }
}

/** Blocks of 16 words become 16 float64 samples each, from out[at] on; two words make one uniform. */
function transform64(words: Uint32Array, out: Float64Array, at: number, mean: number, std: number): void {
  const uniform = (k: number) => ((words[2 * k] & 0x1fffff) * 2 ** 32 + words[2 * k + 1]) * 2 ** -53;
  for (let block = 0; block < words.length / 2; block += BLOCK) {
    for (let k = block; k < block + HALF; k++) {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform(k)));
      const angle = 2 * Math.PI * uniform(k + HALF);
      out[at + k] = fma64(radius * Math.cos(angle), std, mean);
      out[at + k + HALF] = fma64(radius * Math.sin(angle), std, mean);
    }
  }
}

// Coefficients of the single-precision log, sin and cos of Moshier's Cephes library, in the reduced form made
// popular by Pommier's sse_mathfun (zlib licence). Each is the float32 nearest to the published decimal.
const LOG_0 = Math.fround(7.0376836292e-2);
const LOG_1 = Math.fround(-1.151461031e-1);
const LOG_2 = Math.fround(1.167699874e-1);
const LOG_3 = Math.fround(-1.2420140846e-1);
const LOG_4 = Math.fround(1.4249322787e-1);
const LOG_5 = Math.fround(-1.6668057665e-1);
const LOG_6 = Math.fround(2.0000714765e-1);
const LOG_7 = Math.fround(-2.4999993993e-1);
const LOG_8 = Math.fround(3.3333331174e-1);
/** sqrt(1/2) in units of 2^-24. */
const SQRT_HALF = Math.fround(Math.SQRT1_2) * 0x1000000;
/** log 2 = LN2_HIGH + LN2_LOW, the first exact in a product with a small integer. */
const LN2_HIGH = 0.693359375;
const LN2_LOW = Math.fround(-2.1219444e-4);
const TWO_PI = Math.fround(2 * Math.PI);
const FOUR_OVER_PI = Math.fround(4 / Math.PI);
/** -pi/4 in three parts (Cody and Waite), the first two exact in a product with a small integer. */
const QUARTER_1 = -0.78515625;
const QUARTER_2 = Math.fround(-2.4187564849853516e-4);
const QUARTER_3 = Math.fround(-3.774894977445941e-8);
const COS_0 = Math.fround(2.443315711809948e-5);
const COS_1 = Math.fround(-1.388731625493765e-3);
const COS_2 = Math.fround(4.166664568298827e-2);
const SIN_0 = Math.fround(-1.9515295891e-4);
const SIN_1 = Math.fround(8.3321608736e-3);
const SIN_2 = Math.fround(-1.6666654611e-1);

/** Signs of the two polynomials' values in octants 0, 2, 4, 6 and 8. */
const cosineSign = Float32Array.of(1, 0, 1, 0, -1, 0, -1, 0, 1);
const sineSign = Float32Array.of(1, 0, -1, 0, -1, 0, 1, 0, 1);

/** sqrt(-2 log u) in float32 for u = whole * 2^-24, whole in 1..2^24 (exactly the values that 1 - uniform takes). */
function radius32(whole: number): number {
  // u = 2^e (1 + m) with 1 + m in [sqrt(1/2), sqrt(2)), found in integers: a branch here would be unpredictable.
  const shift = Math.clz32(whole) - 8;
  const significand = (whole << (shift + 1)) >>> 1; // for u = 1 the shift is -1, which no shift takes
  const low = (significand - SQRT_HALF) >>> 31;
  const e = -shift - low;
  const m = Math.fround(((significand << low) - 0x1000000) * 2 ** -24);
  const z = Math.fround(m * m);
  let y = fma32(LOG_0, m, LOG_1);
  y = fma32(y, m, LOG_2);
  y = fma32(y, m, LOG_3);
  y = fma32(y, m, LOG_4);
  y = fma32(y, m, LOG_5);
  y = fma32(y, m, LOG_6);
  y = fma32(y, m, LOG_7);
  y = fma32(y, m, LOG_8);
  y = Math.fround(y * m);
  y = fma32(y, z, Math.fround(e * LN2_LOW));
  y = fma32(-z, 0.5, y);
  const log = fma32(e, LN2_HIGH, Math.fround(m + y));
  return Math.fround(Math.sqrt(Math.fround(-2 * log)));
}

/**
 * Blocks of 16 words become 16 float32 samples each, from out[at] on. Which operations are fused decides the last
 * bit of about 1 % of the values: the order below is the reference's.
 */
function transform32(words: Uint32Array, out: Float32Array, at: number, mean: number, std: number): void {
  for (let block = 0; block < words.length; block += BLOCK) {
    for (let k = block; k < block + HALF; k++) {
      const radius = radius32(0x1000000 - (words[k] & 0xffffff));
      const angle = Math.fround(TWO_PI * ((words[k + HALF] & 0xffffff) * 2 ** -24));
      // angle = octant * pi/4 + x, octant even, |x| <= pi/4
      const octant = (Math.trunc(Math.fround(angle * FOUR_OVER_PI)) + 1) & ~1;
      let x = fma32(octant, QUARTER_1, angle);
      x = fma32(octant, QUARTER_2, x);
      x = fma32(octant, QUARTER_3, x);
      const z = Math.fround(x * x);
      let c = fma32(COS_0, z, COS_1);
      c = fma32(c, z, COS_2);
      c = Math.fround(c * z);
      c = fma32(c, z, -Math.fround(z * 0.5));
      c = Math.fround(c + 1);
      let s = fma32(SIN_0, z, SIN_1);
      s = fma32(s, z, SIN_2);
      s = Math.fround(s * z);
      s = fma32(s, x, x);
      // Where the octant swaps sine and cosine, they swap places in the output instead; 8 is HALF.
      const swap = (octant & 2) << 2;
      out[at + k + swap] = fma32(Math.fround(radius * (cosineSign[octant] * c)), std, mean);
      out[at + k + HALF - swap] = fma32(Math.fround(radius * (sineSign[octant] * s)), std, mean);
    }
  }
}
