/** One divergence of the table: for distributions of which classes it is, and how it is found. */
import type { Tensor } from '../tensor.ts';
import type { Distribution } from './distribution.ts';

/** A class of distributions. */
export type DistributionClass<D extends Distribution> = abstract new (...args: never) => D;

/** A divergence of all pairs of two classes. */
export interface KlRule {
  readonly p: DistributionClass<Distribution>;
  readonly q: DistributionClass<Distribution>;
  readonly of: (p: Distribution, q: Distribution) => Tensor;
}

/** A rule of the table; that its arguments are of these classes, whoever looks it up has seen. */
export const klRule = <P extends Distribution, Q extends Distribution>(
  p: DistributionClass<P>,
  q: DistributionClass<Q>,
  of: (p: P, q: Q) => Tensor,
): KlRule => ({ p, q, of: of as KlRule['of'] });
