/** What others may do while the backward walk runs, without the walk knowing who they are. */
import { AutogradError } from '../core/errors.ts';

interface WalkHooks {
  /** Called after each node: for work that goes on beside the walk and has to be driven. Must be quick. */
  afterNode: (() => void) | null;
  /** Of the walk that runs. */
  atEnd: (() => void)[] | null;
  /** Runs a walk, for somebody who looks at it as a whole. */
  around: (<R>(walk: () => R) => R) | null;
}

export const walkHooks: WalkHooks = { afterNode: null, atEnd: null, around: null };

/**
 * Calls `callback` once when the walk that runs now has come to its end; not if it fails.
 * @throws AutogradError if none runs
 */
export function queueCallback(callback: () => void): void {
  if (walkHooks.atEnd === null)
    throw new AutogradError('queueCallback: final callbacks can only be installed during backward pass');
  walkHooks.atEnd.push(callback);
}

/** Runs a walk and then what was queued for its end. */
export function withWalkHooks<R>(walk: () => R): R {
  const outer = walkHooks.atEnd;
  const mine: (() => void)[] = [];
  walkHooks.atEnd = mine;
  try {
    const result = walkHooks.around === null ? walk() : walkHooks.around(walk);
    for (const callback of mine) callback();
    return result;
  } finally {
    walkHooks.atEnd = outer;
  }
}
