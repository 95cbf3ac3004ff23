/** Operations that users define, with a forward and a backward of their own: `torch.autograd.Function`. */
import { isGradEnabled, noGrad } from './autograd/gradMode.ts';
import { type BackwardFunction, OpNode, type SavedVariable } from './autograd/node.ts';
import type { Backend } from './backend/backend.ts';
import { isFloating } from './core/dtype.ts';
import { ArgumentError, AutogradError } from './core/errors.ts';
import { changedTo, checkChangeable } from './ops/inplace.ts';
import { Tensor } from './tensor.ts';

/** What forward hands to backward. */
export interface FunctionContext {
  /** Keeps tensors for backward; arguments and results of forward, checked for in-place changes. */
  saveForBackward(...tensors: readonly Tensor[]): void;
  /** What was kept, in order. @throws AutogradError if freed or changed in place since */
  readonly savedTensors: readonly Tensor[];
  /** By argument of forward: whether its gradient is wanted. */
  readonly needsInputGrad: readonly boolean[];
  /** Names results that have no gradient. */
  markNonDifferentiable(...outputs: readonly Tensor[]): void;
  /** Names arguments that forward has changed in place; they must be among its results. */
  markDirty(...inputs: readonly Tensor[]): void;
  /** Whether missing gradients arrive in backward as zeros (default) or as null. */
  setMaterializeGrads(value: boolean): void;
  /** Anything else that backward needs. */
  [key: string]: unknown;
}

class Context implements FunctionContext {
  [key: string]: unknown;
  readonly needsInputGrad: readonly boolean[];
  kept: readonly Tensor[] = [];
  unpack: (() => readonly Tensor[]) | null = null;
  materialize = true;
  readonly nonDifferentiable = new Set<Tensor>();
  readonly dirty = new Set<Tensor>();

  constructor(needsInputGrad: readonly boolean[]) {
    this.needsInputGrad = needsInputGrad;
  }
  saveForBackward(...tensors: readonly Tensor[]): void {
    this.kept = tensors;
  }
  get savedTensors(): readonly Tensor[] {
    return this.unpack === null ? this.kept : this.unpack();
  }
  markNonDifferentiable(...outputs: readonly Tensor[]): void {
    for (const y of outputs) this.nonDifferentiable.add(y);
  }
  markDirty(...inputs: readonly Tensor[]): void {
    for (const x of inputs) this.dirty.add(x);
  }
  setMaterializeGrads(value: boolean): void {
    this.materialize = value;
  }
}

type Results = Tensor | readonly Tensor[];
type Gradients = Tensor | null | undefined | readonly (Tensor | null | undefined)[];

/** The static side that a user's class has. */
export interface FunctionDefinition<A extends readonly unknown[], R extends Results> {
  readonly name: string;
  forward(ctx: FunctionContext, ...args: A): R;
  backward(ctx: FunctionContext, ...grads: Tensor[]): Gradients;
}

/** The same with what backward needs kept by a method of its own, as in PyTorch 2. */
export interface TwoStepDefinition<A extends readonly unknown[], R extends Results> {
  readonly name: string;
  forward(...args: A): R;
  setupContext(ctx: FunctionContext, inputs: A, output: R): void;
  backward(ctx: FunctionContext, ...grads: Tensor[]): Gradients;
}

/**
 * Base of user-defined operations. A subclass has two static methods: `forward(ctx, ...args)` computes the result, and
 * `backward(ctx, ...grads)` returns the gradient of every argument, given those of the results. With a third one,
 * `setupContext(ctx, inputs, output)`, `forward` gets no context. Call `apply`.
 */
