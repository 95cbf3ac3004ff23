/** MNIST and Fashion-MNIST: 28×28 grey images of ten classes, from idx files wherever they are. */
import { ArgumentError, DataError } from '../core/errors.ts';
import { empty, fromTypedArray } from '../creation.ts';
import type { Tensor } from '../tensor.ts';
import { type ArchiveFile, clothes, digits, type IdxArchive } from './archives.ts';
import { type FileOptions, type FileSource, failing, type Reader, readFile, readSource } from './files.ts';
import { bytesSink, type IdxItems, type ItemSink, type NewSink, readIdx } from './idx.ts';
import { ImageDataset } from './imageDataset.ts';
import type { ImageTransform } from './transforms.ts';

export interface MnistOptions extends FileOptions {
  /**
   * The folder with the files, plain or .gz: there, or in `MNIST/raw` below it as torchvision leaves them. An address
   * (in pages a relative one too) names a served folder.
   */
  root?: string | URL;
  /** The 60,000 images for training (default) or the 10,000 for testing. */
  train?: boolean;
  /** What becomes of an image, which is uint8 [28, 28] without. */
  transform?: ImageTransform | null;
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

async function load<T>(archive: IdxArchive, options: AnyOptions<T>): Promise<ImageDataset<T>> {
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

/** The items of one file from where the options say. */
function loadItems<Items>(
  archive: IdxArchive,
  file: ArchiveFile,
  wanted: Wanted<Items>,
  source: FileSource | undefined,
  options: MnistOptions,
): Promise<IdxItems<Items>> {
  const read: Reader<IdxItems<Items>> = (place) => (bytes) =>
    readIdx(bytes, wanted.shape, failing(archive.name, place, file.name), wanted.newSink);
  return source === undefined
    ? readFile(archive, file, read, options, 'images and labels')
    : readSource(source, archive.name, read);
}
