/** The files of a data set in a folder, where there is a file system (Node). */
import { DataError } from '../core/errors.ts';
import type { ArchiveFile } from './archives.ts';
import { type DownloadProgress, download, type Store } from './download.ts';
import { type ByteSource, PIECE_BYTES } from './idx.ts';

/** Node's file functions; null in pages and workers of pages. */
export function nodeFiles() {
  const node =
    typeof process === 'object' && typeof process.getBuiltinModule === 'function' && process.versions?.node;
  if (!node) return null;
  return {
    fs: process.getBuiltinModule('node:fs/promises'),
    path: process.getBuiltinModule('node:path'),
    url: process.getBuiltinModule('node:url'),
  };
}
export type NodeFiles = NonNullable<ReturnType<typeof nodeFiles>>;

/** Places for a file below root, torchvision's first. */
export function candidates({ path }: NodeFiles, root: string, dataset: string, file: string): string[] {
  const folders = [rawFolder(path, root, dataset), path.join(root, dataset), root];
  return folders.flatMap((folder) => [path.join(folder, file), path.join(folder, `${file}.gz`)]);
}

/** Where torchvision keeps what it downloads. */
const rawFolder = (path: NodeFiles['path'], root: string, dataset: string): string =>
  path.join(root, dataset, 'raw');

/** The first of the paths that exists. */
export async function firstExisting({ fs }: NodeFiles, paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const found = await fs.stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
      throw new DataError(`${path} cannot be read (${error.message}); check the permissions of the folder`, {
        cause: error,
      });
    });
    if (found) return path;
  }
  return null;
}

/** A file to be read piece by piece. @throws DataError, also while it is read */
export async function fileSource({ fs }: NodeFiles, dataset: string, path: string): Promise<ByteSource> {
  const failed = (error: unknown) =>
    new DataError(`${dataset}: ${path} cannot be read (${(error as Error).message})`, { cause: error });
  const { size } = await fs.stat(path).catch((error: Error) => {
    throw failed(error);
  });
  return {
    size,
    async *pieces() {
      let handle: Awaited<ReturnType<typeof fs.open>> | null = null;
      try {
        handle = await fs.open(path);
        const buffer = new Uint8Array(Math.min(PIECE_BYTES, size));
        for (;;) {
          const { bytesRead } = await handle.read(buffer, 0, buffer.length);
          if (bytesRead === 0) break;
          yield buffer.subarray(0, bytesRead);
        }
      } catch (error) {
        throw failed(error);
      } finally {
        await handle?.close();
      }
    },
  };
}

/** Downloads that run, by path: two data sets that need the same file wait for the same one. */
const running = new Map<string, Promise<void>>();

export interface DiskDownload {
  readonly root: string;
  readonly dataset: string;
  readonly file: ArchiveFile;
  readonly mirrors: readonly (string | URL)[];
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** Downloads a file to where torchvision would, and returns its path. @throws DataError */
export async function downloadToDisk(node: NodeFiles, wanted: DiskDownload): Promise<string> {
  const folder = node.path.resolve(rawFolder(node.path, wanted.root, wanted.dataset));
  const path = node.path.join(folder, `${wanted.file.name}.gz`);
  let job = running.get(path);
  if (!job) {
    job = downloadTo(node, path, wanted).finally(() => running.delete(path));
    running.set(path, job);
  }
  await job;
  return path;
}

async function downloadTo(node: NodeFiles, path: string, wanted: DiskDownload): Promise<void> {
  const { fs } = node;
  const { dataset, file, mirrors, onProgress } = wanted;
  let store: DiskStore;
  try {
    await fs.mkdir(node.path.dirname(path), { recursive: true });
    store = await DiskStore.open(node, `${path}.part`);
  } catch (error) {
    throw new DataError(
      `${dataset}: ${path} cannot be written (${error instanceof Error ? error.message : error})`,
      { cause: error },
    );
  }
  try {
    const remedy = `Check the connection and try again (what has arrived is kept), or get the file elsewhere and put it at ${path} (MD5 ${file.md5}).`;
    await download({ dataset, file: `${file.name}.gz`, md5: file.md5, mirrors, store, onProgress, remedy });
  } finally {
    await store.close();
  }
  await fs.rename(`${path}.part`, path);
}

/** A file that grows. */
class DiskStore implements Store {
  readonly #node: NodeFiles;
  readonly #path: string;
  readonly #handle: Awaited<ReturnType<NodeFiles['fs']['open']>>;
  size: number;

  constructor(
    node: NodeFiles,
    path: string,
    handle: Awaited<ReturnType<NodeFiles['fs']['open']>>,
    size: number,
  ) {
    this.#node = node;
    this.#path = path;
    this.#handle = handle;
    this.size = size;
  }
  static async open(node: NodeFiles, path: string): Promise<DiskStore> {
    const handle = await node.fs.open(path, 'a');
    const { size } = await handle.stat();
    return new DiskStore(node, path, handle, size);
  }
  async clear(): Promise<void> {
    await this.#handle.truncate(0);
    this.size = 0;
  }
  async append(chunk: Uint8Array): Promise<void> {
    await this.#handle.appendFile(chunk);
    this.size += chunk.length;
  }
  read(): Promise<Uint8Array> {
    return this.#node.fs.readFile(this.#path);
  }
  close(): Promise<void> {
    return this.#handle.close();
  }
}
