/**
 * What parameters and values have to be: each constraint tests a tensor, element by element or, where it is about
 * vectors or matrices, one of them after the other, and prints as PyTorch's does.
 */
import { LinAlgError } from '../core/errors.ts';
import { pythonFloat, pythonNumber } from '../core/pythonText.ts';
import { tensor } from '../creation.ts';
import { cat as join, stack as stacked } from '../ops/join.ts';
import { cholesky } from '../ops/solving.ts';
import type { Tensor } from '../tensor.ts';
import { finfo } from '../typeInfo.ts';

export interface Constraint {
  /** A bool tensor: where the value satisfies it. */
  check(value: Tensor): Tensor;
  toString(): string;
}

type Bound = Tensor | number;

/** A tensor as Python puts it into a text: the only element of one without dimensions as a number. */
export const inText = (x: Tensor): string =>
  x.ndim === 0 && x.array.backend.synchronous ? pythonFloat(x.item()) : String(x);

const shown = (x: Bound): string => (typeof x === 'number' ? pythonFloat(x) : inText(x));

/** True where the last `count` dimensions are. */
const overLast = (x: Tensor, count: number): Tensor => (count === 0 ? x : x.flatten(-count).all(-1));

/** Anything but NaN. */
export const real: Constraint = { check: (x) => x.eq(x), toString: () => 'Real()' };

/** 0 or 1. */
export const boolean: Constraint = {
  check: (x) => x.eq(0).logicalOr(x.eq(1)),
  toString: () => 'Boolean()',
};

/** Above the bound. */
export const greaterThan = (bound: Bound): Constraint => ({
  check: (x) => x.gt(bound),
  toString: () => `GreaterThan(lower_bound=${shown(bound)})`,
});

/** The bound or above. */
export const greaterThanEq = (bound: Bound): Constraint => ({
  check: (x) => x.ge(bound),
  toString: () => `GreaterThanEq(lower_bound=${shown(bound)})`,
});

/** Below the bound. */
export const lessThan = (bound: Bound): Constraint => ({
  check: (x) => x.lt(bound),
  toString: () => `LessThan(upper_bound=${shown(bound)})`,
});

/** Between the bounds, or one of them. */
export const interval = (low: Bound, high: Bound): Constraint => ({
  check: (x) => x.ge(low).logicalAnd(x.le(high)),
  toString: () => `Interval(lower_bound=${shown(low)}, upper_bound=${shown(high)})`,
});

/** A whole number between the bounds, or one of them. */
export const integerInterval = (low: number, high: number): Constraint => ({
  check: (x) => x.remainder(1).eq(0).logicalAnd(x.ge(low)).logicalAnd(x.le(high)),
  toString: () => `IntegerInterval(lower_bound=${pythonNumber(low)}, upper_bound=${pythonNumber(high)})`,
});

/** The constraint of single elements, as one of their last `count` dimensions together. */
export const independent = (base: Constraint, count: number): Constraint => ({
  check: (x) => overLast(base.check(x), count),
  toString: () => `IndependentConstraint(${base}, ${count})`,
});

export const positive: Constraint = /* @__PURE__ */ greaterThan(0);
export const nonnegative: Constraint = /* @__PURE__ */ greaterThanEq(0);
export const unitInterval: Constraint = /* @__PURE__ */ interval(0, 1);
/** A vector without NaN. */
export const realVector: Constraint = /* @__PURE__ */ independent(real, 1);

/** A whole number from 0. */
export const nonnegativeInteger: Constraint = {
  check: (x) => x.remainder(1).eq(0).logicalAnd(x.ge(0)),
  toString: () => 'IntegerGreaterThan(lower_bound=0)',
};

/** Vectors of nothing negative whose sum is 1, give or take 1e-6. */
export const simplex: Constraint = {
  check: (x) => x.ge(0).all(-1).logicalAnd(x.sum(-1).sub(1).abs().lt(1e-6)),
  toString: () => 'Simplex()',
};

/** Vectors of zeros and a single 1. */
export const oneHot: Constraint = {
  check: (x) => boolean.check(x).all(-1).logicalAnd(x.sum(-1).eq(1)),
  toString: () => 'OneHot()',
};

/** Vectors of counts, of `most` together. */
export const multinomial = (most: number): Constraint => ({
  check: (x) => x.ge(0).all(-1).logicalAnd(x.sum(-1).le(most)),
  toString: () => 'Multinomial()',
});

/** Symmetric matrices with positive eigenvalues. */
export const positiveDefinite: Constraint = {
  check: (x) => {
    const symmetric = overLast(x.isclose(x.transpose(-2, -1), { atol: 1e-6 }), 2);
    if (!symmetric.all().item()) return symmetric;
    const n = x.shape[x.ndim - 1];
    const found = [...x.detach().reshape([-1, n, n])].map(hasCholesky);
    return tensor(found, { device: x.device }).reshape(x.shape.slice(0, -2));
  },
  toString: () => 'PositiveDefinite()',
};

function hasCholesky(matrix: Tensor): boolean {
  try {
    cholesky(matrix);
    return true;
  } catch (error) {
    if (error instanceof LinAlgError) return false;
    throw error;
  }
}

/** Lower triangular matrices with a positive diagonal, whose rows have length 1: Cholesky factors of correlations. */
export const corrCholesky: Constraint = {
  check: (x) => {
    const tolerance = finfo(x.dtype).eps * x.shape[x.ndim - 1] * 10;
    const unit = x.square().sum(-1).sqrt().sub(1).abs().le(tolerance).all(-1);
    return lowerCholesky.check(x).logicalAnd(unit);
  },
  toString: () => 'CorrCholesky()',
};

/** One constraint after the other, each for as many places along `dim` as `lengths` says; default 1. */
export const cat = (
  constraints: readonly Constraint[],
  dim = 0,
  lengths: readonly number[] = constraints.map(() => 1),
): Constraint => ({
  check: (x) => {
    const parts = x.split([...lengths], dim);
    return join<Tensor>(
      parts.map((part, i) => constraints[i].check(part)),
      dim,
    );
  },
  toString: () => 'Cat()',
});

/** A constraint for each place along `dim`. */
export const stack = (constraints: readonly Constraint[], dim = 0): Constraint => ({
  check: (x) => {
    const parts = x.unbind(dim).map((part, i) => constraints[i].check(part));
    return stacked<Tensor>(parts, dim);
  },
  toString: () => 'Stack()',
});

/** Lower triangular matrices with a positive diagonal. */
export const lowerCholesky: Constraint = {
  check: (x) => overLast(x.tril().eq(x), 2).logicalAnd(x.diagonal(0, -2, -1).gt(0).all(-1)),
  toString: () => 'LowerCholesky()',
};
