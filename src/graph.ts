/** The recorded graph, to look at: as plain data, as DOT, as a drawing, and walked backward a node at a time. */

import { type WalkStep, walkSteps } from './autograd/backward.ts';
import { AccumulateGrad, type GraphNode, OpNode } from './autograd/node.ts';
import type { NDArray, Storage } from './backend/array.ts';
import { type DType, dtypeInfo } from './core/dtype.ts';
import { ArgumentError, AutogradError } from './core/errors.ts';
import type { PlotOptions } from './core/svg.ts';
import { drawGraph, formatBytes } from './graphDrawing.ts';
import { optionsGiven } from './ops/given.ts';
import { initialGradient, Tensor } from './tensor.ts';

/** Tensors with the names that drawings show: a table, pairs, or a module, whose parameters are meant. */
export type TensorNames =
  | Readonly<Record<string, Tensor>>
  | Iterable<readonly [string, Tensor]>
  | { namedParameters(): Iterable<readonly [string, Tensor]> };

export interface GraphOptions {
  /** Names for leaves and for results, say `{ x, w }` or a module. */
  names?: TensorNames;
}

/** A tensor that backward keeps. */
export interface SavedTensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Of the elements themselves. */
  readonly bytes: number;
  /** It is the op's own result, otherwise one of its inputs. */
  readonly isOutput: boolean;
}

/** One call of an op, or one leaf. */
export interface RecordedNode {
  /** The same in `graph` and `backwardSteps`; later calls have larger numbers. */
  readonly id: number;
  readonly kind: 'op' | 'leaf';
  /** PyTorch's name: `MulBackward0`, and `AccumulateGrad` for a leaf. */
  readonly name: string;
  /** The name that the user gave to the leaf or the result; null if none. */
  readonly label: string | null;
  readonly outputs: readonly { readonly shape: readonly number[]; readonly dtype: DType }[];
  readonly saved: readonly SavedTensor[];
  /** Sum over `saved`. */
  readonly savedBytes: number;
  /** True for what `graph` was asked about. */
  readonly isRoot: boolean;
  /** Where the op was called: known while detectAnomaly is on. */
  readonly calledAt: string | null;
}

/** Values flow from → to, gradients to → from. */
export interface RecordedEdge {
  readonly from: number;
  readonly to: number;
  /** Which result of `from`. */
  readonly output: number;
  /** Which input of `to`. */
  readonly input: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** The graph as data: what `JSON.stringify` writes. */
export interface RecordedGraphData {
  /** In the order of the calls. */
  readonly nodes: readonly RecordedNode[];
  readonly edges: readonly RecordedEdge[];
  /** Bytes that backward keeps; memory that several nodes share counts once. */
  readonly savedBytes: number;
}

/** What was recorded on the way to some tensors. */
export class RecordedGraph implements RecordedGraphData {
  readonly nodes: readonly RecordedNode[];
  readonly edges: readonly RecordedEdge[];
  readonly savedBytes: number;

  constructor({ nodes, edges, savedBytes }: RecordedGraphData) {
    this.nodes = nodes;
    this.edges = edges;
    this.savedBytes = savedBytes;
  }

  /** Plain data, for `JSON.stringify`, `postMessage` and drawings of your own. */
  toJSON(): RecordedGraphData {
    const { nodes, edges, savedBytes } = this;
    return { nodes, edges, savedBytes };
  }

  /** Graphviz's language. */
  toDOT(): string {
    const quote = (text: string) => `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`;
    const lines = this.nodes.map((node) => {
      const colour = node.kind === 'leaf' ? 'lightblue' : node.isRoot ? 'palegreen' : 'lightgrey';
      return `  n${node.id} [label=${quote(describeNode(node).join('\n'))}, fillcolor=${colour}];`;
    });
    const arrows = this.edges.map((e) => `  n${e.from} -> n${e.to} [label=${quote(sizes(e.shape))}];`);
    return [
      'digraph {',
      '  node [shape=box, style="filled,rounded", fontname="sans-serif"];',
      ...lines,
      ...arrows,
      '}',
    ].join('\n');
  }

