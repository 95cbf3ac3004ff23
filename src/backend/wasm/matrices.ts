/** The operands of matrix products. */
import { collapseDims } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { WasmContext } from './context.ts';

/** Of the kernels that multiply: negative results become 0. */
export const RELU = 2;

/** A matrix, or a batch of them at equal distances. */
export interface Matrices {
  readonly array: NDArray;
  readonly batch: number;
  readonly rowStride: number;
  readonly columnStride: number;
  /** The caller's copy, to be released. */
  readonly temporary: boolean;
}

/** x as one batch dimension and two of matrices; a copy where strides do not allow it. */
export function matrices(host: WasmContext, x: NDArray): Matrices {
  const last = x.shape.length;
  if (last === 2) {
    const [rowStride, columnStride] = x.strides;
    return { array: x, batch: 0, rowStride, columnStride, temporary: false };
  }
  const lead = collapseDims(x.shape.slice(0, -2), [x.strides.slice(0, -2)]);
  if (lead.shape.length <= 1) {
    return {
      array: x,
      batch: lead.strides[0][0] ?? 0,
      rowStride: x.strides[last - 2],
      columnStride: x.strides[last - 1],
      temporary: false,
    };
  }
  const copy = host.empty(x.shape, x.dtype);
  host.copyInto(copy, x);
  const [rows, columns] = x.shape.slice(-2);
  return { array: copy, batch: rows * columns, rowStride: columns, columnStride: 1, temporary: true };
}
