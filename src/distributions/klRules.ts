/** The divergences of pairs of distributions that have a formula. */
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { where } from '../functions.ts';
import { softplus } from '../ops/activation.ts';
import { formatSize } from '../printing.ts';
import type { Tensor } from '../tensor.ts';
import { Categorical, OneHotCategorical } from './categorical.ts';
import { Independent } from './composed.ts';
import { Exponential, Laplace, Uniform } from './continuous.ts';
import { Bernoulli, Geometric, Poisson } from './counts.ts';
import type { Distribution } from './distribution.ts';
import { infinite, infiniteWhere, type KlRule, klRule } from './klRule.ts';
import { halfLogDet, MultivariateNormal, mahalanobis, solveLower } from './multivariateNormal.ts';
import { LogNormal, Normal } from './normal.ts';
import { sumRightmost } from './parameters.ts';

function bernoulli(p: Bernoulli, q: Bernoulli): Tensor {
  const difference = (sign: 1 | -1): Tensor => softplus(q.logits.mul(sign)).sub(softplus(p.logits.mul(sign)));
  const ones = infiniteWhere(q.probs.eq(0), p.probs.mul(difference(-1)));
  const zeros = infiniteWhere(q.probs.eq(1), p.probs.rsub(1).mul(difference(1)));
  return where(p.probs.eq(0), 0, ones).add(where(p.probs.eq(1), 0, zeros));
}

function categorical(p: Categorical, q: Categorical): Tensor {
  const terms = infiniteWhere(q.probs.eq(0), p.probs.mul(p.logits.sub(q.logits)));
  return where(p.probs.eq(0), 0, terms).sum(-1);
}

function exponential(p: Exponential, q: Exponential): Tensor {
  const ratio = q.rate.div(p.rate);
  return ratio.log().neg().add(ratio).sub(1);
}

const geometric = (p: Geometric, q: Geometric): Tensor =>
  p.entropy().neg().sub(q.probs.neg().log1p().div(p.probs)).sub(q.logits);

/** Gil, Alajaji and Linder: Rényi divergence measures for commonly used univariate continuous distributions (2013). */
function laplace(p: Laplace, q: Laplace): Tensor {
  const ratio = p.scale.div(q.scale);
  const between = p.loc.sub(q.loc).abs();
  const near = ratio.mul(between.neg().div(p.scale).exp());
  return ratio.log().neg().add(between.div(q.scale)).add(near).sub(1);
}

function multivariateNormal(p: MultivariateNormal, q: MultivariateNormal): Tensor {
  const [n, m] = [p.eventShape[0], q.eventShape[0]];
  if (n !== m) {
    throw new ShapeError(
      'klDivergence: KL-divergence between two Multivariate Normals with different event shapes cannot be computed; got ' +
        `${formatSize([n])} and ${formatSize([m])}`,
    );
  }
  const trace = solveLower(q.factor, p.factor).pow(2).sum([-2, -1]);
  const distance = mahalanobis(q.factor, q.loc.sub(p.loc));
  return halfLogDet(q.factor).sub(halfLogDet(p.factor)).add(trace.add(distance).sub(n).mul(0.5));
}

function normal(p: Normal, q: Normal): Tensor {
  const ratio = p.scale.div(q.scale).pow(2);
  const distance = p.loc.sub(q.loc).div(q.scale).pow(2);
  return ratio.add(distance).sub(1).sub(ratio.log()).mul(0.5);
}

const poisson = (p: Poisson, q: Poisson): Tensor =>
  p.rate.mul(p.rate.log().sub(q.rate.log())).sub(p.rate.sub(q.rate));

function uniform(p: Uniform, q: Uniform): Tensor {
  const ratio = q.high.sub(q.low).div(p.high.sub(p.low));
  return infiniteWhere(q.low.gt(p.low).logicalOr(q.high.lt(p.high)), ratio.log());
}

const bernoulliPoisson = (p: Bernoulli, q: Poisson): Tensor =>
  p.entropy().neg().sub(p.probs.mul(q.rate.log()).sub(q.rate));

