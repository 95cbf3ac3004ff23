/** `nn.functional`: layers and losses without state. */
export * from './activation.ts';
export * from './attention.ts';
export * from './conv.ts';
export * from './crossEntropy.ts';
export * from './distance.ts';
export * from './dropout.ts';
export * from './embedding.ts';
export * from './linear.ts';
export * from './loss.ts';
export * from './norm.ts';
export * from './pooling.ts';
export * from './vision.ts';
