/** The distribution of what transforms make of samples. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { type Shape, sameShape } from '../core/shape.ts';
import { formatSize } from '../printing.ts';
import { type ByName, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { Independent } from './composed.ts';
import { type Constraint, independent } from './constraints.ts';
import { Distribution, type DistributionOptions, type SampleShape } from './distribution.ts';
import { klDivergence } from './kl.ts';
import { type KlRule, klRule } from './klRule.ts';
import { sumRightmost, validationOf } from './parameters.ts';
import { ComposeTransform, sameTransforms, Transform } from './transform.ts';

/**
 * Samples of `baseDistribution` behind `transforms`, one after the other: x ~ base, y = f(x), and
 * log p(y) = log p(x) − log |dy/dx|. A bounded policy, say: `new TransformedDistribution(new Normal(mu, sigma), new
 * TanhTransform({ cacheSize: 1 }))`.
 */
export class TransformedDistribution extends Distribution {
  readonly baseDist: Distribution;
  readonly transforms: readonly Transform[];

  constructor(
    ...args:
      | [
          baseDistribution: Distribution,
          transforms: Transform | readonly Transform[],
          validateArgs?: boolean | null | DistributionOptions,
        ]
      | ByName<
          { baseDistribution: Distribution; transforms: Transform | readonly Transform[] },
          ['baseDistribution'],
          DistributionOptions
        >
  ) {
    const owner = new.target.name;
    const names = ['baseDistribution', 'transforms'];
    const [base, given, ...rest] = required<[Distribution, Transform | readonly Transform[]]>(
      owner,
      names,
      args,
    );
    if (!(base instanceof Distribution))
      throw new ArgumentError(
        `${owner}: argument 'baseDistribution' must be a Distribution, but got ${String(base)}`,
      );
    const transforms = given instanceof Transform ? [given] : given;
    if (!Array.isArray(transforms) || !transforms.every((x) => x instanceof Transform))
      throw new ArgumentError(
        `${owner}: transforms must be a Transform or a list of Transforms, but was ${String(given)}`,
      );
    const { baseDist, batchShape, eventShape } = fitted(base, new ComposeTransform(transforms), owner);
    super(batchShape, eventShape, validationOf(owner, rest).validateArgs);
    this.baseDist = baseDist;
    this.transforms = transforms;
  }
  override get hasRsample(): boolean {
    return this.baseDist.hasRsample;
  }
  override get support(): Constraint | null {
    const last = this.transforms.at(-1);
    if (last === undefined) return this.baseDist.support;
    const missing = this.eventShape.length - last.codomainEventDim;
    return missing > 0 ? independent(last.codomain, missing) : last.codomain;
  }
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    const whole = new ComposeTransform(this.transforms).inverseShape([...shape, ...this.eventShape]);
    const events = this.baseDist.eventShape.length;
    return this.withBatch(shape, { baseDist: this.baseDist.expand(whole.slice(0, whole.length - events)) });
  }
  override sample(sampleShape?: SampleShape): Tensor {
    return noGrad(() => this.through(this.baseDist.sample(sampleShape)));
  }
  override rsample(sampleShape?: SampleShape): Tensor {
    return this.through(this.baseDist.rsample(sampleShape));
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    let events = this.eventShape.length;
    let y = value;
    let sum: Tensor | null = null;
    for (const transform of this.transforms.toReversed()) {
      const x = transform.invCall(y);
      events += transform.eventDim - transform.codomainEventDim;
      const term = sumRightmost(transform.logAbsDetJacobian(x, y), events - transform.eventDim);
      sum = sum === null ? term.neg() : sum.sub(term);
      y = x;
    }
    const base = sumRightmost(this.baseDist.logProb(y), events - this.baseDist.eventShape.length);
    return sum === null ? base : sum.add(base);
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value, 'cdf');
    const x = this.transforms.reduceRight((y, transform) => transform.invCall(y), value);
    return this.rising(this.baseDist.cdf(x));
  }
  override icdf(value: Tensor): Tensor {
    return this.through(this.baseDist.icdf(this.rising(value)));
  }
  override klRules(): readonly KlRule[] {
    return [...this.baseDist.klRules(), klRule(TransformedDistribution, TransformedDistribution, divergence)];
  }
  protected through(x: Tensor): Tensor {
    return this.transforms.reduce((value, transform) => transform.forward(value), x);
  }
  /** A probability as it is, or that of the other side where the transforms turn the order round. */
  protected rising(probability: Tensor): Tensor {
    const { sign } = new ComposeTransform(this.transforms);
    return sign === 1 ? probability : probability.sub(0.5).mul(sign).add(0.5);
  }
}

/** A distribution of numbers that transforms make of another one, with its parameters in the properties of their names. */
export abstract class TransformedElementwise extends TransformedDistribution {
  override expand(batchShape: Shape | { readonly batchShape: Shape }): this {
    const shape = this.batchGiven(batchShape);
    const larger = Object.entries(this.parameters).map(([name, x]) => [name, x?.expand(shape)]);
    return Object.assign(super.expand(shape), Object.fromEntries(larger));
  }
}

/** The base, as large and with as many dimensions of an event as the transforms want, and the shapes that come of it. */
function fitted(base: Distribution, whole: ComposeTransform, owner: string) {
  const shape = [...base.batchShape, ...base.eventShape];
  const events = whole.codomainEventDim + Math.max(base.eventShape.length - whole.eventDim, 0);
  if (shape.length < whole.eventDim)
    throw new ShapeError(
      `${owner}: base_distribution needs to have shape with size at least ${whole.eventDim}, but got ${formatSize(shape)}.`,
    );
  const after = whole.forwardShape(shape);
  const before = whole.inverseShape(after);
  const grown = sameShape(shape, before)
    ? base
    : base.expand(before.slice(0, before.length - base.eventShape.length));
  const missing = whole.eventDim - base.eventShape.length;
  const baseDist = missing > 0 ? new Independent(grown, missing) : grown;
  const cut = after.length - events;
  return { baseDist, batchShape: after.slice(0, cut), eventShape: after.slice(cut) };
}

function divergence(p: TransformedDistribution, q: TransformedDistribution): Tensor {
  if (!sameTransforms(p.transforms, q.transforms) || !sameShape(p.eventShape, q.eventShape))
    throw new ArgumentError('klDivergence: expected both to have the same transforms and event shapes');
  return klDivergence(p.baseDist, q.baseDist);
}
