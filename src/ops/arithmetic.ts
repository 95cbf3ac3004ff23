/** Sums, products, quotients, powers and extremes of two operands. */

import type { Variable } from '../autograd/variable.ts';
import { addSpec, divSpec } from '../backend/specs.ts';
import { type DType, isFloating } from '../core/dtype.ts';
import { ArgumentError, AutogradError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { sameShape } from '../core/shape.ts';
import { applyBinary, type BinaryOp, type BinaryRow, binaryOp, operandDType } from './binary.ts';
import { eq, gt, lt } from './comparison.ts';
import { cast, isTensor, type OperandOf, pairDType } from './convert.ts';
import { operandGiven, optionsGiven } from './given.ts';
import { nodeName, unaryOp } from './unary.ts';
import { whereOp } from './where.ts';

/** −x. */
export const neg = unaryOp({
  name: 'neg',
  js: (x) => -x,
  big: (x) => -x,
  wgsl: '-x',
  integers: 'same',
  bools: 'error',
  backward: (grad) => neg(grad),
});

const addRow = {
  ...addSpec,
  saves: 'none',
  gradA: (grad) => grad,
  gradB: (grad) => grad,
} as const satisfies BinaryRow;

export const addOp = binaryOp(addRow);

export const subOp = binaryOp({
  name: 'sub',
  js: (a, b) => a - b,
  big: (a, b) => a - b,
  wgsl: 'a - b',
  bools: 'none',
  saves: 'none',
  gradA: (grad) => grad,
  gradB: (grad) => neg(grad),
});

/** How much of the second operand `add` and `sub` take. */
export interface AlphaOptions {
  /** Factor of the second operand; default 1. */
  alpha?: number;
}

/** a + alpha·b, elementwise with broadcasting. */
export function add<T extends Variable>(a: OperandOf<T>, b: OperandOf<T>, options?: AlphaOptions): T {
  const { alpha = 1 } = optionsGiven(options, 'add', 'alpha');
  const [op, term] = withAlpha<T>(addOp, a, b, alpha);
  return op<T>(a, term);
}

/** a − alpha·b, elementwise with broadcasting. @throws DTypeError for two bool tensors, as PyTorch */
export function sub<T extends Variable>(a: OperandOf<T>, b: OperandOf<T>, options?: AlphaOptions): T {
  const { alpha = 1 } = optionsGiven(options, 'sub', 'alpha');
  const [op, term] = withAlpha<T>(subOp, a, b, alpha);
  return op<T>(a, term);
}

/** alpha·b − a with the operands exchanged: `rsub`. */
export function rsub<T extends Variable>(a: T, b: OperandOf<T>, options?: AlphaOptions): T {
  const { alpha = 1 } = optionsGiven(options, 'rsub', 'alpha');
  return inOp('rsub', () => {
    return applyBinary<T>(
      { ...subOp.row, node: typeof b === 'object' ? 'RsubBackward0' : 'RsubBackward1' },
      b,
      alpha === 1 ? a : scaled<T>(a, alpha, b),
    );
  });
}

/** a ± alpha·b as an op and its second operand: in one pass where both are floats of one shape. `op` is addOp or subOp. */
export function withAlpha<T extends Variable>(
  op: BinaryOp,
  a: OperandOf<T>,
  b: OperandOf<T>,
  alpha: number,
): readonly [BinaryOp, OperandOf<T>] {
  if (alpha === 1) return [op, b];
  operandGiven(alpha, op.row.name, 'alpha');
  checkAlpha(op.row.name, operandDType(op.row, a, b), alpha);
  // The product may be whole where b is not, whose kind decides about the result's.
  if (typeof b === 'number' && !Number.isInteger(b))
    return [binaryOp({ ...op.row, integers: 'float' }), b * Number(alpha)];
  const alike = isTensor(a) && isTensor(b) && a.dtype === b.dtype && sameShape(a.shape, b.shape);
  if (!alike || !isFloating(a.dtype) || typeof alpha !== 'number') return [op, scaled<T>(b, alpha, a)];
  return [addScaled(nodeName(op.row.name), op === subOp ? -alpha : alpha), b];
}

function checkAlpha(op: string, dtype: DType, alpha: unknown): void {
  if (isFloating(dtype) || typeof alpha !== 'number' || Number.isInteger(alpha)) return;
  throw new ArgumentError(
    `${op}: For integral input tensors, argument alpha must not be a floating point number, but got ${alpha}`,
  );
}

const addScaled = (node: string, p: number): BinaryOp =>
  binaryOp({
    name: 'add_scaled',
    node,
    js: (a, b) => a + b * p,
    wgsl: 'a + b * p',
    scalars: { p },
    saves: 'none',
    gradA: (grad) => grad,
    gradB: (grad) => mul(grad, p),
  });

/** alpha·x in the dtype of what it is added to: a product of small integers would overflow before. */
function scaled<T extends Variable>(x: OperandOf<T>, alpha: number, other: OperandOf<T>): OperandOf<T> {
  if (typeof x !== 'object') return Number(x) * alpha;
  const dtype = pairDType(other, x);
  return dtype === 'bool' ? mul<T>(x, Number(alpha) !== 0) : mul<T>(cast(x, dtype), alpha);
}

/** a · b, elementwise with broadcasting. */
export const mul = binaryOp({
  name: 'mul',
  js: (a, b) => a * b,
  big: (a, b) => a * b,
  wgsl: 'a * b',
  saves: 'other',
  gradA: (grad, _, b) => mul(grad, b),
  gradB: (grad, a) => mul(grad, a),
});

export const divOp = binaryOp({
  ...divSpec,
  integers: 'float',
  saves: 'divisor',
  gradA: (grad, _, b) => divOp(grad, b),
  gradB: (grad, a, b) => neg(mul(grad, divOp(a, mulValue(b, b)))),
});

/** A product where both factors may be plain numbers. */
export function mulValue<T extends Variable>(a: T | number, b: T | number): T | number {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  return mul<T>(a, b);
}

const floorDivRow = {
  name: 'floor_divide',
  node: 'DivBackward2',
  js: (a: number, b: number) => floorQuotient(a, b),
  big: (a: bigint, b: bigint) => floorQuotientBig(a, b),
  wgsl: 'floorDivide(a, b)',
  divides: true,
  saves: 'none',
  gradA: <T extends Variable>(grad: T) => mul<T>(grad, 0),
  gradB: <T extends Variable>(grad: T) => mul<T>(grad, 0),
} as const satisfies BinaryRow;

/** Python's floor division of doubles: exact when the quotient is whole, sign of the divisor respected. */
function floorQuotient(a: number, b: number): number {
  if (b === 0) return a / b;
  const rest = a % b;
  let quotient = (a - rest) / b;
  if (rest !== 0 && b < 0 !== rest < 0) quotient -= 1;
  if (quotient === 0) return Math.sign(a / b) < 0 || Object.is(a / b, -0) ? -0 : 0;
  const floored = Math.floor(quotient);
  return quotient - floored > 0.5 ? floored + 1 : floored;
}

function floorQuotientBig(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

const truncDivide = binaryOp({
  ...floorDivRow,
  name: 'trunc_divide',
  js: (a, b) => Math.trunc(a / b),
  big: (a, b) => a / b,
  wgsl: 'trunc(divide(a, b))',
});

const floorOfQuotient = binaryOp(floorDivRow);

const noSlope = (): never => {
  throw new AutogradError(
    'derivative for floor_divide is not implemented; that of div with a roundingMode is 0',
  );
};

/** The quotient rounded toward minus infinity: `floor_divide`. It passes no gradient: backward throws, as in PyTorch. */
export const floorDivide = binaryOp({
  ...floorDivRow,
  node: 'NotImplemented',
  gradA: noSlope,
  gradB: noSlope,
});

export interface DivOptions {
  /** null: true division; 'trunc' and 'floor' round the quotient. */
  roundingMode?: 'trunc' | 'floor' | null;
}

/** a / b. Integers divide into floating point unless a rounding mode is given. */
export function div<T extends Variable>(a: OperandOf<T>, b: OperandOf<T>, options?: DivOptions): T {
  const { roundingMode = null } = optionsGiven(options, 'div', 'roundingMode');
  switch (roundingMode) {
    case null:
      return divOp<T>(a, b);
    case 'floor':
      return floorOfQuotient<T>(a, b);
    case 'trunc':
      return truncDivide<T>(a, b);
    default:
      throw new ArgumentError(
        `div: roundingMode must be null, 'trunc' or 'floor', but got ${String(roundingMode)}`,
      );
  }
}

/** The remainder with the sign of the divisor, as Python's `%`. */
export const remainder = binaryOp({
  name: 'remainder',
  js: (a, b) => {
    const r = a % b;
    return r !== 0 && b < 0 !== r < 0 ? r + b : r;
  },
  big: (a, b) => {
    const r = a % b;
    return r !== 0n && b < 0n !== r < 0n ? r + b : r;
  },
  wgsl: 'remainder(a, b)',
  digits: '1',
  divides: true,
  saves: 'divisor',
  gradA: (grad) => grad,
  gradB: (grad, a, b) => neg(mul(grad, floorOfQuotient(a, b))),
});

/** The remainder with the sign of the dividend, as C's `fmod`. */
export const fmod = binaryOp({
  name: 'fmod',
  js: (a, b) => a % b,
  big: (a, b) => a % b,
  divides: true,
  wgsl: 'fmod(a, b)',
  digits: '1',
  saves: 'divisor',
  gradA: (grad) => grad,
  gradB: (grad, a, b) => neg(mul(grad, truncDivide(a, b))),
});

/** The share of a gradient that the first of two operands gets: none where it loses, half at ties, else (NaN) all. */
function winnerShare<T extends Variable>(grad: T, mine: T | number, other: T | number, loses: typeof gt): T {
  const shared = whereOp<T>(eq<T>(mine, other), mul<T>(grad, 0.5), grad);
  return whereOp<T>(loses<T>(mine, other), 0, shared);
}

/** The larger of a and b; NaN if either is. The gradient of a tie is shared equally. */
export const maximum = binaryOp({
  name: 'maximum',
  js: (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.max(a, b)),
  big: (a, b) => (a > b ? a : b),
  wgsl: 'max(a, b)',
  gradA: (grad, a, b) => winnerShare(grad, a, b, lt),
  gradB: (grad, a, b) => winnerShare(grad, b, a, lt),
});

/** The smaller of a and b; NaN if either is. The gradient of a tie is shared equally. */
export const minimum = binaryOp({
  name: 'minimum',
  js: (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.min(a, b)),
  big: (a, b) => (a < b ? a : b),
  wgsl: 'min(a, b)',
  gradA: (grad, a, b) => winnerShare(grad, a, b, gt),
  gradB: (grad, a, b) => winnerShare(grad, b, a, gt),
});

/** The angle of the point (b, a), in radians: `atan2(a, b)`. */
export const atan2 = binaryOp({
  name: 'atan2',
  js: Math.atan2,
  wgsl: 'atan2(a, b)',
  integers: 'float',
  gradA: (grad, a, b) => mul(mul(grad, b), reciprocalNorm(a, b)),
  gradB: (grad, a, b) => neg(mul(mul(grad, a), reciprocalNorm(a, b))),
});

/** 1/(a² + b²); 0 where the squares are too small for a float, as in PyTorch: the gradient of the origin is 0. */
function reciprocalNorm<T extends Variable>(a: T | number, b: T | number): T {
  const norm = add<T>(mulValue(a, a), mulValue(b, b));
  return whereOp<T>(eq(norm, 0), 0, divOp<T>(1, norm));
}

/** √(a² + b²) without overflow of the squares. */
export const hypot = binaryOp({
  name: 'hypot',
  js: Math.hypot,
  wgsl: 'hypot(a, b)',
  integers: 'error',
  gradA: (grad, a, b) => mul(grad, divOp(a, hypot(a, b))),
  gradB: (grad, a, b) => mul(grad, divOp(b, hypot(a, b))),
});
