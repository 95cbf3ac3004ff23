/** Lazy modules: layers that learn a size from their first input. Numbers and texts are PyTorch 2.13's. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { nn, optim } from '../../src/index.ts';
import { toBlob } from '../../src/io/index.ts';

type Layer = torch.nn.Module & { weight: nn.Parameter | null; bias: nn.Parameter | null };
/** A lazy layer, the layer that it becomes, and an input for it. */
const LAYERS: [name: string, lazy: () => Layer, whole: () => Layer, shape: number[]][] = [
  ['Linear', () => new nn.LazyLinear(3), () => new nn.Linear(5, 3), [2, 4, 5]],
  ['Conv1d', () => new nn.LazyConv1d(4, 3, { groups: 2 }), () => new nn.Conv1d(6, 4, 3, { groups: 2 }), [2, 6, 5]],
  ['Conv2d', () => new nn.LazyConv2d(4, [3, 2], 2), () => new nn.Conv2d(6, 4, [3, 2], 2), [6, 5, 5]],
  ['Conv3d', () => new nn.LazyConv3d({ outChannels: 4, kernelSize: 2 }), () => new nn.Conv3d(3, 4, 2), [1, 3, 2, 3, 4]],
  ['ConvTranspose1d', () => new nn.LazyConvTranspose1d(4, 3, { groups: 2 }), () => new nn.ConvTranspose1d(6, 4, 3, { groups: 2 }), [2, 6, 5]],
  ['ConvTranspose2d', () => new nn.LazyConvTranspose2d(4, 3, { bias: false }), () => new nn.ConvTranspose2d(2, 4, 3, { bias: false }), [1, 2, 3, 3]],
  ['ConvTranspose3d', () => new nn.LazyConvTranspose3d(4, 2), () => new nn.ConvTranspose3d(2, 4, 2), [2, 3, 3, 3]],
  ['BatchNorm1d', () => new nn.LazyBatchNorm1d(), () => new nn.BatchNorm1d(6), [4, 6]],
  ['BatchNorm2d', () => new nn.LazyBatchNorm2d({ momentum: 0.3 }), () => new nn.BatchNorm2d(6, { momentum: 0.3 }), [4, 6, 2, 2]],
  ['BatchNorm3d', () => new nn.LazyBatchNorm3d(1e-3, null, false), () => new nn.BatchNorm3d(6, 1e-3, null, false), [4, 6, 2, 2, 2]],
  ['InstanceNorm1d', () => new nn.LazyInstanceNorm1d(), () => new nn.InstanceNorm1d(6, { affine: true, trackRunningStats: true }), [4, 6, 3]],
  ['InstanceNorm2d', () => new nn.LazyInstanceNorm2d({ affine: false }), () => new nn.InstanceNorm2d(6, { trackRunningStats: true }), [6, 3, 3]],
  ['InstanceNorm3d', () => new nn.LazyInstanceNorm3d({ affine: false, trackRunningStats: false }), () => new nn.InstanceNorm3d(6), [2, 6, 3, 3, 3]],
]; // biome-ignore format: a table

describe.each(LAYERS)('Lazy%s', (name, lazy, whole, shape) => {
  it('becomes the layer at its first input, with what is drawn then', () => {
    const layer = lazy();
    const x = torch.rand(shape);
    torch.manualSeed(3);
    const wanted = whole();
    const after = torch.rand(1).item();
    torch.manualSeed(3);
    const result = layer.call(x) as torch.Tensor;
    expect(torch.rand(1).item()).toBe(after);
    expect(layer.constructor).toBe(wanted.constructor);
    expect(String(layer)).toBe(String(wanted));
    expect(torch.equal(result, wanted.call(x) as torch.Tensor)).toBe(true);
    const [got, state] = [layer.stateDict(), wanted.stateDict()];
    expect(Object.keys(got)).toEqual(Object.keys(state));
    for (const key in state) expect(torch.equal(got[key], state[key]), key).toBe(true);
    for (const [key, { array }] of wanted.namedParameters())
      expect(layer.getParameter(key).stride()).toEqual(array.strides);
  });

  it('is one before, as far as anybody asks, and draws nothing', () => {
    torch.manualSeed(3);
    const next = torch.rand(1).item();
    torch.manualSeed(3);
    const layer = lazy();
    expect(torch.rand(1).item()).toBe(next);
    expect(layer).toBeInstanceOf(whole().constructor);
    expect(layer.constructor.name).toBe(`Lazy${name}`);
    expect(String(layer)).toMatch(
      name === 'Linear' ? 'LazyLinear(in_features=0, out_features=3, bias=True)' : `Lazy${name}(0, `,
    );
    const keys = (m: Layer) => Object.keys(m.stateDict());
    expect(keys(layer)).toEqual(keys(whole()));
    expect(layer.parameters().length).toBe(whole().parameters().length);
  });

  it('is made whole by a state, and copied before and after', () => {
    const source = whole();
    const layer = lazy();
    const copy = layer.deepcopy();
    expect(layer.loadStateDict(source.stateDict()).missingKeys).toEqual([]);
    const other = layer.deepcopy();
    const x = torch.rand(shape);
    const wanted = source.call(x) as torch.Tensor;
    for (const each of [layer, other]) {
      expect(torch.allclose(each.call(x) as torch.Tensor, wanted)).toBe(true);
      expect(each.constructor).toBe(source.constructor);
      expect(String(each)).toBe(String(source));
    }
    copy.call(x);
    expect(copy.constructor).toBe(source.constructor);
    expect(copy.weight === null || copy.weight !== layer.weight).toBe(true);
  });
});

