/** What all kernels of one device share: memory, programs, commands on their way, results to come, and failures. */
import { type DType, dtypeInfo, type TypedArray } from '../../core/dtype.ts';
import { DeviceError } from '../../core/errors.ts';
import { contiguousStrides, numElements, type Shape, type Strides } from '../../core/shape.ts';
import { keepStorages, NDArray } from '../array.ts';
import type { Backend, BackendMemory, Operand } from '../backend.ts';
import type { FoundDevice } from './adapter.ts';
import { BufferPool } from './buffers.ts';
import { type Cell, PART_STEP } from './cells.ts';
import { Commands } from './commands.ts';
import type { BoundArray, Call, GpuContext, Input, Part, Room, Source } from './context.ts';
import { pending } from './dawn.ts';
import { Deferred, type Executor } from './deferred.ts';
import { fromWords, laneOf, numberWords, toWords, wordsOf } from './elementTypes.ts';
import { convert } from './elementwise.ts';
import type { Formula } from './expressions.ts';
import { Failures } from './failures.ts';
import { split } from './foldKernels.ts';
import { IndexChecks } from './indexChecks.ts';
import { flatIndex, Programs } from './programs.ts';
import { Readbacks } from './readbacks.ts';
import { Repeats } from './repeats.ts';
import { tooLarge } from './slices.ts';
import { GpuStorage, gpuStorage } from './storage.ts';
import { Timestamps } from './timestamps.ts';
import { Together } from './together.ts';
import type { WebGPUInfo } from './types.ts';

/** Uploads up to these sizes stay known to the host: index tensors for their checks, small ones for parameters of ops. */
const KNOWN_INDEX_BYTES = 2 ** 20;
const KNOWN_BYTES = 4096;
/** Constant tables kept for the next call. */
const KEPT_TABLES = 64;

export class GpuDevice implements GpuContext, Executor {
  readonly device = 'webgpu';
  readonly maxGroups: number;
  readonly maxBuffers: number;
  readonly workgroupBytes: number;
  readonly mostBound: number;
  readonly subgroups: boolean;
  readonly halfProducts: boolean;
  readonly failures: Failures;
  readonly checks: IndexChecks;
  readonly #backend: Backend;
  readonly #found: FoundDevice;
  readonly #pool: BufferPool;
  readonly #commands: Commands;
  readonly #programs: Programs;
  readonly #reads: Readbacks;
  readonly #deferred: Deferred;
  readonly #together: Together;
  /** Null where what was dropped is found inside a job. */
  readonly #repeats: Repeats | null;
  readonly #clock: Timestamps | null;
  readonly #tables = new Map<string, NDArray>();

  constructor(found: FoundDevice, backend: Backend) {
    const { device, owned } = found;
    const { limits } = device;
    this.#backend = backend;
    this.#found = found;
    this.maxGroups = limits.maxComputeWorkgroupsPerDimension;
    this.maxBuffers = limits.maxStorageBuffersPerShaderStage;
    this.workgroupBytes = limits.maxComputeWorkgroupStorageSize;
    this.subgroups = device.features.has('subgroups');
    this.halfProducts = found.matmulPrecision === 'medium' && device.features.has('shader-f16');
    this.failures = new Failures(device, owned);
    this.#pool = new BufferPool(device, this.failures);
    this.mostBound = this.#pool.mostBound;
    const timed = found.timestamps && device.features.has('timestamp-query');
    this.#clock = timed ? new Timestamps(device) : null;
    this.#commands = new Commands(device, this.#pool, this.failures, this.#clock);
    this.#programs = new Programs(device, this.failures);
    this.#reads = new Readbacks(device, this.#commands, this.failures);
    this.checks = new IndexChecks(this, this.failures, this.#reads);
    this.#deferred = new Deferred(this, this.#pool.spareBytes);
    this.#pool.unread = this.#deferred.unread;
    this.#together = new Together(this);
    this.#repeats = this.#pool.findsInJobs ? null : new Repeats();
    this.#commands.beforeSubmit = (jobEnds) => {
      this.#together.finish();
      this.#deferred.settle(jobEnds);
      if (jobEnds) this.#repeats?.clear();
    };
  }

  betweenOps(): void {
    this.#pool.settle();
  }

  /** Starts an op on these inputs. @throws DeviceError for a lost device, or inputs that a failure spoilt */
  begin(...inputs: readonly (Operand | null | undefined)[]): void {
    this.#pool.settle();
    this.failures.check();
    if (!this.failures.any) return;
    for (const x of inputs)
      if (x instanceof NDArray)
        for (const batch of gpuStorage(x).batches()) this.failures.checkWritten(batch);
  }

  info(): WebGPUInfo {
    const { device, name, fallbackAdapter } = this.#found;
    const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
    return {
      adapter: name,
      fallbackAdapter,
      features: [...device.features].map(String),
      maxTensorBytes: maxBufferSize,
      maxBindingBytes: Math.min(maxStorageBufferBindingSize, maxBufferSize),
      matmulPrecision: this.halfProducts ? 'medium' : 'highest',
      lost: this.failures.lost,
      ...this.#commands.counters,
      programs: this.#programs.size,
      maps: this.#reads.maps,
      milliseconds: this.#clock?.milliseconds ?? null,
    };
  }

