/** Arguments that did not come: types forbid it, but pages in plain JavaScript have none. */
import type { Variable } from '../autograd/variable.ts';
import { type DType, isFloating, torchTypeName } from '../core/dtype.ts';
import { ArgumentError, DTypeError } from '../core/errors.ts';
import { checkNames, namesIn } from './options.ts';

const NONE: object = Object.freeze({});

/** @throws ArgumentError naming the op, the argument, what was expected and what came */
export function refuse(x: unknown, op: string, argument: string, expected: string): never {
  const came =
    x === undefined
      ? 'nothing'
      : typeof x === 'object'
        ? (x?.constructor?.name ?? 'null')
        : typeof x === 'string'
          ? `'${x}'`
          : x;
  throw new ArgumentError(`${op}: argument '${argument}' must be ${expected}, but got ${String(came)}`);
}

/** x, which must be a tensor. @throws ArgumentError */
export function tensorGiven<T extends Variable>(x: T, op: string, argument = 'input'): T {
  return (x as T | null | undefined)?.array === undefined ? refuse(x, op, argument, 'a Tensor') : x;
}

/** What an op says that takes tensors of one kind of dtype only. */
export const notImplemented = (op: string, kind: string, dtype: DType): DTypeError =>
  new DTypeError(
    `${op}: expected input to be ${kind} tensor, but got dtype ${dtype} ("${op}" not implemented for '${torchTypeName(dtype)}')`,
  );

/** For ops that have no meaning for integers. @throws DTypeError */
export function checkFloating(x: Variable, op: string): void {
  tensorGiven(x, op);
  if (!isFloating(x.dtype)) throw notImplemented(op, 'a floating point', x.dtype);
}

/** x, which must be a tensor of numbers. @throws ArgumentError, DTypeError for bools */
export function numericGiven<T extends Variable>(x: T, op: string): T {
  if (tensorGiven(x, op).dtype === 'bool') throw notImplemented(op, 'a numeric', 'bool');
  return x;
}

/** x, which must be a tensor or a plain value. @throws ArgumentError */
export function operandGiven<X>(x: X, op: string, argument: string): X {
  const kind = typeof x;
  if (kind === 'number' || kind === 'boolean' || kind === 'bigint') return x;
  if (kind === 'object' && (x as { array?: unknown } | null)?.array !== undefined) return x;
  refuse(x, op, argument, 'a Tensor or a number');
}

/**
 * The options, none if nothing came; they must be an object with no other names than those of the signature.
 * @throws ArgumentError where a plain value, a list or a tensor came, or a name of another op
 */
export function optionsGiven<O extends object>(x: O | undefined, op: string, signature: string): O {
  if (x === undefined) return NONE as O;
  if (typeof x !== 'object' || x === null || Array.isArray(x) || 'array' in x)
    refuse(x, op, 'options', 'an object with the names of arguments');
  return checkNames(x, op, namesIn(signature));
}

/** x, which must have come. @throws ArgumentError */
export function given<X>(x: X, op: string, argument: string, expected: string): X {
  return x === undefined || x === null ? refuse(x, op, argument, expected) : x;
}

/** x, which must be a whole number: a fraction would point between two elements. @throws ArgumentError */
export function wholeGiven(x: number, op: string, argument: string): number {
  return Number.isInteger(x) ? x : refuse(x, op, argument, 'an integer');
}

/** x, which must be a list of tensors, and not one of them. @throws ArgumentError */
export function tensorsGiven<T extends readonly Variable[]>(x: T, op: string, argument = 'tensors'): T {
  if (!Array.isArray(x)) refuse(x, op, argument, 'a list of Tensors');
  for (const item of x) tensorGiven(item, op, argument);
  return x;
}
