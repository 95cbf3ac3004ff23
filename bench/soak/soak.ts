/** Runs a work and looks at memory and clock on the way. The same in Node and in pages. */
import * as torch from 'wasmgrad';
import type { Gap, Look, Memory, Observations } from './judge.ts';
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
  /** Bytes of JavaScript's heap that are in use. */
  scriptBytes(): number;
  /** Bytes of the process that are resident. */
  processBytes(): number;
  /** Lets the library find what was dropped, where it can do that inside a job. */
  drop(): void;
  /** Makes the engine collect. */
  collect(): void;
}

/** Stretches whose time is taken. */
const GAPS = 400;
/**
 * Stretches after which memory is looked at, in the first tenth and the last: collections that are asked for make V8 drop
 * and compile code again, and after sixty of them its heap had grown by 0.25 MB.
 */
const LOOKS = 20;
/** Looks that do not count yet, at the end of the warm-up: the first ones shrink an engine's heap. */
const FIRST_LOOKS = 2;
/** Collections before a look, after which engines give free pages back; each makes them compile some code again. */
const COLLECTIONS = 3;
/** Collections, with a turn of the event loop after each, until finalizers have run. */
const FINAL_TURNS = 20;

export async function soak(request: SoakRequest, place: Place): Promise<Observations> {
  const { work: name, loop, scale, threads } = request;
  const work = WORKS.find((one) => one.name === name);
  if (!work) throw new Error(`there is no work '${name}'`);
  await torch.init({ threads });
  torch.manualSeed(1);
  const before = torch.memoryStats();
  const turns = Math.max(GAPS, Math.round(work.turns * scale));
  const observer = new Observer(turns, place);
  const warmUp = Math.round(work.warmUp * scale);
  await (loop === 'sync' ? runSync : runAsync)(work.start(), 1 - warmUp, turns, observer);
  for (let i = 0; i < FINAL_TURNS; i++) {
    place.collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const after = torch.memoryStats();
  return {
    turns,
    gaps: observer.gaps,
    looks: observer.looks,
    threads: torch.backendInfo().threads,
    bytesLeft: after.bytesInUse - before.bytesInUse,
    storagesLeft: after.storages - before.storages,
  };
}

class Observer {
  readonly gaps: Gap[] = [];
  readonly looks: Look[] = [];
  readonly #turns: number;
  readonly #place: Place;
  #start = 0;
  #from = 0;

  constructor(turns: number, place: Place) {
    this.#turns = turns;
    this.#place = place;
  }

  /** After each turn; those of the warm-up are numbered up to 0. */
  after(done: number): void {
    const isLook = this.#ends(done, LOOKS) && this.#isLookedAt(done);
    if (!isLook && (done < 0 || !this.#ends(done, GAPS))) return;
    if (done > 0) this.gaps.push({ done, turns: done - this.#from, ms: performance.now() - this.#start });
    if (isLook) {
      const look = this.#look(done);
      if (done >= 0) this.looks.push(look);
    }
    // A look takes no part in the time.
    this.#from = done;
    this.#start = performance.now();
  }

  #isLookedAt(done: number): boolean {
    const tenth = this.#turns / 10;
    return (done >= -(this.#turns * FIRST_LOOKS) / LOOKS && done <= tenth) || done >= this.#turns - tenth;
  }

  #ends(done: number, parts: number): boolean {
    return Math.floor((done * parts) / this.#turns) > Math.floor(((done - 1) * parts) / this.#turns);
  }

  #look(done: number): Look {
    const running = this.#memory();
    this.#place.drop();
    for (let i = 0; i < COLLECTIONS; i++) this.#place.collect();
    return { done, running, collected: this.#memory() };
  }

  #memory(): Memory {
    const { heapBytes, bytesInUse } = torch.memoryStats();
    return {
      heapBytes,
      bytesInUse,
      scriptBytes: this.#place.scriptBytes(),
      processBytes: this.#place.processBytes(),
    };
  }
}

type Started = ReturnType<(typeof WORKS)[number]['start']>;

function runSync({ turn }: Started, from: number, to: number, observer: Observer): void {
  for (let i = from; i <= to; i++) {
    turn();
    observer.after(i);
  }
}

async function runAsync({ asyncTurn }: Started, from: number, to: number, observer: Observer): Promise<void> {
  for (let i = from; i <= to; i++) {
    await asyncTurn();
    observer.after(i);
  }
}
