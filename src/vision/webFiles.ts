/** The files of a data set by address, kept in the browser's Cache storage where the page has one. */
import { DataError } from '../core/errors.ts';
import type { Archive, ArchiveFile } from './archives.ts';
import { type DownloadProgress, download, type Store } from './download.ts';
import { md5 } from './md5.ts';

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

const CACHE_NAME = 'wasmgrad-datasets';

/** Cache storage: absent outside secure pages, and refused to some (sandboxed frames, private windows). */
async function openCache(): Promise<Cache | null> {
  if (typeof caches === 'undefined') return null;
  return caches.open(CACHE_NAME).catch(() => null);
}

const cacheable = (url: URL): boolean => url.protocol === 'http:' || url.protocol === 'https:';

async function cachedBytes(url: URL): Promise<Uint8Array | null> {
  const hit = cacheable(url) ? await (await openCache())?.match(url) : undefined;
  return hit ? new Uint8Array(await hit.arrayBuffer()) : null;
}

/** Keeps bytes under an address; a full or refusing cache only means that they are fetched again next time. */
async function remember(url: URL, bytes: Uint8Array): Promise<void> {
  if (!cacheable(url)) return;
  const cache = await openCache();
  await cache?.put(url, new Response(bytes as Uint8Array<ArrayBuffer>)).catch(() => {});
}

/** An address as pages mean it: relative to the document. @throws DataError if it is none */
export function resolveAddress(address: string | URL, dataset: string): URL {
  try {
    return new URL(address, globalThis.document?.baseURI ?? globalThis.location?.href);
  } catch (cause) {
    throw new DataError(`${dataset}: '${address}' is not an address`, { cause });
  }
}

/**
 * The bytes at an address, from the cache if they are there; null if the server has no such file. `check` decides
 * whether they may be kept. @throws DataError if the server cannot be reached or refuses; whatever `check` throws
 */
export async function fetchFile<T>(
  url: URL,
  dataset: string,
  check: (bytes: Uint8Array) => Promise<T>,
): Promise<T | null> {
  const kept = await cachedBytes(url);
  if (kept) {
    try {
      return await check(kept);
    } catch {
      await (await openCache())?.delete(url);
    }
  }
  const response = await fetch(url).catch((cause: unknown) => {
    throw new DataError(
      `${dataset}: ${url} cannot be fetched (${messageOf(cause)}); check the address, the ` +
        'connection, and that the server allows this page to read it (CORS)',
      { cause },
    );
  });
  // Development servers answer with their start page where they have no file.
  const isPage = response.headers.get('content-type')?.startsWith('text/html') === true;
  if (response.status === 404 || (response.ok && isPage)) {
    await response.body?.cancel();
    return null;
  }
  if (!response.ok)
    throw new DataError(`${dataset}: ${url} cannot be fetched: the server answered ${response.status}`);
  const body = await response.arrayBuffer().catch((cause: unknown) => {
    throw new DataError(
      `${dataset}: ${url} cannot be fetched: its transfer broke off (${messageOf(cause)})`,
      {
        cause,
      },
    );
  });
  const bytes = new Uint8Array(body);
  const result = await check(bytes);
  await remember(url, bytes);
  return result;
}

/** A published file from the cache or a mirror. @throws DataError */
export async function downloadToCache(
  archive: Pick<Archive, 'name' | 'mirrors'>,
  file: ArchiveFile,
  mirrors: readonly (string | URL)[],
  onProgress: ((progress: DownloadProgress) => void) | undefined,
): Promise<Uint8Array> {
  const key = new URL(`${archive.mirrors[0]}${file.name}.gz`);
  const kept = await cachedBytes(key);
  if (kept && md5(kept) === file.md5) return kept;
  const bytes = await download({
    dataset: archive.name,
    file: `${file.name}.gz`,
    md5: file.md5,
    mirrors: mirrors.map((mirror) => resolveAddress(mirror, archive.name)),
    store: new MemoryStore(),
    onProgress,
    remedy: `Check the connection, or serve the file yourself (MD5 ${file.md5}) and give its folder as root, or its address.`,
  });
  await remember(key, bytes);
  return bytes;
}

class MemoryStore implements Store {
  #chunks: Uint8Array[] = [];
  size = 0;

  async clear(): Promise<void> {
    this.#chunks = [];
    this.size = 0;
  }
  async append(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(chunk);
    this.size += chunk.length;
  }
  async read(): Promise<Uint8Array> {
    const bytes = new Uint8Array(this.size);
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }
}
