/**
 * Divergences from and to distributions that are made of gamma variables: the mean of −log q less the entropy of p. Means
 * of logarithms are those of exponential families: Nielsen and Nock, Entropies and cross-entropies of exponential
 * families, 2010.
 */
import { xlogy } from '../ops/pairs.ts';
import type { Tensor } from '../tensor.ts';
import { Exponential, Laplace, Uniform } from './continuous.ts';
import type { Distribution } from './distribution.ts';
import type { Beta, Dirichlet, Gamma } from './gamma.ts';
import { type DistributionClass, infinite, infiniteWhere, type KlRule, klRule } from './klRule.ts';
import { Normal } from './normal.ts';

/** Euler's constant, γ. */
export const EULER = 0.5772156649015329;

/** The mean of log x where x is uniform between the bounds. */
export const uniformLogMean = (low: Tensor, high: Tensor): Tensor =>
  xlogy<Tensor>(high, high).sub(xlogy<Tensor>(low, low)).div(high.sub(low)).sub(1);

/** To a gamma distribution, given the mean of log x. */
export function toGamma(p: Distribution, logMean: Tensor, { concentration, rate }: Gamma): Tensor {
  const normalizer = concentration.lgamma().sub(concentration.mul(rate.log()));
  const cross = rate.mul(p.mean).sub(concentration.sub(1).mul(logMean));
  return normalizer.add(cross).sub(p.entropy());
}

/** To an exponential distribution: all that counts is the mean. */
export const toExponential = (p: Distribution, { rate }: Exponential): Tensor =>
  rate.mul(p.mean).sub(rate.log()).sub(p.entropy());

export function toNormal(p: Distribution, { loc, scale }: Normal): Tensor {
  const squares = p.variance.add(p.mean.sub(loc).pow(2)).div(scale.pow(2));
  return squares
    .add(Math.log(2 * Math.PI))
    .mul(0.5)
    .add(scale.log())
    .sub(p.entropy());
}

/** Σ (αₚ − α_q)·(ψ(αₚ) − ψ(Σ αₚ)), and the difference of the normalizers. */
function dirichlet(p: Dirichlet, q: Dirichlet): Tensor {
  const { concentration } = p;
  const logMean = concentration.digamma().sub(concentration.sum(-1, true).digamma());
  const cross = concentration.sub(q.concentration).mul(logMean).sum(-1);
  return q.logNormalizer().sub(p.logNormalizer()).add(cross);
}

function gamma(p: Gamma, q: Gamma): Tensor {
  const shapes = p.concentration.sub(q.concentration).mul(p.concentration.digamma());
  const rates = q.concentration.mul(p.rate.div(q.rate).log()).add(q.rate.sub(p.rate).mul(p.mean));
  return q.concentration.lgamma().sub(p.concentration.lgamma()).add(shapes).add(rates);
}

function uniformBeta({ low, high }: Uniform, { dirichlet, concentration1, concentration0 }: Beta): Tensor {
  const heads = concentration1.sub(1).mul(uniformLogMean(low, high));
  const tails = concentration0.sub(1).mul(uniformLogMean(high.rsub(1), low.rsub(1)));
  const found = dirichlet.logNormalizer().sub(heads).sub(tails).sub(high.sub(low).log());
  return infiniteWhere(high.gt(1).logicalOr(low.lt(0)), found);
}

/** Those of gamma distributions, whose class this is. */
export const gammaRules = (own: DistributionClass<Gamma>): KlRule[] => [
  klRule(own, own, gamma),
  klRule(own, Exponential, toExponential),
  klRule(own, Normal, toNormal),
  klRule(own, Uniform, (p) => infinite(p.rate)),
  klRule(Exponential, own, (p, q) => toGamma(p, p.rate.log().add(EULER).neg(), q)),
  klRule(Uniform, own, (p, q) => infiniteWhere(p.low.lt(0), toGamma(p, uniformLogMean(p.low, p.high), q))),
  klRule(Laplace, own, (p) => infinite(p.loc)),
  klRule(Normal, own, (p) => infinite(p.loc)),
];

export const dirichletRules = (own: DistributionClass<Dirichlet>): KlRule[] => [klRule(own, own, dirichlet)];

/** Those of beta distributions, whose class this is, and of `Gamma`. */
export const betaRules = (own: DistributionClass<Beta>, gammas: DistributionClass<Gamma>): KlRule[] => [
  klRule(own, own, (p, q) => dirichlet(p.dirichlet, q.dirichlet)),
  klRule(own, gammas, (p, q) => {
    const total = p.concentration1.add(p.concentration0);
    return toGamma(p, p.concentration1.digamma().sub(total.digamma()), q);
  }),
  klRule(own, Exponential, toExponential),
  klRule(own, Normal, toNormal),
  klRule(own, Uniform, (p, q) =>
    infiniteWhere(q.low.gt(0).logicalOr(q.high.lt(1)), q.high.sub(q.low).log().sub(p.entropy())),
  ),
  klRule(gammas, own, (p) => infinite(p.rate)),
  klRule(Uniform, own, uniformBeta),
  klRule(Exponential, own, (p) => infinite(p.rate)),
  klRule(Laplace, own, (p) => infinite(p.loc)),
  klRule(Normal, own, (p) => infinite(p.loc)),
];
