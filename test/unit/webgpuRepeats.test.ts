/** What a page cannot find dropped inside a job: calls that are made again on the same contents need no new buffers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { nn, type Tensor } from '../../src/index.ts';
import { distance, there } from '../support/compareDevices.ts';
import { webgpuMissing } from '../support/webgpu.ts';

const missing = await webgpuMissing();
const F = nn.functional;

/** Buffers that were made. */
let made = 0;
const counted = (): number => {
  const before = made;
  made = 0;
  return before;
};
// Dawn's devices die with the object that they came from.
const kept: GPU[] = [];

/** A device as pages have it: the library looks whether it is in Node itself when it is given one. */
async function deviceAsInPages(): Promise<void> {
  const { create } = (await import('webgpu')) as unknown as { create(flags: string[]): GPU };
  const gpu = create([]);
  kept.push(gpu);
  const adapter = (await gpu.requestAdapter()) as GPUAdapter;
  const device = await adapter.requestDevice();
  const makeBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    made++;
    return makeBuffer(descriptor);
  };
  Object.defineProperty(process, 'type', { value: 'renderer', configurable: true });
  try {
    await torch.webgpu({ device });
  } finally {
    Reflect.deleteProperty(process, 'type');
  }
}

describe.skipIf(missing !== null)(missing ?? 'webgpu in a page', () => {
  beforeAll(deviceAsInPages);
  afterAll(async () => {
    await torch.webgpu();
  });

  it('makes no more buffers for an op that is repeated many times than for one that is repeated once', async () => {
    const [x, w, image, filters] = [
      torch.randn(16, 24),
      torch.randn(24, 8),
      torch.randn(2, 3, 9, 9),
      torch.randn(4, 3, 3, 3),
    ].map(there);
    const index = there(torch.arange(16).remainder(8));
    const net = new nn.Sequential(
      new nn.Linear(24, 32),
      new nn.ReLU(),
      new nn.LayerNorm(32),
      new nn.Linear(32, 4),
    ).to('webgpu');
    const works: Record<string, () => Tensor> = {
      softmax: () => x.softmax(1),
      'softmax of a formula': () => x.mul(2).sub(1).logSoftmax(1),
      matmul: () => x.matmul(w),
      'convolution and pool': () => F.maxPool2d(F.conv2d(image, filters).relu(), 2),
      sum: () => x.sum(0),
      argmax: () => x.argmax(1),
      normalization: () => F.layerNorm(x, [24]),
      selection: () => x.indexSelect(0, index),
      network: () => net.forward(x).detach(),
      'network without a graph': () => torch.noGrad(() => net.forward(x)),
      loss: () => F.crossEntropy(x, index),
    };
    for (const [name, work] of Object.entries(works)) {
      const expected = await work().read();
      await new Promise((resolve) => setTimeout(resolve, 1));
      counted();
      const list = Array.from({ length: 60 }, work);
      expect([name, counted() < 20]).toEqual([name, true]);
      for (const result of [list[0], list[7], list[59]])
        expect([name, await result.read()]).toEqual([name, expected]);
    }
  });

  it('changes no other result with one, and computes anew what was changed', async () => {
    const x = there(torch.arange(12, { dtype: 'float32' }).reshape(3, 4));
    const w = there(torch.eye(4));
    const work = () => x.matmul(w);
    const [a, b, c, d] = [work(), work(), work(), work()];
    const halves = d.mul(0.5);
    b.add_(100);
    c.select(0, 1).zero_();
    d.mul_(2);
    const e = work();
    x.add_(1);
    const f = work();
    w.mul_(3);
    const g = work();
    a.dispose();
    const again = work();
    const expected = [
      (v: number) => v + 100,
      (v: number) => (v > 3 && v < 8 ? 0 : v),
      (v: number) => 2 * v,
      (v: number) => v / 2,
      (v: number) => v,
      (v: number) => v + 1,
      (v: number) => 3 * (v + 1),
      (v: number) => 3 * (v + 1),
    ];
    const results = await Promise.all([b, c, d, halves, e, f, g, again].map((t) => t.read()));
    for (const [i, values] of results.entries())
      expect(Array.from(values, Number)).toEqual(
        Array.from({ length: 12 }, (_, v) => (expected[i] as (v: number) => number)(v)),
      );
  });

  it('trains as the CPU does, several steps in a job', async () => {
    const train = async (device: string) => {
      torch.manualSeed(5);
      const net = new nn.Sequential(
        new nn.Conv2d(1, 3, 3),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
        new nn.Flatten(),
        new nn.LayerNorm(27),
        new nn.Linear(27, 4),
      ).to(device);
      const optimizer = new torch.optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
      const x = torch.randn(5, 1, 8, 8).to(device);
      const y = torch.tensor([0, 1, 2, 3, 0], { dtype: 'int64' }).to(device);
      const losses: Tensor[] = [];
      for (let step = 0; step < 6; step++) {
        // Twice the same, before the weights change.
        for (let part = 0; part < 2; part++) {
          const loss = F.crossEntropy(net.forward(x), y);
          loss.backward();
          losses.push(loss.detach());
        }
        optimizer.step();
        optimizer.zeroGrad();
      }
      return torch.stack(losses).read();
    };
    expect(distance(await train('webgpu'), await train('cpu'))).toBeLessThan(1e-5);
  });
});
