/** Charts of a run, as SVG. */
import { plot } from 'wasmgrad/plot';
import type { Result } from '../suite/types.ts';
import { measured, type Record } from './record.ts';

/** Square products by their size: [size, GFLOP/s]. */
function squares(results: readonly Result[], threads: number): { x: number[]; y: number[]; peak: number } {
  const points = results
    .filter((result) => result.group === 'matmul' && result.threads === threads && result.rate)
    .flatMap((result) => {
      const size = /^NN (\d+)³$/.exec(result.name);
      return size
        ? [{ x: Number(size[1]), y: result.rate!.value, peak: result.limit?.value ?? Number.NaN }]
        : [];
    });
  return {
    x: points.map(({ x }) => x),
    y: points.map(({ y }) => y),
    peak: points.at(-1)?.peak ?? Number.NaN,
  };
}

function matmulChart(results: readonly Result[]): string | undefined {
  const counts = [...new Set(results.map(({ threads }) => threads))];
  const series = counts.flatMap((threads) => {
    const { x, y, peak } = squares(results, threads);
    if (x.length < 2) return [];
    const name = `${threads} thread${threads === 1 ? '' : 's'}`;
    const limit = {
      name: `peak of the registers, ${name}`,
      x,
      y: x.map(() => peak),
      dashed: true,
      markers: false,
    };
    return [{ name, x, y }, ...(Number.isNaN(peak) ? [] : [limit])];
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
}

/** All charts that a run has figures for, by name. */
export function charts(record: Record): Map<string, string> {
  const results = measured(record);
  const all: [string, string | undefined][] = [['matmul', matmulChart(results)]];
  return new Map(all.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
