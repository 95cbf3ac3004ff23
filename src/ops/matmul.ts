/** Products of matrices, of vectors, and of batches of both. */

import { isGradEnabled } from '../autograd/gradMode.ts';
import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import type { NDArray } from '../backend/array.ts';
import { isFloating, torchTypeName } from '../core/dtype.ts';
import { DTypeError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { broadcastShapes, formatShape, numElements } from '../core/shape.ts';
import { add, mul } from './arithmetic.ts';
import { cast, checkDevices, checkPair, commonDType, contiguous } from './convert.ts';
import { relu } from './elementwise.ts';
import { tensorGiven } from './given.ts';
import { sumSpec } from './reduceTo.ts';
import { reluGrad } from './slopes.ts';
import { expand, reshape, squeeze, transpose, transposedGradient, unsqueeze } from './views.ts';

function checkDTypes(a: Variable, b: Variable, op: string): void {
  if (a.dtype === b.dtype && a.dtype !== 'bool') return;
  throw new DTypeError(
    `${op}: expected m1 and m2 to have the same dtype, but got: ${torchTypeName(a.dtype)} != ${torchTypeName(b.dtype)} ` +
      `(expected scalar type ${torchTypeName(a.dtype)} but found ${torchTypeName(b.dtype)})`,
  );
}

/** [..., m, k] · [..., k, n] with equal leading dimensions (or a plain matrix on the right): what all products become. */
function product<T extends Variable>(name: string, a: T, b: T): T {
  const out = a.array.backend.matmul(a.array, b.array);
  return record(name, out, [a, b], (node) => {
    const savedA = node.needs[1] ? node.save(a) : null;
    const savedB = node.needs[0] ? node.save(b) : null;
    const shared = b.ndim === 2 && a.ndim > 2;
    return (grad) => {
      const gradA = savedB && product(name, grad, transpose(savedB.get(grad), -2, -1));
      if (savedA === null) return [gradA, null];
      const x = savedA.get(grad);
      if (!shared) return [gradA, product(name, transpose(x, -2, -1), grad)];
      // One right-hand matrix for a whole batch: the batch joins the rows.
      return [gradA, product(name, transpose(rowsOf(x), 0, 1), rowsOf(grad))];
    };
  });
}

/** All rows as one matrix: [..., n] as [m, n], also where n is 0. */
const rowsOf = <T extends Variable>(x: T): T =>
  reshape(x, [numElements(x.shape.slice(0, -1)), x.shape[x.ndim - 1]]);

/** The product of two matrices, [m, k] · [k, n]. @throws ShapeError, DTypeError */
export function mm<T extends Variable>(a: T, b: T): T {
  tensorGiven(a, 'mm');
  tensorGiven(b, 'mm', 'mat2');
  if (a.ndim !== 2) throw new ShapeError(`mm: self must be a matrix, but got shape ${formatShape(a.shape)}`);
  if (b.ndim !== 2) throw new ShapeError(`mm: mat2 must be a matrix, but got shape ${formatShape(b.shape)}`);
  return matrices('mm', a, b);
}

function matrices<T extends Variable>(op: string, a: T, b: T): T {
  checkPair(a, b, op, 'input mat2');
  checkInner(a, b, op);
  checkDTypes(a, b, op);
  return product('MmBackward0', a, b);
}

function checkInner(a: Variable, b: Variable, op: string): void {
  const k = a.shape[a.ndim - 1];
  const k2 = b.shape[b.ndim - 2];
  const m = a.shape[a.ndim - 2];
  const n = b.shape[b.ndim - 1];
  if (k !== k2)
    throw new ShapeError(`${op}: mat1 and mat2 shapes cannot be multiplied (${m}x${k} and ${k2}x${n})`);
}

/** The product of two batches of matrices, [b, m, k] · [b, k, n]. @throws ShapeError, DTypeError */
export function bmm<T extends Variable>(a: T, b: T): T {
  tensorGiven(a, 'bmm');
  tensorGiven(b, 'bmm', 'mat2');
  for (const x of [a, b]) {
    if (x.ndim !== 3)
      throw new ShapeError(
        `bmm: batch1 and batch2 must be 3D tensors, but got shape ${formatShape(x.shape)}`,
      );
  }
  if (a.shape[0] !== b.shape[0] || a.shape[2] !== b.shape[1]) {
    throw new ShapeError(
      `bmm: Expected size for first two dimensions of batch2 tensor to be: ${formatShape([a.shape[0], a.shape[2]])} but got: ` +
        `${formatShape([b.shape[0], b.shape[1]])}.`,
    );
  }
  checkDevices([a, b], 'bmm', 'input mat2');
  checkDTypes(a, b, 'bmm');
  return product('BmmBackward0', a, b);
}

/** The product of a matrix and a vector, [m, k] · [k]. @throws ShapeError, DTypeError */
export function mv<T extends Variable>(a: T, x: T): T {
  tensorGiven(a, 'mv');
  tensorGiven(x, 'mv', 'vec');
  if (a.ndim !== 2 || x.ndim !== 1) {
    throw new ShapeError(
      `mv: vector + matrix @ vector expected, got ${a.ndim}, ${x.ndim} dimensions for 'input' and 'vec'`,
    );
  }
  if (a.shape[1] !== x.shape[0]) {
    throw new ShapeError(
      `mv: size mismatch, got input (${a.shape[0]}), mat (${a.shape.join('x')}), vec (${x.shape[0]})`,
    );
  }
  checkDevices([a, x], 'mv', 'input vec');
  checkDTypes(a, x, 'mv');
  const out = a.array.backend.matmul(a.array, columnOf(x.array)).view([a.shape[0]], [1]);
  return record('MvBackward0', out, [a, x], (node) => {
    const savedA = node.needs[1] ? node.save(a) : null;
    const savedX = node.needs[0] ? node.save(x) : null;
    return (grad) => [
      savedX && outer(grad, savedX.get(grad)),
      savedA && mv(transpose(savedA.get(grad), 0, 1), grad),
    ];
  });
}

/** A vector as a matrix of one column, over the same memory. */
const columnOf = (x: NDArray): NDArray => x.view([x.size, 1], [x.strides[0], 1]);
/** A vector as a matrix of one row, over the same memory. */
const rowOf = (x: NDArray): NDArray => x.view([1, x.size], [x.size * x.strides[0], x.strides[0]]);

/** The inner product of two vectors of equal length; 0-d. @throws ShapeError, DTypeError */
export function dot<T extends Variable>(a: T, b: T): T {
  tensorGiven(a, 'dot');
  tensorGiven(b, 'dot', 'other');
  if (a.ndim !== 1 || b.ndim !== 1) {
    throw new ShapeError(
      `dot: 1D tensors expected, but got ${a.ndim}D and ${b.ndim}D tensors for 'input' and 'tensor'`,
    );
  }
  if (a.shape[0] !== b.shape[0]) {
    throw new ShapeError(
      `dot: inconsistent tensor size, expected tensor [${a.shape[0]}] and src [${b.shape[0]}] to have the same number of elements`,
    );
  }
  checkDevices([a, b], 'dot', 'input tensor');
  checkDTypes(a, b, 'dot');
  const out = a.array.backend.matmul(rowOf(a.array), columnOf(b.array)).view([], []);
  return record('DotBackward0', out, [a, b], (node) => {
    const savedA = node.needs[1] ? node.save(a) : null;
    const savedB = node.needs[0] ? node.save(b) : null;
    return (grad) => [savedB && mul<T>(savedB.get(grad), grad), savedA && mul<T>(savedA.get(grad), grad)];
  });
}

/**
 * The matrix product by PyTorch's rules of rank: vector·vector is a dot product, matrix·matrix `mm`, a vector is a row
 * on the left and a column on the right (the added dimension vanishes again), leading dimensions broadcast as batches.
 * @throws ShapeError, DTypeError
 */
export function matmul<T extends Variable>(a: T, b: T): T {
  tensorGiven(a, 'matmul');
  tensorGiven(b, 'matmul', 'other');
  if (a.ndim === 0 || b.ndim === 0) {
    throw new ShapeError(
      `matmul: both arguments to matmul need to be at least 1D, but they are ${a.ndim}D and ${b.ndim}D`,
    );
  }
  if (a.ndim === 2 && b.ndim === 2) return matrices('matmul', a, b);
  if (a.ndim === 1 && b.ndim === 1) return inOp('matmul', () => dot(a, b));
  if (a.ndim === 2 && b.ndim === 1) return inOp('matmul', () => mv(a, b));
  if (a.ndim === 1) return squeeze(matmul(unsqueeze(a, 0), b), -2);
  if (b.ndim === 1) return squeeze(matmul(a, unsqueeze(b, 1)), -1);
  checkDevices([a, b], 'matmul', 'input other');
  checkInner(a, b, 'matmul');
  checkDTypes(a, b, 'matmul');
  if (b.ndim === 2) return product('UnsafeViewBackward0', a, b);
  const lead = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), 'matmul');
  const spread = (x: T) => expand(x, [...lead, ...x.shape.slice(-2)]);
  return product('UnsafeViewBackward0', spread(a), spread(b));
}

