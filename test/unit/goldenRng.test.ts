/**
 * Every case of golden/rng.json on tensors and modules: the call, evaluated with this library from the same seed, must
 * give PyTorch's bytes and leave the generator in PyTorch's state. A case that cannot be run is a failure.
 */
import { describe, expect, it } from 'vitest';
import * as wasmgrad from '../../src/index.ts';
import { loadGolden, sha256 } from '../golden.ts';
import { evaluatePython, type Library } from '../support/pythonCall.ts';

const torch: Library = wasmgrad;
const { Tensor, defaultGenerator } = wasmgrad;
type Tensor = wasmgrad.Tensor;

type Seed = number | string;

interface Values {
  dtype: string;
  shape: number[];
  first: (number | string)[];
  last: (number | string)[] | null;
  sum?: string;
  sum_f64?: number;
  sha256_le: string;
  bit_exact: boolean;
}

interface After {
  engine_sha256_after: string;
  normal_cache_after: number | null;
  next_rand_after?: number[];
}

interface ValueCase extends Values, After {
  id: string;
  call: string;
  seed: Seed;
}

interface ModuleCase extends After {
  id: string;
  call: string;
  seed: Seed;
  params: Record<string, Values>;
}

interface Sampler {
  seed?: Seed;
  order?: number[];
  /** Indices for a sampler, batches of them for a loader. */
  epochs?: (number | number[])[][];
  n?: number;
  batch_size?: number;
  kwargs?: Record<string, boolean | string>;
  lengths?: number[];
  indices_first20?: number[][];
  sha256_le_i64?: string[];
  next_rand_after?: number[];
}

interface Epoch {
  train_base_seed: string;
  sampler_seed: string;
  val_base_seed: string;
  engine_sha256_after: string;
  order_sha256_le_i64?: string;
}

interface Tutorial {
  seed: number;
  train_indices_sha256_le_i64: string;
  val_indices_sha256_le_i64: string;
  engine_sha256_after_split: string;
  randn_784_500: Values;
  W1: Values;
  randn_500_10: Values;
  W2: Values;
  engine_sha256_before_epoch_1: string;
  epochs: Epoch[];
  section2: Layers & { engine_sha256: string; state_base64: string; engine_sha256_after_model: string };
  fresh_seed7_FullyConnected_784_500_10: Layers & { engine_sha256_after: string; next_rand_after: number[] };
}

interface Layers {
  'linear_1.weight': Values;
  'linear_1.bias': Values;
  'linear_2.weight': Values;
}

interface GoldenRng {
  mt19937: { seed: Seed; first: number[]; initial_seed: string }[];
  cases: (ValueCase | ModuleCase)[];
  sequences: (After & { id: string; seed: Seed; steps: (Values & { call: string })[] })[];
  samplers: Record<string, Sampler>;
  tutorial: Tutorial;
  version_dependent: { seed: Seed; call: string; by_version: Record<string, Values & After> }[];
}

const RECENT = '2.13.0+cpu';
const golden = await loadGolden<GoldenRng>('rng');
const seedOf = (seed: Seed) => (typeof seed === 'string' ? BigInt(seed) : seed);

/** Where golden values are not bit-exact: the last bits of float64 libm, or single precision where a QR is behind. */
const toleranceOf = (values: Values) => (values.dtype === 'float64' ? 1e-14 : 1e-5);

