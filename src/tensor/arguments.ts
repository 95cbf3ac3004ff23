/** Arguments that PyTorch takes in several forms: dimensions by position or by name, shapes spread or as a list. */
import { type DType, type DTypeLike, resolveDType } from '../core/dtype.ts';
import { ArgumentError } from '../core/errors.ts';
import { checkShape, type Shape, sizeList } from '../core/shape.ts';
import { optionsGiven } from '../ops/given.ts';
import { checkNames, isPlain } from '../ops/options.ts';
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

/** Whether x is an object with arguments by name. @throws ArgumentError for Python's names */
export const isOptions = <O extends object>(x: unknown): x is O =>
  typeof x === 'object' && x !== null && !Array.isArray(x) && (!isPlain(x) || checkNames(x) === x);

/** `keepdim` by position, or the options object in its place. */
export type KeepdimOrOptions = boolean | ReduceOptions | undefined;

export function reduction(
  first: DimOrOptions,
  second: KeepdimOrOptions,
  options: ReduceOptions | undefined,
  op: string,
): Reduction {
  const named = {
    ...optionsGiven(options, op),
    ...(isOptions<ReduceOptions>(second) ? second : {}),
    ...(isOptions<ReduceOptions>(first) ? first : {}),
  };
  const keepdim = typeof second === 'boolean' ? second : undefined;
  const dims = isOptions<ReduceOptions>(first) ? (first.dim ?? null) : (first ?? named.dim ?? null);
  return {
    dims,
    keepdim: keepdim ?? named.keepdim ?? false,
    dtype: named.dtype === undefined ? undefined : resolveDType(named.dtype, op),
  };
}

/** Like `reduction` for ops that take one dimension; null if none was given. */
export function oneDim(
  first: DimOrOptions,
  keepdim: KeepdimOrOptions,
  op: string,
): { dim: number | null; keepdim: boolean } {
  const { dims, keepdim: keep } = reduction(first, keepdim, undefined, op);
  if (dims !== null && typeof dims !== 'number') {
    throw new ArgumentError(`${op}: dim must be one integer, but got [${dims.join(', ')}]`);
  }
  return { dim: dims, keepdim: keep };
}

/** Sizes written as `(2, 3)` or `([2, 3])`. */
export type SizeArguments = readonly number[] | readonly [Shape];

/** `{ size: [2, 3] }`, by whatever PyTorch calls it; what has no such name is passed on, to be refused or read there. */
function namedSizes(named: object): Shape {
  const { size, shape, repeats } = named as { size?: Shape; shape?: Shape; repeats?: Shape };
  return size ?? shape ?? repeats ?? (named as unknown as Shape);
}

export function sizes(list: SizeArguments, op: string, argument = 'size'): Shape {
  const [first] = list;
  if (list.length === 1 && first === undefined) {
    throw new ArgumentError(
      `${op}: argument '${argument}' must be numbers or a list of numbers, but got nothing`,
    );
  }
  if (list.length === 1 && typeof first === 'object') return isOptions(first) ? namedSizes(first) : first;
  return list as readonly number[];
}

/** Sizes for a new tensor, with options behind them, `(2, 3, { dtype })`, `([2, 3], { dtype })`, or in them, `({ size })`. */
export function sizesAndOptions<O extends object>(
  list: readonly unknown[],
  op: string,
): { shape: Shape; options: O | undefined } {
  const last = list[list.length - 1];
  const options = isOptions<O & { size?: unknown }>(last) ? last : undefined;
  if (options?.size !== undefined) {
    if (list.length > 1)
      throw new ArgumentError(`${op}: got multiple values for argument 'size': by position and by name`);
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
