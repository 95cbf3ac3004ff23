/**
 * Zip archives (PKWARE's APPNOTE 6.3.10, with zip64): read by their directory, entry by entry, and written stored or
 * deflated. The ranges of entries must not overlap, nothing is inflated beyond the size that the directory promises, and
 * all of it together not beyond a limit: an archive cannot become more than it says.
 */
import { crc32 } from './crc32.ts';
import type { ByteSource, Fail } from './source.ts';

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const MAX_COMMENT = 0xffff;
const ZIP64_FIELD = 1;
const STORED = 0;
const DEFLATED = 8;
const UNKNOWN_32 = 0xffffffff;
const UNKNOWN_16 = 0xffff;
const ENCRYPTED = 1;
const UTF8_NAMES = 0x0800;
/** No deflate stream expands more than this. */
const DEFLATE_MAX_RATIO = 1032;
/** What an archive may become, unless told otherwise. */
export const DEFAULT_MAX_BYTES = 2 ** 31;

export const looksLikeZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);

export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Position of its local header. */
  readonly at: number;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A 64-bit number as a position. */
function position(view: DataView, at: number, fail: Fail): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw fail(`its directory names the position ${value}`);
  return Number(value);
}

export class ZipArchive {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #source: ByteSource;
  /** Where each entry ends at the latest: where the next one, or the directory, begins. */
  readonly #ends: ReadonlyMap<ZipEntry, number>;
  /** Bytes that may still be read. */
  #allowance: number;

  private constructor(source: ByteSource, entries: readonly ZipEntry[], directory: number, maxBytes: number) {
    const { fail } = source;
    this.#source = source;
    this.#allowance = maxBytes;
    this.entries = new Map(entries.map((entry) => [entry.name, entry]));
    if (this.entries.size !== entries.length) throw fail('its directory has the same name twice');
    const sorted = [...entries].sort((a, b) => a.at - b.at);
    const ends = new Map<ZipEntry, number>();
    sorted.forEach((entry, i) => {
      const end = i + 1 < sorted.length ? sorted[i + 1].at : directory;
      if (entry.at + LOCAL_BYTES + entry.packed > end)
        throw fail(`its entry ${JSON.stringify(entry.name)} overlaps what follows it`);
      ends.set(entry, end);
    });
    this.#ends = ends;
  }

  /** Reads the directory. @throws DataError */
  static async open(source: ByteSource, maxBytes: number = DEFAULT_MAX_BYTES): Promise<ZipArchive> {
    const { fail, size } = source;
    if (size === null) throw new Error('a zip archive needs a source whose size is known');
    const tailStart = Math.max(0, size - END_BYTES - MAX_COMMENT);
    const tail = await source.read(tailStart, size);
    const view = viewOf(tail);
    let at = tail.length - END_BYTES;
    while (
      at >= 0 &&
      !(view.getUint32(at, true) === END && at + END_BYTES + view.getUint16(at + 20, true) === tail.length)
    )
      at--;
    if (at < 0) throw fail('its end is missing: it was cut short, or is no zip archive');
    const directory = await directoryOf(source, tailStart + at, viewOf(tail.subarray(at)));
    const bytes = await source.read(directory.at, directory.at + directory.bytes);
    return new ZipArchive(source, readDirectory(bytes, directory.count, fail), directory.at, maxBytes);
  }

