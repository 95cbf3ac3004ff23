/** The positions of the elements in a triangle of a matrix. */
import type { DTypeLike } from './core/dtype.ts';
import { ArgumentError } from './core/errors.ts';
import { ones } from './creation.ts';
import { type ByName, named } from './tensor/namedArguments.ts';
import type { Tensor } from './tensor.ts';

interface TriangleOptions {
  /** How many diagonals the triangle begins above the main one. Default 0. */
  offset?: number;
  /** Default int64. */
  dtype?: DTypeLike;
  device?: string;
}

/** `(row, col, offset?, options?)`, or all of them by name. */
export type TriangleArguments =
  | readonly [row: number, col: number, offset?: number | TriangleOptions, options?: TriangleOptions]
  | ByName<{ row: number; col: number }, ['row'], TriangleOptions>;

function positions(
  op: string,
  args: TriangleArguments,
  triangle: (x: Tensor, offset: number) => Tensor,
): Tensor {
  const {
    row,
    col,
    offset = 0,
    dtype = 'int64',
    device,
  } = named<{ row: number; col: number } & TriangleOptions>(op, 'row col offset * dtype device', args);
  for (const [name, size] of Object.entries({ row, col }))
    if (!Number.isInteger(size) || size < 0)
      throw new ArgumentError(
        `${op}: argument '${name}' must be a non-negative integer, but got ${String(size)}`,
      );
  const inside = triangle(ones([row, col], device === undefined ? {} : { device }), offset);
  return inside.nonzero().t().contiguous().to(dtype);
}

/** Rows and columns of the lower triangle of a [row, col] matrix: int64 [2, n], row by row. @throws ArgumentError */
export const trilIndices = (...args: TriangleArguments): Tensor =>
  positions('tril_indices', args, (x, offset) => x.tril(offset));
/** Rows and columns of the upper triangle of a [row, col] matrix: int64 [2, n], row by row. @throws ArgumentError */
export const triuIndices = (...args: TriangleArguments): Tensor =>
  positions('triu_indices', args, (x, offset) => x.triu(offset));
