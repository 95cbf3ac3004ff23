/** Matrices made of the elements of others. */
import type { Variable } from '../autograd/variable.ts';
import { isFloating } from '../core/dtype.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { zerosOf } from './along.ts';
import { add } from './arithmetic.ts';
import { cast } from './convert.ts';
import { cumprod } from './cumulative.ts';
import { tensorGiven } from './given.ts';
import { cat } from './join.ts';
import { type ByName, type Flexible, inOrder, option } from './options.ts';
import { flipDim } from './rearrange.ts';
import { diagEmbed } from './triangles.ts';
import { expand, reshape, unsqueeze } from './views.ts';

export interface VanderOptions {
  /** How many powers; default as many as x has elements. */
  N?: number;
  /** Powers grow from the left; default false. */
  increasing?: boolean;
}

/** The powers of the elements of a vector, a row for each: int64 for integers. @throws ShapeError, ArgumentError */
export function vander<T extends Variable>(
  x: T,
  ...args: Flexible<[N: number | undefined, increasing: boolean], VanderOptions>
): T {
  tensorGiven(x, 'vander');
  return inOp('vander', () => {
    const [count, increasing = false] = inOrder<[number, boolean]>('vander', 'N increasing', args);
    if (x.ndim !== 1) throw new ShapeError(`vander: x must be a one-dimensional tensor, but got ${x.ndim}-d`);
    const n = count ?? x.shape[0];
    if (!Number.isInteger(n) || n < 0)
      throw new ArgumentError(`vander: N must be a non-negative integer, but got ${String(n)}`);
    const powers = powersOf(x, n);
    return increasing ? powers : flipDim(powers, 1);
  });
}

/** 1, x, x², … with the n powers along a new last dimension. */
export function powersOf<T extends Variable>(x: T, n: number): T {
  const base = isFloating(x.dtype) ? x : cast(x, 'int64');
  const one = add<T>(zerosOf(base, [...x.shape, Math.min(n, 1)]), 1);
  if (n < 2) return one;
  return cat([one, cumprod(expand(unsqueeze(base, -1), [...x.shape, n - 1]), -1)], -1);
}

/** The matrix with all of x's elements on a diagonal. */
export const diagflat = <T extends Variable>(x: T, offset?: ByName<'offset', number>): T =>
  inOp('diagflat', () =>
    diagEmbed(reshape(tensorGiven(x, 'diagflat'), [-1]), option(offset, 'diagflat', 'offset', 0)),
  );
