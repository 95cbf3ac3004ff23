/** The figures as tables, and the extrapolation as a chart. */
import { plot } from 'wasmgrad/plot';
import { duration } from '../report/text.ts';
import { fitNetwork, type Network, strongSpeedUp, type Workload, weakEfficiency } from './model.ts';
import { BATCH, type Overlap } from './ranks.ts';
import type { Training } from './training.ts';

export interface AllReduceTime {
  readonly bytes: number;
  /** Medians in microseconds. */
  readonly ours: number;
  /** undefined without a C compiler. */
  readonly c: number | undefined;
}
export type Table = readonly [head: string[], rows: string[][]];

const NETWORKS: readonly Network[] = [
  { name: '1 Gbit Ethernet', alpha: 50e-6, beta: 119e6 },
  { name: '10 Gbit Ethernet', alpha: 25e-6, beta: 1.1e9 },
  { name: '100 Gbit RDMA', alpha: 2e-6, beta: 11e9 },
];
const SIZES = [2, 8, 64, 1024];
/** The larger of the two sizes that α and β are fitted to. */
const FIT_BYTES = 2 ** 20;
const MLP_PARAMETERS = 784 * 500 + 500 + 500 * 10 + 10;

const percent = (part: number): string => `${(100 * part).toFixed(0)} %`;
const times = (factor: number): string => `${factor.toFixed(factor < 10 ? 1 : 0)} ×`;
const sizeText = (bytes: number): string =>
  bytes >= 2 ** 20 ? `${Number((bytes / 2 ** 20).toFixed(2))} MiB` : `${Math.round(bytes / 1024)} KiB`;

export function allReduceTable(figures: readonly AllReduceTime[]): Table {
  const rows = figures.map(({ bytes, ours, c }) => [
    sizeText(bytes),
    duration(ours / 1000),
    `${(bytes / ours / 1000).toFixed(2)} GB/s`,
    c === undefined ? '–' : duration(c / 1000),
    c === undefined ? '–' : (ours / c).toFixed(2),
  ]);
  return [['allreduce, 2 processes', 'time', 'bandwidth', 'in C', 'ours / C'], rows];
}

export function trainingTable(all: readonly Training[], cores: number): Table {
  const one = all[0].alone;
  const rows = all.map(({ processes, alone, weak, strong, efficiency, even }) => [
    `${processes}${processes > cores ? `, on ${cores} cores` : ''}`,
    duration(alone),
    duration(weak),
    percent(efficiency.mean),
    percent(efficiency.typical),
    percent(efficiency.waiting),
    even === null
      ? '–'
      : `${percent(even.mean)}, ${percent(even.typical)} (${even.turns} of ${efficiency.turns})`,
    duration(strong),
    times(one / strong),
  ]);
  const head = [
    'processes of 1 thread',
    `batch ${BATCH} each: programs side by side`,
    'one model together',
    'weak efficiency',
    'of the median step',
    'if messages took no time',
    'both, in turns with cores alike',
    `batch ${BATCH} in all`,
    'strong speed-up',
  ];
  return [head, rows];
}

export function overlapText(all: readonly Overlap[], rate: string): string {
  const nets = all.map(({ layers, width, compute, communication, together }) => {
    const hidden = Math.min(1, (compute + communication - together) / communication);
    return (
      `${layers} layers of ${sizeText(4 * width ** 2)}: computing ${duration(compute)}, communication ` +
      `${duration(communication)}, one beside the other ${duration(together)}: ${percent(hidden)} of the communication are hidden`
    );
  });
  return `Two hosts, ${rate} between them (network namespaces, shaped by tbf). ${nets.join('. ')}.`;
}

/** `stepMs`: the tutorial's step by one process. */
export function workloads(stepMs: number): Workload[] {
  return [
    { name: 'tutorial', bytes: 4 * MLP_PARAMETERS, compute: stepMs / 1000, buckets: 1 },
    { name: '25 M parameters', bytes: 100e6, compute: 2, buckets: 4 },
  ];
}

