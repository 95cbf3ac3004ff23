/** Products of matrices and vectors with something added, over chosen dimensions, or of all pairs. */

import type { Variable } from '../autograd/variable.ts';
import { isFloating, torchTypeName } from '../core/dtype.ts';
import { ArgumentError, DTypeError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { broadcastShapes, formatShape, normalizeDim, numElements } from '../core/shape.ts';
import { add, mul, sub } from './arithmetic.ts';
import { composed, named } from './composite.ts';
import { clone, contiguous, pairDType, scalarValue } from './convert.ts';
import { euclideanDistances } from './euclidean.ts';
import { fused } from './fused.ts';
import { tensorGiven, tensorsGiven } from './given.ts';
import { eye } from './identity.ts';
import { selectAlong } from './indexing.ts';
import { bmm, dot, matmul, mm, mv, outer } from './matmul.ts';
import { type ByName, option } from './options.ts';
import { sum } from './reduce.ts';
import { vectorNorm } from './statistics.ts';
import { taking } from './taking.ts';
import { zeros } from './unary.ts';
import { expand, permute, reshape, unsqueeze } from './views.ts';

export interface BlendOptions {
  /** Factor of what is added; with 0 it is ignored, NaN or not. Default 1. */
  beta?: number;
  /** Factor of the product; default 1. */
  alpha?: number;
}

/** beta · x + alpha · product, where x broadcasts to the product's shape. */
function blend<T extends Variable>(name: string, x: T, product: T, { beta = 1, alpha = 1 }: BlendOptions): T {
  if (x.dtype !== product.dtype) {
    throw new DTypeError(
      `${name}: self and the product must have the same dtype, but got ${torchTypeName(x.dtype)} and ${torchTypeName(product.dtype)}`,
    );
  }
  expand(x, product.shape);
  const by = (y: T, factor: number): T => (factor === 1 ? y : mul<T>(y, scalarValue(factor, y.dtype)));
  const node = `${name[0].toUpperCase()}${name.slice(1)}Backward0`;
  const compute = () => (beta === 0 ? by(product, alpha) : add<T>(by(x, beta), by(product, alpha)));
  return fused(node, [x, product], compute, () => (grad) => [by(grad, beta), by(grad, alpha)]);
}

/** beta · x + alpha · (a · b) of matrices; x broadcasts. @throws ShapeError, DTypeError */
export const addmm = /* @__PURE__ */ taking(
  'addmm',
  'mat1 mat2 * beta alpha',
  <T extends Variable>(x: T, a: T, b: T, options: BlendOptions = {}): T =>
    inOp('addmm', () =>
      blend(
        'addmm',
        tensorGiven(x, 'addmm'),
        mm(tensorGiven(a, 'addmm', 'a'), tensorGiven(b, 'addmm', 'other')),
        options,
      ),
    ),
);
/** beta · x + alpha · (matrix · vector). @throws ShapeError, DTypeError */
export const addmv = /* @__PURE__ */ taking(
  'addmv',
  'mat vec * beta alpha',
  <T extends Variable>(x: T, a: T, vector: T, options: BlendOptions = {}): T =>
    inOp('addmv', () =>
      blend(
        'addmv',
        tensorGiven(x, 'addmv'),
        mv(tensorGiven(a, 'addmv', 'a'), tensorGiven(vector, 'addmv', 'vector')),
        options,
      ),
    ),
);
/** beta · x + alpha · (outer product of two vectors). @throws ShapeError, DTypeError */
export const addr = /* @__PURE__ */ taking(
  'addr',
  'vec1 vec2 * beta alpha',
  <T extends Variable>(x: T, a: T, b: T, options: BlendOptions = {}): T =>
    inOp('addr', () =>
      blend(
        'addr',
        tensorGiven(x, 'addr'),
        outer(tensorGiven(a, 'addr', 'a'), tensorGiven(b, 'addr', 'other')),
        options,
      ),
    ),
);
/** beta · x + alpha · (batch · batch). @throws ShapeError, DTypeError */
export const baddbmm = /* @__PURE__ */ taking(
  'baddbmm',
  'batch1 batch2 * beta alpha',
  <T extends Variable>(x: T, a: T, b: T, options: BlendOptions = {}): T =>
    inOp('baddbmm', () =>
      blend(
        'baddbmm',
        tensorGiven(x, 'baddbmm'),
        bmm(tensorGiven(a, 'baddbmm', 'a'), tensorGiven(b, 'baddbmm', 'other')),
        options,
      ),
    ),
);
/** beta · x + alpha · Σ of the products of two batches. @throws ShapeError, DTypeError */
export const addbmm = /* @__PURE__ */ taking(
  'addbmm',
  'batch1 batch2 * beta alpha',
  <T extends Variable>(x: T, a: T, b: T, options: BlendOptions = {}): T =>
    inOp('addbmm', () =>
      blend(
        'addbmm',
        tensorGiven(x, 'addbmm'),
        sum(bmm(tensorGiven(a, 'addbmm', 'a'), tensorGiven(b, 'addbmm', 'other')), 0, false, a.dtype),
        options,
      ),
    ),
);

/** The inner product of two vectors: `dot`. */
export const vdot = <T extends Variable>(a: T, b: T): T =>
  inOp('vdot', () => named('VdotBackward0', dot(a, b)));
/** The outer product of two vectors: `outer` by its old name. */
export const ger = outer;

/** Products summed over the last dimension of both. @throws ShapeError if those differ */
export const inner = /* @__PURE__ */ taking('inner', 'other', function inner<
  T extends Variable,
>(a: T, b: T): T {
  tensorGiven(a, 'inner');
  tensorGiven(b, 'inner', 'other');
  return inOp('inner', () => {
    if (a.ndim === 0 || b.ndim === 0) return mul<T>(a, b);
    if (a.shape[a.ndim - 1] !== b.shape[b.ndim - 1]) {
      throw new ShapeError(
        `inner() the last dimension must match on both input tensors but got shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      );
    }
    return tensordot(a, b, [[a.ndim - 1], [b.ndim - 1]]);
  });
});

/**
 * Products summed over `dims` pairs of dimensions: the last of a with the first of b, or listed ones of each.
 * @throws ShapeError, ArgumentError
 */
export const tensordot = /* @__PURE__ */ taking('tensordot', 'other dims?', function tensordot<
  T extends Variable,
>(a: T, b: T, dims: number | readonly [readonly number[], readonly number[]] | { dims: number | readonly [readonly number[], readonly number[]] } = 2): T {
  tensorGiven(a, 'tensordot');
  tensorGiven(b, 'tensordot', 'other');
  return inOp('tensordot', () => {
    const given = typeof dims === 'object' && 'dims' in dims ? dims.dims : dims;
    const [left, right] =
      typeof given === 'number'
        ? [
            Array.from({ length: given }, (_, i) => a.ndim - given + i),
            Array.from({ length: given }, (_, i) => i),
          ]
        : given.map((list, i) => list.map((d) => normalizeDim(d, (i === 0 ? a : b).ndim, 'tensordot')));
    if (left.length !== right.length)
      throw new ArgumentError('tensordot: both dimension lists should have same length');
    if (typeof given === 'number' && (given < 0 || given > Math.min(a.ndim, b.ndim))) {
      throw new ArgumentError(
        `tensordot expects dims >= 0 and at most the dimensions of both, but got dims=${given}`,
      );
    }
    left.forEach((d, i) => {
      if (a.shape[d] !== b.shape[right[i]]) {
        throw new ShapeError(
          `tensordot: contracted dimensions need to match, but first has size ${a.shape[d]} in dim ${d} and second has size ` +
            `${b.shape[right[i]]} in dim ${right[i]}`,
        );
      }
    });
    const restA = [...a.shape.keys()].filter((d) => !left.includes(d));
    const restB = [...b.shape.keys()].filter((d) => !right.includes(d));
    const k = left.reduce((n, d) => n * a.shape[d], 1);
    const [shapeA, shapeB] = [restA.map((d) => a.shape[d]), restB.map((d) => b.shape[d])];
    const rows = reshape(permute(a, [...restA, ...left]), [numElements(shapeA), k]);
    const columns = reshape(permute(b, [...right, ...restB]), [k, numElements(shapeB)]);
    return reshape(mm(rows, columns), [...shapeA, ...shapeB]);
  });
});

/** The Kronecker product. */
export const kron = /* @__PURE__ */ taking('kron', 'other', function kron<T extends Variable>(a: T, b: T): T {
  tensorGiven(a, 'kron');
  tensorGiven(b, 'kron', 'other');
  return inOp('kron', () => {
    const ndim = Math.max(a.ndim, b.ndim);
    const padded = (x: T) => [...new Array<number>(ndim - x.ndim).fill(1), ...x.shape];
    const [sa, sb] = [padded(a), padded(b)];
    const left = reshape(
      a,
      sa.flatMap((size) => [size, 1]),
    );
    const right = reshape(
      b,
      sb.flatMap((size) => [1, size]),
    );
    return reshape(
      mul<T>(left, right),
      sa.map((size, d) => size * sb[d]),
    );
  });
});

/** The product of several matrices, multiplied in the order that needs the fewest operations. @throws ShapeError */
export function chainMatmul<T extends Variable>(...matrices: readonly T[] | [readonly T[]]): T {
  return inOp('chain_matmul', () => {
    const [first] = matrices;
    const list = (matrices.length === 1 && Array.isArray(first) ? first : matrices) as readonly T[];
    tensorsGiven(list, 'chain_matmul');
    if (list.length === 0)
      throw new ArgumentError(
        "chain_matmul(): Expected one or more matrices as argument 'matrices', but got none",
      );
    for (const x of list)
      if (x.ndim !== 2)
        throw new ShapeError(
          `chain_matmul(): Tensor dimension is ${x.ndim}, expected 2 instead for argument 'matrices'.`,
        );
    const size = [list[0].shape[0], ...list.map((x) => x.shape[1])];
    const n = list.length;
    const cost = Array.from({ length: n }, () => new Array<number>(n).fill(0));
    const cut = Array.from({ length: n }, () => new Array<number>(n).fill(0));
    for (let length = 1; length < n; length++) {
      for (let i = 0; i + length < n; i++) {
        const j = i + length;
        cost[i][j] = Infinity;
        for (let k = i; k < j; k++) {
          const total = cost[i][k] + cost[k + 1][j] + size[i] * size[k + 1] * size[j + 1];
          if (total < cost[i][j]) [cost[i][j], cut[i][j]] = [total, k];
        }
      }
    }
    const multiply = (i: number, j: number): T =>
      i === j ? list[i] : mm(multiply(i, cut[i][j]), multiply(cut[i][j] + 1, j));
    return n === 1 ? clone(list[0]) : multiply(0, n - 1);
  });
}

/** A square matrix (or a batch) to a whole non-negative power. @throws ShapeError, ArgumentError */
export function matrixPower<T extends Variable>(x: T, n: number): T {
  tensorGiven(x, 'matrix_power');
  return inOp('matrix_power', () => {
    const [rows, columns] = x.shape.slice(-2);
    if (x.ndim < 2 || rows !== columns)
      throw new ShapeError(
        `linalg.matrix_power: A must be batches of square matrices, but got ${formatShape(x.shape)}`,
      );
    if (!Number.isInteger(n) || n < 0)
      throw new ArgumentError(
        `matrix_power: argument 'n' must be a non-negative whole number (linalg.matrixPower takes negative ones), but got ${n ?? 'nothing'}`,
      );
    if (n === 0) {
      const compute = (): T => contiguous(expand(eye(x, rows), x.shape));
      return composed('CopyBackwards', x, compute, (grad) => [zeros(grad)]);
    }
    const half = n > 1 ? matrixPower(x, n >> 1) : null;
    if (half === null) return clone(x);
    const squared = matmul(half, half);
    return n % 2 === 0 ? squared : matmul(squared, x);
  });
}

/** The vector product along a dimension of size 3 (the first such one, or `dim`). @throws ShapeError */
export const cross = /* @__PURE__ */ taking('cross', 'other dim?', function cross<
  T extends Variable,
>(a: T, b: T, dim?: number): T {
  tensorGiven(a, 'cross');
  tensorGiven(b, 'cross', 'other');
  return inOp('cross', () => {
    const shape = broadcastShapes(a.shape, b.shape, 'cross');
    const d = dim === undefined ? shape.indexOf(3) : normalizeDim(dim, shape.length, 'cross');
    if (d < 0 || shape[d] !== 3)
      throw new ShapeError(
        `linalg.cross: inputs dimension ${dim ?? -1} must have length 3; got shape ${formatShape(shape)}`,
      );
    const [x, y] = [expand(a, shape), expand(b, shape)];
    const turned = (v: T, by: number): T => selectAlong(v, d, [by, (by + 1) % 3, (by + 2) % 3]);
    const area = sub<T>(mul<T>(turned(x, 1), turned(y, 2)), mul<T>(turned(x, 2), turned(y, 1)));
    return named('LinalgCrossBackward0', area);
  });
});

/**
 * The p-norms of rows. For p = ∞ each of several largest elements gets the whole gradient; the count of p = 0 has zeros for
 * one, where norms give none at all.
 */
function rowNorms<T extends Variable>(gaps: T, p: number): T {
  const norms = vectorNorm(gaps, p, -1, false, undefined, false);
  return p === 0 ? add<T>(norms, mul<T>(sum(gaps, -1), 0)) : norms;
}

/** Rows from which on PyTorch computes Euclidean distances by a product of matrices. */
const BY_PRODUCT = 25;

const MODES = [
  'use_mm_for_euclid_dist_if_necessary',
  'use_mm_for_euclid_dist',
  'donot_use_mm_for_euclid_dist',
] as const;
type CdistMode = (typeof MODES)[number];

/**
 * The p-norm distances between all rows of a [..., P, M] and all of b [..., R, M]: [..., P, R]. The gradient at
 * distance 0 is 0. Euclidean ones of more than 25 rows come from one product, as in PyTorch: near 0 with half of the digits.
 * @throws ShapeError
 */
export const cdist = /* @__PURE__ */ taking('cdist', 'x2 p? computeMode?', function cdist<
  T extends Variable,
>(a: T, b: T, order = 2, mode: CdistMode = MODES[0]): T {
  tensorGiven(a, 'cdist');
  tensorGiven(b, 'cdist', 'other');
  return inOp('cdist', () => {
    if (a.ndim < 2 || b.ndim < 2)
      throw new ShapeError(`cdist only supports at least 2D tensors, X1 got: ${a.ndim}D, X2 got: ${b.ndim}D`);
    const [ma, mb] = [a.shape[a.ndim - 1], b.shape[b.ndim - 1]];
    if (ma !== mb)
      throw new ShapeError(`cdist: X1 and X2 must have the same number of columns. X1: ${ma} X2: ${mb}`);
    if (!MODES.includes(mode))
      throw new ArgumentError(`${String(mode)} is not a valid value for compute_mode`);
    if (!(order >= 0)) throw new ArgumentError(`cdist only supports non-negative p values; got ${order}`);
    const many = Math.max(a.shape[a.ndim - 2], b.shape[b.ndim - 2]) > BY_PRODUCT;
    const byProduct = mode === MODES[0] ? many : mode === MODES[1];
    if (order === 2 && byProduct && ma > 0 && isFloating(pairDType(a, b))) return euclideanDistances(a, b);
    const gaps = sub<T>(unsqueeze(a, -2), unsqueeze(b, -3));
    if (ma === 0) return sum(gaps, -1);
    return named('CdistBackward0', rowNorms(gaps, order));
  });
});

/** The distances between all pairs of different rows of a matrix, row by row. @throws ShapeError */
export function pdist<T extends Variable>(x: T, given?: ByName<'p', number>): T {
  tensorGiven(x, 'pdist');
  const p = option<'p', number>(given, 'pdist', 'p', 2);
  return inOp('pdist', () => {
    if (x.ndim !== 2)
      throw new ShapeError(`pdist only supports 2D tensors, got: ${x.ndim}D argument 'input'`);
    const n = x.shape[0];
    const pairs = Array.from({ length: n }, (_, i) =>
      Array.from({ length: n - i - 1 }, (_, j) => [i, i + 1 + j]),
    ).flat();
    const side = (k: number) =>
      selectAlong(
        x,
        0,
        pairs.map((pair) => pair[k]),
      );
    return named('PdistBackward0', rowNorms(sub<T>(side(0), side(1)), p));
  });
}
