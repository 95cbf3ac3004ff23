/** Images turned, moved, scaled and sheared, as torchvision does with tensors. */
import { ArgumentError } from '../core/errors.ts';
import { roundHalfToEven } from '../core/round.ts';
import { fromTypedArray, tensor } from '../creation.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { floatTexts, heightAndWidth, range, step, text, uniform } from './steps.ts';
import type { Transform } from './transforms.ts';

export type AffineInterpolation = 'nearest' | 'bilinear';
/** For all channels, or for each. */
export type Fill = number | readonly number[];
/** Degrees between −d and d, or from one to the other. */
export type Degrees = number | readonly [number, number];

interface SamplingOptions {
  /** Default 'nearest'. */
  interpolation?: AffineInterpolation;
  /** What lies outside of the image; default 0. */
  fill?: Fill;
  /** The fixed point, [x, y] from the upper left corner; default the middle. */
  center?: readonly [number, number] | null;
}

export interface RandomRotationOptions extends SamplingOptions {
  /** The result is large enough for all of the image. Default false. */
  expand?: boolean;
}

export interface RandomAffineOptions extends SamplingOptions {
  /** At most so large a part of the width and of the height; default none. */
  translate?: readonly [number, number] | null;
  /** Default 1. */
  scale?: readonly [number, number] | null;
  /** Degrees along x: ± a number, or from one to another; and from a third to a fourth along y. */
  shear?: number | readonly number[] | null;
}

/** Where pixels of a result come from: x' = a·x + b·y + c, y' = d·x + e·y + f about the middle of both. */
type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

