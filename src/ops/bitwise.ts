/** Operations on the bits of integers; on bools they are logic. */

import type { Variable } from '../autograd/variable.ts';
import { isFloating, torchTypeName } from '../core/dtype.ts';
import { DTypeError } from '../core/errors.ts';
import { type BinaryOp, binaryOp } from './binary.ts';
import { logicalNot } from './comparison.ts';
import { type OperandOf, valueDType } from './convert.ts';
import { operandGiven, tensorGiven } from './given.ts';
import { unaryOp } from './unary.ts';

function checkIntegers(op: string, operands: readonly OperandOf<Variable>[]): void {
  for (const x of operands) {
    const dtype = typeof x === 'object' ? x.dtype : valueDType(x);
    if (isFloating(dtype))
      throw new DTypeError(`${op}: "${op}_cpu" not implemented for '${torchTypeName(dtype)}'`);
  }
}

function bitwise(
  name: string,
  js: (a: number, b: number) => number,
  big: (a: bigint, b: bigint) => bigint,
  wgsl: string,
  bools?: 'one',
): BinaryOp {
  const op = binaryOp({ name, js, big, wgsl, bools });
  const checked = <T extends Variable>(a: OperandOf<T>, b: OperandOf<T>): T => {
    operandGiven(a, name, 'input');
    operandGiven(b, name, 'other');
    checkIntegers(name, [a, b]);
    return op<T>(a, b);
  };
  return Object.assign(checked, { row: op.row });
}

/** Bits that are set in both. @throws DTypeError for floating point */
export const bitwiseAnd = bitwise(
  'bitwise_and',
  (a, b) => a & b,
  (a, b) => a & b,
  'a & b',
);
/** Bits that are set in one or both. @throws DTypeError for floating point */
export const bitwiseOr = bitwise(
  'bitwise_or',
  (a, b) => a | b,
  (a, b) => a | b,
  'a | b',
);
/** Bits that are set in exactly one. @throws DTypeError for floating point */
export const bitwiseXor = bitwise(
  'bitwise_xor',
  (a, b) => a ^ b,
  (a, b) => a ^ b,
  'a ^ b',
);
const outside = (count: number, bits: number): boolean => count < 0 || count >= bits;

/** a · 2^b without the bits that fall out: all of them where b is negative. @throws DTypeError for floating point */
export const bitwiseLeftShift = bitwise(
  'bitwise_left_shift',
  (a, b) => (outside(b, 32) ? 0 : a << b),
  (a, b) => (outside(Number(b), 64) ? 0n : a << b),
  'a << b',
  'one',
);
/** a / 2^b rounded down: no bit but the sign's is left where b is negative. @throws DTypeError for floating point */
export const bitwiseRightShift = bitwise(
  'bitwise_right_shift',
  (a, b) => a >> (outside(b, 32) ? 31 : b),
  (a, b) => a >> (outside(Number(b), 64) ? 63n : b),
  'a >> b',
  'one',
);

const invert = unaryOp({ name: 'bitwise_not', js: (x) => ~x, big: (x) => ~x, wgsl: '~x', integers: 'same' });

/** All bits turned over; for bools `logicalNot`. @throws DTypeError for floating point */
export function bitwiseNot<T extends Variable>(x: T): T {
  checkIntegers('bitwise_not', [tensorGiven(x, 'bitwise_not')]);
  return x.dtype === 'bool' ? logicalNot(x) : invert(x);
}

/** The greatest common divisor. @throws DTypeError for floating point */
export const gcd = bitwise('gcd', euclid, (a, b) => euclidBig(a, b), 'gcd(a, b)', 'one');
/** The least common multiple. @throws DTypeError for floating point */
export const lcm = bitwise(
  'lcm',
  (a, b) => (a === 0 || b === 0 ? 0 : Math.abs(Math.imul(a / euclid(a, b), b))),
  (a, b) => (a === 0n || b === 0n ? 0n : magnitude(BigInt.asIntN(64, (a / euclidBig(a, b)) * b))),
  'lcm(a, b)',
  'one',
);

const magnitude = (x: bigint): bigint => (x < 0n ? -x : x);

function euclid(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}

function euclidBig(a: bigint, b: bigint): bigint {
  let [x, y] = [magnitude(a), magnitude(b)];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}
