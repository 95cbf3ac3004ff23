/**
 * Sums of products by Einstein's convention: letters name dimensions, letters that the result lacks are summed over.
 * Operands are contracted from left to right, each step one batched matrix product.
 */

import type { Variable } from '../autograd/variable.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape, numElements } from '../core/shape.ts';
import { cast } from './convert.ts';
import { given, tensorsGiven } from './given.ts';
import { bmm } from './matmul.ts';
import { sum } from './reduce.ts';
import { diagonal } from './triangles.ts';
import { expand, permute, reshape } from './views.ts';

/** A tensor with a label for each dimension, all different. */
interface Labelled<T> {
  readonly x: T;
  readonly labels: readonly string[];
}

const fail = (message: string): never => {
  throw new ArgumentError(`einsum(): ${message}`);
};

/** Letters, and '...' as one label per dimension that it covers, counted from the right. */
function readLabels(text: string, ndim: number | null, covered: number): string[] {
  const tokens = text.match(/\.\.\.|[a-zA-Z]|\S/g) ?? [];
  const letters = tokens.filter((token) => token !== '...');
  for (const letter of letters)
    if (!/^[a-zA-Z]$/.test(letter))
      fail(`invalid subscript given, subscripts must be in [a-zA-Z]; got '${letter}' in '${text}'`);
  if (tokens.length - letters.length > 1)
    fail("found '.' for operand for which an ellipsis was already found");
  if (ndim !== null && tokens.length === letters.length && letters.length !== ndim) {
    fail(
      `the number of subscripts in the equation (${letters.length}) does not match the number of dimensions (${ndim}) for operand '${text}'`,
    );
  }
  if (ndim !== null && letters.length > ndim) {
    fail(
      `the number of subscripts in the equation (${letters.length}) is more than the number of dimensions (${ndim}) for operand '${text}'`,
    );
  }
  const width = ndim === null ? covered : ndim - letters.length;
  return tokens.flatMap((token) =>
    token === '...' ? Array.from({ length: width }, (_, i) => `.${width - i}`) : [token],
  );
}

/** Repeated letters of one operand become its diagonal. */
function withoutRepeats<T extends Variable>(x: T, labels: readonly string[]): Labelled<T> {
  const second = labels.findIndex((label, i) => labels.indexOf(label) < i);
  if (second < 0) return { x, labels };
  const first = labels.indexOf(labels[second]);
  if (x.shape[first] !== x.shape[second]) {
    fail(
      `subscript ${labels[second]} is repeated for operand but the sizes don't match, ${x.shape[second]} != ${x.shape[first]}`,
    );
  }
  const rest = labels.filter((_, i) => i !== first && i !== second);
  return withoutRepeats(diagonal(x, 0, first, second), [...rest, labels[second]]);
}

/** The dimensions in the order of `labels`, which name all of them. */
const ordered = <T extends Variable>({ x, labels }: Labelled<T>, order: readonly string[]): T =>
  permute(
    x,
    order.map((label) => labels.indexOf(label)),
  );

/** Sums over the dimensions whose labels are not kept. */
function summed<T extends Variable>({ x, labels }: Labelled<T>, keep: ReadonlySet<string>): Labelled<T> {
  const dims = labels.flatMap((label, d) => (keep.has(label) ? [] : [d]));
  return dims.length === 0
    ? { x, labels }
    : { x: sum(x, dims), labels: labels.filter((label) => keep.has(label)) };
}

/** `alike`: all operands of the equation have one dtype. */
function contract<T extends Variable>(
  left: Labelled<T>,
  right: Labelled<T>,
  later: ReadonlySet<string>,
  alike: boolean,
): Labelled<T> {
  const a = summed(left, new Set([...later, ...right.labels]));
  const b = summed(right, new Set([...later, ...left.labels]));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => later.has(label));
  const over = shared.filter((label) => !later.has(label));
  const onlyA = a.labels.filter((label) => !shared.includes(label));
  const onlyB = b.labels.filter((label) => !shared.includes(label));
  const size = (label: string): number =>
    Math.max(
      ...[a, b].flatMap(({ x, labels }) => (labels.includes(label) ? [x.shape[labels.indexOf(label)]] : [])),
    );
  const common = (label: string): number => (sizesOf(label, a, b).includes(0) ? 0 : size(label));
  const sizes = (labels: readonly string[]) => labels.map(common);
  const spread = (y: Labelled<T>, order: readonly string[]): T => expand(ordered(y, order), sizes(order));
  const [nb, na, nk, nc] = [batch, onlyA, over, onlyB].map((labels) => numElements(sizes(labels)));
  const rows = reshape(spread(a, [...batch, ...onlyA, ...over]), [nb, na, nk]);
  const columns = reshape(spread(b, [...batch, ...over, ...onlyB]), [nb, nk, nc]);
  const labels = [...batch, ...onlyA, ...onlyB];
  // Sums of integers are int64.
  const [p, q] =
    alike && rows.dtype !== columns.dtype ? [cast(rows, 'int64'), cast(columns, 'int64')] : [rows, columns];
  return { x: reshape(bmm(p, q), sizes(labels)), labels };
}

