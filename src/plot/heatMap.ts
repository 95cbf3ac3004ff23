/** Matrices as coloured cells, and confusion matrices. */
import { ArgumentError, IndexError, ShapeError } from '../core/errors.ts';
import { COLOR_MAPS, type ColorMap, colorAt, inkOn, toHex } from './colorMap.ts';
import { drawLabels, drawTitle } from './frame.ts';
import { pngDataUri } from './png.ts';
import { formatNumber, makeScale, niceStep } from './scale.ts';
import { element, escapeText, Paint, type PlotOptions, textWidth } from './svg.ts';
import { extent, type Matrix, matrixOf, numbersOf, type Values } from './values.ts';

export interface HeatMapOptions extends PlotOptions {
  xLabel?: string;
  yLabel?: string;
  /** Names of columns and rows; their numbers if absent. Those that would overlap are left out. */
  columns?: readonly string[];
  rows?: readonly string[];
  colorMap?: ColorMap;
  /** The values at the ends of the colour map. Default: the smallest and the largest; 'diverging' has 0 in its middle. */
  min?: number;
  max?: number;
  /** Write the values into the cells, where they have room. Default: up to 15 rows and columns. */
  annotate?: boolean;
  format?: (value: number) => string;
  /** CSS pixels of a cell. */
  cellSize?: number;
  /** Default true. */
  colorBar?: boolean;
}

/** Matrices beyond this are drawn as one image instead of a rectangle per cell. */
const MOST_CELLS = 1600;
const MOST_ANNOTATED = 15;
/** Values that would have to be smaller are not written. */
const SMALLEST_TEXT = 6;
/** Degrees, and what that makes of a text's length in height. */
const SLANT = 40;
const SLANT_HEIGHT = 0.65;

/** A matrix [rows, columns] as coloured cells with a colour bar, as SVG. @throws ShapeError if it is no matrix */
export function heatMap(values: Matrix, options: HeatMapOptions = {}): string {
  return drawMatrix(values, options, 'heat map');
}

/** `kind` is what those hear who cannot see it, where there is no title. */
function drawMatrix(values: Matrix, options: HeatMapOptions, kind: string): string {
  const { rows, columns, data } = matrixOf(values, 'plot.heatMap');
  const map = options.colorMap ?? 'viridis';
  if (!COLOR_MAPS.includes(map)) {
    throw new ArgumentError(
      `plot.heatMap: colorMap must be one of ${COLOR_MAPS.join(', ')}, but got ${String(map)}`,
    );
  }
  const found = extent(data) ?? [0, 1];
  const reach = Math.max(-found[0], found[1]);
  const ends = map === 'diverging' ? [-reach, reach] : found;
  const [low, high] = [options.min ?? ends[0], options.max ?? ends[1]];
  const at = (v: number) => (high > low ? (v - low) / (high - low) : 0.5);
  const names = [namesOf(options.rows, rows, 'rows'), namesOf(options.columns, columns, 'columns')] as const;
  const largest = Math.max(rows, columns, 1);
  const cell = options.cellSize ?? Math.max(4, Math.min(42, Math.floor(480 / largest)));
  const left = 16 + Math.max(0, ...names[0].map((n) => textWidth(n, 11))) + (options.yLabel ? 24 : 4);
  const top = options.title ? 46 : 18;
  const right = left + columns * cell;
  const bottom = top + rows * cell;
  const paint = new Paint(options.theme);
  const cells: Cells = {
    data,
    rows,
    columns,
    cell,
    left,
    top,
    colour: (v, dark) => colorAt(map, at(v), dark),
  };
  const annotate = options.annotate ?? largest <= MOST_ANNOTATED;
  const bar = options.colorBar !== false;
  const width = right + (bar ? 76 : 20);
  const below = names[1].length === 0 ? 4 : namesBelow(names[1], cell, options.columns).height;
  return paint.picture(
    width,
    bottom + below + (options.xLabel ? 26 : 8),
    options.title || kind,
    rows * columns <= MOST_CELLS ? drawCells(paint, cells) : drawImage(paint, cells),
    annotate ? drawValues(paint, cells, options.format ?? shortNumber) : '',
    drawNames(paint, cells, names, options.columns),
    drawLabels(paint, options, (left + right) / 2, bottom + below + 18, 18, (top + bottom) / 2),
    drawTitle(paint, options.title, left),
    bar ? drawBar(paint, map, right + 18, top, bottom, low, high) : '',
  );
}

