/**
 * The backward walk: from the roots through the recorded nodes, each once, later calls first. Three things happen
 * here and nowhere else: gradients of one value are summed, broadcasting is undone, and the memory of gradients that
 * nobody can reach any more is given back.
 */
import { collectStorages, type NDArray, type Storage } from '../backend/array.ts';
import { addSpec } from '../backend/specs.ts';
import { dtypeInfo } from '../core/dtype.ts';
import { ArgumentError, AutogradError } from '../core/errors.ts';
import { formatShape, type Shape, sameShape } from '../core/shape.ts';
import { anomaly, checkBackward, withoutForwardChecks } from './anomaly.ts';
import { withGradMode } from './gradMode.ts';
import { AccumulateGrad, type Edge, type GraphNode, type Leaf } from './node.ts';
import { Variable } from './variable.ts';
import { walkHooks, withWalkHooks } from './walkHooks.ts';

export interface WalkOptions {
  readonly retainGraph: boolean;
  readonly createGraph: boolean;
  /** Where to stop and collect; null adds to the leaves' `.grad`. */
  readonly targets: readonly Edge[] | null;
  /** The targets are leaves whose `.grad` is added to, and that of no other. */
  readonly accumulates?: boolean;
  /** Somebody looks at every gradient on its way: none is freed early. */
  readonly observed?: boolean;
}

/** What one step of the walk did. */
export interface WalkStep {
  readonly node: GraphNode;
  /** By output of the node: the complete gradient that arrived. */
  readonly incoming: readonly (Variable | null)[];
  /** By input of the node: the gradient that its rule gave. */
  readonly outgoing: readonly (Variable | null)[];
  /** Nodes of the whole walk. */
  readonly total: number;
}

/** A gradient on its way. `owned`: its storage was made by the walk and nothing else refers to it. */
interface Gradient {
  value: Variable;
  owned: boolean;
}

interface Pending {
  readonly grads: (Gradient | null)[];
  /** Edges from nodes still to be walked. */
  waiting: number;
}

/** The nodes that can be reached, with the number of edges into each. */
function survey(roots: readonly Edge[], targets: readonly Edge[] | null): Map<GraphNode, Pending> {
  const pending = new Map<GraphNode, Pending>();
  const stack: GraphNode[] = [];
  const order: GraphNode[] = [];
  const visit = (node: GraphNode): Pending => {
    let entry = pending.get(node);
    if (entry === undefined) {
      entry = { grads: [], waiting: 0 };
      for (const _ of node.outputs) entry.grads.push(null);
      pending.set(node, entry);
      stack.push(node);
    }
    return entry;
  };
  for (const root of roots) visit(root.node);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    order.push(node);
    for (const edge of node.edges) if (edge !== null) visit(edge.node).waiting++;
  }
  if (targets === null) return pending;
  return restrict(pending, order, targets);
}

/** Only the nodes from which a target can be reached, counted anew. */
function restrict(
  all: Map<GraphNode, Pending>,
  nodes: GraphNode[],
  targets: readonly Edge[],
): Map<GraphNode, Pending> {
  const useful = new Set<GraphNode>(targets.map((t) => t.node));
  // Inputs of a node are older than the node, save leaves, which have no inputs themselves.
  nodes.sort((a, b) => a.sequence - b.sequence);
  for (const node of nodes) if (node.edges.some((e) => e !== null && useful.has(e.node))) useful.add(node);
  const kept = new Map<GraphNode, Pending>();
  for (const [node, entry] of all) if (useful.has(node)) kept.set(node, { grads: entry.grads, waiting: 0 });
  for (const node of kept.keys()) {
    for (const edge of node.edges) {
      const entry = edge === null ? undefined : kept.get(edge.node);
      if (entry !== undefined) entry.waiting++;
    }
  }
  return kept;
}

/** Nodes that are ready, the latest first: the order PyTorch uses, so that sums are made in the same order. */
class ReadyQueue {
  readonly #heap: GraphNode[] = [];

  static #before(a: GraphNode, b: GraphNode): boolean {
    const leafA = a instanceof AccumulateGrad;
    if (leafA !== b instanceof AccumulateGrad) return leafA;
    return a.sequence > b.sequence;
  }

  push(node: GraphNode): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(node);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!ReadyQueue.#before(node, heap[parent])) break;
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = node;
  }

  pop(): GraphNode | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && ReadyQueue.#before(heap[child + 1], heap[child])) child++;
      if (!ReadyQueue.#before(heap[child], last)) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = last;
    return top;
  }
}

