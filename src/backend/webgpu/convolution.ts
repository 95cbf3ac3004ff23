/** Convolutions as sums of products over windows that are read in place: no column matrix is ever written. */
import type { NDArray } from '../array.ts';
import { lastOf, type Sliding, volume } from '../windows.ts';
import type { GpuContext } from './context.ts';
import { laneOf, narrow, wgslType } from './elementTypes.ts';
import { like } from './folds.ts';
import { binaryFormula } from './formulas.ts';
import { TAKEN_IN } from './matmul.ts';
import { product } from './product.ts';
import { overRows } from './slices.ts';

type Params = [string, number][];

function geometryParams(g: Sliding): Params {
  const lists = Object.entries({
    in: g.input,
    out: g.output,
    ker: g.kernel,
    stride: g.stride,
    pad: g.padding,
    dil: g.dilation,
  });
  return lists.flatMap(([name, sizes]) => sizes.map((s, d): [string, number] => [`${name}${d}: u32`, s]));
}

/** Coordinates of `flat` in three sizes, as `${name}0` … `${name}2`. */
const coordinates = (name: string, flat: string, sizes: string): string => `
let ${name}2 = ${flat} % P.${sizes}2;
let ${name}1 = (${flat} / P.${sizes}2) % P.${sizes}1;
let ${name}0 = ${flat} / P.${sizes}2 / P.${sizes}1;`;

/** A WGSL function giving the place in a channel that tap `tap` of window `window` reads, or 0xffffffff outside. */
const inputPlace = `
fn input_place(window: u32, tap: u32) -> u32 {
  ${coordinates('o', 'window', 'out')}
  ${coordinates('t', 'tap', 'ker')}
  let p0 = o0 * P.stride0 + t0 * P.dil0 - P.pad0;
  let p1 = o1 * P.stride1 + t1 * P.dil1 - P.pad1;
  let p2 = o2 * P.stride2 + t2 * P.dil2 - P.pad2;
  // Negative positions wrap around to large ones.
  if (p0 >= P.in0 || p1 >= P.in1 || p2 >= P.in2) { return 0xffffffffu; }
  return (p0 * P.in1 + p1) * P.in2 + p2;
}`;

/** The reverse: the window whose tap `tap` reads place `at` of a channel, or 0xffffffff if there is none. */
const windowPlace = `
fn window_place(at: u32, tap: u32) -> u32 {
  ${coordinates('p', 'at', 'in')}
  ${coordinates('t', 'tap', 'ker')}
  let a0 = p0 + P.pad0 - t0 * P.dil0;
  let a1 = p1 + P.pad1 - t1 * P.dil1;
  let a2 = p2 + P.pad2 - t2 * P.dil2;
  let o0 = a0 / P.stride0;
  let o1 = a1 / P.stride1;
  let o2 = a2 / P.stride2;
  // Negative numbers wrap around to windows that do not exist.
  if (o0 >= P.out0 || o1 >= P.out1 || o2 >= P.out2) { return 0xffffffffu; }
  if (o0 * P.stride0 != a0 || o1 * P.stride1 != a1 || o2 * P.stride2 != a2) { return 0xffffffffu; }
  return (o0 * P.out1 + o1) * P.out2 + o2;
}`;

/** Uniforms that all three directions share; channels are those of one group. */
function shared(g: Sliding, ins: number, outs: number, groups: number): Params {
  return [
    ...geometryParams(g),
    ['inputs: u32', volume(g.input)],
    ['outputs: u32', volume(g.output)],
    ['taps: u32', volume(g.kernel)],
    ['ins: u32', ins / groups],
    ['outs: u32', outs / groups],
    ['groups: u32', groups],
  ];
}

const f32 = (name: string, array: NDArray) => ({ name, type: 'f32', array });

