/** Images with other colours, blurred, or with a part missing, as torchvision does with tensors. */
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { formatShape } from '../core/shape.ts';
import { empty, tensor } from '../creation.ts';
import { cat, stack } from '../ops/join.ts';
import { pad as padded } from '../ops/pad.ts';
import { randperm } from '../random.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { randomWindow } from './resizing.ts';
import { floatTexts, happens, heightAndWidth, probability, range, step, text, uniform } from './steps.ts';
import type { Transform } from './transforms.ts';

const brightest = (image: Tensor): number => (image.isFloatingPoint() ? 1 : 255);

/** ITU-R BT.601's weights of red, green and blue. */
const LUMA = [0.2989, 0.587, 0.114];

function channelsOf(image: Tensor, op: string): number {
  const channels = image.ndim < 3 ? 0 : image.size(-3);
  if (channels === 1 || channels === 3) return channels;
  throw new ShapeError(`${op}: expected an image [..., 1 or 3, h, w], but got ${formatShape(image.shape)}`);
}

/** How bright each pixel is, [..., 1, h, w], in the image's dtype: of bytes the whole part. */
function greyOf(image: Tensor): Tensor {
  const [red, green, blue] = image.unbind(-3).map((x) => (x.isFloatingPoint() ? x : x.float()));
  const bright = red.mul(LUMA[0]).add(green.mul(LUMA[1])).add(blue.mul(LUMA[2]));
  return bright.to(image.dtype).unsqueeze(-3);
}

function greyed(image: Tensor, count: number, op: string): Tensor {
  const grey = channelsOf(image, op) === 1 ? image : greyOf(image);
  return count === 1 ? grey : cat([grey, grey, grey], -3);
}

/** Grey, in one channel or the same in three. @throws ArgumentError; ShapeError for an image of other than 1 or 3 channels */
export function grayscale(
  ...rest: Flexible<[numOutputChannels: 1 | 3], { numOutputChannels?: 1 | 3 }>
): Transform {
  const { numOutputChannels: count = 1 } = named<{ numOutputChannels?: 1 | 3 }>(
    'grayscale',
    'numOutputChannels',
    rest,
  );
  if (count !== 1 && count !== 3)
    throw new ArgumentError(`grayscale: numOutputChannels must be 1 or 3, but got ${String(count)}`);
  return step(`Grayscale(num_output_channels=${count})`, (image) => greyed(image, count, 'grayscale'));
}

/** Grey in as many channels as before, with probability p. @throws ArgumentError, ShapeError as grayscale */
export function randomGrayscale(p = 0.1): Transform {
  probability(p, 'randomGrayscale');
  return step(`RandomGrayscale(p=${text(p)})`, (image) => {
    if (!happens(p)) return image;
    return greyed(image, channelsOf(image, 'randomGrayscale'), 'randomGrayscale');
  });
}

/** share·x + (1 − share)·y, within what the dtype of x shows. */
function blend(x: Tensor, y: Tensor | number, share: number): Tensor {
  const other = typeof y === 'number' ? y : y.mul(1 - share);
  return x.mul(share).add(other).clamp(0, brightest(x)).to(x.dtype);
}

/** Hue, saturation and value to colours: f(n) = v − v·s·max(0, min(k, 4 − k, 1)) with k = (n + 6h) mod 6, n = 5, 3, 1. */
function coloursOf(hue: Tensor, saturation: Tensor, value: Tensor): Tensor {
  const chroma = value.mul(saturation);
  return stack(
    [5, 3, 1].map((n) => {
      const k = hue.mul(6).add(n).remainder(6);
      return value.sub(chroma.mul(k.minimum(k.rsub(4)).clamp(0, 1)));
    }),
    -3,
  );
}

/** Every hue moved around the circle by a part of it. Source of both ways: Smith, "Color gamut transform pairs", 1978. */
function withHue(image: Tensor, by: number): Tensor {
  const colours = image.isFloatingPoint() ? image : image.float().div(255);
  const [red, green, blue] = colours.unbind(-3);
  const value = colours.amax(-3);
  const chroma = value.sub(colours.amin(-3));
  const grey = chroma.eq(0);
  const divisor = chroma.maskedFill(grey, 1);
  const part = (x: Tensor, y: Tensor, offset: number): Tensor => x.sub(y).div(divisor).add(offset);
  const hue = part(green, blue, 0).where(
    value.eq(red),
    part(blue, red, 2).where(value.eq(green), part(red, green, 4)),
  );
  const saturation = chroma.div(value.maskedFill(grey, 1));
  const moved = coloursOf(hue.div(6).add(by), saturation, value);
  return image.isFloatingPoint() ? moved : moved.mul(255 + 1 - 1e-3).to(image.dtype);
}

