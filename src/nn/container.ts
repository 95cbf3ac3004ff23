/** Modules and parameters in lists and tables. Their entries are properties, so `model[0]` and `model.fc` work. */
import { ArgumentError, IndexError } from '../core/errors.ts';
import { refuse } from '../ops/given.ts';
import { linearRelu } from '../ops/matmul.ts';
import { isPlain } from '../ops/options.ts';
import { Tensor } from '../tensor.ts';
import { ReLU } from './activation.ts';
import { Linear } from './linear.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';
import { numbered } from './printing.ts';

/** A list index, negative from the end. @throws IndexError */
function position(index: number, length: number): number {
  const at = index < 0 ? index + length : index;
  if (Number.isInteger(index) && at >= 0 && at < length) return at;
  throw new IndexError(`index ${index} is out of range`);
}

/** The methods as these classes have them: hooks, subclasses and profilers put others in their place. */
const OWN_FORWARD = /* @__PURE__ */ (() => ({
  linear: Linear.prototype.forward,
  relu: ReLU.prototype.forward,
}))();

/** A linear layer that may be computed with the activation behind it: nobody looks at what is between the two. */
const isLinear = (module: Module): module is Linear =>
  module instanceof Linear && module.forward === OWN_FORWARD.linear;
const isReLU = (module: Module | undefined): boolean =>
  module instanceof ReLU && module.forward === OWN_FORWARD.relu && !module.inplace;

/** What lists of modules have in common: each module is the property of its number. */
abstract class ListOfModules<M extends Module> extends Module {
  [index: number]: M;

  get length(): number {
    return [...this].length;
  }
  /** The module at a place; negative ones count from the end. @throws IndexError */
  get(index: number): M {
    const all = [...this];
    return all[position(index, all.length)];
  }
  /** Adds a module at the end. @throws ArgumentError if its number is the name of another one, as in slices */
  append(module: M): this {
    return this.#addAll([module]);
  }
  /** Adds modules at the end, those of another list, say. */
  extend(modules: Iterable<M>): this {
    if (typeof modules?.[Symbol.iterator] !== 'function') {
      throw new ArgumentError(
        `${this.constructor.name}.extend should be called with an iterable, but got ${modules instanceof Module ? modules.constructor.name : typeof modules}`,
      );
    }
    const all = [...modules];
    for (const module of all) if (!(module instanceof Module)) refuse(module, 'extend', 'modules', 'Modules');
    return this.#addAll(all);
  }
  /** Puts a module before the one at `index`, negative from the end. @throws IndexError */
  insert(index: number, module: M): this {
    const all = [...this];
    if (!(Math.abs(index) <= all.length)) throw new IndexError(`Index out of range: ${index}`);
    if (!(module instanceof Module)) refuse(module, 'insert', 'module', 'a Module');
    all.splice(index, 0, module);
    return this.#renumber(all);
  }
  /** Takes the module at a place out and returns it; those behind it move up. @throws IndexError */
  pop(index: number): M {
    const all = [...this];
    const [module] = all.splice(position(index, all.length), 1);
    this.#renumber(all);
    return module;
  }
  *[Symbol.iterator](): IterableIterator<M> {
    for (const value of this.ownValues()) {
      if (value instanceof Module) yield value as M;
      // Beside modules there is the mode. What else there is, is refused there if it has taken the place of one.
      else if (typeof value !== 'boolean') this.children();
    }
  }

  /** They are counted once, since that takes a walk over the properties. */
  #addAll(modules: readonly M[]): this {
    let { length } = this;
    for (const module of modules) {
      if (Object.hasOwn(this, length))
        throw new ArgumentError(`append: there is a module '${length}'; write addModule('name', module)`);
      this.registerModule(String(length++), module);
    }
    return this;
  }

  #renumber(modules: readonly M[]): this {
    for (const name of Object.keys(this))
      if (Reflect.get(this, name) instanceof Module) Reflect.deleteProperty(this, name);
    return this.#addAll(modules);
  }
}

