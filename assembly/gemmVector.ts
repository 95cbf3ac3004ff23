// Products with a vector: memory is read once, so the loops follow the matrix as it lies. Where the summed dimension
// is contiguous each result is a dot product with four accumulators (an order of its own, fixed by k alone); where
// the other one is, results are sums over k in order, updated in cache. Anything else is gathered row by row.
import {
  add_scaled_rows_f32,
  add_scaled_rows_f64,
  dot_contiguous_f32,
  dot_contiguous_f64,
} from './gemmSmall';

/** Results that are updated together: they and four streams of the matrix stay in L1. */
const BLOCK_BYTES: i32 = 4096;

/** y[i] = Σ matrix[i, k]·x[k] (+ y[i]); `step` between results, `kStep` along k; all strides in bytes. */
export function vectorProduct<T extends number>(
  matrix: usize,
  step: usize,
  kStep: usize,
  x: usize,
  xStep: usize,
  y: usize,
  yStep: usize,
  count: i32,
  k: i32,
  accumulate: bool,
  scratch: usize,
): void {
  const size = sizeof<T>();
  if (kStep != size && step == size) {
    // Not in y itself: it has cache lines in which another thread has its results.
    const results = (scratch + 63) & ~63;
    if (accumulate) gather<T>(results, size, y, yStep, count);
    else memory.fill(results, 0, <usize>count * size);
    addScaledRows<T>(matrix, kStep, x, xStep, results, count, k);
    gather<T>(y, yStep, results, size, count);
    return;
  }
  const row = scratch + <usize>k * size;
  if (xStep != size) {
    gather<T>(scratch, size, x, xStep, k);
    x = scratch;
  }
  for (; count > 0; --count, matrix += step, y += yStep) {
    if (kStep != size) gather<T>(row, size, matrix, kStep, k);
    const sum = dot<T>(kStep != size ? row : matrix, x, k);
    store<T>(y, accumulate ? ((load<T>(y) + sum) as T) : sum);
  }
}

function gather<T extends number>(to: usize, toStep: usize, from: usize, fromStep: usize, count: i32): void {
  if (toStep == sizeof<T>() && fromStep == sizeof<T>()) memory.copy(to, from, <usize>count * sizeof<T>());
  else for (; count > 0; --count, to += toStep, from += fromStep) store<T>(to, load<T>(from));
}

function dot<T extends number>(a: usize, b: usize, k: i32): T {
  if (sizeof<T>() == 4) return dot_contiguous_f32(a, b, k) as T;
  return dot_contiguous_f64(a, b, k) as T;
}

function addScaledRows<T extends number>(
  matrix: usize,
  kStep: usize,
  x: usize,
  xStep: usize,
  y: usize,
  count: i32,
  k: i32,
): void {
  const block = BLOCK_BYTES / <i32>sizeof<T>();
  for (; count > 0; count -= block, matrix += BLOCK_BYTES, y += BLOCK_BYTES) {
    const width = min(count, block);
    if (sizeof<T>() == 4) add_scaled_rows_f32(matrix, kStep, x, xStep, y, width, k);
    else add_scaled_rows_f64(matrix, kStep, x, xStep, y, width, k);
  }
}
