/** How gradients pass the commonest activations: a kernel each, as every training runs them. */
import { mul, rsub } from './arithmetic.ts';
import { binaryOp } from './binary.ts';

/** The gradient of relu from its output: 0 where y ≤ 0, else (NaN included) grad. */
export const reluGrad = binaryOp({
  name: 'relu_grad',
  node: 'ThresholdBackwardBackward0',
  js: (grad, y) => (y <= 0 ? 0 : grad),
  wgsl: 'select(select(0, a, b > 0), a, isNan(b))',
  saves: 'other',
  gradA: (grad, _, y) => reluGrad(grad, y),
  gradB: (grad) => mul(grad, 0),
});

/** The gradient of sigmoid from its output: grad·y·(1 − y). */
export const sigmoidGrad = binaryOp({
  name: 'sigmoid_grad',
  node: 'SigmoidBackwardBackward0',
  js: (grad, y) => grad * (y * (1 - y)),
  wgsl: 'a * (b * (1 - b))',
  saves: 'both',
  gradA: (grad, _, y) => sigmoidGrad(grad, y),
  gradB: (grad, a, y) => mul(mul(grad, a), rsub(mul(y, 2), 1)),
});

/** The gradient of tanh from its output: grad·(1 − y²). */
export const tanhGrad = binaryOp({
  name: 'tanh_grad',
  node: 'TanhBackwardBackward0',
  js: (grad, y) => grad * (1 - y * y),
  wgsl: 'a * (1 - b * b)',
  saves: 'both',
  gradA: (grad, _, y) => tanhGrad(grad, y),
  gradB: (grad, a, y) => mul(mul(grad, a), mul(y, -2)),
});
