/** Where the files of a data set are: in a folder, at an address, in the caller's hands, or to be downloaded. */
import { ArgumentError, DataError } from '../core/errors.ts';
import type { Archive, ArchiveFile } from './archives.ts';
import { candidates, downloadToDisk, fileSource, firstExisting, nodeFiles } from './diskFiles.ts';
import type { DownloadProgress } from './download.ts';
import { type ByteSource, inMemory } from './idx.ts';
import { downloadToCache, fetchFile, resolveAddress } from './webFiles.ts';

/** A file, plain or gzipped: its bytes, or where it is (an address; in Node a path too). */
export type FileSource = ArrayBuffer | ArrayBufferView | Blob | URL | string;

export interface FileOptions {
  /** The folder with the files. An address (in pages a relative one too) names a served folder. */
  root?: string | URL;
  /** Fetch files that are missing: in Node into root; in a page, which then looks at no root, into its Cache storage. */
  download?: boolean;
  /** Folders that serve the published files, instead of the known ones. */
  mirrors?: readonly (string | URL)[];
  onProgress?: (progress: DownloadProgress) => void;
}

/** Reads a file found at `place`, which errors name. */
export type Reader<Items> = (place: string) => (source: ByteSource) => Promise<Items>;

/** The error for a file that is not the one it should be: `problem` says why. */
export const failing =
  (dataset: string, place: string, file: string) =>
  (problem: string, cause?: unknown): DataError =>
    new DataError(
      `${dataset}: ${place} is not ${file}: ${problem}. Put the original in its place, or delete it and pass download: true.`,
      { cause },
    );

/**
 * What `read` makes of a file of the archive from where the options say; `others` is what may be given instead of a root.
 * @throws DataError, ArgumentError
 */
export async function readFile<Items>(
  archive: Pick<Archive, 'name' | 'mirrors'>,
  file: ArchiveFile,
  read: Reader<Items>,
  options: FileOptions,
  others: string,
): Promise<Items> {
  const { name } = archive;
  const { download = false, root, mirrors = archive.mirrors, onProgress } = options;
  const node = nodeFiles();
  if (node === null && download) {
    return read(`${file.name}.gz`)(inMemory(await downloadToCache(archive, file, mirrors, onProgress)));
  }
  if (root === undefined) {
    throw new ArgumentError(
      `${name}: expected root, the folder of the files, or ${others}; in a page, download: true is enough`,
    );
  }
  const folder = localPath(root);
  if (node === null || folder === null) return readServed(root, name, file, read, others);
  const places = candidates(node, folder, name, file.name);
  let path = await firstExisting(node, places);
  if (path === null && download) {
    path = await downloadToDisk(node, { root: folder, dataset: name, file, mirrors, onProgress });
  }
  if (path !== null) return read(path)(await fileSource(node, name, path));
  throw new DataError(
    `${name}: expected ${file.name} or ${file.name}.gz below the root '${folder}', but found none of ${places.join(', ')}. ` +
      'Put the file there, or pass download: true.',
  );
}

/** Whether a file of the archive is in a local root. */
export async function isInRoot(name: string, file: string, root: string | URL | undefined): Promise<boolean> {
  const node = nodeFiles();
  const folder = root === undefined ? null : localPath(root);
  if (node === null || folder === null) return false;
  return (await firstExisting(node, candidates(node, folder, name, file))) !== null;
}

/** What a path or address means to the file system; null for an address elsewhere, and where there are no files. */
function localPath(place: string | URL): string | null {
  const node = nodeFiles();
  if (node === null) return null;
  if (typeof place === 'string' && !/^(https?|file|data|blob):/i.test(place)) return place;
  const url = new URL(place);
  return url.protocol === 'file:' ? node.url.fileURLToPath(url) : null;
}

/** A file that the caller holds or names. */
export async function readSource<Items>(
  source: FileSource,
  dataset: string,
  read: Reader<Items>,
): Promise<Items> {
  if (source instanceof Blob)
    return read('the given Blob')(inMemory(new Uint8Array(await source.arrayBuffer())));
  if (ArrayBuffer.isView(source)) {
    const { buffer, byteOffset, byteLength } = source;
    return read('the given array')(inMemory(new Uint8Array(buffer, byteOffset, byteLength)));
  }
  if (typeof source !== 'string' && !(source instanceof URL))
    return read('the given buffer')(inMemory(new Uint8Array(source)));
  const path = localPath(source);
  const node = nodeFiles();
  if (node !== null && path !== null) return read(path)(await fileSource(node, dataset, path));
  const url = resolveAddress(source, dataset);
  const items = await fetchFile(url, dataset, (bytes) => read(url.href)(inMemory(bytes)));
  if (items !== null) return items;
  throw new DataError(`${dataset}: expected a file at ${url}, but the server has none; check the address`);
}

/** A file in a served folder, gzipped or plain. */
async function readServed<Items>(
  root: string | URL,
  dataset: string,
  file: ArchiveFile,
  read: Reader<Items>,
  others: string,
): Promise<Items> {
  const folder = resolveAddress(String(root).replace(/\/*$/, '/'), dataset);
  const names = [`${file.name}.gz`, file.name];
  for (const name of names) {
    const url = new URL(name, folder);
    const items = await fetchFile(url, dataset, (bytes) => read(url.href)(inMemory(bytes)));
    if (items !== null) return items;
  }
  throw new DataError(
    `${dataset}: expected ${names.join(' or ')} at ${folder}, but the server has neither; put one of them there, or ` +
      `pass the files as ${others}, or download: true in a page`,
  );
}
