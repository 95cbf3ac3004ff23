/** How an elementwise op of two operands is made from its row: promotion, broadcasting, recording. */
import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import type { NDArray } from '../backend/array.ts';
import type { BinarySpec } from '../backend/backend.ts';
import { type DType, toFloating } from '../core/dtype.ts';
import { DTypeError } from '../core/errors.ts';
import { broadcastShapes } from '../core/shape.ts';
import { checkDevices, commonDType, type OperandOf, promoteOperand, tensorOf } from './convert.ts';
import { nodeName } from './unary.ts';

export interface BinaryRow extends BinarySpec {
  readonly node?: string;
  /** 'true' division computes integers in floating point. */
  readonly integers?: 'same' | 'float';
  /** False where PyTorch does not take bool operands. */
  readonly bools?: boolean;
  /** Which operands the rule of `a` and of `b` read. */
  readonly saves?: 'none' | 'other' | 'both';
  /** Gradients; a and b are the promoted operands, or plain numbers. Absent: zero. */
  readonly gradA?: <T extends Variable>(grad: T, a: T | number, b: T | number) => T;
  readonly gradB?: <T extends Variable>(grad: T, a: T | number, b: T | number) => T;
}

export interface BinaryOp {
  <T extends Variable>(a: OperandOf<T>, b: OperandOf<T>): T;
  readonly row: BinaryRow;
}

/** The dtype in which a row computes on these operands. */
export function operandDType(row: BinaryRow, a: OperandOf<Variable>, b: OperandOf<Variable>): DType {
  const dtype = commonDType([a, b]);
  if (dtype === 'bool' && row.bools === false) {
    throw new DTypeError(
      `${row.name}: the operator is not defined for two bool tensors; convert one of them first`,
    );
  }
  return row.integers === 'float' ? toFloating(dtype) : dtype;
}

/** Runs a row on operands of one dtype, or plain numbers. */
export function applyBinary<T extends Variable>(row: BinaryRow, left: OperandOf<T>, right: OperandOf<T>): T {
  const like = tensorOf<T>([left, right], row.name);
  if (typeof left === 'object' && typeof right === 'object') {
    checkDevices([left, right], row.name);
    broadcastShapes(left.shape, right.shape, row.name);
  }
  const dtype = operandDType(row, left, right);
  const a = promoteOperand(left, dtype);
  const b = promoteOperand(right, dtype);
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
  const inputs = [a, b].filter((x): x is T => typeof x === 'object');
  return record(row.node ?? nodeName(row.name), out, inputs, (node) => {
    const atA = typeof a === 'object' ? 0 : -1;
    const atB = typeof b === 'object' ? atA + 1 : -1;
    const wantA = atA >= 0 && node.needs[atA];
    const wantB = atB >= 0 && node.needs[atB];
    const keepA = saves === 'both' || (saves === 'other' && wantB);
    const keepB = saves === 'both' || (saves === 'other' && wantA);
    const savedA = typeof a === 'object' && keepA ? node.save(a) : null;
    const savedB = typeof b === 'object' && keepB ? node.save(b) : null;
    return (grad) => {
      const x = savedA ? savedA.get(grad) : typeof a === 'number' ? a : 0;
      const y = savedB ? savedB.get(grad) : typeof b === 'number' ? b : 0;
      const grads: (T | null)[] = [];
      if (atA >= 0) grads.push(wantA && gradA ? gradA(grad, x, y) : null);
      if (atB >= 0) grads.push(wantB && gradB ? gradB(grad, x, y) : null);
      return grads;
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
