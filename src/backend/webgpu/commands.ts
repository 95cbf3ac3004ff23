/**
 * Commands on their way to the GPU: dispatches and copies are recorded and submitted together, when there are many, when a
 * value is read, or at the end of the job. Numbers that a kernel needs (sizes, strides, scalars) lie in one uniform buffer,
 * each dispatch at its own offset. Pipelines are compiled while commands are recorded, all at a time; a batch that is
 * ready before its pipelines waits for them, and later ones wait behind it.
 */
import type { Bound, BufferPool, PooledBuffer } from './buffers.ts';
import type { Failures } from './failures.ts';
import { BufferUsage } from './flags.ts';
import type { Program } from './programs.ts';
import type { Timestamps } from './timestamps.ts';

/** Dispatches per submission: enough to amortise it, few enough that the GPU starts while the host still records. */
const MAX_DISPATCHES = 64;
/** The uniforms of one submission, and what the last group of them may bind beyond. */
const PAGE_BYTES = 64 * 1024;
const BEYOND_BYTES = 16 * 1024;

/** Bind groups kept with a buffer: buffers are handed out in such an order that loops meet the same ones again. */
const KEPT_GROUPS = 512;

export interface Counters {
  dispatches: number;
  submissions: number;
}

interface Dispatch {
  readonly program: Program;
  readonly bound: readonly Bound[];
  /** Where its uniforms are in the page, in bytes. */
  readonly at: number;
  readonly groups: readonly [number, number, number];
}

interface Copy {
  readonly from: GPUBuffer;
  readonly fromByte: number;
  readonly to: GPUBuffer;
  readonly toByte: number;
  readonly bytes: number;
}

/** What is submitted at once. */
interface Batch {
  readonly number: number;
  readonly commands: readonly (Dispatch | Copy)[];
  readonly page: Uint32Array<ArrayBuffer>;
  readonly pageUsed: number;
  /** What it may have to wait for. */
  readonly unready: readonly Program[];
}

interface Write {
  readonly number: number;
  readonly to: GPUBuffer;
  readonly words: Uint32Array;
}

export class Commands {
  readonly #device: GPUDevice;
  readonly #pool: BufferPool;
  readonly #failures: Failures;
  readonly #alignment: number;
  readonly #page: Uint32Array<ArrayBuffer> = new Uint32Array(PAGE_BYTES / 4);
  readonly #uniforms: GPUBuffer;
  readonly #offset = new Uint32Array(1);
  #lastPipeline: GPUComputePipeline | null = null;
  #pageUsed = 0;
  #commands: (Dispatch | Copy)[] = [];
  #dispatches = 0;
  /** Programs of these commands that were not compiled when they were asked for. */
  #unready = new Set<Program>();
  #waiting: (Batch | Write)[] = [];
  #pump: Promise<void> | null = null;
  #scheduled = false;
  /** Runs before commands are submitted because the job ends (or asks for values), or because there are many. */
  beforeSubmit: (jobEnds: boolean) => void = () => {};
  readonly counters: Counters = { dispatches: 0, submissions: 0 };
  /** Where kernels are timed. */
  readonly #clock: Timestamps | null;

