/**
 * The device `webgpu`: arrays in GPU buffers, kernels in WGSL. Ops are recorded and submitted many at a time; values come
 * back only through `readAsync`. There is no way to wait for the GPU inside a job, so nothing falls back to the CPU
 * behind the user's back: every kernel family has a kernel here, and what only the host can do (results whose shape
 * depends on values) works on values that the host still knows, or throws a DeviceError that says what to await.
 */
import { type DType, dtypeInfo, type TypedArray } from '../../core/dtype.ts';
import { DeviceError, IndexError } from '../../core/errors.ts';
import { contiguousStrides, isContiguous, numElements, type Shape, type Strides } from '../../core/shape.ts';
import { NDArray, outsideScopes } from '../array.ts';
import type {
  Backend,
  BackendMemory,
  BinarySpec,
  CrossEntropyOptions,
  CrossEntropyResult,
  GemmOptions,
  Operand,
  PixelScaling,
  ReduceSpec,
  SgdOptions,
  StepSpec,
  TernarySpec,
  UnarySpec,
} from '../backend.ts';
import { forEachOffset } from '../reference/elements.ts';
import type { Sliding, Windows } from '../windows.ts';
import { type FoundDevice, findDevice } from './adapter.ts';
import { BufferPool, type PooledBuffer } from './buffers.ts';
import { Commands } from './commands.ts';
import type { Call, GpuContext } from './context.ts';
import * as convolution from './convolution.ts';
import { fromWords, laneOf, toWords, wordsOf } from './elementTypes.ts';
import * as elementwise from './elementwise.ts';
import { Failures } from './failures.ts';
import { IndexChecks } from './indexChecks.ts';
import * as indexing from './indexing.ts';
import { matmul } from './matmul.ts';
import * as normalization from './normalization.ts';
import * as order from './order.ts';
import * as pooling from './pooling.ts';
import { flatIndex, Programs } from './programs.ts';
import { Readbacks } from './readbacks.ts';
import * as folds from './reduce.ts';
import * as rows from './rows.ts';
import { GpuStorage, gpuStorage } from './storage.ts';
import * as training from './training.ts';
import type { WebGPUInfo, WebGPUOptions } from './types.ts';

/** Uploads up to these sizes stay known to the host: index tensors for their checks, small ones for parameters of ops. */
const KNOWN_INDEX_BYTES = 2 ** 20;
const KNOWN_BYTES = 4096;
/** Constant tables kept for the next call. */
const KEPT_TABLES = 64;

export class WebGPUBackend implements Backend, GpuContext {
  readonly device = 'webgpu';
  readonly synchronous = false;
  readonly gpuDevice: GPUDevice;
  readonly #found: FoundDevice;
  readonly #failures: Failures;
  readonly #pool: BufferPool;
  readonly #commands: Commands;
  readonly #programs: Programs;
  readonly #reads: Readbacks;
  readonly #checks: IndexChecks;
  readonly #tables = new Map<string, NDArray>();
  readonly maxGroups: number;
  readonly workgroupBytes: number;
  /** How often an op computed on the host, by op. */
  readonly fallbacks = new Map<string, number>();

  constructor(found: FoundDevice) {
    this.#found = found;
    this.gpuDevice = found.device;
    const { limits } = found.device;
    this.maxGroups = limits.maxComputeWorkgroupsPerDimension;
    this.workgroupBytes = limits.maxComputeWorkgroupStorageSize;
    this.#failures = new Failures(found.device, found.owned);
    this.#pool = new BufferPool(found.device, this.#failures);
    this.#commands = new Commands(found.device, this.#pool, this.#failures);
    this.#programs = new Programs(found.device, this.#failures);
    this.#reads = new Readbacks(found.device, this.#commands, this.#failures);
    this.#checks = new IndexChecks(this, this.#failures, this.#reads);
  }

