/**
 * `nn.init`: initial values for parameters, in place and outside the graph. Bounds and deviations are computed in double
 * precision in PyTorch's order of operations and rounded only when drawing, so that a seed gives PyTorch's weights.
 */

import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { formatShape, type Shape } from '../core/shape.ts';
import { empty, eye, fromTypedArray } from '../creation.ts';
import { tensorGiven } from '../ops/given.ts';
import { option } from '../ops/options.ts';
import { qr } from '../ops/orthogonal.ts';
import { taking } from '../ops/taking.ts';
import { whereOp } from '../ops/where.ts';
import { type GeneratorOptions, randn, randperm } from '../random.ts';
import { type ByName, type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';

/** Modules come here by mistake: their weight is meant. @throws ArgumentError */
const checked = (tensor: Tensor): Tensor => tensorGiven(tensor, 'init', 'tensor');

export type FanMode = 'fan_in' | 'fan_out' | 'fanIn' | 'fanOut';

/** What follows a layer; Python's spelling of the names is accepted too. */
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'convTranspose1d'
  | 'convTranspose2d'
  | 'convTranspose3d'
  | 'conv_transpose1d'
  | 'conv_transpose2d'
  | 'conv_transpose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leakyRelu'
  | 'leaky_relu'
  | 'selu';

/** The recommended factor of a deviation for a nonlinearity; `param` is leakyRelu's slope (default 0.01). */
export function calculateGain(nonlinearity: Nonlinearity, given?: number | { param?: number }): number {
  const param = option<'param', number>(given, 'calculate_gain', 'param', 0.01);
  switch (nonlinearity) {
    case 'linear':
    case 'conv1d':
    case 'conv2d':
    case 'conv3d':
    case 'convTranspose1d':
    case 'convTranspose2d':
    case 'convTranspose3d':
    case 'conv_transpose1d':
    case 'conv_transpose2d':
    case 'conv_transpose3d':
    case 'sigmoid':
      return 1;
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.sqrt(2);
    case 'leakyRelu':
    case 'leaky_relu':
      return Math.sqrt(2 / (1 + param ** 2));
    case 'selu':
      return 3 / 4;
    default:
      throw new ArgumentError(
        `calculateGain: unsupported nonlinearity ${String(nonlinearity satisfies never)}`,
      );
  }
}

/** How many inputs each output of a weight [out, in, kernel…] has, and the reverse. @throws ShapeError below 2 dimensions */
export function calculateFanInAndFanOut(tensor: Tensor): { fanIn: number; fanOut: number } {
  const { shape } = checked(tensor);
  if (shape.length < 2) {
    throw new ShapeError(
      `init: fan in and fan out can not be computed for a tensor with fewer than 2 dimensions, got ${formatShape(shape)}`,
    );
  }
  const kernel = shape.slice(2).reduce((product, size) => product * size, 1);
  return { fanIn: shape[1] * kernel, fanOut: shape[0] * kernel };
}

function fanOf(tensor: Tensor, mode: FanMode): number {
  const { fanIn, fanOut } = calculateFanInAndFanOut(tensor);
  if (mode === 'fan_in' || mode === 'fanIn') return fanIn;
  if (mode === 'fan_out' || mode === 'fanOut') return fanOut;
  throw new ArgumentError(`init: expected mode to be 'fan_in' or 'fan_out', got ${String(mode)}`);
}

export interface UniformInit extends GeneratorOptions {
  a?: number;
  b?: number;
}

/** Uniform samples of [a, b), default [0, 1). */
export function uniform_(tensor: Tensor, ...args: Flexible<[a: number, b: number], UniformInit>): Tensor {
  const { a = 0, b = 1, ...options } = named<UniformInit>('uniform_', 'a b * generator', args);
  return noGrad(() => checked(tensor).uniform_(a, b, options));
}

export interface NormalInit extends GeneratorOptions {
  mean?: number;
  std?: number;
}

/** Normal samples, default mean 0 and standard deviation 1. */
export function normal_(tensor: Tensor, ...args: Flexible<[mean: number, std: number], NormalInit>): Tensor {
  const { mean = 0, std = 1, ...options } = named<NormalInit>('normal_', 'mean std * generator', args);
  return noGrad(() => checked(tensor).normal_(mean, std, options));
}

/** One value everywhere. */
export const constant_ = /* @__PURE__ */ taking('constant_', 'val', filledWith);
/** Ones. */
export const ones_ = (tensor: Tensor): Tensor => filledWith(tensor, 1);
/** Zeros. */
export const zeros_ = (tensor: Tensor): Tensor => filledWith(tensor, 0);

function filledWith(tensor: Tensor, val: number): Tensor {
  return noGrad(() => checked(tensor).fill_(val));
}

/** The identity matrix. @throws ShapeError unless the tensor has two dimensions */
export function eye_(tensor: Tensor): Tensor {
  const { shape, dtype, device } = checked(tensor);
  if (shape.length !== 2)
    throw new ShapeError(`init.eye_: expected 2 dimensions, got shape ${formatShape(shape)}`);
  return noGrad(() => tensor.copy_(eye(shape[0], shape[1], { dtype, device })));
}

/**
 * The convolution that passes its input channels through, as many as there are in each of the groups.
 * tensor: [out, in, kernel…] with 1 to 3 kernel dimensions. @throws ShapeError if the groups do not divide `out`
 */
export function dirac_(tensor: Tensor, given?: number | { groups?: number }): Tensor {
  const groups = option<'groups', number>(given, 'dirac_', 'groups', 1);
  const { shape, dtype, device } = checked(tensor);
  if (shape.length < 3 || shape.length > 5) {
    throw new ShapeError(`init.dirac_: expected 3, 4 or 5 dimensions, got shape ${formatShape(shape)}`);
  }
  if (!Number.isInteger(groups) || groups < 1 || shape[0] % groups !== 0) {
    throw new ShapeError(
      `init.dirac_: expected groups to divide dim 0 of ${formatShape(shape)}, got ${groups}`,
    );
  }
  const kernel = shape.slice(2);
  const kernelSize = kernel.reduce((product, size) => product * size, 1);
  const center = kernel.reduce((at, size) => at * size + Math.floor(size / 2), 0);
  const perGroup = shape[0] / groups;
  const values = new Float64Array(tensor.numel());
  for (let out = 0; out < shape[0]; out++) {
    const channel = out % perGroup;
    if (channel < shape[1]) values[(out * shape[1] + channel) * kernelSize + center] = 1;
  }
  return noGrad(() => tensor.copy_(fromTypedArray(values, shape, { dtype, device })));
}

export interface XavierInit extends GeneratorOptions {
  gain?: number;
}

function xavierStd(tensor: Tensor, gain: number): number {
  const { fanIn, fanOut } = calculateFanInAndFanOut(tensor);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

/** Uniform samples of ±gain·√(6/(fanIn + fanOut)) (Glorot and Bengio, 2010). */
export function xavierUniform_(tensor: Tensor, ...args: Flexible<[gain: number], XavierInit>): Tensor {
  const { gain = 1, ...options } = named<XavierInit>('xavier_uniform_', 'gain * generator', args);
  const bound = Math.sqrt(3) * xavierStd(tensor, gain);
  return uniform_(tensor, -bound, bound, options);
}

/** Normal samples with deviation gain·√(2/(fanIn + fanOut)) (Glorot and Bengio, 2010). */
export function xavierNormal_(tensor: Tensor, ...args: Flexible<[gain: number], XavierInit>): Tensor {
  const { gain = 1, ...options } = named<XavierInit>('xavier_normal_', 'gain * generator', args);
  return normal_(tensor, 0, xavierStd(tensor, gain), options);
}

export interface KaimingInit extends GeneratorOptions {
  /** Slope of leakyRelu, the default nonlinearity. */
  a?: number;
  /** Which variance to keep: that of the forward pass (fan_in, default) or of the gradients (fan_out). */
  mode?: FanMode;
  nonlinearity?: Nonlinearity;
}

type KaimingArguments = Flexible<[a: number, mode: FanMode, nonlinearity: Nonlinearity], KaimingInit>;

/** The deviation that keeps the variance, or null for a tensor without elements, which is left alone. */
function kaiming(
  op: string,
  tensor: Tensor,
  args: KaimingArguments,
): { std: number | null; options: GeneratorOptions } {
  const {
    a = 0,
    mode = 'fan_in',
    nonlinearity = 'leaky_relu',
    ...options
  } = named<KaimingInit>(op, 'a mode nonlinearity * generator', args);
  return { std: kaimingStd(tensor, a, mode, nonlinearity), options };
}

function kaimingStd(tensor: Tensor, a: number, mode: FanMode, nonlinearity: Nonlinearity): number | null {
  if (checked(tensor).shape.includes(0)) return null;
  return calculateGain(nonlinearity, a) / Math.sqrt(fanOf(tensor, mode));
}

/** Uniform samples of ±gain·√(3/fan) (He et al., 2015). */
export function kaimingUniform_(tensor: Tensor, ...args: KaimingArguments): Tensor {
  const { std, options } = kaiming('kaiming_uniform_', tensor, args);
  if (std === null) return tensor;
  const bound = Math.sqrt(3) * std;
  return uniform_(tensor, -bound, bound, options);
}

/** Normal samples with deviation gain/√fan (He et al., 2015). */
export function kaimingNormal_(tensor: Tensor, ...args: KaimingArguments): Tensor {
  const { std, options } = kaiming('kaiming_normal_', tensor, args);
  return std === null ? tensor : normal_(tensor, 0, std, options);
}

export interface TruncNormalInit extends NormalInit {
  a?: number;
  b?: number;
}

/** Below this share of the normal distribution between the bounds, candidates are drawn uniformly instead. */
const LEAST_SHARE = 0.3;

/**
 * Normal samples within [a, b], default [-2, 2], by rejection: whole tensors are drawn until every element has been
 * accepted, from the normal distribution if enough of it lies between the bounds, else from the uniform one (Robert,
 * "Simulation of truncated normal variables", 1995). @throws ArgumentError unless std > 0 and a < b
 */
export function truncNormal_(
  tensor: Tensor,
  ...args: Flexible<[mean: number, std: number, a: number, b: number], TruncNormalInit>
): Tensor {
  const {
    mean = 0,
    std = 1,
    a = -2,
    b = 2,
    ...options
  } = named<TruncNormalInit>('trunc_normal_', 'mean std a b * generator', args);
  if (!(std > 0)) throw new ArgumentError(`init.truncNormal_: expected std > 0, got ${std}`);
  if (!(a < b)) throw new ArgumentError(`init.truncNormal_: expected a < b, got a = ${a}, b = ${b}`);
  const share = normalCdf((b - mean) / std) - normalCdf((a - mean) / std);
  const draw = share > LEAST_SHARE ? redrawOutside : acceptUniform;
  return noGrad(() => {
    if (checked(tensor).array.backend.synchronous) return draw(tensor, mean, std, a, b, options);
    // How often to draw depends on what was drawn: on the host.
    const host = blankLike(tensor, 'cpu');
    return tensor.copy_(draw(host, mean, std, a, b, options).to(tensor.device));
  });
}

/** Memory for further draws, which are made in its order: that of the tensor, which may be a transposed view. */
function blankLike({ shape, fillStrides, dtype, device }: Tensor, place = device): Tensor {
  const order = shape.map((_, d) => d).sort((a, b) => fillStrides[b] - fillStrides[a]);
  const blank = empty(
    order.map((d) => shape[d]),
    { dtype, device: place },
  );
  return blank.permute(shape.map((_, d) => order.indexOf(d)));
}

function redrawOutside(
  tensor: Tensor,
  mean: number,
  std: number,
  a: number,
  b: number,
  options: GeneratorOptions,
): Tensor {
  const [low, high] = tensor.dtype === 'float32' ? [Math.fround(a), Math.fround(b)] : [a, b];
  let values = tensor.normal_(mean, std, options);
  for (;;) {
    const outside = values.lt(low).logicalOr(values.gt(high));
    if (!outside.any().item()) break;
    values = whereOp<Tensor>(outside, blankLike(tensor).normal_(mean, std, options), values);
  }
  return values === tensor ? tensor : tensor.copy_(values);
}

function acceptUniform(
  tensor: Tensor,
  mean: number,
  std: number,
  a: number,
  b: number,
  options: GeneratorOptions,
): Tensor {
  // Accept x with probability density(x) / density(the most likely value between the bounds).
  const mode = Math.max(a, Math.min(mean, b));
  const logPeak = -0.5 * ((mode - mean) / std) ** 2;
  const refused = (x: Tensor): Tensor => {
    const logDensity = x.sub(mean).div(std).square().mul(-0.5);
    return blankLike(tensor).uniform_(0, 1, options).log().gt(logDensity.sub(logPeak));
  };
  let values = tensor.uniform_(a, b, options);
  let pending = refused(values);
  while (pending.any().item()) {
    const candidates = blankLike(tensor).uniform_(a, b, options);
    values = whereOp<Tensor>(pending, candidates, values);
    pending = pending.logicalAnd(refused(candidates));
  }
  return values === tensor ? tensor : tensor.copy_(values);
}

/** The share of the standard normal distribution below x, to about 1e-15: the series of erf with positive terms only. */
function normalCdf(x: number): number {
  if (Math.abs(x) > 8) return x > 0 ? 1 : 0;
  let term = x;
  let sum = x;
  for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) {
    term *= (x * x) / n;
    sum += term;
  }
  return 0.5 + (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}

/**
 * A random matrix with orthonormal rows or columns, whichever are fewer, times gain (Saxe et al., 2013); dimensions
 * after the first count as one. Decomposed on the host in double precision. @throws ShapeError below 2 dimensions
 */
export function orthogonal_(tensor: Tensor, ...args: Flexible<[gain: number], XavierInit>): Tensor {
  const { gain = 1, ...options } = named<XavierInit>('orthogonal_', 'gain * generator', args);
  const { shape, dtype, device } = checked(tensor);
  if (shape.length < 2) {
    throw new ShapeError(`init.orthogonal_: expected at least 2 dimensions, got shape ${formatShape(shape)}`);
  }
  if (tensor.numel() === 0) return tensor;
  const rows = shape[0];
  const columns = tensor.numel() / rows;
  return noGrad(() => {
    const drawn = randn([rows, columns], { ...options, dtype, device: 'cpu' });
    const { Q, R } = qr(rows < columns ? drawn.t() : drawn);
    // The decomposition whose R has a positive diagonal is the only one.
    const columnwise = Q.mul(R.diagonal().sign());
    const values = (rows < columns ? columnwise.t() : columnwise).reshape(shape);
    return tensor.copy_(values.to({ device })).mul_(gain);
  });
}

export interface SparseInit extends GeneratorOptions {
  /** Share of each column that becomes zero. */
  sparsity: number;
  std?: number;
}

type SparseArguments = [sparsity: number, ...Flexible<[std: number], Omit<SparseInit, 'sparsity'>>];

/** Normal samples, of which a share in each column, rounded up, is zero (Martens, 2010). @throws ShapeError unless 2-d */
export function sparse_(
  tensor: Tensor,
  ...args: ByName<{ sparsity: number }, ['sparsity'], Omit<SparseInit, 'sparsity'>> | SparseArguments
): Tensor {
  const { sparsity, std = 0.01, ...options } = named<SparseInit>('sparse_', 'sparsity std * generator', args);
  const { shape, device } = checked(tensor);
  if (shape.length !== 2)
    throw new ShapeError(`init.sparse_: expected 2 dimensions, got shape ${formatShape(shape)}`);
  if (!(sparsity >= 0 && sparsity <= 1)) {
    throw new ArgumentError(`init.sparse_: expected sparsity to be in [0, 1], got ${sparsity}`);
  }
  return noGrad(() => {
    tensor.normal_(0, std, options);
    const kept = fromTypedArray(keptRows(shape, sparsity), shape, { dtype: 'bool', device });
    return tensor.copy_(tensor.where(kept, 0));
  });
}

/** In each column other rows: as in PyTorch, they come from the default generator, whichever the values come from. */
function keptRows([rows, columns]: Shape, sparsity: number): Uint8Array {
  const zeros = Math.ceil(sparsity * rows);
  const kept = new Uint8Array(rows * columns).fill(1);
  for (let column = 0; column < columns; column++) {
    const order = randperm(rows, { device: 'cpu' }).data;
    for (let i = 0; i < zeros; i++) kept[Number(order[i]) * columns + column] = 0;
  }
  return kept;
}
