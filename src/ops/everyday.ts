/** Small things that users reach for: differences, covariance, the commonest element, block matrices. */

import type { Variable } from '../autograd/variable.ts';
import { toFloating } from '../core/dtype.ts';
import { ArgumentError, DTypeError, IndexError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape, normalizeDim } from '../core/shape.ts';
import { gatherAlong, zerosOf } from './along.ts';
import { div, sub } from './arithmetic.ts';
import { clamp } from './clamp.ts';
import { ne } from './comparison.ts';
import { detached, named } from './composite.ts';
import { cast, clone, contiguous } from './convert.ts';
import { sqrt } from './elementwise.ts';
import { optionsGiven, tensorGiven, tensorsGiven } from './given.ts';
import { integerVector, selectAlong } from './indexing.ts';
import { cat } from './join.ts';
import { matmul } from './matmul.ts';
import { namedResult, type ValuesAndIndices } from './namedResult.ts';
import { type Flexible, inOrder } from './options.ts';
import type { AlongArguments } from './order.ts';
import { mean } from './reduce.ts';
import { diagonal } from './triangles.ts';
import { modeUnread } from './unread.ts';
import { narrow, reshape, squeeze, t, transpose, unsqueeze } from './views.ts';

export interface DiffOptions<T> {
  /** How often differences are taken; default 1. */
  n?: number;
  dim?: number;
  /** Put in front before taking differences. */
  prepend?: T | null;
  /** Put behind before taking differences. */
  append?: T | null;
}

/** `(n, dim, prepend, append)`, any tail of them by name. */
export type DiffArguments<T> = Flexible<
  [n: number, dim: number, prepend: T | null, append: T | null],
  DiffOptions<T>
>;

/** The differences of neighbours along dim (default the last), n times over. @throws ShapeError for a 0-d tensor */
export function diff<T extends Variable>(x: T, ...args: DiffArguments<T>): T {
  tensorGiven(x, 'diff');
  return inOp('diff', () => {
    type Values = [number, number, T | null, T | null];
    const [times = 1, dim = -1, prepend, append] = inOrder<Values>('diff', 'n dim prepend append', args);
    if (x.ndim === 0)
      throw new ShapeError('diff expects input to be at least one-dimensional, but got shape []');
    const d = normalizeDim(dim, x.ndim, 'diff');
    if (!Number.isInteger(times) || times < 0)
      throw new ArgumentError(`diff: order must be non-negative but got ${times}`);
    const parts = [prepend, x, append].filter((part): part is T => part !== null && part !== undefined);
    let y = parts.length > 1 && times > 0 ? cat(parts, d) : x;
    for (let i = 0; i < times; i++) {
      const size = Math.max(0, y.shape[d] - 1);
      y = (y.dtype === 'bool' ? ne<T> : sub<T>)(narrow(y, d, y.shape[d] - size, size), narrow(y, d, 0, size));
    }
    return y === x ? clone(x) : y;
  });
}

/** The covariance matrix of variables (rows) observed together (columns); of one variable a number. @throws ShapeError */
export function cov<T extends Variable>(x: T, options?: { correction?: number }): T {
  const { correction = 1 } = optionsGiven(options, 'cov', 'correction');
  tensorGiven(x, 'cov');
  return inOp('cov', () => {
    if (x.ndim > 2) {
      throw new ShapeError(
        `cov(): expected input to have two or fewer dimensions but got an input with ${x.ndim} dimensions`,
      );
    }
    if (x.dtype === 'bool') throw new DTypeError('cov(): bool dtype is not supported for input');
    const whole = cast(x, toFloating(x.dtype));
    const rows = x.ndim === 2 ? whole : reshape(whole, [1, x.array.size]);
    const centred = sub<T>(rows, mean(rows, 1, true));
    const out = div<T>(matmul(centred, t(centred)), Math.max(0, rows.shape[1] - correction));
    return squeeze(out);
  });
}

/** Pearson's correlation coefficients of variables (rows) observed together (columns). @throws ShapeError */
export function corrcoef<T extends Variable>(x: T): T {
  tensorGiven(x, 'corrcoef');
  return inOp('corrcoef', () => {
    const c = cov(x);
    if (c.ndim === 0) return div<T>(c, c);
    const deviation = sqrt(diagonal(c));
    return clamp<T>(div<T>(div<T>(c, unsqueeze(deviation, 1)), unsqueeze(deviation, 0)), -1, 1);
  });
}

