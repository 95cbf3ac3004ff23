/** Bars: one number per name, for several series side by side. */
import { ShapeError } from '../core/errors.ts';
import { drawTitle } from './frame.ts';
import { formatNumber, makeScale, type ScaleKind } from './scale.ts';
import { element, escapeText, Paint, type PlotOptions, textWidth } from './svg.ts';
import { drawn, extent, numbersOf, type Values } from './values.ts';

export interface BarSeries {
  name?: string;
  /** One per label; what is not finite (on a log axis: not positive) has no bar. */
  values: Values;
  /** Any CSS colour; default: the next one of the palette. */
  color?: string;
}

export interface BarOptions extends PlotOptions {
  labels: readonly string[];
  series: readonly BarSeries[];
  xLabel?: string;
  xScale?: ScaleKind;
  xMin?: number;
  xMax?: number;
  /** The text at the end of a bar. Default: four digits. */
  format?: (value: number) => string;
  /** CSS pixels. Default 640; the height follows from the number of bars. */
  width?: number;
}

const BAR = 15;
const GAP = 9;
const LEGEND = 22;
const AXIS = 26;
/** A label may take this part of the width; longer ones are drawn narrower. */
const LABEL_PART = 0.5;

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/**
 * Horizontal bars, grouped by label, with their values beside them, as SVG.
 * @throws ArgumentError without labels or series; ShapeError if a series has not one value per label
 */
export function bar(options: BarOptions): string {
  const form = '{ labels: [texts], series: [{ values: [numbers] }, …] } with labels and at least one series';
  drawn(options, 'plot.bar', 'labels', form);
  const { labels, series, title, xLabel, width = 640 } = drawn(options, 'plot.bar', 'series', form);
  const values = series.map((one, i) => valuesOf(one, i, options));
  const log = options.xScale === 'log';
  const [low, high] = extent(values.flatMap((list) => Array.from(list))) ?? [1, 1];
  const scale = makeScale(log ? [low, high] : [Math.min(0, low), Math.max(0, high)], {
    kind: options.xScale,
    min: options.xMin,
    max: options.xMax,
    count: width / 110,
  });
  const format = options.format ?? ((value: number) => formatNumber(value));
  const named = series.some(({ name }) => name);
  const group = series.length * BAR + GAP;
  const top = (title ? 46 : 18) + (named ? LEGEND : 0);
  const ends = values.flatMap((list) => Array.from(list).filter(Number.isFinite).map(format));
  const box = {
    left: 16 + Math.min(width * LABEL_PART, Math.max(...labels.map((label) => textWidth(label)))),
    right: width - 20 - Math.max(0, ...ends.map((text) => textWidth(text, 11))),
    top,
    bottom: top + labels.length * group,
  };
  const x = (value: number) => box.left + scale.at(value) * (box.right - box.left);
  const paint = new Paint(options.theme);
  const origin = x(log ? scale.low : 0);
  return paint.picture(
    width,
    box.bottom + AXIS + (xLabel ? 22 : 4),
    title || 'bars',
    drawTitle(paint, title, 16),
    named ? drawNames(paint, series, box) : '',
    ...scale.ticks.map((tick) => drawTick(paint, box, x(tick), scale.format(tick))),
    ...labels.map((label, i) => drawLabel(paint, box, label, box.top + (i + 0.5) * group)),
    ...values.flatMap((list, s) =>
      Array.from(list, (value, i) => {
        if (!Number.isFinite(value)) return '';
        const y = box.top + i * group + GAP / 2 + s * BAR;
        const tip = `${labels[i]}${series[s].name ? `, ${series[s].name}` : ''}: ${format(value)}`;
        const [from, to] = [Math.min(origin, x(value)), Math.max(origin, x(value))];
        const shape = { x: from, y: y + 1, width: Math.max(1, to - from), height: BAR - 2 };
        return (
          element(
            'rect',
            { ...shape, ...paint.fill(s, series[s].color) },
            element('title', {}, escapeText(tip)),
          ) + paint.text(format(value), to + 5, y + BAR - 3.5, { 'font-size': 11 })
        );
      }),
    ),
    xLabel
      ? paint.text(xLabel, (box.left + box.right) / 2, box.bottom + 38, { 'text-anchor': 'middle' })
      : '',
  );
}

function valuesOf({ values }: BarSeries, i: number, { labels, xScale }: BarOptions): Float64Array {
  const list = numbersOf(values, 'plot.bar');
  if (list.length !== labels.length) {
    throw new ShapeError(
      `plot.bar: expected one value for each of ${labels.length} labels, but series ${i} has ${list.length}`,
    );
  }
  return xScale === 'log' ? list.map((value) => (value > 0 ? value : Number.NaN)) : list;
}

function drawTick(paint: Paint, { top, bottom }: Box, x: number, text: string): string {
  return (
    element('line', { x1: x, x2: x, y1: top, y2: bottom, ...paint.stroke('grid') }) +
    paint.text(text, x, bottom + 16, { 'font-size': 11, 'text-anchor': 'middle' })
  );
}

function drawLabel(paint: Paint, { left }: Box, label: string, y: number): string {
  const room = left - 16;
  const squeezed = textWidth(label) > room ? { textLength: room, lengthAdjust: 'spacingAndGlyphs' } : {};
  return paint.text(label, left - 8, y + 4, { 'text-anchor': 'end', ...squeezed }, 'text');
}

function drawNames(paint: Paint, series: readonly BarSeries[], { left, top }: Box): string {
  let x = left;
  return series
    .map(({ name, color }, i) => {
      const text = name ?? `series ${i + 1}`;
      const at = x;
      x += 16 + textWidth(text) + 18;
      const square = { x: at, y: top - LEGEND, width: 11, height: 11 };
      return (
        element('rect', { ...square, ...paint.fill(i, color) }) +
        paint.text(text, at + 16, top - LEGEND + 10, {}, 'text')
      );
    })
    .join('');
}
