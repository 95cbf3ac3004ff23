/**
 * `wasmgrad/distributed`: training by several processes, on MPI. Node only.
 * @module wasmgrad/distributed
 */
export { loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
export {
  type AsyncOption,
  allGather,
  allGatherObject,
  allReduce,
  barrier,
  broadcast,
  type ReduceOptions,
  reduce,
  reduceScatter,
} from './collectives.ts';
export { type DataParallelOptions, DistributedDataParallel } from './dataParallel.ts';
export { DistributedError, DistributedTimeoutError } from './errors.ts';
export {
  type BackendName,
  destroyProcessGroup,
  getBackend,
  getLocalRank,
  getLocalWorldSize,
  getRank,
  getWorldSize,
  initProcessGroup,
  isInitialized,
  type ProcessGroupOptions,
} from './group.ts';
export { isLaunched } from './launcher.ts';
export type { ReduceOp } from './libraries.ts';
export { averageMetrics, isMainProcess, log, onMainProcess } from './metrics.ts';
export { DistributedSampler, type DistributedSamplerOptions } from './sampler.ts';
export { SyncBatchNorm, type SyncBatchNormOptions } from './syncBatchNorm.ts';
export type { Work } from './work.ts';
