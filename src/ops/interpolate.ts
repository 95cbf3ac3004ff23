/** Images and signals at another resolution: every output is a weighted sum of few inputs, one dimension at a time. */

import type { Variable } from '../autograd/variable.ts';
import { isFloating, torchTypeName } from '../core/dtype.ts';
import { ArgumentError, DTypeError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { tabulate } from '../core/lists.ts';
import { formatShape } from '../core/shape.ts';
import { add, addOp, mul } from './arithmetic.ts';
import { clamp } from './clamp.ts';
import { named } from './composite.ts';
import { cast } from './convert.ts';
import { floor } from './elementwise.ts';
import { tensorGiven } from './given.ts';
import { selectAlong } from './indexing.ts';
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from './pool.ts';

export type InterpolateMode =
  | 'nearest'
  | 'nearest-exact'
  | 'linear'
  | 'bilinear'
  | 'trilinear'
  | 'bicubic'
  | 'area';

export interface InterpolateSettings {
  /** The size of the result, for each dimension behind the channels. */
  size?: number | readonly (number | null)[] | null;
  /** Or how much larger it is. */
  scaleFactor?: number | readonly number[] | null;
  mode?: InterpolateMode;
  /** The corner elements keep their places (linear, bilinear, bicubic, trilinear). */
  alignCorners?: boolean | null;
  /** Use the ratio of the rounded sizes as the scale. */
  recomputeScaleFactor?: boolean | null;
  /** Smaller results are means over what falls together (bilinear and bicubic). */
  antialias?: boolean;
}

/** For one dimension: the input positions of each tap, and their weights (none means 1). */
interface Taps {
  readonly positions: number[][];
  readonly weights: number[][] | null;
}

/** Rounds to what PyTorch computes positions in: the input's own precision, float32 at least. */
type Rounding = (x: number) => number;

interface Scaling {
  readonly input: number;
  readonly output: number;
  /** As given, if it is to be used. */
  readonly factor: number | null;
  readonly alignCorners: boolean;
  readonly round: Rounding;
  /** One of two dimensions. */
  readonly plane: boolean;
}

const stepOf = ({ input, output, factor, round }: Scaling): number =>
  round(factor !== null ? 1 / factor : round(input / output));

function nearestTaps(scaling: Scaling, offset: number): Taps {
  const { input, output, round, plane } = scaling;
  // As PyTorch's: such sizes of images stay or double exactly, whatever the factor.
  const exact = plane && offset === 0 && (output === input || output === 2 * input);
  const step = exact ? input / output : stepOf(scaling);
  const at = (i: number): number => Math.min(Math.floor(round(round(i + offset) * step)), input - 1);
  return { positions: [tabulate(output, at)], weights: null };
}

/** The place of output i between the inputs. */
function sourcePlace(scaling: Scaling, i: number): number {
  const { input, output, alignCorners, round } = scaling;
  if (!alignCorners) return round(round(stepOf(scaling) * round(i + 0.5)) - 0.5);
  return output > 1 ? round(round((input - 1) / (output - 1)) * i) : 0;
}

function linearTaps(scaling: Scaling): Taps {
  const { input, output, round } = scaling;
  const places = tabulate(output, (i) => Math.max(input === output ? i : sourcePlace(scaling, i), 0));
  const low = places.map((place) => Math.min(Math.floor(place), input - 1));
  const share = places.map((place, i) => Math.min(Math.max(round(place - low[i]), 0), 1));
  // Where the size stays each element is its own neighbour: an infinity beside it times 0 would be NaN.
  const next = input === output ? 0 : 1;
  return {
    positions: [low, low.map((at) => Math.min(at + next, input - 1))],
    weights: [share.map((s) => round(1 - s)), share],
  };
}

/** Keys' cubic kernel at a distance below 2 (Keys, 1981). */
const cubic = (x: number, a: number): number =>
  x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
const CUBIC = -0.75;

function cubicTaps(scaling: Scaling): Taps {
  const { input, output } = scaling;
  const places = tabulate(output, (i) => sourcePlace(scaling, i));
  const clamp = (at: number): number => Math.min(Math.max(at, 0), input - 1);
  const tap = (k: number): number[] => places.map((place) => clamp(Math.floor(place) + k));
  const weight = (k: number): number[] =>
    places.map((place) => cubic(Math.abs(place - Math.floor(place) - k), CUBIC));
  const offsets = [-1, 0, 1, 2];
  return { positions: offsets.map(tap), weights: offsets.map(weight) };
}

/** Kernels of a distance, and where they end: a tent, and Keys' with the a of image libraries. */
const KERNELS = {
  bilinear: { radius: 1, kernel: (x: number): number => Math.max(1 - x, 0) },
  bicubic: { radius: 2, kernel: (x: number): number => (x < 2 ? cubic(x, -0.5) : 0) },
};

/** As many inputs as an output covers, weighed by a kernel that is widened so far. */
function wideTaps(scaling: Scaling, { radius, kernel }: (typeof KERNELS)['bilinear']): Taps {
  const { input, output, alignCorners, round } = scaling;
  const corners = output > 1 ? round((input - 1) / (output - 1)) : 0;
  const step = alignCorners ? corners : stepOf(scaling);
  const width = Math.max(step, 1);
  const reach = round(radius * width);
  const windows = tabulate(output, (i) => {
    const centre = round(step * (i + 0.5));
    const begin = Math.max(Math.trunc(round(centre - reach + 0.5)), 0);
    const end = Math.min(Math.trunc(round(centre + reach + 0.5)), input);
    const weights = tabulate(end - begin, (j) => kernel(Math.abs(begin + j - centre + 0.5) / width));
    const sum = weights.reduce((a, b) => a + b, 0);
    return { begin, weights: weights.map((w) => w / sum) };
  });
  const taps = tabulate(Math.max(...windows.map(({ weights }) => weights.length)), (k) => k);
  return {
    positions: taps.map((k) => windows.map(({ begin, weights }) => begin + Math.min(k, weights.length - 1))),
    weights: taps.map((k) => windows.map(({ weights }) => weights[k] ?? 0)),
  };
}

function resample<T extends Variable>(x: T, dim: number, { positions, weights }: Taps): T {
  const tail = new Array<number>(x.ndim - 1 - dim).fill(1);
  let total: T | null = null;
  positions.forEach((list, k) => {
    const taken = selectAlong(x, dim, list);
    if (weights === null) {
      total = taken;
      return;
    }
    const { backend } = x.array;
    const values = x.dtype === 'float64' ? new Float64Array(weights[k]) : new Float32Array(weights[k]);
    const column = x.derive(backend.upload(values, [list.length, ...tail], x.dtype));
    const term = mul<T>(taken, column);
    total = total === null ? term : addOp<T>(total, term);
  });
  return total ?? x;
}

/**
 * Bytes, given as float32, as PyTorch weighs them: by whole numbers of 15 bits, rounded to bytes after each dimension. Their sums
 * are below 2^24, so nothing else is rounded.
 */
function resampleBytes<T extends Variable>(x: T, dim: number, { positions, weights }: Taps): T {
  if (weights === null) return x;
  // What lies beyond the border is the border's.
  const merged = weights.map((list) => list.map(() => 0));
  weights.forEach((list, k) => {
    list.forEach((weight, i) => {
      merged[positions.findIndex((at) => at[i] === positions[k][i])][i] += weight;
    });
  });
  const one = 2 ** (Math.ceil(Math.log2((2 ** 15 - 0.5) / Math.max(...merged.flat()))) - 1);
  const whole = merged.map((list) => list.map((w) => Math.trunc(w * one + 0.5 * Math.sign(w))));
  const sums = resample(x, dim, { positions, weights: whole });
  return clamp<T>(floor(mul<T>(add<T>(sums, one / 2), 1 / one)), 0, 255);
}

const tapsOf = {
  nearest: (scaling: Scaling) => nearestTaps(scaling, 0),
  'nearest-exact': (scaling: Scaling) => nearestTaps(scaling, 0.5),
  linear: linearTaps,
  bilinear: linearTaps,
  trilinear: linearTaps,
  bicubic: cubicTaps,
};
const nodeNames = {
  nearest: 'UpsampleNearest',
  'nearest-exact': 'UpsampleNearestExact',
  linear: 'UpsampleLinear',
  bilinear: 'UpsampleBilinear',
  trilinear: 'UpsampleTrilinear',
  bicubic: 'UpsampleBicubic',
};
const rankOf: { readonly [mode in InterpolateMode]?: number } = {
  linear: 1,
  bilinear: 2,
  trilinear: 3,
  bicubic: 2,
};

interface Target {
  readonly output: number[];
  readonly factors: (number | null)[];
}

function target(
  x: Variable,
  { size = null, scaleFactor = null, recomputeScaleFactor = false }: InterpolateSettings,
): Target {
  const input = x.shape.slice(2);
  const perDimension = <V>(given: V | readonly V[], what: string): V[] => {
    const list = Array.isArray(given) ? (given as readonly V[]) : input.map(() => given as V);
    if (list.length === input.length) return [...list];
    throw new ArgumentError(
      `Input and ${what} must have the same number of spatial dimensions, but got input with spatial dimensions of ` +
        `${formatShape(input)} and ${what} of ${String(given)}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and ` +
        `${what} in (d1, d2, ...,dK) format.`,
    );
  };
  if ((size === null) === (scaleFactor === null)) {
    throw new ArgumentError(
      `only one of size or scale_factor should be defined${size === null ? ', but got neither' : ''}`,
    );
  }
  if (size !== null) {
    if (recomputeScaleFactor)
      throw new ArgumentError('recompute_scale_factor is not meaningful with an explicit size.');
    const output = perDimension(size, 'output_size').map((n, d) => n ?? input[d]);
    return { output, factors: input.map(() => null) };
  }
  const factors = perDimension(scaleFactor ?? 1, 'scale_factor');
  const output = input.map((n, d) => Math.floor(n * factors[d]));
  return { output, factors: recomputeScaleFactor ? input.map(() => null) : factors };
}

/** x [n, c, …] at another size. @throws ShapeError, ArgumentError, DTypeError in PyTorch's words */
export function interpolate<T extends Variable>(x: T, settings: InterpolateSettings): T {
  tensorGiven(x, 'interpolate');
  return inOp('interpolate', () => {
    const { mode = 'nearest', alignCorners = null, antialias = false } = settings;
    const ndim = x.ndim - 2;
    if (ndim < 1 || ndim > 3) {
      throw new ShapeError(
        `Input Error: Only 3D, 4D and 5D input Tensors supported (got ${x.ndim}D) for the modes: nearest | linear | bilinear | ` +
          `bicubic | trilinear | area | nearest-exact (got ${mode})`,
      );
    }
    const bytes = x.dtype === 'uint8' && /^(nearest|bi)/.test(mode);
    if (!isFloating(x.dtype) && !bytes)
      throw new DTypeError(`interpolate: not implemented for '${torchTypeName(x.dtype)}'`);
    if (mode !== 'area' && !Object.hasOwn(tapsOf, mode))
      throw new ArgumentError(`interpolate: unknown mode '${String(mode)}'`);
    if (rankOf[mode] === undefined && alignCorners !== null) {
      throw new ArgumentError(
        'align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear',
      );
    }
    if ((rankOf[mode] ?? ndim) !== ndim)
      throw new ShapeError(`Got ${x.ndim}D input, but ${mode} mode needs ${(rankOf[mode] ?? 0) + 2}D input`);
    if (antialias && !(ndim === 2 && Object.hasOwn(KERNELS, mode))) {
      throw new ArgumentError(
        `Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input, but got ${x.ndim}-D and ${mode}`,
      );
    }
    const { output, factors } = target(x, settings);
    const least = mode === 'area' ? 0 : 1;
    if (!output.every((n) => Number.isInteger(n) && n >= least) || x.shape.slice(2).includes(0)) {
      throw new ShapeError(
        `Input and output sizes should be greater than 0, but got input (${x.shape.slice(2).join(', ')}) output (${output.join(', ')})`,
      );
    }
    if (mode === 'area') return area(x, output);
    if (x.shape[1] === 0) {
      throw new ShapeError(
        `Non-empty ${x.ndim}D data tensor expected but got a tensor with sizes ${formatShape(x.shape)} for argument 'input'`,
      );
    }
    const weighs = bytes && mode.startsWith('bi');
    const round: Rounding = x.dtype === 'float64' || weighs ? (v) => v : Math.fround;
    let result = weighs ? cast(x, 'float32') : x;
    // The last dimension first, as PyTorch nests its sums.
    for (let d = ndim - 1; d >= 0; d--) {
      // PyTorch leaves such a dimension as it is, whatever the factor.
      if ((weighs || antialias) && output[d] === x.shape[d + 2]) continue;
      const scaling = {
        input: x.shape[d + 2],
        output: output[d],
        factor: factors[d],
        alignCorners: alignCorners ?? false,
        round,
        plane: ndim === 2,
      };
      const taps = antialias
        ? wideTaps(scaling, KERNELS[mode as keyof typeof KERNELS])
        : tapsOf[mode](scaling);
      result = (weighs ? resampleBytes : resample)(result, d + 2, taps);
    }
    if (bytes) return cast(result, 'uint8');
    return named(`${nodeNames[mode]}${ndim}D${antialias ? 'Aa' : ''}Backward0`, result);
  });
}

function area<T extends Variable>(x: T, output: readonly number[]): T {
  return [adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d][output.length - 1](x, output);
}
