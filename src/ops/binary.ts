/** How an elementwise op of two operands is made from its row: promotion, broadcasting, recording. */

import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import type { NDArray } from '../backend/array.ts';
import type { BinarySpec } from '../backend/backend.ts';
import { notEqualSpec } from '../backend/specs.ts';
import { type DType, isFloating, toFloating, torchTypeName } from '../core/dtype.ts';
import { ArgumentError, DTypeError } from '../core/errors.ts';
import { broadcastShapes } from '../core/shape.ts';
import { checkPair, isTensor, type OperandOf, pairDType, promoteOperand, tensorOf } from './convert.ts';
import { operandGiven, tensorGiven } from './given.ts';
import { nodeName } from './unary.ts';

export interface BinaryRow extends BinarySpec {
  readonly node?: string;
  /** 'true' division computes integers in floating point; 'error' refuses them. */
  readonly integers?: 'same' | 'float' | 'error';
  /** Integers must not be divided by 0, for which they have no result. */
  readonly divides?: boolean;
  /** Where PyTorch does not take two bool operands, or not even one. */
  readonly bools?: 'one' | 'none';
  /** The digit of the node's name for two tensors, for a number behind one, and for one before it; default 0. */
  readonly digits?: string;
  /** Which operands the rule of `a` and of `b` read: none, the other one, b and both, or both. */
  readonly saves?: 'none' | 'other' | 'divisor' | 'both';
  /** Gradients; a and b are the promoted operands, or plain numbers. Absent: zero. */
  readonly gradA?: <T extends Variable>(grad: T, a: T | number, b: T | number) => T;
  readonly gradB?: <T extends Variable>(grad: T, a: T | number, b: T | number) => T;
}

export interface BinaryOp {
  <T extends Variable>(a: OperandOf<T>, b: OperandOf<T>): T;
  readonly row: BinaryRow;
}

const isBool = (x: OperandOf<Variable>): boolean =>
  typeof x === 'object' ? x.dtype === 'bool' : typeof x === 'boolean';

/** The dtype in which a row computes on these operands. */
export function operandDType(row: BinaryRow, a: OperandOf<Variable>, b: OperandOf<Variable>): DType {
  const dtype = pairDType(a, b);
  const two = dtype === 'bool';
  if ((two && row.bools) || (row.bools === 'none' && (isBool(a) || isBool(b)))) {
    throw new DTypeError(
      `${row.name}: the operator is not defined for ${two ? 'two bool tensors; convert one of them' : 'a bool tensor; convert it'} first`,
    );
  }
  if (row.integers === 'error' && !isFloating(dtype)) {
    throw new DTypeError(
      `${row.name}: expected floating point operands, but got dtype ${dtype} ("${row.name}" not implemented for ` +
        `'${torchTypeName(dtype)}')`,
    );
  }
  return row.integers === 'float' ? toFloating(dtype) : dtype;
}

/** @throws ArgumentError where an integer would be divided by 0 */
function checkDivisor<T extends Variable>(op: string, b: T | number): void {
  const error = () =>
    new ArgumentError(`${op}: ZeroDivisionError: expected divisors other than 0 for integers, but got 0`);
  if (typeof b === 'number') {
    if (b === 0) throw error();
  } else if (b.array.size > 0)
    b.array.backend.require(b.array.backend.binary(notEqualSpec, b.array, 0), error);
}

/** Runs a row on operands of one dtype, or plain numbers. */
export function applyBinary<T extends Variable>(row: BinaryRow, left: OperandOf<T>, right: OperandOf<T>): T {
  const like = isTensor(left) ? left : tensorOf<T>([left, right], row.name);
  if (isTensor(left) && isTensor(right)) {
    if (right.array === undefined || left.array === undefined) {
      tensorGiven(left, row.name);
      tensorGiven(right, row.name, 'other');
    }
    checkPair(left, right, row.name);
    broadcastShapes(left.shape, right.shape, row.name);
  } else {
    operandGiven(left, row.name, 'input');
    operandGiven(right, row.name, 'other');
  }
  const dtype = operandDType(row, left, right);
  const a = promoteOperand<T>(left, dtype, like, row.name);
  const b = promoteOperand<T>(right, dtype, like, row.name);
  if (row.divides && !isFloating(dtype) && like.array.size > 0) checkDivisor(row.name, b);
  const out = like.array.backend.binary(
    row,
    typeof a === 'object' ? a.array : a,
    typeof b === 'object' ? b.array : b,
  );
  if (row.predicate || row.gradA === undefined) return like.derive(out);
  return recordBinary(row, out, a, b);
}

function recordBinary<T extends Variable>(row: BinaryRow, out: NDArray, a: T | number, b: T | number): T {
  const { gradA, gradB, saves = 'both' } = row;
  const valueA = typeof a === 'object' ? null : a;
  const valueB = typeof b === 'object' ? null : b;
  const inputs = typeof a === 'object' ? (typeof b === 'object' ? [a, b] : [a]) : [b as T];
  const digit = row.digits?.[valueA !== null ? 2 : valueB !== null ? 1 : 0] ?? '';
  const name = row.node ?? nodeName(row.name);
  return record((digit && name.slice(0, -1) + digit) || name, out, inputs, (node, _, given) => {
    const last = given.length - 1;
    const wantA = valueA === null && node.needs[0];
    const wantB = valueB === null && node.needs[last];
    const keepA = saves === 'both' || (saves !== 'none' && wantB);
    const keepB = saves === 'both' || (saves !== 'none' && (wantA || (wantB && saves === 'divisor')));
    const savedA = valueA === null && keepA ? node.save(given[0]) : null;
    const savedB = valueB === null && keepB ? node.save(given[last]) : null;
    return (grad) => {
      const x = savedA ? savedA.get(grad) : (valueA ?? 0);
      const y = savedB ? savedB.get(grad) : (valueB ?? 0);
      const forA = wantA && gradA ? gradA(grad, x, y) : null;
      const forB = wantB && gradB ? gradB(grad, x, y) : null;
      return valueA !== null ? [forB] : valueB !== null ? [forA] : [forA, forB];
    };
  });
}

/** An op of two operands, as users call it: tensors or plain values, at least one of them a tensor. */
export function binaryOp(row: BinaryRow): BinaryOp {
  return Object.assign(
    <T extends Variable>(a: OperandOf<T>, b: OperandOf<T>): T => applyBinary<T>(row, a, b),
    { row },
  );
}
