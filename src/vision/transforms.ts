/**
 * What is done to an image before a network sees it: torchvision's transforms by its names, with its draws. An image is
 * a tensor, uint8 [height, width] as the files hold it, float32 [channels, height, width] after `toTensor`.
 */
import type { PixelScaling } from '../backend/backend.ts';
import { ArgumentError, DTypeError, ShapeError } from '../core/errors.ts';
import { pythonNumber } from '../core/pythonText.ts';
import { formatShape } from '../core/shape.ts';
import { tensor } from '../creation.ts';
import { pad as padded } from '../ops/pad.ts';
import { flip } from '../ops/rearrange.ts';
import { randint } from '../random.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { bothSizes, happens, heightAndWidth, probability, step, text, uniform } from './steps.ts';

/** A step from one image to the next. */
export interface Transform {
  apply(image: Tensor): Tensor;
  /** As torchvision prints it. */
  toString(): string;
}

/** A transform object, or a plain function in its place. */
export type ImageTransform = Transform | ((image: Tensor) => Tensor);

/** A number for both directions, or [height, width]. */
export type Size = number | readonly [number, number];
/** All sides; left and right, top and bottom; or left, top, right, bottom. */
export type Margins = number | readonly [number, number] | readonly [number, number, number, number];

const WHITE = 255;

class ToTensor implements Transform {
  apply(image: Tensor): Tensor {
    if (image.dtype !== 'uint8')
      throw new DTypeError(`toTensor: expected a uint8 image, but got ${image.dtype}`);
    if (image.ndim !== 2 && image.ndim !== 3) {
      throw new ShapeError(
        `toTensor: expected an image [H, W] or [H, W, C], but got ${formatShape(image.shape)}`,
      );
    }
    const planes = image.ndim === 2 ? image.unsqueeze(0) : image.permute(2, 0, 1);
    return planes.float().div(WHITE);
  }
  toString(): string {
    return 'ToTensor()';
  }
}

class Normalize implements Transform {
  readonly mean: readonly number[];
  readonly std: readonly number[];

  constructor(mean: readonly number[], std: readonly number[]) {
    if (mean.length !== std.length || mean.length === 0) {
      throw new ArgumentError(
        `normalize: expected as many means as standard deviations, but got ${mean.length} and ${std.length}`,
      );
    }
    if (![...mean, ...std].every(Number.isFinite) || std.some((s) => Math.fround(s) === 0)) {
      throw new ArgumentError(
        `normalize: expected finite means and standard deviations that are not 0, but got [${mean.join(', ')}] and [${std.join(', ')}]`,
      );
    }
    this.mean = mean;
    this.std = std;
  }

  apply(image: Tensor): Tensor {
    if (!image.isFloatingPoint()) {
      throw new DTypeError(`normalize: Input tensor should be a float tensor. Got ${image.dtype}.`);
    }
    if (image.ndim < 3) {
      throw new ShapeError(
        `normalize: Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = ${formatShape(image.shape)}`,
      );
    }
    const perChannel = (list: readonly number[]) =>
      tensor(list, { dtype: image.dtype, device: image.device }).reshape(list.length, 1, 1);
    return image.sub(perChannel(this.mean)).div(perChannel(this.std));
  }

  toString(): string {
    const list = (values: readonly number[]) => `[${values.map(pythonNumber).join(', ')}]`;
    return `Normalize(mean=${list(this.mean)}, std=${list(this.std)})`;
  }
}

class Compose implements Transform {
  readonly transforms: readonly Transform[];

  constructor(transforms: readonly Transform[]) {
    this.transforms = transforms;
  }
  apply(image: Tensor): Tensor {
    return this.transforms.reduce((x, each) => each.apply(x), image);
  }
  toString(): string {
    return `Compose(\n${this.transforms.map((each) => `    ${each}\n`).join('')})`;
  }
}

class Lambda implements Transform {
  readonly #fn: (image: Tensor) => Tensor;

  constructor(fn: (image: Tensor) => Tensor) {
    this.#fn = fn;
  }
  apply(image: Tensor): Tensor {
    return this.#fn(image);
  }
  toString(): string {
    return 'Lambda()';
  }
}

class Pad implements Transform {
  readonly #margins: Margins;
  readonly #fill: number;

  constructor(margins: Margins, fill: number) {
    this.#margins = margins;
    this.#fill = fill;
  }
  apply(image: Tensor): Tensor {
    const list = typeof this.#margins === 'number' ? [this.#margins] : this.#margins;
    const [left, top = left, right = left, bottom = top] = list;
    return padded(image, [left, right, top, bottom], 'constant', this.#fill);
  }
  toString(): string {
    return `Pad(padding=${text(this.#margins)}, fill=${pythonNumber(this.#fill)}, padding_mode=constant)`;
  }
}

class RandomCrop implements Transform {
  readonly #size: readonly [number, number];
  readonly #padding: Margins | null;
  readonly #fill: number;

