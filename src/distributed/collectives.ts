/**
 * The collectives on tensors. Every process calls the same ones in the same order, with tensors of the same shape and
 * dtype. They read and write the tensors where they are; only those with gaps or in another order go by a copy.
 * Large ones go in several calls: libraries stage what they send, and small stages stay in the cache.
 */
import { noGrad } from '../autograd/gradMode.ts';
import type { NDArray } from '../backend/array.ts';
import { WasmBackend } from '../backend/wasm/index.ts';
import { dtypeInfo, isFloating } from '../core/dtype.ts';
import { ArgumentError, DeviceError, DTypeError, ShapeError } from '../core/errors.ts';
import { formatShape, sameShape } from '../core/shape.ts';
import { Tensor } from '../tensor.ts';
import { DistributedError } from './errors.ts';
import { type ProcessGroup, processGroup } from './group.ts';
import type { NativeOp, ReduceOp } from './libraries.ts';
import { hold, parts } from './memory.ts';
import { gatherTexts } from './texts.ts';
import type { Elements, Request, Transport } from './transport.ts';
import { planOf, type Work } from './work.ts';

export interface AsyncOption {
  /** Go on meanwhile: the result is there after `wait()`. The tensors must be left alone until then. */
  async?: boolean;
}
export interface ReduceOptions extends AsyncOption {
  /** Default 'sum'. 'mean' is for floating dtypes; 'band', 'bor' and 'bxor' for integers and bool. */
  op?: ReduceOp;
}

/** Above this a synchronous call is not one that can be given up, but one that MPI makes fast: see `now`. */
const NOW_BYTES = 8 * 1024;

function checkTensor(op: string, x: unknown): asserts x is Tensor {
  if (!(x instanceof Tensor)) throw new ArgumentError(`${op}: expected a Tensor, but got ${String(x)}`);
  if (x.array.backend instanceof WasmBackend) return;
  throw new DeviceError(
    `${op}: expected a tensor on cpu, but got one on ${x.device}; bring it over with await x.read(), or x.to('cpu')`,
  );
}

function checkRank(op: string, what: string, rank: number, size: number): void {
  if (Number.isInteger(rank) && rank >= 0 && rank < size) return;
  throw new ArgumentError(`${op}: ${what} must be a rank from 0 to ${size - 1}, but got ${rank}`);
}

const boolOps: Readonly<Record<Exclude<ReduceOp, 'mean'>, NativeOp>> = {
  sum: 'max',
  product: 'min',
  max: 'max',
  min: 'min',
  band: 'min',
  bor: 'max',
  bxor: 'bxor',
};

/** What MPI is asked for. Bools are bytes of 0 and 1: a sum of them is true if any is. @throws for what has no meaning */
function nativeOp(name: string, op: ReduceOp, x: Tensor): NativeOp {
  if (op !== 'mean' && !Object.hasOwn(boolOps, op)) {
    const known = ['mean', ...Object.keys(boolOps)].join(', ');
    throw new ArgumentError(`${name}: op must be one of ${known}, but got ${String(op)}`);
  }
  const floating = isFloating(x.dtype);
  if (op === 'mean') {
    if (!floating) throw new DTypeError(`${name}: op 'mean' needs a floating dtype, but got ${x.dtype}`);
    return 'sum';
  }
  if (floating && (op === 'band' || op === 'bor' || op === 'bxor'))
    throw new DTypeError(`${name}: op '${op}' needs integers or bool, but got ${x.dtype}`);
  return x.dtype === 'bool' ? boolOps[op] : op;
}

export const nameOf = (op: string, x: Pick<Tensor, 'dtype' | 'shape'>): string =>
  `${op} of a ${x.dtype} tensor ${formatShape(x.shape)}`;

/** Compares what the processes are about to do, and says who does something else. Only in debug mode. */
export function compareCalls(group: ProcessGroup, name: string): void {
  if (!group.debug || group.transport === null) return;
  const names = gatherTexts(group.transport, group.queue, name);
  const other = names.findIndex((n) => n !== names[0]);
  if (other < 0) return;
  group.queue.fail(
    new DistributedError(
      `the processes do different things: rank 0 calls ${names[0]}, rank ${other} calls ${names[other]}`,
    ),
  );
}

