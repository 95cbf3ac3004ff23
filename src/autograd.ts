/** `torch.autograd`: derivatives asked for directly, and operations that users define. */
import { leafTargets, walkBackward } from './autograd/backward.ts';
import { AutogradError } from './core/errors.ts';
import { zerosLike } from './creation.ts';
import { type ByName, type Flexible, named, oneWay, required } from './tensor/namedArguments.ts';
import { initialGradient, Tensor } from './tensor.ts';

/** One for each of the tensors that derivatives start from, null for a scalar's 1. */
type GradientsGiven = Tensor | readonly (Tensor | null)[] | null;

/** What the walk starts from: the gradient that was given for each root, or 1 for scalars. @throws AutogradError */
function startsOf(roots: readonly Tensor[], given: GradientsGiven | undefined, op: string): Tensor[] {
  const list = given instanceof Tensor ? [given] : given;
  if (list && list.length < roots.length)
    throw new AutogradError(`${op}: got ${roots.length} tensors and ${list.length} gradients`);
  return roots.map((root, i) => initialGradient(root, list?.[i] ?? null, op));
}

export interface GradOptions {
  /** Gradients of the outputs, each of its output's shape; default ones for scalars. */
  gradOutputs?: GradientsGiven;
  retainGraph?: boolean;
  createGraph?: boolean;
  /** Always true. */
  onlyInputs?: true;
  /** Give null for inputs that the outputs do not depend on, instead of an error. */
  allowUnused?: boolean;
  /** Give zeros for them. */
  materializeGrads?: boolean;
}

type GradArguments<O> = Flexible<
  [gradOutputs: GradientsGiven, retainGraph: boolean, createGraph: boolean],
  O
>;

type OneOrMany = Tensor | readonly Tensor[];
interface Differentiated {
  outputs: OneOrMany;
  inputs: OneOrMany;
}

/**
 * The derivatives of the sum of `outputs` with respect to `inputs`, without touching any `.grad`.
 * @throws AutogradError for an input that needs no gradient, or that was not used (unless allowUnused)
 */
export function grad(
  outputs: OneOrMany,
  inputs: OneOrMany,
  ...rest: GradArguments<GradOptions & { allowUnused?: false }>
): Tensor[];
export function grad(
  outputs: OneOrMany,
  inputs: OneOrMany,
  ...rest: GradArguments<GradOptions>
): (Tensor | null)[];
export function grad(
  ...args: ByName<Differentiated, ['outputs', 'inputs'], GradOptions & { allowUnused?: false }>
): Tensor[];
export function grad(...args: ByName<Differentiated, ['outputs', 'inputs'], GradOptions>): (Tensor | null)[];
export function grad(...args: readonly unknown[]): (Tensor | null)[] {
  const [outputs, inputs, ...rest] = required<[OneOrMany, OneOrMany]>('grad', ['outputs', 'inputs'], args);
  const options = named<GradOptions>(
    'grad',
    'gradOutputs retainGraph createGraph * onlyInputs allowUnused materializeGrads',
    rest,
  );
  const { createGraph = false, retainGraph = createGraph, gradOutputs, materializeGrads } = options;
  const { allowUnused = materializeGrads } = options;
  oneWay('grad', 'onlyInputs', options.onlyInputs, true);
  if (materializeGrads && !allowUnused)
    throw new AutogradError(
      'grad: Expected allowUnused to be true or not passed when materializeGrads is true, but got false',
    );
  const roots = outputs instanceof Tensor ? [outputs] : outputs;
  const wanted = inputs instanceof Tensor ? [inputs] : inputs;
  if (wanted.length === 0) throw new AutogradError("grad: argument 'inputs' cannot be empty");
  const starts = startsOf(roots, gradOutputs, 'grad');
  const targets = wanted.map((x) => {
    const edge = x.edge();
    if (edge === null)
      throw new AutogradError('grad: One of the differentiated Tensors does not require grad');
    return edge;
  });
  const found = walkBackward(roots, starts, { retainGraph, createGraph, targets });
  return found.map((g, i) => {
    if (g instanceof Tensor) return g;
    if (materializeGrads) return zerosLike(wanted[i], { requiresGrad: createGraph });
    if (allowUnused) return null;
    throw new AutogradError(
      `grad: One of the differentiated Tensors (number ${i}) appears to not have been used in the graph. Set ` +
        '{ allowUnused: true } if this is the desired behavior.',
    );
  });
}

export interface BackwardAllOptions {
  /** Gradients of the tensors, each of its tensor's shape; default ones for scalars. */
  gradTensors?: GradientsGiven;
  retainGraph?: boolean;
  createGraph?: boolean;
  /** The tensors whose `.grad` is added to, and no others. Default: all leaves. */
  inputs?: OneOrMany | null;
}

/** Adds the derivatives of the sum of `tensors` to the `.grad` of all leaves. @throws AutogradError */
export function backward(
  tensors: OneOrMany,
  ...rest: Flexible<
    [gradTensors: GradientsGiven, retainGraph: boolean, createGraph: boolean],
    BackwardAllOptions
  >
): void;
export function backward(options: BackwardAllOptions & { tensors: OneOrMany }): void;
export function backward(...args: readonly unknown[]): void {
  const [tensors, ...rest] = required<[OneOrMany]>('backward', ['tensors'], args);
  const options = named<BackwardAllOptions>('backward', 'gradTensors retainGraph createGraph * inputs', rest);
  const { createGraph = false, retainGraph = createGraph, gradTensors } = options;
  const roots = tensors instanceof Tensor ? [tensors] : tensors;
  walkBackward(roots, startsOf(roots, gradTensors, 'backward'), {
    retainGraph,
    createGraph,
    ...leafTargets(options.inputs),
  });
}
