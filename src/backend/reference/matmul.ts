/** Matrix products in plain TypeScript: three loops, sums in double precision. */
import { isFloating } from '../../core/dtype.ts';
import type { NDArray } from '../array.ts';
import type { GemmOptions } from '../backend.ts';
import { type ArrayHost, bigints, broadcastTo, numbers, store } from './elements.ts';

export function matmul(host: ArrayHost, a: NDArray, b: NDArray, options: GemmOptions = {}): NDArray {
  const lead = a.shape.slice(0, -2);
  const [m, k] = a.shape.slice(-2);
  const n = b.shape[b.shape.length - 1];
  const out = host.empty([...lead, m, n], a.dtype);
  const right = broadcastTo(b, [...lead, k, n]);
  if (a.dtype === 'int64') {
    const sums = new BigInt64Array(out.size);
    products(bigints(host, a), bigints(host, right), sums, m, n, k, 0n, mulBig);
    if (options.bias) {
      const bias = bigints(host, options.bias);
      for (let i = 0; i < sums.length; i++) sums[i] += bias[i % n];
    }
    if (options.relu) for (let i = 0; i < sums.length; i++) if (sums[i] < 0n) sums[i] = 0n;
    store(host, out, sums);
    return out;
  }
  const result = products(
    numbers(host, a),
    numbers(host, right),
    new Float64Array(out.size),
    m,
    n,
    k,
    0,
    isFloating(a.dtype) ? mulNumber : mulWhole,
  );
  if (options.bias) {
    const bias = numbers(host, options.bias);
    for (let i = 0; i < result.length; i++) result[i] += bias[i % n];
  }
  if (options.relu) for (let i = 0; i < result.length; i++) if (result[i] < 0) result[i] = 0;
  store(host, out, result);
  return out;
}

const mulNumber = (sum: number, x: number, y: number): number => sum + x * y;
/** Of 32 bits and fewer, which wrap. */
const mulWhole = (sum: number, x: number, y: number): number => (sum + Math.imul(x, y)) | 0;
const mulBig = (sum: bigint, x: bigint, y: bigint): bigint => sum + x * y;

function products<E extends number | bigint, O extends { [i: number]: E; readonly length: number }>(
  x: ArrayLike<E>,
  y: ArrayLike<E>,
  out: O,
  m: number,
  n: number,
  k: number,
  zero: E,
  step: (sum: E, x: E, y: E) => E,
): O {
  const batches = m * n === 0 ? 0 : out.length / (m * n);
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = zero;
        for (let l = 0; l < k; l++) sum = step(sum, x[(batch * m + i) * k + l], y[(batch * k + l) * n + j]);
        out[(batch * m + i) * n + j] = sum;
      }
    }
  }
  return out;
}
