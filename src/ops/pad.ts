/** Margins around the last dimensions: constant, mirrored, repeated or wrapped around. */

import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { tabulate } from '../core/lists.ts';
import { formatShape } from '../core/shape.ts';
import { stepwise } from './composite.ts';
import { clone, elementValue } from './convert.ts';
import { given, tensorGiven } from './given.ts';
import { selectAlong } from './indexing.ts';
import { narrow } from './views.ts';

export type PadMode = 'constant' | 'reflect' | 'replicate' | 'circular';

/**
 * Margins given as pairs (before, behind), the last dimension first; negative ones cut off.
 * @throws ArgumentError, ShapeError in PyTorch's words
 */
export function pad<T extends Variable>(
  x: T,
  padding: readonly number[],
  mode: PadMode,
  value: number | null,
): T {
  tensorGiven(x, 'pad');
  given(padding, 'pad', 'padding', 'a list of numbers');
  if (padding.length % 2 !== 0) throw new ArgumentError('Padding length must be divisible by 2');
  if (!padding.every(Number.isInteger))
    throw new ArgumentError(`pad: expected integers, but got ${formatShape(padding)}`);
  if (padding.length > 2 * x.ndim) {
    throw new ArgumentError(
      'Padding length should be less than or equal to two times the input dimension but got padding length ' +
        `${padding.length} and input of dimension ${x.ndim}`,
    );
  }
  const margins = x.shape.map((_, d): [number, number] => {
    const at = 2 * (x.ndim - 1 - d);
    return at < padding.length ? [padding[at], padding[at + 1]] : [0, 0];
  });
  x.shape.forEach((size, d) => {
    const [before, behind] = margins[d];
    if (size + before + behind < 0 || size + Math.min(before, 0) < 0 || size + Math.min(behind, 0) < 0) {
      throw new ShapeError(
        `pad: The input size ${size}, plus negative padding ${before} and ${behind} resulted in a negative output size, which is ` +
          `invalid. Check dimension ${d} of your input.`,
      );
    }
  });
  if (mode === 'constant') return padConstant(x, margins, value ?? 0);
  if (value !== null && value !== 0)
    throw new ArgumentError(`Padding mode "${mode}" doesn't take in value argument`);
  if (!(mode === 'reflect' || mode === 'replicate' || mode === 'circular')) {
    throw new ArgumentError(`Unrecognised padding mode ${String(mode satisfies never)}`);
  }
  const pairs = padding.length / 2;
  if (pairs < 1 || pairs > 3 || (x.ndim !== pairs + 1 && x.ndim !== pairs + 2)) {
    throw new ShapeError(
      'Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now; got input of size ' +
        `${formatShape(x.shape)} and padding ${formatShape(padding)}`,
    );
  }
  const width = x.shape[x.ndim - 1] + padding[0] + padding[1];
  if (pairs === 1 && mode !== 'circular' && width < 1) {
    throw new ShapeError(
      `pad: input (W: ${x.shape[x.ndim - 1]}) is too small. Calculated output W: ${width}`,
    );
  }
  let result = x;
  for (let d = x.ndim - pairs; d < x.ndim; d++) {
    const [before, behind] = margins[d];
    if (before === 0 && behind === 0) continue;
    const sources = sourcePositions(x, d, before, behind, mode);
    const name = `${nodeNames[mode]}${pairs}DBackward0`;
    result = selectAlong(mode === 'circular' ? result : stepwise(name, result), d, sources, name);
  }
  return result === x ? clone(x) : result;
}

const nodeNames = { reflect: 'ReflectionPad', replicate: 'ReplicationPad', circular: 'CircularPad' } as const;

/** For each position of the padded dimension, the one that it repeats. */
function sourcePositions(
  x: Variable,
  dim: number,
  before: number,
  behind: number,
  mode: 'reflect' | 'replicate' | 'circular',
): number[] {
  const size = x.shape[dim];
  const widest = Math.max(before, behind);
  const first = Math.max(-before, 0);
  const kept = size - first - Math.max(-behind, 0);
  if (mode === 'reflect' && widest >= size) {
    throw new ShapeError(
      `Padding size should be less than the corresponding input dimension, but got: padding (${before}, ${behind}) at dimension ` +
        `${dim} of input ${formatShape(x.shape)}`,
    );
  }
  if (mode === 'circular' && widest > size)
    throw new ShapeError('Padding value causes wrapping around more than once.');
  if (size === 0)
    throw new ShapeError(
      `pad: expected dimension ${dim} to have non-zero size, but got ${formatShape(x.shape)}`,
    );
  const place = {
    reflect: (i: number) => (i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i),
    replicate: (i: number) => Math.min(Math.max(i, 0), size - 1),
    // What negative margins cut off is not there to be repeated.
    circular: (i: number) => first + ((((i - first) % kept) + kept) % kept),
  }[mode];
  return tabulate(size + before + behind, (i) => place(i - before));
}

/** The same constant on all sides. */
function padConstant<T extends Variable>(
  x: T,
  margins: readonly (readonly [number, number])[],
  value: number,
): T {
  let inner = x;
  for (const [d, [before, behind]] of margins.entries()) {
    if (before >= 0 && behind >= 0) continue;
    const first = Math.max(-before, 0);
    inner = narrow(inner, d, first, x.shape[d] - first - Math.max(-behind, 0));
  }
  const grown = margins.map(([before, behind]) => [Math.max(before, 0), Math.max(behind, 0)]);
  const { backend } = x.array;
  const out = backend.empty(
    inner.shape.map((size, d) => size + grown[d][0] + grown[d][1]),
    x.dtype,
  );
  backend.fill(out, elementValue(value, x.dtype, 'pad'));
  const { strides } = out;
  const offset = grown.reduce((at, [before], d) => at + before * strides[d], 0);
  out.assignPart(inner.array, strides, offset);
  const from = inner.shape;
  return record('ConstantPadNdBackward0', out, [inner], () => (grad) => {
    let middle = grad;
    grown.forEach(([before, behind], d) => {
      if (before + behind > 0) middle = narrow(middle, d, before, from[d]);
    });
    return [middle];
  });
}
