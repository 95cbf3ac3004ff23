/** The bench as a part of any page: choose, run, watch, keep. */
import * as torch from 'wasmgrad';
import { charts } from '../report/charts.ts';
import { comparison } from '../report/compare.ts';
import { FORMAT, type Machine, originOf, parseRecord, type Run } from '../report/record.ts';
import { cells, HEAD } from '../report/text.ts';
import { GROUPS, type Group, type Result, runBenchmarks, type Skipped } from '../suite/index.ts';
import { pageHost } from './host.ts';

export interface MountOptions {
  /** Where program.html and program.js of this folder are served; without it start and memory are left out. */
  readonly programs?: URL;
}

type Attributes = { readonly [name: string]: string };

function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The browser's own name for itself, as far as it tells. */
function engine(): string {
  type Brands = { brands?: { brand: string; version: string }[] };
  const { brands } = (navigator as { userAgentData?: Brands }).userAgentData ?? {};
  const brand =
    brands?.find(({ brand }) => !/not.?a.?brand/i.test(brand) && brand !== 'Chromium') ?? brands?.at(-1);
  if (brand) return `${brand.brand} ${brand.version}`;
  return (
    /(Firefox|Version|Chrome)\/[\d.]+/.exec(navigator.userAgent)?.[0].replace('Version/', 'Safari ') ??
    'a browser'
  );
}

const machine = (): Machine => ({
  processor: 'processor unknown to pages',
  cores: navigator.hardwareConcurrency,
  system: navigator.platform,
  engine: engine(),
});

