/** Golden cases that train: modules with their parameters' gradients, optimisers step by step, schedules of rates. */
import * as torch from '../src/index.ts';
import {
  argument,
  backwardAll,
  checkGrads,
  checkOutputs,
  flatten,
  type GoldenCase,
  makeInputs,
  makeTensor,
  options,
  positional,
} from './goldenCases.ts';
import { compareOne } from './goldenCompare.ts';
import { moduleComposites } from './goldenComposites.ts';
import { lookUp } from './goldenLookUp.ts';

type Callable = (...args: unknown[]) => unknown;

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

export async function runModule(c: GoldenCase): Promise<string[]> {
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
  const problems = await checkOutputs(c, outputs);
  if (problems.length > 0) return problems;
  if (backwardAll(c, outputs)) problems.push(...(await checkGrads(c, bases)));
  const parameters = new Map(module.namedParameters());
  for (const [name, expected] of Object.entries(c.param_grads ?? {})) {
    const parameter = parameters.get(name);
    if (!parameter) problems.push(`no parameter ${name}; there are ${[...parameters.keys()].join(', ')}`);
    else problems.push(...(await compareOne(`gradient of ${name}`, parameter.grad, expected, c.tol)));
  }
  const after = new Map(entriesOf(module.stateDict()));
  for (const [name, expected] of Object.entries(c.state_after ?? {})) {
    problems.push(...(await compareOne(`buffer ${name}`, after.get(name) ?? null, expected, c.tol)));
  }
  return problems;
}

interface OptimizerLike {
  step(): unknown;
  zeroGrad(): unknown;
  readonly paramGroups: readonly { lr: number; momentum?: number; betas?: readonly number[] }[];
}

/** Minimises Σ ½·a·(p − c)², as every optimiser case does; compares all parameters after every step. */
export async function runOptimizer(c: GoldenCase): Promise<string[]> {
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

export async function runScheduler(c: GoldenCase): Promise<string[]> {
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
