/** Binomial counts as PyTorch's CPU kernels draw them, one after the other. */
import type { RandomEngine } from './rng.ts';

/**
 * How many of `count` tosses succeed, each with probability p. `single` for float32, of which PyTorch rounds the mean; the
 * draws are its own up to a million tosses or so, and beyond that now and then one more or less is rejected.
 */
export function sampleBinomial(rng: RandomEngine, count: number, p: number, single: boolean): number {
  if (Number.isNaN(count + p)) return Number.NaN;
  if (count <= 0 || p <= 0) return 0;
  if (p >= 1) return count;
  if (p > 0.5) return count - sampleBinomial(rng, count, 1 - p, single);
  return count * p >= 10 ? byRejection(rng, count, p, single) : bySteps(rng, count, p);
}

/** From success to success: Devroye, Non-uniform random variate generation, 1986, X.4.2. */
function bySteps(rng: RandomEngine, count: number, p: number): number {
  const scale = Math.log1p(-p);
  let successes = 0;
  for (let at = 0; ; successes++) {
    at += Math.ceil(Math.log(rng.uniform53()) / scale);
    if (at > count) return successes;
  }
}

/** What Stirling's series leaves of log k!: exact for the first few. */
function stirlingRest(k: number): number {
  if (k < 10) {
    let factorial = 1;
    for (let i = 2; i <= k; i++) factorial *= i;
    return Math.log(factorial) - (k + 0.5) * Math.log(k + 1) + k + 1 - 0.5 * Math.log(2 * Math.PI);
  }
  const inverse = 1 / ((k + 1) * (k + 1));
  return (1 / 12 - (1 / 360 - inverse / 1260) * inverse) / (k + 1);
}

/**
 * Algorithm BTRS of Hörmann, The generation of binomial random variates, 1993, whose letters these are: the count k under a
 * hat over the density f, whose mode is m.
 */
function byRejection(rng: RandomEngine, n: number, p: number, single: boolean): number {
  const spread = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * spread;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const alpha = (2.83 + 5.1 / b) * spread;
  const m = Math.floor((n + 1) * p);
  const centre = single ? Math.fround(Math.fround(n * p) + 0.5) : n * p + 0.5;
  const atMode = stirlingRest(m) + stirlingRest(n - m);
  for (;;) {
    const u = rng.uniform53() - 0.5;
    const v = rng.uniform53();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + centre);
    if (us >= 0.07 && v <= 0.92 - 4.2 / b) return k;
    if (k < 0 || k > n) continue;
    // log f(k)/f(m) by Stirling's series, in ratios near 1: differences of factorials would lose all digits.
    const ratio =
      (k - m) * Math.log((p / (1 - p)) * ((n - k + 1) / (k + 1))) +
      (m + 0.5) * Math.log1p((m - k) / (k + 1)) +
      (n - m + 0.5) * Math.log1p((k - m) / (n - k + 1)) +
      (atMode - stirlingRest(k) - stirlingRest(n - k));
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= ratio) return k;
  }
}
