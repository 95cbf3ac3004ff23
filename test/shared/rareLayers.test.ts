/** Rarer losses and layers against PyTorch 2.13: several right classes, very many classes, pools of volumes. */
import { beforeAll, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { expectCases, type FunctionalCase, loadCases } from '../support/functionalCases.ts';

const { nn, zeros } = torch;
const F = nn.functional;
const untyped = (x: unknown) => x as never;
const whole = (...list: number[]) => torch.tensor(list, { dtype: 'int64' });
let cases: Record<string, FunctionalCase[]>;
beforeAll(async () => {
  cases = await loadCases();
});

describe('multilabelMarginLoss', () => {
  it('gives PyTorch’s numbers and gradients', () => {
    expectCases('multilabel_margin_loss', cases.multilabel_margin_loss);
  });

  it('is a module, too', () => {
    const [x, y] = [torch.rand(2, 3), whole(0, 1, -1, 2, -1, -1).reshape(2, 3)];
    const layer = new nn.MultiLabelMarginLoss({ reduction: 'sum' });
    expect(layer.forward(x, y).item()).toBe(F.multilabelMarginLoss(x, y, { reduction: 'sum' }).item());
    expect(() => new nn.MultiLabelMarginLoss({ reduction: untyped('x') })).toThrow('x is not a valid value');
  });

  it.each<[string, () => unknown, string]>([
    ['shapes', () => F.multilabelMarginLoss(zeros(2, 3), zeros(2, 2).long()), 'inconsistent target size'],
    [
      'classes',
      () => F.multilabelMarginLoss(zeros(3), whole(0, 1, 3)),
      "'target' is out of range: expected classes in [0, 3), or -1 behind the last, but got 3",
    ],
    ['negative classes', () => F.multilabelMarginLoss(zeros(3), whole(0, 1, -2)), 'but got -2'],
    ['ranks', () => F.multilabelMarginLoss(zeros(2, 2, 3), zeros(2, 2, 3).long()), 'but got: [2, 2, 3]'],
    ['dtypes', () => F.multilabelMarginLoss(zeros(3), zeros(3)), 'of dtype int64, but got float32'],
  ])('refuses wrong %s', (_what, call, message) => {
    expect(call).toThrow(message);
  });
});

describe('multiMarginLoss', () => {
  it('takes a single score, and none beside the classes', () => {
    expect(F.multiMarginLoss(torch.tensor(1), torch.tensor(0, { dtype: 'int64' })).item()).toBe(0);
    const cubes = () => F.multiMarginLoss(zeros(2, 2, 3), whole(0, 1, 2, 0));
    expect(cubes).toThrow('multi_margin_loss: Expected non-empty vector or matrix');
    const weighted = () => F.multiMarginLoss(zeros(2, 3), whole(0, 1), { weight: torch.ones(2) });
    expect(weighted).toThrow('inconsistent weight size, expected [3] but got [2]');
  });
});

describe('pools of volumes', () => {
  it('lpPool3d gives PyTorch’s numbers and gradients', () => {
    expectCases('lp_pool3d', cases.lp_pool3d, 1e-5);
    const x = torch.rand(1, 2, 4, 4, 4);
    const layer = new nn.LPPool3d(2, 3, { stride: 1 });
    expect(torch.equal(layer.forward(x), F.lpPool3d(x, 2, 3, 1))).toBe(true);
  });

  it('MaxUnpool3d puts back what MaxPool3d took', () => {
    const x = torch.rand(1, 2, 4, 4, 4);
    const [values, indices] = F.maxPool3d(x, 2, { returnIndices: true });
    const back = new nn.MaxUnpool3d(2).forward(values, indices);
    expect(torch.equal(back, F.maxUnpool3d(values, indices, 2))).toBe(true);
    expect(back.sum().item()).toBeCloseTo(values.sum().item(), 4);
  });
});

describe('AdaptiveLogSoftmaxWithLoss', () => {
  /** After manualSeed(7), of sin(1.7·i): outputs, sums of gradients, and which weights get none where all targets are frequent. */
  const expected = {
    output: [-1.645775, -2.788027, -1.899638, -2.838269, -3.007596],
    loss: 2.435861110687256,
    gradient: [0.09577405, -0.04077115, -0.04860223, -0.08843081, 0.1083626],
    weights: [3.19178, 0.412608, 1.01676, 0.566628, 1.25481, 0.386104],
    logProb: [
      -7.652555, -10.03144, -9.565551, -12.46592, -12.89668, -12.56995, -14.66225, -14.16267, -13.73753,
      -13.74461,
    ],
    predict: [1, 0, 0, 0, 0],
    keys: [
      'head.weight',
      'head.bias',
      'tail.0.0.weight',
      'tail.0.1.weight',
      'tail.1.0.weight',
      'tail.1.1.weight',
    ],
  };
  const without = [false, false, true, true, true, true];
  const layer = () => new nn.AdaptiveLogSoftmaxWithLoss(8, 10, [3, 6], { divValue: 2, headBias: true });
  const near = (got: readonly number[], wanted: readonly number[]) => {
    expect(got.length).toBe(wanted.length);
    got.forEach((x, i) => {
      expect(Math.abs(x - wanted[i])).toBeLessThan(1e-5 * Math.max(1, Math.abs(wanted[i])));
    });
  };
  const listOf = (x: torch.Tensor) => Array.from(x.data, Number);

  it('gives PyTorch’s numbers and gradients', () => {
    torch.manualSeed(7);
    const model = layer();
    const x = torch.arange(0, 40).float().mul(1.7).sin().reshape(5, 8).requiresGrad_();
    const { output, loss } = model.forward(x, whole(0, 7, 2, 4, 9));
    loss.backward();
    expect(Object.keys(model.stateDict())).toEqual(expected.keys);
    near(listOf(output), expected.output);
    near([loss.item()], [expected.loss]);
    near(listOf((x.grad as torch.Tensor).sum(1)), expected.gradient);
    near(
      model.parameters().map((p) => (p.grad as torch.Tensor).abs().sum().item()),
      expected.weights,
    );
    near(listOf(model.logProb(x).sum(0)), expected.logProb);
    expect(listOf(model.predict(x))).toEqual(expected.predict);
    expect(model.forward(x.index(1), torch.tensor(7, { dtype: 'int64' })).output.item()).toBeCloseTo(
      expected.output[1],
      5,
    );
    model.zeroGrad();
    model.forward(x, whole(0, 1, 2, 0, 1)).loss.backward();
    expect(model.parameters().map((p) => p.grad === null)).toEqual(without);
  });

  it.each<[string, () => unknown, string]>([
    ['equal cutoffs', () => new nn.AdaptiveLogSoftmaxWithLoss(8, 10, [3, 3]), 'but got [3, 3]'],
    ['no cutoffs', () => new nn.AdaptiveLogSoftmaxWithLoss(8, 10, []), 'cutoffs should be a sequence'],
    [
      'large cutoffs',
      () => new nn.AdaptiveLogSoftmaxWithLoss({ inFeatures: 8, nClasses: 10, cutoffs: [3, 10] }),
      'between 1 and n_classes-1, 9, but got [3, 10]',
    ],
    ['batches', () => layer().forward(zeros(4, 8), whole(0, 1, 2)), 'same size in the batch dimension'],
    ['targets', () => layer().forward(zeros(2, 8), whole(0, 10)), 'should be in [0, 9], but got 10'],
    ['fractions', () => layer().forward(zeros(2, 8), zeros(2)), 'of dtype int64, but got float32'],
  ])('refuses %s', (_what, call, message) => {
    expect(call).toThrow(message);
  });
});

describe('by other names', () => {
  it('pdist is that of torch', () => {
    const x = torch.rand(4, 3);
    expect(torch.equal(F.pdist(x, 1), torch.pdist(x, 1))).toBe(true);
  });

  it('clipGradsWithNorm_ is the second half of clipGradNorm_', () => {
    const make = () => {
      const x = torch.tensor([3, 4]).requiresGrad_();
      x.square().sum().backward();
      return x;
    };
    const [a, b] = [make(), make()];
    const total = nn.utils.getTotalNorm([a.grad as torch.Tensor]);
    nn.utils.clipGradsWithNorm_([a], 1, total);
    nn.utils.clipGradNorm_([b], { maxNorm: 1 });
    expect((a.grad as torch.Tensor).tolist()).toEqual((b.grad as torch.Tensor).tolist());
    expect(() => nn.utils.clipGradsWithNorm_([a], 1, 10 as never)).toThrow("'totalNorm' must be a Tensor");
  });
});