/** Modules one after the other, each given what the one before returned. */
export class Sequential extends ListOfModules<Module> {
  /** Modules in order, or one table, Map or list of pairs of named ones. */
  constructor(...modules: readonly Module[] | readonly [Named<Module>]) {
    super();
    const [first] = modules;
    const named = modules.length === 1 && !(first instanceof Module);
    if (named && (typeof first !== 'object' || first === null))
      throw new ArgumentError(
        `Sequential: expected modules, or a table of named ones, but got ${String(first)}`,
      );
    const pairs = named ? pairsOf<Module>(first) : Object.entries(modules as readonly Module[]);
    for (const [name, module] of pairs) this.registerModule(name, module);
  }

  /** @throws ArgumentError if the last module does not return a tensor */
  forward(input: Tensor): Tensor {
    const modules = [...this];
    let value: unknown = input;
    for (let i = 0; i < modules.length; i++) {
      const module = modules[i];
      if (value instanceof Tensor && isLinear(module) && isReLU(modules[i + 1])) {
        value = linearRelu<Tensor>(value, module.weight, module.bias);
        i++;
      } else value = module.call(value);
    }
    if (value instanceof Tensor) return value;
    throw new ArgumentError('Sequential: the last module must return a Tensor');
  }

  /** Those from start to end (exclusive), as a Sequential that shares them under their names here. */
  slice(start?: number, end?: number): Sequential {
    const part = new Sequential();
    const all = this.ownEntries().filter((entry): entry is [string, Module] => entry[1] instanceof Module);
    for (const [name, module] of all.slice(start, end)) part.registerModule(name, module);
    return part;
  }
}

/** Modules in a list, which this module owns; it has no `forward` of its own. */
export class ModuleList<M extends Module = Module> extends ListOfModules<M> {
  constructor(modules?: readonly []);
  constructor(modules: Iterable<M>);
  constructor(modules: Iterable<M> = []) {
    super();
    this.extend(modules);
  }

  forward(): never {
    throw new ArgumentError('Module [ModuleList] is missing the required "forward" function');
  }

  /** Those from start to end (exclusive), numbered anew. */
  slice(start?: number, end?: number): ModuleList<M> {
    return new ModuleList([...this].slice(start, end));
  }

  /** Equal neighbours are printed once, with their number. */
  override toString(): string {
    return numbered(this.constructor.name, [...this]);
  }
}

/** Values by name, in a table or in pairs. */
type Named<V> = Readonly<Record<string, V>> | Iterable<readonly [name: string, value: V]>;
/** `ModuleDict` or `ParameterDict`. */
type Dict<V> = Module & { entries(): [string, V][] };

function pairsOf<V>(values: Named<V> | Dict<V>): Iterable<readonly [string, V]> {
  if (values instanceof Module) return (values as Dict<V>).entries();
  return Symbol.iterator in values ? (values as Iterable<readonly [string, V]>) : Object.entries(values);
}

/** Modules by name, which this module owns; it has no `forward` of its own. */
export class ModuleDict<M extends Module = Module> extends Module {
  constructor(modules: Named<M> | ModuleDict<M> = {}) {
    super();
    this.update(modules);
  }

  forward(): never {
    throw new ArgumentError('Module [ModuleDict] is missing the required "forward" function');
  }

  get length(): number {
    return this.keys().length;
  }
  /** @throws IndexError if there is none of that name */
  get(name: string): M {
    const module: unknown = Reflect.get(this, name);
    if (Object.hasOwn(this, name) && module instanceof Module) return module as M;
    throw new IndexError(`ModuleDict: there is no module '${name}'; there are ${this.keys().join(', ')}`);
  }
  set(name: string, module: M): this {
    this.registerModule(name, module);
    return this;
  }
  has(name: string): boolean {
    return this.keys().includes(name);
  }
  /** Takes a module out and returns it. @throws IndexError */
  pop(name: string): M {
    const module = this.get(name);
    Reflect.deleteProperty(this, name);
    return module;
  }
  update(modules: Named<M> | ModuleDict<M>): this {
    for (const [name, module] of pairsOf<M>(modules)) this.set(name, module);
    return this;
  }
  /** Takes all modules out. */
  clear(): void {
    for (const name of this.keys()) Reflect.deleteProperty(this, name);
  }
  keys(): string[] {
    return this.entries().map(([name]) => name);
  }
  values(): M[] {
    return this.entries().map(([, module]) => module);
  }
  entries(): [string, M][] {
    return this.ownEntries().filter((entry): entry is [string, M] => entry[1] instanceof Module);
  }
  /** `entries` by PyTorch's name. */
  items(): [string, M][] {
    return this.entries();
  }
  [Symbol.iterator](): IterableIterator<string> {
    return this.keys().values();
  }
}

