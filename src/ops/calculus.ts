/** Areas under sampled functions, and their slopes. */
import type { Variable } from '../autograd/variable.ts';
import { toFloating } from '../core/dtype.ts';
import { ArgumentError, DTypeError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape, normalizeDim, normalizeDims, sameShape } from '../core/shape.ts';
import { zerosOf } from './along.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { cast } from './convert.ts';
import { cumsum } from './cumulative.ts';
import { diff } from './everyday.ts';
import { optionsGiven, tensorGiven } from './given.ts';
import { cat } from './join.ts';
import { inOrder } from './options.ts';
import { type Dims, sum } from './reduce.ts';
import { narrow, reshape } from './views.ts';

export interface TrapezoidOptions {
  /** The distance of neighbours; default 1. */
  dx?: number;
  dim?: number;
}

/** What `gathered` makes of the trapezoids between the samples y along a dimension, at the points x or at equal distances. */
function trapezoids<T extends Variable>(
  op: string,
  y: T,
  x: T | TrapezoidOptions | undefined,
  options: TrapezoidOptions | undefined,
  gathered: (areas: T, dim: number) => T,
): T {
  tensorGiven(y, op, 'y');
  return inOp(op, () => {
    if (y.dtype === 'bool') throw new DTypeError(`${op}: argument 'y' must be numeric, but got bool`);
    const [points, dx = 1, dim = -1] = inOrder<[T, number, number]>(op, 'x * dx dim', [x, options]);
    const d = normalizeDim(dim, y.ndim, op);
    // Of no samples PyTorch's area keeps the dtype, unlike its running areas.
    if (y.shape[d] === 0)
      return cast(gathered(zerosOf(y, y.shape), d), op === 'trapezoid' ? y.dtype : toFloating(y.dtype));
    const size = y.shape[d] - 1;
    const pairs = add<T>(narrow(y, d, 0, size), narrow(y, d, y.shape[d] - size, size));
    if (points === undefined) return mul<T>(cast(gathered(pairs, d), toFloating(y.dtype)), dx / 2);
    tensorGiven(points, op, 'x');
    if (points.ndim === 1 && points.shape[0] !== y.shape[d]) {
      throw new ShapeError(
        `${op}: There must be one \`x\` value for each sample point; got ${points.shape[0]} for ${y.shape[d]}`,
      );
    }
    const ones = new Array<number>(Math.max(0, y.ndim - points.ndim)).fill(1);
    const aligned =
      points.ndim === 1 ? along(points, y.ndim, d) : reshape(points, [...ones, ...points.shape]);
    return mul<T>(gathered(mul<T>(pairs, diff(aligned, 1, d)), d), 0.5);
  });
}

/** A vector, lying along dimension d of `ndim`. */
const along = <T extends Variable>(x: T, ndim: number, d: number): T =>
  reshape(
    x,
    Array.from({ length: ndim }, (_, at) => (at === d ? -1 : 1)),
  );

/** The area under y along dim by the trapezoidal rule, at the points x or at equal distances. @throws ShapeError */
export const trapezoid = <T extends Variable>(
  y: T,
  x?: T | TrapezoidOptions,
  options?: TrapezoidOptions,
): T => trapezoids<T>('trapezoid', y, x, options, sum);
/** `trapezoid` by its old name. */
export const trapz = trapezoid;

/** The areas under y up to each sample but the first along dim, by the trapezoidal rule. @throws ShapeError */
export const cumulativeTrapezoid = <T extends Variable>(
  y: T,
  x?: T | TrapezoidOptions,
  options?: TrapezoidOptions,
): T => trapezoids<T>('cumulative_trapezoid', y, x, options, cumsum);

export interface GradientOptions<T> {
  /** The distance of neighbours, default 1; or a distance, or the 1-d coordinates, of each dimension. */
  spacing?: number | readonly (number | T)[];
  /** Default all. */
  dim?: Dims;
  /** At the ends, the slope to the neighbour (1, the default) or that of a parabola through three samples. */
  edgeOrder?: 1 | 2;
}

