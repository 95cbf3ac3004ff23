/**
 * Reductions. The order in which elements meet depends on sizes alone: short axes are folded by one thread per result,
 * long ones by a workgroup (each thread takes every 64th element, then halves join), and very long ones in parts whose
 * results are folded in a second stage.
 */
import { numElements } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { ReduceSpec } from '../backend.ts';
import { reducedShape } from '../reference/reduce.ts';
import type { GpuContext } from './context.ts';
import { type Lane, laneOf, narrow, numberWords, wgslType } from './elementTypes.ts';
import { foldFormulas, lessText } from './formulas.ts';
import { type Loop, loopBy, placesText } from './loops.ts';
import { inHalves, outermost } from './slices.ts';

/** Threads that share one fold. */
const TEAM = 64;
/** Axes up to this are folded by one thread. */
const SHORT_AXIS = 64;
/** Parts of a very long axis have this many elements, so many threads, and each of them so many reads under way. */
const PART = 16384;
const PART_TEAM = 256;
const AHEAD = 4;

interface Fold {
  readonly key: string;
  readonly lane: Lane;
  /** Declares `acc` and what belongs to it before the first element. */
  readonly state: readonly { readonly name: string; readonly type: string; readonly initial: string }[];
  /** Statements that take in `x`, at position `j` of the axis. */
  readonly step: string;
  /** Statements that join the state of a later part, in `other_${name}`. */
  readonly join: string;
  readonly params: readonly (readonly [string, number])[];
}

/** Runs a fold of x over the reduced dimensions and stores each state variable into its output. */
function runFold(
  gpu: GpuContext,
  fold: Fold,
  x: { array: NDArray; outer: Loop; inner: Loop; axis: number; count: number },
  outputs: readonly { array: NDArray; value: string; name: string }[],
): void {
  const { axis, count } = x;
  if (count === 0) return;
  const source = gpu.source('x', x.array);
  const bindings = [
    ...source.bindings,
    ...outputs.map(({ array, name }) => ({
      name,
      type: wgslType[laneOf(array.dtype, fold.key)],
      array,
      writes: true,
    })),
  ];
  const params = [
    ['axis: u32', axis] as const,
    ['count: u32', count] as const,
    ...x.outer.params,
    ...x.inner.params,
    ...fold.params,
    ...source.params,
  ];
  const declared = fold.state.map((s) => `var ${s.name}: ${s.type} = ${s.initial};`).join('\n');
  const take = (place: string) =>
    `${placesText(x.inner, place, 'r')}\nlet x = ${source.at('xo_i + xi_i')};\n${fold.step}`;
  const store = outputs.map(({ name, value }) => `${name}[at] = ${value};`).join('\n');
  const key = `fold ${fold.key} ${x.outer.key}|${x.inner.key}${source.key}`;
  if (axis <= SHORT_AXIS) {
    gpu.run({
      key: `${key} alone`,
      bindings,
      params,
      threads: count,
      workgroup: TEAM,
      declarations: source.declarations,
      body: () =>
        `let at = i;\n${placesText(x.outer, 'i')}\n${declared}\nfor (var j = 0u; j < P.axis; j++) {\n${take('j')}\n}\n${store}`,
    });
    return;
  }
  const shared = fold.state
    .map((s) => `var<workgroup> team_${s.name}: array<${s.type}, ${TEAM}>;`)
    .join('\n');
  const others = fold.state.map((s) => `let other_${s.name} = team_${s.name}[lid + half];`).join('\n');
  const publish = fold.state.map((s) => `team_${s.name}[lid] = ${s.name};`).join('\n');
  gpu.run({
    key: `${key} team`,
    bindings,
    params,
    threads: 0,
    workgroup: TEAM,
    groups: split(count, gpu.maxGroups),
    declarations: () => `${source.declarations()}\n${shared}`,
    body: () => `
let at = wid.y * groups.x + wid.x;
if (at >= P.count) { return; }
${placesText(x.outer, 'at')}
${declared}
for (var j = lid; j < P.axis; j += ${TEAM}u) {
${take('j')}
}
${publish}
workgroupBarrier();
for (var half = ${TEAM / 2}u; half > 0u; half = half / 2u) {
  if (lid < half) {
${others}
${fold.join}
${publish}
  }
  workgroupBarrier();
}
if (lid == 0u) {
${store}
}`,
  });
}

