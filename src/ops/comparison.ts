/** Comparisons and logic: bool results, no gradients. */

import type { Variable } from '../autograd/variable.ts';
import { notEqualSpec } from '../backend/specs.ts';
import { type BinaryOp, binaryOp } from './binary.ts';
import { cast, type OperandOf } from './convert.ts';
import { operandGiven } from './given.ts';
import { unaryOp } from './unary.ts';

const compare = (
  name: string,
  js: (a: number, b: number) => boolean,
  big: (a: bigint, b: bigint) => boolean,
  sign: string,
): BinaryOp =>
  binaryOp({
    name,
    js: (a, b) => (js(a, b) ? 1 : 0),
    big: (a, b) => (big(a, b) ? 1n : 0n),
    wgsl: `a ${sign} b`,
    predicate: true,
  });

/** a = b, elementwise with broadcasting; bool. */
export const eq = compare(
  'eq',
  (a, b) => a === b,
  (a, b) => a === b,
  '==',
);
/** a ≠ b; bool. NaN differs from everything. */
export const ne = binaryOp(notEqualSpec);
/** a < b; bool. */
export const lt = compare(
  'lt',
  (a, b) => a < b,
  (a, b) => a < b,
  '<',
);
/** a ≤ b; bool. */
export const le = compare(
  'le',
  (a, b) => a <= b,
  (a, b) => a <= b,
  '<=',
);
/** a > b; bool. */
export const gt = compare(
  'gt',
  (a, b) => a > b,
  (a, b) => a > b,
  '>',
);
/** a ≥ b; bool. */
export const ge = compare(
  'ge',
  (a, b) => a >= b,
  (a, b) => a >= b,
  '>=',
);

const logic = (name: string, js: (a: boolean, b: boolean) => boolean, wgsl: string) => {
  const op = binaryOp({ name, js: (a, b) => (js(a !== 0, b !== 0) ? 1 : 0), wgsl, predicate: true });
  const truth = <T extends Variable>(x: OperandOf<T>): OperandOf<T> =>
    typeof x === 'object' ? cast(x, 'bool') : Boolean(x);
  return <T extends Variable>(a: OperandOf<T>, b: OperandOf<T>): T => {
    operandGiven(a, name, 'input');
    operandGiven(b, name, 'other');
    return op<T>(truth(a), truth(b));
  };
};

/** True where both are not zero. */
export const logicalAnd = logic('logical_and', (a, b) => a && b, 'a && b');
/** True where one is not zero. */
export const logicalOr = logic('logical_or', (a, b) => a || b, 'a || b');
/** True where exactly one is not zero. */
export const logicalXor = logic('logical_xor', (a, b) => a !== b, 'a != b');

/** True where x is zero. */
export const logicalNot = unaryOp({
  name: 'logical_not',
  js: (x) => (x === 0 ? 1 : 0),
  wgsl: 'x == 0',
  integers: 'same',
  predicate: true,
});

/** True where x is not a number. */
export const isnan = unaryOp({
  name: 'isnan',
  js: (x) => (Number.isNaN(x) ? 1 : 0),
  wgsl: 'isNan(x)',
  integers: 'same',
  predicate: true,
});
/** True where x is plus or minus infinity. */
export const isinf = unaryOp({
  name: 'isinf',
  js: (x) => (Math.abs(x) === Infinity ? 1 : 0),
  wgsl: 'isInf(x)',
  integers: 'same',
  predicate: true,
});
/** True where x is neither infinite nor NaN. */
export const isfinite = unaryOp({
  name: 'isfinite',
  js: (x) => (Number.isFinite(x) ? 1 : 0),
  wgsl: 'isFinite(x)',
  integers: 'same',
  predicate: true,
});
