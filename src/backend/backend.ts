/**
 * What an executor of kernels must do: one method per kernel family, arrays in, arrays out. Ops have checked shapes,
 * dtypes and devices before they call; a backend only computes. Unless `out` is given the result is a new array;
 * inputs may have any strides, an `out` too.
 *
 * A spec says everything about a simple kernel: its name (the Wasm export is `${name}_${dtype suffix}`), its formula
 * in plain TypeScript (what the reference backend runs, and the documentation), its WGSL expression.
 */
import type { DType, TypedArray } from '../core/dtype.ts';
import type { Shape, Strides } from '../core/shape.ts';
import type { NDArray } from './array.ts';
import type { WindowKernels } from './windows.ts';

export interface UnarySpec {
  readonly name: string;
  /** One element; `p` and `q` are the call's scalars (a slope, a bound). */
  readonly js: (x: number, p: number, q: number) => number;
  /** The same over 64-bit integers, where a double is not enough. */
  readonly big?: (x: bigint) => bigint;
  /** WGSL expression over `x`, `p`, `q`. */
  readonly wgsl: string;
  /** The result is bool whatever the input. */
  readonly predicate?: boolean;
}

export interface BinarySpec {
  readonly name: string;
  readonly js: (a: number, b: number) => number;
  readonly big?: (a: bigint, b: bigint) => bigint;
  /** WGSL expression over `a`, `b`, and the scalars by their names. */
  readonly wgsl: string;
  readonly predicate?: boolean;
  /** What else the formula knows, in the order of the Wasm kernel's arguments; the operands then have one shape. */
  readonly scalars?: Readonly<Record<string, number>>;
}

/** A fold over one or more dimensions. */
export interface ReduceSpec {
  readonly name: string;
  readonly initial: number;
  readonly js: (accumulator: number, x: number) => number;
  readonly big?: (accumulator: bigint, x: bigint) => bigint;
  readonly bigInitial?: bigint;
  readonly wgsl: string;
}

/** A number stands for a 0-d array of the other operand's dtype. */
export type Operand = NDArray | number;

export interface GemmOptions {
  /** [n], added once after the sum over k. */
  readonly bias?: NDArray;
  readonly relu?: boolean;
}

export interface SgdOptions {
  readonly lr: number;
  readonly momentum: number;
  readonly dampening: number;
  readonly weightDecay: number;
  readonly nesterov: boolean;
  readonly maximize: boolean;
}

/** A step of an optimiser: what happens to one element of the parameter and of the buffers kept for it. */
export interface StepSpec {
  readonly name: string;
  /**
   * `v` holds the parameter's element and then those of the buffers (0 for absent ones), and takes the new ones; `g` is
   * the gradient's, `c` the call's scalars in the order that the spec's owner documents. `r` rounds to the dtype.
   */
  readonly js: (v: Float64Array, g: number, c: readonly number[], r: (x: number) => number) => void;
  /** The same as WGSL statements over `v0` …, `gradient`, `c0` … and `m0` …, which are 1 − c0 …. */
  readonly wgsl: string;
}

/** From bytes to numbers: (x / divisor − mean) / std. */
export interface PixelScaling {
  readonly divisor: number;
  readonly mean: number;
  readonly std: number;
}

/** A step of an LSTM: its state, and its gates i, f, g, o [n, 4·size] after their functions. */
export interface LstmCell {
  readonly hidden: NDArray;
  readonly next: NDArray;
  readonly gates: NDArray;
}
/** The gradients by what is added up to the gates, and by the cell state before. */
export interface LstmGrads {
  readonly gates: NDArray;
  readonly cell: NDArray;
}
/** A step of a GRU: its state, and its gates r, z, n [n, 3·size] after their functions. */
export interface GruCell {
  readonly next: NDArray;
  readonly gates: NDArray;
}
export interface GruGrads {
  readonly x: NDArray;
  readonly recurrent: NDArray;
  readonly state: NDArray;
}

export type LossReduction = 'none' | 'mean' | 'sum';

export interface CrossEntropyOptions {
  /** Rows with this target count for nothing. */
  readonly ignoreIndex: number;
  /** The part of the target's weight that is shared among all classes, in [0, 1]. */
  readonly labelSmoothing: number;
  readonly reduction: LossReduction;
}

export interface CrossEntropyResult {
  /** [rows] for 'none', else 0-d. */
  readonly loss: NDArray;
  /** [rows, 2]: the largest logit m and log Σ exp(x − m), from which the gradient has softmax exactly. */
  readonly rowStats: NDArray;
  /** 0-d: the sum of the targets' weights, which a mean divides by. */
  readonly divisor: NDArray;
}

