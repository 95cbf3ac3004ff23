/** Corners where an answer other than PyTorch's is easily given: its answers, written down. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

const { nn, optim, data, autograd } = torch;
const F = nn.functional;
const { nan, inf } = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY };
const leaf = (values: number[]): torch.Tensor => torch.tensor(values).requiresGrad_();
/** The gradients of Σ f(x) by x. */
function slopes(f: (x: torch.Tensor) => torch.Tensor, values: number[]): number[] {
  const x = leaf(values);
  f(x).sum().backward();
  return Array.from(x.grad?.data ?? [], Number);
}

describe('gradients at NaN and at infinities', () => {
  it('rectifiers pass them on where they do not cut', () => {
    expect(slopes((x) => x.relu(), [nan, -1, 2, inf, -inf])).toEqual([1, 0, 1, 1, 0]);
    expect(slopes(F.relu6, [nan, 7, 2])).toEqual([1, 0, 1]);
    expect(slopes(F.hardtanh, [nan, 7, 0.5])).toEqual([1, 0, 1]);
    expect(slopes(F.elu, [nan, 2])).toEqual([1, 1]);
    expect(slopes(F.celu, [nan, 2])).toEqual([1, 1]);
    expect(slopes(F.selu, [nan])[0]).toBeCloseTo(1.0507009, 5);
  });
  it('take the side that PyTorch takes at the corners of hardswish, and of elu with a negative slope', () => {
    expect(slopes(F.hardswish, [-3, 3, -3, 3, 0])).toEqual([0, 1, 0, 1, 0.5]);
    expect(slopes((x) => F.hardswish(x.double()), [-3, 3])).toEqual([0, 1]);
    for (const y of [torch.tensor([0, -0]), torch.tensor([0, -0], { dtype: 'float64' })]) {
      expect(F.elu(y, -0.5).tolist()).toEqual([0, -0]);
      expect(F.celu(y, -0.5).tolist()).toEqual([0, -0]);
    }
  });
  it('are 0 where a bound of clamp or x is NaN, whatever comes in', () => {
    const bounds = [leaf([0, nan, 0, 2]), leaf([1, 1, nan, 1])] as const;
    const x = leaf([nan, 0, 0, 0]);
    x.clamp(...bounds)
      .sum()
      .backward();
    expect([x, ...bounds].map((t) => t.grad?.tolist())).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 1],
    ]);
    const y = leaf([1, 2]);
    y.clamp(nan, 5).backward(torch.tensor([inf, nan]));
    expect(y.grad?.tolist()).toEqual([0, 0]);
  });
  it('of second order are 0 where a loss turns from a parabola into a line', () => {
    const zeros = torch.zeros(3);
    const losses = [
      (x: torch.Tensor) => F.huberLoss(x, zeros, { reduction: 'sum' }),
      (x: torch.Tensor) => F.smoothL1Loss(x, zeros, { reduction: 'sum' }),
    ];
    for (const loss of losses) {
      const x = leaf([-1, 0.5, 1]);
      const [first] = torch.autograd.grad(loss(x), x, {
        createGraph: true,
      });
      expect(torch.autograd.grad(first.sum(), x)[0].tolist()).toEqual([0, 1, 0]);
    }
  });
  it('stay 0 where a logarithm that nothing asks for is infinite or NaN', () => {
    const x = leaf([1, 2, 3]);
    torch.xlogy(x, torch.tensor([0, -1, 1])).backward(torch.tensor([0, 0, 1]));
    expect(x.grad?.tolist()).toEqual([0, 0, 0]);
    const target = leaf([-1]);
    F.klDiv(torch.zeros(0, 1), target, { reduction: 'none' }).sum().backward();
    expect(target.grad?.tolist()).toEqual([0]);
  });
  it('of logit are infinite at 0 and 1 and NaN beyond, and 0 where eps holds x', () => {
    expect(slopes((x) => x.logit(), [-0.5, -0, 0, 0.5, 1, 2])).toEqual([nan, inf, inf, 4, inf, nan]);
    expect(slopes((x) => x.logit(0.25), [-0.5, 0.25, 0.5, 2])).toEqual([0, Math.fround(16 / 3), 4, 0]);
  });
  it('of a convolution are infinite by weights that an infinity meets once, wherever rows end', () => {
    for (const columns of [16, 17, 18, 19]) {
      for (let at = columns - 4; at < columns; at++) {
        const x = torch.ones(1, 2, 16, columns);
        x.index(0, 0, 5, at).fill_(inf);
        const weight = torch.ones(3, 2, 3, 3, { requiresGrad: true });
        F.conv2d(x, weight, { padding: 1 }).sum().backward();
        // The left tap of a row does not reach the last column of x.
        const left = at === columns - 1 ? columns - 1 : inf;
        expect(weight.grad?.index(2, 0, 1).toArray(), `${columns}, ${at}`).toEqual([
          left === inf ? inf : 16 * left,
          inf,
          inf,
        ]);
        expect(weight.grad?.index(2, 1).isfinite().all().item()).toBe(true);
      }
    }
  });
  it('of running products along one element pass', () => {
    const x = torch.tensor([[nan], [inf], [2]], { requiresGrad: true });
    x.cumprod(1).sum().backward();
    expect(x.grad?.toArray()).toEqual([[1], [1], [1]]);
  });
  it('go to the NaNs where those are the extreme of all elements', () => {
    expect(slopes((x) => x.max(), [1, nan, nan])).toEqual([0, 0.5, 0.5]);
    expect(slopes((x) => x.min(), [nan, inf])).toEqual([1, 0]);
  });
  it('are NaN where a loss is', () => {
    expect(slopes((x) => F.smoothL1Loss(x, torch.zeros(2), { reduction: 'sum' }), [nan, 0.5])).toEqual([
      nan,
      0.5,
    ]);
    expect(slopes((x) => F.huberLoss(x, torch.zeros(2), { reduction: 'sum' }), [nan, 3])).toEqual([nan, 1]);
  });
  it('are 0 at the weights of elements that PReLU leaves alone', () => {
    const weight = leaf([0.25]);
    F.prelu(torch.tensor([inf, 2]), weight)
      .sum()
      .backward();
    expect(weight.grad?.toArray()).toEqual([0]);
  });
  it('of lerp reach the ends whatever the weight is', () => {
    const end = leaf([2]);
    torch.lerp(torch.tensor([1]), end, torch.tensor([inf])).backward();
    expect(end.grad?.toArray()).toEqual([inf]);
  });
});

describe('dtypes', () => {
  it('bools are squared as int64, and keep their triangles', () => {
    expect(torch.tensor([true, false]).square().dtype).toBe('int64');
    expect(
      torch
        .tensor([[true, true]])
        .tril()
        .toArray(),
    ).toEqual([[true, false]]);
  });
  it('integers lose the fractions of factors and bounds', () => {
    const x = torch.tensor([[1n, 2n]]);
    const y = torch.tensor([[1n], [1n]]);
    expect(torch.addmm(torch.tensor([[5n]]), x, y, { beta: 1.5, alpha: 2.5 }).toArray()).toEqual([[11]]);
    expect(torch.addcmul(x, x, x, { value: 0.5 }).toArray()).toEqual([[1, 2]]);
    expect(F.hardtanh(torch.tensor([-3n, 3n]), -0.5, 2.5).toArray()).toEqual([0, 2]);
  });
  it('the cross-entropy of logits has the dtype of the target', () => {
    const logits = torch.tensor([0.5], { dtype: 'float64' });
    expect(F.binaryCrossEntropyWithLogits(logits, torch.tensor([1])).dtype).toBe('float32');
  });
  it('logsumexp takes integers as floats', () => {
    const y = torch.tensor([0n, 0n]).logsumexp(0);
    expect(y.dtype).toBe('float32');
    expect(y.item()).toBeCloseTo(Math.log(2), 6);
  });
  it('a condition may be of bytes', () => {
    const bytes = torch.tensor([1, 0], { dtype: 'uint8' });
    expect(torch.where(bytes, 1, 2).toArray()).toEqual([1, 2]);
  });
});

describe('shapes', () => {
  it('masks of no dimension add one', () => {
    const x = torch.arange(6).reshape(2, 3);
    expect(x.index(torch.tensor(true)).shape).toEqual([1, 2, 3]);
    expect(x.index(torch.tensor(false)).shape).toEqual([0, 2, 3]);
    expect(x.index(torch.tensor(true), torch.tensor([1n, 0n, 1n])).shape).toEqual([3, 3]);
  });
  it('linear takes a bias of any shape that does not grow the result, and no features', () => {
    const [x, w] = [torch.ones(2, 3), torch.ones(4, 3)];
    expect(F.linear(x, w, torch.tensor(1)).toArray()).toEqual([
      [4, 4, 4, 4],
      [4, 4, 4, 4],
    ]);
    expect(() => F.linear(torch.ones(3), w, torch.ones(1, 4))).toThrow(
      /got \[4\] as argument 'size' for \[1, 4\]/,
    );
    const none = torch.ones(0, 3).requiresGrad_();
    F.linear(x, none, torch.ones(0)).sum().backward();
    expect(none.grad?.shape).toEqual([0, 3]);
    const nothing = torch.ones(2, 3, 0).requiresGrad_();
    F.linear(nothing, torch.ones(4, 0).requiresGrad_()).sum().backward();
    expect(nothing.grad?.shape).toEqual([2, 3, 0]);
  });
  it('the infinity norm minds only the dimensions that it reduces', () => {
    expect(torch.zeros(4, 0).norm(inf, 0, true).shape).toEqual([1, 0]);
    expect(() => torch.zeros(4, 0).norm(inf, 1)).toThrow(/inf norm on an empty tensor/);
  });
  it('circular margins repeat what negative ones leave', () => {
    expect(F.pad(torch.tensor([[[1, 2, 3, 4]]]), [3, -1], 'circular').toArray()).toEqual([
      [[1, 2, 3, 1, 2, 3]],
    ]);
  });
});

