/** Activation functions. Those with a kernel of their own are rows; the others are made of ops and recorded as one. */

import type { Variable } from '../autograd/variable.ts';
import { ArgumentError, DTypeError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape, normalizeDim } from '../core/shape.ts';
import { add, div, minimum, mul, neg, rsub, sub } from './arithmetic.ts';
import { binaryOp } from './binary.ts';
import { clamp } from './clamp.ts';
import { ge, gt, le, logicalAnd } from './comparison.ts';
import { named, still } from './composite.ts';
import { scalarValue } from './convert.ts';
import { abs, exp, log1p, sigmoid, square, tanh } from './elementwise.ts';
import { fused } from './fused.ts';
import { checkFloating, tensorGiven } from './given.ts';
import { eluGrad, gate, hardswishGrad } from './slopes.ts';
import { erfc } from './special.ts';
import { applyUnary, type UnaryRow, unaryOp } from './unary.ts';
import { narrow, reshape } from './views.ts';
import { whereOp } from './where.ts';

const leakyReluRow: UnaryRow = {
  name: 'leaky_relu',
  js: (x, slope) => (x > 0 ? x : x * slope),
  wgsl: 'select(x * p, x, x > 0)',
  integers: 'error',
  saves: 'input',
  backward: (grad, x, slope) => gate(grad, x, { p: 0, q: 0, r: slope, s: 1, t: 1, u: slope }),
};
/** x above 0, slope·x below. */
export const leakyRelu = <T extends Variable>(x: T, negativeSlope = 0.01): T =>
  applyUnary(leakyReluRow, tensorGiven(x, 'leaky_relu'), negativeSlope);

const eluRow: UnaryRow = {
  name: 'elu',
  js: (x, alpha, scale) => (x < 0 ? alpha * Math.expm1(x) : x * scale),
  wgsl: 'select(x * q, p * expm1(x), x < 0)',
  integers: 'error',
  saves: 'input',
  backward: (grad, x, alpha, scale) => eluGrad(grad, x, alpha, scale, 1),
};
/** x above 0, α(eˣ − 1) below. */
export const elu = <T extends Variable>(x: T, alpha = 1): T =>
  applyUnary(eluRow, tensorGiven(x, 'elu'), alpha, 1);

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;
/** 1.0507·elu(x, 1.6733): keeps mean 0 and variance 1 from layer to layer. */
export const selu = <T extends Variable>(x: T): T =>
  applyUnary(eluRow, tensorGiven(x, 'selu'), SELU_ALPHA * SELU_SCALE, SELU_SCALE);

const celuRow: UnaryRow = {
  name: 'celu',
  node: 'CeluBackward0',
  js: (x, alpha) => (x < 0 ? alpha * Math.expm1(x / alpha) : x),
  wgsl: 'select(x, p * expm1(x / p), x < 0)',
  integers: 'error',
  saves: 'input',
  backward: (grad, x, alpha) => eluGrad(grad, x, 1, 1, 1 / alpha),
};
/** x above 0, α(e^(x/α) − 1) below. @throws ArgumentError for alpha 0 */
export function celu<T extends Variable>(x: T, alpha = 1): T {
  checkFloating(x, 'celu');
  if (alpha === 0) throw new ArgumentError('celu: ZeroDivisionError: alpha cannot be 0 for CELU');
  // With α = 1 it is elu, for which there is a kernel.
  return applyUnary(alpha === 1 ? { ...eluRow, node: celuRow.node } : celuRow, x, alpha, 1);
}

const INVERSE_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI);
/** The distribution function of the standard normal distribution, exact in the lower tail too. */
const normalCdf = (x: number): number => erfc.row.js(-x * Math.SQRT1_2, 0, 0) * 0.5;
const normalDensity = (x: number): number => Math.exp(-0.5 * x * x) * INVERSE_SQRT_2PI;