export function convolve(
  gpu: GpuContext,
  input: NDArray,
  kernel: NDArray,
  bias: NDArray | null,
  geometry: Sliding,
  groups: number,
): NDArray {
  laneOf(input.dtype, 'conv');
  const x = gpu.contiguous(input);
  const weight = gpu.contiguous(kernel);
  const [batch, ins] = x.shape;
  const outs = weight.shape[0];
  const out = gpu.empty([batch, outs, ...lastOf(geometry.output, x.shape.length - 2)], x.dtype);
  overRows(gpu, 'conv', batch, [x, out], ([images, results], count) =>
    convolveImages(gpu, images, weight, bias, results, { count, ins, outs, groups, geometry }),
  );
  return out;
}

/** Sizes of a convolution over `count` images. */
interface Extent {
  readonly count: number;
  readonly ins: number;
  readonly outs: number;
  readonly groups: number;
  readonly geometry: Sliding;
}

function convolveImages(
  gpu: GpuContext,
  x: NDArray,
  weight: NDArray,
  bias: NDArray | null,
  out: NDArray,
  { count, ins, outs, groups, geometry }: Extent,
): void {
  const sources = { x: gpu.source('x', x, TAKEN_IN), w: gpu.source('w', weight, TAKEN_IN) };
  product(gpu, {
    key: `convolve ${bias !== null}${sources.x.key}${sources.w.key}`,
    batches: groups,
    m: outs / groups,
    n: count * volume(geometry.output),
    k: (ins / groups) * volume(geometry.kernel),
    inputs: [...sources.x.bindings, ...sources.w.bindings],
    also: bias ? [f32('bias', bias)] : [],
    params: [
      ...sources.x.params,
      ...sources.w.params,
      ...shared(geometry, ins, outs, groups),
      ['x_at: u32', x.offset],
      ['w_at: u32', weight.offset],
      ['bias_at: u32', bias?.offset ?? 0],
      ['bias_step: u32', bias?.strides[0] ?? 0],
    ],
    loads: () => `${sources.x.declarations()}
${sources.w.declarations()}
${inputPlace}
fn load_a(b: u32, i: u32, l: u32) -> f32 {
  return ${sources.w.at('P.w_at + (b * P.outs + i) * P.k + l')};
}
fn load_b(b: u32, l: u32, j: u32) -> f32 {
  let place = input_place(j % P.outputs, l % P.taps);
  if (place == 0xffffffffu) { return 0.0; }
  let channel = (j / P.outputs) * P.ins * P.groups + b * P.ins + l / P.taps;
  return ${sources.x.at('P.x_at + channel * P.inputs + place')};
}`,
    workedOut: true,
    aAlongL: true,
    bAlongJ: true,
    out,
    place: 'P.out_at + ((j / P.outputs) * P.outs * P.groups + b * P.outs + i) * P.outputs + j % P.outputs',
    ...(bias ? { epilogue: 'v + bias[P.bias_at + (b * P.outs + i) * P.bias_step]' } : {}),
  });
}

export function convolveInput(
  gpu: GpuContext,
  grad: NDArray,
  kernel: NDArray,
  geometry: Sliding,
  groups: number,
): NDArray {
  laneOf(grad.dtype, 'conv');
  const g = gpu.contiguous(grad);
  const weight = gpu.contiguous(kernel);
  const [batch, outs] = g.shape;
  const ins = weight.shape[1] * groups;
  const out = gpu.empty([batch, ins, ...lastOf(geometry.input, g.shape.length - 2)], g.dtype);
  overRows(gpu, 'conv', batch, [g, out], ([grads, results], count) =>
    convolveInputImages(gpu, grads, weight, results, { count, ins, outs, groups, geometry }),
  );
  return out;
}

