/** The idx format: a magic number, sizes, bytes. http://yann.lecun.com/exdb/mnist describes it. */
import { DataError } from '../core/errors.ts';

export interface Idx {
  readonly shape: readonly number[];
  /** The elements, without a copy. */
  readonly data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;

/** Reads an idx file of unsigned bytes with so many dimensions. @throws DataError naming what is wrong */
export function parseIdx(bytes: Uint8Array, ndim: number, name: string): Idx {
  const header = 4 + 4 * ndim;
  if (bytes.length < header) {
    throw new DataError(`${name}: expected an idx file with a header of ${header} bytes, but got ${bytes.length} bytes; the file is cut short`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const expected = (UNSIGNED_BYTE << 8) | ndim;
  const magic = view.getUint32(0);
  if (magic !== expected) {
    throw new DataError(
      `${name}: expected the magic number 0x${expected.toString(16).padStart(8, '0')} of an idx file with ${ndim} dimensions, ` +
        `but got 0x${magic.toString(16).padStart(8, '0')}; this is not the right file`,
    );
  }
  const shape = Array.from({ length: ndim }, (_, d) => view.getUint32(4 + 4 * d));
  const size = shape.reduce((n, s) => n * s, 1);
  if (bytes.length - header !== size) {
    throw new DataError(
      `${name}: its header promises [${shape.join(', ')}], ${size} bytes, but ${bytes.length - header} follow; ` +
        `${bytes.length - header < size ? 'the file is cut short' : 'there is more than there should be'}`,
    );
  }
  return { shape, data: bytes.subarray(header) };
}
