/**
 * Running folds and sorting along one dimension. Long axes are scanned in chunks: each chunk alone, then the chunks'
 * totals, then each chunk again from its start. Sorting counts, for each element of a short axis, those that come before
 * it; long axes go through a bitonic network. Positions break ties, so both are stable.
 */
import { contiguousStrides, numElements } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { Call, GpuContext } from './context.ts';
import { type Lane, laneOf, numberWords, wgslType, wordsOf } from './elementTypes.ts';
import { equalText, foldFormulas, lessText } from './formulas.ts';
import { type Loop, loopBy, placesText } from './loops.ts';
import { inHalves, narrowed, outermost, tooLarge } from './slices.ts';

const WORKGROUP = 64;
/** Axes up to this, or with enough neighbours, are scanned by one thread each. */
const SHORT_SCAN = 256;
const ENOUGH_FIBRES = 4096;
/** Axes up to this are sorted by counting. */
const SHORT_SORT = 1024;

/** The elements across dim, and the step along it, of x and of a row-major result. */
function fibres(
  x: NDArray,
  dim: number,
): { loop: Loop; count: number; length: number; params: Call['params'] } {
  const ndim = x.shape.length;
  const others = x.shape.map((_, d) => d).filter((d) => ndim > 0 && d !== dim);
  const strides = contiguousStrides(x.shape);
  const pick = (list: readonly number[]) => others.map((d) => list[d]);
  const loop = loopBy(pick(x.shape), [
    { name: 'x', offset: x.offset, strides: pick(x.strides) },
    { name: 'y', offset: 0, strides: pick(strides) },
  ]);
  const length = x.shape[dim] ?? 1;
  return {
    loop,
    count: numElements(pick(x.shape)),
    length,
    params: [
      ...loop.params,
      ['length: u32', length],
      ['x_step: u32', x.strides[dim] ?? 0],
      ['y_step: u32', strides[dim] ?? 0],
    ],
  };
}

interface Scan {
  readonly key: string;
  readonly state: readonly { name: string; type: string; dtype: NDArray['dtype']; initial: string }[];
  /** Statements that take `x`, at position `j`, into the state. */
  readonly step: string;
  /** Statements that take a later state, `other_${name}`, into the state. */
  readonly join: string;
  readonly params: Call['params'];
  readonly outputs: readonly { name: string; array: NDArray; value: string }[];
}

function runScan(gpu: GpuContext, scan: Scan, x: NDArray, dim: number): void {
  if (x.size === 0) return;
  const { loop, count, length, params } = fibres(x, dim);
  const xType = wgslType[laneOf(x.dtype, scan.key)];
  const alone = length <= SHORT_SCAN || count >= ENOUGH_FIBRES;
  const chunk = alone ? length : Math.ceil(Math.sqrt(length));
  const chunks = Math.ceil(length / chunk);
  const totals = alone ? [] : scan.state.map((s) => gpu.empty([count, chunks], s.dtype));
  const declared = scan.state.map((s) => `var ${s.name}: ${s.type} = ${s.initial};`).join('\n');
  const common: Call['params'] = [...params, ['chunk: u32', chunk], ['chunks: u32', chunks], ...scan.params];
  const source = { name: 'x_', type: xType, array: x };
  const totalBindings = (writes: boolean) =>
    totals.map((array, s) => ({ name: `total_${s}`, type: scan.state[s].type, array, writes }));
  const each = `for (var j = begin; j < end; j++) {\nlet x = x_[x_i + j * P.x_step];\n${scan.step}`;
  const head = `
let fibre = i / P.chunks;
let begin = (i % P.chunks) * P.chunk;
let end = min(begin + P.chunk, P.length);
${placesText(loop, 'fibre')}
${declared}`;
  if (!alone) {
    gpu.run({
      key: `${scan.key} totals ${loop.key}`,
      bindings: [source, ...totalBindings(true)],
      params: common,
      threads: count * chunks,
      workgroup: WORKGROUP,
      body: () => `${head}\n${each}\n}\n${scan.state.map((s, n) => `total_${n}[i] = ${s.name};`).join('\n')}`,
    });
    gpu.run({
      key: `${scan.key} starts`,
      bindings: totalBindings(true),
      params: [['chunks: u32', chunks], ...scan.params],
      threads: count,
      workgroup: WORKGROUP,
      body: () => `
${declared}
for (var c = 0u; c < P.chunks; c++) {
  let at = i * P.chunks + c;
  ${scan.state.map((s, n) => `let other_${s.name} = total_${n}[at];\ntotal_${n}[at] = ${s.name};`).join('\n')}
  ${scan.join}
}`,
    });
  }
  gpu.run({
    key: `${scan.key} ${alone} ${loop.key}`,
    bindings: [
      source,
      ...totalBindings(false),
      ...scan.outputs.map(({ name, array }) => ({
        name,
        array,
        type: wgslType[laneOf(array.dtype, scan.key)],
        writes: true,
      })),
    ],
    params: common,
    threads: count * chunks,
    workgroup: WORKGROUP,
    body: () => `${head}
${alone ? '' : scan.state.map((s, n) => `${s.name} = total_${n}[i];`).join('\n')}
${each}
${scan.outputs.map((o) => `${o.name}[y_i + j * P.y_step] = ${o.value};`).join('\n')}
}`,
  });
  for (const total of totals) total.release();
}

