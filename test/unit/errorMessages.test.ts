/**
 * What every op says to bad arguments. Each op of the public surface is called with one argument after the other
 * spoiled: left out, an impossible shape, another dtype, no elements, another device, a dimension or an index out of
 * range. A call that throws must throw an error of ours that names the op and what came; all messages lie in
 * errorMessages.txt, for people to read (`vitest -u` writes it anew).
 */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
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
  type Spoiled,
  torchCalls,
} from '../support/opCalls.ts';

type Callable = (...args: unknown[]) => unknown;
type TensorArgument = Extract<Argument, { kind: 'tensor' }>;

const isClass = (value: unknown): boolean => /^class\b/.test(Function.prototype.toString.call(value));
/** By name, as namespaces list what they hold. */
const functionsOf = (object: object): string[] =>
  Object.entries(object)
    .filter(([, value]) => typeof value === 'function' && !isClass(value))
    .map(([name]) => name)
    .sort();

function methodsOf(): string[] {
  const names = new Set<string>();
  let at: object = torch.Tensor.prototype;
  for (; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (typeof value === 'function' && name !== 'constructor') names.add(name);
  }
  return [...names];
}

/** The row of a method: its own, that of the function, or that of the op which it does in place. */
const methodRow = (name: string): string | undefined =>
  methodCalls[name] ?? torchCalls[name] ?? (name.endsWith('_') ? torchCalls[name.slice(0, -1)] : undefined);

/** The row of a function: its own, or that of the method which it is in place. */
const functionRow = (name: string): string | undefined =>
  torchCalls[name] ?? (name.endsWith('_') ? methodRow(name) : undefined);

interface Op {
  readonly name: string;
  readonly run: Callable;
  readonly row: string;
}

const { nn, linalg, Tensor } = torch;
const member = (object: object, name: string) => Reflect.get(object, name) as Callable;
const asMethod =
  (name: string): Callable =>
  (self, ...rest) =>
    member(Tensor.prototype, name).apply(self, rest);

const tensorMethods = methodsOf().filter((name) => !NO_OP_METHODS.has(name));
const ops: Op[] = [
  ...functionsOf(torch)
    .filter((name) => !NO_OPS.has(name))
    .flatMap((name) => {
      const row = functionRow(name);
      return row === undefined ? [] : [{ name, run: member(torch, name), row }];
    }),
  ...functionsOf(linalg)
    .filter((name) => name in linalgCalls)
    .map((name) => ({ name: `linalg.${name}`, run: member(linalg, name), row: linalgCalls[name] })),
  ...functionsOf(nn.functional)
    .filter((name) => name in functionalCalls)
    .map((name) => ({
      name: `nn.functional.${name}`,
      run: member(nn.functional, name),
      row: functionalCalls[name],
    })),
  ...tensorMethods.flatMap((name) => {
    const row = methodRow(name);
    return row === undefined ? [] : [{ name: `Tensor.${name}`, run: asMethod(name), row }];
  }),
];

interface Probe {
  readonly what: string;
  /** What the message must show. */
  readonly got: RegExp;
  readonly also?: RegExp;
  /** The position of the argument that does not come. */
  readonly leavesOut?: number;
  readonly build: () => unknown[];
}

/** Plain values with one of its dimensions replaced. */
function unwrap(value: unknown, dim: number | null): unknown {
  if (value instanceof Dim) return dim ?? value.value;
  if (typeof value === 'string' && value.startsWith('@'))
    return makeArgument(parseCall(value)[0] as TensorArgument);
  if (value === 'Float32Array') return new Float32Array(2);
  if (Array.isArray(value)) return value.map((v) => unwrap(v, dim));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, unwrap(v, dim)]));
}

const holdsDim = (value: unknown): boolean =>
  value instanceof Dim ||
  (typeof value === 'object' && value !== null && Object.values(value).some(holdsDim));

function build(
  call: readonly Argument[],
  at = -1,
  spoiled: Spoiled = {},
  dim: number | null = null,
): unknown[] {
  return call.map((argument, i) => {
    if (argument.kind === 'tensor') return makeArgument(argument, i === at ? spoiled : {});
    if (argument.kind === 'tensors') {
      const last = argument.items.length - 1;
      return argument.items.map((item, k) => makeArgument(item, i === at && k === last ? spoiled : {}));
    }
    return unwrap(argument.value, i === at ? dim : null);
  });
}

