/** Kernels for decompositions of matrices, which are called from the host in the middle of their loops. */
import type { RowMath } from '../../core/rowMath.ts';
import type { Heap } from './heap.ts';
import type { WasmModule } from './module.ts';

const LINE = 64;
/** Doubles that are there for small matrices, of which there may be thousands: to take memory for each would cost more than they. */
const SMALL = 2048;
export const ROW_MATH_BYTES = 8 * SMALL;

/** So many products take less time than a call of a kernel. */
const FEW = 64;

/**
 * Up to `ROW_MATH_BYTES` are lent from `pointer` on, outside the heap, more from the heap: nothing else may be taken from it until
 * they are back, because it may grow then.
 */
export function createRowMath(module: WasmModule, heap: Heap, pointer: number): RowMath {
  const { row_dots_f64, row_sum_f64, row_updates_f64, row_rotations_f64 } = module.exports;
  const at = (m: Float64Array, place: number): number => m.byteOffset + 8 * place;
  let small = new Float64Array(0);
  return {
    lend(length, body) {
      if (length <= SMALL) {
        // Memory that grew may have taken the old view away.
        if (small.length === 0) small = new Float64Array(module.memory.buffer, pointer, SMALL);
        return body(small.fill(0, 0, length));
      }
      const block = heap.allocate(Math.ceil((8 * length) / LINE) * LINE);
      try {
        return body(new Float64Array(module.memory.buffer, block.pointer, length).fill(0));
      } finally {
        heap.free(block);
      }
    },
    dots(m, x, stride, v, out, n, count) {
      if (n * count > FEW) row_dots_f64(at(m, x), stride, at(m, v), at(m, out), n, count);
      else for (let i = 0; i < count; i++) m[out + i] = dot(m, x + i * stride, v, n);
    },
    takeSum(m, x, stride, c, step, y, n, count) {
      if (n * count > FEW) row_sum_f64(at(m, x), stride, at(m, c), step, at(m, y), n, count);
      else for (let i = 0; i < count; i++) subtract(m, y, m[c + i * step], x + i * stride, n);
    },
    takeEach(m, x, stride, c, step, y, n, count) {
      if (n * count > FEW) row_updates_f64(at(m, x), stride, at(m, c), step, at(m, y), n, count);
      else for (let i = 0; i < count; i++) subtract(m, x + i * stride, m[c + i * step], y, n);
    },
    rotate: (m, x, n, cs, count) => row_rotations_f64(at(m, x), n, at(m, cs), count),
  };
}

function dot(m: Float64Array, x: number, y: number, n: number): number {
  let sum = 0;
  for (let j = 0; j < n; j++) sum += m[x + j] * m[y + j];
  return sum;
}

function subtract(m: Float64Array, x: number, factor: number, y: number, n: number): void {
  for (let j = 0; j < n; j++) m[x + j] -= factor * m[y + j];
}