describe('values', () => {
  it('outer is a product of numbers, in which −0 stays', () => {
    expect(torch.outer(torch.tensor([-0, 2]), torch.tensor([1, 3])).toArray()).toEqual([
      [-0, -0],
      [2, 6],
    ]);
    const [a, b] = [torch.tensor([2n, 2n ** 40n]), torch.tensor([3n, -1n])];
    expect(torch.outer(a, b).toArray()).toEqual([
      [6, -2],
      [3 * 2 ** 40, -(2 ** 40)],
    ]);
  });
  it('integers are not divided by 0', () => {
    const [a, b] = [torch.tensor([1n, 2n]), torch.tensor([1n, 0n])];
    for (const dtype of ['int64', 'int32', 'uint8'] as const) {
      const [x, y] = [a.to(dtype), b.to(dtype)];
      for (const op of [torch.floorDivide, torch.remainder, torch.fmod])
        expect(() => op<torch.Tensor>(x, y)).toThrow(/ZeroDivisionError/);
      expect(() => x.div(y, { roundingMode: 'trunc' })).toThrow(/ZeroDivisionError/);
      expect(() => x.remainder(0)).toThrow(/ZeroDivisionError/);
    }
    expect(torch.zeros(0, { dtype: 'int32' }).remainder(torch.tensor([0n])).shape).toEqual([0]);
  });
  it('kl_div of a negative target is NaN, of 0 is 0', () => {
    const y = F.klDiv(torch.zeros(3), torch.tensor([0, -1, 1]), { reduction: 'none' });
    expect(y.toArray()).toEqual([0, nan, 0]);
  });
  it('similarities of vectors too long to be measured are 0', () => {
    const long = torch.tensor([[3e38, 3e38]]);
    expect(F.cosineSimilarity(long, long).toArray()).toEqual([0]);
  });
});

describe('whole numbers', () => {
  const big = 2n ** 53n;
  it('of 64 bits keep all their digits as plain values', () => {
    const x = torch.tensor([big + 1n]);
    expect([x.eq(big + 1n).item(), x.eq(big).item()]).toEqual([true, false]);
    expect(torch.tensor([1n]).add(big + 2n).data).toEqual(BigInt64Array.of(big + 3n));
    expect(torch.tensor([1n]).mul_(big + 3n).data).toEqual(BigInt64Array.of(big + 3n));
    expect(torch.where(torch.tensor([true, false]), big + 1n, big).data).toEqual(
      BigInt64Array.of(big + 1n, big),
    );
    expect(
      torch
        .tensor([1, 2], { dtype: 'int32' })
        .add(big + 1n)
        .toArray(),
    ).toEqual([2, 3]);
    expect(() => x.add(2n ** 64n)).toThrow(/add: value cannot be converted to type int64_t without overflow/);
  });
  it('of 64 bits keep them where they are searched for, and NaN is found nowhere', () => {
    const x = torch.tensor([big + 1n]);
    expect(torch.isin(x, torch.tensor([big])).toArray()).toEqual([false]);
    expect(torch.isin(x, torch.tensor([2 ** 53])).toArray()).toEqual([true]); // as floats
    expect(torch.isin(torch.tensor([nan, 1]), torch.tensor([nan, 1])).toArray()).toEqual([false, true]);
    const bounds = torch.tensor([big, big + 2n]);
    expect(torch.searchsorted(bounds, x).toArray()).toEqual([1]);
    expect(torch.searchsorted(bounds, big + 1n).item()).toBe(1);
    expect(torch.searchsorted(torch.tensor([1n, 2n]), 2, { right: true }).item()).toBe(2);
    expect(torch.searchsorted(torch.tensor([1, 2]), nan).item()).toBe(2);
  });
  const bytes = () => torch.tensor([1, 200], { dtype: 'uint8' });
  const ints = () => torch.tensor([1, 2], { dtype: 'int32' });
  const mask = torch.tensor([true, false]);
  it('wrap around as operands', () => {
    expect(bytes().lt(300).toArray()).toEqual([true, false]);
    expect(bytes().add(300).toArray()).toEqual([45, 244]);
    expect(bytes().remainder(300).toArray()).toEqual([1, 24]);
    expect(bytes().clamp({ min: -1 }).toArray()).toEqual([255, 255]);
    expect(bytes().clamp({ max: -1 }).toArray()).toEqual([1, 200]);
  });
  it('must have room as elements, where fractions are cut off and bytes may be negative', () => {
    expect(bytes().fill_(-1).toArray()).toEqual([255, 255]);
    expect(bytes().maskedFill(mask, 1.5).toArray()).toEqual([1, 200]);
    expect(mask.clone().fill_(nan).toArray()).toEqual([true, true]);
    for (const value of [300, -256, nan, inf, 255.5, -0.5]) {
      expect(() => bytes().fill_(value)).toThrow(/type uint8_t without overflow; got/);
      expect(() => bytes().maskedFill(mask, value)).toThrow(/type uint8_t without overflow; got/);
    }
    for (const run of [
      () => ints().fill_(2 ** 31),
      () => ints().clamp({ max: 2 ** 40 }),
      () => ints().maskedFill(mask, -inf),
      () => torch.full([2], inf, { dtype: 'int32' }),
      () => ints().newFull([2], nan),
      () => torch.tensor([2 ** 40], { dtype: 'int32' }),
      () => torch.where(mask, ints(), 2 ** 40),
      () => ints().indexFill(0, torch.tensor([0n]), 2 ** 40),
      () => ints().scatter(0, torch.tensor([0n]), 2 ** 40),
      () => ints().indexPut_([0], inf),
      () => F.pad(ints(), [1, 1], { value: 2 ** 40 }),
    ])
      expect(run).toThrow(/value cannot be converted to type int without overflow; got/);
    expect(() => torch.zeros(1).fill_(1e39)).toThrow(torch.DTypeError);
    expect(() => torch.zeros(1, { dtype: 'int64' }).fill_(nan)).toThrow(torch.DTypeError);
  });
});

describe('places', () => {
  it('classes that a margin loss does not have are refused', () => {
    const scores = torch.tensor([[0.1, 0.2, 0.3], [3, 2, 1]]); // biome-ignore format: a row each
    for (const wrong of [5n, -1n])
      expect(() => F.multiMarginLoss(scores, torch.tensor([0n, wrong]))).toThrow(torch.IndexError);
    expect(() => F.multiMarginLoss(scores, torch.tensor([0, 1]))).toThrow(torch.DTypeError);
    expect(F.multiMarginLoss(scores, torch.tensor([2n, 0n])).item()).toBeCloseTo(0.2833333, 6);
  });
  it('on the diagonal of a cube all indices are the same', () => {
    const places = (...shape: number[]) => torch.nonzero(torch.zeros(shape).fillDiagonal_(1)).toArray();
    expect(places(2, 2, 2)).toEqual([[0, 0, 0], [1, 1, 1]]); // biome-ignore format: a row each
    expect(places(2, 3)).toEqual([[0, 0], [1, 1]]); // biome-ignore format: a row each
    expect(() => places(2, 3, 3)).toThrow(/all dimensions of input must be of equal length/);
    expect(() => places(3)).toThrow(/dimensions must larger than 1/);
  });
  it('the points of trapezoid run along its dimension', () => {
    const y = torch.arange(6, { dtype: 'float32' }).reshape(3, 2);
    expect(torch.trapezoid(y, y.square(), { dim: 0 }).toArray()).toEqual([40, 80]);
    expect(torch.trapezoid(torch.ones(2, 3, 2), y.square(), { dim: 1 }).toArray()).toEqual([[16, 24], [16, 24]]); // biome-ignore format: a row each
    expect(torch.trapezoid(y, torch.tensor([[1], [2], [4]]), { dim: 0 }).toArray()).toEqual([7, 10]);
    expect(() => torch.trapezoid(y, torch.tensor([1, 2]), { dim: 0 })).toThrow(/one `x` value for each/);
  });
  it('eye takes its columns by name', () => {
    expect(torch.eye(3, { m: 2, dtype: 'int64' }).toArray()).toEqual(torch.eye(3, 2).toArray());
    expect(() => torch.eye(3, { mm: 2 } as object)).toThrow(/there is no option 'mm'/);
  });
});

describe('gradients where PyTorch divides', () => {
  it('prod: a NaN or an infinity spoils its neighbours, unless a zero is among them', () => {
    expect(slopes((x) => x.prod(), [1, nan, 2])).toEqual([nan, nan, nan]);
    expect(slopes((x) => x.prod(), [3, inf, 2])).toEqual([inf, nan, inf]);
    expect(slopes((x) => x.prod(0), [0, inf, 2])).toEqual([inf, 0, nan]);
    expect(slopes((x) => x.prod(), [0, 3, 2])).toEqual([6, 0, 0]);
  });
  it('cross_entropy: an ignored row has 0 times its softmax', () => {
    const x = torch
      .tensor([
        [nan, 1],
        [1, 2],
        [inf, 0],
      ])
      .requiresGrad_();
    F.crossEntropy(x, torch.tensor([-100n, 1n, -100n]), { reduction: 'sum' }).backward();
    expect(x.grad?.isnan().toArray()).toEqual([
      [true, true],
      [false, false],
      [true, true],
    ]);
  });
  it('amax: of NaNs there is none that equals the largest', () => {
    expect(slopes((x) => x.amax(), [nan, 1])).toEqual([nan, nan]);
    expect(slopes((x) => x.max(), [nan, 1])).toEqual([1, 0]);
  });
  it('atan2: where the squares vanish the slope is infinite', () => {
    expect(slopes((x) => torch.atan2(x, torch.tensor([1e-25])), [1e-20])).toEqual([inf]);
  });
  it('the count of what is not zero has no gradient', () => {
    const x = leaf([1, 0]);
    x.norm(0).backward();
    expect(x.grad).toBeNull();
  });
  it('what beta = 0 leaves out gets zeros', () => {
    const x = torch.ones(2, 2).requiresGrad_();
    torch.addmm(x, torch.ones(2, 3), torch.ones(3, 2), { beta: 0 }).sum().backward();
    expect(x.grad?.sum().item()).toBe(0);
  });
  it('in-place forms pass gradients on to tensors that bound or fill', () => {
    const [x, low] = [leaf([1, -1]), torch.tensor(0).requiresGrad_()];
    x.clone().clamp_(low).sum().backward();
    expect(low.grad?.item()).toBe(1);
    const value = torch.tensor(3).requiresGrad_();
    x.clone().fill_(value).sum().backward();
    expect(value.grad?.item()).toBe(2);
  });
});

