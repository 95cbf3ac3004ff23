/**
 * Normalisation: elements brought to mean 0 and variance 1 over some of their dimensions, then scaled and shifted. One
 * kernel serves all of them, over rows of [outer, rows, inner].
 */

import { isGradEnabled } from '../autograd/gradMode.ts';
import { needsGraph, record, recordMany } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import type { NDArray } from '../backend/array.ts';
import { isFloating, torchTypeName } from '../core/dtype.ts';
import { ArgumentError, DTypeError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape, numElements, type Shape, sameShape } from '../core/shape.ts';
import { add, addOp, div, mul, neg, sub } from './arithmetic.ts';
import { named } from './composite.ts';
import { cast, checkDevices, clone, contiguous } from './convert.ts';
import { rsqrt, square, trunc } from './elementwise.ts';
import { given, tensorGiven } from './given.ts';
import { meanOverWindows, windowsOf } from './pooling.ts';
import { pow } from './power.ts';
import { mean, sum } from './reduce.ts';
import { reshape } from './views.ts';

interface Rows<T extends Variable> {
  /** [outer, rows, inner]. */
  readonly output: T;
  /** [rows], outside the graph; the variance is the biased one. */
  readonly mean: T;
  readonly variance: T;
}

/** (x − mean)/√(variance + eps) of each row of [outer, rows, inner]. */
function standardize<T extends Variable>(name: string, x: T, eps: number): Rows<T> {
  const input = contiguous(x);
  const { output, mean: means, variance, rstd } = input.array.backend.standardize(input.array, eps);
  const count = x.shape[0] * x.shape[2];
  const [y] = recordMany(name, [output, rstd], [input], (node, [out, r]) => {
    // Both outputs have a place in the graph, so that what the rule computes from them has a derivative again.
    const savedY = node.saveOutput(out);
    const savedR = node.save(r);
    return ([gradY, gradR]) => {
      const like = gradY ?? gradR;
      if (like === null) return [null];
      const normal = savedY.get(like);
      const r3 = savedR.get(like);
      const direct = gradY && standardizeGrad(contiguous(gradY), normal, r3);
      if (gradR === null) return [direct];
      const slope = reshape(div<T>(neg(mul(gradR, square(r3))), count), [1, -1, 1]);
      const viaR = mul(slope, normal);
      return [direct === null ? viaR : add<T>(direct, viaR)];
    };
  });
  if (!needsGraph([input])) rstd.release();
  return { output: y, mean: x.derive(means), variance: x.derive(variance) };
}

/** Only the rows: their statistics are given back, as nobody else has them. */
function onlyRows<T extends Variable>({ output, mean, variance }: Rows<T>): T {
  mean.array.release();
  variance.array.release();
  return output;
}

/** rstd·(g − mean(g) − y·mean(g·y)) by row: the gradient of `standardize`, differentiable in all three. */
function standardizeGrad<T extends Variable>(g: T, y: T, rstd: T): T {
  const out = g.array.backend.standardizeGrad(g.array, y.array, rstd.array);
  return record('NativeLayerNormBackwardBackward0', out, [g, y, rstd], (node) => {
    const saved = [g, y, rstd].map((x) => node.save(x));
    return (h) => {
      const [grad, normal, r] = saved.map((each) => each.get(h));
      const r3 = reshape(r, [1, -1, 1]);
      const rowMean = (x: T): T => mean(x, [0, 2], true);
      const slope = rowMean(mul(grad, normal));
      const toY = (): T => neg(mul(r3, add<T>(mul(h, slope), mul(grad, rowMean(mul(h, normal))))));
      const toR = (): T => sum(mul(h, sub<T>(sub<T>(grad, rowMean(grad)), mul(normal, slope))), [0, 2]);
      return [
        node.needs[0] && standardizeGrad(contiguous(h), normal, r),
        node.needs[1] && toY(),
        node.needs[2] && toR(),
      ];
    };
  });
}