const torchName: { readonly [dtype: string]: string } = { float32: 'Float', int64: 'Long', bool: 'Bool' };

/** An argument by its name, what was expected, and that nothing (or what else) came. */
const NAMED = new RegExp(
  [
    "(?=.*('\\w+'|expected (n|p|from) |numSamples|size or scale_factor|len\\(dims\\)|shape '\\[\\]'|number of sizes|" +
      'repeat dims|shifts: |an integer, slice))',
    '(?=.*(must|expect|missing|should|invalid|does not match|can not|align))',
  ].join(''),
  'i',
);
const CAME = /but got|got \[\]|'\[\]'|undefined|len\(dims\) = [01]|nothing|none|\bgot \w+ = |shifts: \d/i;

/**
 * Without an argument, as JavaScript without types may call: `undefined` in its place, and nothing from there on. What
 * is required must be missed by name; what may be left out is listed in `OPTIONAL`, so that nothing is taken silently.
 */
function leftOut(call: readonly Argument[], i: number, self: boolean): Probe[] {
  if (self && i === 0) return [];
  const probe = (what: string, args: () => unknown[]): Probe => ({
    what: `argument ${i}: ${what}`,
    got: CAME,
    also: NAMED,
    leavesOut: i,
    build: args,
  });
  return [
    probe('undefined', () => build(call).with(i, undefined)),
    probe('left out', () => build(call).slice(0, i)),
  ];
}

function probesOf(call: readonly Argument[], self: boolean): Probe[] {
  const tensors = call.reduce(
    (n, a) => n + (a.kind === 'tensor' ? 1 : a.kind === 'tensors' ? a.items.length : 0),
    0,
  );
  return call.flatMap((argument, i): Probe[] => {
    const where = `argument ${i}`;
    const absent = leftOut(call, i, self);
    if (argument.kind === 'plain') {
      if (!holdsDim(argument.value)) return absent;
      return [99].map((dim) => ({
        what: `${where}: dim ${dim}`,
        got: new RegExp(`${dim}\\b`),
        build: () => build(call, i, {}, dim),
      }));
    }
    const first = argument.kind === 'tensor' ? argument : argument.items[0];
    const spoil = (what: string, spoiled: Spoiled, got: RegExp): Probe => ({
      what: `${where}: ${what}`,
      got,
      build: () => build(call, i, spoiled),
    });
    const odd = [7, 5, 11];
    const dtypes = (['float32', 'int64', 'bool'] as const).filter(
      (dtype) => makeArgument(first).dtype !== dtype,
    );
    return [
      ...absent,
      spoil('shape [7, 5, 11]', { shape: odd }, /(?<!\d)(7|5|11|3|385)(?!\d)/),
      spoil('shape []', { shape: [] }, /\[\]|(?<!\d)[01](?!\d)/),
      spoil('no elements', { shape: first.shape.map(() => 0) }, /(?<!\d)0(?!\d)|empty/),
      ...dtypes.map((dtype) =>
        spoil(`dtype ${dtype}`, { dtype }, new RegExp(`${dtype}|${torchName[dtype]}`)),
      ),
      ...(tensors > 1 ? [spoil('on another device', { device: 'reference' }, /reference/)] : []),
      ...(first.type === '@'
        ? [99, -99].map((index) => spoil(`index ${index}`, { index }, new RegExp(`${index}\\b`)))
        : []),
    ];
  });
}

/** How a message names an argument: quoted, or as PyTorch's own words do. */
const ARGUMENT = new RegExp(
  "'\\w+(\\[\\d\\]| - 1)?'|" +
    '\\b(input\\d?|self|other|src|source|target|weight|bias|index|indices|inputs|mask|mat1|mat2|m1|m2|batch[12]|vec|anchor|' +
    'operand \\d|tensor (number )?[\\dab]|both arguments|X[12]|boundaries|query, key|logits|tensors?|prob_dist|condition|end|A|' +
    'shape|sizes?|dims?|padding|normalized_shape|num_groups)\\b',
  'i',
);