/**
 * The slopes of x along each of `dim`, a list: at inner samples of a parabola through both neighbours. The source:
 * Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids", 1988.
 * @throws ArgumentError, ShapeError for a dimension of too few samples
 */
export function gradient<T extends Variable>(x: T, options?: GradientOptions<T>): T[] {
  const op = 'gradient';
  tensorGiven(x, op);
  const { spacing = 1, dim = null, edgeOrder = 1 } = optionsGiven(options, op, 'spacing dim edgeOrder');
  return inOp(op, () => {
    const list = typeof dim === 'number' ? [dim] : (dim ?? x.shape.map((_, d) => d));
    normalizeDims(list, x.ndim, op);
    // In the order given, which spacing has too.
    const dims = x.ndim === 0 ? [] : list.map((d) => normalizeDim(d, x.ndim, op));
    if (typeof spacing !== 'number' && spacing.length !== dims.length) {
      throw new ArgumentError(
        `gradient: expected spacing to be a number or a list for ${dims.length} dimensions, but got a list of ${spacing.length}`,
      );
    }
    if (edgeOrder !== 1 && edgeOrder !== 2)
      throw new ArgumentError(`gradient: only supports edgeOrder 1 and 2, but got ${String(edgeOrder)}`);
    const values = cast(x, toFloating(x.dtype));
    return dims.map((d, i) => {
      const n = x.shape[d];
      if (n <= edgeOrder)
        throw new ShapeError(
          `gradient: expected each dimension size to be at least edgeOrder+1, but got ${n} in dimension ${d}`,
        );
      const step = typeof spacing === 'number' ? spacing : spacing[i];
      return slopes(values, d, edgeOrder, distances(values, step, d));
    });
  });
}

/** `count` distances of neighbours from the i-th on. */
type Distances<T> = (i: number, count: number) => T;

/** Of samples at coordinates, or all at one distance. */
function distances<T extends Variable>(x: T, spacing: T | number, d: number): Distances<T> {
  if (typeof spacing === 'number') {
    const step = add<T>(zerosOf(x, []), spacing);
    return () => step;
  }
  tensorGiven(spacing, 'gradient', 'spacing');
  if (!sameShape(spacing.shape, [x.shape[d]])) {
    throw new ShapeError(
      `gradient: expected the coordinates of dimension ${d} to have shape [${x.shape[d]}], but got ${formatShape(spacing.shape)}`,
    );
  }
  const steps = along(diff(spacing), x.ndim, d);
  return (i, count) => narrow(steps, d, i, count);
}

/** The inner slopes between those at both ends. */
function slopes<T extends Variable>(x: T, d: number, edgeOrder: 1 | 2, steps: Distances<T>): T {
  const n = x.shape[d];
  const at = (i: number, count = 1) => narrow(x, d, i, count);
  /** The slope of the parabola through samples i, i + 1 and i + 2, at one of them. */
  const curved = (i: number, place: 0 | 1 | 2, count = 1): T => {
    const [h, k] = [steps(i, count), steps(i + 1, count)];
    const first = div<T>(sub<T>(at(i + 1, count), at(i, count)), h);
    const second = div<T>(sub<T>(at(i + 2, count), at(i + 1, count)), k);
    const bend = div<T>(sub<T>(second, first), add<T>(h, k));
    if (place === 0) return sub<T>(first, mul<T>(bend, h));
    return add<T>(first, mul<T>(bend, place === 1 ? h : add<T>(mul<T>(k, 2), h)));
  };
  const straight = (i: number) => div<T>(sub<T>(at(i + 1), at(i)), steps(i, 1));
  const inner = n > 2 ? [curved(0, 1, n - 2)] : [];
  const [first, last] = edgeOrder === 1 ? [straight(0), straight(n - 2)] : [curved(0, 0), curved(n - 3, 2)];
  return cat([first, ...inner, last], d);
}
