/** The namespace `torch.autograd`. */
export { backward, type GradOptions, grad } from './autograd.ts';
export { enableGrad, isGradEnabled, noGrad, setGradEnabled } from './autograd/gradMode.ts';
export { AutogradFunction as Function, type FunctionContext } from './autogradFunction.ts';
export { type GradcheckOptions, gradcheck, gradgradcheck } from './gradcheck.ts';
