/** Gamma and Dirichlet variables, with the derivatives of samples by their parameters. */
import { isGradEnabled } from '../autograd/gradMode.ts';
import { needsGraph, record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import type { FloatArray } from '../core/distributions.ts';
import { AutogradError } from '../core/errors.ts';
import { betaSlope, gammaSlope, sampleGamma } from '../core/gamma.ts';
import { defaultEngine } from '../core/rng.ts';
import { contiguousStrides } from '../core/shape.ts';
import { mul, sub } from './arithmetic.ts';
import { drawArray, floating } from './draw.ts';
import { checkFloating } from './given.ts';
import { sum } from './reduce.ts';
import { digammaOf } from './specialFunctions.ts';

/** The smallest normal number, and the largest below 1. */
const limitsOf = (values: FloatArray): readonly [number, number] =>
  values instanceof Float32Array ? [2 ** -126, 1 - 2 ** -24] : [2 ** -1022, 1 - 2 ** -53];

/** Fills samples, and the derivatives of each by its own parameter where `slopes` is there to hold them. */
type Draw = (samples: FloatArray, alpha: FloatArray, slopes: FloatArray | null) => void;

function drawn<T extends Variable>(
  op: string,
  alpha: T,
  draw: Draw,
  rule: (grad: T, slopes: T, samples: T) => T,
): T {
  checkFloating(alpha, op);
  const { backend, dtype, shape } = alpha.array;
  const known = floating(backend.hostValues(alpha.array, op), op);
  const slopes = needsGraph([alpha]) ? known.slice() : null;
  const array = drawArray(backend, dtype, shape, contiguousStrides(shape), defaultEngine(), (values) => {
    draw(floating(values, op), known, slopes);
  });
  const name = op === 'standard_gamma' ? 'StandardGammaBackward0' : '_DirichletBackward';
  return record(name, array, [alpha], (node, output) => {
    const saved = node.saveOutput(output);
    const moved = alpha.derive(backend.upload(slopes ?? known, shape, dtype));
    return (grad) => {
      if (isGradEnabled())
        throw new AutogradError(
          `${op}: expected backward without createGraph, as the gradient of samples has no derivative, but got createGraph true`,
        );
      return [rule(grad, moved, saved.get(grad))];
    };
  });
}

/**
 * Gamma variables of rate 1, each with alpha in the same element: PyTorch's stream. Gradients reach alpha. Its values
 * must be known at once. @throws DTypeError; DeviceError where they can only be awaited
 */
export const standardGamma = <T extends Variable>(alpha: T): T =>
  drawn(
    'standard_gamma',
    alpha,
    (samples, known, slopes) => {
      const [least] = limitsOf(samples);
      for (let i = 0; i < samples.length; i++) {
        samples[i] = Math.max(sampleGamma(defaultEngine(), known[i]), least);
        if (slopes) slopes[i] = gammaSlope(samples[i], known[i], digammaOf(known[i]));
      }
    },
    (grad, slopes) => mul<T>(grad, slopes),
  );

/**
 * Dirichlet variables, vectors along the last dimension of alpha, likewise. The derivative by one parameter leaves the
 * ratios of the others as they are.
 */
export const standardDirichlet = <T extends Variable>(alpha: T): T =>
  drawn(
    'standard_dirichlet',
    alpha,
    (samples, known, slopes) => {
      const size = alpha.shape[alpha.ndim - 1];
      const [least, most] = limitsOf(samples);
      for (let row = 0; row < samples.length; row += size) {
        const gammas = Array.from({ length: size }, (_, i) => sampleGamma(defaultEngine(), known[row + i]));
        const total = gammas.reduce((a, b) => a + b, 0);
        const all = Array.from({ length: size }, (_, i) => known[row + i]).reduce((a, b) => a + b, 0);
        for (let i = 0; i < size; i++) {
          const at = row + i;
          samples[at] = Math.min(Math.max(gammas[i] / total, least), most);
          if (!slopes) continue;
          const far = digammaOf(known[at]) - digammaOf(all);
          slopes[at] = betaSlope(samples[at], known[at], all - known[at], far);
        }
      }
    },
    (grad, slopes, samples) => mul<T>(slopes, sub<T>(grad, sum(mul<T>(samples, grad), [-1], true))),
  );
