/** The in-place form of any op that gives a result of the tensor's own shape. */

import { needsGraph } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { collectStorages } from '../backend/array.ts';
import { isFloating } from '../core/dtype.ts';
import { ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape, sameShape } from '../core/shape.ts';
import { addOp, withAlpha } from './arithmetic.ts';
import { cast, isTensor, type OperandOf } from './convert.ts';
import { checkCastInto, inplace, inplaceBinary } from './inplace.ts';
import type { UnaryOp } from './unary.ts';

/** x ← compute(x), after checking that the result fits. @throws ShapeError, DTypeError, AutogradError */
export function inplaceOf<T extends Variable>(
  name: string,
  x: T,
  operands: readonly OperandOf<T>[],
  compute: (x: T) => T,
): T {
  const others = operands.filter((o): o is T => typeof o === 'object' && o !== null);
  return inplace(name, x, others, (original) => {
    const result = inOp(name, () => compute(original()));
    checkCastInto(result.dtype, x.dtype, name);
    if (!sameShape(result.shape, x.shape)) {
      throw new ShapeError(
        `${name}: output with shape ${formatShape(x.shape)} doesn't match the broadcast shape ${formatShape(result.shape)}`,
      );
    }
    return cast(result, x.dtype);
  });
}

/** x ← op(x); without a graph the kernel writes over its input. @throws DTypeError for a floating result in integers */
export function inplaceUnary<T extends Variable>(op: UnaryOp, x: T): T {
  const { row } = op;
  const compute = (original: () => T): T => {
    const result = op(row.saves === 'input' ? original() : x);
    checkCastInto(result.dtype, x.dtype, `${row.name}_`);
    return cast(result, x.dtype);
  };
  const refused = x.dtype === 'bool' && row.bools !== undefined;
  const kept = row.integers === 'same' && !row.predicate && !refused;
  const direct = kept || (x.array.dtype.startsWith('float') && !row.predicate);
  return inplace(
    `${row.name}_`,
    x,
    [],
    compute,
    direct ? (out) => void out.backend.unary(row, out, 0, 0, out) : undefined,
  );
}

/**
 * x ← x + alpha · term(). Where nothing is recorded that is one pass, and the term's memory is given back at once; else
 * `whole` says the same as an op that makes a result.
 */
export function inplaceSum<T extends Variable>(
  name: string,
  x: T,
  operands: readonly T[],
  term: () => T,
  alpha: number,
  whole: (x: T) => T,
): T {
  const plain =
    typeof alpha === 'number' &&
    isFloating(x.dtype) &&
    operands.every((y) => isTensor(y) && y.dtype === x.dtype);
  if (!plain || needsGraph([x, ...operands])) return inplaceOf<T>(name, x, operands, whole);
  const {
    result: [op, y],
    created,
  } = collectStorages(() => withAlpha<T>(addOp, x, inOp(name, term), alpha));
  inplaceBinary<T>(op, x, y, name);
  for (const storage of created) storage.free();
  return x;
}
