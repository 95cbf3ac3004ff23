/** Variance, norms, log-sum-exp, and reductions that skip NaN. */

import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import type { ReduceSpec } from '../backend/backend.ts';
import { type DType, isFloating, torchTypeName } from '../core/dtype.ts';
import { ArgumentError, DTypeError, IndexError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape, normalizeDim } from '../core/shape.ts';
import { add, div, maximum, minimum, mul, neg, rsub, sub } from './arithmetic.ts';
import { eq, gt, isnan, logicalAnd, logicalNot, logicalOr, lt } from './comparison.ts';
import { detached, named } from './composite.ts';
import { cast } from './convert.ts';
import { abs, ceil, exp, log, sign, sqrt } from './elementwise.ts';
import { optionsGiven, tensorGiven } from './given.ts';
import { type ByName, option } from './options.ts';
import { pow } from './power.ts';
import { amax, amin, type Dims, extremeOver, listDims, mean, nanToZero, restoreDims, sum } from './reduce.ts';
import { taking } from './taking.ts';
import { reshape } from './views.ts';
import { whereOp } from './where.ts';

function checkFloating(x: Variable, op: string): void {
  if (!isFloating(x.dtype)) {
    throw new DTypeError(
      `${op} only support floating point and complex dtypes; got ${torchTypeName(x.dtype)} for argument 'input'`,
    );
  }
}

const absSum: ReduceSpec = {
  name: 'abs_sum',
  initial: 0,
  js: (acc, x) => acc + Math.abs(x),
  wgsl: 'acc + abs(x)',
};

const squareSum: ReduceSpec = {
  name: 'square_sum',
  initial: 0,
  js: (acc, x) => acc + x * x,
  wgsl: 'acc + x * x',
};

/** Outside the graph. */
export const sumOfSquares = <T extends Variable>(x: T, list: readonly number[], keepdim: boolean): T =>
  x.derive(x.array.backend.reduce(squareSum, x.array, list, keepdim));

/**
 * The variance over dims: the mean square distance from the mean with N − correction for N. NaN where that is not
 * positive. @throws DTypeError for integers
 */
export function variance<T extends Variable>(x: T, dims: Dims = null, correction = 1, keepdim = false): T {
  tensorGiven(x, 'variance');
  checkFloating(x, 'var');
  const list = listDims(dims, x.ndim, 'var');
  const count = list.reduce((n, d) => n * x.shape[d], 1);
  const freedom = Math.max(0, count - correction);
  const centred = (y: T): T => sub<T>(y, mean(y, list.length === 0 ? null : list, true));
  const raw = detached(x);
  const out = div<T>(sumOfSquares(centred(raw), list, keepdim), freedom);
  const from = x.shape;
  return record('VarBackward0', out.array, [x], (node) => {
    const saved = node.save(x);
    return (grad) => [mul<T>(mul<T>(restoreDims(grad, from, list), 2 / freedom), centred(saved.get(grad)))];
  });
}

/**
 * √(Σx² / count). Where float32 squares would overflow or vanish, x is divided by the largest first: PyTorch adds up in
 * double precision for `std` and takes the root before it rounds; for `norm` it gives infinity or zero there.
 */
function rootOfSquares<T extends Variable>(
  x: T,
  list: readonly number[],
  count: number,
  keepdim: boolean,
): T {
  const all = list.length === 0 ? null : list;
  const over = (y: T): T => {
    const total = sumOfSquares(y, list, keepdim);
    return sqrt(count === 1 ? total : div<T>(total, count));
  };
  if (x.dtype !== 'float32' || x.array.size === 0) return over(x);
  const { backend } = x.array;
  if (backend.synchronous) {
    const plain = over(x);
    const roots = backend.read(plain.array) as Float32Array;
    if (roots.every((root) => (root > SMALL_ROOT && root < Infinity) || Number.isNaN(root))) return plain;
  }
  const largest = maximum<T>(amax(x, all, true), neg(amin(x, all, true)));
  const fits = logicalOr<T>(
    logicalAnd<T>(gt<T>(largest, SMALL_SQUARE), lt<T>(largest, LARGE_SQUARE)),
    logicalOr<T>(eq<T>(largest, 0), eq<T>(largest, Infinity)),
  );
  const scale = whereOp<T>(fits, 1, largest);
  const root = over(div<T>(x, scale));
  return mul<T>(root, keepdim ? scale : reshape(scale, root.shape));
}

