/** MNIST and Fashion-MNIST: 28×28 grey images of ten classes, from idx files wherever they are. */
import { ArgumentError, DataError } from '../core/errors.ts';
import { empty, fromTypedArray } from '../creation.ts';
import type { Tensor } from '../tensor.ts';
import { type Archive, type ArchiveFile, clothes, digits } from './archives.ts';
import { candidates, downloadToDisk, fileSource, firstExisting, nodeFiles } from './diskFiles.ts';
import type { DownloadProgress } from './download.ts';
import {
  type ByteSource,
  bytesSink,
  type IdxItems,
  type ItemSink,
  inMemory,
  type NewSink,
  readIdx,
} from './idx.ts';
import { ImageDataset } from './imageDataset.ts';
import type { ImageTransform } from './transforms.ts';
import { downloadToCache, fetchFile, resolveAddress } from './webFiles.ts';

/** An idx file, plain or gzipped: its bytes, or where it is (an address; in Node a path too). */
export type FileSource = ArrayBuffer | ArrayBufferView | Blob | URL | string;

export interface MnistOptions {
  /**
   * The folder with the files, plain or .gz: there, or in `MNIST/raw` below it as torchvision leaves them. An address
   * (in pages a relative one too) names a served folder.
   */
  root?: string | URL;
  /** The 60,000 images for training (default) or the 10,000 for testing. */
  train?: boolean;
  /** What becomes of an image, which is uint8 [28, 28] without. */
  transform?: ImageTransform | null;
  /** Fetch files that are missing: in Node into root; in a page, which then looks at no root, into its Cache storage. */
  download?: boolean;
  /** Folders that serve the published .gz files, instead of the known ones. */
  mirrors?: readonly (string | URL)[];
  onProgress?: (progress: DownloadProgress) => void;
  /** The two files themselves instead of a root. */
  images?: FileSource;
  labels?: FileSource;
}

/** Labels that become something else. */
export interface TargetTransform<Target> {
  /** What a sample has in place of its label. */
  targetTransform: (label: number) => Target;
}

type AnyOptions<Target> = MnistOptions & Partial<TargetTransform<Target>>;

/**
 * Handwritten digits. The network is used for addresses in the options and with `download`, else never.
 * @throws DataError naming the file that is missing, cut short, corrupt or something else, and what to do about it
 */
export function MNIST<T>(options: MnistOptions & TargetTransform<T>): Promise<ImageDataset<T>>;
export function MNIST(options: MnistOptions): Promise<ImageDataset>;
export function MNIST<T>(options: AnyOptions<T>): Promise<ImageDataset<T>> {
  return load(digits, options);
}

/** Pictures of clothes in the form of MNIST, read in the same way. @throws DataError as MNIST */
export function FashionMNIST<T>(options: MnistOptions & TargetTransform<T>): Promise<ImageDataset<T>>;
export function FashionMNIST(options: MnistOptions): Promise<ImageDataset>;
export function FashionMNIST<T>(options: AnyOptions<T>): Promise<ImageDataset<T>> {
  return load(clothes, options);
}

const IMAGE_SHAPE = [28, 28] as const;

async function load<T>(archive: Archive, options: AnyOptions<T>): Promise<ImageDataset<T>> {
  const { name, classes } = archive;
  const { root, train = true, images, labels, transform = null, targetTransform = null } = options;
  if ((images === undefined) !== (labels === undefined)) {
    throw new ArgumentError(
      `${name}: expected both images and labels, but got only ${images === undefined ? 'labels' : 'images'}`,
    );
  }
  const files = train ? archive.train : archive.test;
  const names = await loadItems(archive, files.labels, { shape: [], newSink: bytesSink }, labels, options);
  const pixels = await loadItems(
    archive,
    files.images,
    { shape: IMAGE_SHAPE, newSink: imagesSink },
    images,
    options,
  );
  if (names.count !== pixels.count) {
    throw new DataError(
      `${name}: expected as many images as labels, but ${files.images.name} has ${pixels.count} images and ` +
        `${files.labels.name} has ${names.count} labels: the files do not belong together`,
    );
  }
  const bad = names.items.findIndex((label) => label >= classes.length);
  if (bad >= 0) {
    throw new DataError(
      `${name}: expected labels from 0 to ${classes.length - 1} in ${files.labels.name}, but label ${bad} is ${names.items[bad]}`,
    );
  }
  return new ImageDataset<T>({
    name,
    classes,
    train,
    root: root === undefined ? null : String(root),
    images: pixels.items,
    labels: names.items,
    transform,
    targetTransform,
  });
}

