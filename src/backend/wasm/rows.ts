/** Softmax and cross-entropy along rows of floats. Other dtypes are left to the reference loops: null. */
import type { NDArray } from '../array.ts';
import type { CrossEntropyOptions, CrossEntropyResult, SoftmaxKind } from '../backend.ts';
import type { WasmContext } from './context.ts';
import { packed, rowChunk } from './kernels.ts';

/** eˣ costs as much as this many simple operations: rows with it are worth threads earlier. */
const EXP_WORK = 4;

const lastSize = (x: NDArray): number => x.shape[x.shape.length - 1] ?? 1;

export function softmax(host: WasmContext, x: NDArray, kind: SoftmaxKind): NDArray | null {
  if (x.dtype !== 'float32' || x.size === 0) return null;
  const n = lastSize(x);
  const out = host.empty(x.shape, x.dtype);
  const source = packed(host, x);
  const rows = x.size / n;
  const log = kind === 'logSoftmax';
  host.runtime.pool.run(
    log ? 'log_softmax_f32' : 'softmax_f32',
    [host.pointer(source.array), host.pointer(out), n, ...(log ? [] : [Number(kind === 'safeSoftmax')])],
    rows,
    rowChunk(host, rows, n * EXP_WORK),
  );
  source.release();
  return out;
}

export function softmaxGrad(host: WasmContext, grad: NDArray, output: NDArray, log: boolean): NDArray | null {
  if (output.dtype !== 'float32' || output.size === 0) return null;
  const n = lastSize(output);
  const out = host.empty(output.shape, output.dtype);
  const g = packed(host, grad);
  const y = packed(host, output);
  const rows = output.size / n;
  host.runtime.pool.run(
    log ? 'log_softmax_grad_f32' : 'softmax_grad_f32',
    [host.pointer(g.array), host.pointer(y.array), host.pointer(out), n],
    rows,
    rowChunk(host, rows, n),
  );
  g.release();
  y.release();
  return out;
}

const number = (host: WasmContext, x: NDArray): number => Number(host.data(x)[x.offset]);

/** The sum of a contiguous list of floats, as a 0-d array. */
function total(host: WasmContext, x: NDArray): NDArray {
  const out = host.empty([], 'float32');
  host.runtime.pool.run('sum_f32', [host.pointer(x), host.pointer(out), x.size, 1, x.size], 1, 1);
  return out;
}

export function crossEntropy(
  host: WasmContext,
  logits: NDArray,
  target: NDArray,
  weight: NDArray | null,
  { ignoreIndex, labelSmoothing, reduction }: CrossEntropyOptions,
): CrossEntropyResult | null {
  if (logits.dtype !== 'float32' || logits.size === 0) return null;
  const [rows, classes] = logits.shape;
  const x = packed(host, logits);
  const t = packed(host, target);
  const w = weight && packed(host, weight);
  const losses = host.empty([rows], 'float32');
  const weights = host.empty([rows], 'float32');
  const rowStats = host.empty([rows, 2], 'float32');
  host.runtime.pool.run(
    'cross_entropy_f32',
    [
      host.pointer(x.array),
      host.pointer(t.array),
      w ? host.pointer(w.array) : 0,
      host.pointer(losses),
      host.pointer(weights),
      host.pointer(rowStats),
      classes,
      ignoreIndex,
      labelSmoothing,
    ],
    rows,
    rowChunk(host, rows, classes * EXP_WORK),
  );
  x.release();
  t.release();
  w?.release();
  const divisor = total(host, weights);
  weights.release();
  if (reduction === 'none') return { loss: losses, rowStats, divisor };
  const loss = total(host, losses);
  losses.release();
  if (reduction === 'mean') host.data(loss)[loss.offset] = number(host, loss) / number(host, divisor);
  return { loss, rowStats, divisor };
}

export function crossEntropyGrad(
  host: WasmContext,
  grad: NDArray,
  logits: NDArray,
  target: NDArray,
  weight: NDArray | null,
  { rowStats, divisor }: Pick<CrossEntropyResult, 'rowStats' | 'divisor'>,
  { ignoreIndex, labelSmoothing, reduction }: CrossEntropyOptions,
): NDArray | null {
  if (logits.dtype !== 'float32' || logits.size === 0) return null;
  const [rows, classes] = logits.shape;
  const out = host.empty(logits.shape, logits.dtype);
  const x = packed(host, logits);
  const t = packed(host, target);
  const stats = packed(host, rowStats);
  const g = packed(host, grad);
  const w = weight && packed(host, weight);
  let allWeights = classes;
  if (w) {
    const sum = total(host, w.array);
    allWeights = number(host, sum);
    sum.release();
  }
  host.runtime.pool.run(
    'cross_entropy_grad_f32',
    [
      host.pointer(x.array),
      host.pointer(t.array),
      w ? host.pointer(w.array) : 0,
      host.pointer(stats.array),
      host.pointer(g.array),
      reduction === 'none' ? 1 : 0,
      host.pointer(out),
      classes,
      ignoreIndex,
      labelSmoothing,
      allWeights,
      reduction === 'mean' ? 1 / number(host, divisor) : 1,
    ],
    rows,
    rowChunk(host, rows, classes * EXP_WORK),
  );
  for (const each of [x, t, stats, g]) each.release();
  w?.release();
  return out;
}
