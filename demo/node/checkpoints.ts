/**
 * A run that can be stopped at any time: after steps, everything that it is made of goes into one file of the run's
 * folder, which is the old one or the new one whole, whatever happens in between.
 */
import fs from 'node:fs';
import path from 'node:path';
import { loadCheckpoint, saveCheckpoint } from 'wasmgrad/io';
import type { Options } from './options.ts';
import { newHistory, type Place } from './training.ts';

const FILE = 'checkpoint.safetensors';
/** The exit code of a program that Ctrl-C ended. */
const INTERRUPTED = 130;

/** What a section is made of: tensors, modules, optimisers, loaders. */
export type Parts = Readonly<Record<string, object>>;

interface Saved {
  readonly options: Options;
  readonly section: number;
  readonly finished: Record<string, unknown>;
  readonly parts: Parts;
  readonly place: Place;
}

/** The folder of the run that was changed last. @throws Error if no run can be continued */
export function latestRun(runs = 'runs'): string {
  const changed = (folder: string): number => {
    const file = path.join(runs, folder, FILE);
    return fs.existsSync(file) ? fs.statSync(file).mtimeMs : 0;
  };
  const folders = fs.existsSync(runs) ? fs.readdirSync(runs) : [];
  const [newest] = folders.filter((folder) => changed(folder) > 0).sort((a, b) => changed(b) - changed(a));
  if (newest === undefined) throw new Error('--resume: there is no run to continue in runs/');
  return path.join(runs, newest);
}

/** The options that a run was started with. @throws Error, DataError if there is nothing to continue */
export async function savedOptions(folder: string): Promise<Options> {
  const file = path.join(folder, FILE);
  if (!fs.existsSync(file))
    throw new Error(`--resume: ${folder} has no ${FILE}: its run is finished, or was never saved`);
  return (await loadCheckpoint<Saved>(file)).options;
}

export class Checkpoints {
  readonly #options: Options;
  readonly #file: string;
  readonly #saved: Saved | null;
  #lastSave = performance.now();
  #interrupted = false;
  readonly #onInterrupt = (): void => {
    // Not caught a second time: then the process ends at once.
    this.#interrupted = true;
    process.stderr.write('\nStopping after this step; Ctrl-C again stops at once.\n');
  };

  private constructor(options: Options, saved: Saved | null) {
    this.#options = options;
    this.#file = path.join(options.out, FILE);
    this.#saved = saved;
    process.once('SIGINT', this.#onInterrupt);
  }

  /** For a new run, or for the one that `resume` names. @throws DataError if its file is damaged */
  static async open(options: Options, resume: boolean): Promise<Checkpoints> {
    const file = path.join(options.out, FILE);
    return new Checkpoints(options, resume ? await loadCheckpoint<Saved>(file) : null);
  }

  /** What earlier sections gave. */
  finished(): Record<string, unknown> {
    return { ...this.#saved?.finished };
  }

  /** True if the run that is continued was beyond this section. */
  isPast(section: number): boolean {
    return this.#saved !== null && this.#saved.section > section;
  }

  /** Puts the parts of a section back to where they were saved, and tells where that is. */
  async restore(section: number, parts: Parts): Promise<Place> {
    if (this.#saved?.section !== section)
      return { epoch: 0, step: 0, epochLoss: 0, seconds: 0, history: newHistory() };
    return (await loadCheckpoint<Saved>(this.#file, { parts })).place;
  }

  /** Between two steps: saves when it is time, or when the run was asked to stop. */
  async between(
    section: number,
    parts: Parts,
    place: Place,
    finished: Record<string, unknown>,
  ): Promise<void> {
    const due = performance.now() - this.#lastSave >= 1000 * this.#options.checkpointEvery;
    if (!due && !this.#interrupted) return;
    await saveCheckpoint(this.#file, { options: this.#options, section, finished, parts, place });
    this.#lastSave = performance.now();
    if (!this.#interrupted) return;
    console.log(
      `Stopped in section ${section}, epoch ${place.epoch + 1}, after step ${place.step}. Continue with\n` +
        `  npm start -- --resume ${this.#options.out}`,
    );
    process.exit(INTERRUPTED);
  }

  /** The run has come to its end: there is nothing to continue. */
  close(): void {
    process.off('SIGINT', this.#onInterrupt);
    fs.rmSync(this.#file, { force: true });
  }
}

/** For programs that keep no checkpoints. */
export const noCheckpoints = {
  restore: async (): Promise<Place> => ({
    epoch: 0,
    step: 0,
    epochLoss: 0,
    seconds: 0,
    history: newHistory(),
  }),
  between: async (): Promise<void> => {},
};
