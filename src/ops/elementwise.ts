/** Functions of one operand: one row each says what the op is, on every backend, and how its gradient follows. */

import type { Variable } from '../autograd/variable.ts';
import { reluSpec } from '../backend/specs.ts';
import { isFloating } from '../core/dtype.ts';
import { roundHalfToEven } from '../core/round.ts';
import { add, div, mul, neg, rsub } from './arithmetic.ts';
import { optionsGiven } from './given.ts';
import { reluGrad, sigmoidGrad, tanhGrad } from './slopes.ts';
import { unaryOp } from './unary.ts';

/** |x|; its gradient at 0 is 0. */
export const abs = unaryOp({
  name: 'abs',
  js: Math.abs,
  big: (x) => (x < 0n ? -x : x),
  wgsl: 'abs(x)',
  integers: 'same',
  bools: 'error',
  saves: 'input',
  backward: (grad, x) => mul(grad, sign(x)),
});

/** −1, 0 or 1; 0 for NaN, as PyTorch. */
export const sign = unaryOp({
  name: 'sign',
  js: (x) => (x > 0 ? 1 : x < 0 ? -1 : 0),
  big: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
  wgsl: 'sign(x)',
  integers: 'same',
});

/** x². */
export const square = unaryOp({
  name: 'square',
  node: 'PowBackward0',
  js: (x) => x * x,
  big: (x) => x * x,
  wgsl: 'x * x',
  integers: 'same',
  bools: 'int64',
  saves: 'input',
  backward: (grad, x) => mul(grad, mul(x, 2)),
});

/** √x; NaN for negative x. */
export const sqrt = unaryOp({
  name: 'sqrt',
  js: Math.sqrt,
  wgsl: 'sqrt(x)',
  integers: 'float',
  saves: 'output',
  backward: (grad, y) => div(grad, mul(y, 2)),
});

/** 1/√x. */
export const rsqrt = unaryOp({
  name: 'rsqrt',
  js: (x) => 1 / Math.sqrt(x),
  wgsl: 'inverseSqrt(x)',
  integers: 'float',
  saves: 'output',
  backward: (grad, y) => mul(mul(grad, -0.5), mul(y, mul(y, y))),
});

/** 1/x. */
export const reciprocal = unaryOp({
  name: 'reciprocal',
  js: (x) => 1 / x,
  wgsl: 'divide(1, x)',
  integers: 'float',
  saves: 'output',
  backward: (grad, y) => neg(mul(grad, mul(y, y))),
});

/** e to the power x. */
export const exp = unaryOp({
  name: 'exp',
  js: Math.exp,
  wgsl: 'exp(x)',
  integers: 'float',
  saves: 'output',
  backward: (grad, y) => mul(grad, y),
});

/** 2 to the power x. */
export const exp2 = unaryOp({
  name: 'exp2',
  js: (x) => 2 ** x,
  wgsl: 'exp2(x)',
  integers: 'float',
  saves: 'output',
  backward: (grad, y) => mul(grad, mul(y, Math.LN2)),
});

/** eˣ − 1, exact near 0. */
export const expm1 = unaryOp({
  name: 'expm1',
  js: Math.expm1,
  wgsl: 'expm1(x)',
  integers: 'float',
  saves: 'output',
  backward: (grad, y) => mul(grad, add(y, 1)),
});

/** The natural logarithm; −∞ at 0, NaN below. */
export const log = unaryOp({
  name: 'log',
  js: Math.log,
  wgsl: 'log(x)',
  integers: 'float',
  saves: 'input',
  backward: (grad, x) => div(grad, x),
});

/** The logarithm to base 2. */
export const log2 = unaryOp({
  name: 'log2',
  js: Math.log2,
  wgsl: 'log2(x)',
  integers: 'float',
  saves: 'input',
  backward: (grad, x) => div(grad, mul(x, Math.LN2)),
});

/** The logarithm to base 10. */
export const log10 = unaryOp({
  name: 'log10',
  js: Math.log10,
  wgsl: 'log(x) * 0.4342944819032518',
  integers: 'float',
  saves: 'input',
  backward: (grad, x) => div(grad, mul(x, Math.LN10)),
});

/** log(1 + x), exact near 0. */
export const log1p = unaryOp({
  name: 'log1p',
  node: 'Log1PBackward0',
  js: Math.log1p,
  wgsl: 'log1p(x)',
  integers: 'float',
  saves: 'input',
  backward: (grad, x) => div(grad, add(x, 1)),
});

/** The sine; x in radians. */
export const sin = unaryOp({
  name: 'sin',
  js: Math.sin,
  wgsl: 'sin(x)',
  integers: 'float',
  saves: 'input',
  backward: (grad, x) => mul(grad, cos(x)),
});

