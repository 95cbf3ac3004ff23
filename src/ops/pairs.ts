/** Further ops of two operands: extremes that skip NaN, sums in the logarithm, signs, and whether tensors are close. */

import type { Variable } from '../autograd/variable.ts';
import { isFloating } from '../core/dtype.ts';
import { DTypeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { sameShape } from '../core/shape.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { type BinaryRow, binaryOp } from './binary.ts';
import { eq, isfinite, isnan, le, logicalAnd, logicalOr, lt } from './comparison.ts';
import { detached } from './composite.ts';
import { cast, commonDType, isTensor, type OperandOf, promoteOperand } from './convert.ts';
import { abs, sigmoid, sign } from './elementwise.ts';
import { operandGiven, tensorGiven } from './given.ts';
import { type Flexible, inOrder } from './options.ts';
import { whereOp } from './where.ts';

const share = <T extends Variable>(grad: T, wins: T): T => whereOp<T>(wins, grad, 0);

function skippingNan(name: string, js: (a: number, b: number) => number, row: Partial<BinaryRow>) {
  return binaryOp({
    name,
    js: (a, b) => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : js(a, b)),
    wgsl: `${name}(a, b)`,
    ...row,
  });
}

/** The larger of a and b; where one is NaN the other. The gradient of a tie goes to a. */
export const fmax = skippingNan('fmax', Math.max, {
  big: (a, b) => (a > b ? a : b),
  gradA: (grad, a, b) => share(grad, logicalOr(le(b, a), isnan(asTensor(grad, b)))),
  gradB: (grad, a, b) => share(grad, logicalOr(lt(a, b), logicalAnd(isnan(asTensor(grad, a)), eq(b, b)))),
});

/** The smaller of a and b; where one is NaN the other. The gradient of a tie goes to a. */
export const fmin = skippingNan('fmin', Math.min, {
  big: (a, b) => (a < b ? a : b),
  gradA: (grad, a, b) => share(grad, logicalOr(le(a, b), isnan(asTensor(grad, b)))),
  gradB: (grad, a, b) => share(grad, logicalOr(lt(b, a), logicalAnd(isnan(asTensor(grad, a)), eq(b, b)))),
});

/** An operand of a rule as a tensor. */
const asTensor = <T extends Variable>(like: T, x: T | number): T =>
  typeof x === 'object' ? x : add<T>(mul<T>(detached(like), 0), x);

/** The share of one in the sum of two powers, as a sigmoid: the derivatives of that stay finite, too. */
const expShare = <T extends Variable>(grad: T, mine: T | number, other: T | number, base: number): T =>
  mul<T>(grad, sigmoid(mul<T>(sub<T>(asTensor(grad, mine), other), base)));

/** log(eᵃ + eᵇ) without overflow. */
export const logaddexp = binaryOp({
  name: 'logaddexp',
  js: (a, b) =>
    a === b && Math.abs(a) === Infinity ? a : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b))),
  wgsl: 'logaddexp(a, b)',
  integers: 'error',
  gradA: (grad, a, b) => expShare(grad, a, b, 1),
  gradB: (grad, a, b) => expShare(grad, b, a, 1),
});

/** log₂(2ᵃ + 2ᵇ) without overflow. */
export const logaddexp2 = binaryOp({
  name: 'logaddexp2',
  js: (a, b) =>
    a === b && Math.abs(a) === Infinity ? a : Math.max(a, b) + Math.log1p(2 ** -Math.abs(a - b)) / Math.LN2,
  wgsl: 'logaddexp2(a, b)',
  integers: 'error',
  gradA: (grad, a, b) => expShare(grad, a, b, Math.LN2),
  gradB: (grad, a, b) => expShare(grad, b, a, Math.LN2),
});

/** a · log b; 0 where a is 0, unless b is NaN. */
export const xlogy = binaryOp({
  name: 'xlogy',
  js: (a, b) => (Number.isNaN(b) ? b : a === 0 ? 0 : a * Math.log(b)),
  wgsl: 'xlogy(a, b)',
  digits: '021',
  integers: 'float',
  // xlogy again: what gets no gradient stays 0 where log b is infinite or NaN.
  gradA: (grad, a, b) =>
    whereOp(logicalAnd(eq(a, 0), le(asTensor(grad, b), 0)), 0, xlogy(grad, asTensor(grad, b))),
  gradB: (grad, a, b) => mul(grad, div(a, b)),
});

