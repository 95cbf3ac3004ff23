/** Rows of [outer, rows, inner] brought to mean 0 and variance 1: a workgroup per row, two passes for the variance. */
import { contiguousStrides, type Shape } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { Standardized } from '../windows.ts';
import type { GpuContext, Room } from './context.ts';
import { floatBits, laneOf } from './elementTypes.ts';
import { type Fold, folded, partsOf, runFold, runParts, split } from './foldKernels.ts';
import { apply, like, SUM } from './folds.ts';
import { reduce } from './reduce.ts';
import { overRows, rowFits } from './slices.ts';

const TEAM = 64;
/** Elements are read two or three times, or gradients by two kernels; devices bind 8 buffers at least. */
const TAKEN_IN: Room = { cost: 4, cells: 3 };

const teamSum = `
var<workgroup> team: array<f32, ${TEAM}>;
fn team_sum(value: f32, lid: u32) -> f32 {
  workgroupBarrier();
  team[lid] = value;
  workgroupBarrier();
  for (var half = ${TEAM / 2}u; half > 0u; half = half / 2u) {
    if (lid < half) { team[lid] = team[lid] + team[lid + half]; }
    workgroupBarrier();
  }
  return team[0];
}`;

/** A loop over the row's elements; `at` is the flat place in a contiguous array. */
const over = (visit: string): string => `
for (var e = lid; e < P.count; e += ${TEAM}u) {
  let at = ((e / P.inner) * P.rows + row) * P.inner + e % P.inner;
  ${visit}
}`;

const head = 'let row = wid.y * groups.x + wid.x;\nif (row >= P.rows) { return; }';

export function standardize(gpu: GpuContext, input: NDArray, eps: number): Standardized {
  laneOf(input.dtype, 'normalization');
  const x = gpu.contiguous(input);
  const [outer, rows, inner] = x.shape;
  const result = {
    output: gpu.empty(x.shape, x.dtype),
    mean: gpu.empty([rows], x.dtype),
    variance: gpu.empty([rows], x.dtype),
    rstd: gpu.empty([rows], x.dtype),
  };
  if (rows === 0) return result;
  const { output, mean, variance, rstd } = result;
  if ((outer === 1 && rowFits(gpu, inner)) || (gpu.fits(x) && gpu.fits(output))) {
    overRows(gpu, 'standardize', rows, [x, output, mean, variance, rstd], ([from, to, ...stats], count) =>
      standardizeRows(gpu, from, to, stats, { outer, rows: count, inner, eps }),
    );
    return result;
  }
  const count = outer * inner;
  const average = (to: NDArray, values: NDArray) => {
    const sum = reduce(gpu, SUM, values, [0, 2], false);
    apply(gpu, to, 'divide(sum, count)', { sum, count });
    sum.release();
  };
  const along = (values: NDArray) => values.view([1, rows, 1], [0, 1, 0]);
  average(mean, x);
  const squares = like(gpu, x, '(x - mean) * (x - mean)', { x, mean: along(mean) });
  average(variance, squares);
  squares.release();
  apply(gpu, rstd, 'divide(1.0, f_sqrt(variance + eps))', { variance, eps });
  apply(gpu, output, '(x - mean) * rstd', { x, mean: along(mean), rstd: along(rstd) });
  return result;
}

function standardizeRows(
  gpu: GpuContext,
  x: NDArray,
  y: NDArray,
  [mean, variance, rstd]: readonly NDArray[],
  { outer, rows, inner, eps }: { outer: number; rows: number; inner: number; eps: number },
): void {
  const source = gpu.source('x', x, TAKEN_IN);
  const element = source.at('P.x_at + at');
  gpu.run({
    key: `standardize${source.key}`,
    bindings: [
      ...source.bindings,
      { name: 'y', type: 'f32', array: y, writes: true },
      { name: 'means', type: 'f32', array: mean, writes: true },
      { name: 'variances', type: 'f32', array: variance, writes: true },
      { name: 'rstds', type: 'f32', array: rstd, writes: true },
    ],
    params: [
      ['rows: u32', rows],
      ['inner: u32', inner],
      ['count: u32', outer * inner],
      ['x_at: u32', x.offset],
      ['y_at: u32', y.offset],
      ['stats_at: u32', mean.offset],
      ['eps: f32', floatBits(eps)],
      ...source.params,
    ],
    threads: 0,
    workgroup: TEAM,
    groups: split(rows, gpu.maxGroups),
    declarations: () => `${source.declarations()}${teamSum}`,
    body: () => `${head}
var s = 0.0;
${over(`s += ${element};`)}
let mean = team_sum(s, lid) / f32(P.count);
var q = 0.0;
${over(`let d = ${element} - mean;\n  q += d * d;`)}
let variance = team_sum(q, lid) / f32(P.count);
let rstd = 1.0 / sqrt(variance + P.eps);
${over(`y[P.y_at + at] = (${element} - mean) * rstd;`)}
if (lid == 0u) {
  means[P.stats_at + row] = mean;
  variances[P.stats_at + row] = variance;
  rstds[P.stats_at + row] = rstd;
}`,
  });
}

