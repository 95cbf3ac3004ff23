/**
 * Losses that are one node in the graph: an elementwise function of input and target, reduced. Their rules are written
 * with ops, so that they have second derivatives. PyTorch's formulas, its clamps included.
 */
import type { Variable } from '../autograd/variable.ts';
import type { LossReduction } from '../backend/backend.ts';
import { isFloating } from '../core/dtype.ts';
import { ArgumentError } from '../core/errors.ts';
import { hardtanh } from './activation.ts';
import { add, div, maximum, minimum, mul, neg, rsub, sub } from './arithmetic.ts';
import { clamp } from './clamp.ts';
import { cast } from './convert.ts';
import { abs, exp, log, log1p, sigmoid, square } from './elementwise.ts';
import { fused } from './fused.ts';
import { checkFloating } from './given.ts';
import { xlogy } from './pairs.ts';
import { listDims, mean, sum } from './reduce.ts';
import { sumOfSquares } from './statistics.ts';

export type { LossReduction } from '../backend/backend.ts';

/** All losses as they are, their mean, or their sum. @throws ArgumentError for another word */
export function reduceLoss<T extends Variable>(losses: T, reduction: LossReduction): T {
  switch (reduction) {
    case 'none':
      return losses;
    case 'mean':
      return mean(losses);
    case 'sum':
      return sum(losses);
    default:
      throw new ArgumentError(`${String(reduction satisfies never)} is not a valid value for reduction`);
  }
}

/** The loss's gradient as each element sees it. */
const spread = <T extends Variable>(grad: T, count: number, reduction: LossReduction): T =>
  reduction === 'mean' ? div<T>(grad, count || 1) : grad;

interface Formula<T extends Variable> {
  readonly node: string;
  readonly value: (x: T, y: T, factors: Factors<T>) => T;
  /** What values are the squares of: their sum is one pass. */
  readonly root?: (x: T, y: T) => T;
  /** Derivatives by input and by target; without the latter it is minus the former. */
  readonly byInput: (x: T, y: T, factors: Factors<T>) => T;
  readonly byTarget?: (x: T, y: T, factors: Factors<T>) => T;
  /** A factor of the derivatives; default 1. */
  readonly slope?: number;
}

/** What else a loss is computed from, as it was given, and for its derivatives as it was saved; null where there is none. */
type Factors<T extends Variable> = readonly (T | null)[];

function elementLoss<T extends Variable>(
  { node: name, value, root, byInput, byTarget, slope = 1 }: Formula<T>,
  x: T,
  y: T,
  reduction: LossReduction,
  factors: Factors<T> = [],
): T {
  let count = 0;
  const compute = (): T => {
    const squares =
      root !== undefined && isFloating(x.dtype) && (reduction === 'mean' || reduction === 'sum');
    const losses = squares ? root(x, y) : value(x, y, factors);
    count = losses.array.size;
    if (!squares) return reduceLoss(losses, reduction);
    const total = sumOfSquares(losses, listDims(null, losses.ndim, name), false);
    return reduction === 'mean' ? div<T>(total, count) : total;
  };
  return fused(name, [x, y], compute, (node) => {
    const savedX = node.save(x);
    const savedY = node.save(y);
    const savedFactors = factors.map((factor) => factor && node.save(factor));
    return (grad) => {
      const input = savedX.get(grad);
      const target = savedY.get(grad);
      const others = savedFactors.map((saved) => saved?.get(grad) ?? null);
      const share = spread(grad, count, reduction);
      const each = slope === 1 ? share : mul<T>(share, slope);
      const first = node.needs[0] || !byTarget ? mul<T>(each, byInput(input, target, others)) : undefined;
      const second =
        node.needs[1] && (byTarget ? mul<T>(each, byTarget(input, target, others)) : neg(first!));
      return [node.needs[0] && first, second];
    };
  });
}

/** The mean of (x − y)². */
export const mseLoss = <T extends Variable>(x: T, y: T, reduction: LossReduction): T =>
  elementLoss(
    {
      node: 'MseLossBackward0',
      value: (a, b) => square(sub<T>(a, b)),
      root: (a, b) => sub<T>(a, b),
      byInput: (a, b) => sub<T>(a, b),
      slope: 2,
    },
    x,
    y,
    reduction,
  );

/** d²/(2β) for |d| < β, else |d| − β/2, where d = x − y: v·(d − v/2)/β with v = d, cut off at ±β, and v/β its slope. */
export function smoothL1Loss<T extends Variable>(x: T, y: T, reduction: LossReduction, beta: number): T {
  for (const operand of [x, y]) checkFloating(operand, 'smooth_l1_loss');
  const byBeta = (z: T): T => (beta === 1 ? z : div<T>(z, beta));
  const slope = (a: T, b: T): T => byBeta(hardtanh<T>(sub<T>(a, b), -beta, beta));
  const value = (a: T, b: T): T => byBeta(cutSquare(sub<T>(a, b), beta));
  return elementLoss({ node: 'SmoothL1LossBackward0', value, byInput: slope }, x, y, reduction);
}

