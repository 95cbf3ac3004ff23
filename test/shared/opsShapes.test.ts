/** Ops that split, join, rearrange, pick, place and multiply, at the edges, as PyTorch does. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

const { tensor, slice } = torch;
const int = (list: torch.TensorData) => tensor(list, { dtype: 'int64' });
const nan = Number.NaN;
const inf = Infinity;

function same(x: torch.Tensor, expected: torch.NestedNumbers, dtype = 'float32'): void {
  expect(x.dtype).toBe(dtype);
  expect(x.toArray()).toEqual(expected);
}

describe.each(['cpu', 'reference'])('arrangements on %s', (device) => {
  const before = torch.getDefaultDevice();
  beforeEach(() => torch.setDefaultDevice(device));
  afterEach(() => torch.setDefaultDevice(before));

  it('splits and joins', () => {
    const shapes = (list: torch.Tensor[]) => list.map((x) => x.shape.join());
    expect(shapes(torch.zeros(7).split(3))).toEqual(['3', '3', '1']);
    expect(shapes(torch.zeros([2, 6]).chunk(4, -1))).toEqual(['2,2', '2,2', '2,2']);
    expect(shapes(torch.zeros([0, 2]).chunk(3))).toEqual(['0,2', '0,2', '0,2']);
    expect(shapes(torch.zeros(7).tensorSplit([1, -2]))).toEqual(['1', '4', '2']);
    expect(shapes(torch.zeros(7).tensorSplit(3))).toEqual(['3', '2', '2']);
    expect(shapes(torch.zeros([2, 3]).unbind({ dim: 1 }))).toEqual(['2', '2', '2']);
    expect(() => torch.zeros(3).split([1, 1])).toThrow(/sum exactly to 3/);
    expect(torch.hstack([tensor(1), tensor([2])]).toArray()).toEqual([1, 2]);
    expect(torch.vstack([tensor([1, 2]), tensor([[3, 4]])]).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(torch.dstack([tensor([1, 2]), tensor([3, 4])]).toArray()).toEqual([
      [
        [1, 3],
        [2, 4],
      ],
    ]);
    expect(torch.columnStack([tensor([1, 2]), tensor([3, 4])]).toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(torch.cartesianProd(tensor([1, 2]), tensor([3, 4])).shape).toEqual([4, 2]);
    expect(
      torch.meshgrid<torch.Tensor>([tensor([1, 2]), tensor([3, 4, 5])]).map((g) => g.shape.join()),
    ).toEqual(['2,3', '2,3']);
  });

  it('rearranges', () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    same(x.flip({ dims: [-1] }), [
      [3, 2, 1],
      [6, 5, 4],
    ]);
    same(torch.roll(x, [1, -1], [0, 1]), [
      [5, 6, 4],
      [2, 3, 1],
    ]);
    same(x.roll(2), [
      [5, 6, 1],
      [2, 3, 4],
    ]);
    same(x.rot90(), [
      [3, 6],
      [2, 5],
      [1, 4],
    ]);
    same(torch.rot90(x, -1, [0, 1]), [
      [4, 1],
      [5, 2],
      [6, 3],
    ]);
    same(tensor([1, 2]).repeat(2, 2), [
      [1, 2, 1, 2],
      [1, 2, 1, 2],
    ]);
    same(x.tile([2]), [
      [1, 2, 3, 1, 2, 3],
      [4, 5, 6, 4, 5, 6],
    ]);
    same(x.repeatInterleave(int([2, 0]), { dim: 0 }), [
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(torch.zeros([2, 3, 4]).movedim([0, 1], [-1, 0]).shape).toEqual([3, 4, 2]);
    expect(torch.zeros([2, 6]).unflatten(1, [2, -1]).shape).toEqual([2, 2, 3]);
    same(tensor([1, 2, 3, 4, 5]).unfold(0, 2, 2), [
      [1, 2],
      [3, 4],
    ]);
    same(x.flip(0, 1).flip(0, 1), x.toArray());
    expect(torch.flatten(torch.zeros([2, 3, 4]), { startDim: 1 }).shape).toEqual([2, 12]);
    const y = x.flip(0);
    y.fill_(0);
    same(x, [
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  it('cuts triangles and diagonals', () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, nan],
    ]);
    same(x.tril(-1), [
      [0, 0, 0],
      [4, 0, 0],
      [7, 8, 0],
    ]);
    same(x.triu({ diagonal: 1 }), [
      [0, 2, 3],
      [0, 0, 6],
      [0, 0, 0],
    ]);
    same(torch.ones([2, 2, 2]).tril().sum([1, 2]), [3, 3]);
    same(tensor([1, 2]).diag(-1), [
      [0, 0, 0],
      [1, 0, 0],
      [0, 2, 0],
    ]);
    same(x.diag(1), [2, 6]);
    same(x.diagonal({ offset: -1 }), [4, 8]);
    expect(x.diagonal(5).shape).toEqual([0]);
    same(tensor([[1, 2]]).diagEmbed(), [
      [
        [1, 0],
        [0, 2],
      ],
    ]);
    const y = torch.zeros([2, 2]);
    y.diagonal().fill_(3);
    same(y, [
      [3, 0],
      [0, 3],
    ]);
    same(
      int([
        [1, 2],
        [3, 4],
      ]).trace(),
      5,
      'int64',
    );
  });

  it('picks and places', () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    same(x.gather(1, int([[2, 0]])), [[3, 1]]);
    same(
      torch.zeros([2, 3]).scatter(
        1,
        int([
          [0, 2],
          [1, 1],
        ]),
        7,
      ),
      [
        [7, 0, 7],
        [0, 7, 0],
      ],
    );
    same(torch.zeros([3]).scatterAdd(0, int([1, 1]), tensor([2, 3])), [0, 5, 0]);
    same(torch.ones([3]).scatter(0, int([0, 1]), tensor([4, 5]), { reduce: 'multiply' }), [4, 5, 1]);
    const reduce = 'multiply';
    same(tensor([2, 3]).scatter(0, int([0, 1, 0]), tensor([10, 2, 100]), { reduce }), [2000, 6]);
    same(
      tensor([true, true]).scatter(0, int([0, 0]), tensor([true, false]), { reduce }),
      [false, true],
      'bool',
    );
    same(int([2, 3]).scatter(0, int([1, 1, 1]), 5, { reduce }), [2, 375], 'int64');
    const into = torch.randn(3, { dtype: 'float64' });
    const from = torch.randn(5, { dtype: 'float64' });
    expect(
      torch.autograd.gradcheck(
        (x, y) => x.scatter(0, int([0, 2, 0, 0, 2]), y, { reduce }),
        [into.requiresGrad_(), from.requiresGrad_()],
      ),
    ).toBe(true);
    same(
      torch.trilIndices(3, 4, -1),
      [
        [1, 2, 2],
        [0, 0, 1],
      ],
      'int64',
    );
    same(
      torch.triuIndices(2, 3, { offset: 1, dtype: 'int32' }),
      [
        [0, 0, 1],
        [1, 2, 2],
      ],
      'int32',
    );
    expect(torch.trilIndices(0, 2).shape).toEqual([2, 0]);
    expect(() => torch.trilIndices(-1, 2)).toThrow(
      "tril_indices: argument 'row' must be a non-negative integer",
    );
    const steep = tensor([
      [1, -2, 1000, 3],
      [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, Number.NaN],
    ]);
    const sums = torch.logcumsumexp(steep, 1);
    expect(sums.index(0, 1).item()).toBeCloseTo(1.0485873, 6);
    same(sums.index(0, torch.slice(2, null)), [1000, 1000]);
    same(sums.index(1), [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, Number.NaN]);
    expect(
      torch
        .arange(5)
        .tensorSplit(int([1, 3]))
        .map((part) => part.tolist()),
    ).toEqual([[0], [1, 2], [3, 4]]);
    expect(torch.arange(4).tensorSplit(torch.tensor(2n)).length).toBe(2);
    const far = tensor([0, -150]).requiresGrad_();
    const [slope] = torch.autograd.grad(torch.logcumsumexp(far, 0), far, tensor([1, 2]), {
      createGraph: true,
    });
    const [curve] = torch.autograd.grad(slope.add(slope.square()).sum(), far);
    expect(curve.isfinite().all().item()).toBeTruthy();
    expect(() => torch.searchsorted(tensor([1]), tensor([1]), { side: 'up' as never })).toThrow(
      "side can only be 'left' or 'right' but got up",
    );
    const whole = torch.ones(3, 2).requiresGrad_();
    const rows = whole.unbind(0);
    expect(rows[0].gradFn === rows[2].gradFn && rows[0].gradFn?.name).toBe('UnbindBackward0');
    rows[2].mul(3).sum().add(rows[0].sum()).backward();
    same(whole.grad!, [
      [1, 1],
      [0, 0],
      [3, 3],
    ]);
    expect(() => rows[1].mul_(2)).toThrow('is the output of a function that returns multiple views');
    same(torch.concatenate([tensor([1]), tensor([2])]).ravel(), [1, 2]);
    const [own, to, sent] = [int([7, 1, 3]), int([0, 0, 1]), int([-4, 2, 9])];
    // PyTorch's answers, with x's own elements and without.
    const reductions = {
      sum: [
        [5, 10, 3],
        [-2, 9, 3],
      ],
      prod: [
        [-56, 9, 3],
        [-8, 9, 3],
      ],
      mean: [
        [1, 5, 3],
        [-1, 9, 3],
      ],
      amax: [
        [7, 9, 3],
        [2, 9, 3],
      ],
      amin: [
        [-4, 1, 3],
        [-4, 9, 3],
      ],
    } as const;
    for (const [reduce, [whole, others]] of Object.entries(reductions)) {
      const how = reduce as keyof typeof reductions;
      for (const dtype of ['int64', 'int32', 'int8', 'float32', 'float64'] as const) {
        if (how === 'mean' && dtype.startsWith('float')) continue;
        const [a, b] = [own.to(dtype), sent.to(dtype)];
        same(a.scatterReduce(0, to, b, how), [...whole], dtype);
        same(a.scatterReduce(0, to, b, how, { includeSelf: false }), [...others], dtype);
        same(a.clone().scatterReduce_(0, to, b, how), [...whole], dtype);
        if (how === 'sum') continue;
        same(a.indexReduce(0, to, b, how), [...whole], dtype);
        same(a.clone().indexReduce_(0, to, b, how, { includeSelf: false }), [...others], dtype);
      }
    }
    same(tensor([1, 2]).scatterReduce(0, int([0, 0]), tensor([2, 6]), 'mean'), [3, 2]);
    same(tensor([Number.NaN, 1]).scatterReduce(0, int([0, 1]), tensor([1, Number.NaN]), 'amax'), [
      Number.NaN,
      Number.NaN,
    ]);
    same(torch.zeros([2]).scatterReduce(0, int([1]), tensor([-3]), 'amin', { includeSelf: false }), [0, -3]);
    const rivals = tensor([0, -1, 5], { requiresGrad: true });
    torch.zeros([3]).scatterReduce(0, to, rivals, 'amax', { includeSelf: false }).sum().backward();
    same(rivals.grad!, [1, 0, 1]);
    expect(() => own.scatterReduce(0, to, sent, 'max' as never)).toThrow(
      'scatter_reduce: reduce argument must be sum, prod, mean, amax, amin, but got max',
    );
    expect(() => own.indexReduce(0, to, sent, 'sum' as never)).toThrow(
      'index_reduce: reduce argument must be prod, mean, amax, amin, but got sum',
    );
    same(x.takeAlongDim(int([[0], [2]]), 1), [[1], [6]]);
    same(x.takeAlongDim(int([5, 0])), [6, 1]);
    same(x.take(int([[-1], [0]])), [[6], [1]]);
    same(x.indexSelect(1, int([2, 2])), [
      [3, 3],
      [6, 6],
    ]);
    same(torch.zeros([2, 2]).indexAdd(0, int([1, 1]), torch.ones([2, 2]), { alpha: 2 }), [
      [0, 0],
      [4, 4],
    ]);
    same(x.indexFill(1, int([-1]), 0), [
      [1, 2, 0],
      [4, 5, 0],
    ]);
    same(x.indexCopy(0, int([1]), tensor([[7, 8, 9]])), [
      [1, 2, 3],
      [7, 8, 9],
    ]);
    same(x.maskedFill(x.gt(4), -inf), [
      [1, 2, 3],
      [4, -inf, -inf],
    ]);
    same(x.maskedFill(tensor([true, false, false]), tensor(0)), [
      [0, 2, 3],
      [0, 5, 6],
    ]);
    same(x.maskedSelect(tensor([[true], [false]])), [1, 2, 3]);
    same(x.maskedScatter(x.gt(4), tensor([8, 9])), [
      [1, 2, 3],
      [4, 8, 9],
    ]);
    same(
      x.gt(4).nonzero(),
      [
        [1, 1],
        [1, 2],
      ],
      'int64',
    );
    expect(torch.where(x.gt(4)).map((v) => v.toArray())).toEqual([
      [1, 1],
      [1, 2],
    ]);
    expect(tensor(3).nonzero().shape).toEqual([1, 0]);
    expect(() => x.gather(1, int([[-1]]))).toThrow(/index -1 is out of bounds for dimension 1 with size 3/);
    expect(() => x.gather(1, int([0]))).toThrow(/same number of dimensions/);
    expect(() => x.indexSelect(0, int([2]))).toThrow(torch.IndexError);
    expect(() => x.scatter(1, int([[0]]), int([[1]]))).toThrow(torch.DTypeError);
    expect(
      int([1])
        .maskedFill(tensor([true]), 0.5)
        .toArray(),
    ).toEqual([0]);
  });

  it('indexes like Python', () => {
    const x = torch.arange(24).reshape(2, 3, 4);
    same(x.index(int([1]), '...', tensor(2, { dtype: 'int64' })), [[14, 18, 22]], 'int64');
    same(x.index(tensor(1, { dtype: 'int64' }), 0), [12, 13, 14, 15], 'int64');
    same(
      x.index(0, [2, 0], slice(null, null, 3)),
      [
        [8, 11],
        [0, 3],
      ],
      'int64',
    );
    same(
      x.index(slice(), tensor([true, false, true]), -1),
      [
        [3, 11],
        [15, 23],
      ],
      'int64',
    );
    expect(x.index(null, 0, null).shape).toEqual([1, 1, 3, 4]);
    expect(
      x.index(
        int([
          [0, 1],
          [1, 0],
        ]),
        slice(),
        int([1]),
      ).shape,
    ).toEqual([2, 2, 3]);
    expect(x.index(false).shape).toEqual([0, 2, 3, 4]);
    const y = torch.zeros([2, 3]);
    y.indexPut_([slice(), int([0, 0])], tensor([[1], [2]]), true);
    same(y, [
      [2, 0, 0],
      [4, 0, 0],
    ]);
    expect(() => x.index(0, 0, 0, 0)).toThrow(/too many indices/);
    expect(() => x.index(int([2]))).toThrow(/index 2 is out of bounds for dimension 0 with size 2/);
    expect(() => x.index(tensor([0.5]))).toThrow(torch.IndexError);
  });

  it('multiplies', () => {
    const a = tensor([
      [1, 2],
      [3, 4],
    ]);
    same(torch.addmm(tensor([nan, nan]), a, a, { beta: 0 }), [
      [7, 10],
      [15, 22],
    ]);
    same(torch.einsum('ij,ij->', a, a), 30);
    same(torch.einsum('ij,kj', a, a), [
      [5, 11],
      [11, 25],
    ]);
    same(torch.einsum(' i j , j -> i ', [a, tensor([1, 1])]), [3, 7]);
    same(torch.einsum('...ii->...i', torch.stack([a, a])), [
      [1, 4],
      [1, 4],
    ]);
    same(torch.einsum('ij,ij->ij', a, tensor([[2, 3]])), [
      [2, 6],
      [6, 12],
    ]);
    same(torch.einsum('i->', int([1, 2])), 3, 'int64');
    same(torch.einsum('ij,jk->ik', int([[1, 2]]), int([[3], [4]])), [[11]], 'int64');
    expect(() => torch.einsum('ij->k', a)).toThrow(/output subscript k/);
    expect(() => torch.einsum('ij,jk->ik', a, tensor([[1]]), a)).toThrow(torch.ArgumentError);
    expect(() => torch.einsum('ij,jk->ik', a, torch.ones([3, 2]))).toThrow(/size 3 for operand 1/);
    same(torch.tensordot(a, a, 2), 30);
    same(torch.kron(tensor([1, 2]), tensor([1, 1])), [1, 1, 2, 2]);
    same(torch.cross(tensor([1, 0, 0]), tensor([0, 1, 0])), [0, 0, 1]);
    same(a.matrixPower(0), [
      [1, 0],
      [0, 1],
    ]);
    same(
      torch.cdist(
        tensor([[0, 0]]),
        tensor([
          [3, 4],
          [0, 0],
        ]),
      ),
      [[5, 0]],
    );
    const rows = torch.arange(78, { dtype: 'float64' }).reshape(26, 3).sin().requiresGrad_();
    const others = rows.detach().narrow(0, 3, 4).mul(2);
    // From 26 rows on by a product: the same to half of the digits.
    const apart = rows.unsqueeze(1).sub(others).square().sum(-1).sqrt();
    expect(torch.cdist(rows, others).sub(apart).abs().max().item()).toBeLessThan(1e-12);
    const exact = torch.cdist(rows, rows, { computeMode: 'donot_use_mm_for_euclid_dist' });
    expect(exact.diagonal().abs().max().item()).toBe(0);
    expect(() => torch.cdist(rows, rows, 2, 'no_mm' as never)).toThrow('not a valid value for compute_mode');
    const itself = torch.cdist(rows, rows);
    expect(itself.diagonal().abs().max().item()).toBeLessThan(1e-7);
    itself.sum().backward();
    expect(rows.grad!.isfinite().all().item()).toBe(true);
    same(torch.cdist(tensor([[0, 0]]), tensor([[3, 4]]), 1), [[7]]);
    same(torch.blockDiag(tensor([[1]]), tensor([2, 3])), [
      [1, 0, 0],
      [0, 2, 3],
    ]);
    const x = tensor([[1, 1]], { requiresGrad: true });
    torch
      .cdist(
        x,
        tensor([
          [1, 1],
          [4, 5],
        ]),
      )
      .sum()
      .backward();
    same(x.grad!, [[Math.fround(-0.6), Math.fround(-0.8)]]);
  });
});
