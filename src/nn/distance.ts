/** Distances and angles of vectors as modules. */
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import {
  cosineSimilarity,
  type DistanceOptions,
  pairwiseDistance,
  type SimilarityOptions,
} from './functional/distance.ts';
import { Module } from './module.ts';

/** x₁·x₂ / (|x₁|·|x₂|) along `dim`: `nn.functional.cosineSimilarity` with its options kept. */
export class CosineSimilarity extends Module {
  readonly dim: number;
  readonly eps: number;

  constructor(...args: Flexible<[dim: number, eps: number], SimilarityOptions>) {
    super();
    const { dim = 1, eps = 1e-8 } = named<SimilarityOptions>(new.target.name, 'dim eps', args);
    this.dim = dim;
    this.eps = eps;
  }
  forward(x1: Tensor, x2: Tensor): Tensor {
    return cosineSimilarity(x1, x2, this.dim, this.eps);
  }
}

/** |x₁ − x₂ + eps| in the p-norm along the last dimension: `nn.functional.pairwiseDistance` with its options kept. */
export class PairwiseDistance extends Module {
  readonly norm: number;
  readonly eps: number;
  readonly keepdim: boolean;

  constructor(...args: Flexible<[p: number, eps: number, keepdim: boolean], DistanceOptions>) {
    super();
    const {
      p = 2,
      eps = 1e-6,
      keepdim = false,
    } = named<DistanceOptions>(new.target.name, 'p eps keepdim', args);
    this.norm = p;
    this.eps = eps;
    this.keepdim = keepdim;
  }
  forward(x1: Tensor, x2: Tensor): Tensor {
    return pairwiseDistance(x1, x2, this.norm, this.eps, this.keepdim);
  }
}
