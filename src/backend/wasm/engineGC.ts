/**
 * V8's own collector, as Node lets one use it in the middle of a synchronous job. No flag is needed: `gc` is installed in
 * contexts that are made while `--expose-gc` is set, and a flag can be set and unset at run time.
 */

/** What the collector of storages asks of the engine. */
export interface EngineGC {
  /** Collects the young generation: what was made lately and is not held. 0.2 ms, more where much of it is alive. */
  scavenge(): void;
  /** Collects everything that is not held and not the target of a `WeakRef` which this job has made or read. */
  collect(): void;
  /** Empties the engine's list of the targets that the job keeps alive: 3 µs. */
  endKeeping(): void;
  /** Calls `[INSPECT]` of every object that is in the set still. 0.1 µs each. */
  visit(set: WeakSet<object>): void;
}

/** The method by which Node shows an object. `visit` reaches the members of a weak set through it. */
export const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/** True in Node itself: other runtimes imitate its modules, but not their effect on the engine. */
export function isNode(): boolean {
  if (typeof process !== 'object' || typeof process.getBuiltinModule !== 'function') return false;
  const { node, v8, bun, deno } = process.versions;
  return !!node && !!v8 && !bun && !deno && (process as { type?: string }).type !== 'renderer';
}

/** Sets `ALONE` until the event loop's next turn: V8 looks for a flag by its name among a thousand, 15 µs for both. */
class FlagsOfAJob {
  readonly #setFlags: (flags: string) => void;
  #areSet = false;

  constructor(setFlags: (flags: string) => void) {
    this.#setFlags = setFlags;
  }

  set(): void {
    if (this.#areSet) return;
    this.#areSet = true;
    this.#setFlags(ALONE);
    setImmediate(() => {
      this.#areSet = false;
      this.#setFlags(SHARED);
    }).unref();
  }
}

/** Node's, or null where it does not work. Takes 10 ms: the modules that it needs are loaded. */
export function engineGC(): EngineGC | null {
  if (!isNode()) return null;
  try {
    const engine = nodeGC();
    return visitsAll(engine) ? engine : null;
  } catch {
    return null; // a policy of the process forbids it
  }
}

/** A short collection takes less time than to wake V8's helpers for it, which our threads keep from the cores. */
const ALONE = '--no-parallel-scavenge --no-concurrent-array-buffer-sweeping';
const SHARED = '--parallel-scavenge --concurrent-array-buffer-sweeping';
/** The versions that are known to have these flags: V8 prints an error about one that it does not know. */
const FIRST_MAJOR = 20;
const LAST_MAJOR = 26;

/** Whether the flags can be changed for a moment: they exist, and the user has set neither them nor what they follow. */
function canBeAlone(): boolean {
  const major = Number.parseInt(process.versions.node, 10);
  if (major < FIRST_MAJOR || major > LAST_MAJOR) return false;
  const chosen = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  return !/scavenge|single-threaded|array-buffer-sweeping/.test(chosen.replaceAll('_', '-'));
}

function nodeGC(): EngineGC {
  const vm = process.getBuiltinModule('node:vm');
  const v8 = process.getBuiltinModule('node:v8');
  const { inspect } = process.getBuiltinModule('node:util');
  const exposed = typeof (globalThis as { gc?: unknown }).gc === 'function';
  if (!exposed) v8.setFlagsFromString('--expose-gc');
  let context: ReturnType<typeof vm.createContext>;
  try {
    // One with a microtask queue of its own performs a checkpoint after each script, and there the list is emptied.
    context = vm.createContext({}, { microtaskMode: 'afterEvaluate' });
  } finally {
    if (!exposed) v8.setFlagsFromString('--no-expose-gc');
  }
  const gc: (options?: { type: 'minor' }) => void = vm.runInContext('gc', context);
  const nothing = new vm.Script('0');
  const alone = canBeAlone() ? new FlagsOfAJob(v8.setFlagsFromString) : null;
  const all = { showHidden: true, customInspect: true, maxArrayLength: Number.POSITIVE_INFINITY, depth: 1 };
  return {
    scavenge: () => {
      alone?.set();
      gc({ type: 'minor' });
    },
    collect: () => gc(),
    endKeeping: () => nothing.runInContext(context),
    visit: (set) => void inspect(set, all),
  };
}

/** Whether `visit` misses nothing: memory would be reused under a tensor that is alive. */
function visitsAll(engine: EngineGC): boolean {
  const members = Array.from({ length: 300 }, () => ({ visits: 0, [INSPECT]: visit }));
  function visit(this: { visits: number }): string {
    this.visits++;
    return '';
  }
  engine.visit(new WeakSet(members));
  return members.every((member) => member.visits > 0);
}
