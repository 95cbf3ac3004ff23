/**
 * `nn.functional`: layers and losses without state.
 * @module wasmgrad/nn/functional
 */

export { pdist } from '../../ops/products.ts';
export * from './activation.ts';
export { type AttentionOptions, scaledDotProductAttention } from './attention.ts';
export * from './conv.ts';
export * from './crossEntropy.ts';
export * from './ctcLoss.ts';
export { cosineSimilarity, normalize, pairwiseDistance } from './distance.ts';
export {
  alphaDropout,
  type DropoutOptions,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
} from './dropout.ts';
export * from './embedding.ts';
export * from './embeddingBag.ts';
export * from './linear.ts';
export * from './loss.ts';
export * from './marginLoss.ts';
export * from './multilabel.ts';
export * from './norm.ts';
export * from './pooling.ts';
export * from './spatial.ts';
export * from './vision.ts';
