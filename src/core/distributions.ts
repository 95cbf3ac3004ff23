/**
 * Fills of typed arrays with samples of every distribution but the normal one (normal.ts), the integers and the
 * permutations (sampling.ts). Each value consumes exactly the words that PyTorch's CPU kernels consume, in
 * memory order; an empty array consumes nothing. Apart from `uniform` and probabilities in float32, one float64 uniform
 * (two words) makes one sample, whatever the dtype of the result.
 */
import type { TypedArray } from './dtype.ts';
import { ArgumentError } from './errors.ts';
import { fma64 } from './fma.ts';
import { sampleNormal } from './normal.ts';
import { type RandomEngine, WORDS_BATCH } from './rng.ts';

export type FloatArray = Float32Array | Float64Array;

/** What a sampler can be written to: int64 arrays are written as pairs of words through `asNumbers`. */
interface NumberSink {
  readonly array: Exclude<TypedArray, BigInt64Array>;
  readonly stride: 1 | 2;
}

/** Writing small non-negative integers needs no BigInt: int64 elements are two words, the high one zero. */
function asNumbers(out: TypedArray): NumberSink {
  if (!(out instanceof BigInt64Array)) return { array: out, stride: 1 };
  out.fill(0n);
  return { array: new Int32Array(out.buffer, out.byteOffset, 2 * out.length), stride: 2 };
}

/** Calls `each(i, u)` for every i below n with a float64 uniform u of [0, 1). */
function forEachUniform(rng: RandomEngine, n: number, each: (i: number, u: number) => void): void {
  for (let at = 0; at < n; at += WORDS_BATCH / 2) {
    const count = Math.min(WORDS_BATCH / 2, n - at);
    const words = rng.words(2 * count);
    for (let k = 0; k < count; k++) {
      each(at + k, ((words[2 * k] & 0x1fffff) * 2 ** 32 + words[2 * k + 1]) * 2 ** -53);
    }
  }
}

/** The same with float32 uniforms (24 bits, one word each). */
function forEachUniform32(rng: RandomEngine, n: number, each: (i: number, u: number) => void): void {
  for (let at = 0; at < n; at += WORDS_BATCH) {
    const words = rng.words(Math.min(WORDS_BATCH, n - at));
    for (let k = 0; k < words.length; k++) each(at + k, (words[k] & 0xffffff) * 2 ** -24);
  }
}

/** Uniform samples of [from, to); a sample that rounds to `to` becomes `from`. */
export function fillUniform(rng: RandomEngine, out: FloatArray, from = 0, to = 1): void {
  if (out instanceof Float32Array) {
    const low = Math.fround(from);
    const high = Math.fround(to);
    const step = Math.fround(high - low) * 2 ** -24;
    // Only where rounding takes the last of the 2^24 places to `to` need samples be looked at.
    const reached = Math.fround(0xffffff * step + low) === high;
    for (let at = 0; at < out.length; at += WORDS_BATCH) {
      const words = rng.words(Math.min(WORDS_BATCH, out.length - at));
      scaleUniforms(words, out, at, step, low);
      if (!reached) continue;
      for (let i = at; i < at + words.length; i++) if (out[i] === high) out[i] = low;
    }
  } else {
    const range = to - from;
    forEachUniform(rng, out.length, (i, u) => {
      const value = fma64(u, range, from);
      out[i] = value === to ? from : value;
    });
  }
}

/**
 * low + step · (24 bits of a word), exact but for the rounding by `out`. A function of its own, and little in it: an engine
 * optimises one that is called again sooner than a loop that is still running, and the first weights come before that.
 */
function scaleUniforms(words: Uint32Array, out: Float32Array, at: number, step: number, low: number): void {
  for (let k = 0; k < words.length; k++) out[at + k] = (words[k] & 0xffffff) * step + low;
}

/** 1 with probability p, else 0; two words per element. */
export function fillBernoulli(rng: RandomEngine, out: TypedArray, p: number): void {
  checkProbability(p, 'bernoulli');
  fillBelow(rng, asNumbers(out), out.length, p, 1);
}

/** `value` where a float64 uniform is below p, else 0. */
function fillBelow(rng: RandomEngine, sink: NumberSink, n: number, p: number, value: number): void {
  for (let at = 0; at < n; at += WORDS_BATCH / 2) {
    const words = rng.words(2 * Math.min(WORDS_BATCH / 2, n - at));
    placeBelow(words, sink.array, sink.stride, at, p * 2 ** 53, value);
  }
}

/** As `fillBelow`, for uniforms in units of 2^-53. Of its own for the reason that `scaleUniforms` has. */
function placeBelow(
  words: Uint32Array,
  out: NumberSink['array'],
  stride: number,
  at: number,
  limit: number,
  value: number,
): void {
  for (let k = 0, i = stride * at; k < words.length; k += 2, i += stride)
    out[i] = (words[k] & 0x1fffff) * 2 ** 32 + words[k + 1] < limit ? value : 0;
}

/**
 * 1 with probability p[i], else 0: one word per float32 probability, two per float64 one. `out` may be `p`.
 * @throws ArgumentError, before drawing, for a probability outside [0, 1]
 */
export function fillBernoulliFrom(rng: RandomEngine, out: TypedArray, p: FloatArray): void {
  for (let i = 0; i < p.length; i++) checkProbability(p[i], 'bernoulli');
  const { array, stride } = asNumbers(out);
  const draw = p instanceof Float32Array ? forEachUniform32 : forEachUniform;
  draw(rng, p.length, (i, u) => {
    array[stride * i] = u < p[i] ? 1 : 0;
  });
}