  /** The bytes of an entry, inflated and checked. @throws DataError */
  async read(entry: ZipEntry): Promise<Uint8Array<ArrayBuffer>> {
    const { fail } = this.#source;
    const name = JSON.stringify(entry.name);
    this.#allowance -= entry.size;
    if (this.#allowance < 0)
      throw fail(`its entries are larger than the limit, at ${name}; maxBytes sets another one`);
    const header = viewOf(await this.#source.read(entry.at, entry.at + LOCAL_BYTES));
    if (header.getUint32(0, true) !== LOCAL) throw fail(`there is no entry where ${name} should begin`);
    const start = entry.at + LOCAL_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
    if (start + entry.packed > (this.#ends.get(entry) ?? 0))
      throw fail(`its entry ${name} overlaps what follows it`);
    const packed = await this.#source.read(start, start + entry.packed);
    const bytes = entry.method === STORED ? packed : await inflate(packed, entry, fail);
    if (crc32(bytes) !== entry.crc) throw fail(`its entry ${name} is damaged: the checksum differs`);
    return bytes;
  }
}

/** Where the directory is, from the record at the archive's end, or from the one of zip64 before it. */
async function directoryOf(source: ByteSource, endAt: number, end: DataView) {
  const { fail } = source;
  let count = end.getUint16(10, true);
  let bytes = end.getUint32(12, true);
  let at = end.getUint32(16, true);
  if ((count === UNKNOWN_16 || bytes === UNKNOWN_32 || at === UNKNOWN_32) && endAt >= LOCATOR_BYTES) {
    const locator = viewOf(await source.read(endAt - LOCATOR_BYTES, endAt));
    if (locator.getUint32(0, true) === LOCATOR64) {
      const at64 = position(locator, 8, fail);
      if (at64 + END64_BYTES > endAt) throw fail('its zip64 directory lies outside the file');
      const end64 = viewOf(await source.read(at64, at64 + END64_BYTES));
      if (end64.getUint32(0, true) !== END64) throw fail('its zip64 directory is missing');
      count = position(end64, 32, fail);
      bytes = position(end64, 40, fail);
      at = position(end64, 48, fail);
    }
  }
  if (at + bytes > endAt || count * CENTRAL_BYTES > bytes) throw fail('its directory lies outside the file');
  return { count, bytes, at };
}

function readDirectory(bytes: Uint8Array, count: number, fail: Fail): ZipEntry[] {
  const view = viewOf(bytes);
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > bytes.length || view.getUint32(at, true) !== CENTRAL)
      throw fail(`its directory is damaged at entry ${i}`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) =>
      view.getUint16(at + offset, true),
    );
    const nameAt = at + CENTRAL_BYTES;
    const next = nameAt + nameBytes + extraBytes + commentBytes;
    if (next > bytes.length) throw fail(`its directory is damaged at entry ${i}`);
    const extra = bytes.subarray(nameAt + nameBytes, nameAt + nameBytes + extraBytes);
    entries.push(
      readEntry(view, at, entryName(bytes.subarray(nameAt, nameAt + nameBytes), fail), extra, fail),
    );
    at = next;
  }
  return entries;
}

function entryName(bytes: Uint8Array, fail: Fail): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw fail('its directory has a name that is not valid UTF-8', cause);
  }
}

function readEntry(view: DataView, at: number, name: string, extra: Uint8Array, fail: Fail): ZipEntry {
  const method = view.getUint16(at + 10, true);
  if (view.getUint16(at + 8, true) & ENCRYPTED) throw fail(`its entry ${JSON.stringify(name)} is encrypted`);
  if (method !== STORED && method !== DEFLATED)
    throw fail(
      `its entry ${JSON.stringify(name)} is packed by method ${method}; stored and deflated ones can be read`,
    );
  const found = {
    size: view.getUint32(at + 24, true),
    packed: view.getUint32(at + 20, true),
    at: view.getUint32(at + 42, true),
  };
  const wide = zip64Field(extra);
  let place = 0;
  for (const field of ['size', 'packed', 'at'] as const) {
    if (found[field] !== UNKNOWN_32 || wide === null) continue;
    if (place + 8 > wide.byteLength) throw fail(`its directory is damaged at ${JSON.stringify(name)}`);
    found[field] = position(wide, place, fail);
    place += 8;
  }
  const believable = method === STORED ? found.packed : found.packed * DEFLATE_MAX_RATIO;
  if (method === STORED ? found.size !== believable : found.size > believable)
    throw fail(
      `its entry ${JSON.stringify(name)} cannot have ${found.size} bytes, packed in ${found.packed}`,
    );
  return { name, method, crc: view.getUint32(at + 16, true), ...found };
}

/** The extra field that holds numbers beyond 32 bits. */
function zip64Field(extra: Uint8Array): DataView | null {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === ZIP64_FIELD && at + 4 + length <= extra.length)
      return viewOf(extra.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return null;
}

/** Exactly the promised bytes; no more are ever held. */
async function inflate(
  packed: Uint8Array<ArrayBuffer>,
  entry: ZipEntry,
  fail: Fail,
): Promise<Uint8Array<ArrayBuffer>> {
  const wrong = (what: string, cause?: unknown) =>
    fail(`its entry ${JSON.stringify(entry.name)} ${what}`, cause);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let filled = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw wrong('is corrupt or cut short', cause);
      });
      if (done) break;
      filled += value.length;
      if (filled > entry.size) throw wrong(`holds more than the promised ${entry.size} bytes`);
      chunks.push(value);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
  if (filled !== entry.size) throw wrong(`holds ${filled} bytes instead of the promised ${entry.size}`);
  const out = new Uint8Array(filled);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

// Writing

export interface ZipFile {
  readonly name: string;
  readonly pieces: readonly Uint8Array[];
}

