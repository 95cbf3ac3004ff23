/** Hooks around a module's `forward`, and on the gradients that go back through it. */
import { isGradEnabled } from '../autograd/gradMode.ts';
import type { RemovableHandle } from '../autograd/variable.ts';
import { ArgumentError } from '../core/errors.ts';
import { warnOnce } from '../core/warnings.ts';
import { checkNames } from '../ops/options.ts';
import { BackwardWatch, type FullBackwardHook, type FullBackwardPreHook } from './backwardHooks.ts';
import type { Module } from './module.ts';

type Inputs<M extends Module> = Parameters<M['forward']>;
type Output<M extends Module> = ReturnType<M['forward']>;
/** Sees what `forward` got and gave; what it returns, if anything, replaces the output. */
export type ForwardHook<M extends Module> = (
  module: M,
  inputs: Inputs<M>,
  output: Output<M>,
) => Output<M> | void;
/** Sees what `forward` will get; a list that it returns, or a single value, replaces the inputs. */
export type ForwardPreHook<M extends Module> = (
  module: M,
  inputs: Inputs<M>,
) => readonly Inputs<M>[number][] | Inputs<M>[number] | void;

type Callback = (...args: never[]) => unknown;
type GradOutputHooks = FullBackwardPreHook<Module>[];
type GradInputHooks = FullBackwardHook<Module>[];
/** When a hook is called: around `forward`, or when gradients have come to a module's outputs, or its inputs. */
type When = 'before' | 'after' | 'gradOutput' | 'gradInput';

export interface HookOptions {
  /** Before the hooks that are there; default behind them. */
  readonly prepend?: boolean;
}

export interface ForwardHookOptions extends HookOptions {
  /** Also when `forward`, or a hook before this one, throws. Default false. */
  readonly alwaysCall?: boolean;
}

const METHODS: Readonly<Record<When, string>> = {
  before: 'registerForwardPreHook',
  after: 'registerForwardHook',
  gradOutput: 'registerFullBackwardPreHook',
  gradInput: 'registerFullBackwardHook',
};
const WHEN = Object.keys(METHODS) as When[];

/** Shadows a module's `forward` while there are hooks, so that modules without hooks pay nothing for them. */
export class ForwardHooks {
  readonly #module: Module;
  readonly #hooks: Readonly<Record<When, Set<Callback>>> = {
    before: new Set(),
    after: new Set(),
    gradOutput: new Set(),
    gradInput: new Set(),
  };
  /** Those that are called after an error, too. */
  readonly #always = new Set<Callback>();
  /** The instance's own `forward`, if it had one before it was shadowed. */
  #ownForward: PropertyDescriptor | undefined;

  constructor(module: Module) {
    this.#module = module;
  }

  /** @throws ArgumentError for what is no function, or another option */
  add(when: When, hook: Callback, options: ForwardHookOptions = {}): RemovableHandle {
    const name = METHODS[when];
    if (typeof hook !== 'function')
      throw new ArgumentError(`${name}: argument 'hook' must be a function, but got ${String(hook)}`);
    const names = when === 'after' ? ['prepend', 'alwaysCall'] : ['prepend'];
    const { prepend, alwaysCall }: ForwardHookOptions = checkNames(options, name, names);
    if (this.#isEmpty) this.#shadow();
    const hooks = this.#hooks[when];
    const others = prepend ? [...hooks] : [];
    if (prepend) hooks.clear();
    // A function of its own, so that one hook can be registered twice.
    const entry: Callback = (...args) => hook(...args);
    hooks.add(entry);
    if (alwaysCall) this.#always.add(entry);
    for (const other of others) hooks.add(other);
    const remove = (): void => {
      if (hooks.delete(entry) && this.#isEmpty) this.#unveil();
    };
    return Object.assign(remove, { remove });
  }

  /** The same hooks for a copy of the module. */
  copyTo(copy: Module): ForwardHooks {
    if (this.#ownForward) Object.defineProperty(copy, 'forward', this.#ownForward);
    const hooks = new ForwardHooks(copy);
    for (const when of WHEN)
      for (const hook of this.#hooks[when])
        hooks.add(when, hook, this.#always.has(hook) ? { alwaysCall: true } : {});
    return hooks;
  }

  get #isEmpty(): boolean {
    return WHEN.every((when) => this.#hooks[when].size === 0);
  }

  #shadow(): void {
    const module = this.#module;
    const { forward } = module;
    this.#ownForward = Object.getOwnPropertyDescriptor(module, 'forward');
    // Looked up anew if it is the class's: a profiler may have changed it since.
    const inner = (): unknown =>
      this.#ownForward ? forward : Reflect.get(Object.getPrototypeOf(module), 'forward');
    const value = (...given: unknown[]): unknown => {
      const { before, after, gradOutput, gradInput } = this.#hooks;
      let inputs: readonly unknown[] = given;
      let output: unknown = null;
      let waiting: Callback[] | null = null;
      const call = (hook: Callback): unknown => Reflect.apply(hook, undefined, [module, inputs, output]);
      try {
        // Lists of their own: a hook that adds another has it called from the next time on.
        for (const hook of [...before]) {
          const changed: unknown = Reflect.apply(hook, undefined, [module, inputs]);
          if (changed !== undefined && changed !== null)
            inputs = Array.isArray(changed) ? changed : [changed];
        }
        const watched = isGradEnabled() && gradOutput.size + gradInput.size > 0;
        const watch = watched
          ? new BackwardWatch(module, [...gradOutput] as GradOutputHooks, [...gradInput] as GradInputHooks)
          : null;
        if (watch) inputs = watch.inputs(inputs);
        output = Reflect.apply(inner() as Callback, module, inputs as never[]);
        waiting = [...after];
        for (let hook = waiting.shift(); hook; hook = waiting.shift()) output = call(hook) ?? output;
        return watch ? watch.output(output) : output;
      } catch (error) {
        for (const hook of [...(waiting ?? after)]) {
          if (!this.#always.has(hook)) continue;
          try {
            call(hook);
          } catch (another) {
            warnOnce(
              'alwaysCall',
              `a forward hook with alwaysCall threw after another error: ${String(another)}`,
            );
          }
        }
        throw error;
      }
    };
    Object.defineProperty(module, 'forward', {
      value,
      configurable: true,
      writable: true,
      enumerable: false,
    });
  }

  #unveil(): void {
    Reflect.deleteProperty(this.#module, 'forward');
    if (this.#ownForward) Object.defineProperty(this.#module, 'forward', this.#ownForward);
  }
}
