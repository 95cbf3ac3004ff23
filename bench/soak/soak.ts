/** Runs a work and looks at memory and clock a few hundred times on the way. The same in Node and in pages. */
import * as torch from 'wasmgrad';
import type { Observation, Observations } from './judge.ts';
import { WORKS } from './works.ts';

export type Loop = 'sync' | 'async';

export interface SoakRequest {
  readonly work: string;
  readonly loop: Loop;
  /** Turns, as a part of the usual number. */
  readonly scale: number;
  readonly threads: number | 'auto';
}

/** What differs between environments. */
export interface Place {
  /** Bytes of the whole process where that can be known, else of JavaScript's heap. */
  processBytes(): number;
  /** Makes the engine collect. */
  collect(): void;
}

const OBSERVATIONS = 400;
/** Turns before the first look, as a part of the others: engines compile, and their heaps take the size they need. */
const WARM_UP = 0.6;
/** Collections, with a turn of the event loop after each, until finalizers have run. */
const FINAL_TURNS = 20;

export async function soak(request: SoakRequest, place: Place): Promise<Observations> {
  const { work: name, loop, scale, threads } = request;
  const work = WORKS.find((one) => one.name === name);
  if (!work) throw new Error(`there is no work '${name}'`);
  await torch.init({ threads });
  torch.manualSeed(1);
  const before = torch.memoryStats();
  const turns = Math.max(OBSERVATIONS, Math.round(work.turns * scale));
  const seen: Observation[] = [];
  let start = 0;
  const observe = (done: number) => {
    if (done === 0) start = performance.now();
    if (done <= 0) return;
    if (Math.floor((done * OBSERVATIONS) / turns) === Math.floor(((done - 1) * OBSERVATIONS) / turns)) return;
    const { heapBytes, bytesInUse } = torch.memoryStats();
    seen.push({
      done,
      ms: performance.now() - start,
      heapBytes,
      bytesInUse,
      processBytes: place.processBytes(),
    });
  };
  const warmUp = Math.round(WARM_UP * turns);
  await (loop === 'sync' ? runSync : runAsync)(work.start(), 1 - warmUp, turns, observe);
  for (let i = 0; i < FINAL_TURNS; i++) {
    place.collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const after = torch.memoryStats();
  return {
    turns,
    seen,
    threads: torch.backendInfo().threads,
    bytesLeft: after.bytesInUse - before.bytesInUse,
    storagesLeft: after.storages - before.storages,
  };
}

type Started = ReturnType<(typeof WORKS)[number]['start']>;

function runSync({ turn }: Started, from: number, to: number, observe: (done: number) => void): void {
  for (let i = from; i <= to; i++) {
    turn();
    observe(i);
  }
}

async function runAsync(
  { asyncTurn }: Started,
  from: number,
  to: number,
  observe: (done: number) => void,
): Promise<void> {
  for (let i = from; i <= to; i++) {
    await asyncTurn();
    observe(i);
  }
}
