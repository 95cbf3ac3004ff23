/** The kernels of decompositions against loops, around the edges of vectors, and matrices that are larger than those of the fixture. */
import { describe, expect, it } from 'vitest';
import { wasmBackend } from '../../src/backend/registry.ts';
import * as torch from '../../src/index.ts';
import { benches } from './kernelsHarness.ts';

const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 16, 17, 33];
const COUNTS = [0, 1, 2, 5];
const FACTORS = 7;
const GAP = 3;

/** Different in every place, of either sign. */
const values = (n: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => Math.sin(i * 1.7 + 0.3));

function expectClose(got: Float64Array, want: Float64Array, what: string): void {
  expect(got.length).toBe(want.length);
  for (const [i, v] of want.entries())
    expect(Math.abs(got[i] - v), `${what}: element ${i} is ${got[i]}, not ${v}`).toBeLessThan(1e-13);
}

/** Every kernel on `count` rows of n, which lie GAP further apart, with factors that lie two apart. */
function forEachSize(run: (bench: (typeof benches)[number], n: number, count: number) => void): void {
  for (const bench of benches) {
    for (const n of LENGTHS) {
      for (const count of COUNTS) {
        run(bench, n, count);
        bench.reset();
      }
    }
  }
}

describe('rows of doubles', () => {
  it('are multiplied by a vector', () =>
    forEachSize((bench, n, count) => {
      const [x, v] = [values(count * (n + GAP)), values(n + 1)];
      const [p, q, out] = [bench.put(x), bench.put(v), bench.alloc(8 * count)];
      bench.call('row_dots_f64', p, n + GAP, q, out, n, count);
      const want = Float64Array.from({ length: count }, (_, i) =>
        v.subarray(0, n).reduce((sum, y, j) => sum + y * x[i * (n + GAP) + j], 0),
      );
      expectClose(bench.f64(out, count), want, `${bench.name} [${count}, ${n}]`);
    }));

  it('are taken from one, times factors', () =>
    forEachSize((bench, n, count) => {
      const [x, c, y] = [values(count * (n + GAP)), values(FACTORS * 2), values(n)];
      const [p, q, out] = [bench.put(x), bench.put(c), bench.put(y)];
      bench.call('row_sum_f64', p, n + GAP, q, 2, out, n, count);
      const want = y.slice();
      for (let i = 0; i < count; i++) for (let j = 0; j < n; j++) want[j] -= c[2 * i] * x[i * (n + GAP) + j];
      expectClose(bench.f64(out, n), want, `${bench.name} [${count}, ${n}]`);
    }));

  it('lose one, times factors', () =>
    forEachSize((bench, n, count) => {
      const [x, c, y] = [values(count * (n + GAP)), values(FACTORS * 2), values(n)];
      const [p, q, from] = [bench.put(x), bench.put(c), bench.put(y)];
      bench.call('row_updates_f64', p, n + GAP, q, 2, from, n, count);
      const want = x.slice();
      for (let i = 0; i < count; i++) for (let j = 0; j < n; j++) want[i * (n + GAP) + j] -= c[2 * i] * y[j];
      expectClose(bench.f64(p, x.length), want, `${bench.name} [${count}, ${n}]`);
    }));

  it('are turned one after the other', () =>
    forEachSize((bench, n, count) => {
      const [x, cs] = [values((count + 1) * n), values(FACTORS * 2)];
      const [p, q] = [bench.put(x), bench.put(cs)];
      bench.call('row_rotations_f64', p, n, q, count);
      const want = x.slice();
      for (let i = 0; i < count; i++) {
        const [c, s] = [cs[2 * i], cs[2 * i + 1]];
        for (let j = i * n; j < (i + 1) * n; j++) {
          const [a, b] = [want[j], want[j + n]];
          want[j] = c * a + s * b;
          want[j + n] = c * b - s * a;
        }
      }
      expectClose(bench.f64(p, x.length), want, `${bench.name} [${count}, ${n}]`);
    }));

  it('lie in memory that is zero, and given back whatever happens', () => {
    const { rowMath, heap } = wasmBackend();
    const before = heap.residentBytes;
    for (const length of [100, 3000]) {
      rowMath.lend(length, (m) => m.fill(1));
      expect(rowMath.lend(length, (m) => m.subarray(0, length).every((x) => x === 0))).toBe(true);
    }
    expect(() =>
      rowMath.lend(3000, () => {
        throw new Error('midway');
      }),
    ).toThrow('midway');
    expect(heap.residentBytes).toBe(before);
  });
});

describe('decompositions of larger matrices', () => {
  const float64 = { dtype: 'float64' } as const;
  const off = (x: torch.Tensor, y: torch.Tensor): number => x.sub(y).abs().max().item();
  const identity = (n: number) => torch.eye(n, float64);

  for (const [m, n] of [
    [60, 60],
    [65, 40],
    [40, 65],
  ]) {
    it(`are those of their matrix: ${m} by ${n}`, () => {
      torch.manualSeed(0);
      const a = torch.randn(m, n, float64);
      const [q, r] = torch.linalg.qr(a);
      expect(off(q.matmul(r), a)).toBeLessThan(1e-12);
      expect(off(q.t().matmul(q), identity(Math.min(m, n)))).toBeLessThan(1e-12);
      const [u, s, vh] = torch.linalg.svd(a, false);
      expect(off(u.mul(s).matmul(vh), a)).toBeLessThan(1e-12);
      expect(off(u.t().matmul(u), identity(Math.min(m, n)))).toBeLessThan(1e-12);
      expect(off(torch.linalg.svdvals(a), s)).toBeLessThan(1e-12);
    });
  }

  it('are those of their matrix: square ones', () => {
    torch.manualSeed(0);
    const a = torch.randn(61, 61, float64);
    expect(off(a.matmul(torch.linalg.inv(a)), identity(61))).toBeLessThan(1e-11);
    const b = torch.randn(61, 7, float64);
    expect(off(a.matmul(torch.linalg.solve(a, b)), b)).toBeLessThan(1e-11);
    const symmetric = a.add(a.t());
    const [values, vectors] = torch.linalg.eigh(symmetric);
    expect(off(symmetric.matmul(vectors), vectors.mul(values))).toBeLessThan(1e-12);
    expect(off(vectors.t().matmul(vectors), identity(61))).toBeLessThan(1e-12);
    const positive = a.matmul(a.t()).add(identity(61));
    const l = torch.linalg.cholesky(positive);
    expect(off(l.matmul(l.t()), positive)).toBeLessThan(1e-11);
    expect(off(l, l.tril())).toBe(0);
  });
});
