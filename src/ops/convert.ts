/** Conversions and copies, and the promotion of operands that every op with two of them begins with. */
import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { type DType, dtypeInfo, isFloating, resultType, type Standing } from '../core/dtype.ts';
import { ArgumentError, DeviceError, DTypeError } from '../core/errors.ts';
import { integerLimits } from '../core/sampling.ts';

/** A tensor, or a plain value that stands for a 0-d tensor in promotion. */
export type OperandOf<T extends Variable> = T | number | bigint | boolean;

/** x in another dtype; x itself if it has it already. */
export function cast<T extends Variable>(x: T, dtype: DType): T {
  if (x.dtype === dtype) return x;
  const { array } = x;
  const from = array.dtype;
  const out = array.backend.empty(array.shape, dtype, array.dense ? array.strides : undefined);
  array.backend.assign(out, array);
  return record('ToCopyBackward0', out, [x], () => (grad) => [cast(grad, from)]);
}

/** A copy with memory of its own; strides are kept if x is dense, as PyTorch does. */
export function clone<T extends Variable>(x: T): T {
  const { array } = x;
  const out = array.backend.empty(array.shape, array.dtype, array.dense ? array.strides : undefined);
  array.backend.assign(out, array);
  return record('CloneBackward0', out, [x], () => (grad) => [grad]);
}

/** x itself if it is row-major without gaps, else a row-major copy. */
export function contiguous<T extends Variable>(x: T): T {
  const { array } = x;
  if (array.contiguous) return x;
  const out = array.backend.empty(array.shape, array.dtype);
  array.backend.assign(out, array);
  return record('CloneBackward0', out, [x], () => (grad) => [grad]);
}

const standingOf = (x: Variable): Standing => (x.shape.length === 0 ? 'scalar' : 'tensor');

/** Whether int64 holds a number. */
const isWhole = (x: number): boolean => Number.isInteger(x) && x >= -(2 ** 63) && x < 2 ** 63;

/**
 * The dtype that a plain value brings: JavaScript cannot tell 1.0 from 1, so whole numbers count as integers here, but for
 * those that no integer dtype holds.
 */
export function valueDType(value: number | bigint | boolean): DType {
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'bigint' || isWhole(value) ? 'int64' : 'float32';
}

/** The dtype in which an op on these operands computes, by PyTorch's promotion rules. */
export function commonDType(operands: readonly OperandOf<Variable>[]): DType {
  // The everyday case: tensors of one dtype and numbers of its category or lower.
  let dtype: DType | null = null;
  let simple = true;
  for (const x of operands) {
    if (typeof x === 'object') {
      if (dtype === null) dtype = x.dtype;
      else if (dtype !== x.dtype) simple = false;
    }
  }
  if (dtype !== null && simple && isFloating(dtype)) return dtype;
  return resultType(
    operands.map((x) =>
      typeof x === 'object'
        ? { dtype: x.dtype, standing: standingOf(x) }
        : { dtype: valueDType(x), standing: 'number' as const },
    ),
  );
}

/** `commonDType` of two operands. */
export function pairDType(a: OperandOf<Variable>, b: OperandOf<Variable>): DType {
  if (isTensor(a) && isTensor(b) && a.dtype === b.dtype) return a.dtype;
  return commonDType([a, b]);
}

/** Whether an operand is a tensor and not a plain value. */
export const isTensor = <T extends Variable>(x: OperandOf<T>): x is T => typeof x === 'object' && x !== null;

/** `checkDevices` of two tensors. @throws DeviceError */
export function checkPair(a: Variable, b: Variable, op: string, names = 'input other'): void {
  if (a.array.storage.backend !== b.array.storage.backend) checkDevices([a, b], op, names);
}

/** Operands of an op, which are called `names` (with spaces between), must be on one device. @throws DeviceError */
export function checkDevices(operands: readonly OperandOf<Variable>[], op: string, names: string): void {
  let first = -1;
  let device = '';
  for (let i = 0; i < operands.length; i++) {
    const x = operands[i];
    if (typeof x !== 'object') continue;
    const own = x.array.backend.device;
    if (first >= 0 && device !== own) {
      const nameOf = (at: number): string => names.split(' ')[at] || `tensors[${at}]`;
      throw new DeviceError(
        `${op}: Expected all tensors to be on the same device, but found ${device} for argument '${nameOf(first)}' and ` +
          `${own} for '${nameOf(i)}'`,
      );
    }
    if (first < 0) first = i;
    device = own;
  }
}

/** A plain value as a kernel takes it in an op of this dtype; whole numbers lose their fractions, and wrap around. */
export function scalarValue(value: number | bigint | boolean, dtype: DType): number {
  const { bytes, category } = dtypeInfo[dtype];
  if (category === 2) return Number(value);
  if (category === 0) return Number(value) !== 0 ? 1 : 0;
  const x = Math.trunc(Number(typeof value === 'bigint' && bytes < 8 ? BigInt.asIntN(32, value) : value));
  return bytes === 8 ? x : dtype === 'uint8' ? x & 255 : (x << (32 - 8 * bytes)) >> (32 - 8 * bytes);
}

export const FLOAT32_MAX = 3.4028234663852886e38;

/**
 * A plain value as an element of this dtype: fractions are cut off where it is whole, and a negative byte counts from
 * 256, as in PyTorch. @throws DTypeError for a value that the dtype cannot hold
 */
export function elementValue(value: number | bigint | boolean, dtype: DType, op: string): number | bigint {
  if (dtype === 'bool') return Number(value) !== 0 ? 1 : 0;
  const x = typeof value === 'bigint' ? value : Number(value);
  let fits = true;
  if (!isFloating(dtype)) {
    const [low, high] = integerLimits(dtype);
    fits = x <= high && x >= (dtype === 'uint8' && Number.isInteger(Number(x)) ? -high : low);
  } else if (dtype === 'float32' && Number.isFinite(Number(x))) fits = Math.abs(Number(x)) <= FLOAT32_MAX;
  if (fits) return typeof x === 'bigint' && dtype === 'int64' ? x : scalarValue(x, dtype);
  const name = dtype === 'int32' ? 'int' : dtype === 'float32' ? 'float' : `${dtype}_t`;
  throw new DTypeError(`${op}: value cannot be converted to type ${name} without overflow; got ${value}`);
}

/**
 * Promotes an operand of an op to `dtype`: tensors are converted, plain values become numbers, or tensors beside `like`
 * where a double does not hold them. Numbers wrap around unless they become elements. @throws DTypeError
 */
export function promoteOperand<T extends Variable>(
  x: OperandOf<T>,
  dtype: DType,
  like: T,
  op: string,
  wraps = true,
): T | number {
  if (typeof x === 'object') return cast(x, dtype);
  const checked = (dtype === 'int64' && typeof x === 'bigint') || !(wraps || isFloating(dtype));
  const value = checked ? elementValue(x, dtype, op) : scalarValue(x, dtype);
  const plain = Number(value);
  return typeof value === 'number' || Number.isSafeInteger(plain)
    ? plain
    : like.derive(like.array.backend.upload(BigInt64Array.of(value), [], 'int64'));
}

/** The tensor among an op's operands. @throws ArgumentError if there is none */
export function tensorOf<T extends Variable>(operands: readonly OperandOf<T>[], op: string): T {
  for (const x of operands) if (typeof x === 'object' && x !== null) return x;
  throw new ArgumentError(
    operands[0] === undefined
      ? `${op}: argument 'input' must be a Tensor or a number, but got nothing`
      : `${op}: at least one operand must be a Tensor, but got ${operands.map(String).join(', ')}`,
  );
}
