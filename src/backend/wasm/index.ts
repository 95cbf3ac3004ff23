/**
 * The device `cpu`: arrays in linear memory, kernels in WebAssembly SIMD on all threads. What has no kernel of its own
 * is computed by the reference loops over the same memory.
 *
 * Every method begins with `begin(inputs…)`: it starts a new op for the heap and brings its inputs into linear memory,
 * where they stay until the next op.
 */

import { type DType, dtypeInfo, type TypedArray } from '../../core/dtype.ts';
import { DeviceError } from '../../core/errors.ts';
import type { RowMath } from '../../core/rowMath.ts';
import { contiguousStrides, numElements, type Shape, type Strides } from '../../core/shape.ts';
import { NDArray } from '../array.ts';
import type {
  BackendMemory,
  BinarySpec,
  CrossEntropyOptions,
  CrossEntropyResult,
  GemmOptions,
  GruCell,
  GruGrads,
  LstmCell,
  LstmGrads,
  Operand,
  PixelScaling,
  Placement,
  ReduceSpec,
  SgdOptions,
  SoftmaxKind,
  StepSpec,
  UnarySpec,
} from '../backend.ts';
import { copyElements, ReferenceBackend } from '../reference/index.ts';
import type { Sliding, Windows } from '../windows.ts';
import { type Collector, createCollector } from './collector.ts';
import type { ScratchArea, WasmContext } from './context.ts';
import * as convolution from './convolution.ts';
import * as elementwise from './elementwise.ts';
import { type Block, Heap } from './heap.ts';
import * as indexing from './indexing.ts';
import { matmul } from './matmul.ts';
import * as movement from './movement.ts';
import * as normalization from './normalization.ts';
import { MAX_TOTAL } from './pool.ts';
import * as pooling from './pooling.ts';
import { drawByKernels, RANDOM_BYTES } from './random.ts';
import * as recurrent from './recurrent.ts';
import * as folds from './reduce.ts';
import { createRowMath, ROW_MATH_BYTES } from './rowMath.ts';
import * as rows from './rows.ts';
import { type Runtime, type RuntimeOptions, startRuntime } from './runtime.ts';
import * as scans from './scan.ts';
import { WasmStorage } from './storage.ts';
import * as training from './training.ts';

const CONSTANT_SLOTS = 8;
/** Scratch areas of two threads share no cache line. */
const SCRATCH_ALIGNMENT = 64;
/** Scratch memory up to this size is kept for the next op. */
const KEPT_SCRATCH = 4 * 2 ** 20;

export class WasmBackend extends ReferenceBackend implements WasmContext {
  override readonly device: string = 'cpu';
  readonly runtime: Runtime;
  readonly heap: Heap;
  readonly #collector: Collector;
  /** Room for the plain numbers among an op's operands. */
  readonly #constants: number;
  #scratch: Block | null = null;
  readonly kernelNames: WasmContext['kernelNames'] = new Map();
  readonly rowMath: RowMath;

  constructor(options: RuntimeOptions = {}, collector: Collector = createCollector()) {
    super();
    this.#collector = collector;
    this.runtime = startRuntime(options);
    const { module } = this.runtime;
    this.#constants = module.heapBase;
    const random = module.heapBase + CONSTANT_SLOTS * 8;
    const rows = random + RANDOM_BYTES;
    const base = rows + ROW_MATH_BYTES;
    if (module.memory.buffer.byteLength < base) module.memory.grow(1);
    this.heap = new Heap(
      { memory: module.memory, bytes: () => module.views().u8 },
      base,
      module.maximumBytes,
      collector,
      collector.softLimit,
    );
    collector.heap = this.heap;
    drawByKernels(module, random);
    this.rowMath = createRowMath(module, this.heap, rows);
  }

  endOp(): void {
    this.heap.tick();
  }

  /** Starts an op on these inputs: see the head of the file. */
  protected begin(
    a?: Operand | null,
    b?: Operand | null,
    c?: Operand | null,
    ...more: readonly (Operand | null | undefined)[]
  ): void {
    this.heap.tick();
    this.#bring(a);
    this.#bring(b);
    this.#bring(c);
    for (const x of more) this.#bring(x);
  }

