/** A layer and the batch norm behind it as one layer, for evaluation: what a trained network gains before it is served. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { taking } from '../ops/taking.ts';
import type { Tensor } from '../tensor.ts';
import { ChannelNorm } from './channelNorm.ts';
import { ConvLayer } from './conv.ts';
import { Linear } from './linear.ts';
import { Parameter } from './parameter.ts';

/** Scales the outputs of a weight: [out, …], or [in, out / groups, …] of a transposed convolution. */
function scaledOutputs(weight: Tensor, scale: Tensor, groups: number | null): Tensor {
  const kernel = weight.shape.slice(2).map(() => 1);
  if (groups === null) return weight.mul(scale.reshape(-1, 1, ...kernel));
  const grouped = weight.unflatten(0, [groups, -1]);
  return grouped.mul(scale.reshape(groups, 1, -1, ...kernel)).flatten(0, 1);
}

/** A copy of the layer whose outputs are already normalised. */
function fused<L extends ConvLayer | Linear>(
  layer: L,
  norm: ChannelNorm,
  groups: number | null,
  op: string,
): L {
  if (!(norm instanceof ChannelNorm)) throw new ArgumentError(`${op}: argument 'bn' must be a batch norm`);
  const { running_mean: mean, running_var: variance } = norm;
  if (mean === null || variance === null)
    throw new ArgumentError(`${op}: the batch norm has no running statistics (trackRunningStats)`);
  if (layer.training || norm.training)
    throw new ArgumentError(`${op}: Fusion only for eval! Call eval() on both layers before`);
  const outputs = layer instanceof ConvLayer ? layer.outChannels : layer.outFeatures;
  if (outputs !== norm.numFeatures)
    throw new ShapeError(
      `${op}: a layer of ${outputs} outputs has a batch norm of ${norm.numFeatures} behind it`,
    );
  const copy: L = layer.deepcopy() as L;
  const { weight, bias } = layer;
  const parameter = (x: Tensor, trained: boolean) => new Parameter(x.to(weight.dtype), trained);
  noGrad(() => {
    const scale = variance
      .add(norm.eps)
      .rsqrt()
      .mul(norm.weight ?? 1);
    const shift = mean
      .neg()
      .add(bias ?? 0)
      .mul(scale);
    copy.weight = parameter(scaledOutputs(weight, scale, groups), weight.requiresGrad);
    copy.bias = parameter(shift.add(norm.bias ?? 0), (bias ?? weight).requiresGrad);
  });
  return copy;
}

/**
 * A convolution, with `transpose` a transposed one, that does what it and the batch norm behind it do in evaluation. Both stay as
 * they are. @throws ArgumentError while one of them trains, or for a batch norm without running statistics; ShapeError
 */
export const fuseConvBnEval = /* @__PURE__ */ taking(
  'fuse_conv_bn_eval',
  'bn transpose?',
  function fuseConvBnEval<C extends ConvLayer>(conv: C, bn: ChannelNorm, transpose = false): C {
    const op = 'fuse_conv_bn_eval';
    if (!(conv instanceof ConvLayer)) throw new ArgumentError(`${op}: argument 'conv' must be a convolution`);
    if (conv.transposed !== transpose)
      throw new ArgumentError(
        `${op}: transpose must be ${conv.transposed} for a ${conv.constructor.name}, but got ${transpose}`,
      );
    return fused(conv, bn, transpose ? conv.groups : null, op);
  },
);

/** Likewise a linear layer. @throws as fuseConvBnEval */
export function fuseLinearBnEval<L extends Linear>(linear: L, bn: ChannelNorm): L {
  const op = 'fuse_linear_bn_eval';
  if (!(linear instanceof Linear)) throw new ArgumentError(`${op}: argument 'linear' must be a Linear`);
  return fused(linear, bn, null, op);
}
