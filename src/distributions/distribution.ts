/** What all distributions have in common: shapes, checks of parameters and values, and how they print. */

import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { pythonValue, snakeCase } from '../core/pythonText.ts';
import { checkShape, type Shape, sameShape } from '../core/shape.ts';
import { tensorGiven } from '../ops/given.ts';
import { option } from '../ops/options.ts';
import { formatSize } from '../printing.ts';
import type { Tensor } from '../tensor.ts';
import { type Constraint, inText } from './constraints.ts';
import type { KlRule } from './klRule.ts';

/** Options of every distribution. */
export interface DistributionOptions {
  /** Whether parameters and values are checked. Default: what `setDefaultValidateArgs` says, at first true. */
  validateArgs?: boolean | null;
}

/** Sizes, by position or as `{ sampleShape }`. */
export type SampleShape = Shape | { readonly sampleShape?: Shape };

/** The tensors of a distribution by the names of its parameters. */
export type Parameters = { readonly [name: string]: Tensor | undefined };

let validating = true;

/** Sizes that came by position or by name. @throws ArgumentError for anything but a list */
export function sizesGiven(given: Shape | object | undefined, name: string, op: string): Shape {
  const shape = option<string, Shape>(given as Shape, op, name, []);
  if (!Array.isArray(shape))
    throw new ArgumentError(`${op}: argument '${name}' must be a list of sizes, but got ${String(shape)}`);
  checkShape(shape, op);
  return shape;
}

/** What `enumerateSupport` takes, by position or by name. */
export type ExpandOption = boolean | { readonly expand?: boolean };

/** Whether values are to be listed for the whole batch. */
export const expandGiven = (given: ExpandOption | undefined): boolean =>
  option<'expand', boolean>(given, 'enumerateSupport', 'expand', true);

/**
 * Base of all distributions: of a batch of them, one for each element of `batchShape`, whose samples have the shape
 * `eventShape`. A class of one's own hands its shapes to this constructor, sets its parameters, and then calls
 * `checkParameters`.
 *
 * Values are checked where they can be read at once, which on the device webgpu they cannot: there, only shapes are.
 */
export abstract class Distribution {
  readonly batchShape: Shape;
  readonly eventShape: Shape;
  /** Whether parameters and values are checked. */
  readonly validateArgs: boolean;

  constructor(batchShape: Shape = [], eventShape: Shape = [], validateArgs?: boolean | null) {
    this.batchShape = batchShape;
    this.eventShape = eventShape;
    this.validateArgs = validateArgs ?? validating;
  }

  /** Whether distributions that are not told `validateArgs` check what they get. */
  static setDefaultValidateArgs(value: boolean): void {
    if (typeof value !== 'boolean')
      throw new ArgumentError(`setDefaultValidateArgs: expected true or false, but got ${String(value)}`);
    validating = value;
  }

  /** Whether gradients of samples reach the parameters. */
  get hasRsample(): boolean {
    return false;
  }
  /** Whether all values can be listed. */
  get hasEnumerateSupport(): boolean {
    return false;
  }

  /** What each parameter has to be, by its name, in the order of print. */
  get argConstraints(): { readonly [name: string]: Constraint } {
    return {};
  }
  /** What values have to be; null where anything goes. */
  get support(): Constraint | null {
    return null;
  }
  /** The parameters that there are: those that are checked and printed, and expanded. */
  protected get parameters(): Parameters {
    return Object.fromEntries(Object.keys(this.argConstraints).map((name) => [name, propertyOf(this, name)]));
  }

  /** The mean, [...batchShape, ...eventShape]. */
  get mean(): Tensor {
    return unknown(this, 'mean');
  }
  /** The most probable value, [...batchShape, ...eventShape]. */
  get mode(): Tensor {
    return unknown(this, 'mode');
  }
  /** The variance, [...batchShape, ...eventShape]. */
  get variance(): Tensor {
    return unknown(this, 'variance');
  }
  /** The square root of the variance. */
  get stddev(): Tensor {
    return this.variance.sqrt();
  }