async function expectValues(got: unknown, values: Values, label: string): Promise<void> {
  if (!(got instanceof Tensor)) throw new Error(`${label}: expected a tensor, got ${String(got)}`);
  expect({ dtype: got.dtype, shape: [...got.shape] }, label).toEqual({
    dtype: values.dtype,
    shape: values.shape,
  });
  const { data } = got;
  if (values.bit_exact) {
    expect(await sha256(data), `${label}: ${data.subarray(0, 8).join(' ')}`).toBe(values.sha256_le);
    return;
  }
  const tolerance = toleranceOf(values);
  const edges = [...values.first, ...(values.last ?? [])];
  const at = (i: number) => (i < values.first.length ? i : data.length - edges.length + i);
  edges.forEach((expected, i) => {
    const error = Math.abs(Number(data[at(i)]) - Number(expected));
    expect(error, `${label}: element ${at(i)}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(Number(expected))),
    );
  });
  const sum = Array.from(data, Number).reduce((a, b) => a + b, 0);
  expect(Math.abs(sum - Number(values.sum_f64 ?? values.sum)), `${label}: sum`).toBeLessThan(
    tolerance * (1 + data.length),
  );
}

/** Of everything but the cached normal. */
const engineHash = () => sha256(defaultGenerator.engine.getState().subarray(0, 5016));

async function expectAfter(after: After, label: string): Promise<void> {
  expect(await engineHash(), `${label}: engine`).toBe(after.engine_sha256_after);
  const cached = defaultGenerator.engine.cachedNormal;
  if (after.normal_cache_after === null) expect(cached, `${label}: cached normal`).toBeNull();
  else expect(cached, `${label}: cached normal`).toBeCloseTo(after.normal_cache_after, 14);
  if (after.next_rand_after) expectNext(after.next_rand_after, label);
}

function expectNext(values: readonly number[], label: string): void {
  const next = Array.from(wasmgrad.rand(values.length).data, Number);
  expect(next, `${label}: next`).toEqual(values.map(Math.fround));
}

interface HasParameters {
  namedParameters(): Iterable<[string, Tensor]>;
}
const hasParameters = (x: unknown): x is HasParameters =>
  typeof x === 'object' && x !== null && 'namedParameters' in x;

async function expectParameters(got: unknown, params: Record<string, Values>, label: string): Promise<void> {
  if (!hasParameters(got)) throw new Error(`${label}: expected a module`);
  const parameters = new Map(got.namedParameters());
  expect([...parameters.keys()].sort(), label).toEqual(Object.keys(params).sort());
  for (const [name, values] of Object.entries(params)) {
    await expectValues(parameters.get(name), values, `${label} ${name}`);
  }
}

function byCall<C extends { call: string }>(cases: readonly C[]): [string, C[]][] {
  const groups = new Map<string, C[]>();
  for (const one of cases) groups.set(one.call, [...(groups.get(one.call) ?? []), one]);
  return [...groups];
}

/** The elements of whatever a sampler or a loader gives. */
function listOf(pass: unknown): (number | number[])[] {
  if (typeof pass !== 'object' || pass === null || !(Symbol.iterator in pass))
    throw new Error('not iterable');
  const items: unknown[] = [...(pass as Iterable<unknown>)];
  return items.map((item) => (item instanceof Tensor ? Array.from(item.data, Number) : Number(item)));
}

/** `DataLoader shuffle drop_last` and the like are named by what they test; their call is in their fields. */
function samplerCall(name: string, { n, batch_size, kwargs }: Sampler): string {
  if (!kwargs)
    return name === 'RandomSampler twice' ? 'RandomSampler(range(20))' : name.replace(' two epochs', '');
  const python = (value: boolean | string) => (typeof value === 'string' ? value : value ? 'True' : 'False');
  const named = Object.entries(kwargs).map(([key, value]) => `${key}=${python(value)}`);
  return `DataLoader(range(${n}), ${[`batch_size=${batch_size}`, ...named].join(', ')})`;
}

interface Subset {
  readonly indices: ArrayLike<number>;
}
const isSubsets = (x: unknown): x is Subset[] =>
  Array.isArray(x) && x.every((part) => typeof part === 'object' && part !== null && 'indices' in part);

const int64 = (values: ArrayLike<number>) => BigInt64Array.from(Array.from(values, (value) => BigInt(value)));

async function expectSplit(got: unknown, sampler: Sampler): Promise<void> {
  if (!isSubsets(got)) throw new Error('expected subsets');
  expect(got.map((part) => part.indices.length)).toEqual(sampler.lengths);
  expect(got.map((part) => Array.from(part.indices).slice(0, 20))).toEqual(sampler.indices_first20);
  expect(await Promise.all(got.map((part) => sha256(int64(part.indices))))).toEqual(sampler.sha256_le_i64);
}

describe('PyTorch’s random streams', () => {
  it.each(golden.mt19937)('start from seed $seed', ({ seed, initial_seed, first }) => {
    const generator = new wasmgrad.Generator().manualSeed(seedOf(seed));
    expect(BigInt(generator.initialSeed())).toBe(BigInt(initial_seed));
    expect(first.map(() => generator.engine.random32())).toEqual(first);
  });

  it.each(byCall(golden.cases))('%s', async (call, cases) => {
    for (const one of cases) {
      wasmgrad.manualSeed(seedOf(one.seed));
      const got = evaluatePython(call, torch);
      const label = `${one.id}, seed ${one.seed}`;
      if ('params' in one) await expectParameters(got, one.params, label);
      else await expectValues(got, one, label);
      await expectAfter(one, label);
    }
  });

  it.each(golden.sequences)('in sequence: $id', async ({ seed, steps, ...after }) => {
    wasmgrad.manualSeed(seedOf(seed));
    for (const step of steps) await expectValues(evaluatePython(step.call, torch), step, step.call);
    await expectAfter(after, 'at the end');
  });

  it.each(byCall(golden.version_dependent))('by the recent rule: %s', async (call, cases) => {
    for (const { seed, by_version } of cases) {
      wasmgrad.manualSeed(seedOf(seed));
      await expectValues(evaluatePython(call, torch), by_version[RECENT], `seed ${seed}`);
      await expectAfter(by_version[RECENT], `seed ${seed}`);
    }
  });

  it.each(Object.entries(golden.samplers))('order the samples of %s', async (name, sampler) => {
    if (sampler.seed !== undefined) wasmgrad.manualSeed(seedOf(sampler.seed));
    const got = evaluatePython(samplerCall(name, sampler), torch);
    if (sampler.lengths) await expectSplit(got, sampler);
    else {
      const epochs = sampler.epochs ?? [sampler.order];
      expect(epochs.map(() => listOf(got))).toEqual(epochs);
    }
    if (sampler.next_rand_after) expectNext(sampler.next_rand_after, name);
  });
});

describe('the tutorial', () => {
  const { tutorial } = golden;
  const python = (call: string) => evaluatePython(call, torch);
  const randomInt64 = () => wasmgrad.empty([], { dtype: 'int64' }).random_().data[0].toString();

  async function expectModel(expected: Layers): Promise<void> {
    const first = python('nn.Linear(784, 500)');
    const second = python('nn.Linear(500, 10, bias=False)');
    const { 'linear_1.weight': weight, 'linear_1.bias': bias, 'linear_2.weight': weight2 } = expected;
    await expectParameters(first, { weight, bias }, 'linear_1');
    await expectParameters(second, { weight: weight2 }, 'linear_2');
  }

  it('splits, draws its weights, and starts both of the first epochs as PyTorch does', async () => {
    wasmgrad.manualSeed(tutorial.seed);
    const split = python('random_split(range(60000), [55000, 5000])');
    if (!isSubsets(split)) throw new Error('expected subsets');
    const [train, validation] = split;
    expect(await sha256(int64(train.indices))).toBe(tutorial.train_indices_sha256_le_i64);
    expect(await sha256(int64(validation.indices))).toBe(tutorial.val_indices_sha256_le_i64);
    expect(await engineHash()).toBe(tutorial.engine_sha256_after_split);
    await expectValues(python('torch.randn(784, 500) / torch.sqrt(torch.tensor(784.))'), tutorial.W1, 'W1');
    await expectValues(python('torch.randn(500, 10) / torch.sqrt(torch.tensor(500.))'), tutorial.W2, 'W2');
    expect(await engineHash()).toBe(tutorial.engine_sha256_before_epoch_1);
    const trainLoader = python('DataLoader(range(55000), batch_size=128, shuffle=True)');
    const validationLoader = python('DataLoader(range(5000), batch_size=128)');
    const epochs = tutorial.epochs.filter((epoch) => epoch.order_sha256_le_i64);
    expect(epochs.length).toBeGreaterThan(0);
    for (const epoch of epochs.slice(0, 2)) {
      const order = listOf(trainLoader).flat();
      expect(await sha256(int64(order))).toBe(epoch.order_sha256_le_i64);
      listOf(validationLoader);
      expect(await engineHash()).toBe(epoch.engine_sha256_after);
    }
  });

  it('draws three seeds in each epoch, up to the second model', async () => {
    wasmgrad.manualSeed(tutorial.seed);
    wasmgrad.randperm(60000);
    await expectValues(wasmgrad.randn(784, 500), tutorial.randn_784_500, 'randn(784, 500)');
    await expectValues(wasmgrad.randn(500, 10), tutorial.randn_500_10, 'randn(500, 10)');
    for (const epoch of tutorial.epochs) {
      expect(randomInt64()).toBe(epoch.train_base_seed);
      expect(randomInt64()).toBe(epoch.sampler_seed);
      expect(randomInt64()).toBe(epoch.val_base_seed);
      expect(await engineHash()).toBe(epoch.engine_sha256_after);
    }
    expect(await engineHash()).toBe(tutorial.section2.engine_sha256);
  });

  it('builds the second model from the state that the first training left', async () => {
    const { section2 } = tutorial;
    const state = Uint8Array.from(atob(section2.state_base64), (char) => char.charCodeAt(0));
    wasmgrad.setRngState(wasmgrad.tensor(state));
    expect(await engineHash()).toBe(section2.engine_sha256);
    await expectModel(section2);
    expect(await engineHash()).toBe(section2.engine_sha256_after_model);
  });

  it('builds the second model from a fresh seed', async () => {
    const fresh = tutorial.fresh_seed7_FullyConnected_784_500_10;
    wasmgrad.manualSeed(7);
    await expectModel(fresh);
    expect(await engineHash()).toBe(fresh.engine_sha256_after);
    expectNext(fresh.next_rand_after, 'after the model');
  });
});
