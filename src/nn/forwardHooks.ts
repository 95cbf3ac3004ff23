/** Hooks around a module's `forward`. */
import type { RemovableHandle } from '../autograd/variable.ts';
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

/** Shadows a module's `forward` while there are hooks, so that modules without hooks pay nothing for them. */
export class ForwardHooks {
  readonly #module: Module;
  readonly #before = new Set<Callback>();
  readonly #after = new Set<Callback>();
  /** The instance's own `forward`, if it had one before it was shadowed. */
  #ownForward: PropertyDescriptor | undefined;

  constructor(module: Module) {
    this.#module = module;
  }

  add(when: 'before' | 'after', hook: Callback): RemovableHandle {
    if (this.#isEmpty) this.#shadow();
    const hooks = when === 'before' ? this.#before : this.#after;
    // A function of its own, so that one hook can be registered twice.
    const entry: Callback = (...args) => hook(...args);
    hooks.add(entry);
    const remove = (): void => {
      if (hooks.delete(entry) && this.#isEmpty) this.#unveil();
    };
    return Object.assign(remove, { remove });
  }

  /** The same hooks for a copy of the module. */
  copyTo(copy: Module): ForwardHooks {
    if (this.#ownForward) Object.defineProperty(copy, 'forward', this.#ownForward);
    const hooks = new ForwardHooks(copy);
    for (const hook of this.#before) hooks.add('before', hook);
    for (const hook of this.#after) hooks.add('after', hook);
    return hooks;
  }

  get #isEmpty(): boolean {
    return this.#before.size + this.#after.size === 0;
  }

  #shadow(): void {
    const module = this.#module;
    const { forward } = module;
    this.#ownForward = Object.getOwnPropertyDescriptor(module, 'forward');
    // Looked up anew if it is the class's: a profiler may have changed it since.
    const inner = (): unknown =>
      this.#ownForward ? forward : Reflect.get(Object.getPrototypeOf(module), 'forward');
    const value = (...given: unknown[]): unknown => {
      let inputs = given;
      // Lists of their own: a hook that adds another has it called from the next time on.
      for (const hook of [...this.#before]) {
        const changed: unknown = Reflect.apply(hook, undefined, [module, inputs]);
        if (changed !== undefined && changed !== null) inputs = Array.isArray(changed) ? changed : [changed];
      }
      let output: unknown = Reflect.apply(inner() as Callback, module, inputs as never[]);
      for (const hook of [...this.#after])
        output = Reflect.apply(hook, undefined, [module, inputs, output]) ?? output;
      return output;
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
