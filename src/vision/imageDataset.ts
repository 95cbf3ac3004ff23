/** Images with labels, kept as bytes: one tensor for all, and a batch by one kernel where the transform allows it. */
import { IndexError } from '../core/errors.ts';
import { fromTypedArray } from '../creation.ts';
import type { Collated } from '../data/collate.ts';
import type { Dataset } from '../data/dataset.ts';
import { stack } from '../ops/join.ts';
import { Tensor } from '../tensor.ts';
import { type ImageTransform, type ScalingAndRest, splitScaling } from './transforms.ts';

export interface ImageDatasetParts<Target> {
  readonly name: string;
  readonly classes: readonly string[];
  readonly train: boolean;
  /** What is printed as the root; null prints nothing. */
  readonly root: string | null;
  /** uint8 [count, height, width], or [count, 3, height, width] of colours. */
  readonly images: Tensor;
  readonly labels: Uint8Array;
  readonly transform: ImageTransform | null;
  readonly targetTransform: ((label: number) => Target) | null;
}

/** torchvision's `MNIST`, `CIFAR10` and their like. A sample is an image, transformed, and its label. */
export class ImageDataset<Target = number> implements Dataset<[Tensor, Target]> {
  readonly name: string;
  readonly length: number;
  /** uint8 [n, height, width], or [n, 3, height, width] of colours. */
  readonly data: Tensor;
  /** int64 [n]. */
  readonly targets: Tensor;
  /** What the labels stand for. */
  readonly classes: readonly string[];
  readonly train: boolean;
  readonly root: string | null;
  readonly transform: ImageTransform | null;
  readonly targetTransform: ((label: number) => Target) | null;
  /**
   * A whole batch, images and int64 labels: `toTensor` and a `normalize` after it are one kernel for all of them. Absent
   * where a transform begins otherwise or labels are transformed; a loader then puts batches together from samples.
   */
  readonly getBatch?: (indices: Int32Array) => Collated<[Tensor, Target]>;
  readonly #labels: Uint8Array;

  constructor(parts: ImageDatasetParts<Target>) {
    this.name = parts.name;
    this.length = parts.labels.length;
    this.data = parts.images;
    this.targets = fromTypedArray(BigInt64Array.from(parts.labels, BigInt), [this.length]);
    this.classes = parts.classes;
    this.train = parts.train;
    this.root = parts.root;
    this.transform = parts.transform;
    this.targetTransform = parts.targetTransform;
    this.#labels = parts.labels;
    if (this.targetTransform !== null) return;
    const { transform } = this;
    const steps = transform === null || typeof transform === 'function' ? null : splitScaling(transform);
    if (transform !== null && steps === null) return;
    // Without a targetTransform the target is the label, a number, which collates to a tensor.
    this.getBatch = (indices) => this.#batch(indices, steps) as Collated<[Tensor, Target]>;
  }

  /** The image, uint8 [height, width] or [height, width, 3] unless transformed, and its label. @throws IndexError */
  get(index: number): [Tensor, Target] {
    const i = this.#position(index, 'get');
    const stored = this.data.select(0, i);
    const image = stored.ndim === 2 ? stored.clone() : stored.permute(1, 2, 0).clone();
    const { transform, targetTransform } = this;
    const label = this.#labels[i];
    return [
      transform === null
        ? image
        : typeof transform === 'function'
          ? transform(image)
          : transform.apply(image),
      targetTransform === null ? (label as Target) : targetTransform(label),
    ];
  }

  #position(index: number, method: string): number {
    const { length } = this;
    if (Number.isInteger(index) && index >= -length && index < length)
      return index < 0 ? index + length : index;
    throw new IndexError(
      `${this.name}.${method}: index ${index} is out of range for a data set of ${length} samples`,
    );
  }

  /** Checked positions as int64, written as pairs of words: a bigint for each would cost more than the batch. */
  #rows(indices: Int32Array): BigInt64Array {
    const words = new Int32Array(2 * indices.length);
    for (let i = 0; i < indices.length; i++) words[2 * i] = this.#position(indices[i], 'getBatch');
    return new BigInt64Array(words.buffer);
  }

  #batch(indices: Int32Array, steps: ScalingAndRest | null): [Tensor, Tensor] {
    const { data, targets } = this;
    const { backend } = data.array;
    const index = backend.upload(this.#rows(indices), [indices.length], 'int64');
    const images = new Tensor(
      steps === null
        ? backend.indexSelect(data.array, 0, index)
        : backend.gatherScaled(data.array, index, steps.scaling),
    );
    const labels = new Tensor(backend.indexSelect(targets.array, 0, index));
    index.release();
    const isGrey = images.ndim === 3;
    if (steps === null) return [isGrey ? images : images.permute(0, 2, 3, 1), labels];
    const batch = steps.alike.reduce((x, step) => step.apply(x), isGrey ? images.unsqueeze(1) : images);
    if (steps.rest.length === 0) return [batch, labels];
    const others = Array.from(batch, (image) => steps.rest.reduce((x, step) => step.apply(x), image));
    return [stack(others), labels];
  }

  /** As torchvision prints a data set. */
  toString(): string {
    const lines = [`Dataset ${this.name}`, `    Number of datapoints: ${this.length}`];
    if (this.root !== null) lines.push(`    Root location: ${this.root}`);
    lines.push(`    Split: ${this.train ? 'Train' : 'Test'}`);
    if (this.transform !== null || this.targetTransform !== null) lines.push('    StandardTransform');
    if (this.transform !== null) lines.push(...described('Transform: ', this.transform));
    if (this.targetTransform !== null) lines.push(...described('Target transform: ', this.targetTransform));
    return lines.join('\n');
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** A transform's text with `head` before the first line and as much space before the others. */
function described(head: string, transform: object): string[] {
  const text =
    typeof transform === 'function' ? `<function ${transform.name || '(anonymous)'}>` : String(transform);
  return text.split('\n').map((line, i) => (i === 0 ? head : ' '.repeat(head.length)) + line);
}
