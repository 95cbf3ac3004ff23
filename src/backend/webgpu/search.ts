/** Places in sorted lines, by halving. */
import type { NDArray } from '../array.ts';
import type { GpuContext } from './context.ts';
import { laneOf, wgslType, wordsOf } from './elementTypes.ts';
import { lessText } from './formulas.ts';
import { overRows, tooLarge } from './slices.ts';

/**
 * How many elements of a sorted line [n], or of its own of several lines [..., n], come before each value [..., m], those that
 * equal it too if `behind`; int64. Both are of one dtype. NaN lies behind everything, and nothing before a NaN in a line.
 */
export function search(gpu: GpuContext, lines: NDArray, wanted: NDArray, behind: boolean): NDArray {
  const out = gpu.empty(wanted.shape, 'int64');
  if (out.size === 0) return out;
  const [sorted, values] = [gpu.contiguous(lines), gpu.contiguous(wanted)];
  const length = lines.shape[lines.shape.length - 1];
  const lane = laneOf(lines.dtype, 'search');
  const type = wgslType[lane];
  const is = behind ? lessText(lane, 'value', 'at') : `!${lessText(lane, 'at', 'value')}`;
  const isAhead = lane === 'f32' ? `!isNan(at) && !isNan(value) && ${is}` : is;
  const run = (line: NDArray, from: NDArray, to: NDArray, perLine: number): void =>
    gpu.run({
      key: `search ${lines.dtype} ${behind}`,
      bindings: [
        { name: 'sorted', type, array: line },
        { name: 'values', type, array: from },
        { name: 'out', type: 'vec2<u32>', array: to, writes: true },
      ],
      params: [
        ['sorted_at: u32', line.offset],
        ['values_at: u32', from.offset],
        ['out_at: u32', to.offset],
        ['length: u32', length],
        ['per_line: u32', perLine],
      ],
      threads: to.size,
      workgroup: 64,
      body: () => `
let value = values[P.values_at + i];
let line = P.sorted_at + (i / P.per_line) * P.length;
var low = 0u;
var high = P.length;
while (low < high) {
  let middle = (low + high) >> 1u;
  let at = sorted[line + middle];
  if (${isAhead}) { high = middle; } else { low = middle + 1u; }
}
out[P.out_at + i] = vec2<u32>(low, 0u);`,
    });
  if (sorted.shape.length > 1) {
    const rows = sorted.size / length;
    overRows(gpu, 'searchsorted', rows, [sorted, values, out], ([line, from, to]) =>
      run(line, from, to, values.size / rows),
    );
  } else {
    const line = gpu.bindable(sorted);
    if (line === null) throw tooLarge('searchsorted', sorted.size * wordsOf(sorted.dtype) * 4, gpu.mostBound);
    overRows(gpu, 'searchsorted', values.size, [values, out], ([from, to]) => run(line, from, to, to.size));
  }
  return out;
}
