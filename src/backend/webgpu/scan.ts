/**
 * Running folds along one dimension. Long axes are scanned in chunks: each chunk alone, then the chunks' totals, then each
 * chunk again from its start.
 */
import type { NDArray } from '../array.ts';
import type { Call, GpuContext } from './context.ts';
import { laneOf, numberWords, wgslType } from './elementTypes.ts';
import { fibres } from './fibres.ts';
import { foldFormulas } from './formulas.ts';
import { placesText } from './loops.ts';
import { inHalves, narrowed, outermost } from './slices.ts';

const WORKGROUP = 64;
/** Axes up to this, or with enough neighbours, are scanned by one thread each. */
const SHORT_SCAN = 256;
const ENOUGH_FIBRES = 4096;

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
