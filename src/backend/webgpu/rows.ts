/** Kernels over rows: a thread per short row, a workgroup per long one. Softmax is one of them. */
import { contiguousStrides } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { BoundArray, GpuContext } from './context.ts';
import { laneOf } from './elementTypes.ts';
import { split } from './reduce.ts';

/** Threads of a workgroup: beside each other with a row each, or for one row; longer ones want more. */
const ALONE = 64;
const teamOf = (length: number): number => (length >= 1024 ? 256 : 64);
export const SHORT_ROW = 64;

interface RowKernel {
  readonly key: string;
  readonly bindings: readonly (
    | BoundArray
    | { readonly name: string; readonly array: NDArray; readonly writes?: boolean }
  )[];
  readonly params?: readonly (readonly [string, number])[];
  readonly rows: number;
  /** Length of a row. */
  readonly length: number;
  /** WGSL over `row`; loops over the columns are written EACH(j){…}, folds of the team MAX(v) and SUM(v). */
  readonly body: () => string;
  /** Statements that run once per row, at the end. */
  readonly once?: () => string;
  readonly declarations?: () => string;
}

/** EACH, MAX and SUM as one thread (null), or a team of so many, does them. */
export function rowText(body: string, team: number | null): string {
  return body
    .replace(/EACH\((\w+)\)/g, (_, j: string) =>
      team === null
        ? `for (var ${j} = 0u; ${j} < P.length; ${j}++)`
        : `for (var ${j} = lid; ${j} < P.length; ${j} += ${team}u)`,
    )
    .replace(/(MAX|SUM)\((\w+)\)/g, (_, fold: string, v: string) =>
      team === null ? v : `team_${fold.toLowerCase()}(${v}, lid)`,
    );
}

/** Runs a kernel for each row in the form that suits the length. */
export function runRows(gpu: GpuContext, kernel: RowKernel): void {
  const { rows, length, bindings, body } = kernel;
  if (rows === 0) return;
  const alone = length <= SHORT_ROW;
  const team = teamOf(length);
  const once = () => kernel.once?.() ?? '';
  gpu.run({
    key: `rows ${kernel.key} ${alone ? 'alone' : team}`,
    bindings: bindings.map((b) => ({ type: 'f32', ...b })),
    params: [['rows: u32', rows], ['length: u32', length], ...(kernel.params ?? [])],
    threads: alone ? rows : 0,
    workgroup: alone ? ALONE : team,
    ...(alone ? {} : { groups: split(rows, gpu.maxGroups) }),
    declarations: () => `${kernel.declarations?.() ?? ''}${alone ? '' : teamFolds(team)}`,
    body: () =>
      alone
        ? `let row = i;\n${rowText(body(), null)}\n${once()}`
        : `let row = wid.y * groups.x + wid.x;
if (row >= P.rows) { return; }
${rowText(body(), team)}
if (lid == 0u) {
${once()}
}`,
  });
}

const teamFold = (name: string, join: string, team: number): string => `
fn team_${name}(value: f32, lid: u32) -> f32 {
  workgroupBarrier();
  team[lid] = value;
  workgroupBarrier();
  for (var half = ${team / 2}u; half > 0u; half = half / 2u) {
    if (lid < half) {
      let a = team[lid];
      let b = team[lid + half];
      team[lid] = ${join};
    }
    workgroupBarrier();
  }
  return team[0];
}`;

/** Functions that fold a value of each thread of a workgroup of so many, in the order of a tree. */
export const teamFolds = (team: number): string =>
  `var<workgroup> team: array<f32, ${team}>;${teamFold('max', 'f_max(a, b)', team)}${teamFold('sum', 'a + b', team)}`;

const rowLength = (x: NDArray): number => (x.shape.length > 0 ? x.shape[x.shape.length - 1] : 1);

export function softmax(gpu: GpuContext, input: NDArray, log: boolean): NDArray {
  laneOf(input.dtype, 'softmax');
  const x = gpu.contiguous(input);
  const length = rowLength(x);
  const out = gpu.empty(x.shape, x.dtype, contiguousStrides(x.shape));
  if (length === 0) return out;
  runRows(gpu, {
    key: `softmax ${log}`,
    bindings: [
      { name: 'x', array: x },
      { name: 'y', array: out, writes: true },
    ],
    params: [['x_at: u32', x.offset]],
    rows: x.size / length,
    length,
    body: () => `
let at = P.x_at + row * P.length;
var m = -f_inf();
EACH(j) { m = f_max(m, x[at + j]); }
let top = MAX(m);
var s = 0.0;
EACH(j) { s += f_exp(x[at + j] - top); }
let sum = SUM(s);
${log ? 'let shift = f_log(sum);' : ''}
EACH(j) {
  let z = x[at + j] - top;
  y[row * P.length + j] = ${log ? 'z - shift' : 'f_exp(z) / sum'};
}`,
  });
  return out;
}

export function softmaxGrad(gpu: GpuContext, grad: NDArray, output: NDArray, log: boolean): NDArray {
  laneOf(output.dtype, 'softmax');
  const g = gpu.contiguous(grad);
  const y = gpu.contiguous(output);
  const length = rowLength(y);
  const out = gpu.empty(y.shape, y.dtype);
  if (length === 0) return out;
  runRows(gpu, {
    key: `softmaxGrad ${log}`,
    bindings: [
      { name: 'g', array: g },
      { name: 'y', array: y },
      { name: 'out', array: out, writes: true },
    ],
    params: [
      ['g_at: u32', g.offset],
      ['y_at: u32', y.offset],
    ],
    rows: y.size / length,
    length,
    body: () => `
let gr = P.g_at + row * P.length;
let yr = P.y_at + row * P.length;
var s = 0.0;
EACH(j) { s += ${log ? 'g[gr + j]' : 'g[gr + j] * y[yr + j]'}; }
let sum = SUM(s);
EACH(j) {
  out[row * P.length + j] = ${log ? 'g[gr + j] - f_exp(y[yr + j]) * sum' : 'y[yr + j] * (g[gr + j] - sum)'};
}`,
  });
  return out;
}
