/**
 * Elementwise work on buffers that are larger than a kernel can bind: the result is halved along its outermost dimension
 * until what each part reads and writes can be bound, and every part is a kernel of its own.
 */
import { DeviceError } from '../../core/errors.ts';
import { numElements, type Strides } from '../../core/shape.ts';
import { type Cell, PART_STEP } from './cells.ts';
import { wordsOf } from './elementTypes.ts';
import { Expression, type Leaf, type Node } from './expressions.ts';
import type { GpuStorage } from './storage.ts';

/** Where a kernel writes. */
export interface Target {
  readonly cell: Cell;
  readonly dtype: Leaf['dtype'];
  readonly offset: number;
  readonly strides: Strides;
  readonly size: number;
  /** All of the storage is written. */
  readonly whole: boolean;
  /** Without gap or overlap. */
  readonly dense: boolean;
  /** The cell is a new one of this storage. */
  readonly fills?: GpuStorage | undefined;
}

export interface Part {
  readonly expression: Expression;
  readonly target: Target;
}

/** More kernels than this for one op: its operands lie so that parts of the result need all of them. */
const MOST_PARTS = 4096;
/** Parts begin at multiples of this along the direction of memory, so that vectors of four stay possible. */
const GRAIN = 64;

/** Some elements of a cell. */
type Reading = Pick<Leaf, 'cell' | 'dtype' | 'offset' | 'strides'>;

interface Box {
  readonly start: readonly number[];
  readonly shape: readonly number[];
}

export const isTooLarge = ({ cells }: Expression, target: Target, mostBound: number): boolean =>
  target.cell.bytes > mostBound || cells.some((cell) => cell.bytes > mostBound);

/** The bytes from the first element of the box to the last. */
function rangeOf({ dtype, offset, strides }: Reading, { start, shape }: Box): { from: number; to: number } {
  const bytes = wordsOf(dtype) * 4;
  let first = offset;
  let last = offset;
  for (let d = 0; d < shape.length; d++) {
    first += start[d] * strides[d];
    last += (start[d] + shape[d] - 1) * strides[d];
  }
  return { from: first * bytes, to: (last + 1) * bytes };
}

function halves({ start, shape }: Box, strides: Strides): [Box, Box] {
  const sizes = shape.map((size, d) => (size > 1 ? strides[d] : -1));
  const d = sizes.indexOf(Math.max(...sizes));
  const half = Math.ceil(shape[d] / 2);
  const low = shape[d] > 2 * GRAIN ? Math.ceil(half / GRAIN) * GRAIN : half;
  const sized = (size: number) => shape.map((n, e) => (e === d ? size : n));
  return [
    { start, shape: sized(low) },
    { start: start.map((n, e) => (e === d ? n + low : n)), shape: sized(shape[d] - low) },
  ];
}

/** @throws DeviceError where that takes thousands of kernels */
export function partsOf(expression: Expression, target: Target, mostBound: number): Part[] {
  const large = (x: Reading) => x.cell.bytes > mostBound;
  const readings: Reading[] = [target, ...expression.nodes.filter((node) => node.kind === 'leaf')].filter(
    large,
  );
  const fits = (box: Box) =>
    readings.every((x) => {
      const { from, to } = rangeOf(x, box);
      return to - from + PART_STEP + 16 <= mostBound;
    });
  const boxes: Box[] = [];
  const divide = (box: Box): void => {
    if (fits(box)) boxes.push(box);
    else for (const half of halves(box, target.strides)) divide(half);
    if (boxes.length <= MOST_PARTS) return;
    throw new DeviceError(
      `webgpu: an elementwise op on a tensor of ${Math.max(...readings.map((x) => x.cell.bytes))} bytes cannot be divided: this ` +
        `device binds ${mostBound} bytes at most, and the operands lie across each other in memory; make them contiguous on the cpu`,
    );
  };
  const { shape } = expression;
  divide({ start: shape.map(() => 0), shape });
  return boxes.map((box) => partOf(expression, target, box, large));
}

/** The same formula over a box of the result, on ranges of the large cells. */
function partOf(
  { root, nodes, strides }: Expression,
  target: Target,
  box: Box,
  large: (x: Reading) => boolean,
): Part {
  const made = new Map<string, Cell>();
  const within = (x: Reading): { cell: Cell; offset: number } => {
    const { from, to } = rangeOf(x, box);
    const bytes = wordsOf(x.dtype) * 4;
    if (!large(x)) return { cell: x.cell, offset: from / bytes };
    const begin = Math.floor(from / PART_STEP) * PART_STEP;
    // What reads where the result is written binds the same range.
    const key = `${x.cell.block.id} ${begin} ${to}`;
    const cell = made.get(key) ?? x.cell.part(begin, to - begin);
    made.set(key, cell);
    return { cell, offset: (from - begin) / bytes };
  };
  const written = within(target);
  const copies = new Map<Node, Node>();
  for (const node of nodes) {
    if (node.kind === 'leaf') copies.set(node, { ...node, ...within(node) });
    else if (node.kind === 'apply')
      copies.set(node, { ...node, inputs: node.inputs.map((input) => copies.get(input) as Node) });
    else copies.set(node, node);
  }
  return {
    expression: new Expression(copies.get(root) as Node, box.shape, strides),
    target: { ...target, ...written, size: numElements(box.shape), whole: false, fills: undefined },
  };
}
