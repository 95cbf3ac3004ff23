/** Distributions made of others: dimensions of a batch as one event, and mixtures. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import { logSoftmax } from '../functions.ts';
import { formatSize } from '../printing.ts';
import { type ByName, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { Categorical } from './categorical.ts';
import { type Constraint, independent } from './constraints.ts';
import {
  Distribution,
  type DistributionOptions,
  type ExpandOption,
  type SampleShape,
} from './distribution.ts';
import { sumRightmost, validationOf } from './parameters.ts';

/**
 * The last `reinterpretedBatchNdims` dimensions of a batch read as dimensions of one event, whose parts are independent:
 * their logarithms of probabilities are summed up.
 */
export class Independent<D extends Distribution = Distribution> extends Distribution {
  readonly baseDist: D;
  readonly reinterpretedBatchNdims: number;

  constructor(
    ...args:
      | [
          baseDistribution: D,
          reinterpretedBatchNdims: number,
          validateArgs?: boolean | null | DistributionOptions,
        ]
      | ByName<
          { baseDistribution: D; reinterpretedBatchNdims: number },
          ['baseDistribution'],
          DistributionOptions
        >
  ) {
    const owner = new.target.name;
    const names = ['baseDistribution', 'reinterpretedBatchNdims'];
    const [base, count, ...rest] = required<[D, number]>(owner, names, args);
    checkDistribution(base, owner, 'baseDistribution');
    const most = base.batchShape.length;
    if (!Number.isInteger(count) || count < 0 || count > most) {
      throw new ArgumentError(
        `${owner}: Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), actual ${String(count)} vs ${most}`,
      );
    }
    const shape = [...base.batchShape, ...base.eventShape];
    super(
      shape.slice(0, most - count),
      shape.slice(most - count),
      validationOf(new.target.name, rest).validateArgs,
    );
    this.baseDist = base;
    this.reinterpretedBatchNdims = count;
  }
  override get hasRsample(): boolean {
    return this.baseDist.hasRsample;
  }
  override get hasEnumerateSupport(): boolean {
    return this.reinterpretedBatchNdims === 0 && this.baseDist.hasEnumerateSupport;
  }
  override get support(): Constraint | null {
    const { support } = this.baseDist;
    const count = this.reinterpretedBatchNdims;
    return support === null || count === 0 ? support : independent(support, count);
  }
  override get mean(): Tensor {
    return this.baseDist.mean;
  }
  override get mode(): Tensor {
    return this.baseDist.mode;
  }
  override get variance(): Tensor {
    return this.baseDist.variance;
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    const whole = [...shape, ...this.eventShape.slice(0, this.reinterpretedBatchNdims)];
    return this.withBatch(shape, { baseDist: this.baseDist.expand(whole) });
  }
  override sample(sampleShape?: SampleShape): Tensor {
    return this.baseDist.sample(sampleShape);
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    return this.baseDist.rsample(sampleShape);
  }
  override logProb(value: Tensor): Tensor {
    return sumRightmost(this.baseDist.logProb(value), this.reinterpretedBatchNdims);
  }
  override entropy(): Tensor {
    return sumRightmost(this.baseDist.entropy(), this.reinterpretedBatchNdims);
  }
  override enumerateSupport(expand?: ExpandOption): Tensor {
    if (this.reinterpretedBatchNdims === 0) return this.baseDist.enumerateSupport(expand);
    throw new ArgumentError('Independent: Enumeration over cartesian product is not implemented');
  }
  override toString(): string {
    return `${this.constructor.name}(${this.baseDist}, ${this.reinterpretedBatchNdims})`;
  }
}

/**
 * A mixture: `mixtureDistribution` chooses one of the k distributions in the last dimension of `componentDistribution`'s
 * batch.
 */
export class MixtureSameFamily<D extends Distribution = Distribution> extends Distribution {
  readonly mixtureDistribution: Categorical;
  readonly componentDistribution: D;

