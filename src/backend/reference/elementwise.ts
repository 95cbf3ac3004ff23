/** Elementwise kernels in plain TypeScript, over all dtypes. */
import type { DType } from '../../core/dtype.ts';
import { broadcastShapes, type Shape, sameShape } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { BinarySpec, Operand, UnarySpec } from '../backend.ts';
import { type ArrayHost, bigints, broadcastTo, numbers, resultStrides, store } from './elements.ts';

const isArray = (x: Operand): x is NDArray => typeof x !== 'number';

function commonShape(operands: readonly Operand[], op: string): Shape {
  let shape: Shape = [];
  for (const x of operands) if (isArray(x)) shape = broadcastShapes(shape, x.shape, op);
  return shape;
}

/** Whether y is a list in memory, and x, if it is an array, lies there in the same order. */
const inMemoryOf = (y: NDArray, x: Operand): boolean =>
  y.dense &&
  (!isArray(x) || (sameShape(x.shape, y.shape) && x.strides.every((step, d) => step === y.strides[d])));

export function unary(
  host: ArrayHost,
  spec: UnarySpec,
  x: NDArray,
  p: number,
  q: number,
  out?: NDArray,
): NDArray {
  const y = out ?? host.empty(x.shape, spec.predicate ? 'bool' : x.dtype, resultStrides(x));
  const flat = inMemoryOf(y, x);
  if (x.dtype === 'int64' && spec.big && y.dtype === 'int64') {
    const { big } = spec;
    store(host, y, bigints(host, x, flat).map(big), flat);
    return y;
  }
  const from = numbers(host, x, flat);
  const values = new Float64Array(from.length);
  for (let i = 0; i < from.length; i++) values[i] = spec.js(from[i], p, q);
  store(host, y, values, flat);
  return y;
}

/** Row-major numbers of an operand broadcast to `shape`, or as they lie in memory. */
function operandNumbers(host: ArrayHost, x: Operand, shape: Shape, size: number, flat = false) {
  return isArray(x) ? numbers(host, flat ? x : broadcastTo(x, shape), flat) : new Float64Array(size).fill(x);
}

export function binary(host: ArrayHost, spec: BinarySpec, a: Operand, b: Operand, out?: NDArray): NDArray {
  const shape = commonShape([a, b], spec.name);
  const like = isArray(a) ? a : isArray(b) ? b : null;
  if (like === null) throw new TypeError(`${spec.name}: at least one operand must be an array`);
  const y =
    out ??
    host.empty(
      shape,
      spec.predicate ? 'bool' : like.dtype,
      sameShape(like.shape, shape) ? resultStrides(like) : undefined,
    );
  const flat = inMemoryOf(y, a) && inMemoryOf(y, b);
  if (like.dtype === 'int64' && spec.big) {
    const left = isArray(a)
      ? bigints(host, flat ? a : broadcastTo(a, shape), flat)
      : new BigInt64Array(y.size).fill(BigInt(a));
    const right = isArray(b)
      ? bigints(host, flat ? b : broadcastTo(b, shape), flat)
      : new BigInt64Array(y.size).fill(BigInt(b));
    const values = new BigInt64Array(y.size);
    for (let i = 0; i < values.length; i++) values[i] = spec.big(left[i], right[i]);
    store(host, y, values, flat);
    return y;
  }
  const left = operandNumbers(host, a, shape, y.size, flat);
  const right = operandNumbers(host, b, shape, y.size, flat);
  const values = new Float64Array(y.size);
  for (let i = 0; i < values.length; i++) values[i] = spec.js(left[i], right[i]);
  store(host, y, values, flat);
  return y;
}

export function where(host: ArrayHost, condition: NDArray, a: Operand, b: Operand, dtype: DType): NDArray {
  const shape = commonShape([condition, a, b], 'where');
  const y = host.empty(shape, dtype);
  const chosen = numbers(host, broadcastTo(condition, shape));
  if (dtype === 'int64') {
    const left = isArray(a)
      ? bigints(host, broadcastTo(a, shape))
      : new BigInt64Array(y.size).fill(BigInt(a));
    const right = isArray(b)
      ? bigints(host, broadcastTo(b, shape))
      : new BigInt64Array(y.size).fill(BigInt(b));
    store(
      host,
      y,
      left.map((v, i) => (chosen[i] ? v : right[i])),
    );
    return y;
  }
  const left = operandNumbers(host, a, shape, y.size);
  const right = operandNumbers(host, b, shape, y.size);
  const values = new Float64Array(y.size);
  for (let i = 0; i < values.length; i++) values[i] = chosen[i] ? left[i] : right[i];
  store(host, y, values);
  return y;
}