const letters = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** Other names under which an op may speak: those that it is an alias of. */
const ALIASES: { readonly [name: string]: readonly string[] } = {
  absolute: ['abs'],
  ...Object.fromEntries(
    ['cos', 'cosh', 'sin', 'sinh', 'tan', 'tanh'].map((name) => [`arc${name}`, [`a${name}`]]),
  ),
  arctan2: ['atan2'],
  clip: ['clamp'],
  clip_: ['clamp_'],
  concat: ['cat'],
  concatenate: ['cat'],
  divide: ['div'],
  expandAs: ['expand'],
  fix: ['trunc'],
  ger: ['outer'],
  greater: ['gt'],
  greaterEqual: ['ge'],
  less: ['lt'],
  lessEqual: ['le'],
  maxPool1dWithIndices: ['maxPool1d'],
  maxPool2dWithIndices: ['maxPool2d'],
  maxPool3dWithIndices: ['maxPool3d'],
  moveaxis: ['movedim'],
  multiply: ['mul'],
  negative: ['neg'],
  notEqual: ['ne'],
  reshapeAs: ['reshape'],
  rowStack: ['vstack'],
  sgn: ['sign'],
  subtract: ['sub'],
  swapaxes: ['transpose'],
  swapdims: ['transpose', 'swapaxes'],
  trapz: ['trapezoid'],
  trueDivide: ['div'],
  upsample: ['interpolate'],
  vdot: ['dot'],
  viewAs: ['view'],
};

function faults(op: Op, probe: Probe, error: unknown): string[] {
  if (!(error instanceof torch.WasmgradError)) return [`no error of ours: ${String(error)}`];
  const said = letters(error.message.split(':')[0]);
  const short = op.name.split('.').at(-1) ?? '';
  const names = [short, ...(ALIASES[short] ?? ALIASES[short.replace(/_$/, '')] ?? [])].map(letters);
  const problems = names.some((name) => said.includes(name)) ? [] : ['the op is not named'];
  const details = error.message.replace(/^[\w.]+(\(\))?: /, '');
  if (!ARGUMENT.test(details)) problems.push('no argument is named');
  const needed = probe.leavesOut === undefined || !mayBeLeftOut(op.name, probe.leavesOut);
  if (needed && !probe.got.test(error.message)) problems.push(`lacks ${probe.got.source}`);
  if (needed && probe.also && !probe.also.test(error.message)) problems.push('the argument is not named');
  return problems.map((problem) => `${problem}: ${error.message}`);
}

/** Positions from which on PyTorch (or this library, for sizes that come spread) has defaults. */
const OPTIONAL: { readonly [name: string]: number } = {
  diagflat: 1,
  diagonalScatter: 2,
  sliceScatter: 2,
  vander: 1,
  all: 1,
  amax: 1,
  amin: 1,
  aminmax: 1,
  any: 1,
  arange: 1,
  argmax: 1,
  argmin: 1,
  argsort: 1,
  batchNorm: 3,
  bernoulli: 1,
  bilinear: 3,
  binaryCrossEntropy: 2,
  binaryCrossEntropyWithLogits: 2,
  blockDiag: 0,
  broadcastTensors: 0,
  cartesianProd: 1,
  cat: 1,
  chainMatmul: 1,
  chunk: 2,
  clamp: 1,
  clip: 1,
  combinations: 1,
  concat: 1,
  concatenate: 1,
  conv1d: 2,
  conv2d: 2,
  conv3d: 2,
  convTranspose1d: 2,
  convTranspose2d: 2,
  convTranspose3d: 2,
  cosineSimilarity: 2,
  countNonzero: 1,
  cross: 2,
  crossEntropy: 2,
  diagEmbed: 1,
  diagonal: 1,
  diff: 1,
  empty: 0,
  eye: 1,
  flatten: 1,
  glu: 1,
  groupNorm: 2,
  gumbelSoftmax: 1,
  histc: 1,
  index: 1,
  kthvalue: 2,
  layerNorm: 2,
  linear: 2,
  logSoftmax: 1,
  matrixNorm: 1,
  max: 1,
  mean: 1,
  median: 1,
  meshgrid: 1,
  min: 1,
  mode: 1,
  nanmean: 1,
  nansum: 1,
  nllLoss: 2,
  norm: 1,
  normal: 1,
  normalize: 1,
  oneHot: 1,
  ones: 0,
  prod: 1,
  quantile: 2,
  rand: 0,
  randn: 0,
  repeatInterleave: 2,
  rmsNorm: 2,
  roll: 2,
  rot90: 1,
  size: 1,
  softmax: 1,
  softmin: 1,
  sort: 1,
  split: 2,
  squeeze: 1,
  stack: 1,
  std: 1,
  stdMean: 1,
  sum: 1,
  takeAlongDim: 2,
  tile: 1,
  tensordot: 2,
  tensorSplit: 2,
  topk: 2,
  trapezoid: 1,
  trapz: 1,
  unbind: 1,
  unique: 1,
  var: 1,
  varMean: 1,
  vectorNorm: 1,
  where: 1,
  zeros: 0,
};

