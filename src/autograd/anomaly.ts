/**
 * The search for the first NaN: while it is on, every op looks at what it gives, every backward rule at its gradients,
 * and every node remembers where it was called. Slow, and meant for one run that finds the place.
 */
import type { NDArray } from '../backend/array.ts';
import { isFloating } from '../core/dtype.ts';
import { AutogradError } from '../core/errors.ts';

/** An array with a name is all that is looked at here. */
interface Valued {
  readonly array: NDArray;
}

interface Recorded {
  readonly name: string;
  readonly calledAt: string | null;
}

/** The switches. `enabled` alone only remembers places. */
export const anomaly = { enabled: false, checkForward: false, checkBackward: false };

/** The folder (or bundle) of this library, as stack traces show it; frames inside it are left out of reports. */
let home: string | null = null;

function homeOf(trace: string): string {
  const [, url = ''] = /(?:@|\(|at )((?:[a-z-]+:\/\/|\/|[A-Z]:\\)[^\n)]*?):\d+:\d+/.exec(trace) ?? [];
  return url.replace(/(?:autograd[/\\])?[^/\\]*$/, '');
}

function traceText(): string {
  return new Error('place').stack ?? '';
}

/** The callers outside this library, one a line; all of them where the two cannot be told apart. */
export function callSite(): string {
  const limits = Error as { stackTraceLimit?: number };
  const before = limits.stackTraceLimit;
  if (before !== undefined) limits.stackTraceLimit = 60;
  const trace = traceText();
  home ??= homeOf(trace);
  const own = home;
  const lines = trace.split('\n').filter((line) => /:\d+:\d+/.test(line));
  if (before !== undefined) limits.stackTraceLimit = before;
  const outside = own === '' ? lines : lines.filter((line) => !line.includes(own));
  return (outside.length > 0 ? outside : lines).slice(0, 12).join('\n');
}

function hasNaN({ array }: Valued): boolean {
  if (!isFloating(array.dtype) || array.size === 0) return false;
  for (const value of array.backend.read(array)) if (Number.isNaN(value)) return true;
  return false;
}

/** @throws AutogradError if a result has a NaN that no input had */
export function checkForward(name: string, arrays: readonly NDArray[], inputs: readonly Valued[]): void {
  if (!anomaly.checkForward) return;
  const slot = arrays.findIndex((array) => hasNaN({ array }));
  if (slot < 0 || inputs.some(hasNaN)) return;
  throw new AutogradError(
    `detectAnomaly: ${opName(name)} returned nan values in its ${slot}th output, though no input has any. ` +
      `It was called:\n${callSite()}`,
  );
}

/** @throws AutogradError if a rule gave a NaN */
export function checkBackward(node: Recorded, results: readonly (Valued | null | undefined)[]): void {
  if (!anomaly.checkBackward) return;
  const slot = results.findIndex((g) => g && hasNaN(g));
  if (slot < 0) return;
  const place =
    node.calledAt === null ? ' It was called before detectAnomaly.' : ` The op was called:\n${node.calledAt}`;
  throw new AutogradError(
    `detectAnomaly: Function '${node.name}' returned nan values in its ${slot}th output.${place}`,
  );
}

/** Runs a backward rule, whose own steps are not the user's ops. */
export function withoutForwardChecks<R>(body: () => R): R {
  const before = anomaly.checkForward;
  anomaly.checkForward = false;
  try {
    return body();
  } finally {
    anomaly.checkForward = before;
  }
}

/** 'SqrtBackward0' → 'sqrt' */
const opName = (name: string): string => {
  const base = name.replace(/Backward\d*$/, '');
  return base.charAt(0).toLowerCase() + base.slice(1);
};
