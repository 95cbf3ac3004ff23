/**
 * wasmgrad: PyTorch's everyday library for web pages and Node. Public names only.
 * @module wasmgrad
 */

export { detectAnomaly } from './anomaly.ts';
export {
  enableGrad,
  inferenceMode,
  isGradEnabled,
  isInferenceModeEnabled,
  noGrad,
  setGradEnabled,
} from './autograd/gradMode.ts';
export * as autograd from './autogradApi.ts';
export { type CheckpointOptions, checkpoint, checkpointSequential } from './checkpoint.ts';
export type { DType, DTypeLike, TypedArray } from './core/dtype.ts';
export {
  bool,
  float32,
  float32 as float,
  float64,
  float64 as double,
  int8,
  int16,
  int16 as short,
  int32,
  int32 as int,
  int64,
  int64 as long,
  promote as promoteTypes,
  uint8,
} from './core/dtype.ts';
export * from './core/errors.ts';
export {
  asTensor,
  empty,
  emptyLike,
  eye,
  fromTypedArray,
  full,
  fullLike,
  ones,
  onesLike,
  type SizesWithOptions,
  type TensorData,
  type TensorOptions,
  tensor,
  zeros,
  zerosLike,
} from './creation.ts';
export * as data from './data/index.ts';
export * as distributions from './distributions/index.ts';
export * from './functions.ts';
export {
  type BackwardStep,
  type BackwardStepsOptions,
  backwardSteps,
  type GraphOptions,
  graph,
  type RecordedEdge,
  RecordedGraph,
  type RecordedGraphData,
  type RecordedNode,
  type SavedTensor,
  type TensorNames,
} from './graph.ts';
export * from './inplaceFunctions.ts';
export { linalg } from './linalg.ts';
export * as nn from './nn/index.ts';
export * from './ops/aliases.ts';
export {
  add,
  atan2,
  div,
  floorDivide,
  fmod,
  hypot,
  maximum,
  minimum,
  mul,
  neg,
  remainder,
  rsub,
  sub,
} from './ops/arithmetic.ts';
export * from './ops/bitwise.ts';
export { addcdiv, addcmul, lerp } from './ops/blend.ts';
export { cumulativeTrapezoid, type GradientOptions, gradient, trapezoid, trapz } from './ops/calculus.ts';
export { clamp, clamp as clip, clampMax, clampMin, nanToNum } from './ops/clamp.ts';
export * from './ops/comparison.ts';
export { bucketize, isin, searchsorted } from './ops/counting.ts';
export { uniqueConsecutive } from './ops/distinct.ts';
export { einsum } from './ops/einsum.ts';
export * from './ops/elementwise.ts';
export {
  combinations,
  corrcoef,
  cov,
  diff,
  mode,
} from './ops/everyday.ts';
export { type IndexOf, type Slice, slice } from './ops/indexing.ts';
export { cat, cat as concat, cat as concatenate, stack } from './ops/join.ts';
export type { LstsqDriver } from './ops/leastSquares.ts';
export { bmm, dot, matmul, mm, mv, outer } from './ops/matmul.ts';
export type { Named } from './ops/matrices.ts';
export type { ValuesAndIndices } from './ops/namedResult.ts';
export { kthvalue, msort, topk } from './ops/order.ts';
export type { QrMode } from './ops/orthogonal.ts';
export * from './ops/pairs.ts';
export * from './ops/partition.ts';
export {
  argwhere,
  indexAdd,
  indexCopy,
  indexFill,
  indexSelect,
  maskedFill,
  maskedScatter,
  maskedSelect,
  nonzero,
  put,
  take,
} from './ops/pick.ts';
export { floatPower, ldexp, pow } from './ops/power.ts';
export {
  addbmm,
  addmm,
  addmv,
  addr,
  baddbmm,
  cdist,
  chainMatmul,
  cross,
  ger,
  inner,
  kron,
  matrixPower,
  pdist,
  tensordot,
  vdot,
} from './ops/products.ts';
export { asStrided, narrow, permute, reshape, select, transpose } from './ops/publicViews.ts';
export { fliplr, flipud, moveaxis, movedim, swapaxes, swapdims, tile } from './ops/rearrange.ts';
export { gather, scatter, scatterAdd, takeAlongDim } from './ops/scatter.ts';
export { indexReduce, scatterReduce } from './ops/scatterReduce.ts';
export { diagonalScatter, indexPut, selectScatter, sliceScatter } from './ops/scatterViews.ts';
export { choleskySolve, logdet } from './ops/solving.ts';
export * from './ops/special.ts';
export type { Uplo } from './ops/spectral.ts';
export { dist, renorm } from './ops/statistics.ts';
export { diagflat, vander } from './ops/structured.ts';
export { adjoint, diag, diagEmbed, trace, tril, triu, unflatten } from './ops/triangles.ts';
export {
  flatten,
  squeeze,
  t,
  unsqueeze,
} from './ops/views.ts';
export * as optim from './optim/index.ts';
export { type TriangleArguments, trilIndices, triuIndices, unravelIndex } from './positions.ts';
export {
  formatSequence,
  formatSize,
  getPrintOptions,
  type PrintOptions,
  setPrintOptions,
  setPrintOptions as setPrintoptions,
} from './printing.ts';
export * from './random.ts';
export { arange, linspace, logspace } from './sequences.ts';
export {
  type BackendInfo,
  backendInfo,
  getDefaultDevice,
  type InitOptions,
  init,
  type MatmulPrecision,
  type MemoryStats,
  memoryStats,
  setDefaultDevice,
  type WebGPUInfo,
  type WebGPUOptions,
  webgpu,
} from './settings.ts';
export { type BackwardOptions, type NestedNumbers, Tensor, type ToOptions } from './tensor.ts';
export { tick } from './tick.ts';
export { canCast, type FloatInfo, finfo, type IntegerInfo, iinfo, resultType } from './typeInfo.ts';
