/** What the page found, and the table of it. */
import { markdownTable } from '../report/text.ts';

/** The columns of the table, in order. */
export const LIBRARY_NAMES = ['wasmgrad', 'tfjs-webgpu', 'jax-js', 'onnxruntime-web'] as const;

export interface Settings {
  /** The smallest works: does everything run? */
  readonly tiny: boolean;
  readonly rounds: number;
  readonly sampleMs: number;
}

export interface Entry {
  readonly work: string;
  readonly library: string;
  /** The median of the samples. */
  readonly ms?: number;
  /** Why there is none. */
  readonly unable?: string;
  readonly note?: string;
}

export interface Report {
  readonly date: string;
  readonly gpu: string;
  readonly browser: string;
  /** Of copies, read and written, in GB/s. */
  readonly bandwidth: number;
  readonly works: readonly { readonly name: string; readonly flops?: number; readonly bytes?: number }[];
  readonly entries: readonly Entry[];
}

/** A line for the terminal. */
export const figure = ({ work, library, ms, unable }: Entry): string =>
  `${work} · ${library}: ${ms === undefined ? unable : `${ms.toPrecision(3)} ms`}`;

/** Three digits, without an exponent. */
const three = (x: number): string => (x < 1000 ? x.toPrecision(3) : String(Number(x.toPrecision(3))));

function cell(entry: Entry | undefined, work: Report['works'][number]): string {
  if (entry === undefined) return '';
  if (entry.ms === undefined) return entry.unable ?? '';
  const time = `${entry.ms.toPrecision(3)} ms`;
  const mark = entry.note ? ' (!)' : '';
  if (work.flops) return `${time}, ${three(work.flops / entry.ms / 1e6)} GFLOP/s${mark}`;
  if (work.bytes) return `${time}, ${three(work.bytes / entry.ms / 1e6)} GB/s${mark}`;
  return `${time}${mark}`;
}

/** Markdown: a row per work, a column per library, and what must be known beside it. */
export function tableOf({ date, gpu, browser, bandwidth, works, entries }: Report): string {
  const seen = new Set(entries.filter((entry) => entry.work !== 'start').map((entry) => entry.library));
  const libraries = [...LIBRARY_NAMES].filter((name) => seen.has(name));
  const find = (work: string, library: string) =>
    entries.find((entry) => entry.work === work && entry.library === library);
  const rows = works.map((work) => [
    work.name,
    ...libraries.map((name) => cell(find(work.name, name), work)),
  ]);
  const [version = browser] =
    /Chrome\/[\d.]+|Node\/[\d.]+|Firefox\/[\d.]+|Version\/[\d.]+/.exec(browser) ?? [];
  const notes = entries.filter((entry) => entry.note || entry.work === 'start');
  return [
    `${gpu}, ${version}, ${date.slice(0, 10)}; copies between buffers: ${bandwidth.toPrecision(3)} GB/s.`,
    '',
    markdownTable(['', ...libraries], rows),
    ...notes.map(({ work, library, note, unable }) => `\n${library}, ${work}: ${note ?? unable}.`),
  ].join('\n');
}
