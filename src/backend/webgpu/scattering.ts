/**
 * Scattering. Several sources for one place are taken in order: the first of them walks a list of the others, so sums are
 * the same bits every time, without atomics.
 */
import { contiguousStrides, expandStrides, numElements } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { Placement } from '../backend.ts';
import type { GpuContext } from './context.ts';
import { laneOf, narrow } from './elementTypes.ts';
import { binaryFormula } from './formulas.ts';
import { across, inIndexedHalves, onlyAt, typeOf, without } from './indexing.ts';
import { loopBy, placesText } from './loops.ts';
import { sort } from './sort.ts';

const WORKGROUP = 64;
/** Up to so many indices, each looks at all others to find the next equal one; beyond, they are sorted. */
const SHORT_LIST = 1024;

/**
 * For every index along dim the next equal one, as 1 + its position or 0, with the top bit set where an equal one comes
 * before. Row-major in the index's shape.
 */
function links(gpu: GpuContext, index: NDArray, dim: number, size: number): NDArray {
  const out = gpu.empty(index.shape, 'int32');
  const length = index.shape[dim] ?? 1;
  const strides = contiguousStrides(index.shape);
  const step = strides[dim] ?? 1;
  if (length > SHORT_LIST) return sortedLinks(gpu, index, dim, size, out, step);
  const loop = loopBy(index.shape, [
    { name: 'pick', offset: index.offset, strides: without(index.strides, dim) },
  ]);
  gpu.run({
    key: `links ${loop.key}`,
    bindings: [
      { name: 'picks', type: 'vec2<u32>', array: index },
      { name: 'out', type: 'i32', array: out, writes: true },
    ],
    params: [
      ...loop.params,
      ['size: u32', size],
      ['length: u32', length],
      ['step: u32', step],
      ['pick_step: u32', index.strides[dim] ?? 0],
    ],
    threads: out.size,
    workgroup: WORKGROUP,
    body: () => `${placesText(loop, 'i')}
let j = (i / P.step) % P.length;
let mine = wrap_index(picks[pick_i + j * P.pick_step], P.size);
var link = 0u;
for (var k = 0u; k < j; k++) {
  if (wrap_index(picks[pick_i + k * P.pick_step], P.size) == mine) { link = 0x80000000u; break; }
}
for (var k = j + 1u; k < P.length; k++) {
  if (wrap_index(picks[pick_i + k * P.pick_step], P.size) == mine) { link |= k + 1u; break; }
}
out[i] = bitcast<i32>(link);`,
  });
  return out;
}

function sortedLinks(
  gpu: GpuContext,
  index: NDArray,
  dim: number,
  size: number,
  out: NDArray,
  step: number,
): NDArray {
  const wrapped = gpu.empty(index.shape, 'int64');
  const read = loopBy(index.shape, [{ name: 'pick', offset: index.offset, strides: index.strides }]);
  gpu.run({
    key: `wrapped ${read.key}`,
    bindings: [
      { name: 'picks', type: 'vec2<u32>', array: index },
      { name: 'out', type: 'vec2<u32>', array: wrapped, writes: true },
    ],
    params: [...read.params, ['size: u32', size]],
    threads: wrapped.size,
    workgroup: WORKGROUP,
    body: () => `${placesText(read, 'i')}\nout[i] = vec2<u32>(wrap_index(picks[pick_i], P.size), 0u);`,
  });
  const { values, indices } = sort(gpu, wrapped, dim, false);
  gpu.run({
    key: 'links of sorted',
    bindings: [
      { name: 'keys', type: 'vec2<u32>', array: values },
      { name: 'order', type: 'vec2<u32>', array: indices },
      { name: 'out', type: 'i32', array: out, writes: true },
    ],
    params: [
      ['length: u32', index.shape[dim]],
      ['step: u32', step],
    ],
    threads: out.size,
    workgroup: WORKGROUP,
    body: () => `
let k = (i / P.step) % P.length;
let base = i - k * P.step;
let mine = keys[i].x;
var link = 0u;
if (k > 0u && keys[i - P.step].x == mine) { link = 0x80000000u; }
if (k + 1u < P.length && keys[i + P.step].x == mine) { link |= order[i + P.step].x + 1u; }
out[base + order[i].x * P.step] = bitcast<i32>(link);`,
  });
  for (const x of [wrapped, values, indices]) x.release();
  return out;
}

interface Placing {
  readonly key: string;
  readonly out: NDArray;
  /** Of the shape of the source, or of size 1 where it repeats. */
  readonly index: NDArray;
  readonly source: NDArray;
  readonly how: Placement;
  /** The dimension along which equal indices meet: only there out may be of another size. */
  readonly dim: number;
  /** The length of the dimension that negative indices count from. */
  readonly size: number;
  /** The place there of out's first element: others are not written. */
  readonly low: number;
}

const FOLDS = {
  add: { name: 'add', wgsl: 'a + b' },
  max: { name: 'maximum', wgsl: 'max(a, b)' },
  min: { name: 'minimum', wgsl: 'min(a, b)' },
};

