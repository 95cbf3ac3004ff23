/** Ops that no kernel has for a dtype: they walk memory as it lies, or row by row, and give the same either way. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

const F = torch.nn.functional;
const dtypes = ['float32', 'float64', 'int64', 'uint8', 'int16', 'bool'] as const;

/** [4, 6] of small numbers, zeros and the like, in several layouts. */
function layouts(dtype: torch.DType): torch.Tensor[] {
  const values = torch
    .arange(0, 48)
    .mul(5)
    .remainder(17)
    .sub(dtype === 'uint8' ? 0 : 8);
  const all = values.to(dtype);
  return [
    all.narrow(0, 0, 24).reshape([4, 6]),
    all.narrow(0, 3, 24).reshape([6, 4]).t(),
    all.reshape([2, 6, 4]).select(0, 1).t(),
    all.asStrided([4, 6], [12, 2], 1),
    all.narrow(0, 0, 6).expand([4, 6]),
    all.narrow(0, 0, 4).unsqueeze(1).expand([4, 6]),
  ];
}
const rowMajor = (x: torch.Tensor) =>
  x
    .clone()
    .contiguous()
    .add(x.dtype === 'bool' ? false : 0)
    .to(x.dtype);

describe('loops of the host', () => {
  const unary: [string, (x: torch.Tensor) => torch.Tensor][] = [
    ['ceil', torch.ceil],
    ['abs', torch.abs],
    ['sign', torch.sign],
    ['signbit', torch.signbit],
    ['logicalNot', torch.logicalNot],
    ['softshrink', (x) => F.softshrink(x.to(x.isFloatingPoint() ? x.dtype : 'float32'))],
  ];
  const binary: [string, (x: torch.Tensor, y: torch.Tensor) => torch.Tensor][] = [
    ['add', torch.add],
    ['mul', torch.mul],
    ['maximum', torch.maximum],
    ['fmin', torch.fmin],
    ['logicalXor', torch.logicalXor],
    ['copysign', torch.copysign],
    ['eq', torch.eq],
  ];

  for (const dtype of dtypes) {
    it(`give for ${dtype} in any layout what they give for rows`, () => {
      for (const x of layouts(dtype)) {
        for (const [name, f] of unary) {
          if (dtype === 'bool' && /ceil|abs|sign$/.test(name)) continue;
          expect(f(x).tolist(), name).toEqual(f(rowMajor(x)).tolist());
        }
        for (const y of layouts(dtype))
          for (const [name, f] of binary)
            expect(f(x, y).tolist(), name).toEqual(f(rowMajor(x), rowMajor(y)).tolist());
      }
    });
  }

  it('change transposed tensors in place', () => {
    for (const dtype of ['uint8', 'int16', 'float64'] as const) {
      const square = () => torch.arange(0, 16).to(dtype).reshape([4, 4]);
      const expected = square().t().contiguous().add(square()).tolist();
      const x = square();
      x.t().add_(x.clone());
      expect(x.t().tolist()).toEqual(expected);
    }
  });

  it('wrap whole numbers, and take NaN for true', () => {
    const x = torch.tensor([250, 100, 7, 3], { dtype: 'uint8' }).reshape([2, 2]);
    expect(x.mul(3).tolist()).toEqual([
      [238, 44],
      [21, 9],
    ]);
    expect(x.t().mul(3).tolist()).toEqual([
      [238, 21],
      [44, 9],
    ]);
    const y = torch.tensor([Number.NaN, 0, 0.5, -1]);
    expect(y.to('bool').tolist()).toEqual([true, false, true, true]);
    expect(torch.logicalNot(y.to('float64')).tolist()).toEqual([false, true, false, false]);
  });

  it('find whether all elements are equal', () => {
    const x = torch.arange(0, 1000);
    expect(torch.equal(x, x.clone())).toBe(true);
    expect(torch.equal(x, x.clone().indexFill(0, torch.tensor([999], { dtype: 'int64' }), 0))).toBe(false);
    expect(torch.equal(torch.zeros([0, 3]), torch.zeros([0, 3]))).toBe(true);
    expect(torch.allclose(torch.ones(3, 4).t(), torch.ones(4, 3))).toBe(true);
    expect(torch.allclose(torch.tensor([Number.NaN]), torch.tensor([Number.NaN]))).toBe(false);
  });
});
