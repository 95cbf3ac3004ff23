/** A choice between two operands, element by element. */

import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { DTypeError } from '../core/errors.ts';
import { broadcastShapes } from '../core/shape.ts';
import { cast, checkDevices, commonDType, type OperandOf, promoteOperand } from './convert.ts';
import { operandGiven, tensorGiven } from './given.ts';

/**
 * a where condition holds, else b; all three broadcast, a and b are promoted.
 * @throws DTypeError if condition is not bool; ShapeError if the shapes do not broadcast
 */
export function whereOp<T extends Variable>(condition: T, left: OperandOf<T>, right: OperandOf<T>): T {
  tensorGiven(condition, 'where', 'condition');
  operandGiven(left, 'where', 'input');
  operandGiven(right, 'where', 'other');
  // As in PyTorch, which keeps bytes from before it had bools.
  if (condition.dtype === 'uint8') return whereOp<T>(cast(condition, 'bool'), left, right);
  if (condition.dtype !== 'bool') {
    throw new DTypeError(
      `where: expected condition to be a boolean tensor, but got a tensor with dtype ${condition.dtype}`,
    );
  }
  checkDevices([condition, left, right], 'where', 'condition input other');
  let shape = condition.shape;
  for (const x of [left, right]) if (typeof x === 'object') shape = broadcastShapes(shape, x.shape, 'where');
  const dtype = commonDType([left, right]);
  const a = promoteOperand<T>(left, dtype, condition, 'where', false);
  const b = promoteOperand<T>(right, dtype, condition, 'where', false);
  const { backend } = condition.array;
  const out = backend.where(
    condition.array,
    typeof a === 'object' ? a.array : a,
    typeof b === 'object' ? b.array : b,
    dtype,
  );
  const inputs = [a, b].filter((x): x is T => typeof x === 'object');
  if (inputs.length === 0) return condition.derive(out);
  const first = typeof a === 'object';
  return record('WhereBackward0', out, inputs, (node) => {
    const saved = node.save(condition);
    return (grad) => {
      const chosen = saved.get(grad);
      return node.needs.map(
        (needed, i) =>
          needed && (i === 0 && first ? whereOp<T>(chosen, grad, 0) : whereOp<T>(chosen, 0, grad)),
      );
    };
  });
}
