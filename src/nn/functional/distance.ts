/** Lengths, distances and angles of vectors. */

import { promote } from '../../core/dtype.ts';
import { inOp } from '../../core/inOp.ts';
import { broadcastShapes } from '../../core/shape.ts';
import { clampMin } from '../../ops/clamp.ts';
import { tensorGiven } from '../../ops/given.ts';
import { type Flexible, inOrder } from '../../ops/options.ts';
import { vectorNorm } from '../../ops/statistics.ts';
import { taking } from '../../ops/taking.ts';
import { whereOp } from '../../ops/where.ts';
import type { Tensor } from '../../tensor.ts';

/** x where it is not below `floor`, else `floor`; the gradient passes where it is not below. */
export const atLeast = (x: Tensor, floor: number): Tensor => clampMin<Tensor>(x, floor);

/** The same value, but the gradient passes everywhere: PyTorch's clamp without recording. */
export const raised = (x: Tensor, floor: number): Tensor =>
  x.add(whereOp<Tensor>(x.lt(floor), x.rsub(floor), 0).detach());

export interface SimilarityOptions {
  /** Default 1. */
  dim?: number;
  /** Lengths are at least this. Default 1e-8. */
  eps?: number;
}

/** x₁·x₂ / (|x₁|·|x₂|) along dim. @throws ShapeError if the shapes do not broadcast */
export const cosineSimilarity = /* @__PURE__ */ taking(
  'cosine_similarity',
  'x2 dim? eps?',
  function cosineSimilarity(x1: Tensor, x2: Tensor, dim = 1, eps = 1e-8): Tensor {
    tensorGiven(x1, 'cosine_similarity', 'x1');
    tensorGiven(x2, 'cosine_similarity', 'x2');
    return inOp('cosine_similarity', () => {
      const shape = broadcastShapes(x1.shape, x2.shape, 'cosineSimilarity');
      const unit = (x: Tensor): Tensor => {
        const spread = x.to(promote(x1.dtype, x2.dtype)).expand(shape);
        const length = vectorNorm<Tensor>(spread, 2, dim, true);
        return spread.div(raised(length, eps));
      };
      return unit(x1).mul(unit(x2)).sum(dim);
    });
  },
);

export interface DistanceOptions {
  /** The exponent. Default 2. */
  p?: number;
  /** Added to the difference. Default 1e-6. */
  eps?: number;
  keepdim?: boolean;
}

/** |x₁ − x₂ + eps| in the p-norm along the last dimension. */
export const pairwiseDistance = /* @__PURE__ */ taking(
  'pairwise_distance',
  'x2 p? eps? keepdim?',
  function pairwiseDistance(x1: Tensor, x2: Tensor, p = 2, eps = 1e-6, keepdim = false): Tensor {
    tensorGiven(x1, 'pairwise_distance', 'x1');
    tensorGiven(x2, 'pairwise_distance', 'x2');
    return inOp('pairwise_distance', () => {
      return vectorNorm<Tensor>(x1.sub(x2).add(eps), p, -1, keepdim);
    });
  },
);

interface NormalizeOptions {
  /** The exponent. Default 2. */
  p?: number;
  /** Default 1. */
  dim?: number;
  /** Lengths are at least this. Default 1e-12. */
  eps?: number;
}

/** x divided by its p-norm along dim. */
export function normalize(
  x: Tensor,
  ...args: Flexible<[p: number, dim: number, eps: number], NormalizeOptions>
): Tensor {
  tensorGiven(x, 'normalize');
  return inOp('normalize', () => {
    const [p = 2, dim = 1, eps = 1e-12] = inOrder<[number, number, number]>('normalize', 'p dim eps', args);
    return x.div(atLeast(vectorNorm<Tensor>(x, p, dim, true), eps));
  });
}
