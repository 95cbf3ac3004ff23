/** Fills in place with random values. The gradient of what a tensor held before is zero. */

import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import {
  fillBernoulli,
  fillBernoulliFrom,
  fillCauchy,
  fillExponential,
  fillGeometric,
  fillLogNormal,
  fillUniform,
} from '../core/distributions.ts';
import type { TypedArray } from '../core/dtype.ts';
import { ArgumentError } from '../core/errors.ts';
import { fillNormal } from '../core/normal.ts';
import type { RandomEngine } from '../core/rng.ts';
import { fillIntegers, fillRandom, integerLimits } from '../core/sampling.ts';
import { isContiguous } from '../core/shape.ts';
import { checkDevices } from './convert.ts';
import {
  drawArray,
  drawInto,
  engineOf,
  type Fill,
  floating,
  type GeneratorOptions,
  inOrderOf,
} from './draw.ts';
import { checkFloating } from './given.ts';
import { inplace } from './inplace.ts';
import { zeros } from './unary.ts';
import { expand } from './views.ts';

function fillInPlace<T extends Variable>(
  op: string,
  node: string,
  x: T,
  options: GeneratorOptions,
  fill: Fill,
): T {
  const { fillStrides } = x;
  const rowMajor = isContiguous(x.shape, fillStrides);
  const set = (values: TypedArray, rng: RandomEngine) => fill(values, rng, rowMajor);
  const drawn = () => drawArray(x.array.backend, x.dtype, x.shape, fillStrides, engineOf(options), set);
  return inplace(
    op,
    x,
    [],
    () => record(node, drawn(), [x], () => (grad) => [zeros(grad)]),
    (out) => drawInto(out, fillStrides, engineOf(options), set),
  );
}

export interface UniformOptions extends GeneratorOptions {
  from?: number;
  to?: number;
}

/** Fills with samples of [from, to). @throws DTypeError for integers; ArgumentError if from > to */
export function uniform_<T extends Variable>(
  x: T,
  from: number | UniformOptions = 0,
  to = 1,
  options: GeneratorOptions = {},
): T {
  if (typeof from === 'object') return uniform_(x, from.from, from.to, from);
  checkFloating(x, 'uniform_');
  if (!(from <= to)) {
    throw new ArgumentError(
      `uniform_: expects to return a [from, to) range, but found from = ${from} > to = ${to}`,
    );
  }
  return fillInPlace('uniform_', 'UniformBackward0', x, options, (values, rng) =>
    fillUniform(rng, floating(values, 'uniform_'), from, to),
  );
}

export interface NormalOptions extends GeneratorOptions {
  mean?: number;
  std?: number;
}

/** Fills with normal samples. @throws DTypeError for integers; ArgumentError if std < 0 */
export function normal_<T extends Variable>(
  x: T,
  mean: number | NormalOptions = 0,
  std = 1,
  options: GeneratorOptions = {},
): T {
  if (typeof mean === 'object') return normal_(x, mean.mean, mean.std, mean);
  checkFloating(x, 'normal_');
  if (!(std >= 0)) throw new ArgumentError(`normal_: expects std >= 0, but found std = ${std}`);
  return fillInPlace('normal_', 'NormalBackward0', x, options, (values, rng, contiguous) =>
    fillNormal(rng, floating(values, 'normal_'), mean, std, contiguous),
  );
}

/**
 * Fills with whole numbers: `random_()` with all that the dtype holds (from 0 up), `random_(to)` with [0, to),
 * `random_(from, to)` with [from, to), `random_(from, null)` from there up. @throws ArgumentError for an empty range or
 * one that the dtype does not hold
 */
