/** Channels and pixels exchanged: `pixelShuffle` and its relatives only move elements. */

import type { Variable } from '../autograd/variable.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { formatShape } from '../core/shape.ts';
import { named } from './composite.ts';
import { clone } from './convert.ts';
import { tensorGiven } from './given.ts';
import { permute, reshape } from './views.ts';

function checkImage(op: string, x: Variable, factor: number): void {
  if (!Number.isInteger(factor) || factor < 1)
    throw new ArgumentError(`${op} expects a positive factor, but got ${factor}`);
  if (x.ndim < 3)
    throw new ShapeError(
      `${op} expects input to have at least 3 dimensions, but got input with ${x.ndim} dimension(s)`,
    );
}

/** y under its own name, in memory of its own where a factor of 1 made it a view of x. */
const rearranged = <T extends Variable>(name: string, x: T, y: T): T =>
  named(name, y.array.storage === x.array.storage ? clone(y) : y);

/** [..., c·r², h, w] → [..., c, h·r, w·r]. @throws ShapeError */
export function pixelShuffle<T extends Variable>(x: T, r: number): T {
  tensorGiven(x, 'pixel_shuffle');
  checkImage('pixel_shuffle', x, r);
  const [channels, h, w] = x.shape.slice(-3);
  if (channels % (r * r) !== 0) {
    throw new ShapeError(
      `pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)=` +
        `${channels} is not divisible by ${r * r}`,
    );
  }
  const lead = x.shape.slice(0, -3);
  const c = channels / (r * r);
  const at = lead.length;
  const split = reshape(x, [...lead, c, r, r, h, w]);
  const moved = permute(split, [...lead.keys(), at, at + 3, at + 1, at + 4, at + 2]);
  return rearranged('PixelShuffleBackward0', x, reshape(moved, [...lead, c, h * r, w * r]));
}

/** [..., c, h·r, w·r] → [..., c·r², h, w]. @throws ShapeError */
export function pixelUnshuffle<T extends Variable>(x: T, r: number): T {
  tensorGiven(x, 'pixel_unshuffle');
  checkImage('pixel_unshuffle', x, r);
  const [c, h, w] = x.shape.slice(-3);
  if (h % r !== 0 || w % r !== 0) {
    throw new ShapeError(
      `pixel_unshuffle expects height and width to be divisible by downscale_factor, but input of size ${formatShape(x.shape)} is ` +
        `not divisible by ${r}`,
    );
  }
  const lead = x.shape.slice(0, -3);
  const at = lead.length;
  const split = reshape(x, [...lead, c, h / r, r, w / r, r]);
  const moved = permute(split, [...lead.keys(), at, at + 2, at + 4, at + 1, at + 3]);
  return rearranged('PixelUnshuffleBackward0', x, reshape(moved, [...lead, c * r * r, h / r, w / r]));
}

/** The channels of [n, c, …] dealt out in turn to `groups` groups. @throws ShapeError */
export function channelShuffle<T extends Variable>(x: T, groups: number): T {
  tensorGiven(x, 'channel_shuffle');
  checkImage('channel_shuffle', x, groups);
  const [n, c, ...rest] = x.shape;
  if (c % groups !== 0) {
    throw new ShapeError(
      `channel_shuffle: Number of channels must be divisible by argument 'groups'. Got ${c} channels and ${groups} groups.`,
    );
  }
  const split = reshape(x, [n, groups, c / groups, ...rest]);
  const moved = permute(split, [0, 2, 1, ...rest.map((_, d) => d + 3)]);
  return rearranged('ChannelShuffleBackward0', x, reshape(moved, x.shape));
}
