/** Matrix products of any strides: float32 by tiles, integers by one thread per element. */
import { expandStrides, type Strides } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { GemmOptions } from '../backend.ts';
import type { BoundArray, GpuContext, Room } from './context.ts';
import { laneOf, narrow, wgslType } from './elementTypes.ts';
import { SUM } from './folds.ts';
import { binaryFormula } from './formulas.ts';
import { loopBy, placesText } from './loops.ts';
import { product } from './product.ts';
import { reduce } from './reduce.ts';
import { inHalves, outermost } from './slices.ts';

/** Elements are read once for every tile: what a product takes in must cost next to nothing. */
export const TAKEN_IN: Room = { cost: 4, cells: 2 };

export function matmul(gpu: GpuContext, a: NDArray, b: NDArray, options: GemmOptions): NDArray {
  laneOf(a.dtype, 'matmul');
  const out = gpu.empty([...a.shape.slice(0, -1), b.shape[b.shape.length - 1]], a.dtype);
  multiply(gpu, a, b, options, out);
  return out;
}

/** The sums are one more row of the product, by a row of ones on the left. Where the arrays are divided, a reduction of their own. */
export function matmulAndSums(gpu: GpuContext, a: NDArray, b: NDArray): { product: NDArray; sums: NDArray } {
  const m = a.shape[0];
  const n = b.shape[1];
  const made = gpu.empty([m, n], a.dtype);
  const whole = [a, b, made].every((x) => gpu.fits(x));
  if (!whole || a.dtype !== 'float32') {
    multiply(gpu, a, b, {}, made);
    return { product: made, sums: reduce(gpu, SUM, b, [0], false) };
  }
  const sums = gpu.empty([n], a.dtype);
  multiplyBound(gpu, a, b, {}, made, sums);
  return { product: made, sums };
}

/** Whole, or by halves of rows, columns, batches or terms, whichever an array that cannot be bound is the longest of. */
function multiply(gpu: GpuContext, a: NDArray, b: NDArray, options: GemmOptions, out: NDArray): void {
  const bound = { a: gpu.bindable(a), b: gpu.bindable(b), out: gpu.part(out) };
  if (bound.a && bound.b && bound.out) {
    multiplyBound(gpu, bound.a, bound.b, options, bound.out);
    return;
  }
  const large = bound.out === null ? out : bound.a === null ? a : b;
  const far = outermost(large);
  const [rows, columns] = [out.shape.length - 2, out.shape.length - 1];
  const { bias } = options;
  const inner = b.shape.length - 2;
  if (far < large.shape.length - 2) {
    const alike = inner === rows && b.shape[far] > 1;
    inHalves(
      [
        [a, far],
        [b, alike ? far : null],
        [out, far],
      ],
      ([as, bs, outs]) => multiply(gpu, as, bs, options, outs),
    );
  } else if (large !== b && far === rows) {
    inHalves(
      [
        [a, rows],
        [out, rows],
      ],
      ([as, outs]) => multiply(gpu, as, b, options, outs),
    );
  } else if (large !== a && far === large.shape.length - 1) {
    const biases = bias ? ([[bias, 0]] as const) : [];
    inHalves([[b, inner + 1], [out, columns], ...biases], ([bs, outs, ...parts]) =>
      multiply(gpu, a, bs, bias ? { ...options, bias: parts[0] } : options, outs),
    );
  } else {
    const sums: NDArray[] = [];
    inHalves(
      [
        [a, columns],
        [b, inner],
      ],
      ([as, bs]) => sums.push(matmul(gpu, as, bs, {})),
    );
    addTerms(gpu, sums[0], sums[1], options, out);
    for (const sum of sums) sum.release();
  }
}

/** out ← first + second, and what else becomes of a finished sum. */
function addTerms(
  gpu: GpuContext,
  first: NDArray,
  second: NDArray,
  { bias, relu = false }: GemmOptions,
  out: NDArray,
): void {
  const { dtype } = out;
  const plus = binaryFormula({ name: 'add', wgsl: 'a + b' }, dtype);
  const total = bias ? `${plus} + bias` : plus;
  gpu.elementwise(out, bias ? [first, second, bias] : [first, second], {
    name: 'matmul',
    text: relu ? `relu(${total})` : total,
    names: bias ? ['a', 'b', 'bias'] : ['a', 'b'],
    lane: dtype,
    predicate: false,
  });
}

