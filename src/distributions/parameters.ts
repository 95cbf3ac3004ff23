/** What distributions do with their parameters: broadcast them, and turn probabilities into log-odds and back. */
import { ArgumentError } from '../core/errors.ts';
import { broadcastShapes, type Shape, sameShape } from '../core/shape.ts';
import { tensor } from '../creation.ts';
import { operandGiven } from '../ops/given.ts';
import { type ByName, named, required } from '../tensor/namedArguments.ts';
import { Tensor } from '../tensor.ts';
import { finfo } from '../typeInfo.ts';
import { Distribution, type DistributionOptions } from './distribution.ts';

/** A parameter: a number is one for the whole batch. */
export type Parameter = Tensor | number;

type Validation = boolean | null | DistributionOptions;

/** `(rate)`, `(rate, validateArgs)`, `({ rate })`. */
export type One<A extends string> =
  | [first: Parameter, validateArgs?: Validation]
  | ByName<Record<A, Parameter>, [], DistributionOptions>;

/** `(loc, scale)`, `(loc, scale, validateArgs)`, `(loc, { scale })`, `({ loc, scale })`. */
export type Two<A extends string, B extends string> =
  | [first: Parameter, second: Parameter, validateArgs?: Validation]
  | ByName<Record<A | B, Parameter>, [A], DistributionOptions>;

/** `(loc, scale, concentration)`, `(loc, scale, concentration, validateArgs)`, `(loc, { scale, concentration })`, … */
export type Three<A extends string, B extends string, C extends string> =
  | [first: Parameter, second: Parameter, third: Parameter, validateArgs?: Validation]
  | ByName<Record<A | B | C, Parameter>, [A, B], DistributionOptions>;

/** The options behind the arguments that are required. */
export const validationOf = (owner: string, rest: readonly unknown[]): DistributionOptions =>
  named<DistributionOptions>(owner, 'validateArgs', rest);

/**
 * The values as tensors of one shape; numbers take dtype and device of the first tensor among them.
 * @throws ArgumentError, ShapeError naming the argument
 */
export function broadcastAll(
  owner: string,
  names: readonly string[],
  values: readonly Parameter[],
): Tensor[] {
  values.forEach((value, i) => {
    operandGiven(value, owner, names[i]);
    if (typeof value === 'number' || value instanceof Tensor) return;
    throw new ArgumentError(
      `${owner}: argument '${names[i]}' must be a Tensor or a number, but got ${String(value)}`,
    );
  });
  const like = values.find((value) => typeof value === 'object');
  const tensors = values.map((value) =>
    typeof value === 'object' ? value : tensor(value, { dtype: like?.dtype, device: like?.device }),
  );
  const shape = tensors.reduce<Shape>(
    (sizes, { shape }, i) =>
      i === 0 ? shape : broadcastShapes(sizes, shape, owner, [names[0], names[i]] as const),
    [],
  );
  return tensors.map((x) => (sameShape(x.shape, shape) ? x : x.expand(shape)));
}

/** The last `count` dimensions summed up. */
export const sumRightmost = (x: Tensor, count: number): Tensor =>
  count === 0 ? x : x.flatten(-count).sum(-1);

/** Probabilities moved into [eps, 1 − eps], so that their logarithms are finite. */
export function clampProbs(probs: Tensor): Tensor {
  const { eps } = finfo(probs.dtype);
  return probs.clamp(eps, 1 - eps);
}

/** log p. */
export const probsToLogits = (probs: Tensor): Tensor => clampProbs(probs).log();

/** log(p / (1 − p)). */
export function probsToLogOdds(probs: Tensor): Tensor {
  const inside = clampProbs(probs);
  return inside.log().sub(inside.neg().log1p());
}

/** The parameters of these names as tensors of one shape, and whether they are checked. @throws ArgumentError, ShapeError */
export function parametersGiven(owner: string, names: readonly string[], args: readonly unknown[]) {
  const all = required<Parameter[]>(owner, names, args);
  const values = broadcastAll(owner, names, all.slice(0, names.length) as Parameter[]);
  return { values, validateArgs: validationOf(owner, all.slice(names.length)).validateArgs };
}

/** A distribution of numbers with a few parameters, each of the shape of the batch, in the properties of their names. */
export abstract class Elementwise extends Distribution {
  constructor(names: readonly string[], args: readonly unknown[]) {
    const { values, validateArgs } = parametersGiven(new.target.name, names, args);
    super(values[0].shape, [], validateArgs);
    for (const [i, name] of names.entries()) Reflect.set(this, name, values[i]);
    this.checkParameters();
  }
}
