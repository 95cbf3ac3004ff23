/**
 * `nn`: modules, their parameters, and `nn.functional`, `nn.init`, `nn.utils`.
 * @module wasmgrad/nn
 */
export * from './activation.ts';
export * from './adaptiveSoftmax.ts';
export * from './attention.ts';
export * from './container.ts';
export * from './conv.ts';
export { CTCLoss } from './ctcLoss.ts';
export * from './distance.ts';
export * from './dropout.ts';
export * from './embedding.ts';
export * from './embeddingBag.ts';
export * as functional from './functional/index.ts';
export * as init from './init.ts';
export type { LazyModule } from './lazy.ts';
export * from './lazyLayers.ts';
export { Bilinear, Identity, type LayerOptions, Linear, type LinearOptions } from './linear.ts';
export * from './loss.ts';
export * from './module.ts';
export * from './norm.ts';
export * from './parameter.ts';
export * from './pooling.ts';
export * from './rnn.ts';
export * from './rnnCells.ts';
export * from './shape.ts';
export * from './summary.ts';
export * from './transformer.ts';
export {
  type Activation,
  type DecoderForwardOptions,
  type EncoderLayerForwardOptions,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerLayerOptions,
} from './transformerLayers.ts';
export { UninitializedBuffer, type UninitializedOptions, UninitializedParameter } from './uninitialized.ts';
export * from './upsample.ts';
export * as utils from './utils.ts';
