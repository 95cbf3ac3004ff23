/**
 * An array with a place in the graph: what ops take and give, and what the public tensor extends. Leaves are made by
 * users and may collect a gradient; all others come from a node.
 */
import { type NDArray, storageMode } from '../backend/array.ts';
import { type DType, isFloating } from '../core/dtype.ts';
import { ArgumentError, AutogradError } from '../core/errors.ts';
import {
  contiguousStrides,
  formatShape,
  isLayoutOfOurs,
  rowMajorStep,
  type Shape,
  type Strides,
  sameShape,
} from '../core/shape.ts';
import { warnOnce } from '../core/warnings.ts';
import { isGradEnabled, withGradMode } from './gradMode.ts';
import { AccumulateGrad, type Edge, type GradHook, type GraphNode, Leaf } from './node.ts';

/** Takes back what it was returned for: `handle()` and `handle.remove()` are the same. */
export type RemovableHandle = (() => void) & { remove(): void };

/** What a view remembers of the tensor whose memory it shows, so that in-place changes reach both histories. */
export interface ViewOf {
  readonly base: Variable;
  /** The base's `rebases` when this view's node was made; it is stale when they differ. */
  rebases: number;
  /** The same view of the base as it is now. */
  readonly again: () => Variable;
  /** Why no change may be recorded that reaches it: it was not recorded itself, or is one of several; else null. */
  readonly barred: string | null;
  /** The storage's version when it was made. */
  version: number;
}

export abstract class Variable {
  readonly array: NDArray;
  #node: GraphNode | null;
  #slot: number;
  /** The edge that was last asked for: most values are asked by several ops. */
  #edge: Edge | null = null;
  #leaf: Leaf | null = null;
  #view: ViewOf | null = null;
  #rebases = 0;

  constructor(array: NDArray, node: GraphNode | null = null, slot = 0) {
    this.array = array;
    this.#node = node;
    this.#slot = slot;
  }

  /** A result of the same class as this operand. */
  abstract derive(array: NDArray, node?: GraphNode | null, slot?: number): this;
  /** this + other, as a differentiable op: how two gradients of one value meet. */
  abstract addGrad(other: Variable): Variable;
  /** A copy with memory of its own, as a differentiable op. */
  abstract clone(): Variable;
  /** Sums over what broadcasting repeated, so that the result has `shape`. */
  abstract sumTo(shape: Shape): Variable;
  /** Converted to another dtype, as a differentiable op. */
  abstract castTo(dtype: DType): Variable;

  /** Sizes of the dimensions. */
  get shape(): Shape {
    return this.array.shape;
  }

  get dtype(): DType {
    return this.array.dtype;
  }

