/**
 * `wasmgrad/profiler`: where the time of a program goes, by kernel, by module, forward and backward.
 * @module wasmgrad/profiler
 */
import { ArgumentError } from '../core/errors.ts';
import { type Target, writeTo } from '../io/target.ts';
import { checkNames } from '../ops/options.ts';
import { KeyAverages, ModuleAverages } from './averages.ts';
import { traceText } from './chromeTrace.ts';
import { observe, watchUser } from './observers.ts';
import { Recorder } from './recorder.ts';

export type {
  EventAverage,
  KeyAverages,
  ModuleAverage,
  ModuleAverages,
  SortBy,
  TableOptions,
} from './averages.ts';

export interface ProfileOptions {
  /** Tell calls apart by the shapes of their inputs: `keyAverages({ groupByInputShape: true })`. Default false. */
  recordShapes?: boolean;
  /** Events kept for the trace; those beyond are in the sums, but are not drawn. Default 200,000: about 50 MB. */
  maxEvents?: number;
}

const DEFAULT_EVENTS = 200_000;

/** What was seen while a function ran. */
export class Profile<R = unknown> {
  /** What the function returned. */
  readonly result: R;
  readonly #recorder: Recorder;

  constructor(result: R, recorder: Recorder) {
    this.result = result;
    this.#recorder = recorder;
  }

  /** From the beginning to the end, in microseconds. */
  get wallTime(): number {
    return this.#recorder.ended - this.#recorder.started;
  }

  /** The sums by name; with `groupByInputShape` those of kernels by name and shapes. @throws ArgumentError */
  keyAverages(options: { groupByInputShape?: boolean } = {}): KeyAverages {
    const { groupByInputShape = false } = checkNames(options, 'keyAverages', ['groupByInputShape']);
    const { sums, sumsByShape } = this.#recorder;
    if (groupByInputShape && !sumsByShape)
      throw new ArgumentError(
        'keyAverages: shapes were not recorded; pass { recordShapes: true } to profile',
      );
    const chosen = groupByInputShape && sumsByShape ? sumsByShape : sums;
    return new KeyAverages(chosen.values(), this.wallTime);
  }

  /** The time of every module whose `forward` ran, forward and backward. */
  modules(): ModuleAverages {
    return new ModuleAverages(this.#recorder.roots, this.wallTime);
  }

  /** The events as text in the format of Chrome's traces. */
  chromeTrace(): string {
    return [...this.#trace()].join('');
  }

  /**
   * The same into a file (a path, or anything that `save` of `wasmgrad/io` takes), for ui.perfetto.dev,
   * chrome://tracing or a browser's performance panel. @throws DataError
   */
  async exportChromeTrace(target: Target): Promise<void> {
    const encoder = new TextEncoder();
    const trace = this.#trace();
    const bytes = function* () {
      for (const text of trace) yield encoder.encode(text);
    };
    await writeTo(target, 'exportChromeTrace', bytes);
  }

  #trace(): Generator<string> {
    const { events, started, dropped } = this.#recorder;
    return traceText(events, started, dropped);
  }

  /** Both tables. */
  toString(): string {
    const modules = this.modules();
    const tables = [this.keyAverages().table(), ...(modules.length > 0 ? [modules.table()] : [])];
    return tables.join('\n');
  }

  /** What Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

let running: Recorder | null = null;

/**
 * Runs a function and tells where its time went. A function that is async is profiled until its promise settles, with
 * all that runs in between. Outside of profiles the library pays nothing for them. Errors of the function pass.
 *
 * ```ts
 * const prof = profile(() => trainOneEpoch());
 * console.log(prof.keyAverages().table({ sortBy: 'cpuTimeTotal', rowLimit: 10 }));
 * ```
 *
 * @throws ArgumentError while another profile runs
 */
export function profile<R>(body: () => PromiseLike<R>, options?: ProfileOptions): Promise<Profile<R>>;
export function profile<R>(body: () => R, options?: ProfileOptions): Profile<R>;
export function profile<R>(
  body: () => R | PromiseLike<R>,
  options: ProfileOptions = {},
): Profile<R> | Promise<Profile<R>> {
  const names = ['recordShapes', 'maxEvents'];
  const { recordShapes = false, maxEvents = DEFAULT_EVENTS } = checkNames(options, 'profile', names);
  if (typeof body !== 'function')
    throw new ArgumentError(`profile: expected a function, but got ${body === null ? 'null' : typeof body}`);
  if (!(maxEvents >= 0))
    throw new ArgumentError(`profile: maxEvents must be a non-negative number, but got ${maxEvents}`);
  if (running) {
    throw new ArgumentError(
      'profile: a profile is running already; profiles do not nest, and an async one must be awaited before the next',
    );
  }
  const recorder = new Recorder({ recordShapes, maxEvents });
  const end = observe(recorder);
  running = recorder;
  const finish = (): void => {
    recorder.stop();
    running = null;
    end();
  };
  let result: R | PromiseLike<R>;
  try {
    recorder.start();
    result = body();
  } catch (error) {
    finish();
    throw error;
  }
  if (!isPromiseLike(result)) {
    finish();
    return new Profile(result, recorder);
  }
  return Promise.resolve(result)
    .finally(finish)
    .then((value) => new Profile(value, recorder));
}

const isPromiseLike = <R>(x: R | PromiseLike<R>): x is PromiseLike<R> =>
  typeof x === 'object' && x !== null && 'then' in x && typeof x.then === 'function';

/**
 * Runs a function under a name of its own, which profiles list and draw; without a profile it only runs it. Of an async
 * function the part before its first wait counts, and the rest is drawn.
 */
export function recordFunction<R>(name: string, body: () => R): R {
  return running === null ? body() : watchUser(running, name, body);
}
