/** `nn.utils`: gradients kept within bounds, all parameters as one vector, normalized weights, and `nn.utils.rnn`. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { zeros } from '../creation.ts';
import { tensorGiven, tensorsGiven } from '../ops/given.ts';
import { cat, stack } from '../ops/join.ts';
import { vectorNorm } from '../ops/statistics.ts';
import { taking } from '../ops/taking.ts';
import { Tensor } from '../tensor.ts';

export { fuseConvBnEval, fuseLinearBnEval } from './fusion.ts';
export * as parametrizations from './parametrizations.ts';
export * as parametrize from './parametrize.ts';
export * as rnn from './rnnUtils.ts';
export { removeSpectralNorm, removeWeightNorm, spectralNorm, weightNorm } from './weightNorms.ts';

const listOf = (tensors: Tensor | Iterable<Tensor>): Tensor[] =>
  tensors instanceof Tensor ? [tensors] : [...tensors];

/** The collected gradients, unseen by user code: their memory can still be given back early. */
const gradients = (parameters: Tensor | Iterable<Tensor>): Tensor[] =>
  listOf(parameters).flatMap((parameter) => {
    const grad = parameter.leaf?.grad;
    return grad instanceof Tensor ? [grad] : [];
  });

export interface NormOptions {
  /** The exponent. Default 2. */
  normType?: number;
  /** Throw if the norm is not finite. */
  errorIfNonfinite?: boolean;
}

/** The norm of all tensors as if they were one vector; 0-d. `foreach` says nothing here. @throws ArgumentError if it is not finite, when asked to */
export const getTotalNorm = /* @__PURE__ */ taking(
  'get_total_norm',
  'normType? errorIfNonfinite? foreach?',
  totalNorm,
);

function totalNorm(
  tensors: Iterable<Tensor>,
  normType = 2,
  errorIfNonfinite = false,
  _foreach: boolean | null = null,
): Tensor {
  const norms = listOf(tensors).map((x) => vectorNorm(x.reshape([-1]), normType, 0, false));
  if (norms.length === 0) return zeros([]);
  const total = vectorNorm(stack<Tensor>(norms), normType, 0, false);
  if (errorIfNonfinite && !Number.isFinite(total.item())) {
    throw new ArgumentError(
      `The total norm of order ${normType} for gradients from \`parameters\` is non-finite, so it cannot be clipped. To ` +
        'disable this error and scale the gradients by the non-finite norm anyway, set errorIfNonfinite to false',
    );
  }
  return total;
}

/**
 * Scales all gradients by one factor so that their common norm is at most maxNorm. Returns the norm before, a 0-d
 * tensor. `foreach` says nothing here. @throws ArgumentError if it is not finite, when asked to
 */
export const clipGradNorm_ = /* @__PURE__ */ taking(
  'clip_grad_norm_',
  'maxNorm normType? errorIfNonfinite? foreach?',
  (
    parameters: Tensor | Iterable<Tensor>,
    maxNorm: number,
    normType = 2,
    errorIfNonfinite = false,
    _foreach: boolean | null = null,
  ): Tensor =>
    noGrad(() => {
      const grads = gradients(parameters);
      const total = totalNorm(grads, normType, errorIfNonfinite);
      shorten(grads, maxNorm, total);
      return total;
    }),
);

function shorten(grads: readonly Tensor[], maxNorm: number, total: Tensor): void {
  // Always multiplied, by 1 if the norm is small: no value has to be read.
  const factor = total.add(1e-6).reciprocal().mul(maxNorm).minimum(1);
  for (const grad of grads) grad.mul_(factor.to(grad.dtype));
}

/**
 * The second half of `clipGradNorm_`, for a norm that `getTotalNorm` gave: over several groups of parameters, say. `foreach` says
 * nothing here.
 */
export const clipGradsWithNorm_ = /* @__PURE__ */ taking(
  'clip_grads_with_norm_',
  'maxNorm totalNorm foreach?',
  (
    parameters: Tensor | Iterable<Tensor>,
    maxNorm: number,
    total: Tensor,
    _foreach: boolean | null = null,
  ): void =>
    noGrad(() =>
      shorten(gradients(parameters), maxNorm, tensorGiven(total, 'clip_grads_with_norm_', 'totalNorm')),
    ),
);

/** Cuts every element of the gradients to [−clipValue, clipValue]. `foreach` says nothing here. */
export const clipGradValue_ = /* @__PURE__ */ taking(
  'clip_grad_value_',
  'clipValue foreach?',
  (parameters: Tensor | Iterable<Tensor>, clipValue: number, _foreach: boolean | null = null): void =>
    noGrad(() => {
      for (const grad of gradients(parameters)) grad.copy_(grad.maximum(-clipValue).minimum(clipValue));
    }),
);

/** All elements of all parameters in row-major order, as one vector. */
export const parametersToVector = (parameters: Iterable<Tensor>): Tensor =>
  cat<Tensor>(given(parameters, 'parameters_to_vector').map((parameter) => parameter.reshape([-1])));

const given = (parameters: Iterable<Tensor>, op: string): readonly Tensor[] =>
  tensorsGiven<readonly Tensor[]>(
    Object(parameters)[Symbol.iterator] ? [...parameters] : (parameters as never),
    op,
    'parameters',
  );

/** Copies a vector back into the parameters. @throws ShapeError unless it has as many elements as they have */
export function vectorToParameters(vector: Tensor, parameters: Iterable<Tensor>): void {
  const list = given(parameters, 'vector_to_parameters');
  tensorGiven(vector, 'vector_to_parameters', 'vec');
  const total = list.reduce((sum, parameter) => sum + parameter.numel(), 0);
  if (vector.ndim !== 1 || vector.numel() !== total) {
    throw new ShapeError(
      `vectorToParameters: expected a vector of ${total} elements, but got shape [${vector.shape.join(', ')}]`,
    );
  }
  noGrad(() => {
    let at = 0;
    for (const parameter of list) {
      parameter.copy_(vector.narrow(0, at, parameter.numel()).reshape(parameter.shape));
      at += parameter.numel();
    }
  });
}
