/** Hooks on the gradients of a module's inputs and outputs: both pass through a node that does nothing else. */
import { OpNode } from '../autograd/node.ts';
import { ArgumentError } from '../core/errors.ts';
import { Tensor } from '../tensor.ts';
import type { Module } from './module.ts';

/** One for each input or output of `forward`; null where there is none: no tensor, or nothing that needs or has a gradient. */
export type ModuleGradients = (Tensor | null)[];
type Replacement = readonly (Tensor | null)[] | Tensor | null | void;
/** Sees the gradients of a module's inputs and outputs; what it returns, if anything, replaces those of the inputs. */
export type FullBackwardHook<M extends Module> = (
  module: M,
  gradInput: ModuleGradients,
  gradOutput: ModuleGradients,
) => Replacement;
/** Sees the gradients of a module's outputs before they go through it; what it returns, if anything, replaces them. */
export type FullBackwardPreHook<M extends Module> = (module: M, gradOutput: ModuleGradients) => Replacement;

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
    const seen = throughNode(given, (gradInput) => this.#visitInputs(gradInput));
    this.#idleInputs = seen === given ? given.length : null;
    return seen;
  }

  output(given: unknown): unknown {
    const seen: Seen = (gradOutput) => this.#visitOutputs(gradOutput);
    return Array.isArray(given) ? throughNode(given, seen) : throughNode([given], seen)[0];
  }

  #visitOutputs(gradOutput: ModuleGradients): ModuleGradients {
    let grads = gradOutput;
    for (const hook of this.#before)
      grads = replaced(grads, hook(this.#module, grads), 'registerFullBackwardPreHook');
    this.#gradOutput = grads;
    if (this.#idleInputs === null) return grads;
    const none: ModuleGradients = Array.from({ length: this.#idleInputs }, () => null);
    for (const hook of this.#after)
      if (replaced(none, hook(this.#module, [...none], grads), 'registerFullBackwardHook').some(Boolean))
        throw new ArgumentError(
          'registerFullBackwardHook: the hook returned a gradient, but no input of the module requires one',
        );
    return grads;
  }

  #visitInputs(gradInput: ModuleGradients): ModuleGradients {
    const gradOutput = this.#gradOutput;
    if (gradOutput === null)
      throw new ArgumentError(
        `registerFullBackwardHook: the gradient of an input of ${this.#module.constructor.name} came before that of its ` +
          'output: it does not depend on the output alone',
      );
    return this.#after.reduce(
      (grads, hook) => replaced(grads, hook(this.#module, grads, gradOutput), 'registerFullBackwardHook'),
      gradInput,
    );
  }
}

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
    const all: ModuleGradients = values.map(() => null);
    for (const [i, place] of places.entries()) all[place] = grads[i] as Tensor | null;
    const changed = seen(all);
    return places.map((place) => changed[place]);
  });
  const passed = tensors.map((x, slot) => x.derive(arrays[slot], node, slot));
  return values.map((x, i) => (places.includes(i) ? passed[places.indexOf(i)] : x));
}

function replaced(grads: ModuleGradients, by: Replacement, name: string): ModuleGradients {
  if (by === undefined || by === null) return grads;
  const list = by instanceof Tensor ? [by] : [...by];
  if (list.length !== grads.length)
    throw new ArgumentError(
      `${name}: expected the hook to return ${grads.length} gradient${grads.length === 1 ? '' : 's'}, got ${list.length}`,
    );
  return list;
}
