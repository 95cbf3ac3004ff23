// Writes docs/compatibility.md: each PyTorch name of the golden files with what runs here say about it. A name without
// a golden file is only listed. `npm run docs:compatibility`
import fs from 'node:fs';
import * as torch from '../src/index.ts';
import {
  flatten,
  type GoldenCase,
  makeInputs,
  options,
  parseGolden,
  positional,
} from '../test/goldenCases.ts';
import { camelCase, lookUp } from '../test/goldenLookUp.ts';
import { missingFor, runCase } from '../test/goldenRunner.ts';

type Callable = (...args: unknown[]) => unknown;
const DTYPES: readonly torch.DType[] = [
  'float32',
  'float64',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint8',
  'bool',
];

/** Where we differ from PyTorch on purpose, by torch name. */
const DIFFERENCES: { readonly [name: string]: string } = {
  setitem: '`x.indexPut_([…], values)`; values of another dtype are converted',
  topk: 'equal elements come in the order of their positions',
  kthvalue: 'of equal elements the first is named',
  prod: 'a gradient next to NaN or an infinity is the product of the others, not a quotient of NaNs',
  'nn.functional.cross_entropy': 'NaN among the logits of an ignored target leaves its gradient 0',
  'nn.functional.softshrink': 'NaN stays NaN',
  'nn.functional.mse_loss': 'input and target may have different dtypes, in backward too',
  getitem:
    '`x.index(…)`; slices are `torch.slice(start, stop, step)`, a new axis is `null`, the ellipsis `"..."`',
  where: 'as a method: `a.where(condition, b)`',
  split: 'the sizes of a split are a number or a list',
  full: 'a whole JavaScript number makes float32; a bigint makes int64',
  arange: 'whole numbers make int64; give a dtype for floats',
  tensor: 'numbers make float32, bigints int64, booleans bool, typed arrays their own dtype',
};

/** What the golden cases did on the device webgpu, as test/unit/goldenWebGPU.test.ts writes it; null if it did not run. */
interface GPURun {
  readonly adapter: string;
  readonly ops: {
    readonly [op: string]: { passed: number; failed: number; float64: number; fallbacks: number };
  };
}
const GPU_RUN = 'build/golden/webgpu.json';
const gpuRun: GPURun | null = fs.existsSync(GPU_RUN) ? JSON.parse(fs.readFileSync(GPU_RUN, 'utf8')) : null;

/** Cases that came out right of all, those that must be refused included, and whether some went through the host. */
function onGPU(name: string): string {
  const outcome = gpuRun?.ops[name];
  if (outcome === undefined) return '';
  const { passed, failed, float64, fallbacks } = outcome;
  const right = failed === 0 ? `${passed}` : `${passed} of ${passed + failed}`;
  const notes = [fallbacks > 0 ? 'host' : '', float64 > 0 ? `${float64} float64` : ''].filter(
    (x) => x !== '',
  );
  return notes.length > 0 ? `${right} (${notes.join(', ')})` : right;
}

const folder =
  process.env.GOLDEN_DIR ?? (fs.existsSync('../shared/golden') ? '../shared/golden' : 'test/golden');
const cases = fs
  .readdirSync(folder)
  .filter((file) => /^ops.*\.json$/.test(file))
  .flatMap((file) => parseGolden(fs.readFileSync(`${folder}/${file}`, 'utf8')));

function attempt<R>(body: () => R): R | null {
  try {
    return body();
  } catch {
    return null;
  }
}

function call(c: GoldenCase, operands: readonly torch.Tensor[]): torch.Tensor[] {
  const args = [...positional(c, operands), ...options(c.kwargs, operands)];
  const [self, ...rest] = args as [torch.Tensor, ...unknown[]];
  if (c.op === 'getitem') return flatten(self.index(...(rest[0] as torch.IndexOf<torch.Tensor>[])));
  if (c.op === 'setitem')
    return flatten(self.clone().indexPut_(rest[0] as torch.IndexOf<torch.Tensor>[], rest[1] as torch.Tensor));
  const target = lookUp(c.op) as Callable;
  if (!c.op.startsWith('Tensor.')) return flatten(target(...args));
  return flatten(target.apply(c.op.endsWith('_') ? self.clone() : self, rest));
}

/** Dtypes of the first input that the op takes, alone or with all inputs that have the same. */
function dtypesOf(c: GoldenCase): string {
  if (c.inputs.length === 0) return '';
  const takes = (dtype: torch.DType, together: boolean): true | null =>
    attempt(() => {
      const { operands } = makeInputs(c.inputs.map((x) => ({ ...x, requires_grad: false })));
      const own = operands[0].dtype;
      const converts = (x: torch.Tensor, i: number) => i === 0 || (together && x.dtype === own);
      call(
        c,
        operands.map((x, i) => (converts(x, i) ? x.to(dtype) : x)),
      );
      return true;
    });
  const taken = DTYPES.filter((dtype) => takes(dtype, false) ?? takes(dtype, true));
  if (taken.length === DTYPES.length) return 'all';
  return taken.join() === 'float32,float64' ? 'floating' : taken.join(', ');
}

