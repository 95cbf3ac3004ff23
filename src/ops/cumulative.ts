/** Running sums, products and extremes along a dimension, and the product of a dimension. */

import { isGradEnabled } from '../autograd/gradMode.ts';
import { record, recordMany } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { type DType, isFloating, toFloating } from '../core/dtype.ts';
import { normalizeDim } from '../core/shape.ts';
import { scatterAlong } from './along.ts';
import { add, div, mul } from './arithmetic.ts';
import { eq, logicalAnd } from './comparison.ts';
import { detached, named } from './composite.ts';
import { cast } from './convert.ts';
import { tensorGiven } from './given.ts';
import { cat } from './join.ts';
import { namedResult, type ValuesAndIndices } from './namedResult.ts';
import { logaddexp } from './pairs.ts';
import { flipDim } from './rearrange.ts';
import { any, sum } from './reduce.ts';
import { zeros } from './unary.ts';
import { narrow, reshape, unsqueeze } from './views.ts';
import { whereOp } from './where.ts';

const accumulated = (x: Variable, dtype: DType | undefined): DType =>
  dtype ?? (isFloating(x.dtype) ? x.dtype : 'int64');

/** Running sums along dim. Integers and bools are summed as int64. */
export function cumsum<T extends Variable>(x: T, dim: number, dtype?: DType): T {
  tensorGiven(x, 'cumsum');
  const d = normalizeDim(dim, x.ndim, 'cumsum');
  const input = cast(x, accumulated(x, dtype));
  const out = input.array.backend.scan('sum', input.array, d);
  return record('CumsumBackward0', out, [input], () => (grad) => [cumsumFromEnd(grad, d)]);
}

/** Sums of each element and all behind it. */
function cumsumFromEnd<T extends Variable>(x: T, dim: number): T {
  return x.ndim === 0 ? x : flipDim(cumsum(flipDim(x, dim), dim), dim);
}

/** Running products along dim. Integers and bools are multiplied as int64. */
export function cumprod<T extends Variable>(x: T, dim: number, dtype?: DType): T {
  tensorGiven(x, 'cumprod');
  const d = normalizeDim(dim, x.ndim, 'cumprod');
  const input = cast(x, accumulated(x, dtype));
  const out = input.array.backend.scan('prod', input.array, d);
  return record('CumprodBackward0', out, [input], (node) => {
    const saved = node.save(input);
    return (grad) => {
      const value = saved.get(grad);
      if (value.array.size < 2 || value.shape[d] === 1) return [grad];
      return [isGradEnabled() ? cumprodSlope(grad, value, d) : cumprodGrad(grad, value, d)];
    };
  });
}

/**
 * The gradient without products of their own for every element. Before the first zero of a row it is the reversed
 * running sum of grad·y over x; at the first zero, the same with that zero left out; behind it, 0.
 */
function cumprodGrad<T extends Variable>(grad: T, x: T, dim: number): T {
  const isZero = eq<T>(x, 0);
  const zerosSoFar = cumsum(isZero, dim);
  const filled = whereOp<T>(isZero, 1, x);
  const products = cumprod(filled, dim);
  const weighted = mul<T>(grad, products);
  const none = eq<T>(zerosSoFar, 0);
  const one = eq<T>(zerosSoFar, 1);
  const before = div<T>(cumsumFromEnd(whereOp<T>(none, weighted, 0), dim), filled);
  const at = cumsumFromEnd(whereOp<T>(one, weighted, 0), dim);
  return whereOp<T>(none, before, whereOp<T>(logicalAnd<T>(one, isZero), at, 0));
}

/** The same, differentiable. Products for every element are formed only where an element is 0, or may be. */
function cumprodSlope<T extends Variable>(grad: T, x: T, dim: number): T {
  const { backend } = x.array;
  if (!backend.synchronous || backend.hostValues(any(eq<T>(detached(x), 0)).array, 'cumprod')[0] !== 0)
    return cumprodGradExact(grad, x, dim);
  return div<T>(cumsumFromEnd(mul<T>(grad, cumprod(x, dim)), dim), x);
}

/** Differentiable also where x is 0: the products without x[k] are formed for every k. */
function cumprodGradExact<T extends Variable>(grad: T, x: T, dim: number): T {
  const n = x.shape[dim];
  const parts: T[] = [];
  let before: T | null = null;
  for (let k = 0; k < n; k++) {
    const own = narrow(x, dim, k, 1);
    const one = add<T>(zeros(own), 1);
    const behind = k + 1 < n ? cat([one, cumprod(narrow(x, dim, k + 1, n - k - 1), dim)], dim) : one;
    const without: T = before === null ? behind : mul<T>(before, behind);
    parts.push(sum(mul<T>(narrow(grad, dim, k, n - k), without), dim, true));
    before = before === null ? own : mul<T>(before, own);
  }
  return cat(parts, dim);
}