/** What a file shall hold, and where that goes. */
interface Wanted<Items> {
  readonly shape: readonly number[];
  readonly newSink: NewSink<Items>;
}

/** The pixels go straight into the tensor's memory: nothing else ever holds all of them. */
function imagesSink(count: number): ItemSink<Tensor> {
  const items = empty([count, ...IMAGE_SHAPE], { dtype: 'uint8' });
  const bytes = items.reshape(-1);
  let filled = 0;
  return {
    items,
    write(piece) {
      const part = fromTypedArray(piece, [piece.length]);
      bytes.narrow(0, filled, piece.length).copy_(part);
      part.dispose();
      filled += piece.length;
    },
  };
}

/** Reads a file found at `place`, which errors name. */
type Reader<Items> = (place: string) => (source: ByteSource) => Promise<IdxItems<Items>>;

/** The items of one file from where the options say. */
async function loadItems<Items>(
  archive: Archive,
  file: ArchiveFile,
  wanted: Wanted<Items>,
  source: FileSource | undefined,
  options: MnistOptions,
): Promise<IdxItems<Items>> {
  const { name } = archive;
  const read: Reader<Items> = (place) => (bytes) => {
    const fail = (problem: string, cause?: unknown) => {
      const what = `${name}: ${place} is not ${file.name}: ${problem}`;
      const remedy = 'Put the original in its place, or delete it and pass download: true.';
      return new DataError(`${what}. ${remedy}`, { cause });
    };
    return readIdx(bytes, wanted.shape, fail, wanted.newSink);
  };
  if (source !== undefined) return readSource(source, name, read);
  const { download = false, root, mirrors = archive.mirrors, onProgress } = options;
  const node = nodeFiles();
  if (node === null && download) {
    return read(`${file.name}.gz`)(inMemory(await downloadToCache(archive, file, mirrors, onProgress)));
  }
  if (root === undefined) {
    throw new ArgumentError(
      `${name}: expected root, the folder of the files, or images and labels; in a page, download: true is enough`,
    );
  }
  const folder = localPath(root);
  if (node === null || folder === null) return readServed(root, name, file, read);
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

/** What a path or address means to the file system; null for an address elsewhere, and where there are no files. */
function localPath(place: string | URL): string | null {
  const node = nodeFiles();
  if (node === null) return null;
  if (typeof place === 'string' && !/^(https?|file|data|blob):/i.test(place)) return place;
  const url = new URL(place);
  return url.protocol === 'file:' ? node.url.fileURLToPath(url) : null;
}

/** A file that the caller holds or names. */
async function readSource<Items>(
  source: FileSource,
  dataset: string,
  read: Reader<Items>,
): Promise<IdxItems<Items>> {
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
): Promise<IdxItems<Items>> {
  const folder = resolveAddress(String(root).replace(/\/*$/, '/'), dataset);
  const names = [`${file.name}.gz`, file.name];
  for (const name of names) {
    const url = new URL(name, folder);
    const items = await fetchFile(url, dataset, (bytes) => read(url.href)(inMemory(bytes)));
    if (items !== null) return items;
  }
  throw new DataError(
    `${dataset}: expected ${names.join(' or ')} at ${folder}, but the server has neither; put one of them there, or ` +
      'pass the files as images and labels, or download: true in a page',
  );
}
