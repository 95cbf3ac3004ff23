/** Activations with their arguments by position or by name, and in place where asked for. */

import { type DTypeLike, resolveDType } from '../../core/dtype.ts';
import { inOp } from '../../core/inOp.ts';
import { onesLike, zerosLike } from '../../creation.ts';
import * as ops from '../../ops/activation.ts';
import type { GeneratorOptions } from '../../ops/draw.ts';
import { relu as reluOp } from '../../ops/elementwise.ts';
import { tensorGiven } from '../../ops/given.ts';
import { inplace as changeInPlace } from '../../ops/inplace.ts';
import { inOrder, option } from '../../ops/options.ts';
import { type RReluOptions, rrelu as rreluOp } from '../../ops/rrelu.ts';
import { taking } from '../../ops/taking.ts';
import { type Flexible, named } from '../../tensor/namedArguments.ts';
import type { Tensor } from '../../tensor.ts';

export type { RReluOptions } from '../../ops/rrelu.ts';

export interface InplaceOptions {
  /** Overwrite the input. */
  inplace?: boolean;
}

type Inplace = boolean | InplaceOptions;

/** `compute` reads x again for the gradient: where it is recorded, an x that is overwritten is copied before. */
function result(op: string, x: Tensor, inplace: Inplace | undefined, compute: (x: Tensor) => Tensor): Tensor {
  if (!option<'inplace', boolean>(inplace, op, 'inplace', false)) return compute(x);
  return changeInPlace(`${op}_`, x, [], (original) => compute(original()));
}

/** max(x, 0). */
export function relu(x: Tensor, inplace?: Inplace): Tensor {
  tensorGiven(x, 'relu');
  // Its gradient reads the result.
  const compute = () => reluOp<Tensor>(x);
  const wanted = option<'inplace', boolean>(inplace, 'relu', 'inplace', false);
  return wanted ? changeInPlace('relu_', x, [], compute) : compute();
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
  ...args: Flexible<[negativeSlope: number, inplace: boolean], LeakyReLUOptions>
): Tensor {
  tensorGiven(x, 'leaky_relu');
  type Values = [number, boolean];
  const [negativeSlope = 0.01, inplace] = inOrder<Values>('leaky_relu', 'negativeSlope inplace', args);
  return result('leaky_relu', x, inplace, (y) => ops.leakyRelu(y, negativeSlope));
}

export interface AlphaOptions extends InplaceOptions {
  /** Default 1. */
  alpha?: number;
}

/** `(alpha, inplace)`, any tail of them by name. */
export type AlphaArguments = Flexible<[alpha: number, inplace: boolean], AlphaOptions>;

/** x above 0, α(eˣ − 1) below. */
export function elu(x: Tensor, ...args: AlphaArguments): Tensor {
  tensorGiven(x, 'elu');
  const [alpha = 1, inplace] = inOrder<[number, boolean]>('elu', 'alpha inplace', args);
  return result('elu', x, inplace, (y) => ops.elu(y, alpha));
}

/** x above 0, α(e^(x/α) − 1) below. @throws ArgumentError for alpha 0 */
export function celu(x: Tensor, ...args: AlphaArguments): Tensor {
  tensorGiven(x, 'celu');
  const [alpha = 1, inplace] = inOrder<[number, boolean]>('celu', 'alpha inplace', args);
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
    option<'approximate', 'none' | 'tanh'>(approximate, 'gelu', 'approximate', 'none'),
  );

export interface SoftplusOptions {
  /** Default 1. */
  beta?: number;
  /** Where βx is larger, the result is x. Default 20. */
  threshold?: number;
}

/** `(beta, threshold)`, any tail of them by name. */
export type SoftplusArguments = Flexible<[beta: number, threshold: number], SoftplusOptions>;

/** log(1 + e^(βx))/β. */
export function softplus(x: Tensor, ...args: SoftplusArguments): Tensor {
  tensorGiven(x, 'softplus');
  const [beta = 1, threshold = 20] = inOrder<[number, number]>('softplus', 'beta threshold', args);
  return ops.softplus(x, beta, threshold);
}

export interface HardtanhOptions extends InplaceOptions {
  /** Default −1. */
  minVal?: number;
  /** Default 1. */
  maxVal?: number;
}