/** The gradient of gelu from its input: grad·(Φ(x) + x·φ(x)). */
export const geluGrad = binaryOp({
  name: 'gelu_grad',
  node: 'GeluBackwardBackward0',
  js: (grad, x) => grad * (normalCdf(x) + x * normalDensity(x)),
  wgsl: `a * (0.5 * erfc(-b * ${Math.SQRT1_2}) + b * (exp(-0.5 * b * b) * ${INVERSE_SQRT_2PI}))`,
  integers: 'error',
  saves: 'both',
  gradA: (grad, _, x) => geluGrad(grad, x),
  gradB: <T extends Variable>(grad: T, a: T | number, x: T | number) => {
    const square = mul<T>(x, x);
    const density = mul<T>(exp(mul<T>(square, -0.5)), INVERSE_SQRT_2PI);
    return mul<T>(mul<T>(grad, a), mul<T>(density, rsub<T>(square, 2)));
  },
});

const geluExact = unaryOp({
  name: 'gelu',
  js: (x) => normalCdf(x) * x,
  wgsl: 'x * 0.5 * erfc(-x * 0.7071067811865476)',
  integers: 'error',
  saves: 'input',
  backward: (grad, x) => geluGrad(grad, x),
});

const GELU_SLOPE = Math.sqrt(2 / Math.PI);
const GELU_CUBE = 0.044715;

const geluTanh = <T extends Variable>(x: T): T => {
  // tanh(√(2/π)·(x + 0.044715·x³))
  const curve = (z: T): T => tanh(mul<T>(mul<T>(z, add<T>(mul<T>(square(z), GELU_CUBE), 1)), GELU_SLOPE));
  return fused(
    'GeluBackward0',
    [x],
    () => mul<T>(mul<T>(x, 0.5), add<T>(curve(x), 1)),
    (node) => {
      const saved = node.save(x);
      return (grad) => {
        const input = saved.get(grad);
        const t = curve(input);
        const slope = mul<T>(add<T>(mul<T>(square(input), 3 * GELU_CUBE), 1), GELU_SLOPE);
        const bend = mul<T>(mul<T>(input, rsub<T>(square(t), 1)), slope);
        return [mul<T>(grad, mul<T>(add<T>(add<T>(t, 1), bend), 0.5))];
      };
    },
  );
};

/** x·Φ(x), or its approximation by tanh. @throws ArgumentError for another name */
export function gelu<T extends Variable>(x: T, approximate: 'none' | 'tanh' = 'none'): T {
  tensorGiven(x, 'gelu');
  if (approximate === 'tanh') return geluTanh(x);
  if (approximate === 'none') return geluExact(x);
  throw new ArgumentError(
    `gelu: approximate argument must be either none or tanh, but got ${String(approximate)}`,
  );
}

/** x·sigmoid(x). */
export const silu = unaryOp({
  name: 'silu',
  js: (x) => x / (1 + Math.exp(-x)),
  wgsl: 'x / (1 + exp(-x))',
  integers: 'error',
  saves: 'input',
  backward: (grad, x) => {
    const s = sigmoid(x);
    return mul(grad, mul(s, add(mul(x, rsub(s, 1)), 1)));
  },
});

const softplusRow: UnaryRow = {
  name: 'softplus',
  js: (x, beta, threshold) => (x * beta > threshold ? x : Math.log1p(Math.exp(x * beta)) / beta),
  wgsl: 'select(log1p(exp(x * p)) / p, x, x * p > q)',
  integers: 'error',
  saves: 'input',
  backward: (grad, x, beta, threshold) => {
    const scaled = mul(x, beta);
    return whereOp(gt(scaled, threshold), grad, mul(grad, sigmoid(scaled)));
  },
};
/** log(1 + e^(βx))/β; x itself where βx > threshold. */
export const softplus = <T extends Variable>(x: T, beta = 1, threshold = 20): T =>
  applyUnary(softplusRow, tensorGiven(x, 'softplus'), beta, threshold);

/** x·tanh(softplus(x)). */
export const mish = <T extends Variable>(x: T): T => {
  checkFloating(tensorGiven(x, 'mish'), 'mish');
  return fused(
    'MishBackward0',
    [x],
    () => mul<T>(x, tanh(softplus(x))),
    (node) => {
      const saved = node.save(x);
      return (grad) => {
        const input = saved.get(grad);
        const t = tanh(softplus(input));
        return [mul<T>(grad, add<T>(t, mul<T>(mul<T>(input, sigmoid(input)), rsub<T>(square(t), 1))))];
      };
    },
  );
};