describe('a tensor from data', () => {
  it('takes the numbers of a picture, and says where a picture has them', () => {
    const picture = { width: 1, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 255) };
    expect(String(torch.tensor(picture.data))).toBe('tensor([  1,   2,   3, 255], dtype=torch.uint8)');
    for (const data of [
      picture,
      ...(typeof OffscreenCanvas === 'function' ? [new OffscreenCanvas(1, 1)] : []),
    ])
      expect(() => torch.tensor(data as never)).toThrow('but got object; of a picture pass imageData.data');
    expect(() => torch.tensor({} as never)).toThrow(/but got object$/);
  });
});

describe('ranges', () => {
  it('std of distances whose squares are too large or too small for a float', () => {
    expect(torch.tensor([3e38, -1e38, 1]).std().item() / 2.0816660442057618e38).toBeCloseTo(1, 6);
    expect(torch.tensor([1e-30, -1e-30]).std().item() / Math.SQRT2 / 1e-30).toBeCloseTo(1, 6);
    expect(torch.tensor([2, 2, 2]).std().item()).toBe(0);
    expect(torch.tensor([3e38, 3e38, 3e38]).std().item()).toBe(inf);
  });
  it('interpolation to the same size has no neighbours', () => {
    const x = torch.tensor([[[[1, inf, 2]]]]);
    const y = F.interpolate(x, { size: [1, 3], mode: 'bilinear', alignCorners: true });
    expect(y.toArray()).toEqual([[[[1, nan, 2]]]]);
  });
});

describe('shapes', () => {
  it("meshgrid's 'xy' lays the first vector along the second dimension", () => {
    const [a, b] = torch.meshgrid(torch.tensor([1, 2, 3]), torch.tensor([4, 5]), { indexing: 'xy' });
    expect(a.toArray()).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(b.toArray()).toEqual([
      [4, 4, 4],
      [5, 5, 5],
    ]);
  });
  it('repeat_interleave of counts alone gives positions', () => {
    expect(torch.repeatInterleave(torch.tensor([2n, 0n, 1n])).toArray()).toEqual([0, 0, 2]);
  });
});

