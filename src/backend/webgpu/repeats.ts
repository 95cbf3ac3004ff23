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
  /** What it reads. */
  readonly reads: readonly Cell[];
  readonly params: readonly (readonly [declaration: string, word: number])[];
  readonly threads: number;
  readonly written: readonly GpuStorage[];
}

interface Made extends Omit<Repeatable, 'written'> {
  readonly readVersions: readonly number[];
  readonly results: readonly Cell[];
  readonly resultVersions: readonly number[];
}

/** Calls that are remembered: large models take hundreds of kernels. */
const MOST = 1024;

const versionsOf = (cells: readonly Cell[]): number[] => cells.map((cell) => cell.version);

function unchanged(cells: readonly Cell[], versions: readonly number[]): boolean {
  for (let i = 0; i < cells.length; i++) if (cells[i].version !== versions[i]) return false;
  return true;
}

export class Repeats {
  readonly #made = new Map<Program, Made[]>();
  #count = 0;

  /** Gives the storages the cells that hold already what the call will write, if there are such. */
  share(call: Repeatable): readonly Cell[] | null {
    const list = this.#made.get(call.program);
    if (list === undefined) return null;
    for (let i = list.length - 1; i >= 0; i--) {
      const { results, resultVersions } = list[i];
      if (!sameCall(list[i], call)) continue;
      if (unchanged(results, resultVersions) && results.every((cell) => cell.alive)) {
        for (const [k, storage] of call.written.entries()) storage.share(results[k]);
        return results;
      }
      list.splice(i, 1);
      this.#count--;
      return null;
    }
    return null;
  }

  /** After a call that `share` did not know. */
  add({ written: _, ...call }: Repeatable, results: readonly Cell[]): void {
    if (this.#count++ >= MOST) this.clear();
    const made = {
      ...call,
      readVersions: versionsOf(call.reads),
      results,
      resultVersions: versionsOf(results),
    };
    const list = this.#made.get(call.program);
    if (list) list.push(made);
    else this.#made.set(call.program, [made]);
  }

  /** Buffers are not kept for it any longer. */
  clear(): void {
    this.#made.clear();
    this.#count = 0;
  }
}

function sameCall(made: Made, { reads, params, threads, written }: Repeatable): boolean {
  for (let i = 0; i < reads.length; i++) if (made.reads[i] !== reads[i]) return false;
  if (made.threads !== threads || !unchanged(reads, made.readVersions)) return false;
  for (let i = 0; i < written.length; i++) if (made.results[i].bytes !== written[i].gpuBytes) return false;
  for (let i = 0; i < params.length; i++) if (made.params[i][1] !== params[i][1]) return false;
  return true;
}
