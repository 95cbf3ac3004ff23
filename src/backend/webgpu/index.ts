/**
 * The device `webgpu`: arrays in GPU buffers, kernels in WGSL. Ops are recorded and submitted many at a time; values come
 * back only through `readAsync`. There is no way to wait for the GPU inside a job, so nothing falls back to the CPU
 * behind the user's back: every kernel family has a kernel here, and what only the host can do (results whose shape
 * depends on values) works on values that the host still knows, or throws a DeviceError that says what to await.
 */
import { type DType, dtypeInfo, type TypedArray } from '../../core/dtype.ts';
import { DeviceError } from '../../core/errors.ts';
import { numElements, type Shape, type Strides } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
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
import { places } from '../reference/scan.ts';
import type { Sliding, Windows } from '../windows.ts';
import { type FoundDevice, findDevice } from './adapter.ts';
import * as convolution from './convolution.ts';
import * as losses from './crossEntropy.ts';
import { GpuDevice } from './device.ts';
import * as elementwise from './elementwise.ts';
import { firstOutside, picked } from './hostValues.ts';
import type { IndexRange } from './indexChecks.ts';
import * as indexing from './indexing.ts';
import { matmul, matmulAndSums } from './matmul.ts';
import * as normalization from './normalization.ts';
import * as pooling from './pooling.ts';
import * as cells from './recurrent.ts';
import * as folds from './reduce.ts';
import * as rows from './rows.ts';
import { scan, scanExtreme } from './scan.ts';
import * as scattering from './scattering.ts';
import { search } from './search.ts';
import { sort } from './sort.ts';
import { gpuStorage } from './storage.ts';
import * as training from './training.ts';
import type { WebGPUInfo, WebGPUOptions } from './types.ts';

export class WebGPUBackend implements Backend {
  readonly device = 'webgpu';
  readonly synchronous = false;
  readonly gpuDevice: GPUDevice;
  readonly #gpu: GpuDevice;
  /** How often an op computed on the host, by op. */
  readonly fallbacks = new Map<string, number>();

  constructor(found: FoundDevice) {
    this.gpuDevice = found.device;
    this.#gpu = new GpuDevice(found, this);
  }

  get lost(): boolean {
    return this.#gpu.failures.lost;
  }

  info(): WebGPUInfo {
    return this.#gpu.info();
  }

