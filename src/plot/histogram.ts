/** How often values occur. */
import { ArgumentError } from '../core/errors.ts';
import { type AxesOptions, drawAxes, makeFrame } from './frame.ts';
import { formatNumber, makeScale } from './scale.ts';
import { element, escapeText, Paint, type PlotOptions } from './svg.ts';
import { extent, numbersOf, type Values } from './values.ts';

export interface HistogramOptions extends PlotOptions, AxesOptions {
  /** How many bins of equal width. Default: Freedman and Diaconis' rule, between 5 and 80. */
  bins?: number;
  /** The values counted; others are left out. Default: from the smallest to the largest. */
  range?: readonly [number, number];
  /** Scale the bars to an area of 1. */
  density?: boolean;
  color?: string;
}

/** Bars of counts over bins of equal width, as SVG. Values that are not finite are left out. */
export function histogram(values: Values, options: HistogramOptions = {}): string {
  const all = numbersOf(values, 'plot.histogram');
  const [low, high] = rangeOf(all, options.range);
  const inside = all.filter((v) => v >= low && v <= high).sort();
  const bins = options.bins ?? defaultBins(inside, low, high);
  if (!Number.isInteger(bins) || bins < 1) {
    throw new ArgumentError(`plot.histogram: bins must be a positive integer, but got ${bins}`);
  }
  const width = (high - low) / bins;
  const heights = new Float64Array(bins);
  for (const v of inside) heights[Math.min(bins - 1, Math.floor((v - low) / width))]++;
  if (options.density && inside.length > 0)
    for (let i = 0; i < bins; i++) heights[i] /= inside.length * width;

  const paint = new Paint(options.theme);
  const xScale = makeScale([low, high], { tight: true, count: (options.width ?? 640) / 75 });
  const yScale = makeScale([0, Math.max(...heights)], { count: 6, whole: !options.density, min: 0 });
  const axes = { yLabel: options.density ? 'density' : 'count', ...options };
  const frame = makeFrame(axes, xScale, yScale);
  const bars = Array.from(heights, (h, i) => {
    const [x, right] = [frame.x(low + i * width), frame.x(low + (i + 1) * width)];
    const y = frame.y(h);
    const gap = right - x > 6 ? 1 : 0;
    const tip = `${formatNumber(low + i * width)} to ${formatNumber(low + (i + 1) * width)}: ${formatNumber(h)}`;
    const box = { x: x + gap / 2, y, width: right - x - gap, height: frame.bottom - y };
    return element('rect', box, element('title', {}, escapeText(tip)));
  });
  return paint.picture(
    frame.width,
    frame.height,
    options.title || 'histogram',
    drawAxes(paint, frame, { ...axes, grid: options.grid }, { ...xScale }, yScale),
    element('g', paint.fill(0, options.color), ...bars),
  );
}

function rangeOf(
  values: Float64Array,
  given: readonly [number, number] | undefined,
): readonly [number, number] {
  const [low, high] = given ?? extent(values) ?? [0, 1];
  if (!(low <= high))
    throw new ArgumentError(`plot.histogram: expected range [low, high], but got [${low}, ${high}]`);
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/** Freedman and Diaconis (1981): bins of width 2·IQR·n^(-1/3); Sturges' rule where the quartiles coincide. */
function defaultBins(sorted: Float64Array, low: number, high: number): number {
  const n = sorted.length;
  if (n === 0) return 10;
  const spread = sorted[Math.floor(0.75 * (n - 1))] - sorted[Math.floor(0.25 * (n - 1))];
  const bins = spread > 0 ? ((high - low) * Math.cbrt(n)) / (2 * spread) : Math.log2(n) + 1;
  return Math.min(80, Math.max(5, Math.ceil(bins)));
}