  /** The order in which random fills go through the elements: that of memory, but row-major where the layout is ours alone. */
  get fillStrides(): Strides {
    const { shape, strides } = (this.#view?.base ?? this).array;
    if (!isLayoutOfOurs(strides)) return this.array.strides;
    return this.array.strides.map((step) => rowMajorStep(step, strides[1], shape[1]));
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.array.shape.length;
  }

  /** True for what was not computed from tensors that require gradients. */
  get isLeaf(): boolean {
    return this.#currentNode() === null;
  }

  /** Whether operations on this tensor are recorded. @throws AutogradError on setting it where PyTorch forbids it */
  get requiresGrad(): boolean {
    return this.#leaf?.requiresGrad || this.#node !== null || this.#view?.base.requiresGrad === true;
  }
  set requiresGrad(value: boolean) {
    if (value ? this.#node : this.#currentNode()) {
      if (value) return;
      throw new AutogradError(
        'requiresGrad: you can only change requiresGrad flags of leaf variables. If you want to use a computed ' +
          "variable in a subgraph that doesn't require differentiation use x.detach().",
      );
    }
    if (value && !isFloating(this.dtype)) {
      throw new AutogradError(
        `requiresGrad: only Tensors of floating point dtype can require gradients, but got ${this.dtype}`,
      );
    }
    if (value && this.array.storage.inference && !storageMode.inference) {
      throw new AutogradError(
        'requiresGrad: Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.',
      );
    }
    if (!value && this.#leaf === null) return;
    this.#leaf ??= new Leaf();
    this.#leaf.requiresGrad = value;
  }

  /** The node that computed this tensor, or null for a leaf. Its `name` is PyTorch's. */
  get gradFn(): GraphNode | null {
    return this.#currentNode();
  }

  get slot(): number {
    return this.#slot;
  }

  /** The collected gradient as the graph holds it, for the library itself; `grad` is what users read. */
  get leaf(): Leaf | null {
    return this.#leaf;
  }

  /** The collected gradient. Set it to null to forget it. */
  get grad(): this | null {
    const leaf = this.#leaf;
    if (leaf === null && !this.isLeaf)
      warnOnce(
        'grad',
        'a Tensor that was computed keeps no gradient: call retainGrad() on it before backward(), or read that of the leaf',
      );
    if (leaf === null || leaf.grad === null) return null;
    // Until somebody looks it lies as it came, which saves steps of training a copy.
    if (!leaf.exposed) leaf.grad = leaf.grad.#laidOutAs(this.array);
    leaf.exposed = true;
    if (!(leaf.grad instanceof Variable)) return null;
    return leaf.grad as this;
  }
  set grad(value: Variable | null) {
    if (value !== null) {
      if (!(value instanceof Variable)) {
        throw new ArgumentError(
          `grad: assigned grad expected to be a Tensor or None but got grad of type ${typeof value}`,
        );
      }
      if ((value as Variable) === this)
        throw new AutogradError("grad: can't assign Variable as its own grad");
      if (!sameShape(value.shape, this.shape)) {
        throw new AutogradError(
          `grad: expected a gradient of shape ${formatShape(this.shape)}, but got ${formatShape(value.shape)}`,
        );
      }
      if (value.dtype !== this.dtype) {
        throw new AutogradError(`grad: expected a gradient of dtype ${this.dtype}, but got ${value.dtype}`);
      }
    }
    if (value === null && this.#leaf === null) return;
    this.#leaf ??= new Leaf();
    this.#leaf.grad = value;
    this.#leaf.exposed = value !== null;
  }

  /** The same with the strides of an array of its shape, or row-major if that has gaps. */
  #laidOutAs({ shape, strides, dense }: NDArray): Variable {
    const { array } = this;
    const wanted = dense ? strides : contiguousStrides(shape);
    const lies = shape.every((size, d) => size === 1 || array.strides[d] === wanted[d]);
    if (this.#node || !sameShape(shape, array.shape)) return this;
    if (lies) return isLayoutOfOurs(wanted) ? this.derive(array.view(shape, wanted)) : this;
    const out = array.backend.empty(array.shape, array.dtype, wanted);
    array.backend.assign(out, array);
    return this.derive(out);
  }

  /** Forgets the gradient, and gives its memory back at once unless user code may hold it. */
  clearGrad(): void {
    const leaf = this.#leaf;
    if (leaf === null || leaf.grad === null) return;
    if (!leaf.exposed) leaf.grad.array.storage.free();
    leaf.grad = null;
    leaf.exposed = false;
  }

  /**
   * Makes this leaf hold another array of the same shape, as when a parameter moves to another dtype or device. Its
   * gradient is the caller's to move. @throws AutogradError for what was computed
   */
  setArray(array: NDArray): void {
    if (!this.isLeaf) throw new AutogradError('setArray: only a leaf can take another array');
    Object.assign(this, { array });
    if (this.#leaf) this.#leaf.node = null;
  }

  /** Where the gradient of this value goes; null if none is wanted. */
  edge(): Edge | null {
    const node = this.#currentNode();
    if (node !== null) {
      if (this.#edge?.node !== node || this.#edge.slot !== this.#slot) {
        // Not this tensor's own: its shape may have changed in place without a record.
        const { shape, dtype } = node.outputs[this.#slot];
        this.#edge = { node, slot: this.#slot, shape, dtype };
      }
      return this.#edge;
    }
    if (!this.requiresGrad) return null;
    // A view that was not recorded collects its own gradient.
    this.#leaf ??= new Leaf();
    const leaf = this.#leaf;
    leaf.requiresGrad = true;
    leaf.node ??= new AccumulateGrad(leaf, { shape: this.shape, dtype: this.dtype });
    if (this.#edge?.node !== leaf.node || this.#edge.dtype !== this.dtype) {
      this.#edge = { node: leaf.node, slot: 0, shape: this.shape, dtype: this.dtype };
    }
    return this.#edge;
  }

  /** Keeps `.grad` of a non-leaf, as PyTorch's `retain_grad`. @throws AutogradError if it requires no gradient */
  retainGrad(): void {
    const node = this.#currentNode();
    if (node === null) {
      if (!this.requiresGrad)
        throw new AutogradError("retainGrad: can't retainGrad on Tensor that has requiresGrad=false");
      return;
    }
    this.#leaf ??= new Leaf();
    node.hooksOf(this.#slot).retained = this.#leaf;
  }

  /**
   * Calls `hook` with this tensor's complete gradient whenever it is computed; what it returns, if anything, replaces
   * the gradient. Returns what removes the hook.
   */
  registerHook(hook: (grad: this) => this | null | undefined | void): RemovableHandle {
    const edge = this.edge();
    if (edge === null) {
      throw new AutogradError(
        "registerHook: cannot register a hook on a tensor that doesn't require gradient",
      );
    }
    const typed: GradHook = (grad) => hook(grad as this);
    const remove = edge.node.addHook(edge.slot, typed);
    return Object.assign(remove, { remove });
  }

  /**
   * Calls `hook` with this tensor whenever `backward` has added to its `.grad`; an optimiser may step there and clear it. Returns
   * what removes the hook. @throws AutogradError unless it is a leaf that requires a gradient
   */
  registerPostAccumulateGradHook(hook: (param: this) => void): RemovableHandle {
    const op = 'registerPostAccumulateGradHook';
    if (typeof hook !== 'function')
      throw new ArgumentError(`${op}: hook must be a function, but got ${typeof hook}`);
    if (!this.requiresGrad)
      throw new AutogradError(`${op}: cannot register a hook on a tensor that doesn't require gradient`);
    if (this.#currentNode() !== null)
      throw new AutogradError(`${op}: post accumulate grad hooks cannot be registered on non-leaf tensors`);
    this.#leaf ??= new Leaf();
    const leaf = this.#leaf;
    const notify = () => hook(this);
    leaf.afterAccumulate = [...(leaf.afterAccumulate ?? []), notify];
    const remove = (): void => {
      leaf.afterAccumulate = leaf.afterAccumulate?.filter((each) => each !== notify) ?? null;
    };
    return Object.assign(remove, { remove });
  }

  get viewOf(): ViewOf | null {
    return this.#view;
  }

  /** `made`: how a view came about that must not be changed in place. */
  markView(base: Variable, again: () => Variable, made: string | null = null): void {
    const outer = base.#view;
    const root = outer?.base ?? base;
    const { version, inference } = this.array.storage;
    let barred = outer?.barred ?? null;
    if (!isGradEnabled())
      barred = `was created in ${storageMode.inference && !inference ? 'inference' : 'no_grad'} mode`;
    else if (made !== null) barred = made;
    this.#view = { base: root, rebases: root.#rebases, again, barred, version };
  }

  /** After an in-place op: this value now comes from `node`. Views of it notice by the count; they stay if it comes from none. */
  rebase(node: GraphNode | null, slot = 0): void {
    this.#comesFrom(node, slot);
    if (node) this.#rebases++;
    if (this.#view) this.#view.rebases = this.#view.base.#rebases;
  }

  /** Shows from now on what `view`, a view of this tensor, shows: a change of shape in place. */
  become(view: Variable): void {
    const own = this.#view;
    const { again } = view.#view ?? { again: () => view };
    Object.assign(this, { array: view.array });
    if (this.#leaf) this.#leaf.node = null;
    // What is not recorded leaves the history as it is; that of a view begins at its base.
    if (own !== null) this.#view = { ...own, rebases: isGradEnabled() ? own.base.#rebases : -1, again };
    if (!isGradEnabled()) return;
    if (own === null) this.rebase(view.#node, view.#slot);
    else this.#comesFrom(view.#node, view.#slot);
  }

  /** Hooks stay with the value that was; what retains a gradient retains that of the value as it is now. */
  #comesFrom(node: GraphNode | null, slot: number): void {
    const before = this.#node?.hooks?.get(this.#slot);
    if (before?.retained && before.retained === this.#leaf) {
      before.retained = null;
      if (node) node.hooksOf(slot).retained = this.#leaf;
    }
    this.#node = node;
    this.#slot = slot;
  }

  /** Counts a change of the base that came through one of its views. */
  get rebases(): number {
    return this.#rebases;
  }

  #currentNode(): GraphNode | null {
    const view = this.#view;
    if (view === null) return this.#node;
    const { base, barred } = view;
    const { version } = this.array.storage;
    if (barred) {
      if (view.version !== version && (this.#node || base.requiresGrad))
        throw barredView('view', barred, 'its base or another view of its base has been');
    } else if (
      view.rebases !== base.#rebases ||
      // Changed since, and its base has come to require a gradient.
      (view.version !== version && this.#node === null && base.requiresGrad)
    ) {
      const fresh = withGradMode(true, view.again, 'view');
      this.#comesFrom(fresh.#node, fresh.#slot);
      Object.assign(view, { rebases: base.#rebases, version });
    }
    return this.#node;
  }
}

/** What says that an in-place change met a view whose history does not tell of it. */
export const barredView = (op: string, made: string, what = 'is being'): AutogradError =>
  new AutogradError(
    `${op}: A view ${made} and ${what} modified inplace with grad mode enabled. Use an out-of-place operation, or ` +
      'noGrad for both.',
  );
