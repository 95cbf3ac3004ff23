/** Every library does the same work on the same GPU, in turns. */
import { median } from '../suite/statistics.ts';
import * as jaxJs from './libraries/jaxJs.mjs';
import * as onnxruntime from './libraries/onnxruntime.mjs';
import * as tfjs from './libraries/tfjs.mjs';
import * as wasmgrad from './libraries/wasmgrad.mjs';
import { copyBandwidth, gpuName } from './limits.ts';
import type { Entry, Report, Settings } from './report.ts';
import { type Work, works } from './works.ts';

interface Job {
  run(): unknown;
  read(): Promise<ArrayLike<number>>;
  finish?(): Promise<unknown>;
  close?(): unknown;
}

interface Library {
  readonly works: Readonly<Record<string, (spec: object) => Job | Promise<Job>>>;
  /** When the GPU has done all that was asked for. */
  finish?(): Promise<unknown>;
}

const LIBRARIES = { wasmgrad, 'tfjs-webgpu': tfjs, 'jax-js': jaxJs, 'onnxruntime-web': onnxruntime };
/** Results may differ by the order of sums, and by how exp is computed. */
const TOLERANCE = 2e-3;

async function time(job: Job, library: Library, count: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const pending = job.run();
    if (pending instanceof Promise) await pending;
  }
  await (job.finish ?? library.finish)?.();
  return (performance.now() - start) / count;
}

/** Calls are handed out by so many bytes at a time: pages find what was dropped only between samples. */
const MOST_BYTES = 2 ** 34;

/** How many calls take as long as a sample shall: by trial, since waiting for the GPU takes as long as many of them. */
async function countFor(job: Job, library: Library, sampleMs: number, bytes: number): Promise<number> {
  const most = Math.max(1, Math.floor(MOST_BYTES / Math.max(bytes, 2 ** 20)));
  let count = sampleMs > 0 ? Math.min(3, most) : 1;
  for (;;) {
    const ms = count * (await time(job, library, count));
    if (ms >= 0.8 * sampleMs || count === most) return count;
    count = Math.min(most, Math.ceil(count * Math.min(8, (1.1 * sampleMs) / Math.max(ms, 1e-3))));
  }
}

/** The largest difference of some elements, as a part of their mean size. */
function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let size = 0;
  let worst = 0;
  const step = Math.max(1, Math.floor(a.length / 10_007));
  let count = 0;
  for (let i = 0; i < a.length; i += step, count++) {
    size += Math.abs(a[i]);
    worst = Math.max(worst, Math.abs(a[i] - b[i]));
  }
  return worst / Math.max(size / count, 1e-30);
}

interface Ready {
  readonly library: string;
  readonly job: Job;
  readonly count: number;
  readonly samples: number[];
  readonly note?: string;
}

async function measureWork(
  work: Work,
  libraries: ReadonlyMap<string, Library>,
  { rounds, sampleMs }: Settings,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  const ready: Ready[] = [];
  let first: ArrayLike<number> | null = null;
  for (const [name, library] of libraries) {
    const make = library.works[work.spec.kind];
    if (make === undefined) {
      entries.push({ work: work.name, library: name, unable: 'does not train' });
      continue;
    }
    try {
      const job = await make(work.spec);
      // The step that is compared is the first: later ones start from other weights.
      const values = await job.read();
      const distance = first === null ? 0 : apart(first, values);
      first ??= values;
      const note =
        distance > TOLERANCE ? `its result differs by ${(100 * distance).toPrecision(2)} %` : undefined;
      await time(job, library, 2);
      const count = await countFor(job, library, sampleMs, work.bytes ?? 0);
      ready.push({ library: name, job, count, samples: [], ...(note ? { note } : {}) });
    } catch (error) {
      entries.push({ work: work.name, library: name, unable: String(error).split('\n')[0] });
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const { library, job, count, samples } of ready)
      samples.push(await time(job, libraries.get(library) as Library, count));
  }
  for (const { library, job, samples, note } of ready) {
    await job.close?.();
    entries.push({ work: work.name, library, ms: median(samples), ...(note ? { note } : {}) });
  }
  return entries;
}

/** Measures everything; `onEntry` hears of each figure. */
export async function measure(settings: Settings, onEntry: (entry: Entry) => void): Promise<Report> {
  const libraries = new Map<string, Library>();
  const entries: Entry[] = [];
  const tell = (entry: Entry) => {
    entries.push(entry);
    onEntry(entry);
  };
  for (const [name, { create }] of Object.entries(LIBRARIES)) {
    try {
      libraries.set(name, (await (create as () => Promise<unknown>)()) as Library);
    } catch (error) {
      tell({ work: 'start', library: name, unable: String(error).split('\n')[0] });
    }
  }
  const list = works(settings.tiny);
  for (const work of list) for (const entry of await measureWork(work, libraries, settings)) tell(entry);
  return {
    date: new Date().toISOString(),
    gpu: await gpuName(),
    browser: navigator.userAgent,
    bandwidth: await copyBandwidth(settings.tiny),
    works: list.map(({ name, flops, bytes }) => ({ name, flops, bytes })),
    entries,
  };
}
