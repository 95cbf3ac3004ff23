/** What a benchmark is, and what measuring one gives. No file of the suite imports anything of Node. */
import type { Tensor } from 'wasmgrad';
import type { FileSource } from 'wasmgrad/vision';

export const GROUPS = [
  'matmul',
  'elementwise',
  'reductions',
  'rows',
  'convolution',
  'training',
  'epoch',
  'overhead',
  'threads',
  'start',
  'memory',
] as const;
export type Group = (typeof GROUPS)[number];

/** How one call of a benchmark uses memory: what it reads and writes once per element, if that is all it does. */
export type Stream = 'read' | 'copy' | 'add';

/** What one call amounts to; it makes times into rates, and rates into percents of the machine's limit. */
export interface Work {
  /** Multiplications and additions. */
  readonly flops?: number;
  readonly elements?: number;
  /** Set where memory is the limit: the pattern whose bandwidth is the limit. */
  readonly stream?: Stream;
  readonly samples?: number;
}

/** Something to call over and over. Its result, if it gives one, is checksummed once, and awaited on other devices. */
export interface Job {
  readonly run: () => Tensor | undefined;
  readonly close?: () => void | Promise<void>;
}

/** What a benchmark that times itself found. */
export interface Observation {
  readonly samples: readonly number[];
  readonly unit: Unit;
  /** One sentence beside the figure. */
  readonly note?: string;
  readonly checksum?: string;
}

export type Unit = 'ms' | 'MB' | '%';

interface Named {
  readonly group: Group;
  /** Unique within the group. */
  readonly name: string;
  readonly work?: Work;
  /** Why this benchmark cannot run in this setting; undefined if it can. */
  readonly unable?: (setting: Setting) => string | undefined;
}

/** Called many times per sample; all of a group take turns, so that what disturbs the machine disturbs them alike. */
export interface Timed extends Named {
  readonly prepare: (setting: Setting) => Job | Promise<Job>;
}

/** Measures by itself: a process that starts, the memory that it takes. */
export interface Probe extends Named {
  readonly observe: (setting: Setting) => Promise<Observation>;
}

export type Benchmark = Timed | Probe;

/** What the suite needs from where it runs, and cannot do by itself in the same way in Node and in pages. */
export interface Host {
  /** A worker that runs `source`, a script that uses `onmessage` and `postMessage`; undefined: there are no workers. */
  readonly newWorker?: (source: string) => BenchWorker;
  /** MNIST's two training files (idx). Without it the epoch runs on pictures of the same size and density. */
  readonly mnist?: () => Promise<{ readonly images: FileSource; readonly labels: FileSource }>;
  /** Milliseconds from the start of a fresh program (Node: process, page: import) to the end of its first step. */
  readonly firstStep?: (threads: number) => Promise<number>;
  /** Megabytes that a fresh program holds at most, up to and including each of `epochs` epochs of the tutorial. */
  readonly peakMemory?: (
    epochs: number,
    threads: number,
    tiny: boolean,
  ) => Promise<{ MB: number[]; what: string }>;
  readonly cores: number;
}

export interface BenchWorker {
  post(message: unknown): void;
  /** Resolves with the next message. */
  next(): Promise<unknown>;
  end(): void;
}

export interface Setting {
  readonly device: string;
  readonly threads: number;
  /** The smallest sizes that still mean something: to see that everything works. */
  readonly tiny: boolean;
  readonly host: Host;
}

/** A rate or a limit, with its unit. */
export interface Rate {
  readonly value: number;
  readonly unit: string;
}

export interface Result {
  readonly group: Group;
  readonly name: string;
  readonly threads: number;
  readonly unit: Unit;
  readonly median: number;
  /** The quartiles; half of the samples lie between them. */
  readonly q1: number;
  readonly q3: number;
  readonly fastest: number;
  readonly samples: number;
  readonly rate?: Rate;
  /** What the machine can do at most, measured in the same run, and the part of it that was reached. */
  readonly limit?: Rate & { readonly percent: number };
  /** Of the bits of the result. */
  readonly checksum?: string;
  readonly note?: string;
}

/** A benchmark that did not run, and why. */
export interface Skipped {
  readonly group: Group;
  readonly name: string;
  readonly threads: number;
  readonly skipped: string;
}
