/** Where bytes come from: ranges of a file, of memory or of an address, or one stream from its beginning. */
import { ArgumentError, DataError } from '../core/errors.ts';
import {
  hintForAddresses,
  isFileHandle,
  messageOf,
  type NodeModules,
  nodeModules,
  privatePlace,
} from './platform.ts';

/**
 * What can be read. A string is a path: Node's, or in a page one in the origin's private file system. Addresses are
 * URL objects, or strings that begin with http:// or https://; nothing else is ever asked of the network.
 */
export type Source =
  | string
  | URL
  | Blob
  | ArrayBuffer
  | ArrayBufferView
  | Response
  | ReadableStream<Uint8Array>
  | FileSystemFileHandle;

/** Makes the error for a problem of one source, whose name it knows. */
export type Fail = (problem: string, cause?: unknown) => DataError;

/** Bytes by position. Reading allocates no more than is there. */
export interface ByteSource {
  /** For messages. */
  readonly name: string;
  readonly fail: Fail;
  /** null for a stream whose end has not been seen. */
  readonly size: number | null;
  /** Exactly the bytes of [begin, end). @throws DataError if they are not there or cannot be read */
  read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Everything up to the end. */
  rest(begin: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Bytes read from a file at once. */
const PIECE = 1 << 26;

const failFor =
  (op: string, name: string): Fail =>
  (problem, cause) =>
    new DataError(`${op}: ${name}: ${problem}`, cause === undefined ? undefined : { cause });

const cutShort = (fail: Fail, end: number, size: number): DataError =>
  fail(`it was cut short: expected at least ${end} bytes, but got ${size}`);

class MemorySource implements ByteSource {
  readonly name: string;
  readonly fail: Fail;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(op: string, bytes: Uint8Array<ArrayBuffer>, name = 'the given bytes') {
    this.name = name;
    this.fail = failFor(op, name);
    this.#bytes = bytes;
  }
  get size(): number {
    return this.#bytes.length;
  }
  async read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    if (end > this.size) throw cutShort(this.fail, end, this.size);
    return this.#bytes.subarray(begin, end);
  }
  async rest(begin: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#bytes.subarray(begin);
  }
  async close(): Promise<void> {}
}

class BlobSource implements ByteSource {
  readonly name: string;
  readonly fail: Fail;
  readonly #blob: Blob;

  constructor(op: string, blob: Blob) {
    this.name = 'name' in blob && typeof blob.name === 'string' ? blob.name : 'the given Blob';
    this.fail = failFor(op, this.name);
    this.#blob = blob;
  }
  get size(): number {
    return this.#blob.size;
  }
  async read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    if (end > this.size) throw cutShort(this.fail, end, this.size);
    try {
      return new Uint8Array(await this.#blob.slice(begin, end).arrayBuffer());
    } catch (cause) {
      throw this.fail(`it cannot be read (${messageOf(cause)})`, cause);
    }
  }
  rest(begin: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.read(begin, this.size);
  }
  async close(): Promise<void> {}
}

type Handle = Awaited<ReturnType<NodeModules['fs']['open']>>;

class DiskSource implements ByteSource {
  readonly name: string;
  readonly fail: Fail;
  readonly size: number;
  readonly #handle: Handle;

  private constructor(name: string, fail: Fail, handle: Handle, size: number) {
    this.name = name;
    this.fail = fail;
    this.size = size;
    this.#handle = handle;
  }
  static async open({ fs }: NodeModules, path: string, op: string): Promise<DiskSource> {
    const fail = failFor(op, path);
    let handle: Handle | null = null;
    try {
      handle = await fs.open(path, 'r');
      const status = await handle.stat();
      if (!status.isFile()) throw new Error('it is not a regular file');
      return new DiskSource(path, fail, handle, status.size);
    } catch (cause) {
      await handle?.close();
      throw fail(`it cannot be read (${messageOf(cause)})`, cause);
    }
  }
  async read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    if (end > this.size) throw cutShort(this.fail, end, this.size);
    const bytes = new Uint8Array(end - begin);
    for (let at = 0; at < bytes.length; ) {
      const length = Math.min(PIECE, bytes.length - at);
      const { bytesRead } = await this.#handle.read(bytes, at, length, begin + at).catch((cause: unknown) => {
        throw this.fail(`it cannot be read (${messageOf(cause)})`, cause);
      });
      if (bytesRead === 0) throw cutShort(this.fail, end, begin + at);
      at += bytesRead;
    }
    return bytes;
  }
  rest(begin: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.read(begin, this.size);
  }
  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** A stream, read forward: a range must not begin before the end of an earlier one. */
