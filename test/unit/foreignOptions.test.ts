/**
 * Options of another function are refused by every public one that takes options: in plain JavaScript nothing else would say
 * so, and PyTorch raises `got an unexpected keyword argument`. What is behind the last argument that a function declares no
 * function of JavaScript looks at, `x.sin({ … })` neither.
 */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { methods, namespaces, others } from '../support/makerCalls.ts';
import {
  type Argument,
  Dim,
  functionalCalls,
  linalgCalls,
  makeArgument,
  methodCalls,
  NO_OP_METHODS,
  NO_OPS,
  parseCall,
  torchCalls,
} from '../support/opCalls.ts';

type Callable = (...args: unknown[]) => unknown;

/** Real options, of which no function here has more than one. */
const FOREIGN = ['nesterov', 'largest', 'idempotent'];
/** Those who have one of them. */
const OWN = /^(optim\.(SGD|Muon)|(Tensor\.)?topk)$/;

/** What takes any number of tensors takes an object behind them for one, and says that it is none. */
const ANY_NUMBER =
  /^(blockDiag|broadcastTensors|cartesianProd|chainMatmul|einsum|data\.(Stack|Tensor)Dataset)$/;
/** Public functions without a row: their arguments are functions, names and states, or nothing at all. */
const WITHOUT_ROW = {
  // What other modules of the library need of them.
  internal:
    'nn.ConvLayer nn.NonDynamicallyQuantizableLinear nn.noteParameters nn.utils.rnn.PackedSequence ' +
    'optim.lrScheduler.LRScheduler optim.Optimizer data.Dataset data.IterableDataset data.Sampler distributions.Distribution distributions.Transform',
  // No function of these has options: what follows their arguments is behind the last one.
  fixed:
    'nn.init.calculateFanInAndFanOut nn.summary nn.utils.rnn.unpackSequence data.defaultCollate ' +
    'distributions.klDivergence distributions.registerKl ' +
    'autograd.Function autograd.enableGrad autograd.inferenceMode autograd.isAnomalyEnabled autograd.isGradEnabled ' +
    'autograd.isInferenceModeEnabled autograd.noGrad autograd.setGradEnabled',
};

const isClass = (value: unknown): boolean => /^class\b/.test(Function.prototype.toString.call(value));

function plainValue(value: unknown): unknown {
  if (value instanceof Dim) return value.value;
  if (typeof value === 'string' && value.startsWith('@'))
    return makeArgument(parseCall(value)[0] as Extract<Argument, { kind: 'tensor' }>);
  if (value === 'Float32Array') return new Float32Array(2);
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plainValue(each)]));
}

const argumentsOf = (row: string): unknown[] =>
  parseCall(row).map((argument) => {
    if (argument.kind === 'tensor') return makeArgument(argument);
    return argument.kind === 'tensors'
      ? argument.items.map((item) => makeArgument(item))
      : plainValue(argument.value);
  });

/** The parameters that a function declares: without end where it takes a list, the parent's where a class has no constructor. */
function declared(f: object): number {
  const text = Function.prototype.toString.call(f);
  const start = isClass(f) ? text.search(/^\s+constructor\(/m) : 0;
  if (start < 0) return declared(Object.getPrototypeOf(f));
  let [count, depth, filled] = [0, 0, false];
  for (let i = text.indexOf('(', start); i < text.length; i++) {
    if (depth === 1 && text.startsWith('...', i)) return Infinity;
    if ('([{'.includes(text[i])) depth++;
    else if (')]}'.includes(text[i])) depth--;
    else if (depth > 0 && /\S/.test(text[i])) filled = true;
    if (depth === 1 && text[i] === ',') count++;
    if (depth === 0) break;
  }
  return count + Number(filled);
}

interface Call {
  readonly name: string;
  readonly run: Callable;
  readonly most: number;
  readonly make: () => unknown[];
}
const calls: Call[] = [];
/** Public functions without a row. */
const unlisted: string[] = [];

const { Tensor, linalg, nn } = torch;
const methodNames = new Set<string>();
for (let at: object = Tensor.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at))
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
    if (typeof value === 'function' && name !== 'constructor') methodNames.add(name);
const rowIn = (rows: { readonly [name: string]: string }, name: string): string | undefined =>
  Object.hasOwn(rows, name) ? rows[name] : undefined;
const methodRow = (name: string): string | undefined =>
  rowIn(methodCalls, name) ??
  rowIn(torchCalls, name) ??
  (name.endsWith('_') ? rowIn(torchCalls, name.slice(0, -1)) : undefined);