/** The outer product of two vectors, [n] × [m] → [n, m]. @throws ShapeError */
export function outer<T extends Variable>(a: T, b: T): T {
  tensorGiven(a, 'outer');
  tensorGiven(b, 'outer', 'other');
  return inOp('outer', () => {
    for (const [name, x] of Object.entries({ input: a, vec2: b })) {
      if (x.ndim !== 1) throw new ShapeError(`outer: Expected 1-D argument '${name}', but got ${x.ndim}-D`);
    }
    checkPair(a, b, 'outer', 'input vec2');
    const dtype = commonDType([a, b]);
    return columnTimesRow(cast(a, dtype), cast(b, dtype));
  });
}

/** PyTorch multiplies the two with broadcasting, and so the node is called. */
function columnTimesRow<T extends Variable>(a: T, b: T): T {
  // Not a product of matrices, whose sums begin at 0: −0 stays, and integers have a kernel.
  const out = a.array.backend.binary(mul.row, columnOf(a.array), rowOf(b.array));
  return record('MulBackward0', out, [a, b], (node) => {
    const savedA = node.needs[1] ? node.save(a) : null;
    const savedB = node.needs[0] ? node.save(b) : null;
    return (grad) => [
      savedB && mv(grad, savedB.get(grad)),
      savedA && mv(transpose(grad, 0, 1), savedA.get(grad)),
    ];
  });
}

