/** One divergence of the table: for distributions of which classes it is, and how it is found. */
import { fullLike } from '../creation.ts';
import { where } from '../functions.ts';
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

/** The divergence to what leaves out a part of p. */
export const infinite = (like: Tensor): Tensor => fullLike(like, Number.POSITIVE_INFINITY);
/** x, infinite where q leaves out what p gives. */
export const infiniteWhere = (condition: Tensor, x: Tensor): Tensor =>
  where(condition, Number.POSITIVE_INFINITY, x);
