/**
 * The base of all layers and models. A module's state is what its properties hold: parameters, modules and registered
 * buffers, found anew whenever they are asked for, and named by the properties. State-dict keys are therefore the
 * property names, joined by dots.
 */
import { zeroGradients } from '../autograd/gradients.ts';
import type { RemovableHandle } from '../autograd/variable.ts';
import { ArgumentError } from '../core/errors.ts';
import { type ByName, checkNames, type Flexible, inOrder, isPlain, option } from '../ops/options.ts';
import { Tensor, type ToArguments } from '../tensor.ts';
import type { FullBackwardHook, FullBackwardPreHook } from './backwardHooks.ts';
import {
  type ForwardHook,
  type ForwardHookOptions,
  ForwardHooks,
  type ForwardPreHook,
  type HookOptions,
} from './forwardHooks.ts';
import { noteModuleClass } from './moduleClasses.ts';
import { adopt, moduleTarget } from './moduleMoving.ts';
import { Parameter } from './parameter.ts';
import { indented, wrapLines } from './printing.ts';
import { Registered } from './registered.ts';
import {
  type IncompatibleKeys,
  type LoadStateDictOptions,
  loadInto,
  type SavedState,
  type StateDict,
} from './stateDict.ts';
import { checkName, joined, refuseAssigned } from './stateNames.ts';

export type { FullBackwardHook, FullBackwardPreHook, ModuleGradients } from './backwardHooks.ts';
export type { ForwardHook, ForwardHookOptions, ForwardPreHook, HookOptions } from './forwardHooks.ts';
export type { IncompatibleKeys, LoadStateDictOptions, StateDict } from './stateDict.ts';

export abstract class Module {
  /** True while training: dropout drops, batch norm uses the batch's statistics. Set by `train()` and `eval()`. */
  training = true;
  #state = new Registered(this, Module);
  #hooks: ForwardHooks | null = null;

  constructor();
  constructor(...args: readonly unknown[]) {
    // What comes here was given to a class that takes nothing: new Sigmoid({ inplace: true }).
    for (const options of args) if (isPlain(options)) checkNames(options, new.target.name, []);
    noteModuleClass(new.target);
  }

  /** The computation. Call it directly, `model.forward(x)`: hooks run then too. */
  // biome-ignore lint/suspicious/noExplicitAny: what a module gives is its class's to say; PyTorch's type is Any, too
  abstract forward(...inputs: unknown[]): any;

  /** `forward` for code that does not know the module's class. */
  call(...inputs: unknown[]): unknown {
    if (typeof this.forward !== 'function') {
      throw new ArgumentError(`Module [${this.constructor.name}] is missing the required "forward" function`);
    }
    return Reflect.apply(this.forward, this, inputs);
  }

  // Registration

