/**
 * Reductions. The order in which elements meet depends on sizes alone: short axes are folded by one thread per result,
 * long ones by a workgroup (each thread takes every 64th element, then halves join), and very long ones in parts whose
 * results are folded in a second stage.
 */
import type { NDArray } from '../array.ts';
import type { ReduceSpec } from '../backend.ts';
import { reducedShape } from '../reference/reduce.ts';
import type { GpuContext } from './context.ts';
import { type Lane, laneOf, narrow, numberWords, wgslType } from './elementTypes.ts';
import { type Fold, folded, partsOf, runFold, runParts } from './foldKernels.ts';
import { foldFormulas, lessText } from './formulas.ts';
import { inHalves, outermost } from './slices.ts';

export function reduce(
  gpu: GpuContext,
  spec: ReduceSpec,
  input: NDArray,
  dims: readonly number[],
  keepdim: boolean,
): NDArray {
  const lane = laneOf(input.dtype, spec.name);
  const x = gpu.part(input);
  if (x === null) return reduceHalves(gpu, spec, input, dims, keepdim);
  const out = gpu.empty(reducedShape(x.shape, dims, keepdim), x.dtype);
  const fold = foldOf(spec, x, lane);
  const whole = folded([{ name: 'x', array: x }], dims);
  const parts = partsOf(whole);
  if (parts > 1) {
    const partials = gpu.empty([whole.count, parts], x.dtype);
    runParts(gpu, fold, whole, parts, [{ array: partials, value: 'acc', name: 'y' }]);
    const joined: Fold = {
      ...fold,
      key: `${fold.key} join`,
      step: `acc = ${foldFormulas(spec, x.dtype).join};`,
    };
    runFold(gpu, joined, folded([{ name: 'x', array: partials }], [1]), [stored(out, 'acc')]);
    partials.release();
    return out;
  }
  runFold(gpu, fold, whole, [stored(out, 'acc')]);
  return out;
}

/** The same where x cannot be bound: in two halves along its outermost dimension. */
function reduceHalves(
  gpu: GpuContext,
  spec: ReduceSpec,
  x: NDArray,
  dims: readonly number[],
  keepdim: boolean,
): NDArray {
  const d = outermost(x);
  const results: NDArray[] = [];
  inHalves([[x, d]], ([half]) => results.push(reduce(gpu, spec, half, dims, keepdim)));
  const out = gpu.empty(reducedShape(x.shape, dims, keepdim), x.dtype);
  if (dims.includes(d)) {
    const { join: text } = foldFormulas(spec, x.dtype);
    const names = ['acc', 'x'];
    gpu.elementwise(out, results, { name: spec.name, text, names, lane: x.dtype, predicate: false });
  } else joinHalves(gpu, out, results, keptDim(x, d, dims, keepdim));
  for (const part of results) part.release();
  return out;
}

/** Which dimension of a fold's result dimension d of x is. */
const keptDim = (x: NDArray, d: number, dims: readonly number[], keepdim: boolean): number =>
  keepdim ? d : x.shape.slice(0, d).filter((_, e) => !dims.includes(e)).length;

/** out ← the halves, one behind the other along d. */
export function joinHalves(gpu: GpuContext, out: NDArray, parts: readonly NDArray[], d: number): void {
  inHalves([[out, d]], ([half], i) => gpu.assign(half, parts[i]));
}

const stored = (array: NDArray, value: string) => ({
  array,
  value: laneOf(array.dtype, 'reduce') === 'i32' ? narrow(value, array.dtype) : value,
  name: `y_${value}`,
});

function foldOf(spec: ReduceSpec, x: NDArray, lane: Lane): Fold {
  const { step, join } = foldFormulas(spec, x.dtype);
  const start = lane === 'i64' && spec.bigInitial !== undefined ? spec.bigInitial : spec.initial;
  const words = numberWords(start, lane);
  const initial =
    lane === 'f32'
      ? 'bitcast<f32>(P.start_low)'
      : lane === 'i32'
        ? 'bitcast<i32>(P.start_low)'
        : 'vec2<u32>(P.start_low, P.start_high)';
  return {
    key: `${spec.name} ${x.dtype}`,
    state: [{ name: 'acc', type: wgslType[lane], initial }],
    step: `acc = ${step};`,
    join: `let x = other_acc;\nacc = ${join};`,
    params: [
      ['start_low: u32', words[0]],
      ['start_high: u32', words[1] ?? 0],
    ],
  };
}