/** Whether an argument may be left out; ops that are not listed need all that their row has. */
function mayBeLeftOut(name: string, i: number): boolean {
  const from = OPTIONAL[(name.split('.').at(-1) ?? '').replace(/_$/, '')];
  return from !== undefined && i >= from;
}

const lines: string[] = [];

describe('every op', () => {
  it('has a row', () => {
    const missing = [
      ...functionsOf(torch).filter((name) => !NO_OPS.has(name) && functionRow(name) === undefined),
      ...functionsOf(linalg)
        .filter((name) => !(name in linalgCalls))
        .map((name) => `linalg.${name}`),
      ...functionsOf(nn.functional)
        .filter((name) => !(name in functionalCalls))
        .map((name) => `nn.functional.${name}`),
      ...tensorMethods.filter((name) => methodRow(name) === undefined).map((name) => `Tensor.${name}`),
    ];
    expect(missing).toEqual([]);
  });

  it.each(ops.map((op) => [op.name, op] as const))('%s', (_, op) => {
    const call = parseCall(op.row);
    expect(() => op.run(...build(call)), 'the row is no valid call').not.toThrow();
    const said = new Map<string, string[]>();
    const problems: string[] = [];
    for (const probe of probesOf(call, op.name.startsWith('Tensor.'))) {
      const args = probe.build();
      try {
        op.run(...args);
        const i = probe.leavesOut;
        if (i !== undefined && !mayBeLeftOut(op.name, i)) problems.push(`${probe.what}: taken silently`);
      } catch (error) {
        problems.push(...faults(op, probe, error).map((fault) => `${probe.what}: ${fault}`));
        const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
        said.set(text, [...(said.get(text) ?? []), probe.what]);
      }
    }
    expect(problems).toEqual([]);
    // A method says what its function says.
    if (op.name.startsWith('Tensor.') && !(op.name.slice('Tensor.'.length) in methodCalls)) return;
    if (said.size > 0) lines.push(`${op.name}(${op.row.replaceAll(' ', ', ')})`);
    for (const [text, probes] of said) lines.push(`  ${probes.join('; ')} → ${text}`);
  });

  it.each([
    ['matmul', (x: torch.Tensor) => (x.matmul as Callable)()],
    ['add', (x: torch.Tensor) => (x.add as Callable)()],
    ['mul_', (x: torch.Tensor) => (x.mul_ as Callable)()],
    ['scatter', (x: torch.Tensor) => (x.scatter as Callable)(0, torch.zeros([2, 3], { dtype: 'int64' }))],
    ['view_as', (x: torch.Tensor) => (x.viewAs as Callable)()],
    ['max_pool2d', (x: torch.Tensor) => (nn.functional.maxPool2d as Callable)(x.reshape([1, 2, 3]))],
    ['sum', () => (torch.sum as Callable)()],
    ['relu', () => (torch.relu as Callable)()],
    ['cat', () => (torch.cat as Callable)()],
    ['where', (x: torch.Tensor) => (x.where as Callable)(x.gt(0))],
    ['logical_and', (x: torch.Tensor) => (x.logicalAnd as Callable)()],
    ['linear', (x: torch.Tensor) => (nn.functional.linear as Callable)(x)],
  ])('%s says that an argument did not come', (op, call) => {
    const x = torch.ones([2, 3]);
    expect(() => call(x)).toThrow(torch.ArgumentError);
    expect(() => call(x)).toThrow(
      new RegExp(`^${op}.*argument '\\w+'( or '\\w+')* must be .*but got nothing`),
    );
    expect(x.tolist()).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ]);
  });

  it.each(['add', 'add_', 'mul_', 'pow', 'eq', 'logicalAnd', 'fill_', 'maximum'])(
    '%s says that an object is no operand',
    (name) => {
      const x = torch.ones([2, 3]);
      expect(() => member(x, name).call(x, { other: x })).toThrow(torch.ArgumentError);
      expect(() => member(x, name).call(x, { other: x })).toThrow(
        /argument '\w+' must be .*, but got Object/,
      );
    },
  );

  it('says what it said before', async () => {
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('errorMessages.txt');
  });
});