/** y·weight + bias, each given as one value per element of `shape` (sizes of 1 repeat). `own`: y is a value that only its own rule reads. */
function affine<T extends Variable>(y: T, weight: T | null, bias: T | null, shape: Shape, own: boolean): T {
  // A copy if a rule reads y: the result may be overwritten, as by an activation in place.
  if (weight === null && bias === null) return own && !y.requiresGrad ? y : clone(y);
  if (weight === null) return bias === null ? y : addOp<T>(y, reshape(bias, shape));
  const factor = reshape(weight, shape);
  const reused = own && !needsGraph([y, weight]);
  if (bias !== null) return scaleAndShift(y, factor, reshape(bias, shape), reused);
  return reused ? y.derive(multiplied(y, factor, true)) : mul<T>(y, factor);
}

const multiplied = ({ array }: Variable, factor: Variable, reused: boolean): NDArray =>
  array.backend.binary(mul.row, array, factor.array, reused ? array : undefined);

/** y·factor + shift, in the memory of y if that may be reused: one node, whose rule may find both sums in one pass. */
function scaleAndShift<T extends Variable>(y: T, factor: T, shift: T, reused: boolean): T {
  const { backend } = y.array;
  const scaled = multiplied(y, factor, reused);
  const out = backend.binary(addOp.row, scaled, shift.array, scaled);
  return record('AddBackward0', out, [y, factor, shift], (node) => {
    const savedY = node.needs[1] ? node.save(y) : null;
    const savedFactor = node.needs[0] ? node.save(factor) : null;
    return (grad) => {
      const gradY = () => savedFactor && mul(grad, savedFactor.get(grad));
      if (savedY && node.needs[2] && backend.affineGrads && !isGradEnabled()) {
        // First: where the gradient is a formula that is too large to be read twice, it is computed once.
        const { weight, bias } = backend.affineGrads(grad.array, savedY.get(grad).array, factor.shape);
        return [gradY(), grad.derive(weight), grad.derive(bias)];
      }
      return [gradY(), savedY && mul(grad, savedY.get(grad)), node.needs[2] && grad];
    };
  });
}

/** All of one floating dtype, on one device; the others by their names. @throws DTypeError, DeviceError */
function checkFloats(op: string, x: Variable, others: { readonly [name: string]: Variable | null }): void {
  if (!isFloating(x.dtype))
    throw new DTypeError(`${op}: not implemented for '${torchTypeName(x.dtype)}' of argument 'input'`);
  for (const [name, y] of Object.entries(others)) {
    if (y === null) continue;
    checkDevices([x, y], op, `input ${name}`);
    if (y.dtype !== x.dtype)
      throw new DTypeError(
        `${op}: expected scalar type ${torchTypeName(x.dtype)} but found ${torchTypeName(y.dtype)} for argument '${name}'`,
      );
  }
}

/** One value per channel. @throws ShapeError */
function checkChannels(channels: number, tensors: { readonly [name: string]: Variable | null }): void {
  for (const [name, x] of Object.entries(tensors)) {
    if (x === null || (x.ndim === 1 && x.shape[0] === channels)) continue;
    throw new ShapeError(
      `${name} should contain ${channels} elements not ${formatShape(x.shape)}: expected argument '${name}' to be a vector of size ` +
        'equal to the number of channels in input',
    );
  }
}

/** [1, c, 1, …]: one value per channel, as it broadcasts against x. */
const channelShape = (x: Variable): number[] => x.shape.map((size, d) => (d === 1 ? size : 1));

/** @throws ArgumentError */
function checkRunning(op: string, { runningMean, runningVar }: ChannelNorm<Variable>): void {
  if ((runningMean === null) === (runningVar === null)) return;
  const [given, missing] = runningMean === null ? ['running_var', 'mean'] : ['running_mean', 'var'];
  throw new ArgumentError(
    `${op}: running_mean and running_var must either both be null or neither be null, but got ${given} without running_${missing}`,
  );
}