function sizesOf<T extends Variable>(label: string, ...list: readonly Labelled<T>[]): number[] {
  return list.flatMap(({ x, labels }) => (labels.includes(label) ? [x.shape[labels.indexOf(label)]] : []));
}

/** All operands must agree on the size of a label; a size of 1 broadcasts. */
function checkSizes<T extends Variable>(operands: readonly Labelled<T>[]): void {
  const seen = new Map<string, number>();
  operands.forEach(({ x, labels }, i) => {
    labels.forEach((label, d) => {
      const size = x.shape[d];
      const known = seen.get(label) ?? 1;
      if (known !== 1 && size !== 1 && known !== size) {
        throw new ShapeError(
          `einsum(): subscript ${label} has size ${size} for operand ${i} (of shape ${formatShape(x.shape)}) which does not ` +
            `broadcast with previously seen size ${known}`,
        );
      }
      if (known === 1) seen.set(label, size);
    });
  });
}

/** Labels of a result that the equation does not name: the ellipsis, then letters used once, in alphabetical order. */
function impliedLabels(inputs: readonly (readonly string[])[], covered: number): string[] {
  const all = inputs.flat();
  const once = [...new Set(all)].filter(
    (label) => !label.startsWith('.') && all.indexOf(label) === all.lastIndexOf(label),
  );
  return [...Array.from({ length: covered }, (_, i) => `.${covered - i}`), ...once.sort()];
}

/**
 * `einsum('bij,bjk->bik', a, b)`. Operands may be given as a list; '...' stands for dimensions without letters.
 * @throws ArgumentError for a malformed equation; ShapeError for sizes that do not agree
 */
export function einsum<T extends Variable>(equation: string, ...operands: readonly T[] | [readonly T[]]): T {
  return inOp('einsum', () => {
    const [head] = operands;
    const tensors = (operands.length === 1 && Array.isArray(head) ? head : operands) as readonly T[];
    given(equation, 'einsum', 'equation', 'a string');
    tensorsGiven(tensors, 'einsum', 'operands');
    const [left, right, ...more] = equation.replace(/\s+/g, '').split('->');
    if (more.length > 0) fail(`invalid equation '${equation}'`);
    const inputs = left.split(',');
    if (tensors.length === 0) fail("must provide at least one operand as argument 'operands', but got none");
    if (inputs.length !== tensors.length)
      fail(
        `fewer or more operands (${tensors.length}) were provided as argument 'operands' than specified in the equation: expected ${inputs.length}, but got ${tensors.length}`,
      );
    const read = inputs.map((text, i) => readLabels(text, tensors[i].ndim, 0));
    const covered = Math.max(...read.map((labels) => labels.filter((label) => label.startsWith('.')).length));
    const output = right === undefined ? impliedLabels(read, covered) : readLabels(right, null, covered);
    for (const label of output) {
      if (output.indexOf(label) !== output.lastIndexOf(label))
        fail(`output subscript ${label} appears more than once in the output`);
      if (!read.some((labels) => labels.includes(label)))
        fail(`output subscript ${label} does not appear in the equation for any input operand`);
    }
    const list = tensors.map((x, i) => withoutRepeats(x, read[i]));
    checkSizes(list);
    const kept = new Set(output);
    const alike = tensors.every((x) => x.dtype === tensors[0].dtype);
    let result = list[0];
    for (let i = 1; i < list.length; i++) {
      const later = new Set([...output, ...list.slice(i + 1).flatMap((operand) => operand.labels)]);
      result = contract(result, list[i], later, alike);
    }
    return ordered(summed(result, kept), output);
  });
}