/** The tensor's array in row-major order without gaps: itself, or a copy. */
function packed({ array }: Tensor): NDArray {
  if (array.contiguous) return array;
  const copy = array.backend.empty(array.shape, array.dtype);
  array.backend.assign(copy, array);
  return copy;
}

/** Puts what came into a copy where it belongs, and marks the change. */
function unpack(x: Tensor, array: NDArray): void {
  if (array !== x.array) {
    x.array.backend.assign(x.array, array);
    array.storage.free();
  }
  x.array.storage.version++;
}

function divide(x: Tensor, by: number): void {
  noGrad(() => x.detach().div_(by));
}

interface InPlace {
  readonly name: string;
  readonly x: Tensor;
  /** Starts one part. */
  call(transport: Transport, data: Elements): Request;
  /** The same, complete when it returns; null if there is no such call. */
  now: ((transport: Transport, data: Elements) => void) | null;
  /** Whether this process's tensor changes. */
  readonly changes: boolean;
  readonly mean: boolean;
}

/**
 * A collective that changes a tensor in place.
 *
 * A synchronous call of a large tensor by processes of one machine first waits, with the deadline, until every process
 * has come, and then makes MPI's blocking calls, which are up to twice as fast as those that can be asked after. Nothing
 * is lost by it: a process that dies in these milliseconds ends the job through the launcher. Over a network they are
 * not faster, and a thread that waits in one keeps its core from the kernel, which has the network to attend to.
 */
function inPlace(group: ProcessGroup, plan: InPlace, async: true): Work<Tensor>;
function inPlace(group: ProcessGroup, plan: InPlace, async: boolean): Work<Tensor> | Tensor;
function inPlace(group: ProcessGroup, plan: InPlace, async: boolean): Work<Tensor> | Tensor {
  const { transport, queue, chunkBytes } = group;
  const { x, name, call, now, changes, mean } = plan;
  compareCalls(group, name);
  if (transport === null || x.numel() === 0) return async ? queue.add(planOf(name, [], () => x)) : x;
  if (!async) queue.drain(); // What is under way may concern this tensor.
  const array = packed(x);
  const held = hold(transport, array);
  const all = parts(held, chunkBytes);
  const finish = (): Tensor => {
    held.storage.letGo();
    if (changes) unpack(x, array);
    else if (array !== x.array) array.storage.free();
    if (changes && mean) divide(x, group.size);
    return x;
  };
  if (!async && now !== null && group.together && array.size * dtypeInfo[array.dtype].bytes > NOW_BYTES) {
    queue.await(transport.barrier(), name);
    for (const data of all) now(transport, data);
    return finish();
  }
  const calls = all.map((data) => () => call(transport, data));
  const work = queue.add(planOf(name, calls, finish));
  return async ? work : work.wait();
}

/**
 * Combines the processes' tensors element by element, in place: afterwards all have the same result, the same bits.
 * @throws DTypeError, DeviceError, ArgumentError before anything happens; DistributedTimeoutError, DistributedError
 */
export function allReduce(tensor: Tensor, options?: ReduceOptions & { async?: false }): Tensor;
export function allReduce(tensor: Tensor, options: ReduceOptions & { async: true }): Work<Tensor>;
export function allReduce(tensor: Tensor, options?: ReduceOptions): Tensor | Work<Tensor>;
export function allReduce(tensor: Tensor, options: ReduceOptions = {}): Tensor | Work<Tensor> {
  const group = processGroup('allReduce');
  const { op = 'sum', async = false } = options;
  checkTensor('allReduce', tensor);
  const native = nativeOp('allReduce', op, tensor);
  return inPlace(
    group,
    {
      name: nameOf(`allReduce (${op})`, tensor),
      x: tensor,
      call: (transport, data) => transport.allReduce(data, native),
      now: (transport, data) => transport.allReduceNow(data, native),
      changes: true,
      mean: op === 'mean',
    },
    async,
  );
}