export interface ChannelStatistics<T extends Variable> {
  readonly output: T;
  /** [c], outside the graph; the variance is the unbiased one. Null if given statistics were used. */
  readonly statistics: { readonly mean: T; readonly variance: T } | null;
}

export interface ChannelNorm<T extends Variable> {
  runningMean: T | null;
  runningVar: T | null;
  weight: T | null;
  bias: T | null;
  /** Use the batch's own statistics. */
  training: boolean;
  eps: number;
}

/** x [n, c, …] by the statistics of each channel, those of the batch or given ones. @throws ShapeError, DTypeError */
export function batchNorm<T extends Variable>(x: T, settings: ChannelNorm<T>): ChannelStatistics<T> {
  tensorGiven(x, 'batch_norm');
  return inOp('batch_norm', () => {
    const { training, eps, runningMean, runningVar, weight, bias } = settings;
    checkRunning('batch_norm', settings);
    if (runningMean !== null) tensorGiven(runningMean, 'batch_norm', 'runningMean');
    if (runningVar !== null) tensorGiven(runningVar, 'batch_norm', 'runningVar');
    if (x.ndim < 2)
      throw new ShapeError(
        `batch_norm: expected at least 2 dimensions, but got input of size ${formatShape(x.shape)}`,
      );
    checkFloats('batch_norm', x, { runningMean, runningVar, weight, bias });
    const [n, c] = x.shape;
    checkChannels(c, { running_mean: runningMean, running_var: runningVar, weight, bias });
    const shape = channelShape(x);
    if (!training) {
      if (runningMean === null || runningVar === null) {
        throw new ArgumentError(
          'batch_norm: Expected running_mean and running_var to be defined when training=False',
        );
      }
      const rstd = rsqrt(add<T>(runningVar, eps));
      const scale = weight === null ? rstd : mul<T>(rstd, weight);
      // Of a negated copy: running statistics that move on before backward are not what a rule has saved.
      const shift = mul<T>(neg(runningMean), scale);
      return {
        output: named(
          'NativeBatchNormBackward0',
          affine(x, scale, bias === null ? shift : add<T>(bias, shift), shape, false),
        ),
        statistics: null,
      };
    }
    const count = x.array.size / Math.max(c, 1);
    if (count === 1) {
      throw new ShapeError(
        `Expected more than 1 value per channel when training, got input size torch.Size(${formatShape(x.shape)})`,
      );
    }
    const rows = standardize(
      'NativeBatchNormBackward0',
      reshape(x, [n, c, numElements(x.shape.slice(2))]),
      eps,
    );
    const output = named(
      'NativeBatchNormBackward0',
      affine(reshape(rows.output, x.shape), weight, bias, shape, true),
    );
    // Running statistics do not follow an empty batch.
    if (count === 0) return { output, statistics: null };
    return { output, statistics: { mean: rows.mean, variance: mul<T>(rows.variance, count / (count - 1)) } };
  });
}

/** The same with statistics of each sample: x [n, c, …]. Statistics are returned as their mean over the samples. */
export function instanceNorm<T extends Variable>(x: T, settings: ChannelNorm<T>): ChannelStatistics<T> {
  tensorGiven(x, 'instance_norm');
  return inOp('instance_norm', () => {
    const { weight, bias, training, eps } = settings;
    checkRunning('instance_norm', settings);
    if (!training) return batchNorm(x, settings);
    if (x.ndim < 2)
      throw new ShapeError(
        `instance_norm: expected at least 2 dimensions, but got input of size ${formatShape(x.shape)}`,
      );
    const { runningMean, runningVar } = settings;
    checkFloats('instance_norm', x, { runningMean, runningVar, weight, bias });
    const [n, c] = x.shape;
    checkChannels(c, { running_mean: settings.runningMean, running_var: settings.runningVar, weight, bias });
    const count = numElements(x.shape.slice(2));
    if (count === 1) {
      throw new ShapeError(
        `Expected more than 1 spatial element when training, got input size torch.Size(${formatShape(x.shape)})`,
      );
    }
    const rows = standardize('NativeBatchNormBackward0', reshape(x, [1, n * c, count]), eps);
    const overSamples = (values: T): T => mean(reshape(values, [n, c]), 0);
    return {
      output: affine(reshape(rows.output, x.shape), weight, bias, channelShape(x), true),
      statistics: {
        mean: overSamples(rows.mean),
        variance: mul<T>(overSamples(rows.variance), count / (count - 1)),
      },
    };
  });
}

