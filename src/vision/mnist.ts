/** MNIST and Fashion-MNIST: 28×28 grey images of ten classes, kept as bytes. */
import { ArgumentError, IndexError } from '../core/errors.ts';
import { fromTypedArray } from '../creation.ts';
import type { Dataset } from '../data/dataset.ts';
import { Tensor } from '../tensor.ts';
import { readDataFile } from './files.ts';
import { parseIdx } from './idx.ts';
import { asScaling, lambda, type Scaling, type Transform } from './transforms.ts';

export interface MnistOptions {
  /** Folder with the files, plain or gzipped, there or in `MNIST/raw` below it. */
  root?: string;
  /** The 60,000 training images (default), or the 10,000 test images. */
  train?: boolean;
  transform?: Transform | ((image: Tensor) => Tensor);
  /** Changes a label. */
  targetTransform?: (label: number) => number;
  /** The two files themselves, for pages. */
  images?: Uint8Array | ArrayBuffer;
  labels?: Uint8Array | ArrayBuffer;
}

interface Kind {
  readonly name: string;
  readonly classes: readonly string[];
}

const digits: Kind = {
  name: 'MNIST',
  classes: ['0 - zero', '1 - one', '2 - two', '3 - three', '4 - four', '5 - five', '6 - six', '7 - seven', '8 - eight', '9 - nine'],
};

const clothes: Kind = {
  name: 'FashionMNIST',
  classes: ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
};

/** Images with labels, read by number; batches are made by one kernel where the transform allows. */
export class ImageDataset implements Dataset<[Tensor, number]> {
  readonly length: number;
  /** uint8 [n, 28, 28]. */
  readonly data: Tensor;
  /** int64 [n]. */
  readonly targets: Tensor;
  readonly classes: readonly string[];
  readonly #labels: Uint8Array;
  readonly #name: string;
  readonly #options: MnistOptions;
  readonly #transform: Transform | null;
  readonly #scaling: Scaling | null;
  readonly getBatch?: (indices: Int32Array) => [Tensor, Tensor];

  constructor(kind: Kind, options: MnistOptions, images: Uint8Array, labels: Uint8Array) {
    const part = `${kind.name} ${options.train === false ? 'test' : 'training'}`;
    const pixels = parseIdx(images, 3, `${part} images`);
    const names = parseIdx(labels, 1, `${part} labels`);
    if (pixels.shape[0] !== names.shape[0]) {
      throw new ArgumentError(`${part}: ${pixels.shape[0]} images but ${names.shape[0]} labels: the files do not belong together`);
    }
    this.#name = kind.name;
    this.#options = options;
    this.classes = kind.classes;
    this.length = pixels.shape[0];
    this.data = fromTypedArray(pixels.data, pixels.shape);
    this.#labels = Uint8Array.from(names.data, (y) => (options.targetTransform ? options.targetTransform(y) : y));
    this.targets = fromTypedArray(BigInt64Array.from(this.#labels, BigInt), [this.length]);
    const { transform } = options;
    this.#transform = typeof transform === 'function' ? lambda(transform) : (transform ?? null);
    this.#scaling = this.#transform && asScaling(this.#transform);
    if (this.#scaling) this.getBatch = (indices) => this.#batch(indices, this.#scaling);
  }

  /** Image (transformed; uint8 [28, 28] without a transform) and label. @throws IndexError */
  get(index: number): [Tensor, number] {
    const at = index < 0 ? index + this.length : index;
    if (!Number.isInteger(at) || at < 0 || at >= this.length) {
      throw new IndexError(`${this.#name}: index ${index} is out of range for ${this.length} images`);
    }
    const image = this.data.select(0, at);
    return [this.#transform ? this.#transform.apply(image) : image, this.#labels[at]];
  }

  #batch(indices: Int32Array, scaling: Scaling | null): [Tensor, Tensor] {
    const { divisor, mean, std } = scaling ?? { divisor: 1, mean: 0, std: 1 };
    const positions = fromTypedArray(BigInt64Array.from(indices, BigInt), [indices.length]);
    let images = new Tensor(this.data.array.backend.indexSelect(this.data.array, 0, positions.array)).float().div(divisor);
    if (mean !== 0) images = images.sub(mean);
    if (std !== 1) images = images.div(std);
    const labels = BigInt64Array.from(indices, (i) => BigInt(this.#labels[i]));
    return [images.unsqueeze(1), fromTypedArray(labels, [labels.length])];
  }

  /** As torchvision prints a data set. */
  toString(): string {
    const { root, train = true } = this.#options;
    const lines = [`Dataset ${this.#name}`, `    Number of datapoints: ${this.length}`];
    if (root !== undefined) lines.push(`    Root location: ${root}`);
    lines.push(`    Split: ${train ? 'Train' : 'Test'}`);
    if (this.#transform) {
      const text = `${this.#transform}`.replaceAll('\n', `\n${' '.repeat(11)}`);
      lines.push('    StandardTransform', `Transform: ${text}`);
    }
    return lines.join('\n');
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

async function create(kind: Kind, options: MnistOptions): Promise<ImageDataset> {
  const part = options.train === false ? 't10k' : 'train';
  const read = (given: Uint8Array | ArrayBuffer | undefined, file: string): Uint8Array => {
    if (given !== undefined) return given instanceof Uint8Array ? given : new Uint8Array(given);
    if (options.root === undefined) throw new ArgumentError(`${kind.name}: expected a root folder, or { images, labels }`);
    return readDataFile(options.root, kind.name, file);
  };
  const images = read(options.images, `${part}-images-idx3-ubyte`);
  const labels = read(options.labels, `${part}-labels-idx1-ubyte`);
  return new ImageDataset(kind, options, images, labels);
}

/** Handwritten digits: 60,000 for training, 10,000 for tests. @throws DataError if a file is missing or wrong */
export const MNIST = (options: MnistOptions): Promise<ImageDataset> => create(digits, options);

/** Pictures of clothes in the same form. @throws DataError if a file is missing or wrong */
export const FashionMNIST = (options: MnistOptions): Promise<ImageDataset> => create(clothes, options);