function multiplyBound(
  gpu: GpuContext,
  a: NDArray,
  b: NDArray,
  { bias, relu = false }: GemmOptions,
  out: NDArray,
  sums: NDArray | null = null,
): void {
  const lane = laneOf(a.dtype, 'matmul');
  const lead = a.shape.slice(0, -2);
  const [m, k] = a.shape.slice(-2);
  const n = b.shape[b.shape.length - 1];
  const spread = expandStrides(b.shape, b.strides, [...lead, k, n]);
  const [aRow, aStep] = a.strides.slice(-2);
  const [bStep, bColumn] = spread.slice(-2);
  const flat = out.contiguous;
  const batch = loopBy(lead, [
    { name: 'a', offset: a.offset, strides: a.strides.slice(0, -2) },
    { name: 'b', offset: b.offset, strides: spread.slice(0, -2) },
    ...(flat ? [] : [{ name: 'o', offset: out.offset, strides: out.strides.slice(0, -2) }]),
  ]);
  const batches = lead.reduce((x, y) => x * y, 1);
  const sources = { a: gpu.source('a', a, TAKEN_IN), b: gpu.source('b', b, TAKEN_IN) };
  const params: (readonly [string, number])[] = [
    ...sources.a.params,
    ...sources.b.params,
    ...(batch.params as [string, number][]),
    ['a_row: u32', aRow],
    ['a_step: u32', aStep],
    ['b_step: u32', bStep],
    ['b_column: u32', bColumn],
    ...(flat ? [] : [['out_row: u32', out.strides[lead.length]] as const]),
  ];
  const type = wgslType[lane];
  const load = (name: 'a' | 'b', letters: string, place: string): string => {
    const element = sources[name].at(`${name}_i + ${place}`);
    return `
${sources[name].declarations()}
fn load_${name}(${letters}) -> ${type} {
  ${placesText(batch, 'at')}
  return ${sums && name === 'a' ? `select(${element}, 1.0, i == P.m - 1u)` : element};
}`;
  };
  const aRowText = `${sums ? 'min(i, P.m - 2u)' : 'i'} * P.a_row + l * P.a_step`;
  const bText = 'l * P.b_step + j * P.b_column';
  const placeOf = flat
    ? ''
    : `
fn place_of(at: u32, i: u32, j: u32) -> u32 {
  ${placesText(batch, 'at')}
  return o_i + i * P.out_row + j;
}`;
  const loads = () =>
    `${load('a', 'at: u32, i: u32, l: u32', aRowText)}\n${load('b', 'at: u32, l: u32, j: u32', bText)}${placeOf}`;
  const inputs: BoundArray[] = [...sources.a.bindings, ...sources.b.bindings];
  const key = `${batch.key}${sources.a.key}${sources.b.key}`;
  if (lane !== 'f32') {
    integers(gpu, { out, loads, params, inputs, key, m, n, k, batches, flat });
    return;
  }
  const biased = bias ? 'v + bias_[P.bias_at + j * P.bias_step]' : 'v';
  const also: BoundArray[] = [];
  if (bias) {
    also.push({ name: 'bias_', type, array: bias });
    params.push(['bias_at: u32', bias.offset], ['bias_step: u32', bias.strides[0] ?? 0]);
  }
  const epilogue = relu ? `relu(${biased})` : biased;
  if (sums) also.push({ name: 'sums', type, array: sums, writes: true });
  product(gpu, {
    key: `matmul ${key} ${bias !== undefined} ${relu}${sums ? ' sums' : ''}`,
    batches,
    m: sums ? m + 1 : m,
    n,
    k,
    inputs,
    also,
    params,
    loads,
    ...directionsOf([aRow, aStep], [bStep, bColumn]),
    out,
    place: flat ? undefined : 'place_of(b, i, j)',
    aside: sums ? 'if (i == P.m - 1u) { sums[j] = v; return; }' : undefined,
    epilogue: bias || relu ? epilogue : undefined,
  });
}

const directionsOf = ([aRow, aStep]: Strides, [bStep, bColumn]: Strides) => ({
  aAlongL: aStep === 1 || aRow !== 1,
  bAlongJ: bColumn === 1 || bStep !== 1,
});

function integers(
  gpu: GpuContext,
  p: {
    out: NDArray;
    loads: () => string;
    params: readonly (readonly [string, number])[];
    inputs: readonly BoundArray[];
    key: string;
    m: number;
    n: number;
    k: number;
    batches: number;
    flat: boolean;
  },
): void {
  const { dtype } = p.out;
  const lane = laneOf(dtype, 'matmul');
  const times = binaryFormula({ name: 'mul', wgsl: '' }, dtype);
  const plus = binaryFormula({ name: 'add', wgsl: '' }, dtype);
  const { inputs } = p;
  gpu.run({
    key: `integer matmul ${dtype} ${p.key}`,
    bindings: [...inputs, { name: 'out', type: wgslType[lane], array: p.out, writes: true }],
    params: [['m: u32', p.m], ['n: u32', p.n], ['k: u32', p.k], ['out_at: u32', p.out.offset], ...p.params],
    threads: p.out.size,
    workgroup: 64,
    declarations: () => `${p.loads()}
fn times(a: ${wgslType[lane]}, b: ${wgslType[lane]}) -> ${wgslType[lane]} { return ${times}; }
fn plus(a: ${wgslType[lane]}, b: ${wgslType[lane]}) -> ${wgslType[lane]} { return ${plus}; }`,
    body: () => `
let j = i % P.n;
let row = (i / P.n) % P.m;
let batch = i / P.n / P.m;
var sum = ${wgslType[lane]}();
for (var l = 0u; l < P.k; l++) { sum = plus(sum, times(load_a(batch, row, l), load_b(batch, l, j))); }
out[${p.flat ? 'P.out_at + i' : 'place_of(batch, row, j)'}] = ${lane === 'i32' ? narrow('sum', dtype) : 'sum'};`,
  });
}
