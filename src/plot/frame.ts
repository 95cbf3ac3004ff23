/** The frame around a plot with axes: title, ticks, grid and labels, and the mapping from values to pixels. */
import type { Scale } from './scale.ts';
import { type Attributes, element, type Paint, textWidth } from './svg.ts';

export interface AxesOptions {
  xLabel?: string;
  yLabel?: string;
  /** CSS pixels. Default 640 by 400. */
  width?: number;
  height?: number;
  /** Default true. */
  grid?: boolean;
}

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

/** The place for data inside title, labels and ticks. */
export function makeFrame(options: AxesOptions & { title?: string }, xScale: Scale, yScale: Scale): Frame {
  const { width = 640, height = 400, title, xLabel, yLabel } = options;
  const tickWidth = Math.max(0, ...yScale.ticks.map((t) => textWidth(yScale.format(t), 11)));
  const left = 14 + tickWidth + 8 + (yLabel ? 22 : 0);
  const top = title ? 46 : 20;
  const right = width - 22;
  const bottom = height - (xLabel ? 52 : 32);
  const x = (v: number) => left + xScale.at(v) * (right - left);
  const y = (v: number) => bottom - yScale.at(v) * (bottom - top);
  return { width, height, left, right, top, bottom, x, y };
}

export function drawTitle(paint: Paint, title: string | undefined, x: number): string {
  return title ? paint.text(title, x, 28, { 'font-size': 15, 'font-weight': 600 }, 'text') : '';
}

/** Grid, axis lines, ticks and labels. */
export function drawAxes(
  paint: Paint,
  frame: Frame,
  options: AxesOptions & { title?: string },
  xScale: Scale,
  yScale: Scale,
): string {
  const { left, right, top, bottom, height } = frame;
  const line = (x1: number, y1: number, x2: number, y2: number, look: Attributes) =>
    element('line', { x1, y1, x2, y2, ...look });
  const parts: string[] = [];
  const grid = paint.stroke('grid');
  const axis = paint.stroke('axis');
  const small = { 'font-size': 11 };
  for (const t of yScale.ticks) {
    const y = frame.y(t);
    if (options.grid !== false) parts.push(line(left, y, right, y, grid));
    parts.push(paint.text(yScale.format(t), left - 8, y + 4, { ...small, 'text-anchor': 'end' }));
  }
  for (const t of xScale.ticks) {
    const x = frame.x(t);
    if (options.grid !== false) parts.push(line(x, top, x, bottom, grid));
    parts.push(line(x, bottom, x, bottom + 4, axis));
    parts.push(paint.text(xScale.format(t), x, bottom + 18, { ...small, 'text-anchor': 'middle' }));
  }
  parts.push(line(left, bottom, right, bottom, axis));
  parts.push(drawLabels(paint, options, (left + right) / 2, height - 14, 18, (top + bottom) / 2));
  parts.push(drawTitle(paint, options.title, left));
  return parts.join('');
}

/** The names of both axes. */
export function drawLabels(
  paint: Paint,
  options: AxesOptions,
  xMiddle: number,
  xBase: number,
  yBase: number,
  yMiddle: number,
) {
  const middle = { 'text-anchor': 'middle', 'font-size': 12.5 };
  const xName = options.xLabel ? paint.text(options.xLabel, xMiddle, xBase, middle) : '';
  const turned = { ...middle, transform: `rotate(-90 ${yBase} ${Math.round(yMiddle)})` };
  const yName = options.yLabel ? paint.text(options.yLabel, yBase, Math.round(yMiddle), turned) : '';
  return xName + yName;
}