/** Writes source, or folds it into what is there, where index says. */
function place(gpu: GpuContext, p: Placing): void {
  if (p.source.size === 0 || p.out.size === 0) return;
  const source = gpu.apart(p.source, p.out);
  const index = gpu.apart(p.index, p.out);
  gpu.changeInPlace(p.out);
  placeApart(gpu, { ...p, source, index });
}

/** Whole, or by halves of whatever cannot be bound, in the order of the sources. */
function placeApart(gpu: GpuContext, p: Placing): void {
  const { out, source, index, dim, how, low } = p;
  const bound = { out: gpu.part(out), source: gpu.bindable(source), index: gpu.bindable(index) };
  if (bound.out === null || bound.source === null || bound.index === null) {
    const large = bound.out === null ? out : bound.source === null ? source : index;
    inIndexedHalves(large, out, source, index, p, (half) =>
      placeApart(gpu, { ...p, out: half.picked, source: half.other, index: half.index, low: half.low }),
    );
    return;
  }
  const { shape } = source;
  const chain = links(gpu, bound.index, dim, p.size);
  const type = typeOf(out);
  const both = how === 'replace' ? 'b' : binaryFormula(FOLDS[how], out.dtype);
  const lane = laneOf(out.dtype, p.key);
  const linkStrides = expandStrides(chain.shape, chain.strides, shape);
  const loop = loopBy(shape, [
    { name: 'out', offset: bound.out.offset, strides: without(bound.out.strides, dim) },
    { name: 'source', offset: bound.source.offset, strides: without(bound.source.strides, dim) },
    {
      name: 'pick',
      offset: bound.index.offset,
      strides: expandStrides(bound.index.shape, bound.index.strides, shape),
    },
    { name: 'link', offset: 0, strides: linkStrides },
    // The number along dim.
    { name: 'j', offset: 0, strides: onlyAt(shape.length, dim, 1) },
    { name: 'chain', offset: 0, strides: without(linkStrides, dim) },
  ]);
  gpu.run({
    key: `place ${out.dtype} ${how} ${loop.key}`,
    bindings: [
      { name: 'source', type, array: bound.source },
      { name: 'picks', type: 'vec2<u32>', array: bound.index },
      { name: 'links', type: 'i32', array: chain },
      { name: 'out', type, array: bound.out, writes: true },
    ],
    params: [
      ...loop.params,
      ['size: u32', p.size],
      ['low: u32', low],
      ['count: u32', out.shape[dim] ?? 1],
      ['out_step: u32', bound.out.strides[dim] ?? 0],
      ['source_step: u32', bound.source.strides[dim] ?? 0],
      ['link_step: u32', linkStrides[dim] ?? 0],
    ],
    threads: numElements(shape),
    workgroup: WORKGROUP,
    declarations: () => `fn fold(a: ${type}, b: ${type}) -> ${type} { return ${both}; }`,
    body: () => `${placesText(loop, 'i')}
var link = bitcast<u32>(links[link_i]);
if ((link & 0x80000000u) != 0u) { return; }
let row = wrap_index(picks[pick_i], P.size) - P.low;
if (row >= P.count) { return; }
let at = out_i + row * P.out_step;
var value = fold(out[at], source[source_i + j_i * P.source_step]);
while ((link & 0x7fffffffu) != 0u) {
  let next = (link & 0x7fffffffu) - 1u;
  value = fold(value, source[source_i + next * P.source_step]);
  link = bitcast<u32>(links[chain_i + next * P.link_step]);
}
out[at] = ${lane === 'i32' ? narrow('value', out.dtype) : 'value'};`,
  });
  chain.release();
}

export function indexAdd(gpu: GpuContext, out: NDArray, dim: number, index: NDArray, source: NDArray): void {
  const picks = across(index, source.shape.length, dim);
  const size = out.shape[dim] ?? 1;
  place(gpu, { key: 'indexAdd', out, index: picks, source, how: 'add', dim, size, low: 0 });
  picks.release();
}

export function scatter(
  gpu: GpuContext,
  out: NDArray,
  dim: number,
  index: NDArray,
  source: NDArray,
  how: Placement,
): void {
  const { shape } = index;
  const from = source.view(shape, source.shape.length === 0 ? shape.map(() => 0) : source.strides);
  const like = shape.map((size, d) => (d === dim ? (out.shape[d] ?? 1) : size));
  const to = out.view(
    like,
    shape.map((_, d) => out.strides[d] ?? 0),
  );
  place(gpu, {
    key: 'scatter',
    out: to,
    index,
    source: from,
    how,
    dim,
    size: out.shape[dim] ?? 1,
    low: 0,
  });
  from.release();
  to.release();
}

export function put(
  gpu: GpuContext,
  out: NDArray,
  positions: NDArray,
  source: NDArray,
  accumulate: boolean,
): void {
  const from = gpu.contiguous(source);
  const index = gpu.contiguous(positions);
  const flat = [out, index, from].map((array) => array.view([array.size], [1]));
  const [to, picks, values] = flat;
  place(gpu, {
    key: 'put',
    out: to,
    index: picks,
    source: values,
    how: accumulate ? 'add' : 'replace',
    dim: 0,
    size: out.size,
    low: 0,
  });
  for (const view of flat) view.release();
}