  constructor(device: GPUDevice, pool: BufferPool, failures: Failures, clock: Timestamps | null) {
    this.#clock = clock;
    this.#device = device;
    this.#pool = pool;
    this.#failures = failures;
    pool.isIdle = () => this.#commands.length === 0 && this.#waiting.length === 0;
    this.#alignment = device.limits.minUniformBufferOffsetAlignment / 4;
    this.#uniforms = device.createBuffer({
      size: PAGE_BYTES + BEYOND_BYTES,
      usage: BufferUsage.UNIFORM | BufferUsage.COPY_DST,
    });
  }

  /** The batch that is being recorded. */
  get batch(): number {
    return this.#failures.batch;
  }

  /**
   * `params` are the program's uniforms with their words, in order; `last` is the word of one more, if there is one. Returns
   * the number of the batch.
   */
  dispatch(
    program: Program,
    bound: readonly Bound[],
    params: readonly (readonly [declaration: string, word: number])[],
    last: number,
    groups: readonly [number, number, number],
  ): number {
    const words = Math.max(
      this.#alignment,
      Math.ceil(program.paramWords / this.#alignment) * this.#alignment,
    );
    if ((this.#pageUsed + words) * 4 > PAGE_BYTES) this.#flush();
    const at = this.#pageUsed;
    this.#pageUsed += words;
    for (let i = 0; i < params.length; i++) this.#page[at + i] = params[i][1];
    if (program.paramWords > params.length) this.#page[at + params.length] = last;
    const { batch } = this;
    for (let i = 0; i < bound.length; i++) bound[i].block.lastBatch = batch;
    if (!program.ready) this.#unready.add(program);
    this.#commands.push({ program, bound, at: at * 4, groups });
    this.#failures.begun = true;
    this.counters.dispatches++;
    if (++this.#dispatches >= MAX_DISPATCHES) this.submit(false);
    else this.schedule();
    return batch;
  }

  copy(from: PooledBuffer, fromByte: number, to: PooledBuffer, toByte: number, bytes: number): void {
    to.lastBatch = this.batch;
    this.copyOut(from, fromByte, to.buffer, toByte, bytes);
    this.schedule();
  }

  /** A copy into a buffer that the host will map. */
  copyOut(from: PooledBuffer, fromByte: number, to: GPUBuffer, toByte: number, bytes: number): void {
    from.lastBatch = this.batch;
    this.#commands.push({ from: from.buffer, fromByte, to, toByte, bytes });
    this.#failures.begun = true;
  }

  /** Host memory into a buffer, after all commands so far that mention it. */
  write(to: PooledBuffer, words: Uint32Array): void {
    if (to.lastBatch === this.batch) this.#flush();
    const write = { number: to.lastBatch, to: to.buffer, words };
    if (this.#waiting.length > 0 && to.lastBatch >= this.#waiting[0].number)
      this.#waiting.push({ ...write, words: words.slice() });
    else this.#write(write);
  }

  #write({ to, words }: Write): void {
    const { buffer, byteOffset, byteLength } = words;
    this.#device.queue.writeBuffer(to, 0, buffer as ArrayBuffer, byteOffset, byteLength);
  }

  /** Submits what was recorded, and what is due with it. */
  submit(jobEnds: boolean): void {
    this.beforeSubmit(jobEnds);
    this.#flush();
  }

  /** When the GPU has got all that was submitted. */
  async handedOver(): Promise<void> {
    await this.#pump;
  }

  #flush(): void {
    if (this.#commands.length === 0) return;
    const batch: Batch = {
      number: this.batch,
      commands: this.#commands,
      page: this.#page,
      pageUsed: this.#pageUsed,
      unready: [...this.#unready],
    };
    this.#unready.clear();
    this.#commands = [];
    this.#pageUsed = 0;
    this.#dispatches = 0;
    this.#failures.batch++;
    this.#failures.begun = false;
    if (this.#waiting.length === 0 && batch.unready.every((program) => program.ready)) {
      this.#encode(batch);
      this.#pool.submitted();
      return;
    }
    this.#waiting.push({ ...batch, page: this.#page.slice(0, batch.pageUsed) });
    this.#pump ??= this.#submitWaiting();
  }

  async #submitWaiting(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if ('words' in next) this.#write(next);
      else {
        await Promise.all(next.unready.map((program) => program.compiled));
        this.#encode(next);
      }
      this.#waiting.shift();
    }
    this.#pump = null;
    this.#pool.submitted();
  }

  #encode(batch: Batch): void {
    try {
      this.#failures.guard(() => this.#submitted(batch), batch.number);
    } catch (error) {
      this.#failures.failed(batch.number, String(error));
    }
    this.counters.submissions++;
  }

  #submitted({ number, commands, page, pageUsed }: Batch): void {
    const { queue } = this.#device;
    if (pageUsed > 0) queue.writeBuffer(this.#uniforms, 0, page, 0, pageUsed);
    const encoder = this.#device.createCommandEncoder();
    const stamps = this.#clock?.begin();
    let pass: GPUComputePassEncoder | null = null;
    for (const command of commands) {
      if ('program' in command) {
        if (pass === null) {
          pass = encoder.beginComputePass(stamps?.next());
          this.#lastPipeline = null;
        }
        this.#encodeDispatch(pass, command, number);
        continue;
      }
      pass?.end();
      pass = null;
      const { from, fromByte, to, toByte, bytes } = command;
      encoder.copyBufferToBuffer(from, fromByte, to, toByte, bytes);
    }
    pass?.end();
    stamps?.resolve(encoder);
    queue.submit([encoder.finish()]);
    if (stamps) this.#clock?.read(stamps);
  }

  #encodeDispatch(
    pass: GPUComputePassEncoder,
    { program, bound, at, groups }: Dispatch,
    batch: number,
  ): void {
    const { pipeline } = program;
    if (pipeline === null) {
      this.#failures.failed(batch, program.error ?? 'the device was lost');
      return;
    }
    if (pipeline !== this.#lastPipeline) pass.setPipeline(pipeline);
    this.#lastPipeline = pipeline;
    this.#offset[0] = at;
    pass.setBindGroup(0, this.#group(program, bound), this.#offset, 0, 1);
    pass.dispatchWorkgroups(groups[0], groups[1], groups[2]);
  }

  /** The group of these buffers. It is kept with the last of them, which is most often a result's. */
  #group({ layout, uniformBytes, groupKind }: Program, bound: readonly Bound[]): GPUBindGroup {
    const { groups } = bound[bound.length - 1].block;
    let hash = groupKind;
    for (let i = 0; i < bound.length; i++) hash = (Math.imul(hash, 31) + bound[i].block.id) | 0;
    const alike = groups.get(hash);
    if (alike && alike.kind === groupKind && sameRanges(alike.bound, bound)) return alike.group;
    const entries: GPUBindGroupEntry[] = bound.map(({ block: { buffer }, fromByte, bytes }, binding) => ({
      binding,
      resource: { buffer, offset: fromByte, size: bytes },
    }));
    entries.push({ binding: bound.length, resource: { buffer: this.#uniforms, size: uniformBytes } });
    const group = this.#device.createBindGroup({ layout, entries });
    if (groups.size >= KEPT_GROUPS) groups.clear();
    groups.set(hash, { kind: groupKind, bound, group });
    return group;
  }

  /** What is left at the end of the job is submitted then, so that the GPU is not idle while nobody reads. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.submit(true);
    });
  }
}

function sameRanges(a: readonly Bound[], b: readonly Bound[]): boolean {
  for (let i = 0; i < b.length; i++) {
    const { block, fromByte, bytes } = b[i];
    if (a[i]?.block !== block || a[i].fromByte !== fromByte || a[i].bytes !== bytes) return false;
  }
  return a.length === b.length;
}
