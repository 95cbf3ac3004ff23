/**
 * Gamma variables as PyTorch's CPU kernels draw them, in float64 and one after the other, and how samples move with the
 * parameter that they were drawn with.
 */
import { sampleNormal } from './normal.ts';
import type { RandomEngine } from './rng.ts';

/** A gamma variable of rate 1: Marsaglia and Tsang, A simple method for generating gamma variables, 2000. */
export function sampleGamma(rng: RandomEngine, alpha: number): number {
  if (alpha === 0) return 0;
  // Their section 6: a variable of alpha + 1, times a uniform one to the power of 1/alpha.
  const scale = alpha < 1 ? (1 - rng.uniform53()) ** (1 / alpha) : 1;
  // PyTorch has the third of one in single precision.
  const d = (alpha < 1 ? alpha + 1 : alpha) - Math.fround(1 / 3);
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    let x: number;
    let y: number;
    do {
      x = sampleNormal(rng, 0, 1);
      y = 1 + c * x;
    } while (y <= 0);
    const v = y * y * y;
    const u = 1 - rng.uniform53();
    // The quick test spares most draws the logarithms.
    if (u < 1 - 0.0331 * x ** 4 || Math.log(u) < 0.5 * x * x + d * (1 - v + Math.log(v)))
      return scale * d * v;
  }
}

/** Nodes and weights of ∫ f over [0, ∞) by u = exp(π/2·sinh τ): Takahasi and Mori, 1974. */
const NODES = /* @__PURE__ */ Array.from({ length: 75 }, (_, i) => {
  const tau = (i - 40) * 0.1;
  const at = Math.exp((Math.PI / 2) * Math.sinh(tau));
  return [at, 0.1 * (Math.PI / 2) * Math.cosh(tau) * at] as const;
});

function integral(scale: number, f: (u: number) => number): number {
  let sum = 0;
  for (const [at, weight] of NODES) {
    const value = f(scale * at);
    if (value !== 0) sum += weight * value;
  }
  return scale * sum;
}

/**
 * dx/dα of a gamma variable x of rate 1 at a fixed quantile: −∂F/∂α divided by the density (Figurnov, Mohamed, Mnih:
 * Implicit reparameterization gradients, 2018). ∂F/∂α is ∫ (log t − ψ(α))·density(t) dt below x, or above it with the
 * other sign, whichever is the thinner end; t = x·e^±u. `psi` is ψ(α).
 */
export function gammaSlope(x: number, alpha: number, psi: number): number {
  const far = Math.log(x) - psi;
  if (x <= alpha) {
    const scale = 1 / (alpha - x + Math.sqrt(alpha));
    return -x * integral(scale, (u) => (far - u) * Math.exp(-alpha * u - x * Math.expm1(-u)));
  }
  const scale = 1 / (x - alpha + Math.sqrt(x));
  return x * integral(scale, (u) => (far + u) * guarded(alpha * u - x * Math.expm1(u)));
}

/** e^x, 0 where x is −∞, or an infinity less another one. */
const guarded = (x: number): number => (x > Number.NEGATIVE_INFINITY ? Math.exp(x) : 0);

/** log(1 + e^x). */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/**
 * dx/dα / (1 − x) of a beta variable x of α and `beta`, likewise, with log x − log(1 − x) in the place of x. `far` is
 * ψ(α) − ψ(α + beta).
 */
export function betaSlope(x: number, alpha: number, beta: number, far: number): number {
  const [logX, logRest] = [Math.log(x), Math.log1p(-x)];
  const logit = logX - logRest;
  const total = alpha + beta;
  const below = x <= alpha / total;
  const sign = below ? -1 : 1;
  const scale = 1 / (Math.abs(alpha - total * x) + Math.sqrt((alpha * beta) / total));
  const share = integral(scale, (u) => {
    const at = logit + sign * u;
    const logT = -softplus(-at);
    return (logT - far) * guarded(alpha * (logT - logX) + beta * (-softplus(at) - logRest));
  });
  return sign * x * share;
}