  /** Makes a tensor, held in the property `name`, part of the state that is no parameter. */
  registerBuffer(
    name: string,
    tensor: Tensor | null,
    persistent: boolean | { persistent?: boolean } = true,
  ): void {
    checkName(this, name, 'buffer', this.#state.hasBuffer(name));
    if (tensor != null && !(tensor instanceof Tensor)) refuseAssigned(tensor, 'buffer', name, 'Tensor');
    const isSaved = option<'persistent', boolean>(persistent, 'registerBuffer', 'persistent', true);
    this.#state.addBuffer(name, tensor, isSaved);
  }

  /** The same as assigning the property, for names made at run time. */
  registerParameter(name: string, parameter: Parameter | null): void {
    checkName(this, name, 'parameter', Reflect.get(this, name) instanceof Parameter);
    if (parameter != null && !(parameter instanceof Parameter))
      refuseAssigned(parameter, 'parameter', name, 'Parameter');
    this.#state.add(name, parameter, Parameter);
  }

  /** The same as assigning the property, for names made at run time. */
  registerModule(name: string, module: Module | null): void {
    if (module !== null && !(module instanceof Module)) {
      const hint = typeof module === 'function' ? ': nn.ReLU, say, is the module of nn.functional.relu' : '';
      throw new ArgumentError(`module '${name}' must be a Module, but got ${typeof module}${hint}`);
    }
    checkName(this, name, 'module', Reflect.get(this, name) instanceof Module);
    this.#state.add(name, module, Module);
  }

  addModule(name: string, module: Module | null): void {
    this.registerModule(name, module);
  }

  // State

  /** The properties in the order in which they were registered. */
  protected ownEntries(): [string, unknown][] {
    return this.#state.entries();
  }

  /** What they hold. */
  protected ownValues(): unknown[] {
    return this.#state.values();
  }

  /** Every module, this one first, by its dotted name: once, unless told otherwise. */
  namedModules(
    ...args: Flexible<
      [prefix: string, removeDuplicate: boolean],
      { prefix?: string; removeDuplicate?: boolean }
    >
  ): [string, Module][] {
    const [prefix = '', removeDuplicate = true] = inOrder<[string, boolean]>(
      'namedModules',
      'prefix removeDuplicate',
      args,
    );
    const found: [string, Module][] = [];
    const seen = new Set<Module>();
    const visit = (name: string, module: Module): void => {
      if (removeDuplicate && seen.has(module)) return;
      seen.add(module);
      found.push([name, module]);
      for (const [child, value] of module.#state.all(Module)) visit(joined(name, child), value);
    };
    visit(prefix, this);
    return found;
  }

  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** The modules in this one's properties, each once. */
  namedChildren(): [string, Module][] {
    const seen = new Set<Module>();
    return this.#state.all(Module).filter(([, module]) => !seen.has(module) && seen.add(module));
  }

  children(): Module[] {
    return this.namedChildren().map(([, module]) => module);
  }

  /** The module at a dotted path; this one for ''. @throws ArgumentError if there is none */
  getSubmodule(target: string): Module {
    let module: Module = this;
    for (const name of target === '' ? [] : target.split('.')) {
      const next: unknown = Object.hasOwn(module, name) ? Reflect.get(module, name) : null;
      if (!(next instanceof Module)) {
        throw new ArgumentError(
          `getSubmodule: ${module.constructor.name} has no attribute \`${name}\`, in '${target}'`,
        );
      }
      module = next;
    }
    return module;
  }

  /** The parameter at a dotted path. @throws ArgumentError if there is none */
  getParameter(target: string): Parameter {
    const value = this.#at('getParameter', target);
    if (value instanceof Parameter) return value;
    throw new ArgumentError(`getParameter: \`${target}\` is not a Parameter`);
  }

  /** The buffer at a dotted path. @throws ArgumentError if there is none */
  getBuffer(target: string): Tensor {
    const found = new Map(this.namedBuffers()).get(target);
    if (found !== undefined) return found;
    this.#at('getBuffer', target);
    throw new ArgumentError(`getBuffer: \`${target}\` is not a buffer`);
  }

  #at(op: string, target: string): unknown {
    const dot = target.lastIndexOf('.');
    const [owner, name] = [this.getSubmodule(target.slice(0, Math.max(dot, 0))), target.slice(dot + 1)];
    const value: unknown = Object.hasOwn(owner, name) ? Reflect.get(owner, name) : undefined;
    if (value !== undefined) return value;
    throw new ArgumentError(`${op}: ${owner.constructor.name} has no attribute \`${name}\`, in '${target}'`);
  }

  /** Every parameter by its dotted name: once, unless told otherwise. */
  namedParameters(...args: StateArguments): [string, Parameter][] {
    return this.#named('namedParameters', args, (module) => module.#state.all(Parameter));
  }

  /** What `own` finds in each module. */
  #named<T extends Tensor>(
    op: string,
    args: StateArguments,
    own: (module: Module) => [string, T][],
  ): [string, T][] {
    const [prefix = '', recurse = true, removeDuplicate = true] = inOrder<[string, boolean, boolean]>(
      op,
      'prefix recurse removeDuplicate',
      args,
    );
    const modules: [string, Module][] = recurse
      ? this.namedModules(prefix, removeDuplicate)
      : [[prefix, this]];
    const seen = new Set<Tensor>();
    return modules.flatMap(([path, module]) =>
      own(module)
        .filter(([, tensor]) => !(removeDuplicate && seen.has(tensor)) && seen.add(tensor))
        .map(([name, tensor]): [string, T] => [joined(path, name), tensor]),
    );
  }

  /** Every parameter once, shared ones too: what an optimiser takes. */
  parameters(recurse?: ByName<'recurse', boolean>): Parameter[] {
    return this.namedParameters('', option(recurse, 'parameters', 'recurse', true)).map(
      ([, parameter]) => parameter,
    );
  }

  namedBuffers(...args: StateArguments): [string, Tensor][] {
    return this.#named('namedBuffers', args, (module) => module.#state.buffers(false));
  }

  buffers(recurse?: ByName<'recurse', boolean>): Tensor[] {
    return this.namedBuffers('', option(recurse, 'buffers', 'recurse', true)).map(([, buffer]) => buffer);
  }

