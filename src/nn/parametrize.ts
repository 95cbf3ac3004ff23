/** `nn.utils.parametrize`: parameters that are computed from others whenever they are asked for. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, DTypeError, ShapeError } from '../core/errors.ts';
import { formatShape, sameShape } from '../core/shape.ts';
import { option } from '../ops/options.ts';
import { Tensor } from '../tensor.ts';
import { ModuleDict } from './container.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';
import { numbered } from './printing.ts';

/** How a parameter is computed from what is trained in its place. */
export interface Parametrization extends Module {
  /** The parameter, given the original, or all of them. */
  forward(...originals: Tensor[]): Tensor;
  /** The original, or a list of them, whose parameter this is; without it, the parameter itself. */
  rightInverse?(value: Tensor): Tensor | Tensor[];
}

/** The originals of one parameter, `original` or `original0`, `original1`, …, and what computes it from them: `0`, `1`, … */
export class ParametrizationList extends Module {
  constructor(parametrization: Parametrization, value: Tensor) {
    super();
    const originals = noGrad(() => parametrization.rightInverse?.(value.detach()) ?? value.detach());
    const wanted = value.requiresGrad;
    const own = (x: Tensor) => new Parameter(x.detach().clone(), wanted);
    if (!Array.isArray(originals)) {
      // The same parameter where it stays as it is, so that optimisers keep hold of it.
      const same = value instanceof Parameter && !parametrization.rightInverse;
      this.registerParameter('original', same ? value : own(originals));
    } else for (const [i, x] of originals.entries()) this.registerParameter(`original${i}`, own(x));
    this.add(parametrization);
  }

  get length(): number {
    return this.steps().length;
  }
  /** Not `children`, which has each once: one module may stand here twice. */
  protected steps(): Parametrization[] {
    return this.ownValues().filter((x): x is Parametrization => x instanceof Module);
  }
  add(parametrization: Parametrization): void {
    this.registerModule(String(this.length), parametrization);
  }
  /** The originals, in order. */
  originals(): Parameter[] {
    return this.parameters(false);
  }
  /** The parameter. */
  forward(): Tensor {
    const [first, ...others] = this.steps();
    return others.reduce<Tensor>((x, each) => each.forward(x), first.forward(...this.originals()));
  }
  override toString(): string {
    return numbered(this.constructor.name, this.steps());
  }
  /** Has the originals give this parameter. @throws ArgumentError without a right inverse; ShapeError for another shape */
  assign(value: Tensor): void {
    noGrad(() => {
      const originals = this.originals();
      const found = this.steps().reduceRight<Tensor | Tensor[]>((x, each) => {
        // Only the first computes from several.
        if (each.rightInverse) return each.rightInverse(x as Tensor);
        throw new ArgumentError(
          `parametrization ${each.constructor.name} does not implement rightInverse, so that the parameter cannot be assigned`,
        );
      }, value);
      const values = [found].flat();
      for (const [i, x] of originals.entries()) checkShape('rightInverse', values[i], x);
      for (const [i, x] of originals.entries()) x.copy_(values[i]);
    });
  }
}

/** A module with parametrizations by the names of its parameters. */
interface Parametrized {
  parametrizations: ModuleDict<ParametrizationList>;
}
const listsOf = (module: Module): ModuleDict<ParametrizationList> | null => {
  const own: unknown = Object.hasOwn(module, 'parametrizations')
    ? Reflect.get(module, 'parametrizations')
    : null;
  return own instanceof ModuleDict ? own : null;
};

/** Whether the module has a parametrization, or its parameter of this name has. */
export function isParametrized(module: Module, tensorName?: string | null): boolean {
  const lists = listsOf(module);
  return lists !== null && (tensorName == null ? lists.length > 0 : lists.has(tensorName));
}

/** The parameter or buffer of that name. @throws ArgumentError if there is none */
export function tensorOf(module: Module, name: string, op: string): Tensor {
  const value: unknown = Reflect.get(module, name);
  if (value instanceof Tensor) return value;
  throw new ArgumentError(
    `${op}: expected argument 'name' to be that of a parameter of ${module.constructor.name}, but got '${name}', which it does not have`,
  );
}

/** @throws ArgumentError, ShapeError for what cannot stand in the place of a tensor */
function checkShape(op: string, found: unknown, value: Tensor): asserts found is Tensor {
  if (!(found instanceof Tensor))
    throw new ArgumentError(
      `${op}: expected the parametrization to return a Tensor, but got ${typeof found}`,
    );
  if (!sameShape(found.shape, value.shape))
    throw new ShapeError(
      `${op}: Registering a parametrization may not change the shape of the tensor: expected ` +
        `${formatShape(value.shape)}, but got ${formatShape(found.shape)}`,
    );
}

