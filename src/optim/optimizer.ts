/**
 * The base of all optimisers: groups of parameters with their options, the state kept for each parameter, saving and
 * loading both. A step reads the collected gradients and writes the parameters in place, outside the graph.
 */
import { zeroGradients } from '../autograd/gradients.ts';
import { enableGrad, noGrad } from '../autograd/gradMode.ts';
import type { RemovableHandle } from '../autograd/variable.ts';
import type { NDArray } from '../backend/array.ts';
import type { StepSpec } from '../backend/backend.ts';
import { ArgumentError } from '../core/errors.ts';
import { pythonValue, snakeCase } from '../core/pythonText.ts';
import { formatShape, type Shape, sameShape } from '../core/shape.ts';
import { checkCase, oneWay, option } from '../ops/options.ts';
import { Tensor } from '../tensor.ts';
import { checkSavedKind, renamedState } from './pythonState.ts';

export interface OptimizerOptions {
  /** Learning rate. */
  lr: number;
  /** Says nothing here, as all that tells how a step is computed. */
  foreach?: boolean | null;
  fused?: boolean | null;
  capturable?: boolean;
  /** Always false: steps are not recorded. */
  differentiable?: false;
}

/** Parameters that share options. Schedulers and users may change the options between steps. */
export type ParamGroup<O extends OptimizerOptions = OptimizerOptions> = O & {
  params: Tensor[];
  /** The learning rate that schedulers start from. */
  initialLr?: number;
  /** What schedules that go up and down between bounds write here. */
  maxLr?: number;
  minLr?: number;
  swaLr?: number;
  maxMomentum?: number;
  baseMomentum?: number;
  /** What the parameters are called, where they came with their names. */
  paramNames?: string[];
};

/** A parameter, or its name and itself, as `namedParameters()` gives them. */
export type ParamGiven = Tensor | readonly [name: string, param: Tensor];

/** A group as users write it: options that it leaves out are the optimiser's. */
export type GroupSpec<O extends OptimizerOptions> = Partial<O> & {
  params: Tensor | Iterable<ParamGiven>;
  initialLr?: number;
};

/** What an optimiser takes first. */
export type Params<O extends OptimizerOptions> = Iterable<ParamGiven> | Iterable<GroupSpec<O>>;

/** Sees what `step` will get; a list that it returns replaces it. */
export type StepPreHook<T extends Optimizer = Optimizer> = (
  optimizer: T,
  args: readonly unknown[],
) => readonly unknown[] | void;
/** Sees what `step` got. */
export type StepPostHook<T extends Optimizer = Optimizer> = (optimizer: T, args: readonly unknown[]) => void;
type StepHooks = Set<(optimizer: Optimizer, args: readonly unknown[]) => unknown>;

/** What is kept for one parameter. */
export type ParamState = Partial<Record<string, Tensor | number | null>>;

/** Parameters appear as numbers: their places in the groups, counted through. */
export interface OptimizerStateDict {
  state: Record<number, ParamState>;
  paramGroups: (Record<string, unknown> & { params: number[] })[];
}

export abstract class Optimizer<
  O extends OptimizerOptions = OptimizerOptions,
  S extends ParamState = ParamState,