for (const name of methodNames) {
  const method = Reflect.get(Tensor.prototype, name) as Callable;
  const row = methodRow(name);
  const own = Object.hasOwn(methods, name) ? methods[name] : undefined;
  const make = own ?? (row === undefined ? undefined : () => argumentsOf(row));
  const run: Callable = (self, ...rest) => method.apply(self, rest);
  if (make) calls.push({ name: `Tensor.${name}`, run, most: 1 + declared(method), make });
  else unlisted.push(`Tensor.${name}`);
}
const functions = (prefix: string, space: object, rowOf: (name: string) => string | undefined): void => {
  for (const [name, run] of Object.entries(space)) {
    if (typeof run !== 'function' || isClass(run)) continue;
    const row = rowOf(name);
    // A function in place passes on to the method whatever comes.
    const method = name.endsWith('_') && prefix === '' ? Reflect.get(Tensor.prototype, name) : undefined;
    const most = method === undefined ? declared(run) : 1 + declared(method as object);
    const own = prefix === '' && Object.hasOwn(others, name) ? others[name] : undefined;
    const make = own ?? (row === undefined ? undefined : () => argumentsOf(row));
    if (make) calls.push({ name: prefix + name, run, most, make });
    else unlisted.push(prefix + name);
  }
};
functions('', torch, (name) => torchCalls[name] ?? (name.endsWith('_') ? methodRow(name) : undefined));
functions('linalg.', linalg, (name) => linalgCalls[name]);
functions('nn.functional.', nn.functional, (name) => functionalCalls[name]);
for (const [prefix, [space, rows]] of Object.entries(namespaces)) {
  for (const [name, value] of Object.entries(space)) {
    if (typeof value !== 'function') continue;
    const run = isClass(value) ? (...args: unknown[]) => Reflect.construct(value, args) : (value as Callable);
    if (rows[name] === undefined) unlisted.push(`${prefix}.${name}`);
    else calls.push({ name: `${prefix}.${name}`, run, most: declared(value), make: rows[name] });
  }
}

const succeeds = (run: () => unknown): boolean => {
  try {
    run();
    return true;
  } catch {
    return false;
  }
};

/** What a call with an option of another function does, behind as many arguments as it can do with. */
function problems({ run, make, most, name }: Call): string[] {
  const found: string[] = [];
  const whole = make().length;
  for (let n = Math.min(whole, most - 1); n >= 0; n--) {
    const behind: unknown = make()[n - 1];
    // A row may end with options: two objects are none of our forms.
    const hasOptions = Object.getPrototypeOf(Object(behind)) === Object.prototype;
    if (hasOptions || !succeeds(() => run(...make().slice(0, n)))) continue;
    for (const option of FOREIGN) {
      try {
        run(...make().slice(0, n), { [option]: true });
        found.push(`${name} behind ${n}: ${option} is taken silently`);
      } catch (error) {
        const known = ANY_NUMBER.test(name) ? 'Object' : option;
        const told = error instanceof torch.ArgumentError && error.message.includes(known);
        if (!told) found.push(`${name} behind ${n}: ${error}`);
      }
    }
  }
  return found;
}

describe('options of other functions', () => {
  const listed = calls.filter(({ name }) => !OWN.test(name));

  it('are looked for in every public function', () => {
    const without = new Set(Object.values(WITHOUT_ROW).flatMap((names) => names.split(' ')));
    const missing = unlisted.filter(
      (name) => !without.has(name) && !NO_OPS.has(name) && !NO_OP_METHODS.has(name.replace('Tensor.', '')),
    );
    expect(missing).toEqual([]);
    expect(listed.length).toBeGreaterThan(1000);
    expect(
      listed.filter((call) => !succeeds(() => call.run(...call.make()))).map(({ name }) => name),
    ).toEqual([]);
  });

  it('are refused', () => {
    expect(listed.flatMap(problems)).toEqual([]);
  });

  it.each<[string, () => unknown, string]>([
    [
      'by a reduction',
      () => torch.ones(2).sum({ largest: true } as never),
      "sum: got an unexpected option 'largest'; it has dim, keepdim, dtype",
    ],
    [
      'by a module',
      () => new nn.Linear(2, 3, { nesterov: true } as never),
      "Linear: got an unexpected option 'nesterov'; it has bias, device, dtype",
    ],
    [
      'by a module without options',
      () => Reflect.construct(nn.Sigmoid, [{ inplace: true }]),
      "Sigmoid: got an unexpected option 'inplace'; it has none",
    ],
    [
      'as a slip, where one is like it',
      () => torch.ones(2).sum({ dims: 0 } as never),
      "sum: there is no option 'dims'; is dim meant?",
    ],
  ])('are refused %s with those that there are', (_, call, message) => {
    expect(call).toThrow(new torch.ArgumentError(message));
  });
});