export function scan(gpu: GpuContext, kind: 'sum' | 'prod', input: NDArray, dim: number): NDArray {
  const lane = laneOf(input.dtype, 'scan');
  const out = gpu.empty(input.shape, input.dtype);
  const row = kind === 'sum' ? { name: 'sum', wgsl: 'acc + x' } : { name: 'prod', wgsl: 'acc * x' };
  const { step } = foldFormulas(row, input.dtype);
  const x = gpu.bindable(input);
  if (x === null || !gpu.fits(out)) {
    const d = outermost(input);
    inHalves(
      [
        [input, d],
        [out, d],
      ],
      ([half, to], i) => {
        const part = scan(gpu, kind, half, dim);
        if (d !== dim || i === 0) gpu.assign(to, part);
        else {
          const carried = narrowed(out, dim, Math.ceil(input.shape[dim] / 2) - 1, 1);
          const formula = {
            name: kind,
            text: step,
            names: ['acc', 'x'],
            lane: input.dtype,
            predicate: false,
          };
          gpu.elementwise(to, [carried, part], formula);
          carried.release();
        }
        part.release();
      },
    );
    return out;
  }
  const words = numberWords(kind === 'sum' ? 0 : 1, lane);
  const type = wgslType[lane];
  const initial =
    lane === 'i64'
      ? 'vec2<u32>(P.start, 0u)'
      : lane === 'i32'
        ? 'bitcast<i32>(P.start)'
        : 'bitcast<f32>(P.start)';
  runScan(
    gpu,
    {
      key: `scan ${kind} ${x.dtype}`,
      state: [{ name: 'acc', type, dtype: x.dtype, initial }],
      step: `acc = ${step};`,
      join: `let x = other_acc;\nacc = ${step};`,
      params: [['start: u32', words[0]]],
      outputs: [{ name: 'y', array: out, value: 'acc' }],
    },
    x,
    dim,
  );
  return out;
}

export function scanExtreme(
  gpu: GpuContext,
  kind: 'max' | 'min',
  input: NDArray,
  dim: number,
): { values: NDArray; indices: NDArray } {
  const lane = laneOf(input.dtype, 'scan');
  const type = wgslType[lane];
  const values = gpu.empty(input.shape, input.dtype);
  const indices = gpu.empty(input.shape, 'int64');
  // The later of equal ones wins; nothing replaces a NaN but another.
  const wins = (v: string): string => {
    if (lane === 'i64') return kind === 'max' ? `!i64_lt(${v}, best)` : `!i64_lt(best, ${v})`;
    const keeps = kind === 'max' ? `${v} >= best` : `${v} <= best`;
    return lane === 'i32' ? keeps : `isNan(${v}) || (!isNan(best) && ${keeps})`;
  };
  const x = gpu.bindable(input);
  if (x === null || !gpu.fits(values) || !gpu.fits(indices)) {
    scanExtremeHalves(gpu, kind, input, dim, { values, indices }, wins('x'));
    return { values, indices };
  }
  runScan(
    gpu,
    {
      key: `scanExtreme ${kind} ${x.dtype}`,
      state: [
        { name: 'best', type, dtype: x.dtype, initial: `${type}()` },
        { name: 'place', type: 'i32', dtype: 'int32', initial: '-1' },
      ],
      step: `if (place < 0 || (${wins('x')})) { best = x; place = i32(j); }`,
      join: `if (other_place >= 0 && (place < 0 || (${wins('other_best')}))) { best = other_best; place = other_place; }`,
      params: [],
      outputs: [
        { name: 'y_best', array: values, value: 'best' },
        { name: 'y_place', array: indices, value: 'vec2<u32>(u32(place), 0u)' },
      ],
    },
    x,
    dim,
  );
  return { values, indices };
}

/** `wins`: WGSL over `x` and `best`. */
function scanExtremeHalves(
  gpu: GpuContext,
  kind: 'max' | 'min',
  x: NDArray,
  dim: number,
  { values, indices }: { readonly values: NDArray; readonly indices: NDArray },
  wins: string,
): void {
  const d = outermost(x);
  const start = Math.ceil(x.shape[d] / 2);
  inHalves(
    [
      [x, d],
      [values, d],
      [indices, d],
    ],
    ([half, toValues, toIndices], i) => {
      const part = scanExtreme(gpu, kind, half, dim);
      if (d !== dim || i === 0) {
        gpu.assign(toValues, part.values);
        gpu.assign(toIndices, part.indices);
      } else {
        const best = narrowed(values, dim, start - 1, 1);
        const place = narrowed(indices, dim, start - 1, 1);
        const formula = { name: kind, predicate: false };
        gpu.elementwise(
          toIndices,
          [best, part.values, place, part.indices, { value: start, dtype: 'int64' }],
          {
            ...formula,
            names: ['best', 'x', 'i', 'j', 'start'],
            text: `select(i, i64_add(j, start), ${wins})`,
            lane: 'int64',
          },
        );
        gpu.elementwise(toValues, [best, part.values], {
          ...formula,
          names: ['best', 'x'],
          text: `select(best, x, ${wins})`,
          lane: x.dtype,
        });
        best.release();
        place.release();
      }
      part.values.release();
      part.indices.release();
    },
  );
}

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
  for (let run = 2; run <= padded; run *= 2) {
    for (let gap = run / 2; gap > 0; gap /= 2) {
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
        // Padding, at places from length on, sorts last.
        body: () => `
let low = (i / P.gap) * 2u * P.gap + i % P.gap;
let high = low + P.gap;
let a = keys[low];
let b = keys[high];
let ja = u32(places[low]);
let jb = u32(places[high]);
let padded_a = ja >= P.length;
let padded_b = jb >= P.length;
let ordered = select(!padded_a && (padded_b || ${before(lane, s.descending, 'a', 'b', 'ja', 'jb')}), ja < jb, padded_a && padded_b);
// Runs alternate in direction; positions inside a fibre start at a multiple of every run.
let up = (low & P.run) == 0u;
if (ordered != up) {
  keys[low] = b;
  keys[high] = a;
  places[low] = i32(jb);
  places[high] = i32(ja);
}`,
      });
    }
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
