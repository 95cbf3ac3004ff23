/**
 * Functions of one float against Math in double precision, over a stride through all bit patterns, so that every
 * exponent, denormals, infinities and NaN take part; and at the points where formulas meet.
 */
import { describe, expect, it } from 'vitest';
import { erfinvOf } from '../../src/ops/specialFunctions.ts';
import { benches, type KernelBench, LENGTHS, ulps, waves } from './kernelsHarness.ts';

/** Coprime to every power of two, so that all low bits occur. */
const STRIDE = 10_007;
const BATCH = 65_536;

interface Case {
  readonly js: (x: number, p: number, q: number) => number;
  /** Units in the last place; 0 is exact. */
  readonly limit: number;
  /** The same without fused multiply-add, where it is another. */
  readonly plain?: number;
  readonly p?: number;
  readonly q?: number;
  /** Arguments that the limit does not speak of. */
  readonly skip?: (x: number) => boolean;
}

const roundHalfToEven = (x: number): number => {
  const nearest = Math.round(x);
  const tie = Math.abs(x - Math.trunc(x)) === 0.5;
  const even = tie && nearest % 2 !== 0 ? nearest - 1 : nearest;
  return even === 0 ? Math.sign(x) * 0 : even;
};

const upToSix = (x: number) => Math.min(Math.max(x + 3, 0), 6);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

const cases: Record<string, Case> = {
  abs: { js: Math.abs, limit: 0 },
  neg: { js: (x) => -x, limit: 0 },
  square: { js: (x) => x * x, limit: 0 },
  sqrt: { js: Math.sqrt, limit: 0 },
  reciprocal: { js: (x) => 1 / x, limit: 0 },
  floor: { js: Math.floor, limit: 0 },
  ceil: { js: Math.ceil, limit: 0 },
  trunc: { js: Math.trunc, limit: 0 },
  frac: { js: (x) => x - Math.trunc(x), limit: 0 },
  round: { js: roundHalfToEven, limit: 0 },
  sign: { js: (x) => (x > 0 ? 1 : x < 0 ? -1 : 0), limit: 0 },
  relu: { js: (x) => (x < 0 ? 0 : x), limit: 0 },
  clamp: { js: (x, p, q) => (Number.isNaN(x) ? x : Math.min(Math.max(x, p), q)), limit: 0, p: -1.5, q: 2 },
  leaky_relu: { js: (x, p) => (x > 0 ? x : x * p), limit: 0, p: 0.25 },
  rsqrt: { js: (x) => 1 / Math.sqrt(x), limit: 1.5 },
  exp: { js: Math.exp, limit: 1 },
  exp2: { js: (x) => 2 ** x, limit: 1.25 },
  expm1: { js: Math.expm1, limit: 2 },
  log: { js: Math.log, limit: 1, plain: 1.25 },
  log1p: { js: Math.log1p, limit: 2 },
  log2: { js: Math.log2, limit: 0.51 },
  log10: { js: Math.log10, limit: 0.51 },
  sin: { js: Math.sin, limit: 1.5 },
  cos: { js: Math.cos, limit: 1.5 },
  tan: { js: Math.tan, limit: 0.51 },
  asin: { js: Math.asin, limit: 0.51 },
  acos: { js: Math.acos, limit: 0.51 },
  atan: { js: Math.atan, limit: 0.51 },
  sinh: { js: Math.sinh, limit: 0.51 },
  cosh: { js: Math.cosh, limit: 0.51 },
  tanh: { js: Math.tanh, limit: 2 },
  sigmoid: { js: sigmoid, limit: 2 },
  // A denormal sigmoid has few digits, and the product inherits them.
  silu: { js: (x) => x * sigmoid(x), limit: 3, skip: (x) => x < -87 },
  elu: { js: (x, p, q) => (x > 0 ? x * q : p * Math.expm1(x)), limit: 2.5, p: 0.75, q: 1.25 },
  hardsigmoid: { js: (x) => upToSix(x) / 6, limit: 1, skip: (x) => x < -2.9 },
  hardswish: { js: (x) => (x * upToSix(x)) / 6, limit: 2, skip: (x) => x < -2.9 || Math.abs(x) > 5e37 },
  softplus: { js: (x, p, q) => (x * p > q ? x : Math.log1p(Math.exp(x * p)) / p), limit: 2, p: 2, q: 20 },
  erf: { js: (x) => 1 - erfcOf(x), limit: 1.5, skip: (x) => Math.abs(x) < 0.5 },
  erfc: { js: erfcOf, limit: 0.51 },
  erfinv: { js: erfinvOf, limit: 0.51 },
  // Without fused multiply-adds the square of a large argument is rounded.
  gelu: { js: (x) => 0.5 * x * erfcOf(-x / Math.SQRT2), limit: 6, plain: 80, skip: (x) => x < -13 },
};

