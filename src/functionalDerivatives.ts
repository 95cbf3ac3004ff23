/**
 * `torch.autograd.functional`: Jacobians, Hessians and products with them, of functions of tensors. Inputs are taken as
 * constants: nothing is added to any `.grad`.
 */

import { enableGrad } from './autograd/gradMode.ts';
import { grad } from './autograd.ts';
import { ArgumentError, AutogradError } from './core/errors.ts';
import { formatShape, numElements, type Shape, sameShape } from './core/shape.ts';
import { zeros } from './creation.ts';
import { stack } from './ops/join.ts';
import { type Flexible, named } from './ops/options.ts';
import { type Runnable, running } from './runnable.ts';
import { type BackwardOptions, Tensor } from './tensor.ts';

/** One tensor, or several. */
export type OneOrMany = Tensor | readonly Tensor[];
type Fn = Runnable<Tensor[], OneOrMany>;

export interface FunctionalOptions {
  /** Record the computation, so that the result can be differentiated again. */
  createGraph?: boolean;
  /** Refuse outputs that do not depend on an input, instead of giving zeros. */
  strict?: boolean;
}

/** `(createGraph, strict)`, any tail of them by name. */
type Settings = Flexible<[createGraph: boolean, strict: boolean], FunctionalOptions>;

interface VectorOptions extends FunctionalOptions {
  v?: OneOrMany;
}
/** `(v, createGraph, strict)`, any tail of them by name. */
type VectorSettings = Flexible<
  [v: OneOrMany | undefined, createGraph: boolean, strict: boolean],
  VectorOptions
>;

/** The settings, with the vector of a product where there is one. @throws ArgumentError */
function settingsOf(op: string, args: readonly unknown[], names = 'createGraph strict'): VectorOptions {
  const options = named<VectorOptions>(op, names, args);
  const { createGraph = false } = options;
  if (typeof createGraph === 'boolean') return options;
  throw new ArgumentError(
    `${op}: createGraph must be true or false, and other options come by name, but got ${createGraph}`,
  );
}
const vectorSettings = (op: string, args: VectorSettings) => settingsOf(op, args, 'v createGraph strict');

const listOf = (x: OneOrMany): readonly Tensor[] => (x instanceof Tensor ? [x] : x);

/** Fresh leaves (or, to differentiate through them, views) of the inputs. */
function prepare(inputs: OneOrMany, createGraph: boolean, op: string): Tensor[] {
  return listOf(inputs).map((x) => {
    if (!(x instanceof Tensor)) throw new AutogradError(`${op}: inputs must be Tensors, but got ${typeof x}`);
    if (!x.isFloatingPoint())
      throw new AutogradError(`${op}: inputs must be floating, but got dtype ${x.dtype}`);
    return createGraph && x.requiresGrad ? x.viewAs(x) : x.detach().requiresGrad_();
  });
}

function outputsOf(func: Fn, inputs: readonly Tensor[], op: string): readonly Tensor[] {
  return listOf(givenBy(func, inputs, op));
}

function givenBy<V extends OneOrMany>(func: Runnable<Tensor[], V>, inputs: readonly Tensor[], op: string): V {
  const result = enableGrad(() => running(func, op)(...inputs));
  for (const y of Array.isArray(result) ? result : [result]) {
    if (!(y instanceof Tensor))
      throw new AutogradError(`${op}: The function must return Tensors, but it returned ${typeof y}`);
  }
  return result;
}

function scalarOf(outputs: readonly Tensor[], op: string): Tensor {
  if (outputs.length === 1 && outputs[0].numel() === 1) return outputs[0];
  throw new AutogradError(
    `${op}: The Tensor returned by the function given to ${op} should contain a single element, but got ` +
      outputs.map((y) => formatShape(y.shape)).join(', '),
  );
}

/** The vectors, one for each tensor and of its shape; ones for a single element where none are given. */
function vectorsFor(v: OneOrMany | undefined, like: readonly Tensor[], op: string, what: string): Tensor[] {
  if (v === undefined) {
    if (like.length === 1 && like[0].numel() === 1) return [like[0].detach().mul(0).add(1)];
    throw new AutogradError(`${op}: The vector v can only be omitted if the ${what} is a single element`);
  }
  const list = listOf(v);
  if (list.length !== like.length) {
    throw new AutogradError(
      `${op}: v is a list of invalid length: should be ${like.length} but got ${list.length}`,
    );
  }
  return list.map((x, i) => {
    if (sameShape(x.shape, like[i].shape)) return x;
    throw new AutogradError(
      `${op}: v has invalid size: entry ${i} should be ${formatShape(like[i].shape)} but got ${formatShape(x.shape)}`,
    );
  });
}

