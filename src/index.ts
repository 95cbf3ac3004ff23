/** wasmgrad: PyTorch's everyday library for web pages and Node. Public names only. */
export * from './core/errors.ts';
export type { DType, DTypeLike, TypedArray } from './core/dtype.ts';
export { promote as promoteTypes } from './core/dtype.ts';
export * as autograd from './autogradApi.ts';
export { enableGrad, isGradEnabled, noGrad, setGradEnabled } from './autograd/gradMode.ts';
export * from './creation.ts';
export * from './functions.ts';
export { add, atan2, div, floorDivide, fmod, hypot, maximum, minimum, mul, neg, remainder, rsub, sub } from './ops/arithmetic.ts';
export * from './ops/comparison.ts';
export * from './ops/elementwise.ts';
export { type IndexOf, type Slice, slice } from './ops/indexing.ts';
export { cat, stack } from './ops/join.ts';
export { bmm, dot, matmul, mm, mv, outer } from './ops/matmul.ts';
export { pow } from './ops/power.ts';
export * from './random.ts';
export { asStrided, flatten, narrow, permute, reshape, select, squeeze, t, transpose, unsqueeze } from './ops/views.ts';
export { backendInfo, getDefaultDevice, init, type InitOptions, memoryStats, setDefaultDevice } from './settings.ts';
export { type BackwardOptions, Tensor, type ToOptions } from './tensor.ts';
