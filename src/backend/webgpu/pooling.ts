/** Pooling over windows given by lists. Gradients are gathered: each input asks the windows that may cover it. */
import { integerLimits } from '../../core/sampling.ts';
import type { NDArray } from '../array.ts';
import { lastOf, volume, type Windows } from '../windows.ts';
import type { GpuContext, Room } from './context.ts';
import { laneOf, wgslType } from './elementTypes.ts';
import { overRows } from './slices.ts';

type Params = [string, number][];

/** Elements are read by every window that covers them, or windows by every element. */
const TAKEN_IN: Room = { cost: 4, cells: 2 };

/** Constants, as a kernel binds them. */
interface Table {
  readonly name: string;
  readonly type: 'i32' | 'f32';
  readonly array: NDArray;
  readonly params: Params;
}

/** Starts and ends of all windows, dimension by dimension, and where each list begins. */
function windowTables(gpu: GpuContext, { input, output, lists }: Windows): Table {
  const values: number[] = [];
  const params: Params = [];
  lists.forEach((list, d) => {
    params.push(
      [`start${d}: u32`, values.length],
      [`end${d}: u32`, values.length + list.start.length],
      [`step${d}: u32`, list.step],
      [`in${d}: u32`, input[d]],
      [`out${d}: u32`, output[d]],
    );
    values.push(...list.start, ...list.end);
  });
  params.push(['inputs: u32', volume(input)], ['outputs: u32', volume(output)]);
  return { name: 't', type: 'i32', array: gpu.table(Int32Array.from(values)), params };
}

/** For every input position the first window that may cover it and the one behind the last. */
function coverTables(gpu: GpuContext, { input, lists }: Windows): Table {
  const values: number[] = [];
  const params: Params = [];
  lists.forEach((list, d) => {
    const first = new Array<number>(input[d]).fill(list.start.length);
    const behind = new Array<number>(input[d]).fill(0);
    list.start.forEach((start, o) => {
      for (let i = start; i < list.end[o]; i += list.step) {
        first[i] = Math.min(first[i], o);
        behind[i] = Math.max(behind[i], o + 1);
      }
    });
    params.push([`first${d}: u32`, values.length], [`behind${d}: u32`, values.length + input[d]]);
    values.push(...first, ...behind);
  });
  return { name: 'c', type: 'i32', array: gpu.table(Int32Array.from(values)), params };
}

const outputShape = (x: NDArray, windows: Windows): number[] => [
  x.shape[0],
  x.shape[1],
  ...lastOf(windows.output, x.shape.length - 2),
];
const inputShape = (g: NDArray, windows: Windows): number[] => [
  g.shape[0],
  g.shape[1],
  ...lastOf(windows.input, g.shape.length - 2),
];

/** Channels of all images: each is pooled alone. */
const planesOf = (x: NDArray): number => x.shape[0] * x.shape[1];

/** Loops over the input positions of the window of output `i`, after `first`; `at` is the position in the channel. */
const overWindow = (visit: string, first = ''): string => `
let plane = i / P.outputs;
let o2 = i % P.out2;
let o1 = (i / P.out2) % P.out1;
let o0 = (i / P.out2 / P.out1) % P.out0;
${first}
for (var i0 = u32(t[P.start0 + o0]); i0 < u32(t[P.end0 + o0]); i0 += P.step0) {
for (var i1 = u32(t[P.start1 + o1]); i1 < u32(t[P.end1 + o1]); i1 += P.step1) {
for (var i2 = u32(t[P.start2 + o2]); i2 < u32(t[P.end2 + o2]); i2 += P.step2) {
let at = (i0 * P.in1 + i1) * P.in2 + i2;
${visit}
} } }`;

/** Loops over the windows that may cover input `i`; `at` is the flat number of the output, `here` the input's. */
const overCover = (visit: string): string => `
let plane = i / P.inputs;
let here = i % P.inputs;
let i2 = i % P.in2;
let i1 = (i / P.in2) % P.in1;
let i0 = (i / P.in2 / P.in1) % P.in0;
for (var o0 = u32(c[P.first0 + i0]); o0 < u32(c[P.behind0 + i0]); o0++) {
for (var o1 = u32(c[P.first1 + i1]); o1 < u32(c[P.behind1 + i1]); o1++) {
for (var o2 = u32(c[P.first2 + i2]); o2 < u32(c[P.behind2 + i2]); o2++) {
let at = plane * P.outputs + (o0 * P.out1 + o1) * P.out2 + o2;
${visit}
} } }`;

/** What averages divide by, one list per dimension. */
function divisors(gpu: GpuContext, { lists }: Windows): Table {
  const values: number[] = [];
  const params = lists.map((list, d): [string, number] => {
    const at = values.length;
    values.push(...list.divisor);
    return [`div${d}: u32`, at];
  });
  return { name: 'd', type: 'f32', array: gpu.table(Float32Array.from(values)), params };
}

const divisor = 'd[P.div0 + o0] * d[P.div1 + o1] * d[P.div2 + o2]';

/** Channels of all images, which a kernel reads. */
interface Planes {
  readonly name: string;
  readonly array: NDArray;
}

/** The element of each of these planes, by their names, at a place among those of all channels. */
type Read = (name: string, place: string) => string;

