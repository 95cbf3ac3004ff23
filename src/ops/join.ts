/** Tensors put together: along a dimension that exists, or along a new one. */

import type { OpNode } from '../autograd/node.ts';
import { type Rule, record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape, normalizeDim, sameShape } from '../core/shape.ts';
import { named } from './composite.ts';
import { cast, checkDevices, commonDType } from './convert.ts';
import { tensorsGiven } from './given.ts';
import { type ByName, option } from './options.ts';
import { narrow, unsqueeze } from './views.ts';

/**
 * The tensors one after the other along dim. Sizes of the other dimensions must agree; empty 1-d tensors are skipped,
 * dtypes are promoted. @throws ArgumentError for an empty list, ShapeError
 */
export function cat<T extends Variable>(tensors: readonly T[], along?: ByName<'dim', number>): T {
  const dim = option(along, 'cat', 'dim', 0);
  tensorsGiven(tensors, 'cat');
  if (tensors.length === 0) throw new ArgumentError('cat: expected a non-empty list of Tensors');
  checkDevices(tensors, 'cat', '');
  const dtype = commonDType(tensors);
  const filled = tensors.filter((x) => !(x.ndim === 1 && x.shape[0] === 0));
  const parts = (filled.length > 0 ? filled : tensors).map((x) => cast(x, dtype));
  const [first] = parts;
  if (first.ndim === 0)
    throw new ShapeError('cat: zero-dimensional tensor (at position 0) cannot be concatenated');
  const d = normalizeDim(dim, first.ndim, 'cat');
  let total = 0;
  parts.forEach((x, i) => {
    if (x.ndim !== first.ndim) {
      throw new ShapeError(
        `cat: Tensors must have same number of dimensions: got ${first.ndim} and ${x.ndim} for argument 'tensors[${i}]'`,
      );
    }
    x.shape.forEach((size, at) => {
      if (at !== d && size !== first.shape[at]) {
        throw new ShapeError(
          `cat: Sizes of tensors must match except in dimension ${d}. Expected size ${first.shape[at]} but got size ${size} ` +
            `for tensor number ${i} in the list.`,
        );
      }
    });
    total += x.shape[d];
  });
  const { backend } = first.array;
  const out = backend.empty(first.shape.with(d, total), dtype);
  const starts: number[] = [];
  let start = 0;
  for (const x of parts) {
    starts.push(start);
    out.assignPart(x.array, out.strides, start * out.strides[d]);
    start += x.shape[d];
  }
  const sizes = parts.map((x) => x.shape[d]);
  const skipped = filled.length > 0 ? tensors.filter((x) => x.requiresGrad && !filled.includes(x)) : [];
  return record('CatBackward0', out, [...parts, ...skipped], catRule<T>(d, starts, sizes));
}

const catRule =
  <T extends Variable>(d: number, starts: readonly number[], sizes: readonly number[]) =>
  ({ needs }: OpNode): Rule<T> =>
  (grad) =>
    needs.map((needed, i) => {
      if (i >= sizes.length) return grad.derive(grad.array.backend.empty([0], grad.dtype));
      return needed && narrow(grad, d, starts[i], sizes[i]);
    });

/** Tensors of equal shape along a new dimension. @throws ArgumentError for an empty list, ShapeError */
export function stack<T extends Variable>(tensors: readonly T[], along?: ByName<'dim', number>): T {
  return inOp('stack', () => {
    const dim = option(along, 'stack', 'dim', 0);
    tensorsGiven(tensors, 'stack');
    if (tensors.length === 0) throw new ArgumentError('stack: expected a non-empty list of Tensors');
    const [first] = tensors;
    tensors.forEach((x, i) => {
      if (!sameShape(x.shape, first.shape)) {
        throw new ShapeError(
          `stack expects each tensor to be equal size, but got ${formatShape(first.shape)} at entry 0 and ${formatShape(x.shape)} at entry ${i}`,
        );
      }
    });
    const d = normalizeDim(dim, first.ndim + 1, 'stack');
    const joined = cat(
      tensors.map((x) => unsqueeze(x, d)),
      d,
    );
    return named('StackBackward0', joined);
  });
}