export abstract class AutogradFunction {
  /** Runs the operation and records it. @throws AutogradError if backward returns a wrong number of gradients */
  static apply<A extends readonly unknown[], R extends Results>(this: TwoStepDefinition<A, R>, ...args: A): R;
  static apply<A extends readonly unknown[], R extends Results>(
    this: FunctionDefinition<A, R>,
    ...args: A
  ): R;
  static apply<A extends readonly unknown[], R extends Results>(
    this: FunctionDefinition<A, R> | TwoStepDefinition<A, R>,
    ...args: A
  ): R {
    const tensors = args.map((a) => (a instanceof Tensor ? a : null));
    const ctx = new Context(tensors.map((x) => isGradEnabled() && x?.requiresGrad === true));
    checkHas(this, 'forward');
    const results = noGrad(() => {
      if (!('setupContext' in this)) return this.forward(ctx, ...args);
      const output = this.forward(...args);
      this.setupContext(ctx, args, output);
      return output;
    });
    const list: readonly Tensor[] = results instanceof Tensor ? [results] : results;
    if (!ctx.needsInputGrad.includes(true)) return results;
    const outputs = attach(this, ctx, tensors, list);
    return (results instanceof Tensor ? outputs[0] : outputs) as R;
  }
}

/** @throws ArgumentError */
function checkHas(definition: { readonly name: string }, method: 'forward' | 'backward'): void {
  if (typeof Reflect.get(definition, method) !== 'function')
    throw new ArgumentError(`${definition.name}: You must implement the static method ${method}`);
}

function attach<A extends readonly unknown[], R extends Results>(
  definition: Pick<FunctionDefinition<A, R>, 'name' | 'backward'>,
  ctx: Context,
  tensors: readonly (Tensor | null)[],
  results: readonly Tensor[],
): Tensor[] {
  for (const x of ctx.dirty) {
    checkChangeable(x, definition.name);
    if (!results.includes(x))
      throw new AutogradError(
        `${definition.name}: Some elements marked as dirty during the forward method were not returned as output. The inputs ` +
          'that are modified inplace must all be outputs of the Function.',
      );
  }
  const node = new OpNode(
    `${definition.name}Backward`,
    tensors.map((x) => x?.edge() ?? null),
    results.map((y) => y.array),
    true,
  );
  const outputs = results.map((y, slot) => {
    if (!isFloating(y.dtype) || ctx.nonDifferentiable.has(y)) return ctx.dirty.has(y) ? y : y.detach();
    const output = y.derive(y.array, node, slot);
    return ctx.dirty.has(y) ? changedTo(y, output) : output;
  });
  const saved: readonly SavedVariable[] = ctx.kept.map((x) => {
    const slot = results.indexOf(x);
    return slot === 0 ? node.saveOutput(outputs[0]) : node.save(slot > 0 ? outputs[slot] : x);
  });
  ctx.unpack = unpackerOf(saved);
  node.setBackward(ruleOf(definition, ctx, node, tensors.length, results[0].array.backend));
  ctx.kept = [];
  ctx.dirty.clear();
  return outputs;
}

// What the graph keeps: functions of their own, with neither operands nor results around them.
const unpackerOf = (saved: readonly SavedVariable[]) => () =>
  saved.map((s) => s.get<Tensor>(Tensor.prototype));

function ruleOf<A extends readonly unknown[], R extends Results>(
  definition: Pick<FunctionDefinition<A, R>, 'name' | 'backward'>,
  ctx: Context,
  node: OpNode,
  count: number,
  backend: Backend,
): BackwardFunction {
  return (grads) => {
    const given = grads.map((g, slot) => {
      if (g instanceof Tensor) return g;
      if (!ctx.materialize) return null;
      const { shape, dtype } = node.outputs[slot];
      const zeros = backend.empty(shape, dtype);
      backend.fill(zeros, 0);
      return new Tensor(zeros);
    });
    checkHas(definition, 'backward');
    const gradients = definition.backward(ctx, ...(given as Tensor[]));
    const answer = Array.isArray(gradients) ? gradients : [gradients];
    const odd = answer.findIndex((g) => g != null && !(g instanceof Tensor));
    if (odd >= 0)
      throw new AutogradError(
        `${definition.name}.backward: expected a Tensor or null (got ${typeof answer[odd]}) as gradient ${odd}`,
      );
    const surplus = answer.slice(count).some((g) => g != null);
    if (surplus || answer.length < count) {
      throw new AutogradError(
        `${definition.name}.backward returned an incorrect number of gradients (expected ${count}, got ${answer.length})`,
      );
    }
    return answer.slice(0, count);
  };
}
