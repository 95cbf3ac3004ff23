/** Margins, resolution and pixels, with their arguments by position or by name. */

import { tensorGiven } from '../../ops/given.ts';
import type { InterpolateMode, InterpolateSettings } from '../../ops/interpolate.ts';
import * as resampling from '../../ops/interpolate.ts';
import { type PadMode, pad as padOp } from '../../ops/pad.ts';
import * as shuffles from '../../ops/pixelShuffle.ts';
import { taking } from '../../ops/taking.ts';
import { type Flexible, named } from '../../tensor/namedArguments.ts';
import type { Tensor } from '../../tensor.ts';

export type { InterpolateMode, InterpolateSettings } from '../../ops/interpolate.ts';
export type { PadMode } from '../../ops/pad.ts';

export interface PadOptions {
  /** Default 'constant'. */
  mode?: PadMode;
  /** Of constant margins. Default 0. */
  value?: number | null;
}

/**
 * Margins as pairs (before, behind), the last dimension first; negative ones cut off.
 * @throws ArgumentError, ShapeError
 */
export const pad = /* @__PURE__ */ taking(
  'pad',
  'pad ...',
  function pad(
    input: Tensor,
    padding: readonly number[],
    ...rest: Flexible<[mode: PadMode, value: number | null], PadOptions>
  ): Tensor {
    tensorGiven(input, 'pad');
    const { mode = 'constant', value = null } = named<PadOptions>('pad', 'mode value', rest);
    return padOp<Tensor>(input, padding, mode, value);
  },
);

type InterpolateRest = Flexible<
  [
    size: number | readonly (number | null)[] | null | undefined,
    scaleFactor: number | readonly number[] | null | undefined,
    mode: InterpolateMode,
    alignCorners: boolean | null,
    recomputeScaleFactor: boolean | null,
    antialias: boolean,
  ],
  InterpolateSettings
>;

/** [n, c, …] at another size, by size or by factor. @throws ShapeError, ArgumentError, DTypeError */
export function interpolate(input: Tensor, ...rest: InterpolateRest): Tensor {
  tensorGiven(input, 'interpolate');
  return resampling.interpolate<Tensor>(
    input,
    named<InterpolateSettings>(
      'interpolate',
      'size scaleFactor mode alignCorners recomputeScaleFactor antialias',
      rest,
    ),
  );
}

/** `interpolate` by an older name. */
export const upsample = interpolate;

/** [..., c·r², h, w] → [..., c, h·r, w·r]. @throws ShapeError */
export const pixelShuffle = /* @__PURE__ */ taking(
  'pixel_shuffle',
  'upscaleFactor',
  (input: Tensor, upscaleFactor: number): Tensor =>
    shuffles.pixelShuffle<Tensor>(tensorGiven(input, 'pixel_shuffle'), upscaleFactor),
);
/** [..., c, h·r, w·r] → [..., c·r², h, w]. @throws ShapeError */
export const pixelUnshuffle = /* @__PURE__ */ taking(
  'pixel_unshuffle',
  'downscaleFactor',
  (input: Tensor, downscaleFactor: number): Tensor =>
    shuffles.pixelUnshuffle<Tensor>(tensorGiven(input, 'pixel_unshuffle'), downscaleFactor),
);
/** The channels of [n, c, …] dealt out in turn to groups. @throws ShapeError */
export const channelShuffle = /* @__PURE__ */ taking(
  'channel_shuffle',
  'groups',
  (input: Tensor, groups: number): Tensor =>
    shuffles.channelShuffle<Tensor>(tensorGiven(input, 'channel_shuffle'), groups),
);
