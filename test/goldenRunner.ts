/**
 * Runs golden cases of operators (computed by PyTorch) against the library. A torch name becomes ours by one rule:
 * snake_case to camelCase, keyword arguments to one trailing options object. Nothing here knows a single case but the
 * composite ones, whose Python text is translated by hand in goldenComposites.ts.
 */
import * as torch from '../src/index.ts';
import { compare, compareOne, type ExpectedTensor, type Tolerance } from './goldenCompare.ts';
import { composites, moduleComposites } from './goldenComposites.ts';
import { camelCase, lookUp } from './goldenLookUp.ts';

export interface GoldenInput extends ExpectedTensor {
  requires_grad?: boolean;
  view?: ViewStep[];
}
interface ViewStep {
  slice?: [dim: number, start: number | null, end: number | null, step: number];
  transpose?: [number, number];
  expand?: number[];
  permute?: number[];
}
type State = { [name: string]: ExpectedTensor };
export interface GoldenCase {
  id: string;
  kind?: 'op' | 'composite' | 'optim' | 'lr_scheduler' | 'module' | 'error';
  op: string;
  inputs: GoldenInput[];
  args: unknown[];
  kwargs: { [name: string]: unknown };
  output?: ExpectedTensor | ExpectedTensor[];
  cotangent?: ExpectedTensor | (ExpectedTensor | null)[] | null;
  grads?: (ExpectedTensor | null)[] | null;
  tol?: Tolerance;
  output_exact?: boolean;
  python?: string;
  raises?: { type: string; message: string };
  state_dict?: State;
  state_after?: State;
  training?: boolean;
  forward_args?: unknown[];
  forward_kwargs?: { [name: string]: unknown };
  param_grads?: { [name: string]: ExpectedTensor | null };
  n_params?: number;
  steps?: number;
  param_groups?: { params: number[]; options: { [name: string]: unknown } }[];
  clip_grad_norm?: number;
  optimizer?: { op: string; kwargs: { [name: string]: unknown } };
  base_lrs?: number[];
  lambda?: string;
  metrics?: number[];
  report_momentum?: boolean;
}

/** A Python float without a fraction: JSON says `2.0`, which JavaScript could not tell from `2`. */
class WholeFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** Parses a golden file, keeping whole floats in arguments apart from integers. */
export function parseGolden(text: string): GoldenCase[] {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+\.0+(?=[,\]}\s])/g, (token) =>
    token.startsWith('"') ? token : `{"whole":${token}}`,
  );
  const unmark = (value: unknown, keep: boolean): unknown => {
    if (Array.isArray(value)) return value.map((v) => unmark(v, keep));
    if (typeof value !== 'object' || value === null) return value;
    if ('whole' in value) return keep ? new WholeFloat(Number(value.whole)) : value.whole;
    return Object.fromEntries(
      Object.entries(value).map(([key, v]) => [key, unmark(v, keep || key === 'args' || key === 'kwargs')]),
    );
  };
  const { cases } = unmark(JSON.parse(marked), false) as { cases: GoldenCase[] };
  return cases;
}

export const kindOf = (c: GoldenCase): string => (c.op === 'composite' ? 'composite' : (c.kind ?? 'op'));

type Callable = (...args: unknown[]) => unknown;

const isInfinite: { [text: string]: number } = { inf: Infinity, '-inf': -Infinity, nan: Number.NaN };

/** A JSON argument as a user would write it. */
function argument(value: unknown, inputs: readonly torch.Tensor[]): unknown {
  if (value instanceof WholeFloat) return value.value;
  if (typeof value === 'string') return value in isInfinite ? isInfinite[value] : value;
  if (Array.isArray(value)) return value.map((v) => argument(v, inputs));
  if (typeof value !== 'object' || value === null) return value;
  if ('$' in value) return inputs[Number(value.$)];
  if ('dtype' in value) return value.dtype;
  if ('ellipsis' in value) return '...';
  if ('slice' in value) {
    const [start, stop, step] = value.slice as (number | null)[];
    return torch.slice(start, stop, step);
  }
  throw new Error(`unknown argument ${JSON.stringify(value)}`);
}

