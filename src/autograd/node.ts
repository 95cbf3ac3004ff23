/**
 * The recorded graph. A node is one call of an op: it knows where its inputs' gradients go and how to compute them.
 * Nodes point at nodes and at saved arrays, never at the tensors that a user holds.
 */
import { type NDArray, storageMode } from '../backend/array.ts';
import type { DType } from '../core/dtype.ts';
import { AutogradError } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import { anomaly, callSite } from './anomaly.ts';
import type { Variable } from './variable.ts';

/** Where the gradient of one input goes, and the form in which it must arrive there. */
export interface Edge {
  readonly node: GraphNode;
  readonly slot: number;
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface OutputForm {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Gradients of the outputs in, gradients of the inputs out; null is zero, or not wanted. */
export type BackwardFunction = (
  grads: readonly (Variable | null)[],
) => readonly (Variable | null | undefined)[];

export type GradHook = (grad: Variable) => Variable | null | undefined | void;

/** What happens to the complete gradient of one output on its way. */
export interface OutputHooks {
  readonly hooks: GradHook[];
  /** Keeps what the hooks leave of it: `retainGrad`. */
  retained: Leaf | null;
}

let nextSequence = 0;

/** The `sequence` that the next node will have. */
export const sequenceNow = (): number => nextSequence;

export abstract class GraphNode {
  /** PyTorch's name, as printed in `grad_fn=<MulBackward0>`. */
  readonly name: string;
  /** Later calls have larger numbers, so decreasing order is a valid order for the backward walk. */
  readonly sequence: number = nextSequence++;
  readonly edges: readonly (Edge | null)[];
  readonly outputs: readonly OutputForm[];
  /** By output slot: called with the complete gradient of that output, may replace it. */
  hooks: Map<number, OutputHooks> | null = null;
  /** Where the op was called; known only while anomalies are looked for. */
  readonly calledAt: string | null = anomaly.enabled ? callSite() : null;

  constructor(name: string, edges: readonly (Edge | null)[], outputs: readonly OutputForm[]) {
    this.name = name;
    this.edges = edges;
    const forms: OutputForm[] = [];
    // Their forms alone: who keeps a loss keeps its graph, but shall not keep every result on the way to it.
    for (const { shape, dtype } of outputs) forms.push({ shape, dtype });
    this.outputs = forms;
  }

  /** True if user code may keep what it is given, so that nothing may be freed early. */
  abstract readonly opaque: boolean;
  abstract backward(grads: readonly (Variable | null)[]): readonly (Variable | null | undefined)[];
  /** Drops what was saved; a later backward that needs it fails. */
  abstract release(): void;

  hooksOf(slot: number): OutputHooks {
    this.hooks ??= new Map();
    const present = this.hooks.get(slot);
    if (present !== undefined) return present;
    const none = { hooks: [], retained: null };
    this.hooks.set(slot, none);
    return none;
  }

  addHook(slot: number, hook: GradHook): () => void {
    const list = this.hooksOf(slot).hooks;
    list.push(hook);
    return () => {
      const at = list.indexOf(hook);
      if (at >= 0) list.splice(at, 1);
    };
  }

  toString(): string {
    return `<${this.name}>`;
  }
}

/** What stands for a saved value: how to get it, and that it is needed no more. */
export interface Packed {
  unpack(): NDArray;
  release(): void;
}

let pack: ((value: Variable) => Packed) | null = null;

/** Runs `body`; what its ops save for backward is handed to `hook` instead of being kept. Nests: the inner one counts. */
export function withSavedHooks<R>(hook: (value: Variable) => Packed, body: () => R): R {
  const outer = pack;
  pack = hook;
  try {
    return body();
  } finally {
    pack = outer;
  }
}

/** A value that backward will read: the array, its version at that time, and its place in the graph. */
export class SavedVariable {
  #array: NDArray | null;
  #version: number;
  readonly #edge: Edge | null;
  readonly #node: OpNode;
  /** The node's own output: its edge is the node itself. */
  readonly isOutput: boolean;
  #packed: Packed | null;

  constructor(value: Variable, node: OpNode, isOutput: boolean) {
    if (value.array.storage.inference && !storageMode.inference) {
      throw new AutogradError(
        `${node.name}: Inference tensors cannot be saved for backward. To work around you can make a clone to get a ` +
          'normal tensor and use it in autograd.',
      );
    }
    this.#packed = pack === null ? null : pack(value);
    this.#array = pack === null ? value.array : null;
    this.#version = value.array.storage.version;
    this.#node = node;
    this.isOutput = isOutput;
    this.#edge = isOutput ? null : value.edge();
  }

  get bytes(): number {
    return this.#array?.storage.byteLength ?? 0;
  }

  /** What is kept; null once it was released. */
  get array(): NDArray | null {
    return this.#array;
  }

  release(): void {
    this.#array = null;
    this.#packed?.release();
    this.#packed = null;
  }

  /** The value as an operand of backward's ops. @throws AutogradError if freed, or overwritten in place since */
  get<T extends Variable>(like: T): T {
    const array = this.#array ?? this.#packed?.unpack() ?? null;
    if (array === null) {
      throw new AutogradError(
        'backward: Trying to backward through the graph a second time (or directly access saved tensors after they ' +
          'have already been freed). Saved intermediate values of the graph are freed when you call backward() or ' +
          'autograd.grad(). Specify { retainGraph: true } if you need to backward through the graph a second time.',
      );
    }
    if (this.#packed === null && array.storage.version !== this.#version) {
      throw new AutogradError(
        'backward: one of the variables needed for gradient computation has been modified by an inplace operation: ' +
          `a ${array.dtype} tensor of shape [${array.shape.join(', ')}], saved by ${this.#node.name}, is at version ` +
          `${array.storage.version}; expected version ${this.#version} instead`,
      );
    }
    if (this.isOutput) return like.derive(array, this.#node, 0);
    return like.derive(array, this.#edge?.node ?? null, this.#edge?.slot ?? 0);
  }
}

/** The node of a built-in op, or of a user's function. */
export class OpNode extends GraphNode {
  readonly opaque: boolean;
  /** By input: whether its gradient is wanted. Rules skip, and do not save for, those that are not. */
  readonly needs: readonly boolean[];
  #saved: SavedVariable[] = [];
  #backward: BackwardFunction | null = null;

  constructor(name: string, edges: readonly (Edge | null)[], outputs: readonly OutputForm[], opaque = false) {
    super(name, edges, outputs);
    this.opaque = opaque;
    const needs: boolean[] = [];
    for (const edge of edges) needs.push(edge !== null);
    this.needs = needs;
  }

  get saved(): readonly SavedVariable[] {
    return this.#saved;
  }

  /** Keeps an input for backward. */
  save(value: Variable): SavedVariable {
    const saved = new SavedVariable(value, this, false);
    this.#saved.push(saved);
    return saved;
  }

  /** Keeps the op's own (first) output for backward. */
  saveOutput(value: Variable): SavedVariable {
    const saved = new SavedVariable(value, this, true);
    this.#saved.push(saved);
    return saved;
  }

  setBackward(rule: BackwardFunction): void {
    this.#backward = rule;
  }

  backward(grads: readonly (Variable | null)[]): readonly (Variable | null | undefined)[] {
    if (this.#backward === null) {
      // Says that what was saved is gone.
      this.#saved[0]?.get(grads[0] as Variable);
      throw new AutogradError(`${this.name}: has no backward rule`);
    }
    return this.#backward(grads);
  }

  release(): void {
    for (const saved of this.#saved) saved.release();
    // The scope of a rule holds the operands of its op, too. One that needs nothing saved may run again.
    if (this.#saved.length > 0) this.#backward = null;
  }
}

/** Where gradients of a leaf end: they are added to its `.grad`. */
export class AccumulateGrad extends GraphNode {
  readonly opaque = false;
  readonly leaf: Leaf;

  constructor(leaf: Leaf, form: OutputForm) {
    super('AccumulateGrad', [], [form]);
    this.leaf = leaf;
    this.hooks = leaf.hooks;
  }

  override hooksOf(slot: number): OutputHooks {
    const found = super.hooksOf(slot);
    this.leaf.hooks = this.hooks;
    return found;
  }

  backward(): readonly (Variable | null)[] {
    return [];
  }

  release(): void {}
}

/** What the graph knows of a leaf (or of an intermediate that retains its gradient): not the tensor, only this. */
export class Leaf {
  requiresGrad = false;
  grad: Variable | null = null;
  /** The gradient was handed to user code, which may still hold it. */
  exposed = false;
  node: AccumulateGrad | null = null;
  /** Those of its node; the next one takes them over, when the leaf holds another array. */
  hooks: AccumulateGrad['hooks'] = null;
  /** Called after `.grad` was updated. */
  afterAccumulate: (() => void)[] | null = null;
}
