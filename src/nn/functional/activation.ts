/** Activations with their arguments by position or by name, and in place where asked for. */

import { type DTypeLike, resolveDType } from '../../core/dtype.ts';
import { inOp } from '../../core/inOp.ts';
import { onesLike, zerosLike } from '../../creation.ts';
import * as ops from '../../ops/activation.ts';
import type { GeneratorOptions } from '../../ops/draw.ts';
import { relu as reluOp } from '../../ops/elementwise.ts';
import { given, tensorGiven } from '../../ops/given.ts';
import { inplace as changeInPlace } from '../../ops/inplace.ts';
import { checkNames, onlyOption, option } from '../../ops/options.ts';
import { type RReluOptions, rrelu as rreluOp } from '../../ops/rrelu.ts';
import { taking } from '../../ops/taking.ts';
import { isOptions } from '../../tensor/arguments.ts';
import { type Flexible, named } from '../../tensor/namedArguments.ts';
import type { Tensor } from '../../tensor.ts';

export type { RReluOptions } from '../../ops/rrelu.ts';

export interface InplaceOptions {
  /** Overwrite the input. */
  inplace?: boolean;
}

type Inplace = boolean | InplaceOptions;

const wantsInplace = (inplace: Inplace | undefined): boolean =>
  option<'inplace', boolean>(inplace, 'inplace', false);

/** `compute` reads x again for the gradient: where it is recorded, an x that is overwritten is copied before. */
function result(op: string, x: Tensor, inplace: Inplace | undefined, compute: (x: Tensor) => Tensor): Tensor {
  if (!wantsInplace(inplace)) return compute(x);
  return changeInPlace(`${op}_`, x, [], (original) => compute(original()));
}

/** max(x, 0). */
export function relu(x: Tensor, inplace?: Inplace): Tensor {
  tensorGiven(x, 'relu');
  // Its gradient reads the result.
  const compute = () => reluOp<Tensor>(x);
  return wantsInplace(inplace) ? changeInPlace('relu_', x, [], compute) : compute();
}
/** max(x, 0), overwriting x. */
export const relu_ = (x: Tensor): Tensor => relu(tensorGiven(x, 'relu'), true);
/** min(max(x, 0), 6). */
export const relu6 = (x: Tensor, inplace?: Inplace): Tensor =>
  result('relu6', tensorGiven(x, 'relu6'), inplace, (y) => ops.relu6(y));
/** 1.0507·elu(x, 1.6733). */
export const selu = (x: Tensor, inplace?: Inplace): Tensor =>
  inOp('selu', () => result('selu', tensorGiven(x, 'selu'), inplace, (y) => ops.selu(y)));
/** x·sigmoid(x). */
export const silu = (x: Tensor, inplace?: Inplace): Tensor =>
  result('silu', tensorGiven(x, 'silu'), inplace, (y) => ops.silu<Tensor>(y));
/** x·tanh(softplus(x)). */
export const mish = (x: Tensor, inplace?: Inplace): Tensor =>
  result('mish', tensorGiven(x, 'mish'), inplace, (y) => ops.mish(y));
/** x·hardsigmoid(x). */
export const hardswish = (x: Tensor, inplace?: Inplace): Tensor =>
  result('hardswish', tensorGiven(x, 'hardswish'), inplace, (y) => ops.hardswish(y));
/** (x + 3)/6 within [0, 1]. */
export const hardsigmoid = (x: Tensor, inplace?: Inplace): Tensor =>
  result('hardsigmoid', tensorGiven(x, 'hardsigmoid'), inplace, (y) => ops.hardsigmoid(y));
/** 1/(1 + e⁻ˣ). */
export const sigmoid = (x: Tensor): Tensor => tensorGiven(x, 'sigmoid').sigmoid();
/** The hyperbolic tangent. */
export const tanh = (x: Tensor): Tensor => tensorGiven(x, 'tanh').tanh();
/** log(sigmoid(x)), exact for large |x|. */
export const logsigmoid = (x: Tensor): Tensor => ops.logsigmoid(tensorGiven(x, 'logsigmoid'));
/** x/(1 + |x|). */
export const softsign = (x: Tensor): Tensor => ops.softsign(tensorGiven(x, 'softsign'));
/** x − tanh(x). */
export const tanhshrink = (x: Tensor): Tensor => ops.tanhshrink(tensorGiven(x, 'tanhshrink'));

export interface LeakyReLUOptions extends InplaceOptions {
  /** Default 0.01. */
  negativeSlope?: number;
}

