/** The random engine and the fills on bare arrays, against PyTorch's streams (golden/rng.json) and known properties. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  fillBernoulli,
  fillDropoutNoise,
  fillExponential,
  fillUniform,
} from '../../src/core/distributions.ts';
import type { DType, TypedArray } from '../../src/core/dtype.ts';
import { dtypeInfo } from '../../src/core/dtype.ts';
import { ArgumentError } from '../../src/core/errors.ts';
import { fillNormal, sampleNormal } from '../../src/core/normal.ts';
import { RandomEngine, STATE_BYTES } from '../../src/core/rng.ts';
import { fillIntegers, fillRandom, randomPermutation, sampleCategories } from '../../src/core/sampling.ts';
import { loadGolden, sha256 } from '../golden.ts';

type Seed = number | string;

interface Draw {
  call: string;
  dtype: DType;
  shape: number[];
  first: (number | string)[];
  sha256_le: string;
  bit_exact: boolean;
}

interface After {
  engine_sha256_after: string;
  normal_cache_after: number | null;
}

interface GoldenRng {
  mt19937: {
    seed: Seed;
    first: number[];
    last_of_1300: number;
    sha256_le_u32_1300: string;
    initial_seed: string;
  }[];
  cases: (Draw & After & { id: string; seed: Seed })[];
  sequences: (After & { id: string; seed: Seed; steps: Draw[]; state_base64?: string })[];
  version_dependent: { seed: Seed; call: string; by_version: Record<string, Draw & After> }[];
}

let golden: GoldenRng;
beforeAll(async () => {
  golden = await loadGolden<GoldenRng>('rng');
});

const engine = (seed: Seed) => new RandomEngine(typeof seed === 'string' ? BigInt(seed) : seed);
const engineHash = (rng: RandomEngine) => sha256(rng.getState().subarray(0, 5016));
const mask64 = (x: bigint) => BigInt.asUintN(64, x);

/** Python integers and floats as they stand in a call: 2**45, -1/28, .5 */
function pythonNumber(text: string): number {
  const power = /^(-?)(\d+)\*\*(\d+)$/.exec(text);
  if (power) return (power[1] ? -1 : 1) * Number(power[2]) ** Number(power[3]);
  const [a, b = '1'] = text.split('/');
  return Number(a) / Number(b);
}

const WEIGHTS = [0.1, 0.0, 3.0, 0.5, 1.25, 0.05, 2.0, 0.7];
const NUMBER = '([-\\d.*/]+)';

