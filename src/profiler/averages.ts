/** What a profile adds up to, by name and by module, as lists and as tables. */
import { ArgumentError } from '../core/errors.ts';
import type { SpanKind } from './spans.ts';
import type { ModuleSums, Sums } from './sums.ts';
import { type Column, formatBytes, formatPart, formatTime, shortened, textTable } from './table.ts';

/** The sums of all events of one name. Times are microseconds, as PyTorch's. */
export interface EventAverage {
  /** A kernel (`addmm`), a node of the graph (`AddmmBackward0`), or what PyTorch's profiler calls the event. */
  readonly key: string;
  readonly kind: Exclude<SpanKind, 'async'>;
  /** `[128, 784] [784, 500]`, if the profile recorded shapes and they were asked for. */
  readonly inputShapes: string | null;
  readonly count: number;
  /** Without the events inside. */
  readonly selfCpuTimeTotal: number;
  readonly cpuTimeTotal: number;
  /** Of one call, on average. */
  readonly cpuTime: number;
  /** Of all arrays that kernels read and wrote: divided by the time, the rate at which memory was used. */
  readonly bytes: number;
  /** Of new storages. Those that were freed meanwhile count too. */
  readonly cpuMemoryUsage: number;
  /** Multiplications and additions of matrix products and convolutions. */
  readonly flops: number;
  /**
   * The part of the time that is owed to worker threads, from 0 to 1: by the part of each kernel's work that they did.
   * n threads that share all work evenly have (n − 1)/n.
   */
  readonly workersShare: number;
}

/** What a table is sorted by, the largest first. */
export type SortBy =
  | 'selfCpuTimeTotal'
  | 'cpuTimeTotal'
  | 'cpuTime'
  | 'count'
  | 'bytes'
  | 'cpuMemoryUsage'
  | 'flops';
const SORTS: readonly SortBy[] = [
  'selfCpuTimeTotal',
  'cpuTimeTotal',
  'cpuTime',
  'count',
  'bytes',
  'cpuMemoryUsage',
  'flops',
];

export interface TableOptions {
  /** Default `selfCpuTimeTotal`. */
  sortBy?: SortBy;
  /** Lines, at most; default 100, -1 for all. */
  rowLimit?: number;
  /** Characters of a name, at most; default 55. */
  maxNameColumnWidth?: number;
}

const DEFAULT_ROWS = 100;
const DEFAULT_NAME_WIDTH = 55;

function averageOf(sums: Sums): EventAverage {
  const { count, self, total, bytes, allocatedBytes, flops, workersTime } = sums;
  return {
    key: sums.name,
    kind: sums.kind as EventAverage['kind'],
    inputShapes: sums.shapes,
    count,
    selfCpuTimeTotal: self,
    cpuTimeTotal: total,
    cpuTime: total / count,
    bytes,
    cpuMemoryUsage: allocatedBytes,
    flops,
    workersShare: total === 0 ? 0 : workersTime / total,
  };
}

/** Averages by name, in the order of their first call. */
export class KeyAverages implements Iterable<EventAverage> {
  readonly rows: readonly EventAverage[];
  /** Of the whole profile, in microseconds, with what lies between the events. */
  readonly wallTime: number;

  constructor(sums: Iterable<Sums>, wallTime: number) {
    this.rows = [...sums].map(averageOf);
    this.wallTime = wallTime;
  }

  get length(): number {
    return this.rows.length;
  }
  [Symbol.iterator](): Iterator<EventAverage> {
    return this.rows[Symbol.iterator]();
  }

  /** The row of a name, or undefined. With shapes there may be several: iterate. */
  get(key: string): EventAverage | undefined {
    return this.rows.find((row) => row.key === key);
  }

  /** Time inside events. The rest of `wallTime` is the program's own code, and waiting. */
  get selfCpuTimeTotal(): number {
    return this.rows.reduce((sum, row) => sum + row.selfCpuTimeTotal, 0);
  }