/** `safeSoftmax`: rows that are −∞ throughout give zeros instead of NaN, as attention wants them. */
/** What is done with an element that is written to: a new value, a sum, or the larger or smaller one, NaN before all. */
export type Placement = 'replace' | 'add' | 'max' | 'min';

export type SoftmaxKind = 'softmax' | 'logSoftmax' | 'safeSoftmax';

export interface Backend extends WindowKernels {
  /** What `x.device` says. */
  readonly device: string;

  /** Whether values can be read within an op. */
  readonly synchronous: boolean;
  /** Whether arrays of this dtype can be on the device: GPUs have no float64. */
  holds(dtype: DType): boolean;

  // Storage
  empty(shape: Shape, dtype: DType, strides?: Strides): NDArray;
  /** Comes before an `empty` that no op asks for: what the op before used may be given back from here on. */
  endOp?(): void;
  /** A copy of `data`, whose elements are of the typed array of `dtype`. */
  upload(data: TypedArray, shape: Shape, dtype: DType): NDArray;
  /**
   * An array that the host computes, or `out`, which is row-major: `write` gets the elements in order, with any content,
   * and sets them all. It may throw before it has set one.
   */
  fromHost(shape: Shape, dtype: DType, write: (values: TypedArray) => void, out?: NDArray): NDArray;
  /** The elements in row-major order, as a copy of their own. @throws DeviceError where reading is asynchronous */
  read(x: NDArray): TypedArray;
  readAsync(x: NDArray): Promise<TypedArray>;
  /** Throws the error if an element of a bool array is false: at once, or where reading is asynchronous, with a later read. */
  require(condition: NDArray, error: () => Error): void;
  /**
   * The elements as `read` gives them, for an op that computes on the host or whose result's shape depends on them.
   * @throws DeviceError, naming the op, where they can only be awaited
   */
  hostValues(x: NDArray, op: string): TypedArray;

  // Movement
  fill(out: NDArray, value: number | bigint): void;
  /** out ← x, converted to out's dtype; x is broadcast to out's shape. */
  assign(out: NDArray, x: NDArray): void;

  // Elementwise. All operands have one dtype, save `where`'s condition (bool); they broadcast.
  unary(spec: UnarySpec, x: NDArray, p?: number, q?: number, out?: NDArray): NDArray;
  binary(spec: BinarySpec, a: Operand, b: Operand, out?: NDArray): NDArray;
  where(condition: NDArray, a: Operand, b: Operand, dtype: DType): NDArray;

  // Reductions. `dims` are sorted, distinct and in range; the result keeps them as size 1 if keepdim.
  reduce(spec: ReduceSpec, x: NDArray, dims: readonly number[], keepdim: boolean): NDArray;
  /** int64 positions of the first largest or smallest along dim (NaN counts as the extreme). */
  argReduce(kind: 'max' | 'min', x: NDArray, dim: number, keepdim: boolean): NDArray;
  /** Values and int64 positions in one pass. */
  extreme(
    kind: 'max' | 'min',
    x: NDArray,
    dim: number,
    keepdim: boolean,
  ): { values: NDArray; indices: NDArray };

  // Along one dimension
  /** Running sums or products. */
  scan(kind: 'sum' | 'prod', x: NDArray, dim: number): NDArray;
  /** Running extremes with their int64 positions, the last of equal ones; after a NaN all is NaN, at the last one's. */
  scanExtreme(kind: 'max' | 'min', x: NDArray, dim: number): { values: NDArray; indices: NDArray };
  /**
   * In order, stably, with int64 positions; NaN counts as the largest. Given `from` and `to`, only what is in those places of
   * the order.
   */
  sort(
    x: NDArray,
    dim: number,
    descending: boolean,
    from?: number,
    to?: number,
  ): { values: NDArray; indices: NDArray };
  /**
   * How many elements of a sorted line, one for all values or one for each of their rows, come before each value, those equal to it
   * too if `behind`: int64, for devices whose values the host cannot look at. NaN lies behind everything.
   */
  search?(sorted: NDArray, values: NDArray, behind: boolean): NDArray;

  // Products
  /** [..., m, k] · [..., k, n]: leading dimensions are equal already, or absent on the right. */
  matmul(a: NDArray, b: NDArray, options?: GemmOptions): NDArray;
  /** Of two matrices, with the sums of b's columns, [n]: where that is one pass, as gradients of linear layers want it. */
  matmulAndSums?(a: NDArray, b: NDArray): { product: NDArray; sums: NDArray };

