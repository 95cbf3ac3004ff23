/**
 * Errors of a GPU arrive late. They are kept here and thrown by the next op that could see their effects: a lost device
 * by every op, a failed batch of commands by ops that read what it, or a later one, should have written.
 */
import { DeviceError } from '../../core/errors.ts';
import { pending } from './dawn.ts';

interface Range {
  readonly from: number;
  readonly to: number;
  readonly error: Error;
}

const FILTERS = ['validation', 'out-of-memory', 'internal'] as const;
const WORDS = {
  validation: 'refused a command',
  'out-of-memory': 'is out of memory',
  internal: 'failed',
} as const;

export class Failures {
  readonly #device: GPUDevice;
  #lost: DeviceError | null = null;
  #ranges: Range[] = [];
  /** An index that a kernel found out of range, to be thrown once. */
  #index: Error | null = null;
  readonly #reports = new Set<Promise<void>>();
  /** The batch that is being recorded. */
  batch = 1;
  /** Something is in it already. */
  begun = false;

  constructor(device: GPUDevice, owned: boolean) {
    this.#device = device;
    device.lost.then(({ reason, message }) => {
      this.#lost = new DeviceError(
        `webgpu: the device was lost (${reason === 'destroyed' ? 'it was destroyed' : message || 'no reason given'}). What was on it ` +
          'is gone; go on on the cpu from what was saved, or ask for a device again with await webgpu()',
      );
    });
    // Errors outside our scopes are ours only if nobody else uses the device.
    if (owned) {
      device.addEventListener('uncapturederror', (event) => {
        const { error } = event as GPUUncapturedErrorEvent;
        this.#fail(this.batch, new DeviceError(`webgpu: ${error.message}`));
      });
    }
  }

  get lost(): boolean {
    return this.#lost !== null;
  }

  /** Runs `body` and keeps what the device says of it, as of a batch; `failed` is called when it says something. */
  guard<R>(body: () => R, from: number = this.batch, failed: () => void = () => {}): R {
    for (const filter of FILTERS) this.#device.pushErrorScope(filter);
    try {
      return body();
    } finally {
      for (const filter of FILTERS.toReversed()) {
        const report: Promise<void> = pending(this.#device, () => this.#device.popErrorScope())
          .then((error) => {
            if (!error) return;
            failed();
            this.#fail(from, new DeviceError(`webgpu: the device ${WORDS[filter]}: ${error.message}`));
          })
          // A lost device rejects; `device.lost` tells of it.
          .catch(() => {})
          .finally(() => this.#reports.delete(report));
        this.#reports.add(report);
      }
    }
  }

  #fail(from: number, error: Error): void {
    const to = Math.max(from, this.begun ? this.batch : this.batch - 1);
    this.#ranges.push({ from, to, error });
    if (this.#ranges.length > 32) {
      const [first, second, ...rest] = this.#ranges;
      this.#ranges = [{ from: first.from, to: second.to, error: first.error }, ...rest];
    }
  }

  /** A batch lacks a command. */
  failed(batch: number, message: string): void {
    this.#fail(batch, new DeviceError(`webgpu: ${message}`));
  }

  badIndex(error: Error): void {
    this.#index ??= error;
  }

  /** @throws DeviceError of a lost device; IndexError that a kernel found in an earlier op */
  check(): void {
    if (this.#lost) throw this.#lost;
    if (this.#index === null) return;
    const error = this.#index;
    this.#index = null;
    throw error;
  }

  /** @throws DeviceError if the batch that wrote a storage failed, or came after one that did */
  checkWritten(batch: number): void {
    for (const { from, to, error } of this.#ranges) if (batch >= from && batch <= to) throw error;
  }

  get any(): boolean {
    return this.#ranges.length > 0;
  }

  /** When all that was submitted has reported. */
  async settled(): Promise<void> {
    while (this.#reports.size > 0) await Promise.all(this.#reports);
  }
}
