/**
 * Values on their way back. The copy is recorded when a read is asked for, so that later changes do not show; all reads
 * of one job share one submission and one mapped buffer.
 */
import type { PooledBuffer } from './buffers.ts';
import type { Commands } from './commands.ts';
import { pending } from './dawn.ts';
import type { Failures } from './failures.ts';
import { BufferUsage, MapModeRead } from './flags.ts';

const MIN_STAGING = 64 * 1024;
/** Staging buffers kept for the next reads. */
const KEPT = 4;

interface Wanted {
  readonly at: number;
  readonly bytes: number;
  resolve(bytes: ArrayBuffer): void;
  reject(error: unknown): void;
}

interface Staging {
  readonly buffer: GPUBuffer;
  readonly size: number;
  used: number;
  wanted: Wanted[];
}

export class Readbacks {
  readonly #device: GPUDevice;
  readonly #commands: Commands;
  readonly #failures: Failures;
  #open: Staging[] = [];
  readonly #kept: Staging[] = [];
  /** How many buffers were mapped: reads of one job share them. */
  maps = 0;

  constructor(device: GPUDevice, commands: Commands, failures: Failures) {
    this.#device = device;
    this.#commands = commands;
    this.#failures = failures;
  }

  /** The bytes of a range as they are after everything recorded so far. */
  read(from: PooledBuffer, at: number, bytes: number): Promise<ArrayBuffer> {
    if (bytes === 0) return Promise.resolve(new ArrayBuffer(0));
    const staging = this.#staging(bytes);
    this.#commands.copyOut(from, at, staging.buffer, staging.used, bytes);
    return new Promise((resolve, reject) => {
      staging.wanted.push({ at: staging.used, bytes, resolve, reject });
      staging.used += Math.ceil(bytes / 16) * 16;
    });
  }

  #staging(bytes: number): Staging {
    const last = this.#open[this.#open.length - 1];
    if (last && last.used + bytes <= last.size) return last;
    if (this.#open.length === 0) queueMicrotask(() => this.#finish());
    const at = this.#kept.findIndex((s) => s.size >= bytes);
    const staging = at >= 0 ? this.#kept.splice(at, 1)[0] : this.#make(bytes);
    this.#open.push(staging);
    return staging;
  }

  #make(bytes: number): Staging {
    const size = Math.max(MIN_STAGING, Math.ceil(bytes / 256) * 256);
    const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
    return {
      buffer: this.#failures.guard(() => this.#device.createBuffer({ size, usage })),
      size,
      used: 0,
      wanted: [],
    };
  }

  #finish(): void {
    const open = this.#open;
    this.#open = [];
    this.#commands.submit(true);
    for (const staging of open) void this.#deliver(staging);
  }

  async #deliver(staging: Staging): Promise<void> {
    const { buffer, wanted, used } = staging;
    try {
      this.maps++;
      await this.#commands.handedOver();
      await pending(this.#device, () => buffer.mapAsync(MapModeRead, 0, used));
      // Errors of what was read are known before its values are handed out.
      await this.#failures.settled();
      const mapped = buffer.getMappedRange(0, used);
      for (const w of wanted) w.resolve(mapped.slice(w.at, w.at + w.bytes));
      buffer.unmap();
      staging.wanted = [];
      staging.used = 0;
      if (this.#kept.length < KEPT && staging.size <= 16 * 2 ** 20) this.#kept.push(staging);
      else buffer.destroy();
    } catch (error) {
      await this.#failures.settled().catch(() => {});
      for (const w of wanted) w.reject(error);
    }
  }
}