/** Of what lies above, the squares that are too small to count did not count. */
const SMALL_ROOT = 1e-15;
/** Bounds of distances whose squares, a million of them, are neither denormal nor infinite in float32. */
const SMALL_SQUARE = 1e-18;
const LARGE_SQUARE = 1e16;

/** The square root of the variance; its gradient where it is 0 is 0. @throws DTypeError for integers */
export function std<T extends Variable>(x: T, dims: Dims = null, correction = 1, keepdim = false): T {
  tensorGiven(x, 'std');
  checkFloating(x, 'std');
  const list = listDims(dims, x.ndim, 'std');
  const count = list.reduce((n, d) => n * x.shape[d], 1);
  const freedom = Math.max(0, count - correction);
  const all = list.length === 0 ? null : list;
  const raw = detached(x);
  const out = rootOfSquares(sub<T>(raw, mean(raw, all, true)), list, freedom, keepdim);
  const from = x.shape;
  return record('StdBackward0', out.array, [x], (node, output) => {
    const savedX = node.save(x);
    const savedY = node.saveOutput(output);
    return (grad) => {
      const [value, y] = [savedX.get(grad), savedY.get(grad)];
      const slope = whereOp<T>(eq<T>(y, 0), 0, div<T>(grad, mul<T>(y, freedom)));
      return [mul<T>(restoreDims(slope, from, list), sub<T>(value, mean(value, all, true)))];
    };
  });
}

/**
 * The p-norm of the elements over dims: (Σ|x|^p)^(1/p); p = ∞ and −∞ give the largest and smallest magnitude, p = 0
 * the number of elements that are not zero. The gradient at 0 is 0; extremes share theirs, unless each is to get all. @throws DTypeError, IndexError for an empty extreme
 */
export function vectorNorm<T extends Variable>(
  x: T,
  p = 2,
  dims: Dims = null,
  keepdim = false,
  dtype?: DType,
  sharing = true,
): T {
  tensorGiven(x, 'vector_norm');
  const input = dtype === undefined ? x : cast(x, dtype);
  if (!isFloating(input.dtype)) {
    throw new DTypeError(
      `linalg.vector_norm: Expected a floating point or complex tensor as input. Got ${torchTypeName(input.dtype)}`,
    );
  }
  const list = listDims(dims, input.ndim, 'linalg.vector_norm');
  const out = normForward(detached(input), p, list, keepdim);
  const from = input.shape;
  return record('LinalgVectorNormBackward0', out.array, [input], (node, output) => {
    const savedX = node.save(input);
    const savedY = node.saveOutput(output);
    return (grad) => {
      // The count of what is not zero has no slope anywhere.
      if (p === 0) return [null];
      const back = (y: T): T => restoreDims(y, from, list);
      return [normGrad(back(grad), savedX.get(grad), back(savedY.get(grad)), p, sharing ? list : null)];
    };
  });
}