/** By its continued fraction far out, by the series of erf near 0; to about 1e-13. */
function erfcOf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x < 0) return 2 - erfcOf(-x);
  if (x > 30) return 0;
  if (x < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; n < 200 && Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let f = x;
  for (let k = 60; k > 0; k--) f = x + k / 2 / f;
  return Math.exp(-x * x) / (f * Math.sqrt(Math.PI));
}

function check(
  bench: KernelBench,
  name: string,
  { js, limit, plain = limit, p = 0, q = 0, skip }: Case,
  x: Float32Array,
): void {
  const [from, to] = [bench.put(x), bench.alloc(x.byteLength)];
  bench.call(`${name}_f32`, from, to, p, q, 0, x.length);
  const got = bench.f32(to, x.length);
  for (let i = 0; i < x.length; i++) {
    if (skip?.(x[i])) continue;
    const want = js(x[i], p, q);
    if (Math.fround(want) === got[i] && got[i] !== 0) continue;
    const far = ulps(got[i], want);
    if (far > (bench.name === 'simd' ? plain : limit))
      expect.fail(`${bench.name} ${name}(${x[i]}) = ${got[i]}, expected ${want}: ${far.toFixed(2)} ulp`);
  }
  bench.reset();
}

const meetingPoints = [
  0.1851851851,
  0.24989319,
  0.5555555555,
  0.625,
  Math.SQRT1_2,
  0.9,
  Math.SQRT2,
  4,
  9.5,
  20,
  88,
  88.7228,
  88.8,
  103.9,
  104,
  150,
  160,
  1048576,
  1048577,
  3e38,
  0.41421357,
  2.4142136,
]
  .flatMap((x) => [x, x * (1 + 2 ** -23), x * (1 - 2 ** -23)])
  .flatMap((x) => [x, -x]);
const special = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  Infinity,
  -Infinity,
  Number.NaN,
  2 ** -149,
  -(2 ** -149),
  2 ** -126,
  8,
  1000,
];

describe.each(benches)('functions of one float, $name build', (bench) => {
  it.each(Object.keys(cases))('%s', (name) => {
    check(bench, name, cases[name], Float32Array.from([...special, ...meetingPoints]));
    // Whole turns of neighbours, around where results leave the normal numbers and where they do not.
    for (const [from, to] of [
      [-105, -85],
      [85, 90],
      [-0.5, 0.5],
      [-1, 1],
      [0.9995, 1.0005],
    ]) {
      const near = Float32Array.from({ length: 20_000 }, (_, i) => from + ((to - from) * i) / 20_000);
      check(bench, name, cases[name], near);
    }
    const x = new Float32Array(BATCH);
    const bits = new Uint32Array(x.buffer);
    for (let at = 0; at < 2 ** 32; at += BATCH * STRIDE) {
      for (let i = 0; i < BATCH; i++) bits[i] = (at + i * STRIDE) % 2 ** 32;
      check(bench, name, cases[name], x);
    }
  });

  it.each(Object.keys(cases).flatMap((name) => [3, 120].map((scale) => [name, scale] as const)))(
    '%s: the same for every length and slice, in place too, of numbers up to %i',
    (name, scale) => {
      const { p = 0, q = 0 } = cases[name];
      const all = waves(256, scale);
      bench.call(`${name}_f32`, bench.put(all), bench.alloc(0), p, q, 0, 0);
      const whole = bench.alloc(all.byteLength);
      bench.call(`${name}_f32`, bench.put(all), whole, p, q, 0, all.length);
      const expected = bench.f32(whole, all.length);
      for (const n of LENGTHS) {
        const from = bench.put(all.subarray(0, n));
        const got = bench.sliced(`${name}_f32`, (out) => [from, out, p, q], n, n * 4);
        expect(new Float32Array(got.buffer)).toEqual(expected.slice(0, n));
        bench.call(`${name}_f32`, from, from, p, q, 0, n);
        expect(bench.f32(from, n)).toEqual(expected.slice(0, n));
      }
      bench.reset();
    },
  );

  it('erf is odd and exact near 0', () => {
    const x = Float32Array.from({ length: 2000 }, (_, i) => 2 ** (-i / 15));
    const from = bench.put(x);
    const to = bench.alloc(x.byteLength);
    bench.call('erf_f32', from, to, 0, 0, 0, x.length);
    const y = bench.f32(to, x.length);
    bench.call('neg_f32', from, from, 0, 0, 0, x.length);
    bench.call('erf_f32', from, to, 0, 0, 0, x.length);
    expect(bench.f32(to, x.length)).toEqual(y.map((v) => -v));
    for (let i = 30; i < x.length; i++) {
      const z = x[i] * x[i];
      const series =
        (2 / Math.sqrt(Math.PI)) *
        x[i] *
        (1 - z / 3 + (z * z) / 10 - z ** 3 / 42 + z ** 4 / 216 - z ** 5 / 1320);
      expect(ulps(y[i], series)).toBeLessThan(1.25);
    }
    bench.reset();
  });
});
