/** Convolutions, and windows as columns, with their arguments by position or by name. */

import type { ConvSettings, ConvTransposeSettings, UnfoldSettings } from '../../ops/conv.ts';
import * as ops from '../../ops/conv.ts';
import { tensorGiven } from '../../ops/given.ts';
import type { Size } from '../../ops/sizes.ts';
import { taking } from '../../ops/taking.ts';
import { type Flexible, named } from '../../tensor/namedArguments.ts';
import type { Tensor } from '../../tensor.ts';

export type { ConvSettings, ConvTransposeSettings, UnfoldSettings } from '../../ops/conv.ts';
export type { Size } from '../../ops/sizes.ts';

export interface ConvFunctionOptions extends ConvSettings {
  bias?: Tensor | null;
}
export interface ConvTransposeFunctionOptions extends ConvTransposeSettings {
  bias?: Tensor | null;
}

type ConvRest = Flexible<
  [
    bias: Tensor | null | undefined,
    stride: Size,
    padding: Size | 'same' | 'valid',
    dilation: Size,
    groups: number,
  ],
  ConvFunctionOptions
>;
type ConvTransposeRest = Flexible<
  [
    bias: Tensor | null | undefined,
    stride: Size,
    padding: Size,
    outputPadding: Size,
    groups: number,
    dilation: Size,
  ],
  ConvTransposeFunctionOptions
>;
type Op<S> = (x: Tensor, weight: Tensor, bias: Tensor | null, settings: S) => Tensor;

const forward =
  (name: string, op: Op<ConvSettings>) =>
  (input: Tensor, weight: Tensor, ...rest: ConvRest): Tensor => {
    const { bias = null, ...settings } = named<ConvFunctionOptions>(
      name,
      'bias stride padding dilation groups',
      rest,
    );
    return op(input, weight, bias, settings);
  };
const transposed =
  (name: string, op: Op<ConvTransposeSettings>) =>
  (input: Tensor, weight: Tensor, ...rest: ConvTransposeRest): Tensor => {
    const { bias = null, ...settings } = named<ConvTransposeFunctionOptions>(
      name,
      'bias stride padding outputPadding groups dilation',
      rest,
    );
    return op(input, weight, bias, settings);
  };

/**
 * Input [n, c, l] (n may be absent), weight [o, c/groups, k], bias [o] → [n, o, l′]. The kernel is not reversed.
 * @throws ShapeError, ArgumentError, DTypeError
 */
export const conv1d = /* @__PURE__ */ taking(
  'conv1d',
  'weight ...',
  /* @__PURE__ */ forward('conv1d', ops.conv1d<Tensor>),
);
/** Input [n, c, h, w], weight [o, c/groups, kh, kw], bias [o] → [n, o, h′, w′]. @throws ShapeError, ArgumentError, DTypeError */
export const conv2d = /* @__PURE__ */ taking(
  'conv2d',
  'weight ...',
  /* @__PURE__ */ forward('conv2d', ops.conv2d<Tensor>),
);
/** Input [n, c, d, h, w], weight [o, c/groups, kd, kh, kw] → [n, o, d′, h′, w′]. @throws ShapeError, ArgumentError, DTypeError */
export const conv3d = /* @__PURE__ */ taking(
  'conv3d',
  'weight ...',
  /* @__PURE__ */ forward('conv3d', ops.conv3d<Tensor>),
);
/**
 * The transposed convolution, conv1d's gradient by its input: input [n, c, l], weight [c, o/groups, k] → [n, o, l′].
 * @throws ShapeError, ArgumentError, DTypeError
 */
export const convTranspose1d = /* @__PURE__ */ taking(
  'conv_transpose1d',
  'weight ...',
  /* @__PURE__ */ transposed('conv_transpose1d', ops.convTranspose1d<Tensor>),
);
/** Input [n, c, h, w], weight [c, o/groups, kh, kw] → [n, o, h′, w′]. @throws ShapeError, ArgumentError, DTypeError */
export const convTranspose2d = /* @__PURE__ */ taking(
  'conv_transpose2d',
  'weight ...',
  /* @__PURE__ */ transposed('conv_transpose2d', ops.convTranspose2d<Tensor>),
);
/** Input [n, c, d, h, w], weight [c, o/groups, kd, kh, kw] → [n, o, d′, h′, w′]. @throws ShapeError, ArgumentError, DTypeError */
export const convTranspose3d = /* @__PURE__ */ taking(
  'conv_transpose3d',
  'weight ...',
  /* @__PURE__ */ transposed('conv_transpose3d', ops.convTranspose3d<Tensor>),
);

type UnfoldRest = Flexible<[dilation: Size, padding: Size, stride: Size], UnfoldSettings>;

/** Every window of [n, c, h, w] as a column: [n, c·kernel, windows]. @throws ShapeError */
export const unfold = /* @__PURE__ */ taking(
  'unfold',
  'kernelSize ...',
  (input: Tensor, kernelSize: Size, ...rest: UnfoldRest): Tensor =>
    ops.unfold<Tensor>(
      tensorGiven(input, 'unfold'),
      kernelSize,
      named<UnfoldSettings>('unfold', 'dilation padding stride', rest),
    ),
);

/** Columns [n, c·kernel, windows] added up where they lie: [n, c, …outputSize]. @throws ShapeError */
export const fold = /* @__PURE__ */ taking(
  'fold',
  'outputSize kernelSize ...',
  (input: Tensor, outputSize: Size, kernelSize: Size, ...rest: UnfoldRest): Tensor =>
    ops.fold<Tensor>(
      tensorGiven(input, 'fold'),
      outputSize,
      kernelSize,
      named<UnfoldSettings>('fold', 'dilation padding stride', rest),
    ),
);
