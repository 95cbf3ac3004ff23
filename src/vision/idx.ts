/**
 * The idx format of MNIST's files: a magic number (0, 0, type, number of dimensions), the sizes as big-endian 32-bit
 * numbers, the elements; plain or in gzip. Nothing is allocated before the header has been believed: its sizes must be
 * the ones asked for, and its length that of the file.
 */
import type { DataError } from '../core/errors.ts';

export interface IdxItems {
  readonly count: number;
  /** The items one after the other; of a plain file, the very memory that was given. */
  readonly data: Uint8Array;
}

/** Makes the error for a problem of one file: who reads knows its name and what to do about it. */
export type Fail = (problem: string, cause?: unknown) => DataError;

const UNSIGNED_BYTE = 0x08;
const GZIP_MAGIC = [0x1f, 0x8b];
/** No deflate stream expands more than this. */
const DEFLATE_MAX_RATIO = 1032;

export const isGzip = (bytes: Uint8Array): boolean => GZIP_MAGIC.every((byte, i) => bytes[i] === byte);

const hex = (word: number): string => `0x${word.toString(16).padStart(8, '0')}`;
const headerBytes = (itemShape: readonly number[]): number => 4 * (2 + itemShape.length);
const itemBytes = (itemShape: readonly number[]): number => itemShape.reduce((n, size) => n * size, 1);

/** Reads a file whose items are bytes of this shape. @throws what `fail` makes of a file that is anything else */
export async function readIdx(
  bytes: Uint8Array,
  itemShape: readonly number[],
  fail: Fail,
): Promise<IdxItems> {
  if (isGzip(bytes)) return inflate(bytes, itemShape, fail);
  const count = itemCount(bytes, itemShape, fail);
  const data = bytes.subarray(headerBytes(itemShape));
  const expected = count * itemBytes(itemShape);
  if (data.length === expected) return { count, data };
  throw fail(wrongLength(count, itemShape, data.length < expected, data.length));
}

function wrongLength(count: number, itemShape: readonly number[], short: boolean, found?: number): string {
  const promise = `its header promises sizes [${[count, ...itemShape].join(', ')}], ${count * itemBytes(itemShape)} bytes`;
  return `${promise}, but ${found === undefined ? (short ? 'fewer' : 'more') : found} follow: ${
    short ? 'the file was cut short' : 'something was added to the file'
  }`;
}

/** The number of items that the header names, if it is the right header. */
function itemCount(bytes: Uint8Array, itemShape: readonly number[], fail: Fail): number {
  const header = headerBytes(itemShape);
  if (bytes.length < header)
    throw fail(`expected a header of ${header} bytes, but got ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, header);
  const expected = (UNSIGNED_BYTE << 8) | (itemShape.length + 1);
  const magic = view.getUint32(0);
  if (magic !== expected) {
    throw fail(
      `expected an idx file of bytes with ${itemShape.length + 1} dimension${itemShape.length > 0 ? 's' : ''}, which begins ` +
        `with ${hex(expected)}, but got ${hex(magic)}`,
    );
  }
  const sizes = itemShape.map((_, d) => view.getUint32(8 + 4 * d));
  if (sizes.some((size, d) => size !== itemShape[d])) {
    throw fail(`expected items of size ${itemShape.join('×')}, but its header says ${sizes.join('×')}`);
  }
  return view.getUint32(4);
}

/** Reads the header out of the first inflated bytes, then exactly as many as it promises. */
async function inflate(bytes: Uint8Array, itemShape: readonly number[], fail: Fail): Promise<IdxItems> {
  const start = headerBytes(itemShape);
  const believable = bytes.length * DEFLATE_MAX_RATIO;
  let file = new Uint8Array(start);
  let filled = 0;
  let count: number | null = null;
  for await (const chunk of inflatedChunks(bytes, fail)) {
    for (let at = 0; at < chunk.length; ) {
      if (count !== null && filled === file.length) throw fail(wrongLength(count, itemShape, false));
      const part = chunk.subarray(at, at + file.length - filled);
      file.set(part, filled);
      filled += part.length;
      at += part.length;
      if (count !== null || filled < start) continue;
      count = itemCount(file, itemShape, fail);
      const size = count * itemBytes(itemShape);
      if (size > believable) throw fail(wrongLength(count, itemShape, true));
      const whole = new Uint8Array(start + size);
      whole.set(file);
      file = whole;
    }
  }
  if (count === null) throw fail(`expected a header of ${start} bytes, but got ${filled} bytes`);
  if (filled < file.length) throw fail(wrongLength(count, itemShape, true, filled - start));
  return { count, data: file.subarray(start) };
}

async function* inflatedChunks(bytes: Uint8Array, fail: Fail): AsyncGenerator<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'));
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw fail('its gzip data is corrupt or cut short', error);
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
