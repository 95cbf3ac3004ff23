/** A run as markdown: one table per group, numbers of threads side by side. */
import { GROUPS, type Result } from '../suite/types.ts';
import { measured, originOf, type Run } from './record.ts';
import { amount, markdownTable, rateText } from './text.ts';

/** The median, what it amounts to, and the part of the limit: what of it there is. */
function cellOf(result: Result | undefined): string {
  if (!result) return '–';
  const { median, unit, rate, limit } = result;
  const time = amount(median, unit);
  const rated = rate && rate.unit !== 'samples/s' ? `${time}, ${rateText(rate)}` : time;
  return limit ? `${rated}, ${limit.percent.toFixed(0)} %` : rated;
}

/** The fastest sample in place of the median. */
function fastest(result: Result): Result {
  const { median, fastest: least, unit, rate, limit } = result;
  if (unit !== 'ms') return result;
  const faster = median / least;
  return {
    ...result,
    median: least,
    ...(rate ? { rate: { ...rate, value: rate.value * faster } } : {}),
    ...(limit ? { limit: { ...limit, percent: limit.percent * faster } } : {}),
  };
}

/** `best` shows the fastest samples instead of the medians. */
export function markdownReport(run: Run, best: boolean): string {
  const results = best ? measured(run).map(fastest) : measured(run);
  const counts = [...new Set(results.map(({ threads }) => threads))].sort((a, b) => a - b);
  const head = counts.map((count) => `${count} thread${count === 1 ? '' : 's'}`);
  const parts = GROUPS.flatMap((group) => {
    const names = [...new Set(results.filter((result) => result.group === group).map(({ name }) => name))];
    if (names.length === 0) return [];
    const rows = names.map((name) => [
      name,
      ...counts.map((count) =>
        cellOf(results.find((r) => r.group === group && r.name === name && r.threads === count)),
      ),
    ]);
    return [`### ${group}\n\n${markdownTable(['', ...head], rows)}`];
  });
  const limits = counts.flatMap((count) => {
    const one = results.find(({ threads, limit }) => threads === count && limit?.unit === 'GFLOP/s');
    return one?.limit ? [`${rateText(one.limit)} on ${count}`] : [];
  });
  const peak =
    limits.length > 0 ? ` Peak of multiply-adds in registers, by threads: ${limits.join(', ')}.` : '';
  return [
    `${originOf(run)}.${peak} ${best ? 'The fastest samples' : 'Medians'}; percents are of what the machine can do.`,
    ...parts,
  ].join('\n\n');
}
