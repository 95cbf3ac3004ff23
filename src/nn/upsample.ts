/** Layers that move, repeat and surround pixels: resolution, margins, windows. */

import { ArgumentError } from '../core/errors.ts';
import { pythonFloat, pythonNumber, pythonValue } from '../core/pythonText.ts';
import { option } from '../ops/options.ts';
import { type Size, sizesOf } from '../ops/sizes.ts';
import { type ByName, exactly, type Flexible, named, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import * as conv from './functional/conv.ts';
import type { InterpolateMode, InterpolateSettings, PadMode } from './functional/vision.ts';
import * as F from './functional/vision.ts';
import { Module } from './module.ts';

type UpsampleRest = Flexible<
  [
    size: number | readonly (number | null)[] | null | undefined,
    scaleFactor: number | readonly number[] | null | undefined,
    mode: InterpolateMode,
    alignCorners: boolean | null,
    recomputeScaleFactor: boolean | null,
  ],
  InterpolateSettings
>;

/** [n, c, …] at another size, by size or by factor. */
export class Upsample extends Module {
  readonly size: number | readonly (number | null)[] | null;
  readonly scaleFactor: number | readonly number[] | null;
  readonly mode: InterpolateMode;
  readonly alignCorners: boolean | null;
  readonly recomputeScaleFactor: boolean | null;

  constructor(...rest: UpsampleRest) {
    super();
    const options = named<InterpolateSettings>(
      new.target.name,
      'size scaleFactor mode alignCorners recomputeScaleFactor',
      rest,
    );
    this.size = options.size ?? null;
    this.scaleFactor = options.scaleFactor ?? null;
    this.mode = options.mode ?? 'nearest';
    this.alignCorners = options.alignCorners ?? null;
    this.recomputeScaleFactor = options.recomputeScaleFactor ?? null;
  }
  forward(input: Tensor): Tensor {
    const { size, scaleFactor, mode, alignCorners, recomputeScaleFactor } = this;
    return F.interpolate(input, { size, scaleFactor, mode, alignCorners, recomputeScaleFactor });
  }
  override extraRepr(): string {
    const { size, scaleFactor, mode } = this;
    const factor =
      typeof scaleFactor === 'number'
        ? pythonFloat(scaleFactor)
        : `(${scaleFactor?.map(pythonFloat).join(', ')})`;
    return `${scaleFactor === null ? `size=${pythonValue(size)}` : `scale_factor=${factor}`}, mode='${mode}'`;
  }
}

type FixedUpsample = { size?: Size | null; scaleFactor?: Size | null };
type FixedRest = Flexible<[size: Size | null | undefined, scaleFactor: Size | null], FixedUpsample>;

/** Each pixel of [n, c, h, w] repeated. */
export class UpsamplingNearest2d extends Upsample {
  constructor(...rest: FixedRest) {
    super({ ...named<FixedUpsample>(new.target.name, 'size scaleFactor', rest), mode: 'nearest' });
  }
}

/** Linear between the pixels of [n, c, h, w], with aligned corners. */
export class UpsamplingBilinear2d extends Upsample {
  constructor(...rest: FixedRest) {
    super({
      ...named<FixedUpsample>(new.target.name, 'size scaleFactor', rest),
      mode: 'bilinear',
      alignCorners: true,
    });
  }
}

/** [..., c·r², h, w] → [..., c, h·r, w·r] (Shi et al., 2016). */
export class PixelShuffle extends Module {
  readonly upscaleFactor: number;
  constructor(...args: [upscaleFactor: number] | [options: { upscaleFactor: number }]) {
    super();
    const [upscaleFactor] = exactly<[number]>(new.target.name, ['upscaleFactor'], args);
    this.upscaleFactor = upscaleFactor;
  }
  forward(input: Tensor): Tensor {
    return F.pixelShuffle(input, this.upscaleFactor);
  }
  override extraRepr(): string {
    return `upscale_factor=${this.upscaleFactor}`;
  }
}

/** [..., c, h·r, w·r] → [..., c·r², h, w]. */
export class PixelUnshuffle extends Module {
  readonly downscaleFactor: number;
  constructor(...args: [downscaleFactor: number] | [options: { downscaleFactor: number }]) {
    super();
    const [downscaleFactor] = exactly<[number]>(new.target.name, ['downscaleFactor'], args);
    this.downscaleFactor = downscaleFactor;
  }
  forward(input: Tensor): Tensor {
    return F.pixelUnshuffle(input, this.downscaleFactor);
  }
  override extraRepr(): string {
    return `downscale_factor=${this.downscaleFactor}`;
  }
}

/** The channels of [n, c, …] dealt out in turn to groups. */
export class ChannelShuffle extends Module {
  readonly groups: number;
  constructor(...args: [groups: number] | [options: { groups: number }]) {
    super();
    const [groups] = exactly<[number]>(new.target.name, ['groups'], args);
    this.groups = groups;
  }
  forward(input: Tensor): Tensor {
    return F.channelShuffle(input, this.groups);
  }
  override extraRepr(): string {
    return `groups=${this.groups}`;
  }
}

type UnfoldRest = Flexible<[dilation: Size, padding: Size, stride: Size], conv.UnfoldSettings>;

const unfoldText = (settings: Required<conv.UnfoldSettings>): string =>
  `dilation=${pythonValue(settings.dilation)}, padding=${pythonValue(settings.padding)}, stride=${pythonValue(settings.stride)}`;
const unfoldSettings = (owner: string, rest: readonly unknown[]): Required<conv.UnfoldSettings> => ({
  dilation: 1,
  padding: 0,
  stride: 1,
  ...named<conv.UnfoldSettings>(owner, 'dilation padding stride', rest),
});

/** Every window of [n, c, h, w] as a column: [n, c·kernel, windows]. */
export class Unfold extends Module {
  readonly kernelSize: Size;
  readonly settings: Required<conv.UnfoldSettings>;
  constructor(
    ...args: [kernelSize: Size, ...rest: UnfoldRest] | ByName<{ kernelSize: Size }, [], conv.UnfoldSettings>
  ) {
    super();
    const [kernelSize, ...rest] = required<[Size]>(new.target.name, ['kernelSize'], args);
    this.kernelSize = kernelSize;
    this.settings = unfoldSettings(new.target.name, rest);
  }
  forward(input: Tensor): Tensor {
    return conv.unfold(input, this.kernelSize, this.settings);
  }
  override extraRepr(): string {
    return `kernel_size=${pythonValue(this.kernelSize)}, ${unfoldText(this.settings)}`;
  }
}

/** Columns [n, c·kernel, windows] added up where they lie: [n, c, …outputSize]. */
export class Fold extends Module {
  readonly outputSize: Size;
  readonly kernelSize: Size;
  readonly settings: Required<conv.UnfoldSettings>;
  constructor(
    ...args:
      | [outputSize: Size, kernelSize: Size, ...rest: UnfoldRest]
      | ByName<{ outputSize: Size; kernelSize: Size }, ['outputSize'], conv.UnfoldSettings>
  ) {
    super();
    const [outputSize, kernelSize, ...rest] = required<[Size, Size]>(
      new.target.name,
      ['outputSize', 'kernelSize'],
      args,
    );
    this.outputSize = outputSize;
    this.kernelSize = kernelSize;
    this.settings = unfoldSettings(new.target.name, rest);
  }
  forward(input: Tensor): Tensor {
    return conv.fold(input, this.outputSize, this.kernelSize, this.settings);
  }
  override extraRepr(): string {
    return `output_size=${pythonValue(this.outputSize)}, kernel_size=${pythonValue(this.kernelSize)}, ${unfoldText(this.settings)}`;
  }
}

/** Margins of [..., …ndim dimensions]: one number for all sides, or pairs, the last dimension first. */
abstract class PadLayer extends Module {
  readonly padding: readonly number[];
  readonly mode: PadMode;

  constructor(
    ndim: number,
    mode: PadMode,
    padding: number | readonly number[] | { padding: number | readonly number[] },
  ) {
    super();
    const given = option<'padding', number | readonly number[]>(
      padding as number,
      new.target.name,
      'padding',
      Number.NaN,
    );
    if (typeof given === 'object' && given.length !== 2 * ndim) {
      throw new ArgumentError(
        `${new.target.name}: expected padding to be a number or ${2 * ndim} numbers, but got ${given.length}`,
      );
    }
    this.padding = sizesOf(given, 2 * ndim, -Infinity, new.target.name, 'padding');
    this.mode = mode;
  }
  forward(input: Tensor): Tensor {
    return F.pad(input, this.padding, this.mode);
  }
  override extraRepr(): string {
    return pythonValue(this.padding);
  }
}

type Padding = number | readonly number[] | { padding: number | readonly number[] };
type ConstantPadArguments =
  | [padding: number | readonly number[], value: number]
  | ByName<{ padding: number | readonly number[]; value: number }, ['padding'], object>;

abstract class ConstantPad extends PadLayer {
  readonly value: number;
  constructor(ndim: number, args: readonly unknown[]) {
    const [padding, value] = exactly<[number | readonly number[], number]>(
      new.target.name,
      ['padding', 'value'],
      args,
    );
    super(ndim, 'constant', padding);
    this.value = value;
  }
  override forward(input: Tensor): Tensor {
    return F.pad(input, this.padding, 'constant', this.value);
  }
  override extraRepr(): string {
    return `padding=${pythonValue(this.padding)}, value=${pythonNumber(this.value)}`;
  }
}

export class ConstantPad1d extends ConstantPad {
  constructor(...args: ConstantPadArguments) {
    super(1, args);
  }
}
export class ConstantPad2d extends ConstantPad {
  constructor(...args: ConstantPadArguments) {
    super(2, args);
  }
}
export class ConstantPad3d extends ConstantPad {
  constructor(...args: ConstantPadArguments) {
    super(3, args);
  }
}

/** Zeros around [..., l]. */
export class ZeroPad1d extends PadLayer {
  constructor(padding: Padding) {
    super(1, 'constant', padding);
  }
}
/** Zeros around [..., h, w]. */
export class ZeroPad2d extends PadLayer {
  constructor(padding: Padding) {
    super(2, 'constant', padding);
  }
}
/** Zeros around [..., d, h, w]. */
export class ZeroPad3d extends PadLayer {
  constructor(padding: Padding) {
    super(3, 'constant', padding);
  }
}

/** The mirror image around [..., l], without the edge itself. */
export class ReflectionPad1d extends PadLayer {
  constructor(padding: Padding) {
    super(1, 'reflect', padding);
  }
}
export class ReflectionPad2d extends PadLayer {
  constructor(padding: Padding) {
    super(2, 'reflect', padding);
  }
}
export class ReflectionPad3d extends PadLayer {
  constructor(padding: Padding) {
    super(3, 'reflect', padding);
  }
}

/** The edge repeated around [..., l]. */
export class ReplicationPad1d extends PadLayer {
  constructor(padding: Padding) {
    super(1, 'replicate', padding);
  }
}
export class ReplicationPad2d extends PadLayer {
  constructor(padding: Padding) {
    super(2, 'replicate', padding);
  }
}
export class ReplicationPad3d extends PadLayer {
  constructor(padding: Padding) {
    super(3, 'replicate', padding);
  }
}

/** The other end around [..., l]. */
export class CircularPad1d extends PadLayer {
  constructor(padding: Padding) {
    super(1, 'circular', padding);
  }
}
export class CircularPad2d extends PadLayer {
  constructor(padding: Padding) {
    super(2, 'circular', padding);
  }
}
export class CircularPad3d extends PadLayer {
  constructor(padding: Padding) {
    super(3, 'circular', padding);
  }
}
