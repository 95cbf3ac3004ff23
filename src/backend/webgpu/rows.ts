/** Kernels over rows: a thread per short row, a workgroup per long one. Softmax is one of them. */
import { contiguousStrides } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { SoftmaxKind } from '../backend.ts';
import type { BoundArray, GpuContext, Room } from './context.ts';
import { laneOf } from './elementTypes.ts';
import { split } from './foldKernels.ts';
import { apply, like, MAX, SUM } from './folds.ts';
import { reduce } from './reduce.ts';
import { overRows, rowFits } from './slices.ts';

/** Threads of a workgroup: beside each other with a row each, or for one row; longer ones want more. */
const ALONE = 64;
const teamOf = (length: number): number => (length >= 1024 ? 256 : 64);
export const SHORT_ROW = 64;
/** What softmax takes in: elements are read up to three times. */
const TAKEN_IN: Room = { cost: 4, cells: 3 };

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

/** Folds of a team are made in two steps: these threads take some of the others' values each, then everybody those. */
const FOLDERS = 16;

const teamFold = (name: string, join: string, team: number): string => `
fn team_${name}(value: f32, lid: u32) -> f32 {
  workgroupBarrier();
  team[lid] = value;
  workgroupBarrier();
  if (lid < ${FOLDERS}u) {
    var a = team[lid];
    for (var k = ${FOLDERS}u; k < ${team}u; k += ${FOLDERS}u) {
      let b = team[lid + k];
      a = ${join};
    }
    folded[lid] = a;
  }
  workgroupBarrier();
  var a = folded[0];
  for (var k = 1u; k < ${FOLDERS}u; k++) {
    let b = folded[k];
    a = ${join};
  }
  return a;
}`;

/** Functions that fold a value of each thread of a workgroup of so many, always in the same order. */
export const teamFolds = (team: number): string =>
  `var<workgroup> team: array<f32, ${team}>;\nvar<workgroup> folded: array<f32, ${FOLDERS}>;${teamFold('max', 'f_max(a, b)', team)}${teamFold('sum', 'a + b', team)}`;

const rowLength = (x: NDArray): number => (x.shape.length > 0 ? x.shape[x.shape.length - 1] : 1);

/** Rows whose elements a team keeps in registers, so many a thread: each is read once. */
const MOST_KEPT = 16;
const keptOf = (length: number): number => {
  const each = Math.ceil(length / teamOf(length));
  return length <= SHORT_ROW || each > MOST_KEPT ? 0 : 2 ** Math.ceil(Math.log2(each));
};

/** An element of the result; `top` is −∞ only where the whole row is. */
const shareText = (kind: SoftmaxKind, power: string): string =>
  kind === 'safeSoftmax' ? `select(${power} / sum, 0.0, top == -f_inf())` : `${power} / sum`;

const softmaxText = (kind: SoftmaxKind, x: string): string => `
var m = -f_inf();
EACH(j) { m = f_max(m, ${x}); }
let top = MAX(m);
var s = 0.0;
EACH(j) { s += f_exp(${x} - top); }
let sum = SUM(s);
${kind === 'logSoftmax' ? 'let shift = f_log(sum);' : ''}
EACH(j) {
  let z = ${x} - top;
  y[to + j] = ${kind === 'logSoftmax' ? 'z - shift' : shareText(kind, 'f_exp(z)')};
}`;

/** The same with the elements in registers; those beyond the row are −∞ there. */
function keptSoftmaxText(kind: SoftmaxKind, x: string, length: number, kept: number): string {
  const each = `for (var k = 0u; k < ${kept}u; k++)`;
  const j = `let j = lid + k * ${teamOf(length)}u;`;
  return `
var v: array<f32, ${kept}>;
var m = -f_inf();
${each} {
  ${j}
  v[k] = -f_inf();
  if (j < P.length) { v[k] = ${x}; }
  m = f_max(m, v[k]);
}
let top = MAX(m);
var s = 0.0;
${each} {
  ${j}
  v[k] = v[k] - top;
  let e = f_exp(v[k]);
  ${kind === 'logSoftmax' ? '' : 'v[k] = e;'}
  if (j < P.length) { s += e; }
}
let sum = SUM(s);
${kind === 'logSoftmax' ? 'let shift = f_log(sum);' : ''}
${each} {
  ${j}
  if (j < P.length) { y[to + j] = ${kind === 'logSoftmax' ? 'v[k] - shift' : shareText(kind, 'v[k]')}; }
}`;
}

