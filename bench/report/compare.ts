/** Two runs side by side. */
import type { Result } from '../suite/types.ts';
import { measured, originOf, type Run } from './record.ts';
import { amount, table } from './text.ts';

export interface Change {
  readonly before: Result;
  readonly after: Result;
  /** After over before: 0.5 is twice as fast, or half the memory. */
  readonly ratio: number;
  /** The middle halves of the samples do not overlap and the medians differ by more than 3 %: hardly noise. */
  readonly verdict: 'better' | 'worse' | 'same';
  /** Both have a checksum, and they differ. */
  readonly otherResult: boolean;
}

const NOISE = 0.03;
const key = ({ group, name, threads }: Result): string => `${group}/${name}/${threads}`;

function verdictOf(before: Result, after: Result): Change['verdict'] {
  const small = Math.abs(after.median - before.median) <= NOISE * Math.abs(before.median);
  if (small || (after.q1 <= before.q3 && before.q1 <= after.q3)) return 'same';
  return after.median < before.median ? 'better' : 'worse';
}

/** What both runs measured, in the order of the later one. */
export function changes(before: Run, after: Run): Change[] {
  const old = new Map(measured(before).map((result) => [key(result), result]));
  return measured(after).flatMap((result) => {
    const earlier = old.get(key(result));
    if (!earlier || earlier.unit !== result.unit) return [];
    return {
      before: earlier,
      after: result,
      ratio: result.median / earlier.median,
      verdict: verdictOf(earlier, result),
      otherResult: !!earlier.checksum && !!result.checksum && earlier.checksum !== result.checksum,
    };
  });
}

/** The changes as a table, with a line that counts them. */
export function comparison(before: Run, after: Run): string {
  const list = changes(before, after);
  if (list.length === 0) return `nothing in common with the run of ${before.date}`;
  const rows = list.map(({ before: b, after: a, ratio, verdict, otherResult }) => [
    `${a.group} ${a.name}`,
    String(a.threads),
    amount(b.median, b.unit),
    amount(a.median, a.unit),
    `× ${ratio.toFixed(2)}`,
    `${verdict === 'same' ? '' : verdict}${otherResult ? ' (other results)' : ''}`,
  ]);
  const count = (verdict: Change['verdict']) => list.filter((change) => change.verdict === verdict).length;
  const summary = `${count('better')} better, ${count('worse')} worse, ${count('same')} within the noise`;
  const origins =
    originOf(before) === originOf(after) ? [] : [`before: ${originOf(before)}`, `after:  ${originOf(after)}`];
  return [table(['compared', 'threads', 'before', 'after', 'change', ''], rows), summary, ...origins].join(
    '\n',
  );
}