function normForward<T extends Variable>(x: T, p: number, list: readonly number[], keepdim: boolean): T {
  const reduced = (spec: ReduceSpec): T => x.derive(x.array.backend.reduce(spec, x.array, list, keepdim));
  const all = list.length === 0 ? null : list;
  switch (p) {
    case 1:
      return reduced(absSum);
    case 2:
      return rootOfSquares(x, list, 1, keepdim);
    case 0:
      return sum(cast(logicalNot(eq<T>(x, 0)), x.dtype), all, keepdim);
    case Infinity:
    case -Infinity: {
      const empty = list.find((d) => x.shape[d] === 0);
      if (empty !== undefined) {
        const order = p > 0 ? 'inf' : '-inf';
        throw new IndexError(
          `linalg.vector_norm cannot compute the ${order} norm on an empty tensor: dimension ${empty} of ` +
            `${formatShape(x.shape)} is empty and the operation does not have an identity`,
        );
      }
      return (p > 0 ? amax : amin)(abs(x), all, keepdim);
    }
    default:
      return pow<T>(sum(pow<T>(abs(x), p), all, keepdim), 1 / p);
  }
}

/** `list`: the dimensions over which extremes share the gradient, null if they do not. */
function normGrad<T extends Variable>(grad: T, x: T, y: T, p: number, list: readonly number[] | null): T {
  const atZero = (zero: T, slope: T): T => whereOp<T>(eq<T>(zero, 0), 0, slope);
  if (p === 1) return mul<T>(sign(x), grad);
  // x/y first: 1/y may be infinite.
  if (p === 2) return mul<T>(div<T>(x, whereOp<T>(eq<T>(y, 0), 1, y)), grad);
  if (Math.abs(p) === Infinity) {
    if (list === null) {
      // 0 at the extremes, 1 elsewhere, NaN where they are no numbers.
      const gaps = minimum<T>(ceil(abs(sub<T>(abs(x), y))), 1);
      return mul<T>(mul<T>(sign(x), rsub<T>(gaps, 1)), grad);
    }
    const hits = cast(eq<T>(abs(x), y), grad.dtype);
    return mul<T>(mul<T>(sign(x), hits), div<T>(grad, sum(hits, list.length === 0 ? null : list, true)));
  }
  const scale = atZero(y, div<T>(grad, pow<T>(y, p - 1)));
  if (p < 1) return atZero(x, mul<T>(mul<T>(sign(x), pow<T>(abs(x), p - 1)), scale));
  if (p < 2) return mul<T>(mul<T>(sign(x), pow<T>(abs(x), p - 1)), scale);
  return mul<T>(mul<T>(x, pow<T>(abs(x), p - 2)), scale);
}

/** A norm's order by name or number. */
export type NormOrder = number | 'fro' | 'nuc' | 'inf' | '-inf' | null;

/** The p-norm over dims (default all), 'fro' being the 2-norm. @throws ArgumentError for the nuclear norm */
export function norm<T extends Variable>(
  x: T,
  p: NormOrder = 'fro',
  dims: Dims = null,
  keepdim = false,
  dtype?: DType,
): T {
  tensorGiven(x, 'norm');
  if (p === 'nuc')
    throw new ArgumentError("norm: the nuclear norm ('nuc') is not available; it needs singular values");
  const order = p === 'fro' || p === null ? 2 : Number(p === 'inf' ? Infinity : p === '-inf' ? -Infinity : p);
  return vectorNorm(x, order, dims, keepdim, dtype);
}

/**
 * x with each slice along `dim` whose p-norm is beyond `maxnorm` scaled down to it.
 * @throws ShapeError below two dimensions; ArgumentError for a p that is not positive or a negative maxnorm
 */
export const renorm = /* @__PURE__ */ taking('renorm', 'p dim maxnorm', function renorm<
  T extends Variable,
>(x: T, p: number, dim: number, maxnorm: number): T {
  tensorGiven(x, 'renorm');
  return inOp('renorm', () => {
    if (!(p > 0)) throw new ArgumentError(`renorm: p must be positive, but got ${p}`);
    if (!(maxnorm >= 0)) throw new ArgumentError(`renorm: expected maxnorm to be >= 0 but got ${maxnorm}`);
    if (x.ndim < 2)
      throw new ShapeError(`renorm: input needs at least 2 dimensions, got ${x.ndim} dimensions`);
    const d = normalizeDim(dim, x.ndim, 'renorm');
    const others = x.shape.map((_, at) => at).filter((at) => at !== d);
    const norms = vectorNorm(x, p, others, true);
    const factors = whereOp<T>(gt<T>(norms, maxnorm), div<T>(maxnorm, add<T>(norms, 1e-7)), 1);
    return named('RenormBackward0', mul<T>(x, factors));
  });
});