describe('memory', () => {
  it('layouts stay within their storage', () => {
    const x = torch.arange(6);
    expect(x.asStrided([2, 2], [2, 1], 1).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(x.asStrided([0, 9], [9, 1]).shape).toEqual([0, 9]);
    expect(() => x.asStrided([2, 3], [4, 1])).toThrow(
      /as_strided: .*out of bounds for a storage of 6 elements/,
    );
    expect(() => x.asStrided([2, 2], [-1, 2])).toThrow(/no negative strides/);
    expect(() => x.asStrided([2], [1], 5)).toThrow(/out of bounds/);
  });
});

describe('matrices', () => {
  it('fillDiagonal_ begins anew below the last column, if it may', () => {
    const x = torch.zeros(7, 2).fillDiagonal_(2, true);
    expect(x.reshape(-1).nonzero().reshape(-1).toArray()).toEqual([0, 3, 6, 9, 12]);
    expect(torch.zeros(4, 1).t().fillDiagonal_(1, { wrap: true }).sum().item()).toBe(1);
    expect(torch.zeros(7, 2).fillDiagonal_(2).sum().item()).toBe(4);
  });
  it('the covariance of one variable is a number, of integers a float', () => {
    const row = torch.tensor([[1, 2, 3]], { dtype: 'int64' });
    expect([torch.cov(row).shape, torch.cov(row).dtype, torch.cov(row).item()]).toEqual([[], 'float32', 1]);
    expect(torch.corrcoef(row).shape).toEqual([]);
    expect(torch.cov(torch.ones(0)).item()).toBeNaN();
    expect(() => torch.cov(row.bool())).toThrow('bool dtype is not supported for input');
  });
  it('combinations of nothing are nothing', () => {
    expect(torch.combinations(torch.ones(3), 0).shape).toEqual([0]);
    expect(torch.combinations(torch.ones(3), 4).shape).toEqual([0, 4]);
    expect(() => torch.bincount(torch.tensor([true]))).toThrow('not implemented for');
  });
});

describe('layouts', () => {
  it('softmax gives rows in the order of memory along any dimension', () => {
    for (const op of [torch.softmax, torch.logSoftmax]) {
      const y = op(torch.ones(2, 3).requiresGrad_(), 0);
      expect([y.stride(), y.gradFn?.name.endsWith('SoftmaxBackward0')]).toEqual([[3, 1], true]);
    }
  });
  it("gradients have their leaf's, so that they are flat where it is", () => {
    const w = torch.ones(3, 2).requiresGrad_();
    torch.ones(4, 2).matmul(w.t()).sum().backward();
    expect(w.grad?.view(-1).toArray()).toEqual([4, 4, 4, 4, 4, 4]);
    const across = torch.ones(2, 3).t().requiresGrad_();
    across.exp().sum().backward();
    expect(across.grad?.stride()).toEqual([1, 3]);
  });
});

describe('NaN among others', () => {
  const x = torch.tensor([3, nan, 1, nan, 3]);
  it('is unique every time', () => {
    const [values, places, counts] = x.unique({ returnInverse: true, returnCounts: true }) as torch.Tensor[];
    expect(values.toArray()).toEqual([1, 3, nan, nan]);
    expect(places.toArray()).toEqual([1, 2, 0, 3, 1]);
    expect(counts.toArray()).toEqual([1, 2, 1, 1]);
    expect((torch.tensor([nan, nan, 1, 1]).uniqueConsecutive() as torch.Tensor).toArray()).toEqual([
      nan,
      nan,
      1,
    ]);
  });
  it('is the running extreme from where it stood last', () => {
    expect(x.cummax(0).indices.toArray()).toEqual([0, 1, 1, 3, 3]);
    expect(x.cummin(0).indices.toArray()).toEqual([0, 1, 1, 3, 3]);
    expect(x.long().cummax(0).indices.dtype).toBe('int64');
  });
  it('belongs behind all boundaries', () => {
    const line = torch.tensor([1, 3, nan]);
    expect(torch.searchsorted(line, torch.tensor([nan, 3])).toArray()).toEqual([3, 1]);
    expect(torch.searchsorted(line, torch.tensor([nan, 3]), { right: true }).toArray()).toEqual([3, 3]);
  });
});

describe('powers', () => {
  it('of integers wrap around', () => {
    const x = torch.tensor([3, 7, -5], { dtype: 'int32' });
    expect(x.pow(40).toArray()).toEqual([689956897, -142118463, -1413876383]);
    expect(torch.tensor([7, -5], { dtype: 'int8' }).pow(31).toArray()).toEqual([-73, -77]);
    expect(torch.tensor([2n, -1n]).pow(torch.tensor(1_000_000_001n)).toArray()).toEqual([0, -1]);
  });
  it('are roots only where the exponent is a number', () => {
    const x = torch.tensor([-inf, -0, 4]);
    expect(x.pow(0.5).toArray()).toEqual([nan, -0, 2]);
    expect(x.pow(torch.tensor(0.5)).toArray()).toEqual([inf, 0, 2]);
    expect(x.pow(torch.tensor([0.5, 0.5, 0.5])).toArray()).toEqual([inf, 0, 2]);
    expect(slopes((y) => y.pow(0.5), [4, 0])).toEqual([0.25, inf]);
  });
});

it('the factor of a sum changes neither its dtype nor its layout', () => {
  const [whole, flags] = [torch.tensor([1n, 2n]), torch.tensor([true, false])];
  const sums = [
    whole.sub(1.5, { alpha: -2 }),
    whole.add(0.5, { alpha: 2 }),
    whole.add(2, { alpha: 3 }),
    flags.add(flags, { alpha: 2 }),
    flags.add(flags.logicalNot(), { alpha: 0 }),
    flags.clone().add_(torch.tensor([true, true]), { alpha: 2 }),
  ];
  expect(sums.map((x) => [x.dtype, x.tolist()])).toEqual([
    ['float32', [4, 5]],
    ['float32', [2, 3]],
    ['int64', [7, 8]],
    ['bool', [true, false]],
    ['bool', [true, false]],
    ['bool', [true, true]],
  ]);
  expect(() => whole.add(whole, { alpha: 0.5 })).toThrow(
    'add: For integral input tensors, argument alpha must not be a floating point number, but got 0.5',
  );
  expect(() => whole.add_(1.5, { alpha: 2 })).toThrow("result type Float can't be cast");
  const [straight, turned] = [torch.rand(5, 2), torch.rand(2, 5).t()];
  expect(straight.add(turned, { alpha: 2 }).stride()).toEqual([2, 1]);
  expect(turned.add(straight, { alpha: 2 }).stride()).toEqual([1, 5]);
  const precise = torch.rsub(torch.tensor([0.1]), torch.tensor([0.3], { dtype: 'float64' }), { alpha: -0.7 });
  expect(precise.item()).toBe(0.3 + 0.7 * Math.fround(0.1));
});

describe('in place', () => {
  it('views change the tensor itself, and its history', () => {
    const x = leaf([1, 2, 3, 4, 5, 6]);
    const y = x.mul(2).reshape(2, 3).clone();
    y.unsqueeze_(0);
    expect(y.shape).toEqual([1, 2, 3]);
    y.squeeze_().t_();
    expect(y.shape).toEqual([3, 2]);
    y.mul(torch.arange(6).reshape(3, 2)).sum().backward();
    expect(x.grad?.toArray()).toEqual([0, 4, 8, 2, 6, 10]);
    expect(() => x.unsqueeze_(0)).toThrow(/leaf Variable that requires grad/);
  });
  it('of a view changes the view alone, and later changes reach its base', () => {
    const base = torch.zeros(2, 3);
    const view = base.narrow(1, 0, 2);
    view.transpose_(0, 1);
    view.index(0).fill_(1);
    expect(base.toArray()).toEqual([
      [1, 0, 0],
      [1, 0, 0],
    ]);
    const x = leaf([1, 2, 3, 4]);
    const whole = x.mul(1);
    const part = whole.reshape(2, 2);
    part.t_();
    part.mul_(torch.tensor([1, 2]));
    whole.sum().backward();
    expect(x.grad?.toArray()).toEqual([1, 1, 2, 2]);
  });
  it('comparisons keep their place in the graph, without a slope', () => {
    const x = leaf([1, 2]);
    const y = x.clone().eq_(2);
    expect(String(y)).toBe('tensor([0., 1.], grad_fn=<EqBackward0>)');
    y.sum().backward();
    expect(x.grad?.toArray()).toEqual([0, 0]);
  });
  it('forms take what their functions take', () => {
    expect(torch.tensor([1.25, 2.38]).round_({ decimals: 1 }).toArray()).toEqual(
      torch.tensor([1.2, 2.4]).toArray(),
    );
    expect(torch.tensor([7, -7]).div_(2, { roundingMode: 'floor' }).toArray()).toEqual([3, -4]);
    expect(torch.tensor([1, 2]).cumsum_({ dim: 0 }).toArray()).toEqual([1, 3]);
    expect(torch.zeros(1, 0).expand(3, 0).ceil_().shape).toEqual([3, 0]);
  });
  it('forms of products and steps are there too', () => {
    const eye = torch.eye(2);
    const [v, w] = [torch.tensor([1, 2]), torch.tensor([3, 4])];
    expect(torch.ones(2).addmv_(eye, v, { alpha: 2 }).tolist()).toEqual([3, 5]);
    expect(torch.zeros(2, 2).addr_(v, w).flatten().tolist()).toEqual([3, 4, 6, 8]);
    expect(torch.zeros(2, 2).addbmm_(eye.unsqueeze(0), eye.unsqueeze(0)).trace().item()).toBe(2);
    expect(torch.tensor([-1, 0, 2]).heaviside_(torch.tensor(0.5)).tolist()).toEqual([0, 0.5, 1]);
    expect(torch.tensor([0.5]).logit_().item()).toBe(0);
  });
  it('sums with a factor may have themselves as terms, and refuse what does not fit before they change', () => {
    const of = (): torch.Tensor => torch.tensor([1, 2, 4]);
    const x = of();
    expect(x.addcmul_(x, x, { value: 2 }).tolist()).toEqual([3, 10, 36]);
    expect(of().addcdiv_(torch.ones(1), of(), { value: 8 }).tolist()).toEqual([9, 6, 6]);
    expect(of().lerp_(torch.ones(3), 0.25).tolist()).toEqual([1, 1.75, 3.25]);
    expect(of().lerp_(torch.ones(3), 0.75).tolist()).toEqual([1, 1.25, 1.75]);
    expect(of().add_(of().t(), { alpha: 0.5 }).sub_(of(), { alpha: 0.25 }).tolist()).toEqual([1.25, 2.5, 5]);
    expect(of().view(3, 1).expand(3, 2).add(torch.ones(2, 3).t(), { alpha: 2 }).sum().item()).toBe(26);
    const y = of();
    expect(() => y.addcmul_(torch.ones(2, 3), of())).toThrow(
      "addcmul_: output with shape [3] doesn't match the broadcast shape [2, 3]",
    );
    expect(() => y.add_(of(), { alpha: null as never })).toThrow(
      "add: argument 'alpha' must be a Tensor or a number, but got null",
    );
    const square = torch.arange(9).reshape(3, 3);
    expect(() => square.add_(square.t(), { alpha: 2 })).toThrow('refer to a single memory location');
    expect(square.flatten().tolist()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(y.tolist()).toEqual([1, 2, 4]);
    const base = leaf([1, 2, 4]);
    const z = base.clone().addcmul_(base, base, { value: 3 });
    expect(z.gradFn?.name).toBe('AddcmulBackward0');
    z.sum().backward();
    expect(base.grad?.tolist()).toEqual([7, 13, 25]);
  });
});

describe('second derivatives', () => {
  it('pass through empty slices and means', () => {
    const x = leaf([1, 2]);
    const [empty, whole] = x.split([0, 2]);
    const [slope] = torch.autograd.grad(whole.square().sum().add(empty.sum()), x, { createGraph: true });
    slope.sum().backward();
    expect(x.grad?.toArray()).toEqual([2, 2]);
    const none = torch.zeros(0, { requiresGrad: true });
    const seed = torch.tensor(1, { requiresGrad: true });
    const [of] = torch.autograd.grad(none.mean(), none, { gradOutputs: seed, createGraph: true });
    expect(torch.autograd.grad(of.sum(), seed)[0].item()).toBe(0);
  });

  it('of running products are linear in their length where nothing is 0', () => {
    const x = torch.rand(3000).add(0.5).requiresGrad_();
    const [slope] = torch.autograd.grad(x.log().sum().add(x.cumprod(0).index(2)), x, { createGraph: true });
    const [second] = torch.autograd.grad(slope.sum(), x);
    const [a, b, c] = x.narrow(0, 0, 3).tolist() as number[];
    const expected = [b + c - 1 / a ** 2, a + c - 1 / b ** 2, a + b - 1 / c ** 2];
    for (const [i, value] of expected.entries()) expect(second.data[i]).toBeCloseTo(value, 3);
    const y = torch.tensor([0.5, 0, -1.5], { dtype: 'float64', requiresGrad: true });
    expect(torch.autograd.gradgradcheck((v: torch.Tensor) => v.cumprod(0), [y])).toBe(true);
  });

  it('of leaky rectifiers are zeros, so that what penalises a slope trains every parameter', () => {
    const net = new torch.nn.Sequential(
      new torch.nn.Linear(2, 4),
      new torch.nn.LeakyReLU(0.2),
      new torch.nn.Linear(4, 1),
    );
    const x = torch.randn([6, 2], { requiresGrad: true });
    const [slope] = torch.autograd.grad(net.forward(x).sum(), x, { createGraph: true });
    slope.norm(2, 1).sub(1).square().mean().backward();
    expect(net.get(0).parameters()[1].grad?.tolist()).toEqual([0, 0, 0, 0]);
    for (const f of [F.hardtanh, F.relu6] as ((x: torch.Tensor) => torch.Tensor)[]) {
      const y = leaf([-9, 0.5, 9]);
      const [first] = torch.autograd.grad(f(y).sum(), y, { createGraph: true });
      expect(torch.autograd.grad(first.sum(), y)[0].tolist()).toEqual([0, 0, 0]);
    }
  });

  it('of rectifiers stay 0 beside infinities', () => {
    const [x, seed] = [leaf([1, -1]), leaf([1, 1])];
    const [slope] = torch.autograd.grad(x.relu(), x, { gradOutputs: seed, createGraph: true });
    const found = torch.autograd.grad(slope, [x, seed], { gradOutputs: torch.tensor([inf, inf]) });
    expect(found.map((g) => g.tolist())).toEqual([
      [0, 0],
      [inf, 0],
    ]);
  });

  it('of the exponential units are 0 at 0', () => {
    for (const f of [F.elu, F.selu, F.celu] as ((x: torch.Tensor) => torch.Tensor)[]) {
      const y = leaf([0, -0, 1, -1, nan]);
      const [slope] = torch.autograd.grad(f(y).sum(), y, { createGraph: true });
      const [second] = torch.autograd.grad(slope.sum(), y);
      expect(second.tolist()).toEqual([0, 0, 0, slope.data[3], 0]);
    }
  });
});

it('a matrix to the power of 0 has a gradient, zeros', () => {
  const x = torch
    .tensor([[nan, 1, 2, inf]])
    .view(2, 2)
    .requiresGrad_();
  const one = x.matrixPower(0);
  expect(one.tolist()).toEqual([
    [1, 0],
    [0, 1],
  ]);
  one.sum().backward();
  expect(x.grad?.flatten().tolist()).toEqual([0, 0, 0, 0]);
  const batch = torch.zeros(2, 2, 2).matrixPower(0);
  batch.index(0).fill_(7);
  expect(batch.index(1).flatten().tolist()).toEqual([1, 0, 0, 1]);
});

it('no lower bound has a gradient where it equals the upper one', () => {
  const [x, low, high] = [leaf([1, 2, 3, 5]), leaf([2, 2, 3, 6]), leaf([2, 2, 3, 4])];
  expect(torch.autograd.grad(x.clamp(low, high).sum(), [x, low, high]).map((g) => g.tolist())).toEqual([
    [0, 1, 1, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 1],
  ]);
});

it('backward goes to some leaves only, if they are named', () => {
  const [v, w] = [leaf([1, 2]), leaf([3, 4])];
  v.mul(w)
    .sum()
    .backward({ inputs: [v] });
  expect([v.grad?.tolist(), w.grad]).toEqual([[3, 4], null]);
  torch.autograd.backward([v.mul(w).sum(), v.sum()], { inputs: v });
  expect([v.grad?.tolist(), w.grad]).toEqual([[7, 9], null]);
  const product = v.mul(w);
  expect(() => product.sum().backward({ inputs: [] })).toThrow("argument 'inputs' cannot be empty");
  expect(() => product.sum().backward({ inputs: torch.ones(2) })).toThrow('does not require grad');
  product.sum().backward();
  expect(w.grad?.tolist()).toEqual([1, 2]);
  const twice = v.mul(2);
  twice.square().sum().backward({ inputs: twice });
  expect([twice.grad?.tolist(), v.grad?.tolist()]).toEqual([
    [4, 8],
    [10, 13],
  ]);
});

it('states of batch norms from before they counted batches load', () => {
  const norm = new torch.nn.BatchNorm1d(2);
  const two = (): torch.Tensor => torch.full([2], 2);
  const state = { weight: two(), bias: two(), running_mean: two(), running_var: two() };
  expect(norm.loadStateDict(state).missingKeys).toEqual([]);
  expect(norm.running_var?.tolist()).toEqual([2, 2]);
});

it('parts are named as they were made', () => {
  const x = leaf([1, 2, 3, 4]);
  const names = [x.split(2), x.chunk(2), x.split([1, 3]), x.unbind(), x.tensorSplit(2)].map(
    ([part]) => part.gradFn?.name,
  );
  expect(names).toEqual([
    'SplitBackward0',
    'SplitBackward0',
    'SplitWithSizesBackward0',
    'UnbindBackward0',
    'SliceBackward0',
  ]);
  expect(x.reshape(2, 2).rot90().gradFn?.name).toBe('Rot90Backward0');
  expect(x.nansum().gradFn?.name).toBe('NansumBackward0');
});

it('dtypes have PyTorch’s names', () => {
  const { float32, float64, int64, int32, int16, int8, uint8, bool } = torch;
  for (const dtype of [float32, float64, int64, int32, int16, int8, uint8, bool])
    expect(torch.zeros(2, { dtype }).dtype).toBe(dtype);
  const short = [torch.float, torch.double, torch.long, torch.int, torch.short];
  expect(short).toEqual(['float32', 'float64', 'int64', 'int32', 'int16']);
  expect(torch.ones(1).to(torch.long).dtype).toBe('int64');
});

it('rows may be typed arrays, whose dtype is the tensor’s', () => {
  const rows = torch.tensor([Float64Array.of(1, 2), Float64Array.of(3, 4)]);
  expect([rows.dtype, rows.toArray()]).toEqual(['float64', [[1, 2], [3, 4]]]); // biome-ignore format: two rows
  expect(torch.tensor([[BigInt64Array.of(5n)], [BigInt64Array.of(-6n)]]).tolist()).toEqual([[[5]], [[-6]]]);
  expect(torch.tensor([Int32Array.of(1), [2]]).dtype).toBe('int32');
  expect(torch.tensor([Int8Array.of(1)], { dtype: 'float32' }).dtype).toBe('float32');
  expect(torch.tensor([new Uint8Array(0)]).shape).toEqual([1, 0]);
  expect(() => torch.tensor([Float32Array.of(1, 2), Float32Array.of(3)])).toThrow(torch.ShapeError);
  expect(() => torch.tensor([new DataView(new ArrayBuffer(4))] as never)).toThrow(torch.DTypeError);
  expect(() => new torch.data.TensorDataset([[1, 2]] as never)).toThrow(/must be a Tensor, but got Array/);
});

it('tensors of one element stand for it in a list, as the losses of epochs do', () => {
  const losses = [torch.tensor(0.5), torch.tensor([2]), 3];
  expect([torch.tensor(losses).dtype, torch.tensor(losses).toArray()]).toEqual(['float32', [0.5, 2, 3]]);
  const nested = torch.tensor([[torch.tensor(1n)], [torch.tensor(-2n)]]);
  expect([nested.dtype, nested.toArray()]).toEqual(['int64', [[1], [-2]]]);
  expect(torch.tensor([torch.tensor(true), torch.tensor(false)]).dtype).toBe('bool');
  expect(torch.tensor([torch.ones(1, { requiresGrad: true }).mul(2)]).requiresGrad).toBe(false);
  expect(() => torch.tensor([torch.ones(2), torch.ones(2)])).toThrow(
    /only tensors of one element .*torch.stack/,
  );
});

it('devices of other libraries are named with those that are there', () => {
  expect(() => torch.ones(1).to('cuda')).toThrow(/'cuda' is not available; there are cpu, reference.*webgpu/);
});

it('what is a function is a method and the other way round', () => {
  const x = torch.tensor([3, 1, 4]);
  expect([x.diff().toArray(), x.mode().values.item(), x.vdot(x).item()]).toEqual([[-2, 3], 1, 26]);
  expect([x.ger(x).shape, x.hsplit(3).length, torch.ones(4, 2).vsplit(2)[1].shape]).toEqual([
    [3, 3],
    3,
    [2, 2],
  ]);
  const pairs = torch.tensor([
    [1, 2, 3],
    [3, 2, 1],
  ]);
  expect([pairs.cov().toArray(), pairs.corrcoef().toArray()]).toEqual([
    [
      [1, -1],
      [-1, 1],
    ],
    [
      [1, -1],
      [-1, 1],
    ],
  ]);
  const y = torch.clone(x);
  expect([torch.relu_(torch.neg_(y)) === y, y.toArray(), torch.clamp_(x, 2, 3).toArray()]).toEqual([
    true,
    [0, 0, 0],
    [3, 2, 3],
  ]);
  expect([torch.numel(x), torch.isFloatingPoint(x), torch.isTensor(x), torch.isTensor([1])]).toEqual([
    3,
    true,
    true,
    false,
  ]);
  expect(torch.detach(torch.ones(1, { requiresGrad: true }).mul(2)).requiresGrad).toBe(false);
  expect(() => torch.exp_(3 as never)).toThrow(/exp_.*must be a Tensor/);
});

it('a tensor makes others of its dtype', () => {
  const x = torch.ones(2, { dtype: 'int64' });
  expect([x.newZeros(2, 1).dtype, x.newZeros([2, 1]).shape, x.newOnes(2).toArray()]).toEqual([
    'int64',
    [2, 1],
    [1, 1],
  ]);
  expect([x.newFull([2], 7, { dtype: 'float32' }).dtype, x.newFull(2, true).toArray()]).toEqual([
    'float32',
    [1, 1],
  ]);
  expect([x.newEmpty(3).shape, x.float().newOnes(1, { requiresGrad: true }).requiresGrad]).toEqual([
    [3],
    true,
  ]);
  expect(() => x.newZeros(-1)).toThrow(torch.ShapeError);
  expect(() => x.newZeros(1, { dtpye: 'bool' } as never)).toThrow('is dtype meant?');
});

it('finfo and iinfo know the limits of dtypes', () => {
  // As numpy and PyTorch have them.
  expect(torch.finfo()).toEqual({
    dtype: 'float32',
    bits: 32,
    eps: 1.1920928955078125e-7,
    max: 3.4028234663852886e38,
    min: -3.4028234663852886e38,
    smallestNormal: 1.1754943508222875e-38,
    tiny: 1.1754943508222875e-38,
    resolution: 1e-6,
  });
  const double = torch.finfo(torch.double);
  expect([double.eps, double.max, double.tiny]).toEqual([
    Number.EPSILON,
    Number.MAX_VALUE,
    2.2250738585072014e-308,
  ]);
  expect(torch.tensor(torch.finfo('float32').max).isfinite().item()).toBe(true);
  expect(torch.iinfo('int64')).toEqual({
    dtype: 'int64',
    bits: 64,
    max: 9223372036854775807n,
    min: -9223372036854775808n,
  });
  expect(['uint8', 'int8', 'int16', 'int32'].map((name) => torch.iinfo(name as torch.DType).max)).toEqual([
    255, 127, 32767, 2147483647,
  ]);
  expect(() => torch.finfo('int64')).toThrow(torch.DTypeError);
  expect(() => torch.iinfo('float32')).toThrow(/use finfo/);
});

describe('gradients of angles and of gamma functions', () => {
  it('are 0 at the origin of atan2', () => {
    const [y, x] = [leaf([0, 1e-30, Number.POSITIVE_INFINITY]), leaf([0, 0, 0])];
    torch.atan2(y, x).sum().backward();
    expect(y.grad?.toArray()).toEqual([0, 0, 0]);
    expect(x.grad?.toArray()).toEqual([-0, -0, nan]);
  });
  it('refuse the third derivative of log Γ, which would be silently 0', () => {
    const x = leaf([0.5]);
    const [slope] = torch.autograd.grad(torch.digamma(x).sum(), x, { createGraph: true });
    expect(slope.item()).toBeCloseTo(4.934802, 5);
    expect(() => torch.autograd.grad(slope.sum(), x)).toThrow(/third derivative of log Γ/);
  });
});

it('losses take targets that happen to be whole numbers', () => {
  const x = torch.tensor([0.5, 0.25]);
  const [whole, floats] = [torch.tensor([1n, 0n]), torch.tensor([1, 0])];
  expect(F.smoothL1Loss(x, whole).item()).toBe(0.078125);
  const losses = (y: torch.Tensor) =>
    [
      F.huberLoss(x, y),
      F.binaryCrossEntropy(x, y),
      F.binaryCrossEntropyWithLogits(x, y),
      F.mseLoss(x, y),
    ].map((loss) => loss.item());
  expect(losses(whole)).toEqual(losses(floats));
});

it('dropout behind attention draws in PyTorch’s order of memory, batches first or not', () => {
  torch.manualSeed(0);
  const layer = new torch.nn.TransformerEncoderLayer(4, 1, 4, 0.5, { batchFirst: true });
  const x = torch.randn(2, 2, 4);
  layer.forward(x);
  const expected = [
    1.694, -0.2511, -0.8359, -0.607, 0.8625, -1.6946, 0.5542, 0.2779, 0.9396, 0.9973, -0.6172, -1.3197,
    -0.8568, -0.6891, 1.6663, -0.1204,
  ];
  const got = layer.forward(x).flatten().toArray() as number[];
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 3);
  });
});

