/** Images read at places that a grid names, and the grids of affine maps: spatial transformers (Jaderberg et al., 2015). */

import { noGrad } from '../../autograd/gradMode.ts';
import { record } from '../../autograd/record.ts';
import { ArgumentError, ShapeError } from '../../core/errors.ts';
import { inOp } from '../../core/inOp.ts';
import { contiguousStrides, formatShape, numElements, type Shape } from '../../core/shape.ts';
import { ones, zeros, zerosLike } from '../../creation.ts';
import { checkDevices, contiguous } from '../../ops/convert.ts';
import { checkFloating, given, tensorGiven } from '../../ops/given.ts';
import { selectAlong } from '../../ops/indexing.ts';
import { cat, stack } from '../../ops/join.ts';
import { taking } from '../../ops/taking.ts';
import { whereOp } from '../../ops/where.ts';
import { arange, linspace } from '../../sequences.ts';
import { type Flexible, named } from '../../tensor/namedArguments.ts';
import type { Tensor } from '../../tensor.ts';

export type GridSampleMode = 'bilinear' | 'nearest' | 'bicubic';
export type GridSamplePaddingMode = 'zeros' | 'border' | 'reflection';

export interface GridSampleOptions {
  /** Default 'bilinear', which for volumes is trilinear; 'bicubic' is for images only. */
  mode?: GridSampleMode;
  /** What lies outside. Default 'zeros'. */
  paddingMode?: GridSamplePaddingMode;
  /** −1 and 1 are the centres of the outermost pixels, and not their outer edges. Default false. */
  alignCorners?: boolean | null;
}

/** A pixel along one dimension that takes part in each sample. */
interface Tap {
  /** Its number, whole and perhaps outside. */
  readonly at: Tensor;
  /** Its share in the sample; null for the whole. */
  readonly weight: Tensor | null;
}

interface Reading {
  readonly mode: GridSampleMode;
  readonly paddingMode: GridSamplePaddingMode;
  readonly alignCorners: boolean;
}

/** Pixels outside are those at the border, and NaN is pixel 0; no gradient there, nor at the border itself. */
function clipped(place: Tensor, size: number): Tensor {
  const inside = place.gt(0).logicalAnd(place.lt(size - 1));
  const border = place
    .detach()
    .nanToNum()
    .clamp(0, size - 1);
  return whereOp<Tensor>(inside, place, border);
}

/** Places outside thrown back at the ends of the image, as often as it takes; the ends are those that `alignCorners` means. */
function reflected(place: Tensor, size: number, alignCorners: boolean): Tensor {
  const low = alignCorners ? 0 : -0.5;
  const span = alignCorners ? size - 1 : size;
  if (span === 0) return clipped(place, size);
  const rest = place
    .sub(low)
    .abs()
    .fmod(2 * span);
  return clipped(whereOp<Tensor>(rest.gt(span), rest.rsub(2 * span), rest).add(low), size);
}

function padded(place: Tensor, size: number, { paddingMode, alignCorners }: Reading): Tensor {
  if (paddingMode === 'zeros') return place;
  return paddingMode === 'border' ? clipped(place, size) : reflected(place, size, alignCorners);
}

/** Keys' cubic kernel with a = −0.75 (Keys, 1981), at distances up to 1, and from 1 to 2. */
const CUBIC = -0.75;
const nearCubic = (x: Tensor): Tensor =>
  x
    .mul(CUBIC + 2)
    .sub(CUBIC + 3)
    .mul(x)
    .mul(x)
    .add(1);
const farCubic = (x: Tensor): Tensor =>
  x
    .mul(CUBIC)
    .sub(5 * CUBIC)
    .mul(x)
    .add(8 * CUBIC)
    .mul(x)
    .sub(4 * CUBIC);

/** The pixels along one dimension of `size` that samples at `coordinate`, from −1 to 1, are made of. */
function tapsOf(coordinate: Tensor, size: number, reading: Reading): Tap[] {
  const { mode, alignCorners } = reading;
  const scaled = coordinate.add(1).mul((alignCorners ? size - 1 : size) / 2);
  const raw = alignCorners ? scaled : scaled.sub(0.5);
  if (mode === 'bicubic') {
    const low = raw.detach().floor();
    const share = raw.sub(low);
    // Each of the four is padded by itself: the curve goes on outside.
    const weights = [
      farCubic(share.add(1)),
      nearCubic(share),
      nearCubic(share.rsub(1)),
      farCubic(share.rsub(2)),
    ];
    return weights.map((weight, k) => ({ at: padded(low.add(k - 1), size, reading), weight }));
  }
  const place = padded(raw, size, reading);
  if (mode === 'nearest') return [{ at: place.detach().round(), weight: null }];
  const low = place.detach().floor();
  const share = place.sub(low);
  return [
    { at: low, weight: share.rsub(1) },
    { at: low.add(1), weight: share },
  ];
}