/** x above 0, negativeSlope·x below. */
export function leakyRelu(
  x: Tensor,
  negativeSlope: number | LeakyReLUOptions = 0.01,
  inplace?: Inplace,
): Tensor {
  tensorGiven(x, 'leaky_relu');
  if (isOptions<LeakyReLUOptions>(negativeSlope))
    return leakyRelu(x, negativeSlope.negativeSlope, negativeSlope);
  return result('leaky_relu', x, inplace, (y) => ops.leakyRelu(y, negativeSlope));
}

export interface AlphaOptions extends InplaceOptions {
  /** Default 1. */
  alpha?: number;
}

/** x above 0, α(eˣ − 1) below. */
export function elu(x: Tensor, alpha: number | AlphaOptions = 1, inplace?: Inplace): Tensor {
  tensorGiven(x, 'elu');
  if (isOptions<AlphaOptions>(alpha)) return elu(x, alpha.alpha, alpha);
  return result('elu', x, inplace, (y) => ops.elu(y, alpha));
}

/** x above 0, α(e^(x/α) − 1) below. @throws ArgumentError for alpha 0 */
export function celu(x: Tensor, alpha: number | AlphaOptions = 1, inplace?: Inplace): Tensor {
  tensorGiven(x, 'celu');
  if (isOptions<AlphaOptions>(alpha)) return celu(x, alpha.alpha, alpha);
  return result('celu', x, inplace, (y) => ops.celu(y, alpha));
}

export interface GELUOptions {
  /** 'tanh' approximates. Default 'none'. */
  approximate?: 'none' | 'tanh';
}

/** x·Φ(x), Φ being the normal distribution. */
export const gelu = (x: Tensor, approximate: 'none' | 'tanh' | GELUOptions = 'none'): Tensor =>
  ops.gelu(
    tensorGiven(x, 'gelu'),
    option<'approximate', 'none' | 'tanh'>(approximate, 'approximate', 'none'),
  );

export interface SoftplusOptions {
  /** Default 1. */
  beta?: number;
  /** Where βx is larger, the result is x. Default 20. */
  threshold?: number;
}

/** log(1 + e^(βx))/β. */
export function softplus(x: Tensor, beta: number | SoftplusOptions = 1, threshold = 20): Tensor {
  tensorGiven(x, 'softplus');
  if (isOptions<SoftplusOptions>(beta)) return softplus(x, beta.beta, beta.threshold);
  return ops.softplus(x, beta, threshold);
}

export interface HardtanhOptions extends InplaceOptions {
  /** Default −1. */
  minVal?: number;
  /** Default 1. */
  maxVal?: number;
}

/** x within [minVal, maxVal], the nearer bound outside. @throws ArgumentError if minVal > maxVal */
export function hardtanh(
  x: Tensor,
  minVal: number | HardtanhOptions = -1,
  maxVal = 1,
  inplace?: Inplace,
): Tensor {
  tensorGiven(x, 'hardtanh');
  if (isOptions<HardtanhOptions>(minVal)) return hardtanh(x, minVal.minVal, minVal.maxVal, minVal);
  return result('hardtanh', x, inplace, (y) => ops.hardtanh(y, minVal, maxVal));
}

export interface LambdOptions {
  /** Default 0.5. */
  lambd?: number;
}

/** 0 within [−λ, λ], x outside. */
export const hardshrink = (x: Tensor, lambd: number | LambdOptions = 0.5): Tensor =>
  ops.hardshrink(tensorGiven(x, 'hardshrink'), option<'lambd', number>(lambd, 'lambd', 0.5));

/** x moved towards 0 by λ; 0 within [−λ, λ]. @throws ArgumentError for a negative lambd */
export const softshrink = (x: Tensor, lambd: number | LambdOptions = 0.5): Tensor =>
  ops.softshrink(tensorGiven(x, 'softshrink'), option<'lambd', number>(lambd, 'lambd', 0.5));

export interface ThresholdOptions extends InplaceOptions {
  threshold: number;
  value: number;
}

/** x above the threshold, else `value`. */
export function threshold(x: Tensor, options: ThresholdOptions): Tensor;
export function threshold(x: Tensor, limit: number, value: number, inplace?: Inplace): Tensor;
export function threshold(
  x: Tensor,
  limit: number | ThresholdOptions,
  value?: number | ThresholdOptions,
  inplace?: Inplace,
): Tensor {
  tensorGiven(x, 'threshold');
  if (isOptions<ThresholdOptions>(limit)) return threshold(x, limit.threshold, limit.value, limit);
  if (isOptions<ThresholdOptions>(value)) return threshold(x, limit, value.value, value);
  given(limit, 'threshold', 'threshold', 'a number');
  given(value, 'threshold', 'value', 'a number');
  return result('threshold', x, inplace, (y) => ops.threshold(y, limit, value as number));
}

