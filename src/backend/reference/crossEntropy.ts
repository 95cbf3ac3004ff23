/** Cross-entropy of logits against class numbers in plain TypeScript: softmax, logarithm, choice and mean in one. */
import type { NDArray } from '../array.ts';
import type { CrossEntropyOptions, CrossEntropyResult } from '../backend.ts';
import { type ArrayHost, numbers, store } from './elements.ts';

export function crossEntropy(
  host: ArrayHost,
  logits: NDArray,
  target: NDArray,
  weight: NDArray | null,
  { ignoreIndex, labelSmoothing, reduction }: CrossEntropyOptions,
): CrossEntropyResult {
  const [rows, classes] = logits.shape;
  const x = numbers(host, logits);
  const t = numbers(host, target);
  const w = weight && numbers(host, weight);
  const share = labelSmoothing / classes;
  const losses = new Float64Array(rows);
  const stats = new Float64Array(rows * 2);
  let total = 0;
  let divisor = 0;
  for (let i = 0; i < rows; i++) {
    const row = x.subarray(i * classes, (i + 1) * classes);
    const { top, logSum } = rowStats(row);
    stats[2 * i] = top;
    stats[2 * i + 1] = logSum;
    if (t[i] === ignoreIndex) continue;
    const own = w ? w[t[i]] : 1;
    let loss = own * (1 - labelSmoothing) * (logSum - (row[t[i]] - top));
    if (share > 0)
      for (let c = 0; c < classes; c++) loss += share * (w ? w[c] : 1) * (logSum - (row[c] - top));
    losses[i] = loss;
    total += loss;
    divisor += own;
  }
  const result: CrossEntropyResult = {
    loss: host.empty(reduction === 'none' ? [rows] : [], logits.dtype),
    rowStats: host.empty([rows, 2], logits.dtype),
    divisor: host.empty([], logits.dtype),
  };
  store(
    host,
    result.loss,
    reduction === 'none' ? losses : new Float64Array([reduction === 'mean' ? total / divisor : total]),
  );
  store(host, result.rowStats, stats);
  store(host, result.divisor, new Float64Array([divisor]));
  return result;
}

function rowStats(row: ArrayLike<number>): { top: number; logSum: number } {
  let top = -Infinity;
  for (let c = 0; c < row.length; c++) if (!(row[c] <= top)) top = row[c];
  let sum = 0;
  for (let c = 0; c < row.length; c++) sum += Math.exp(row[c] - top);
  return { top, logSum: Math.log(sum) };
}

/**
 * With softmax p of a row, its own class t and the weights w: g·(p·(a·w_t + s·Σw) − a·w_t·[c = t] − s·w_c), where
 * a = 1 − smoothing, s = smoothing/classes, and g is the row's gradient over the divisor of a mean.
 */
export function crossEntropyGrad(
  host: ArrayHost,
  grad: NDArray,
  logits: NDArray,
  target: NDArray,
  weight: NDArray | null,
  { rowStats: savedStats, divisor }: Pick<CrossEntropyResult, 'rowStats' | 'divisor'>,
  { ignoreIndex, labelSmoothing, reduction }: CrossEntropyOptions,
): NDArray {
  const [rows, classes] = logits.shape;
  const x = numbers(host, logits);
  const t = numbers(host, target);
  const w = weight && numbers(host, weight);
  const g = numbers(host, grad);
  const stats = numbers(host, savedStats);
  const scale = reduction === 'mean' ? 1 / numbers(host, divisor)[0] : 1;
  const share = labelSmoothing / classes;
  let allWeights = w ? 0 : classes;
  if (w) for (const each of w) allWeights += each;
  const result = new Float64Array(rows * classes);
  for (let i = 0; i < rows; i++) {
    if (t[i] === ignoreIndex) {
      // 0 times the softmax, as in PyTorch: a NaN or an infinite logit shows here too.
      result.fill(stats[2 * i + 1] - stats[2 * i + 1], i * classes, (i + 1) * classes);
      continue;
    }
    const gi = scale * (reduction === 'none' ? g[i] : g[0]);
    // Multiplied out: over a divisor of 0 all gradients are NaN, as in PyTorch.
    const own = gi * (1 - labelSmoothing) * (w ? w[t[i]] : 1);
    const shared = gi * share;
    for (let c = 0; c < classes; c++) {
      const at = i * classes + c;
      const p = Math.exp(x[at] - stats[2 * i] - stats[2 * i + 1]);
      result[at] = p * (own + shared * allWeights) - (c === t[i] ? own : 0) - shared * (w ? w[c] : 1);
    }
  }
  const out = host.empty(logits.shape, logits.dtype);
  store(host, out, result);
  return out;
}
