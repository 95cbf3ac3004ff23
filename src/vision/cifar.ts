/** CIFAR-10 and CIFAR-100: 32×32 colour images of 10 or 100 classes, from the binary version of their files. */
import { ArgumentError, DataError } from '../core/errors.ts';
import { empty, fromTypedArray } from '../creation.ts';
import type { Tensor } from '../tensor.ts';
import { type CifarArchive, cifar10, cifar100 } from './archives.ts';
import { type FileOptions, type FileSource, failing, isInRoot, readFile, readSource } from './files.ts';
import { type ByteSource, type Fail, plainPieces } from './idx.ts';
import { ImageDataset } from './imageDataset.ts';
import type { TargetTransform } from './mnist.ts';
import { entriesOf } from './tar.ts';
import type { ImageTransform } from './transforms.ts';

/**
 * Below the root: the published archive (`cifar-10-binary.tar.gz`), as it is or unpacked; its folder is `cifar-10-batches-bin`,
 * that of CIFAR-100 `cifar-100-binary`. A served root has the unpacked files.
 */
export interface CifarOptions extends FileOptions {
  /** The 50,000 images for training (default) or the 10,000 for testing. */
  train?: boolean;
  /** What becomes of an image, which is uint8 [32, 32, 3] without. */
  transform?: ImageTransform | null;
  /** The unpacked files themselves instead of a root, in their order. */
  files?: readonly FileSource[];
}

type AnyOptions<Target> = CifarOptions & Partial<TargetTransform<Target>>;

/**
 * Small photographs of ten kinds of things (Krizhevsky, "Learning multiple layers of features from tiny images", 2009).
 * @throws DataError naming the file that is missing, cut short, corrupt or something else, and what to do about it
 */
export function CIFAR10<T>(options: CifarOptions & TargetTransform<T>): Promise<ImageDataset<T>>;
export function CIFAR10(options: CifarOptions): Promise<ImageDataset>;
export function CIFAR10<T>(options: AnyOptions<T>): Promise<ImageDataset<T>> {
  return load(cifar10, options);
}

/** The same of a hundred kinds. @throws DataError as CIFAR10 */
export function CIFAR100<T>(options: CifarOptions & TargetTransform<T>): Promise<ImageDataset<T>>;
export function CIFAR100(options: CifarOptions): Promise<ImageDataset>;
export function CIFAR100<T>(options: AnyOptions<T>): Promise<ImageDataset<T>> {
  return load(cifar100, options);
}

const IMAGE_SHAPE = [3, 32, 32] as const;
const PIXELS = 3 * 32 * 32;
/** Three times the largest file: a header that says more is not believed. */
const MAX_FILE = 500 * 1024 * 1024;

async function load<T>(archive: CifarArchive, options: AnyOptions<T>): Promise<ImageDataset<T>> {
  const { name, classes } = archive;
  const { root, train = true, transform = null, targetTransform = null } = options;
  const parts = await partsOf(archive, train ? archive.train : archive.test, options);
  const records = parts.map((bytes) => bytes.length / (archive.labels + PIXELS));
  const count = records.reduce((a, b) => a + b, 0);
  const images = empty([count, ...IMAGE_SHAPE], { dtype: 'uint8' });
  const labels = new Uint8Array(count);
  let at = 0;
  parts.forEach((bytes, i) => {
    const rows = fromTypedArray(bytes, [records[i], archive.labels + PIXELS]);
    // Of two labels the second one is the finer.
    const fine = rows.select(1, archive.labels - 1);
    labels.set(fine.data as Uint8Array, at);
    images.narrow(0, at, records[i]).copy_(pixelsIn(rows, archive.labels));
    for (const x of [fine, rows]) x.dispose();
    at += records[i];
  });
  const bad = labels.findIndex((label) => label >= classes.length);
  if (bad >= 0) {
    throw new DataError(
      `${name}: expected labels from 0 to ${classes.length - 1}, but label ${bad} is ${labels[bad]}: the files are those of another set`,
    );
  }
  return new ImageDataset<T>({
    name,
    classes,
    train,
    root: root === undefined ? null : String(root),
    images,
    labels,
    transform,
    targetTransform,
  });
}

const pixelsIn = (rows: Tensor, labels: number): Tensor =>
  rows.narrow(1, labels, PIXELS).reshape(-1, ...IMAGE_SHAPE);

/** The content of each of the files, in their order. */
async function partsOf(
  archive: CifarArchive,
  files: readonly string[],
  options: CifarOptions,
): Promise<Uint8Array[]> {
  const { name, folder, packed } = archive;
  const whole = (file: string) => (place: string) => (source: ByteSource) =>
    wholeFile(source, archive, failing(name, place, file));
  if (options.files !== undefined) {
    if (options.files.length !== files.length)
      throw new ArgumentError(
        `${name}: expected the files ${files.join(', ')}, but got ${options.files.length} of them`,
      );
    return Promise.all(options.files.map((source, i) => readSource(source, name, whole(files[i]))));
  }
  const unpacked = files.map((file) => `${folder}/${file}`);
  const isLocal = await isInRoot(name, unpacked[0], options.root);
  const hasArchive =
    !isLocal && (options.download === true || (await isInRoot(name, packed.name, options.root)));
  if (hasArchive)
    return readFile(
      archive,
      packed,
      (place) => (source) => unpack(source, archive, files, place),
      options,
      'files',
    );
  return Promise.all(
    unpacked.map((file) => readFile(archive, { name: file, md5: '' }, whole(file), options, 'files')),
  );
}

/** A file of whole records, plain or gzipped. */
async function wholeFile(source: ByteSource, { labels }: CifarArchive, fail: Fail): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of await plainPieces(source, fail)) {
    size += piece.length;
    if (size > MAX_FILE) throw fail(`it has more than ${MAX_FILE} bytes`);
    pieces.push(piece.slice());
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return checkRecords(bytes, labels, fail);
}

function checkRecords(bytes: Uint8Array, labels: number, fail: Fail): Uint8Array {
  const record = labels + PIXELS;
  if (bytes.length > 0 && bytes.length % record === 0) return bytes;
  throw fail(`expected whole records of ${record} bytes, but got ${bytes.length} bytes`);
}

/** The files in the published archive. */
async function unpack(
  source: ByteSource,
  { name, folder, labels, packed }: CifarArchive,
  files: readonly string[],
  place: string,
): Promise<Uint8Array[]> {
  const fail = failing(name, place, `${packed.name}.gz`);
  const found = new Map<string, Uint8Array>();
  const inner = (path: string): string => path.replace(/^\.\//, '').replace(`${folder}/`, '');
  const wanted = (path: string, size: number): boolean => files.includes(inner(path)) && size <= MAX_FILE;
  for await (const { name: path, content } of entriesOf(await plainPieces(source, fail), wanted, fail))
    found.set(inner(path), checkRecords(content, labels, fail));
  return files.map((file) => {
    const content = found.get(file);
    if (content === undefined) throw fail(`it does not hold ${folder}/${file}`);
    return content;
  });
}
