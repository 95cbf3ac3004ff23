/** Softmax and cross-entropy over rows: a thread per short row, a workgroup per long one. */
import { contiguousStrides } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { CrossEntropyOptions, CrossEntropyResult } from '../backend.ts';
import type { GpuContext } from './context.ts';
import { floatBits, laneOf } from './elementTypes.ts';
import { split } from './reduce.ts';

const TEAM = 64;
const SHORT_ROW = 64;

interface RowKernel {
  readonly key: string;
  readonly bindings: readonly { name: string; array: NDArray; writes?: boolean; type?: string }[];
  readonly params?: readonly (readonly [string, number])[];
  readonly rows: number;
  /** Length of a row. */
  readonly length: number;
  /** WGSL over `row`; loops over the columns are written EACH(j){…}, folds of the team MAX(v) and SUM(v). */
  readonly body: string;
  /** Statements that run once per row, at the end. */
  readonly once?: string;
}

/** Runs a kernel for each row in the form that suits the length. */
function runRows(gpu: GpuContext, kernel: RowKernel): void {
  const { rows, length, bindings, body, once = '' } = kernel;
  if (rows === 0) return;
  const alone = length <= SHORT_ROW;
  const text = body
    .replace(/EACH\((\w+)\)/g, (_, j: string) =>
      alone
        ? `for (var ${j} = 0u; ${j} < P.length; ${j}++)`
        : `for (var ${j} = lid; ${j} < P.length; ${j} += ${TEAM}u)`,
    )
    .replace(/(MAX|SUM)\((\w+)\)/g, (_, fold: string, v: string) =>
      alone ? v : `team_${fold.toLowerCase()}(${v}, lid)`,
    );
  gpu.run({
    key: `rows ${kernel.key} ${alone ? 'alone' : 'team'}`,
    bindings: bindings.map((b) => ({ type: 'f32', ...b })),
    params: [['rows: u32', rows], ['length: u32', length], ...(kernel.params ?? [])],
    threads: alone ? rows : 0,
    workgroup: TEAM,
    ...(alone ? {} : { groups: split(rows, gpu.maxGroups) }),
    declarations: () => (alone ? '' : teamFolds),
    body: () =>
      alone
        ? `let row = i;\n${text}\n${once}`
        : `let row = wid.y * groups.x + wid.x;\nif (row >= P.rows) { return; }\n${text}\nif (lid == 0u) {\n${once}\n}`,
  });
}

const teamFold = (name: string, join: string): string => `
fn team_${name}(value: f32, lid: u32) -> f32 {
  workgroupBarrier();
  team[lid] = value;
  workgroupBarrier();
  for (var half = ${TEAM / 2}u; half > 0u; half = half / 2u) {
    if (lid < half) {
      let a = team[lid];
      let b = team[lid + half];
      team[lid] = ${join};
    }
    workgroupBarrier();
  }
  return team[0];
}`;
const teamFolds = `var<workgroup> team: array<f32, ${TEAM}>;${teamFold('max', 'f_max(a, b)')}${teamFold('sum', 'a + b')}`;

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
    body: `
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
    body: `
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

/** Uniforms and text that both directions of cross-entropy share. */
function target(x: NDArray, t: NDArray, weight: NDArray | null, o: CrossEntropyOptions) {
  const ignore = BigInt.asUintN(64, BigInt(Number.isSafeInteger(o.ignoreIndex) ? o.ignoreIndex : -(2 ** 53)));
  return {
    params: [
      ['x_at: u32', x.offset],
      ['t_at: u32', t.offset],
      ['w_at: u32', weight?.offset ?? 0],
      ['ignore_low: u32', Number(ignore & 0xffffffffn)],
      ['ignore_high: u32', Number(ignore >> 32n)],
      ['smoothing: f32', floatBits(o.labelSmoothing)],
    ] as [string, number][],
    read: `
let tw = t[P.t_at + row];
let ignored = tw.x == P.ignore_low && tw.y == P.ignore_high;
let own_class = min(tw.x, P.length - 1u);
let share = P.smoothing / f32(P.length);`,
    weight: (c: string): string => (weight ? `w[P.w_at + ${c}]` : '1.0'),
    bindings: [
      { name: 'x', array: x },
      { name: 't', array: t, type: 'vec2<u32>' },
      ...(weight ? [{ name: 'w', array: weight }] : []),
    ],
  };
}