const cases = (stepMs: number) =>
  workloads(stepMs).flatMap((work) => NETWORKS.map((network) => ({ work, network })));

export function modelTable(stepMs: number): Table {
  const rows = cases(stepMs).map(({ work, network }) => [
    `${work.name}, ${network.name}`,
    ...SIZES.map((n) => percent(weakEfficiency(network, work, n))),
    ...SIZES.map((n) => times(strongSpeedUp(network, work, n))),
  ]);
  const head = ['model', ...SIZES.map((n) => `weak, ${n}`), ...SIZES.map((n) => `strong, ${n}`)];
  return [head, rows];
}

/** What the model says of this machine, from two sizes, where it was measured. */
export function check(figures: readonly AllReduceTime[], training: readonly Training[]): string {
  const two = training.find(({ processes }) => processes === 2);
  const large = figures.find(({ bytes }) => bytes === FIT_BYTES);
  if (!two || !large) return '';
  const seconds = (one: AllReduceTime) => [one.bytes, one.ours / 1e6] as const;
  const here = fitNetwork(seconds(figures[0]), seconds(large));
  const [work] = workloads(two.alone);
  const { efficiency } = two;
  return (
    `Check: α = ${duration(here.alpha * 1000)} and β = ${(here.beta / 1e9).toFixed(1)} GB/s, fitted to ` +
    `${sizeText(figures[0].bytes)} and ${sizeText(large.bytes)} here, predict a weak efficiency of ` +
    `${percent(weakEfficiency(here, work, 2))} by 2 processes; measured: ${percent(efficiency.mean)}, ` +
    `by the median step ${percent(efficiency.typical)}.`
  );
}

export function assumptions(stepMs: number): string[] {
  const network = ({ name, alpha, beta }: Network) =>
    `${name}: α ${(alpha * 1e6).toFixed(0)} µs, β ${beta < 1e9 ? `${beta / 1e6} MB/s` : `${beta / 1e9} GB/s`}`;
  return [
    'Step = computing + what is not hidden of A = 2 ⌈log₂ N⌉ α calls + 2 (N − 1)/N B/β; one process per machine.',
    `${NETWORKS.map(network).join('; ')}.`,
    'These are assumed; for 1 Gbit, a shaped link confirmed them for two processes.',
    `Tutorial: B = 1.59 MB, nearly all of it the last gradient, so nothing is hidden; ${duration(stepMs)} of computing per step, measured on one thread.`,
    '25 M parameters: B = 100 MB in 4 parts, 2 s per step (8 pictures of 12 GFLOP each at 50 GFLOP/s), of which the',
    'backward pass is two thirds. Calls of 0.5 MiB, of 4 MiB beyond 16 processes.',
    'No stragglers, no congestion, no reading of data: an upper bound, not a measurement.',
  ];
}

const LINE_HEIGHT = 17;

/** Weak efficiency over the number of processes, the assumptions beneath. */
export function chart(stepMs: number): string {
  const counts = Array.from({ length: 11 }, (_, i) => 2 ** i);
  const [width, height] = [860, 460];
  const curves = plot.line({
    title: 'Weak scaling by the α-β model',
    xLabel: 'processes, one per machine',
    yLabel: 'efficiency in %',
    xScale: 'log',
    yMin: 0,
    yMax: 100,
    width,
    height,
    series: cases(stepMs).map(({ work, network }) => ({
      name: `${work.name}, ${network.name}`,
      x: counts,
      y: counts.map((n) => 100 * weakEfficiency(network, work, n)),
      dashed: work.buckets > 1,
    })),
  });
  const lines = assumptions(stepMs).map(
    (text, i) => `<text x="16" y="${height + LINE_HEIGHT * (i + 1)}">${text}</text>`,
  );
  const total = height + LINE_HEIGHT * (lines.length + 1);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${total}" viewBox="0 0 ${width} ${total}">` +
    `${curves}<g font-family="system-ui, sans-serif" font-size="12" fill="#808080">${lines.join('')}</g></svg>\n`
  );
}
