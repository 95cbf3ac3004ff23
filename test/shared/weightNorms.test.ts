/** Normalized weights and parametrizations against PyTorch 2.13: losses of three steps, state dicts, and what is left of them. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

const { nn, optim } = torch;
const { utils } = nn;
type Module = torch.nn.Module;

interface Trained {
  losses: number[];
  last: number[];
  keys: string[];
  sums: number[];
}
/** After manualSeed(7), of SGD with lr 0.01 on the sum of squares; then the output in eval mode, and the sums of the state. */
const expected: Record<string, Trained> = {
  weightNormLinear: {
    losses: [1.058487, 0.812302, 0.629471],
    last: [0.3307004, 0.6191015],
    keys: ['bias', 'weight_g', 'weight_v'],
    sums: [-0.262233, 0.613928, -0.372777],
  },
  weightNormConvTranspose2d: {
    losses: [7.201931, 2.415566, 0.991778],
    last: [-0.01266138, -0.02540899, -0.04296216, -0.2556869],
    keys: ['bias', 'weight_g', 'weight_v'],
    sums: [0.212187, 0.61792, -0.215691],
  },
  spectralNormLinear: {
    losses: [8.953648, 1.295374, 0.896794],
    last: [0.7187212, 0.3017699],
    keys: ['bias', 'weight_orig', 'weight_u', 'weight_v'],
    sums: [-0.328503, -0.215415, 1.02764, -0.129111],
  },
  spectralNormConvTranspose2d: {
    losses: [35.045105, 8.062468, 5.402449],
    last: [-0.3016887, -0.06589413, -0.4776458, -1.022704],
    keys: ['bias', 'weight_orig', 'weight_u', 'weight_v'],
    sums: [0.337832, -1.14201, 0.338741, -1.20558],
  },
  pWeightNormLinear: {
    losses: [1.058487, 0.812302, 0.629471],
    last: [0.3307004, 0.6191015],
    keys: ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1'],
    sums: [-0.262233, 0.613928, -0.372777],
  },
  pWeightNormConvTranspose2d: {
    losses: [7.201931, 2.415566, 0.991778],
    last: [-0.01266138, -0.02540899, -0.04296216, -0.2556869],
    keys: ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1'],
    sums: [0.212187, 0.61792, -0.215691],
  },
  pSpectralNormLinear: {
    losses: [4.582286, 4.185325, 3.72634],
    last: [1.380795, 1.153408],
    keys: [
      'bias',
      'parametrizations.weight.original',
      'parametrizations.weight.0._u',
      'parametrizations.weight.0._v',
    ],
    sums: [-0.360978, -0.589813, -1.38869, 0.664899],
  },
  pSpectralNormConvTranspose2d: {
    losses: [23.994894, 6.940919, 3.305878],
    last: [0.02740156, 0.04013342, 0.07147329, -0.08278954],
    keys: [
      'bias',
      'parametrizations.weight.original',
      'parametrizations.weight.0._u',
      'parametrizations.weight.0._v',
    ],
    sums: [0.263428, -0.771825, 1.17833, -0.682651],
  },
};

const forms = {
  weightNorm: utils.weightNorm,
  spectralNorm: utils.spectralNorm,
  pWeightNorm: utils.parametrizations.weightNorm,
  pSpectralNorm: utils.parametrizations.spectralNorm,
};
const layers = {
  Linear: { make: () => new nn.Linear(3, 2), input: () => torch.tensor([[1, -2, 0.5]]) },
  ConvTranspose2d: {
    make: () => new nn.ConvTranspose2d(2, 3, 2),
    input: () => torch.arange(0, 4).float().reshape([1, 2, 2, 1]),
  },
};

function expectNear(got: readonly number[], wanted: readonly number[]): void {
  expect(got.length).toBe(wanted.length);
  got.forEach((x, i) => {
    expect(Math.abs(x - wanted[i])).toBeLessThan(2e-4 * Math.max(1, Math.abs(wanted[i])));
  });
}