  /** Samples, [...sampleShape, ...batchShape, ...eventShape], outside the graph. */
  sample(sampleShape?: SampleShape): Tensor {
    return noGrad(() => this.rsample(sampleShape));
  }
  /** Samples through which gradients reach the parameters, where there is such a way. @throws ArgumentError else */
  rsample(_sampleShape?: SampleShape): Tensor {
    return unknown(this, 'rsample');
  }
  /** The logarithm of the density, or of the probability, at values that broadcast: [..., ...batchShape]. */
  logProb(_value: Tensor): Tensor {
    return unknown(this, 'logProb');
  }
  /** The probability of what is not above the value. */
  cdf(_value: Tensor): Tensor {
    return unknown(this, 'cdf');
  }
  /** The value below which a share of the probability lies. */
  icdf(_value: Tensor): Tensor {
    return unknown(this, 'icdf');
  }
  /** The entropy in nats, [...batchShape]. */
  entropy(): Tensor {
    return unknown(this, 'entropy');
  }
  /** e to the entropy. */
  perplexity(): Tensor {
    return this.entropy().exp();
  }
  /** The divergences that the class brings with it: programs without it do not load them. For the library itself. */
  klRules(): readonly KlRule[] {
    return [];
  }
  /**
   * All values, one after the other in the first dimension: [values, ...batchShape, ...eventShape], and without `expand`
   * ones in the place of batchShape.
   */
  enumerateSupport(_expand?: ExpandOption): Tensor {
    return unknown(this, 'enumerateSupport');
  }
  /** The same distributions as a larger batch: the parameters that `argConstraints` names, expanded over the same memory. */
  expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    const larger = Object.entries(this.parameters).map(([name, x]) => [
      name,
      x?.expand([...shape, ...this.eventShape]),
    ]);
    return this.withBatch(shape, Object.fromEntries(larger));
  }

  /** The shape of samples. @throws ArgumentError for anything but a list of sizes */
  protected extendedShape(sampleShape: SampleShape | undefined): Shape {
    const shape = sizesGiven(sampleShape, 'sampleShape', `${this.constructor.name}.sample`);
    return [...shape, ...this.batchShape, ...this.eventShape];
  }

  /** The sizes that `expand` was asked for. */
  protected batchGiven(batchShape: Shape | { readonly batchShape: Shape }): Shape {
    return sizesGiven(batchShape, 'batchShape', `${this.constructor.name}.expand`);
  }

  /**
   * This distribution with another batch shape, and other values in some of its fields. Not by the constructor, which in
   * classes of a user's own may take anything; so classes that use it have no fields or methods with #.
   */
  protected withBatch(batchShape: Shape, fields: object): this {
    const copy: this = Object.create(Object.getPrototypeOf(this));
    return Object.assign(copy, this, { batchShape }, fields);
  }

  /** The list of values of a distribution of numbers, as `enumerateSupport` gives it. */
  protected enumerated(values: Tensor, expand: ExpandOption | undefined): Tensor {
    const { batchShape } = this;
    const column = values.reshape([-1, ...batchShape.map(() => 1)]);
    return expandGiven(expand) ? column.expand([values.numel(), ...batchShape]) : column;
  }

  /** @throws ArgumentError naming a parameter that is not what it has to be */
  protected checkParameters(): void {
    if (!this.validateArgs) return;
    const { parameters, argConstraints } = this;
    for (const [name, constraint] of Object.entries(argConstraints)) {
      const value = parameters[name];
      if (value === undefined || satisfied(constraint, value)) continue;
      throw new ArgumentError(
        `Expected parameter ${name} (Tensor of shape ${pythonValue(value.shape)}) of distribution ${this} ` +
          `to satisfy the constraint ${constraint}, but found invalid values:\n${inText(value)}`,
      );
    }
  }

  /** @throws ArgumentError, ShapeError for a value that this distribution cannot have */
  protected checkValue(value: Tensor, method = 'logProb'): void {
    tensorGiven(value, `${this.constructor.name}.${method}`, 'value');
    if (!this.validateArgs) return;
    const { batchShape, eventShape } = this;
    const { shape } = value;
    const events = shape.length - eventShape.length;
    if (events < 0 || !sameShape(shape.slice(events), eventShape)) {
      throw new ShapeError(
        `${this.constructor.name}.${method}: The right-most size of value must match event_shape: ` +
          `${formatSize(shape)} vs ${formatSize(eventShape)}.`,
      );
    }
    const expected = [...batchShape, ...eventShape];
    const fits = (size: number, i: number) =>
      [1, size].includes(expected.at(i - shape.length) ?? 1) || size === 1;
    if (!shape.every((size, i) => shape.length - i > expected.length || fits(size, i))) {
      throw new ShapeError(
        `${this.constructor.name}.${method}: Value is not broadcastable with batch_shape+event_shape: ` +
          `${formatSize(shape)} vs ${formatSize(expected)}.`,
      );
    }
    const { support } = this;
    if (support === null || satisfied(support, value)) return;
    throw new ArgumentError(
      `Expected value argument (Tensor of shape ${pythonValue(shape)}) to be within the support (${support}) of the ` +
        `distribution ${this}, but found invalid values:\n${inText(value)}`,
    );
  }

  /** As PyTorch prints it: single numbers by value, other parameters by shape. */
  toString(): string {
    const { parameters, argConstraints } = this;
    const texts = Object.keys(argConstraints).flatMap((name) => {
      const value = parameters[name];
      if (value === undefined) return [];
      return `${snakeCase(name)}: ${value.numel() === 1 ? inText(value) : formatSize(value.shape)}`;
    });
    return `${this.constructor.name}(${texts.join(', ')})`;
  }
  /** What Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** The tensor in the property of a parameter's name. */
const propertyOf = (distribution: object, name: string): Tensor | undefined =>
  Reflect.get(distribution, name);

function unknown(distribution: Distribution, what: string): never {
  throw new ArgumentError(`${distribution.constructor.name}: ${what} is not implemented`);
}

/** Whether all values satisfy the constraint, as far as that can be known at once. */
function satisfied(constraint: Constraint, value: Tensor): boolean {
  if (!value.array.backend.synchronous) return true;
  return noGrad(() => constraint.check(value).all().item() as unknown as boolean);
}