/**
 * log Σ eˣ of the elements so far along dim, without overflow: neighbours are joined, then those 2, 4, 8 … apart.
 * Integers count as float32.
 */
export function logcumsumexp<T extends Variable>(x: T, dim: number): T {
  tensorGiven(x, 'logcumsumexp');
  const d = normalizeDim(dim, x.ndim, 'logcumsumexp');
  let sums = cast(x, toFloating(x.dtype));
  const n = x.shape[d] ?? 1;
  for (let by = 1; by < n; by *= 2) {
    const joined = logaddexp<T>(narrow(sums, d, by, n - by), narrow(sums, d, 0, n - by));
    sums = cat([narrow(sums, d, 0, by), joined], d);
  }
  return named('LogcumsumexpBackward0', sums);
}

function runningExtreme<T extends Variable>(kind: 'max' | 'min', x: T, dim: number): ValuesAndIndices<T> {
  const op = `cum${kind}`;
  const d = normalizeDim(dim, x.ndim, op);
  const { values, indices } = x.array.backend.scanExtreme(kind, x.array, d);
  const positions = x.derive(indices);
  const [out] = recordMany(kind === 'max' ? 'CummaxBackward0' : 'CumminBackward0', [values], [x], (node) => {
    const saved = node.save(positions);
    return ([grad]) => [grad && scatterAlong(zeros(grad), d, saved.get(grad), grad, true)];
  });
  return namedResult(op, out, positions);
}

/** The largest element so far along dim, and where it was (the last of equal ones). */
export const cummax = <T extends Variable>(x: T, dim: number): ValuesAndIndices<T> =>
  runningExtreme('max', tensorGiven(x, 'cummax'), dim);
/** The smallest element so far along dim, and where it was (the last of equal ones). */
export const cummin = <T extends Variable>(x: T, dim: number): ValuesAndIndices<T> =>
  runningExtreme('min', tensorGiven(x, 'cummin'), dim);

const prodSpec = {
  name: 'prod',
  initial: 1,
  js: (product: number, x: number) => product * x,
  big: (product: bigint, x: bigint) => product * x,
  bigInitial: 1n,
  wgsl: 'acc * x',
};

/** The product over one dimension or all. Integers and bools are multiplied as int64. */
export function prod<T extends Variable>(x: T, dim: number | null = null, keepdim = false, dtype?: DType): T {
  tensorGiven(x, 'prod');
  const input = cast(x, accumulated(x, dtype));
  const d = dim === null ? null : normalizeDim(dim, x.ndim, 'prod');
  const dims = x.ndim === 0 ? [] : d === null ? [...x.shape.keys()] : [d];
  const out = input.array.backend.reduce(prodSpec, input.array, dims, keepdim);
  return record(d === null ? 'ProdBackward0' : 'ProdBackward1', out, [input], (node, output) => {
    const saved = node.save(input);
    const savedOutput = node.saveOutput(output);
    return (grad) => {
      const value = saved.get(grad);
      if (value.ndim === 0) return [grad];
      const line = d === null ? reshape(value, [-1]) : value;
      const at = d ?? 0;
      const spread = (y: T): T => (d === null ? reshape(y, [1]) : keepdim ? y : unsqueeze(y, at));
      const others = productWithout(line, at, spread(savedOutput.get(grad)));
      return [reshape(mul<T>(spread(grad), others), value.shape)];
    };
  });
}

/**
 * For each element the product of all others along dim. PyTorch divides the whole product unless an element is 0, so a NaN or an
 * infinity spoils the gradient of its neighbours too.
 */
function productWithout<T extends Variable>(x: T, dim: number, product: T): T {
  const { backend } = x.array;
  const zero = any(eq<T>(detached(x), 0));
  if (!backend.synchronous) {
    // Both, as nobody can say yet which one it will be; the divisor is 1 where quotients are not wanted.
    const quotients = div<T>(product, whereOp<T>(zero, 1, x));
    return whereOp<T>(zero, productOfOthers(x, dim), quotients);
  }
  return backend.hostValues(zero.array, 'prod')[0] !== 0 ? productOfOthers(x, dim) : div<T>(product, x);
}

/** The same by products from both ends: right also where elements are 0. */
function productOfOthers<T extends Variable>(x: T, dim: number): T {
  const n = x.shape[dim];
  if (n === 0) return x;
  const one = add<T>(zeros(detached(narrow(x, dim, 0, 1))), 1);
  if (n === 1) return one;
  const left = cat([one, cumprod(narrow(x, dim, 0, n - 1), dim)], dim);
  const right = cat([one, cumprod(flipDim(narrow(x, dim, 1, n - 1), dim), dim)], dim);
  return mul<T>(left, flipDim(right, dim));
}
