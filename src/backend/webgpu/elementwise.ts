/** Elementwise ops as formulas over their operands; `deferred.ts` says when they are computed. */
import type { DType } from '../../core/dtype.ts';
import { broadcastShapes, type Shape, type Strides, sameShape } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { BinarySpec, Operand, UnarySpec } from '../backend.ts';
import { resultStrides } from '../reference/elements.ts';
import type { GpuContext } from './context.ts';
import { binaryFormula, unaryFormula } from './formulas.ts';

const isArray = (x: Operand): x is NDArray => typeof x !== 'number';

function commonShape(operands: readonly Operand[], op: string): Shape {
  let shape: Shape = [];
  for (const x of operands) if (isArray(x)) shape = broadcastShapes(shape, x.shape, op);
  return shape;
}

/** out ← the formula of its operands; numbers among them are of the formula's lane. */
function apply(
  gpu: GpuContext,
  out: NDArray,
  name: string,
  text: string,
  operands: readonly (readonly [name: string, value: Operand])[],
  lane: DType,
  predicate = false,
): NDArray {
  gpu.elementwise(
    out,
    operands.map(([, value]) => (isArray(value) ? value : { value, dtype: lane })),
    { name, text, names: operands.map(([n]) => n), lane, predicate },
  );
  return out;
}

export function unary(
  gpu: GpuContext,
  spec: UnarySpec,
  x: NDArray,
  p: number,
  q: number,
  out?: NDArray,
): NDArray {
  const formula = unaryFormula(spec, x.dtype);
  const y = out ?? gpu.empty(x.shape, spec.predicate ? 'bool' : x.dtype, resultStrides(x));
  const scalars = (
    [
      ['p', p],
      ['q', q],
    ] as const
  ).filter(([name]) => new RegExp(`\\b${name}\\b`).test(formula));
  return apply(gpu, y, spec.name, formula, [['x', x], ...scalars], x.dtype, spec.predicate);
}

export function binary(gpu: GpuContext, spec: BinarySpec, a: Operand, b: Operand, out?: NDArray): NDArray {
  const like = isArray(a) ? a : (b as NDArray);
  const formula = binaryFormula(spec, like.dtype);
  const shape = commonShape([a, b], spec.name);
  const strides: Strides | undefined = sameShape(like.shape, shape) ? resultStrides(like) : undefined;
  const y = out ?? gpu.empty(shape, spec.predicate ? 'bool' : like.dtype, strides);
  const operands = [['a', a] as const, ['b', b] as const, ...Object.entries(spec.scalars ?? {})];
  return apply(gpu, y, spec.name, formula, operands, like.dtype, spec.predicate);
}

export function where(gpu: GpuContext, condition: NDArray, a: Operand, b: Operand, dtype: DType): NDArray {
  const out = gpu.empty(commonShape([condition, a, b], 'where'), dtype);
  const operands = [['chosen', condition] as const, ['a', a] as const, ['b', b] as const];
  return apply(gpu, out, 'where', 'select(b, a, chosen != 0)', operands, dtype);
}

/** out ← x, converted to out's dtype and broadcast to its shape. */
export function convert(gpu: GpuContext, out: NDArray, x: NDArray): void {
  apply(gpu, out, 'to', 'x', [['x', x]], x.dtype);
}