export function random_<T extends Variable>(
  x: T,
  from: number | bigint | GeneratorOptions | null = null,
  to?: number | bigint | GeneratorOptions | null,
  options: GeneratorOptions = {},
): T {
  if (typeof from === 'object' && from !== null) return random_(x, null, undefined, from);
  if (typeof to === 'object' && to !== null) return random_(x, from, undefined, to);
  const { dtype } = x;
  return fillInPlace('random_', 'RandomBackward0', x, options, (values, rng) => {
    if (from === null && to == null) fillRandom(rng, values, dtype);
    else if (to === undefined) fillIntegers(rng, values, dtype, 0, from ?? 0);
    else fillIntegers(rng, values, dtype, from ?? 0, to ?? integerLimits(dtype)[1] + 1n);
  });
}

/**
 * Fills with 1 where a draw falls below p, else 0. p: a number (two words per element), or a floating tensor that
 * broadcasts to x. @throws ArgumentError for a probability outside [0, 1]
 */
export function bernoulli_<T extends Variable>(
  x: T,
  p: number | Variable | GeneratorOptions = 0.5,
  options: GeneratorOptions = {},
): T {
  if (typeof p === 'number') {
    return fillInPlace('bernoulli_', 'BernoulliBackward0', x, options, (values, rng) =>
      fillBernoulli(rng, values, p),
    );
  }
  if (!isTensor(p)) return bernoulli_(x, 0.5, p);
  checkFloating(p, 'bernoulli_');
  checkDevices([x, p], 'bernoulli_', 'input p');
  const probabilities = floating(inOrderOf(x.array, expand(p, x.shape).array, 'bernoulli_'), 'bernoulli_');
  return fillInPlace('bernoulli_', 'BernoulliBackward0', x, options, (values, rng) =>
    fillBernoulliFrom(rng, values, probabilities),
  );
}

const isTensor = (x: Variable | GeneratorOptions): x is Variable => 'array' in x;

export interface ExponentialOptions extends GeneratorOptions {
  lambd?: number;
}

/** Fills with exponential samples of rate `lambd` > 0: density lambd·exp(−lambd·x). @throws ArgumentError, DTypeError */
export function exponential_<T extends Variable>(
  x: T,
  lambd: number | ExponentialOptions = 1,
  options: GeneratorOptions = {},
): T {
  if (typeof lambd === 'object') return exponential_(x, lambd.lambd, lambd);
  checkFloating(x, 'exponential_');
  return fillInPlace('exponential_', 'ExponentialBackward0', x, options, (values, rng) =>
    fillExponential(rng, floating(values, 'exponential_'), lambd),
  );
}

/** Fills with the number of trials up to the first success of probability p, 0 < p < 1. @throws ArgumentError */
export function geometric_<T extends Variable>(x: T, p: number, options: GeneratorOptions = {}): T {
  return fillInPlace('geometric_', 'GeometricBackward0', x, options, (values, rng) =>
    fillGeometric(rng, values, p),
  );
}

export interface CauchyOptions extends GeneratorOptions {
  median?: number;
  sigma?: number;
}

/** Fills with Cauchy samples: density σ / (π(σ² + (x − median)²)). @throws ArgumentError, DTypeError */
export function cauchy_<T extends Variable>(
  x: T,
  median: number | CauchyOptions = 0,
  sigma = 1,
  options: GeneratorOptions = {},
): T {
  if (typeof median === 'object') return cauchy_(x, median.median, median.sigma, median);
  checkFloating(x, 'cauchy_');
  return fillInPlace('cauchy_', 'CauchyBackward0', x, options, (values, rng) =>
    fillCauchy(rng, floating(values, 'cauchy_'), median, sigma),
  );
}

/** Fills with exp of normal samples; mean (default 1) and std (default 2) are those of the logarithm. */
export function logNormal_<T extends Variable>(
  x: T,
  mean: number | NormalOptions = 1,
  std = 2,
  options: GeneratorOptions = {},
): T {
  if (typeof mean === 'object') return logNormal_(x, mean.mean, mean.std, mean);
  checkFloating(x, 'logNormal_');
  return fillInPlace('logNormal_', 'LogNormalBackward0', x, options, (values, rng) =>
    fillLogNormal(rng, floating(values, 'logNormal_'), mean, std),
  );
}