> {
  readonly defaults: Readonly<O>;
  readonly paramGroups: ParamGroup<O>[] = [];
  /** By parameter; empty until the first step. */
  readonly state = new Map<Tensor, S>();
  /** Those before a step, and those behind it; none until one is registered. */
  #hooks: [before: StepHooks, after: StepHooks] | null = null;

  /**
   * @throws ArgumentError for an option that is none or out of range, and for parameters that are none, doubled, or not
   * leaves
   */
  constructor(params: Params<O>, defaults: O, options: Partial<O> = {}) {
    const name = this.constructor.name;
    if (typeof options !== 'object' || options === null)
      throw new ArgumentError(`${name}: expected options such as { lr: 0.1 }, but got ${options}`);
    for (const key in options)
      if (!(key in defaults || key in this.printedConstants()))
        throw new ArgumentError(
          `${name}: there is no option '${key}', but ${Object.keys(defaults).join(', ')}`,
        );
    this.defaults = { ...defaults, ...options };
    this.validate(this.defaults);
    if (
      params instanceof Tensor ||
      typeof params !== 'object' ||
      params === null ||
      !(Symbol.iterator in params)
    ) {
      throw new ArgumentError(
        'params argument given to the optimizer should be an iterable of Tensors or objects with params, but got ' +
          (params instanceof Tensor ? 'Tensor' : String(params)),
      );
    }
    const list: (ParamGiven | GroupSpec<O>)[] = [...params];
    if (list.length === 0) throw new ArgumentError('optimizer got an empty parameter list');
    const isGroup = (x: ParamGiven | GroupSpec<O>): x is GroupSpec<O> =>
      !(x instanceof Tensor || Array.isArray(x));
    if (list.some((x) => isGroup(x) && isSpec(x))) {
      for (const group of list) if (isGroup(group)) this.addParamGroup(group);
    } else {
      this.addParamGroup({ params: list as ParamGiven[] });
    }
  }

  /** @throws ArgumentError for options out of range */
  protected validate(_options: O): void {}
  /** One step of one group; optimisers of users may have a `step` of their own instead. */
  protected stepGroup(_group: ParamGroup<O>): void {
    throw new ArgumentError(`${this.constructor.name} is missing the required "step" function`);
  }
  /** Options that PyTorch prints and that mean nothing here. */
  protected printedConstants(): Record<string, unknown> {
    return { capturable: false, differentiable: false, foreach: null };
  }

  /** Adds parameters with options of their own, as when layers are unfrozen. @throws ArgumentError */
  addParamGroup(spec: GroupSpec<O> | { params: Tensor | Iterable<ParamGiven> }): void {
    if (!Object(spec?.params)[Symbol.iterator])
      throw new ArgumentError(
        `addParamGroup: expected an object with params, a Tensor or several of them, but got ${String(spec?.params ?? spec)}`,
      );
    checkCase(spec);
    const given = spec.params instanceof Tensor ? [spec.params] : [...spec.params];
    const paramNames = given.flatMap((x) => (Array.isArray(x) ? [String(x[0])] : []));
    const params = given.map((x) => checkedTensor(Array.isArray(x) ? x[1] : x));
    const named = paramNames.length > 0;
    if (named && paramNames.length < params.length) {
      throw new ArgumentError(
        'all optimizer params should be with/without names. Some param names are missing',
      );
    }
    if (this.paramGroups.some((group) => (group.paramNames !== undefined) !== named)) {
      throw new ArgumentError(
        'all optimizer param groups should be with/without names. cannot add param group ' +
          `${named ? 'with' : 'without'} names to the optimizer`,
      );
    }
    const known = new Set(this.paramGroups.flatMap((group) => group.params));
    const seen = new Set<Tensor>();
    for (const param of params) {
      if (!param.isLeaf) throw new ArgumentError("can't optimize a non-leaf Tensor");
      if (known.has(param))
        throw new ArgumentError('some parameters appear in more than one parameter group');
      if (seen.has(param))
        throw new ArgumentError('optimizer contains a parameter group with duplicate parameters');
      seen.add(param);
    }
    const group: ParamGroup<O> = { ...this.defaults, ...spec, params, ...(named && { paramNames }) };
    oneWay(this.constructor.name, 'differentiable', group.differentiable, false);
    this.validate(group);
    this.paramGroups.push(group);
  }

  /** Forgets the gradients of all parameters, or sets them to zero. */
  zeroGrad(setToNone: boolean | { setToNone?: boolean } = true): void {
    const forget = option<'setToNone', boolean>(setToNone, 'zeroGrad', 'setToNone', true);
    for (const group of this.paramGroups) zeroGradients(group.params, forget);
  }

  /** Changes the parameters by their gradients; those without one stay. A closure computes the loss first. */
  step(): void;
  step<R>(closure: () => R): R;
  step<R>(closure?: () => R): R | undefined {
    const loss = closure && enableGrad(closure);
    noGrad(() => {
      for (const group of this.paramGroups) this.stepGroup(group);
    });
    return loss;
  }

  /** Calls `hook` before every `step`. */
  registerStepPreHook<T extends Optimizer>(this: T, hook: StepPreHook<T>): RemovableHandle {
    return this.#hook(0, hook as StepPreHook, 'registerStepPreHook');
  }

  /** Calls `hook` after every `step`. */
  registerStepPostHook<T extends Optimizer>(this: T, hook: StepPostHook<T>): RemovableHandle {
    return this.#hook(1, hook as StepPostHook, 'registerStepPostHook');
  }

  #hook(when: 0 | 1, hook: StepPreHook | StepPostHook, op: string): RemovableHandle {
    if (typeof hook !== 'function')
      throw new ArgumentError(`${op}: argument 'hook' must be a function, but got ${String(hook)}`);
    this.#hooks ??= this.#shadowStep();
    const hooks = this.#hooks[when];
    // A function of its own, so that one hook can be registered twice.
    const entry: typeof hook = (...args) => hook(...args);
    hooks.add(entry);
    const remove = (): void => {
      hooks.delete(entry);
    };
    return Object.assign(remove, { remove });
  }

  /** Puts a `step` with hooks before that of the class, which may be one of the user's. */
  #shadowStep(): [before: StepHooks, after: StepHooks] {
    const [before, after]: StepHooks[] = [new Set(), new Set()];
    const { step } = this;
    const value = (...given: unknown[]): unknown => {
      let args: readonly unknown[] = given;
      for (const hook of [...before]) {
        const changed = hook(this, args) ?? args;
        if (!Array.isArray(changed))
          throw new ArgumentError(
            `registerStepPreHook: expected the hook to return nothing or a list of arguments, but got ${String(changed)}`,
          );
        args = changed;
      }
      const loss: unknown = Reflect.apply(step, this, args);
      for (const hook of [...after]) hook(this, args);
      return loss;
    };
    Object.defineProperty(this, 'step', { value, configurable: true, writable: true });
    return [before, after];
  }

  /** Options and state. Tensors in it are the optimiser's own: clone them to keep a moment. */
  stateDict(): OptimizerStateDict {
    const numbers = this.#numbers();
    const state: Record<number, ParamState> = {};
    for (const [param, kept] of this.state) {
      const at = numbers.get(param);
      if (at !== undefined) state[at] = { ...kept };
    }
    const paramGroups = this.paramGroups.map((group) => {
      const options: Record<string, unknown> = Object.fromEntries(Object.entries(group));
      return { ...options, params: group.params.map((param) => numbers.get(param) ?? -1) };
    });
    return { state, paramGroups };
  }

  /**
   * Takes options and state over; tensors are copied in each parameter's dtype and device. What PyTorch's `state_dict()`
   * gave, read by `loadTorch`, is understood.
   * @throws ArgumentError, changing nothing, for a state that is not one of an optimiser with these groups
   */
  loadStateDict(saved: OptimizerStateDict): void {
    const groups = this.paramGroups;
    const dict = renamedState(saved);
    checkStateDict(dict);
    if (dict.paramGroups.length !== groups.length) {
      throw new ArgumentError('loaded state dict has a different number of parameter groups');
    }
    if (dict.paramGroups.some((saved, i) => saved.params.length !== groups[i].params.length)) {
      throw new ArgumentError(
        "loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
      );
    }
    const byNumber = new Map<number, Tensor>();
    dict.paramGroups.forEach((saved, i) => {
      for (const [j, at] of saved.params.entries()) byNumber.set(at, groups[i].params[j]);
    });
    const options = dict.paramGroups.map((saved, i): ParamGroup<O> => {
      for (const [name, standard] of Object.entries(this.defaults))
        checkSavedKind(`the option ${name}`, standard, saved[name]);
      const { params, paramNames } = groups[i];
      const group: ParamGroup<O> = { ...this.defaults, ...(paramNames && { paramNames }), ...saved, params };
      this.validate(group);
      return group;
    });
    const restored = new Map<Tensor, S>();
    for (const [at, kept] of Object.entries(dict.state)) {
      const param = byNumber.get(Number(at));
      if (!param) continue;
      const copies = Object.entries(kept).map(([name, x]) => [
        name,
        copyFor(param, x, name, this.stateShape(param, name)),
      ]);
      restored.set(param, this.revive(Object.fromEntries(copies)));
    }
    groups.forEach((group, i) => {
      // What the group has beyond the saved options goes, as it would in PyTorch.
      for (const name of Object.keys(group))
        if (!Object.hasOwn(options[i], name)) Reflect.deleteProperty(group, name);
      Object.assign(group, options[i]);
    });
    this.state.clear();
    for (const [param, kept] of restored) this.state.set(param, kept);
  }

  /** The shape of a tensor that is kept for a parameter. */
  protected stateShape(param: Tensor, _name: string): Shape {
    return param.shape;
  }

  /** Saved state as this optimiser keeps it. @throws ArgumentError if something is missing */
  protected revive(saved: ParamState): S {
    return saved as S;
  }

  #numbers(): Map<Tensor, number> {
    return new Map(this.paramGroups.flatMap((group) => group.params).map((param, i) => [param, i]));
  }

  /** As PyTorch prints it: the groups' options in alphabetical order. */
  toString(): string {
    const groups = this.paramGroups.map(({ params: _, paramNames, ...options }, i) => {
      const names = paramNames && { paramNames: `['${paramNames.join("', '")}']` };
      const rows = Object.entries({ ...this.printedConstants(), ...options, ...names })
        .map(([name, value]): [string, string] => [
          snakeCase(name),
          typeof value === 'string' ? value : pythonValue(value),
        ])
        .sort(([a], [b]) => (a < b ? -1 : 1));
      return `\nParameter Group ${i}\n${rows.map(([name, value]) => `    ${name}: ${value}\n`).join('')}`;
    });
    return `${this.constructor.name} (${groups.join('')})`;
  }

  /** What Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

const isSpec = (x: object): boolean => 'params' in x;

function checkedTensor(x: unknown): Tensor {
  if (x instanceof Tensor) return x;
  throw new ArgumentError(
    `optimizer can only optimize Tensors, but one of the params is ${x === null ? 'null' : typeof x}`,
  );
}

/** @throws ArgumentError unless it has the form that `stateDict` gives */
function checkStateDict(dict: OptimizerStateDict): void {
  const isObject = (x: unknown) => typeof x === 'object' && x !== null && !(x instanceof Tensor);
  const wellFormed =
    isObject(dict) &&
    isObject(dict.state) &&
    Object.values(dict.state).every(isObject) &&
    Array.isArray(dict.paramGroups) &&
    dict.paramGroups.every(
      // Assigned to a group, the name __proto__ would exchange what it is.
      (group) => isObject(group) && Array.isArray(group.params) && !Object.hasOwn(group, '__proto__'),
    );
  if (!wellFormed) {
    throw new ArgumentError(
      'loadStateDict: expected { state: { number: … }, paramGroups: [{ params: [numbers], … }] } as stateDict gives it',
    );
  }
}