  /** A drawing, leaves above what was computed from them. `highlight` marks one node, as when walking backward. */
  toSVG(options: PlotOptions & { highlight?: number } = {}): string {
    const boxes = this.nodes.map((node) => ({
      id: node.id,
      lines: describeNode(node),
      role: node.kind === 'leaf' ? ('leaf' as const) : node.isRoot ? ('root' as const) : ('op' as const),
    }));
    const arrows = this.edges.map(({ from, to, shape }) => ({ from, to, label: sizes(shape) }));
    return drawGraph(boxes, arrows, options);
  }

  /** One line for each node, in the order of the calls. */
  toString(): string {
    const inputs = (id: number) => this.edges.filter((e) => e.to === id).map((e) => `#${e.from}`);
    const lines = this.nodes.map(
      (node) => `#${node.id} ${describeNode(node).join(', ')}${bracket(inputs(node.id))}`,
    );
    return [...lines, `saved for backward: ${formatBytes(this.savedBytes)}`].join('\n');
  }
  /** What Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

const bracket = (inputs: readonly string[]): string =>
  inputs.length === 0 ? '' : ` <- ${inputs.join(', ')}`;
const sizes = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

function describeNode(node: RecordedNode): string[] {
  const { label, name, outputs, savedBytes } = node;
  const title = node.kind === 'leaf' ? (label ?? 'leaf') : label === null ? name : `${label} = ${name}`;
  const results = outputs.map(({ shape, dtype }) => sizes(shape) + (dtype === 'float32' ? '' : ` ${dtype}`));
  return [title, results.join(', '), ...(savedBytes > 0 ? [`saves ${formatBytes(savedBytes)}`] : [])];
}

/** By node and output: the names that the user gave. */
function labelsOf(names: TensorNames | undefined): Map<GraphNode, string> {
  const labels = new Map<GraphNode, string>();
  for (const [name, tensor] of pairsOf(names)) {
    if (!(tensor instanceof Tensor)) {
      throw new ArgumentError(`graph: names must be tensors, but got ${typeof tensor} for '${name}'`);
    }
    const edge = tensor.edge();
    if (edge === null) continue;
    const before = labels.get(edge.node);
    labels.set(edge.node, before === undefined ? name : `${before}, ${name}`);
  }
  return labels;
}

function pairsOf(names: TensorNames | undefined): Iterable<readonly [string, Tensor]> {
  if (names === undefined) return [];
  if ('namedParameters' in names && typeof names.namedParameters === 'function')
    return names.namedParameters();
  return Symbol.iterator in names
    ? (names as Iterable<readonly [string, Tensor]>)
    : Object.entries(names as Readonly<Record<string, Tensor>>);
}

const bytesOf = (array: NDArray): number =>
  Math.min(array.size * dtypeInfo[array.dtype].bytes, array.storage.byteLength);

function describe(node: GraphNode, label: string | null, isRoot: boolean): RecordedNode {
  const kept = node instanceof OpNode ? node.saved : [];
  const saved = kept.flatMap(({ array, isOutput }) =>
    array === null ? [] : [{ shape: [...array.shape], dtype: array.dtype, bytes: bytesOf(array), isOutput }],
  );
  return {
    id: node.sequence,
    kind: node instanceof AccumulateGrad ? 'leaf' : 'op',
    name: node.name,
    label,
    outputs: node.outputs.map(({ shape, dtype }) => ({ shape: [...shape], dtype })),
    saved,
    savedBytes: saved.reduce((sum, { bytes }) => sum + bytes, 0),
    isRoot,
    calledAt: node.calledAt,
  };
}

/**
 * What was recorded on the way to `roots` (usually the loss): call it before `backward`, which frees what was saved.
 * @throws AutogradError if a root requires no gradient
 */
export function graph(roots: Tensor | readonly Tensor[], options: GraphOptions = {}): RecordedGraph {
  const list = roots instanceof Tensor ? [roots] : roots;
  const starts = list.map((root) => {
    const edge = root.edge();
    if (edge === null) {
      throw new AutogradError('graph: element 0 of tensors does not require grad and does not have a gradFn');
    }
    return edge.node;
  });
  const labels = labelsOf(optionsGiven(options, 'graph', 'names').names);
  const seen = new Set(starts);
  const edges: RecordedEdge[] = [];
  const storages = new Set<Storage>();
  for (const node of seen) {
    if (node instanceof OpNode) for (const { array } of node.saved) if (array) storages.add(array.storage);
    node.edges.forEach((edge, input) => {
      if (edge === null) return;
      seen.add(edge.node);
      const { shape, dtype, slot } = edge;
      edges.push({
        from: edge.node.sequence,
        to: node.sequence,
        output: slot,
        input,
        shape: [...shape],
        dtype,
      });
    });
  }
  const nodes = [...seen].sort((a, b) => a.sequence - b.sequence);
  return new RecordedGraph({
    nodes: nodes.map((node) => describe(node, labels.get(node) ?? null, starts.includes(node))),
    edges,
    savedBytes: [...storages].reduce((sum, s) => sum + s.byteLength, 0),
  });
}

/** One node of the backward pass: what arrived, and what it sent on. */
export interface BackwardStep {
  /** Counts from 0. */
  readonly index: number;
  /** Steps of the whole pass. */
  readonly total: number;
  /** The node's entry of `graph(loss).nodes`, as it was just before this step freed what it saved. */
  readonly node: RecordedNode;
  /** By result of the op: the complete gradient; null where none arrived. */
  readonly incoming: readonly (Tensor | null)[];
  /** By input of the op that wants one: where its gradient goes, and the gradient (null: zero). */
  readonly outgoing: readonly {
    readonly to: number;
    readonly input: number;
    readonly gradient: Tensor | null;
  }[];
  /** For a leaf: its `.grad` after this step. */
  readonly grad: Tensor | null;
}

export interface BackwardStepsOptions extends GraphOptions {
  /** The gradient to start from; needed unless the root is a scalar. */
  gradient?: Tensor | null;
  /** Keep what was saved, so that the pass can be walked again. Default: as createGraph. */
  retainGraph?: boolean;
  /** Record the pass itself. */
  createGraph?: boolean;
}

/**
 * `root.backward()`, a node at a time: each `next()` runs one backward rule and shows the gradients that flow. Leaves
 * get their `.grad` when their step comes; stopping early leaves the rest undone. @throws AutogradError as backward
 */
export function backwardSteps(
  root: Tensor,
  options: BackwardStepsOptions = {},
): Generator<BackwardStep, void> {
  const known = 'names gradient retainGraph createGraph';
  const {
    names,
    createGraph = false,
    retainGraph = createGraph,
    gradient = null,
  } = optionsGiven(options, 'backwardSteps', known);
  const start = initialGradient(root, gradient, 'backwardSteps');
  // What is wrong is said now, not at the first step.
  const entries = new Map(graph(root, { names }).nodes.map((node) => [node.id, node]));
  return reports(walkSteps([root], [start], { createGraph, retainGraph, targets: null }), entries);
}

function* reports(
  steps: Generator<WalkStep, void>,
  entries: ReadonlyMap<number, RecordedNode>,
): Generator<BackwardStep, void> {
  let index = 0;
  for (const { node, incoming, outgoing, total } of steps) {
    const entry = entries.get(node.sequence) ?? describe(node, null, false);
    yield {
      index: index++,
      total,
      node: entry,
      incoming: incoming.map(tensorOrNull),
      outgoing: node.edges.flatMap((edge, input) =>
        edge === null
          ? []
          : [{ to: edge.node.sequence, input, gradient: tensorOrNull(outgoing[input] ?? null) }],
      ),
      grad: node instanceof AccumulateGrad ? tensorOrNull(node.leaf.grad) : null,
    };
  }
}

const tensorOrNull = (x: unknown): Tensor | null => (x instanceof Tensor ? x : null);