/** Workgroups in two dimensions. */
export function split(count: number, maxGroups: number): [number, number, number] {
  const x = Math.min(count, maxGroups);
  return [x, Math.ceil(count / x), 1];
}

/** Outer and inner loops of x with `dims` reduced. */
function loops(
  x: NDArray,
  dims: readonly number[],
): { outer: Loop; inner: Loop; axis: number; count: number } {
  const kept = x.shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const part = (list: readonly number[]) => list.map((d) => x.shape[d]);
  const steps = (list: readonly number[]) => list.map((d) => x.strides[d]);
  return {
    outer: loopBy(part(kept), [{ name: 'xo', offset: x.offset, strides: steps(kept) }]),
    inner: loopBy(part(dims), [{ name: 'xi', offset: 0, strides: steps(dims) }], 'r'),
    axis: numElements(part(dims)),
    count: numElements(part(kept)),
  };
}

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
  const whole = loops(x, dims);
  if (whole.axis > PART && whole.count * TEAM < 65536) {
    const parts = Math.ceil(whole.axis / PART);
    const partials = gpu.empty([whole.count, parts], x.dtype);
    reduceParts(gpu, fold, x, whole, partials, parts);
    const joined: Fold = {
      ...fold,
      key: `${fold.key} join`,
      step: `acc = ${foldFormulas(spec, x.dtype).join};`,
    };
    runFold(gpu, joined, { array: partials, ...loops(partials, [1]) }, [stored(out, 'acc')]);
    partials.release();
    return out;
  }
  runFold(gpu, fold, { array: x, ...whole }, [stored(out, 'acc')]);
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
    lane,
    state: [{ name: 'acc', type: wgslType[lane], initial }],
    step: `acc = ${step};`,
    join: `let x = other_acc;\nacc = ${join};`,
    params: [
      ['start_low: u32', words[0]],
      ['start_high: u32', words[1] ?? 0],
    ],
  };
}

/** partials[o, p] ← the fold of elements p·PART … of the axis: one workgroup each. */
function reduceParts(
  gpu: GpuContext,
  fold: Fold,
  x: NDArray,
  { outer, inner, axis, count }: ReturnType<typeof loops>,
  partials: NDArray,
  parts: number,
): void {
  const type = wgslType[fold.lane];
  const source = gpu.source('x', x);
  const reads = Array.from({ length: AHEAD });
  gpu.run({
    key: `parts ${fold.key} ${outer.key}|${inner.key}${source.key}`,
    bindings: [...source.bindings, { name: 'y', type, array: partials, writes: true }],
    params: [
      ['axis: u32', axis],
      ['parts: u32', parts],
      ['count: u32', count * parts],
      ...outer.params,
      ...inner.params,
      ...fold.params,
      ...source.params,
    ],
    threads: 0,
    workgroup: PART_TEAM,
    groups: split(count * parts, gpu.maxGroups),
    declarations: () => `${source.declarations()}
fn element(xo_i: u32, j: u32) -> ${type} {
${placesText(inner, 'j', 'r')}
return ${source.at('xo_i + xi_i')};
}
var<workgroup> team: array<${type}, ${PART_TEAM}>;`,
    body: () => `
let at = wid.y * groups.x + wid.x;
if (at >= P.count) { return; }
let o = at / P.parts;
let begin = (at % P.parts) * ${PART}u;
let end = min(begin + ${PART}u, P.axis);
${placesText(outer, 'o')}
var acc: ${type} = ${fold.state[0].initial};
var j = begin + lid;
for (; j + ${(AHEAD - 1) * PART_TEAM}u < end; j += ${AHEAD * PART_TEAM}u) {
${reads.map((_, k) => `let x${k} = element(xo_i, j + ${k * PART_TEAM}u);`).join('\n')}
${reads.map((_, k) => `{ let x = x${k}; ${fold.step} }`).join('\n')}
}
for (; j < end; j += ${PART_TEAM}u) {
let x = element(xo_i, j);
${fold.step}
}
team[lid] = acc;
workgroupBarrier();
for (var half = ${PART_TEAM / 2}u; half > 0u; half = half / 2u) {
  if (lid < half) {
    let other_acc = team[lid + half];
    ${fold.join}
    team[lid] = acc;
  }
  workgroupBarrier();
}
if (lid == 0u) { y[at] = acc; }`,
  });
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
    lane,
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
  runFold(gpu, fold, { array: x, ...loops(x, dims) }, outputs);
  return { values, indices };
}
