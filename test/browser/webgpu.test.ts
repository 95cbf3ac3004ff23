/** The device webgpu in a page: what Node's bindings cannot show. Everything else about it is tested in Node. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { nn, optim, type Tensor } from '../../src/index.ts';
import { webgpuMissing } from '../support/webgpuPage.ts';

const missing = await webgpuMissing();
const F = nn.functional;

describe.skipIf(missing !== null)(missing ?? 'webgpu in a page', () => {
  it('says what it found', () => {
    const { webgpu, fallbacks } = torch.backendInfo();
    expect(webgpu?.lost).toBe(false);
    expect(webgpu?.maxTensorBytes).toBeGreaterThan(2 ** 27);
    expect(fallbacks).toBe(0);
    expect(torch.memoryStats().webgpu?.bytesInUse).toBeGreaterThanOrEqual(0);
  });

  it('computes as the CPU does', async () => {
    const x = torch.randn(5, 40);
    const ops: ((x: Tensor) => Tensor)[] = [
      (a) => a.sin().mul(a).add(1),
      (a) => a.matmul(a.t()),
      (a) => a.softmax(1).log().sum(0),
      (a) => a.sort(1, true).indices,
      (a) => a.gt(0).sum(),
      (a) => a.cumsum(1),
    ];
    for (const op of ops) {
      const expected = Array.from(op(x).data, Number);
      const got = Array.from(await op(x.to('webgpu')).read(), Number);
      expect(Math.max(...got.map((v, i) => Math.abs(v - expected[i])))).toBeLessThan(1e-4);
    }
    expect(() => x.to('webgpu').data).toThrow(/read\(\)/);
  });

  it('makes few buffers for results that nobody reads, in one job', async () => {
    const adapter = (await navigator.gpu.requestAdapter()) as GPUAdapter;
    const device = await adapter.requestDevice();
    const create = device.createBuffer.bind(device);
    let made = 0;
    device.createBuffer = (descriptor) => {
      made++;
      return create(descriptor);
    };
    await torch.webgpu({ device });
    try {
      const x = torch.ones(2 ** 18, { device: 'webgpu' });
      let y = x;
      for (let i = 0; i < 400; i++) y = x.add(i);
      expect((await y.read())[9]).toBe(400);
      expect(made).toBeLessThan(60);
      const net = new nn.Sequential(new nn.Linear(64, 32), new nn.ReLU(), new nn.Linear(32, 10)).to('webgpu');
      const rows = x.narrow(0, 0, 2 ** 12).reshape(64, 64);
      const expected = await net.forward(rows).softmax(1).read();
      made = 0;
      for (let i = 0; i < 200; i++) y = net.forward(rows).softmax(1).detach();
      expect(await y.read()).toEqual(expected);
      expect(made).toBeLessThan(10);
    } finally {
      await torch.webgpu({ matmulPrecision: 'highest' });
      device.destroy();
    }
  });

  it('gives back what was dropped, small results too', async () => {
    const storages = () => torch.memoryStats().webgpu?.storages ?? 0;
    const one = torch.ones(1, { device: 'webgpu' });
    await one.read();
    const before = storages();
    for (let i = 0; i < 300; i++) one.add(i);
    await one.add(1).read();
    // Engines collect when much memory was asked for, and tell between jobs.
    for (let turn = 0; turn < 3000 && storages() - before >= 300; turn++) {
      new ArrayBuffer(2 ** 26);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(storages() - before).toBeLessThan(300);
  });

  it('trains as the CPU does', async () => {
    const train = async (device: string): Promise<number[]> => {
      torch.manualSeed(11);
      const net = new nn.Sequential(
        new nn.Conv2d(1, 4, 3),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
        new nn.Flatten(),
        new nn.Linear(36, 10),
      ).to(device);
      const optimizer = new optim.Adam(net.parameters(), { lr: 0.01 });
      const losses: Promise<number>[] = [];
      for (let step = 0; step < 3; step++) {
        const images = torch.rand(4, 1, 8, 8).to(device);
        const labels = torch.randint(0, 10, [4]).to(device);
        const loss = F.crossEntropy(net.forward(images), labels);
        loss.backward();
        optimizer.step();
        optimizer.zeroGrad();
        losses.push(loss.itemAsync());
      }
      return Promise.all(losses);
    };
    const [got, expected] = [await train('webgpu'), await train('cpu')];
    got.forEach((loss, step) => {
      expect(loss).toBeCloseTo(expected[step], 4);
    });
    expect(torch.backendInfo().fallbacks).toBe(0);
  });
});