function exponentialNormal(p: Exponential, q: Normal): Tensor {
  const variance = q.scale.pow(2);
  const squared = p.rate.pow(2);
  const logarithm = squared.mul(variance).mul(2).mul(Math.PI).log().mul(0.5);
  const mean = squared.reciprocal().sub(q.loc.div(p.rate)).add(q.loc.pow(2).mul(0.5));
  return logarithm.sub(1).add(mean.div(variance));
}

function laplaceNormal(p: Laplace, q: Normal): Tensor {
  const variance = q.scale.pow(2);
  const ratio = p.scale.pow(2).div(variance);
  const logarithm = ratio.mul(2).div(Math.PI).log().mul(0.5);
  const distance = p.loc.pow(2).mul(0.5).sub(p.loc.mul(q.loc)).add(q.loc.pow(2).mul(0.5));
  return logarithm.neg().add(ratio).add(distance.div(variance)).sub(1);
}

function normalLaplace(p: Normal, q: Laplace): Tensor {
  const difference = p.loc.sub(q.loc);
  const scaled = difference.div(p.scale);
  const near = p.scale.mul(Math.sqrt(2 / Math.PI)).mul(scaled.pow(2).mul(-0.5).exp());
  const far = difference.mul(scaled.mul(Math.sqrt(0.5)).erf());
  const logarithm = p.scale.div(q.scale).log();
  return logarithm
    .neg()
    .add(near.add(far).div(q.scale))
    .sub(0.5 * (1 + Math.log(0.5 * Math.PI)));
}

function uniformExponential(p: Uniform, q: Exponential): Tensor {
  const mean = q.rate.mul(p.high.add(p.low)).div(2);
  return infiniteWhere(p.low.lt(0), mean.sub(p.high.sub(p.low).mul(q.rate).log()));
}

function uniformNormal(p: Uniform, q: Normal): Tensor {
  const width = p.high.sub(p.low);
  const logarithm = q.scale
    .mul(Math.sqrt(2 * Math.PI))
    .div(width)
    .log();
  const distance = p.high.add(p.low).sub(q.loc.mul(2)).div(2).pow(2);
  return logarithm.add(width.pow(2).div(12).add(distance).mul(0.5).div(q.scale.pow(2)));
}

/** The table; `klDivergence` is for distributions that are made of others. */
export function builtInRules(klDivergence: (p: Distribution, q: Distribution) => Tensor): KlRule[] {
  const independent = (p: Independent, q: Independent): Tensor => {
    const [count, other] = [p.reinterpretedBatchNdims, q.reinterpretedBatchNdims];
    if (count !== other) {
      throw new ArgumentError(
        `klDivergence: expected the same reinterpretedBatchNdims of both, but got ${count} and ${other}`,
      );
    }
    return sumRightmost(klDivergence(p.baseDist, q.baseDist), count);
  };
  return [
    klRule(Bernoulli, Bernoulli, bernoulli),
    klRule(Bernoulli, Poisson, bernoulliPoisson),
    klRule(Categorical, Categorical, categorical),
    klRule(Exponential, Exponential, exponential),
    klRule(Exponential, Normal, exponentialNormal),
    klRule(Exponential, Uniform, (p) => infinite(p.rate)),
    klRule(Geometric, Geometric, geometric),
    klRule(Independent, Independent, independent),
    klRule(Laplace, Laplace, laplace),
    klRule(Laplace, Normal, laplaceNormal),
    klRule(Laplace, Exponential, (p) => infinite(p.loc)),
    klRule(Laplace, Uniform, (p) => infinite(p.loc)),
    klRule(LogNormal, LogNormal, (p, q) => normal(p.baseDist, q.baseDist)),
    klRule(MultivariateNormal, MultivariateNormal, multivariateNormal),
    klRule(Normal, Normal, normal),
    klRule(Normal, Laplace, normalLaplace),
    klRule(Normal, Exponential, (p) => infinite(p.loc)),
    klRule(Normal, Uniform, (p) => infinite(p.loc)),
    klRule(OneHotCategorical, OneHotCategorical, (p, q) => categorical(p.categorical, q.categorical)),
    klRule(Poisson, Poisson, poisson),
    klRule(Poisson, Bernoulli, (p) => infinite(p.rate)),
    klRule(Uniform, Uniform, uniform),
    klRule(Uniform, Exponential, uniformExponential),
    klRule(Uniform, Normal, uniformNormal),
  ];
}
