/**
 * Reductions over many elements, and over extreme ones. The measure is a sum by pairs in float32, the accuracy that
 * numerical libraries promise; what is expected is computed in float64.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

const COUNT = 10_000_000;
const { fround } = Math;

/** Σ by halves, each addition rounded to float32. */
function pairwise(x: Float32Array, from = 0, to = x.length): number {
  if (to - from <= 8) {
    let sum = 0;
    for (let i = from; i < to; i++) sum = fround(sum + x[i]);
    return sum;
  }
  const middle = (from + to) >> 1;
  return fround(pairwise(x, from, middle) + pairwise(x, middle, to));
}

/** Σ f(x), compensated (Neumaier), in float64. */
function exact(x: Float32Array, f: (v: number) => number = (v) => v): number {
  let sum = 0;
  let lost = 0;
  for (const element of x) {
    const v = f(element);
    const next = sum + v;
    lost += Math.abs(sum) >= Math.abs(v) ? sum - next + v : v - next + sum;
    sum = next;
  }
  return sum + lost;
}

/** Half a unit in the last place of a float32: what rounding the exact answer costs. */
const halfUlp = (x: number): number => 2 ** (Math.floor(Math.log2(Math.abs(x))) - 24);

/** At most twice the error of a sum by pairs, and no less than the rounding of the answer itself. */
const bound = (terms: Float32Array, sum: number): number =>
  Math.max(2 * Math.abs(pairwise(terms) - sum), 4 * halfUlp(sum));

describe('ten million elements', () => {
  let x: torch.Tensor;
  let values: Float32Array;
  beforeAll(() => {
    torch.manualSeed(11);
    x = torch.rand(COUNT);
    values = x.data as Float32Array;
  });

  it('sum and mean', () => {
    const sum = exact(values);
    expect(Math.abs(x.sum().item() - sum)).toBeLessThanOrEqual(bound(values, sum));
    expect(Math.abs(x.mean().item() - sum / COUNT)).toBeLessThanOrEqual(
      bound(values, sum) / COUNT + 2 ** -25,
    );
  });

  it('equal elements that no binary fraction holds', () => {
    const sum = COUNT * fround(0.1);
    expect(Math.abs(torch.full([COUNT], 0.1).sum().item() / sum - 1)).toBeLessThan(1e-6);
  });

  it('sums along either dimension of a matrix', () => {
    const matrix = x.reshape(1000, 10_000);
    const rows = matrix.sum(1).data;
    const columns = matrix.sum(0).data;
    for (const at of [0, 1, 499, 999]) {
      const row = values.subarray(at * 10_000, (at + 1) * 10_000);
      const sum = exact(row);
      expect(Math.abs(Number(rows[at]) - sum)).toBeLessThanOrEqual(bound(row, sum));
      const column = Float32Array.from({ length: 1000 }, (_, i) => values[i * 10_000 + at]);
      const total = exact(column);
      expect(Math.abs(Number(columns[at]) - total)).toBeLessThanOrEqual(bound(column, total));
    }
  });

  it('variance around a large mean', () => {
    const shifted = x.add(1000);
    const data = shifted.data as Float32Array;
    const mean = exact(data) / COUNT;
    const variance = exact(data, (v) => (v - mean) ** 2) / (COUNT - 1);
    expect(Math.abs(shifted.var().item() / variance - 1)).toBeLessThan(1e-5);
    expect(Math.abs(shifted.std().item() / Math.sqrt(variance) - 1)).toBeLessThan(1e-5);
  });

  it('norms and log-sum-exp', () => {
    const squares = exact(values, (v) => v * v);
    expect(Math.abs(x.norm().item() / Math.sqrt(squares) - 1)).toBeLessThan(1e-6);
    const exponentials = exact(values, Math.exp);
    expect(Math.abs(x.logsumexp(0).item() / Math.log(exponentials) - 1)).toBeLessThan(1e-6);
  });

  it('the last of the running sums', () => {
    const part = x.narrow(0, 0, 1_000_000);
    const sum = exact(values.subarray(0, 1_000_000));
    const last = Number(part.cumsum(0).data[999_999]);
    expect(Math.abs(last / sum - 1)).toBeLessThan(1e-4); // in order, as PyTorch's: a running sum has no pairs
  });
});