/** How each call of the golden file is made on bare arrays; calls that need tensors have their own runner. */
const calls: [RegExp, (rng: RandomEngine, out: TypedArray, dtype: DType, args: number[]) => void][] = [
  [/^torch\.rand\([^a-z]*(?:, dtype=.*)?\)$/, (rng, out) => fillUniform(rng, floats(out))],
  [/^torch\.randn\([^a-z]*(?:, dtype=.*)?\)$/, (rng, out) => fillNormal(rng, floats(out), 0, 1)],
  [
    pattern(`uniform_\\(${NUMBER}, ${NUMBER}\\)`),
    (rng, out, _, [a, b]) => fillUniform(rng, floats(out), a, b),
  ],
  [pattern(`normal_\\(${NUMBER}, ${NUMBER}\\)`), (rng, out, _, [a, b]) => fillNormal(rng, floats(out), a, b)],
  [pattern('random_\\(\\)'), (rng, out, dtype) => fillRandom(rng, out, dtype)],
  [pattern(`bernoulli_\\(${NUMBER}\\)`), (rng, out, _, [p]) => fillBernoulli(rng, out, p)],
  [pattern(`exponential_\\(${NUMBER}\\)`), (rng, out, _, [p]) => fillExponential(rng, floats(out), p)],
  [
    new RegExp(`^torch\\.randint\\(${NUMBER}, ${NUMBER}, `),
    (rng, out, dtype, [from, to]) => fillIntegers(rng, out, dtype, from, to),
  ],
  [/^torch\.randperm\((\d+)/, (rng, out, _, [n]) => copyIntegers(randomPermutation(rng, n), out)],
  [
    /^torch\.multinomial\(torch\.tensor\(\[0\.1, 0\.0.*\]\), (\d+)\)$/,
    (rng, out, _, [count]) => categories(rng, out, WEIGHTS, count, false),
  ],
  [
    /^torch\.multinomial\(torch\.tensor\(\[0\.1, 0\.0.*\]\), (\d+), True\)$/,
    (rng, out, _, [count]) => categories(rng, out, WEIGHTS, count, true),
  ],
  [
    /^torch\.multinomial\(torch\.tensor\(\[\.1, \.2, \.3, \.4\]\), (\d+), True\)$/,
    (rng, out, _, [count]) => categories(rng, out, [0.1, 0.2, 0.3, 0.4], count, true),
  ],
  [
    /^torch\.nn\.functional\.dropout\(torch\.arange\(1\., \d+\), ([\d.]+)\)$/,
    (rng, out, _, [p]) => {
      fillDropoutNoise(rng, floats(out), p);
      for (let i = 0; i < out.length; i++) floats(out)[i] *= i + 1;
    },
  ],
  [
    /^torch\.manual_seed\(5\) and torch\.randn\(1\)$/,
    (rng, out) => fillNormal(rng.manualSeed(5), floats(out), 0, 1),
  ],
];

function pattern(method: string): RegExp {
  return new RegExp(`^torch\\.empty\\([^a-z]*(?:, dtype=[a-z0-9.]+)?\\)\\.${method}$`);
}

function floats(out: TypedArray): Float32Array | Float64Array {
  if (out instanceof Float32Array || out instanceof Float64Array) return out;
  throw new Error('expected a floating array');
}

function copyIntegers(from: Uint32Array, to: TypedArray): void {
  if (to instanceof BigInt64Array) to.set(Array.from(from, BigInt));
  else to.set(from);
}

function categories(
  rng: RandomEngine,
  out: TypedArray,
  weights: number[],
  count: number,
  again: boolean,
): void {
  copyIntegers(sampleCategories(rng, Float32Array.from(weights), weights.length, count, again), out);
}

function run(rng: RandomEngine, draw: Draw): TypedArray | null {
  for (const [form, call] of calls) {
    const match = form.exec(draw.call);
    if (!match) continue;
    const out = dtypeInfo[draw.dtype].allocate(draw.shape.reduce((a, b) => a * b, 1));
    call(rng, out, draw.dtype, match.slice(1).map(pythonNumber));
    return out;
  }
  return null;
}

async function expectDraw(got: TypedArray, draw: Draw, label: string): Promise<void> {
  if (draw.bit_exact) {
    expect(await sha256(got), label).toBe(draw.sha256_le);
    return;
  }
  draw.first.forEach((expected, i) => {
    expect(Math.abs(Number(got[i]) - Number(expected)), label).toBeLessThan(1e-14);
  });
}

async function expectAfter(rng: RandomEngine, after: After, label: string): Promise<void> {
  expect(await engineHash(rng), label).toBe(after.engine_sha256_after);
  if (after.normal_cache_after === null) expect(rng.cachedNormal, label).toBeNull();
  else expect(rng.cachedNormal, label).toBeCloseTo(after.normal_cache_after, 14);
}

describe('engine', () => {
  it('gives the reference words for every seed, one at a time and in batches', async () => {
    for (const { seed, first, last_of_1300, sha256_le_u32_1300, initial_seed } of golden.mt19937) {
      const rng = engine(seed);
      expect(rng.initialSeed()).toBe(BigInt(initial_seed));
      const words = Uint32Array.from({ length: 1300 }, () => rng.random32());
      expect(Array.from(words.subarray(0, first.length))).toEqual(first);
      expect(words[1299]).toBe(last_of_1300);
      expect(await sha256(words)).toBe(sha256_le_u32_1300);
      const batched = engine(seed);
      const parts = [1, 623, 1, 300, 375].flatMap((count) => Array.from(batched.words(count)));
      expect(Uint32Array.from(parts)).toEqual(words);
      expect(batched.getState()).toEqual(rng.getState());
    }
  });

  it('draws the high word of 64 bits first', () => {
    const [a, b] = [new RandomEngine(7), new RandomEngine(7)];
    const value = a.random64();
    expect(value >> 32n).toBe(BigInt(b.random32()));
    expect(value & 0xffffffffn).toBe(BigInt(b.random32()));
  });

  it('takes seeds from -2^63 to 2^64 - 1 and refuses others without changing anything', () => {
    expect(new RandomEngine().initialSeed()).toBe(67280421310721n);
    expect(new RandomEngine(-1).initialSeed()).toBe(2n ** 64n - 1n);
    expect(new RandomEngine(-(2n ** 63n)).initialSeed()).toBe(2n ** 63n);
    expect(new RandomEngine(7.9).initialSeed()).toBe(7n);
    expect(new RandomEngine(-7.9).initialSeed()).toBe(mask64(-7n));
    const rng = new RandomEngine(7);
    for (const bad of [2n ** 64n, -(2n ** 63n) - 1n, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => rng.manualSeed(bad)).toThrow(ArgumentError);
    }
    expect(rng.getState()).toEqual(new RandomEngine(7).getState());
  });

  it('seeds from entropy with at most 53 bits', () => {
    const rng = new RandomEngine(7);
    const seed = rng.seed();
    expect(rng.initialSeed()).toBe(seed);
    expect(seed >> 53n).toBe(0n);
    expect(rng.seed()).not.toBe(seed);
    expect(rng.getState()).toEqual(new RandomEngine(rng.initialSeed()).getState());
  });

  it('round-trips its state, also in mid-block and with a cached normal', () => {
    for (const drawn of [0, 1, 17, 623, 624, 625]) {
      const rng = new RandomEngine(-12345);
      for (let i = 0; i < drawn; i++) rng.random32();
      sampleNormal(rng, 3, 2);
      const copy = new RandomEngine(1).setState(rng.getState());
      expect(copy.getState()).toEqual(rng.getState());
      expect(copy.cachedNormal).toBe(rng.cachedNormal);
      expect(copy.words(700).slice()).toEqual(rng.words(700).slice());
    }
  });

  it('writes the state that PyTorch writes', () => {
    const recorded = golden.sequences.filter((sequence) => sequence.state_base64);
    expect(recorded.length).toBeGreaterThan(0);
    for (const { seed, steps, state_base64 = '' } of recorded) {
      const rng = engine(seed);
      for (const step of steps) run(rng, step);
      const theirs = Uint8Array.from(atob(state_base64), (char) => char.charCodeAt(0));
      const ours = rng.getState();
      expect(theirs.length).toBe(STATE_BYTES);
      const normal = new DataView(theirs.buffer).getFloat64(5024, true);
      expect(rng.cachedNormal ?? 0).toBeCloseTo(normal, 14);
      ours.set(theirs.subarray(5024, 5032), 5024);
      expect(ours).toEqual(theirs);
      expect(new RandomEngine(0).setState(theirs).getState()).toEqual(theirs);
    }
  });

  it('refuses a damaged state without changing anything', () => {
    const rng = new RandomEngine(7);
    rng.random32();
    const before = rng.getState();
    const damage: [number, number][] = [
      [8, 0],
      [8, 625],
      [8, -1],
      [12, 0],
      [16, 625],
      [16, 100], // left and next disagree: the words would run past the block
      [20, 1],
    ];
    for (const [offset, value] of damage) {
      const state = before.slice();
      new DataView(state.buffer).setInt32(offset, value, true);
      expect(() => rng.setState(state), `${value} at ${offset}`).toThrow(ArgumentError);
    }
    expect(() => rng.setState(before.subarray(1))).toThrow(/5056 bytes, got 5055/);
    expect(rng.getState()).toEqual(before);
  });
});

describe('against PyTorch', () => {
  it('makes every golden case that needs no tensor', async () => {
    let made = 0;
    for (const draw of golden.cases) {
      if (!draw.sha256_le) continue;
      const rng = engine(draw.seed);
      const got = run(rng, draw);
      if (!got) continue;
      made += 1;
      const label = `${draw.id} ${draw.call} seed ${draw.seed}`;
      await expectDraw(got, draw, label);
      await expectAfter(rng, draw, label);
    }
    expect(made).toBeGreaterThan(450);
  });

  it('makes every golden sequence on one stream', async () => {
    for (const { id, seed, steps, ...after } of golden.sequences) {
      const rng = engine(seed);
      for (const step of steps) {
        const got = run(rng, step);
        if (!got) throw new Error(`no translation of ${step.call}`);
        await expectDraw(got, step, `${id} ${step.call}`);
      }
      await expectAfter(rng, after, id);
    }
  });

  it('follows the recent rules where releases differ', async () => {
    let made = 0;
    for (const { seed, call, by_version } of golden.version_dependent) {
      const recent = { ...by_version['2.13.0+cpu'], call };
      const rng = engine(seed);
      const got = run(rng, recent);
      if (!got) continue;
      made += 1;
      await expectDraw(got, recent, call);
      await expectAfter(rng, recent, call);
    }
    expect(made).toBeGreaterThanOrEqual(9);
  });
});
