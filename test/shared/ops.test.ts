/** Values at the edges, as PyTorch gives them: ties, NaN, empty and 0-d tensors, negative dims, promotion, errors. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

const { tensor } = torch;
const int = (list: torch.TensorData) => tensor(list, { dtype: 'int64' });
const nan = Number.NaN;
const inf = Infinity;

function same(x: torch.Tensor, expected: torch.NestedNumbers, dtype = 'float32'): void {
  expect(x.dtype).toBe(dtype);
  expect(x.toArray()).toEqual(expected);
}

describe.each(['cpu', 'reference'])('ops on %s', (device) => {
  const before = torch.getDefaultDevice();
  beforeEach(() => torch.setDefaultDevice(device));
  afterEach(() => torch.setDefaultDevice(before));

  it('clamps', () => {
    same(tensor([-2, nan, 3]).clamp(-1, 1), [-1, nan, 1]);
    same(tensor([-2, 0, 3]).clamp({ max: 1 }), [-2, 0, 1]);
    same(tensor([-2, 0, 3]).clamp(null, 1), [-2, 0, 1]);
    same(tensor([0, 5]).clamp(3, 1), [1, 1]);
    same(tensor([-2, 0, 3]).clamp(tensor([0, nan, 0]), tensor([1, 1, 1])), [0, nan, 1]);
    same(int([1, 5, 9]).clamp(2, 8), [2, 5, 8], 'int64');
    same(int([1, 5, 9]).clamp(2.5), [2.5, 5, 9]);
    expect(() => tensor([1]).clamp()).toThrow(/At least one of 'min' or 'max'/);
    const x = tensor([-2, -1, 0, 1, 2], { requiresGrad: true });
    x.clamp(-1, 1).sum().backward();
    same(x.grad!, [0, 1, 1, 1, 0]);
  });

  it('replaces what is no number', () => {
    same(tensor([nan, inf, -inf, 2]).nanToNum({ nan: 1, posinf: 5 }), [
      1,
      5,
      Math.fround(-3.4028234663852886e38),
      2,
    ]);
    same(int([1]).nanToNum(), [1], 'int64');
  });

  it('knows special functions', () => {
    const close = (x: torch.Tensor, list: number[]) => {
      for (const [i, v] of Array.from(x.data, Number).entries()) expect(v).toBeCloseTo(list[i], 5);
    };
    close(tensor([0, 0.5, -1, 3]).erf(), [0, 0.5204998778, -0.8427007929, 0.9999779095]);
    close(tensor([4, -4, inf, -inf]).erfc(), [1.54172579e-8, 1.9999999846, 0, 2]);
    expect(tensor([9], { dtype: 'float64' }).erfc().item()).toBeCloseTo(4.137031746513e-37, 45);
    close(tensor([0, 0.5, -0.9]).erfinv(), [0, 0.4769362762, -1.1630871537]);
    close(tensor([0.5, 1, 5, -0.5]).lgamma(), [0.5723649429, 0, 3.1780538303, 1.2655121235]);
    close(tensor([1, 0.5, -0.5]).digamma(), [-0.5772156649, -1.963510026, 0.036489974]);
    close(tensor([0, 0.5]).sinc(), [1, 0.6366197724]);
    close(tensor([0.1, 0.5]).logit(), [-2.1972245773, 0]);
    expect(tensor([1, -1, 2]).erfinv().toArray()).toEqual([inf, -inf, nan]);
    same(int([4]).erf().gt(0.999), [true], 'bool');
    same(tensor([1.25, -1.35]).round({ decimals: 1 }).mul(10).round(), [12, -14]);
  });

  it('works on bits', () => {
    same(int([5, -1]).bitwiseAnd(int([3, 6])), [1, 6], 'int64');
    same(int([5]).bitwiseOr(2), [7], 'int64');
    same(tensor([true, false]).bitwiseXor(tensor([true, true])), [false, true], 'bool');
    same(tensor([true, false]).bitwiseNot(), [false, true], 'bool');
    same(tensor([0, 7], { dtype: 'uint8' }).bitwiseNot(), [255, 248], 'uint8');
    same(int([1, -8]).bitwiseLeftShift(2), [4, -32], 'int64');
    same(int([12, -18]).gcd(8), [4, 2], 'int64');
    for (const dtype of ['int8', 'int16', 'int32', 'int64'] as const) {
      const x = tensor([1, -1, 5, 5, -5, -5, -5], { dtype });
      const by = tensor([-1, 64, 127, -1, 64, -1, 1], { dtype });
      same(x.bitwiseLeftShift(by), [0, 0, 0, 0, 0, 0, -10], dtype);
      same(x.bitwiseRightShift(by), [0, -1, 0, 0, -1, -1, -3], dtype);
    }
    same(
      tensor([1, 200], { dtype: 'uint8' }).bitwiseRightShift(tensor([255, 8], { dtype: 'uint8' })),
      [0, 0],
      'uint8',
    );
    same(tensor([2147483647], { dtype: 'int32' }).lcm(2), [2], 'int32');
    expect(() => tensor([1]).bitwiseAnd(1)).toThrow(torch.DTypeError);
  });

  it('keeps whole numbers of 32 and 64 bits', () => {
    const largest = tensor([[2147483647, 2147483647]], { dtype: 'int32' });
    same(largest.matmul(tensor([[2147483647], [2147483646]], { dtype: 'int32' })), [[-2147483645]], 'int32');
    const zero = int([0]);
    expect(zero.heaviside(tensor([9223372036854775807n])).data[0]).toBe(9223372036854775807n);
  });

  it('blends', () => {
    same(tensor([1, 2]).lerp(tensor([3, 4]), 1), [3, 4]);
    same(tensor([1, 2]).addcmul(tensor([2, 3]), tensor([1, 1]), { value: 2 }), [5, 8]);
    same(int([1]).addcmul(int([2]), int([3])), [7], 'int64');
  });

  it('measures spread', () => {
    same(tensor([1, 2, 3, 4]).var(false), 1.25);
    same(
      tensor([
        [1, 3],
        [2, 2],
      ]).var({ dim: 1, correction: 0, keepdim: true }),
      [[1], [0]],
    );
    same(
      tensor([
        [1, 3],
        [2, 2],
      ]).std(1, true, true),
      [[Math.fround(Math.SQRT2)], [0]],
    );
    expect(tensor([3]).std().item()).toBeNaN();
    expect(torch.zeros(0).var().item()).toBeNaN();
    expect(() => int([1]).var()).toThrow(/std and var|var only support floating point/);
    const x = tensor([2, 2], { requiresGrad: true });
    x.std().backward();
    same(x.grad!, [0, 0]);
    const [variance, mean] = torch.varMean(tensor([1, 3]));
    expect([variance.item(), mean.item()]).toEqual([2, 2]);
  });

  it('has norms', () => {
    const x = tensor([
      [3, -4],
      [0, 0],
    ]);
    expect(x.norm().item()).toBe(5);
    same(x.norm(0, 1), [2, 0]);
    same(x.norm(-Infinity, 1), [3, 0]);
    same(x.norm({ p: 1, dim: 0, keepdim: true }), [[3, 4]]);
    same(torch.norm(x, 'fro', [0, 1]), 5);
    same(torch.linalg.norm(x, Infinity), 7);
    same(torch.linalg.norm(x, { ord: 1, dim: [0, 1] }), 4);
    same(torch.linalg.vectorNorm(x, 1), 7);
    expect(torch.zeros(0).norm().item()).toBe(0);
    expect(() => int([1]).norm()).toThrow(torch.DTypeError);
  });

  it('adds exponentials', () => {
    same(
      tensor([
        [-inf, -inf],
        [1000, 1000],
      ]).logsumexp(1),
      [-inf, Math.fround(1000 + Math.LN2)],
    );
    same(tensor([inf, 1]).logsumexp(0), inf);
    expect(torch.zeros(0).logsumexp(0).item()).toBe(-inf);
  });

  it('folds along a dimension', () => {
    same(tensor([true, true, false]).cumsum(0), [1, 2, 2], 'int64');
    same(
      tensor([
        [1, 2],
        [3, 4],
      ]).cumsum({ dim: -2 }),
      [
        [1, 2],
        [4, 6],
      ],
    );
    same(int([1, 2]).cumsum(0, { dtype: 'float32' }), [1, 3]);
    same(tensor(2).cumsum(0), 2);
    same(tensor([1, nan, 2]).cumprod(0), [1, nan, nan]);
    const top = tensor([1, 3, 3, nan, 5]).cummax(0);
    same(top.values, [1, 3, 3, nan, nan]);
    same(top.indices, [0, 1, 2, 3, 3], 'int64');
    same(tensor([2, 1, 1, 3]).cummin(0).indices, [0, 1, 2, 2], 'int64');
    same(int([2, 3]).prod(), 6, 'int64');
    same(tensor([true, false]).prod(), 0, 'int64');
    same(torch.zeros([2, 0]).prod(1), [1, 1]);
    expect(() => tensor([1]).cumsum(1)).toThrow(/Dimension out of range/);
  });

  it('propagates gradients of products through zeros', () => {
    for (const [list, expected] of [
      [
        [2, 0, 3],
        [0, 6, 0],
      ],
      [
        [0, 0, 3],
        [0, 0, 0],
      ],
    ]) {
      const x = tensor(list, { requiresGrad: true });
      x.prod().backward();
      same(x.grad!, expected);
    }
    const x = tensor([2, 0, 3, 0, 5], { requiresGrad: true });
    x.cumprod(0).sum().backward();
    same(x.grad!, [1, 8, 0, 0, 0]);
  });

  it('sorts', () => {
    const x = tensor([3, nan, 1, 3]);
    same(x.sort().values, [1, 3, 3, nan]);
    same(x.sort().indices, [2, 0, 3, 1], 'int64');
    same(x.sort({ descending: true, stable: true }).indices, [1, 0, 3, 2], 'int64');
    same(
      tensor([
        [2, 1],
        [1, 2],
      ]).sort(0, { descending: true }).values,
      [
        [2, 2],
        [1, 1],
      ],
    );
    same(tensor([true, false, true]).sort().values, [false, true, true], 'bool');
    same(int([3, 1, 2]).argsort(-1, true), [0, 2, 1], 'int64');
    same(tensor(5).sort().indices, 0, 'int64');
    same(torch.zeros([0, 2]).sort(0).values, []);
    const [values, indices] = tensor([1, 4, 2]).topk(2);
    same(values, [4, 2]);
    same(indices, [1, 2], 'int64');
    same(
      tensor([
        [1, 4],
        [3, 2],
      ]).topk(1, 0, { largest: false }).values,
      [[1, 2]],
    );
    expect(() => tensor([1, 2]).topk(3)).toThrow(/selected index k out of range/);
    expect(String(tensor([2, 1]).sort())).toBe(
      'torch.return_types.sort(\nvalues=tensor([1., 2.]),\nindices=tensor([1, 0]))',
    );
  });

  it('finds order statistics', () => {
    same(tensor([4, 1, 3, 2]).median(), 2);
    same(tensor([4, nan, 3]).median(), nan);
    same(tensor([4, nan, 3]).nanmedian(), 3);
    const m = tensor([
      [4, nan, nan],
      [3, 1, 2],
    ]).median(1, true);
    same(m.values, [[nan], [2]]);
    same(m.indices, [[1], [2]], 'int64');
    same(tensor([[5, 1, 3]]).kthvalue(2, { dim: -1 }).indices, [2], 'int64');
    same(tensor([1, 2, 3, 4]).quantile(0.5), 2.5);
    same(
      tensor([
        [1, 2],
        [3, nan],
      ]).quantile([0, 1], 1),
      [
        [1, nan],
        [2, nan],
      ],
    );
    same(torch.mode(tensor([[2, 1, 1, 2, 3]])).values, [1]);
    expect(() => tensor([1]).kthvalue(2)).toThrow(/selected number k out of range/);
    expect(() => int([]).median()).toThrow(/empty input/);
  });

  it('counts', () => {
    same(int([3, 1, 1]).bincount(), [0, 2, 0, 1], 'int64');
    same(int([1, 1]).bincount({ weights: tensor([0.5, 1]), minlength: 3 }), [0, 1.5, 0]);
    same(int([]).bincount(), [], 'int64');
    expect(() => int([-1]).bincount()).toThrow(/non-negative/);
    same(tensor([1, 2, 1]).histc(4, 0, 3), [0, 2, 1, 0]);
    same(tensor([1, 2, 3, 4, -1]).histc(2, 1, 3), [1, 2]);
    const [values, inverse, counts] = torch.unique(tensor([3, 1, 3, 2]), {
      returnInverse: true,
      returnCounts: true,
    }) as torch.Tensor[];
    same(values, [1, 2, 3]);
    same(inverse, [2, 0, 2, 1], 'int64');
    same(counts, [1, 1, 2], 'int64');
    // All digits of int64 count, and of equal zeros the first one stays.
    const wide = torch.tensor([2n ** 60n + 1n, -(2n ** 60n), 2n ** 60n, 2n ** 60n + 1n]);
    const [distinct, place] = wide.unique({ returnInverse: true }) as torch.Tensor[];
    expect([...distinct.data]).toEqual([-(2n ** 60n), 2n ** 60n, 2n ** 60n + 1n]);
    same(place, [2, 0, 1, 2], 'int64');
    expect([...(tensor([0, -0, 1]).unique() as torch.Tensor).data]).toEqual([0, 1]);
    const nothing = int([]).unique({ returnInverse: true, returnCounts: true }) as torch.Tensor[];
    for (const x of nothing) same(x, [], 'int64');
    same(
      torch.unique(
        int([
          [1, 2],
          [0, 5],
          [1, 2],
        ]),
        { dim: 0 },
      ) as torch.Tensor,
      [
        [0, 5],
        [1, 2],
      ],
      'int64',
    );
    // Slices are compared element by element in the order of the other dimensions.
    const cube = int([0, 0, 5, 4, 0, 1, 3, 2]).reshape(2, 2, 2);
    same(torch.unique(cube, { dim: 2 }) as torch.Tensor, cube.flip(2).toArray() as never, 'int64');
    same(torch.uniqueConsecutive(int([1, 1, 2, 1])) as torch.Tensor, [1, 2, 1], 'int64');
    same(torch.searchsorted(tensor([1, 3, 5]), tensor([3, 6]), { right: true }), [2, 3], 'int64');
    same(torch.bucketize<torch.Tensor>(tensor([0, 3]), tensor([1, 3, 5])), [0, 1], 'int64');
    same(torch.isin(int([1, 2, 3]), int([2])), [false, true, false], 'bool');
    same(
      tensor([
        [0, 1],
        [2, 0],
      ]).countNonzero({ dim: 0 }),
      [1, 1],
      'int64',
    );
  });

  it('compares', () => {
    expect(torch.allclose(tensor([1, inf]), tensor([1 + 1e-6, inf]))).toBe(true);
    expect(torch.allclose(tensor([nan]), tensor([nan]))).toBe(false);
    expect(torch.allclose(tensor([nan]), tensor([nan]), { equalNan: true })).toBe(true);
    expect(torch.equal(tensor([1, 2]), tensor([1, 2]))).toBe(true);
    expect(torch.equal(tensor([1, 2]), tensor([[1, 2]]))).toBe(false);
    same(tensor([1, nan]).fmax(tensor([nan, 2])), [1, 2]);
    same(tensor([-1, 0, 2]).heaviside(tensor([0.5, 0.5, 0.5])), [0, 0.5, 1]);
  });

  it('takes roots for the powers 0.5 and -0.5 of a number, as PyTorch does', () => {
    // Beside a tensor of exponents it takes C's power, which differs at −∞ and −0.
    for (const dtype of ['float32', 'float64'] as const) {
      const x = tensor([-0, 0, -Infinity, Infinity, -1, 4], { dtype });
      expect(x.pow(-0.5).tolist()).toEqual([-Infinity, Infinity, Number.NaN, 0, Number.NaN, 0.5]);
      expect(x.pow(0.5).tolist()).toEqual([-0, 0, Number.NaN, Infinity, Number.NaN, 2]);
      const each = torch.full([6], -0.5, { dtype });
      expect(x.pow(each).tolist()).toEqual([Infinity, Infinity, 0, 0, Number.NaN, 0.5]);
    }
    expect(int([4]).pow(-0.5).tolist()).toEqual([0.5]);
    const x = tensor([4, 0.25], { requiresGrad: true });
    const y = x.pow(-0.5);
    expect(y.gradFn?.name).toBe('PowBackward0');
    const [first] = torch.autograd.grad(y.sum(), x, { createGraph: true });
    expect(first.tolist()).toEqual([-0.0625, -4]);
    expect(torch.autograd.grad(first.sum(), x)[0].tolist()).toEqual([0.75 / 32, 24]);
  });

  it('changes in place', () => {
    const x = tensor([4, 9]);
    same(x.sqrt_(), [2, 3]);
    same(x.clamp_({ max: 2.5 }), [2, 2.5]);
    same(x.pow_(2), [4, 6.25]);
    same(x.gt_(5), [0, 1]);
    expect(() => int([4]).sqrt_()).toThrow(/result type Float can't be cast to the desired output type Long/);
    expect(() => tensor([1]).add_(tensor([1, 2]))).toThrow(/doesn't match the broadcast shape/);
    expect(() => tensor([1], { requiresGrad: true }).exp_()).toThrow(/leaf Variable that requires grad/);
    const w = tensor([1, 2], { requiresGrad: true });
    const y = w.mul(1);
    y.sin_();
    y.sum().backward();
    expect(torch.allclose(w.grad!, torch.cos(w.detach()))).toBe(true);
    const z = torch.zeros([2, 2]);
    z.t()
      .triu_()
      .select(0, 0)
      .copy_(tensor([1, 2]));
    same(z, [
      [1, 0],
      [2, 0],
    ]);
    same(torch.zeros([2, 2]).fillDiagonal_(1), [
      [1, 0],
      [0, 1],
    ]);
    same(torch.zeros(3).scatter_(0, int([1]), 2), [0, 2, 0]);
    same(torch.zeros(3).indexFill_(0, int([0]), 1), [1, 0, 0]);
  });

  it('takes differences and areas', () => {
    same(torch.diff(tensor([1, 4, 9])), [3, 5]);
    same(torch.diff(tensor([1, 4, 9]), { n: 2 }), [2]);
    same(torch.diff(tensor([1, 4]), { prepend: tensor([0]) }), [1, 3]);
    same(torch.trapezoid(tensor([1, 2, 3])), 4);
    same(torch.trapezoid(tensor([1, 2, 3]), tensor([0, 2, 4])), 8);
    same(
      torch.cov(
        tensor([
          [0, 1, 2],
          [2, 1, 0],
        ]),
      ),
      [
        [1, -1],
        [-1, 1],
      ],
    );
    same(
      torch.combinations(int([1, 2, 3])),
      [
        [1, 2],
        [1, 3],
        [2, 3],
      ],
      'int64',
    );
  });
});