class Walk {
  readonly #options: WalkOptions;
  readonly #pending: Map<GraphNode, Pending>;
  readonly #ready = new ReadyQueue();
  readonly #captured: (Variable | null)[];
  /** Which of the targets are a node's: there may be as many targets as nodes. */
  readonly #places = new Map<GraphNode, number[]>();
  readonly #total: number;
  #latest: WalkStep | null = null;

  constructor(roots: readonly Edge[], options: WalkOptions) {
    this.#options = options;
    this.#pending = survey(roots, options.targets);
    this.#total = this.#pending.size;
    this.#captured = options.targets?.map(() => null) ?? [];
    for (const [i, { node }] of options.targets?.entries() ?? []) {
      const places = this.#places.get(node);
      if (places) places.push(i);
      else this.#places.set(node, [i]);
    }
  }

  run(roots: readonly Edge[], grads: readonly Variable[]): (Variable | null)[] {
    this.#start(roots, grads);
    for (let node = this.#ready.pop(); node !== undefined; node = this.#ready.pop()) {
      this.#step(node);
      walkHooks.afterNode?.();
    }
    return this.#captured;
  }

  /** The same, a node each time that the caller asks for the next; grad mode is the caller's in between. */
  *steps(roots: readonly Edge[], grads: readonly Variable[]): Generator<WalkStep, void> {
    const { createGraph } = this.#options;
    withGradMode(createGraph, () => this.#start(roots, grads), 'backward');
    for (let node = this.#ready.pop(); node !== undefined; node = this.#ready.pop()) {
      const current = node;
      withGradMode(createGraph, () => this.#step(current), 'backward');
      if (this.#latest) yield this.#latest;
    }
  }

  #start(roots: readonly Edge[], grads: readonly Variable[]): void {
    roots.forEach((edge, i) => {
      const entry = this.#pending.get(edge.node);
      if (entry) this.#add(entry, edge.slot, { value: grads[i], owned: false });
    });
    for (const [node, entry] of this.#pending) if (entry.waiting === 0) this.#ready.push(node);
  }

  #report(node: GraphNode, entry: Pending, results: readonly (Gradient | null)[]): void {
    const values = (list: readonly (Gradient | null)[]) => list.map((g) => g?.value ?? null);
    this.#latest = { node, incoming: values(entry.grads), outgoing: values(results), total: this.#total };
  }

  #add(entry: Pending, slot: number, arriving: Gradient): void {
    const present = entry.grads[slot];
    if (present === null) {
      entry.grads[slot] = arriving;
      return;
    }
    const sum = present.value.addGrad(arriving.value);
    if (present.owned) present.value.array.storage.free();
    if (arriving.owned) arriving.value.array.storage.free();
    entry.grads[slot] = { value: sum, owned: !this.#options.createGraph && !this.#options.observed };
  }

  #step(node: GraphNode): void {
    const entry = this.#pending.get(node);
    if (entry === undefined) return;
    this.#pending.delete(node);
    this.#runHooks(node, entry);
    this.#capture(node, entry);
    if (node instanceof AccumulateGrad) {
      if (this.#options.observed) this.#report(node, entry, []);
      if (this.#options.targets === null || this.#options.accumulates)
        accumulate(node, entry.grads[0], this.#options.createGraph);
      return;
    }
    const isOnlyTarget =
      this.#options.targets !== null && !node.edges.some((e) => e !== null && this.#pending.has(e.node));
    const results = isOnlyTarget || entry.grads.every((g) => g === null) ? [] : this.#apply(node, entry);
    if (this.#options.observed) this.#report(node, entry, results);
    const { edges } = node;
    for (let i = 0; i < edges.length; i++) {
      const edge = edges[i];
      const next = edge === null ? undefined : this.#pending.get(edge.node);
      if (edge === null || next === undefined) continue;
      const gradient = results[i];
      if (gradient) this.#add(next, edge.slot, gradient);
      if (--next.waiting === 0) this.#ready.push(edge.node);
    }
    if (!this.#options.retainGraph && !isOnlyTarget) node.release();
  }

  #runHooks(node: GraphNode, entry: Pending): void {
    if (node.hooks === null) return;
    for (const [slot, { hooks, retained }] of node.hooks) {
      let gradient = entry.grads[slot];
      if (gradient === null) continue;
      for (const hook of hooks.slice()) {
        const replacement = hook(gradient.value);
        if (replacement != null) checkReplacement(replacement, gradient.value);
        gradient = { value: replacement ?? gradient.value, owned: false };
      }
      entry.grads[slot] = gradient;
      if (retained !== null) retain(retained, gradient.value, this.#options.createGraph);
    }
  }

  #capture(node: GraphNode, entry: Pending): void {
    for (const i of this.#places.get(node) ?? []) {
      const gradient = entry.grads[this.#options.targets?.[i].slot ?? 0];
      if (gradient === null) continue;
      gradient.owned = false;
      this.#captured[i] = gradient.value;
    }
  }

  /** Runs a node's rule and frees what it made on the way: the walk is the only holder of those arrays. */
  #apply(node: GraphNode, entry: Pending): (Gradient | null)[] {
    const incoming = entry.grads;
    // Lists grow by push here: what `map` makes is for V8 of one kind before it optimises, and of another after.
    const grads: (Variable | null)[] = [];
    for (const g of incoming) grads.push(g?.value ?? null);
    if (this.#options.createGraph || this.#options.observed || node.opaque) {
      return this.#checked(node, runRule(node, grads)).map((value) => value && { value, owned: false });
    }
    // A handful of each: lists are searched faster than sets are made.
    const { result, created: mine } = collectStorages(() => this.#checked(node, runRule(node, grads)));
    for (const g of incoming) if (g?.owned) mine.push(g.value.array.storage);
    for (const storage of mine) if (countUses(result, storage) === 0) storage.free();
    const outgoing: (Gradient | null)[] = [];
    for (const value of result) {
      const storage = value?.array.storage;
      const owned = storage !== undefined && mine.includes(storage) && countUses(result, storage) === 1;
      outgoing.push(value && { value, owned });
    }
    return outgoing;
  }

  /** Each gradient in the form that its edge wants. */
  #checked(node: GraphNode, results: readonly (Variable | null | undefined)[]): (Variable | null)[] {
    if (anomaly.enabled) checkBackward(node, results);
    const checked: (Variable | null)[] = [];
    const { edges } = node;
    for (let i = 0; i < edges.length; i++) {
      const edge = edges[i];
      const grad = results[i] ?? null;
      const wanted = grad !== null && edge !== null && this.#pending.has(edge.node);
      checked.push(wanted ? inForm(grad, edge, node, i) : null);
    }
    return checked;
  }
}

/** The gradient of an input in the shape and dtype of its edge. @throws AutogradError */
function inForm(gradient: Variable, edge: Edge, node: GraphNode, i: number): Variable {
  let grad = gradient;
  if (!sameShape(grad.shape, edge.shape)) {
    if (!expandsTo(edge.shape, grad.shape)) {
      throw new AutogradError(
        `backward: ${node.name} returned an invalid gradient at index ${i}: got ${formatShape(grad.shape)} but ` +
          `expected shape compatible with ${formatShape(edge.shape)}`,
      );
    }
    grad = grad.sumTo(edge.shape);
  }
  return grad.dtype === edge.dtype ? grad : grad.castTo(edge.dtype);
}

function countUses(values: readonly (Variable | null)[], storage: Storage): number {
  let uses = 0;
  for (const value of values) if (value?.array.storage === storage) uses++;
  return uses;
}

function expandsTo(from: Shape, to: Shape): boolean {
  const shift = to.length - from.length;
  return shift >= 0 && from.every((size, d) => size === 1 || size === to[d + shift]);
}

/** @throws ArgumentError for what is no tensor; AutogradError for a tensor that cannot stand for the gradient */
function checkReplacement(replacement: Variable, value: Variable): void {
  if (!(replacement instanceof Variable))
    throw new ArgumentError(`backward: expected Variable, but hook returned '${typeof replacement}'`);
  const differs = (what: string, was: unknown, got: unknown): AutogradError =>
    new AutogradError(`backward: hook has changed the ${what} of value (was ${was} got ${got})`);
  if (replacement.dtype !== value.dtype) throw differs('type', value.dtype, replacement.dtype);
  const [was, got] = [value.array.backend.device, replacement.array.backend.device];
  if (got !== was) throw differs('device type', was, got);
  if (!sameShape(replacement.shape, value.shape))
    throw differs('size', formatShape(value.shape), formatShape(replacement.shape));
}

/** What `retainGrad` keeps is the user's alone, and a sum over several walks. */
function retain(leaf: Leaf, value: Variable, createGraph: boolean): void {
  if (leaf.grad !== null) leaf.grad = leaf.grad.addGrad(value);
  else leaf.grad = createGraph ? value.clone() : ownCopy(value);
  leaf.exposed = false;
}

/** Adds to a leaf's gradient, which always has a buffer of its own: in-place changes of one reach no other. */
function accumulate(node: AccumulateGrad, gradient: Gradient | null, createGraph: boolean): void {
  const { leaf } = node;
  // It may have been told since that it wants none.
  if (gradient === null || !leaf.requiresGrad) return;
  const { value, owned } = gradient;
  const existing = leaf.grad;
  if (existing === null) {
    const { array } = value;
    const whole =
      owned && array.dense && array.size * dtypeInfo[array.dtype].bytes === array.storage.byteLength;
    leaf.grad = createGraph ? value.clone() : whole ? value : ownCopy(value);
    leaf.exposed = false;
  } else if (createGraph || repeats(existing.array)) {
    // In place, a user's expanded gradient would take every addend of its one element.
    leaf.grad = existing.addGrad(value);
  } else {
    addInto(existing, value);
    if (owned) value.array.storage.free();
  }
  for (const notify of leaf.afterAccumulate ?? []) notify();
}

const repeats = ({ shape, strides }: NDArray): boolean =>
  shape.some((size, d) => size > 1 && strides[d] === 0);

function ownCopy(value: Variable): Variable {
  const { array } = value;
  const copy = array.backend.empty(array.shape, array.dtype);
  array.backend.assign(copy, array);
  return value.derive(copy);
}

function addInto(existing: Variable, value: Variable): void {
  const { array } = existing;
  array.backend.binary(addSpec, array, value.array, array);
  array.storage.version++;
}

/** What a rule computes on the way is judged by its gradients alone. */
function runRule(
  node: GraphNode,
  grads: readonly (Variable | null)[],
): readonly (Variable | null | undefined)[] {
  return anomaly.enabled ? withoutForwardChecks(() => node.backward(grads)) : node.backward(grads);
}

function edgesOf(roots: readonly Variable[]): Edge[] {
  const edges: Edge[] = [];
  for (const root of roots) {
    const edge = root.edge();
    if (edge === null) {
      throw new AutogradError(
        'backward: element 0 of tensors does not require grad and does not have a gradFn',
      );
    }
    edges.push(edge);
  }
  return edges;
}

/** What a backward pass for these tensors alone goes by, which get `.grad` though they be no leaves; for all if there are none. @throws AutogradError */
export function leafTargets(
  inputs: Variable | readonly Variable[] | null | undefined,
): Pick<WalkOptions, 'targets' | 'accumulates'> {
  if (inputs === null || inputs === undefined) return { targets: null };
  const leaves = inputs instanceof Variable ? [inputs] : inputs;
  if (leaves.length === 0) throw new AutogradError("backward: argument 'inputs' cannot be empty");
  const targets = leaves.map((x, i) => {
    const edge = x.edge();
    if (edge === null) throw new AutogradError(`backward: tensor ${i} of 'inputs' does not require grad`);
    x.retainGrad();
    return edge;
  });
  return { targets, accumulates: true };
}

/**
 * Propagates `grads` from `roots` back through the graph.
 * Returns the gradients of `targets` (null where none arrived), or nothing when leaves accumulate.
 */
export function walkBackward(
  roots: readonly Variable[],
  grads: readonly Variable[],
  options: WalkOptions,
): (Variable | null)[] {
  const edges = edgesOf(roots);
  const walk = () => new Walk(edges, options).run(edges, grads);
  return withGradMode(options.createGraph, () => withWalkHooks(walk), 'backward');
}

/** The same walk, a node at a time. */
export function walkSteps(
  roots: readonly Variable[],
  grads: readonly Variable[],
  options: WalkOptions,
): Generator<WalkStep, void> {
  const edges = edgesOf(roots);
  return new Walk(edges, { ...options, observed: true }).steps(edges, grads);
}