/** @throws ArgumentError, ShapeError, DTypeError for what cannot stand in the place of a parameter */
function checkResult(found: unknown, value: Tensor): void {
  checkShape('registerParametrization', found, value);
  if (found.dtype !== value.dtype)
    throw new DTypeError(
      'registerParametrization: Registering a parametrization may not change the dtype of the tensor: expected ' +
        `${value.dtype}, but got ${found.dtype}`,
    );
}

/** A class of its own for one module, with the same name or another, in whose prototype properties can stand. */
export function ownClass(module: Module, name: string): object {
  const base = Object.getPrototypeOf(module);
  const { [name]: derived } = { [name]: class extends base.constructor {} };
  Object.setPrototypeOf(module, derived.prototype);
  return derived.prototype;
}

/**
 * Computes the parameter `tensorName` of a module by a parametrization from then on; what is trained and saved is
 * `parametrizations.weight.original`, say, or `original0`, `original1`, … of one that has several. A second one computes from what
 * the first gives. With `unsafe` its results may have another shape or dtype, and are not looked at here. Returns the module.
 * @throws ArgumentError for a name that the module does not have; ShapeError, DTypeError for a result of another kind
 */
export function registerParametrization<M extends Module>(
  module: M,
  tensorName: string,
  parametrization: Parametrization,
  unsafe: boolean | { unsafe?: boolean } = false,
): M {
  const op = 'registerParametrization';
  const value = tensorOf(module, tensorName, op);
  const check = (result: () => Tensor): void => {
    if (!option<'unsafe', boolean>(unsafe, op, 'unsafe', false)) checkResult(noGrad(result), value);
  };
  if (isParametrized(module, tensorName)) {
    const list = listsOf(module)?.get(tensorName);
    check(() => parametrization.forward(value.detach()));
    list?.add(parametrization);
    return module;
  }
  const list = new ParametrizationList(parametrization, value);
  // As in PyTorch, where it is a step of the power iteration, too.
  check(() => list.forward());
  let lists = listsOf(module);
  Reflect.deleteProperty(module, tensorName);
  if (lists === null) {
    ownClass(module, parametrizedName(module));
    lists = new ModuleDict<ParametrizationList>();
    module.registerModule('parametrizations', lists);
  }
  lists.set(tensorName, list);
  Object.defineProperty(Object.getPrototypeOf(module), tensorName, {
    get(this: Parametrized) {
      return this.parametrizations.get(tensorName).forward();
    },
    set(this: Parametrized, next: Tensor) {
      this.parametrizations.get(tensorName).assign(next);
    },
    configurable: true,
  });
  return module;
}

/**
 * Makes the parameter `tensorName` an ordinary one again: with the value it has, or, where there is a single original and
 * `leaveParametrized` is false, with that of the original. Returns the module.
 * @throws ArgumentError for a module without such a parametrization
 */
export function removeParametrizations<M extends Module>(
  module: M,
  tensorName: string,
  leaveParametrized: boolean | { leaveParametrized?: boolean } = true,
): M {
  const leave = option<'leaveParametrized', boolean>(
    leaveParametrized,
    'removeParametrizations',
    'leaveParametrized',
    true,
  );
  const lists = listsOf(module);
  if (lists === null || !lists.has(tensorName))
    throw new ArgumentError(
      `removeParametrizations: expected argument 'tensorName' to be that of a parametrized parameter of ` +
        `${module.constructor.name}, but got '${tensorName}'`,
    );
  const list = lists.get(tensorName);
  const originals = list.originals();
  if (!leave && originals.length > 1)
    throw new ArgumentError(
      `removeParametrizations: expected leaveParametrized to be true for a parameter of ${originals.length} originals, but got false`,
    );
  const value = leave ? noGrad(() => list.forward()) : originals[0];
  const { requiresGrad } = originals[0];
  lists.pop(tensorName);
  if (lists.length === 0) {
    Reflect.deleteProperty(module, 'parametrizations');
    const own = Object.getPrototypeOf(module);
    const base = Object.getPrototypeOf(own);
    // Unless an older form of normalization has put a class of its own over it.
    if (own.constructor.name === parametrizedName(base)) Object.setPrototypeOf(module, base);
  }
  settleParameter(module, tensorName, new Parameter(value.detach().clone(), requiresGrad));
  return module;
}

const parametrizedName = (module: Module): string => `Parametrized${module.constructor.name}`;

/** An ordinary property over the computed one, which stays in the class: copies of the module share that. */
export function settleParameter(module: Module, name: string, value: Parameter): void {
  Object.defineProperty(module, name, { value, configurable: true, enumerable: true, writable: true });
}