interface Placement {
  /** Degrees, against the clock. */
  readonly angle: number;
  readonly shift: readonly [number, number];
  readonly scale: number;
  /** Degrees. */
  readonly shear: readonly [number, number];
  /** The fixed point, from the middle. */
  readonly center: readonly [number, number];
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/**
 * The inverse of: to the fixed point, scaled, sheared by y and by x, turned, back and moved. The middle matrix is
 * R(angle − sy)·[[1, −tan sx], [0, cos sy]] / cos sy but for the scale, with determinant 1.
 */
function inverse({ angle, shift, scale, shear, center }: Placement): Matrix {
  const [rotation, sx, sy] = [angle, ...shear].map(radians);
  const [cos, sin] = [Math.cos(rotation - sy) / Math.cos(sy), Math.sin(rotation - sy) / Math.cos(sy)];
  const [a, b] = [cos, -cos * Math.tan(sx) - Math.sin(rotation)];
  const [c, d] = [sin, -sin * Math.tan(sx) + Math.cos(rotation)];
  const [p, q, r, s] = [d / scale, -b / scale, -c / scale, a / scale];
  const [x, y] = [center[0] + shift[0], center[1] + shift[1]];
  return [p, q, center[0] - p * x - q * y, r, s, center[1] - r * x - s * y];
}

/** Corners are exact but for rounding: what is below this is none. */
const TOLERANCE = 1e-4;

/** [height, width] that hold all of an image. */
function expandedSize([a, b, c, d, e, f]: Matrix, height: number, width: number): [number, number] {
  const [w, h] = [width / 2, height / 2];
  const extent = (p: number, q: number, r: number, half: number): number => {
    const ends = [-1, 1].flatMap((i) => [-1, 1].map((j) => p * w * i + q * h * j + r + half));
    const whole = ends.map((x) => Math.trunc(Math.fround(x) / TOLERANCE) * TOLERANCE);
    return Math.ceil(Math.max(...whole)) - Math.floor(Math.min(...whole));
  };
  return [extent(d, e, f, h), extent(a, b, c, w)];
}

/** Pixels of the image that make those of a result, by their places in the flattened image, with weights; 0 outside. */
interface Sources {
  readonly places: BigInt64Array;
  readonly weights: Float32Array | Float64Array;
}

/** Of the pixel nearest to each place, or, one after the other, of the four around it. */
function sourcesOf(
  matrix: Matrix,
  from: readonly [number, number],
  to: readonly [number, number],
  interpolation: AffineInterpolation,
  double: boolean,
): Sources[] {
  if (interpolation === 'nearest') return [pixelsAt(matrix, from, to, null, double)];
  return [0, 1].flatMap((down) => [0, 1].map((right) => pixelsAt(matrix, from, to, [down, right], double)));
}

/** A place along a dimension of 2·half pixels, rounded at each step as in PyTorch: places between two pixels fall to the same. */
function place(
  round: (x: number) => number,
  x: number,
  y: number,
  [p, q, r]: number[],
  half: number,
): number {
  const part = round(round(round(x * p) + y * q) + r);
  return round(round(round(part + 1) * half) - 0.5);
}

/** The nearest pixels, or those so far below and to the right of the last ones before a place. */
function pixelsAt(
  [a, b, c, d, e, f]: Matrix,
  [height, width]: readonly [number, number],
  [rows, columns]: readonly [number, number],
  corner: readonly [down: number, right: number] | null,
  double: boolean,
): Sources {
  const places = new BigInt64Array(rows * columns);
  const weights = new (double ? Float64Array : Float32Array)(rows * columns);
  const round = double ? (x: number) => x : Math.fround;
  const across = [a, b, c].map((part) => round(round(part) / (width / 2)));
  const down = [d, e, f].map((part) => round(round(part) / (height / 2)));
  for (let i = 0, at = 0; i < rows; i++) {
    const y = i + 0.5 - rows / 2;
    for (let j = 0; j < columns; j++, at++) {
      const x = j + 0.5 - columns / 2;
      const u = place(round, x, y, across, width / 2);
      const v = place(round, x, y, down, height / 2);
      const column = corner === null ? roundHalfToEven(u) : Math.floor(u) + corner[1];
      const row = corner === null ? roundHalfToEven(v) : Math.floor(v) + corner[0];
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      places[at] = BigInt(row * width + column);
      weights[at] = corner === null ? 1 : (1 - Math.abs(u - column)) * (1 - Math.abs(v - row));
    }
  }
  return { places, weights };
}

function sampled(
  image: Tensor,
  matrix: Matrix,
  size: readonly [number, number],
  interpolation: AffineInterpolation,
  fill: Fill,
): Tensor {
  const [height, width] = heightAndWidth(image);
  const { device } = image;
  const pixels = (image.isFloatingPoint() ? image : image.float()).reshape(-1, height * width);
  const count = pixels.shape[0];
  const fills = typeof fill === 'number' ? [fill] : fill;
  const channels = image.ndim < 3 ? 1 : image.size(-3);
  if (fills.length !== 1 && fills.length !== channels)
    throw new ArgumentError(`fill: expected 1 or ${channels} numbers, but got ${fills.length}`);
  const double = pixels.dtype === 'float64';
  const sources = sourcesOf(matrix, [height, width], size, interpolation, double);
  const parts = sources.map(({ places, weights }) => {
    const weight = fromTypedArray(weights, [weights.length], { device });
    const taken = pixels.indexSelect(1, fromTypedArray(places, [places.length], { device }));
    return { weight, value: taken.mul(weight) };
  });
  const sum = (list: readonly Tensor[]): Tensor => list.reduce((x, y) => x.add(y));
  const inside = sum(parts.map(({ weight }) => weight));
  const outside = tensor([...fills], { dtype: pixels.dtype, device })
    .repeat(count / fills.length)
    .reshape(-1, 1);
  const value = sum(parts.map((part) => part.value));
  const seen = interpolation === 'nearest' ? value : value.mul(inside);
  const whole = seen.add(outside.mul(inside.rsub(1))).reshape(...image.shape.slice(0, -2), ...size);
  return image.isFloatingPoint() ? whole : whole.round().to(image.dtype);
}

const fromMiddle = (
  center: readonly [number, number] | null,
  height: number,
  width: number,
): readonly [number, number] => (center === null ? [0, 0] : [center[0] - width / 2, center[1] - height / 2]);

function degreesOf(given: Degrees, op: string, argument: string): readonly [number, number] {
  if (typeof given !== 'number') return range(given, op, argument);
  if (given >= 0) return [0 - given, given];
  throw new ArgumentError(`${op}: ${argument}, as a single number, must not be negative, but got ${given}`);
}

function checkInterpolation(mode: AffineInterpolation, op: string): void {
  if (mode !== 'nearest' && mode !== 'bilinear')
    throw new ArgumentError(`${op}: interpolation must be nearest or bilinear, but got ${String(mode)}`);
}

const fillText = (fill: Fill): string =>
  typeof fill === 'number' ? text(fill) : `[${fill.map((x) => text(x)).join(', ')}]`;

/** The image turned by an angle that is drawn. @throws ArgumentError */
export function randomRotation(
  degrees: Degrees,
  ...rest: Flexible<
    [
      interpolation: AffineInterpolation,
      expand: boolean,
      center: readonly [number, number] | null,
      fill: Fill,
    ],
    RandomRotationOptions
  >
): Transform {
  const op = 'randomRotation';
  const options = named<RandomRotationOptions>(op, 'interpolation expand center fill', rest);
  const { interpolation = 'nearest', expand = false, center = null, fill = 0 } = options;
  const angles = degreesOf(degrees, op, 'degrees');
  checkInterpolation(interpolation, op);
  const middle = center === null ? '' : `, center=${text(center)}`;
  return step(
    `RandomRotation(degrees=[${floatTexts(angles)}], interpolation=${interpolation}, expand=${text(expand)}${middle}, fill=${fillText(fill)})`,
    (image) => {
      const [height, width] = heightAndWidth(image);
      const matrix = inverse({
        angle: -uniform(...angles),
        shift: [0, 0],
        scale: 1,
        shear: [0, 0],
        center: fromMiddle(center, height, width),
      });
      const size = expand ? expandedSize(matrix, height, width) : ([height, width] as const);
      return sampled(image, matrix, size, interpolation, fill);
    },
  );
}

function shearsOf(shear: number | readonly number[], op: string): readonly number[] {
  if (typeof shear === 'number') return degreesOf(shear, op, 'shear');
  if (shear.length === 2) return range(shear, op, 'shear');
  if (shear.length === 4)
    return [...range(shear.slice(0, 2), op, 'shear'), ...range(shear.slice(2), op, 'shear')];
  throw new ArgumentError(`${op}: shear must be 1, 2 or 4 numbers, but got ${text(shear)}`);
}

/** The image turned, moved, scaled and sheared about its middle, each as much as is drawn. @throws ArgumentError */
export function randomAffine(
  degrees: Degrees,
  ...rest: Flexible<
    [
      translate: readonly [number, number] | null,
      scale: readonly [number, number] | null,
      shear: number | readonly number[] | null,
      interpolation: AffineInterpolation,
      fill: Fill,
      center: readonly [number, number] | null,
    ],
    RandomAffineOptions
  >
): Transform {
  const op = 'randomAffine';
  const options = named<RandomAffineOptions>(op, 'translate scale shear interpolation fill center', rest);
  const { translate = null, interpolation = 'nearest', fill = 0, center = null } = options;
  const angles = degreesOf(degrees, op, 'degrees');
  const scale = options.scale ? range(options.scale, op, 'scale') : null;
  const shear = options.shear === undefined || options.shear === null ? null : shearsOf(options.shear, op);
  checkInterpolation(interpolation, op);
  if (translate?.some((part) => !(part >= 0 && part <= 1)))
    throw new ArgumentError(`${op}: translate must be between 0 and 1, but got ${text(translate)}`);
  if (scale !== null && !(scale[0] > 0))
    throw new ArgumentError(`${op}: scale must be positive, but got ${text(scale)}`);
  const parts = [
    `degrees=[${floatTexts(angles)}]`,
    translate && `translate=${text(translate)}`,
    scale && `scale=${text(scale)}`,
    shear && `shear=[${floatTexts(shear)}]`,
    interpolation !== 'nearest' && `interpolation=${interpolation}`,
    fill !== 0 && `fill=${fillText(fill)}`,
    center && `center=${text(center)}`,
  ];
  return step(`RandomAffine(${parts.filter(Boolean).join(', ')})`, (image) => {
    const [height, width] = heightAndWidth(image);
    // In torchvision's order, for its draws.
    const angle = uniform(...angles);
    const moved = (part: number, length: number): number =>
      roundHalfToEven(uniform(-part * length, part * length));
    const shift: readonly [number, number] = translate
      ? [moved(translate[0], width), moved(translate[1], height)]
      : [0, 0];
    const scaled = scale ? uniform(...scale) : 1;
    const sx = shear ? uniform(shear[0], shear[1]) : 0;
    const sy = shear?.length === 4 ? uniform(shear[2], shear[3]) : 0;
    const matrix = inverse({
      angle,
      shift,
      scale: scaled,
      shear: [sx, sy],
      center: fromMiddle(center, height, width),
    });
    return sampled(image, matrix, [height, width], interpolation, fill);
  });
}
