/** Copies of a tensor with other values where a view of it looks: writing into views without changing what they see. */
import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape, sameShape } from '../core/shape.ts';
import { zerosOf } from './along.ts';
import { detached } from './composite.ts';
import { cast, checkDevices, clone, type OperandOf } from './convert.ts';
import { tensorGiven } from './given.ts';
import { type IndexOf, indexPut_ } from './indexing.ts';
import type { ByName } from './options.ts';
import { taking } from './taking.ts';
import { diagonal } from './triangles.ts';
import { select, slice } from './views.ts';

/** x with src, in x's dtype, where `view` looks. */
function written<T extends Variable>(op: string, node: string, x: T, src: T, view: (whole: T) => T): T {
  tensorGiven(x, op);
  tensorGiven(src, op, 'src');
  return inOp(op, () => {
    checkDevices([x, src], op, 'input src');
    const out = clone(detached(x));
    const place = view(out).array;
    if (!sameShape(place.shape, src.shape)) {
      throw new ShapeError(
        `${op}: expected src to have the size of the slice of input, ${formatShape(place.shape)}, but got ${formatShape(src.shape)}`,
      );
    }
    const values = cast(src, x.dtype);
    place.backend.assign(place, values.array);
    return record(node, out.array, [x, values], ({ needs }) => (grad) => [
      needs[0] && written(op, node, grad, zerosOf(grad, values.shape), view),
      needs[1] && view(grad),
    ]);
  });
}

/** A copy of x whose slice `index` along `dim` is src. @throws ShapeError unless src has that slice's shape; IndexError */
export const selectScatter = /* @__PURE__ */ taking('select_scatter', 'src dim index', function selectScatter<
  T extends Variable,
>(x: T, src: T, dim: number, index: number): T {
  return written<T>('select_scatter', 'SelectScatterBackward0', x, src, (whole) => select(whole, dim, index));
});

/**
 * A copy of x with src from `start` up to but not including `end` along `dim` (default the first), every `step`-th place.
 * @throws ShapeError unless src has the shape of that slice; IndexError
 */
export const sliceScatter = /* @__PURE__ */ taking(
  'slice_scatter',
  'src dim? start? end? step?',
  function sliceScatter<T extends Variable>(
    x: T,
    src: T,
    dim = 0,
    start: number | null = null,
    end: number | null = null,
    step = 1,
  ): T {
    const view = (whole: T) => slice(whole, dim, start, end, step);
    return written<T>('slice_scatter', 'SliceBackward0', x, src, view);
  },
);

/** A copy of x whose diagonal of dim1 and dim2 is src. @throws ShapeError unless src has the shape of that diagonal */
export const diagonalScatter = /* @__PURE__ */ taking(
  'diagonal_scatter',
  'src offset? dim1? dim2?',
  function diagonalScatter<T extends Variable>(x: T, src: T, offset = 0, dim1 = 0, dim2 = 1): T {
    const view = (whole: T) => diagonal(whole, offset, dim1, dim2) as T;
    return written<T>('diagonal_scatter', 'DiagonalScatterBackward0', x, src, view);
  },
);

/** A copy of x with `values` where the index names elements: `x.indexPut_(…)` that leaves x as it is. @throws as that */
export const indexPut = <T extends Variable>(
  x: T,
  indices: readonly IndexOf<T>[],
  values: OperandOf<T>,
  accumulate?: ByName<'accumulate', boolean>,
): T => inOp('index_put', () => indexPut_(clone(tensorGiven(x, 'index_put')), indices, values, accumulate));
