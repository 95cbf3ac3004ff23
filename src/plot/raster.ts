/** From SVG to pixels: on a canvas in a page, by the package `@resvg/resvg-js` in Node. */
import { ArgumentError, DeviceError } from '../core/errors.ts';
import { requirePeer } from '../core/peer.ts';

export interface RasterOptions {
  /** Pixels for a CSS pixel. Default 2: sharp on most screens and in print. */
  scale?: number;
}

/** What is used of the package. */
interface Resvg {
  Resvg: new (
    svg: string,
    options: { fitTo: { mode: 'zoom'; value: number } },
  ) => { render(): { asPng(): Uint8Array } };
}

const PACKAGE = '@resvg/resvg-js';

function scaleOf(op: string, { scale = 2 }: RasterOptions): number {
  if (scale > 0 && Number.isFinite(scale)) return scale;
  throw new ArgumentError(`${op}: scale must be a positive number, but got ${scale}`);
}

const importResvg = (): Resvg =>
  requirePeer(PACKAGE, (missing, why, cause) => {
    const message = missing
      ? `in Node the package ${PACKAGE} draws, which is not installed: npm install ${PACKAGE}`
      : `the package ${PACKAGE} cannot be loaded: ${why}`;
    return new DeviceError(`plot.toPNG: ${message}`, { cause });
  });

/**
 * A plot on a new canvas, in a page. Its size in the page is the plot's own; give the plot a `theme`, since a canvas does
 * not follow the reader's colour scheme.
 * @throws DeviceError where there is no document (in Node, in workers), or the page's policy refuses `img-src blob:`
 */
export async function toCanvas(svg: string, options: RasterOptions = {}): Promise<HTMLCanvasElement> {
  const scale = scaleOf('plot.toCanvas', options);
  if (typeof document === 'undefined')
    throw new DeviceError(
      'plot.toCanvas: canvases are made in pages, and there is no document here; plot.toPNG also works in Node',
    );
  const address = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode().catch((cause: unknown) => {
      throw new DeviceError(
        'plot.toCanvas: expected the SVG of a plot; the browser cannot show this, or the policy of the page refuses img-src blob:',
        { cause },
      );
    });
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
    canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
    canvas.style.width = `${image.naturalWidth}px`;
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas;
  } finally {
    URL.revokeObjectURL(address);
  }
}

/**
 * A plot as the bytes of a PNG file. In Node the package `@resvg/resvg-js` draws it, which the user installs; in pages a
 * canvas does. Give the plot a `theme`: a picture does not follow the reader's colour scheme.
 * @throws DeviceError where neither is there
 */
export async function toPNG(svg: string, options: RasterOptions = {}): Promise<Uint8Array> {
  const scale = scaleOf('plot.toPNG', options);
  if (typeof document === 'undefined') {
    if (typeof process !== 'object' || typeof process.getBuiltinModule !== 'function')
      throw new DeviceError('plot.toPNG: pictures are drawn in pages and in Node, and this is neither');
    const { Resvg } = importResvg();
    return new Resvg(svg, { fitTo: { mode: 'zoom', value: scale } }).render().asPng();
  }
  const canvas = await toCanvas(svg, { scale });
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob === null)
    throw new DeviceError(
      `plot.toPNG: the browser makes no picture of ${canvas.width} by ${canvas.height} pixels`,
    );
  return new Uint8Array(await blob.arrayBuffer());
}
