/** The kernels of folds: over short axes by one thread, over long ones by a workgroup, over very long ones in parts. */
import { numElements } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { BoundArray, GpuContext, Room, Source } from './context.ts';
import { laneOf, wgslType } from './elementTypes.ts';
import { type Loop, loopBy, placesText } from './loops.ts';

/** Threads that share one fold. */
const TEAM = 64;
/** Axes up to this are folded by one thread. */
const SHORT_AXIS = 64;
/** Parts of a very long axis have this many elements, so many threads, and each of them so many reads under way. */
const PART = 16384;
const PART_TEAM = 256;
const AHEAD = 4;
/** So many threads are enough without parts. */
const MANY_THREADS = 65536;

export interface Fold {
  readonly key: string;
  /** Declares what is kept of the elements so far, before the first one. */
  readonly state: readonly { readonly name: string; readonly type: string; readonly initial: string }[];
  /** Statements that take in an element of each input, by the input's name, at position `j` of the axis. */
  readonly step: string;
  /** Statements that join the state of a later part, in `other_${name}`. */
  readonly join: string;
  readonly params: readonly (readonly [string, number])[];
}

/** Arrays of one shape that are folded together. */
export interface Folded {
  readonly inputs: readonly { readonly name: string; readonly array: NDArray; readonly room?: Room }[];
  readonly outer: Loop;
  readonly inner: Loop;
  /** Elements of a fold, and folds. */
  readonly axis: number;
  readonly count: number;
}

/** Where something of the state goes. */
export interface FoldOutput {
  readonly array: NDArray;
  readonly value: string;
  readonly name: string;
}

/** Inputs with `dims` reduced. */
export function folded(inputs: Folded['inputs'], dims: readonly number[]): Folded {
  const { shape } = inputs[0].array;
  const kept = shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const part = (list: readonly number[]) => list.map((d) => shape[d]);
  const steps = ({ strides }: NDArray, list: readonly number[]) => list.map((d) => strides[d]);
  const outer = inputs.map(({ name, array }) => ({
    name: `${name}o`,
    offset: array.offset,
    strides: steps(array, kept),
  }));
  const inner = inputs.map(({ name, array }) => ({
    name: `${name}i`,
    offset: 0,
    strides: steps(array, dims),
  }));
  return {
    inputs,
    outer: loopBy(part(kept), outer),
    inner: loopBy(part(dims), inner, 'r'),
    axis: numElements(part(dims)),
    count: numElements(part(kept)),
  };
}

/** How many parts an axis is folded in, for whose results there must be a second stage. */
export const partsOf = ({ axis, count }: Folded): number =>
  axis > PART && count * TEAM < MANY_THREADS ? Math.ceil(axis / PART) : 1;

interface Sources {
  readonly key: string;
  readonly bindings: readonly BoundArray[];
  readonly params: readonly (readonly [string, number])[];
  declarations(): string;
  /** Declares the elements of all inputs, `${name}${suffix}`, at a position of the axis. */
  elements(place: string, suffix?: string): string;
}

function sourcesOf(gpu: GpuContext, { inputs, inner }: Folded): Sources {
  const sources: Source[] = inputs.map(({ name, array, room }) => gpu.source(name, array, room));
  const at = (i: number) => sources[i].at(`${inputs[i].name}o_i + ${inputs[i].name}i_i`);
  return {
    key: sources.map((source) => source.key).join(''),
    bindings: sources.flatMap((source) => source.bindings),
    params: sources.flatMap((source) => source.params),
    declarations: () => sources.map((source) => source.declarations()).join('\n'),
    elements: (place, suffix = '') => {
      const names = inputs.map(({ name }) => `${name}${suffix}`);
      const types = inputs.map(({ array }) => wgslType[laneOf(array.dtype, 'reduce')]);
      return `${names.map((name, i) => `var ${name}: ${types[i]};`).join(' ')}
{
${placesText(inner, place, 'r')}
${names.map((name, i) => `${name} = ${at(i)};`).join('\n')}
}`;
    },
  };
}

const declarationsOf = ({ state }: Fold): string =>
  state.map((s) => `var ${s.name}: ${s.type} = ${s.initial};`).join('\n');

const sharedOf = ({ state }: Fold, team: number): string =>
  state.map((s) => `var<workgroup> team_${s.name}: array<${s.type}, ${team}>;`).join('\n');

/** The states of a workgroup's threads join, halves by halves; thread 0 has the whole. */
function joinedText({ state, join }: Fold, team: number): string {
  const publish = state.map((s) => `team_${s.name}[lid] = ${s.name};`).join('\n');
  const others = state.map((s) => `let other_${s.name} = team_${s.name}[lid + half];`).join('\n');
  return `${publish}
workgroupBarrier();
for (var half = ${team / 2}u; half > 0u; half = half / 2u) {
  if (lid < half) {
${others}
${join}
${publish}
  }
  workgroupBarrier();
}`;
}

