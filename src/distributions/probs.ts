/** Distributions of probabilities that are given as such or as logits. */
import { enableGrad } from '../autograd/gradMode.ts';
import { ArgumentError } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { Distribution, type DistributionOptions, type Parameters } from './distribution.ts';

/** The parameter, under one of its two names. */
export interface ProbsOrLogits<P> extends DistributionOptions {
  /** Probabilities. */
  probs?: P | null;
  /** Log-odds of one probability, or logarithms of several, up to a constant. */
  logits?: P | null;
}

/** `(probs)`, `(null, logits)`, `({ probs })`, `({ logits })`. */
export type ProbsArguments<P> = Flexible<
  [probs: P | null | undefined, logits: P | null | undefined, validateArgs: boolean | null],
  ProbsOrLogits<P>
>;

/** The one of `probs` and `logits` that came, by its name. @throws ArgumentError where both came, or none */
export function probsGiven<P>(owner: string, args: ProbsArguments<P>) {
  const { probs, logits, validateArgs } = named<ProbsOrLogits<P>>(owner, 'probs logits validateArgs', args);
  const came = [probs, logits].filter((x) => x !== undefined && x !== null);
  if (came.length !== 1) {
    throw new ArgumentError(
      `${owner}: Either \`probs\` or \`logits\` must be specified, but not both; got ${came.length === 0 ? 'none' : 'both'}`,
    );
  }
  return { name: came[0] === probs ? 'probs' : 'logits', value: came[0] as P, validateArgs } as const;
}

/** A distribution that knows `probs`, `logits`, or both. */
export abstract class ProbsDistribution extends Distribution {
  /** What was given, and what was worked out of it since. */
  protected readonly kept: { probs?: Tensor; logits?: Tensor };
  /** The one that was given. */
  protected readonly param: Tensor;

  constructor(
    name: 'probs' | 'logits',
    param: Tensor,
    batchShape: Shape,
    validateArgs: boolean | null | undefined,
  ) {
    super(batchShape, [], validateArgs);
    this.param = param;
    this.kept = { [name]: param };
    this.checkParameters();
  }

  protected abstract toProbs(logits: Tensor): Tensor;
  protected abstract toLogits(probs: Tensor): Tensor;

  protected override get parameters(): Parameters {
    return this.kept;
  }
  /** The probabilities: as given, or worked out of the logits when they are first asked for, in the graph. */
  get probs(): Tensor {
    const { kept } = this;
    kept.probs ??= enableGrad(() => this.toProbs(kept.logits as Tensor));
    return kept.probs;
  }
  /** The logits: as given, or worked out of the probabilities when they are first asked for, in the graph. */
  get logits(): Tensor {
    const { kept } = this;
    kept.logits ??= enableGrad(() => this.toLogits(kept.probs as Tensor));
    return kept.logits;
  }
  /** The shape of the parameter. */
  get paramShape(): Shape {
    return this.param.shape;
  }
  /** This distribution with its parameters expanded to `shape`. */
  protected expanded(batchShape: Shape, shape: Shape): this {
    const known = Object.entries(this.kept).map(([name, x]) => [name, x.expand(shape)]);
    return this.withBatch(batchShape, { kept: Object.fromEntries(known), param: this.param.expand(shape) });
  }
}
