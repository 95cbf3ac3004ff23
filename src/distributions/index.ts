/**
 * `distributions`: PyTorch's, with its samples for a seed, its densities and divergences.
 * @module wasmgrad/distributions
 */
export { Binomial, type CountArguments, NegativeBinomial } from './binomial.ts';
export {
  Categorical,
  Multinomial,
  type MultinomialArguments,
  OneHotCategorical,
  OneHotCategoricalStraightThrough,
} from './categorical.ts';
export * from './composed.ts';
export * as constraints from './constraints.ts';
export { Exponential, Laplace, Uniform } from './continuous.ts';
export { ContinuousBernoulli, type ContinuousBernoulliArguments } from './continuousBernoulli.ts';
export { Bernoulli, Geometric, Poisson } from './counts.ts';
export { Distribution, type DistributionOptions, type SampleShape } from './distribution.ts';
export { FisherSnedecor } from './fisherSnedecor.ts';
export { Beta, Chi2, Dirichlet, Gamma, StudentT, type StudentTArguments } from './gamma.ts';
export { type DistributionClass, klDivergence, registerKl } from './kl.ts';
export { LKJCholesky, type LKJCholeskyArguments } from './lkjCholesky.ts';
export { LowRankMultivariateNormal } from './lowRank.ts';
export {
  CorrCholeskyTransform,
  LowerCholeskyTransform,
  PositiveDefiniteTransform,
} from './matrixTransforms.ts';
export { MultivariateNormal, type MultivariateNormalArguments } from './multivariateNormal.ts';
export { LogNormal, Normal } from './normal.ts';
export { GeneralizedPareto, Pareto } from './pareto.ts';
export { InverseGamma, Kumaraswamy, Weibull } from './powers.ts';
export {
  LogisticNormal,
  RelaxedBernoulli,
  RelaxedOneHotCategorical,
  type RelaxedOptions,
} from './relaxed.ts';
export {
  CatTransform,
  type CatTransformOptions,
  CumulativeDistributionTransform,
  ReshapeTransform,
  StackTransform,
  type StackTransformOptions,
} from './structuredTransforms.ts';
export { Cauchy, Gumbel, HalfCauchy, HalfNormal } from './tails.ts';
export {
  ComposeTransform,
  IndependentTransform,
  identityTransform,
  Transform,
  type TransformOptions,
} from './transform.ts';
export { TransformedDistribution } from './transformed.ts';
export {
  AbsTransform,
  type AffineOptions,
  AffineTransform,
  ExpTransform,
  PowerTransform,
  SigmoidTransform,
  SoftmaxTransform,
  SoftplusTransform,
  StickBreakingTransform,
  TanhTransform,
} from './transforms.ts';
export { VonMises } from './vonMises.ts';
export { Wishart, type WishartArguments } from './wishart.ts';