  constructor(size: readonly [number, number], padding: Margins | null, fill: number) {
    this.#size = size;
    this.#padding = padding;
    this.#fill = fill;
  }
  apply(given: Tensor): Tensor {
    const image = this.#padding === null ? given : new Pad(this.#padding, this.#fill).apply(given);
    const [height, width] = heightAndWidth(image);
    const [h, w] = this.#size;
    if (h > height || w > width) {
      throw new ShapeError(
        `randomCrop: Required crop size (${h}, ${w}) is larger than input image size (${height}, ${width})`,
      );
    }
    // Draws as torchvision: none where there is no choice, else the row before the column.
    if (h === height && w === width) return image;
    const top = randint(0, height - h + 1, [1]).item();
    const left = randint(0, width - w + 1, [1]).item();
    return image.narrow(-2, top, h).narrow(-1, left, w).clone();
  }
  toString(): string {
    return `RandomCrop(size=${text(this.#size)}, padding=${text(this.#padding)})`;
  }
}

/** uint8 [H, W] or [H, W, C] to float32 [C, H, W] in [0, 1]: every value divided by 255. */
export const toTensor = (): Transform => new ToTensor();

/** (x − mean) / std for every channel of a float image. @throws ArgumentError for lists of different lengths, or std 0 */
export function normalize(mean: number | readonly number[], std: number | readonly number[]): Transform {
  const list = (x: number | readonly number[]): readonly number[] => (typeof x === 'number' ? [x] : [...x]);
  return new Normalize(list(mean), list(std));
}

/** One step after the other. */
export const compose = (transforms: readonly ImageTransform[]): Transform =>
  new Compose(transforms.map(stepOf));
const stepOf = (given: ImageTransform): Transform => (typeof given === 'function' ? lambda(given) : given);

/** Any function of an image as a step. */
export const lambda = (fn: (image: Tensor) => Tensor): Transform => new Lambda(fn);

/** A margin of `fill` around the image. */
export function pad(padding: Margins, ...rest: Flexible<[fill: number], { fill?: number }>): Transform {
  checkMargins(padding, 'pad');
  return new Pad(padding, named<{ fill?: number }>('pad', 'fill', rest).fill ?? 0);
}

export interface RandomCropOptions {
  /** Margins added before; default none. */
  padding?: Margins | null;
  /** What they are filled with; default 0. */
  fill?: number;
}

/** A window of this size at a random place, after adding margins. @throws ShapeError if the image is too small */
export function randomCrop(
  size: Size,
  ...rest: Flexible<[padding: Margins | null], RandomCropOptions>
): Transform {
  const both = bothSizes(size, 'randomCrop');
  const { padding = null, fill = 0 } = named<RandomCropOptions>('random_crop', 'padding * fill', rest);
  if (padding !== null) checkMargins(padding, 'randomCrop');
  return new RandomCrop(both, padding, fill);
}

/** The image or, with probability p, what `changed` makes of it. */
const maybe = (name: string, p: number, changed: (image: Tensor) => Tensor): Transform =>
  step(`${name}(p=${text(p)})`, (image) => (happens(p) ? changed(image) : image));

/** The mirror image with probability p. @throws ArgumentError */
export const randomHorizontalFlip = (p = 0.5): Transform =>
  maybe('RandomHorizontalFlip', probability(p, 'randomHorizontalFlip'), (image) => flip(image, -1));

/** Upside down with probability p. @throws ArgumentError */
export const randomVerticalFlip = (p = 0.5): Transform =>
  maybe('RandomVerticalFlip', probability(p, 'randomVerticalFlip'), (image) => flip(image, -2));

/** All of the steps with probability p, or none. @throws ArgumentError */
export function randomApply(
  transforms: readonly ImageTransform[],
  ...rest: Flexible<[p: number], { p?: number }>
): Transform {
  const p = probability(named<{ p?: number }>('randomApply', 'p', rest).p ?? 0.5, 'randomApply');
  const steps = transforms.map(stepOf);
  const lines = [`p=${text(p)}`, ...steps.map(String)].map((line) => `    ${line}\n`);
  return step(`RandomApply(\n${lines.join('')})`, (image) =>
    p < uniform(0, 1) ? image : steps.reduce((x, each) => each.apply(x), image),
  );
}

function checkMargins(margins: Margins, op: string): void {
  const list = typeof margins === 'number' ? [margins] : margins;
  if ([1, 2, 4].includes(list.length) && list.every((m) => Number.isInteger(m) && m >= 0)) return;
  throw new ArgumentError(
    `${op}: padding must be 1, 2 or 4 whole numbers of at least 0, but got ${text(margins)}`,
  );
}

/** A transform as what one kernel can do to bytes, (x / divisor − mean) / std, and the steps behind it. */
export interface ScalingAndRest {
  readonly scaling: PixelScaling;
  /** Those that do the same to a batch as to each of its images. */
  readonly alike: readonly Transform[];
  readonly rest: readonly Transform[];
}

/** Null for a transform that does not begin with `toTensor`. */
export function splitScaling(transform: Transform): ScalingAndRest | null {
  const [first, ...steps] = flatSteps(transform);
  if (!(first instanceof ToTensor)) return null;
  const count = steps.findIndex((each) => !(each instanceof Normalize));
  const [alike, rest] = count < 0 ? [steps, []] : [steps.slice(0, count), steps.slice(count)];
  const [second] = alike;
  if (second instanceof Normalize && second.mean.length === 1) {
    const [mean, std] = [second.mean[0], second.std[0]];
    return { scaling: { divisor: WHITE, mean, std }, alike: alike.slice(1), rest };
  }
  return { scaling: { divisor: WHITE, mean: 0, std: 1 }, alike, rest };
}

const flatSteps = (transform: Transform): Transform[] =>
  transform instanceof Compose ? transform.transforms.flatMap(flatSteps) : [transform];