it('losses between numbers take weights', () => {
  const [x, y, weight] = [torch.tensor([1, 2, 4]), torch.tensor([2, 4, 8]), torch.tensor([1, 0, 3])];
  const by = (reduction: 'sum' | 'mean') => [
    F.mseLoss(x, y, { weight, reduction }).item(),
    F.l1Loss(x, y, { weight, reduction }).item(),
    F.huberLoss(x, y, { weight, reduction }).item(),
  ];
  expect(by('sum')).toEqual([49, 13, 11]);
  expect(by('mean').map((loss) => loss.toFixed(4))).toEqual(['12.2500', '3.2500', '3.6667']);
  expect(() => F.mseLoss(x, y, { weight: torch.ones(2) })).toThrow(/must have the same size/);
});

it('setGradEnabled takes a function, for whose time it holds', () => {
  const x = leaf([1]);
  for (const mode of [false, true]) {
    expect(torch.setGradEnabled(mode, () => x.mul(2)).requiresGrad).toBe(mode);
    expect(torch.isGradEnabled()).toBe(true);
  }
  expect(() => torch.setGradEnabled(false, async () => 1)).toThrow(/must not be async/);
});

it('what a hook was registered with removes it', () => {
  const x = leaf([1]);
  let calls = 0;
  const handle = x.registerHook(() => {
    calls++;
  });
  x.mul(2).backward();
  handle.remove();
  x.mul(2).backward();
  expect(calls).toBe(1);
});

