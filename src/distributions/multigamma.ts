/** The gamma function of several dimensions, by which densities of matrices are normalized. */
import { arange } from '../sequences.ts';
import type { Tensor } from '../tensor.ts';

/** x, x − 1/2, … x − (p − 1)/2 in a last dimension. */
function halvesBelow(x: Tensor, p: number): Tensor {
  const { dtype, device } = x;
  return x.unsqueeze(-1).sub(arange(p, { dtype, device }).div(2));
}

/** The logarithm of the multivariate gamma function of p dimensions. */
export const logMultigamma = (x: Tensor, p: number): Tensor =>
  halvesBelow(x, p)
    .lgamma()
    .sum(-1)
    .add(((p * (p - 1)) / 4) * Math.log(Math.PI));

/** Its derivative. */
export const multidigamma = (x: Tensor, p: number): Tensor => halvesBelow(x, p).digamma().sum(-1);
