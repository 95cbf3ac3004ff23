import { afterEach, describe, expect, it } from 'vitest';
import { gradcheck, gradgradcheck } from '../../src/gradcheck.ts';
import * as torch from '../../src/index.ts';

const { nn } = torch;
const F = nn.functional;
type Tensor = torch.Tensor;

/** float64 values in [-2, 2] without ties, the same for every run. */
function values(shape: readonly number[], seed: number, requiresGrad = true): Tensor {
  const count = shape.reduce((n, s) => n * s, 1);
  const list = Float64Array.from({ length: count }, (_, i) => 2 * Math.sin(1.7 * i + seed) + 0.01 * i);
  return torch.tensor(list).reshape(shape).clone().detach().requiresGrad_(requiresGrad);
}
const numbers = (x: Tensor): number[] => Array.from(x.data, Number);

interface Smooth {
  readonly name: string;
  readonly fn: (...x: Tensor[]) => Tensor;
  readonly shapes: readonly (readonly number[])[];
  /** Second derivatives, where they are too many for a quick test, are left to another case. */
  readonly first?: boolean;
}

const smooth: readonly Smooth[] = [
  {
    name: 'conv1d',
    fn: (x, w, b) => F.conv1d(x, w, b, { stride: 2, padding: 1 }),
    shapes: [[2, 2, 5], [2, 2, 3], [2]],
  },
  {
    name: 'conv2d',
    fn: (x, w, b) => F.conv2d(x, w, b, { padding: [1, 0], dilation: [1, 2] }),
    shapes: [[1, 2, 3, 4], [2, 2, 2, 2], [2]],
  },
  {
    name: 'conv2d in groups, one sample',
    fn: (x, w) => F.conv2d(x, w, { groups: 2, padding: 'same' }),
    shapes: [
      [2, 3, 3],
      [4, 1, 2, 2],
    ],
  },
  {
    name: 'conv3d',
    fn: (x, w) => F.conv3d(x, w, { padding: 1, stride: 2 }),
    shapes: [
      [1, 1, 2, 3, 3],
      [2, 1, 2, 2, 2],
    ],
  },
  {
    name: 'convTranspose2d',
    fn: (x, w, b) => F.convTranspose2d(x, w, b, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
    shapes: [[1, 2, 2, 3], [2, 1, 3, 2], [2]],
  },
  {
    name: 'convTranspose1d',
    fn: (x, w) => F.convTranspose1d(x, w, { dilation: 2 }),
    shapes: [
      [2, 2, 3],
      [2, 2, 2],
    ],
  },
  {
    name: 'unfold',
    fn: (x) => F.unfold(x, [2, 3], { padding: 1, stride: 2 }).square(),
    shapes: [[1, 2, 3, 4]],
  },
  { name: 'fold', fn: (x) => F.fold(x, [3, 3], 2).square(), shapes: [[1, 4, 4]] },
  {
    name: 'maxPool2d',
    fn: (x) => F.maxPool2d(x, 2, { stride: 1, padding: 1 }).square(),
    shapes: [[1, 2, 3, 3]],
  },
  {
    name: 'avgPool2d',
    fn: (x) => F.avgPool2d(x, [2, 3], { padding: 1, ceilMode: true, countIncludePad: false }).square(),
    shapes: [[1, 1, 4, 4]],
  },
  { name: 'avgPool1d', fn: (x) => F.avgPool1d(x, 3, 2).square(), shapes: [[2, 7]] },
  { name: 'adaptiveAvgPool2d', fn: (x) => F.adaptiveAvgPool2d(x, [2, 3]).square(), shapes: [[1, 1, 3, 5]] },
  { name: 'adaptiveMaxPool1d', fn: (x) => F.adaptiveMaxPool1d(x, 2).square(), shapes: [[1, 2, 5]] },
  { name: 'lpPool2d', fn: (x) => F.lpPool2d(x.square().add(1), 2, 2), shapes: [[1, 1, 4, 4]] },
  {
    name: 'batchNorm',
    fn: (x, w, b) => F.batchNorm(x, null, null, { weight: w, bias: b, training: true }),
    shapes: [[3, 2, 2], [2], [2]],
  },
  {
    name: 'batchNorm of vectors',
    fn: (x) => F.batchNorm(x, null, null, { training: true }),
    shapes: [[4, 2]],
  },
  { name: 'layerNorm', fn: (x, w, b) => F.layerNorm(x, [4], w, b), shapes: [[3, 4], [4], [4]] },
  { name: 'groupNorm', fn: (x, w, b) => F.groupNorm(x, 2, w, b), shapes: [[2, 4, 2], [4], [4]] },
  { name: 'instanceNorm', fn: (x) => F.instanceNorm(x), shapes: [[2, 2, 4]] },
  { name: 'rmsNorm', fn: (x, w) => F.rmsNorm(x, [3], w), shapes: [[2, 3], [3]] },
  { name: 'localResponseNorm', fn: (x) => F.localResponseNorm(x, 2, { alpha: 0.5 }), shapes: [[1, 3, 2]] },
  { name: 'pad reflect', fn: (x) => F.pad(x, [1, 2, 1, 0], 'reflect').square(), shapes: [[1, 3, 3]] },
  {
    name: 'pad constant, negative',
    fn: (x) => F.pad(x, [-1, 2, 1, -1], 'constant', 3).square(),
    shapes: [[3, 3]],
  },
  { name: 'pad circular', fn: (x) => F.pad(x, [2, 1], 'circular').square(), shapes: [[1, 2, 3]] },
  {
    name: 'interpolate bilinear',
    fn: (x) => F.interpolate(x, { size: [3, 5], mode: 'bilinear' }).square(),
    shapes: [[1, 1, 2, 3]],
  },
  {
    name: 'interpolate bicubic',
    fn: (x) => F.interpolate(x, { scaleFactor: 2, mode: 'bicubic', alignCorners: true }).square(),
    shapes: [[1, 1, 2, 3]],
  },
  {
    name: 'interpolate bicubic, antialiased',
    fn: (x) => F.interpolate(x, { size: [2, 3], mode: 'bicubic', antialias: true }).square(),
    shapes: [[1, 1, 4, 5]],
  },
  {
    name: 'interpolate area',
    fn: (x) => F.interpolate(x, { size: 2, mode: 'area' }).square(),
    shapes: [[1, 1, 3, 3]],
  },
  { name: 'pixelShuffle', fn: (x) => F.pixelShuffle(x, 2).square(), shapes: [[1, 4, 2, 1]] },
  {
    name: 'scaledDotProductAttention',
    fn: (q, k, v) => F.scaledDotProductAttention(q, k, v, { isCausal: true }),
    shapes: [
      [1, 3, 2],
      [1, 3, 2],
      [1, 3, 2],
    ],
  },
];

/** The layer in float64, with weights that do not depend on the order of draws. */
function prepared<M extends torch.nn.Module>(layer: M): M {
  layer.double();
  layer.parameters().forEach((p, i) => {
    torch.noGrad(() => p.copy_(values(p.shape, i + 1, false).mul(0.4)));
  });
  return layer;
}

for (const device of ['cpu', 'reference']) {
  describe(`structured layers on ${device}`, () => {
    afterEach(() => torch.setDefaultDevice('cpu'));
    const test = (name: string, body: () => void): void => {
      it(name, () => {
        torch.setDefaultDevice(device);
        body();
      });
    };

    for (const { name, fn, shapes, first } of smooth) {
      test(`${name} has the derivatives that differences show`, () => {
        const inputs = shapes.map((shape, i) => values(shape, i));
        expect(gradcheck(fn, inputs)).toBe(true);
        if (!first) expect(gradgradcheck(fn, inputs)).toBe(true);
      });
    }

    test('recurrent layers have exact derivatives, also bidirectional and projected', () => {
      const layers = [
        new nn.LSTM(2, 3, { numLayers: 2, bidirectional: true, projSize: 2 }),
        new nn.GRU(2, 2, { bidirectional: true, batchFirst: true }),
        new nn.RNN(2, 2, { nonlinearity: 'tanh', bias: false }),
      ];
      for (const layer of layers) {
        prepared(layer);
        const x = values([2, 2, 2], 3);
        const outputs = (input: Tensor): Tensor => layer.forward(input)[0];
        expect(gradcheck(outputs, x)).toBe(true);
        for (const name of ['weight_ih_l0', 'weight_hh_l0']) {
          const weight: Tensor = Reflect.get(layer, name);
          const withWeight = (w: Tensor): Tensor => {
            Reflect.set(layer, name, w);
            return outputs(x.detach());
          };
          expect(gradcheck(withWeight, weight.detach().requiresGrad_())).toBe(true);
          Reflect.set(layer, name, weight);
        }
      }
    });

    test('recurrent layers have PyTorch’s second derivatives, of the weights’ gradients too', () => {
      // The penalty on all gradients of Σ y², and the sizes of its gradients by x and by the first direction's weights.
      const cases: [
        make: () => torch.nn.LSTM | torch.nn.GRU | torch.nn.RNN,
        penalty: number,
        sizes: number[],
      ][] = [
        [
          () => new nn.LSTM(3, 4, { bidirectional: true }),
          13.8141992561,
          [26.00258858, 44.21742556, 14.88765044, 33.58906721, 33.58906721],
        ],
        [
          () => new nn.RNN(3, 4, { bidirectional: true }),
          539.00501358,
          [893.4348153, 1015.046582, 1546.490347, 666.6437232, 666.6437232],
        ],
        [
          () => new nn.GRU(3, 4, { bidirectional: true }),
          70.2910347067,
          [81.65088162, 224.4919177, 141.536704, 208.2775898, 116.7656919],
        ],
        [
          () => new nn.LSTM(3, 4, { bidirectional: true, projSize: 2 }),
          2.35018993279,
          [6.602386853, 6.643981155, 0.5236892668, 5.295679972, 5.295679972],
        ],
      ];
      for (const [make, penalty, sizes] of cases) {
        torch.manualSeed(0);
        const layer = make().to('float64');
        const x = torch.randn([5, 2, 3], { dtype: 'float64' }).requiresGrad_();
        const all = [x, ...layer.parameters()];
        const y = layer.forward(x)[0];
        const grads = torch.autograd.grad(y.pow(2).sum(), all, { createGraph: true });
        const total = grads.map((grad) => grad.pow(2).sum()).reduce((a, b) => a.add(b));
        expect(Math.abs(total.item() / penalty - 1)).toBeLessThan(1e-10);
        const found = torch.autograd.grad(total, all).slice(0, 5);
        found.forEach((grad, i) => {
          expect(Math.abs(grad.abs().sum().item() / sizes[i] - 1)).toBeLessThan(1e-8);
        });
      }
    });

    test('a layer and its cell agree, as do a sequence and its samples alone', () => {
      const layer = prepared(new nn.LSTM(2, 3));
      const cell = prepared(new nn.LSTMCell(2, 3));
      const x = values([3, 2, 2], 1, false);
      const [output, [h, c]] = layer.forward(x);
      let state: [Tensor, Tensor] = [
        torch.zeros([2, 3], { dtype: 'float64' }),
        torch.zeros([2, 3], { dtype: 'float64' }),
      ];
      for (let t = 0; t < 3; t++) state = cell.forward(x.select(0, t), state);
      expect(torch.allclose(state[0], output.select(0, 2))).toBe(true);
      expect(torch.allclose(state[0], h.select(0, 0))).toBe(true);
      expect(torch.allclose(state[1], c.select(0, 0))).toBe(true);
      const [alone, [h1]] = layer.forward(x.select(1, 0));
      expect(alone.shape).toEqual([3, 3]);
      expect(h1.shape).toEqual([1, 3]);
      expect(torch.allclose(alone, output.select(1, 0))).toBe(true);
    });

    test('batchFirst only exchanges dimensions', () => {
      const layer = prepared(new nn.GRU(2, 3, { numLayers: 2 }));
      const first = prepared(new nn.GRU(2, 3, { numLayers: 2, batchFirst: true }));
      const x = values([4, 2, 2], 1, false);
      const [a, ha] = layer.forward(x);
      const [b, hb] = first.forward(x.transpose(0, 1));
      expect(torch.allclose(a, b.transpose(0, 1))).toBe(true);
      expect(torch.allclose(ha, hb)).toBe(true);
    });

    test('attention: weights, masks, other sizes of keys, samples alone', () => {
      const layer = prepared(
        new nn.MultiheadAttention(4, 2, { kdim: 3, vdim: 5, addBiasKv: true, addZeroAttn: true }),
      );
      const [q, k, v] = [values([3, 2, 4], 1), values([2, 2, 3], 2), values([2, 2, 5], 3)];
      const [output, weights] = layer.forward(q, k, v);
      expect(weights?.shape).toEqual([2, 3, 4]);
      const quick = layer.forward(q, k, v, { needWeights: false });
      expect(quick[1]).toBeNull();
      expect(torch.allclose(output, quick[0])).toBe(true);
      expect(gradcheck((a, b, c) => layer.forward(a, b, c)[0], [q, k, v])).toBe(true);
      const [alone] = layer.forward(q.select(1, 1), k.select(1, 1), v.select(1, 1));
      expect(torch.allclose(alone, output.select(1, 1))).toBe(true);
      const ignore = torch.tensor([
        [false, true],
        [false, false],
      ]);
      const [masked, after] = layer.forward(q, k, v, { keyPaddingMask: ignore, averageAttnWeights: false });
      expect(after?.shape).toEqual([2, 2, 3, 4]);
      expect(after?.index(0, '...', 1).abs().sum().item()).toBe(0);
      expect(torch.allclose(masked.select(1, 1), output.select(1, 1))).toBe(true);
    });

    test('a query that may look nowhere gives zeros and no NaN', () => {
      const [q, k, v] = [values([2, 3], 1), values([2, 3], 2), values([2, 3], 3)];
      const mask = torch.tensor([
        [true, true],
        [false, false],
      ]);
      const y = F.scaledDotProductAttention(q, k, v, mask);
      expect(numbers(y.select(0, 1))).toEqual([0, 0, 0]);
      y.sum().backward();
      expect(numbers(k.grad ?? v).some(Number.isNaN)).toBe(false);
    });

    test('a transformer sees no future through a causal mask, and copies its layers', () => {
      const model = prepared(new nn.Transformer(4, 2, 1, 2, 6, 0));
      const [src, tgt] = [values([3, 1, 4], 1, false), values([3, 1, 4], 2, false)];
      const tgtMask = nn.Transformer.generateSquareSubsequentMask(3, { dtype: 'float64' });
      expect(numbers(tgtMask)).toEqual([0, -Infinity, -Infinity, 0, 0, -Infinity, 0, 0, 0]);
      const y = model.forward(src, tgt, { tgtMask });
      const changed = tgt.clone();
      changed.select(0, 2).fill_(1);
      const z = model.forward(src, changed, { tgtMask });
      expect(torch.allclose(y.index(torch.slice(2)), z.index(torch.slice(2)))).toBe(true);
      expect(torch.allclose(y.select(0, 2), z.select(0, 2))).toBe(false);
      const [a, b] = [...model.decoder.layers];
      expect(a.parameters()[0] === b.parameters()[0]).toBe(false);
    });

    test('running statistics follow the batches, and rule in evaluation', () => {
      const norm = new nn.BatchNorm1d(2, { momentum: 0.5 });
      const x = torch.tensor([
        [1, 10],
        [3, 30],
      ]);
      norm.forward(x);
      expect(numbers(norm.running_mean ?? x)).toEqual([1, 10]);
      expect(numbers(norm.running_var ?? x)).toEqual([1.5, 100.5]);
      expect(norm.num_batches_tracked?.item()).toBe(1);
      norm.eval();
      const y = norm.forward(x);
      expect(y.select(0, 0).select(0, 0).item()).toBe(0);
      expect(norm.num_batches_tracked?.item()).toBe(1);
      const mean = new nn.BatchNorm1d(1, { momentum: null });
      mean.forward(torch.tensor([[1], [3]]));
      mean.forward(torch.tensor([[5], [7]]));
      expect(mean.running_mean?.item()).toBe(4);
    });

    test('running statistics may move on before an evaluation is differentiated', () => {
      const norm = new nn.BatchNorm1d(2).eval();
      const y = torch.tensor([
        [1, 10],
        [3, 30],
      ]);
      const out = norm.forward(y);
      norm.train().forward(y);
      out.sum().backward();
      const scale = 1 / Math.sqrt(1 + 1e-5);
      expect(torch.allclose(norm.weight?.grad ?? y, torch.tensor([4 * scale, 40 * scale]))).toBe(true);
      expect(numbers(norm.bias?.grad ?? y)).toEqual([2, 2]);
    });

    test('running statistics stay where a batch is empty', () => {
      for (const [norm, shape] of [
        [new nn.BatchNorm1d(2), [0, 2]],
        [new nn.BatchNorm1d(2, { momentum: null }), [0, 2]],
        [new nn.BatchNorm2d(2), [3, 2, 0, 3]],
        [new nn.BatchNorm3d(2), [0, 2, 1, 1, 1]],
      ] as const) {
        const out = norm.forward(torch.zeros(shape));
        expect(out.shape).toEqual(shape);
        out.sum().backward();
        expect(numbers(norm.weight?.grad ?? out)).toEqual([0, 0]);
        expect(numbers(norm.running_mean ?? out)).toEqual([0, 0]);
        expect(numbers(norm.running_var ?? out)).toEqual([1, 1]);
        expect(norm.num_batches_tracked?.item()).toBe(1);
      }
    });

    test('cells refuse states of another batch', () => {
      const x = torch.zeros(3, 2);
      const one = torch.zeros(1, 4);
      for (const cell of [new nn.RNNCell(2, 4), new nn.GRUCell(2, 4)]) {
        const name = cell.constructor.name;
        expect(() => cell.forward(x, one)).toThrow(
          `${name}: Input batch size 3 doesn't match hidden0 batch size 1`,
        );
        expect(() => cell.forward(x, torch.zeros(3, 5))).toThrow(
          `${name}: hidden0 has inconsistent size: got 5, expected 4`,
        );
      }
      expect(() => new nn.LSTMCell(2, 4).forward(x, [torch.zeros(3, 4), one])).toThrow(
        "LSTMCell: Input batch size 3 doesn't match hidden1 batch size 1",
      );
    });

    test('a maximum of nothing but padding is less than everything, and found where the window begins', () => {
      const settings = { dilation: 2, padding: 1, returnIndices: true } as const;
      const x = torch.ones(1, 1, 1).requiresGrad_();
      const [y, at] = F.maxPool1d(x, 2, settings);
      expect([y.item(), at.item()]).toEqual([-Infinity, 1]);
      y.sum().backward();
      expect(x.grad?.item()).toBe(0);
      for (const [dtype, least] of [
        ['float64', -Infinity],
        ['int64', -(2 ** 63)],
        ['int32', -(2 ** 31)],
        ['int8', -128],
        ['uint8', 0],
      ] as const) {
        const [values, places] = F.maxPool2d(torch.ones(1, 1, 1, 1, { dtype }), 2, settings);
        expect([Number(values.data[0]), places.item()]).toEqual([least, 2]);
      }
      const [z, where] = F.maxPool3d(torch.ones(1, 1, 1, 1, 1), 2, settings);
      expect([z.item(), where.item()]).toEqual([-Infinity, 3]);
      // Windows of one row of padding each, four at a time.
      const wide = F.maxPool2d(torch.ones(1, 1, 1, 6), [2, 1], {
        stride: 1,
        dilation: [2, 1],
        padding: [1, 0],
      });
      expect(numbers(wide)).toEqual(new Array(6).fill(-Infinity));
      const low = torch.full([1, 1, 6], -Infinity);
      expect(numbers(F.maxPool1d(low, 2, { stride: 1, returnIndices: true })[1])).toEqual([0, 1, 2, 3, 4]);
    });

    test('smaller images are means with antialias', () => {
      const x = torch.arange(24).float().reshape(1, 1, 4, 6);
      const close = (y: torch.Tensor, expected: number[]) =>
        expect(Math.max(...numbers(y).map((v, i) => Math.abs(v - expected[i])))).toBeLessThan(2e-4);
      const aligned = { mode: 'bilinear', antialias: true, alignCorners: true } as const;
      close(F.interpolate(x, { size: [2, 3], mode: 'bilinear', antialias: true }), [
        ...[5, 6.7857, 8.5714, 14.4286, 16.2143, 18],
      ]);
      close(F.interpolate(x, { size: [3, 4], ...aligned }), [
        ...[2.6786, 4.25, 6, 7.05, 11.0952, 12.6667],
        ...[14.4167, 15.4667, 17.4286, 19, 20.75, 21.8],
      ]);
      close(F.interpolate(x, { scaleFactor: 0.4, mode: 'bilinear', antialias: true }), [7, 9.24]);
      const bytes = x.mul(10).to('uint8');
      close(F.interpolate(bytes, { size: 3, mode: 'bicubic', antialias: true }), [
        ...[16, 36, 56, 95, 115, 135, 174, 194, 214],
      ]);
      expect(() => F.interpolate(x, { size: 2, antialias: true })).toThrow(
        'Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor',
      );
    });

    test('sizes that stay or double do so exactly where PyTorch looks at sizes, not at the factor', () => {
      const x = torch.arange(6).float().reshape(1, 1, 2, 3);
      expect(numbers(F.interpolate(x, { scaleFactor: [1.2, 2.1] }))).toEqual([
        ...[0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5],
      ]);
      expect(numbers(F.interpolate(x.squeeze(0), { scaleFactor: 1.22 }))).toEqual([0, 0, 1, 3, 3, 4]);
      expect(numbers(F.interpolate(x, { scaleFactor: 1.31, mode: 'nearest-exact' }))).toEqual([
        ...[0, 1, 1, 3, 4, 4],
      ]);
      const wide = { scaleFactor: [2, 1.2], mode: 'bilinear', antialias: true } as const;
      expect(numbers(F.interpolate(x, wide))).toEqual([0, 1, 2, 0.75, 1.75, 2.75, 2.25, 3.25, 4.25, 3, 4, 5]);
      const bytes = x.mul(40).to('uint8');
      expect(numbers(F.interpolate(bytes, { scaleFactor: 1.2, mode: 'bicubic' }))).toEqual(numbers(bytes));
    });

    test('bytes are resized as PyTorch does, whole numbers averaged', () => {
      const x = torch.tensor([0, 60, 120, 180], { dtype: 'uint8' }).reshape(1, 1, 2, 2);
      for (const [mode, expected] of [
        ['nearest', [0, 0, 60, 0, 0, 60, 120, 120, 180]],
        ['nearest-exact', [0, 60, 60, 120, 180, 180, 120, 180, 180]],
        ['bilinear', [0, 30, 60, 60, 90, 120, 120, 150, 180]],
        ['bicubic', [0, 20, 55, 58, 90, 125, 125, 160, 195]],
      ] as const) {
        const y = F.interpolate(x, { size: [3, 3], mode });
        expect(y.dtype).toBe('uint8');
        expect(numbers(y)).toEqual(expected);
      }
      const cubic = F.interpolate(x, { size: [5, 4], mode: 'bicubic' });
      expect(numbers(cubic)).toEqual([
        ...[0, 1, 33, 53, 9, 24, 56, 76, 57, 74],
        ...[106, 126, 105, 124, 156, 176, 127, 147, 179, 199],
      ]);
      for (const mode of ['area', 'trilinear'] as const)
        expect(() => F.interpolate(x, { size: 3, mode })).toThrow("not implemented for 'Byte'");

      const whole = torch.arange(16).reshape(1, 4, 4);
      expect(F.avgPool2d(whole, 2).tolist()).toEqual([
        [
          [2, 4],
          [10, 12],
        ],
      ]);
      expect(numbers(F.avgPool2d(whole.neg(), 2))).toEqual([-2, -4, -10, -12]);
      expect(numbers(F.avgPool2d(whole, 3, { padding: 1, stride: 2 }))).toEqual([1, 2, 5, 10]);
      expect(() => F.avgPool2d(whole.int(), 2)).toThrow("not implemented for 'Int'");
    });

    test('dropout3d takes what has not five dimensions as a sample', () => {
      torch.manualSeed(0);
      const rows = F.dropout3d(torch.ones(40, 3, 2)).reshape(40, 6);
      expect(torch.equal(rows, rows.narrow(1, 0, 1).expand(40, 6))).toBe(true);
      expect(new Set(numbers(rows))).toEqual(new Set([0, 2]));
      expect(F.dropout3d(torch.ones(3)).shape).toEqual([3]);
    });

    test('an empty batch is unpooled to an empty batch', () => {
      const none = (...shape: number[]) => [torch.zeros(shape), torch.zeros(shape).long()] as const;
      expect(F.maxUnpool1d(...none(0, 1, 2), 2).shape).toEqual([0, 1, 4]);
      expect(F.maxUnpool2d(...none(0, 1, 2, 2), 2).shape).toEqual([0, 1, 4, 4]);
      expect(F.maxUnpool3d(...none(0, 1, 2, 2, 2), 2).shape).toEqual([0, 1, 4, 4, 4]);
    });

    test('what PyTorch refuses is refused', () => {
      const x = torch.zeros(2, 3);
      const numbersOf = torch.zeros(2, { dtype: 'int16' });
      for (const loss of [F.nllLoss, F.crossEntropy])
        expect(() => loss(x, numbersOf)).toThrow('expected target of dtype int64, but got int16');
      for (const dtype of ['int32', 'uint8'] as const)
        expect(F.nllLoss(x, numbersOf.to(dtype)).item()).toBeCloseTo(0);
      expect(() => F.crossEntropy(x, x, { ignoreIndex: 1 })).toThrow(
        'ignoreIndex is not supported for floating point target, but got 1',
      );
      expect(F.crossEntropy(x, x, { ignoreIndex: -1 }).item()).toBeCloseTo(0);
      const cube = torch.zeros(1, 1, 2, 2, 2);
      for (const pool of [
        () => F.avgPool3d(cube, 3, { padding: 1 }),
        () => F.avgPool3d(cube, 3, { ceilMode: true }),
        () => F.lpPool3d(cube, 2, 3, { ceilMode: true }),
      ])
        expect(pool).toThrow('input image [2, 2, 2] smaller than kernel size [3, 3, 3]');
      const [line, two] = [torch.zeros(2, 2, 3), torch.zeros(2)];
      expect(() => F.instanceNorm(line, { runningMean: two })).toThrow(
        'instance_norm: running_mean and running_var must either both be null or neither be null, but got running_mean without',
      );
      expect(() => F.batchNorm(line, null, two, { training: true })).toThrow(
        'running_var without running_mean',
      );
      for (const mode of ['reflect', 'replicate'] as const)
        expect(() => F.pad(torch.zeros(1, 1, 4), [-2, -2], mode)).toThrow(
          'input (W: 4) is too small. Calculated output W: 0',
        );
      expect(F.pad(torch.zeros(1, 1, 4), [-2, -2], 'circular').shape).toEqual([1, 1, 0]);
      expect(() => F.softMarginLoss(torch.zeros(3), torch.ones(2, 3))).toThrow(
        "output with shape [3] doesn't match the broadcast shape [2, 3]",
      );
      expect(F.softMarginLoss(x, torch.ones(3)).item()).toBeCloseTo(Math.LN2);
    });

    test('second derivatives of a loss whose targets are all ignored are 0', () => {
      const x = torch.zeros(2, 3).requiresGrad_();
      const loss = F.crossEntropy(x, torch.full([2], -100n));
      const [first] = torch.autograd.grad(loss, x, { createGraph: true });
      expect(numbers(torch.autograd.grad(first.sum(), x)[0])).toEqual(new Array(6).fill(0));
    });

    test('a normalised tensor may be overwritten before backward', () => {
      const x = torch.tensor([[1, 2, 4]], { requiresGrad: true });
      F.relu_(F.layerNorm(x, [3]))
        .sum()
        .backward();
      expect(numbers(x.grad ?? x).every(Number.isFinite)).toBe(true);
    });

    test('pooling: NaN wins, the first of equals gets the gradient, positions lead back', () => {
      const x = torch.tensor([[[1, 5, 5, Number.NaN, 2, 2]]], { requiresGrad: true });
      const [y, at] = F.maxPool1d(x, 2, { returnIndices: true });
      expect(numbers(y)).toEqual([5, Number.NaN, 2]);
      expect(numbers(at)).toEqual([1, 3, 4]);
      y.sum().backward();
      expect(numbers(x.grad ?? x)).toEqual([0, 1, 0, 1, 1, 0]);
      const [z, where] = F.maxPool2d(torch.arange(16).float().reshape(1, 1, 4, 4), 2, {
        returnIndices: true,
      });
      const back = F.maxUnpool2d(z, where, 2);
      expect(numbers(back.sum())).toEqual([5 + 7 + 13 + 15]);
      expect(back.index(0, 0, 1, 1).item()).toBe(5);
    });

    test('empty batches and expanded inputs go through', () => {
      expect(F.conv2d(torch.zeros(0, 2, 4, 4), torch.ones(3, 2, 3, 3)).shape).toEqual([0, 3, 2, 2]);
      expect(F.maxPool2d(torch.zeros(0, 2, 4, 4), 2).shape).toEqual([0, 2, 2, 2]);
      const x = torch.ones(1, 1, 1, 4).expand(2, 3, 4, 4);
      expect(numbers(F.conv2d(x, torch.ones(1, 3, 3, 3)))).toEqual(new Array(8).fill(27));
      expect(numbers(F.avgPool2d(x, 4))).toEqual(new Array(6).fill(1));
      expect(F.layerNorm(torch.zeros(0, 3), [3]).shape).toEqual([0, 3]);
    });
  });
}

describe('structured layers', () => {
  it('print as in PyTorch', () => {
    const lines = [
      new nn.Conv2d(1, 2, 3, { padding: 'same', paddingMode: 'reflect' }),
      new nn.Conv2d(2, 4, [3, 5], 2, [1, 2], 1, 2, false),
      new nn.ConvTranspose2d(2, 4, 3, { stride: 2, outputPadding: 1 }),
      new nn.BatchNorm2d(4),
      new nn.GroupNorm(2, 4),
      new nn.MaxUnpool1d(2),
      new nn.MaxUnpool2d(2),
      new nn.LayerNorm([3, 4], { eps: 1e-6 }),
      new nn.InstanceNorm1d(3),
      new nn.RMSNorm(8),
      new nn.MaxPool2d(2),
      new nn.AvgPool1d(3),
      new nn.AvgPool2d([2, 3]),
      new nn.AdaptiveAvgPool2d([1, null]),
      new nn.LSTM(3, 4, { numLayers: 2, bidirectional: true, dropout: 0.5, projSize: 2 }),
      new nn.GRU(3, 4, { batchFirst: true }),
      new nn.RNNCell(3, 4, { bias: false, nonlinearity: 'relu' }),
      new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' }),
      new nn.ZeroPad2d(1),
      new nn.ConstantPad1d([1, 2], 3.5),
      new nn.PixelShuffle(3),
      new nn.Unfold(3, { padding: 1 }),
    ].map(String);
    expect(lines).toEqual([
      'Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=same, padding_mode=reflect)',
      'Conv2d(2, 4, kernel_size=(3, 5), stride=(2, 2), padding=(1, 2), groups=2, bias=False)',
      'ConvTranspose2d(2, 4, kernel_size=(3, 3), stride=(2, 2), output_padding=(1, 1))',
      'BatchNorm2d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)',
      'GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)',
      'MaxUnpool1d(kernel_size=(2,), stride=(2,), padding=(0,))',
      'MaxUnpool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))',
      'LayerNorm((3, 4), eps=1e-06, elementwise_affine=True, bias=True)',
      'InstanceNorm1d(3, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False)',
      'RMSNorm((8,), eps=None, elementwise_affine=True)',
      'MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)',
      'AvgPool1d(kernel_size=(3,), stride=(3,), padding=(0,))',
      'AvgPool2d(kernel_size=(2, 3), stride=(2, 3), padding=0)',
      'AdaptiveAvgPool2d(output_size=(1, None))',
      'LSTM(3, 4, proj_size=2, num_layers=2, dropout=0.5, bidirectional=True)',
      'GRU(3, 4, batch_first=True)',
      'RNNCell(3, 4, bias=False, nonlinearity=relu)',
      "Upsample(scale_factor=2.0, mode='bilinear')",
      'ZeroPad2d((1, 1, 1, 1))',
      'ConstantPad1d(padding=(1, 2), value=3.5)',
      'PixelShuffle(upscale_factor=3)',
      'Unfold(kernel_size=3, dilation=1, padding=1, stride=1)',
    ]);
  });

  it('print a transformer layer as in PyTorch', () => {
    expect(String(new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 8 }))).toBe(
      `TransformerEncoderLayer(
  (self_attn): MultiheadAttention(
    (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)
  )
  (linear1): Linear(in_features=4, out_features=8, bias=True)
  (dropout): Dropout(p=0.1, inplace=False)
  (linear2): Linear(in_features=8, out_features=4, bias=True)
  (norm1): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)
  (norm2): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)
  (dropout1): Dropout(p=0.1, inplace=False)
  (dropout2): Dropout(p=0.1, inplace=False)
)`,
    );
  });

  it("are drawn in PyTorch's order: out_proj before in_proj_weight", () => {
    torch.manualSeed(3);
    const layer = new nn.MultiheadAttention(4, 2);
    torch.manualSeed(3);
    const outProj = new nn.Linear(4, 4);
    const inProj = nn.init.xavierUniform_(torch.empty(12, 4));
    expect(torch.equal(layer.out_proj.weight, outProj.weight)).toBe(true);
    expect(torch.equal(layer.in_proj_weight ?? outProj.weight, inProj)).toBe(true);
    expect(Object.keys(layer.stateDict())).toEqual([
      'in_proj_weight',
      'in_proj_bias',
      'out_proj.weight',
      'out_proj.bias',
    ]);
  });

  it('take the switch that silences a warning of PyTorch', () => {
    const layer = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 8 });
    const norm = new nn.LayerNorm(4);
    for (const encoder of [
      new nn.TransformerEncoder(layer, 2, { norm, enableNestedTensor: false }),
      new nn.TransformerEncoder(layer, 2, norm, { enableNestedTensor: false }),
      new nn.TransformerEncoder({ encoderLayer: layer, numLayers: 2, norm, enableNestedTensor: true }),
    ])
      expect(encoder.norm).toBe(norm);
  });

  it('copy deeply', () => {
    const layers = [
      new nn.Conv2d(1, 1, 3, { padding: 1, paddingMode: 'reflect' }),
      new nn.ZeroPad2d(1),
      new nn.BatchNorm2d(1),
    ];
    const x = torch.randn(2, 1, 4, 4);
    for (const layer of layers) expect(torch.equal(layer.deepcopy().forward(x), layer.forward(x))).toBe(true);
  });

  it("say what is wrong in PyTorch's words", () => {
    const x = torch.ones(1, 2, 4, 4);
    const thrown: [() => unknown, RegExp][] = [
      [
        () => F.conv2d(x, torch.ones(3, 3, 2, 2)),
        /expected input\[1, 2, 4, 4\] to have 3 channels, but got 2 channels instead/,
      ],
      [() => F.conv2d(x, torch.ones(3, 2, 5, 5)), /Kernel size can't be greater than actual input size/],
      [
        () => F.conv2d(x, torch.ones(3, 2, 3, 3), { stride: 2, padding: 'same' }),
        /padding='same' is not supported for strided/,
      ],
      [() => F.conv2d(x, torch.ones([3, 2, 3, 3], { dtype: 'float64' })), /should be the same/],
      [
        () => F.conv2d(x, torch.ones(3, 2, 3, 3), torch.ones(2)),
        /expected bias to be 1-dimensional with 3 elements/,
      ],
      [() => F.conv2d(x, torch.ones(3, 2, 3, 3), { stride: 0 }), /stride/],
      [
        () => F.convTranspose2d(x, torch.ones(2, 1, 2, 2), { outputPadding: 1 }),
        /output padding must be smaller than either stride or dilation/,
      ],
      [() => F.maxPool2d(x, 2, { padding: 2 }), /pad should be at most half of effective kernel size/],
      [() => F.maxPool2d(x, 5), /Output size is too small/],
      [() => F.avgPool2d(x, 2, { divisorOverride: 0 }), /divisor must be not zero/],
      [
        () => F.batchNorm(torch.ones(1, 2), null, null, { training: true }),
        /Expected more than 1 value per channel when training/,
      ],
      [() => F.layerNorm(x, [3]), /Given normalized_shape=\[3\], expected input with shape \[\*, 3\]/],
      [() => F.groupNorm(x, 3), /divisible by num_groups/],
      [
        () => F.pad(x, [4, 0], 'reflect'),
        /only 2D, 3D, 4D, 5D|Padding size should be less than the corresponding input dimension/i,
      ],
      [() => F.pad(x, [1]), /Padding length must be divisible by 2/],
      [() => F.interpolate(x), /only one of size or scale_factor/],
      [() => F.interpolate(x, { size: 2, mode: 'linear' }), /linear mode needs 3D input/],
      [() => F.pixelShuffle(x, 2), /divisible by the square of upscale_factor/],
      [() => F.fold(torch.ones(1, 4, 3), 3, 2), /calculated number of sliding blocks/],
      [() => new nn.MultiheadAttention(5, 2), /embed_dim must be divisible by num_heads/],
      [() => new nn.LSTM(3, 4).forward(torch.ones(2, 2, 2)), /Expected 3, got 2/],
      [
        () => new nn.GRU(3, 4).forward(torch.ones(2, 2, 3), torch.ones(1, 3, 4)),
        /Expected hidden size \(1, 2, 4\), got \[1, 3, 4\]/,
      ],
      [() => new nn.Conv2d(3, 4, 3, { groups: 2 }), /in_channels must be divisible by groups/],
      [() => new nn.BatchNorm2d(3).forward(torch.ones(2, 3)), /expected 4D input \(got 2D input\)/],
    ];
    for (const [run, words] of thrown) expect(run).toThrow(words);
  });

  it('divide whole numbers without a rest in local response norms, as PyTorch does', () => {
    const x = torch.arange(-5, 7).reshape(1, 3, 4);
    expect(F.localResponseNorm(x, 3, 1, 0.75, 1).dtype).toBe('float32');
    const [[first, , last]] = F.localResponseNorm(x, 3, 1, 0.75, 1).toArray() as number[][][];
    const digits = (row: readonly number[]) => row.map((value) => value.toFixed(4));
    expect(digits(first)).toEqual(['-0.9623', '-1.0434', '-1.0607', '-0.8774']);
    expect(digits(last)).toEqual(['1.0607', '1.0434', '0.9623', '0.8290']);
    expect(() => F.localResponseNorm(x.to('int32'), 3)).toThrow(torch.DTypeError);
  });
});