/** Every choice of one tap from each dimension. */
const combinations = <T>(taps: readonly (readonly T[])[]): T[][] =>
  taps.reduce<T[][]>((all, list) => all.flatMap((some) => list.map((tap) => [...some, tap])), [[]]);

/** Above this, float32 has no longer every whole number. */
const EXACT = 2 ** 24;

/** How far into the list of pixels a tap leads along its dimension; `outside`, its end, if there is no such pixel. */
function strideTo({ at }: Tap, size: number, stride: number, outside: number): Tensor {
  const whole = outside > EXACT ? at.long() : at;
  return whereOp<Tensor>(at.eq(at.clamp(0, size - 1)), whole.mul(stride), outside);
}

/** With fewer channels than this, one of them after the other is read; else all of a pixel together. */
const FEW = 16;

/** The samples, [n, c, samples]. */
function sampled(input: Tensor, grid: Tensor, reading: Reading): Tensor {
  const [batch, channels, ...sizes] = input.shape;
  const { dtype, device } = input;
  const pixels = numElements(sizes);
  const outside = batch * pixels;
  const along = channels < FEW ? 1 : 0;
  const lined = (size: number): number[] => (along === 1 ? [channels, size] : [size, channels]);
  const listed = input.flatten(2).movedim(1, along === 1 ? 0 : 2);
  // One pixel more stands for all that lies outside: an infinity times 0 would not.
  const last = zeros(lined(1), { dtype, device });
  const list = cat<Tensor>([listed.reshape(lined(-1)), last], along);
  const first = arange(batch, { dtype: outside > EXACT ? 'int64' : dtype, device })
    .mul(pixels)
    .unsqueeze(1);
  const strides = contiguousStrides(sizes);
  const places = grid.reshape([batch, -1, sizes.length]);
  // A grid names the last dimension first.
  const taps = sizes.map((size, d) =>
    tapsOf(places.select(-1, sizes.length - 1 - d), size, reading).map((tap) => {
      const to = noGrad(() => strideTo(tap, size, strides[d], outside));
      return { to: d === 0 ? to.add(first) : to, weight: tap.weight };
    }),
  );
  const samples = combinations(taps)
    .map((choice) => {
      const row = choice
        .map(({ to }) => to)
        .reduce((a, b) => a.add(b))
        .clampMax(outside);
      const values = selectAlong<Tensor>(list, along, row.long().reshape([-1]));
      const weights = choice.flatMap(({ weight }) => weight ?? []);
      if (weights.length === 0) return values;
      const weight = weights.reduce((a, b) => a.mul(b)).reshape([-1]);
      return values.mul(along === 1 ? weight : weight.unsqueeze(1));
    })
    .reduce((a, b) => a.add(b));
  const apart = samples.unflatten(along, [batch, -1]);
  return contiguous(along === 1 ? apart.transpose(0, 1) : apart.transpose(1, 2));
}

/** @throws ArgumentError, ShapeError, DTypeError in PyTorch's words */
function checkGrid(input: Tensor, grid: Tensor, { mode, paddingMode }: Reading): void {
  if (!['bilinear', 'nearest', 'bicubic'].includes(mode))
    throw new ArgumentError(
      `grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '${String(mode)}'`,
    );
  if (!['zeros', 'border', 'reflection'].includes(paddingMode))
    throw new ArgumentError(
      `grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: '${String(paddingMode)}'`,
    );
  const [a, b] = [formatShape(input.shape), formatShape(grid.shape)];
  const came = `but got input with sizes ${a} and grid with sizes ${b}`;
  const { ndim } = input;
  if ((ndim !== 4 && ndim !== 5) || grid.ndim !== ndim)
    throw new ShapeError(
      `grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, ${came}`,
    );
  if (input.shape[0] !== grid.shape[0])
    throw new ShapeError(`grid_sampler(): expected grid and input to have same batch size, ${came}`);
  if (grid.shape[ndim - 1] !== ndim - 2)
    throw new ShapeError(
      `grid_sampler(): expected grid to have size ${ndim - 2} in last dimension, but got grid with sizes ${b}`,
    );
  const empty = input.shape.findIndex((size, d) => d > 1 && size === 0);
  if (empty >= 0)
    throw new ShapeError(
      `grid_sampler(): expected input to have non-empty spatial dimensions, but got input with sizes ${a} with dimension ` +
        `${empty} being empty`,
    );
  if (mode === 'bicubic' && ndim === 5)
    throw new ShapeError(`grid_sampler(): bicubic interpolation only supports 4D input, ${came}`);
  checkFloating(input, 'grid_sample');
  if (input.dtype !== grid.dtype)
    throw new ArgumentError(
      `grid_sampler(): expected input and grid to have same dtype, but input has ${input.dtype} and grid has ${grid.dtype}: ` +
        `argument 'grid' must be of dtype ${input.dtype}, but got ${grid.dtype}`,
    );
}