/** Gradients with zeros for what is not used. @throws AutogradError if strict */
function gradients(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  given: readonly (Tensor | null)[],
  { createGraph = false, retainGraph = true, strict = false }: BackwardOptions & { strict?: boolean },
  op: string,
): Tensor[] {
  const used = outputs.flatMap((y, i) => (y.requiresGrad ? [{ y, v: given[i] }] : []));
  if (strict && used.length < outputs.length)
    throw new AutogradError(
      `${op}: an output of the function is independent of the inputs; this is not allowed in strict mode`,
    );
  const found =
    used.length === 0
      ? inputs.map(() => null)
      : enableGrad(() =>
          grad(
            used.map(({ y }) => y),
            inputs,
            { gradOutputs: used.map(({ v }) => v), createGraph, retainGraph, allowUnused: true },
          ),
        );
  return found.map((g, i) => {
    if (g !== null) return g;
    if (strict)
      throw new AutogradError(
        `${op}: The output of the function is independent of input ${i}; this is not allowed in strict mode`,
      );
    return zeros(inputs[i].shape, { dtype: inputs[i].dtype, device: inputs[i].device });
  });
}

const finish = (x: Tensor, createGraph: boolean): Tensor => (createGraph ? x : x.detach());
/** One where one was given, else a list. */
const shapedAs = <T>(list: T[], like: OneOrMany): T | T[] => (like instanceof Tensor ? list[0] : list);

/** d output/d inputs, each [...output.shape, ...input.shape]. */
function jacobianRows(
  y: Tensor,
  inputs: readonly Tensor[],
  options: FunctionalOptions,
  op: string,
): Tensor[] {
  const { createGraph = false, strict = false } = options;
  const count = y.numel();
  const rows: Tensor[][] = [];
  for (let i = 0; i < count; i++) {
    const pick = zeros([count], { dtype: y.dtype, device: y.device });
    pick.select(0, i).fill_(1);
    rows.push(gradients([y], inputs, [pick.reshape(y.shape)], { createGraph, strict }, op));
  }
  return inputs.map((x, j) => {
    const shape: Shape = [...y.shape, ...x.shape];
    if (numElements(shape) === 0) return zeros(shape, { dtype: x.dtype, device: x.device });
    return finish(stack<Tensor>(rows.map((row) => row[j])).reshape(shape), createGraph);
  });
}

/**
 * The Jacobian of `func` at `inputs`: [...output.shape, ...input.shape]; for several inputs a list, for several outputs
 * a list of those. @throws AutogradError
 */
export function jacobian(func: Runnable<[x: Tensor], Tensor>, inputs: Tensor, ...options: Settings): Tensor;
export function jacobian(
  func: Runnable<Tensor[], Tensor>,
  inputs: readonly Tensor[],
  ...options: Settings
): Tensor[];
export function jacobian(
  func: Runnable<[x: Tensor], readonly Tensor[]>,
  inputs: Tensor,
  ...options: Settings
): Tensor[];
export function jacobian(
  func: Runnable<Tensor[], readonly Tensor[]>,
  inputs: readonly Tensor[],
  ...options: Settings
): Tensor[][];
export function jacobian(func: Fn, inputs: OneOrMany, ...args: Settings): Tensor | Tensor[] | Tensor[][] {
  const options = settingsOf('jacobian', args);
  const leaves = prepare(inputs, options.createGraph ?? false, 'jacobian');
  const result = givenBy(func, leaves, 'jacobian');
  const blocks = listOf(result).map((y) => shapedAs(jacobianRows(y, leaves, options, 'jacobian'), inputs));
  return result instanceof Tensor ? blocks[0] : (blocks as Tensor[] | Tensor[][]);
}

/**
 * The Hessian of a scalar function at `inputs`: [...shape, ...shape]; for several inputs a list of rows of blocks, [i][j]
 * of shape [...shape i, ...shape j]. @throws AutogradError unless func gives one element
 */
export function hessian(func: Runnable<[x: Tensor], Tensor>, inputs: Tensor, ...options: Settings): Tensor;
export function hessian(
  func: Runnable<Tensor[], Tensor>,
  inputs: readonly Tensor[],
  ...options: Settings
): Tensor[][];
export function hessian(
  func: Runnable<Tensor[], Tensor>,
  inputs: OneOrMany,
  ...args: Settings
): Tensor | Tensor[][] {
  const options = settingsOf('hessian', args);
  const leaves = prepare(inputs, options.createGraph ?? false, 'hessian');
  const y = scalarOf(outputsOf(func, leaves, 'hessian'), 'hessian');
  const { strict = false } = options;
  const first = gradients([y], leaves, [ones(y)], { createGraph: true, strict }, 'hessian');
  const blocks = first.map((g) => jacobianRows(g, leaves, options, 'hessian'));
  return inputs instanceof Tensor ? blocks[0][0] : blocks;
}

