/** Binomial counts as PyTorch's CPU kernels draw them, one after the other. */
import type { RandomEngine } from './rng.ts';

/** How many of `count` tosses succeed, each with probability p. */
export function sampleBinomial(rng: RandomEngine, count: number, p: number): number {
  if (Number.isNaN(count + p)) return Number.NaN;
  if (count <= 0 || p <= 0) return 0;
  if (p >= 1) return count;
  if (p > 0.5) return count - sampleBinomial(rng, count, 1 - p);
  return count * p >= 10 ? byRejection(rng, count, p) : bySteps(rng, count, p);
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

/** Algorithm BTRS of Hörmann, The generation of binomial random variates, 1993. */
function byRejection(rng: RandomEngine, n: number, p: number): number {
  const spread = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * spread;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const centre = n * p + 0.5;
  const acceptBelow = 0.92 - 4.2 / b;
  const odds = p / (1 - p);
  const alpha = (2.83 + 5.1 / b) * spread;
  const m = Math.floor((n + 1) * p);
  for (;;) {
    const u = rng.uniform53() - 0.5;
    const v = rng.uniform53();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + centre);
    if (us >= 0.07 && v <= acceptBelow) return k;
    if (k < 0 || k > n) continue;
    const proposal = Math.log((v * alpha) / (a / (us * us) + b));
    const bound =
      (m + 0.5) * Math.log((m + 1) / (odds * (n - m + 1))) +
      (n + 1) * Math.log((n - m + 1) / (n - k + 1)) +
      (k + 0.5) * Math.log((odds * (n - k + 1)) / (k + 1)) +
      stirlingRest(m) +
      stirlingRest(n - m) -
      stirlingRest(k) -
      stirlingRest(n - k);
    if (proposal <= bound) return k;
  }
}
