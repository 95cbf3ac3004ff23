/** Our elementwise kernels in ONNX's operators. */
import type { BinarySpec } from '../../backend/backend.ts';
import type { DType } from '../../core/dtype.ts';
import { constant, type Emit } from './builder.ts';
import type { NodeInput } from './graph.ts';

type UnaryRule = (emit: Emit, x: string, dtype: DType, p: number, q: number) => string;
type Scalars = BinarySpec['scalars'];
type BinaryRule = (emit: Emit, a: NodeInput, b: NodeInput, dtype: DType, scalars: Scalars) => string;

const scalar = (value: number, dtype: DType): NodeInput => constant([value], dtype);

const same =
  (op: string): UnaryRule =>
  (emit, x) =>
    emit(op, [x]);
const pair =
  (op: string): BinaryRule =>
  (emit, a, b) =>
    emit(op, [a, b]);

export const unaryOps: Readonly<Partial<Record<string, UnaryRule>>> = {
  abs: same('Abs'),
  acos: same('Acos'),
  acosh: same('Acosh'),
  asin: same('Asin'),
  asinh: same('Asinh'),
  atan: same('Atan'),
  atanh: same('Atanh'),
  ceil: same('Ceil'),
  cos: same('Cos'),
  cosh: same('Cosh'),
  erf: same('Erf'),
  exp: same('Exp'),
  floor: same('Floor'),
  log: same('Log'),
  logical_not: same('Not'),
  neg: same('Neg'),
  reciprocal: same('Reciprocal'),
  relu: same('Relu'),
  round: same('Round'),
  sigmoid: same('Sigmoid'),
  sign: same('Sign'),
  sin: same('Sin'),
  sinh: same('Sinh'),
  sqrt: same('Sqrt'),
  tan: same('Tan'),
  tanh: same('Tanh'),
  isnan: same('IsNaN'),
  isinf: same('IsInf'),
  square: (emit, x) => emit('Mul', [x, x]),
  rsqrt: (emit, x) => emit('Reciprocal', [emit('Sqrt', [x])]),
  silu: (emit, x) => emit('Mul', [x, emit('Sigmoid', [x])]),
  gelu: (emit, x, dtype) => {
    const half = emit('Mul', [x, scalar(0.5, dtype)]);
    const bell = emit('Erf', [emit('Mul', [x, scalar(Math.SQRT1_2, dtype)])]);
    return emit('Mul', [half, emit('Add', [bell, scalar(1, dtype)])]);
  },
  leaky_relu: (emit, x, _, p) => emit('LeakyRelu', [x], { alpha: { real: p } }),
  elu: (emit, x, dtype, p, q) => {
    const y = emit('Elu', [x], { alpha: { real: p / q } });
    return q === 1 ? y : emit('Mul', [y, scalar(q, dtype)]);
  },
  hardsigmoid: (emit, x) => emit('HardSigmoid', [x], { alpha: { real: 1 / 6 }, beta: { real: 0.5 } }),
  hardswish: same('HardSwish'),
  celu: (emit, x, _, p) => emit('Celu', [x], { alpha: { real: p } }),
  softplus: (emit, x, dtype, p) =>
    emit('Div', [emit('Softplus', [emit('Mul', [x, scalar(p, dtype)])]), scalar(p, dtype)]),
  hardshrink: (emit, x, _, p) => emit('Shrink', [x], { lambd: { real: p }, bias: { real: 0 } }),
  softshrink: (emit, x, _, p) => emit('Shrink', [x], { lambd: { real: p }, bias: { real: p } }),
  threshold: (emit, x, dtype, p, q) =>
    emit('Where', [emit('LessOrEqual', [x, scalar(p, dtype)]), scalar(q, dtype), x]),
  // Less exact near zero than what they stand for: ONNX has no better ones.
  log1p: (emit, x, dtype) => emit('Log', [emit('Add', [x, scalar(1, dtype)])]),
  expm1: (emit, x, dtype) => emit('Sub', [emit('Exp', [x]), scalar(1, dtype)]),
  clamp: (emit, x, dtype, p, q) => emit('Min', [emit('Max', [x, scalar(p, dtype)]), scalar(q, dtype)]),
};

export const binaryOps: Readonly<Partial<Record<string, BinaryRule>>> = {
  add: pair('Add'),
  add_scaled: (emit, a, b, dtype, scalars) =>
    emit('Add', [a, emit('Mul', [b, scalar(scalars?.p ?? 1, dtype)])]),
  sub: pair('Sub'),
  mul: pair('Mul'),
  div: pair('Div'),
  pow: pair('Pow'),
  maximum: pair('Max'),
  minimum: pair('Min'),
  eq: pair('Equal'),
  lt: pair('Less'),
  le: pair('LessOrEqual'),
  gt: pair('Greater'),
  ge: pair('GreaterOrEqual'),
  ne: (emit, a, b) => emit('Not', [emit('Equal', [a, b])]),
};

export const reduceOps: Readonly<Partial<Record<string, string>>> = {
  sum: 'ReduceSum',
  max: 'ReduceMax',
  min: 'ReduceMin',
  prod: 'ReduceProd',
  abs_sum: 'ReduceL1',
  square_sum: 'ReduceSumSquare',
};
