/** Methods that are replaced for a while. */

export type Method = (this: unknown, ...args: unknown[]) => unknown;

export class Patches {
  readonly #undo: (() => void)[] = [];
  readonly #done = new Map<object, Set<PropertyKey>>();

  /** Puts another function in the place of an object's own method, once; does nothing where it has none. */
  replace(owner: object, name: PropertyKey, wrap: (original: Method) => Method): void {
    const names = this.#done.get(owner) ?? new Set();
    const own = Object.getOwnPropertyDescriptor(owner, name);
    if (typeof own?.value !== 'function' || names.has(name)) return;
    this.#done.set(owner, names.add(name));
    Object.defineProperty(owner, name, { ...own, value: wrap(own.value) });
    this.add(() => Object.defineProperty(owner, name, own));
  }

  /** Something else to take back. */
  add(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** Takes everything back, the last first. */
  remove(): void {
    for (let undo = this.#undo.pop(); undo; undo = this.#undo.pop()) undo();
    this.#done.clear();
  }
}