  /** Starts an op on these inputs. @throws DeviceError for a lost device, or inputs that a failure spoilt */
  #begin(...inputs: readonly (Operand | null | undefined)[]): void {
    this.#pool.settle();
    this.#failures.check();
    if (!this.#failures.any) return;
    for (const x of inputs) if (x instanceof NDArray) this.#failures.checkWritten(gpuStorage(x).batch);
  }

  get lost(): boolean {
    return this.#failures.lost;
  }

  info(): WebGPUInfo {
    const { device, name, fallbackAdapter } = this.#found;
    const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
    return {
      adapter: name,
      fallbackAdapter,
      features: [...device.features].map(String),
      maxTensorBytes: Math.min(maxStorageBufferBindingSize, maxBufferSize),
      lost: this.lost,
      ...this.#commands.counters,
      programs: this.#programs.size,
      maps: this.#reads.maps,
    };
  }

  // What kernels use

  run(call: Call): void {
    const { workgroup, bindings } = call;
    const { groups } = call;
    const flat = groups === undefined;
    const [x, y, z] = groups ?? folds.split(Math.ceil(call.threads / workgroup), this.maxGroups);
    const params = flat ? [...call.params, ['threads: u32', call.threads] as const] : call.params;
    const program = this.#programs.get(
      `${call.key} ${bindings.map((b) => `${b.name}:${b.type}${b.writes ? '!' : ''}`).join()}`,
      () => ({
        bindings,
        params: params.map(([declaration]) => declaration),
        workgroup,
        declarations: call.declarations?.() ?? '',
        body: flat
          ? `let i = ${flatIndex(workgroup)};\nif (i >= P.threads) { return; }\n${call.body()}`
          : call.body(),
      }),
    );
    const blocks = bindings.map((b) => this.block(b.array));
    this.#commands.dispatch(
      program,
      blocks,
      params.map(([, word]) => word),
      [x, y, z],
    );
    for (const { writes, array } of bindings) if (writes) this.#written(array);
  }

  #written(x: NDArray): void {
    const storage = gpuStorage(x);
    storage.batch = this.#commands.batch;
    storage.host = null;
  }

  block(x: NDArray): PooledBuffer {
    if (x.backend !== this) {
      throw new DeviceError(
        x.backend.device === this.device
          ? 'a tensor of an earlier webgpu device, which was lost or replaced, cannot be used with the present one'
          : `expected all tensors on webgpu, but got one on ${x.backend.device}`,
      );
    }
    return gpuStorage(x).block;
  }

  contiguous(x: NDArray): NDArray {
    if (x.contiguous) return x;
    const out = this.empty(x.shape, x.dtype);
    elementwise.copy(this, out, x);
    return out;
  }

  apart(x: NDArray, out: NDArray): NDArray {
    if (x.storage !== out.storage) return x;
    const copy = this.empty(x.shape, x.dtype);
    elementwise.copy(this, copy, x);
    return copy;
  }

  table(values: Int32Array | Float32Array): NDArray {
    const key = `${values.constructor.name} ${values.join()}`;
    const known = this.#tables.get(key);
    if (known) return known;
    if (this.#tables.size >= KEPT_TABLES) this.#tables.clear();
    const dtype = values instanceof Int32Array ? 'int32' : 'float32';
    const made = outsideScopes(() => this.#store(values, [values.length], dtype));
    this.#tables.set(key, made);
    return made;
  }

  /** Counts an op that computed on the host. */
  #fellBack(op: string): void {
    this.fallbacks.set(op, (this.fallbacks.get(op) ?? 0) + 1);
  }

  // Storage

  holds(dtype: DType): boolean {
    return dtype !== 'float64';
  }

  empty(shape: Shape, dtype: DType, strides: Strides = contiguousStrides(shape)): NDArray {
    laneOf(dtype, 'to');
    const size = numElements(shape);
    const bytes = size * dtypeInfo[dtype].bytes;
    const storage = new GpuStorage(this, this.#pool, bytes, size * wordsOf(dtype) * 4);
    return new NDArray(storage, dtype, shape, strides);
  }

  upload(data: TypedArray, shape: Shape, dtype: DType): NDArray {
    this.#begin();
    laneOf(dtype, 'to');
    const out = this.#store(data, shape, dtype);
    if (data.byteLength <= (dtype === 'int64' ? KNOWN_INDEX_BYTES : KNOWN_BYTES))
      gpuStorage(out).host = data.slice();
    return out;
  }

  #store(data: TypedArray, shape: Shape, dtype: DType): NDArray {
    const out = this.empty(shape, dtype);
    if (data.length === 0) return out;
    const storage = gpuStorage(out);
    this.#commands.write(storage.block, toWords(data, dtype));
    storage.batch = this.#commands.batch;
    return out;
  }

  read(x: NDArray): TypedArray {
    this.#failures.check();
    throw new DeviceError(
      `the values of a tensor on webgpu (shape [${x.shape.join(', ')}]) cannot be read at once; use await x.read(), await ` +
        "x.itemAsync(), or move it with await x.toAsync('cpu')",
    );
  }

  async readAsync(x: NDArray): Promise<TypedArray> {
    this.#begin(x);
    const whole = this.contiguous(x);
    const { block, batch } = gpuStorage(whole);
    const words = wordsOf(x.dtype) * 4;
    const faults = this.#checks.report();
    let bytes: ArrayBuffer;
    try {
      bytes = await this.#reads.read(block, whole.offset * words, whole.size * words);
    } catch (error) {
      this.#failures.check();
      throw new DeviceError(`webgpu: reading failed: ${String(error)}`);
    }
    await faults;
    this.#failures.check();
    this.#failures.checkWritten(Math.max(batch, gpuStorage(x).batch));
    return fromWords(bytes, x.dtype, x.size);
  }

  require(condition: NDArray, error: () => Error): void {
    this.#begin(condition);
    this.#checks.enqueue(condition, null, error);
  }

  hostValues(x: NDArray, op: string): TypedArray {
    this.#begin(x);
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
    this.#begin(out);
    elementwise.fill(this, out, value);
  }

  assign(out: NDArray, x: NDArray): void {
    this.#begin(out, x);
    const same = out.dtype === x.dtype && out.storage !== x.storage && out.size === x.size;
    if (same && out.size > 0 && isContiguous(out.shape, out.strides) && x.contiguous) {
      const words = wordsOf(x.dtype) * 4;
      this.#commands.copy(
        this.block(x),
        x.offset * words,
        this.block(out),
        out.offset * words,
        x.size * words,
      );
      this.#written(out);
      return;
    }
    elementwise.copy(this, out, x);
  }

  // Elementwise

  unary(spec: UnarySpec, x: NDArray, p = 0, q = 0, out?: NDArray): NDArray {
    this.#begin(x, out);
    return elementwise.unary(this, spec, x, p, q, out);
  }
  binary(spec: BinarySpec, a: Operand, b: Operand, out?: NDArray): NDArray {
    this.#begin(a, b, out);
    return elementwise.binary(this, spec, a, b, out);
  }
  ternary(spec: TernarySpec, a: Operand, b: Operand, c: Operand, out?: NDArray): NDArray {
    this.#begin(a, b, c, out);
    return elementwise.ternary(this, spec, a, b, c, out);
  }
  where(condition: NDArray, a: Operand, b: Operand, dtype: DType): NDArray {
    this.#begin(condition, a, b);
    return elementwise.where(this, condition, a, b, dtype);
  }

  // Folds

  reduce(spec: ReduceSpec, x: NDArray, dims: readonly number[], keepdim: boolean): NDArray {
    this.#begin(x);
    return folds.reduce(this, spec, x, dims, keepdim);
  }
  argReduce(kind: 'max' | 'min', x: NDArray, dim: number, keepdim: boolean): NDArray {
    this.#begin(x);
    const wanted = { values: false, indices: true };
    return folds.extreme(this, kind, x, dim, keepdim, wanted).indices as NDArray;
  }
  extreme(kind: 'max' | 'min', x: NDArray, dim: number, keepdim: boolean) {
    this.#begin(x);
    return folds.extreme(this, kind, x, dim, keepdim) as { values: NDArray; indices: NDArray };
  }
  scan(kind: 'sum' | 'prod', x: NDArray, dim: number): NDArray {
    this.#begin(x);
    return order.scan(this, kind, x, dim);
  }
  scanExtreme(kind: 'max' | 'min', x: NDArray, dim: number) {
    this.#begin(x);
    return order.scanExtreme(this, kind, x, dim);
  }
  sort(x: NDArray, dim: number, descending: boolean) {
    this.#begin(x);
    return order.sort(this, x, dim, descending);
  }

  // Products and rows

  matmul(a: NDArray, b: NDArray, options: GemmOptions = {}): NDArray {
    this.#begin(a, b, options.bias);
    return matmul(this, a, b, options);
  }
  softmax(x: NDArray, log: boolean): NDArray {
    this.#begin(x);
    return rows.softmax(this, x, log);
  }
  softmaxGrad(grad: NDArray, output: NDArray, log: boolean): NDArray {
    this.#begin(grad, output);
    return rows.softmaxGrad(this, grad, output, log);
  }
  crossEntropy(
    logits: NDArray,
    target: NDArray,
    weight: NDArray | null,
    options: CrossEntropyOptions,
  ): CrossEntropyResult {
    this.#begin(logits, target, weight);
    return rows.crossEntropy(this, logits, target, weight, options);
  }
  crossEntropyGrad(
    grad: NDArray,
    logits: NDArray,
    target: NDArray,
    weight: NDArray | null,
    saved: Pick<CrossEntropyResult, 'rowStats' | 'divisor'>,
    options: CrossEntropyOptions,
  ): NDArray {
    this.#begin(grad, logits, target, weight, saved.rowStats, saved.divisor);
    return rows.crossEntropyGrad(this, grad, logits, target, weight, saved, options);
  }

  // Indexing

  findBadIndex(index: NDArray, size: number, least = -size): number {
    this.#begin(index);
    const { host } = gpuStorage(index);
    if (host) return picked(index, host).findIndex((i) => i < least || i >= size);
    this.#checks.enqueue(
      index,
      { least, size, ignore: null },
      (i) =>
        new IndexError(
          `index ${i} is out of bounds for dimension with size ${size} (found by an op on webgpu)`,
        ),
    );
    return -1;
  }
  findBadTarget(target: NDArray, classes: number, ignore: number | null): number {
    this.#begin(target);
    const { host } = gpuStorage(target);
    if (host) {
      return picked(target, host).findIndex((t) => Number(t) !== ignore && !(t >= 0 && t < classes));
    }
    this.#checks.enqueue(
      target,
      { least: 0, size: classes, ignore },
      (t) => new IndexError(`Target ${t} is out of bounds.`),
    );
    return -1;
  }
  indexSelect(x: NDArray, dim: number, index: NDArray): NDArray {
    this.#begin(x, index);
    return indexing.indexSelect(this, x, dim, index);
  }
  gatherScaled(x: NDArray, index: NDArray, scaling: PixelScaling): NDArray {
    this.#begin(x, index);
    return indexing.gatherScaled(this, x, index, scaling);
  }
  indexAdd(out: NDArray, dim: number, index: NDArray, source: NDArray): void {
    this.#begin(out, index, source);
    indexing.indexAdd(this, out, dim, index, source);
  }
  take(x: NDArray, positions: NDArray): NDArray {
    this.#begin(x, positions);
    return indexing.take(this, x, positions);
  }
  put(out: NDArray, positions: NDArray, source: NDArray, accumulate: boolean): void {
    this.#begin(out, positions, source);
    indexing.put(this, out, positions, source, accumulate);
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
    this.#begin(x, index);
    return indexing.gather(this, x, dim, index);
  }
  scatter(out: NDArray, dim: number, index: NDArray, source: NDArray, accumulate: boolean): void {
    this.#begin(out, index, source);
    indexing.scatter(this, out, dim, index, source, accumulate);
  }

  // Windows

  convolve(x: NDArray, weight: NDArray, bias: NDArray | null, geometry: Sliding, groups: number): NDArray {
    this.#begin(x, weight, bias);
    return convolution.convolve(this, x, weight, bias, geometry, groups);
  }
  convolveInput(grad: NDArray, weight: NDArray, geometry: Sliding, groups: number): NDArray {
    this.#begin(grad, weight);
    return convolution.convolveInput(this, grad, weight, geometry, groups);
  }
  convolveWeight(grad: NDArray, x: NDArray, geometry: Sliding, groups: number): NDArray {
    this.#begin(grad, x);
    return convolution.convolveWeight(this, grad, x, geometry, groups);
  }
  im2col(x: NDArray, geometry: Sliding): NDArray {
    this.#begin(x);
    return convolution.im2col(this, x, geometry);
  }
  col2im(columns: NDArray, geometry: Sliding, ndim: number): NDArray {
    this.#begin(columns);
    return convolution.col2im(this, columns, geometry, ndim);
  }
  maxPool(x: NDArray, windows: Windows) {
    this.#begin(x);
    return pooling.maxPool(this, x, windows);
  }
  maxPoolGrad(grad: NDArray, indices: NDArray, windows: Windows): NDArray {
    this.#begin(grad, indices);
    return pooling.maxPoolGrad(this, grad, indices, windows);
  }
  avgPool(x: NDArray, windows: Windows): NDArray {
    this.#begin(x);
    return pooling.avgPool(this, x, windows);
  }
  avgPoolGrad(grad: NDArray, windows: Windows): NDArray {
    this.#begin(grad);
    return pooling.avgPoolGrad(this, grad, windows);
  }
  standardize(x: NDArray, eps: number) {
    this.#begin(x);
    return normalization.standardize(this, x, eps);
  }
  standardizeGrad(grad: NDArray, output: NDArray, rstd: NDArray): NDArray {
    this.#begin(grad, output, rstd);
    return normalization.standardizeGrad(this, grad, output, rstd);
  }

  // Training

  sgdStep(param: NDArray, grad: NDArray, momentum: NDArray | null, firstStep: boolean, options: SgdOptions) {
    this.#begin(param, grad, momentum);
    training.sgdStep(this, param, grad, momentum, firstStep, options);
  }
  optimizerStep(
    spec: StepSpec,
    param: NDArray,
    grad: NDArray,
    buffers: readonly (NDArray | null)[],
    scalars: readonly number[],
  ): void {
    this.#begin(param, grad, ...buffers);
    training.optimizerStep(this, spec, param, grad, buffers, scalars);
  }

  memory(): BackendMemory {
    const pool = this.#pool;
    return {
      bytesInUse: pool.bytesInUse,
      peakBytes: pool.peakBytes,
      heapBytes: pool.bytesInUse + pool.freeBytes,
      storages: pool.inUse,
      evictions: 0,
      evictedBytes: 0,
    };
  }

  /** Submits what is recorded and resolves when the GPU has done it. @throws DeviceError for what failed meanwhile */
  async finish(): Promise<void> {
    this.#commands.flush();
    await this.gpuDevice.queue.onSubmittedWorkDone().catch(() => {});
    await this.#failures.settled();
    this.#failures.check();
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

/** The elements of an array in row-major order, from what its storage was uploaded from. */
function picked(x: NDArray, host: TypedArray): TypedArray {
  if (x.contiguous) return host.slice(x.offset, x.offset + x.size);
  const out = dtypeInfo[x.dtype].allocate(x.size);
  const from = host as Float32Array;
  const to = out as Float32Array;
  let i = 0;
  forEachOffset(x.shape, x.strides, x.offset, (at) => {
    to[i++] = from[at];
  });
  return out;
}
