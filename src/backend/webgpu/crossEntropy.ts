/** Cross-entropy from logits, and its gradient; few short rows are one kernel each way. */
import type { NDArray } from '../array.ts';
import type { CrossEntropyOptions, CrossEntropyResult } from '../backend.ts';
import type { GpuContext } from './context.ts';
import { floatBits, numberWords } from './elementTypes.ts';
import { rowText, runRows, SHORT_ROW, teamFolds } from './rows.ts';
import { overRows } from './slices.ts';

/** Threads that add up the rows. */
const TEAM = 256;
/** So many short rows are left to one workgroup, which also adds them up. */
const FEW_ROWS = 1024;
const ONE_GROUP = [1, 1, 1] as const;

const written = (name: string, array: NDArray) => ({ name, type: 'f32', array, writes: true });

/** Uniforms and text that both directions of cross-entropy share; `stats` are of the rows of x. */
function target(x: NDArray, t: NDArray, stats: NDArray, weight: NDArray | null, o: CrossEntropyOptions) {
  const [low, high] = numberWords(Number.isSafeInteger(o.ignoreIndex) ? o.ignoreIndex : -(2 ** 53), 'i64');
  return {
    params: [
      ['x_at: u32', x.offset],
      ['t_at: u32', t.offset],
      ['stats_at: u32', stats.offset],
      ['w_at: u32', weight?.offset ?? 0],
      ['ignore_low: u32', low],
      ['ignore_high: u32', high],
      ['smoothing: f32', floatBits(o.labelSmoothing)],
    ] as [string, number][],
    read: `
let tw = t[P.t_at + row];
let ignored = tw.x == P.ignore_low && tw.y == P.ignore_high;
let own_class = min(tw.x, P.length - 1u);
let share = P.smoothing / f32(P.length);`,
    weight: (c: string): string => (weight ? `w[P.w_at + ${c}]` : '1.0'),
    bindings: [
      { name: 'x', type: 'f32', array: x },
      { name: 't', array: t, type: 'vec2<u32>' },
      ...(weight ? [{ name: 'w', type: 'f32', array: weight }] : []),
    ],
  };
}

