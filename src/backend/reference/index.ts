/**
 * Every kernel in plain TypeScript over ordinary array buffers: the oracle that fast backends are tested against,
 * what they run where they have no kernel of their own, and the documentation of what each kernel computes.
 */

import { type DType, dtypeInfo, type TypedArray } from '../../core/dtype.ts';
import { DeviceError } from '../../core/errors.ts';
import { contiguousStrides, numElements, type Shape, type Strides } from '../../core/shape.ts';
import { NDArray, Storage } from '../array.ts';
import type {
  Backend,
  BackendMemory,
  BinarySpec,
  CrossEntropyOptions,
  CrossEntropyResult,
  GemmOptions,
  Operand,
  PixelScaling,
  Placement,
  ReduceSpec,
  SgdOptions,
  SoftmaxKind,
  StepSpec,
  UnarySpec,
} from '../backend.ts';
import type { Sliding, Standardized, Windows } from '../windows.ts';
import * as convolution from './convolution.ts';
import { crossEntropy, crossEntropyGrad } from './crossEntropy.ts';
import { type ArrayHost, bigints, broadcastTo, elements, numbers, store } from './elements.ts';
import * as elementwise from './elementwise.ts';
import * as indexing from './indexing.ts';
import { matmul } from './matmul.ts';
import * as normalization from './normalization.ts';
import * as pooling from './pooling.ts';
import { extreme, reduce, softmax, softmaxGrad } from './reduce.ts';
import * as scans from './scan.ts';
import { optimizerStep, sgdStep } from './training.ts';

class HostStorage extends Storage {
  readonly buffer: ArrayBuffer;
  freed = false;

  constructor(backend: Backend, byteLength: number) {
    super(backend, byteLength);
    this.buffer = new ArrayBuffer(byteLength);
  }

  /** Nothing to do but note it: the garbage collector has the buffer. */
  free(): void {
    this.freed = true;
  }
}

export class ReferenceBackend implements Backend, ArrayHost {
  readonly device: string = 'reference';
  readonly synchronous: boolean = true;

  holds(_dtype: DType): boolean {
    return true;
  }

  empty(shape: Shape, dtype: DType, strides: Strides = contiguousStrides(shape)): NDArray {
    const storage = new HostStorage(this, numElements(shape) * dtypeInfo[dtype].bytes);
    return new NDArray(storage, dtype, shape, strides);
  }

  data(x: NDArray): TypedArray {
    if (!(x.storage instanceof HostStorage))
      throw new DeviceError(`expected all tensors on ${this.device}, but got one on ${x.backend.device}`);
    const { bytes, array } = dtypeInfo[x.dtype];
    return array(x.storage.buffer, 0, x.storage.byteLength / bytes);
  }

  upload(data: TypedArray, shape: Shape, dtype: DType): NDArray {
    const out = this.empty(shape, dtype);
    copyElements(data, this.data(out));
    return out;
  }

  fromHost(shape: Shape, dtype: DType, write: (values: TypedArray) => void, out?: NDArray): NDArray {
    const target = out ?? this.empty(shape, dtype);
    try {
      write(this.data(target).subarray(target.offset, target.offset + target.size));
    } catch (error) {
      if (target !== out) target.release();
      throw error;
    }
    return target;
  }

  read(x: NDArray): TypedArray {
    const list = elements(this, x);
    return x.contiguous ? list.slice() : list;
  }

  async readAsync(x: NDArray): Promise<TypedArray> {
    return this.read(x);
  }

  require(condition: NDArray, error: () => Error): void {
    if ((this.read(condition) as Uint8Array).includes(0)) throw error();
  }

  hostValues(x: NDArray, _op: string): TypedArray {
    return this.read(x);
  }

  fill(out: NDArray, value: number | bigint): void {
    if (out.dtype === 'int64') store(this, out, new BigInt64Array(out.size).fill(BigInt(value)));
    else store(this, out, new Float64Array(out.size).fill(Number(value)));
  }

  assign(out: NDArray, x: NDArray): void {
    const source = broadcastTo(x, out.shape);
    // A slice, because out may share the memory that is being read.
    store(this, out, x.dtype === 'int64' ? bigints(this, source).slice() : numbers(this, source).slice());
  }

  unary(spec: UnarySpec, x: NDArray, p = 0, q = 0, out?: NDArray): NDArray {
    return elementwise.unary(this, spec, x, p, q, out);
  }
  binary(spec: BinarySpec, a: Operand, b: Operand, out?: NDArray): NDArray {
    return elementwise.binary(this, spec, a, b, out);
  }
  where(condition: NDArray, a: Operand, b: Operand, dtype: DType): NDArray {
    return elementwise.where(this, condition, a, b, dtype);
  }

  reduce(spec: ReduceSpec, x: NDArray, dims: readonly number[], keepdim: boolean): NDArray {
    return reduce(this, spec, x, dims, keepdim);
  }
  argReduce(kind: 'max' | 'min', x: NDArray, dim: number, keepdim: boolean): NDArray {
    const { values, indices } = this.extreme(kind, x, dim, keepdim);
    values.release();
    return indices;
  }
  extreme(
    kind: 'max' | 'min',
    x: NDArray,
    dim: number,
    keepdim: boolean,
  ): { values: NDArray; indices: NDArray } {
    return extreme(this, kind, x, dim, keepdim);
  }

