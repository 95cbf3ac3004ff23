/** Positions of elements: those in a triangle of a matrix, and of a flat position its coordinates. */
import { type DTypeLike, isFloating } from './core/dtype.ts';
import { ArgumentError, DTypeError } from './core/errors.ts';
import { checkShape, type Shape } from './core/shape.ts';
import { ones } from './creation.ts';
import { tensorGiven } from './ops/given.ts';
import { taking } from './ops/taking.ts';
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

/** The coordinates of positions in a flattened tensor of `shape`: a list of int64 tensors. @throws DTypeError */
export const unravelIndex = /* @__PURE__ */ taking(
  'unravel_index',
  'shape',
  function unravelIndex(indices: Tensor, shape: number | Shape): Tensor[] {
    tensorGiven(indices, 'unravel_index', 'indices');
    if (isFloating(indices.dtype) || indices.dtype === 'bool')
      throw new DTypeError(`unravel_index: expected 'indices' to be integer dtype, but got ${indices.dtype}`);
    const sizes = typeof shape === 'number' ? [shape] : [...shape];
    checkShape(sizes, 'unravel_index');
    let rest = indices.to('int64');
    const coordinates = sizes.toReversed().map((size) => {
      const place = rest.remainder(size);
      rest = rest.floorDivide(size);
      return place;
    });
    return coordinates.reverse();
  },
);