function convolveInputImages(
  gpu: GpuContext,
  g: NDArray,
  weight: NDArray,
  out: NDArray,
  { count, ins, outs, groups, geometry }: Extent,
): void {
  const sources = { g: gpu.source('g', g, TAKEN_IN), w: gpu.source('w', weight, TAKEN_IN) };
  product(gpu, {
    key: `convolveInput${sources.g.key}${sources.w.key}`,
    batches: groups,
    m: ins / groups,
    n: count * volume(geometry.input),
    k: (outs / groups) * volume(geometry.kernel),
    inputs: [...sources.g.bindings, ...sources.w.bindings],
    params: [
      ...sources.g.params,
      ...sources.w.params,
      ...shared(geometry, ins, outs, groups),
      ['g_at: u32', g.offset],
      ['w_at: u32', weight.offset],
    ],
    loads: () => `${sources.g.declarations()}
${sources.w.declarations()}
${windowPlace}
fn load_a(b: u32, i: u32, l: u32) -> f32 {
  return ${sources.w.at('P.w_at + ((b * P.outs + l / P.taps) * P.ins + i) * P.taps + l % P.taps')};
}
fn load_b(b: u32, l: u32, j: u32) -> f32 {
  let place = window_place(j % P.inputs, l % P.taps);
  if (place == 0xffffffffu) { return 0.0; }
  let channel = (j / P.inputs) * P.outs * P.groups + b * P.outs + l / P.taps;
  return ${sources.g.at('P.g_at + channel * P.outputs + place')};
}`,
    workedOut: true,
    aAlongL: true,
    bAlongJ: true,
    out,
    place: 'P.out_at + ((j / P.inputs) * P.ins * P.groups + b * P.ins + i) * P.inputs + j % P.inputs',
  });
}

export function convolveWeight(
  gpu: GpuContext,
  grad: NDArray,
  input: NDArray,
  geometry: Sliding,
  groups: number,
): NDArray {
  return weightGradient(gpu, grad, input, geometry, groups, false).product;
}

/** With the sum of each channel of `grad`: one more column of the product, by a column of ones. */
export function convolveWeightAndSums(
  gpu: GpuContext,
  grad: NDArray,
  input: NDArray,
  geometry: Sliding,
  groups: number,
): { product: NDArray; sums: NDArray } {
  const { product, sums } = weightGradient(gpu, grad, input, geometry, groups, true);
  return { product, sums: sums as NDArray };
}

function weightGradient(
  gpu: GpuContext,
  grad: NDArray,
  input: NDArray,
  geometry: Sliding,
  groups: number,
  summed: boolean,
): { product: NDArray; sums: NDArray | null } {
  laneOf(grad.dtype, 'conv');
  const g = gpu.contiguous(grad);
  const x = gpu.contiguous(input);
  const [batch, outs] = g.shape;
  const ins = x.shape[1];
  const products: NDArray[] = [];
  const sums: NDArray[] = [];
  overRows(gpu, 'conv', batch, [g, x], ([grads, images], count) => {
    const out = gpu.empty([outs, ins / groups, ...lastOf(geometry.kernel, g.shape.length - 2)], g.dtype);
    const sum = summed ? gpu.empty([outs], g.dtype) : null;
    convolveWeightImages(gpu, grads, images, out, sum, { count, ins, outs, groups, geometry });
    products.push(out);
    if (sum) sums.push(sum);
  });
  return { product: added(gpu, products), sums: summed ? added(gpu, sums) : null };
}

const added = (gpu: GpuContext, parts: readonly NDArray[]): NDArray =>
  parts.reduce((a, b) => {
    const total = like(gpu, a, 'a + b', { a, b });
    a.release();
    b.release();
    return total;
  });

