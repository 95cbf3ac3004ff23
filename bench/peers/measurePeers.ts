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
  readonly epochs: number;
  readonly starts: number;
  /** Steps that slow libraries make instead of an epoch. */
  readonly slowSteps: number;
}
export const QUICK: Effort = { rounds: 3, sampleMs: 8, epochs: 2, starts: 3, slowSteps: 4 };
export const FULL: Effort = { rounds: 7, sampleMs: 25, epochs: 5, starts: 7, slowSteps: 10 };

/** Threads of the library before may still be looking for work. */
const SETTLE_MS = 3;
/** Results may differ by the order of sums. */
const TOLERANCE = 2e-3;

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
    ...rest,
  };
}

const unable = (work: string, { name, threads }: PeerKind, reason: string): Unable => ({
  work,
  peer: name,
  threads,
  unable: reason,
});

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
    let count = 1;
    for (let look = 0; look < 4 && reply.ms < 10 * effort.sampleMs; look++) {
      const { ms } = await peer.ask<{ ms: number }>('sample', { count });
      count = Math.max(1, Math.ceil(effort.sampleMs / Math.max(ms, 1e-5)));
    }
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

/** Epochs of the tutorial in fresh processes, one after the other in turn, and the memory that they took. */
export async function measureEpochs(
  kinds: readonly PeerKind[],
  files: MnistFiles,
  samples: number,
  effort: Effort,
): Promise<Entry[]> {
  const steps = Math.ceil(samples / files.batch);
  const entries: Entry[] = [];
  const training: { peer: Peer; steps: number; times: number[]; losses: number[] }[] = [];
  for (const kind of kinds) {
    const peer = new Peer(kind);
    try {
      await peer.ask('train', { files, sizes: SIZES });
      training.push({ peer, steps: kind.slow ? effort.slowSteps : steps, times: [], losses: [] });
    } catch (error) {
      entries.push(unable(EPOCH, kind, (error as Error).message.split('\n')[0]));
      await peer.end();
    }
  }
  for (let epoch = 0; epoch < effort.epochs; epoch++) {
    for (const one of training) {
      await pause(SETTLE_MS);
      type Trained = { ms: number; loss: number };
      const part = { first: epoch * one.steps, steps: one.steps };
      const { ms, loss } = await one.peer.ask<Trained>('epoch', part);
      one.times.push((ms * steps) / one.steps);
      one.losses.push(loss);
    }
  }
  const [first] = training;
  for (const { peer, times, losses, steps: made } of training) {
    const whole = made === steps;
    const apart = Math.max(...losses.map((loss, i) => Math.abs(loss - first.losses[i])));
    const notes = [
      ...(whole
        ? [`losses ${losses.map((loss) => loss.toFixed(4)).join(', ')}`]
        : [`from ${made} steps at a time`]),
      ...(whole && apart > 0.002 ? [`losses differ by up to ${apart.toFixed(4)}`] : []),
    ];
    entries.push(figure(EPOCH, peer.kind, times, { note: notes.join('; ') }));
    const { MB } = await peer.ask<{ MB: number }>('memory');
    if (whole) entries.push(figure(MEMORY, peer.kind, [MB], { unit: 'MB' }));
    await peer.end();
  }
  return entries;
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
