/** Dropout in its forms. The draws are PyTorch's on CPUs without MKL. */

import { ArgumentError, ShapeError } from '../../core/errors.ts';
import { inOp } from '../../core/inOp.ts';
import { formatShape } from '../../core/shape.ts';
import { zerosLike } from '../../creation.ts';
import type { GeneratorOptions } from '../../ops/draw.ts';
import { tensorGiven } from '../../ops/given.ts';
import { inplace as changeInPlace } from '../../ops/inplace.ts';
import { dropoutMask, dropoutNoise } from '../../ops/sample.ts';
import { type Flexible, named } from '../../tensor/namedArguments.ts';
import type { Tensor } from '../../tensor.ts';

export interface DropoutOptions extends GeneratorOptions {
  /** The probability of an element to become 0. Default 0.5. */
  p?: number;
  /** False: the input is returned as it is, and nothing is drawn. Default true. */
  training?: boolean;
  /** Overwrite the input. */
  inplace?: boolean;
}

type Rest = Flexible<[p: number, training: boolean, inplace: boolean], DropoutOptions>;

/** @throws ArgumentError for p outside [0, 1] */
function settings(op: string, rest: Rest, training: boolean) {
  const given = named<DropoutOptions>(op, 'p training inplace * generator', rest);
  const found = { p: 0.5, training, inplace: false, ...given };
  checkProbability(found.p);
  return found;
}

/** @throws ArgumentError for p outside [0, 1] */
export function checkProbability(p: number): void {
  if (p >= 0 && p <= 1) return;
  throw new ArgumentError(`dropout probability has to be between 0 and 1, but got ${p}`);
}

function drop(op: string, x: Tensor, rest: Rest, channels: boolean): Tensor {
  const { p, training, inplace, generator } = settings(op, rest, true);
  if (channels && x.ndim < 2)
    throw new ShapeError(
      `Feature dropout requires at least 2 dimensions in the input, but got shape ${formatShape(x.shape)}`,
    );
  if (p === 0 || !training || x.numel() === 0) return x;
  const noise = p === 1 ? zerosLike(x) : dropoutNoise<Tensor>(x, p, { generator, channels });
  return inplace ? x.mul_(noise) : x.mul(noise);
}

/** Each element becomes 0 with probability p, and the others are divided by 1 − p; nothing happens outside training. */
export const dropout = (x: Tensor, ...rest: Rest): Tensor =>
  inOp('dropout', () => drop('dropout', tensorGiven(x, 'dropout'), rest, false));

/** Dropout of whole channels: x is [N, C, L], or [C, L]. @throws ShapeError */
export function dropout1d(x: Tensor, ...rest: Rest): Tensor {
  tensorGiven(x, 'dropout1d');
  return inOp('dropout1d', () => {
    if (x.ndim !== 2 && x.ndim !== 3) {
      throw new ShapeError(`dropout1d: Expected 2D or 3D input, but received a ${x.ndim}D input.`);
    }
    return x.ndim === 3
      ? drop('dropout1d', x, rest, true)
      : drop('dropout1d', x.unsqueeze(0), rest, true).squeeze(0);
  });
}

/** Dropout of whole channels: x is [N, C, H, W]; a tensor of 3 dimensions is taken as [N, C, L]. @throws ShapeError */
export const dropout2d = (x: Tensor, ...rest: Rest): Tensor =>
  inOp('dropout2d', () => drop('dropout2d', tensorGiven(x, 'dropout2d'), rest, true));

/** Dropout of whole channels: x is [N, C, D, H, W]; any other is a sample [C, …]. */
export function dropout3d(x: Tensor, ...rest: Rest): Tensor {
  tensorGiven(x, 'dropout3d');
  return inOp('dropout3d', () => {
    return x.ndim === 5
      ? drop('dropout3d', x, rest, true)
      : drop('dropout3d', x.unsqueeze(0), rest, true).squeeze(0);
  });
}

/** −scale·alpha of SELU: the value that dropped elements take. */
const ALPHA = 1.7580993408473766;

function alphaDrop(op: string, x: Tensor, rest: Rest, channels: boolean): Tensor {
  const { p, training, inplace, generator } = settings(op, rest, false);
  if (channels && x.ndim < 2)
    throw new ShapeError(
      `${op}: Feature dropout requires at least 2 dimensions in the input, but got shape ${formatShape(x.shape)}`,
    );
  if (p === 0 || !training || x.numel() === 0) return x;
  const apply = (): Tensor => {
    if (p === 1) return x.mul(zerosLike(x));
    const mask = dropoutMask<Tensor>(x, p, { generator, channels });
    const a = 1 / Math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p));
    const shift = mask
      .sub(1)
      .mul(ALPHA * a)
      .add(ALPHA * a * p);
    return x.mul(mask.mul(a)).add(shift);
  };
  return inplace ? changeInPlace(op, x, [], apply) : apply();
}

/** Dropout that keeps mean and variance of a self-normalising network. `training` is false by default. */
export const alphaDropout = (x: Tensor, ...rest: Rest): Tensor =>
  alphaDrop('alphaDropout', tensorGiven(x, 'alpha_dropout'), rest, false);

/** Alpha dropout of whole channels. `training` is false by default. */
export const featureAlphaDropout = (x: Tensor, ...rest: Rest): Tensor =>
  inOp('feature_alpha_dropout', () =>
    alphaDrop('featureAlphaDropout', tensorGiven(x, 'feature_alpha_dropout'), rest, true),
  );
