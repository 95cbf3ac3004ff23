/** Images at other sizes: resized and cropped, as torchvision does with tensors. */
import { ArgumentError } from '../core/errors.ts';
import { roundHalfToEven } from '../core/round.ts';
import { type InterpolateMode, interpolate } from '../ops/interpolate.ts';
import { pad as padded } from '../ops/pad.ts';
import { randint } from '../random.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { bothSizes, floatTexts, heightAndWidth, range, step, text, uniform } from './steps.ts';
import type { Size, Transform } from './transforms.ts';

/** How pixels between others are found. */
export type ResizeInterpolation = 'nearest' | 'nearest-exact' | 'bilinear' | 'bicubic';

export interface ResizeOptions {
  /** Default 'bilinear'. */
  interpolation?: ResizeInterpolation;
  /** No edge becomes longer than this, where size is that of the shorter one. Default null: any length. */
  maxSize?: number | null;
  /** Smaller images are means over what falls together. Default true. */
  antialias?: boolean;
}

const MODES: readonly InterpolateMode[] = ['nearest', 'nearest-exact', 'bilinear', 'bicubic'];

function checkInterpolation(mode: ResizeInterpolation, op: string): void {
  if (!MODES.includes(mode))
    throw new ArgumentError(
      `${op}: interpolation must be one of ${MODES.join(', ')}, but got ${String(mode)}`,
    );
}

/** An image [..., h, w] of this size; bytes are rounded. */
function resized(
  image: Tensor,
  size: readonly number[],
  mode: ResizeInterpolation,
  antialias: boolean,
): Tensor {
  const [height, width] = heightAndWidth(image);
  if (height === size[0] && width === size[1]) return image;
  const lead = image.shape.slice(0, -2);
  const floats = image.isFloatingPoint() ? image : image.float();
  const wide = antialias && mode.startsWith('bi');
  const planes = floats.reshape(1, -1, height, width);
  const result = interpolate<Tensor>(planes, { size, mode, antialias: wide }).reshape(...lead, ...size);
  if (image.isFloatingPoint()) return result;
  return (mode === 'bicubic' ? result.clamp(0, 255) : result).round().to(image.dtype);
}

/**
 * Another size: [height, width], or, as a number, that of the shorter edge, the other one in proportion.
 * @throws ArgumentError
 */
export function resize(
  size: Size,
  ...rest: Flexible<
    [interpolation: ResizeInterpolation, maxSize: number | null, antialias: boolean],
    ResizeOptions
  >
): Transform {
  const {
    interpolation = 'bilinear',
    maxSize = null,
    antialias = true,
  } = named<ResizeOptions>('resize', 'interpolation maxSize antialias', rest);
  const exact = bothSizes(size, 'resize');
  checkInterpolation(interpolation, 'resize');
  if (maxSize !== null && typeof size !== 'number')
    throw new ArgumentError('resize: maxSize needs a size that is a number, that of the shorter edge');
  if (maxSize !== null && !(maxSize > exact[0]))
    throw new ArgumentError(`resize: maxSize must be larger than the size ${exact[0]}, but got ${maxSize}`);
  const shape = (image: Tensor): readonly number[] => {
    if (typeof size !== 'number') return exact;
    const [height, width] = heightAndWidth(image);
    const [short, long] = width <= height ? [width, height] : [height, width];
    let [newShort, newLong] = [size, Math.trunc((size * long) / short)];
    if (maxSize !== null && newLong > maxSize)
      [newShort, newLong] = [Math.trunc((maxSize * newShort) / newLong), maxSize];
    return width <= height ? [newLong, newShort] : [newShort, newLong];
  };
  return step(
    `Resize(size=${text(size)}, interpolation=${interpolation}, max_size=${text(maxSize)}, antialias=${text(antialias)})`,
    (image) => resized(image, shape(image), interpolation, antialias),
  );
}

