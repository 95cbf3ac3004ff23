/** Exported models give in ONNX Runtime what they give here, for other batch sizes too. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { nn, type Tensor } from '../../src/index.ts';
import { toOnnx } from '../../src/io/index.ts';
import { loadModule } from '../support/loadModule.mjs';

const F = nn.functional;
/** WebAssembly: nothing to compile, and the same on every machine. */
const RUNTIME = path.resolve('node_modules/onnxruntime-web/dist/ort.node.min.mjs');

class FullyConnected extends nn.Module {
  linear_1 = new nn.Linear(784, 20);
  linear_2 = new nn.Linear(20, 10, { bias: false });
  forward(x: Tensor): Tensor {
    return this.linear_2.forward(F.relu(this.linear_1.forward(x.reshape(-1, 784))));
  }
}

class Convolutional extends nn.Module {
  conv = new nn.Conv2d(1, 4, 3, { padding: 1 });
  norm = new nn.BatchNorm2d(4);
  pool = new nn.MaxPool2d(2);
  head = new nn.Linear(4 * 14 * 14, 10);
  forward(x: Tensor): Tensor {
    const h = this.pool.forward(F.gelu(this.norm.forward(this.conv.forward(x))));
    return F.softmax(this.head.forward(h.flatten(1)), 1);
  }
}

/** Attention of a sequence to itself; the third query may look nowhere. */
class Masked extends nn.Module {
  open = torch.ones(5, 5).tril().bool().logicalAnd(torch.arange(5).ne(2).unsqueeze(1));
  forward(x: Tensor): Tensor {
    return F.scaledDotProductAttention(x, x, x, { attnMask: this.open });
  }
}

type Case = [string, () => nn.Module, number[]];
/** Shapes of one sample. */
const v = [12];
const seq = [5, 8];
const d1 = [4, 10],
  d2 = [4, 8, 9],
  d3 = [4, 6, 6, 7];
