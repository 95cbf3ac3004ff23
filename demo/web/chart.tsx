/** Curves that grow while one looks, by uPlot, in the page's colours. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { Point } from './state.ts';
import { theme } from './theme.ts';

export interface Curve {
  readonly name: string;
  /** A custom property of style.css. */
  readonly colour: string;
  readonly points: readonly Point[];
  /** Draw the points too: for few of them. */
  readonly dots?: boolean;
}

interface ChartProps {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly xLabel: string;
  readonly format: (value: number) => string;
  /** Smallest span of the horizontal axis. */
  readonly xEnd: number;
  /** What the vertical axis never leaves. */
  readonly yLimits: readonly [number, number];
}

const HEIGHT = 240;

/** uPlot wants one list of positions, with gaps where a curve has no point. */
function aligned(curves: readonly Curve[]): uPlot.AlignedData {
  const at = [...new Set(curves.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const columns = curves.map(({ points }) => {
    const values = new Map(points);
    return at.map((x) => values.get(x));
  });
  return [at, ...columns];
}

/** A colour of style.css as a canvas understands it: computed, where `light-dark()` has been decided. */
function colour(element: HTMLElement, property: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${property})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** The span of the vertical axis: the values with some air, a tenth of a unit at least. */
function around(
  low: number | null,
  high: number | null,
  limits: readonly [number, number],
): uPlot.Range.MinMax {
  if (low === null || high === null) return [limits[0], Math.min(1, limits[1])];
  const air = Math.max(0.05, (high - low) * 0.05);
  return [Math.max(limits[0], low - air), Math.min(limits[1], high + air)];
}

function options(box: HTMLElement, props: ChartProps): uPlot.Options {
  const axis = {
    stroke: colour(box, '--muted'),
    grid: { stroke: colour(box, '--line'), width: 1 },
    ticks: { stroke: colour(box, '--line'), width: 1 },
  };
  return {
    width: box.clientWidth,
    height: HEIGHT,
    scales: {
      x: { time: false, range: ({ data }) => [0, Math.max(data[0].at(-1) ?? 0, props.xEnd)] },
      y: { range: (_, low, high) => around(low, high, props.yLimits) },
    },
    legend: { live: true },
    cursor: { drag: { x: false, y: false } },
    axes: [
      { ...axis, label: props.xLabel, labelSize: 18, size: 34 },
      { ...axis, size: 66, values: (_, ticks) => ticks.map((v) => (v === null ? '' : props.format(v))) },
    ],
    series: [
      { label: props.xLabel, value: (_, v) => (v === null ? '' : v.toFixed(2)) },
      ...props.curves.map(({ name, colour: curveColour, dots = false }) => ({
        label: name,
        stroke: colour(box, curveColour),
        width: 2,
        spanGaps: true,
        points: { show: (plot: uPlot, at: number) => dots || isSingle(plot.data[at]), size: 6 },
        value: (_: uPlot, v: number | null) => (v === null ? '' : props.format(v)),
      })),
    ],
  };
}

/** One point is no line yet, and would not be seen. */
const isSingle = (values: uPlot.AlignedData[number]): boolean =>
  Array.from(values).filter((v) => v !== undefined && v !== null).length === 1;

export function Chart(props: ChartProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { title, curves } = props;
  const data = aligned(curves);
  const scheme = theme.value;
  // A new plot for new colours or another axis; new data alone are only drawn.
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new uPlot(options(element, props), data, element);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [scheme, props.xEnd, curves.map(({ name }) => name).join()]);
  useEffect(() => plot.current?.setData(data));
  const last = curves
    .filter(({ points }) => points.length > 0)
    .map(({ name, points }) => `${name} ${props.format(points[points.length - 1][1])}`);
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={box} role="img" aria-label={`${title}: ${last.join(', ') || 'no values yet'}`} />
    </figure>
  );
}
