/**
 * Selection and scattering. Several sources for one place are taken in order: the first of them walks a list of the
 * others, so sums are the same bits every time, without atomics.
 */
import { contiguousStrides, numElements, type Shape } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { PixelScaling } from '../backend.ts';
import type { GpuContext } from './context.ts';
import { laneOf, narrow, wgslType } from './elementTypes.ts';
import { binaryFormula } from './formulas.ts';
import { loopBy, placesText } from './loops.ts';
import { sort } from './order.ts';

const WORKGROUP = 64;
/** Up to so many indices, each looks at all others to find the next equal one; beyond, they are sorted. */
const SHORT_LIST = 1024;

const typeOf = (x: NDArray): string => wgslType[laneOf(x.dtype, 'index')];
const without = (strides: readonly number[], dim: number): number[] =>
  strides.map((s, d) => (d === dim ? 0 : s));
const onlyAt = (ndim: number, dim: number, stride: number): number[] =>
  Array.from({ length: ndim }, (_, d) => (d === dim ? stride : 0));

export function indexSelect(gpu: GpuContext, x: NDArray, dim: number, index: NDArray): NDArray {
  const shape = x.shape.length === 0 ? [] : x.shape.map((s, d) => (d === dim ? index.size : s));
  const out = gpu.empty(shape, x.dtype);
  if (out.size === 0) return out;
  const loop = loopBy(shape, [
    { name: 'x', offset: x.offset, strides: without(x.strides, dim) },
    { name: 'pick', offset: index.offset, strides: onlyAt(shape.length, dim, index.strides[0] ?? 0) },
  ]);
  gpu.run({
    key: `indexSelect ${x.dtype} ${loop.key}`,
    bindings: [
      { name: 'x', type: typeOf(x), array: x },
      { name: 'picks', type: 'vec2<u32>', array: index },
      { name: 'out', type: typeOf(x), array: out, writes: true },
    ],
    params: [...loop.params, ['size: u32', x.shape[dim] ?? 1], ['step: u32', x.strides[dim] ?? 0]],
    threads: out.size,
    workgroup: WORKGROUP,
    body: () => `${placesText(loop, 'i')}\nout[i] = x[x_i + wrap_index(picks[pick_i], P.size) * P.step];`,
  });
  return out;
}

export function gather(gpu: GpuContext, x: NDArray, dim: number, index: NDArray): NDArray {
  const out = gpu.empty(index.shape, x.dtype);
  if (out.size === 0) return out;
  const loop = loopBy(index.shape, [
    { name: 'x', offset: x.offset, strides: index.shape.length === 0 ? [] : without(x.strides, dim) },
    { name: 'pick', offset: index.offset, strides: index.strides },
  ]);
  gpu.run({
    key: `gather ${x.dtype} ${loop.key}`,
    bindings: [
      { name: 'x', type: typeOf(x), array: x },
      { name: 'picks', type: 'vec2<u32>', array: index },
      { name: 'out', type: typeOf(x), array: out, writes: true },
    ],
    params: [...loop.params, ['size: u32', x.shape[dim] ?? 1], ['step: u32', x.strides[dim] ?? 0]],
    threads: out.size,
    workgroup: WORKGROUP,
    body: () => `${placesText(loop, 'i')}\nout[i] = x[x_i + wrap_index(picks[pick_i], P.size) * P.step];`,
  });
  return out;
}

export function take(gpu: GpuContext, source: NDArray, positions: NDArray): NDArray {
  const out = gpu.empty(positions.shape, source.dtype);
  if (out.size === 0) return out;
  const x = gpu.contiguous(source);
  const loop = loopBy(positions.shape, [
    { name: 'pick', offset: positions.offset, strides: positions.strides },
  ]);
  gpu.run({
    key: `take ${x.dtype} ${loop.key}`,
    bindings: [
      { name: 'x', type: typeOf(x), array: x },
      { name: 'picks', type: 'vec2<u32>', array: positions },
      { name: 'out', type: typeOf(x), array: out, writes: true },
    ],
    params: [...loop.params, ['x_at: u32', x.offset]],
    threads: out.size,
    workgroup: WORKGROUP,
    body: () => `${placesText(loop, 'i')}\nout[i] = x[P.x_at + picks[pick_i].x];`,
  });
  return out;
}

/** Each step rounded, as the CPU's: the division by its exact reciprocal would not be. */
export function gatherScaled(gpu: GpuContext, x: NDArray, index: NDArray, s: PixelScaling): NDArray {
  const row = numElements(x.shape.slice(1));
  const out = gpu.empty([index.size, ...x.shape.slice(1)], 'float32');
  if (out.size === 0) return out;
  const f = Math.fround;
  const values = Float32Array.from({ length: 256 }, (_, byte) =>
    f(f(f(byte / f(s.divisor)) - f(s.mean)) / f(s.std)),
  );
  gpu.run({
    key: 'gatherScaled',
    bindings: [
      { name: 'x', type: 'i32', array: x },
      { name: 'picks', type: 'vec2<u32>', array: index },
      { name: 'values', type: 'f32', array: gpu.table(values) },
      { name: 'out', type: 'f32', array: out, writes: true },
    ],
    params: [
      ['row: u32', row],
      ['size: u32', x.shape[0]],
      ['x_at: u32', x.offset],
      ['pick_at: u32', index.offset],
      ['pick_step: u32', index.strides[0] ?? 0],
    ],
    threads: out.size,
    workgroup: WORKGROUP,
    body: () => `
let source_row = wrap_index(picks[P.pick_at + (i / P.row) * P.pick_step], P.size);
out[i] = values[u32(x[P.x_at + source_row * P.row + i % P.row])];`,
  });
  return out;
}

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
  readonly index: NDArray;
  readonly source: NDArray;
  readonly accumulate: boolean;
  /** The walked shape, and the dimension of it along which equal indices meet. */
  readonly shape: Shape;
  readonly dim: number;
  readonly linkStrides: readonly number[];
  readonly pickStrides: readonly number[];
  readonly outStrides: readonly number[];
  readonly outStep: number;
  readonly size: number;
}

