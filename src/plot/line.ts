/** Curves: training losses and whatever else is a function of one number. */
import { ShapeError } from '../core/errors.ts';
import { type AxesOptions, drawAxes, type Frame, makeFrame } from './frame.ts';
import { makeScale, type Scale, type ScaleKind } from './scale.ts';
import { element, escapeText, Paint, type PlotOptions, textWidth } from './svg.ts';
import { drawn, extent, numbersOf, type Values } from './values.ts';

export interface Series {
  name?: string;
  y: Values;
  /** Default: 1, 2, 3, … as epochs are counted. */
  x?: Values;
  /** Any CSS colour; default: the next one of the palette. */
  color?: string;
  dashed?: boolean;
}

export interface LineOptions extends PlotOptions, AxesOptions {
  series: readonly Series[];
  xScale?: ScaleKind;
  yScale?: ScaleKind;
  xMin?: number;
  xMax?: number;
  yMin?: number;
  yMax?: number;
  /** A dot on every point. Default: for series of up to 60 points. */
  markers?: boolean;
  /** Default: if any series has a name. It takes the corner that hides the fewest points. */
  legend?: boolean;
}

/** Most points of a series that get a dot each. */
const MARKED_POINTS = 60;

interface Curve {
  readonly series: Series;
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * Curves over common axes, as SVG. Values that are not finite (on a log axis: not positive) leave gaps.
 * @throws ShapeError if x and y of a series differ in length; ArgumentError without series
 */
export function line(options: LineOptions): string {
  const form = '{ series: [{ y: [numbers] }, …] } with at least one series';
  const { series, title, xLabel, yLabel } = drawn(options, 'plot.line', 'series', form);
  const curves = series.map((one, i) => curveOf(one, i, options));
  const scales = scalesOf(curves, options);
  const paint = new Paint(options.theme);
  const frame = makeFrame(options, ...scales);
  const legend = options.legend ?? series.some(({ name }) => name);
  const label = title || [yLabel, xLabel && `over ${xLabel}`].filter(Boolean).join(' ') || 'line plot';
  return paint.picture(
    frame.width,
    frame.height,
    label,
    drawAxes(paint, frame, options, ...scales),
    ...curves.map((curve, i) => drawCurve(paint, frame, curve, i, options.markers)),
    legend ? drawLegend(paint, frame, curves) : '',
  );
}

function curveOf(series: Series, i: number, { xScale, yScale }: LineOptions): Curve {
  const y = numbersOf(series.y, 'plot.line', 'y');
  const x = series.x === undefined ? y.map((_, k) => k + 1) : numbersOf(series.x, 'plot.line', 'x');
  if (x.length !== y.length) {
    throw new ShapeError(`plot.line: series ${i} has ${x.length} x values but ${y.length} y values`);
  }
  // What the axes cannot show becomes a gap.
  for (let k = 0; k < x.length; k++) {
    const hidden =
      (xScale === 'log' && x[k] <= 0) || (yScale === 'log' && y[k] <= 0) || !Number.isFinite(x[k]);
    if (hidden) y[k] = Number.NaN;
  }
  return { series, x, y };
}

function scalesOf(curves: readonly Curve[], options: LineOptions): readonly [Scale, Scale] {
  const shown = curves.flatMap(({ x, y }) => Array.from(x).filter((_, k) => Number.isFinite(y[k])));
  const whole = shown.every(Number.isInteger) && options.xScale !== 'log';
  const { width = 640, height = 400 } = options;
  const xs = makeScale(extent(shown), {
    kind: options.xScale,
    min: options.xMin,
    max: options.xMax,
    count: Math.max(2, width / 75),
    whole,
    tight: true,
  });
  const ys = makeScale(extent(curves.flatMap(({ y }) => Array.from(y))), {
    kind: options.yScale,
    min: options.yMin,
    max: options.yMax,
    count: Math.max(2, height / 62),
  });
  return [xs, ys];
}

function drawCurve(
  paint: Paint,
  frame: Frame,
  { series, x, y }: Curve,
  i: number,
  markers?: boolean,
): string {
  const { color, name, dashed } = series;
  const dots: string[] = [];
  let path = '';
  let pen = 'M';
  for (let k = 0; k < y.length; k++) {
    if (!Number.isFinite(y[k])) {
      pen = 'M';
      continue;
    }
    const [px, py] = [frame.x(x[k]).toFixed(1), frame.y(y[k]).toFixed(1)];
    path += `${pen}${px} ${py}`;
    pen = 'L';
    const alone = !Number.isFinite(y[k - 1]) && !Number.isFinite(y[k + 1]);
    if (markers ?? (alone || y.length <= MARKED_POINTS)) {
      const tip = element(
        'title',
        {},
        escapeText(`${name ? `${name}: ` : ''}${Number(y[k].toPrecision(5))} at ${x[k]}`),
      );
      dots.push(element('circle', { cx: px, cy: py, r: 2.6 }, tip));
    }
  }
  const stroke = element('path', {
    d: path || 'M0 0',
    fill: 'none',
    ...paint.stroke(i, color),
    'stroke-width': 2.2,
    'stroke-linejoin': 'round',
    'stroke-linecap': 'round',
    'stroke-dasharray': dashed ? '7 5' : undefined,
  });
  return stroke + (dots.length > 0 ? element('g', paint.fill(i, color), ...dots) : '');
}

function drawLegend(paint: Paint, frame: Frame, curves: readonly Curve[]): string {
  const names = curves.map(({ series }, i) => series.name ?? `series ${i + 1}`);
  const width = Math.max(...names.map((name) => textWidth(name))) + 52;
  const height = names.length * 20 + 10;
  const [left, top] = emptiestCorner(frame, curves, width, height);
  const rows = names.map((name, i) => {
    const y = top + 15 + 20 * i;
    const { color, dashed } = curves[i].series;
    const sample = {
      x1: left + 12,
      x2: left + 34,
      y1: y,
      y2: y,
      'stroke-width': 2.4,
      'stroke-linecap': 'round',
    };
    const dash = dashed ? '6 4' : undefined;
    return (
      element('line', { ...sample, ...paint.stroke(i, color), 'stroke-dasharray': dash }) +
      paint.text(name, left + 42, y + 4, {}, 'text')
    );
  });
  const box = { x: left, y: top, width, height, rx: 6, 'fill-opacity': 0.86 };
  return element('rect', { ...box, ...paint.fill('surface') }) + rows.join('');
}

/** Where a legend hides the fewest points: top right if that is no worse than another corner. */
function emptiestCorner(frame: Frame, curves: readonly Curve[], width: number, height: number) {
  const [near, far] = [frame.left + 10, frame.right - width - 6];
  const [high, low] = [frame.top + 6, frame.bottom - height - 10];
  const corners = [
    [far, high],
    [near, high],
    [far, low],
    [near, low],
  ] as const;
  const hidden = ([left, top]: readonly [number, number]) => {
    let count = 0;
    for (const { x, y } of curves) {
      for (let k = 0; k < y.length; k++) {
        const [px, py] = [frame.x(x[k]), frame.y(y[k])];
        if (px >= left && px <= left + width && py >= top && py <= top + height) count++;
      }
    }
    return count;
  };
  return corners.reduce((best, corner) => (hidden(corner) < hidden(best) ? corner : best));
}