  // What changes all of it

  /** Calls `visit` with every module inside, then with this one. */
  apply(visit: (module: Module) => void): this {
    for (const child of this.children()) child.apply(visit);
    visit(this);
    return this;
  }

  /** Sets the training mode here and in all modules inside. */
  train(mode?: ByName<'mode', boolean>): this {
    const training = option(mode, 'train', 'mode', true);
    if (typeof training !== 'boolean')
      throw new ArgumentError(`train: training mode is expected to be boolean, but got ${String(training)}`);
    this.training = training;
    for (const child of this.children()) child.train(training);
    return this;
  }

  /** `train(false)`. */
  eval(): this {
    return this.train(false);
  }

  /** Sets for every parameter whether it is trained. */
  requiresGrad_(requiresGrad?: ByName<'requiresGrad', boolean>): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(requiresGrad);
    return this;
  }

  /** Forgets the gradients of all parameters, or sets them to zero. */
  zeroGrad(setToNone: boolean | { setToNone?: boolean } = true): void {
    const forget = option<'setToNone', boolean>(setToNone, 'zeroGrad', 'setToNone', true);
    zeroGradients(this.parameters(), forget);
  }

  /**
   * Moves parameters and buffers to a device, and the floating ones to a floating dtype. The tensors stay the same
   * objects, so that optimisers keep hold of them. @throws DTypeError for a dtype that is not floating
   */
  to(...args: ToArguments): this {
    const { dtype, device } = moduleTarget(...args);
    const moved = (x: Tensor) => x.detach().to({ device, dtype: x.isFloatingPoint() ? dtype : undefined });
    const parameters = this.parameters();
    const tensors = [...parameters, ...this.buffers()];
    const values = tensors.map(moved);
    adopt(
      tensors,
      values,
      parameters.map(({ grad }) => grad && moved(grad)),
    );
    return this;
  }

  /** `to` without blocking, for modules on devices that cannot be read at once: `await model.toAsync('cpu')`. */
  async toAsync(...args: ToArguments): Promise<this> {
    const { dtype, device } = moduleTarget(...args);
    const moved = (x: Tensor) =>
      x.detach().toAsync({ device, dtype: x.isFloatingPoint() ? dtype : undefined });
    const parameters = this.parameters();
    const tensors = [...parameters, ...this.buffers()];
    // All are on their way before the first is waited for.
    const [values, gradients] = await Promise.all([
      Promise.all(tensors.map(moved)),
      Promise.all(parameters.map(({ grad }) => grad && moved(grad))),
    ]);
    adopt(tensors, values, gradients);
    return this;
  }

  /** Parameters and floating buffers as float32. */
  float(): this {
    return this.to('float32');
  }

  /** Parameters and floating buffers as float64. */
  double(): this {
    return this.to('float64');
  }

  cpu(): this {
    return this.to({ device: 'cpu' });
  }

  /**
   * A copy with parameters and buffers of its own; what is shared inside stays shared. The constructor does not run:
   * a class with #private fields of its own cannot be copied this way.
   */
  deepcopy(): this {
    return this.copyInto(new Map());
  }

  /** `deepcopy` as part of a larger one, which knows what was copied already. */
  copyInto(copies: Map<object, unknown>): this {
    const copy = Reflect.construct(Module, [], this.constructor);
    copies.set(this, copy);
    copy.#state = this.#state.copyTo(copy);
    for (const [name, value] of Object.entries(this)) copy[name] = copyValue(value, copies);
    copy.#hooks = this.#hooks?.copyTo(copy) ?? null;
    return copy;
  }

  // Saving and loading

  /**
   * Parameters and persistent buffers by name, sharing memory with the module; shared ones under every name. With `keepVars` they
   * are the module's own tensors.
   */
  stateDict(...args: Flexible<[prefix: string], { prefix?: string; keepVars?: boolean }>): StateDict {
    const [prefix = '', keepVars] = inOrder<[string, boolean]>('stateDict', 'prefix * keepVars', args);
    const state: StateDict = {};
    for (const [name, tensor] of this.#saved(prefix)) state[name] = keepVars ? tensor : tensor.detach();
    return state;
  }

  #saved(prefix: string): SavedState[] {
    const here = [...this.#state.all<Tensor>(Parameter), ...this.#state.buffers(true)];
    const own = here.map(([name, tensor]): SavedState => [prefix + name, tensor, this, name]);
    return own.concat(this.#state.all(Module).flatMap(([name, child]) => child.#saved(`${prefix}${name}.`)));
  }

  /**
   * Copies values into parameters and buffers by name, each converted to the dtype it has here; with `assign` the values take
   * their places, and optimisers are made after that. All is checked before anything changes. @throws ArgumentError for missing and unexpected keys (if strict) and for other shapes
   */
  loadStateDict(
    state: Readonly<StateDict>,
    ...args: Flexible<[strict: boolean, assign: boolean], LoadStateDictOptions>
  ): IncompatibleKeys {
    const [strict = true, assign] = inOrder<[boolean, boolean]>('loadStateDict', 'strict assign', args);
    return loadInto(this.constructor.name, this.#saved(''), state, strict, assign);
  }

  // Hooks

  /** Calls `hook` after every `forward`; with `alwaysCall`, also after one that throws, which gives null. */
  registerForwardHook<M extends Module>(
    this: M,
    hook: ForwardHook<M>,
    options?: ForwardHookOptions,
  ): RemovableHandle {
    return this.#hooksHere().add('after', hook, options);
  }

  /** Calls `hook` before every `forward`. */
  registerForwardPreHook<M extends Module>(
    this: M,
    hook: ForwardPreHook<M>,
    options?: HookOptions,
  ): RemovableHandle {
    return this.#hooksHere().add('before', hook, options);
  }

  /**
   * Calls `hook(module, gradInput, gradOutput)` when the gradients of this module's inputs are computed, or, where no input needs one, as
   * those of a first layer, those of its outputs. It may return others for the inputs, so `(m, _, [g]) => (kept = g)` replaces them: write
   * `{ kept = g; }`. Inputs and outputs must not be changed in place then, as in PyTorch. Outputs are a tensor or those in a list; gradients that reach the
   * inputs by another way only (a last state) pass by.
   */
  registerFullBackwardHook<M extends Module>(
    this: M,
    hook: FullBackwardHook<M>,
    options?: HookOptions,
  ): RemovableHandle {
    return this.#hooksHere().add('gradInput', hook, options);
  }

  /** Calls `hook` with the gradients of this module's outputs before they go back through it. */
  registerFullBackwardPreHook<M extends Module>(
    this: M,
    hook: FullBackwardPreHook<M>,
    options?: HookOptions,
  ): RemovableHandle {
    return this.#hooksHere().add('gradOutput', hook, options);
  }

  #hooksHere(): ForwardHooks {
    this.#hooks ??= new ForwardHooks(this);
    return this.#hooks;
  }

  // Printing

  /** What stands between the parentheses when the module is printed. */
  extraRepr(): string {
    return '';
  }

  /** As PyTorch prints it. */
  toString(): string {
    const extra = this.extraRepr();
    const extraLines = extra === '' ? [] : extra.split('\n');
    const children = this.ownEntries().flatMap(([name, x]) =>
      x instanceof Module ? [`(${name}): ${indented(String(x))}`] : [],
    );
    return wrapLines(this.constructor.name, extraLines, children);
  }

  /** What Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/**
 * Has the parameters of a module known by name before anybody asks for them: constructors of layers end so, and what is
 * then assigned instead of one is refused.
 */
export const noteParameters = (module: Module): void => {
  Reflect.apply(Module.prototype.namedParameters, module, ['', false]);
};

/** What names begin with, whether modules inside are looked into, and whether what is shared is found once. */
type StateArguments = Flexible<
  [prefix: string, recurse: boolean, removeDuplicate: boolean],
  { prefix?: string; recurse?: boolean; removeDuplicate?: boolean }
>;

/** A copy of what a property holds: tensors, modules and plain containers are copied, all else is shared. */
function copyValue(value: unknown, copies: Map<object, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (copies.has(value)) return copies.get(value);
  if (value instanceof Module) return value.copyInto(copies);
  let copy: unknown = value;
  if (value instanceof Parameter) copy = new Parameter(value.detach().clone(), value.requiresGrad);
  else if (value instanceof Tensor)
    copy = value
      .detach()
      .clone()
      .requiresGrad_(value.isLeaf && value.requiresGrad);
  else if (Array.isArray(value)) copy = value.map((x) => copyValue(x, copies));
  else if (Object.getPrototypeOf(value) === Object.prototype) {
    copy = Object.fromEntries(Object.entries(value).map(([name, x]) => [name, copyValue(x, copies)]));
  }
  copies.set(value, copy);
  return copy;
}
