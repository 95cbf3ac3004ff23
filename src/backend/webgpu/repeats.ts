/**
 * Calls that were made before in this job, on the same contents: what they give is there already, so it is made in the same
 * buffers once more, and both results have those. Pages cannot find out inside a job what was dropped: a loop that times an
 * op, or a model, would take new buffers each time until memory is out.
 */
import type { Cell } from './cells.ts';
import type { Program } from './programs.ts';
import type { GpuStorage } from './storage.ts';

/** A call that was made. */
export interface Made {
  /** The contents of what it reads, its uniforms and its threads. */
  readonly key: readonly number[];
  /** The number of its first result's contents; those of others follow. */
  readonly contents: number;
  /**
   * Where they were last, once the call has been repeated: what is made once, as in training, shall be found dropped as soon as
   * without this.
   */
  results: readonly Cell[];
}

/** Calls that are remembered: large models take hundreds of kernels. */
const MOST = 1024;

export class Repeats {
  readonly #made = new Map<Program, Made[]>();
  #count = 0;

  /** The same call as it was made before. */
  find(program: Program, key: readonly number[]): Made | null {
    const list = this.#made.get(program);
    if (list === undefined) return null;
    for (let i = list.length - 1; i >= 0; i--) if (sameKey(list[i].key, key)) return list[i];
    return null;
  }

  /** Storages that will be filled by a repeated call are given the cells that still hold what it gave. */
  share({ results, contents }: Made, filled: readonly GpuStorage[]): void {
    for (let k = 0; k < results.length; k++) {
      const cell = results[k];
      if (cell.alive && cell.contents === contents + k && cell.bytes === filled[k].gpuBytes)
        filled[k].share(cell);
    }
  }

  /** After a new call. */
  note(program: Program, key: readonly number[], contents: number): void {
    if (this.#count++ >= MOST) this.clear();
    const made = { key, contents, results: [] };
    const list = this.#made.get(program);
    if (list) list.push(made);
    else this.#made.set(program, [made]);
  }

  /** Buffers are not kept for it any longer. */
  clear(): void {
    this.#made.clear();
    this.#count = 0;
  }
}

function sameKey(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