/** Writes or adds source where index says. */
function place(gpu: GpuContext, p: Placing): void {
  const { out, shape, dim, accumulate } = p;
  if (numElements(shape) === 0) return;
  const source = gpu.apart(p.source, out);
  const index = gpu.apart(p.index, out);
  const indexDim = index.shape.length === shape.length ? dim : 0;
  const chain = links(gpu, index, indexDim, p.size);
  const type = typeOf(out);
  const add = binaryFormula({ name: 'add', wgsl: 'a + b' }, out.dtype);
  const lane = laneOf(out.dtype, p.key);
  const loop = loopBy(shape, [
    { name: 'out', offset: out.offset, strides: p.outStrides },
    { name: 'source', offset: source.offset, strides: without(source.strides, dim) },
    { name: 'pick', offset: index.offset, strides: p.pickStrides },
    { name: 'link', offset: 0, strides: p.linkStrides },
    // The number along dim.
    { name: 'j', offset: 0, strides: onlyAt(shape.length, dim, 1) },
    { name: 'chain', offset: 0, strides: without(p.linkStrides, dim) },
  ]);
  gpu.run({
    key: `place ${out.dtype} ${accumulate} ${loop.key}`,
    bindings: [
      { name: 'source', type, array: source },
      { name: 'picks', type: 'vec2<u32>', array: index },
      { name: 'links', type: 'i32', array: chain },
      { name: 'out', type, array: out, writes: true },
    ],
    params: [
      ...loop.params,
      ['size: u32', p.size],
      ['out_step: u32', p.outStep],
      ['source_step: u32', source.strides[dim] ?? 0],
      ['link_step: u32', p.linkStrides[dim] ?? 0],
    ],
    threads: numElements(shape),
    workgroup: WORKGROUP,
    declarations: () => `fn plus(a: ${type}, b: ${type}) -> ${type} { return ${add}; }`,
    body: () => `${placesText(loop, 'i')}
var link = bitcast<u32>(links[link_i]);
if ((link & 0x80000000u) != 0u) { return; }
let at = out_i + wrap_index(picks[pick_i], P.size) * P.out_step;
var value = ${accumulate ? 'plus(out[at], source[source_i + j_i * P.source_step])' : 'source[source_i + j_i * P.source_step]'};
while ((link & 0x7fffffffu) != 0u) {
  let next = (link & 0x7fffffffu) - 1u;
  value = ${accumulate ? 'plus(value, source[source_i + next * P.source_step])' : 'source[source_i + next * P.source_step]'};
  link = bitcast<u32>(links[chain_i + next * P.link_step]);
}
out[at] = ${lane === 'i32' ? narrow('value', out.dtype) : 'value'};`,
  });
  chain.release();
}

export function indexAdd(gpu: GpuContext, out: NDArray, dim: number, index: NDArray, source: NDArray): void {
  const { shape } = source;
  place(gpu, {
    key: 'indexAdd',
    out,
    index: index.view([index.size], [index.strides[0] ?? 0]),
    source,
    accumulate: true,
    shape,
    dim,
    linkStrides: onlyAt(shape.length, dim, 1),
    pickStrides: onlyAt(shape.length, dim, index.strides[0] ?? 0),
    outStrides: without(out.strides, dim),
    outStep: out.strides[dim] ?? 0,
    size: out.shape[dim] ?? 1,
  });
}

export function scatter(
  gpu: GpuContext,
  out: NDArray,
  dim: number,
  index: NDArray,
  source: NDArray,
  accumulate: boolean,
): void {
  const { shape } = index;
  const links = contiguousStrides(shape);
  place(gpu, {
    key: 'scatter',
    out,
    index,
    source: source.view(shape, source.shape.length === 0 ? shape.map(() => 0) : source.strides),
    accumulate,
    shape,
    dim,
    linkStrides: links,
    pickStrides: index.strides,
    outStrides: shape.length === 0 ? [] : without(out.strides, dim),
    outStep: out.strides[dim] ?? 0,
    size: out.shape[dim] ?? 1,
  });
}

export function put(
  gpu: GpuContext,
  out: NDArray,
  positions: NDArray,
  source: NDArray,
  accumulate: boolean,
): void {
  const n = positions.size;
  const flat = gpu.contiguous(source);
  place(gpu, {
    key: 'put',
    out,
    index: positions.view([n], [positions.strides[0] ?? 1]),
    source: flat.view([n], [1]),
    accumulate,
    shape: [n],
    dim: 0,
    linkStrides: [1],
    pickStrides: [positions.strides[0] ?? 1],
    outStrides: [0],
    outStep: 1,
    size: out.size,
  });
}
