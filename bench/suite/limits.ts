/** What this machine can do at most, measured beside the benchmarks: the percents refer to it. */
import { ARRAYS, BYTES_PER_TURN, FIRST_ARRAY, FLOPS_PER_TURN, limitModule } from './limitModule.ts';
import type { Host, Rate, Stream, Work } from './types.ts';

/** Long enough for the clock's grain, short enough to find a stretch without interruption. */
const WINDOW_MS = 3;
const PEAK_TURNS = 2000;

/**
 * What a worker does: run a loop over and over, and post the most turns per millisecond that it made. The pause is
 * for the engine, which finishes its optimised code on another thread.
 */
const SOURCE = `
onmessage = async ({ data: { binary, loop, args, turns, ms, windowMs } }) => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary));
  new Float32Array(exports.memory.buffer).fill(0.5);
  const call = exports[loop];
  for (let i = 0; i < 2000; i++) call(...args, 20);
  call(...args, turns);
  await new Promise((resolve) => setTimeout(resolve, 20));
  let best = 0;
  const end = performance.now() + ms;
  do {
    const start = performance.now();
    let calls = 0;
    let spent = 0;
    do {
      call(...args, turns);
      calls++;
      spent = performance.now() - start;
    } while (spent < windowMs);
    best = Math.max(best, (calls * turns) / spent);
  } while (performance.now() < end);
  postMessage(best);
};
`;

export class Limits {
  readonly #host: Host;
  readonly #relaxed: boolean;
  readonly #ms: number;
  readonly #known = new Map<string, number>();

  /** Each limit is looked for during `ms` milliseconds. */
  constructor(host: Host, relaxed: boolean, ms: number) {
    this.#host = host;
    this.#relaxed = relaxed;
    this.#ms = ms;
  }

  /** GFLOP/s of multiply-adds in registers, on `threads` threads at once. Undefined: there are no workers. */
  async peak(threads: number): Promise<number | undefined> {
    if (!this.#host.newWorker) return undefined;
    return this.#once(`peak ${threads}`, async () => {
      const rates: number[] = [];
      for (const loop of ['registers', 'operands'])
        rates.push(await this.#turnsPerMs(loop, [0], PEAK_TURNS, threads, 0));
      return (Math.max(...rates) * FLOPS_PER_TURN) / 1e6;
    });
  }

  /** GB/s of reading and writing as `stream` does, over `elements` float32 divided among the threads. */
  async bandwidth(stream: Stream, elements: number, threads: number): Promise<number | undefined> {
    if (!this.#host.newWorker) return undefined;
    return this.#once(`${stream} ${elements} ${threads}`, async () => {
      const turns = Math.max(1, Math.floor((4 * elements) / threads / BYTES_PER_TURN));
      const bytes = turns * BYTES_PER_TURN;
      const arrays = [0, 1, 2].map((i) => FIRST_ARRAY + i * bytes);
      const rate = await this.#turnsPerMs(stream, arrays, turns, threads, bytes);
      return (rate * BYTES_PER_TURN * ARRAYS[stream]) / 1e6;
    });
  }

  /** The limit of some work that took `ms`, and the rate that it reached in the limit's unit. */
  async of(work: Work, threads: number): Promise<Rate | undefined> {
    if (work.flops !== undefined) {
      const value = await this.peak(threads);
      return value === undefined ? undefined : { value, unit: 'GFLOP/s' };
    }
    if (work.stream === undefined || work.elements === undefined) return undefined;
    const value = await this.bandwidth(work.stream, work.elements, threads);
    return value === undefined ? undefined : { value, unit: 'GB/s' };
  }

  async #once(key: string, find: () => Promise<number>): Promise<number> {
    const value = this.#known.get(key) ?? (await find());
    this.#known.set(key, value);
    return value;
  }

  async #turnsPerMs(loop: string, args: number[], turns: number, threads: number, bytes: number) {
    const binary = limitModule(this.#relaxed, bytes);
    const newWorker = this.#host.newWorker!;
    const workers = Array.from({ length: threads }, () => newWorker(SOURCE));
    try {
      for (const worker of workers)
        worker.post({ binary, loop, args, turns, ms: this.#ms, windowMs: WINDOW_MS });
      const rates = await Promise.all(workers.map((worker) => worker.next()));
      return rates.reduce((sum: number, rate) => sum + Number(rate), 0);
    } finally {
      for (const worker of workers) worker.end();
    }
  }
}

/** The rate of some work that takes `ms`, in the unit of its limit or of what it does. */
export function rateOf(work: Work, ms: number): Rate | undefined {
  const perSecond = (amount: number) => amount / ms / 1e6;
  if (work.flops !== undefined) return { value: perSecond(work.flops), unit: 'GFLOP/s' };
  if (work.elements !== undefined && work.stream !== undefined)
    return { value: perSecond(4 * ARRAYS[work.stream] * work.elements), unit: 'GB/s' };
  if (work.elements !== undefined) return { value: perSecond(work.elements), unit: 'G elements/s' };
  if (work.samples !== undefined) return { value: (work.samples / ms) * 1000, unit: 'samples/s' };
  return undefined;
}
