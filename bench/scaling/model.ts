/**
 * The α-β model: what training by N processes costs on a network, from two numbers of it. An allreduce of B bytes in c
 * calls by recursive halving and doubling takes A = 2 ⌈log₂ N⌉ α c + 2 (N − 1)/N B/β (Thakur, Rabenseifner and Gropp,
 * "Optimization of Collective Communication Operations in MPICH", 2005; the time of the additions is left out).
 */

export interface Network {
  readonly name: string;
  /** Seconds until a message of no length is there. */
  readonly alpha: number;
  /** Bytes per second. */
  readonly beta: number;
}

export interface Workload {
  readonly name: string;
  /** Bytes of gradients. */
  readonly bytes: number;
  /** Seconds of computing per step, for a process's batch. */
  readonly compute: number;
  /** Gradients leave in so many parts, while the backward pass goes on. */
  readonly buckets: number;
}

/** The library's default. */
export const CALL_BYTES = 2 ** 19;
/** Beyond so many processes, calls of 4 MB: the latency of smaller ones shows. */
const SMALL_GROUP = 16;
const LARGE_CALL_BYTES = 2 ** 22;
/** The part of a step that is the backward pass, behind which communication can hide. */
const BACKWARD = 2 / 3;

export const allReduceSeconds = ({ alpha, beta }: Network, bytes: number, n: number): number => {
  const calls = Math.ceil(bytes / (n > SMALL_GROUP ? LARGE_CALL_BYTES : CALL_BYTES));
  return n === 1 ? 0 : 2 * Math.ceil(Math.log2(n)) * alpha * calls + (2 * (n - 1) * bytes) / n / beta;
};

/** Seconds of a step that are spent waiting: the last bucket always, and what does not fit beside the backward pass. */
export function visibleSeconds(network: Network, work: Workload, compute: number, n: number): number {
  const whole = allReduceSeconds(network, work.bytes, n);
  const hidden = BACKWARD * compute * (1 - 1 / work.buckets);
  return Math.max(whole / work.buckets, whole - hidden);
}

/** The part of N times one process's speed that N processes have, each with the whole batch. */
export function weakEfficiency(network: Network, work: Workload, n: number): number {
  return work.compute / (work.compute + visibleSeconds(network, work, work.compute, n));
}

/** How much faster N processes are that divide the batch. */
export function strongSpeedUp(network: Network, work: Workload, n: number): number {
  const compute = work.compute / n;
  return work.compute / (compute + visibleSeconds(network, work, compute, n));
}

/** α and β of a network from an allreduce by two processes of a small and of a large message (seconds). */
export function fitNetwork(small: readonly [number, number], large: readonly [number, number]): Network {
  // By two processes A = 2 α c + B/β.
  const calls = Math.ceil(large[0] / CALL_BYTES);
  const alpha = small[1] / 2;
  return { name: 'this machine', alpha, beta: large[0] / Math.max(large[1] - 2 * alpha * calls, 1e-9) };
}
