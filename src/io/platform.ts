/** What files are here: Node's, or the private file system that a page's origin has (OPFS). */
import { DataError } from '../core/errors.ts';

/** Node's modules; null in pages and workers of pages. */
export function nodeModules() {
  const node =
    typeof process === 'object' && typeof process.getBuiltinModule === 'function' && process.versions?.node;
  if (!node) return null;
  return {
    fs: process.getBuiltinModule('node:fs/promises'),
    path: process.getBuiltinModule('node:path'),
    url: process.getBuiltinModule('node:url'),
  };
}
export type NodeModules = NonNullable<ReturnType<typeof nodeModules>>;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A folder of the page's private file system and a name in it. */
export interface PrivatePlace {
  readonly folder: FileSystemDirectoryHandle;
  readonly file: string;
}

/**
 * Where a path lies in the private file system of this page's origin; folders are made if `create` is set.
 * @throws DataError if there is no such system here, or a folder is missing
 */
export async function privatePlace(path: string, create: boolean, op: string): Promise<PrivatePlace> {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const file = parts.pop();
  if (file === undefined || parts.includes('..') || file === '..') {
    throw new DataError(`${op}: '${path}' is not a path to a file`);
  }
  const storage = globalThis.navigator?.storage;
  if (typeof storage?.getDirectory !== 'function') {
    throw new DataError(
      `${op}: '${path}' would be a file of the origin's private file system, which this page does not have ` +
        '(it needs a secure context); pass a file handle, a Blob or bytes',
    );
  }
  try {
    let folder = await storage.getDirectory();
    for (const part of parts) folder = await folder.getDirectoryHandle(part, { create });
    return { folder, file };
  } catch (cause) {
    throw new DataError(
      `${op}: '${path}' cannot be reached in this page's private file system (${messageOf(cause)})` +
        (create ? '' : hintForAddresses),
      { cause },
    );
  }
}

export const hintForAddresses = '; to fetch an address, pass new URL(…)';

export const isFileHandle = (x: unknown): x is FileSystemFileHandle =>
  typeof FileSystemFileHandle !== 'undefined' && x instanceof FileSystemFileHandle;
