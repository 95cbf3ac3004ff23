/**
 * Arrays without gradients: a reference-counted storage and the layout (shape, strides, offset) that reads it.
 * Kernels, backends and the graph deal in these; the public tensor wraps one.
 */
import type { DType } from '../core/dtype.ts';
import {
  contiguousStrides,
  isContiguous,
  isDense,
  numElements,
  type Shape,
  type Strides,
} from '../core/shape.ts';
import type { Backend } from './backend.ts';

/** What new storages are marked with. */
export const storageMode = { inference: false };

/** The memory of one or more arrays. Views share it; in-place operations count its version up. */
export abstract class Storage {
  /** Counts in-place changes, so that backward notices a saved value that was overwritten. */
  version = 0;
  /** Arrays made over this storage and not released: an upper bound of those still held. */
  references = 0;
  readonly backend: Backend;
  readonly byteLength: number;
  /** Made in inference mode: never to be saved for backward. */
  readonly inference: boolean = storageMode.inference;
  /** What a collector hangs on it, to notice that it died. */
  lifeline: object | null = null;

  constructor(backend: Backend, byteLength: number) {
    this.backend = backend;
    this.byteLength = byteLength;
    openScope?.push(this);
  }

  /** Gives the memory back at once. Only for storages that nobody can reach any more; calling it twice is harmless. */
  abstract free(): void;
  abstract readonly freed: boolean;
}

let openScope: Storage[] | null = null;

/** Runs `body` outside any open scope: what it creates outlives the scope, as what a backend keeps beyond an op. */
export function keepStorages<R>(body: () => R): R {
  const outer = openScope;
  openScope = null;
  try {
    return body();
  } finally {
    openScope = outer;
  }
}

/** Runs `body` and returns its result with every storage that was created meanwhile. Scopes nest. */
export function collectStorages<R>(body: () => R): { result: R; created: Storage[] } {
  const outer = openScope;
  const created: Storage[] = [];
  openScope = created;
  try {
    return { result: body(), created };
  } finally {
    openScope = outer;
  }
}

export class NDArray {
  readonly storage: Storage;
  readonly dtype: DType;
  readonly shape: Shape;
  /** In elements; 0 repeats. */
  readonly strides: Strides;
  /** First element, in elements from the start of the storage. */
  readonly offset: number;
  readonly size: number;
  // Asked for by every op, so worked out once.
  #contiguous: boolean | undefined = undefined;
  #dense: boolean | undefined = undefined;

  constructor(
    storage: Storage,
    dtype: DType,
    shape: Shape,
    strides: Strides = contiguousStrides(shape),
    offset = 0,
  ) {
    this.storage = storage;
    this.dtype = dtype;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
    this.size = numElements(shape);
    storage.references++;
  }

  get backend(): Backend {
    return this.storage.backend;
  }

  get contiguous(): boolean {
    this.#contiguous ??= isContiguous(this.shape, this.strides);
    return this.#contiguous;
  }

  /** Fills a range of memory without gap or overlap, in any order of dimensions. */
  get dense(): boolean {
    this.#dense ??= this.contiguous || isDense(this.shape, this.strides);
    return this.#dense;
  }

  /** Another reading of the same storage. */
  view(shape: Shape, strides: Strides, offset: number = this.offset): NDArray {
    return new NDArray(this.storage, this.dtype, shape, strides, offset);
  }

  /** Writes `x`, of any layout, to the elements that a view of this array would read. */
  assignPart(x: NDArray, strides: Strides, offset: number): void {
    if (x.size === 0) return;
    const part = this.view(x.shape, strides, offset);
    this.backend.assign(part, x);
    // Else this storage would count as held for good, and never be freed before the collector finds it.
    part.release();
  }

  /** Reads from now on what `to`, which has the same elements and is given up, reads, for everybody who holds this array. */
  become({ storage, strides, offset }: NDArray): void {
    const { version, inference } = this.storage;
    if (storage !== this.storage) Object.assign(storage, { version, inference });
    this.release();
    Object.assign(this, { storage, strides, offset });
    this.#contiguous = this.#dense = undefined;
  }

  /** The caller is done with this array; the storage is freed when no other array was made over it. */
  release(): void {
    if (--this.storage.references === 0) this.storage.free();
  }
}
