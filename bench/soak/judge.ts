/** Whether a long run stayed as it began: its first tenth against its last. */

export interface Memory {
  /** Linear memory. */
  readonly heapBytes: number;
  /** What of it storages take: those that are held, and those that are dropped and not yet found. */
  readonly bytesInUse: number;
  /** JavaScript's heap. */
  readonly scriptBytes: number;
  /** Resident bytes of the process. */
  readonly processBytes: number;
}

/** Memory after so many turns: as it was found, and after collections. */
export interface Look {
  readonly done: number;
  readonly running: Memory;
  readonly collected: Memory;
}

/** The time of a stretch of turns, the last of which is turn `done`. */
export interface Gap {
  readonly done: number;
  readonly turns: number;
  readonly ms: number;
}

export interface Observations {
  readonly turns: number;
  readonly gaps: readonly Gap[];
  readonly looks: readonly Look[];
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
  /** null: shown, but not judged. */
  readonly good: boolean | null;
}

/** Memory may be this much more at the end. */
const MEMORY = 1.02;
/** Time may: machines have other things to do, too. */
const TIME = 1.1;
/** Storages of up to 1 KB are not looked for one by one; so many may be left. */
const TINY_STORAGES = 4096;
const TINY_BYTES = 1024;

/** Milliseconds of a turn: the quicker quarter, which is what the machine can do when it is left alone. */
function turnMs(gaps: readonly Gap[]): number {
  const sorted = gaps.map(({ ms, turns }) => ms / turns).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 4)];
}

/**
 * Linear memory is judged as it is found, at its highest. How far an engine lets JavaScript's heap fill up before it
 * collects is the engine's choice: the heap and the process are judged after collections, and there at their lowest, which
 * a leak raises as well, since tables of the engine's and compiled code come and go.
 */
export function judge({ turns, gaps, looks, bytesLeft, storagesLeft }: Observations): Verdict[] {
  const firstLooks = looks.filter(({ done }) => done <= turns / 10);
  const lastLooks = looks.filter(({ done }) => done >= turns - turns / 10);
  const compare = (what: string, choose: typeof Math.max, bytes: (look: Look) => number): Verdict => {
    const [first, last] = [firstLooks, lastLooks].map((list) => choose(...list.map(bytes)) / 1e6);
    return { what, first, last, unit: 'MB', good: last <= first * MEMORY };
  };
  const running = (what: string, of: keyof Memory) => compare(what, Math.max, (look) => look.running[of]);
  const collected = (what: string, of: keyof Memory) => compare(what, Math.min, (look) => look.collected[of]);
  const shown = (verdict: Verdict): Verdict => ({ ...verdict, good: null });
  const firstMs = turnMs(gaps.filter(({ done }) => done <= turns / 10));
  const lastMs = turnMs(gaps.filter(({ done }) => done > turns - turns / 10));
  return [
    running('linear memory', 'heapBytes'),
    collected("JavaScript's heap, collected", 'scriptBytes'),
    collected('resident set, collected', 'processBytes'),
    shown(running('resident set', 'processBytes')),
    shown(running("JavaScript's heap", 'scriptBytes')),
    shown(running('tensors, held or not yet found dropped', 'bytesInUse')),
    shown(collected('tensors held', 'bytesInUse')),
    { what: 'a turn', first: firstMs, last: lastMs, unit: 'ms', good: lastMs <= firstMs * TIME },
    {
      what: 'left behind',
      first: 0,
      last: storagesLeft,
      unit: 'storages',
      good: storagesLeft <= TINY_STORAGES && bytesLeft <= TINY_STORAGES * TINY_BYTES,
    },
  ];
}
