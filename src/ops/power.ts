/** Powers with either side a tensor. */
import type { Variable } from '../autograd/variable.ts';
import { isFloating, toFloating } from '../core/dtype.ts';
import { ArgumentError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { mul, mulValue, sub } from './arithmetic.ts';
import { applyBinary, binaryOp } from './binary.ts';
import { clamp } from './clamp.ts';
import { eq, logicalAnd, logicalNot, lt } from './comparison.ts';
import { cast, isTensor, type OperandOf, pairDType } from './convert.ts';
import { floor, log, rsqrt, sqrt } from './elementwise.ts';
import { operandGiven, tensorGiven } from './given.ts';
import { applyUnary, type UnaryRow } from './unary.ts';
import { whereOp } from './where.ts';

const power = binaryOp({
  name: 'pow',
  js: (a, b) => (a === 1 || (a === -1 && !Number.isFinite(b) && !Number.isNaN(b)) ? 1 : a ** b),
  big: (a, b) => integerPower(a, b),
  wgsl: 'pow(a, b)',
  bools: 'one',
  digits: '102',
  gradA: (grad, a, b) => powGradBase(grad, a, b),
  gradB: (grad, a, b) => powGradExponent(grad, a, b),
});

/** Modulo 2⁶⁴, by squaring; 1 divided by what a negative exponent makes, rounded to 0. */
function integerPower(a: bigint, b: bigint): bigint {
  if (b < 0n) return a === 1n ? 1n : a === -1n ? (b % 2n === 0n ? 1n : -1n) : 0n;
  let product = 1n;
  let square = a;
  for (let e = b; e > 0n; e >>= 1n) {
    if (e & 1n) product = BigInt.asIntN(64, product * square);
    square = BigInt.asIntN(64, square * square);
  }
  return product;
}

/** Of integers: what does not fit wraps around. */
const integerRow = {
  ...power.row,
  js: (a: number, b: number): number => {
    const y = a ** b;
    return Number.isSafeInteger(y) ? y : Number(BigInt.asIntN(32, integerPower(BigInt(a), BigInt(b))));
  },
};

/** a to the power b. @throws ArgumentError for integers to a negative number */
export function pow<T extends Variable>(a: OperandOf<T>, b: OperandOf<T>): T {
  operandGiven(a, 'pow', 'input');
  operandGiven(b, 'pow', 'other');
  if (
    typeof a === 'object' &&
    typeof b === 'number' &&
    b < 0 &&
    Number.isInteger(b) &&
    !isFloating(a.dtype)
  ) {
    throw new ArgumentError(
      `pow: Integers to negative integer powers are not allowed; got exponent ${b} for ${a.dtype}`,
    );
  }
  if (typeof a === 'object' && (b === 0.5 || b === -0.5)) return applyUnary(b > 0 ? root : reciprocalRoot, a);
  return applyBinary<T>(isFloating(pairDType(a, b)) ? power.row : integerRow, a, b);
}

/** As PyTorch takes the power 0.5, given as a number: NaN at −∞ and −0 at −0, where C's power is ∞ and 0. */
const root: UnaryRow = {
  ...sqrt.row,
  node: 'PowBackward0',
  saves: 'input',
  backward: (grad, a) => powGradBase(grad, a, 0.5),
};
/** Likewise −0.5: NaN at −∞ and −∞ at −0, where C's power is 0 and ∞. */
const reciprocalRoot: UnaryRow = {
  ...rsqrt.row,
  node: 'PowBackward0',
  saves: 'input',
  backward: (grad, a) => powGradBase(grad, a, -0.5),
};

/** b·a^(b−1), zero where b is zero. */
function powGradBase<T extends Variable>(grad: T, a: T | number, b: T | number): T {
  if (typeof b === 'number')
    return b === 0 ? mul<T>(grad, 0) : mul<T>(grad, mulValue<T>(b, pow<T>(a, b - 1)));
  const slope = mul<T>(grad, mul<T>(b, pow<T>(a, sub<T>(b, 1))));
  return whereOp<T>(eq<T>(b, 0), 0, slope);
}

/** a^b·log a, zero where both a and b leave it so (0 to a non-negative power). */
function powGradExponent<T extends Variable>(grad: T, a: T | number, b: T | number): T {
  const slope = mul<T>(grad, mul<T>(pow<T>(a, b), typeof a === 'number' ? Math.log(a) : log(a)));
  if (typeof a === 'number' && a !== 0) return slope;
  const still = typeof b === 'number' ? b >= 0 : logicalNot(lt<T>(b, 0));
  return whereOp<T>(typeof a === 'number' ? (still as T) : logicalAnd<T>(eq<T>(a, 0), still), 0, slope);
}

/** a to the power b in float64, whatever their dtypes. */
export function floatPower<T extends Variable>(a: OperandOf<T>, b: OperandOf<T>): T {
  const double = (x: OperandOf<T>) => (isTensor(x) ? cast(x, 'float64') : x);
  operandGiven(a, 'float_power', 'input');
  operandGiven(b, 'float_power', 'exponent');
  return inOp('float_power', () => pow<T>(double(a), double(b)));
}

/** a·2ᵇ, in two steps, so that a power beyond all floats may still lead to one. Integers count as float32. */
export function ldexp<T extends Variable>(a: T, b: T): T {
  tensorGiven(a, 'ldexp');
  tensorGiven(b, 'ldexp', 'other');
  return inOp('ldexp', () => {
    // Beyond all floats in each step; an infinite one less its half would be NaN.
    const exponent = clamp<T>(cast(b, toFloating(pairDType(a, b))), -4096, 4096);
    const half = floor(mul<T>(exponent, 0.5));
    return mul<T>(mul<T>(a, pow<T>(2, half)), pow<T>(2, sub<T>(exponent, half)));
  });
}
