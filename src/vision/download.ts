/**
 * Fetching one published file from the first mirror that has it whole. What has arrived is kept in a store; a broken
 * transfer goes on from there (HTTP ranges), also from another mirror: the checksum decides in the end.
 */
import { DataError } from '../core/errors.ts';
import { md5 } from './md5.ts';

/** What `onProgress` is told, at least once per file that is fetched. */
export interface DownloadProgress {
  readonly file: string;
  /** Where it comes from. */
  readonly url: string;
  /** Bytes that are here, those of an earlier attempt included. */
  readonly received: number;
  /** Bytes of the whole file, null if the server does not say. */
  readonly total: number | null;
}

/** Where the bytes go. */
export interface Store {
  /** Bytes that are there. */
  readonly size: number;
  clear(): Promise<void>;
  append(chunk: Uint8Array): Promise<void>;
  read(): Promise<Uint8Array>;
}

export interface DownloadRequest {
  /** The data set, for messages. */
  readonly dataset: string;
  /** The file's name below a mirror. */
  readonly file: string;
  readonly md5: string;
  readonly mirrors: readonly (string | URL)[];
  readonly store: Store;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** What to do by hand if all mirrors fail. */
  readonly remedy: string;
  /** Milliseconds without a byte after which a mirror is given up. */
  readonly patience?: number;
}

const PATIENCE_MS = 30_000;
/** Some four times the largest file: a server that never stops is not believed. */
const MAX_BYTES = 700 * 2 ** 20;

/** Fills the store and returns its bytes. @throws DataError with what each mirror answered */
export async function download(request: DownloadRequest): Promise<Uint8Array> {
  const problems: string[] = [];
  for (const mirror of request.mirrors) {
    const url = `${String(mirror).replace(/\/*$/, '/')}${request.file}`;
    try {
      return await fromMirror(url, request);
    } catch (error) {
      problems.push(`  ${url}: ${reasonOf(error)}`);
    }
  }
  const tried = problems.length > 0 ? `:\n${problems.join('\n')}\n` : ': the list of mirrors is empty. ';
  throw new DataError(`${request.dataset}: ${request.file} could not be downloaded${tried}${request.remedy}`);
}

async function fromMirror(url: string, request: DownloadRequest): Promise<Uint8Array> {
  const { store } = request;
  const resumed = store.size > 0;
  await transfer(url, request);
  const bytes = await store.read();
  const found = md5(bytes);
  if (found === request.md5) return bytes;
  await store.clear();
  // What was there before may have been the wrong half.
  if (resumed) return fromMirror(url, request);
  throw new Error(`expected the MD5 checksum ${request.md5}, but got ${found} (${bytes.length} bytes)`);
}

/** One request, from the first byte that the store lacks. */
async function transfer(url: string, request: DownloadRequest): Promise<void> {
  const { store, file, onProgress, patience = PATIENCE_MS } = request;
  const watchdog = new Watchdog(patience);
  try {
    const response = await watchdog.guard(
      fetch(url, { headers: headersFor(store.size), signal: watchdog.signal }),
    );
    if (store.size > 0 && response.status === 416) {
      // The file has no such byte: what is here is of another file, or is all of it, which the checksum tells.
      await response.body?.cancel();
      return;
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`the server answered ${response.status} ${response.statusText}`.trimEnd());
    }
    if (store.size > 0 && response.status !== 206) await store.clear();
    const total = totalBytes(response, store.size);
    const report = () => onProgress?.({ file, url, received: store.size, total });
    report();
    const reader = response.body?.getReader();
    while (reader) {
      const { done, value } = await watchdog.guard(reader.read());
      if (done) return;
      if (store.size + value.length > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes came`);
      await store.append(value);
      report();
    }
  } finally {
    watchdog.stop();
  }
}

function headersFor(offset: number): Record<string, string> {
  // Node's fetch would otherwise let a server compress, and undo it; pages may not set this and do not need to.
  const headers = { 'accept-encoding': 'identity' };
  return offset > 0 ? { ...headers, range: `bytes=${offset}-` } : headers;
}

/** Size of the whole file. @throws Error for a range that does not begin where the store ends */
function totalBytes(response: Response, offset: number): number | null {
  if (response.status === 206) {
    const sent = response.headers.get('content-range');
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(sent ?? '');
    if (!range || Number(range[1]) !== offset) {
      throw new Error(
        `asked for the bytes from ${offset} on, but the server sent ${sent ?? 'a range without its place'}`,
      );
    }
    return range[2] === '*' ? null : Number(range[2]);
  }
  const length = response.headers.get('content-length');
  return length === null || response.headers.has('content-encoding') ? null : Number(length);
}

/** Aborts a transfer when nothing has come for a while. */
class Watchdog {
  readonly #abort = new AbortController();
  readonly #patience: number;

  constructor(patience: number) {
    this.#patience = patience;
  }
  get signal(): AbortSignal {
    return this.#abort.signal;
  }
  async guard<T>(next: Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      this.#abort.abort(new Error(`nothing came for ${this.#patience / 1000} s`));
    }, this.#patience);
    try {
      return await next;
    } finally {
      clearTimeout(timer);
    }
  }
  /** Ends a transfer that was left before its end. */
  stop(): void {
    this.#abort.abort();
  }
}

/** The innermost reason: fetch wraps 'connect ECONNREFUSED …' in 'fetch failed'. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
