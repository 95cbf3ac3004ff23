/** The namespace `torch.autograd`. */

export {
  type AnomalyHandle,
  type AnomalyOptions,
  detectAnomaly,
  isAnomalyEnabled,
  setDetectAnomaly,
} from './anomaly.ts';
export {
  enableGrad,
  inferenceMode,
  isGradEnabled,
  isInferenceModeEnabled,
  noGrad,
  setGradEnabled,
} from './autograd/gradMode.ts';
export { backward, type GradOptions, grad } from './autograd.ts';
export { AutogradFunction as Function, type FunctionContext } from './autogradFunction.ts';
export * as functional from './functionalDerivatives.ts';
export { type GradcheckOptions, gradcheck, gradgradcheck } from './gradcheck.ts';