function options(
  kwargs: { [name: string]: unknown } | undefined,
  inputs: readonly torch.Tensor[],
): unknown[] {
  const entries = Object.entries(kwargs ?? {});
  if (entries.length === 0) return [];
  return [Object.fromEntries(entries.map(([key, value]) => [camelCase(key), argument(value, inputs)]))];
}

/**
 * Arguments that JavaScript's single kind of number cannot tell apart are written as api.md says: a whole Python float
 * is a float tensor where only integer tensors meet it; Python's integers fill int64 tensors as bigints.
 */
function positional(c: GoldenCase, inputs: readonly torch.Tensor[]): unknown[] {
  const integersOnly = inputs.length > 0 && inputs.every((x) => !x.isFloatingPoint());
  const list = c.args.map((value) =>
    value instanceof WholeFloat && integersOnly ? torch.tensor(value.value) : argument(value, inputs),
  );
  if (
    c.op === 'full' &&
    typeof list[1] === 'number' &&
    !(c.args[1] instanceof WholeFloat) &&
    !('dtype' in c.kwargs)
  ) {
    if (Number.isInteger(list[1])) list[1] = BigInt(list[1]);
  }
  return list;
}

/** The dtype option that a sequence of whole floats needs. */
function sequenceOptions(c: GoldenCase): unknown[] {
  const floats = [...c.args, ...Object.values(c.kwargs)].some((v) => v instanceof WholeFloat);
  return c.op === 'arange' && floats && !('dtype' in c.kwargs) ? [{ dtype: 'float32' }] : [];
}

export function makeTensor(expected: ExpectedTensor): torch.Tensor {
  const { dtype, shape } = expected;
  const list = expected.data.map((v) => (typeof v === 'string' ? isInfinite[v] : Number(v)));
  if (dtype === 'int64') return torch.tensor(BigInt64Array.from(list, BigInt)).reshape(shape);
  return torch.tensor(Float64Array.from(list), { dtype: dtype as torch.DType }).reshape(shape);
}

interface Inputs {
  /** The stored tensors: what gradients refer to. */
  readonly bases: torch.Tensor[];
  /** After their view steps: what the op gets. */
  readonly operands: torch.Tensor[];
}

function makeInputs(list: readonly GoldenInput[]): Inputs {
  const bases = list.map((input) => {
    const x = makeTensor(input);
    if (input.requires_grad) x.requiresGrad = true;
    return x;
  });
  return { bases, operands: bases.map((x, i) => (list[i].view ?? []).reduce(viewStep, x)) };
}

function viewStep(x: torch.Tensor, step: ViewStep): torch.Tensor {
  if (step.slice) {
    const [dim, ...bounds] = step.slice;
    return x.index(...new Array<torch.Slice>(dim).fill(torch.slice()), torch.slice(...bounds));
  }
  if (step.transpose) return x.transpose(...step.transpose);
  if (step.expand) return x.expand(step.expand);
  if (step.permute) return x.permute(step.permute);
  throw new Error(`unknown view step ${JSON.stringify(step)}`);
}

/** Calls what the case names: a function, a method of the first argument, or an index expression. */
function call(c: GoldenCase, operands: readonly torch.Tensor[]): unknown {
  const args = [...positional(c, operands), ...options(c.kwargs, operands), ...sequenceOptions(c)];
  if (c.op === 'composite') return composites[c.python ?? ''](...operands);
  if (c.op === 'getitem')
    return (args[0] as torch.Tensor).index(...(args[1] as torch.IndexOf<torch.Tensor>[]));
  if (c.op === 'setitem') {
    const y = (args[0] as torch.Tensor).clone();
    return y.indexPut_(args[1] as torch.IndexOf<torch.Tensor>[], args[2] as torch.Tensor | number);
  }
  const target = lookUp(c.op) as Callable;
  if (!c.op.startsWith('Tensor.')) return target(...args);
  const [self, ...rest] = args;
  const receiver = c.op.endsWith('_') ? (self as torch.Tensor).clone() : self;
  return target.apply(receiver, rest);
}

