/** What devices may lack or offer: features, limits, memory, and their loss. */
import { afterAll, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { nn, optim, type Tensor } from '../../src/index.ts';
import { distance, there } from '../support/compareDevices.ts';
import { webgpuMissing } from '../support/webgpu.ts';

const missing = await webgpuMissing();
const info = () => torch.backendInfo().webgpu as torch.WebGPUInfo;

// Dawn's devices die with the object that they came from.
const kept: GPU[] = [];

/** A device of an adapter of its own. Flags are Dawn's: 'backend=null' checks all that it is given and computes nothing. */
async function deviceOf(
  features: readonly GPUFeatureName[] = [],
  limits: Record<string, number> = {},
  flags: string[] = [],
): Promise<GPUDevice> {
  const { create } = (await import('webgpu')) as unknown as { create(flags: string[]): GPU };
  const gpu = create(flags);
  kept.push(gpu);
  const adapter = (await gpu.requestAdapter()) as GPUAdapter;
  return adapter.requestDevice({ requiredFeatures: [...features], requiredLimits: limits });
}

/** A training step with most kinds of kernels. */
function work(device: string): Tensor {
  torch.manualSeed(9);
  const net = new nn.Sequential(
    new nn.Conv2d(1, 4, 3),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(100, 40),
    new nn.Tanh(),
    new nn.Linear(40, 10),
  ).to(device);
  const optimizer = new optim.Adam(net.parameters(), { lr: 0.01 });
  const x = torch.rand(16, 1, 12, 12).to(device);
  const y = torch.randint(0, 10, [16]).to(device);
  const losses: Tensor[] = [];
  for (let step = 0; step < 2; step++) {
    const loss = nn.functional.crossEntropy(net.forward(x), y);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    losses.push(loss.detach());
  }
  return torch.stack(losses);
}

describe.skipIf(missing !== null)(missing ?? 'webgpu', () => {
  afterAll(async () => {
    await torch.webgpu();
  });

  it('refuses options that do not exist', async () => {
    // @ts-expect-error
    await expect(torch.webgpu({ matmulPrecision: 'low' })).rejects.toThrow(
      /'highest' or 'medium', but got low/,
    );
  });

  it('computes on a device with no feature and the least limits of the standard', async () => {
    const expected = work('cpu').data;
    await torch.webgpu({ device: await deviceOf() });
    expect(info().features.filter((name) => name === 'subgroups' || name === 'shader-f16')).toEqual([]);
    expect(distance(await work('webgpu').read(), expected)).toBeLessThan(2e-5);
    const [a, b] = [torch.randn(3, 700), torch.randn(50, 700)];
    const product = await there(a).matmul(there(b).t()).read();
    expect(distance(product, a.matmul(b.t()).data)).toBeLessThan(1e-4);
  });

  it('adds up over subgroups where there are some', async () => {
    await torch.webgpu({ matmulPrecision: 'highest' });
    // SwiftShader has them; a device of one's own may not.
    if (!info().features.includes('subgroups')) return expect(info().fallbackAdapter).toBe(false);
    const [a, b] = [torch.randn(2, 5, 1030), torch.randn(2, 33, 1030)];
    const got = await there(a).matmul(there(b).transpose(1, 2)).read();
    expect(distance(got, a.matmul(b.transpose(1, 2)).data)).toBeLessThan(1e-4);
  });

  it('times its kernels, if asked for', async () => {
    await torch.webgpu({ timestamps: true });
    if (!info().features.includes('timestamp-query')) return expect(info().milliseconds).toBe(null);
    const x = there(torch.randn(128, 128));
    const later = async (than: number): Promise<number> => {
      // Clocks are rounded, to a tenth of a millisecond at worst.
      for (let i = 0; i < 500 && (info().milliseconds as number) <= than; i++) await x.matmul(x).read();
      return info().milliseconds as number;
    };
    const once = await later(0);
    expect(once).toBeGreaterThan(0);
    expect(await later(once)).toBeGreaterThan(once);
    await torch.webgpu({ matmulPrecision: 'highest' });
    expect(info().milliseconds).toBe(null);
  });

  it('multiplies in float16 only where it is asked for and there is some', async () => {
    await torch.webgpu({ matmulPrecision: 'medium' });
    expect(info().matmulPrecision).toBe(info().features.includes('shader-f16') ? 'medium' : 'highest');
    // No processor's adapter has it: that the programs are valid WGSL Dawn says, which checks them for no GPU at all.
    const device = await deviceOf(['shader-f16', 'subgroups'], {}, ['backend=null']);
    await torch.webgpu({ device, matmulPrecision: 'medium' });
    expect(info().matmulPrecision).toBe('medium');
    const x = torch.zeros(128, 128, { device: 'webgpu' });
    const large = torch.zeros(520, 520, { device: 'webgpu' });
    const programs = info().programs;
    await Promise.all(
      [x.matmul(x), x.t().matmul(x.t()), large.matmul(large), work('webgpu')].map((y) => y.read()),
    );
    expect(info().programs - programs).toBeGreaterThan(10);
  });

  it('says of a program that the device refuses which op it was, at the next op', async () => {
    const device = await deviceOf();
    const create = device.createComputePipelineAsync.bind(device);
    let refuse = false;
    Object.defineProperty(device, 'createComputePipelineAsync', {
      value: (descriptor: GPUComputePipelineDescriptor) =>
        refuse ? Promise.reject(new Error(`no pipeline for ${descriptor.label}`)) : create(descriptor),
    });
    await torch.webgpu({ device });
    const x = there(torch.ones(3));
    await x.read();
    refuse = true;
    const y = x.cumsum(0);
    await expect(y.read()).rejects.toThrow(/no pipeline for .*scan/);
    await expect(y.read()).rejects.toThrow(torch.DeviceError);
    expect(() => y.add(1)).toThrow(torch.DeviceError);
    refuse = false;
    expect(Array.from(await x.add(1).read(), Number)).toEqual([2, 2, 2]);
  });

  it('that is lost while results wait throws, and what was saved goes on on the CPU', async () => {
    const device = await deviceOf();
    await torch.webgpu({ device });
    const net = new nn.Linear(4, 2).to('webgpu');
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
    const step = (x: Tensor) => {
      const loss = net.forward(x).square().mean();
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();
      return loss;
    };
    await step(torch.ones(3, 4, { device: 'webgpu' })).itemAsync();
    const saved = await Promise.all(Object.values(net.stateDict()).map((x) => x.toAsync('cpu')));
    const waiting = net.weight.detach().add(1).mul(2);
    const reading = waiting.sum().read();
    device.destroy();
    await expect(reading).rejects.toThrow(torch.DeviceError);
    await device.lost;
    expect(() => waiting.add(1)).toThrow(/was lost/);
    await expect(waiting.read()).rejects.toThrow(/was lost/);
    const fresh = new nn.Linear(4, 2);
    fresh.loadStateDict(
      Object.fromEntries(Object.keys(fresh.stateDict()).map((name, i) => [name, saved[i]])),
    );
    const loss = fresh.forward(torch.ones(3, 4)).square().mean();
    loss.backward();
    expect(Number.isFinite(loss.item())).toBe(true);
  });

  it('gives memory back that nobody needs, and keeps a bounded rest', async () => {
    await torch.webgpu({ device: await deviceOf() });
    const megabyte = torch.zeros(2 ** 18, { device: 'webgpu' });
    await megabyte.read();
    const stats = () => {
      const memory = torch.memoryStats().webgpu;
      if (!memory) throw new Error('no statistics');
      return memory;
    };
    const before = stats().bytesInUse;
    const list = Array.from({ length: 300 }, (_, i) => megabyte.add(i));
    await list[299].read();
    expect(stats().bytesInUse - before).toBeGreaterThanOrEqual(300 * 2 ** 20);
    for (const x of list) x.dispose();
    expect(stats().bytesInUse).toBe(before);
    await megabyte.add(1).read();
    expect(stats().heapBytes - stats().bytesInUse).toBeLessThan(258 * 2 ** 20);
  });

  it('takes tensors up to its limit, and says so beyond', async () => {
    await torch.webgpu({ device: await deviceOf([], { maxBufferSize: 2 ** 28 }) });
    expect(info().maxTensorBytes).toBe(2 ** 28);
    expect(info().maxBindingBytes).toBe(2 ** 27);
    const most = torch.zeros(2 ** 25, { dtype: 'int32', device: 'webgpu' });
    expect(
      await most
        .add(3)
        .narrow(0, 2 ** 25 - 5, 5)
        .sum()
        .itemAsync(),
    ).toBe(15);
    expect(() => torch.zeros(2 ** 26 + 1, { device: 'webgpu' })).toThrow(
      /larger than a buffer of this device/,
    );
    expect(() => torch.cat([most, most, most])).toThrow(torch.DeviceError);
  });

  it('works on parts of what it cannot bind, or says which op does not', async () => {
    const device = await deviceOf();
    const limits: Record<string, number> = { maxStorageBufferBindingSize: 2 ** 16 };
    for (const name of Object.keys(Object.getPrototypeOf(device.limits)))
      limits[name] ??= device.limits[name as keyof GPUSupportedLimits] as number;
    Object.defineProperty(device, 'limits', { value: limits });
    await torch.webgpu({ device });
    torch.manualSeed(12);
    const inputs = [torch.randn(131, 517), torch.randn(131, 517), torch.randn(517), torch.randn(131, 1)];
    const works: Record<string, (x: Tensor, y: Tensor, row: Tensor, column: Tensor) => Tensor> = {
      chain: (x, y) => x.mul(2).add(y).relu().mul(y),
      broadcast: (x, _, row, column) => x.mul(row).sub(column),
      expanded: (_, __, row) => row.expand(131, 517).clone(),
      'in place': (x, y) => x.clone().add_(1).mul_(y),
      'into a view': (x, y) => {
        const z = x.clone();
        z.narrow(0, 10, 100).copy_(y.narrow(0, 0, 100));
        return z;
      },
      cat: (x, y) => torch.cat([x, y]),
      'another dtype': (x, y) => x.gt(y).to('int64').mul(3),
      'sum of all': (x) => x.sum(),
      'sum along rows': (x) => x.sum(0),
      'sum along columns': (x) => x.sum(1, true),
      extreme: (x) => x.amax(0),
      'sum of a part': (x) => x.narrow(0, 50, 60).sum(1),
    };
    for (const [name, work] of Object.entries(works)) {
      const [x, y, row, column] = inputs;
      const [a, b, c, d] = inputs.map((input) => input.to('webgpu'));
      expect(distance(await work(a, b, c, d).read(), work(x, y, row, column).data), name).toBeLessThan(1e-4);
    }
    const x = inputs[0].to('webgpu');
    expect(() => x.softmax(1)).toThrow(/rows cannot take a tensor of 270908 bytes/);
    expect(await x.add(1).sum().itemAsync()).toBeCloseTo(
      (await inputs[0].add(1).sum().itemAsync()) as number,
      1,
    );
  });
});