  scan(kind: 'sum' | 'prod', x: NDArray, dim: number): NDArray {
    return scans.scan(this, kind, x, dim);
  }
  scanExtreme(kind: 'max' | 'min', x: NDArray, dim: number): { values: NDArray; indices: NDArray } {
    return scans.scanExtreme(this, kind, x, dim);
  }
  sort(
    x: NDArray,
    dim: number,
    descending: boolean,
    from?: number,
    to?: number,
  ): { values: NDArray; indices: NDArray } {
    return scans.places(this, scans.sort(this, x, dim, descending), dim, from, to);
  }

  matmul(a: NDArray, b: NDArray, options?: GemmOptions): NDArray {
    return matmul(this, a, b, options);
  }

  softmax(x: NDArray, kind: SoftmaxKind): NDArray {
    return softmax(this, x, kind);
  }
  softmaxGrad(grad: NDArray, output: NDArray, log: boolean): NDArray {
    return softmaxGrad(this, grad, output, log);
  }

  crossEntropy(
    logits: NDArray,
    target: NDArray,
    weight: NDArray | null,
    options: CrossEntropyOptions,
  ): CrossEntropyResult {
    return crossEntropy(this, logits, target, weight, options);
  }
  crossEntropyGrad(
    grad: NDArray,
    logits: NDArray,
    target: NDArray,
    weight: NDArray | null,
    saved: Pick<CrossEntropyResult, 'rowStats' | 'divisor'>,
    options: CrossEntropyOptions,
  ): NDArray {
    return crossEntropyGrad(this, grad, logits, target, weight, saved, options);
  }

  findBadIndex(index: NDArray, size: number, least = -size): number {
    return indexing.findBadIndex(this, index, size, least);
  }
  findBadTarget(target: NDArray, classes: number, ignore: number | null): number {
    return indexing.findBadTarget(this, target, classes, ignore);
  }
  indexSelect(x: NDArray, dim: number, index: NDArray): NDArray {
    return indexing.indexSelect(this, x, dim, index);
  }
  gatherScaled(x: NDArray, index: NDArray, scaling: PixelScaling): NDArray {
    return indexing.gatherScaled(this, x, index, scaling);
  }
  indexAdd(out: NDArray, dim: number, index: NDArray, source: NDArray): void {
    indexing.indexAdd(this, out, dim, index, source);
  }
  take(x: NDArray, positions: NDArray): NDArray {
    return indexing.take(this, x, positions);
  }
  put(out: NDArray, positions: NDArray, source: NDArray, accumulate: boolean): void {
    indexing.put(this, out, positions, source, accumulate);
  }
  nonzero(x: NDArray): NDArray {
    return indexing.nonzero(this, x);
  }
  gather(x: NDArray, dim: number, index: NDArray): NDArray {
    return indexing.gather(this, x, dim, index);
  }
  scatter(out: NDArray, dim: number, index: NDArray, source: NDArray, how: Placement): void {
    indexing.scatter(this, out, dim, index, source, how);
  }

  convolve(x: NDArray, weight: NDArray, bias: NDArray | null, geometry: Sliding, groups: number): NDArray {
    return convolution.convolve(this, x, weight, bias, geometry, groups);
  }
  convolveInput(grad: NDArray, weight: NDArray, geometry: Sliding, groups: number): NDArray {
    return convolution.convolveInput(this, grad, weight, geometry, groups);
  }
  convolveWeight(grad: NDArray, x: NDArray, geometry: Sliding, groups: number): NDArray {
    return convolution.convolveWeight(this, grad, x, geometry, groups);
  }
  im2col(x: NDArray, geometry: Sliding): NDArray {
    return convolution.im2col(this, x, geometry);
  }
  col2im(columns: NDArray, geometry: Sliding, ndim: number): NDArray {
    return convolution.col2im(this, columns, geometry, ndim);
  }

  maxPool(x: NDArray, windows: Windows): { values: NDArray; indices: NDArray } {
    return pooling.maxPool(this, x, windows);
  }
  maxPoolGrad(grad: NDArray, indices: NDArray, windows: Windows): NDArray {
    return pooling.maxPoolGrad(this, grad, indices, windows);
  }
  avgPool(x: NDArray, windows: Windows): NDArray {
    return pooling.avgPool(this, x, windows);
  }
  avgPoolGrad(grad: NDArray, windows: Windows): NDArray {
    return pooling.avgPoolGrad(this, grad, windows);
  }

  standardize(x: NDArray, eps: number): Standardized {
    return normalization.standardize(this, x, eps);
  }
  standardizeGrad(grad: NDArray, output: NDArray, rstd: NDArray): NDArray {
    return normalization.standardizeGrad(this, grad, output, rstd);
  }

  sgdStep(
    param: NDArray,
    grad: NDArray,
    momentum: NDArray | null,
    firstStep: boolean,
    options: SgdOptions,
  ): void {
    sgdStep(this, param, grad, momentum, firstStep, options);
  }

  optimizerStep(
    spec: StepSpec,
    param: NDArray,
    grad: NDArray,
    buffers: readonly (NDArray | null)[],
    scalars: readonly number[],
  ): void {
    optimizerStep(this, spec, param, grad, buffers, scalars);
  }

  memory(): BackendMemory {
    return { bytesInUse: 0, peakBytes: 0, heapBytes: 0, storages: 0, evictions: 0, evictedBytes: 0 };
  }
}

/** Copies between typed arrays of one kind of element. */
export function copyElements(from: TypedArray, to: TypedArray): void {
  if (from instanceof BigInt64Array && to instanceof BigInt64Array) to.set(from);
  else if (!(from instanceof BigInt64Array) && !(to instanceof BigInt64Array)) to.set(from);
  else throw new TypeError(`cannot copy ${from.constructor.name} into ${to.constructor.name}`);
}