  /** Counts an op that computed on the host. */
  #fellBack(op: string): void {
    this.fallbacks.set(op, (this.fallbacks.get(op) ?? 0) + 1);
  }

  // Storage

  holds(dtype: DType): boolean {
    return dtype !== 'float64';
  }
  empty(shape: Shape, dtype: DType, strides?: Strides): NDArray {
    return this.#gpu.empty(shape, dtype, strides);
  }
  upload(data: TypedArray, shape: Shape, dtype: DType): NDArray {
    this.#gpu.begin();
    return this.#gpu.upload(data, shape, dtype);
  }
  fromHost(shape: Shape, dtype: DType, write: (values: TypedArray) => void, out?: NDArray): NDArray {
    const values = dtypeInfo[dtype].allocate(numElements(shape));
    write(values);
    const uploaded = this.upload(values, shape, dtype);
    if (out === undefined) return uploaded;
    this.assign(out, uploaded);
    uploaded.release();
    return out;
  }

  read(x: NDArray): TypedArray {
    this.#gpu.failures.check();
    throw new DeviceError(
      `the values of a tensor on webgpu (shape [${x.shape.join(', ')}]) cannot be read at once; use await x.read(), await ` +
        "x.itemAsync(), or move it with await x.toAsync('cpu')",
    );
  }

  async readAsync(x: NDArray): Promise<TypedArray> {
    this.#gpu.begin(x);
    return this.#gpu.read(x);
  }

  require(condition: NDArray, error: () => Error): void {
    this.#gpu.begin(condition);
    this.#gpu.checks.enqueue(condition, null, error);
  }

  hostValues(x: NDArray, op: string): TypedArray {
    this.#gpu.begin(x);
    const { host } = gpuStorage(x);
    if (host === null) {
      throw new DeviceError(
        `${op}: needs the values of a tensor that was computed on webgpu (shape [${x.shape.join(', ')}]), and they cannot be ` +
          "waited for inside an op; compute this on the cpu: (await x.toAsync('cpu'))",
      );
    }
    this.#fellBack(op);
    return picked(x, host);
  }

  // Movement

  fill(out: NDArray, value: number | bigint): void {
    this.#gpu.begin(out);
    this.#gpu.fill(out, value);
  }
  assign(out: NDArray, x: NDArray): void {
    this.#gpu.begin(out, x);
    this.#gpu.assign(out, x);
  }

  // Elementwise

  unary(spec: UnarySpec, x: NDArray, p = 0, q = 0, out?: NDArray): NDArray {
    this.#gpu.begin(x, out);
    return elementwise.unary(this.#gpu, spec, x, p, q, out);
  }
  binary(spec: BinarySpec, a: Operand, b: Operand, out?: NDArray): NDArray {
    this.#gpu.begin(a, b, out);
    return elementwise.binary(this.#gpu, spec, a, b, out);
  }
  where(condition: NDArray, a: Operand, b: Operand, dtype: DType): NDArray {
    this.#gpu.begin(condition, a, b);
    return elementwise.where(this.#gpu, condition, a, b, dtype);
  }

  // Folds

  reduce(spec: ReduceSpec, x: NDArray, dims: readonly number[], keepdim: boolean): NDArray {
    this.#gpu.begin(x);
    return folds.reduce(this.#gpu, spec, x, dims, keepdim);
  }
  argReduce(kind: 'max' | 'min', x: NDArray, dim: number, keepdim: boolean): NDArray {
    this.#gpu.begin(x);
    const wanted = { values: false, indices: true };
    return folds.extreme(this.#gpu, kind, x, dim, keepdim, wanted).indices as NDArray;
  }
  extreme(kind: 'max' | 'min', x: NDArray, dim: number, keepdim: boolean) {
    this.#gpu.begin(x);
    return folds.extreme(this.#gpu, kind, x, dim, keepdim) as { values: NDArray; indices: NDArray };
  }
  scan(kind: 'sum' | 'prod', x: NDArray, dim: number): NDArray {
    this.#gpu.begin(x);
    return scan(this.#gpu, kind, x, dim);
  }
  scanExtreme(kind: 'max' | 'min', x: NDArray, dim: number) {
    this.#gpu.begin(x);
    return scanExtreme(this.#gpu, kind, x, dim);
  }
  sort(x: NDArray, dim: number, descending: boolean, from?: number, to?: number) {
    this.#gpu.begin(x);
    return places(this, sort(this.#gpu, x, dim, descending), dim, from, to);
  }
  search(sorted: NDArray, values: NDArray, behind: boolean): NDArray {
    this.#gpu.begin(sorted, values);
    return search(this.#gpu, sorted, values, behind);
  }

  // Products and rows

  matmul(a: NDArray, b: NDArray, options: GemmOptions = {}): NDArray {
    this.#gpu.begin(a, b, options.bias);
    return matmul(this.#gpu, a, b, options);
  }
  matmulAndSums(a: NDArray, b: NDArray): { product: NDArray; sums: NDArray } {
    this.#gpu.begin(a, b);
    return matmulAndSums(this.#gpu, a, b);
  }
  softmax(x: NDArray, kind: SoftmaxKind): NDArray {
    this.#gpu.begin(x);
    return rows.softmax(this.#gpu, x, kind);
  }
  softmaxGrad(grad: NDArray, output: NDArray, log: boolean): NDArray {
    this.#gpu.begin(grad, output);
    return rows.softmaxGrad(this.#gpu, grad, output, log);
  }
  lstmCell(x: NDArray, recurrent: NDArray, cell: NDArray) {
    this.#gpu.begin(x, recurrent, cell);
    return cells.lstmCell(this.#gpu, x, recurrent, cell);
  }
  lstmCellGrad(
    byHidden: NDArray | null,
    byNext: NDArray | null,
    gates: NDArray,
    cell: NDArray,
    next: NDArray,
  ) {
    this.#gpu.begin(byHidden, byNext, gates, cell, next);
    return cells.lstmCellGrad(this.#gpu, byHidden, byNext, gates, cell, next);
  }
  gruCell(x: NDArray, recurrent: NDArray, state: NDArray) {
    this.#gpu.begin(x, recurrent, state);
    return cells.gruCell(this.#gpu, x, recurrent, state);
  }
  gruCellGrad(grad: NDArray, recurrent: NDArray, state: NDArray, gates: NDArray) {
    this.#gpu.begin(grad, recurrent, state, gates);
    return cells.gruCellGrad(this.#gpu, grad, recurrent, state, gates);
  }
  crossEntropy(
    logits: NDArray,
    target: NDArray,
    weight: NDArray | null,
    options: CrossEntropyOptions,
  ): CrossEntropyResult {
    this.#gpu.begin(logits, target, weight);
    return losses.crossEntropy(this.#gpu, logits, target, weight, options);
  }
  crossEntropyGrad(
    grad: NDArray,
    logits: NDArray,
    target: NDArray,
    weight: NDArray | null,
    saved: Pick<CrossEntropyResult, 'rowStats' | 'divisor'>,
    options: CrossEntropyOptions,
  ): NDArray {
    this.#gpu.begin(grad, logits, target, weight, saved.rowStats, saved.divisor);
    return losses.crossEntropyGrad(this.#gpu, grad, logits, target, weight, saved, options);
  }

  // Indexing

  findBadIndex(index: NDArray, size: number, least: number, late: (value: bigint) => Error): number {
    return this.#firstBad(index, { least, size, ignore: null }, late);
  }
  findBadTarget(
    target: NDArray,
    classes: number,
    ignore: number | null,
    late: (value: bigint) => Error,
  ): number {
    return this.#firstBad(target, { least: 0, size: classes, ignore }, late);
  }
  #firstBad(index: NDArray, range: IndexRange, late: (value: bigint) => Error): number {
    this.#gpu.begin(index);
    const { host } = gpuStorage(index);
    if (host) return firstOutside(index, host, range);
    this.#gpu.checks.enqueue(index, range, late);
    return -1;
  }
  indexSelect(x: NDArray, dim: number, index: NDArray): NDArray {
    this.#gpu.begin(x, index);
    return indexing.indexSelect(this.#gpu, x, dim, index);
  }
  gatherScaled(x: NDArray, index: NDArray, scaling: PixelScaling): NDArray {
    this.#gpu.begin(x, index);
    return indexing.gatherScaled(this.#gpu, x, index, scaling);
  }
  indexAdd(out: NDArray, dim: number, index: NDArray, source: NDArray): void {
    this.#gpu.begin(out, index, source);
    scattering.indexAdd(this.#gpu, out, dim, index, source);
  }
  take(x: NDArray, positions: NDArray): NDArray {
    this.#gpu.begin(x, positions);
    return indexing.take(this.#gpu, x, positions);
  }
  put(out: NDArray, positions: NDArray, source: NDArray, accumulate: boolean): void {
    this.#gpu.begin(out, positions, source);
    scattering.put(this.#gpu, out, positions, source, accumulate);
  }
  /** How many there are only the values say: on the host, where it knows them. */
  nonzero(x: NDArray): NDArray {
    const values = this.hostValues(x, 'nonzero');
    const found: bigint[] = [];
    values.forEach((v: number | bigint, i: number) => {
      if (Number(v) !== 0) found.push(BigInt(i));
    });
    return this.upload(BigInt64Array.from(found), [found.length], 'int64');
  }
  gather(x: NDArray, dim: number, index: NDArray): NDArray {
    this.#gpu.begin(x, index);
    return indexing.gather(this.#gpu, x, dim, index);
  }
  scatter(out: NDArray, dim: number, index: NDArray, source: NDArray, how: Placement): void {
    this.#gpu.begin(out, index, source);
    scattering.scatter(this.#gpu, out, dim, index, source, how);
  }

  // Windows

  convolve(x: NDArray, weight: NDArray, bias: NDArray | null, geometry: Sliding, groups: number): NDArray {
    this.#gpu.begin(x, weight, bias);
    return convolution.convolve(this.#gpu, x, weight, bias, geometry, groups);
  }
  convolveInput(grad: NDArray, weight: NDArray, geometry: Sliding, groups: number): NDArray {
    this.#gpu.begin(grad, weight);
    return convolution.convolveInput(this.#gpu, grad, weight, geometry, groups);
  }
  convolveWeight(grad: NDArray, x: NDArray, geometry: Sliding, groups: number): NDArray {
    this.#gpu.begin(grad, x);
    return convolution.convolveWeight(this.#gpu, grad, x, geometry, groups);
  }
  convolveWeightAndSums(grad: NDArray, x: NDArray, geometry: Sliding, groups: number) {
    this.#gpu.begin(grad, x);
    return convolution.convolveWeightAndSums(this.#gpu, grad, x, geometry, groups);
  }
  im2col(x: NDArray, geometry: Sliding): NDArray {
    this.#gpu.begin(x);
    return convolution.im2col(this.#gpu, x, geometry);
  }
  col2im(columns: NDArray, geometry: Sliding, ndim: number): NDArray {
    this.#gpu.begin(columns);
    return convolution.col2im(this.#gpu, columns, geometry, ndim);
  }
  maxPool(x: NDArray, windows: Windows) {
    this.#gpu.begin(x);
    return pooling.maxPool(this.#gpu, x, windows);
  }
  maxPoolGrad(grad: NDArray, indices: NDArray, windows: Windows): NDArray {
    this.#gpu.begin(grad, indices);
    return pooling.maxPoolGrad(this.#gpu, grad, indices, windows);
  }
  avgPool(x: NDArray, windows: Windows): NDArray {
    this.#gpu.begin(x);
    return pooling.avgPool(this.#gpu, x, windows);
  }
  avgPoolGrad(grad: NDArray, windows: Windows): NDArray {
    this.#gpu.begin(grad);
    return pooling.avgPoolGrad(this.#gpu, grad, windows);
  }
  standardize(x: NDArray, eps: number) {
    this.#gpu.begin(x);
    return normalization.standardize(this.#gpu, x, eps);
  }
  standardizeGrad(grad: NDArray, output: NDArray, rstd: NDArray): NDArray {
    this.#gpu.begin(grad, output, rstd);
    return normalization.standardizeGrad(this.#gpu, grad, output, rstd);
  }
  affineGrads(grad: NDArray, x: NDArray, shape: Shape) {
    this.#gpu.begin(grad, x);
    return normalization.affineGrads(this.#gpu, grad, x, shape);
  }

  // Training

  sgdStep(param: NDArray, grad: NDArray, momentum: NDArray | null, firstStep: boolean, options: SgdOptions) {
    this.#gpu.begin(param, grad, momentum);
    training.sgdStep(this.#gpu, param, grad, momentum, firstStep, options);
  }
  optimizerStep(
    spec: StepSpec,
    param: NDArray,
    grad: NDArray,
    buffers: readonly (NDArray | null)[],
    scalars: readonly number[],
  ): void {
    this.#gpu.begin(param, grad, ...buffers);
    training.optimizerStep(this.#gpu, spec, param, grad, buffers, scalars);
  }

  memory(): BackendMemory {
    return this.#gpu.memory();
  }

  /** Submits what is recorded and resolves when the GPU has done it. @throws DeviceError for what failed meanwhile */
  finish(): Promise<void> {
    return this.#gpu.finish();
  }

  /** Gives the device back; every later op on it throws. */
  destroy(): void {
    this.gpuDevice.destroy();
  }
}

/** @throws DeviceError where there is no GPU to be had */
export async function startWebGPU(options: WebGPUOptions): Promise<WebGPUBackend> {
  return new WebGPUBackend(await findDevice(options));
}
