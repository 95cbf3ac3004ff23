/** New tensors of random values: by chance, by rate, by weight, and the noise of dropout. */

import type { Variable } from '../autograd/variable.ts';
import {
  fillBernoulli,
  fillBernoulliFrom,
  fillDropoutNoise,
  fillExponential,
  fillPoisson,
  fillUniform,
  fillUniformAbove,
} from '../core/distributions.ts';
import type { DType, TypedArray } from '../core/dtype.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import type { RandomEngine } from '../core/rng.ts';
import { checkSampleCount, sampleCategories } from '../core/sampling.ts';
import { contiguousStrides, formatShape, type Shape } from '../core/shape.ts';
import { drawArray, engineOf, floating, type GeneratorOptions, memoryOrder } from './draw.ts';
import { checkFloating, optionsGiven, tensorGiven } from './given.ts';
import { integerVector } from './indexing.ts';
import { type Flexible, named } from './options.ts';
import { taking } from './taking.ts';
import { bernoulliUnread, chosenUnread, racedUnread } from './unread.ts';
import { reshape } from './views.ts';

/** A tensor on x's device, outside the graph, of drawn values in row-major order. */
function drawRows<T extends Variable>(
  x: T,
  dtype: DType,
  shape: Shape,
  options: GeneratorOptions,
  fill: (values: TypedArray, rng: RandomEngine) => void,
): T {
  return x.derive(
    drawArray(x.array.backend, dtype, shape, contiguousStrides(shape), engineOf(options), fill),
  );
}

interface BernoulliOptions extends GeneratorOptions {
  p?: number | null;
}
/** `(p)`, and a generator behind it, by name. */
export type BernoulliArguments = Flexible<[p: number | null | undefined], BernoulliOptions>;

/**
 * 0 or 1 by chance, in x's shape and dtype: with probability p if it is given, else with that in each element of x,
 * which must then be floating. @throws ArgumentError for a probability outside [0, 1]
 */
export function bernoulli<T extends Variable>(x: T, ...args: BernoulliArguments): T {
  tensorGiven(x, 'bernoulli');
  const { p = null, ...options } = named<BernoulliOptions>('bernoulli', 'p * generator', args);
  // A generator by itself is no probability, though it comes in its place.
  if (typeof p === 'object' && p !== null) engineOf(p);
  if (p !== null)
    return drawRows(x, x.dtype, x.shape, options, (values, rng) => fillBernoulli(rng, values, p));
  checkFloating(x, 'bernoulli');
  if (!x.array.backend.synchronous)
    return bernoulliUnread(
      x,
      drawRows(x, x.dtype, x.shape, options, (values, rng) =>
        fillUniform(rng, floating(values, 'bernoulli')),
      ),
    );
  const probabilities = floating(x.array.backend.hostValues(x.array, 'bernoulli'), 'bernoulli');
  return drawRows(x, x.dtype, x.shape, options, (values, rng) =>
    fillBernoulliFrom(rng, values, probabilities),
  );
}

/** Poisson counts, each with the rate in the same element of x (floating). @throws ArgumentError for a negative rate */
export function poisson<T extends Variable>(x: T, given?: GeneratorOptions): T {
  tensorGiven(x, 'poisson');
  const options = optionsGiven(given, 'poisson', 'generator');
  checkFloating(x, 'poisson');
  const rates = floating(x.array.backend.hostValues(x.array, 'poisson'), 'poisson');
  return drawRows(x, x.dtype, x.shape, options, (values, rng) =>
    fillPoisson(rng, floating(values, 'poisson'), rates),
  );
}

export interface MultinomialOptions extends GeneratorOptions {
  replacement?: boolean;
}

/** PyTorch's limit: beyond it a float32 running sum no longer tells categories apart. */
const MOST_CATEGORIES = 2 ** 24;

