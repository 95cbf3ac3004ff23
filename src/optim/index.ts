/**
 * `optim`: optimisers, and `optim.lrScheduler`.
 * @module wasmgrad/optim
 */
export * from './adafactor.ts';
export * from './adam.ts';
export * from './adaptive.ts';
export * from './asgd.ts';
export { LBFGS, type LBFGSOptions } from './lbfgs.ts';
export * as lrScheduler from './lrScheduler.ts';
export * from './muon.ts';
export {
  type GroupSpec,
  Optimizer,
  type OptimizerOptions,
  type OptimizerStateDict,
  type ParamGiven,
  type ParamGroup,
  type ParamState,
  type Params,
  type StepPostHook,
  type StepPreHook,
} from './optimizer.ts';
export * from './rprop.ts';
export * from './sgd.ts';
export * as swaUtils from './swaUtils.ts';