describe('lazy modules', () => {
  it('train as PyTorch’s', () => {
    torch.manualSeed(5);
    const net = new nn.Sequential(
      new nn.LazyConv1d(3, 2),
      new nn.LazyBatchNorm1d(),
      new nn.ReLU(),
      new nn.LazyConvTranspose1d(2, 2, { stride: 2 }),
      new nn.Flatten(),
      new nn.Linear(12, 4),
      new nn.LazyLinear(2),
    );
    // The parameters stay the same objects.
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.5 });
    const x = torch.rand(4, 2, 4);
    const losses = Array.from({ length: 3 }, () => {
      const loss = net.forward(x).square().mean();
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.item();
    });
    [0.09464767575263977, 0.03295660763978958, 0.008455314673483372].forEach((loss, i) => {
      expect(losses[i]).toBeCloseTo(loss, 6);
    });
  });

  it('keep device, dtype and whether they train', () => {
    const layer = new nn.LazyBatchNorm1d().to('float64');
    layer.weight?.requiresGrad_(false);
    const x = torch.rand(2, 3, { dtype: 'float64' });
    expect(layer.forward(x).dtype).toBe('float64');
    const state = layer.stateDict();
    expect([state.running_var.dtype, state.num_batches_tracked.dtype]).toEqual(['float64', 'int64']);
    expect([layer.weight?.requiresGrad, layer.bias?.requiresGrad]).toEqual([false, true]);
    const made = new nn.LazyLinear(2, { dtype: 'float64', bias: false });
    made.forward(x);
    expect([made.weight.dtype, made.bias]).toEqual(['float64', null]);
  });

  it('are moved without blocking, too', async () => {
    const layer = await new nn.LazyLinear(2).toAsync('float64');
    expect([layer.weight.dtype, String(layer.weight)]).toEqual(['float64', '<UninitializedParameter>']);
  });

  it('load states that have no shapes, and show them', () => {
    const [layer, other] = [new nn.LazyBatchNorm1d(), new nn.LazyBatchNorm1d()];
    expect(String(layer.loadStateDict(other.stateDict()))).toBe('<All keys matched successfully>');
    expect(layer.hasUninitializedParams()).toBe(true);
    expect(String(layer.stateDict().weight)).toBe('<UninitializedParameter>');
    expect(String(layer.stateDict().running_var)).toBe('<UninitializedBuffer>');
  });

  it('may be subclassed, and stay what they are then', () => {
    class Positive extends nn.LazyLinear {
      override forward(x: torch.Tensor): torch.Tensor {
        return super.forward(x).relu();
      }
    }
    const layer = new Positive(3);
    for (let i = 0; i < 2; i++)
      expect(layer.forward(torch.randn(4, 2)).min().item()).toBeGreaterThanOrEqual(0);
    expect(String(layer)).toBe('Positive(in_features=2, out_features=3, bias=True)');
    expect([layer.constructor, layer.hasUninitializedParams()]).toEqual([Positive, false]);
  });

  it('call hooks from the first input on, and are summed up', () => {
    const layer = new nn.LazyLinear(3);
    const called: string[] = [];
    layer.registerForwardHook((module) => void called.push(module.constructor.name));
    layer.forward(torch.ones(1, 2));
    layer.forward(torch.ones(1, 2));
    expect(called).toEqual(['Linear', 'Linear']);
    const net = new nn.Sequential(new nn.LazyLinear(3), new nn.LazyLinear(1));
    expect(nn.summary(net, [4, 7]).totalParameters).toBe(28);
  });

  const lazy = () => new nn.LazyLinear(3);
  const sizeless = "uninitialized parameter or buffer: Can't access its shape or values. Call `forward`";
  it.each<[string, () => unknown, string]>([
    ['a shape', () => lazy().weight.shape, sizeless],
    ['a count', () => lazy().weight.numel(), sizeless],
    ['an op', () => lazy().weight.add(1), sizeless],
    ['values', () => lazy().weight.data, sizeless],
    ['a vector of all', () => nn.utils.parametersToVector(lazy().parameters()), sizeless],
    ['initial values', () => nn.init.zeros_(lazy().weight), sizeless],
    ['weights of a layer', () => new nn.Linear(2, 3).loadStateDict(lazy().stateDict()), sizeless],
    ['a dtype of whole numbers', () => lazy().to('int64'), 'only accepts floating point dtypes'],
    ['an input of no dimension', () => lazy().forward(torch.tensor(1)), 'LazyLinear: expected at least 1D input, but got shape []'],
    ['another rank', () => new nn.LazyConv2d(4, 3).forward(torch.ones(5, 5)), 'LazyConv2d: expected 3D or 4D input, but got shape [5, 5]'],
    ['nothing', () => lazy().forward(undefined as never), "LazyLinear.forward: argument 'input' must be a Tensor, but got nothing"],
    ['groups that do not fit', () => new nn.LazyConv1d(4, 3, { groups: 2 }).forward(torch.ones(1, 5, 5)), 'in_channels must be divisible by groups'],
    ['a missing size', () => Reflect.construct(nn.LazyConv1d, [4]), "LazyConv1d: missing required argument 'kernelSize': expected it as argument 2"],
    ['the size that is to be found', () => Reflect.construct(nn.LazyLinear, [{ inFeatures: 2, outFeatures: 3 }]), 'LazyLinear: got multiple values for argument'],
  ])('refuse %s', (_what, call, message) => {
    expect(call).toThrow(torch.WasmgradError);
    expect(call).toThrow(message);
  }); // biome-ignore format: a table

  it('refuse inputs of another size than was loaded, half a state, and files', async () => {
    const layer = lazy();
    layer.loadStateDict({ weight: torch.ones(3, 2) }, false);
    expect(() => layer.forward(torch.ones(1, 2))).toThrow(
      'LazyLinear: expected all parameters to be loaded or none, but got none for bias',
    );
    layer.loadStateDict(new nn.Linear(2, 3).stateDict());
    expect(() => layer.forward(torch.ones(1, 5))).toThrow(
      'LazyLinear: an input for which inFeatures is 5 needs weight of shape [3, 5], but shape [3, 2] was loaded',
    );
    expect(layer.forward(torch.ones(1, 2)).shape).toEqual([1, 3]);
    await expect(async () => toBlob(lazy().stateDict())).rejects.toThrow(sizeless);
  });
});

describe('a parameter without a shape', () => {
  it('is any module’s, and materialises as the same object', () => {
    const parameter = new nn.UninitializedParameter({ dtype: 'float64' });
    expect(parameter).toBeInstanceOf(nn.Parameter);
    expect([parameter.dtype, parameter.device, parameter.requiresGrad]).toEqual(['float64', 'cpu', true]);
    parameter.materialize([2, 3]);
    expect(parameter).not.toBeInstanceOf(nn.UninitializedParameter);
    expect([parameter.shape, parameter.dtype, parameter.requiresGrad]).toEqual([[2, 3], 'float64', true]);
    torch.noGrad(() => parameter.fill_(2));
    parameter.sum().backward();
    expect((parameter as nn.Parameter).grad?.shape).toEqual([2, 3]);
    const buffer = new nn.UninitializedBuffer();
    buffer.materialize([2], { dtype: 'int64' });
    expect([buffer.constructor, buffer.dtype, buffer.requiresGrad]).toEqual([torch.Tensor, 'int64', false]);
  });
});
