/** Arguments that PyTorch takes in several forms: dimensions by position or by name, shapes spread or as a list. */
import { type DType, type DTypeLike, resolveDType } from '../core/dtype.ts';
import { ArgumentError } from '../core/errors.ts';
import { checkShape, type Shape, sizeList } from '../core/shape.ts';
import { checkNames, inOrder, isPlain, refuseTwice } from '../ops/options.ts';
import type { Dims } from '../ops/reduce.ts';

export interface ReduceOptions {
  /** One dimension or several; default all. */
  dim?: Dims;
  /** Keep the reduced dimensions as size 1. */
  keepdim?: boolean;
  /** Convert to this dtype first. */
  dtype?: DTypeLike;
}

/** What a reduction was asked for, from `(1, true)`, `([0, 1])`, `({ dim: 1, keepdim: true })` or nothing. */
export interface Reduction {
  readonly dims: Dims;
  readonly keepdim: boolean;
  readonly dtype: DType | undefined;
}

export type DimOrOptions = Dims | ReduceOptions | undefined;

/** `keepdim` by position, or the options object in its place. */
export type KeepdimOrOptions = boolean | ReduceOptions | undefined;

/** The names of reductions with a dtype; of most it comes by name only. */
export const WITH_DTYPE = 'dim keepdim * dtype';

/** What a reduction was asked for. @throws ArgumentError */
export function reduction(op: string, args: readonly unknown[], names = 'dim keepdim'): Reduction {
  const [dims = null, keepdim = false, dtype] = inOrder<[Dims, boolean, DTypeLike]>(op, names, args);
  return { dims, keepdim, dtype: dtype === undefined ? undefined : resolveDType(dtype, op) };
}

/** Like `reduction` for ops that take one dimension; null if none was given. */
export function oneDim(op: string, args: readonly unknown[]): { dim: number | null; keepdim: boolean } {
  const { dims, keepdim } = reduction(op, args);
  return { dim: oneOf(dims, op), keepdim };
}

/** @throws ArgumentError for several dimensions */
export function oneOf(dims: Dims, op: string): number | null {
  if (dims === null || typeof dims === 'number') return dims;
  throw new ArgumentError(`${op}: dim must be one integer, but got [${dims.join(', ')}]`);
}

/** Sizes written as `(2, 3)` or `([2, 3])`. */
export type SizeArguments = readonly number[] | readonly [Shape];

export function sizes(list: SizeArguments, op: string, argument = 'size'): Shape {
  const [first] = list;
  const last: unknown = list[list.length - 1];
  if (isPlain(last)) {
    const named = checkNames(last, op, list.length === 1 ? [argument] : []) as { [name: string]: Shape };
    return sizes([named[argument]], op, argument);
  }
  if (list.length === 1 && first === undefined) {
    throw new ArgumentError(
      `${op}: argument '${argument}' must be numbers or a list of numbers, but got nothing`,
    );
  }
  return list.length === 1 && typeof first === 'object' ? first : (list as readonly number[]);
}

/** Sizes for a new tensor, with options behind them, `(2, 3, { dtype })`, `([2, 3], { dtype })`, or in them, `({ size })`. */
export function sizesAndOptions<O extends object>(
  list: readonly unknown[],
  op: string,
): { shape: Shape; options: O | undefined } {
  const last = list[list.length - 1];
  const options = isPlain(last) ? (last as O & { size?: unknown }) : undefined;
  if (options?.size !== undefined) {
    if (list.length > 1) refuseTwice(op, 'size');
    const { size, ...others } = options;
    return sizesAndOptions([size, others], op);
  }
  const rest = options ? list.slice(0, -1) : last === undefined && list.length > 1 ? list.slice(0, -1) : list;
  const shape = rest.length === 1 && Array.isArray(rest[0]) ? (rest[0] as number[]) : (rest as number[]);
  if (shape.length === 1 && shape[0] === undefined)
    throw new ArgumentError(`${op}: argument 'size' must be numbers or a list of numbers, but got nothing`);
  checkShape(shape, op);
  return { shape: sizeList(shape), options };
}
