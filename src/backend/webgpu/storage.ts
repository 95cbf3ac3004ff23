/**
 * A storage on the GPU: a cell, or an expression that is computed when somebody asks for the cell. Its buffer goes back
 * to the pool when the walk frees it or the garbage collector finds it.
 */
import type { TypedArray } from '../../core/dtype.ts';
import { DeviceError } from '../../core/errors.ts';
import { type NDArray, Storage } from '../array.ts';
import type { Backend } from '../backend.ts';
import type { BufferPool } from './buffers.ts';
import { Cell } from './cells.ts';
import type { Expression } from './expressions.ts';

/** Computes what a storage waits for, into a cell. */
export type Computer = (storage: GpuStorage) => void;

export class GpuStorage extends Storage {
  readonly #pool: BufferPool;
  /** Of the buffer. */
  readonly gpuBytes: number;
  readonly #compute: Computer;
  #cell: Cell | null = null;
  #pending: Expression | null = null;
  /** What the cell was computed from, while nobody has asked for it: the cell can be had back. */
  #recipe: Expression | null = null;
  #freed = false;
  /** It stands for a range of another one: what is written to it goes there. */
  #partial = false;
  /** What was uploaded, while nothing has changed it: index checks and the like read it without waiting for the GPU. */
  host: TypedArray | null = null;

  /** @throws DeviceError beyond the device's limit */
  constructor(backend: Backend, pool: BufferPool, byteLength: number, gpuBytes: number, compute: Computer) {
    super(backend, byteLength);
    pool.check(gpuBytes);
    this.#pool = pool;
    this.gpuBytes = gpuBytes;
    this.#compute = compute;
  }

  get freed(): boolean {
    return this.#freed;
  }

  get partial(): boolean {
    return this.#partial;
  }

  /** What it holds is still to be computed. */
  get pending(): Expression | null {
    return this.#pending;
  }

  /** The buffer with the present contents. @throws DeviceError after `free` */
  get cell(): Cell {
    if (this.#freed) throw new DeviceError('this tensor was disposed of');
    if (this.#pending) this.#compute(this);
    this.keep();
    this.#cell ??= this.newCell();
    return this.#cell;
  }

  /** The cell that it has, whether or not somebody asks for it. */
  get present(): Cell | null {
    return this.#cell;
  }

  /** It has no contents, and none to come. */
  get empty(): boolean {
    return this.#cell === null && this.#pending === null && !this.#freed;
  }

  /** Takes the cell of another storage, which has what this one shall hold. */
  share(cell: Cell): void {
    cell.own();
    this.#cell?.disown();
    this.#cell = cell;
  }

  /** It may be asked to give its cell back. */
  get canGiveBack(): boolean {
    return this.#recipe !== null;
  }

  /** Gives its buffer back: what was in it is computed again if somebody asks for it after all. */
  giveBack(): void {
    this.#pending = this.#recipe;
    this.#recipe = null;
    this.#cell?.disown();
    this.#cell = null;
  }

  /** It will not be asked any more. */
  keep(): void {
    this.#recipe?.letGo();
    this.#recipe = null;
  }

  /** A storage that stands for a range of this one. */
  part(fromByte: number, bytes: number): GpuStorage {
    const made = new GpuStorage(this.backend, this.#pool, bytes, bytes, this.#compute);
    made.put(this.cell.part(fromByte, bytes));
    made.#partial = true;
    return made;
  }

  newCell(): Cell {
    return new Cell(this.#pool, this.gpuBytes, this.#pool.take(this.gpuBytes));
  }

  /** What it will hold from now on. */
  defer(expression: Expression): void {
    if (this.#freed) throw new DeviceError('this tensor was disposed of');
    this.host = null;
    expression.hold();
    this.#drop();
    this.#pending = expression;
  }

  /**
   * What it holds from now on. The expression that told of it lets go of its cells, or is the recipe by which the cell can be had
   * back.
   */
  put(cell: Cell, recipe: Expression | null = null): void {
    if (cell !== this.#cell) this.#cell?.disown();
    this.#cell = cell;
    this.#pending = null;
    this.#recipe = recipe;
  }

  /** Numbers of the batches that wrote what it holds, or will be made of. */
  batches(): number[] {
    if (this.#pending) return this.#pending.cells.map((cell) => cell.batch);
    return this.#cell ? [this.#cell.batch] : [];
  }

  #drop(): void {
    this.keep();
    this.#pending?.letGo();
    this.#pending = null;
    this.#cell?.disown();
    this.#cell = null;
  }

  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.host = null;
    this.#drop();
  }
}

/** @throws DeviceError for an array of another device */
export function gpuStorage(x: NDArray): GpuStorage {
  if (x.storage instanceof GpuStorage) return x.storage;
  throw new DeviceError(`expected all tensors on webgpu, but got one on ${x.backend.device}`);
}