it('sums with a factor are taken in the dtype of the result', () => {
  const small = torch.tensor([32767], { dtype: 'int16' });
  expect(torch.add(torch.tensor([0]), small, { alpha: 2 }).item()).toBe(65534);
  expect(torch.sub(torch.tensor([0]), small, { alpha: 2 }).item()).toBe(-65534);
  const large = torch.tensor([2 ** 31 - 1], { dtype: 'int32' });
  expect(torch.addcmul(torch.tensor([0]), large, torch.tensor([2], { dtype: 'int32' })).item()).toBe(2 ** 32);
  const mixed = torch.add(torch.ones(1, { dtype: 'int32' }), torch.tensor([true]), { alpha: 2 });
  expect([mixed.dtype, mixed.item()]).toEqual(['int32', 3]);
});

it('integers count in whole numbers', () => {
  const counted = (dtype: torch.DType, ...given: number[]) =>
    torch.arange(given[0], given[1], given[2], { dtype }).toArray();
  expect(counted('int64', -1.5, 3.3, 2)).toEqual([-1, 1]);
  expect(counted('int64', 0.5, -4, -1.2)).toEqual([0, -1, -2, -3]);
  expect(counted('int32', -1.5, 3.3, 2)).toEqual([-1, 1, 3]);
  expect(counted('uint8', 0, 5, 0.9)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(() => counted('int64', 0, 5, 0.9)).toThrow(/step must be nonzero/);
  expect(torch.linspace(0.5, -4, 3, { dtype: 'int64' }).toArray()).toEqual([0, -2, -4]);
});

it('bounds that are NaN make everything NaN, and a step at NaN is 0', () => {
  for (const bounds of [{ min: nan }, { max: nan }, { min: 0, max: nan }])
    expect(torch.tensor([1, 2]).clamp(bounds).toArray()).toEqual([nan, nan]);
  expect(torch.heaviside(torch.tensor([nan, 2, -1, 0]), torch.tensor(0.5)).toArray()).toEqual([0, 1, 0, 0.5]);
});

it('nanmedian and aminmax go along dimensions, and can be taken apart', () => {
  const x = torch.tensor([[1, 5, nan], [7, nan, 2], [nan, nan, nan]]).requiresGrad_(); // biome-ignore format: a matrix
  const [values, indices] = torch.nanmedian(x, 1);
  expect([values.toArray(), indices.toArray()]).toEqual([[1, 2, nan], [0, 2, 0]]); // biome-ignore format: pairs
  expect(x.nanmedian({ dim: 0, keepdim: true }).values.toArray()).toEqual([[1, 5, 2]]);
  values.nansum().backward();
  expect(x.grad?.toArray()).toEqual([[1, 0, 0], [0, 0, 1], [0, 0, 0]]); // biome-ignore format: a matrix
  expect(
    torch
      .tensor([[3, 1, 2]])
      .to('int64')
      .nanmedian(1)
      .indices.toArray(),
  ).toEqual([2]);
  const [low, high] = torch.tensor([3, 1, 2]).aminmax();
  expect([low.item(), high.item()]).toEqual([1, 3]);
});

it('what is divided may be changed before the backward pass, a divisor may not', () => {
  const changed = (f: (y: torch.Tensor) => torch.Tensor) => {
    const x = leaf([7, 9]);
    const y = x.mul(1);
    const z = f(y);
    torch.noGrad(() => y.zero_());
    z.sum().backward();
    return x.grad?.toArray();
  };
  expect(changed((y) => y.div(2))).toEqual([0.5, 0.5]);
  expect(changed((y) => y.div(torch.tensor([2, 4])))).toEqual([0.5, 0.25]);
  expect(changed((y) => y.fmod(2))).toEqual([1, 1]);
  expect(changed((y) => y.remainder(2))).toEqual([1, 1]);
  expect(changed((y) => y.div(2, { roundingMode: 'floor' }))).toEqual([0, 0]);
  expect(() => changed((y) => torch.div(2, y))).toThrow(/modified by an inplace operation/);
});

describe('habits that mean something else here are refused in words', () => {
  const { nn, optim } = torch;
  const wrong = <X>(x: unknown): X => x as X;

  it('strings are no operands', () => {
    const x = torch.ones(2);
    expect(() => x.mul(wrong('2'))).toThrow(
      "mul: argument 'other' must be a Tensor or a number, but got '2'",
    );
    expect(() => x.add_(wrong('2'))).toThrow("argument 'other' must be a Tensor or a number, but got '2'");
    expect(() => x.gt(wrong('2'))).toThrow("argument 'other' must be a Tensor or a number, but got '2'");
    expect(() => torch.where(x.gt(0), wrong('a'), 0)).toThrow(
      "where: argument 'input' must be a Tensor or a number, but got 'a'",
    );
    expect(x.add(1n as never).tolist()).toEqual([2, 2]);
    expect(x.add(wrong(true)).tolist()).toEqual([2, 2]);
  });

  it('data is not assigned', () => {
    const p = new nn.Parameter(torch.ones(2));
    expect(() => Reflect.set(p, 'data', torch.zeros(2))).toThrow(
      'data: it is a copy of the elements, which cannot be assigned: write torch.noGrad(() => p.copy_(value))',
    );
    torch.noGrad(() => p.copy_(torch.zeros(2)));
    expect(p.tolist()).toEqual([0, 0]);
  });

  it('scopes want a function', () => {
    const { noGrad, enableGrad, inferenceMode, forkRng } = torch;
    for (const [name, scope] of Object.entries({ noGrad, enableGrad, inferenceMode, forkRng }))
      expect(() => scope(wrong(undefined))).toThrow(
        `${name}: expected a function to run, ${name}(() => { … }), but got nothing`,
      );
  });

  it('dtypes that are none here are no devices', () => {
    for (const name of ['float16', 'bfloat16', 'half', 'complex64', 'uint32'])
      expect(() => torch.ones(2).to(name)).toThrow(`to: dtype must be one of float32, float64`);
    expect(() => new nn.Linear(1, 1).to('float16')).toThrow(torch.DTypeError);
    expect(() => torch.ones(2).to('cuda')).toThrow("device: 'cuda' is not available");
  });

  it('arguments of another kind are named', () => {
    expect(() => torch.ones(3).indexPut_(wrong(1), 5)).toThrow(
      "indexPut_: argument 'indices' must be a list, as in indexPut_([mask], 0), but got 1",
    );
    expect(() => new nn.Parameter(wrong([1, 2]))).toThrow(
      "Parameter: argument 'data' must be a Tensor, but got Array",
    );
    const weights = [torch.ones(1, { requiresGrad: true })];
    expect(() => new optim.Adam(weights, { betas: wrong(0.9) })).toThrow(
      'betas must be a list of two numbers, such as [0.9, 0.999], but got 0.9',
    );
    const module = wrong<torch.Tensor>(new nn.Linear(2, 2));
    for (const [name, fill] of Object.entries(nn.init))
      if (name.endsWith('_') && name !== 'sparse_')
        expect(() => (fill as (x: torch.Tensor, value: number) => unknown)(module, 1), name).toThrow(
          "init: argument 'tensor' must be a Tensor, but got Linear",
        );
  });
});

describe('values that fill', () => {
  it('of bools are what the tensor says', () => {
    for (const value of [true, false]) {
      const x = torch.tensor([!value, !value, value]);
      const mask = torch.tensor([true, false, false]);
      expect(x.maskedFill(mask, torch.tensor(value)).toArray()).toEqual([value, !value, value]);
      expect(x.maskedFill_(mask, torch.tensor(value)).toArray()).toEqual([value, !value, value]);
    }
  });

  it('are scattered as bools', () => {
    const where = torch.tensor([1n]);
    expect(torch.scatter(torch.zeros([3], { dtype: 'bool' }), 0, where, true).tolist()).toEqual([
      false,
      true,
      false,
    ]);
    expect(torch.zeros(3).scatter_(0, where, true).tolist()).toEqual([0, 1, 0]);
  });

  it('have one gradient for each slice, however often its index comes', () => {
    const value = torch.tensor(2, { requiresGrad: true });
    const x = torch.zeros(4, 2, { requiresGrad: true });
    const filled = x.indexFill(0, torch.tensor([0n, 0n, 2n]), value);
    expect(String(filled)).toContain('IndexFillBackward1');
    filled.sum().backward();
    expect([value.grad?.item(), x.grad?.sum(1).toArray()]).toEqual([4, [0, 2, 0, 2]]);
  });
});

describe('attention', () => {
  it('gives zeros for a query that sees nothing, also without a mask', () => {
    const query = torch.tensor([
      [-inf, -inf],
      [1, 1],
    ]);
    const ones = torch.ones(3, 2);
    expect(F.scaledDotProductAttention(query, ones, ones).toArray()).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });
});

describe('integers and their dtypes', () => {
  const typed = (x: torch.Tensor): [torch.DType, unknown] => [x.dtype, x.tolist()];
  const of = (values: number | number[], dtype: torch.DType): torch.Tensor => torch.tensor(values, { dtype });

  it('clamp goes by the value and both bounds', () => {
    const low = of(-3, 'int64');
    expect(typed(of([1, 5], 'uint8').clamp(low, of([3, 3], 'float32')))).toEqual(['float32', [1, 3]]);
    const high = torch.tensor([9007199254740993n, 4n]);
    expect(typed(of([1, 2], 'int8').clamp(torch.tensor(4294967296n), high))).toEqual([
      'int64',
      [4294967296, 4],
    ]);
    expect(typed(of([1, 2], 'int8').clamp(of(8.25, 'float64'), of([1, 9], 'float32')))).toEqual([
      'float32',
      [1, 8.25],
    ]);
    expect(typed(of([1, 2], 'int8').clamp(of(8, 'int64')))).toEqual(['int8', [8, 8]]);
  });
  it('numbers that no integer dtype holds are floating', () => {
    expect(torch.tensor([1n]).lt(1e19).tolist()).toEqual([true]);
    expect(torch.tensor([0n]).gt(-1e19).tolist()).toEqual([true]);
    expect(of([5], 'int32').lt(1e300).tolist()).toEqual([true]);
    expect(of([5], 'uint8').lt(1e19).tolist()).toEqual([true]);
    expect(typed(torch.tensor([1n]).add(1e300))).toEqual(['float32', [inf]]);
    expect(typed(torch.tensor([1n]).add(2 ** 63))).toEqual(['float32', [2 ** 63]]);
    expect(typed(torch.minimum(torch.tensor([5n]), 1e19))).toEqual(['float32', [5]]);
    const least = torch.tensor([0n]).add(-(2 ** 63));
    expect([least.dtype, least.data[0]]).toEqual(['int64', -(2n ** 63n)]);
  });
  it('sums within products are int64 in einsum, and stay what they are in addbmm', () => {
    for (const dtype of ['int32', 'int16', 'bool'] as const) {
      const one = (...shape: number[]): torch.Tensor => torch.ones(shape, { dtype });
      expect(typed(torch.einsum('ab,c->c', one(2, 2), one(3)))).toEqual(['int64', [4, 4, 4]]);
      expect(typed(torch.einsum('ab,c,d->cd', one(2, 2), one(1), one(2)))).toEqual(['int64', [[4, 4]]]);
    }
    const one = (...shape: number[]): torch.Tensor => torch.ones(shape, { dtype: 'int8' });
    expect(() => torch.einsum('ab,b->a', one(2, 2), one(2).long())).toThrow('same dtype');
    expect(typed(torch.addbmm(one(1, 2), one(3, 2, 2), one(3, 2, 2)))).toEqual([
      'int8',
      [
        [7, 7],
        [7, 7],
      ],
    ]);
  });
  it('addcmul multiplies in the dtype of its result', () => {
    const product = torch.addcmul(of([0], 'int32'), of(32767, 'int16'), of([32767], 'int16'));
    expect(typed(product)).toEqual(['int32', [1073676289]]);
  });
  it('logit does not wrap around', () => {
    expect(typed(torch.logit(of([2, 254, 0, 1], 'uint8')))).toEqual(['float32', [nan, nan, -inf, inf]]);
    for (const dtype of ['int8', 'int16', 'int32'] as const)
      expect(torch.logit(of([2, -3, 0], dtype)).tolist()).toEqual([nan, nan, -inf]);
  });
  it('trapezoids are floating', () => {
    const y = torch.tensor([1n, 2n, 3n]);
    expect(typed(torch.trapezoid(y, { dx: 2 }))).toEqual(['float32', 8]);
    expect(typed(torch.trapezoid(y))).toEqual(['float32', 4]);
    expect(typed(torch.trapezoid(of([], 'int8')))).toEqual(['int8', 0]);
  });
  it('logspace cuts its ends off first', () => {
    const x = torch.logspace(2.5, 0, 5, { dtype: 'int64' });
    expect(typed(x)).toEqual(['int64', [100, 31, 10, 3, 1]]);
    expect(torch.logspace(2.5, 1, 1, { dtype: 'int64' }).tolist()).toEqual([316]);
  });
  it('are given as bigints too', () => {
    expect(typed(torch.arange(1n, 6n, 2n))).toEqual(['int64', [1, 3, 5]]);
    expect(torch.eye(2).index(1n).tolist()).toEqual([0, 1]);
  });
});

it('quantiles are elements where nothing is mixed', () => {
  const x = torch.tensor([1, 2, inf]);
  for (const interpolation of ['lower', 'nearest', 'higher'] as const)
    expect(torch.quantile(x, 1, { interpolation }).item()).toBe(inf);
  expect(torch.quantile(x, 1).item()).toBe(nan);
  expect(torch.quantile(torch.ones(2, 3), torch.zeros(0), 1, true).shape).toEqual([0, 2, 1]);
});

it('places of quantiles are rounded as the elements are', () => {
  for (const op of [torch.quantile, torch.nanquantile]) {
    const at = (n: number, p: number, interpolation: 'higher' | 'midpoint' | 'nearest') =>
      op(torch.arange(n, { dtype: 'float32' }), p, { interpolation }).item();
    expect([at(26, 0.6, 'higher'), at(51, 0.6, 'midpoint'), at(46, 0.7, 'nearest')]).toEqual([16, 30.5, 32]);
    const wide = torch.arange(26, { dtype: 'float64' });
    expect(op(wide, 0.6, { interpolation: 'higher' }).item()).toBe(15);
  }
});

it('searches take the side by either name', () => {
  const sorted = torch.tensor([1, 2, 2, 3]);
  expect(torch.searchsorted(sorted, 2, { right: false, side: 'right' }).item()).toBe(3);
  expect(() => torch.bucketize(2, sorted, { right: true, side: 'left' })).toThrow(
    "side and right can't be set to opposites, got side of left while right was True",
  );
});

it('negative powers of matrices are those of the inverse', () => {
  const x = torch
    .tensor([
      [
        [1, 2],
        [3, 4],
      ],
    ])
    .requiresGrad_();
  const y = torch.linalg.matrixPower(x, -2);
  expect(
    y.allclose(
      torch.tensor([
        [
          [5.5, -2.5],
          [-3.75, 1.75],
        ],
      ]),
      1e-4,
    ),
  ).toBe(true);
  y.sum().backward();
  expect(
    x.grad?.allclose(
      torch.tensor([
        [
          [3.25, -2.75],
          [-2.25, 1.75],
        ],
      ]),
      1e-4,
    ),
  ).toBe(true);
});

describe('gradients at corners', () => {
  it('of margins', () => {
    const target = torch.tensor([1, -1]);
    expect(slopes((x) => F.softMarginLoss(x, target, { reduction: 'sum' }), [0, 0])).toEqual([-0.5, 0.5]);
    const first = torch.tensor(0n);
    expect(slopes((x) => F.multiMarginLoss(x, first), [1, 0, -1])).toEqual([0, 0, 0]);
    expect(slopes((x) => F.multiMarginLoss(x, first, { margin: 0 }), [1, 1, 1])).toEqual([0, 0, 0]);
    expect(slopes((x) => F.multiMarginLoss(x, first), [1, 1e-20])).toEqual([-0.5, 0.5]);
    const sure = F.softMarginLoss(torch.tensor([200]), torch.tensor([1]));
    expect(Object.is(sure.item(), 0)).toBe(true);
  });
  it('of largest differences, each of which gets all', () => {
    expect(slopes((x) => torch.cdist(x.reshape(1, 2), torch.zeros(1, 2), inf), [1, -1])).toEqual([1, -1]);
    expect(slopes((x) => torch.pdist(x.reshape(2, 2), inf), [1, -1, 0, 0])).toEqual([1, -1, -1, 1]);
    expect(slopes((x) => torch.pdist(x.reshape(2, 2), 0), [1, -1, 0, 0])).toEqual([0, 0, 0, 0]);
    expect(slopes((x) => torch.pdist(x.reshape(2, 2), inf), [nan, 1, 0, 0])).toEqual([nan, nan, nan, nan]);
    expect(slopes((x) => torch.linalg.vectorNorm(x, inf), [1, -1])).toEqual([0.5, -0.5]);
  });
  it('of powers of 0', () => {
    expect(slopes((x) => torch.pow(0, x), [-3, 0, 2])).toEqual([-inf, 0, 0]);
  });
});

describe('second derivatives', () => {
  const t = torch.tensor([0n, 1n]);
  const cases: [string, number[], (x: torch.Tensor) => torch.Tensor][] = [
    ['hardshrink', [4], F.hardshrink],
    ['softshrink', [4], F.softshrink],
    ['threshold', [4], (x) => F.threshold(x, 0.4, 0)],
    ['prelu', [4], (x) => F.prelu(x, torch.tensor([0.25]))],
    ['rrelu', [4], (x) => F.rrelu(x, { training: true })],
    ['nllLoss', [2, 3], (x) => F.nllLoss(x, t)],
    ['maxPool1d', [1, 4], (x) => F.maxPool1d(x, 2)],
    ['maxPool2d', [1, 4, 4], (x) => F.maxPool2d(x, 2)],
    ['maxPool3d', [1, 2, 2, 2], (x) => F.maxPool3d(x, 2)],
    ['avgPool1d', [1, 4], (x) => F.avgPool1d(x, 2)],
    ['adaptiveAvgPool2d', [1, 4, 4], (x) => F.adaptiveAvgPool2d(x, 2)],
    ['reflection', [1, 4], (x) => F.pad(x, [1, 1], 'reflect')],
    ['replication', [1, 4, 4], (x) => F.pad(x, [1, 1, 1, 1], 'replicate')],
  ];
  it.each(cases)('of %s are zeros, and not missing', (_, shape, f) => {
    const x = torch.rand(shape, { requiresGrad: true });
    const [first] = torch.autograd.grad(f(x).sum(), x, { createGraph: true });
    const [second] = torch.autograd.grad(first.sum(), x);
    expect(second.tolist()).toEqual(torch.zeros(shape).tolist());
  });
  it.each(cases)('of %s go on to the gradient that came in', (_, shape, f) => {
    const x = torch.rand(shape, { requiresGrad: true });
    const y = f(x);
    const v = torch.rand(y.shape, { requiresGrad: true });
    const [first] = torch.autograd.grad(y, x, { gradOutputs: v, createGraph: true });
    first.sum().backward();
    expect(v.grad?.shape).toEqual(y.shape);
    expect(x.grad?.tolist()).toEqual(torch.zeros(shape).tolist());
  });
});

it('empty lists and tensors without dimensions count', () => {
  const none = torch.zeros(0, { dtype: 'int64' });
  expect(torch.tensor(5).indexFill(0, none, 3).item()).toBe(5);
  const [no, yes] = [torch.tensor(false), torch.tensor(true)];
  expect(no.indexAdd(0, torch.tensor([0n]), yes, { alpha: 1 }).item()).toBe(true);
  expect(torch.diff(torch.tensor([1, 2]), 0, { prepend: torch.tensor([5]) }).tolist()).toEqual([1, 2]);
  expect(torch.blockDiag().shape).toEqual([1, 0]);
  expect(torch.zeros(2, 0, 3).permute(2, 1, 0).isContiguous()).toBe(true);
});

describe('what PyTorch refuses by dtype', () => {
  const mask = torch.tensor([true, false]);
  const whole = torch.tensor([1n, 2n]);
  const x = torch.tensor([1, 2]);
  const first = torch.tensor([0], { dtype: 'int32' });
  it.each<[string, () => unknown]>([
    ['neg_', () => mask.clone().neg_()],
    ['abs', () => mask.abs()],
    ['abs_', () => mask.clone().abs_()],
    ['floor_', () => mask.clone().floor_()],
    ['sub', () => mask.sub(1)],
    ['sub', () => whole.sub(mask)],
    ['sub', () => whole.sub(mask, { alpha: 2 })],
    ['rsub', () => torch.rsub(mask, 1)],
    ['pow', () => mask.pow(mask)],
    ['gcd', () => mask.gcd(mask)],
    ['lcm', () => mask.lcm(mask)],
    ['bitwise_left_shift', () => mask.bitwiseLeftShift(mask)],
    ['argmax', () => mask.argmax()],
    ['argmin', () => mask.argmin(0)],
    ['median', () => mask.median()],
    ['median', () => mask.median(0)],
    ['kthvalue', () => mask.kthvalue(1)],
    ['topk', () => mask.topk(1)],
    ['heaviside', () => torch.heaviside(whole, x)],
    ['logaddexp', () => torch.logaddexp(whole, whole)],
    ['logaddexp2', () => torch.logaddexp2(whole, whole)],
    ['nanmean', () => torch.nanmean(whole)],
    ['linalg.matrix_norm', () => torch.linalg.norm(whole.reshape(1, 2), 1)],
    ['index_put', () => x.clone().indexPut_([whole.sub(1)], whole)],
    ['index_copy', () => x.indexCopy(0, first, torch.tensor([1]))],
    ['index_fill', () => x.indexFill(0, first, 1)],
  ])('%s', (op, call) => {
    expect(call).toThrow(torch.DTypeError);
    expect(call).toThrow(op.replace(/_$/, ''));
  });
  it('and no more', () => {
    expect(mask.pow(2).tolist()).toEqual([1, 0]);
    expect(torch.pow(2, mask).tolist()).toEqual([2, 1]);
    expect(mask.gcd(whole).tolist()).toEqual([1, 2]);
    expect(mask.bitwiseLeftShift(1).tolist()).toEqual([2, 0]);
    expect(mask.sort().values.tolist()).toEqual([false, true]);
    expect(torch.logaddexp(whole, x).dtype).toBe('float32');
    expect(x.clone().indexPut_([0], torch.tensor(3n)).tolist()).toEqual([3, 2]);
    const ones = torch.ones(2, { dtype: 'int16' });
    expect(ones.indexPut_([mask], torch.tensor(3.5)).tolist()).toEqual([3, 1]);
    expect(x.indexAdd(0, first, torch.tensor([1])).tolist()).toEqual([2, 2]);
  });
  it('floorDivide has no derivative, but div rounded', () => {
    const y = leaf([7, 9]);
    expect(() => y.floorDivide(2).sum().backward()).toThrow('derivative for floor_divide is not implemented');
    expect(slopes((z) => z.div(2, { roundingMode: 'floor' }), [7, 9])).toEqual([0, 0]);
  });
});

it.each<[string, (x: torch.Tensor) => torch.Tensor]>([
  ['Log1PBackward0', (x) => x.log1p()],
  ['SgnBackward0', (x) => x.sgn()],
  ['FmodBackward0', (x) => x.fmod(2)],
  ['FmodBackward1', (x) => x.fmod(x)],
  ['RemainderBackward0', (x) => x.remainder(2)],
  ['RemainderBackward1', (x) => x.remainder(x)],
  ['DivBackward2', (x) => x.div(2, { roundingMode: 'trunc' })],
  ['PowBackward0', (x) => x.pow(3)],
  ['PowBackward1', (x) => x.pow(x)],
  ['PowBackward2', (x) => torch.pow(2, x)],
  ['XlogyBackward0', (x) => torch.xlogy(x, x)],
  ['XlogyBackward1', (x) => torch.xlogy(2, x)],
  ['XlogyBackward2', (x) => torch.xlogy(x, 2)],
  ['SortBackward0', (x) => x.sort().values],
  ['SortBackward1', (x) => x.sort({ stable: true }).values],
  ['MaskedFillBackward0', (x) => x.maskedFill(x.gt(0), 1)],
  ['MaskedFillBackward1', (x) => x.maskedFill(x.gt(0), torch.tensor(1))],
  ['ScatterBackward0', (x) => x.scatter(0, torch.tensor([0n]), x)],
  ['ScatterBackward1', (x) => x.scatter(0, torch.tensor([0n]), 1)],
  ['DotBackward0', (x) => x.dot(x)],
  ['VdotBackward0', (x) => torch.vdot(x, x)],
  ['ClampBackward0', (x) => x.clamp(torch.zeros(2))],
  ['ClampBackward1', (x) => x.clamp(0)],
  ['ClampMinBackward0', (x) => x.clampMin(0)],
  ['ClampMinBackward1', (x) => x.clampMin(torch.zeros(2))],
  ['ClampMaxBackward0', (x) => x.clampMax(0)],
  ['EluBackward0', (x) => F.elu(x)],
  ['CeluBackward0', (x) => F.celu(x)],
  ['AminmaxBackward0', (x) => x.aminmax().max],
  ['VarMeanBackward0', (x) => torch.varMean(x)[1]],
  ['StdMeanBackward0', (x) => torch.stdMean(x)[0]],
  ['DistBackward0', (x) => torch.dist(x, x)],
  ['PdistBackward0', (x) => torch.pdist(x.reshape(2, 1))],
  ['NllLossBackward0', (x) => F.nllLoss(x, torch.tensor(1n))],
  ['NllLoss2DBackward0', (x) => F.nllLoss(x.reshape(1, 2, 1), torch.tensor([[1n]]))],
])('%s is the name of the node', (name, f) => {
  expect(f(leaf([0.25, 0.75])).gradFn?.name).toBe(name);
});

describe('containers', () => {
  it('are left as they were by what is no module', () => {
    const list = new nn.Sequential(new nn.ReLU(), new nn.Tanh());
    const before = String(list);
    expect(() => list.insert(0, 3 as never)).toThrow("insert: argument 'module' must be a Module, but got 3");
    expect(() => list.extend([new nn.ReLU(), 3 as never])).toThrow(
      "extend: argument 'modules' must be Modules, but got 3",
    );
    expect(String(list)).toBe(before);
  });
  it('of parameters order the names of a plain object, and no others', () => {
    const table = { b: torch.zeros(1), a: torch.zeros(2) };
    expect(new nn.ParameterDict(table).keys()).toEqual(['a', 'b']);
    expect(new nn.ParameterDict(Object.entries(table)).keys()).toEqual(['b', 'a']);
    expect(new nn.ParameterDict(new Map(Object.entries(table))).keys()).toEqual(['b', 'a']);
  });
});

describe('printed', () => {
  it('are only the options that are the layer’s', () => {
    expect(String(new nn.ReLU6())).toBe('ReLU6()');
    expect(String(new nn.ReLU6(true))).toBe('ReLU6(inplace=True)');
    expect(String(new optim.LBFGS([leaf([1])], { maxIter: 10 }))).toBe(
      'LBFGS (\nParameter Group 0\n    history_size: 100\n    line_search_fn: None\n    lr: 1\n    max_eval: 12\n' +
        '    max_iter: 10\n    tolerance_change: 1e-09\n    tolerance_grad: 1e-07\n)',
    );
  });
});

describe('draws', () => {
  it('are refused from what is no generator: a seed, say', () => {
    const options = { generator: 7 as never };
    expect(() => torch.rand(2, options)).toThrow(
      'generator: expected { generator } in the options, but got 7',
    );
    expect(() => [...new data.RandomSampler([1, 2], options)]).toThrow('but got 7');
  });
  it('are refused from nothing', () => {
    for (const replacement of [false, true]) {
      const sampler = new data.RandomSampler([], { numSamples: 2, replacement });
      expect(() => sampler[Symbol.iterator]().next()).toThrow(
        'RandomSampler: dataSource.length should be a positive integer value, but got dataSource.length = 0',
      );
    }
  });
});

describe('autograd.grad', () => {
  const [x, unused] = [leaf([1, 2]), leaf([3])];
  it('gives zeros for what was not used, when asked to', () => {
    const zeros = (createGraph: boolean) =>
      autograd.grad(x.square().sum(), [x, unused], { materializeGrads: true, createGraph })[1];
    expect([zeros(false).tolist(), zeros(false).requiresGrad, zeros(true).requiresGrad]).toEqual([
      [0],
      false,
      true,
    ]);
    expect(() => autograd.grad(x.sum(), [x, unused], { materializeGrads: true, allowUnused: false })).toThrow(
      'Expected allowUnused to be true or not passed when materializeGrads is true',
    );
  });
  it('wants something to differentiate by', () => {
    expect(() => autograd.grad(x.sum(), [])).toThrow("grad: argument 'inputs' cannot be empty");
  });
});
