/**
 * `wasmgrad/training`: training in a worker, with a page that stays free.
 * @module wasmgrad/training
 */
export {
  type TrainInWorkerOptions,
  type TrainingRun,
  type TrainingStatus,
  type TrainingWorker,
  trainInWorker,
} from './run.ts';
export { type Training, type TrainingContext, type TrainingFunction, training } from './worker.ts';
