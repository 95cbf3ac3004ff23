/** Batch norms merged into the layers before them: the same outputs as one after the other, and what is refused. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

const { nn } = torch;
const { fuseConvBnEval, fuseLinearBnEval } = nn.utils;

/** A batch norm that has seen something. */
function seasoned<N extends torch.nn.BatchNorm1d | torch.nn.BatchNorm2d>(norm: N): N {
  torch.noGrad(() => {
    norm.weight?.uniform_(0.5, 2);
    norm.bias?.normal_();
    norm.running_mean?.normal_();
    norm.running_var?.uniform_(0.5, 2);
  });
  norm.eval();
  return norm;
}
const apart = (a: torch.Tensor, b: torch.Tensor) => a.sub(b).abs().max().item();

describe('fusion', () => {
  it('keeps what layers and norms give in evaluation', () => {
    torch.manualSeed(0);
    const x = torch.randn(2, 4, 6, 5);
    const norm = seasoned(new nn.BatchNorm2d(6));
    const bare = seasoned(new nn.BatchNorm2d(6, { affine: false }));
    const conv = new nn.Conv2d(4, 6, 3, { groups: 2, padding: 1 }).eval();
    const unbiased = new nn.Conv2d(4, 6, 3, { bias: false }).eval();
    for (const [layer, bn] of [
      [conv, norm],
      [unbiased, bare],
      [unbiased, norm],
    ] as const) {
      const before = layer.weight.clone();
      const one = fuseConvBnEval(layer, bn);
      expect(one).toBeInstanceOf(nn.Conv2d);
      expect(apart(one.forward(x), bn.forward(layer.forward(x)))).toBeLessThan(1e-5);
      expect(layer.weight.equal(before)).toBe(true);
      expect(one.parameters().length).toBe(2);
    }
    const up = new nn.ConvTranspose2d(4, 6, 3, { groups: 2, stride: 2 }).eval();
    expect(apart(fuseConvBnEval(up, norm, true).forward(x), norm.forward(up.forward(x)))).toBeLessThan(1e-5);
    const linear = new nn.Linear(4, 6).eval();
    linear.bias!.requiresGrad_(false);
    const rows = torch.randn(5, 4);
    const after = seasoned(new nn.BatchNorm1d(6));
    const one = fuseLinearBnEval(linear, after);
    expect(apart(one.forward(rows), after.forward(linear.forward(rows)))).toBeLessThan(1e-5);
    expect([one.weight.requiresGrad, one.bias?.requiresGrad]).toEqual([true, false]);
  });

  it('refuses layers that train or do not belong together', () => {
    const conv = new nn.Conv2d(2, 3, 1).eval();
    const norm = new nn.BatchNorm2d(3).eval();
    expect(() => fuseConvBnEval(conv, new nn.BatchNorm2d(3))).toThrow('Fusion only for eval!');
    expect(() => fuseConvBnEval(conv, new nn.BatchNorm2d(2).eval())).toThrow(torch.ShapeError);
    expect(() => fuseConvBnEval(conv, norm, { transpose: true })).toThrow(
      'transpose must be false for a Conv2d',
    );
    expect(() => fuseConvBnEval(conv, new nn.BatchNorm2d(3, { trackRunningStats: false }).eval())).toThrow(
      'the batch norm has no running statistics',
    );
    expect(() => fuseConvBnEval(new nn.Linear(2, 3) as never, norm)).toThrow(
      "argument 'conv' must be a convolution",
    );
    expect(() => fuseLinearBnEval(new nn.Linear(2, 3).eval(), conv as never)).toThrow(
      "argument 'bn' must be a batch norm",
    );
  });
});
