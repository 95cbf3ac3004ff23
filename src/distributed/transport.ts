/** What moves bytes between the processes of a group: the floor under the collectives, which know tensors. */
import type { DType } from '../core/dtype.ts';
import type { NativeOp } from './libraries.ts';

/** A run of elements in memory that no one moves while a call uses it. */
export interface Elements {
  readonly address: bigint;
  readonly count: number;
  readonly dtype: DType;
}

/** A call that was started. */
export interface Request {
  /** Whether it is complete; not to be asked again then. Asking drives it on. @throws DistributedError if it failed */
  test(): boolean;
}

/** Every process makes the same calls in the same order; sizes and dtypes agree. */
export interface Transport {
  readonly rank: number;
  readonly size: number;
  /** In place. */
  allReduce(data: Elements, op: NativeOp): Request;
  /** In place on the root; the others' data serve as scratch. */
  reduce(data: Elements, op: NativeOp, root: number): Request;
  broadcast(data: Elements, root: number): Request;
  /** `to` holds as many times `from` as there are processes, in the order of ranks. */
  allGather(from: Elements, to: Elements): Request;
  /** `from` holds as many times `to` as there are processes. */
  reduceScatter(from: Elements, to: Elements, op: NativeOp): Request;
  barrier(): Request;
  /** The same as allReduce, complete when it returns: faster, but it cannot be given up. */
  allReduceNow(data: Elements, op: NativeOp): void;
  broadcastNow(data: Elements, root: number): void;
  /** The address of a view's first byte. */
  address(view: ArrayBufferView): bigint;
  /** Ends all processes of the group; this one with `code`. Does not return. */
  abort(code: number): void;
  /** The last call: waits until all others make it. */
  finalize(): void;
}