/** gradgradcheck in double precision: 'yes', 'no', or what makes it meaningless. */
function secondDerivative(list: readonly GoldenCase[]): string {
  const c = list.find((x) => x.cotangent && x.inputs.reduce((n, y) => n + y.data.length, 0) <= 80);
  if (c === undefined) return list.some((x) => x.cotangent) ? 'not checked' : '';
  const { operands } = makeInputs(
    c.inputs.map((x) => (x.dtype === 'float32' ? { ...x, dtype: 'float64' } : x)),
  );
  const wanted = operands
    .filter((x) => x.requiresGrad && x.dtype === 'float64')
    .map((x) => x.detach().requiresGrad_());
  if (wanted.length === 0) return '';
  const fn = (...moving: torch.Tensor[]): torch.Tensor[] => {
    let at = 0;
    const inputs = operands.map((x) => (x.requiresGrad && x.dtype === 'float64' ? moving[at++] : x.detach()));
    return call(c, inputs).filter((y) => y.isFloatingPoint());
  };
  const passed = attempt(() =>
    torch.autograd.gradgradcheck(fn, wanted, { raiseException: false, atol: 1e-3 }),
  );
  return passed === true ? 'yes' : 'not here';
}

async function rowOf(name: string, list: readonly GoldenCase[]): Promise<string> {
  const missing = missingFor(list[0]);
  const answers = list.filter((c) => c.kind !== 'error');
  const right = async (device: string): Promise<number> => {
    let count = 0;
    for (const c of list) {
      if (missingFor(c) !== null) continue;
      const problems = await runCase(c, device).catch((error) => [String(error)]);
      if (problems.length === 0) count++;
    }
    return count;
  };
  const ours =
    name === 'getitem'
      ? 'Tensor.index'
      : name === 'setitem'
        ? 'Tensor.indexPut_'
        : name.split('.').map(camelCase).join('.');
  const cpu = await right('cpu');
  const reference = await right('reference');
  const isOp = (answers[0]?.kind ?? 'op') === 'op';
  const backward = answers.some((c) => c.cotangent) ? 'yes' : isOp ? '' : 'yes';
  const second = isOp ? secondDerivative(answers) : '';
  const dtypes = isOp && answers[0] ? dtypesOf(answers[0]) : '';
  const forward =
    missing ??
    (cpu === list.length && reference === list.length
      ? `${cpu}`
      : `${cpu} and ${reference} of ${list.length}`);
  return `| \`${name}\` | \`${ours}\` | ${forward} | ${onGPU(name)} | ${backward} | ${second} | ${dtypes} | ${DIFFERENCES[name] ?? ''} |`;
}

const byName = new Map<string, GoldenCase[]>();
for (const c of cases.filter((x) => x.op !== 'composite')) byName.set(c.op, [...(byName.get(c.op) ?? []), c]);
const rows: string[] = [];
for (const [name, list] of [...byName].sort(([a], [b]) => (a < b ? -1 : 1)))
  rows.push(await rowOf(name, list));

const names = (object: object): string =>
  Object.keys(object)
    .filter((name) => !byName.has(name))
    .sort()
    .map((name) => `\`${name}\``)
    .join(', ');
const methods = new Set<string>();
for (
  let at: object | null = torch.Tensor.prototype;
  at && at !== Object.prototype;
  at = Object.getPrototypeOf(at)
)
  for (const name of Object.getOwnPropertyNames(at)) if (name !== 'constructor') methods.add(name);

fs.writeFileSync(
  'docs/compatibility.md',
  `# Compatibility with PyTorch

Written by \`npm run docs:compatibility\` from the code and from answers that PyTorch computed. A number under *forward* is
how many of PyTorch's answers (values, dtypes, shapes, gradients, errors) come out the same on the Wasm core (\`'cpu'\`)
and on the reference backend (\`'reference'\`). *Second* is \`gradgradcheck\` in double precision at the first such case
('not here': the case lies at a kink, or the second derivative is nowhere defined). *Dtypes* are those that the first operand may have.

${
  gpuRun === null
    ? 'The column *webgpu* is empty: the golden cases did not run on a GPU before this page was written ' +
      '(`npm test -- --project node goldenWebGPU`).'
    : 'Under *webgpu* stands how many came out the same on a GPU ' +
      `(${gpuRun.adapter}): *host* marks ops that computed on the processor because their result has a size that ` +
      'depends on values, *float64* counts cases that GPUs have no such numbers for, and which throw.'
}

| PyTorch | here | forward | webgpu | backward | second | dtypes | differences |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}

## Everything by name

\`torch\`: ${names(torch)}

Methods of \`Tensor\`: ${[...methods]
    .sort()
    .map((name) => `\`${name}\``)
    .join(', ')}

\`torch.nn\`: ${names(torch.nn)}

\`torch.nn.functional\`: ${names(torch.nn.functional)}

\`torch.nn.init\`: ${names(torch.nn.init)}

\`torch.nn.utils\`: ${names(torch.nn.utils)}; \`torch.nn.utils.rnn\`: ${names(torch.nn.utils.rnn)}

\`torch.optim\`: ${names(torch.optim)}

\`torch.optim.lrScheduler\`: ${names(torch.optim.lrScheduler)}

\`torch.distributions\`: ${names(torch.distributions)}

\`torch.autograd\`: ${names(torch.autograd)}; \`torch.autograd.functional\`: ${names(torch.autograd.functional)}
`,
);
console.log(`docs/compatibility.md: ${rows.length} names`);