/**
 * x·Wᵀ + bias over the last dimension: x [..., in], weight [out, in], bias [out]. One product with the bias added in
 * its last pass. @throws ShapeError, DTypeError
 */
export const linear = <T extends Variable>(x: T, weight: T, bias: T | null = null): T =>
  linearThen(x, weight, bias, false);

/**
 * relu(linear(x, weight, bias)) in the graph too, in one pass over the result: what lies between the two has no memory.
 * @throws ShapeError, DTypeError
 */
export const linearRelu = <T extends Variable>(x: T, weight: T, bias: T | null): T =>
  isFloating(x.dtype) ? linearThen(x, weight, bias, true) : relu(linear(x, weight, bias));

function linearThen<T extends Variable>(x: T, weight: T, bias: T | null, rectified: boolean): T {
  tensorGiven(x, 'linear');
  tensorGiven(weight, 'linear', 'weight');
  const operands = bias === null ? [x, weight] : [x, weight, bias];
  checkDevices(operands, 'linear', 'input weight bias');
  const inFeatures = x.shape[x.ndim - 1] ?? 1;
  const flatWeight = weight.ndim === 1 ? unsqueeze(weight, 0) : weight;
  if (weight.ndim > 2 || flatWeight.shape[1] !== inFeatures || x.ndim === 0) {
    throw new ShapeError(
      `linear: mat1 and mat2 shapes cannot be multiplied (${x.shape.slice(0, -1).reduce((n, s) => n * s, 1)}x${inFeatures} and ` +
        `${flatWeight.shape[1]}x${flatWeight.shape[0]}); input is ${formatShape(x.shape)}, weight ${formatShape(weight.shape)}`,
    );
  }
  for (const y of operands) checkDTypes(x, y, 'linear');
  if (bias !== null && bias.ndim === 1 && weight.ndim === 2) {
    if (bias.shape[0] !== weight.shape[0]) {
      throw new ShapeError(
        `linear: The expanded size of the tensor (${weight.shape[0]}) must match the existing size (${bias.shape[0]}) of argument ` +
          `'bias' at non-singleton dimension ${x.ndim - 1}`,
      );
    }
    return affine(x, weight, bias, rectified);
  }
  const out = matmul(x, transpose(flatWeight, 0, 1));
  const result = weight.ndim === 1 ? squeeze(out, -1) : out;
  if (bias !== null) expand(bias, result.shape); // throws where it would make the result larger
  const sum = bias === null ? result : add<T>(result, bias);
  return rectified ? relu(sum) : sum;
}

