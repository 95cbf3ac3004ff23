/**
 * The idx format of MNIST's files: a magic number (0, 0, type, number of dimensions), the sizes as big-endian 32-bit
 * numbers, the elements; plain or in gzip. Files are read piece by piece into where the items shall be. Nothing is
 * allocated before the header has been believed: its sizes must be the ones asked for, and its length that of the file.
 */
import type { DataError } from '../core/errors.ts';

/** The bytes of a file, in order. A piece may be overwritten when the next is asked for. */
export interface ByteSource {
  readonly size: number;
  pieces(): AsyncIterable<Uint8Array>;
}

/** Few enough to stay in the cache on their way, enough for their number not to matter. */
export const PIECE_BYTES = 2 ** 20;

export const inMemory = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length,
  async *pieces() {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
  },
});

/** Takes the items one after the other, in pieces of any length. */
export interface ItemSink<Items> {
  write(piece: Uint8Array): void;
  readonly items: Items;
}

/** Makes room for so many items, that many bytes in all. */
export type NewSink<Items> = (count: number, bytes: number) => ItemSink<Items>;

export function bytesSink(_count: number, bytes: number): ItemSink<Uint8Array> {
  const items = new Uint8Array(bytes);
  let filled = 0;
  return {
    items,
    write(piece) {
      items.set(piece, filled);
      filled += piece.length;
    },
  };
}

export interface IdxItems<Items> {
  readonly count: number;
  readonly items: Items;
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

/**
 * Reads a file whose items are bytes of this shape into what `newSink` makes for so many of them.
 * @throws what `fail` makes of a file that is anything else
 */
export async function readIdx<Items>(
  source: ByteSource,
  itemShape: readonly number[],
  fail: Fail,
  newSink: NewSink<Items>,
): Promise<IdxItems<Items>> {
  const start = headerBytes(itemShape);
  const isPacked = await startsAsGzip(source);
  const header = new Uint8Array(start);
  let filled = 0;
  let found = 0;
  let promised: { count: number; bytes: number; sink: ItemSink<Items> } | null = null;
  for await (const piece of isPacked ? inflatedPieces(source, fail) : source.pieces()) {
    const ofHeader = piece.subarray(0, start - filled);
    header.set(ofHeader, filled);
    filled += ofHeader.length;
    if (filled < start) continue;
    if (promised === null) {
      const count = itemCount(header, itemShape, fail);
      const bytes = count * itemBytes(itemShape);
      const there = isPacked ? null : source.size - start;
      if (there !== null && there !== bytes) throw fail(wrongLength(count, itemShape, there < bytes, there));
      if (bytes > source.size * DEFLATE_MAX_RATIO) throw fail(wrongLength(count, itemShape, true));
      promised = { count, bytes, sink: newSink(count, bytes) };
    }
    const rest = piece.subarray(ofHeader.length);
    if (found + rest.length > promised.bytes) throw fail(wrongLength(promised.count, itemShape, false));
    if (rest.length > 0) promised.sink.write(rest);
    found += rest.length;
  }
  if (promised === null) throw fail(`expected a header of ${start} bytes, but got ${filled} bytes`);
  const { count, bytes, sink } = promised;
  if (found < bytes) throw fail(wrongLength(count, itemShape, true, found));
  return { count, items: sink.items };
}

async function startsAsGzip(source: ByteSource): Promise<boolean> {
  for await (const piece of source.pieces()) return isGzip(piece);
  return false;
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

/** The bytes of a file, unpacked if it is gzipped. */
export const plainPieces = async (source: ByteSource, fail: Fail): Promise<AsyncIterable<Uint8Array>> =>
  (await startsAsGzip(source)) ? inflatedPieces(source, fail) : source.pieces();

async function* inflatedPieces(source: ByteSource, fail: Fail): AsyncGenerator<Uint8Array> {
  const reader = streamOf(source).pipeThrough(new DecompressionStream('gzip')).getReader();
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

/** A stream with copies of the pieces: it reads ahead. */
function streamOf(source: ByteSource): ReadableStream<Uint8Array<ArrayBuffer>> {
  const pieces = source.pieces()[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value.slice());
    },
    async cancel() {
      await pieces.return?.();
    },
  });
}
