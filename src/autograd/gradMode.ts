/** Whether operations record themselves in the graph: a switch that scopes turn off and on. */
import { storageMode } from '../backend/array.ts';
import { ArgumentError, AutogradError } from '../core/errors.ts';

let enabled = true;

/** True when operations on tensors that require gradients are being recorded. */
export const isGradEnabled = (): boolean => enabled;

/**
 * Switches recording for all that follows; with `body`, while it runs, and returns its result, as `noGrad` and
 * `enableGrad` do. @throws AutogradError if body is asynchronous
 */
export function setGradEnabled(mode: boolean): void;
export function setGradEnabled<R>(mode: boolean, body: () => R): R;
export function setGradEnabled<R>(mode: boolean, body?: () => R): R | void {
  if (typeof mode !== 'boolean')
    throw new ArgumentError(`setGradEnabled: expected true or false, but got ${String(mode)}`);
  if (body !== undefined) return withGradMode(mode, body, 'setGradEnabled');
  enabled = mode;
}

/** Runs `body` with recording on or off. @throws AutogradError if body is asynchronous: the mode could not follow it */
export function withGradMode<R>(mode: boolean, body: () => R, op: string): R {
  if (typeof body !== 'function')
    throw new ArgumentError(
      `${op}: expected a function to run, ${op}(() => { … }), but got ${String(body ?? 'nothing')}`,
    );
  const before = enabled;
  enabled = mode;
  try {
    const result = body();
    if (result instanceof Promise) {
      throw new AutogradError(
        `${op}: the function must not be async, because the mode ends when it returns; ` +
          `call ${op} around the synchronous parts, or use setGradEnabled`,
      );
    }
    return result;
  } finally {
    enabled = before;
  }
}

/** Runs `body` without recording and returns its result. Nests. */
export const noGrad = <R>(body: () => R): R => withGradMode(false, body, 'noGrad');

/** True inside `inferenceMode`. */
export const isInferenceModeEnabled = (): boolean => storageMode.inference;

/**
 * Runs `body` without recording; what it makes can never be part of a graph afterwards (clone it if it must). `mode`
 * false leaves an outer inference mode. Nests.
 */
export function inferenceMode<R>(body: () => R, mode = true): R {
  const before = storageMode.inference;
  storageMode.inference = mode;
  try {
    return withGradMode(!mode && (before || enabled), body, 'inferenceMode');
  } finally {
    storageMode.inference = before;
  }
}

/** Runs `body` with recording on, also inside `noGrad`, and returns its result. */
export const enableGrad = <R>(body: () => R): R => withGradMode(true, body, 'enableGrad');
