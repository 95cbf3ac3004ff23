/**
 * What the ops that decompose matrices share: their checks, and the way of batches of matrices to the host, where they are
 * computed in double precision and rounded once. On a GPU that needs values that the host still knows; what is made of the
 * results, gradients above all, is made with ops.
 */
import type { Variable } from '../autograd/variable.ts';
import type { NDArray } from '../backend/array.ts';
import { isFloating, torchTypeName } from '../core/dtype.ts';
import { ArgumentError, DTypeError, LinAlgError, ShapeError } from '../core/errors.ts';
import { formatShape, numElements, type Shape } from '../core/shape.ts';
import { tensorGiven } from './given.ts';

/** x, which must be of matrices of floats. @throws ArgumentError, ShapeError, DTypeError */
export function matricesGiven<T extends Variable>(x: T, op: string, argument = 'A'): T {
  tensorGiven(x, op, argument);
  if (x.ndim < 2) {
    throw new ShapeError(
      `${op}: The input tensor ${argument} must have at least 2 dimensions; got shape ${formatShape(x.shape)}`,
    );
  }
  if (!isFloating(x.dtype)) {
    throw new DTypeError(
      `${op}: Expected a floating point or complex tensor as input. Got ${torchTypeName(x.dtype)}`,
    );
  }
  return x;
}

/** x, which must be of square matrices. @throws ArgumentError, ShapeError, DTypeError */
export function squareGiven<T extends Variable>(x: T, op: string): T {
  const [rows, columns] = matricesGiven(x, op).shape.slice(-2);
  if (rows !== columns) {
    throw new ShapeError(
      `${op}: A must be batches of square matrices, but they are ${rows} by ${columns} matrices`,
    );
  }
  return x;
}

/** Two operands must have one dtype. @throws DTypeError */
export function checkSameDType(a: Variable, b: Variable, op: string): void {
  if (a.dtype === b.dtype) return;
  throw new DTypeError(
    `${op}: Expected A and B to have the same dtype, but found A of type ${torchTypeName(a.dtype)} and B of type ` +
      `${torchTypeName(b.dtype)} instead`,
  );
}

export const batchShape = (x: Variable): number[] => x.shape.slice(0, -2);

/** The matrices of x, row-major, as copies that may be overwritten. @throws DeviceError */
export function hostMatrices(x: Variable, op: string): Float64Array[] {
  const values = x.array.backend.hostValues(x.array, op);
  const all = values instanceof Float64Array ? values : new Float64Array(values as Float32Array);
  const size = numElements(x.shape.slice(-2));
  return Array.from({ length: numElements(batchShape(x)) }, (_, i) => all.subarray(i * size, (i + 1) * size));
}

/** An array of the host's results, one after the other, in the dtype and on the device of `like`. */
export function fromMatrices(like: Variable, shape: Shape, parts: readonly Float64Array[]): NDArray {
  return like.array.backend.fromHost(shape, like.dtype, (values) => {
    let at = 0;
    for (const part of parts) {
      (values as Float64Array).set(part, at);
      at += part.length;
    }
  });
}

/** What is wrong with matrix i of x. */
export function cannot(x: Variable, i: number, op: string, why: string): LinAlgError {
  return new LinAlgError(`${op}: ${x.ndim > 2 ? `(Batch element ${i}): ` : ''}${why}`);
}

/** Several results: a tuple whose places have PyTorch's names too. */
export type Named<T, N extends readonly string[]> = { readonly [K in keyof N]: T } & {
  readonly [K in N[number]]: T;
};

/** `op` is PyTorch's name of the function. */
export function namedResults<T extends Variable, const N extends readonly string[]>(
  op: string,
  names: N,
  values: readonly T[],
): Named<T, N> {
  const results = [...values];
  const text = (): string =>
    `torch.return_types.${op}(\n${names.map((name, i) => `${name}=${values[i]}`).join(',\n')})`;
  const members: [PropertyKey, unknown][] = names.map((name, i) => [name, values[i]]);
  members.push(['toString', text], [Symbol.for('nodejs.util.inspect.custom'), text]);
  for (const [key, value] of members) Object.defineProperty(results, key, { value });
  return results as unknown as Named<T, N>;
}

/** One of several words. @throws ArgumentError */
export function oneOf<W extends string>(word: W, words: readonly W[], message: string): W {
  if (!words.includes(word)) throw new ArgumentError(message);
  return word;
}
