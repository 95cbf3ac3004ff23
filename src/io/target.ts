/**
 * Where files go. Whatever happens in between, a path holds either the file that was there before or the whole new one:
 * the bytes go to a temporary file beside it, are forced to the disk, and take its name in one step.
 */
import { ArgumentError, DataError, StorageFullError } from '../core/errors.ts';
import { isFileHandle, messageOf, type NodeModules, nodeModules, privatePlace } from './platform.ts';

/**
 * What can be written. A string is a path: Node's, or in a page one in the origin's private file system, where missing
 * folders are made. A stream is closed at the end.
 */
export type Target = string | URL | FileSystemFileHandle | WritableStream<Uint8Array>;

interface Sink {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Makes the file what was written. */
  finish(): Promise<void>;
  /** Forgets what was written. */
  abort(cause: unknown): Promise<void>;
}

/** Small pieces are collected up to this size. */
const BUFFER_BYTES = 1 << 20;
const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'QuotaExceededError']);

function failure(op: string, name: string, cause: unknown): Error {
  if (cause instanceof DataError) return cause;
  const { code, name: kind } = cause as { code?: unknown; name?: unknown };
  const full = FULL.has(code) || FULL.has(kind);
  const Kind = full ? StorageFullError : DataError;
  const what = full ? 'there is no room for it; what was there before is intact' : 'it cannot be written';
  return new Kind(`${op}: ${name}: ${what} (${messageOf(cause)})`, { cause });
}

/** Writes that run, by path: a second one to the same path waits for the first. */
const running = new Map<string, Promise<unknown>>();

async function inTurn<R>(path: string, work: () => Promise<R>): Promise<R> {
  const before = running.get(path) ?? Promise.resolve();
  const job = before.catch(() => {}).then(work);
  running.set(path, job);
  try {
    return await job;
  } finally {
    if (running.get(path) === job) running.delete(path);
  }
}

/** Writes the chunks to a target. @throws DataError, StorageFullError; errors of the chunks themselves pass */
export async function writeTo(
  target: Target,
  op: string,
  chunks: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const place = await resolveTarget(target, op);
  const work = async (): Promise<void> => {
    const sink = await place.open().catch((cause: unknown) => {
      throw failure(op, place.name, cause);
    });
    const attempt = (job: Promise<void>): Promise<void> =>
      job.catch((cause: unknown) => {
        throw failure(op, place.name, cause);
      });
    try {
      for await (const chunk of collected(chunks())) await attempt(sink.write(chunk));
      await attempt(sink.finish());
    } catch (error) {
      await sink.abort(error).catch(() => {});
      throw error;
    }
  };
  await (place.key === null ? work() : inTurn(place.key, work));
}

