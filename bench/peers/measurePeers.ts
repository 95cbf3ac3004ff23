/** Libraries take turns at the same work: what disturbs the machine disturbs them alike. */
import { setTimeout as pause } from 'node:timers/promises';
import { median, quantile } from '../suite/statistics.ts';
import { type Digest, firstStep, Peer, type PeerKind } from './peer.ts';
import { SIZES, type Work } from './works.ts';

export interface Figure {
  readonly work: string;
  readonly peer: string;
  readonly threads: number;
  readonly unit: 'ms' | 'MB';
  readonly median: number;
  readonly q1: number;
  readonly q3: number;
  readonly fastest: number;
  /** Why the figure is not quite what the others are. */
  readonly note?: string;
}
/** A library that cannot do some work, and why. */
export interface Unable {
  readonly work: string;
  readonly peer: string;
  readonly threads: number;
  readonly unable: string;
}
export type Entry = Figure | Unable;

export interface Effort {
  readonly rounds: number;
  readonly sampleMs: number;
  /** For the engine to optimise before anything is measured. */
  readonly warmMs: number;
  readonly epochs: number;
  readonly starts: number;
  /** Steps that slow libraries make instead of an epoch. */
  readonly slowSteps: number;
}
export const QUICK: Effort = { rounds: 3, sampleMs: 8, warmMs: 100, epochs: 2, starts: 3, slowSteps: 4 };
export const FULL: Effort = { rounds: 11, sampleMs: 12, warmMs: 250, epochs: 3, starts: 5, slowSteps: 3 };

/** Threads of the library before may still be looking for work. */
const SETTLE_MS = 3;
/** Work whose first call, in memory never touched and not optimised, takes longer is measured without a warm-up. */
const LONG_CALL_MS = 1000;
/** Results may differ by the order of sums. */
const TOLERANCE = 2e-3;
const LOSS_TOLERANCE = 2e-3;
/** Of an epoch that would take longer only a part is made. */
const LONG_EPOCH_MS = 10_000;
const PART_MS = 2500;

function figure(
  work: string,
  kind: PeerKind,
  samples: readonly number[],
  rest: Partial<Figure> = {},
): Figure {
  return {
    work,
    peer: kind.name,
    threads: kind.threads,
    unit: 'ms',
    median: median(samples),
    q1: quantile(samples, 0.25),
    q3: quantile(samples, 0.75),
    fastest: Math.min(...samples),
    ...rest,
  };
}

/** That a library cannot do some work is a result; that ours cannot is a mistake. @throws Error in that case */
function unable(work: string, { name, threads }: PeerKind, reason: string): Unable {
  if (name === 'wasmgrad') throw new Error(`${work}: wasmgrad failed: ${reason}`);
  return { work, peer: name, threads, unable: reason };
}

/** How far two results lie apart, as a part of their size. */
function distance(a: Digest, b: Digest): number {
  if (a.count !== b.count) return Number.POSITIVE_INFINITY;
  const scale = Math.max(a.size, 1e-30);
  return Math.max(
    Math.abs(a.size - b.size) / scale,
    ...a.probes.map((value, i) => Math.abs(value - b.probes[i]) / scale),
  );
}

/** The first of the peers, which is wasmgrad, is what the others' results are compared with. */
export async function measureWork(work: Work, peers: readonly Peer[], effort: Effort): Promise<Entry[]> {
  const entries: Entry[] = [];
  const able: { peer: Peer; count: number; digest: Digest; samples: number[] }[] = [];
  for (const peer of peers) {
    if (work.heavy && peer.kind.slow) continue;
    type Prepared = { ms: number; digest: Digest; unable?: string };
    const reply = await peer.ask<Prepared>('prepare', work.spec).catch((error: Error) => ({
      unable: error.message.split('\n')[0],
      ms: 0,
      digest: { count: 0, size: 0, probes: [] },
    }));
    if (reply.unable !== undefined) {
      entries.push(unable(work.name, peer.kind, reply.unable));
      continue;
    }
    const { ms } =
      reply.ms < LONG_CALL_MS ? await peer.ask<{ ms: number }>('warm', { ms: effort.warmMs }) : reply;
    const count = Math.max(1, Math.ceil(effort.sampleMs / Math.max(ms, 1e-5)));
    able.push({ peer, count, digest: reply.digest, samples: [] });
  }
  for (let round = 0; round < effort.rounds; round++) {
    for (const { peer, count, samples } of able) {
      await pause(SETTLE_MS);
      samples.push((await peer.ask<{ ms: number }>('sample', { count })).ms);
    }
  }
  for (const { peer, samples, digest } of able) {
    const apart = distance(able[0].digest, digest);
    const note = apart > TOLERANCE ? `its result differs by ${(100 * apart).toPrecision(2)} %` : undefined;
    entries.push(figure(work.name, peer.kind, samples, note ? { note } : {}));
  }
  return entries;
}

