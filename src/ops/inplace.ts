/**
 * Changes in place: the memory is overwritten, the version counted up, and the history of the tensor (and of the base
 * that it is a view of) continues with the op that did it.
 */

import { isInferenceModeEnabled } from '../autograd/gradMode.ts';
import { needsGraph, record } from '../autograd/record.ts';
import { barredView, type Variable } from '../autograd/variable.ts';
import { collectStorages, type NDArray } from '../backend/array.ts';
import { type DType, dtypeInfo, isFloating, torchTypeName } from '../core/dtype.ts';
import { AutogradError, DTypeError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { broadcastShapes, formatShape, sameShape } from '../core/shape.ts';
import { type BinaryOp, operandDType } from './binary.ts';
import { checkDevices, clone, elementValue, type OperandOf, promoteOperand } from './convert.ts';
import { operandGiven, tensorGiven } from './given.ts';
import { zeros } from './unary.ts';
import { asStrided, narrow } from './views.ts';

/** A value of dtype `from` may be written into a tensor of dtype `to` unless it falls into a lower category. */
export function checkCastInto(from: DType, to: DType, op: string): void {
  if (dtypeInfo[from].category > dtypeInfo[to].category) {
    throw new DTypeError(
      `${op}: result type ${torchTypeName(from)} can't be cast to the desired output type ${torchTypeName(to)} of argument 'input'`,
    );
  }
}

const onePlace = (op: string, what: string): ShapeError =>
  new ShapeError(
    `${op}: unsupported operation: ${what} to a single memory location. Please clone() the tensor before performing the ` +
      'operation.',
  );

/** No element may lie in memory twice. @throws ShapeError */
function checkSeparate(x: Variable, op: string): void {
  if (x.array.size > 0 && once(x) !== x)
    throw onePlace(op, 'more than one element of the written-to tensor refers');
}

/** An operand may be x itself, but not lie across it in another order or place. @throws ShapeError, where both are dense */
function checkAcross({ array: x }: Variable, { array: y }: Variable, op: string): void {
  if (x.storage !== y.storage || !x.dense || !y.dense) return;
  const [start, end] = [x.offset - y.offset, x.offset + x.size - y.offset - y.size];
  if (start < y.size && -start < x.size && (start !== 0 || end !== 0 || !sameShape(x.strides, y.strides)))
    throw onePlace(op, 'some elements of the input tensor and the written-to tensor refer');
}

/**
 * Leaves that require gradients, views of leaves, views that do not know of it, and tensors of inference mode stay as they
 * are. @throws AutogradError
 */
export function checkChangeable(x: Variable, op: string, operands: readonly Variable[] = []): void {
  if (x.array.storage.inference && !isInferenceModeEnabled()) {
    throw new AutogradError(
      `${op}: Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a ` +
        'normal tensor before doing inplace update.',
    );
  }
  const { viewOf } = x;
  if (!needsGraph([x, ...operands])) return;
  if (viewOf?.barred) throw barredView(op, viewOf.barred);
  if (!x.requiresGrad || !(viewOf?.base ?? x).isLeaf) return;
  throw new AutogradError(
    `${op}: a ${viewOf ? 'view of a ' : ''}leaf Variable that requires grad is being used in an in-place operation.`,
  );
}

/**
 * Makes x hold the result of `compute`, an ordinary op on x and `operands`. Where nothing is recorded, `direct` writes
 * into x's memory without a temporary, and what `compute` made is given back at once. An op whose gradient reads x itself must compute with `original()`: where a
 * graph is recorded that is a copy, which the overwriting does not reach.
 */
export function inplace<T extends Variable>(
  op: string,
  x: T,
  operands: readonly Variable[],
  compute: (original: () => T) => T,
  direct?: (out: NDArray) => void,
): T {
  checkSeparate(x, op);
  checkChangeable(x, op, operands);
  for (const operand of operands) checkAcross(x, operand, op);
  if (!needsGraph([x, ...operands]) || !isFloating(x.dtype)) {
    if (direct) direct(x.array);
    else {
      const { result, created } = collectStorages(() => compute(() => x));
      x.array.backend.assign(x.array, result.array);
      for (const storage of created) storage.free();
    }
    x.array.storage.version++;
    return x;
  }
  const result = compute(() => clone(x));
  if (!sameShape(result.shape, x.shape)) {
    throw new ShapeError(
      `${op}: output with shape ${formatShape(x.shape)} doesn't match the broadcast shape ${formatShape(result.shape)}`,
    );
  }
  x.array.backend.assign(x.array, result.array);
  x.array.storage.version++;
  const recorded = result.gradFn === null ? withoutSlope(op, result, [x, ...operands]) : result;
  return changedTo(x, recorded);
}

/** x, whose memory holds `result` already, with the history of that. */
export function changedTo<T extends Variable>(x: T, result: T): T {
  const base = x.viewOf?.base as T | undefined;
  if (base) rebaseThroughView(base, x, result);
  else x.rebase(result.gradFn, result.slot);
  return x;
}

/** What an op without derivative wrote, as of a comparison: it still belongs to the graph, and its gradients are 0. */
function withoutSlope<T extends Variable>(op: string, result: T, of: readonly Variable[]): T {
  const words = op.split('_').map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  const name = `${words.join('')}Backward${of.length > 1 ? 1 : 0}`;
  return record(name, result.array, [result, ...(of as readonly T[])], () => (grad) => [
    null,
    ...of.map(() => zeros(grad)),
  ]);
}

/** x itself takes the shape of `compute(x)`, a view of it: `x.unsqueeze_(0)`. @throws AutogradError */
export function inplaceView<T extends Variable>(op: string, x: T, compute: (x: T) => T): T {
  checkChangeable(x, op);
  x.become(inOp(op, () => compute(x)));
  x.array.storage.version++;
  return x;
}

/** The base's new history: its old one everywhere but where the view lies, the result's there. */
function rebaseThroughView<T extends Variable>(base: T, x: T, result: T): void {
  const { shape, strides, offset } = x.array;
  const whole = base.array;
  const node = record('CopySlices', whole, [base, result], () => (grad) => {
    const window = (g: T) =>
      asStrided(g, shape, layoutIn(g.array, whole, strides), offsetIn(g.array, whole, offset));
    const own = contiguousLike(grad, whole);
    return [clearWindow(own, window), window(own)];
  });
  base.rebase(node.gradFn, node.slot);
}

/** A gradient with exactly the base's strides, so that the view's layout applies to it. */
function contiguousLike<T extends Variable>(grad: T, base: NDArray): T {
  const { backend } = grad.array;
  const out = backend.empty(base.shape, grad.dtype, base.dense ? base.strides : undefined);
  backend.assign(out, grad.array);
  return record('CloneBackward0', out, [grad], () => (g) => [g]);
}

const layoutIn = (own: NDArray, base: NDArray, strides: readonly number[]): readonly number[] => {
  if (base.dense) return strides;
  throw new AutogradError(
    `backward: an in-place change of a view whose base is not dense (strides ${formatShape(base.strides)}) cannot be ` +
      `differentiated; clone() the base first (gradient strides ${formatShape(own.strides)})`,
  );
};
const offsetIn = (own: NDArray, base: NDArray, offset: number): number => own.offset + offset - base.offset;

function clearWindow<T extends Variable>(grad: T, window: (g: T) => T): T {
  const { backend } = grad.array;
  const out = backend.empty(grad.shape, grad.dtype, grad.array.strides);
  backend.assign(out, grad.array);
  const cleared = grad.derive(out);
  const hole = window(cleared);
  backend.fill(hole.array, 0);
  return record('CopySlices', out, [grad], () => (g) => [clearWindow(g, window)]);
}

/** True if backward will read the first operand. */
const readsFirst = (row: BinaryOp['row'], other: OperandOf<Variable>): boolean =>
  row.saves !== 'none' && !(row.saves === 'other' && !(typeof other === 'object' && other.requiresGrad));

/** An in-place form of a binary op: `x.add_(y)`. `source` is the operand as it came, if `other` was made from it. */
export function inplaceBinary<T extends Variable>(
  op: BinaryOp,
  x: T,
  other: OperandOf<T>,
  name: string,
  source: OperandOf<T> = other,
): T {
  operandGiven(other, name, 'other');
  const dtype = operandDType(op.row, x, other);
  checkCastInto(op.row.predicate ? 'bool' : dtype, x.dtype, name);
  if (typeof other === 'object') {
    checkDevices([x, other], name, 'input other');
    const shape = broadcastShapes(x.shape, other.shape, name);
    if (!sameShape(shape, x.shape)) {
      throw new ShapeError(
        `${name}: output with shape ${formatShape(x.shape)} doesn't match the broadcast shape ${formatShape(shape)}`,
      );
    }
  }
  const direct =
    dtype === x.dtype && !op.row.predicate
      ? (out: NDArray) => {
          const b = promoteOperand<T>(other, dtype, x, name);
          out.backend.binary(op.row, out, typeof b === 'object' ? b.array : b, out);
        }
      : undefined;
  return inplace(
    name,
    x,
    typeof source === 'object' ? [source] : [],
    (original) => op<T>(readsFirst(op.row, other) ? original() : x, other),
    direct,
  );
}

/** x without what `expand` repeated: of what is in memory several times, one. */
export function once<T extends Variable>(x: T): T {
  const { strides } = x.array;
  return x.shape.reduce((y: T, size, d) => (size > 1 && strides[d] === 0 ? narrow(y, d, 0, 1) : y), x);
}

/** All elements become `value`, a number or a tensor without dimensions. @throws ShapeError */
export function fill_<T extends Variable>(
  x: T,
  value: number | bigint | boolean | T,
  node = 'FillBackward2',
): T {
  operandGiven(value, 'fill_', 'value');
  const target = once(x);
  if (typeof value === 'object') {
    if (value.ndim === 0) {
      copy_(target, value);
      return x;
    }
    throw new ShapeError(
      `fill_: only supports 0-dimension value tensor but got tensor with ${value.ndim} dimensions.`,
    );
  }
  const plain = elementValue(value, x.dtype, 'fill_');
  const direct = (out: NDArray) => out.backend.fill(out, plain);
  const compute = () => {
    const { array } = target;
    const out = array.backend.empty(array.shape, array.dtype);
    array.backend.fill(out, plain);
    return record(node, out, [target], () => (grad) => [zeros(grad)]);
  };
  inplace('fill_', target, [], compute, direct);
  return x;
}

/** x takes the elements of source, broadcast and converted. @throws ShapeError */
export function copy_<T extends Variable>(x: T, source: T): T {
  tensorGiven(x, 'copy');
  tensorGiven(source, 'copy', 'source');
  const shape = broadcastShapes(x.shape, source.shape, 'copy_', ['input', 'source']);
  if (!sameShape(shape, x.shape)) {
    throw new ShapeError(
      `copy_: output with shape ${formatShape(x.shape)} doesn't match the broadcast shape ${formatShape(shape)}`,
    );
  }
  const compute = () => {
    const { array } = x;
    const out = array.backend.empty(array.shape, array.dtype);
    array.backend.assign(out, source.array);
    return record('CopyBackwards', out, [x, source], () => (grad) => [zeros(grad), grad]);
  };
  return inplace('copy_', x, [source], compute, (out) => out.backend.assign(out, source.array));
}
