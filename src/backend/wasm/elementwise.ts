/** Elementwise kernels: which layouts they take as they are, and what is copied for the others. */
import { type DType, dtypeInfo } from '../../core/dtype.ts';
import {
  broadcastShapes,
  collapseDims,
  contiguousStrides,
  expandStrides,
  numElements,
  type Shape,
  type Strides,
  sameShape,
} from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { BinarySpec, Operand, UnarySpec } from '../backend.ts';
import { resultStrides } from '../reference/elements.ts';
import type { WasmContext } from './context.ts';
import { costOf, elementChunk, kernelFor, kernelNamed } from './kernels.ts';

/** Operands from this size on are copied if neighbours in a row are not neighbours in memory. */
const SCATTERED = 1024;

const isArray = (x: Operand): x is NDArray => typeof x !== 'number';

/** Whether an output can be written directly: the right dtype, and row-major or laid out like the input. */
function sameLayout(a: NDArray, shape: Shape, strides: Strides): boolean {
  if (!sameShape(a.shape, shape)) return false;
  if (a.strides === strides) return true;
  for (let d = 0; d < shape.length; d++) if (a.strides[d] !== strides[d] && shape[d] !== 1) return false;
  return true;
}

/** Whether writing `out` could overwrite elements of x that are still to be read. */
const endangers = (out: NDArray, x: Operand): boolean =>
  isArray(x) &&
  x.storage === out.storage &&
  !(x.offset === out.offset && sameLayout(x, out.shape, out.strides));

/** Whether a kernel may write a result that is laid out like this to `out`, reading these on its way. */
const takes = (
  out: NDArray | undefined,
  dtype: DType,
  shape: Shape,
  strides: Strides,
  a: Operand,
  b: Operand,
): out is NDArray =>
  out?.dtype === dtype && sameLayout(out, shape, strides) && !endangers(out, a) && !endangers(out, b);

/** x itself if its memory can be walked as a list, else a row-major copy. */
function linear(host: WasmContext, x: NDArray): NDArray {
  if (x.dense) return x;
  const array = host.empty(x.shape, x.dtype);
  host.copyInto(array, x);
  return array;
}

/** Null if there is no kernel for this dtype. */
export function unary(
  host: WasmContext,
  spec: UnarySpec,
  x: NDArray,
  p: number,
  q: number,
  out?: NDArray,
): NDArray | null {
  const kernel = kernelFor(host, spec.name, x.dtype);
  if (kernel === null) return null;
  const resultDType = spec.predicate ? 'bool' : x.dtype;
  const strides = resultStrides(x);
  const direct =
    out === undefined ||
    (out.dtype === resultDType &&
      sameLayout(out, x.shape, strides) &&
      (x.dense || out.contiguous) &&
      !endangers(out, x));
  const y = direct && out ? out : host.empty(x.shape, resultDType, strides);
  const source = linear(host, x);
  host.runtime.pool.run(
    kernel,
    [host.pointer(source), host.pointer(y), p, q],
    x.size,
    elementChunk(host, x.size, costOf(spec.name)),
  );
  if (source !== x) source.release();
  return deliver(host, y, out);
}

/** Moves a result that could not be written in place to where it was wanted. */
function deliver(host: WasmContext, y: NDArray, out: NDArray | undefined): NDArray {
  if (out === undefined || out === y) return y;
  host.copyInto(out, y);
  y.release();
  return out;
}

/** Null if there is no kernel for this dtype. */
export function binary(
  host: WasmContext,
  spec: BinarySpec,
  a: Operand,
  b: Operand,
  out?: NDArray,
): NDArray | null {
  const like = isArray(a) ? a : isArray(b) ? b : null;
  if (like === null) return null;
  const kernel = kernelFor(host, spec.name, like.dtype);
  if (kernel === null) return null;
  if (spec.scalars) {
    if (!isArray(a) || !isArray(b) || !sameShape(a.shape, b.shape)) return null;
    return withScalars(host, kernel, spec, a, b, out);
  }
  const shape = isArray(a) && isArray(b) ? broadcastShapes(a.shape, b.shape, spec.name) : like.shape;
  const model = sameShape(like.shape, shape) ? like : isArray(b) && sameShape(b.shape, shape) ? b : null;
  const strides = model?.dense ? model.strides : contiguousStrides(shape);
  const resultDType: DType = spec.predicate ? 'bool' : like.dtype;
  const y = takes(out, resultDType, shape, strides, a, b) ? out : host.empty(shape, resultDType, strides);
  const stepA = flatStep(a, y);
  const stepB = flatStep(b, y);
  if (stepA >= 0 && stepB >= 0) {
    const { size } = y;
    host.runtime.pool.run(
      kernel,
      [
        address(host, a, like.dtype, 0),
        address(host, b, like.dtype, 1),
        host.pointer(y),
        size,
        0,
        stepA,
        0,
        stepB,
      ],
      size,
      elementChunk(host, size, costOf(spec.name)),
    );
  } else run(host, kernel, [a, b], [like.dtype, like.dtype], y);
  return deliver(host, y, out);
}

