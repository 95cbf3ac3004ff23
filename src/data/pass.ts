/** One pass over a data set: how far it is, and how to come back there in another process. */
import { ArgumentError } from '../core/errors.ts';
import { RandomEngine, STATE_BYTES } from '../core/rng.ts';

/** Where a loader is. */
export interface DataLoaderStateDict {
  /** Batches that the current pass has given; 0 between passes. */
  batches: number;
  /** The states of the default generator and the loader's own ones when the pass began; null between passes. */
  begun: Uint8Array[] | null;
  /** The states that the loader's own generators have now; the default one is no matter of the loader. */
  generators: Uint8Array[];
}

export interface Pass {
  given: number;
  readonly states: readonly Uint8Array[];
}

export const beginPass = (engines: readonly RandomEngine[]): Pass => ({
  given: 0,
  states: engines.map((engine) => engine.getState()),
});

/**
 * Runs `draw` with the generators as they were when the pass began, and puts them back to where they are now: the order
 * of the samples comes out again, and what was drawn since then stays drawn.
 */
export function replay<R>(pass: Pass, engines: readonly RandomEngine[], draw: () => R): R {
  const now = engines.map((engine) => engine.getState());
  engines.forEach((engine, i) => {
    engine.setState(pass.states[i]);
  });
  try {
    return draw();
  } finally {
    engines.forEach((engine, i) => {
      engine.setState(now[i]);
    });
  }
}

/**
 * The pass that a saved state describes, null between passes. `engines` are the default one and the loader's own.
 * @throws ArgumentError if the state is not one of a loader like this
 */
export function passOf(
  { batches, begun, generators }: Readonly<DataLoaderStateDict>,
  engines: readonly RandomEngine[],
  length: number,
): Pass | null {
  if (!Number.isInteger(batches) || batches < 0)
    throw refused(`batches must be a non-negative integer, but got ${String(batches)}`);
  checkStates(generators, engines.length - 1);
  if (begun === null) {
    if (batches === 0) return null;
    throw refused(`${batches} batches were given, but begun is null`);
  }
  if (batches > length) throw refused(`${batches} batches were given, but a pass has ${length} now`);
  checkStates(begun, engines.length);
  return { given: batches, states: begun.map((bytes) => bytes.slice()) };
}

const refused = (what: string) => new ArgumentError(`DataLoader.loadStateDict: ${what}`);

function checkStates(states: Uint8Array[], count: number): void {
  if (!Array.isArray(states) || states.length !== count) {
    throw refused(
      `expected the states of ${count} generators, but got ${Array.isArray(states) ? states.length : typeof states}`,
    );
  }
  for (const bytes of states) {
    if (!(bytes instanceof Uint8Array)) throw refused(`a generator's state must be ${STATE_BYTES} bytes`);
    new RandomEngine().setState(bytes); // throws for what is no state
  }
}
