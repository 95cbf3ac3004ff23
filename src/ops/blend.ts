/** Ops of three operands: interpolation, and products or quotients added to a tensor. */
import type { Variable } from '../autograd/variable.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { lt } from './comparison.ts';
import { named } from './composite.ts';
import { abs } from './elementwise.ts';
import { whereOp } from './where.ts';

export interface ValueOptions {
  /** Factor of the product or quotient; default 1. */
  value?: number;
}

/** x + value · a · b; all broadcast. */
export function addcmul<T extends Variable>(x: T, a: T, b: T, { value = 1 }: ValueOptions = {}): T {
  return named('AddcmulBackward0', add<T>(x, mul<T>(mul<T>(a, b), value)));
}

/** x + value · a / b; all broadcast. */
export function addcdiv<T extends Variable>(x: T, a: T, b: T, { value = 1 }: ValueOptions = {}): T {
  return named('AddcdivBackward0', add<T>(x, mul<T>(div<T>(a, b), value)));
}

/** start + weight · (end − start), computed from the nearer end so that a weight of 1 gives `end` exactly. */
export function lerp<T extends Variable>(start: T, end: T, weight: T | number | { weight: T | number }): T {
  const w = typeof weight === 'object' && 'weight' in weight ? weight.weight : weight;
  const gap = sub<T>(end, start);
  if (typeof w === 'number') {
    const out = Math.abs(w) < 0.5 ? add<T>(start, mul<T>(gap, w)) : sub<T>(end, mul<T>(gap, 1 - w));
    return named('LerpBackward0', out);
  }
  const near = add<T>(start, mul<T>(w, gap));
  const far = sub<T>(end, mul<T>(gap, sub<T>(1, w)));
  return named('LerpBackward1', whereOp<T>(lt<T>(abs(w), 0.5), near, far));
}