const ADJUSTMENTS: readonly ((image: Tensor, by: number) => Tensor)[] = [
  (image, by) => blend(image, 0, by),
  (image, by) => {
    const grey = channelsOf(image, 'colorJitter') === 3 ? greyOf(image) : image;
    const mean = grey.isFloatingPoint()
      ? grey.mean([-3, -2, -1], true)
      : grey.float().mean([-3, -2, -1], true);
    return blend(image, mean, by);
  },
  (image, by) => (channelsOf(image, 'colorJitter') === 1 ? image : blend(image, greyOf(image), by)),
  (image, by) => (channelsOf(image, 'colorJitter') === 1 ? image : withHue(image, by)),
];

/** How far from what is there: a number, or the bounds themselves. */
export type Jitter = number | readonly [number, number];

export interface ColorJitterOptions {
  /** A factor from 1 ± this, not below 0; default 0. */
  brightness?: Jitter;
  /** Likewise, of the distance from the mean brightness. */
  contrast?: Jitter;
  /** Likewise, of the distance from grey. */
  saturation?: Jitter;
  /** A part of the circle, from ± this, at most 0.5. */
  hue?: Jitter;
}

/** The bounds of a factor or a part; null where they leave everything as it is. */
function bounds(given: Jitter, name: string): readonly [number, number] | null {
  const [around, least, most] = name === 'hue' ? [0, -0.5, 0.5] : [1, 0, Infinity];
  if (typeof given === 'number' && !(given >= 0))
    throw new ArgumentError(
      `colorJitter: ${name}, as a single number, must not be negative, but got ${given}`,
    );
  const [low, high] =
    typeof given === 'number'
      ? [name === 'hue' ? -given : Math.max(around - given, 0), around + given]
      : range(given, 'colorJitter', name);
  if (!(low >= least && high <= most))
    throw new ArgumentError(
      `colorJitter: ${name} must be between ${least} and ${most}, but got ${text([low, high])}`,
    );
  return low === around && high === around ? null : [low, high];
}

/**
 * Brightness, contrast, saturation and hue changed as is drawn, in an order that is drawn. Grey images keep saturation and hue.
 * @throws ArgumentError; ShapeError for an image of other than 1 or 3 channels
 */
export function colorJitter(
  ...rest: Flexible<
    [brightness: Jitter, contrast: Jitter, saturation: Jitter, hue: Jitter],
    ColorJitterOptions
  >
): Transform {
  const names = ['brightness', 'contrast', 'saturation', 'hue'] as const;
  const options = named<ColorJitterOptions>('colorJitter', names.join(' '), rest);
  const ranges = names.map((name) => bounds(options[name] ?? 0, name));
  const texts = names.map((name, i) => {
    const each = ranges[i];
    return `${name}=${each === null ? 'None' : `(${floatTexts(each)})`}`;
  });
  return step(`ColorJitter(${texts.join(', ')})`, (image) => {
    channelsOf(image, 'colorJitter');
    const order = randperm(names.length).toArray() as number[];
    const drawn = ranges.map((each) => each && uniform(...each));
    return order.reduce((x, i) => (drawn[i] === null ? x : ADJUSTMENTS[i](x, drawn[i])), image);
  });
}

/** A Gaussian at `size` places, with sum 1. */
function gaussian(size: number, sigma: number): number[] {
  const density = Array.from({ length: size }, (_, i) =>
    Math.exp(-0.5 * ((i - (size - 1) / 2) / sigma) ** 2),
  );
  const sum = density.reduce((x, y) => x + y, 0);
  return density.map((x) => x / sum);
}

/** Along one dimension every element as the mean of its neighbours by weights; margins are there already. */
function smoothed(x: Tensor, dim: number, weights: readonly number[]): Tensor {
  const size = x.size(dim) - weights.length + 1;
  return weights.map((weight, i) => x.narrow(dim, i, size).mul(weight)).reduce((sum, part) => sum.add(part));
}

