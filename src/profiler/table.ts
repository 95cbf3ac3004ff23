/** Tables of text, as PyTorch's profiler prints them. */

export interface Column<R> {
  readonly title: string;
  readonly text: (row: R) => string;
  /** Words stand on the left, numbers on the right. */
  readonly left?: boolean;
}

const GAP = '  ';

/** Lines with a rule above, below the titles, and at the end. */
export function textTable<R>(columns: readonly Column<R>[], rows: readonly R[]): string {
  const cells = rows.map((row) => columns.map(({ text }) => text(row)));
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...cells.map((line) => line[i].length)),
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => (columns[i].left ? text.padEnd(widths[i]) : text.padStart(widths[i])))
      .join(GAP)
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join(GAP);
  return [rule, line(columns.map(({ title }) => title)), rule, ...cells.map(line), rule].join('\n');
}

/** `12.345us`, `1.234ms`, `2.500s`. */
export function formatTime(microseconds: number): string {
  if (microseconds >= 1e6) return `${(microseconds / 1e6).toFixed(3)}s`;
  if (microseconds >= 1e3) return `${(microseconds / 1e3).toFixed(3)}ms`;
  return `${microseconds.toFixed(3)}us`;
}

/** `512 B`, `3.14 kB`, `25.09 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(2)} MB`;
  if (bytes >= 1e3) return `${(bytes / 1e3).toFixed(2)} kB`;
  return `${bytes} B`;
}

export const formatPart = (part: number, whole: number): string =>
  `${((100 * part) / (whole || 1)).toFixed(2)}%`;

/** At most `limit` characters: the end of a name says more than its middle. */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const tail = Math.floor((limit - 1) / 3);
  return `${text.slice(0, limit - 1 - tail)}…${text.slice(text.length - tail)}`;
}