class StreamSource implements ByteSource {
  readonly name: string;
  readonly fail: Fail;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  /** Position of the first byte of `#held`. */
  #at = 0;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #size: number | null = null;

  constructor(op: string, stream: ReadableStream<Uint8Array>, name: string) {
    this.name = name;
    this.fail = failFor(op, name);
    this.#reader = stream.getReader();
  }
  get size(): number | null {
    return this.#size;
  }

  /** Waits for the next chunk; false at the end. */
  async #more(): Promise<boolean> {
    if (this.#size !== null) return false;
    const { done, value } = await this.#reader.read().catch((cause: unknown) => {
      throw this.fail(`it cannot be read (${messageOf(cause)})`, cause);
    });
    if (done) this.#size = this.#at + this.#heldBytes;
    else if (value instanceof Uint8Array) {
      this.#held.push(value);
      this.#heldBytes += value.length;
    } else throw this.fail('the stream gives something other than bytes');
    return !done;
  }

  #take(count: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(count);
    let filled = 0;
    let used = 0;
    for (; filled < count; used++) {
      const chunk = this.#held[used];
      const part = chunk.subarray(0, count - filled);
      out.set(part, filled);
      filled += part.length;
      if (part.length < chunk.length) {
        this.#held[used] = chunk.subarray(part.length);
        break;
      }
    }
    this.#held = this.#held.slice(used);
    this.#at += count;
    this.#heldBytes -= count;
    return out;
  }

  async read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    if (begin < this.#at) throw new Error(`a stream was read backward, from ${this.#at} to ${begin}`);
    // What lies between is dropped as it comes.
    while (this.#at < begin) {
      this.#take(Math.min(this.#heldBytes, begin - this.#at));
      if (this.#at < begin && !(await this.#more())) throw cutShort(this.fail, end, this.#at);
    }
    while (this.#heldBytes < end - begin)
      if (!(await this.#more())) throw cutShort(this.fail, end, this.#at + this.#heldBytes);
    return this.#take(end - begin);
  }

  async rest(begin: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.read(begin, begin);
    while (await this.#more());
    return this.#take(this.#heldBytes);
  }
  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }
}

/** Ranges of an address (RFC 9110, section 14). */
class RangeSource implements ByteSource {
  readonly name: string;
  readonly fail: Fail;
  readonly size: number;
  readonly #url: URL;
  readonly #tag: string | null;

  private constructor(url: URL, fail: Fail, size: number, tag: string | null) {
    this.name = url.href;
    this.fail = fail;
    this.size = size;
    this.#url = url;
    this.#tag = tag;
  }

  /** Asks for the first bytes; a server that sends everything instead is read to its end once. */
  static async open(url: URL, op: string): Promise<ByteSource> {
    const fail = failFor(op, url.href);
    const response = await request(url, fail, { range: 'bytes=0-7' });
    const range = /^bytes \d+-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
    if (response.status !== 206 || !range)
      return new MemorySource(op, await bodyOf(response, fail), url.href);
    await response.body?.cancel();
    const tag = response.headers.get('etag');
    return new RangeSource(url, fail, Number(range[1]), tag?.startsWith('W/') ? null : tag);
  }

  async read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    if (end > this.size) throw cutShort(this.fail, end, this.size);
    if (end === begin) return new Uint8Array(0);
    const headers: Record<string, string> = { range: `bytes=${begin}-${end - 1}` };
    if (this.#tag) headers['if-match'] = this.#tag;
    const response = await request(this.#url, this.fail, headers);
    if (response.status !== 206) {
      await response.body?.cancel();
      throw this.fail(`expected the server to answer with a part (206), but got ${response.status}`);
    }
    const bytes = await bodyOf(response, this.fail);
    if (bytes.length !== end - begin) {
      throw this.fail(`expected ${end - begin} bytes from position ${begin}, but got ${bytes.length}`);
    }
    return bytes;
  }
  rest(begin: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.read(begin, this.size);
  }
  async close(): Promise<void> {}
}

async function request(url: URL, fail: Fail, headers: Record<string, string> = {}): Promise<Response> {
  const response = await fetch(url, { headers }).catch((cause: unknown) => {
    throw fail(
      `it cannot be fetched (${messageOf(cause)}); check the address, the connection, and that the server allows this ` +
        'page to read it (CORS)',
      cause,
    );
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw fail(`it cannot be fetched: the server answered ${response.status}`);
  }
  return response;
}

async function bodyOf(response: Response, fail: Fail): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw fail(`it cannot be read: its transfer broke off (${messageOf(cause)})`, cause);
  }
}

const isStream = (x: unknown): x is ReadableStream<Uint8Array> =>
  typeof ReadableStream !== 'undefined' && x instanceof ReadableStream;

function bytesOfView(view: ArrayBuffer | ArrayBufferView): Uint8Array<ArrayBuffer> {
  const bytes = ArrayBuffer.isView(view)
    ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    : new Uint8Array(view);
  // Text decoders and Blobs refuse shared memory.
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : bytes.slice();
}

/** An address, if the source is one. */
function addressOf(source: string | URL): URL | null {
  if (source instanceof URL) return source.protocol === 'file:' ? null : source;
  return /^https?:\/\//i.test(source) ? new URL(source) : null;
}

/**
 * Opens a source. `ranges` asks for access in any order; otherwise addresses, responses and streams are read once, from
 * their beginning. @throws DataError if it is not there; ArgumentError if it is nothing that can be read
 */
export async function openSource(source: Source, op: string, ranges: boolean): Promise<ByteSource> {
  if (typeof source === 'string' || source instanceof URL) {
    const url = addressOf(source);
    if (url === null) return openPath(source, op);
    if (ranges) return RangeSource.open(url, op);
    const response = await request(url, failFor(op, url.href));
    return ofStream(response.body, op, url.href, false);
  }
  if (ArrayBuffer.isView(source) || source instanceof ArrayBuffer)
    return new MemorySource(op, bytesOfView(source));
  if (source instanceof Blob) return new BlobSource(op, source);
  if (isFileHandle(source)) return ofHandle(source, op, source.name);
  if (source instanceof Response) {
    const name = source.url || 'the given Response';
    if (!source.ok) throw failFor(op, name)(`the server answered ${source.status}`);
    if (source.bodyUsed) throw failFor(op, name)('its body was read before');
    return ofStream(source.body, op, name, ranges);
  }
  if (isStream(source)) return ofStream(source, op, 'the given stream', ranges);
  throw new ArgumentError(
    `${op}: expected a path, URL, Blob, File, ArrayBuffer, typed array, Response, stream or file handle, but got ${
      source === null ? 'null' : typeof source
    }`,
  );
}

async function ofStream(
  stream: ReadableStream<Uint8Array> | null,
  op: string,
  name: string,
  ranges: boolean,
): Promise<ByteSource> {
  if (stream === null) return new MemorySource(op, new Uint8Array(0), name);
  const source = new StreamSource(op, stream, name);
  return ranges ? new MemorySource(op, await source.rest(0), name) : source;
}

async function openPath(path: string | URL, op: string): Promise<ByteSource> {
  const node = nodeModules();
  if (node) return DiskSource.open(node, typeof path === 'string' ? path : node.url.fileURLToPath(path), op);
  if (path instanceof URL)
    throw new DataError(`${op}: ${path} is a file, which pages cannot read by address`);
  const { folder, file } = await privatePlace(path, false, op);
  const handle = await folder.getFileHandle(file).catch((cause: unknown) => {
    throw new DataError(
      `${op}: ${path}: there is no such file in this page's private file system${hintForAddresses}`,
      { cause },
    );
  });
  return ofHandle(handle, op, path);
}

async function ofHandle(handle: FileSystemFileHandle, op: string, name: string): Promise<ByteSource> {
  try {
    return new BlobSource(op, await handle.getFile());
  } catch (cause) {
    throw new DataError(`${op}: ${name}: it cannot be read (${messageOf(cause)})`, { cause });
  }
}

/** Runs `body` with an opened source and closes it. */
export async function withSource<R>(
  source: Source,
  op: string,
  ranges: boolean,
  body: (bytes: ByteSource) => Promise<R>,
): Promise<R> {
  const bytes = await openSource(source, op, ranges);
  try {
    return await body(bytes);
  } finally {
    await bytes.close();
  }
}