interface Cells {
  readonly data: Float64Array;
  readonly rows: number;
  readonly columns: number;
  readonly cell: number;
  readonly left: number;
  readonly top: number;
  readonly colour: (value: number, dark: boolean) => readonly [number, number, number];
}

function namesOf(given: readonly string[] | undefined, count: number, what: string): readonly string[] {
  if (given === undefined) return Array.from({ length: count }, (_, i) => String(i));
  if (given.length === count) return given;
  throw new ShapeError(`plot.heatMap: expected ${count} names of ${what}, but got ${given.length}`);
}

function drawCells(paint: Paint, { data, columns, cell, left, top, colour }: Cells): string {
  const gap = cell >= 14 ? 1 : 0;
  const boxes = Array.from(data, (v, i) => {
    const [x, y] = [left + (i % columns) * cell, top + Math.floor(i / columns) * cell];
    const fill = paint.fillBy((dark) => toHex(colour(v, dark)));
    const box = { x, y, width: cell - gap, height: cell - gap, ...fill };
    return element(
      'rect',
      box,
      element('title', {}, escapeText(`[${Math.floor(i / columns)}, ${i % columns}]: ${v}`)),
    );
  });
  return boxes.join('');
}

/** One image has one set of colours: it follows a theme that is given, not the reader's. */
function drawImage(paint: Paint, { data, rows, columns, cell, left, top, colour }: Cells): string {
  const pixels = new Uint8Array(data.length * 3);
  data.forEach((v, i) => {
    pixels.set(colour(v, paint.theme === 'dark'), 3 * i);
  });
  return element('image', {
    x: left,
    y: top,
    width: columns * cell,
    height: rows * cell,
    preserveAspectRatio: 'none',
    style: 'image-rendering:pixelated',
    href: pngDataUri(pixels, columns, rows, 3),
  });
}

function drawValues(
  paint: Paint,
  { data, columns, cell, left, top, colour }: Cells,
  format: (value: number) => string,
): string {
  const written = Array.from(data, format);
  const fits = (cell - 6) / Math.max(1, ...written.map((text) => textWidth(text, 1)));
  const fontSize = Math.min(12, cell * 0.32, fits);
  if (fontSize < SMALLEST_TEXT) return '';
  const texts = Array.from(data, (v, i) => {
    const x = left + (i % columns) * cell + cell / 2;
    const y = top + Math.floor(i / columns) * cell + cell / 2 + 4;
    const fill = paint.fillBy((dark) => inkOn(colour(v, dark)));
    return element('text', { x, y, ...fill }, escapeText(written[i]));
  });
  return element('g', { 'text-anchor': 'middle', 'font-size': fontSize }, ...texts);
}

/** A value as a cell has room for: whole, or with two decimals at most. */
function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size < 0.01) return formatNumber(Number(value.toPrecision(2)));
  return formatNumber(Number(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)));
}

/** How the columns' names stand below: level, thinned out if they are numbers; slanted if they are the caller's. */
function namesBelow(
  names: readonly string[],
  cell: number,
  given: readonly string[] | undefined,
): { readonly slanted: boolean; readonly every: number; readonly height: number } {
  const widest = Math.max(0, ...names.map((n) => textWidth(n, 11)));
  const slanted = given !== undefined && widest + 4 > cell && cell >= 14;
  const every = slanted ? 1 : niceStep((widest + 4) / cell, true);
  return { slanted, every, height: slanted ? 16 + widest * SLANT_HEIGHT : 22 };
}

