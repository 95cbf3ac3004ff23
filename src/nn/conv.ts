/** Convolutions as layers. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { pythonValue } from '../core/pythonText.ts';
import { formatShape } from '../core/shape.ts';
import { empty } from '../creation.ts';
import { type ByName as ByNameOf, option } from '../ops/options.ts';
import { type Size, sizesOf } from '../ops/sizes.ts';
import { type ByName, type Flexible, named, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import * as F from './functional/conv.ts';
import { pad } from './functional/vision.ts';
import { calculateFanInAndFanOut, kaimingUniform_ } from './init.ts';
import { checkSize, type LayerOptions } from './linear.ts';
import { Module, noteParameters } from './module.ts';
import { Parameter } from './parameter.ts';

/** What lies around the input: zeros, its mirror image, its last element, or its other end. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular';

export interface ConvOptions extends LayerOptions {
  /** Default 1. */
  stride?: Size;
  /** Default 0; 'same' keeps the size, 'valid' is 0. */
  padding?: Size | 'same' | 'valid';
  /** Default 1. */
  dilation?: Size;
  /** Default 1. */
  groups?: number;
  /** Default true. */
  bias?: boolean;
  /** Default 'zeros'. */
  paddingMode?: PaddingMode;
}

export interface ConvTransposeOptions extends Omit<ConvOptions, 'padding' | 'paddingMode'> {
  padding?: Size;
  /** Rows added to one side of the result, below stride or dilation. Default 0. */
  outputPadding?: Size;
  /** Only zeros. */
  paddingMode?: 'zeros';
}

export type ConvRest = Flexible<
  [
    stride: Size,
    padding: Size | 'same' | 'valid',
    dilation: Size,
    groups: number,
    bias: boolean,
    paddingMode: PaddingMode,
  ],
  ConvOptions
>;
export type ConvTransposeRest = Flexible<
  [
    stride: Size,
    padding: Size,
    outputPadding: Size,
    groups: number,
    bias: boolean,
    dilation: Size,
    paddingMode: 'zeros',
  ],
  ConvTransposeOptions
>;
type Channels = { inChannels: number; outChannels: number; kernelSize: Size };
type ConvArguments =
  | [inChannels: number, outChannels: number, kernelSize: Size, ...rest: ConvRest]
  | ByName<Channels, ['inChannels', 'outChannels'], ConvOptions>;
type ConvTransposeArguments =
  | [inChannels: number, outChannels: number, kernelSize: Size, ...rest: ConvTransposeRest]
  | ByName<Channels, ['inChannels', 'outChannels'], ConvTransposeOptions>;

interface Plan {
  readonly ndim: number;
  readonly transposed: boolean;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Size;
  readonly options: ConvOptions & { outputPadding?: Size };
}

const paddingModes: readonly string[] = ['zeros', 'reflect', 'replicate', 'circular'];

function checkPlan(layer: string, { inChannels, outChannels, options }: Plan): void {
  const { groups = 1, padding = 0, paddingMode = 'zeros', stride = 1 } = options;
  checkSize(inChannels, layer, 'inChannels');
  checkSize(outChannels, layer, 'outChannels');
  if (!(Number.isInteger(groups) && groups > 0)) throw new ArgumentError('groups must be a positive integer');
  if (inChannels % groups !== 0) throw new ArgumentError('in_channels must be divisible by groups');
  if (outChannels % groups !== 0) throw new ArgumentError('out_channels must be divisible by groups');
  if (!paddingModes.includes(paddingMode)) {
    throw new ArgumentError(
      `padding_mode must be one of ${JSON.stringify(paddingModes)}, but got padding_mode='${paddingMode}'`,
    );
  }
  if (typeof padding !== 'string') return;
  if (padding !== 'same' && padding !== 'valid') {
    throw new ArgumentError(
      `Invalid padding string '${String(padding)}', should be one of {'valid', 'same'}`,
    );
  }
  if (padding === 'same' && [stride].flat().some((s) => s !== 1)) {
    throw new ArgumentError("padding='same' is not supported for strided convolutions");
  }
}