/**
 * Blurred by a Gaussian of `kernelSize`, one or [x, y], whose width in pixels is drawn from `sigma`, default [0.1, 2]. @throws
 * ArgumentError for an even size
 */
export function gaussianBlur(
  kernelSize: number | readonly [number, number],
  ...rest: Flexible<[sigma: Jitter], { sigma?: Jitter }>
): Transform {
  const op = 'gaussianBlur';
  const { sigma = [0.1, 2] } = named<{ sigma?: Jitter }>(op, 'sigma', rest);
  const [kx, ky] = typeof kernelSize === 'number' ? [kernelSize, kernelSize] : kernelSize;
  if (![kx, ky].every((k) => Number.isInteger(k) && k > 0 && k % 2 === 1))
    throw new ArgumentError(`${op}: kernelSize must be odd and positive, but got ${text(kernelSize)}`);
  const [low, high] = typeof sigma === 'number' ? [sigma, sigma] : range(sigma, op, 'sigma');
  if (!(low > 0)) throw new ArgumentError(`${op}: sigma must be positive, but got ${low}`);
  return step(`GaussianBlur(kernel_size=${text([kx, ky])}, sigma=(${floatTexts([low, high])}))`, (image) => {
    const width = uniform(low, high);
    const margins = [kx, kx, ky, ky].map((k) => (k - 1) / 2);
    const floats = image.isFloatingPoint() ? image : image.float();
    const wide = padded(floats, margins, 'reflect', null);
    const blurred = smoothed(smoothed(wide, -1, gaussian(kx, width)), -2, gaussian(ky, width));
    return image.isFloatingPoint() ? blurred : blurred.round().to(image.dtype);
  });
}

export interface RandomErasingOptions {
  /** Default 0.5. */
  p?: number;
  /** The part of the area; default [0.02, 0.33]. */
  scale?: readonly [number, number];
  /** Height by width; default [0.3, 3.3]. */
  ratio?: readonly [number, number];
  /** What takes its place: a number, one for each channel, or 'random' for normal noise. Default 0. */
  value?: number | readonly number[] | 'random';
}

/** A window of the image overwritten, with probability p (Zhong et al., "Random erasing data augmentation", 2017). @throws ArgumentError */
export function randomErasing(
  ...rest: Flexible<
    [
      p: number,
      scale: readonly [number, number],
      ratio: readonly [number, number],
      value: number | readonly number[] | 'random',
    ],
    RandomErasingOptions
  >
): Transform {
  const op = 'randomErasing';
  const options = named<RandomErasingOptions>(op, 'p scale ratio value', rest);
  const { value = 0 } = options;
  const p = probability(options.p ?? 0.5, op);
  const scale = range(options.scale ?? [0.02, 0.33], op, 'scale');
  const ratio = range(options.ratio ?? [0.3, 3.3], op, 'ratio');
  if (!(scale[0] >= 0 && scale[1] <= 1))
    throw new ArgumentError(`${op}: scale must be between 0 and 1, but got ${text(scale)}`);
  return step(
    `RandomErasing(p=${text(p)}, scale=${text(scale)}, ratio=${text(ratio)}, value=${text(value)}, inplace=False)`,
    (image) => {
      if (!happens(p)) return image;
      const [height, width] = heightAndWidth(image);
      const channels = image.size(-3);
      if (Array.isArray(value) && value.length !== 1 && value.length !== channels)
        throw new ArgumentError(
          `${op}: expected value to be 1 or ${channels} numbers, but got ${value.length}`,
        );
      let patch: Tensor | null = null;
      const window = randomWindow(
        [height, width],
        scale,
        ratio,
        (h, w) => h < height && w < width,
        true,
        (h, w) => {
          patch =
            value === 'random'
              ? empty([channels, h, w]).normal_()
              : tensor(typeof value === 'number' ? [value] : [...value]).reshape(-1, 1, 1);
        },
      );
      if (window === null || patch === null) return image;
      const [top, left, h, w] = window;
      const erased = image.clone();
      erased
        .narrow(-2, top, h)
        .narrow(-1, left, w)
        .copy_((patch as Tensor).to({ dtype: image.dtype, device: image.device }));
      return erased;
    },
  );
}