/** @throws ShapeError unless x ends with normalizedShape, and the weights have it */
function checkNormalized(
  op: string,
  x: Variable,
  normalizedShape: Shape,
  weights: { readonly [name: string]: Variable | null },
): void {
  given(normalizedShape, op, 'normalizedShape', 'a list of sizes');
  const own = x.shape.slice(x.ndim - normalizedShape.length);
  if (normalizedShape.length === 0) {
    throw new ShapeError(
      `${op}: Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got []`,
    );
  }
  for (const [name, w] of Object.entries(weights)) {
    if (w === null || sameShape(w.shape, normalizedShape)) continue;
    throw new ShapeError(
      `${op}: Expected ${name} to be of same shape as normalized_shape, but got ${name} of shape ${formatShape(w.shape)} and ` +
        `normalized_shape = ${formatShape(normalizedShape)}`,
    );
  }
  if (x.ndim >= normalizedShape.length && sameShape(own, normalizedShape)) return;
  throw new ShapeError(
    `Given normalized_shape=${formatShape(normalizedShape)}, expected input with shape [${['*', ...normalizedShape].join(', ')}], ` +
      `but got input of size${formatShape(x.shape)}`,
  );
}

/** The last dimensions, of shape normalizedShape, to mean 0 and variance 1, then ·weight + bias. @throws ShapeError */
export function layerNorm<T extends Variable>(
  x: T,
  normalizedShape: Shape,
  weight: T | null,
  bias: T | null,
  eps: number,
): T {
  tensorGiven(x, 'layer_norm');
  return inOp('layer_norm', () => {
    checkFloats('layer_norm', x, { weight, bias });
    checkNormalized('layer_norm', x, normalizedShape, { weight, bias });
    const inner = numElements(normalizedShape);
    const rows = numElements(x.shape.slice(0, x.ndim - normalizedShape.length));
    const output = onlyRows(standardize('NativeLayerNormBackward0', reshape(x, [1, rows, inner]), eps));
    return named(
      'NativeLayerNormBackward0',
      affine(reshape(output, x.shape), weight, bias, normalizedShape, true),
    );
  });
}

/** Groups of neighbouring channels of [n, c, …] to mean 0 and variance 1, then ·weight + bias by channel. @throws ShapeError */
export function groupNorm<T extends Variable>(
  x: T,
  numGroups: number,
  weight: T | null,
  bias: T | null,
  eps: number,
): T {
  tensorGiven(x, 'group_norm');
  return inOp('group_norm', () => {
    checkFloats('group_norm', x, { weight, bias });
    if (x.ndim < 2)
      throw new ShapeError(`Expected at least 2 dimensions for input tensor but received ${x.ndim}`);
    const [n, c] = x.shape;
    if (!Number.isInteger(numGroups) || numGroups < 1)
      throw new ArgumentError(
        `Expected num groups to be greater than 0, got ${numGroups} for argument 'numGroups'`,
      );
    if (c % numGroups !== 0) {
      throw new ShapeError(
        `Expected number of channels in input to be divisible by num_groups, but got input of shape ${formatShape(x.shape)} and ` +
          `num_groups=${numGroups}`,
      );
    }
    for (const [name, y] of Object.entries({ weight, bias })) {
      if (y === null || (y.ndim === 1 && y.shape[0] === c)) continue;
      throw new ShapeError(
        `Expected ${name} to be a vector of size equal to the number of channels in input, but got ${name} of shape ` +
          `${formatShape(y.shape)} and input of shape ${formatShape(x.shape)}`,
      );
    }
    const inner = (c / numGroups) * numElements(x.shape.slice(2));
    if (n * inner === 1) {
      throw new ShapeError(
        `Expected more than 1 value per channel when training, got input size ${formatShape(x.shape)}`,
      );
    }
    const flat = reshape(x, [1, n * numGroups, inner]);
    const output = onlyRows(standardize('NativeGroupNormBackward0', flat, eps));
    const scaled = affine(reshape(output, x.shape), weight, bias, channelShape(x), true);
    return named('NativeGroupNormBackward0', scaled);
  });
}

