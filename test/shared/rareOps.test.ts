/** Functional writes into views, slopes and areas, powers, and what dtypes and shapes become: PyTorch's answers. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

const { tensor } = torch;
const { linalg } = torch;
const long = (list: torch.TensorData) => tensor(list, { dtype: 'int64' });
const counted = () => torch.arange(12).reshape(3, 4).float();
const nan = Number.NaN;

function close(x: torch.Tensor, expected: torch.NestedNumbers, dtype = 'float32'): void {
  expect(x.dtype).toBe(dtype);
  const flat = (list: torch.NestedNumbers): number[] => [list].flat(Infinity as 1) as unknown as number[];
  const [got, wanted] = [flat(x.toArray()), flat(expected)];
  expect(got.length).toBe(wanted.length);
  got.forEach((value, i) => {
    if (Number.isFinite(wanted[i]))
      expect(Math.abs(value - wanted[i])).toBeLessThan(1e-4 * Math.max(1, Math.abs(wanted[i])));
    else expect(value).toBe(wanted[i]);
  });
}

describe.each(['cpu', 'reference'])('on %s', (device) => {
  const before = torch.getDefaultDevice();
  beforeEach(() => torch.setDefaultDevice(device));
  afterEach(() => torch.setDefaultDevice(before));

  it('writes into views of copies', () => {
    const x = counted();
    close(torch.selectScatter(x, torch.full([4], 1.5), 0, 1), [
      [0, 1, 2, 3],
      [1.5, 1.5, 1.5, 1.5],
      [8, 9, 10, 11],
    ]);
    expect(torch.selectScatter(x.long(), torch.full([4], 1.7), { dim: 0, index: -2 }).toArray()).toEqual([
      [0, 1, 2, 3],
      [1, 1, 1, 1],
      [8, 9, 10, 11],
    ]);
    close(torch.sliceScatter(x, torch.ones(3, 2), 1, 0, null, 2), [
      [1, 1, 1, 3],
      [1, 5, 1, 7],
      [1, 9, 1, 11],
    ]);
    close(torch.sliceScatter(x, torch.ones(2, 4), { start: 1 }), [
      [0, 1, 2, 3],
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ]);
    close(torch.diagonalScatter(x, torch.zeros(3), 1), [
      [0, 0, 2, 3],
      [4, 5, 0, 7],
      [8, 9, 10, 0],
    ]);
    close(torch.indexPut(x, [long([0, 2]), long([1, 1])], tensor([-1, -2]), true), [
      [0, 0, 2, 3],
      [4, 5, 6, 7],
      [8, 7, 10, 11],
    ]);
    expect(x.equal(counted())).toBe(true);
    expect(() => torch.selectScatter(x, torch.ones(1), 0, 1)).toThrow(
      'select_scatter: expected src to have the size of the slice of input, [4], but got [1]',
    );
    expect(() => torch.selectScatter(x, torch.ones(4), 0, 5)).toThrow(torch.IndexError);
    const source = torch.ones(4, { requiresGrad: true });
    const y = torch.selectScatter(x.requiresGrad_(), source, 0, 1);
    expect(y.gradFn?.name).toBe('SelectScatterBackward0');
    y.mul(counted()).sum().backward();
    expect(source.grad?.toArray()).toEqual([4, 5, 6, 7]);
    expect(x.grad?.toArray()).toEqual([
      [0, 1, 2, 3],
      [0, 0, 0, 0],
      [8, 9, 10, 11],
    ]);
  });

  it('finds slopes and areas', () => {
    const y = tensor([1, 4, 9, 16, 30]);
    const at = tensor([0, 1, 3, 4, 7]);
    close(torch.gradient(y)[0], [3, 4, 6, 10.5, 14]);
    close(torch.gradient(y, { spacing: [at] })[0], [3, 2.8333, 5.5, 6.4167, 4.6667]);
    close(torch.gradient(y, { spacing: [at], edgeOrder: 2 })[0], [3.1667, 2.8333, 5.5, 6.4167, 2.9167]);
    const [rows, columns] = torch.gradient(counted(), { spacing: [2, 3] });
    close(rows, counted().mul(0).add(2).toArray());
    close(columns, counted().mul(0).add(1).div(3).toArray());
    close(torch.gradient(long([0, 1, 4]), { dim: -1 })[0], [1, 2, 3]);
    expect(() => torch.gradient(torch.ones(1))).toThrow(torch.ShapeError);
    expect(() => torch.gradient(counted(), { spacing: [1] })).toThrow(
      'gradient: expected spacing to be a number or a list for 2 dimensions, but got a list of 1',
    );
    expect(() => torch.gradient(y, { spacing: [tensor([1, 2])] })).toThrow(
      'expected the coordinates of dimension 0 to have shape [5], but got [2]',
    );
    expect(() => torch.gradient(y, { edgeOrder: 3 as 2 })).toThrow(torch.ArgumentError);
    close(torch.cumulativeTrapezoid(y, at), [2.5, 15.5, 28, 97]);
    close(torch.cumulativeTrapezoid(counted(), { dx: 2, dim: 0 }), [
      [4, 6, 8, 10],
      [16, 20, 24, 28],
    ]);
    close(torch.cumulativeTrapezoid(long([1, 2, 4])), [1.5, 4.5]);
    expect(torch.cumulativeTrapezoid(torch.ones(2, 0)).shape).toEqual([2, 0]);
    close(torch.trapezoid(y, at), 97);
  });

  it('finds slopes in the order of the dimensions, each at its spacing', () => {
    const x = tensor([
      [1, 2, 4],
      [3, 7, 9],
    ]);
    const [across, down] = torch.gradient(x, { dim: [-1, 0], spacing: [tensor([0, 1, 3]), 2] });
    close(across, [
      [1, 1, 1],
      [4, 3, 1],
    ]);
    close(down, [
      [1, 2.5, 2.5],
      [1, 2.5, 2.5],
    ]);
  });

  it('finds no areas of bools, and of nothing those of the dtype', () => {
    expect(() => torch.trapezoid(tensor([true, true]))).toThrow(
      "trapezoid: argument 'y' must be numeric, but got bool",
    );
    expect(() => torch.cumulativeTrapezoid(tensor([true]))).toThrow(torch.DTypeError);
    const none = torch.zeros([0, 2], { dtype: 'int32' });
    expect(torch.trapezoid(none, { dim: 0 }).dtype).toBe('int32');
    expect(torch.cumulativeTrapezoid(none, { dim: 0 }).dtype).toBe('float32');
  });

  it('refuses quantiles at a matrix, and of nothing', () => {
    expect(() => torch.quantile(torch.ones(3), torch.zeros(1, 1))).toThrow(
      'quantile: q must be a scalar or 1D tensor, but got shape [1, 1]',
    );
    expect(() => torch.nanquantile(torch.ones(0, 3), 0.5, { dim: 1 })).toThrow('must be non-empty');
  });

  it('takes powers and products of vectors of one dtype', () => {
    expect(() => linalg.vander(tensor([true]), 2)).toThrow(torch.DTypeError);
    expect(() => linalg.vecdot(torch.ones(2), torch.ones([2], { dtype: 'float64' }))).toThrow(
      'linalg.vecdot: expected x and y to have the same dtype, but got float32 and float64',
    );
    const double = tensor(1.5, { dtype: 'float64' });
    close(torch.ldexp(double, long([1, 2])), [3, 6], 'float64');
    close(torch.ldexp(double, tensor([-Infinity, Infinity, nan])), [0, Infinity, nan]);
    // In the dtype of both, not of the exponent.
    expect(torch.ldexp(double, tensor(0.5)).item()).toBeCloseTo(1.5 * Math.SQRT2, 14);
  });

  it('raises to powers', () => {
    close(torch.floatPower(long([1, 2]), 2), [1, 4], 'float64');
    close(torch.floatPower(2, long([2, -1])), [4, 0.5], 'float64');
    close(torch.ldexp(tensor([1, 2]), long([2, -1])), [4, 1]);
    close(torch.ldexp(long([3, 4]), long([1, -1])), [6, 2]);
    // 2¹³⁰ is no float32, but what it makes of small numbers is.
    close(torch.ldexp(tensor([1e-30, 1, 1]), long([130, 200, -149])), [1.3611e9, Infinity, 2 ** -149]);
    expect(torch.vander(long([1, 2, 3])).toArray()).toEqual([
      [1, 1, 1],
      [4, 2, 1],
      [9, 3, 1],
    ]);
    close(torch.vander(tensor([2, 3]), { N: 3, increasing: true }), [
      [1, 2, 4],
      [1, 3, 9],
    ]);
    expect(torch.vander(tensor([2, 3]), 0).shape).toEqual([2, 0]);
    expect(torch.vander(tensor([2, 3]), 1).shape).toEqual([2, 1]);
    expect(() => torch.vander(counted())).toThrow('vander: x must be a one-dimensional tensor, but got 2-d');
    expect(linalg.vander(torch.ones(2, 3)).shape).toEqual([2, 3, 3]);
    expect(() => linalg.vander(tensor([2]))).toThrow('linalg.vander: N must be greater than 1, but got 1');
    close(torch.diagflat(tensor([[1], [2]]), 1), [
      [0, 1, 0],
      [0, 0, 2],
      [0, 0, 0],
    ]);
    close(torch.renorm(counted(), 1, 1, 5), [
      [0, 0.3333, 0.5556, 0.7143],
      [1.6667, 1.6667, 1.6667, 1.6667],
      [3.3333, 3, 2.7778, 2.619],
    ]);
    close(torch.renorm(counted(), { p: Infinity, dim: 1, maxnorm: 9 }), [
      [0, 1, 1.8, 2.4545],
      [4, 5, 5.4, 5.7273],
      [8, 9, 9, 9],
    ]);
    expect(() => torch.renorm(torch.ones(3), 1, 0, 5)).toThrow('renorm: input needs at least 2 dimensions');
    expect(() => torch.renorm(counted(), 0, 0, 5)).toThrow('renorm: p must be positive, but got 0');
    expect(() => torch.renorm(counted(), 1, 0, -1)).toThrow('renorm: expected maxnorm to be >= 0 but got -1');
  });

  it('takes quantiles of what is not NaN', () => {
    const x = tensor([
      [1, nan, 3, 4],
      [nan, nan, nan, nan],
      [5, 1, 2, 9],
    ]);
    close(torch.nanquantile(x, tensor([0.5, 0.25]), 1), [
      [3, nan, 3.5],
      [2, nan, 1.75],
    ]);
    close(x.nanquantile(0.4, { interpolation: 'higher' }), 3);
    close(x.nanquantile(0.4, { interpolation: 'lower' }), 2);
    close(x.nanquantile(0.3, { dim: 1, keepdim: true, interpolation: 'midpoint' }), [[2], [nan], [1.5]]);
    close(x.nanquantile(0.3, { dim: 1, interpolation: 'nearest' }), [3, nan, 2]);
    expect(() => x.nanquantile(2)).toThrow('nanquantile() q values must be in the range [0, 1], but got 2');
    const leaf = tensor([3, nan, 1], { requiresGrad: true });
    leaf.nanquantile(0.25).backward();
    close(leaf.grad!, [0.25, 0, 0.75]);
  });

  it('says what shapes, positions and dtypes become', () => {
    const [rows, columns] = torch.unravelIndex(long([5, 11, -1]), [3, 4]);
    expect(rows.toArray()).toEqual([1, 2, 2]);
    expect(columns.toArray()).toEqual([1, 3, 3]);
    expect(() => torch.unravelIndex(tensor([1]), [3, 4])).toThrow(torch.DTypeError);
    expect(torch.broadcastShapes([2, 1], [1, 3], 3)).toEqual([2, 3]);
    expect(torch.broadcastShapes()).toEqual([]);
    expect(() => torch.broadcastShapes([2], [3])).toThrow(torch.ShapeError);
    expect(torch.resultType(tensor([1], { dtype: 'int32' }), 1.5)).toBe('float32');
    expect(torch.resultType(tensor(1, { dtype: 'float64' }), long([1]))).toBe('float64');
    expect(torch.canCast('float32', 'int32')).toBe(false);
    expect(torch.canCast('uint8', 'int8')).toBe(true);
    expect(torch.canCast('int32', 'bool')).toBe(false);
    const x = torch.ones(2, { requiresGrad: true });
    expect(torch.asTensor(x)).toBe(x);
    expect(torch.asTensor(x, { dtype: 'float64' }).requiresGrad).toBe(true);
    expect(torch.asTensor([1, 2], { dtype: 'int64' }).dtype).toBe('int64');
  });

  it('raises e to matrices', () => {
    const turn = tensor([
      [0, -Math.PI / 2],
      [Math.PI / 2, 0],
    ]);
    close(linalg.matrixExp(turn), [
      [0, -1],
      [1, 0],
    ]);
    // e^A·e^−A = 1, through many squarings.
    torch.manualSeed(2);
    const a = torch.randn(3, 5, 5, { dtype: 'float64' }).mul(3);
    const product = linalg.matrixExp(a).matmul(linalg.matrixExp(a.neg()));
    close(product, torch.eye(5).expand(3, 5, 5).toArray(), 'float64');
    close(
      linalg.matrixExp(
        tensor([[1, 2]])
          .t()
          .matmul(tensor([[0, 1]]))
          .mul(5),
      ),
      [
        [1, 11013.2329],
        [0, 22026.4658],
      ],
    );
    expect(linalg.matrixExp(torch.zeros(0, 2, 2)).shape).toEqual([0, 2, 2]);
    expect(linalg.matrixExp(tensor([[Infinity]])).toArray()).toEqual([[nan]]);
    expect(() => linalg.matrixExp(counted())).toThrow(torch.ShapeError);
    close(linalg.vecdot(counted(), torch.ones(4)), [6, 22, 38]);
    close(linalg.vecdot(counted(), torch.ones(3, 1), { dim: 0 }), [12, 15, 18, 21]);
    expect(() => linalg.vecdot(long([1]), long([1]))).toThrow(torch.DTypeError);
  });
});
