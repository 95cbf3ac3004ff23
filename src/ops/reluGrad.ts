/** Where gradients pass a rectifier: a kernel of its own, as every training runs it. */
import { mul } from './arithmetic.ts';
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
