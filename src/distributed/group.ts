/**
 * The process group: who takes part, how it starts and how it ends. There is one. Whatever way a process leaves, the
 * others must learn of it: a natural end waits for all, everything else ends all.
 */
import { limitAutoThreads } from '../backend/registry.ts';
import { ArgumentError } from '../core/errors.ts';
import { DistributedError } from './errors.ts';
import { isLaunched } from './launcher.ts';
import { type MpiTransport, startMpi } from './mpi.ts';
import { processorShare } from './processors.ts';
import { gatherTexts } from './texts.ts';
import type { Transport } from './transport.ts';
import { WorkQueue } from './work.ts';

export type BackendName = 'mpi' | 'none';

export interface ProcessGroupOptions {
  /**
   * 'mpi': the processes that an MPI launcher started. 'none': this process alone, every collective is the identity.
   * Default: 'mpi' if a launcher started this process, else 'none'.
   */
  backend?: BackendName;
  /** How long a collective waits for the others, in milliseconds. Default 30 minutes. */
  timeoutMs?: number;
  /** File name of the MPI library. Default: the environment's WASMGRAD_MPI_LIBRARY, or what suits the launcher. */
  library?: string;
  /**
   * Large tensors go in calls of this many MB. Default 0.5: what a processor's cache holds, for processes of one machine,
   * and enough for a network of up to some 16 machines; 4 beyond.
   */
  chunkMb?: number;
  /** Compare op, shape and dtype of every collective across the processes first: slow, for finding a mistake. */
  debug?: boolean;
}

export interface ProcessGroup {
  readonly backend: BackendName;
  readonly rank: number;
  readonly size: number;
  readonly localRank: number;
  readonly localSize: number;
  /** All are on one machine, which has a core for each. */
  readonly together: boolean;
  /** null where there is nobody to talk to. */
  readonly transport: Transport | null;
  readonly queue: WorkQueue;
  readonly chunkBytes: number;
  readonly debug: boolean;
}

/** Half an hour, as PyTorch's. Longer than what any launcher needs to notice that a machine is gone. */
const DEFAULT_TIMEOUT_MS = 1_800_000;
/** After this long at the end, say what is being waited for. */
const PATIENCE_MS = 10_000;
/** What a launcher needs to pass on a line. */
const PASSING_ON_MS = 100;

let current: ProcessGroup | null = null;
/** MPI can be started and ended once in a process. */
let mpiEnded = false;
/** Ends what the group stands on. */
let end = (): void => {};

/** The group. @throws DistributedError if there is none */
export function processGroup(op: string): ProcessGroup {
  if (current !== null) return current;
  throw new DistributedError(
    `${op}: Default process group has not been initialized, please make sure to call initProcessGroup.`,
  );
}

/**
 * Starts the process group: every process of a training calls it once, before any other function of this module.
 * The processes of one machine share its cores: each takes its part as threads, unless `init` asks for a number.
 * @throws DistributedError if there is a group already, or MPI cannot be started (the message says what is missing)
 */
export function initProcessGroup(options: ProcessGroupOptions = {}): void {
  const {
    backend = isLaunched() ? 'mpi' : 'none',
    timeoutMs = DEFAULT_TIMEOUT_MS,
    chunkMb = 0.5,
    library,
  } = options;
  if (backend !== 'mpi' && backend !== 'none')
    throw new ArgumentError(`initProcessGroup: backend must be 'mpi' or 'none', but got ${String(backend)}`);
  for (const [name, value] of Object.entries({ timeoutMs, chunkMb }))
    if (!(value > 0)) throw new ArgumentError(`initProcessGroup: ${name} must be positive, but got ${value}`);
  if (current !== null)
    throw new DistributedError('initProcessGroup: trying to initialize the default process group twice!');
  const debug = options.debug ?? process.env.WASMGRAD_DISTRIBUTED_DEBUG === 'detail';
  const shared = { backend, debug, chunkBytes: Math.round(chunkMb * 2 ** 20) };
  if (backend === 'none') {
    const queue = new WorkQueue(timeoutMs, 'rank 0 of 1');
    current = {
      ...shared,
      rank: 0,
      size: 1,
      localRank: 0,
      localSize: 1,
      together: true,
      transport: null,
      queue,
    };
    return;
  }
  if (mpiEnded)
    throw new DistributedError('initProcessGroup: MPI has ended in this process; it can be started once');
  const mpi = startMpi({ library, chunkBytes: shared.chunkBytes });
  const queue = new WorkQueue(timeoutMs, `rank ${mpi.rank} of ${mpi.size}`, () => mpi.yieldCore());
  end = guardEnd(mpi, queue);
  const { threads, ...place } = placeInMachine(mpi, queue);
  limitAutoThreads(threads);
  const transport = mpi.size > 1 ? mpi : null;
  current = { ...shared, rank: mpi.rank, size: mpi.size, ...place, transport, queue };
}

