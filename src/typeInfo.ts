/** What dtypes hold and what they become together: `torch.finfo`, `iinfo`, `resultType`, `canCast`. */
import { type DType, type DTypeLike, dtypeInfo, isFloating, resolveDType } from './core/dtype.ts';
import { DTypeError } from './core/errors.ts';
import { integerLimits } from './core/sampling.ts';
import { commonDType, type OperandOf } from './ops/convert.ts';
import { operandGiven } from './ops/given.ts';
import type { Tensor } from './tensor.ts';

/** Of a floating dtype. */
export interface FloatInfo {
  readonly dtype: DType;
  readonly bits: number;
  /** The distance of 1 from the next larger number. */
  readonly eps: number;
  readonly max: number;
  readonly min: number;
  /** The smallest positive number of full precision. */
  readonly smallestNormal: number;
  /** `smallestNormal` by its old name. */
  readonly tiny: number;
  /** The decimals that are kept, as a power of ten. */
  readonly resolution: number;
}

/** Of an integer dtype; bigints for int64. */
export interface IntegerInfo {
  readonly dtype: DType;
  readonly bits: number;
  readonly max: number | bigint;
  readonly min: number | bigint;
}

/** What a floating dtype can hold. @throws DTypeError for another */
export function finfo(dtype: DTypeLike = 'float32'): FloatInfo {
  const name = resolveDType(dtype, 'finfo');
  if (!isFloating(name))
    throw new DTypeError(`finfo: expected a floating point dtype, but got ${name}; use iinfo for integers`);
  const single = name === 'float32';
  const [digits, exponent] = single ? [23, 127] : [52, 1023];
  const max = (2 - 2 ** -digits) * 2 ** exponent;
  const smallestNormal = 2 ** (1 - exponent);
  const limits = { max, min: -max, smallestNormal, tiny: smallestNormal };
  return {
    dtype: name,
    bits: single ? 32 : 64,
    eps: 2 ** -digits,
    ...limits,
    resolution: single ? 1e-6 : 1e-15,
  };
}

/** What an integer dtype can hold. @throws DTypeError for another */
export function iinfo(dtype: DTypeLike): IntegerInfo {
  const name = resolveDType(dtype, 'iinfo');
  if (isFloating(name) || name === 'bool')
    throw new DTypeError(`iinfo: expected an integer dtype, but got ${name}; use finfo for floating point`);
  const [min, max] = integerLimits(name);
  const limits = name === 'int64' ? { max, min } : { max: Number(max), min: Number(min) };
  return { dtype: name, bits: 8 * dtypeInfo[name].bytes, ...limits };
}

/** The dtype in which an op computes with two operands, each a tensor or a number. */
export function resultType(tensor1: OperandOf<Tensor>, tensor2: OperandOf<Tensor>): DType {
  operandGiven(tensor1, 'result_type', 'tensor1');
  operandGiven(tensor2, 'result_type', 'tensor2');
  return commonDType([tensor1, tensor2]);
}

/** Whether results of one dtype may be stored in another: not those of a higher category, as floats in integers. */
export function canCast(from: DTypeLike, to: DTypeLike): boolean {
  const [a, b] = [resolveDType(from, 'can_cast'), resolveDType(to, 'can_cast')];
  return dtypeInfo[a].category <= dtypeInfo[b].category;
}
