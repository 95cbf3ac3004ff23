/** Formulas of ops over the lanes: a row's own WGSL is over float32; integers need their own where WGSL's differ. */

import type { DType } from '../../core/dtype.ts';
import { DTypeError } from '../../core/errors.ts';
import { type Lane, laneOf } from './elementTypes.ts';
import { overFloats } from './library.ts';

type Forms = { readonly [name: string]: readonly [i32: string, i64: string] };

const unaryForms: Forms = {
  abs: ['abs(x)', 'i64_abs(x)'],
  neg: ['-x', 'i64_neg(x)'],
  sign: ['sign(x)', 'i64_sign(x)'],
  square: ['x * x', 'i64_mul(x, x)'],
  floor: ['x', 'x'],
  ceil: ['x', 'x'],
  round: ['x', 'x'],
  trunc: ['x', 'x'],
  relu: ['max(x, 0)', 'i64_max(x, vec2<u32>())'],
  bitwise_not: ['~x', '~x'],
  logical_not: ['x == 0', 'i64_is_zero(x)'],
  isnan: ['false', 'false'],
  isinf: ['false', 'false'],
  isfinite: ['true', 'true'],
  isposinf: ['false', 'false'],
  isneginf: ['false', 'false'],
  signbit: ['x < 0', 'i64_negative(x)'],
  clamp: ['min(max(x, p), q)', 'i64_min(i64_max(x, p), q)'],
  threshold: ['select(x, q, x <= p)', 'select(q, x, i64_lt(p, x))'],
};

const binaryForms: Forms = {
  add: ['a + b', 'i64_add(a, b)'],
  sub: ['a - b', 'i64_sub(a, b)'],
  mul: ['a * b', 'i64_mul(a, b)'],
  div: ['i32_div(a, b)', 'i64_div(a, b)'],
  floor_divide: ['i32_floor_div(a, b)', 'i64_floor_div(a, b)'],
  trunc_divide: ['i32_div(a, b)', 'i64_div(a, b)'],
  remainder: ['i32_mod(a, b)', 'i64_mod(a, b)'],
  fmod: ['i32_rem(a, b)', 'i64_rem(a, b)'],
  pow: ['i32_pow(a, b)', 'i64_pow(a, b)'],
  maximum: ['max(a, b)', 'i64_max(a, b)'],
  minimum: ['min(a, b)', 'i64_min(a, b)'],
  fmax: ['max(a, b)', 'i64_max(a, b)'],
  fmin: ['min(a, b)', 'i64_min(a, b)'],
  eq: ['a == b', 'i64_eq(a, b)'],
  ne: ['a != b', '!i64_eq(a, b)'],
  lt: ['a < b', 'i64_lt(a, b)'],
  le: ['a <= b', '!i64_lt(b, a)'],
  gt: ['a > b', 'i64_lt(b, a)'],
  ge: ['a >= b', '!i64_lt(a, b)'],
  logical_and: ['a != 0 && b != 0', '!i64_is_zero(a) && !i64_is_zero(b)'],
  logical_or: ['a != 0 || b != 0', '!i64_is_zero(a) || !i64_is_zero(b)'],
  logical_xor: ['(a != 0) != (b != 0)', 'i64_is_zero(a) != i64_is_zero(b)'],
  bitwise_and: ['a & b', 'a & b'],
  bitwise_or: ['a | b', 'a | b'],
  bitwise_xor: ['a ^ b', 'a ^ b'],
  bitwise_left_shift: ['i32_shl(a, b)', 'i64_shl(a, b)'],
  bitwise_right_shift: ['i32_shr(a, b)', 'i64_shr(a, b)'],
  gcd: ['i32_gcd(a, b)', 'i64_gcd(a, b)'],
  lcm: ['i32_lcm(a, b)', 'i64_lcm(a, b)'],
  relu_grad: ['select(select(0, a, b > 0), a, isNan(b))', 'select(vec2<u32>(), a, i64_lt(vec2<u32>(), b))'],
  heaviside: [
    'select(select(1, 0, a < 0), b, a == 0)',
    'select(select(vec2<u32>(1u, 0u), vec2<u32>(), i64_negative(a)), b, i64_is_zero(a))',
  ],
};

const foldForms: Forms = {
  sum: ['acc + x', 'i64_add(acc, x)'],
  prod: ['acc * x', 'i64_mul(acc, x)'],
  max: ['max(acc, x)', 'i64_max(acc, x)'],
  min: ['min(acc, x)', 'i64_min(acc, x)'],
  any: ['select(0, 1, acc != 0 || x != 0)', 'select(acc, x, i64_is_zero(acc))'],
  all: ['select(0, 1, acc != 0 && x != 0)', 'select(x, acc, i64_is_zero(acc))'],
  abs_sum: ['acc + abs(x)', 'i64_add(acc, i64_abs(x))'],
};

function formula(forms: Forms, name: string, wgsl: string, dtype: DType): string {
  const lane = laneOf(dtype, name);
  if (lane === 'f32') return overFloats(wgsl);
  const found = forms[name];
  if (found === undefined)
    throw new DTypeError(`${name}: has no kernel for ${dtype} on webgpu; convert to float32 first`);
  return found[lane === 'i32' ? 0 : 1];
}

interface Row {
  readonly name: string;
  readonly wgsl: string;
}

/** Over `x`, `p`, `q`. @throws DTypeError */
export const unaryFormula = (row: Row, dtype: DType): string =>
  formula(unaryForms, row.name, row.wgsl, dtype);
/** Over `a`, `b`. @throws DTypeError */
export const binaryFormula = (row: Row, dtype: DType): string =>
  formula(binaryForms, row.name, row.wgsl, dtype);

/** How a fold takes in an element, and how it joins two parts, both over `acc` and `x`. */
export function foldFormulas(row: Row, dtype: DType): { readonly step: string; readonly join: string } {
  const step = formula(foldForms, row.name, row.wgsl, dtype);
  const join = row.name.endsWith('sum') ? formula(foldForms, 'sum', 'acc + x', dtype) : step;
  return { step, join };
}

/** WGSL for a < b of a lane's values; NaN counts as the largest. */
export function lessText(lane: Lane, a: string, b: string): string {
  if (lane === 'i64') return `i64_lt(${a}, ${b})`;
  if (lane === 'i32') return `(${a} < ${b})`;
  return `(${a} < ${b} || (isNan(${b}) && !isNan(${a})))`;
}

export function equalText(lane: Lane, a: string, b: string): string {
  if (lane === 'i64') return `i64_eq(${a}, ${b})`;
  return lane === 'i32' ? `(${a} == ${b})` : `(${a} == ${b} || (isNan(${a}) && isNan(${b})))`;
}