export interface MnistFiles {
  readonly images: string;
  readonly labels: string;
  /** int32 positions of the samples in the order in which they are trained on. */
  readonly order: string;
  readonly batch: number;
}

export const EPOCH = 'tutorial, one epoch of 55,000';
export const MEMORY = 'tutorial, most memory of the process';
export const LOADER = 'tutorial, one epoch through torch’s DataLoader';
export const START = 'process start to the end of the first step';

/** Epochs of the tutorial in fresh processes, in turn, and the memory that they took. `keep` hears of every round. */
export async function measureEpochs(
  kinds: readonly PeerKind[],
  files: MnistFiles,
  samples: number,
  effort: Effort,
  keep: (entries: Entry[]) => void,
): Promise<void> {
  const steps = Math.ceil(samples / files.batch);
  const all: Trainee[] = [];
  for (const kind of kinds) {
    const peer = new Peer(kind);
    try {
      const { loss, ms } = await begin(peer, files, effort.slowSteps);
      const whole = (ms * steps) / effort.slowSteps <= LONG_EPOCH_MS;
      const made = whole ? steps : Math.max(effort.slowSteps, Math.round((PART_MS * effort.slowSteps) / ms));
      all.push({ peer, steps: made, first: loss, times: [], losses: [] });
    } catch (error) {
      keep([unable(EPOCH, kind, (error as Error).message.split('\n')[0])]);
      await peer.end();
    }
  }
  for (let epoch = 0; epoch < effort.epochs; epoch++) {
    for (const one of all) {
      await pause(SETTLE_MS);
      const { ms, loss } = await one.peer.ask<Trained>('epoch', { first: epoch * steps, steps: one.steps });
      one.times.push((ms * steps) / one.steps);
      one.losses.push(loss);
      const { MB } = await one.peer.ask<{ MB: number }>('memory');
      const note = trainingNote(one, all[0], steps);
      const memory = figure(MEMORY, one.peer.kind, [MB], { unit: 'MB' });
      keep([figure(EPOCH, one.peer.kind, one.times, { note }), ...(one.steps === steps ? [memory] : [])]);
    }
  }
  await Promise.all(all.map(({ peer }) => peer.end()));
}

interface Trained {
  readonly ms: number;
  readonly loss: number;
}

interface Trainee {
  readonly peer: Peer;
  /** Per sample: an epoch's, or fewer for slow libraries. */
  readonly steps: number;
  /** The loss of the first few steps, which all have in common. */
  readonly first: number;
  readonly times: number[];
  readonly losses: number[];
}

/** Network, data, and a few steps that are not timed. */
async function begin(peer: Peer, files: MnistFiles, steps: number): Promise<Trained> {
  await peer.ask('train', { files, sizes: SIZES });
  return peer.ask<Trained>('epoch', { first: 0, steps });
}

function trainingNote({ steps, first, losses }: Trainee, ours: Trainee, epoch: number): string {
  const whole = steps === epoch;
  const distances = whole ? losses.map((loss, i) => Math.abs(loss - ours.losses[i])) : [];
  const apart = Math.max(Math.abs(first - ours.first), ...distances);
  const text = whole
    ? `losses ${losses.map((loss) => loss.toFixed(4)).join(', ')}`
    : `from ${steps} steps at a time`;
  return apart > LOSS_TOLERANCE ? `${text}; its losses differ by up to ${apart.toFixed(4)}` : text;
}

/** PyTorch's epoch as a program has it that uses its DataLoader. */
export async function measureLoader(
  kinds: readonly PeerKind[],
  files: MnistFiles,
  steps: number,
  epochs: number,
) {
  const entries: Entry[] = [];
  for (const kind of kinds) {
    const peer = new Peer(kind);
    const times: number[] = [];
    try {
      await peer.ask('train', { files, sizes: SIZES, loader: true });
      for (let epoch = 0; epoch < epochs; epoch++)
        times.push((await peer.ask<{ ms: number }>('epoch', { first: epoch * steps, steps })).ms);
      entries.push(figure(LOADER, kind, times));
    } finally {
      await peer.end();
    }
  }
  return entries;
}

export async function measureStarts(kinds: readonly PeerKind[], effort: Effort): Promise<Entry[]> {
  const entries: Entry[] = [];
  const times = kinds.map((): number[] => []);
  const failed = new Set<PeerKind>();
  for (let round = 0; round < effort.starts; round++) {
    for (const [i, kind] of kinds.entries()) {
      if (failed.has(kind)) continue;
      try {
        times[i].push(await firstStep(kind));
      } catch (error) {
        failed.add(kind);
        entries.push(unable(START, kind, (error as Error).message.split('\n')[0]));
      }
    }
  }
  const done = kinds.flatMap((kind, i) => (failed.has(kind) ? [] : [figure(START, kind, times[i])]));
  return [...entries, ...done];
}
