/** Colour maps: a number of [0, 1] to RGB, linear between anchors. */
export type ColorMap = 'blues' | 'viridis' | 'grey' | 'diverging';

type Rgb = readonly [number, number, number];

// viridis: nine of the anchors of S. van der Walt and N. Smith's map (public domain); the others are our own.
const ANCHORS: { readonly [M in ColorMap]: readonly string[] } = {
  blues: ['f4f8fd', 'd5e5f7', 'a9cbee', '6fa6df', '3f7fca', '2159a6', '103a78'],
  viridis: ['440154', '472d7b', '3b528b', '2c728e', '21918c', '28ae80', '5ec962', 'addc30', 'fde725'],
  grey: ['000000', 'ffffff'],
  diverging: ['2a5ea8', '7fa9d8', 'd6e4f2', 'f7f7f7', 'f6dcd0', 'e29a7c', 'b23a32'],
};
/** On a dark page little is dark: maps that have the page's white for nothing have its black there. */
const DARK_ANCHORS: { readonly [M in ColorMap]?: readonly string[] } = {
  blues: ['1a212c', '1f3455', '24497f', '2e64ae', '5188d6', '8db4f0', 'd3e3fd'],
  diverging: ['8fbaf5', '4f86cc', '2b4a73', '1b2129', '5c3229', 'b8603f', 'f5a585'],
};

export const COLOR_MAPS = Object.keys(ANCHORS);

const parse = (hex: string): Rgb =>
  [0, 2, 4].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)) as unknown as Rgb;

/** The colour at t, clamped to [0, 1]; values that are not numbers are mid grey. */
export function colorAt(map: ColorMap, t: number, dark = false): Rgb {
  if (Number.isNaN(t)) return [160, 160, 160];
  const anchors = (dark && DARK_ANCHORS[map]) || ANCHORS[map];
  const at = Math.min(1, Math.max(0, t)) * (anchors.length - 1);
  const i = Math.min(Math.floor(at), anchors.length - 2);
  const [a, b] = [parse(anchors[i]), parse(anchors[i + 1])];
  const mix = (k: 0 | 1 | 2) => Math.round(a[k] + (b[k] - a[k]) * (at - i));
  return [mix(0), mix(1), mix(2)];
}

export const toHex = (rgb: Rgb): string => `#${rgb.map((v) => v.toString(16).padStart(2, '0')).join('')}`;

/** Relative luminance of sRGB, WCAG 2.2. */
function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((v) => (v <= 10 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Where black and white read equally well: 4.58 to 1, which is above the 4.5 that WCAG asks of text. */
const MIDDLE = Math.sqrt(1.05 * 0.05) - 0.05;

/** Black or white, whichever reads better on a colour. */
export const inkOn = (rgb: Rgb): string => (luminance(rgb) > MIDDLE ? '#000000' : '#ffffff');