const n = nn as unknown as Record<string, new (...a: unknown[]) => nn.Module>;
const act = [
  'ReLU',
  'ReLU6',
  'SELU',
  'SiLU',
  'Mish',
  'Hardswish',
  'Hardsigmoid',
  'ELU',
  'CELU',
  'LeakyReLU',
  'RReLU',
  'Hardtanh',
  'Sigmoid',
  'Tanh',
  'LogSigmoid',
  'Softsign',
  'Tanhshrink',
  'GELU',
  'GLU',
  'Softplus',
  'Hardshrink',
  'Softshrink',
  'PReLU',
];
const cases: Case[] = [
  ...act.map((a): Case => [a, () => new n[a](), v]),
  ['Threshold', () => new nn.Threshold(0.1, 0.5), v],
  ['GELU tanh', () => new nn.GELU({ approximate: 'tanh' }), v],
  ['Softmax', () => new nn.Softmax(1), v],
  ['LogSoftmax', () => new nn.LogSoftmax(1), v],
  ['Softmin', () => new nn.Softmin(1), v],
  ['Softmax2d', () => new nn.Softmax2d(), d2],
  ['Linear', () => new nn.Linear(12, 5), v],
  ['Linear3d', () => new nn.Linear(8, 5), seq],
  ['Identity', () => new nn.Identity(), v],
  ['Conv1d', () => new nn.Conv1d(4, 6, 3, { stride: 2, padding: 1 }), d1],
  ['Conv2d', () => new nn.Conv2d(4, 6, 3, { groups: 2, dilation: 2 }), d2],
  ['Conv3d', () => new nn.Conv3d(4, 2, 3), d3],
  ['Conv2d same', () => new nn.Conv2d(4, 6, 3, { padding: 'same' }), d2],
  ['Conv2d reflect', () => new nn.Conv2d(4, 6, 3, { padding: 1, paddingMode: 'reflect' }), d2],
  ['ConvTranspose1d', () => new nn.ConvTranspose1d(4, 6, 3, { stride: 2 }), d1],
  ['ConvTranspose2d', () => new nn.ConvTranspose2d(4, 6, 3, { stride: 2, padding: 1, outputPadding: 1 }), d2],
  ['ConvTranspose3d', () => new nn.ConvTranspose3d(4, 2, 2), d3],
  ['Dropout', () => new nn.Dropout(0.5), v],
  ['AlphaDropout', () => new nn.AlphaDropout(0.5), v],
  ['BatchNorm1d', () => new nn.BatchNorm1d(12), v],
  ['BatchNorm2d', () => new nn.BatchNorm2d(4), d2],
  ['BatchNorm3d', () => new nn.BatchNorm3d(4), d3],
  ['LayerNorm', () => new nn.LayerNorm(12), v],
  ['RMSNorm', () => new nn.RMSNorm(12), v],
  ['GroupNorm', () => new nn.GroupNorm(2, 4), d2],
  ...['Max', 'Avg'].flatMap((k): Case[] => [
    [`${k}Pool1d`, () => new n[`${k}Pool1d`](2), d1],
    [`${k}Pool2d`, () => new n[`${k}Pool2d`](3, { stride: 2, padding: 1 }), d2],
    [`${k}Pool2d ceil`, () => new n[`${k}Pool2d`](2, { ceilMode: true }), d2],
    [`${k}Pool3d`, () => new n[`${k}Pool3d`](2), d3],
  ]),
  ['AdaptiveAvgPool1d', () => new nn.AdaptiveAvgPool1d(5), d1],
  ['AdaptiveAvgPool2d', () => new nn.AdaptiveAvgPool2d(1), d2],
  ['AdaptiveAvgPool2d odd', () => new nn.AdaptiveAvgPool2d([3, 4]), d2],
  ['AdaptiveMaxPool2d', () => new nn.AdaptiveMaxPool2d([4, 3]), d2],
  ['AdaptiveAvgPool3d', () => new nn.AdaptiveAvgPool3d(2), d3],
  ['LPPool1d', () => new nn.LPPool1d(2, 2), d1],
  ['LPPool2d', () => new nn.LPPool2d(2, 2), d2],
  ['LocalResponseNorm', () => new nn.LocalResponseNorm(3), d2],
  ['LocalResponseNorm even', () => new nn.LocalResponseNorm(2, { alpha: 0.5, k: 2 }), d1],
  ['Unfold', () => new nn.Unfold([2, 3], { padding: 1, stride: 2, dilation: [2, 1] }), d2],
  ['Fold', () => new nn.Fold([5, 6], 2, { stride: [2, 1], padding: [0, 1] }), [12, 14]],
  ['Flatten', () => new nn.Flatten(), d2],
  ['Unflatten', () => new nn.Unflatten(1, [3, 4]), v],
  ['Upsample nearest', () => new nn.Upsample({ scaleFactor: 2 }), d2],
  ['Upsample bilinear', () => new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' }), d2],
  ['PixelShuffle', () => new nn.PixelShuffle(2), d2],
  ['ChannelShuffle', () => new nn.ChannelShuffle(2), d2],
  ['PixelUnshuffle', () => new nn.PixelUnshuffle(2), [4, 8, 8]],
  ...['Constant', 'Zero', 'Reflection', 'Replication', 'Circular'].flatMap((k): Case[] => [
    [`${k}Pad1d`, () => (k === 'Constant' ? new n.ConstantPad1d(2, 0.5) : new n[`${k}Pad1d`](2)), d1],
    [
      `${k}Pad2d`,
      () => (k === 'Constant' ? new n.ConstantPad2d([1, 2, 0, 3], 0.5) : new n[`${k}Pad2d`]([1, 2, 0, 3])),
      d2,
    ],
    [`${k}Pad3d`, () => (k === 'Constant' ? new n.ConstantPad3d(1, 0.5) : new n[`${k}Pad3d`](1)), d3],
  ]),
  ['RNN', () => new nn.RNN(8, 6, { batchFirst: true }), seq],
  ['GRU', () => new nn.GRU(8, 6, { batchFirst: true }), seq],
  ['LSTM', () => new nn.LSTM(8, 6, { batchFirst: true }), seq],
  [
    'TransformerEncoderLayer',
    () => new nn.TransformerEncoderLayer(8, 2, { batchFirst: true, dimFeedforward: 16 }),
    seq,
  ],
  ['masked attention', () => new Masked(), seq],
];
/** The first output of a module that has several. */
class First extends nn.Module {
  inner: nn.Module;
  constructor(inner: nn.Module) {
    super();
    this.inner = inner;
  }
  forward(x: Tensor): Tensor {
    const y = this.inner.call(x);
    return (Array.isArray(y) ? y[0] : y) as Tensor;
  }
}

describe('ONNX Runtime', () => {
  it.each([() => new FullyConnected(), () => new Convolutional()])('agrees within 1e-5', async (make) => {
    const ort = await loadModule(pathToFileURL(RUNTIME).href);
    const model = make().eval();
    const session = await ort.InferenceSession.create(toOnnx(model, torch.randn(2, 1, 28, 28)));
    for (const n of [1, 5]) {
      const x = torch.randn(n, 1, 28, 28);
      const { output } = await session.run({ input: new ort.Tensor('float32', x.data, [n, 1, 28, 28]) });
      const expected = torch.noGrad(() => model.forward(x));
      expect(output.dims).toEqual(expected.shape);
      const off = torch.tensor(output.data).sub(expected.flatten()).abs().max().item();
      expect(off).toBeLessThan(1e-5);
    }
  });
  it.each(cases)('agrees within 1e-5 on %s', async (_name, make, shape) => {
    const ort = await loadModule(pathToFileURL(RUNTIME).href);
    torch.manualSeed(1);
    const model = new First(make()).eval();
    const session = await ort.InferenceSession.create(toOnnx(model, torch.randn(1, ...shape)));
    for (const n of [1, 5]) {
      const x = torch.randn(n, ...shape);
      const { output } = await session.run({ input: new ort.Tensor('float32', x.data, x.shape) });
      const expected = torch.noGrad(() => model.forward(x));
      expect(output.dims).toEqual(expected.shape);
      expect(torch.tensor(output.data).sub(expected.flatten()).abs().max().item()).toBeLessThan(1e-5);
    }
  });
  it('takes weights that are named as values inside could be', async () => {
    const ort = await loadModule(pathToFileURL(RUNTIME).href);
    class Short extends nn.Module {
      t1 = new nn.Parameter(torch.ones(3));
      c1 = new nn.Parameter(torch.full([3], 2));
      s1 = new nn.Parameter(torch.full([3], 3));
      forward(x: Tensor): Tensor {
        return x.mul(this.t1).add(this.c1).mul(this.s1).add(1).reshape(-1).reshape(x.shape[0], 3);
      }
    }
    const session = await ort.InferenceSession.create(toOnnx(new Short(), torch.ones(2, 3)));
    const { output } = await session.run({ input: new ort.Tensor('float32', new Float32Array(9), [3, 3]) });
    expect([...output.data]).toEqual(new Array(9).fill(7));
  });
  it('takes sizes that grow with the batch, whatever the example was', async () => {
    const ort = await loadModule(pathToFileURL(RUNTIME).href);
    class But extends nn.Module {
      forward(x: Tensor): Tensor {
        return x.narrow(0, 2, x.shape[0] - 2);
      }
    }
    for (const batch of [4, 5]) {
      const session = await ort.InferenceSession.create(toOnnx(new But(), torch.ones(batch, 3)));
      const { output } = await session.run({
        input: new ort.Tensor('float32', new Float32Array(24), [8, 3]),
      });
      expect(output.dims).toEqual([6, 3]);
    }
  });
});

describe('a module', () => {
  it('may hold constants in properties and lists, and is refused if it takes them from elsewhere', () => {
    const outside = torch.tensor([1, 2, 3]);
    class Holds extends nn.Module {
      scale = torch.tensor(2);
      shifts = [torch.tensor([1, 2, 3]), torch.tensor([4, 5, 6])];
      forward(x: Tensor): Tensor {
        return this.scale.mul(x).add(this.shifts[0]).sub(this.shifts[1]);
      }
    }
    class Elsewhere extends nn.Module {
      forward(x: Tensor): Tensor {
        return x.add(outside);
      }
    }
    const model = new Holds();
    expect(toOnnx(model, torch.ones(2, 3)).length).toBeGreaterThan(50);
    expect(model.forward(torch.ones(1, 3)).tolist()).toEqual([[-1, -1, -1]]);
    expect(() => toOnnx(new Elsewhere(), torch.ones(2, 3))).toThrow(
      'exportOnnx: forward uses a tensor that belongs to no module; hold it in a property or a buffer (add: Expected all',
    );
  });

  it.each(cases)('%s has a graph', (_name, make, shape) => {
    expect(toOnnx(new First(make()), torch.randn(2, ...shape)).length).toBeGreaterThan(50);
  });

  it('is refused where a kernel has no counterpart, rather than written as data', () => {
    const x = torch.randn(2, 4, 8, 9);
    class Sorts extends nn.Module {
      forward(y: Tensor): Tensor {
        return y.sort(1).values;
      }
    }
    expect(() => toOnnx(new Sorts(), x)).toThrow(/sort has no counterpart/);
  });

  it.each([1, 2, 3, 4, 5, 7, 8])('of which a size follows the batch in steps is refused, at %i', (batch) => {
    class Steps extends nn.Module {
      forward(x: Tensor): Tensor {
        return x.narrow(0, 0, (x.shape[0] + 1) >> 1);
      }
    }
    class Makes extends nn.Module {
      forward(x: Tensor): Tensor {
        return x.sum(0).add(torch.arange(x.shape[0]).sum());
      }
    }
    const x = torch.ones(batch, 3);
    expect(() => toOnnx(new Steps(), x)).toThrow(
      /(not linear|something else for another batch size); pass dynamicBatch: false/,
    );
    expect(() => toOnnx(new Makes(), x)).toThrow(/another tensor for another batch size; pass dynamicBatch/);
    for (const Kind of [Steps, Makes])
      expect(() => toOnnx(new Kind(), x, { dynamicBatch: false })).not.toThrow();
  });

  it('whose weight is named as an input or output is refused', () => {
    class Named extends nn.Module {
      output = new nn.Parameter(torch.ones(3));
      forward(x: Tensor): Tensor {
        return x.mul(this.output);
      }
    }
    const x = torch.ones(2, 3);
    expect(() => toOnnx(new Named(), x)).toThrow(/two values have the name 'output'/);
    expect(() => toOnnx(new Named(), x, { inputNames: ['output'], outputNames: ['y'] })).toThrow(
      /two values/,
    );
    expect(() => toOnnx(new Named(), x, { outputNames: ['y'] })).not.toThrow();
  });

  it('is as before afterwards, and names what has no counterpart', () => {
    const model = new FullyConnected();
    const before = model.linear_1.weight.toArray();
    toOnnx(model, torch.randn(2, 784));
    expect([model.training, model.linear_1.weight.device, model.linear_1.weight.toArray()]).toEqual([
      true,
      'cpu',
      before,
    ]);
    class Reads extends nn.Module {
      forward(x: Tensor): Tensor {
        return x.mul(x.sum().item());
      }
    }
    expect(() => toOnnx(new Reads(), torch.ones(2))).toThrow(/forward reads the values of a tensor/);
    expect(torch.getDefaultDevice()).toBe('cpu');
  });
});