/** The commonest element along dim (the smallest of several) and the last position where it stands. */
export function mode<T extends Variable>(x: T, ...args: AlongArguments): ValuesAndIndices<T> {
  tensorGiven(x, 'mode');
  const [dim = -1, keepdim = false] = inOrder<[number, boolean]>('mode', 'dim keepdim', args);
  const d = normalizeDim(dim, x.ndim, 'mode');
  if (x.ndim === 0) return namedResult('mode', clone(x), reshape(integerVector(x, [0]), []));
  const n = x.shape[d];
  if (n === 0)
    throw new IndexError(
      `mode(): Expected reduction dim ${d} to have non-zero size; got shape ${formatShape(x.shape)}.`,
    );
  if (!x.array.backend.synchronous) return modeUnread(x, d, keepdim);
  const { values, indices } = x.array.backend.sort(x.array, d, false);
  const rows = (array: typeof values): number[] => {
    const last = contiguous(transpose(detached(x).derive(array), d, -1));
    return Array.from(last.array.backend.read(last.array), Number);
  };
  const [sorted, positions] = [rows(values), rows(indices)];
  const best: number[] = [];
  for (let row = 0; row < sorted.length; row += n) {
    let [at, length, run] = [row, 1, 1];
    for (let i = row + 1; i < row + n; i++) {
      run = sorted[i] === sorted[i - 1] ? run + 1 : 1;
      if (run > length) [at, length] = [i, run];
    }
    best.push(positions[at]);
  }
  const shape = x.shape.map((size, axis) => (axis === d ? x.shape[x.ndim - 1] : size)).with(x.ndim - 1, 1);
  const picks = contiguous(transpose(reshape(integerVector(x, best), shape), d, -1));
  const shaped = (y: T): T => (keepdim ? y : squeeze(y, d));
  return namedResult('mode', named('ModeBackward0', shaped(gatherAlong(x, d, picks))), shaped(picks));
}

/** Matrices (vectors are rows, numbers 1 × 1) along the diagonal of one matrix. @throws ShapeError */
export function blockDiag<T extends Variable>(...matrices: readonly T[]): T {
  return inOp('block_diag', () => {
    const blocks = tensorsGiven(matrices, 'block_diag').map((x) => {
      if (x.ndim > 2)
        throw new ShapeError(
          `block_diag: Input tensors must have 2 or fewer dimensions. Got ${formatShape(x.shape)}`,
        );
      return x.ndim === 2 ? x : reshape(x, [1, -1]);
    });
    const columns = blocks.reduce((n, x) => n + x.shape[1], 0);
    let before = 0;
    const rows = blocks.map((x) => {
      const behind = columns - before - x.shape[1];
      const row = cat([zerosOf(x, [x.shape[0], before]), x, zerosOf(x, [x.shape[0], behind])], 1);
      before += x.shape[1];
      return row;
    });
    return cat(rows, 0);
  });
}

/** All choices of r elements of a vector, one a row, in order. @throws ShapeError, ArgumentError */
export function combinations<T extends Variable>(
  x: T,
  ...args: Flexible<[r: number, withReplacement: boolean], { r?: number; withReplacement?: boolean }>
): T {
  tensorGiven(x, 'combinations');
  const [r = 2, again = false] = inOrder<[number, boolean]>('combinations', 'r withReplacement', args);
  if (x.ndim !== 1)
    throw new ShapeError(`combinations: Expect a 1D vector, but got shape ${formatShape(x.shape)}`);
  if (!Number.isInteger(r) || r < 0)
    throw new ArgumentError(`combinations: Expect a non-negative number, but got ${r}`);
  const chosen: number[][] = [];
  const extend = (list: readonly number[], from: number): void => {
    if (list.length === r) chosen.push([...list]);
    else for (let i = from; i < x.shape[0]; i++) extend([...list, i], again ? i : i + 1);
  };
  // PyTorch has a vector here, not one empty row.
  if (r === 0) return zerosOf(x, [0]);
  extend([], 0);
  return reshape(selectAlong(x, 0, chosen.flat()), [chosen.length, r]);
}
