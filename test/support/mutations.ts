/**
 * Golden cases changed at random: other dtypes, sizes, arguments, values and memory layouts. What an answer should be
 * nobody knows, but the Wasm core and the reference backend must give the same one, or both refuse.
 */
import * as torch from '../../src/index.ts';
import {
  flatten,
  type GoldenCase,
  makeInputs,
  options,
  positional,
  sequenceOptions,
} from '../goldenCases.ts';
import { lookUp } from '../goldenLookUp.ts';

/** Everything random about one run; each number is in [0, 1). */
export interface Mutation {
  readonly which: number;
  readonly kind: 'layout' | 'dtype' | 'values' | 'special' | 'arguments' | 'size' | 'empty';
  readonly choices: readonly number[];
}

type Layout = 'plain' | 'transposed' | 'strided' | 'offset' | 'expanded';
type Callable = (...args: unknown[]) => unknown;

const DTYPES = ['float32', 'float64', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool'] as const;
const LAYOUTS: readonly Layout[] = ['plain', 'plain', 'transposed', 'strided', 'offset', 'expanded'];
/** Floats at which formulas break: not numbers, infinities, the two zeros, denormals. */
const SPECIAL = ['nan', 'inf', '-inf', 0, -0, 1e-40, -1e-42];
/** Drawn values differ from call to call, and uninitialised memory is arbitrary. */
const RANDOM =
  /dropout|rand|gumbel|rrelu|multinomial|bernoulli|normal|poisson|empty|Tensor\.(uniform|exponential|geometric|log_normal|cauchy|random)_/;

export const isMutable = (c: GoldenCase): boolean =>
  (c.kind ?? 'op') === 'op' && c.op !== 'composite' && !RANDOM.test(c.op);

/** The case with one thing changed, and the layout of each input. */
export function mutated(base: GoldenCase, { kind, choices }: Mutation): { c: GoldenCase; layouts: Layout[] } {
  let at = 0;
  const next = () => choices[at++ % choices.length];
  const pick = <V>(list: readonly V[]): V => list[Math.floor(next() * list.length)];
  const inputs = base.inputs.map((x) => ({ ...x, shape: [...x.shape], data: [...x.data] }));
  const c: GoldenCase = { ...base, inputs };
  // Weights that add up to nearly nothing are divided by, with as many right answers as there are roundings.
  const divides = /cross_?entropy|nll_?loss/i.test(base.op);
  const isFree = (x: (typeof inputs)[number]) =>
    x.dtype.startsWith('float') && !(divides && inputs.indexOf(x) >= 2);
  const other = (value: unknown): unknown => {
    if (typeof value === 'boolean') return pick([value, !value]);
    if (typeof value === 'number' && Number.isInteger(value))
      return pick([value, value, -value, value + 1, value - 1, -1, 0, 2]);
    return Array.isArray(value) && next() < 0.5 ? value.map(other) : value;
  };
  if (kind === 'dtype' && inputs.length > 0) {
    const x = pick(inputs);
    x.dtype = pick(DTYPES);
    if (!x.dtype.startsWith('float')) {
      x.requires_grad = false;
      x.data = x.data.map((v) => whole(typeof v === 'string' ? 0 : Math.trunc(Number(v)), x.dtype));
    }
  } else if (kind === 'values') {
    for (const x of inputs.filter(isFree))
      x.data = x.data.map((v) => pick([0, -0, 1, -1, 0.5, 2.5, -2.5, 3, v, v]));
  } else if (kind === 'special') {
    for (const x of inputs.filter(isFree)) x.data = x.data.map((v) => (next() < 0.25 ? pick(SPECIAL) : v));
  } else if (kind === 'empty') {
    const sizes = inputs.flatMap((x) => x.shape);
    const from = sizes.length > 0 ? pick(sizes) : 0;
    for (const x of inputs.filter((x) => !x.view && x.shape.includes(from))) {
      x.shape = x.shape.map((n) => (n === from ? 0 : n));
      x.data = [];
    }
  } else if (kind === 'arguments') {
    c.args = base.args.map((v) => (next() < 0.5 ? other(v) : v));
    c.kwargs = Object.fromEntries(
      Object.entries(base.kwargs ?? {}).map(([k, v]) => [k, next() < 0.4 ? other(v) : v]),
    );
  } else if (kind === 'size') {
    const sizes = inputs.flatMap((x) => x.shape);
    const from = sizes.length > 0 ? pick(sizes) : 0;
    const to = pick([0, 1, 2, 3, 5, 8, 17]);
    for (const x of inputs.filter((x) => !x.view)) {
      x.shape = x.shape.map((n) => (n === from ? to : n));
      const count = x.shape.reduce((a, b) => a * b, 1);
      const fill = x.dtype.startsWith('float') ? 0.5 : 0;
      const { data } = x;
      x.data = Array.from({ length: count }, (_, i) => (data.length > 0 ? data[i % data.length] : fill));
    }
  }
  const layouts = inputs.map((x): Layout => (x.view ? 'plain' : pick(LAYOUTS)));
  for (const [i, x] of inputs.entries()) if (layouts[i] === 'expanded') repeatFirst(x);
  return { c, layouts };
}

/** Every row becomes the first one, so that the tensor can be had by expanding that. */
function repeatFirst(x: GoldenCase['inputs'][number]): void {
  const row = x.shape.slice(1).reduce((a, b) => a * b, 1);
  if (x.shape.length > 0) x.data = x.data.map((_, i) => x.data[i % row]);
}

const whole = (n: number, dtype: string): number | boolean => {
  if (dtype === 'bool') return n !== 0;
  return dtype === 'uint8' ? Math.abs(n) % 256 : Math.max(-100, Math.min(100, n));
};

/** The same elements in another layout. */
function laidOut(x: torch.Tensor, layout: Layout): torch.Tensor {
  const { ndim } = x;
  const raw = x.detach();
  const make = (): torch.Tensor => {
    if (layout === 'transposed' && ndim >= 2)
      return raw
        .transpose(0, ndim - 1)
        .contiguous()
        .transpose(0, ndim - 1);
    if (layout === 'strided' && ndim >= 1) return torch.stack([raw, raw], -1).select(-1, 1);
    if (layout === 'offset' && ndim >= 1 && raw.shape[0] > 0)
      return torch.cat([raw.narrow(0, 0, 1), raw], 0).narrow(0, 1, raw.shape[0]);
    if (layout === 'expanded' && ndim >= 1 && raw.shape[0] > 0) return raw.narrow(0, 0, 1).expand(raw.shape);
    return raw;
  };
  const y = make();
  return x.requiresGrad ? y.requiresGrad_() : y;
}

function call(c: GoldenCase, operands: readonly torch.Tensor[]): unknown {
  const args = [...positional(c, operands), ...options(c.kwargs, operands), ...sequenceOptions(c)];
  const [self, ...rest] = args as [torch.Tensor, ...unknown[]];
  if (c.op === 'getitem') return self.index(...(rest[0] as torch.IndexOf<torch.Tensor>[]));
  if (c.op === 'setitem')
    return self.clone().indexPut_(rest[0] as torch.IndexOf<torch.Tensor>[], rest[1] as torch.Tensor | number);
  const target = lookUp(c.op) as Callable;
  if (!c.op.startsWith('Tensor.')) return target(...args);
  return target.apply(c.op.endsWith('_') ? self.clone() : self, rest);
}

interface Outcome {
  readonly error: unknown;
  readonly results: readonly (torch.Tensor | null)[];
  readonly problem: string | null;
}

/** Calls the op on a device, and backward with uneven gradients. */
function run(c: GoldenCase, layouts: readonly Layout[], device: string): Outcome {
  const before = torch.getDefaultDevice();
  torch.setDefaultDevice(device);
  try {
    const operands = makeInputs(c.inputs).operands.map((x, i) => laidOut(x, layouts[i]));
    const values = operands.map((x) => x.data);
    const outputs = flatten(call(c, operands));
    const changed = operands.findIndex((x, i) => {
      const now = x.data;
      return values[i].some((v, k) => !Object.is(v, now[k]));
    });
    const roots = outputs.filter((y) => y.requiresGrad);
    const weights = roots.map((y) =>
      torch.arange(y.numel(), { dtype: 'float64' }).mul(0.37).add(0.5).sin().to(y.dtype).reshape(y.shape),
    );
    if (roots.length > 0) torch.autograd.backward(roots, weights);
    const statistics = c.op.endsWith('batch_norm') || c.op.endsWith('instance_norm');
    const problem =
      changed >= 0 && !c.op.endsWith('_') && !statistics ? `input ${changed} was changed` : null;
    // The quotient that a remainder's gradient is rounded from depends on the precision of the division; what is divided by what
    // lies between values that are nearly equal, on every rounding.
    const grads = /fmod|remainder|linalg\.(?!norm|vector|multi|cross|diag|matmul|matrixPower)/.test(c.op)
      ? []
      : operands.map((x) => x.grad);
    return { error: null, results: [...outputs, ...grads], problem };
  } catch (error) {
    return { error, results: [], problem: null };
  } finally {
    torch.setDefaultDevice(before);
  }
}

function difference(got: torch.Tensor | null, wanted: torch.Tensor | null): string | null {
  if (got === null || wanted === null)
    return got === wanted ? null : 'one has a gradient, the other has none';
  if (got.dtype !== wanted.dtype) return `dtype ${got.dtype} instead of ${wanted.dtype}`;
  if (got.shape.join() !== wanted.shape.join()) return `shape [${got.shape}] instead of [${wanted.shape}]`;
  const tolerance = got.dtype === 'float32' ? 5e-4 : got.dtype === 'float64' ? 1e-6 : 0;
  const [a, b] = [Array.from(got.data, Number), Array.from(wanted.data, Number)];
  const i = a.findIndex(
    (v, k) => !(Object.is(v, b[k]) || v === b[k] || Math.abs(v - b[k]) <= tolerance * (1 + Math.abs(b[k]))),
  );
  return i < 0 ? null : `element ${i} is ${a[i]} instead of ${b[i]}`;
}

/** What is wrong about a mutated case; null if nothing is. */
export function disagreement(base: GoldenCase, mutation: Mutation): string | null {
  const { c, layouts } = mutated(base, mutation);
  const wasm = run(c, layouts, 'cpu');
  const reference = run(c, layouts, 'reference');
  for (const { error, problem } of [wasm, reference]) {
    if (error !== null && !(error instanceof torch.WasmgradError)) return `threw ${String(error)}`;
    if (problem !== null) return problem;
  }
  if ((wasm.error === null) !== (reference.error === null))
    return `the Wasm core: ${String(wasm.error ?? 'no error')}; the reference: ${String(reference.error ?? 'no error')}`;
  if (wasm.results.length !== reference.results.length) return 'another number of results';
  for (const [i, result] of wasm.results.entries()) {
    const problem = difference(result, reference.results[i]);
    if (problem !== null) return `result or gradient ${i}: ${problem}`;
  }
  return null;
}

/** The call, to reproduce it by hand. */
export function describeMutation(base: GoldenCase, mutation: Mutation): string {
  const { c, layouts } = mutated(base, mutation);
  const inputs = c.inputs.map((x, i) => `${x.dtype}[${x.shape}] ${layouts[i]}`).join(', ');
  return `${c.id} (${mutation.kind}): ${inputs}; args ${JSON.stringify(c.args)}, kwargs ${JSON.stringify(c.kwargs)}`;
}