export function standardizeGrad(gpu: GpuContext, grad: NDArray, output: NDArray, scale: NDArray): NDArray {
  const g = gpu.contiguous(grad);
  const y = gpu.contiguous(output);
  const rstd = gpu.contiguous(scale);
  const [outer, rows, inner] = g.shape;
  const out = gpu.empty(g.shape, g.dtype);
  if (rows === 0) return out;
  if ((outer === 1 && rowFits(gpu, inner)) || [g, y, out].every((array) => gpu.fits(array))) {
    overRows(gpu, 'standardize', rows, [g, y, rstd, out], ([gs, ys, scales, to], count) =>
      standardizeGradRows(gpu, gs, ys, scales, to, [outer, count, inner]),
    );
    return out;
  }
  const count = outer * inner;
  const [sum, slope] = [g, like(gpu, g, 'g * y', { g, y })].map((values) =>
    reduce(gpu, SUM, values, [0, 2], true),
  );
  const factor = rstd.view([1, rows, 1], [0, 1, 0]);
  const text = 'rstd * (g - divide(sum, count) - y * divide(slope, count))';
  apply(gpu, out, text, { g, y, sum, slope, rstd: factor, count });
  return out;
}

function standardizeGradRows(
  gpu: GpuContext,
  g: NDArray,
  y: NDArray,
  rstd: NDArray,
  out: NDArray,
  [outer, rows, inner]: readonly number[],
): void {
  const source = gpu.source('g', g, TAKEN_IN);
  const element = source.at('P.g_at + at');
  gpu.run({
    key: `standardizeGrad${source.key}`,
    bindings: [
      ...source.bindings,
      { name: 'y', type: 'f32', array: y },
      { name: 'rstds', type: 'f32', array: rstd },
      { name: 'out', type: 'f32', array: out, writes: true },
    ],
    params: [
      ['rows: u32', rows],
      ['inner: u32', inner],
      ['count: u32', outer * inner],
      ['g_at: u32', g.offset],
      ['y_at: u32', y.offset],
      ['r_at: u32', rstd.offset],
      ['out_at: u32', out.offset],
      ...source.params,
    ],
    threads: 0,
    workgroup: TEAM,
    groups: split(rows, gpu.maxGroups),
    declarations: () => `${source.declarations()}${teamSum}`,
    body: () => `${head}
var s = 0.0;
var q = 0.0;
${over(`let v = ${element};\n  s += v;\n  q += v * y[P.y_at + at];`)}
let mean = team_sum(s, lid) / f32(P.count);
let slope = team_sum(q, lid) / f32(P.count);
let rstd = rstds[P.r_at + row];
${over(`out[P.out_at + at] = rstd * (${element} - mean - y[P.y_at + at] * slope);`)}`,
  });
}

const SUMS: Fold = {
  key: 'affine sums',
  state: [
    { name: 'slope', type: 'f32', initial: '0.0' },
    { name: 'shift', type: 'f32', initial: '0.0' },
  ],
  step: 'slope += g * x;\nshift += g;',
  join: 'slope += other_slope;\nshift += other_shift;',
  params: [],
};
const JOINED: Fold = { ...SUMS, key: 'affine sums join', step: 'slope += a;\nshift += b;' };

/** The gradients of x·weight + bias by weight and bias, both of `shape`, which broadcasts to that of the gradient. */
export function affineGrads(
  gpu: GpuContext,
  grad: NDArray,
  input: NDArray,
  shape: Shape,
): { weight: NDArray; bias: NDArray } {
  laneOf(grad.dtype, 'normalization');
  const missing = grad.shape.length - shape.length;
  const dims = grad.shape.flatMap((size, d) => (size !== 1 && (shape[d - missing] ?? 1) === 1 ? [d] : []));
  const [g, x] = [gpu.part(grad), gpu.part(input)];
  if (g === null || x === null) {
    const terms = like(gpu, grad, 'g * x', { g: grad, x: input });
    const [weight, bias] = [terms, grad].map((values) => {
      const sums = reduce(gpu, SUM, values, dims, false);
      const shaped = sums.view(shape, contiguousStrides(shape));
      sums.release();
      return shaped;
    });
    terms.release();
    return { weight, bias };
  }
  const [weight, bias] = [gpu.empty(shape, g.dtype), gpu.empty(shape, g.dtype)];
  const stored = (slopes: NDArray, shifts: NDArray) => [
    { array: slopes, value: 'slope', name: 'y_slope' },
    { array: shifts, value: 'shift', name: 'y_shift' },
  ];
  const whole = folded(
    [
      { name: 'g', array: g, room: TAKEN_IN },
      { name: 'x', array: x, room: TAKEN_IN },
    ],
    dims,
  );
  const parts = partsOf(whole);
  if (parts === 1) {
    runFold(gpu, SUMS, whole, stored(weight, bias));
    return { weight, bias };
  }
  const [slopes, shifts] = [0, 1].map(() => gpu.empty([whole.count, parts], g.dtype));
  runParts(gpu, SUMS, whole, parts, stored(slopes, shifts));
  const inputs = [
    { name: 'a', array: slopes },
    { name: 'b', array: shifts },
  ];
  runFold(gpu, JOINED, folded(inputs, [1]), stored(weight, bias));
  slopes.release();
  shifts.release();
  return { weight, bias };
}