/** The cosine; x in radians. */
export const cos = unaryOp({
  name: 'cos',
  js: Math.cos,
  wgsl: 'cos(x)',
  integers: 'float',
  saves: 'input',
  backward: (grad, x) => neg(mul(grad, sin(x))),
});

/** The tangent; x in radians. */
export const tan = unaryOp({
  name: 'tan',
  js: Math.tan,
  wgsl: 'tan(x)',
  integers: 'float',
  saves: 'output',
  backward: (grad, y) => mul(grad, add(square(y), 1)),
});

/** The angle in [−π/2, π/2] whose sine is x. */
export const asin = unaryOp({
  name: 'asin',
  js: Math.asin,
  wgsl: 'asin(x)',
  integers: 'float',
  saves: 'input',
  backward: (grad, x) => mul(grad, rsqrt(rsub(square(x), 1))),
});

/** The angle in [0, π] whose cosine is x. */
export const acos = unaryOp({
  name: 'acos',
  js: Math.acos,
  wgsl: 'acos(x)',
  integers: 'float',
  saves: 'input',
  backward: (grad, x) => neg(mul(grad, rsqrt(rsub(square(x), 1)))),
});

/** The angle in (−π/2, π/2) whose tangent is x. */
export const atan = unaryOp({
  name: 'atan',
  js: Math.atan,
  wgsl: 'atan(x)',
  integers: 'float',
  saves: 'input',
  backward: (grad, x) => div(grad, add(square(x), 1)),
});

/** The hyperbolic sine. */
export const sinh = unaryOp({
  name: 'sinh',
  js: Math.sinh,
  wgsl: 'sinh(x)',
  integers: 'float',
  saves: 'input',
  backward: (grad, x) => mul(grad, cosh(x)),
});

/** The hyperbolic cosine. */
export const cosh = unaryOp({
  name: 'cosh',
  js: Math.cosh,
  wgsl: 'cosh(x)',
  integers: 'float',
  saves: 'input',
  backward: (grad, x) => mul(grad, sinh(x)),
});

/** The hyperbolic tangent. */
export const tanh = unaryOp({
  name: 'tanh',
  js: Math.tanh,
  wgsl: 'tanh(x)',
  integers: 'float',
  saves: 'output',
  backward: (grad, y) => tanhGrad(grad, y),
});

/** The logistic function 1/(1 + e⁻ˣ). */
export const sigmoid = unaryOp({
  name: 'sigmoid',
  js: (x) => 1 / (1 + Math.exp(-x)),
  wgsl: '1 / (1 + exp(-x))',
  integers: 'float',
  saves: 'output',
  backward: (grad, y) => sigmoidGrad(grad, y),
});

const step = { integers: 'same', bools: 'error' } as const;

/** The largest integer not above x. */
export const floor = unaryOp({ name: 'floor', js: Math.floor, big: (x) => x, wgsl: 'floor(x)', ...step });
/** The smallest integer not below x. */
export const ceil = unaryOp({ name: 'ceil', js: Math.ceil, big: (x) => x, wgsl: 'ceil(x)', ...step });
const roundOp = unaryOp({ name: 'round', js: roundHalfToEven, big: (x) => x, wgsl: 'round(x)', ...step });

/** The nearest integer, or the nearest with so many decimals; halves go to the even one. */
export const round = Object.assign(
  <T extends Variable>(x: T, options?: { decimals?: number }): T => {
    const { decimals = 0 } = optionsGiven(options, 'round', 'decimals');
    if (decimals === 0 || !isFloating(x.dtype)) return roundOp(x);
    const scale = 10 ** Math.abs(decimals);
    return decimals > 0 ? div<T>(roundOp(mul<T>(x, scale)), scale) : mul<T>(roundOp(div<T>(x, scale)), scale);
  },
  { row: roundOp.row },
);
/** x without its fraction. */
export const trunc = unaryOp({ name: 'trunc', js: Math.trunc, big: (x) => x, wgsl: 'trunc(x)', ...step });

/** The fraction of x, with its sign. */
export const frac = unaryOp({
  name: 'frac',
  js: (x) => x - Math.trunc(x),
  wgsl: 'x - trunc(x)',
  integers: 'error',
  backward: (grad) => grad,
});

/** max(x, 0); NaN stays NaN; the gradient at 0 is 0. */
export const relu = unaryOp({
  ...reluSpec,
  integers: 'same',
  bools: 'error',
  saves: 'output',
  backward: (grad, y) => reluGrad(grad, y),
});