const bindingsOf = (fold: Fold, outputs: readonly FoldOutput[]): BoundArray[] =>
  outputs.map(({ array, name }) => ({
    name,
    type: wgslType[laneOf(array.dtype, fold.key)],
    array,
    writes: true,
  }));

const storesOf = (outputs: readonly FoldOutput[]): string =>
  outputs.map(({ name, value }) => `${name}[at] = ${value};`).join('\n');

/** Folds the inputs and stores what becomes of the state. */
export function runFold(gpu: GpuContext, fold: Fold, x: Folded, outputs: readonly FoldOutput[]): void {
  const { axis, count, outer, inner } = x;
  if (count === 0) return;
  const sources = sourcesOf(gpu, x);
  const bindings = [...sources.bindings, ...bindingsOf(fold, outputs)];
  const params = [
    ['axis: u32', axis] as const,
    ['count: u32', count] as const,
    ...outer.params,
    ...inner.params,
    ...fold.params,
    ...sources.params,
  ];
  const take = () => `${sources.elements('j')}\n${fold.step}`;
  const key = `fold ${fold.key} ${outer.key}|${inner.key}${sources.key}`;
  if (axis <= SHORT_AXIS) {
    gpu.run({
      key: `${key} alone`,
      bindings,
      params,
      threads: count,
      workgroup: TEAM,
      declarations: sources.declarations,
      body: () =>
        `let at = i;\n${placesText(outer, 'i')}\n${declarationsOf(fold)}\nfor (var j = 0u; j < P.axis; j++) {\n${take()}\n}\n${storesOf(outputs)}`,
    });
    return;
  }
  gpu.run({
    key: `${key} team`,
    bindings,
    params,
    threads: 0,
    workgroup: TEAM,
    groups: split(count, gpu.maxGroups),
    declarations: () => `${sources.declarations()}\n${sharedOf(fold, TEAM)}`,
    body: () => `
let at = wid.y * groups.x + wid.x;
if (at >= P.count) { return; }
${placesText(outer, 'at')}
${declarationsOf(fold)}
for (var j = lid; j < P.axis; j += ${TEAM}u) {
${take()}
}
${joinedText(fold, TEAM)}
if (lid == 0u) {
${storesOf(outputs)}
}`,
  });
}

/** outputs[o, p] ← the folds of elements p·PART … of the axis: one workgroup each. */
export function runParts(
  gpu: GpuContext,
  fold: Fold,
  x: Folded,
  parts: number,
  outputs: readonly FoldOutput[],
): void {
  const { axis, count, outer, inner } = x;
  const sources = sourcesOf(gpu, x);
  const reads = Array.from({ length: AHEAD }, (_, k) => k);
  const { inputs } = x;
  const named = (k: number) => inputs.map(({ name }) => `let ${name} = ${name}${k};`).join(' ');
  gpu.run({
    key: `parts ${fold.key} ${outer.key}|${inner.key}${sources.key}`,
    bindings: [...sources.bindings, ...bindingsOf(fold, outputs)],
    params: [
      ['axis: u32', axis],
      ['parts: u32', parts],
      ['count: u32', count * parts],
      ...outer.params,
      ...inner.params,
      ...fold.params,
      ...sources.params,
    ],
    threads: 0,
    workgroup: PART_TEAM,
    groups: split(count * parts, gpu.maxGroups),
    declarations: () => `${sources.declarations()}\n${sharedOf(fold, PART_TEAM)}`,
    body: () => `
let at = wid.y * groups.x + wid.x;
if (at >= P.count) { return; }
let o = at / P.parts;
let begin = (at % P.parts) * ${PART}u;
let end = min(begin + ${PART}u, P.axis);
${placesText(outer, 'o')}
${declarationsOf(fold)}
var j = begin + lid;
for (; j + ${(AHEAD - 1) * PART_TEAM}u < end; j += ${AHEAD * PART_TEAM}u) {
${reads.map((k) => sources.elements(`j + ${k * PART_TEAM}u`, String(k))).join('\n')}
${reads.map((k) => `{ ${named(k)} ${fold.step} }`).join('\n')}
}
for (; j < end; j += ${PART_TEAM}u) {
${sources.elements('j')}
${fold.step}
}
${joinedText(fold, PART_TEAM)}
if (lid == 0u) {
${storesOf(outputs)}
}`,
  });
}

/** Workgroups in two dimensions. */
export function split(count: number, maxGroups: number): [number, number, number] {
  const x = Math.min(count, maxGroups);
  return [x, Math.ceil(count / Math.max(x, 1)), 1];
}