/** log(sigmoid(x)), exact for large |x|. */
export const logsigmoid = <T extends Variable>(x: T): T => {
  checkFloating(tensorGiven(x, 'logsigmoid'), 'logsigmoid');
  return fused(
    'LogSigmoidBackward0',
    [x],
    () => sub<T>(minimum<T>(x, 0), log1p(exp(neg(abs(x))))),
    (node) => {
      const saved = node.save(x);
      return (grad) => [mul<T>(grad, sigmoid(neg(saved.get(grad))))];
    },
  );
};

/** x/(1 + |x|). */
export const softsign = <T extends Variable>(x: T): T =>
  inOp('softsign', () => div<T>(tensorGiven(x, 'softsign'), add<T>(abs(x), 1)));

/** x − tanh(x). */
export const tanhshrink = <T extends Variable>(x: T): T =>
  inOp('tanhshrink', () => sub<T>(tensorGiven(x, 'tanhshrink'), tanh(x)));

/**
 * x within [minVal, maxVal], the nearer bound outside; no gradient passes at the bounds. Integers stay integers, and
 * the bounds lose their fractions. @throws ArgumentError, DTypeError for bools
 */
export function hardtanh<T extends Variable>(x: T, minVal = -1, maxVal = 1): T {
  tensorGiven(x, 'hardtanh');
  return limited('hardtanh', x, minVal, maxVal);
}

function limited<T extends Variable>(op: string, x: T, minVal: number, maxVal: number): T {
  if (minVal > maxVal) {
    throw new ArgumentError(
      `${op}: max_val must be larger than or equal to min_val, but got min_val ${minVal} and max_val ${maxVal}`,
    );
  }
  if (x.dtype === 'bool')
    throw new DTypeError(`${op}: Bool inputs not supported for hardtanh; got dtype bool`);
  const [low, high] = [scalarValue(minVal, x.dtype), scalarValue(maxVal, x.dtype)];
  if (x.dtype === 'uint8' && Math.trunc(minVal) < 0) {
    throw new ArgumentError(
      `${op}: cannot do hardtanh on an unsigned type with negative limits: got min_val ${minVal} for dtype uint8`,
    );
  }
  return fused(
    'HardtanhBackward0',
    [x],
    () => clamp<T>(x, low, high),
    (node) => {
      const saved = node.save(x);
      const slope = { p: Number(low), q: Number(high), r: 0, s: 1, t: 0, u: 1 };
      return (grad) => [gate<T>(grad, saved.get(grad), slope)];
    },
  );
}

/** min(max(x, 0), 6). */
export const relu6 = <T extends Variable>(x: T): T => limited('relu6', tensorGiven(x, 'relu6'), 0, 6);

/** (x + 3)/6 within [0, 1]. */
export const hardsigmoid = unaryOp({
  name: 'hardsigmoid',
  js: (x) => upToSix(x) / 6,
  wgsl: 'min(max(x + 3, 0), 6) / 6',
  integers: 'error',
  saves: 'input',
  backward: (grad, x) => gate(grad, x, { p: -3, q: 3, r: 0, s: 1 / 6, t: 0, u: 0 }),
});

/** x·hardsigmoid(x). */
export const hardswish = unaryOp({
  name: 'hardswish',
  js: (x) => (x * upToSix(x)) / 6,
  wgsl: 'x * min(max(x + 3, 0), 6) / 6',
  integers: 'error',
  saves: 'input',
  backward: (grad, x) => hardswishGrad(grad, x),
});

/** x + 3 within [0, 6]. */
const upToSix = (x: number): number => Math.min(Math.max(x + 3, 0), 6);

const within = <T extends Variable>(x: T, bound: number): T =>
  logicalAnd<T>(ge<T>(x, -bound), le<T>(x, bound));

const hardshrinkRow: UnaryRow = {
  name: 'hardshrink',
  js: (x, lambd) => (x >= -lambd && x <= lambd ? 0 : x),
  wgsl: 'select(x, 0, x >= -p && x <= p)',
  integers: 'error',
  saves: 'input',
  backward: (grad, x, lambd) => still('HardshrinkBackward0', whereOp(within(x, lambd), 0, grad), [x.edge()]),
};
/** 0 within [−λ, λ], x outside. */
export const hardshrink = <T extends Variable>(x: T, lambd = 0.5): T =>
  applyUnary(hardshrinkRow, tensorGiven(x, 'hardshrink'), lambd);

