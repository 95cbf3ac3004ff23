/** Further functions of one operand: error functions, inverse hyperbolic ones, gamma, angles. */

import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { toFloating } from '../core/dtype.ts';
import { AutogradError } from '../core/errors.ts';
import { add, div, mul, neg, rsub, sub } from './arithmetic.ts';
import { clamp } from './clamp.ts';
import { eq, ge, le, logicalAnd } from './comparison.ts';
import { detached } from './composite.ts';
import { cast } from './convert.ts';
import { abs, cos, exp, log, rsqrt, sign, sin, square } from './elementwise.ts';
import { tensorGiven } from './given.ts';
import { type ByName, option } from './options.ts';
import { digammaOf, erfcOf, erfinvOf, erfOf, lgammaOf, trigammaOf } from './specialFunctions.ts';
import { unaryOp } from './unary.ts';
import { whereOp } from './where.ts';

const analysis = { integers: 'float' } as const;

/** The error function 2/√π ∫₀ˣ e^(−t²) dt. */
export const erf = unaryOp({
  ...analysis,
  name: 'erf',
  js: erfOf,
  wgsl: 'erf(x)',
  saves: 'input',
  backward: (grad, x) => mul(grad, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
});

/** 1 − erf(x), exact where erf is near 1. */
export const erfc = unaryOp({
  ...analysis,
  name: 'erfc',
  js: erfcOf,
  wgsl: 'erfc(x)',
  saves: 'input',
  backward: (grad, x) => mul(grad, mul(exp(neg(square(x))), -2 / Math.sqrt(Math.PI))),
});

/** The inverse of erf on (−1, 1); ±∞ at ±1, NaN beyond. */
export const erfinv = unaryOp({
  ...analysis,
  name: 'erfinv',
  js: erfinvOf,
  wgsl: 'erfinv(x)',
  saves: 'output',
  backward: (grad, y) => mul(grad, mul(exp(square(y)), Math.sqrt(Math.PI) / 2)),
});

/** log |Γ(x)|. */
export const lgamma = unaryOp({
  ...analysis,
  name: 'lgamma',
  js: lgammaOf,
  wgsl: 'lgamma(x)',
  saves: 'input',
  backward: (grad, x) => mul(grad, digamma(x)),
});

/** The derivative of log Γ. */
export const digamma = unaryOp({
  ...analysis,
  name: 'digamma',
  js: digammaOf,
  wgsl: 'digamma(x)',
  saves: 'input',
  backward: (grad, x) => mul(grad, trigamma(x)),
});

/** The second derivative of log Γ. */
const trigamma = unaryOp({
  ...analysis,
  name: 'trigamma',
  node: 'PolygammaBackward0',
  js: trigammaOf,
  wgsl: 'trigamma(x)',
  saves: 'input',
  backward: () => {
    throw new AutogradError('lgamma, digamma: the third derivative of log Γ is not implemented');
  },
});

/** The inverse hyperbolic sine. */
export const asinh = unaryOp({
  ...analysis,
  name: 'asinh',
  js: Math.asinh,
  wgsl: 'asinh(x)',
  saves: 'input',
  backward: (grad, x) => mul(grad, rsqrt(add(square(x), 1))),
});

/** The inverse hyperbolic cosine; NaN below 1. */
export const acosh = unaryOp({
  ...analysis,
  name: 'acosh',
  js: Math.acosh,
  wgsl: 'acosh(x)',
  saves: 'input',
  backward: (grad, x) => mul(grad, rsqrt(sub(square(x), 1))),
});

/** The inverse hyperbolic tangent on (−1, 1). */
export const atanh = unaryOp({
  ...analysis,
  name: 'atanh',
  js: Math.atanh,
  wgsl: 'atanh(x)',
  saves: 'input',
  backward: (grad, x) => div(grad, rsub(square(x), 1)),
});

/** Radians to degrees. */
export const rad2deg = unaryOp({
  ...analysis,
  name: 'rad2deg',
  node: 'Rad2DegBackward0',
  js: (x) => x * (180 / Math.PI),
  wgsl: 'degrees(x)',
  backward: (grad) => mul(grad, 180 / Math.PI),
});

/** Degrees to radians. */
export const deg2rad = unaryOp({
  ...analysis,
  name: 'deg2rad',
  node: 'Deg2RadBackward0',
  js: (x) => x * (Math.PI / 180),
  wgsl: 'radians(x)',
  backward: (grad) => mul(grad, Math.PI / 180),
});

/** sin(πx)/(πx), 1 at 0. */
export const sinc = unaryOp({
  ...analysis,
  name: 'sinc',
  js: (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)),
  wgsl: 'select(sin(3.1415927 * x) / (3.1415927 * x), 1, x == 0)',
  saves: 'input',
  backward: (grad, x) => mul(grad, sincSlope(x)),
});

function sincSlope<T extends Variable>(x: T): T {
  const atZero = eq<T>(x, 0);
  const safe = whereOp<T>(atZero, 1, x);
  const angle = mul<T>(safe, Math.PI);
  const slope = div<T>(sub<T>(mul(angle, cos(angle)), sin(angle)), mul(angle, safe));
  return whereOp<T>(atZero, 0, slope);
}

/** −1, 0 or 1: `sign` by its other name. */
export const sgn = unaryOp({ ...sign.row, node: 'SgnBackward0' });

/** log(x / (1 − x)); with eps, x is first brought into [eps, 1 − eps]. */
export function logit<T extends Variable>(x: T, given?: ByName<'eps', number | null>): T {
  const eps = option<'eps', number | null>(given, 'logit', 'eps', null);
  tensorGiven(x, 'logit');
  const value = detached(cast(x, toFloating(x.dtype)));
  const inside = eps === null ? value : clamp<T>(value, eps, 1 - eps);
  const out = log(div<T>(inside, rsub<T>(inside, 1)));
  return record('LogitBackward0', out.array, [x], (node) => {
    const saved = node.save(x);
    return (grad) => {
      const z = saved.get(grad);
      const [low, high, beyond] = eps === null ? [0, 1, Number.NaN] : [eps, 1 - eps, 0];
      const within = logicalAnd<T>(ge<T>(z, low), le<T>(z, high));
      return [whereOp<T>(within, div<T>(grad, abs(mul<T>(z, rsub<T>(z, 1)))), beyond)];
    };
  });
}

/** True where the sign bit is set; −0 counts. */
export const signbit = unaryOp({
  name: 'signbit',
  js: (x) => (x < 0 || Object.is(x, -0) ? 1 : 0),
  wgsl: 'isNegative(x)',
  integers: 'same',
  predicate: true,
});

/** True where x is plus infinity. */
export const isposinf = unaryOp({
  name: 'isposinf',
  js: (x) => (x === Infinity ? 1 : 0),
  wgsl: 'isInf(x) && x > 0',
  integers: 'same',
  predicate: true,
});
/** True where x is minus infinity. */
export const isneginf = unaryOp({
  name: 'isneginf',
  js: (x) => (x === -Infinity ? 1 : 0),
  wgsl: 'isInf(x) && x < 0',
  integers: 'same',
  predicate: true,
});