  #bring(x: Operand | null | undefined): void {
    if (typeof x === 'object' && x !== null) this.storage(x).pointer();
  }

  protected storage(x: NDArray): WasmStorage {
    if (x.storage instanceof WasmStorage && x.backend === this) return x.storage;
    throw new DeviceError(`expected all tensors on ${this.device}, but got one on ${x.backend.device}`);
  }

  /** Address of an array's first element. */
  pointer(x: NDArray): number {
    return this.storage(x).pointer() + x.offset * dtypeInfo[x.dtype].bytes;
  }

  constant(value: number | bigint, dtype: DType, slot: number): number {
    const pointer = this.#constants + slot * 8;
    if (dtype === 'float32' && typeof value === 'number') {
      this.runtime.module.views().f32[pointer >> 2] = value;
      return pointer;
    }
    const list = dtypeInfo[dtype].array(this.runtime.module.memory.buffer, pointer, 1);
    if (list instanceof BigInt64Array) list[0] = BigInt(value);
    else list[0] = Number(value);
    return pointer;
  }

  copyInto(out: NDArray, x: NDArray): void {
    if (!movement.copy(this, out, x)) super.assign(out, x);
  }

  takeScratch(bytes: number): ScratchArea {
    const stride = Math.ceil(bytes / SCRATCH_ALIGNMENT) * SCRATCH_ALIGNMENT;
    return { block: this.#scratchBlock(stride * this.runtime.pool.plannedThreads), stride };
  }

  returnScratch({ block }: ScratchArea): void {
    if (this.#scratch === null && block.size <= KEPT_SCRATCH) this.#scratch = block;
    else this.heap.free(block);
  }

  /** The block of the last call if it is large enough: it is still in the caches. */
  #scratchBlock(bytes: number): Block {
    const kept = this.#scratch;
    this.#scratch = null;
    if (kept !== null && kept.copy === null && kept.size >= bytes) {
      this.heap.touch(kept);
      return kept;
    }
    if (kept !== null) this.heap.free(kept);
    return this.heap.allocate(bytes);
  }

  override empty(shape: Shape, dtype: DType, strides: Strides = contiguousStrides(shape)): NDArray {
    const count = numElements(shape);
    const byteLength = count * dtypeInfo[dtype].bytes;
    if (count > MAX_TOTAL && byteLength < this.runtime.module.maximumBytes) {
      throw new DeviceError(
        `out of memory: a tensor on ${this.device} has at most ${MAX_TOTAL} elements, but ${count} were asked for`,
      );
    }
    const block = this.heap.allocateForStorage(byteLength);
    const storage = new WasmStorage(this, this.heap, this.#collector, byteLength, block);
    return new NDArray(storage, dtype, shape, strides);
  }

  override data(x: NDArray): TypedArray {
    const { bytes, array } = dtypeInfo[x.dtype];
    const pointer = this.storage(x).pointer();
    return array(this.runtime.module.memory.buffer, pointer, x.storage.byteLength / bytes);
  }

  override upload(data: TypedArray, shape: Shape, dtype: DType): NDArray {
    this.begin();
    const out = this.empty(shape, dtype);
    copyElements(data, this.data(out));
    return out;
  }
  override fromHost(shape: Shape, dtype: DType, write: (values: TypedArray) => void, out?: NDArray): NDArray {
    this.begin(out);
    return super.fromHost(shape, dtype, write, out);
  }
  override read(x: NDArray): TypedArray {
    this.begin(x);
    return super.read(x);
  }
  override fill(out: NDArray, value: number | bigint): void {
    this.begin(out);
    movement.fill(this, out, value);
  }
  override assign(out: NDArray, x: NDArray): void {
    this.begin(out, x);
    this.copyInto(out, x);
  }

  override unary(spec: UnarySpec, x: NDArray, p = 0, q = 0, out?: NDArray): NDArray {
    this.begin(x, out);
    return elementwise.unary(this, spec, x, p, q, out) ?? super.unary(spec, x, p, q, out);
  }
  override binary(spec: BinarySpec, a: Operand, b: Operand, out?: NDArray): NDArray {
    this.begin(a, b, out);
    return elementwise.binary(this, spec, a, b, out) ?? super.binary(spec, a, b, out);
  }
  override where(condition: NDArray, a: Operand, b: Operand, dtype: DType): NDArray {
    this.begin(condition, a, b);
    return elementwise.where(this, condition, a, b, dtype) ?? super.where(condition, a, b, dtype);
  }

  override reduce(spec: ReduceSpec, x: NDArray, dims: readonly number[], keepdim: boolean): NDArray {
    this.begin(x);
    return folds.reduce(this, spec, x, dims, keepdim) ?? super.reduce(spec, x, dims, keepdim);
  }
  override extreme(kind: 'max' | 'min', x: NDArray, dim: number, keepdim: boolean) {
    this.begin(x);
    const found = folds.extreme(this, kind, x, dim, keepdim, true);
    if (found?.values) return { values: found.values, indices: found.indices };
    return super.extreme(kind, x, dim, keepdim);
  }
  override argReduce(kind: 'max' | 'min', x: NDArray, dim: number, keepdim: boolean): NDArray {
    this.begin(x);
    return (
      folds.extreme(this, kind, x, dim, keepdim, false)?.indices ?? super.argReduce(kind, x, dim, keepdim)
    );
  }

  override scan(kind: 'sum' | 'prod', x: NDArray, dim: number): NDArray {
    this.begin(x);
    return scans.scan(this, kind, x, dim) ?? super.scan(kind, x, dim);
  }
  override scanExtreme(kind: 'max' | 'min', x: NDArray, dim: number) {
    this.begin(x);
    return scans.scanExtreme(this, kind, x, dim) ?? super.scanExtreme(kind, x, dim);
  }
  override sort(x: NDArray, dim: number, descending: boolean, from = 0, to = x.shape[dim] ?? 1) {
    this.begin(x);
    return scans.sort(this, x, dim, descending, from, to) ?? super.sort(x, dim, descending, from, to);
  }

  override matmul(a: NDArray, b: NDArray, options?: GemmOptions): NDArray {
    this.begin(a, b, options?.bias);
    if (a.dtype === 'float32' || a.dtype === 'float64') return matmul(this, a, b, options ?? {});
    return super.matmul(a, b, options);
  }

  override softmax(x: NDArray, kind: SoftmaxKind): NDArray {
    this.begin(x);
    return rows.softmax(this, x, kind) ?? super.softmax(x, kind);
  }
  override softmaxGrad(grad: NDArray, output: NDArray, log: boolean): NDArray {
    this.begin(grad, output);
    return rows.softmaxGrad(this, grad, output, log) ?? super.softmaxGrad(grad, output, log);
  }

  override crossEntropy(
    logits: NDArray,
    target: NDArray,
    weight: NDArray | null,
    options: CrossEntropyOptions,
  ) {
    this.begin(logits, target, weight);
    return (
      rows.crossEntropy(this, logits, target, weight, options) ??
      super.crossEntropy(logits, target, weight, options)
    );
  }
  override crossEntropyGrad(
    grad: NDArray,
    logits: NDArray,
    target: NDArray,
    weight: NDArray | null,
    saved: Pick<CrossEntropyResult, 'rowStats' | 'divisor'>,
    options: CrossEntropyOptions,
  ): NDArray {
    this.begin(grad, logits, target, weight, saved.rowStats, saved.divisor);
    const found = rows.crossEntropyGrad(this, grad, logits, target, weight, saved, options);
    return found ?? super.crossEntropyGrad(grad, logits, target, weight, saved, options);
  }

  override findBadIndex(index: NDArray, size: number, least = -size): number {
    this.begin(index);
    return indexing.findOutside(this, index, least, size, Number.NaN);
  }
  override findBadTarget(target: NDArray, classes: number, ignore: number | null): number {
    this.begin(target);
    return indexing.findOutside(this, target, 0, classes, ignore ?? Number.NaN);
  }
  override indexSelect(x: NDArray, dim: number, index: NDArray): NDArray {
    this.begin(x, index);
    return indexing.indexSelect(this, x, dim, index) ?? super.indexSelect(x, dim, index);
  }
  override gatherScaled(x: NDArray, index: NDArray, scaling: PixelScaling): NDArray {
    this.begin(x, index);
    return indexing.gatherScaled(this, x, index, scaling);
  }
  override indexAdd(out: NDArray, dim: number, index: NDArray, source: NDArray): void {
    this.begin(out, index, source);
    if (!indexing.indexAdd(this, out, dim, index, source)) super.indexAdd(out, dim, index, source);
  }
  override take(x: NDArray, positions: NDArray): NDArray {
    this.begin(x, positions);
    return indexing.take(this, x, positions) ?? super.take(x, positions);
  }
  override put(out: NDArray, positions: NDArray, source: NDArray, accumulate: boolean): void {
    this.begin(out, positions, source);
    if (!indexing.put(this, out, positions, source, accumulate))
      super.put(out, positions, source, accumulate);
  }
  override nonzero(x: NDArray): NDArray {
    this.begin(x);
    return indexing.nonzero(this, x) ?? super.nonzero(x);
  }
  override gather(x: NDArray, dim: number, index: NDArray): NDArray {
    this.begin(x, index);
    return indexing.gather(this, x, dim, index) ?? super.gather(x, dim, index);
  }
  override scatter(out: NDArray, dim: number, index: NDArray, source: NDArray, how: Placement): void {
    this.begin(out, index, source);
    if (!indexing.scatter(this, out, dim, index, source, how)) super.scatter(out, dim, index, source, how);
  }

  override convolve(
    x: NDArray,
    weight: NDArray,
    bias: NDArray | null,
    geometry: Sliding,
    groups: number,
  ): NDArray {
    this.begin(x, weight, bias);
    return (
      convolution.convolve(this, x, weight, bias, geometry, groups) ??
      super.convolve(x, weight, bias, geometry, groups)
    );
  }
  override convolveInput(grad: NDArray, weight: NDArray, geometry: Sliding, groups: number): NDArray {
    this.begin(grad, weight);
    return (
      convolution.convolveInput(this, grad, weight, geometry, groups) ??
      super.convolveInput(grad, weight, geometry, groups)
    );
  }
  override convolveWeight(grad: NDArray, x: NDArray, geometry: Sliding, groups: number): NDArray {
    this.begin(grad, x);
    return (
      convolution.convolveWeight(this, grad, x, geometry, groups) ??
      super.convolveWeight(grad, x, geometry, groups)
    );
  }
  override im2col(x: NDArray, geometry: Sliding): NDArray {
    this.begin(x);
    return convolution.im2col(this, x, geometry) ?? super.im2col(x, geometry);
  }
  override col2im(columns: NDArray, geometry: Sliding, ndim: number): NDArray {
    this.begin(columns);
    return convolution.col2im(this, columns, geometry, ndim) ?? super.col2im(columns, geometry, ndim);
  }
  override maxPool(x: NDArray, windows: Windows) {
    this.begin(x);
    return pooling.maxPool(this, x, windows) ?? super.maxPool(x, windows);
  }
  override maxPoolGrad(grad: NDArray, indices: NDArray, windows: Windows): NDArray {
    this.begin(grad, indices);
    return pooling.maxPoolGrad(this, grad, indices, windows) ?? super.maxPoolGrad(grad, indices, windows);
  }
  override avgPool(x: NDArray, windows: Windows): NDArray {
    this.begin(x);
    return pooling.avgPool(this, x, windows) ?? super.avgPool(x, windows);
  }
  override avgPoolGrad(grad: NDArray, windows: Windows): NDArray {
    this.begin(grad);
    return pooling.avgPoolGrad(this, grad, windows) ?? super.avgPoolGrad(grad, windows);
  }
  override standardize(x: NDArray, eps: number) {
    this.begin(x);
    return normalization.standardize(this, x, eps) ?? super.standardize(x, eps);
  }
  override standardizeGrad(grad: NDArray, output: NDArray, rstd: NDArray): NDArray {
    this.begin(grad, output, rstd);
    return (
      normalization.standardizeGrad(this, grad, output, rstd) ?? super.standardizeGrad(grad, output, rstd)
    );
  }

  lstmCell(x: NDArray, fromState: NDArray, cell: NDArray): LstmCell {
    this.begin(x, fromState, cell);
    return recurrent.lstmCell(this, x, fromState, cell);
  }
  lstmCellGrad(
    byHidden: NDArray | null,
    byNext: NDArray | null,
    gates: NDArray,
    cell: NDArray,
    next: NDArray,
  ): LstmGrads {
    this.begin(byHidden, byNext, gates, cell, next);
    return recurrent.lstmCellGrad(this, byHidden, byNext, gates, cell, next);
  }
  gruCell(x: NDArray, fromState: NDArray, state: NDArray): GruCell {
    this.begin(x, fromState, state);
    return recurrent.gruCell(this, x, fromState, state);
  }
  gruCellGrad(grad: NDArray, fromState: NDArray, state: NDArray, gates: NDArray): GruGrads {
    this.begin(grad, fromState, state, gates);
    return recurrent.gruCellGrad(this, grad, fromState, state, gates);
  }

  override sgdStep(
    param: NDArray,
    grad: NDArray,
    momentum: NDArray | null,
    firstStep: boolean,
    options: SgdOptions,
  ) {
    this.begin(param, grad, momentum);
    if (!training.sgdStep(this, param, grad, momentum, firstStep, options))
      super.sgdStep(param, grad, momentum, firstStep, options);
  }

  override optimizerStep(
    spec: StepSpec,
    param: NDArray,
    grad: NDArray,
    buffers: readonly (NDArray | null)[],
    scalars: readonly number[],
  ): void {
    this.begin(param, grad, ...buffers);
    const done = training.optimizerStep(this, spec, param, grad, buffers, scalars);
    if (!done) super.optimizerStep(spec, param, grad, buffers, scalars);
  }

  override memory(): BackendMemory {
    const { heap } = this;
    const kept = this.#scratch !== null && this.#scratch.copy === null ? this.#scratch.size : 0;
    return {
      bytesInUse: heap.residentBytes - kept,
      peakBytes: heap.peakBytes,
      heapBytes: heap.heapBytes,
      storages: heap.residentBlocks - (kept > 0 ? 1 : 0),
      evictions: heap.evictions,
      evictedBytes: heap.evictedBytes,
    };
  }
}
