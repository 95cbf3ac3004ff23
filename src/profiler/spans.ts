/** What a profile is made of. Times are microseconds. */
import type { Sums } from './sums.ts';

/**
 * `kernel`: one call of a backend. `module`: a module's forward. `walk`: a whole backward pass, `backward`: the rule of one
 * node in it. `async`: a wait, which other spans may fall into.
 */
export type SpanKind = 'kernel' | 'module' | 'walk' | 'backward' | 'optimizer' | 'data' | 'user' | 'async';

/** What was done meanwhile. */
export interface Work {
  /** Of the arrays that kernels read and wrote. */
  bytes: number;
  /** Of new storages. */
  allocatedBytes: number;
  /** Multiplications and additions of products and convolutions. */
  flops: number;
  /** Time of kernels, by the part of their work that worker threads did. */
  workersTime: number;
}

/** A bracket that is open. */
export interface Span {
  name: string;
  readonly kind: SpanKind;
  readonly shapes: string | null;
  readonly outer: Span | null;
  start: number;
  /** Time of the spans inside. */
  inner: number;
  readonly before: Work;
  readonly sums: Sums;
  readonly byShape: Sums | null;
  /** Of a node's rule: the path of the module that recorded the node. */
  module?: string | undefined;
}

/** One that is over. */
export interface SpanEvent {
  readonly name: string;
  readonly kind: SpanKind;
  /** On the clock of `performance.now()`, in microseconds. */
  readonly start: number;
  readonly duration: number;
  readonly shapes: string | null;
  readonly done?: Work;
  /** Within a backward pass. */
  readonly backward?: boolean;
  readonly module?: string | undefined;
}