describe.each(Object.entries(forms))('%s', (form, normed) => {
  it.each(Object.entries(layers))('trains as in PyTorch: %s', (kind, { make, input }) => {
    const { losses, last, keys, sums } = expected[form + kind];
    torch.manualSeed(7);
    const layer = normed(make() as Module);
    const sgd = new optim.SGD(layer.parameters(), { lr: 0.01 });
    const found = losses.map(() => {
      const loss = (layer.forward(input()) as torch.Tensor).square().sum();
      sgd.zeroGrad();
      loss.backward();
      sgd.step();
      return loss.item();
    });
    expectNear(found, losses);
    layer.eval();
    expectNear(Array.from(layer.forward(input()).flatten().data, Number).slice(0, 4), last);
    const state = layer.stateDict();
    expect(Object.keys(state)).toEqual(keys);
    expectNear(
      Object.values(state).map((x) => x.sum().item()),
      sums,
    );
    // A copy goes on by itself, and the state goes into another layer.
    const copy = layer.deepcopy();
    const other = normed(make() as Module);
    other.eval();
    other.loadStateDict(state);
    const wanted = layer.forward(input());
    torch.noGrad(() => {
      for (const x of layer.parameters()) x.mul_(2);
    });
    for (const same of [copy, other]) expect(torch.equal(same.forward(input()), wanted)).toBe(true);
  });

  it('refuses names that are no parameters', () => {
    expect(() => normed(new nn.Linear(3, 2), 'x')).toThrow("but got 'x', which it does not have");
    expect(() => normed(new nn.Linear(3, 2), { nme: 'x' } as never)).toThrow("no option 'nme'");
  });

  it('keeps vectors and hooks', () => {
    const layer = normed(new nn.Linear(3, 2));
    let calls = 0;
    const handle = layer.registerForwardHook(() => void calls++);
    layer.forward(torch.ones(1, 3));
    handle.remove();
    layer.forward(torch.ones(1, 3));
    expect(calls).toBe(1);
    expect(String(layer)).toContain('in_features=3, out_features=2, bias=True');
  });
});

describe('the older forms', () => {
  it('are removed again', () => {
    for (const [add, remove] of [
      [utils.weightNorm, utils.removeWeightNorm],
      [utils.spectralNorm, utils.removeSpectralNorm],
    ] as const) {
      const layer = new nn.Linear(3, 2);
      expect(() => remove(layer)).toThrow('not found in Linear(in_features=3, out_features=2, bias=True)');
      add(layer);
      expect(String(layer)).toBe('Linear(in_features=3, out_features=2, bias=True)');
      expect(() => add(layer)).toThrow('Cannot register two');
      layer.eval();
      const wanted = layer.forward(torch.ones(1, 3));
      remove(layer);
      expect(layer.weight).toBeInstanceOf(nn.Parameter);
      expect(Object.keys(layer.stateDict()).sort()).toEqual(['bias', 'weight']);
      expect(torch.allclose(layer.forward(torch.ones(1, 3)), wanted)).toBe(true);
      add(layer);
    }
  });

  it('stay in copies, and by other names, when they are removed', () => {
    const x = torch.ones(1, 3);
    for (const [add, remove] of [
      [utils.weightNorm, utils.removeWeightNorm],
      [utils.spectralNorm, utils.removeSpectralNorm],
      [
        utils.parametrizations.weightNorm,
        (layer: torch.nn.Linear) => utils.parametrize.removeParametrizations(layer, 'weight'),
      ],
    ] as const) {
      const layer = add(new nn.Linear(3, 2));
      layer.eval();
      const copy = layer.deepcopy();
      const wanted = copy.forward(x);
      remove(layer);
      expect(torch.equal(copy.forward(x), wanted)).toBe(true);
      remove(copy);
      expect(copy.weight).toBeInstanceOf(nn.Parameter);
    }
    const both = utils.weightNorm(utils.spectralNorm(new nn.Linear(3, 2)), 'bias');
    both.eval();
    const wanted = both.forward(x);
    utils.removeSpectralNorm(both);
    expect(torch.allclose(both.forward(x), wanted)).toBe(true);
    utils.removeWeightNorm(both, 'bias');
    expect(torch.allclose(both.forward(x), wanted)).toBe(true);
    expect(Object.keys(both.stateDict()).sort()).toEqual(['bias', 'weight']);
  });

  it('stand over parametrizations', () => {
    const layer = utils.weightNorm(utils.parametrizations.weightNorm(new nn.Linear(3, 2)), 'bias');
    const wanted = layer.forward(torch.ones(1, 3));
    utils.parametrize.removeParametrizations(layer, 'weight');
    expect(torch.allclose(layer.forward(torch.ones(1, 3)), wanted)).toBe(true);
    expect(Object.keys(layer.stateDict()).sort()).toEqual(['bias_g', 'bias_v', 'weight']);
  });

  it('take lengths over other dimensions, or over all', () => {
    const conv = () => new nn.Conv2d(2, 3, 2);
    const lengths = (dim: number | null) => Reflect.get(utils.weightNorm(conv(), { dim }), 'weight_g').shape;
    expect([lengths(0), lengths(1), lengths(null)]).toEqual([[3, 1, 1, 1], [1, 2, 1, 1], []]);
  });

  it('refuse power iterations of no step', () => {
    expect(() => utils.spectralNorm(new nn.Linear(3, 2), { nPowerIterations: 0 })).toThrow(
      'to be positive, but got n_power_iterations=0',
    );
  });
});

