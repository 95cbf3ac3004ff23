/** Sums, products, means and extremes of what an index sends to one place, as in the pools of graph networks. */
import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { isFloating } from '../core/dtype.ts';
import { ArgumentError, DTypeError } from '../core/errors.ts';
import { normalizeDim } from '../core/shape.ts';
import { gatherAlong, scatterAlong, zerosOf } from './along.ts';
import { add, div, maximum, mul } from './arithmetic.ts';
import { eq, gt } from './comparison.ts';
import { detached, named } from './composite.ts';
import { cast } from './convert.ts';
import { tensorGiven } from './given.ts';
import { once } from './inplace.ts';
import { sliceTarget } from './pick.ts';
import { factors, scatterOperands } from './scatter.ts';
import { taking } from './taking.ts';
import { expand, reshape } from './views.ts';
import { whereOp } from './where.ts';

export type ScatterReduction = 'sum' | 'prod' | 'mean' | 'amax' | 'amin';

export interface ScatterReduceOptions {
  /** Whether the elements of x take part, or make way where anything is sent. Default true. */
  includeSelf?: boolean;
}

/** What the parts of a reduction have in common: checked indices along d, and a source of their shape. */
interface Sent<T> {
  readonly x: T;
  readonly d: number;
  readonly picks: T;
  readonly part: T;
  readonly includeSelf: boolean;
}

/** How many elements are sent to each place, in as few columns as the index differs in. */
function countsOf<T extends Variable>({ x, d, picks }: Sent<T>): T {
  const few = once(picks);
  const repeats = (axis: number) => few.shape[axis] !== picks.shape[axis];
  const whole = picks.shape.every((size, axis) => !repeats(axis) || axis === d || size === x.shape[axis]);
  const index = whole && few.shape[d] === picks.shape[d] ? few : picks;
  const none = zerosOf(
    x,
    x.shape.map((size, axis) => (index === few && repeats(axis) ? 1 : size)),
  );
  return scatterAlong(none, d, index, filled(index, 1, x.dtype), true);
}

/** x, or `value` instead of it where anything is sent. */
const startOf = <T extends Variable>(sent: Sent<T>, value: number): T =>
  sent.includeSelf ? sent.x : cast(whereOp<T>(gt<T>(countsOf(sent), 0), value, sent.x), sent.x.dtype);

const filled = <T extends Variable>(like: T, value: number, dtype = like.dtype): T =>
  cast(add<T>(zerosOf(like, like.shape), value), dtype);

function meanOf<T extends Variable>(sent: Sent<T>): T {
  const { x, d, picks, part, includeSelf } = sent;
  const counts = countsOf(sent);
  const start = includeSelf ? x : cast(whereOp<T>(gt<T>(counts, 0), 0, x), x.dtype);
  const number = includeSelf ? add<T>(counts, 1) : maximum<T>(counts, 1);
  const roundingMode = isFloating(x.dtype) ? null : 'floor';
  return div<T>(scatterAlong(start, d, picks, part, true), number, { roundingMode });
}

/** The gradient goes to all that equal the result, in equal parts. */
function extremeOf<T extends Variable>(sent: Sent<T>, how: 'max' | 'min'): T {
  const { x, d, picks, part, includeSelf } = sent;
  const { backend } = x.array;
  const out = backend.empty(x.shape, x.dtype);
  const floating = isFloating(x.dtype);
  const least = how === 'max' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  backend.assign(out, (floating ? startOf({ ...sent, x: detached(x) }, least) : x).array);
  if (picks.array.size > 0) {
    if (!includeSelf && !floating) backend.scatter(out, d, picks.array, part.array, 'replace');
    backend.scatter(out, d, picks.array, part.array, how);
  }
  return record('ScatterReduceBackward0', out, [x, part], (node, output) => {
    const [at, source, result] = [node.save(picks), node.save(part), node.saveOutput(output)];
    const own = includeSelf ? node.save(x) : null;
    return (grad) => {
      const index = at.get(grad);
      const best = result.get(grad);
      const wins = cast(eq<T>(source.get(grad), gatherAlong(best, d, index)), grad.dtype);
      const keeps = own ? cast(eq<T>(own.get(grad), best), grad.dtype) : zerosOf(grad, grad.shape);
      const winners = scatterAlong(keeps, d, index, wins, true);
      const share = div<T>(grad, maximum<T>(winners, 1));
      const byOwn = () =>
        own ? mul<T>(keeps, share) : scatterAlong(grad, d, index, zerosOf(grad, index.shape), false);
      return [node.needs[0] && byOwn(), node.needs[1] && mul<T>(wins, gatherAlong(share, d, index))];
    };
  });
}