const ones = (y: Tensor): Tensor => y.detach().mul(0).add(1);

/** What a product with a Jacobian gives: the function's value, and the product. */
export type WithValue<V extends OneOrMany = OneOrMany, P extends OneOrMany = OneOrMany> = [
  value: V,
  product: P,
];

/** vᵀ·J: func(inputs), and for each input the sum over outputs of v·∂output/∂input. v has the outputs' shapes. */
export function vjp<V extends OneOrMany, X extends OneOrMany>(
  func: Runnable<Tensor[], V>,
  inputs: X,
  ...args: VectorSettings
): WithValue<V, X extends Tensor ? Tensor : Tensor[]> {
  const { v: vectorGiven, createGraph = false, strict = false } = vectorSettings('vjp', args);
  const leaves = prepare(inputs, createGraph, 'vjp');
  const result = givenBy(func, leaves, 'vjp');
  const outputs = listOf(result);
  const vectors = vectorsFor(vectorGiven, outputs, 'vjp', "user-provided function's output");
  const found = gradients(outputs, leaves, vectors, { createGraph, retainGraph: createGraph, strict }, 'vjp');
  return [
    resultOf(result, createGraph),
    shapedAs(
      found.map((g) => finish(g, createGraph)),
      inputs,
    ) as X extends Tensor ? Tensor : Tensor[],
  ];
}

function resultOf<V extends OneOrMany>(result: V, createGraph: boolean): V {
  if (createGraph) return result;
  return (result instanceof Tensor ? result.detach() : listOf(result).map((y) => y.detach())) as V;
}

/**
 * J·v: func(inputs), and for each output the sum over inputs of ∂output/∂input·v. v has the inputs' shapes. Computed by
 * differentiating vᵀ·J by v (the double-backward trick), so func must be twice differentiable by our rules.
 */
export function jvp<V extends OneOrMany>(
  func: Runnable<Tensor[], V>,
  inputs: OneOrMany,
  ...args: VectorSettings
): WithValue<V, V extends Tensor ? Tensor : Tensor[]> {
  const { v: vectorGiven, createGraph = false, strict = false } = vectorSettings('jvp', args);
  const leaves = prepare(inputs, createGraph, 'jvp');
  const vectors = vectorsFor(vectorGiven, leaves, 'jvp', 'input to the user-provided function');
  const result = givenBy(func, leaves, 'jvp');
  const outputs = listOf(result);
  const dummies = outputs.map((y) => zeros(y.shape, { dtype: y.dtype, device: y.device }).requiresGrad_());
  const first = gradients(outputs, leaves, dummies, { createGraph: true, strict }, 'jvp');
  const products = gradients(first, dummies, vectors, { createGraph, retainGraph: createGraph }, 'jvp');
  return [
    resultOf(result, createGraph),
    shapedAs(
      products.map((g) => finish(g, createGraph)),
      result,
    ) as V extends Tensor ? Tensor : Tensor[],
  ];
}

/** vᵀ·H for a scalar function: func(inputs), and the product for each input. v has the inputs' shapes. */
export function vhp<X extends OneOrMany>(
  func: Runnable<Tensor[], Tensor>,
  inputs: X,
  ...args: VectorSettings
): WithValue<Tensor, X extends Tensor ? Tensor : Tensor[]> {
  const { v: vectorGiven, createGraph = false, strict = false } = vectorSettings('vhp', args);
  const leaves = prepare(inputs, createGraph, 'vhp');
  const vectors = vectorsFor(vectorGiven, leaves, 'vhp', 'input to the user-provided function');
  const y = scalarOf(outputsOf(func, leaves, 'vhp'), 'vhp');
  const first = gradients([y], leaves, [ones(y)], { createGraph: true, strict }, 'vhp');
  const products = gradients(first, leaves, vectors, { createGraph, retainGraph: createGraph }, 'vhp');
  return [
    resultOf(y, createGraph),
    shapedAs(
      products.map((g) => finish(g, createGraph)),
      inputs,
    ) as X extends Tensor ? Tensor : Tensor[],
  ];
}

/** H·v for a scalar function. The Hessian is symmetric, so this is `vhp`, which is the cheaper way. */
export const hvp: typeof vhp = vhp;
