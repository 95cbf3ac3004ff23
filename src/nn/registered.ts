/**
 * What a module's properties hold of its state, and the order in which it was registered: found anew whenever it is asked
 * for, as properties are assigned without anybody being told.
 */
import { Tensor } from '../tensor.ts';
import { Parameter } from './parameter.ts';
import { refuseAssigned } from './stateNames.ts';

/** A class whose objects are state: `Parameter` or `Module`. */
export type Kind<S extends object = object> = abstract new (...args: never[]) => S;

export class Registered {
  readonly #owner: object;
  /** `Module`, which is built on this. */
  readonly #module: Kind;
  /** Registered buffers: name → whether the state dict has it. */
  readonly #buffers = new Map<string, boolean>();
  /** What stood under each name when the properties were last walked: a parameter, or a module. */
  readonly #kinds = new Map<string, Kind>();
  /** The name that came last, for what has one more. */
  #last: string | number = -1;
  /** Whether the properties stand in another order than they were registered in. */
  #isMixed = false;

  constructor(owner: object, module: Kind) {
    this.#owner = owner;
    this.#module = module;
  }

  hasBuffer(name: string): boolean {
    return this.#buffers.has(name);
  }

  addBuffer(name: string, tensor: Tensor | null, persistent: boolean): void {
    this.#buffers.set(name, persistent);
    Reflect.set(this.#owner, name, tensor);
  }

  /** The same as assigning the property, but for its place. */
  add(name: string, value: object | null, kind: Kind): void {
    if (!Object.hasOwn(this.#owner, name)) {
      this.#kinds.delete(name);
      // JavaScript has names that are whole numbers first, by their size.
      if (/^\d/.test(name) && !(Number(this.#last) < Number(name))) this.#isMixed = true;
    }
    if (value != null) this.#note(name, kind);
    Reflect.set(this.#owner, name, value);
  }

  #note(name: string, kind: Kind): void {
    if (!this.#kinds.has(name)) this.#last = name;
    this.#kinds.set(name, kind);
  }

  /** The properties in the order in which they were registered. */
  entries(): [string, unknown][] {
    const entries: [string, unknown][] = Object.entries(this.#owner);
    if (!this.#isMixed) return entries;
    const places = new Map([...this.#kinds.keys()].map((name, i) => [name, i]));
    const place = ([name]: [string, unknown]): number => places.get(name) ?? places.size;
    return entries.sort((a, b) => place(a) - place(b));
  }

  /** What they hold: lists of modules ask in every `forward`. */
  values(): unknown[] {
    return this.#isMixed ? this.entries().map(([, value]) => value) : Object.values(this.#owner);
  }

  /**
   * The properties of a kind. What has taken the place of one, and is none, would be neither trained nor saved.
   * @throws ArgumentError for that; a property that was deleted may become anything
   */
  all<S extends object>(kind: Kind<S>): [string, S][] {
    const found: [string, S][] = [];
    const kinds = this.#kinds;
    for (const [name, value] of this.entries()) {
      if (value instanceof kind) {
        found.push([name, value]);
        this.#note(name, kind);
      } else if (
        value != null &&
        kinds.get(name) === kind &&
        !(value instanceof Parameter || value instanceof this.#module)
      ) {
        const [what, expected] =
          kind.prototype instanceof Tensor ? ['parameter', 'Parameter'] : ['child module', 'Module'];
        refuseAssigned(value, what, name, expected);
      }
    }
    for (const name of kinds.keys()) if (!Object.hasOwn(this.#owner, name)) kinds.delete(name);
    return found;
  }

  /** @throws ArgumentError for what has taken the place of a buffer, and is no state */
  buffers(persistentOnly: boolean): [string, Tensor][] {
    const found: [string, Tensor][] = [];
    for (const [name, persistent] of this.#buffers) {
      const value: unknown = Reflect.get(this.#owner, name);
      if (value != null && !(value instanceof Tensor || value instanceof this.#module))
        refuseAssigned(value, 'buffer', name, 'Tensor');
      if (value instanceof Tensor && (persistent || !persistentOnly)) found.push([name, value]);
    }
    return found;
  }

  /** The same names for a copy of the module, whose properties come by themselves. */
  copyTo(owner: object): Registered {
    const copy = new Registered(owner, this.#module);
    for (const [name, persistent] of this.#buffers) copy.#buffers.set(name, persistent);
    for (const [name, kind] of this.#kinds) copy.#kinds.set(name, kind);
    copy.#last = this.#last;
    copy.#isMixed = this.#isMixed;
    return copy;
  }
}