/** Tensors of a result, depth first; named pairs give values, then indices. */
function flatten(result: unknown): torch.Tensor[] {
  if (result instanceof torch.Tensor) return [result];
  if (Array.isArray(result)) return result.flatMap(flatten);
  if (typeof result === 'object' && result !== null) return Object.values(result).flatMap(flatten);
  return [];
}

const listOf = <V>(value: V | V[] | null | undefined): V[] =>
  value === null || value === undefined ? [] : Array.isArray(value) ? value : [value];

function checkOutputs(c: GoldenCase, outputs: readonly torch.Tensor[]): string[] {
  return compare('output', outputs, listOf(c.output), c.tol, c.output_exact === true);
}

function backwardAll(c: GoldenCase, outputs: readonly torch.Tensor[]): boolean {
  if (c.cotangent === null || c.cotangent === undefined) return false;
  const cotangents = Array.isArray(c.cotangent) ? c.cotangent : [c.cotangent];
  const pairs = outputs.flatMap((y, i) => {
    const g = cotangents[i];
    return g && y.requiresGrad ? [{ y, g: makeTensor(g) }] : [];
  });
  if (pairs.length > 0) {
    torch.autograd.backward(
      pairs.map((p) => p.y),
      pairs.map((p) => p.g),
    );
  }
  return true;
}

function runOp(c: GoldenCase): string[] {
  const { bases, operands } = makeInputs(c.inputs);
  const outputs = flatten(call(c, operands));
  const problems = checkOutputs(c, outputs);
  if (problems.length === 0 && backwardAll(c, outputs)) problems.push(...checkGrads(c, bases));
  return problems.length > 0 ? problems : checkMethod(c);
}

/** Every op that is both a function and a method must be the same as both. */
function checkMethod(c: GoldenCase): string[] {
  const method = camelCase(c.op);
  if (c.op === 'where') return []; // whose method has another order of arguments
  if (c.op.includes('.') || c.op === 'getitem' || c.op === 'setitem' || c.op === 'composite') return [];
  const { operands } = makeInputs(c.inputs);
  const [self, ...rest] = positional(c, operands);
  if (!(self instanceof torch.Tensor) || !(method in self)) return [];
  const found = (self as unknown as { [name: string]: unknown })[method];
  if (typeof found !== 'function') return [`Tensor.${method} is no method`];
  const outputs = flatten(found.apply(self, [...rest, ...options(c.kwargs, operands)]));
  return checkOutputs(c, outputs).map((problem) => `as a method: ${problem}`);
}

function checkGrads(c: GoldenCase, bases: readonly torch.Tensor[]): string[] {
  return (c.grads ?? []).flatMap((expected, i) =>
    compareOne(`gradient of input ${i}`, bases[i].grad, expected, c.tol),
  );
}

interface ModuleLike {
  train(mode: boolean): unknown;
  loadStateDict(state: { [name: string]: torch.Tensor }): unknown;
  stateDict(): Iterable<[string, torch.Tensor]> | { [name: string]: torch.Tensor };
  namedParameters(): Iterable<[string, torch.Tensor]>;
  forward(...args: unknown[]): unknown;
}
type Constructor<T> = new (...args: unknown[]) => T;

const entriesOf = <V>(map: Iterable<[string, V]> | { [name: string]: V }): [string, V][] =>
  Symbol.iterator in map ? [...(map as Iterable<[string, V]>)] : Object.entries(map);

