/**
 * Results of elementwise ops that are not computed yet: a formula over buffers, numbers and other formulas. An op that
 * reads such a result takes its formula in, so that a chain of ops becomes one kernel; what an intermediate result would
 * have held is worked out again where it is wanted after all.
 */
import type { DType } from '../../core/dtype.ts';
import { numElements, type Shape, type Strides } from '../../core/shape.ts';
import type { Cell } from './cells.ts';

/** Elements of a buffer, by strides along the dimensions of the result. */
export interface Leaf {
  readonly kind: 'leaf';
  readonly dtype: DType;
  readonly cell: Cell;
  readonly offset: number;
  readonly strides: Strides;
}

/** One number, as the words of an element. */
export interface Scalar {
  readonly kind: 'scalar';
  readonly dtype: DType;
  readonly words: readonly number[];
}

/** What an op does to an element. */
export interface Formula {
  /** The op, for labels. */
  readonly name: string;
  /** WGSL over `names`. */
  readonly text: string;
  readonly names: readonly string[];
  /** What the text gives: a value of this dtype's lane, or (predicate) a WGSL bool. */
  readonly lane: DType;
  readonly predicate: boolean;
}

export interface Apply {
  readonly kind: 'apply';
  /** What the result is converted to. */
  readonly dtype: DType;
  readonly formula: Formula;
  readonly inputs: readonly Node[];
}

export type Node = Leaf | Scalar | Apply;

/** Ops that one kernel may stand for, and buffers that it may read: devices bind 8 at least. */
const MOST_OPS = 16;
const MOST_CELLS = 5;
/** What a formula costs that calls functions like exp: so much is not worked out twice. */
const COSTLY = 8;
const cheapCalls =
  /^(?:f_max|f_min|f_sign|f_round|fmax|fmin|isNan|isInf|isFinite|isNegative|select|abs|max|min|relu)$/;
/** What a quotient costs beside a sum or a product. */
const QUOTIENT = 2;
const costs = new Map<string, number>();

function costOf(text: string): number {
  let cost = costs.get(text);
  if (cost === undefined) {
    const called = [...text.matchAll(/(\w+)\(/g)].map(([, name]) => name);
    const quotients = called.filter((name) => name === 'divide').length;
    const cheap = called.every((name) => name === 'divide' || cheapCalls.test(name));
    cost = cheap ? 1 + QUOTIENT * quotients : COSTLY;
    costs.set(text, cost);
  }
  return cost;
}

/** Every node below `root`, inputs first, each once. */
export function nodesOf(root: Node): Node[] {
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    if (node.kind === 'apply') node.inputs.forEach(visit);
    seen.add(node);
  };
  visit(root);
  return [...seen];
}

export class Expression {
  readonly root: Node;
  readonly shape: Shape;
  /** Of the result, which fills its storage without gap or overlap. */
  readonly strides: Strides;
  readonly size: number;
  /** All of it, inputs first. */
  readonly nodes: readonly Node[];
  readonly cells: readonly Cell[];
  readonly ops: number;
  readonly cost: number;
  /** Kernels and results to come that took it in. */
  uses = 0;

  constructor(root: Node, shape: Shape, strides: Strides) {
    this.root = root;
    this.shape = shape;
    this.strides = strides;
    this.size = numElements(shape);
    const nodes = nodesOf(root);
    this.nodes = nodes;
    this.cells = [...new Set(nodes.flatMap((node) => (node.kind === 'leaf' ? [node.cell] : [])))];
    let ops = 0;
    let cost = 0;
    for (const node of nodes) {
      if (node.kind !== 'apply') continue;
      ops++;
      cost += costOf(node.formula.text);
    }
    this.ops = ops;
    this.cost = cost;
  }

  /** Small enough for one kernel. */
  get fits(): boolean {
    return this.ops <= MOST_OPS && this.cells.length <= MOST_CELLS;
  }

  /** Rather computed than taken in once more. */
  get spent(): boolean {
    return this.uses > 0 && this.cost >= COSTLY;
  }

  hold(): void {
    for (const cell of this.cells) cell.hold();
  }

  letGo(): void {
    for (const cell of this.cells) cell.letGo();
  }

  /**
   * The formula of a view of the result, by the dimensions of the view. Null where a leaf has no strides along them, or
   * where much would be worked out many times.
   */
  viewed(shape: Shape, strides: Strides, offset: number): Node | null {
    if (offset === 0 && sameLayout(this.shape, this.strides, shape, strides)) return this.root;
    const repeats = shape.some((size, d) => size > 1 && strides[d] === 0);
    if (repeats && this.size > 1 && this.cost >= COSTLY) return null;
    const view = { shape, strides, offset };
    const made = new Map<Node, Node>();
    for (const node of this.nodes) {
      let copy: Node | null = node;
      if (node.kind === 'leaf') copy = leafOfView(node, this, view);
      else if (node.kind === 'apply')
        copy = { ...node, inputs: node.inputs.map((input) => made.get(input) as Node) };
      if (copy === null) return null;
      made.set(node, copy);
    }
    return made.get(this.root) as Node;
  }
}

interface Layout {
  readonly shape: Shape;
  readonly strides: Strides;
}

function sameLayout(shape: Shape, strides: Strides, otherShape: Shape, otherStrides: Strides): boolean {
  if (shape.length !== otherShape.length) return false;
  return shape.every((size, d) => size === otherShape[d] && (size === 1 || strides[d] === otherStrides[d]));
}

/** The leaf lies in memory as the result does. */
export const isFlat = (leaf: Leaf, { shape, strides }: Layout): boolean =>
  shape.every((size, d) => size === 1 || leaf.strides[d] === strides[d]);

function leafOfView(leaf: Leaf, result: Layout, view: Layout & { readonly offset: number }): Leaf | null {
  const { shape, strides } = result;
  if (isFlat(leaf, result)) return { ...leaf, strides: view.strides, offset: leaf.offset + view.offset };
  // Where the view begins, by the dimensions of the result.
  const dims = shape.map((_, d) => d).filter((d) => shape[d] > 1);
  dims.sort((a, b) => strides[b] - strides[a]);
  const start = new Array<number>(shape.length).fill(0);
  let rest = view.offset;
  let offset = leaf.offset;
  for (const d of dims) {
    start[d] = Math.floor(rest / strides[d]);
    rest -= start[d] * strides[d];
    offset += start[d] * leaf.strides[d];
  }
  const walked = new Set<number>();
  const steps: number[] = [];
  for (let v = 0; v < view.shape.length; v++) {
    const size = view.shape[v];
    if (size === 1 || view.strides[v] === 0) {
      steps.push(0);
      continue;
    }
    const d = dims.find((e) => strides[e] === view.strides[v]);
    if (d === undefined || walked.has(d) || start[d] + size > shape[d]) return null;
    walked.add(d);
    steps.push(leaf.strides[d]);
  }
  return { ...leaf, offset, strides: steps };
}