/** `(minVal, maxVal, inplace)`, any tail of them by name. */
export type HardtanhArguments = Flexible<[minVal: number, maxVal: number, inplace: boolean], HardtanhOptions>;

/** x within [minVal, maxVal], the nearer bound outside. @throws ArgumentError if minVal > maxVal */
export function hardtanh(x: Tensor, ...args: HardtanhArguments): Tensor {
  tensorGiven(x, 'hardtanh');
  type Values = [number, number, boolean];
  const [minVal = -1, maxVal = 1, inplace] = inOrder<Values>('hardtanh', 'minVal maxVal inplace', args);
  return result('hardtanh', x, inplace, (y) => ops.hardtanh(y, minVal, maxVal));
}

export interface LambdOptions {
  /** Default 0.5. */
  lambd?: number;
}

/** 0 within [−λ, λ], x outside. */
export const hardshrink = (x: Tensor, lambd: number | LambdOptions = 0.5): Tensor =>
  ops.hardshrink(tensorGiven(x, 'hardshrink'), option<'lambd', number>(lambd, 'hardshrink', 'lambd', 0.5));

/** x moved towards 0 by λ; 0 within [−λ, λ]. @throws ArgumentError for a negative lambd */
export const softshrink = (x: Tensor, lambd: number | LambdOptions = 0.5): Tensor =>
  ops.softshrink(tensorGiven(x, 'softshrink'), option<'lambd', number>(lambd, 'softshrink', 'lambd', 0.5));

/** x above the threshold, else `value`. */
export const threshold = /* @__PURE__ */ taking(
  'threshold',
  'threshold value inplace?',
  (x: Tensor, limit: number, value: number, inplace?: boolean): Tensor =>
    result('threshold', tensorGiven(x, 'threshold'), inplace, (y) => ops.threshold(y, limit, value)),
);

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
  ...args: Flexible<
    [lower: number, upper: number, training: boolean, inplace: boolean],
    RReluOptions & InplaceOptions
  >
): Tensor {
  tensorGiven(x, 'rrelu');
  const { inplace, ...options } = named<RReluOptions & InplaceOptions>(
    'rrelu',
    'lower upper training inplace * generator',
    args,
  );
  return inOp('rrelu', () => result('rrelu', x, inplace, (y) => rreluOp(y, options)));
}

/** The first half along dim (default the last) times the sigmoid of the second. @throws ShapeError for an odd size */
export const glu = (x: Tensor, dim: number | { dim?: number } = -1): Tensor =>
  ops.glu(tensorGiven(x, 'glu'), option<'dim', number>(dim, 'glu', 'dim', -1));

export interface SoftmaxOptions {
  dim?: number | null;
  /** Convert to this dtype first. */
  dtype?: DTypeLike;
}

/** The dimension that PyTorch takes when none is given. */
const implicitDim = (x: Tensor): number => (x.ndim === 0 || x.ndim === 1 || x.ndim === 3 ? 0 : 1);

/** `(dim, dtype)`, any tail of them by name. */
type SoftmaxArguments = Flexible<[dim: number | null | undefined, dtype: DTypeLike], SoftmaxOptions>;

function along(op: string, x: Tensor, args: SoftmaxArguments) {
  tensorGiven(x, op);
  const [dim, dtype] = inOrder<[number | null, DTypeLike]>(op, 'dim dtype', args);
  const input = dtype === undefined ? x : x.to(resolveDType(dtype, 'softmax'));
  return { input, d: dim ?? implicitDim(x) };
}

/** eˣ / Σ eˣ along dim. */
export function softmax(x: Tensor, ...args: SoftmaxArguments): Tensor {
  const { input, d } = along('softmax', x, args);
  return input.softmax(d);
}

/** The logarithm of softmax, exact where softmax underflows. */
export function logSoftmax(x: Tensor, ...args: SoftmaxArguments): Tensor {
  const { input, d } = along('log_softmax', x, args);
  return input.logSoftmax(d);
}

/** softmax(−x). */
export function softmin(x: Tensor, ...args: SoftmaxArguments): Tensor {
  return inOp('softmin', () => {
    const { input, d } = along('softmin', x, args);
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
  const options = named<GumbelSoftmaxOptions>('gumbel_softmax', 'tau hard * dim generator', rest);
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
      'replace',
    );
    return oneHot.transpose(d, -1).sub(soft.detach()).add(soft);
  });
}
