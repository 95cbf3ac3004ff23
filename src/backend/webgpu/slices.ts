/** Kernels over arrays that cannot be bound as a whole are run over slices of them, one after the other. */
import { DeviceError } from '../../core/errors.ts';
import type { NDArray } from '../array.ts';
import { PART_STEP } from './cells.ts';
import type { GpuContext } from './context.ts';
import { wordsOf } from './elementTypes.ts';

/** What a range may take beyond its elements: it begins at a multiple of PART_STEP and ends with a whole vector. */
export const PART_MARGIN = 2 * PART_STEP;

export const tooLarge = (op: string, bytes: number, most: number): DeviceError =>
  new DeviceError(
    `webgpu: ${op} cannot take a tensor of ${bytes} bytes: this device binds ${most} at most, and this op does ` +
      'not work on such parts of it; split the tensor, or use the device cpu',
  );

const bytesOf = (x: NDArray): number => x.size * wordsOf(x.dtype) * 4;

/** Elements start … start + size of dimension d. */
export const narrowed = (x: NDArray, d: number, start: number, size: number): NDArray =>
  x.view(
    x.shape.map((n, e) => (e === d ? size : n)),
    x.strides,
    x.offset + start * x.strides[d],
  );

/** The dimension along which x reaches furthest, -1 for a single element. */
export function outermost(x: NDArray): number {
  let found = -1;
  x.shape.forEach((size, d) => {
    if (size > 1 && (found < 0 || x.strides[d] > x.strides[found])) found = d;
  });
  return found;
}

/**
 * Calls `body` with row-major arrays of `rows` rows each, as they are if they can be bound, otherwise with runs of their
 * rows, [count, …], that can: `first` is the number of a run's first row. @throws DeviceError where not even one row can be
 */
export function overRows(
  gpu: GpuContext,
  op: string,
  rows: number,
  arrays: readonly NDArray[],
  body: (arrays: readonly NDArray[], count: number, first: number) => void,
): void {
  if (arrays.every((x) => gpu.fits(x))) {
    body(arrays, rows, 0);
    return;
  }
  let most = rows;
  for (const x of arrays) {
    if (gpu.fits(x)) continue;
    const inRow = Math.floor((gpu.mostBound - PART_MARGIN) / (bytesOf(x) / rows));
    if (inRow < 1) throw tooLarge(op, bytesOf(x), gpu.mostBound);
    most = Math.min(most, inRow);
  }
  for (let first = 0; first < rows; first += most) {
    const count = Math.min(most, rows - first);
    const views = arrays.map((x) => {
      const length = x.size / rows;
      return x.view([count, length], [length, 1], x.offset + first * length);
    });
    const parts = views.map((view) => gpu.part(view) as NDArray);
    body(parts, count, first);
    for (const view of views) view.release();
  }
}

/** A row of so many elements of four bytes can be bound. */
export const rowFits = (gpu: GpuContext, length: number): boolean =>
  length * 4 + PART_MARGIN <= gpu.mostBound;

/** Calls `body` with the first, then the second half of each array along its dimension, or with all of it. */
export function inHalves(
  arrays: readonly (readonly [x: NDArray, d: number | null])[],
  body: (halves: readonly NDArray[], half: 0 | 1) => void,
): void {
  for (const half of [0, 1] as const) {
    const views = arrays.map(([x, d]) => {
      if (d === null) return x;
      const low = Math.ceil(x.shape[d] / 2);
      return narrowed(x, d, half * low, half === 0 ? low : x.shape[d] - low);
    });
    body(views, half);
    views.forEach((view, i) => {
      if (view !== arrays[i][0]) view.release();
    });
  }
}