/** 1980-01-01, the first day that the format knows: the same files give the same archive. */
const FIRST_DAY = 0x21;

/** An archive in pieces. Sizes beyond 32 bits use zip64. */
export async function* zipChunks(files: readonly ZipFile[], compress: boolean): AsyncGenerator<Uint8Array> {
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const { name, pieces } of files) {
    const crc = pieces.reduce((sum, piece) => crc32(piece, sum), 0);
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const content = compress ? await deflate(pieces) : pieces;
    const packed = content.reduce((sum, piece) => sum + piece.length, 0);
    const encoded = new TextEncoder().encode(name);
    const entry = { encoded, method: compress ? DEFLATED : STORED, crc, size, packed, at };
    const local = entryHeader(entry, false);
    directory.push(entryHeader(entry, true));
    yield local;
    yield* content;
    at += local.length + packed;
  }
  yield* directory;
  yield endOfArchive(
    files.length,
    directory.reduce((sum, piece) => sum + piece.length, 0),
    at,
  );
}

async function deflate(pieces: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const blob = new Blob([...pieces] as Uint8Array<ArrayBuffer>[]);
  const packed = await new Response(
    blob.stream().pipeThrough(new CompressionStream('deflate-raw')),
  ).arrayBuffer();
  return [new Uint8Array(packed)];
}

interface Written {
  encoded: Uint8Array;
  method: number;
  crc: number;
  size: number;
  packed: number;
  at: number;
}

/** The header before the bytes of an entry, or its place in the directory. */
function entryHeader({ encoded, method, crc, size, packed, at }: Written, central: boolean): Uint8Array {
  const wide = Math.max(size, packed, central ? at : 0) >= UNKNOWN_32;
  const numbers = central ? [size, packed, at] : [size, packed];
  const extraBytes = wide ? 4 + 8 * numbers.length : 0;
  const fixed = central ? CENTRAL_BYTES : LOCAL_BYTES;
  const bytes = new Uint8Array(fixed + encoded.length + extraBytes);
  const view = viewOf(bytes);
  const version = wide ? 45 : 20;
  view.setUint32(0, central ? CENTRAL : LOCAL, true);
  let place = 4;
  const put16 = (value: number) => {
    view.setUint16(place, value, true);
    place += 2;
  };
  const put32 = (value: number) => {
    view.setUint32(place, value, true);
    place += 4;
  };
  if (central) put16(version);
  for (const value of [version, UTF8_NAMES, method, 0, FIRST_DAY]) put16(value);
  for (const value of [crc, wide ? UNKNOWN_32 : packed, wide ? UNKNOWN_32 : size]) put32(value);
  for (const value of [encoded.length, extraBytes]) put16(value);
  if (central) {
    for (const value of [0, 0, 0]) put16(value); // comment, disk, internal attributes
    for (const value of [0, wide ? UNKNOWN_32 : at]) put32(value); // external attributes, position
  }
  bytes.set(encoded, fixed);
  if (wide) {
    place = fixed + encoded.length;
    put16(ZIP64_FIELD);
    put16(8 * numbers.length);
    numbers.forEach((value, i) => {
      view.setBigUint64(place + 8 * i, BigInt(value), true);
    });
  }
  return bytes;
}

function endOfArchive(count: number, bytes: number, at: number): Uint8Array {
  const wide = count >= UNKNOWN_16 || bytes >= UNKNOWN_32 || at >= UNKNOWN_32;
  const start = wide ? END64_BYTES + LOCATOR_BYTES : 0;
  const out = new Uint8Array(start + END_BYTES);
  const view = viewOf(out);
  if (wide) {
    view.setUint32(0, END64, true);
    view.setBigUint64(4, BigInt(END64_BYTES - 12), true);
    view.setUint16(12, 45, true);
    view.setUint16(14, 45, true);
    for (const [place, value] of [
      [24, count],
      [32, count],
      [40, bytes],
      [48, at],
    ] as const)
      view.setBigUint64(place, BigInt(value), true);
    view.setUint32(END64_BYTES, LOCATOR64, true);
    view.setBigUint64(END64_BYTES + 8, BigInt(at + bytes), true);
    view.setUint32(END64_BYTES + 16, 1, true);
  }
  view.setUint32(start, END, true);
  view.setUint16(start + 8, Math.min(count, UNKNOWN_16), true);
  view.setUint16(start + 10, Math.min(count, UNKNOWN_16), true);
  view.setUint32(start + 12, Math.min(bytes, UNKNOWN_32), true);
  view.setUint32(start + 16, Math.min(at, UNKNOWN_32), true);
  return out;
}