const asParameter = (value: Tensor): Parameter => (value instanceof Parameter ? value : new Parameter(value));

/** `Parameter containing: [… of size 2x3]`, with the device where it is not the default. */
function describe(parameter: Parameter, type: string): string {
  const device = parameter.device === 'cpu' ? '' : ` (${parameter.device})`;
  return `Parameter containing: [${type} of size ${parameter.shape.join('x')}${device}]`;
}

/** Parameters in a list. Plain tensors become parameters. */
export class ParameterList extends Module {
  [index: number]: Parameter;

  constructor(parameters: Iterable<Tensor> = []) {
    super();
    this.extend(parameters);
  }

  forward(): never {
    throw new ArgumentError('Module [ParameterList] is missing the required "forward" function');
  }

  get length(): number {
    return [...this].length;
  }
  /** The parameter at a place; negative ones count from the end. @throws IndexError */
  get(index: number): Parameter {
    const all = [...this];
    return all[position(index, all.length)];
  }
  append(value: Tensor): this {
    return this.extend([value]);
  }
  extend(values: Iterable<Tensor>): this {
    let { length } = this;
    for (const value of values) this[length++] = asParameter(value);
    return this;
  }
  *[Symbol.iterator](): IterableIterator<Parameter> {
    for (const value of Object.values(this)) if (value instanceof Parameter) yield value;
  }
  override extraRepr(): string {
    return [...this].map((p, i) => `  (${i}): ${describe(p, `torch.${p.dtype}`)}`).join('\n');
  }
}

const tensorTypes = {
  float32: 'Float',
  float64: 'Double',
  int64: 'Long',
  int32: 'Int',
  int16: 'Short',
  int8: 'Char',
  uint8: 'Byte',
  bool: 'Bool',
} as const;

/** Parameters by name. Plain tensors become parameters. */
export class ParameterDict extends Module {
  constructor(parameters: Named<Tensor> | ParameterDict = {}) {
    super();
    this.update(parameters);
  }

  forward(): never {
    throw new ArgumentError('Module [ParameterDict] is missing the required "forward" function');
  }

  get length(): number {
    return this.keys().length;
  }
  /** @throws IndexError if there is none of that name */
  get(name: string): Parameter {
    const parameter: unknown = Reflect.get(this, name);
    if (Object.hasOwn(this, name) && parameter instanceof Parameter) return parameter;
    throw new IndexError(
      `ParameterDict: there is no parameter '${name}'; there are ${this.keys().join(', ')}`,
    );
  }
  set(name: string, value: Tensor): this {
    this.registerParameter(name, asParameter(value));
    return this;
  }
  has(name: string): boolean {
    return this.keys().includes(name);
  }
  /** Takes a parameter out and returns it. @throws IndexError */
  pop(name: string): Parameter {
    const parameter = this.get(name);
    Reflect.deleteProperty(this, name);
    return parameter;
  }
  /** In the order of their names if they come in a plain object, as PyTorch has a dict's: optimisers number them. */
  update(values: Named<Tensor> | ParameterDict): this {
    const pairs = [...pairsOf<Tensor>(values)];
    if (isPlain(values)) pairs.sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, value] of pairs) this.set(name, value);
    return this;
  }
  /** Takes all parameters out. */
  clear(): void {
    for (const name of this.keys()) Reflect.deleteProperty(this, name);
  }
  keys(): string[] {
    return this.entries().map(([name]) => name);
  }
  values(): Parameter[] {
    return this.entries().map(([, parameter]) => parameter);
  }
  entries(): [string, Parameter][] {
    return this.ownEntries().filter((entry): entry is [string, Parameter] => entry[1] instanceof Parameter);
  }
  /** `entries` by PyTorch's name. */
  items(): [string, Parameter][] {
    return this.entries();
  }
  [Symbol.iterator](): IterableIterator<string> {
    return this.keys().values();
  }
  override extraRepr(): string {
    return this.entries()
      .map(([name, p]) => `  (${name}): ${describe(p, `torch.${tensorTypes[p.dtype]}Tensor`)}`)
      .join('\n');
  }
}
