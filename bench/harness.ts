/** Timing that can be believed: warm-up, rounds that interleave all cases, medians and spread. */

export interface Case {
  readonly name: string;
  /** Runs the work `count` times. */
  readonly run: (count: number) => void;
  /** What one run amounts to, for the last column. */
  readonly rate?: { readonly amount: number; readonly unit: string };
}

export interface Result {
  readonly name: string;
  readonly medianMs: number;
  readonly fastestMs: number;
  readonly slowestMs: number;
  readonly rate: string;
}

const ROUNDS = 9;
/** Each sample runs at least this long, so that the clock's grain and single interrupts do not count. */
const SAMPLE_MS = 30;

const now = (): number => performance.now();

function time(run: (count: number) => void, count: number): number {
  const start = now();
  run(count);
  return (now() - start) / count;
}

/** Measures all cases round by round; what disturbs the machine disturbs them alike. */
export function measure(cases: readonly Case[]): Result[] {
  const counts = cases.map(({ run }) => {
    time(run, 3);
    const once = Math.max(time(run, 3), 1e-5);
    const count = Math.max(1, Math.ceil(SAMPLE_MS / once));
    time(run, count);
    return count;
  });
  const samples: number[][] = cases.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { run }] of cases.entries()) samples[i].push(time(run, counts[i]));
  }
  return cases.map(({ name, rate }, i) => {
    const sorted = samples[i].sort((a, b) => a - b);
    const medianMs = sorted[sorted.length >> 1];
    return {
      name,
      medianMs,
      fastestMs: sorted[0],
      slowestMs: sorted[sorted.length - 1],
      rate: rate ? `${(rate.amount / medianMs / 1e6).toFixed(2)} ${rate.unit}` : '',
    };
  });
}

const duration = (ms: number): string => (ms >= 1 ? `${ms.toFixed(3)} ms` : `${(ms * 1000).toFixed(2)} µs`);

/** A table as text. */
export function table(title: string, results: readonly Result[]): string {
  const rows = results.map((r) => [
    r.name,
    duration(r.medianMs),
    `${duration(r.fastestMs)} … ${duration(r.slowestMs)}`,
    r.rate,
  ]);
  const head = [title, 'median', 'fastest … slowest', 'rate'];
  const widths = head.map((h, c) => Math.max(h.length, ...rows.map((r) => r[c].length)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  ');
  return [line(head), widths.map((w) => '─'.repeat(w)).join('──'), ...rows.map(line)].join('\n');
}
