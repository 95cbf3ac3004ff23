/**
 * Runs golden cases of operators (computed by PyTorch) against the library. A torch name becomes ours by one rule:
 * snake_case to camelCase, keyword arguments to one trailing options object. Nothing here knows a single case but the
 * composite ones, whose Python text is translated by hand in goldenComposites.ts.
 */
import * as torch from '../src/index.ts';
import {
  backwardAll,
  checkGrads,
  checkOutputs,
  flatten,
  type GoldenCase,
  makeInputs,
  options,
  positional,
  sequenceOptions,
} from './goldenCases.ts';
import { composites, moduleComposites } from './goldenComposites.ts';
import { camelCase, lookUp } from './goldenLookUp.ts';
import { runModule, runOptimizer, runScheduler } from './goldenTraining.ts';

type Callable = (...args: unknown[]) => unknown;

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

async function runOp(c: GoldenCase): Promise<string[]> {
  const { bases, operands } = makeInputs(c.inputs);
  const before = await Promise.all(bases.map((x) => x.read()));
  const outputs = flatten(call(c, operands));
  const problems = await checkOutputs(c, outputs);
  if (problems.length === 0 && backwardAll(c, outputs)) problems.push(...(await checkGrads(c, bases)));
  const after = await Promise.all(bases.map((x) => x.read()));
  // Running statistics follow the batch, in PyTorch as here.
  const moves = /(batch|instance)_norm$/.test(c.op);
  after.forEach((now, i) => {
    if (moves && (i === 1 || i === 2)) return;
    if (before[i].some((v, at) => !Object.is(v, now[at]))) problems.push(`input ${i} was changed`);
  });
  return problems.length > 0 ? problems : checkMethod(c);
}

/** Every op that is both a function and a method must be the same as both. */
async function checkMethod(c: GoldenCase): Promise<string[]> {
  const method = camelCase(c.op);
  if (c.op === 'where') return []; // whose method has another order of arguments
  if (c.op === 'repeat_interleave' && c.args.length === 1 && Object.keys(c.kwargs).length === 0) return []; // no method
  if (c.op.includes('.') || c.op === 'getitem' || c.op === 'setitem' || c.op === 'composite') return [];
  const { operands } = makeInputs(c.inputs);
  const [self, ...rest] = positional(c, operands);
  if (!(self instanceof torch.Tensor) || !(method in self)) return [];
  const found = (self as unknown as { [name: string]: unknown })[method];
  if (typeof found !== 'function') return [`Tensor.${method} is no method`];
  const outputs = flatten(found.apply(self, [...rest, ...options(c.kwargs, operands)]));
  return (await checkOutputs(c, outputs)).map((problem) => `as a method: ${problem}`);
}

/** The call must throw one of our errors, and say what PyTorch's users search for. */
async function runError(c: GoldenCase): Promise<string[]> {
  const { operands } = makeInputs(c.inputs);
  const expected = c.raises ?? { type: '', message: '' };
  let caught: unknown = null;
  try {
    const outputs = flatten(call(c, operands));
    // A device that computes later tells of bad indices when values are read.
    await Promise.all(outputs.map((x) => x.read()));
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
export async function runCase(c: GoldenCase, device: string): Promise<string[]> {
  const before = torch.getDefaultDevice();
  torch.setDefaultDevice(device);
  try {
    if (c.kind === 'module') return await runModule(c);
    if (c.kind === 'optim') return await runOptimizer(c);
    if (c.kind === 'lr_scheduler') return await runScheduler(c);
    if (c.kind === 'error') return await runError(c);
    return await runOp(c);
  } finally {
    torch.setDefaultDevice(before);
  }
}
