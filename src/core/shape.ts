/**
 * Shapes and strides: sizes in elements, row-major by default, strides may be 0 (expanded) or in any order.
 */
import { ArgumentError, IndexError, ShapeError } from './errors.ts';

export type Shape = readonly number[];
export type Strides = readonly number[];

export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`;

export function numElements(shape: Shape): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i];
  return n;
}

// V8 tells kinds of lists apart, and throws away what it has optimised for one kind when another comes along. So all lists
// of sizes are of the kind that whole numbers pushed into `[]` make, and copies of such; `new Array(n)`, the rest of a
// function's arguments, and `map` in optimised code make others.

/** A copy that is such a list. */
export function sizeList(sizes: Shape): number[] {
  const out: number[] = [];
  for (let i = 0; i < sizes.length; i++) out.push(sizes[i]);
  return out;
}

export function contiguousStrides(shape: Shape): number[] {
  const strides = shape.slice();
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i] > 1 ? shape[i] : 1;
  }
  return strides;
}

const layoutsOfOurs = /* @__PURE__ */ new WeakSet<Strides>();

/**
 * Strides of a matrix that lies column by column because the library wants it so. Results that keep their input's layout
 * take over this very list, so it tells them apart from what users have transposed: for those who look, the matrix is
 * row-major.
 */
export function columnMajor(rows: number): Strides {
  const strides = [1, rows];
  layoutsOfOurs.add(strides);
  return strides;
}

/** Whether these strides are `columnMajor`'s. */
export const isLayoutOfOurs = (strides: Strides): boolean => layoutsOfOurs.has(strides);

/** A stride or an offset in `columnMajor` memory, as it is where the same matrix lies row by row. */
export const rowMajorStep = (step: number, rows: number, columns: number): number =>
  (step % rows) * columns + Math.floor(step / rows);

/** The entries that `order` names, in its order. */
export function reordered(list: readonly number[], order: readonly number[]): number[] {
  const out: number[] = [];
  for (let i = 0; i < order.length; i++) out.push(list[order[i]]);
  return out;
}

/** With two entries exchanged. */
export function exchanged(list: readonly number[], a: number, b: number): number[] {
  const out = list.slice();
  if (a !== b) [out[a], out[b]] = [list[b], list[a]];
  return out;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Row-major without gaps; dimensions of size 1 may have any stride, and an empty array is contiguous. */
export function isContiguous(shape: Shape, strides: Strides): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] === 1) continue;
    if (shape[i] === 0) return true;
    // Without elements there is no order that could be wrong.
    if (strides[i] !== step) return shape.includes(0);
    step *= shape[i];
  }
  return true;
}

/** True when the elements fill a range of memory without gap or overlap, in whatever order of dimensions. */
export function isDense(shape: Shape, strides: Strides): boolean {
  // By their strides. Inserted: V8 forgets the optimised code of a comparison that is made anew for every call.
  const dims: number[] = [];
  for (let i = 0; i < shape.length; i++) {
    if (shape[i] === 0) return true;
    if (shape[i] === 1) continue;
    let at = dims.length;
    for (; at > 0 && strides[dims[at - 1]] > strides[i]; at--) dims[at] = dims[at - 1];
    dims[at] = i;
  }
  let step = 1;
  for (const d of dims) {
    if (strides[d] !== step) return false;
    step *= shape[d];
  }
  return true;
}

/** Sizes must be non-negative integers whose product stays a safe integer. @throws ShapeError */
export function checkShape(shape: Shape, op: string): void {
  let n = 1;
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 0) {
      throw new ShapeError(
        size < 0
          ? `${op}: Trying to create tensor with negative dimension ${size}: ${formatShape(shape)}; argument 'size' must be non-negative integers`
          : `${op}: argument 'size' must be non-negative integers, but got ${formatShape(shape)}`,
      );
    }
    n *= size;
  }
  if (!Number.isSafeInteger(n)) throw new ShapeError(`${op}: shape ${formatShape(shape)} is too large`);
}

/** A dimension number in [-ndim, ndim) as one in [0, ndim); a 0-d tensor takes 0 and -1, as in PyTorch. */
export function normalizeDim(dim: number, ndim: number, op: string): number {
  const range = Math.max(ndim, 1);
  if (dim === undefined || dim === null || Number.isNaN(dim)) {
    throw new ArgumentError(
      `${op}: argument 'dim' must be an integer of the range [${-range}, ${range - 1}], but got nothing`,
    );
  }
  if (!Number.isInteger(dim) || dim < -range || dim >= range) {
    throw new IndexError(
      `${op}: Dimension out of range (expected argument 'dim' to be in range of [${-range}, ${range - 1}], but got ${dim})`,
    );
  }
  return dim < 0 ? dim + range : dim;
}

/** Several dimensions, sorted, each once; none given means all. @throws IndexError, ShapeError if one is repeated */
export function normalizeDims(dims: readonly number[] | null, ndim: number, op: string): number[] {
  if (dims === null) return Array.from({ length: ndim }, (_, i) => i);
  const result = dims.map((d) => normalizeDim(d, ndim, op));
  result.sort((a, b) => a - b);
  for (let i = 1; i < result.length; i++) {
    if (result[i] === result[i - 1]) {
      throw new ShapeError(`${op}: dim ${result[i]} appears multiple times in the list of dims`);
    }
  }
  return ndim === 0 ? [] : result;
}

/** The shape that two operands, `names`, broadcast to. @throws ShapeError in PyTorch's words */
export function broadcastShapes(
  a: Shape,
  b: Shape,
  op: string,
  names: readonly [string, string] = ['input', 'other'],
): Shape {
  if (sameShape(a, b)) return a;
  const ndim = Math.max(a.length, b.length);
  const out = (a.length === ndim ? a : b).slice();
  for (let i = 0; i < ndim; i++) {
    const da = i - ndim + a.length;
    const db = i - ndim + b.length;
    const sa = da >= 0 ? a[da] : 1;
    const sb = db >= 0 ? b[db] : 1;
    if (sa !== sb && sa !== 1 && sb !== 1) {
      throw new ShapeError(
        `${op}: The size of tensor a (${sa}) must match the size of tensor b (${sb}) at non-singleton dimension ${i}` +
          `; got shapes ${formatShape(a)} for argument '${names[0]}' and ${formatShape(b)} for '${names[1]}'`,
      );
    }
    out[i] = sa === 1 ? sb : sa;
  }
  return out;
}

/** Strides that read an array of `shape` as if it had the (broadcast) shape `to`: 0 along every repeated dimension. */
export function expandStrides(shape: Shape, strides: Strides, to: Shape): number[] {
  const shift = to.length - shape.length;
  const out = to.slice();
  for (let i = 0; i < to.length; i++) {
    const d = i - shift;
    out[i] = d < 0 || (shape[d] === 1 && to[i] !== 1) ? 0 : strides[d];
  }
  return out;
}

/** Resolves one -1 in a new shape; `mismatch` says that sizes do not fit. @throws ShapeError in PyTorch's words */
export function inferShape(
  shape: Shape,
  count: number,
  op: string,
  mismatch = (): string => `shape '${formatShape(shape)}' is invalid for input of size ${count}`,
): number[] {
  let hole = -1;
  let known = 1;
  for (let i = 0; i < shape.length; i++) {
    if (shape[i] === -1) {
      if (hole >= 0)
        throw new ShapeError(`${op}: only one dimension can be inferred, got ${formatShape(shape)}`);
      hole = i;
    } else if (!Number.isInteger(shape[i]) || shape[i] < 0) {
      throw new ShapeError(`${op}: invalid shape dimension ${shape[i]} in ${formatShape(shape)}`);
    } else known *= shape[i];
  }
  const out = sizeList(shape);
  if (hole >= 0) {
    if (known === 0) {
      throw new ShapeError(
        `${op}: cannot reshape tensor of ${count} elements into shape ${formatShape(shape)} because the ` +
          'unspecified dimension size -1 can be any value and is ambiguous',
      );
    }
    out[hole] = count / known;
  }
  if (hole >= 0 ? !Number.isInteger(out[hole]) : known !== count) {
    throw new ShapeError(`${op}: ${mismatch()}`);
  }
  return out;
}

/**
 * Strides of a view with the new shape over the same memory, or null where none exists (PyTorch's `view` rule: each
 * group of old dimensions that a new one spans must be contiguous among themselves).
 */
export function viewStrides(shape: Shape, strides: Strides, to: Shape): number[] | null {
  if (numElements(shape) === 0) return contiguousStrides(to);
  const out = to.slice();
  let t = to.length - 1;
  let base = strides.length > 0 ? strides[strides.length - 1] : 1;
  let groupSize = 1;
  let viewSize = 1;
  for (let d = shape.length - 1; d >= -1; d--) {
    if (d >= 0) groupSize *= shape[d];
    const groupEnds = d <= 0 || (shape[d - 1] !== 1 && strides[d - 1] !== groupSize * base);
    if (!groupEnds) continue;
    while (t >= 0 && (viewSize < groupSize || to[t] === 1)) {
      out[t] = viewSize * base;
      viewSize *= to[t];
      t--;
    }
    if (viewSize !== groupSize) return null;
    if (d > 0) {
      base = strides[d - 1];
      groupSize = 1;
      viewSize = 1;
    } else break;
  }
  return t === -1 ? out : null;
}

/** Dimensions that can be walked as one are merged; those of size 1 vanish. All stride lists share one shape. */
export function collapseDims(
  shape: Shape,
  stridesList: readonly Strides[],
): { shape: number[]; strides: number[][] } {
  const outShape: number[] = [];
  const outStrides: number[][] = stridesList.map(() => []);
  for (let d = 0; d < shape.length; d++) {
    if (shape[d] === 1) continue;
    const last = outShape.length - 1;
    const merges =
      last >= 0 && stridesList.every((strides, i) => outStrides[i][last] === strides[d] * shape[d]);
    if (merges) {
      outShape[last] *= shape[d];
      for (let i = 0; i < stridesList.length; i++) outStrides[i][last] = stridesList[i][d];
    } else {
      outShape.push(shape[d]);
      for (let i = 0; i < stridesList.length; i++) outStrides[i].push(stridesList[i][d]);
    }
  }
  return { shape: outShape, strides: outStrides };
}