const softshrinkRow: UnaryRow = {
  name: 'softshrink',
  js: (x, lambd) => (x > lambd ? x - lambd : x < -lambd ? x + lambd : Number.isNaN(x) ? x : 0),
  wgsl: 'select(select(select(0, x, isNan(x)), x + p, x < -p), x - p, x > p)',
  integers: 'error',
  saves: 'input',
  backward: (grad, x, lambd) => still('SoftshrinkBackward0', whereOp(within(x, lambd), 0, grad), [x.edge()]),
};
/** x moved towards 0 by λ; 0 within [−λ, λ]. @throws ArgumentError for a negative lambd */
export function softshrink<T extends Variable>(x: T, lambd = 0.5): T {
  tensorGiven(x, 'softshrink');
  if (!(lambd >= 0))
    throw new ArgumentError(`softshrink: lambda must be greater or equal to 0, but found to be ${lambd}.`);
  return applyUnary(softshrinkRow, x, lambd);
}

const thresholdRow: UnaryRow = {
  name: 'threshold',
  js: (x, limit, value) => (x <= limit ? value : x),
  wgsl: 'select(x, q, x <= p)',
  integers: 'same',
  saves: 'input',
  backward: (grad, x, limit) => gate(grad, x, { p: limit, q: limit, r: 0, s: 1, t: 1, u: 1 }),
};
/** x above the threshold, else `value`. */
export const threshold = <T extends Variable>(x: T, limit: number, value: number): T =>
  applyUnary(thresholdRow, tensorGiven(x, 'threshold'), limit, value);

/**
 * x above 0, weight·x below. weight: [1], or one for each channel (x's dimension 1). @throws ShapeError
 */
export function prelu<T extends Variable>(x: T, weight: T): T {
  tensorGiven(x, 'prelu');
  tensorGiven(weight, 'prelu', 'weight');
  checkFloating(x, 'prelu');
  const count = weight.array.size;
  const channels = x.ndim > 1 ? x.shape[1] : 1;
  if (weight.ndim > 1 || (count !== 1 && count !== channels)) {
    throw new ShapeError(
      `prelu: Mismatch of parameter numbers and input channel size. Found parameter numbers = ${count} and channel size = ` +
        `${channels}. weight is ${formatShape(weight.shape)}, input ${formatShape(x.shape)}.`,
    );
  }
  const slope =
    count === 1 ? reshape(weight, []) : reshape(weight, [count, ...x.shape.slice(2).map(() => 1)]);
  return fused(
    'PreluKernelBackward0',
    [x, slope],
    () => whereOp<T>(gt<T>(x, 0), x, mul<T>(slope, x)),
    (node) => {
      const [savedX, savedSlope] = [node.save(x), node.save(slope)];
      return (grad) => {
        const input = savedX.get(grad);
        const positive = gt<T>(input, 0);
        const name = 'PreluKernelBackward0';
        return [
          node.needs[0] &&
            still(name, whereOp<T>(positive, grad, mul<T>(grad, savedSlope.get(grad))), node.edges),
          node.needs[1] && still(name, whereOp<T>(positive, 0, mul<T>(grad, input)), node.edges),
        ];
      };
    },
  );
}

/** The first half along dim times the sigmoid of the second. @throws ShapeError for an odd size */
export function glu<T extends Variable>(x: T, dim = -1): T {
  tensorGiven(x, 'glu');
  checkFloating(x, 'glu');
  if (x.ndim === 0)
    throw new ShapeError(
      'glu does not support 0-dimensional tensors: expected at least 1 dimension, got shape []',
    );
  const d = normalizeDim(dim, x.ndim, 'glu');
  const size = x.shape[d];
  if (size % 2 !== 0)
    throw new ShapeError(
      `glu: Halving dimension must be even, but dimension ${d} is size ${size} in input of shape ${formatShape(x.shape)}`,
    );
  const gated = mul<T>(narrow(x, d, 0, size / 2), sigmoid(narrow(x, d, size / 2, size / 2)));
  return named('GluBackward0', gated);
}