/** A thread for every element of the first result: `body` stores into it and the others, by name, at `P.${name}_at + i`. */
function overPlanes(
  gpu: GpuContext,
  op: string,
  planes: readonly Planes[],
  results: readonly Planes[],
  tables: readonly Table[],
  body: (read: Read) => string,
): void {
  const all = [...planes, ...results];
  const arrays = all.map(({ array }) => array);
  const lanes = arrays.map((array) => laneOf(array.dtype, op));
  const { array: out } = results[0];
  if (out.size === 0) return;
  overRows(gpu, op, planesOf(out), arrays, (parts) => {
    const sources = planes.map(({ name }, i) => gpu.source(name, parts[i], TAKEN_IN));
    const written = parts.slice(planes.length);
    gpu.run({
      key: `${op} ${all.map(({ name }, i) => name + lanes[i])}${sources.map((source) => source.key).join('')}`,
      bindings: [
        ...tables,
        ...sources.flatMap((source) => source.bindings),
        ...results.map(({ name }, i) => ({
          name,
          type: wgslType[lanes[planes.length + i]],
          array: written[i],
          writes: true,
        })),
      ],
      params: [
        ...tables.flatMap(({ params }) => params),
        ...all.map(({ name }, i): [string, number] => [`${name}_at: u32`, parts[i].offset]),
        ...sources.flatMap((source) => source.params),
      ],
      threads: written[0].size,
      workgroup: 64,
      declarations: () => sources.map((source) => source.declarations()).join('\n'),
      body: () =>
        body((name, place) =>
          sources[planes.findIndex((x) => x.name === name)].at(`P.${name}_at + ${place}`),
        ),
    });
  });
}

export function maxPool(
  gpu: GpuContext,
  input: NDArray,
  windows: Windows,
): { values: NDArray; indices: NDArray } {
  const lane = laneOf(input.dtype, 'maxPool');
  const x = gpu.contiguous(input);
  const shape = outputShape(x, windows);
  const values = gpu.empty(shape, x.dtype);
  const indices = gpu.empty(shape, 'int64');
  const [least, better] = {
    f32: ['-f_inf()', 'v > best || isNan(v)'],
    i32: ['bitcast<i32>(P.least)', 'v > best'],
    i64: ['vec2<u32>(0u, 0x80000000u)', 'i64_lt(best, v)'],
  }[lane];
  const results = [
    { name: 'y', array: values },
    { name: 'places', array: indices },
  ];
  const body = (read: Read) => `
var best = ${least};
${overWindow(
  `
let v = ${read('x', 'plane * P.inputs + at')};
if (${better}) { best = v; place = at; }`,
  'var place = (u32(t[P.start0 + o0]) * P.in1 + u32(t[P.start1 + o1])) * P.in2 + u32(t[P.start2 + o2]);',
)}
y[P.y_at + i] = best;
places[P.places_at + i] = vec2<u32>(place, 0u);`;
  const table = windowTables(gpu, windows);
  if (lane === 'i32') table.params.push(['least: u32', Number(integerLimits(x.dtype)[0]) >>> 0]);
  overPlanes(gpu, 'maxPool', [{ name: 'x', array: x }], results, [table], body);
  return { values, indices };
}

export function maxPoolGrad(gpu: GpuContext, grad: NDArray, places: NDArray, windows: Windows): NDArray {
  const g = gpu.contiguous(grad);
  const out = gpu.empty(inputShape(g, windows), g.dtype);
  const planes = [
    { name: 'g', array: g },
    { name: 'places', array: gpu.contiguous(places) },
  ];
  const tables = [windowTables(gpu, windows), coverTables(gpu, windows)];
  const body = (read: Read) => `
var sum = 0.0;
${overCover(`if (${read('places', 'at')}.x == here) { sum += ${read('g', 'at')}; }`)}
y[P.y_at + i] = sum;`;
  overPlanes(gpu, 'maxPool', planes, [{ name: 'y', array: out }], tables, body);
  return out;
}

export function avgPool(gpu: GpuContext, input: NDArray, windows: Windows): NDArray {
  const x = gpu.contiguous(input);
  const out = gpu.empty(outputShape(x, windows), x.dtype);
  const tables = [windowTables(gpu, windows), divisors(gpu, windows)];
  const body = (read: Read) => {
    const element = read('x', 'plane * P.inputs + at');
    if (x.dtype !== 'int64') {
      return `
var sum = 0.0;
${overWindow(`sum += ${element};`)}
y[P.y_at + i] = sum / (${divisor});`;
    }
    return `
var sum = vec2<u32>();
${overWindow(`sum = i64_add(sum, ${element});`)}
y[P.y_at + i] = i64_div(sum, i64_of(i32(${divisor})));`;
  };
  overPlanes(gpu, 'avgPool', [{ name: 'x', array: x }], [{ name: 'y', array: out }], tables, body);
  return out;
}

export function avgPoolGrad(gpu: GpuContext, grad: NDArray, windows: Windows): NDArray {
  const g = gpu.contiguous(grad);
  const out = gpu.empty(inputShape(g, windows), g.dtype);
  const tables = [windowTables(gpu, windows), coverTables(gpu, windows), divisors(gpu, windows)];
  const inside = [0, 1, 2]
    .map(
      (d) =>
        `i${d} >= u32(t[P.start${d} + o${d}]) && i${d} < u32(t[P.end${d} + o${d}]) && (i${d} - u32(t[P.start${d} + o${d}])) % P.step${d} == 0u`,
    )
    .join(' && ');
  const body = (read: Read) => `
var sum = 0.0;
${overCover(`if (${inside}) { sum += ${read('g', 'at')} / (${divisor}); }`)}
y[P.y_at + i] = sum;`;
  overPlanes(gpu, 'avgPool', [{ name: 'g', array: g }], [{ name: 'y', array: out }], tables, body);
  return out;
}