function runModule(c: GoldenCase): string[] {
  const { bases, operands } = makeInputs(c.inputs);
  const build = (): ModuleLike => {
    if (c.op === 'composite') return moduleComposites[c.python ?? '']() as ModuleLike;
    const Class = lookUp(c.op) as Constructor<ModuleLike>;
    return new Class(...positional(c, operands), ...options(c.kwargs, operands));
  };
  const module = build();
  const state = Object.entries(c.state_dict ?? {}).map(([name, value]): [string, torch.Tensor] => [
    name,
    makeTensor(value),
  ]);
  module.loadStateDict(Object.fromEntries(state));
  module.train(c.training !== false);
  const forwardArgs = (c.forward_args ?? []).map((v) => argument(v, operands));
  const outputs = flatten(module.forward(...forwardArgs, ...options(c.forward_kwargs, operands)));
  const problems = checkOutputs(c, outputs);
  if (problems.length > 0) return problems;
  if (backwardAll(c, outputs)) problems.push(...checkGrads(c, bases));
  const parameters = new Map(module.namedParameters());
  for (const [name, expected] of Object.entries(c.param_grads ?? {})) {
    const parameter = parameters.get(name);
    if (!parameter) problems.push(`no parameter ${name}; there are ${[...parameters.keys()].join(', ')}`);
    else problems.push(...compareOne(`gradient of ${name}`, parameter.grad, expected, c.tol));
  }
  const after = new Map(entriesOf(module.stateDict()));
  for (const [name, expected] of Object.entries(c.state_after ?? {})) {
    problems.push(...compareOne(`buffer ${name}`, after.get(name) ?? null, expected, c.tol));
  }
  return problems;
}

interface OptimizerLike {
  step(): unknown;
  zeroGrad(): unknown;
  readonly paramGroups: readonly { lr: number; momentum?: number; betas?: readonly number[] }[];
}

/** Minimises Σ ½·a·(p − c)², as every optimiser case does; compares all parameters after every step. */
function runOptimizer(c: GoldenCase): string[] {
  const { operands } = makeInputs(c.inputs);
  const n = c.n_params ?? 1;
  const params = operands.slice(0, n).map((p) => p.requiresGrad_());
  const Class = lookUp(c.op) as Constructor<OptimizerLike>;
  const groups = c.param_groups?.map((group) => ({
    params: group.params.map((i) => params[i]),
    ...(options(group.options, operands)[0] as object | undefined),
  }));
  const optimizer = new Class(groups ?? params, ...positional(c, operands), ...options(c.kwargs, operands));
  const outputs: torch.Tensor[] = [];
  for (let step = 0; step < (c.steps ?? 0); step++) {
    optimizer.zeroGrad();
    const terms = params.map((p, i) =>
      operands[n + i]
        .mul(p.sub(operands[2 * n + i]).pow(2))
        .sum()
        .mul(0.5),
    );
    terms.reduce((a, b) => a.add(b)).backward();
    if (c.clip_grad_norm !== undefined)
      (lookUp('nn.utils.clip_grad_norm_') as Callable)(params, c.clip_grad_norm);
    optimizer.step();
    outputs.push(...params.map((p) => p.detach().clone()));
  }
  return checkOutputs(c, outputs);
}

/** `lambda e: 0.9 ** e if e < 3 else 1` as a function; Python and JavaScript share the arithmetic of such bodies. */
function compileLambda(python: string): (epoch: number) => number {
  const [, name, body] = /^lambda (\w+): (.*)$/.exec(python) ?? [];
  const [, yes, condition, no] = /^(.*) if (.*) else (.*)$/.exec(body) ?? [];
  const floored = (text: string) => text.replace(/(\w+) \/\/ (\w+)/g, 'Math.floor($1 / $2)');
  const expression = condition
    ? `(${floored(condition)}) ? (${floored(yes)}) : (${floored(no)})`
    : floored(body);
  return new Function(name, `return ${expression};`) as (epoch: number) => number;
}

