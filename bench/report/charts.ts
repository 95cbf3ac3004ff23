/** Charts of a run, as SVG. */
import { plot } from 'wasmgrad/plot';
import type { Group, Result } from '../suite/types.ts';
import { measured, type Run } from './record.ts';
import { amount, digits } from './text.ts';

type Draw = (results: readonly Result[]) => string | undefined;

const threadsText = (count: number): string => `${count} thread${count === 1 ? '' : 's'}`;
const countsOf = (results: readonly Result[]): number[] => [
  ...new Set(results.map(({ threads }) => threads)),
];

/** Square products by their size, with the peak that the registers reach. */
const matmul: Draw = (results) => {
  const squares = results.flatMap((result) => {
    const size = /^NN (\d+)³$/.exec(result.name);
    return result.group === 'matmul' && result.rate && size ? [{ ...result, size: Number(size[1]) }] : [];
  });
  const series = countsOf(squares).flatMap((threads) => {
    const points = squares.filter((result) => result.threads === threads).sort((a, b) => a.size - b.size);
    if (points.length < 2) return [];
    const x = points.map(({ size }) => size);
    const name = threadsText(threads);
    const peak = points[points.length - 1].limit?.value;
    const limit = {
      name: `peak of the registers, ${name}`,
      x: [x[0], x[x.length - 1]],
      y: [peak ?? 0, peak ?? 0],
      dashed: true,
    };
    return [{ name, x, y: points.map(({ rate }) => rate!.value) }, ...(peak === undefined ? [] : [limit])];
  });
  if (series.length === 0) return undefined;
  return plot.line({
    series,
    title: 'Square float32 products',
    xLabel: 'rows and columns',
    yLabel: 'GFLOP/s',
    xScale: 'log',
    yMin: 0,
  });
};

/** One bar per benchmark and number of threads; a benchmark that one of them lacks has no bar there. */
function bars(
  results: readonly Result[],
  value: (result: Result) => number | undefined,
  options: Omit<Parameters<typeof plot.bar>[0], 'labels' | 'series'>,
): string | undefined {
  const shown = results.filter((result) => value(result) !== undefined);
  const labels = [...new Set(shown.map(({ name }) => name))];
  if (labels.length === 0) return undefined;
  const series = countsOf(shown).map((threads) => ({
    name: threadsText(threads),
    values: labels.map((label) => {
      const result = shown.find(({ name, threads: count }) => name === label && count === threads);
      return (result && value(result)) ?? Number.NaN;
    }),
  }));
  return plot.bar({ labels, series, width: 760, ...options });
}

const limits =
  (groups: readonly Group[], title: string): Draw =>
  (results) =>
    bars(
      results.filter(({ group }) => groups.includes(group)),
      ({ limit }) => limit?.percent,
      { title, xLabel: 'percent of what the machine can do', xMin: 0, format: (p) => `${p.toFixed(0)} %` },
    );

const rates =
  (group: Group, unit: string, title: string): Draw =>
  (results) =>
    bars(
      results.filter((result) => result.group === group),
      ({ rate }) => (rate?.unit === unit ? rate.value : undefined),
      { title, xLabel: unit, format: digits },
    );

const times =
  (group: Group, title: string): Draw =>
  (results) =>
    bars(
      results.filter((result) => result.group === group && result.unit === 'ms'),
      ({ median }) => median,
      { title, xLabel: 'milliseconds', xScale: 'log', format: (ms) => amount(ms, 'ms') },
    );

const CHARTS: Readonly<{ [name: string]: Draw }> = {
  matmul,
  'matmul-limit': limits(['matmul'], 'Products against the peak of the registers'),
  memory: limits(['elementwise', 'reductions', 'rows'], 'Memory-bound work against the measured bandwidth'),
  functions: rates('elementwise', 'G elements/s', 'Functions of elements'),
  convolution: limits(['convolution'], 'Convolutions against the peak of the registers'),
  training: times('training', 'One step of training'),
  epoch: times('epoch', 'One epoch of the tutorial'),
  overhead: times('overhead', 'Small operations'),
};

/** All charts that a run has figures for, by name. */
export function charts(record: Run): Map<string, string> {
  const results = measured(record);
  const drawn = Object.entries(CHARTS).map(([name, draw]) => [name, draw(results)] as const);
  return new Map(drawn.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