  // Commands

  run(call: Call): void {
    this.#together.finish();
    const { workgroup, bindings, groups } = call;
    const flat = groups === undefined;
    const [x, y, z] = groups ?? split(Math.ceil(call.threads / workgroup), this.maxGroups);
    const program = this.#programs.get(call.key, bindings, () => ({
      bindings,
      params: [...call.params.map(([declaration]) => declaration), ...(flat ? ['threads: u32'] : [])],
      workgroup,
      ...(call.enables ? { enables: call.enables } : {}),
      declarations: call.declarations?.() ?? '',
      body: flat
        ? `let i = ${flatIndex(workgroup)};\nif (i >= P.threads) { return; }\n${call.body()}`
        : call.body(),
    }));
    const key = this.#repeats && this.#keyOf(call);
    const before = key && (this.#repeats?.find(program, key) ?? null);
    if (before) this.#repeats?.share(before, this.#filledBy(bindings));
    const cells = key ? bindings.map((b) => this.#cellOf(b)) : this.cellsOf(bindings);
    for (const { bytes } of cells)
      if (bytes > this.mostBound) throw tooLarge(call.key.split(' ', 1)[0], bytes, this.mostBound);
    const batch = this.#commands.dispatch(
      program,
      cells.map((cell) => cell.bound),
      call.params,
      call.threads,
      [x, y, z],
    );
    let first: number | null = null;
    let k = 0;
    for (let i = 0; i < cells.length; i++) {
      if (!bindings[i].writes) continue;
      cells[i].write(batch, before ? before.contents + k++ : null);
      first ??= cells[i].contents;
    }
    if (before) before.results = cells.filter((_, i) => bindings[i].writes);
    else if (key && first !== null) this.#repeats?.note(program, key, first);
  }

  #cellOf(b: BoundArray): Cell {
    return 'cell' in b ? (b.fills?.present ?? b.cell) : this.storageOf(b.array).cell;
  }

  /** What a call of a program is known by, if all that it writes is new. */
  #keyOf({ bindings, params, threads }: Call): number[] | null {
    const key = [threads];
    for (const b of bindings) {
      if (b.writes) {
        if ('cell' in b ? !b.fills : !this.storageOf(b.array).empty) return null;
        continue;
      }
      const { contents } = this.#cellOf(b);
      if (contents === null) return null;
      key.push(contents);
    }
    for (let i = 0; i < params.length; i++) key.push(params[i][1]);
    return key;
  }

  #filledBy(bindings: readonly BoundArray[]): GpuStorage[] {
    const filled: GpuStorage[] = [];
    for (const b of bindings) {
      const storage = 'array' in b ? this.storageOf(b.array) : b.fills;
      if (b.writes && storage) filled.push(storage);
    }
    return filled;
  }

  runTogether(part: Part): void {
    this.#together.add(part);
  }

  storageOf(x: NDArray): GpuStorage {
    if (x.backend === this.#backend) return gpuStorage(x);
    throw new DeviceError(
      x.backend.device === this.device
        ? 'a tensor of an earlier webgpu device, which was lost or replaced, cannot be used with the present one'
        : `expected all tensors on webgpu, but got one on ${x.backend.device}`,
    );
  }

  /** The buffers of bindings. What is read is computed first: it may hold what is written, which is nobody else's then. */
  cellsOf(bindings: readonly BoundArray[]): Cell[] {
    const cells = bindings.map((b) => {
      if ('cell' in b) return b.cell;
      const storage = this.storageOf(b.array);
      return b.writes ? storage : storage.cell;
    });
    return cells.map((x) => (x instanceof GpuStorage ? this.writable(x) : x));
  }

  writable(storage: GpuStorage): Cell {
    storage.host = null;
    const { cell } = storage;
    if (cell.held) this.#deferred.unread.keep();
    if (!cell.held) return cell;
    const own = storage.newCell();
    this.copyWords(cell, 0, own, 0, storage.gpuBytes / 4);
    storage.put(own);
    return own;
  }

  copyWords(from: Cell, fromWord: number, to: Cell, toWord: number, words: number): void {
    if (words === 0) return;
    this.#together.finish([from, to]);
    to.write(this.#commands.batch);
    const [fromByte, toByte] = [from.bound.fromByte + fromWord * 4, to.bound.fromByte + toWord * 4];
    this.#commands.copy(from.block, fromByte, to.block, toByte, words * 4);
  }

  checkCells(cells: readonly Cell[]): void {
    if (this.failures.any) for (const { batch } of cells) this.failures.checkWritten(batch);
  }

  schedule(): void {
    this.#commands.schedule();
  }

  // Arrays

  empty(shape: Shape, dtype: DType, strides: Strides = contiguousStrides(shape)): NDArray {
    laneOf(dtype, 'to');
    const size = numElements(shape);
    const bytes = size * dtypeInfo[dtype].bytes;
    const compute = (storage: GpuStorage) => this.#deferred.compute(storage);
    const storage = new GpuStorage(this.#backend, this.#pool, bytes, size * wordsOf(dtype) * 4, compute);
    return new NDArray(storage, dtype, shape, strides);
  }

  upload(data: TypedArray, shape: Shape, dtype: DType): NDArray {
    const out = this.#store(data, shape, dtype);
    if (data.byteLength <= (dtype === 'int64' ? KNOWN_INDEX_BYTES : KNOWN_BYTES))
      gpuStorage(out).host = data.slice();
    return out;
  }

  #store(data: TypedArray, shape: Shape, dtype: DType): NDArray {
    const out = this.empty(shape, dtype);
    if (data.length === 0) return out;
    this.#together.finish();
    const { cell } = gpuStorage(out);
    this.#commands.write(cell.block, toWords(data, dtype));
    cell.write(this.#commands.batch);
    return out;
  }

  table(values: Int32Array | Float32Array): NDArray {
    const key = `${values.constructor.name} ${values.join()}`;
    const known = this.#tables.get(key);
    if (known) return known;
    if (this.#tables.size >= KEPT_TABLES) this.#tables.clear();
    const dtype = values instanceof Int32Array ? 'int32' : 'float32';
    const made = keepStorages(() => this.#store(values, [values.length], dtype));
    this.#tables.set(key, made);
    return made;
  }

  elementwise(out: NDArray, inputs: readonly Input[], formula: Formula): void {
    this.#deferred.assign(out, inputs, formula);
  }

  fill(out: NDArray, value: number | bigint): void {
    const lane = laneOf(out.dtype, 'fill');
    const { dtype } = out;
    this.#deferred.assign(
      out,
      [{ value: lane === 'i32' ? wrapped(Number(value), dtype) : value, dtype }],
      null,
    );
  }

  assign(out: NDArray, x: NDArray): void {
    if (out.dtype === x.dtype) this.#deferred.assign(out, [x], null);
    else convert(this, out, x);
  }

  source(name: string, x: NDArray, room?: Room): Source {
    return this.#deferred.source(name, x, room);
  }

  contiguous(x: NDArray): NDArray {
    return x.contiguous ? (this.part(x) ?? x) : this.#copy(x);
  }

  #copy(x: NDArray): NDArray {
    const out = this.empty(x.shape, x.dtype);
    this.assign(out, x);
    return out;
  }

  apart(x: NDArray, out: NDArray): NDArray {
    return x.storage === out.storage ? this.#copy(x) : x;
  }

  fits(x: NDArray): boolean {
    return this.storageOf(x).gpuBytes <= this.mostBound;
  }

  bindable(x: NDArray): NDArray | null {
    const found = this.part(x);
    if (found !== null) return found;
    return x.size * wordsOf(x.dtype) * 4 > this.mostBound ? null : this.#copy(x);
  }

  changeInPlace(x: NDArray): void {
    this.writable(this.storageOf(x));
  }

  part(x: NDArray): NDArray | null {
    const storage = this.storageOf(x);
    if (storage.gpuBytes <= this.mostBound || x.size === 0) return x;
    const word = wordsOf(x.dtype) * 4;
    const fromByte = Math.floor((x.offset * word) / PART_STEP) * PART_STEP;
    const last = x.shape.reduce((sum, size, d) => sum + (size - 1) * x.strides[d], x.offset);
    const bytes = (last + 1) * word - fromByte;
    if (bytes + PART_STEP > this.mostBound) return null;
    const part = storage.part(fromByte, bytes);
    return new NDArray(part, x.dtype, x.shape, x.strides, x.offset - fromByte / word);
  }

  // Values

  async read(x: NDArray): Promise<TypedArray> {
    const whole = this.contiguous(x);
    const { cell } = gpuStorage(whole);
    this.#together.finish();
    const words = wordsOf(x.dtype) * 4;
    const faults = this.checks.report();
    let bytes: ArrayBuffer;
    try {
      const at = cell.bound.fromByte + whole.offset * words;
      bytes = await this.#reads.read(cell.block, at, whole.size * words);
    } catch (error) {
      this.failures.check();
      throw new DeviceError(`webgpu: reading failed: ${String(error)}`);
    }
    await faults;
    await this.#clock?.counted();
    this.failures.check();
    this.failures.checkWritten(cell.batch);
    return fromWords(bytes, x.dtype, x.size);
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
    this.#commands.submit(true);
    await this.#commands.handedOver();
    const { device } = this.#found;
    await pending(device, () => device.queue.onSubmittedWorkDone()).catch(() => {});
    await this.#clock?.counted();
    await this.failures.settled();
    this.failures.check();
  }
}

/** A number as an element of an integer dtype holds it. */
function wrapped(value: number | bigint, dtype: DType): number {
  const word = numberWords(value, 'i32')[0] | 0;
  if (dtype === 'bool') return word === 0 ? 0 : 1;
  const data = dtypeInfo[dtype].allocate(1) as Int32Array;
  data[0] = word;
  return data[0];
}
