/**
 * Calls that were made before in this job, on the same contents: what they give is there already, so it is made in the same
 * buffers once more, and both results have those. Pages cannot find out inside a job what was dropped: a loop that times an
 * op, or a model, would take new buffers each time until memory is out.
 */
import type { Cell } from './cells.ts';
import type { Program } from './programs.ts';
import type { GpuStorage } from './storage.ts';

/** What a call is known by, and the storages that it fills: all that it writes. */
export interface Repeatable {
  readonly program: Program;
  /** The contents of what it reads. */
  readonly reads: readonly number[];
  readonly params: readonly (readonly [declaration: string, word: number])[];
  readonly threads: number;
  readonly written: readonly GpuStorage[];
}

/** A call that was made. */
export interface Made extends Omit<Repeatable, 'written'> {
  /** What it gives, and where that was last. */
  readonly contents: readonly number[];
  results: readonly Cell[];
}

/** Calls that are remembered: large models take hundreds of kernels. */
const MOST = 1024;

export class Repeats {
  readonly #made = new Map<Program, Made[]>();
  #count = 0;

  /** The same call as it was made before; the storages are given the cells that still hold what it gave. */
  find(call: Repeatable): Made | null {
    const made = this.#made.get(call.program)?.findLast((x) => sameCall(x, call)) ?? null;
    made?.results.forEach((cell, k) => {
      const storage = call.written[k];
      if (cell.alive && cell.contents === made.contents[k] && cell.bytes === storage.gpuBytes)
        storage.share(cell);
    });
    return made;
  }

  /** After the call; `made` is what `find` found. */
  note({ written: _, ...call }: Repeatable, made: Made | null, results: readonly Cell[]): void {
    if (made) {
      made.results = results;
      return;
    }
    if (this.#count++ >= MOST) this.clear();
    const contents = results.map((cell) => cell.contents as number);
    const list = this.#made.get(call.program);
    if (list) list.push({ ...call, contents, results });
    else this.#made.set(call.program, [{ ...call, contents, results }]);
  }

  /** Buffers are not kept for it any longer. */
  clear(): void {
    this.#made.clear();
    this.#count = 0;
  }
}

function sameCall(made: Made, { reads, params, threads }: Repeatable): boolean {
  if (made.threads !== threads) return false;
  for (let i = 0; i < reads.length; i++) if (made.reads[i] !== reads[i]) return false;
  for (let i = 0; i < params.length; i++) if (made.params[i][1] !== params[i][1]) return false;
  return true;
}
