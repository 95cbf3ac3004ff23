/** Whether a long run stayed as it began: its first tenth against its last. */

export interface Observation {
  readonly done: number;
  readonly ms: number;
  /** Linear memory. */
  readonly heapBytes: number;
  readonly bytesInUse: number;
  readonly processBytes: number;
}

export interface Observations {
  readonly turns: number;
  readonly seen: readonly Observation[];
  readonly threads: number;
  /** Of tensors, when everything was dropped and collected. */
  readonly bytesLeft: number;
  readonly storagesLeft: number;
}

export interface Verdict {
  readonly what: string;
  readonly first: number;
  readonly last: number;
  readonly unit: string;
  readonly good: boolean;
}

/** Memory may be this much more at the end. */
const MEMORY = 1.02;
/** Time may: machines have other things to do, too. */
const TIME = 1.1;
/** Storages of up to 1 KB are not looked for one by one; so many may be left. */
const TINY_STORAGES = 4096;
const TINY_BYTES = 1024;

const peak = (list: readonly Observation[], of: 'heapBytes' | 'processBytes'): number =>
  Math.max(...list.map((one) => one[of]));

/** Milliseconds of a turn: the quicker quarter, which is what the machine can do when it is left alone. */
function turnMs(seen: readonly Observation[], from: number, to: number): number {
  const gaps: number[] = [];
  for (let i = Math.max(1, from); i < to; i++) {
    const { done, ms } = seen[i - 1];
    gaps.push((seen[i].ms - ms) / (seen[i].done - done));
  }
  gaps.sort((a, b) => a - b);
  return gaps[Math.floor(gaps.length / 4)];
}

export function judge({ seen, bytesLeft, storagesLeft }: Observations, processIs: string): Verdict[] {
  const tenth = Math.floor(seen.length / 10);
  const first = seen.slice(0, tenth);
  const last = seen.slice(-tenth);
  const compare = (what: string, a: number, b: number, unit: string, limit: number): Verdict => ({
    what,
    first: a,
    last: b,
    unit,
    good: b <= a * limit,
  });
  return [
    compare('linear memory', peak(first, 'heapBytes') / 1e6, peak(last, 'heapBytes') / 1e6, 'MB', MEMORY),
    compare(processIs, peak(first, 'processBytes') / 1e6, peak(last, 'processBytes') / 1e6, 'MB', MEMORY),
    compare('a turn', turnMs(seen, 0, tenth), turnMs(seen, seen.length - tenth, seen.length), 'ms', TIME),
    {
      what: 'left behind',
      first: 0,
      last: storagesLeft,
      unit: 'storages',
      good: storagesLeft <= TINY_STORAGES && bytesLeft <= TINY_STORAGES * TINY_BYTES,
    },
  ];
}