describe('extreme elements', () => {
  const numbers = (...list: number[]) => torch.tensor(list);

  it('softmax and its logarithm do not overflow', () => {
    const x = numbers(1e4, 1e4 + 1, -1e4);
    const e = Math.E;
    const expected = [1 / (1 + e), e / (1 + e), 0];
    for (const [i, p] of [...x.softmax(0).data].entries()) expect(Number(p)).toBeCloseTo(expected[i], 6);
    expect(Number(x.logSoftmax(0).data[2])).toBeCloseTo(-20_001.313, 2);
    expect(
      torch
        .tensor([[3e38, -3e38]])
        .softmax(1)
        .toArray(),
    ).toEqual([[1, 0]]);
  });

  it('log-sum-exp and log-add-exp do not overflow and know infinity', () => {
    expect(numbers(1000, 1000).logsumexp(0).item()).toBeCloseTo(1000 + Math.LN2, 3);
    expect(numbers(-Infinity, -Infinity).logsumexp(0).item()).toBe(-Infinity);
    expect(numbers(Infinity, 1).logsumexp(0).item()).toBe(Infinity);
    expect(torch.logaddexp(numbers(1000), numbers(1000)).item()).toBeCloseTo(1000 + Math.LN2, 3);
  });

  it('norms and deviations whose squares overflow or vanish are right, and so are their gradients', () => {
    for (const scale of [2 ** 100, 2 ** -100, 2 ** -140]) {
      const x = numbers(3 * scale, -4 * scale).requiresGrad_();
      const norm = x.norm();
      expect(norm.item() / scale).toBe(5);
      norm.backward();
      expect(Number(x.grad?.data[0])).toBeCloseTo(0.6, 6);
      expect(torch.std(x, { correction: 0 }).item() / scale).toBe(3.5);
    }
    const rows = torch.tensor([
      [3e30, 4e30],
      [3, 4],
      [0, 0],
      [Infinity, 1],
      [Number.NaN, 1],
    ]);
    const [huge, ...others] = rows.norm(2, 1).toArray() as number[];
    expect(huge / 5e30).toBeCloseTo(1, 6);
    expect(others).toEqual([5, 0, Infinity, Number.NaN]);
  });

  it('cross-entropy of huge logits is finite, and so is its gradient', () => {
    const logits = torch.tensor(
      [
        [1e30, -1e30, 0],
        [-1e30, 1e30, 0],
      ],
      { requiresGrad: true },
    );
    const loss = torch.nn.functional.crossEntropy(logits, torch.tensor([0n, 1n]));
    expect(loss.item()).toBe(0);
    loss.backward();
    expect([...logits.grad!.data].every((g) => Number.isFinite(Number(g)))).toBe(true);
  });

  it('softplus, sigmoid, tanh, logSigmoid at their ends', () => {
    const x = numbers(-1e4, -100, 100, 1e4);
    expect(torch.nn.functional.softplus(x).toArray()).toEqual([0, fround(Math.exp(-100)), 100, 1e4]);
    expect(x.sigmoid().toArray()).toEqual([0, fround(1 / (1 + Math.exp(100))), 1, 1]);
    expect(x.tanh().toArray()).toEqual([-1, -1, 1, 1]);
    expect(torch.nn.functional.logsigmoid(x).toArray()).toEqual([-1e4, -100, -fround(Math.exp(-100)), 0]);
  });

  it('denormals survive', () => {
    const smallest = 2 ** -149;
    expect(
      numbers(smallest, 2 ** -130)
        .mul(1)
        .toArray(),
    ).toEqual([smallest, 2 ** -130]);
    expect(numbers(smallest).add(smallest).item()).toBe(2 * smallest);
    expect(
      numbers(2 ** -126)
        .div(4)
        .item(),
    ).toBe(2 ** -128);
    expect(numbers(smallest, smallest).sum().item()).toBe(2 * smallest);
    expect(
      numbers(2 ** -140)
        .mul(2 ** 20)
        .item(),
    ).toBe(2 ** -120);
    const product = torch.full([4, 4], 2 ** -70).matmul(torch.full([4, 4], 2 ** -70));
    expect(product.data[0]).toBe(4 * 2 ** -140);
  });

  it('signed zeros', () => {
    expect(Object.is(numbers(-0).item(), -0)).toBe(true);
    expect(Object.is(numbers(-0).neg().item(), 0)).toBe(true);
    expect(Object.is(numbers(-0).sqrt().item(), -0)).toBe(true);
    expect(Object.is(numbers(-0).mul(3).item(), -0)).toBe(true);
    expect(numbers(1).div(numbers(-0)).item()).toBe(-Infinity);
    expect(numbers(-0).eq(numbers(0)).item()).toBe(true);
  });

  it('NaN goes through whatever orders or adds', () => {
    const x = numbers(1, NaN, 3);
    for (const y of [
      x.sum(),
      x.mean(),
      x.max(),
      x.min(),
      x.prod(),
      x.norm(),
      x.std(),
      x.median(),
      x.logsumexp(0),
    ]) {
      expect(y.item()).toBeNaN();
    }
    expect(torch.maximum(x, numbers(2, 2, 2)).toArray()).toEqual([2, NaN, 3]);
    expect(torch.minimum(x, 2).toArray()).toEqual([1, NaN, 2]);
    expect(torch.nn.functional.relu(x).toArray()).toEqual([1, NaN, 3]);
    expect(x.clamp(0, 2).toArray()).toEqual([1, NaN, 2]);
    expect(x.argmax().item()).toBe(1);
    expect(x.softmax(0).toArray()).toEqual([NaN, NaN, NaN]);
    expect(numbers(0).matmul(numbers(Infinity)).item()).toBeNaN();
  });

  it('a zero in a product meets infinity, also where zeros are skipped', () => {
    const sparse = torch.zeros(64, 256);
    const weight = torch.ones(256, 128);
    weight.index(17, 5).fill_(Infinity);
    weight.index(30, 6).fill_(NaN);
    const product = sparse.matmul(weight);
    expect(product.select(1, 5).isnan().all().item()).toBe(true);
    expect(product.select(1, 6).isnan().all().item()).toBe(true);
    expect(product.select(1, 7).eq(0).all().item()).toBe(true);
  });
});
