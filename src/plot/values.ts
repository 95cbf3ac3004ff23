/** What plots take as numbers: lists, typed arrays, or anything that holds a typed array and a shape (a tensor). */
import { ArgumentError, ShapeError } from '../core/errors.ts';
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

export const isTensorLike = (x: unknown): x is TensorLike =>
  typeof x === 'object' && x !== null && 'shape' in x && 'data' in x;

/** Lists and typed arrays. */
const isList = (x: unknown): x is ArrayLike<unknown> => Array.isArray(x) || ArrayBuffer.isView(x);

/** What came instead of what was expected. */
const came = (x: unknown): string =>
  x === undefined
    ? 'nothing'
    : typeof x === 'object'
      ? (x?.constructor?.name ?? 'null')
      : `the ${typeof x} ${String(x)}`;

/** @throws ArgumentError for what is neither a list nor a tensor, nor holds numbers */
export function numbersOf(values: Values, op: string, argument = 'values'): Float64Array {
  const list = isTensorLike(values) ? values.data : values;
  if (!isList(list)) {
    throw new ArgumentError(
      `${op}: argument '${argument}' must be a list of numbers or a tensor, but got ${came(values)}`,
    );
  }
  const odd = Array.isArray(list)
    ? list.find((x) => typeof x === 'object' && x !== null && !(x.numel?.() === 1))
    : undefined;
  if (odd !== undefined) {
    throw new ArgumentError(
      `${op}: argument '${argument}' must be a list of numbers, but got one that holds ${came(odd)}`,
    );
  }
  return Float64Array.from(list as ArrayLike<number | bigint>, Number);
}

/** The options, which hold what is drawn. @throws ArgumentError unless they are an object with a list under `key` */
export function drawn<O extends object>(options: O, op: string, key: keyof O & string, form: string): O {
  const list: unknown = typeof options === 'object' && options !== null ? options[key] : undefined;
  if (Array.isArray(list) && list.length > 0) return options;
  throw new ArgumentError(
    `${op}: expected ${form}, but got ${isList(options) || isTensorLike(options) || !options ? came(options) : `no ${key}`}`,
  );
}

/** Rows, columns and row-major elements. @throws ShapeError for ragged rows or another number of dimensions, ArgumentError */
export function matrixOf(matrix: Matrix, op: string): { rows: number; columns: number; data: Float64Array } {
  if (isTensorLike(matrix)) {
    if (matrix.shape.length !== 2) {
      throw new ShapeError(
        `${op}: expected a matrix [rows, columns], but got shape ${formatShape(matrix.shape)}`,
      );
    }
    return { rows: matrix.shape[0], columns: matrix.shape[1], data: numbersOf(matrix, op) };
  }
  if (!isList(matrix) || !Array.from(matrix).every((row) => isList(row))) {
    throw new ArgumentError(
      `${op}: expected rows of numbers or a tensor [rows, columns], but got ${came(matrix)}`,
    );
  }
  const columns = matrix.length > 0 ? matrix[0].length : 0;
  const data = new Float64Array(matrix.length * columns);
  matrix.forEach((row, i) => {
    if (row.length !== columns) {
      throw new ShapeError(
        `${op}: expected rows of one length, but row 0 has ${columns} and row ${i} has ${row.length}`,
      );
    }
    data.set(numbersOf(row, op), i * columns);
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
