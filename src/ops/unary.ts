/** How an elementwise op of one operand is made from its row. The rows are in elementwise.ts, activation.ts, …. */

import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import type { UnarySpec } from '../backend/backend.ts';
import { isFloating, toFloating } from '../core/dtype.ts';
import { cast } from './convert.ts';
import { notImplemented, tensorGiven } from './given.ts';

/** The name of a node from that of an op, as PyTorch builds it: logical_not → LogicalNotBackward0. */
export function nodeName(op: string): string {
  let name = nodeNames.get(op);
  if (name === undefined) {
    name = `${op.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase())}Backward0`;
    nodeNames.set(op, name);
  }
  return name;
}

const nodeNames = new Map<string, string>();

/** All that is said of a simple op: formulas for the backends, and how its gradient follows. */
export interface UnaryRow extends UnarySpec {
  /** `grad_fn` if it is not the op's name in camel case. */
  readonly node?: string;
  /** What integers and bools become: a floating result (the default for functions of analysis), or stay. */
  readonly integers: 'float' | 'same' | 'error';
  /** Where bools are not treated as integers are: they count as int64, or are refused. */
  readonly bools?: 'int64' | 'error';
  /** What backward reads. */
  readonly saves?: 'input' | 'output';
  /** The input's gradient, from the output's and what was saved; absent: zero (a step function). */
  readonly backward?: <T extends Variable>(grad: T, saved: T, p: number, q: number) => T;
}

export interface UnaryOp {
  <T extends Variable>(x: T): T;
  readonly row: UnaryRow;
}

/** Runs a row on x; `p` and `q` are the row's scalars. */
export function applyUnary<T extends Variable>(row: UnaryRow, x: T, p = 0, q = 0): T {
  const input = prepare(row, x);
  const { array } = input;
  const out = array.backend.unary(row, array, p, q);
  return record(row.node ?? nodeName(row.name), out, [input], (node, output, [given]) => {
    const { backward } = row;
    if (backward === undefined) return (grad) => [zeros(grad)];
    if (row.saves === undefined) return (grad) => [backward(grad, grad, p, q)];
    const saved = row.saves === 'input' ? node.save(given) : node.saveOutput(output);
    return (grad) => [backward(grad, saved.get(grad), p, q)];
  });
}

/** Zeros like x, outside the graph. */
export function zeros<T extends Variable>(x: T): T {
  const { array } = x;
  const out = array.backend.empty(array.shape, array.dtype);
  array.backend.fill(out, 0);
  return x.derive(out);
}

function prepare<T extends Variable>(row: UnaryRow, x: T): T {
  tensorGiven(x, row.name);
  if (isFloating(x.dtype)) return x;
  if (x.dtype === 'bool' && row.bools !== undefined) {
    if (row.bools === 'int64') return cast(x, 'int64');
    throw notImplemented(row.name, 'a numeric', x.dtype);
  }
  if (row.integers === 'same') return x;
  if (row.integers === 'float') return cast(x, toFloating(x.dtype));
  throw notImplemented(row.name, 'a floating point', x.dtype);
}

/** An op of one operand, as users call it. */
export function unaryOp(row: UnaryRow): UnaryOp {
  return Object.assign(<T extends Variable>(x: T): T => applyUnary(row, x), { row });
}