function drawNames(
  paint: Paint,
  { left, top, cell, rows }: Cells,
  [rowNames, columnNames]: readonly (readonly string[])[],
  givenColumns: readonly string[] | undefined,
) {
  const small = { 'font-size': 11 };
  const middle = { ...small, 'text-anchor': 'middle' };
  const { slanted, every } = namesBelow(columnNames, cell, givenColumns);
  const rowsEvery = niceStep(13 / cell, true);
  const beside = rowNames.map((name, i) =>
    i % rowsEvery === 0
      ? paint.text(name, left - 8, top + i * cell + cell / 2 + 4, { ...small, 'text-anchor': 'end' })
      : '',
  );
  const below = columnNames.map((name, j) => {
    if (j % every !== 0) return '';
    const [x, y] = [left + j * cell + cell / 2, top + rows * cell + 16];
    if (!slanted) return paint.text(name, x, y, middle);
    const turned = { ...small, 'text-anchor': 'end', transform: `rotate(-${SLANT} ${x + 4} ${y - 4})` };
    return paint.text(name, x + 4, y - 4, turned);
  });
  return [...beside, ...below].join('');
}

function drawBar(
  paint: Paint,
  map: ColorMap,
  x: number,
  top: number,
  bottom: number,
  low: number,
  high: number,
) {
  const steps = 48;
  const height = (bottom - top) / steps;
  const parts = Array.from({ length: steps }, (_, i) =>
    // Half a pixel more than its share: no seams between the steps.
    element('rect', {
      x,
      y: bottom - (i + 1) * height - (i === steps - 1 ? 0 : 0.5),
      width: 12,
      height: height + (i === steps - 1 ? 0 : 0.5),
      ...paint.fillBy((dark) => toHex(colorAt(map, (i + 0.5) / steps, dark))),
    }),
  );
  const scale = makeScale([low, high], { tight: true, count: Math.max(2, (bottom - top) / 60) });
  const ticks = scale.ticks.map((t) =>
    paint.text(scale.format(t), x + 18, bottom - scale.at(t) * (bottom - top) + 4, { 'font-size': 11 }),
  );
  return parts.join('') + ticks.join('');
}

export interface ConfusionMatrixOptions extends PlotOptions {
  /** Names of the classes; their numbers if absent. */
  labels?: readonly string[];
  /** Show shares of each true class instead of counts. */
  normalize?: boolean;
  cellSize?: number;
}

/**
 * How often each class was taken for each other, as SVG: rows are the true classes, columns the predicted ones.
 * Takes class numbers, both lists equally long. @throws ShapeError, IndexError
 */
export function confusionMatrix(
  targets: Values,
  predictions: Values,
  options: ConfusionMatrixOptions = {},
): string {
  const [truth, guess] = [
    numbersOf(targets, 'plot.confusionMatrix', 'targets'),
    numbersOf(predictions, 'plot.confusionMatrix', 'predictions'),
  ];
  if (truth.length !== guess.length) {
    throw new ShapeError(`plot.confusionMatrix: got ${truth.length} targets but ${guess.length} predictions`);
  }
  const { labels, normalize = false, title = 'Confusion matrix', theme, cellSize } = options;
  const classes =
    labels?.length ??
    Math.max(1, ...[truth, guess].map((list) => list.reduce((a, b) => Math.max(a, b), 0) + 1));
  for (const one of [truth, guess]) {
    const bad = one.find((c) => !(Number.isInteger(c) && c >= 0 && c < classes));
    if (bad !== undefined)
      throw new IndexError(`plot.confusionMatrix: expected classes 0 to ${classes - 1}, but got ${bad}`);
  }
  const counts = Array.from({ length: classes }, () => new Float64Array(classes));
  truth.forEach((t, i) => {
    counts[t][guess[i]]++;
  });
  const shown = normalize
    ? counts.map((row) =>
        row.map(
          (c) =>
            c /
            Math.max(
              1,
              row.reduce((a, b) => a + b, 0),
            ),
        ),
      )
    : counts;
  const drawn: HeatMapOptions = {
    title,
    theme,
    cellSize,
    rows: labels,
    columns: labels,
    colorMap: 'blues',
    min: 0,
    max: normalize ? 1 : undefined,
    xLabel: 'Predicted class',
    yLabel: 'True class',
    format: normalize ? (v) => (v === 0 ? '' : v.toFixed(2)) : String,
  };
  return drawMatrix(shown, drawn, 'confusion matrix');
}