/** The magnitude of a with the sign of b. */
export const copysign = binaryOp({
  name: 'copysign',
  js: (a, b) => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a)),
  wgsl: 'select(abs(a), -abs(a), isNegative(b))',
  integers: 'float',
  gradA: (grad, a, b) => mul(grad, mul(sign(asTensor(grad, a)), copysign(asTensor(grad, 1), b))),
  gradB: (grad) => mul(grad, 0),
});

const step = binaryOp({
  name: 'heaviside',
  js: (x, value) => (x === 0 ? value : x > 0 ? 1 : 0),
  big: (x, value) => (x === 0n ? value : x < 0n ? 0n : 1n),
  wgsl: 'select(select(0.0, 1.0, a > 0 && !isNan(a)), b, a == 0)',
  gradA: (grad) => mul(grad, 0),
  gradB: (grad, x) => whereOp(eq(x, 0), grad, 0),
});

/** 0 below zero, 1 above, `value` at zero. @throws DTypeError for tensors of two dtypes */
export const heaviside = Object.assign(
  <T extends Variable>(x: OperandOf<T>, value: OperandOf<T>): T => {
    if (isTensor(x) && isTensor(value) && x.dtype !== value.dtype)
      throw new DTypeError(
        `heaviside is not yet implemented for tensors with different dtypes: got ${x.dtype} and ${value.dtype}`,
      );
    return step<T>(x, value);
  },
  { row: step.row },
);

export interface CloseOptions {
  rtol?: number;
  atol?: number;
  /** Count NaN as close to NaN. */
  equalNan?: boolean;
}

/** `(rtol, atol, equalNan)`, any tail of them by name. */
export type CloseArguments = Flexible<[rtol: number, atol: number, equalNan: boolean], CloseOptions>;

/** True where |a − b| ≤ atol + rtol·|b|; equal infinities are close. Dtypes may differ: `tensor([1, 2])` is float32 here. */
export function isclose<T extends Variable>(a: T, b: OperandOf<T>, ...args: CloseArguments): T {
  tensorGiven(a, 'isclose');
  operandGiven(b, 'isclose', 'other');
  return inOp('isclose', () => {
    type Values = [number, number, boolean];
    const [rtol = 1e-5, atol = 1e-8, equalNan] = inOrder<Values>('isclose', 'rtol atol equalNan', args);
    const dtype = commonDType([a, b]);
    const x = cast(detached(a), dtype);
    const limit = promoteOperand<T>(b, dtype, x, 'isclose');
    const y = typeof limit === 'object' ? detached(limit) : asTensor(x, limit);
    let close = eq<T>(x, y);
    if (equalNan && isFloating(dtype)) close = logicalOr<T>(close, logicalAnd<T>(isnan(x), isnan(y)));
    const wide = x.array.backend.holds('float64') ? 'float64' : 'float32';
    const gap = abs(sub<T>(cast(x, wide), cast(y, wide)));
    const allowed = add<T>(mul<T>(abs(cast(y, wide)), rtol), atol);
    return logicalOr<T>(close, logicalAnd<T>(isfinite(gap), le<T>(gap, allowed)));
  });
}

const allTrue = (x: Variable): boolean =>
  !(x.array.backend.hostValues(x.array, 'allclose') as Uint8Array).includes(0);

/** True if all elements are close. */
export const allclose = <T extends Variable>(a: T, b: T, ...args: CloseArguments): boolean =>
  inOp('allclose', () =>
    allTrue(isclose<T>(tensorGiven(a, 'allclose'), tensorGiven(b, 'allclose', 'other'), ...args)),
  );

/** True if both have the same shape and the same elements. */
export const equal = <T extends Variable>(a: T, b: T): boolean =>
  inOp(
    'equal',
    () =>
      sameShape(tensorGiven(a, 'equal').shape, tensorGiven(b, 'equal', 'other').shape) &&
      allTrue(eq<T>(detached(a), detached(b))),
  );
