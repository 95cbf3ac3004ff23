/** The leaky rectifier whose slopes are drawn. */

import type { Variable } from '../autograd/variable.ts';
import { ArgumentError } from '../core/errors.ts';
import { leakyRelu } from './activation.ts';
import { mul } from './arithmetic.ts';
import { still } from './composite.ts';
import { engineOf, floating, type GeneratorOptions } from './draw.ts';
import { fused } from './fused.ts';
import { tensorGiven } from './given.ts';

export interface RReluOptions extends GeneratorOptions {
  /** Default 1/8. */
  lower?: number;
  /** Default 1/3. */
  upper?: number;
  training?: boolean;
}

/**
 * x above 0; below, x times a slope drawn for each element from [lower, upper) in training, else the middle one. Only
 * elements that are not above 0 draw. @throws ArgumentError if lower > upper
 */
export function rrelu<T extends Variable>(x: T, options: RReluOptions = {}): T {
  tensorGiven(x, 'rrelu');
  const { lower = 1 / 8, upper = 1 / 3, training = false } = options;
  if (!(lower <= upper)) {
    throw new ArgumentError(
      `Lower bound should be less than or equal to the upper bound, but got ${lower} and ${upper}`,
    );
  }
  if (!training) return leakyRelu(x, (lower + upper) / 2);
  const { backend, shape, dtype } = x.array;
  const values = floating(backend.hostValues(x.array, 'rrelu'), 'rrelu');
  const rng = engineOf(options);
  const slopes = values.map((value) => (value <= 0 ? rng.uniform53() * (upper - lower) + lower : 1));
  const noise = x.derive(backend.upload(slopes, shape, dtype));
  return fused(
    'RreluWithNoiseBackward0',
    [x],
    () => mul<T>(x, noise),
    (node) => {
      const saved = node.save(noise);
      return (grad) => [still('RreluWithNoiseBackward0', mul<T>(grad, saved.get(grad)), node.edges)];
    },
  );
}
