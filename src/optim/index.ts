/**
 * `optim`: optimisers, and `optim.lrScheduler`.
 * @module wasmgrad/optim
 */
export * from './adam.ts';
export * from './adaptive.ts';
export { LBFGS, type LBFGSOptions } from './lbfgs.ts';
export * as lrScheduler from './lrScheduler.ts';
export {
  type GroupSpec,
  Optimizer,
  type OptimizerOptions,
  type OptimizerStateDict,
  type ParamGroup,
  type ParamState,
  type Params,
} from './optimizer.ts';
export * from './sgd.ts';
