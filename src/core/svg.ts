/**
 * SVG as strings: elements, escaping, and the colours of plots and drawings. Every element carries its light or dark colour as
 * a plain attribute, which any viewer understands; where media queries are understood (browsers), a style sheet on top
 * follows the reader's colour scheme and the page's own `--plot-…` variables.
 */

/** How a plot is coloured: 'auto' follows the reader's colour scheme. */
export type Theme = 'auto' | 'light' | 'dark';

/** What every plot takes. Sizes are CSS pixels. */
export interface PlotOptions {
  title?: string;
  theme?: Theme;
}

/** Attribute values; those that are undefined are left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** XML 1.0 allows tab, line feed and carriage return below the space, and no U+FFFE or U+FFFF. */
const isAllowed = (c: string): boolean =>
  (c >= ' ' && c !== '\ufffe' && c !== '\uffff') || c === '\t' || c === '\n' || c === '\r';

/** Text for element content and attributes; characters that XML forbids are dropped. */
export const escapeText = (text: string): string =>
  Array.from(text, (c) => ENTITIES[c] ?? (isAllowed(c) ? c : '')).join('');

/** A coordinate with at most two decimals, so that files stay small. */
const formatAttribute = (value: string | number): string =>
  typeof value === 'number' ? String(Math.round(value * 100) / 100) : escapeText(value);

/** One element; children are markup already. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const list = Object.entries(attributes)
    .map(([key, value]) => (value === undefined ? '' : ` ${key}="${formatAttribute(value)}"`))
    .join('');
  return children.length === 0 ? `<${name}${list}/>` : `<${name}${list}>${children.join('')}</${name}>`;
}

/** The roles that a colour can have in a plot. */
export type Role = 'surface' | 'text' | 'muted' | 'axis' | 'grid' | 'good' | 'bad';

type Palette = { readonly [R in Role]: string } & { readonly series: readonly string[] };

const LIGHT: Palette = {
  surface: '#ffffff',
  text: '#1f2937',
  muted: '#5b6675',
  axis: '#8b95a3',
  grid: '#e6e9ee',
  good: '#16794c',
  bad: '#c62a3b',
  series: ['#2f6fdb', '#e07b12', '#14855a', '#c43a72', '#7a54c4', '#8a6a14', '#0f829c', '#5f6b7a'],
};
const DARK: Palette = {
  surface: '#14181f',
  text: '#e5e9f0',
  muted: '#a3adbb',
  axis: '#6b7686',
  grid: '#2a313c',
  good: '#4cc38a',
  bad: '#ff7a85',
  series: ['#6ea3ff', '#f5a24b', '#4cc38a', '#f278a8', '#b095f5', '#d3b04c', '#4fc4de', '#a3adbb'],
};
const ROLES = ['surface', 'text', 'muted', 'axis', 'grid', 'good', 'bad'] as const satisfies readonly Role[];

/** How many series have a colour of their own before colours repeat. */
export const SERIES_COLOURS = LIGHT.series.length;

const variables = (palette: Palette): string =>
  [
    ...ROLES.map((role) => `--wg-${role}:${palette[role]}`),
    ...palette.series.map((colour, i) => `--wg-series-${i + 1}:${colour}`),
  ].join(';');

const rules = [...ROLES, ...LIGHT.series.map((_, i) => `series-${i + 1}`)]
  .map((name) => {
    const value = `var(--plot-${name},var(--wg-${name}))`;
    return `.wg-fill-${name}{fill:${value}}.wg-stroke-${name}{stroke:${value}}`;
  })
  .join('');

// Inside @media, so that viewers which know neither media queries nor variables keep to the attributes.
const styleSheet = (theme: Theme): string =>
  `@media all{.wg-${theme}{${variables(theme === 'dark' ? DARK : LIGHT)}}${rules}}` +
  (theme === 'auto'
    ? `@media (prefers-color-scheme:dark){.wg-auto{${variables(DARK)}}.wg-own{fill:var(--wg-dark)}}`
    : '');

/** Gives elements their colours, under one theme. */
export class Paint {
  readonly theme: Theme;
  readonly #palette: Palette;

  constructor(theme: Theme = 'auto') {
    this.theme = theme;
    this.#palette = theme === 'dark' ? DARK : LIGHT;
  }

  #colour(name: Role | number): readonly [string, string] {
    if (typeof name === 'string') return [name, this.#palette[name]];
    const i = name % SERIES_COLOURS;
    return [`series-${i + 1}`, this.#palette.series[i]];
  }

  /** Attributes that fill with a role, with the n-th series colour, or with any CSS colour given. */
  fill(name: Role | number, own?: string): Attributes {
    if (own !== undefined) return { fill: own };
    const [key, colour] = this.#colour(name);
    return { class: `wg-fill-${key}`, fill: colour };
  }

  stroke(name: Role | number, own?: string): Attributes {
    if (own !== undefined) return { stroke: own };
    const [key, colour] = this.#colour(name);
    return { class: `wg-stroke-${key}`, stroke: colour };
  }

  /** Fills with a colour of its own for each scheme. */
  fillBy(colour: (dark: boolean) => string): Attributes {
    const [light, dark] = [colour(false), colour(true)];
    if (this.theme !== 'auto' || light === dark) return { fill: this.theme === 'dark' ? dark : light };
    return { class: 'wg-own', fill: light, style: `--wg-dark:${dark}` };
  }

  text(content: string, x: number, y: number, attributes: Attributes = {}, role: Role = 'muted'): string {
    return element('text', { x, y, ...this.fill(role), ...attributes }, escapeText(content));
  }

  /** The whole picture, on its background. */
  picture(width: number, height: number, label: string, ...children: readonly string[]): string {
    return element(
      'svg',
      {
        xmlns: 'http://www.w3.org/2000/svg',
        class: `wg-${this.theme}`,
        width,
        height,
        viewBox: `0 0 ${formatAttribute(width)} ${formatAttribute(height)}`,
        role: 'img',
        'aria-label': label,
        'font-family': "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif",
        'font-size': 12,
      },
      element('style', {}, styleSheet(this.theme)),
      element('rect', { width, height, ...this.fill('surface') }),
      ...children,
    );
  }
}

/** Roughly how wide a text is: the widths of common fonts lie within 10 % of it. */
export const textWidth = (text: string, fontSize = 12): number => text.length * fontSize * 0.58;