/** The middle of the image, with a margin of zeros where it is too small. @throws ArgumentError */
export function centerCrop(size: Size): Transform {
  const [h, w] = bothSizes(size, 'centerCrop');
  return step(`CenterCrop(size=${text([h, w])})`, (given) => {
    const missing = heightAndWidth(given).map((n, d) => Math.max([h, w][d] - n, 0));
    const [top, left] = missing.map((n) => Math.floor(n / 2));
    const margins = [left, missing[1] - left, top, missing[0] - top];
    const image = margins.some((n) => n > 0) ? padded(given, margins, 'constant', 0) : given;
    const [height, width] = heightAndWidth(image);
    const from = (free: number): number => roundHalfToEven(free / 2);
    return image.narrow(-2, from(height - h), h).narrow(-1, from(width - w), w);
  });
}

export interface RandomResizedCropOptions {
  /** The part of the image's area; default [0.08, 1]. */
  scale?: readonly [number, number];
  /** Width by height; default [3/4, 4/3]. */
  ratio?: readonly [number, number];
  interpolation?: ResizeInterpolation;
  antialias?: boolean;
}

/** How often a window is drawn that may not fit. */
const TRIES = 10;

/** A window [top, left, height, width] of an area and a shape that are drawn; null if none fits, `inside` or at all. */
export function randomWindow(
  [height, width]: readonly [number, number],
  scale: readonly [number, number],
  ratio: readonly [number, number],
  fits: (h: number, w: number) => boolean,
  upright: boolean,
  prepare: (h: number, w: number) => void = () => {},
): [number, number, number, number] | null {
  const logs = ratio.map((r) => Math.fround(Math.log(Math.fround(r))));
  for (let i = 0; i < TRIES; i++) {
    const area = height * width * uniform(scale[0], scale[1]);
    const shape = Math.fround(Math.exp(uniform(logs[0], logs[1])));
    const [a, b] = [Math.sqrt(area * shape), Math.sqrt(area / shape)].map(roundHalfToEven);
    const [h, w] = upright ? [a, b] : [b, a];
    if (!fits(h, w)) continue;
    prepare(h, w);
    const place = (free: number): number => randint(0, free + 1, [1]).item() as number;
    return [place(height - h), place(width - w), h, w];
  }
  return null;
}

/** A window of a random area and shape at a random place, at this size. @throws ArgumentError */
export function randomResizedCrop(
  size: Size,
  ...rest: Flexible<
    [
      scale: readonly [number, number],
      ratio: readonly [number, number],
      interpolation: ResizeInterpolation,
      antialias: boolean,
    ],
    RandomResizedCropOptions
  >
): Transform {
  const op = 'randomResizedCrop';
  const options = named<RandomResizedCropOptions>(op, 'scale ratio interpolation antialias', rest);
  const { interpolation = 'bilinear', antialias = true } = options;
  const to = bothSizes(size, op);
  checkInterpolation(interpolation, op);
  const scale = range(options.scale ?? [0.08, 1], op, 'scale');
  const ratio = range(options.ratio ?? [3 / 4, 4 / 3], op, 'ratio');
  const rounded = (list: readonly number[]) => floatTexts(list.map((x) => Math.round(x * 1e4) / 1e4));
  return step(
    `RandomResizedCrop(size=${text(to)}, scale=(${rounded(scale)}), ratio=(${rounded(ratio)}), interpolation=${interpolation}, ` +
      `antialias=${text(antialias)})`,
    (image) => {
      const [height, width] = heightAndWidth(image);
      const fits = (h: number, w: number) => w > 0 && w <= width && h > 0 && h <= height;
      const [top, left, h, w] =
        randomWindow([height, width], scale, ratio, fits, false) ?? middle(height, width, ratio);
      return resized(image.narrow(-2, top, h).narrow(-1, left, w), to, interpolation, antialias);
    },
  );
}

/** The largest window in the middle of a shape that is allowed. */
function middle(height: number, width: number, [low, high]: readonly [number, number]) {
  let [h, w] = [height, width];
  if (width / height < low) h = roundHalfToEven(w / low);
  else if (width / height > high) w = roundHalfToEven(h * high);
  return [Math.floor((height - h) / 2), Math.floor((width - w) / 2), h, w] as const;
}