/** x above 0, weight·x below; weight is [1] or [channels]. @throws ShapeError */
export const prelu = /* @__PURE__ */ taking(
  'prelu',
  'weight',
  (x: Tensor, weight: Tensor): Tensor =>
    inOp('prelu', () => ops.prelu<Tensor>(tensorGiven(x, 'prelu'), tensorGiven(weight, 'prelu', 'weight'))),
);

/** x above 0; below, x times a slope drawn from [lower, upper) in training, else the middle one. */
export function rrelu(
  x: Tensor,
  lower: number | (RReluOptions & InplaceOptions) = 1 / 8,
  upper = 1 / 3,
  training = false,
  inplace?: Inplace | (InplaceOptions & GeneratorOptions),
): Tensor {
  tensorGiven(x, 'rrelu');
  return inOp('rrelu', () => {
    const options = isOptions<RReluOptions & InplaceOptions>(lower)
      ? lower
      : { lower, upper, training, ...(typeof inplace === 'object' ? checkNames(inplace) : { inplace }) };
    return result('rrelu', x, options, (y) => rreluOp(y, options));
  });
}

/** The first half along dim (default the last) times the sigmoid of the second. @throws ShapeError for an odd size */
export const glu = (x: Tensor, dim: number | { dim?: number } = -1): Tensor =>
  ops.glu(tensorGiven(x, 'glu'), onlyOption<'dim', number>(dim, 'dim', -1));

export interface SoftmaxOptions {
  dim?: number | null;
  /** Convert to this dtype first. */
  dtype?: DTypeLike;
}

/** The dimension that PyTorch takes when none is given. */
const implicitDim = (x: Tensor): number => (x.ndim === 0 || x.ndim === 1 || x.ndim === 3 ? 0 : 1);

function along(x: Tensor, dim: number | null | SoftmaxOptions | undefined, options: SoftmaxOptions) {
  const named = isOptions<SoftmaxOptions>(dim) ? dim : { dim, ...options };
  const input = named.dtype === undefined ? x : x.to(resolveDType(named.dtype, 'softmax'));
  return { input, d: named.dim ?? implicitDim(x) };
}

/** eˣ / Σ eˣ along dim. */
export function softmax(
  x: Tensor,
  dim?: number | null | SoftmaxOptions,
  options: SoftmaxOptions = {},
): Tensor {
  tensorGiven(x, 'softmax');
  const { input, d } = along(x, dim, options);
  return input.softmax(d);
}

/** The logarithm of softmax, exact where softmax underflows. */
export function logSoftmax(
  x: Tensor,
  dim?: number | null | SoftmaxOptions,
  options: SoftmaxOptions = {},
): Tensor {
  tensorGiven(x, 'log_softmax');
  const { input, d } = along(x, dim, options);
  return input.logSoftmax(d);
}

/** softmax(−x). */
export function softmin(
  x: Tensor,
  dim?: number | null | SoftmaxOptions,
  options: SoftmaxOptions = {},
): Tensor {
  tensorGiven(x, 'softmin');
  return inOp('softmin', () => {
    const { input, d } = along(x, dim, options);
    return input.neg().softmax(d);
  });
}

export interface GumbelSoftmaxOptions extends GeneratorOptions {
  /** The temperature. Default 1. */
  tau?: number;
  /** One-hot samples, with the gradient of the soft ones. */
  hard?: boolean;
  /** Default −1. */
  dim?: number;
}

/** Samples of categories by logits that have a gradient (Jang et al., 2017). */
export function gumbelSoftmax(
  logits: Tensor,
  ...rest: Flexible<[tau: number, hard: boolean], GumbelSoftmaxOptions>
): Tensor {
  const options = named<GumbelSoftmaxOptions>(['tau', 'hard'], rest, {});
  tensorGiven(logits, 'gumbel_softmax', 'logits');
  return inOp('gumbel_softmax', () => {
    const { tau = 1, hard = false, dim = -1, generator } = options;
    const gumbels = onesLike(logits).exponential_({ generator }).log().neg();
    const soft = logits.add(gumbels).div(tau).softmax(dim);
    if (!hard) return soft;
    const best = soft.detach().argmax(dim, true);
    const d = dim < 0 ? dim + logits.ndim : dim;
    const oneHot = zerosLike(soft).transpose(d, -1).contiguous();
    const places = best.transpose(d, -1);
    oneHot.array.backend.scatter(
      oneHot.array,
      oneHot.ndim - 1,
      places.array,
      onesLike(places, { dtype: soft.dtype }).array,
      false,
    );
    return oneHot.transpose(d, -1).sub(soft.detach()).add(soft);
  });
}
