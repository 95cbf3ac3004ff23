/** Pictures side by side, with a line of text above each. */
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { formatShape, numElements, type Shape } from '../core/shape.ts';
import { drawTitle } from './frame.ts';
import { pngDataUri } from './png.ts';
import { element, Paint, type PlotOptions, textWidth } from './svg.ts';
import { extent, isTensorLike, type Matrix, matrixOf, type TensorLike } from './values.ts';

/** [height, width], [1, height, width] (grey) or [3, height, width] (RGB). */
export type Image = Matrix;

export interface ImageGridOptions extends PlotOptions {
  /** A text above each picture. */
  labels?: readonly (string | number | undefined)[];
  /** Colours labels green (true) or red (false): right and wrong predictions, say. */
  marks?: readonly (boolean | undefined)[];
  /** Default: 5, or as many as there are. */
  columns?: number;
  /** CSS pixels of the longer side of a picture. Default 112. */
  imageSize?: number;
  /**
   * The values shown black and white. Default: 0 to 255 for bytes, 0 to 1 if all values of a picture lie there, else
   * its smallest to its largest value.
   */
  range?: readonly [number, number];
}

/** Pictures in rows, as SVG: a list of images, or one tensor [n, height, width] or [n, channels, height, width]. */
export function imageGrid(images: readonly Image[] | TensorLike, options: ImageGridOptions = {}): string {
  const list = pictures(images);
  const {
    columns = Math.min(5, Math.max(1, list.length)),
    imageSize = 112,
    labels = [],
    marks = [],
  } = options;
  if (!Number.isInteger(columns) || columns < 1) {
    throw new ArgumentError(`plot.imageGrid: columns must be a positive integer, but got ${columns}`);
  }
  const size = (p: Picture, side: number) => (side / Math.max(p.width, p.height, 1)) * imageSize;
  const cellWidth = Math.max(imageSize, ...labels.map((text) => textWidth(String(text ?? '')))) + 16;
  const labelled = labels.some((text) => text !== undefined);
  const cellHeight = imageSize + 14 + (labelled ? 22 : 0);
  const top = options.title ? 48 : 14;
  const paint = new Paint(options.theme);
  const cells = list.map((picture, i) => {
    const x = 12 + (i % columns) * cellWidth + (cellWidth - size(picture, picture.width)) / 2;
    const y = top + Math.floor(i / columns) * cellHeight + (labelled ? 20 : 0);
    const mark = marks[i];
    const role = mark === undefined ? 'text' : mark ? 'good' : 'bad';
    const middle = 12 + (i % columns) * cellWidth + cellWidth / 2;
    const look = { 'text-anchor': 'middle', 'font-weight': mark === false ? 600 : undefined };
    const text = labels[i] === undefined ? '' : paint.text(String(labels[i]), middle, y - 7, look, role);
    const [width, height] = [size(picture, picture.width), size(picture, picture.height)];
    return text + drawPicture(paint, picture, x, y, width, height, options.range);
  });
  const rows = Math.ceil(list.length / columns);
  return paint.picture(
    24 + Math.min(columns, Math.max(1, list.length)) * cellWidth,
    top + rows * cellHeight + 4,
    options.title || 'images',
    drawTitle(paint, options.title, 20),
    ...cells,
  );
}

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** [channels, height, width] */
  readonly data: ArrayLike<number | bigint>;
}

function pictures(images: readonly Image[] | TensorLike): Picture[] {
  if (Array.isArray(images)) return images.map(pictureOf);
  if (!isTensorLike(images)) {
    throw new ArgumentError(
      `plot.imageGrid: expected a list of images or a tensor [n, height, width], but got ${String(images)}`,
    );
  }
  const { shape } = images;
  if (shape.length !== 3 && shape.length !== 4) {
    throw new ShapeError(
      `plot.imageGrid: expected [n, height, width] or [n, channels, height, width], but got ${formatShape(shape)}`,
    );
  }
  const one = numElements(shape.slice(1));
  const data = Array.from(images.data as ArrayLike<number | bigint>);
  const bytes = images.data instanceof Uint8Array;
  return Array.from({ length: shape[0] }, (_, i) => {
    const part = data.slice(i * one, (i + 1) * one);
    return picture(bytes ? Uint8Array.from(part, Number) : part, shape.slice(1));
  });
}

function pictureOf(image: Image): Picture {
  if (isTensorLike(image)) return picture(image.data, image.shape);
  const { rows, columns, data } = matrixOf(image, 'plot.imageGrid');
  return picture(data, [rows, columns]);
}

function picture(data: ArrayLike<number | bigint>, shape: Shape): Picture {
  const [channels, height, width] = shape.length === 2 ? [1, ...shape] : shape;
  if (shape.length < 2 || shape.length > 3 || (channels !== 1 && channels !== 3)) {
    throw new ShapeError(
      `plot.imageGrid: expected images [height, width], [1, height, width] or [3, height, width], but got ${formatShape(shape)}`,
    );
  }
  return { width, height, channels, data };
}

function drawPicture(
  paint: Paint,
  { data, channels, width, height }: Picture,
  x: number,
  y: number,
  shownWidth: number,
  shownHeight: number,
  range: readonly [number, number] | undefined,
): string {
  const values = Float64Array.from(data, Number);
  const [black, white] = range ?? (data instanceof Uint8Array ? [0, 255] : contrast(values));
  const area = width * height;
  const pixels = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const level = white > black ? (values[i] - black) / (white - black) : 0;
    pixels[(i % area) * channels + Math.floor(i / area)] = Math.round(
      255 * Math.min(1, Math.max(0, level || 0)),
    );
  }
  const place = { x, y, width: shownWidth, height: shownHeight };
  const frame = element('rect', { ...place, fill: 'none', ...paint.stroke('grid'), 'stroke-width': 1 });
  if (area === 0) return frame;
  const href = pngDataUri(pixels, width, height, channels);
  return element('image', { ...place, style: 'image-rendering:pixelated', href }) + frame;
}

function contrast(values: Float64Array): readonly [number, number] {
  const [low, high] = extent(values) ?? [0, 1];
  return low >= 0 && high <= 1 ? [0, 1] : [low, high];
}
