/** Hooks on the gradients of a module's inputs and outputs: both pass through a node that does nothing else. */
import { OpNode } from '../autograd/node.ts';
import { ArgumentError } from '../core/errors.ts';
import { formatShape, sameShape } from '../core/shape.ts';
import { isPlain } from '../ops/options.ts';
import { Tensor } from '../tensor.ts';
import type { Module } from './module.ts';

/**
 * One for each positional input, or each output, of `forward`. Those of inputs are zeros where a tensor needs or gets none, if any other
 * input needs one; null for what is no tensor, and for outputs that get none.
 */
export type ModuleGradients = readonly (Tensor | null)[];
type Replacement = ModuleGradients | Tensor | null | void;
/** Sees the gradients of a module's inputs and outputs; what it returns, if anything, replaces those of the inputs. */
export type FullBackwardHook<M extends Module> = (
  module: M,
  gradInput: ModuleGradients,
  gradOutput: ModuleGradients,
) => Replacement;
/** Sees the gradients of a module's outputs before they go through it; what it returns, if anything, replaces them. */
export type FullBackwardPreHook<M extends Module> = (module: M, gradOutput: ModuleGradients) => Replacement;

type Form = Pick<Tensor, 'shape' | 'dtype'>;
type Seen = (grads: ModuleGradients) => ModuleGradients;

/** The hooks of one call of `forward`. */
export class BackwardWatch {
  readonly #module: Module;
  readonly #before: readonly FullBackwardPreHook<Module>[];
  readonly #after: readonly FullBackwardHook<Module>[];
  #gradOutput: ModuleGradients | null = null;
  /** How many inputs there are, if none of them needs a gradient. */
  #idleInputs: number | null = null;

  constructor(
    module: Module,
    before: readonly FullBackwardPreHook<Module>[],
    after: readonly FullBackwardHook<Module>[],
  ) {
    this.#module = module;
    this.#before = before;
    this.#after = after;
  }

  inputs(given: readonly unknown[]): readonly unknown[] {
    // Options, which come last, are PyTorch's keyword arguments: no inputs.
    const positional = isPlain(given.at(-1)) ? given.slice(0, -1) : given;
    const forms = positional.map((x) => x instanceof Tensor && { shape: x.shape, dtype: x.dtype });
    const seen = throughNode(positional, (grads) => this.#visitInputs(grads, forms));
    this.#idleInputs = seen === positional ? positional.length : null;
    return [...seen, ...given.slice(positional.length)];
  }

  output(given: unknown): unknown {
    const seen: Seen = (gradOutput) => this.#visitOutputs(gradOutput);
    return Array.isArray(given) ? throughNode(given, seen) : throughNode([given], seen)[0];
  }

  #visitOutputs(gradOutput: ModuleGradients): ModuleGradients {
    let grads = gradOutput;
    for (const hook of this.#before)
      grads = replaced(grads, hook(this.#module, frozen(grads)), 'registerFullBackwardPreHook');
    if (this.#idleInputs === null) {
      this.#gradOutput = grads;
      return grads;
    }
    const none: ModuleGradients = Array.from({ length: this.#idleInputs }, () => null);
    for (const hook of this.#after)
      if (replaced(none, hook(this.#module, frozen(none), frozen(grads)), FULL).some(Boolean))
        throw new ArgumentError(
          `${FULL}: the hook returned a gradient, but no input of the module requires one`,
        );
    return grads;
  }

  #visitInputs(given: ModuleGradients, forms: readonly (Form | false)[]): ModuleGradients {
    // Gradients that come by another way than the outputs that are seen, as from the last state of an LSTM, pass as they are.
    const gradOutput = this.#gradOutput;
    if (gradOutput === null) return given;
    // The next walk through the same graph may come by another way, and nothing is to be kept until then.
    this.#gradOutput = null;
    if (this.#after.length === 0) return given;
    const present = given.find((grad) => grad !== null)!;
    const gradInput = given.map((grad, i) => {
      const form = forms[i];
      return grad ?? (form ? present.newZeros(form.shape, { dtype: form.dtype }) : null);
    });
    return this.#after.reduce<ModuleGradients>(
      (grads, hook) => replaced(grads, hook(this.#module, frozen(grads), frozen(gradOutput)), FULL),
      gradInput,
    );
  }
}

const FULL = 'registerFullBackwardHook';

/** A list that hooks cannot write to: what they do to it would reach nobody. */
const frozen = (grads: ModuleGradients): ModuleGradients => Object.freeze([...grads]);

/** The same values, those that need a gradient from a node of their own whose gradients `seen` may change; the list itself if none does. */
function throughNode(values: readonly unknown[], seen: Seen): readonly unknown[] {
  const places = values.flatMap((x, i) => (x instanceof Tensor && x.requiresGrad ? [i] : []));
  if (places.length === 0) return values;
  const tensors = places.map((i) => values[i] as Tensor);
  const arrays = tensors.map((x) => x.array);
  // Opaque: hooks may keep what they see.
  const node = new OpNode(
    'BackwardHookFunctionBackward',
    tensors.map((x) => x.edge()),
    arrays,
    true,
  );
  node.setBackward((grads) => {
    const all = values.map((_, i): Tensor | null => (grads[places.indexOf(i)] as Tensor | null) ?? null);
    const changed = seen(all);
    return places.map((place) => changed[place]);
  });
  const result = [...values];
  places.forEach((place, slot) => {
    const x = tensors[slot];
    const passed = x.derive(arrays[slot], node, slot);
    passed.markView(x, () => passed, 'came through the hooks of a module');
    result[place] = passed;
  });
  return result;
}

/** @throws ArgumentError for what cannot stand for the gradients */
function replaced(grads: ModuleGradients, by: Replacement, name: string): ModuleGradients {
  if (by === undefined || by === null) return grads;
  const list: unknown = by instanceof Tensor ? [by] : by;
  const refuse = (expected: string, came: string): never => {
    throw new ArgumentError(`${name}: expected the hook to return ${expected}, got ${came}`);
  };
  if (!Array.isArray(list)) return refuse('a tensor, a list of tensors, or nothing', `'${typeof by}'`);
  if (list.length !== grads.length)
    return refuse(`${grads.length} gradient${grads.length === 1 ? '' : 's'}`, String(list.length));
  const form = ({ shape, dtype }: Tensor) => `a ${dtype} tensor of shape ${formatShape(shape)}`;
  for (const [i, x] of list.entries()) {
    const was = grads[i];
    if (x === null || x === undefined) continue;
    if (!(x instanceof Tensor)) refuse(`a tensor or null as gradient ${i}`, `'${typeof x}'`);
    else if (was && !(x.dtype === was.dtype && sameShape(x.shape, was.shape)))
      refuse(`${form(was)} as gradient ${i}`, form(x));
  }
  return list.map((x: Tensor | null | undefined) => x ?? null);
}
