// The exports of the binary: every kernel file, one line each. A kernel is a function of pointers, sizes and the
// slice `[begin, end)` that the calling thread does; nothing here owns memory or remembers anything.

export * from './binary';
export * from './compare';
export * from './conv';
export * from './convert';
export * from './copy';
export * from './depthwise';
export * from './extreme';
export * from './gemm';
export * from './gemmMicro';
export * from './gemmPack';
export * from './gemmPacked';
export * from './gemmSmall';
export * from './gemmSparse';
export * from './gemmSparseMicro';
export * from './heapBase';
export * from './images';
export * from './indexing';
export * from './maxMin';
export * from './norm';
export * from './optim';
export * from './optimAdaptive';
export * from './pool';
export * from './random';
export * from './recurrent';
export * from './reduce';
export * from './scan';
export * from './softmax';
export * from './sort';
export * from './sum';
export * from './typedByte';
export * from './typedF64';
export * from './typedInteger';
export * from './unary';
export * from './unaryWide';
export * from './where';
