/** Powers with either side a tensor. */
import type { Variable } from '../autograd/variable.ts';
import { isFloating } from '../core/dtype.ts';
import { ArgumentError } from '../core/errors.ts';
import { mul, mulValue, sub } from './arithmetic.ts';
import { applyBinary, binaryOp } from './binary.ts';
import { eq, logicalAnd, logicalNot, lt } from './comparison.ts';
import type { OperandOf } from './convert.ts';
import { log, rsqrt } from './elementwise.ts';
import { applyUnary, type UnaryRow } from './unary.ts';
import { whereOp } from './where.ts';

const power = binaryOp({
  name: 'pow',
  js: (a, b) => (a === 1 || (a === -1 && !Number.isFinite(b) && !Number.isNaN(b)) ? 1 : a ** b),
  big: (a, b) =>
    b < 0n ? (a === 1n ? 1n : a === -1n ? (b % 2n === 0n ? 1n : -1n) : 0n) : BigInt.asIntN(64, a ** b),
  wgsl: 'pow(a, b)',
  gradA: (grad, a, b) => powGradBase(grad, a, b),
  gradB: (grad, a, b) => powGradExponent(grad, a, b),
});

/** a to the power b. @throws ArgumentError for integers to a negative number */
export function pow<T extends Variable>(a: OperandOf<T>, b: OperandOf<T>): T {
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
  if (b === -0.5 && typeof a === 'object') return applyUnary(reciprocalRoot, a);
  const node = typeof b !== 'object' ? 'PowBackward0' : 'PowBackward1';
  // PyTorch takes the root for this exponent, which is NaN at −∞ where the power is ∞.
  const root = b === 0.5 ? { js: Math.sqrt, wgsl: 'sqrt(a)' } : {};
  return applyBinary<T>({ ...power.row, node, ...root }, a, b);
}

/** As PyTorch takes the power −0.5: NaN at −∞ and −∞ at −0, where C's power is 0 and ∞. */
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
  if (typeof a === 'number') {
    if (a === 0) return whereOp<T>(lt<T>(b, 0), mul<T>(grad, pow<T>(a, b)), 0);
    return mul<T>(grad, mul<T>(pow<T>(a, b), Math.log(a)));
  }
  const slope = mul<T>(grad, mul<T>(pow<T>(a, b), log(a)));
  const still = zeroToNonNegative<T>(a, b);
  return whereOp<T>(still, 0, slope);
}

/** True where a is 0 and b ≥ 0. */
function zeroToNonNegative<T extends Variable>(a: T, b: T | number): T {
  return logicalAnd<T>(eq<T>(a, 0), typeof b === 'number' ? b >= 0 : logicalNot(lt<T>(b, 0)));
}
