/**
 * Sorting along one dimension: on a short axis each element counts those that come before it, long axes go through a bitonic
 * network. Positions break ties, so both are stable.
 */
import type { NDArray } from '../array.ts';
import type { Call, GpuContext } from './context.ts';
import { type Lane, laneOf, wgslType, wordsOf } from './elementTypes.ts';
import { fibres } from './fibres.ts';
import { split } from './foldKernels.ts';
import { equalText, lessText } from './formulas.ts';
import { type Loop, placesText } from './loops.ts';
import { inHalves, tooLarge } from './slices.ts';

const WORKGROUP = 64;
/** Axes up to this are sorted by counting. */
const SHORT_SORT = 1024;
/**
 * Elements of longer ones that a workgroup sorts in its memory, 12 kB of whole numbers, and its threads: processors that imitate a
 * GPU need the longer for a barrier, the more there are.
 */
const BLOCK = 1024;
const BLOCK_THREADS = 64;

/** WGSL for "a, at place ja, comes before b, at place jb". */
const before = (lane: Lane, descending: boolean, a: string, b: string, ja: string, jb: string): string => {
  const less = descending ? lessText(lane, b, a) : lessText(lane, a, b);
  return `(${less} || (${equalText(lane, a, b)} && ${ja} < ${jb}))`;
};

export function sort(
  gpu: GpuContext,
  input: NDArray,
  dim: number,
  descending: boolean,
): { values: NDArray; indices: NDArray } {
  const lane = laneOf(input.dtype, 'sort');
  const type = wgslType[lane];
  const values = gpu.empty(input.shape, input.dtype);
  const indices = gpu.empty(input.shape, 'int64');
  if (input.size === 0) return { values, indices };
  const x = gpu.bindable(input);
  const axis = input.shape[dim] ?? 1;
  const padded = axis > SHORT_SORT ? 2 ** Math.ceil(Math.log2(axis)) : axis;
  if (
    x === null ||
    !gpu.fits(indices) ||
    (input.size / axis) * padded * wordsOf(input.dtype) * 4 > gpu.mostBound
  ) {
    sortHalves(gpu, input, dim, descending, { values, indices });
    return { values, indices };
  }
  const { loop, count, length, params } = fibres(x, dim);
  if (length > SHORT_SORT) {
    bitonic(gpu, { x, values, indices, descending, loop, count, length, params, lane });
    return { values, indices };
  }
  gpu.run({
    key: `sort ${x.dtype} ${descending} ${loop.key}`,
    bindings: [
      { name: 'x', type, array: x },
      { name: 'values', type, array: values, writes: true },
      { name: 'places', type: 'vec2<u32>', array: indices, writes: true },
    ],
    params,
    threads: count * length,
    workgroup: WORKGROUP,
    body: () => `
let fibre = i / P.length;
let j = i % P.length;
${placesText(loop, 'fibre')}
let mine = x[x_i + j * P.x_step];
var rank = 0u;
for (var k = 0u; k < P.length; k++) {
  let other = x[x_i + k * P.x_step];
  if (${before(lane, descending, 'other', 'mine', 'k', 'j')}) { rank++; }
}
values[y_i + rank * P.y_step] = mine;
places[y_i + rank * P.y_step] = vec2<u32>(j, 0u);`,
  });
  return { values, indices };
}

/** Along another dimension. @throws DeviceError where there is none */
function sortHalves(
  gpu: GpuContext,
  x: NDArray,
  dim: number,
  descending: boolean,
  { values, indices }: { readonly values: NDArray; readonly indices: NDArray },
): void {
  const others = x.shape.map((_, d) => d).filter((d) => d !== dim && x.shape[d] > 1);
  if (others.length === 0) throw tooLarge('sort', x.size * wordsOf(x.dtype) * 4, gpu.mostBound);
  const d = others.reduce((a, b) => (x.strides[b] > x.strides[a] ? b : a));
  inHalves(
    [
      [x, d],
      [values, d],
      [indices, d],
    ],
    ([half, toValues, toIndices]) => {
      const part = sort(gpu, half, dim, descending);
      gpu.assign(toValues, part.values);
      gpu.assign(toIndices, part.indices);
      part.values.release();
      part.indices.release();
    },
  );
}

interface Sorting {
  readonly x: NDArray;
  readonly values: NDArray;
  readonly indices: NDArray;
  readonly descending: boolean;
  readonly loop: Loop;
  readonly count: number;
  readonly length: number;
  readonly params: Call['params'];
  readonly lane: Lane;
}

/** WGSL for whether a, from place ja, comes before b, from jb. Padding, at places from length on, comes last. */
const inOrder = ({ lane, descending }: Sorting): string =>
  `select(ja < P.length && (jb >= P.length || ${before(lane, descending, 'a', 'b', 'ja', 'jb')}), (ja < jb), min(ja, jb) >= P.length)`;

/**
 * The steps of runs from `first` to `last` that stay within blocks, each of which is brought to its workgroup's memory for all
 * of them. Runs alternate in direction; positions inside a fibre start at a multiple of every run.
 */