/** The same bytes in larger pieces. */
async function* collected(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let buffer = new Uint8Array(BUFFER_BYTES);
  let filled = 0;
  for await (const chunk of chunks) {
    if (filled > 0 && filled + chunk.length > buffer.length) {
      yield buffer.subarray(0, filled);
      buffer = new Uint8Array(BUFFER_BYTES);
      filled = 0;
    }
    if (chunk.length >= buffer.length) yield unshared(chunk);
    else {
      buffer.set(chunk, filled);
      filled += chunk.length;
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}

const unshared = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : bytes.slice();

interface Place {
  /** For messages. */
  readonly name: string;
  /** The same for the same file, if two writes could meet there. */
  readonly key: string | null;
  open(): Promise<Sink>;
}

async function resolveTarget(target: Target, op: string): Promise<Place> {
  if (typeof target === 'string' || (target instanceof URL && target.protocol === 'file:')) {
    const node = nodeModules();
    if (node) {
      const path = node.path.resolve(typeof target === 'string' ? target : node.url.fileURLToPath(target));
      return { name: String(target), key: path, open: () => DiskSink.open(node, path) };
    }
    if (typeof target === 'string') {
      const open = async () => PrivateSink.open(await privatePlace(target, true, op));
      return { name: target, key: target, open };
    }
  }
  if (isFileHandle(target))
    return { name: target.name, key: null, open: async () => new StreamSink(await target.createWritable()) };
  if (typeof WritableStream !== 'undefined' && target instanceof WritableStream)
    return { name: 'the given stream', key: null, open: async () => new StreamSink(target) };
  throw new ArgumentError(
    `${op}: expected a path, file: URL, file handle or WritableStream to write to, but got ${String(target)}`,
  );
}

type Handle = Awaited<ReturnType<NodeModules['fs']['open']>>;

class DiskSink implements Sink {
  readonly #node: NodeModules;
  readonly #handle: Handle;
  readonly #path: string;
  /** null where the path is no regular file (a pipe, a device) and is written directly. */
  readonly #temporary: string | null;

  private constructor(node: NodeModules, handle: Handle, path: string, temporary: string | null) {
    this.#node = node;
    this.#handle = handle;
    this.#path = path;
    this.#temporary = temporary;
  }

  static async open(node: NodeModules, given: string): Promise<DiskSink> {
    const { fs } = node;
    // The file that a symbolic link names is replaced, not the link.
    const path = await fs.realpath(given).catch(() => given);
    const status = await fs.stat(path).catch(() => null);
    if (status?.isDirectory()) throw new Error('it is a folder');
    if (status && !status.isFile()) return new DiskSink(node, await fs.open(path, 'w'), path, null);
    await removeLeftovers(node, path);
    const temporary = temporaryName(path);
    const handle = await fs.open(temporary, 'w', status ? status.mode & 0o777 : 0o666);
    return new DiskSink(node, handle, path, temporary);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; )
      at += (await this.#handle.write(bytes, at, Math.min(bytes.length - at, 1 << 26))).bytesWritten;
  }

  async finish(): Promise<void> {
    if (this.#temporary !== null) await this.#handle.sync();
    await this.#handle.close();
    if (this.#temporary === null) return;
    await this.#node.fs.rename(this.#temporary, this.#path);
    await syncFolder(this.#node, this.#node.path.dirname(this.#path));
  }

  async abort(): Promise<void> {
    await this.#handle.close().catch(() => {});
    if (this.#temporary !== null) await this.#node.fs.rm(this.#temporary, { force: true });
  }
}

/**
 * Names which thread of which process of which machine is writing, so that no two write to one file and leftovers of a
 * killed process can be told from work.
 */
function temporaryName(path: string): string {
  const { threadId } = process.getBuiltinModule('node:worker_threads');
  return `${path}.${hostName()}-${process.pid}-${threadId}.part`;
}

const hostName = (): string =>
  process
    .getBuiltinModule('node:os')
    .hostname()
    .replace(/[^\w-]/g, '_');

/** Removes temporary files of processes of this machine that are no more. */
async function removeLeftovers({ fs, path: paths }: NodeModules, path: string): Promise<void> {
  const folder = paths.dirname(path);
  const prefix = `${paths.basename(path)}.${hostName()}-`;
  for (const name of await fs.readdir(folder)) {
    if (!name.startsWith(prefix) || !name.endsWith('.part')) continue;
    // Earlier versions named no thread.
    const [, pid] = /^(\d+)(?:-\d+)?$/.exec(name.slice(prefix.length, -'.part'.length)) ?? [];
    if (Number(pid) > 0 && !isAlive(Number(pid))) await fs.rm(paths.join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Makes the new name survive a power cut. Windows has no such call for folders. */
async function syncFolder({ fs }: NodeModules, folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await fs.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A stream of the platform. A file's stream changes the file when it is closed, and only then. */
class StreamSink implements Sink {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;

  constructor(stream: WritableStream<Uint8Array<ArrayBuffer>>) {
    this.#writer = stream.getWriter();
  }
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#writer.write(bytes);
  }
  finish(): Promise<void> {
    return this.#writer.close();
  }
  abort(cause: unknown): Promise<void> {
    return this.#writer.abort(cause);
  }
}

type Movable = FileSystemFileHandle & {
  move?(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
};

/** A file of the private file system: a temporary one that is moved over the old one. */
class PrivateSink implements Sink {
  readonly #folder: FileSystemDirectoryHandle;
  readonly #file: string;
  readonly #temporary: Movable;
  readonly #stream: StreamSink;

  private constructor(
    folder: FileSystemDirectoryHandle,
    file: string,
    temporary: Movable,
    stream: StreamSink,
  ) {
    this.#folder = folder;
    this.#file = file;
    this.#temporary = temporary;
    this.#stream = stream;
  }

  static async open({ folder, file }: { folder: FileSystemDirectoryHandle; file: string }): Promise<Sink> {
    const temporary: Movable = await folder.getFileHandle(`${file}.part`, { create: true });
    // Without a move, the stream of the file itself is the temporary file: it takes effect when it is closed.
    if (typeof temporary.move !== 'function') {
      await folder.removeEntry(temporary.name);
      const handle = await folder.getFileHandle(file, { create: true });
      return new StreamSink(await handle.createWritable());
    }
    const stream = new StreamSink(await temporary.createWritable({ keepExistingData: false }));
    return new PrivateSink(folder, file, temporary, stream);
  }
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#stream.write(bytes);
  }
  async finish(): Promise<void> {
    await this.#stream.finish();
    await this.#temporary.move?.(this.#folder, this.#file);
  }
  async abort(cause: unknown): Promise<void> {
    await this.#stream.abort(cause).catch(() => {});
    await this.#folder.removeEntry(this.#temporary.name).catch(() => {});
  }
}
