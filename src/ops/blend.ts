/** Ops of three operands: interpolation, and products or quotients added to a tensor. */

import type { OpNode } from '../autograd/node.ts';
import type { Rule } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { isFloating } from '../core/dtype.ts';
import { DTypeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { add, div, mul, neg, rsub, sub } from './arithmetic.ts';
import { lt } from './comparison.ts';
import { cast, checkDevices, commonDType, scalarValue } from './convert.ts';
import { abs } from './elementwise.ts';
import { fused } from './fused.ts';
import { checkFloating, tensorGiven } from './given.ts';
import { taking } from './taking.ts';
import { whereOp } from './where.ts';

export interface ValueOptions {
  /** Factor of the product or quotient; default 1. */
  value?: number;
}

// Out of the ops themselves, whose operands the rules would hold.
const addcmulRule =
  <T extends Variable>(value: number) =>
  (node: OpNode, _: T, [, p, q]: readonly T[]): Rule<T> => {
    const factors = [node.needs[2] ? node.save(p) : null, node.needs[1] ? node.save(q) : null];
    return (grad) => {
      const [forQ, forP] = factors.map((y) => y && mul<T>(mul<T>(grad, value), y.get(grad)));
      return [grad, forP, forQ];
    };
  };
const addcdivRule =
  <T extends Variable>(value: number) =>
  (node: OpNode, _: T, [, p, q]: readonly T[]): Rule<T> => {
    const above = node.needs[2] ? node.save(p) : null;
    const below = node.needs[1] || node.needs[2] ? node.save(q) : null;
    return (grad) => {
      if (!below) return [grad, null, null];
      const share = div<T>(mul<T>(grad, value), below.get(grad));
      return [grad, share, above && neg(mul<T>(share, div<T>(above.get(grad), below.get(grad))))];
    };
  };

/** x + value · a · b; all broadcast. */
export const addcmul = /* @__PURE__ */ taking('addcmul', 'tensor1 tensor2 * value', function addcmul<
  T extends Variable,
>(x: T, a: T, b: T, { value = 1 }: ValueOptions = {}): T {
  return inOp('addcmul', () => {
    const dtype = commonDType([
      tensorGiven(x, 'addcmul'),
      tensorGiven(a, 'addcmul', 'tensor1'),
      tensorGiven(b, 'addcmul', 'tensor2'),
    ]);
    // Integers stay what they are: their factor loses its fraction, as in PyTorch.
    if (!isFloating(dtype)) {
      const product = mul<T>(cast(a, dtype), cast(b, dtype));
      return add<T>(x, value === 1 ? product : mul<T>(product, scalarValue(value, dtype)));
    }
    const inputs = [x, a, b].map((y) => cast(y, dtype));
    const [to, p, q] = inputs;
    const compute = (): T => add<T>(to, mul<T>(p, q), { alpha: value });
    return fused('AddcmulBackward0', inputs, compute, addcmulRule<T>(value));
  });
});

/** x + value · a / b; all broadcast. */
export const addcdiv = /* @__PURE__ */ taking('addcdiv', 'tensor1 tensor2 * value', function addcdiv<
  T extends Variable,
>(x: T, a: T, b: T, { value = 1 }: ValueOptions = {}): T {
  tensorGiven(x, 'addcdiv');
  tensorGiven(a, 'addcdiv', 'a');
  tensorGiven(b, 'addcdiv', 'other');
  return inOp('addcdiv', () => {
    if (![x, a, b].some((y) => isFloating(y.dtype))) {
      throw new DTypeError(
        'addcdiv: Integer division with addcdiv is no longer supported: expected floating point tensors, but got dtypes ' +
          `${x.dtype}, ${a.dtype} and ${b.dtype}`,
      );
    }
    const dtype = commonDType([x, a, b]);
    const inputs = [x, a, b].map((y) => cast(y, dtype));
    const [to, p, q] = inputs;
    const compute = (): T => add<T>(to, div<T>(p, q), { alpha: value });
    return fused('AddcdivBackward0', inputs, compute, addcdivRule<T>(value));
  });
});

const lerpRule =
  <T extends Variable>(weight: number) =>
  (): Rule<T> =>
  (grad) => [mul<T>(grad, 1 - weight), mul<T>(grad, weight)];

/**
 * start + weight · (end − start), computed from the nearer end so that a weight of 1 gives `end` exactly.
 * @throws DTypeError for integers, or tensors of several dtypes
 */
export const lerp = /* @__PURE__ */ taking('lerp', 'end weight', function lerp<
  T extends Variable,
>(start: T, end: T, weight: T | number | { weight: T | number }): T {
  tensorGiven(start, 'lerp', 'start');
  tensorGiven(end, 'lerp', 'end');
  return inOp('lerp', () => {
    const w = typeof weight === 'object' && 'weight' in weight ? weight.weight : weight;
    if (typeof w !== 'number') tensorGiven(w, 'lerp', 'weight');
    checkFloating(start, 'lerp');
    const others = typeof w === 'number' ? { end } : { end, weight: w };
    for (const [name, x] of Object.entries(others)) {
      if (x.dtype !== start.dtype)
        throw new DTypeError(`lerp: expected dtype ${start.dtype} for \`${name}\` but got dtype ${x.dtype}`);
    }
    checkDevices([start, end, w], 'lerp', 'input end weight');
    if (typeof w === 'number') {
      const compute = (): T => {
        const gap = sub<T>(end, start);
        return Math.abs(w) < 0.5 ? add<T>(start, gap, { alpha: w }) : sub<T>(end, gap, { alpha: 1 - w });
      };
      return fused('LerpBackward0', [start, end], compute, lerpRule<T>(w));
    }
    const compute = (): T => {
      const gap = sub<T>(end, start);
      const near = add<T>(start, mul<T>(w, gap));
      const far = sub<T>(end, mul<T>(gap, sub<T>(1, w)));
      return whereOp<T>(lt<T>(abs(w), 0.5), near, far);
    };
    return fused('LerpBackward1', [start, end, w], compute, (node) => {
      const savedW = node.needs[0] || node.needs[1] ? node.save(w) : null;
      const ends = node.needs[2] ? [node.save(start), node.save(end)] : null;
      return (grad) => [
        savedW && node.needs[0] && mul<T>(grad, rsub<T>(savedW.get(grad), 1)),
        savedW && node.needs[1] && mul<T>(grad, savedW.get(grad)),
        ends && mul<T>(grad, sub<T>(ends[1].get(grad), ends[0].get(grad))),
      ];
    });
  });
});
