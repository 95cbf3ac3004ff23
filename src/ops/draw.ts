/**
 * How random values get into arrays. Elements are visited in the order of memory, as PyTorch does: a transposed tensor
 * gets the values that its storage would get untransposed, a strided slice is filled in logical order. All draws are
 * made on the host and then brought to the device, so that a seed gives the same values everywhere.
 */
import type { NDArray } from '../backend/array.ts';
import type { Backend } from '../backend/backend.ts';
import type { FloatArray } from '../core/distributions.ts';
import type { DType, TypedArray } from '../core/dtype.ts';
import { ArgumentError, DTypeError } from '../core/errors.ts';
import { defaultEngine, type RandomEngine } from '../core/rng.ts';
import {
  contiguousStrides,
  isContiguous,
  isLayoutOfOurs,
  reordered,
  type Shape,
  type Strides,
} from '../core/shape.ts';

/** Where draws come from. */
export interface GeneratorOptions {
  /** Default: the generator that `manualSeed` seeds. */
  generator?: { readonly engine: RandomEngine } | null;
}

/** The engine to draw from. @throws ArgumentError for what is no generator, and for a generator by itself */
export function engineOf(options: GeneratorOptions): RandomEngine {
  const { generator } = options;
  const engine = generator == null ? defaultEngine() : generator.engine;
  if (engine === undefined || 'engine' in options)
    throw new ArgumentError(
      `generator: expected { generator } in the options, but got ${String(generator ?? 'a Generator by itself')}`,
    );
  return engine;
}

/** Fills `values`; `contiguous` says whether the tensor that they are for is. */
export type Fill = (values: TypedArray, rng: RandomEngine, contiguous: boolean) => void;

/**
 * Dimensions in memory order, from the largest stride to the smallest: PyTorch's sort by insertion, from the innermost
 * outwards, in which a stride of 0 says nothing and the smaller of equal strides' dimensions lies further in.
 */
export function memoryOrder(shape: Shape, strides: Strides): number[] {
  if (isLayoutOfOurs(strides)) return [0, 1];
  const inner = [...shape.keys()].reverse();
  for (let i = 1; i < inner.length; i++) {
    for (let at = i, below = i - 1; below >= 0; below--) {
      const [a, b] = [inner[below], inner[at]];
      const further = strides[a] && strides[b] && (strides[a] - strides[b] || Number(shape[a] > shape[b]));
      if (further < 0) break;
      if (further === 0) continue;
      [inner[below], inner[at]] = [b, a];
      at = below;
    }
  }
  return inner.reverse();
}

/** The strides of a dense array whose dimensions lie in memory in the order given. */
export function denseStrides(shape: Shape, order: readonly number[]): number[] {
  const packed = contiguousStrides(reordered(shape, order));
  const strides = packed.slice();
  order.forEach((d, i) => {
    strides[d] = packed[i];
  });
  return strides;
}

/** A dense array of drawn values, whose dimensions lie in memory as `strides` has them. */
export function drawArray(
  backend: Backend,
  dtype: DType,
  shape: Shape,
  strides: Strides,
  rng: RandomEngine,
  fill: (values: TypedArray, rng: RandomEngine) => void,
): NDArray {
  const order = memoryOrder(shape, strides);
  const drawn = backend.fromHost(reordered(shape, order), dtype, (values) => fill(values, rng));
  if (order.every((d, i) => d === i)) return drawn;
  const laidOut = drawn.view(shape, denseStrides(shape, order));
  drawn.release();
  return laidOut;
}

/** Draws into `out`, whose elements are visited as if they lay in memory as `strides` has them. */
export function drawInto(
  out: NDArray,
  strides: Strides,
  rng: RandomEngine,
  fill: (values: TypedArray, rng: RandomEngine) => void,
): void {
  const { backend, dtype, shape } = out;
  const order = memoryOrder(shape, strides);
  const visited = out.view(reordered(shape, order), reordered(out.strides, order));
  if (visited.contiguous) backend.fromHost(visited.shape, dtype, (values) => fill(values, rng), visited);
  else {
    const drawn = drawArray(backend, dtype, shape, strides, rng, fill);
    backend.assign(out, drawn);
    drawn.release();
  }
  visited.release();
}

/** A dense array of drawn values in the shape and, as far as that is dense, the memory layout of `like`. */
export function drawArrayLike(
  { shape }: NDArray,
  strides: Strides,
  backend: Backend,
  dtype: DType,
  rng: RandomEngine,
  fill: Fill,
): NDArray {
  const contiguous = isContiguous(shape, denseStrides(shape, memoryOrder(shape, strides)));
  return drawArray(backend, dtype, shape, strides, rng, (values) => fill(values, rng, contiguous));
}

/** The elements of x, of the same shape as `layout`, in the order in which `layout` lies in memory. */
export function inOrderOf(layout: NDArray, x: NDArray, op: string): TypedArray {
  const order = memoryOrder(layout.shape, layout.strides);
  const permuted = x.view(reordered(x.shape, order), reordered(x.strides, order));
  const values = x.backend.hostValues(permuted, op);
  permuted.release();
  return values;
}

/** The values as floats. @throws DTypeError for integers and bool */
export function floating(values: TypedArray, op: string): FloatArray {
  if (values instanceof Float32Array || values instanceof Float64Array) return values;
  throw new DTypeError(
    `${op}: expected argument 'input' to be a tensor of dtype float32 or float64, but got ${values.constructor.name}`,
  );
}