/**
 * input [n, c, h, w], or [n, c, d, h, w], read at the places of grid [n, ho, wo, 2], or [n, do, ho, wo, 3], which are
 * (x, y), or (x, y, z), from −1 at one end to 1 at the other: [n, c, ho, wo], or [n, c, do, ho, wo]. Both are of one
 * floating dtype, and both get gradients; that of the grid is 0 where the border holds a place, and in mode 'nearest'.
 * What is read at NaN: NaN in mode 'bicubic'; else pixel 0 with padding, NaN without, and a place outside for 'nearest'.
 *
 * Bilinear sampling: Jaderberg et al., Spatial Transformer Networks, 2015; bicubic: Keys, 1981, with a = −0.75.
 * @throws ShapeError, DTypeError, ArgumentError, DeviceError
 */
export const gridSample = /* @__PURE__ */ taking(
  'grid_sample',
  'grid ...',
  function gridSample(
    input: Tensor,
    grid: Tensor,
    ...rest: Flexible<
      [mode: GridSampleMode, paddingMode: GridSamplePaddingMode, alignCorners: boolean | null],
      GridSampleOptions
    >
  ): Tensor {
    tensorGiven(input, 'grid_sample');
    tensorGiven(grid, 'grid_sample', 'grid');
    const options = named<GridSampleOptions>('grid_sample', 'mode paddingMode alignCorners', rest);
    return inOp('grid_sample', () => {
      const { mode = 'bilinear', paddingMode = 'zeros', alignCorners } = options;
      const reading = { mode, paddingMode, alignCorners: alignCorners ?? false };
      checkGrid(input, grid, reading);
      checkDevices([input, grid], 'grid_sample', 'input grid');
      const [batch, channels, ...sizes] = input.shape;
      const shape = [batch, channels, ...grid.shape.slice(1, -1)];
      const name = `GridSampler${sizes.length}DBackward0`;
      if (numElements(shape) === 0) {
        const { array } = zeros(shape, { dtype: input.dtype, device: input.device });
        return record<Tensor>(name, array, [input, grid], () => () => [zerosLike(input), zerosLike(grid)]);
      }
      const result = sampled(input, grid, reading).reshape(shape);
      // The nearest pixel has no derivative by its place: zeros, so that a grid which wants a gradient gets one.
      return record<Tensor>(name, result.array, [result, grid], (node) => (grad) => [
        grad,
        node.needs[1] && mode === 'nearest' && zerosLike(grid),
      ]);
    });
  },
);

/** Coordinates of `count` pixels: of their centres, −1 to 1 being the outer edges, or the outermost centres. */
function steps(count: number, alignCorners: boolean, { dtype, device }: Tensor): Tensor {
  if (count <= 1) return zeros([count], { dtype, device });
  const ends = linspace(-1, 1, count, { dtype, device });
  return alignCorners ? ends : ends.mul((count - 1) / count);
}

/**
 * The grid that `gridSample` takes for affine maps theta [n, 2, 3] of images of `size` [n, c, h, w]: [n, h, w, 2]; or for
 * theta [n, 3, 4] and [n, c, d, h, w]: [n, d, h, w, 3]. A place of the result, (x, y, 1), is read at theta·(x, y, 1).
 * Any floating dtype.
 *
 * Jaderberg et al., Spatial Transformer Networks, 2015, equation 1.
 * @throws ShapeError, DTypeError, ArgumentError
 */
export const affineGrid = /* @__PURE__ */ taking(
  'affine_grid',
  'size alignCorners?',
  function affineGrid(theta: Tensor, size: Shape, alignCorners: boolean | null = false): Tensor {
    checkFloating(theta, 'affine_grid');
    return inOp('affine_grid', () => {
      const aligned = alignCorners ?? false;
      const all = [given(size, 'affine_grid', 'size', 'a list of sizes')].flat();
      const count = all.length - 2;
      if (count !== 2 && count !== 3)
        throw new ShapeError(
          `affine_grid: only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively, but got size ` +
            formatShape(all),
        );
      const [batch, , ...sizes] = size;
      if (
        theta.ndim !== 3 ||
        theta.shape[1] !== count ||
        theta.shape[2] !== count + 1 ||
        theta.shape[0] !== batch
      )
        throw new ShapeError(
          `affine_grid: Expected a batch of ${count}D affine matrices of shape Nx${count}x${count + 1} for size ` +
            `${formatShape(size)}, with N = ${batch}, but got ${formatShape(theta.shape)}`,
        );
      if (!size.every((n) => Number.isInteger(n) && n > 0))
        throw new ShapeError(
          `affine_grid: Expected non-zero, positive output size, but got ${formatShape(size)}`,
        );
      const { dtype, device } = theta;
      const places = sizes
        .map((n, d) =>
          steps(n, aligned, theta)
            .reshape(sizes.map((_, i) => (i === d ? n : 1)))
            .expand(sizes),
        )
        .reverse();
      const base = stack<Tensor>([...places, ones(sizes, { dtype, device })], -1).reshape([-1, count + 1]);
      return base.matmul(theta.transpose(1, 2)).reshape([batch, ...sizes, count]);
    });
  },
);
