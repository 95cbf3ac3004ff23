/** Figures as text. */
import type { Rate, Result, Skipped, Unit } from '../suite/types.ts';

/** At least three digits, no exponent. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** A time with the unit in which it reads best. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${digits(ms / 1000)} s`;
  if (ms >= 1) return `${digits(ms)} ms`;
  return ms >= 1e-3 ? `${digits(ms * 1e3)} µs` : `${digits(ms * 1e6)} ns`;
}

export const amount = (value: number, unit: Unit): string =>
  unit === 'ms' ? duration(value) : unit === '%' ? `${value.toFixed(1)} %` : `${digits(value)} ${unit}`;

export const rateText = ({ value, unit }: Rate): string => `${digits(value)} ${unit}`;

/** Columns padded to their widest cell: the first to the left, the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, c) => Math.max(cell.length, ...rows.map((row) => row[c].length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c])))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('──'), ...rows.map(line)].join('\n');
}

/** The same as markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map((_, c) => (c === 0 ? '---' : '--:')).join('|')}|`, ...rows.map(line)].join(
    '\n',
  );
}

export const HEAD = [
  '',
  'threads',
  'median',
  'half of all between',
  'rate',
  'of the limit',
  'checksum',
] as const;

export function cells(result: Result): string[] {
  const { name, threads, unit, rate, limit } = result;
  return [
    name,
    String(threads),
    amount(result.median, unit),
    result.samples > 1 ? `${amount(result.q1, unit)} … ${amount(result.q3, unit)}` : '',
    rate ? rateText(rate) : '',
    limit ? `${limit.percent.toFixed(0)} % of ${rateText(limit)}` : '',
    result.checksum ?? '',
  ];
}

/** A group's figures, then its notes and what was left out. */
export function groupTable(group: string, results: readonly (Result | Skipped)[]): string {
  const done = results.filter((result): result is Result => !('skipped' in result));
  const [, ...head] = HEAD;
  const notes = done.flatMap(({ name, threads, note }) =>
    note ? [`  ${name}, ${threads} threads: ${note}`] : [],
  );
  const left = results.flatMap((result) =>
    'skipped' in result ? [`  ${result.name}, ${result.threads} threads: left out, ${result.skipped}`] : [],
  );
  const figures = done.length > 0 ? [table([group, ...head], done.map(cells))] : [group];
  return [...figures, ...notes, ...left].join('\n');
}
