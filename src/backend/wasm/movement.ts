/** Filling and copying: whole ranges where memory allows, rows where it does not. */
import type { TypedArray } from '../../core/dtype.ts';
import { collapseDims, expandStrides, sameShape } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';

/** What these need of the backend: its memory as typed arrays. */
export interface Memory {
  data(x: NDArray): TypedArray;
}

/** Fills an array that covers a range of memory; false if it does not. */
export function fillRange(host: Memory, out: NDArray, value: number | bigint): boolean {
  if (!out.dense) return false;
  const data = host.data(out);
  const end = out.offset + out.size;
  if (data instanceof BigInt64Array) data.fill(BigInt(value), out.offset, end);
  else data.fill(out.dtype === 'bool' ? (Number(value) !== 0 ? 1 : 0) : Number(value), out.offset, end);
  return true;
}

/**
 * Copies between arrays of one dtype that share no memory, or are laid out the same. False where the dtypes differ in
 * a way that typed arrays do not convert as C does.
 */
export function copyRows(host: Memory, out: NDArray, x: NDArray): boolean {
  const [from, to] = [host.data(x), host.data(out)];
  if (from instanceof BigInt64Array || to instanceof BigInt64Array) {
    if (!(from instanceof BigInt64Array && to instanceof BigInt64Array)) return false;
    if (out.storage === x.storage) return false;
    copyLayout(out, x, (s, t, n) => void to.set(from.subarray(s, s + n), t), (s, t) => void (to[t] = from[s]));
    return true;
  }
  const wraps = out.dtype !== x.dtype && (out.dtype === 'bool' || (x.dtype.startsWith('float') && !out.dtype.startsWith('float')));
  if (wraps || out.storage === x.storage) return false;
  copyLayout(out, x, (s, t, n) => void to.set(from.subarray(s, s + n), t), (s, t) => void (to[t] = from[s]));
  return true;
}

/** Walks both layouts in the order of out's memory; `row` copies n neighbours, `one` an element. */
function copyLayout(
  out: NDArray,
  x: NDArray,
  row: (source: number, target: number, n: number) => void,
  one: (source: number, target: number) => void,
): void {
  if (out.size === 0) return;
  const source = sameShape(out.shape, x.shape) ? x.strides : expandStrides(x.shape, x.strides, out.shape);
  const order = [...out.shape.keys()].sort((i, j) => out.strides[j] - out.strides[i] || i - j);
  const walk = collapseDims(
    order.map((d) => out.shape[d]),
    [order.map((d) => source[d]), order.map((d) => out.strides[d])],
  );
  const [sourceStrides, targetStrides] = walk.strides;
  const last = walk.shape.length - 1;
  const n = walk.shape[last] ?? 1;
  const [sStep, tStep] = [sourceStrides[last] ?? 1, targetStrides[last] ?? 1];
  const together = sStep === 1 && tStep === 1;
  const index = new Array<number>(Math.max(last, 0)).fill(0);
  let s = x.offset;
  let t = out.offset;
  for (;;) {
    if (together) row(s, t, n);
    else for (let i = 0, a = s, b = t; i < n; i++, a += sStep, b += tStep) one(a, b);
    let d = last - 1;
    for (; d >= 0; d--) {
      s += sourceStrides[d];
      t += targetStrides[d];
      if (++index[d] < walk.shape[d]) break;
      s -= sourceStrides[d] * walk.shape[d];
      t -= targetStrides[d] * walk.shape[d];
      index[d] = 0;
    }
    if (d < 0) return;
  }
}
