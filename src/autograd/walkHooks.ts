/** What others may do while the backward walk runs, without the walk knowing who they are. */
import { AutogradError } from '../core/errors.ts';

/** What is to be done when a walk has come to its end, and what if it fails, or one of these does. */
interface Ending {
  readonly done: () => void;
  readonly failed: (() => void) | undefined;
}

interface WalkHooks {
  /** Called after each node: for work that goes on beside the walk and has to be driven. Must be quick. */
  afterNode: (() => void) | null;
  /** Of the walk that runs. */
  atEnd: Ending[] | null;
  /** Runs a walk, for somebody who looks at it as a whole. */
  around: (<R>(walk: () => R) => R) | null;
}

export const walkHooks: WalkHooks = { afterNode: null, atEnd: null, around: null };

/**
 * Calls `callback` once when the walk that runs now has come to its end; `failed`, which must not throw, if it does not.
 * @throws AutogradError if none runs
 */
export function queueCallback(callback: () => void, failed?: () => void): void {
  if (walkHooks.atEnd === null)
    throw new AutogradError('queueCallback: final callbacks can only be installed during backward pass');
  walkHooks.atEnd.push({ done: callback, failed });
}

/** Runs a walk and then what was queued for its end. */
export function withWalkHooks<R>(walk: () => R): R {
  const outer = walkHooks.atEnd;
  const mine: Ending[] = [];
  walkHooks.atEnd = mine;
  try {
    const result = walkHooks.around === null ? walk() : walkHooks.around(walk);
    for (const { done } of mine) done();
    return result;
  } catch (error) {
    for (const { failed } of mine) failed?.();
    throw error;
  } finally {
    walkHooks.atEnd = outer;
  }
}