/** Saved state for a parameter: in its dtype, on its device, with memory laid out as its own. @throws ArgumentError */
function copyFor(
  param: Tensor,
  value: Tensor | number | null | undefined,
  name: string,
  shape: Shape,
): Tensor | number | null | undefined {
  if (!(value instanceof Tensor)) return value;
  if (value.ndim === 0 && param.ndim > 0) return value.detach().clone(); // a number, as PyTorch keeps the count of steps
  if (!sameShape(value.shape, shape)) {
    throw new ArgumentError(
      `loadStateDict: the saved ${name} has shape ${formatShape(value.shape)}, but its parameter has shape ` +
        formatShape(param.shape),
    );
  }
  const { dtype, device } = param;
  if (!sameShape(shape, param.shape)) return value.detach().to({ dtype, device, copy: true });
  const copy = bufferLike(param);
  copy.copy_(value.detach().to({ device }));
  return copy;
}

/** A tensor for an optimiser's state: zeros (or another value) in the parameter's shape, dtype and memory layout. */
export function bufferLike(param: Tensor, value = 0): Tensor {
  const { backend, shape, dtype, dense, strides } = param.array;
  const array = backend.empty(shape, dtype, dense ? strides : undefined);
  backend.fill(array, value);
  return new Tensor(array);
}