/** v·(d − v/2), where v is d, cut off at ±`bound`: half of the square within, a straight line beyond. */
function cutSquare<T extends Variable>(d: T, bound: number): T {
  const v = clamp<T>(d, -bound, bound);
  return mul<T>(v, sub<T>(d, mul<T>(v, 0.5)));
}

/** d²/2 for |d| < δ, else δ(|d| − δ/2), where d = x − y; the second derivative at δ is that beyond, as in PyTorch. */
export function huberLoss<T extends Variable>(x: T, y: T, reduction: LossReduction, delta: number): T {
  for (const operand of [x, y]) checkFloating(operand, 'huber_loss');
  const slope = (a: T, b: T): T => hardtanh<T>(sub<T>(a, b), -delta, delta);
  const value = (a: T, b: T): T => cutSquare(sub<T>(a, b), delta);
  return elementLoss({ node: 'HuberLossBackward0', value, byInput: slope }, x, y, reduction);
}

const scaled = <T extends Variable>(losses: T, by: T | null): T => (by ? mul<T>(losses, by) : losses);

/** −w·(y·log x + (1 − y)·log(1 − x)) for probabilities x; logarithms are at least −100. */
export function binaryCrossEntropy<T extends Variable>(
  x: T,
  y: T,
  weight: T | null,
  reduction: LossReduction,
): T {
  for (const operand of [x, y]) checkFloating(operand, 'binary_cross_entropy');
  const clamped = (z: T): T => maximum<T>(z, -100);
  const value = (a: T, b: T, [w]: Factors<T>): T => {
    const no = mul<T>(sub<T>(b, 1), clamped(log1p(neg(a))));
    return scaled(sub<T>(no, mul<T>(b, clamped(log(a)))), w);
  };
  return elementLoss(
    {
      node: 'BinaryCrossEntropyBackward0',
      value,
      byInput: (a, b, [w]) => scaled(div<T>(sub<T>(a, b), maximum<T>(mul<T>(rsub<T>(a, 1), a), 1e-12)), w),
      byTarget: (a, _, [w]) => scaled(sub<T>(log1p(neg(a)), log(a)), w),
    },
    x,
    y,
    reduction,
    [weight],
  );
}

/** log(1 + e^−|x|) + max(−x, 0): softplus of −x without overflow. */
const softplusOfNegative = <T extends Variable>(x: T): T => sub<T>(log1p(exp(neg(abs(x)))), minimum<T>(x, 0));

/** Binary cross-entropy of sigmoid(x), exact for large |x|: (1 − y)·x + (1 + (p − 1)·y)·softplus(−x), p for positives. */
export function binaryCrossEntropyWithLogits<T extends Variable>(
  x: T,
  y: T,
  weight: T | null,
  posWeight: T | null,
  reduction: LossReduction,
): T {
  checkFloating(y, 'binary_cross_entropy_with_logits');
  // The result has the target's dtype: PyTorch computes (1 − y)·x in the place of 1 − y.
  const factor = (b: T, p: T | null): T | null => p && add<T>(mul<T>(sub<T>(p, 1), b), 1);
  return elementLoss(
    {
      node: 'BinaryCrossEntropyWithLogitsBackward0',
      value: (a, b, [w, p]) => {
        const losses = add<T>(mul<T>(rsub<T>(b, 1), a), scaled(softplusOfNegative(a), factor(b, p)));
        return scaled(cast(losses, b.dtype), w);
      },
      byInput: (a, b, [w, p]) => {
        const by = factor(b, p);
        if (by === null) return scaled(sub<T>(sigmoid(a), b), w);
        return scaled(sub<T>(rsub<T>(b, 1), mul<T>(by, sigmoid(neg(a)))), w);
      },
      byTarget: (a, _, [w, p]) => {
        const more = p && mul<T>(sub<T>(p, 1), softplusOfNegative(a));
        return scaled(more ? sub<T>(more, a) : neg(a), w);
      },
    },
    x,
    y,
    reduction,
    [weight, posWeight],
  );
}

/** y·(log y − x), 0 where y = 0 and NaN below; with logTarget, e^y·(y − x). @throws DTypeError for integers */
export function klDivergences<T extends Variable>(x: T, y: T, logTarget: boolean): T {
  for (const operand of [x, y]) checkFloating(operand, 'kl_div');
  if (logTarget) return mul<T>(exp(y), sub<T>(y, x));
  return sub<T>(xlogy<T>(y, y), mul<T>(y, x));
}
