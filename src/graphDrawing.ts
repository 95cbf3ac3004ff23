/**
 * A layered drawing of a directed graph without cycles: sources above, each node just above the first that uses it, the
 * order within a layer by the mean place of the neighbours (Sugiyama, Tagawa and Toda 1981).
 */
import { element, escapeText, Paint, type PlotOptions, textWidth } from './core/svg.ts';

export interface Box {
  readonly id: number;
  /** The first line is the title. */
  readonly lines: readonly string[];
  readonly role: 'leaf' | 'op' | 'root';
}
export interface Arrow {
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

/** A box, or a bend of an arrow that passes a layer. */
interface Place {
  readonly box: Box | null;
  readonly width: number;
  readonly height: number;
  readonly layer: number;
  readonly above: Place[];
  readonly below: Place[];
  /** Centre. */
  x: number;
}

const LINE = 16;
const PAD = 8;
const GAP_X = 24;
const GAP_Y = 44;
const MARGIN = 16;
const FONT = 12;

const widthOf = (box: Box): number =>
  Math.ceil(1.12 * Math.max(...box.lines.map((line, i) => textWidth(line, i === 0 ? FONT + 1 : FONT)))) +
  2 * PAD;

/** 1234567 → '1.18 MiB' */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}

/** By node: its distance from the sinks, the longest way. */
function depths(boxes: readonly Box[], arrows: readonly Arrow[]): Map<number, number> {
  const users = new Map<number, number[]>();
  const inputs = new Map<number, number[]>();
  for (const { from, to } of arrows) {
    users.set(from, [...(users.get(from) ?? []), to]);
    inputs.set(to, [...(inputs.get(to) ?? []), from]);
  }
  const depth = new Map<number, number>();
  const open = new Map(boxes.map(({ id }) => [id, users.get(id)?.length ?? 0]));
  const ready = boxes.filter(({ id }) => open.get(id) === 0).map(({ id }) => id);
  for (const id of ready) depth.set(id, 0);
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    for (const source of inputs.get(id) ?? []) {
      depth.set(source, Math.max(depth.get(source) ?? 0, (depth.get(id) ?? 0) + 1));
      const left = (open.get(source) ?? 0) - 1;
      open.set(source, left);
      if (left === 0) ready.push(source);
    }
  }
  return depth;
}

function arrange(boxes: readonly Box[], arrows: readonly Arrow[]): { layers: Place[][]; routes: Place[][] } {
  const depth = depths(boxes, arrows);
  const last = Math.max(0, ...depth.values());
  const layers: Place[][] = Array.from({ length: last + 1 }, () => []);
  const put = (box: Box | null, layer: number): Place => {
    const width = box ? widthOf(box) : 8;
    const height = box ? box.lines.length * LINE + 2 * PAD : 0;
    const place: Place = { box, width, height, layer, above: [], below: [], x: 0 };
    layers[layer].push(place);
    return place;
  };
  const byId = new Map(boxes.map((box) => [box.id, put(box, last - (depth.get(box.id) ?? 0))]));
  const routes = arrows.map(({ from, to }) => {
    const [start, end] = [byId.get(from), byId.get(to)];
    if (!start || !end) return [];
    const route = [start];
    for (let layer = start.layer + 1; layer < end.layer; layer++) route.push(put(null, layer));
    route.push(end);
    for (let i = 1; i < route.length; i++) {
      route[i - 1].below.push(route[i]);
      route[i].above.push(route[i - 1]);
    }
    return route;
  });
  order(layers);
  position(layers);
  return { layers, routes };
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Sorts each layer by the mean place of the neighbours in the layer before, downward and upward in turn. */
function order(layers: Place[][]): void {
  const rank = new Map<Place, number>();
  const note = (layer: readonly Place[]) => {
    for (const [i, place] of layer.entries()) rank.set(place, i / Math.max(1, layer.length - 1));
  };
  for (const layer of layers) note(layer);
  for (let sweep = 0; sweep < 12; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : layers.toReversed()) {
      const key = new Map(
        layer.map((place) => {
          const near = down ? place.above : place.below;
          const own = rank.get(place) ?? 0;
          return [place, near.length === 0 ? own : mean(near.map((p) => rank.get(p) ?? 0))];
        }),
      );
      layer.sort((a, b) => (key.get(a) ?? 0) - (key.get(b) ?? 0));
      note(layer);
    }
  }
}

/** Pulls every place towards its neighbours while keeping the order and the gaps. */
function position(layers: readonly Place[][]): void {
  for (const layer of layers) {
    let x = 0;
    for (const place of layer) {
      place.x = x + place.width / 2;
      x += place.width + GAP_X;
    }
    for (const place of layer) place.x -= (x - GAP_X) / 2;
  }
  for (let sweep = 0; sweep < 24; sweep++) {
    for (const layer of sweep % 2 === 0 ? layers : layers.toReversed()) settle(layer);
  }
}

