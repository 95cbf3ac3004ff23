/** Lengths, distances and angles of vectors. */

import { broadcastShapes } from '../../core/shape.ts';
import { eq } from '../../ops/comparison.ts';
import { fused } from '../../ops/fused.ts';
import { whereOp } from '../../ops/where.ts';
import { isOptions } from '../../tensor/arguments.ts';
import type { Tensor } from '../../tensor.ts';

/** x where it is not below `floor`, else `floor`; the gradient passes where it is not below. */
export const atLeast = (x: Tensor, floor: number): Tensor => whereOp<Tensor>(x.lt(floor), floor, x);

/** (Σ |x|ᵖ)^(1/p) along dim; its gradient at 0 is 0. p may be 0 (counts), Infinity or −Infinity. */
export function vectorNorm(x: Tensor, p: number, dim: number, keepdim: boolean): Tensor {
  if (p === Infinity) return x.abs().amax(dim, keepdim);
  if (p === -Infinity) return x.abs().amin(dim, keepdim);
  if (p === 0) return x.ne(0).to(x.dtype).sum(dim, keepdim);
  if (p === 1) return x.abs().sum(dim, keepdim);
  const kept = fused(
    'LinalgVectorNormBackward0',
    [x],
    () =>
      p === 2
        ? x.square().sum(dim, true).sqrt()
        : x
            .abs()
            .pow(p)
            .sum(dim, true)
            .pow(1 / p),
    (node, output) => {
      const savedX = node.save(x);
      const savedY = node.saveOutput(output);
      return (grad) => {
        const input = savedX.get(grad);
        const norm = savedY.get(grad);
        const powers = p === 2 ? input : input.sign().mul(input.abs().pow(p - 1));
        const below = p === 2 ? norm : norm.pow(p - 1);
        const zero = eq<Tensor>(norm, 0);
        const ratio = powers.div(whereOp<Tensor>(zero, 1, below));
        return [whereOp<Tensor>(zero, 0, ratio).mul(grad)];
      };
    },
  );
  return keepdim ? kept : kept.squeeze(dim);
}

interface SimilarityOptions {
  /** Default 1. */
  dim?: number;
  /** Lengths are at least this. Default 1e-8. */
  eps?: number;
}

/** x₁·x₂ / (|x₁|·|x₂|) along dim. @throws ShapeError if the shapes do not broadcast */
export function cosineSimilarity(
  x1: Tensor,
  x2: Tensor,
  dim: number | SimilarityOptions = 1,
  eps = 1e-8,
): Tensor {
  if (isOptions<SimilarityOptions>(dim)) return cosineSimilarity(x1, x2, dim.dim, dim.eps);
  const shape = broadcastShapes(x1.shape, x2.shape, 'cosineSimilarity');
  const unit = (x: Tensor): Tensor => {
    const spread = x.expand(shape);
    const length = vectorNorm(spread, 2, dim, true);
    // The bound moves the value and leaves the gradient alone, as in PyTorch.
    return spread.div(length.add(atLeast(length, eps).sub(length).detach()));
  };
  return unit(x1).mul(unit(x2)).sum(dim);
}

interface DistanceOptions {
  /** The exponent. Default 2. */
  p?: number;
  /** Added to the difference. Default 1e-6. */
  eps?: number;
  keepdim?: boolean;
}

/** |x₁ − x₂ + eps| in the p-norm along the last dimension. */
export function pairwiseDistance(
  x1: Tensor,
  x2: Tensor,
  p: number | DistanceOptions = 2,
  eps = 1e-6,
  keepdim = false,
): Tensor {
  if (isOptions<DistanceOptions>(p)) return pairwiseDistance(x1, x2, p.p, p.eps, p.keepdim);
  return vectorNorm(x1.sub(x2).add(eps), p, -1, keepdim);
}

interface NormalizeOptions {
  /** The exponent. Default 2. */
  p?: number;
  /** Default 1. */
  dim?: number;
  /** Lengths are at least this. Default 1e-12. */
  eps?: number;
}

/** x divided by its p-norm along dim. */
export function normalize(x: Tensor, p: number | NormalizeOptions = 2, dim = 1, eps = 1e-12): Tensor {
  if (isOptions<NormalizeOptions>(p)) return normalize(x, p.p, p.dim, p.eps);
  return x.div(atLeast(vectorNorm(x, p, dim, true), eps));
}
