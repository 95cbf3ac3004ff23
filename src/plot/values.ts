/** What plots take as numbers: lists, typed arrays, or anything that holds a typed array and a shape (a tensor). */
import { ShapeError } from '../core/errors.ts';
import { formatShape, type Shape } from '../core/shape.ts';

/** Anything with elements and sizes; tensors are. */
export interface TensorLike {
  readonly data: ArrayLike<number | bigint>;
  readonly shape: Shape;
}

/** A list of numbers. */
export type Values = ArrayLike<number | bigint> | TensorLike;

/** Rows of numbers: nested lists, or a tensor [rows, columns]. */
export type Matrix = readonly ArrayLike<number | bigint>[] | TensorLike;

export const isTensorLike = (x: object): x is TensorLike => 'shape' in x && 'data' in x;

export const numbersOf = (values: Values): Float64Array =>
  Float64Array.from(isTensorLike(values) ? values.data : values, Number);

/** Rows, columns and row-major elements. @throws ShapeError for ragged rows or another number of dimensions */
export function matrixOf(matrix: Matrix, op: string): { rows: number; columns: number; data: Float64Array } {
  if (isTensorLike(matrix)) {
    if (matrix.shape.length !== 2) {
      throw new ShapeError(
        `${op}: expected a matrix [rows, columns], but got shape ${formatShape(matrix.shape)}`,
      );
    }
    return { rows: matrix.shape[0], columns: matrix.shape[1], data: numbersOf(matrix) };
  }
  const columns = matrix.length > 0 ? matrix[0].length : 0;
  const data = new Float64Array(matrix.length * columns);
  matrix.forEach((row, i) => {
    if (row.length !== columns) {
      throw new ShapeError(
        `${op}: expected rows of one length, but row 0 has ${columns} and row ${i} has ${row.length}`,
      );
    }
    data.set(numbersOf(row), i * columns);
  });
  return { rows: matrix.length, columns, data };
}

/** Smallest and largest finite value, or null if there is none. */
export function extent(values: Iterable<number>): readonly [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const v of values) {
    if (!Number.isFinite(v)) continue;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return low <= high ? [low, high] : null;
}