export function crossEntropy(
  gpu: GpuContext,
  logits: NDArray,
  targets: NDArray,
  weights: NDArray | null,
  options: CrossEntropyOptions,
): CrossEntropyResult {
  const x = gpu.contiguous(logits);
  const t = gpu.contiguous(targets);
  const w = weights && gpu.contiguous(weights);
  const [rows, classes] = x.shape;
  const { reduction } = options;
  const shared = target(x, t, w, options);
  const rowStats = gpu.empty([rows, 2], x.dtype);
  const losses = gpu.empty([rows], x.dtype);
  const owns = gpu.empty([rows], x.dtype);
  runRows(gpu, {
    key: `crossEntropy ${w !== null} ${options.labelSmoothing > 0}`,
    bindings: [
      ...shared.bindings,
      { name: 'stats', array: rowStats, writes: true },
      { name: 'losses', array: losses, writes: true },
      { name: 'owns', array: owns, writes: true },
    ],
    params: shared.params,
    rows,
    length: classes,
    body: `
let at = P.x_at + row * P.length;
${shared.read}
var m = -f_inf();
EACH(j) { m = f_max(m, x[at + j]); }
let top = MAX(m);
var s = 0.0;
EACH(j) { s += f_exp(x[at + j] - top); }
let sum = SUM(s);
let log_sum = f_log(sum);
${options.labelSmoothing > 0 ? `var spread = 0.0;\nEACH(j) { spread += ${shared.weight('j')} * (log_sum - (x[at + j] - top)); }\nlet all_classes = SUM(spread);` : ''}`,
    once: `
let own = ${shared.weight('own_class')};
stats[2u * row] = top;
stats[2u * row + 1u] = log_sum;
let loss = own * (1.0 - P.smoothing) * (log_sum - (x[at + own_class] - top)) + ${options.labelSmoothing > 0 ? 'share * all_classes' : '0.0'};
losses[row] = select(loss, 0.0, ignored);
owns[row] = select(own, 0.0, ignored);`,
  });
  const divisor = gpu.empty([], x.dtype);
  const loss = reduction === 'none' ? losses : gpu.empty([], x.dtype);
  const total = reduction === 'none' ? gpu.empty([], x.dtype) : loss;
  gpu.run({
    key: `crossEntropy total ${reduction}`,
    bindings: [
      { name: 'losses', type: 'f32', array: losses },
      { name: 'owns', type: 'f32', array: owns },
      { name: 'total', type: 'f32', array: total, writes: true },
      { name: 'divisor', type: 'f32', array: divisor, writes: true },
    ],
    params: [['rows: u32', rows]],
    threads: 0,
    workgroup: TEAM,
    groups: [1, 1, 1],
    declarations: () => teamFolds,
    body: () => `
var a = 0.0;
var b = 0.0;
for (var row = lid; row < P.rows; row += ${TEAM}u) {
  a += losses[row];
  b += owns[row];
}
let sum = team_sum(a, lid);
let weight = team_sum(b, lid);
if (lid == 0u) {
  total[0] = ${reduction === 'mean' ? 'sum / weight' : 'sum'};
  divisor[0] = weight;
}`,
  });
  owns.release();
  if (reduction === 'none') total.release();
  else losses.release();
  return { loss, rowStats, divisor };
}

export function crossEntropyGrad(
  gpu: GpuContext,
  grad: NDArray,
  logits: NDArray,
  targets: NDArray,
  weights: NDArray | null,
  saved: Pick<CrossEntropyResult, 'rowStats' | 'divisor'>,
  options: CrossEntropyOptions,
): NDArray {
  const x = gpu.contiguous(logits);
  const t = gpu.contiguous(targets);
  const w = weights && gpu.contiguous(weights);
  const g = gpu.contiguous(grad);
  const [rows, classes] = x.shape;
  const { reduction } = options;
  const shared = target(x, t, w, options);
  const out = gpu.empty(x.shape, x.dtype);
  const smooth = options.labelSmoothing > 0;
  runRows(gpu, {
    key: `crossEntropyGrad ${w !== null} ${smooth} ${reduction}`,
    bindings: [
      ...shared.bindings,
      { name: 'g', array: g },
      { name: 'stats', array: saved.rowStats },
      { name: 'divisor', array: saved.divisor },
      { name: 'out', array: out, writes: true },
    ],
    params: [...shared.params, ['g_at: u32', g.offset], ['d_at: u32', saved.divisor.offset]],
    rows,
    length: classes,
    body: `
let at = P.x_at + row * P.length;
${shared.read}
let own = (1.0 - P.smoothing) * ${shared.weight('own_class')};
${smooth ? `var every = 0.0;\nEACH(j) { every += ${shared.weight('j')}; }\nlet all_weights = SUM(every);` : 'let all_weights = 0.0;'}
let factor = g[P.g_at${reduction === 'none' ? ' + row' : ''}]${reduction === 'mean' ? ' / divisor[P.d_at]' : ''};
let top = stats[2u * row];
let log_sum = stats[2u * row + 1u];
EACH(j) {
  let p = f_exp(x[at + j] - top - log_sum);
  let hit = select(0.0, own, j == own_class);
  let value = factor * (p * (own + share * all_weights) - hit - share * ${shared.weight('j')});
  out[row * P.length + j] = select(value, 0.0, ignored);
}`,
  });
  return out;
}