  // Rows along the last dimension, x contiguous or not
  softmax(x: NDArray, kind: SoftmaxKind): NDArray;
  /** The gradient of softmax or logSoftmax from its output. */
  softmaxGrad(grad: NDArray, output: NDArray, log: boolean): NDArray;

  // Recurrent cells of float32 matrices, where one kernel is faster than ops; what the gates are made of is told in ops/recurrent.ts
  lstmCell?(x: NDArray, recurrent: NDArray, cell: NDArray): LstmCell;
  /** From the gradients by the hidden and the cell state, of which one may be missing. */
  lstmCellGrad?(
    byHidden: NDArray | null,
    byNext: NDArray | null,
    gates: NDArray,
    cell: NDArray,
    next: NDArray,
  ): LstmGrads;
  gruCell?(x: NDArray, recurrent: NDArray, state: NDArray): GruCell;
  gruCellGrad?(grad: NDArray, recurrent: NDArray, state: NDArray, gates: NDArray): GruGrads;

  // Losses
  /** Logits [rows, classes] against int64 class numbers [rows], each in range or ignored; weight is [classes]. */
  crossEntropy(
    logits: NDArray,
    target: NDArray,
    weight: NDArray | null,
    options: CrossEntropyOptions,
  ): CrossEntropyResult;
  /** The gradient of the logits; `grad` has the shape of the loss, `saved` is what the forward call gave. */
  crossEntropyGrad(
    grad: NDArray,
    logits: NDArray,
    target: NDArray,
    weight: NDArray | null,
    saved: Pick<CrossEntropyResult, 'rowStats' | 'divisor'>,
    options: CrossEntropyOptions,
  ): NDArray;

  // Indexing. Index arrays are int64 and in range: `checkIndices` says so first.
  /**
   * -1, or the flat position of the first index outside [least, size). A device that cannot
   * say at once says -1, and throws what `late` says of such an index from a later op or read.
   */
  findBadIndex(index: NDArray, size: number, least: number, late: (value: bigint) => Error): number;
  /** The same for class numbers, in [0, classes) or equal to `ignore`. */
  findBadTarget(
    target: NDArray,
    classes: number,
    ignore: number | null,
    late: (value: bigint) => Error,
  ): number;
  /** out[..., j, ...] = x[..., index[j], ...] along dim; index is 1-d. */
  indexSelect(x: NDArray, dim: number, index: NDArray): NDArray;
  /**
   * out[i, …] = (x[index[i], …] / divisor − mean) / std in float32, each step rounded: x is uint8 and contiguous, index
   * 1-d. What batches of images are made by.
   */
  gatherScaled(x: NDArray, index: NDArray, scaling: PixelScaling): NDArray;
  /** out[..., index[j], ...] += source[..., j, ...], in order of j (deterministic). */
  indexAdd(out: NDArray, dim: number, index: NDArray, source: NDArray): void;
  /** out[i] = x.flat[positions[i]]: x is read in row-major order; positions are non-negative. */
  take(x: NDArray, positions: NDArray): NDArray;
  /** out.flat[positions[i]] (+)= source[i] in order of i; out is contiguous. */
  put(out: NDArray, positions: NDArray, source: NDArray, accumulate: boolean): void;
  /** Row-major flat positions (int64, 1-d) of the elements that are not zero. */
  nonzero(x: NDArray): NDArray;
  gather(x: NDArray, dim: number, index: NDArray): NDArray;
  /** Elements of source written or folded into out[…index…], in row-major order of index. */
  scatter(out: NDArray, dim: number, index: NDArray, source: NDArray, how: Placement): void;

  // Training
  /** One pass over parameter, gradient and momentum buffer; all have the same shape. */
  sgdStep(
    param: NDArray,
    grad: NDArray,
    momentum: NDArray | null,
    firstStep: boolean,
    options: SgdOptions,
  ): void;

  /** One pass over parameter, gradient and buffers of equal shape; all have the parameter's dtype. */
  optimizerStep(
    spec: StepSpec,
    param: NDArray,
    grad: NDArray,
    buffers: readonly (NDArray | null)[],
    scalars: readonly number[],
  ): void;

  memory(): BackendMemory;
}

export interface BackendMemory {
  /** Bytes of storages in linear memory (or on the device). */
  bytesInUse: number;
  peakBytes: number;
  /** Bytes that the heap holds, in use or free. */
  heapBytes: number;
  storages: number;
  evictions: number;
  evictedBytes: number;
}
