// The exports of the binary: every kernel file, one line each. A kernel is a function of pointers, sizes and the
// slice `[begin, end)` that the calling thread does; nothing here owns memory or remembers anything.

export * from './gemm';
export * from './gemmMicro';
export * from './gemmPack';
export * from './gemmSmall';
export * from './heapBase';