/** What all convolutions hold. `weight` is [out, in/groups, …kernel], transposed [in, out/groups, …kernel]. */
export abstract class ConvLayer extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[] | 'same' | 'valid';
  readonly dilation: readonly number[];
  readonly outputPadding: readonly number[];
  readonly groups: number;
  readonly paddingMode: PaddingMode;
  readonly transposed: boolean;
  weight: Parameter;
  bias: Parameter | null;

  constructor(plan: Plan) {
    super();
    const { ndim, transposed, inChannels, outChannels, options } = plan;
    const layer = new.target.name;
    checkPlan(layer, plan);
    const {
      stride = 1,
      padding = 0,
      dilation = 1,
      groups = 1,
      bias = true,
      paddingMode = 'zeros',
      outputPadding = 0,
    } = options;
    const place = { device: options.device, dtype: options.dtype };
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = sizesOf(plan.kernelSize, ndim, 1, layer, 'kernelSize');
    this.stride = sizesOf(stride, ndim, 1, layer, 'stride');
    this.padding = typeof padding === 'string' ? padding : sizesOf(padding, ndim, 0, layer, 'padding');
    this.dilation = sizesOf(dilation, ndim, 1, layer, 'dilation');
    this.outputPadding = sizesOf(outputPadding, ndim, 0, layer, 'outputPadding');
    this.groups = groups;
    this.paddingMode = paddingMode;
    this.transposed = transposed;
    const channels = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    this.weight = new Parameter(empty([...channels, ...this.kernelSize], place));
    this.bias = bias ? new Parameter(empty([outChannels], place)) : null;
    this.resetParameters();
    noteParameters(this);
  }

  abstract override forward(input: Tensor): Tensor;

  /** Draws weight and bias anew: uniform within ±1/√fanIn. */
  resetParameters(): void {
    kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    const { fanIn } = calculateFanInAndFanOut(this.weight);
    const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
    noGrad(() => this.bias?.uniform_(-bound, bound));
  }

  override extraRepr(): string {
    const {
      inChannels,
      outChannels,
      kernelSize,
      stride,
      padding,
      dilation,
      outputPadding,
      groups,
      bias,
      paddingMode,
    } = this;
    const parts = [
      `${inChannels}, ${outChannels}`,
      `kernel_size=${pythonValue(kernelSize)}`,
      `stride=${pythonValue(stride)}`,
    ];
    if (padding === 'same' || padding === 'valid') parts.push(`padding=${padding}`);
    else if (padding.some((n) => n !== 0)) parts.push(`padding=${pythonValue(padding)}`);
    if (dilation.some((n) => n !== 1)) parts.push(`dilation=${pythonValue(dilation)}`);
    if (outputPadding.some((n) => n !== 0)) parts.push(`output_padding=${pythonValue(outputPadding)}`);
    if (groups !== 1) parts.push(`groups=${groups}`);
    if (bias === null) parts.push('bias=False');
    if (paddingMode !== 'zeros') parts.push(`padding_mode=${paddingMode}`);
    return parts.join(', ');
  }
}

type ConvFunction = typeof F.conv2d;

/** What `pad` takes for a layer that does not pad with zeros: pairs, the last dimension first. */
function marginsOf({ padding, kernelSize, dilation }: ConvLayer): number[] {
  const pairs = kernelSize.map((k, d) => {
    if (padding === 'valid') return [0, 0];
    if (padding !== 'same') return [padding[d], padding[d]];
    const total = dilation[d] * (k - 1);
    return [Math.floor(total / 2), total - Math.floor(total / 2)];
  });
  return pairs.reverse().flat();
}

abstract class ForwardConv extends ConvLayer {
  constructor(ndim: number, args: readonly unknown[]) {
    const [inChannels, outChannels, kernelSize, ...rest] = required<[number, number, Size]>(
      new.target.name,
      ['inChannels', 'outChannels', 'kernelSize'],
      args,
    );
    const options = named<ConvOptions>(
      new.target.name,
      'stride padding dilation groups bias paddingMode * device dtype',
      rest,
    );
    super({ ndim, transposed: false, inChannels, outChannels, kernelSize, options });
  }

  protected run(conv: ConvFunction, input: Tensor): Tensor {
    const { weight, bias, stride, dilation, groups, paddingMode } = this;
    if (paddingMode === 'zeros')
      return conv(input, weight, { bias, stride, padding: this.padding, dilation, groups });
    const padded = pad(input, marginsOf(this), paddingMode);
    return conv(padded, weight, { bias, stride, dilation, groups });
  }
}

/** [n, inChannels, l] → [n, outChannels, l′]; n may be absent. */
export class Conv1d extends ForwardConv {
  constructor(...args: ConvArguments) {
    super(1, args);
  }
  forward(input: Tensor): Tensor {
    return this.run(F.conv1d, input);
  }
}