/** Like `allReduce`, but only process `dst` gets the result; the tensors of the others stay. @throws as allReduce */
export function reduce(tensor: Tensor, dst: number, options?: ReduceOptions & { async?: false }): Tensor;
export function reduce(tensor: Tensor, dst: number, options: ReduceOptions & { async: true }): Work<Tensor>;
export function reduce(tensor: Tensor, dst: number, options?: ReduceOptions): Tensor | Work<Tensor>;
export function reduce(tensor: Tensor, dst: number, options: ReduceOptions = {}): Tensor | Work<Tensor> {
  const group = processGroup('reduce');
  const { op = 'sum', async = false } = options;
  checkTensor('reduce', tensor);
  checkRank('reduce', 'dst', dst, group.size);
  const native = nativeOp('reduce', op, tensor);
  return inPlace(
    group,
    {
      name: nameOf(`reduce (${op}) to rank ${dst}`, tensor),
      x: tensor,
      call: (transport, data) => transport.reduce(data, native, dst),
      now: null,
      changes: group.rank === dst,
      mean: op === 'mean',
    },
    async,
  );
}

/** Overwrites the processes' tensors by that of process `src`. @throws as allReduce */
export function broadcast(tensor: Tensor, src: number, options?: AsyncOption & { async?: false }): Tensor;
export function broadcast(tensor: Tensor, src: number, options: AsyncOption & { async: true }): Work<Tensor>;
export function broadcast(tensor: Tensor, src: number, options?: AsyncOption): Tensor | Work<Tensor>;
export function broadcast(tensor: Tensor, src: number, options: AsyncOption = {}): Tensor | Work<Tensor> {
  const group = processGroup('broadcast');
  checkTensor('broadcast', tensor);
  checkRank('broadcast', 'src', src, group.size);
  return inPlace(
    group,
    {
      name: nameOf(`broadcast from rank ${src}`, tensor),
      x: tensor,
      call: (transport, data) => transport.broadcast(data, src),
      now: (transport, data) => transport.broadcastNow(data, src),
      changes: group.rank !== src,
      mean: false,
    },
    options.async ?? false,
  );
}

/** The processes' tensors, by rank, as a list. @throws as allReduce */
export function allGather(tensor: Tensor, options?: AsyncOption & { async?: false }): Tensor[];
export function allGather(tensor: Tensor, options: AsyncOption & { async: true }): Work<Tensor[]>;
export function allGather(tensor: Tensor, options?: AsyncOption): Tensor[] | Work<Tensor[]>;
export function allGather(tensor: Tensor, options: AsyncOption = {}): Tensor[] | Work<Tensor[]> {
  const group = processGroup('allGather');
  checkTensor('allGather', tensor);
  const { transport, queue, size } = group;
  const name = nameOf('allGather', tensor);
  compareCalls(group, name);
  const { backend, shape, dtype } = tensor.array;
  const out = backend.empty([size, ...shape], dtype);
  const result = new Tensor(out);
  const list = (): Tensor[] => Array.from({ length: size }, (_, rank) => result.select(0, rank));
  if (transport === null || tensor.numel() === 0) {
    backend.assign(result.select(0, 0).array, tensor.array);
    const work = queue.add(planOf(name, [], list));
    return options.async ? work : work.wait();
  }
  if (!options.async) queue.drain();
  const array = packed(tensor);
  const from = hold(transport, array);
  const to = hold(transport, out);
  const finish = (): Tensor[] => {
    from.storage.letGo();
    to.storage.letGo();
    if (array !== tensor.array) array.storage.free();
    return list();
  };
  const work = queue.add(planOf(name, [() => transport.allGather(from, to)], finish));
  return options.async ? work : work.wait();
}

/**
 * Combines the processes' inputs element by element and gives each process its part: the inputs are one tensor for
 * each process, in a list or along the first dimension, which is divided evenly. @throws as allReduce; ShapeError
 */
