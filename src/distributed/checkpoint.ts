/** Checkpoints of a training by several processes: one file, written by process 0 and read by it for all. */
import { fromTypedArray, tensor, zeros } from '../creation.ts';
import {
  type CheckpointState,
  loadCheckpoint as loadOne,
  saveCheckpoint as saveOne,
} from '../io/checkpoint.ts';
import { defaultGenerator } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import { allGather, allGatherObject, broadcast } from './collectives.ts';
import { DistributedError } from './errors.ts';
import { processGroup } from './group.ts';

/** Holds the processes' random streams in the file. */
const STREAMS = 'wasmgrad.distributed';

/**
 * Saves what a run is made of, as `wasmgrad/io`'s function of this name does, from process 0 (to a temporary file, forced
 * to the disk, renamed), together with the random stream of every process. All processes call it, and go on when the file
 * is there. @throws what that function throws, on every process
 */
export async function saveCheckpoint(path: string, state: CheckpointState): Promise<void> {
  const { rank, size } = processGroup('saveCheckpoint');
  const streams = allGather(defaultGenerator.getState());
  let problem: unknown = null;
  try {
    if (rank === 0) await saveOne(path, { ...state, [STREAMS]: { size, streams } });
  } catch (error) {
    problem = error;
  }
  await agree('saveCheckpoint', problem);
}

/**
 * Restores what it is given, as `wasmgrad/io`'s function of this name does, from a file that only process 0 need see, and
 * continues every process's random stream, if as many processes saved it. All processes call it.
 * @throws what that function throws, on every process
 */
export async function loadCheckpoint<T = Record<string, unknown>>(
  path: string,
  into: CheckpointState = {},
): Promise<T> {
  const { rank, size } = processGroup('loadCheckpoint');
  let problem: unknown = null;
  let bytes = new Uint8Array(0);
  try {
    if (rank === 0) bytes = new Uint8Array(await process.getBuiltinModule('node:fs/promises').readFile(path));
  } catch (error) {
    problem = error;
  }
  await agree('loadCheckpoint', problem);
  const contents = shared(bytes);
  let state: Record<string, unknown> = {};
  try {
    state = await loadOne<Record<string, unknown>>(contents, into);
  } catch (error) {
    problem = error;
  }
  await agree('loadCheckpoint', problem);
  const { [STREAMS]: kept, ...rest } = state;
  const streams = kept as { size: number; streams: Tensor[] } | undefined;
  if (streams?.size === size) defaultGenerator.setState(streams.streams[rank]);
  return rest as T;
}

/** Process 0's bytes, on every process. */
function shared(bytes: Uint8Array): Uint8Array {
  const { rank } = processGroup('loadCheckpoint');
  const length = broadcast(tensor([BigInt(bytes.length)]), 0).item();
  const x = rank === 0 ? fromTypedArray(bytes, [length], {}) : zeros([length], { dtype: 'uint8' });
  const { data } = broadcast(x, 0);
  x.dispose();
  return data as Uint8Array;
}

/** All go on, or none. */
async function agree(op: string, problem: unknown): Promise<void> {
  const message = problem === null ? null : problem instanceof Error ? problem.message : String(problem);
  const messages = allGatherObject(message);
  const rank = messages.findIndex((one) => one !== null);
  if (rank < 0) return;
  if (problem !== null) throw problem;
  throw new DistributedError(`${op}: on rank ${rank}: ${messages[rank]}`);
}