/** [n, inChannels, h, w] → [n, outChannels, h′, w′]; n may be absent. */
export class Conv2d extends ForwardConv {
  constructor(...args: ConvArguments) {
    super(2, args);
  }
  forward(input: Tensor): Tensor {
    return this.run(F.conv2d, input);
  }
}

/** [n, inChannels, d, h, w] → [n, outChannels, d′, h′, w′]; n may be absent. */
export class Conv3d extends ForwardConv {
  constructor(...args: ConvArguments) {
    super(3, args);
  }
  forward(input: Tensor): Tensor {
    return this.run(F.conv3d, input);
  }
}

type ConvTransposeFunction = typeof F.convTranspose2d;

/** The output padding that leads to a size. @throws ShapeError for a size that none can reach */
function missingRows(
  layer: ConvLayer,
  input: Tensor,
  outputSize: readonly number[],
  padding: readonly number[],
): number[] {
  const { kernelSize, stride, dilation } = layer;
  const ndim = kernelSize.length;
  const from = input.shape.slice(-ndim);
  const wanted = outputSize.slice(-ndim);
  const least = from.map(
    (n, d) => (n - 1) * stride[d] - 2 * padding[d] + dilation[d] * (kernelSize[d] - 1) + 1,
  );
  const most = least.map((n, d) => n + stride[d] - 1);
  if (wanted.length !== ndim || wanted.some((n, d) => n < least[d] || n > most[d])) {
    throw new ShapeError(
      `requested an output size of ${formatShape(wanted)}, but valid sizes range from ${formatShape(least)} to ` +
        `${formatShape(most)} (for an input of ${formatShape(from)})`,
    );
  }
  return wanted.map((n, d) => n - least[d]);
}

abstract class TransposedConv extends ConvLayer {
  constructor(ndim: number, args: readonly unknown[]) {
    const [inChannels, outChannels, kernelSize, ...rest] = required<[number, number, Size]>(
      new.target.name,
      ['inChannels', 'outChannels', 'kernelSize'],
      args,
    );
    const options = named<ConvTransposeOptions>(
      new.target.name,
      'stride padding outputPadding groups bias dilation paddingMode * device dtype',
      rest,
    );
    if ((options.paddingMode ?? 'zeros') !== 'zeros') {
      throw new ArgumentError(`Only "zeros" padding mode is supported for ConvTranspose${ndim}d`);
    }
    super({ ndim, transposed: true, inChannels, outChannels, kernelSize, options });
  }

  /** With the size of the result, where stride leaves it open, or what `outputPadding` says. */
  protected run(conv: ConvTransposeFunction, input: Tensor, outputSize: readonly number[] | null): Tensor {
    const { weight, bias, stride, groups, dilation, padding } = this;
    if (typeof padding === 'string') throw new ArgumentError('ConvTranspose: padding must be numbers');
    const outputPadding =
      outputSize === null ? this.outputPadding : missingRows(this, input, outputSize, padding);
    return conv(input, weight, { bias, stride, padding, outputPadding, groups, dilation });
  }
}

type OutputSize = ByNameOf<'outputSize', readonly number[] | null>;

/** The way back of a Conv1d: [n, inChannels, l] → [n, outChannels, l′]. */
export class ConvTranspose1d extends TransposedConv {
  constructor(...args: ConvTransposeArguments) {
    super(1, args);
  }
  forward(input: Tensor, outputSize?: OutputSize): Tensor {
    return this.run(
      F.convTranspose1d,
      input,
      option(outputSize, 'ConvTranspose1d.forward', 'outputSize', null),
    );
  }
}

/** The way back of a Conv2d: [n, inChannels, h, w] → [n, outChannels, h′, w′]. */
export class ConvTranspose2d extends TransposedConv {
  constructor(...args: ConvTransposeArguments) {
    super(2, args);
  }
  forward(input: Tensor, outputSize?: OutputSize): Tensor {
    return this.run(
      F.convTranspose2d,
      input,
      option(outputSize, 'ConvTranspose2d.forward', 'outputSize', null),
    );
  }
}

/** The way back of a Conv3d: [n, inChannels, d, h, w] → [n, outChannels, d′, h′, w′]. */
export class ConvTranspose3d extends TransposedConv {
  constructor(...args: ConvTransposeArguments) {
    super(3, args);
  }
  forward(input: Tensor, outputSize?: OutputSize): Tensor {
    return this.run(
      F.convTranspose3d,
      input,
      option(outputSize, 'ConvTranspose3d.forward', 'outputSize', null),
    );
  }
}
