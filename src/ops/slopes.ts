/** How gradients pass the commonest activations: a kernel each, as every training runs them. */
import type { Variable } from '../autograd/variable.ts';
import { mul, rsub } from './arithmetic.ts';
import { applyBinary, type BinaryRow, binaryOp } from './binary.ts';
import { zeros } from './unary.ts';

/** The gradient of relu from its output: 0 where y ≤ 0, else (NaN included) grad. */
export const reluGrad = binaryOp({
  name: 'relu_grad',
  node: 'ThresholdBackwardBackward0',
  js: (grad, y) => (y <= 0 ? 0 : grad),
  wgsl: 'select(select(0, a, b > 0), a, isNan(b))',
  saves: 'other',
  gradA: (grad, _, y) => reluGrad(grad, y),
  gradB: zeros,
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

/** The factors of a gradient by where x lies: up to `p` it is `r`, below `q` `s`, from there on `t`, and for NaN `u`. */
export type Gate = {
  readonly p: number;
  readonly q: number;
  readonly r: number;
  readonly s: number;
  readonly t: number;
  readonly u: number;
};

/** grad times the factor that x has; 0 where that is 0, whatever grad is. */
export const gate = <T extends Variable>(grad: T, x: T, scalars: Gate): T =>
  applyBinary<T>(gateRow(scalars), grad, x);

export function gateRow(scalars: Gate): BinaryRow {
  const { p, q, r, s, t, u } = scalars;
  const factor = 'select(select(r, select(t, s, b < q), b > p), u, isNan(b))';
  return {
    name: 'gate',
    js: (grad, x) => {
      const by = x > p ? (x < q ? s : t) : x <= p ? r : u;
      return by === 0 ? 0 : grad * by;
    },
    wgsl: `select(a * ${factor}, 0, ${factor} == 0)`,
    scalars,
    saves: 'other',
    gradA: <T extends Variable>(grad: T, _: unknown, x: T | number) => gate<T>(grad, x as T, scalars),
    gradB: zeros,
  };
}

/** grad where x < 0, else 0. GPUs may take numbers nearer to 0 than this for 0. */
const BELOW_ZERO: Gate = { p: -(2 ** -126), q: 0, r: 1, s: 0, t: 0, u: 0 };

/** The gradient of elu and its like: grad·p·e^(rx) for x ≤ 0, else (NaN included) grad·q. */
export const eluGrad = <T extends Variable>(grad: T, x: T, p: number, q: number, r: number): T =>
  applyBinary<T>(eluGradRow(p, q, r), grad, x);

export function eluGradRow(p: number, q: number, r: number): BinaryRow {
  return {
    name: 'elu_grad',
    node: 'EluBackwardBackward0',
    js: (grad, x) => (x <= 0 ? grad * (Math.exp(x * r) * p) : grad * q),
    wgsl: 'select(a * q, a * (exp(min(b, 0) * r) * p), b <= 0)',
    scalars: { p, q, r },
    saves: 'both',
    gradA: <T extends Variable>(grad: T, _: unknown, x: T | number) => eluGrad<T>(grad, x as T, p, q, r),
    gradB: <T extends Variable>(grad: T, a: T | number, x: T | number) =>
      eluGrad<T>(gate<T>(mul<T>(grad, a), x as T, BELOW_ZERO), x as T, p * r, 0, r),
  };
}

/** The gradient of hardswish: 0 up to −3, grad from 3 on (and for NaN), grad·(x/3 + ½) between. */
export const hardswishGrad = binaryOp({
  name: 'hardswish_grad',
  node: 'HardswishBackwardBackward0',
  js: (a, b) => (b <= -3 ? 0 : b < 3 ? a * (b / 3 + 0.5) : a),
  wgsl: 'select(select(a, a * (b / 3 + 0.5), b < 3), 0, b <= -3)',
  scalars: {},
  saves: 'both',
  gradA: (grad, _, x) => hardswishGrad(grad, x),
  gradB: <T extends Variable>(grad: T, a: T | number, x: T | number) =>
    gate<T>(mul<T>(grad, a), x as T, { p: -3, q: 3, r: 0, s: 1 / 3, t: 0, u: 0 }),
});
