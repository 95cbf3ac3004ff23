/** Cross-entropy of logits: one pass forward, one back; its second derivative comes from ordinary ops. */
import { needsGraph, record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import type { NDArray } from '../backend/array.ts';
import type { CrossEntropyOptions, CrossEntropyResult } from '../backend/backend.ts';
import { DTypeError, IndexError, ShapeError } from '../core/errors.ts';
import { formatShape } from '../core/shape.ts';
import { div, mul, sub } from './arithmetic.ts';
import { ne } from './comparison.ts';
import { cast } from './convert.ts';
import { selectAlong } from './indexing.ts';
import { sum } from './reduce.ts';
import { softmax } from './softmax.ts';
import { reshape, unsqueeze } from './views.ts';
import { whereOp } from './where.ts';

export type { CrossEntropyOptions } from '../backend/backend.ts';

/** Class numbers as int64; int32 too, unlike in PyTorch: an `Int32Array` is JavaScript's list of labels. @throws DTypeError */
export function checkClassTarget<T extends Variable>(target: T, op: string): T {
  if (['int64', 'int32', 'uint8'].includes(target.dtype)) return cast(target, 'int64');
  throw new DTypeError(`${op}: expected target of dtype int64, but got ${target.dtype}`);
}

/** How many classes rows have. @throws ShapeError unless x is [n, classes] or [classes], or a single number */
export function checkRows({ shape, ndim }: Variable, op: string): number {
  if (ndim > 2 || shape[ndim - 1] === 0)
    throw new ShapeError(
      `${op}: Expected non-empty vector or matrix with optional 0-dim batch size, but got: ${formatShape(shape)}`,
    );
  return shape[ndim - 1] ?? 1;
}

/** Class numbers must lie in [0, classes) or be ignored. @throws IndexError naming the first that does not */
export function checkTargets(target: Variable, classes: number, ignoreIndex: number | null): void {
  const { backend } = target.array;
  const tell = (value: number | bigint) => new IndexError(`Target ${value} is out of bounds.`);
  const bad = backend.findBadTarget(target.array, classes, ignoreIndex, tell);
  if (bad >= 0) throw tell(backend.hostValues(target.array, 'crossEntropy')[bad]);
}

/**
 * −log softmax(logits)[target] of each row, smoothed and weighted, then reduced. logits [rows, classes] floating, target
 * [rows] int64, weight [classes] in the logits' dtype. @throws IndexError for a target out of range
 */
export function crossEntropyRows<T extends Variable>(
  logits: T,
  target: T,
  weight: T | null,
  options: CrossEntropyOptions,
): T {
  checkTargets(target, logits.shape[1], options.ignoreIndex);
  const { backend } = logits.array;
  const { loss, ...saved } = backend.crossEntropy(logits.array, target.array, weight?.array ?? null, options);
  if (!needsGraph([logits])) {
    saved.rowStats.release();
    saved.divisor.release();
  }
  return record('NllLossBackward0', loss, [logits], (node) => {
    const savedLogits = node.save(logits);
    const savedTarget = node.save(target);
    const savedWeight = weight && node.save(weight);
    return (grad) => [
      crossEntropyGrad(
        grad,
        savedLogits.get(grad),
        savedTarget.get(grad),
        savedWeight?.get(grad) ?? null,
        saved,
        options,
      ),
    ];
  });
}

type Saved = Pick<CrossEntropyResult, 'rowStats' | 'divisor'>;

function crossEntropyGrad<T extends Variable>(
  grad: T,
  logits: T,
  target: T,
  weight: T | null,
  saved: Saved,
  options: CrossEntropyOptions,
): T {
  const { backend } = logits.array;
  const apply = (g: NDArray) =>
    backend.crossEntropyGrad(g, logits.array, target.array, weight?.array ?? null, saved, options);
  return record('NllLossBackwardBackward0', apply(grad.array), [grad, logits], (node) => {
    const savedGrad = node.save(grad);
    const savedLogits = node.save(logits);
    const savedTarget = node.save(target);
    const savedWeight = weight && node.save(weight);
    const none = options.reduction === 'none';
    return (gg) => {
      const g = savedGrad.get(gg);
      const x = savedLogits.get(gg);
      const t = savedTarget.get(gg);
      const w = savedWeight?.get(gg) ?? null;
      // Linear in g: the gradient for g = 1, summed over what one g reaches.
      const ones = backend.empty(g.shape, g.dtype);
      backend.fill(ones, 1);
      const unit = crossEntropyGrad(g.derive(ones), x, t, w, saved, options);
      const toGrad = sum(mul<T>(gg, unit), none ? 1 : null);
      // In x only softmax counts: p·(v − Σ p·v) with v = gg·g·(weight of the row)/divisor.
      const rows = mul<T>(rowWeights(x, t, w, options), g);
      // Where every row is ignored the divisor is 0, too.
      const scaled =
        options.reduction === 'mean'
          ? whereOp<T>(ne<T>(t, options.ignoreIndex), div<T>(rows, x.derive(saved.divisor)), 0)
          : rows;
      const v = mul<T>(gg, unsqueeze(scaled, 1));
      const p = softmax(x, 1);
      return [toGrad, mul<T>(p, sub<T>(v, sum(mul<T>(p, v), 1, true)))];
    };
  });
}

/** [rows]: what softmax is multiplied by in each row's gradient. */
function rowWeights<T extends Variable>(
  logits: T,
  target: T,
  weight: T | null,
  options: CrossEntropyOptions,
): T {
  const { ignoreIndex, labelSmoothing } = options;
  const counts = ne<T>(target, ignoreIndex);
  if (weight === null) return cast(counts, logits.dtype);
  const chosen = selectAlong(weight, 0, reshape(whereOp<T>(counts, target, 0), [-1]));
  const share = mul<T>(sum(weight), labelSmoothing / logits.shape[1]);
  const each = mul<T>(chosen, 1 - labelSmoothing);
  return whereOp<T>(counts, sub<T>(each, mul<T>(share, -1)), 0);
}
