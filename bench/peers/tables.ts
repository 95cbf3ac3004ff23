/** The figures of all libraries as tables, and where they are kept. */
import fs from 'node:fs';
import type { Machine } from '../report/record.ts';
import { digits, duration, markdownTable } from '../report/text.ts';
import type { BundleSize } from './bundleSizes.ts';
import { type Entry, EPOCH, type Figure, LOADER, MEMORY, START } from './measurePeers.ts';
import { WORKS, type Work } from './works.ts';

export interface PeerRun {
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly entries: readonly Entry[];
  readonly sizes: readonly BundleSize[];
}

const keyOf = ({ work, peer, threads }: Entry): string => `${work}|${peer}|${threads}`;

export const readRun = (file: string): PeerRun | undefined =>
  fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined;

/** What is newer replaces what is older, entry by entry. */
export function merge(older: PeerRun | undefined, newer: PeerRun): PeerRun {
  if (!older) return newer;
  const entries = new Map([...older.entries, ...newer.entries].map((entry) => [keyOf(entry), entry]));
  return {
    ...newer,
    versions: { ...older.versions, ...newer.versions },
    entries: [...entries.values()],
    sizes: newer.sizes.length > 0 ? newer.sizes : older.sizes,
  };
}

const ORDER = [
  'wasmgrad',
  'tfjs-wasm',
  'tfjs-wasm, repaired',
  'jax-js',
  'onnxruntime-web',
  'tfjs-cpu',
  'js-pytorch',
  'PyTorch',
];

const unitOf = (work: Work): string => work.rate?.unit ?? '';

function valueText(work: Work | undefined, { median, unit }: Figure): string {
  if (unit === 'MB') return median.toFixed(0);
  return work?.rate ? digits(work.rate.amount / median / 1e6) : duration(median);
}

/** One cell: the figures for each number of threads, with a mark where there is a note. */
function cellOf(run: PeerRun, name: string, peer: string, notes: string[], work?: Work): string {
  const entries = run.entries
    .filter((entry) => entry.work === name && entry.peer === peer)
    .sort((a, b) => a.threads - b.threads);
  if (entries.length === 0) return '';
  const parts = entries.map((entry) => {
    if ('unable' in entry) return '–';
    const text = valueText(work, entry);
    if (!entry.note?.includes('differ')) return text;
    const note = `${name}, ${peer}: ${entry.note}`;
    if (!notes.includes(note)) notes.push(note);
    return `${text}[^${notes.indexOf(note) + 1}]`;
  });
  return parts.every((part) => part === '–') ? '–' : parts.join(' / ');
}

function tableOf(
  run: PeerRun,
  works: readonly { name: string; work?: Work; label?: string }[],
  notes: string[],
  peers = ORDER,
): string {
  const present = works.filter(({ name }) => run.entries.some((entry) => entry.work === name));
  const columns = peers.filter((peer) =>
    present.some(({ name }) => run.entries.some((entry) => entry.work === name && entry.peer === peer)),
  );
  if (present.length === 0) return '';
  return markdownTable(
    ['', ...columns],
    present.map(({ name, work, label }) => [
      label ?? (work && unitOf(work) ? `${name}, ${unitOf(work)}` : name),
      ...columns.map((peer) => cellOf(run, name, peer, notes, work)),
    ]),
  );
}

const GROUPS: readonly [Work['group'], string][] = [
  ['matmul', 'Products of float32 matrices'],
  ['elementwise', 'Elementwise functions and reductions'],
  ['rows', 'Functions of rows'],
  ['convolution', 'Convolutions, 3×3'],
  ['small', 'Small operations'],
  ['inference', 'Inference'],
];
const TUTORIAL = [EPOCH, LOADER, START, MEMORY].map((name) => ({
  name,
  label: name === MEMORY ? `${MEMORY}, MB` : name,
}));

function origin({ date, machine, versions }: PeerRun, what: string): string {
  const list = ORDER.filter((peer) => versions[peer] && peer !== 'tfjs-wasm, repaired');
  const names = list.map((peer) => `${peer} ${versions[peer]}`).join(', ');
  return `${date.slice(0, 10)}, ${machine.processor}, ${machine.cores} cores, ${machine.engine}. ${names}. Cells: ${what} on ${machine.cores > 1 ? `1 / ${machine.cores} threads` : '1 thread'}; – : the library cannot do it.`;
}

function sizeTable({ sizes }: PeerRun): string {
  if (sizes.length === 0) return '';
  const kB = (bytes: number) => (bytes === 0 ? 'inside' : (bytes / 1000).toFixed(0));
  const rows = sizes.map(({ peer, script, wasm }) => [
    peer,
    kB(script),
    peer === 'jax-js' ? 'made at run time' : kB(wasm),
    ((script + wasm) / 1000).toFixed(0),
  ]);
  return `### What a page fetches, kB after gzip\n\n${markdownTable(['', 'script', 'wasm', 'together'], rows)}`;
}

/** Rows of the short table, for the README. */
const SHORT = [
  '128×784×500',
  '784×128×500 TN',
  '512³',
  'add, 4M',
  'exp, 64k',
  'softmax, 4096×1024',
  '32×1×28×28 → 32, forward and both gradients',
  'add of 16 elements',
];
const SHORT_PEERS = ['wasmgrad', 'tfjs-wasm', 'tfjs-wasm, repaired', 'jax-js', 'PyTorch'];

/** Everything that was measured (`full`), and the rows that say most (`short`). */
export function tables(measured: PeerRun, best: boolean): { full: string; short: string } {
  const fastest = (entry: Entry): Entry =>
    'unable' in entry || entry.unit !== 'ms' ? entry : { ...entry, median: entry.fastest };
  const run = best ? { ...measured, entries: measured.entries.map(fastest) } : measured;
  const from = origin(run, best ? 'the fastest samples' : 'medians');
  const notes: string[] = [];
  const named = (works: readonly Work[]) => works.map((work) => ({ name: work.name, work }));
  const parts = [
    from,
    `### The tutorial\n\n${tableOf(run, TUTORIAL, notes)}`,
    ...GROUPS.map(([group, title]) => {
      const table = tableOf(run, named(WORKS.filter((work) => work.group === group)), notes);
      return table && `### ${title}\n\n${table}`;
    }),
    sizeTable(run),
  ].filter(Boolean);
  const marks = notes.map((note, i) => `[^${i + 1}]: ${note}`).join('\n');
  const shortNotes: string[] = [];
  const chosen = SHORT.flatMap((name) => named(WORKS.filter((work) => work.name === name)));
  const short = tableOf(
    run,
    [...TUTORIAL.filter(({ name }) => name !== LOADER), ...chosen],
    shortNotes,
    SHORT_PEERS,
  );
  const shortText = short.replace(/\[\^\d+\]/g, '');
  return { full: [...parts, marks].filter(Boolean).join('\n\n'), short: `${from}\n\n${shortText}` };
}
