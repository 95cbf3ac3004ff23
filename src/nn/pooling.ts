/** Pooling as layers. */
import { ArgumentError } from '../core/errors.ts';
import { pythonNumber, pythonValue } from '../core/pythonText.ts';
import { inOrder, option } from '../ops/options.ts';
import type { Size } from '../ops/sizes.ts';
import { type ByName, type Flexible, named, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import type { AdaptiveSize } from './functional/pooling.ts';
import * as F from './functional/pooling.ts';
import { Module } from './module.ts';

type WithIndices = [values: Tensor, indices: Tensor];
/** The values, or with `returnIndices` also where they were. */
export type Pooled<R extends boolean> = R extends true ? WithIndices : Tensor;

type MaxPoolRest = Flexible<
  [stride: Size | null | undefined, padding: Size, dilation: Size, returnIndices: boolean, ceilMode: boolean],
  F.MaxPoolOptions
>;

abstract class MaxPool<R extends boolean> extends Module {
  readonly kernelSize: Size;
  readonly stride: Size;
  readonly padding: Size;
  readonly dilation: Size;
  readonly ceilMode: boolean;
  readonly returnIndices: boolean;

  constructor(kernelSize: Size, options: F.MaxPoolOptions & { returnIndices: R });
  constructor(options: F.MaxPoolOptions & { kernelSize: Size; returnIndices: R });
  constructor(options: F.MaxPoolOptions & { kernelSize: Size });
  constructor(
    kernelSize: Size,
    stride: Size | null | undefined,
    padding: Size,
    dilation: Size,
    returnIndices: R,
    ceilMode?: boolean,
  );
  constructor(kernelSize: Size, ...rest: MaxPoolRest);
  constructor(...args: readonly unknown[]) {
    super();
    const [kernelSize, ...rest] = required<[Size]>(new.target.name, ['kernelSize'], args);
    const options = named<F.MaxPoolOptions>(
      new.target.name,
      'stride padding dilation returnIndices ceilMode',
      rest,
    );
    this.kernelSize = kernelSize;
    this.stride = options.stride ?? kernelSize;
    this.padding = options.padding ?? 0;
    this.dilation = options.dilation ?? 1;
    this.ceilMode = options.ceilMode ?? false;
    this.returnIndices = options.returnIndices ?? false;
  }

  protected run(pool: typeof F.maxPool2dWithIndices, input: Tensor): Pooled<R>;
  protected run(pool: typeof F.maxPool2dWithIndices, input: Tensor): Tensor | WithIndices {
    const { kernelSize, stride, padding, dilation, ceilMode } = this;
    const [values, indices] = pool(input, kernelSize, { stride, padding, dilation, ceilMode });
    return this.returnIndices ? [values, indices] : values;
  }

  override extraRepr(): string {
    const { kernelSize, stride, padding, dilation, ceilMode } = this;
    return (
      `kernel_size=${pythonValue(kernelSize)}, stride=${pythonValue(stride)}, padding=${pythonValue(padding)}, ` +
      `dilation=${pythonValue(dilation)}, ceil_mode=${pythonValue(ceilMode)}`
    );
  }
}

/** The largest of each window of [n, c, l]; with `returnIndices` also where it was. */
export class MaxPool1d<R extends boolean = false> extends MaxPool<R> {
  forward(input: Tensor): Pooled<R> {
    return this.run(F.maxPool1dWithIndices, input);
  }
}

/** The largest of each window of [n, c, h, w]; with `returnIndices` also where it was. */
export class MaxPool2d<R extends boolean = false> extends MaxPool<R> {
  forward(input: Tensor): Pooled<R> {
    return this.run(F.maxPool2dWithIndices, input);
  }
}

/** The largest of each window of [n, c, d, h, w]; with `returnIndices` also where it was. */
export class MaxPool3d<R extends boolean = false> extends MaxPool<R> {
  forward(input: Tensor): Pooled<R> {
    return this.run(F.maxPool3dWithIndices, input);
  }
}

type AvgPoolRest = Flexible<
  [
    stride: Size | null | undefined,
    padding: Size,
    ceilMode: boolean,
    countIncludePad: boolean,
    divisorOverride: number | null,
  ],
  F.AvgPoolSettings
>;

abstract class AvgPool extends Module {
  readonly kernelSize: Size;
  readonly stride: Size;
  readonly padding: Size;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
  readonly divisorOverride: number | null;

  constructor(
    ...args: [kernelSize: Size, ...rest: AvgPoolRest] | ByName<{ kernelSize: Size }, [], F.AvgPoolSettings>
  ) {
    super();
    const [kernelSize, ...rest] = required<[Size]>(new.target.name, ['kernelSize'], args);
    const options = named<F.AvgPoolSettings>(
      new.target.name,
      'stride padding ceilMode countIncludePad divisorOverride',
      rest,
    );
    this.kernelSize = kernelSize;
    this.stride = options.stride ?? kernelSize;
    this.padding = options.padding ?? 0;
    this.ceilMode = options.ceilMode ?? false;
    this.countIncludePad = options.countIncludePad ?? true;
    this.divisorOverride = options.divisorOverride ?? null;
  }

  protected run(pool: typeof F.avgPool2d, input: Tensor): Tensor {
    const { kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride } = this;
    return pool(input, kernelSize, { stride, padding, ceilMode, countIncludePad, divisorOverride });
  }

  override extraRepr(): string {
    return `kernel_size=${pythonValue(this.kernelSize)}, stride=${pythonValue(this.stride)}, padding=${pythonValue(this.padding)}`;
  }
}

/** The mean of each window of [n, c, l]. */
export class AvgPool1d extends AvgPool {
  forward(input: Tensor): Tensor {
    return this.run(F.avgPool1d, input);
  }
  override extraRepr(): string {
    const tuple = (size: Size): string => pythonValue(typeof size === 'number' ? [size] : size);
    return `kernel_size=${tuple(this.kernelSize)}, stride=${tuple(this.stride)}, padding=${tuple(this.padding)}`;
  }
}

/** The mean of each window of [n, c, h, w]. */
export class AvgPool2d extends AvgPool {
  forward(input: Tensor): Tensor {
    return this.run(F.avgPool2d, input);
  }
}

/** The mean of each window of [n, c, d, h, w]. */
export class AvgPool3d extends AvgPool {
  forward(input: Tensor): Tensor {
    return this.run(F.avgPool3d, input);
  }
}

abstract class AdaptivePool extends Module {
  readonly outputSize: AdaptiveSize;

  constructor(outputSize: AdaptiveSize | { outputSize: AdaptiveSize }) {
    super();
    const size = option<'outputSize', AdaptiveSize | undefined>(
      outputSize,
      new.target.name,
      'outputSize',
      undefined,
    );
    if (size === undefined)
      throw new ArgumentError(
        `${new.target.name}: argument 'outputSize' must be a number or a list of numbers, but got nothing`,
      );
    this.outputSize = size;
  }
  override extraRepr(): string {
    return `output_size=${pythonValue(this.outputSize)}`;
  }
}

/** Means over outputSize windows of [n, c, l]. */
export class AdaptiveAvgPool1d extends AdaptivePool {
  forward(input: Tensor): Tensor {
    return F.adaptiveAvgPool1d(input, this.outputSize);
  }
}

/** Means over outputSize windows of [n, c, h, w]; a null in it keeps the input's size. */
export class AdaptiveAvgPool2d extends AdaptivePool {
  forward(input: Tensor): Tensor {
    return F.adaptiveAvgPool2d(input, this.outputSize);
  }
}

/** Means over outputSize windows of [n, c, d, h, w]. */
export class AdaptiveAvgPool3d extends AdaptivePool {
  forward(input: Tensor): Tensor {
    return F.adaptiveAvgPool3d(input, this.outputSize);
  }
}

abstract class AdaptiveMaxPool<R extends boolean> extends AdaptivePool {
  readonly returnIndices: boolean;

  constructor(
    outputSize: AdaptiveSize | { outputSize: AdaptiveSize },
    returnIndices: R | { returnIndices: R },
  );
  constructor(options: { outputSize: AdaptiveSize; returnIndices: R });
  constructor(outputSize: AdaptiveSize | { outputSize: AdaptiveSize });
  constructor(...args: readonly unknown[]) {
    type Values = [AdaptiveSize, boolean];
    const [outputSize, returnIndices = false] = inOrder<Values>(
      new.target.name,
      'outputSize returnIndices',
      args,
    );
    super(outputSize as AdaptiveSize);
    this.returnIndices = returnIndices;
  }
  protected run(pool: typeof F.adaptiveMaxPool2d, input: Tensor): Pooled<R>;
  protected run(pool: typeof F.adaptiveMaxPool2d, input: Tensor): Tensor | WithIndices {
    return this.returnIndices ? pool(input, this.outputSize, true) : pool(input, this.outputSize);
  }
}

/** The largest of outputSize windows of [n, c, l]. */
export class AdaptiveMaxPool1d<R extends boolean = false> extends AdaptiveMaxPool<R> {
  forward(input: Tensor): Pooled<R> {
    return this.run(F.adaptiveMaxPool1d, input);
  }
}

/** The largest of outputSize windows of [n, c, h, w]. */
export class AdaptiveMaxPool2d<R extends boolean = false> extends AdaptiveMaxPool<R> {
  forward(input: Tensor): Pooled<R> {
    return this.run(F.adaptiveMaxPool2d, input);
  }
}

/** The largest of outputSize windows of [n, c, d, h, w]. */
export class AdaptiveMaxPool3d<R extends boolean = false> extends AdaptiveMaxPool<R> {
  forward(input: Tensor): Pooled<R> {
    return this.run(F.adaptiveMaxPool3d, input);
  }
}

type LPPoolRest = Flexible<[stride: Size | null | undefined, ceilMode: boolean], F.LpPoolOptions>;

abstract class LPPool extends Module {
  readonly normType: number;
  readonly kernelSize: Size;
  readonly stride: Size | null;
  readonly ceilMode: boolean;

  constructor(
    ...args:
      | [normType: number, kernelSize: Size, ...rest: LPPoolRest]
      | ByName<{ normType: number; kernelSize: Size }, ['normType'], F.LpPoolOptions>
  ) {
    super();
    const [normType, kernelSize, ...rest] = required<[number, Size]>(
      new.target.name,
      ['normType', 'kernelSize'],
      args,
    );
    const { stride = null, ceilMode = false } = named<F.LpPoolOptions>(
      new.target.name,
      'stride ceilMode',
      rest,
    );
    this.normType = normType;
    this.kernelSize = kernelSize;
    this.stride = stride;
    this.ceilMode = ceilMode;
  }
  override extraRepr(): string {
    const { normType, kernelSize, stride, ceilMode } = this;
    return (
      `norm_type=${pythonNumber(normType)}, kernel_size=${pythonValue(kernelSize)}, stride=${pythonValue(stride)}, ` +
      `ceil_mode=${pythonValue(ceilMode)}`
    );
  }
}

/** (Σ xᵖ)^(1/p) of each window of [n, c, l]. */
export class LPPool1d extends LPPool {
  forward(input: Tensor): Tensor {
    return F.lpPool1d(input, this.normType, this.kernelSize, this.stride, this.ceilMode);
  }
}

/** (Σ xᵖ)^(1/p) of each window of [n, c, h, w]. */
export class LPPool2d extends LPPool {
  forward(input: Tensor): Tensor {
    return F.lpPool2d(input, this.normType, this.kernelSize, this.stride, this.ceilMode);
  }
}

/** (Σ xᵖ)^(1/p) of each window of [n, c, d, h, w]. */
export class LPPool3d extends LPPool {
  forward(input: Tensor): Tensor {
    return F.lpPool3d(input, this.normType, this.kernelSize, this.stride, this.ceilMode);
  }
}

type MaxUnpoolRest = Flexible<
  [stride: Size | null | undefined, padding: Size],
  Omit<F.MaxUnpoolOptions, 'outputSize'>
>;

abstract class MaxUnpool extends Module {
  readonly kernelSize: Size;
  readonly stride: Size;
  readonly padding: Size;
  protected abstract readonly dimensions: number;

  constructor(
    ...args:
      | [kernelSize: Size, ...rest: MaxUnpoolRest]
      | ByName<{ kernelSize: Size }, [], Omit<F.MaxUnpoolOptions, 'outputSize'>>
  ) {
    super();
    const [kernelSize, ...rest] = required<[Size]>(new.target.name, ['kernelSize'], args);
    const { stride, padding = 0 } = named<F.MaxUnpoolOptions>(new.target.name, 'stride padding', rest);
    this.kernelSize = kernelSize;
    this.stride = stride ?? kernelSize;
    this.padding = padding;
  }
  override extraRepr(): string {
    const all = (size: Size): string =>
      pythonValue(typeof size === 'number' ? new Array<number>(this.dimensions).fill(size) : size);
    return `kernel_size=${all(this.kernelSize)}, stride=${all(this.stride)}, padding=${all(this.padding)}`;
  }
}

/** Values of MaxPool1d back where its indices say, zeros elsewhere. */
export class MaxUnpool1d extends MaxUnpool {
  protected get dimensions(): number {
    return 1;
  }
  forward(input: Tensor, indices: Tensor, outputSize: readonly number[] | null = null): Tensor {
    return F.maxUnpool1d(input, indices, this.kernelSize, this.stride, this.padding, outputSize);
  }
}

/** Values of MaxPool2d back where its indices say, zeros elsewhere. */
export class MaxUnpool2d extends MaxUnpool {
  protected get dimensions(): number {
    return 2;
  }
  forward(input: Tensor, indices: Tensor, outputSize: readonly number[] | null = null): Tensor {
    return F.maxUnpool2d(input, indices, this.kernelSize, this.stride, this.padding, outputSize);
  }
}

/** Values of MaxPool3d back where its indices say, zeros elsewhere. */
export class MaxUnpool3d extends MaxUnpool {
  protected get dimensions(): number {
    return 3;
  }
  forward(input: Tensor, indices: Tensor, outputSize: readonly number[] | null = null): Tensor {
    return F.maxUnpool3d(input, indices, this.kernelSize, this.stride, this.padding, outputSize);
  }
}