/**
 * The factors of dropout with probability p: 0 for a dropped element, 1 / (1 - p) for a kept one, in the precision
 * of `out`. p = 0 gives ones and p = 1 zeros, both without drawing.
 */
export function fillDropoutNoise(rng: RandomEngine, out: FloatArray, p: number): void {
  checkProbability(p, 'dropout');
  if (p === 0 || p === 1) {
    out.fill(1 - p);
    return;
  }
  const keep = 1 - p;
  const scale = out instanceof Float32Array ? 1 / Math.fround(keep) : 1 / keep;
  fillBelow(rng, { array: out, stride: 1 }, out.length, keep, scale);
}

/**
 * Uniform samples of [0, 1) in double precision, each as the least float32 that is not below it: as many float32 numbers are below
 * the one as are below the other.
 */
export function fillUniformAbove(rng: RandomEngine, out: FloatArray): void {
  const bits = new Int32Array(out.buffer, out.byteOffset, out.length);
  forEachUniform(rng, out.length, (i, u) => {
    out[i] = u;
    if (out[i] < u) bits[i]++;
  });
}

/** Exponential with the rate `lambda` > 0: density lambda exp(-lambda x). */
export function fillExponential(rng: RandomEngine, out: FloatArray, lambda = 1): void {
  if (!(lambda > 0)) {
    throw new ArgumentError(`exponential_: expected lambda to be greater than 0, got lambda = ${lambda}`);
  }
  const scale = -1 / lambda;
  forEachUniform(rng, out.length, (i, u) => {
    out[i] = scale * Math.log1p(-u);
  });
}

/** Number of trials up to the first success, each with probability p, 0 < p < 1. Integer types saturate. */
export function fillGeometric(rng: RandomEngine, out: TypedArray, p: number): void {
  if (!(p > 0 && p < 1)) throw new ArgumentError(`geometric_: expected 'p' to be in (0, 1), got p = ${p}`);
  const scale = Math.log1p(-p);
  const put = saturating(out);
  forEachUniform(rng, out.length, (i, u) => put(i, Math.ceil(Math.log(u) / scale)));
}

/** Cauchy with the given median and half-width sigma > 0. */
export function fillCauchy(rng: RandomEngine, out: FloatArray, median = 0, sigma = 1): void {
  if (!(sigma > 0)) {
    throw new ArgumentError(`cauchy_: expected sigma to be greater than 0, got sigma = ${sigma}`);
  }
  forEachUniform(rng, out.length, (i, u) => {
    out[i] = median + sigma * Math.tan(Math.PI * (u - 0.5));
  });
}

/** exp of normal samples with the given mean and deviation > 0; shares the cached normal with `fillNormal`. */
export function fillLogNormal(rng: RandomEngine, out: FloatArray, mean = 1, std = 2): void {
  if (!(std > 0)) throw new ArgumentError(`logNormal_: expected std to be greater than 0, got std = ${std}`);
  for (let i = 0; i < out.length; i++) out[i] = Math.exp(sampleNormal(rng, mean, std));
}

/** Poisson counts with the rates given element by element. @throws ArgumentError, before drawing, for a negative rate */
export function fillPoisson(rng: RandomEngine, out: FloatArray, rates: FloatArray): void {
  for (let i = 0; i < rates.length; i++) {
    if (!(rates[i] >= 0)) {
      throw new ArgumentError(`poisson: expected rates to be non-negative, got ${rates[i]} at element ${i}`);
    }
  }
  for (let i = 0; i < rates.length; i++) out[i] = samplePoisson(rng, rates[i]);
}

function samplePoisson(rng: RandomEngine, rate: number): number {
  if (rate === 0) return 0;
  if (rate === Number.POSITIVE_INFINITY) return rate;
  if (rate >= 10) return samplePoissonByRejection(rng, rate);
  const limit = Math.exp(-rate);
  let count = 0;
  for (let product = rng.uniform53(); product > limit; product *= rng.uniform53()) count += 1;
  return count;
}

/** Algorithm PTRS of Hörmann, "The transformed rejection method for generating Poisson random variables" (1993). */
function samplePoissonByRejection(rng: RandomEngine, rate: number): number {
  const logRate = Math.log(rate);
  const b = 0.931 + 2.53 * Math.sqrt(rate);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const acceptBelow = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = rng.uniform53() - 0.5;
    const v = rng.uniform53();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= acceptBelow) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const proposal = Math.log(v) + Math.log(inverseAlpha) - Math.log(a / (us * us) + b);
    if (proposal <= -rate + k * logRate - logFactorial(k)) return k;
  }
}

/** log k! for a whole k >= 0: the product for small k, Stirling's series (error below 1e-13) from 16 on. */
function logFactorial(k: number): number {
  if (k < 16) {
    let product = 1;
    for (let i = 2; i <= k; i++) product *= i;
    return Math.log(product);
  }
  const x = k + 1;
  const inverse = 1 / (x * x);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
}

/** How to store counts that may not fit: integer types keep their largest value (an infinite count is possible). */
function saturating(out: TypedArray): (i: number, value: number) => void {
  if (out instanceof Float32Array || out instanceof Float64Array) {
    return (i, value) => {
      out[i] = value;
    };
  }
  if (out instanceof BigInt64Array) {
    return (i, value) => {
      out[i] = value < 2 ** 63 ? BigInt(value) : 2n ** 63n - 1n;
    };
  }
  const bits = 8 * out.BYTES_PER_ELEMENT - (out instanceof Uint8Array ? 0 : 1);
  const largest = 2 ** bits - 1;
  return (i, value) => {
    out[i] = Math.min(value, largest);
  };
}

function checkProbability(p: number, op: string): void {
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`${op}: expected 'p' to be in [0, 1], got p = ${p}`);
}