/** WGSL over `row` that gives `loss` and `own`, the weight of the target. */
function lossText(shared: ReturnType<typeof target>, smooth: boolean): { body: string; once: string } {
  return {
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
${smooth ? `var spread = 0.0;\nEACH(j) { spread += ${shared.weight('j')} * (log_sum - (x[at + j] - top)); }\nlet all_classes = SUM(spread);` : ''}`,
    once: `
let full = ${shared.weight('own_class')};
stats[P.stats_at + 2u * row] = top;
stats[P.stats_at + 2u * row + 1u] = log_sum;
let whole = full * (1.0 - P.smoothing) * (log_sum - (x[at + own_class] - top)) + ${smooth ? 'share * all_classes' : '0.0'};
let loss = select(whole, 0.0, ignored);
let own = select(full, 0.0, ignored);`,
  };
}

/** Adds up a and b of all threads into the outputs. */
const totalText = (reduction: string): string => `
let sum = team_sum(a, lid);
let weight = team_sum(b, lid);
if (lid == 0u) {
  total[0] = ${reduction === 'mean' ? 'sum / weight' : 'sum'};
  divisor[0] = weight;
}`;

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
  const [rows, length] = x.shape;
  const { reduction } = options;
  const smooth = options.labelSmoothing > 0;
  const rowStats = gpu.empty([rows, 2], x.dtype);
  const divisor = gpu.empty([], x.dtype);
  const total = gpu.empty([], x.dtype);
  const key = `crossEntropy ${w !== null} ${smooth}`;
  const totals = written('total', total);
  const divisors = written('divisor', divisor);
  const each = `for (var row = lid; row < P.rows; row += ${TEAM}u)`;
  if (reduction !== 'none' && length <= SHORT_ROW && rows <= FEW_ROWS && gpu.fits(x)) {
    const shared = target(x, t, rowStats, w, options);
    const text = () => lossText(shared, smooth);
    gpu.run({
      key: `${key} ${reduction} at once`,
      bindings: [...shared.bindings, written('stats', rowStats), totals, divisors],
      params: [['rows: u32', rows], ['length: u32', length], ...shared.params],
      threads: 0,
      workgroup: TEAM,
      groups: ONE_GROUP,
      declarations: () => teamFolds(TEAM),
      body: () =>
        `var a = 0.0;\nvar b = 0.0;\n${each} {\n${rowText(text().body, null)}\n${text().once}\na += loss;\nb += own;\n}\n${totalText(reduction)}`,
    });
    return { loss: total, rowStats, divisor };
  }
  const losses = gpu.empty([rows], x.dtype);
  const owns = gpu.empty([rows], x.dtype);
  overRows(gpu, 'crossEntropy', rows, [x, t, rowStats, losses, owns], (slices, count) => {
    const [logitRows, targetRows, statRows, lossRows, ownRows] = slices;
    const shared = target(logitRows, targetRows, statRows, w, options);
    const text = () => lossText(shared, smooth);
    runRows(gpu, {
      key,
      bindings: [
        ...shared.bindings,
        written('stats', statRows),
        written('losses', lossRows),
        written('owns', ownRows),
      ],
      params: [...shared.params, ['losses_at: u32', lossRows.offset]],
      rows: count,
      length,
      body: () => text().body,
      once: () => `${text().once}\nlosses[P.losses_at + row] = loss;\nowns[P.losses_at + row] = own;`,
    });
  });
  gpu.run({
    key: `crossEntropy total ${reduction}`,
    bindings: [
      { name: 'losses', type: 'f32', array: losses },
      { name: 'owns', type: 'f32', array: owns },
      totals,
      divisors,
    ],
    params: [['rows: u32', rows]],
    threads: 0,
    workgroup: TEAM,
    groups: ONE_GROUP,
    declarations: () => teamFolds(TEAM),
    body: () =>
      `var a = 0.0;\nvar b = 0.0;\n${each} {\na += losses[row];\nb += owns[row];\n}\n${totalText(reduction)}`,
  });
  owns.release();
  (reduction === 'none' ? total : losses).release();
  return { loss: reduction === 'none' ? losses : total, rowStats, divisor };
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
  // Beside it six buffers are bound.
  const source = gpu.source('g', g, { cost: Infinity, cells: gpu.maxBuffers - 6 });
  const [rows, classes] = x.shape;
  const { reduction } = options;
  const out = gpu.empty(x.shape, x.dtype);
  const smooth = options.labelSmoothing > 0;
  const { rowStats, divisor } = saved;
  overRows(gpu, 'crossEntropy', rows, [x, t, rowStats, out], ([xs, ts, stats, to], count, first) => {
    const shared = target(xs, ts, stats, w, options);
    runRows(gpu, {
      key: `crossEntropyGrad ${w !== null} ${smooth} ${reduction}${source.key}`,
      bindings: [
        ...shared.bindings,
        ...source.bindings,
        { name: 'stats', array: stats },
        { name: 'divisor', array: divisor },
        { name: 'out', array: to, writes: true },
      ],
      params: [
        ...shared.params,
        ...source.params,
        ['g_at: u32', g.offset + (reduction === 'none' ? first : 0)],
        ['d_at: u32', divisor.offset],
        ['out_at: u32', to.offset],
      ],
      rows: count,
      length: classes,
      declarations: source.declarations,
      body: () => `
let at = P.x_at + row * P.length;
${shared.read}
let own = (1.0 - P.smoothing) * ${shared.weight('own_class')};
${smooth ? `var every = 0.0;\nEACH(j) { every += ${shared.weight('j')}; }\nlet all_weights = SUM(every);` : 'let all_weights = 0.0;'}
let factor = ${source.at(`P.g_at${reduction === 'none' ? ' + row' : ''}`)}${reduction === 'mean' ? ' / divisor[P.d_at]' : ''};
let top = stats[P.stats_at + 2u * row];
let log_sum = stats[P.stats_at + 2u * row + 1u];
// 0 times the softmax: a NaN or an infinite logit shows in ignored rows too.
let nothing = select(0.0, f_nan(), isNan(log_sum));
EACH(j) {
  let p = f_exp(x[at + j] - top - log_sum);
  let hit = select(0.0, own, j == own_class);
  let value = factor * (p * (own + share * all_weights) - hit - share * ${shared.weight('j')});
  out[P.out_at + row * P.length + j] = select(value, nothing, ignored);
}`,
    });
  });
  return out;
}