class Symmetric extends nn.Module {
  forward(x: torch.Tensor): torch.Tensor {
    return x.triu().add(x.triu(1).t());
  }
}
class Doubling extends nn.Module {
  forward(x: torch.Tensor): torch.Tensor {
    return x.double();
  }
}
class Doubled extends nn.Module {
  forward(x: torch.Tensor): torch.Tensor {
    return x.mul(2);
  }
  rightInverse(x: torch.Tensor): torch.Tensor {
    return x.div(2);
  }
}

describe('parametrize', () => {
  const { parametrize } = utils;

  it('computes parameters by modules of the user', () => {
    const layer = new nn.Linear(3, 3);
    const original = layer.weight;
    parametrize.registerParametrization(layer, 'weight', new Symmetric());
    expect(torch.equal(layer.weight, layer.weight.t())).toBe(true);
    expect(layer.parameters()).toContain(original);
    parametrize.registerParametrization(layer, 'weight', new Doubled());
    expect(torch.equal(layer.weight.diagonal(), original.diagonal().mul(2))).toBe(true);
    expect(String(layer)).toBe(
      'ParametrizedLinear(\n  in_features=3, out_features=3, bias=True\n  (parametrizations): ModuleDict(\n' +
        '    (weight): ParametrizationList(\n      (0): Symmetric()\n      (1): Doubled()\n    )\n  )\n)',
    );
    expect([parametrize.isParametrized(layer), parametrize.isParametrized(layer, 'bias')]).toEqual([
      true,
      false,
    ]);
    const value = layer.weight;
    parametrize.removeParametrizations(layer, 'weight');
    expect(torch.equal(layer.weight, value)).toBe(true);
    expect([String(layer), parametrize.isParametrized(layer)]).toEqual([
      'Linear(in_features=3, out_features=3, bias=True)',
      false,
    ]);
  });

  it('applies one module twice where it is registered twice, and prints equal ones as one', () => {
    const layer = new nn.Linear(3, 3);
    const original = layer.weight;
    const doubled = new Doubled();
    for (let i = 0; i < 3; i++) parametrize.registerParametrization(layer, 'weight', doubled);
    expect(torch.equal(layer.weight, original.mul(4))).toBe(true);
    expect(String(layer.deepcopy())).toContain(
      '(weight): ParametrizationList(\n      (0-2): 3 x Doubled()\n    )',
    );
  });

  it('takes values that are assigned, through the right inverse', () => {
    const layer = parametrize.registerParametrization(new nn.Linear(2, 2), 'weight', new Doubled());
    Reflect.set(layer, 'weight', torch.ones(2, 2));
    expect(layer.weight.tolist()).toEqual([
      [1, 1],
      [1, 1],
    ]);
    parametrize.removeParametrizations(layer, 'weight', { leaveParametrized: false });
    expect(layer.weight.tolist()).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
  });

  it('refuses values that the originals cannot give', () => {
    const layer = parametrize.registerParametrization(new nn.Linear(2, 2), 'weight', new Symmetric());
    expect(() => Reflect.set(layer, 'weight', torch.ones(2, 2))).toThrow(
      'Symmetric does not implement rightInverse',
    );
    const normed = utils.parametrizations.weightNorm(new nn.Linear(2, 2));
    expect(() => Reflect.set(normed, 'weight', torch.ones(1, 2))).toThrow('expected [2, 1], but got [1, 1]');
  });

  it('lets unsafe ones change shape and dtype', () => {
    const layer = parametrize.registerParametrization(new nn.Linear(2, 2), 'weight', new nn.Flatten(0), {
      unsafe: true,
    });
    expect(layer.weight.shape).toEqual([4]);
    parametrize.registerParametrization(layer, 'weight', new Doubling(), true);
    expect(layer.weight.dtype).toBe('float64');
  });

  it('refuses what there is not, and what cannot be', () => {
    const layer = new nn.Linear(2, 2);
    expect(() => parametrize.registerParametrization(layer, 'weight', new nn.Flatten(0))).toThrow(
      'may not change the shape of the tensor: expected [2, 2], but got [4]',
    );
    expect(() => parametrize.registerParametrization(layer, 'weight', new Doubling())).toThrow(
      'may not change the dtype of the tensor: expected float32, but got float64',
    );
    expect(String(layer)).toBe('Linear(in_features=2, out_features=2, bias=True)');
    expect(() => parametrize.removeParametrizations(layer, 'weight')).toThrow("but got 'weight'");
    expect(() => parametrize.registerParametrization(layer, 'x', new Doubled())).toThrow("but got 'x'");
  });
});