/** The p-norm of x − y. */
export const dist = <T extends Variable>(x: T, y: T, p?: ByName<'p', number>): T =>
  inOp('dist', () => named('DistBackward0', vectorNorm(sub<T>(x, y), option(p, 'dist', 'p', 2))));

/** log Σ eˣ over dims, shifted by the maximum so that nothing overflows; integers count as float32. */
export function logsumexp<T extends Variable>(x: T, dims: Dims, keepdim = false): T {
  tensorGiven(x, 'logsumexp');
  if (!isFloating(x.dtype)) return logsumexp(cast(x, 'float32'), dims, keepdim);
  const list = listDims(dims, x.ndim, 'logsumexp');
  const all = list.length === 0 ? null : list;
  const raw = detached(x);
  const from = x.shape;
  const empty = list.some((d) => x.shape[d] === 0);
  const top = empty ? null : amax(raw, all, true);
  const shift = top && whereOp<T>(eq<T>(abs(top), Infinity), 0, top);
  const total = log(sum(exp(shift ? sub<T>(raw, shift) : raw), all, keepdim));
  const out = shift ? add<T>(total, keepdim ? shift : sum(shift, all)) : total;
  return record('LogsumexpBackward0', out.array, [x], (node, output) => {
    const savedX = node.save(x);
    const savedY = node.saveOutput(output);
    return (grad) => [
      mul<T>(
        restoreDims(grad, from, list),
        exp(sub<T>(savedX.get(grad), restoreDims(savedY.get(grad), from, list))),
      ),
    ];
  });
}

/** The sum over dims of what is not NaN. */
export const nansum = <T extends Variable>(x: T, dims: Dims = null, keepdim = false, dtype?: DType): T =>
  inOp('nansum', () =>
    named(
      'NansumBackward0',
      sum(isFloating(tensorGiven(x, 'nansum').dtype) ? nanToZero(x) : x, dims, keepdim, dtype),
    ),
  );

/** The mean over dims of what is not NaN. */
export function nanmean<T extends Variable>(x: T, dims: Dims = null, keepdim = false, dtype?: DType): T {
  if (!isFloating(tensorGiven(x, 'nanmean').dtype))
    throw new DTypeError(
      `nanmean(): expected input to have floating point or complex dtype but got ${torchTypeName(x.dtype)}`,
    );
  return inOp('nanmean', () => {
    const counted = sum(logicalNot(isnan(detached(x))), dims, keepdim);
    return div<T>(nansum(x, dims, keepdim, dtype), counted);
  });
}

export interface Extremes<T> extends Iterable<T> {
  readonly min: T;
  readonly max: T;
}

/** A pair that can be taken apart as `[min, max]`. */
class Aminmax<T> implements Extremes<T> {
  readonly min: T;
  readonly max: T;

  constructor(min: T, max: T) {
    this.min = min;
    this.max = max;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    yield this.min;
    yield this.max;
  }
}

/** Smallest and largest over one dimension or all. */
export function aminmax<T extends Variable>(
  x: T,
  options?: { dim?: number | null; keepdim?: boolean },
): Extremes<T> {
  const { dim = null, keepdim = false } = optionsGiven(options, 'aminmax', 'dim keepdim');
  tensorGiven(x, 'aminmax');
  return inOp('aminmax', () => {
    const [min, max] = (['min', 'max'] as const).map((kind) =>
      extremeOver(kind, 'AminmaxBackward0', x, dim, keepdim, 'aminmax'),
    );
    return new Aminmax(min, max);
  });
}