/** A kernel over two lists, and scalars. */
function withScalars(
  host: WasmContext,
  kernel: Kernel,
  { name, scalars = {} }: BinarySpec,
  a: NDArray,
  b: NDArray,
  out?: NDArray,
): NDArray {
  const strides = resultStrides(a);
  const y = takes(out, b.dtype, b.shape, strides, a, b) ? out : host.empty(b.shape, b.dtype, strides);
  const sources = [a, b].map((x) => {
    if (sameLayout(x, y.shape, y.strides)) return x;
    const copy = host.empty(y.shape, y.dtype, y.strides);
    host.copyInto(copy, x);
    return copy;
  });
  const args = [...sources.map((x) => host.pointer(x)), host.pointer(y), ...Object.values(scalars)];
  host.runtime.pool.run(kernel, args, y.size, elementChunk(host, y.size, costOf(name)));
  for (const x of sources) if (x !== a && x !== b) x.release();
  return deliver(host, y, out);
}

/** Null if there is no kernel for elements of this width. */
export function where(
  host: WasmContext,
  condition: NDArray,
  a: Operand,
  b: Operand,
  dtype: DType,
): NDArray | null {
  const kernel = kernelNamed(host, `where_u${8 * dtypeInfo[dtype].bytes}`);
  if (kernel === null) return null;
  let shape: Shape = condition.shape;
  for (const x of [a, b]) if (isArray(x)) shape = broadcastShapes(shape, x.shape, 'where');
  const y = host.empty(shape, dtype);
  run(host, kernel, [condition, a, b], ['bool', dtype, dtype], y);
  return y;
}

type Kernel = NonNullable<ReturnType<typeof kernelFor>>;

/** How far an operand advances per element of the dense y: 1 laid out the same, 0 one value for all, -1 neither. */
function flatStep(x: Operand, y: NDArray): number {
  if (!isArray(x) || x.size === 1) return 0;
  return sameLayout(x, y.shape, y.strides) ? 1 : -1;
}

const address = (host: WasmContext, x: Operand, dtype: DType, slot: number): number =>
  isArray(x) ? host.pointer(x) : host.constant(x, dtype, slot);

/** y is dense; the operands are walked in the order of its memory. */
function run(
  host: WasmContext,
  kernel: Kernel,
  operands: readonly Operand[],
  dtypes: readonly DType[],
  y: NDArray,
): void {
  if (y.size === 0) return;
  const order = [...y.shape.keys()].sort((i, j) => y.strides[j] - y.strides[i] || i - j);
  const walk = collapseDims(
    order.map((d) => y.shape[d]),
    operands.map((x) => {
      if (!isArray(x)) return order.map(() => 0);
      const expanded = expandStrides(x.shape, x.strides, y.shape);
      return order.map((d) => expanded[d]);
    }),
  );
  const inner = walk.shape[walk.shape.length - 1] ?? 1;
  const inputs = operands.map((x, i) => rows(host, x, dtypes[i], walk.shape, walk.strides[i], i));
  host.runtime.pool.run(
    kernel,
    [...inputs.map((x) => x.pointer), host.pointer(y), inner, ...inputs.flatMap((x) => [x.row, x.step])],
    y.size,
    elementChunk(host, y.size),
  );
  for (const x of inputs) x.temporary?.release();
}

/** An operand as rows of equal length: addresses advance by `row` per row and by `step` within one. */
interface RowOperand {
  readonly pointer: number;
  readonly row: number;
  readonly step: number;
  readonly temporary: NDArray | null;
}

function rows(
  host: WasmContext,
  x: Operand,
  dtype: DType,
  shape: Shape,
  strides: Strides,
  slot: number,
): RowOperand {
  if (!isArray(x)) return { pointer: host.constant(x, dtype, slot), row: 0, step: 0, temporary: null };
  const last = strides.length - 1;
  const lead = collapseDims(shape.slice(0, -1), [strides.slice(0, -1)]).strides[0];
  const step = strides[last] ?? 0;
  // Single loads far apart take longer than a copy whose transposition moves blocks.
  if (lead.length < 2 && (step < 2 || numElements(shape) < SCATTERED)) {
    return { pointer: host.pointer(x), row: lead[0] ?? 0, step, temporary: null };
  }
  if (step === 0) {
    // One value for each row, as a factor for each channel: the values are listed, not the rows.
    const values = host.empty(shape.slice(0, -1), dtype);
    host.copyInto(values, x.view(shape.slice(0, -1), strides.slice(0, -1)));
    return { pointer: host.pointer(values), row: 1, step: 0, temporary: values };
  }
  const temporary = host.empty(shape, dtype);
  host.copyInto(temporary, x.view(shape, strides));
  const inner = shape[last];
  return { pointer: host.pointer(temporary), row: inner, step: 1, temporary };
}
