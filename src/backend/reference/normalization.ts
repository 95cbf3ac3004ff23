/** Rows brought to mean 0 and variance 1, in plain TypeScript; statistics in double precision, in two passes. */
import type { NDArray } from '../array.ts';
import type { Standardized } from '../windows.ts';
import { type ArrayHost, type Numbers, numbers, store } from './elements.ts';

/** Mean over outer and inner, by row, of what `value` gives for a flat position. */
function rowMeans(
  [outer, rows, inner]: readonly number[],
  value: (at: number, row: number) => number,
): Float64Array {
  const sums = new Float64Array(rows);
  for (let o = 0, at = 0; o < outer; o++) {
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < inner; i++, at++) sums[row] += value(at, row);
    }
  }
  return sums.map((sum) => sum / (outer * inner));
}

function mapRows(
  [outer, rows, inner]: readonly number[],
  value: (at: number, row: number) => number,
): Float64Array {
  const result = new Float64Array(outer * rows * inner);
  for (let at = 0; at < result.length; at++) result[at] = value(at, Math.floor(at / inner) % rows);
  return result;
}

export function standardize(host: ArrayHost, x: NDArray, eps: number): Standardized {
  const xs = numbers(host, x);
  const mean = rowMeans(x.shape, (at) => xs[at]);
  const variance = rowMeans(x.shape, (at, row) => (xs[at] - mean[row]) ** 2);
  const rstd = variance.map((v) => 1 / Math.sqrt(v + eps));
  const put = (values: Numbers, shape: readonly number[]): NDArray => {
    const out = host.empty(shape, x.dtype);
    store(host, out, values);
    return out;
  };
  const rows = [x.shape[1]];
  return {
    output: put(
      mapRows(x.shape, (at, row) => (xs[at] - mean[row]) * rstd[row]),
      x.shape,
    ),
    mean: put(mean, rows),
    variance: put(variance, rows),
    rstd: put(rstd, rows),
  };
}

export function standardizeGrad(host: ArrayHost, grad: NDArray, output: NDArray, rstd: NDArray): NDArray {
  const out = host.empty(grad.shape, grad.dtype);
  const [gs, ys, rs] = [grad, output, rstd].map((array) => numbers(host, array));
  const mean = rowMeans(grad.shape, (at) => gs[at]);
  const slope = rowMeans(grad.shape, (at) => gs[at] * ys[at]);
  store(
    host,
    out,
    mapRows(grad.shape, (at, row) => rs[row] * (gs[at] - mean[row] - ys[at] * slope[row])),
  );
  return out;
}