function settle(layer: readonly Place[]): void {
  const wanted = layer.map((place) => {
    const near = [...place.above, ...place.below];
    return near.length === 0 ? place.x : mean(near.map((p) => p.x));
  });
  const room = (i: number) => (layer[i].width + layer[i + 1].width) / 2 + GAP_X;
  // The mean of the tightest arrangements from the left and from the right keeps the gaps and favours no side.
  const left = wanted.slice();
  for (let i = 1; i < left.length; i++) left[i] = Math.max(left[i], left[i - 1] + room(i - 1));
  const right = wanted.slice();
  for (let i = right.length - 2; i >= 0; i--) right[i] = Math.min(right[i], right[i + 1] - room(i));
  layer.forEach((place, i) => {
    place.x = (left[i] + right[i]) / 2;
  });
}

/** The picture as an SVG string. */
export function drawGraph(
  boxes: readonly Box[],
  arrows: readonly Arrow[],
  { title, theme, highlight }: PlotOptions & { highlight?: number } = {},
): string {
  const paint = new Paint(theme);
  const { layers, routes } = arrange(boxes, arrows);
  const places = layers.flat();
  const leftmost = Math.min(0, ...places.map((p) => p.x - p.width / 2));
  for (const place of places) place.x += MARGIN - leftmost;
  const top = title === undefined ? MARGIN : MARGIN + 28;
  const tops: number[] = [];
  let y = top;
  for (const layer of layers) {
    tops.push(y);
    y += Math.max(0, ...layer.map((p) => p.height)) + GAP_Y;
  }
  const heights = layers.map((layer) => Math.max(0, ...layer.map((p) => p.height)));
  const width = Math.max(
    160,
    ...places.map((p) => p.x + p.width / 2 + MARGIN),
    textWidth(title ?? '', 15) + 2 * MARGIN,
  );
  const height = y - GAP_Y + MARGIN;
  const middle = (place: Place) => tops[place.layer] + heights[place.layer] / 2;
  const head = element(
    'marker',
    { id: 'wg-arrow', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' },
    element('path', { d: 'M0 0L8 4L0 8z', ...paint.fill('axis') }),
  );
  return paint.picture(
    width,
    height,
    title ?? 'Recorded graph',
    element('defs', {}, head),
    title === undefined
      ? ''
      : paint.text(title, MARGIN, MARGIN + 12, { 'font-size': 15, 'font-weight': 600 }, 'text'),
    ...routes.map((route, i) => drawArrow(paint, route, middle, arrows[i].label)),
    ...places.flatMap((p) => (p.box ? [drawBox(paint, p, p.box, middle(p), p.box.id === highlight)] : [])),
  );
}

/** A smooth line from box to box; its label is what flows along it, as a tool tip. */
function drawArrow(
  paint: Paint,
  route: readonly Place[],
  middle: (place: Place) => number,
  label: string,
): string {
  if (route.length < 2) return '';
  const points = route.map((place, i) => {
    const shift = i === 0 ? place.height / 2 : i === route.length - 1 ? -place.height / 2 - 1 : 0;
    return [place.x, middle(place) + shift] as const;
  });
  const n = (x: number) => Math.round(x * 100) / 100;
  let d = `M${n(points[0][0])} ${n(points[0][1])}`;
  for (let i = 1; i < points.length; i++) {
    const [x0, y0] = points[i - 1];
    const [x1, y1] = points[i];
    const bend = (y1 - y0) / 2;
    d += `C${n(x0)} ${n(y0 + bend)} ${n(x1)} ${n(y1 - bend)} ${n(x1)} ${n(y1)}`;
  }
  return element(
    'path',
    { d, fill: 'none', ...paint.stroke('axis'), 'stroke-width': 1.3, 'marker-end': 'url(#wg-arrow)' },
    element('title', {}, escapeText(label)),
  );
}

const SERIES = { leaf: 0, op: 7, root: 2 } as const;

function drawBox(paint: Paint, place: Place, box: Box, middle: number, highlighted: boolean): string {
  const { x, width, height } = place;
  const frame = { x: x - width / 2, y: middle - height / 2, width, height, rx: 6 };
  const series = highlighted ? 1 : SERIES[box.role];
  const stroke = paint.stroke(series);
  const fill = paint.fill(series);
  const text = box.lines.map((line, i) =>
    paint.text(
      line,
      x,
      middle - height / 2 + PAD + LINE * (i + 0.75),
      { 'text-anchor': 'middle', ...(i === 0 ? { 'font-size': FONT + 1, 'font-weight': 600 } : {}) },
      i === 0 ? 'text' : 'muted',
    ),
  );
  return element(
    'g',
    { 'data-node': box.id },
    element('rect', { ...frame, ...paint.fill('surface') }),
    element('rect', {
      ...frame,
      class: `${fill.class} ${stroke.class}`,
      fill: fill.fill,
      'fill-opacity': highlighted ? 0.35 : 0.14,
      stroke: stroke.stroke,
      'stroke-width': highlighted ? 2.5 : 1.2,
    }),
    ...text,
  );
}
