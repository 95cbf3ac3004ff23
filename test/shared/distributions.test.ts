/** Fills of bare arrays by every distribution: what they draw, what they give, what they refuse. */
import { describe, expect, it } from 'vitest';
import {
  fillBernoulli,
  fillBernoulliFrom,
  fillCauchy,
  fillDropoutNoise,
  fillExponential,
  fillGeometric,
  fillLogNormal,
  fillPoisson,
  fillUniform,
} from '../../src/core/distributions.ts';
import type { DType } from '../../src/core/dtype.ts';
import { dtypeInfo } from '../../src/core/dtype.ts';
import { ArgumentError } from '../../src/core/errors.ts';
import { fma32, fma64 } from '../../src/core/fma.ts';
import { fillNormal, sampleNormal } from '../../src/core/normal.ts';
import { RandomEngine, WORDS_BATCH } from '../../src/core/rng.ts';
import { fillIntegers, fillRandom, randomPermutation, sampleCategories } from '../../src/core/sampling.ts';
import { expectSame } from '../support/sameNumbers.ts';

describe('fused multiply-add', () => {
  it('rounds once in float32', () => {
    const [a, b] = [1 + 2 ** -23, 1 - 2 ** -23];
    expect(Math.fround(a * b) - 1).toBe(0);
    expect(fma32(a, b, -1)).toBe(-(2 ** -46));
  });

  it('rounds once in float64, against exact integer arithmetic', () => {
    // Operands are integers below 2^53 times 2^-52, so that a*b + c is an exact integer times 2^-104.
    const rng = new RandomEngine(11);
    const scale = 2n ** 52n;
    for (let i = 0; i < 3000; i++) {
      const [a, b, c] = [0, 1, 2].map(
        () => (rng.random64() & (2n ** 53n - 1n)) * (rng.random32() & 1 ? 1n : -1n),
      );
      const [x, y, z] = [a, b, c].map((k) => Number(k) * 2 ** -52);
      const exact = a * b + c * scale;
      expect(fma64(x, y, z)).toBe(Number(exact) * 2 ** -104);
    }
  });

  it('passes what is not finite or too large to split through', () => {
    expect(fma64(Number.POSITIVE_INFINITY, 1, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(fma64(2 ** 1000, 2, 1)).toBe(2 ** 1001);
    expect(fma64(Number.NaN, 1, 1)).toBeNaN();
  });
});

describe('draws', () => {
  const fills: [string, (rng: RandomEngine, out: Float32Array) => void][] = [
    ['uniform', (rng, out) => fillUniform(rng, out)],
    ['normal', (rng, out) => fillNormal(rng, out, 0, 1)],
    ['bernoulli', (rng, out) => fillBernoulli(rng, out, 0.5)],
    ['exponential', (rng, out) => fillExponential(rng, out)],
    ['geometric', (rng, out) => fillGeometric(rng, out, 0.5)],
    ['cauchy', (rng, out) => fillCauchy(rng, out)],
    ['logNormal', (rng, out) => fillLogNormal(rng, out)],
    ['integers', (rng, out) => fillIntegers(rng, out, 'float32', 0, 10)],
    ['random', (rng, out) => fillRandom(rng, out, 'float32')],
    ['dropout', (rng, out) => fillDropoutNoise(rng, out, 0.5)],
    [
      'poisson',
      (rng, out) =>
        fillPoisson(
          rng,
          out,
          out.map(() => 3),
        ),
    ],
  ];

  it.each(fills)('%s consumes nothing for an empty array', (_, fill) => {
    const rng = new RandomEngine(7);
    fill(rng, new Float32Array(0));
    expectSame(rng.getState(), new RandomEngine(7).getState());
  });

  it('gives one stream whatever the size of the calls (batches do not show)', () => {
    const n = 2 * WORDS_BATCH + 33;
    for (const [name, fill] of fills.filter(([name]) => name !== 'normal')) {
      const whole = new Float32Array(n);
      fill(new RandomEngine(3), whole);
      const pieces = new Float32Array(n);
      const rng = new RandomEngine(3);
      for (let at = 0; at < n; at += 5000) fill(rng, pieces.subarray(at, Math.min(n, at + 5000)));
      expectSame(pieces, whole, name);
    }
  });

  it('normal: the scalar path for arrays that are not contiguous, and deviation 0 still draws', () => {
    const [a, b] = [new RandomEngine(7), new RandomEngine(7)];
    const out = new Float32Array(40);
    fillNormal(a, out, 1, 2, false);
    expect(Array.from(out)).toEqual(Array.from(out, () => Math.fround(sampleNormal(b, 1, 2))));
    fillNormal(a, out, 5, 0);
    expect(out.every((x) => x === 5)).toBe(true);
    expect(a.getState()).not.toEqual(b.getState());
  });

  it('uniform: replaces a sample that rounds to the upper bound by the lower one', () => {
    const out = new Float32Array(100_000);
    fillUniform(new RandomEngine(1), out, 1, 1 + 2 ** -23);
    expect(new Set(out)).toEqual(new Set([1]));
  });

  it('bernoulli: probabilities per element, one word each in float32 and two in float64', () => {
    const p = Float32Array.of(0, 1, 0.5, 0, 1);
    const [a, b] = [new RandomEngine(7), new RandomEngine(7)];
    const out = new Uint8Array(5);
    fillBernoulliFrom(a, out, p);
    b.words(5);
    expect([out[0], out[1], out[3], out[4]]).toEqual([0, 1, 0, 1]);
    expect(a.getState()).toEqual(b.getState());
    const wide = new BigInt64Array(5).fill(-1n);
    fillBernoulliFrom(a, wide, Float64Array.from(p));
    b.words(10);
    expect([wide[0], wide[1], wide[3], wide[4]]).toEqual([0n, 1n, 0n, 1n]);
    expect(a.getState()).toEqual(b.getState());
    expect(() => fillBernoulliFrom(a, out, Float32Array.of(0, 0, 0, 0, 1.5))).toThrow(ArgumentError);
    expect(a.getState()).toEqual(b.getState());
  });

  it('dropout: p = 0 and p = 1 draw nothing', () => {
    const rng = new RandomEngine(7);
    const out = new Float32Array(3);
    fillDropoutNoise(rng, out, 0);
    expect(Array.from(out)).toEqual([1, 1, 1]);
    fillDropoutNoise(rng, out, 1);
    expect(Array.from(out)).toEqual([0, 0, 0]);
    expectSame(rng.getState(), new RandomEngine(7).getState());
    expect(() => fillDropoutNoise(rng, out, 1.1)).toThrow(/\[0, 1\], got p = 1.1/);
  });
});

describe('integers', () => {
  it('take the remainder of one word below 2^28 and of two from there on', () => {
    for (const range of [
      10n,
      2n ** 28n - 1n,
      2n ** 28n,
      2n ** 37n,
      2n ** 37n + 1n,
      2n ** 45n,
      2n ** 63n,
      2n ** 64n,
    ]) {
      const from = range > 2n ** 63n ? -(2n ** 63n) : -5n;
      const to = range > 2n ** 63n ? 2n ** 63n : range - 5n;
      const [a, b] = [new RandomEngine(7), new RandomEngine(7)];
      const out = new BigInt64Array(200);
      fillIntegers(a, out, 'int64', from, to);
      const expected = out.map(
        () => from + ((range < 2n ** 28n ? BigInt(b.random32()) : b.random64()) % range),
      );
      expect(out, `range ${range}`).toEqual(expected);
    }
  });

  it('work for bounds beyond the safe integers', () => {
    const out = new BigInt64Array(50);
    const from = 2n ** 62n;
    fillIntegers(new RandomEngine(1), out, 'int64', from, from + 3n);
    expect(new Set(out)).toEqual(new Set([from, from + 1n, from + 2n]));
  });

  it('have the same values in every dtype that holds them', () => {
    const dtypes: DType[] = ['float32', 'float64', 'int64', 'int32', 'int16', 'int8', 'uint8'];
    const rows = dtypes.map((dtype) => {
      const out = dtypeInfo[dtype].allocate(20);
      fillIntegers(new RandomEngine(7), out, dtype, 3, 100);
      return Array.from(out, Number);
    });
    for (const row of rows) expect(row).toEqual(rows[0]);
  });

  it('without bounds: the non-negative range of the dtype', () => {
    const masks: [DType, (rng: RandomEngine) => bigint][] = [
      ['int64', (rng) => rng.random64() & (2n ** 63n - 1n)],
      ['int32', (rng) => BigInt(rng.random32() & 0x7fffffff)],
      ['int16', (rng) => BigInt(rng.random32() & 0x7fff)],
      ['int8', (rng) => BigInt(rng.random32() & 0x7f)],
      ['uint8', (rng) => BigInt(rng.random32() & 0xff)],
      ['bool', (rng) => BigInt(rng.random32() & 1)],
      ['float32', (rng) => BigInt(rng.random32()) % (2n ** 24n + 1n)],
      ['float64', (rng) => rng.random64() % (2n ** 53n + 1n)],
    ];
    for (const [dtype, expected] of masks) {
      const [a, b] = [new RandomEngine(7), new RandomEngine(7)];
      const out = dtypeInfo[dtype].allocate(500);
      fillRandom(a, out, dtype);
      for (let i = 0; i < out.length; i++) expect(BigInt(out[i]), dtype).toBe(expected(b));
    }
  });

  it('pull bounds beyond the mantissa inwards', () => {
    const out = new Float32Array(1000);
    fillIntegers(new RandomEngine(7), out, 'float32', 2 ** 30 + 1, 2 ** 30 + 2 ** 10 - 1);
    expect(Math.min(...out)).toBeGreaterThanOrEqual(2 ** 30 + 1);
    expect(Math.max(...out)).toBeLessThan(2 ** 30 + 2 ** 10 - 1);
  });

  it('refuse empty ranges and bounds that the dtype does not hold', () => {
    const rng = new RandomEngine(7);
    const before = rng.getState();
    expect(() => fillIntegers(rng, new BigInt64Array(1), 'int64', 3, 3)).toThrow(/from = 3 >= to = 3/);
    expect(() => fillIntegers(rng, new Int8Array(1), 'int8', 0, 129)).toThrow(
      /'to - 1' .* int8 \(-128 to 127\), got 128/,
    );
    expect(() => fillIntegers(rng, new Uint8Array(1), 'uint8', -1, 9)).toThrow(/'from' .* uint8 .*, got -1/);
    expect(() => fillIntegers(rng, new BigInt64Array(1), 'int64', 0, 2 ** 60)).toThrow(ArgumentError);
    expect(() => fillIntegers(rng, new BigInt64Array(1), 'int64', 0, 1.5)).toThrow(ArgumentError);
    expect(rng.getState()).toEqual(before);
  });
});

describe('permutations and categories', () => {
  it('randomPermutation: both algorithms permute, with n - 1 words or n pairs', () => {
    for (const [insideOut, words] of [
      [false, 999],
      [true, 2000],
    ] as const) {
      const [a, b] = [new RandomEngine(7), new RandomEngine(7)];
      const order = randomPermutation(a, 1000, insideOut);
      expect(Array.from(order).sort((x, y) => x - y)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
      b.words(words);
      expect(a.getState()).toEqual(b.getState());
    }
    expect(() => randomPermutation(new RandomEngine(7), -1)).toThrow(ArgumentError);
    expect(() => randomPermutation(new RandomEngine(7), 2.5)).toThrow(ArgumentError);
  });

  it('sampleCategories: never a weight of zero, distinct without replacement', () => {
    const weights = Float64Array.from([0, 2, 1, 0, 5]);
    const rng = new RandomEngine(7);
    for (let i = 0; i < 200; i++) {
      const drawn = sampleCategories(rng, weights, 5, 3, false);
      expect(Array.from(drawn).sort()).toEqual([1, 2, 4]);
      for (const index of sampleCategories(rng, weights, 5, 4, true))
        expect(weights[index]).toBeGreaterThan(0);
    }
  });

  it('sampleCategories: the first of the race alone, and equal scores in order', () => {
    const [one, all] = [1, 4].map((count) =>
      sampleCategories(new RandomEngine(7), Float32Array.of(1, 2, 3, 4), 4, count, false),
    );
    expect(one[0]).toBe(all[0]);
    expect(sampleCategories(new RandomEngine(7), Float32Array.of(0, 0, 1, 0), 4, 3, false)).toEqual(
      Uint32Array.of(2, 0, 1),
    );
  });

  it('sampleCategories: refuses bad weights in any row before it draws', () => {
    const rng = new RandomEngine(7);
    const before = rng.getState();
    const draw =
      (weights: number[], count = 1) =>
      () =>
        sampleCategories(rng, Float32Array.from(weights), 2, count, false);
    expect(draw([1, 1, 0, 0])).toThrow(/sum greater than 0, got 0 in row 1/);
    expect(draw([1, 1, 1, -1])).toThrow(/got -1 at \[1, 1\]/);
    expect(draw([1, Number.NaN])).toThrow(/got NaN at \[0, 1\]/);
    expect(draw([1, Number.POSITIVE_INFINITY])).toThrow(ArgumentError);
    expect(draw([1, 1], 3)).toThrow(/cannot take 'numSamples' = 3 of 2 categories without replacement/);
    expect(rng.getState()).toEqual(before);
  });
});

describe('shapes of distributions', () => {
  const N = 40_000;
  const moments = (values: Float32Array) => {
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    return { mean, variance: values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length };
  };
  // [name, fill, mean, variance]; the tolerance is five standard errors of the mean, ten per cent of the variance.
  const rows: [string, (rng: RandomEngine, out: Float32Array) => void, number, number][] = [
    ['exponential(2)', (rng, out) => fillExponential(rng, out, 2), 1 / 2, 1 / 4],
    ['geometric(0.3)', (rng, out) => fillGeometric(rng, out, 0.3), 1 / 0.3, 0.7 / 0.09],
    [
      'logNormal(0, 0.5)',
      (rng, out) => fillLogNormal(rng, out, 0, 0.5),
      Math.exp(1 / 8),
      (Math.exp(1 / 4) - 1) * Math.exp(1 / 4),
    ],
    ['poisson(3)', (rng, out) => fillPoisson(rng, out, new Float32Array(N).fill(3)), 3, 3],
    ['poisson(40)', (rng, out) => fillPoisson(rng, out, new Float32Array(N).fill(40)), 40, 40],
    ['bernoulli(0.2)', (rng, out) => fillBernoulli(rng, out, 0.2), 0.2, 0.16],
    ['dropout(0.2)', (rng, out) => fillDropoutNoise(rng, out, 0.2), 1, 0.25],
  ];
  it.each(rows)('%s has its mean and variance', (_, fill, mean, variance) => {
    const out = new Float32Array(N);
    fill(new RandomEngine(7), out);
    const got = moments(out);
    expect(Math.abs(got.mean - mean)).toBeLessThan(5 * Math.sqrt(variance / N));
    expect(Math.abs(got.variance - variance)).toBeLessThan(0.1 * variance);
  });

  it('cauchy has its quartiles', () => {
    const out = new Float32Array(N);
    fillCauchy(new RandomEngine(7), out, 3, 2);
    out.sort();
    const quartiles = [out[N / 4], out[N / 2], out[(3 * N) / 4]];
    for (const [i, expected] of [1, 3, 5].entries())
      expect(Math.abs(quartiles[i] - expected)).toBeLessThan(0.2);
  });

  it('poisson of rate 0 is 0 and draws nothing; a negative rate is refused', () => {
    const rng = new RandomEngine(7);
    const out = new Float32Array(2);
    fillPoisson(rng, out, Float32Array.of(0, 0));
    expect(Array.from(out)).toEqual([0, 0]);
    expectSame(rng.getState(), new RandomEngine(7).getState());
    expect(() => fillPoisson(rng, out, Float32Array.of(1, -1))).toThrow(/got -1 at element 1/);
  });

  it('parameters outside their range are refused', () => {
    const rng = new RandomEngine(7);
    const out = new Float32Array(4);
    expect(() => fillExponential(rng, out, 0)).toThrow(ArgumentError);
    expect(() => fillGeometric(rng, out, 1)).toThrow(ArgumentError);
    expect(() => fillCauchy(rng, out, 0, -1)).toThrow(ArgumentError);
    expect(() => fillLogNormal(rng, out, 0, 0)).toThrow(ArgumentError);
    expect(() => fillBernoulli(rng, out, Number.NaN)).toThrow(ArgumentError);
    expectSame(rng.getState(), new RandomEngine(7).getState());
  });
});