export function softmax(gpu: GpuContext, input: NDArray, kind: SoftmaxKind): NDArray {
  laneOf(input.dtype, 'softmax');
  const x = gpu.contiguous(input);
  const length = rowLength(x);
  const out = gpu.empty(x.shape, x.dtype, contiguousStrides(x.shape));
  if (x.size === 0) return out;
  if (!rowFits(gpu, length)) {
    softmaxByFolds(gpu, out, x, kind);
    return out;
  }
  const kept = keptOf(length);
  overRows(gpu, 'softmax', x.size / length, [x, out], ([from, to], rows) => {
    const source = gpu.source('x', from, TAKEN_IN);
    const element = source.at('at + j');
    runRows(gpu, {
      key: `softmax ${kind} ${kept}${source.key}`,
      bindings: [...source.bindings, { name: 'y', array: to, writes: true }],
      params: [['x_at: u32', from.offset], ['y_at: u32', to.offset], ...source.params],
      rows,
      length,
      declarations: source.declarations,
      body: () =>
        `let at = P.x_at + row * P.length;\nlet to = P.y_at + row * P.length;\n${kept > 0 ? keptSoftmaxText(kind, element, length, kept) : softmaxText(kind, element)}`,
    });
  });
  return out;
}

/** Of rows that are too long to be bound: reductions and elementwise ops work on parts. */
function softmaxByFolds(gpu: GpuContext, out: NDArray, x: NDArray, kind: SoftmaxKind): void {
  const last = [x.shape.length - 1];
  const top = reduce(gpu, MAX, x, last, true);
  const powers = like(gpu, x, 'f_exp(x - top)', { x, top });
  const sum = reduce(gpu, SUM, powers, last, true);
  if (kind === 'logSoftmax') apply(gpu, out, 'x - top - f_log(sum)', { x, top, sum });
  else if (kind === 'softmax') apply(gpu, out, 'divide(p, sum)', { p: powers, sum });
  else apply(gpu, out, 'select(divide(p, sum), 0.0, top == -f_inf())', { p: powers, sum, top });
  for (const array of [top, powers, sum]) array.release();
}

export function softmaxGrad(gpu: GpuContext, grad: NDArray, output: NDArray, log: boolean): NDArray {
  laneOf(output.dtype, 'softmax');
  const g = gpu.contiguous(grad);
  const y = gpu.contiguous(output);
  const length = rowLength(y);
  const out = gpu.empty(y.shape, y.dtype);
  if (y.size === 0) return out;
  if (!rowFits(gpu, length)) {
    const last = [y.shape.length - 1];
    const terms = log ? g : like(gpu, y, 'g * y', { g, y });
    const sum = reduce(gpu, SUM, terms, last, true);
    apply(gpu, out, log ? 'g - f_exp(y) * sum' : 'y * (g - sum)', { g, y, sum });
    sum.release();
    if (!log) terms.release();
    return out;
  }
  overRows(gpu, 'softmax', y.size / length, [g, y, out], ([gs, ys, to], rows) => {
    const source = gpu.source('g', gs, TAKEN_IN);
    const element = source.at('gr + j');
    runRows(gpu, {
      key: `softmaxGrad ${log}${source.key}`,
      bindings: [...source.bindings, { name: 'y', array: ys }, { name: 'out', array: to, writes: true }],
      params: [
        ['g_at: u32', gs.offset],
        ['y_at: u32', ys.offset],
        ['out_at: u32', to.offset],
        ...source.params,
      ],
      rows,
      length,
      declarations: source.declarations,
      body: () => `
let gr = P.g_at + row * P.length;
let yr = P.y_at + row * P.length;
let to = P.out_at + row * P.length;
var s = 0.0;
EACH(j) { s += ${log ? element : `${element} * y[yr + j]`}; }
let sum = SUM(s);
EACH(j) {
  out[to + j] = ${log ? `${element} - f_exp(y[yr + j]) * sum` : `y[yr + j] * (${element} - sum)`};
}`,
    });
  });
  return out;
}