export function reduceScatter(
  input: Tensor | readonly Tensor[],
  options?: ReduceOptions & { async?: false },
): Tensor;
export function reduceScatter(
  input: Tensor | readonly Tensor[],
  options: ReduceOptions & { async: true },
): Work<Tensor>;
export function reduceScatter(
  input: Tensor | readonly Tensor[],
  options?: ReduceOptions,
): Tensor | Work<Tensor>;
export function reduceScatter(
  input: Tensor | readonly Tensor[],
  options: ReduceOptions = {},
): Tensor | Work<Tensor> {
  const group = processGroup('reduceScatter');
  const { op = 'sum', async = false } = options;
  const { transport, queue, size } = group;
  const pieces = input instanceof Tensor ? divided(input, size) : input;
  checkPieces(pieces, size);
  const [first] = pieces;
  const native = nativeOp('reduceScatter', op, first);
  const name = nameOf(`reduceScatter (${op})`, first);
  compareCalls(group, name);
  const { backend, shape, dtype } = first.array;
  const out = backend.empty(shape, dtype);
  const result = new Tensor(out);
  const scaled = (): Tensor => {
    if (op === 'mean') divide(result, size);
    return result;
  };
  if (transport === null || result.numel() === 0) {
    backend.assign(out, first.array);
    const work = queue.add(planOf(name, [], () => result));
    return async ? work : work.wait();
  }
  if (!async) queue.drain();
  const staged = new Tensor(backend.empty([size, ...shape], dtype));
  pieces.forEach((piece, rank) => {
    backend.assign(staged.select(0, rank).array, piece.array);
  });
  const from = hold(transport, staged.array);
  const to = hold(transport, out);
  const finish = (): Tensor => {
    from.storage.letGo();
    to.storage.letGo();
    staged.dispose();
    return scaled();
  };
  const work = queue.add(planOf(name, [() => transport.reduceScatter(from, to, native)], finish));
  return async ? work : work.wait();
}

function divided(input: Tensor, size: number): Tensor[] {
  checkTensor('reduceScatter', input);
  const [rows = 0] = input.shape;
  if (rows === 0 || rows % size !== 0) {
    throw new ShapeError(
      `reduceScatter: the first dimension of the input ${formatShape(input.shape)} must be a multiple of the ${size} processes`,
    );
  }
  return input.detach().split(rows / size);
}

function checkPieces(pieces: readonly Tensor[], size: number): void {
  for (const piece of pieces) checkTensor('reduceScatter', piece);
  if (pieces.length !== size)
    throw new ArgumentError(
      `reduceScatter: expected ${size} tensors, one for each process, but got ${pieces.length}`,
    );
  const [first] = pieces;
  for (const piece of pieces) {
    if (sameShape(piece.shape, first.shape) && piece.dtype === first.dtype) continue;
    throw new ShapeError(
      `reduceScatter: expected tensors of one shape and dtype, but got ${formatShape(first.shape)} ${first.dtype} and ` +
        `${formatShape(piece.shape)} ${piece.dtype}`,
    );
  }
}

/** Waits until every process has come here. @throws DistributedTimeoutError */
export function barrier(options?: AsyncOption & { async?: false }): void;
export function barrier(options: AsyncOption & { async: true }): Work;
export function barrier(options?: AsyncOption): void | Work;
export function barrier(options: AsyncOption = {}): void | Work {
  const group = processGroup('barrier');
  const { transport, queue } = group;
  compareCalls(group, 'barrier');
  const calls = transport === null ? [] : [() => transport.barrier()];
  const work = queue.add(planOf('barrier', calls, () => {}));
  if (options.async) return work;
  work.wait();
}

/** Every process's value, by rank: anything that JSON can hold, for names, seeds and counts. @throws as allReduce */
export function allGatherObject<T>(value: T): T[] {
  const group = processGroup('allGatherObject');
  const text = JSON.stringify(value);
  if (text === undefined)
    throw new ArgumentError(
      `allGatherObject: expected something that JSON can hold, but got ${String(value)}`,
    );
  compareCalls(group, 'allGatherObject');
  if (group.transport === null) return [JSON.parse(text)];
  return gatherTexts(group.transport, group.queue, text).map((one): T => JSON.parse(one));
}