/** Fills `place` with the controls, and with results when they come. */
export function mountBench(place: HTMLElement, { programs }: MountOptions = {}): void {
  const boxes = GROUPS.map((group) =>
    make('input', { type: 'checkbox', name: group, ...(quick(group) ? { checked: '' } : {}) }),
  );
  const effort = make('select', { 'aria-label': 'effort' });
  for (const [value, text] of [
    ['quick', 'quick'],
    ['full', 'full: figures to keep'],
    ['smoke', 'smoke: does it work?'],
  ])
    effort.append(make('option', { value }, text));
  const threads = make('select', { 'aria-label': 'threads' });
  for (const [value, text] of [
    ['1,0', 'one thread and all'],
    ['0', 'all threads'],
    ['1', 'one thread'],
  ])
    threads.append(make('option', { value }, text));
  const start = make('button', { type: 'submit', class: 'primary' }, 'Run');
  const stop = make('button', { type: 'button', disabled: '' }, 'Stop');
  const status = make('p', { class: 'status', role: 'status' }, 'Ready.');
  const bar = make('progress', { max: '1', value: '0' });
  const out = make('section', { class: 'results' });
  const form = make(
    'form',
    { class: 'controls' },
    make(
      'fieldset',
      {},
      make('legend', {}, 'What'),
      ...GROUPS.map((group, i) => make('label', {}, boxes[i], ` ${group}`)),
    ),
    make('div', { class: 'row' }, effort, threads, start, stop),
  );
  place.replaceChildren(form, status, bar, out);

  let stopped = false;
  stop.onclick = () => {
    stopped = true;
    status.textContent = 'Stopping after this group …';
  };
  form.onsubmit = async (event) => {
    event.preventDefault();
    stopped = false;
    start.disabled = true;
    stop.disabled = false;
    out.replaceChildren();
    try {
      await run(out, {
        programs,
        groups: GROUPS.filter((_, i) => boxes[i].checked),
        effort: effort.value as 'quick',
        threads: threads.value.split(',').map(Number),
        stopped: () => stopped,
        progress: (text, done) => {
          status.textContent = text;
          bar.value = done;
        },
      });
      status.textContent = stopped ? 'Stopped.' : 'Done.';
    } catch (error) {
      status.textContent = `Failed: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
      start.disabled = false;
      stop.disabled = true;
    }
  };
}

/** What is chosen to begin with: what tells most in half a minute. */
const quick = (group: Group): boolean => ['matmul', 'elementwise', 'training', 'start'].includes(group);

interface Choice {
  readonly programs: URL | undefined;
  readonly groups: readonly Group[];
  readonly effort: 'full' | 'quick' | 'smoke';
  readonly threads: readonly number[];
  readonly stopped: () => boolean;
  readonly progress: (text: string, done: number) => void;
}

async function run(
  out: HTMLElement,
  { programs, groups, effort, threads, stopped, progress }: Choice,
): Promise<void> {
  if (groups.length === 0) throw new Error('choose at least one group');
  const { relaxedSimd, reasons } = torch.backendInfo();
  const head: Omit<Run, 'results'> = {
    format: FORMAT,
    date: new Date().toISOString(),
    machine: machine(),
    device: 'cpu',
    simd: relaxedSimd ? 'relaxed' : 'plain',
  };
  out.append(make('p', {}, originOf({ ...head, results: [] })));
  if (reasons.length > 0) out.append(make('ul', {}, ...reasons.map((reason) => make('li', {}, reason))));
  const summary = make('section'); // above the tables, which are long
  out.append(summary);
  const tables = new Map<Group, HTMLTableSectionElement>();
  const show = (result: Result | Skipped) => {
    let body = tables.get(result.group);
    if (!body) {
      body = make('tbody');
      tables.set(result.group, body);
      out.append(groupSection(result.group, body));
    }
    body.append(...rowsOf(result));
  };
  const results: (Result | Skipped)[] = [];
  for (const [i, group] of groups.entries()) {
    const found = await runBenchmarks({
      host: pageHost(programs),
      groups: [group],
      effort,
      threads,
      stopped,
      onResult: show,
      onProgress: (name, count, done) =>
        progress(`${name}, ${count} thread${count === 1 ? '' : 's'} …`, (i + done) / groups.length),
    });
    results.push(...found);
    if (stopped()) break;
  }
  progress('', 1);
  finish(summary, { ...head, results });
}

function groupSection(group: Group, body: HTMLTableSectionElement): HTMLElement {
  const row = make('tr', {}, ...HEAD.map((title) => make('th', { scope: 'col' }, title || 'benchmark')));
  // On a phone the table is wider than the page, and scrolled by keys too.
  const scroll = { class: 'scroll', role: 'region', 'aria-label': group, tabindex: '0' };
  return make(
    'section',
    {},
    make('h2', {}, group),
    make('div', scroll, make('table', {}, make('thead', {}, row), body)),
  );
}

function rowsOf(result: Result | Skipped): HTMLElement[] {
  const wide = (text: string) =>
    make('tr', { class: 'note' }, make('td', { colspan: String(HEAD.length) }, text));
  if ('skipped' in result)
    return [wide(`${result.name}, ${result.threads} threads: left out, ${result.skipped}`)];
  const [name, ...rest] = cells(result);
  const row = make('tr', {}, make('th', { scope: 'row' }, name), ...rest.map((text) => make('td', {}, text)));
  return result.note ? [row, wide(result.note)] : [row];
}

/** Charts, the figures as a file, and an earlier file to compare with. */
function finish(out: HTMLElement, record: Run): void {
  const pictures = make('section', { class: 'charts' });
  for (const svg of charts(record).values()) {
    const figure = make('figure', { tabindex: '0' });
    figure.innerHTML = svg;
    pictures.append(figure);
  }
  const file = URL.createObjectURL(new Blob([JSON.stringify(record, null, 2)], { type: 'application/json' }));
  const save = make(
    'a',
    { href: file, download: `bench-${record.date.slice(0, 10)}.json` },
    'Keep the figures (JSON)',
  );
  const earlier = make('input', { type: 'file', accept: '.json,application/json' });
  const text = make('pre', { hidden: '' });
  earlier.onchange = async () => {
    const [chosen] = earlier.files ?? [];
    if (!chosen) return;
    text.hidden = false;
    try {
      text.textContent = comparison(parseRecord(await chosen.text(), chosen.name), record);
    } catch (error) {
      text.textContent = (error as Error).message;
    }
  };
  out.append(
    ...(pictures.childElementCount > 0 ? [pictures] : []),
    make('p', { class: 'row' }, save, make('label', {}, 'Compare with an earlier file: ', earlier)),
    text,
  );
}