function placeInMachine(
  mpi: MpiTransport,
  queue: WorkQueue,
): Pick<ProcessGroup, 'localRank' | 'localSize' | 'together'> & { threads: number } {
  const mine = processorShare();
  const all = gatherTexts(mpi, queue, JSON.stringify([mine.host, mine.allowed])).map(
    (text): [string, string] => JSON.parse(text),
  );
  const neighbours = [...all.keys()].filter((rank) => all[rank][0] === mine.host);
  // Processes that a launcher bound to cores of their own need not divide them.
  const sharing = neighbours.filter((rank) => all[rank][1] === mine.allowed).length;
  const threads = Math.max(1, Math.floor(mine.available / sharing));
  const fair = Math.floor(mine.cores / neighbours.length);
  if (mpi.rank === 0 && threads < fair) {
    console.warn(
      `wasmgrad: each process may use ${threads} of the ${mine.cores} cores, though there are ${fair} for each: the launcher ` +
        'bound the processes to cores. Start Open MPI with --bind-to none, or with --map-by slot:PE=' +
        `${fair}`,
    );
  }
  const localSize = neighbours.length;
  const together = localSize === mpi.size && localSize <= mine.cores;
  return { localRank: neighbours.indexOf(mpi.rank), localSize, together, threads };
}

/** Ends all processes, when the launcher has had time to pass on what this one said: MPICH's forgets it otherwise. */
function abort(mpi: MpiTransport, code: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PASSING_ON_MS);
  mpi.abort(code);
}

/** What the end of this process does to the others. Returns the end that `destroyProcessGroup` makes. */
function guardEnd(mpi: MpiTransport, queue: WorkQueue): () => void {
  const fs = process.getBuiltinModule('node:fs');
  // Written at once: the launcher ends this process before buffers are written.
  const say = (text: string): void => void fs.writeSync(2, `[rank ${mpi.rank}] ${text}\n`);
  const uncaught = (error: unknown): void => {
    if (process.listenerCount('uncaughtException') > 0) return; // The program's own handler decides.
    say(error instanceof Error ? (error.stack ?? String(error)) : `uncaught: ${String(error)}`);
    abort(mpi, 1);
  };
  const atEnd = (): void => {
    if (process.exitCode) {
      say(`the process ends with exit code ${process.exitCode}: all processes are ended`);
      abort(mpi, Number(process.exitCode));
    } else endTogether(mpi, queue, say);
  };
  const atExit = (code: number): void => {
    if (mpiEnded) return;
    say(
      `the process exits with code ${code} before destroyProcessGroup(): the others would wait for ever, so all are ended`,
    );
    abort(mpi, code || 1);
  };
  process.on('uncaughtExceptionMonitor', uncaught);
  process.on('beforeExit', atEnd);
  process.on('exit', atExit);
  return () => {
    endTogether(mpi, queue, say);
    process.off('uncaughtExceptionMonitor', uncaught);
    process.off('beforeExit', atEnd);
    process.off('exit', atExit);
  };
}

/** Ends MPI when every process has come here. If one does not, within the deadline, it is an error on the others. */
function endTogether(mpi: MpiTransport, queue: WorkQueue, say: (text: string) => void): void {
  if (mpiEnded) return;
  if (queue.failure) {
    say(`the process ends after a failure of the group: ${queue.failure.message}`);
    abort(mpi, 1);
  }
  const start = performance.now();
  let told = false;
  const barrier = mpi.barrier();
  const arrived = (): boolean => {
    const done = barrier.test();
    if (!done && !told && performance.now() - start > PATIENCE_MS) {
      told = true;
      say('waiting for the other processes to end');
    }
    return done;
  };
  queue.drain();
  queue.await({ test: arrived }, 'the end of the process group');
  mpiEnded = true;
  mpi.finalize();
}

/**
 * Waits for all processes and ends the group. Called for you when the program ends by itself; needed before
 * `process.exit()`, which otherwise counts as a failure. @throws DistributedTimeoutError if a process does not come
 */
export function destroyProcessGroup(): void {
  processGroup('destroyProcessGroup');
  end();
  end = () => {};
  current = null;
}

export const isInitialized = (): boolean => current !== null;

/** This process's number, from 0. */
export const getRank = (): number => processGroup('getRank').rank;
/** The number of processes. */
export const getWorldSize = (): number => processGroup('getWorldSize').size;
/** This process's number among those of its machine, from 0. */
export const getLocalRank = (): number => processGroup('getLocalRank').localRank;
/** The number of processes on this machine. */
export const getLocalWorldSize = (): number => processGroup('getLocalWorldSize').localSize;
/** Which backend the group has. */
export const getBackend = (): BackendName => processGroup('getBackend').backend;