function reduced<T extends Variable>(sent: Sent<T>, reduce: ScatterReduction, op: string): T {
  switch (reduce) {
    case 'sum':
      return scatterAlong(startOf(sent, 0), sent.d, sent.picks, sent.part, true);
    case 'prod':
      return mul<T>(startOf(sent, 1), factors(sent.x, sent.d, sent.picks, sent.part));
    case 'mean':
      if (sent.x.dtype === 'bool') throw new DTypeError(`${op}: reduce 'mean' is not implemented for bool`);
      return meanOf(sent);
    case 'amax':
      return extremeOf(sent, 'max');
    case 'amin':
      return extremeOf(sent, 'min');
  }
}

function checkReduction(reduce: string, op: string, known: readonly string[]): void {
  if (known.includes(reduce)) return;
  throw new ArgumentError(`${op}: reduce argument must be ${known.join(', ')}, but got ${String(reduce)}`);
}

/**
 * x with the elements of src that index sends to one place folded into one, `out[index[i][j]][j]` for dim 0, and so on: their
 * sum, product, mean (of integers rounded down) or extreme, of x's own element too unless `includeSelf` is false; places that
 * nothing is sent to keep theirs. Shapes as in `scatterAdd`. Of equal extremes each has an equal part of the gradient; elements
 * of x that do not take part do not count among them (in PyTorch's derivative they do).
 * @throws ArgumentError, IndexError, ShapeError, DTypeError
 */
export const scatterReduce = /* @__PURE__ */ taking(
  'scatter_reduce',
  'dim index src reduce * includeSelf',
  function scatterReduce<T extends Variable>(
    x: T,
    dim: number,
    index: T,
    src: T,
    reduce: ScatterReduction,
    { includeSelf = true }: ScatterReduceOptions = {},
  ): T {
    const op = 'scatter_reduce';
    tensorGiven(x, op);
    tensorGiven(index, op, 'index');
    tensorGiven(src, op, 'src');
    checkReduction(reduce, op, ['sum', 'prod', 'mean', 'amax', 'amin']);
    const d = normalizeDim(dim, x.ndim, op);
    const sent = { x, d, ...scatterOperands(x, d, index, src, op), includeSelf };
    return named('ScatterReduceBackward0', reduced(sent, reduce, op));
  },
);

/**
 * `scatterReduce` of whole slices: source[j] goes to the slice index[j] along dim. Sums are `indexAdd`.
 * @throws ArgumentError, IndexError, ShapeError, DTypeError
 */
export const indexReduce = /* @__PURE__ */ taking(
  'index_reduce',
  'dim index source reduce * includeSelf',
  function indexReduce<T extends Variable>(
    x: T,
    dim: number,
    index: T,
    source: T,
    reduce: Exclude<ScatterReduction, 'sum'>,
    { includeSelf = true }: ScatterReduceOptions = {},
  ): T {
    const op = 'index_reduce';
    tensorGiven(x, op);
    tensorGiven(index, op, 'index');
    tensorGiven(source, op, 'source');
    checkReduction(reduce, op, ['prod', 'mean', 'amax', 'amin']);
    const { d, picks } = sliceTarget(x, dim, index, source, op);
    const across = expand(
      reshape(
        picks,
        source.shape.map((size, axis) => (axis === d ? size : 1)),
      ),
      source.shape,
    );
    return named(
      'IndexReduceBackward0',
      reduced({ x, d, picks: across, part: source, includeSelf }, reduce, op),
    );
  },
);