/** Larger (NaN largest) or smaller (NaN smallest, so that it wins there too). */
function betterText(kind: 'max' | 'min', lane: Lane, a: string, b: string): string {
  if (lane !== 'f32') return kind === 'max' ? lessText(lane, b, a) : lessText(lane, a, b);
  const nan = `(isNan(${a}) && !isNan(${b}))`;
  return `(${nan} || (${kind === 'max' ? `${a} > ${b}` : `${a} < ${b}`}))`;
}

/** The extremes of x, which cannot be bound, from those of its halves. */
function extremeHalves(
  gpu: GpuContext,
  kind: 'max' | 'min',
  x: NDArray,
  dim: number,
  keepdim: boolean,
  out: { readonly values: NDArray | null; readonly indices: NDArray | null },
): void {
  const d = outermost(x);
  const parts: { values: NDArray; indices: NDArray }[] = [];
  inHalves([[x, d]], ([half]) =>
    parts.push(extreme(gpu, kind, half, dim, keepdim) as { values: NDArray; indices: NDArray }),
  );
  const [first, second] = parts;
  if (d !== dim) {
    const at = keptDim(x, d, [dim], keepdim);
    if (out.values) joinHalves(gpu, out.values, [first.values, second.values], at);
    if (out.indices) joinHalves(gpu, out.indices, [first.indices, second.indices], at);
  } else {
    const lane = laneOf(x.dtype, kind);
    const later = betterText(kind, lane, 'b', 'a');
    const pair = [first.values, second.values];
    const formula = { name: kind, predicate: false };
    const names = ['a', 'b'];
    if (out.values)
      gpu.elementwise(out.values, pair, { ...formula, names, text: `select(a, b, ${later})`, lane: x.dtype });
    if (out.indices) {
      const start = { value: Math.ceil(x.shape[d] / 2), dtype: 'int64' } as const;
      gpu.elementwise(out.indices, [...pair, first.indices, second.indices, start], {
        ...formula,
        names: [...names, 'i', 'j', 'start'],
        text: `select(i, i64_add(j, start), ${later})`,
        lane: 'int64',
      });
    }
  }
  for (const { values, indices } of parts) {
    values.release();
    indices.release();
  }
}

/** Values and int64 positions of the first extremes along dim; the first NaN wins. */
export function extreme(
  gpu: GpuContext,
  kind: 'max' | 'min',
  input: NDArray,
  dim: number,
  keepdim: boolean,
  wanted: { values: boolean; indices: boolean } = { values: true, indices: true },
): { values: NDArray | null; indices: NDArray | null } {
  const lane = laneOf(input.dtype, kind);
  const dims = input.shape.length === 0 ? [] : [dim];
  const shape = reducedShape(input.shape, dims, keepdim);
  const values = wanted.values ? gpu.empty(shape, input.dtype) : null;
  const indices = wanted.indices ? gpu.empty(shape, 'int64') : null;
  const x = gpu.bindable(input);
  if (x === null || [values, indices].some((out) => out && !gpu.fits(out))) {
    extremeHalves(gpu, kind, input, dim, keepdim, { values, indices });
    return { values, indices };
  }
  const better = (a: string, b: string) => betterText(kind, lane, a, b);
  const fold: Fold = {
    key: `arg${kind} ${x.dtype} ${Number(wanted.values)}${Number(wanted.indices)}`,
    state: [
      { name: 'best', type: wgslType[lane], initial: `${wgslType[lane]}()` },
      { name: 'place', type: 'u32', initial: '0xffffffffu' },
    ],
    step: `if (place == 0xffffffffu || ${better('x', 'best')}) { best = x; place = j; }`,
    join: `
if (other_place != 0xffffffffu && (place == 0xffffffffu || ${better('other_best', 'best')} ||
    (other_place < place && !${better('best', 'other_best')}))) {
  best = other_best;
  place = other_place;
}`,
    params: [],
  };
  const outputs = [];
  if (values) outputs.push({ array: values, value: 'best', name: 'y_best' });
  if (indices) outputs.push({ array: indices, value: 'vec2<u32>(place, 0u)', name: 'y_place' });
  runFold(gpu, fold, folded([{ name: 'x', array: x }], dims), outputs);
  return { values, indices };
}
