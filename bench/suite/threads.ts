/** What it costs to hand work to the threads, and what threads lose when others use the cores. */
import * as torch from 'wasmgrad';
import { detectHost } from '../../src/backend/wasm/host.ts';
import { createModule } from '../../src/backend/wasm/module.ts';
import { Pool } from '../../src/backend/wasm/pool.ts';
import { workerSource } from '../../src/generated/worker.ts';
import { seeded } from './inputs.ts';
import { mlp } from './networks.ts';
import { median } from './statistics.ts';
import type { BenchWorker, Observation, Probe, Setting } from './types.ts';
import { assemble, op } from './wasmText.ts';

/** A kernel that does nothing: what is left is the cost of handing it out. */
interface Empty {
  heapBase(): number;
  nothing(pointer: number, begin: number, end: number): void;
}

function emptyKernel(): Uint8Array {
  return assemble(
    [
      { name: 'heapBase', parameters: 0, returnsI32: true, body: op.i32(0) },
      { name: 'nothing', parameters: 3, body: [] },
    ],
    { pages: 1, imported: true },
  );
}

const now = () => performance.now();

function idle(ms: number): void {
  const until = now() + ms;
  while (now() < until);
}

interface Dispatch {
  readonly name: string;
  readonly repeats: number;
  /** Jobs per sample, one after the other. */
  readonly jobs: number;
  /** Milliseconds without work before each sample. */
  readonly gap: number;
}
const DISPATCHES: readonly Dispatch[] = [
  { name: 'dispatch to workers that are awake', repeats: 200, jobs: 500, gap: 0 },
  { name: 'dispatch 20 µs after the last one', repeats: 2000, jobs: 1, gap: 0.02 },
  { name: 'dispatch to workers that are asleep', repeats: 600, jobs: 1, gap: 1 },
];

async function dispatch(
  { repeats, jobs, gap }: Dispatch,
  threads: number,
  tiny: boolean,
): Promise<Observation> {
  const bytes = emptyKernel();
  const module = createModule<Empty>({ simd: () => bytes, relaxed: () => bytes });
  const pool = new Pool(module, { host: detectHost(), workerSource });
  const there = await pool.start(threads);
  const samples: number[] = [];
  try {
    for (let i = 0; i < 200; i++) pool.run('nothing', [0], there, 1);
    for (let i = 0; i < (tiny ? 3 : repeats); i++) {
      if (gap > 0) idle(gap);
      const start = now();
      for (let j = 0; j < jobs; j++) pool.run('nothing', [0], there, 1);
      samples.push((now() - start) / jobs);
    }
  } finally {
    await pool.stop();
  }
  return { samples, unit: 'ms', note: `one empty piece for each of ${there} threads` };
}

const BUSY = 'let x = 1; onmessage = () => { for (;;) x = Math.sin(x) + 1; };';

/**
 * The tutorial's step on one thread and on all, taking turns, while a program beside it keeps every core busy. A
 * sample is the loss in percent: 0 means that threads neither gain nor lose.
 */
async function neighbour(setting: Setting): Promise<Observation> {
  const { host, threads, tiny } = setting;
  const step = seeded(() => mlp(setting));
  const busy: BenchWorker[] = Array.from({ length: host.cores }, () => host.newWorker!(BUSY));
  const seconds: Record<'alone' | 'all', number[]> = { alone: [], all: [] };
  const samples: number[] = [];
  try {
    for (const worker of busy) worker.post(null);
    for (let round = 0; round < (tiny ? 1 : 7); round++) {
      for (const kind of ['alone', 'all'] as const) {
        await torch.init({ threads: kind === 'alone' ? 1 : threads });
        const start = now();
        let steps = 0;
        do {
          step();
          steps++;
        } while (now() - start < (tiny ? 0 : 500));
        seconds[kind].push((now() - start) / steps);
      }
      samples.push(100 * (seconds.all[round] / seconds.alone[round] - 1));
    }
  } finally {
    for (const worker of busy) worker.end();
    await torch.init({ threads });
  }
  const ms = (kind: 'alone' | 'all') => median(seconds[kind]).toFixed(2);
  const note = `MLP step beside ${host.cores} busy threads: ${ms('alone')} ms on one thread, ${ms('all')} ms on ${threads}`;
  return { samples, unit: '%', note };
}

const needsThreads = ({ threads, host }: Setting): string | undefined => {
  if (threads < 2) return 'needs two threads';
  return host.newWorker ? undefined : 'this host makes no workers';
};

export function threads({ tiny }: Setting): Probe[] {
  return [
    ...DISPATCHES.map(
      (one): Probe => ({
        group: 'threads',
        name: one.name,
        unable: needsThreads,
        observe: ({ threads: count }) => dispatch(one, count, tiny),
      }),
    ),
    {
      group: 'threads',
      name: 'loss against one thread beside a busy neighbour',
      unable: needsThreads,
      observe: neighbour,
    },
  ];
}
