/** `gridSample` and `affineGrid` against PyTorch's answers (test/fixtures/functional). */
import { beforeAll, describe, expect, it } from 'vitest';
import { gradcheck, gradgradcheck } from '../../src/gradcheck.ts';
import * as torch from '../../src/index.ts';
import { expectCases, type FunctionalCase, loadCases } from '../support/functionalCases.ts';

const { nn, zeros } = torch;
const F = nn.functional;
const untyped = (x: unknown) => x as never;
let cases: Record<string, FunctionalCase[]>;
beforeAll(async () => {
  cases = await loadCases();
});

describe('gridSample', () => {
  it('gives PyTorch’s numbers and gradients in every mode, with every padding', () => {
    expectCases('grid_sample', cases.grid_sample, 2e-5);
  });

  it('takes arguments by position, by name, and both', () => {
    const [image, grid] = [torch.rand(1, 2, 4, 5), torch.rand(1, 3, 3, 2)];
    const wanted = F.gridSample(image, grid, 'nearest', 'border', true);
    expect(wanted.isContiguous()).toBe(true);
    const settings = { paddingMode: 'border', alignCorners: true } as const;
    for (const same of [
      F.gridSample(image, { grid, mode: 'nearest', ...settings }),
      F.gridSample(image, grid, { mode: 'nearest', ...settings }),
      F.gridSample(image, grid, 'nearest', settings),
    ])
      expect(torch.equal(same, wanted)).toBe(true);
  });

  it('has second derivatives', () => {
    const image = torch.linspace(-1, 2, 12, { dtype: 'float64' }).sin().reshape([1, 1, 3, 4]);
    const grid = torch.tensor([-0.7, 0.2, 0.4, 0.55, 1.3, -0.31], { dtype: 'float64' }).reshape([1, 1, 3, 2]);
    const leaves = [image.clone().requiresGrad_(), grid.requiresGrad_()];
    for (const mode of ['bilinear', 'bicubic'] as const) {
      const sampled = (x: torch.Tensor, at: torch.Tensor) =>
        F.gridSample(x, at, { mode, paddingMode: 'reflection' });
      expect(gradcheck(sampled, leaves)).toBe(true);
      expect(gradgradcheck(sampled, leaves)).toBe(true);
    }
  });

  it('reads what PyTorch reads at NaN', () => {
    const image = torch.arange(1, 5, { dtype: 'float32' }).reshape(1, 1, 2, 2);
    const grid = torch.tensor([[[[Number.NaN, -1]]]]);
    const read = (mode: 'nearest' | 'bilinear' | 'bicubic', alignCorners = true) =>
      (['zeros', 'border', 'reflection'] as const).map((paddingMode) =>
        F.gridSample(image, grid, { mode, paddingMode, alignCorners }).item(),
      );
    expect(read('nearest')).toEqual([0, 1, 1]);
    expect(read('bilinear')).toEqual([Number.NaN, 1, 1]);
    expect(read('bilinear', false)).toEqual([Number.NaN, 1, 1]);
    expect(read('bicubic')).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    const pixel = F.gridSample(torch.ones(1, 1, 1, 1), grid, {
      paddingMode: 'reflection',
      alignCorners: true,
    });
    expect(pixel.item()).toBe(1);
  });

  it.each<[string, () => unknown, string]>([
    [
      'ranks',
      () => F.gridSample(zeros(1, 1, 3, 3), zeros(1, 2, 2)),
      'same number of dimensions, but got input with sizes [1, 1, 3, 3] and grid with sizes [1, 2, 2]',
    ],
    ['batches', () => F.gridSample(zeros(1, 1, 3, 3), zeros(2, 2, 2, 2)), 'same batch size, but got'],
    [
      'coordinates',
      () => F.gridSample(zeros(1, 1, 3, 3), zeros(1, 2, 2, 3)),
      'expected grid to have size 2 in last dimension',
    ],
    ['no pixels', () => F.gridSample(zeros(1, 1, 0, 3), zeros(1, 2, 2, 2)), 'with dimension 2 being empty'],
    [
      'dtypes',
      () => F.gridSample(zeros(1, 1, 3, 3), zeros(1, 2, 2, 2).double()),
      'input has float32 and grid has float64',
    ],
    [
      'integers',
      () => F.gridSample(zeros(1, 1, 3, 3).long(), zeros(1, 2, 2, 2).long()),
      "not implemented for 'Long'",
    ],
    [
      'bicubic volumes',
      () => F.gridSample(zeros(1, 1, 3, 3, 3), zeros(1, 2, 2, 2, 3), 'bicubic'),
      'only supports 4D input',
    ],
    [
      'a mode',
      () => F.gridSample(zeros(1, 1, 3, 3), zeros(1, 2, 2, 2), untyped('x')),
      "'nearest' or 'bicubic', but got: 'x'",
    ],
    [
      'a padding',
      () => F.gridSample(zeros(1, 1, 3, 3), zeros(1, 2, 2, 2), 'nearest', untyped('x')),
      "or 'reflection', but got: 'x'",
    ],
    [
      'a name',
      () => F.gridSample(zeros(1, 1, 3, 3), zeros(1, 2, 2, 2), untyped({ padingMode: 'x' })),
      "no option 'padingMode'; is paddingMode meant?",
    ],
  ])('refuses wrong %s', (_what, call, message) => {
    expect(call).toThrow(message);
  });
});

describe('affineGrid', () => {
  it('gives PyTorch’s numbers and gradients', () => {
    expectCases('affine_grid', cases.affine_grid);
  });

  it('turned by nothing gives the image back', () => {
    const image = torch.rand(1, 2, 3, 5);
    const same = torch.tensor([
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
    ]);
    for (const alignCorners of [true, false]) {
      const grid = F.affineGrid(same, image.shape, { alignCorners });
      expect(torch.allclose(F.gridSample(image, grid, { alignCorners }), image, { atol: 1e-5 })).toBe(true);
    }
  });

  it.each<[string, () => unknown, string]>([
    ['sizes', () => F.affineGrid(zeros(1, 2, 3), [1, 1, 3]), 'only supports 4D and 5D sizes'],
    [
      'no pixels',
      () => F.affineGrid(zeros(1, 2, 3), [1, 1, 0, 3]),
      'Expected non-zero, positive output size, but got [1, 1, 0, 3]',
    ],
    [
      'matrices',
      () => F.affineGrid(zeros(2, 3, 4), [2, 1, 3, 3]),
      'shape Nx2x3 for size [2, 1, 3, 3], with N = 2, but got [2, 3, 4]',
    ],
    ['batches', () => F.affineGrid(zeros(2, 2, 3), [1, 1, 3, 3]), 'with N = 1, but got [2, 2, 3]'],
    ['dtypes', () => F.affineGrid(zeros(1, 2, 3).long(), [1, 1, 3, 3]), 'int64'],
  ])('refuses wrong %s', (_what, call, message) => {
    expect(call).toThrow(message);
  });
});
