/** Timing that can be believed: warm-up, rounds in which all benchmarks take turns, medians and quartiles. */
import * as torch from 'wasmgrad';
import { checksum } from './checksum.ts';
import { type Limits, rateOf } from './limits.ts';
import { summarize } from './statistics.ts';
import type { Job, Result, Setting, Timed, Work } from './types.ts';

export interface Effort {
  /** Samples of each benchmark. */
  readonly rounds: number;
  /** A sample lasts at least this long, so that the clock's grain and single interrupts do not count. */
  readonly sampleMs: number;
  /** For the engine to optimise before a benchmark is measured, at least; it takes longer where others use the cores. */
  readonly warmMs: number;
  /** How long each of the machine's limits is looked for. */
  readonly limitMs: number;
}

export const FULL: Effort = { rounds: 11, sampleMs: 25, warmMs: 200, limitMs: 80 };
export const QUICK: Effort = { rounds: 5, sampleMs: 8, warmMs: 120, limitMs: 40 };
export const SMOKE: Effort = { rounds: 2, sampleMs: 0, warmMs: 0, limitMs: 0 };

/** Milliseconds below which no single measurement means anything. */
const SHORTEST = 1e-5;

/** Calls before anything is measured; the result of the last one is what the checksum is of. */
const WARM_UP_CALLS = 3;

/** A benchmark is warm when so many samples in a row were not clearly faster than the ones before … */
const STEADY_SAMPLES = 4;
const CLEARLY_FASTER = 0.97;
/** … or after so many times `warmMs`: some never settle. */
const MOST_WARMING = 5;

const now = (): number => performance.now();

/** Milliseconds per call. Devices with a queue are waited for once, at the end. */
async function time(job: Job, count: number, device: string): Promise<number> {
  const start = now();
  let last: ReturnType<Job['run']>;
  for (let i = 0; i < count; i++) last = job.run();
  if (device !== 'cpu') await last?.read();
  return (now() - start) / count;
}

interface Prepared {
  readonly timed: Timed;
  readonly job: Job;
  readonly count: number;
  readonly checksum?: string;
  readonly samples: number[];
  /** Milliseconds that the GPU says it computed for in all samples, where it tells. */
  gpu: number;
}

/** What the GPU says it has computed for so far, where it tells. */
const gpuClock = (): number | null => torch.backendInfo().webgpu?.milliseconds ?? null;

/** Runs a benchmark until it gets no faster. Resolves with how many calls make a sample. */
async function warmUp(job: Job, setting: Setting, { sampleMs, warmMs }: Effort): Promise<number> {
  const start = now();
  let fastest = Infinity;
  let count = 1;
  for (let steady = 0; ; ) {
    const once = Math.max(await time(job, count, setting.device), SHORTEST);
    count = Math.max(1, Math.ceil(sampleMs / once));
    steady = once < CLEARLY_FASTER * fastest ? 0 : steady + 1;
    fastest = Math.min(fastest, once);
    const spent = now() - start;
    if (spent >= MOST_WARMING * warmMs || (spent >= warmMs && steady >= STEADY_SAMPLES)) return count;
  }
}

async function prepare(timed: Timed, setting: Setting, effort: Effort): Promise<Prepared> {
  const job = await timed.prepare(setting);
  let result: ReturnType<Job['run']>;
  for (let i = 0; i < WARM_UP_CALLS; i++) result = job.run();
  const sum = result && checksum(await result.read());
  const count = await warmUp(job, setting, effort);
  return { timed, job, count, checksum: sum, samples: [], gpu: 0 };
}

/** A figure with its rate and limit. */
export async function describe(
  work: Work | undefined,
  samples: readonly number[],
  setting: Setting,
  limits: Limits,
): Promise<Pick<Result, 'rate' | 'limit' | 'median' | 'q1' | 'q3' | 'fastest' | 'samples'>> {
  const summary = summarize(samples);
  // Clocks of pages may stand still for 0.1 ms: no time at all would be no rate.
  const rate = work && rateOf(work, Math.max(summary.median, SHORTEST));
  const most = work && setting.device === 'cpu' ? await limits.of(work, setting.threads) : undefined;
  const limit = rate && most ? { ...most, percent: (100 * rate.value) / most.value } : undefined;
  return { ...summary, ...(rate ? { rate } : {}), ...(limit ? { limit } : {}) };
}

/** Measures benchmarks of one group together. `onRound` hears of progress, from 0 to 1. */
export async function measure(
  group: readonly Timed[],
  setting: Setting,
  effort: Effort,
  limits: Limits,
  onRound: (done: number) => void,
): Promise<Result[]> {
  const all: Prepared[] = [];
  for (const timed of group) {
    all.push(await prepare(timed, setting, effort));
    onRound((0.3 * all.length) / group.length);
  }
  for (let round = 0; round < effort.rounds; round++) {
    for (const one of all) {
      const before = gpuClock() ?? 0;
      one.samples.push(await time(one.job, one.count, setting.device));
      one.gpu += (gpuClock() ?? 0) - before;
    }
    onRound(0.3 + (0.7 * (round + 1)) / effort.rounds);
  }
  const results: Result[] = [];
  for (const { timed, job, count, samples, checksum, gpu } of all) {
    await job.close?.();
    const figures = await describe(timed.work, samples, setting, limits);
    results.push({
      group: timed.group,
      name: timed.name,
      threads: setting.threads,
      unit: 'ms',
      ...figures,
      ...(checksum ? { checksum } : {}),
      ...(gpu > 0 ? { note: `${(gpu / (count * samples.length)).toPrecision(3)} ms of it on the GPU` } : {}),
    });
  }
  return results;
}