function sortBlocks(
  gpu: GpuContext,
  s: Sorting,
  keys: NDArray,
  places: NDArray,
  first: number,
  last: number,
): void {
  const type = wgslType[s.lane];
  const blocks = keys.size / BLOCK;
  gpu.run({
    key: `bitonic block ${keys.dtype} ${s.descending}`,
    bindings: [
      { name: 'keys', type, array: keys, writes: true },
      { name: 'places', type: 'i32', array: places, writes: true },
    ],
    params: [
      ['first: u32', first],
      ['last: u32', last],
      ['length: u32', s.length],
      ['blocks: u32', blocks],
    ],
    threads: 0,
    workgroup: BLOCK_THREADS,
    groups: split(blocks, gpu.maxGroups),
    declarations: () => `
var<workgroup> block_keys: array<${type}, ${BLOCK}>;
var<workgroup> block_places: array<u32, ${BLOCK}>;`,
    body: () => `
let block = wid.y * groups.x + wid.x;
if (block >= P.blocks) { return; }
let base = block * ${BLOCK}u;
for (var k = lid; k < ${BLOCK}u; k += ${BLOCK_THREADS}u) {
  block_keys[k] = keys[base + k];
  block_places[k] = u32(places[base + k]);
}
for (var run = P.first; run <= P.last; run *= 2u) {
  for (var gap = min(run / 2u, ${BLOCK / 2}u); gap > 0u; gap /= 2u) {
    workgroupBarrier();
    for (var k = lid; k < ${BLOCK / 2}u; k += ${BLOCK_THREADS}u) {
      let low = 2u * k - (k & (gap - 1u));
      let high = low + gap;
      let a = block_keys[low];
      let b = block_keys[high];
      let ja = block_places[low];
      let jb = block_places[high];
      if (${inOrder(s)} != (((base + low) & run) == 0u)) {
        block_keys[low] = b;
        block_keys[high] = a;
        block_places[low] = jb;
        block_places[high] = ja;
      }
    }
  }
}
workgroupBarrier();
for (var k = lid; k < ${BLOCK}u; k += ${BLOCK_THREADS}u) {
  keys[base + k] = block_keys[k];
  places[base + k] = i32(block_places[k]);
}`,
  });
}

function bitonic(gpu: GpuContext, s: Sorting): void {
  const { x, count, length, lane, loop } = s;
  const type = wgslType[lane];
  const padded = 2 ** Math.ceil(Math.log2(length));
  const keys = gpu.empty([count, padded], x.dtype);
  const places = gpu.empty([count, padded], 'int32');
  const scratch = [
    { name: 'keys', type, array: keys, writes: true },
    { name: 'places', type: 'i32', array: places, writes: true },
  ];
  gpu.run({
    key: `bitonic load ${x.dtype} ${loop.key}`,
    bindings: [{ name: 'x', type, array: x }, ...scratch],
    params: [...s.params, ['padded: u32', padded]],
    threads: count * padded,
    workgroup: WORKGROUP,
    body: () => `
let fibre = i / P.padded;
let j = i % P.padded;
${placesText(loop, 'fibre')}
keys[i] = x[x_i + min(j, P.length - 1u) * P.x_step];
places[i] = i32(j);`,
  });
  const inBlocks = (first: number, last: number): void => sortBlocks(gpu, s, keys, places, first, last);
  inBlocks(2, BLOCK);
  for (let run = 2 * BLOCK; run <= padded; run *= 2) {
    for (let gap = run / 2; gap >= BLOCK; gap /= 2) {
      gpu.run({
        key: `bitonic step ${x.dtype} ${s.descending}`,
        bindings: scratch,
        params: [
          ['run: u32', run],
          ['gap: u32', gap],
          ['length: u32', length],
        ],
        threads: (count * padded) / 2,
        workgroup: WORKGROUP,
        body: () => `
let low = (i / P.gap) * 2u * P.gap + i % P.gap;
let high = low + P.gap;
let a = keys[low];
let b = keys[high];
let ja = u32(places[low]);
let jb = u32(places[high]);
if (${inOrder(s)} != ((low & P.run) == 0u)) {
  keys[low] = b;
  keys[high] = a;
  places[low] = i32(jb);
  places[high] = i32(ja);
}`,
      });
    }
    inBlocks(run, run);
  }
  // The last run of a fibre with an odd number is in the other direction.
  gpu.run({
    key: `bitonic store ${x.dtype} ${loop.key}`,
    bindings: [
      { name: 'keys', type, array: keys },
      { name: 'places', type: 'i32', array: places },
      { name: 'values', type, array: s.values, writes: true },
      { name: 'order', type: 'vec2<u32>', array: s.indices, writes: true },
    ],
    params: [...s.params, ['padded: u32', padded]],
    threads: count * length,
    workgroup: WORKGROUP,
    body: () => `
let fibre = i / P.length;
let j = i % P.length;
${placesText(loop, 'fibre')}
let place = fibre * P.padded + select(j, P.padded - 1u - j, (fibre & 1u) != 0u);
values[y_i + j * P.y_step] = keys[place];
order[y_i + j * P.y_step] = vec2<u32>(u32(places[place]), 0u);`,
  });
  keys.release();
  places.release();
}