  /** As PyTorch prints it; percentages are of `wallTime`. @throws ArgumentError for a column that there is not */
  table(options: TableOptions = {}): string {
    const {
      sortBy = 'selfCpuTimeTotal',
      rowLimit = DEFAULT_ROWS,
      maxNameColumnWidth = DEFAULT_NAME_WIDTH,
    } = options;
    if (!SORTS.includes(sortBy)) {
      throw new ArgumentError(
        `table: sortBy must be one of ${SORTS.join(', ')}, but got '${String(sortBy)}'`,
      );
    }
    const sorted = [...this.rows].sort((a, b) => b[sortBy] - a[sortBy]);
    const rows = rowLimit < 0 ? sorted : sorted.slice(0, rowLimit);
    const { wallTime, selfCpuTimeTotal } = this;
    const left = this.rows.length - rows.length;
    return [
      textTable(this.#columns(maxNameColumnWidth), rows),
      ...(left > 0 ? [`${left} more rows`] : []),
      `Self CPU time total: ${formatTime(selfCpuTimeTotal)} of ${formatTime(wallTime)}`,
      '',
    ].join('\n');
  }

  #columns(width: number): Column<EventAverage>[] {
    const has = (test: (row: EventAverage) => boolean) => this.rows.some(test);
    const columns: Column<EventAverage>[] = [
      { title: 'Name', text: ({ key }) => shortened(key, width), left: true },
      { title: 'Self CPU %', text: (row) => formatPart(row.selfCpuTimeTotal, this.wallTime) },
      { title: 'Self CPU', text: (row) => formatTime(row.selfCpuTimeTotal) },
      { title: 'CPU total %', text: (row) => formatPart(row.cpuTimeTotal, this.wallTime) },
      { title: 'CPU total', text: (row) => formatTime(row.cpuTimeTotal) },
      { title: 'CPU time avg', text: (row) => formatTime(row.cpuTime) },
      { title: '# of Calls', text: ({ count }) => String(count) },
      { title: 'Bytes', text: ({ bytes }) => formatBytes(bytes) },
      { title: 'CPU Mem', text: (row) => formatBytes(row.cpuMemoryUsage) },
    ];
    if (has(({ flops }) => flops > 0)) {
      const rate = ({ flops, cpuTimeTotal }: EventAverage): string =>
        flops === 0 ? '--' : (flops / cpuTimeTotal / 1e3).toFixed(2);
      columns.push({ title: 'GFLOP/s', text: rate });
    }
    if (has(({ workersShare }) => workersShare > 0))
      columns.push({ title: 'Workers', text: ({ workersShare }) => formatPart(workersShare, 1) });
    if (has(({ inputShapes }) => inputShapes !== null))
      columns.push({ title: 'Input Shapes', text: ({ inputShapes }) => inputShapes ?? '', left: true });
    return columns;
  }

  toString(): string {
    return this.table();
  }

  /** What Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** What a module took. Times are microseconds. */
export interface ModuleAverage {
  /** From the outermost module on: `FullyConnected.linear_1`. */
  readonly path: string;
  /** Its class. */
  readonly type: string;
  /** How many modules it is inside of. */
  readonly depth: number;
  readonly count: number;
  /** Time of `forward`. */
  readonly forward: number;
  /** The same without the modules inside. */
  readonly selfForward: number;
  /** Time of the rules of what `forward` recorded, in backward passes. */
  readonly backward: number;
  readonly selfBackward: number;
  /** Bytes of new storages in `forward`. */
  readonly cpuMemoryUsage: number;
}

function* flattened(modules: readonly ModuleSums[], depth = 0): Generator<ModuleAverage & { label: string }> {
  for (const sums of modules) {
    const { path, type, name, calls, forward, forwardSelf, backward, backwardSelf, allocatedBytes } = sums;
    yield {
      path,
      type,
      depth,
      label: name === null ? path.slice(path.lastIndexOf('.') + 1) : `${name}: ${type}`,
      count: calls,
      forward,
      selfForward: forwardSelf,
      backward,
      selfBackward: backwardSelf,
      cpuMemoryUsage: allocatedBytes,
    };
    yield* flattened(sums.children, depth + 1);
  }
}

/** Averages by module, each before the ones inside it. */
export class ModuleAverages implements Iterable<ModuleAverage> {
  readonly rows: readonly ModuleAverage[];
  readonly #labels: readonly string[];
  readonly wallTime: number;

  constructor(roots: readonly ModuleSums[], wallTime: number) {
    const all = [...flattened(roots)];
    this.#labels = all.map(({ label, depth }) => '  '.repeat(depth) + label);
    this.rows = all.map(({ label: _, ...row }) => row);
    this.wallTime = wallTime;
  }

  get length(): number {
    return this.rows.length;
  }
  [Symbol.iterator](): Iterator<ModuleAverage> {
    return this.rows[Symbol.iterator]();
  }

  /** The row of a path, or undefined. */
  get(path: string): ModuleAverage | undefined {
    return this.rows.find((row) => row.path === path);
  }

  /** Modules inside others are indented. */
  table({ rowLimit = DEFAULT_ROWS }: Pick<TableOptions, 'rowLimit'> = {}): string {
    const labelled = this.rows.map((row, i) => ({ ...row, label: this.#labels[i] }));
    const rows = rowLimit < 0 ? labelled : labelled.slice(0, rowLimit);
    const columns: Column<ModuleAverage & { label: string }>[] = [
      { title: 'Module', text: ({ label }) => label, left: true },
      { title: 'Forward %', text: ({ forward }) => formatPart(forward, this.wallTime) },
      { title: 'Forward', text: ({ forward }) => formatTime(forward) },
      { title: 'Self', text: ({ selfForward }) => formatTime(selfForward) },
      { title: 'Backward %', text: ({ backward }) => formatPart(backward, this.wallTime) },
      { title: 'Backward', text: ({ backward }) => formatTime(backward) },
      { title: 'Self', text: ({ selfBackward }) => formatTime(selfBackward) },
      { title: '# of Calls', text: ({ count }) => String(count) },
      { title: 'CPU Mem', text: (row) => formatBytes(row.cpuMemoryUsage) },
    ];
    const left = labelled.length - rows.length;
    return [textTable(columns, rows), ...(left > 0 ? [`${left} more rows`] : []), ''].join('\n');
  }

  toString(): string {
    return this.table();
  }

  /** What Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