/** The smallest step from 1, PyTorch's default for `eps`. */
const machineEpsilon = (x: Variable): number => (x.dtype === 'float64' ? 2 ** -52 : 2 ** -23);

/** x/√(mean(x²) + eps) over the last dimensions, then ·weight (Zhang and Sennrich, 2019). @throws ShapeError */
export function rmsNorm<T extends Variable>(
  x: T,
  normalizedShape: Shape,
  weight: T | null,
  eps: number | null,
): T {
  tensorGiven(x, 'rms_norm');
  return inOp('rms_norm', () => {
    checkFloats('rms_norm', x, { weight });
    checkNormalized('rms_norm', x, normalizedShape, { weight });
    const dims = normalizedShape.map((_, d) => x.ndim - normalizedShape.length + d);
    const scale = rsqrt(add<T>(mean(square(x), dims, true), eps ?? machineEpsilon(x)));
    return affine(mul(x, scale), weight, null, normalizedShape, true);
  });
}

/** Means of `size` neighbours of [n, c, inner] along c, zeros around it. */
function channelMeans<T extends Variable>(x: T, size: number): T {
  const [n, c, inner] = x.shape;
  const before = Math.floor(size / 2);
  const start = Int32Array.from({ length: c }, (_, i) => Math.max(i - before, 0));
  const end = Int32Array.from({ length: c }, (_, i) => Math.min(i - before + size, c));
  const all = Int32Array.from({ length: inner }, (_, i) => i);
  const windows = windowsOf(
    [c, inner],
    [
      { start, end, step: 1, divisor: new Float64Array(c).fill(size) },
      { start: all, end: all.map((i) => i + 1), step: 1, divisor: new Float64Array(inner).fill(1) },
    ],
  );
  return meanOverWindows('AvgPool3DBackward0', reshape(x, [n, 1, c, inner]), windows);
}

/** x / (k + alpha·mean of x² over `size` neighbouring channels)^beta: x [n, c, …], of floats or int64. @throws ShapeError, DTypeError */
export function localResponseNorm<T extends Variable>(
  x: T,
  size: number,
  alpha: number,
  beta: number,
  k: number,
): T {
  tensorGiven(x, 'local_response_norm');
  return inOp('local_response_norm', () => {
    if (x.ndim < 3) {
      throw new ShapeError(`Expected 3D or higher dimensionality input (got ${x.ndim} dimensions)`);
    }
    if (x.dtype !== 'int64') checkFloats('local_response_norm', x, {});
    if (x.array.size === 0) return x;
    const [n, c] = x.shape;
    const inner = numElements(x.shape.slice(2));
    const squares = reshape(square(x), [n, c, inner]);
    // PyTorch divides whole numbers without a rest. As floats they are whole up to 2^24, beyond it nobody sees the rest.
    const means =
      x.dtype === 'int64' ? trunc(channelMeans(cast(squares, 'float32'), size)) : channelMeans(squares, size);
    return div<T>(x, reshape(pow<T>(add<T>(mul<T>(means, alpha), k), beta), x.shape));
  });
}
