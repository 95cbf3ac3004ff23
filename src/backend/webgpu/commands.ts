/**
 * Commands on their way to the GPU: dispatches and copies are recorded into one command buffer and submitted together,
 * when there are many, when a value is read, or at the end of the job. Numbers that a kernel needs (sizes, strides,
 * scalars) lie in one uniform buffer, each dispatch at its own offset.
 */
import type { BufferPool, PooledBuffer } from './buffers.ts';
import type { Failures } from './failures.ts';
import { BufferUsage } from './flags.ts';
import type { Program } from './programs.ts';

/** Dispatches per submission: enough to amortise it, few enough that the GPU starts while the host still records. */
const MAX_DISPATCHES = 64;
/** The uniform buffer of one submission. */
const PAGE_BYTES = 64 * 1024;

export interface Counters {
  dispatches: number;
  submissions: number;
}

export class Commands {
  readonly #device: GPUDevice;
  readonly #pool: BufferPool;
  readonly #failures: Failures;
  readonly #alignment: number;
  readonly #page: Uint32Array<ArrayBuffer> = new Uint32Array(PAGE_BYTES / 4);
  readonly #uniforms: GPUBuffer;
  #pageUsed = 0;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #recorded = 0;
  #scheduled = false;
  readonly counters: Counters = { dispatches: 0, submissions: 0 };

  constructor(device: GPUDevice, pool: BufferPool, failures: Failures) {
    this.#device = device;
    this.#pool = pool;
    this.#failures = failures;
    this.#alignment = device.limits.minUniformBufferOffsetAlignment / 4;
    this.#uniforms = device.createBuffer({
      size: PAGE_BYTES,
      usage: BufferUsage.UNIFORM | BufferUsage.COPY_DST,
    });
  }

  /** The batch that is being recorded. */
  get batch(): number {
    return this.#failures.batch;
  }

  /** `params` are the words of the program's uniforms, in order. */
  dispatch(
    program: Program,
    blocks: readonly PooledBuffer[],
    params: readonly number[],
    groups: readonly [number, number, number],
  ): void {
    const words = Math.max(
      this.#alignment,
      Math.ceil(program.paramWords / this.#alignment) * this.#alignment,
    );
    if ((this.#pageUsed + words) * 4 > PAGE_BYTES) this.flush();
    const at = this.#pageUsed;
    this.#pageUsed += words;
    for (let i = 0; i < params.length; i++) this.#page[at + i] = params[i];
    const entries: GPUBindGroupEntry[] = blocks.map((block, binding) => {
      block.lastBatch = this.batch;
      return { binding, resource: { buffer: block.buffer } };
    });
    entries.push({
      binding: blocks.length,
      resource: { buffer: this.#uniforms, size: Math.max(16, Math.ceil(program.paramWords / 4) * 16) },
    });
    const group = this.#device.createBindGroup({ layout: program.layout, entries });
    const pass = this.#openPass();
    pass.setPipeline(program.pipeline());
    pass.setBindGroup(0, group, [at * 4]);
    pass.dispatchWorkgroups(...groups);
    this.counters.dispatches++;
    if (++this.#recorded >= MAX_DISPATCHES) this.flush();
    else this.#schedule();
  }

  copy(from: PooledBuffer, fromByte: number, to: PooledBuffer, toByte: number, bytes: number): void {
    from.lastBatch = this.batch;
    to.lastBatch = this.batch;
    this.#openEncoder().copyBufferToBuffer(from.buffer, fromByte, to.buffer, toByte, bytes);
    this.#schedule();
  }

  /** A copy into a buffer that the host will map. */
  copyOut(from: PooledBuffer, fromByte: number, to: GPUBuffer, toByte: number, bytes: number): void {
    from.lastBatch = this.batch;
    this.#openEncoder().copyBufferToBuffer(from.buffer, fromByte, to, toByte, bytes);
  }

  /** Host memory into a buffer, at once: commands that still mention it go first. */
  write(to: PooledBuffer, words: Uint32Array): void {
    if (to.lastBatch === this.batch) this.flush();
    this.#device.queue.writeBuffer(
      to.buffer,
      0,
      words.buffer as ArrayBuffer,
      words.byteOffset,
      words.byteLength,
    );
  }

  /** Submits what was recorded. */
  flush(): void {
    const encoder = this.#encoder;
    if (encoder === null) return;
    this.#pass?.end();
    this.#pass = null;
    this.#encoder = null;
    this.#failures.guard(() => {
      if (this.#pageUsed > 0)
        this.#device.queue.writeBuffer(this.#uniforms, 0, this.#page, 0, this.#pageUsed);
      this.#device.queue.submit([encoder.finish()]);
    });
    this.counters.submissions++;
    this.#pageUsed = 0;
    this.#recorded = 0;
    this.#failures.batch++;
    this.#pool.submitted();
  }

  #openEncoder(): GPUCommandEncoder {
    this.#pass?.end();
    this.#pass = null;
    this.#encoder ??= this.#device.createCommandEncoder();
    return this.#encoder;
  }

  #openPass(): GPUComputePassEncoder {
    if (this.#pass) return this.#pass;
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#pass = this.#encoder.beginComputePass();
    return this.#pass;
  }

  /** What is left at the end of the job is submitted then, so that the GPU is not idle while nobody reads. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.flush();
    });
  }
}