/**
 * Category numbers (int64) drawn with the given weights, which need not sum to 1. x: [categories] or
 * [rows, categories]; result: [numSamples] or [rows, numSamples].
 * @throws ShapeError, DTypeError; ArgumentError for bad weights or more samples than categories without replacement
 */
export const multinomial = /* @__PURE__ */ taking(
  'multinomial',
  'numSamples replacement? * generator',
  function multinomial<T extends Variable>(
    x: T,
    numSamples: number,
    replacement = false,
    options: GeneratorOptions = {},
  ): T {
    tensorGiven(x, 'multinomial');
    checkFloating(x, 'multinomial');
    const { shape } = x;
    if (shape.length !== 1 && shape.length !== 2) {
      throw new ShapeError(`multinomial: prob_dist must be 1 or 2 dim, but got shape ${formatShape(shape)}`);
    }
    const categories = shape[shape.length - 1];
    if (!Number.isInteger(numSamples) || numSamples <= 0) {
      throw new ArgumentError(`multinomial: numSamples must be a positive integer, but got ${numSamples}`);
    }
    if (categories > MOST_CATEGORIES) {
      throw new ShapeError(`multinomial: number of categories cannot exceed 2^24, but got ${categories}`);
    }
    checkSampleCount(categories, numSamples, replacement);
    const { backend, strides } = x.array;
    const chosen = [...shape.slice(0, -1), numSamples];
    if (!backend.synchronous && replacement && numSamples > 1)
      return chosenUnread(
        x,
        drawRows(x, x.dtype, chosen, options, (values, rng) =>
          fillUniformAbove(rng, floating(values, 'multinomial')),
        ),
      );
    const rng = engineOf(options);
    if (!backend.synchronous) {
      const noise = drawArray(backend, x.dtype, shape, strides, rng, (values) =>
        fillExponential(rng, floating(values, 'multinomial')),
      );
      return racedUnread(x, x.derive(noise), numSamples);
    }
    const weights = floating(backend.hostValues(x.array, 'multinomial'), 'multinomial');
    const [first] = memoryOrder(shape, strides);
    const drawn = sampleCategories(rng, weights, categories, numSamples, replacement, first === 1);
    return reshape(integerVector(x, drawn), chosen);
  },
);

export interface DropoutNoiseOptions extends GeneratorOptions {
  /** One draw per channel, for x of shape [N, C, …]; the result has shape [N, C, 1, …]. */
  channels?: boolean;
}

/**
 * The factors of dropout for x, outside the graph: 0 with probability p, else 1/(1 − p); times x, and times the gradient.
 * They lie in memory as x does. p = 0 and p = 1 draw nothing. @throws ArgumentError for p outside [0, 1]
 */
export function dropoutNoise<T extends Variable>(x: T, p: number, options: DropoutNoiseOptions = {}): T {
  return drawForDropout(x, options, (values, rng) => fillDropoutNoise(rng, floating(values, 'dropout'), p));
}

/** What alpha dropout draws: 1 with probability 1 − p, else 0, in the same layout. */
export function dropoutMask<T extends Variable>(x: T, p: number, options: DropoutNoiseOptions = {}): T {
  return drawForDropout(x, options, (values, rng) => fillBernoulli(rng, values, 1 - p));
}

function drawForDropout<T extends Variable>(
  x: T,
  options: DropoutNoiseOptions,
  fill: (values: TypedArray, rng: RandomEngine) => void,
): T {
  checkFloating(x, 'dropout');
  const { backend, dtype, shape } = x.array;
  if (!options.channels)
    return x.derive(drawArray(backend, dtype, shape, x.fillStrides, engineOf(options), fill));
  if (shape.length < 2) {
    throw new ShapeError(
      `dropout: expected at least 2 dimensions for channels, but got shape ${formatShape(shape)}`,
    );
  }
  return drawRows(
    x,
    dtype,
    shape.map((size, d) => (d < 2 ? size : 1)),
    options,
    fill,
  );
}