function convolveWeightImages(
  gpu: GpuContext,
  g: NDArray,
  x: NDArray,
  out: NDArray,
  sums: NDArray | null,
  { count, ins, outs, groups, geometry }: Extent,
): void {
  const sources = { g: gpu.source('g', g, TAKEN_IN), x: gpu.source('x', x, TAKEN_IN) };
  product(gpu, {
    key: `convolveWeight${sums ? ' sums' : ''}${sources.g.key}${sources.x.key}`,
    batches: groups,
    m: outs / groups,
    n: (ins / groups) * volume(geometry.kernel) + (sums ? 1 : 0),
    k: count * volume(geometry.output),
    inputs: [...sources.g.bindings, ...sources.x.bindings],
    also: sums ? [{ ...f32('sums', sums), writes: true }] : [],
    params: [
      ...sources.g.params,
      ...sources.x.params,
      ...shared(geometry, ins, outs, groups),
      ['g_at: u32', g.offset],
      ['x_at: u32', x.offset],
    ],
    loads: () => `${sources.g.declarations()}
${sources.x.declarations()}
${inputPlace}
fn load_a(b: u32, i: u32, l: u32) -> f32 {
  let channel = (l / P.outputs) * P.outs * P.groups + b * P.outs + i;
  return ${sources.g.at('P.g_at + channel * P.outputs + l % P.outputs')};
}
fn load_b(b: u32, l: u32, j: u32) -> f32 {
  ${sums ? 'if (j == P.n - 1u) { return 1.0; }' : ''}
  let place = input_place(l % P.outputs, j % P.taps);
  if (place == 0xffffffffu) { return 0.0; }
  let channel = (l / P.outputs) * P.ins * P.groups + b * P.ins + j / P.taps;
  return ${sources.x.at('P.x_at + channel * P.inputs + place')};
}`,
    workedOut: true,
    aAlongL: true,
    bAlongJ: false,
    out,
    ...(sums
      ? {
          aside: 'if (j == P.n - 1u) { sums[b * P.m + i] = v; return; }',
          place: 'P.out_at + (b * P.m + i) * (P.n - 1u) + j',
        }
      : {}),
  });
}

export function im2col(gpu: GpuContext, input: NDArray, geometry: Sliding): NDArray {
  const lane = laneOf(input.dtype, 'unfold');
  const x = gpu.contiguous(input);
  const [batch, channels] = x.shape;
  const out = gpu.empty([batch, channels * volume(geometry.kernel), volume(geometry.output)], x.dtype);
  if (out.size === 0) return out;
  overRows(gpu, 'unfold', batch, [x, out], ([images, columns]) =>
    gpu.run({
      key: `im2col ${lane}`,
      bindings: [
        { name: 'x', type: wgslType[lane], array: images },
        { name: 'y', type: wgslType[lane], array: columns, writes: true },
      ],
      params: [
        ...shared(geometry, channels, channels, 1),
        ['x_at: u32', images.offset],
        ['y_at: u32', columns.offset],
      ],
      threads: columns.size,
      workgroup: 64,
      declarations: () => inputPlace,
      body: () => `
let row = i / P.outputs;
let place = input_place(i % P.outputs, row % P.taps);
var v = ${wgslType[lane]}();
if (place != 0xffffffffu) { v = x[P.x_at + (row / P.taps) * P.inputs + place]; }
y[P.y_at + i] = v;`,
    }),
  );
  return out;
}

export function col2im(gpu: GpuContext, source: NDArray, geometry: Sliding, ndim: number): NDArray {
  const lane = laneOf(source.dtype, 'fold');
  const type = wgslType[lane];
  const plus = binaryFormula({ name: 'add', wgsl: 'a + b' }, source.dtype);
  const columns = gpu.contiguous(source);
  const channels = columns.shape[1] / volume(geometry.kernel);
  const out = gpu.empty([columns.shape[0], channels, ...lastOf(geometry.input, ndim)], columns.dtype);
  if (out.size === 0) return out;
  overRows(gpu, 'fold', columns.shape[0], [columns, out], ([from, to]) =>
    gpu.run({
      key: `col2im ${source.dtype}`,
      bindings: [
        { name: 'c', type, array: from },
        { name: 'y', type, array: to, writes: true },
      ],
      params: [
        ...shared(geometry, channels, channels, 1),
        ['c_at: u32', from.offset],
        ['y_at: u32', to.offset],
      ],
      threads: to.size,
      workgroup: 64,
      declarations: () => `${windowPlace}
fn plus(a: ${type}, b: ${type}) -> ${type} { return ${plus}; }`,
      body: () => `
let plane = i / P.inputs;
var sum = ${type}();
for (var tap = 0u; tap < P.taps; tap++) {
  let place = window_place(i % P.inputs, tap);
  if (place != 0xffffffffu) { sum = plus(sum, c[P.c_at + (plane * P.taps + tap) * P.outputs + place]); }
}
y[P.y_at + i] = ${lane === 'i32' ? narrow('sum', source.dtype) : 'sum'};`,
    }),
  );
  return out;
}