function affine<T extends Variable>(x: T, weight: T, bias: T, rectified: boolean): T {
  const { strides } = weight.array;
  const transposed = weight.array.view([weight.shape[1], weight.shape[0]], [strides[1], strides[0]]);
  const rows = x.ndim === 1 ? x.array.view([1, x.shape[0]], [0, x.array.strides[0]]) : x.array;
  // The kernel reads the bias as one run of memory.
  const { array: flatBias } = contiguous(bias.derive(bias.array));
  const out = x.array.backend.matmul(rows, transposed, { bias: flatBias, relu: rectified });
  const array = x.ndim === 1 ? out.view([weight.shape[0]], [1]) : out;
  const name = x.ndim <= 2 ? 'AddmmBackward0' : 'ViewBackward0';
  const sum = record(name, array, [x, weight, bias], (node) => {
    const savedX = node.needs[1] ? node.save(x) : null;
    const savedW = node.needs[0] ? node.save(weight) : null;
    return (grad) => {
      const grad2d = rowsOf(grad);
      const gradX = savedW && matmul(grad, savedW.get(grad));
      const { backend } = grad.array;
      if (savedX && node.needs[2] && backend.matmulAndSums && !isGradEnabled()) {
        const columns = transpose(rowsOf(savedX.get(grad)), 0, 1);
        const { product, sums } = backend.matmulAndSums(columns.array, grad2d.array);
        return [gradX, transposedGradient(grad.derive(product), 0, 1), grad.derive(sums)];
      }
      // (xᵀ·grad)ᵀ: the layout in which Linear stores its weight, so that nothing is transposed.
      const gradW = savedX && transposedGradient(mm(transpose(rowsOf(savedX.get(grad)), 0, 1), grad2d), 0, 1);
      return [gradX, gradW, node.needs[2] ? sumRows(grad2d) : null];
    };
  });
  if (!rectified) return sum;
  return record('ReluBackward0', array, [sum], (node, output) => {
    const saved = node.saveOutput(output);
    return (grad) => [reluGrad(grad, saved.get(grad))];
  });
}

function sumRows<T extends Variable>(grad: T): T {
  const from = grad.shape;
  const out = grad.array.backend.reduce(sumSpec, grad.array, [0], false);
  return record('SumBackward1', out, [grad], () => (g) => [expand(unsqueeze(g, 0), from)]);
}
