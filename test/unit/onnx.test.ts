/** Exported models give in ONNX Runtime what they give here, for other batch sizes too. */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { nn, type Tensor } from '../../src/index.ts';
import { toOnnx } from '../../src/io/index.ts';
import { loadModule } from '../support/loadModule.mjs';

const F = nn.functional;
const RUNTIME = path.resolve('bench/peers/node_modules/onnxruntime-web/dist/ort.min.mjs');

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

describe.skipIf(!fs.existsSync(RUNTIME))('ONNX Runtime (skipped unless bench/peers is installed)', () => {
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
});

describe('a module', () => {
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
