/** Euclidean distances between many rows by one product of matrices. */
import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { zerosOf } from './along.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { clampMin } from './clamp.ts';
import { eq } from './comparison.ts';
import { detached } from './composite.ts';
import { sqrt } from './elementwise.ts';
import { cat } from './join.ts';
import { matmul } from './matmul.ts';
import { sum } from './reduce.ts';
import { transpose, unsqueeze } from './views.ts';
import { whereOp } from './where.ts';

/**
 * The distances between all rows of a [..., P, M] and all of b [..., R, M]: √(|a|² + |b|² − 2·a·b), all in one product of
 * rows that are three numbers longer, as PyTorch has it. Near 0 they have half of the digits only.
 */
export function euclideanDistances<T extends Variable>(a: T, b: T): T {
  const [x, y] = [detached(a), detached(b)];
  const squares = (rows: T): T => sum(mul(rows, rows), -1, true);
  const ones = (like: T): T => add<T>(zerosOf(like, like.shape), 1);
  const [xSquares, ySquares] = [squares(x), squares(y)];
  const left = cat([mul<T>(x, -2), xSquares, ones(xSquares)], -1);
  const right = cat([y, ones(ySquares), ySquares], -1);
  const out = sqrt(clampMin(matmul(left, transpose(right, -1, -2)), 0));
  return record('CdistBackward0', out.array, [a, b], (node, output) => {
    const [savedA, savedB, saved] = [node.save(a), node.save(b), node.saveOutput(output)];
    return (grad) => {
      const distances = saved.get(grad);
      const ratio = whereOp<T>(eq<T>(distances, 0), 0, div<T>(grad, distances));
      const [p, q] = [savedA.get(grad), savedB.get(grad)];
      return [
        sub<T>(mul(p, sum(ratio, -1, true)), matmul(ratio, q)),
        sub<T>(mul(q, unsqueeze(sum(ratio, -2), -1)), matmul(transpose(ratio, -1, -2), p)),
      ];
    };
  });
}