/** The collected gradient, without telling the graph that someone has seen it. */
export const gradientOf = (param: Tensor): NDArray | null => param.leaf?.grad?.array ?? null;

/** One fused pass over a parameter and what is kept for it. */
export function applyStep(
  spec: StepSpec,
  param: Tensor,
  grad: NDArray,
  buffers: readonly (Tensor | null)[],
  scalars: readonly number[],
): void {
  const arrays = buffers.map((x) => x?.array ?? null);
  param.array.backend.optimizerStep(spec, param.array, grad, arrays, scalars);
  for (const x of [param, ...buffers]) if (x) x.array.storage.version++;
}

/** A saved tensor. @throws ArgumentError if it is missing */
export function savedTensor(saved: ParamState, name: string): Tensor {
  const value = saved[name];
  if (value instanceof Tensor) return value;
  throw new ArgumentError(`loadStateDict: the state of a parameter lacks the tensor ${name}`);
}

/** A saved number; a saved tensor of one element counts. @throws ArgumentError if it is missing */
export function savedNumber(saved: ParamState, name: string): number {
  const value = saved[name];
  if (typeof value === 'number') return value;
  if (value instanceof Tensor && value.numel() === 1) return value.item();
  throw new ArgumentError(`loadStateDict: the state of a parameter lacks the number ${name}`);
}

/** A saved tensor, or null if there is none. */
export const savedOrNull = (saved: ParamState, name: string): Tensor | null =>
  saved[name] instanceof Tensor ? savedTensor(saved, name) : null;

/** What gradients are multiplied by: -1 climbs. */
export const signOf = (group: { maximize: boolean }): number => (group.maximize ? -1 : 1);

/** @throws ArgumentError unless value ≥ 0 */
export function checkNonNegative(value: number, what: string): void {
  if (!(typeof value === 'number' && value >= 0))
    throw new ArgumentError(`Invalid ${what}: ${String(value)}`);
}

/** @throws ArgumentError unless they are two, both in [0, 1) */
export function checkBetas(betas: readonly [number, number]): void {
  if (!Array.isArray(betas) || betas.length !== 2)
    throw new ArgumentError(
      `betas must be a list of two numbers, such as [0.9, 0.999], but got ${String(betas)}`,
    );
  betas.forEach((beta, i) => {
    if (!(beta >= 0 && beta < 1)) throw new ArgumentError(`Invalid beta parameter at index ${i}: ${beta}`);
  });
}
