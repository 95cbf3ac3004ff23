/** What the host still knows of arrays: the values that their storages were uploaded from. */
import { dtypeInfo, type TypedArray } from '../../core/dtype.ts';
import type { NDArray } from '../array.ts';
import { forEachOffset } from '../reference/elements.ts';
import type { IndexRange } from './indexChecks.ts';

/** The elements of an array in row-major order, from what its storage was uploaded from. */
export function picked(x: NDArray, host: TypedArray): TypedArray {
  if (x.contiguous) return host.slice(x.offset, x.offset + x.size);
  const out = dtypeInfo[x.dtype].allocate(x.size);
  const from = host as Float32Array;
  const to = out as Float32Array;
  let i = 0;
  forEachOffset(x.shape, x.strides, x.offset, (at) => {
    to[i++] = from[at];
  });
  return out;
}

/** The position of the first int64 that is out of range, -1 if none is. Without a BigInt for each of them: every step asks. */
export function firstOutside(x: NDArray, host: TypedArray, { least, size, ignore }: IndexRange): number {
  const values = x.contiguous ? host.subarray(x.offset, x.offset + x.size) : picked(x, host);
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  for (let i = 0; i < values.length; i++) {
    // Beyond 2⁵³ rounded, but out of every range.
    const value = words[2 * i + 1] * 2 ** 32 + (words[2 * i] >>> 0);
    if ((value < least || value >= size) && value !== ignore) return i;
  }
  return -1;
}