  constructor(
    ...args:
      | [
          mixtureDistribution: Categorical,
          componentDistribution: D,
          validateArgs?: boolean | null | DistributionOptions,
        ]
      | ByName<
          { mixtureDistribution: Categorical; componentDistribution: D },
          ['mixtureDistribution'],
          DistributionOptions
        >
  ) {
    const owner = new.target.name;
    const names = ['mixtureDistribution', 'componentDistribution'];
    const [mixture, component, ...rest] = required<[Categorical, D]>(owner, names, args);
    if (!(mixture instanceof Categorical)) {
      throw new ArgumentError(
        `${owner}: The Mixture distribution needs to be an instance of Categorical, but got ${kindOf(mixture)}`,
      );
    }
    checkDistribution(component, owner, 'componentDistribution');
    checkMixture(owner, mixture, component);
    super(
      component.batchShape.slice(0, -1),
      component.eventShape,
      validationOf(new.target.name, rest).validateArgs,
    );
    this.mixtureDistribution = mixture;
    this.componentDistribution = component;
  }
  override get support(): Constraint | null {
    const { support } = this.componentDistribution;
    if (support === null) return null;
    return {
      check: (x) => support.check(this.pad(x)).all(-1),
      toString: () => `MixtureSameFamilyConstraint(${support})`,
    };
  }
  protected get events(): number {
    return this.eventShape.length;
  }
  /** A value for each of the components. */
  protected pad(x: Tensor): Tensor {
    return x.unsqueeze(-1 - this.events);
  }
  /** The weights of the components, [...batchShape, k, 1 …], a one for each dimension of an event. */
  protected get weights(): Tensor {
    const { probs, batchShape } = this.mixtureDistribution;
    const missing = batchShape.length === 1 ? 0 : this.batchShape.length - batchShape.length;
    const ones = (count: number) => new Array<number>(count).fill(1);
    return probs.reshape([...batchShape, ...ones(missing), ...probs.shape.slice(-1), ...ones(this.events)]);
  }
  protected average(x: Tensor): Tensor {
    return this.weights.mul(x).sum(-1 - this.events);
  }
  override get mean(): Tensor {
    return this.average(this.componentDistribution.mean);
  }
  /** The mean of the variances, and the variance of the means. */
  override get variance(): Tensor {
    const { mean, variance } = this.componentDistribution;
    return this.average(variance).add(this.average(mean.sub(this.pad(this.mean)).pow(2)));
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    const { mixtureDistribution, componentDistribution } = this;
    return this.withBatch(shape, {
      mixtureDistribution: mixtureDistribution.expand(shape),
      componentDistribution: componentDistribution.expand([
        ...shape,
        ...componentDistribution.batchShape.slice(-1),
      ]),
    });
  }
  override sample(sampleShape?: SampleShape): Tensor {
    this.extendedShape(sampleShape);
    return noGrad(() => {
      const chosen = this.mixtureDistribution.sample(sampleShape);
      const samples = this.componentDistribution.sample(sampleShape);
      const dim = samples.ndim - 1 - this.events;
      const ones = this.eventShape.map(() => 1);
      const index = chosen
        .reshape([...chosen.shape, 1, ...ones])
        .expand([...samples.shape.slice(0, dim), 1, ...this.eventShape]);
      return samples.gather(dim, index).squeeze(dim);
    });
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const each = this.componentDistribution.logProb(this.pad(value));
    return each.add(logSoftmax(this.mixtureDistribution.logits, -1)).logsumexp(-1);
  }
  override cdf(value: Tensor): Tensor {
    return this.componentDistribution.cdf(this.pad(value)).mul(this.mixtureDistribution.probs).sum(-1);
  }
  override toString(): string {
    return `MixtureSameFamily(\n  ${this.mixtureDistribution},\n  ${this.componentDistribution})`;
  }
}

const kindOf = (x: unknown): string => (typeof x === 'object' && x !== null ? x.constructor.name : String(x));

function checkDistribution(x: unknown, owner: string, argument: string): void {
  if (x instanceof Distribution) return;
  throw new ArgumentError(`${owner}: argument '${argument}' must be a Distribution, but got ${kindOf(x)}`);
}

/** @throws ShapeError unless the components are as many as the mixture's categories, and their batches fit */
function checkMixture(owner: string, mixture: Categorical, component: Distribution): void {
  const batch = component.batchShape.slice(0, -1);
  const [weights, components] = [mixture.logits.shape.at(-1), component.batchShape.at(-1)];
  const fits = mixture.batchShape
    .toReversed()
    .every((size, i) => size === 1 || [undefined, 1, size].includes(batch.at(-1 - i)));
  if (!fits) {
    throw new ShapeError(
      `${owner}: \`mixture_distribution.batch_shape\` (${formatSize(mixture.batchShape)}) is not compatible with ` +
        `\`component_distribution.batch_shape\`(${formatSize(batch)})`,
    );
  }
  if (weights !== components) {
    throw new ShapeError(
      `${owner}: \`mixture_distribution component\` (${weights}) does not equal ` +
        `\`component_distribution.batch_shape[-1]\` (${String(components)})`,
    );
  }
}
