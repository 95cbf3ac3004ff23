/**
 * The benchmarks, for any place that runs JavaScript: `listBenchmarks` names them, `runBenchmarks` measures those that
 * a filter leaves and reports them as they are done. Node's command line and the page are two users of it.
 */
import * as torch from 'wasmgrad';
import { convolutions } from './convolution.ts';
import { elementwise, reductions, rows } from './elementwise.ts';
import { epochs } from './epochs.ts';
import { Limits } from './limits.ts';
import { matmul } from './matmul.ts';
import { describe, type Effort, FULL, measure, QUICK, SMOKE } from './measure.ts';
import { overhead } from './overhead.ts';
import { memory, start } from './programs.ts';
import { threads } from './threads.ts';
import { training } from './training.ts';
import {
  type Benchmark,
  GROUPS,
  type Group,
  type Host,
  type Probe,
  type Result,
  type Setting,
  type Skipped,
  type Timed,
} from './types.ts';

export type { BenchWorker, Group, Host, Result, Setting, Skipped } from './types.ts';
export { GROUPS } from './types.ts';

const FAMILIES: Readonly<Record<Group, (setting: Setting) => Benchmark[]>> = {
  matmul,
  elementwise,
  reductions,
  rows,
  convolution: convolutions,
  training,
  epoch: epochs,
  overhead,
  threads,
  start,
  memory,
};

export interface RunOptions {
  readonly host: Host;
  /** Benchmarks whose 'group name' holds one of these words, in any case. Default: all. */
  readonly filter?: readonly string[];
  /** Default: all. */
  readonly groups?: readonly Group[];
  /** Numbers of threads, each measured; 0 stands for all that the machine has. Default [0]. */
  readonly threads?: readonly number[];
  /** Default 'cpu'. */
  readonly device?: string;
  /** full: for figures to keep; quick: to look; smoke: the smallest sizes, once, to see that all of it works. */
  readonly effort?: 'full' | 'quick' | 'smoke';
  readonly onResult?: (result: Result | Skipped) => void;
  /** What is being measured, and the part of it that is done, from 0 to 1. */
  readonly onProgress?: (group: Group, threads: number, done: number) => void;
  /** Between groups: true ends the run. */
  readonly stopped?: () => boolean;
}

const EFFORTS: Readonly<Record<'full' | 'quick' | 'smoke', Effort>> = {
  full: FULL,
  quick: QUICK,
  smoke: SMOKE,
};

const matches = ({ group, name }: Benchmark, filter: readonly string[]): boolean => {
  const text = `${group} ${name}`.toLowerCase();
  return filter.length === 0 || filter.some((word) => text.includes(word.toLowerCase()));
};

const settingOf = ({ host, device = 'cpu', effort = 'full' }: RunOptions, count: number): Setting => ({
  host,
  device,
  threads: count,
  tiny: effort === 'smoke',
});

/** The benchmarks that a filter leaves, by group. */
export function listBenchmarks(options: RunOptions): Map<Group, Benchmark[]> {
  const setting = settingOf(options, 1);
  const list = (options.groups ?? GROUPS).map((group): [Group, Benchmark[]] => [
    group,
    FAMILIES[group](setting).filter((benchmark) => matches(benchmark, options.filter ?? [])),
  ]);
  return new Map(list.filter(([, benchmarks]) => benchmarks.length > 0));
}

/** Measures group by group, each with every number of threads. Resolves with everything that was reported. */
export async function runBenchmarks(options: RunOptions): Promise<(Result | Skipped)[]> {
  const { host, threads: counts = [0], filter = [], onResult, onProgress } = options;
  const effort = EFFORTS[options.effort ?? 'full'];
  const limits = new Limits(host, torch.backendInfo().relaxedSimd, effort.limitMs);
  const all: (Result | Skipped)[] = [];
  const report = (result: Result | Skipped) => {
    all.push(result);
    onResult?.(result);
  };
  for (const group of listBenchmarks(options).keys()) {
    for (const count of counts) {
      if (options.stopped?.()) return all;
      const { threads: available } = await torch.init({ threads: count || 'auto' });
      const setting = settingOf(options, available);
      const wanted = FAMILIES[group](setting).filter((benchmark) => matches(benchmark, filter));
      const able: Benchmark[] = [];
      for (const benchmark of wanted) {
        const reason = benchmark.unable?.(setting);
        if (reason === undefined) able.push(benchmark);
        else report({ group, name: benchmark.name, threads: available, skipped: reason });
      }
      const progress = (done: number) => onProgress?.(group, available, done);
      progress(0);
      const timed = able.filter((benchmark): benchmark is Timed => 'prepare' in benchmark);
      for (const result of await measure(timed, setting, effort, limits, progress)) report(result);
      const probes = able.filter((benchmark): benchmark is Probe => 'observe' in benchmark);
      for (const [i, probe] of probes.entries()) {
        report(await observe(probe, setting, limits));
        progress((i + 1) / probes.length);
      }
    }
  }
  return all;
}

async function observe(probe: Probe, setting: Setting, limits: Limits): Promise<Result> {
  const { samples, unit, note, checksum } = await probe.observe(setting);
  const { group, name, work } = probe;
  const figures = await describe(unit === 'ms' ? work : undefined, samples, setting, limits);
  return { group, name, threads: setting.threads, unit, ...figures, checksum, note };
}