function runScheduler(c: GoldenCase): string[] {
  const settings = c.optimizer ?? { op: 'optim.SGD', kwargs: {} };
  const Optimizer = lookUp(settings.op) as Constructor<OptimizerLike>;
  const groups = (c.base_lrs ?? []).map((lr) => ({ params: [torch.zeros([1]).requiresGrad_()], lr }));
  const optimizer = new Optimizer(groups, {
    lr: 0.1,
    ...(options(settings.kwargs, [])[0] as object | undefined),
  });
  const Scheduler = lookUp(c.op) as Constructor<{ step(metric?: number): unknown }>;
  const lambda = c.lambda === undefined ? [] : [compileLambda(c.lambda)];
  const scheduler = new Scheduler(optimizer, ...lambda, ...positional(c, []), ...options(c.kwargs, []));
  const rates: number[][] = [];
  const momenta: number[][] = [];
  const note = () => {
    rates.push(optimizer.paramGroups.map((group) => group.lr));
    momenta.push(optimizer.paramGroups.map((group) => group.betas?.[0] ?? group.momentum ?? 0));
  };
  note();
  for (let step = 0; step < (c.steps ?? 0); step++) {
    optimizer.step();
    scheduler.step(...(c.metrics ? [c.metrics[step]] : []));
    note();
  }
  const doubles = (rows: number[][]) => torch.tensor(rows, { dtype: 'float64' });
  return checkOutputs(c, c.report_momentum ? [doubles(rates), doubles(momenta)] : [doubles(rates)]);
}

/** The call must throw one of our errors, and say what PyTorch's users search for. */
function runError(c: GoldenCase): string[] {
  const { operands } = makeInputs(c.inputs);
  const expected = c.raises ?? { type: '', message: '' };
  let caught: unknown = null;
  try {
    call(c, operands);
  } catch (error) {
    caught = error;
  }
  if (caught === null) return [`expected ${expected.type}: ${expected.message}; nothing was thrown`];
  if (!(caught instanceof torch.WasmgradError))
    return [`expected an error of this library, but got ${String(caught)}`];
  const problems: string[] = [];
  if (expected.type === 'IndexError' && !(caught instanceof torch.IndexError))
    problems.push(`expected an IndexError, but got ${caught.name}`);
  const said = caught.message.toLowerCase();
  const words = expected.message.toLowerCase().match(/[a-z]{3,}|\d+/g) ?? [];
  const missing = words.filter((word) => !said.includes(word));
  if (missing.length > 0.25 * words.length)
    problems.push(`"${caught.message}" lacks ${missing.join(', ')} of "${expected.message}"`);
  return problems;
}

/** Why a case cannot be run at all; null if it can. */
export function missingFor(c: GoldenCase): string | null {
  if (c.op === 'composite') {
    const known = c.kind === 'module' ? moduleComposites : composites;
    if (!((c.python ?? '') in known)) return 'unknown composite';
    return c.kind === 'module' && lookUp('nn.Sequential') === undefined ? 'no nn.Sequential' : null;
  }
  const names = c.optimizer ? [c.op, c.optimizer.op] : [c.op];
  const absent = names.filter((name) => lookUp(name) === undefined);
  return absent.length > 0 ? `no ${absent.join(', ')}` : null;
}

/** What is wrong with our answer to a case on a device; nothing if all is well. */
export function runCase(c: GoldenCase, device: string): string[] {
  const before = torch.getDefaultDevice();
  torch.setDefaultDevice(device);
  try {
    if (c.kind === 'module') return runModule(c);
    if (c.kind === 'optim') return runOptimizer(c);
    if (c.kind === 'lr_scheduler') return runScheduler(c);
    if (c.kind === 'error') return runError(c);
    return runOp(c);
  } finally {
    torch.setDefaultDevice(before);
  }
}
